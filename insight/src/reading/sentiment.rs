//! Whether a text is glad.

use std::{collections::HashMap, sync::LazyLock};

use aftercart::model::{customer::Language, feedback::Sentiment};

mod chinese;
mod english;

/// How a text in a language sounds.
#[must_use]
pub fn sentiment(text: &str, language: Language) -> Sentiment {
    let (score, least) = match language {
        Language::En => (english::score(text), english::LEAST),
        Language::Zh => (chinese::score(text), chinese::LEAST),
    };
    match score {
        score if score >= least => Sentiment::Positive,
        score if score <= -least => Sentiment::Negative,
        _ => Sentiment::Neutral,
    }
}

/// Whether an English word is one of which the sentiment is known.
pub(super) fn is_english(word: &str) -> bool {
    english::valence(word).is_some()
}

/// What words weigh.
type Weights = HashMap<&'static str, i32>;

/// The weights in a file: on each line a weight, then the words that have it.
fn weights(file: &'static str) -> Weights {
    let mut weights = Weights::new();
    for line in file.lines() {
        let mut words = line.split(' ');
        let weight = words.next().and_then(|it| it.parse().ok()).unwrap_or(0);
        weights.extend(words.map(|word| (word, weight)));
    }
    weights
}

static ENGLISH: LazyLock<Weights> =
    LazyLock::new(|| weights(include_str!("sentiment/english.txt")));
static CHINESE: LazyLock<Weights> =
    LazyLock::new(|| weights(include_str!("sentiment/chinese.txt")));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_weight() {
        for (weights, words) in [(&*ENGLISH, 7_209), (&*CHINESE, 3_763)] {
            assert_eq!(weights.len(), words);
            assert!(weights.iter().all(|(word, weight)| !word.is_empty() && weight.abs() < 100));
        }
    }

    #[test]
    fn how_comments_sound() {
        use Sentiment::{Negative, Neutral, Positive};
        let cases = [
            ("Great, thank you!", Positive),
            ("The lamp does not work.", Negative),
            ("The lamp works.", Positive),
            ("It was not good", Negative),
            ("Not bad at all", Positive),
            ("Nice mug, but it arrived broken", Negative),
            ("It arrived late and the box was crushed", Negative),
            ("It took four days", Neutral),
            ("很好", Positive),
            ("质量不错，物流很快", Positive),
            ("非常满意，会再买", Positive),
            ("快递太慢了", Negative),
            ("不满意", Negative),
            ("客服态度差，退款一直没到", Negative),
            ("今天收到了", Neutral),
            ("还可以吧", Neutral),
        ];
        for (text, expected) in cases {
            let language = super::super::language(text).unwrap();
            assert_eq!(sentiment(text, language), expected, "{text}");
        }
    }
}
