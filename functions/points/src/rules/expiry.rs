//! When points end: how long lots last, what lets them last longer, and when
//! the member is told.

use std::collections::BTreeMap;

use aftercart::model::{
    points::{Authority, Entry, Ledger, LedgerError, Lot, LotPart},
    policy::Policy,
    programme::{PointsPolicy, expiry::Life},
    time::{Period, TimeOfDay, Timestamp, Zone},
};

use super::news::News;

/// How often a lot is looked at that is over, but held: an order or a till that
/// gives up what it holds tells nobody.
const HELD_AGAIN: Period = Period::of_seconds(3_600);

/// The name that entries of lots that last longer give this rule.
pub const EXTEND_RULE: &str = "activity";

/// A lot of points that may be spent since `granted_at`, which last so long by
/// the policy's calendar.
///
/// Points that were noticed so late that their life is over have their whole
/// life from now: nobody's points end before they could be spent.
#[must_use]
pub fn lot(
    points: i64,
    granted_at: Timestamp,
    now: Timestamp,
    life: Life,
    policy: &PointsPolicy,
) -> Lot {
    let ends = life.end(granted_at, &policy.zone);
    let expires_at = if ends > now { ends } else { life.end(now, &policy.zone) };
    Lot { rolling: life.rolls(), ..Lot::new(points, granted_at, expires_at) }
}

/// How long points may be spent after their end.
#[must_use]
pub fn grace(policy: &PointsPolicy) -> Period {
    policy.expiry.grace.unwrap_or(Period::of_seconds(0))
}

/// What comes back of points that were spent: with the end that they had, so
/// that nothing lasts longer by going to and fro. Points whose end has passed
/// meanwhile last a while, so that they can be spent at all.
#[must_use]
pub fn returned(part: &LotPart, now: Timestamp, policy: &PointsPolicy) -> Lot {
    let lot = part.lot(part.points.saturating_neg());
    if lot.expires_at > now {
        return lot;
    }
    let life = Life::EndOfMonthAfter(policy.expiry.returned_months);
    Lot { expires_at: life.end(now, &policy.zone), ..lot }
}

/// Lets lots last as long as the policy says for what the member did last.
/// Nothing lasts longer than it does: none.
///
/// It follows from the ledger alone, so a deed only has to be noted in it
/// (`active_at`), and this may come any time after: a lot that had not ended
/// then has not ended for it. It may be asked any number of times.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn extend(ledger: &mut Ledger, policy: &Policy) -> Result<Option<Entry>, LedgerError> {
    let Some(active_at) = ledger.standing.active_at else { return Ok(None) };
    let authority = Authority { rule: EXTEND_RULE, policy: policy.version.as_str() };
    ledger.extend(active_at, authority, |lot| longer(lot, active_at, &policy.points))
}

/// Lets lots last longer for what was done before, if one of them would have
/// ended by `at` without: afterwards only what is done at `at` is known.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn extend_before(
    ledger: &mut Ledger,
    at: Timestamp,
    policy: &Policy,
) -> Result<Option<Entry>, LedgerError> {
    let Some(active_at) = ledger.standing.active_at else { return Ok(None) };
    let points = &policy.points;
    let saved = |lot: &Lot| {
        let over = points.expiry.gone_at(lot.expires_at) <= at;
        over && longer(lot, active_at, points).is_some_and(|end| end > lot.expires_at)
    };
    if ledger.lots.iter().any(saved) { extend(ledger, policy) } else { Ok(None) }
}

/// When a lot ends for what was done at this moment, if that changes its end.
fn longer(lot: &Lot, active_at: Timestamp, policy: &PointsPolicy) -> Option<Timestamp> {
    let (expiry, zone) = (&policy.expiry, &policy.zone);
    if expiry.gone_at(lot.expires_at) <= active_at {
        return None;
    }
    let lives = [expiry.purchases, expiry.of_grants()];
    let rolled = lives.into_iter().find(|life| lot.rolling && life.rolls());
    let rolled = rolled.map(|life| life.end(active_at, zone));
    // What was granted for the deed itself is not extended by it.
    let rule = expiry.extension.filter(|_| lot.granted_at < active_at);
    let near = |days| lot.expires_at <= Life::Days(days).end(active_at, zone);
    let extended = rule.filter(|rule| near(rule.ending_within_days)).map(|rule| {
        let most = Life::EndOfMonthAfter(rule.most_months).end(lot.granted_at, zone);
        Life::EndOfMonthAfter(rule.months).end(active_at, zone).min(most)
    });
    rolled.max(extended)
}

