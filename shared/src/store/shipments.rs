//! The shipments of orders: one item an order holds all of them. What people
//! and rules do to them is in one map, written together under a version; where
//! their parcels are is in another, a member each, written by whoever knows
//! more. So a scan meets neither a split nor another parcel's scan.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_dynamo::AttributeValue;

use crate::model::{
    alert::AlertKind,
    customer::{Country, CustomerId},
    delivery::{MethodId, Promise},
    dispatch::{
        Chosen, Closed, Compensation, Counted, Direction, Dispatch, Ending, Raised, Shipment,
        ShipmentLine,
    },
    id::{OrderId, ShipmentId, VoucherId},
    order::Order,
    shipment::{
        Carrier, Doubt, Journey, Parcel, ParcelStatus, Reason, Stage, Tracking, TrackingNumber,
    },
    stock::LocationId,
    text::Text,
    time::{Timestamp, Zone},
};

use super::{
    Due, DueTable, Found, Key, Sends, Store, StoreError, Write,
    commit::{Change, Condition},
    item::{Item, from_item as read_form, is_default, number, stored, to_item},
    key::{DUE, DUE_SHARD, due_shard},
    read::key_of,
};

const VERSION: &str = "n";
const ZONE: &str = "z";
const PRIORITY: &str = "p";
const STOPPED_AT: &str = "so";
const SHIPMENTS: &str = "s";
const JOURNEYS: &str = "j";
/// The label, in a shipment.
const LABEL: &str = "tr";
const COMPENSATION: &str = "cp";

#[derive(Serialize, Deserialize)]
struct StoredDispatch {
    v: u32,
    #[serde(skip_serializing)]
    pk: OrderId,
    cu: CustomerId,
    at: Timestamp,
    n: u32,
    me: MethodId,
    to: Country,
    pr: String,
    z: Zone,
    #[serde(default, skip_serializing_if = "is_default")]
    p: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    so: Option<Timestamp>,
    s: BTreeMap<ShipmentId, StoredShipment>,
    j: BTreeMap<ShipmentId, StoredJourney>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cp: Option<StoredCompensation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
}
stored!(StoredDispatch, "list of shipments", 2);

