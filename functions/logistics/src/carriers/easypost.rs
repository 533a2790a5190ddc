//! EasyPost: its trackers, which follow parcels of many carriers.
//!
//! | of the secret | what it is |
//! |---|---|
//! | `webhook_secrets` | the secrets of the webhook, both while one is rolled |
//! | `api_keys` | the API key; without one, nothing is subscribed to or asked |
//! | `account.api_url` | nothing, or another address of the API |
//!
//! **Signatures.** Two schemes are documented, and either is enough. Both are
//! HMAC-SHA256 in hexadecimal after `hmac-sha256-hex=`, with the webhook's
//! secret in Unicode normalisation form KD as the key:
//! - `X-Hmac-Signature`, over the body;
//! - `X-Hmac-Signature-V2`, over the header `X-Timestamp` (a date as in mails),
//!   `POST`, the header `X-Path` and the body, one after the other; its time
//!   may lie five minutes from ours. The path is not compared with ours: a
//!   gateway may have changed that, and what is signed is true at any address.
//!
//! The first has no time in it, so an old call can be sent again; but what is
//! known is not written twice, and nothing that is old takes anything back.
//!
//! **Body.** An event whose `result` is a tracker
//! (<https://docs.easypost.com/docs/trackers>). The list of `tracking_details`
//! is cumulative. The status of the tracker itself is not a scan: it has no
//! time, and follows from the list. Events about other objects and trackers of
//! numbers that no label here can have are ignored. EasyPost gives times their
//! zone where it knows the place; one without is taken for UTC, and marked. Its
//! estimates are mostly dates, written as midnight in UTC.
//!
//! **Calls.** `POST /trackers` has EasyPost follow a number; it answers with
//! the tracker, which for three months is the same for the same number. So does
//! `GET /trackers?tracking_code=`, in a list, the latest first; without a
//! beginning this list goes back a month only. Both want the API key as the
//! user of basic authentication.

