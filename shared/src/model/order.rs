//! Orders and their legal moves.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::{Address, Contact, CustomerId},
    delivery::{MethodId, Promise},
    id::{CartId, OrderId, PaymentId, RefundId, VoucherId},
    money::Money,
    payment::PaymentStatus,
    price::RuleId,
    product::Sku,
    stock::{LocationId, StockPart},
    text::Text,
    time::Timestamp,
};

/// The most lines that a buyer asks for: each is at least one action of the
/// transaction that places the order, of which DynamoDB takes 100. Stock takes
/// up to 70 of them, gifts and lines that lie in several places included; the
/// rest is for limits, vouchers, points and the order itself.
pub const MAX_LINES: usize = 50;

/// The most units of one SKU in an order: shops that sell more at a time do so by offer.
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
    /// Called off. Its stock is free again; what was paid for it goes back.
    Cancelled,
    /// Ended because nobody paid in time. Its stock is free again.
    Expired,
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// A payment of the whole amount was accepted.
    Pay,
    /// The buyer or an operator called it off, or the last of its units.
    Cancel,
    /// Its hold ended.
    Expire,
    /// Money came after it had ended unpaid, and it took again all that it had.
    Revive,
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

    /// The status after an event. A placed order is paid, cancelled or expires;
    /// a paid one can still be cancelled. One that ended is taken up again by
    /// money that came too late, and is paid then; that is for orders that were
    /// never paid, so it happens once, and no order is ever placed again.
    ///
    /// # Errors
    /// [`IllegalMove`] for every other event.
    pub fn after(self, event: OrderEvent) -> Result<Self, IllegalMove> {
        match (self, event) {
            (Self::Placed, OrderEvent::Pay) => Ok(Self::Paid),
            (Self::Placed | Self::Paid, OrderEvent::Cancel) => Ok(Self::Cancelled),
            (Self::Placed, OrderEvent::Expire) => Ok(Self::Expired),
            (Self::Cancelled | Self::Expired, OrderEvent::Revive) => Ok(Self::Paid),
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

impl OrderEvent {
    /// Every event.
    pub const ALL: [Self; 4] = [Self::Pay, Self::Cancel, Self::Expire, Self::Revive];
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
            Self::Revive => "be taken up again",
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
    /// Its category then, which rules of points name.
    pub category: Option<Text<40>>,
    /// Its brand then.
    pub brand: Option<Text<40>>,
    /// How many, 1 to [`MAX_QUANTITY`].
    pub quantity: u32,
    /// The list price of one unit.
    pub unit_price: Money,
    /// What all discounts take off the line: its shares of [`Order::discounts`].
    pub discount: Money,
    /// The price of all its units, less the discount, whatever was called off since.
    pub total: Money,
    /// The tax of the line: in its total, or on top of it, see [`Order::tax_included`].
    pub tax: Money,
    /// The line's share of what points pay.
    pub points: Money,
    /// The rule that gives it away, if it is a gift.
    pub gift: Option<RuleId>,
    /// How many of its units were called off after they were paid.
    pub cancelled: u32,
    /// For how many of its other units the money went back, wherever they are.
    pub refunded: u32,
    /// Where its units were taken from, less those that were called off.
    pub stock: Vec<StockPart>,
}

impl OrderLine {
    /// How many of its units are still wanted.
    #[must_use]
    pub fn living(&self) -> u32 {
        self.quantity.saturating_sub(self.cancelled)
    }

    /// For how many of its units the money went back or is to go back.
    #[must_use]
    pub fn off(&self) -> u32 {
        self.cancelled.saturating_add(self.refunded)
    }

    /// What `units` of the line's units have of an amount of the whole line:
    /// the exact proportion, rounded down. Units that are called off have the
    /// difference of two such shares, of all that are off after and before, so
    /// the shares of any sequence sum to the share of all its units, and that
    /// of all units to the amount.
    #[must_use]
    pub fn share(&self, amount: i64, units: u32) -> i64 {
        let units = i128::from(units.min(self.quantity));
        let exact = i128::from(amount) * units;
        let share = exact.checked_div_euclid(i128::from(self.quantity)).unwrap_or(0);
        i64::try_from(share).unwrap_or(amount)
    }
}

/// What a price rule takes off an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDiscount {
    /// Which rule.
    pub rule: RuleId,
    /// What it takes off each line, in minor units, line by line.
    pub shares: Vec<i64>,
    /// What it takes off the delivery, in minor units.
    pub shipping: i64,
    /// Whether it was given for the whole: for a spend, a set or a quantity
    /// that a part of the order may not reach.
    pub tied: bool,
}

/// How an order goes to its buyer, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderDelivery {
    /// The method that the buyer chose.
    pub method: MethodId,
    /// What it costs.
    pub price: Money,
    /// What rules take off that.
    pub discount: Money,
    /// Its tax: in the price, or on top of it.
    pub tax: Money,
    /// So many points pay for it instead of money; [`OrderPoints::points`] includes them.
    pub points: i64,
    /// When it was promised to arrive.
    pub promise: Promise,
}

