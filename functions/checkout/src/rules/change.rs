//! What people may do to an order after it was placed, and what becomes of it.
//!
//! A change is made of the order as it was read, and makes its history longer,
//! which is the condition under which it is written. Asked for what is so
//! already, it makes none: every change may be repeated.

use std::collections::BTreeMap;

use aftercart::model::{
    customer::Address,
    dispatch::Dispatch,
    id::RefundId,
    money::{Currency, Money},
    order::{
        Actor, Deed, Happening, MAX_HISTORY, Order, OrderEvent, OrderLine, OrderStatus,
        RefundCause, RefundDue,
    },
    product::Sku,
    stock::StockPart,
    text::Text,
    time::Timestamp,
};
use aftercart_pricing::delivery::Place;

/// Who changes an order, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// Who.
    pub who: Actor,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: Option<Text<500>>,
}

/// How many units of a line something is to have happened to in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// Of which line, by its place in the request.
    pub line: usize,
    /// The line's SKU. To gifts nothing happens by themselves.
    pub sku: Sku,
    /// So many units, those that it happened to already included.
    pub units: u32,
}

impl Units {
    /// What is asked of each SKU.
    ///
    /// # Errors
    /// The place of a line whose SKU was named before.
    pub fn distinct(lines: impl IntoIterator<Item = (Sku, u32)>) -> Result<Vec<Self>, usize> {
        let mut asked: Vec<Self> = Vec::new();
        for (line, (sku, units)) in lines.into_iter().enumerate() {
            if asked.iter().any(|earlier| earlier.sku == sku) {
                return Err(line);
            }
            asked.push(Self { line, sku, units });
        }
        Ok(asked)
    }
}

/// Why an order is not changed. The texts are for whoever asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has ended.
    #[error("{}", ended(*.0))]
    Ended(OrderStatus),
    /// A parcel of it is on its way, or as good as.
    #[error("A parcel of the order is labelled and leaves. Return it after it was delivered.")]
    Labelled,
    /// Units are called off only after they were paid.
    #[error("The order is not paid yet. Cancel it, and place another one.")]
    NotPaid,
    /// The order has no such line.
    #[error("The order has no {sku}.")]
    UnknownLine {
        /// Which line of the request.
        line: usize,
        /// What it asks for.
        sku: Sku,
    },
    /// The line has fewer units.
    #[error("The order has {has} of {sku} {}.", left_to(*.deed))]
    TooMany {
        /// Which line of the request.
        line: usize,
        /// What it asks for.
        sku: Sku,
        /// How many the order has.
        has: u32,
        /// What was to happen to them.
        deed: Deed,
    },
    /// Delivery or tax would cost something else there.
    #[error(
        "The delivery was priced for another place. Cancel the order, and place another one with \
         the new address."
    )]
    Elsewhere,
    /// An offer was given for the order as a whole.
    #[error("An offer was given for the order as a whole; cancel all of it and order again.")]
    Offers,
    /// Money in another currency than the order's.
    #[error("The order was paid in {0}; name an amount in it.")]
    OtherCurrency(Currency),
    /// More would go back than was paid.
    #[error("Of what was paid, {0} is left to give back; name no more.")]
    MoreThanPaid(Money),
    /// Its history has no room for more.
    #[error("The order was changed too often and takes no more changes; please contact the shop.")]
    TooOften,
    /// It is paid and lists no attempt that paid it, or an amount has no sum:
    /// nothing that the suite writes.
    #[error("the money of the order does not add up")]
    Inconsistent,
}

fn left_to(deed: Deed) -> &'static str {
    match deed {
        Deed::Refunded => "that were not called off; name no more",
        _ => "for which no money went back; name no more",
    }
}

fn ended(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Expired => "The order has expired; nothing is held or owed for it.",
        _ => "The order was cancelled.",
    }
}

