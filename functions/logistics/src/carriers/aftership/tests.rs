use aftercart::model::{
    shipment::{ParcelStatus, Reason},
    signature::hmac_sha256,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    super::{
        hostile,
        tests::{answer, credentials, parcel, scans},
    },
    *,
};

const SECRET: &str = "webhook-secret";
const BODY: &[u8] = br#"{"msg":null}"#;

fn verify(secrets: &[&str], offered: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let header = |name: &str| offered.filter(|_| name == SIGNATURE);
    let credentials = credentials(&json!({ "webhook_secrets": secrets }));
    AfterShip.verify(&Signed { credentials: &credentials, header: &header, body, now: now() })
}

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:05Z").unwrap()
}

#[test]
fn a_call_is_signed_over_its_body() {
    // Computed with Python's hmac over BODY.
    let python = "0oeSY++xITSBBCLiIsGj9tS4vk0RFf3MMbikBQD2Qi0=";
    let rust = BASE64.encode(&hmac_sha256(SECRET.as_bytes(), &[BODY]));
    assert_eq!(rust, python);
    assert_eq!(verify(&[SECRET], Some(python), BODY), Ok(()));
    assert_eq!(verify(&["old", SECRET], Some(python), BODY), Ok(()));
    assert_eq!(verify(&[SECRET], Some(python), b"{}"), Err(SignatureError::Mismatch));
    assert_eq!(verify(&["other"], Some(python), BODY), Err(SignatureError::Mismatch));
    assert_eq!(verify(&[SECRET], Some(""), BODY), Err(SignatureError::Mismatch));
    assert_eq!(verify(&[], Some(python), BODY), Err(SignatureError::NoSecret));
    let malformed = SignatureError::MalformedHeader(SIGNATURE);
    assert_eq!(verify(&[SECRET], Some("no base 64"), BODY), Err(malformed));
    assert_eq!(verify(&[SECRET], None, BODY), Err(SignatureError::MissingHeader(SIGNATURE)));
}

fn checkpoint(tag: &str, subtag: &str, at: &str, city: Option<&str>) -> Value {
    json!({
        "slug": "royal-mail", "created_at": "2026-11-21T11:59:00+00:00", "message": "as it says",
        "tag": tag, "subtag": subtag, "checkpoint_time": at, "city": city, "state": null,
        "location": "NATIONAL HUB", "country_region": "GBR", "country_region_name": "United Kingdom",
    })
}

fn event_with(checkpoints: &[Value]) -> Value {
    json!({
        "ts": 1_795_262_400, "event": "tracking_update", "event_id": "4d3f1c30", "is_tracking_first_tag": true,
        "msg": {
            "id": "bff5a3bac79b472991a204172473a635", "tracking_number": "gx-123456789", "slug": "royal-mail",
            "tag": "Delivered", "subtag": "Delivered_001", "updated_at": "2026-11-21T12:00:00+00:00",
            "latest_estimated_delivery": { "type": "specific", "source": "carrier", "datetime": "2026-11-21" },
            "checkpoints": checkpoints,
        },
    })
}

fn journey() -> Vec<Value> {
    vec![
        checkpoint("InfoReceived", "InfoReceived_001", "2026-11-19T09:00:00+00:00", None),
        checkpoint("InTransit", "InTransit_002", "2026-11-19T18:00:00", Some("Leeds")),
        checkpoint("Exception", "Exception_017", "2026-11-20T08:00:00-05:00", Some("Slough")),
        checkpoint("OutForDelivery", "OutForDelivery_001", "2026-11-21T07:42:00Z", Some("London")),
        checkpoint("Delivered", "Delivered_003", "2026-11-21T11:58:00Z", Some(" ")),
    ]
}

fn read(body: &Value) -> Result<Reading, Malformed> {
    AfterShip.read(body.to_string().as_bytes(), now())
}

