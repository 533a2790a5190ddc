use aftercart::model::{
    dispatch::Shipment,
    id::LinkId,
    order::OrderPoints,
    points::{Lot, Tier, audit::Rebuilt},
    shipment::Journey,
    stock::LocationId,
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::{
    fixtures::{at, granted, member, money, nobody, order},
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

/// A ledger, and the other items that a posting writes.
#[derive(Clone)]
struct Kept {
    ledger: Ledger,
    posted: Posted,
    rebuilt: Rebuilt,
}

impl Kept {
    /// A ledger with so many points that end on day 400, some held for the order.
    fn with_hold(order: &Order, points: i64, held: i64) -> Self {
        let (mut ledger, mut rebuilt) = (Ledger::empty(member()), Rebuilt::default());
        if points > 0 {
            rebuilt.add(&granted(&mut ledger, Lot::new(points, at(0), at(400)))).unwrap();
        }
        if held > 0 {
            ledger.hold(Holder::Order(order.id.clone()), held, None).unwrap();
        }
        Self { ledger, posted: Posted::nothing(&member(), order), rebuilt }
    }

    fn empty(order: &Order) -> Self {
        Self::with_hold(order, 0, 0)
    }

    fn decided(
        &self,
        order: &Order,
        dispatch: Option<&Dispatch>,
        now: Timestamp,
    ) -> Option<Posting> {
        let Self { ledger, posted, .. } = self;
        let facts = Facts { order, dispatch, ledger, profile: &nobody(), posted, now };
        decide(facts, &policy()).unwrap()
    }

    /// Handles a message about the order, and says whether anything changed.
    fn handle(&mut self, order: &Order, dispatch: Option<&Dispatch>, now: Timestamp) -> bool {
        let Some(posting) = self.decided(order, dispatch, now) else { return false };
        let new = posting.earned.as_ref().filter(|_| self.posted.earned.is_none());
        for entry in new.map(|it| &it.entry).into_iter().chain(&posting.entries) {
            self.rebuilt.add(entry).unwrap();
            if matches!(entry.cause, Cause::OrderPoints(_)) {
                self.posted.spent = Some(entry.clone());
            }
        }
        self.posted.earned = posting.earned;
        self.posted.undone = posting.undone;
        self.ledger = posting.ledger;
        self.check();
        true
    }

    /// The schedule comes by.
    fn settle(&mut self, now: Timestamp) {
        let earnings: Vec<Earning> = self.posted.earned.iter().cloned().collect();
        let settled = settle::decide(&self.ledger, &earnings, &policy(), now, 20).unwrap();
        settled.entries.iter().for_each(|entry| self.rebuilt.add(entry).unwrap());
        for (_, now) in settled.earnings {
            self.posted.earned = Some(now);
        }
        self.ledger = settled.ledger;
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.rebuilt.differences(&self.ledger), []);
        let waits = self.posted.earned.as_ref().map_or(0, |it| it.claim.points);
        assert_eq!(self.ledger.balance(Account::Pending), waits);
    }

    fn matures_at(&self) -> Option<Timestamp> {
        self.posted.earned.as_ref()?.claim.matures_at
    }

    /// What is the member's: pending, available and owed points.
    fn own(&self) -> [i64; 3] {
        [Account::Pending, Account::Available, Account::Debt].map(|it| self.ledger.balance(it))
    }
}

#[test]
fn a_paid_order_earns_once_and_an_unpaid_one_nothing() {
    let unpaid = order(&[5_000], None);
    assert_eq!(Kept::empty(&unpaid).decided(&unpaid, None, at(2)), None);
    let free = order(&[0], Some(at(1)));
    assert_eq!(Kept::empty(&free).decided(&free, None, at(2)), None);
    let small = order(&[99], Some(at(1)));
    let posting = Kept::empty(&small).decided(&small, None, at(2)).unwrap();
    let Earning { entry, claim } = posting.earned.unwrap();
    assert_eq!((entry.moved(), claim.spend), (0, Some(money(99))), "it counts towards a tier");
    let paid = order(&[5_000], Some(at(1)));
    let mut kept = Kept::empty(&paid);
    assert!(kept.handle(&paid, None, at(2)));
    let Earning { entry, claim } = kept.posted.earned.clone().unwrap();
    assert_eq!((entry.at, entry.cause), (at(1), Cause::OrderPaid(paid.id.clone())));
    assert_eq!((entry.policy, claim.matures_at), (policy().version.to_string(), None));
    assert_eq!((claim.points, claim.spend), (50, Some(money(5_000))));
    assert!(!kept.handle(&paid, None, at(2)), "once");
}

#[test]
fn held_points_are_spent_with_the_earning() {
    let mut placed = order(&[5_000], None);
    placed.points = Some(OrderPoints { points: 120, amount: money(1_200), account: None });
    placed.lines[0].points = money(1_200);
    let mut kept = Kept::with_hold(&placed, 150, 120);
    assert!(!kept.handle(&placed, None, at(2)), "not paid");
    let paid = Order { paid_at: Some(at(1)), ..placed };
    assert!(kept.handle(&paid, None, at(2)));
    assert_eq!(kept.posted.spent.as_ref().map(Entry::moved), Some(120));
    assert_eq!((kept.ledger.spendable(), kept.ledger.held()), (30, 0));
    assert_eq!(kept.own(), [38, 30, 0], "what points pay earns none");
    assert!(!kept.handle(&paid, None, at(2)));
}

#[test]
fn the_clock_starts_with_the_last_parcel_and_follows_what_becomes_of_it() {
    let paid = order(&[5_000], Some(at(1)));
    let (first, second) = (Some(at(5)), Some(at(9)));
    let mut kept = Kept::empty(&paid);
    for (delivered, matures_at) in [
        (&[first, None][..], None),
        (&[first, second], Some(at(23))),
        (&[second, first], Some(at(23))),
        // Another one is sent, is delivered later than was told, and goes back.
        (&[first, second, None], None),
        (&[first, second, Some(at(12))], Some(at(26))),
        (&[first, second, Some(at(14))], Some(at(28))),
        (&[first, second, None], None),
    ] {
        let dispatch = dispatch(&paid, delivered);
        kept.handle(&paid, Some(&dispatch), at(2));
        assert_eq!(kept.matures_at(), matures_at, "{delivered:?}");
        assert!(!kept.handle(&paid, Some(&dispatch), at(2)));
    }
    let mut replaced = dispatch(&paid, &[None, first]);
    replaced.shipments[0].cancelled_at = first;
    kept.handle(&paid, Some(&replaced), at(2));
    assert_eq!(kept.matures_at(), Some(at(19)), "it is not waited for");
    // Once the window has ended, no parcel changes it.
    kept.settle(at(19));
    assert_eq!(kept.own(), [0, 50, 0]);
    for delivered in [None, second] {
        assert!(!kept.handle(&paid, Some(&dispatch(&paid, &[delivered])), at(20)));
    }
}

#[test]
fn members_of_some_tiers_have_longer() {
    let mut policy = policy();
    policy.points.tiers.levels = serde_json::from_value(json!([{
        "id": "gold", "title": { "en": "Gold" }, "reach": [{ "points": 1 }],
        "benefits": { "return_days": 16 },
    }]))
    .unwrap();
    let gold = Tier::new("gold").unwrap();
    assert_eq!(return_window_end(at(5), None, &policy), at(19));
    assert_eq!(return_window_end(at(5), Some(&gold), &policy), at(35));
    // An account that flows into another one has the tier of that, which the
    // record knows, not the one that it had when they were linked.
    let paid = order(&[5_000], Some(at(1)));
    let came = dispatch(&paid, &[Some(at(5))]);
    let linked = Some((CustomerId::member("b").unwrap(), LinkId::derive(&["1"])));
    for (into, of_record, expected) in
        [(None, None, 35), (linked.clone(), None, 19), (linked, Some(gold.clone()), 35)]
    {
        let mut ledger = Ledger::empty(member());
        ledger.standing.tier = (into.is_none() || of_record.is_none()).then(|| gold.clone());
        ledger.link.into = into;
        let (profile, posted) =
            (Profile { tier: of_record, ..nobody() }, Posted::nothing(&member(), &paid));
        let facts = Facts {
            order: &paid,
            dispatch: Some(&came),
            ledger: &ledger,
            profile: &profile,
            posted: &posted,
            now: at(6),
        };
        let earned = decide(facts, &policy).unwrap().unwrap().earned.unwrap();
        assert_eq!(earned.claim.matures_at, Some(at(expected)));
    }
}

#[test]
fn what_counts_towards_a_tier_falls_with_what_is_called_off() {
    let mut paid = order(&[3_000, 500], Some(at(1)));
    paid.lines[0].quantity = 3;
    let mut kept = Kept::empty(&paid);
    kept.handle(&paid, None, at(2));
    let spend = |kept: &Kept| kept.posted.earned.as_ref().and_then(|it| it.claim.spend);
    assert_eq!(spend(&kept), Some(money(3_500)));
    paid.lines[0].cancelled = 1;
    kept.handle(&paid, None, at(3));
    assert_eq!(spend(&kept), Some(money(2_500)));
    (paid.lines[0].refunded, paid.lines[1].cancelled) = (2, 1);
    kept.handle(&paid, None, at(4));
    assert_eq!((spend(&kept), kept.own()), (None, [0, 0, 0]));
}

#[test]
fn what_goes_back_after_the_return_window_counts_no_more() {
    let mut paid = order(&[3_000, 500], Some(at(1)));
    paid.lines[0].quantity = 3;
    let mut kept = Kept::empty(&paid);
    kept.handle(&paid, Some(&dispatch(&paid, &[Some(at(5))])), at(5));
    kept.settle(at(19));
    let counted = |kept: &Kept| {
        let done = &kept.ledger.standing.qualifying;
        (done.points, done.spend.values().sum::<i64>(), done.orders)
    };
    assert_eq!(counted(&kept), (35, 3_500, 1));
    paid.lines[0].refunded = 1;
    for _ in 0..2 {
        kept.handle(&paid, None, at(20));
        assert_eq!(counted(&kept), (25, 2_500, 1));
    }
    (paid.lines[0].refunded, paid.lines[1].refunded) = (3, 1);
    kept.handle(&paid, None, at(21));
    assert_eq!(counted(&kept), (0, 0, 0));
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
        let mut kept = Kept::empty(&paid);
        for state in deliveries.iter().chain(&[last]) {
            kept.handle(&paid, states[*state].as_ref(), at(2));
        }
        let mut once = Kept::empty(&paid);
        once.handle(&paid, states[last].as_ref(), at(2));
        prop_assert_eq!((kept.ledger, kept.posted), (once.ledger, once.posted));
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
        order.points = Some(OrderPoints { points, amount, account: None });
        let mut kept = Kept::with_hold(&order, 300, points);
        let (mut arrived, mut day) = (None, 1);
        for (step, line, units, days) in steps {
            day += days;
            match step {
                0 => { kept.handle(&order, arrived.as_ref(), at(day)); },
                1 => kept.settle(at(day)),
                2 => arrived = Some(dispatch(&order, &[Some(at(day))])),
                3 => if let Some(line) = order.lines.get_mut(line) {
                    let units = units.min(line.quantity - line.off());
                    *if days % 2 == 0 { &mut line.refunded } else { &mut line.cancelled } += units;
                },
                _ => {
                    kept.handle(&order, arrived.as_ref(), at(day));
                    let once = kept.ledger.clone();
                    kept.handle(&order, arrived.as_ref(), at(day));
                    prop_assert_eq!(&once, &kept.ledger, "a message that comes again");
                }
            }
        }
        kept.handle(&order, arrived.as_ref(), at(day));
        let lines = kept.posted.earned.as_ref().map_or(Vec::new(), |it| it.entry.lines.clone());
        let balance = |account| kept.ledger.balance(account);
        prop_assert_eq!(-balance(Account::Issued), 300 + lines.iter().sum::<i64>());
        prop_assert_eq!(balance(Account::Cancelled), undo::taken(&order, &lines));
        prop_assert_eq!(balance(Account::Spent), points - undo::returned(&order));
        // Refunded whole, it leaves everything as it was before.
        for line in &mut order.lines {
            line.refunded = line.quantity - line.cancelled;
        }
        kept.handle(&order, arrived.as_ref(), at(day));
        prop_assert_eq!(kept.own(), [0, 300, 0]);
        let ends = kept.ledger.lots.iter().map(|lot| (lot.expires_at, lot.granted_at, lot.points));
        prop_assert_eq!(ends.collect::<Vec<_>>(), [(at(400), at(0), 300)]);
    }
}
