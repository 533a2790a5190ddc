//! The register of ledgers, and what all of them amounted to, day by day.
//!
//! The register is one item a ledger, made after the ledger and never changed.
//! In the index of what is due it lies in partitions of its own, by when it was
//! made, so that whoever goes through it meets every ledger once: in the index
//! the ledgers themselves change their places with every movement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    points::Account,
    tally::{Cohort, Month, Place, Tally},
    time::{Date, Timestamp},
};

use super::{
    DueTable, Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::Condition,
    item::{Item, from_item, is_default, stored},
    key::{DUE, DUE_SHARD, DUE_SHARDS, TALLIES, TALLY_PREFIX, due_shard},
    read::{self, PartitionQuery},
};

const VERSION: &str = "n";

/// How many of the latest tallies are looked at to find the one in the making
/// and one that is complete: only the latest may be in the making, because none
/// is begun before it is complete.
const LATEST: u16 = 2;

#[derive(Serialize, Deserialize)]
struct StoredRegistration {
    v: u32,
}
stored!(StoredRegistration, "registration of a ledger", 1);

#[derive(Serialize, Deserialize)]
struct StoredTally {
    v: u32,
    d: Date,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nx: Option<(u8, Option<String>)>,
    l: u64,
    #[serde(default, skip_serializing_if = "is_default")]
    u: u64,
    b: BTreeMap<Account, i64>,
    h: i64,
    e: BTreeMap<Month, i64>,
    /// Members, issued, spent, expired, available.
    c: BTreeMap<Month, (u64, i64, i64, i64, i64)>,
    n: u64,
}
stored!(StoredTally, "tally of points", 1);

/// Lists a ledger in the register. Loses when it is listed.
#[must_use]
pub fn register(customer: &CustomerId, now: Timestamp) -> Write {
    Write::put(Key::registered(customer), &StoredRegistration { v: 1 }, &Sends::none())
        .when(Condition::Absent)
        .indexed(DUE_SHARD, part(&due_shard(customer.as_str())))
        .indexed(DUE, now.to_string())
}

/// A partition of the index in which a part of the register lies.
fn part(shard: &str) -> String {
    format!("ledgers {shard}")
}

/// Writes a tally over what was read. Loses when another run went on with it.
#[must_use]
pub fn save(tally: &Tally) -> Write {
    let cohort = |it: &Cohort| (it.members, it.issued, it.spent, it.expired, it.available);
    let form = StoredTally {
        v: 1,
        d: tally.date,
        at: tally.begun_at,
        nx: tally.next.clone().map(|it| (it.part, it.after)),
        l: tally.ledgers,
        u: tally.unsound,
        b: tally.balances.clone(),
        h: tally.held,
        e: tally.ends.clone(),
        c: tally.cohorts.iter().map(|(month, it)| (month.clone(), cohort(it))).collect(),
        n: tally.version.saturating_add(1),
    };
    Write::put(Key::tally(tally.date), &form, &Sends::none()).unchanged(VERSION, tally.version)
}

fn from_stored(item: &Item) -> Result<Tally, StoreError> {
    let form: StoredTally = from_item(item)?;
    let cohort = |(members, issued, spent, expired, available)| Cohort {
        members,
        issued,
        spent,
        expired,
        available,
    };
    Ok(Tally {
        date: form.d,
        begun_at: form.at,
        next: form.nx.map(|(part, after)| Place { part, after }),
        ledgers: form.l,
        unsound: form.u,
        balances: form.b,
        held: form.h,
        ends: form.e,
        cohorts: form.c.into_iter().map(|(month, it)| (month, cohort(it))).collect(),
        version: form.n,
    })
}

impl Found {
    /// The tally of a day, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn tally(&self, date: Date) -> Result<Option<Tally>, StoreError> {
        self.item(&Key::tally(date)).map(from_stored).transpose()
    }
}

impl Store {
    /// The tally of a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn tally(&self, date: Date) -> Result<Option<Tally>, StoreError> {
        self.get(&Key::tally(date)).await?.as_ref().map(from_stored).transpose()
    }

    /// The latest two tallies, the latest first: one may be in the making, and
    /// the one before it is complete.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_tallies(&self) -> Result<Vec<Tally>, StoreError> {
        let query =
            PartitionQuery { table: Table::Points, pk: TALLIES, prefix: Some(TALLY_PREFIX) };
        let (items, _) = self.latest(query, None, LATEST).await?;
        items.iter().map(from_stored).collect()
    }

    /// The latest tally that is complete.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn latest_tally(&self) -> Result<Option<Tally>, StoreError> {
        Ok(self.latest_tallies().await?.into_iter().find(Tally::is_complete))
    }

    /// A page of the register, and where it goes on: in the same part, in the
    /// next one, or nowhere.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn registered(
        &self,
        from: &Place,
        most: u16,
    ) -> Result<(Vec<CustomerId>, Option<Place>), StoreError> {
        let parse = |text: &str| CustomerId::parse(text).ok();
        let after = from.after.as_deref().and_then(|text| read::cursor(text, parse));
        let shard = part(&from.part.to_string());
        let of = (DueTable::Points, shard.as_str());
        let page: Page<CustomerId> =
            self.listed(of, (parse, Key::registered), after.as_ref(), most).await?;
        let later = from.part.saturating_add(1);
        let next = match page.next.as_ref().map(PageToken::encode) {
            Some(after) => Some(Place { part: from.part, after: Some(after) }),
            None if later < DUE_SHARDS => Some(Place { part: later, after: None }),
            None => None,
        };
        Ok((page.items, next))
    }
}
