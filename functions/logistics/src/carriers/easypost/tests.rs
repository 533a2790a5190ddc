use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const BODY: &[u8] = br#"{"description":"tracker.updated","result":{"object":"Tracker"}}"#;

// Computed with Python's hmac and unicodedata over BODY.
const SECRET: &str = "s\u{e9}cret";
const NFKD: &str = "c8f4ceda8c758fc1bbf8615d2e0915a13496e23484525311a969f1135fc376b9";
const NFC: &str = "555ff6ef14303534a0b49f8cd9aace82470b8043c2c0f9a3e3505eac3421ab3b";
const COMPATIBLE: &str = "490425620b85af5e40066f4b841be48642cb6c812418a7b6b0c21002ab1a4106";
const SIGNED_AT: &str = "Tue, 19 Aug 2025 20:37:09 -0000";
const OVER_CALL: &str = "9210dbe9aa4004278974fefed1121d31ba1759d527e231aae24234ed2e5935b8";

fn verify(
    secrets: &[&str],
    headers: &[(&str, &str)],
    body: &[u8],
    now: &str,
) -> Result<(), SignatureError> {
    let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, v)| *v);
    let call = Signed { header: &header, body };
    EasyPost.verify(&call, secrets, Timestamp::parse(now).unwrap())
}

const NOW: &str = "2025-08-19T20:40:00Z";

#[test]
fn the_secret_is_taken_in_form_kd() {
    let first = |secrets: &[&str], mac: &str, body| {
        verify(secrets, &[(SIGNATURE, &format!("{SCHEME}{mac}"))], body, NOW)
    };
    assert_eq!(first(&[SECRET], NFKD, BODY), Ok(()));
    assert_eq!(first(&["se\u{301}cret"], NFKD, BODY), Ok(()), "decomposed from the start");
    assert_eq!(first(&["\u{fb01}\u{bd}"], COMPATIBLE, BODY), Ok(()));
    assert_eq!(first(&["old", SECRET], &NFKD.to_uppercase(), BODY), Ok(()));
    assert_eq!(first(&[SECRET], NFC, BODY), Err(SignatureError::Mismatch));
    assert_eq!(first(&["secret"], NFKD, BODY), Err(SignatureError::Mismatch));
    assert_eq!(first(&[SECRET], NFKD, b"{}"), Err(SignatureError::Mismatch));
    assert_eq!(first(&[SECRET], "", BODY), Err(SignatureError::Mismatch));
    assert_eq!(first(&[SECRET], "xyz", BODY), Err(SignatureError::MalformedHeader(SIGNATURE)));
    assert_eq!(first(&[], NFKD, BODY), Err(SignatureError::NoSecret));
    let missing = SignatureError::MissingHeader(SIGNATURE);
    assert_eq!(verify(&[SECRET], &[], BODY, NOW), Err(missing));
}

#[test]
fn the_second_scheme_signs_time_and_path() {
    let second = format!("{SCHEME}{OVER_CALL}");
    let path = "/carriers/easypost/events";
    let signed = |at, path, now| {
        verify(&[SECRET], &[(SIGNATURE_2, &second), (TIMESTAMP, at), (PATH, path)], BODY, now)
    };
    assert_eq!(signed(SIGNED_AT, path, NOW), Ok(()));
    assert_eq!(signed(SIGNED_AT, path, "2025-08-19T20:42:10Z"), Err(SignatureError::Stale));
    assert_eq!(signed(SIGNED_AT, "/elsewhere", NOW), Err(SignatureError::Mismatch));
    let another = "Tue, 19 Aug 2025 20:38:09 -0000";
    assert_eq!(signed(another, path, NOW), Err(SignatureError::Mismatch));
    let malformed = SignatureError::MalformedHeader(TIMESTAMP);
    assert_eq!(signed("2025-08-19T20:37:09Z", path, NOW), Err(malformed));
    let missing = SignatureError::MissingHeader(TIMESTAMP);
    assert_eq!(verify(&[SECRET], &[(SIGNATURE_2, &second)], BODY, NOW), Err(missing));
}

