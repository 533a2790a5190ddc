//! Stock, shipments, parcels, and what is wrong with deliveries.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        alert::Alert,
        dispatch::{Direction, Dispatch, Shipment},
        id::{AlertId, OrderId},
        order::{LevelPart, Order, OrderStatus},
        product::Sku,
        stock::LocationId,
    },
    store::audit::{Books, Stock},
};
use aftercart_logistics::rules::fold;

use super::{Violation, must};

/// A part of a level is the sum of its movements less what living orders
/// have of it: dead ones hold nothing. No more is sold than came in, and may
/// be sold before.
pub(super) fn stock(books: &Books) -> Result<usize, Violation> {
    let mut taken: BTreeMap<LevelPart, i64> = BTreeMap::new();
    for (part, units) in books.orders.iter().flat_map(Order::taken) {
        *taken.entry(part).or_default() += i64::from(units);
    }
    let mut sums: BTreeMap<(&Sku, &LocationId), i64> = BTreeMap::new();
    for (part, level) in &books.stock {
        let taken = taken.remove(part).unwrap_or(0);
        must(level.available == level.moved - taken, || {
            let Stock { moved, available } = level;
            format!("of {part:?} came in {moved}, went {taken}, are left {available}")
        })?;
        *sums.entry((&part.0, &part.1)).or_default() += level.available;
    }
    must(taken.is_empty(), || format!("orders took what never came in: {taken:?}"))?;
    for ((sku, location), units) in sums {
        let preorder = books.products.get(sku).and_then(|it| it.access.preorder.as_ref());
        let beyond = preorder.map_or(0, |it| i64::from(it.units));
        must(units >= -beyond, || format!("{units} units of {sku} are left at {location}"))?;
    }
    let skus: BTreeSet<&Sku> = books.stock.keys().map(|(sku, ..)| sku).collect();
    Ok(skus.len())
}

/// A paid order that is not held has its shipments, which go and carry what
/// it has, from where it was taken; those of one that is held, or was called
/// off after it was paid, are stopped, and none has a label; no other order
/// has any. What is sent again is of a shipment that left.
pub(super) fn shipments(books: &Books) -> Result<usize, Violation> {
    let mut of_order: BTreeMap<&OrderId, &Dispatch> =
        books.dispatches.iter().map(|it| (&it.order, it)).collect();
    let mut sent = 0;
    for order in &books.orders {
        let dispatch = of_order.remove(&order.id);
        let goes = order.status == OrderStatus::Paid && order.held_at.is_none();
        let fits = match dispatch {
            Some(it) => {
                let stopped = it.stopped_at.is_some();
                order.paid_at.is_some() && stopped != goes && !(stopped && it.leaving().is_some())
            }
            None => !goes,
        };
        must(fits, || format!("{} is {}, its shipments: {dispatch:?}", order.id, order.status))?;
        let Some(dispatch) = dispatch else { continue };
        check_goods(order, dispatch)?;
        sent += usize::from(goes);
    }
    must(of_order.is_empty(), || format!("shipments without orders: {of_order:?}"))?;
    Ok(sent)
}

/// What is sent for the first time is what a living order took, unless nothing
/// is opened yet; what is sent again was sent before.
fn check_goods(order: &Order, dispatch: &Dispatch) -> Result<(), Violation> {
    let mut packed: BTreeMap<(&Sku, &LocationId), u32> = BTreeMap::new();
    let first = |it: &&Shipment| it.direction == Direction::Out && it.replaces.is_none();
    for shipment in dispatch.shipments.iter().filter(first) {
        for line in &shipment.lines {
            *packed.entry((&line.sku, &shipment.location)).or_default() += line.quantity;
        }
    }
    let taken = order.taken();
    let mut has: BTreeMap<(&Sku, &LocationId), u32> = BTreeMap::new();
    for ((sku, location, _), units) in &taken {
        *has.entry((sku, location)).or_default() += units;
    }
    let unopened = dispatch.shipments.is_empty() && dispatch.stopped_at.is_some();
    let same = packed == has || !order.is_living() || unopened;
    must(same, || format!("{} has {has:?}, packed is {packed:?}", order.id))?;
    for again in dispatch.shipments.iter().filter(|it| it.replaces.is_some()) {
        let replaced = again.replaces.as_ref().and_then(|id| dispatch.shipment(id));
        must(replaced.is_some_and(|it| it.has_left() && it.cancelled_at.is_some()), || {
            format!("{} replaces what was not sent", again.id)
        })?;
    }
    Ok(())
}

/// Every parcel with a label is the one that its shipment names, and a parcel
/// that carriers told of is where the fold of all that they told has it.
pub(super) fn parcels(books: &Books) -> Result<usize, Violation> {
    let of_order: BTreeMap<&OrderId, &Dispatch> =
        books.dispatches.iter().map(|it| (&it.order, it)).collect();
    let mut checked = 0;
    for (tracking, history) in &books.parcels {
        let Some(parcel) = &history.parcel else { continue };
        let dispatch = of_order.get(&parcel.order);
        let shipment = dispatch.and_then(|it| it.shipment(&parcel.shipment));
        let named = shipment.filter(|it| it.tracking.as_ref() == Some(tracking));
        let Some(shipment) = named else {
            return must(false, || format!("{tracking:?} is not the label of {}", parcel.shipment))
                .map(|()| 0);
        };
        if history.told() > 0 {
            let told = fold::journey(history);
            let same = (shipment.journey.status, shipment.journey.delivered_at)
                == (told.status, told.delivered_at);
            must(same || shipment.closed.is_some(), || {
                format!("{} is {:?}, carriers told {told:?}", shipment.id, shipment.journey)
            })?;
        }
        checked += 1;
    }
    Ok(checked)
}

/// An alert is open when its shipment says so, and no other is.
pub(super) fn alerts(books: &Books) -> Result<usize, Violation> {
    let open = books.alerts.iter().filter(|it| it.ended.is_none()).map(|it| it.id.clone());
    let open: BTreeSet<AlertId> = open.collect();
    let mut named = BTreeSet::new();
    for shipment in books.dispatches.iter().flat_map(|it| &it.shipments) {
        let raised = shipment.alerts.iter().filter(|(_, it)| it.ended_at.is_none());
        named.extend(raised.map(|(kind, it)| Alert::identity(&shipment.id, *kind, it.since)));
    }
    must(named == open, || {
        let torn: Vec<_> = named.symmetric_difference(&open).collect();
        format!("alerts are open, and their shipments say otherwise, or the other way: {torn:?}")
    })?;
    Ok(books.alerts.len())
}
