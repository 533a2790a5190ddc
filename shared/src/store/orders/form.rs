//! How an order lies in its table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{Address, Contact, CustomerId},
    delivery::{MethodId, Promise},
    id::{CartId, OrderId, PaymentId, RefundId, VoucherId},
    money::{Currency, Money, MoneyError},
    order::{
        Actor, Deed, Happening, Order, OrderDelivery, OrderDiscount, OrderLine, OrderPayment,
        OrderPoints, OrderRisk, OrderStatus, QuotaPart, RefundCause, RefundDue,
    },
    payment::PaymentStatus,
    price::RuleId,
    product::Sku,
    stock::{LocationId, StockPart},
    text::Text,
    time::Timestamp,
};

use crate::store::{
    Item, StoreError,
    item::{StoredError, from_item as read_form, in_range, is_default, stored},
};

/// How an order lies in its table. What a plain order has not is left out, so
/// that one of a line with an address stays within a kilobyte.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredOrder {
    v: u32,
    #[serde(skip_serializing)]
    pk: CustomerId,
    #[serde(skip_serializing)]
    sk: OrderId,
    placed_at: Timestamp,
    st: OrderStatus,
    c: Currency,
    m: i64,
    l: Vec<StoredLine>,
    #[serde(default, skip_serializing_if = "is_default")]
    d: Vec<(RuleId, Vec<i64>, i64, bool)>,
    dv: StoredDelivery,
    #[serde(default, skip_serializing_if = "is_default")]
    tt: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    o: Option<(i64, i64)>,
    /// Whose points these are, if not the buyer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oa: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "is_default")]
    qu: Vec<(RuleId, String, u8, u32)>,
    #[serde(default, skip_serializing_if = "is_default")]
    vo: Vec<VoucherId>,
    #[serde(default, skip_serializing_if = "is_default")]
    ca: Option<CartId>,
    #[serde(default, skip_serializing_if = "is_default")]
    ch: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "is_default")]
    de: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    cd: Option<String>,
    #[serde(default, skip_serializing_if = "is_default")]
    ri: Option<(bool, Vec<Text<40>>)>,
    #[serde(default, skip_serializing_if = "is_default")]
    he: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_default")]
    hi: Vec<StoredHappening>,
    a: Address,
    to: Contact,
    h: Timestamp,
    #[serde(default, skip_serializing_if = "is_default")]
    due: Option<Timestamp>,
    py: BTreeMap<String, StoredPayment>,
    /// Which of the payments paid it.
    #[serde(default, skip_serializing_if = "is_default")]
    pb: Option<PaymentId>,
    #[serde(default, skip_serializing_if = "is_default")]
    pa: Option<Timestamp>,
    /// Money that the order could not take: always there, so that members of
    /// it can be written and counted.
    rd: BTreeMap<String, StoredRefund>,
    /// Money of what was called off.
    #[serde(default, skip_serializing_if = "is_default")]
    rc: BTreeMap<String, StoredRefund>,
    rq: String,
    po: String,
}
stored!(StoredOrder, "order", 2);

