//! What follows for a member from what was done: activity, what counts towards
//! a tier, the tier itself, milestones.

use std::collections::BTreeMap;

use aftercart::model::{
    money::Money,
    points::{
        Account, Authority, Cause, Claim, Entry, Ledger, LedgerError, Movement, Qualifying, Tier,
    },
    policy::Policy,
    programme::{
        PointsPolicy,
        earning::{Counts, Milestone, Reach},
    },
    time::Timestamp,
};

use super::{expiry, news::News, tiers};

/// The name that entries of milestones give this rule.
pub const MILESTONE_RULE: &str = "milestone";

/// What a member did, or what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Something was bought and paid.
    Bought,
    /// Points of a purchase became available. One of which nothing is left,
    /// neither points nor money that was paid, is no order that counts.
    Matured {
        /// How many.
        points: i64,
        /// What was paid for it in money.
        spend: Option<Money>,
        /// When it was bought.
        bought_at: Timestamp,
    },
    /// Something was done that earns.
    Action {
        /// How many points.
        points: i64,
        /// Towards what it counts.
        counts: Counts,
    },
    /// Points were spent.
    Spent,
    /// Points were given that the member did nothing for.
    Granted,
}

/// What followed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    /// The movements, in their order.
    pub entries: Vec<Entry>,
    /// What the member is told.
    pub news: Vec<News>,
}

impl Deed {
    /// Whether it is an activity of the member, for which points last longer.
    /// That goods were kept is none: buying them was.
    const fn is_activity(self) -> bool {
        matches!(self, Self::Bought | Self::Action { .. } | Self::Spent)
    }

    /// What it counts towards tiers and milestones.
    fn counts(self) -> Qualifying {
        let nothing = Qualifying::default();
        match self {
            Self::Matured { points, spend, .. } => {
                let spend = spend.map(|it| (it.currency(), it.minor()));
                let spend: BTreeMap<_, _> = spend.into_iter().collect();
                let orders = u32::from(points > 0 || !spend.is_empty());
                Qualifying { points, spend, orders, ..nothing }
            }
            Self::Action { points, counts: Counts::Activity } => {
                Qualifying { points, activity: 1, ..nothing }
            }
            Self::Action { points, counts: Counts::Feedback } => {
                Qualifying { points, feedback: 1, ..nothing }
            }
            Self::Action { counts: Counts::Nothing, .. }
            | Self::Bought
            | Self::Spent
            | Self::Granted => nothing,
        }
    }
}

/// Changes a ledger as a deed at this moment asks, after its own movement.
/// Deeds of one ledger are best given in the order of their moments: what was
/// done in a period that has ended counts in the one that runs. An account that
/// flows into another one has no tier of its own to raise: what counts flows on.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn after(
    ledger: &mut Ledger,
    deed: &Deed,
    at: Timestamp,
    policy: &Policy,
) -> Result<After, LedgerError> {
    let points = &policy.points;
    let mut after = After::default();
    if deed.is_activity() {
        after.entries.extend(expiry::extend_before(ledger, at, policy)?);
        ledger.standing.active_at = ledger.standing.active_at.max(Some(at));
    }
    let before = ledger.standing.tier.clone();
    let mut pending = ledger.balance(Account::Pending);
    if let Deed::Matured { points, .. } = deed {
        pending = pending.saturating_add(*points);
    }
    let linked = ledger.link.into.is_some();
    let standing = &mut ledger.standing;
    standing.joined_at = Some(standing.joined_at.map_or(at, |joined| joined.min(at)));
    if !linked {
        tiers::bring_up(standing, pending, at, points);
    }
    let (counts, reached) = (deed.counts(), standing.lifetime.clone());
    standing.lifetime.add(&counts);
    let (purchase, done_at) = match deed {
        Deed::Matured { bought_at, .. } => (true, *bought_at),
        Deed::Bought | Deed::Action { .. } | Deed::Spent | Deed::Granted => (false, at),
    };
    tiers::count(standing, (counts, purchase), done_at, points);
    if !linked {
        tiers::raise(standing, at, points);
        // What the end of a period waited for may have come with this.
        let pending = ledger.balance(Account::Pending);
        tiers::bring_up(&mut ledger.standing, pending, at, points);
        after.news.extend(changed(before, ledger));
    }
    for milestone in &points.earning.milestones {
        if milestone.reach.is_met(&ledger.standing.lifetime) && !milestone.reach.is_met(&reached) {
            grant(ledger, milestone, at, policy, &mut after)?;
        }
    }
    Ok(after)
}

