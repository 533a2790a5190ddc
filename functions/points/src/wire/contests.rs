//! Contests and teams.

use aftercart::model::{
    contest::{Participant, Team},
    customer::{CustomerId, Language},
    id::TeamId,
    programme::contests::Contest,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::{contests::Contestant, pseudonym};

/// Founds a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FoundTeam {
    /// Of which contest.
    pub contest: Text<40>,
    /// What others read.
    pub name: Text<40>,
}

/// Says by which name one is shown in a contest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChooseName {
    /// The name; a pseudonym, if it is left out.
    #[serde(default)]
    pub name: Option<Text<40>>,
}

/// How one takes part in a contest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContestantView {
    /// Which contest.
    pub contest: Text<40>,
    /// The name by which others see one: chosen, or a pseudonym.
    pub name: String,
    /// The team that one is in. Who knows it may join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
}

/// Where a contest stands in its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContestState {
    /// It has not begun.
    Upcoming,
    /// It runs.
    Running,
    /// It has ended; what was done in its time is still counted.
    Counting,
    /// It is over.
    Over,
}

/// A contest and who is ahead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContestView {
    /// Its name in routes.
    pub id: Text<40>,
    /// What members read.
    pub title: String,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// Where it stands.
    pub state: ContestState,
    /// The most members of a team; missing if members compete by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_size: Option<u16>,
    /// The first ranks.
    pub ranks: Vec<ContestRankView>,
    /// Where one is.
    pub own: OwnRankView,
}

/// A rank of a contest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContestRankView {
    /// Which rank, from 1. Of two with as many points who had them first is ahead.
    pub rank: u64,
    /// Of whom: the team's name, a name that the member chose, or a pseudonym.
    pub name: String,
    /// With how many points.
    pub points: i64,
    /// How many members the team has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<u32>,
    /// The points that each gets who has this rank in the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prize: Option<u32>,
    /// Whether it is one's own.
    pub own: bool,
}

/// Where one is in a contest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OwnRankView {
    /// The name by which others see one: chosen, or a pseudonym.
    pub name: String,
    /// The team that one is in. Who knows it may join.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// With how many points, those of the team in a contest of teams.
    pub points: i64,
    /// Which rank; missing as long as there are no points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
}

/// A team, as its members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TeamView {
    /// Its identity. Who knows it may join.
    pub id: TeamId,
    /// Of which contest.
    pub contest: Text<40>,
    /// What others read.
    pub name: Text<40>,
    /// What its members did together.
    pub points: i64,
    /// Who is in it, who did most first.
    pub members: Vec<TeamMemberView>,
}

/// A member of a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TeamMemberView {
    /// A name that the member chose, or a pseudonym.
    pub name: String,
    /// What the member did for the team.
    pub points: i64,
    /// Since when; what was done before counts for no team.
    pub joined_at: Timestamp,
    /// Whether it is oneself.
    pub own: bool,
}

/// Where a member is in a contest.
#[derive(Debug, Clone, PartialEq)]
pub struct Own {
    /// The member.
    pub participant: Participant,
    /// What competes for the member: the member or the team, if there is one.
    pub competes: Option<Contestant>,
    /// Which rank that has.
    pub rank: Option<u64>,
}

/// The name by which others see a member.
fn shown(contest: &Contest, member: &Participant, language: Language) -> String {
    match &member.name {
        Some(name) => name.as_str().to_owned(),
        None => pseudonym::of(contest, &member.customer, language),
    }
}

impl ContestantView {
    /// How a member takes part.
    #[must_use]
    pub fn of(contest: &Contest, member: &Participant, language: Language) -> Self {
        Self {
            contest: contest.id.clone(),
            name: shown(contest, member, language),
            team: member.team.clone(),
        }
    }
}

impl ContestState {
    fn of(contest: &Contest, now: Timestamp) -> Self {
        if now < contest.from {
            Self::Upcoming
        } else if contest.is_open(now) {
            Self::Running
        } else if contest.is_over(now) {
            Self::Over
        } else {
            Self::Counting
        }
    }
}

impl ContestView {
    /// A contest with these first ranks, as a member sees it.
    #[must_use]
    pub fn of(
        contest: &Contest,
        first: &[Contestant],
        own: &Own,
        now: Timestamp,
        language: Language,
    ) -> Self {
        let rank = |(number, it): (usize, &Contestant)| {
            let (name, members) = match it {
                Contestant::Member(member) => (shown(contest, member, language), None),
                Contestant::Team(team) => {
                    (team.name.as_str().to_owned(), u32::try_from(team.members.len()).ok())
                }
            };
            ContestRankView {
                rank: u64::try_from(number).unwrap_or(u64::MAX).saturating_add(1),
                name,
                points: it.score().points,
                members,
                prize: contest.prizes.get(number).copied(),
                own: Some(it) == own.competes.as_ref(),
            }
        };
        Self {
            id: contest.id.clone(),
            title: contest.title.text(language).to_owned(),
            from: contest.from,
            until: contest.until,
            state: ContestState::of(contest, now),
            team_size: contest.team_size,
            ranks: first.iter().enumerate().map(rank).collect(),
            own: OwnRankView {
                name: shown(contest, &own.participant, language),
                team: own.participant.team.clone(),
                points: own.competes.as_ref().map_or(0, |it| it.score().points),
                rank: own.rank,
            },
        }
    }
}

impl TeamView {
    /// A team with these members, as one of them sees it.
    #[must_use]
    pub fn of(
        contest: &Contest,
        team: &Team,
        members: &[Participant],
        own: &CustomerId,
        language: Language,
    ) -> Self {
        let member = |it: &Participant| {
            let part = team.members.get(&it.customer)?;
            Some(TeamMemberView {
                name: shown(contest, it, language),
                points: part.score.points,
                joined_at: part.joined_at,
                own: it.customer == *own,
            })
        };
        let mut members: Vec<TeamMemberView> = members.iter().filter_map(member).collect();
        members.sort_by_key(|it| (std::cmp::Reverse(it.points), it.joined_at));
        Self {
            id: team.id.clone(),
            contest: team.contest.clone(),
            name: team.name.clone(),
            points: team.score().points,
            members,
        }
    }
}
