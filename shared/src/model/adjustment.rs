//! Points that operators give and take.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    id::AdjustmentId,
    text::Text,
    time::{Date, Timestamp, Zone},
};

/// The most points of one adjustment, either way: a typing error beyond it is
/// refused.
pub const MAX_ADJUSTMENT: i64 = 100_000_000;

/// Points that an operator gives to a member, or takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// Derived from the member and the key of the call.
    pub id: AdjustmentId,
    /// Whose points.
    pub customer: CustomerId,
    /// Positive for points that are given, negative for those that are taken.
    pub points: i64,
    /// Why, for those who look into it later.
    pub reason: Text<500>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Who asked for it: the subject of the operator's token.
    pub asked_by: Text<128>,
    /// What became of it; it waits for a second operator, if nothing did.
    pub decided: Option<Decided>,
}

/// What became of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// When.
    pub at: Timestamp,
    /// Who decided: the one who asked, of what one may decide alone.
    pub by: Text<128>,
    /// What.
    pub verdict: Verdict,
}

/// What an operator decided about an adjustment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The points moved.
    Approved,
    /// Nothing moved.
    Refused,
}

/// How many points an operator gave and took alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alone {
    /// Who: the subject of the operator's token.
    pub operator: Text<128>,
    /// The last day on which it was so, by the programme's calendar.
    pub on: Date,
    /// How many on that day, those given and those taken.
    pub points: i64,
    /// How often this was written.
    pub version: u64,
}

impl Alone {
    /// Of an operator who decided nothing alone yet.
    #[must_use]
    pub fn nothing(operator: Text<128>) -> Self {
        let on = Timestamp::EPOCH.date_in(&Zone::utc());
        Self { operator, on, points: 0, version: 0 }
    }
}
