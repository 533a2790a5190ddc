//! Alerts as operators see them.

use aftercart::model::{
    alert::{Act, Alert, AlertKind, Choice, Ended, Owner, Remedy, Wish},
    customer::{Address, CustomerId},
    id::{AlertId, OrderId, ShipmentId, VoucherId},
    order::Actor,
    shipment::{Carrier, ParcelStatus, Reason, TrackingNumber},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something about a delivery that somebody sees to, or saw to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertFile {
    /// Its identity.
    pub id: AlertId,
    /// What is wrong.
    pub kind: AlertKind,
    /// Who sees to it.
    pub owner: Owner,
    /// What is to be done.
    pub act: Act,
    /// By when.
    pub due: Timestamp,
    /// About which order.
    pub order: OrderId,
    /// Whose order it is.
    pub customer: CustomerId,
    /// About which shipment of it.
    pub shipment: ShipmentId,
    /// Who carries, or reports for who carries, if it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// Where the parcel was when it was raised.
    pub status: ParcelStatus,
    /// Why, as the carrier says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// So many points were given to the buyer for it.
    #[serde(default)]
    pub points: u32,
    /// A voucher was given to the buyer for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
    /// What the buyer may choose.
    pub choices: Vec<Choice>,
    /// What the buyer wishes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<WishFile>,
    /// How it ended; it is open, if that is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<EndFile>,
}

/// What a buyer wishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WishFile {
    /// When it was said.
    pub at: Timestamp,
    /// What.
    pub choice: Choice,
    /// The address, if that is what was wished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// In the buyer's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

/// How an alert ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndFile {
    /// When.
    pub at: Timestamp,
    /// Which operator saw to it, by the subject of the token; left out, if a
    /// rule of the shop did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Text<128>>,
    /// How.
    pub how: Remedy,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

/// A page of the open alerts, those first that are to be seen to first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertPage {
    /// The alerts: fewer than asked for, or none, where others were on the page.
    pub alerts: Vec<AlertFile>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The body of `POST /operator/alerts/{id}/resolution`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveAlert {
    /// How it ended.
    pub how: Remedy,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Text<500>>,
}

impl From<Alert> for AlertFile {
    fn from(alert: Alert) -> Self {
        let tracking = alert.tracking.as_ref();
        Self {
            id: alert.id,
            kind: alert.kind,
            owner: alert.owner,
            act: alert.act,
            due: alert.due,
            order: alert.order,
            customer: alert.customer,
            shipment: alert.shipment,
            carrier: tracking.map(|it| it.carrier),
            tracking_number: tracking.map(|it| it.number.clone()),
            status: alert.status,
            reason: alert.reason,
            raised_at: alert.raised_at,
            points: alert.offered.points,
            voucher: alert.offered.voucher,
            choices: alert.offered.choices,
            wish: alert.wish.map(WishFile::from),
            ended: alert.ended.map(EndFile::from),
        }
    }
}

impl From<Wish> for WishFile {
    fn from(wish: Wish) -> Self {
        let Wish { at, choice, address, note } = wish;
        Self { at, choice, address, note }
    }
}

impl From<Ended> for EndFile {
    fn from(ended: Ended) -> Self {
        let Ended { at, by, how, note } = ended;
        let by = match by {
            Actor::Operator(name) => Some(name),
            Actor::Buyer | Actor::Rule => None,
        };
        Self { at, by, how, note }
    }
}
