//! Orders, by buyer.
//!
//! What money does to an order is conditional on its status, which is placed
//! and is never paid once in its life, so a change that comes twice loses to
//! itself and is known as done. What people do to it is conditional on its history, too, which each
//! of their changes makes longer: it was made of the order as it stands, or
//! loses.

use std::collections::HashMap;

use serde::Serialize;
use serde_dynamo::AttributeValue;

use crate::model::{
    customer::CustomerId,
    id::OrderId,
    money::Money,
    order::{
        MAX_PAYMENTS, MAX_PAYMENTS_WITH_MONEY, MAX_REFUNDS_DUE, Order, OrderPayment, OrderStatus,
        RefundCause, RefundDue,
    },
    time::Timestamp,
};

use super::{
    Due, DueTable, Found, Index, Item, Key, Page, PageToken, Sends, Store, StoreError, Table,
    Write,
    commit::{Change, Condition},
    item::number,
    key::{DUE, DUE_SHARD, PK, PLACED_AT, SK, order_due_shard},
    read::{key_of, text},
};

/// The partition of the index of what is due in which paid orders lie that wait
/// for a person, by since when. Sweeps do not read it.
pub(super) const HELD: &str = "held";

const STATUS: &str = "st";
const TOTAL: &str = "m";
const CURRENCY: &str = "c";
const PAYMENTS: &str = "py";
const PAID_AT: &str = "pa";
const PAID_BY: &str = "pb";
const UNACCEPTED: &str = "rd";
const CALLED_OFF: &str = "rc";
const QUOTAS: &str = "qu";
const LINES: &str = "l";
const ADDRESS: &str = "a";
const HELD_AT: &str = "he";
const HISTORY: &str = "hi";

mod form;

pub use form::from_item;

use form::{StoredHappening, StoredLine, StoredOrder, kept_as, stored_refunds, waiting_since};

/// Writes a new order, unless its identity is taken.
#[must_use]
pub fn place(order: &Order, sends: &Sends) -> Write {
    let key = Key::order(&order.customer, &order.id);
    let write = Write::put(key, &StoredOrder::from(order), sends).when(Condition::Absent);
    match (order.expires_at, waiting_since(order)) {
        (Some(_), _) => write.indexed(DUE_SHARD, order_due_shard(&order.id)),
        (None, Some(_)) => write.indexed(DUE_SHARD, HELD.to_owned()),
        (None, None) => write,
    }
}

/// Makes a placed order paid by an attempt that brought `total` of it at
/// `paid_at`. An order that is held from then on waits for a person. Loses when
/// the order has left `placed`, its total is another, it is not held since
/// `held_at`, it lists that attempt's money as due to go back, or it knows of
/// more events of the attempt.
#[must_use]
pub fn pay(
    place: (&CustomerId, &OrderId),
    total: Money,
    payment: &OrderPayment,
    paid_at: Timestamp,
    held_at: Option<Timestamp>,
    sends: &Sends,
) -> Write {
    pay_and(Change::default(), place, total, payment, (paid_at, held_at), sends)
}

/// Makes a placed order that was read as `before` paid by an attempt that
/// brought something else than was asked, and lists what it brought beyond
/// that. Loses as [`pay`] does.
#[must_use]
pub fn accept(
    before: &Order,
    payment: &OrderPayment,
    surplus: Option<&RefundDue>,
    paid_at: Timestamp,
    sends: &Sends,
) -> Write {
    let change = surplus.into_iter().fold(Change::default(), |change, due| {
        change.set(format!("{UNACCEPTED}.{}", due.id), refund_value(due))
    });
    let place = (&before.customer, &before.id);
    pay_and(change, place, before.total, payment, (paid_at, before.held_at), sends)
}