#[derive(Serialize, Deserialize)]
struct StoredShipment {
    n: u16,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ws: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    b: bool,
    l: LocationId,
    g: Vec<ShipmentLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sv: Option<(Text<40>, Text<200>)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rp: Option<ShipmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tr: Option<(Carrier, TrackingNumber)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    la: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    c: Option<(Timestamp, Ending, Text<128>, Option<Text<500>>)>,
    #[serde(default, skip_serializing_if = "is_default")]
    t: BTreeSet<ParcelStatus>,
    #[serde(default, skip_serializing_if = "is_default")]
    al: BTreeMap<AlertKind, (Timestamp, Option<Timestamp>, bool)>,
    #[serde(default, skip_serializing_if = "is_default")]
    sc: BTreeMap<AlertKind, Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ct: Option<(Text<7>, Option<u16>, bool)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rq: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StoredCompensation {
    at: Timestamp,
    k: AlertKind,
    s: ShipmentId,
    #[serde(default, skip_serializing_if = "is_default")]
    p: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vo: Option<VoucherId>,
}

#[derive(Serialize, Deserialize)]
struct StoredJourney {
    v: u32,
    s: ParcelStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    g: Vec<StoredStage>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    eta: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    h: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    a: u32,
    e: u32,
    n: u32,
}
stored!(StoredJourney, "journey", 1);

#[derive(Serialize, Deserialize)]
struct StoredStage {
    s: ParcelStatus,
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    p: Option<Text<80>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    d: Option<Doubt>,
}

impl From<&Journey> for StoredJourney {
    fn from(journey: &Journey) -> Self {
        let stage = |stage: &Stage| StoredStage {
            s: stage.status,
            at: stage.at,
            p: stage.place.clone(),
            d: stage.doubt,
        };
        Self {
            v: 1,
            s: journey.status,
            r: journey.reason,
            at: journey.since,
            g: journey.stages.iter().map(stage).collect(),
            eta: journey.eta,
            d: journey.delivered_at,
            h: journey.heard_at,
            a: journey.attempts,
            e: journey.events,
            n: journey.told,
        }
    }
}

impl From<StoredJourney> for Journey {
    fn from(form: StoredJourney) -> Self {
        let stage = |it: StoredStage| Stage { status: it.s, at: it.at, place: it.p, doubt: it.d };
        Self {
            status: form.s,
            reason: form.r,
            since: form.at,
            stages: form.g.into_iter().map(stage).collect(),
            eta: form.eta,
            delivered_at: form.d,
            heard_at: form.h,
            attempts: form.a,
            events: form.e,
            told: form.n,
        }
    }
}

impl From<&Shipment> for StoredShipment {
    fn from(shipment: &Shipment) -> Self {
        let raised = |(kind, it): (&AlertKind, &Raised)| (*kind, (it.at, it.ended_at, it.untold));
        let since = |(kind, it): (&AlertKind, &Raised)| Some((*kind, it.since?));
        Self {
            n: shipment.number,
            at: shipment.opened_at,
            ws: shipment.waits_since,
            b: shipment.direction == Direction::Back,
            l: shipment.location.clone(),
            g: shipment.lines.clone(),
            sv: shipment.chosen.clone().map(|it| (it.service, it.why)),
            rp: shipment.replaces.clone(),
            tr: shipment.tracking.clone().map(|it| (it.carrier, it.number)),
            la: shipment.labelled_at,
            x: shipment.cancelled_at,
            c: shipment.closed.clone().map(|it| (it.at, it.how, it.by, it.note)),
            t: shipment.told.clone(),
            al: shipment.alerts.iter().map(raised).collect(),
            sc: shipment.alerts.iter().filter_map(since).collect(),
            ct: shipment.counted.clone().map(|it| (it.month, it.days, it.kept)),
            rq: shipment.request.clone(),
        }
    }
}

impl StoredShipment {
    fn into_shipment(self, id: ShipmentId, journey: Option<StoredJourney>) -> Shipment {
        let raised = |(kind, (at, ended_at, untold))| {
            let since = self.sc.get(&kind).copied();
            (kind, Raised { at, ended_at, untold, since })
        };
        let mut shipment = Shipment {
            id,
            number: self.n,
            opened_at: self.at,
            waits_since: self.ws,
            direction: if self.b { Direction::Back } else { Direction::Out },
            location: self.l,
            lines: self.g,
            chosen: self.sv.map(|(service, why)| Chosen { service, why }),
            replaces: self.rp,
            tracking: self.tr.map(|(carrier, number)| Tracking { carrier, number }),
            labelled_at: self.la,
            cancelled_at: self.x,
            closed: self.c.map(|(at, how, by, note)| Closed { at, how, by, note }),
            journey: Journey::pending(),
            told: self.t,
            alerts: self.al.into_iter().map(raised).collect(),
            counted: self.ct.map(|(month, days, kept)| Counted { month, days, kept }),
            request: self.rq,
        };
        shipment.hear(journey.map_or_else(Journey::pending, Journey::from));
        shipment
    }
}

impl From<&Dispatch> for StoredDispatch {
    fn from(dispatch: &Dispatch) -> Self {
        let shipments = dispatch.shipments.iter();
        let heard = shipments.clone().filter(|it| it.journey.told > 0);
        Self {
            v: <Self as super::item::Stored>::SCHEMA,
            pk: dispatch.order.clone(),
            cu: dispatch.customer.clone(),
            at: dispatch.opened_at,
            n: dispatch.version.saturating_add(1),
            me: dispatch.method.clone(),
            to: dispatch.country.clone(),
            pr: dispatch.promise.compact(),
            z: dispatch.zone.clone(),
            p: dispatch.priority,
            so: dispatch.stopped_at,
            s: shipments.map(|it| (it.id.clone(), it.into())).collect(),
            j: heard.map(|it| (it.id.clone(), (&it.journey).into())).collect(),
            cp: dispatch.compensation.as_ref().map(|it| StoredCompensation {
                at: it.at,
                k: it.alert,
                s: it.shipment.clone(),
                p: it.points,
                vo: it.voucher.clone(),
            }),
            due: dispatch.due,
        }
    }
}

/// Writes the shipments of an order, unless they were opened before. Their
/// version is 1 then, whatever it says.
#[must_use]
pub fn open(dispatch: &Dispatch, sends: &Sends) -> Write {
    let new = Dispatch { version: 0, ..dispatch.clone() };
    let write = Write::put(Key::dispatch(&dispatch.order), &StoredDispatch::from(&new), sends);
    let write = write.when(Condition::Absent);
    match dispatch.due {
        // The range attribute of the index is a member of the form.
        Some(_) => write.indexed(DUE_SHARD, due_shard(dispatch.order.as_str())),
        None => write,
    }
}

/// Writes what became of the shipments, journeys aside, if nobody changed them
/// since `after` was read. What was read and not changed is written as well,
/// where its parcel is not; but a shipment without a label has no journey.
///
/// # Errors
/// [`StoreError::Stored`] when they cannot be stored.
pub fn save(after: &Dispatch, sends: &Sends) -> Result<Write, StoreError> {
    Ok(saved(after, changes(after)?, sends))
}

fn saved(after: &Dispatch, change: Change, sends: &Sends) -> Write {
    Write::update(Key::dispatch(&after.order), change, sends)
        .when(Condition::Equals(VERSION, number(after.version)))
}

fn changes(after: &Dispatch) -> Result<Change, StoreError> {
    let mut form = to_item(&StoredDispatch::from(after))
        .map_err(|source| StoreError::Stored { what: "list of shipments", source })?;
    let mut change = Change::default();
    for name in [VERSION, ZONE, SHIPMENTS] {
        if let Some(value) = form.remove(name) {
            change = change.set(name, value);
        }
    }
    for name in [PRIORITY, STOPPED_AT, COMPENSATION, DUE] {
        change = match form.remove(name) {
            Some(value) => change.set(name, value),
            None => change.remove(name),
        };
    }
    for shipment in after.shipments.iter().filter(|it| it.tracking.is_none()) {
        change = change.remove(format!("{JOURNEYS}.{}", shipment.id));
    }
    Ok(match after.due {
        Some(_) => change.set(DUE_SHARD, AttributeValue::S(due_shard(after.order.as_str()))),
        None => change.remove(DUE_SHARD),
    })
}

/// Like [`save`], if no more is told of any parcel than `after` follows from.
///
/// # Errors
/// [`StoreError::Stored`] when they cannot be stored.
pub fn save_as_told(after: &Dispatch, sends: &Sends) -> Result<Write, StoreError> {
    let saved = save(after, sends)?;
    Ok(after.shipments.iter().map(|it| told(it, it.journey.told)).fold(saved, Write::when))
}

/// Like [`save_as_told`], and notes where the parcel of a shipment is, as
/// `after` has it, of which so much was told before.
///
/// # Errors
/// [`StoreError::Stored`] when they cannot be stored.
pub fn save_and_progress(
    after: &Dispatch,
    (shipment, before): (&ShipmentId, u32),
    sends: &Sends,
) -> Result<Write, StoreError> {
    let mut change = changes(after)?;
    if let Some(it) = after.shipment(shipment) {
        change = change.set(format!("{JOURNEYS}.{shipment}"), journey_value(&it.journey)?);
    }
    let known = |it: &Shipment| told(it, if it.id == *shipment { before } else { it.journey.told });
    Ok(after.shipments.iter().map(known).fold(saved(after, change, sends), Write::when))
}

/// That so much was told of a shipment's parcel.
fn told(shipment: &Shipment, told: u32) -> Condition {
    let place = format!("{JOURNEYS}.{}", shipment.id);
    match told {
        0 => Condition::Missing(place.into()),
        told => Condition::Is(format!("{place}.n").into(), number(told)),
    }
}

fn journey_value(journey: &Journey) -> Result<AttributeValue, StoreError> {
    let form = to_item(&StoredJourney::from(journey));
    let form = form.map_err(|source| StoreError::Stored { what: "journey", source })?;
    Ok(AttributeValue::M(form))
}

/// Notes where the parcel of a shipment is. Loses when its label is not on the
/// shipment any more, and to a journey that followed from as much: what is told
/// is only ever added to, so the journey that knows all of it wins.
///
/// # Errors
/// [`StoreError::Stored`] when the journey cannot be stored.
pub fn progress(parcel: &Parcel, journey: &Journey, sends: &Sends) -> Result<Write, StoreError> {
    let Parcel { order, shipment, tracking, .. } = parcel;
    let place = format!("{JOURNEYS}.{shipment}");
    let told = format!("{place}.n");
    let change = Change::default().set(place, journey_value(journey)?);
    let label = [tracking.carrier.as_str(), tracking.number.as_str()];
    let label = label.map(|part| AttributeValue::S(part.to_owned())).to_vec();
    Ok(Write::update(Key::dispatch(order), change, sends)
        .when(Condition::Is(
            format!("{SHIPMENTS}.{shipment}.{LABEL}").into(),
            AttributeValue::L(label),
        ))
        .when(Condition::MissingOrBelow(told.into(), i64::from(journey.told))))
}

/// The shipments in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`].
pub fn from_item(item: &Item) -> Result<Dispatch, StoreError> {
    let form: StoredDispatch = read_form(item)?;
    let promise = Promise::parse_compact(&form.pr);
    let what = "list of shipments";
    let source = super::item::StoredError::Range;
    let promise = promise.ok_or(StoreError::Stored { what, source })?;
    let mut journeys = form.j;
    let mut shipments: Vec<Shipment> = (form.s.into_iter())
        .map(|(id, it)| {
            let journey = journeys.remove(&id);
            it.into_shipment(id, journey)
        })
        .collect();
    shipments.sort_unstable_by_key(|it| it.number);
    Ok(Dispatch {
        order: form.pk,
        customer: form.cu,
        opened_at: form.at,
        version: form.n,
        method: form.me,
        country: form.to,
        promise,
        zone: form.z,
        priority: form.p,
        stopped_at: form.so,
        shipments,
        compensation: form.cp.map(|it| Compensation {
            at: it.at,
            alert: it.k,
            shipment: it.s,
            points: it.p,
            voucher: it.vo,
        }),
        due: form.due,
    })
}

impl Found {
    /// The shipments of an order, if they were asked for and are there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn dispatch(&self, order: &OrderId) -> Result<Option<Dispatch>, StoreError> {
        self.item(&Key::dispatch(order)).map(from_item).transpose()
    }
}

impl Store {
    /// The shipments of an order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dispatch(&self, order: &OrderId) -> Result<Option<Dispatch>, StoreError> {
        self.get(&Key::dispatch(order)).await?.as_ref().map(from_item).transpose()
    }

    /// The buyer's order and its shipments, as far as they are there, in one
    /// round trip.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order_and_dispatch(
        &self,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<(Option<Order>, Option<Dispatch>), StoreError> {
        let found = self.read(&[Key::order(customer, order), Key::dispatch(order)]).await?;
        Ok((found.order(customer, order)?, found.dispatch(order)?))
    }

    /// The orders whose shipments are to be looked at by `now`, as the index has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn dispatches_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<OrderId>, StoreError> {
        let due = self.due(DueTable::Shipments, now, most).await?;
        Ok(due.iter().filter_map(|Due { pk, .. }| OrderId::parse(pk).ok()).collect())
    }
}

/// Whether an item of the table holds shipments; the table holds alerts and
/// statistics, too.
pub(super) fn is_dispatch(item: &Item) -> bool {
    key_of(item).is_some_and(|(_, sk)| sk == "DISPATCH")
}
