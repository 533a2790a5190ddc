//! EasyPost: the events of its trackers.
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
//! The first has no time in it, so an old call can be sent again; but a push
//! that is there is not written twice, and an old one takes nothing back.
//!
//! **Body.** An event whose `result` is a tracker. The list of
//! `tracking_details` is cumulative. The status of the tracker itself is not a
//! scan: it has no time, and follows from the list. Events about other objects
//! and trackers of numbers that no label here can have are ignored. Times
//! without a zone are UTC, as EasyPost documents.

use aftercart::model::{
    shipment::{
        Carrier, MAX_EVENTS, ParcelStatus, Push, Reason, Tracking, TrackingEvent, TrackingNumber,
    },
    signature::{SignatureError, any_matches, fresh, hex},
    text::Text,
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization as _;

use super::{Adapter, Malformed, Reading, Signed, at_path, distinct, json, within};

const SIGNATURE: &str = "x-hmac-signature";
const SIGNATURE_2: &str = "x-hmac-signature-v2";
const TIMESTAMP: &str = "x-timestamp";
const PATH: &str = "x-path";
const SCHEME: &str = "hmac-sha256-hex=";

/// What a tracker's statuses mean (docs.easypost.com/docs/trackers).
const STATUSES: &[(&str, ParcelStatus)] = &[
    ("unknown", ParcelStatus::Unknown),
    ("pre_transit", ParcelStatus::InfoReceived),
    ("in_transit", ParcelStatus::InTransit),
    ("out_for_delivery", ParcelStatus::OutForDelivery),
    ("available_for_pickup", ParcelStatus::ReadyForPickup),
    ("delivered", ParcelStatus::Delivered),
    ("return_to_sender", ParcelStatus::Returning),
    ("failure", ParcelStatus::Exception),
    ("cancelled", ParcelStatus::Cancelled),
    // EasyPost could not follow the parcel: this says nothing of where it is.
    ("error", ParcelStatus::Unknown),
];

/// The statuses that leave open what happened: with these a detail that has a
/// status of its own decides.
const OPEN: &[&str] = &["unknown", "pre_transit", "in_transit", "failure"];

/// What the details mean: the status, where the detail decides it, and the
/// reason.
const DETAILS: &[(&str, Option<ParcelStatus>, Option<Reason>)] = &[
    ("address_correction", None, Some(Reason::AddressIncorrect)),
    ("arrived_at_destination", None, None),
    ("arrived_at_facility", None, None),
    ("arrived_at_pickup_location", None, None),
    ("awaiting_information", Some(ParcelStatus::OnHold), Some(Reason::Other)),
    ("cancelled", Some(ParcelStatus::Cancelled), None),
    ("damaged", Some(ParcelStatus::Exception), Some(Reason::CarrierDamaged)),
    ("delayed", None, Some(Reason::CarrierDelayed)),
    ("delivery_exception", Some(ParcelStatus::Exception), Some(Reason::Other)),
    ("departed_facility", None, None),
    ("departed_origin_facility", None, None),
    ("expired", Some(ParcelStatus::Expired), None),
    ("failure", None, None),
    ("held", Some(ParcelStatus::OnHold), None),
    ("in_transit", None, None),
    ("label_created", None, None),
    ("lost", Some(ParcelStatus::Exception), Some(Reason::CarrierLost)),
    ("missorted", None, Some(Reason::CarrierDelayed)),
    ("out_for_delivery", None, None),
    ("received_at_destination_facility", None, None),
    ("received_at_origin_facility", None, None),
    ("refused", Some(ParcelStatus::AttemptFailed), Some(Reason::ConsigneeRefused)),
    ("return", Some(ParcelStatus::Returning), None),
    ("status_update", None, None),
    ("transferred_to_destination_carrier", None, None),
    ("transit_exception", Some(ParcelStatus::Exception), Some(Reason::Other)),
    ("unknown", None, None),
    ("weather_delay", None, Some(Reason::Weather)),
];

#[derive(Deserialize)]
struct Tracker {
    tracking_code: String,
    #[serde(default)]
    est_delivery_date: Option<String>,
    #[serde(default)]
    updated_at: Option<String>,
    #[serde(default)]
    tracking_details: Option<Vec<Detail>>,
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
    fn verify(
        &self,
        call: &Signed<'_>,
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        if secrets.is_empty() {
            return Err(SignatureError::NoSecret);
        }
        let keys: Vec<Vec<u8>> = secrets.iter().map(|secret| key(secret)).collect();
        match ((call.header)(SIGNATURE), (call.header)(SIGNATURE_2)) {
            (None, None) => Err(SignatureError::MissingHeader(SIGNATURE)),
            (Some(first), None) => over_body(call, &keys, first),
            (None, Some(second)) => over_call(call, &keys, second, now),
            (Some(first), Some(second)) => {
                over_call(call, &keys, second, now).or_else(|_| over_body(call, &keys, first))
            }
        }
    }

    fn read(&self, body: &[u8], _now: Timestamp) -> Result<Reading, Malformed> {
        let mut event: Map<String, Value> = json(body)?;
        let result = event.remove("result").unwrap_or_default();
        if result.get("object").and_then(Value::as_str) != Some("Tracker") {
            return Ok(Reading::Ignored("the event is not about a tracker"));
        }
        let tracker: Tracker = serde_path_to_error::deserialize(result).map_err(|error| {
            let Malformed { field, detail } = at_path(error);
            Malformed::at(format!("result.{field}"), detail)
        })?;
        let Ok(number) = TrackingNumber::parse(&tracker.tracking_code) else {
            return Ok(Reading::Ignored("no label here can have this number"));
        };
        told(number, &tracker)
    }
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

fn over_call(
    call: &Signed<'_>,
    keys: &[Vec<u8>],
    value: &str,
    now: Timestamp,
) -> Result<(), SignatureError> {
    let required = |name| (call.header)(name).ok_or(SignatureError::MissingHeader(name));
    let (at, path) = (required(TIMESTAMP)?, required(PATH)?);
    let signed_at = Timestamp::parse_rfc2822(at)
        .map_err(|_| SignatureError::MalformedHeader(TIMESTAMP))?
        .unix_seconds();
    let offered = signature(value, SIGNATURE_2)?;
    if !any_matches(keys, &[at.as_bytes(), b"POST", path.as_bytes(), call.body], &offered) {
        return Err(SignatureError::Mismatch);
    }
    fresh(signed_at, now)
}

fn told(number: TrackingNumber, tracker: &Tracker) -> Result<Reading, Malformed> {
    let details = tracker.tracking_details.as_deref().unwrap_or_default();
    let (mut unknown_codes, mut unreadable) = (0, 0);
    let mut events = Vec::with_capacity(details.len());
    for detail in details {
        match event(detail) {
            Some((event, is_known)) => {
                unknown_codes += u32::from(!is_known);
                events.push(event);
            }
            None => unreadable += 1,
        }
    }
    let events = distinct(events);
    if events.len() > MAX_EVENTS {
        let detail = format!("The list has more than {MAX_EVENTS} different scans.");
        return Err(Malformed::at("result.tracking_details", detail));
    }
    let eta = tracker.est_delivery_date.as_deref().and_then(time);
    if events.is_empty() && eta.is_none() {
        return Ok(Reading::Ignored("the tracker has nothing to tell yet"));
    }
    let tracking = Tracking { carrier: Carrier::Easypost, number };
    let told_at = tracker.updated_at.as_deref().and_then(time);
    let push = Push { tracking, events, eta, told_at };
    Ok(Reading::Told { push, unknown_codes, unreadable })
}

/// A time with its zone; without one it is UTC.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()
}

/// The scan, and whether its codes are in the tables; none when it has no
/// readable time or no code.
fn event(detail: &Detail) -> Option<(TrackingEvent, bool)> {
    let at = time(detail.datetime.as_deref()?)?;
    let word = detail.status.as_deref().unwrap_or_default();
    let status = STATUSES.iter().find(|(name, _)| *name == word).map(|(_, status)| *status);
    let more = detail.status_detail.as_deref().filter(|more| !more.is_empty());
    let row = more.map(|more| DETAILS.iter().find(|(name, ..)| *name == more));
    let (decided, reason) =
        row.flatten().map_or((None, None), |(_, status, reason)| (*status, *reason));
    let decided = decided.filter(|_| OPEN.contains(&word));
    let event = TrackingEvent {
        at,
        status: decided.or(status).unwrap_or(ParcelStatus::Unknown),
        reason,
        code: code(word, more)?,
        place: detail.tracking_location.as_ref().and_then(place),
    };
    Some((event, status.is_some() && row.is_none_or(|row| row.is_some())))
}

/// `status/detail`, or one of them where the other says nothing more.
fn code(status: &str, detail: Option<&str>) -> Option<Text<64>> {
    match detail {
        Some(detail) if detail != status => within(&format!("{status}/{detail}")),
        _ => within(status),
    }
}

fn place(location: &Location) -> Option<Text<80>> {
    let parts = [&location.city, &location.state, &location.country];
    let parts: Vec<&str> = parts
        .into_iter()
        .filter_map(|part| part.as_deref().map(str::trim))
        .filter(|part| !part.is_empty())
        .collect();
    within(&parts.join(", "))
}

#[cfg(test)]
mod tests;
