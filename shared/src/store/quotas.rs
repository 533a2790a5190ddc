//! How much of the limits of price rules is used.
//!
//! A counter is made by its first use, and its limit is in the rule: nothing
//! is prepared before an offer begins. A limit that is split has counters in
//! partitions of their own, each with its part of the limit, so that together
//! they never pass it, and buyers do not queue for one item.

use serde::{Deserialize, Serialize};

use crate::model::{
    order::QuotaPart,
    price::{Quota, QuotaScope},
    time::{Period, Timestamp},
};

use super::{
    Found, Item, Key, Sends, StoreError, Write,
    commit::{Change, Condition},
    item::{from_item, number, stored},
};

const USED: &str = "u";
const SCHEMA: &str = "v";
const TTL: &str = "ttl";

/// How long a counter of one day is kept: longer than an order that used it
/// can be called off and give its use back.
const DAY_KEPT: Period = Period::of_days(400);

#[derive(Serialize, Deserialize)]
struct StoredUse {
    v: u32,
    u: i64,
}
stored!(StoredUse, "use of a limit", 1);

/// The keys of all parts of a limit.
pub fn keys(quota: &Quota) -> impl Iterator<Item = Key> {
    let scope = quota.scope.to_string();
    (0..quota.shards).map(move |shard| Key::quota(quota.rule.as_str(), &scope, shard))
}

/// Uses a part of a limit. Loses when its part of the limit has less left.
#[must_use]
pub fn take(quota: &Quota, shard: u8, units: u32, now: Timestamp) -> Write {
    let mut change = Change::default().add(USED, i64::from(units)).set(SCHEMA, number(1));
    if matches!(quota.scope, QuotaScope::Day(_) | QuotaScope::CustomerDay(..)) {
        change = change.set(TTL, number(now.plus(DAY_KEPT).unix_seconds()));
    }
    let key = Key::quota(quota.rule.as_str(), &quota.scope.to_string(), shard);
    let room = i64::from(quota.cap_of_shard(shard)) - i64::from(units);
    let write = Write::update(key, change, &Sends::none());
    match room {
        0.. => write.when(Condition::MissingOrBelow(USED.into(), room + 1)),
        // More than the part ever had: no counter can be below zero.
        _ => write.when(Condition::Exists).when(Condition::MissingOrBelow(USED.into(), 0)),
    }
}

/// Gives back what an order used. Belongs into the commit that ends the order,
/// which happens once. It never loses: what is given back to a day long gone,
/// whose counter was deleted, harms nobody, and must not keep an order alive.
#[must_use]
pub fn release(part: &QuotaPart) -> Write {
    let key = Key::quota(part.rule.as_str(), &part.scope, part.shard);
    let change = Change::default().add(USED, -i64::from(part.units)).set(SCHEMA, number(1));
    Write::update(key, change, &Sends::none())
}

/// How much is used of the part of a limit in an item, such as the one that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn used_from_item(item: &Item) -> Result<i64, StoreError> {
    from_item(item).map(|form: StoredUse| form.u)
}

impl Found {
    /// How much is used of each part of a limit, in the order of the parts.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn used(&self, quota: &Quota) -> Result<Vec<i64>, StoreError> {
        keys(quota).map(|key| self.item(&key).map_or(Ok(0), used_from_item)).collect()
    }
}