#[test]
fn either_scheme_is_enough() {
    let first = format!("{SCHEME}{NFKD}");
    let headers = |second| [(SIGNATURE, first.as_str()), (SIGNATURE_2, second)];
    assert_eq!(verify(&[SECRET], &headers("of a later edition"), BODY, NOW), Ok(()));
    assert_eq!(verify(&["other"], &headers(&first), BODY, NOW), Err(SignatureError::Mismatch));
}

fn detail(status: &str, more: &str, at: &str, city: Option<&str>) -> Value {
    json!({
        "object": "TrackingDetail", "message": "as the carrier says it", "status": status,
        "status_detail": more, "datetime": at, "source": "RoyalMail", "carrier_code": "",
        "tracking_location": { "city": city, "state": null, "country": "GB", "zip": null },
    })
}

fn event_with(details: &[Value]) -> Value {
    json!({
        "id": "evt_1", "object": "Event", "description": "tracker.updated", "mode": "test",
        "result": {
            "id": "trk_1", "object": "Tracker", "tracking_code": "EZ4000004000",
            "status": "delivered", "status_detail": "arrived_at_destination",
            "updated_at": "2026-11-21T12:00:00Z", "weight": 17.6,
            "est_delivery_date": "2026-11-21T18:00:00Z", "tracking_details": details,
        },
    })
}

fn read(body: &Value) -> Result<Reading, Malformed> {
    EasyPost.read(body.to_string().as_bytes(), Timestamp::EPOCH)
}

fn told_by(details: &[Value]) -> (Push, u32, u32) {
    match read(&event_with(details)).unwrap() {
        Reading::Told { push, unknown_codes, unreadable } => (push, unknown_codes, unreadable),
        Reading::Ignored(why) => panic!("{why}"),
    }
}

fn journey() -> Vec<Value> {
    vec![
        detail("pre_transit", "label_created", "2026-11-19T09:00:00Z", None),
        detail("in_transit", "departed_facility", "2026-11-20T03:10:00Z", Some("Croydon")),
        detail("in_transit", "weather_delay", "2026-11-20T08:00:00-05:00", Some("Slough ")),
        detail("out_for_delivery", "out_for_delivery", "2026-11-21T07:42:00", Some("London")),
        detail("delivered", "arrived_at_destination", "2026-11-21T11:58:00Z", Some("London")),
    ]
}

#[test]
fn a_tracker_is_read() {
    let (push, unknown, unreadable) = told_by(&journey());
    let scans: Vec<String> = push
        .events
        .iter()
        .map(|scan| {
            let place = scan.place.as_ref().map_or("-", Text::as_str);
            format!("{} {} {} {place}", scan.at, scan.status.as_str(), scan.code)
        })
        .collect();
    assert_eq!(
        scans,
        [
            "2026-11-19T09:00:00.000Z info_received pre_transit/label_created GB",
            "2026-11-20T03:10:00.000Z in_transit in_transit/departed_facility Croydon, GB",
            "2026-11-20T13:00:00.000Z in_transit in_transit/weather_delay Slough, GB",
            "2026-11-21T07:42:00.000Z out_for_delivery out_for_delivery London, GB",
            "2026-11-21T11:58:00.000Z delivered delivered/arrived_at_destination London, GB",
        ]
    );
    assert_eq!(push.events[2].reason, Some(Reason::Weather));
    assert_eq!(push.tracking.number.as_str(), "EZ4000004000");
    assert_eq!(push.eta, Timestamp::parse("2026-11-21T18:00:00Z").ok());
    assert_eq!(push.told_at, Timestamp::parse("2026-11-21T12:00:00Z").ok());
    assert_eq!((unknown, unreadable), (0, 0));
}

#[test]
fn the_list_is_a_set() {
    let whole = told_by(&journey()).0;
    let mut again = journey();
    again.reverse();
    again.extend(journey());
    let again = told_by(&again).0;
    assert_eq!((&again, again.digest()), (&whole, whole.digest()));
    assert_ne!(told_by(&journey()[..4]).0.digest(), whole.digest());
}

