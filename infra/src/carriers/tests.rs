//! The code of every carrier against its stand-in.

use aftercart::{
    model::{
        customer::CustomerId,
        dispatch::Direction,
        id::{OrderId, ShipmentId},
        shipment::{Parcel, ParcelStatus, Tracking, TrackingNumber},
        time::Period,
    },
    run::secrets::Credentials,
};
use aftercart_logistics::carriers::{self as code, AskError, Signed};

use super::*;

const NUMBER: &str = "SF1234567890123";

fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

fn credentials_of(carrier: Carrier) -> Credentials {
    let api_url = format!("https://carriers.local/{carrier}");
    serde_json::from_value(of(carrier).credentials(&api_url)).unwrap()
}

fn parcel(carrier: Carrier) -> Parcel {
    Parcel {
        tracking: Tracking { carrier, number: TrackingNumber::parse(NUMBER).unwrap() },
        order: OrderId::derive(&["stand-in"]),
        shipment: ShipmentId::derive(&["stand-in"]),
        customer: CustomerId::member("ada").unwrap(),
        direction: Direction::Out,
        labelled_at: now().minus(Period::of_days(2)),
        courier: Some(aftercart::model::text::Text::new("shunfeng").unwrap()),
        verification: Some(aftercart::model::text::Text::new("1234").unwrap()),
        window: None,
        ask_at: None,
        asked: 0,
        subscribed: false,
    }
}

/// The word of a carrier for a parcel that is there.
fn delivered(carrier: Carrier) -> &'static str {
    match carrier {
        Carrier::Easypost | Carrier::Generic => "delivered",
        Carrier::Aftership => "Delivered_001",
        Carrier::Kuaidi100 | Carrier::Kdniao => "3",
    }
}

fn there(carrier: Carrier) -> Known {
    let at = now().minus(Period::of_seconds(3_600));
    let (status, place) = (delivered(carrier).to_owned(), "上海".to_owned());
    Known { scans: vec![Happened { status, place, at }], eta: None, at: now() }
}

#[test]
fn what_a_carrier_pushes_is_verified_and_read() {
    for carrier in Carrier::ALL {
        let credentials = credentials_of(carrier);
        let call = there(carrier).told(NUMBER, |push| of(carrier).push(push));
        let header = |name: &str| {
            call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        let signed = |body| Signed { credentials: &credentials, header: &header, body, now: now() };
        let adapter = code::of(carrier);
        let body = call.body.as_bytes();
        assert_eq!(adapter.verify(&signed(body)), Ok(()), "{carrier}");
        let changed = call.body.replacen(NUMBER, "SF9999999999999", 1);
        assert!(adapter.verify(&signed(changed.as_bytes())).is_err(), "{carrier}");
        assert_eq!(call.path, format!("/carriers/{carrier}/events"));
        let reading = adapter.read(body, now()).unwrap();
        let push = &reading.told[0];
        assert_eq!(push.tracking.number.as_str(), NUMBER, "{carrier}");
        assert_eq!(push.events[0].status, ParcelStatus::Delivered, "{carrier}");
        assert!(reading.unknown_codes.is_empty(), "{carrier}: {:?}", reading.unknown_codes);
    }
}

#[test]
fn a_carrier_is_told_to_follow_a_parcel_and_asked_about_it() {
    let stand_ins = StandIns::default();
    for carrier in Carrier::ALL {
        let (credentials, parcel) = (credentials_of(carrier), parcel(carrier));
        let adapter = code::of(carrier);
        let callback = format!("https://shop.example/carriers/{carrier}/events");
        let ask = || stand_ins.answer(&adapter.ask(&credentials, &parcel, now()).unwrap());
        if let Some(request) = adapter.subscribe(&credentials, &parcel, &callback).unwrap() {
            assert!(!stand_ins.memory(|memory| memory.follows(carrier, NUMBER)));
            for _ in 0..2 {
                let answer = adapter.subscribed(&stand_ins.answer(&request), now());
                assert!(answer.is_ok_and(|reading| reading.told.is_empty()), "{carrier}");
            }
            assert!(stand_ins.memory(|memory| memory.follows(carrier, NUMBER)), "{carrier}");
        }
        match adapter.answered(&ask(), now()) {
            Ok(reading) => assert!(reading.told.is_empty(), "{carrier}"),
            Err(error) => assert_eq!(error, AskError::NotKnown, "{carrier}"),
        }
        stand_ins.memory(|memory| memory.happen(carrier, NUMBER, there(carrier)));
        let reading = adapter.answered(&ask(), now()).unwrap();
        assert_eq!(reading.told[0].events[0].status, ParcelStatus::Delivered, "{carrier}");
        assert_eq!(stand_ins.memory(|memory| memory.asked(carrier, NUMBER)), 2, "{carrier}");
    }
}

#[test]
fn a_carrier_refuses_another_key_and_may_be_out() {
    let stand_ins = StandIns::default();
    for carrier in Carrier::ALL {
        let adapter = code::of(carrier);
        let mut document = of(carrier).credentials(&format!("https://carriers.local/{carrier}"));
        let asked = |document: &Value| {
            let credentials: Credentials = serde_json::from_value(document.clone()).unwrap();
            let request = adapter.ask(&credentials, &parcel(carrier), now()).unwrap();
            adapter.answered(&stand_ins.answer(&request), now())
        };
        for (status, expected) in [(429, Some(AskError::Throttled)), (503, None)] {
            stand_ins.memory(|memory| memory.refuse(carrier, Some(status)));
            let error = asked(&document).unwrap_err();
            assert!(expected.is_none_or(|expected| expected == error), "{carrier}: {error}");
        }
        stand_ins.memory(|memory| memory.refuse(carrier, None));
        document["api_keys"] = json!(["another"]);
        assert!(matches!(asked(&document), Err(AskError::Refused(_))), "{carrier}");
    }
}
