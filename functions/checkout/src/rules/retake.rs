//! What becomes of money that comes after its order has ended?
//!
//! The order may have again what it had, whole or not at all, at the prices of
//! the day it was placed: it had its right to offers, sales and vouchers then.
//! What is there now is taken as any order takes it: units that are kept for
//! some tiers are not for others, and a limit never counts more than its rule
//! allows now.

use aftercart::model::{
    order::{
        Actor, Deed, Happening, Order, OrderEvent, OrderLine, OrderPayment, OrderStatus, QuotaPart,
        RefundDue,
    },
    paying::{LateChoice, LatePolicy},
    payment::{Attempt, PaymentStatus},
    policy::Policy,
    price::{PriceRules, Quota, QuotaScope},
    stock::LocationId,
    time::Timestamp,
};

use super::{
    place::MAX_WRITES,
    quote::{self, Facts, Terms},
    stock::{self, Take, Wanted},
};

/// What is to be done about an attempt's money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Nothing: it paid the order, goes back already, or is not there (any more).
    Done,
    /// The order goes on with it, if it can have again all that it took.
    Take(&'a OrderPayment),
    /// It goes back.
    GiveBack(&'a OrderPayment, RefundDue),
}

/// Why an order cannot have again what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// Too few units are left.
    #[error("too few units are left")]
    Goods,
    /// A limit has too little left, or its rule is gone.
    #[error("a limit is used up, or its rule is gone")]
    Limit,
    /// A voucher was used for another order.
    #[error("a voucher was used elsewhere")]
    Voucher,
    /// The member has too few points left, or the account that paid is no longer
    /// the member's.
    #[error("the points were spent, or are in an account that is taken apart")]
    Points,
    /// What is left lies in more places than one transaction can take from.
    #[error("it is more than one transaction can take")]
    TooMuch,
}

/// An order that goes on, and what it takes for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retaken {
    /// The order, paid.
    pub order: Order,
    /// The units, each part of a level once.
    pub takes: Vec<Take>,
    /// What it uses of limits, each from one part.
    pub uses: Vec<(Quota, u8, u32)>,
}

/// What is to be done about the money of an attempt that was reported late.
/// The order decides, as it stands now: money for one that was paid meanwhile
/// goes back as any that an order cannot take. Money of which a part went back
/// already pays nothing, and the rest goes back: of what is due here, no more
/// is given back than is left.
#[must_use]
pub fn judge<'a>(order: &'a Order, attempt: &Attempt, policy: &LatePolicy) -> Step<'a> {
    let some =
        [PaymentStatus::Succeeded, PaymentStatus::ChargebackWon, PaymentStatus::PartlyRefunded];
    let noted = order.payments.iter().find(|it| it.payment == attempt.id);
    let Some(note) = noted.filter(|it| some.contains(&it.status)) else { return Step::Done };
    if note.paid || order.unaccepted(&attempt.id) {
        return Step::Done;
    }
    if order.paid_at.is_some() {
        let due = RefundDue::unaccepted(&order.id, &attempt.id, attempt.amount);
        return Step::GiveBack(note, due);
    }
    if order.status.after(OrderEvent::Revive).is_err() {
        // It waits to be paid, and no money is late.
        return Step::Done;
    }
    let whole = note.status != PaymentStatus::PartlyRefunded && attempt.settles == order.total;
    match choice(order, policy) {
        LateChoice::Accept if whole => Step::Take(note),
        _ => Step::GiveBack(note, late(order, attempt)),
    }
}

/// An attempt's money, all of which goes back because it came too late.
#[must_use]
pub fn late(order: &Order, attempt: &Attempt) -> RefundDue {
    RefundDue::late(&order.id, &attempt.id, attempt.amount)
}

/// What the shop wants for an order that ended so. What an operator or a rule
/// called off is never taken up again.
fn choice(order: &Order, policy: &LatePolicy) -> LateChoice {
    if order.status == OrderStatus::Expired {
        return policy.expired;
    }
    let called_off = order.history.iter().rev().find(|it| it.what == Deed::Cancelled);
    match called_off.map(|it| &it.who) {
        Some(Actor::Buyer) => policy.cancelled,
        _ => LateChoice::Refund,
    }
}

/// The locations that an order's goods may come from.
#[must_use]
pub fn locations(order: &Order, policy: &Policy) -> Vec<LocationId> {
    quote::sources(Some(&order.delivery.method), Some(&order.address.country), policy)
}

