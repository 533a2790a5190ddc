//! `POST /me/teams`: founds a team of a contest. `POST /me/teams/{team}/members`:
//! joins one. `DELETE /me/teams/{team}/members/me`: leaves it.
//! `PUT /me/contests/{contest}/name`: says by which name one is shown.
//!
//! A team's identity follows from its founder and the contest, and a member is
//! in one team of a contest, so a call that is repeated changes nothing: who
//! founds the same team again is answered as at first, and who would found
//! another is refused. Nobody finds the identity who does not know the contest's
//! salt: whoever is to join is told of it. Member
//! and team are written in one transaction, each under its version: a team
//! never has more members than it may, and nobody is in two.
//!
//! Who leaves takes along what was done for the team, and brings none of it to
//! another: there counts what is done since. When the contest is over nobody
//! joins or leaves any more.

use std::sync::Arc;

use aftercart::{
    model::{
        contest::{Part, Participant, Score, Team},
        customer::CustomerId,
        id::TeamId,
        programme::contests::Contest,
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Key, Op, Table, contests},
};

use crate::{
    account,
    wire::contests::{ChooseName, ContestantView, FoundTeam},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "team-change",
    about: "Founds, joins and leaves teams of contests, and chooses the name to be shown by.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/me/teams"),
        Route::shopper("POST", "/me/teams/{team}/members"),
        Route::shopper("DELETE", "/me/teams/{team}/members/me"),
        Route::shopper("PUT", "/me/contests/{contest}/name"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a change is decided again when others changed the team, or what
/// they did was counted, meanwhile.
const ATTEMPTS: u32 = 16;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, change))
}

/// What somebody wants.
enum Wish {
    /// To be in a team; to found it, if it has this name.
    Join(TeamId, Option<Text<40>>),
    /// To be in it no more.
    Leave(TeamId),
    /// To be shown by this name, or by a pseudonym.
    Name(Option<Text<40>>),
}

async fn change(app: Arc<App>, request: Request) -> Answer {
    let caller = request.member()?;
    let customer = account::ledger(&app, &caller).await?.customer;
    let policy = app.policy().await?;
    let known = |id: &Text<40>| policy.points.contest(id);
    let (contest, wish, status) = if request.is_for("/me/teams") {
        let FoundTeam { contest, name } = request.json()?;
        let contest = known(&contest)
            .ok_or_else(|| Problem::invalid("contest", "There is no such contest."))?;
        let team = Team::identity(&contest.id, &contest.salt, &customer);
        (contest, Wish::Join(team, Some(name)), 201)
    } else if request.is_for("/me/contests/{contest}/name") {
        let id = request.named("contest", "contest", Text::<40>::new)?;
        let ChooseName { name } = request.json()?;
        (known(&id).ok_or_else(|| Problem::not_found("contest"))?, Wish::Name(name), 200)
    } else {
        let id = request.named("team", "team", TeamId::parse)?;
        let team = app.store.read(&[Key::team(&id)]).await?.team(&id)?;
        let contest = team.as_ref().and_then(|team| known(&team.contest));
        let contest = contest.ok_or_else(|| Problem::not_found("team"))?;
        let leave = request.method() == "DELETE";
        (contest, if leave { Wish::Leave(id) } else { Wish::Join(id, None) }, 200)
    };
    let participant = apply(&app, contest, &customer, &wish).await?;
    Response::json(status, &ContestantView::of(contest, &participant, request.language(None)))
}

async fn apply(
    app: &App,
    contest: &Contest,
    customer: &CustomerId,
    wish: &Wish,
) -> Result<Participant, Failure> {
    let mut keys = vec![Key::participant(&contest.id, customer)];
    if let Wish::Join(team, _) | Wish::Leave(team) = wish {
        keys.push(Key::team(team));
    }
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&keys).await?;
        let before = found.participant(&contest.id, customer)?;
        let (now, team) = match wish {
            Wish::Name(name) => (Participant { name: name.clone(), ..before.clone() }, None),
            Wish::Join(id, name) => {
                let team = found.team(id)?;
                match join(contest, &before, (id, name.as_ref(), team), app.now())? {
                    None => return Ok(before),
                    Some((now, team)) => (now, Some(team)),
                }
            }
            Wish::Leave(id) => match leave(contest, &before, (id, found.team(id)?), app.now())? {
                None => return Ok(before),
                Some((now, team)) => (now, Some(team)),
            },
        };
        if now == before {
            return Ok(before);
        }
        let writes = std::iter::once(contests::save_participant(&now))
            .chain(team.as_ref().map(contests::save_team));
        match app.store.commit(writes.collect::<Commit>()).await {
            Ok(()) => return Ok(now),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry("the team changed, again and again"))
}

type Joined = Option<(Participant, Team)>;

/// The member and the team when the member is in it; nothing when that is so.
fn join(
    contest: &Contest,
    member: &Participant,
    (id, name, team): (&TeamId, Option<&Text<40>>, Option<Team>),
    now: Timestamp,
) -> Result<Joined, Problem> {
    let Some(size) = contest.team_size else {
        let detail = "In this contest everybody competes alone.";
        return Err(Problem::new(409, "contest-without-teams", "No teams", detail));
    };
    if member.team.as_ref().is_some_and(|team| team != id) {
        let detail = "You are in another team of this contest; leave it first.";
        return Err(Problem::new(409, "in-another-team", "In another team", detail));
    }
    if team.as_ref().zip(name).is_some_and(|(team, name)| team.name != *name) {
        let detail = format!("You founded team {id} of this contest, which keeps its name.");
        return Err(Problem::new(409, "team-founded", "Founded before", detail));
    }
    if member.team.is_some() {
        return Ok(None);
    }
    open(contest, now)?;
    let found = |name: &Text<40>| Team {
        id: id.clone(),
        contest: contest.id.clone(),
        name: name.clone(),
        members: [].into(),
        version: 0,
    };
    let team = team.or_else(|| name.map(found));
    let mut team = team.ok_or_else(|| Problem::not_found("team"))?;
    if team.members.len() >= usize::from(size) {
        let detail = format!("The team has the {size} members that it may have.");
        return Err(Problem::new(409, "team-full", "The team is full", detail));
    }
    let part = Part { joined_at: now, score: Score::default() };
    team.members.insert(member.customer.clone(), part);
    Ok(Some((Participant { team: Some(id.clone()), ..member.clone() }, team)))
}

/// The member and the team when the member has left it; nothing when the
/// member is in another, or in none.
fn leave(
    contest: &Contest,
    member: &Participant,
    (id, team): (&TeamId, Option<Team>),
    now: Timestamp,
) -> Result<Joined, Problem> {
    if member.team.as_ref() != Some(id) {
        return Ok(None);
    }
    open(contest, now)?;
    let mut team = team.ok_or_else(|| Problem::not_found("team"))?;
    team.members.remove(&member.customer);
    Ok(Some((Participant { team: None, ..member.clone() }, team)))
}

/// Teams change until the contest ends.
fn open(contest: &Contest, now: Timestamp) -> Result<(), Problem> {
    if now < contest.until {
        return Ok(());
    }
    let detail = "The contest is over; its teams stay as they are.";
    Err(Problem::new(409, "contest-over", "The contest is over", detail))
}