/// Calls the order off. What was paid for it goes back, less what goes back
/// already for units of it. Nothing to do when it is cancelled.
///
/// # Errors
/// [`Refusal::Ended`] when it has expired, [`Refusal::Labelled`].
pub fn cancel(
    order: &Order,
    dispatch: Option<&Dispatch>,
    by: &By,
) -> Result<Option<Order>, Refusal> {
    if order.status == OrderStatus::Cancelled {
        return Ok(None);
    }
    let after = order.status.after(OrderEvent::Cancel);
    let status = after.map_err(|illegal| Refusal::Ended(illegal.status))?;
    unsent(dispatch)?;
    let back = match order.paid_at {
        None => Money::zero(order.total.currency()),
        Some(_) => left(order)?,
    };
    // Not refused for want of room: it happens once.
    let noted = noted(order, Deed::Cancelled, by);
    let changed = Order { status, held_at: None, expires_at: None, ..noted };
    due(changed, back, RefundCause::Cancelled).map(Some)
}

/// Calls off units of a paid order. Their exact share of what was paid for
/// them goes back, and so does the rest when nothing but gifts is left: then
/// the order is called off. Nothing to do when as many are off.
///
/// Discounts stay as they were shared. An order with an offer that the rest of
/// it may not have reached (a spend, a set, a gift) is called off whole or not
/// at all: nobody buys ten to have one at the price of ten.
///
/// # Errors
/// [`Refusal`].
pub fn cancel_units(
    order: &Order,
    dispatch: Option<&Dispatch>,
    asked: &[Units],
    by: &By,
) -> Result<Option<Order>, Refusal> {
    let most = |line: &OrderLine| line.quantity.saturating_sub(line.refunded);
    let targets = targets(order, asked, Deed::UnitsCancelled, most)?;
    let off = |line: &OrderLine| match line.gift {
        None => targets.get(&line.sku).copied().unwrap_or(0).max(line.cancelled),
        Some(_) => line.cancelled,
    };
    match order.status {
        OrderStatus::Cancelled => return Ok(None),
        OrderStatus::Expired => return Err(Refusal::Ended(order.status)),
        OrderStatus::Placed => return Err(Refusal::NotPaid),
        OrderStatus::Paid => {}
    }
    if order.lines.iter().all(|line| off(line) == line.cancelled) {
        return Ok(None);
    }
    let mut bought = order.lines.iter().filter(|line| line.gift.is_none());
    if bought.all(|line| off(line).saturating_add(line.refunded) == line.quantity) {
        return cancel(order, dispatch, by);
    }
    if order.discounts.iter().any(|discount| discount.tied) {
        return Err(Refusal::Offers);
    }
    unsent(dispatch)?;
    let mut changed = roomy(order, Deed::UnitsCancelled, by)?;
    let mut back = Money::zero(order.total.currency());
    for line in &mut changed.lines {
        let units = off(line);
        let both = units.saturating_add(line.refunded);
        back = back
            .plus(paid_for(line, both, order.tax_included)?)
            .map_err(|_| Refusal::Inconsistent)?;
        release(line, units.saturating_sub(line.cancelled));
        line.cancelled = units;
    }
    // Goodwill may have gone back of it before.
    let back = at_most(back, left(order)?);
    due(changed, back, RefundCause::Cancelled).map(Some)
}

/// Sends the order somewhere else. Nothing to do when it goes there already.
/// Whether its delivery costs the same there, `same_place` says, besides the
/// country and region, which tax goes by.
///
/// # Errors
/// [`Refusal`].
pub fn readdress(
    order: &Order,
    dispatch: Option<&Dispatch>,
    address: &Address,
    same_place: bool,
    by: &By,
) -> Result<Option<Order>, Refusal> {
    if order.address == *address {
        return Ok(None);
    }
    living(order)?;
    unsent(dispatch)?;
    let (old, new) = (Place::from(&order.address), Place::from(address));
    if !same_place || !old.shares_region(&new) {
        return Err(Refusal::Elsewhere);
    }
    let changed = roomy(order, Deed::AddressChanged, by)?;
    Ok(Some(Order { address: address.clone(), ..changed }))
}

