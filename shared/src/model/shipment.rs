//! Shipments, and what carriers report of them.

use std::{collections::BTreeSet, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::CustomerId,
    dispatch::Direction,
    id::{OrderId, ShipmentId},
    text::{Text, written},
    time::{Date, Timestamp, Zone},
};

/// Who reports the events of parcels: a carrier, or somebody who watches many.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Carrier {
    /// EasyPost trackers, which cover many carriers.
    Easypost,
    /// AfterShip trackings, which cover many carriers.
    Aftership,
    /// Kuaidi100, which covers the carriers of China.
    Kuaidi100,
    /// KDNiao, which covers the carriers of China.
    Kdniao,
    /// A merchant's own carrier, in the generic signed format.
    Generic,
}

impl Carrier {
    /// Every carrier.
    pub const ALL: [Self; 5] =
        [Self::Easypost, Self::Aftership, Self::Kuaidi100, Self::Kdniao, Self::Generic];

    /// The name in paths, requests and secrets.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Easypost => "easypost",
            Self::Aftership => "aftership",
            Self::Kuaidi100 => "kuaidi100",
            Self::Kdniao => "kdniao",
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
    /// Every status.
    pub const ALL: [Self; 15] = [
        Self::Pending,
        Self::Unknown,
        Self::InfoReceived,
        Self::PickedUp,
        Self::InTransit,
        Self::OnHold,
        Self::Exception,
        Self::OutForDelivery,
        Self::AttemptFailed,
        Self::ReadyForPickup,
        Self::Returning,
        Self::Delivered,
        Self::Returned,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The status of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing more is expected of the parcel.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Delivered | Self::Returned | Self::Cancelled | Self::Expired)
    }

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
    /// Every reason.
    pub const ALL: [Self; 14] = [
        Self::CarrierDamaged,
        Self::CarrierLost,
        Self::CarrierDelayed,
        Self::AddressIncorrect,
        Self::ConsigneeRefused,
        Self::ConsigneeAbsent,
        Self::ConsigneeRescheduled,
        Self::CustomsHold,
        Self::CustomsDocuments,
        Self::CustomsDuties,
        Self::Weather,
        Self::Security,
        Self::RetailerError,
        Self::Other,
    ];

    /// The reason of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

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
    /// When the carrier told of it, or we heard of it, if that is earlier than
    /// the time of the scan: then its time cannot be right.
    pub told_at: Option<Timestamp>,
    /// Whether the carrier's time came without a zone, and the carrier's usual
    /// one was taken for it.
    pub zone_assumed: bool,
}

impl TrackingEvent {
    /// What makes this scan the same scan when it is told again: its time,
    /// code and place.
    #[must_use]
    pub fn identity(&self) -> (Timestamp, &str, Option<&str>) {
        (self.at, self.code.as_str(), self.place.as_ref().map(Text::as_str))
    }
}

/// When a carrier expects to deliver, and when it said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Estimate {
    /// When it said so: of two estimates the later told holds.
    pub told_at: Timestamp,
    /// When it expects to deliver.
    pub eta: Timestamp,
}

/// The most scans of one statement of a carrier; a longer list is told in
/// several. A parcel round the world has some 60. Each scan is three of the 300
/// operators that DynamoDB takes in a condition, and 30 of its 4,096 bytes.
pub const MAX_EVENTS: usize = 80;

/// The most scans and estimates that are kept of a parcel. They lie in one item
/// of some 50 bytes each; more than these are no parcel's history, and are
/// counted and left out. Deliveries and ways back are taken even then.
pub const MAX_TOLD: usize = 1_000;

/// What a carrier told in one call of one parcel: a set of scans, often all of
/// them again, and when it expects to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Which parcel.
    pub tracking: Tracking,
    /// The scans, sorted, each once, at most [`MAX_EVENTS`].
    pub events: Vec<TrackingEvent>,
    /// The carrier's estimate.
    pub estimate: Option<Estimate>,
}

