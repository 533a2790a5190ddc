//! Shipments, by order.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{OrderId, ShipmentId},
    order::{Order, first_shipment},
    shipment::{Carrier, Journey, ParcelStatus, Reason, Shipment, Stage, Tracking, TrackingNumber},
    text::Text,
    time::Timestamp,
};

use super::{
    Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, number, stored, to_item},
};

const TRACKING: &str = "tr";
const LABELLED_AT: &str = "la";
const STOPPED_AT: &str = "so";
const JOURNEY: &str = "j";
const PUSHES: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredShipment {
    v: u32,
    #[serde(skip_serializing)]
    pk: OrderId,
    #[serde(skip_serializing)]
    sk: ShipmentId,
    cu: CustomerId,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tr: Option<StoredTracking>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    la: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    so: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    j: Option<StoredJourney>,
    #[serde(default)]
    n: u32,
}
stored!(StoredShipment, "shipment", 1);

#[derive(Serialize, Deserialize)]
struct StoredTracking {
    c: Carrier,
    n: TrackingNumber,
}

#[derive(Serialize, Deserialize)]
struct StoredJourney {
    v: u32,
    s: ParcelStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Reason>,
    g: Vec<StoredStage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eta: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Timestamp>,
    e: u32,
}
stored!(StoredJourney, "journey", 1);

#[derive(Serialize, Deserialize)]
struct StoredStage {
    s: ParcelStatus,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<Text<80>>,
}

impl From<&Journey> for StoredJourney {
    fn from(journey: &Journey) -> Self {
        let stage =
            |stage: &Stage| StoredStage { s: stage.status, at: stage.at, p: stage.place.clone() };
        Self {
            v: 1,
            s: journey.status,
            r: journey.reason,
            g: journey.stages.iter().map(stage).collect(),
            eta: journey.eta,
            d: journey.delivered_at,
            e: journey.events,
        }
    }
}

impl StoredJourney {
    fn into_journey(self, pushes: u32) -> Journey {
        let stage = |stage: StoredStage| Stage { status: stage.s, at: stage.at, place: stage.p };
        Journey {
            status: self.s,
            reason: self.r,
            stages: self.g.into_iter().map(stage).collect(),
            eta: self.eta,
            delivered_at: self.d,
            events: self.e,
            pushes,
        }
    }
}

/// Writes a new shipment, unless it was opened before.
#[must_use]
pub fn open(shipment: &Shipment, sends: &Sends) -> Write {
    let form = StoredShipment {
        v: 1,
        pk: shipment.order.clone(),
        sk: shipment.id.clone(),
        cu: shipment.customer.clone(),
        at: shipment.opened_at,
        tr: shipment
            .tracking
            .clone()
            .map(|tracking| StoredTracking { c: tracking.carrier, n: tracking.number }),
        la: shipment.labelled_at,
        so: shipment.stopped_at,
        j: (shipment.journey.pushes > 0).then(|| (&shipment.journey).into()),
        n: shipment.journey.pushes,
    };
    Write::put(Key::shipment(&shipment.order, &shipment.id), &form, sends).when(Condition::Absent)
}

/// Stops a shipment that is not sent yet. Loses when there is no such
/// shipment, it has a label, or is stopped.
#[must_use]
pub fn stop(order: &OrderId, shipment: &ShipmentId, at: Timestamp, sends: &Sends) -> Write {
    let change = Change::default().set(STOPPED_AT, AttributeValue::S(at.to_string()));
    unsent(order, shipment, change, sends)
}

/// Lets a shipment go on that was stopped at this time. Loses when there is no
/// such shipment, or it is not stopped since then.
#[must_use]
pub fn resume(order: &OrderId, shipment: &ShipmentId, stopped: Timestamp, sends: &Sends) -> Write {
    let stopped = AttributeValue::S(stopped.to_string());
    let change = Change::default().remove(STOPPED_AT);
    Write::update(Key::shipment(order, shipment), change, sends)
        .when(Condition::Equals(STOPPED_AT, stopped))
}

