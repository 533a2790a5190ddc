//! Messages to systems of the merchant: what is to be delivered, how the calls
//! of each endpoint went, and what was last told of a parcel.
//!
//! A delivery lies in the index of what is due in a partition of its state and
//! endpoint, such as `waiting#erp`: so no endpoint stands before another one's,
//! and the listings of operators cost no index of their own.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    id::{OrderId, ShipmentId, WebhookId},
    shipment::{ParcelStatus, Reason},
    text::Text,
    time::Timestamp,
    webhook::{
        Delivery, DeliveryState, DeliveryStatus, EndpointId, EventKind, Health, KEPT, KEPT_DEAD,
        ParcelState, Told,
    },
};

use super::{
    DueTable, Found, Item, Key, Page, PageToken, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{from_item as read_form, number, stored},
    key::{DUE, DUE_SHARD},
    read,
};

const STATUS: &str = "st";
const TRIES: &str = "n";
const LAST: &str = "la";
const SINCE: &str = "at";
const EXPIRES: &str = "ttl";
const VERSION: &str = "n";

#[derive(Serialize, Deserialize)]
struct StoredDelivery {
    v: u32,
    #[serde(skip_serializing)]
    pk: WebhookId,
    e: EndpointId,
    k: EventKind,
    o: OrderId,
    b: String,
    at: Timestamp,
    n: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    la: Option<Text<80>>,
    st: DeliveryStatus,
    due: Timestamp,
    due_shard: String,
    ttl: i64,
}
stored!(StoredDelivery, "delivery to an endpoint", 1);

#[derive(Serialize, Deserialize)]
struct StoredHealth {
    v: u32,
    n: u64,
    f: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    u: Option<Timestamp>,
}
stored!(StoredHealth, "endpoint's health", 1);

#[derive(Serialize, Deserialize)]
struct StoredTold {
    v: u32,
    n: u32,
    s: ParcelStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Timestamp>,
    ttl: i64,
}
stored!(StoredTold, "record of what was told of a parcel", 1);

/// The partition of the index in which deliveries of a state to an endpoint lie.
fn shard(status: DeliveryStatus, endpoint: &EndpointId) -> String {
    format!("{}#{endpoint}", status.as_str())
}

/// When a delivery that has come to this state may be forgotten.
fn expiry(state: DeliveryState, at: Timestamp) -> i64 {
    let end = match state {
        DeliveryState::Waiting(_) => at.plus(KEPT),
        DeliveryState::Done(done) => done.plus(KEPT),
        DeliveryState::Dead(died) => died.plus(KEPT_DEAD),
    };
    end.unix_seconds()
}

/// Writes a new delivery. Loses when there is one of its identity, whose bytes
/// are the ones that count.
#[must_use]
pub fn deliver(delivery: &Delivery) -> Write {
    let form = StoredDelivery {
        v: 1,
        pk: delivery.id.clone(),
        e: delivery.endpoint.clone(),
        k: delivery.kind,
        o: delivery.order.clone(),
        b: delivery.body.clone(),
        at: delivery.at,
        n: delivery.tries,
        la: delivery.last.clone(),
        st: delivery.state.status(),
        due: delivery.state.at(),
        due_shard: shard(delivery.state.status(), &delivery.endpoint),
        ttl: expiry(delivery.state, delivery.at),
    };
    Write::put(Key::webhook(&delivery.id), &form, &Sends::none()).when(Condition::Absent)
}

/// Writes what became of a delivery. Loses when something else became of it
/// since it was read.
#[must_use]
pub fn went(before: &Delivery, after: &Delivery) -> Write {
    let status = |state: DeliveryState| AttributeValue::S(state.status().as_str().to_owned());
    let change = Change::default()
        .set(STATUS, status(after.state))
        .set(TRIES, number(after.tries))
        .set(SINCE, AttributeValue::S(after.at.to_string()))
        .set(DUE, AttributeValue::S(after.state.at().to_string()))
        .set(DUE_SHARD, AttributeValue::S(shard(after.state.status(), &after.endpoint)))
        .set(EXPIRES, number(expiry(after.state, after.state.at())));
    let change = match &after.last {
        Some(last) => change.set(LAST, AttributeValue::S(last.to_string())),
        None => change.remove(LAST),
    };
    Write::update(Key::webhook(&before.id), change, &Sends::none())
        .when(Condition::Equals(STATUS, status(before.state)))
        .when(Condition::Equals(TRIES, number(before.tries)))
}

