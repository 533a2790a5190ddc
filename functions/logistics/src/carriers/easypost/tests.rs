use aftercart::model::shipment::{MAX_EVENTS, ParcelStatus, Reason};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        hostile,
        tests::{answer, credentials, parcel, scans},
    },
    *,
};

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
    let credentials = credentials(&json!({ "webhook_secrets": secrets }));
    let now = Timestamp::parse(now).unwrap();
    EasyPost.verify(&Signed { credentials: &credentials, header: &header, body, now })
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

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:05Z").unwrap()
}

fn read(body: &Value) -> Result<Reading, Malformed> {
    EasyPost.read(body.to_string().as_bytes(), now())
}

fn told_by(details: &[Value]) -> Reading {
    read(&event_with(details)).unwrap()
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
    let reading = told_by(&journey());
    assert_eq!(
        scans(&reading),
        [
            "2026-11-19T09:00:00.000Z info_received pre_transit/label_created GB",
            "2026-11-20T03:10:00.000Z in_transit in_transit/departed_facility Croydon, GB",
            "2026-11-20T13:00:00.000Z in_transit in_transit/weather_delay Slough, GB",
            "2026-11-21T07:42:00.000Z out_for_delivery out_for_delivery London, GB",
            "2026-11-21T11:58:00.000Z delivered delivered/arrived_at_destination London, GB",
        ]
    );
    let push = &reading.told[0];
    assert_eq!(push.events[2].reason, Some(Reason::Weather));
    let assumed: Vec<bool> = push.events.iter().map(|scan| scan.zone_assumed).collect();
    assert_eq!(assumed, [false, false, false, true, false]);
    assert_eq!(push.tracking.number.as_str(), "EZ4000004000");
    let estimate = push.estimate.unwrap();
    assert_eq!(Ok(estimate.eta), Timestamp::parse("2026-11-21T18:00:00Z"));
    assert_eq!(Ok(estimate.told_at), Timestamp::parse("2026-11-21T11:58:00Z"));
    assert_eq!((reading.unknown_codes, reading.unreadable), (vec![], 0));
}

#[test]
fn the_list_is_a_set() {
    let whole = told_by(&journey());
    let mut again = journey();
    again.reverse();
    again.extend(journey());
    assert_eq!(told_by(&again), whole);
    assert_ne!(told_by(&journey()[..4]).told, whole.told);
}

#[test]
fn a_scan_ahead_of_its_telling_says_so() {
    let ahead = |at: &str, now: &str| {
        let body = event_with(&[detail("in_transit", "", at, None)]).to_string();
        let reading = EasyPost.read(body.as_bytes(), Timestamp::parse(now).unwrap()).unwrap();
        reading.told[0].events[0].told_at.map(|told_at| told_at.to_string())
    };
    let now = "2026-11-21T12:00:05Z";
    assert_eq!(ahead("2026-11-21T12:00:00Z", now), None);
    assert_eq!(ahead("2026-11-21T12:00:01Z", now).as_deref(), Some("2026-11-21T12:00:00.000Z"));
    assert_eq!(
        ahead("2026-11-21T12:00:01Z", "2026-11-21T11:00:00Z").as_deref(),
        Some("2026-11-21T11:00:00.000Z")
    );
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
        let reading = told_by(&[detail(status, more, "2026-11-19T09:00:00Z", None)]);
        let scan = &reading.told[0].events[0];
        assert_eq!((scan.status, scan.reason), (expected, reason), "{status}/{more}");
        assert!(reading.unknown_codes.is_empty(), "{status}/{more}");
    }
}

