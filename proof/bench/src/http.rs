//! HTTP between the processes of a measurement: hyper on both ends, one thread,
//! no more than what is needed.

use std::{future::Future, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header::CONTENT_TYPE};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::net::{TcpListener, TcpStream};

use crate::{BenchError, failure::Trying as _};

/// A request that came in, with its whole body.
#[derive(Debug)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The path and the query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Call {
    /// A header's text; empty when there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What goes out.
pub type Reply = Response<Full<Bytes>>;

/// An answer with a body of JSON.
#[must_use]
pub fn json(status: u16, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    reply.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    reply
}

/// A listener on a free port of this machine, and where it is.
///
/// # Errors
/// When there is none.
pub async fn listen() -> Result<(TcpListener, SocketAddr), BenchError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.trying("listen on a free port")?;
    let address = listener.local_addr().trying("tell a port")?;
    Ok((listener, address))
}

/// Answers every call that comes, for ever.
pub async fn serve<A, F>(listener: TcpListener, answer: A)
where
    A: Fn(Call) -> F + Send + Sync + 'static,
    F: Future<Output = Reply> + Send + 'static,
{
    let answer = Arc::new(answer);
    loop {
        // A caller that went away before it was let in is nobody's loss.
        let Ok((stream, _)) = listener.accept().await else { continue };
        let answer = Arc::clone(&answer);
        tokio::spawn(async move { connection(stream, &*answer).await });
    }
}

async fn connection<A, F>(stream: TcpStream, answer: &A)
where
    A: Fn(Call) -> F + Send + Sync,
    F: Future<Output = Reply> + Send,
{
    // Without it small answers are slower, and nothing else.
    let _slower: std::io::Result<()> = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| async {
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, body };
        Ok::<_, hyper::Error>(answer(call).await)
    });
    // It ends when the caller goes away, in whatever way.
    let _ended: Result<(), hyper::Error> = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A caller that keeps its connections.
#[derive(Debug, Clone)]
pub struct Caller(Client<HttpConnector, Full<Bytes>>);

impl Default for Caller {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }
}

impl Caller {
    /// Sends a request, and reads the whole answer.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn call(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, BenchError> {
        let place = request.uri().clone();
        let tried = || format!("call {place}");
        let answer = self.0.request(request).await.trying(tried())?;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.trying(tried())?.to_bytes();
        Ok(Response::from_parts(parts, body))
    }

    /// Sends a `POST` of JSON with headers.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn post(
        &self,
        to: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, BenchError> {
        let mut request =
            Request::post(format!("http://{to}{path}")).header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).trying("make a request")?;
        self.call(request).await
    }
}
