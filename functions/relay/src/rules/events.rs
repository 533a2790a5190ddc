//! What systems of the merchant are told: messages of the suite, made into
//! events with what is true now.
//!
//! | event | told with | is the same event when |
//! |---|---|---|
//! | `order.paid` | `order.paid` | the order was paid at the same moment |
//! | `order.cancelled` | `order.cancelled` | it says the same |
//! | `order.refunded` | `order.refunded` | it says the same |
//! | `shipment.opened` | `notification.shipment_opened` | it is the same message |
//! | `shipment.stopped` | `notification.shipment_stopped` | it is the same message |
//! | `parcel.updated`, `parcel.delivered` | `parcel.changed` | the parcel's state is the one that was told last |
//! | `alert.raised` | `notification.alert_raised` | it is the same alert |
//! | `alert.wish` | `notification.wish_made` | it is the same message |
//!
//! What is no longer true when the message is read is not told: whoever made
//! it untrue wrote another message.

use aftercart::{
    messages::{AlertRaised, Message, WishMade},
    model::{
        digest,
        dispatch::{Direction, Dispatch, Shipment},
        id::{OrderId, ShipmentId, WebhookId},
        order::{Deed, Order, OrderStatus},
        shipment::Journey,
        time::Timestamp,
        webhook::{EndpointId, EventKind, ParcelState, Told},
    },
};
use serde::Serialize;

use crate::wire::{
    AlertWish, CancelledLine, CancelledOrder, DeliveredParcel, PaidLine, PaidOrder, ParcelRef,
    Payload, RaisedAlert, RefundPart, RefundedOrder, ShipmentTask, UpdatedParcel,
};

/// Something to tell, with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it tells of.
    pub kind: EventKind,
    /// About which order.
    pub order: OrderId,
    /// What makes it the same event when it comes up again.
    pub cause: String,
    /// The body, in JSON without white space.
    pub body: String,
}

impl Event {
    /// The identity of this event's message to an endpoint.
    #[must_use]
    pub fn message_to(&self, endpoint: &EndpointId) -> WebhookId {
        message(self.kind, &self.cause, endpoint)
    }

    fn new<T: Serialize>(
        (kind, timestamp): (EventKind, Timestamp),
        order: &OrderId,
        cause: Option<String>,
        data: T,
    ) -> Result<Self, serde_json::Error> {
        let cause = match cause {
            Some(cause) => cause,
            None => digest::short(&[serde_json::to_string(&data)?.as_bytes()]),
        };
        let body = serde_json::to_string(&Payload { kind, timestamp, data })?;
        Ok(Self { kind, order: order.clone(), cause, body })
    }
}

/// The identity of the message to an endpoint of an event with this cause.
#[must_use]
pub fn message(kind: EventKind, cause: &str, endpoint: &EndpointId) -> WebhookId {
    WebhookId::derive(&[kind.as_str(), cause, endpoint.as_str()])
}

/// The cause of the events of a parcel's update.
#[must_use]
pub fn update_of(shipment: &ShipmentId, sequence: u32) -> String {
    format!("{shipment}#{sequence}")
}

/// The events that a message may become.
#[must_use]
pub fn kinds(message: &Message) -> &'static [EventKind] {
    match message {
        Message::OrderPaid(_) => &[EventKind::OrderPaid],
        Message::OrderCancelled(_) => &[EventKind::OrderCancelled],
        Message::OrderRefunded(_) => &[EventKind::OrderRefunded],
        Message::ShipmentOpened(_) => &[EventKind::ShipmentOpened],
        Message::ShipmentStopped(_) => &[EventKind::ShipmentStopped],
        Message::ParcelChanged(_) => &[EventKind::ParcelUpdated, EventKind::ParcelDelivered],
        Message::AlertRaised(_) => &[EventKind::AlertRaised],
        Message::WishMade(_) => &[EventKind::AlertWish],
        _ => &[],
    }
}

/// A moment and the identity of the message that told of it.
pub type Noted<'a> = (Timestamp, &'a str);

