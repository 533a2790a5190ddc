//! What holds of both adapters, whatever they are sent.

use aftercart::model::{
    shipment::{Carrier, MAX_EVENTS, MAX_TOLD, Parcel, ParcelStatus, Reason},
    text::Text,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

use super::*;
use crate::carriers::{self, Adapter, Reading};

pub(in crate::carriers) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(in crate::carriers) fn now() -> Timestamp {
    at("2026-11-22T04:00:00Z")
}

/// A parcel with a courier, and the digits that some want.
pub(in crate::carriers) fn parcel(carrier: Carrier, number: &str, courier: &str) -> Parcel {
    let verification = Text::new("3888").ok();
    Parcel { verification, ..carriers::tests::parcel(carrier, number, Some(courier)) }
}

/// A form as they send it, byte for byte.
pub(in crate::carriers) fn form_of(fields: &[(&str, &[u8])]) -> Vec<u8> {
    let encoded =
        |value: &[u8]| value.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&").into_bytes()
}

/// The fields of one of our calls.
pub(in crate::carriers) fn sent(request: &Request<Bytes>) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body()).into_owned().collect()
}

/// The scans in short: time in China, status, reason, code, place.
pub(in crate::carriers) fn scans(reading: &Reading) -> Vec<String> {
    let reason = |reason: Option<Reason>| reason.map_or("", Reason::as_str);
    let events = reading.told.iter().flat_map(|push| &push.events);
    let short = events.map(|scan| {
        let place = scan.place.as_ref().map_or("", |place| place.as_str());
        let words = [scan.status.as_str(), reason(scan.reason), scan.code.as_str(), place];
        format!("{} {}", shown(scan.at), words.join("|"))
    });
    short.collect()
}

/// What a carrier sends, and where things are in it.
struct Sample {
    carrier: Carrier,
    field: &'static str,
    content: Value,
    list: &'static str,
    time: &'static str,
}

impl Sample {
    fn adapter(&self) -> &'static dyn Adapter {
        carriers::of(self.carrier)
    }

    fn body(&self, content: &[u8]) -> Vec<u8> {
        form_of(&[("RequestType", b"102"), (self.field, content)])
    }

    fn read(&self, content: &Value) -> Result<Reading, Malformed> {
        self.adapter().read(&self.body(content.to_string().as_bytes()), now())
    }

    fn with_scans(&self, scans: Vec<Value>) -> Value {
        let mut content = self.content.clone();
        *content.pointer_mut(self.list).unwrap() = scans.into();
        content
    }

    fn scans(&self) -> Vec<Value> {
        self.content.pointer(self.list).unwrap().as_array().unwrap().clone()
    }
}

fn samples() -> [Sample; 2] {
    let days =
        [("16 09:00:00", "103", "1"), ("17 21:30:00", "1002", "201"), ("18 08:15:10", "5", "202")];
    let kuaidi100 = days.map(|(time, code, _)| {
        json!({ "ftime": format!("2026-11-{time}"), "statusCode": code, "areaName": "上海" })
    });
    let kdniao = days.map(|(time, _, code)| {
        json!({ "AcceptTime": format!("2026-11-{time}"), "Action": code, "Location": "上海" })
    });
    [
        Sample {
            carrier: Carrier::Kuaidi100,
            field: "param",
            content: json!({ "status": "polling", "lastResult": {
                "nu": "YT1234567890", "com": "yuantong", "state": "5", "data": kuaidi100,
            } }),
            list: "/lastResult/data",
            time: "ftime",
        },
        Sample {
            carrier: Carrier::Kdniao,
            field: "RequestData",
            content: json!({ "EBusinessID": "1", "PushTime": "2026-11-18 09:00:00", "Data": [{
                "LogisticCode": "YT1234567890", "ShipperCode": "YTO", "State": "2",
                "StateEx": "202", "Success": true, "Traces": kdniao,
            }] }),
            list: "/Data/0/Traces",
            time: "AcceptTime",
        },
    ]
}

/// The places of everything in a value.
fn pointers(value: &Value, here: String, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(member, format!("{here}/{name}"), all);
            }
        }
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                pointers(item, format!("{here}/{position}"), all);
            }
        }
        _ => {}
    }
    all.push(here);
}

#[test]
fn the_tables_are_read_and_say_where_they_are_from() {
    for carrier in [Carrier::Kuaidi100, Carrier::Kdniao] {
        let table = carriers::codes::of(carrier);
        assert!(table.source.starts_with("https://") && !table.edition.is_empty(), "{carrier}");
        assert!(table.codes.len() > 40 && table.details.is_empty(), "{carrier}");
        for (word, code) in &table.codes {
            assert!(code.status.is_some_and(|it| it != ParcelStatus::Unknown), "{word}");
            // A name stands for its number.
            if let Some(number) = table.codes.get(&code.about) {
                assert_eq!((number.status, number.reason), (code.status, code.reason), "{word}");
                assert!(number.about.starts_with(&format!("{word}:")), "{word}");
            }
        }
    }
}

#[test]
fn moments_are_shown_as_in_china() {
    assert_eq!(shown(at("2026-11-21T20:05:06.789Z")), "2026-11-22 04:05:06");
}

