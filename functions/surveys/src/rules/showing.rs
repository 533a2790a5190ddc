//! A survey as an app shows it.

use aftercart::model::{
    customer::Language,
    survey::{
        Answer, Delivered, Given, Invite, Kind, MAX_COMMENT, Question, QuestionId, Touchpoint,
    },
    time::Timestamp,
};

use crate::{
    rules::answering,
    wire::{AnswerView, ChoiceView, QuestionView, Said, ScaleView, SurveyPoints, SurveyView},
    words,
};

/// An answer, and what it brings.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// What was answered.
    pub answer: &'a Answer,
    /// Until when it can be corrected.
    pub correctable_until: Timestamp,
    /// What it brings.
    pub points: Option<SurveyPoints>,
    /// Whether somebody will be in touch.
    pub follow_up: bool,
}

/// The survey of an invitation, with its answer.
#[must_use]
pub fn view(
    invite: &Invite,
    products: &[Delivered],
    touchpoint: &Touchpoint,
    answered: Option<Answered<'_>>,
    language: Language,
) -> SurveyView {
    let questions = touchpoint.questions.iter().enumerate();
    SurveyView {
        touchpoint: touchpoint.id.clone(),
        occasion: invite.occasion,
        language,
        title: words::title(invite.occasion, language).0.to_owned(),
        expires: invite.expires,
        questions: questions
            .map(|(place, question)| self::question(place, question, invite, language))
            .collect(),
        products: products.iter().map(Into::into).collect(),
        answer: answered.map(|it| {
            let given = invite.about.named(&it.answer.given);
            let answer = Answer { given, ..it.answer.clone() };
            self::answer(&answer, it.correctable_until, touchpoint)
        }),
        points: answered.and_then(|it| it.points),
        follow_up: answered.is_some_and(|it| it.follow_up),
    }
}

/// An answer as it was recorded, in the form in which it is given.
#[must_use]
pub fn answer(
    answer: &Answer,
    correctable_until: Timestamp,
    touchpoint: &Touchpoint,
) -> AnswerView {
    let said = |(id, given): (&QuestionId, &Given)| (id.clone(), said(given, id, touchpoint));
    AnswerView {
        answers: answer.given.iter().map(said).collect(),
        answered_at: answer.at,
        revision: answer.revision,
        correctable_until,
    }
}

fn said(given: &Given, id: &QuestionId, touchpoint: &Touchpoint) -> Said {
    let is_one = || {
        let question = touchpoint.question(id);
        question.is_some_and(|it| matches!(it.kind, Kind::Single { .. }))
    };
    match given {
        Given::Score(score) => Said::Score((*score).into()),
        Given::Choices(taken) if is_one() => {
            Said::Text(taken.iter().map(ToString::to_string).collect())
        }
        Given::Choices(taken) => Said::Choices(taken.iter().map(ToString::to_string).collect()),
        Given::Text(text) => Said::Text(text.to_string()),
        Given::Products(tastes) => {
            Said::Products(tastes.iter().map(|(sku, it)| (sku.to_string(), *it)).collect())
        }
    }
}

fn question(
    place: usize,
    question: &Question,
    invite: &Invite,
    language: Language,
) -> QuestionView {
    let kind = &question.kind;
    let (lowest, highest) = words::ends(kind, language);
    QuestionView {
        id: question.id.clone(),
        kind: name(kind).to_owned(),
        ask: words::ask(question, invite.occasion, language).to_owned(),
        scale: kind.scale().map(|scale| ScaleView {
            from: scale.0,
            to: scale.1,
            lowest: lowest.to_owned(),
            highest: highest.to_owned(),
        }),
        choices: kind
            .choices()
            .iter()
            .map(|it| ChoiceView { id: it.id.clone(), title: it.title.text(language).to_owned() })
            .collect(),
        most: match kind {
            Kind::Multiple { most, .. } => Some(*most),
            _ => None,
        },
        characters: (*kind == Kind::Text).then_some(MAX_COMMENT).and_then(|it| it.try_into().ok()),
        when: question.when.clone(),
        required: answering::is_required(place, question),
    }
}

const fn name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Nps => "nps",
        Kind::Csat => "csat",
        Kind::Ces => "ces",
        Kind::Stars => "stars",
        Kind::Single { .. } => "single",
        Kind::Multiple { .. } => "multiple",
        Kind::Text => "text",
        Kind::Products => "products",
    }
}
