//! Changes of inputs, which follow from a number: of bytes, of what lies between
//! separators, and of values in JSON.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// What has broken readers before.
const WORDS: [&[u8]; 34] = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\n\n",
    b" ",
    b"\"",
    b"'",
    b"<script>",
    b"&",
    b"=",
    b"%",
    b"%00",
    b"%ff",
    b"+",
    b",",
    b";",
    b".",
    b"..",
    b"/",
    b"-1",
    b"0",
    b"00",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"1e308",
    b"NaN",
    b"null",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "\u{202e}".as_bytes(),
    "İ".as_bytes(),
    "快".as_bytes(),
    b"0001-01-01T00:00:00Z",
];

/// How many changes an input has at most.
const CHANGES_MAX: usize = 4;

/// How long an input becomes at most.
const LENGTH_MAX: usize = 64 * 1024;

/// The input with some changes, the same for the same number; `other` is
/// another input of the target, of which parts may be taken.
#[must_use]
pub fn mutate(input: &[u8], other: &[u8], number: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(number);
    let mut changed = input.to_vec();
    for _ in 0..rng.usize(1..=CHANGES_MAX) {
        let in_json = rng.bool().then(|| in_json(&changed, &mut rng)).flatten();
        changed = in_json.unwrap_or_else(|| in_bytes(changed, other, &mut rng));
    }
    changed.truncate(LENGTH_MAX);
    changed
}

fn in_bytes(mut input: Vec<u8>, other: &[u8], rng: &mut Rng) -> Vec<u8> {
    let range = |length: usize, rng: &mut Rng| {
        let begin = rng.usize(0..=length);
        begin..begin + rng.usize(0..=(length - begin).min(32))
    };
    let place = range(input.len(), rng);
    match rng.u8(0..6) {
        0 => {
            if let Some(byte) = input.get_mut(place.start) {
                *byte ^= 1 << rng.u8(0..8);
            }
        }
        1 => drop(input.drain(place)),
        2 => {
            let word = rng.choice(WORDS).unwrap_or_default();
            drop(input.splice(place, word.iter().copied()));
        }
        3 => {
            let again = input.get(place.clone()).unwrap_or_default().repeat(rng.usize(1..20));
            drop(input.splice(place.start..place.start, again));
        }
        4 => {
            let taken = range(other.len(), rng);
            let taken = other.get(taken).unwrap_or_default();
            drop(input.splice(place, taken.iter().copied()));
        }
        _ => {
            let word: Vec<u8> = (0..rng.usize(1..8)).map(|_| rng.u8(..)).collect();
            drop(input.splice(place, word));
        }
    }
    input
}

/// The input with a value of its JSON changed, if there is JSON to its end.
fn in_json(input: &[u8], rng: &mut Rng) -> Option<Vec<u8>> {
    let begins = input.iter().position(|byte| matches!(byte, b'{' | b'['))?;
    let (head, body) = input.split_at(begins);
    let mut value: Value = serde_json::from_slice(body).ok()?;
    let count = count(&value);
    change(&mut value, &mut rng.usize(0..count), rng);
    Some([head, value.to_string().as_bytes()].concat())
}

fn count(value: &Value) -> usize {
    let inner: usize = match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    };
    inner + 1
}

/// Changes the value of this place, counted from the outside.
fn change(value: &mut Value, place: &mut usize, rng: &mut Rng) -> bool {
    if *place == 0 {
        *value = instead(value, rng);
        return true;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| change(item, place, rng)),
        Value::Object(members) => members.values_mut().any(|member| change(member, place, rng)),
        _ => false,
    }
}

fn instead(value: &Value, rng: &mut Rng) -> Value {
    match (value, rng.u8(0..4)) {
        (Value::Object(members), 0..=2) => Value::Object(members_changed(members, rng)),
        (Value::Array(items), 0..=2) => Value::Array(items_changed(items, rng)),
        (Value::String(text), 0..=1) => {
            let number = rng.u64(..);
            let bytes = in_bytes(text.clone().into_bytes(), b"", &mut Rng::with_seed(number));
            String::from_utf8_lossy(&bytes).into_owned().into()
        }
        (Value::Number(number), 0..=1) => match number.as_i64() {
            Some(number) => near(number, rng).into(),
            None => json!(0),
        },
        _ => any(rng),
    }
}

fn near(number: i64, rng: &mut Rng) -> i64 {
    let others = [0, 1, -1, number.wrapping_add(1), number.wrapping_sub(1), i64::MAX, i64::MIN];
    let scaled = [number.wrapping_neg(), number.wrapping_mul(10), number.wrapping_mul(1_000_000)];
    let both: Vec<i64> = others.into_iter().chain(scaled).collect();
    rng.choice(both).unwrap_or_default()
}

fn members_changed(members: &Map<String, Value>, rng: &mut Rng) -> Map<String, Value> {
    let mut changed = members.clone();
    let name = rng.choice(members.keys()).cloned();
    match (rng.u8(0..3), name) {
        (0, Some(name)) => drop(changed.remove(&name)),
        (1, Some(name)) => {
            let value = changed.remove(&name).unwrap_or_default();
            drop(changed.insert(format!("{name}x"), value));
        }
        (_, Some(name)) => drop(changed.insert(name, any(rng))),
        (_, None) => drop(changed.insert("x".to_owned(), any(rng))),
    }
    changed
}

fn items_changed(items: &[Value], rng: &mut Rng) -> Vec<Value> {
    let mut changed = items.to_vec();
    let item = rng.choice(items).cloned();
    match (rng.u8(0..4), item) {
        (0, Some(_)) => drop(changed.pop()),
        (1, Some(item)) => changed.push(item),
        (2, Some(item)) => changed.extend(vec![item; 300]),
        _ => changed.push(any(rng)),
    }
    changed
}

fn any(rng: &mut Rng) -> Value {
    let text = rng.choice(WORDS).unwrap_or_default();
    let values = [
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(0.5),
        json!(1e300),
        json!(""),
        json!(String::from_utf8_lossy(text)),
        json!("x".repeat(rng.usize(1..5_000))),
        json!([]),
        json!({}),
        json!([[[[[[[[]]]]]]]]),
    ];
    rng.choice(values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_change_and_most_change_something() {
        let input = br#"stripe push
{"a":[1,"two",{"b":null}],"c":"x"}"#;
        let changed = (0..1_000).filter(|number| {
            let once = mutate(input, b"other", *number);
            assert_eq!(once, mutate(input, b"other", *number));
            once != input
        });
        assert!(changed.count() > 900);
    }

    #[test]
    fn values_of_json_are_changed_within_their_document() {
        let input = br#"{"a":[1,"two",{"b":null}],"c":"x"}"#;
        let mut rng = Rng::with_seed(1);
        for _ in 0..1_000 {
            let changed = in_json(input, &mut rng).unwrap();
            assert!(serde_json::from_slice::<Value>(&changed).is_ok());
        }
        assert_eq!(in_json(b"a=1&b=2", &mut rng), None);
    }
}
