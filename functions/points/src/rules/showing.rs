//! What a member sees of a ledger and its movements.

use aftercart::model::{
    customer::Language,
    id::OrderId,
    points::{Account, Cause, Claim, Entry, Holder, Ledger, LotPart, Posting},
    programme::PointsPolicy,
};

use crate::{
    rules::{
        settle, till,
        wording::{self, PointsMovementKind},
    },
    wire::view::{
        BalancesView, ChangeView, GaveView, HeldFor, HoldView, LotView, MovementView, PointsView,
        WaitingView,
    },
};

/// What there is to see.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The ledger from which the member spends.
    pub ledger: Ledger,
    /// Those of the other accounts of the same person, whose points flow to it.
    pub others: Vec<Ledger>,
    /// A page of its movements, and how those stand that a purchase earned.
    pub movements: Vec<(Entry, Option<Claim>)>,
    /// Where the next page begins, if there may be one.
    pub next_cursor: Option<String>,
}

/// What the member sees, in this language; `page` is the link to the page.
#[must_use]
pub fn view(
    seen: &Seen,
    only: Option<PointsMovementKind>,
    policy: &PointsPolicy,
    language: Language,
    page: String,
) -> PointsView {
    let wanted = |entry: &Entry| only.is_none_or(|kind| kind == wording::kind(&entry.cause));
    let movements = seen.movements.iter().filter(|(entry, _)| wanted(entry));
    PointsView {
        language,
        zone: policy.zone.clone(),
        balances: balances(seen),
        lots: lots(&seen.ledger),
        holds: holds(&seen.ledger),
        movements: movements.map(|it| movement(it, policy, language)).collect(),
        next_cursor: seen.next_cursor.clone(),
        page,
    }
}

/// The balances of a person. What waits in another account, or is owed there,
/// comes to the one from which is spent.
#[must_use]
pub fn balances(seen: &Seen) -> BalancesView {
    let ledger = &seen.ledger;
    let all = |account| {
        let ledgers = std::iter::once(ledger).chain(&seen.others);
        ledgers.fold(0_i64, |sum, it| sum.saturating_add(it.balance(account)))
    };
    BalancesView {
        pending: all(Account::Pending),
        available: ledger.balance(Account::Available),
        held: ledger.held(),
        spendable: ledger.spendable(),
        debt: all(Account::Debt).saturating_neg(),
    }
}

/// The lots, those that end together as one.
#[must_use]
pub fn lots(ledger: &Ledger) -> Vec<LotView> {
    let mut shown: Vec<LotView> = Vec::with_capacity(ledger.lots.len());
    for lot in &ledger.lots {
        match shown.last_mut().filter(|last| last.expires_at == lot.expires_at) {
            Some(last) => last.points = last.points.saturating_add(lot.points),
            None => shown.push(LotView { points: lot.points, expires_at: lot.expires_at }),
        }
    }
    shown
}

fn holds(ledger: &Ledger) -> Vec<HoldView> {
    let held_for = |holder: &Holder| match holder {
        Holder::Order(_) => HeldFor::Order,
        Holder::Redemption(_) => HeldFor::Redemption,
        Holder::Gift(_) => HeldFor::Gift,
        Holder::Till(_) => HeldFor::Till,
    };
    let holds = ledger.holds.iter().map(|(holder, held)| HoldView {
        held_for: held_for(holder),
        id: holder.as_str().to_owned(),
        points: held.points,
        until: held.until,
    });
    holds.collect()
}

fn movement(
    (entry, claim): &(Entry, Option<Claim>),
    policy: &PointsPolicy,
    language: Language,
) -> MovementView {
    let gave = |(rule, points): &(String, i64)| GaveView {
        rule: rule.clone(),
        title: wording::title(rule, policy, language),
        points: *points,
    };
    let part = |part: &LotPart| LotView { points: part.points, expires_at: part.expires_at };
    let waiting = claim.as_ref().filter(|claim| claim.points > 0);
    let (purchase, about) = about(&entry.cause);
    let (receipt, order) = if is_of_store(entry) { (purchase, None) } else { (None, purchase) };
    MovementView {
        id: entry.id.clone(),
        at: entry.at,
        kind: wording::kind(&entry.cause),
        what: wording::movement(&entry.cause, policy, language),
        order,
        receipt,
        about,
        changes: entry.postings.iter().filter_map(change).collect(),
        gave: entry.gave.iter().map(gave).collect(),
        lots: entry.lots.iter().map(part).collect(),
        waiting: waiting
            .map(|claim| WaitingView { points: claim.points, matures_at: claim.matures_at }),
        rule: entry.rule.clone(),
        policy: entry.policy.clone(),
    }
}

/// Whether an entry that is about a purchase is about one in a store.
fn is_of_store(entry: &Entry) -> bool {
    [till::RULE, till::RETURN_RULE, settle::STORE_MATURE_RULE].contains(&entry.rule.as_str())
}

/// The order or receipt that a cause is about, or what else it is about.
fn about(cause: &Cause) -> (Option<OrderId>, Option<String>) {
    let id = match cause {
        Cause::OrderPaid(order)
        | Cause::OrderPoints(order)
        | Cause::OrderCancelled(order)
        | Cause::PointsReturned(order)
        | Cause::Apology(order)
        | Cause::DeliveryApology(order)
        | Cause::ReturnWindowEnded(order) => return (Some(order.clone()), None),
        Cause::Redeemed(id) | Cause::RedemptionReturned(id) => id.as_str(),
        Cause::GiftSent(id) | Cause::GiftReceived(id) => id.as_str(),
        Cause::TillSpent(id) | Cause::TillReturned(id) => id.as_str(),
        Cause::Adjusted(id) => id.as_str(),
        Cause::MadeGood(id) => id.as_str(),
        Cause::Linked(id) => id.as_str(),
        Cause::LotExpired(_)
        | Cause::Extended(_)
        | Cause::Action { .. }
        | Cause::Milestone(_)
        | Cause::Prize(_)
        | Cause::Campaign { .. } => return (None, None),
    };
    (None, Some(id.to_owned()))
}

/// The member's side of a posting; the programme's accounts are not shown.
fn change(posting: &Posting) -> Option<ChangeView> {
    let Posting { account, points } = *posting;
    account.is_own().then_some(ChangeView { account, points })
}
