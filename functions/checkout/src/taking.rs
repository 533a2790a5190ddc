//! What an order takes, in the transaction that places it or takes it up again.

use aftercart::{
    messages::{Message, OrderHeld, OrderPaid, OrderPlaced},
    model::{
        id::VoucherId,
        order::{Order, OrderStatus},
        points::Holder,
        price::Quota,
        time::Timestamp,
    },
    store::{Commit, Conflict, Sends, StoreError, Write, orders, points, quotas, stock, vouchers},
};

use crate::rules::{
    place::Decided,
    quote::{self, Facts, Quote},
    stock::Take,
};

/// Something that an order takes, by one write of its transaction.
pub(crate) enum Taking {
    Stock(Take),
    Quota(Quota, u8, u32),
    Voucher(VoucherId),
    Points(i64),
}

/// What an order takes, in the order of the writes after its own: conflicts
/// come by position.
pub(crate) fn takings(
    decided: &Decided,
    quote: &Quote,
    facts: &Facts,
    now: Timestamp,
) -> Vec<Taking> {
    let stock = quote::takes(quote, &decided.plan, facts, now).into_iter().map(Taking::Stock);
    let uses = decided.uses.iter();
    let uses = uses.map(|(quota, shard, units)| Taking::Quota(quota.clone(), *shard, *units));
    let vouchers = decided.order.vouchers.iter().cloned().map(Taking::Voucher);
    let points = decided.order.points.as_ref().map(|it| Taking::Points(it.points));
    stock.chain(uses).chain(vouchers).chain(points).collect()
}

impl Taking {
    /// The write that takes it for an order, as of when that was placed.
    pub(crate) fn write(&self, order: &Order) -> Write {
        let (customer, id, at) = (&order.customer, &order.id, order.placed_at);
        match self {
            Self::Stock(take) => stock::take(&take.sku, &take.part, take.floor),
            Self::Quota(quota, shard, units) => quotas::take(quota, *shard, *units, at),
            Self::Voucher(voucher) => vouchers::redeem(customer, voucher, id, at),
            Self::Points(points) => {
                points::hold(order.payer(), &Holder::Order(id.clone()), *points)
            }
        }
    }
}

/// The order and all that it takes.
pub(crate) fn writes(order: &Order, takings: &[Taking], trace: Option<&str>) -> Commit {
    let first = orders::place(order, &sends(order, trace));
    std::iter::once(first).chain(takings.iter().map(|it| it.write(order))).collect()
}

fn sends(order: &Order, trace: Option<&str>) -> Sends {
    let (id, buyer, at) = (order.id.clone(), order.customer.clone(), order.placed_at);
    let placed = OrderPlaced { order: id.clone(), customer: buyer.clone() };
    let mut sends = Sends::one(Message::OrderPlaced(placed), at, trace);
    // Whoever has to look at an order is told when it is paid.
    if order.held_at.is_some() && order.status == OrderStatus::Paid {
        let held = OrderHeld { order: id.clone(), customer: buyer.clone() };
        sends = sends.and(Message::OrderHeld(held), at, trace);
    }
    if order.status == OrderStatus::Paid {
        let paid = OrderPaid { order: id, customer: buyer };
        sends = sends.and(Message::OrderPaid(paid), at, trace);
    }
    sends
}

/// Puts what the transaction found in place of what was read.
pub(crate) fn learn(
    facts: &mut Facts,
    takings: &[Taking],
    conflicts: &[Conflict],
) -> Result<(), StoreError> {
    for conflict in conflicts {
        let taking = conflict.position.checked_sub(1).and_then(|position| takings.get(position));
        let found = conflict.found.as_ref();
        match taking {
            None => {}
            Some(Taking::Stock(Take { sku, part, .. })) => {
                let units = found.map_or(Ok(0), stock::available_from_item)?;
                facts.levels.note(sku, &part.location, part.shard, units);
            }
            Some(Taking::Quota(quota, shard, _)) => {
                let used = found.map_or(Ok(0), quotas::used_from_item)?;
                facts.uses.note_part(quota, *shard, used);
                // More limits could apply than are read at once.
                if !facts.quotas.contains(quota) {
                    facts.quotas.push(quota.clone());
                }
            }
            Some(Taking::Voucher(id)) => match found {
                None => drop(facts.vouchers.remove(id)),
                Some(item) => {
                    facts.vouchers.insert(id.clone(), vouchers::from_item(item)?);
                }
            },
            Some(Taking::Points(_)) => {
                let ledger = found.map(points::ledger_from_item).transpose()?;
                facts.spendable = ledger.map_or(0, |ledger| ledger.holdable());
            }
        }
    }
    Ok(())
}
