//! Ledgers by example, and against an oracle that keeps every single point.

mod oracle;

use proptest::prelude::*;

use super::*;
use crate::model::{
    money::Currency,
    points::audit::{Difference, Rebuilt},
};

const AUTHORITY: Authority<'static> = Authority { rule: "base", policy: "1" };

const NO_GRACE: Period = Period::of_seconds(0);

fn member() -> CustomerId {
    CustomerId::member("a").unwrap()
}

fn order(n: u32) -> OrderId {
    OrderId::derive(&[&n.to_string()])
}

fn holder(n: u32) -> Holder {
    Holder::Order(order(n))
}

fn at(day: u16) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
}

fn lot(end: u16, age: u16, points: i64) -> Lot {
    Lot::new(points, at(age), at(end))
}

fn movement(kind: &str, n: u32) -> Movement<'static> {
    let id = EntryId::derive(&[kind, &n.to_string()]);
    Movement { id, at: at(0), cause: Cause::OrderPoints(order(n)), authority: AUTHORITY }
}

/// What an entry took from lots and added to them: end, age, points.
fn parts(entry: &Entry) -> Vec<(Timestamp, Timestamp, i64)> {
    entry.lots.iter().map(|it| (it.expires_at, it.granted_at, it.points)).collect()
}

fn moved(entry: &Entry) -> Vec<(Account, i64)> {
    entry.postings.iter().map(|it| (it.account, it.points)).collect()
}

/// A ledger with lots of so many points that end on these days, granted on day 0.
fn with_lots(lots: &[(u16, i64)]) -> Ledger {
    let mut ledger = Ledger::empty(member());
    let lots = lots.iter().map(|(end, points)| lot(*end, 0, *points)).collect();
    ledger.credit(movement("given", 0), Account::Issued, lots).unwrap();
    ledger
}

/// An order's earning that matured on day 0, in a lot with this end.
fn matured(ledger: &mut Ledger, n: u32, points: i64, end: u16) -> Claim {
    let mut claim = ledger.earn(&order(n), &[points], None, at(0), AUTHORITY).unwrap().claim;
    claim.matures_at = Some(at(0));
    ledger
        .mature(&mut claim, at(0), AUTHORITY, |points, age| Lot::new(points, age, at(end)))
        .unwrap();
    claim
}

fn expire(ledger: &mut Ledger, day: u16) -> Option<Entry> {
    ledger.expire_one(at(day), NO_GRACE, AUTHORITY).unwrap()
}

#[test]
fn points_are_pending_then_available_then_gone() {
    let mut ledger = Ledger::empty(member());
    let Earning { entry, mut claim } =
        ledger.earn(&order(1), &[60, 40], None, at(0), AUTHORITY).unwrap();
    assert_eq!((entry.id, entry.lines), (Ledger::earning(&member(), &order(1)), vec![60, 40]));
    assert_eq!(ledger.balance(Account::Pending), 100);
    let until = |points, age| Lot::new(points, age, at(40));
    assert_eq!(ledger.mature(&mut claim, at(99), AUTHORITY, until), Ok(None), "not delivered");
    claim.matures_at = Some(at(10));
    assert_eq!(ledger.mature(&mut claim, at(9), AUTHORITY, until), Ok(None));
    let entry = ledger.mature(&mut claim, at(12), AUTHORITY, until).unwrap().unwrap();
    assert_eq!((entry.at, parts(&entry)), (at(10), vec![(at(40), at(10), 100)]));
    assert_eq!((claim.points, claim.granted_at, claim.is_open()), (0, Some(at(10)), false));
    assert_eq!(ledger.mature(&mut claim, at(12), AUTHORITY, until), Ok(None), "once");
    assert_eq!((ledger.balance(Account::Pending), ledger.spendable()), (0, 100));
    let grace = Period::of_days(3);
    for (day, grace) in [(39, NO_GRACE), (42, grace)] {
        assert_eq!(ledger.expire_one(at(day), grace, AUTHORITY), Ok(None));
    }
    let entry = ledger.expire_one(at(43), grace, AUTHORITY).unwrap().unwrap();
    assert_eq!((entry.at, &entry.cause), (at(43), &Cause::LotExpired(at(40))));
    assert_eq!((ledger.spendable(), ledger.balance(Account::Expired)), (0, 100));
    assert_eq!(expire(&mut ledger, 99), None);
}

