//! What an order does to its buyer's points: what it earns and spends, when
//! the clock of what it earned starts, and what of it is undone.

use aftercart::model::{
    dispatch::Dispatch,
    order::Order,
    points::{Authority, Entry, Ledger, LedgerError, Undone},
    policy::{PointsPolicy, Policy},
    time::Timestamp,
};

use super::undo;

/// The name that entries of earned points give this rule.
pub const RULE: &str = "line_amount";

/// The name that entries of points that pay for orders give this rule.
pub const OFFSET_RULE: &str = "offset";

/// The name that entries of orders that are called off give this rule.
pub const UNDO_RULE: &str = "units_called_off";

/// What is true of an order and its points.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its shipments, once they are open.
    pub dispatch: Option<&'a Dispatch>,
    /// The ledger of its buyer.
    pub ledger: &'a Ledger,
    /// What is known to be written of it.
    pub posted: &'a Posted,
    /// The present moment.
    pub now: Timestamp,
}

/// What is known to be written of an order's points, besides the ledger. An
/// order of which something is called off needs to know all of it; of others
/// it is enough to learn that an entry is there from the write that loses to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The entry that earned its points.
    pub earned: Option<Entry>,
    /// The entry that spent the points which paid for it.
    pub spent: Option<Entry>,
    /// What was undone of them.
    pub undone: Undone,
}

impl Posted {
    /// Nothing is known to be written.
    #[must_use]
    pub fn nothing(order: &Order) -> Self {
        let undone = Undone::nothing(order.customer.clone(), order.id.clone());
        Self { earned: None, spent: None, undone }
    }
}

/// A change of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The entries, none when only a clock was set.
    pub entries: Vec<Entry>,
    /// What is undone then.
    pub undone: Undone,
    /// The ledger as it is then.
    pub ledger: Ledger,
}

/// Makes the ledger follow from the order and its parcels. A paid order's
/// points are pending, and those that were held for it are spent; what is
/// called off of it is undone. The clock of one whose last parcel is delivered
/// runs out when the return window ends; it stands still when a parcel goes
/// back after all, or another one is sent.
/// Nothing to post is `None`: the order is not paid, moves no points, or all
/// is posted.
///
/// Points that matured have left `pending`; then only `facts.posted`, or the
/// condition on the entry's identity, keeps them from being earned again.
///
/// # Errors
/// [`LedgerError::TooManyPending`] or [`LedgerError::TooMany`], and what a
/// ledger that is not sound gives.
pub fn decide(facts: Facts<'_>, policy: &Policy) -> Result<Option<Posting>, LedgerError> {
    let Facts { order, dispatch, ledger, posted, .. } = facts;
    let mut posting =
        Posting { entries: Vec::new(), undone: posted.undone.clone(), ledger: ledger.clone() };
    if let Some(paid_at) = order.paid_at {
        let earned = earn(&mut posting, facts, paid_at, policy)?;
        let spent = posting.ledger.spend(&order.id, paid_at, authority(OFFSET_RULE, policy))?;
        posting.entries.extend(spent.clone());
        let earned = earned.as_ref().or(posted.earned.as_ref());
        let spent = spent.as_ref().or(posted.spent.as_ref());
        give_back(&mut posting, facts, spent, policy)?;
        take_back(&mut posting, facts, earned, policy)?;
    }
    let clock_set = match dispatch.map(Dispatch::delivered_at) {
        Some(Some(at)) => {
            posting.ledger.start_clock(&order.id, at.plus(policy.points.return_window))
        }
        Some(None) => posting.ledger.stop_clock(&order.id),
        None => false,
    };
    Ok((!posting.entries.is_empty() || clock_set).then_some(posting))
}

fn earn(
    posting: &mut Posting,
    facts: Facts<'_>,
    paid_at: Timestamp,
    policy: &Policy,
) -> Result<Option<Entry>, LedgerError> {
    let (order, ledger) = (facts.order, &mut posting.ledger);
    let pending = ledger.pending.iter().any(|lot| lot.order == order.id);
    let lines = of_lines(order, &policy.points);
    if facts.posted.earned.is_some() || pending || lines.iter().all(|points| *points == 0) {
        return Ok(None);
    }
    let entry = ledger.earn(&order.id, &lines, paid_at, authority(RULE, policy))?;
    posting.entries.push(entry.clone());
    Ok(Some(entry))
}

