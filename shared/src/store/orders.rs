//! Orders, by buyer.
//!
//! Every change of an order is conditional on its status, and a status is left
//! once, so a change that comes twice loses to itself and is known as done.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};

use crate::model::{
    customer::{Address, Contact, CustomerId},
    id::{OrderId, PaymentId},
    money::{Currency, Money},
    order::{
        MAX_PAYMENTS, MAX_REFUNDS_DUE, Order, OrderLine, OrderPayment, OrderStatus, RefundDue,
    },
    payment::PaymentStatus,
    product::Sku,
    text::Text,
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Index, Item, Key, Page, PageToken, Sends, Store, StoreError, Table,
    Write,
    commit::{Change, Condition},
    item::{from_item as read_form, in_range, stored},
    key::{DUE, DUE_SHARD, PK, PLACED_AT, SK, due_shard},
    read::{key_of, text},
};

const STATUS: &str = "st";
const TOTAL: &str = "m";
const CURRENCY: &str = "c";
const PAYMENTS: &str = "py";
const PAID_AT: &str = "pa";
const REFUNDS: &str = "rd";

#[derive(Serialize, Deserialize)]
struct StoredOrder {
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
    a: Address,
    to: Contact,
    h: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Timestamp>,
    py: BTreeMap<String, StoredPayment>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pa: Option<Timestamp>,
    rd: BTreeMap<String, StoredRefund>,
    rq: String,
    po: String,
}
stored!(StoredOrder, "order", 1);

#[derive(Serialize, Deserialize)]
struct StoredLine {
    k: Sku,
    t: Text<80>,
    q: u32,
    p: i64,
}

#[derive(Serialize, Deserialize)]
struct StoredPayment {
    s: PaymentStatus,
    at: Timestamp,
    e: u32,
}

#[derive(Serialize, Deserialize)]
struct StoredRefund {
    m: i64,
    c: Currency,
}

impl From<&Order> for StoredOrder {
    fn from(order: &Order) -> Self {
        let line = |line: &OrderLine| StoredLine {
            k: line.sku.clone(),
            t: line.title.clone(),
            q: line.quantity,
            p: line.unit_price.minor(),
        };
        let payment = |payment: &OrderPayment| {
            let form = StoredPayment { s: payment.status, at: payment.at, e: payment.events };
            (payment.payment.to_string(), form)
        };
        let refund = |due: &RefundDue| {
            let form = StoredRefund { m: due.amount.minor(), c: due.amount.currency() };
            (due.payment.to_string(), form)
        };
        Self {
            v: 1,
            pk: order.customer.clone(),
            sk: order.id.clone(),
            placed_at: order.placed_at,
            st: order.status,
            c: order.total.currency(),
            m: order.total.minor(),
            l: order.lines.iter().map(line).collect(),
            a: order.address.clone(),
            to: order.contact.clone(),
            h: order.hold_until,
            due: order.expires_at,
            py: order.payments.iter().map(payment).collect(),
            pa: order.paid_at,
            rd: order.refunds_due.iter().map(refund).collect(),
            rq: order.request.clone(),
            po: order.policy.clone(),
        }
    }
}

/// The order in an item, such as the one that a [`super::Conflict`] found.
///
/// # Errors
/// [`StoreError::Stored`] when it is no order of this build.
pub fn from_item(item: &Item) -> Result<Order, StoreError> {
    let form: StoredOrder = read_form(item)?;
    let money = |minor| in_range("order", Money::new(minor, form.c));
    let mut lines = Vec::with_capacity(form.l.len());
    for line in &form.l {
        let unit_price = money(line.p)?;
        lines.push(OrderLine {
            sku: line.k.clone(),
            title: line.t.clone(),
            quantity: line.q,
            unit_price,
            total: in_range("order", unit_price.times(line.q))?,
        });
    }
    let mut payments = Vec::with_capacity(form.py.len());
    for (id, payment) in &form.py {
        payments.push(OrderPayment {
            payment: in_range("order", PaymentId::parse(id))?,
            status: payment.s,
            at: payment.at,
            events: payment.e,
        });
    }
    let mut refunds_due = Vec::with_capacity(form.rd.len());
    for (id, refund) in &form.rd {
        refunds_due.push(RefundDue {
            payment: in_range("order", PaymentId::parse(id))?,
            amount: in_range("order", Money::new(refund.m, refund.c))?,
        });
    }
    let total = money(form.m)?;
    Ok(Order {
        id: form.sk,
        customer: form.pk,
        placed_at: form.placed_at,
        status: form.st,
        lines,
        total,
        address: form.a,
        contact: form.to,
        hold_until: form.h,
        expires_at: form.due,
        payments,
        paid_at: form.pa,
        refunds_due,
        request: form.rq,
        policy: form.po,
    })
}

/// Writes a new order, unless its identity is taken.
#[must_use]
pub fn place(order: &Order, sends: &Sends) -> Write {
    let key = Key::order(&order.customer, &order.id);
    let write = Write::put(key, &StoredOrder::from(order), sends).when(Condition::Absent);
    match order.expires_at {
        None => write,
        Some(_) => write.indexed(DUE_SHARD, due_shard(order.id.as_str())),
    }
}

/// Makes a placed order paid by an attempt over exactly its total. Loses when
/// the order has left `placed`, or its total is another.
#[must_use]
pub fn pay(
    customer: &CustomerId,
    order: &OrderId,
    amount: Money,
    payment: &OrderPayment,
    sends: &Sends,
) -> Write {
    let change = payment_set(Change::default(), payment)
        .set(STATUS, status(OrderStatus::Paid))
        .set(PAID_AT, AttributeValue::S(payment.at.to_string()))
        .remove(DUE)
        .remove(DUE_SHARD);
    let currency = AttributeValue::S(amount.currency().code().to_owned());
    Write::update(Key::order(customer, order), change, sends)
        .when(Condition::Equals(STATUS, status(OrderStatus::Placed)))
        .when(Condition::Equals(TOTAL, AttributeValue::N(amount.minor().to_string())))
        .when(Condition::Equals(CURRENCY, currency))
}

