//! Queue `shipments`: opens the first shipment of a paid order.
//!
//! The order is read, not the message: a paid order has a shipment, whatever
//! was sent how often. The shipment's identity follows from the order's, so a
//! message that comes again meets the shipment and changes nothing.
//!
//! `order.paid` is written in the paid order itself, orders are read
//! consistently, and no order leaves `paid`. A message whose order is missing
//! or not paid can therefore not come true by waiting (somebody restored a
//! table, or wrote the message by hand): it is parked for a person.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue, ShipmentOpened},
    model::{
        order::{Order, OrderStatus},
        shipment::{Journey, Shipment},
        time::Timestamp,
    },
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
    if order.status != OrderStatus::Paid {
        return Err(Failure::poison(format!("the order is {}, not paid", order.status)));
    }
    let now = app.now();
    let shipment = first(&order, now);
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

fn first(order: &Order, now: Timestamp) -> Shipment {
    Shipment {
        id: order.shipment(),
        order: order.id.clone(),
        customer: order.customer.clone(),
        opened_at: now,
        tracking: None,
        labelled_at: None,
        journey: Journey::pending(),
    }
}
