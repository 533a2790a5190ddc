//! A world behind a port: HTTP as clients speak it, for tools that send real
//! requests. It stands where API Gateway does: it knows callers by their tokens,
//! refuses what no route wants, and calls the functions with its events.

use std::{collections::BTreeMap, convert::Infallible, io, sync::Arc};

use aftercart::run::Trigger;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header::AUTHORIZATION, request::Parts};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::{Ask, Caller, Reply, World};

/// The largest body that API Gateway takes.
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A world, and who may call it with which token.
#[derive(Debug)]
pub struct Gateway {
    world: Arc<World>,
    tokens: BTreeMap<String, Caller>,
}

impl Gateway {
    /// A gateway that knows these callers by their bearer tokens, and nobody else.
    #[must_use]
    pub fn new(world: Arc<World>, tokens: BTreeMap<String, Caller>) -> Self {
        Self { world, tokens }
    }

    /// Serves whoever connects, until it is dropped.
    ///
    /// # Errors
    /// When nobody can connect any more.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> io::Result<()> {
        loop {
            let (stream, _) = listener.accept().await?;
            let gateway = Arc::clone(&self);
            let service = service_fn(move |request| {
                let gateway = Arc::clone(&gateway);
                async move { Ok::<_, Infallible>(gateway.answer(request).await) }
            });
            // A connection that breaks is its client's matter.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let reply = match Limited::new(body, BODY_BYTES_MAX).collect().await {
            Ok(body) => self.reply(&head, body.to_bytes().into()).await,
            Err(_) => Reply::gateway(413, "Request Entity Too Large"),
        };
        written(reply)
    }

    async fn reply(&self, head: &Parts, body: Vec<u8>) -> Reply {
        let Some(ask) = self.ask(head, body) else { return Reply::gateway(404, "Not Found") };
        let reply = self.world.ask(&ask).await;
        // What Lambda says of a function that failed as a whole.
        reply.unwrap_or_else(|_| Reply::gateway(500, "Internal Server Error"))
    }

    /// The request, if any route has its method.
    fn ask(&self, head: &Parts, body: Vec<u8>) -> Option<Ask> {
        let mut routes = self.world.functions().filter_map(|function| match function.trigger {
            Trigger::Http(routes) => Some(routes),
            _ => None,
        });
        let method = routes.find_map(|routes| {
            routes.iter().map(|route| route.method).find(|method| *method == head.method.as_str())
        })?;
        let path = head.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        Some(Ask { method, path, caller: self.caller(head), headers: headers(head), body })
    }

    fn caller(&self, head: &Parts) -> Caller {
        let token = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer "));
        let known = token.and_then(|token| self.tokens.get(token));
        known.cloned().unwrap_or(Caller::Anybody)
    }
}

/// The headers, those of one name joined by commas, as API Gateway does.
fn headers(head: &Parts) -> Vec<(String, String)> {
    let mut joined: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let known = joined.entry(name.as_str()).or_default();
        if !known.is_empty() {
            known.push(',');
        }
        known.push_str(&value);
    }
    joined.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn written(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    // A function that answers with what is no header has answered wrongly.
    response.body(Full::from(reply.body)).unwrap_or_else(|_| {
        let mut failed = Response::new(Full::default());
        *failed.status_mut() = StatusCode::BAD_GATEWAY;
        failed
    })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use serde_json::json;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use crate::{functions, world::Options};

    use super::*;

    async fn said(port: u16, request: &str) -> String {
        let mut stream = tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    #[tokio::test]
    async fn a_world_is_reached_over_http() {
        let world = Arc::new(World::new(&functions(), Options::default()).await.unwrap());
        let tokens = BTreeMap::from([("o".to_owned(), Caller::Operator)]);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(Arc::new(Gateway::new(world, tokens)).serve(listener));
        let body = json!({ "title": "Tea", "price": { "amount": 1250, "currency": "GBP" } });
        let (body, length) = (body.to_string(), body.to_string().len());
        let put = |token: &str| {
            format!(
                "PUT /products/TEA HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
                 authorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
            )
        };
        assert!(said(port, &put("o")).await.starts_with("HTTP/1.1 200"));
        assert!(said(port, &put("x")).await.starts_with("HTTP/1.1 401"));
        let nowhere = "GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        assert!(said(port, nowhere).await.starts_with("HTTP/1.1 404"));
    }
}