fn pay_and(
    change: Change,
    (customer, order): (&CustomerId, &OrderId),
    total: Money,
    payment: &OrderPayment,
    (paid_at, held_at): (Timestamp, Option<Timestamp>),
    sends: &Sends,
) -> Write {
    let change = payment_set(change, payment)
        .set(STATUS, status(OrderStatus::Paid))
        .set(PAID_BY, AttributeValue::S(payment.payment.to_string()))
        .set(PAID_AT, moment(paid_at));
    let change = wait_set(change, held_at);
    let currency = AttributeValue::S(total.currency().code().to_owned());
    let due = RefundDue::unaccepted_id(order, &payment.payment);
    let most = i64::from(payment.events).saturating_add(1);
    Write::update(Key::order(customer, order), change, sends)
        .when(Condition::Equals(STATUS, status(OrderStatus::Placed)))
        .when(Condition::Equals(TOTAL, number(total.minor())))
        .when(Condition::Equals(CURRENCY, currency))
        .when(Condition::Missing(format!("{UNACCEPTED}.{due}").into()))
        .when(Condition::MissingOrBelow(known(payment).into(), most))
        .when(match held_at {
            None => Condition::Missing(HELD_AT.into()),
            Some(held_at) => Condition::Equals(HELD_AT, moment(held_at)),
        })
}

/// As what an order must stand for a payment to be noted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotedOn {
    /// In this status and never paid: the note is one of those that a buyer is
    /// shown, or money that the status decides on.
    Unpaid(OrderStatus),
    /// Paid by that payment.
    PaidByIt,
    /// However it stands.
    Any,
}

/// Notes how an attempt stands, and leaves open whether it paid the order.
/// Loses to a note that knew as many events, when the order stands otherwise,
/// when there is no such order, and when it does not list the attempt and lists
/// as many others as it may: those with money beyond those of a placed order.
#[must_use]
pub fn note_payment(
    (customer, order): (&CustomerId, &OrderId),
    payment: &OrderPayment,
    on: NotedOn,
    sends: &Sends,
) -> Write {
    let listed = format!("{PAYMENTS}.{}", payment.payment);
    let known = format!("{listed}.e");
    let most = match on {
        NotedOn::Unpaid(OrderStatus::Placed) => MAX_PAYMENTS,
        _ => MAX_PAYMENTS_WITH_MONEY,
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let change = payment_set(Change::default(), payment);
    let write = Write::update(Key::order(customer, order), change, sends)
        .when(Condition::MissingOrBelow(known.into(), i64::from(payment.events)))
        .when(Condition::HasOrSmallerThan(PAYMENTS, listed.into(), most));
    match on {
        NotedOn::Unpaid(it) => write
            .when(Condition::Equals(STATUS, status(it)))
            .when(Condition::Missing(PAID_AT.into())),
        NotedOn::PaidByIt => {
            let it = AttributeValue::S(payment.payment.to_string());
            write.when(Condition::Equals(PAID_BY, it))
        }
        NotedOn::Any => write.when(Condition::Exists),
    }
}

/// Notes money that the order could not take, and, unless that is known
/// already, how its attempt stands. Loses when that attempt's money is due
/// already, to a note that knew more events, when there is no such order, and
/// when it has `most` or more due.
#[must_use]
pub fn refund(
    (customer, order): (&CustomerId, &OrderId),
    note: Option<&OrderPayment>,
    due: &RefundDue,
    most: usize,
    sends: &Sends,
) -> Write {
    let path = format!("{UNACCEPTED}.{}", due.id);
    let change = Change::default().set(path.clone(), refund_value(due));
    let change = match note {
        Some(note) => payment_set(change, note),
        None => change,
    };
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let write = Write::update(Key::order(customer, order), change, sends)
        .when(Condition::Exists)
        .when(Condition::Missing(path.into()))
        .when(Condition::SmallerThan(UNACCEPTED, most));
    let Some(note) = note else { return write };
    let most = i64::from(note.events).saturating_add(1);
    write.when(Condition::MissingOrBelow(known(note).into(), most))
}

/// Notes money that came too late for the order that was read as `before`, and
/// goes back. Loses when that attempt's money is due already or more is known
/// of it, when the order was paid since it was read, and when it has as many
/// refunds as it may.
#[must_use]
pub fn refund_late(before: &Order, note: &OrderPayment, due: &RefundDue, sends: &Sends) -> Write {
    let write = refund_as_read(before, due, MAX_REFUNDS_DUE, sends);
    write.when(Condition::Is(known(note).into(), number(note.events)))
}

/// Notes money that the order that was read as `before` could not take. Loses
/// when that attempt's money is due already, when the order was paid since it
/// was read, and when it has `most` or more due.
#[must_use]
pub fn refund_as_read(before: &Order, due: &RefundDue, most: usize, sends: &Sends) -> Write {
    let write = refund((&before.customer, &before.id), None, due, most, sends);
    match before.paid_at {
        // Which payment paid an order never changes.
        Some(_) => write,
        None => write.when(Condition::Missing(PAID_AT.into())),
    }
}

/// Takes an order up again that was read as `before`, ended and never paid:
/// `after` is paid by `note`, and has again what it took. Loses when the order
/// has another status, or more history, than it was read with, was paid, or
/// lists that attempt's money as due to go back, and when more is known of the
/// attempt.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn revive(
    before: &Order,
    after: &Order,
    note: &OrderPayment,
    sends: &Sends,
) -> Result<Write, StoreError> {
    let (payment, paid_at) = (&note.payment, after.paid_at.unwrap_or(note.at));
    let mut change = changed(before, after)?
        .set(PAID_BY, AttributeValue::S(payment.to_string()))
        .set(PAID_AT, moment(paid_at));
    if after.quotas != before.quotas {
        change = change.set(QUOTAS, value(&form::stored_quotas(after))?);
    }
    let due = RefundDue::unaccepted_id(&before.id, payment);
    Ok(as_read(before, change, sends)
        .when(Condition::Missing(PAID_AT.into()))
        .when(Condition::Is(known(note).into(), number(note.events)))
        .when(Condition::Missing(format!("{UNACCEPTED}.{due}").into())))
}

