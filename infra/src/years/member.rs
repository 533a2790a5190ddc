//! A member, and what the tables would hold of one.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    customer::CustomerId,
    dispatch::Dispatch,
    id::{EntryId, OrderId, RedemptionId},
    order::Order,
    points::{
        Account, Authority, Cause, Earning, Entry, Holder, Judged, Ledger, LedgerError, Movement,
        audit::Rebuilt,
    },
    policy::Policy,
    profile::Profile,
    text::Text,
    time::{Timestamp, YearDay},
};
use aftercart_points::rules::{
    actions::{self, Action},
    agenda,
    membership::{self, Deed},
    news::News,
    orders::{self, Facts, Posted},
    settle,
};

use super::YearsError;

/// The most movements of one commit, as the nightly job has it.
const MOVEMENTS_MAX: usize = 20;

/// An order, its parcels, and what is written of its points.
pub(super) struct Bought {
    pub(super) order: Order,
    pub(super) dispatch: Option<Dispatch>,
    pub(super) posted: Posted,
}

pub(super) struct Member {
    pub(super) ledger: Ledger,
    pub(super) profile: Profile,
    pub(super) bought: BTreeMap<OrderId, Bought>,
    entries: Vec<Entry>,
    written: BTreeSet<EntryId>,
    judged: BTreeSet<String>,
    once: BTreeSet<Text<40>>,
    pub(super) told: u64,
    /// When the nightly job ran last.
    night: Timestamp,
    /// When something of the ledger is due, as the index would have it.
    due: Option<Timestamp>,
    /// What an index would have of the clocks of earnings.
    clocks: BTreeSet<(Timestamp, OrderId)>,
}

impl Member {
    pub(super) fn new(customer: CustomerId, birthday: Option<YearDay>) -> Self {
        Self {
            profile: Profile { birthday, ..Profile::empty(customer.clone()) },
            ledger: Ledger::empty(customer),
            bought: BTreeMap::new(),
            entries: Vec::new(),
            written: BTreeSet::new(),
            judged: BTreeSet::new(),
            once: BTreeSet::new(),
            told: 0,
            night: Timestamp::EPOCH,
            due: None,
            clocks: BTreeSet::new(),
        }
    }

    fn name(&self) -> String {
        self.ledger.customer.to_string()
    }

    pub(super) fn refused(&self, error: LedgerError) -> YearsError {
        YearsError::Refused { customer: self.name(), error }
    }

    /// Writes a change as a commit would: entries that are not there, and the
    /// ledger.
    pub(super) fn commit(
        &mut self,
        ledger: Ledger,
        entries: Vec<Entry>,
        news: &[News],
        policy: &Policy,
    ) -> Result<(), YearsError> {
        for entry in entries {
            if !self.written.insert(entry.id.clone()) {
                let (customer, entry) = (self.name(), entry.id.to_string());
                return Err(YearsError::Twice { customer, entry });
            }
            self.entries.push(entry);
        }
        ledger.check().map_err(|error| self.refused(error))?;
        self.ledger = Ledger { version: self.ledger.version + 1, ..ledger };
        self.told += u64::try_from(news.len()).unwrap_or(0);
        self.due = agenda::due(&self.ledger, policy, self.night);
        Ok(())
    }

    /// Handles a message about an order, twice: the second time nothing may
    /// change.
    pub(super) fn handle(
        &mut self,
        id: &OrderId,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), YearsError> {
        if self.follow(id, policy, now)? && self.follow(id, policy, now)? {
            return Err(YearsError::Repeated { customer: self.name(), about: id.to_string() });
        }
        Ok(())
    }

