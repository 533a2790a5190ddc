//! Orders as their buyers and as operators see them, and what both ask of them.

use aftercart::model::{
    customer::{Address, Contact, Country, CustomerId},
    dispatch::{Direction, Dispatch, Shipment, ShipmentLine},
    id::{CartId, OrderId, PaymentId, RefundId, ShipmentId, VoucherId},
    is_default,
    money::Money,
    order::{
        Actor, Deed, Happening, Order, OrderDelivery, OrderDiscount, OrderLine, OrderPayment,
        OrderPoints, OrderStatus, QuotaPart, RefundCause, RefundDue,
    },
    payment::PaymentStatus,
    price::RuleId,
    product::Sku,
    shipment::{Carrier, ParcelStatus, TrackingNumber},
    stock::LocationId,
    text::Text,
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quote::DeliveryView;

/// The body of `POST /orders/{id}/units/cancel`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelUnits {
    /// The lines of which units are called off, each SKU once.
    pub lines: Vec<CancelLine>,
}

/// How many units of a line are to be off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelLine {
    /// Which line. Gifts are not called off by themselves.
    pub sku: Sku,
    /// How many units of the line are to be off in all, after this call: a
    /// target, not so many more. Units that were called off before count, so
    /// the same call again changes nothing, and so does one that names fewer.
    pub cancelled: u32,
}

/// The body of an operator's `cancel`, `hold` and `release`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveReason {
    /// Why; for other operators.
    pub why: Text<500>,
}

/// The body of `POST /operator/orders/{customer}/{id}/refunds`: what is to have
/// gone back in all, after this call. What went back before counts, so the same
/// call again changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBack {
    /// For units of these lines, each SKU once.
    #[serde(default)]
    pub lines: Vec<GiveBackLine>,
    /// For the delivery, all that was paid for it.
    #[serde(default)]
    pub delivery: bool,
    /// Beyond goods and delivery.
    #[serde(default)]
    pub goodwill: Option<Money>,
    /// Why; for other operators.
    pub why: Text<500>,
}

/// For how many units of a line the money is to have gone back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GiveBackLine {
    /// Which line. Nothing was paid for gifts.
    pub sku: Sku,
    /// For how many units in all, besides those that were called off.
    pub refunded: u32,
}

/// The body of `POST /operator/orders/{customer}/{id}/notes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveNote {
    /// The note.
    pub note: Text<500>,
}

/// An order as its buyer sees it. Of each line, `list` less `discount` is
/// `total`; `total` of the order is that of the lines with the delivery, and
/// with the tax unless `tax.included`, less what points pay.
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
    /// Whether its payment needs an extra verification of the buyer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verification_required: bool,
    /// When it was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_at: Option<Timestamp>,
    /// What was ordered, then gifts.
    pub lines: Vec<LineView>,
    /// What each price rule takes off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<OrderDiscountView>,
    /// How it is delivered.
    pub delivery: DeliveryView,
    /// Its taxes.
    pub tax: OrderTaxView,
    /// What points pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<OrderPointsView>,
    /// What was to be paid in money when it was placed.
    pub total: Money,
    /// Money that goes back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds_due: Vec<RefundView>,
    /// Where its parcels go.
    pub shipping_address: Address,
    /// How its buyer is reached.
    pub contact: Contact,
    /// How the attempts to pay it stand that were heard of.
    pub payments: Vec<PaymentView>,
    /// Its parcels, once it is paid.
    pub shipments: Vec<ShipmentView>,
    /// What happened to it, in the order of time.
    pub history: Vec<MilestoneView>,
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
    /// How many of them were called off after they were paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cancelled: u32,
    /// For how many of the others the money went back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refunded: u32,
    /// The list price of one.
    pub unit_price: Money,
    /// The list price of all.
    pub list: Money,
    /// What rules take off.
    pub discount: Money,
    /// What they cost.
    pub total: Money,
    /// The tax in, or on top of, that.
    pub tax: Money,
    /// What points pay of it.
    pub points: Money,
    /// The rule that gives it away, if it is a gift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift: Option<RuleId>,
}

/// What a price rule takes off an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderDiscountView {
    /// Which rule.
    pub rule: RuleId,
    /// What it takes off in all.
    pub amount: Money,
    /// What it takes off each line, in minor units, line by line; of a
    /// discount on the delivery, nothing.
    pub shares: Vec<i64>,
}

