//! What members read of the programme, and of what they can get.

use aftercart::model::{customer::Language, money::Currency, reward::RewardId, time::Zone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::rules::wording::programme::{ProgrammePart, ProgrammeSection};

/// The rules of the programme in plain words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProgrammeView {
    /// The version of the policy that they are made from.
    pub policy: String,
    /// In which language they are.
    pub language: Language,
    /// Whose calendar says when days, months and years end.
    pub zone: Zone,
    /// The rules, by parts; what the shop does not have is left out.
    pub sections: Vec<ProgrammeSection>,
}

/// What a member can get for points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsOffers {
    /// In which language words are.
    pub language: Language,
    /// How many points may be spent.
    pub spendable: i64,
    /// What they would pay of an order, by currency; none, if points do not
    /// pay for orders.
    pub offset: Vec<OffsetOffer>,
    /// Rewards that this member may take now, the dearest first that the
    /// points suffice for, then those of which the fewest points are missing.
    pub rewards: Vec<RewardOffer>,
}

/// What points would pay of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OffsetOffer {
    /// In which currency.
    pub currency: Currency,
    /// The most that they pay, in minor units: an order of which points may
    /// pay only a part takes fewer.
    pub pays: i64,
    /// How many points are missing to pay with them at all.
    pub missing: i64,
    /// The same in words.
    pub what: String,
}

/// A reward, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewardOffer {
    /// Its name.
    pub id: RewardId,
    /// What members read of it.
    pub title: String,
    /// For how many points.
    pub points: i64,
    /// How many of them are missing; 0 if it is within reach.
    pub missing: i64,
    /// How many are left, if they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
}