/// Stops the order until somebody has looked at it. Nothing to do when it is held.
///
/// # Errors
/// [`Refusal`].
pub fn hold(order: &Order, dispatch: Option<&Dispatch>, by: &By) -> Result<Option<Order>, Refusal> {
    living(order)?;
    if order.held_at.is_some() {
        return Ok(None);
    }
    unsent(dispatch)?;
    let changed = roomy(order, Deed::Held, by)?;
    Ok(Some(Order { held_at: Some(by.at), ..changed }))
}

/// Lets a held order go on. Nothing to do when it is not held.
///
/// # Errors
/// [`Refusal::Ended`] and [`Refusal::TooOften`].
pub fn release_hold(order: &Order, by: &By) -> Result<Option<Order>, Refusal> {
    living(order)?;
    if order.held_at.is_none() {
        return Ok(None);
    }
    let changed = roomy(order, Deed::Released, by)?;
    Ok(Some(Order { held_at: None, ..changed }))
}

/// Leaves a note. Nothing to do when the same person left the same before.
///
/// # Errors
/// [`Refusal::TooOften`].
pub fn note(order: &Order, by: &By) -> Result<Option<Order>, Refusal> {
    let same = |it: &Happening| it.what == Deed::Noted && it.who == by.who && it.why == by.why;
    if order.history.iter().any(same) {
        return Ok(None);
    }
    roomy(order, Deed::Noted, by).map(Some)
}

/// What is asked of each SKU: a deed to at most so many units of a line.
pub(super) fn targets(
    order: &Order,
    asked: &[Units],
    deed: Deed,
    most: impl Fn(&OrderLine) -> u32,
) -> Result<BTreeMap<Sku, u32>, Refusal> {
    let mut targets = BTreeMap::new();
    for Units { line, sku, units } in asked {
        let (line, sku) = (*line, sku.clone());
        let mut bought = order.lines.iter().filter(|known| known.gift.is_none());
        let Some(known) = bought.find(|known| known.sku == sku) else {
            return Err(Refusal::UnknownLine { line, sku });
        };
        let has = most(known);
        if *units > has {
            return Err(Refusal::TooMany { line, sku, has, deed });
        }
        targets.insert(sku, *units);
    }
    Ok(targets)
}

fn living(order: &Order) -> Result<(), Refusal> {
    if order.is_living() { Ok(()) } else { Err(Refusal::Ended(order.status)) }
}

/// No parcel of it leaves, or left.
fn unsent(dispatch: Option<&Dispatch>) -> Result<(), Refusal> {
    match dispatch.and_then(Dispatch::leaving) {
        None => Ok(()),
        Some(_) => Err(Refusal::Labelled),
    }
}

/// A buyer leaves room for what the shop may have to do.
pub(super) fn roomy(order: &Order, what: Deed, by: &By) -> Result<Order, Refusal> {
    let most = if by.who == Actor::Buyer { MAX_HISTORY / 2 } else { MAX_HISTORY };
    if order.history.len() < most { Ok(noted(order, what, by)) } else { Err(Refusal::TooOften) }
}

fn noted(order: &Order, what: Deed, by: &By) -> Order {
    let By { who, at, why } = by.clone();
    let mut order = order.clone();
    order.history.push(Happening { at, who, what, why });
    order
}

/// The money that comes back for the units of a line that are off when
/// `units` are, called off or given back, and were not before: the difference
/// of two shares of what was paid for the line, which is its total, with the
/// tax if that came on top, less what points paid.
pub(super) fn paid_for(line: &OrderLine, units: u32, tax_included: bool) -> Result<Money, Refusal> {
    let on_top = if tax_included { 0 } else { line.tax.minor() };
    let paid = line.total.minor().checked_add(on_top);
    let paid =
        paid.and_then(|paid| paid.checked_sub(line.points.minor())).ok_or(Refusal::Inconsistent)?;
    let back = line.share(paid, units).saturating_sub(line.share(paid, line.off()));
    Money::new(back, line.total.currency()).map_err(|_| Refusal::Inconsistent)
}