/// The taxes of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderTaxView {
    /// Whether the prices hold them; they come on top otherwise.
    pub included: bool,
    /// All of them.
    pub total: Money,
}

/// What points pay of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPointsView {
    /// How many, those for the delivery included.
    pub used: i64,
    /// What they take off the goods.
    pub amount: Money,
}

/// Money that goes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RefundView {
    /// Its identity.
    pub id: RefundId,
    /// The attempt that brought it.
    pub payment: PaymentId,
    /// How much.
    pub amount: Money,
    /// Why: the order could not take it, it or units of it were called off, or
    /// an operator gave it back.
    pub cause: RefundCause,
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
    /// To the buyer, or back to the shop.
    pub direction: Direction,
    /// What it carries.
    pub lines: Vec<ShipmentLine>,
    /// Where it is.
    pub status: ParcelStatus,
    /// Who carries, or reports for who carries, once it has a label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// The number on the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<TrackingNumber>,
    /// The shipment whose goods it carries anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<ShipmentId>,
    /// Since when it is not waited for: another one is sent instead, it is not
    /// sent, or it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_at: Option<Timestamp>,
    /// When it is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eta: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// Something that happened to an order, as its buyer is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MilestoneView {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Milestone,
    /// Whether the shop did it, and not the buyer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_shop: bool,
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Milestone {
    /// It was placed.
    Placed,
    /// It was paid, or nothing was due.
    Paid,
    /// It was called off.
    Cancelled,
    /// Units of it were called off.
    UnitsCancelled,
    /// It goes somewhere else.
    AddressChanged,
    /// Money of it went back.
    Refunded,
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
    /// What was to be paid for it in money.
    pub total: Money,
    /// How many units it has, without those that were called off.
    pub units: u32,
    /// Where it goes.
    pub country: Country,
}

/// An order as an operator sees it: all that the shop knows of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OrderFile {
    /// What its buyer sees, too.
    #[serde(flatten)]
    pub order: OrderView,
    /// Whose it is.
    pub customer: CustomerId,
    /// The cart that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartId>,
    /// Through which channel it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<40>>,
    /// A digest of the device that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Since when it waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_at: Option<Timestamp>,
    /// When it ends unpaid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The risk rules that said something of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risk_rules: Vec<Text<40>>,
    /// What it has of the stock.
    pub stock: Vec<TakenView>,
    /// What it used of the limits of price rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<LimitView>,
    /// The vouchers that it used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<VoucherId>,
    /// How its parcels are packed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packing: Vec<PackingView>,
    /// Since when its parcels must not be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// Everything that happened, in the order of time.
    pub timeline: Vec<EventView>,
    /// The edition of the policy by which it was decided.
    pub policy: String,
}

/// How a parcel is packed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PackingView {
    /// Which.
    pub shipment: ShipmentId,
    /// Where it is packed, or where goods that come back go.
    pub location: LocationId,
    /// The service that the rules chose, by its name in the policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<40>>,
    /// Why this one and not another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text<200>>,
}

/// Units that an order has of a part of a level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TakenView {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Which part of the level, counted from 0.
    pub part: u8,
    /// How many.
    pub units: u32,
}

/// What an order used of the limit of a price rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LimitView {
    /// Of which rule.
    pub rule: RuleId,
    /// Of which of its limits.
    pub scope: String,
    /// Which part of it, counted from 0.
    pub part: u8,
    /// How much.
    pub units: u32,
}

/// Something that happened to an order or its parcel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventView {
    /// When.
    pub at: Timestamp,
    /// What, such as `placed`, `payment_failed`, `held` or `parcel_delivered`.
    pub what: String,
    /// Who did it, where that is not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub who: Option<Actor>,
    /// Why, or what was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Text<500>>,
    /// The payment that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<PaymentId>,
    /// The shipment that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipment: Option<ShipmentId>,
}

impl From<&OrderLine> for LineView {
    fn from(line: &OrderLine) -> Self {
        Self {
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            cancelled: line.cancelled,
            refunded: line.refunded,
            unit_price: line.unit_price,
            list: sum(line.total, [line.discount]),
            discount: line.discount,
            total: line.total,
            tax: line.tax,
            points: line.points,
            gift: line.gift.clone(),
        }
    }
}