/// Points that pay for a part of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderPoints {
    /// How many, those that pay for the delivery included.
    pub points: i64,
    /// What they take off the goods: the sum of the lines' shares.
    pub amount: Money,
    /// Whose they are, if the buyer's account is linked into another one.
    pub account: Option<CustomerId>,
}

/// What an order used of the limit of a price rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotaPart {
    /// Of which rule.
    pub rule: RuleId,
    /// Of which of its limits, as keys name it.
    pub scope: String,
    /// Which part of it.
    pub shard: u8,
    /// How much.
    pub units: u32,
}

/// What the risk rules said of an order, when they said anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRisk {
    /// Whether its payment needs an extra verification of the buyer.
    pub challenge: bool,
    /// The rules that said so.
    pub rules: Vec<Text<40>>,
}

/// Who did something to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Its buyer.
    Buyer,
    /// A person or system of the merchant, by the subject of the token.
    Operator(Text<128>),
    /// A rule of the shop.
    Rule,
}

/// What somebody did to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Called it off.
    Cancelled,
    /// Called off units of it.
    UnitsCancelled,
    /// Changed where it goes.
    AddressChanged,
    /// Stopped it until somebody has looked at it.
    Held,
    /// Let it go on.
    Released,
    /// Left a note.
    Noted,
    /// Gave money back for it.
    Refunded,
    /// Took it up again for money that came after it had ended.
    PaidLate,
}

impl Deed {
    /// The name that operators see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::UnitsCancelled => "units_cancelled",
            Self::AddressChanged => "address_changed",
            Self::Held => "held",
            Self::Released => "released",
            Self::Noted => "noted",
            Self::Refunded => "refunded",
            Self::PaidLate => "paid_late",
        }
    }
}

/// Something that happened to an order, besides being placed, paid or expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub who: Actor,
    /// What.
    pub what: Deed,
    /// Why, or what was noted.
    pub why: Option<Text<500>>,
}

/// The most happenings that an order keeps, besides being called off and taken
/// up again. Each takes some 100 bytes and can take 2 KB; an order is one item
/// of at most 400 KB. More than this is no
/// history of an order but a loop of somebody's program.
pub const MAX_HISTORY: usize = 100;

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
    /// Whether its money paid the order, whatever became of either since. At
    /// most one attempt did, and that never changes.
    pub paid: bool,
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefundCause {
    /// The order could not take it: it was paid already, or a person decided so.
    Unaccepted,
    /// The order, or units of it, were called off after they were paid.
    Cancelled,
    /// It came after the order had ended, and the goods were gone.
    Late,
    /// An operator gave it back for goods, which may have come back.
    Returned,
    /// An operator gave it back for the delivery.
    Delivery,
    /// An operator gave it back to make up for something.
    Goodwill,
}

impl RefundCause {
    /// Whether it is of what was paid for the order; other money never was the
    /// order's.
    #[must_use]
    pub fn is_of_the_price(self) -> bool {
        !matches!(self, Self::Unaccepted | Self::Late)
    }

    /// The name that clients see.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unaccepted => "unaccepted",
            Self::Cancelled => "cancelled",
            Self::Late => "late",
            Self::Returned => "returned",
            Self::Delivery => "delivery",
            Self::Goodwill => "goodwill",
        }
    }
}

/// Money that has to go back, or to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundDue {
    /// Derived from the order and what caused it.
    pub id: RefundId,
    /// The attempt that was paid.
    pub payment: PaymentId,
    /// How much of what was received.
    pub amount: Money,
    /// Why.
    pub cause: RefundCause,
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
    /// The lines: one a SKU that the buyer asked for, 1 to [`MAX_LINES`], and
    /// then gifts.
    pub lines: Vec<OrderLine>,
    /// What price rules take off, by rule.
    pub discounts: Vec<OrderDiscount>,
    /// How it goes to its buyer.
    pub delivery: OrderDelivery,
    /// Whether the prices hold the taxes; they come on top otherwise.
    pub tax_included: bool,
    /// What points pay.
    pub points: Option<OrderPoints>,
    /// What is to be paid in money: lines and delivery, with taxes, less what
    /// points pay.
    pub total: Money,
    /// What it used of the limits of price rules.
    pub quotas: Vec<QuotaPart>,
    /// The vouchers that it used.
    pub vouchers: Vec<VoucherId>,
    /// The cart that it came from.
    pub cart: Option<CartId>,
    /// Through which channel it came: a site, an app, a store.
    pub channel: Option<Text<40>>,
    /// A digest of the device that it came from.
    pub device: Option<String>,
    /// A digest of the card that was to pay it.
    pub card: Option<String>,
    /// What the risk rules said of it.
    pub risk: Option<OrderRisk>,
    /// Since when it waits for a person; such an order is not sent.
    pub held_at: Option<Timestamp>,
    /// What happened to it, in the order of time.
    pub history: Vec<Happening>,
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
    /// Money to give back, at most [`MAX_REFUNDS_DUE`] times.
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

