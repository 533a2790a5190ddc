//! What a stored ledger takes and gives back.

use proptest::prelude::*;

use crate::{
    messages::{Message, PointsEarned},
    model::{
        points::{
            Authority, MAX_COUNTERS, MAX_CURRENCIES, MAX_LINKS, MAX_LOTS, MAX_POINTS, Movement,
        },
        time::Period,
    },
};

use super::*;
use crate::store::{SENDS, key::PK};

/// The most bytes of an item of which a transaction writes four units.
const TWO_KILOBYTES: usize = 2_048;

fn at(day: u16) -> Timestamp {
    let odd = Timestamp::parse("2026-01-01T12:34:56.789Z").unwrap();
    odd.plus(Period::of_days(day))
}

fn text<const MAX: usize>(length: usize, number: usize) -> Text<MAX> {
    Text::new(&format!("{number:0>length$}")).unwrap()
}

/// When lots end: with a day of the calendar, which is a whole minute.
fn midnight(day: u16) -> Timestamp {
    Timestamp::parse("2029-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
}

/// How many bytes a value counts, as DynamoDB's documentation has it: numbers a
/// byte for two digits and one more, lists and maps three, and one for each of
/// their members.
fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.trim_start_matches('-').len().div_ceil(2) + 2,
        AttributeValue::L(list) => 3 + list.iter().map(|it| 1 + bytes(it)).sum::<usize>(),
        AttributeValue::M(map) => {
            3 + map.iter().map(|(name, it)| 1 + name.len() + bytes(it)).sum::<usize>()
        }
        _ => 1,
    }
}

/// The length of the names that identity providers give members: Cognito's
/// subjects are UUIDs. A shop whose names are longer (up to
/// [`crate::model::customer::MAX_SUBJECT`]) pays for some movements of members
/// with linked accounts one unit more; nothing is refused for it.
const SUBJECT: usize = 36;

/// The longest name of a rule or a level that a policy may have.
const NAME: usize = 16;

/// A ledger that has as many of everything as it may have, with so many points
/// in each lot. The members of [`SUBJECT`] are its own and those of its links.
fn full(points: i64) -> Ledger {
    let mut ledger = Ledger::empty(CustomerId::member(&"a".repeat(SUBJECT)).unwrap());
    ledger.lots = (0..u16::try_from(MAX_LOTS).unwrap())
        .map(|n| Lot { rolling: true, joined: true, ..Lot::new(points, at(n), midnight(n)) })
        .collect();
    let available = ledger.lots.iter().map(|lot| lot.points).sum::<i64>();
    ledger.balances = Account::ALL.iter().map(|account| (*account, available)).collect();
    ledger.holds = (0..MAX_HOLDS)
        .map(|n| {
            let until = (n % 2 == 0).then(|| at(3));
            (Holder::Till(HoldId::derive(&[&n.to_string()])), Held { points: 1_000, until })
        })
        .collect();
    let spend = ["EUR", "USD", "CNY"];
    let spend: [_; MAX_CURRENCIES] = spend.map(|it| (Currency::parse(it).unwrap(), 100_000_000));
    let qualifying = Qualifying {
        points: available,
        spend: spend.into_iter().collect(),
        orders: 10_000,
        activity: 10_000,
        feedback: 10_000,
    };
    ledger.standing = Standing {
        tier: Some(text(NAME, 1)),
        earned: Some(text(NAME, 2)),
        since: Some(at(1)),
        granted: Some((text(NAME, 3), at(2))),
        joined_at: Some(at(3)),
        period_from: Some(at(4)),
        period_until: Some(at(5)),
        qualifying: qualifying.clone(),
        next: qualifying.clone(),
        warned: Some(60),
        rescue_until: Some(at(6)),
        lifetime: qualifying,
        active_at: Some(at(7)),
        told: [7, 14, 30, 60].map(|days| (days, at(days))).into_iter().collect(),
    };
    let counter = Counter { from: Date::parse("2026-12-31").unwrap(), times: 99, points: 99_999 };
    ledger.counters = (0..MAX_COUNTERS).map(|n| (text(NAME, n), counter.clone())).collect();
    let other = |n: usize| CustomerId::member(&format!("{n:a>SUBJECT$}")).unwrap();
    ledger.link.from = (0..MAX_LINKS).map(other).collect();
    ledger.version = 1_000_000;
    ledger
}

