//! Queue `webhooks`: tells systems of the merchant.
//!
//! What is true now is read, and for each endpoint that wants to know of it a
//! delivery is written under an identity that follows from what it tells and to
//! whom. The first that is written counts: whatever comes later, every try
//! sends these bytes. Then the endpoint is called, once; whether it takes the
//! message or not, the schedule `webhook-sweep` sees to the rest.
//!
//! Of a parcel only that is told which differs from what was told last, and
//! what was told is written in one transaction with its deliveries. So scans
//! that change nothing write nothing, a state that comes back is told again,
//! and the updates of a parcel are numbered.
//!
//! An endpoint that does not answer is not called here at all. Neither is one
//! when the batch has taken long enough: the messages behind are written, and
//! sent by the schedule.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue},
    model::{
        customer::CustomerId,
        dispatch::{Dispatch, Shipment},
        id::{OrderId, ShipmentId, WebhookId},
        policy::Policy,
        time::{Period, Timestamp},
        webhook::{Delivery, DeliveryState, Endpoint, EventKind, Health},
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, secrets::Secret},
    store::{Commit, CommitError, Conflict, Found, Key, Op, Table, webhooks},
};
use futures::future::join_all;

use crate::{
    calling,
    rules::{
        events::{self, Event},
        health::{self, Gate},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "webhook-send",
    about: "Tells systems of the merchant what happened, in signed messages.",
    trigger: Trigger::Queue(Queue::Webhooks),
    needs: &[
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Webhooks, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Secret(Secret::Webhooks),
        Need::Outgoing,
    ],
    handle,
};

/// When no endpoint is called any more for a batch: one that is slow takes 15
/// seconds, and the function has a minute.
const CALL_WITHIN: Duration = Duration::from_secs(30);

/// When the schedule sends a message whose first call nobody finished.
const GRACE: Period = Period::of_seconds(60);

/// How often it is decided what is to be told of a parcel of which others tell
/// at the same time.
const TRIES: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    let started = Instant::now();
    let send = move |app: Arc<App>, envelope: Envelope| async move {
        send(&app, &envelope, started).await
    };
    Box::pin(batch::serve(app, call, send))
}

async fn send(app: &App, envelope: &Envelope, started: Instant) -> Result<(), Failure> {
    let kinds = events::kinds(&envelope.message);
    if kinds.is_empty() {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("the queue takes no messages of the kind {kind}")));
    }
    let policy = app.policy().await?;
    let wanting: Vec<&Endpoint> = wanting(&policy, kinds);
    if wanting.is_empty() {
        return Ok(());
    }
    let open = match events::shipment_of(&envelope.message) {
        Some(about) => of_shipment(app, envelope, about, &wanting).await?,
        None => of_order(app, envelope, &wanting).await?,
    };
    let calls = open.into_iter().filter(|_| started.elapsed() < CALL_WITHIN);
    for outcome in join_all(calls.map(|open| first_try(app, open))).await {
        outcome?;
    }
    Ok(())
}

fn wanting<'a>(policy: &'a Policy, kinds: &[EventKind]) -> Vec<&'a Endpoint> {
    let endpoints = policy.webhooks.endpoints.iter();
    endpoints.filter(|it| kinds.iter().any(|kind| it.wants(*kind))).collect()
}

/// A delivery that is to be tried, and how its endpoint's calls went.
struct Open<'a> {
    endpoint: &'a Endpoint,
    delivery: Delivery,
    health: Health,
}

/// Tries a delivery for the first time, unless its endpoint is left alone.
async fn first_try(app: &App, open: Open<'_>) -> Result<(), Failure> {
    let Open { endpoint, delivery, health } = open;
    if health::gate(&health, app.now()) != Gate::Pass {
        return Ok(());
    }
    let outcome = calling::call(app, endpoint, &delivery).await?;
    calling::note_health(app, &endpoint.id, health, &outcome).await?;
    calling::note(app, &delivery, &outcome).await
}

/// The keys of how the calls of endpoints went.
fn healths(wanting: &[&Endpoint]) -> Vec<Key> {
    wanting.iter().map(|it| Key::webhook_health(&it.id)).collect()
}

async fn of_order<'a>(
    app: &App,
    envelope: &Envelope,
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    let (kind, customer, order) = match &envelope.message {
        Message::OrderPaid(OrderPaid { order, customer }) => {
            (EventKind::OrderPaid, customer, order)
        }
        Message::OrderCancelled(it) => (EventKind::OrderCancelled, &it.customer, &it.order),
        Message::OrderRefunded(it) => (EventKind::OrderRefunded, &it.customer, &it.order),
        _ => return Ok(Vec::new()),
    };
    let found = read(app, Key::order(customer, order), wanting).await?;
    let known = order_in(&found, customer, order)?;
    let noted = (envelope.at, envelope.id.as_str());
    let event = events::of_order(kind, &known, noted).map_err(Failure::bug)?;
    written(app, &found, &event.into_iter().collect::<Vec<_>>(), wanting).await
}

fn order_in(
    found: &Found,
    customer: &CustomerId,
    order: &OrderId,
) -> Result<aftercart::model::order::Order, Failure> {
    let known = found.order(customer, order)?;
    known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))
}

async fn read(app: &App, key: Key, wanting: &[&Endpoint]) -> Result<Found, Failure> {
    let keys: Vec<Key> = std::iter::once(key).chain(healths(wanting)).collect();
    Ok(app.store.read(&keys).await?)
}