/// The most refunds of money that an order could not take. Each
/// needs a charge of its own at a provider; more than this is an attack or a
/// provider's fault, and waits for a person.
pub const MAX_REFUNDS_DUE: usize = 10;

/// The most refunds of money that an order could not take, those included that
/// a person asked for after it had as many as it may.
pub const MAX_REFUNDS_BY_HAND: usize = 2 * MAX_REFUNDS_DUE;

/// The most attempts that an order lists, those included that brought money
/// after it had as many as it may: as many as it could refund.
pub const MAX_PAYMENTS_WITH_MONEY: usize = MAX_PAYMENTS + MAX_REFUNDS_DUE;

impl RefundDue {
    /// The whole of what an attempt brought for an order that could not take it.
    #[must_use]
    pub fn unaccepted(order: &OrderId, payment: &PaymentId, amount: Money) -> Self {
        let id = Self::unaccepted_id(order, payment);
        Self { id, payment: payment.clone(), amount, cause: RefundCause::Unaccepted }
    }

    /// The identity of the whole of what an attempt brought.
    #[must_use]
    pub fn unaccepted_id(order: &OrderId, payment: &PaymentId) -> RefundId {
        RefundId::derive(&[order.as_str(), payment.as_str(), "unaccepted"])
    }

    /// What an attempt brought beyond what was asked, of money that a person
    /// accepted for the order.
    #[must_use]
    pub fn surplus(order: &OrderId, payment: &PaymentId, amount: Money) -> Self {
        let id = RefundId::derive(&[order.as_str(), payment.as_str(), "surplus"]);
        Self { id, ..Self::unaccepted(order, payment, amount) }
    }

    /// The whole of what an attempt brought for an order that had ended. It has
    /// the identity of [`Self::unaccepted`]: of whichever is written first, the
    /// other one is known as done.
    #[must_use]
    pub fn late(order: &OrderId, payment: &PaymentId, amount: Money) -> Self {
        Self { cause: RefundCause::Late, ..Self::unaccepted(order, payment, amount) }
    }
}

/// A part of a location's level of a SKU.
pub type LevelPart = (Sku, LocationId, u8);

impl Order {
    /// Whose points pay for it.
    #[must_use]
    pub fn payer(&self) -> &CustomerId {
        let account = self.points.as_ref().and_then(|points| points.account.as_ref());
        account.unwrap_or(&self.customer)
    }

    /// Whether it holds or has what it took.
    #[must_use]
    pub fn is_living(&self) -> bool {
        matches!(self.status, OrderStatus::Placed | OrderStatus::Paid)
    }

    /// The units that it has of each part of a level, each part once, although
    /// two lines (one of them a gift) may share it. None when it has ended.
    #[must_use]
    pub fn taken(&self) -> BTreeMap<LevelPart, u32> {
        let mut taken: BTreeMap<LevelPart, u32> = BTreeMap::new();
        for line in self.lines.iter().filter(|_| self.is_living()) {
            for part in &line.stock {
                let level = (line.sku.clone(), part.location.clone(), part.shard);
                let units = taken.entry(level).or_default();
                *units = units.saturating_add(part.quantity);
            }
        }
        taken
    }

    /// Whether it could not take an attempt's money, which goes back: the whole
    /// of what came, not a surplus.
    #[must_use]
    pub fn unaccepted(&self, payment: &PaymentId) -> bool {
        let whole = [RefundCause::Unaccepted, RefundCause::Late];
        let id = RefundDue::unaccepted_id(&self.id, payment);
        self.refunds_due.iter().any(|due| due.id == id && whole.contains(&due.cause))
    }

    /// The attempt that paid it, if one did.
    #[must_use]
    pub fn paid_by(&self) -> Option<&PaymentId> {
        self.payments.iter().find(|it| it.paid).map(|it| &it.payment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_moves_forward_only() {
        use OrderEvent::{Cancel, Expire, Pay, Revive};
        use OrderStatus::{Cancelled, Expired, Paid, Placed};
        let legal = [
            (Placed, Pay, Paid),
            (Placed, Cancel, Cancelled),
            (Placed, Expire, Expired),
            (Paid, Cancel, Cancelled),
            (Cancelled, Revive, Paid),
            (Expired, Revive, Paid),
        ];
        for status in OrderStatus::ALL {
            for event in OrderEvent::ALL {
                let found = legal.iter().find(|(from, by, _)| (*from, *by) == (status, event));
                let expected = found.map(|legal| legal.2).ok_or(IllegalMove { status, event });
                assert_eq!(status.after(event), expected);
            }
        }
    }
}
