//! Contests: who takes part, teams, and how they ended.
//!
//! A member in a contest and a team are each written whole under their version.
//! What competes in a contest, the members or the teams, is in the index of
//! what is due, in a partition of the contest, by its place: so the first ranks
//! are one query, and a rank is a count. Schedules do not read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    contest::{Outcome, Part, Participant, Score, Team, Winner},
    customer::CustomerId,
    id::TeamId,
    text::Text,
    time::Timestamp,
};

use super::{
    DueTable, Found, Key, Sends, Store, StoreError, Write,
    commit::Condition,
    item::{Item, from_item, is_default, stored},
    key::{DUE, DUE_SHARD},
    read::key_of,
};

const VERSION: &str = "n";

/// What participants are stored under, in the partitions of members.
const PARTICIPANT_PREFIX: &str = "CONTEST#";

type StoredScore = (i64, Option<Timestamp>);

#[derive(Serialize, Deserialize)]
struct StoredParticipant {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    c: Text<40>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    na: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<TeamId>,
    s: StoredScore,
    n: u64,
}
stored!(StoredParticipant, "member in a contest", 1);

#[derive(Serialize, Deserialize)]
struct StoredTeam {
    v: u32,
    #[serde(skip_serializing)]
    pk: TeamId,
    c: Text<40>,
    na: Text<40>,
    m: BTreeMap<CustomerId, (Timestamp, StoredScore)>,
    n: u64,
}
stored!(StoredTeam, "team", 1);

#[derive(Serialize, Deserialize)]
struct StoredOutcome {
    v: u32,
    c: Text<40>,
    at: Timestamp,
    w: Vec<StoredWinner>,
    #[serde(default, skip_serializing_if = "is_default")]
    g: bool,
}
stored!(StoredOutcome, "outcome of a contest", 1);

#[derive(Serialize, Deserialize)]
struct StoredWinner {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<TeamId>,
    m: Vec<CustomerId>,
    p: i64,
    z: u32,
}

/// What competes in a contest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Competitor {
    /// A member.
    Member(CustomerId),
    /// A team.
    Team(TeamId),
}

/// The partition of the index in which a contest lies.
fn ranks(contest: &Text<40>) -> String {
    format!("contest {contest}")
}

fn ranked(write: Write, contest: &Text<40>, score: Score, identity: &str) -> Write {
    match score.place(identity) {
        Some(place) => write.indexed(DUE_SHARD, ranks(contest)).indexed(DUE, place),
        None => write,
    }
}

/// Writes a member in a contest over what was read. Loses when somebody else
/// wrote meanwhile.
#[must_use]
pub fn save_participant(it: &Participant) -> Write {
    let form = StoredParticipant {
        v: 1,
        pk: it.customer.clone(),
        c: it.contest.clone(),
        na: it.name.clone(),
        t: it.team.clone(),
        s: (it.score.points, it.score.reached_at),
        n: it.version.saturating_add(1),
    };
    let write = Write::put(Key::participant(&it.contest, &it.customer), &form, &Sends::none())
        .unchanged(VERSION, it.version);
    ranked(write, &it.contest, it.score, it.customer.as_str())
}

/// Writes a team over what was read. Loses when somebody else wrote meanwhile.
#[must_use]
pub fn save_team(team: &Team) -> Write {
    let part = |part: &Part| (part.joined_at, (part.score.points, part.score.reached_at));
    let form = StoredTeam {
        v: 1,
        pk: team.id.clone(),
        c: team.contest.clone(),
        na: team.name.clone(),
        m: team.members.iter().map(|(member, it)| (member.clone(), part(it))).collect(),
        n: team.version.saturating_add(1),
    };
    let write =
        Write::put(Key::team(&team.id), &form, &Sends::none()).unchanged(VERSION, team.version);
    ranked(write, &team.contest, team.score(), team.id.as_str())
}

/// Writes how a contest ended. Loses when that was written before.
#[must_use]
pub fn decide(outcome: &Outcome) -> Write {
    written(outcome).when(Condition::Absent)
}

