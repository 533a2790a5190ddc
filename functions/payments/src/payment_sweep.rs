//! Every minute: asks providers how the attempts stand that stay open, and
//! calls them again for refunds that are not made.
//!
//! What a provider tells is recorded as events, like its callbacks, under
//! identities that do not change when it is asked again; the order follows from
//! them as from any other. An attempt whose outcome is known, or of which
//! nothing can be heard any more, leaves the index of what is due; one that was
//! paid goes to where a statement of its provider is to find it, if those are
//! read. Everything else is due again after a wait that grows.
//!
//! Providers are seen to side by side, so that none waits for another. When a
//! few things in a row bring nothing but silence, or a provider takes too long,
//! the rest of what is due of it is put off: an outage costs a few calls a
//! minute, and nobody else's payments wait behind those.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use aftercart::{
    model::{
        id::PaymentId,
        order::OrderStatus,
        payment::{Attempt, PaymentEvent, PaymentStatus, Provider, Refund, RefundStatus},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        schedule::{self, Outcome, Swept},
        secrets::Secret,
    },
    store::{
        Commit, CommitError, Index, Op, Sends, StoreError, Table, payments,
        payments::PaymentHistory,
    },
};
use futures::{StreamExt as _, future::join_all, stream};

use crate::{
    asking::{self, Question, Reached},
    providers::{self, CallError},
    refunding,
    rules::{
        fold::{self, Folded},
        reconcile::{self, Open},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-sweep",
    about: "Asks providers about payments that stay open, and has refunds made that are not.",
    trigger: Trigger::Schedule("rate(1 minute)"),
    needs: &[
        Need::Table(Table::Payments, &[Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Payments, Index::ByDue),
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Secret(Secret::Payments),
        Need::Setting(Setting::PublicUrl),
        Need::Outgoing,
    ],
    handle,
};

/// The most payments that one run sees to: at a few hundred milliseconds a
/// call, four side by side, what one provider answers within [`BEGIN_WITHIN`].
const PAYMENTS_MAX: u16 = 400;

/// How many payments are read, or put off, side by side: few enough for a
/// small function, and enough that it takes a second or two.
const SIDE_BY_SIDE: usize = 16;

/// How many payments of one provider are seen to side by side, and how many of
/// them in a row must meet silence before the rest is left. Providers bear a
/// hundred calls a second.
const ROW: usize = 4;

/// When nothing new is begun in a run: a row whose provider is silent takes
/// some 16 seconds, and the next run comes after a minute.
const BEGIN_WITHIN: Duration = Duration::from_secs(35);

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let (started, due) = (Instant::now(), app.store.payments_due(app.now(), PAYMENTS_MAX).await?);
    let (read, mut swept) = read(&app, &due).await;
    let mut lanes: BTreeMap<Provider, Vec<(Attempt, PaymentHistory)>> = BTreeMap::new();
    for (attempt, history) in read {
        lanes.entry(attempt.provider).or_default().push((attempt, history));
    }
    let lanes = lanes.iter().map(|(provider, lane)| run(&app, *provider, lane, started));
    for of_lane in join_all(lanes).await {
        swept = swept.plus(of_lane);
    }
    Ok(swept)
}

/// Reads what is due. The index lags, so the payments themselves say what is.
async fn read(app: &App, due: &[PaymentId]) -> (Vec<(Attempt, PaymentHistory)>, Swept) {
    let mut swept = Swept::default();
    let reads: Vec<_> = due.iter().map(|payment| read_one(app, payment)).collect();
    let mut reads = stream::iter(reads).buffer_unordered(SIDE_BY_SIDE);
    let mut found = Vec::new();
    while let Some((payment, history)) = reads.next().await {
        match history.map(|mut history| (history.attempt.take(), history)) {
            Ok((Some(attempt), history)) => found.push((attempt, history)),
            Ok((None, _)) => swept.settled += 1,
            Err(error) => {
                let failed = async { Err(Failure::from(error)) };
                swept.see_to(payment.as_str(), failed).await;
            }
        }
    }
    (found, swept)
}

async fn read_one<'a>(
    app: &App,
    payment: &'a PaymentId,
) -> (&'a PaymentId, Result<PaymentHistory, StoreError>) {
    (payment, app.store.payment(payment).await)
}

/// Sees to what is due of one provider, a row at a time.
async fn run(
    app: &App,
    provider: Provider,
    lane: &[(Attempt, PaymentHistory)],
    started: Instant,
) -> Swept {
    let (mut swept, mut rows) = (Swept::default(), lane.chunks(ROW));
    for row in rows.by_ref() {
        let seen = row.iter().map(|(attempt, history)| async move {
            let (mut one, mut reached) = (Swept::default(), Reached::Yes);
            one.see_to(attempt.id.as_str(), see_to(app, attempt, history, &mut reached)).await;
            (one, reached)
        });
        let seen = join_all(seen).await;
        let silent = seen.iter().all(|(_, reached)| *reached == Reached::Silent);
        swept = seen.into_iter().fold(swept, |sum, (one, _)| sum.plus(one));
        if (silent && row.len() == ROW) || started.elapsed() > BEGIN_WITHIN {
            let provider = provider.as_str();
            tracing::warn!(provider, silent, "the rest is put off");
            break;
        }
    }
    let rest = rows.flatten().map(|(attempt, history)| async move {
        let mut one = Swept::default();
        one.see_to(attempt.id.as_str(), put_off(app, attempt, history)).await;
        one
    });
    let rest: Vec<_> = rest.collect();
    stream::iter(rest)
        .buffer_unordered(SIDE_BY_SIDE)
        .fold(swept, async |sum, one| sum.plus(one))
        .await
}