#[test]
fn a_time_ahead_is_marked_with_the_present() {
    for sample in samples() {
        let mut scans = sample.scans();
        scans[1][sample.time] = "2026-11-22 12:00:01".into();
        let reading = sample.read(&sample.with_scans(scans)).unwrap();
        let marks = reading.told[0].events.iter().map(|scan| scan.told_at).collect::<Vec<_>>();
        let told = if sample.carrier == Carrier::Kdniao {
            "2026-11-18T01:00:00Z"
        } else {
            "2026-11-22T04:00:00Z"
        };
        assert_eq!(marks, [None, None, Some(at(told))], "{}", sample.carrier);
    }
}

#[test]
fn long_lists_are_told_in_parts_and_the_oldest_of_too_many_are_left_out() {
    for sample in samples() {
        let mut scan = sample.scans()[0].clone();
        let scans = (0..2_000).map(|n| {
            scan[sample.time] =
                shown(at("2026-11-01T00:00:00Z").plus(Period::of_seconds(n))).into();
            scan.clone()
        });
        let reading = sample.read(&sample.with_scans(scans.collect())).unwrap();
        assert!(reading.told.iter().all(|push| push.events.len() <= MAX_EVENTS));
        assert_eq!(scans_of(&reading), MAX_TOLD);
        let newest = reading.told.last().and_then(|push| push.events.last()).unwrap();
        assert_eq!(newest.at, at("2026-11-01T00:33:19Z"));
        assert_eq!(reading.unreadable, 2_000 - u32::try_from(MAX_TOLD).unwrap());
    }
}

fn scans_of(reading: &Reading) -> usize {
    reading.told.iter().map(|push| push.events.len()).sum()
}

proptest! {
    #[test]
    fn a_damaged_body_never_panics(place in any::<Index>(), byte in any::<u8>()) {
        for sample in samples() {
            let adapter = sample.adapter();
            let json = sample.content.to_string().into_bytes();
            for whole in [sample.body(&json), json.clone()] {
                let mut bytes = whole;
                let at = place.index(bytes.len());
                let _cut = adapter.read(&bytes[..at], now());
                let _cut = adapter.read(&sample.body(&bytes[..at]), now());
                bytes[at] = byte;
                let _changed = adapter.read(&bytes, now());
                let _changed = adapter.read(&sample.body(&bytes), now());
            }
        }
    }

    #[test]
    fn a_cut_json_is_refused(place in any::<Index>()) {
        for sample in samples() {
            let json = sample.content.to_string().into_bytes();
            let cut = sample.body(&json[..place.index(json.len())]);
            let refused = sample.adapter().read(&cut, now()).unwrap_err();
            prop_assert!(refused.field.starts_with(sample.field));
        }
    }

    #[test]
    fn wrong_types_never_tell_of_other_scans(place in any::<Index>(), wrong in 0_usize..8) {
        let wrongs = [
            json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("💥".repeat(500)),
            json!([[]]), json!({ "a": [1] }),
        ];
        for sample in samples() {
            let whole = scans(&sample.read(&sample.content).unwrap());
            let mut places = Vec::new();
            pointers(&sample.content, String::new(), &mut places);
            let mut content = sample.content.clone();
            *content.pointer_mut(&places[place.index(places.len())]).unwrap() = wrongs[wrong].clone();
            let Ok(reading) = sample.read(&content) else { continue };
            // At most one scan is told otherwise than it was.
            let told = scans(&reading);
            let others = told.iter().filter(|scan| !whole.contains(scan)).count();
            prop_assert!(others <= 1, "{:?}", told);
        }
    }

    #[test]
    fn order_and_repetition_make_no_difference(more in vec(any::<Index>(), 0..9), mixed in any::<u64>()) {
        for sample in samples() {
            let scans = sample.scans();
            let mut other: Vec<Value> = more.iter().map(|it| it.get(&scans).clone()).collect();
            other.extend(scans);
            let len = other.len();
            other.rotate_left(usize::try_from(mixed % 97).unwrap() % len);
            let later = now().plus(Period::of_days(3));
            let body = sample.body(sample.with_scans(other).to_string().as_bytes());
            let repeated = sample.adapter().read(&body, later).unwrap();
            prop_assert_eq!(repeated, sample.read(&sample.content).unwrap());
        }
    }

    #[test]
    fn what_is_not_utf_8_is_refused(place in any::<Index>(), lead in 0x81_u8..=0xfe, trail in 0x40_u8..0x7f) {
        // Two bytes of GBK; the second is a letter, so it is no UTF-8.
        for sample in samples() {
            let mut bytes = sample.content.to_string().into_bytes();
            let at = place.index(bytes.len());
            bytes.splice(at..at, [lead, trail]);
            let refused = sample.adapter().read(&sample.body(&bytes), now()).unwrap_err();
            prop_assert_eq!(refused.field, sample.field);
            prop_assert!(refused.detail.contains("not UTF-8"));
        }
    }

    #[test]
    fn a_zone_is_taken_as_it_is(hours in -12_i32..=14) {
        for sample in samples() {
            let mut scans = sample.scans();
            let sign = if hours < 0 { '-' } else { '+' };
            let text = format!("2026-11-16T09:00:00{sign}{:02}:00", hours.abs());
            scans[0][sample.time] = text.as_str().into();
            let reading = sample.read(&sample.with_scans(scans)).unwrap();
            let first = reading.told[0].events.iter().find(|scan| !scan.zone_assumed).unwrap();
            prop_assert_eq!(first.at, at(&text));
            prop_assert_eq!(reading.told[0].events.iter().filter(|it| it.zone_assumed).count(), 2);
        }
    }
}
