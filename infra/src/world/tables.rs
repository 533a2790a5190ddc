//! DynamoDB, in memory: typed requests to an embedded database or to plain
//! maps, and the changes that its streams tell of.

mod embedded;
mod expression;
mod request;
mod shelf;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aftercart::{
    model::time::Timestamp,
    store::{SENDS, Table},
};
use dynoxide::{
    DynoxideError,
    types::{AttributeValue, Item, item_size},
};
use serde_json::{Value, json};

use super::weather::Unseen;

use self::{embedded::Embedded, shelf::Shelf};

pub(super) use self::request::Request;

/// What the names begin with that tables are deployed under.
const DEPLOYED: &str = "aftercart-";

/// The name that a table is deployed under.
pub(super) fn deployed(table: Table) -> String {
    format!("{DEPLOYED}{}", table.name())
}

/// The table that is deployed under a name.
pub(super) fn named(name: &str) -> Option<Table> {
    let name = name.strip_prefix(DEPLOYED)?;
    Table::ALL.into_iter().find(|table| table.name() == name)
}

/// Whether a change of an item of a table is for the reader of a stream.
type Filter = fn(Table, &Item) -> bool;

/// The functions that read streams, each with the filter of its mappings in
/// template.yaml: the relay reads what carries messages, the other the levels
/// of stock.
pub(super) const READERS: [(&str, Filter); 2] = [
    ("relay", |_, image| image.contains_key(SENDS)),
    ("stock-watch", |table, image| {
        let sort = image.get("sk");
        let level = matches!(sort, Some(AttributeValue::S(sk)) if sk.starts_with("LEVEL#"));
        table == Table::Stock && level
    }),
];

/// A change of an item that a function reads of.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// Which function.
    pub(super) reader: &'static str,
    /// Of which table.
    pub(super) table: Table,
    /// Its place in the streams of this world.
    pub(super) sequence: u64,
    /// The item as it became.
    pub(super) image: Value,
}

/// The tables. Whoever applies a request holds them, so that an image is what
/// its write made.
pub(super) struct Tables(Mutex<State>);

struct State {
    engine: Engine,
    changes: Changes,
    /// Why the items could not be laid elsewhere: no call is answered then.
    broken: Option<String>,
}

/// What keeps the items.
enum Engine {
    Embedded(Embedded),
    Shelf(Shelf),
}

#[derive(Clone, Default)]
struct Changes {
    waiting: Vec<Change>,
    /// Those that lie in the dead-letter queues of their readers, each with
    /// the text that lies there.
    given_up: Vec<(Change, String)>,
    count: u64,
}

/// What an operation cost, in halves of a unit: eventually consistent reads
/// cost half a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) write_halves: u64,
    pub(super) read_halves: u64,
}

/// What a read sees.
pub(super) struct Reading {
    /// What time it is.
    pub(super) now: Timestamp,
    /// Dice of what an eventually consistent read does not see, if it sees the past.
    pub(super) unseen: Option<Unseen>,
}

/// An answer, what it cost, and the items that were written, as they became.
type Tabled = Result<(Value, Cost, Vec<(Table, Arc<Item>)>), DynoxideError>;

/// What a write cost whose conditions did not hold: DynamoDB charges for the
/// item that it met, as for a write, and for each of a transaction twice. Of a
/// transaction's items that did not lose none is told: they count as a kilobyte.
pub(super) fn lost(error: &DynoxideError) -> Cost {
    let units = |item: Option<&Item>| {
        let bytes = item.map(item_size).unwrap_or_default();
        u64::try_from(bytes.div_ceil(1_024).max(1)).unwrap_or(u64::MAX)
    };
    let lost = match error {
        DynoxideError::ConditionalCheckFailedException(_, item) => units(item.as_ref()),
        DynoxideError::TransactionCanceledException(_, reasons) => {
            reasons.iter().map(|reason| units(reason.item.as_ref())).sum::<u64>() * 2
        }
        _ => 0,
    };
    Cost { write_halves: lost * 2, read_halves: 0 }
}

