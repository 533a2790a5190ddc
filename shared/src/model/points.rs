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

/// The most orders for which points may be held at once. Each is an order that
/// is not paid yet; nobody fills twenty checkouts, and twenty holds take 1 KB
/// of the item that holds a ledger.
pub const MAX_HOLDS: usize = 20;

/// The accounts between which points move. The first three are the member's,
/// the others the programme's, from this member's side.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Earned, and not yet to be spent.
    Pending,
    /// To be spent. What is held for an order that is not paid is still here:
    /// see [`Ledger::holds`].
    Available,
    /// Owed, because points of cancelled or returned goods were spent. Never
    /// positive.
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
    /// Points paid for an order, or a part of it.
    OrderPoints(OrderId),
    /// A paid order was called off, or units of it: what they earned is taken back.
    OrderCancelled(OrderId),
    /// A paid order was called off, or units of it: the points that paid for
    /// them come back.
    PointsReturned(OrderId),
    /// An apology: money for the order came too late, and the goods were gone.
    Apology(OrderId),
    /// An apology: the order was delivered late, damaged or not at all.
    DeliveryApology(OrderId),
    /// The return window of an order's goods ended.
    ReturnWindowEnded(OrderId),
    /// A lot reached the end of its life, at this moment.
    LotExpired(Timestamp),
}

/// For what a member is given points as an apology, each once an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Apology {
    /// Money came too late, and the goods were gone.
    LatePayment,
    /// A bad delivery.
    Delivery,
}