#[test]
fn a_tracking_is_read() {
    let reading = read(&event_with(&journey())).unwrap();
    assert_eq!(
        scans(&reading),
        [
            "2026-11-19T09:00:00.000Z info_received InfoReceived/InfoReceived_001 NATIONAL HUB",
            "2026-11-19T18:00:00.000Z picked_up InTransit/InTransit_002 Leeds, United Kingdom",
            "2026-11-20T13:00:00.000Z exception Exception/Exception_017 Slough, United Kingdom",
            "2026-11-21T07:42:00.000Z out_for_delivery OutForDelivery/OutForDelivery_001 London, United Kingdom",
            "2026-11-21T11:58:00.000Z delivered Delivered/Delivered_003 NATIONAL HUB",
        ]
    );
    let push = &reading.told[0];
    assert_eq!(push.tracking.number.as_str(), "GX-123456789");
    assert_eq!(push.events[2].reason, Some(Reason::Weather));
    let assumed: Vec<bool> = push.events.iter().map(|scan| scan.zone_assumed).collect();
    assert_eq!(assumed, [false, true, false, false, false]);
    let estimate = push.estimate.unwrap();
    assert_eq!(Ok(estimate.eta), Timestamp::parse("2026-11-21T12:00:00Z"));
    assert_eq!(Ok(estimate.told_at), Timestamp::parse("2026-11-21T11:58:00Z"));
    assert_eq!((reading.unknown_codes, reading.unreadable), (vec![], 0));
}

#[test]
fn older_names_of_fields_are_read_too() {
    let at = "2026-11-19T09:00:00Z";
    let body = json!({ "msg": {
        "tracking_number": "AAAA",
        "courier_estimated_delivery_date": { "estimated_delivery_date": "2026-11-22T12:00:00Z" },
        "checkpoints": [{ "tag": "InTransit", "checkpoint_time": at, "city": "Leeds", "country_name": "UK" }],
    }});
    let reading = read(&body).unwrap();
    assert_eq!(scans(&reading), ["2026-11-19T09:00:00.000Z in_transit InTransit Leeds, UK"]);
    assert_eq!(Ok(reading.told[0].estimate.unwrap().eta), Timestamp::parse("2026-11-22T12:00:00Z"));
}

#[test]
fn the_sub_tag_decides() {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, OnHold, Pending, ReadyForPickup,
        Returned, Returning, Unknown,
    };
    for (tag, subtag, expected, reason) in [
        ("Pending", "Pending_003", Pending, None),
        ("AvailableForPickup", "AvailableForPickup_001", ReadyForPickup, None),
        ("Delivered", "Delivered_005", Delivered, None),
        ("Exception", "", Exception, None),
        ("Exception", "Exception_003", AttemptFailed, Some(Reason::ConsigneeRefused)),
        ("Exception", "Exception_004", OnHold, Some(Reason::CustomsHold)),
        ("Exception", "Exception_010", Returning, None),
        ("Exception", "Exception_011", Returned, None),
        ("Exception", "Exception_012", Exception, Some(Reason::CarrierDamaged)),
        ("Exception", "Exception_013", Exception, Some(Reason::CarrierLost)),
        ("Exception", "Exception_020", Cancelled, None),
        ("AttemptFail", "AttemptFail_002", AttemptFailed, Some(Reason::ConsigneeAbsent)),
        ("Expired", "Expired_001", Expired, None),
        ("Exception", "Exception_099", Exception, None),
        ("Lost", "Exception_013", Unknown, Some(Reason::CarrierLost)),
    ] {
        let reading = read(&event_with(&[checkpoint(tag, subtag, "2026-11-19T09:00:00Z", None)]));
        let reading = reading.unwrap();
        let scan = &reading.told[0].events[0];
        assert_eq!((scan.status, scan.reason), (expected, reason), "{tag}/{subtag}");
        let known = tag != "Lost" && subtag != "Exception_099";
        assert_eq!(reading.unknown_codes.is_empty(), known, "{tag}/{subtag}");
    }
}

#[test]
fn what_is_not_ours_or_malformed_is_told_apart() {
    let mut number = event_with(&journey());
    number["msg"]["tracking_number"] = "1".into();
    let nothing = json!({ "msg": { "tracking_number": "AAAA" } });
    for body in [json!({}), json!({ "msg": null, "event": "test" }), number, nothing] {
        let reading = read(&body).unwrap();
        assert!(reading.told.is_empty() && reading.ignored.is_some(), "{body}");
    }
    let field = |pointer: &str, value: Value| {
        let mut body = event_with(&journey());
        *body.pointer_mut(pointer).unwrap() = value;
        read(&body).unwrap_err().field
    };
    assert_eq!(field("/msg/tracking_number", json!(7)), "msg.tracking_number");
    assert_eq!(field("/msg/checkpoints", json!({})), "msg.checkpoints");
    assert_eq!(AfterShip.read(b"\xff", now()).unwrap_err().field, "body");
}

