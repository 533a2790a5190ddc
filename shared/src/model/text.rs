//! Text from outside, within bounds.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A trimmed text of 1 to `MAX` characters without control characters.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Text<const MAX: usize>(String);

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than the field takes.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The most characters the field takes.
        max: usize,
    },
    /// A line break, an escape or another control character.
    #[error("must not hold control characters")]
    Control,
}

/// Whether a text has the form of a key that a caller draws at random: 16 to
/// 128 printable ASCII characters without spaces. A UUID has it.
#[must_use]
pub fn is_key(text: &str) -> bool {
    (16..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

/// A type of text of its own: kept as it is written, read by its `parse`,
/// which fails with the error.
macro_rules! written {
    ($(#[$doc:meta])* $name:ident, $error:ty) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// The text as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(written: $name) -> Self {
                written.0
            }
        }
    };
}
pub(crate) use written;

/// A type of names, of 1 to `$max` bytes each of which `$fits`, and the error
/// that says so.
macro_rules! names {
    (
        $(#[$doc:meta])* $name:ident($max:literal, $fits:expr);
        $(#[$why:meta])* $error:ident = $remedy:literal;
    ) => {
        crate::model::text::written! { $(#[$doc])* $name, $error }

        $(#[$why])*
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($remedy)]
        pub struct $error;

        impl $name {
            /// The name written as `text`.
            ///
            /// # Errors
            /// When it has not the form of one.
            pub fn parse(text: &str) -> Result<Self, $error> {
                let fits: fn(u8) -> bool = $fits;
                if (1..=$max).contains(&text.len()) && text.bytes().all(fits) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err($error)
                }
            }
        }
    };
}
pub(crate) use names;

/// Whether a byte is one of `a-z 0-9 -`.
pub(crate) fn is_plain(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

impl<const MAX: usize> Text<MAX> {
    /// The text without white space at its ends.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn new(text: &str) -> Result<Self, TextError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(TextError::Control);
        }
        if text.chars().count() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        Ok(Self(text.to_owned()))
    }

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const MAX: usize> TryFrom<String> for Text<MAX> {
    type Error = TextError;
    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(&text)
    }
}

impl<const MAX: usize> From<Text<MAX>> for String {
    fn from(text: Text<MAX>) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_counted_in_characters() {
        assert_eq!(Text::<2>::new(" 茶茶 ").map(String::from), Ok("茶茶".to_owned()));
        assert_eq!(Text::<2>::new("茶茶茶"), Err(TextError::TooLong { max: 2 }));
        assert_eq!(Text::<2>::new(" \t "), Err(TextError::Empty));
        assert_eq!(Text::<9>::new("a\u{1b}b"), Err(TextError::Control));
    }
}