/// Links a carrier's number to the shipment that it carries.
#[derive(Debug, Clone, PartialEq)]
pub struct Parcel {
    /// The carrier's name of it.
    pub tracking: Tracking,
    /// The order whose goods it holds.
    pub order: OrderId,
    /// The shipment.
    pub shipment: ShipmentId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which way it goes.
    pub direction: Direction,
    /// When the label was attached. Scans of more than a week before that are
    /// an earlier parcel's: carriers use numbers again.
    pub labelled_at: Timestamp,
    /// Who carries it, by the name that the one who reports uses, such as `shunfeng`.
    pub courier: Option<Text<40>>,
    /// What the one who reports wants to know besides the number, such as the
    /// last four digits of the receiver's telephone number.
    pub verification: Option<Text<20>>,
    /// Until when it was promised, and from when it may be expected: the days
    /// on which asking often pays.
    pub window: Option<Window>,
    /// When the one who reports is to be asked about it; never, if there is none.
    pub ask_at: Option<Timestamp>,
    /// How often the one who reports was asked in vain to report of it. Once it
    /// agreed: 0 as long as it does, 1 when asking told what it had not, 2 while
    /// it is asked.
    pub asked: u32,
    /// Whether the one who reports was told to report of it.
    pub subscribed: bool,
}

/// The days on which a parcel may arrive, and the zone that they are in.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// The first.
    pub from: Date,
    /// The last.
    pub until: Date,
    /// The receiver's, or the shop's.
    pub zone: Zone,
}

/// All that is known of a parcel, by its carrier's number.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The shipment it belongs to; missing until its label is attached.
    pub parcel: Option<Parcel>,
    /// The shipment that its label was taken off from, until it is attached again.
    pub taken_off: Option<Parcel>,
    /// Every scan as it was told; the same scan may be there twice, told differently.
    pub events: BTreeSet<TrackingEvent>,
    /// Every estimate.
    pub estimates: BTreeSet<Estimate>,
}

impl History {
    /// How much was told: it only grows, so more is later.
    #[must_use]
    pub fn told(&self) -> u32 {
        u32::try_from(self.events.len().saturating_add(self.estimates.len())).unwrap_or(u32::MAX)
    }
}

/// What is odd about the time of a step.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The carrier's time lay in its own future; the time at which it was told is shown.
    Ahead,
    /// The carrier's time lay before the label; the time of the label is shown.
    BeforeLabel,
    /// The carrier's time had no zone; the carrier's usual one was taken.
    Zone,
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
    /// What is odd about its time.
    pub doubt: Option<Doubt>,
}

/// Where a parcel is and how it got there: what its events amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    /// Where it is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    pub reason: Option<Reason>,
    /// Since when it is there, by the carrier's clock.
    pub since: Option<Timestamp>,
    /// The steps it made, earliest first, each status once.
    pub stages: Vec<Stage>,
    /// When the carrier expects to deliver.
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    pub delivered_at: Option<Timestamp>,
    /// When it was last heard of: the time of its latest scan.
    pub heard_at: Option<Timestamp>,
    /// How often a delivery was tried in vain.
    pub attempts: u32,
    /// How many different scans this follows from.
    pub events: u32,
    /// How much was told that this follows from, [`History::told`]; more knows more.
    pub told: u32,
}

impl Journey {
    /// A journey of which nothing was heard.
    #[must_use]
    pub fn pending() -> Self {
        Self {
            status: ParcelStatus::Pending,
            reason: None,
            since: None,
            stages: Vec::new(),
            eta: None,
            delivered_at: None,
            heard_at: None,
            attempts: 0,
            events: 0,
            told: 0,
        }
    }

    /// The journey of goods that somebody handed to the buyer then. Their
    /// carrier's word for a delivery counts more.
    #[must_use]
    pub fn handed_over(mut self, at: Timestamp) -> Self {
        if self.delivered_at.is_some() {
            return self;
        }
        let status = ParcelStatus::Delivered;
        self.stages.retain(|stage| stage.status != status);
        self.stages.push(Stage { status, at, place: None, doubt: None });
        self.stages.sort_by_key(|stage| stage.at);
        (self.status, self.reason) = (status, None);
        (self.since, self.delivered_at) = (Some(at), Some(at));
        self
    }
}