/// A movement of points. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Derived from the member, the cause and the rule.
    pub id: EntryId,
    /// Whose points.
    pub customer: CustomerId,
    /// When it takes effect. Of what an order earned and spent, when it was
    /// paid, so that these entries are found by their order.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// The policy rule that says so.
    pub rule: String,
    /// The version of the policy.
    pub policy: String,
    /// Two or more, summing to zero.
    pub postings: Vec<Posting>,
    /// Of an earning: what each line of the order earned.
    pub lines: Vec<i64>,
    /// From which lots it took available points, or to which it added them.
    pub lots: Vec<Lot>,
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
    /// More points than may be spent are held or consumed.
    #[error("more points are taken than are available")]
    TooFew,
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
    /// Points that are kept for orders that are not paid yet. They are
    /// available still, and covered by the lots that end first: a hold is no
    /// movement, so that an order that ends unpaid leaves no trace among the
    /// entries. It is turned into an entry when its order is paid.
    pub holds: BTreeMap<OrderId, i64>,
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
            holds: BTreeMap::new(),
            version: 0,
        }
    }

    /// How many points are held for orders that are not paid.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.holds.values().fold(0, |sum, points| sum.saturating_add(*points))
    }

    /// How many points may be spent: the available ones that are not held.
    #[must_use]
    pub fn spendable(&self) -> i64 {
        self.balance(Account::Available).saturating_sub(self.held())
    }

    /// How many points a new order may hold: what is spendable, but nothing
    /// while there are [`MAX_HOLDS`] holds.
    #[must_use]
    pub fn holdable(&self) -> i64 {
        if self.holds.len() < MAX_HOLDS { self.spendable() } else { 0 }
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

    /// The identity of the entry that spends the points which pay for an order.
    #[must_use]
    pub fn spending(customer: &CustomerId, order: &OrderId) -> EntryId {
        EntryId::derive(&[customer.as_str(), "order_points", order.as_str()])
    }

    /// The identity of the entry that is an apology for something about an order.
    #[must_use]
    pub fn apology(customer: &CustomerId, order: &OrderId, of: Apology) -> EntryId {
        let of = match of {
            Apology::LatePayment => "apology",
            Apology::Delivery => "delivery",
        };
        EntryId::derive(&[customer.as_str(), of, order.as_str()])
    }

    /// Earns an order's points, given line by line; they are pending. The
    /// caller has made sure that the entry [`Ledger::earning`] names is not
    /// there yet.
    ///
    /// # Errors
    /// [`LedgerError::TooManyPending`], [`LedgerError::TooMany`], or
    /// [`LedgerError::Unbalanced`] for no or negative points.
    pub fn earn(
        &mut self,
        order: &OrderId,
        lines: &[i64],
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        if self.pending.len() >= MAX_PENDING {
            return Err(LedgerError::TooManyPending);
        }
        if lines.iter().any(|points| *points < 0) {
            return Err(LedgerError::Unbalanced);
        }
        let points = lines.iter().fold(0_i64, |sum, points| sum.saturating_add(*points));
        let id = Self::earning(&self.customer, order);
        let moves = [(Account::Issued, -points), (Account::Pending, points)];
        let entry = self.post(id, at, Cause::OrderPaid(order.clone()), authority, &moves)?;
        self.pending.push(PendingLot { order: order.clone(), points, matures_at: None });
        Ok(Entry { lines: lines.to_vec(), ..entry })
    }

    /// Holds points for an order that is not paid: the rule that the store's
    /// hold follows in one atomic update.
    ///
    /// # Errors
    /// [`LedgerError::TooFew`] when fewer may be spent, or the order has a
    /// hold, or there are [`MAX_HOLDS`]; [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn hold(&mut self, order: &OrderId, points: i64) -> Result<(), LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        if self.holds.contains_key(order) || points > self.holdable() {
            return Err(LedgerError::TooFew);
        }
        self.holds.insert(order.clone(), points);
        Ok(())
    }

    /// Gives up the points that are held for an order. How many those were.
    pub fn release(&mut self, order: &OrderId) -> Option<i64> {
        self.holds.remove(order)
    }

    /// Spends the points that are held for an order, those of the lots that
    /// end first. Nothing is held: nothing is spent.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::TooFew`] in a ledger that
    /// is not sound.
    pub fn spend(
        &mut self,
        order: &OrderId,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Option<Entry>, LedgerError> {
        let Some(points) = self.holds.get(order).copied() else { return Ok(None) };
        let mut lots = self.lots.clone();
        let taken = take(&mut lots, points, Direction::EarliestFirst);
        if total(&taken) < points {
            return Err(LedgerError::TooFew);
        }
        let id = Self::spending(&self.customer, order);
        let moves = [(Account::Available, -points), (Account::Spent, points)];
        let entry = self.post(id, at, Cause::OrderPoints(order.clone()), authority, &moves)?;
        self.lots = lots;
        self.holds.remove(order);
        Ok(Some(Entry { lots: taken, ..entry }))
    }

    /// Takes back points that an order earned: the pending ones first, then
    /// those that may be spent, of the lots that end last, which are those
    /// that matured last; what is missing then is owed. `whole` is how much
    /// of the order's is taken back with this, and tells one such movement of
    /// an order from the next.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn take_back(
        &mut self,
        order: &OrderId,
        points: i64,
        whole: i64,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        let waiting = self.pending.iter().find(|lot| lot.order == *order);
        let pending = waiting.map_or(0, |lot| lot.points).min(points);
        let available = self.spendable().max(0).min(points - pending);
        let debt = points - pending - available;
        let mut lots = self.lots.clone();
        let taken = take(&mut lots, available, Direction::LatestFirst);
        let id = self.entry_id("order_cancelled", order, whole);
        let moves = [
            (Account::Pending, -pending),
            (Account::Available, -available),
            (Account::Debt, -debt),
            (Account::Issued, points),
        ];
        let entry = self.post(id, at, Cause::OrderCancelled(order.clone()), authority, &moves)?;
        self.lots = lots;
        for lot in self.pending.iter_mut().filter(|lot| lot.order == *order) {
            lot.points -= pending;
        }
        self.pending.retain(|lot| lot.points > 0);
        Ok(Entry { lots: taken, ..entry })
    }

    /// Gives back points that paid for an order, as these lots; a debt is
    /// repaid first, with the lots that end first. `whole` is how many of the
    /// order's came back with this, and tells one such movement of an order
    /// from the next.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no points.
    pub fn give_back(
        &mut self,
        order: &OrderId,
        mut lots: Vec<Lot>,
        whole: i64,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        let points = total(&lots);
        let repaid = self.repaid_by(points);
        take(&mut lots, repaid, Direction::EarliestFirst);
        let id = self.entry_id("points_returned", order, whole);
        let moves = [
            (Account::Spent, -points),
            (Account::Debt, repaid),
            (Account::Available, points - repaid),
        ];
        let entry = self.post(id, at, Cause::PointsReturned(order.clone()), authority, &moves)?;
        lots.iter().for_each(|lot| self.add_lot(lot.clone()));
        Ok(Entry { lots, ..entry })
    }

    /// Gives points as an apology for what went wrong with an order, at a moment,
    /// to be spent at once and until another; a debt is repaid first. The caller has made
    /// sure that the entry [`Ledger::apology`] names is not there yet.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn apologise(
        &mut self,
        order: &OrderId,
        of: Apology,
        points: i64,
        (at, expires_at): (Timestamp, Timestamp),
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        let repaid = self.repaid_by(points);
        let id = Self::apology(&self.customer, order, of);
        let cause = match of {
            Apology::LatePayment => Cause::Apology(order.clone()),
            Apology::Delivery => Cause::DeliveryApology(order.clone()),
        };
        let moves = [
            (Account::Issued, -points),
            (Account::Debt, repaid),
            (Account::Available, points - repaid),
        ];
        let entry = self.post(id, at, cause, authority, &moves)?;
        let lot = Lot { expires_at, points: points - repaid };
        let lots = if lot.points > 0 { vec![lot] } else { Vec::new() };
        lots.iter().for_each(|lot| self.add_lot(lot.clone()));
        Ok(Entry { lots, ..entry })
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
    /// `now`: the earliest end first. A debt is repaid from them first. Points
    /// that `expires_at` (a function of the moment they mature) gives the same
    /// end join one lot.
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
        let PendingLot { order, points, .. } = self.pending.remove(position);
        let id = EntryId::derive(&[self.customer.as_str(), "return_window_ended", order.as_str()]);
        let repaid = self.repaid_by(points);
        let moves = [
            (Account::Pending, -points),
            (Account::Debt, repaid),
            (Account::Available, points - repaid),
        ];
        let entry = self.post(id, at, Cause::ReturnWindowEnded(order), authority, &moves)?;
        let lot = Lot { expires_at: expires_at(at), points: points - repaid };
        let lots = if lot.points > 0 { vec![lot] } else { Vec::new() };
        lots.iter().for_each(|lot| self.add_lot(lot.clone()));
        Ok(Some(Entry { lots, ..entry }))
    }

    /// Takes away what is left of one lot whose end has come by `now`: the
    /// earliest first. Points that are held do not end; the lots that end
    /// first are kept for them. What is released later ends then.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn expire_one(
        &mut self,
        now: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Option<Entry>, LedgerError> {
        let mut held = self.held();
        let mut due = None;
        for (position, lot) in
            self.lots.iter().enumerate().take_while(|(_, it)| it.expires_at <= now)
        {
            if lot.points > held {
                due = Some((position, lot.expires_at, lot.points - held));
                break;
            }
            held -= lot.points;
        }
        let Some((position, expires_at, points)) = due else { return Ok(None) };
        // A lot of which points are held ends in several movements, and a lot
        // that has ended comes back when points mature late that would have
        // been in it. What ever expired tells all of them apart: it only grows.
        let whole = self.balance(Account::Expired).saturating_add(points).to_string();
        let customer = self.customer.as_str();
        let id = EntryId::derive(&[customer, "lot_expired", &expires_at.to_string(), &whole]);
        let moves = [(Account::Available, -points), (Account::Expired, points)];
        let cause = Cause::LotExpired(expires_at);
        let entry = self.post(id, expires_at, cause, authority, &moves)?;
        if let Some(lot) = self.lots.get_mut(position) {
            lot.points = held;
        }
        self.lots.retain(|lot| lot.points > 0);
        Ok(Some(Entry { lots: vec![Lot { expires_at, points }], ..entry }))
    }

    /// When something is to be done next: a return window ends or a lot runs
    /// out. That a lot is held is left aside: it may be released at any time.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        let matures = self.pending.iter().filter_map(|lot| lot.matures_at);
        matures.chain(self.lots.first().map(|lot| lot.expires_at)).min()
    }

    /// Checks what must always hold: all accounts sum to zero, pending and
    /// available equal their lots, no lot is empty or negative, the lots are
    /// in the order of their ends, holds are within what is available, and
    /// nobody owes less than nothing.
    ///
    /// # Errors
    /// [`LedgerError::Inconsistent`].
    pub fn check(&self) -> Result<(), LedgerError> {
        let zero = self.balances.values().sum::<i64>() == 0;
        let pending = self.pending.iter().map(|lot| lot.points).sum::<i64>();
        let positive = self.pending.iter().all(|lot| lot.points > 0)
            && self.lots.iter().all(|lot| lot.points > 0)
            && self.holds.values().all(|points| *points > 0);
        let sorted = self.lots.is_sorted_by(|a, b| a.expires_at < b.expires_at);
        let equal = pending == self.balance(Account::Pending)
            && total(&self.lots) == self.balance(Account::Available);
        let covered = self.spendable() >= 0
            && self.holds.len() <= MAX_HOLDS
            && self.balance(Account::Debt) <= 0;
        let sound = zero && positive && sorted && equal && covered;
        if sound { Ok(()) } else { Err(LedgerError::Inconsistent) }
    }

    /// How much of a debt points repay that become available.
    fn repaid_by(&self, points: i64) -> i64 {
        self.balance(Account::Debt).saturating_neg().clamp(0, points.max(0))
    }

    fn entry_id(&self, kind: &str, order: &OrderId, whole: i64) -> EntryId {
        EntryId::derive(&[self.customer.as_str(), kind, order.as_str(), &whole.to_string()])
    }

    fn add_lot(&mut self, added: Lot) {
        match self.lots.binary_search_by_key(&added.expires_at, |lot| lot.expires_at) {
            Ok(position) => {
                if let Some(lot) = self.lots.get_mut(position) {
                    lot.points += added.points;
                }
            }
            Err(position) => self.lots.insert(position, added),
        }
    }

    /// Moves points, those of an account that are zero left out.
    fn post(
        &mut self,
        id: EntryId,
        at: Timestamp,
        cause: Cause,
        authority: Authority<'_>,
        moves: &[(Account, i64)],
    ) -> Result<Entry, LedgerError> {
        let moving = moves.iter().filter(|(_, points)| *points != 0);
        let postings: Vec<Posting> = moving
            .map(|(account, points)| Posting { account: *account, points: *points })
            .collect();
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
            lines: Vec::new(),
            lots: Vec::new(),
        })
    }
}

