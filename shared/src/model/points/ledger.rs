//! What a member's entries amount to, and the movements that change it.

use std::collections::BTreeMap;

use crate::model::{
    customer::CustomerId,
    id::{EntryId, GiftId, HoldId, OrderId, RedemptionId},
    money::Money,
    text::Text,
    time::{Period, Timestamp},
};

use super::{
    Account, Apology, Cause, Claim, Counter, Earning, Entry, Link, Lot, LotPart, Posting, Standing,
    apply,
    lot::{self, MAX_LOTS, total},
    standing::MAX_COUNTERS,
};

/// The most points of one movement and of one balance. Sums of all accounts of
/// a member stay far from the ends of `i64`.
pub const MAX_POINTS: i64 = 1_000_000_000_000;

/// The most things for which points may be held at once: orders that are not
/// paid, rewards and gifts on their way, tills. Nobody fills eight checkouts,
/// and eight holds take three hundred bytes of the item that every movement
/// writes.
pub const MAX_HOLDS: usize = 8;

/// For what points are held.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holder {
    /// An order that is not paid.
    Order(OrderId),
    /// A reward that was taken and is not posted yet.
    Redemption(RedemptionId),
    /// A gift that is not accepted yet.
    Gift(GiftId),
    /// A till.
    Till(HoldId),
}

impl Holder {
    /// The identity of what they are held for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Order(id) => id.as_str(),
            Self::Redemption(id) => id.as_str(),
            Self::Gift(id) => id.as_str(),
            Self::Till(id) => id.as_str(),
        }
    }

    /// The holder with this identity, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        None.or_else(|| OrderId::parse(text).ok().map(Self::Order))
            .or_else(|| RedemptionId::parse(text).ok().map(Self::Redemption))
            .or_else(|| GiftId::parse(text).ok().map(Self::Gift))
            .or_else(|| HoldId::parse(text).ok().map(Self::Till))
    }
}

/// Points that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub points: i64,
    /// When the hold ends by itself. Of an order and of a reward it does not:
    /// these say when they end.
    pub until: Option<Timestamp>,
}

/// Why a movement cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// More than [`MAX_POINTS`].
    #[error("the movement or a balance would exceed {MAX_POINTS} points")]
    TooMany,
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
    /// Points to be spent, at most [`MAX_LOTS`], in the order of
    /// [`Lot::rank`].
    pub lots: Vec<Lot>,
    /// Points that are kept for something. They are available still, and
    /// covered by the lots that end first: a hold is no movement, so that what
    /// ends without them leaves no trace among the entries. It is turned into
    /// an entry when it is captured.
    pub holds: BTreeMap<Holder, Held>,
    /// Where the member stands.
    pub standing: Standing,
    /// How often rules applied in the present period, by the names that rules
    /// give; at most [`MAX_COUNTERS`].
    pub counters: BTreeMap<Text<40>, Counter>,
    /// The other accounts of the same person.
    pub link: Link,
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

/// What a movement says besides what it moves. Its identity is derived from
/// its cause, so that the same cause moves points once.
#[derive(Debug, Clone)]
pub struct Movement<'a> {
    /// Its identity.
    pub id: EntryId,
    /// When it takes effect.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
    /// By which rule.
    pub authority: Authority<'a>,
}

impl Ledger {
    /// A ledger in which nothing ever moved.
    #[must_use]
    pub fn empty(customer: CustomerId) -> Self {
        Self {
            customer,
            balances: BTreeMap::new(),
            lots: Vec::new(),
            holds: BTreeMap::new(),
            standing: Standing::default(),
            counters: BTreeMap::new(),
            link: Link::default(),
            version: 0,
        }
    }

    /// How many points are held.
    #[must_use]
    pub fn held(&self) -> i64 {
        self.holds.values().fold(0, |sum, held| sum.saturating_add(held.points))
    }

    /// How many points may be spent: the available ones that are not held.
    #[must_use]
    pub fn spendable(&self) -> i64 {
        self.balance(Account::Available).saturating_sub(self.held())
    }

    /// How many points something new may hold: what is spendable, but nothing
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