impl From<&OrderDelivery> for DeliveryView {
    fn from(delivery: &OrderDelivery) -> Self {
        Self {
            method: delivery.method.clone(),
            price: delivery.price,
            discount: delivery.discount,
            tax: delivery.tax,
            points: delivery.points,
            promise: delivery.promise,
        }
    }
}

impl From<&Shipment> for ShipmentView {
    fn from(shipment: &Shipment) -> Self {
        let tracking = shipment.tracking.as_ref();
        Self {
            id: shipment.id.clone(),
            direction: shipment.direction,
            lines: shipment.lines.clone(),
            carrier: tracking.map(|it| it.carrier),
            tracking_number: tracking.map(|it| it.number.clone()),
            replaces: shipment.replaces.clone(),
            replaced_at: shipment.cancelled_at,
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
            units: order.lines.iter().map(OrderLine::living).fold(0, u32::saturating_add),
            country: order.address.country.clone(),
        }
    }
}

impl OrderView {
    /// The order and its shipments as they stand.
    #[must_use]
    pub fn of(order: &Order, dispatch: Option<&Dispatch>) -> Self {
        let points = |it: &OrderPoints| OrderPointsView { used: it.points, amount: it.amount };
        let placed = order.status == OrderStatus::Placed;
        let dispatch = dispatch.filter(|_| order.status == OrderStatus::Paid);
        Self {
            id: order.id.clone(),
            status: order.status,
            placed_at: order.placed_at,
            hold_until: placed.then_some(order.hold_until),
            verification_required: placed && order.risk.as_ref().is_some_and(|it| it.challenge),
            paid_at: order.paid_at,
            lines: order.lines.iter().map(LineView::from).collect(),
            discounts: order.discounts.iter().map(|it| discount(it, order)).collect(),
            delivery: DeliveryView::from(&order.delivery),
            tax: tax(order),
            points: order.points.as_ref().map(points),
            total: order.total,
            refunds_due: refunds(order),
            shipping_address: order.address.clone(),
            contact: order.contact.clone(),
            payments: payments(order),
            shipments: dispatch.map(carried).unwrap_or_default(),
            history: history(order),
            order_token: None,
        }
    }
}

/// The shipments that carry something: not those whose goods were called off.
fn carried(dispatch: &Dispatch) -> Vec<ShipmentView> {
    let shipments = dispatch.shipments.iter();
    shipments.filter(|it| !it.lines.is_empty()).map(ShipmentView::from).collect()
}

fn packing(dispatch: &Dispatch) -> Vec<PackingView> {
    let view = |it: &Shipment| PackingView {
        shipment: it.id.clone(),
        location: it.location.clone(),
        service: it.chosen.as_ref().map(|chosen| chosen.service.clone()),
        why: it.chosen.as_ref().map(|chosen| chosen.why.clone()),
    };
    dispatch.shipments.iter().filter(|it| !it.lines.is_empty()).map(view).collect()
}

/// The sum of amounts of one order, which was placed at it: it is in range.
fn sum(first: Money, others: impl IntoIterator<Item = Money>) -> Money {
    others.into_iter().fold(first, |sum, amount| sum.plus(amount).unwrap_or(sum))
}

fn discount(discount: &OrderDiscount, order: &Order) -> OrderDiscountView {
    let nothing = Money::zero(order.total.currency());
    let minor = discount.shares.iter().fold(discount.shipping, |sum, it| sum.saturating_add(*it));
    OrderDiscountView {
        rule: discount.rule.clone(),
        amount: Money::new(minor, nothing.currency()).unwrap_or(nothing),
        shares: discount.shares.clone(),
    }
}

fn tax(order: &Order) -> OrderTaxView {
    let total = sum(order.delivery.tax, order.lines.iter().map(|line| line.tax));
    OrderTaxView { included: order.tax_included, total }
}

fn refunds(order: &Order) -> Vec<RefundView> {
    let view = |due: &RefundDue| RefundView {
        id: due.id.clone(),
        payment: due.payment.clone(),
        amount: due.amount,
        cause: due.cause,
    };
    let mut refunds: Vec<RefundView> = order.refunds_due.iter().map(view).collect();
    refunds.sort_by(|a, b| a.id.cmp(&b.id));
    refunds
}

