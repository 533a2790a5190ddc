//! Calls to providers, and to systems that the merchant names: bounded in time
//! and size, never retried here. The caller knows what is safe to repeat.

use std::{
    fmt,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{
            HttpConnector,
            dns::{GaiResolver, Name},
        },
    },
    rt::TokioExecutor,
};
use tower_service::Service;

use crate::{
    aws::{Sending, Transport},
    model::webhook::{Place, is_public},
};

/// The longest a provider may take for one answer, connection included.
/// API Gateway gives the whole request 30 s; three tries must fit well inside.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// The longest a system of the merchant may take to answer, connection
/// included: what Standard Webhooks recommends at least.
pub const STRANGER_TIMEOUT: Duration = Duration::from_secs(15);

/// The largest answer that is read; providers' have a few kilobytes.
const ANSWER_MAX: usize = 256 * 1024;

/// Why there is no answer. The call may have had its effect.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// It took longer than it may, usually [`TIMEOUT`].
    #[error("the provider did not answer in time")]
    Timeout,
    /// The connection failed, or the answer broke off or was too large.
    #[error("the call to the provider failed")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It was not made: a [`Stranger`] is at an address that nobody may call.
    #[error("it is not an address on the Internet")]
    Forbidden,
}

/// Marks a request, as its extension, as one to a system that the merchant
/// named, and not we. It has [`STRANGER_TIMEOUT`]; of its answer only the head
/// is read; and it is not made to any address but those of the Internet,
/// whatever its name stands for at the moment of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger;

/// A future of an answer.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Bytes>, OutgoingError>> + Send>>;

/// Calls providers.
pub trait Outgoing: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole answer.
    fn call(&self, request: Request<Bytes>) -> Answering;
}

/// Calls over HTTPS (and HTTP, for a provider's stand-in on this machine),
/// trusting the certificate authorities that Mozilla does. They are in the
/// binary: to read those of the system takes longer than all else at a start.
#[derive(Clone)]
pub struct Https {
    providers: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    strangers: Client<HttpsConnector<HttpConnector<Internet>>, Full<Bytes>>,
    timeout: Duration,
    stranger_timeout: Duration,
    development: bool,
}

impl fmt::Debug for Https {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Https")
    }
}

impl Https {
    /// A client with a pool of connections.
    ///
    /// # Errors
    /// When the library of ciphers lacks what the protocol needs.
    pub fn new() -> std::io::Result<Self> {
        let tls = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(
            rustls::crypto::aws_lc_rs::default_provider(),
        ))
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .with_webpki_roots()
        .with_no_client_auth();
        let connector =
            || HttpsConnectorBuilder::new().with_tls_config(tls.clone()).https_or_http();
        let client = || Client::builder(TokioExecutor::new());
        let anybody = connected(HttpConnector::new());
        let internet = connected(HttpConnector::new_with_resolver(Internet(GaiResolver::new())));
        Ok(Self {
            providers: client().build(connector().enable_http1().wrap_connector(anybody)),
            strangers: client().build(connector().enable_http1().wrap_connector(internet)),
            timeout: TIMEOUT,
            stranger_timeout: STRANGER_TIMEOUT,
            development: false,
        })
    }

    /// The same client with another patience than [`TIMEOUT`] and
    /// [`STRANGER_TIMEOUT`]: for tests of those who take too long.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, stranger_timeout: timeout, ..self }
    }

    /// The same client for a developer's machine: a [`Stranger`] may be on it.
    /// On AWS the same address is the function's own runtime, which nobody
    /// else may call.
    #[must_use]
    pub fn in_development(self) -> Self {
        Self { development: true, ..self }
    }
}

impl Outgoing for Https {
    fn call(&self, request: Request<Bytes>) -> Answering {
        let client = self.clone();
        let stranger = request.extensions().get::<Stranger>().is_some();
        Box::pin(async move {
            let (patience, request) = (client.patience(stranger), request.map(Full::new));
            let answer = async {
                if stranger { client.tell(request).await } else { client.ask(request).await }
            };
            tokio::time::timeout(patience, answer).await.unwrap_or(Err(OutgoingError::Timeout))
        })
    }
}

