//! What clients send and get in JSON. The page of `GET /s/{token}` sends the
//! same members as a form.

use aftercart::model::{
    survey::{Answer, MAX_COMMENT},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /s/{token}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSurvey {
    /// How likely the buyer is to recommend the shop, 0 to 10.
    pub score: i64,
    /// In the buyer's own words, at most 1,000 characters.
    #[serde(default)]
    pub comment: Option<String>,
}

/// An answer as it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerView {
    /// How likely the buyer is to recommend the shop, 0 to 10.
    pub score: u8,
    /// In the buyer's own words; line breaks became spaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<Text<MAX_COMMENT>>,
    /// When it was recorded.
    pub answered_at: Timestamp,
}

impl From<&Answer> for AnswerView {
    fn from(answer: &Answer) -> Self {
        Self { score: answer.score, comment: answer.comment.clone(), answered_at: answer.at }
    }
}