async fn of_shipment<'a>(
    app: &App,
    envelope: &Envelope,
    (order, shipment): (&OrderId, &ShipmentId),
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    if matches!(envelope.message, Message::ParcelChanged(_)) {
        return of_parcel(app, envelope.at, (order, shipment), wanting).await;
    }
    let found = read(app, Key::dispatch(order), wanting).await?;
    let dispatch = dispatch_in(&found, order)?;
    let about = (&dispatch, shipment_in(&dispatch, shipment)?);
    let noted = (envelope.at, envelope.id.as_str());
    let event = match &envelope.message {
        Message::ShipmentOpened(_) => events::of_task(EventKind::ShipmentOpened, about, noted),
        Message::ShipmentStopped(_) => events::of_task(EventKind::ShipmentStopped, about, noted),
        Message::AlertRaised(raised) => events::of_alert(raised, about, envelope.at).map(Some),
        Message::WishMade(wish) => events::of_wish(wish, about, noted).map(Some),
        _ => Ok(None),
    };
    let event = event.map_err(Failure::bug)?;
    written(app, &found, &event.into_iter().collect::<Vec<_>>(), wanting).await
}

fn dispatch_in(found: &Found, order: &OrderId) -> Result<Dispatch, Failure> {
    let known = found.dispatch(order)?;
    known.ok_or_else(|| Failure::poison(format!("{order} has no shipments")))
}

fn shipment_in<'a>(dispatch: &'a Dispatch, id: &ShipmentId) -> Result<&'a Shipment, Failure> {
    let known = dispatch.shipment(id);
    known.ok_or_else(|| Failure::poison(format!("there is no shipment {id}")))
}

/// Writes the deliveries of events, each unless it is there, and gives those
/// that nobody tried yet.
async fn written<'a>(
    app: &App,
    found: &Found,
    events: &[Event],
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    let mut open = Vec::new();
    for new in planned(app, found, events, wanting)? {
        match app.store.commit(webhooks::deliver(&new.delivery)).await {
            Ok(()) => open.push(new),
            Err(CommitError::Lost(conflicts)) => {
                let known = Conflict::at(&conflicts, 0).map(webhooks::from_item).transpose()?;
                let untried = known.filter(is_untried);
                open.extend(untried.map(|delivery| Open { delivery, ..new }));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(open)
}

fn is_untried(delivery: &Delivery) -> bool {
    delivery.tries == 0 && matches!(delivery.state, DeliveryState::Waiting(_))
}

/// The deliveries of events to the endpoints that want them. What is not to be
/// called here is due at once, for the schedule.
fn planned<'a>(
    app: &App,
    found: &Found,
    events: &[Event],
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    let now = app.now();
    let mut planned = Vec::new();
    for endpoint in wanting {
        let health = found.webhook_health(&endpoint.id)?;
        let first = match health::gate(&health, now) {
            Gate::Pass => now.plus(GRACE),
            Gate::Probe | Gate::Shut => now,
        };
        for event in events.iter().filter(|event| endpoint.wants(event.kind)) {
            let delivery = calling::new(event, &endpoint.id, now, first);
            planned.push(Open { endpoint, delivery, health });
        }
    }
    Ok(planned)
}

/// Tells of a parcel what was not told yet. What was told and nobody tried, as
/// when the answer of its transaction was lost, is given again.
async fn of_parcel<'a>(
    app: &App,
    at: Timestamp,
    (order, shipment): (&OrderId, &ShipmentId),
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    let mut keys = healths(wanting);
    keys.extend([Key::dispatch(order), Key::webhook_told(shipment)]);
    let mut failed = None;
    for _ in 0..TRIES {
        let found = app.store.read(&keys).await?;
        let last = found.webhook_told(shipment)?;
        let dispatch = dispatch_in(&found, order)?;
        let about = (&dispatch, shipment_in(&dispatch, shipment)?);
        let news = events::of_parcel(about, last.as_ref(), at).map_err(Failure::bug)?;
        let Some((told, events)) = news else {
            let sequence = last.map_or(0, |last| last.sequence);
            return untried(app, &found, (shipment, sequence), wanting).await;
        };
        let open = planned(app, &found, &events, wanting)?;
        let commit = Commit::new().with(webhooks::put_told(shipment, &told, app.now()));
        let commit = open.iter().fold(commit, |it, new| it.with(webhooks::deliver(&new.delivery)));
        match app.store.commit(commit).await {
            Ok(()) => return Ok(open),
            Err(error) => failed = Some(error.into()),
        }
    }
    Err(failed.unwrap_or_else(|| Failure::retry("nothing was tried")))
}

/// The deliveries of what was last told of a parcel that nobody tried yet.
async fn untried<'a>(
    app: &App,
    found: &Found,
    (shipment, sequence): (&ShipmentId, u32),
    wanting: &[&'a Endpoint],
) -> Result<Vec<Open<'a>>, Failure> {
    let kinds = [EventKind::ParcelUpdated, EventKind::ParcelDelivered];
    let pairs = wanting.iter().flat_map(|endpoint| kinds.map(|kind| (*endpoint, kind)));
    let cause = events::update_of(shipment, sequence);
    let ids: Vec<(&'a Endpoint, WebhookId)> = pairs
        .filter(|(endpoint, kind)| endpoint.wants(*kind))
        .map(|(endpoint, kind)| (endpoint, events::message(kind, &cause, &endpoint.id)))
        .collect();
    let keys: Vec<Key> = ids.iter().map(|(_, id)| Key::webhook(id)).collect();
    let known = app.store.read(&keys).await?;
    let mut open = Vec::new();
    for (endpoint, id) in &ids {
        if let Some(delivery) = known.webhook(id)?.filter(is_untried) {
            let health = found.webhook_health(&endpoint.id)?;
            open.push(Open { endpoint, delivery, health });
        }
    }
    Ok(open)
}