#[test]
fn unknown_codes_are_kept_and_counted() {
    let at = "2026-11-19T09:00:00Z";
    let long = "x".repeat(90);
    let reading = told_by(&[
        detail("teleported", "status_update", at, None),
        detail("in_transit", "on_a_camel", at, None),
        detail(&long, "", at, None),
        detail("in_transit", "held", "yesterday", None),
        json!({ "status": null, "datetime": at }),
        json!({ "status": "in_transit", "datetime": null }),
    ]);
    let unknown = ["in_transit/on_a_camel", "teleported/status_update", &long[..64]];
    assert_eq!((reading.unknown_codes, reading.unreadable), (unknown.map(Into::into).to_vec(), 3));
    let events = &reading.told[0].events;
    let status =
        |code: &str| events.iter().find(|scan| scan.code.as_str() == code).map(|scan| scan.status);
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
        let reading = read(&body).unwrap();
        assert!(reading.told.is_empty() && reading.ignored.is_some(), "{body}");
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
    for body in [&b"\xff"[..], b"", b"[", b"[]", b"{} {}"] {
        assert_eq!(EasyPost.read(body, Timestamp::EPOCH).unwrap_err().field, "body");
    }
}

#[test]
fn one_odd_value_costs_one_scan() {
    for (pointer, value, scans, has_eta) in [
        ("/result/tracking_details/1/status", json!({}), 4, true),
        ("/result/tracking_details/1/tracking_location", json!("Leeds"), 4, true),
        ("/result/tracking_details/1", json!("in_transit"), 4, true),
        ("/result/updated_at", json!(1_795_262_400), 5, true),
        ("/result/est_delivery_date", json!({ "date": "2026-11-21" }), 5, false),
    ] {
        let mut body = event_with(&journey());
        *body.pointer_mut(pointer).unwrap() = value;
        let reading = read(&body).unwrap();
        let [push] = &reading.told[..] else { panic!("{reading:?}") };
        assert_eq!((push.events.len(), push.estimate.is_some()), (scans, has_eta), "{pointer}");
        assert_eq!(reading.unreadable, u32::from(scans == 4), "{pointer}");
    }
}

/// The list with another name of what has the time: nothing is swallowed.
#[test]
fn a_list_of_which_no_scan_can_be_read_says_so() {
    let mut body = event_with(&journey());
    for detail in body["result"]["tracking_details"].as_array_mut().unwrap() {
        detail["occurred_at"] = detail["datetime"].take();
    }
    body["result"]["est_delivery_date"] = json!(null);
    let reading = read(&body).unwrap();
    assert_eq!((reading.unreadable, reading.is_unreadable()), (5, true));
    assert!(!read(&event_with(&[])).unwrap().is_unreadable());
}

#[test]
fn the_same_estimate_is_the_same_whenever_the_tracker_was_looked_at() {
    let at = |scans: &[Value], updated_at: &str| {
        let mut body = event_with(scans);
        body["result"]["updated_at"] = updated_at.into();
        read(&body).unwrap()
    };
    let reading = at(&journey(), "2026-11-21T11:59:00Z");
    assert_eq!(reading, at(&journey(), "2026-11-21T12:00:04Z"));
    let told_at = |reading: Reading| reading.told[0].estimate.unwrap().told_at.to_string();
    assert_eq!(told_at(reading), "2026-11-21T11:58:00.000Z");
    let bare = at(&[], "2026-11-21T11:59:00Z");
    assert_eq!(told_at(bare), "2026-11-21T11:59:00.000Z", "there is no scan");
    let ahead = at(&journey(), "2026-11-21T11:00:00Z");
    assert_eq!(told_at(ahead), "2026-11-21T11:00:00.000Z", "a scan may lie ahead");
}

/// So many scans, an hour apart.
fn many(scans: usize) -> Vec<Value> {
    (0..scans)
        .map(|n| {
            let at = Timestamp::from_unix_seconds(i64::try_from(n * 3_600).unwrap()).unwrap();
            detail("in_transit", "held", &at.to_string(), None)
        })
        .collect()
}

