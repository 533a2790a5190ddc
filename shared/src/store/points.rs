//! Ledgers of points and their entries, in one partition a member.
//!
//! A posting is one commit: its entries, put if absent, and the ledger, put if
//! its version is still the one that was read. A hold for an order that is not
//! paid is one update of the ledger, which can be part of the transaction that
//! places the order: it needs no reading before, and raises the version, so
//! that a posting which was decided without it loses and is decided again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{EntryId, OrderId},
    points::{Account, Cause, Entry, Ledger, Lot, MAX_HOLDS, PendingLot, Posting, Undone},
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Key, Page, PageToken, Sends, Store, StoreError, Table, Write,
    commit::{Change, Condition},
    item::{Item, StoredError, from_item, in_range, number, stored},
    key::{DUE, DUE_SHARD, ENTRY_PREFIX, SK, due_shard},
    read::{PartitionQuery, text},
};

const VERSION: &str = "n";
const HOLDS: &str = "h";
const SPENDABLE: &str = "sp";
const TAKEN: &str = "t";
const RETURNED: &str = "r";

/// The holds and what may be spent are written always, also when there is
/// nothing: the condition and the path of a hold need them. Ledgers of schema 1
/// had neither, and are not read. A member without a ledger has no points.
#[derive(Serialize, Deserialize)]
struct StoredLedger {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    b: BTreeMap<Account, i64>,
    p: Vec<StoredPending>,
    l: Vec<StoredLot>,
    h: BTreeMap<String, i64>,
    sp: i64,
    n: u64,
}
stored!(StoredLedger, "points ledger", 2);

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ln: Vec<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lt: Vec<StoredLot>,
}
stored!(StoredEntry, "points entry", 1);

#[derive(Serialize, Deserialize)]
struct StoredUndone {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    o: OrderId,
    t: i64,
    r: i64,
}
stored!(StoredUndone, "record of undone points", 1);

#[derive(Serialize, Deserialize)]
enum StoredCause {
    #[serde(rename = "paid")]
    OrderPaid(OrderId),
    #[serde(rename = "spent")]
    OrderPoints(OrderId),
    #[serde(rename = "cancelled")]
    OrderCancelled(OrderId),
    #[serde(rename = "returned")]
    PointsReturned(OrderId),
    #[serde(rename = "apology")]
    Apology(OrderId),
    #[serde(rename = "delivery")]
    DeliveryApology(OrderId),
    #[serde(rename = "window")]
    ReturnWindowEnded(OrderId),
    #[serde(rename = "expired")]
    LotExpired(Timestamp),
}

impl From<&Cause> for StoredCause {
    fn from(cause: &Cause) -> Self {
        match cause.clone() {
            Cause::OrderPaid(order) => Self::OrderPaid(order),
            Cause::OrderPoints(order) => Self::OrderPoints(order),
            Cause::OrderCancelled(order) => Self::OrderCancelled(order),
            Cause::PointsReturned(order) => Self::PointsReturned(order),
            Cause::Apology(order) => Self::Apology(order),
            Cause::DeliveryApology(order) => Self::DeliveryApology(order),
            Cause::ReturnWindowEnded(order) => Self::ReturnWindowEnded(order),
            Cause::LotExpired(at) => Self::LotExpired(at),
        }
    }
}

impl From<StoredCause> for Cause {
    fn from(form: StoredCause) -> Self {
        match form {
            StoredCause::OrderPaid(order) => Self::OrderPaid(order),
            StoredCause::OrderPoints(order) => Self::OrderPoints(order),
            StoredCause::OrderCancelled(order) => Self::OrderCancelled(order),
            StoredCause::PointsReturned(order) => Self::PointsReturned(order),
            StoredCause::Apology(order) => Self::Apology(order),
            StoredCause::DeliveryApology(order) => Self::DeliveryApology(order),
            StoredCause::ReturnWindowEnded(order) => Self::ReturnWindowEnded(order),
            StoredCause::LotExpired(at) => Self::LotExpired(at),
        }
    }
}

impl From<&Lot> for StoredLot {
    fn from(lot: &Lot) -> Self {
        Self { x: lot.expires_at, n: lot.points }
    }
}