/// Before anything is taken back, so that less has to be owed.
fn give_back(
    posting: &mut Posting,
    facts: Facts<'_>,
    spent: Option<&Entry>,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let Some(spent) = spent else { return Ok(()) };
    let (before, whole) = (posting.undone.returned, undo::returned(facts.order));
    let PointsPolicy { returned_months, zone, .. } = &policy.points;
    // Past the year 9989 the calendar has no such end; then it is now.
    let least_end = facts.now.end_of_month_after(*returned_months, zone).unwrap_or(facts.now);
    let lots = undo::returning(&spent.lots, before, whole, least_end);
    if lots.is_empty() {
        return Ok(());
    }
    let (order, by) = (&facts.order.id, authority(UNDO_RULE, policy));
    posting.entries.push(posting.ledger.give_back(order, lots, whole, facts.now, by)?);
    posting.undone.returned = whole;
    Ok(())
}

fn take_back(
    posting: &mut Posting,
    facts: Facts<'_>,
    earned: Option<&Entry>,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let Some(earned) = earned else { return Ok(()) };
    let whole = undo::taken(facts.order, &earned.lines);
    let more = whole.saturating_sub(posting.undone.taken);
    if more <= 0 {
        return Ok(());
    }
    let (order, by) = (&facts.order.id, authority(UNDO_RULE, policy));
    posting.entries.push(posting.ledger.take_back(order, more, whole, facts.now, by)?);
    posting.undone.taken = whole;
    Ok(())
}

fn authority<'a>(rule: &'a str, policy: &'a Policy) -> Authority<'a> {
    Authority { rule, policy: policy.version.as_str() }
}

