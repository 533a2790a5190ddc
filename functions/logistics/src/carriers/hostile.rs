//! Bodies that no carrier should send: cut, changed, of wrong types, huge, in
//! another zone or another encoding. None may panic a reader, or have it tell
//! what the body does not say.

use std::collections::BTreeSet;

use aftercart::model::{shipment::MAX_TOLD, time::Timestamp};
use proptest::{prelude::*, sample::Index, test_runner::TestCaseResult};
use serde_json::{Value, json};

use super::{Adapter, MAX_EVENTS, Reading, expected, moment};

/// What takes the place of some value.
pub(super) fn wrong() -> impl Strategy<Value = Value> {
    let texts = [
        "",
        " ",
        "null",
        "2026-13-40T99:99:99Z",
        "2026-11-20T12:00:00+99:99",
        "2026-11-20T12:00:00-11:00",
        "2026-11-20 12:00:00",
        "9999-12-31T23:59:59-23:59",
        "-009999-01-01T00:00:00Z",
        "\u{0}\u{1f}\t\n",
        "\u{202e}\u{feff}\u{1f4e6}",
        "delivered",
    ];
    let text = prop::sample::select(texts.to_vec()).prop_map(Value::from);
    let nested = (0_u8..200).prop_map(|depth| (0..depth).fold(json!(1), |it, _| json!([it])));
    prop_oneof![
        4 => text,
        1 => any::<String>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from),
        1 => (1_usize..100_000).prop_map(|length| "x".repeat(length).into()),
        1 => nested,
        1 => prop::sample::select(vec![json!(null), json!(true), json!([]), json!({})]),
    ]
}

/// The sample with one of its values replaced.
pub(super) fn replaced(sample: &Value, which: Index, wrong: Value) -> Value {
    let mut all = Vec::new();
    pointers(sample, "", &mut all);
    let mut changed = sample.clone();
    let pointer: &String = which.get(&all);
    *changed.pointer_mut(pointer).unwrap() = wrong;
    changed
}

fn pointers(value: &Value, path: &str, all: &mut Vec<String>) {
    all.push(path.to_owned());
    match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, item)| pointers(item, &format!("{path}/{index}"), all)),
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| pointers(value, &format!("{path}/{name}"), all));
        }
        _ => {}
    }
}

/// Whether all that a reading tells is somewhere in the document, whose times
/// have the usual zone where they have none.
pub(super) fn says_no_more(reading: &Reading, document: &Value, usual: &str) -> TestCaseResult {
    let mut said = BTreeSet::new();
    texts(document, &mut said);
    let times: BTreeSet<Timestamp> =
        said.iter().filter_map(|text| moment(text, usual)).map(|it| it.at).collect();
    let is_said = |part: &str| said.iter().any(|text| without_controls(text).contains(part));
    let mut scans = 0;
    for push in &reading.told {
        prop_assert!(push.events.len() <= MAX_EVENTS);
        prop_assert!(push.events.is_sorted());
        scans += push.events.len();
        prop_assert!(
            is_said(push.tracking.number.as_str())
                || is_said(&push.tracking.number.as_str().to_lowercase())
        );
        for scan in &push.events {
            prop_assert!(times.contains(&scan.at), "{} is not said", scan.at);
            let place = scan.place.iter().flat_map(|place| place.as_str().split(", "));
            for part in scan.code.as_str().split('/').chain(place) {
                prop_assert!(is_said(part.trim()), "{part:?} is not said");
            }
        }
        if let Some(estimate) = push.estimate {
            let is_said = said.iter().any(|text| expected(text, usual) == Some(estimate.eta));
            prop_assert!(is_said || times.contains(&estimate.eta), "{} is not said", estimate.eta);
        }
    }
    prop_assert!(scans <= MAX_TOLD);
    prop_assert_eq!(reading.told.is_empty(), reading.ignored.is_some());
    Ok(())
}

fn texts(value: &Value, all: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(all.insert(text.clone())),
        Value::Number(number) => drop(all.insert(number.to_string())),
        Value::Bool(truth) => drop(all.insert(truth.to_string())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, all)),
        Value::Null => {}
    }
}

fn without_controls(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Cuts a body, changes a byte of it, and puts GBK into it.
pub(super) fn damaged(adapter: &dyn Adapter, body: &[u8], at: Index, byte: u8, now: Timestamp) {
    let at = at.index(body.len());
    let _cut = adapter.read(&body[..at], now);
    let mut changed = body.to_vec();
    changed[at] = byte;
    let _changed = adapter.read(&changed, now);
    // The letters of 上海 as GBK.
    let gbk = [&body[..at], b"\xc9\xcf\xba\xa3", &body[at..]].concat();
    let _gbk = adapter.read(&gbk, now);
}