/// Notes that the prizes of a contest were given. What else was written stays
/// as it is, because it never changes.
#[must_use]
pub fn given(outcome: &Outcome) -> Write {
    written(&Outcome { given: true, ..outcome.clone() }).when(Condition::Exists)
}

fn written(outcome: &Outcome) -> Write {
    let winner = |it: &Winner| StoredWinner {
        t: it.team.clone(),
        m: it.members.clone(),
        p: it.points,
        z: it.prize,
    };
    let form = StoredOutcome {
        v: 1,
        c: outcome.contest.clone(),
        at: outcome.decided_at,
        w: outcome.winners.iter().map(winner).collect(),
        g: outcome.given,
    };
    Write::put(Key::outcome(&outcome.contest), &form, &Sends::none())
}

fn participant_from_item(item: &Item) -> Result<Participant, StoreError> {
    let StoredParticipant { pk, c, na, t, s: (points, reached_at), n, .. } = from_item(item)?;
    let score = Score { points, reached_at };
    Ok(Participant { contest: c, customer: pk, name: na, team: t, score, version: n })
}

fn team_from_item(item: &Item) -> Result<Team, StoreError> {
    let form: StoredTeam = from_item(item)?;
    let part =
        |(joined_at, (points, reached_at))| Part { joined_at, score: Score { points, reached_at } };
    Ok(Team {
        id: form.pk,
        contest: form.c,
        name: form.na,
        members: form.m.into_iter().map(|(member, it)| (member, part(it))).collect(),
        version: form.n,
    })
}

fn outcome_from_item(item: &Item) -> Result<Outcome, StoreError> {
    let form: StoredOutcome = from_item(item)?;
    let winner = |it: StoredWinner| Winner { team: it.t, members: it.m, points: it.p, prize: it.z };
    Ok(Outcome {
        contest: form.c,
        decided_at: form.at,
        winners: form.w.into_iter().map(winner).collect(),
        given: form.g,
    })
}

/// What an item of the index names.
fn competitor(item: &Item) -> Option<Competitor> {
    let (pk, sk) = key_of(item)?;
    match sk.starts_with(PARTICIPANT_PREFIX) {
        true => CustomerId::parse(&pk).ok().map(Competitor::Member),
        false => TeamId::parse(&pk).ok().map(Competitor::Team),
    }
}

impl Found {
    /// The member in the contest, as [`Participant::new`] if nothing is known.
    /// It must have been asked for under [`Key::participant`].
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn participant(
        &self,
        contest: &Text<40>,
        customer: &CustomerId,
    ) -> Result<Participant, StoreError> {
        let item = self.item(&Key::participant(contest, customer));
        let new = || Ok(Participant::new(contest.clone(), customer.clone()));
        item.map_or_else(new, participant_from_item)
    }

    /// The team, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn team(&self, team: &TeamId) -> Result<Option<Team>, StoreError> {
        self.item(&Key::team(team)).map(team_from_item).transpose()
    }

    /// How the contest ended, if it was asked for and is decided.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn outcome(&self, contest: &Text<40>) -> Result<Option<Outcome>, StoreError> {
        self.item(&Key::outcome(contest)).map(outcome_from_item).transpose()
    }
}

impl Store {
    /// Who is ahead in a contest, the first first, as the index has it: a
    /// moment behind.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contest_ranks(
        &self,
        contest: &Text<40>,
        most: u16,
    ) -> Result<Vec<Competitor>, StoreError> {
        let ranks = ranks(contest);
        let (items, _) = self.earliest_due(DueTable::Points, &ranks, None, most).await?;
        Ok(items.iter().filter_map(competitor).collect())
    }

    /// How many are ahead of a place in a contest, as the index has it. Some
    /// 7,000 are counted in one round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn contest_ahead(&self, contest: &Text<40>, place: &str) -> Result<u64, StoreError> {
        self.due_before(DueTable::Points, &ranks(contest), place).await
    }
}
