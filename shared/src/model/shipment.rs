//! Shipments, and what carriers report of them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    digest,
    id::{OrderId, ShipmentId},
    order::Order,
    text::{Text, written},
    time::Timestamp,
};

/// Who reports the events of parcels.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// EasyPost trackers, which cover many carriers.
    Easypost,
    /// A merchant's own carrier, in the generic signed format.
    Generic,
}

impl Carrier {
    /// Every carrier.
    pub const ALL: [Self; 2] = [Self::Easypost, Self::Generic];

    /// The name in paths, requests and secrets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Easypost => "easypost",
            Self::Generic => "generic",
        }
    }

    /// The carrier of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.as_str() == name)
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

written! {
    /// A carrier's number of a parcel: 4 to 40 of `A-Z 0-9 -`; small letters are
    /// read as capitals, because labels and scanners do not tell them apart.
    TrackingNumber, TrackingNumberError
}

/// Why a text is no tracking number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a tracking number: 4 to 40 letters, digits and hyphens")]
pub struct TrackingNumberError;

impl TrackingNumber {
    /// The number written as `text`.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(text: &str) -> Result<Self, TrackingNumberError> {
        let text = text.trim().to_ascii_uppercase();
        let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if (4..=40).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text))
        } else {
            Err(TrackingNumberError)
        }
    }
}

/// A carrier and its number: the name under which events of a parcel arrive.
#[derive(
    Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct Tracking {
    /// Who carries, or reports for who carries.
    pub carrier: Carrier,
    /// The number on the label.
    pub number: TrackingNumber,
}

/// Where a parcel is, in the words of every carrier.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ParcelStatus {
    /// A shipment is open; no label yet, or nothing heard.
    Pending,
    /// A code that is not in the carrier's table. Shown as such, counted, never guessed.
    Unknown,
    /// The carrier knows of it and has not got it.
    InfoReceived,
    /// The carrier has it.
    PickedUp,
    /// On its way.
    InTransit,
    /// Held on its way.
    OnHold,
    /// Something went wrong on its way.
    Exception,
    /// With the courier, today.
    OutForDelivery,
    /// A delivery was tried in vain.
    AttemptFailed,
    /// Waits to be fetched.
    ReadyForPickup,
    /// Going back.
    Returning,
    /// With the buyer.
    Delivered,
    /// Back at the sender.
    Returned,
    /// The shipment was called off.
    Cancelled,
    /// The carrier gave up reporting.
    Expired,
}

impl ParcelStatus {
    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::InfoReceived => "info_received",
            Self::PickedUp => "picked_up",
            Self::InTransit => "in_transit",
            Self::OnHold => "on_hold",
            Self::Exception => "exception",
            Self::OutForDelivery => "out_for_delivery",
            Self::AttemptFailed => "attempt_failed",
            Self::ReadyForPickup => "ready_for_pickup",
            Self::Returning => "returning",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

/// Why a parcel is where it should not be.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are the field's own words and say all there is")]
pub enum Reason {
    CarrierDamaged,
    CarrierLost,
    CarrierDelayed,
    AddressIncorrect,
    ConsigneeRefused,
    ConsigneeAbsent,
    ConsigneeRescheduled,
    CustomsHold,
    CustomsDocuments,
    CustomsDuties,
    Weather,
    Security,
    RetailerError,
    Other,
}

impl Reason {
    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CarrierDamaged => "carrier_damaged",
            Self::CarrierLost => "carrier_lost",
            Self::CarrierDelayed => "carrier_delayed",
            Self::AddressIncorrect => "address_incorrect",
            Self::ConsigneeRefused => "consignee_refused",
            Self::ConsigneeAbsent => "consignee_absent",
            Self::ConsigneeRescheduled => "consignee_rescheduled",
            Self::CustomsHold => "customs_hold",
            Self::CustomsDocuments => "customs_documents",
            Self::CustomsDuties => "customs_duties",
            Self::Weather => "weather",
            Self::Security => "security",
            Self::RetailerError => "retailer_error",
            Self::Other => "other",
        }
    }
}

/// One scan of a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackingEvent {
    /// When, by the carrier's clock.
    pub at: Timestamp,
    /// Where the parcel stood then.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    pub reason: Option<Reason>,
    /// The carrier's own code, as it came.
    pub code: Text<64>,
    /// The place, as the carrier names it.
    pub place: Option<Text<80>>,
}

