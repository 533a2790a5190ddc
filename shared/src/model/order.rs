//! Orders and their legal moves.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Address, Contact, CustomerId},
    id::{OrderId, PaymentId, ShipmentId},
    money::Money,
    payment::PaymentStatus,
    product::Sku,
    text::Text,
    time::Timestamp,
};

/// The most lines of an order: each is one action of the transaction that
/// places it, DynamoDB takes 100, and half of them is left for what else one
/// commit may have to carry (coupons, points, gifts).
pub const MAX_LINES: usize = 50;

/// The most units of one SKU in an order: shops that sell more at a time do so by quote.
pub const MAX_QUANTITY: u32 = 999;

/// Where an order stands with money. Where it stands with its parcels is told
/// by its shipments, and kept only there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Stock is held until the hold ends; not paid.
    Placed,
    /// Paid, or nothing was due. Its stock is sold.
    Paid,
    /// Ended by the buyer before it was paid. Its stock is free again.
    Cancelled,
    /// Ended because nobody paid in time. Its stock is free again.
    Expired,
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// A payment of the whole amount was accepted.
    Pay,
    /// The buyer called it off.
    Cancel,
    /// Its hold ended.
    Expire,
}

/// A move that an order's status does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {status} cannot {event}")]
pub struct IllegalMove {
    /// Where the order stands.
    pub status: OrderStatus,
    /// What was asked of it.
    pub event: OrderEvent,
}

impl OrderStatus {
    /// Every status, in the order of an order's life.
    pub const ALL: [Self; 4] = [Self::Placed, Self::Paid, Self::Cancelled, Self::Expired];

    /// The status after an event. Only a placed order moves: to paid, cancelled
    /// or expired, each of which is final here.
    ///
    /// # Errors
    /// [`IllegalMove`] when the order has left `placed`.
    pub fn after(self, event: OrderEvent) -> Result<Self, IllegalMove> {
        match (self, event) {
            (Self::Placed, OrderEvent::Pay) => Ok(Self::Paid),
            (Self::Placed, OrderEvent::Cancel) => Ok(Self::Cancelled),
            (Self::Placed, OrderEvent::Expire) => Ok(Self::Expired),
            (status, event) => Err(IllegalMove { status, event }),
        }
    }

    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for OrderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pay => "be paid",
            Self::Cancel => "be cancelled",
            Self::Expire => "expire",
        })
    }
}

/// So many units of a SKU, at the price they had when the order was placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// What.
    pub sku: Sku,
    /// Its title when the order was placed.
    pub title: Text<80>,
    /// How many, 1 to [`MAX_QUANTITY`].
    pub quantity: u32,
    /// The price of one unit.
    pub unit_price: Money,
    /// The price of all its units.
    pub total: Money,
}

/// What an order knows of its money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPayment {
    /// The attempt that this is about.
    pub payment: PaymentId,
    /// What the events of that attempt amount to.
    pub status: PaymentStatus,
    /// When the last of them happened, by the provider's clock.
    pub at: Timestamp,
    /// From how many events this follows; more events know more.
    pub events: u32,
}

/// Money that came for an order which could not take it: the order had ended,
/// was paid already, or the amount differs. It has to go back, or to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundDue {
    /// The attempt that was paid.
    pub payment: PaymentId,
    /// What was received.
    pub amount: Money,
}

/// An order as the shop keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Derived from the buyer and the idempotency key.
    pub id: OrderId,
    /// Whose it is.
    pub customer: CustomerId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Where it stands with money.
    pub status: OrderStatus,
    /// 1 to [`MAX_LINES`] lines, one a SKU.
    pub lines: Vec<OrderLine>,
    /// The sum of the lines.
    pub total: Money,
    /// Where its parcels go.
    pub address: Address,
    /// How its buyer is reached.
    pub contact: Contact,
    /// Until when a payment of it may be started.
    pub hold_until: Timestamp,
    /// When it ends unpaid: a grace later, in which money that was on its way
    /// still counts. Only of a placed order.
    pub expires_at: Option<Timestamp>,
    /// How each attempt to pay it stands that was heard of, by identity.
    pub payments: Vec<OrderPayment>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Money to give back, at most [`MAX_REFUNDS_DUE`] attempts.
    pub refunds_due: Vec<RefundDue>,
    /// A digest of the request that placed it: the same key with another
    /// request is refused.
    pub request: String,
    /// The policy version by which it was decided.
    pub policy: String,
}

/// The most attempts to pay whose failures an order lists. More are told only
/// by their own records: this list is what a buyer is shown.
pub const MAX_PAYMENTS: usize = 20;

/// The most paid attempts beyond the accepted one that an order lists. Each
/// needs a charge of its own at a provider; more than this is an attack or a
/// provider's fault, and waits in the dead-letter queue for a person.
pub const MAX_REFUNDS_DUE: usize = 10;

impl Order {
    /// The first (and so far only) shipment of the order.
    #[must_use]
    pub fn shipment(&self) -> ShipmentId {
        first_shipment(&self.id)
    }
}

/// The identity of an order's first shipment.
#[must_use]
pub fn first_shipment(order: &OrderId) -> ShipmentId {
    ShipmentId::derive(&[order.as_str(), "1"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_placed_order_moves() {
        for status in OrderStatus::ALL {
            for (event, next) in [
                (OrderEvent::Pay, OrderStatus::Paid),
                (OrderEvent::Cancel, OrderStatus::Cancelled),
                (OrderEvent::Expire, OrderStatus::Expired),
            ] {
                let expected = if status == OrderStatus::Placed {
                    Ok(next)
                } else {
                    Err(IllegalMove { status, event })
                };
                assert_eq!(status.after(event), expected);
            }
        }
    }
}
