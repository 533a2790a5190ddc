use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, PaymentId},
    payment::{Flow, Method, Provider},
};
use proptest::prelude::*;

use super::*;
use Kind::{
    Authorised, Cancelled, CaptureFailed, Captured, DisputeLost, DisputeWon, Disputed, Expired,
    Failed, Processing, RefundFailed, Refunded, Succeeded,
};

fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::parse(code).unwrap()).unwrap()
}

fn attempt() -> Attempt {
    Attempt {
        id: PaymentId::derive(&["1"]),
        order: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        provider: Provider::Stripe,
        method: Method::Card,
        flow: Flow::Embedded,
        amount: money(2500, "GBP"),
        settles: money(2500, "GBP"),
        instalments: None,
        payer: None,
        verify: false,
        at: Timestamp::EPOCH,
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

fn event(id: &str, kind: Kind, seconds: i64, amount: Money) -> PaymentEvent {
    PaymentEvent {
        id: id.to_owned(),
        payment: attempt().id,
        provider: Provider::Stripe,
        kind,
        amount,
        at: Timestamp::from_unix_seconds(seconds).unwrap(),
        reason: (kind == Failed).then(|| format!("reason_{id}")),
        reference: None,
        part: None,
        body_digest: String::new(),
    }
}

fn asked(id: &str, kind: Kind, seconds: i64) -> PaymentEvent {
    event(id, kind, seconds, attempt().amount)
}

/// Events a second apart: kind, minor units, and the part it is about or "".
fn told(events: Sequence<'_>) -> Vec<PaymentEvent> {
    let event = |(n, (kind, minor, part)): (usize, &(Kind, i64, &str))| PaymentEvent {
        part: Some((*part).to_owned()).filter(|part| !part.is_empty()),
        ..event(&format!("evt_{n}"), *kind, n as i64, money(*minor, "GBP"))
    };
    events.iter().enumerate().map(event).collect()
}

fn status_of(events: &[PaymentEvent]) -> PaymentStatus {
    fold(&attempt(), events).payment.status
}

/// Every order of some things, by Heap's algorithm.
fn permutations<T: Clone>(things: &[T]) -> Vec<Vec<T>> {
    fn heap<T: Clone>(k: usize, things: &mut Vec<T>, out: &mut Vec<Vec<T>>) {
        if k <= 1 {
            out.push(things.clone());
            return;
        }
        for i in 0..k {
            heap(k - 1, things, out);
            things.swap(if k.is_multiple_of(2) { i } else { 0 }, k - 1);
        }
    }
    let mut out = Vec::new();
    heap(things.len(), &mut things.to_vec(), &mut out);
    out
}

/// Events a second apart: kind, minor units, part.
type Sequence<'a> = &'a [(Kind, i64, &'a str)];

/// What a sequence of events comes to: status, received, refunded, open dispute.
type Outcome = (PaymentStatus, Option<i64>, i64, bool);

fn outcome(folded: &Folded) -> Outcome {
    let received = folded.received.map(Money::minor);
    (folded.payment.status, received, folded.refunded.minor(), folded.dispute.is_some())
}

#[test]
fn every_order_of_every_sequence_comes_to_the_same() {
    use PaymentStatus as S;
    let cases: &[(Sequence<'_>, Outcome)] = &[
        (&[(Processing, 2500, ""), (Succeeded, 2500, "")], (S::Succeeded, Some(2500), 0, false)),
        (&[(Failed, 2500, ""), (Succeeded, 2500, "")], (S::Succeeded, Some(2500), 0, false)),
        (&[(Succeeded, 2500, ""), (Failed, 2500, "")], (S::Succeeded, Some(2500), 0, false)),
        (
            &[
                (Failed, 2500, ""),
                (Succeeded, 2500, ""),
                (Cancelled, 2500, ""),
                (Expired, 2500, ""),
            ],
            (S::Succeeded, Some(2500), 0, false),
        ),
        (&[(Authorised, 2500, ""), (Failed, 2500, "")], (S::Authorised, None, 0, false)),
        (&[(Authorised, 2500, ""), (Cancelled, 2500, "")], (S::Cancelled, None, 0, false)),
        (&[(Authorised, 2500, ""), (Expired, 2500, "")], (S::Expired, None, 0, false)),
        (
            &[(Authorised, 2500, ""), (Captured, 2500, "c1"), (CaptureFailed, 2500, "c1")],
            (S::Failed, None, 0, false),
        ),
        (&[(Succeeded, 2500, ""), (CaptureFailed, 2500, "c1")], (S::Failed, None, 0, false)),
        (
            &[(Authorised, 2500, ""), (Captured, 1000, "c1")],
            (S::PartlyCaptured, Some(1000), 0, false),
        ),
        (
            &[(Authorised, 2500, ""), (Captured, 1000, "c1"), (Captured, 1500, "c2")],
            (S::Succeeded, Some(2500), 0, false),
        ),
        (
            &[(Captured, 1000, "c1"), (Captured, 1500, "c2"), (CaptureFailed, 1500, "c2")],
            (S::PartlyCaptured, Some(1000), 0, false),
        ),
        // Totals so far, and both views of the same money.
        (&[(Captured, 1000, ""), (Captured, 2500, "")], (S::Succeeded, Some(2500), 0, false)),
        (
            &[(Captured, 1000, "c1"), (Captured, 2500, ""), (Captured, 1500, "c2")],
            (S::Succeeded, Some(2500), 0, false),
        ),
        (&[(Captured, 2500, "c1"), (Captured, 1, "c2")], (S::Mismatched, Some(2501), 0, false)),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, "r1")],
            (S::PartlyRefunded, Some(2500), 500, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, "r1"), (Refunded, 500, "r1")],
            (S::PartlyRefunded, Some(2500), 500, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, "r1"), (Refunded, 2000, "r2")],
            (S::Refunded, Some(2500), 2500, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, ""), (Refunded, 2500, "")],
            (S::Refunded, Some(2500), 2500, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, "r1"), (RefundFailed, 500, "r1")],
            (S::Succeeded, Some(2500), 0, false),
        ),
        // The total knew of the refund that failed later, and of another one.
        (
            &[
                (Succeeded, 2500, ""),
                (Refunded, 500, ""),
                (Refunded, 700, ""),
                (RefundFailed, 200, "r2"),
            ],
            (S::PartlyRefunded, Some(2500), 500, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, ""), (RefundFailed, 500, "")],
            (S::Succeeded, Some(2500), 0, false),
        ),
        (
            &[
                (Succeeded, 2500, ""),
                (Refunded, 500, "r1"),
                (RefundFailed, 500, "r1"),
                (Refunded, 500, "r1"),
            ],
            (S::PartlyRefunded, Some(2500), 500, false),
        ),
        (&[(Succeeded, 2500, ""), (Disputed, 2500, "d1")], (S::Disputed, Some(2500), 0, true)),
        (
            &[(Succeeded, 2500, ""), (Disputed, 2500, "d1"), (DisputeWon, 2500, "d1")],
            (S::ChargebackWon, Some(2500), 0, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Disputed, 2500, "d1"), (DisputeLost, 2500, "d1")],
            (S::ChargebackLost, Some(2500), 0, false),
        ),
        // A second dispute is open after the first was won; one lost is enough.
        (
            &[(Succeeded, 2500, ""), (DisputeWon, 500, "d1"), (Disputed, 500, "d2")],
            (S::Disputed, Some(2500), 0, true),
        ),
        (
            &[(Succeeded, 2500, ""), (DisputeLost, 500, "d1"), (Disputed, 500, "d2")],
            (S::ChargebackLost, Some(2500), 0, false),
        ),
        (
            &[(Succeeded, 2500, ""), (Refunded, 500, "r1"), (Disputed, 2500, "d1")],
            (S::Disputed, Some(2500), 500, true),
        ),
        (
            &[(Succeeded, 2499, ""), (Refunded, 2499, "r1"), (DisputeLost, 2499, "d1")],
            (S::Mismatched, Some(2499), 2499, false),
        ),
    ];
    for (sequence, expected) in cases {
        let events = told(sequence);
        let first = fold(&attempt(), &events);
        assert_eq!(outcome(&first), *expected, "{sequence:?}");
        for mut order in permutations(&events) {
            let again = order.clone();
            order.extend(again);
            assert_eq!(fold(&attempt(), &order), first, "{sequence:?}");
        }
    }
}

