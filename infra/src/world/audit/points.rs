//! Ledgers, and what points are for.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        customer::CustomerId,
        gift::{End, Gift},
        id::{GiftId, OrderId, RedemptionId},
        order::{Order, OrderStatus},
        points::{Account, Cause, Entry, Holder, Ledger, audit::Rebuilt},
        policy::Policy,
        programme::earning::EarningPolicy,
        reward::{Redemption, RewardId},
    },
    store::audit::Books,
};
use aftercart_points::rules::{earn::in_money, undo};

use super::{Violation, must};

/// Entries sum to zero, ledgers are what their entries amount to, what is
/// pending is what earnings wait with, unpaid orders hold the points that are
/// to pay for them and no others do, and no cause moved points twice.
pub(super) fn ledgers(books: &Books) -> Result<(usize, usize), Violation> {
    let all = &books.points;
    let mut rebuilt: BTreeMap<&CustomerId, Rebuilt> = BTreeMap::new();
    let mut causes = BTreeSet::new();
    for entry in &all.entries {
        let sums = rebuilt.entry(&entry.customer).or_default();
        let added = sums.add(entry);
        added.map_err(|error| Violation::Broken(format!("{}: {error}", entry.id)))?;
        let first = !is_once(&entry.cause)
            || causes.insert((&entry.customer, format!("{:?}", entry.cause)));
        must(first, || format!("{} moves points of {:?} again", entry.id, entry.cause))?;
    }
    for ledger in &all.ledgers {
        let customer = &ledger.customer;
        let differences = rebuilt.remove(customer).unwrap_or_default().differences(ledger);
        must(differences.is_empty(), || {
            format!("the ledger of {customer} is not its entries: {differences:?}")
        })?;
        let claims = all.claims.iter().filter(|(of, _)| of == customer);
        let waits: i64 = claims.map(|(_, claim)| claim.points).sum();
        must(waits == ledger.balance(Account::Pending), || {
            format!("earnings of {customer} wait with {waits} points")
        })?;
        check_holds(ledger, &books.orders)?;
    }
    must(rebuilt.is_empty(), || "there are entries without a ledger".to_owned())?;
    Ok((all.entries.len(), all.ledgers.len()))
}

/// What moves points of a member once.
fn is_once(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::OrderPaid(_)
            | Cause::OrderPoints(_)
            | Cause::Apology(_)
            | Cause::DeliveryApology(_)
            | Cause::Action { .. }
            | Cause::Campaign { .. }
            | Cause::Prize(_)
            | Cause::Redeemed(_)
            | Cause::RedemptionReturned(_)
            | Cause::GiftSent(_)
            | Cause::GiftReceived(_)
            | Cause::TillSpent(_)
    )
}

/// What a ledger holds for orders is what its unpaid ones want.
fn check_holds(ledger: &Ledger, orders: &[Order]) -> Result<(), Violation> {
    let customer = &ledger.customer;
    let unpaid = |order: &&Order| order.status == OrderStatus::Placed && order.payer() == customer;
    let wanted: BTreeMap<&OrderId, i64> = orders
        .iter()
        .filter(unpaid)
        .filter_map(|order| Some((&order.id, order.points.as_ref()?.points)))
        .collect();
    let held: BTreeMap<&OrderId, i64> = ledger
        .holds
        .iter()
        .filter_map(|(holder, held)| match holder {
            Holder::Order(order) => Some((order, held.points)),
            _ => None,
        })
        .collect();
    // Points that pay for an order are held until its payment is posted.
    let paid = |id: &OrderId| {
        orders.iter().any(|it| it.id == *id && it.paid_at.is_some() && it.points.is_some())
    };
    let missing = wanted.iter().find(|(id, points)| held.get(*id) != Some(*points));
    let beyond = held.keys().find(|id| !wanted.contains_key(*id) && !paid(id));
    must(missing.is_none() && beyond.is_none(), || {
        format!("{customer} holds {held:?}, and unpaid orders want {wanted:?}")
    })
}

