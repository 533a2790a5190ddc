use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, PaymentId},
    money::Currency,
    payment::{Flow, Method, PaymentEvent, PaymentEventKind as Kind, Provider},
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
        method: Method::Test,
        flow: Flow::Embedded,
        amount: money(2500),
        settles: money(2500),
        instalments: None,
        payer: None,
        verify: false,
        at: Timestamp::EPOCH,
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

fn event(n: usize, kind: Kind, minor: i64) -> PaymentEvent {
    PaymentEvent {
        id: format!("evt_{n}"),
        payment: attempt().id,
        provider: Provider::Sandbox,
        kind,
        amount: money(minor),
        at: Timestamp::EPOCH,
        reason: None,
        reference: None,
        part: None,
        body_digest: String::new(),
    }
}

fn folded(events: &[(Kind, i64)]) -> Folded {
    let events: Vec<PaymentEvent> =
        events.iter().enumerate().map(|(n, (kind, minor))| event(n, *kind, *minor)).collect();
    fold(&attempt(), &events)
}

fn placed() -> Standing {
    Standing::expected(&folded(&[]))
}

fn ended(status: OrderStatus) -> Standing {
    Standing { status, ..placed() }
}

/// Paid by another attempt.
fn taken() -> Standing {
    Standing { status: OrderStatus::Paid, paid: true, ..placed() }
}

fn paid_by_it(folded: &Folded) -> Standing {
    placed().after(&Step::Pay(None), folded)
}

#[test]
fn a_success_pays_a_placed_order_once() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    for held_at in [None, Some(Timestamp::EPOCH)] {
        let order = Standing { held_at, ..placed() };
        let step = decide(&paid, &order);
        assert_eq!(step, Step::Pay(held_at));
        let order = order.after(&step, &paid);
        assert_eq!(decide(&paid, &order), Step::Done);
        let called_off = Standing { status: OrderStatus::Cancelled, ..order };
        assert_eq!(decide(&paid, &called_off), Step::Done, "its money goes back by itself");
    }
}

#[test]
fn money_for_an_order_that_is_paid_goes_back_once() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    let cancelled = Standing { status: OrderStatus::Cancelled, ..taken() };
    for order in [taken(), cancelled, Standing { fits: false, ..placed() }] {
        let step = decide(&paid, &order);
        assert_eq!(step, Step::Refund(money(2500)), "{order:?}");
        let order = order.after(&step, &paid);
        assert_eq!(decide(&paid, &order), Step::Done);
        let back = folded(&[(Kind::Succeeded, 2500), (Kind::Refunded, 2500)]);
        assert_eq!(decide(&back, &order), Step::Note(Place::Anywhere, Vec::new()));
    }
    let rest = folded(&[(Kind::Succeeded, 2500), (Kind::Refunded, 900)]);
    assert_eq!(decide(&rest, &taken()), Step::Refund(money(1600)));
}

#[test]
fn money_of_which_a_part_is_back_pays_no_order_by_itself() {
    let reason = CaseReason::AmountDiffers;
    for kind in [Kind::Succeeded, Kind::Captured] {
        let rest = folded(&[(kind, 2500), (Kind::Refunded, 900)]);
        let step = decide(&rest, &placed());
        assert_eq!(step, Step::Note(Place::Anywhere, vec![reason]));
        let noted = placed().after(&step, &rest);
        assert_eq!(decide(&rest, &noted), Step::Done);
        // What a person listed as due to go back pays nothing either.
        let all = folded(&[(kind, 2500)]);
        let listed = Standing { refund_due: true, ..placed() };
        assert_eq!(decide(&all, &listed), Step::Note(Place::Anywhere, Vec::new()));
    }
}

