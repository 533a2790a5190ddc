//! What is an answer: to the questions that are asked, what can be said to
//! them. A question that is asked after a certain answer only is asked when
//! that was given; what is said to one that is not asked is not kept.
//!
//! Which products an invitation names is not looked up when it is answered: who
//! reads the answer leaves out what the invitation does not name.

use std::collections::BTreeMap;

use aftercart::model::{
    product::Sku,
    survey::{
        Comparison, Given, Kind, MAX_COMMENT, MAX_PRODUCTS, Question, QuestionId, Taste,
        Touchpoint, When,
    },
    text::{Text, TextError},
};

use crate::wire::Said;

/// What stands for bytes that are no UTF-8 once they were decoded.
const REPLACEMENT: char = '\u{fffd}';

/// What is wrong with what was said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing was said.
    #[error("An answer to this question is missing.")]
    Missing,
    /// No number of its scale.
    #[error("The answer must be a whole number from {from} to {to}.")]
    Scale {
        /// The lowest score.
        from: u8,
        /// The highest.
        to: u8,
    },
    /// Not one of what can be chosen.
    #[error("The answer must be one of the choices of the question.")]
    Choice,
    /// Not a list of what can be chosen.
    #[error("The answer must be a list of choices of the question.")]
    Choices,
    /// More than may be chosen.
    #[error("The answer must have at most {most} choices.")]
    TooMany {
        /// The most.
        most: u16,
    },
    /// Longer than what is kept.
    #[error("The answer must have at most {MAX_COMMENT} characters.")]
    TooLong,
    /// No text, control characters, or bytes that are no text.
    #[error("The answer must be plain text in UTF-8, without control characters.")]
    Unreadable,
    /// No products and what is thought of them, or more than are asked about.
    #[error(
        "The answer must say `like` or `dislike` of each of at most {MAX_PRODUCTS} products, by SKU."
    )]
    Products,
}

/// What is wrong with what was said, by question.
pub type Faults = BTreeMap<QuestionId, Fault>;

/// What was answered, by question.
pub type Answers = BTreeMap<QuestionId, Given>;

/// The answers in what was said.
///
/// # Errors
/// [`Faults`] tells what is wrong with each question that is asked.
pub fn read(touchpoint: &Touchpoint, said: &BTreeMap<String, Said>) -> Result<Answers, Faults> {
    let (mut answers, mut faults) = (Answers::new(), Faults::new());
    for (place, question) in touchpoint.questions.iter().enumerate() {
        if !is_asked(question, &answers) {
            continue;
        }
        let required = is_required(place, question);
        let said = said.get(question.id.as_str());
        match said.map(|said| one(&question.kind, said)).transpose() {
            Ok(Some(Some(given))) => drop(answers.insert(question.id.clone(), given)),
            Ok(_) if required => drop(faults.insert(question.id.clone(), Fault::Missing)),
            Ok(_) => {}
            Err(fault) => drop(faults.insert(question.id.clone(), fault)),
        }
    }
    if faults.is_empty() { Ok(answers) } else { Err(faults) }
}

/// Whether a question has to be answered when it is asked. Whoever has an
/// opinion of no product has answered.
#[must_use]
pub fn is_required(place: usize, question: &Question) -> bool {
    (place == 0 || !question.optional) && question.kind != Kind::Products
}

/// Whether a question is asked after these answers to earlier ones.
fn is_asked(question: &Question, answers: &Answers) -> bool {
    let Some(When { question, is }) = &question.when else { return true };
    match (answers.get(question), is) {
        (Some(Given::Score(score)), Comparison::AtMost(most)) => score <= most,
        (Some(Given::Score(score)), Comparison::AtLeast(least)) => score >= least,
        (Some(Given::Choices(taken)), Comparison::Chose(of)) => {
            taken.iter().any(|it| of.contains(it))
        }
        _ => false,
    }
}