impl From<StoredLot> for Lot {
    fn from(form: StoredLot) -> Self {
        Self { expires_at: form.x, points: form.n }
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
        ln: entry.lines.clone(),
        lt: entry.lots.iter().map(StoredLot::from).collect(),
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
    let holds = ledger.holds.iter().map(|(order, points)| (order.to_string(), *points));
    let form = StoredLedger {
        v: 2,
        pk: ledger.customer.clone(),
        b: ledger.balances.clone(),
        p: pending.collect(),
        l: ledger.lots.iter().map(StoredLot::from).collect(),
        h: holds.collect(),
        sp: ledger.spendable(),
        n: ledger.version + 1,
    };
    let write = Write::put(Key::ledger(&ledger.customer), &form, &Sends::none())
        .unchanged(VERSION, ledger.version);
    match ledger.next_due() {
        None => write,
        Some(due) => write
            .indexed(DUE_SHARD, due_shard(ledger.customer.as_str()))
            .indexed(DUE, due.to_string()),
    }
}

/// Holds points for an order that is not paid. Loses when fewer may be spent
/// (or the member has no ledger), the order has a hold already, or there are
/// [`MAX_HOLDS`]. Belongs into the commit that places the order.
#[must_use]
pub fn hold(customer: &CustomerId, order: &OrderId, points: i64) -> Write {
    let held = format!("{HOLDS}.{order}");
    let most = i64::try_from(MAX_HOLDS).unwrap_or(i64::MAX);
    let change = Change::default()
        .set(held.clone(), number(points))
        .add(SPENDABLE, points.saturating_neg())
        .add(VERSION, 1);
    Write::update(Key::ledger(customer), change, &Sends::none())
        .when(Condition::AtLeast(SPENDABLE, points))
        .when(Condition::Missing(held.into()))
        .when(Condition::SmallerThan(HOLDS, most))
}

/// Gives up the points that are held for an order. Loses when these are not
/// held for it. Belongs into the commit that ends the order unpaid; what paid
/// for an order comes back by a movement.
#[must_use]
pub fn release(customer: &CustomerId, order: &OrderId, points: i64) -> Write {
    let held = format!("{HOLDS}.{order}");
    let change = Change::default().remove(held.clone()).add(SPENDABLE, points).add(VERSION, 1);
    Write::update(Key::ledger(customer), change, &Sends::none())
        .when(Condition::Is(held.into(), number(points)))
}

/// Writes what was undone of an order's points over what was read. Loses when
/// that has changed since.
#[must_use]
pub fn undo(read: &Undone, now: &Undone) -> Write {
    let form = StoredUndone {
        v: 1,
        pk: now.customer.clone(),
        o: now.order.clone(),
        t: now.taken,
        r: now.returned,
    };
    let write = Write::put(Key::undone(&now.customer, &now.order), &form, &Sends::none());
    match (read.taken, read.returned) {
        (0, 0) => write.when(Condition::Absent),
        (taken, returned) => write
            .when(Condition::Is(TAKEN.into(), number(taken)))
            .when(Condition::Is(RETURNED.into(), number(returned))),
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

/// The ledger in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`], also when what may be spent is not what the
/// balances and holds say.
pub fn ledger_from_item(item: &Item) -> Result<Ledger, StoreError> {
    let form: StoredLedger = from_item(item)?;
    let mut holds = BTreeMap::new();
    for (order, points) in form.h {
        holds.insert(in_range("points ledger", OrderId::parse(&order))?, points);
    }
    let pending =
        form.p.into_iter().map(|lot| PendingLot { order: lot.o, points: lot.n, matures_at: lot.m });
    let ledger = Ledger {
        customer: form.pk,
        balances: form.b,
        pending: pending.collect(),
        lots: form.l.into_iter().map(Lot::from).collect(),
        holds,
        version: form.n,
    };
    if ledger.spendable() == form.sp {
        Ok(ledger)
    } else {
        Err(StoreError::Stored { what: "points ledger", source: StoredError::Range })
    }
}

pub(super) fn undone_from_item(item: &Item) -> Result<Undone, StoreError> {
    let form: StoredUndone = from_item(item)?;
    Ok(Undone { customer: form.pk, order: form.o, taken: form.t, returned: form.r })
}

/// The entry in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn entry_from_item(item: &Item) -> Result<Entry, StoreError> {
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
        lines: form.ln,
        lots: form.lt.into_iter().map(Lot::from).collect(),
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

    /// What was undone of the points of the member's order. It must have been
    /// asked for under [`Key::undone`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn undone(&self, customer: &CustomerId, order: &OrderId) -> Result<Undone, StoreError> {
        let item = self.item(&Key::undone(customer, order));
        let nothing = || Ok(Undone::nothing(customer.clone(), order.clone()));
        item.map_or_else(nothing, undone_from_item)
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
        let pk = customer.as_str();
        let start = from.map(|token| token.start(pk));
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
