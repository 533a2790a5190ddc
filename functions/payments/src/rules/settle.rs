//! What the state of an attempt means for its order.
//!
//! One step at a time: the order is taken as it is expected or known to stand,
//! the step is written under that condition, and what the write found or made
//! is what the next step is decided on, until nothing is left to do.
//!
//! - The whole of what was asked pays an order that is placed. For one that
//!   ended unpaid it is late; from any other it goes back.
//! - Money in another amount, a part of the money, and money of which a part
//!   went back before it paid waits for a person.
//! - Whatever happens to money afterwards is noted, however the order stands.
//! - Whoever knew more events has written more: nothing is left to do.

use std::collections::BTreeSet;

use aftercart::model::{
    money::Money,
    order::{
        MAX_PAYMENTS, MAX_PAYMENTS_WITH_MONEY, MAX_REFUNDS_DUE, Order, OrderPayment, OrderStatus,
        RefundCause,
    },
    payment::{Attempt, CaseReason, PaymentStatus},
    time::Timestamp,
};

use super::fold::Folded;

/// An order as one attempt to pay it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where the order stands with money.
    pub status: OrderStatus,
    /// Whether it costs what the attempt pays of it.
    pub fits: bool,
    /// Since when it waits for a person.
    pub held_at: Option<Timestamp>,
    /// Whether it was ever paid, by whatever attempt.
    pub paid: bool,
    /// What it knows of this attempt.
    pub noted: Option<OrderPayment>,
    /// Whether this attempt paid it, whatever has become of it since.
    pub paid_by_it: bool,
    /// Whether it could not take this attempt's money, and lists it as due to go back.
    pub refund_due: bool,
    /// How many attempts it lists.
    pub payments: usize,
    /// Whether it lists as much money that it could not take as it may.
    pub refunds_full: bool,
    /// The cases that are known to be open, or were.
    pub cases: BTreeSet<CaseReason>,
}

/// As what an order is taken when a payment is noted on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Unpaid, and waiting to be paid.
    Placed,
    /// Paid by this attempt.
    PaidByIt,
    /// However it stands.
    Anywhere,
}

/// What is to be written next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The attempt pays the order, which waits for a person since then.
    Pay(Option<Timestamp>),
    /// How the attempt stands is noted, and cases are opened with that.
    Note(Place, Vec<CaseReason>),
    /// So much money came that the order cannot take, and goes back.
    Refund(Money),
    /// Money came for an order that ended like this, unpaid.
    Late(OrderStatus),
    /// Something that the order has no room to note waits for a person.
    Case(CaseReason),
    /// All is as it should be.
    Done,
}

impl Standing {
    /// How an order stands in the common case: placed, not held, over what the
    /// attempt pays of it, and without any word of the attempt; or paid by it,
    /// when something is told that happens to money that was taken.
    #[must_use]
    pub fn expected(folded: &Folded) -> Self {
        let paid = is_after_payment(folded.payment.status);
        Self {
            status: if paid { OrderStatus::Paid } else { OrderStatus::Placed },
            fits: true,
            held_at: None,
            paid,
            noted: None,
            paid_by_it: paid,
            refund_due: false,
            payments: 0,
            refunds_full: false,
            cases: BTreeSet::new(),
        }
    }

    /// How an order stands that was read.
    #[must_use]
    pub fn of(order: &Order, attempt: &Attempt) -> Self {
        let unaccepted = order.refunds_due.iter().filter(|due| is_unaccepted(due.cause));
        let noted = order.payments.iter().find(|known| known.payment == attempt.id).cloned();
        Self {
            status: order.status,
            fits: order.total == attempt.settles,
            held_at: order.held_at,
            paid: order.paid_at.is_some(),
            paid_by_it: order.paid_by() == Some(&attempt.id),
            refund_due: order.unaccepted(&attempt.id),
            payments: order.payments.len(),
            refunds_full: unaccepted.count() >= MAX_REFUNDS_DUE,
            noted,
            cases: BTreeSet::new(),
        }
    }

    /// How it stands after a step was written.
    #[must_use]
    pub fn after(mut self, step: &Step, folded: &Folded) -> Self {
        let noted = Some(folded.payment.clone());
        match step {
            Step::Pay(_) => {
                Self { status: OrderStatus::Paid, paid: true, noted, paid_by_it: true, ..self }
            }
            Step::Note(_, cases) => {
                self.cases.extend(cases);
                Self { noted, ..self }
            }
            Step::Refund(_) => Self { noted, refund_due: true, ..self },
            Step::Late(_) => Self { noted, ..self },
            Step::Case(case) => {
                self.cases.insert(*case);
                self
            }
            Step::Done => self,
        }
    }

    fn knows(&self) -> u32 {
        self.noted.as_ref().map_or(0, |noted| noted.events)
    }

    fn has_room(&self, most: usize) -> bool {
        self.noted.is_some() || self.payments < most
    }
}