fn item(ledger: &Ledger, sends: &Sends) -> Item {
    let write = save(ledger, Some(at(1)), sends);
    write.item().unwrap().clone()
}

#[test]
fn an_entry_reads_as_it_is_written_and_marks_only_lots_that_roll() {
    let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
    let movement = Movement {
        id: EntryId::derive(&["1"]),
        at: at(1),
        cause: Cause::Milestone(text(5, 1)),
        authority: Authority { rule: "r", policy: "1" },
    };
    let lots = [false, true]
        .map(|rolling| Lot { rolling, ..Lot::new(7, at(1), at(if rolling { 9 } else { 8 })) });
    let entry = ledger.credit(movement, Account::Issued, lots.to_vec()).unwrap();
    let write = post(&entry);
    let item = write.item().unwrap();
    assert_eq!(entry_from_item(item).unwrap(), entry);
    let list = |value: &AttributeValue| match value {
        AttributeValue::L(list) => list.clone(),
        other => panic!("{other:?}"),
    };
    let lots = list(&item["lt"]);
    let parts = lots.iter().map(|part| list(part).len());
    assert_eq!(parts.collect::<Vec<_>>(), [3, 4]);
}

/// Of the messages, the one that each earning sends while a contest runs: others
/// come seldom, and then the item takes a unit or two more.
#[test]
fn a_ledger_with_all_that_it_may_have_is_written_with_four_units() {
    let ledger = full(100_000_000);
    let earned = Message::PointsEarned(PointsEarned { customer: ledger.customer.clone() });
    let item = item(&ledger, &Sends::one(earned, at(1), None));
    assert!(item.contains_key(PK) && item.contains_key(SENDS));
    let sizes = item.iter().map(|(name, value)| (name.len() + bytes(value), name));
    let (all, sizes) = (sizes.clone().map(|(size, _)| size).sum::<usize>(), sizes);
    assert!(all <= TWO_KILOBYTES, "{all}: {:?}", sizes.collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn a_ledger_reads_as_it_is_written(
        lots in prop::collection::vec((any::<u32>(), any::<u32>(), 1..MAX_POINTS, 0_u8..4), 0..5),
        balances in prop::collection::btree_map(0..Account::ALL.len(), -MAX_POINTS..MAX_POINTS, 0..9),
        holds in prop::collection::vec((1_i64..1_000, any::<Option<u8>>()), 0..MAX_HOLDS),
        counters in prop::collection::vec(("[a-z .=,:茶]{1,9}x", 0_u16..9_000, any::<u32>(), any::<i64>()), 0..5),
    ) {
        let mut ledger = full(1);
        let moment = |seconds: u32| at(0).plus(Period::of_seconds(seconds));
        ledger.lots = lots.into_iter().map(|(end, age, points, marks)| Lot {
            rolling: marks & 1 == 1,
            joined: marks & 2 == 2,
            ..Lot::new(points, moment(age), moment(end))
        }).collect();
        let account = |n: usize| Account::ALL[n];
        ledger.balances = balances.into_iter().map(|(n, points)| (account(n), points)).collect();
        ledger.holds = holds.into_iter().enumerate().map(|(n, (points, until))| {
            let holder = Holder::Gift(GiftId::derive(&[&n.to_string()]));
            (holder, Held { points, until: until.map(|day| at(day.into())) })
        }).collect();
        let day = |n: u16| Date::parse("2026-01-01").unwrap().plus_days(u32::from(n));
        ledger.counters = counters.into_iter().map(|(name, from, times, points)| {
            (Text::new(&name).unwrap(), Counter { from: day(from), times, points })
        }).collect();
        let read = ledger_from_item(&item(&ledger, &Sends::none())).unwrap();
        prop_assert_eq!(read, Ledger { version: ledger.version + 1, ..ledger });
    }
}
