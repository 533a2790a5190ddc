//! Every 15 minutes: makes the tally of the day, if it is not made yet: what
//! all ledgers amount to, and whether each is sound. One that is not complete at
//! midnight is completed before another is begun.
//!
//! It goes through the register of ledgers, which does not change its order
//! while others write, so that every ledger is looked at once. A run reads a
//! bounded number of them and writes how far it came, and the next goes on
//! there; two that run at once do the same, and one of them loses. Each run
//! first counts `TallyAge`, how many seconds ago the latest tally was begun that
//! is complete, so that an alarm sees when none is completed any more.

use std::sync::Arc;

use aftercart::{
    model::{
        points::Account,
        policy::Policy,
        tally::{Place, Tally},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, Swept},
    },
    store::{CommitError, Index, Key, Op, Table, tallies},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-tally",
    about: "Sums what all ledgers of points amount to, once a day.",
    trigger: Trigger::Schedule("rate(15 minutes)"),
    needs: &[
        Need::Table(Table::Points, &[Op::Query, Op::BatchGetItem, Op::PutItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How many ledgers are read at a time, as many as one batched read takes.
const PAGE: u16 = 100;

/// The most pages of a run: at some 40 ms each they take a sixth of the minute
/// that a run has. A million ledgers take half a day.
const PAGES_MAX: u32 = 250;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let now = app.now();
    let latest = app.store.latest_tallies().await?;
    if let Some(age) = age(&latest, now) {
        app.metrics.add(Metric::TallyAge, age, now);
    }
    let mut swept = Swept::default();
    let today = now.date_in(&policy.points.zone);
    let tally = match latest.into_iter().next() {
        Some(tally) if !tally.is_complete() || tally.date >= today => tally,
        _ => Tally::begin(today, now),
    };
    swept.see_to(&tally.date.to_string(), go_on(&app, tally, &policy)).await;
    Ok(swept)
}

/// How many seconds ago the latest tally was begun that is complete; the first
/// of all, if none is. None when there is no tally.
fn age(latest: &[Tally], now: Timestamp) -> Option<i64> {
    let tally = latest.iter().find(|it| it.is_complete()).or(latest.last())?;
    let millis = now.unix_millis().saturating_sub(tally.begun_at.unix_millis());
    Some(millis.max(0) / 1_000)
}

async fn go_on(app: &App, mut tally: Tally, policy: &Policy) -> Result<Outcome, Failure> {
    if tally.is_complete() {
        return Ok(Outcome::Settled);
    }
    let now = app.now();
    let unsound = tally.unsound;
    for _ in 0..PAGES_MAX {
        let Some(place) = tally.next.take() else { break };
        tally.next = page(app, &mut tally, &place, policy).await?;
    }
    match app.store.commit(tallies::save(&tally)).await {
        Ok(()) => {}
        Err(CommitError::Lost(_)) => return Ok(Outcome::Settled),
        Err(error) => return Err(error.into()),
    }
    let found = i64::try_from(tally.unsound.saturating_sub(unsound)).unwrap_or(i64::MAX);
    if found > 0 {
        app.metrics.add(Metric::LedgerMismatch, found, now);
    }
    if tally.is_complete() {
        tracing::info!(ledgers = tally.ledgers, unsound = tally.unsound, "tallied");
        let owed =
            tally.balance(Account::Available).saturating_add(tally.balance(Account::Pending));
        app.metrics.add(Metric::PointsOutstanding, owed, now);
        app.metrics.add(Metric::PointsDebt, -tally.balance(Account::Debt), now);
    }
    Ok(Outcome::Done)
}

/// Adds the ledgers of one page of the register. One that cannot be read is
/// counted as unsound: it keeps nothing else from being summed.
async fn page(
    app: &App,
    tally: &mut Tally,
    place: &Place,
    policy: &Policy,
) -> Result<Option<Place>, Failure> {
    let (members, next) = app.store.registered(place, PAGE).await?;
    let keys: Vec<Key> = members.iter().map(Key::ledger).collect();
    let found = app.store.read(&keys).await?;
    for member in &members {
        match found.ledger(member) {
            Ok(ledger) => {
                let before = tally.unsound;
                tally.add(&ledger, &policy.points.zone);
                if tally.unsound > before {
                    tracing::error!(customer = member.as_str(), "a ledger is not sound");
                }
            }
            Err(error) => {
                tally.ledgers = tally.ledgers.saturating_add(1);
                tally.unsound = tally.unsound.saturating_add(1);
                tracing::error!(customer = member.as_str(), %error, "a ledger cannot be read");
            }
        }
    }
    Ok(next)
}
