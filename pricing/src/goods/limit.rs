//! What limits leave of an offer.

use std::collections::BTreeMap;

use aftercart::model::price::{Quota, QuotaKey, QuotaScope};

use super::{Reason, scope::Offer};

/// So much as one order can still get: of a split limit no more than one part
/// of it, and the first is the largest.
fn left_of(quota: &Quota, left: &BTreeMap<QuotaKey, u32>) -> u32 {
    let whole = quota.cap_of_shard(0);
    left.get(&quota.key()).map_or(whole, |left| whole.min(*left))
}

/// What is left of an offer, and which of its limits says so. Without limits
/// there is no end.
pub(super) fn left(offer: &Offer<'_>, quotas: &BTreeMap<QuotaKey, u32>) -> (u32, Reason) {
    let lowest = offer.quotas.iter().min_by_key(|quota| left_of(quota, quotas));
    let reason = match lowest.map(|quota| &quota.scope) {
        None | Some(QuotaScope::Total) => Reason::UsedUp,
        Some(QuotaScope::Day(_)) => Reason::UsedUpToday,
        Some(QuotaScope::Customer(_)) => Reason::CustomerLimit,
        Some(QuotaScope::CustomerDay(..)) => Reason::CustomerLimitToday,
    };
    (lowest.map_or(u32::MAX, |quota| left_of(quota, quotas)), reason)
}
