//! The merchant's own carrier.

use aftercart::model::shipment::Carrier;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn};
use crate::{
    providers::{header, json_answer},
    signing::{Callback, Push, standard},
};

/// What its events are signed with.
pub const SECRET: &str = "whsec_Y2Fycmllci1zZWNyZXQtb2YtMzItYnl0ZXMh";

/// What its API is called with.
const API_KEY: &str = "a-key-of-the-carrier";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Generic;

impl StandIn for Generic {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [SECRET],
            "api_keys": [API_KEY],
            "account": { "api_url": api_url },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        if header(request, "authorization") != format!("Bearer {API_KEY}") {
            return json_answer(401, &json!({ "error": "the key is not known" }));
        }
        let number = path.strip_prefix("/parcels/").unwrap_or_default();
        match memory.ask(Carrier::Generic, number, told) {
            Some(told) => json_answer(200, &told),
            None => json_answer(404, &json!({ "error": "the parcel is not known" })),
        }
    }

    fn push(&self, push: &Push<'_>) -> Callback {
        signed(SECRET, push)
    }
}

/// What the carrier tells of a parcel, signed with a secret.
#[must_use]
pub fn signed(secret: &str, push: &Push<'_>) -> Callback {
    let body = told(push).to_string();
    standard("/carriers/generic/events", secret, push.event, push.at, body)
}

fn told(push: &Push<'_>) -> Value {
    let scans: Vec<Value> = push
        .scans
        .iter()
        .map(|scan| json!({ "status": scan.status, "at": scan.at, "place": scan.place }))
        .collect();
    let mut body = json!({ "tracking_number": push.number, "events": scans });
    if let Some(eta) = push.eta {
        body["estimated_delivery"] = json!(eta);
        body["told_at"] = json!(push.at);
    }
    body
}