#[derive(Serialize, Deserialize)]
pub(super) struct StoredLine {
    k: Sku,
    t: Text<80>,
    #[serde(default, skip_serializing_if = "is_default")]
    c: Option<Text<40>>,
    #[serde(default, skip_serializing_if = "is_default")]
    b: Option<Text<40>>,
    q: u32,
    p: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    d: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    x: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    o: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    g: Option<RuleId>,
    #[serde(default, skip_serializing_if = "is_default")]
    cu: u32,
    #[serde(default, skip_serializing_if = "is_default")]
    rf: u32,
    /// Left out when all units are of the first part of the main location.
    #[serde(default, skip_serializing_if = "is_default")]
    w: Vec<(LocationId, u8, u32)>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredDelivery {
    k: MethodId,
    #[serde(default, skip_serializing_if = "is_default")]
    p: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    d: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    x: i64,
    #[serde(default, skip_serializing_if = "is_default")]
    o: i64,
    w: String,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct StoredHappening {
    at: Timestamp,
    w: Actor,
    e: Deed,
    #[serde(default, skip_serializing_if = "is_default")]
    y: Option<Text<500>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct StoredPayment {
    s: PaymentStatus,
    at: Timestamp,
    e: u32,
}

#[derive(PartialEq, Serialize, Deserialize)]
pub(super) struct StoredRefund {
    p: PaymentId,
    m: i64,
    c: Currency,
    /// Why, unless it is what the others of its list are for.
    #[serde(default, skip_serializing_if = "is_default")]
    w: Option<RefundCause>,
}

impl From<&OrderLine> for StoredLine {
    fn from(line: &OrderLine) -> Self {
        let plain = StockPart {
            location: LocationId::default(),
            shard: 0,
            quantity: line.quantity.saturating_sub(line.cancelled),
        };
        let parts = line.stock.iter().filter(|_| line.stock != [plain.clone()]);
        Self {
            k: line.sku.clone(),
            t: line.title.clone(),
            c: line.category.clone(),
            b: line.brand.clone(),
            q: line.quantity,
            p: line.unit_price.minor(),
            d: line.discount.minor(),
            x: line.tax.minor(),
            o: line.points.minor(),
            g: line.gift.clone(),
            cu: line.cancelled,
            rf: line.refunded,
            w: parts.map(|part| (part.location.clone(), part.shard, part.quantity)).collect(),
        }
    }
}

impl StoredLine {
    fn line(self, currency: Currency) -> Result<OrderLine, MoneyError> {
        let money = |minor| Money::new(minor, currency);
        let unit_price = money(self.p)?;
        let discount = money(self.d)?;
        let part = |(location, shard, quantity)| StockPart { location, shard, quantity };
        let mut stock: Vec<StockPart> = self.w.into_iter().map(part).collect();
        let living = self.q.saturating_sub(self.cu);
        if stock.is_empty() && living > 0 {
            stock.push(part((LocationId::default(), 0, living)));
        }
        Ok(OrderLine {
            sku: self.k,
            title: self.t,
            category: self.c,
            brand: self.b,
            quantity: self.q,
            unit_price,
            discount,
            total: unit_price.times(self.q)?.minus(discount)?,
            tax: money(self.x)?,
            points: money(self.o)?,
            gift: self.g,
            cancelled: self.cu,
            refunded: self.rf,
            stock,
        })
    }
}

impl From<&OrderDelivery> for StoredDelivery {
    fn from(delivery: &OrderDelivery) -> Self {
        Self {
            k: delivery.method.clone(),
            p: delivery.price.minor(),
            d: delivery.discount.minor(),
            x: delivery.tax.minor(),
            o: delivery.points,
            w: delivery.promise.compact(),
        }
    }
}

impl StoredDelivery {
    fn delivery(self, currency: Currency) -> Result<OrderDelivery, StoredError> {
        let money = |minor| Money::new(minor, currency).map_err(|_| StoredError::Range);
        Ok(OrderDelivery {
            method: self.k,
            price: money(self.p)?,
            discount: money(self.d)?,
            tax: money(self.x)?,
            points: self.o,
            promise: Promise::parse_compact(&self.w).ok_or(StoredError::Range)?,
        })
    }
}

impl From<&Order> for StoredOrder {
    fn from(order: &Order) -> Self {
        let payment = |payment: &OrderPayment| {
            let form = StoredPayment { s: payment.status, at: payment.at, e: payment.events };
            (payment.payment.to_string(), form)
        };
        let discount =
            |it: &OrderDiscount| (it.rule.clone(), it.shares.clone(), it.shipping, it.tied);
        Self {
            v: 2,
            pk: order.customer.clone(),
            sk: order.id.clone(),
            placed_at: order.placed_at,
            st: order.status,
            c: order.total.currency(),
            m: order.total.minor(),
            l: order.lines.iter().map(StoredLine::from).collect(),
            d: order.discounts.iter().map(discount).collect(),
            dv: StoredDelivery::from(&order.delivery),
            tt: !order.tax_included,
            o: order.points.as_ref().map(|points| (points.points, points.amount.minor())),
            oa: order.points.as_ref().and_then(|points| points.account.clone()),
            qu: stored_quotas(order),
            vo: order.vouchers.clone(),
            ca: order.cart.clone(),
            ch: order.channel.clone(),
            de: order.device.clone(),
            cd: order.card.clone(),
            ri: order.risk.as_ref().map(|risk| (risk.challenge, risk.rules.clone())),
            he: order.held_at,
            hi: order.history.iter().map(StoredHappening::from).collect(),
            a: order.address.clone(),
            to: order.contact.clone(),
            h: order.hold_until,
            due: order.expires_at.or(waiting_since(order)),
            py: order.payments.iter().map(payment).collect(),
            pb: order.paid_by().cloned(),
            pa: order.paid_at,
            rd: stored_refunds(order, RefundCause::Unaccepted),
            rc: stored_refunds(order, RefundCause::Cancelled),
            rq: order.request.clone(),
            po: order.policy.clone(),
        }
    }
}

impl From<&Happening> for StoredHappening {
    fn from(happening: &Happening) -> Self {
        Self {
            at: happening.at,
            w: happening.who.clone(),
            e: happening.what,
            y: happening.why.clone(),
        }
    }
}

impl From<StoredHappening> for Happening {
    fn from(form: StoredHappening) -> Self {
        Self { at: form.at, who: form.w, what: form.e, why: form.y }
    }
}

impl From<&RefundDue> for StoredRefund {
    fn from(due: &RefundDue) -> Self {
        Self {
            p: due.payment.clone(),
            m: due.amount.minor(),
            c: due.amount.currency(),
            w: Some(due.cause).filter(|cause| kept_as(*cause) != *cause),
        }
    }
}

pub(super) fn stored_quotas(order: &Order) -> Vec<(RuleId, String, u8, u32)> {
    let quota = |it: &QuotaPart| (it.rule.clone(), it.scope.clone(), it.shard, it.units);
    order.quotas.iter().map(quota).collect()
}

/// Among which of the two lists money is kept that goes back: of what the order
/// could not take, which the fold of payments writes, and of what it had, which
/// changes of the order write.
pub(super) fn kept_as(cause: RefundCause) -> RefundCause {
    match cause {
        RefundCause::Unaccepted | RefundCause::Late => RefundCause::Unaccepted,
        RefundCause::Cancelled
        | RefundCause::Returned
        | RefundCause::Delivery
        | RefundCause::Goodwill => RefundCause::Cancelled,
    }
}

pub(super) fn stored_refunds(order: &Order, cause: RefundCause) -> BTreeMap<String, StoredRefund> {
    let of = |due: &&RefundDue| kept_as(due.cause) == cause;
    let refunds = order.refunds_due.iter().filter(of);
    refunds.map(|due| (due.id.to_string(), StoredRefund::from(due))).collect()
}

/// Since when a paid order waits for a person. An order that is not paid is
/// seen to when it is, or expires before.
pub(super) fn waiting_since(order: &Order) -> Option<Timestamp> {
    order.held_at.filter(|_| order.status == OrderStatus::Paid)
}

/// The order in an item, such as the one that a [`crate::store::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`] when it is no order of this build.
pub fn from_item(item: &Item) -> Result<Order, StoreError> {
    let form: StoredOrder = read_form(item)?;
    let currency = form.c;
    let money = |minor| in_range("order", Money::new(minor, currency));
    let lines: Result<Vec<OrderLine>, MoneyError> =
        form.l.into_iter().map(|line| line.line(currency)).collect();
    let delivery = form.dv.delivery(currency);
    let points = match form.o {
        None => None,
        Some((points, amount)) => {
            Some(OrderPoints { points, amount: money(amount)?, account: form.oa })
        }
    };
    let mut refunds_due = refunds_of(form.rd, RefundCause::Unaccepted)?;
    refunds_due.extend(refunds_of(form.rc, RefundCause::Cancelled)?);
    Ok(Order {
        id: form.sk,
        customer: form.pk,
        placed_at: form.placed_at,
        status: form.st,
        lines: in_range("order", lines)?,
        discounts: form
            .d
            .into_iter()
            .map(|(rule, shares, shipping, tied)| OrderDiscount { rule, shares, shipping, tied })
            .collect(),
        delivery: in_range("order", delivery)?,
        tax_included: !form.tt,
        points,
        total: money(form.m)?,
        quotas: form
            .qu
            .into_iter()
            .map(|(rule, scope, shard, units)| QuotaPart { rule, scope, shard, units })
            .collect(),
        vouchers: form.vo,
        cart: form.ca,
        channel: form.ch,
        device: form.de,
        card: form.cd,
        risk: form.ri.map(|(challenge, rules)| OrderRisk { challenge, rules }),
        held_at: form.he,
        history: form.hi.into_iter().map(Happening::from).collect(),
        address: form.a,
        contact: form.to,
        hold_until: form.h,
        expires_at: form.due.filter(|_| form.st == OrderStatus::Placed),
        payments: payments_of(form.py, form.pb.as_ref())?,
        paid_at: form.pa,
        refunds_due,
        request: form.rq,
        policy: form.po,
    })
}

pub(super) fn payments_of(
    form: BTreeMap<String, StoredPayment>,
    paid_by: Option<&PaymentId>,
) -> Result<Vec<OrderPayment>, StoreError> {
    let payment = |(id, form): (String, StoredPayment)| {
        let payment = in_range("order", PaymentId::parse(&id))?;
        let paid = paid_by == Some(&payment);
        Ok(OrderPayment { payment, status: form.s, at: form.at, events: form.e, paid })
    };
    form.into_iter().map(payment).collect()
}

pub(super) fn refunds_of(
    form: BTreeMap<String, StoredRefund>,
    cause: RefundCause,
) -> Result<Vec<RefundDue>, StoreError> {
    let refund = |(id, form): (String, StoredRefund)| {
        Ok(RefundDue {
            id: in_range("order", RefundId::parse(&id))?,
            payment: form.p,
            amount: in_range("order", Money::new(form.m, form.c))?,
            cause: form.w.unwrap_or(cause),
        })
    };
    form.into_iter().map(refund).collect()
}
