//! Contests: who takes part, how far they are, and how they ended.
//!
//! What a member did in a contest is what the entries of the member's ledger
//! say, so a score is counted again from them and written down whole. Who is
//! ahead is told by points, then by who had them first.

use std::collections::BTreeMap;

use super::{
    customer::CustomerId,
    id::{EntryId, TeamId},
    points::MAX_POINTS,
    text::Text,
    time::{Period, Timestamp},
};

/// How long after the end of a contest it is still counted: payments that were
/// made in time may be told of some minutes later, the queue of points may be
/// behind, and of what is taken back until then nothing wins. It is a quarter of
/// an hour before the decision, in which the index of the ranks catches up.
pub const COUNTED_FOR: Period = Period::of_seconds(105 * 60);

/// How long after the end of a contest it is decided: when nothing is counted
/// any more, and the index of its ranks has long caught up.
pub const DECIDED_AFTER: Period = Period::of_seconds(2 * 60 * 60);

/// How far somebody is in a contest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Score {
    /// How many points, never negative.
    pub points: i64,
    /// When the last thing was done that counts.
    pub reached_at: Option<Timestamp>,
}

/// A member in a contest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Which contest.
    pub contest: Text<40>,
    /// Who.
    pub customer: CustomerId,
    /// The name that the member chose to be shown by; a pseudonym otherwise.
    pub name: Option<Text<40>>,
    /// The team that the member is in.
    pub team: Option<TeamId>,
    /// How far the member is, in a contest of members.
    pub score: Score,
    /// How often this was written.
    pub version: u64,
}

/// A team of a contest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Derived from the contest, its salt and the founder. Who knows it may join.
    pub id: TeamId,
    /// Which contest.
    pub contest: Text<40>,
    /// What others read.
    pub name: Text<40>,
    /// Who is in it.
    pub members: BTreeMap<CustomerId, Part>,
    /// How often this was written.
    pub version: u64,
}

/// What a member does for a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Since when the member is in it. What was done before counts for no team.
    pub joined_at: Timestamp,
    /// What the member did for it.
    pub score: Score,
}

/// How a contest ended. It never changes, but for what was given of its prizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Which contest.
    pub contest: Text<40>,
    /// When it was decided.
    pub decided_at: Timestamp,
    /// Who won, the first first.
    pub winners: Vec<Winner>,
    /// Whether every prize was given.
    pub given: bool,
}

/// Who came to a rank that has a prize.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Winner {
    /// The team, if teams competed.
    pub team: Option<TeamId>,
    /// The member, or those of the team who had done something for it when the
    /// contest was decided.
    pub members: Vec<CustomerId>,
    /// With how many points.
    pub points: i64,
    /// What each member gets.
    pub prize: u32,
}

impl Score {
    /// The place among others, the best first when these texts are in their
    /// order: more points, then who had them earlier, then by identity, so
    /// that no two are equal. None for who has no points.
    #[must_use]
    pub fn place(&self, identity: &str) -> Option<String> {
        let reached_at = self.reached_at.filter(|_| self.points > 0)?;
        let behind = MAX_POINTS.saturating_sub(self.points).max(0);
        Some(format!("{behind:013} {reached_at} {identity}"))
    }
}

impl Participant {
    /// A member of whom nothing is known in a contest.
    #[must_use]
    pub fn new(contest: Text<40>, customer: CustomerId) -> Self {
        let score = Score::default();
        Self { contest, customer, name: None, team: None, score, version: 0 }
    }
}

impl Team {
    /// The identity of the team that a member founds in a contest with this
    /// salt. Who knows the founder but not the salt does not find it.
    #[must_use]
    pub fn identity(contest: &Text<40>, salt: &Text<100>, founder: &CustomerId) -> TeamId {
        TeamId::derive(&[contest.as_str(), salt.as_str(), founder.as_str()])
    }

    /// What its members did together.
    #[must_use]
    pub fn score(&self) -> Score {
        let parts = || self.members.values().map(|part| part.score);
        Score {
            points: parts().fold(0, |sum, score| sum.saturating_add(score.points)),
            reached_at: parts().filter_map(|score| score.reached_at).max(),
        }
    }
}

impl Outcome {
    /// The identity of the entry that gives a member the prize of a contest.
    #[must_use]
    pub fn prize(customer: &CustomerId, contest: &Text<40>) -> EntryId {
        EntryId::derive(&[customer.as_str(), "prize", contest.as_str()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(points: i64, second: i64) -> Score {
        Score { points, reached_at: Timestamp::from_unix_seconds(second).ok() }
    }

    #[test]
    fn places_are_by_points_then_by_time_then_by_identity() {
        let ranked = [
            (score(MAX_POINTS, 9), "z"),
            (score(1_000, 9), "y"),
            (score(999, 1), "b"),
            (score(999, 2), "a"),
            (score(999, 2), "b"),
            (score(1, 0), "a"),
        ];
        let places: Vec<String> =
            ranked.iter().map(|(score, identity)| score.place(identity).unwrap()).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
        assert_eq!(score(0, 1).place("a"), None);
        assert_eq!(Score { points: 1, reached_at: None }.place("a"), None);
    }

    #[test]
    fn a_team_is_found_by_who_knows_the_salt() {
        let identity = |salt: &str, founder: &str| {
            let founder = CustomerId::member(founder).unwrap();
            Team::identity(&Text::new("spring").unwrap(), &Text::new(salt).unwrap(), &founder)
        };
        assert_eq!(identity("s", "ada"), identity("s", "ada"));
        assert_ne!(identity("s", "ada"), identity("t", "ada"));
        assert_ne!(identity("s", "ada"), identity("s", "bob"));
    }

    #[test]
    fn a_team_is_what_its_members_did_together() {
        let at = Timestamp::from_unix_seconds(0).unwrap();
        let part = |score| Part { joined_at: at, score };
        let member = |name| CustomerId::member(name).unwrap();
        let contest = Text::new("spring").unwrap();
        let team = Team {
            id: Team::identity(&contest, &Text::new("s").unwrap(), &member("a")),
            name: Text::new("Foxes").unwrap(),
            members: [
                (member("a"), part(score(5, 7))),
                (member("b"), part(score(3, 4))),
                (member("c"), part(Score::default())),
            ]
            .into(),
            contest,
            version: 1,
        };
        assert_eq!(team.score(), score(8, 7));
    }
}