/// What there is to tell of an order, if it is still so.
///
/// # Errors
/// When it cannot be written as JSON, which nothing of this build cannot.
pub fn of_order(
    kind: EventKind,
    order: &Order,
    noted: Noted<'_>,
) -> Result<Option<Event>, serde_json::Error> {
    match kind {
        EventKind::OrderPaid => paid(order, noted.0),
        EventKind::OrderCancelled => cancelled(order, noted.0),
        EventKind::OrderRefunded => refunded(order, noted.0),
        _ => Ok(None),
    }
}

fn paid(order: &Order, at: Timestamp) -> Result<Option<Event>, serde_json::Error> {
    let Some(paid_at) = order.paid_at else { return Ok(None) };
    let lines = order.lines.iter().map(|line| PaidLine {
        sku: line.sku.clone(),
        quantity: line.quantity,
        total: line.total,
    });
    let data = PaidOrder {
        order: order.id.clone(),
        customer: order.customer.clone(),
        paid_at,
        total: order.total,
        lines: lines.collect(),
    };
    let cause = format!("{}#{paid_at}", order.id);
    Event::new((EventKind::OrderPaid, at), &order.id, Some(cause), data).map(Some)
}

fn cancelled(order: &Order, at: Timestamp) -> Result<Option<Event>, serde_json::Error> {
    let deeds = [Deed::Cancelled, Deed::UnitsCancelled];
    let last = order.history.iter().filter(|it| deeds.contains(&it.what)).map(|it| it.at).max();
    let Some(cancelled_at) = last else { return Ok(None) };
    let off = order.lines.iter().filter(|line| line.cancelled > 0).map(|line| CancelledLine {
        sku: line.sku.clone(),
        cancelled: line.cancelled,
        quantity: line.quantity,
    });
    let lines: Vec<CancelledLine> = off.collect();
    if order.status != OrderStatus::Cancelled && lines.is_empty() {
        return Ok(None);
    }
    let data = CancelledOrder {
        order: order.id.clone(),
        customer: order.customer.clone(),
        status: order.status,
        cancelled_at,
        lines,
    };
    Event::new((EventKind::OrderCancelled, at), &order.id, None, data).map(Some)
}

fn refunded(order: &Order, at: Timestamp) -> Result<Option<Event>, serde_json::Error> {
    let of_the_price = order.refunds_due.iter().filter(|due| due.cause.is_of_the_price());
    let refunds: Vec<RefundPart> = of_the_price
        .map(|due| RefundPart { id: due.id.clone(), amount: due.amount, cause: due.cause })
        .collect();
    if refunds.is_empty() {
        return Ok(None);
    }
    let (id, customer) = (order.id.clone(), order.customer.clone());
    let data = RefundedOrder { order: id, customer, refunds };
    Event::new((EventKind::OrderRefunded, at), &order.id, None, data).map(Some)
}

/// What there is to tell of a shipment that was opened or stopped, if it is
/// still so.
///
/// # Errors
/// When it cannot be written as JSON, which nothing of this build cannot.
pub fn of_task(
    kind: EventKind,
    (dispatch, shipment): (&Dispatch, &Shipment),
    (at, message): Noted<'_>,
) -> Result<Option<Event>, serde_json::Error> {
    let stopped = shipment.cancelled_at.is_some() || dispatch.stopped_at.is_some();
    if stopped != (kind == EventKind::ShipmentStopped) {
        return Ok(None);
    }
    let data = ShipmentTask {
        order: dispatch.order.clone(),
        customer: dispatch.customer.clone(),
        shipment: shipment.id.clone(),
        version: dispatch.version,
        direction: shipment.direction,
        location: shipment.location.clone(),
        lines: shipment.lines.clone(),
        method: dispatch.method.clone(),
        service: shipment.chosen.as_ref().map(|it| it.service.clone()),
        ship_by: dispatch.ship_by(shipment),
    };
    Event::new((kind, at), &dispatch.order, Some(message.to_owned()), data).map(Some)
}