#[test]
fn what_earns_nothing_may_count_towards_a_tier() {
    let mut ledger = Ledger::empty(member());
    let spend = Some(Money::new(500, Currency::parse("EUR").unwrap()).unwrap());
    let Earning { entry, mut claim } =
        ledger.earn(&order(1), &[0], spend, at(0), AUTHORITY).unwrap();
    assert_eq!((entry.postings, claim.spend), (Vec::new(), spend));
    claim.matures_at = Some(at(1));
    let lot = |points, age| Lot::new(points, age, at(9));
    assert_eq!(ledger.mature(&mut claim, at(1), AUTHORITY, lot), Ok(None));
    assert_eq!((claim.granted_at, claim.is_open()), (Some(at(1)), false));
    assert_eq!(ledger, Ledger::empty(member()));
}

#[test]
fn a_refused_movement_changes_nothing() {
    let mut ledger = Ledger::empty(member());
    for lines in [&[0][..], &[], &[5, -1], &[MAX_POINTS + 1], &[i64::MAX, 1]] {
        assert!(ledger.earn(&order(1), lines, None, at(0), AUTHORITY).is_err(), "{lines:?}");
    }
    let mut claim =
        Claim { order: order(1), points: 0, spend: None, matures_at: None, granted_at: None };
    for points in [0, -1, 1] {
        assert!(ledger.hold(holder(1), points, None).is_err());
        assert!(ledger.debit(movement("d", 1), points, Account::Spent).is_err());
        let taken = ledger.take_back(&mut claim, points - 1, 0, at(0), AUTHORITY);
        assert_eq!(taken, Err(LedgerError::Unbalanced));
    }
    for lots in [vec![], vec![lot(1, 0, 0)], vec![lot(1, 0, 5), lot(2, 0, -1)]] {
        assert!(ledger.credit(movement("c", 1), Account::Issued, lots).is_err());
    }
    let nothing = ledger.capture(movement("c", 1), &holder(1), 1, Account::Spent);
    assert_eq!((nothing, &ledger), (Ok(None), &Ledger::empty(member())));
    let full = vec![lot(9, 0, MAX_POINTS)];
    ledger.credit(movement("c", 1), Account::Issued, full.clone()).unwrap();
    let before = ledger.clone();
    let more = ledger.credit(movement("c", 2), Account::Issued, full);
    assert_eq!((more, ledger), (Err(LedgerError::TooMany), before));
}

#[test]
fn postings_that_do_not_sum_to_zero_are_refused() {
    let mut balances = BTreeMap::new();
    let posting = |points| Posting { account: Account::Pending, points };
    for odd in [&[posting(1)][..], &[posting(2), posting(-1)], &[posting(0)]] {
        assert_eq!(apply(&mut balances, odd), Err(LedgerError::Unbalanced));
    }
    assert_eq!((apply(&mut balances, &[]), balances.len()), (Ok(()), 0));
}

#[test]
fn held_points_are_spent_from_the_lots_that_end_first() {
    let mut ledger = with_lots(&[(60, 50), (30, 100)]);
    ledger.hold(holder(1), 120, None).unwrap();
    for (who, points) in [(1, 1), (2, 31)] {
        assert_eq!(ledger.hold(holder(who), points, None), Err(LedgerError::TooFew), "{who}");
    }
    assert_eq!((ledger.held(), ledger.spendable()), (120, 30));
    assert_eq!(ledger.debit(movement("d", 1), 31, Account::Spent), Err(LedgerError::TooFew));
    let more = ledger.capture(movement("c", 1), &holder(1), 121, Account::Spent);
    assert_eq!(more, Err(LedgerError::TooFew));
    // A part is captured, and the rest of the hold is given up.
    let entry = ledger.capture(movement("c", 1), &holder(1), 110, Account::Spent).unwrap().unwrap();
    assert_eq!(parts(&entry), [(at(30), at(0), -100), (at(60), at(0), -10)]);
    assert_eq!((ledger.held(), ledger.spendable()), (0, 40));
    assert_eq!(ledger.capture(movement("c", 1), &holder(1), 1, Account::Spent), Ok(None), "once");
    let entry = ledger.debit(movement("d", 1), 40, Account::Gifted).unwrap();
    assert_eq!(moved(&entry), [(Account::Available, -40), (Account::Gifted, 40)]);
    assert_eq!((ledger.lots.len(), ledger.check()), (0, Ok(())));
}

