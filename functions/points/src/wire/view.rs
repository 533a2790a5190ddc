//! What members see of their points.

use aftercart::model::{
    customer::Language,
    id::{EntryId, OrderId},
    points::Account,
    time::{Timestamp, Zone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::rules::wording::PointsMovementKind;

/// A member's points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PointsView {
    /// In which language words are.
    pub language: Language,
    /// Whose calendar says when days and months end.
    pub zone: Zone,
    /// How many there are.
    pub balances: BalancesView,
    /// What may be spent, by when it ends: the next to end first.
    pub lots: Vec<LotView>,
    /// What of that is held, and for what.
    pub holds: Vec<HoldView>,
    /// A page of movements, latest first. Of a listing by kind it may hold
    /// fewer than asked for, also none, while there is another one.
    pub movements: Vec<MovementView>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// The link to a page that shows the same to whoever has it, for a time.
    pub page: String,
}

/// Points by where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalancesView {
    /// Earned, and not yet to be spent.
    pub pending: i64,
    /// To be spent; what is held is in it.
    pub available: i64,
    /// Held for what is not complete: orders, rewards, gifts, tills.
    pub held: i64,
    /// What may be spent: available and not held.
    pub spendable: i64,
    /// Owed, as a positive number; what is earned next repays it first.
    pub debt: i64,
}

/// Points that end together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LotView {
    /// How many.
    pub points: i64,
    /// When they end.
    pub expires_at: Timestamp,
}

/// Points that are held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HoldView {
    /// For what: an order, a redemption, a gift, or a till.
    pub held_for: HeldFor,
    /// Its identity.
    pub id: String,
    /// How many.
    pub points: i64,
    /// When the hold ends by itself; missing of orders and rewards, which end
    /// it themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// For what points are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HeldFor {
    /// An order that is not paid.
    Order,
    /// A reward on its way.
    Redemption,
    /// A gift that is not accepted yet.
    Gift,
    /// A till.
    Till,
}

/// A movement of points and why it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MovementView {
    /// Its identity.
    pub id: EntryId,
    /// When it took effect.
    pub at: Timestamp,
    /// What it was, for programs.
    pub kind: PointsMovementKind,
    /// What it was, in words.
    pub what: String,
    /// The order that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// The receipt of a store that it is about, if it is about one: nothing
    /// that `GET /orders/{id}` knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<OrderId>,
    /// What else it is about: a redemption, a gift, a hold of a till, a
    /// correction, a link of accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What it did to the member's accounts.
    pub changes: Vec<ChangeView>,
    /// Of what was earned: which rules gave what. It sums to what was earned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gave: Vec<GaveView>,
    /// What it took from which points (negative) and added to which, by when
    /// they end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<LotView>,
    /// Of what a purchase earned: how it stands now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingView>,
    /// The policy rule that said so.
    pub rule: String,
    /// The version of the policy.
    pub policy: String,
}

/// So many points into an account of the member (positive) or out of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangeView {
    /// Which account.
    pub account: Account,
    /// How many.
    pub points: i64,
}

/// What a rule gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GaveView {
    /// Its name in the policy.
    pub rule: String,
    /// What members read of it.
    pub title: String,
    /// How many points; negative where a cap took some away.
    pub points: i64,
}

/// Points that may not be spent yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WaitingView {
    /// How many of them.
    pub points: i64,
    /// When they become available; missing until the goods have arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_at: Option<Timestamp>,
}
