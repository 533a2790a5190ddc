//! Rewards and redemptions as clients send and get them.

use aftercart::{
    model::{
        customer::{Address, CustomerId},
        id::{OrderId, RedemptionId, VoucherId},
        price::{Title, WindowState},
        reward::{Offered, Redemption, RedemptionStatus, Reward, RewardId, RewardKind},
        text::Text,
        time::{Timestamp, Zone},
    },
    store::{Page, PageToken},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A reward of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewardView {
    /// Its name.
    pub id: RewardId,
    /// What it is, and for how many points.
    pub reward: Reward,
    /// How many are left, if they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<i64>,
    /// Whether it may be taken at this moment, by its window.
    pub open: bool,
}

/// What members may take for points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RewardCatalogue {
    /// The rewards, those first that end first.
    pub rewards: Vec<RewardView>,
}

/// The body of `POST /me/redemptions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeReward {
    /// Which reward.
    pub reward: RewardId,
    /// The member's order that an express upgrade or an after-sales fee is for;
    /// a service may be about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Where goods go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A reward that a member took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedemptionView {
    /// Its identity.
    pub id: RedemptionId,
    /// Which reward.
    pub reward: RewardId,
    /// What it was called when it was taken.
    pub title: Title,
    /// What it was.
    pub kind: RewardKind,
    /// For how many points.
    pub points: i64,
    /// About which order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderId>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// How it stands.
    pub status: RedemptionStatus,
    /// Since when it stands so.
    pub since: Timestamp,
    /// What the shop says of it, such as a parcel's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
    /// The voucher that a coupon is. The member has it a moment later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
}

/// A page of what a member took, latest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedemptionPage {
    /// What was taken.
    pub redemptions: Vec<RedemptionView>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// A reward that a member took, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedemptionFile {
    /// Who took it.
    pub customer: CustomerId,
    /// What was taken.
    pub redemption: RedemptionView,
}

/// A page of what waits for somebody, those first that were taken first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RedemptionFilePage {
    /// What waits: fewer than asked for, or none, where others were on the page.
    pub redemptions: Vec<RedemptionFile>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The body of `POST /operator/redemptions/{id}/fulfilment`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FulfilRedemption {
    /// What the member reads of it, such as a parcel's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<200>>,
}

/// The body of `POST /operator/redemptions/{id}/return`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnRedemption {
    /// Whether somebody else may have the unit.
    pub restock: bool,
}

impl RewardView {
    /// What clients see of a reward at a moment, by the clock of a zone.
    #[must_use]
    pub fn of(offered: Offered, now: Timestamp, zone: &Zone) -> Self {
        let open = offered.reward.window.at(now, zone) == WindowState::Open;
        Self { left: offered.left(), open, id: offered.id, reward: offered.reward }
    }
}

impl From<Redemption> for RedemptionView {
    fn from(it: Redemption) -> Self {
        let fulfilled_at = it.fulfilled.as_ref().map(|it| it.at);
        let undone_at = it.undone.as_ref().map(|it| it.at);
        Self {
            status: it.status(),
            since: undone_at.or(fulfilled_at).unwrap_or(it.taken_at),
            voucher: it.voucher(),
            id: it.id,
            reward: it.reward,
            title: it.title,
            kind: it.kind,
            points: it.points,
            order: it.order,
            address: it.address,
            taken_at: it.taken_at,
            note: it.fulfilled.and_then(|it| it.note),
        }
    }
}

impl From<Redemption> for RedemptionFile {
    fn from(it: Redemption) -> Self {
        Self { customer: it.customer.clone(), redemption: it.into() }
    }
}

impl RedemptionPage {
    /// A page of redemptions.
    #[must_use]
    pub fn of(page: Page<Redemption>) -> Self {
        let next_cursor = page.next.as_ref().map(PageToken::encode);
        Self { redemptions: page.items.into_iter().map(Into::into).collect(), next_cursor }
    }
}

impl RedemptionFilePage {
    /// A page of redemptions.
    #[must_use]
    pub fn of(page: Page<Redemption>) -> Self {
        let next_cursor = page.next.as_ref().map(PageToken::encode);
        Self { redemptions: page.items.into_iter().map(Into::into).collect(), next_cursor }
    }
}