#[test]
fn nothing_heard_is_pending() {
    let folded = fold(&attempt(), &[]);
    assert_eq!(folded.payment.status, PaymentStatus::Pending);
    assert_eq!((folded.payment.at, folded.payment.events), (attempt().at, 0));
    assert_eq!((folded.received, folded.refunded), (None, money(0, "GBP")));
}

#[test]
fn a_success_is_final() {
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
    assert_eq!((folded.received, folded.whole), (Some(attempt().amount), true));
    assert_eq!(folded.reason, None);
}

#[test]
fn another_amount_or_currency_is_no_payment() {
    for amount in [money(2499, "GBP"), money(2500, "EUR"), money(0, "GBP")] {
        for kind in [Succeeded, Captured] {
            let folded = fold(&attempt(), &[event("1", kind, 10, amount)]);
            let partly = kind == Captured && amount.currency() == attempt().amount.currency();
            let status =
                if partly { PaymentStatus::PartlyCaptured } else { PaymentStatus::Mismatched };
            assert_eq!(folded.payment.status, status, "{kind:?} {amount}");
            assert_eq!((folded.received, folded.whole), (Some(amount), false));
        }
    }
    let both = [
        event("1", Succeeded, 10, money(1, "GBP")),
        asked("2", Succeeded, 20),
        event("3", Captured, 30, money(9000, "EUR")),
    ];
    let folded = fold(&attempt(), &both);
    assert_eq!(folded.payment.status, PaymentStatus::Succeeded);
    assert_eq!(folded.received, Some(attempt().amount));
}

