//! Two accounts of one person: one of them is a sluice, from which all that
//! becomes available or owed flows to the other.
//!
//! Orders go on posting to the account that placed them, so that identities of
//! entries stay as they are, and what is pending or held stays until it is
//! decided. What flows keeps the ends and ages of its lots. It is two entries
//! through the account [`Account::Linked`], one in each ledger.

use crate::model::{customer::CustomerId, id::LinkId, text::Text, time::Timestamp};

use super::{
    Account, Entry, Ledger, LedgerError, Lot, LotPart, MAX_LINKS, Movement, Qualifying, Standing,
    lot, total,
};

/// A link of two accounts, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLink {
    /// Derived from both accounts, and the change that linked them.
    pub id: LinkId,
    /// The account in which the points are from now on.
    pub main: CustomerId,
    /// The account from which they flow.
    pub other: CustomerId,
    /// When they were linked.
    pub at: Timestamp,
    /// The operator who linked them; the person did it alone, if there is none.
    pub by: Option<Text<128>>,
    /// What came from the other account and is in the main one's lots still,
    /// as the last flow left them: at most as many as there are lots.
    pub came: Vec<LotPart>,
    /// What was owed in the other account, as a positive number.
    pub owed: i64,
    /// What came that counts towards a tier in the period that began at
    /// `qualified_in`.
    pub qualified: Qualifying,
    /// The beginning of the main account's period in which it is counted.
    pub qualified_in: Option<Timestamp>,
    /// Where the member stood in the main account before what came changed
    /// that, and then.
    pub raised: Option<Box<(Standing, Standing)>>,
    /// When it was undone, which operator did that (the person did, if there is
    /// none), and why.
    pub undone: Option<(Timestamp, Option<Text<128>>, Text<500>)>,
    /// How often this record changed.
    pub version: u64,
}

/// What goes from one account of a person to another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flow {
    /// Points, in the lots in which they were.
    pub lots: Vec<Lot>,
    /// Points that are owed, as a positive number.
    pub debt: i64,
    /// What counts towards a tier.
    pub qualifying: Qualifying,
}

impl AccountLink {
    /// Notes what flowed: `came` follows the main account's lots, of which some
    /// were spent or joined since. What counts towards a tier is counted in the
    /// period that runs in the main account; what came in an earlier one is not
    /// there any more.
    pub fn note(&mut self, flow: &Flow, main: &Ledger) {
        let came = std::mem::take(&mut self.came);
        let parts = came.into_iter().chain(flow.lots.iter().map(|lot| lot.part(lot.points)));
        for part in parts {
            let Some(home) = home(&main.lots, &part) else { continue };
            let known = |it: &&mut LotPart| (it.expires_at, it.granted_at) == home.rank();
            match self.came.iter_mut().find(known) {
                Some(known) => {
                    known.points = known.points.saturating_add(part.points).min(home.points)
                }
                None => self.came.push(home.part(part.points.min(home.points))),
            }
        }
        self.owed = self.owed.saturating_add(flow.debt);
        if self.qualified_in != main.standing.period_from {
            (self.qualified, self.qualified_in) =
                (Qualifying::default(), main.standing.period_from);
        }
        self.qualified.add(&flow.qualifying);
    }
}

/// The lot in which points are that were in one of this end and age: their own,
/// the same one if it lasts longer now, or the one into which it was joined.
fn home<'a>(lots: &'a [Lot], part: &LotPart) -> Option<&'a Lot> {
    let joined = |lot: &&Lot| lot.joined && lot.granted_at <= part.granted_at;
    let same = lots.iter().find(|lot| lot.rank() == (part.expires_at, part.granted_at));
    same.or_else(|| lots.iter().find(|lot| lot.granted_at == part.granted_at))
        .or_else(|| lots.iter().filter(joined).max_by_key(|lot| lot.granted_at))
}