#[test]
fn lots_of_one_end_are_spent_by_their_age() {
    let mut ledger = Ledger::empty(member());
    let lots = vec![lot(30, 2, 5), lot(20, 9, 5), lot(30, 1, 5)];
    ledger.credit(movement("given", 0), Account::Issued, lots).unwrap();
    let entry = ledger.debit(movement("d", 1), 12, Account::Spent).unwrap();
    let expected = [(at(20), at(9), -5), (at(30), at(1), -5), (at(30), at(2), -2)];
    assert_eq!(parts(&entry), expected);
}

#[test]
fn what_was_taken_of_a_lot_that_rolls_comes_back_as_it_was() {
    for rolling in [false, true] {
        let mut ledger = Ledger::empty(member());
        let lots = vec![Lot { rolling, ..lot(30, 1, 10) }];
        ledger.credit(movement("given", 0), Account::Issued, lots.clone()).unwrap();
        // The lot is gone, or a part of it is there still.
        for (n, points) in [(1, 10), (2, 4)] {
            let spent = ledger.debit(movement("spent", n), points, Account::Spent).unwrap();
            let back = spent.lots.iter().map(|part| part.lot(-part.points)).collect();
            ledger.credit(movement("back", n), Account::Spent, back).unwrap();
            assert_eq!(ledger.lots, lots);
        }
        // With points of the other kind, all of it is of the kinder one.
        let other = vec![Lot { rolling: !rolling, ..lot(30, 1, 5) }];
        ledger.credit(movement("other", 0), Account::Issued, other).unwrap();
        assert_eq!(ledger.lots, [Lot { rolling: true, ..lot(30, 1, 15) }]);
    }
}

#[test]
fn there_are_so_many_holds_at_most_and_some_end_by_themselves() {
    let mut ledger = with_lots(&[(30, 100)]);
    for n in 0..u32::try_from(MAX_HOLDS).unwrap() {
        let until = (n % 2 == 1).then(|| at(u16::try_from(n).unwrap()));
        ledger.hold(holder(n), 1, until).unwrap();
    }
    assert_eq!(
        (ledger.holdable(), ledger.hold(holder(999), 1, None)),
        (0, Err(LedgerError::TooFew))
    );
    assert_eq!((ledger.release(&holder(0)), ledger.release(&holder(0))), (Some(1), None));
    assert_eq!(ledger.time_out(at(0)), []);
    assert_eq!(ledger.time_out(at(1)), [holder(1)]);
    assert_eq!(ledger.time_out(at(1)), []);
    assert_eq!(ledger.time_out(at(365)).len(), MAX_HOLDS / 2 - 1);
    assert_eq!(ledger.holds.len(), MAX_HOLDS / 2 - 1);
    assert_eq!(ledger.hold(holder(999), 1, None), Ok(()));
}

#[test]
fn a_holder_is_known_by_its_identity() {
    for holder in [
        holder(1),
        Holder::Redemption(RedemptionId::derive(&["1"])),
        Holder::Gift(GiftId::derive(&["1"])),
        Holder::Till(HoldId::derive(&["1"])),
    ] {
        assert_eq!(Holder::parse(holder.as_str()), Some(holder.clone()));
        let id = Ledger::spending(&member(), &holder);
        assert_ne!(id, Ledger::earning(&member(), &order(1)));
    }
    assert_eq!(Holder::parse("pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"), None);
}

#[test]
fn held_points_end_when_they_are_released() {
    let mut ledger = with_lots(&[(10, 100), (20, 50), (90, 40)]);
    ledger.hold(holder(1), 120, None).unwrap();
    let first = expire(&mut ledger, 30).unwrap();
    assert_eq!(parts(&first), [(at(20), at(0), -30)], "120 of 150 are covered");
    assert_eq!(expire(&mut ledger, 30), None);
    ledger.release(&holder(1));
    let second = expire(&mut ledger, 30).unwrap();
    let third = expire(&mut ledger, 30).unwrap();
    assert_eq!(parts(&second), [(at(10), at(0), -100)]);
    assert_eq!(parts(&third), [(at(20), at(0), -20)]);
    assert_ne!(third.id, first.id, "two movements of one lot");
    assert_eq!((expire(&mut ledger, 30), ledger.spendable()), (None, 40));
}

