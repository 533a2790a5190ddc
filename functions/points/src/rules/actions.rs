//! What a deed earns that is no purchase: a check-in, a review, a share, an
//! answer to a survey.
//!
//! Every rule for such deeds is looked at by itself: by the member's tier, by
//! when the deed was done, and by what the rule gave that day and that month.
//! Together they give one entry. A deed is judged once, also one that gave
//! nothing.

use std::collections::BTreeSet;

use aftercart::model::{
    points::{Account, Authority, Cause, Entry, Judged, Ledger, LedgerError, Movement, Told, Why},
    policy::Policy,
    profile::Profile,
    programme::{
        PointsPolicy,
        earning::{ActionKind, ActionRule, Counts},
    },
    text::Text,
    time::{Date, Timestamp},
};

use super::{
    calendar::{self, Member},
    counting::{self, Counters, Span},
    expiry,
    membership::{self, Deed},
    news::News,
};

/// Something that a member did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// What.
    pub kind: ActionKind,
    /// What tells it from other deeds of the member of its kind.
    pub reference: Text<80>,
    /// When.
    pub at: Timestamp,
}

impl Action {
    /// A check-in at this moment: one a day, by the programme's calendar.
    #[must_use]
    pub fn check_in(now: Timestamp, policy: &PointsPolicy) -> Option<Self> {
        let reference = Text::new(&now.date_in(&policy.zone).to_string()).ok()?;
        Some(Self { kind: ActionKind::CheckIn, reference, at: now })
    }
}

/// What is true of a member who did something.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The ledger in which the member's points are: the own one, or that of the
    /// account into which it flows.
    pub ledger: &'a Ledger,
    /// What is known of the member. The deed is this account's.
    pub profile: &'a Profile,
    /// The rules that give once in a member's life, and did.
    pub once: &'a BTreeSet<Text<40>>,
    /// The present moment.
    pub now: Timestamp,
}

/// What a deed changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What the deed gave.
    pub judged: Judged,
    /// The rules that gave once in a member's life, now.
    pub once: Vec<Text<40>>,
    /// The entries, that of the deed first.
    pub entries: Vec<Entry>,
    /// The ledger as it is then.
    pub ledger: Ledger,
    /// What the member is told.
    pub news: Vec<News>,
}

/// The policy's rules for deeds of a kind.
pub fn rules(kind: ActionKind, policy: &PointsPolicy) -> impl Iterator<Item = &ActionRule> {
    policy.earning.actions.iter().filter(move |rule| rule.action == kind)
}

/// What a deed gives and changes. The caller has made sure that it was not
/// judged before.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn decide(action: &Action, facts: Facts<'_>, policy: &Policy) -> Result<Decided, LedgerError> {
    let points = &policy.points;
    let customer = &facts.profile.customer;
    let mut ledger = facts.ledger.clone();
    let member = Member::of(&ledger, facts.profile, points);
    let date = action.at.date_in(&points.zone);
    let mut judged = Judged {
        id: Judged::id(customer, action.kind, &action.reference),
        customer: customer.clone(),
        at: action.at,
        told: Vec::new(),
        streak: None,
    };
    let mut given: Vec<(&ActionRule, i64)> = Vec::new();
    for rule in rules(action.kind, points) {
        let against = against(rule, action.at, &member, facts.once, &ledger.counters, points);
        let mut gave = 0;
        if against.is_none() {
            let streak = count(rule, date, &mut ledger.counters);
            judged.streak = judged.streak.max(streak);
            gave = worth(rule, streak);
            given.push((rule, gave));
        }
        judged.told.push(Told { rule: rule.id.to_string(), points: gave, why: against });
    }
    let mut decided =
        Decided { judged, once: Vec::new(), entries: Vec::new(), ledger, news: Vec::new() };
    grant(&mut decided, action, &given, facts.now, policy)?;
    decided.once = given.iter().filter(|(it, _)| it.once).map(|(it, _)| it.id.clone()).collect();
    Ok(decided)
}

/// Why a rule gives nothing for a deed at this moment; it gives, if it is none.
#[must_use]
pub fn against(
    rule: &ActionRule,
    at: Timestamp,
    member: &Member,
    once: &BTreeSet<Text<40>>,
    counters: &Counters,
    policy: &PointsPolicy,
) -> Option<Why> {
    let tier = member.tier.as_ref();
    let of_tier = rule.tiers.is_empty() || tier.is_some_and(|tier| rule.tiers.contains(tier));
    let date = at.date_in(&policy.zone);
    let full = |span, most: Option<u32>| {
        let (times, _) = counting::counted(counters, span, rule.id.as_str(), date);
        most.is_some_and(|most| times >= most)
    };
    [
        (!of_tier, Why::OtherTier),
        (rule.once && once.contains(&rule.id), Why::Once),
        (full(Span::Day, rule.per_day), Why::DayLimit),
        (full(Span::Month, rule.per_month), Why::MonthLimit),
    ]
    .into_iter()
    .find_map(|(fails, why)| fails.then_some(why))
    .or_else(|| calendar::against(&rule.when, at, member, &policy.zone))
}