/// The largest answer of AWS that is read: DynamoDB's batches have up to 16
/// megabytes of items, and JSON makes them longer.
const AWS_ANSWER_MAX: usize = 64 * 1024 * 1024;

/// Calls of AWS have a patience of their own.
impl Transport for Https {
    fn send(&self, request: Request<Bytes>) -> Sending {
        let sending = self.providers.request(request.map(Full::new));
        Box::pin(async move {
            let (head, body) = sending.await?.into_parts();
            let body = Limited::new(body, AWS_ANSWER_MAX).collect().await?.to_bytes();
            Ok(Response::from_parts(head, body))
        })
    }
}

impl Https {
    fn patience(&self, stranger: bool) -> Duration {
        if stranger { self.stranger_timeout } else { self.timeout }
    }

    /// Calls a provider and reads the whole answer.
    async fn ask(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, OutgoingError> {
        let (head, body) = self.providers.request(request).await.map_err(broken)?.into_parts();
        let body = Limited::new(body, ANSWER_MAX).collect().await;
        let body = body.map_err(OutgoingError::Broken)?.to_bytes();
        Ok(Response::from_parts(head, body))
    }

    /// Calls a [`Stranger`] and reads the head of the answer. A host that is an
    /// address is not resolved, so it is looked at here.
    async fn tell(&self, request: Request<Full<Bytes>>) -> Result<Response<Bytes>, OutgoingError> {
        let answer = match Place::parse(&request.uri().to_string()) {
            Ok(Place::Internet) => self.strangers.request(request).await.map_err(broken)?,
            Ok(Place::Loopback) if self.development => {
                self.providers.request(request).await.map_err(broken)?
            }
            _ => return Err(OutgoingError::Forbidden),
        };
        Ok(answer.map(|_| Bytes::new()))
    }
}

/// A connector that leaves TLS to the one around it, and sends at once what it
/// has to send.
fn connected<R>(mut connector: HttpConnector<R>) -> HttpConnector<R> {
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector
}

fn broken(error: hyper_util::client::legacy::Error) -> OutgoingError {
    OutgoingError::Broken(Box::new(error))
}

/// Finds the addresses that a name stands for, and only those of the Internet.
/// The connection is made to what is found here, so that no second look-up can
/// bring another address.
#[derive(Debug, Clone)]
struct Internet(GaiResolver);

impl Service<Name> for Internet {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let found = self.0.call(name);
        Box::pin(async move {
            let public: Vec<_> = found.await?.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err("the name stands for no address on the Internet".into());
            }
            Ok(public.into_iter())
        })
    }
}

/// No calls at all: what a function gets that calls nobody.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Outgoing for Nobody {
    fn call(&self, _: Request<Bytes>) -> Answering {
        Box::pin(async { Err(OutgoingError::Broken("this function calls no provider".into())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str) -> Request<Bytes> {
        Request::post(url).extension(Stranger).body(Bytes::new()).unwrap()
    }

    #[tokio::test]
    async fn strangers_are_on_the_internet() {
        let https = Https::new().unwrap().within(Duration::from_millis(500));
        for url in [
            "http://127.0.0.1:9/runtime",
            "https://127.0.0.1:9/",
            "https://169.254.169.254/latest/meta-data/",
            "http://example.com/",
        ] {
            let outcome = https.call(told(url)).await;
            assert!(matches!(outcome, Err(OutgoingError::Forbidden)), "{url}: {outcome:?}");
        }
        // On a developer's machine nobody listens there, but it is called.
        let outcome = https.in_development().call(told("http://127.0.0.1:9/")).await;
        assert!(matches!(outcome, Err(OutgoingError::Broken(_))), "{outcome:?}");
    }

    #[tokio::test]
    async fn a_name_that_stands_for_a_private_address_is_not_found() {
        let mut names = Internet(GaiResolver::new());
        let error = names.call("localhost".parse().unwrap()).await.unwrap_err();
        assert!(error.to_string().contains("no address on the Internet"), "{error}");
    }
}
