//! What a member sees of the tiers.

use aftercart::model::{
    customer::Language,
    dates::Dates,
    points::Ledger,
    programme::{
        PointsPolicy,
        earning::{ActionRule, Counts, Milestone},
        tiers::Level,
    },
    time::{Timestamp, Zone},
};

use super::{
    path::{self, Course, Path, TierInput, Way},
    wording::programme,
};
use crate::wire::membership::{
    GrantedTierView, MembershipView, PointsMilestoneView, TierDoneView, TierLevelView,
    TierPathView, TierPeriodView, TierRescueView, TierTaskView, TierWayView,
};

/// What the member sees now, in this language.
#[must_use]
pub fn view(
    ledger: &Ledger,
    policy: &PointsPolicy,
    language: Language,
    now: Timestamp,
) -> MembershipView {
    let course = path::course(ledger, policy, now);
    let dates = &Dates::new(language, &policy.zone, now);
    let shown = Shown { policy, dates, course: &course };
    let standing = &course.standing;
    let last_day = |end: Timestamp| path::last_day(end, &policy.zone);
    let begun = ledger.standing.period_from.is_some();
    let period = standing.period_from.zip(standing.period_until).filter(|_| begun);
    MembershipView {
        language,
        zone: policy.zone.clone(),
        tier: course.level.map(|level| shown.own(level)),
        since: course.level.and(standing.since),
        granted_until: standing.granted.as_ref().map(|(_, until)| last_day(*until)),
        period: period.map(|(from, until)| TierPeriodView {
            from: from.date_in(&policy.zone),
            until: last_day(until),
        }),
        done: TierDoneView::from(&standing.qualifying),
        keep: course.keep.as_ref().map(|path| shown.path(path)),
        next: course.next.as_ref().map(|path| shown.path(path)),
        rescue: shown.rescue(),
        tasks: policy.earning.actions.iter().filter_map(|it| shown.task(it, now)).collect(),
        milestones: policy.earning.milestones.iter().filter_map(|it| shown.milestone(it)).collect(),
        levels: policy.tiers.levels.iter().map(|level| shown.level(level)).collect(),
    }
}

/// A member's tier, as operators see it.
#[must_use]
pub fn granted(ledger: &Ledger, zone: &Zone) -> GrantedTierView {
    let standing = &ledger.standing;
    let granted = standing.granted.as_ref();
    GrantedTierView {
        id: ledger.customer.clone(),
        tier: standing.tier.clone(),
        earned: standing.earned.clone(),
        granted: granted.map(|(tier, _)| tier.clone()),
        granted_until: granted.map(|(_, until)| path::last_day(*until, zone)),
    }
}

/// What is shown, and how.
struct Shown<'a> {
    policy: &'a PointsPolicy,
    dates: &'a Dates<'a>,
    course: &'a Course<'a>,
}

impl Shown<'_> {
    fn level(&self, level: &Level) -> TierLevelView {
        let done = &self.course.standing.qualifying;
        let ways = level.reach.iter().map(|reach| (&path::way(reach, done)).into());
        TierLevelView {
            id: level.id.clone(),
            title: level.title.text(self.dates.language).to_owned(),
            ways: ways.collect(),
            benefits: programme::benefits(level, self.policy, self.dates),
            service_line: None,
        }
    }

    /// The level that the member has.
    fn own(&self, level: &Level) -> TierLevelView {
        TierLevelView { service_line: level.benefits.service_line.clone(), ..self.level(level) }
    }

    fn path(&self, path: &Path<'_>) -> TierPathView {
        let words = path.words(self.dates);
        TierPathView {
            tier: path.level.id.clone(),
            title: path.level.title.text(self.dates.language).to_owned(),
            until: path.until,
            done: words.is_none(),
            ways: path.ways.iter().map(TierWayView::from).collect(),
            words,
        }
    }

    fn rescue(&self) -> Option<TierRescueView> {
        let rescue = self.policy.tiers.rescue.as_ref()?;
        let until = path::last_day(self.course.standing.rescue_until?, &self.policy.zone);
        let (extra, day) = (programme::percent(rescue.extra), self.dates.day(until));
        let words = match self.dates.language {
            Language::En => format!("Your purchases count {extra} more until {day}."),
            Language::Zh => format!("{day}前，您的消费额外多计 {extra}。"),
        };
        Some(TierRescueView { extra: rescue.extra, until, words })
    }

    /// A deed that counts, if it is open to the member now.
    fn task(&self, rule: &ActionRule, now: Timestamp) -> Option<TierTaskView> {
        let tier = self.course.standing.tier.as_ref();
        let open = rule.when.from.is_none_or(|from| from <= now)
            && rule.when.until.is_none_or(|until| now < until);
        let theirs = rule.tiers.is_empty() || tier.is_some_and(|tier| rule.tiers.contains(tier));
        let counts = match rule.counts {
            Counts::Activity => TierInput::Activity,
            Counts::Feedback => TierInput::Feedback,
            Counts::Nothing => return None,
        };
        (open && theirs).then(|| TierTaskView {
            rule: rule.id.clone(),
            title: rule.title.text(self.dates.language).to_owned(),
            points: rule.points,
            counts,
        })
    }

    fn milestone(&self, milestone: &Milestone) -> Option<PointsMilestoneView> {
        let way: Way = path::way(&milestone.reach, &self.course.standing.lifetime);
        let open = !milestone.reach.is_met(&self.course.standing.lifetime);
        open.then(|| PointsMilestoneView {
            rule: milestone.id.clone(),
            title: milestone.title.text(self.dates.language).to_owned(),
            points: milestone.points,
            way: (&way).into(),
        })
    }
}