#[test]
fn what_the_provider_takes_counts_and_not_what_it_settles() {
    let abroad = Attempt { settles: money(2000, "EUR"), ..attempt() };
    let folded = fold(&abroad, &[asked("1", Succeeded, 10)]);
    assert_eq!(folded.payment.status, PaymentStatus::Succeeded);
    let folded = fold(&abroad, &[event("1", Succeeded, 10, money(2000, "EUR"))]);
    assert_eq!(folded.payment.status, PaymentStatus::Mismatched);
}

#[test]
fn the_latest_event_tells_by_the_providers_clock() {
    let first = asked("1", Failed, 10);
    let again = asked("2", Processing, 20);
    assert_eq!(status_of(&[again.clone(), first.clone()]), PaymentStatus::Processing);
    assert_eq!(status_of(&[first, again, asked("3", Cancelled, 30)]), PaymentStatus::Cancelled);
}

#[test]
fn ties_are_broken_by_outcome_and_identity() {
    let (work, outcome) = (asked("9", Processing, 10), asked("1", Failed, 10));
    assert_eq!(status_of(&[outcome.clone(), work]), PaymentStatus::Failed);
    let folded = fold(&attempt(), &[asked("2", Failed, 10), outcome]);
    assert_eq!(folded.reason.as_deref(), Some("reason_2"));
}

#[test]
fn another_provider_has_no_say() {
    let foreign = PaymentEvent { provider: Provider::Sandbox, ..asked("1", Succeeded, 10) };
    assert_eq!(fold(&attempt(), &[foreign]), fold(&attempt(), &[]));
}

#[test]
fn the_reference_is_that_of_the_money_that_was_taken() {
    let with = |id: &str, kind, at| PaymentEvent {
        reference: Some(format!("ref_{id}")),
        ..asked(id, kind, at)
    };
    let events = [with("1", Authorised, 10), with("2", Captured, 20), with("3", Refunded, 30)];
    let reference = |events: &[PaymentEvent]| fold(&attempt(), events).reference;
    assert_eq!(reference(&events).as_deref(), Some("ref_2"));
    assert_eq!(reference(&events[..1]).as_deref(), Some("ref_1"));
    assert_eq!(reference(&[asked("1", Succeeded, 10)]), None);
}