impl Qualifying {
    /// As much of it as the other has.
    #[must_use]
    pub fn at_most(&self, most: &Self) -> Self {
        let spent = |currency| most.spend.get(currency).copied().unwrap_or(0);
        let spend = self.spend.iter().map(|(it, minor)| (*it, (*minor).min(spent(it))));
        Self {
            points: self.points.min(most.points),
            spend: spend.filter(|(_, minor)| *minor != 0).collect(),
            orders: self.orders.min(most.orders),
            activity: self.activity.min(most.activity),
            feedback: self.feedback.min(most.feedback),
        }
    }

    /// What is left of it without the other, nothing below zero.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = self.clone();
        left.points = self.points.saturating_sub(other.points).max(0);
        for (currency, minor) in &other.spend {
            let spend = left.spend.entry(*currency).or_default();
            *spend = spend.saturating_sub(*minor).max(0);
        }
        left.spend.retain(|_, minor| *minor != 0);
        left.orders = self.orders.saturating_sub(other.orders);
        left.activity = self.activity.saturating_sub(other.activity);
        left.feedback = self.feedback.saturating_sub(other.feedback);
        left
    }
}

impl Ledger {
    /// Whether there is something in a linked account that belongs into the
    /// other one.
    #[must_use]
    pub fn flows(&self) -> bool {
        let anything = self.spendable() > 0
            || self.balance(Account::Debt) < 0
            || self.standing.qualifying != Qualifying::default()
            || self.standing.next != Qualifying::default();
        self.link.into.is_some() && anything
    }

    /// Whether this account may be linked into the other one. Chains of links
    /// are not: whatever flows arrives at once.
    #[must_use]
    pub fn may_flow_into(&self, main: &Self) -> bool {
        self.customer != main.customer
            && self.link.into.is_none()
            && self.link.from.is_empty()
            && main.link.into.is_none()
            && main.link.from.len() < MAX_LINKS
    }