/// What was paid for the order, less what goes back already.
pub(super) fn left(order: &Order) -> Result<Money, Refusal> {
    let back = order.refunds_due.iter().filter(|due| due.cause.is_of_the_price());
    let left = back.map(|due| due.amount).try_fold(order.total, Money::minus);
    left.map_err(|_| Refusal::Inconsistent)
}

/// An amount, but no more than another of its currency.
pub(super) fn at_most(amount: Money, most: Money) -> Money {
    if amount.minor() > most.minor() { most } else { amount }
}

/// The order with money that goes back for its last happening.
pub(super) fn due(mut order: Order, amount: Money, cause: RefundCause) -> Result<Order, Refusal> {
    if amount.minor() == 0 {
        return Ok(order);
    }
    let payment = order.paid_by().cloned().ok_or(Refusal::Inconsistent)?;
    let number = order.history.len().to_string();
    let id = RefundId::derive(&[order.id.as_str(), cause.as_str(), &number]);
    order.refunds_due.push(RefundDue { id, payment, amount, cause });
    Ok(order)
}

/// Takes units out of a line's stock, from its last part on.
fn release(line: &mut OrderLine, units: u32) {
    let mut left = units;
    for part in line.stock.iter_mut().rev() {
        let taken = left.min(part.quantity);
        part.quantity = part.quantity.saturating_sub(taken);
        left = left.saturating_sub(taken);
    }
    line.stock.retain(|part: &StockPart| part.quantity > 0);
}

#[cfg(test)]
pub(super) mod tests {
    use aftercart::model::{
        customer::CustomerId,
        delivery::{MethodId, Promise},
        dispatch::{Shipment, ShipmentLine},
        id::{OrderId, PaymentId},
        order::{OrderDelivery, OrderPayment},
        payment::PaymentStatus,
        price::RuleId,
        shipment::{Carrier, Tracking, TrackingNumber},
        stock::LocationId,
    };
    use proptest::prelude::*;

    use super::*;

    pub(in crate::rules) fn money(minor: i64) -> Money {
        Money::new(minor, Currency::parse("GBP").unwrap()).unwrap()
    }

    pub(in crate::rules) fn sku(number: usize) -> Sku {
        Sku::parse(&format!("S{number}")).unwrap()
    }

    fn part(shard: u8, quantity: u32) -> StockPart {
        StockPart { location: LocationId::default(), shard, quantity }
    }

    /// A line of units at 100 each, of which others take something off.
    pub(in crate::rules) fn line(
        number: usize,
        quantity: u32,
        (discount, tax, points): (i64, i64, i64),
    ) -> OrderLine {
        let total = i64::from(quantity) * 100 - discount;
        let half = quantity / 2;
        let stock = [part(0, half), part(1, quantity - half)];
        OrderLine {
            sku: sku(number),
            title: Text::new("Tea").unwrap(),
            category: None,
            brand: None,
            quantity,
            unit_price: money(100),
            discount: money(discount),
            total: money(total),
            tax: money(tax),
            points: money(points),
            gift: None,
            cancelled: 0,
            refunded: 0,
            stock: stock.into_iter().filter(|part| part.quantity > 0).collect(),
        }
    }

    fn address(city: &str, region: &str) -> Address {
        let address = serde_json::json!({
            "name": "A", "line1": "B", "city": city, "region": region, "country": "GB",
        });
        serde_json::from_value(address).unwrap()
    }