/// What was said to one question, or that nothing was.
fn one(kind: &Kind, said: &Said) -> Result<Option<Given>, Fault> {
    match kind {
        Kind::Nps | Kind::Csat | Kind::Ces | Kind::Stars => score(kind, said).map(Some),
        Kind::Single { .. } => match said {
            Said::Text(choice) => choices(kind, std::slice::from_ref(choice)).map(Some),
            _ => Err(Fault::Choice),
        },
        Kind::Multiple { most, .. } => match said {
            Said::Choices(taken) if taken.is_empty() => Ok(None),
            Said::Choices(taken) => match choices(kind, taken)? {
                Given::Choices(taken) if taken.len() > usize::from(*most) => {
                    Err(Fault::TooMany { most: *most })
                }
                given => Ok(Some(given)),
            },
            _ => Err(Fault::Choices),
        },
        Kind::Text => match said {
            Said::Text(typed) => Ok(text(typed)?.map(Given::Text)),
            _ => Err(Fault::Unreadable),
        },
        Kind::Products => match said {
            Said::Products(tastes) if tastes.is_empty() => Ok(None),
            Said::Products(tastes) => products(tastes).map(Some),
            _ => Err(Fault::Products),
        },
    }
}

fn score(kind: &Kind, said: &Said) -> Result<Given, Fault> {
    let Some((from, to)) = kind.scale() else { return Err(Fault::Choice) };
    let Said::Score(said) = said else { return Err(Fault::Scale { from, to }) };
    let score = u8::try_from(*said).ok().filter(|it| (from..=to).contains(it));
    score.map(Given::Score).ok_or(Fault::Scale { from, to })
}

/// The choices, in the order of the question, each once.
fn choices(kind: &Kind, said: &[String]) -> Result<Given, Fault> {
    let known = kind.choices();
    if said.iter().any(|it| known.iter().all(|choice| choice.id.as_str() != it)) {
        return Err(Fault::Choice);
    }
    let taken = known.iter().filter(|choice| said.iter().any(|it| choice.id.as_str() == it));
    Ok(Given::Choices(taken.map(|choice| choice.id.clone()).collect()))
}

/// A text. Line breaks and tabs become single spaces; nothing but white space
/// is no text.
fn text(typed: &str) -> Result<Option<Text<MAX_COMMENT>>, Fault> {
    if typed.contains(REPLACEMENT) {
        return Err(Fault::Unreadable);
    }
    let lines = typed.split(['\r', '\n', '\t']).map(str::trim).filter(|line| !line.is_empty());
    match Text::new(&lines.collect::<Vec<&str>>().join(" ")) {
        Ok(text) => Ok(Some(text)),
        Err(TextError::Empty) => Ok(None),
        Err(TextError::TooLong { .. }) => Err(Fault::TooLong),
        Err(TextError::Control) => Err(Fault::Unreadable),
    }
}

