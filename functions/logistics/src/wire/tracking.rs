//! What buyers get of their parcels.

use aftercart::model::{
    alert::{AlertKind, Choice},
    customer::{Country, Language},
    dispatch::Direction,
    id::{AlertId, OrderId, ShipmentId, VoucherId},
    order::OrderStatus,
    product::Sku,
    shipment::{Carrier, Doubt, ParcelStatus, Reason, Stage, TrackingNumber},
    text::Text,
    time::{Date, Timestamp, Zone},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::promise::{Certainty, Expected, Standing};

/// An order's parcels as its buyer sees them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrackingView {
    /// The order.
    pub order: OrderId,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// In which language its sentences are.
    pub language: Language,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// Where the order is, in a few words.
    pub headline: String,
    /// What happens next.
    pub next: String,
    /// The city that it goes to.
    pub city: Text<60>,
    /// The country that it goes to.
    pub country: Country,
    /// What was promised; none before it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promise: Option<PromiseView>,
    /// Its parcels, by number; none before it is paid. First those to the
    /// buyer, then those that go back, then those that were called off.
    pub shipments: Vec<ParcelView>,
    /// What the buyer was given for a bad delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensation: Option<CompensationView>,
    /// A page that shows the same: a signed link, good without a login, for as
    /// long as the policy says.
    pub page: String,
}

/// What was promised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PromiseView {
    /// The last day on which it leaves.
    pub ship_by: Date,
    /// By this day half of such parcels are there.
    pub from: Date,
    /// By this day it is there.
    pub until: Date,
    /// Where these dates are.
    pub zone: Zone,
}

/// What a buyer was given for a bad delivery, once an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CompensationView {
    /// For what.
    pub alert: AlertKind,
    /// For which shipment.
    pub shipment: ShipmentId,
    /// So many points.
    #[serde(default)]
    pub points: u32,
    /// A voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
}

/// One parcel's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelView {
    /// The shipment.
    pub id: ShipmentId,
    /// Its number among the order's shipments.
    pub number: u16,
    /// Whether it goes to the buyer or back.
    pub direction: Direction,
    /// What it carries.
    pub lines: Vec<ParcelLineView>,
    /// The shipment whose goods it carries anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ShipmentId>,
    /// When it was called off: it is not sent, or another one is sent instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_at: Option<Timestamp>,
    /// Who reports of it, once it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// Who carries it, by the name that the one who reports uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub courier: Option<Text<40>>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// When it got its label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled_at: Option<Timestamp>,
    /// Where it is.
    pub status: ParcelStatus,
    /// Since when, by the carrier's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Why, when something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Where it is, in a few words.
    pub headline: String,
    /// What happens next.
    pub next: String,
    /// The steps it made, earliest first.
    pub stages: Vec<StageView>,
    /// Its scans, latest first: the last of them, if there are many.
    pub trail: Vec<ScanView>,
    /// How many scans there are.
    pub scans: u32,
    /// When the carrier expects to deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// When it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<ExpectedView>,
    /// How it stands against the promise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// What is wrong with it, the worst first.
    pub alerts: Vec<AlertView>,
}

/// So many units in a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelLineView {
    /// What.
    pub sku: Sku,
    /// Its title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Text<80>>,
    /// How many.
    pub quantity: u32,
}

/// When a parcel is expected: days where the promise was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExpectedView {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub until: Date,
    /// What makes them expected.
    pub certainty: Certainty,
}

/// A step of a parcel's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageView {
    /// The step.
    pub status: ParcelStatus,
    /// When it was first reached, by the carrier's clock.
    pub at: Timestamp,
    /// Where, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text<80>>,
    /// What is odd about its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<Doubt>,
}

/// A scan of a parcel, as its carrier told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanView {
    /// When, by the carrier's clock.
    pub at: Timestamp,
    /// Where the parcel stood then.
    pub status: ParcelStatus,
    /// Why, when something was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The place, as the carrier names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text<80>>,
}

/// Something that is wrong with a parcel, and what is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertView {
    /// The alert.
    pub id: AlertId,
    /// What is wrong.
    pub kind: AlertKind,
    /// The same, in a few words.
    pub headline: String,
    /// What is done about it.
    pub text: String,
    /// Since when.
    pub raised_at: Timestamp,
    /// By when somebody sees to it.
    pub due: Timestamp,
    /// So many points were given for it.
    #[serde(default)]
    pub points: u32,
    /// A voucher was given for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
    /// What the buyer may choose, on the page.
    pub choices: Vec<Choice>,
    /// What the buyer chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenView>,
}

/// What a buyer chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChosenView {
    /// What.
    pub choice: Choice,
    /// When.
    pub at: Timestamp,
    /// In the buyer's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

impl From<&Stage> for StageView {
    fn from(stage: &Stage) -> Self {
        let Stage { status, at, place, doubt } = stage.clone();
        Self { status, at, place, doubt }
    }
}

impl ScanView {
    /// A scan, and why something was wrong then.
    #[must_use]
    pub fn of(stage: &Stage, reason: Option<Reason>) -> Self {
        let Stage { status, at, place, .. } = stage.clone();
        Self { at, status, reason, place }
    }
}

impl From<Expected> for ExpectedView {
    fn from(expected: Expected) -> Self {
        let Expected { from, until, certainty } = expected;
        Self { from, until, certainty }
    }
}
