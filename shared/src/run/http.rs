//! Requests and answers of the HTTP API (payload format 2.0).

mod problem;
mod request;

pub use problem::Problem;
pub use request::{Buyer, IdempotencyKey, PageLimits, Request};

use std::{future::Future, sync::Arc, time::Instant};

use serde::Serialize;
use serde_json::{Value, json};

use super::{App, Failure, Fault, Invocation, panic::caught};

/// The largest body of a request, unless its function takes more: a cart of
/// [`crate::model::order::MAX_LINES`] lines takes a tenth of it.
pub const BODY_MAX: usize = 64 * 1024;

/// The scope of a token that operator routes want.
pub const OPERATOR_SCOPE: &str = "aftercart/operate";

/// The header of a guest's pass to an order.
pub const ORDER_TOKEN: &str = "order-token";

/// The header of a guest's key to a cart.
pub const CART_TOKEN: &str = "cart-token";

/// The header of the caller's key of a call.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The header that says that an answer was given before.
pub const REPLAYED: &str = "idempotent-replayed";

/// How long a caller waits before it tries a failed call again, in seconds,
/// unless its problem says another time.
const RETRY_AFTER_S: u32 = 1;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Headers besides the content type; names in small letters.
    pub headers: Vec<(&'static str, String)>,
    /// What the body is.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Response {
    /// An answer with a JSON body.
    ///
    /// # Errors
    /// A bug when the value cannot be written as JSON.
    pub fn json(status: u16, value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_string(value).map_err(Failure::bug)?;
        Ok(Self { status, headers: Vec::new(), content_type: "application/json", body })
    }

    /// A page. It may load nothing, run nothing, be framed nowhere, and is
    /// kept by no cache, because its address is a signed link.
    #[must_use]
    pub fn html(status: u16, body: String) -> Self {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";
        Self { status, headers: Vec::new(), content_type: "text/html; charset=utf-8", body }
            .with("content-security-policy", policy)
            .with("referrer-policy", "no-referrer")
            .with("x-robots-tag", "noindex")
    }

    /// Adds a header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says that this answer was given before.
    #[must_use]
    pub fn replayed(self) -> Self {
        self.with(REPLAYED, "true")
    }

    fn into_event(self) -> Value {
        let mut headers = serde_json::Map::new();
        headers.insert("content-type".to_owned(), self.content_type.into());
        headers.insert("cache-control".to_owned(), "no-store".into());
        headers.insert("x-content-type-options".to_owned(), "nosniff".into());
        for (name, value) in self.headers {
            headers.insert(name.to_owned(), value.into());
        }
        json!({
            "statusCode": self.status,
            "headers": headers,
            // `cargo lambda watch` reads no answer without the list.
            "cookies": [],
            "body": self.body,
            "isBase64Encoded": false,
        })
    }
}

/// What a handler of requests returns.
pub type Answer = Result<Response, Failure>;

/// Serves one request whose body has at most [`BODY_MAX`] bytes. It always
/// answers: what the caller did wrong as the problem that it is, what may work
/// later as a 503, what should not be possible as a 500 that tells nothing.
///
/// # Errors
/// None; the type is that of every entry.
pub async fn serve<F, Fut>(app: Arc<App>, call: Invocation, handler: F) -> Result<Value, Fault>
where
    F: FnOnce(Arc<App>, Request) -> Fut,
    Fut: Future<Output = Answer>,
{
    serve_up_to(BODY_MAX, app, call, handler).await
}

/// Serves one request whose body has at most `body_max` bytes.
///
/// # Errors
/// None; the type is that of every entry.
pub async fn serve_up_to<F, Fut>(
    body_max: usize,
    app: Arc<App>,
    call: Invocation,
    handler: F,
) -> Result<Value, Fault>
where
    F: FnOnce(Arc<App>, Request) -> Fut,
    Fut: Future<Output = Answer>,
{
    let started = Instant::now();
    let mut route = String::new();
    let outcome = match Request::parse(&call, body_max) {
        Ok(request) => {
            request.route().clone_into(&mut route);
            caught(handler(app, request)).await
        }
        Err(failure) => Err(failure),
    };
    let response = outcome.unwrap_or_else(|failure| respond(&failure, &call.request_id));
    tracing::info!(
        http.route = route,
        http.status = response.status,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        request_id = call.request_id,
        trace = call.trace,
        "answered"
    );
    Ok(response.into_event())
}

fn respond(failure: &Failure, request_id: &str) -> Response {
    match failure {
        Failure::Refuse(problem) => {
            tracing::info!(problem = problem.kind(), "refused");
            let response = problem.respond();
            let usual = (problem.status() == 503).then_some(RETRY_AFTER_S);
            match problem.retry_after_s().or(usual) {
                Some(seconds) => response.with("retry-after", seconds.to_string()),
                None => response,
            }
        }
        Failure::Retry(_) => {
            tracing::warn!(class = failure.class(), error = %failure, request_id, "failed");
            Problem::unavailable().respond().with("retry-after", RETRY_AFTER_S.to_string())
        }
        Failure::Poison(_) | Failure::Bug(_) => {
            tracing::error!(class = failure.class(), error = %failure, request_id, "failed");
            Problem::internal(request_id).respond()
        }
    }
}
