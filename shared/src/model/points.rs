//! The points ledger: double entry, lots that expire, never a lie.
//!
//! Every movement is an [`Entry`] whose postings sum to zero. A member's
//! [`Ledger`] is what the entries amount to, kept so that a read or a posting
//! costs the same whatever the history.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    id::{EntryId, OrderId},
    time::Timestamp,
};

/// The most points of one movement and of one balance. Sums of all accounts of
/// a member stay far from the ends of `i64`.
pub const MAX_POINTS: i64 = 1_000_000_000_000;

/// The most orders whose points may be pending at once. A pending lot takes
/// some 60 bytes of the one item that holds a ledger; 500 of them are 30 KB.
/// More orders than this between payment and the end of the return window
/// wait their turn in the queue.
pub const MAX_PENDING: usize = 500;

/// The accounts between which points move. The first four are the member's,
/// the others the programme's, from this member's side.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Earned, and not yet to be spent.
    Pending,
    /// To be spent.
    Available,
    /// Set aside for an order that is not paid.
    Held,
    /// Owed, because points of returned goods were spent. Never positive.
    Debt,
    /// What the programme gave out. Never positive.
    Issued,
    /// What came back for goods.
    Spent,
    /// What ran out.
    Expired,
}

/// One side of a movement: so many points into an account, or out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account: Account,
    /// Positive in, negative out, never zero.
    pub points: i64,
}

/// What a movement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// An order was paid.
    OrderPaid(OrderId),
    /// The return window of an order's goods ended.
    ReturnWindowEnded(OrderId),
    /// A lot reached the end of its life, at this moment.
    LotExpired(Timestamp),
}

/// A movement of points. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Derived from the member, the cause and the rule.
    pub id: EntryId,
    /// Whose points.
    pub customer: CustomerId,
    /// When it takes effect; part of the cause, so the same on every delivery.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// The policy rule that says so.
    pub rule: String,
    /// The version of the policy.
    pub policy: String,
    /// Two or more, summing to zero.
    pub postings: Vec<Posting>,
}

impl Entry {
    /// How many points it moves: what goes into accounts, which is what comes
    /// out of others.
    #[must_use]
    pub fn moved(&self) -> i64 {
        self.postings.iter().map(|posting| posting.points.max(0)).sum()
    }
}

/// Points of an order that are not yet to be spent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingLot {
    /// Which order earned them.
    pub order: OrderId,
    /// How many.
    pub points: i64,
    /// When the return window ends; unknown until the goods have arrived.
    pub matures_at: Option<Timestamp>,
}

/// Points to be spent until a moment. Points that expire together are one lot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// When they run out.
    pub expires_at: Timestamp,
    /// How many are left.
    pub points: i64,
}

/// Why a movement cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// More than [`MAX_POINTS`].
    #[error("the movement or a balance would exceed {MAX_POINTS} points")]
    TooMany,
    /// More than [`MAX_PENDING`] orders.
    #[error("the points of {MAX_PENDING} orders are pending already")]
    TooManyPending,
    /// Postings that do not sum to zero, or fewer than two.
    #[error("the postings of an entry do not sum to zero")]
    Unbalanced,
    /// The balances do not follow from the lots.
    #[error("the balances do not follow from the lots")]
    Inconsistent,
}

/// What a member's entries amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// Whose.
    pub customer: CustomerId,
    /// The balance of every account that ever moved.
    pub balances: BTreeMap<Account, i64>,
    /// Points that are pending, oldest order first.
    pub pending: Vec<PendingLot>,
    /// Points to be spent, earliest expiry first, one lot an expiry.
    pub lots: Vec<Lot>,
    /// How often this ledger changed.
    pub version: u64,
}

/// The rule and version that a movement names.
#[derive(Debug, Clone, Copy)]
pub struct Authority<'a> {
    /// The policy rule.
    pub rule: &'a str,
    /// The version of the policy.
    pub policy: &'a str,
}

impl Ledger {
    /// A ledger in which nothing ever moved.
    #[must_use]
    pub fn empty(customer: CustomerId) -> Self {
        Self {
            customer,
            balances: BTreeMap::new(),
            pending: Vec::new(),
            lots: Vec::new(),
            version: 0,
        }
    }

    /// The balance of an account.
    #[must_use]
    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    /// The identity of the entry that earns an order's points.
    #[must_use]
    pub fn earning(customer: &CustomerId, order: &OrderId) -> EntryId {
        EntryId::derive(&[customer.as_str(), "order_paid", order.as_str()])
    }

    /// Earns an order's points; they are pending. The caller has made sure
    /// that the entry [`Ledger::earning`] names is not there yet.
    ///
    /// # Errors
    /// [`LedgerError::TooManyPending`], [`LedgerError::TooMany`], or
    /// [`LedgerError::Unbalanced`] for no or negative points.
    pub fn earn(
        &mut self,
        order: &OrderId,
        points: i64,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        if self.pending.len() >= MAX_PENDING {
            return Err(LedgerError::TooManyPending);
        }
        let id = Self::earning(&self.customer, order);
        let cause = Cause::OrderPaid(order.clone());
        let entry =
            self.post(id, at, cause, authority, Account::Issued, Account::Pending, points)?;
        self.pending.push(PendingLot { order: order.clone(), points, matures_at: None });
        Ok(entry)
    }

