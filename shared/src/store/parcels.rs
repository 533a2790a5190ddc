//! Parcels by carrier and number, and what carriers reported of them, in one
//! partition a parcel: one query reads all that its journey follows from.

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::CustomerId,
    id::{OrderId, ShipmentId},
    shipment::{Parcel, ParcelStatus, Push, Reason, Tracking, TrackingEvent},
    text::Text,
    time::Timestamp,
};

use super::{
    Key, Sends, Store, StoreError, Table, Write,
    commit::Condition,
    item::{Item, from_item, stored},
    key::tracking_pk,
    read::{PartitionQuery, key_of},
};

#[derive(Serialize, Deserialize)]
struct StoredParcel {
    v: u32,
    o: OrderId,
    s: ShipmentId,
    cu: CustomerId,
    at: Timestamp,
}
stored!(StoredParcel, "parcel", 1);

#[derive(Serialize, Deserialize)]
struct StoredPush {
    v: u32,
    e: Vec<StoredEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eta: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
}
stored!(StoredPush, "carrier push", 1);

#[derive(Serialize, Deserialize)]
struct StoredEvent {
    at: Timestamp,
    s: ParcelStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Reason>,
    c: Text<64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<Text<80>>,
}

impl From<&TrackingEvent> for StoredEvent {
    fn from(event: &TrackingEvent) -> Self {
        Self {
            at: event.at,
            s: event.status,
            r: event.reason,
            c: event.code.clone(),
            p: event.place.clone(),
        }
    }
}

impl From<StoredEvent> for TrackingEvent {
    fn from(form: StoredEvent) -> Self {
        Self { at: form.at, status: form.s, reason: form.r, code: form.c, place: form.p }
    }
}

/// All that is known of a parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParcelHistory {
    /// The shipment it belongs to; missing until its label is attached.
    pub parcel: Option<Parcel>,
    /// Every push, each once.
    pub pushes: Vec<Push>,
}

/// Links a label to its shipment, unless the label is in use.
#[must_use]
pub fn link(parcel: &Parcel, sends: &Sends) -> Write {
    let form = StoredParcel {
        v: 1,
        o: parcel.order.clone(),
        s: parcel.shipment.clone(),
        cu: parcel.customer.clone(),
        at: parcel.labelled_at,
    };
    Write::put(Key::parcel(&parcel.tracking), &form, sends).when(Condition::Absent)
}

/// Writes what a carrier told, unless it told the same before.
#[must_use]
pub fn record(push: &Push, sends: &Sends) -> Write {
    let form = StoredPush {
        v: 1,
        e: push.events.iter().map(StoredEvent::from).collect(),
        eta: push.eta,
        at: push.told_at,
    };
    Write::put(Key::push(&push.tracking, &push.digest()), &form, sends).when(Condition::Absent)
}

/// The parcel in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn parcel_from_item(tracking: &Tracking, item: &Item) -> Result<Parcel, StoreError> {
    let form: StoredParcel = from_item(item)?;
    Ok(Parcel {
        tracking: tracking.clone(),
        order: form.o,
        shipment: form.s,
        customer: form.cu,
        labelled_at: form.at,
    })
}

fn push_from_item(tracking: &Tracking, item: &Item) -> Result<Push, StoreError> {
    let form: StoredPush = from_item(item)?;
    Ok(Push {
        tracking: tracking.clone(),
        events: form.e.into_iter().map(TrackingEvent::from).collect(),
        eta: form.eta,
        told_at: form.at,
    })
}

impl Store {
    /// Everything known of a parcel, in one query.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn parcel(&self, tracking: &Tracking) -> Result<ParcelHistory, StoreError> {
        let pk = tracking_pk(tracking);
        let query = PartitionQuery { table: Table::Tracking, pk: &pk, prefix: None };
        let mut history = ParcelHistory::default();
        for item in self.partition(query).await? {
            match key_of(&item) {
                Some((_, sk)) if sk == "PARCEL" => {
                    history.parcel = Some(parcel_from_item(tracking, &item)?);
                }
                _ => history.pushes.push(push_from_item(tracking, &item)?),
            }
        }
        Ok(history)
    }
}
