//! What clients send to share an offer, and what a share looks like.

use aftercart::model::{
    id::ShareId,
    price::{RuleId, Title},
    share::{Campaign, Share, Step},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /shares`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartShare {
    /// Which campaign of the policy.
    pub campaign: RuleId,
}

/// A share as everybody sees it who knows its identity: nobody's name is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShareView {
    /// Its identity: who knows it may join, so it goes into the link that is shared.
    pub id: ShareId,
    /// Of which campaign.
    pub campaign: RuleId,
    /// What members read; missing when the shop has taken the campaign away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Title>,
    /// Until when others may join.
    pub until: Timestamp,
    /// How many have joined.
    pub joined: usize,
    /// How many may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
    /// What is granted when so many have joined.
    pub steps: Vec<Step>,
}

impl ShareView {
    /// The share, with what its campaign says of it now.
    #[must_use]
    pub fn of(share: &Share, campaign: Option<&Campaign>) -> Self {
        Self {
            id: share.id.clone(),
            campaign: share.campaign.clone(),
            title: campaign.map(|it| it.title.clone()),
            until: share.until,
            joined: share.joined.len(),
            most: campaign.map(|it| it.most),
            steps: campaign.map(|it| it.steps.clone()).unwrap_or_default(),
        }
    }
}
