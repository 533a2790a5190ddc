//! Calls of AWS: DynamoDB, SQS and Secrets Manager speak one protocol. A call
//! is a POST with a JSON body and a signature; a header names the operation.
//!
//! This is all that a function needs of AWS's SDK: what is called is the
//! business of [`crate::store`] and [`crate::run`], what carries the calls is a
//! [`Transport`], and in between are the signature, the retries and the errors.

mod retry;
mod sign;

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, HOST, InvalidHeaderValue},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::sign::{Moment, Signer};

/// Why a call has no answer. It may have had its effect.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// A future of an answer.
pub type Sending = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Broken>> + Send>>;

/// Carries calls to AWS.
pub trait Transport: Send + Sync + fmt::Debug {
    /// Sends a request and reads the whole answer.
    fn send(&self, request: Request<Bytes>) -> Sending;
}

/// Who calls.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The key's name.
    pub access_key: String,
    /// The key.
    pub secret: SecretString,
    /// What goes with a key that ends, such as that of a function.
    pub session: Option<SecretString>,
}

/// How long calls may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// One call, with its retries.
    pub call: Duration,
    /// One try of it.
    pub attempt: Duration,
}

/// How AWS is reached: one transport for all of its services.
#[derive(Debug, Clone)]
pub struct Aws {
    /// The region.
    pub region: String,
    /// Another place than AWS, such as an emulator.
    pub endpoint: Option<String>,
    /// Who calls.
    pub credentials: Credentials,
    /// What carries the calls.
    pub transport: Arc<dyn Transport>,
    /// How often a call is tried.
    pub attempts: u32,
    /// How long a call may take; for ever if it is not said.
    pub patience: Option<Patience>,
}

/// A service of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The tables.
    DynamoDb,
    /// The queues.
    Sqs,
    /// The secrets.
    SecretsManager,
}

impl Service {
    /// Its name in addresses and signatures.
    const fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
        }
    }

    /// What stands before the name of an operation.
    const fn target(self) -> &'static str {
        match self {
            Self::DynamoDb => "DynamoDB_20120810",
            Self::Sqs => "AmazonSQS",
            Self::SecretsManager => "secretsmanager",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::DynamoDb | Self::Sqs => "application/x-amz-json-1.0",
            Self::SecretsManager => "application/x-amz-json-1.1",
        }
    }

    /// Where it is in a region. China has a name of its own.
    fn address(self, region: &str) -> String {
        let ending = if region.starts_with("cn-") { ".cn" } else { "" };
        format!("https://{}.{region}.amazonaws.com{ending}/", self.name())
    }
}

impl Aws {
    /// An emulator of AWS, which takes any credentials.
    #[must_use]
    pub fn emulator(region: &str, endpoint: &str, transport: Arc<dyn Transport>) -> Self {
        Self {
            region: region.to_owned(),
            endpoint: Some(endpoint.to_owned()),
            credentials: Credentials {
                access_key: "test".to_owned(),
                secret: "test".into(),
                session: None,
            },
            transport,
            attempts: 1,
            patience: None,
        }
    }

    /// A client of one of the services.
    #[must_use]
    pub fn client(&self, service: Service) -> Client {
        let address = match &self.endpoint {
            Some(endpoint) => format!("{}/", endpoint.trim_end_matches('/')),
            None => service.address(&self.region),
        };
        let signer = Signer::new(service.name(), &self.region, &self.credentials);
        Client(Arc::new(Inner { aws: self.clone(), service, address, signer }))
    }

    /// A client of DynamoDB.
    #[must_use]
    pub fn dynamodb(&self) -> Client {
        self.client(Service::DynamoDb)
    }

    /// A client of SQS.
    #[must_use]
    pub fn sqs(&self) -> Client {
        self.client(Service::Sqs)
    }

    /// A client of Secrets Manager.
    #[must_use]
    pub fn secrets(&self) -> Client {
        self.client(Service::SecretsManager)
    }
}

/// A call of AWS that failed.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The service answered that it did not do it, and why.
    #[error("{code}: {message}")]
    Refused {
        /// The name of the reason.
        code: String,
        /// The reason for a reader.
        message: String,
        /// The whole answer.
        body: Bytes,
    },
    /// There was no answer; nothing is known of the effect.
    #[error("there was no answer")]
    Unanswered(#[source] Broken),
    /// There was no answer in time; nothing is known of the effect.
    #[error("there was no answer in time")]
    Late,
    /// The request cannot be made.
    #[error("the request cannot be made")]
    Request(#[source] Broken),
    /// The answer is none of this operation.
    #[error("the answer cannot be read")]
    Answer(#[source] serde_json::Error),
}

impl CallError {
    /// The name of the service's reason, if it gave one.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            _ => None,
        }
    }
}

/// A client of one service.
#[derive(Debug, Clone)]
pub struct Client(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    aws: Aws,
    service: Service,
    address: String,
    signer: Signer,
}

