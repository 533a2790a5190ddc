//! `AfterShip`: trackings.

use aftercart::model::{shipment::Carrier, signature::hmac_sha256};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, query};
use crate::{
    providers::{header, json_answer},
    signing::{Callback, Push},
};

/// What its events are signed with.
pub const SECRET: &str = "aftership-webhook-secret";

/// What its API is called with.
const API_KEY: &str = "asat_a-key-of-aftership";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct AfterShip;

impl StandIn for AfterShip {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [SECRET],
            "api_keys": [API_KEY],
            "account": { "api_url": format!("{api_url}/tracking/2026-07") },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        if header(request, "as-api-key") != API_KEY {
            return enveloped(401, 401, Value::Null);
        }
        let carrier = Carrier::Aftership;
        match (request.method().as_str(), path) {
            ("POST", "/tracking/2026-07/trackings") => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                let Some(number) = body["tracking_number"].as_str() else {
                    return enveloped(400, 4007, Value::Null);
                };
                if !memory.follow(carrier, number) {
                    return enveloped(400, 4003, Value::Null);
                }
                let known = memory.tell(carrier, number, tracking);
                enveloped(201, 201, known.unwrap_or_else(|| pending(number)))
            }
            ("GET", "/tracking/2026-07/trackings") => {
                let number = query(request, "tracking_numbers");
                let known = memory.ask(carrier, &number, tracking);
                let known = known.unwrap_or_else(|| pending(&number));
                let followed = memory.follows(carrier, &number);
                let trackings: Vec<Value> = followed.then_some(known).into_iter().collect();
                enveloped(200, 200, json!({ "pagination": {}, "trackings": trackings }))
            }
            _ => enveloped(404, 404, Value::Null),
        }
    }

    fn push(&self, push: &Push<'_>) -> Callback {
        signed(SECRET, push)
    }
}

/// What the carrier tells of a parcel, signed with a secret.
#[must_use]
pub fn signed(secret: &str, push: &Push<'_>) -> Callback {
    let body = json!({
        "ts": push.at.unix_seconds(),
        "event": "tracking_update",
        "event_id": push.event,
        "is_tracking_first_tag": true,
        "msg": tracking(push),
    });
    sign(secret, body.to_string())
}

/// A body, signed with a secret.
#[must_use]
pub fn sign(secret: &str, body: String) -> Callback {
    let mac = BASE64.encode(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()]));
    let headers = vec![("aftership-hmac-sha256", mac)];
    Callback { path: "/carriers/aftership/events", headers, body }
}

fn enveloped(status: u16, code: u32, data: Value) -> Response<Bytes> {
    json_answer(status, &json!({ "meta": { "code": code }, "data": data }))
}

/// A tracking of which nothing was heard.
fn pending(number: &str) -> Value {
    json!({ "tracking_number": number, "tag": "Pending", "subtag": "Pending_001", "checkpoints": [] })
}

/// The word of a scan is its tag, or its sub-tag, which begins with the tag.
fn tracking(push: &Push<'_>) -> Value {
    let checkpoints: Vec<Value> = push
        .scans
        .iter()
        .map(|scan| {
            let tag = scan.status.split('_').next();
            json!({
                "checkpoint_time": scan.at,
                "tag": tag,
                "subtag": scan.status.contains('_').then_some(scan.status),
                "city": scan.place,
                "message": scan.status,
            })
        })
        .collect();
    let mut tracking = pending(push.number);
    tracking["updated_at"] = json!(push.at);
    tracking["latest_estimated_delivery"] =
        push.eta.map_or(Value::Null, |eta| json!({ "datetime": eta }));
    tracking["checkpoints"] = checkpoints.into();
    tracking
}