    /// Starts the clock of an order's pending points, or moves it. Whether
    /// that changed anything.
    pub fn start_clock(&mut self, order: &OrderId, matures_at: Timestamp) -> bool {
        let mut changed = false;
        for lot in self.pending.iter_mut().filter(|lot| lot.order == *order) {
            changed |= lot.matures_at != Some(matures_at);
            lot.matures_at = Some(matures_at);
        }
        changed
    }

    /// Stops the clock of an order's pending points: the goods have not
    /// arrived after all. Whether that changed anything.
    pub fn stop_clock(&mut self, order: &OrderId) -> bool {
        let mut changed = false;
        for lot in self.pending.iter_mut().filter(|lot| lot.order == *order) {
            changed |= lot.matures_at.take().is_some();
        }
        changed
    }

    /// Makes one order's points available, if a return window has ended by
    /// `now`: the earliest end first. Points that `expires_at` (a function of
    /// the moment they mature) gives the same end join one lot.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn mature_one(
        &mut self,
        now: Timestamp,
        authority: Authority<'_>,
        expires_at: impl Fn(Timestamp) -> Timestamp,
    ) -> Result<Option<Entry>, LedgerError> {
        let due = self
            .pending
            .iter()
            .enumerate()
            .filter_map(|(i, lot)| lot.matures_at.filter(|at| *at <= now).map(|at| (at, i)));
        let Some((at, position)) = due.min() else { return Ok(None) };
        let lot = self.pending.remove(position);
        let id =
            EntryId::derive(&[self.customer.as_str(), "return_window_ended", lot.order.as_str()]);
        let cause = Cause::ReturnWindowEnded(lot.order);
        let entry =
            self.post(id, at, cause, authority, Account::Pending, Account::Available, lot.points)?;
        self.add_lot(expires_at(at), lot.points);
        Ok(Some(entry))
    }

    /// Takes away one lot whose end has come by `now`: the earliest first.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn expire_one(
        &mut self,
        now: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Option<Entry>, LedgerError> {
        let due = self.lots.first().is_some_and(|lot| lot.expires_at <= now);
        if !due {
            return Ok(None);
        }
        let lot = self.lots.remove(0);
        let id =
            EntryId::derive(&[self.customer.as_str(), "lot_expired", &lot.expires_at.to_string()]);
        let cause = Cause::LotExpired(lot.expires_at);
        self.post(
            id,
            lot.expires_at,
            cause,
            authority,
            Account::Available,
            Account::Expired,
            lot.points,
        )
        .map(Some)
    }

    /// When something is to be done next: a return window ends or a lot runs out.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let matures = self.pending.iter().filter_map(|lot| lot.matures_at);
        matures.chain(self.lots.first().map(|lot| lot.expires_at)).min()
    }

    /// Checks what must always hold: all accounts sum to zero, pending and
    /// available equal their lots, no lot is empty or negative, and the lots
    /// are in the order of their ends.
    ///
    /// # Errors
    /// [`LedgerError::Inconsistent`].
    pub fn check(&self) -> Result<(), LedgerError> {
        let zero = self.balances.values().sum::<i64>() == 0;
        let pending = self.pending.iter().map(|lot| lot.points).sum::<i64>();
        let available = self.lots.iter().map(|lot| lot.points).sum::<i64>();
        let positive = self.pending.iter().all(|lot| lot.points > 0)
            && self.lots.iter().all(|lot| lot.points > 0);
        let sorted = self.lots.is_sorted_by(|a, b| a.expires_at < b.expires_at);
        let equal = pending == self.balance(Account::Pending)
            && available == self.balance(Account::Available);
        if zero && positive && sorted && equal { Ok(()) } else { Err(LedgerError::Inconsistent) }
    }

    fn add_lot(&mut self, expires_at: Timestamp, points: i64) {
        match self.lots.binary_search_by_key(&expires_at, |lot| lot.expires_at) {
            Ok(position) => {
                if let Some(lot) = self.lots.get_mut(position) {
                    lot.points += points;
                }
            }
            Err(position) => self.lots.insert(position, Lot { expires_at, points }),
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "an entry has as many parts, and this is the only place that makes one"
    )]
    fn post(
        &mut self,
        id: EntryId,
        at: Timestamp,
        cause: Cause,
        authority: Authority<'_>,
        from: Account,
        to: Account,
        points: i64,
    ) -> Result<Entry, LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        let postings =
            vec![Posting { account: from, points: -points }, Posting { account: to, points }];
        let mut balances = self.balances.clone();
        apply(&mut balances, &postings)?;
        self.balances = balances;
        Ok(Entry {
            id,
            customer: self.customer.clone(),
            at,
            cause,
            rule: authority.rule.to_owned(),
            policy: authority.policy.to_owned(),
            postings,
        })
    }
}