impl Tables {
    /// Every table of the store, empty: in the embedded database, or quick ones.
    pub(super) fn create(quick: bool) -> Result<Self, DynoxideError> {
        let engine = match quick {
            true => Engine::Shelf(Shelf::new()),
            false => Engine::Embedded(Embedded::new()?),
        };
        Ok(Self(Mutex::new(State { engine, changes: Changes::default(), broken: None })))
    }

    /// Other tables with the same items and the same changes to tell: quick ones
    /// if these are, or if they are to be.
    pub(super) fn copy(&self, quick: bool) -> Result<Self, DynoxideError> {
        let State { engine, changes, .. } = &*self.state();
        let engine = match engine {
            Engine::Shelf(shelf) => Engine::Shelf(shelf.copy()),
            Engine::Embedded(embedded) if quick => Engine::Shelf(embedded.shelf()?),
            Engine::Embedded(embedded) => Engine::Embedded(embedded.copy()?),
        };
        Ok(Self(Mutex::new(State { engine, changes: changes.clone(), broken: None })))
    }

    /// Whether eventually consistent reads may see the past from now on. Only
    /// quick tables know it, so others become so.
    pub(super) fn remember(&self, remembers: bool) {
        let mut state = self.state();
        if let Engine::Embedded(embedded) = &state.engine
            && remembers
        {
            match embedded.shelf() {
                Ok(shelf) => state.engine = Engine::Shelf(shelf),
                Err(error) => state.broken = Some(error.to_string()),
            }
        }
        if let Engine::Shelf(shelf) = &state.engine {
            shelf.remember(remembers);
        }
    }

    pub(super) fn apply(
        &self,
        request: Request,
        reading: Reading,
    ) -> Result<(Value, Cost), DynoxideError> {
        let State { engine, changes, broken } = &mut *self.state();
        if let Some(text) = broken {
            return Err(DynoxideError::InternalServerError(text.clone()));
        }
        let (answer, cost, written) = match engine {
            Engine::Embedded(embedded) => embedded.apply(request)?,
            Engine::Shelf(shelf) => shelf.apply(request, reading)?,
        };
        for (table, image) in written {
            changes.note(table, &image);
        }
        Ok((answer, cost))
    }

    /// Takes the changes that the streams have not told yet.
    pub(super) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.state().changes.waiting)
    }

    /// Puts changes back that could not be told, before those that came since.
    pub(super) fn put_back(&self, mut changes: Vec<Change>) {
        let held = &mut self.state().changes;
        changes.append(&mut held.waiting);
        held.waiting = changes;
    }

    /// The changes that the streams have not told yet.
    pub(super) fn waiting(&self) -> Vec<Change> {
        self.state().changes.waiting.clone()
    }

    /// Keeps a change that its reader could not take, with the text that tells
    /// of it.
    pub(super) fn give_up(&self, change: Change, text: String) {
        self.state().changes.given_up.push((change, text));
    }

    /// Tells changes once more that their readers could not take, up to so many.
    pub(super) fn tell_again(&self, most: usize) -> Vec<(Change, String)> {
        let changes = &mut self.state().changes;
        let many = changes.given_up.len().min(most);
        let again: Vec<(Change, String)> = changes.given_up.drain(..many).collect();
        let told: Vec<Change> = again.iter().map(|(change, _)| change.clone()).collect();
        changes.waiting.extend(told);
        again
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Changes {
    /// Each reader's mappings let only the changes through that it is for.
    fn note(&mut self, table: Table, image: &Item) {
        if !table.sends() {
            return;
        }
        for (reader, _) in READERS.iter().filter(|(_, reads)| reads(table, image)) {
            self.count += 1;
            let (sequence, image) = (self.count, json!(image));
            self.waiting.push(Change { reader, table, sequence, image });
        }
    }
}