/// Has what is due of a payment wait as if its provider had been called in
/// vain: left due, it would be read before all that is due later, in every run.
async fn put_off(
    app: &App,
    attempt: &Attempt,
    history: &PaymentHistory,
) -> Result<Outcome, Failure> {
    let now = app.now();
    for refund in history.refunds.iter().filter(|refund| is_due(refund, now)) {
        let next_at = Some(reconcile::next_at(refund.tries, now));
        let after = Refund { next_at, ..refund.clone() };
        write(app, payments::refund_went(refund, &after, &Sends::none())).await?;
    }
    if attempt.ask_at.is_some_and(|at| at <= now) {
        leave(app, attempt, &fold::fold(attempt, &history.events)).await?;
    }
    Ok(Outcome::Done)
}

/// Sees to one payment: its refunds that are due, and the attempt itself.
async fn see_to(
    app: &App,
    attempt: &Attempt,
    history: &PaymentHistory,
    reached: &mut Reached,
) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Settled;
    for refund in history.refunds.iter().filter(|refund| is_due(refund, app.now())) {
        *reached = refunding::go_on(app, attempt, &history.events, refund, None).await?;
        outcome = Outcome::Done;
    }
    if attempt.ask_at.is_some_and(|at| at <= app.now()) {
        ask(app, attempt, &history.events, reached).await?;
        outcome = Outcome::Done;
    }
    match reached {
        Reached::Broken => {
            Err(Failure::retry("the provider cannot be asked, or its answer not be read"))
        }
        Reached::Yes | Reached::Silent => Ok(outcome),
    }
}

fn is_due(refund: &Refund, now: Timestamp) -> bool {
    let open = matches!(refund.status, RefundStatus::Pending | RefundStatus::Sent);
    open && refund.next_at.is_some_and(|at| at <= now)
}

/// Asks about one attempt, unless its outcome is known, and notes when it is
/// to be asked again.
async fn ask(
    app: &App,
    attempt: &Attempt,
    events: &[PaymentEvent],
    reached: &mut Reached,
) -> Result<(), Failure> {
    let folded = fold::fold(attempt, events);
    if reconcile::decide(attempt, &folded, app.now()) != Open::Ask {
        return leave(app, attempt, &folded).await;
    }
    let question = question(app, attempt, &folded).await?;
    let said = asking::ask(app, attempt, events, question).await?;
    *reached = asking::reached(&said);
    let events = match said {
        Ok(told) => {
            asking::record(app, &told, None).await?;
            [events, &told].concat()
        }
        // Its provider has forgotten it: what is known is all that will be known.
        Err(CallError::TooOld) => {
            return write(app, payments::asked(attempt, &over(attempt))).await;
        }
        Err(_) => events.to_vec(),
    };
    leave(app, attempt, &fold::fold(attempt, &events)).await
}

/// The money is taken of a payment that the buyer agreed to, if its order
/// still waits for it: the message that should have done it may have met a
/// provider that was down.
async fn question(app: &App, attempt: &Attempt, folded: &Folded) -> Result<Question, Failure> {
    let agreed = folded.payment.status == PaymentStatus::Authorised;
    if !agreed || !providers::of(attempt.provider).captures() {
        return Ok(Question::Query);
    }
    let order = app.store.order(&attempt.customer, &attempt.order).await?;
    let waits = order.is_some_and(|order| order.status == OrderStatus::Placed);
    Ok(if waits { Question::Capture } else { Question::Query })
}

/// Writes what follows for an attempt that was seen to: it is asked again, or
/// leaves the index, or goes to where a statement of its provider is to find it.
async fn leave(app: &App, attempt: &Attempt, folded: &Folded) -> Result<(), Failure> {
    let now = app.now();
    match reconcile::decide(attempt, folded, now) {
        Open::Ask => {
            let asked = attempt.asked.saturating_add(1);
            let ask_at = Some(reconcile::next_at(asked, now));
            let after = Attempt { asked, ask_at, ..attempt.clone() };
            write(app, payments::asked(attempt, &after)).await
        }
        Open::Over => write(app, payments::asked(attempt, &over(attempt))).await,
        Open::Paid(at) => {
            let mut commit = Commit::new().with(payments::paid(attempt, at));
            if let Some(reference) = &folded.reference {
                let write = payments::reference(attempt.provider, reference, &attempt.id);
                commit = commit.with(write);
            }
            write(app, commit).await
        }
    }
}

fn over(attempt: &Attempt) -> Attempt {
    Attempt { ask_at: None, asked: attempt.asked.saturating_add(1), ..attempt.clone() }
}

/// What lost was seen to by another run at the same time.
async fn write(app: &App, commit: impl Into<Commit>) -> Result<(), Failure> {
    match app.store.commit(commit).await {
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
