//! A merchant's own carrier, in a format of ours.
//!
//! Signed as Standard Webhooks (<https://www.standardwebhooks.com>): headers
//! `webhook-id`, `webhook-timestamp` and `webhook-signature`. The body:
//!
//! ```json
//! {
//!   "tracking_number": "GX123456789GB",
//!   "events": [
//!     {
//!       "at": "2026-11-21T12:00:00Z",
//!       "status": "exception",
//!       "reason": "weather",
//!       "place": "Reading, GB",
//!       "code": "WX7"
//!     }
//!   ],
//!   "estimated_delivery": "2026-11-23T18:00:00Z",
//!   "told_at": "2026-11-21T12:05:00Z"
//! }
//! ```
//!
//! `reason`, `place`, `code`, `estimated_delivery` and `told_at` may be left
//! out. Times are RFC 3339 and have a zone: one without is refused, because
//! nobody could say which it is in; so is a scan of more than [`AHEAD_MAX`]
//! ahead of our clock. Unknown fields are refused, too: they are mistyped.

use aftercart::{
    model::{
        shipment::{Carrier, MAX_TOLD, Parcel, Tracking},
        signature::{SignatureError, standard_webhooks},
        text::Text,
        time::{Period, Timestamp},
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;

use super::{
    Adapter, AskError, Gathered, Malformed, Moment, Reading, Scan, Signed, answered_json, api_key,
    call, good, json, secrets,
};
use crate::wire::{Acknowledged, CarrierPush};

/// How far ahead of our clock a scan may lie: a time zone taken for another is
/// off by less.
pub const AHEAD_MAX: Period = Period::of_days(1);

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct Generic;

impl Adapter for Generic {
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError> {
        let secrets = secrets(call.credentials);
        standard_webhooks::verify(&secrets, call.header, call.body, call.now).map(drop)
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let push: CarrierPush = json(body)?;
        check(&push, now)?;
        if push.events.is_empty() && push.estimated_delivery.is_none() {
            return Err(Malformed::at("events", "Send at least one scan, or an estimate."));
        }
        Ok(told(push, now))
    }

    fn acknowledge(&self, _call: &Signed<'_>) -> Result<Response, Failure> {
        Response::json(200, &Acknowledged {})
    }

    /// It tells of every parcel by itself.
    fn subscribe(
        &self,
        _credentials: &Credentials,
        _parcel: &Parcel,
        _callback: &str,
    ) -> Result<Option<http::Request<Bytes>>, AskError> {
        Ok(None)
    }

    fn subscribed(
        &self,
        _answer: &http::Response<Bytes>,
        _now: Timestamp,
    ) -> Result<Reading, AskError> {
        Err(AskError::Unsupported("it tells of every parcel by itself"))
    }

    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _now: Timestamp,
    ) -> Result<http::Request<Bytes>, AskError> {
        let unasked = AskError::Unsupported("its secret has no `api_url`");
        let base = credentials.account.get("api_url").ok_or(unasked)?.trim_end_matches('/');
        let number = parcel.tracking.number.as_str();
        let request = http::Request::get(format!("{base}/parcels/{number}"))
            .header("authorization", format!("Bearer {}", api_key(credentials)?))
            .header("accept", "application/json");
        call(request, Bytes::new())
    }

    fn answered(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let push: CarrierPush = answered_json(good(answer)?)?;
        check(&push, now).map_err(|malformed| AskError::Failed(malformed.to_string()))?;
        Ok(told(push, now))
    }
}

fn check(told: &CarrierPush, now: Timestamp) -> Result<(), Malformed> {
    if told.events.len() > MAX_TOLD {
        let detail = format!("Send at most {MAX_TOLD} scans at a time.");
        return Err(Malformed::at("events", detail));
    }
    let latest = now.plus(AHEAD_MAX);
    let ahead = |field: String| {
        Malformed::at(field, "The time lies in the future. Send the time and its zone.")
    };
    if told.told_at.is_some_and(|told_at| told_at > latest) {
        return Err(ahead("told_at".to_owned()));
    }
    match told.events.iter().position(|scan| scan.at > latest) {
        Some(position) => Err(ahead(format!("events[{position}].at"))),
        None => Ok(()),
    }
}

fn told(push: CarrierPush, now: Timestamp) -> Reading {
    let latest = push.events.iter().map(|scan| scan.at).max();
    let mut gathered = Gathered::new(Carrier::Generic, push.told_at.or(latest), now);
    for scan in push.events {
        gathered.add(Scan {
            moment: Some(Moment { at: scan.at, zone_assumed: false }),
            code: (scan.status.as_str(), scan.reason.as_ref().map(Text::as_str)),
            name: Some(scan.code.unwrap_or_else(|| scan.status.clone())),
            place: scan.place,
        });
    }
    let tracking = Tracking { carrier: Carrier::Generic, number: push.tracking_number };
    gathered.reading(&tracking, push.estimated_delivery)
}

#[cfg(test)]
mod tests;
