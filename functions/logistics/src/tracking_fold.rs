//! Queue `tracking`: finds out where a parcel is from all that was told of it.
//!
//! One read brings the parcel with all that was told; the journey that follows
//! from it is written into the order's shipments, unless a journey that follows
//! from as much is there: what is told is only ever added to, so whoever knows
//! more is right. The write gives the shipments as they were, and from these
//! and the journey follows what else is to be done, mostly nothing: the buyer is
//! told, an alert is raised, the carrier is asked sooner. A scan without news is
//! one read and one write.
//!
//! A parcel that is where buyers are told of it has news, as a rule. Then the
//! shipments are read first, and the journey is written with what follows from
//! it, at half the cost of two writes; who else wrote in between makes two of it.
//!
//! A parcel whose label is not attached yet is left lying; attaching it sends
//! again. One whose label was taken off, and that its carrier has nonetheless,
//! is counted.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, ParcelChanged, ParcelDelivered, Queue, TrackingReceived},
    model::{
        dispatch::{Direction, Dispatch, Shipment},
        policy::Policy,
        shipment::{History, Journey, Parcel, ParcelStatus},
        webhook::EventKind,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger, batch,
        metrics::Metric, secrets::Secret,
    },
    store::{CommitError, Conflict, Op, Sends, Table, parcels, shipments},
};

use crate::{
    following::{self, Heard},
    rules::{change, fold, polling},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tracking-fold",
    about: "Finds out where a parcel is from all that carriers told of it.",
    trigger: Trigger::Queue(Queue::Tracking),
    needs: &[
        Need::Table(Table::Tracking, &[Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::GetItem, Op::UpdateItem, Op::PutItem]),
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Customers, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
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
    let Some(parcel) = history.parcel.as_ref().filter(|_| history.told() > 0) else {
        count_if_it_left(&app, history);
        return Ok(());
    };
    let journey = fold::journey(&history);
    if !tell(&app, parcel, &journey, trace.as_deref()).await? {
        let dispatch = note(&app, parcel, &journey, trace.as_deref()).await?;
        following::follow(&app, dispatch, trace.as_deref()).await?;
    }
    bring_forward(&app, parcel, &journey).await
}

/// Writes a journey of which the buyer is told with all that follows from it.
/// Whether it was written: not what is known, or follows from other shipments
/// than those that were read.
async fn tell(
    app: &App,
    parcel: &Parcel,
    journey: &Journey,
    trace: Option<&str>,
) -> Result<bool, Failure> {
    let policy = app.policy().await?;
    let back = parcel.direction == Direction::Back;
    if back || !policy.logistics.tell.contains(&journey.status) {
        return Ok(false);
    }
    let Some(mut dispatch) = app.store.dispatch(&parcel.order).await? else { return Ok(false) };
    let shipment = dispatch.shipment_mut(&parcel.shipment);
    let labelled = |it: &&mut Shipment| it.tracking.as_ref() == Some(&parcel.tracking);
    let Some(shipment) = shipment.filter(labelled) else { return Ok(false) };
    if shipment.handed_over_at().is_some() || shipment.journey.told >= journey.told {
        return Ok(false);
    }
    let known = shipment.hear(journey.clone());
    let sends = sends(app, parcel, journey, &policy, trace);
    let heard = Heard { shipment: &parcel.shipment, before: known.told, sends };
    let told = following::follow_at_once(app, &dispatch, heard, trace).await?;
    if told {
        count_if_it_came(app, parcel, &known, journey);
    }
    Ok(told)
}

fn count_if_it_came(app: &App, parcel: &Parcel, known: &Journey, journey: &Journey) {
    let came = known.delivered_at.is_none() && journey.delivered_at.is_some();
    if came && parcel.direction == Direction::Out {
        app.metrics.count(Metric::ParcelDelivered, app.now());
    }
}

/// Counts a parcel that its carrier has although its label was taken off: goods
/// are under way that the shop takes for its own.
fn count_if_it_left(app: &App, mut history: History) {
    history.parcel = history.taken_off.take();
    let Some(Parcel { tracking, order, .. }) = &history.parcel else { return };
    if change::has_left(&fold::journey(&history)) {
        let (carrier, number) = (tracking.carrier, tracking.number.as_str());
        tracing::warn!(%carrier, number, %order, "is under way with a label that was taken off");
        app.metrics.count(Metric::VoidedParcelMoved, app.now());
    }
}

/// Has the carrier asked sooner, if where the parcel is wants that. Whoever
/// asked or brought it forward meanwhile knows as much.
async fn bring_forward(app: &App, parcel: &Parcel, journey: &Journey) -> Result<(), Failure> {
    let policy = app.policy().await?;
    let Some(sooner) = polling::sooner(parcel, journey, &policy.logistics, app.now()) else {
        return Ok(());
    };
    match app.store.commit(parcels::ask(parcel, &sooner)?).await {
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Writes the journey, and gives the order's shipments as they are since: with
/// this journey, or with one that knows as much, which was there.
async fn note(
    app: &App,
    parcel: &Parcel,
    journey: &Journey,
    trace: Option<&str>,
) -> Result<Dispatch, Failure> {
    let sends = sends(app, parcel, journey, &*app.policy().await?, trace);
    let write = shipments::progress(parcel, journey, &sends)?;
    let lost = match app.store.change(write).await {
        Ok(before) => {
            let mut dispatch = shipments::from_item(&before.unwrap_or_default())?;
            let shipment =
                dispatch.shipment_mut(&parcel.shipment).ok_or_else(|| missing(parcel))?;
            let known = shipment.hear(journey.clone());
            count_if_it_came(app, parcel, &known, journey);
            return Ok(dispatch);
        }
        Err(CommitError::Lost(conflicts)) => conflicts,
        Err(error) => return Err(error.into()),
    };
    let found = Conflict::at(&lost, 0).map(shipments::from_item).transpose()?;
    let dispatch = found.filter(|it| it.shipment(&parcel.shipment).is_some());
    dispatch.ok_or_else(|| missing(parcel))
}

/// The label is attached in one transaction with its shipment, and no shipment
/// is taken away, so it is there.
fn missing(parcel: &Parcel) -> Failure {
    Failure::bug(format!("the shipment {} of a parcel is missing", parcel.shipment))
}

/// Systems of the merchant that want to hear of journeys do of every one.
/// Whoever waits for the delivery is told with every journey that had one or went back: its time
/// may have been corrected, or it was none after all. Nobody waits for what
/// comes back to the shop.
fn sends(
    app: &App,
    parcel: &Parcel,
    journey: &Journey,
    policy: &Policy,
    trace: Option<&str>,
) -> Sends {
    use ParcelStatus::{Delivered, Returned, Returning};
    let Parcel { order, shipment, customer, direction, .. } = parcel.clone();
    let wanted = [EventKind::ParcelUpdated, EventKind::ParcelDelivered];
    let sends = match wanted.iter().any(|kind| policy.webhooks.wants(*kind)) {
        false => Sends::none(),
        true => {
            let changed = ParcelChanged {
                order: order.clone(),
                shipment: shipment.clone(),
                customer: customer.clone(),
            };
            Sends::one(Message::ParcelChanged(changed), app.now(), trace)
        }
    };
    let ends = |status| matches!(status, Delivered | Returning | Returned);
    if direction == Direction::Back || !journey.stages.iter().any(|it| ends(it.status)) {
        return sends;
    }
    let delivered = ParcelDelivered { order, shipment, customer };
    sends.and(Message::ParcelDelivered(delivered), app.now(), trace)
}
