use aftercart::{
    model::{
        customer::CustomerId,
        dispatch::Direction,
        id::{OrderId, ShipmentId},
        shipment::{ParcelStatus, Reason, TrackingNumber},
    },
    run::secrets::Credentials,
};
use serde_json::{Value, json};

use super::*;

/// What a secret says of a carrier.
pub(super) fn credentials(document: &Value) -> Credentials {
    serde_json::from_value(document.clone()).unwrap()
}

/// A parcel with a label since 2026-11-19.
pub(super) fn parcel(carrier: Carrier, number: &str, courier: Option<&str>) -> Parcel {
    Parcel {
        tracking: Tracking { carrier, number: TrackingNumber::parse(number).unwrap() },
        order: OrderId::derive(&["a test"]),
        shipment: ShipmentId::derive(&["a test"]),
        customer: CustomerId::member("ada").unwrap(),
        direction: Direction::Out,
        labelled_at: Timestamp::parse("2026-11-19T00:00:00Z").unwrap(),
        courier: courier.map(|courier| Text::new(courier).unwrap()),
        verification: None,
        window: None,
        ask_at: None,
        asked: 0,
        subscribed: false,
    }
}

/// What a carrier answers.
pub(super) fn answer(status: u16, body: &Value) -> http::Response<Bytes> {
    let answer = http::Response::builder().status(status);
    answer.body(Bytes::from(body.to_string())).unwrap()
}

/// The scans of a reading, a line each.
pub(super) fn scans(reading: &Reading) -> Vec<String> {
    let events = reading.told.iter().flat_map(|push| &push.events);
    let line = |scan: &TrackingEvent| {
        let place = scan.place.as_ref().map_or("-", Text::as_str);
        format!("{} {} {} {place}", scan.at, scan.status.as_str(), scan.code)
    };
    events.map(line).collect()
}

#[test]
fn every_table_is_read_and_says_where_it_is_from() {
    for carrier in Carrier::ALL {
        let table = codes::of(carrier);
        assert!(!table.source.is_empty() && !table.edition.is_empty(), "{carrier}");
        assert!(table.codes.len() > 3, "{carrier}");
        for (code, row) in &table.codes {
            assert!(row.status.is_some(), "{carrier}: {code} has no status");
            let meaning = table.meaning(code, None);
            assert_eq!((Some(meaning.status), meaning.is_known), (row.status, true));
        }
        let nothing = table.meaning("teleported", None);
        let unknown = ParcelStatus::Unknown;
        assert_eq!((nothing.status, nothing.reason, nothing.is_known), (unknown, None, false));
        for code in table.codes.keys() {
            let more = table.meaning(code, Some("on a camel"));
            let alone = Meaning { is_known: false, ..table.meaning(code, None) };
            assert_eq!(more, alone, "{carrier}: {code}");
        }
    }
}

#[test]
fn a_moment_is_read_with_the_usual_zone_where_it_has_none() {
    let read = |text: &str, usual: &str| {
        moment(text, usual).map(|it| (it.at.to_string(), it.zone_assumed))
    };
    for (text, usual, expected) in [
        ("2026-11-20T12:00:00+08:00", "Z", Some(("2026-11-20T04:00:00.000Z", false))),
        ("2026-11-20T12:00:00Z", "+08:00", Some(("2026-11-20T12:00:00.000Z", false))),
        (" 2026-11-20T12:00:00 ", "Z", Some(("2026-11-20T12:00:00.000Z", true))),
        ("2026-11-20 12:00:00", "+08:00", Some(("2026-11-20T04:00:00.000Z", true))),
        ("2026-11-20", "Z", Some(("2026-11-20T12:00:00.000Z", true))),
        ("2026-11-20", "+08:00", Some(("2026-11-20T04:00:00.000Z", true))),
        ("2026-13-20T12:00:00", "Z", None),
        ("yesterday", "Z", None),
        ("", "Z", None),
    ] {
        let expected = expected.map(|(at, assumed)| (at.to_owned(), assumed));
        assert_eq!(read(text, usual), expected, "{text}");
    }
}

#[test]
fn a_midnight_in_utc_is_a_date_where_a_delivery_is_expected() {
    for (text, usual, eta) in [
        // A sample of UPS, and other ways to write the same.
        ("2014-11-27T00:00:00Z", "Z", Some("2014-11-27T12:00:00Z")),
        ("2014-11-27T00:00:00.000+00:00", "Z", Some("2014-11-27T12:00:00Z")),
        (" 2014-11-27T00:00:00", "Z", Some("2014-11-27T12:00:00Z")),
        ("2014-11-27 00:00:00", "Z", Some("2014-11-27T12:00:00Z")),
        ("2014-11-27", "Z", Some("2014-11-27T12:00:00Z")),
        // Moments.
        ("2014-11-27T00:00:01Z", "Z", Some("2014-11-27T00:00:01Z")),
        ("2014-11-27T00:00:00.500Z", "Z", Some("2014-11-27T00:00:00.500Z")),
        ("2014-11-27T00:00:00-05:00", "Z", Some("2014-11-27T05:00:00Z")),
        ("2014-11-27T08:00:00+08:00", "Z", Some("2014-11-27T00:00:00Z")),
        ("soon", "Z", None),
    ] {
        let eta = eta.map(|eta| Timestamp::parse(eta).unwrap());
        assert_eq!(expected(text, usual), eta, "{text}");
    }
}

#[test]
fn answers_tell_whose_fault_it_is() {
    use AskError::{Failed, Missing, NotKnown, Refused, Throttled};
    for status in 200..=599_u16 {
        let good = good(&answer(status, &json!({}))).map(drop);
        let is_expected = match (status, &good) {
            (200..=299, good) => good.is_ok(),
            (401..=403, Err(Refused(_))) | (404, Err(NotKnown)) | (429, Err(Throttled)) => true,
            (401..=404 | 429, _) => false,
            (408, good) => matches!(good, Err(Failed(_))),
            (400..=499, good) => matches!(good, Err(Missing(_))),
            (_, good) => matches!(good, Err(Failed(_))),
        };
        assert!(is_expected, "{status}: {good:?}");
    }
}

#[test]
fn a_reason_may_come_with_the_code_or_the_detail() {
    let table: codes::Table = serde_json::from_value(json!({
        "source": "a test", "edition": "1",
        "codes": {
            "stopped": { "status": "on_hold", "reason": "other", "vague": true },
            "done": { "status": "delivered" },
        },
        "details": { "rain": { "reason": "weather" }, "lost": { "status": "exception" } },
    }))
    .unwrap();
    let of = |code, detail| {
        let meaning = table.meaning(code, detail);
        (meaning.status, meaning.reason, meaning.is_known)
    };
    use ParcelStatus::{Delivered, Exception, OnHold, Unknown};
    assert_eq!(of("stopped", None), (OnHold, Some(Reason::Other), true));
    assert_eq!(of("stopped", Some("rain")), (OnHold, Some(Reason::Weather), true));
    assert_eq!(of("stopped", Some("lost")), (Exception, Some(Reason::Other), true));
    assert_eq!(of("done", Some("lost")), (Delivered, None, true));
    assert_eq!(of("gone", Some("lost")), (Unknown, None, false));
}
