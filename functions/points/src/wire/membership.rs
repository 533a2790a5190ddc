//! Where a member stands among the tiers.

use std::collections::BTreeMap;

use aftercart::model::{
    customer::{CustomerId, Language},
    money::Currency,
    points::{Qualifying, Tier},
    text::Text,
    time::{Date, Timestamp, Zone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::path::{Step, TierInput, Way};

/// A member's tier, how it is kept, and how the next one is reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MembershipView {
    /// The language of the words.
    pub language: Language,
    /// The zone in which days are meant.
    pub zone: Zone,
    /// The tier; missing below the lowest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<TierLevelView>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The last day of a tier that the shop gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_until: Option<Date>,
    /// The period in which is counted; missing if nothing was done yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<TierPeriodView>,
    /// What was done in it.
    pub done: TierDoneView,
    /// What keeps the tier that was earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<TierPathView>,
    /// What reaches the next one; missing at the highest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TierPathView>,
    /// What counts on top, so that the tier is kept: an offer to this member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rescue: Option<TierRescueView>,
    /// Deeds that count, besides buying.
    pub tasks: Vec<TierTaskView>,
    /// What gives points at once when it is reached, and is not yet.
    pub milestones: Vec<PointsMilestoneView>,
    /// Every level, the lowest first.
    pub levels: Vec<TierLevelView>,
}

/// A level of membership.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierLevelView {
    /// Its name.
    pub id: Tier,
    /// What members read.
    pub title: String,
    /// What it asks within a period, and how much of it is done: one of these
    /// ways is enough.
    pub ways: Vec<TierWayView>,
    /// What it gives, in words.
    pub benefits: Vec<String>,
    /// The line of the customer service: of the own tier only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_line: Option<Text<80>>,
}

/// The period in which is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierPeriodView {
    /// Its first day.
    pub from: Date,
    /// Its last day.
    pub until: Date,
}

/// What was done in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierDoneView {
    /// Points of purchases, once they could be spent, and of deeds.
    pub points: i64,
    /// What was paid in money for such purchases, in minor units.
    pub spend: BTreeMap<Currency, i64>,
    /// Such purchases.
    pub orders: u32,
    /// Deeds of activity.
    pub activity: u32,
    /// Deeds of feedback.
    pub feedback: u32,
}

/// The path to a level, or to keeping it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierPathView {
    /// Which level.
    pub tier: Tier,
    /// What members read.
    pub title: String,
    /// The last day.
    pub until: Date,
    /// Whether all is done.
    pub done: bool,
    /// The ways, one of which is enough.
    pub ways: Vec<TierWayView>,
    /// What is missing on the nearest way, and until when, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A way to a level: all of its steps are to be done; of steps of spending in
/// several currencies, one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierWayView {
    /// How much of it is done, in basis points, rounded down.
    pub share: u32,
    /// Its steps.
    pub steps: Vec<TierStepView>,
}

/// A step of a way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierStepView {
    /// Of what.
    pub input: TierInput,
    /// Of spending, in which currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How much is asked; of spending in minor units.
    pub needed: i64,
    /// How much is done.
    pub done: i64,
    /// How much is missing.
    pub missing: i64,
}

/// An offer that helps to keep a tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierRescueView {
    /// How much of what purchases count comes on top, in basis points.
    pub extra: u32,
    /// The last day.
    pub until: Date,
    /// The offer in words.
    pub words: String,
}

/// A deed that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierTaskView {
    /// The rule.
    pub rule: Text<40>,
    /// What members read.
    pub title: String,
    /// How many points it gives.
    pub points: u32,
    /// As what it counts, besides its points.
    pub counts: TierInput,
}

/// Something to be reached, once in a member's life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PointsMilestoneView {
    /// The rule.
    pub rule: Text<40>,
    /// What members read.
    pub title: String,
    /// How many points it gives.
    pub points: u32,
    /// What is asked, and done in all.
    pub way: TierWayView,
}

/// A tier that an operator gives for some time, or takes back: both members
/// left out. The tier that was earned stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantTier {
    /// Which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
}

/// A member's tier, as it was earned and given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantedTierView {
    /// Whose: of linked accounts, the one from which is spent.
    pub id: CustomerId,
    /// The tier that the member has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The tier that was earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earned: Option<Tier>,
    /// The tier that was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted: Option<Tier>,
    /// The last day of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_until: Option<Date>,
}

impl From<&Qualifying> for TierDoneView {
    fn from(done: &Qualifying) -> Self {
        let Qualifying { points, spend, orders, activity, feedback } = done.clone();
        Self { points, spend, orders, activity, feedback }
    }
}

impl From<&Way> for TierWayView {
    fn from(way: &Way) -> Self {
        let step = |step: &Step| TierStepView {
            input: step.input,
            currency: step.currency,
            needed: step.needed,
            done: step.done,
            missing: step.missing(),
        };
        Self { share: way.share, steps: way.steps.iter().map(step).collect() }
    }
}
