//! What the events of an attempt amount to.
//!
//! The fold looks at the set of events, never at the order or the number of
//! their deliveries. Where time matters it is the provider's, and within one
//! moment the later kind in the list of kinds outweighs the others; the event
//! of the largest identity breaks the tie that is left.
//! - Events of another provider than the attempt's do not count: a secret of
//!   the sandbox is no power over an attempt with Stripe.
//! - What was taken is told by successes (of all the money at once) and by
//!   captures; what went back is told by refunds. Of captures and refunds that
//!   name a part, the latest word on each part counts, and the parts are
//!   summed. Without a part the amount is a total so far, less what failed
//!   after it was told. The larger of both views is believed: neither counts
//!   the same money twice, and a report that is missing lowers one of them.
//! - A success is final: whatever is declined, called off, expires or works on
//!   before or after it changes nothing. Only a capture that failed later takes
//!   it away: the provider says that it has not got the money.
//! - Money in another amount or currency than was asked is no payment. A
//!   provider takes the money of an attempt once, so all successes of one are
//!   over one amount; should they differ, what was asked is believed. Less
//!   than was asked, by captures only, is a part of a payment.
//! - Of each dispute the latest word counts. One that is lost outweighs one
//!   that is open, which outweighs those that are won.
//! - The status is the first of these that holds: mismatched, chargeback lost,
//!   disputed, refunded or partly refunded, chargeback won, succeeded or partly
//!   captured. Before any money was taken: authorised, unless that was called
//!   off, expired or could not be captured later; or else what the latest
//!   event says.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    money::{Currency, Money},
    order::OrderPayment,
    payment::{Attempt, PaymentEvent, PaymentEventKind as Kind, PaymentStatus},
    time::Timestamp,
};

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The note for the order.
    pub payment: OrderPayment,
    /// Why the last try was declined, in the provider's code.
    pub reason: Option<String>,
    /// What was received, whether or not it is what was asked, and whether or
    /// not it went back since.
    pub received: Option<Money>,
    /// When that was complete.
    pub received_at: Option<Timestamp>,
    /// Whether it is exactly what was asked.
    pub whole: bool,
    /// How much of it went back, in its currency.
    pub refunded: Money,
    /// The dispute that is open: the provider's identity of it, or of the event
    /// that told of it.
    pub dispute: Option<String>,
    /// The provider's own identity of the payment: that of the money that was
    /// taken, as soon as it is known.
    pub reference: Option<String>,
}

impl Folded {
    /// What the shop has of the attempt's money: what was received and did not
    /// go back. None while the buyer's bank disputes it, and when it is gone.
    #[must_use]
    pub fn at_hand(&self) -> Option<Money> {
        let contested =
            matches!(self.payment.status, PaymentStatus::Disputed | PaymentStatus::ChargebackLost);
        let left = self.received.filter(|_| !contested)?.minus(self.refunded).ok()?;
        (left.minor() > 0).then_some(left)
    }
}

/// Folds the events of an attempt.
#[must_use]
pub fn fold(attempt: &Attempt, events: &[PaymentEvent]) -> Folded {
    let ours = events.iter().filter(|event| event.provider == attempt.provider);
    let distinct: BTreeMap<&str, &PaymentEvent> =
        ours.map(|event| (event.id.as_str(), event)).collect();
    let mut in_time: Vec<&PaymentEvent> = distinct.into_values().collect();
    in_time.sort_by_key(|event| (event.at, event.kind, event.id.as_str()));

    let taken = taken(attempt, &in_time);
    let currency = taken.map_or(attempt.amount, |taken| taken.amount).currency();
    let back = &[Kind::Refunded];
    let refunded = total(&in_time, back, Kind::RefundFailed, currency).unwrap_or(0);
    let dispute = dispute(&in_time);
    let (status, decisive) = stands(attempt, &in_time, taken, refunded, dispute);
    Folded {
        payment: OrderPayment {
            payment: attempt.id.clone(),
            status,
            at: decisive.map_or(attempt.at, |event| event.at),
            events: u32::try_from(in_time.len()).unwrap_or(u32::MAX),
            paid: false,
        },
        reason: decisive
            .filter(|_| status == PaymentStatus::Failed)
            .and_then(|event| event.reason.clone()),
        received: taken.map(|taken| taken.amount),
        received_at: taken.map(|taken| taken.event.at),
        whole: taken.is_some_and(|taken| taken.amount == attempt.amount),
        refunded: Money::new(refunded, currency).unwrap_or(Money::zero(currency)),
        dispute: dispute
            .filter(|event| event.kind == Kind::Disputed)
            .map(|event| event.part.as_ref().unwrap_or(&event.id).clone()),
        reference: reference(&in_time),
    }
}

