//! Queue `shipments`: opens the shipments of a paid order, and sends goods
//! again for which a ticket asks (`remedy.reship_asked`), with the outcome in
//! the ticket.
//!
//! The order is read, not the message: a paid order that is not held has its
//! shipments, whatever was sent how often. All of them are one item under the
//! order's identity, so a message that comes again meets it and changes nothing.
//!
//! An order may be changed, called off or held between the message and the
//! read, or between the read and the write. Whoever does that puts the item
//! without any shipment in the same transaction, if it is not there: then the
//! write here loses, whichever of the two comes first, and the order is read
//! and decided again.
//!
//! What is asked besides the order, if the policy names services or whose
//! parcels go first, is one more batched read: the products' weights, the
//! member's tier, and how services kept their promises in this month and the
//! last.
//!
//! `order.paid` is written in the paid order itself, and orders are read
//! consistently. A message whose order is missing, or was never paid, can
//! therefore not come true by waiting (somebody restored a table, or wrote the
//! message by hand): it is parked for a person.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue, ShipmentOpened},
    model::{
        dispatch::Dispatch,
        order::{Order, OrderStatus},
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Conflict, Op, Sends, Table, shipments},
};

use crate::{asking, reshipping, rules::dispatch};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "shipment-open",
    about: "Opens the shipments of a paid order, or sends goods again, and has the warehouse told.",
    trigger: Trigger::Queue(Queue::Shipments),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often an order is read again that others change at the same moment.
/// What is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let trace = envelope.trace.as_deref();
    match &envelope.message {
        Message::OrderPaid(paid) => open(&app, paid, trace).await,
        Message::ReshipAsked(asked) => reshipping::reship(&app, asked, trace).await,
        _ => Err(Failure::poison("only order.paid and remedy.reship_asked are for this queue")),
    }
}

async fn open(app: &App, paid: &OrderPaid, trace: Option<&str>) -> Result<(), Failure> {
    let mut known: Option<Dispatch> = None;
    for _ in 0..ATTEMPTS {
        let order = read(app, paid).await?;
        if order.status != OrderStatus::Paid || order.held_at.is_some() {
            return Ok(());
        }
        let now = app.now();
        let unopened = known.take().unwrap_or_else(|| Dispatch::unopened(&order, now));
        let policy = app.policy().await?;
        let facts = asking::facts(app, &order, &dispatch::places(&order), &policy).await?;
        let opened = dispatch::open(unopened, &order, &policy, &facts, now);
        match app.store.commit(write(app, &opened, trace)?).await {
            Ok(()) => {
                opened
                    .shipments
                    .iter()
                    .for_each(|_| app.metrics.count(Metric::ShipmentOpened, now));
                return Ok(());
            }
            Err(CommitError::Lost(lost)) => {
                let found = Conflict::at(&lost, 0).map(shipments::from_item).transpose()?;
                match found {
                    Some(it) if it.stopped_at.is_some() || !it.shipments.is_empty() => {
                        return Ok(());
                    }
                    found => known = found,
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the order {} kept changing", paid.order)))
}

async fn read(app: &App, OrderPaid { order, customer }: &OrderPaid) -> Result<Order, Failure> {
    let known = app.store.order(customer, order).await?;
    let known = known.ok_or_else(|| Failure::poison("there is no such order"))?;
    match known.paid_at {
        Some(_) => Ok(known),
        None => Err(Failure::poison(format!("the order is {}, not paid", known.status))),
    }
}

fn write(app: &App, opened: &Dispatch, trace: Option<&str>) -> Result<Commit, Failure> {
    let now = app.now();
    let sends = opened.shipments.iter().fold(Sends::none(), |sends, shipment| {
        let task = ShipmentOpened::of(opened, shipment);
        sends.and(Message::ShipmentOpened(task), now, trace)
    });
    Ok(match opened.version {
        0 => Commit::new().with(shipments::open(opened, &sends)),
        _ => Commit::new().with(shipments::save(opened, &sends)?),
    })
}
