//! What a short text says: its language, whether it is glad, what it is about,
//! which of its words alarm, and the text with personal data masked.
//!
//! For English and simplified Chinese, by lists of words and weights that lie
//! next to this file; nothing is asked of anybody, so it works offline and
//! always says the same of the same text. How often it is right is measured on
//! labelled examples that it was not made with (`insight/tests`), and told in
//! `docs/feedback.md`. It is made to sort what people then read, not to decide
//! anything about a buyer alone.

use std::collections::BTreeMap;

use aftercart::model::{customer::Language, feedback::Sentiment, text::Text, ticket::Topic};

mod alarms;
mod language;
mod masking;
mod topics;
mod words;

mod sentiment;

pub use alarms::{FRAUD, INJURY, LEGAL, SAFETY, alarms};
pub use language::language;
pub use masking::mask;
pub use sentiment::sentiment;
pub use topics::topics;
pub use words::length;

/// Words that alarm, by the name of their kind, as a policy adds them to those
/// that are known: `care.alarms`.
///
/// A word of Latin letters, or several of them, is found where it stands as
/// such, in capitals or not; one that ends with `*` with any ending. A word in
/// Chinese is found anywhere.
pub type Alarms = BTreeMap<Text<40>, Vec<Text<40>>>;

/// What a text says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its language, if it is one of those that can be read.
    pub language: Option<Language>,
    /// How it sounds, if it can be read.
    pub sentiment: Option<Sentiment>,
    /// What it is about, what is mentioned most first; nothing if no known word
    /// is in it.
    pub topics: Vec<Topic>,
    /// The kinds of alarming words in it, the suite's own first, worst first.
    pub alarms: Vec<Text<40>>,
    /// The text with personal data masked: never longer than the text itself,
    /// so it fits wherever that does.
    pub masked: String,
}

/// Reads a text, and looks for these words too besides those that are known to
/// alarm.
#[must_use]
pub fn read(text: &str, more: &Alarms) -> Reading {
    let language = language(text);
    Reading {
        language,
        sentiment: language.map(|language| sentiment(text, language)),
        topics: topics(text),
        alarms: alarms(text, more),
        masked: mask(text),
    }
}
