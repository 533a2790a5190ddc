//! How often buyers, devices, addresses and cards were seen of late, and who
//! of them is blocked or trusted. The table knows digests only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    id::OrderId,
    risk::{Identity, Listed, RiskEntry, RiskKind, RiskPolicy, Seen, Standing},
    text::Text,
    time::Timestamp,
};

use super::{
    Found, Key, Sends, StoreError, Write,
    item::{from_item, in_range, stored},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredSeen {
    v: u32,
    /// When each order was placed, in milliseconds after 1970 began.
    o: BTreeMap<OrderId, i64>,
    n: u64,
    ttl: i64,
}
stored!(StoredSeen, "list of what was seen", 1);

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    v: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l: Option<Listed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<Text<200>>,
    at: Timestamp,
}
stored!(StoredEntry, "entry in the lists", 1);

/// Writes what was seen over what was read. Loses when it has changed since.
#[must_use]
pub fn see(kind: RiskKind, digest: &str, seen: &Seen) -> Write {
    let orders = seen.orders.iter().map(|(order, at)| (order.clone(), at.unix_millis()));
    let form = StoredSeen {
        v: 1,
        o: orders.collect(),
        n: seen.version.saturating_add(1),
        ttl: seen.until().unix_seconds(),
    };
    Write::put(Key::seen(kind.as_str(), digest), &form, &Sends::none())
        .unchanged(VERSION, seen.version)
}

/// Writes an entry whole; the last word of the shop counts.
#[must_use]
pub fn list(entry: &RiskEntry) -> Write {
    let form = StoredEntry { v: 1, l: entry.listed, w: entry.note.clone(), at: entry.at };
    Write::put(Key::listed(entry.kind.as_str(), &entry.digest), &form, &Sends::none())
}

/// What has to be read for what the rules count; nothing for a policy that
/// counts nothing.
#[must_use]
pub fn seen_keys(policy: &RiskPolicy, identity: &Identity) -> Vec<Key> {
    let counted = policy.counted();
    let known = identity.among(&counted);
    known.map(|(kind, digest)| Key::seen(kind.as_str(), digest)).collect()
}

/// What has to be read for an order to be decided by the rules; nothing for a
/// policy without rules.
#[must_use]
pub fn keys(policy: &RiskPolicy, identity: &Identity) -> Vec<Key> {
    let looked_up = policy.looked_up();
    let listed = identity.among(&looked_up);
    let listed = listed.map(|(kind, digest)| Key::listed(kind.as_str(), digest));
    seen_keys(policy, identity).into_iter().chain(listed).collect()
}

impl Found {
    /// How often this was seen of late. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn seen(&self, kind: RiskKind, digest: &str) -> Result<Seen, StoreError> {
        let Some(item) = self.item(&Key::seen(kind.as_str(), digest)) else {
            return Ok(Seen::default());
        };
        let form: StoredSeen = from_item(item)?;
        let mut orders = BTreeMap::new();
        for (order, at) in form.o {
            orders
                .insert(order, in_range("list of what was seen", Timestamp::from_unix_millis(at))?);
        }
        Ok(Seen { orders, version: form.n })
    }

    /// Whether this is blocked or trusted. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn listed(&self, kind: RiskKind, digest: &str) -> Result<Option<Listed>, StoreError> {
        let Some(item) = self.item(&Key::listed(kind.as_str(), digest)) else { return Ok(None) };
        from_item(item).map(|form: StoredEntry| form.l)
    }

    /// What is known of an order's buyer, as far as the rules ask for it. The
    /// [`keys`] must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn standing(
        &self,
        policy: &RiskPolicy,
        identity: &Identity,
    ) -> Result<Standing, StoreError> {
        let mut standing = Standing::default();
        for (kind, digest) in identity.among(&policy.counted()) {
            standing.seen.insert(kind, self.seen(kind, digest)?);
        }
        for (kind, digest) in identity.among(&policy.looked_up()) {
            if let Some(listed) = self.listed(kind, digest)? {
                standing.listed.insert(kind, listed);
            }
        }
        Ok(standing)
    }
}