/// Writes how the calls of an endpoint went. Loses when somebody else wrote
/// since the version before this one was read.
#[must_use]
pub fn put_health(endpoint: &EndpointId, health: &Health) -> Write {
    let form = StoredHealth { v: 1, n: health.version, f: health.failures, u: health.open_until };
    Write::put(Key::webhook_health(endpoint), &form, &Sends::none())
        .unchanged(VERSION, health.version.saturating_sub(1))
}

/// Writes what is told of a parcel. Loses when somebody told something since
/// the sequence before this one was read.
#[must_use]
pub fn put_told(shipment: &ShipmentId, told: &Told, now: Timestamp) -> Write {
    let ParcelState { status, reason, eta, delivered_at } = told.state;
    let form = StoredTold {
        v: 1,
        n: told.sequence,
        s: status,
        r: reason,
        e: eta,
        d: delivered_at,
        ttl: now.plus(KEPT_DEAD).plus(KEPT_DEAD).unix_seconds(),
    };
    Write::put(Key::webhook_told(shipment), &form, &Sends::none())
        .unchanged(VERSION, told.sequence.saturating_sub(1))
}

/// The delivery in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Delivery, StoreError> {
    let form: StoredDelivery = read_form(item)?;
    Ok(Delivery {
        id: form.pk,
        endpoint: form.e,
        kind: form.k,
        order: form.o,
        body: form.b,
        at: form.at,
        tries: form.n,
        last: form.la,
        state: match form.st {
            DeliveryStatus::Waiting => DeliveryState::Waiting(form.due),
            DeliveryStatus::Done => DeliveryState::Done(form.due),
            DeliveryStatus::Dead => DeliveryState::Dead(form.due),
        },
    })
}

/// The health in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn health_from_item(item: &Item) -> Result<Health, StoreError> {
    let form: StoredHealth = read_form(item)?;
    Ok(Health { version: form.n, failures: form.f, open_until: form.u })
}

impl Found {
    /// The delivery, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn webhook(&self, id: &WebhookId) -> Result<Option<Delivery>, StoreError> {
        self.item(&Key::webhook(id)).map(from_item).transpose()
    }

    /// How the calls of an endpoint went, if it was asked for: well, if nothing
    /// is written of it.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn webhook_health(&self, endpoint: &EndpointId) -> Result<Health, StoreError> {
        let item = self.item(&Key::webhook_health(endpoint));
        item.map_or_else(|| Ok(Health::default()), health_from_item)
    }

    /// What was last told of a shipment's parcel, if it was asked for and
    /// anything was.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn webhook_told(&self, shipment: &ShipmentId) -> Result<Option<Told>, StoreError> {
        let Some(item) = self.item(&Key::webhook_told(shipment)) else { return Ok(None) };
        let form: StoredTold = read_form(item)?;
        let StoredTold { s: status, r: reason, e: eta, d: delivered_at, .. } = form;
        let state = ParcelState { status, reason, eta, delivered_at };
        Ok(Some(Told { sequence: form.n, state }))
    }
}

impl Store {
    /// The deliveries of a state to an endpoint whose moment, see
    /// [`DeliveryState::at`], lies within a time, as the index has it; the
    /// earliest first, at most `most`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhooks_between(
        &self,
        (status, endpoint): (DeliveryStatus, &EndpointId),
        time: (Timestamp, Timestamp),
        most: u16,
    ) -> Result<Vec<WebhookId>, StoreError> {
        let shard = shard(status, endpoint);
        let found = self.due_between(DueTable::Webhooks, &shard, time, most).await?;
        Ok(found.iter().filter_map(|it| WebhookId::parse(&it.pk).ok()).collect())
    }

    /// A page of the deliveries of a state to an endpoint, as the index has it;
    /// those with the earliest moment first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn webhooks_listed(
        &self,
        (status, endpoint): (DeliveryStatus, &EndpointId),
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<WebhookId>, StoreError> {
        let shard = shard(status, endpoint);
        let of = (DueTable::Webhooks, shard.as_str());
        self.listed(of, (listed, Key::webhook), from, limit).await
    }
}

/// The place after which a listing of deliveries goes on, if the text is one.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    read::cursor(text, listed)
}

fn listed(text: &str) -> Option<WebhookId> {
    WebhookId::parse(text).ok()
}
