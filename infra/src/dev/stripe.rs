//! A stand-in for Stripe's API: enough for payment-start to begin an attempt.
//! What Stripe would report afterwards is up to whoever plays the provider.

use aftercart::model::digest;
use serde_json::{Value, json};

/// Where on our page it is.
pub(super) const PATH: &str = "/stripe";

/// The answer of Stripe, if the stand-in knows the path.
pub(super) fn answer(path: &str, idempotency_key: &str, body: &str) -> Option<Value> {
    let field = |name: &str| field(body, name);
    let identity: String =
        digest::full(&[idempotency_key.as_bytes(), body.as_bytes()]).chars().take(24).collect();
    let amount: i64 = field("amount").parse().ok()?;
    (path == "/v1/payment_intents").then(|| {
        json!({
            "id": format!("pi_{identity}"),
            "object": "payment_intent",
            "amount": amount,
            "currency": field("currency"),
            "client_secret": format!("pi_{identity}_secret_local"),
            "status": "requires_payment_method",
            "livemode": false,
            "metadata": {
                "payment": field("metadata[payment]"),
                "order": field("metadata[order]"),
            },
        })
    })
}

/// Stripe's answer to a path that it does not know.
pub(super) fn unknown(path: &str) -> Value {
    let message = format!("Unrecognized request URL (POST: {path}).");
    json!({ "error": { "type": "invalid_request_error", "message": message } })
}

/// A field of a form; empty when it is missing.
fn field(form: &str, name: &str) -> String {
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let found = pairs.map(|(key, value)| (decoded(key), value)).find(|(key, _)| key == name);
    found.map(|(_, value)| decoded(value)).unwrap_or_default()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, hex.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_comes_back_as_an_intent() {
        let form = "amount=2500&currency=eur&metadata%5Bpayment%5D=pay_a&metadata[order]=ord+b";
        let intent = answer("/v1/payment_intents", "key", form).unwrap();
        assert_eq!(intent["amount"], 2500);
        assert_eq!(intent["metadata"], json!({ "payment": "pay_a", "order": "ord b" }));
        assert_eq!(answer("/v1/payment_intents", "key", form), Some(intent));
        assert_eq!(answer("/v1/refunds", "key", form), None);
    }
}
