//! `EasyPost`: trackers.

use aftercart::model::{
    shipment::Carrier,
    signature::{hmac_sha256, to_hex},
};
use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{Memory, StandIn, query};
use crate::{
    providers::{header, json_answer},
    signing::{Callback, Push},
};

/// What its events are signed with.
pub const SECRET: &str = "easypost-webhook-secret";

/// The API key, and how a call carries it.
const API_KEY: &str = "EZTK-a-key-of-easypost";
const BASIC: &str = "Basic RVpUSy1hLWtleS1vZi1lYXN5cG9zdDo=";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct EasyPost;

impl StandIn for EasyPost {
    fn credentials(&self, api_url: &str) -> Value {
        json!({
            "webhook_secrets": [SECRET],
            "api_keys": [API_KEY],
            "account": { "api_url": format!("{api_url}/v2") },
        })
    }

    fn answer(&self, memory: &mut Memory, path: &str, request: &Request<Bytes>) -> Response<Bytes> {
        if header(request, "authorization") != BASIC {
            return error(401, "APIKEY.INACTIVE");
        }
        let carrier = Carrier::Easypost;
        match (request.method().as_str(), path) {
            ("POST", "/v2/trackers") => {
                let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                let Some(number) = body["tracker"]["tracking_code"].as_str() else {
                    return error(422, "TRACKER.CREATE.ERROR");
                };
                memory.follow(carrier, number);
                let known = memory.tell(carrier, number, tracker);
                json_answer(201, &known.unwrap_or_else(|| unknown(number)))
            }
            ("GET", "/v2/trackers") => {
                let number = query(request, "tracking_code");
                let known = memory.ask(carrier, &number, tracker);
                let followed = memory.follows(carrier, &number).then(|| unknown(&number));
                let trackers: Vec<Value> = known.or(followed).into_iter().collect();
                json_answer(200, &json!({ "trackers": trackers, "has_more": false }))
            }
            _ => error(404, "NOT_FOUND"),
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
        "id": push.event,
        "object": "Event",
        "description": "tracker.updated",
        "mode": "test",
        "created_at": push.at,
        "result": tracker(push),
    });
    sign(secret, body.to_string())
}

/// A body, signed with a secret.
#[must_use]
pub fn sign(secret: &str, body: String) -> Callback {
    let mac = to_hex(&hmac_sha256(secret.as_bytes(), &[body.as_bytes()]));
    let headers = vec![("x-hmac-signature", format!("hmac-sha256-hex={mac}"))];
    Callback { path: "/carriers/easypost/events", headers, body }
}

fn error(status: u16, code: &str) -> Response<Bytes> {
    json_answer(status, &json!({ "error": { "code": code, "message": "", "errors": [] } }))
}

/// A tracker of which nothing was heard.
fn unknown(number: &str) -> Value {
    json!({
        "id": format!("trk_{number}"),
        "object": "Tracker",
        "mode": "test",
        "tracking_code": number,
        "status": "unknown",
        "est_delivery_date": null,
        "tracking_details": [],
    })
}

fn tracker(push: &Push<'_>) -> Value {
    let details: Vec<Value> = push
        .scans
        .iter()
        .map(|scan| {
            json!({
                "object": "TrackingDetail",
                "message": scan.status,
                "status": scan.status,
                "status_detail": "status_update",
                "datetime": scan.at,
                "source": "RoyalMail",
                "tracking_location": { "object": "TrackingLocation", "city": scan.place },
            })
        })
        .collect();
    let mut tracker = unknown(push.number);
    tracker["status"] = push.scans.last().map_or("unknown", |scan| scan.status).into();
    tracker["updated_at"] = json!(push.at);
    tracker["est_delivery_date"] = json!(push.eta);
    tracker["carrier"] = "RoyalMail".into();
    tracker["tracking_details"] = details.into();
    tracker
}
