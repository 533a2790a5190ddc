//! How the goods of a paid order leave: its shipments, what they carry, and
//! what was done about them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    alert::AlertKind,
    customer::{Country, CustomerId},
    delivery::{MethodId, Promise},
    id::{OrderId, ShipmentId, VoucherId},
    order::Order,
    product::Sku,
    shipment::{Journey, Tracking},
    stock::LocationId,
    text::Text,
    time::{Date, TimeOfDay, Timestamp, Zone},
};

/// The most shipments of an order, those included that were called off, went
/// back or replaced another. All of them lie in one item, at some 500 bytes
/// each, and a warehouse is told of each in the write that makes it.
pub const MAX_SHIPMENTS: usize = 20;

/// Which way a shipment goes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To the buyer.
    Out,
    /// Back to the shop: goods that the buyer returns.
    Back,
}

/// So many units of a SKU in a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentLine {
    /// What.
    pub sku: Sku,
    /// How many, at least 1.
    pub quantity: u32,
}

/// The service that the rules chose for a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Which, by its name in the policy.
    pub service: Text<40>,
    /// Why this one and not another, in words for the operator.
    pub why: Text<200>,
}

/// An alert about a shipment: the record of it is [`super::alert::Alert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// Since when.
    pub at: Timestamp,
    /// When somebody saw to it, or it came to rest by itself.
    pub ended_at: Option<Timestamp>,
    /// Whether the buyer is still to be told of it: it was raised when buyers
    /// are left in peace.
    pub untold: bool,
    /// Since when that is so which is wrong, of a kind that a shipment can have
    /// again; see [`super::alert::Alert::identity`].
    pub since: Option<Timestamp>,
}

/// What the statistics of deliveries were told of a shipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// In which month, such as `2026-11`.
    pub month: Text<7>,
    /// So many working days under way; none if it was never brought, or its
    /// times are in doubt.
    pub days: Option<u16>,
    /// Whether the promise was kept.
    pub kept: bool,
}

/// How a shipment ended without a scan that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It is not sent.
    CalledOff,
    /// The buyer has the goods.
    HandedOver,
    /// It left, and will not arrive.
    Lost,
}

impl Ending {
    /// Its name in texts and stored items.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CalledOff => "called_off",
            Self::HandedOver => "handed_over",
            Self::Lost => "lost",
        }
    }
}

/// The end of a shipment that a person told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: Ending,
    /// The operator who told.
    pub by: Text<128>,
    /// Why, in words for other operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

/// A parcel on its way to the buyer, or back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Derived from the order and, if a rule opened it, its number; from the
    /// order and the key of the call, if a person did.
    pub id: ShipmentId,
    /// Its number among the order's shipments, from 1.
    pub number: u16,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Since when it is to be packed, if not since it was opened: its label was
    /// taken off, or its order went on after it was held.
    pub waits_since: Option<Timestamp>,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it is packed, or where goods that come back go.
    pub location: LocationId,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
    /// The service that the rules chose, if the policy has any.
    pub chosen: Option<Chosen>,
    /// The shipment whose goods it carries anew.
    pub replaces: Option<ShipmentId>,
    /// The label, once it has one.
    pub tracking: Option<Tracking>,
    /// When the label was attached.
    pub labelled_at: Option<Timestamp>,
    /// When it was called off: it is not sent, another one is sent instead, or
    /// it was lost.
    pub cancelled_at: Option<Timestamp>,
    /// How it ended, if a person told.
    pub closed: Option<Closed>,
    /// Where the parcel is. Goods that were handed over are delivered since
    /// then, unless a carrier told of a delivery.
    pub journey: Journey,
    /// Of which steps the buyer was told.
    pub told: BTreeSet<super::shipment::ParcelStatus>,
    /// What was wrong with it, of each kind what was raised last.
    pub alerts: BTreeMap<AlertKind, Raised>,
    /// What the statistics were told.
    pub counted: Option<Counted>,
    /// A digest of the call that opened it, if a person did: the same key with
    /// another call is refused.
    pub request: Option<String>,
}

/// What a buyer was given for a bad delivery, once an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compensation {
    /// When.
    pub at: Timestamp,
    /// For what.
    pub alert: AlertKind,
    /// For which shipment.
    pub shipment: ShipmentId,
    /// So many points.
    pub points: u32,
    /// A voucher.
    pub voucher: Option<VoucherId>,
}

/// All shipments of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dispatch {
    /// Whose goods they carry.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// When the first was opened.
    pub opened_at: Timestamp,
    /// How often it was changed, journeys aside; 0 before it is first written.
    pub version: u32,
    /// The method that the buyer chose.
    pub method: MethodId,
    /// Where the goods go.
    pub country: Country,
    /// What the buyer was promised.
    pub promise: Promise,
    /// Where the dates of the promise are.
    pub zone: Zone,
    /// Whether the buyer's parcels go first.
    pub priority: bool,
    /// Since when nothing of it must be sent: its order was called off, or is
    /// held. Never while a shipment that is not called off has a label.
    pub stopped_at: Option<Timestamp>,
    /// The shipments, by number.
    pub shipments: Vec<Shipment>,
    /// What the buyer was given for a bad delivery.
    pub compensation: Option<Compensation>,
    /// When it is to be looked at again; not at all, if there is none.
    pub due: Option<Timestamp>,
}

