//! How far somebody is in a contest, and who has won it.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    contest::{Outcome, Part, Participant, Score, Team, Winner},
    id::OrderId,
    points::{Account, Authority, Cause, Entry, Ledger, LedgerError, Movement},
    policy::Policy,
    programme::{contests::Contest, earning::EarningPolicy},
    time::Timestamp,
};

use super::expiry;

/// The name that entries of prizes give this rule.
pub const PRIZE_RULE: &str = "contest_prize";

/// Counts what entries amount to in a contest, in whatever order they are added.
#[derive(Debug)]
pub struct Count<'a> {
    contest: &'a Contest,
    earning: &'a EarningPolicy,
    since: Timestamp,
    orders: BTreeSet<OrderId>,
    taken: BTreeMap<OrderId, i64>,
    score: Score,
}

impl<'a> Count<'a> {
    /// Nothing is counted yet. What was done before `since` counts no more than
    /// what was done before the contest began.
    #[must_use]
    pub fn begin(contest: &'a Contest, earning: &'a EarningPolicy, since: Timestamp) -> Self {
        let since = since.max(contest.from);
        Self {
            contest,
            earning,
            since,
            orders: BTreeSet::new(),
            taken: BTreeMap::new(),
            score: Score::default(),
        }
    }

    /// The first and the last moment at which an entry says something: what
    /// is taken back says so until nothing is counted any more.
    #[must_use]
    pub fn range(&self) -> (Timestamp, Timestamp) {
        let end = self.contest.counted_until();
        let last = Timestamp::from_unix_millis(end.unix_millis().saturating_sub(1));
        (self.since, last.unwrap_or(end))
    }

    /// Counts an entry, if it counts: what a purchase or a deed earned while
    /// the contest ran, and what was taken back of a purchase that counted.
    pub fn add(&mut self, entry: &Entry) {
        let (first, last) = self.range();
        if entry.at < first || entry.at > last {
            return;
        }
        match &entry.cause {
            Cause::OrderPaid(_) | Cause::Action { .. } if !self.contest.is_open(entry.at) => {}
            Cause::OrderPaid(order) if self.contest.purchases => {
                self.orders.insert(order.clone());
                self.plus(entry);
            }
            Cause::OrderCancelled(order) => {
                let taken = self.taken.entry(order.clone()).or_default();
                *taken = taken.saturating_add(entry.into(Account::Cancelled));
            }
            Cause::Action { rule, .. } => {
                let rule = self.earning.actions.iter().find(|it| it.id == *rule);
                if rule.is_some_and(|rule| self.contest.actions.contains(&rule.action)) {
                    self.plus(entry);
                }
            }
            _ => {}
        }
    }

    fn plus(&mut self, entry: &Entry) {
        let earned = entry.into(Account::Issued).saturating_neg();
        self.score.points = self.score.points.saturating_add(earned);
        self.score.reached_at = self.score.reached_at.max(Some(entry.at));
    }

    /// What was counted.
    #[must_use]
    pub fn score(&self) -> Score {
        let of_counted = self.taken.iter().filter(|(order, _)| self.orders.contains(*order));
        let taken = of_counted.fold(0_i64, |sum, (_, points)| sum.saturating_add(*points));
        Score { points: self.score.points.saturating_sub(taken).max(0), ..self.score }
    }
}

/// Who competes, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contestant {
    /// A member.
    Member(Participant),
    /// A team.
    Team(Team),
}

impl Contestant {
    /// How far it is.
    #[must_use]
    pub fn score(&self) -> Score {
        match self {
            Self::Member(member) => member.score,
            Self::Team(team) => team.score(),
        }
    }

    /// Its place among others, see [`Score::place`].
    #[must_use]
    pub fn place(&self) -> Option<String> {
        self.score().place(match self {
            Self::Member(member) => member.customer.as_str(),
            Self::Team(team) => team.id.as_str(),
        })
    }
}

/// Those who have points, the first first.
#[must_use]
pub fn ranked(contestants: Vec<Contestant>) -> Vec<Contestant> {
    let mut placed: Vec<(String, Contestant)> =
        contestants.into_iter().filter_map(|it| Some((it.place()?, it))).collect();
    placed.sort_by(|(one, _), (other, _)| one.cmp(other));
    placed.into_iter().map(|(_, it)| it).collect()
}