/// Has the warehouse told of a shipment that is to be packed otherwise than it
/// was told before. Loses when there is no such shipment, it has a label, or
/// is stopped.
#[must_use]
pub fn tell(order: &OrderId, shipment: &ShipmentId, sends: &Sends) -> Write {
    unsent(order, shipment, Change::default(), sends)
}

fn unsent(order: &OrderId, shipment: &ShipmentId, change: Change, sends: &Sends) -> Write {
    Write::update(Key::shipment(order, shipment), change, sends)
        .when(Condition::Exists)
        .when(Condition::Missing(TRACKING.into()))
        .when(Condition::Missing(STOPPED_AT.into()))
}

/// Attaches the label of a shipment. Loses when there is no such shipment, it
/// has a label, or is stopped.
#[must_use]
pub fn label(order: &OrderId, shipment: &ShipmentId, tracking: &Tracking, at: Timestamp) -> Write {
    let form = [
        ("c".to_owned(), AttributeValue::S(tracking.carrier.as_str().to_owned())),
        ("n".to_owned(), AttributeValue::S(tracking.number.as_str().to_owned())),
    ];
    let change = Change::default()
        .set(TRACKING, AttributeValue::M(form.into()))
        .set(LABELLED_AT, AttributeValue::S(at.to_string()));
    unsent(order, shipment, change, &Sends::none())
}

/// Notes where the parcel of a shipment is. Loses to a journey that followed
/// from as many pushes: pushes are only ever added, so the journey that knows
/// all of them wins.
///
/// # Errors
/// [`StoreError::Stored`] when the journey cannot be stored.
pub fn progress(
    order: &OrderId,
    shipment: &ShipmentId,
    journey: &Journey,
    sends: &Sends,
) -> Result<Write, StoreError> {
    let form = to_item(&StoredJourney::from(journey))
        .map_err(|source| StoreError::Stored { what: "journey", source })?;
    let change =
        Change::default().set(JOURNEY, AttributeValue::M(form)).set(PUSHES, number(journey.pushes));
    Ok(Write::update(Key::shipment(order, shipment), change, sends)
        .when(Condition::Exists)
        .when(Condition::MissingOrBelow(PUSHES.into(), i64::from(journey.pushes))))
}

/// The shipment in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Shipment, StoreError> {
    let form: StoredShipment = read_form(item)?;
    let pushes = form.n;
    Ok(Shipment {
        id: form.sk,
        order: form.pk,
        customer: form.cu,
        opened_at: form.at,
        tracking: form.tr.map(|tracking| Tracking { carrier: tracking.c, number: tracking.n }),
        labelled_at: form.la,
        stopped_at: form.so,
        journey: form.j.map_or_else(Journey::pending, |journey| journey.into_journey(pushes)),
    })
}

impl Found {
    /// The shipment, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn shipment(
        &self,
        order: &OrderId,
        shipment: &ShipmentId,
    ) -> Result<Option<Shipment>, StoreError> {
        self.item(&Key::shipment(order, shipment)).map(from_item).transpose()
    }
}

impl Store {
    /// The shipment.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn shipment(
        &self,
        order: &OrderId,
        shipment: &ShipmentId,
    ) -> Result<Option<Shipment>, StoreError> {
        self.get(&Key::shipment(order, shipment)).await?.as_ref().map(from_item).transpose()
    }

    /// The buyer's order and its first shipment, as far as they are there, in
    /// one round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order_and_shipment(
        &self,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<(Option<Order>, Option<Shipment>), StoreError> {
        let shipment = first_shipment(order);
        let keys = [Key::order(customer, order), Key::shipment(order, &shipment)];
        let found = self.read(&keys).await?;
        Ok((found.order(customer, order)?, found.shipment(order, &shipment)?))
    }
}