#[test]
fn a_long_list_is_several_pushes_that_stay_the_same() {
    let whole = told_by(&many(3 * MAX_EVENTS + 7)).told;
    let counts: Vec<usize> = whole.iter().map(|push| push.events.len()).collect();
    assert_eq!(counts, [MAX_EVENTS, MAX_EVENTS, MAX_EVENTS, 7]);
    let estimates: Vec<bool> = whole.iter().map(|push| push.estimate.is_some()).collect();
    assert_eq!(estimates, [false, false, false, true]);
    let grown = told_by(&many(3 * MAX_EVENTS + 50)).told;
    assert_eq!(grown[..3], whole[..3]);
    assert_eq!(told_by(&many(MAX_EVENTS)).told.len(), 1);
}

#[test]
fn a_list_without_end_is_cut() {
    let reading = told_by(&many(1_200));
    let scans: usize = reading.told.iter().map(|push| push.events.len()).sum();
    assert_eq!((scans, reading.unreadable), (1_000, 200));
    let newest = reading.told.last().and_then(|push| push.events.last()).unwrap();
    assert_eq!(newest.at.unix_seconds(), 1_199 * 3_600, "the newest are kept");
}

#[test]
fn calls_have_the_form_that_is_documented() {
    let credentials = credentials(&json!({ "api_keys": ["EZAK"] }));
    let parcel = parcel(Carrier::Easypost, "EZ4000004000", Some("Royal Mail"));
    let create = EasyPost.subscribe(&credentials, &parcel, "https://shop").unwrap().unwrap();
    assert_eq!(
        (create.method().as_str(), create.uri().to_string()),
        ("POST", format!("{API}/trackers"))
    );
    assert_eq!(create.headers()["authorization"], "Basic RVpBSzo=");
    let body: Value = serde_json::from_slice(create.body()).unwrap();
    assert_eq!(
        body,
        json!({ "tracker": { "tracking_code": "EZ4000004000", "carrier": "Royal Mail" } })
    );
    let ask = EasyPost.ask(&credentials, &parcel, now()).unwrap();
    assert_eq!(
        ask.uri().to_string(),
        format!(
            "{API}/trackers?tracking_code=EZ4000004000\
             &start_datetime=2026-11-12T00%3A00%3A00.000Z&page_size=1&carrier=Royal+Mail"
        )
    );
    let keyless = super::super::tests::credentials(&json!({}));
    assert!(matches!(EasyPost.ask(&keyless, &parcel, now()), Err(AskError::Unsupported(_))));
}

#[test]
fn answers_are_read_like_bodies() {
    let whole = told_by(&journey());
    let tracker = event_with(&journey())["result"].take();
    let created = EasyPost.subscribed(&answer(201, &tracker), now());
    assert_eq!(created, Ok(whole.clone()));
    let list = json!({ "trackers": [tracker], "has_more": false });
    assert_eq!(EasyPost.answered(&answer(200, &list), now()), Ok(whole));
    let none = json!({ "trackers": [], "has_more": false });
    assert_eq!(EasyPost.answered(&answer(200, &none), now()), Err(AskError::NotKnown));
    let failed = |status| EasyPost.answered(&answer(status, &json!({})), now()).unwrap_err();
    assert_eq!(failed(429), AskError::Throttled);
    assert!(matches!(failed(401), AskError::Refused(_)));
    assert!(matches!(failed(500), AskError::Failed(_)));
    assert!(matches!(failed(422), AskError::Missing(_)));
    assert!(matches!(failed(200), AskError::Failed(_)));
}

proptest! {
    #[test]
    fn a_damaged_body_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let body = event_with(&journey()).to_string();
        hostile::damaged(&EasyPost, body.as_bytes(), at, byte, now());
    }

    #[test]
    fn nothing_is_told_that_the_body_does_not_say(
        which in any::<prop::sample::Index>(),
        wrong in hostile::wrong(),
    ) {
        let body = hostile::replaced(&event_with(&journey()), which, wrong);
        if let Ok(reading) = read(&body) {
            hostile::says_no_more(&reading, &body, ZONE)?;
        }
    }
}
