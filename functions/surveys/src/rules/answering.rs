//! What is an answer: a score, and perhaps a comment.

use aftercart::model::{
    survey::MAX_COMMENT,
    text::{Text, TextError},
};

/// The highest score; the lowest is 0 (the scale of the Net Promoter Score).
pub const SCORE_MAX: u8 = 10;

/// What stands for bytes that are no UTF-8 once they were decoded.
const REPLACEMENT: char = '\u{fffd}';

/// What is wrong with a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The score must be a whole number from 0 to {SCORE_MAX}.")]
pub struct ScoreFault;

/// What is wrong with a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommentFault {
    /// Longer than what is kept.
    #[error("The comment must have at most {MAX_COMMENT} characters.")]
    TooLong,
    /// Control characters, or bytes that are no text.
    #[error("The comment must be plain text in UTF-8, without control characters.")]
    Unreadable,
}

/// A score.
///
/// # Errors
/// [`ScoreFault`].
pub fn score(asked: i64) -> Result<u8, ScoreFault> {
    u8::try_from(asked).ok().filter(|score| *score <= SCORE_MAX).ok_or(ScoreFault)
}

/// A comment. Line breaks and tabs become single spaces; nothing but white
/// space is no comment.
///
/// # Errors
/// [`CommentFault`].
pub fn comment(typed: &str) -> Result<Option<Text<MAX_COMMENT>>, CommentFault> {
    if typed.contains(REPLACEMENT) {
        return Err(CommentFault::Unreadable);
    }
    let lines = typed.split(['\r', '\n', '\t']).map(str::trim).filter(|line| !line.is_empty());
    match Text::new(&lines.collect::<Vec<&str>>().join(" ")) {
        Ok(text) => Ok(Some(text)),
        Err(TextError::Empty) => Ok(None),
        Err(TextError::TooLong { .. }) => Err(CommentFault::TooLong),
        Err(TextError::Control) => Err(CommentFault::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn scores_are_0_to_10() {
        for asked in 0..=10 {
            assert_eq!(score(asked).map(i64::from), Ok(asked));
        }
        for asked in [-1, 11, 256, 1_000_000_000, i64::MIN, i64::MAX] {
            assert_eq!(score(asked), Err(ScoreFault), "{asked}");
        }
    }

    #[test]
    fn comments_are_one_line_of_text() {
        let kept = |typed: &str| comment(typed).map(|text| text.map(String::from));
        assert_eq!(kept(" \r\n\t "), Ok(None));
        assert_eq!(kept("很快。\r\n\r\n\t谢谢！ "), Ok(Some("很快。 谢谢！".to_owned())));
        assert_eq!(kept("a\u{fffd}"), Err(CommentFault::Unreadable));
        assert_eq!(kept("a\u{1b}[2J"), Err(CommentFault::Unreadable));
        assert_eq!(kept(&"茶".repeat(MAX_COMMENT + 1)), Err(CommentFault::TooLong));
    }

    proptest! {
        #[test]
        fn what_fits_the_field_fits_the_answer(typed in "[^\\p{Cc}\u{fffd}]{0,1000}(\n[a-z]{0,9}){0,3}") {
            // A browser counts UTF-16 units, of which a character has at least one.
            let units = typed.encode_utf16().count();
            prop_assume!(units <= MAX_COMMENT);
            prop_assert!(comment(&typed).is_ok());
        }
    }
}