    /// Takes out of a linked account all that belongs into the other one. What
    /// is held stays, and the lots that end first with it. No entry if no
    /// points move.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn send_on(
        &mut self,
        movement: Movement<'_>,
    ) -> Result<(Option<Entry>, Flow), LedgerError> {
        let mut kept = self.held();
        let mut wanted = Vec::new();
        for lot in &self.lots {
            let stays = lot.points.min(kept);
            kept = kept.saturating_sub(stays);
            wanted.push(lot.part(lot.points.saturating_sub(stays)));
        }
        let debt = self.balance(Account::Debt).saturating_neg();
        let entry = self.give_up(movement, &wanted, debt)?;
        let mut qualifying = std::mem::take(&mut self.standing.qualifying);
        qualifying.add(&std::mem::take(&mut self.standing.next));
        let (entry, lots) = entry.unzip();
        Ok((entry, Flow { lots: lots.unwrap_or_default(), debt, qualifying }))
    }

    /// Takes back out of the account into which another one was linked what is
    /// left of what came from it, and the debt that came and is not repaid. Of
    /// what counts towards a tier that which came in the period that runs, as
    /// far as it is there.
    ///
    /// # Errors
    /// [`LedgerError::TooFew`] while points are held without which it cannot all
    /// be given back, [`LedgerError::TooMany`].
    pub fn send_back(
        &mut self,
        movement: Movement<'_>,
        link: &AccountLink,
    ) -> Result<(Option<Entry>, Flow), LedgerError> {
        let wanted = self.left_of(link, i64::MAX);
        let points = wanted.iter().fold(0_i64, |sum, part| sum.saturating_add(part.points));
        if points > 0 && points > self.spendable() {
            return Err(LedgerError::TooFew);
        }
        let debt = self.balance(Account::Debt).saturating_neg().min(link.owed);
        let (entry, lots) = self.give_up(movement, &wanted, debt)?.unzip();
        let qualifying = if link.qualified_in == self.standing.period_from {
            link.qualified.at_most(&self.standing.qualifying)
        } else {
            Qualifying::default()
        };
        self.standing.qualifying = self.standing.qualifying.without(&qualifying);
        Ok((entry, Flow { lots: lots.unwrap_or_default(), debt, qualifying }))
    }

    /// What is left of the lots that came by a link, held or not, up to so many
    /// points.
    fn left_of(&self, link: &AccountLink, most: i64) -> Vec<LotPart> {
        let mut most = most;
        let mut left: Vec<LotPart> = Vec::new();
        for part in &link.came {
            let Some(home) = home(&self.lots, part) else { continue };
            let before = left.iter().filter(|it| (it.expires_at, it.granted_at) == home.rank());
            let before = before.fold(0_i64, |sum, it| sum.saturating_add(it.points));
            let points = part.points.min(home.points.saturating_sub(before)).min(most);
            most = most.saturating_sub(points);
            left.push(home.part(points));
        }
        left
    }

    /// Moves these parts of lots, and so much of the debt, out of this ledger.
    fn give_up(
        &mut self,
        movement: Movement<'_>,
        wanted: &[LotPart],
        debt: i64,
    ) -> Result<Option<(Entry, Vec<Lot>)>, LedgerError> {
        let (mut lots, mut taken, mut sent) = (self.lots.clone(), Vec::new(), Vec::new());
        for part in wanted.iter().filter(|part| part.points > 0) {
            let rank = (part.expires_at, part.granted_at);
            let of = lots.iter().find(|lot| lot.rank() == rank).cloned();
            taken.extend(lot::take_where(&mut lots, part.points, |lot| lot.rank() == rank));
            sent.extend(of.map(|lot| Lot { points: part.points, ..lot }));
        }
        let points = total(&sent);
        if points == 0 && debt == 0 {
            return Ok(None);
        }
        let moves = [
            (Account::Available, -points),
            (Account::Debt, debt),
            (Account::Linked, points.saturating_sub(debt)),
        ];
        let entry = self.post(movement, &moves)?;
        self.lots = lots;
        Ok(Some((Entry { lots: taken, ..entry }, sent)))
    }

    /// Takes in what came from another account of the same person. What came
    /// since the accounts are linked (`by`) is settled as if it had been earned
    /// and owed here: points repay a debt first, and a debt is taken out of what
    /// is left of the lots that came before. What was there before, or comes
    /// back, is not, so that a link can be undone. What is there of the flow
    /// then comes back.
    ///
    /// # Errors
    /// [`LedgerError::TooMany`].
    pub fn receive(
        &mut self,
        movement: Movement<'_>,
        flow: &Flow,
        by: Option<&AccountLink>,
    ) -> Result<(Option<Entry>, Flow), LedgerError> {
        self.standing.qualifying.add(&flow.qualifying);
        let (points, mut there) = (total(&flow.lots), flow.clone());
        if points == 0 && flow.debt == 0 {
            return Ok((None, there));
        }
        let repaid = by.map_or(0, |_| self.repaid_by(points));
        lot::take(&mut there.lots, repaid);
        let (mut lots, mut parts) = (self.lots.clone(), Vec::new());
        // What is held is not taken: it is owed instead.
        let free = flow.debt.min(self.spendable().max(0));
        for part in by.map(|link| self.left_of(link, free)).unwrap_or_default() {
            let rank = (part.expires_at, part.granted_at);
            parts.extend(lot::take_where(&mut lots, part.points, |lot| lot.rank() == rank));
        }
        let settled = parts.iter().fold(0_i64, |sum, part| sum.saturating_sub(part.points));
        there.debt = flow.debt.saturating_sub(settled);
        let moves = [
            (Account::Linked, flow.debt.saturating_sub(points)),
            (Account::Available, points.saturating_sub(repaid).saturating_sub(settled)),
            (Account::Debt, repaid.saturating_sub(there.debt)),
        ];
        let entry = self.post(movement, &moves)?;
        parts.extend(there.lots.iter().cloned().flat_map(|added| lot::add(&mut lots, added)));
        self.lots = lots;
        Ok((Some(Entry { lots: parts, ..entry }), there))
    }
}