#[test]
fn what_is_at_hand_is_what_did_not_go_back() {
    for (events, left) in [
        (&[(Succeeded, 2500, "")][..], Some(2500)),
        (&[(Succeeded, 2500, ""), (Refunded, 900, "r1")], Some(1600)),
        (&[(Succeeded, 2500, ""), (Refunded, 2500, "r1")], None),
        (&[(Succeeded, 2499, "")], Some(2499)),
        (&[(Succeeded, 2500, ""), (Disputed, 2500, "d1")], None),
        (&[(Succeeded, 2500, ""), (DisputeLost, 2500, "d1")], None),
        (&[(Succeeded, 2500, ""), (DisputeWon, 2500, "d1")], Some(2500)),
        (&[(Refunded, 2500, "r1")], None),
        (&[(Authorised, 2500, "")], None),
    ] {
        let folded = fold(&attempt(), &told(events));
        assert_eq!(folded.at_hand().map(Money::minor), left, "{events:?}");
    }
}

fn events() -> impl Strategy<Value = Vec<PaymentEvent>> {
    let kind = prop::sample::select(Kind::ALL.to_vec());
    let amount = prop::sample::select(vec![2500_i64, 2499, 1000, 1500, 500, 0]);
    let code = prop::sample::select(vec!["GBP", "GBP", "GBP", "EUR"]);
    let part = prop::option::of(prop::sample::select(vec!["a", "b", "c"]));
    // Few moments, so that ties are common.
    prop::collection::vec((kind, 0_i64..5, amount, code, part), 0..10).prop_map(|drawn| {
        let draw = |(n, (kind, at, minor, code, part)): (usize, (_, _, _, _, Option<&str>))| {
            PaymentEvent {
                part: part.map(str::to_owned),
                ..event(&format!("evt_{n}"), kind, at, money(minor, code))
            }
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

fn without(events: Vec<PaymentEvent>, kinds: &[Kind]) -> Vec<PaymentEvent> {
    events.into_iter().filter(|event| !kinds.contains(&event.kind)).collect()
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (once, delivered) in events().prop_flat_map(|e| (Just(e.clone()), delivered(e)))
    ) {
        prop_assert_eq!(fold(&attempt(), &once), fold(&attempt(), &delivered));
    }

    #[test]
    fn what_was_asked_and_taken_stays_received(others in events()) {
        let mut all = without(others, &[CaptureFailed]);
        all.push(asked("evt_paid", Succeeded, 2));
        let folded = fold(&attempt(), &all);
        prop_assert_eq!((folded.received, folded.whole), (Some(attempt().amount), true));
        let unpaid = [
            PaymentStatus::Pending, PaymentStatus::Processing, PaymentStatus::Authorised,
            PaymentStatus::Failed, PaymentStatus::Expired, PaymentStatus::Cancelled,
            PaymentStatus::PartlyCaptured, PaymentStatus::Mismatched,
        ];
        prop_assert!(!unpaid.contains(&folded.payment.status), "{:?}", folded.payment);
    }

    #[test]
    fn refunds_only_grow_unless_one_failed(all in events()) {
        let mut all = without(all, &[RefundFailed, CaptureFailed]);
        all.insert(0, asked("evt_paid", Succeeded, 2));
        // What is known of a part is its latest amount; providers tell one.
        for event in &mut all {
            if event.part.is_some() {
                event.amount = money(700, "GBP");
            }
        }
        let mut before = 0;
        for known in 1..=all.len() {
            let refunded = fold(&attempt(), &all[..known]).refunded.minor();
            prop_assert!(refunded >= before);
            before = refunded;
        }
    }

    #[test]
    fn declines_and_delays_never_take_money_away(all in events()) {
        let quiet = [Processing, Authorised, Failed, Expired, Cancelled];
        let with = fold(&attempt(), &all);
        let bare = fold(&attempt(), &without(all, &quiet));
        prop_assert_eq!(with.received, bare.received);
        prop_assert_eq!(with.refunded, bare.refunded);
        prop_assert_eq!(with.dispute, bare.dispute);
        if bare.received.is_some() {
            prop_assert_eq!(with.payment.status, bare.payment.status);
        }
    }
}
