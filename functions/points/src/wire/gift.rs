//! Gifts of points, as members make and see them.

use aftercart::model::{
    customer::CustomerId,
    gift::{End, Gift},
    id::GiftId,
    points::Ledger,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account;

/// A gift that a member makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MakeGift {
    /// To which member. The answer does not tell whether there is one.
    pub to: CustomerId,
    /// How many points.
    pub points: i64,
    /// Words to go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<140>>,
    /// The name by which the other member is to know who gives; without it
    /// the other is told no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Text<40>>,
}

/// A gift.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiftView {
    /// Its identity.
    pub id: GiftId,
    /// Whether the member who looks made it, or may accept it.
    pub way: GiftWay,
    /// To whom; only who made it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<CustomerId>,
    /// How many points.
    pub points: i64,
    /// The words that go with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<140>>,
    /// By which name the one who gives is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Text<40>>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it may be accepted.
    pub until: Timestamp,
    /// How it stands.
    pub state: GiftState,
    /// When somebody ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// The two sides of a gift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiftWay {
    /// The member made it.
    Sent,
    /// The member may accept it.
    Received,
}

/// How a gift stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GiftState {
    /// It waits to be accepted.
    Waiting,
    /// It was accepted: the points moved.
    Accepted,
    /// It was refused: the points are the giver's again.
    Refused,
    /// The giver took it back.
    Withdrawn,
    /// Nobody accepted it in time: the points are the giver's again.
    Lapsed,
}

/// A page of gifts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GiftPage {
    /// Those that the member made or may accept, latest first.
    pub gifts: Vec<GiftView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

impl GiftView {
    /// What the member whose ledger this is sees of a gift.
    #[must_use]
    pub fn of(gift: &Gift, seen_by: &Ledger, now: Timestamp) -> Self {
        let sent = account::is_of(seen_by, &gift.from);
        let state = match gift.ended.map(|ended| ended.how) {
            Some(End::Accepted) => GiftState::Accepted,
            Some(End::Refused) => GiftState::Refused,
            Some(End::Withdrawn) => GiftState::Withdrawn,
            None if gift.is_open(now) => GiftState::Waiting,
            None => GiftState::Lapsed,
        };
        Self {
            id: gift.id.clone(),
            way: if sent { GiftWay::Sent } else { GiftWay::Received },
            to: sent.then(|| gift.named.clone()),
            points: gift.points,
            note: gift.note.clone(),
            signed: gift.signed.clone(),
            made_at: gift.made_at,
            until: gift.until,
            state,
            ended_at: gift.ended.map(|ended| ended.at),
        }
    }
}
