//! What an order does to its buyer's points: what it earns and spends, when
//! the clock of what it earned starts, and what of it is undone.

use aftercart::model::{
    customer::CustomerId,
    dispatch::Dispatch,
    money::Money,
    order::Order,
    points::{
        Account, Authority, Cause, Claim, Earning, Entry, Holder, Ledger, LedgerError, Movement,
        Tier, Undone,
    },
    policy::Policy,
    profile::Profile,
    time::{Period, Timestamp},
};

use super::{
    calendar::Member,
    earn::{self, Purchase},
    expiry,
    membership::{self, Deed},
    news::News,
    undo,
};

/// The name that entries of points that pay for orders give this rule.
pub const OFFSET_RULE: &str = "offset";

/// The name that entries of orders that are called off give this rule.
pub const UNDO_RULE: &str = "units_called_off";

/// What is true of an order and its points.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its shipments, once they are open.
    pub dispatch: Option<&'a Dispatch>,
    /// The ledger of its buyer, or of whoever's points pay for it.
    pub ledger: &'a Ledger,
    /// What is known of its buyer.
    pub profile: &'a Profile,
    /// What is known to be written of it.
    pub posted: &'a Posted,
    /// The present moment.
    pub now: Timestamp,
}

/// What is known to be written of an order's points, besides the ledger. An
/// order that was just paid need not know any of it: it learns that an entry is
/// there from the write that loses to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The entry that earned its points, and how these stand.
    pub earned: Option<Earning>,
    /// The entry that spent the points which paid for it.
    pub spent: Option<Entry>,
    /// What was undone of them.
    pub undone: Undone,
}

impl Posted {
    /// Nothing is known to be written in this account.
    #[must_use]
    pub fn nothing(account: &CustomerId, order: &Order) -> Self {
        let undone = Undone::nothing(account.clone(), order.id.clone());
        Self { earned: None, spent: None, undone }
    }
}

/// What an order changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The entry that earned its points, and how these stand then.
    pub earned: Option<Earning>,
    /// The other entries, in their order.
    pub entries: Vec<Entry>,
    /// What is undone then.
    pub undone: Undone,
    /// The ledger as it is then.
    pub ledger: Ledger,
    /// What the member is told.
    pub news: Vec<News>,
}

/// Makes a ledger follow from the order and its parcels: its buyer's in what it
/// earns, its payer's in what it spends. A paid order's
/// points are pending, and those that were held for it are spent; what is
/// called off of it is undone. The clock of one whose last parcel is delivered
/// runs out when the return window ends; it stands still when a parcel goes
/// back after all, or another one is sent.
/// Nothing to post is `None`: the order is not paid, moves no points, or all
/// is posted.
///
/// Only `facts.posted`, or the condition on the entry's identity, keeps an
/// order from earning again.
///
/// # Errors
/// [`LedgerError::TooMany`], and what a ledger that is not sound gives.
pub fn decide(facts: Facts<'_>, policy: &Policy) -> Result<Option<Posting>, LedgerError> {
    let Facts { order, ledger, posted, .. } = facts;
    let mut posting = Posting {
        earned: posted.earned.clone(),
        entries: Vec::new(),
        undone: posted.undone.clone(),
        ledger: ledger.clone(),
        news: Vec::new(),
    };
    let Some(paid_at) = order.paid_at else { return Ok(None) };
    if posting.earned.is_none() && ledger.customer == order.customer {
        let buyer = Member::of(ledger, facts.profile, &policy.points);
        let purchase = Purchase::of_order(order, paid_at);
        let (ledger, spend) = (&mut posting.ledger, paid(order));
        posting.earned = earn::earn(ledger, &order.id, &purchase, spend, &buyer, policy)?;
        if posting.earned.is_some() {
            follow(&mut posting, Deed::Bought, paid_at, policy)?;
        }
    }
    let spent = spend(&mut posting, order, paid_at, policy)?;
    let spent = spent.as_ref().or(posted.spent.as_ref());
    give_back(&mut posting, facts, spent, policy)?;
    if let Some(Earning { entry, mut claim }) = posting.earned.take() {
        take_back(&mut posting, facts, (&entry, &mut claim), policy)?;
        clock(&mut claim, facts, policy);
        posting.earned = Some(Earning { entry, claim });
    }
    let changed = posting.earned != posted.earned || posting.ledger != *ledger;
    Ok(changed.then_some(posting))
}

