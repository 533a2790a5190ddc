//! Points that operators give and take.

use aftercart::model::{
    adjustment::{Adjustment, Verdict},
    customer::CustomerId,
    id::AdjustmentId,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Points that an operator wants to give or take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskAdjustment {
    /// How many: positive to give, negative to take.
    pub points: i64,
    /// Why, for those who look into it later.
    pub reason: Text<500>,
}

/// Points that an operator gives or takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustmentView {
    /// Its identity.
    pub id: AdjustmentId,
    /// Whose points.
    pub customer: CustomerId,
    /// How many: positive for points that are given.
    pub points: i64,
    /// Why.
    pub reason: Text<500>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By whom.
    pub asked_by: Text<128>,
    /// How it stands.
    pub state: AdjustmentState,
    /// When it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<Text<128>>,
}

/// How an adjustment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentState {
    /// It waits for another operator.
    Waiting,
    /// The points moved.
    Posted,
    /// Nothing moved.
    Refused,
}

/// A page of the adjustments that wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdjustmentPage {
    /// Those first that were asked for first.
    pub adjustments: Vec<AdjustmentView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl From<Adjustment> for AdjustmentView {
    fn from(it: Adjustment) -> Self {
        let state = match it.decided.as_ref().map(|decided| decided.verdict) {
            None => AdjustmentState::Waiting,
            Some(Verdict::Approved) => AdjustmentState::Posted,
            Some(Verdict::Refused) => AdjustmentState::Refused,
        };
        Self {
            id: it.id,
            customer: it.customer,
            points: it.points,
            reason: it.reason,
            asked_at: it.asked_at,
            asked_by: it.asked_by,
            state,
            decided_at: it.decided.as_ref().map(|decided| decided.at),
            decided_by: it.decided.map(|decided| decided.by),
        }
    }
}