/// What is to be told of a parcel after what was told last, and what will have
/// been told then; none while nothing that is told has changed. Goods that are
/// back at the shop are an update, and no delivery.
///
/// # Errors
/// When it cannot be written as JSON, which nothing of this build cannot.
pub fn of_parcel(
    (dispatch, shipment): (&Dispatch, &Shipment),
    last: Option<&Told>,
    at: Timestamp,
) -> Result<Option<(Told, Vec<Event>)>, serde_json::Error> {
    let state = state(&shipment.journey);
    if last.is_some_and(|last| last.state == state) {
        return Ok(None);
    }
    let sequence = last.map_or(0, |last| last.sequence).saturating_add(1);
    let (order, cause) = (&dispatch.order, update_of(&shipment.id, sequence));
    let updated = UpdatedParcel {
        parcel: parcel(dispatch, shipment),
        sequence,
        status: state.status,
        reason: state.reason,
        since: shipment.journey.since,
        eta: state.eta,
        delivered_at: state.delivered_at,
    };
    let kind = EventKind::ParcelUpdated;
    let mut events = vec![Event::new((kind, at), order, Some(cause.clone()), updated)?];
    if let Some(delivered_at) = state.delivered_at
        && shipment.direction == Direction::Out
        && last.is_none_or(|last| last.state.delivered_at != Some(delivered_at))
    {
        let data = DeliveredParcel { parcel: parcel(dispatch, shipment), delivered_at };
        let kind = EventKind::ParcelDelivered;
        events.push(Event::new((kind, at), order, Some(cause), data)?);
    }
    Ok(Some((Told { sequence, state }, events)))
}

fn state(journey: &Journey) -> ParcelState {
    ParcelState {
        status: journey.status,
        reason: journey.reason,
        eta: journey.eta,
        delivered_at: journey.delivered_at,
    }
}

/// What there is to tell of an alert that was raised.
///
/// # Errors
/// When it cannot be written as JSON, which nothing of this build cannot.
pub fn of_alert(
    raised: &AlertRaised,
    (dispatch, shipment): (&Dispatch, &Shipment),
    at: Timestamp,
) -> Result<Event, serde_json::Error> {
    let data = RaisedAlert {
        alert: raised.alert.clone(),
        parcel: parcel(dispatch, shipment),
        kind: raised.kind,
        owner: raised.owner,
        act: raised.act,
        due: raised.due,
    };
    let cause = raised.alert.to_string();
    Event::new((EventKind::AlertRaised, at), &dispatch.order, Some(cause), data)
}

/// What there is to tell of a buyer's wish.
///
/// # Errors
/// When it cannot be written as JSON, which nothing of this build cannot.
pub fn of_wish(
    wish: &WishMade,
    (dispatch, shipment): (&Dispatch, &Shipment),
    (at, message): Noted<'_>,
) -> Result<Event, serde_json::Error> {
    let data = AlertWish {
        alert: wish.alert.clone(),
        parcel: parcel(dispatch, shipment),
        choice: wish.choice,
        owner: wish.owner,
    };
    Event::new((EventKind::AlertWish, at), &dispatch.order, Some(message.to_owned()), data)
}

fn parcel(dispatch: &Dispatch, shipment: &Shipment) -> ParcelRef {
    ParcelRef {
        order: dispatch.order.clone(),
        customer: dispatch.customer.clone(),
        shipment: shipment.id.clone(),
        direction: shipment.direction,
        carrier: shipment.tracking.as_ref().map(|it| it.carrier),
        tracking_number: shipment.tracking.as_ref().map(|it| it.number.clone()),
    }
}