/// Every paid order of a member earned once and spent what it says, but for
/// what was called off; nothing is held for it any more. What it earned is what
/// the base rate gives, if the policy has no rules of earning.
pub(super) fn of_orders(books: &Books, policy: &Policy) -> Result<(), Violation> {
    let mut of_orders: BTreeMap<&OrderId, OfOrder<'_>> = BTreeMap::new();
    for entry in &books.points.entries {
        let Some(order) = order_of(&entry.cause) else { continue };
        of_orders.entry(order).or_default().add(entry);
    }
    for order in books.orders.iter().filter(|it| it.paid_at.is_some() && it.customer.is_member()) {
        of_orders.remove(&order.id).unwrap_or_default().check(order, policy)?;
    }
    let holders = books.points.ledgers.iter().flat_map(|it| it.holds.keys());
    for holder in holders {
        let Holder::Order(id) = holder else { continue };
        let unpaid = books.order(id).is_some_and(|it| it.status == OrderStatus::Placed);
        must(unpaid, || format!("points are held for {id}, which is not to be paid"))?;
    }
    Ok(())
}

/// The order that earned, spent or undid what an entry moves.
fn order_of(cause: &Cause) -> Option<&OrderId> {
    match cause {
        Cause::OrderPaid(order)
        | Cause::OrderPoints(order)
        | Cause::OrderCancelled(order)
        | Cause::PointsReturned(order) => Some(order),
        _ => None,
    }
}

/// What the entries about an order amount to.
#[derive(Default)]
struct OfOrder<'a> {
    lines: &'a [i64],
    earned: i64,
    spent: i64,
}

impl<'a> OfOrder<'a> {
    fn add(&mut self, entry: &'a Entry) {
        if matches!(entry.cause, Cause::OrderPaid(_)) {
            self.lines = &entry.lines;
        }
        self.earned -= entry.into(Account::Issued) + entry.into(Account::Cancelled);
        self.spent += entry.into(Account::Spent);
    }

    fn check(self, order: &Order, policy: &Policy) -> Result<(), Violation> {
        let Self { lines, earned, spent } = self;
        let (id, rules) = (&order.id, &policy.points);
        let due = lines.iter().sum::<i64>() - undo::taken(order, lines);
        must(earned == due, || format!("{id} earned {earned}, is due {due}"))?;
        let base = order.lines.iter().map(|it| {
            let tax = if order.tax_included { it.tax.minor() } else { 0 };
            rules.of_line(in_money(it.total.minor(), tax, it.points.minor()))
        });
        let base: Vec<i64> = base.collect();
        let plain = rules.earning == EarningPolicy::default() && rules.tiers.levels.is_empty();
        let same = base == lines || (lines.is_empty() && base.iter().all(|it| *it == 0));
        must(same || !plain, || format!("{id} earned {lines:?}, by the base rate {base:?}"))?;
        let due = order.points.as_ref().map_or(0, |it| it.points) - undo::returned(order);
        must(spent == due, || format!("{id} spent {spent} points, not {due}"))
    }
}

