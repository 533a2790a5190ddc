//! Every 15 minutes: decides contests that are over, and gives their prizes.
//!
//! Who won is written once, when nothing is counted any more; from then on it
//! does not change. Each prize is an entry whose identity follows from the
//! member and the contest, so a run that stops half way goes on where it
//! stopped, and nobody gets a prize twice. A prize that cannot be given keeps
//! no other from being given: the run fails, and the next tries it again.

use std::sync::Arc;

use aftercart::{
    model::{contest::Outcome, customer::CustomerId, policy::Policy, programme::contests::Contest},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        schedule::{self, Outcome as Seen, Swept},
    },
    store::{CommitError, Index, Key, Op, Table, contests},
};

use crate::{
    posting, ranks,
    rules::{
        contests as rules,
        membership::{self, Deed},
        news::News,
    },
    soundness,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contest-end",
    about: "Decides contests that are over and gives their prizes.",
    trigger: Trigger::Schedule("rate(15 minutes)"),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a prize is given again when the ledger changed meanwhile.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let now = app.now();
    let mut swept = Swept::default();
    let over = |it: &&Contest| it.is_over(now) && !it.prizes.is_empty();
    for contest in policy.points.contests.iter().filter(over) {
        swept.see_to(contest.id.as_str(), end(&app, contest, &policy)).await;
    }
    Ok(swept)
}

async fn end(app: &App, contest: &Contest, policy: &Policy) -> Result<Seen, Failure> {
    let found = app.store.read(&[Key::outcome(&contest.id)]).await?;
    let outcome = match found.outcome(&contest.id)? {
        Some(outcome) if outcome.given => return Ok(Seen::Settled),
        Some(outcome) => outcome,
        None => decide(app, contest).await?,
    };
    let mut failed = None;
    for (rank, winner) in (1_u32..).zip(&outcome.winners) {
        for member in &winner.members {
            let given = give(app, member, &outcome, (rank, winner.prize), policy).await;
            if let Err(failure) = given {
                tracing::error!(customer = member.as_str(), error = %failure, "no prize yet");
                failed = Some(failure);
            }
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    match app.store.commit(contests::given(&outcome)).await {
        Ok(()) => Ok(Seen::Done),
        Err(CommitError::Lost(_)) => Err(Failure::bug("an outcome that was written is gone")),
        Err(error) => Err(error.into()),
    }
}

async fn decide(app: &App, contest: &Contest) -> Result<Outcome, Failure> {
    let most = u16::try_from(contest.prizes.len()).unwrap_or(u16::MAX);
    let first = ranks::first(app, contest, most, &[]).await?.contestants;
    let outcome = rules::outcome(contest, first, app.now());
    match app.store.commit(contests::decide(&outcome)).await {
        Ok(()) => Ok(outcome),
        Err(CommitError::Lost(_)) => Err(Failure::retry("another run decided the contest")),
        Err(error) => Err(error.into()),
    }
}

async fn give(
    app: &App,
    member: &CustomerId,
    outcome: &Outcome,
    (rank, prize): (u32, u32),
    policy: &Policy,
) -> Result<(), Failure> {
    let id = Outcome::prize(member, &outcome.contest);
    let keys = [Key::ledger(member), Key::entry(member, outcome.decided_at, &id)];
    let [_, given] = &keys;
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&keys).await?;
        if found.entry(given)?.is_some() {
            return Ok(());
        }
        let (before, now) = (found.ledger(member)?, app.now());
        let mut ledger = before.clone();
        let entry = rules::give(&mut ledger, outcome, prize, now, policy);
        let mut entries = vec![entry.map_err(Failure::poison)?];
        let after = membership::after(&mut ledger, &Deed::Granted, now, policy);
        let after = after.map_err(Failure::poison)?;
        entries.extend(after.entries);
        let contest = outcome.contest.clone();
        let mut news = vec![News::Won { contest, rank, points: i64::from(prize) }];
        news.extend(after.news);
        soundness::check(app, &ledger)?;
        let commit = posting::writes(&before, &ledger, &entries, &news, policy, now);
        match app.store.commit(commit).await {
            Ok(()) => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}
