//! The parts of the page: each question as it is shown.

use aftercart::model::{
    customer::Language,
    survey::{Comparison, Delivered, Kind, MAX_COMMENT, Question, QuestionId, Touchpoint, When},
};

use crate::{
    rules::answering::{self, Fault, Faults},
    words,
};

use super::{
    Asked,
    form::{DISLIKE, Form, LIKE},
};

/// A question.
pub(super) struct QuestionPart<'a> {
    pub(super) id: &'a str,
    pub(super) ask: &'a str,
    pub(super) optional: bool,
    /// Whether the browser sees to it that it is answered. It cannot, where it
    /// may be hidden.
    pub(super) required: bool,
    pub(super) fault: Option<String>,
    /// What describes it, by the names of elements.
    pub(super) described_by: String,
    pub(super) body: Body<'a>,
}

/// How it is answered.
pub(super) enum Body<'a> {
    Scale { class: &'static str, star: bool, scores: Vec<ScorePart>, ends: words::TitleAndText },
    Choices { several: bool, hint: Option<String>, choices: Vec<ChoicePart<'a>> },
    Text { typed: String, most: usize },
    Products(Vec<ProductPart<'a>>),
}

pub(super) struct ScorePart {
    pub(super) score: u8,
    pub(super) chosen: bool,
}

pub(super) struct ChoicePart<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) chosen: bool,
}

pub(super) struct ProductPart<'a> {
    pub(super) field: String,
    pub(super) title: &'a str,
    pub(super) likes: bool,
    pub(super) dislikes: bool,
}

/// The questions of a survey, filled in, with what is wrong. One about products
/// is left out where there are none.
pub(super) fn questions<'a>(
    asked: &Asked<'a>,
    form: &Form,
    faults: &Faults,
) -> Vec<QuestionPart<'a>> {
    let products = asked.products;
    let shown = |question: &Question| question.kind != Kind::Products || !products.is_empty();
    let questions = asked.touchpoint.questions.iter().enumerate();
    let questions = questions.filter(|(_, question)| shown(question));
    let part = |(place, question): (usize, &'a Question)| {
        let fault = faults.get(&question.id).map(|fault| fault_words(*fault, asked.language));
        let body = body(question, products, form, asked.language);
        QuestionPart {
            id: question.id.as_str(),
            ask: words::ask(question, asked.invite.occasion, asked.language),
            optional: !answering::is_required(place, question),
            required: answering::is_required(place, question) && question.when.is_none(),
            described_by: described_by(&question.id, fault.is_some(), body.has_hint()),
            fault,
            body,
        }
    };
    questions.map(part).collect()
}

fn described_by(id: &QuestionId, faulty: bool, hinted: bool) -> String {
    let parts = [("f", faulty), ("h", hinted)].into_iter().filter(|(_, is_there)| *is_there);
    parts.map(|(part, _)| format!("{part}-{id}")).collect::<Vec<String>>().join(" ")
}

impl Body<'_> {
    fn has_hint(&self) -> bool {
        match self {
            Self::Scale { .. } | Self::Text { .. } => true,
            Self::Choices { hint, .. } => hint.is_some(),
            Self::Products(_) => false,
        }
    }
}

fn body<'a>(
    question: &'a Question,
    products: &'a [Delivered],
    form: &Form,
    language: Language,
) -> Body<'a> {
    let field = question.id.as_str();
    match &question.kind {
        kind @ (Kind::Nps | Kind::Csat | Kind::Ces | Kind::Stars) => Body::Scale {
            class: match kind {
                Kind::Nps => "eleven",
                Kind::Ces => "seven",
                _ => "five",
            },
            star: *kind == Kind::Stars,
            scores: scores(kind)
                .map(|score| ScorePart { score, chosen: form.has(field, &score.to_string()) })
                .collect(),
            ends: words::ends(kind, language),
        },
        Kind::Single { .. } => choices(question, form, None, language),
        Kind::Multiple { most, .. } => {
            let fewer = usize::from(*most) < question.kind.choices().len();
            let hint = fewer.then(|| words::at_most(*most, language));
            choices(question, form, hint, language)
        }
        Kind::Text => Body::Text { typed: form.text(field), most: MAX_COMMENT },
        Kind::Products => {
            let part = |product: &'a Delivered| {
                let field = format!("{field}.{}", product.sku);
                let (likes, dislikes) = (form.has(&field, LIKE), form.has(&field, DISLIKE));
                ProductPart { title: product.title.as_str(), field, likes, dislikes }
            };
            Body::Products(products.iter().map(part).collect())
        }
    }
}

/// Every score of a kind of question.
fn scores(kind: &Kind) -> impl Iterator<Item = u8> + use<> {
    kind.scale().into_iter().flat_map(|(lowest, highest)| lowest..=highest)
}

fn choices<'a>(
    question: &'a Question,
    form: &Form,
    hint: Option<String>,
    language: Language,
) -> Body<'a> {
    let choices = question.kind.choices().iter().map(|choice| ChoicePart {
        id: choice.id.as_str(),
        title: choice.title.text(language),
        chosen: form.has(question.id.as_str(), choice.id.as_str()),
    });
    let several = matches!(question.kind, Kind::Multiple { .. });
    Body::Choices { several, hint, choices: choices.collect() }
}

fn fault_words(fault: Fault, language: Language) -> String {
    let words = words::of(language);
    let fixed = match fault {
        Fault::Scale { from, to } => return words::scale_fault(from, to, language),
        Fault::TooMany { most } => return words::at_most(most, language),
        Fault::Missing => words.missing,
        Fault::Choice | Fault::Choices | Fault::Products => words.choice,
        Fault::TooLong => words.too_long,
        Fault::Unreadable => words.unreadable,
    };
    fixed.to_owned()
}

/// The rules that hide what is not asked after what is chosen, for browsers
/// that can tell (`:has`); the others show every question, and what is said to
/// one that is not asked is not kept. Names in them are plain, so that they need
/// no escape.
pub(super) fn branching(touchpoint: &Touchpoint) -> String {
    let mut rules = String::new();
    for question in &touchpoint.questions {
        // One that depends on a hidden one is hidden with it.
        let mut needs = question.when.as_ref();
        for _ in 0..touchpoint.questions.len() {
            let Some(when) = needs else { break };
            let Some(earlier) = touchpoint.question(&when.question) else { break };
            let chosen = chosen(earlier, when);
            let rule =
                format!("form:not(:has({chosen})) #q-{} {{ display: none; }}\n", question.id);
            rules.push_str(&rule);
            needs = earlier.when.as_ref();
        }
    }
    rules
}

/// What is chosen when a question is asked, as a list of selectors.
fn chosen(earlier: &Question, when: &When) -> String {
    let those = |fits: &dyn Fn(u8) -> bool| -> Vec<String> {
        let scores = scores(&earlier.kind).filter(|score| fits(*score));
        scores.map(|score| score.to_string()).collect()
    };
    let values = match &when.is {
        Comparison::AtMost(most) => those(&|score| score <= *most),
        Comparison::AtLeast(least) => those(&|score| score >= *least),
        Comparison::Chose(choices) => choices.iter().map(ToString::to_string).collect(),
    };
    let one = |value: &String| format!("[name=\"{}\"][value=\"{value}\"]:checked", earlier.id);
    values.iter().map(one).collect::<Vec<String>>().join(", ")
}
