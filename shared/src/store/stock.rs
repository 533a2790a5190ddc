//! How much there is of each SKU at each location, and what moved.
//!
//! A level is spread over parts, each an item in a partition of its own; a
//! shop that does not say otherwise has one part.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    id::MovementId,
    product::Sku,
    stock::{
        LevelChange, Levels, LocationId, Movement, MovementKind, StockPart, StockState, StockWatch,
    },
    text::Text,
    time::Timestamp,
};

use super::{
    Found, Key, Sends, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item, number, stored},
    key::{LEVEL_PREFIX, PK, SK},
};

const AVAILABLE: &str = "av";
const SCHEMA: &str = "v";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredMovement {
    v: u32,
    #[serde(skip_serializing)]
    pk: Sku,
    i: MovementId,
    k: MovementKind,
    c: Vec<(LocationId, u8, i64)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<Text<200>>,
    at: Timestamp,
    rq: String,
}
stored!(StoredMovement, "movement of goods", 1);

#[derive(Serialize, Deserialize)]
struct StoredLevel {
    v: u32,
    av: i64,
}
stored!(StoredLevel, "stock level", 1);

#[derive(Serialize, Deserialize)]
struct StoredWatch {
    v: u32,
    n: u32,
    s: StockState,
}
stored!(StoredWatch, "watch of a stock level", 1);

/// Takes units out of a part of a level. Loses when fewer than `floor` would
/// be left: above zero where units are kept for others, below zero where goods
/// are sold before they are there.
#[must_use]
pub fn take(sku: &Sku, part: &StockPart, floor: i64) -> Write {
    let quantity = i64::from(part.quantity);
    let least = quantity.saturating_add(floor);
    let change = Change::default().add(AVAILABLE, -quantity).set(SCHEMA, number(1));
    let write = Write::update(level(sku, part), change, &Sends::none());
    match least {
        ..=0 => write.when(Condition::MissingOrAtLeast(AVAILABLE, least)),
        _ => write.when(Condition::AtLeast(AVAILABLE, least)),
    }
}

/// Gives units back that an order had taken. Belongs into the commit that ends
/// the order, or a part of it, which happens once.
#[must_use]
pub fn give_back(sku: &Sku, part: &StockPart) -> Write {
    let change = Change::default().add(AVAILABLE, i64::from(part.quantity));
    Write::update(level(sku, part), change, &Sends::none()).when(Condition::Exists)
}

fn level(sku: &Sku, part: &StockPart) -> Key {
    Key::level(sku, &part.location, part.shard)
}

/// Notes a movement, unless it is noted already. Its units move by [`change`]
/// in the same commit.
#[must_use]
pub fn note(movement: &Movement) -> Write {
    let changes = movement.changes.iter();
    let form = StoredMovement {
        v: 1,
        pk: movement.sku.clone(),
        i: movement.id.clone(),
        k: movement.kind,
        c: changes.map(|it| (it.location.clone(), it.shard, it.units)).collect(),
        n: movement.note.clone(),
        at: movement.at,
        rq: movement.request.clone(),
    };
    Write::put(Key::movement(&movement.sku, &movement.id), &form, &Sends::none())
        .when(Condition::Absent)
}

/// Moves units into, or out of, a part of a level. A move out loses when fewer
/// than `floor` would be left.
#[must_use]
pub fn change(sku: &Sku, change: &LevelChange, floor: i64) -> Write {
    let key = Key::level(sku, &change.location, change.shard);
    let update = Change::default().add(AVAILABLE, change.units).set(SCHEMA, number(1));
    let write = Write::update(key, update, &Sends::none());
    match change.units {
        0.. => write,
        out => write.when(Condition::AtLeast(AVAILABLE, floor.saturating_sub(out))),
    }
}

/// Notes how a SKU stands at a location and tells of it, unless somebody did
/// since `before` was read.
#[must_use]
pub fn tell(
    sku: &Sku,
    location: &LocationId,
    before: Option<StockWatch>,
    state: StockState,
    sends: &Sends,
) -> Write {
    let version = before.map_or(0, |it| it.version);
    let form = StoredWatch { v: 1, n: version.saturating_add(1), s: state };
    Write::put(Key::stock_watch(sku, location), &form, sends).unchanged(VERSION, version)
}

/// The keys of all parts of the levels of these SKUs, each with the count of
/// its parts, at these locations.
#[must_use]
pub fn level_keys(skus: &[(Sku, u8)], locations: &[LocationId]) -> Vec<Key> {
    let parts = parts(skus, locations);
    parts.map(|(sku, location, shard)| Key::level(sku, location, shard)).collect()
}

fn parts<'a>(
    skus: &'a [(Sku, u8)],
    locations: &'a [LocationId],
) -> impl Iterator<Item = (&'a Sku, &'a LocationId, u8)> {
    skus.iter().flat_map(move |(sku, shards)| {
        locations.iter().flat_map(move |at| (0..*shards).map(move |shard| (sku, at, shard)))
    })
}

/// Whose level an item is, by the attributes of its key; nobody's if it is
/// something else of the table.
#[must_use]
pub fn level_of(keys: &BTreeMap<String, String>) -> Option<(Sku, LocationId)> {
    let location = keys.get(SK)?.strip_prefix(LEVEL_PREFIX)?;
    let sku = keys.get(PK)?.split('#').next()?;
    Some((Sku::parse(sku).ok()?, LocationId::parse(location).ok()?))
}

/// The movement in an item that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn movement_from_item(item: &Item) -> Result<Movement, StoreError> {
    let form: StoredMovement = from_item(item)?;
    let change = |(location, shard, units)| LevelChange { location, shard, units };
    Ok(Movement {
        id: form.i,
        sku: form.pk,
        kind: form.k,
        changes: form.c.into_iter().map(change).collect(),
        note: form.n,
        at: form.at,
        request: form.rq,
    })
}

/// How many units the level in an item has, such as the one that a
/// [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn available_from_item(item: &Item) -> Result<i64, StoreError> {
    from_item(item).map(|form: StoredLevel| form.av)
}

impl Found {
    /// The levels of these SKUs, each with the count of its parts, at these
    /// locations. What is not there has no units.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn levels(
        &self,
        skus: &[(Sku, u8)],
        locations: &[LocationId],
    ) -> Result<Levels, StoreError> {
        let mut levels = Levels::default();
        for (sku, location, shard) in parts(skus, locations) {
            let item = self.item(&Key::level(sku, location, shard));
            levels.note(sku, location, shard, item.map_or(Ok(0), available_from_item)?);
        }
        Ok(levels)
    }

    /// The movement, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn movement(&self, sku: &Sku, id: &MovementId) -> Result<Option<Movement>, StoreError> {
        self.item(&Key::movement(sku, id)).map(movement_from_item).transpose()
    }

    /// What was last told of how a SKU stands at a location.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn stock_watch(
        &self,
        sku: &Sku,
        location: &LocationId,
    ) -> Result<Option<StockWatch>, StoreError> {
        let Some(item) = self.item(&Key::stock_watch(sku, location)) else { return Ok(None) };
        let form: StoredWatch = from_item(item)?;
        Ok(Some(StockWatch { state: form.s, version: form.n }))
    }
}