/// A gift that was accepted went from the giver and came to the other, once;
/// one that is not accepted moved nothing, and what is held for a gift is held
/// for one that nobody ended. What went to members came from members.
pub(super) fn gifts(books: &Books) -> Result<usize, Violation> {
    let mut moved: BTreeMap<&GiftId, (i64, i64)> = BTreeMap::new();
    let (mut between, mut linked) = (0, 0);
    for entry in &books.points.entries {
        between += entry.into(Account::Gifted);
        linked += entry.into(Account::Linked);
        match &entry.cause {
            Cause::GiftSent(id) => moved.entry(id).or_default().0 += entry.into(Account::Gifted),
            Cause::GiftReceived(id) => {
                moved.entry(id).or_default().1 -= entry.into(Account::Gifted);
            }
            _ => {}
        }
    }
    must(between == 0 && linked == 0, || {
        format!("gifts do not sum to zero but to {between}, links to {linked}")
    })?;
    let by_id: BTreeMap<&GiftId, &Gift> = books.gifts.iter().map(|it| (&it.id, it)).collect();
    for gift in &books.gifts {
        let accepted = gift.ended.is_some_and(|it| it.how == End::Accepted);
        let due = if accepted { gift.points } else { 0 };
        let moved = moved.remove(&gift.id).unwrap_or_default();
        must(moved == (due, due), || {
            format!("of {}, {:?}, moved {moved:?} points", gift.id, gift.ended)
        })?;
    }
    must(moved.is_empty(), || format!("gifts moved points that are not there: {moved:?}"))?;
    for ledger in &books.points.ledgers {
        for (holder, held) in &ledger.holds {
            let Holder::Gift(id) = holder else { continue };
            let of = by_id.get(id).filter(|it| it.ended.is_none() && it.from == ledger.customer);
            must(of.is_some_and(|it| it.points == held.points), || {
                format!("{} holds {held:?} for {id}: {of:?}", ledger.customer)
            })?;
        }
    }
    Ok(books.gifts.len())
}

/// A reward that somebody has is paid for once, held or posted; one that was
/// called off is not. The counters of rewards and of members' rewards are what
/// was taken and not called off, and no more is taken than there is.
pub(super) fn redemptions(books: &Books) -> Result<usize, Violation> {
    let mut spent: BTreeMap<&RedemptionId, i64> = BTreeMap::new();
    for entry in &books.points.entries {
        if let Cause::Redeemed(id) | Cause::RedemptionReturned(id) = &entry.cause {
            *spent.entry(id).or_default() += entry.into(Account::Spent);
        }
    }
    let holds = books.points.ledgers.iter().flat_map(|ledger| {
        ledger.holds.iter().filter_map(move |(holder, held)| match holder {
            Holder::Redemption(id) => Some((id, (&ledger.customer, held.points))),
            _ => None,
        })
    });
    let mut holds: BTreeMap<&RedemptionId, (&CustomerId, i64)> = holds.collect();
    for redemption in &books.redemptions {
        let Redemption { id, account, points, posted, .. } = redemption;
        let spent = spent.remove(id).unwrap_or(0);
        let held = holds.remove(id);
        let living = redemption.undone.is_none();
        let due = if living && *posted { *points } else { 0 };
        let wanted = (living && !posted).then_some((account, *points));
        must(spent == due && held == wanted, || {
            let status = redemption.status();
            format!("{id} for {points} is {status:?}: {spent} were spent, held is {held:?}")
        })?;
    }
    must(spent.is_empty() && holds.is_empty(), || {
        format!("rewards that are not there cost {spent:?} and hold {holds:?}")
    })?;
    check_counters(books)?;
    Ok(books.redemptions.len())
}

fn check_counters(books: &Books) -> Result<(), Violation> {
    let mut taken: BTreeMap<&RewardId, i64> = BTreeMap::new();
    let mut of_member: BTreeMap<(&CustomerId, &RewardId), i64> = BTreeMap::new();
    for it in books.redemptions.iter().filter(|it| it.undone.is_none()) {
        *taken.entry(&it.reward).or_default() += i64::from(it.of_units);
        *of_member.entry((&it.customer, &it.reward)).or_default() += i64::from(it.of_member);
    }
    for offered in &books.rewards {
        let taken = taken.get(&offered.id).copied().unwrap_or(0);
        must(offered.taken == taken, || {
            format!("{} counts {}, {taken} were taken", offered.id, offered.taken)
        })?;
    }
    for ((customer, reward), count) in &books.reward_counts {
        let has = of_member.remove(&(customer, reward)).unwrap_or(0);
        must(*count == has, || format!("{customer} has {has} of {reward}, counted is {count}"))?;
    }
    of_member.retain(|_, count| *count != 0);
    must(of_member.is_empty(), || format!("rewards that nobody counted: {of_member:?}"))
}