use aftercart::{
    model::{
        shipment::{Carrier, Parcel, Tracking, TrackingNumber},
        signature::{SignatureError, any_matches, fresh, hex},
        time::{Period, Timestamp},
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use bytes::Bytes;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization as _;

use super::{
    Adapter, AskError, Gathered, Malformed, Part, Reading, Scan, Signed, answered_json, api_key,
    api_url, at_path, call, expected, form, good, moment, place, secrets,
};
use crate::wire::Acknowledged;

const SIGNATURE: &str = "x-hmac-signature";
const SIGNATURE_2: &str = "x-hmac-signature-v2";
const TIMESTAMP: &str = "x-timestamp";
const PATH: &str = "x-path";
const SCHEME: &str = "hmac-sha256-hex=";

/// Where the API is.
const API: &str = "https://api.easypost.com/v2";

/// The zone of times that have none.
const ZONE: &str = "Z";

/// How long before its label a parcel may have been known to EasyPost: a label
/// that was bought there has its tracker from the start.
const SLACK: Period = Period::of_days(7);

#[derive(Deserialize)]
struct Tracker {
    tracking_code: String,
    #[serde(default)]
    est_delivery_date: Part<String>,
    #[serde(default)]
    updated_at: Part<String>,
    #[serde(default)]
    tracking_details: Option<Vec<Part<Detail>>>,
}

/// The answer to a question.
#[derive(Deserialize)]
struct Trackers {
    trackers: Vec<Tracker>,
}

#[derive(Deserialize)]
struct Detail {
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    status_detail: Option<String>,
    #[serde(default)]
    datetime: Option<String>,
    #[serde(default)]
    tracking_location: Option<Location>,
}

#[derive(Deserialize)]
struct Location {
    #[serde(default)]
    city: Option<String>,
    #[serde(default)]
    state: Option<String>,
    #[serde(default)]
    country: Option<String>,
}

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct EasyPost;

impl Adapter for EasyPost {
    fn verify(&self, call: &Signed<'_>) -> Result<(), SignatureError> {
        let keys: Vec<Vec<u8>> = secrets(call.credentials).into_iter().map(key).collect();
        if keys.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        match ((call.header)(SIGNATURE), (call.header)(SIGNATURE_2)) {
            (None, None) => Err(SignatureError::MissingHeader(SIGNATURE)),
            (Some(first), None) => over_body(call, &keys, first),
            (None, Some(second)) => over_call(call, &keys, second),
            (Some(first), Some(second)) => {
                over_call(call, &keys, second).or_else(|_| over_body(call, &keys, first))
            }
        }
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let mut event: Map<String, Value> = super::json(body)?;
        let result = event.remove("result").unwrap_or_default();
        if result.get("object").and_then(Value::as_str) != Some("Tracker") {
            return Ok(Reading::ignored("the event is not about a tracker"));
        }
        let tracker = serde_path_to_error::deserialize(result).map_err(|error| {
            let Malformed { field, detail } = at_path(error);
            Malformed::at(format!("result.{field}"), detail)
        })?;
        Ok(told(&tracker, now))
    }

    fn acknowledge(&self, _call: &Signed<'_>) -> Result<Response, Failure> {
        Response::json(200, &Acknowledged {})
    }

    fn subscribe(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _callback: &str,
    ) -> Result<Option<http::Request<Bytes>>, AskError> {
        let mut tracker = Map::new();
        tracker.insert("tracking_code".to_owned(), parcel.tracking.number.as_str().into());
        if let Some(courier) = &parcel.courier {
            tracker.insert("carrier".to_owned(), courier.as_str().into());
        }
        let body = json!({ "tracker": tracker }).to_string();
        let request = http::Request::post(format!("{}/trackers", api_url(credentials, API)))
            .header("authorization", basic(api_key(credentials)?))
            .header("content-type", "application/json");
        call(request, body).map(Some)
    }

    fn subscribed(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        Ok(told(&answered_json(good(answer)?)?, now))
    }

    fn ask(
        &self,
        credentials: &Credentials,
        parcel: &Parcel,
        _now: Timestamp,
    ) -> Result<http::Request<Bytes>, AskError> {
        let since = parcel.labelled_at.minus(SLACK).to_string();
        let mut fields = vec![
            ("tracking_code", parcel.tracking.number.as_str()),
            ("start_datetime", since.as_str()),
            ("page_size", "1"),
        ];
        fields.extend(parcel.courier.as_ref().map(|courier| ("carrier", courier.as_str())));
        let url = format!("{}/trackers?{}", api_url(credentials, API), form(fields));
        let request = http::Request::get(url).header("authorization", basic(api_key(credentials)?));
        call(request, Bytes::new())
    }

    fn answered(
        &self,
        answer: &http::Response<Bytes>,
        now: Timestamp,
    ) -> Result<Reading, AskError> {
        let list: Trackers = answered_json(good(answer)?)?;
        Ok(told(list.trackers.first().ok_or(AskError::NotKnown)?, now))
    }
}

/// The API key as the user of basic authentication, without a password.
fn basic(key: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{key}:").as_bytes()))
}

fn key(secret: &str) -> Vec<u8> {
    secret.nfkd().collect::<String>().into_bytes()
}

fn signature(value: &str, header: &'static str) -> Result<Vec<Vec<u8>>, SignatureError> {
    let value = value.trim();
    let mac = hex(value.strip_prefix(SCHEME).unwrap_or(value));
    mac.map(|mac| vec![mac]).ok_or(SignatureError::MalformedHeader(header))
}

fn over_body(call: &Signed<'_>, keys: &[Vec<u8>], value: &str) -> Result<(), SignatureError> {
    let offered = signature(value, SIGNATURE)?;
    any_matches(keys, &[call.body], &offered).then_some(()).ok_or(SignatureError::Mismatch)
}

fn over_call(call: &Signed<'_>, keys: &[Vec<u8>], value: &str) -> Result<(), SignatureError> {
    let required = |name| (call.header)(name).ok_or(SignatureError::MissingHeader(name));
    let (at, path) = (required(TIMESTAMP)?, required(PATH)?);
    let signed_at = Timestamp::parse_rfc2822(at)
        .map_err(|_| SignatureError::MalformedHeader(TIMESTAMP))?
        .unix_seconds();
    let offered = signature(value, SIGNATURE_2)?;
    if !any_matches(keys, &[at.as_bytes(), b"POST", path.as_bytes(), call.body], &offered) {
        return Err(SignatureError::Mismatch);
    }
    fresh(signed_at, call.now)
}

fn told(tracker: &Tracker, now: Timestamp) -> Reading {
    let Ok(number) = TrackingNumber::parse(&tracker.tracking_code) else {
        return Reading::ignored("no label here can have this number");
    };
    let at = |text: &Option<String>| moment(text.as_deref()?, ZONE);
    let told_at = at(&tracker.updated_at.0).map(|it| it.at);
    let mut gathered = Gathered::new(Carrier::Easypost, told_at, now);
    for Part(detail) in tracker.tracking_details.iter().flatten() {
        let Some(detail) = detail else {
            gathered.odd();
            continue;
        };
        let status = detail.status.as_deref().unwrap_or_default();
        let more = detail.status_detail.as_deref().filter(|more| !more.is_empty());
        let place = detail.tracking_location.as_ref().and_then(|it| {
            place(&[it.city.as_deref(), it.state.as_deref(), it.country.as_deref()])
        });
        gathered.add(Scan {
            moment: at(&detail.datetime),
            code: (status, more),
            name: None,
            place,
        });
    }
    let eta = tracker.est_delivery_date.0.as_deref().and_then(|text| expected(text, ZONE));
    gathered.told_with_its_scans().reading(&Tracking { carrier: Carrier::Easypost, number }, eta)
}

#[cfg(test)]
mod tests;