fn changed(from: Option<Tier>, ledger: &Ledger) -> Option<News> {
    let to = ledger.standing.tier.clone();
    (from != to).then_some(News::TierChanged { from, to })
}

/// Gives the points of a milestone. One of which another reach is asked later
/// is another milestone, so that no entry stands in its way.
fn grant(
    ledger: &mut Ledger,
    milestone: &Milestone,
    at: Timestamp,
    policy: &Policy,
    after: &mut After,
) -> Result<(), LedgerError> {
    let points = i64::from(milestone.points);
    if points == 0 {
        return Ok(());
    }
    let movement = Movement {
        id: ledger.entry_id(MILESTONE_RULE, milestone.id.as_str(), &asked(&milestone.reach)),
        at,
        cause: Cause::Milestone(milestone.id.clone()),
        authority: Authority { rule: MILESTONE_RULE, policy: policy.version.as_str() },
    };
    let life = policy.points.expiry.of_grants();
    let lot = expiry::lot(points, at, at, life, &policy.points);
    after.entries.push(ledger.credit(movement, Account::Issued, vec![lot])?);
    after.news.push(News::Milestone { id: milestone.id.clone(), points });
    Ok(())
}

/// What a milestone asks, in a text that is another one for anything else.
fn asked(reach: &Reach) -> String {
    let Reach { points, spend, orders, activity, feedback } = reach;
    let counts = [orders, activity, feedback].map(|it| it.map(i64::from));
    let counts = std::iter::once(*points).chain(counts);
    let counts = counts.map(|it| it.map_or_else(String::new, |it| it.to_string()));
    let spend = spend.iter().map(|(currency, minor)| format!("{minor}{currency}"));
    counts.chain(spend).collect::<Vec<_>>().join(".")
}

/// Gives a tier until a moment, or takes back the one that was given. What the
/// member is told comes back.
pub fn grant_tier(
    ledger: &mut Ledger,
    granted: Option<(Tier, Timestamp)>,
    now: Timestamp,
    policy: &Policy,
) -> Vec<News> {
    let (before, pending) = (ledger.standing.tier.clone(), ledger.balance(Account::Pending));
    let standing = &mut ledger.standing;
    if granted.is_none() && standing.granted.is_none() {
        return Vec::new();
    }
    standing.granted = granted;
    standing.joined_at = standing.joined_at.or(Some(now));
    tiers::bring_up(standing, pending, now, &policy.points);
    changed(before, ledger).into_iter().collect()
}

/// Notes what is left of a purchase in money, and of points that so many went
/// back. Before its return window has ended it counts so much less; since, it is
/// taken out of the running period. What it counted in an account that flows
/// into another one has flowed on, and stays.
pub fn taken_back(
    ledger: &mut Ledger,
    claim: &mut Claim,
    bought_at: Timestamp,
    (points, left): (i64, Option<Money>),
    policy: &PointsPolicy,
) {
    let before = claim.spend;
    claim.spend = left.filter(|_| before.is_some());
    let Some(granted_at) = claim.granted_at else { return };
    let left = left.map_or(0, Money::minor);
    let gone = before.map(|it| (it.currency(), it.minor().saturating_sub(left)));
    let counted = Qualifying {
        points,
        spend: gone.into_iter().collect(),
        orders: u32::from(before.is_some() && left == 0),
        ..Qualifying::default()
    };
    tiers::uncount(&mut ledger.standing, counted, (bought_at, granted_at), policy);
}

/// Changes a ledger as time asks: lots last longer for what was done, the
/// member is told what ends soon, periods and grants end, members are warned.
/// Before lots are ended by the same moment.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn review(ledger: &mut Ledger, now: Timestamp, policy: &Policy) -> Result<After, LedgerError> {
    let entries = expiry::extend(ledger, policy)?.into_iter().collect();
    let mut news = expiry::notices(ledger, now, policy);
    // A ledger in which nothing was ever done has no period, and one that flows
    // into another one goes by that one's.
    if ledger.standing.period_until.is_some() && ledger.link.into.is_none() {
        let before = ledger.standing.tier.clone();
        let pending = ledger.balance(Account::Pending);
        tiers::bring_up(&mut ledger.standing, pending, now, &policy.points);
        news.extend(changed(before, ledger));
        news.extend(tiers::warn(&mut ledger.standing, now, &policy.points));
    }
    Ok(After { entries, news })
}

