//! What clients send and get in JSON. The page of `GET /s/{token}` sends the
//! same answers as a form.

pub mod feedback;

pub mod report;

use std::collections::BTreeMap;

use aftercart::model::{
    customer::Language,
    product::Sku,
    survey::{ChoiceId, Delivered, MAX_TITLE, Occasion, QuestionId, Taste, TouchpointId, When},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is answered to one question, by its kind: a number to one with a scale,
/// a choice or a text, several choices, or what is thought of products.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "must be a whole number, a text, a list of choices, or by product `like` or \
                 `dislike`"
)]
pub enum Said {
    /// A score.
    Score(i64),
    /// The choice of one, or a text.
    Text(String),
    /// The choices of several.
    Choices(Vec<String>),
    /// By SKU.
    Products(BTreeMap<String, Taste>),
}

/// The body of `POST /s/{token}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSurvey {
    /// By question. What is skipped is left out; what is not asked after what
    /// was answered before is not kept.
    pub answers: BTreeMap<String, Said>,
    /// The revision of the answer that this one corrects, within a day of the
    /// first; left out with the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<u32>,
}

/// An answer as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerView {
    /// By question. Line breaks in texts became spaces.
    pub answers: BTreeMap<QuestionId, Said>,
    /// When it was first given.
    pub answered_at: Timestamp,
    /// 1 as it was first given, one more with each correction.
    pub revision: u32,
    /// Until when it can be corrected.
    pub correctable_until: Timestamp,
}

/// A survey, as `GET /s/{token}` gives it to an app that asks for JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyView {
    /// Its name.
    pub touchpoint: TouchpointId,
    /// On what occasion it is sent.
    pub occasion: Occasion,
    /// The language of the texts.
    pub language: Language,
    /// What it is about, for people.
    pub title: String,
    /// Until when it takes an answer.
    pub expires: Timestamp,
    /// In their order.
    pub questions: Vec<QuestionView>,
    /// The products that a question about products asks about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<SurveyProduct>,
    /// What was answered, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerView>,
    /// What the answer brings, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<SurveyPoints>,
    /// Whether somebody of the shop will be in touch about the answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_up: bool,
}

/// The points for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyPoints {
    /// How many; at most so many, while they are not added.
    pub points: i64,
    /// Whether they were added to the account.
    pub granted: bool,
}

/// A question, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuestionView {
    /// Its name in answers.
    pub id: QuestionId,
    /// `nps`, `csat`, `ces`, `stars`, `single`, `multiple`, `text` or `products`.
    pub kind: String,
    /// What people read.
    pub ask: String,
    /// The scale, of what is answered with a score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<ScaleView>,
    /// What can be chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChoiceView>,
    /// At most so many of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u16>,
    /// At most so many characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<u16>,
    /// After which answer it is asked; always, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// Whether it has to be answered, if it is asked.
    pub required: bool,
}

/// The scale of a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScaleView {
    /// The lowest score.
    pub from: u8,
    /// The highest score.
    pub to: u8,
    /// What the lowest means.
    pub lowest: String,
    /// What the highest means.
    pub highest: String,
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChoiceView {
    /// Its name in answers.
    pub id: ChoiceId,
    /// What people read.
    pub title: String,
}

/// A product that a survey asks about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyProduct {
    /// Which.
    pub sku: Sku,
    /// What people read.
    pub title: Text<MAX_TITLE>,
}

impl From<&Delivered> for SurveyProduct {
    fn from(product: &Delivered) -> Self {
        Self { sku: product.sku.clone(), title: product.title.clone() }
    }
}