    pub(in crate::rules) fn placed(lines: Vec<OrderLine>, tax_included: bool) -> Order {
        let paid = |line: &OrderLine| {
            let tax = if tax_included { 0 } else { line.tax.minor() };
            line.total.minor() + tax - line.points.minor()
        };
        let total = lines.iter().map(paid).sum::<i64>() + 399;
        Order {
            id: OrderId::derive(&["1"]),
            customer: CustomerId::member("ada").unwrap(),
            placed_at: Timestamp::EPOCH,
            status: OrderStatus::Placed,
            lines,
            discounts: Vec::new(),
            delivery: OrderDelivery {
                method: MethodId::parse("standard").unwrap(),
                price: money(399),
                discount: money(0),
                tax: money(0),
                points: 0,
                promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
            },
            tax_included,
            points: None,
            total: money(total),
            quotas: Vec::new(),
            vouchers: Vec::new(),
            cart: None,
            channel: None,
            device: None,
            card: None,
            risk: None,
            held_at: None,
            history: Vec::new(),
            address: address("Leeds", "Yorkshire"),
            contact: serde_json::from_str(r#"{"email":"a@b.c"}"#).unwrap(),
            hold_until: Timestamp::EPOCH,
            expires_at: Some(Timestamp::EPOCH),
            payments: Vec::new(),
            paid_at: None,
            refunds_due: Vec::new(),
            request: String::new(),
            policy: String::new(),
        }
    }

    pub(in crate::rules) fn paid(lines: Vec<OrderLine>, tax_included: bool) -> Order {
        let attempt = OrderPayment {
            payment: PaymentId::derive(&["1"]),
            status: PaymentStatus::Succeeded,
            at: Timestamp::EPOCH,
            events: 1,
            paid: true,
        };
        Order {
            status: OrderStatus::Paid,
            paid_at: Some(Timestamp::EPOCH),
            payments: vec![attempt],
            expires_at: None,
            ..placed(lines, tax_included)
        }
    }

    pub(in crate::rules) fn two_lines() -> Vec<OrderLine> {
        vec![line(0, 3, (10, 48, 0)), line(1, 2, (0, 33, 20))]
    }

    /// One shipment of all that the order has.
    pub(in crate::rules) fn dispatch(order: &Order, label: bool) -> Dispatch {
        let number = TrackingNumber::parse("AB-1234").unwrap();
        let label = label.then_some(Tracking { carrier: Carrier::Generic, number });
        let lines = order.taken().into_iter();
        let lines = lines.map(|((sku, ..), quantity)| ShipmentLine { sku, quantity }).collect();
        let place = LocationId::default();
        let shipment = Shipment::new(&order.id, 1, place, lines, Timestamp::EPOCH);
        let shipments = vec![Shipment { tracking: label, ..shipment }];
        Dispatch { shipments, ..Dispatch::unopened(order, Timestamp::EPOCH) }
    }

    pub(in crate::rules) fn by(who: Actor) -> By {
        By { who, at: Timestamp::EPOCH, why: None }
    }

    fn buyer() -> By {
        by(Actor::Buyer)
    }

    pub(in crate::rules) fn off(units: &[(usize, u32)]) -> Vec<Units> {
        let asked = units.iter().enumerate();
        asked.map(|(line, (of, units))| Units { line, sku: sku(*of), units: *units }).collect()
    }

    pub(in crate::rules) fn refunds(order: &Order) -> i64 {
        order.refunds_due.iter().map(|due| due.amount.minor()).sum()
    }

    #[test]
    fn an_order_is_called_off_once_and_what_was_paid_goes_back() {
        for (order, back) in [
            (placed(two_lines(), true), 0),
            (paid(two_lines(), true), 869),
            (paid(two_lines(), false), 950),
        ] {
            let open = dispatch(&order, false);
            let off = cancel(&order, Some(&open), &buyer()).unwrap().unwrap();
            assert_eq!((off.status, refunds(&off)), (OrderStatus::Cancelled, back));
            assert_eq!((off.paid_at, off.history.len()), (order.paid_at, 1));
            assert!(off.taken().is_empty());
            assert_eq!(cancel(&off, Some(&open), &buyer()), Ok(None));
        }
        let expired = Order { status: OrderStatus::Expired, ..placed(two_lines(), true) };
        assert_eq!(cancel(&expired, None, &buyer()), Err(Refusal::Ended(OrderStatus::Expired)));
        let unpaid = Order { payments: Vec::new(), ..paid(two_lines(), true) };
        assert_eq!(cancel(&unpaid, None, &buyer()), Err(Refusal::Inconsistent));
    }

    #[test]
    fn nothing_of_a_labelled_order_changes() {
        let order = paid(two_lines(), true);
        let labelled = dispatch(&order, true);
        let (labelled, by) = (Some(&labelled), buyer());
        let elsewhere = address("York", "Yorkshire");
        for refused in [
            cancel(&order, labelled, &by),
            cancel_units(&order, labelled, &off(&[(0, 1)]), &by),
            readdress(&order, labelled, &elsewhere, true, &by),
            hold(&order, labelled, &by),
        ] {
            assert_eq!(refused, Err(Refusal::Labelled));
        }
        assert!(note(&order, &by).unwrap().is_some());
    }

    #[test]
    fn units_are_called_off_by_how_many_are_off_in_all() {
        let order = paid(two_lines(), true);
        let once = cancel_units(&order, None, &off(&[(0, 2)]), &buyer()).unwrap().unwrap();
        assert_eq!((once.lines[0].cancelled, refunds(&once)), (2, 193));
        assert_eq!(once.lines[0].stock, [part(0, 1)], "the last part gives first");
        for fewer in [0, 1, 2] {
            assert_eq!(cancel_units(&once, None, &off(&[(0, fewer)]), &buyer()), Ok(None));
        }
        let deed = Deed::UnitsCancelled;
        let has_three = Refusal::TooMany { line: 0, sku: sku(0), has: 3, deed };
        assert_eq!(cancel_units(&once, None, &off(&[(0, 4)]), &buyer()), Err(has_three));
        let unknown = Refusal::UnknownLine { line: 1, sku: sku(7) };
        assert_eq!(cancel_units(&once, None, &off(&[(0, 3), (7, 1)]), &buyer()), Err(unknown));
        let unpaid = placed(two_lines(), true);
        assert_eq!(cancel_units(&unpaid, None, &off(&[(0, 1)]), &buyer()), Err(Refusal::NotPaid));
        let rest = cancel_units(&once, None, &off(&[(0, 3), (1, 2)]), &buyer()).unwrap().unwrap();
        assert_eq!((rest.status, refunds(&rest)), (OrderStatus::Cancelled, 869));
    }

    #[test]
    fn gifts_stay_and_do_not_keep_an_order_alive() {
        let rule = RuleId::parse("gift").unwrap();
        let gift = OrderLine { gift: Some(rule), ..line(0, 1, (100, 0, 0)) };
        let order = paid(vec![line(0, 2, (0, 0, 0)), gift], true);
        let one = cancel_units(&order, None, &off(&[(0, 1)]), &buyer()).unwrap().unwrap();
        let left: Vec<u32> = one.lines.iter().map(OrderLine::living).collect();
        assert_eq!((left, one.taken().values().sum::<u32>()), (vec![1, 1], 2));
        let all = cancel_units(&one, None, &off(&[(0, 2)]), &buyer()).unwrap().unwrap();
        assert_eq!((all.status, refunds(&all)), (OrderStatus::Cancelled, order.total.minor()));
    }

    #[test]
    fn an_order_goes_elsewhere_only_where_it_costs_the_same() {
        let york = address("York", "yorkshire");
        for order in [placed(two_lines(), true), paid(two_lines(), true)] {
            let moved = readdress(&order, None, &york, true, &buyer()).unwrap().unwrap();
            assert_eq!((&moved.address, moved.history[0].what), (&york, Deed::AddressChanged));
            assert_eq!(readdress(&moved, None, &york, false, &buyer()), Ok(None));
            let kent = address("Dover", "Kent");
            for (address, same) in [(&york, false), (&kent, true)] {
                let refused = readdress(&order, None, address, same, &buyer());
                assert_eq!(refused, Err(Refusal::Elsewhere));
            }
        }
        let ended = Order { status: OrderStatus::Cancelled, ..paid(two_lines(), true) };
        let refused = readdress(&ended, None, &york, true, &buyer());
        assert_eq!(refused, Err(Refusal::Ended(OrderStatus::Cancelled)));
    }

    #[test]
    fn an_order_is_held_and_let_go() {
        let eve = by(Actor::Operator(Text::new("eve").unwrap()));
        for order in [placed(two_lines(), true), paid(two_lines(), true)] {
            assert_eq!(release_hold(&order, &eve), Ok(None));
            let held = hold(&order, None, &eve).unwrap().unwrap();
            assert_eq!((held.held_at, hold(&held, None, &eve)), (Some(eve.at), Ok(None)));
            let free = release_hold(&held, &eve).unwrap().unwrap();
            let told: Vec<Deed> = free.history.iter().map(|it| it.what).collect();
            assert_eq!((free.held_at, told), (None, vec![Deed::Held, Deed::Released]));
            let off = cancel(&held, None, &eve).unwrap().unwrap();
            assert_eq!(off.held_at, None, "nobody needs to look at it any more");
            assert_eq!(hold(&off, None, &eve), Err(Refusal::Ended(OrderStatus::Cancelled)));
        }
    }

    #[test]
    fn a_note_is_kept_once_and_a_history_has_an_end() {
        let mut order = paid(two_lines(), true);
        let eve = by(Actor::Operator(Text::new("eve").unwrap()));
        for number in 0..MAX_HISTORY {
            let half = MAX_HISTORY / 2;
            let told = Text::new(&format!("note {number}")).unwrap();
            let by = By { why: Some(told), ..if number < half { buyer() } else { eve.clone() } };
            order = note(&order, &by).unwrap().unwrap();
            assert_eq!(note(&order, &by), Ok(None));
            // What a buyer does leaves room for the shop.
            let full = number + 1 >= half;
            assert_eq!(hold(&order, None, &buyer()) == Err(Refusal::TooOften), full);
            assert_eq!(hold(&order, None, &eve).is_ok(), number + 1 < MAX_HISTORY);
        }
        assert_eq!(note(&order, &eve), Err(Refusal::TooOften));
        assert!(cancel(&order, None, &buyer()).unwrap().is_some(), "this is always possible");
    }

    pub(in crate::rules) fn lines() -> impl Strategy<Value = Vec<OrderLine>> {
        let facts = (1_u32..20, 0_i64..=100, 0_i64..=500, 0_i64..=100);
        prop::collection::vec(facts, 1..5).prop_map(|lines| {
            let lines = lines.into_iter().enumerate();
            lines
                .map(|(number, (quantity, off, tax, points))| {
                    let whole = i64::from(quantity) * 100;
                    let discount = whole * off / 100;
                    let points = (whole - discount) * points / 100;
                    line(number, quantity, (discount, tax, points))
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn any_sequence_of_partial_cancels_gives_back_exactly_what_was_paid(
            lines in lines(),
            tax_included: bool,
            steps in prop::collection::vec((0_usize..5, 0_u32..20), 0..30),
        ) {
            let mut order = paid(lines, tax_included);
            let mut ids = std::collections::BTreeSet::new();
            for (of, units) in steps {
                let Some(known) = order.lines.get(of) else { continue };
                let asked = off(&[(of, units.min(known.quantity))]);
                let before = refunds(&order);
                let Some(after) = cancel_units(&order, None, &asked, &buyer()).unwrap() else {
                    continue;
                };
                prop_assert!(refunds(&after) >= before, "money never comes back");
                if after.status == OrderStatus::Paid {
                    let shares = after.lines.iter().map(|line| {
                        let on_top = if tax_included { 0 } else { line.tax.minor() };
                        let paid = line.total.minor() + on_top - line.points.minor();
                        paid * i64::from(line.cancelled) / i64::from(line.quantity)
                    });
                    prop_assert_eq!(refunds(&after), shares.sum::<i64>());
                    for line in &after.lines {
                        let has: u32 = line.stock.iter().map(|part| part.quantity).sum();
                        prop_assert_eq!(has, line.living());
                    }
                }
                order = after;
            }
            let ended = cancel(&order, None, &buyer()).unwrap().unwrap_or(order);
            prop_assert_eq!(refunds(&ended), ended.total.minor());
            for due in &ended.refunds_due {
                prop_assert!(ids.insert(due.id.clone()), "every refund has its own identity");
            }
        }
    }
}
