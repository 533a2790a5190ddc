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

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

fn read(body: &Value) -> Result<Reading, Malformed> {
    Generic.read(body.to_string().as_bytes(), now())
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
    let reading = read(&body()).unwrap();
    assert_eq!(
        scans(&reading),
        [
            "2026-11-20T08:00:00.000Z exception W1 -",
            "2026-11-21T11:59:00.000Z delivered delivered 上海",
        ]
    );
    let push = &reading.told[0];
    assert_eq!(push.tracking.number.as_str(), "GX-1234");
    assert_eq!(push.events[0].reason, Some(Reason::Weather));
    let estimate = push.estimate.unwrap();
    assert_eq!(Ok(estimate.eta), Timestamp::parse("2026-11-22T12:00:00Z"));
    assert_eq!(estimate.told_at, push.events[1].at, "as old as the latest scan");
    assert!(reading.unknown_codes.is_empty());
}

#[test]
fn every_status_and_reason_reads_as_it_is_written() {
    let at = "2026-11-20T08:00:00Z";
    for status in ParcelStatus::ALL {
        let scan = json!({ "at": at, "status": status });
        let reading = read(&json!({ "tracking_number": "AAAA", "events": [scan] })).unwrap();
        // Nobody can tell these of a parcel.
        let reported = !matches!(status, ParcelStatus::Pending | ParcelStatus::Unknown);
        assert_eq!(reading.unknown_codes.is_empty(), reported, "{status:?}");
        let expected = if reported { status } else { ParcelStatus::Unknown };
        assert_eq!(reading.told[0].events[0].status, expected);
    }
    for reason in Reason::ALL {
        let scan = json!({ "at": at, "status": "exception", "reason": reason });
        let reading = read(&json!({ "tracking_number": "AAAA", "events": [scan] })).unwrap();
        assert_eq!(reading.told[0].events[0].reason, Some(reason));
        assert!(reading.unknown_codes.is_empty(), "{reason:?}");
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
    let reading = read(&json!({ "tracking_number": "AAAA", "events": scans })).unwrap();
    assert_eq!(reading.unknown_codes, ["on_hold/magic", "pending/other", "teleported/magic"]);
    let events = &reading.told[0].events;
    let told = events.iter().find(|scan| scan.code.as_str() == "teleported").unwrap();
    assert_eq!((told.status, told.reason), (ParcelStatus::Unknown, None));
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
    assert_eq!(with("/events", json!(vec![scan; MAX_TOLD + 1])), "events");
    let nothing = json!({ "tracking_number": "AAAA", "events": [] });
    assert_eq!(read(&nothing).unwrap_err().field, "events");
    // The letters of 上海 as GBK.
    let gbk = b"{\"tracking_number\":\"\xc9\xcf\xba\xa3\"}";
    assert_eq!(Generic.read(gbk, now()).unwrap_err().field, "body");
}

#[test]
fn a_long_list_is_several_pushes() {
    let scan = |second: usize| {
        let at = Timestamp::from_unix_seconds(i64::try_from(second).unwrap()).unwrap();
        json!({ "at": at, "status": "in_transit" })
    };
    let scans: Vec<Value> = (0..=MAX_EVENTS).map(scan).collect();
    let reading = read(&json!({ "tracking_number": "AAAA", "events": scans })).unwrap();
    let counts: Vec<usize> = reading.told.iter().map(|push| push.events.len()).collect();
    assert_eq!(counts, [MAX_EVENTS, 1]);
}

#[test]
fn it_is_asked_for_the_same_document() {
    let account = json!({ "api_url": "https://carrier.example/v1/" });
    let credentials = credentials(&json!({ "api_keys": ["secret"], "account": account }));
    let parcel = parcel(Carrier::Generic, "gx-1234", None);
    assert_eq!(Generic.subscribe(&credentials, &parcel, "https://shop").unwrap().map(drop), None);
    let ask = Generic.ask(&credentials, &parcel, now()).unwrap();
    assert_eq!(ask.uri().to_string(), "https://carrier.example/v1/parcels/GX-1234");
    assert_eq!(ask.headers()["authorization"], "Bearer secret");
    let addressless = super::super::tests::credentials(&json!({ "api_keys": ["secret"] }));
    assert!(matches!(Generic.ask(&addressless, &parcel, now()), Err(AskError::Unsupported(_))));

    let answered = |status, body: &Value| Generic.answered(&answer(status, body), now());
    assert_eq!(answered(200, &body()), Ok(read(&body()).unwrap()));
    let nothing = answered(200, &json!({ "tracking_number": "gx-1234", "events": [] })).unwrap();
    assert!(nothing.told.is_empty() && nothing.ignored.is_some());
    assert_eq!(answered(404, &json!({})), Err(AskError::NotKnown));
    assert_eq!(answered(429, &json!({})), Err(AskError::Throttled));
    assert!(matches!(answered(403, &json!({})), Err(AskError::Refused(_))));
    assert!(matches!(answered(200, &json!({})), Err(AskError::Failed(_))));
}

proptest! {
    #[test]
    fn a_damaged_body_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        hostile::damaged(&Generic, body().to_string().as_bytes(), at, byte, now());
    }

    #[test]
    fn nothing_is_told_that_the_body_does_not_say(
        which in any::<prop::sample::Index>(),
        wrong in hostile::wrong(),
    ) {
        let body = hostile::replaced(&body(), which, wrong);
        if let Ok(reading) = read(&body) {
            hostile::says_no_more(&reading, &body, "Z")?;
        }
    }
}
