//! What systems of the merchant are told, and what operators see of that.

use aftercart::model::{
    alert::{Act, AlertKind, Choice, Owner},
    customer::CustomerId,
    delivery::MethodId,
    dispatch::{Direction, ShipmentLine},
    id::{AlertId, OrderId, RefundId, ShipmentId, WebhookId},
    money::Money,
    order::{OrderStatus, RefundCause},
    product::Sku,
    shipment::{Carrier, ParcelStatus, Reason, TrackingNumber},
    stock::LocationId,
    text::Text,
    time::{Date, Timestamp},
    webhook::{Delivery, DeliveryState, DeliveryStatus, EndpointId, EventKind},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Payload<T> {
    /// What it tells of.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// When that was noted.
    pub timestamp: Timestamp,
    /// What there is to tell.
    pub data: T,
}

/// `order.paid`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidOrder {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// What was paid in money.
    pub total: Money,
    /// What was bought.
    pub lines: Vec<PaidLine>,
}

/// A line of an order that was paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaidLine {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// The price of all of them, less discounts.
    pub total: Money,
}

/// `order.cancelled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelledOrder {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// `cancelled`, or `paid` if some of it goes on.
    pub status: OrderStatus,
    /// When something was last called off.
    pub cancelled_at: Timestamp,
    /// The lines of which units were called off, and how many in all.
    pub lines: Vec<CancelledLine>,
}

/// A line of which units were called off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelledLine {
    /// What.
    pub sku: Sku,
    /// How many were called off, in all.
    pub cancelled: u32,
    /// How many were bought.
    pub quantity: u32,
}

/// `order.refunded`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundedOrder {
    /// Which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// All that goes back of its price so far, each refund under its identity.
    pub refunds: Vec<RefundPart>,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPart {
    /// Which refund.
    pub id: RefundId,
    /// How much.
    pub amount: Money,
    /// Why.
    pub cause: RefundCause,
}

/// `shipment.opened` and `shipment.stopped`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShipmentTask {
    /// Of which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Which shipment.
    pub shipment: ShipmentId,
    /// How often the order's shipments were changed: of two messages the one
    /// with more is the later.
    pub version: u32,
    /// Which way it goes.
    pub direction: Direction,
    /// Where it is packed, or where goods that come back go.
    pub location: LocationId,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
    /// By which method the buyer wants it.
    pub method: MethodId,
    /// With which service it goes, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<40>>,
    /// The last day on which it leaves in time.
    pub ship_by: Date,
}

/// Which parcel something is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParcelRef {
    /// Of which order.
    pub order: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// Of which shipment.
    pub shipment: ShipmentId,
    /// Which way it goes.
    pub direction: Direction,
    /// Who reports it, once it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
}

/// `parcel.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpdatedParcel {
    /// Which parcel.
    #[serde(flatten)]
    pub parcel: ParcelRef,
    /// How many updates there were of it, this one included: of two messages
    /// the one with more is the later.
    pub sequence: u32,
    /// Where it is.
    pub status: ParcelStatus,
    /// Why, when something is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Since when it is there, by the carrier's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// When the carrier expects to deliver.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// `parcel.delivered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveredParcel {
    /// Which parcel.
    #[serde(flatten)]
    pub parcel: ParcelRef,
    /// When it was delivered. Comes again when that is corrected.
    pub delivered_at: Timestamp,
}

/// `alert.raised`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RaisedAlert {
    /// Which alert.
    pub alert: AlertId,
    /// About which parcel.
    #[serde(flatten)]
    pub parcel: ParcelRef,
    /// What is wrong.
    pub kind: AlertKind,
    /// Who sees to it.
    pub owner: Owner,
    /// What is to be done.
    pub act: Act,
    /// By when.
    pub due: Timestamp,
}

/// `alert.wish`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AlertWish {
    /// About which alert.
    pub alert: AlertId,
    /// About which parcel.
    #[serde(flatten)]
    pub parcel: ParcelRef,
    /// What the buyer chose.
    pub choice: Choice,
    /// Who sees to it.
    pub owner: Owner,
}

/// A message to an endpoint, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WebhookView {
    /// Its identity, which the endpoint gets as `webhook-id`.
    pub id: WebhookId,
    /// To whom.
    pub endpoint: EndpointId,
    /// What it tells of.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// About which order.
    pub order: OrderId,
    /// Where it stands.
    pub state: DeliveryStatus,
    /// Since when it is to be sent.
    pub at: Timestamp,
    /// How often it was tried in vain since then, or since it was replayed.
    pub tries: u32,
    /// How the last try went, unless it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Text<80>>,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// When it was taken, or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The body, as it is sent.
    pub body: String,
}

impl From<&Delivery> for WebhookView {
    fn from(delivery: &Delivery) -> Self {
        let (next_at, ended_at) = match delivery.state {
            DeliveryState::Waiting(at) => (Some(at), None),
            DeliveryState::Done(at) | DeliveryState::Dead(at) => (None, Some(at)),
        };
        Self {
            id: delivery.id.clone(),
            endpoint: delivery.endpoint.clone(),
            kind: delivery.kind,
            order: delivery.order.clone(),
            state: delivery.state.status(),
            at: delivery.at,
            tries: delivery.tries,
            last: delivery.last.clone(),
            next_at,
            ended_at,
            body: delivery.body.clone(),
        }
    }
}

/// A page of messages to an endpoint: of those that wait the first to be
/// tried, of others the first that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryPage {
    /// The messages.
    pub webhooks: Vec<WebhookView>,
    /// Where the next page begins, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// The body of `POST /operator/webhooks/replays`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayDead {
    /// To whom.
    pub endpoint: EndpointId,
    /// Those that were given up at this moment or later ...
    pub from: Timestamp,
    /// ... and at this moment or before.
    pub to: Timestamp,
}

/// What came of that. It does not count them, so that the same call made twice
/// is answered the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReplayedDead {
    /// Whether there may be more: the same call goes on with them.
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// Reads an example as what it is an example of, and writes it again.
    fn again(text: &str) -> Value {
        fn through<T: Serialize + for<'de> Deserialize<'de>>(text: &str) -> Value {
            let payload: Payload<T> = serde_json::from_str(text).unwrap();
            serde_json::to_value(payload).unwrap()
        }
        let kind = serde_json::from_str::<Payload<Value>>(text).unwrap().kind;
        match kind {
            EventKind::OrderPaid => through::<PaidOrder>(text),
            EventKind::OrderCancelled => through::<CancelledOrder>(text),
            EventKind::OrderRefunded => through::<RefundedOrder>(text),
            EventKind::ShipmentOpened | EventKind::ShipmentStopped => through::<ShipmentTask>(text),
            EventKind::ParcelUpdated => through::<UpdatedParcel>(text),
            EventKind::ParcelDelivered => through::<DeliveredParcel>(text),
            EventKind::AlertRaised => through::<RaisedAlert>(text),
            EventKind::AlertWish => through::<AlertWish>(text),
        }
    }

    /// The page for the merchant's engineer shows each event as it is written.
    #[test]
    fn the_examples_of_the_page_are_right() {
        let page = include_str!("../../../docs/webhooks.md");
        let blocks = page.split("```json\n").skip(1).map(|it| it.split("```").next().unwrap());
        let examples: Vec<&str> = blocks.collect();
        assert_eq!(examples.len(), EventKind::ALL.len() - 1);
        for example in &examples {
            assert_eq!(again(example), serde_json::from_str::<Value>(example).unwrap());
        }
        for kind in EventKind::ALL {
            assert!(page.contains(&format!("`{}`", kind.as_str())), "{kind:?}");
        }
    }
}
