//! `POST /orders/{id}/shipments/{shipment}/label`: puts a carrier's label on a
//! shipment.
//!
//! The shipment and the parcel of the carrier's number are one transaction,
//! after one read for the buyer. The parcel sends `tracking.received`, because
//! the carrier may have told of the number before the label was known here.
//! The same label again is answered as the first time; another label for the
//! shipment, or a label that is on another shipment, is a 409 that names it. So
//! is any label for a shipment that was stopped.

use std::sync::Arc;

use aftercart::{
    messages::{Message, TrackingReceived},
    model::{
        id::{OrderId, ShipmentId},
        shipment::{Parcel, Tracking},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Conflict, Op, Sends, Table, parcels, shipments},
};

use crate::{
    rules::label::{self, Decision, Labelling, Refusal},
    wire::{AttachLabel, LabelView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "label-attach",
    about: "Puts a carrier's label on a shipment.",
    trigger: Trigger::Http(&[Route::operator("POST", "/orders/{id}/shipments/{shipment}/label")]),
    needs: &[
        Need::Table(Table::Shipments, &[Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Tracking, &[Op::PutItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, attach))
}

async fn attach(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let labelling = parse(&request)?;
    let shipment = app.store.shipment(&labelling.order, &labelling.shipment).await?;
    let now = app.now();
    let parcel = match label::decide(&labelling, shipment.as_ref(), now).map_err(refuse)? {
        Decision::Attach(parcel) => parcel,
        Decision::Attached(since) => return answer(&labelling, since),
    };
    match app.store.commit(writes(&parcel, request.trace())).await {
        Ok(()) => {
            app.metrics.count(Metric::LabelAttached, now);
            answer(&labelling, now)
        }
        Err(CommitError::Lost(conflicts)) => lost(&labelling, &conflicts, now),
        Err(error) => Err(error.into()),
    }
}

fn parse(request: &Request) -> Result<Labelling, Problem> {
    let order = request.named("id", "order", OrderId::parse)?;
    let shipment = request.named("shipment", "shipment", ShipmentId::parse)?;
    let AttachLabel { carrier, tracking_number: number } = request.json()?;
    Ok(Labelling { order, shipment, tracking: Tracking { carrier, number } })
}

/// The shipment first, then the parcel: conflicts come by position.
fn writes(parcel: &Parcel, trace: Option<&str>) -> Commit {
    let received = TrackingReceived { tracking: parcel.tracking.clone() };
    let sends = Sends::one(Message::TrackingReceived(received), parcel.labelled_at, trace);
    let Parcel { order, shipment, tracking, labelled_at, .. } = parcel;
    Commit::new()
        .with(shipments::label(order, shipment, tracking, *labelled_at))
        .with(parcels::link(parcel, &sends))
}

/// The shipment changed since it was read. It may have this label by now: by
/// the same call in parallel, or by this very call, whose answer was lost on
/// the way and which was sent again.
fn lost(labelling: &Labelling, conflicts: &[Conflict], now: Timestamp) -> Answer {
    if let Some(conflict) = conflicts.iter().find(|conflict| conflict.position == 0) {
        let shipment = conflict.found.as_ref().map(shipments::from_item).transpose()?;
        return match label::decide(labelling, shipment.as_ref(), now).map_err(refuse)? {
            Decision::Attached(since) => answer(labelling, since),
            Decision::Attach(_) => Err(Failure::retry("the shipment lost its label meanwhile")),
        };
    }
    let item = conflicts.iter().find_map(|conflict| conflict.found.as_ref());
    let item = item.ok_or_else(|| Failure::retry("the parcel of this label went away"))?;
    let Parcel { tracking, order, shipment, .. } =
        parcels::parcel_from_item(&labelling.tracking, item)?;
    Err(refuse(Refusal::InUse { tracking, order, shipment }).into())
}

fn refuse(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Unknown => Problem::not_found("shipment"),
        Refusal::Stopped(_) => {
            let title = "The shipment is stopped";
            Problem::new(409, "shipment-stopped", title, detail)
        }
        Refusal::Labelled { tracking, .. } => {
            let title = "The shipment has another label";
            Problem::new(409, "shipment-labelled", title, detail)
                .at("tracking_number")
                .with("carrier", tracking.carrier.as_str().into())
                .with("tracking_number", tracking.number.as_str().into())
        }
        Refusal::InUse { order, shipment, .. } => {
            Problem::new(409, "label-in-use", "The label is on another shipment", detail)
                .at("tracking_number")
                .with("order", order.as_str().into())
                .with("shipment", shipment.as_str().into())
        }
    }
}

fn answer(labelling: &Labelling, labelled_at: Timestamp) -> Answer {
    let Labelling { order, shipment, tracking } = labelling.clone();
    let Tracking { carrier, number: tracking_number } = tracking;
    Response::json(200, &LabelView { order, shipment, carrier, tracking_number, labelled_at })
}