impl Shipment {
    /// A new shipment without a label.
    #[must_use]
    pub fn new(
        order: &OrderId,
        number: u16,
        location: LocationId,
        lines: Vec<ShipmentLine>,
        opened_at: Timestamp,
    ) -> Self {
        Self {
            id: shipment_id(order, number),
            number,
            opened_at,
            waits_since: None,
            direction: Direction::Out,
            location,
            lines,
            chosen: None,
            replaces: None,
            tracking: None,
            labelled_at: None,
            cancelled_at: None,
            closed: None,
            journey: Journey::pending(),
            told: BTreeSet::new(),
            alerts: BTreeMap::new(),
            counted: None,
            request: None,
        }
    }

    /// Whether it carries goods to the buyer and was not called off.
    #[must_use]
    pub fn is_outbound(&self) -> bool {
        self.direction == Direction::Out && self.cancelled_at.is_none()
    }

    /// When a person handed its goods to the buyer.
    #[must_use]
    pub fn handed_over_at(&self) -> Option<Timestamp> {
        self.closed.as_ref().filter(|it| it.how == Ending::HandedOver).map(|it| it.at)
    }

    /// Whether its goods leave or left the shop: it has a label, or the buyer
    /// has them without one.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.tracking.is_some() || self.handed_over_at().is_some()
    }

    /// Notes where its parcel is, by what its carrier told. Gives what was noted
    /// before.
    pub fn hear(&mut self, journey: Journey) -> Journey {
        let journey = match self.handed_over_at() {
            Some(at) => journey.handed_over(at),
            None => journey,
        };
        std::mem::replace(&mut self.journey, journey)
    }
}

impl Dispatch {
    /// That of an order of which nothing was opened yet. Where its promise's
    /// dates are, and whether its parcels go first, is decided with its first
    /// shipment.
    #[must_use]
    pub fn unopened(order: &Order, now: Timestamp) -> Self {
        Self {
            order: order.id.clone(),
            customer: order.customer.clone(),
            opened_at: now,
            version: 0,
            method: order.delivery.method.clone(),
            country: order.address.country.clone(),
            promise: order.delivery.promise,
            zone: Zone::utc(),
            priority: false,
            stopped_at: None,
            shipments: Vec::new(),
            compensation: None,
            due: None,
        }
    }

    /// The end of the day on which its parcels are to have left.
    #[must_use]
    pub fn leaves_by(&self) -> Timestamp {
        let next = self.promise.ship_by.plus_days(1);
        next.at(TimeOfDay::MIDNIGHT, &self.zone).unwrap_or(self.opened_at)
    }

    /// The last day on which a shipment of it leaves in time: as promised, and
    /// not before it was opened.
    #[must_use]
    pub fn ship_by(&self, shipment: &Shipment) -> Date {
        self.promise.ship_by.max(shipment.opened_at.date_in(&self.zone))
    }

    /// Has it looked at again by then, or before.
    pub fn look_by(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// The shipments that carry goods to the buyer and were not called off.
    pub fn outbound(&self) -> impl Iterator<Item = &Shipment> {
        self.shipments.iter().filter(|shipment| shipment.is_outbound())
    }

    /// A shipment.
    #[must_use]
    pub fn shipment(&self, id: &ShipmentId) -> Option<&Shipment> {
        self.shipments.iter().find(|shipment| shipment.id == *id)
    }

    /// The shipment, to be changed.
    #[must_use]
    pub fn shipment_mut(&mut self, id: &ShipmentId) -> Option<&mut Shipment> {
        self.shipments.iter_mut().find(|shipment| shipment.id == *id)
    }

    /// When the last of the goods reached the buyer; none while any of them
    /// has not, or went back.
    #[must_use]
    pub fn delivered_at(&self) -> Option<Timestamp> {
        let mut outbound = self.outbound().map(|shipment| shipment.journey.delivered_at);
        let first = outbound.next()??;
        outbound.try_fold(first, |latest, at| Some(latest.max(at?)))
    }

    /// A shipment to the buyer whose goods leave, or left, if there is one. That
    /// another shipment replaces it does not undo that.
    #[must_use]
    pub fn leaving(&self) -> Option<&Shipment> {
        self.shipments.iter().find(|it| it.direction == Direction::Out && it.has_left())
    }
}

/// The identity of an order's shipment of this number.
#[must_use]
pub fn shipment_id(order: &OrderId, number: u16) -> ShipmentId {
    ShipmentId::derive(&[order.as_str(), &number.to_string()])
}
