//! In which language a text is.

use aftercart::model::customer::Language;

use super::{
    sentiment::is_english,
    words::{Flat, is_han},
};

/// Words that are in nearly every English sentence, and in few of others.
const COMMON: [&str; 100] = [
    "the",
    "and",
    "is",
    "it",
    "was",
    "not",
    "this",
    "that",
    "with",
    "for",
    "but",
    "have",
    "had",
    "has",
    "of",
    "to",
    "my",
    "i",
    "you",
    "your",
    "they",
    "them",
    "their",
    "there",
    "were",
    "are",
    "be",
    "been",
    "very",
    "too",
    "would",
    "could",
    "should",
    "will",
    "can",
    "can't",
    "cannot",
    "don't",
    "didn't",
    "doesn't",
    "wasn't",
    "isn't",
    "won't",
    "it's",
    "i'm",
    "i've",
    "what",
    "when",
    "where",
    "which",
    "who",
    "why",
    "how",
    "all",
    "any",
    "from",
    "by",
    "at",
    "on",
    "or",
    "if",
    "as",
    "so",
    "we",
    "our",
    "us",
    "me",
    "he",
    "she",
    "his",
    "her",
    "just",
    "than",
    "then",
    "after",
    "before",
    "again",
    "did",
    "does",
    "out",
    "up",
    "about",
    "only",
    "ever",
    "never",
    "nothing",
    "everything",
    "got",
    "get",
    "because",
    "more",
    "some",
    "one",
    "still",
    "arrived",
    "ordered",
    "delivery",
    "thanks",
    "thank",
    "product",
];

/// The language of a text, if it is one that can be read.
///
/// Chinese is told by its script, unless it comes with Japanese; English by
/// its commonest words and those of which the sentiment is known. Detectors of
/// many languages by sequences of letters need more than the few words of a
/// comment: of pairs of English words they find about a third.
#[must_use]
pub fn language(text: &str) -> Option<Language> {
    let is_kana = |char: char| matches!(char, '\u{3041}'..='\u{30ff}' | '\u{ac00}'..='\u{d7a3}');
    if text.chars().any(is_kana) {
        return None;
    }
    let flat = Flat::of(text);
    let han = text.chars().filter(|char| is_han(*char)).count();
    let words = flat.latin().count();
    if han > 0 && han >= words {
        return Some(Language::Zh);
    }
    let is_known = |word: &&str| COMMON.contains(word) || is_english(word);
    let known = flat.latin().filter(is_known).count();
    (known > 0 && known.saturating_mul(KNOWN) >= words).then_some(Language::En)
}

/// Of how many words one must be known for a text to be English.
const KNOWN: usize = 5;
