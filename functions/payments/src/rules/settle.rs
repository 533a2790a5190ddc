//! What the state of an attempt means for its order.
//!
//! One step at a time: the order is taken as it is expected or known to stand,
//! the step is written under that condition, and what the write found or made
//! is what the next step is decided on, until nothing is left to do.

use aftercart::model::{
    id::PaymentId,
    money::Money,
    order::{MAX_PAYMENTS, MAX_REFUNDS_DUE, Order, OrderPayment, OrderStatus, RefundCause},
    payment::{Attempt, PaymentStatus},
    time::Timestamp,
};

use super::fold::Folded;

/// An order as one attempt to pay it sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where the order stands with money.
    pub status: OrderStatus,
    /// What it costs.
    pub total: Money,
    /// Since when it waits for a person.
    pub held_at: Option<Timestamp>,
    /// What it knows of this attempt.
    pub noted: Option<OrderPayment>,
    /// Whether this attempt paid it, whatever has become of it since.
    pub paid_by_it: bool,
    /// Whether it could not take this attempt's money, and lists it as due to go back.
    pub refund_due: bool,
    /// Whether it lists as many attempts as it may.
    pub payments_full: bool,
    /// Whether it lists as much money that it could not take as it may.
    pub refunds_full: bool,
}

/// What is to be written next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The attempt pays the order, which waits for a person since then.
    Pay(Money, Option<Timestamp>),
    /// How the attempt stands is noted, for the buyer to see.
    Note,
    /// Money came that the order cannot take.
    Refund(Money),
    /// The same, but the order lists as many refunds as it may: for a person.
    Overfull(Money),
    /// All is as it should be.
    Done,
}

impl Standing {
    /// How an order stands in the common case: placed, not held, over what the
    /// attempt asked for, and without any word of the attempt.
    #[must_use]
    pub fn expected(attempt: &Attempt) -> Self {
        Self {
            status: OrderStatus::Placed,
            total: attempt.amount,
            held_at: None,
            noted: None,
            paid_by_it: false,
            refund_due: false,
            payments_full: false,
            refunds_full: false,
        }
    }

    /// How an order stands that was read.
    #[must_use]
    pub fn of(order: &Order, payment: &PaymentId) -> Self {
        let dues = order.refunds_due.iter();
        let unaccepted = dues.filter(|due| due.cause == RefundCause::Unaccepted);
        Self {
            status: order.status,
            total: order.total,
            held_at: order.held_at,
            noted: order.payments.iter().find(|known| known.payment == *payment).cloned(),
            paid_by_it: order.paid_by() == Some(payment),
            refund_due: order.unaccepted(payment),
            payments_full: order.payments.len() >= MAX_PAYMENTS,
            refunds_full: unaccepted.count() >= MAX_REFUNDS_DUE,
        }
    }

    /// How it stands after a step was written.
    #[must_use]
    pub fn after(self, step: &Step, folded: &Folded) -> Self {
        let noted = Some(folded.payment.clone());
        match step {
            Step::Pay(..) => Self { status: OrderStatus::Paid, noted, paid_by_it: true, ..self },
            Step::Note => Self { noted, ..self },
            Step::Refund(_) => Self { noted, refund_due: true, ..self },
            Step::Overfull(_) | Step::Done => self,
        }
    }

    /// Whether money of this attempt is to go back, by a note that follows
    /// from as many events as are known now: somebody has to be told of it.
    #[must_use]
    pub fn owes(&self, folded: &Folded) -> bool {
        let current = |noted: &OrderPayment| noted.events == folded.payment.events;
        self.refund_due && self.noted.as_ref().is_some_and(current)
    }
}

/// The next step for an order that stands so.
#[must_use]
pub fn decide(folded: &Folded, order: &Standing) -> Step {
    match folded.payment.status {
        PaymentStatus::Pending => Step::Done,
        PaymentStatus::Processing | PaymentStatus::Failed | PaymentStatus::Cancelled => {
            note(folded, order)
        }
        PaymentStatus::Mismatched => refund(folded, order),
        PaymentStatus::Succeeded => match folded.received {
            Some(money) if order.status == OrderStatus::Placed && order.total == money => {
                Step::Pay(money, order.held_at)
            }
            _ if order.paid_by_it => Step::Done,
            _ => refund(folded, order),
        },
    }
}

/// A failure is told while it matters, and never over a note that knew more.
fn note(folded: &Folded, order: &Standing) -> Step {
    let known = order.noted.as_ref().is_some_and(|noted| noted.events >= folded.payment.events);
    let room = order.noted.is_some() || !order.payments_full;
    let matters = order.status == OrderStatus::Placed && !known && room;
    if matters { Step::Note } else { Step::Done }
}