#[test]
fn one_odd_value_costs_one_scan() {
    for (pointer, value, scans, has_eta) in [
        ("/msg/checkpoints/1/tag", json!([]), 4, true),
        ("/msg/checkpoints/1", json!(7), 4, true),
        ("/msg/updated_at", json!(1_795_262_400), 5, true),
        ("/msg/latest_estimated_delivery", json!("2026-11-21"), 5, false),
    ] {
        let mut body = event_with(&journey());
        *body.pointer_mut(pointer).unwrap() = value;
        let reading = read(&body).unwrap();
        let [push] = &reading.told[..] else { panic!("{reading:?}") };
        assert_eq!((push.events.len(), push.estimate.is_some()), (scans, has_eta), "{pointer}");
        assert_eq!(reading.unreadable, u32::from(scans == 4), "{pointer}");
    }
}

#[test]
fn an_estimate_is_a_date_and_as_old_as_the_latest_scan() {
    let at = |updated_at: &str, eta: &str| {
        let mut body = event_with(&journey());
        body["msg"]["updated_at"] = updated_at.into();
        body["msg"]["latest_estimated_delivery"]["datetime"] = eta.into();
        read(&body).unwrap()
    };
    let date = at("2026-11-21T11:59:00Z", "2026-11-23");
    assert_eq!(date, at("2026-11-21T12:00:00Z", "2026-11-23T00:00:00"));
    assert_eq!(date, at("2026-11-21T12:00:00Z", "2026-11-23T00:00:00+00:00"));
}

#[test]
fn calls_have_the_form_that_is_documented() {
    let credentials = credentials(&json!({ "api_keys": ["asat_1"] }));
    let parcel = parcel(Carrier::Aftership, "GX-123456789", Some("royal-mail"));
    let create = AfterShip.subscribe(&credentials, &parcel, "https://shop").unwrap().unwrap();
    assert_eq!(create.uri().to_string(), format!("{API}/trackings"));
    assert_eq!(create.headers()["as-api-key"], "asat_1");
    let body: Value = serde_json::from_slice(create.body()).unwrap();
    assert_eq!(body, json!({ "tracking_number": "GX-123456789", "slug": "royal-mail" }));
    let ask = AfterShip.ask(&credentials, &parcel, now()).unwrap();
    assert_eq!(
        ask.uri().to_string(),
        format!(
            "{API}/trackings?tracking_numbers=GX-123456789\
             &created_at_min=2026-11-12T00%3A00%3A00.000Z&limit=1&slug=royal-mail"
        )
    );
    let keyless = super::super::tests::credentials(&json!({}));
    assert!(matches!(AfterShip.ask(&keyless, &parcel, now()), Err(AskError::Unsupported(_))));
}

#[test]
fn answers_are_read_like_bodies() {
    let whole = read(&event_with(&journey())).unwrap();
    let tracking = event_with(&journey())["msg"].take();
    let created = answer(201, &json!({ "meta": { "code": 201 }, "data": tracking }));
    assert_eq!(AfterShip.subscribed(&created, now()), Ok(whole.clone()));
    let again = answer(400, &json!({ "meta": { "code": 4003, "type": "BadRequest" }, "data": {} }));
    assert!(AfterShip.subscribed(&again, now()).unwrap().ignored.is_some());
    let wrong = answer(400, &json!({ "meta": { "code": 4005 }, "data": {} }));
    assert!(matches!(AfterShip.subscribed(&wrong, now()), Err(AskError::Missing(_))));
    let list = |trackings: &[Value]| answer(200, &json!({ "data": { "trackings": trackings } }));
    assert_eq!(AfterShip.answered(&list(&[tracking]), now()), Ok(whole));
    assert_eq!(AfterShip.answered(&list(&[]), now()), Err(AskError::NotKnown));
    let limit = AfterShip.answered(&answer(429, &json!({})), now());
    assert_eq!(limit, Err(AskError::Throttled));
}

proptest! {
    #[test]
    fn a_damaged_body_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let body = event_with(&journey()).to_string();
        hostile::damaged(&AfterShip, body.as_bytes(), at, byte, now());
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