fn is_unaccepted(cause: RefundCause) -> bool {
    matches!(cause, RefundCause::Unaccepted | RefundCause::Late)
}

/// Whether a status tells what happened to money after it was taken.
fn is_after_payment(status: PaymentStatus) -> bool {
    matches!(
        status,
        PaymentStatus::PartlyRefunded
            | PaymentStatus::Refunded
            | PaymentStatus::Disputed
            | PaymentStatus::ChargebackWon
            | PaymentStatus::ChargebackLost
    )
}

/// Whether the whole of what was asked was taken, whatever became of it.
#[must_use]
pub fn is_success(status: PaymentStatus) -> bool {
    status == PaymentStatus::Succeeded || is_after_payment(status)
}

/// Whether the buyer's try came to nothing.
#[must_use]
pub fn is_failure(status: PaymentStatus) -> bool {
    matches!(status, PaymentStatus::Failed | PaymentStatus::Expired | PaymentStatus::Cancelled)
}

/// The next step for an order that stands so.
#[must_use]
pub fn decide(folded: &Folded, order: &Standing) -> Step {
    if folded.payment.events == 0 || order.knows() > folded.payment.events {
        return Step::Done;
    }
    if order.paid_by_it {
        return after_payment(folded, order);
    }
    match folded.at_hand() {
        Some(money) if folded.whole => take(folded, order, money),
        Some(_) => odd(folded, order),
        None => nothing_at_hand(folded, order),
    }
}

/// What happens to money that paid the order. That it is gone is for a person.
fn after_payment(folded: &Folded, order: &Standing) -> Step {
    let mut cases = disputes(folded, order);
    if is_failure(folded.payment.status) && !order.cases.contains(&CaseReason::AmountDiffers) {
        cases.push(CaseReason::AmountDiffers);
    }
    note(folded, order, Place::PaidByIt, cases)
}

/// The whole of what was asked.
fn take(folded: &Folded, order: &Standing, money: Money) -> Step {
    let ended = matches!(order.status, OrderStatus::Expired | OrderStatus::Cancelled);
    if order.refund_due {
        note(folded, order, Place::Anywhere, disputes(folded, order))
    } else if order.status == OrderStatus::Placed && order.fits {
        let all = folded.received == Some(money);
        if all { Step::Pay(order.held_at) } else { odd(folded, order) }
    } else if order.refunds_full {
        case(order, CaseReason::TooManyRefunds)
    } else if ended && !order.paid {
        late(folded, order)
    } else {
        Step::Refund(money)
    }
}

fn late(folded: &Folded, order: &Standing) -> Step {
    if order.knows() == folded.payment.events {
        Step::Done
    } else if order.has_room(MAX_PAYMENTS_WITH_MONEY) {
        Step::Late(order.status)
    } else {
        case(order, CaseReason::TooManyRefunds)
    }
}

/// Money, but not what was asked: a person decides, unless one did.
fn odd(folded: &Folded, order: &Standing) -> Step {
    let reason = CaseReason::AmountDiffers;
    let known = |noted: &OrderPayment| {
        matches!(noted.status, PaymentStatus::Mismatched | PaymentStatus::PartlyCaptured)
    };
    let known = order.noted.as_ref().is_some_and(known) || order.cases.contains(&reason);
    let mut cases = disputes(folded, order);
    if !known && !order.refund_due {
        cases.push(reason);
    }
    note(folded, order, Place::Anywhere, cases)
}

/// A failure is told while it matters; what became of money, always.
fn nothing_at_hand(folded: &Folded, order: &Standing) -> Step {
    let status = folded.payment.status;
    let money = |status| is_success(status) || status == PaymentStatus::Mismatched;
    let listed = order.noted.as_ref().is_some_and(|noted| money(noted.status));
    if money(status) || listed {
        return note(folded, order, Place::Anywhere, disputes(folded, order));
    }
    let matters = order.status == OrderStatus::Placed && order.has_room(MAX_PAYMENTS);
    if matters { note(folded, order, Place::Placed, Vec::new()) } else { Step::Done }
}

fn disputes(folded: &Folded, order: &Standing) -> Vec<CaseReason> {
    let new = folded.dispute.is_some() && !order.cases.contains(&CaseReason::Disputed);
    if new { vec![CaseReason::Disputed] } else { Vec::new() }
}

/// Never over a note that knew as much.
fn note(folded: &Folded, order: &Standing, place: Place, cases: Vec<CaseReason>) -> Step {
    if order.knows() == folded.payment.events {
        return Step::Done;
    }
    if place == Place::Anywhere && !order.has_room(MAX_PAYMENTS_WITH_MONEY) {
        return cases.first().map_or(Step::Done, |reason| case(order, *reason));
    }
    Step::Note(place, cases)
}

fn case(order: &Standing, reason: CaseReason) -> Step {
    if order.cases.contains(&reason) { Step::Done } else { Step::Case(reason) }
}

#[cfg(test)]
mod tests;