/// Nine in the morning, so many days before the day that ends with a moment:
/// when members are told of it.
#[must_use]
pub(super) fn morning_before(end: Timestamp, days: u16, zone: &Zone) -> Timestamp {
    let day = end.date_in(zone).minus_days(u32::from(days));
    day.at(TimeOfDay::MORNING, zone).unwrap_or(Timestamp::LAST)
}

/// When the member is to be told of the end of a lot, so many days before;
/// never if it was not there then, or that was told.
fn notice_at(lot: &Lot, days: u16, ledger: &Ledger, policy: &PointsPolicy) -> Option<Timestamp> {
    let told = ledger.standing.told.get(&days);
    let at = morning_before(lot.expires_at, days, &policy.zone);
    let open = told.is_none_or(|told| lot.expires_at > *told);
    (open && at > lot.granted_at).then_some(at)
}

/// Notes in the ledger what the member is told of points that end soon, and
/// tells it, each end by itself: each lot once for each notice of the policy,
/// but only with the last of those that are due at once. Points that are held
/// are not told of.
pub fn notices(ledger: &mut Ledger, now: Timestamp, policy: &Policy) -> Vec<News> {
    let policy = &policy.points;
    let mut told = ledger.standing.told.clone();
    told.retain(|days, _| policy.expiry.notices.contains(days));
    let mut soon: BTreeMap<(u16, Timestamp), i64> = BTreeMap::new();
    let mut held = ledger.held();
    for lot in &ledger.lots {
        let kept = lot.points.min(held);
        held = held.saturating_sub(kept);
        let due = |days: &&u16| notice_at(lot, **days, ledger, policy).is_some_and(|at| at <= now);
        let due = || policy.expiry.notices.iter().filter(due).copied();
        for days in due() {
            told.insert(days, lot.expires_at);
        }
        let points = lot.points.saturating_sub(kept);
        let days = due().min().filter(|_| points > 0 && lot.expires_at > now);
        if let Some(days) = days {
            let sum = soon.entry((days, lot.expires_at)).or_default();
            *sum = sum.saturating_add(points);
        }
    }
    ledger.standing.told = told;
    let news = |((days, ends_at), points)| News::Expiring { points, ends_at, days };
    soon.into_iter().map(news).collect()
}