    fn follow(
        &mut self,
        id: &OrderId,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<bool, YearsError> {
        let Some(bought) = self.bought.get(id) else { return Ok(false) };
        let facts = Facts {
            order: &bought.order,
            dispatch: bought.dispatch.as_ref(),
            ledger: &self.ledger,
            profile: &self.profile,
            posted: &bought.posted,
            now,
        };
        let decided = orders::decide(facts, policy).map_err(|error| self.refused(error))?;
        let Some(posting) = decided else { return Ok(false) };
        let mut entries = posting.entries;
        let Some(bought) = self.bought.get_mut(id) else { return Ok(false) };
        let is_new = bought.posted.earned.is_none();
        if let Some(earning) = posting.earned.as_ref().filter(|_| is_new) {
            entries.insert(0, earning.entry.clone());
        }
        let spent = |entry: &&Entry| entry.id == spending(&bought.order);
        if let Some(entry) = entries.iter().find(spent) {
            bought.posted.spent = Some(entry.clone());
        }
        note(&mut self.clocks, bought.posted.earned.as_ref(), posting.earned.as_ref());
        bought.posted.earned = posting.earned;
        bought.posted.undone = posting.undone;
        self.commit(posting.ledger, entries, &posting.news, policy)?;
        Ok(true)
    }

    /// The nightly job, until nothing is due. Whether something was.
    pub(super) fn settle(&mut self, policy: &Policy, now: Timestamp) -> Result<(), YearsError> {
        self.night = now;
        loop {
            let due = self.clocks.iter().take_while(|(at, _)| *at <= now);
            let due = due.filter_map(|(_, order)| self.bought.get(order)?.posted.earned.clone());
            let earnings: Vec<Earning> = due.take(MOVEMENTS_MAX).collect();
            let is_due = self.due.is_some_and(|at| at <= now);
            if earnings.is_empty() && !is_due {
                return Ok(());
            }
            let settled = settle::decide(&self.ledger, &earnings, policy, now, MOVEMENTS_MAX)
                .map_err(|error| self.refused(error))?;
            if settled.is_empty(&self.ledger) {
                // What is held does not end: it is looked at again later.
                self.due = agenda::due(&self.ledger, policy, now);
                if earnings.is_empty() && self.due.is_none_or(|at| at > now) {
                    return Ok(());
                }
                let about = format!("what is due at {:?}", self.due);
                return Err(YearsError::Repeated { customer: self.name(), about });
            }
            for (_, earning) in settled.earnings {
                if let Some(bought) = self.bought.get_mut(&earning.claim.order) {
                    note(&mut self.clocks, bought.posted.earned.as_ref(), Some(&earning));
                    bought.posted.earned = Some(earning);
                }
            }
            self.commit(settled.ledger, settled.entries, &settled.news, policy)?;
        }
    }

    /// Does something that earns, unless it was judged before.
    pub(super) fn act(&mut self, action: &Action, policy: &Policy) -> Result<(), YearsError> {
        let judged = Judged::id(&self.ledger.customer, action.kind, &action.reference);
        if !self.judged.insert(judged.to_string()) {
            return Ok(());
        }
        let facts = actions::Facts {
            ledger: &self.ledger,
            profile: &self.profile,
            once: &self.once,
            now: action.at,
        };
        let decided =
            actions::decide(action, facts, policy).map_err(|error| self.refused(error))?;
        self.once.extend(decided.once);
        self.commit(decided.ledger, decided.entries, &decided.news, policy)
    }

    /// Takes a reward: its points are held, and spent by the message that
    /// follows.
    pub(super) fn redeem(
        &mut self,
        id: &RedemptionId,
        points: i64,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(), YearsError> {
        let mut ledger = self.ledger.clone();
        let holder = Holder::Redemption(id.clone());
        if ledger.hold(holder.clone(), points, None).is_err() {
            return Ok(());
        }
        self.commit(ledger.clone(), Vec::new(), &[], policy)?;
        let movement = Movement {
            id: Ledger::spending(&ledger.customer, &holder),
            at: now,
            cause: Cause::Redeemed(id.clone()),
            authority: Authority { rule: "reward", policy: policy.version.as_str() },
        };
        let entry = ledger
            .capture(movement, &holder, points, Account::Spent)
            .map_err(|error| self.refused(error))?;
        let after = membership::after(&mut ledger, &Deed::Spent, now, policy)
            .map_err(|error| self.refused(error))?;
        self.commit(ledger, entry.into_iter().chain(after.entries).collect(), &after.news, policy)
    }

    /// What is pending by the orders.
    pub(super) fn pending(&self) -> i128 {
        let earned = self.bought.values().filter_map(|it| it.posted.earned.as_ref());
        earned.map(|it| i128::from(it.claim.points)).sum()
    }

    /// Makes the ledger again from nothing, and compares. How many entries there are.
    pub(super) fn audit(&self, at: Timestamp) -> Result<u64, YearsError> {
        let mut rebuilt = Rebuilt::default();
        for entry in &self.entries {
            rebuilt.add(entry).map_err(|error| self.refused(error))?;
        }
        let differences = rebuilt.differences(&self.ledger);
        if differences.is_empty() {
            Ok(rebuilt.entries)
        } else {
            Err(YearsError::Differs { customer: self.name(), at, differences })
        }
    }
}

/// Moves an earning in the index of clocks.
fn note(
    clocks: &mut BTreeSet<(Timestamp, OrderId)>,
    before: Option<&Earning>,
    now: Option<&Earning>,
) {
    let clock = |it: &Earning| {
        let at = it.claim.matures_at.filter(|_| it.claim.is_open());
        at.map(|at| (at, it.claim.order.clone()))
    };
    if let Some(clock) = before.and_then(clock) {
        clocks.remove(&clock);
    }
    clocks.extend(now.and_then(clock));
}

fn spending(order: &Order) -> EntryId {
    Ledger::spending(&order.customer, &Holder::Order(order.id.clone()))
}
