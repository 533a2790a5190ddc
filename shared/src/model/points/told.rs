//! Which rules gave points for something, and why others did not.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId, id::EntryId, programme::earning::ActionKind, text::Text, time::Timestamp,
};

/// Why a rule gave nothing, or less than it would.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// No line is of its goods, tiers and channels.
    NoLine,
    /// The lines that it fits have another rate, or earn nothing.
    NoRate,
    /// It begins later.
    NotYet,
    /// It has ended.
    Over,
    /// It is about other days of the week or month.
    OtherDay,
    /// It is about the month of the member's birthday.
    NoBirthday,
    /// It is about the month in which the member joined, in later years.
    NoAnniversary,
    /// It is for those who have not been there for a while.
    NotIdle,
    /// It is for other tiers.
    OtherTier,
    /// No more than what is there already may come on top of a rate.
    MostExtra,
    /// A cap cut it.
    Capped,
    /// It gave what it may give in a day.
    DayLimit,
    /// It gave what it may give in a month.
    MonthLimit,
    /// It gives once in a member's life, and did.
    Once,
}

impl Why {
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::NoLine,
        Self::NoRate,
        Self::NotYet,
        Self::Over,
        Self::OtherDay,
        Self::NoBirthday,
        Self::NoAnniversary,
        Self::NotIdle,
        Self::OtherTier,
        Self::MostExtra,
        Self::Capped,
        Self::DayLimit,
        Self::MonthLimit,
        Self::Once,
    ];
}

/// What a rule gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Which rule: one of the policy's, the level of the member's tier, or one
    /// of the names in [`crate::model::programme::earning`].
    pub rule: String,
    /// How many points; negative for what is cut off.
    pub points: i64,
    /// Why it is nothing, or less.
    pub why: Option<Why>,
}

/// A deed that was judged. It is judged once, whatever it gave, so that who
/// reports it again gets nothing again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Derived from the member and the deed; its entry has the same.
    pub id: EntryId,
    /// Who did it.
    pub customer: CustomerId,
    /// When.
    pub at: Timestamp,
    /// Every rule for such deeds, and what it gave.
    pub told: Vec<Told>,
    /// Which day of a streak it was.
    pub streak: Option<u32>,
}

impl Judged {
    /// The identity of a deed.
    #[must_use]
    pub fn id(customer: &CustomerId, action: ActionKind, reference: &Text<80>) -> EntryId {
        EntryId::derive(&[customer.as_str(), "action", action.as_str(), reference.as_str()])
    }

    /// The identity of what a rule gives once in a member's life.
    #[must_use]
    pub fn once(customer: &CustomerId, rule: &Text<40>) -> EntryId {
        EntryId::derive(&[customer.as_str(), "action_once", rule.as_str()])
    }

    /// The points of all rules.
    #[must_use]
    pub fn points(&self) -> i64 {
        self.told.iter().fold(0, |sum, told| sum.saturating_add(told.points))
    }
}
