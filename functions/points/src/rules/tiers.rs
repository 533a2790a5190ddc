//! Where a member stands among the levels of the policy: reached at once,
//! kept to the end of the next period, lost after warnings only.

use aftercart::model::{
    points::{Account, Ledger, Qualifying, Standing, Tier},
    price::WHOLE,
    programme::{
        PointsPolicy,
        earning::Reach,
        tiers::{Level, Rescue},
    },
    time::{Period, Timestamp},
};

use super::{expiry::morning_before, news::News};

/// How long the goods of a purchase may take to arrive before it stops to count
/// for the period in which they were bought: what takes longer is lost.
const DELIVERY_MAX: Period = Period::of_days(14);

/// Ends the periods that have ended by `at`, and grants of operators; what was
/// done in a period decides whether its tier is kept. `pending` is how many
/// points of purchases were pending before `at`: a member who would fall while
/// some are is looked at when these have had the time to become available.
/// What was done meanwhile counts in the period that has begun.
pub fn bring_up(standing: &mut Standing, pending: i64, at: Timestamp, policy: &PointsPolicy) {
    let tiers = &policy.tiers;
    if standing.period_until.is_none() {
        let (from, until) = tiers.period.of(at, &policy.zone);
        (standing.period_from, standing.period_until) = (Some(from), Some(until));
    }
    while let Some(over) = standing.period_until {
        if review_at(standing, pending, policy).is_none_or(|review| review > at) {
            break;
        }
        let (from, until) = tiers.period.of(over, &policy.zone);
        if until <= over {
            break;
        }
        if !tiers.levels.is_empty() {
            standing.earned = tiers.at_rank(kept(standing, policy)).map(|level| level.id.clone());
        }
        (standing.period_from, standing.period_until) = (Some(from), Some(until));
        standing.qualifying = std::mem::take(&mut standing.next);
        (standing.warned, standing.rescue_until) = (None, None);
    }
    standing.granted = standing.granted.take().filter(|(_, until)| at < *until);
    wear(standing, at, policy);
}

/// Counts what was done at this moment, after the periods that have ended are:
/// while the end of one waits, what was done after it counts in the next.
/// A purchase counts more for a member to whom the rescue was offered.
pub fn count(
    standing: &mut Standing,
    (done, purchase): (Qualifying, bool),
    done_at: Timestamp,
    policy: &PointsPolicy,
) {
    if standing.period_until.is_some_and(|until| until <= done_at) {
        standing.next.add(&done);
        return;
    }
    let done = if purchase { rescued(standing, done, policy) } else { done };
    standing.qualifying.add(&done);
}

/// Gives the best level that what was done in this period reaches, at once.
pub fn raise(standing: &mut Standing, at: Timestamp, policy: &PointsPolicy) {
    let tiers = &policy.tiers;
    let best = reached(&standing.qualifying, 0, policy).max(reached(&standing.next, 0, policy));
    if best > tiers.rank(standing.earned.as_ref()) {
        standing.earned = tiers.at_rank(best).map(|level| level.id.clone());
    }
    wear(standing, at, policy);
}

/// The tier that a member has is the better one of what was earned and granted.
/// Without levels it is what was set by hand elsewhere.
fn wear(standing: &mut Standing, at: Timestamp, policy: &PointsPolicy) {
    let tiers = &policy.tiers;
    if tiers.levels.is_empty() {
        return;
    }
    let granted = standing.granted.as_ref().map(|(tier, _)| tier);
    let rank = tiers.rank(standing.earned.as_ref()).max(tiers.rank(granted));
    let tier = tiers.at_rank(rank).map(|level| level.id.clone());
    if tier != standing.tier {
        (standing.tier, standing.since) = (tier, Some(at));
    }
}

/// The rank of the best level that what was done in a period reaches, or
/// keeps, if the member has the level `held` or a better one.
fn reached(done: &Qualifying, held: usize, policy: &PointsPolicy) -> usize {
    let met = |ways: &[Reach]| ways.iter().any(|way| way.is_met(done));
    let levels = policy.tiers.levels.iter().zip(1_usize..);
    let fits = |(level, rank): &(&Level, usize)| {
        met(&level.reach) || (*rank <= held && met(level.to_keep()))
    };
    levels.filter(fits).map(|(_, rank)| rank).max().unwrap_or(0)
}

/// The rank that is left at the end of the period as things stand: nobody
/// falls by more levels than the policy says, nor below what is reached in the
/// next period already.
fn kept(standing: &Standing, policy: &PointsPolicy) -> usize {
    let held = policy.tiers.rank(standing.earned.as_ref());
    let least = policy.tiers.fall_at_most.map_or(0, |most| held.saturating_sub(most.into()));
    let kept = reached(&standing.qualifying, held, policy);
    kept.max(reached(&standing.next, 0, policy)).max(least)
}

/// Whether the tier that was earned is lost at the end of the period, as
/// things stand.
fn falls(standing: &Standing, policy: &PointsPolicy) -> bool {
    kept(standing, policy) < policy.tiers.rank(standing.earned.as_ref())
}