/// Where it lies how many events an order knows of an attempt.
fn known(note: &OrderPayment) -> String {
    format!("{PAYMENTS}.{}.e", note.payment)
}

/// Makes an order that was read as `before` what it is `after` somebody did
/// something to it, or time did: its status, lines, address, hold, history and
/// the money that goes back for what was called off. What payments note of it
/// stays as it is. Loses when it has another status, or more history, than it
/// was read with.
///
/// # Errors
/// [`StoreError::Stored`] when it cannot be stored.
pub fn change(before: &Order, after: &Order, sends: &Sends) -> Result<Write, StoreError> {
    Ok(as_read(before, changed(before, after)?, sends))
}

/// What differs that people and time may change.
fn changed(before: &Order, after: &Order) -> Result<Change, StoreError> {
    let mut change = Change::default().set(STATUS, status(after.status));
    if after.lines != before.lines {
        let lines: Vec<StoredLine> = after.lines.iter().map(StoredLine::from).collect();
        change = change.set(LINES, value(&lines)?);
    }
    if after.address != before.address {
        change = change.set(ADDRESS, value(&after.address)?);
    }
    if after.history != before.history {
        let history: Vec<StoredHappening> =
            after.history.iter().map(StoredHappening::from).collect();
        change = change.set(HISTORY, value(&history)?);
    }
    if after.refunds_due != before.refunds_due {
        let refunds = stored_refunds(after, RefundCause::Cancelled);
        change = change.set(CALLED_OFF, value(&refunds)?);
    }
    change = match after.held_at {
        Some(held_at) => change.set(HELD_AT, moment(held_at)),
        None => change.remove(HELD_AT),
    };
    // The time of a placed order is that of its end.
    if after.status != OrderStatus::Placed {
        change = wait_set(change, waiting_since(after));
    }
    Ok(change)
}