#[test]
fn what_was_earned_is_taken_back_from_where_it_is() {
    let mut ledger = with_lots(&[(30, 10), (60, 50)]);
    let mut claim = ledger.earn(&order(1), &[100], None, at(0), AUTHORITY).unwrap().claim;
    let pending = ledger.take_back(&mut claim, 70, 70, at(1), AUTHORITY).unwrap();
    assert_eq!(moved(&pending), [(Account::Pending, -70), (Account::Cancelled, 70)]);
    claim.matures_at = Some(at(2));
    ledger
        .mature(&mut claim, at(2), AUTHORITY, |points, age| Lot::new(points, age, at(40)))
        .unwrap();
    // Of the 30 that are left, in the lot of day 40, 15 are spent with the one before.
    ledger.debit(movement("d", 1), 25, Account::Spent).unwrap();
    ledger.hold(holder(2), 55, None).unwrap();
    let all = ledger.take_back(&mut claim, 30, 100, at(3), AUTHORITY).unwrap();
    let expected = [(Account::Available, -10), (Account::Debt, -20), (Account::Cancelled, 30)];
    assert_eq!(
        (moved(&all), parts(&all)),
        (expected.into(), vec![(at(40), at(2), -10)]),
        "the held ones stay"
    );
    assert_ne!(all.id, pending.id);
    let back = vec![lot(30, 0, 15), lot(90, 0, 20)];
    let back = ledger.credit(movement("back", 1), Account::Spent, back).unwrap();
    assert_eq!(parts(&back), [(at(90), at(0), 15)], "the debt is repaid with what ends first");
    assert_eq!((ledger.balance(Account::Debt), ledger.check()), (0, Ok(())));
}

#[test]
fn other_lots_are_left_alone_and_the_rest_is_owed() {
    let mut ledger = Ledger::empty(member());
    let mut gone = matured(&mut ledger, 1, 10, 20);
    ledger.debit(movement("d", 1), 10, Account::Spent).unwrap();
    let mut other = ledger.earn(&order(2), &[50], None, at(1), AUTHORITY).unwrap().claim;
    other.matures_at = Some(at(5));
    ledger
        .mature(&mut other, at(5), AUTHORITY, |points, age| Lot::new(points, age, at(40)))
        .unwrap();
    let entry = ledger.take_back(&mut gone, 10, 10, at(6), AUTHORITY).unwrap();
    assert_eq!(moved(&entry), [(Account::Debt, -10), (Account::Cancelled, 10)]);
    assert_eq!(ledger.spendable(), 50);
}

#[test]
fn a_debt_is_repaid_by_what_comes_next() {
    for (debt, points, left) in [(0, 50, 50), (20, 50, 30), (50, 50, 0), (80, 50, 0)] {
        let mut ledger = Ledger::empty(member());
        if debt > 0 {
            let mut gone = matured(&mut ledger, 1, debt, 20);
            ledger.debit(movement("d", 1), debt, Account::Spent).unwrap();
            ledger.take_back(&mut gone, debt, debt, at(1), AUTHORITY).unwrap();
        }
        matured(&mut ledger, 2, points, 30);
        assert_eq!(ledger.balance(Account::Debt), -(debt - (points - left)));
        let lots: Vec<Lot> =
            Some(lot(30, 0, left)).into_iter().filter(|it| it.points > 0).collect();
        assert_eq!((&ledger.lots, ledger.check()), (&lots, Ok(())));
    }
}

#[test]
fn points_that_mature_into_a_lot_that_has_ended_expire_by_another_entry() {
    let mut ledger = Ledger::empty(member());
    let mut ids = Vec::new();
    for n in [1, 2] {
        matured(&mut ledger, n, 10, 31);
        ids.extend(expire(&mut ledger, 50).map(|entry| entry.id));
    }
    assert_eq!((ids.len(), ids[0] == ids[1]), (2, false));
}

