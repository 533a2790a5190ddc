//! What operators get of what buyers wrote.

use aftercart::model::{
    customer::{CustomerId, Language},
    feedback::{Comment, Feedback, Sentiment, Valued},
    id::{InviteId, OrderId},
    survey::{MAX_COMMENT, Occasion, QuestionId, TouchpointId},
    tally::Month,
    text::Text,
    ticket::Topic,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A page of feedback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackPage {
    /// Of which month of UTC.
    pub month: Month,
    /// Latest first.
    pub feedback: Vec<FeedbackFile>,
    /// Where the next page begins, if there may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// What a buyer wrote in a survey, and how it reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackFile {
    /// In answer to which invitation.
    pub invite: InviteId,
    /// Of which survey.
    pub touchpoint: TouchpointId,
    /// On what occasion.
    pub occasion: Occasion,
    /// About which order, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Who wrote it.
    pub customer: CustomerId,
    /// When the answer was first given.
    pub at: Timestamp,
    /// Of which revision of the answer this is.
    pub revision: u32,
    /// What was answered to the first question, if that asks for a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<u8>,
    /// The words; none if a correction took them back.
    pub comments: Vec<FeedbackComment>,
    /// Their language, if it is one that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// How they sound, if they can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<Sentiment>,
    /// What they are about, what is mentioned most first.
    pub topics: Vec<Topic>,
    /// The kinds of alarming words in them.
    pub alarms: Vec<Text<40>>,
    /// That it was called valuable, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valued: Option<FeedbackValued>,
}

/// What was written in answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackComment {
    /// Which question.
    pub question: QuestionId,
    /// The words; `[mail]`, `[phone]`, `[card]`, `[iban]`, `[id]` and `[link]`
    /// stand for personal data.
    pub text: Text<MAX_COMMENT>,
}

/// That feedback was called valuable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackValued {
    /// When.
    pub at: Timestamp,
    /// By which operator; by the policy's rule if there is nobody here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Text<128>>,
}

impl From<Feedback> for FeedbackFile {
    fn from(feedback: Feedback) -> Self {
        let comment = |Comment { question, text }| FeedbackComment { question, text };
        Self {
            invite: feedback.invite,
            touchpoint: feedback.touchpoint,
            occasion: feedback.occasion,
            order: feedback.order,
            customer: feedback.customer,
            at: feedback.at,
            revision: feedback.revision,
            score: feedback.score,
            comments: feedback.comments.into_iter().map(comment).collect(),
            language: feedback.language,
            sentiment: feedback.sentiment,
            topics: feedback.topics,
            alarms: feedback.alarms,
            valued: feedback.valued.map(|Valued { at, by }| FeedbackValued { at, by }),
        }
    }
}
