//! Our own page, at 20 above the emulator's port: the outbox for people, the
//! status for other calls of the dev command, the stand-ins for payment
//! providers and carriers, and a system of the merchant that takes webhooks.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use aftercart::{
    messages::Envelope,
    model::{shipment::Carrier, time::Period},
};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    carriers::{self, Happened, Known},
    providers::StandIns,
};

use super::{
    child::Stop,
    failure::{Failure, Trying},
    hooks::{self, Hooks},
    outbox::{Outbox, minute, notice},
    running::{Running, TOKEN, now},
};

/// The most of a request's head, and of its body.
const REQUEST_BYTES_MAX: u64 = 64 * 1024;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where on the page the stand-ins for payment providers are.
pub(super) const PROVIDERS: &str = "/providers";

/// Where on the page the stand-ins for carriers are.
pub(super) const CARRIERS: &str = "/carriers";

/// Where the stand-ins for carriers are told what happened to a parcel.
pub(super) const HAPPEN: &str = "/happen";

/// What the page knows.
pub(super) struct Page {
    /// Whose page it is.
    pub(super) running: Running,
    /// What came for people.
    pub(super) outbox: Outbox,
    /// Whether the stack takes calls.
    pub(super) open: AtomicBool,
    /// How the end is asked for.
    pub(super) stop: Stop,
    /// The stand-ins for payment providers.
    pub(super) providers: StandIns,
    /// The stand-ins for carriers.
    pub(super) carriers: carriers::StandIns,
    /// A system of the merchant.
    pub(super) hooks: Hooks,
}

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

struct Response {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    fn new(status: &str, kind: &str, body: String) -> Self {
        let headers = vec![
            ("content-type".to_owned(), format!("{kind}; charset=utf-8")),
            ("cache-control".to_owned(), "no-store".to_owned()),
        ];
        Self { status: status.to_owned(), headers, body: body.into_bytes() }
    }

    fn json(status: &str, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    /// The answer of a stand-in, as it is.
    fn passed_on(answer: &http::Response<Bytes>) -> Self {
        let headers = answer
            .headers()
            .iter()
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        Self {
            status: answer.status().to_string(),
            headers: headers.collect(),
            body: answer.body().to_vec(),
        }
    }
}

/// Serves in the background, until this process ends.
pub(super) fn serve(listener: TcpListener, page: &Arc<Page>) {
    let page = Arc::clone(page);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let page = Arc::clone(&page);
            thread::spawn(move || converse(&connection, &page).ok());
        }
    });
}

fn converse(connection: &TcpStream, page: &Page) -> Result<(), Failure> {
    connection.set_read_timeout(Some(PATIENCE)).trying("wait for a request")?;
    let request = read(connection)?;
    let Response { status, headers, body } = answer(&request, page);
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    let mut out = connection;
    out.write_all(head.as_bytes()).and_then(|()| out.write_all(&body)).trying("answer")
}

fn read(connection: &TcpStream) -> Result<Request, Failure> {
    let mut reader = BufReader::new(connection.take(REQUEST_BYTES_MAX));
    let mut line = String::new();
    let mut next = || {
        line.clear();
        reader.read_line(&mut line).trying("read a request")?;
        Ok::<_, Failure>(line.trim_end().to_owned())
    };
    let first = next()?;
    let mut words = first.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let header = next()?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request { method, path, headers, body: Vec::new() };
    let length = request.header("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_end(&mut request.body).trying("read a request")?;
    Ok(request)
}

fn answer(request: &Request, page: &Page) -> Response {
    let ours = request.header(TOKEN) == page.running.token;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => Response::new("200 OK", "text/html", html(page)),
        ("GET", "/outbox.jsonl") => {
            let lines =
                page.outbox.messages().into_iter().filter_map(|m| serde_json::to_string(&m).ok());
            let body = lines.map(|line| line + "\n").collect();
            Response::new("200 OK", "application/jsonl", body)
        }
        ("GET", "/status") if ours => Response::json("200 OK", &status(page)),
        ("POST", "/stop") if ours => {
            page.stop.request();
            Response::json("202 Accepted", &json!({ "status": "closing" }))
        }
        ("GET", "/hooks.jsonl") => Response::new("200 OK", "application/jsonl", page.hooks.lines()),
        ("POST", hooks::PATH) => hook(request, page),
        ("POST", HAPPEN) if ours => happen(request, page),
        (_, path) if path.starts_with(PROVIDERS) => {
            passed_on(request, |call| page.providers.answer(call))
        }
        (_, path) if path.starts_with(CARRIERS) => {
            passed_on(request, |call| page.carriers.answer(call))
        }
        _ => Response::json("404 Not Found", &json!({ "error": "There is nothing here." })),
    }
}