fn payments(order: &Order) -> Vec<PaymentView> {
    let view = |it: &OrderPayment| PaymentView {
        id: it.payment.clone(),
        status: it.status,
        at: it.at,
        refund_due: order.unaccepted(&it.payment),
    };
    order.payments.iter().map(view).collect()
}

/// What the buyer is told: nothing of holds and notes, and no operator's name
/// or reason.
fn history(order: &Order) -> Vec<MilestoneView> {
    let own = |at, what| MilestoneView { at, what, by_shop: false };
    let told = |it: &Happening| {
        let what = match it.what {
            Deed::Cancelled => Milestone::Cancelled,
            Deed::UnitsCancelled => Milestone::UnitsCancelled,
            Deed::AddressChanged => Milestone::AddressChanged,
            Deed::Refunded => Milestone::Refunded,
            // That it was paid late is told by when it was paid.
            Deed::Held | Deed::Released | Deed::Noted | Deed::PaidLate => return None,
        };
        Some(MilestoneView { at: it.at, what, by_shop: it.who != Actor::Buyer })
    };
    let mut history = vec![own(order.placed_at, Milestone::Placed)];
    history.extend(order.paid_at.map(|at| own(at, Milestone::Paid)));
    history.extend(order.history.iter().filter_map(told));
    history.sort_by_key(|it| it.at);
    history
}

impl OrderFile {
    /// The order and its shipments as they stand.
    #[must_use]
    pub fn of(order: &Order, dispatch: Option<&Dispatch>) -> Self {
        let limit = |it: &QuotaPart| LimitView {
            rule: it.rule.clone(),
            scope: it.scope.clone(),
            part: it.shard,
            units: it.units,
        };
        let taken = order.taken().into_iter();
        let taken =
            taken.map(|((sku, location, part), units)| TakenView { sku, location, part, units });
        Self {
            order: OrderView::of(order, dispatch),
            customer: order.customer.clone(),
            cart: order.cart.clone(),
            channel: order.channel.clone(),
            device: order.device.clone(),
            held_at: order.held_at,
            expires_at: order.expires_at,
            risk_rules: order.risk.as_ref().map(|risk| risk.rules.clone()).unwrap_or_default(),
            stock: taken.collect(),
            limits: order.quotas.iter().map(limit).collect(),
            vouchers: order.vouchers.clone(),
            packing: dispatch.map(packing).unwrap_or_default(),
            stopped_at: dispatch.and_then(|dispatch| dispatch.stopped_at),
            timeline: timeline(order, dispatch),
            policy: order.policy.clone(),
        }
    }
}

fn timeline(order: &Order, dispatch: Option<&Dispatch>) -> Vec<EventView> {
    let event = |at, what: &str| EventView {
        at,
        what: what.to_owned(),
        who: None,
        why: None,
        payment: None,
        shipment: None,
    };
    let mut events = vec![event(order.placed_at, "placed")];
    events.extend(order.payments.iter().map(|it| EventView {
        payment: Some(it.payment.clone()),
        ..event(it.at, &format!("payment_{}", it.status.as_str()))
    }));
    events.extend(order.paid_at.map(|at| event(at, "paid")));
    events.extend(order.history.iter().map(|it| EventView {
        who: Some(it.who.clone()),
        why: it.why.clone(),
        ..event(it.at, it.what.as_str())
    }));
    events.extend(dispatch.and_then(|it| it.stopped_at).map(|at| event(at, "shipment_stopped")));
    for shipment in dispatch.into_iter().flat_map(|dispatch| &dispatch.shipments) {
        let of =
            |at, what: &str| EventView { shipment: Some(shipment.id.clone()), ..event(at, what) };
        events.push(of(shipment.opened_at, "shipment_opened"));
        events.extend(shipment.labelled_at.map(|at| of(at, "shipment_labelled")));
        events.extend(shipment.cancelled_at.map(|at| of(at, "shipment_called_off")));
        let stages = shipment.journey.stages.iter();
        events.extend(stages.map(|it| of(it.at, &format!("parcel_{}", it.status.as_str()))));
    }
    events.sort_by_key(|it| it.at);
    events
}
