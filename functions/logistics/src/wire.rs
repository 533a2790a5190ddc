//! What clients and the merchant's own carrier send and get.

use aftercart::model::{
    id::{OrderId, ShipmentId},
    order::OrderStatus,
    shipment::{Carrier, ParcelStatus, Reason, Shipment, Stage, TrackingNumber},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /orders/{id}/shipments/{shipment}/label`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachLabel {
    /// Who carries, or reports for who carries.
    pub carrier: Carrier,
    /// The number on the label.
    pub tracking_number: TrackingNumber,
}

/// A shipment with its label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelView {
    /// Whose goods it carries.
    pub order: OrderId,
    /// The shipment.
    pub shipment: ShipmentId,
    /// Who carries, or reports for who carries.
    pub carrier: Carrier,
    /// The number on the label.
    pub tracking_number: TrackingNumber,
    /// When the label was attached.
    pub labelled_at: Timestamp,
}

/// An order's parcels as its buyer sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrackingView {
    /// The order.
    pub order: OrderId,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// What happens next, in the order's language.
    pub next: String,
    /// Its parcels; none before it is paid.
    pub shipments: Vec<ParcelView>,
}

/// One parcel's way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelView {
    /// The shipment.
    pub id: ShipmentId,
    /// Who carries, once it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// Where it is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What happens next, in the order's language.
    pub next: String,
    /// The steps it made, earliest first.
    pub stages: Vec<StageView>,
    /// When it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
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
}

/// The answer to a carrier's push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acknowledged {}

/// The body of `POST /carriers/generic/events`: what a merchant's own carrier
/// tells of one parcel. The same scan told again is known as the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarrierPush {
    /// The number on the label.
    pub tracking_number: TrackingNumber,
    /// The scans: new ones, or all again, in any order; at most 200.
    pub events: Vec<CarrierScan>,
    /// When the parcel is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_delivery: Option<Timestamp>,
    /// When the carrier makes this statement: of two estimates the later told
    /// holds. Without it, a statement is as old as its latest scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
}

/// One scan of a parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CarrierScan {
    /// When: RFC 3339 with a zone, such as `2026-11-21T12:00:00+08:00`.
    pub at: Timestamp,
    /// Where the parcel stood then: `info_received`, `picked_up`, `in_transit`,
    /// `on_hold`, `exception`, `out_for_delivery`, `attempt_failed`,
    /// `ready_for_pickup`, `returning`, `delivered`, `returned`, `cancelled` or
    /// `expired`. Another word is kept, shown as `unknown`, and alarmed on.
    pub status: Text<64>,
    /// Why, when something is wrong: `carrier_damaged`, `carrier_lost`,
    /// `carrier_delayed`, `address_incorrect`, `consignee_refused`,
    /// `consignee_absent`, `consignee_rescheduled`, `customs_hold`,
    /// `customs_documents`, `customs_duties`, `weather`, `security`,
    /// `retailer_error` or `other`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Text<64>>,
    /// Where it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Text<80>>,
    /// The carrier's own code of the scan; the status where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Text<64>>,
}

impl From<&Stage> for StageView {
    fn from(stage: &Stage) -> Self {
        Self { status: stage.status, at: stage.at, place: stage.place.clone() }
    }
}

impl ParcelView {
    /// The shipment, with the sentence of what happens next.
    #[must_use]
    pub fn of(shipment: &Shipment, next: &str) -> Self {
        let (tracking, journey) = (shipment.tracking.as_ref(), &shipment.journey);
        Self {
            id: shipment.id.clone(),
            carrier: tracking.map(|tracking| tracking.carrier),
            tracking_number: tracking.map(|tracking| tracking.number.clone()),
            status: journey.status,
            reason: journey.reason,
            next: next.to_owned(),
            stages: journey.stages.iter().map(StageView::from).collect(),
            eta: journey.eta,
            delivered_at: journey.delivered_at,
        }
    }
}