/// When the period's tier is decided upon. A purchase of its last day has the
/// time of its delivery, and the return window that the member's tier gives.
#[must_use]
pub fn review_at(standing: &Standing, pending: i64, policy: &PointsPolicy) -> Option<Timestamp> {
    let until = standing.period_until?;
    if pending <= 0 || !falls(standing, policy) {
        return Some(until);
    }
    let days = |tier: &Option<Tier>| policy.tiers.return_days(tier.as_ref());
    let longer = Period::of_days(days(&standing.earned).max(days(&standing.tier)));
    Some(until.plus(policy.return_window).plus(longer).plus(DELIVERY_MAX))
}

/// Whether the member loses the tier at the end of the period, as things stand:
/// one that an operator granted for longer is not lost.
fn at_risk(standing: &Standing, policy: &PointsPolicy) -> bool {
    let rank = |tier: &Tier| policy.tiers.rank(Some(tier));
    let covered = standing.granted.as_ref().is_some_and(|(tier, until)| {
        Some(*until) > standing.period_until
            && Some(rank(tier)) >= standing.earned.as_ref().map(rank)
    });
    falls(standing, policy) && !covered
}

/// Warns a member who will lose the tier, once for each warning of the policy,
/// but only with the last of those that are due at once; with the one that the
/// policy says, or one after it, comes the offer that helps to keep the tier.
pub fn warn(standing: &mut Standing, now: Timestamp, policy: &PointsPolicy) -> Option<News> {
    let until = standing.period_until?;
    let tier = standing.earned.clone()?;
    let open = |days: &u16| standing.warned.is_none_or(|warned| *days < warned);
    let due = |days: &u16| morning_before(until, *days, &policy.zone) <= now;
    let all = policy.tiers.warnings.iter().copied();
    let days = all.filter(|days| open(days) && due(days)).min()?;
    standing.warned = Some(days);
    if !at_risk(standing, policy) || until <= now {
        return None;
    }
    let offered = policy.tiers.rescue.as_ref().filter(|it| days <= it.days);
    if offered.is_some_and(|rescue| near(standing, rescue, policy)) {
        standing.rescue_until = Some(until);
    }
    Some(News::TierWarning { tier, until, days })
}

/// Whether the member has so much of what the tier needs that the rescue is
/// offered.
fn near(standing: &Standing, rescue: &Rescue, policy: &PointsPolicy) -> bool {
    let ways = policy.tiers.level(standing.earned.as_ref()).map(Level::to_keep);
    let done = &standing.qualifying;
    let share = ways.unwrap_or_default().iter().map(|way| way.share(done)).max();
    share.is_some_and(|share| share >= rescue.from_share)
}

/// What a purchase counts in the period of a member to whom the rescue was
/// offered: so much more, rounded down.
fn rescued(standing: &Standing, counts: Qualifying, policy: &PointsPolicy) -> Qualifying {
    let rescue = policy.tiers.rescue.as_ref().filter(|_| standing.rescue_until.is_some());
    let Some(rescue) = rescue else { return counts };
    let more = |count: i64| {
        let extra = i128::from(count) * i128::from(rescue.extra) / i128::from(WHOLE);
        count.saturating_add(i64::try_from(extra).unwrap_or(i64::MAX))
    };
    let spend = counts.spend.into_iter().map(|(currency, minor)| (currency, more(minor)));
    Qualifying { points: more(counts.points), spend: spend.collect(), ..counts }
}

/// Takes out of the running period what a purchase of this moment counted in
/// it since its return window ended, because it went back after all. The tier
/// stays: the end of the period decides.
pub fn uncount(
    standing: &mut Standing,
    counted: Qualifying,
    (bought_at, granted_at): (Timestamp, Timestamp),
    policy: &PointsPolicy,
) {
    if standing.period_from.is_none_or(|from| granted_at < from) {
        return;
    }
    if standing.period_until.is_some_and(|until| until <= bought_at) {
        standing.next = standing.next.without(&counted);
        return;
    }
    let offered = standing.rescue_until.zip(policy.tiers.rescue.as_ref());
    let more = offered.is_some_and(|(until, rescue)| {
        granted_at >= morning_before(until, rescue.days, &policy.zone)
    });
    let counted = if more { rescued(standing, counted, policy) } else { counted };
    standing.qualifying = standing.qualifying.without(&counted);
}

/// When the member's tier is to be looked at: a grant ends, the period does,
/// or a warning is due. A period of somebody without a tier ends unseen.
#[must_use]
pub fn due(ledger: &Ledger, policy: &PointsPolicy) -> Option<Timestamp> {
    let standing = &ledger.standing;
    if policy.tiers.levels.is_empty() {
        return None;
    }
    let granted = standing.granted.as_ref().map(|(_, until)| *until);
    let earned = || standing.earned.as_ref().and(standing.period_until);
    let review =
        earned().and_then(|_| review_at(standing, ledger.balance(Account::Pending), policy));
    let open = |days: &&u16| standing.warned.is_none_or(|warned| **days < warned);
    let warning = earned().filter(|_| at_risk(standing, policy)).and_then(|until| {
        let days = policy.tiers.warnings.iter().filter(open).max()?;
        Some(morning_before(until, *days, &policy.zone))
    });
    [granted, review, warning].into_iter().flatten().min()
}
