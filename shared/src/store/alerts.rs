//! What somebody sees to about deliveries: alerts, each in a partition of its
//! own, next to the shipments.

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    alert::{Act, Alert, AlertKind, Choice, Ended, Offered, Owner, Remedy, Wish},
    customer::{Address, CustomerId},
    id::{AlertId, OrderId, ShipmentId, VoucherId},
    order::Actor,
    shipment::{Carrier, ParcelStatus, Reason, Tracking, TrackingNumber},
    text::Text,
    time::Timestamp,
};

use super::{
    DueTable, Item, Key, Page, PageToken, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{from_item as read_form, is_default, stored, to_item},
    key::{DUE, DUE_SHARD},
    read::{self, key_of},
};

/// The partition of the index of what is due in which open alerts lie, by when
/// they are to be seen to. Schedules do not read it.
const ALERTS: &str = "alerts";

const WISH: &str = "w";
const ENDED: &str = "e";

#[derive(Serialize, Deserialize)]
struct StoredAlert {
    v: u32,
    #[serde(skip_serializing)]
    pk: AlertId,
    k: AlertKind,
    o: OrderId,
    cu: CustomerId,
    s: ShipmentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tr: Option<(Carrier, TrackingNumber)>,
    st: ParcelStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Reason>,
    at: Timestamp,
    ow: Owner,
    ac: Act,
    by: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    p: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vo: Option<VoucherId>,
    #[serde(default, skip_serializing_if = "is_default")]
    ch: Vec<Choice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    w: Option<StoredWish>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<StoredEnd>,
}
stored!(StoredAlert, "delivery alert", 1);

#[derive(Serialize, Deserialize)]
struct StoredWish {
    v: u32,
    at: Timestamp,
    c: Choice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    a: Option<Address>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Text<500>>,
}
stored!(StoredWish, "buyer's wish", 1);

#[derive(Serialize, Deserialize)]
struct StoredEnd {
    v: u32,
    at: Timestamp,
    by: Actor,
    h: Remedy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    t: Option<Text<500>>,
}
stored!(StoredEnd, "end of a delivery alert", 1);

/// Raises an alert, unless it was raised before.
#[must_use]
pub fn raise(alert: &Alert, sends: &Sends) -> Write {
    let form = StoredAlert {
        v: 1,
        pk: alert.id.clone(),
        k: alert.kind,
        o: alert.order.clone(),
        cu: alert.customer.clone(),
        s: alert.shipment.clone(),
        tr: alert.tracking.clone().map(|it| (it.carrier, it.number)),
        st: alert.status,
        r: alert.reason,
        at: alert.raised_at,
        ow: alert.owner,
        ac: alert.act,
        by: alert.due,
        p: alert.offered.points,
        vo: alert.offered.voucher.clone(),
        ch: alert.offered.choices.clone(),
        w: None,
        e: None,
    };
    Write::put(Key::alert(&alert.id), &form, sends)
        .when(Condition::Absent)
        .indexed(DUE_SHARD, ALERTS.to_owned())
        .indexed(DUE, alert.due.to_string())
}

/// Notes what the buyer wishes, instead of what was wished before. Loses when
/// there is no such alert, or it has ended.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn wish(alert: &AlertId, wish: &Wish, sends: &Sends) -> Result<Write, StoreError> {
    let form = StoredWish {
        v: 1,
        at: wish.at,
        c: wish.choice,
        a: wish.address.clone(),
        t: wish.note.clone(),
    };
    let form =
        to_item(&form).map_err(|source| StoreError::Stored { what: "buyer's wish", source })?;
    let change = Change::default().set(WISH, AttributeValue::M(form));
    Ok(open(alert, change, sends))
}

/// Ends an alert. Loses when there is no such alert, or it has ended.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn end(alert: &AlertId, end: &Ended, sends: &Sends) -> Result<Write, StoreError> {
    let form = StoredEnd { v: 1, at: end.at, by: end.by.clone(), h: end.how, t: end.note.clone() };
    let form = to_item(&form)
        .map_err(|source| StoreError::Stored { what: "end of a delivery alert", source })?;
    let change =
        Change::default().set(ENDED, AttributeValue::M(form)).remove(DUE).remove(DUE_SHARD);
    Ok(open(alert, change, sends))
}

fn open(alert: &AlertId, change: Change, sends: &Sends) -> Write {
    Write::update(Key::alert(alert), change, sends)
        .when(Condition::Exists)
        .when(Condition::Missing(ENDED.into()))
}

/// Whether an item of the table holds an alert.
pub(super) fn is_alert(item: &Item) -> bool {
    key_of(item).is_some_and(|(_, sk)| sk == "ALERT")
}

/// The alert in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Alert, StoreError> {
    let form: StoredAlert = read_form(item)?;
    Ok(Alert {
        id: form.pk,
        kind: form.k,
        order: form.o,
        customer: form.cu,
        shipment: form.s,
        tracking: form.tr.map(|(carrier, number)| Tracking { carrier, number }),
        status: form.st,
        reason: form.r,
        raised_at: form.at,
        owner: form.ow,
        act: form.ac,
        due: form.by,
        offered: Offered { points: form.p, voucher: form.vo, choices: form.ch },
        wish: form.w.map(|it| Wish { at: it.at, choice: it.c, address: it.a, note: it.t }),
        ended: form.e.map(|it| Ended { at: it.at, by: it.by, how: it.h, note: it.t }),
    })
}

impl super::Found {
    /// The alert, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn alert(&self, alert: &AlertId) -> Result<Option<Alert>, StoreError> {
        self.item(&Key::alert(alert)).map(from_item).transpose()
    }
}

impl Store {
    /// The alert.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alert(&self, alert: &AlertId) -> Result<Option<Alert>, StoreError> {
        self.get(&Key::alert(alert)).await?.as_ref().map(from_item).transpose()
    }

    /// A page of the open alerts, as the index has it; those first that are to
    /// be seen to first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn alerts_open(
        &self,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<AlertId>, StoreError> {
        let of = (DueTable::Shipments, ALERTS);
        self.listed(of, (listed, Key::alert), from, limit).await
    }
}

/// The place after which a listing of alerts goes on, if the text is one.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    read::cursor(text, listed)
}

fn listed(text: &str) -> Option<AlertId> {
    AlertId::parse(text).ok()
}
