//! From which part of a limit does an order use?

use std::collections::BTreeMap;

use aftercart::model::{
    digest,
    price::{Quota, QuotaKey},
};

/// What was read of limits: how much of each part is used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses(BTreeMap<QuotaKey, Vec<i64>>);

impl Uses {
    /// Notes how much of each part of a limit is used.
    pub fn note(&mut self, quota: &Quota, used: Vec<i64>) {
        self.0.insert(quota.key(), used);
    }

    /// Notes how much of one part is used, in place of what was known of it.
    pub fn note_part(&mut self, quota: &Quota, shard: u8, used: i64) {
        let parts = self.0.entry(quota.key()).or_default();
        let shard = usize::from(shard);
        if parts.len() <= shard {
            parts.resize(shard.saturating_add(1), 0);
        }
        if let Some(part) = parts.get_mut(shard) {
            *part = used;
        }
    }

    /// How much of each limit one order can use: the most that any part has left.
    #[must_use]
    pub fn left(&self, quotas: &[Quota]) -> BTreeMap<QuotaKey, u32> {
        let most = |quota: &Quota| (0..quota.shards).map(|it| self.left_of(quota, it)).max();
        quotas.iter().map(|quota| (quota.key(), most(quota).unwrap_or(0))).collect()
    }

    /// The part of a limit that has so many units left, looked for from one
    /// that follows from the order, so that buyers spread over the parts.
    #[must_use]
    pub fn choose(&self, quota: &Quota, units: u32, order: &str) -> Option<u8> {
        let shards = quota.shards.max(1);
        let hash = digest::full(&[order.as_bytes(), quota.rule.as_str().as_bytes()]);
        let start = hash.bytes().next_back().unwrap_or(0) % shards;
        (0..shards)
            .map(|step| start.wrapping_add(step) % shards)
            .find(|shard| self.left_of(quota, *shard) >= units)
    }

    fn left_of(&self, quota: &Quota, shard: u8) -> u32 {
        let parts = self.0.get(&quota.key());
        let used = parts.and_then(|parts| parts.get(usize::from(shard))).copied().unwrap_or(0);
        let left = i64::from(quota.cap_of_shard(shard)).saturating_sub(used);
        u32::try_from(left.max(0)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::price::{QuotaScope, RuleId};
    use proptest::prelude::*;

    use super::*;

    fn quota(cap: u32, shards: u8) -> Quota {
        let rule = RuleId::parse("tea-days").unwrap();
        Quota { rule, scope: QuotaScope::Total, cap, shards }
    }

    #[test]
    fn a_limit_that_nobody_used_is_whole() {
        let quota = quota(5, 2);
        assert_eq!(Uses::default().left(std::slice::from_ref(&quota))[&quota.key()], 3);
        assert_eq!(Uses::default().choose(&quota, 4, "ord"), None);
        assert!(Uses::default().choose(&quota, 1, "ord").is_some());
    }

    proptest! {
        /// Orders that use one unit each, one after another, use all of a
        /// limit and not more, however it is split.
        #[test]
        fn the_whole_limit_is_used_and_no_more(cap in 1_u32..200, shards in 1_u8..=32) {
            let quota = quota(cap, shards);
            let mut uses = Uses::default();
            let mut parts = vec![0_i64; usize::from(shards)];
            let mut got = 0;
            for order in 0..cap + 20 {
                let Some(shard) = uses.choose(&quota, 1, &order.to_string()) else { continue };
                parts[usize::from(shard)] += 1;
                prop_assert!(parts[usize::from(shard)] <= i64::from(quota.cap_of_shard(shard)));
                uses.note_part(&quota, shard, parts[usize::from(shard)]);
                got += 1;
            }
            prop_assert_eq!(got, cap);
        }
    }
}
