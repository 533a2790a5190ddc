//! Queue `shipments`: opens the first shipment of a paid order.
//!
//! The order is read, not the message: a paid order that is not held has a
//! shipment, whatever was sent how often. The shipment's identity follows from
//! the order's, so a message that comes again meets the shipment and changes
//! nothing.
//!
//! An order may be called off or held between the message and the read, or
//! between the read and the write. Whoever does that stops the shipment in the
//! same transaction, or puts it stopped if it is not there: then the write
//! here loses, whichever of the two comes first.
//!
//! `order.paid` is written in the paid order itself, and orders are read
//! consistently. A message whose order is missing, or was never paid, can
//! therefore not come true by waiting (somebody restored a table, or wrote the
//! message by hand): it is parked for a person.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue, ShipmentOpened},
    model::{order::OrderStatus, shipment::Shipment},
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{CommitError, Op, Sends, Table, shipments},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "shipment-open",
    about: "Opens the shipment of a paid order and has the warehouse told.",
    trigger: Trigger::Queue(Queue::Shipments),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Shipments, &[Op::PutItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, open))
}

async fn open(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let trace = envelope.trace;
    let Message::OrderPaid(OrderPaid { order, customer }) = envelope.message else {
        return Err(Failure::poison("only order.paid is for this queue"));
    };
    let order = app.store.order(&customer, &order).await?;
    let order = order.ok_or_else(|| Failure::poison("there is no such order"))?;
    if order.paid_at.is_none() {
        return Err(Failure::poison(format!("the order is {}, not paid", order.status)));
    }
    if order.status != OrderStatus::Paid || order.held_at.is_some() {
        return Ok(());
    }
    let now = app.now();
    let shipment = Shipment::first(&order, now);
    let told = ShipmentOpened { order: order.id, shipment: shipment.id.clone() };
    let sends = Sends::one(Message::ShipmentOpened(told), now, trace.as_deref());
    match app.store.commit(shipments::open(&shipment, &sends)).await {
        Ok(()) => {
            app.metrics.count(Metric::ShipmentOpened, now);
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
