//! What time does to points: return windows end, holds do, lots run out.

use aftercart::model::{
    points::{Authority, Earning, Entry, Ledger, LedgerError},
    policy::Policy,
    time::Timestamp,
};

use super::{
    expiry,
    membership::{self, Deed},
    news::News,
    till,
};

/// The name that entries of ended return windows give this rule.
pub const MATURE_RULE: &str = "return_window";

/// The same of goods that were bought in a store.
pub const STORE_MATURE_RULE: &str = "store_return_window";

/// The name that entries of expired lots give this rule.
pub const EXPIRE_RULE: &str = "life";

/// What time changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The ledger as it is then.
    pub ledger: Ledger,
    /// Those of the earnings that changed, as they were and as they are then.
    pub earnings: Vec<(Earning, Earning)>,
    /// The movements, in their order.
    pub entries: Vec<Entry>,
    /// What the member is told.
    pub news: Vec<News>,
}

impl Settled {
    fn nothing(ledger: &Ledger) -> Self {
        Self { ledger: ledger.clone(), earnings: Vec::new(), entries: Vec::new(), news: Vec::new() }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self, before: &Ledger) -> bool {
        self.earnings.is_empty() && self.entries.is_empty() && self.ledger == *before
    }

    fn add(&mut self, after: membership::After) {
        self.entries.extend(after.entries);
        self.news.extend(after.news);
    }
}

/// Brings a ledger up to `now`: holds whose time is over end, the earnings
/// mature whose return windows have ended, lots end, and the member's standing
/// is looked at. After `most` movements of the first two kinds the rest is left
/// for the next time.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn decide(
    ledger: &Ledger,
    earnings: &[Earning],
    policy: &Policy,
    now: Timestamp,
    most: usize,
) -> Result<Settled, LedgerError> {
    let mut settled = Settled::nothing(ledger);
    settled.ledger.time_out(now);
    for earning in earnings.iter().take(most) {
        mature(&mut settled, earning, policy, now)?;
    }
    let review = membership::review(&mut settled.ledger, now, policy)?;
    settled.add(review);
    let grace = expiry::grace(&policy.points);
    while settled.entries.len() < most {
        let entry = settled.ledger.expire_one(now, grace, authority(EXPIRE_RULE, policy))?;
        let Some(entry) = entry else { break };
        settled.entries.push(entry);
    }
    Ok(settled)
}

/// Makes what an order earned available, and what follows from that.
fn mature(
    settled: &mut Settled,
    earning: &Earning,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let Some(at) = earning.claim.matures_at else { return Ok(()) };
    let mut claim = earning.claim.clone();
    let life = policy.points.expiry.purchases;
    let rule = if earning.entry.rule == till::RULE { STORE_MATURE_RULE } else { MATURE_RULE };
    let entry = settled.ledger.mature(&mut claim, now, authority(rule, policy), |points, at| {
        expiry::lot(points, at, now, life, &policy.points)
    })?;
    if claim == earning.claim {
        return Ok(());
    }
    settled.entries.extend(entry);
    let Earning { entry, claim: was } = earning;
    let deed = Deed::Matured { points: was.points, spend: was.spend, bought_at: entry.at };
    let after = membership::after(&mut settled.ledger, &deed, at, policy)?;
    settled.add(after);
    let now = Earning { entry: earning.entry.clone(), claim };
    settled.earnings.push((earning.clone(), now));
    Ok(())
}

