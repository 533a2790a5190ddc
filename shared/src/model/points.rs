//! The points ledger: double entry, lots that expire, never a lie.
//!
//! Every movement is an [`Entry`] whose postings sum to zero, and which names
//! each lot that it took from or added to. A member's [`Ledger`] is what the
//! entries amount to, kept so that a read or a posting costs the same whatever
//! the history; [`audit`] makes it again from the entries and compares.

pub mod audit;
mod entry;
mod ledger;
mod linking;
mod lot;
mod standing;
mod told;

pub use entry::{Account, Apology, Cause, Entry, Posting, apply};
pub use ledger::{Authority, Held, Holder, Ledger, LedgerError, MAX_HOLDS, MAX_POINTS, Movement};
pub use linking::{AccountLink, Flow};
pub use lot::{Lot, LotPart, MAX_LOTS, total};
pub use standing::{
    Counter, Link, MAX_COUNTERS, MAX_CURRENCIES, MAX_LINKS, Qualifying, Standing, Tier,
};
pub use told::{Judged, Told, Why};

use super::{customer::CustomerId, id::OrderId, money::Money, time::Timestamp};

/// What an order, or a receipt of a store, earned, and how it stands. It lies
/// in the item of the entry that earned it, so that an earning writes no item
/// more, and so that any number of orders may wait for their return windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Which order.
    pub order: OrderId,
    /// How many points are pending still.
    pub points: i64,
    /// What was paid for it in money, less what went back: it counts towards a
    /// tier when the points become available.
    pub spend: Option<Money>,
    /// When the return window ends; unknown until the goods have arrived.
    pub matures_at: Option<Timestamp>,
    /// When the window had ended and the points became available: the age of the
    /// lot that they are in.
    pub granted_at: Option<Timestamp>,
}

impl Claim {
    /// Whether the end of the return window is still to be seen to.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.granted_at.is_none() && (self.points > 0 || self.spend.is_some())
    }
}

/// An entry that earned an order's points, and what became of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earning {
    /// The entry. It never changes.
    pub entry: Entry,
    /// How its points stand.
    pub claim: Claim,
}

/// What was undone of the points of an order that was called off after it was
/// paid, or of units of it. It only grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    /// Whose.
    pub customer: CustomerId,
    /// Which order.
    pub order: OrderId,
    /// How many points that it earned were taken back.
    pub taken: i64,
    /// How many points that paid for it were given back.
    pub returned: i64,
}

impl Undone {
    /// Nothing was undone yet.
    #[must_use]
    pub fn nothing(customer: CustomerId, order: OrderId) -> Self {
        Self { customer, order, taken: 0, returned: 0 }
    }
}
