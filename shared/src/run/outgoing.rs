//! Calls to providers: bounded in time and size, never retried here. The
//! caller knows what is safe to repeat.

use std::{fmt, future::Future, pin::Pin, time::Duration};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

/// The longest a provider may take for one answer, connection included.
/// API Gateway gives the whole request 30 s; three tries must fit well inside.
pub const TIMEOUT: Duration = Duration::from_secs(5);

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
}

/// A future of an answer.
pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Bytes>, OutgoingError>> + Send>>;

/// Calls providers.
pub trait Outgoing: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole answer.
    fn call(&self, request: Request<Bytes>) -> Answering;
}

/// Calls over HTTPS (and HTTP, for a provider's stand-in on this machine),
/// trusting the certificate authorities of the system.
#[derive(Clone)]
pub struct Https {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
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
    /// When the system has no certificate authorities.
    pub fn new() -> std::io::Result<Self> {
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::aws_lc_rs::default_provider())?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            timeout: TIMEOUT,
        })
    }

    /// The same client with another patience than [`TIMEOUT`]: for tests of
    /// providers that take too long.
    #[must_use]
    pub fn within(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }
}

impl Outgoing for Https {
    fn call(&self, request: Request<Bytes>) -> Answering {
        let Self { client, timeout } = self.clone();
        Box::pin(async move {
            let answer = async {
                let broken = |error: hyper_util::client::legacy::Error| {
                    OutgoingError::Broken(Box::new(error))
                };
                let (head, body) =
                    client.request(request.map(Full::new)).await.map_err(broken)?.into_parts();
                let body = Limited::new(body, ANSWER_MAX).collect().await;
                let body = body.map_err(OutgoingError::Broken)?.to_bytes();
                Ok(Response::from_parts(head, body))
            };
            tokio::time::timeout(timeout, answer).await.unwrap_or(Err(OutgoingError::Timeout))
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
