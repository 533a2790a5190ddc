//! The tables of a quick world: plain maps, which are copied when they are
//! written to first, so that another world of the same things costs nothing.
//!
//! They do what the embedded database does with the requests that the store
//! makes, which a test compares call by call; they know no others. And they
//! remember, so that a read can be told what was so a moment ago.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aftercart::{
    model::time::{Period, Timestamp},
    store::{Index, Table},
};
use dynoxide::{
    DynoxideError,
    errors::CancellationReason,
    types::{AttributeValue, Item, item_size},
};

use super::{
    Cost, Reading, Request, Tabled,
    expression::{Terms, after},
    named,
};

mod reads;
mod writes;

/// How long a write may stay unseen by reads that are not consistent. AWS
/// speaks of about a second; indexes lag longer when much is written.
const LAG: Period = Period::of_seconds(10);

/// The most items of a transaction.
const TRANSACTION_MAX: usize = 100;

/// The largest item.
const ITEM_BYTES_MAX: usize = 400 * 1_024;

type Image = Arc<Item>;

/// Where an item is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pk: Arc<str>,
    sk: Arc<str>,
}

/// Where an item is in an index: its partition, its range, and its key.
type Rung = (Arc<str>, Arc<str>, Place);

/// All tables.
pub(super) struct Shelf(Mutex<State>);

#[derive(Clone, Default)]
struct State {
    tables: BTreeMap<Table, Arc<Rows>>,
    /// Whether reads may see the past.
    remembers: bool,
}

/// A table.
#[derive(Clone, Default)]
struct Rows {
    items: BTreeMap<Place, Image>,
    indexes: BTreeMap<Index, BTreeMap<Rung, Image>>,
    /// What items were before each of their last writes, the oldest first.
    past: BTreeMap<Place, Vec<Past>>,
}

#[derive(Clone)]
struct Past {
    /// When the item stopped being so.
    until: Timestamp,
    before: Option<Image>,
}

impl Place {
    fn of(item: &HashMap<String, AttributeValue>) -> Result<Self, DynoxideError> {
        match (item.get("pk"), item.get("sk")) {
            (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) => {
                Ok(Self { pk: pk.as_str().into(), sk: sk.as_str().into() })
            }
            _ => Err(invalid("The provided key element does not match the schema")),
        }
    }

    /// The place right behind this one.
    fn next(&self) -> Self {
        Self { pk: Arc::clone(&self.pk), sk: after(&self.sk).into() }
    }

    fn first_of(pk: &str) -> Self {
        Self { pk: pk.into(), sk: "".into() }
    }
}

fn invalid(text: impl Into<String>) -> DynoxideError {
    DynoxideError::ValidationException(text.into())
}

fn table(name: &str) -> Result<Table, DynoxideError> {
    let missing = || DynoxideError::ResourceNotFoundException(name.to_owned());
    named(name).ok_or_else(missing)
}

fn text<'i>(item: &'i Item, name: &str) -> Option<&'i str> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

/// Where an item is in an index; nowhere without the index's attributes.
fn rung(item: &Item, place: &Place, (partition, range): (&str, &str)) -> Option<Rung> {
    Some((text(item, partition)?.into(), text(item, range)?.into(), place.clone()))
}

/// What an index holds of an item: its keys.
fn keys_of(item: &Item, (partition, range): (&str, &str)) -> Item {
    let names = BTreeSet::from(["pk", "sk", partition, range]);
    let known =
        names.into_iter().filter_map(|name| Some((name.to_owned(), item.get(name)?.clone())));
    known.collect()
}

/// So many bytes in units of so many kilobytes, one at least.
fn units(bytes: usize, kilobytes: usize) -> u64 {
    let units = bytes.div_ceil(kilobytes * 1_024).max(1);
    u64::try_from(units).unwrap_or(u64::MAX)
}

impl Shelf {
    /// Every table of the store, empty.
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// Other tables with the same items, and no past.
    pub(super) fn copy(&self) -> Self {
        let mut state = self.state().clone();
        state.forget();
        Self(Mutex::new(state))
    }

    /// Whether reads may see the past from now on.
    pub(super) fn remember(&self, remembers: bool) {
        let mut state = self.state();
        state.remembers = remembers;
        if !remembers {
            state.forget();
        }
    }

    /// Puts an item there, whatever was there before.
    pub(super) fn lay(&self, table: Table, item: Item) -> Result<(), DynoxideError> {
        let place = Place::of(&item)?;
        self.state().rows(table).write(table, &place, Arc::new(item));
        Ok(())
    }

    pub(super) fn apply(&self, request: Request, reading: Reading) -> Tabled {
        let mut state = self.state();
        match request {
            Request::Put(request) => state.put(*request, reading.now),
            Request::Update(request) => state.update(*request, reading.now),
            Request::Transact(request) => state.transact(request, reading.now),
            Request::Get(request) => state.get(&request, reading),
            Request::Batch(request) => state.batch(&request, reading),
            Request::Query(request) => state.query(&request, reading),
            Request::Scan(request) => state.scan(&request),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A table, to write to.
    fn rows(&mut self, table: Table) -> &mut Rows {
        Arc::make_mut(self.tables.entry(table).or_default())
    }

    fn forget(&mut self) {
        for rows in self.tables.values_mut().filter(|rows| !rows.past.is_empty()) {
            Arc::make_mut(rows).past.clear();
        }
    }
}

impl Rows {
    /// Puts an item in its place and in its indexes. What that costs, in units:
    /// of the table, and of its indexes.
    fn write(&mut self, table: Table, place: &Place, image: Image) -> (u64, u64) {
        let before = self.items.insert(place.clone(), Arc::clone(&image));
        let old = before.as_deref();
        let size = item_size(&image).max(old.map_or(0, item_size));
        let mut cost = 0;
        for (index, partition, range) in table.indexes() {
            let names = (*partition, *range);
            let entries = self.indexes.entry(*index).or_default();
            let was = old.and_then(|old| rung(old, place, names));
            let is = rung(&image, place, names);
            let of = |item: &Item| units(item_size(&keys_of(item, names)), 1);
            if was != is {
                if let (Some(was), Some(old)) = (was, old) {
                    entries.remove(&was);
                    cost += of(old);
                }
                cost += is.as_ref().map_or(0, |_| of(&image));
            }
            if let Some(is) = is {
                entries.insert(is, Arc::clone(&image));
            }
        }
        (units(size, 1), cost)
    }

    /// Notes what an item is, which is about to be written.
    fn remember(&mut self, place: &Place, now: Timestamp) {
        self.past.retain(|_, past| past.last().is_some_and(|it| it.until.plus(LAG) > now));
        let before = self.items.get(place).cloned();
        self.past.entry(place.clone()).or_default().push(Past { until: now, before });
    }

    /// What an item was before so many of its last writes.
    fn seen(&self, place: &Place, unseen: usize, now: Timestamp) -> Option<&Image> {
        let recent = self.past.get(place).into_iter().flatten();
        let recent: Vec<&Past> = recent.filter(|it| it.until.plus(LAG) > now).collect();
        match recent.len().min(unseen) {
            0 => self.items.get(place),
            unseen => recent.get(recent.len() - unseen).and_then(|it| it.before.as_ref()),
        }
    }
}
