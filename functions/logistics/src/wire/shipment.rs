//! Shipments as operators change and see them.

use aftercart::model::{
    dispatch::{Closed, Direction, Dispatch, Ending, Shipment, ShipmentLine},
    id::{OrderId, ShipmentId},
    shipment::{Carrier, ParcelStatus, TrackingNumber},
    stock::LocationId,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /orders/{id}/shipments/{shipment}/split`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitShipment {
    /// What goes into a parcel of its own, each SKU once.
    pub lines: Vec<ShipmentLine>,
}

/// The body of `POST /orders/{id}/shipments/{shipment}/replacement`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceShipment {
    /// What is sent again, each SKU once; all that the shipment carries otherwise.
    #[serde(default)]
    pub lines: Option<Vec<ShipmentLine>>,
    /// Where it is packed; otherwise where the shipment was, or at the first
    /// other place that sends there and has all of it.
    #[serde(default)]
    pub location: Option<LocationId>,
}

/// The body of `POST /orders/{id}/shipments/{shipment}/close`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseShipment {
    /// How it ended.
    pub how: Ending,
    /// Why, in words for other operators.
    #[serde(default)]
    pub note: Option<Text<500>>,
}

/// The body of `POST /orders/{id}/returns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnGoods {
    /// What comes back, each SKU once.
    pub lines: Vec<ShipmentLine>,
    /// Where it goes; otherwise where the goods were sent from.
    #[serde(default)]
    pub location: Option<LocationId>,
    /// The label, if there is one already; it may be attached later as any other.
    #[serde(default)]
    pub label: Option<super::AttachLabel>,
}

/// A shipment as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentFile {
    /// Whose goods it carries.
    pub order: OrderId,
    /// Its identity.
    pub id: ShipmentId,
    /// Its number among the order's shipments, from 1.
    pub number: u16,
    /// To the buyer, or back to the shop.
    pub direction: Direction,
    /// Where it is packed, or where goods that come back go.
    pub location: LocationId,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The service that the rules chose, by its name in the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<40>>,
    /// Why this one and not another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text<200>>,
    /// The shipment whose goods it carries anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ShipmentId>,
    /// When it was called off or lost, or another one was sent instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called_off_at: Option<Timestamp>,
    /// How it ended, if a person told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// Where it is.
    pub status: ParcelStatus,
    /// Who carries, or reports for who carries, once it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// When the label was attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labelled_at: Option<Timestamp>,
}

impl ShipmentFile {
    /// A shipment of an order, as it stands.
    #[must_use]
    pub fn of(dispatch: &Dispatch, shipment: &Shipment) -> Self {
        let (chosen, tracking) = (shipment.chosen.as_ref(), shipment.tracking.as_ref());
        Self {
            order: dispatch.order.clone(),
            id: shipment.id.clone(),
            number: shipment.number,
            direction: shipment.direction,
            location: shipment.location.clone(),
            lines: shipment.lines.clone(),
            opened_at: shipment.opened_at,
            service: chosen.map(|it| it.service.clone()),
            why: chosen.map(|it| it.why.clone()),
            replaces: shipment.replaces.clone(),
            called_off_at: shipment.cancelled_at,
            closed: shipment.closed.clone(),
            status: shipment.journey.status,
            carrier: tracking.map(|it| it.carrier),
            tracking_number: tracking.map(|it| it.number.clone()),
            labelled_at: shipment.labelled_at,
        }
    }
}