    /// The identity of the entry that spends what is held for something.
    #[must_use]
    pub fn spending(customer: &CustomerId, holder: &Holder) -> EntryId {
        // An order's has the name that it had when only orders held points.
        let kind = if matches!(holder, Holder::Order(_)) { "order_points" } else { "captured" };
        EntryId::derive(&[customer.as_str(), kind, holder.as_str()])
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

    /// The identity of an entry of another kind about something, and which of
    /// several such it is.
    #[must_use]
    pub fn entry_id(&self, kind: &str, about: &str, which: &str) -> EntryId {
        EntryId::derive(&[self.customer.as_str(), kind, about, which])
    }

    /// Earns an order's points, given line by line; they are pending. What is
    /// paid for it in money counts towards a tier once they are available, also
    /// when it earns no points. The caller has made sure that the entry is not
    /// there yet.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for negative
    /// points, or neither points nor money.
    pub fn earn(
        &mut self,
        order: &OrderId,
        lines: &[i64],
        spend: Option<Money>,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Earning, LedgerError> {
        let points = lines.iter().fold(0_i64, |sum, points| sum.saturating_add(*points));
        let spend = spend.filter(|it| it.minor() > 0);
        if lines.iter().any(|points| *points < 0) || (points == 0 && spend.is_none()) {
            return Err(LedgerError::Unbalanced);
        }
        let id = Self::earning(&self.customer, order);
        let movement = Movement { id, at, cause: Cause::OrderPaid(order.clone()), authority };
        let moves = [(Account::Issued, -points), (Account::Pending, points)];
        let entry = self.post(movement, &moves)?;
        let claim =
            Claim { order: order.clone(), points, spend, matures_at: None, granted_at: None };
        Ok(Earning { entry: Entry { lines: lines.to_vec(), ..entry }, claim })
    }

    /// Holds points: the rule that the store's hold follows in one atomic update.
    ///
    /// # Errors
    /// [`LedgerError::TooFew`] when fewer may be spent, or something is held
    /// for it, or there are [`MAX_HOLDS`]; [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn hold(
        &mut self,
        holder: Holder,
        points: i64,
        until: Option<Timestamp>,
    ) -> Result<(), LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        if self.holds.contains_key(&holder) || points > self.holdable() {
            return Err(LedgerError::TooFew);
        }
        self.holds.insert(holder, Held { points, until });
        Ok(())
    }

    /// Gives up the points that are held for something. How many those were.
    pub fn release(&mut self, holder: &Holder) -> Option<i64> {
        self.holds.remove(holder).map(|held| held.points)
    }

    /// Gives up what is held for something whose time has come by `now`.
    pub fn time_out(&mut self, now: Timestamp) -> Vec<Holder> {
        let over = |held: &Held| held.until.is_some_and(|until| until <= now);
        let ended = self.holds.iter().filter(|(_, held)| over(held));
        let ended: Vec<Holder> = ended.map(|(holder, _)| holder.clone()).collect();
        self.holds.retain(|_, held| !over(held));
        ended
    }

    /// Moves points that are held for something out of the available ones, the
    /// lots that end first; what is held beyond them is given up. Nothing is
    /// held: nothing moves.
    ///
    /// # Errors
    /// [`LedgerError::TooFew`] for more than is held, [`LedgerError::TooMany`],
    /// or [`LedgerError::Unbalanced`] for no points.
    pub fn capture(
        &mut self,
        movement: Movement<'_>,
        holder: &Holder,
        points: i64,
        to: Account,
    ) -> Result<Option<Entry>, LedgerError> {
        let Some(held) = self.holds.get(holder).copied() else { return Ok(None) };
        if points > held.points {
            return Err(LedgerError::TooFew);
        }
        let entry = self.spend(movement, points, to)?;
        self.holds.remove(holder);
        Ok(Some(entry))
    }

    /// Moves points that are not held out of the available ones, the lots that
    /// end first.
    ///
    /// # Errors
    /// [`LedgerError::TooFew`] for more than [`Ledger::spendable`],
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no points.
    pub fn debit(
        &mut self,
        movement: Movement<'_>,
        points: i64,
        to: Account,
    ) -> Result<Entry, LedgerError> {
        if points > self.spendable() {
            return Err(LedgerError::TooFew);
        }
        self.spend(movement, points, to)
    }

