//! What a member can get for points.

use std::{cmp::Reverse, collections::BTreeMap};

use aftercart::model::{
    customer::Language,
    money::Currency,
    points::Ledger,
    programme::{PointsPolicy, spending::OffsetPolicy},
    reward::{Obstacle, Offered, RewardId, Taker},
    time::Timestamp,
};

use crate::wire::offers::{OffsetOffer, PointsOffers, RewardOffer};

use super::wording;

/// The rewards that there are, and how many of them a member has.
#[derive(Debug, Clone, Default)]
pub struct Catalogue {
    /// The rewards.
    pub rewards: Vec<Offered>,
    /// How many the member has of those that are limited for a member.
    pub has: BTreeMap<RewardId, i64>,
}

/// What the member can get now, in this language.
#[must_use]
pub fn offers(
    ledger: &Ledger,
    catalogue: &Catalogue,
    policy: &PointsPolicy,
    now: Timestamp,
    language: Language,
) -> PointsOffers {
    let spendable = ledger.spendable();
    let worth = policy.offset.iter().flat_map(|it| {
        let rates = it.minor_per_100_points.iter();
        rates.map(move |(currency, worth)| offset(it, (*currency, *worth), spendable, language))
    });
    let offset: Vec<OffsetOffer> = worth.collect();
    let mut rewards: Vec<RewardOffer> = (catalogue.rewards.iter())
        .filter_map(|it| reward(it, ledger, catalogue, (policy, now), language))
        .collect();
    rewards.sort_by_key(|it| (it.missing, Reverse(it.points)));
    PointsOffers { language, spendable, offset, rewards }
}

/// What so many points pay: their part of what 100 are worth, rounded down as
/// the checkout does.
fn offset(
    policy: &OffsetPolicy,
    (currency, worth): (Currency, u32),
    spendable: i64,
    language: Language,
) -> OffsetOffer {
    let missing = i64::from(policy.least_points).saturating_sub(spendable).max(0);
    let pays = if missing > 0 { 0 } else { spendable.max(0) };
    let pays = i128::from(pays) * i128::from(worth) / 100;
    let pays = i64::try_from(pays).unwrap_or(i64::MAX);
    let what = wording::pays(pays, missing, currency, language);
    OffsetOffer { currency, pays, missing, what }
}

/// A reward that the member may take, or might with more points.
fn reward(
    offered: &Offered,
    ledger: &Ledger,
    catalogue: &Catalogue,
    (policy, now): (&PointsPolicy, Timestamp),
    language: Language,
) -> Option<RewardOffer> {
    let taker = Taker {
        tier: ledger.standing.tier.as_ref(),
        has: catalogue.has.get(&offered.id).copied().unwrap_or(0),
        holdable: ledger.spendable(),
    };
    let missing = match offered.obstacle(taker, now, &policy.zone) {
        None => 0,
        Some(Obstacle::Points(missing)) => missing,
        Some(_) => return None,
    };
    Some(RewardOffer {
        id: offered.id.clone(),
        title: offered.reward.title.text(language).to_owned(),
        points: offered.reward.points,
        missing,
        left: offered.left(),
    })
}