#[test]
fn details_decide_where_the_status_is_open() {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, InTransit, OnHold, Returning,
        Unknown,
    };
    for (status, more, expected, reason) in [
        ("failure", "", Exception, None),
        ("failure", "unknown", Exception, None),
        ("failure", "refused", AttemptFailed, Some(Reason::ConsigneeRefused)),
        ("failure", "return", Returning, None),
        ("failure", "lost", Exception, Some(Reason::CarrierLost)),
        ("failure", "address_correction", Exception, Some(Reason::AddressIncorrect)),
        ("in_transit", "held", OnHold, None),
        ("in_transit", "damaged", Exception, Some(Reason::CarrierDamaged)),
        ("in_transit", "missorted", InTransit, Some(Reason::CarrierDelayed)),
        ("pre_transit", "cancelled", Cancelled, None),
        ("unknown", "expired", Expired, None),
        ("unknown", "unknown", Unknown, None),
        ("error", "unknown", Unknown, None),
        ("return_to_sender", "refused", Returning, Some(Reason::ConsigneeRefused)),
        ("delivered", "held", Delivered, None),
    ] {
        let (push, unknown, _) = told_by(&[detail(status, more, "2026-11-19T09:00:00Z", None)]);
        let scan = &push.events[0];
        assert_eq!((scan.status, scan.reason, unknown), (expected, reason, 0), "{status}/{more}");
    }
}

#[test]
fn unknown_codes_are_kept_and_counted() {
    let at = "2026-11-19T09:00:00Z";
    let long = "x".repeat(90);
    let (push, unknown, unreadable) = told_by(&[
        detail("teleported", "status_update", at, None),
        detail("in_transit", "on_a_camel", at, None),
        detail(&long, "", at, None),
        detail("in_transit", "held", "yesterday", None),
        json!({ "status": null, "datetime": at }),
        json!({ "status": "in_transit", "datetime": null }),
    ]);
    assert_eq!((unknown, unreadable), (3, 3));
    let status = |code: &str| {
        push.events.iter().find(|scan| scan.code.as_str() == code).map(|scan| scan.status)
    };
    assert_eq!(status("teleported/status_update"), Some(ParcelStatus::Unknown));
    assert_eq!(status("in_transit/on_a_camel"), Some(ParcelStatus::InTransit));
    assert_eq!(status(&long[..64]), Some(ParcelStatus::Unknown));
}

#[test]
fn what_is_not_ours_is_ignored() {
    let mut number = event_with(&journey());
    number["result"]["tracking_code"] = "1".into();
    let nothing = json!({ "result": { "object": "Tracker", "tracking_code": "EZ1000001000" } });
    for body in [
        json!({ "result": { "object": "Batch", "tracking_code": 7 } }),
        json!({ "description": "payment.created", "result": null }),
        json!({}),
        number,
        nothing,
    ] {
        assert!(matches!(read(&body), Ok(Reading::Ignored(_))), "{body}");
    }
}

#[test]
fn what_is_malformed_is_named() {
    let field = |pointer: &str, value: Value| {
        let mut body = event_with(&journey());
        *body.pointer_mut(pointer).unwrap() = value;
        read(&body).unwrap_err().field
    };
    assert_eq!(field("/result/tracking_code", json!(7)), "result.tracking_code");
    assert_eq!(field("/result/tracking_details", json!("none")), "result.tracking_details");
    let status = "/result/tracking_details/1/status";
    assert_eq!(field(status, json!({})), "result.tracking_details[1].status");
    let many: Vec<Value> = (0..=MAX_EVENTS)
        .map(|n| {
            let at = Timestamp::from_unix_seconds(i64::try_from(n).unwrap()).unwrap();
            detail("in_transit", "held", &at.to_string(), None)
        })
        .collect();
    assert_eq!(field("/result/tracking_details", json!(many)), "result.tracking_details");
    assert_eq!(told_by(&many[1..]).0.events.len(), MAX_EVENTS);
    for body in [&b"\xff"[..], b"", b"[", b"[]", b"{} {}"] {
        assert_eq!(EasyPost.read(body, Timestamp::EPOCH).unwrap_err().field, "body");
    }
}

proptest! {
    #[test]
    fn a_damaged_body_never_panics(cut in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = event_with(&journey()).to_string().into_bytes();
        let at = cut.index(bytes.len());
        let _cut = EasyPost.read(&bytes[..at], Timestamp::EPOCH);
        bytes[at] = byte;
        let _flipped = EasyPost.read(&bytes, Timestamp::EPOCH);
    }
}
