//! `POST /orders/{id}/shipments/{shipment}/label`: puts a carrier's label on a
//! shipment.
//!
//! The shipments and the parcel of the carrier's number are one transaction,
//! after one read. The parcel sends `tracking.received`, because the carrier
//! may have told of the number before the label was known here. The same label
//! again is answered as the first time; another label for the shipment, or a
//! label that is on another shipment, is a 409 that names it. So is any label
//! for a shipment that was stopped or called off. Carriers use numbers again:
//! a label of some months ago is no hindrance, nor is one that was taken off.

use std::sync::Arc;

use aftercart::{
    messages::{Message, TrackingReceived},
    model::{
        dispatch::Dispatch,
        id::{OrderId, ShipmentId},
        shipment::{Parcel, Tracking},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Conflict, Op, Sends, StoreError, Table, parcels, shipments},
};

use crate::{
    rules::label::{self, Decision, Label, Labelling, Refusal},
    wire::{AttachLabel, LabelView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "label-attach",
    about: "Puts a carrier's label on a shipment.",
    trigger: Trigger::Http(&[Route::operator("POST", "/orders/{id}/shipments/{shipment}/label")]),
    needs: &[
        Need::Table(Table::Shipments, &[Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Tracking, &[Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the shipments are read again that others change at the same moment.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, attach))
}

async fn attach(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let labelling = parse(&request)?;
    let policy = app.policy().await?;
    let now = app.now();
    for _ in 0..ATTEMPTS {
        let dispatch = app.store.dispatch(&labelling.order).await?;
        let decided = label::decide(&labelling, dispatch.as_ref(), &policy.logistics, now);
        let (dispatch, parcel) = match decided.map_err(refuse)? {
            Decision::Attach(made) => *made,
            Decision::Attached(since) => return answer(&labelling, since),
        };
        match app.store.commit(writes(&dispatch, &parcel, request.trace())?).await {
            Ok(()) => {
                app.metrics.count(Metric::LabelAttached, now);
                return answer(&labelling, now);
            }
            // The shipments changed since they were read. This one may have this
            // label by now: by the same call in parallel, or by this very call,
            // whose answer was lost on the way and which was sent again.
            Err(CommitError::Lost(lost)) if lost.iter().any(|it| it.position == 0) => {}
            Err(CommitError::Lost(lost)) => return Err(in_use(&labelling.label.tracking, &lost)?),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the shipments of {} kept changing", labelling.order)))
}

fn parse(request: &Request) -> Result<Labelling, Problem> {
    let order = request.named("id", "order", OrderId::parse)?;
    let shipment = request.named("shipment", "shipment", ShipmentId::parse)?;
    let label = Label::from(request.json::<AttachLabel>()?);
    Ok(Labelling { order, shipment, label })
}

impl From<AttachLabel> for Label {
    fn from(body: AttachLabel) -> Self {
        let AttachLabel { carrier, tracking_number: number, courier, verification } = body;
        Self { tracking: Tracking { carrier, number }, courier, verification }
    }
}

/// The shipments first, then the parcel: conflicts come by position.
fn writes(dispatch: &Dispatch, parcel: &Parcel, trace: Option<&str>) -> Result<Commit, StoreError> {
    Ok(Commit::new()
        .with(shipments::save(dispatch, &Sends::none())?)
        .with(parcels::link(parcel, &received(parcel, trace))?))
}

/// The carrier may have told of the number before the label was known here.
pub(crate) fn received(parcel: &Parcel, trace: Option<&str>) -> Sends {
    let received = TrackingReceived { tracking: parcel.tracking.clone() };
    Sends::one(Message::TrackingReceived(received), parcel.labelled_at, trace)
}

/// The label is on a parcel that may not have arrived yet.
pub(crate) fn in_use(tracking: &Tracking, lost: &[Conflict]) -> Result<Failure, Failure> {
    let item = lost.iter().find_map(|conflict| conflict.found.as_ref());
    let parcel = item.map(|item| parcels::parcel_from_item(tracking, item)).transpose()?.flatten();
    Ok(match parcel {
        Some(Parcel { tracking, order, shipment, .. }) => {
            refuse(Refusal::InUse { tracking, order, shipment }).into()
        }
        None => Failure::retry("the parcel of this label went away"),
    })
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
    let Labelling { order, shipment, label } = labelling.clone();
    let Tracking { carrier, number: tracking_number } = label.tracking;
    Response::json(200, &LabelView { order, shipment, carrier, tracking_number, labelled_at })
}
