//! A system of the merchant that webhooks are sent to: it does what it is told
//! to do, notes what came, and checks signatures by the words of the
//! specification of Standard Webhooks, with none of the suite's code for that.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aftercart::{
    model::time::Timestamp,
    run::outgoing::{Outgoing, OutgoingError},
};
use aws_lc_rs::hmac;
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response, StatusCode};
use serde_json::Value;

/// What an endpoint of the name `erp` signs with in tests.
pub const SECRET: &str = "whsec_ZXJwJ3Mgc2VjcmV0IGtleSBvZiAzMiBieXRlcyEh";

/// What the system does with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// Takes it, and answers with this status and perhaps a `Retry-After`.
    Answer(u16, Option<&'static str>),
    /// Takes it, and its answer is lost.
    Lose,
    /// Is not there.
    Absent,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The path.
    pub path: String,
    /// `webhook-id`.
    pub id: String,
    /// `webhook-timestamp`.
    pub timestamp: String,
    /// `webhook-signature`.
    pub signature: String,
    /// The body, byte for byte.
    pub body: String,
    /// When it came.
    pub at: Timestamp,
}

impl Received {
    /// Whether one of its signatures is that of a secret: HMAC-SHA256 over
    /// `id.timestamp.body` with the bytes behind `whsec_`.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let encoded = secret.trim_start_matches("whsec_");
        let Ok(key) = BASE64.decode(encoded.as_bytes()) else { return false };
        let text = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let right = format!("v1,{}", BASE64.encode(hmac::sign(&key, text.as_bytes()).as_ref()));
        self.signature.split(' ').any(|offered| offered == right)
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Its `type`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }
}

/// The system.
#[derive(Default)]
pub struct Merchant(Mutex<State>);

#[derive(Default, Clone)]
struct State {
    received: Vec<Received>,
    does: VecDeque<Does>,
    always: Option<Does>,
    line: Option<Arc<dyn Outgoing>>,
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Merchant")
    }
}

impl Merchant {
    /// Another one that had the same calls.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Mutex::new(self.state().clone()))
    }

    /// What came, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.state().received.clone()
    }

    /// Does these things with the next calls, one each, and then takes them.
    pub fn does(&self, next: impl IntoIterator<Item = Does>) {
        self.state().does.extend(next);
    }

    /// Does this with every call for which there is nothing else to do.
    pub fn always(&self, does: Option<Does>) {
        self.state().always = does;
    }

    /// Has the calls made over this line, to a system that listens there.
    pub fn over(&self, line: Arc<dyn Outgoing>) {
        self.state().line = Some(line);
    }

    /// The line, if calls are really made.
    pub(crate) fn line(&self) -> Option<Arc<dyn Outgoing>> {
        self.state().line.clone()
    }

    /// Takes a call.
    ///
    /// # Errors
    /// When its caller is to get no answer.
    pub(crate) fn answer(
        &self,
        request: &Request<Bytes>,
        at: Timestamp,
    ) -> Result<Response<Bytes>, OutgoingError> {
        let mut state = self.state();
        let next = state.does.pop_front().or_else(|| state.always.clone());
        let next = next.unwrap_or(Does::Answer(204, None));
        if next == Does::Absent {
            return Err(OutgoingError::Broken("nobody listens".into()));
        }
        state.received.push(received(request, at));
        let Does::Answer(status, again) = next else { return Err(OutgoingError::Timeout) };
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        if let Some(again) = again {
            let value = http::HeaderValue::from_static(again);
            answer.headers_mut().insert(http::header::RETRY_AFTER, value);
        }
        Ok(answer)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call as it came.
#[must_use]
pub fn received(request: &Request<Bytes>, at: Timestamp) -> Received {
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    Received {
        path: request.uri().path().to_owned(),
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp"),
        signature: header("webhook-signature"),
        body: String::from_utf8_lossy(request.body()).into_owned(),
        at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The published example of the Standard Webhooks reference tests.
    #[test]
    fn the_published_example_is_signed() {
        let mut published = Received {
            path: "/".to_owned(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: "1614265330".to_owned(),
            signature: "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".to_owned(),
            body: r#"{"test": 2432232314}"#.to_owned(),
            at: Timestamp::EPOCH,
        };
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert!(published.is_signed_with(secret));
        assert!(!published.is_signed_with(SECRET));
        published.body.push(' ');
        assert!(!published.is_signed_with(secret));
    }
}