/// What of an order a message is about: the shipment, if it is one of those
/// that lie in the order's dispatch.
#[must_use]
pub fn shipment_of(message: &Message) -> Option<(&OrderId, &ShipmentId)> {
    match message {
        Message::ShipmentOpened(it) => Some((&it.order, &it.shipment)),
        Message::ShipmentStopped(it) => Some((&it.order, &it.shipment)),
        Message::ParcelChanged(it) => Some((&it.order, &it.shipment)),
        Message::AlertRaised(it) => Some((&it.order, &it.shipment)),
        Message::WishMade(it) => Some((&it.order, &it.shipment)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aftercart::model::{
        customer::CustomerId,
        delivery::{MethodId, Promise},
        shipment::ParcelStatus,
        stock::LocationId,
        time::{Period, Zone},
    };
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn dispatch() -> Dispatch {
        let order = OrderId::derive(&["1"]);
        let shipment = Shipment::new(&order, 1, LocationId::default(), Vec::new(), now());
        Dispatch {
            order,
            customer: CustomerId::member("ada").unwrap(),
            opened_at: now(),
            version: 1,
            method: MethodId::parse("standard").unwrap(),
            country: String::from("GB").try_into().unwrap(),
            promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
            zone: Zone::utc(),
            priority: false,
            stopped_at: None,
            shipments: vec![shipment],
            compensation: None,
            due: None,
        }
    }

    #[test]
    fn what_is_no_longer_so_is_not_told() {
        let noted = (now(), "msg_1");
        let mut dispatch = dispatch();
        let told = |dispatch: &Dispatch, kind| {
            of_task(kind, (dispatch, &dispatch.shipments[0]), noted).unwrap().is_some()
        };
        let (opened, stopped) = (EventKind::ShipmentOpened, EventKind::ShipmentStopped);
        assert_eq!((told(&dispatch, opened), told(&dispatch, stopped)), (true, false));
        dispatch.stopped_at = Some(now());
        assert_eq!((told(&dispatch, opened), told(&dispatch, stopped)), (false, true));
        dispatch.stopped_at = None;
        dispatch.shipments[0].cancelled_at = Some(now());
        assert_eq!((told(&dispatch, opened), told(&dispatch, stopped)), (false, true));
    }

    #[test]
    fn each_endpoint_has_its_own_message_of_an_event() {
        let dispatch = dispatch();
        let about = (&dispatch, &dispatch.shipments[0]);
        let told = |message| of_task(EventKind::ShipmentOpened, about, (now(), message));
        let (event, other) = (told("msg_1").unwrap().unwrap(), told("msg_2").unwrap().unwrap());
        let (erp, crm) = (EndpointId::parse("erp").unwrap(), EndpointId::parse("crm").unwrap());
        assert_eq!(event.message_to(&erp), told("msg_1").unwrap().unwrap().message_to(&erp));
        assert_ne!(event.message_to(&erp), event.message_to(&crm));
        assert_ne!(event.message_to(&erp), other.message_to(&erp));
    }

    #[test]
    fn what_comes_back_is_an_update_and_no_delivery() {
        let mut dispatch = dispatch();
        dispatch.shipments[0].journey.delivered_at = Some(now());
        for (direction, told) in [
            (Direction::Out, &[EventKind::ParcelUpdated, EventKind::ParcelDelivered][..]),
            (Direction::Back, &[EventKind::ParcelUpdated]),
        ] {
            dispatch.shipments[0].direction = direction;
            let about = (&dispatch, &dispatch.shipments[0]);
            let (_, events) = of_parcel(about, None, now()).unwrap().unwrap();
            let kinds: Vec<EventKind> = events.iter().map(|it| it.kind).collect();
            assert_eq!(kinds, told);
            let update: serde_json::Value = serde_json::from_str(&events[0].body).unwrap();
            assert_eq!(update["data"]["direction"], serde_json::json!(direction));
        }
    }

    proptest! {
        /// A state is told exactly when it is another than was told last, under
        /// the next number, and a delivery when its time is a new one.
        #[test]
        fn a_parcel_is_told_of_when_it_changed(steps in prop::collection::vec((0..4_usize, 0..2_u32, any::<bool>()), 0..30)) {
            let mut dispatch = dispatch();
            let (mut last, mut heard) = (None::<Told>, BTreeSet::new());
            for (status, eta, delivered) in steps {
                let moment = now().plus(Period::of_seconds(eta));
                let journey = &mut dispatch.shipments[0].journey;
                journey.status = ParcelStatus::ALL[status];
                journey.eta = Some(moment);
                journey.delivered_at = delivered.then_some(moment);
                journey.told += 1;
                let state = state(journey);
                let about = (&dispatch, &dispatch.shipments[0]);
                let told = of_parcel(about, last.as_ref(), now()).unwrap();
                prop_assert_eq!(told.is_some(), last.is_none_or(|last| last.state != state));
                let Some((next, events)) = told else { continue };
                prop_assert_eq!(next.sequence, last.map_or(1, |last| last.sequence + 1));
                prop_assert_eq!(next.state, state);
                let new = delivered && last.is_none_or(|last| last.state.delivered_at != Some(moment));
                prop_assert_eq!(events.len(), if new { 2 } else { 1 });
                for event in events {
                    let id = event.message_to(&EndpointId::parse("erp").unwrap());
                    prop_assert!(heard.insert(id.to_string()), "told twice");
                }
                last = Some(next);
            }
        }
    }
}