/// How a contest ends in which these are the first, in any order. Of a team
/// win those who did something for it.
#[must_use]
pub fn outcome(contest: &Contest, first: Vec<Contestant>, now: Timestamp) -> Outcome {
    let winner = |(it, prize): (Contestant, &u32)| {
        let points = it.score().points;
        let (team, members) = match it {
            Contestant::Member(member) => (None, vec![member.customer]),
            Contestant::Team(team) => {
                let did = |(member, part): (_, Part)| (part.score.points > 0).then_some(member);
                (Some(team.id), team.members.into_iter().filter_map(did).collect())
            }
        };
        Winner { team, members, points, prize: *prize }
    };
    let winners = ranked(first).into_iter().zip(&contest.prizes).map(winner);
    Outcome {
        contest: contest.id.clone(),
        decided_at: now,
        winners: winners.collect(),
        given: false,
    }
}

/// Gives a member the prize of a contest. The entry is dated when the contest
/// was decided, so that it has one place among the entries however often it is
/// given.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn give(
    ledger: &mut Ledger,
    outcome: &Outcome,
    prize: u32,
    now: Timestamp,
    policy: &Policy,
) -> Result<Entry, LedgerError> {
    let (contest, at) = (&outcome.contest, outcome.decided_at);
    let life = policy.points.expiry.grants.unwrap_or(policy.points.expiry.purchases);
    let lot = expiry::lot(i64::from(prize), at, now, life, &policy.points);
    let movement = Movement {
        id: Outcome::prize(&ledger.customer, contest),
        at,
        cause: Cause::Prize(contest.clone()),
        authority: Authority { rule: PRIZE_RULE, policy: policy.version.as_str() },
    };
    ledger.credit(movement, Account::Issued, vec![lot])
}

#[cfg(test)]
mod tests {
    use aftercart::model::{customer::CustomerId, points::Posting, text::Text};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rules::fixtures::at;

    fn contest(purchases: bool, actions: &[&str]) -> Contest {
        serde_json::from_value(json!({
            "id": "spring", "title": { "en": "Spring" }, "from": at(10), "until": at(20),
            "purchases": purchases, "actions": actions, "prizes": [500, 100], "salt": "s",
        }))
        .unwrap()
    }

    fn earning() -> EarningPolicy {
        let rule = |action: &str| json!({ "id": action, "title": { "en": action }, "action": action, "points": 5 });
        let rules = json!({ "actions": [rule("review"), rule("share")] });
        serde_json::from_value(rules).unwrap()
    }

    fn text<const MAX: usize>(text: &str) -> Text<MAX> {
        Text::new(text).unwrap()
    }

    fn entry(day: u16, cause: Cause, from: Account, to: Account, points: i64) -> Entry {
        let posting = |account, points| Posting { account, points };
        Entry {
            id: Ledger::empty(CustomerId::member("a").unwrap()).entry_id("x", "", ""),
            customer: CustomerId::member("a").unwrap(),
            at: at(day),
            cause,
            rule: String::new(),
            policy: String::new(),
            postings: vec![posting(from, -points), posting(to, points)],
            lines: Vec::new(),
            gave: Vec::new(),
            lots: Vec::new(),
        }
    }

    fn paid(day: u16, order: &str, points: i64) -> Entry {
        let cause = Cause::OrderPaid(OrderId::derive(&[order]));
        entry(day, cause, Account::Issued, Account::Pending, points)
    }

    fn cancelled(day: u16, order: &str, points: i64) -> Entry {
        let cause = Cause::OrderCancelled(OrderId::derive(&[order]));
        entry(day, cause, Account::Pending, Account::Cancelled, points)
    }

    fn action(day: u16, rule: &str, points: i64) -> Entry {
        let cause = Cause::Action { rule: text(rule), reference: text("1") };
        entry(day, cause, Account::Issued, Account::Available, points)
    }

    /// The same in both orders.
    fn score(contest: &Contest, since: u16, entries: &[Entry]) -> (i64, Option<Timestamp>) {
        let earning = earning();
        let begin = || Count::begin(contest, &earning, at(since));
        let (mut count, mut backward) = (begin(), begin());
        entries.iter().for_each(|entry| count.add(entry));
        entries.iter().rev().for_each(|entry| backward.add(entry));
        assert_eq!(count.score(), backward.score());
        (count.score().points, count.score().reached_at)
    }

