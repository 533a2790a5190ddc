//! Every five minutes: makes points available whose return window has ended,
//! and takes away lots at the end of their life, but for what is held for an
//! order that is not paid.
//!
//! The movements of a member are written some at a time, each time in one
//! transaction with the ledger, until nothing is due. A run that stops half
//! way leaves the rest due.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        points::{Cause, Entry, Ledger},
        policy::Policy,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
    },
    store::{Commit, CommitError, Index, Op, Table, points},
};

use crate::{rules::settle, soundness};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-mature",
    about: "Makes points available after the return window and ends expired ones.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Points, &[Op::GetItem, Op::PutItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// The most entries of one commit: with the ledger a fifth of what a
/// transaction takes, so that it stays quick and meets few others.
const ENTRIES_MAX: usize = 20;

/// The most commits for one member in a run. All orders that may be pending at
/// once take 25; the others are for commits that have to be made again.
const COMMITS_MAX: u32 = 40;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let mut swept = Swept::default();
    for customer in app.store.ledgers_due(app.now(), SWEEP_MAX).await? {
        swept.see_to(customer.as_str(), settle(&app, &customer, &policy)).await;
    }
    Ok(swept)
}

/// Brings one member's ledger up to now. The index lags, so the ledger itself
/// says what is due.
async fn settle(app: &App, customer: &CustomerId, policy: &Policy) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Settled;
    let mut lost_to = None;
    for _ in 0..COMMITS_MAX {
        let now = app.now();
        let mut ledger = app.store.ledger(customer).await?;
        let entries =
            settle::decide(&mut ledger, policy, now, ENTRIES_MAX).map_err(Failure::bug)?;
        if entries.is_empty() {
            return Ok(outcome);
        }
        soundness::check(app, &ledger)?;
        match app.store.commit(writes(&entries, &ledger)).await {
            Ok(()) => {
                count(app, &entries, now);
                outcome = Outcome::Done;
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

fn writes(entries: &[Entry], ledger: &Ledger) -> Commit {
    entries.iter().map(points::post).chain(std::iter::once(points::save(ledger))).collect()
}

fn count(app: &App, entries: &[Entry], now: Timestamp) {
    for entry in entries {
        let metric = match entry.cause {
            Cause::ReturnWindowEnded(_) => Metric::PointsMatured,
            Cause::LotExpired(_) => Metric::PointsExpired,
            // The causes of what orders do, which no time brings about.
            Cause::OrderPaid(_)
            | Cause::OrderPoints(_)
            | Cause::OrderCancelled(_)
            | Cause::Apology(_)
            | Cause::DeliveryApology(_)
            | Cause::PointsReturned(_) => continue,
        };
        app.metrics.add(metric, entry.moved(), now);
    }
}