fn authority<'a>(rule: &'a str, policy: &'a Policy) -> Authority<'a> {
    Authority { rule, policy: policy.version.as_str() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aftercart::model::{
        id::{HoldId, OrderId},
        points::{Account, Holder, Lot, audit::Rebuilt},
        time::Period,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{
        agenda,
        fixtures::{at, granted, member},
    };

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    /// Earnings of ten points, whose return windows end on these days.
    fn earnings(clocks: &[u16]) -> (Ledger, Vec<Earning>) {
        let mut ledger = Ledger::empty(member());
        let mut earn = |(n, day): (usize, &u16)| {
            let order = OrderId::derive(&[&n.to_string()]);
            let by = Authority { rule: "base", policy: "1" };
            let mut earning = ledger.earn(&order, &[10], None, at(0), by).unwrap();
            earning.claim.matures_at = Some(at(*day));
            earning
        };
        let earnings = clocks.iter().enumerate().map(&mut earn).collect();
        (ledger, earnings)
    }

    #[test]
    fn points_noticed_late_have_their_whole_life() {
        let (ledger, earnings) = earnings(&[19]);
        let settled = decide(&ledger, &earnings, &policy(), at(855), 20).unwrap();
        assert_eq!((settled.entries.len(), settled.earnings.len()), (1, 1));
        let ends = settled.ledger.lots[0].expires_at;
        assert_eq!(ends, at(855).end_of_month_after(12, &policy().points.zone).unwrap());
    }

    #[test]
    fn nothing_moves_before_its_time_and_a_commit_is_bounded() {
        let (ledger, earnings) = earnings(&[5, 5, 5]);
        assert!(decide(&ledger, &earnings, &policy(), at(4), 20).unwrap().is_empty(&ledger));
        let some = decide(&ledger, &earnings, &policy(), at(5), 2).unwrap();
        assert_eq!((some.earnings.len(), some.ledger.spendable()), (2, 20));
        let rest = decide(&some.ledger, &earnings[2..], &policy(), at(5), 2).unwrap();
        assert_eq!((rest.ledger.lots.len(), rest.ledger.spendable()), (1, 30));
    }

    #[test]
    fn holds_whose_time_is_over_end_before_their_lots_do() {
        let mut ledger = Ledger::empty(member());
        granted(&mut ledger, Lot::new(10, at(0), at(30)));
        let till = Holder::Till(HoldId::derive(&["1"]));
        ledger.hold(till, 4, Some(at(40))).unwrap();
        let settle = |ledger: &Ledger, day| decide(ledger, &[], &policy(), at(day), 20).unwrap();
        let first = settle(&ledger, 30).ledger;
        assert_eq!((first.held(), first.balance(Account::Available)), (4, 4));
        let due = agenda::due(&first, &policy(), at(30)).unwrap();
        assert!(due <= at(40), "{due}");
        let second = settle(&first, 40).ledger;
        assert_eq!((second.held(), second.balance(Account::Expired)), (0, 10));
    }

    proptest! {
        #[test]
        fn sweeps_end_in_the_same_balances_however_late_and_often_they_run(
            clocks in prop::collection::vec(0_u16..500, 1..30),
            sweeps in prop::collection::vec(0_u16..2_000, 0..30),
            most in 1_usize..5,
            grace in 0_u16..40,
        ) {
            let mut policy = policy();
            policy.points.expiry.grace = Some(Period::of_days(grace));
            let (mut ledger, mut waiting) = earnings(&clocks);
            let mut rebuilt = Rebuilt::default();
            waiting.iter().for_each(|it| rebuilt.add(&it.entry).unwrap());
            let (mut sweeps, mut ids) = (sweeps, BTreeSet::new());
            sweeps.extend([2_000; 1]);
            sweeps.sort_unstable();
            for now in sweeps.into_iter().map(at) {
                loop {
                    let due = |it: &&Earning| it.claim.is_open() && it.claim.matures_at <= Some(now);
                    let mut due: Vec<Earning> = waiting.iter().filter(due).cloned().collect();
                    due.sort_by_key(|it| it.claim.matures_at);
                    let settled = decide(&ledger, &due, &policy, now, most).unwrap();
                    if settled.is_empty(&ledger) { break }
                    for entry in &settled.entries {
                        prop_assert!(entry.at <= now);
                        prop_assert!(ids.insert((entry.at, entry.id.clone())), "an entry comes once");
                        rebuilt.add(entry).unwrap();
                    }
                    for (_, now) in settled.earnings {
                        let known = waiting.iter_mut().find(|it| it.entry.id == now.entry.id);
                        *known.unwrap() = now;
                    }
                    ledger = Ledger { version: ledger.version + 1, ..settled.ledger };
                    prop_assert_eq!(rebuilt.differences(&ledger), []);
                }
                prop_assert!(agenda::due(&ledger, &policy, now).is_none_or(|due| due > now));
            }
            let given = i64::try_from(clocks.len()).unwrap() * 10;
            prop_assert_eq!(ledger.balance(Account::Pending), 0);
            prop_assert_eq!(ledger.balance(Account::Available) + ledger.balance(Account::Expired), given);
        }
    }
}