    #[test]
    fn what_counts_is_what_the_contest_says_in_its_time() {
        let entries = [
            paid(9, "early", 1_000),
            paid(10, "first", 100),
            action(11, "review", 5),
            cancelled(12, "early", 1_000),
            cancelled(10, "first", 40),
            action(14, "share", 7),
            entry(15, Cause::Milestone(text("m")), Account::Issued, Account::Available, 50),
            paid(20, "late", 1_000),
        ];
        for (contest, since, points, reached) in [
            (contest(true, &[]), 0, 60, Some(at(10))),
            (contest(true, &["review"]), 0, 65, Some(at(11))),
            (contest(false, &["review", "share"]), 0, 12, Some(at(14))),
            (contest(false, &["community"]), 0, 0, None),
            (contest(true, &["share"]), 11, 7, Some(at(14))),
        ] {
            assert_eq!(score(&contest, since, &entries), (points, reached), "{contest:?}");
        }
        let taken = [paid(10, "a", 10), cancelled(11, "a", 10)];
        assert_eq!(score(&contest(true, &[]), 0, &taken).0, 0);
    }

    /// Goods that are bought for the contest and given back when it has ended.
    #[test]
    fn what_is_taken_back_before_the_decision_counts_no_more() {
        let contest = contest(true, &["review"]);
        let end = contest.counted_until();
        let before = Timestamp::from_unix_millis(end.unix_millis() - 1).unwrap();
        let back = |at| Entry { at, ..cancelled(0, "a", 30) };
        for (last, points) in [(back(contest.until), 70), (back(before), 70), (back(end), 100)] {
            assert_eq!(score(&contest, 0, &[paid(10, "a", 100), last]).0, points);
        }
        let late = [paid(20, "a", 100), action(20, "review", 5), back(before)];
        assert_eq!(score(&contest, 0, &late).0, 0);
    }

    fn member(name: &str, points: i64, day: u16) -> Contestant {
        let customer = CustomerId::member(name).unwrap();
        let score = Score { points, reached_at: Some(at(day)) };
        Contestant::Member(Participant { score, ..Participant::new(text("spring"), customer) })
    }

    #[test]
    fn the_first_win_and_nobody_without_points() {
        let contest = contest(true, &[]);
        let first = vec![member("a", 5, 12), member("b", 0, 11), member("c", 5, 11)];
        let ended = outcome(&contest, first, at(21));
        let won: Vec<(&str, u32)> =
            ended.winners.iter().map(|it| (it.members[0].as_str(), it.prize)).collect();
        assert_eq!(won, [("cus_c", 500), ("cus_a", 100)]);
    }

    #[test]
    fn of_a_team_win_those_who_did_something_for_it() {
        let part = |points| {
            let score = Score { points, reached_at: Some(at(12)) };
            Part { joined_at: at(11), score }
        };
        let of = |name: &str| CustomerId::member(name).unwrap();
        let team = Team {
            id: Team::identity(&text("spring"), &text("s"), &of("a")),
            contest: text("spring"),
            name: text("Foxes"),
            members: [(of("a"), part(5)), (of("b"), part(0)), (of("c"), part(1))].into(),
            version: 1,
        };
        let ended = outcome(&contest(true, &[]), vec![Contestant::Team(team)], at(21));
        assert_eq!(ended.winners[0].members, [of("a"), of("c")]);
    }

    #[test]
    fn a_prize_is_one_entry_however_often_it_is_given() {
        let policy = Policy::default_document().unwrap();
        let contest = contest(true, &[]);
        let ended = outcome(&contest, vec![member("a", 5, 12)], at(21));
        let mut ledger = Ledger::empty(CustomerId::member("a").unwrap());
        let first = give(&mut ledger.clone(), &ended, 500, at(21), &policy).unwrap();
        let again = give(&mut ledger, &ended, 500, at(22), &policy).unwrap();
        assert_eq!((&first.id, first.at), (&again.id, again.at));
        assert_eq!((ledger.spendable(), ledger.check()), (500, Ok(())));
    }

    proptest! {
        /// Ranks are exact: nobody with a later place has more points, and all
        /// who have points have a rank, whatever the order in which they came.
        #[test]
        fn ranks_are_exact(scores in prop::collection::vec((0_i64..5, 0_u16..5), 0..40)) {
            let all: Vec<Contestant> = scores
                .iter()
                .enumerate()
                .map(|(number, (points, day))| member(&format!("m{number}"), *points, *day))
                .collect();
            let mut backward = all.clone();
            backward.reverse();
            let ranks = ranked(all);
            prop_assert_eq!(&ranks, &ranked(backward));
            prop_assert_eq!(ranks.len(), scores.iter().filter(|(points, _)| *points > 0).count());
            for pair in ranks.windows(2) {
                let (one, other) = (pair[0].score(), pair[1].score());
                let ahead = one.points > other.points
                    || (one.points == other.points && one.reached_at <= other.reached_at);
                prop_assert!(ahead, "{:?}", pair);
            }
        }
    }
}