fn refund(folded: &Folded, order: &Standing) -> Step {
    let Some(amount) = folded.received.filter(|_| !order.refund_due) else {
        return Step::Done;
    };
    if order.refunds_full { Step::Overfull(amount) } else { Step::Refund(amount) }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::OrderId,
        money::Currency,
        payment::{PaymentEvent, PaymentEventKind, Provider},
        time::Timestamp,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fold::fold;

    fn money(minor: i64) -> Money {
        Money::new(minor, Currency::parse("GBP").unwrap()).unwrap()
    }

    fn attempt() -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Sandbox,
            amount: money(2500),
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
        }
    }

    fn event(n: usize, kind: PaymentEventKind, minor: i64) -> PaymentEvent {
        PaymentEvent {
            id: format!("evt_{n}"),
            payment: attempt().id,
            provider: Provider::Sandbox,
            kind,
            amount: money(minor),
            at: Timestamp::EPOCH,
            reason: None,
            body_digest: String::new(),
        }
    }

    fn placed() -> Standing {
        Standing::expected(&attempt())
    }

    fn folded(events: &[(PaymentEventKind, i64)]) -> Folded {
        let events: Vec<PaymentEvent> =
            events.iter().enumerate().map(|(n, (kind, minor))| event(n, *kind, *minor)).collect();
        fold(&attempt(), &events)
    }

    #[test]
    fn a_success_pays_a_placed_order_once() {
        let paid = folded(&[(PaymentEventKind::Succeeded, 2500)]);
        for held_at in [None, Some(Timestamp::EPOCH)] {
            let order = Standing { held_at, ..placed() };
            let step = decide(&paid, &order);
            assert_eq!(step, Step::Pay(money(2500), held_at));
            let order = order.after(&step, &paid);
            assert_eq!(decide(&paid, &order), Step::Done);
            let called_off = Standing { status: OrderStatus::Cancelled, ..order };
            assert_eq!(decide(&paid, &called_off), Step::Done, "its money goes back by itself");
        }
    }

    #[test]
    fn money_for_an_order_that_cannot_take_it_goes_back_once() {
        let paid = folded(&[(PaymentEventKind::Succeeded, 2500)]);
        for order in [
            Standing { status: OrderStatus::Cancelled, ..placed() },
            Standing { status: OrderStatus::Expired, ..placed() },
            Standing { status: OrderStatus::Paid, ..placed() },
            Standing { total: money(9), ..placed() },
        ] {
            let step = decide(&paid, &order);
            assert_eq!(step, Step::Refund(money(2500)), "{order:?}");
            assert!(!order.owes(&paid));
            let order = order.after(&step, &paid);
            assert_eq!(decide(&paid, &order), Step::Done);
            assert!(order.owes(&paid));
            let more = folded(&[(PaymentEventKind::Succeeded, 2500); 2]);
            assert!(!order.owes(&more), "it was told when it was noted");
        }
    }

    #[test]
    fn another_amount_goes_to_a_person() {
        let mismatched = folded(&[(PaymentEventKind::Succeeded, 2499)]);
        assert_eq!(decide(&mismatched, &placed()), Step::Refund(money(2499)));
    }

    #[test]
    fn a_failure_is_noted_while_it_matters() {
        let failed = folded(&[(PaymentEventKind::Failed, 2500)]);
        assert_eq!(decide(&failed, &placed()), Step::Note);
        let noted = Some(failed.payment.clone());
        for order in [
            Standing { noted, ..placed() },
            Standing { status: OrderStatus::Expired, ..placed() },
            Standing { status: OrderStatus::Paid, ..placed() },
            Standing { payments_full: true, ..placed() },
        ] {
            assert_eq!(decide(&failed, &order), Step::Done, "{order:?}");
        }
    }

    #[test]
    fn an_attempt_that_is_listed_is_followed_however_many_others_are() {
        let works = folded(&[(PaymentEventKind::Processing, 2500)]);
        let full = Standing { payments_full: true, ..placed() }.after(&Step::Note, &works);
        let failed = [(PaymentEventKind::Processing, 2500), (PaymentEventKind::Failed, 2500)];
        assert_eq!(decide(&folded(&failed), &full), Step::Note);
    }

    #[test]
    fn more_refunds_than_an_order_lists_go_to_a_person() {
        let paid = folded(&[(PaymentEventKind::Succeeded, 2500)]);
        let full = Standing { status: OrderStatus::Paid, refunds_full: true, ..placed() };
        assert_eq!(decide(&paid, &full), Step::Overfull(money(2500)));
    }

    /// Takes every step, as the function does.
    fn settled(folded: &Folded, mut order: Standing) -> Standing {
        for _ in 0..4 {
            let step = decide(folded, &order);
            if step == Step::Done {
                return order;
            }
            order = order.after(&step, folded);
        }
        panic!("there is always something left to do for {order:?}");
    }

    fn told(order: &Standing) -> (OrderStatus, Option<PaymentStatus>, bool) {
        (order.status, order.noted.as_ref().map(|noted| noted.status), order.refund_due)
    }

    proptest! {
        #[test]
        fn the_order_ends_the_same_whatever_came_first(
            status in prop::sample::select(OrderStatus::ALL.to_vec()),
            (sent, delivered) in prop::collection::vec(
                prop::sample::select(vec![
                    PaymentEventKind::Processing,
                    PaymentEventKind::Failed,
                    PaymentEventKind::Cancelled,
                    PaymentEventKind::Succeeded,
                ]),
                0..6,
            )
            .prop_flat_map(|kinds| (Just(kinds), prop::sample::select(vec![2500_i64, 2499])))
            .prop_map(|(kinds, minor)| -> Vec<PaymentEvent> {
                kinds.into_iter().enumerate().map(|(n, kind)| event(n, kind, minor)).collect()
            })
            .prop_flat_map(|sent| (Just(sent.clone()), Just(sent).prop_shuffle())),
        ) {
            let start = Standing { status, ..placed() };
            let at_once = settled(&fold(&attempt(), &sent), start.clone());
            let mut one_by_one = start;
            for known in 1..=delivered.len() {
                one_by_one = settled(&fold(&attempt(), &delivered[..known]), one_by_one);
            }
            prop_assert_eq!(told(&one_by_one), told(&at_once));
        }
    }
}
