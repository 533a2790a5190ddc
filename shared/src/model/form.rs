//! Forms as bodies of calls, byte for byte: what a field holds may be in any
//! charset, and is signed as the bytes that it is.

use std::collections::BTreeMap;

/// The fields of a form by name, decoded to bytes.
pub type Fields = BTreeMap<Vec<u8>, Vec<u8>>;

/// The fields of a form; none if a name comes twice, because then one reader
/// could check the one and another use the other.
#[must_use]
pub fn fields(body: &[u8]) -> Option<Fields> {
    let mut fields = Fields::new();
    for pair in body.split(|b| *b == b'&').filter(|pair| !pair.is_empty()) {
        let mut parts = pair.splitn(2, |b| *b == b'=');
        let name = decoded(parts.next().unwrap_or_default());
        let value = decoded(parts.next().unwrap_or_default());
        if fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

/// Undoes the encoding of a form: `+` is a space, `%` and two digits a byte.
/// What is no such code stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, next) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, next @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, next),
                _ => (b'%', after),
            },
            (other, _) => (*other, after),
        };
        bytes.push(byte);
        rest = next;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_bytes() {
        let read = fields(b"&a=1+%C9%cf&%62=%zz%4&c&").unwrap();
        let expected = [("a", &b"1 \xc9\xcf"[..]), ("b", b"%zz%4"), ("c", b"")];
        let expected = expected.map(|(name, value)| (name.into(), value.to_vec()));
        assert_eq!(read, Fields::from(expected));
        assert_eq!(fields(b"a=1&%61=2"), None);
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(value in any::<Vec<u8>>()) {
            let encoded: String = value.iter().map(|byte| format!("%{byte:02x}")).collect();
            let read = fields(format!("a={encoded}").as_bytes()).unwrap();
            prop_assert_eq!(read.get(&b"a"[..]), Some(&value));
        }

        #[test]
        fn any_body_is_read_or_refused(body in any::<Vec<u8>>()) {
            let _read = fields(&body);
        }
    }
}
