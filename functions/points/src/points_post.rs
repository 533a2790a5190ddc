//! Queue points: posts the points that paid orders earn and spend, starts the
//! clock of what they earn at delivery, and undoes what is called off.
//!
//! The messages `order.paid`, `order.cancelled`, `order.refunded` and
//! `parcel.delivered` say only which order to look at; what is true of it now
//! decides, so their order and number do not matter. An earning is one batched
//! read and one transaction of two writes: the entry, whose identity keeps an
//! order from earning twice, and the ledger, whose version keeps two writers
//! apart. The entry itself is not read first, because it is there only when a
//! message comes again: its condition tells. The spending of points that were
//! held is one write more. Of an order of which something is called off or given
//! back, its entries and the record of what was undone are read, too; that
//! record's condition keeps a difference from being moved twice. `apology.due`
//! gives points for money that came too late and for a bad delivery, each once
//! for an order.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message},
    model::{
        customer::CustomerId,
        id::OrderId,
        order::Order,
        points::{Apology, Cause, Entry, Ledger, LedgerError},
        policy::Policy,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Conflict, Key, Op, Table, points},
};

use crate::{
    rules::{
        apology,
        earn::{self, Facts, Posted, Posting},
        undo,
    },
    soundness,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-post",
    about: "Posts the points that orders earn and spend, undoes what is called off, and apologises.",
    trigger: Trigger::Queue(aftercart::messages::Queue::Points),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the facts are read again when somebody else changed the ledger.
/// What is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, post))
}

async fn post(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let (customer, order) = parse(&envelope.message)?;
    if !customer.is_member() {
        return Ok(());
    }
    let policy = app.policy().await?;
    if matches!(envelope.message, Message::ApologyDue(_)) {
        return apologise(&app, customer, order, &policy).await;
    }
    let mut earned = None;
    for _ in 0..ATTEMPTS {
        let (posted, posting) = decide(&app, customer, order, earned.clone(), &policy).await?;
        let Some(posting) = posting else { return Ok(()) };
        match app.store.commit(writes(&posted, &posting)).await {
            Ok(()) => {
                count(&app, &posting.entries);
                return Ok(());
            }
            Err(CommitError::Lost(lost)) => earned = earned.or(lost_earning(&posting, &lost)?),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

fn parse(message: &Message) -> Result<(&CustomerId, &OrderId), Failure> {
    match message {
        Message::OrderPaid(paid) => Ok((&paid.customer, &paid.order)),
        Message::OrderCancelled(cancelled) => Ok((&cancelled.customer, &cancelled.order)),
        Message::OrderRefunded(refunded) => Ok((&refunded.customer, &refunded.order)),
        Message::ApologyDue(due) => Ok((&due.customer, &due.order)),
        Message::ParcelDelivered(delivered) => Ok((&delivered.customer, &delivered.order)),
        other => Err(Failure::poison(format!("{} is no message about points", other.kind()))),
    }
}

/// Gives the points of every apology that is due for an order, each once.
async fn apologise(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    policy: &Policy,
) -> Result<(), Failure> {
    for of in [Apology::LatePayment, Apology::Delivery] {
        apologise_for(app, of, (customer, order), policy).await?;
    }
    Ok(())
}

/// One apology: in one batched read, and one transaction of the entry and the
/// ledger.
async fn apologise_for(
    app: &App,
    of: Apology,
    (customer, order): (&CustomerId, &OrderId),
    policy: &Policy,
) -> Result<(), Failure> {
    let keys = [Key::order(customer, order), Key::dispatch(order), Key::ledger(customer)];
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&keys).await?;
        let known = found.order(customer, order)?;
        let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
        let (dispatch, ledger) = (found.dispatch(order)?, found.ledger(customer)?);
        let facts = apology::Facts {
            order: &known,
            dispatch: dispatch.as_ref(),
            ledger: &ledger,
            now: app.now(),
        };
        let decided = apology::decide(of, facts, policy).map_err(Failure::poison)?;
        let Some((entry, ledger)) = decided else { return Ok(()) };
        soundness::check(app, &ledger)?;
        let commit = Commit::new().with(points::post(&entry)).with(points::save(&ledger));
        match app.store.commit(commit).await {
            Ok(()) => return Ok(()),
            // The entry is there.
            Err(CommitError::Lost(lost)) if lost.iter().any(|it| it.position == 0) => {
                return Ok(());
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

/// Loads the facts, in one round trip (two when something is called off), and
/// decides.
async fn decide(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    earned: Option<Entry>,
    policy: &Policy,
) -> Result<(Posted, Option<Posting>), Failure> {
    let keys = [Key::order(customer, order), Key::dispatch(order), Key::ledger(customer)];
    let found = app.store.read(&keys).await?;
    let known = found.order(customer, order)?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let dispatch = found.dispatch(order)?;
    let ledger = found.ledger(customer)?;
    let posted = match undo::applies(&known) {
        true => posted(app, &known).await?,
        false => Posted { earned, ..Posted::nothing(&known) },
    };
    let facts = Facts {
        order: &known,
        dispatch: dispatch.as_ref(),
        ledger: &ledger,
        posted: &posted,
        now: app.now(),
    };
    let posting = earn::decide(facts, policy).map_err(|error| match error {
        LedgerError::TooManyPending => Failure::retry(error),
        LedgerError::TooMany => Failure::poison(error),
        LedgerError::TooFew | LedgerError::Unbalanced | LedgerError::Inconsistent => {
            soundness::mismatch(app, error.to_string())
        }
    })?;
    posting.iter().try_for_each(|posting| soundness::check(app, &posting.ledger))?;
    Ok((posted, posting))
}

/// What is written of an order of which something is called off.
async fn posted(app: &App, order: &Order) -> Result<Posted, Failure> {
    let Order { customer, id, .. } = order;
    let paid_at = order.paid_at.unwrap_or(order.placed_at);
    let earning = Key::entry(customer, paid_at, &Ledger::earning(customer, id));
    let spending = Key::entry(customer, paid_at, &Ledger::spending(customer, id));
    let keys = [earning, spending, Key::undone(customer, id)];
    let found = app.store.read(&keys).await?;
    let [earning, spending, _] = keys;
    Ok(Posted {
        earned: found.entry(&earning)?,
        spent: found.entry(&spending)?,
        undone: found.undone(customer, id)?,
    })
}

/// The entries first: conflicts come by position.
fn writes(posted: &Posted, posting: &Posting) -> Commit {
    let entries = posting.entries.iter().map(points::post);
    let undone =
        (posting.undone != posted.undone).then(|| points::undo(&posted.undone, &posting.undone));
    entries.chain(undone).chain(std::iter::once(points::save(&posting.ledger))).collect()
}

/// The earning, if it was written before. Its lot may have matured since, so
/// that the ledger alone no longer shows it.
fn lost_earning(posting: &Posting, lost: &[Conflict]) -> Result<Option<Entry>, Failure> {
    let earning = |entry: &Entry| matches!(entry.cause, Cause::OrderPaid(_));
    let Some(position) = posting.entries.iter().position(earning) else { return Ok(None) };
    Ok(Conflict::at(lost, position).map(points::entry_from_item).transpose()?)
}

fn count(app: &App, entries: &[Entry]) {
    for entry in entries.iter().filter(|entry| matches!(entry.cause, Cause::OrderPaid(_))) {
        app.metrics.add(Metric::PointsPosted, entry.moved(), app.now());
    }
}
