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

use aftercart::model::{
    shipment::{Carrier, MAX_EVENTS, ParcelStatus, Push, Reason, Tracking, TrackingEvent},
    signature::{SignatureError, standard_webhooks},
    time::{Period, Timestamp},
};

use crate::wire::{CarrierPush, CarrierScan};

use super::{Adapter, Malformed, Reading, Signed, distinct, json};

/// How far ahead of our clock a scan may lie: a time zone taken for another is
/// off by less.
pub const AHEAD_MAX: Period = Period::of_days(1);

/// What a carrier may report, by the names that our own answers use.
const STATUSES: &[ParcelStatus] = &[
    ParcelStatus::InfoReceived,
    ParcelStatus::PickedUp,
    ParcelStatus::InTransit,
    ParcelStatus::OnHold,
    ParcelStatus::Exception,
    ParcelStatus::OutForDelivery,
    ParcelStatus::AttemptFailed,
    ParcelStatus::ReadyForPickup,
    ParcelStatus::Returning,
    ParcelStatus::Delivered,
    ParcelStatus::Returned,
    ParcelStatus::Cancelled,
    ParcelStatus::Expired,
];

const REASONS: &[(&str, Reason)] = &[
    ("carrier_damaged", Reason::CarrierDamaged),
    ("carrier_lost", Reason::CarrierLost),
    ("carrier_delayed", Reason::CarrierDelayed),
    ("address_incorrect", Reason::AddressIncorrect),
    ("consignee_refused", Reason::ConsigneeRefused),
    ("consignee_absent", Reason::ConsigneeAbsent),
    ("consignee_rescheduled", Reason::ConsigneeRescheduled),
    ("customs_hold", Reason::CustomsHold),
    ("customs_documents", Reason::CustomsDocuments),
    ("customs_duties", Reason::CustomsDuties),
    ("weather", Reason::Weather),
    ("security", Reason::Security),
    ("retailer_error", Reason::RetailerError),
    ("other", Reason::Other),
];

/// The adapter.
#[derive(Debug, Clone, Copy)]
pub struct Generic;

impl Adapter for Generic {
    fn verify(
        &self,
        call: &Signed<'_>,
        secrets: &[&str],
        now: Timestamp,
    ) -> Result<(), SignatureError> {
        standard_webhooks::verify(secrets, call.header, call.body, now).map(drop)
    }

    fn read(&self, body: &[u8], now: Timestamp) -> Result<Reading, Malformed> {
        let told: CarrierPush = json(body)?;
        check(&told, now)?;
        let mut unknown_codes = 0;
        let mut events = Vec::with_capacity(told.events.len());
        for scan in told.events {
            let (event, is_known) = event(scan);
            unknown_codes += u32::from(!is_known);
            events.push(event);
        }
        let tracking = Tracking { carrier: Carrier::Generic, number: told.tracking_number };
        let (eta, told_at) = (told.estimated_delivery, told.told_at);
        let push = Push { tracking, events: distinct(events), eta, told_at };
        Ok(Reading::Told { push, unknown_codes, unreadable: 0 })
    }
}