/// Counts that a rule gives, and which day of a streak that is, if it is a new one.
fn count(rule: &ActionRule, date: Date, counters: &mut Counters) -> Option<u32> {
    for (span, most) in [(Span::Day, rule.per_day), (Span::Month, rule.per_month)] {
        if most.is_some() {
            counting::count(counters, span, rule.id.as_str(), date, i64::from(rule.points));
        }
    }
    let (last, _) = rule.streak.last_key_value()?;
    let day = counting::streak(counters, rule.id.as_str(), date, *last)?;
    counting::note_streak(counters, rule.id.as_str(), date, day);
    Some(day)
}

fn worth(rule: &ActionRule, streak: Option<u32>) -> i64 {
    let step = streak.and_then(|day| u16::try_from(day).ok());
    let step = step.and_then(|day| rule.streak.get(&day)).copied().unwrap_or(0);
    i64::from(rule.points).saturating_add(i64::from(step))
}

/// Posts what rules gave, and what follows from it; a deed for which a rule
/// gives nothing that day, such as one of a streak, is done all the same. Points
/// of rules that count towards nothing qualify for nothing; else the first rule
/// says towards what.
fn grant(
    decided: &mut Decided,
    action: &Action,
    given: &[(&ActionRule, i64)],
    now: Timestamp,
    policy: &Policy,
) -> Result<(), LedgerError> {
    if given.is_empty() {
        return Ok(());
    }
    if let Some((first, _)) = given.iter().find(|(_, gave)| *gave > 0) {
        post(decided, action, first, now, policy)?;
    }
    let counting: Vec<_> = given.iter().filter(|(it, _)| it.counts != Counts::Nothing).collect();
    let deed = Deed::Action {
        points: counting.iter().fold(0, |sum: i64, (_, gave)| sum.saturating_add(*gave)),
        counts: counting.first().map_or(Counts::Nothing, |(it, _)| it.counts),
    };
    let after = membership::after(&mut decided.ledger, &deed, action.at, policy)?;
    decided.entries.extend(after.entries);
    decided.news.extend(after.news);
    Ok(())
}

/// Posts the points of a deed, of which this is the first rule that gives some.
fn post(
    decided: &mut Decided,
    action: &Action,
    first: &ActionRule,
    now: Timestamp,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let points = decided.judged.points();
    let life = policy.points.expiry.grants.unwrap_or(policy.points.expiry.purchases);
    let lot = expiry::lot(points, action.at, now, life, &policy.points);
    let movement = Movement {
        id: decided.judged.id.clone(),
        at: action.at,
        cause: Cause::Action { rule: first.id.clone(), reference: action.reference.clone() },
        authority: Authority { rule: first.id.as_str(), policy: policy.version.as_str() },
    };
    let mut entry = decided.ledger.credit(movement, Account::Issued, vec![lot])?;
    let told = decided.judged.told.iter().filter(|told| told.points != 0);
    entry.gave = told.map(|told| (told.rule.clone(), told.points)).collect();
    decided.entries.push(entry);
    Ok(())
}

#[cfg(test)]
mod tests {
    use aftercart::model::time::Period;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::rules::fixtures::{at, member, nobody};

