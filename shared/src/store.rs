//! The store: the only place that knows tables, keys and attributes.
//!
//! Reads are functions of a [`Store`]; writes are values ([`Write`]) that
//! compose into one [`Commit`]. A condition that does not hold is a result
//! ([`Conflict`]), not an error: it tells by position which write lost, and to
//! what. Each aggregate has a file with its keys, its private stored form and
//! its writes.
//!
//! Stored forms carry a schema number `v` and short attribute names, because a
//! write costs by the kilobyte of the whole item, names included.

mod commit;
mod item;
mod key;
mod read;
mod table;
mod wire;

pub mod adjustments;
pub mod alerts;
pub mod answers;
pub mod audit;
pub mod breakers;
pub mod carts;
pub mod contests;
pub mod customers;
pub mod deeds;
pub mod draws;
pub mod feedback;
pub mod gifts;
pub mod links;
pub mod lookups;
pub mod orders;
pub mod parcels;
pub mod payments;
pub mod performance;
pub mod points;
pub mod products;
pub mod quotas;
pub mod rewards;
pub mod risk;
pub mod settings;
pub mod shares;
pub mod shipments;
pub mod stock;
pub mod surveys;

pub mod contacts;

pub mod tallies;
pub mod tickets;
pub mod till;
pub mod vouchers;
pub mod webhooks;

pub use commit::{Commit, CommitError, Conflict, Write};
pub use item::{Item, StoredError};
pub use key::Key;
pub use read::{Due, DueTable, Found, Page, PageToken};
pub use table::{Index, Op, Table};

use crate::aws::{CallError, Client};
use crate::messages::{Envelope, Message};
use crate::model::time::Timestamp;

/// A call to the store that failed: not a condition, but an answer that did
/// not come or could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The call failed after its retries; nothing is known of its effect.
    #[error("the call {operation} of DynamoDB failed")]
    Call {
        /// Which operation.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// DynamoDB refused the call for what it is: no retry can help.
    #[error("the call {operation} of DynamoDB was refused")]
    Refused {
        /// Which operation.
        operation: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The transaction met others until its retries were used up.
    #[error("the transaction conflicted with others {attempts} times")]
    Contended {
        /// How often it was tried.
        attempts: u32,
    },
    /// DynamoDB left keys unread until the retries were used up.
    #[error("{keys} keys of a batch stayed unread after {attempts} attempts")]
    Unread {
        /// How many keys.
        keys: usize,
        /// How often it was tried.
        attempts: u32,
    },
    /// An item is not what this build stores.
    #[error("a stored {what} cannot be read")]
    Stored {
        /// What should be there.
        what: &'static str,
        /// Why it is not.
        #[source]
        source: StoredError,
    },
    /// The function did not say that it uses this table.
    #[error("this function has no table `{}`: add it to what the function needs", .0.name())]
    Undeclared(Table),
}

/// Access to the tables of one function.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    names: Vec<(Table, String)>,
}

impl Store {
    /// A store over these tables, each with the name it is deployed under.
    #[must_use]
    pub fn new(client: Client, names: Vec<(Table, String)>) -> Self {
        Self { client, names }
    }

    fn name(&self, table: Table) -> Result<&str, StoreError> {
        self.names
            .iter()
            .find(|(known, _)| *known == table)
            .map(|(_, name)| name.as_str())
            .ok_or(StoreError::Undeclared(table))
    }
}

/// The messages that a write causes; they are stored in the item it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sends(Vec<Envelope>);

impl Sends {
    /// No messages.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// One message, sealed now, in this trace.
    #[must_use]
    pub fn one(message: Message, now: Timestamp, trace: Option<&str>) -> Self {
        Self::none().and(message, now, trace)
    }

    /// These messages and another one, sealed now, in this trace.
    #[must_use]
    pub fn and(mut self, message: Message, now: Timestamp, trace: Option<&str>) -> Self {
        self.0.push(Envelope::seal(message, now, trace));
        self
    }

    /// These messages, and then those.
    #[must_use]
    pub fn then(mut self, those: Self) -> Self {
        self.0.extend(those.0);
        self
    }

    /// Reads the messages of a stored item's attribute.
    ///
    /// # Errors
    /// When the text is not a list of messages that this build knows.
    pub fn parse(text: &str) -> Result<Vec<Envelope>, serde_json::Error> {
        serde_json::from_str(text)
    }

    fn stored(&self) -> Result<Option<String>, StoredError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        Ok(Some(serde_json::to_string(&self.0)?))
    }
}

/// Codes of answers that no retry can change: a permission, a table or the
/// form of the call is wrong.
const FINAL: [&str; 4] = [
    "AccessDeniedException",
    "ResourceNotFoundException",
    "SerializationException",
    "ValidationException",
];

/// What became of a call that failed.
fn call_failed(operation: &'static str) -> impl Fn(CallError) -> StoreError {
    move |error| {
        let refused = error.code().is_some_and(|code| FINAL.contains(&code));
        let source = Box::new(error);
        if refused {
            StoreError::Refused { operation, source }
        } else {
            StoreError::Call { operation, source }
        }
    }
}

/// The attribute that holds an item's messages, which the relay reads.
pub const SENDS: &str = "sends";
