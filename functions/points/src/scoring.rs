//! What `points.begun` asks: that a ledger is in the register. What
//! `points.earned` asks: how far a member is in every contest that runs.
//!
//! A score is counted again from the entries of the member's accounts and
//! written under the version that was read before them, so that of two who
//! count at once the later sees at least what the earlier saw. Accounts that
//! are linked compete as one: what was done in any of them counts for the main
//! one, and the others have no points, so that one person has one rank and one
//! prize.

use aftercart::{
    model::{
        contest::{Participant, Score, Team},
        customer::CustomerId,
        policy::Policy,
        programme::contests::Contest,
        time::Timestamp,
    },
    run::{App, Failure},
    store::{CommitError, Key, Write, contests, tallies},
};

use crate::{account, rules::contests::Count};

/// How often a score is counted again when somebody else wrote it, or another
/// member of the team, meanwhile.
const ATTEMPTS: u32 = 16;

/// How many entries are read at a time, some 200 KB.
const PAGE: u16 = 500;

/// The most entries of one account that count in one contest. Whoever moves
/// points more often than a hundred times a day is no person.
const ENTRIES_MAX: usize = 10_000;

/// Lists a ledger in the register, once.
///
/// The message that asks for it is written in one transaction with the first
/// version of the ledger, and with no later one: a ledger is not in the register
/// only as long as its message is under way. If it could not be handled it waits
/// among the parked messages, whose alarm rings; sent again from there, it heals
/// the register.
pub(crate) async fn register(app: &App, customer: &CustomerId) -> Result<(), Failure> {
    match app.store.commit(tallies::register(customer, app.now())).await {
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes how far a member is in the contests that are counted now.
pub(crate) async fn score(
    app: &App,
    customer: &CustomerId,
    policy: &Policy,
) -> Result<(), Failure> {
    let now = app.now();
    let contests = &policy.points.contests;
    let counted: Vec<&Contest> = contests.iter().filter(|it| it.is_counted(now)).collect();
    if counted.is_empty() {
        return Ok(());
    }
    let ledger = account::ledger(app, customer).await?;
    for contest in counted {
        for member in account::all(&ledger) {
            score_in(app, contest, member, policy).await?;
        }
    }
    Ok(())
}

async fn score_in(
    app: &App,
    contest: &Contest,
    customer: &CustomerId,
    policy: &Policy,
) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let Some(write) = scored(app, contest, customer, policy).await? else {
            return Ok(());
        };
        match app.store.commit(write).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("a score changed {ATTEMPTS} times while it was counted")))
}

/// The write of a score that is another one than what is written.
async fn scored(
    app: &App,
    contest: &Contest,
    customer: &CustomerId,
    policy: &Policy,
) -> Result<Option<Write>, Failure> {
    let found = app.store.read(&[Key::participant(&contest.id, customer)]).await?;
    let participant = found.participant(&contest.id, customer)?;
    if contest.team_size.is_none() {
        let score = count(app, contest, contest.from, customer, policy).await?;
        let changed = score != participant.score;
        return Ok(
            changed.then(|| contests::save_participant(&Participant { score, ..participant }))
        );
    }
    let Some(id) = participant.team else { return Ok(None) };
    let Some(team) = app.store.read(&[Key::team(&id)]).await?.team(&id)? else { return Ok(None) };
    let Some(part) = team.members.get(customer).copied() else { return Ok(None) };
    let score = count(app, contest, part.joined_at, customer, policy).await?;
    if score == part.score {
        return Ok(None);
    }
    let mut now: Team = team;
    if let Some(part) = now.members.get_mut(customer) {
        part.score = score;
    }
    Ok(Some(contests::save_team(&now)))
}

/// The accounts whose entries count for one: itself and those that are linked
/// into it, or none if it is linked into another one. They are read after what
/// is written from them, as the entries are.
async fn accounts(app: &App, customer: &CustomerId) -> Result<Vec<CustomerId>, Failure> {
    let ledger = app.store.read(&[Key::ledger(customer)]).await?.ledger(customer)?;
    if ledger.link.into.is_some() {
        return Ok(Vec::new());
    }
    Ok(account::all(&ledger).cloned().collect())
}

async fn count(
    app: &App,
    contest: &Contest,
    since: Timestamp,
    customer: &CustomerId,
    policy: &Policy,
) -> Result<Score, Failure> {
    let mut count = Count::begin(contest, &policy.points.earning, since);
    let range = count.range();
    for account in &accounts(app, customer).await? {
        let (mut read, mut next) = (0_usize, None);
        while read < ENTRIES_MAX {
            let page = app.store.entries_between(account, range, next.as_ref(), PAGE).await?;
            page.items.iter().for_each(|entry| count.add(entry));
            read = read.saturating_add(page.items.len());
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    Ok(count.score())
}