/// Spends what is held for the order.
fn spend(
    posting: &mut Posting,
    order: &Order,
    paid_at: Timestamp,
    policy: &Policy,
) -> Result<Option<Entry>, LedgerError> {
    let holder = Holder::Order(order.id.clone());
    let Some(points) = posting.ledger.holds.get(&holder).map(|held| held.points) else {
        return Ok(None);
    };
    let movement = Movement {
        id: Ledger::spending(&posting.ledger.customer, &holder),
        at: paid_at,
        cause: Cause::OrderPoints(order.id.clone()),
        authority: authority(OFFSET_RULE, policy),
    };
    let entry = posting.ledger.capture(movement, &holder, points, Account::Spent)?;
    posting.entries.extend(entry.clone());
    follow(posting, Deed::Spent, paid_at, policy)?;
    Ok(entry)
}

/// What follows from it that the order was paid.
fn follow(
    posting: &mut Posting,
    deed: Deed,
    paid_at: Timestamp,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let after = membership::after(&mut posting.ledger, &deed, paid_at, policy)?;
    posting.entries.extend(after.entries);
    posting.news.extend(after.news);
    Ok(())
}

/// Before anything is taken back, so that less has to be owed.
fn give_back(
    posting: &mut Posting,
    facts: Facts<'_>,
    spent: Option<&Entry>,
    policy: &Policy,
) -> Result<(), LedgerError> {
    let Some(spent) = spent else { return Ok(()) };
    let (before, whole) = (posting.undone.returned, undo::returned(facts.order));
    let lots = undo::returning(&spent.lots, before, whole, |part| {
        expiry::returned(part, facts.now, &policy.points)
    });
    if lots.is_empty() {
        return Ok(());
    }
    let (ledger, id) = (&mut posting.ledger, &facts.order.id);
    let movement = Movement {
        id: ledger.entry_id("points_returned", id.as_str(), &whole.to_string()),
        at: facts.now,
        cause: Cause::PointsReturned(id.clone()),
        authority: authority(UNDO_RULE, policy),
    };
    posting.entries.push(ledger.credit(movement, Account::Spent, lots)?);
    posting.undone.returned = whole;
    Ok(())
}

fn take_back(
    posting: &mut Posting,
    facts: Facts<'_>,
    (earned, claim): (&Entry, &mut Claim),
    policy: &Policy,
) -> Result<(), LedgerError> {
    let Facts { order, now, .. } = facts;
    let whole = undo::taken(order, &earned.lines);
    let more = whole.saturating_sub(posting.undone.taken);
    let back = (more.max(0), paid(order));
    membership::taken_back(&mut posting.ledger, claim, earned.at, back, &policy.points);
    if more <= 0 {
        return Ok(());
    }
    let by = authority(UNDO_RULE, policy);
    posting.entries.push(posting.ledger.take_back(claim, more, whole, now, by)?);
    posting.undone.taken = whole;
    Ok(())
}

/// Sets the clock of an order's points, unless it has run out: to the end of
/// the return window, which counts from when the last parcel was delivered.
fn clock(claim: &mut Claim, facts: Facts<'_>, policy: &Policy) {
    let Some(dispatch) = facts.dispatch.filter(|_| claim.granted_at.is_none()) else { return };
    let buyer = Member::of(facts.ledger, facts.profile, &policy.points);
    let end = |at: Timestamp| return_window_end(at, buyer.tier.as_ref(), policy);
    claim.matures_at = dispatch.delivered_at().map(end);
}

/// Until when goods may be returned that came at this moment: members of some
/// tiers have longer.
#[must_use]
pub fn return_window_end(
    delivered_at: Timestamp,
    tier: Option<&Tier>,
    policy: &Policy,
) -> Timestamp {
    let level = policy.points.tiers.levels.iter().find(|it| Some(&it.id) == tier);
    let longer = level.map_or(0, |it| it.benefits.return_days);
    delivered_at.plus(policy.points.return_window).plus(Period::of_days(longer))
}

/// What is paid in money for the goods of an order that are not off, which is
/// what counts towards a tier; none of it is none.
fn paid(order: &Order) -> Option<Money> {
    let paid = Money::new(undo::paid(order), order.total.currency()).ok();
    paid.filter(|it| it.minor() > 0)
}

fn authority<'a>(rule: &'a str, policy: &'a Policy) -> Authority<'a> {
    Authority { rule, policy: policy.version.as_str() }
}

#[cfg(test)]
mod tests;