impl TrackingEvent {
    /// What makes this scan the same scan when it is told again: its time,
    /// code and place.
    #[must_use]
    pub fn identity(&self) -> String {
        let place = self.place.as_ref().map_or("", Text::as_str);
        digest::short(&[
            self.at.to_string().as_bytes(),
            self.code.as_str().as_bytes(),
            place.as_bytes(),
        ])
    }
}

/// The most scans of one push that are kept; a longer list is refused. A
/// parcel round the world has some 60.
pub const MAX_EVENTS: usize = 200;

/// What a carrier told in one call: a set of scans of one parcel, often all of
/// them again, and when it expects to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Which parcel.
    pub tracking: Tracking,
    /// The scans, sorted, each once, at most [`MAX_EVENTS`].
    pub events: Vec<TrackingEvent>,
    /// The carrier's estimate.
    pub eta: Option<Timestamp>,
    /// When the carrier made this statement, where it says so.
    pub told_at: Option<Timestamp>,
}

impl Push {
    /// The same set of scans, as they are understood now, and the same estimate
    /// have the same digest. A list that comes again after a table of codes was
    /// corrected is another one: it tells more. When it was told is part of what it says only where that
    /// matters: of two estimates the later told holds, and a scan cannot lie
    /// after the statement that tells it.
    #[must_use]
    pub fn digest(&self) -> String {
        let ahead = |told_at: &Timestamp| self.events.iter().any(|event| event.at > *told_at);
        let told_at = self.told_at.filter(|told_at| self.eta.is_some() || ahead(told_at));
        let written = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        let mut parts: Vec<String> =
            [self.eta, told_at].map(|moment| written(moment).unwrap_or_default()).into();
        for event in &self.events {
            let reason = event.reason.map(Reason::as_str).unwrap_or_default();
            parts.extend([event.identity(), event.status.as_str().to_owned(), reason.to_owned()]);
        }
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        digest::short(&parts)
    }
}

/// Links a carrier's number to the shipment that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The carrier's name of it.
    pub tracking: Tracking,
    /// The order whose goods it holds.
    pub order: OrderId,
    /// The shipment.
    pub shipment: ShipmentId,
    /// Whose it is.
    pub customer: CustomerId,
    /// When the label was attached.
    pub labelled_at: Timestamp,
}

/// A step of a parcel's journey and when it was first reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The step.
    pub status: ParcelStatus,
    /// When it was first reached, by the carrier's clock.
    pub at: Timestamp,
    /// Where.
    pub place: Option<Text<80>>,
}

/// Where a parcel is and how it got there: what its events amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Where it is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    pub reason: Option<Reason>,
    /// The steps it made, earliest first, each status once.
    pub stages: Vec<Stage>,
    /// When it is expected.
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// How many different scans this follows from; more scans know more.
    pub events: u32,
    /// How many different pushes this follows from.
    pub pushes: u32,
}

impl Journey {
    /// A journey of which nothing was heard.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            status: ParcelStatus::Pending,
            reason: None,
            stages: Vec::new(),
            eta: None,
            delivered_at: None,
            events: 0,
            pushes: 0,
        }
    }
}

/// A parcel's way to its buyer, from the paid order to the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipment {
    /// Derived from the order and its number among the order's shipments.
    pub id: ShipmentId,
    /// Whose goods it carries.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The label, once it has one.
    pub tracking: Option<Tracking>,
    /// When the label was attached.
    pub labelled_at: Option<Timestamp>,
    /// Since when it must not be sent: its order was called off, or is held.
    /// Never of a shipment with a label.
    pub stopped_at: Option<Timestamp>,
    /// Where the parcel is.
    pub journey: Journey,
}

impl Shipment {
    /// The first shipment of an order, as it is opened.
    #[must_use]
    pub fn first(order: &Order, opened_at: Timestamp) -> Self {
        Self {
            id: order.shipment(),
            order: order.id.clone(),
            customer: order.customer.clone(),
            opened_at,
            tracking: None,
            labelled_at: None,
            stopped_at: None,
            journey: Journey::pending(),
        }
    }
}
