//! Stripe's API as far as the suite calls it, with its rules on keys: the same
//! key gives the same answer, and is refused for another request.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use aftercart::model::digest;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

/// The intents that were made.
#[derive(Debug, Default)]
pub(super) struct Stripe(Mutex<BTreeMap<String, Bytes>>);

impl Stripe {
    /// Another Stripe that made the same intents.
    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }

    pub(super) fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let header = |name: &str| {
            request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let (status, body) = match (request.method().as_str(), request.uri().path()) {
            _ if !header("authorization").starts_with("Bearer sk_") => {
                (401, error("invalid_request_error", "There is no API key."))
            }
            ("POST", "/v1/payment_intents") => {
                self.intent(header("idempotency-key"), request.body())
            }
            (_, path) => (404, error("invalid_request_error", path)),
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status_of(status);
        response
    }

    /// How many intents were made.
    pub(super) fn intents(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn intent(&self, key: &str, body: &Bytes) -> (u16, Value) {
        if key.is_empty() {
            return (400, error("invalid_request_error", "There is no Idempotency-Key."));
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(key).is_some_and(|earlier| earlier != body) {
            return (400, error("idempotency_error", "The key was used for another request."));
        }
        known.insert(key.to_owned(), body.clone());
        let id = format!("pi_{}", digest::short(&[key.as_bytes()]));
        let field = |name: &str| {
            let pairs = std::str::from_utf8(body).unwrap_or_default().split('&');
            let found = pairs.filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == name);
            found.map(|pair| pair.1).unwrap_or_default().to_owned()
        };
        let intent = json!({
            "id": id,
            "object": "payment_intent",
            "amount": field("amount").parse::<i64>().unwrap_or_default(),
            "currency": field("currency"),
            "client_secret": format!("{id}_secret_test"),
            "status": "requires_payment_method",
            "livemode": false,
        });
        (200, intent)
    }
}

fn status_of(status: u16) -> http::StatusCode {
    http::StatusCode::from_u16(status).unwrap_or_default()
}

fn error(kind: &str, message: &str) -> Value {
    json!({ "error": { "type": kind, "message": message } })
}
