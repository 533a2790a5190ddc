//! What becomes of the shipments of a paid order that changed, none of which
//! has a label.
//!
//! Nothing is packed for an order that was called off or waits for a person,
//! and of any other what the order still has: units that were called off leave
//! the shipments at the places whose stock they were taken from, from the last
//! shipment on.

use std::collections::BTreeMap;

use aftercart::{
    messages::{Message, ShipmentOpened, ShipmentStopped},
    model::{
        dispatch::{Direction, Dispatch, Shipment},
        logistics::Service,
        order::{Order, OrderStatus},
        product::Sku,
        stock::LocationId,
        time::Timestamp,
    },
};
use aftercart_pricing::delivery::{Place, serves};

/// Whether the order's goods are not to be packed.
#[must_use]
pub fn waits(order: &Order) -> bool {
    order.status != OrderStatus::Paid || order.held_at.is_some()
}

/// The shipments of the order as it is now, and what the packers are told of
/// them. None where neither changes: nobody was told of them, nor is now.
/// Services that do not go to a new address are chosen anew by whoever
/// attaches the label.
#[must_use]
pub fn follow(
    before: &Order,
    after: &Order,
    dispatch: &Dispatch,
    services: &[Service],
    now: Timestamp,
) -> Option<(Dispatch, Vec<Message>)> {
    let mut changed = dispatch.clone();
    for ((sku, location), units) in called_off(before, after) {
        take_out(&mut changed, &sku, &location, units, now);
    }
    let moved = before.address != after.address;
    if moved {
        let place = Place::from(&after.address);
        let goes = |id: &str| services.iter().any(|it| it.id.as_str() == id && serves(it, &place));
        for shipment in &mut changed.shipments {
            shipment.chosen.take_if(|it| !goes(it.service.as_str()));
        }
    }
    changed.stopped_at = waits(after).then(|| dispatch.stopped_at.unwrap_or(now));
    if dispatch.stopped_at.is_some() && changed.stopped_at.is_none() {
        let packed = changed.shipments.iter_mut();
        let packed = packed.filter(|it| it.cancelled_at.is_none() && !it.has_left());
        packed.for_each(|it| it.waits_since = Some(now));
    }
    let unseen = changed.stopped_at.is_some() && changed == *dispatch;
    (!unseen).then(|| {
        if !changed.shipments.is_empty() {
            // What was raised may be over, or nobody looks at what went on.
            changed.look_by(now);
        }
        let told = told(dispatch, &changed, moved);
        (changed, told)
    })
}

/// The units of each place that the order has no longer.
fn called_off(before: &Order, after: &Order) -> BTreeMap<(Sku, LocationId), u32> {
    // A dead order has nothing, and what was to be packed for it stays as it was.
    let kept = if after.is_living() { after.taken() } else { before.taken() };
    let mut off: BTreeMap<(Sku, LocationId), u32> = BTreeMap::new();
    for (part, units) in before.taken() {
        let less = units.saturating_sub(kept.get(&part).copied().unwrap_or(0));
        if less > 0 {
            let (sku, location, _) = part;
            let sum = off.entry((sku, location)).or_default();
            *sum = sum.saturating_add(less);
        }
    }
    off
}

/// First out of what is not sent anyway.
fn take_out(dispatch: &mut Dispatch, sku: &Sku, location: &LocationId, units: u32, now: Timestamp) {
    let mut left = units;
    let here = |it: &&mut Shipment| it.direction == Direction::Out && it.location == *location;
    let mut shipments: Vec<&mut Shipment> =
        dispatch.shipments.iter_mut().rev().filter(here).collect();
    shipments.sort_by_key(|shipment| shipment.is_outbound());
    for shipment in shipments {
        for line in shipment.lines.iter_mut().filter(|line| line.sku == *sku) {
            let taken = left.min(line.quantity);
            line.quantity = line.quantity.saturating_sub(taken);
            left = left.saturating_sub(taken);
        }
        shipment.lines.retain(|line| line.quantity > 0);
        if shipment.lines.is_empty() {
            shipment.cancelled_at.get_or_insert(now);
        }
    }
}

/// What the packers do not know yet.
fn told(before: &Dispatch, after: &Dispatch, moved: bool) -> Vec<Message> {
    let packed = |dispatch: &Dispatch, it: &Shipment| {
        dispatch.stopped_at.is_none() && it.is_outbound() && it.tracking.is_none()
    };
    let news = |it: &Shipment| {
        let known = before.shipment(&it.id).filter(|known| packed(before, known));
        match (known, packed(after, it)) {
            (Some(known), true) if known.lines == it.lines && !moved => None,
            (_, true) => Some(Message::ShipmentOpened(ShipmentOpened::of(after, it))),
            (Some(_), false) => {
                let (order, shipment) = (after.order.clone(), it.id.clone());
                Some(Message::ShipmentStopped(ShipmentStopped { order, shipment }))
            }
            (None, false) => None,
        }
    };
    after.shipments.iter().filter_map(news).collect()
}
