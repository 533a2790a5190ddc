//! Codes that buyers type.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// The fewest characters of a code: shorter ones are guessed.
pub const MIN_CODE: usize = 3;

/// The most characters of a code: longer ones are not typed.
pub const MAX_CODE: usize = 32;

/// The longest text that is looked at, in bytes: 32 full-width characters and
/// some white space. Normalisation makes text up to 18 times longer.
const MAX_TYPED: usize = 128;

/// A coupon code in its canonical form: [`MIN_CODE`] to [`MAX_CODE`] of
/// `A-Z 0-9 - _`.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Code(String);

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a code: {MIN_CODE} to {MAX_CODE} of the characters A-Z a-z 0-9 - _")]
pub struct CodeError;

impl Code {
    /// The code that a buyer typed: in Unicode's compatibility form (NFKC of
    /// Unicode Standard Annex 15, so that full-width letters are letters),
    /// without white space at its ends, in capitals.
    ///
    /// # Errors
    /// When it has not the form of a code. Letters of other scripts that look
    /// like Latin ones are refused, not guessed.
    pub fn parse(typed: &str) -> Result<Self, CodeError> {
        if typed.len() > MAX_TYPED {
            return Err(CodeError);
        }
        let normal: String = typed.nfkc().collect();
        let code = normal.trim();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if !(MIN_CODE..=MAX_CODE).contains(&code.len()) || !code.bytes().all(fits) {
            return Err(CodeError);
        }
        Ok(Self(code.to_ascii_uppercase()))
    }

    /// The code in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Code {
    type Error = CodeError;
    fn try_from(text: String) -> Result<Self, CodeError> {
        Self::parse(&text)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> Self {
        code.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_form() {
        for (typed, code) in [
            ("TEA10", Some("TEA10")),
            (" tea10\t", Some("TEA10")),
            ("ｔｅａ１０", Some("TEA10")),
            ("\u{3000}tea_10-x\u{a0}", Some("TEA_10-X")),
            ("te", None),
            ("", None),
            ("tea 10", None),
            // Cyrillic letters, the dotless i, a zero-width joiner, a combining accent.
            ("ТЕА10", None),
            ("tıa10", None),
            ("tea\u{200d}10", None),
            ("te\u{301}a10", None),
            ("a2345678901234567890123456789012", Some("A2345678901234567890123456789012")),
            ("a23456789012345678901234567890123", None),
        ] {
            let parsed = Code::parse(typed).ok();
            assert_eq!(parsed.as_ref().map(Code::as_str), code, "{}", typed.escape_unicode());
        }
        assert_eq!(Code::parse(&"\u{fdfa}".repeat(10_000)), Err(CodeError));
    }
}