/// Notes how an attempt stands that did not pay the order. Loses to a note
/// that knew as many events, when the order has left `placed`, and when it
/// does not list the attempt and lists as many others as it may.
#[must_use]
pub fn note_payment(customer: &CustomerId, order: &OrderId, payment: &OrderPayment) -> Write {
    let listed = format!("{PAYMENTS}.{}", payment.payment);
    let known = format!("{listed}.e");
    let most = i64::try_from(MAX_PAYMENTS).unwrap_or(i64::MAX);
    Write::update(
        Key::order(customer, order),
        payment_set(Change::default(), payment),
        &Sends::none(),
    )
    .when(Condition::Equals(STATUS, status(OrderStatus::Placed)))
    .when(Condition::MissingOrBelow(known.into(), i64::from(payment.events)))
    .when(Condition::HasOrSmallerThan(PAYMENTS, listed.into(), most))
}

/// Notes money that the order could not take. Loses when that attempt's is
/// noted already, when there is no such order, and when it has as many as it
/// may.
#[must_use]
pub fn refund(
    customer: &CustomerId,
    order: &OrderId,
    payment: &OrderPayment,
    due: &RefundDue,
) -> Write {
    let path = format!("{REFUNDS}.{}", due.payment);
    let form = [
        ("m".to_owned(), AttributeValue::N(due.amount.minor().to_string())),
        ("c".to_owned(), AttributeValue::S(due.amount.currency().code().to_owned())),
    ];
    let change =
        payment_set(Change::default(), payment).set(path.clone(), AttributeValue::M(form.into()));
    let most = i64::try_from(MAX_REFUNDS_DUE).unwrap_or(i64::MAX);
    Write::update(Key::order(customer, order), change, &Sends::none())
        .when(Condition::Exists)
        .when(Condition::Missing(path.into()))
        .when(Condition::SmallerThan(REFUNDS, most))
}

/// Ends a placed order: cancelled or expired. Loses when it has left `placed`.
#[must_use]
pub fn end(customer: &CustomerId, order: &OrderId, ended: OrderStatus, sends: &Sends) -> Write {
    let change = Change::default().set(STATUS, status(ended)).remove(DUE).remove(DUE_SHARD);
    Write::update(Key::order(customer, order), change, sends)
        .when(Condition::Equals(STATUS, status(OrderStatus::Placed)))
}

fn payment_set(change: Change, payment: &OrderPayment) -> Change {
    let form = [
        ("s".to_owned(), AttributeValue::S(payment.status.as_str().to_owned())),
        ("at".to_owned(), AttributeValue::S(payment.at.to_string())),
        ("e".to_owned(), AttributeValue::N(payment.events.to_string())),
    ];
    change.set(format!("{PAYMENTS}.{}", payment.payment), AttributeValue::M(form.into()))
}

fn status(status: OrderStatus) -> AttributeValue {
    AttributeValue::S(status.as_str().to_owned())
}

impl Found {
    /// The buyer's order, if it was asked for and is there.
    ///
    /// # Errors
    /// [`StoreError::Stored`].
    pub fn order(
        &self,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        self.item(&Key::order(customer, order)).map(from_item).transpose()
    }
}

impl Store {
    /// The buyer's order.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn order(
        &self,
        customer: &CustomerId,
        order: &OrderId,
    ) -> Result<Option<Order>, StoreError> {
        self.get(&Key::order(customer, order)).await?.as_ref().map(from_item).transpose()
    }

    /// The identities of a page of the buyer's orders, latest first. The
    /// index may lag a moment behind the last order placed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_of(
        &self,
        customer: &CustomerId,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<OrderId>, StoreError> {
        let start = from.and_then(|token| start_of(customer, token));
        let (items, last) = self
            .latest_of_index(Table::Orders, Index::ByTime, customer.as_str(), start, limit)
            .await?;
        let ids = items.iter().filter_map(key_of);
        let ids = ids.filter_map(|(_, sk)| OrderId::parse(&sk).ok()).collect();
        let next = last.and_then(|last| {
            Some(PageToken::new(format!("{} {}", text(&last, PLACED_AT)?, text(&last, SK)?)))
        });
        Ok(Page { items: ids, next })
    }

    /// The unpaid orders whose hold has ended by `now`, as the index has it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_due(
        &self,
        now: Timestamp,
        most: u16,
    ) -> Result<Vec<(CustomerId, OrderId)>, StoreError> {
        let due = self.due(DueTable::Orders, now, most).await?;
        let ids =
            |due: &Due| Some((CustomerId::parse(&due.pk).ok()?, OrderId::parse(&due.sk).ok()?));
        Ok(due.iter().filter_map(ids).collect())
    }
}

/// Reads a cursor that a listing of orders gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| place_of(token).is_some())
}

fn place_of(token: &PageToken) -> Option<(Timestamp, OrderId)> {
    let (placed_at, order) = token.inner().split_once(' ')?;
    Some((Timestamp::parse(placed_at).ok()?, OrderId::parse(order).ok()?))
}

fn start_of(customer: &CustomerId, token: &PageToken) -> Option<Item> {
    let (placed_at, order) = place_of(token)?;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Some(Item::from([
        (PK.to_owned(), text(customer.as_str())),
        (SK.to_owned(), text(order.as_str())),
        (PLACED_AT.to_owned(), text(&placed_at.to_string())),
    ]))
}
