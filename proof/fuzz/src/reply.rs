//! What every answer of the HTTP API has to be.

use aftercart_infra::world::Reply;

use crate::{Finding, Verdict};

/// The largest answer that Lambda hands on.
const BODY_MAX: usize = 6 * 1024 * 1024;

/// The problems of a provider's that a caller is told.
const PROVIDERS_FAULT: [(u16, &str); 2] =
    [(502, "provider-refused"), (503, "provider-unavailable")];

/// Makes sure that an answer is one that we would want to give.
pub(crate) fn check(reply: &Reply) -> Verdict {
    let status = reply.status;
    hold!((200..600).contains(&status), "the status is {status}");
    let problem = reply.problem();
    let is_theirs = PROVIDERS_FAULT.contains(&(status, problem.as_str()));
    hold!(status < 500 || is_theirs, "a caller meets {status}: {}", reply.body);
    hold!(reply.body.len() < BODY_MAX, "the answer has {} bytes", reply.body.len());
    headers(reply)?;
    let kind = header(reply, "content-type");
    match kind.split(';').next().unwrap_or_default() {
        "application/problem+json" => is_problem(reply),
        "text/html" => is_page(reply),
        _ if status >= 400 => Err(Finding::new(format!("{status} comes as {kind}"))),
        "application/json" => {
            let reads = serde_json::from_str::<serde_json::Value>(&reply.body).is_ok();
            hold!(reads, "the answer is no JSON: {}", reply.body);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn headers(reply: &Reply) -> Verdict {
    for (name, value) in &reply.headers {
        let breaks = value.contains(|c: char| c.is_control());
        hold!(!breaks, "the header {name} holds control characters: {value:?}");
    }
    hold!(header(reply, "cache-control") == "no-store", "the answer may be kept");
    hold!(header(reply, "x-content-type-options") == "nosniff", "the answer may be sniffed");
    Ok(())
}

fn is_problem(reply: &Reply) -> Verdict {
    let (json, status) = (reply.json(), reply.status);
    hold!(status >= 400, "a problem comes with {status}");
    hold!(json["status"] == status, "the problem says another status than {status}: {json}");
    for member in ["/type", "/title", "/detail"] {
        hold!(!reply.text(member).is_empty(), "the problem has no {member}: {json}");
    }
    let named = reply.text("/type").starts_with("urn:aftercart:problem:");
    hold!(named, "the problem is not one of ours: {json}");
    Ok(())
}

fn is_page(reply: &Reply) -> Verdict {
    let page = reply.body.to_ascii_lowercase();
    hold!(page.trim_start().starts_with("<!doctype html"), "the page is none: {}", reply.body);
    for never in ["<script", "javascript:", " onerror=", " onload=", "<iframe"] {
        hold!(!page.contains(never), "the page holds {never}");
    }
    let policy = header(reply, "content-security-policy");
    hold!(policy.starts_with("default-src 'none'"), "the page may load anything: {policy}");
    Ok(())
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply.headers.get(name).map(String::as_str).unwrap_or_default()
}
