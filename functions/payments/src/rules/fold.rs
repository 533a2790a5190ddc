//! What the events of an attempt amount to.
//!
//! The fold looks at the set of events, never at the order or the number of
//! their deliveries:
//! - A success is final: whatever fails, is cancelled or works on before or
//!   after it changes nothing.
//! - A success over another amount or currency than was asked is no payment.
//!   A provider takes the money of an attempt once, so all successes of one
//!   are over one amount; should they differ, what was asked is believed.
//! - Without a success the latest event tells, by the provider's clock. Within
//!   one moment an outcome outweighs work in progress, and the event of the
//!   largest identity breaks the tie that is left.
//! - Events of another provider than the attempt's do not count: a secret of
//!   the sandbox is no power over an attempt with Stripe.

use std::collections::BTreeMap;

use aftercart::model::{
    money::Money,
    order::OrderPayment,
    payment::{Attempt, PaymentEvent, PaymentEventKind, PaymentStatus},
};

/// Where an attempt stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The note for the order.
    pub payment: OrderPayment,
    /// Why the last try was declined, in the provider's code.
    pub reason: Option<String>,
    /// What was received, whether or not it is what was asked.
    pub received: Option<Money>,
}

/// Folds the events of an attempt.
#[must_use]
pub fn fold(attempt: &Attempt, events: &[PaymentEvent]) -> Folded {
    let ours = events.iter().filter(|event| event.provider == attempt.provider);
    let distinct: BTreeMap<&str, &PaymentEvent> =
        ours.map(|event| (event.id.as_str(), event)).collect();
    let mut in_time: Vec<&PaymentEvent> = distinct.into_values().collect();
    in_time.sort_by_key(|event| (event.at, event.kind, event.id.as_str()));

    let succeeded = || in_time.iter().filter(|event| event.kind == PaymentEventKind::Succeeded);
    let as_asked = succeeded().find(|event| event.amount == attempt.amount);
    let success = as_asked.or_else(|| succeeded().next());
    let decisive = success.or(in_time.last());
    let status = match (success, decisive) {
        (Some(paid), _) if paid.amount == attempt.amount => PaymentStatus::Succeeded,
        (Some(_), _) => PaymentStatus::Mismatched,
        (None, Some(last)) => status(last.kind),
        (None, None) => PaymentStatus::Pending,
    };
    let reason = match status {
        PaymentStatus::Failed => decisive.and_then(|event| event.reason.clone()),
        _ => None,
    };
    Folded {
        payment: OrderPayment {
            payment: attempt.id.clone(),
            status,
            at: decisive.map_or(attempt.at, |event| event.at),
            events: u32::try_from(in_time.len()).unwrap_or(u32::MAX),
        },
        reason,
        received: success.map(|event| event.amount),
    }
}

