//! What clients and the merchant's own carrier send and get.

use aftercart::model::{
    id::{OrderId, ShipmentId},
    shipment::{Carrier, TrackingNumber},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod shipment;

pub mod tracking;

pub mod alert;

pub mod performance;

/// The body of `POST /orders/{id}/shipments/{shipment}/label`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachLabel {
    /// Who carries, or reports for who carries.
    pub carrier: Carrier,
    /// The number on the label.
    pub tracking_number: TrackingNumber,
    /// Who carries it, by the name that the one who reports uses; that of the
    /// chosen service otherwise, if its reports come from the same.
    #[serde(default)]
    pub courier: Option<Text<40>>,
    /// What the one who reports wants to know besides the number, such as the
    /// last four digits of the receiver's telephone number.
    #[serde(default)]
    pub verification: Option<Text<20>>,
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
    /// The scans: new ones, or all again, in any order; at most 1,000.
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
