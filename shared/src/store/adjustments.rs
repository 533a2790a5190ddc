//! Points that operators give and take: each adjustment in a partition of its
//! own, and what an operator decided alone.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    adjustment::{Adjustment, Alone, Decided, Verdict},
    customer::CustomerId,
    id::AdjustmentId,
    text::Text,
    time::{Date, Timestamp},
};

use super::{
    DueTable, Found, Key, Page, PageToken, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, stored, to_item},
    key::{DUE, DUE_SHARD},
    read,
};

/// The partition of the index of what is due in which those adjustments lie
/// that wait for a second operator, by when they were asked for. Schedules do
/// not read it.
const WAITING: &str = "adjustments";

const DECIDED: &str = "e";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredAdjustment {
    v: u32,
    #[serde(skip_serializing)]
    pk: AdjustmentId,
    c: CustomerId,
    p: i64,
    r: Text<500>,
    at: Timestamp,
    by: Text<128>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<StoredDecided>,
}
stored!(StoredAdjustment, "adjustment", 1);

#[derive(Serialize, Deserialize)]
struct StoredDecided {
    v: u32,
    at: Timestamp,
    by: Text<128>,
    h: Verdict,
}
stored!(StoredDecided, "decision about an adjustment", 1);

#[derive(Serialize, Deserialize)]
struct StoredAlone {
    v: u32,
    o: Text<128>,
    d: Date,
    p: i64,
    n: u64,
}
stored!(StoredAlone, "record of adjustments", 1);

fn decision(decided: &Decided) -> StoredDecided {
    StoredDecided { v: 1, at: decided.at, by: decided.by.clone(), h: decided.verdict }
}

/// Writes an adjustment, unless it is there. One that is not decided waits in
/// the listing.
#[must_use]
pub fn put(adjustment: &Adjustment) -> Write {
    let form = StoredAdjustment {
        v: 1,
        pk: adjustment.id.clone(),
        c: adjustment.customer.clone(),
        p: adjustment.points,
        r: adjustment.reason.clone(),
        at: adjustment.asked_at,
        by: adjustment.asked_by.clone(),
        e: adjustment.decided.as_ref().map(decision),
    };
    let key = Key::adjustment(&adjustment.id);
    let write = Write::put(key, &form, &Sends::none()).when(Condition::Absent);
    match adjustment.decided {
        Some(_) => write,
        None => write
            .indexed(DUE_SHARD, WAITING.to_owned())
            .indexed(DUE, adjustment.asked_at.to_string()),
    }
}

/// Notes what was decided about an adjustment. Loses when there is none, or it
/// was decided before.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn decide(adjustment: &AdjustmentId, decided: &Decided) -> Result<Write, StoreError> {
    let form = to_item(&decision(decided))
        .map_err(|source| StoreError::Stored { what: "decision about an adjustment", source })?;
    let change =
        Change::default().set(DECIDED, AttributeValue::M(form)).remove(DUE).remove(DUE_SHARD);
    Ok(Write::update(Key::adjustment(adjustment), change, &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Missing(DECIDED.into())))
}

/// Writes how many points an operator gave and took alone over what was read.
/// Loses when that has changed since.
#[must_use]
pub fn save(alone: &Alone) -> Write {
    let form = StoredAlone {
        v: 1,
        o: alone.operator.clone(),
        d: alone.on,
        p: alone.points,
        n: alone.version + 1,
    };
    Write::put(Key::alone(&alone.operator), &form, &Sends::none()).unchanged(VERSION, alone.version)
}

fn from_item(item: &Item) -> Result<Adjustment, StoreError> {
    let form: StoredAdjustment = read_form(item)?;
    Ok(Adjustment {
        id: form.pk,
        customer: form.c,
        points: form.p,
        reason: form.r,
        asked_at: form.at,
        asked_by: form.by,
        decided: form.e.map(|it| Decided { at: it.at, by: it.by, verdict: it.h }),
    })
}

fn alone_from_item(item: &Item) -> Result<Alone, StoreError> {
    let form: StoredAlone = read_form(item)?;
    Ok(Alone { operator: form.o, on: form.d, points: form.p, version: form.n })
}

impl Found {
    /// The adjustment, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn adjustment(&self, id: &AdjustmentId) -> Result<Option<Adjustment>, StoreError> {
        self.item(&Key::adjustment(id)).map(from_item).transpose()
    }

    /// What an operator decided alone. It must have been asked for.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn alone(&self, operator: &Text<128>) -> Result<Alone, StoreError> {
        let item = self.item(&Key::alone(operator));
        item.map_or_else(|| Ok(Alone::nothing(operator.clone())), alone_from_item)
    }
}

impl Store {
    /// A page of the adjustments that wait for a second operator, as the index
    /// has it; those first that were asked for first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn adjustments_waiting(
        &self,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<AdjustmentId>, StoreError> {
        let of = (DueTable::Points, WAITING);
        self.listed(of, (listed, Key::adjustment), from, limit).await
    }
}

/// The place after which a listing of adjustments goes on, if the text is one.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    read::cursor(text, listed)
}

fn listed(text: &str) -> Option<AdjustmentId> {
    AdjustmentId::parse(text).ok()
}