fn products(tastes: &BTreeMap<String, Taste>) -> Result<Given, Fault> {
    let one = |(sku, taste): (&String, &Taste)| Some((Sku::parse(sku).ok()?, *taste));
    let read: Option<BTreeMap<Sku, Taste>> = tastes.iter().map(one).collect();
    let read = read.filter(|tastes| tastes.len() <= MAX_PRODUCTS);
    read.map(Given::Products).ok_or(Fault::Products)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::fixtures::{everything, only, said};

    /// What is read, or the first fault.
    fn reading(touchpoint: &Touchpoint, answers: Value) -> Result<Value, (String, String)> {
        match read(touchpoint, &said(answers)) {
            Ok(answers) => Ok(serde_json::to_value(answers).unwrap()),
            Err(faults) => {
                let (id, fault) = faults.into_iter().next().unwrap();
                Err((id.to_string(), fault.to_string()))
            }
        }
    }

    fn kind(kind: &str) -> Value {
        json!({ "kind": kind })
    }

    fn chooses(kind: &str) -> Value {
        let choice = |id: &str| json!({ "id": id, "title": { "en": id, "zh": id } });
        let choices = json!([choice("a"), choice("b"), choice("c")]);
        match kind {
            "single" => json!({ "kind": kind, "choices": choices }),
            _ => json!({ "kind": kind, "choices": choices, "most": 2 }),
        }
    }

    #[test]
    fn each_kind_takes_what_fits_it() {
        let products = |count: usize| -> Value {
            (0..count)
                .map(|n| (format!("P{n}"), json!("like")))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let many = products(MAX_PRODUCTS + 1);
        for (kind, answer, kept) in [
            (kind("nps"), json!(0), Ok(json!({ "score": 0 }))),
            (kind("nps"), json!(10), Ok(json!({ "score": 10 }))),
            (kind("nps"), json!(11), Err("a whole number from 0 to 10")),
            (kind("nps"), json!(-1), Err("a whole number from 0 to 10")),
            (kind("nps"), json!(i64::MIN), Err("a whole number from 0 to 10")),
            (kind("nps"), json!("9"), Err("a whole number from 0 to 10")),
            (kind("csat"), json!(5), Ok(json!({ "score": 5 }))),
            (kind("csat"), json!(0), Err("a whole number from 1 to 5")),
            (kind("stars"), json!(6), Err("a whole number from 1 to 5")),
            (kind("ces"), json!(7), Ok(json!({ "score": 7 }))),
            (kind("ces"), json!(263), Err("a whole number from 1 to 7")),
            (chooses("single"), json!("b"), Ok(json!({ "choices": ["b"] }))),
            (chooses("single"), json!("d"), Err("one of the choices")),
            (chooses("single"), json!(["a"]), Err("one of the choices")),
            (chooses("multiple"), json!(["c", "a", "c"]), Ok(json!({ "choices": ["a", "c"] }))),
            (chooses("multiple"), json!(["a", "b", "c"]), Err("at most 2 choices")),
            (chooses("multiple"), json!(["a", ""]), Err("one of the choices")),
            (chooses("multiple"), json!("a"), Err("a list of choices")),
            (chooses("multiple"), json!([]), Err("is missing")),
            (kind("text"), json!(" \r\n\t "), Err("is missing")),
            (
                kind("text"),
                json!("很快。\r\n\r\n\t谢谢！ "),
                Ok(json!({ "text": "很快。 谢谢！" })),
            ),
            (kind("text"), json!("a\u{fffd}"), Err("plain text")),
            (kind("text"), json!("a\u{1b}[2J"), Err("plain text")),
            (kind("text"), json!("茶".repeat(1_001)), Err("at most 1000 characters")),
            (kind("text"), json!(9), Err("plain text")),
            (
                kind("products"),
                json!({ "TEA": "like" }),
                Ok(json!({ "products": { "TEA": "like" } })),
            ),
            (kind("products"), json!({ "no sku": "like" }), Err("by SKU")),
            (kind("products"), many.clone(), Err("by SKU")),
            (kind("products"), json!(["TEA"]), Err("by SKU")),
        ] {
            let found = reading(&only(kind.clone()), json!({ "it": answer }));
            match (found, kept) {
                (Ok(found), Ok(kept)) => assert_eq!(found["it"], kept, "{kind} {answer}"),
                (Err((_, found)), Err(fault)) => {
                    assert!(found.contains(fault), "{kind} {answer}: {found}")
                }
                other => panic!("{kind} {answer}: {other:?}"),
            }
        }
        assert_eq!(reading(&only(kind("products")), json!({})), Ok(json!({})), "may be skipped");
        assert!(reading(&only(kind("nps")), json!({})).unwrap_err().1.contains("is missing"));
    }

    #[test]
    fn what_is_not_asked_is_not_kept_and_need_not_be_answered() {
        let score = |score: u8| json!({ "score": score });
        for (answers, kept) in [
            // A happy buyer is not asked what was wrong, whatever a page sent of it.
            (
                json!({ "recommend": 9, "wrong": ["late", "late?"], "damage": "box", "content": 5 }),
                Ok(json!({ "recommend": score(9), "content": score(5) })),
            ),
            (json!({ "recommend": 6, "content": 5 }), Err("wrong")),
            (
                json!({ "recommend": 6, "wrong": ["late"], "damage": "goods", "content": 5 }),
                Ok(
                    json!({ "recommend": score(6), "wrong": { "choices": ["late"] }, "content": score(5) }),
                ),
            ),
            (json!({ "recommend": 6, "wrong": ["damaged"], "content": 5 }), Err("damage")),
            (
                json!({ "recommend": 0, "wrong": ["damaged"], "damage": "box", "content": 1 }),
                Ok(json!({
                    "recommend": score(0), "wrong": { "choices": ["damaged"] },
                    "damage": { "choices": ["box"] }, "content": score(1),
                })),
            ),
            // Hidden with the question on which it depends.
            (
                json!({ "recommend": 7, "wrong": ["damaged"], "damage": "box", "content": 3, "praise": "?" }),
                Ok(json!({ "recommend": score(7), "content": score(3) })),
            ),
            (
                json!({ "recommend": 10, "praise": "Tea", "content": 4 }),
                Ok(json!({
                    "recommend": score(10), "praise": { "text": "Tea" }, "content": score(4),
                })),
            ),
        ] {
            let found = reading(&everything(), answers.clone());
            match kept {
                Ok(kept) => assert_eq!(found, Ok(kept), "{answers}"),
                Err(id) => assert_eq!(found.unwrap_err().0, id, "{answers}"),
            }
        }
        let faults =
            read(&everything(), &said(json!({ "recommend": 11, "effort": 9 }))).unwrap_err();
        let named: Vec<&str> = faults.keys().map(QuestionId::as_str).collect();
        assert_eq!(named, ["content", "effort", "recommend"], "all at once");
    }

    /// What may be said to any question.
    fn anything() -> impl Strategy<Value = Said> {
        let choice = prop::sample::select(vec!["late", "damaged", "box", "goods", "?", ""]);
        let choices = prop::collection::vec(choice.clone().prop_map(str::to_owned), 0..4);
        let taste = prop::sample::select(vec![Taste::Like, Taste::Dislike]);
        prop_oneof![
            (-1..=11_i64).prop_map(Said::Score),
            choice.prop_map(|it| Said::Text(it.to_owned())),
            "\\PC{0,9}".prop_map(Said::Text),
            choices.prop_map(Said::Choices),
            prop::collection::btree_map("[A-Z]{1,3}", taste, 0..3).prop_map(Said::Products),
        ]
    }

    proptest! {
        #[test]
        fn what_was_read_is_asked_and_reads_the_same_again(
            said in prop::collection::btree_map(
                prop::sample::select(everything().questions).prop_map(|it| it.id.to_string()),
                anything(),
                0..9,
            ),
            recommend in 0..=10_i64, content in 1..=5_i64,
        ) {
            let touchpoint = everything();
            let mut said = said;
            said.insert("recommend".to_owned(), Said::Score(recommend));
            said.insert("content".to_owned(), Said::Score(content));
            let Ok(answers) = read(&touchpoint, &said) else { return Ok(()) };
            for question in &touchpoint.questions {
                if answers.contains_key(&question.id) {
                    prop_assert!(is_asked(question, &answers));
                } else if is_asked(question, &answers) {
                    prop_assert!(question.optional);
                }
            }
            // Sent again as it is shown, to an app or in the form.
            let answer = aftercart::model::survey::Answer {
                given: answers.clone(), at: crate::rules::fixtures::day(1), revision: 1,
                language: aftercart::model::customer::Language::En,
            };
            let view = crate::rules::showing::answer(&answer, answer.at, &touchpoint);
            let shown = view.answers.into_iter().map(|(id, it)| (id.to_string(), it)).collect();
            prop_assert_eq!(read(&touchpoint, &shown), Ok(answers.clone()));
            let form = crate::pages::Form::answered(&answer);
            prop_assert_eq!(read(&touchpoint, &form.said(&touchpoint)), Ok(answers));
        }

        #[test]
        fn what_fits_the_field_fits_the_answer(
            typed in "[^\\p{Cc}\u{fffd}]{0,1000}(\n[a-z]{0,9}){0,3}",
        ) {
            // A browser counts UTF-16 units, of which a character has at least one.
            let units = typed.encode_utf16().count();
            prop_assume!(units <= MAX_COMMENT);
            prop_assert!(text(&typed).is_ok());
        }
    }
}
