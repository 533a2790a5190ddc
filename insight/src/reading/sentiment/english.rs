//! English: a lexicon of valences, and the rules of VADER for the words around.
//!
//! C. J. Hutto and E. Gilbert, "VADER: A Parsimonious Rule-based Model for
//! Sentiment Analysis of Social Media Text", ICWSM 2014. The lexicon is theirs
//! (Python package `vaderSentiment` 3.3.2, MIT, see `insight/NOTICE.md`): the
//! mean of ten people's ratings, in tenths. Of the rules these are here, in
//! whole numbers: a degree adverb before a word raises or lowers it, a negation
//! before it turns it around and takes a quarter off, and what follows the last
//! "but" counts three times what precedes it. Capitals and emoticons are left
//! out. Added are the words of an order that the lexicon does not have, and
//! that a negation of no such word is a complaint, too: "it does not open".

use std::sync::LazyLock;

use crate::reading::words::folded;

use super::{ENGLISH, Weights, weights};

/// The score of which a text is glad, and less than the negative of which it is
/// not: less than the weakest word.
pub(super) const LEAST: i32 = 4;

/// Words about orders: those that the lexicon lacks, or has for something else.
const SHOP: &str = "\
-30 scam unusable
-25 junk garbage defective faulty ripoff
-22 broken broke flimsy unreliable lousy overpriced counterfeit refund refused
-20 slow slowly late delayed delay delays damaged crushed torn leaked leaking cracked scratched froze freezes crashes crash crashed stopped missing incorrect unhelpful unresponsive misleading
-15 wrong return returned returning returns replace replacement repair hassle noisy cumbersome clunky awkward bulky uncomfortable dented stained smelly smells expired stale mould mold rattles lag laggy glitch glitches buggy flaw flaws dies died failed fails malfunction malfunctioned
-12 expensive waited waiting complaint complained cheaply blurry grainy dim drawback drawbacks downside gripe incompatible inaccurate
-10 unfortunately however except problem problems issue issues heavy short loose tight
10 work works fast quick intuitive sturdy durable compact lightweight stylish quality
12 prompt promptly quickly speedy quiet crisp sharp smooth smoothly responsive versatile affordable
15 sleek flawlessly reliable spacious bargain seamless
20 delicious speedy exactly";

static OF_SHOPS: LazyLock<Weights> = LazyLock::new(|| weights(SHOP));

/// How good a word is, in tenths of -4 to 4, if it is known.
pub(super) fn valence(word: &str) -> Option<i32> {
    OF_SHOPS.get(word).or_else(|| ENGLISH.get(word)).copied()
}

const NEGATIONS: [&str; 22] = [
    "not", "no", "never", "cannot", "cant", "dont", "didnt", "doesnt", "isnt", "wasnt", "wont",
    "couldnt", "wouldnt", "neither", "none", "nor", "nothing", "nowhere", "without", "rarely",
    "seldom", "hardly",
];

const RAISING: [&str; 30] = [
    "absolutely",
    "amazingly",
    "completely",
    "considerably",
    "deeply",
    "enormously",
    "entirely",
    "especially",
    "exceptionally",
    "extremely",
    "fully",
    "greatly",
    "highly",
    "hugely",
    "incredibly",
    "more",
    "most",
    "particularly",
    "purely",
    "quite",
    "really",
    "remarkably",
    "so",
    "thoroughly",
    "totally",
    "tremendously",
    "unbelievably",
    "utterly",
    "very",
    "too",
];

const LOWERING: [&str; 11] = [
    "almost",
    "barely",
    "kinda",
    "less",
    "little",
    "marginally",
    "occasionally",
    "partly",
    "scarcely",
    "slightly",
    "somewhat",
];

/// How much a degree adverb changes a word: 0.293 in the paper, in tenths.
const DEGREE: i32 = 3;

/// How many words before a word change it.
const REACH: usize = 3;

/// What a negation of no known word counts, and how many are counted.
const COMPLAINT: (i32, usize) = (-8, 2);

/// A word, or an end of a clause.
enum Token<'a> {
    Word(&'a str),
    End,
}

pub(super) fn score(text: &str) -> i32 {
    let text: String = text.chars().flat_map(|char| folded(char).to_lowercase()).collect();
    let tokens: Vec<Token<'_>> = tokens(&text);
    let but = tokens.iter().rposition(|token| matches!(token, Token::Word("but")));
    let (mut score, mut complaints) = (0_i32, 0_usize);
    for at in 0..tokens.len() {
        let (before, after) = tokens.split_at(at);
        let (Some(Token::Word(word)), rest) = (after.first(), after.get(1..).unwrap_or_default())
        else {
            continue;
        };
        if is_negation(word) {
            complaints = complaints.saturating_add(usize::from(!negates(rest)));
            continue;
        }
        let Some(valence) = valence(word).filter(|_| !is_degree(word)) else { continue };
        let valence = among(before, valence);
        score = score.saturating_add(match but {
            Some(but) if at < but => valence / 2,
            Some(_) => valence.saturating_mul(3) / 2,
            None => valence,
        });
    }
    let (each, most) = COMPLAINT;
    let complaints = i32::try_from(complaints.min(most)).unwrap_or(0);
    score.saturating_add(each.saturating_mul(complaints))
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let is_part = |char: char| char.is_alphanumeric() || char == '\'';
    let mut tokens = Vec::new();
    for piece in text.split_inclusive(|char| !is_part(char)) {
        let word = piece.trim_end_matches(|char| !is_part(char));
        let trimmed = word.trim_matches('\'');
        if !trimmed.is_empty() {
            tokens.push(Token::Word(trimmed));
        }
        if piece.get(word.len()..).is_some_and(|end| end.contains(['!', '?', '.', ';', ':', ','])) {
            tokens.push(Token::End);
        }
    }
    tokens
}

/// The words before the last one in the same clause, nearest first.
fn near<'a>(before: &'a [Token<'a>]) -> impl Iterator<Item = &'a str> {
    before.iter().rev().take(REACH).map_while(|token| match token {
        Token::Word(word) => Some(*word),
        Token::End => None,
    })
}

/// The valence of a word after others.
fn among(before: &[Token<'_>], valence: i32) -> i32 {
    let sign = valence.signum();
    let mut changed = valence;
    for word in near(before) {
        if RAISING.contains(&word) {
            changed = changed.saturating_add(DEGREE.saturating_mul(sign));
        } else if LOWERING.contains(&word) {
            changed = changed.saturating_sub(DEGREE.saturating_mul(sign));
        }
    }
    match near(before).any(is_negation) {
        true => changed.saturating_mul(-3) / 4,
        false => changed,
    }
}

/// Whether a known word follows closely, which is then what is negated.
fn negates(rest: &[Token<'_>]) -> bool {
    let mut following = rest.iter().take(REACH).map_while(|token| match token {
        Token::Word(word) => Some(*word),
        Token::End => None,
    });
    following.any(|word| valence(word).is_some() && !is_degree(word) && !is_negation(word))
}

fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(&word) || word.ends_with("n't")
}

fn is_degree(word: &str) -> bool {
    RAISING.contains(&word) || LOWERING.contains(&word)
}