/// Adds an entry's postings to balances.
///
/// # Errors
/// [`LedgerError::Unbalanced`] when the postings do not sum to zero,
/// [`LedgerError::TooMany`] when a balance would leave plus or minus
/// [`MAX_POINTS`].
pub fn apply(
    balances: &mut BTreeMap<Account, i64>,
    postings: &[Posting],
) -> Result<(), LedgerError> {
    if postings.len() < 2
        || postings.iter().map(|posting| i128::from(posting.points)).sum::<i128>() != 0
    {
        return Err(LedgerError::Unbalanced);
    }
    for posting in postings {
        let balance = balances.entry(posting.account).or_insert(0);
        let sum = balance.checked_add(posting.points).ok_or(LedgerError::TooMany)?;
        if sum.unsigned_abs() > MAX_POINTS.unsigned_abs() {
            return Err(LedgerError::TooMany);
        }
        *balance = sum;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::time::Period;

    const AUTHORITY: Authority<'static> = Authority { rule: "base", policy: "1" };

    fn member() -> CustomerId {
        CustomerId::member("a").unwrap()
    }

    fn order(n: u32) -> OrderId {
        OrderId::derive(&[&n.to_string()])
    }

    fn at(day: u16) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
    }

    fn month_later(moment: Timestamp) -> Timestamp {
        moment.plus(Period::of_days(30))
    }

    #[test]
    fn points_are_pending_then_available_then_gone() {
        let mut ledger = Ledger::empty(member());
        ledger.earn(&order(1), 100, at(0), AUTHORITY).unwrap();
        assert_eq!(ledger.next_due(), None);
        assert!(ledger.start_clock(&order(1), at(10)));
        assert!(!ledger.start_clock(&order(1), at(10)));
        assert!(ledger.stop_clock(&order(1)));
        assert!(!ledger.stop_clock(&order(1)));
        assert_eq!(ledger.mature_one(at(10), AUTHORITY, month_later), Ok(None));
        assert!(ledger.start_clock(&order(1), at(10)));
        assert_eq!(ledger.mature_one(at(9), AUTHORITY, month_later), Ok(None));
        let entry = ledger.mature_one(at(10), AUTHORITY, month_later).unwrap().unwrap();
        assert_eq!(entry.at, at(10));
        assert_eq!(
            (ledger.balance(Account::Pending), ledger.balance(Account::Available)),
            (0, 100)
        );
        assert_eq!(ledger.next_due(), Some(at(40)));
        assert_eq!(ledger.expire_one(at(39), AUTHORITY), Ok(None));
        ledger.expire_one(at(40), AUTHORITY).unwrap().unwrap();
        assert_eq!(
            (ledger.balance(Account::Available), ledger.balance(Account::Expired)),
            (0, 100)
        );
        assert_eq!(ledger.next_due(), None);
    }

    #[test]
    fn a_refused_movement_changes_nothing() {
        let mut ledger = Ledger::empty(member());
        for points in [0, -1, MAX_POINTS + 1] {
            assert!(ledger.earn(&order(1), points, at(0), AUTHORITY).is_err());
        }
        assert_eq!(ledger, Ledger::empty(member()));
        for n in 0..u32::try_from(MAX_PENDING).unwrap() {
            ledger.earn(&order(n), 1, at(0), AUTHORITY).unwrap();
        }
        assert_eq!(
            ledger.earn(&order(9_999), 1, at(0), AUTHORITY),
            Err(LedgerError::TooManyPending)
        );
    }

    #[test]
    fn postings_that_do_not_sum_to_zero_are_refused() {
        let mut balances = BTreeMap::new();
        let lone = [Posting { account: Account::Pending, points: 1 }];
        assert_eq!(apply(&mut balances, &lone), Err(LedgerError::Unbalanced));
        let off = [
            Posting { account: Account::Pending, points: 2 },
            Posting { account: Account::Issued, points: -1 },
        ];
        assert_eq!(apply(&mut balances, &off), Err(LedgerError::Unbalanced));
    }

    proptest! {
        #[test]
        fn whatever_happens_the_ledger_is_its_entries(
            steps in prop::collection::vec((0_u8..4, 0_u32..20, 1_i64..1000, 0_u16..400), 1..80)
        ) {
            let mut ledger = Ledger::empty(member());
            let mut sums = BTreeMap::new();
            let mut seen = std::collections::BTreeSet::new();
            for (step, n, points, day) in steps {
                let entry = match step {
                    0 if seen.insert(n) => Some(ledger.earn(&order(n), points, at(0), AUTHORITY).unwrap()),
                    1 => { ledger.start_clock(&order(n), at(day)); None }
                    2 => ledger.mature_one(at(day), AUTHORITY, month_later).unwrap(),
                    3 => ledger.expire_one(at(day), AUTHORITY).unwrap(),
                    _ => None,
                };
                if let Some(entry) = entry {
                    apply(&mut sums, &entry.postings).unwrap();
                }
                prop_assert_eq!(ledger.check(), Ok(()));
                prop_assert_eq!(&sums, &ledger.balances);
            }
        }
    }
}
