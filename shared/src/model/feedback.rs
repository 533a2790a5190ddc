//! What buyers wrote in surveys, as the merchant reads it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{CustomerId, Language},
    id::{InviteId, OrderId},
    survey::{MAX_COMMENT, Occasion, QuestionId, TouchpointId},
    text::Text,
    ticket::Topic,
    time::Timestamp,
};

/// Whether a text is glad or not.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Sentiment {
    /// Something was bad.
    Negative,
    /// Neither, both, or not to be told.
    Neutral,
    /// Something was good.
    Positive,
}

/// What was written in answer to one question, personal data masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// Which question.
    pub question: QuestionId,
    /// The words.
    pub text: Text<MAX_COMMENT>,
}

/// That feedback was called valuable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valued {
    /// When.
    pub at: Timestamp,
    /// By whom; by the policy's rule if there is nobody here.
    pub by: Option<Text<128>>,
}

/// What a buyer wrote in a survey, and how it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// In answer to which invitation.
    pub invite: InviteId,
    /// Of which survey.
    pub touchpoint: TouchpointId,
    /// On what occasion.
    pub occasion: Occasion,
    /// About which order.
    pub order: Option<OrderId>,
    /// Who wrote it.
    pub customer: CustomerId,
    /// When it was first given.
    pub at: Timestamp,
    /// Of which revision of the answer this is.
    pub revision: u32,
    /// What was answered to the first question, if that asks for a number.
    pub score: Option<u8>,
    /// The words; none if a correction took them back.
    pub comments: Vec<Comment>,
    /// The language that they are in, if it is one that can be read.
    pub language: Option<Language>,
    /// How they sound, if they can be read.
    pub sentiment: Option<Sentiment>,
    /// What they are about, what is mentioned most first.
    pub topics: Vec<Topic>,
    /// The kinds of alarming words in them.
    pub alarms: Vec<Text<40>>,
    /// Whether it was called valuable.
    pub valued: Option<Valued>,
    /// How often it was written; 0 before the first time.
    pub version: u64,
}