    fn spend(
        &mut self,
        movement: Movement<'_>,
        points: i64,
        to: Account,
    ) -> Result<Entry, LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        let mut lots = self.lots.clone();
        let taken = lot::take(&mut lots, points);
        if parts(&taken) != -points {
            return Err(LedgerError::TooFew);
        }
        let entry = self.post(movement, &[(Account::Available, -points), (to, points)])?;
        self.lots = lots;
        Ok(Entry { lots: taken, ..entry })
    }

    /// Moves points into the available ones, as these lots; a debt is repaid
    /// first, with the lots that end first.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn credit(
        &mut self,
        movement: Movement<'_>,
        from: Account,
        mut lots: Vec<Lot>,
    ) -> Result<Entry, LedgerError> {
        let points = total(&lots);
        if points <= 0 || lots.iter().any(|lot| lot.points < 0) {
            return Err(LedgerError::Unbalanced);
        }
        let repaid = self.repaid_by(points);
        lots.sort_unstable_by_key(Lot::rank);
        lot::take(&mut lots, repaid);
        let moves =
            [(from, -points), (Account::Debt, repaid), (Account::Available, points - repaid)];
        let entry = self.post(movement, &moves)?;
        let added = lots.into_iter().flat_map(|added| lot::add(&mut self.lots, added)).collect();
        Ok(Entry { lots: added, ..entry })
    }

    /// Takes back points that an order earned: the pending ones first, then
    /// those of the lot that they went into, as far as it is not spent, held or
    /// ended; what is missing then is owed. `whole` is how much of the order's
    /// is taken back with this, and tells one such movement of an order from
    /// the next.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`], or [`LedgerError::Unbalanced`] for no or
    /// negative points.
    pub fn take_back(
        &mut self,
        claim: &mut Claim,
        points: i64,
        whole: i64,
        at: Timestamp,
        authority: Authority<'_>,
    ) -> Result<Entry, LedgerError> {
        if points <= 0 {
            return Err(LedgerError::Unbalanced);
        }
        let pending = claim.points.min(points);
        let most = self.spendable().max(0).min(points - pending);
        let mut lots = self.lots.clone();
        let taken = match claim.granted_at.filter(|_| most > 0) {
            Some(granted_at) => take_granted(&mut lots, most, granted_at),
            None => Vec::new(),
        };
        let available = parts(&taken).saturating_neg();
        let debt = points - pending - available;
        let id = self.entry_id("order_cancelled", claim.order.as_str(), &whole.to_string());
        let cause = Cause::OrderCancelled(claim.order.clone());
        let moves = [
            (Account::Pending, -pending),
            (Account::Available, -available),
            (Account::Debt, -debt),
            (Account::Cancelled, points),
        ];
        let entry = self.post(Movement { id, at, cause, authority }, &moves)?;
        self.lots = lots;
        claim.points -= pending;
        Ok(Entry { lots: taken, ..entry })
    }

    /// Makes an order's points available, if its return window has ended by
    /// `now`. A debt is repaid from them first. The lot comes from
    /// `lot(points, matures_at)`; its `granted_at` is the end of the window.
    /// A claim without points is closed, and nothing moves.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn mature(
        &mut self,
        claim: &mut Claim,
        now: Timestamp,
        authority: Authority<'_>,
        lot: impl Fn(i64, Timestamp) -> Lot,
    ) -> Result<Option<Entry>, LedgerError> {
        let Some(at) = claim.matures_at.filter(|at| *at <= now && claim.is_open()) else {
            return Ok(None);
        };
        if claim.points == 0 {
            claim.granted_at = Some(at);
            return Ok(None);
        }
        let id = self.entry_id("return_window_ended", claim.order.as_str(), "");
        let cause = Cause::ReturnWindowEnded(claim.order.clone());
        let lot = lot(claim.points, at);
        let granted_at = lot.granted_at;
        let entry =
            self.credit(Movement { id, at, cause, authority }, Account::Pending, vec![lot])?;
        (claim.points, claim.granted_at) = (0, Some(granted_at));
        Ok(Some(entry))
    }

    /// Takes away what is left of one lot that ended by `now`, and so long
    /// before as points may still be spent: the earliest first. Points that are
    /// held do not end; the lots that end first are kept for them. What is
    /// released later ends then.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn expire_one(
        &mut self,
        now: Timestamp,
        grace: Period,
        authority: Authority<'_>,
    ) -> Result<Option<Entry>, LedgerError> {
        let mut held = self.held();
        let mut due = None;
        let over = self.lots.iter().take_while(|lot| lot.expires_at.plus(grace) <= now);
        for lot in over {
            if lot.points > held {
                due = Some((lot.rank(), lot.points - held));
                break;
            }
            held -= lot.points;
        }
        let Some((rank, points)) = due else { return Ok(None) };
        let (expires_at, _) = rank;
        // A lot of which points are held ends in several movements, and a lot
        // that has ended comes back when points mature late that would have
        // been in it. What ever expired tells all of them apart: it only grows.
        let whole = self.balance(Account::Expired).saturating_add(points).to_string();
        let id = self.entry_id("lot_expired", &expires_at.to_string(), &whole);
        let cause = Cause::LotExpired(expires_at);
        let moves = [(Account::Available, -points), (Account::Expired, points)];
        let at = expires_at.plus(grace);
        let entry = self.post(Movement { id, at, cause, authority }, &moves)?;
        let taken = lot::take_where(&mut self.lots, points, |lot| lot.rank() == rank);
        Ok(Some(Entry { lots: taken, ..entry }))
    }

    /// Lets lots last longer, because the member did something: `until` gives
    /// the new end of a lot, which counts if it is later. Nothing lasts longer:
    /// nothing moves.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn extend(
        &mut self,
        at: Timestamp,
        authority: Authority<'_>,
        until: impl Fn(&Lot) -> Option<Timestamp>,
    ) -> Result<Option<Entry>, LedgerError> {
        let mut lots: Vec<Lot> = Vec::with_capacity(self.lots.len());
        let (mut changed, mut points) = (Vec::new(), 0_i64);
        for old in &self.lots {
            match until(old).filter(|end| *end > old.expires_at) {
                Some(expires_at) => {
                    let new = Lot { expires_at, ..old.clone() };
                    changed.extend([old.part(-old.points), new.part(new.points)]);
                    points = points.saturating_add(new.points);
                    lot::insert(&mut lots, new);
                }
                None => lot::insert(&mut lots, old.clone()),
            }
        }
        if points == 0 {
            return Ok(None);
        }
        // What is granted after the deed may be extended by it, too, in another
        // movement, and by another version of the ledger.
        let id = self.entry_id("extended", &at.to_string(), &self.version.to_string());
        let moves = [(Account::Available, -points), (Account::Available, points)];
        let entry =
            self.post(Movement { id, at, cause: Cause::Extended(at), authority }, &moves)?;
        self.lots = lots;
        Ok(Some(Entry { lots: changed, ..entry }))
    }

    /// Checks what must always hold: all accounts sum to zero, the available
    /// points equal their lots, no lot is empty or negative, the lots are in
    /// their order and not too many, holds are within what is available,
    /// nothing is pending that is negative, and nobody owes less than nothing.
    ///
    /// # Errors
    /// [`LedgerError::Inconsistent`].
    pub fn check(&self) -> Result<(), LedgerError> {
        let zero = self.balances.values().map(|it| i128::from(*it)).sum::<i128>() == 0;
        let positive = self.lots.iter().all(|lot| lot.points > 0)
            && self.holds.values().all(|held| held.points > 0);
        let sorted = self.lots.is_sorted_by(|a, b| a.rank() < b.rank());
        let bounded = self.lots.len() <= MAX_LOTS
            && self.holds.len() <= MAX_HOLDS
            && self.counters.len() <= MAX_COUNTERS;
        let equal = total(&self.lots) == self.balance(Account::Available);
        let covered = self.spendable() >= 0
            && self.balance(Account::Pending) >= 0
            && self.balance(Account::Debt) <= 0;
        let sound = zero && positive && sorted && bounded && equal && covered;
        if sound { Ok(()) } else { Err(LedgerError::Inconsistent) }
    }

    /// How much of a debt points repay that become available.
    pub(super) fn repaid_by(&self, points: i64) -> i64 {
        self.balance(Account::Debt).saturating_neg().clamp(0, points.max(0))
    }

    /// Moves points, those of an account that are zero left out.
    pub(super) fn post(
        &mut self,
        movement: Movement<'_>,
        moves: &[(Account, i64)],
    ) -> Result<Entry, LedgerError> {
        let moving = moves.iter().filter(|(_, points)| *points != 0);
        let postings: Vec<Posting> = moving
            .map(|(account, points)| Posting { account: *account, points: *points })
            .collect();
        let mut balances = self.balances.clone();
        apply(&mut balances, &postings)?;
        self.balances = balances;
        let Movement { id, at, cause, authority } = movement;
        Ok(Entry {
            id,
            customer: self.customer.clone(),
            at,
            cause,
            rule: authority.rule.to_owned(),
            policy: authority.policy.to_owned(),
            postings,
            lines: Vec::new(),
            gave: Vec::new(),
            lots: Vec::new(),
        })
    }
}

/// The sum of what was done to lots.
fn parts(parts: &[LotPart]) -> i64 {
    parts.iter().fold(0, |sum, part| sum.saturating_add(part.points))
}

/// Takes points out of the lot that was granted then, whatever its end is now.
/// If it is not there by itself, it is in one that was joined; among several of
/// these, none of which says all that it is made of, those come first that are
/// old enough to hold it.
fn take_granted(lots: &mut Vec<Lot>, points: i64, granted_at: Timestamp) -> Vec<LotPart> {
    let own = |lot: &Lot| !lot.joined && lot.granted_at == granted_at;
    if lots.iter().any(own) {
        return lot::take_where(lots, points, own);
    }
    let old = |lot: &Lot| lot.joined && lot.granted_at <= granted_at;
    let mut taken = lot::take_where(lots, points, old);
    let missing = points.saturating_add(parts(&taken));
    taken.extend(lot::take_where(lots, missing, |lot| lot.joined));
    taken
}

#[cfg(test)]
mod tests;
