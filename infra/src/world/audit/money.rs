//! Charges and refunds, in the books and at providers.

use std::collections::BTreeMap;

use aftercart::{
    model::{
        id::{OrderId, PaymentId, RefundId},
        order::{Order, OrderStatus, RefundDue},
        payment::{PaymentEventKind, Provider, Refund, RefundStatus},
    },
    store::{audit::Books, payments::PaymentHistory},
};
use aftercart_payments::rules::fold;

use super::{Evidence, Violation, must};

/// No order has two charges, and none was paid without one, unless nothing was
/// due. No more of an order's price goes back than was paid, and all of it when
/// the order was called off.
pub(super) fn charges(books: &Books) -> Result<usize, Violation> {
    let (accepted, checked) = accepted(books)?;
    for order in &books.orders {
        let due = order.paid_at.is_some() && order.total.minor() > 0;
        let paid = order.payments.iter().filter(|it| it.paid).count();
        must(paid == usize::from(due), || {
            format!("{} is {} and was paid {paid} times", order.id, order.status)
        })?;
        let charged = order
            .paid_by()
            .is_none_or(|it| accepted.get(&order.id).is_some_and(|charges| charges.contains(&it)));
        must(charged, || format!("{} was paid by what was not charged", order.id))?;
        let dues = order.refunds_due.iter().filter(|it| it.cause.is_of_the_price());
        let back: i64 = dues.map(|it| it.amount.minor()).sum();
        let whole = order.status == OrderStatus::Cancelled && order.paid_at.is_some();
        let most = if order.paid_at.is_some() { order.total.minor() } else { 0 };
        must((0..=most).contains(&back) && (!whole || back == most), || {
            format!("of {most} that was paid for {} go {back} back", order.id)
        })?;
    }
    Ok(checked)
}

/// Every accepted payment is its order's one charge, or one that the order
/// could not take, and where it stands is the fold of what providers reported.
pub(super) fn settled(books: &Books) -> Result<(), Violation> {
    let (accepted, _) = accepted(books)?;
    for order in &books.orders {
        let charges = accepted.get(&order.id).map_or(0, Vec::len);
        let due = order.paid_at.is_some() && order.total.minor() > 0;
        must(charges == usize::from(due), || {
            format!("{} is {} and has {charges} charges", order.id, order.status)
        })?;
        for note in &order.payments {
            let history = books.payments.get(&note.payment);
            let attempt = history.and_then(|it| it.attempt.as_ref().map(|of| (of, &it.events)));
            let Some((attempt, events)) = attempt else {
                return must(false, || {
                    format!("{} notes {}, which is not there", order.id, note.payment)
                });
            };
            let folded = fold::fold(attempt, events).payment;
            let same =
                (note.status, note.at, note.events) == (folded.status, folded.at, folded.events);
            must(same, || format!("{} notes {note:?}, the reports say {folded:?}", order.id))?;
        }
    }
    Ok(())
}

/// The payments that brought money which their orders took, and how many brought any.
fn accepted(books: &Books) -> Result<(BTreeMap<&OrderId, Vec<&PaymentId>>, usize), Violation> {
    let by_id: BTreeMap<&OrderId, &Order> =
        books.orders.iter().map(|order| (&order.id, order)).collect();
    let mut charges: BTreeMap<&OrderId, Vec<&PaymentId>> = BTreeMap::new();
    let mut checked = 0;
    for PaymentHistory { attempt, events, .. } in books.payments.values() {
        let succeeded = events.iter().any(|it| it.kind == PaymentEventKind::Succeeded);
        let (Some(attempt), true) = (attempt, succeeded) else { continue };
        let Some(order) = by_id.get(&attempt.order) else {
            let lost = format!("{} paid an order that is not there", attempt.id);
            return Err(Violation::Broken(lost));
        };
        if !order.unaccepted(&attempt.id) {
            charges.entry(&order.id).or_default().push(&attempt.id);
        }
        checked += 1;
    }
    Ok((charges, checked))
}

/// Every refund is of money that its order lists as due, of that amount, and
/// all that is due has its refund; a provider was asked for each once.
pub(super) fn refunds(books: &Books, evidence: &Evidence) -> Result<usize, Violation> {
    let mut due: BTreeMap<&RefundId, (&OrderId, &RefundDue)> = BTreeMap::new();
    for order in &books.orders {
        for refund in &order.refunds_due {
            let twice = due.insert(&refund.id, (&order.id, refund));
            must(twice.is_none(), || format!("{} is due twice", refund.id))?;
        }
    }
    let mut checked = 0;
    for refund in books.payments.values().flat_map(|it| &it.refunds) {
        let wanted = due.remove(&refund.id);
        let same = wanted.is_some_and(|(order, due)| {
            let comparable = due.amount.currency() == refund.amount.currency();
            *order == refund.order
                && due.payment == refund.payment
                && (!comparable || due.amount == refund.amount)
        });
        must(same, || {
            format!("{} goes back of {} and is not due: {wanted:?}", refund.id, refund.order)
        })?;
        checked += 1;
    }
    due.retain(|_, (_, due)| due.amount.minor() > 0);
    must(due.is_empty(), || format!("is due and does not go back: {due:?}"))?;
    for provider in Provider::ALL.iter().copied() {
        asked_once(books, evidence, provider)?;
    }
    Ok(checked)
}

/// A provider has what it was sent, and no more than what is to be sent.
fn asked_once(books: &Books, evidence: &Evidence, provider: Provider) -> Result<(), Violation> {
    // Nobody calls the sandbox.
    let Some(memory) = evidence.providers.as_ref().filter(|_| provider != Provider::Sandbox) else {
        return Ok(());
    };
    let ours = books
        .payments
        .values()
        .filter(|history| history.attempt.as_ref().is_some_and(|it| it.provider == provider));
    let ours: Vec<&Refund> = ours.flat_map(|it| &it.refunds).collect();
    let amounts = |wanted: &[RefundStatus]| {
        let of = ours.iter().filter(|it| wanted.contains(&it.status));
        counted(of.map(|it| it.amount.minor()))
    };
    let sure = amounts(&[RefundStatus::Sent, RefundStatus::Succeeded]);
    let most = amounts(&[RefundStatus::Sent, RefundStatus::Succeeded, RefundStatus::Pending]);
    let theirs = memory.of_kind(provider, "refund");
    let made = theirs.filter(|(_, it)| it["status"] != "failed");
    let theirs = counted(made.filter_map(|(_, it)| it["amount"].as_i64()));
    must(is_within(&sure, &theirs) && is_within(&theirs, &most), || {
        format!("{provider} gave back {theirs:?}, the books say {sure:?} to {most:?}")
    })
}

/// How often each amount occurs.
fn counted(amounts: impl Iterator<Item = i64>) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    for amount in amounts {
        *counts.entry(amount).or_default() += 1;
    }
    counts
}

fn is_within(some: &BTreeMap<i64, usize>, all: &BTreeMap<i64, usize>) -> bool {
    some.iter().all(|(amount, count)| all.get(amount).is_some_and(|most| count <= most))
}