impl Client {
    /// Calls an operation. What may pass is tried again, a bounded number of
    /// times and within a bounded time.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<A: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: &impl Serialize,
    ) -> Result<A, CallError> {
        let body = serde_json::to_vec(request).map_err(|error| CallError::Request(error.into()))?;
        let answer = self.answered(operation, body.into()).await?;
        serde_json::from_slice(&answer).map_err(CallError::Answer)
    }

    async fn answered(&self, operation: &'static str, body: Bytes) -> Result<Bytes, CallError> {
        let tries = self.tries(operation, body);
        match self.0.aws.patience {
            None => tries.await,
            Some(Patience { call, .. }) => {
                tokio::time::timeout(call, tries).await.unwrap_or(Err(CallError::Late))
            }
        }
    }

    async fn tries(&self, operation: &'static str, body: Bytes) -> Result<Bytes, CallError> {
        let mut attempt = 1;
        loop {
            let error = match self.attempt(operation, body.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(longest) = retry::wait(&error, attempt, self.0.aws.attempts) else {
                return Err(error);
            };
            let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..=longest))).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, operation: &'static str, body: Bytes) -> Result<Bytes, CallError> {
        let request = self.request(operation, body).map_err(CallError::Request)?;
        let sending = self.0.aws.transport.send(request);
        let answer = match self.0.aws.patience {
            None => sending.await,
            Some(Patience { attempt, .. }) => match tokio::time::timeout(attempt, sending).await {
                Ok(answer) => answer,
                Err(_) => return Err(CallError::Late),
            },
        };
        let answer = answer.map_err(CallError::Unanswered)?;
        if answer.status().is_success() { Ok(answer.into_body()) } else { Err(refused(answer)) }
    }

    fn request(&self, operation: &str, body: Bytes) -> Result<Request<Bytes>, Broken> {
        let Inner { aws, service, address, signer } = self.0.as_ref();
        let uri = Uri::try_from(address.as_str())?;
        let host = uri.authority().ok_or("the endpoint has no host")?.as_str().to_owned();
        let target = format!("{}.{operation}", service.target());
        let moment = Moment::now();
        let signed = sign::Signed {
            content_type: service.content_type(),
            host: &host,
            moment: &moment,
            target: &target,
            body: &body,
        };
        let authorization = signer.authorization(&signed);
        let mut request = Request::post(uri)
            .header(CONTENT_TYPE, service.content_type())
            .header(HOST, host)
            .header(sign::DATE, moment.text())
            .header(sign::TARGET, target)
            .header(AUTHORIZATION, authorization)
            .body(body)?;
        if let Some(session) = session(&aws.credentials)? {
            request.headers_mut().insert(sign::SESSION, session);
        }
        Ok(request)
    }

    /// Opens a connection, so that the first call finds it open. What comes of
    /// it does not matter: a call that meets none opens its own.
    pub async fn open(&self) {
        let Ok(request) = Request::get(&self.0.address).body(Bytes::new()) else { return };
        let opened = self.0.aws.transport.send(request).await;
        if let Err(error) = opened {
            tracing::debug!(service = self.0.service.name(), error, "no connection");
        }
    }
}

fn session(credentials: &Credentials) -> Result<Option<HeaderValue>, InvalidHeaderValue> {
    use secrecy::ExposeSecret as _;
    let Some(session) = &credentials.session else { return Ok(None) };
    let mut value = HeaderValue::from_str(session.expose_secret())?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// What a service says of a call that it did not do.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Reason {
    __type: String,
    #[serde(alias = "Message")]
    message: String,
}

fn refused(answer: Response<Bytes>) -> CallError {
    let status = answer.status();
    let body = answer.into_body();
    let Reason { __type: kind, message } = serde_json::from_slice(&body).unwrap_or_default();
    // `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`
    let code = kind.rsplit('#').next().unwrap_or_default();
    let code = if code.is_empty() { status.as_str() } else { code };
    CallError::Refused { code: code.to_owned(), message, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    #[test]
    fn a_refusal_tells_its_code_without_its_namespace() {
        let body =
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"no"}"#;
        let error = refused(answer(400, body));
        assert_eq!(error.code(), Some("ValidationException"));
        assert_eq!(error.to_string(), "ValidationException: no");
        let sqs = r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","Message":"gone"}"#;
        assert_eq!(refused(answer(400, sqs)).to_string(), "QueueDoesNotExist: gone");
    }

    #[test]
    fn an_answer_of_something_in_between_has_its_status_as_code() {
        assert_eq!(refused(answer(503, "<html>busy</html>")).code(), Some("503"));
        assert_eq!(refused(answer(500, "")).code(), Some("500"));
    }

    #[test]
    fn services_are_in_their_region() {
        let at = |service: Service, region| service.address(region);
        assert_eq!(at(Service::DynamoDb, "eu-west-1"), "https://dynamodb.eu-west-1.amazonaws.com/");
        assert_eq!(at(Service::Sqs, "cn-north-1"), "https://sqs.cn-north-1.amazonaws.com.cn/");
    }
}
