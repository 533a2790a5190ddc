//! Queue `payments`: makes an order follow from what was reported of an
//! attempt to pay it.
//!
//! Everything known of the attempt is read in one query and folded. The order
//! is not read: it is taken to be placed over the amount that was asked, and not
//! held, as it nearly always is, and written under that condition. A write that loses
//! brings the order as it stands, and the next step is decided on that. So a
//! message is two round trips, and any number of messages in any order end in
//! the same order.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, OrderHeld, OrderPaid, PaymentReceived, Queue},
    model::{order::RefundDue, payment::Attempt},
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{CommitError, Conflict, Op, Sends, Table, Write, orders},
};

use crate::rules::{
    fold::{self, Folded},
    settle::{self, Standing, Step},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-fold",
    about: "Folds the events of a payment into its order.",
    trigger: Trigger::Queue(Queue::Payments),
    needs: &[
        Need::Table(Table::Payments, &[Op::Query]),
        Need::Table(Table::Orders, &[Op::UpdateItem]),
    ],
    handle,
};

/// How many steps one message may take. An order leaves `placed` once and
/// takes one note and one refund of an attempt, so two writes that lose and
/// two that hold are the most that can be met, and one to see that all is done.
/// A person who holds the order at the same moment makes one more lose.
const STEPS: u32 = 6;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::PaymentReceived(PaymentReceived { payment }) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("the queue takes no messages of the kind {kind}")));
    };
    let history = app.store.payment(payment).await?;
    // An attempt is written before its provider hears of it, so it is not on its way.
    let attempt = history.attempt.ok_or_else(|| {
        Failure::poison(format!("a provider reported of {payment}, which was not started here"))
    })?;
    let folded = fold::fold(&attempt, &history.events);
    let (status, reason) = (folded.payment.status.as_str(), folded.reason.as_deref());
    tracing::info!(payment = payment.as_str(), status, reason, "folded");
    settle(&app, &attempt, &folded, envelope.trace.as_deref()).await
}

async fn settle(
    app: &App,
    attempt: &Attempt,
    folded: &Folded,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let mut order = Standing::expected(attempt);
    for _ in 0..STEPS {
        let step = settle::decide(folded, &order);
        let Some(write) = write(app, attempt, folded, &step, trace)? else {
            // Not where it is noted: a call that ends between the note and
            // the alarm comes again, finds the note, and rings it.
            if order.owes(folded) {
                app.metrics.count(Metric::RefundDue, app.now());
            }
            return Ok(());
        };
        match app.store.commit(write).await {
            Ok(()) => {
                if matches!(step, Step::Pay(..)) {
                    app.metrics.count(Metric::OrderPaid, app.now());
                }
                order = order.after(&step, folded);
            }
            Err(CommitError::Lost(conflicts)) => order = found(attempt, &conflicts)?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the order {} kept changing", attempt.order)))
}

/// What a step writes; nothing when all is done.
fn write(
    app: &App,
    attempt: &Attempt,
    folded: &Folded,
    step: &Step,
    trace: Option<&str>,
) -> Result<Option<Write>, Failure> {
    let (customer, order, note) = (&attempt.customer, &attempt.order, &folded.payment);
    match step {
        Step::Done => Ok(None),
        Step::Pay(amount, held_at) => {
            let sends = sends(app, attempt, held_at.is_some(), trace);
            Ok(Some(orders::pay(customer, order, *amount, note, *held_at, &sends)))
        }
        Step::Note => Ok(Some(orders::note_payment(customer, order, note))),
        Step::Refund(amount) => {
            let due = RefundDue::unaccepted(order, &note.payment, *amount);
            Ok(Some(orders::refund(customer, order, note, &due)))
        }
        Step::Overfull(amount) => {
            let payment = &note.payment;
            let cause =
                format!("{amount} of {payment} is due to go back, and {order} lists no more");
            Err(Failure::poison(cause))
        }
    }
}

/// What is sent with an order that is paid. From then on one that is held
/// waits for a person, who has to hear of it.
fn sends(app: &App, attempt: &Attempt, held: bool, trace: Option<&str>) -> Sends {
    let (order, customer, now) = (&attempt.order, &attempt.customer, app.now());
    let paid = OrderPaid { order: order.clone(), customer: customer.clone() };
    let sends = Sends::one(Message::OrderPaid(paid), now, trace);
    if !held {
        return sends;
    }
    let waits = OrderHeld { order: order.clone(), customer: customer.clone() };
    sends.and(Message::OrderHeld(waits), now, trace)
}

/// The order as the write that lost found it.
fn found(attempt: &Attempt, conflicts: &[Conflict]) -> Result<Standing, Failure> {
    let item = Conflict::at(conflicts, 0);
    let item = item.ok_or_else(|| {
        Failure::poison(format!("the order {} of {} does not exist", attempt.order, attempt.id))
    })?;
    Ok(Standing::of(&orders::from_item(item)?, &attempt.id))
}
