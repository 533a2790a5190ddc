//! What clients send and get.

use aftercart::model::{
    customer::{Address, Contact, Country},
    id::{OrderId, PaymentId, ReceiptId, ShipmentId},
    money::Money,
    order::{Order, OrderLine, OrderStatus},
    payment::PaymentStatus,
    product::Sku,
    shipment::{ParcelStatus, Shipment},
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The body of `POST /orders`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceOrder {
    /// What is ordered: 1 to 50 lines, each SKU once.
    pub lines: Vec<LineRequest>,
    /// Where the parcels go.
    pub shipping_address: Address,
    /// How the buyer is reached.
    pub contact: Contact,
}

/// So many units of a SKU. Prices are the shop's word, not the client's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LineRequest {
    /// What.
    pub sku: Sku,
    /// How many, 1 to 999.
    pub quantity: i64,
}

/// An order as its buyer sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderView {
    /// Its identity.
    pub id: OrderId,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Until when a payment of it may be started; only of a placed order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_until: Option<Timestamp>,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// What was ordered.
    pub lines: Vec<LineView>,
    /// The sum of the lines.
    pub total: Money,
    /// Where its parcels go.
    pub shipping_address: Address,
    /// How its buyer is reached.
    pub contact: Contact,
    /// How the attempts to pay it stand that were heard of.
    pub payments: Vec<PaymentView>,
    /// Its parcels, once it is paid.
    pub shipments: Vec<ShipmentView>,
    /// A guest's pass to the order, for the header `Order-Token`; given when
    /// the order is placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_token: Option<String>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineView {
    /// What.
    pub sku: Sku,
    /// Its title when the order was placed.
    pub title: Text<80>,
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// The price of all.
    pub total: Money,
}

/// An attempt to pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentView {
    /// Its identity.
    pub id: PaymentId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Since when, by the provider's clock.
    pub at: Timestamp,
    /// Whether its money could not be taken for this order and goes back.
    pub refund_due: bool,
}

/// A parcel in short; `GET /orders/{id}/tracking` tells more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShipmentView {
    /// Its identity.
    pub id: ShipmentId,
    /// Where it is.
    pub status: ParcelStatus,
    /// When it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// A page of orders, latest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPage {
    /// The orders.
    pub orders: Vec<OrderSummary>,
    /// The value of `cursor` that gives the next page; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An order in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderSummary {
    /// Its identity.
    pub id: OrderId,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// The sum of its lines.
    pub total: Money,
    /// How many units it has.
    pub units: u32,
    /// Where it goes.
    pub country: Country,
}

/// The body of `PUT /products/{sku}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutProduct {
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit, in minor units; zero is a price.
    pub price: Money,
}

/// A product as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProductView {
    /// Its SKU.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// The price of one unit.
    pub price: Money,
}

/// The body of `POST /products/{sku}/receipts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// How many units came in, 1 to 1,000,000.
    pub quantity: i64,
}

/// A receipt of goods.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptView {
    /// Its identity.
    pub id: ReceiptId,
    /// What came in.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// When it was recorded.
    pub at: Timestamp,
}

impl From<&OrderLine> for LineView {
    fn from(line: &OrderLine) -> Self {
        Self {
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            total: line.total,
        }
    }
}

impl From<&Shipment> for ShipmentView {
    fn from(shipment: &Shipment) -> Self {
        Self {
            id: shipment.id.clone(),
            status: shipment.journey.status,
            eta: shipment.journey.eta,
            delivered_at: shipment.journey.delivered_at,
        }
    }
}

impl From<&Order> for OrderSummary {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            status: order.status,
            placed_at: order.placed_at,
            total: order.total,
            units: order.lines.iter().map(|line| line.quantity).sum(),
            country: order.address.country.clone(),
        }
    }
}

impl OrderView {
    /// The order and its shipment as they stand.
    #[must_use]
    pub fn of(order: &Order, shipment: Option<&Shipment>) -> Self {
        let payments = order.payments.iter().map(|payment| PaymentView {
            id: payment.payment.clone(),
            status: payment.status,
            at: payment.at,
            refund_due: order.refunds_due.iter().any(|due| due.payment == payment.payment),
        });
        Self {
            id: order.id.clone(),
            status: order.status,
            placed_at: order.placed_at,
            hold_until: (order.status == OrderStatus::Placed).then_some(order.hold_until),
            paid_at: order.paid_at,
            lines: order.lines.iter().map(LineView::from).collect(),
            total: order.total,
            shipping_address: order.address.clone(),
            contact: order.contact.clone(),
            payments: payments.collect(),
            shipments: shipment.into_iter().map(ShipmentView::from).collect(),
            order_token: None,
        }
    }
}