/// The points that each line of an order earns: of what is paid for it in
/// money, rounded down.
#[must_use]
pub fn of_lines(order: &Order, policy: &PointsPolicy) -> Vec<i64> {
    let paid = order.lines.iter().map(|it| it.total.minor().saturating_sub(it.points.minor()));
    paid.map(|paid| policy.of_line(paid)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::model::{
        dispatch::Shipment,
        order::OrderPoints,
        points::{Account, Cause, apply},
        shipment::Journey,
        stock::LocationId,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::{
        fixtures::{at, member, money, order},
        settle,
    };

    /// So many parcels, each delivered then or not.
    fn dispatch(order: &Order, delivered: &[Option<Timestamp>]) -> Dispatch {
        let shipment = |(number, delivered_at): (u16, &Option<Timestamp>)| Shipment {
            journey: Journey { delivered_at: *delivered_at, ..Journey::pending() },
            ..Shipment::new(&order.id, number, LocationId::default(), Vec::new(), at(0))
        };
        let shipments = (1..).zip(delivered).map(shipment).collect();
        Dispatch { shipments, ..Dispatch::unopened(order, at(0)) }
    }

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    fn decided(order: &Order, dispatch: Option<&Dispatch>, ledger: &Ledger) -> Option<Posting> {
        let posted = &Posted::nothing(order);
        decide(Facts { order, dispatch, ledger, posted, now: at(2) }, &policy()).unwrap()
    }

    /// A ledger with so many points that end on day 400, some held for the order.
    fn with_hold(order: &Order, points: i64, held: i64) -> Ledger {
        let mut ledger = Ledger::empty(member());
        let other = aftercart::model::id::OrderId::derive(&["other"]);
        let by = Authority { rule: "r", policy: "1" };
        ledger.earn(&other, &[points], at(0), by).unwrap();
        ledger.start_clock(&other, at(0));
        ledger.mature_one(at(0), by, |_| at(400)).unwrap();
        ledger.hold(&order.id, held).unwrap();
        ledger
    }

    #[test]
    fn each_line_is_rounded_down_by_itself() {
        for (totals, points) in [
            (&[1999, 1999][..], &[19, 19][..]),
            (&[99, 99], &[0, 0]),
            (&[0], &[0]),
            (&[100], &[1]),
            (&[12_345], &[123]),
        ] {
            assert_eq!(of_lines(&order(totals, None), &policy().points), points, "{totals:?}");
        }
        let mut mixed = order(&[5_000], None);
        mixed.lines[0].points = money(1_050);
        assert_eq!(of_lines(&mixed, &policy().points), [39], "what points pay earns none");
    }

    #[test]
    fn a_paid_order_earns_once_and_an_unpaid_one_nothing() {
        let empty = Ledger::empty(member());
        assert_eq!(decided(&order(&[5_000], None), None, &empty), None);
        assert_eq!(decided(&order(&[99], Some(at(1))), None, &empty), None);
        let paid = order(&[5_000], Some(at(1)));
        let posting = decided(&paid, None, &empty).unwrap();
        let entry = &posting.entries[0];
        assert_eq!((entry.at, &entry.cause), (at(1), &Cause::OrderPaid(paid.id.clone())));
        assert_eq!(
            (entry.rule.as_str(), entry.policy.clone()),
            (RULE, policy().version.to_string())
        );
        assert_eq!(posting.ledger.balance(Account::Pending), 50);
        assert_eq!(posting.ledger.pending[0].matures_at, None);
        assert_eq!(decided(&paid, None, &posting.ledger), None);
    }

    #[test]
    fn held_points_are_spent_with_the_earning() {
        let mut placed = order(&[5_000], None);
        placed.points = Some(OrderPoints { points: 120, amount: money(1_200) });
        placed.lines[0].points = money(1_200);
        let ledger = with_hold(&placed, 150, 120);
        assert_eq!(decided(&placed, None, &ledger), None, "not paid");
        let paid = Order { paid_at: Some(at(1)), ..placed };
        let posting = decided(&paid, None, &ledger).unwrap();
        let causes: Vec<_> = posting.entries.iter().map(|entry| entry.cause.clone()).collect();
        let id = paid.id.clone();
        assert_eq!(causes, [Cause::OrderPaid(id.clone()), Cause::OrderPoints(id)]);
        assert_eq!((posting.ledger.spendable(), posting.ledger.held()), (30, 0));
        assert_eq!(posting.ledger.balance(Account::Pending), 38);
        assert_eq!(decided(&paid, None, &posting.ledger), None);
    }

    #[test]
    fn the_clock_starts_at_delivery_and_follows_what_becomes_of_it() {
        let paid = order(&[5_000], Some(at(1)));
        let arrived = |day| dispatch(&paid, &[Some(at(day))]);
        let both = decided(&paid, Some(&arrived(5)), &Ledger::empty(member())).unwrap();
        assert_eq!(both.entries.len(), 1);
        assert_eq!(both.ledger.pending[0].matures_at, Some(at(19)));
        assert_eq!(decided(&paid, Some(&arrived(5)), &both.ledger), None);
        let corrected = decided(&paid, Some(&arrived(7)), &both.ledger).unwrap();
        assert_eq!(corrected.entries, []);
        assert_eq!(corrected.ledger.pending[0].matures_at, Some(at(21)));
        let back = decided(&paid, Some(&dispatch(&paid, &[None])), &both.ledger).unwrap();
        assert_eq!((back.entries, back.ledger.pending[0].matures_at), (Vec::new(), None));
        assert_eq!(decided(&paid, Some(&dispatch(&paid, &[None])), &back.ledger), None);
        assert_eq!(decided(&paid, None, &both.ledger), None);
    }

    #[test]
    fn the_clock_starts_with_the_last_parcel_and_another_one_extends_it() {
        let paid = order(&[5_000], Some(at(1)));
        let (first, second) = (Some(at(5)), Some(at(9)));
        let mut ledger = Ledger::empty(member());
        for (delivered, matures_at) in [
            (&[first, None][..], None),
            (&[first, second], Some(at(23))),
            (&[second, first], Some(at(23))),
            (&[first, second, None], None),
            (&[first, second, Some(at(12))], Some(at(26))),
        ] {
            if let Some(posting) = decided(&paid, Some(&dispatch(&paid, delivered)), &ledger) {
                ledger = posting.ledger;
            }
            assert_eq!(ledger.pending[0].matures_at, matures_at, "{delivered:?}");
        }
        let mut replaced = dispatch(&paid, &[None, first]);
        replaced.shipments[0].cancelled_at = first;
        let posting = decided(&paid, Some(&replaced), &Ledger::empty(member())).unwrap();
        assert_eq!(posting.ledger.pending[0].matures_at, Some(at(19)), "it is not waited for");
    }

    #[test]
    fn what_was_earned_and_has_matured_is_left_alone() {
        let paid = order(&[5_000], Some(at(1)));
        let arrived = dispatch(&paid, &[Some(at(5))]);
        let empty = Ledger::empty(member());
        let earned = decided(&paid, None, &empty).unwrap().entries.pop();
        let posted = &Posted { earned, ..Posted::nothing(&paid) };
        let facts =
            Facts { order: &paid, dispatch: Some(&arrived), ledger: &empty, posted, now: at(6) };
        assert_eq!(decide(facts, &policy()), Ok(None));
    }

    /// A ledger, and the other items that a posting writes.
    struct Kept {
        ledger: Ledger,
        posted: Posted,
        sums: BTreeMap<Account, i64>,
    }

    impl Kept {
        fn add(&mut self, entry: &Entry) {
            apply(&mut self.sums, &entry.postings).unwrap();
            match entry.cause {
                Cause::OrderPaid(_) => self.posted.earned = Some(entry.clone()),
                Cause::OrderPoints(_) => self.posted.spent = Some(entry.clone()),
                _ => {}
            }
        }

        fn handle(&mut self, order: &Order, dispatch: Option<&Dispatch>, now: Timestamp) {
            let facts = Facts { order, dispatch, ledger: &self.ledger, posted: &self.posted, now };
            let Some(posting) = decide(facts, &policy()).unwrap() else { return };
            posting.entries.iter().for_each(|entry| self.add(entry));
            self.posted.undone = posting.undone;
            self.ledger = posting.ledger;
        }

        fn mature(&mut self, now: Timestamp) {
            for entry in settle::decide(&mut self.ledger, &policy(), now, 20).unwrap() {
                self.add(&entry);
            }
        }
    }

    proptest! {
        #[test]
        fn in_any_order_and_number_the_messages_end_in_the_same_ledger(
            totals in prop::collection::vec(0_i64..100_000, 1..5),
            deliveries in prop::collection::vec(0_usize..4, 0..8),
            last in 1_usize..4,
        ) {
            // What may be true when a message is handled: paid, delivered, delivered later, gone back.
            let paid = order(&totals, Some(at(1)));
            let told = |delivered_at| Some(dispatch(&paid, &[delivered_at]));
            let states = [None, told(Some(at(5))), told(Some(at(6))), told(None)];
            let mut ledger = Ledger::empty(member());
            for state in deliveries.iter().chain(&[last]) {
                if let Some(posting) = decided(&paid, states[*state].as_ref(), &ledger) {
                    ledger = posting.ledger;
                }
                prop_assert_eq!(ledger.check(), Ok(()));
            }
            let once = decided(&paid, states[last].as_ref(), &Ledger::empty(member()));
            prop_assert_eq!(ledger, once.map_or(Ledger::empty(member()), |posting| posting.ledger));
        }

        #[test]
        fn whenever_the_order_is_looked_at_the_same_is_undone(
            totals in prop::collection::vec((1_u32..9, 0_i64..50_000), 1..4),
            points in 1_i64..300,
            steps in prop::collection::vec((0_u8..5, 0_usize..4, 1_u32..4, 0_u16..9), 0..30),
        ) {
            let mut order = order(&totals.iter().map(|(_, total)| *total).collect::<Vec<_>>(), Some(at(1)));
            for (line, (quantity, total)) in order.lines.iter_mut().zip(&totals) {
                (line.quantity, line.points) = (*quantity, money(total / 3));
            }
            let amount = money(totals.iter().map(|(_, total)| total / 3).sum());
            order.points = Some(OrderPoints { points, amount });
            let ledger = with_hold(&order, 300, points);
            let (posted, sums) = (Posted::nothing(&order), ledger.balances.clone());
            let mut kept = Kept { ledger, posted, sums };
            let (mut arrived, mut day) = (None, 1);
            for (step, line, units, days) in steps {
                day += days;
                match step {
                    0 => kept.handle(&order, arrived.as_ref(), at(day)),
                    1 => kept.mature(at(day)),
                    2 => arrived = Some(dispatch(&order, &[Some(at(day))])),
                    3 => if let Some(line) = order.lines.get_mut(line) {
                        line.cancelled = line.quantity.min(line.cancelled + units);
                    },
                    _ => {
                        kept.handle(&order, arrived.as_ref(), at(day));
                        let once = kept.ledger.clone();
                        kept.handle(&order, arrived.as_ref(), at(day));
                        prop_assert_eq!(&once, &kept.ledger, "a message that comes again");
                    }
                }
                prop_assert_eq!(kept.ledger.check(), Ok(()));
                prop_assert_eq!(&kept.sums, &kept.ledger.balances);
            }
            kept.handle(&order, arrived.as_ref(), at(day));
            let lines = of_lines(&order, &policy().points);
            let balance = |account| kept.ledger.balance(account);
            let earned = 300 + lines.iter().sum::<i64>() - undo::taken(&order, &lines);
            prop_assert_eq!(-balance(Account::Issued), earned);
            prop_assert_eq!(balance(Account::Spent), points - undo::returned(&order));
            let own = balance(Account::Pending) + balance(Account::Available) + balance(Account::Debt);
            prop_assert_eq!(own + balance(Account::Expired) + balance(Account::Spent), earned);
        }
    }
}