/// When a ledger is to be reviewed next, as things stand at `now`.
#[must_use]
pub fn due(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let tiers = tiers::due(ledger, &policy.points).filter(|_| ledger.link.into.is_none());
    expiry::due(ledger, policy, now).into_iter().chain(tiers).min()
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        points::Lot,
        programme::tiers::{QualifyingPeriod, Rescue, TiersPolicy},
        time::{Period, TimeOfDay},
    };
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rules::fixtures::{granted, money};

    const MATURED: fn(i64) -> Deed =
        |points| Deed::Matured { points, spend: None, bought_at: Timestamp::EPOCH };

    fn at(date: &str) -> Timestamp {
        Timestamp::parse(&format!("{date}T12:00:00Z")).unwrap()
    }

    /// Silver for 100 and gold for 300 points in a quarter; gold is kept with 200.
    fn policy(change: impl FnOnce(&mut TiersPolicy)) -> Policy {
        let mut policy = Policy::default_document().unwrap();
        let level = |id: &str, reach: i64, keep: i64| {
            let ways = |points: i64| json!([{ "points": points }]);
            let title = json!({ "en": id });
            let level =
                json!({ "id": id, "title": title, "reach": ways(reach), "keep": ways(keep) });
            serde_json::from_value(level).unwrap()
        };
        policy.points.tiers = TiersPolicy {
            levels: vec![level("silver", 100, 100), level("gold", 300, 200)],
            period: QualifyingPeriod::Months(3),
            ..TiersPolicy::default()
        };
        change(&mut policy.points.tiers);
        policy.points.check().unwrap();
        policy
    }

    fn ledger() -> Ledger {
        Ledger::empty(CustomerId::member("a").unwrap())
    }

    fn tier(ledger: &Ledger) -> &str {
        ledger.standing.tier.as_ref().map_or("none", Tier::as_str)
    }

    fn changes(news: &[News]) -> Vec<String> {
        let name = |tier: &Option<Tier>| tier.as_ref().map_or("none", Tier::as_str).to_owned();
        let change = |news: &News| match news {
            News::TierChanged { from, to } => Some(format!("{} to {}", name(from), name(to))),
            _ => None,
        };
        news.iter().filter_map(change).collect()
    }

    /// Does and reviews, day by day, what is due; what changed comes back.
    fn until(ledger: &mut Ledger, end: &str, policy: &Policy) -> Vec<(String, News)> {
        let mut told = Vec::new();
        while let Some(now) = due(ledger, policy, at("2026-01-01")).filter(|due| *due <= at(end)) {
            let news = review(ledger, now, policy).unwrap().news;
            told.extend(news.into_iter().map(|it| (now.to_string()[..16].to_owned(), it)));
            assert_ne!(due(ledger, policy, now), Some(now), "what was due is done");
        }
        told
    }

    #[test]
    fn a_tier_is_reached_at_once_and_kept_to_the_end_of_the_next_period() {
        for (fall_at_most, falls) in [
            (None, vec![("2026-10-01T00:00", "gold to none")]),
            (
                Some(1),
                vec![
                    ("2026-10-01T00:00", "gold to silver"),
                    ("2027-01-01T00:00", "silver to none"),
                ],
            ),
            (Some(0), vec![]),
        ] {
            let policy = policy(|it| it.fall_at_most = fall_at_most);
            let mut ledger = ledger();
            // Joined on the 10th of March: the first period is to the end of June.
            let first = after(&mut ledger, &MATURED(99), at("2026-03-10"), &policy).unwrap();
            assert_eq!((tier(&ledger), first.news), ("none", vec![]));
            let silver = after(&mut ledger, &MATURED(1), at("2026-03-11"), &policy).unwrap();
            assert_eq!(changes(&silver.news), ["none to silver"]);
            let gold = after(&mut ledger, &MATURED(200), at("2026-06-30"), &policy).unwrap();
            assert_eq!(changes(&gold.news), ["silver to gold"]);
            assert_eq!(ledger.standing.since, Some(at("2026-06-30")));
            let told = until(&mut ledger, "2027-12-31", &policy);
            let changed = told.iter().flat_map(|(day, news)| {
                changes(std::slice::from_ref(news)).into_iter().map(|it| (day.clone(), it))
            });
            let changed: Vec<_> = changed.collect();
            let falls: Vec<_> =
                falls.into_iter().map(|(day, it)| (day.to_owned(), it.to_owned())).collect();
            assert_eq!(changed, falls, "{fall_at_most:?}");
        }
    }

    #[test]
    fn as_much_as_keeps_a_tier_keeps_it_and_spending_costs_none() {
        let policy = policy(|_| {});
        let mut ledger = ledger();
        after(&mut ledger, &MATURED(300), at("2026-03-10"), &policy).unwrap();
        until(&mut ledger, "2026-07-02", &policy);
        after(&mut ledger, &MATURED(200), at("2026-07-03"), &policy).unwrap();
        after(&mut ledger, &Deed::Spent, at("2026-07-04"), &policy).unwrap();
        assert_eq!(until(&mut ledger, "2026-10-15", &policy), [], "no warning either");
        assert_eq!(tier(&ledger), "gold");
        assert_eq!(ledger.standing.qualifying, Qualifying::default());
        assert_eq!(ledger.standing.lifetime.points, 500);
    }

    #[test]
    fn who_would_fall_is_warned_and_offered_help_if_it_is_near() {
        let policy = policy(|it| {
            it.rescue = Some(Rescue { days: 30, from_share: 5_000, extra: 5_000 });
        });
        let warnings = |done: i64| {
            let mut ledger = ledger();
            after(&mut ledger, &MATURED(300), at("2026-03-10"), &policy).unwrap();
            until(&mut ledger, "2026-07-02", &policy);
            after(&mut ledger, &MATURED(done), at("2026-07-03"), &policy).unwrap();
            let told = until(&mut ledger, "2026-09-25", &policy);
            let warning = |(day, news): (String, News)| match news {
                News::TierWarning { tier, until, days } => {
                    assert_eq!((tier.as_str(), until), ("gold", at_midnight("2026-10-01")));
                    (day, days)
                }
                other => panic!("{other:?}"),
            };
            (told.into_iter().map(warning).collect::<Vec<_>>(), ledger)
        };
        let mornings =
            [("2026-08-02T09:00", 60), ("2026-09-01T09:00", 30), ("2026-09-24T09:00", 7)];
        let mornings = mornings.map(|(day, days)| (day.to_owned(), days));
        let (told, far) = warnings(99);
        assert_eq!((told, far.standing.rescue_until), (mornings.to_vec(), None));
        let (told, mut near) = warnings(100);
        assert_eq!(told, mornings);
        assert_eq!(near.standing.rescue_until, Some(at_midnight("2026-10-01")));
        // 66 count as 99, which is not enough, and 1 counts as 1.
        after(&mut near, &MATURED(66), at("2026-09-26"), &policy).unwrap();
        assert_eq!(near.standing.qualifying.points, 199);
        after(&mut near, &MATURED(1), at("2026-09-27"), &policy).unwrap();
        assert_eq!(until(&mut near, "2026-10-02", &policy), []);
        assert_eq!((tier(&near), near.standing.rescue_until), ("gold", None));
        assert_eq!(near.standing.lifetime.points, 467, "what was done is not more");
    }

    fn at_midnight(date: &str) -> Timestamp {
        let date = aftercart::model::time::Date::parse(date).unwrap();
        date.at(TimeOfDay::MIDNIGHT, &aftercart::model::time::Zone::utc()).unwrap()
    }

    #[test]
    fn what_was_bought_in_time_counts_when_its_return_window_ends() {
        let policy = policy(|_| {});
        let mut ledger = ledger();
        after(&mut ledger, &MATURED(300), at("2026-03-10"), &policy).unwrap();
        until(&mut ledger, "2026-09-29", &policy);
        // Bought on the last day, and pending over the end of the period.
        ledger.balances.insert(Account::Pending, 200);
        until(&mut ledger, "2026-10-20", &policy);
        assert_eq!(tier(&ledger), "gold");
        let mut kept = ledger.clone();
        kept.balances.insert(Account::Pending, 0);
        let news = after(&mut kept, &MATURED(200), at("2026-10-20"), &policy).unwrap().news;
        assert_eq!((changes(&news), tier(&kept)), (vec![], "gold"));
        assert_eq!(kept.standing.period_from, Some(at_midnight("2026-10-01")));
        assert_eq!(kept.standing.qualifying.points, 0, "they were of the period before");
        // Two weeks for the delivery and two to return it: then it is over.
        let told = until(&mut ledger, "2026-12-31", &policy);
        assert_eq!(told[0].0, "2026-10-29T00:00");
        assert_eq!(tier(&ledger), "none");
    }

    #[test]
    fn a_review_waits_as_long_as_the_goods_of_the_level_may_be_returned() {
        let policy = policy(|it| it.levels[1].benefits.return_days = 30);
        let mut ledger = ledger();
        after(&mut ledger, &MATURED(300), at("2026-03-10"), &policy).unwrap();
        until(&mut ledger, "2026-09-29", &policy);
        ledger.balances.insert(Account::Pending, 200);
        assert_eq!(until(&mut ledger, "2026-11-27", &policy), []);
        let told = until(&mut ledger, "2026-11-28", &policy);
        assert_eq!((told[0].0.as_str(), tier(&ledger)), ("2026-11-28T00:00", "none"));
    }

    #[test]
    fn what_is_done_while_a_review_waits_counts_in_the_period_that_has_begun() {
        let policy = policy(|_| {});
        let mut ledger = ledger();
        after(&mut ledger, &MATURED(300), at("2026-03-10"), &policy).unwrap();
        until(&mut ledger, "2026-09-29", &policy);
        ledger.balances.insert(Account::Pending, 200);
        let deed = Deed::Action { points: 70, counts: Counts::Activity };
        after(&mut ledger, &deed, at("2026-10-02"), &policy).unwrap();
        let late = Deed::Matured { points: 50, spend: None, bought_at: at("2026-10-03") };
        after(&mut ledger, &late, at("2026-10-17"), &policy).unwrap();
        after(&mut ledger, &MATURED(199), at("2026-10-18"), &policy).unwrap();
        let standing = &ledger.standing;
        assert_eq!((standing.qualifying.points, standing.next.points), (199, 120));
        let mut kept = ledger.clone();
        // It is not enough, but as much as silver takes is done already.
        let told = until(&mut ledger, "2026-12-31", &policy);
        assert_eq!(changes(std::slice::from_ref(&told[0].1)), ["gold to silver"]);
        assert_eq!((told[0].0.as_str(), tier(&ledger)), ("2026-10-29T00:00", "silver"));
        assert_eq!((ledger.standing.qualifying.points, ledger.standing.next.points), (120, 0));
        after(&mut kept, &MATURED(1), at("2026-10-19"), &policy).unwrap();
        kept.balances.insert(Account::Pending, 0);
        review(&mut kept, at("2026-10-20"), &policy).unwrap();
        assert_eq!((tier(&kept), kept.standing.qualifying.points), ("gold", 120));
    }

    #[test]
    fn a_purchase_that_goes_back_counts_no_more_in_the_period_that_runs() {
        let policy = policy(|it| {
            it.rescue = Some(Rescue { days: 30, from_share: 5_000, extra: 5_000 });
        });
        let bought = at("2026-08-01");
        for (granted_at, rescued, period_from, (points, spend, orders)) in [
            ("2026-08-20", false, "2026-07-01", (100, 400, 4)),
            ("2026-08-20", false, "2026-08-21", (300, 900, 5)),
            ("2026-08-20", true, "2026-07-01", (100, 400, 4)),
            ("2026-09-20", true, "2026-07-01", (0, 150, 4)),
        ] {
            let mut ledger = ledger();
            let euros = |minor: i64| [(money(minor).currency(), minor)].into();
            let done =
                Qualifying { points: 300, spend: euros(900), orders: 5, ..Default::default() };
            ledger.standing = aftercart::model::points::Standing {
                qualifying: done.clone(),
                lifetime: done.clone(),
                period_from: Some(at(period_from)),
                period_until: Some(at_midnight("2026-10-01")),
                rescue_until: rescued.then(|| at_midnight("2026-10-01")),
                ..ledger.standing
            };
            let mut claim = Claim {
                order: aftercart::model::id::OrderId::derive(&["1"]),
                points: 0,
                spend: Some(money(500)),
                matures_at: Some(at(granted_at)),
                granted_at: Some(at(granted_at)),
            };
            for (back, left) in [(50, Some(money(200))), (150, None), (0, None)] {
                taken_back(&mut ledger, &mut claim, bought, (back, left), &policy.points);
                assert_eq!(claim.spend, left);
            }
            let left = &ledger.standing.qualifying;
            let spent = left.spend.values().sum::<i64>();
            assert_eq!((left.points, spent, left.orders), (points, spend, orders), "{granted_at}");
            assert_eq!(ledger.standing.lifetime, done, "a milestone stays");
        }
    }

    #[test]
    fn a_granted_tier_ends_by_itself_and_covers_what_was_earned() {
        let policy = policy(|_| {});
        let mut ledger = ledger();
        after(&mut ledger, &MATURED(100), at("2026-03-10"), &policy).unwrap();
        let gold = policy.points.tiers.levels[1].id.clone();
        ledger.standing.granted = Some((gold, at("2026-12-24")));
        let news = review(&mut ledger, at("2026-03-11"), &policy).unwrap().news;
        assert_eq!(changes(&news), ["silver to gold"]);
        let told = until(&mut ledger, "2026-12-31", &policy);
        let [(day, news)] = told.as_slice() else { panic!("one change, no warning: {told:?}") };
        assert_eq!((day.as_str(), tier(&ledger)), ("2026-12-24T12:00", "none"));
        assert_eq!(changes(std::slice::from_ref(news)), ["gold to none"]);
    }

    #[test]
    fn milestones_are_given_once_at_once() {
        let mut policy = policy(|it| it.levels.clear());
        let milestone = |id: &str, reach| json!({ "id": id, "title": { "en": id }, "reach": reach, "points": 50 });
        let milestones = [
            milestone("third", json!({ "orders": 3 })),
            milestone("big", json!({ "spend": { "EUR": 10_000 }, "orders": 1 })),
            milestone("critic", json!({ "feedback": 1 })),
        ];
        policy.points.earning.milestones =
            serde_json::from_value(milestones.to_vec().into()).unwrap();
        let mut ledger = ledger();
        let mut given = Vec::new();
        let bought =
            Deed::Matured { points: 0, spend: Some(money(5_000)), bought_at: at("2026-03-10") };
        let told = Deed::Action { points: 5, counts: Counts::Feedback };
        for (day, deed) in [bought, bought, told, told, bought, bought].iter().enumerate() {
            let now = at("2026-03-10").plus(Period::of_days(u16::try_from(day).unwrap()));
            let then = after(&mut ledger, deed, now, &policy).unwrap();
            assert_eq!(then.entries.len(), then.news.len());
            given.extend(then.news.into_iter().map(|news| (day, news)));
            assert_eq!(ledger.check(), Ok(()));
        }
        let milestone = |id| News::Milestone { id: Tier::new(id).unwrap(), points: 50 };
        assert_eq!(
            given,
            [(1, milestone("big")), (2, milestone("critic")), (4, milestone("third"))]
        );
        assert_eq!(ledger.balance(Account::Available), 150);
        assert_eq!(ledger.standing.tier, None, "without levels there are no tiers");
        // Asked for more, it is another milestone, whose entry nothing stands in the way of.
        let ids = |ledger: &mut Ledger, policy: &Policy| {
            let entries = after(ledger, &bought, at("2026-05-01"), policy).unwrap().entries;
            entries.into_iter().map(|entry| entry.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&mut ledger, &policy), []);
        policy.points.earning.milestones[0].reach.orders = Some(6);
        assert_eq!(ids(&mut ledger, &policy).len(), 1);
    }

    #[test]
    fn an_order_of_which_all_came_back_is_none() {
        let policy = policy(|_| {});
        let paid = Deed::Matured { points: 0, spend: Some(money(1)), bought_at: at("2026-03-10") };
        for (deed, orders) in [(MATURED(0), 0), (MATURED(1), 1), (paid, 1)] {
            let mut ledger = ledger();
            after(&mut ledger, &deed, at("2026-03-10"), &policy).unwrap();
            let standing = &ledger.standing;
            assert_eq!((standing.lifetime.orders, standing.qualifying.orders), (orders, orders));
        }
    }

    #[test]
    fn what_a_member_does_is_activity_and_what_happens_to_one_is_not() {
        let policy = policy(|_| {});
        let action = |counts| Deed::Action { points: 1, counts };
        for (deed, is) in [
            (Deed::Bought, true),
            (Deed::Spent, true),
            (action(Counts::Nothing), true),
            (Deed::Granted, false),
            (MATURED(1), false),
        ] {
            let mut ledger = ledger();
            granted(&mut ledger, Lot::new(1, at("2026-01-01"), at("2026-09-01")));
            after(&mut ledger, &deed, at("2026-03-10"), &policy).unwrap();
            after(&mut ledger, &deed, at("2026-03-09"), &policy).unwrap();
            let active = is.then(|| at("2026-03-10"));
            assert_eq!(ledger.standing.active_at, active, "{deed:?}");
            assert_eq!(ledger.standing.joined_at, Some(at("2026-03-09")));
        }
        let mut counted = ledger();
        for counts in [Counts::Activity, Counts::Feedback, Counts::Nothing] {
            after(&mut counted, &action(counts), at("2026-03-10"), &policy).unwrap();
        }
        let done = Qualifying { points: 2, activity: 1, feedback: 1, ..Qualifying::default() };
        assert_eq!(counted.standing.qualifying, done);
    }

    proptest! {
        /// Against a count day by day: whatever was done when, and however late
        /// and often anybody looked, the tier is what the policy says.
        #[test]
        fn the_tier_is_what_a_count_day_by_day_says(
            deeds in prop::collection::vec((0_u16..700, 1_i64..200), 0..40),
            sweeps in prop::collection::btree_set(0_u16..800, 0..40),
            months in 1_u16..7,
            fall_at_most in prop::option::of(0_u16..3),
        ) {
            let policy = policy(|it| {
                (it.period, it.fall_at_most) = (QualifyingPeriod::Months(months), fall_at_most);
            });
            let mut deeds = deeds;
            deeds.sort_unstable();
            let day = |day: u16| at("2026-01-15").plus(Period::of_days(day));
            let mut ledger = ledger();
            let zone = &policy.points.zone;
            // By hand: the earned level, what was done, and the period's end.
            let (mut rank, mut done) = (0_u16, 0_i64);
            let mut end: Option<Timestamp> = None;
            for now in 0..=800 {
                while let Some(over) = end.filter(|end| *end <= day(now)) {
                    let kept = match (rank, done) {
                        (_, 300..) | (2, 200..) => 2,
                        (_, 100..) => 1,
                        _ => 0,
                    };
                    rank = kept.max(fall_at_most.map_or(0, |most| rank.saturating_sub(most)));
                    done = 0;
                    let before = over.minus(Period::of_seconds(1));
                    end = Some(before.end_of_month_after(months, zone).unwrap());
                }
                for (_, points) in deeds.iter().filter(|(on, _)| *on == now) {
                    end = end.or(Some(day(now).end_of_month_after(months, zone).unwrap()));
                    done += points;
                    rank = rank.max(match done { 300.. => 2, 100.. => 1, _ => 0 });
                    let deed = Deed::Action { points: *points, counts: Counts::Activity };
                    after(&mut ledger, &deed, day(now), &policy).unwrap();
                    let tiers = &policy.points.tiers;
                    prop_assert_eq!(tiers.rank(ledger.standing.tier.as_ref()), usize::from(rank));
                }
                if sweeps.contains(&now) || now == 800 {
                    review(&mut ledger, day(now), &policy).unwrap();
                    let tiers = &policy.points.tiers;
                    prop_assert_eq!(tiers.rank(ledger.standing.tier.as_ref()), usize::from(rank));
                    prop_assert!(due(&ledger, &policy, day(now)).is_none_or(|due| due > day(now)));
                }
            }
            let sum: i64 = deeds.iter().map(|(_, points)| points).sum();
            prop_assert_eq!(ledger.standing.lifetime.points, sum);
        }
    }
}