fn check(told: &CarrierPush, now: Timestamp) -> Result<(), Malformed> {
    if told.events.is_empty() && told.estimated_delivery.is_none() {
        return Err(Malformed::at("events", "Send at least one scan, or an estimate."));
    }
    if told.events.len() > MAX_EVENTS {
        let detail = format!("Send at most {MAX_EVENTS} scans at a time.");
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

/// The scan, and whether its words are in the tables. A reason that is not is
/// still a reason.
fn event(scan: CarrierScan) -> (TrackingEvent, bool) {
    let word = scan.status.as_str();
    let status = STATUSES.iter().copied().find(|status| status.as_str() == word);
    let reason = scan.reason.as_ref().map(|reason| {
        let found = REASONS.iter().find(|(name, _)| *name == reason.as_str());
        found.map(|(_, reason)| *reason)
    });
    let event = TrackingEvent {
        at: scan.at,
        status: status.unwrap_or(ParcelStatus::Unknown),
        reason: reason.map(|known| known.unwrap_or(Reason::Other)),
        code: scan.code.unwrap_or(scan.status),
        place: scan.place,
    };
    (event, status.is_some() && reason != Some(None))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn read(body: &Value) -> Result<(Push, u32), Malformed> {
        match Generic.read(body.to_string().as_bytes(), now())? {
            Reading::Told { push, unknown_codes, unreadable: 0 } => Ok((push, unknown_codes)),
            other => panic!("{other:?}"),
        }
    }

    fn body() -> Value {
        json!({
            "tracking_number": "gx-1234",
            "events": [
                { "at": "2026-11-21T19:59:00+08:00", "status": "delivered", "place": " 上海 " },
                { "at": "2026-11-20T08:00:00Z", "status": "exception", "reason": "weather", "code": "W1" },
                { "at": "2026-11-20T08:00:00Z", "status": "exception", "reason": "weather", "code": "W1" },
            ],
            "estimated_delivery": "2026-11-22T12:00:00Z",
        })
    }

    #[test]
    fn the_documented_format_is_read() {
        let (push, unknown) = read(&body()).unwrap();
        assert_eq!(push.tracking.number.as_str(), "GX-1234");
        let scans: Vec<_> = push
            .events
            .iter()
            .map(|scan| (scan.at.to_string(), scan.status, scan.reason, scan.code.to_string()))
            .collect();
        let (exception, delivered) = (ParcelStatus::Exception, ParcelStatus::Delivered);
        let code = str::to_owned;
        assert_eq!(
            scans,
            [
                (code("2026-11-20T08:00:00.000Z"), exception, Some(Reason::Weather), code("W1")),
                (code("2026-11-21T11:59:00.000Z"), delivered, None, code("delivered")),
            ]
        );
        assert_eq!(push.eta, Timestamp::parse("2026-11-22T12:00:00Z").ok());
        assert_eq!(unknown, 0);
    }

    #[test]
    fn every_status_and_reason_reads_as_it_is_written() {
        for status in STATUSES {
            let scan = json!({ "at": "2026-11-20T08:00:00Z", "status": status });
            let (push, unknown) =
                read(&json!({ "tracking_number": "AAAA", "events": [scan] })).unwrap();
            assert_eq!((push.events[0].status, unknown), (*status, 0));
        }
        for (name, reason) in REASONS {
            assert_eq!(json!(reason), json!(name));
        }
    }

    #[test]
    fn unknown_words_are_kept_and_counted() {
        let scan = |status: &str, reason: &str| json!({ "at": "2026-11-20T08:00:00Z", "status": status, "reason": reason });
        let scans = [
            scan("teleported", "magic"),
            scan("pending", "other"),
            scan("on_hold", "magic"),
            scan("on_hold", "other"),
        ];
        let (push, unknown) = read(&json!({ "tracking_number": "AAAA", "events": scans })).unwrap();
        assert_eq!(unknown, 3);
        let told = push.events.iter().find(|scan| scan.code.as_str() == "teleported").unwrap();
        assert_eq!((told.status, told.reason), (ParcelStatus::Unknown, Some(Reason::Other)));
    }

    #[test]
    fn what_is_malformed_is_named() {
        let with = |pointer: &str, value: Value| {
            let mut body = body();
            *body.pointer_mut(pointer).unwrap() = value;
            read(&body).unwrap_err().field
        };
        assert_eq!(with("/tracking_number", json!("A B")), "tracking_number");
        assert_eq!(with("/events/0/at", json!("2026-11-21T12:00:00")), "events[0].at");
        assert_eq!(with("/events/0/at", json!("2026-11-22T12:00:01Z")), "events[0].at");
        assert_eq!(with("/events/1/status", json!(7)), "events[1].status");
        assert_eq!(with("/events/1/reason", json!("")), "events[1].reason");
        assert_eq!(with("/events/0", json!({ "colour": "red" })), "events[0].colour");
        assert_eq!(with("/estimated_delivery", json!("soon")), "estimated_delivery");
        assert_eq!(with("/events", json!({})), "events");
        let scan = body()["events"][0].clone();
        assert_eq!(with("/events", json!(vec![scan; MAX_EVENTS + 1])), "events");
        let nothing = json!({ "tracking_number": "AAAA", "events": [] });
        assert_eq!(read(&nothing).unwrap_err().field, "events");
        // The letters of 上海 as GBK.
        let gbk = b"{\"tracking_number\":\"\xc9\xcf\xba\xa3\"}";
        assert_eq!(Generic.read(gbk, now()).unwrap_err().field, "body");
    }

    proptest! {
        #[test]
        fn a_damaged_body_never_panics(cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = body().to_string().into_bytes();
            let at = cut.index(bytes.len());
            let _cut = Generic.read(&bytes[..at], now());
            bytes[at] = byte;
            let _flipped = Generic.read(&bytes, now());
        }
    }
}