#[test]
fn lots_last_longer_for_a_deed() {
    let mut ledger = with_lots(&[(10, 5), (30, 7), (90, 9)]);
    let later = |lot: &Lot| (lot.expires_at <= at(30)).then(|| at(90));
    let entry = ledger.extend(at(1), AUTHORITY, later).unwrap().unwrap();
    assert_eq!(moved(&entry), [(Account::Available, -12), (Account::Available, 12)]);
    assert_eq!((ledger.lots.len(), ledger.lots[0].points), (1, 21), "one end and age are one lot");
    assert_eq!(ledger.extend(at(1), AUTHORITY, later), Ok(None));
    let earlier = |_: &Lot| Some(at(20));
    assert_eq!(ledger.extend(at(1), AUTHORITY, earlier), Ok(None), "nothing lasts less");
    assert_eq!(ledger.check(), Ok(()));
}

#[test]
fn an_audit_names_what_the_entries_do_not_amount_to() {
    let mut ledger = Ledger::empty(member());
    let mut rebuilt = Rebuilt::default();
    let lots = vec![lot(30, 0, 10), lot(60, 0, 5)];
    let entry = ledger.credit(movement("given", 0), Account::Issued, lots).unwrap();
    rebuilt.add(&entry).unwrap();
    assert_eq!((rebuilt.differences(&ledger), rebuilt.entries), (vec![], 1));
    let mut moved = ledger.clone();
    moved.lots[0].points = 9;
    moved.lots[1].points = 6;
    let of = |end, kept, rebuilt| Difference::Lot {
        expires_at: at(end),
        granted_at: at(0),
        kept,
        rebuilt,
    };
    assert_eq!(rebuilt.differences(&moved), [of(30, 9, 10), of(60, 6, 5)]);
    ledger.balances.insert(Account::Expired, 1);
    let balance = Difference::Balance { account: Account::Expired, kept: 1, rebuilt: 0 };
    assert_eq!(rebuilt.differences(&ledger), [balance, Difference::Unsound]);
    let torn = Entry { lots: Vec::new(), ..entry };
    assert_eq!(rebuilt.add(&torn), Err(LedgerError::Unbalanced));
}

proptest! {
    #[test]
    fn joining_lots_keeps_every_point_and_takes_no_day_from_it(
        ends in prop::collection::vec((1_u16..400, 1_i64..100, any::<bool>()), 1..80),
    ) {
        let mut ledger = Ledger::empty(member());
        let mut rebuilt = Rebuilt::default();
        let mut claims = Vec::new();
        for (n, (end, points, rolling)) in (0..).zip(&ends) {
            let Earning { entry, mut claim } =
                ledger.earn(&order(n), &[*points], None, at(0), AUTHORITY).unwrap();
            rebuilt.add(&entry).unwrap();
            claim.matures_at = Some(at(u16::try_from(n).unwrap()));
            let lot = |points, age| Lot { rolling: *rolling, ..Lot::new(points, age, at(*end)) };
            let entry = ledger.mature(&mut claim, at(400), AUTHORITY, lot).unwrap().unwrap();
            rebuilt.add(&entry).unwrap();
            claims.push(claim);
            prop_assert_eq!(ledger.check(), Ok(()));
            prop_assert_eq!(rebuilt.differences(&ledger), []);
        }
        // Of every end: no more points end by then than would have.
        for (end, ..) in &ends {
            let meant: i64 = ends.iter().filter(|it| it.0 <= *end).map(|it| it.1).sum();
            let over = ledger.lots.iter().filter(|lot| lot.expires_at <= at(*end));
            prop_assert!(over.map(|lot| lot.points).sum::<i64>() <= meant);
        }
        // And every order's points are found again, whatever they were joined with.
        for (claim, (_, points, _)) in claims.iter_mut().zip(&ends) {
            let entry = ledger.take_back(claim, *points, *points, at(400), AUTHORITY).unwrap();
            rebuilt.add(&entry).unwrap();
            prop_assert_eq!(rebuilt.differences(&ledger), []);
        }
        prop_assert_eq!((ledger.lots.len(), ledger.balance(Account::Debt)), (0, 0));
    }
}