#[test]
fn money_for_an_order_that_ended_is_late_once() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    for status in [OrderStatus::Expired, OrderStatus::Cancelled] {
        let order = ended(status);
        let step = decide(&paid, &order);
        assert_eq!(step, Step::Late(status));
        let noted = order.after(&step, &paid);
        assert_eq!(decide(&paid, &noted), Step::Done);
        let more = folded(&[(Kind::Succeeded, 2500), (Kind::Failed, 2500)]);
        assert_eq!(decide(&more, &noted), Step::Late(status));
        let settled = Standing { refund_due: true, ..noted.clone() };
        assert_eq!(decide(&more, &settled), Step::Note(Place::Anywhere, Vec::new()));
        let retaken =
            Standing { status: OrderStatus::Paid, paid: true, paid_by_it: true, ..noted.clone() };
        assert_eq!(decide(&paid, &retaken), Step::Done);
        let lost_to_another = Standing { status: OrderStatus::Paid, paid: true, ..noted };
        assert_eq!(decide(&paid, &lost_to_another), Step::Refund(money(2500)));
    }
    let crowded = Standing { payments: MAX_PAYMENTS_WITH_MONEY, ..ended(OrderStatus::Expired) };
    assert_eq!(decide(&paid, &crowded), Step::Case(CaseReason::TooManyRefunds));
}

#[test]
fn another_amount_goes_to_a_person_and_nowhere_else() {
    let reason = CaseReason::AmountDiffers;
    for kind in [Kind::Succeeded, Kind::Captured] {
        let odd = folded(&[(kind, 2499)]);
        for order in [placed(), ended(OrderStatus::Expired), taken()] {
            let step = decide(&odd, &order);
            assert_eq!(step, Step::Note(Place::Anywhere, vec![reason]));
            let noted = order.clone().after(&step, &odd);
            assert_eq!(decide(&odd, &noted), Step::Done);
            let known = Standing { cases: [reason].into(), ..order };
            assert_eq!(decide(&odd, &known), Step::Note(Place::Anywhere, Vec::new()));
        }
    }
    let crowded = Standing { payments: MAX_PAYMENTS_WITH_MONEY, ..placed() };
    let odd = folded(&[(Kind::Succeeded, 2499)]);
    assert_eq!(decide(&odd, &crowded), Step::Case(reason));
    assert_eq!(decide(&odd, &crowded.after(&Step::Case(reason), &odd)), Step::Done);
}

#[test]
fn a_failure_is_noted_while_it_matters() {
    let failed = folded(&[(Kind::Failed, 2500)]);
    assert_eq!(decide(&failed, &placed()), Step::Note(Place::Placed, Vec::new()));
    let noted = Some(failed.payment.clone());
    for order in [
        Standing { noted, ..placed() },
        ended(OrderStatus::Expired),
        taken(),
        Standing { payments: MAX_PAYMENTS, ..placed() },
    ] {
        assert_eq!(decide(&failed, &order), Step::Done, "{order:?}");
    }
    let works = folded(&[(Kind::Processing, 2500)]);
    let listed = Standing { payments: MAX_PAYMENTS, ..placed() };
    let listed = listed.after(&Step::Note(Place::Placed, Vec::new()), &works);
    let failed = folded(&[(Kind::Processing, 2500), (Kind::Failed, 2500)]);
    assert_eq!(decide(&failed, &listed), Step::Note(Place::Placed, Vec::new()));
}

#[test]
fn what_happens_to_money_that_paid_is_noted_however_the_order_stands() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    for (kind, minor, cases) in [
        (Kind::Refunded, 500, vec![]),
        (Kind::Disputed, 2500, vec![CaseReason::Disputed]),
        (Kind::DisputeWon, 2500, vec![]),
        (Kind::DisputeLost, 2500, vec![]),
        (Kind::Failed, 2500, vec![]),
    ] {
        let more = folded(&[(Kind::Succeeded, 2500), (kind, minor)]);
        for status in [OrderStatus::Paid, OrderStatus::Cancelled] {
            let order = Standing { status, ..paid_by_it(&paid) };
            assert_eq!(decide(&more, &order), Step::Note(Place::PaidByIt, cases.clone()));
        }
    }
    let back = folded(&[(Kind::Succeeded, 2500), (Kind::Refunded, 500)]);
    let guess = Standing::expected(&back);
    assert_eq!(decide(&back, &guess), Step::Note(Place::PaidByIt, Vec::new()));
}

