//! Queue points: posts the points of paid orders and starts their clock at
//! delivery.
//!
//! The messages `order.paid` and `parcel.delivered` say only which order to
//! look at; what is true of it now decides, so their order and number do not
//! matter. An earning is one batched read and one transaction of two writes:
//! the entry, whose identity keeps an order from earning twice, and the
//! ledger, whose version keeps two writers apart. The entry itself is not read
//! first, because it is there only when a message comes again: its condition
//! tells.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message},
    model::{
        customer::CustomerId,
        id::OrderId,
        order::first_shipment,
        points::{Entry, LedgerError},
        policy::Policy,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Conflict, Key, Op, Table, points},
};

use crate::{
    rules::earn::{self, Facts, Posting},
    soundness,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-post",
    about: "Posts the points of paid orders and starts their clock at delivery.",
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
    let mut earned = false;
    for _ in 0..ATTEMPTS {
        let Some(posting) = decide(&app, customer, order, earned, &policy).await? else {
            return Ok(());
        };
        match app.store.commit(writes(&posting)).await {
            Ok(()) => {
                count(&app, posting.entry.as_ref());
                return Ok(());
            }
            Err(CommitError::Lost(lost)) => earned |= lost_entry(&posting, &lost),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

fn parse(message: &Message) -> Result<(&CustomerId, &OrderId), Failure> {
    match message {
        Message::OrderPaid(paid) => Ok((&paid.customer, &paid.order)),
        Message::ParcelDelivered(delivered) => Ok((&delivered.customer, &delivered.order)),
        other => Err(Failure::poison(format!("{} is no message about points", other.kind()))),
    }
}

/// Loads the facts, in one round trip, and decides.
async fn decide(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    earned: bool,
    policy: &Policy,
) -> Result<Option<Posting>, Failure> {
    let shipment = first_shipment(order);
    let keys =
        [Key::order(customer, order), Key::shipment(order, &shipment), Key::ledger(customer)];
    let found = app.store.read(&keys).await?;
    let known = found.order(customer, order)?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let shipment = found.shipment(order, &shipment)?;
    let ledger = found.ledger(customer)?;
    let facts = Facts { order: &known, shipment: shipment.as_ref(), ledger: &ledger, earned };
    let posting = earn::decide(facts, policy).map_err(|error| match error {
        LedgerError::TooManyPending => Failure::retry(error),
        LedgerError::TooMany => Failure::poison(error),
        LedgerError::Unbalanced | LedgerError::Inconsistent => Failure::bug(error),
    })?;
    posting.iter().try_for_each(|posting| soundness::check(app, &posting.ledger))?;
    Ok(posting)
}

/// The entry first, if there is one: conflicts come by position.
fn writes(posting: &Posting) -> Commit {
    let entry = posting.entry.iter().map(points::post);
    entry.chain(std::iter::once(points::save(&posting.ledger))).collect()
}

/// Whether the entry was written before. Its lot may have matured since, so
/// that the ledger alone no longer shows it.
fn lost_entry(posting: &Posting, lost: &[Conflict]) -> bool {
    posting.entry.is_some() && lost.iter().any(|conflict| conflict.position == 0)
}

fn count(app: &App, entry: Option<&Entry>) {
    if let Some(entry) = entry {
        app.metrics.add(Metric::PointsPosted, entry.moved(), app.now());
    }
}