fn status(kind: PaymentEventKind) -> PaymentStatus {
    match kind {
        PaymentEventKind::Processing => PaymentStatus::Processing,
        PaymentEventKind::Failed => PaymentStatus::Failed,
        PaymentEventKind::Cancelled => PaymentStatus::Cancelled,
        PaymentEventKind::Succeeded => PaymentStatus::Succeeded,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        money::Currency,
        payment::Provider,
        time::Timestamp,
    };
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    fn attempt() -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Stripe,
            amount: money(2500, "GBP"),
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
        }
    }

    fn event(id: &str, kind: PaymentEventKind, seconds: i64, amount: Money) -> PaymentEvent {
        PaymentEvent {
            id: id.to_owned(),
            payment: attempt().id,
            provider: Provider::Stripe,
            kind,
            amount,
            at: Timestamp::from_unix_seconds(seconds).unwrap(),
            reason: (kind == PaymentEventKind::Failed).then(|| format!("reason_{id}")),
            body_digest: String::new(),
        }
    }

    fn asked(id: &str, kind: PaymentEventKind, seconds: i64) -> PaymentEvent {
        event(id, kind, seconds, attempt().amount)
    }

    fn status_of(events: &[PaymentEvent]) -> PaymentStatus {
        fold(&attempt(), events).payment.status
    }

    #[test]
    fn nothing_heard_is_pending() {
        let folded = fold(&attempt(), &[]);
        assert_eq!(folded.payment.status, PaymentStatus::Pending);
        assert_eq!((folded.payment.at, folded.payment.events), (attempt().at, 0));
    }

    #[test]
    fn a_success_is_final() {
        use PaymentEventKind::{Cancelled, Failed, Processing, Succeeded};
        let events = [
            asked("1", Failed, 10),
            asked("2", Succeeded, 20),
            asked("3", Failed, 30),
            asked("4", Processing, 40),
            asked("5", Cancelled, 50),
        ];
        let folded = fold(&attempt(), &events);
        assert_eq!(folded.payment.status, PaymentStatus::Succeeded);
        assert_eq!(folded.payment.at.unix_seconds(), 20);
        assert_eq!(folded.payment.events, 5);
        assert_eq!(folded.received, Some(attempt().amount));
        assert_eq!(folded.reason, None);
    }

    #[test]
    fn another_amount_or_currency_is_no_payment() {
        use PaymentEventKind::Succeeded;
        for amount in [money(2499, "GBP"), money(2500, "EUR"), money(0, "GBP")] {
            let folded = fold(&attempt(), &[event("1", Succeeded, 10, amount)]);
            assert_eq!(folded.payment.status, PaymentStatus::Mismatched);
            assert_eq!(folded.received, Some(amount));
        }
        let both = [event("1", Succeeded, 10, money(1, "GBP")), asked("2", Succeeded, 20)];
        let folded = fold(&attempt(), &both);
        assert_eq!(folded.payment.status, PaymentStatus::Succeeded);
        assert_eq!(folded.received, Some(attempt().amount));
    }

    #[test]
    fn the_latest_event_tells_by_the_providers_clock() {
        use PaymentEventKind::{Cancelled, Failed, Processing};
        let first = asked("1", Failed, 10);
        let again = asked("2", Processing, 20);
        assert_eq!(status_of(&[again.clone(), first.clone()]), PaymentStatus::Processing);
        assert_eq!(status_of(&[first, again, asked("3", Cancelled, 30)]), PaymentStatus::Cancelled);
    }

    #[test]
    fn ties_are_broken_by_outcome_and_identity() {
        use PaymentEventKind::{Failed, Processing};
        let (work, outcome) = (asked("9", Processing, 10), asked("1", Failed, 10));
        assert_eq!(status_of(&[outcome.clone(), work]), PaymentStatus::Failed);
        let folded = fold(&attempt(), &[asked("2", Failed, 10), outcome]);
        assert_eq!(folded.reason.as_deref(), Some("reason_2"));
    }

    #[test]
    fn another_provider_has_no_say() {
        let foreign = PaymentEvent {
            provider: Provider::Sandbox,
            ..asked("1", PaymentEventKind::Succeeded, 10)
        };
        assert_eq!(fold(&attempt(), &[foreign]), fold(&attempt(), &[]));
    }

    fn events() -> impl Strategy<Value = Vec<PaymentEvent>> {
        let kind = prop::sample::select(vec![
            PaymentEventKind::Processing,
            PaymentEventKind::Failed,
            PaymentEventKind::Cancelled,
            PaymentEventKind::Succeeded,
        ]);
        let amount = prop::sample::select(vec![2500_i64, 2499, 2501]);
        // Few moments, so that ties are common.
        prop::collection::vec((kind, 0_i64..4, amount), 0..8).prop_map(|drawn| {
            let draw = |(n, (kind, at, minor)): (usize, (_, _, i64))| {
                event(&format!("evt_{n}"), kind, at, money(minor, "GBP"))
            };
            drawn.into_iter().enumerate().map(draw).collect()
        })
    }

    fn delivered(events: Vec<PaymentEvent>) -> impl Strategy<Value = Vec<PaymentEvent>> {
        let count = events.len();
        let again = prop::collection::vec(0..count.max(1), 0..4);
        again
            .prop_map(move |again| {
                let repeated = again.iter().filter_map(|n| events.get(*n)).cloned();
                events.iter().cloned().chain(repeated).collect::<Vec<_>>()
            })
            .prop_shuffle()
    }

    proptest! {
        #[test]
        fn neither_order_nor_repetition_matters(
            (once, delivered) in events().prop_flat_map(|e| (Just(e.clone()), delivered(e)))
        ) {
            prop_assert_eq!(fold(&attempt(), &once), fold(&attempt(), &delivered));
        }

        #[test]
        fn once_paid_stays_paid(others in events()) {
            let mut all = others;
            all.push(asked("evt_paid", PaymentEventKind::Succeeded, 2));
            prop_assert_eq!(status_of(&all), PaymentStatus::Succeeded);
        }
    }
}