/// Which lots are taken from first.
#[derive(Debug, Clone, Copy)]
enum Direction {
    EarliestFirst,
    LatestFirst,
}

/// Takes points out of lots, as many as there are; they come back as lots.
fn take(lots: &mut Vec<Lot>, points: i64, direction: Direction) -> Vec<Lot> {
    let mut wanted = points;
    let mut taken = Vec::new();
    let mut draw = |lot: &mut Lot| {
        let part = lot.points.min(wanted);
        if part > 0 {
            (lot.points, wanted) = (lot.points - part, wanted - part);
            taken.push(Lot { expires_at: lot.expires_at, points: part });
        }
    };
    match direction {
        Direction::EarliestFirst => lots.iter_mut().for_each(&mut draw),
        Direction::LatestFirst => lots.iter_mut().rev().for_each(&mut draw),
    }
    lots.retain(|lot| lot.points > 0);
    taken.sort_unstable_by_key(|lot| lot.expires_at);
    taken
}

/// How many points lots have together.
#[must_use]
pub fn total(lots: &[Lot]) -> i64 {
    lots.iter().fold(0, |sum, lot| sum.saturating_add(lot.points))
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

    const SORRY: Apology = Apology::Delivery;

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
        ledger.earn(&order(1), &[60, 40], at(0), AUTHORITY).unwrap();
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
        for lines in [&[0][..], &[], &[5, -1], &[MAX_POINTS + 1], &[i64::MAX, 1]] {
            assert!(ledger.earn(&order(1), lines, at(0), AUTHORITY).is_err(), "{lines:?}");
        }
        for points in [0, -1, 1] {
            assert!(ledger.hold(&order(1), points).is_err());
        }
        assert!(ledger.take_back(&order(1), 0, 0, at(0), AUTHORITY).is_err());
        assert!(ledger.give_back(&order(1), Vec::new(), 0, at(0), AUTHORITY).is_err());
        assert_eq!(ledger.spend(&order(1), at(0), AUTHORITY), Ok(None));
        assert_eq!(ledger, Ledger::empty(member()));
        for n in 0..u32::try_from(MAX_PENDING).unwrap() {
            ledger.earn(&order(n), &[1], at(0), AUTHORITY).unwrap();
        }
        assert_eq!(
            ledger.earn(&order(9_999), &[1], at(0), AUTHORITY),
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

    /// A ledger with lots that end on these days.
    fn with_lots(lots: &[(u16, i64)]) -> Ledger {
        let mut ledger = Ledger::empty(member());
        for (n, (day, points)) in (1_000..).zip(lots) {
            ledger.earn(&order(n), &[*points], at(0), AUTHORITY).unwrap();
            ledger.start_clock(&order(n), at(0));
            ledger.mature_one(at(0), AUTHORITY, |_| at(*day)).unwrap().unwrap();
        }
        ledger
    }

    fn lots(lots: &[(u16, i64)]) -> Vec<Lot> {
        lots.iter().map(|(day, points)| Lot { expires_at: at(*day), points: *points }).collect()
    }

    #[test]
    fn held_points_are_spent_from_the_lots_that_end_first() {
        let mut ledger = with_lots(&[(30, 100), (60, 50)]);
        assert_eq!(ledger.hold(&order(1), 151), Err(LedgerError::TooFew));
        ledger.hold(&order(1), 120).unwrap();
        assert_eq!(ledger.hold(&order(1), 1), Err(LedgerError::TooFew), "one hold an order");
        assert_eq!(ledger.hold(&order(2), 31), Err(LedgerError::TooFew));
        assert_eq!((ledger.held(), ledger.spendable()), (120, 30));
        let entry = ledger.spend(&order(1), at(1), AUTHORITY).unwrap().unwrap();
        assert_eq!(entry.id, Ledger::spending(&member(), &order(1)));
        assert_eq!(entry.lots, lots(&[(30, 100), (60, 20)]));
        assert_eq!((ledger.held(), &ledger.lots), (0, &lots(&[(60, 30)])));
        assert_eq!((ledger.balance(Account::Available), ledger.balance(Account::Spent)), (30, 120));
        assert_eq!(ledger.spend(&order(1), at(1), AUTHORITY), Ok(None));
    }

    #[test]
    fn there_are_so_many_holds_at_most() {
        let mut ledger = with_lots(&[(30, 100)]);
        for n in 0..u32::try_from(MAX_HOLDS).unwrap() {
            ledger.hold(&order(n), 1).unwrap();
        }
        assert_eq!(ledger.hold(&order(999), 1), Err(LedgerError::TooFew));
        assert_eq!(ledger.release(&order(0)), Some(1));
        assert_eq!(ledger.release(&order(0)), None);
        assert_eq!(ledger.hold(&order(999), 1), Ok(()));
    }

    #[test]
    fn held_points_end_when_they_are_released() {
        let mut ledger = with_lots(&[(10, 100), (20, 50), (90, 40)]);
        ledger.hold(&order(1), 120).unwrap();
        let first = ledger.expire_one(at(30), AUTHORITY).unwrap().unwrap();
        assert_eq!(first.lots, lots(&[(20, 30)]), "120 of 150 are covered");
        assert_eq!(ledger.expire_one(at(30), AUTHORITY), Ok(None));
        assert_eq!(ledger.next_due(), Some(at(10)));
        ledger.release(&order(1));
        let mut rest = Vec::new();
        while let Some(entry) = ledger.expire_one(at(30), AUTHORITY).unwrap() {
            rest.push(entry);
        }
        assert_eq!(rest[0].lots, lots(&[(10, 100)]));
        assert_eq!(rest[1].lots, lots(&[(20, 20)]));
        assert_ne!(rest[1].id, first.id, "two movements of one lot");
        assert_eq!(ledger.lots, lots(&[(90, 40)]));
    }

    #[test]
    fn what_was_earned_is_taken_back_from_where_it_is() {
        let mut ledger = with_lots(&[(30, 10), (60, 50)]);
        ledger.earn(&order(1), &[100], at(0), AUTHORITY).unwrap();
        let moved = |entry: &Entry| {
            let points = entry.postings.iter().map(|it| (it.account, it.points));
            points.collect::<Vec<_>>()
        };
        let pending = ledger.take_back(&order(1), 70, 70, at(1), AUTHORITY).unwrap();
        assert_eq!(moved(&pending), [(Account::Pending, -70), (Account::Issued, 70)]);
        ledger.hold(&order(2), 15).unwrap();
        let all = ledger.take_back(&order(1), 90, 160, at(1), AUTHORITY).unwrap();
        let expected = [
            (Account::Pending, -30),
            (Account::Available, -45),
            (Account::Debt, -15),
            (Account::Issued, 90),
        ];
        assert_eq!(moved(&all), expected);
        assert_eq!(all.lots, lots(&[(60, 45)]), "those that end last; the held ones stay");
        assert_eq!((ledger.pending.len(), ledger.spendable()), (0, 0));
        assert_ne!(all.id, pending.id);
        let back = ledger.give_back(&order(3), lots(&[(30, 10), (90, 20)]), 30, at(1), AUTHORITY);
        assert_eq!(back.unwrap().lots, lots(&[(90, 15)]), "the debt is repaid first");
        assert_eq!(ledger.balance(Account::Debt), 0);
        assert_eq!(ledger.check(), Ok(()));
    }

    #[test]
    fn a_debt_is_repaid_by_what_matures() {
        let mut ledger = Ledger::empty(member());
        ledger.take_back(&order(1), 30, 30, at(0), AUTHORITY).unwrap();
        for (n, points) in [(2, 20), (3, 25)] {
            ledger.earn(&order(n), &[points], at(0), AUTHORITY).unwrap();
            ledger.start_clock(&order(n), at(0));
        }
        let first = ledger.mature_one(at(0), AUTHORITY, month_later).unwrap().unwrap();
        assert_eq!((first.lots, ledger.balance(Account::Debt)), (Vec::new(), -10));
        let second = ledger.mature_one(at(0), AUTHORITY, month_later).unwrap().unwrap();
        assert_eq!((second.lots, ledger.balance(Account::Debt)), (lots(&[(30, 15)]), 0));
    }

    #[test]
    fn a_debt_is_repaid_first_by_an_apology() {
        for (debt, points, left) in [(0, 50, 50), (20, 50, 30), (50, 50, 0), (80, 50, 0)] {
            let mut ledger = Ledger::empty(member());
            if debt > 0 {
                ledger.take_back(&order(1), debt, debt, at(0), AUTHORITY).unwrap();
            }
            let entry =
                ledger.apologise(&order(2), SORRY, points, (at(1), at(30)), AUTHORITY).unwrap();
            assert_eq!(entry.id, Ledger::apology(&member(), &order(2), SORRY));
            assert_eq!(entry.moved(), points);
            assert_eq!(ledger.balance(Account::Debt), -(debt - (points - left)));
            let lots: Vec<Lot> = Some(Lot { expires_at: at(30), points: left })
                .into_iter()
                .filter(|lot| lot.points > 0)
                .collect();
            assert_eq!((&entry.lots, &ledger.lots), (&lots, &lots));
            assert_eq!((ledger.spendable(), ledger.check()), (left, Ok(())));
        }
        let mut ledger = Ledger::empty(member());
        for points in [0, -1, MAX_POINTS + 1] {
            assert!(
                ledger.apologise(&order(1), SORRY, points, (at(1), at(30)), AUTHORITY).is_err()
            );
            assert_eq!(ledger, Ledger::empty(member()));
        }
    }

    #[test]
    fn points_that_mature_into_a_lot_that_has_ended_expire_by_another_entry() {
        let mut ledger = Ledger::empty(member());
        for n in [1, 2] {
            ledger.earn(&order(n), &[10], at(0), AUTHORITY).unwrap();
        }
        let mut ended = Vec::new();
        for n in [1, 2] {
            ledger.start_clock(&order(n), at(0));
            ledger.mature_one(at(50), AUTHORITY, |_| at(31)).unwrap().unwrap();
            ended.extend(ledger.expire_one(at(50), AUTHORITY).unwrap());
        }
        let [first, second] = ended.as_slice() else { panic!("two lots end") };
        assert_eq!((first.moved(), second.moved()), (10, 10));
        assert_ne!(first.id, second.id);
    }

    /// What a ledger must be after all of these entries and holds.
    #[derive(Default)]
    struct Sums {
        balances: BTreeMap<Account, i64>,
        lots: BTreeMap<Timestamp, i64>,
        holds: BTreeMap<OrderId, i64>,
        ids: std::collections::BTreeSet<EntryId>,
    }

    impl Sums {
        fn add(&mut self, entry: &Entry) {
            apply(&mut self.balances, &entry.postings).unwrap();
            let available = entry.postings.iter().find(|it| it.account == Account::Available);
            let sign = available.map_or(0, |it| it.points.signum());
            assert_eq!(total(&entry.lots) * sign, available.map_or(0, |it| it.points));
            for lot in &entry.lots {
                *self.lots.entry(lot.expires_at).or_default() += sign * lot.points;
            }
            self.lots.retain(|_, points| *points != 0);
            assert!(self.ids.insert(entry.id.clone()), "an entry comes once");
        }

        fn lots(&self) -> Vec<Lot> {
            let lots = self.lots.iter();
            lots.map(|(expires_at, points)| Lot { expires_at: *expires_at, points: *points })
                .collect()
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_the_ledger_is_its_entries(
            steps in prop::collection::vec((0_u8..9, 0_u32..20, 1_i64..1000, 0_u16..40), 1..120)
        ) {
            let mut ledger = Ledger::empty(member());
            let (mut sums, mut day) = (Sums::default(), 0);
            let mut seen = std::collections::BTreeSet::new();
            let mut spent: BTreeMap<OrderId, Vec<Lot>> = BTreeMap::new();
            let mut taken: BTreeMap<u32, i64> = BTreeMap::new();
            let mut sorry = std::collections::BTreeSet::new();
            for (step, n, points, days) in steps {
                let order = order(n);
                day += days;
                let entry = match step {
                    0 if seen.insert(n) => {
                        let entry = ledger.earn(&order, &[points, 1], at(day), AUTHORITY).unwrap();
                        ledger.start_clock(&order, at(day + days));
                        Some(entry)
                    }
                    1 => ledger.mature_one(at(day), AUTHORITY, month_later).unwrap(),
                    2 => ledger.expire_one(at(day), AUTHORITY).unwrap(),
                    3 => {
                        let spendable = ledger.spendable();
                        let held = !sums.holds.contains_key(&order) && points <= spendable;
                        prop_assert_eq!(ledger.hold(&order, points).is_ok(), held);
                        if held { sums.holds.insert(order, points); }
                        None
                    }
                    4 => { prop_assert_eq!(ledger.release(&order), sums.holds.remove(&order)); None }
                    5 if !spent.contains_key(&order) => {
                        let entry = ledger.spend(&order, at(day), AUTHORITY).unwrap();
                        prop_assert_eq!(entry.as_ref().map(Entry::moved), sums.holds.remove(&order));
                        spent.extend(entry.iter().map(|entry| (order.clone(), entry.lots.clone())));
                        entry
                    }
                    6 => {
                        let whole = taken.entry(n).or_default();
                        *whole += points;
                        Some(ledger.take_back(&order, points, *whole, at(day), AUTHORITY).unwrap())
                    }
                    8 if sorry.insert(n) => {
                        let end = at(day + 31);
                        Some(ledger.apologise(&order, SORRY, points, (at(day), end), AUTHORITY).unwrap())
                    }
                    7 if spent.get(&order).is_some_and(|lots| !lots.is_empty()) => {
                        let mut lots = std::mem::take(spent.get_mut(&order).unwrap());
                        let end = at(day + 31);
                        lots.iter_mut().for_each(|lot| lot.expires_at = lot.expires_at.max(end));
                        lots.dedup_by(|a, b| a.expires_at == b.expires_at && { b.points += a.points; true });
                        Some(ledger.give_back(&order, lots, 1, at(day), AUTHORITY).unwrap())
                    }
                    _ => None,
                };
                if let Some(entry) = entry {
                    sums.add(&entry);
                }
                prop_assert_eq!(ledger.check(), Ok(()));
                prop_assert!(ledger.spendable() >= 0);
                prop_assert_eq!(&sums.balances, &ledger.balances);
                prop_assert_eq!(&sums.lots(), &ledger.lots);
                prop_assert_eq!(&sums.holds, &ledger.holds);
            }
        }
    }
}