/// Changes an order that has the status and the history that it was read with.
fn as_read(before: &Order, change: Change, sends: &Sends) -> Write {
    let as_long = match i64::try_from(before.history.len()).unwrap_or(i64::MAX) {
        0 => Condition::Missing(HISTORY.into()),
        most => Condition::SmallerThan(HISTORY, most.saturating_add(1)),
    };
    Write::update(Key::order(&before.customer, &before.id), change, sends)
        .when(Condition::Equals(STATUS, status(before.status)))
        .when(as_long)
}

/// Puts an order into the index of those that wait for a person, or takes it
/// out of the index of what is due.
fn wait_set(change: Change, since: Option<Timestamp>) -> Change {
    match since {
        Some(since) => {
            let held = AttributeValue::S(HELD.to_owned());
            change.set(DUE, moment(since)).set(DUE_SHARD, held)
        }
        None => change.remove(DUE).remove(DUE_SHARD),
    }
}

fn moment(moment: Timestamp) -> AttributeValue {
    AttributeValue::S(moment.to_string())
}

fn value(form: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_dynamo::to_attribute_value(form)
        .map_err(|error| StoreError::Stored { what: "order", source: error.into() })
}

fn payment_set(change: Change, payment: &OrderPayment) -> Change {
    let form = [
        ("s".to_owned(), AttributeValue::S(payment.status.as_str().to_owned())),
        ("at".to_owned(), AttributeValue::S(payment.at.to_string())),
        ("e".to_owned(), number(payment.events)),
    ];
    change.set(format!("{PAYMENTS}.{}", payment.payment), AttributeValue::M(form.into()))
}

fn refund_value(due: &RefundDue) -> AttributeValue {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut form = HashMap::from([
        ("p".to_owned(), text(due.payment.as_str())),
        ("m".to_owned(), number(due.amount.minor())),
        ("c".to_owned(), text(due.amount.currency().code())),
    ]);
    if due.cause != kept_as(due.cause) {
        form.insert("w".to_owned(), text(due.cause.as_str()));
    }
    AttributeValue::M(form)
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

    /// A page of the paid orders that wait for a person, as the index has it;
    /// those that wait longest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn orders_held(
        &self,
        from: Option<&PageToken>,
        limit: u16,
    ) -> Result<Page<(CustomerId, OrderId)>, StoreError> {
        let start = from.and_then(held_place_of).map(|(since, customer, order)| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            Item::from([
                (PK.to_owned(), text(customer.as_str())),
                (SK.to_owned(), text(order.as_str())),
                (DUE_SHARD.to_owned(), text(HELD)),
                (DUE.to_owned(), text(&since.to_string())),
            ])
        });
        let (items, last) = self.earliest_due(DueTable::Orders, HELD, start, limit).await?;
        let ids = items
            .iter()
            .filter_map(key_of)
            .filter_map(|(pk, sk)| Some((CustomerId::parse(&pk).ok()?, OrderId::parse(&sk).ok()?)));
        let next = last.and_then(|last| {
            let (pk, sk) = key_of(&last)?;
            Some(PageToken::new(format!("{} {pk} {sk}", text(&last, DUE)?)))
        });
        Ok(Page { items: ids.collect(), next })
    }
}

/// Reads a cursor that a listing of orders gave.
#[must_use]
pub fn cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| place_of(token).is_some())
}

/// Reads a cursor that a listing of held orders gave.
#[must_use]
pub fn held_cursor(text: &str) -> Option<PageToken> {
    PageToken::parse(text).filter(|token| held_place_of(token).is_some())
}

fn held_place_of(token: &PageToken) -> Option<(Timestamp, CustomerId, OrderId)> {
    let mut parts = token.inner().splitn(3, ' ');
    let since = Timestamp::parse(parts.next()?).ok()?;
    let customer = CustomerId::parse(parts.next()?).ok()?;
    Some((since, customer, OrderId::parse(parts.next()?).ok()?))
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
