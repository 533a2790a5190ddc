//! Postal codes, compared by their beginnings.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{customer::Country, text::Text};

/// Postal codes, by their beginning. Spaces, hyphens and the case of letters
/// do not count, except that the two parts of a British code stay apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum PostalCodes {
    /// All that begin so.
    Prefix {
        /// The beginning.
        prefix: Text<16>,
    },
    /// All whose beginnings lie between two, these included.
    Range {
        /// The first.
        from: Text<16>,
        /// The last, of the same length.
        to: Text<16>,
    },
}

/// The country whose postal codes have two parts that need to be kept apart.
const TWO_PARTS: &str = "GB";

/// The length of the second part: a digit and two letters (Royal Mail,
/// Programmer's Guide to the Postcode Address File).
const INWARD: usize = 3;

/// A postal code of a country in the form that is compared: capitals, without
/// spaces and hyphens. A British one keeps a space between its parts, so that
/// `KW1 5AA` is not taken for one of the district `KW15`.
#[must_use]
pub fn postal_code(country: &Country, text: &str) -> String {
    let squeezed = squeeze(text);
    let split = squeezed.len().checked_sub(INWARD).and_then(|at| squeezed.split_at_checked(at));
    match split {
        Some((outward, inward)) if country.as_str() == TWO_PARTS => format!("{outward} {inward}"),
        _ => squeezed,
    }
}

fn squeeze(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_uppercase).collect()
}

/// The beginning of a code in the form that is compared. In a British one the
/// document's author says by a space where the second part begins.
fn beginning(country: &Country, text: &Text<16>) -> String {
    if country.as_str() != TWO_PARTS {
        return squeeze(text.as_str());
    }
    text.as_str().split_whitespace().map(squeeze).collect::<Vec<_>>().join(" ")
}

impl PostalCodes {
    /// Whether a country's postal code that [`postal_code`] made is one of these.
    #[must_use]
    pub fn has(&self, country: &Country, code: &str) -> bool {
        match self {
            Self::Prefix { prefix } => code.starts_with(&beginning(country, prefix)),
            Self::Range { from, to } => {
                let (from, to) = (beginning(country, from), beginning(country, to));
                let beginning = code.get(..from.len());
                beginning.is_some_and(|code| from.as_str() <= code && code <= to.as_str())
            }
        }
    }

    /// Whether it names a beginning, or two in order.
    pub(in crate::model) fn in_order(&self) -> bool {
        match self {
            Self::Prefix { prefix } => !squeeze(prefix.as_str()).is_empty(),
            Self::Range { from, to } => {
                let (from, to) = (squeeze(from.as_str()), squeeze(to.as_str()));
                !from.is_empty() && from.len() == to.len() && from <= to
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn postal_codes_are_compared_by_their_beginning() {
        let prefix = |text| json!({ "prefix": text });
        let range = |from, to| json!({ "from": from, "to": to });
        for (country, code, codes, there) in [
            ("GB", "ct1 1aa", prefix("CT"), true),
            ("GB", "CT11AA", prefix("ct1"), true),
            ("GB", "KW15 1AA", prefix("KW15"), true),
            ("GB", "KW1 5AA", prefix("KW15"), false),
            ("GB", "KW15AA", prefix("KW15"), false),
            ("GB", "KW1 5AA", prefix("KW1  5"), true),
            ("GB", "KW16 3AA", range("KW15", "KW17"), true),
            ("GB", "KW1 6AA", range("KW15", "KW17"), false),
            ("GB", "KW", range("KW15", "KW17"), false),
            ("DE", "10115", range("10115", "14199"), true),
            ("DE", "14 199", range("10115", "14199"), true),
            ("DE", "14200", range("10115", "14199"), false),
            ("DE", "1", range("10115", "14199"), false),
            ("JP", "905-0001", prefix("9050"), true),
            ("FR", "éé", range("é", "è"), false),
        ] {
            let codes: PostalCodes = serde_json::from_value(codes).unwrap();
            let country = Country::try_from(country.to_owned()).unwrap();
            let found = codes.has(&country, &postal_code(&country, code));
            assert_eq!(found, there, "{code} {codes:?}");
        }
    }
}