/// The limits that an order used, one for each of its parts, as the rules have
/// them now. A limit that was lifted since has room for everything.
///
/// # Errors
/// [`Gone::Limit`] when a rule is gone.
pub fn limits(order: &Order, rules: &PriceRules) -> Result<Vec<Quota>, Gone> {
    let limit = |part: &QuotaPart| {
        let limits = &rules.rules.iter().find(|it| it.id == part.rule)?.limits;
        let scope = QuotaScope::parse(&part.scope)?;
        let (cap, shards) = match scope {
            QuotaScope::Total => (limits.total, limits.shards),
            QuotaScope::Day(_) => (limits.per_day, limits.shards),
            QuotaScope::Customer(_) => (limits.per_customer, 1),
            QuotaScope::CustomerDay(..) => (limits.per_customer_per_day, 1),
        };
        Some(Quota { rule: part.rule.clone(), scope, cap: cap.unwrap_or(u32::MAX), shards })
    };
    order.quotas.iter().map(|part| limit(part).ok_or(Gone::Limit)).collect()
}

/// Takes again what an order had, and makes it paid as of now. An order that
/// waited for a person when it ended waits again. `facts` holds what was read
/// for it: products, levels, [`limits`] with their uses, vouchers, the
/// member's record and points.
///
/// # Errors
/// [`Gone`]: then it takes nothing.
pub fn retake(
    order: &Order,
    note: &OrderPayment,
    facts: &Facts,
    terms: &Terms<'_>,
) -> Result<Retaken, Gone> {
    let wanted = wanted(order, facts, terms.now);
    let locations = locations(order, terms.policy);
    let plan = stock::plan(order.id.as_str(), &locations, &wanted, &facts.levels);
    let plan = plan.map_err(|_| Gone::Goods)?;
    let takes = stock::takes(&wanted, &plan);
    let uses = uses(order, facts)?;
    let is_open = |id| facts.vouchers.get(id).is_some_and(|it| it.is_open(order.placed_at));
    if !order.vouchers.iter().all(is_open) {
        return Err(Gone::Voucher);
    }
    if order.points.as_ref().is_some_and(|it| it.points > facts.spendable) {
        return Err(Gone::Points);
    }
    // The order itself, and a hold of points.
    let writes = takes.len().saturating_add(uses.len()).saturating_add(order.vouchers.len());
    if writes > MAX_WRITES - 2 {
        return Err(Gone::TooMuch);
    }
    let lines = order.lines.iter().zip(plan);
    let lines = lines.map(|(line, plan)| OrderLine { stock: plan.parts, ..line.clone() }).collect();
    let order = revived(order, note, lines, &uses, terms.now);
    Ok(Retaken { order, takes, uses })
}

fn wanted(order: &Order, facts: &Facts, now: Timestamp) -> Vec<Wanted> {
    let wanted = |line: &OrderLine| Wanted {
        sku: line.sku.clone(),
        quantity: line.living(),
        floor: quote::floor(&line.sku, facts, now),
    };
    order.lines.iter().map(wanted).collect()
}

/// A part with room for each limit: the one that the order used, or another.
fn uses(order: &Order, facts: &Facts) -> Result<Vec<(Quota, u8, u32)>, Gone> {
    let choose = |(part, quota): (&QuotaPart, &Quota)| {
        let shard = facts.uses.choose(quota, part.units, order.id.as_str());
        Ok((quota.clone(), shard.ok_or(Gone::Limit)?, part.units))
    };
    order.quotas.iter().zip(&facts.quotas).map(choose).collect()
}

fn revived(
    order: &Order,
    note: &OrderPayment,
    lines: Vec<OrderLine>,
    uses: &[(Quota, u8, u32)],
    now: Timestamp,
) -> Order {
    let mut waited = order.history.iter().rev();
    let waited = waited.find(|it| matches!(it.what, Deed::Held | Deed::Released));
    let parts = order.quotas.iter().zip(uses);
    let mut revived = Order {
        status: OrderStatus::Paid,
        lines,
        quotas: parts.map(|(part, used)| QuotaPart { shard: used.1, ..part.clone() }).collect(),
        held_at: waited.filter(|it| it.what == Deed::Held).map(|it| it.at),
        expires_at: None,
        paid_at: Some(now),
        ..order.clone()
    };
    for payment in revived.payments.iter_mut().filter(|it| it.payment == note.payment) {
        payment.paid = true;
    }
    let late = Happening { at: now, who: Actor::Rule, what: Deed::PaidLate, why: None };
    revived.history.push(late);
    revived
}

#[cfg(test)]
mod tests;