/// Takes a webhook.
fn hook(request: &Request, page: &Page) -> Response {
    let header = |name: &str| Some(request.header(name)).filter(|value| !value.is_empty());
    match page.hooks.take(&header, &request.body, now()) {
        true => Response::json("200 OK", &json!({})),
        false => Response::json("401 Unauthorized", &json!({ "error": "not signed by the stack" })),
    }
}

/// Has a carrier's stand-in know of a parcel: of these scans, a minute apart.
fn happen(request: &Request, page: &Page) -> Response {
    let told = serde_json::from_slice::<Happen>(&request.body);
    let told = told.ok().and_then(|told| Some((Carrier::parse(&told.carrier)?, told)));
    let Some((carrier, told)) = told else {
        return Response::json("400 Bad Request", &json!({ "error": "no carrier, or no scans" }));
    };
    let now = now();
    let count = told.scans.len();
    let scans = told.scans.into_iter().enumerate().map(|(index, (status, place))| {
        let ago = u32::try_from(count.saturating_sub(index)).unwrap_or(u32::MAX);
        let at = now.minus(Period::of_seconds(ago.saturating_mul(60)));
        Happened { status, place, at }
    });
    let known = Known { scans: scans.collect(), eta: None, at: now };
    page.carriers.memory(|memory| memory.happen(carrier, &told.number, known));
    Response::json("200 OK", &json!({}))
}

/// What happened to a parcel, in its carrier's words: status and place.
#[derive(serde::Deserialize)]
struct Happen {
    carrier: String,
    number: String,
    scans: Vec<(String, String)>,
}

/// Lets a stand-in answer.
fn passed_on(
    request: &Request,
    answer: impl FnOnce(&http::Request<Bytes>) -> http::Response<Bytes>,
) -> Response {
    let mut call = http::Request::builder().method(request.method.as_str()).uri(&request.path);
    for (name, value) in &request.headers {
        call = call.header(name, value);
    }
    match call.body(Bytes::from(request.body.clone())) {
        Ok(call) => Response::passed_on(&answer(&call)),
        Err(error) => Response::json("400 Bad Request", &json!({ "error": error.to_string() })),
    }
}

fn status(page: &Page) -> Value {
    json!({
        "status": if page.open.load(Ordering::Relaxed) { "open" } else { "starting" },
        "pid": page.running.pid,
        "messages": page.outbox.messages().len(),
    })
}

const STYLE: &str = "
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: 0; }
p { margin: .3rem 0; }
.quiet { color: GrayText; font-size: .9rem; }
article { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .6rem;
  padding: .8rem 1rem; margin: 1rem 0; overflow-wrap: anywhere; }
article h2 { font-size: 1.05rem; margin: 0; }
a.go { display: inline-block; margin-top: .4rem; }
summary { cursor: pointer; } pre { white-space: pre-wrap; font-size: .8rem; }
";

/// Renews the page, but not while somebody reads a message.
const RENEW: &str =
    "setInterval(() => document.querySelector('details[open]') || location.reload(), 3000);";

fn html(page: &Page) -> String {
    let messages = page.outbox.messages();
    let list: String = messages.iter().rev().map(article).collect();
    let list = if list.is_empty() {
        "<p>Nothing yet. <code>cargo dev demo</code> in another terminal plays a day of the shop.</p>".to_owned()
    } else {
        list
    };
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Aftercart outbox</title><style>{STYLE}</style><script>{RENEW}</script></head><body><h1>Outbox</h1>\
         <p class=\"quiet\">What the shop would send to people, newest first. {count} so far; \
         the page renews itself every 3 seconds.</p><main>{list}</main></body></html>",
        count = messages.len(),
    )
}

fn article(envelope: &Envelope) -> String {
    let notice = notice(&envelope.message);
    let link = match escape(&notice.link) {
        link if link.is_empty() => String::new(),
        link => format!("<p><a class=\"go\" href=\"{link}\">Open the page</a></p>"),
    };
    let raw = serde_json::to_string_pretty(envelope).unwrap_or_default();
    format!(
        "<article><h2>{about}</h2><p class=\"quiet\">To {to}, {at}</p><p>{says}</p>{link}\
         <details><summary class=\"quiet\">The message as it is on the queue</summary><pre>{raw}</pre></details></article>",
        about = escape(&notice.about),
        to = escape(&notice.to),
        at = minute(envelope.at),
        says = escape(&notice.says),
        raw = escape(&raw),
    )
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_customers_write_stays_text() {
        assert_eq!(escape("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
