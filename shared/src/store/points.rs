//! Ledgers of points and their entries, in one partition a member.
//!
//! A posting is one commit: its entries, put if absent, and the ledger, put if
//! its version is still the one that was read.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{EntryId, OrderId},
    points::{Account, Cause, Entry, Ledger, Lot, PendingLot, Posting},
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::Condition,
    item::{Item, from_item, stored},
    key::{DUE, DUE_SHARD, ENTRY_PREFIX, PK, SK, due_shard},
    read::{PartitionQuery, text},
};

const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredLedger {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    b: BTreeMap<Account, i64>,
    p: Vec<StoredPending>,
    l: Vec<StoredLot>,
    n: u64,
}
stored!(StoredLedger, "points ledger", 1);

#[derive(Serialize, Deserialize)]
struct StoredPending {
    o: OrderId,
    n: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    m: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct StoredLot {
    x: Timestamp,
    n: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredEntry {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    id: EntryId,
    at: Timestamp,
    k: StoredCause,
    r: String,
    po: String,
    ps: Vec<(Account, i64)>,
}
stored!(StoredEntry, "points entry", 1);

#[derive(Serialize, Deserialize)]
enum StoredCause {
    #[serde(rename = "paid")]
    OrderPaid(OrderId),
    #[serde(rename = "window")]
    ReturnWindowEnded(OrderId),
    #[serde(rename = "expired")]
    LotExpired(Timestamp),
}

impl From<&Cause> for StoredCause {
    fn from(cause: &Cause) -> Self {
        match cause.clone() {
            Cause::OrderPaid(order) => Self::OrderPaid(order),
            Cause::ReturnWindowEnded(order) => Self::ReturnWindowEnded(order),
            Cause::LotExpired(at) => Self::LotExpired(at),
        }
    }
}

impl From<StoredCause> for Cause {
    fn from(form: StoredCause) -> Self {
        match form {
            StoredCause::OrderPaid(order) => Self::OrderPaid(order),
            StoredCause::ReturnWindowEnded(order) => Self::ReturnWindowEnded(order),
            StoredCause::LotExpired(at) => Self::LotExpired(at),
        }
    }
}

/// Writes an entry, unless it was written before.
#[must_use]
pub fn post(entry: &Entry) -> Write {
    let form = StoredEntry {
        v: 1,
        pk: entry.customer.clone(),
        id: entry.id.clone(),
        at: entry.at,
        k: (&entry.cause).into(),
        r: entry.rule.clone(),
        po: entry.policy.clone(),
        ps: entry.postings.iter().map(|posting| (posting.account, posting.points)).collect(),
    };
    let key = Key::entry(&entry.customer, entry.at, &entry.id);
    Write::put(key, &form, &Sends::none()).when(Condition::Absent)
}

/// Writes a ledger over the one that was read. Loses when it has changed since.
#[must_use]
pub fn save(ledger: &Ledger) -> Write {
    let pending = ledger.pending.iter().map(|lot| StoredPending {
        o: lot.order.clone(),
        n: lot.points,
        m: lot.matures_at,
    });
    let form = StoredLedger {
        v: 1,
        pk: ledger.customer.clone(),
        b: ledger.balances.clone(),
        p: pending.collect(),
        l: ledger.lots.iter().map(|lot| StoredLot { x: lot.expires_at, n: lot.points }).collect(),
        n: ledger.version + 1,
    };
    let unchanged = match ledger.version {
        0 => Condition::Absent,
        version => Condition::Equals(VERSION, AttributeValue::N(version.to_string())),
    };
    let write = Write::put(Key::ledger(&ledger.customer), &form, &Sends::none()).when(unchanged);
    match ledger.next_due() {
        None => write,
        Some(due) => write
            .indexed(DUE_SHARD, due_shard(ledger.customer.as_str()))
            .indexed(DUE, due.to_string()),
    }
}

/// Reads a cursor that a listing of entries gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| {
        let parts = token.inner().strip_prefix(ENTRY_PREFIX).and_then(|rest| rest.split_once('#'));
        parts.is_some_and(|(at, id)| Timestamp::parse(at).is_ok() && EntryId::parse(id).is_ok())
    })
}

pub(super) fn ledger_from_item(item: &Item) -> Result<Ledger, StoreError> {
    let form: StoredLedger = from_item(item)?;
    let pending =
        form.p.into_iter().map(|lot| PendingLot { order: lot.o, points: lot.n, matures_at: lot.m });
    Ok(Ledger {
        customer: form.pk,
        balances: form.b,
        pending: pending.collect(),
        lots: form.l.into_iter().map(|lot| Lot { expires_at: lot.x, points: lot.n }).collect(),
        version: form.n,
    })
}

pub(super) fn entry_from_item(item: &Item) -> Result<Entry, StoreError> {
    let form: StoredEntry = from_item(item)?;
    let postings = form.ps.into_iter().map(|(account, points)| Posting { account, points });
    Ok(Entry {
        id: form.id,
        customer: form.pk,
        at: form.at,
        cause: form.k.into(),
        rule: form.r,
        policy: form.po,
        postings: postings.collect(),
    })
}

impl Found {
    /// The member's ledger, empty if there is none. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn ledger(&self, customer: &CustomerId) -> Result<Ledger, StoreError> {
        let item = self.item(&Key::ledger(customer));
        item.map_or_else(|| Ok(Ledger::empty(customer.clone())), ledger_from_item)
    }

    /// The entry under this key, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn entry(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.item(key).map(entry_from_item).transpose()
    }
}

impl Store {
    /// The member's ledger, empty if there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledger(&self, customer: &CustomerId) -> Result<Ledger, StoreError> {
        let item = self.get(&Key::ledger(customer)).await?;
        item.as_ref().map_or_else(|| Ok(Ledger::empty(customer.clone())), ledger_from_item)
    }

    /// A page of the member's entries, latest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn entries_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<Entry>, StoreError> {
        let start = from.map(|token| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            let pk = (PK.to_owned(), text(customer.as_str()));
            Item::from([pk, (SK.to_owned(), text(token.inner()))])
        });
        let pk = customer.as_str();
        let query = PartitionQuery { table: Table::Points, pk, prefix: Some(ENTRY_PREFIX) };
        let (items, last) = self.latest(query, start, limit).await?;
        let items: Result<Vec<Entry>, StoreError> = items.iter().map(entry_from_item).collect();
        let next = last.and_then(|last| text(&last, SK)).map(PageToken::new);
        Ok(Page { items: items?, next })
    }

    /// The members in whose ledgers something is due by `now`, as the index
    /// has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ledgers_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<CustomerId>, StoreError> {
        let due = self.due(DueTable::Points, now, most).await?;
        let member = |due: &Due| CustomerId::parse(&due.pk).ok();
        Ok(due.iter().filter_map(member).collect())
    }
}
