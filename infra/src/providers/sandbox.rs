//! The sandbox, which is never called.

use aftercart::model::time::Timestamp;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, json_answer};
use crate::signing::{Callback, Payment, standard};

/// What its callbacks are signed with.
pub const SECRET: &str = "whsec_c2FuZGJveC1zZWNyZXQtb2YtMzItYnl0ZXMh";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl StandIn for Sandbox {
    fn credentials(&self, _: &str) -> Value {
        json!({ "webhook_secrets": [SECRET] })
    }

    fn answer(&self, _: &mut Memory, _: &str, _: &Request<Bytes>) -> Response<Bytes> {
        json_answer(404, &json!({}))
    }

    fn callback(&self, report: &Payment<'_>) -> Callback {
        signed(SECRET, report, report.at)
    }
}

/// The report, signed with a secret at a moment.
#[must_use]
pub fn signed(secret: &str, report: &Payment<'_>, at: Timestamp) -> Callback {
    let mut body = json!({
        "id": report.event,
        "type": format!("payment.{}", report.kind),
        "payment": report.payment,
        "amount": { "amount": report.amount, "currency": report.currency },
        "occurred_at": report.at,
    });
    if let Some(part) = report.part {
        body["part"] = part.into();
    }
    standard("/callbacks/sandbox", secret, report.event, at, body.to_string())
}
