//! Invitations to answer a survey, answers, and how often a buyer is contacted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{CustomerId, Email, Language},
    id::{InviteId, OrderId},
    text::Text,
    time::{Period, Timestamp},
};

/// The occasion of a survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Touchpoint {
    /// The parcel has arrived.
    Delivery,
}

impl Touchpoint {
    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivery => "delivery",
        }
    }
}

/// The longest comment: a few sentences, about a screen of a phone.
pub const MAX_COMMENT: usize = 1_000;

/// What a buyer answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How likely the buyer is to recommend the shop, 0 to 10 (the question of
    /// the Net Promoter Score).
    pub score: u8,
    /// In the buyer's own words.
    pub comment: Option<Text<MAX_COMMENT>>,
    /// When.
    pub at: Timestamp,
}

/// Why an invitation was not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Suppression {
    /// The buyer was contacted as often as the policy allows.
    ContactBudget,
    /// It came due only after its survey had closed.
    TooLate,
    /// The buyer kept nothing of the order: all of its goods were refunded.
    NothingKept,
}

/// Where an invitation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InviteStatus {
    /// Waits for its time.
    Scheduled,
    /// On its way to the buyer.
    Sent {
        /// Since when.
        at: Timestamp,
    },
    /// Will not be sent.
    Suppressed {
        /// Since when.
        at: Timestamp,
        /// Why.
        why: Suppression,
    },
    /// Answered; final.
    Answered(Answer),
}

impl InviteStatus {
    /// Whether it may still be sent or suppressed.
    #[must_use]
    pub fn is_scheduled(&self) -> bool {
        matches!(self, Self::Scheduled)
    }
}

/// An invitation to answer one survey once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Derived from the order and the touchpoint.
    pub id: InviteId,
    /// About which order.
    pub order: OrderId,
    /// Who is asked.
    pub customer: CustomerId,
    /// On what occasion.
    pub touchpoint: Touchpoint,
    /// Where the invitation goes.
    pub email: Email,
    /// In which language.
    pub language: Language,
    /// When it is to be sent.
    pub due: Timestamp,
    /// When its survey closes.
    pub expires: Timestamp,
    /// Where it stands.
    pub status: InviteStatus,
}

/// When a buyer was contacted for something other than a purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contacts {
    /// Whom.
    pub customer: CustomerId,
    /// When, earliest first; only what the window still counts.
    pub at: Vec<Timestamp>,
    /// How often this record changed.
    pub version: u64,
}

impl Contacts {
    /// A buyer who was never contacted.
    #[must_use]
    pub fn none(customer: CustomerId) -> Self {
        Self { customer, at: Vec::new(), version: 0 }
    }

    /// Notes a contact if the window has room for it, and forgets those that
    /// the window no longer counts. Whether it had room.
    pub fn admit(&mut self, now: Timestamp, most: u32, window: Period) -> bool {
        self.at.retain(|at| at.plus(window) > now);
        let room = self.at.len() < usize::try_from(most).unwrap_or(usize::MAX);
        if room {
            self.at.push(now);
        }
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_has_room_for_so_many() {
        let start = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let mut contacts = Contacts::none(CustomerId::member("a").unwrap());
        let window = Period::of_days(30);
        assert!(contacts.admit(start, 2, window));
        assert!(contacts.admit(start.plus(Period::of_days(1)), 2, window));
        assert!(!contacts.admit(start.plus(Period::of_days(29)), 2, window));
        assert!(contacts.admit(start.plus(Period::of_days(30)), 2, window));
        assert_eq!(contacts.at.len(), 2);
        assert!(!Contacts::none(CustomerId::member("a").unwrap()).admit(start, 0, window));
    }
}