/// Money that was taken.
#[derive(Clone, Copy)]
struct Taken<'a> {
    amount: Money,
    /// Whether it is a part of what was asked, and more may come.
    partly: bool,
    /// What told of it.
    event: &'a PaymentEvent,
}

/// What was taken, in whatever currency.
fn taken<'a>(attempt: &Attempt, in_time: &[&'a PaymentEvent]) -> Option<Taken<'a>> {
    let is_taking = |event: &&&PaymentEvent| TAKING.contains(&event.kind);
    let currencies: BTreeSet<Currency> =
        in_time.iter().filter(is_taking).map(|event| event.amount.currency()).collect();
    let each = currencies.into_iter().filter_map(|currency| taken_in(attempt, in_time, currency));
    // What was asked is believed first, and what nobody asked before a part.
    each.min_by_key(|it| (it.amount != attempt.amount, it.partly))
}

/// The kinds that tell of money that was taken.
const TAKING: [Kind; 2] = [Kind::Captured, Kind::Succeeded];

fn taken_in<'a>(
    attempt: &Attempt,
    in_time: &[&'a PaymentEvent],
    currency: Currency,
) -> Option<Taken<'a>> {
    let failures = Failures::of(in_time, &TAKING, Kind::CaptureFailed, currency);
    let stands = |(place, event): &(usize, &PaymentEvent)| {
        event.kind == Kind::Succeeded
            && event.amount.currency() == currency
            && failures.after(*place) == 0
    };
    let successes = || in_time.iter().copied().enumerate().filter(stands).map(|(_, event)| event);
    let all = total(in_time, &TAKING, Kind::CaptureFailed, currency)?;
    let all = Money::new(all, currency).ok()?;
    let amount =
        if successes().any(|it| it.amount == attempt.amount) { attempt.amount } else { all };
    let tells = |event: &&&PaymentEvent| {
        TAKING.contains(&event.kind) && event.amount.currency() == currency
    };
    let event = successes().find(|event| event.amount == amount);
    let event = event.or_else(|| in_time.iter().rev().find(tells).copied())?;
    let less = currency == attempt.amount.currency() && amount.minor() < attempt.amount.minor();
    Some(Taken { amount, partly: less && successes().next().is_none(), event })
}

/// What is left of everything of these kinds in a currency, in minor units;
/// None if nothing was done that did not fail after all.
fn total(
    in_time: &[&PaymentEvent],
    done: &[Kind],
    undone: Kind,
    currency: Currency,
) -> Option<i64> {
    let failures = Failures::of(in_time, done, undone, currency);
    let told = in_time.iter().enumerate().filter_map(|(place, event)| {
        let counts = done.contains(&event.kind) && event.amount.currency() == currency;
        if !counts || part(event).is_some() {
            return None;
        }
        let failed = failures.after(place);
        let left = event.amount.minor().saturating_sub(failed);
        (failed == 0 || left > 0).then_some(left)
    });
    let parts = failures.parts.values().filter(|(_, event)| event.kind != undone);
    let parts = parts.map(|(_, event)| event.amount.minor()).reduce(i64::saturating_add);
    told.max().into_iter().chain(parts).max()
}

/// A success is always of all the money.
fn part(event: &PaymentEvent) -> Option<&str> {
    event.part.as_deref().filter(|_| event.kind != Kind::Succeeded)
}

/// The latest word on each part, and the failures that name none.
struct Failures<'a> {
    undone: Kind,
    parts: BTreeMap<&'a str, (usize, &'a PaymentEvent)>,
    whole: Vec<(usize, i64)>,
}

