//! `GET /contests/{contest}`: a contest, its first ranks and one's own.
//! `GET /me/teams/{team}/members`: one's team and what each member did for it.
//!
//! Others are shown by the names that they chose, or by pseudonyms. Ranks are
//! exact: nobody shares one, and the own is counted, however far behind it is.
//! They are those of the index, which is a moment behind. A page is one query,
//! one batched read and one count.

use std::sync::Arc;

use aftercart::{
    model::{
        contest::Participant, customer::CustomerId, id::TeamId, programme::contests::Contest,
        text::Text,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Found, Index, Key, Op, Table},
};

use crate::{
    account,
    ranks::{self, First},
    rules::contests::Contestant,
    wire::contests::{ContestView, Own, TeamView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contest-view",
    about: "Shows a contest with its first ranks and one's own, and one's team.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/contests/{contest}"),
        Route::shopper("GET", "/me/teams/{team}/members"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How many ranks are shown unless the call says otherwise.
const RANKS: u16 = 10;

/// The most ranks that are shown: one batched read, with the own.
const RANKS_MAX: u16 = 90;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let caller = request.member()?;
    let customer = account::ledger(&app, &caller).await?.customer;
    let policy = app.policy().await?;
    let language = request.language(None);
    if request.is_for("/me/teams/{team}/members") {
        request.only_query(&["lang"])?;
        let id = request.named("team", "team", TeamId::parse)?;
        let missing = || Problem::not_found("team");
        let team = app.store.read(&[Key::team(&id)]).await?.team(&id)?.ok_or_else(missing)?;
        let contest = policy.points.contest(&team.contest).ok_or_else(missing)?;
        if !team.members.contains_key(&customer) {
            return Err(missing().into());
        }
        let keys = team.members.keys().map(|it| Key::participant(&contest.id, it));
        let found = app.store.read(&keys.collect::<Vec<_>>()).await?;
        let members: Result<Vec<Participant>, _> =
            team.members.keys().map(|it| found.participant(&contest.id, it)).collect();
        return Response::json(200, &TeamView::of(contest, &team, &members?, &customer, language));
    }
    request.only_query(&["limit", "lang"])?;
    let most = most(&request)?;
    let id = request.named("contest", "contest", Text::<40>::new)?;
    let contest = policy.points.contest(&id).ok_or_else(|| Problem::not_found("contest"))?;
    let (first, own) = read(&app, contest, &customer, most).await?;
    Response::json(200, &ContestView::of(contest, &first, &own, app.now(), language))
}

/// How many ranks are asked for.
fn most(request: &Request) -> Result<u16, Problem> {
    let Some(text) = request.query("limit") else { return Ok(RANKS) };
    let fits = text.parse().ok().filter(|most| (1..=RANKS_MAX).contains(most));
    fits.ok_or_else(|| Problem::invalid("limit", format!("The limit must be 1 to {RANKS_MAX}.")))
}

/// The first ranks, and where the member is.
async fn read(
    app: &App,
    contest: &Contest,
    customer: &CustomerId,
    most: u16,
) -> Result<(Vec<Contestant>, Own), Failure> {
    let key = Key::participant(&contest.id, customer);
    let First { contestants, found } = ranks::first(app, contest, most, &[key]).await?;
    let participant = found.participant(&contest.id, customer)?;
    let competes = match (&contest.team_size, &participant.team) {
        (None, _) => Some(Contestant::Member(participant.clone())),
        (Some(_), Some(team)) => own_team(app, &found, team).await?,
        (Some(_), None) => None,
    };
    let rank = match competes.as_ref().and_then(Contestant::place) {
        None => None,
        Some(place) => {
            let shown = contestants.iter().position(|it| Some(it) == competes.as_ref());
            let ahead = match shown.and_then(|shown| u64::try_from(shown).ok()) {
                Some(ahead) => ahead,
                None => app.store.contest_ahead(&contest.id, &place).await?,
            };
            Some(ahead.saturating_add(1))
        }
    };
    Ok((contestants, Own { participant, competes, rank }))
}

/// The member's team: it is read already, if it is among the first.
async fn own_team(app: &App, found: &Found, id: &TeamId) -> Result<Option<Contestant>, Failure> {
    let team = match found.team(id)? {
        Some(team) => Some(team),
        None => app.store.read(&[Key::team(id)]).await?.team(id)?,
    };
    Ok(team.map(Contestant::Team))
}
