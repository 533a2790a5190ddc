//! Every five minutes: makes points available whose return window has ended,
//! ends holds whose time is over, takes away lots at the end of their life, but
//! for what is held, and looks at members' standing.
//!
//! The movements of a member are written some at a time, each time in one
//! transaction with the ledger, until nothing is due. A run that stops half
//! way leaves the rest due.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        points::{Cause, Earning, Entry, Ledger},
        policy::Policy,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
    },
    store::{Commit, CommitError, Index, Key, Op, Sends, StoreError, Table, Write, points},
};

use crate::{
    linking, posting,
    rules::{
        agenda,
        settle::{self, Settled},
    },
    soundness,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-settle",
    about: "Makes points available after the return window, ends holds and expired lots.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// The most movements of one commit: each is at most four writes with what
/// follows from it, of the hundred that a transaction takes.
const MOVEMENTS_MAX: usize = 20;

/// The most commits for one member in a run; the rest is due still, and the
/// next run goes on.
const COMMITS_MAX: u32 = 40;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let mut swept = Swept::default();
    for (customer, earnings) in app.store.points_due(app.now(), SWEEP_MAX).await? {
        swept.see_to(customer.as_str(), settle(&app, &customer, &earnings, &policy)).await;
    }
    Ok(swept)
}

/// Brings one member's ledger up to now, and those of the earnings that are
/// due. The index lags, so the items themselves say what is due.
async fn settle(
    app: &App,
    customer: &CustomerId,
    earnings: &[Key],
    policy: &Policy,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Settled;
    let mut left = earnings;
    let mut lost_to = None;
    for _ in 0..COMMITS_MAX {
        let now = app.now();
        let (some, others) = left.split_at(left.len().min(MOVEMENTS_MAX));
        let (ledger, earnings) = read(app, customer, some).await?;
        let settled = settle::decide(&ledger, &earnings, policy, now, MOVEMENTS_MAX);
        let settled = settled.map_err(Failure::bug)?;
        if settled.is_empty(&ledger) {
            if others.is_empty() {
                if outcome == Outcome::Settled {
                    put_off(app, &ledger, policy, now).await?;
                }
                return flow(app, &ledger, policy).await.map(|()| outcome);
            }
            left = others;
            continue;
        }
        soundness::check(app, &settled.ledger)?;
        match app.store.commit(writes(&ledger, &settled, policy, now)?).await {
            Ok(()) => {
                count(app, &settled.entries, now);
                outcome = Outcome::Done;
                left = others;
            }
            // Against the same ledger twice, it lost to an entry that the
            // ledger knows nothing of.
            Err(CommitError::Lost(_)) if lost_to == Some(ledger.version) => {
                return Err(soundness::mismatch(app, "an entry is written that is still due"));
            }
            Err(CommitError::Lost(_)) => lost_to = Some(ledger.version),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(outcome)
}

/// Corrects when something of a ledger is to be done that has nothing to do
/// now, because the policy or a hold is another one since: it would stand in
/// the way of those behind it in the index, run after run.
async fn put_off(
    app: &App,
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Failure> {
    let due = agenda::due(ledger, policy, now);
    if ledger.version == 0 || due.is_some_and(|due| due <= now) {
        return Ok(());
    }
    match app.store.commit(points::save(ledger, due, &Sends::none())).await {
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Lets flow what became free in a linked account without a message: points
/// that were held when it was linked.
async fn flow(app: &App, ledger: &Ledger, policy: &Policy) -> Result<(), Failure> {
    match ledger.flows() {
        true => linking::flow(app, &ledger.customer, policy).await,
        false => Ok(()),
    }
}

async fn read(
    app: &App,
    customer: &CustomerId,
    earnings: &[Key],
) -> Result<(Ledger, Vec<Earning>), StoreError> {
    let mut keys = vec![Key::ledger(customer)];
    keys.extend(earnings.iter().cloned());
    let found = app.store.read(&keys).await?;
    let earnings = earnings.iter().map(|key| found.earning(key));
    let earnings: Vec<_> = earnings.collect::<Result<_, _>>()?;
    Ok((found.ledger(customer)?, earnings.into_iter().flatten().collect()))
}

/// How the earnings stand, then the entries and the ledger.
fn writes(
    before: &Ledger,
    settled: &Settled,
    policy: &Policy,
    now: Timestamp,
) -> Result<Commit, StoreError> {
    let Settled { ledger, earnings, entries, news } = settled;
    let claim =
        |(read, now): &(Earning, Earning)| points::save_claim(&read.entry, &read.claim, &now.claim);
    let claims: Commit =
        earnings.iter().map(claim).collect::<Result<Vec<Write>, _>>()?.into_iter().collect();
    Ok(claims.and(posting::writes(before, ledger, entries, news, policy, now)))
}

fn count(app: &App, entries: &[Entry], now: Timestamp) {
    for entry in entries {
        let metric = match entry.cause {
            Cause::ReturnWindowEnded(_) => Metric::PointsMatured,
            Cause::LotExpired(_) => Metric::PointsExpired,
            _ => continue,
        };
        app.metrics.add(metric, entry.moved(), now);
    }
}