/// When lots are to be looked at, as things stand at `now`: one ends, or a
/// notice of it is due, or lots last longer for what was done. One that is over
/// but held is looked at again later.
#[must_use]
pub fn due(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let policy = &policy.points;
    let mut held = ledger.held();
    let ends = ledger.lots.iter().map(|lot| {
        let (gone_at, stays) = (policy.expiry.gone_at(lot.expires_at), lot.points <= held);
        held = held.saturating_sub(lot.points).max(0);
        if stays && gone_at <= now { now.plus(HELD_AGAIN) } else { gone_at }
    });
    let ends = ends.min();
    let extended = ledger.standing.active_at.filter(|active_at| {
        let later = |lot: &Lot| longer(lot, *active_at, policy) > Some(lot.expires_at);
        ledger.lots.iter().any(later)
    });
    let notices = ledger.lots.iter().flat_map(|lot| {
        policy.expiry.notices.iter().filter_map(|days| notice_at(lot, *days, ledger, policy))
    });
    notices.chain(ends).chain(extended).min()
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        points::{Account, Cause, Movement},
        programme::expiry::Extension,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fixtures::granted;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day(day: u16) -> Timestamp {
        at("2026-01-01T12:00:00Z").plus(Period::of_days(day))
    }

    fn policy(change: impl FnOnce(&mut PointsPolicy)) -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.expiry.purchases = Life::Days(10);
        change(&mut policy.points);
        policy
    }

    fn extending(policy: &mut PointsPolicy) {
        let rule = Extension { ending_within_days: 30, months: 1, most_months: 3 };
        policy.expiry.extension = Some(rule);
    }

    fn with_lots(lots: &[(i64, u16, &str)]) -> Ledger {
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        for (points, from, end) in lots {
            granted(&mut ledger, Lot::new(*points, day(*from), at(end)));
        }
        ledger
    }

    fn ends(ledger: &Ledger) -> Vec<String> {
        ledger.lots.iter().map(|lot| lot.expires_at.to_string()[..10].to_owned()).collect()
    }

    #[test]
    fn points_that_were_noticed_late_have_their_whole_life() {
        let policy = policy(|_| {});
        let life = policy.points.expiry.purchases;
        let lot = |now| lot(5, day(0), now, life, &policy.points).expires_at;
        assert_eq!(lot(day(3)), at("2026-01-12T00:00:00Z"));
        assert_eq!(lot(day(11)), at("2026-01-23T00:00:00Z"));
    }

    #[test]
    fn what_comes_back_keeps_its_end_and_kind_or_lasts_a_while_if_that_has_passed() {
        let policy = policy(|it| it.expiry.returned_months = 1);
        for (end, now, expected) in [
            ("2026-09-01T00:00:00Z", day(0), "2026-09-01T00:00:00Z"),
            ("2026-01-05T00:00:00Z", day(3), "2026-01-05T00:00:00Z"),
            ("2026-01-05T12:00:00Z", day(4), "2026-03-01T00:00:00Z"),
            ("2026-01-05T00:00:00Z", day(40), "2026-04-01T00:00:00Z"),
        ] {
            for rolling in [false, true] {
                let part = Lot { rolling, ..Lot::new(7, day(0), at(end)) }.part(-7);
                let lot = returned(&part, now, &policy.points);
                let expected = Lot { rolling, ..Lot::new(7, day(0), at(expected)) };
                assert_eq!(lot, expected, "{end} {now}");
            }
        }
    }

    #[test]
    fn taking_a_reward_and_calling_it_off_lets_nothing_last_longer() {
        let policy = policy(|it| it.expiry.returned_months = 12);
        let mut ledger = with_lots(&[(10, 0, "2026-01-20T00:00:00Z")]);
        let before = ledger.lots.clone();
        for n in 1..5_u16 {
            let movement = |what| Movement {
                id: ledger.entry_id(what, &n.to_string(), ""),
                at: day(n),
                cause: Cause::Extended(day(n)),
                authority: Authority { rule: "test", policy: "1" },
            };
            let (spending, back) = (movement("spent"), movement("back"));
            let spent = ledger.debit(spending, 6, Account::Spent).unwrap();
            let part = |part| returned(part, day(n), &policy.points);
            let lots = spent.lots.iter().map(part).collect();
            ledger.credit(back, Account::Spent, lots).unwrap();
            assert_eq!(ledger.lots, before);
        }
    }

    #[test]
    fn activity_extends_what_ends_soon_but_not_for_ever() {
        let policy = policy(extending);
        let lots = [
            (1, 0, "2026-01-20T00:00:00Z"),
            (2, 0, "2026-02-20T00:00:00Z"),
            (4, 0, "2026-09-01T00:00:00Z"),
        ];
        for (active, expected) in [
            // Before the first is near, it has its own end.
            (0, ["2026-01-20", "2026-02-20", "2026-09-01"]),
            (5, ["2026-02-20", "2026-03-01", "2026-09-01"]),
            // The first has ended, the second is near now.
            (25, ["2026-01-20", "2026-03-01", "2026-09-01"]),
        ] {
            let mut ledger = with_lots(&lots);
            ledger.standing.active_at = Some(day(active));
            let entry = extend(&mut ledger, &policy).unwrap();
            assert_eq!(ends(&ledger), expected, "day {active}");
            assert_eq!(ledger.balance(Account::Available), 7);
            assert_eq!(entry.is_some(), active > 0);
            assert_eq!(extend(&mut ledger, &policy), Ok(None), "once is enough");
            assert_eq!(ledger.check(), Ok(()));
        }
        // Three months after it was granted is the last end that it gets.
        let mut old = with_lots(&[(1, 0, "2026-04-20T00:00:00Z")]);
        old.standing.active_at = Some(at("2026-04-19T00:00:00Z"));
        extend(&mut old, &policy).unwrap();
        assert_eq!(ends(&old), ["2026-05-01"]);
        old.standing.active_at = Some(at("2026-04-30T00:00:00Z"));
        assert_eq!(extend(&mut old, &policy), Ok(None));
    }

    #[test]
    fn rolling_points_last_from_the_last_activity() {
        let policy = policy(|it| it.expiry.purchases = Life::MonthsAfterActivity(2));
        let life = policy.points.expiry.purchases;
        let mut ledger = with_lots(&[(1, 0, "2026-05-05T00:00:00Z")]);
        granted(&mut ledger, lot(2, day(0), day(0), life, &policy.points));
        assert_eq!(ends(&ledger), ["2026-04-01", "2026-05-05"]);
        ledger.standing.active_at = Some(day(89));
        assert_eq!(due(&ledger, &policy, day(0)), Some(at("2026-03-02T09:00:00Z")), "a notice");
        extend(&mut ledger, &policy).unwrap();
        assert_eq!(ends(&ledger), ["2026-05-05", "2026-06-01"], "the other one does not roll");
    }

    #[test]
    fn an_activity_counts_however_late_it_is_seen_to() {
        let policy = policy(extending);
        let mut ledger = with_lots(&[(1, 0, "2026-01-20T00:00:00Z")]);
        ledger.standing.active_at = Some(day(10));
        assert_eq!(due(&ledger, &policy, day(0)), Some(day(10)), "at once");
        // The next deed comes after the end that the lot would have had.
        assert!(extend_before(&mut ledger, day(30), &policy).unwrap().is_some());
        assert_eq!(ends(&ledger), ["2026-03-01"]);
        assert_eq!(extend_before(&mut ledger, day(30), &policy), Ok(None));
        // What had ended before the deed has ended.
        let mut late = with_lots(&[(1, 0, "2026-01-20T00:00:00Z")]);
        late.standing.active_at = Some(at("2026-01-20T00:00:00Z"));
        assert_eq!(extend(&mut late, &policy), Ok(None));
        // Unless there is a grace.
        let mut policy = policy;
        policy.points.expiry.grace = Some(Period::of_days(3));
        assert!(extend(&mut late, &policy).unwrap().is_some());
    }

    #[test]
    fn each_end_is_told_once_for_each_notice_in_the_morning_of_the_zone() {
        let policy = policy(|it| it.zone = Zone::parse("Asia/Shanghai").unwrap());
        let lots = [(10, 0, "2026-03-31T16:00:00Z"), (5, 0, "2026-04-30T16:00:00Z")];
        let mut ledger = with_lots(&lots);
        let (first, second) = (at("2026-03-31T16:00:00Z"), at("2026-04-30T16:00:00Z"));
        let mut told = Vec::new();
        while let Some(at) = due(&ledger, &policy, day(0)).filter(|at| *at < second) {
            if at == first {
                // The end itself: the lot is taken away.
                let by = Authority { rule: "life", policy: "1" };
                ledger.expire_one(at, grace(&policy.points), by).unwrap();
            }
            let before = Timestamp::from_unix_millis(at.unix_millis() - 1).unwrap();
            assert_eq!(notices(&mut ledger.clone(), before, &policy), []);
            for news in notices(&mut ledger, at, &policy) {
                told.push((at.to_string()[..16].to_owned(), news));
            }
        }
        let expiring = |points, ends_at, days| News::Expiring { points, ends_at, days };
        let told: Vec<_> = told.iter().map(|(at, news)| (at.as_str(), news.clone())).collect();
        assert_eq!(
            told,
            [
                ("2026-03-02T01:00", expiring(10, first, 30)),
                ("2026-03-25T01:00", expiring(10, first, 7)),
                ("2026-04-01T01:00", expiring(5, second, 30)),
                ("2026-04-24T01:00", expiring(5, second, 7)),
            ]
        );
    }

    #[test]
    fn a_late_notice_is_one_and_what_is_held_or_ended_is_not_told() {
        use aftercart::model::{id::HoldId, points::Holder};
        let policy = policy(|_| {});
        let end = "2026-03-01T00:00:00Z";
        let late = |now: &str, held: i64| {
            let mut ledger = with_lots(&[(10, 0, end)]);
            if held > 0 {
                ledger.hold(Holder::Till(HoldId::derive(&["1"])), held, None).unwrap();
            }
            let news = notices(&mut ledger, at(now), &policy);
            assert_eq!(notices(&mut ledger, at(now), &policy), []);
            news
        };
        let expiring = |points| [News::Expiring { points, ends_at: at(end), days: 7 }];
        assert_eq!(late("2026-02-25T00:00:00Z", 0), expiring(10));
        assert_eq!(late("2026-02-25T00:00:00Z", 4), expiring(6));
        assert_eq!(late("2026-02-25T00:00:00Z", 10), []);
        assert_eq!(late(end, 0), []);
        // Points that never lasted thirty days are told of once.
        let mut short = with_lots(&[(3, 50, end)]);
        assert_eq!(due(&short, &policy, day(50)), Some(at("2026-02-22T09:00:00Z")));
        assert_eq!(notices(&mut short, day(50), &policy), []);
    }

    #[test]
    fn points_of_several_ends_are_told_each_with_its_own() {
        let policy = policy(|_| {});
        let (first, second) = ("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z");
        let mut ledger = with_lots(&[(10, 0, first), (5, 1, first), (1, 0, second)]);
        let told = notices(&mut ledger, at("2026-02-25T00:00:00Z"), &policy);
        let expiring = |points, end| News::Expiring { points, ends_at: at(end), days: 7 };
        assert_eq!(told, [expiring(15, first), expiring(1, second)]);
    }

    #[test]
    fn what_is_over_but_held_is_looked_at_again_later() {
        use aftercart::model::{id::HoldId, points::Holder};
        let policy = policy(|it| it.expiry.notices.clear());
        let (first, second) = ("2026-01-11T00:00:00Z", "2026-01-12T00:00:00Z");
        let later = |now: &str| Some(at(now).plus(HELD_AGAIN));
        for (held, now, expected) in [
            (0, "2026-01-11T06:00:00Z", Some(at(first))),
            (9, "2026-01-11T06:00:00Z", Some(at(first))),
            (10, "2026-01-10T06:00:00Z", Some(at(first))),
            (10, "2026-01-11T06:00:00Z", later("2026-01-11T06:00:00Z")),
            (10, "2026-01-12T06:00:00Z", Some(at(second))),
            (15, "2026-01-12T06:00:00Z", later("2026-01-12T06:00:00Z")),
        ] {
            let mut ledger = with_lots(&[(10, 0, first), (5, 0, second)]);
            if held > 0 {
                ledger.hold(Holder::Till(HoldId::derive(&["1"])), held, None).unwrap();
            }
            assert_eq!(due(&ledger, &policy, at(now)), expected, "{held} {now}");
        }
    }

    proptest! {
        /// Deeds and sweeps in any order: what a deed let last longer lasts so
        /// long, however late anybody looks.
        #[test]
        fn sweeps_may_be_late(
            deeds in prop::collection::btree_set(2_u16..300, 0..12),
            sweeps in prop::collection::btree_set(2_u16..300, 0..12),
            grace_days in 0_u16..10,
        ) {
            let policy = policy(|it| {
                extending(it);
                it.expiry.grace = (grace_days > 0).then(|| Period::of_days(grace_days));
            });
            let by = Authority { rule: "life", policy: "1" };
            let mut ledger = with_lots(&[(1, 0, "2026-01-20T00:00:00Z"), (2, 1, "2026-03-05T00:00:00Z")]);
            let mut promised: BTreeMap<Timestamp, Timestamp> = BTreeMap::new();
            for now in 2..=400 {
                if sweeps.contains(&now) || now == 400 {
                    extend(&mut ledger, &policy).unwrap();
                    while let Some(entry) = ledger.expire_one(day(now), grace(&policy.points), by).unwrap() {
                        for part in entry.lots {
                            let least = promised.get(&part.granted_at).copied();
                            prop_assert!(least.is_none_or(|least| part.expires_at >= least));
                        }
                    }
                }
                if deeds.contains(&now) {
                    extend_before(&mut ledger, day(now), &policy).unwrap();
                    ledger.standing.active_at = Some(day(now));
                    for lot in &ledger.lots {
                        promised.extend(longer(lot, day(now), &policy.points).map(|end| (lot.granted_at, end)));
                    }
                }
                prop_assert_eq!(ledger.check(), Ok(()));
            }
            prop_assert_eq!(ledger.lots, vec![]);
        }
    }
}
