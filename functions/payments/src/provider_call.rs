//! Queue `provider-calls`: gives back what orders list as due, and takes the
//! money of payments to which the buyer has agreed.
//!
//! The messages `refund.wanted`, `order.cancelled` and `order.refunded` say
//! only which order to look at. For everything that it lists as due a refund is
//! written once, counted in its payment, so that two who reckon at the same
//! time cannot give back more than there is; then its provider is called. The
//! message is done when the refund is written: what a provider does not take
//! now, the schedule `payment-sweep` tries again. Its own retries are for
//! failures of ours.
//!
//! `payment.authorised` lets the money be taken of a payment whose order still
//! waits for it. An order that has ended takes none, and the provider lets the
//! buyer's agreement lapse.

use std::{collections::BTreeMap, sync::Arc};

use aftercart::{
    messages::{Envelope, Message, PaymentAuthorised, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        order::{OrderStatus, RefundDue},
        payment::{Attempt, PaymentStatus, RefundStatus},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger, batch,
        metrics::Metric, secrets::Secret,
    },
    store::{Commit, CommitError, Op, Table, payments, payments::PaymentHistory},
};

use crate::{
    asking::{self, Question},
    providers::{self, CallError},
    refunding,
    rules::{
        fold,
        refund::{self, Owed},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "provider-call",
    about: "Calls providers for what orders want of them: refunds, and the money of payments \
            that the buyer agreed to.",
    trigger: Trigger::Queue(Queue::ProviderCalls),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Payments, &[Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Secret(Secret::Payments),
        Need::Setting(Setting::PublicUrl),
        Need::Outgoing,
    ],
    handle,
};

/// How often the refunds of a payment are reckoned anew because somebody else
/// noted some at the same time. What is still contended then comes again with
/// its message.
const ATTEMPTS: u32 = 4;

/// The most refunds that are noted in one transaction, each with a case if it
/// cannot be made: half of the 100 writes that DynamoDB takes, less the count.
const NOTED_MAX: usize = 49;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let trace = envelope.trace.as_deref();
    match &envelope.message {
        Message::RefundWanted(it) => give_back(&app, &it.customer, &it.order, trace).await,
        Message::OrderCancelled(it) => give_back(&app, &it.customer, &it.order, trace).await,
        Message::OrderRefunded(it) => give_back(&app, &it.customer, &it.order, trace).await,
        Message::PaymentAuthorised(it) => capture(&app, it, trace).await,
        other => {
            let kind = other.kind();
            Err(Failure::poison(format!("the queue takes no messages of the kind {kind}")))
        }
    }
}

/// Makes what an order lists as due go back. An order that was paid with
/// points lists nothing.
async fn give_back(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let known = app.store.order(customer, order).await?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let mut by_payment: BTreeMap<&PaymentId, Vec<&RefundDue>> = BTreeMap::new();
    for due in &known.refunds_due {
        by_payment.entry(&due.payment).or_default().push(due);
    }
    for (payment, dues) in by_payment {
        let (attempt, history) = noted(app, payment, &dues).await?;
        let now = app.now();
        for refund in &history.refunds {
            let due = refund.tries == 0 || refund.next_at.is_some_and(|at| at <= now);
            let due = due && refund.status == RefundStatus::Pending;
            if due || refund::undone(refund, &history.events) {
                refunding::go_on(app, &attempt, &history.events, refund, trace).await?;
            }
        }
    }
    Ok(())
}

/// Notes the refunds of a payment that are not noted yet, and gives what is
/// known of it then.
async fn noted(
    app: &App,
    payment: &PaymentId,
    dues: &[&RefundDue],
) -> Result<(Attempt, PaymentHistory), Failure> {
    for _ in 0..ATTEMPTS {
        let mut history = app.store.payment(payment).await?;
        let attempt = history.attempt.take().ok_or_else(|| {
            Failure::poison(format!("money of {payment} is due, which was not started here"))
        })?;
        let (now, folded) = (app.now(), fold::fold(&attempt, &history.events));
        let facts = (&folded, history.events.as_slice());
        let mut owed = refund::owed(&attempt, facts, &history.refunds, dues, now);
        owed.truncate(NOTED_MAX);
        if owed.is_empty() {
            return Ok((attempt, history));
        }
        match app.store.commit(note(&attempt, &owed, history.refunds.len(), now)?).await {
            Ok(()) => owed.iter().for_each(|owed| count(app, owed)),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the refunds of {payment} kept changing")))
}

/// Counts a refund that was noted, and its case.
fn count(app: &App, Owed { refund, short_of }: &Owed) {
    refunding::count(app, refund);
    if refund.status != RefundStatus::Failed && short_of.is_some() {
        app.metrics.count(Metric::PaymentCaseOpened, app.now());
    }
}

fn note(attempt: &Attempt, owed: &[Owed], known: usize, now: Timestamp) -> Result<Commit, Failure> {
    let after = known.saturating_add(owed.len());
    let mut commit = Commit::new().with(payments::refunds_counted(&attempt.id, known, after));
    for Owed { refund, short_of } in owed {
        commit = commit.with(payments::refund(refund));
        let case = match (refund.status, short_of) {
            (RefundStatus::Failed, _) => refunding::failed(attempt, refund, now)?,
            (_, Some(wanted)) => refunding::short(attempt, refund, *wanted, now)?,
            (_, None) => continue,
        };
        commit = commit.with(payments::case(&case));
    }
    Ok(commit)
}

/// Takes the money of a payment that its order still waits for.
async fn capture(
    app: &App,
    authorised: &PaymentAuthorised,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let PaymentAuthorised { order, customer, payment } = authorised;
    let (order, history) =
        futures::try_join!(app.store.order(customer, order), app.store.payment(payment))?;
    let (Some(order), Some(attempt)) = (order, history.attempt) else {
        return Err(Failure::poison(format!("{payment} or its order is not there")));
    };
    let folded = fold::fold(&attempt, &history.events);
    let waits = order.status == OrderStatus::Placed;
    if !waits || folded.payment.status != PaymentStatus::Authorised {
        return Ok(());
    }
    match asking::ask(app, &attempt, &history.events, Question::Capture).await? {
        Ok(told) => asking::record(app, &told, trace).await,
        Err(CallError::Again(why)) => Err(Failure::retry(why)),
        // The provider takes the money itself.
        Err(CallError::Unsupported) => Ok(()),
        // The schedule takes the money, or asks how it ends.
        Err(_) if providers::of(attempt.provider).answers_queries() => Ok(()),
        // Nobody asks later. The message is kept among those that failed until
        // somebody has mended what is wrong.
        Err(error) => Err(Failure::retry(error.to_string())),
    }
}