impl<'a> Failures<'a> {
    fn of(in_time: &[&'a PaymentEvent], done: &[Kind], undone: Kind, currency: Currency) -> Self {
        let mut failures = Self { undone, parts: BTreeMap::new(), whole: Vec::new() };
        for (place, event) in in_time.iter().enumerate() {
            let counts = done.contains(&event.kind) || event.kind == undone;
            match part(event) {
                _ if !counts || event.amount.currency() != currency => {}
                Some(part) => {
                    failures.parts.insert(part, (place, event));
                }
                None if event.kind == undone => failures.whole.push((place, event.amount.minor())),
                None => {}
            }
        }
        failures
    }

    /// How much failed after an event: parts by their sum, and the largest of
    /// the totals that name none.
    fn after(&self, place: usize) -> i64 {
        let later = |it: &&(usize, &PaymentEvent)| it.0 > place && it.1.kind == self.undone;
        let parts = self.parts.values().filter(later).map(|(_, event)| event.amount.minor());
        let whole = self.whole.iter().filter(|it| it.0 > place).map(|it| it.1);
        parts.fold(0, i64::saturating_add).saturating_add(whole.max().unwrap_or(0))
    }
}

/// The word on disputes that counts: the worst of the latest ones on each.
fn dispute<'a>(in_time: &[&'a PaymentEvent]) -> Option<&'a PaymentEvent> {
    let kinds = [Kind::DisputeWon, Kind::Disputed, Kind::DisputeLost];
    let weight = |event: &PaymentEvent| kinds.iter().position(|kind| *kind == event.kind);
    let latest: BTreeMap<Option<&str>, &PaymentEvent> = in_time
        .iter()
        .filter(|event| weight(event).is_some())
        .map(|event| (event.part.as_deref(), *event))
        .collect();
    latest.into_values().max_by_key(|event| (weight(event), event.at, event.id.as_str()))
}

/// The status and the event that it follows from.
fn stands<'a>(
    attempt: &Attempt,
    in_time: &[&'a PaymentEvent],
    taken: Option<Taken<'a>>,
    refunded: i64,
    dispute: Option<&'a PaymentEvent>,
) -> (PaymentStatus, Option<&'a PaymentEvent>) {
    let last = |kind: Kind| in_time.iter().rev().copied().find(|event| event.kind == kind);
    let dispute_of = |kind: Kind| dispute.filter(|event| event.kind == kind);
    match taken {
        Some(it) if it.amount != attempt.amount && !it.partly => {
            return (PaymentStatus::Mismatched, Some(it.event));
        }
        _ => {}
    }
    if let Some(lost) = dispute_of(Kind::DisputeLost) {
        return (PaymentStatus::ChargebackLost, Some(lost));
    }
    if let Some(open) = dispute_of(Kind::Disputed) {
        return (PaymentStatus::Disputed, Some(open));
    }
    if refunded > 0 {
        let all = taken.map_or(attempt.amount, |taken| taken.amount).minor();
        let whole = refunded >= all;
        let status = if whole { PaymentStatus::Refunded } else { PaymentStatus::PartlyRefunded };
        return (status, last(Kind::Refunded));
    }
    if let Some(won) = dispute_of(Kind::DisputeWon) {
        return (PaymentStatus::ChargebackWon, Some(won));
    }
    match taken {
        Some(it) if it.partly => (PaymentStatus::PartlyCaptured, Some(it.event)),
        Some(it) => (PaymentStatus::Succeeded, Some(it.event)),
        None => unpaid(in_time),
    }
}

/// Where an attempt stands of which no money was taken.
fn unpaid<'a>(in_time: &[&'a PaymentEvent]) -> (PaymentStatus, Option<&'a PaymentEvent>) {
    let status = |event: &PaymentEvent| match event.kind {
        Kind::Processing => Some(PaymentStatus::Processing),
        Kind::Authorised => Some(PaymentStatus::Authorised),
        Kind::Failed | Kind::CaptureFailed => Some(PaymentStatus::Failed),
        Kind::Expired => Some(PaymentStatus::Expired),
        Kind::Cancelled => Some(PaymentStatus::Cancelled),
        _ => None,
    };
    let ends = |kind| matches!(kind, Kind::Expired | Kind::Cancelled | Kind::CaptureFailed);
    let told = || in_time.iter().copied().filter(|event| status(event).is_some());
    let firm = told().rfind(|event| event.kind == Kind::Authorised || ends(event.kind));
    let firm = firm.filter(|event| event.kind == Kind::Authorised);
    let decisive = firm.or_else(|| told().next_back());
    (decisive.and_then(status).unwrap_or(PaymentStatus::Pending), decisive)
}

/// The identity by which the provider is asked, and refunds are made.
fn reference(in_time: &[&PaymentEvent]) -> Option<String> {
    let told = || in_time.iter().rev().filter(|event| event.reference.is_some());
    let of_money = told().find(|event| TAKING.contains(&event.kind));
    of_money.or_else(|| told().next()).and_then(|event| event.reference.clone())
}

#[cfg(test)]
mod tests;
