//! Queue `tracking`: finds out where a parcel is from all that was told of it.
//!
//! One query reads the parcel and every push; the journey that follows from
//! them is written into the shipment, unless a journey of as many pushes is
//! there: pushes are only ever added, so whoever knows more is right. A push
//! whose label is not attached yet is left lying; attaching it sends again.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, ParcelDelivered, Queue, TrackingReceived},
    model::shipment::{Journey, Parcel, ParcelStatus},
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{CommitError, Op, Sends, Table, shipments},
};

use crate::rules::fold;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tracking-fold",
    about: "Finds out where a parcel is from all that carriers told of it.",
    trigger: Trigger::Queue(Queue::Tracking),
    needs: &[
        Need::Table(Table::Tracking, &[Op::Query]),
        Need::Table(Table::Shipments, &[Op::UpdateItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, fold))
}

async fn fold(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let trace = envelope.trace;
    let Message::TrackingReceived(TrackingReceived { tracking }) = envelope.message else {
        return Err(Failure::poison("only tracking.received is for this queue"));
    };
    let history = app.store.parcel(&tracking).await?;
    let Some(parcel) = history.parcel.filter(|_| !history.pushes.is_empty()) else {
        return Ok(());
    };
    let journey = fold::journey(parcel.labelled_at, &history.pushes);
    let sends = sends(&app, &parcel, &journey, trace.as_deref());
    let write = shipments::progress(&parcel.order, &parcel.shipment, &journey, &sends)?;
    match app.store.change(write).await {
        Ok(before) => {
            let before = before.as_ref().map(shipments::from_item).transpose()?;
            let known = before.and_then(|shipment| shipment.journey.delivered_at);
            if journey.delivered_at.is_some() && known.is_none() {
                app.metrics.count(Metric::ParcelDelivered, app.now());
            }
            Ok(())
        }
        // The label is attached in one transaction with its shipment, so the
        // shipment is there; one that is there knows as much.
        Err(CommitError::Lost(conflicts)) if conflicts.iter().any(|lost| lost.found.is_none()) => {
            Err(Failure::bug(format!("the shipment {} of a parcel is missing", parcel.shipment)))
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whoever waits for the delivery is told with every journey that had one or
/// went back: its time may have been corrected, or it was none after all.
fn sends(app: &App, parcel: &Parcel, journey: &Journey, trace: Option<&str>) -> Sends {
    use ParcelStatus::{Delivered, Returned, Returning};
    if journey.stages.iter().all(|it| !matches!(it.status, Delivered | Returning | Returned)) {
        return Sends::none();
    }
    let delivered = ParcelDelivered {
        order: parcel.order.clone(),
        shipment: parcel.shipment.clone(),
        customer: parcel.customer.clone(),
    };
    Sends::one(Message::ParcelDelivered(delivered), app.now(), trace)
}