#[test]
fn money_that_is_gone_pays_nothing() {
    for kind in [Kind::Refunded, Kind::Disputed, Kind::DisputeLost] {
        let gone = folded(&[(Kind::Succeeded, 2500), (kind, 2500)]);
        for order in [placed(), ended(OrderStatus::Expired), taken()] {
            let step = decide(&gone, &order);
            assert!(matches!(step, Step::Note(Place::Anywhere, _)), "{step:?}");
        }
    }
}

#[test]
fn a_capture_that_failed_after_the_order_was_paid_is_for_a_person() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    let mut events = vec![event(0, Kind::Succeeded, 2500), event(1, Kind::CaptureFailed, 2500)];
    events[1].at = Timestamp::from_unix_seconds(1).unwrap();
    let failed = fold(&attempt(), &events);
    let step = decide(&failed, &paid_by_it(&paid));
    assert_eq!(step, Step::Note(Place::PaidByIt, vec![CaseReason::AmountDiffers]));
}

#[test]
fn more_refunds_than_an_order_lists_go_to_a_person() {
    let paid = folded(&[(Kind::Succeeded, 2500)]);
    for order in [taken(), ended(OrderStatus::Expired)] {
        let full = Standing { refunds_full: true, ..order };
        let step = decide(&paid, &full);
        assert_eq!(step, Step::Case(CaseReason::TooManyRefunds));
        assert_eq!(decide(&paid, &full.after(&step, &paid)), Step::Done);
    }
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

/// What of an order must not depend on the order of deliveries.
fn told(order: &Standing) -> (OrderStatus, Option<PaymentStatus>, bool) {
    (order.status, order.noted.as_ref().map(|noted| noted.status), order.refund_due)
}

proptest! {
    // Money that goes back before it is known to have come does not pay an
    // order, so of these only events before payment are drawn.
    #[test]
    fn the_order_ends_the_same_whatever_came_first(
        status in prop::sample::select(OrderStatus::ALL.to_vec()),
        (sent, delivered) in prop::collection::vec(
            prop::sample::select(vec![
                Kind::Processing, Kind::Authorised, Kind::Failed, Kind::Expired,
                Kind::Cancelled, Kind::Succeeded,
            ]),
            0..6,
        )
        .prop_flat_map(|kinds| (Just(kinds), prop::sample::select(vec![2500_i64, 2499])))
        .prop_map(|(kinds, minor)| -> Vec<PaymentEvent> {
            kinds.into_iter().enumerate().map(|(n, kind)| event(n, kind, minor)).collect()
        })
        .prop_flat_map(|sent| (Just(sent.clone()), Just(sent).prop_shuffle())),
    ) {
        let start = Standing { status, paid: status == OrderStatus::Paid, ..placed() };
        let at_once = settled(&fold(&attempt(), &sent), start.clone());
        let mut one_by_one = start;
        for known in 1..=delivered.len() {
            one_by_one = settled(&fold(&attempt(), &delivered[..known]), one_by_one);
        }
        prop_assert_eq!(told(&one_by_one), told(&at_once));
    }

    #[test]
    fn there_is_an_end_and_money_is_never_forgotten(
        status in prop::sample::select(OrderStatus::ALL.to_vec()),
        paid in any::<bool>(),
        events in prop::collection::vec(
            (prop::sample::select(Kind::ALL.to_vec()), prop::sample::select(vec![2500_i64, 1000])),
            1..7,
        ),
    ) {
        let start = Standing { status, paid: paid || status == OrderStatus::Paid, ..placed() };
        let folded = folded(&events);
        let order = settled(&folded, start);
        if folded.at_hand().is_some() {
            let late = order.noted.is_some() && !order.paid;
            let kept = order.paid_by_it || order.refund_due || late || !order.cases.is_empty();
            prop_assert!(kept, "{:?} {:?}", folded, order);
        }
    }
}