    fn policy(actions: &Value) -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.earning = serde_json::from_value(json!({ "actions": actions })).unwrap();
        policy.points.check().unwrap();
        policy
    }

    fn action(kind: ActionKind, reference: &str, at: Timestamp) -> Action {
        Action { kind, reference: Text::new(reference).unwrap(), at }
    }

    fn title() -> Value {
        json!({ "en": "T" })
    }

    /// What happens to a member who does something again and again.
    struct Doer {
        ledger: Ledger,
        profile: Profile,
        once: BTreeSet<Text<40>>,
        policy: Policy,
    }

    impl Doer {
        fn new(actions: &Value) -> Self {
            let (ledger, profile) = (Ledger::empty(member()), nobody());
            Self { ledger, profile, once: BTreeSet::new(), policy: policy(actions) }
        }

        fn does(&mut self, action: &Action) -> Judged {
            let (ledger, profile, once) = (&self.ledger, &self.profile, &self.once);
            let facts = Facts { ledger, profile, once, now: action.at };
            let decided = decide(action, facts, &self.policy).unwrap();
            assert_eq!(decided.ledger.check(), Ok(()));
            let of_deed: i64 = decided
                .entries
                .iter()
                .filter(|entry| entry.id == decided.judged.id)
                .map(Entry::moved)
                .sum();
            assert_eq!(of_deed, decided.judged.points());
            self.once.extend(decided.once);
            self.ledger = decided.ledger;
            decided.judged
        }
    }

    fn gave(judged: &Judged) -> Vec<(&str, i64, Option<Why>)> {
        judged.told.iter().map(|it| (it.rule.as_str(), it.points, it.why)).collect()
    }

    #[test]
    fn every_rule_for_a_deed_is_looked_at_by_itself() {
        let mut doer = Doer::new(&json!([
            { "id": "review", "title": title(), "action": "review", "points": 20, "per_day": 2, "per_month": 3,
              "counts": "feedback" },
            { "id": "first", "title": title(), "action": "review", "points": 100, "once": true, "counts": "nothing" },
            { "id": "gold", "title": title(), "action": "review", "points": 5, "tiers": ["gold"] },
            { "id": "back", "title": title(), "action": "review", "points": 50, "when": { "idle_days": 30 } },
            { "id": "share", "title": title(), "action": "share", "points": 1 },
        ]));
        let review = |n: u32, day| action(ActionKind::Review, &format!("r{n}"), at(day));
        let (no, idle) = (("gold", 0, Some(Why::OtherTier)), ("back", 0, Some(Why::NotIdle)));
        let once = ("first", 0, Some(Why::Once));
        let first = doer.does(&review(1, 1));
        assert_eq!(gave(&first), [("review", 20, None), ("first", 100, None), no, idle]);
        assert_eq!(gave(&doer.does(&review(2, 1))), [("review", 20, None), once, no, idle]);
        let full = ("review", 0, Some(Why::DayLimit));
        assert_eq!(gave(&doer.does(&review(3, 1))), [full, once, no, idle]);
        assert_eq!(gave(&doer.does(&review(4, 2))), [("review", 20, None), once, no, idle]);
        let full = ("review", 0, Some(Why::MonthLimit));
        assert_eq!(gave(&doer.does(&review(5, 3))), [full, once, no, idle]);
        doer.profile.tier = Some(Text::new("gold").unwrap());
        let (gold, back) = (("gold", 5, None), ("back", 50, None));
        assert_eq!(gave(&doer.does(&review(6, 32))), [("review", 20, None), once, gold, back]);
        assert_eq!(doer.ledger.balance(Account::Available), 235);
        let done = &doer.ledger.standing.lifetime;
        assert_eq!((done.feedback, done.activity, done.points), (4, 0, 135), "not the first's");
    }

    #[test]
    fn checking_in_day_after_day_gives_more() {
        let mut doer = Doer::new(&json!([
            { "id": "check-in", "title": title(), "action": "check_in", "points": 1, "streak": { "3": 5, "5": 10 } },
        ]));
        let mut seen = Vec::new();
        for day in [1, 2, 3, 4, 5, 6, 8] {
            let now = at(day).plus(Period::of_seconds(3_600));
            let judged = doer.does(&Action::check_in(now, &doer.policy.points).unwrap());
            seen.push((judged.streak, judged.points()));
        }
        let streak = [(1, 1), (2, 1), (3, 6), (4, 1), (5, 11), (1, 1), (1, 1)];
        assert_eq!(seen, streak.map(|(day, points)| (Some(day), points)));
        let (policy, noon) = (&doer.policy.points, Period::of_seconds(12 * 3_600));
        let (morning, noon) =
            (Action::check_in(at(1), policy), Action::check_in(at(1).plus(noon), policy));
        assert_eq!(morning.unwrap().reference, noon.unwrap().reference, "one deed a day");
    }

    #[test]
    fn a_day_of_a_streak_that_gives_nothing_is_activity() {
        let mut doer = Doer::new(&json!([
            { "id": "streak", "title": title(), "action": "check_in", "points": 0,
              "streak": { "3": 5 }, "counts": "activity" },
        ]));
        for (day, gave) in [(1, 0), (2, 0), (3, 5)] {
            let judged = doer.does(&Action::check_in(at(day), &doer.policy.points).unwrap());
            let standing = &doer.ledger.standing;
            assert_eq!((judged.points(), standing.active_at), (gave, Some(at(day))));
            assert_eq!(standing.qualifying.activity, u32::from(day));
        }
    }

    proptest! {
        #[test]
        fn no_rule_gives_more_often_than_it_may(
            deeds in prop::collection::vec((0_u16..70, 0_u8..2), 0..60),
            per_day in prop::option::of(1_u32..4),
            per_month in prop::option::of(1_u32..6),
        ) {
            let mut doer = Doer::new(&json!([
                { "id": "share", "title": title(), "action": "share", "points": 7,
                  "per_day": per_day, "per_month": per_month },
                { "id": "first", "title": title(), "action": "share", "points": 30, "once": true },
            ]));
            let mut deeds = deeds;
            deeds.sort_unstable();
            let mut times = std::collections::BTreeMap::new();
            for (number, (day, _)) in deeds.iter().enumerate() {
                let judged = doer.does(&action(ActionKind::Share, &number.to_string(), at(*day)));
                let is = |rule: &str| judged.told.iter().any(|it| it.rule == rule && it.points > 0);
                prop_assert_eq!(is("first"), number == 0);
                if is("share") {
                    // The default policy's zone is UTC.
                    let (year, month, of_month) = at(*day).date_in(&doer.policy.points.zone).parts();
                    *times.entry((year, month, Some(of_month))).or_insert(0_u32) += 1;
                    *times.entry((year, month, None)).or_insert(0) += 1;
                }
            }
            for ((_, _, day), count) in times {
                let most = if day.is_some() { per_day } else { per_month };
                prop_assert!(most.is_none_or(|most| count <= most));
            }
        }
    }
}
