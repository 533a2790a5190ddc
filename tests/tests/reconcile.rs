//! The schedule that asks providers how payments stand of which nobody told.

use aftercart::{
    model::{
        id::PaymentId,
        payment::{Attempt, Provider, Settled},
        time::{Period, Timestamp},
    },
    run::metrics::Metric,
    store::payments,
};
use aftercart_infra::{
    providers,
    signing::Payment,
    world::{Ask, Fault},
};
use serde_json::{Value, json};

use crate::{
    paying::policy,
    shop::{ADA, KEY, Placed, Shop, key},
    stock::set_policy,
};

const SWEEP: &str = "payment-sweep";

async fn attempt(shop: &Shop, payment: &str) -> Attempt {
    let payment = PaymentId::parse(payment).unwrap();
    shop.store().payment(&payment).await.unwrap().attempt.unwrap()
}

/// An order with a payment that Stripe knows of.
async fn begun(shop: &Shop, number: usize) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
    let payment = shop.start_payment(&placed, "stripe").await;
    (placed, payment)
}

/// The buyer pays, and no callback comes.
fn pay(shop: &Shop, payment: &str) {
    shop.stand_ins().memory(|memory| {
        let mut charge = memory.get(Provider::Stripe, "charge", payment).cloned().unwrap();
        charge["status"] = "paid".into();
        memory.note(Provider::Stripe, "charge", payment, charge);
    });
}

/// Money of a provider whose statements are not read waits for none.
#[tokio::test]
async fn what_was_paid_waits_for_a_statement_only_if_there_are_some() {
    let shop = Shop::open().await;
    let antom = json!({ "method": "alipay_plus", "provider": "alipay_plus" });
    let stripe = json!({ "method": "card", "provider": "stripe" });
    set_policy(&shop, &policy(&json!([antom, stripe]))).await;
    for (number, provider, told) in [(0, Provider::AlipayPlus, 0), (1, Provider::Stripe, 1)] {
        let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        let payment = shop.start_payment(&placed, provider.as_str()).await;
        shop.stand_ins().memory(|memory| {
            let mut charge = memory.get(provider, "charge", &payment).cloned().unwrap();
            charge["status"] = "paid".into();
            memory.note(provider, "charge", &payment, charge);
        });
        shop.clock().advance(minutes(5));
        sweep(&shop).await;
        assert_eq!(shop.view(&placed).await["status"], "paid");
        assert_eq!(attempt(&shop, &payment).await.ask_at, None);
        let (from, to) = (Timestamp::EPOCH, shop.now());
        let waiting = shop.store().untold(provider, from, to, 10).await.unwrap();
        assert_eq!(waiting.len(), told, "{provider}");
    }
}

/// What a statement has told of is not asked about again, nor told of again,
/// when a run of the schedule read it before.
#[tokio::test]
async fn what_a_statement_told_of_does_not_come_back() {
    let shop = Shop::open().await;
    let (_, payment) = begun(&shop, 0).await;
    let read = attempt(&shop, &payment).await;
    let money = Settled::Paid(read.id.clone());
    shop.store().commit(payments::told(&money, "a statement")).await.unwrap();
    let later = Attempt { asked: 1, ask_at: Some(shop.now()), ..read.clone() };
    for write in [payments::paid(&read, shop.now()), payments::asked(&read, &later)] {
        shop.store().commit(write).await.unwrap_err();
    }
    assert_eq!(attempt(&shop, &payment).await, Attempt { ask_at: None, ..read });
}

fn minutes(minutes: u32) -> Period {
    Period::of_seconds(minutes * 60)
}

/// What the schedule did, and how often it called anybody.
async fn sweep(shop: &Shop) -> (Value, usize) {
    let swept = shop.run_schedule(SWEEP).await.unwrap();
    shop.settle().await.unwrap();
    let calls = shop.port(SWEEP).unwrap().meter().calls;
    (swept, calls.iter().filter(|call| call.actions.is_empty()).count())
}

#[tokio::test]
async fn a_payment_of_which_nobody_told_is_found_after_five_minutes() {
    let shop = Shop::open().await;
    let (placed, payment) = begun(&shop, 0).await;
    pay(&shop, &payment);
    shop.clock().advance(minutes(4));
    assert_eq!(sweep(&shop).await.1, 0);
    assert_eq!(shop.view(&placed).await["status"], "placed");
    shop.clock().advance(minutes(1));
    let (swept, calls) = sweep(&shop).await;
    assert_eq!((swept["done"].as_u64(), swept["failed"].as_u64()), (Some(1), Some(0)));
    assert!(calls >= 1);
    assert_eq!(shop.view(&placed).await["status"], "paid");
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
    // It has left the index, and what comes later changes nothing.
    assert_eq!(attempt(&shop, &payment).await.ask_at, None);
    shop.clock().advance(Period::of_days(1));
    assert_eq!(sweep(&shop).await.1, 0);
    let report = Payment {
        event: "evt_late",
        kind: "succeeded",
        payment: &payment,
        amount: placed.total,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
    assert_eq!(shop.view(&placed).await["payments"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_callback_makes_asking_needless() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.pay(&placed).await;
    shop.clock().advance(Period::of_days(1));
    assert_eq!(sweep(&shop).await.1, 0);
    assert_eq!(attempt(&shop, &payment).await.ask_at, None);
}

#[tokio::test]
async fn asking_backs_off_until_nothing_can_come() {
    let shop = Shop::open().await;
    let (_, payment) = begun(&shop, 0).await;
    let (start, mut asked, mut waits) = (shop.now(), 0, Vec::new());
    for _ in 0..100 {
        let Some(at) = attempt(&shop, &payment).await.ask_at else { break };
        waits.push(at.unix_seconds() - shop.now().unix_seconds());
        shop.clock().advance_to(at);
        asked += usize::from(sweep(&shop).await.1 > 0);
    }
    let hours = |hours: i64| hours * 3600;
    let expected = [300, 600, 1800, hours(1), hours(2), hours(6), hours(12), hours(12)];
    assert_eq!(waits.get(..8).unwrap(), expected);
    let end = start.plus(Period::of_days(7));
    assert!(shop.now() >= end && shop.now() < end.plus(Period::of_days(1)));
    assert!((15..25).contains(&asked), "{asked}");
    // What is told is told once, however often it was asked.
    let payment = PaymentId::parse(&payment).unwrap();
    assert_eq!(shop.store().payment(&payment).await.unwrap().events, []);
}

#[tokio::test]
async fn what_is_asked_twice_is_recorded_once() {
    let shop = Shop::open().await;
    let (_, payment) = begun(&shop, 0).await;
    shop.stand_ins().memory(|memory| {
        let mut charge = memory.get(Provider::Stripe, "charge", &payment).cloned().unwrap();
        charge["status"] = "processing".into();
        memory.note(Provider::Stripe, "charge", &payment, charge);
    });
    let id = PaymentId::parse(&payment).unwrap();
    for wait in [5, 10, 30, 60] {
        shop.clock().advance(minutes(wait));
        assert!(sweep(&shop).await.1 > 0);
        assert_eq!(shop.store().payment(&id).await.unwrap().events.len(), 1);
    }
}

#[tokio::test]
async fn an_outage_makes_no_storm() {
    let shop = Shop::open().await;
    let mut payments = Vec::new();
    for number in 0..9 {
        payments.push(begun(&shop, number).await.1);
    }
    shop.clock().advance(minutes(5));
    let silent = outage(&shop).await;
    assert_eq!(silent, 4 * 3);
    // A row was asked in vain, and the others were put off like it: nothing of
    // theirs is read before what is due of other providers.
    let now = shop.now();
    for payment in &payments {
        let attempt = attempt(&shop, payment).await;
        assert_eq!((attempt.asked, attempt.ask_at), (1, Some(now.plus(minutes(10)))));
    }
    assert_eq!(shop.store().payments_due(now, 100).await.unwrap(), []);
    payments.iter().for_each(|payment| pay(&shop, payment));
    shop.clock().advance(minutes(10));
    sweep(&shop).await;
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 9);
}

/// Runs the schedule while Stripe is too slow; how often it was called. Each of
/// a row of four is called three times before it is given up, and written; that
/// the answers to the writes are lost, too, changes nothing.
async fn outage(shop: &Shop) -> usize {
    let fork = shop.fork().unwrap();
    fork.run_schedule(SWEEP).await.unwrap();
    let calls = fork.port(SWEEP).unwrap().meter().calls;
    let first = calls.iter().position(|call| call.actions.is_empty()).unwrap() + 1;
    (first..first + 16).for_each(|call| shop.port(SWEEP).unwrap().fail(call, Fault::After));
    let swept = shop.run_schedule(SWEEP).await.unwrap();
    assert_eq!((swept["done"].as_u64(), swept["failed"].as_u64()), (Some(5), Some(4)));
    let calls = shop.port(SWEEP).unwrap().meter().calls;
    calls.iter().filter(|call| call.actions.is_empty()).count()
}

#[tokio::test]
async fn one_that_fails_keeps_nothing_from_the_others() {
    let shop = Shop::open().await;
    let mut payments = Vec::new();
    for number in 0..3 {
        let (_, payment) = begun(&shop, number).await;
        pay(&shop, &payment);
        payments.push(payment);
    }
    shop.clock().advance(minutes(5));
    // The read of the first of them fails: four queries of the index come before.
    shop.port(SWEEP).unwrap().fail(5, Fault::Throttle);
    let swept = shop.run_schedule(SWEEP).await.unwrap();
    assert_eq!((swept["done"].as_u64(), swept["failed"].as_u64()), (Some(2), Some(1)));
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 2);
    assert_eq!(shop.metrics().counted(Metric::SweepFailed), 1);
    sweep(&shop).await;
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 3);
}

#[tokio::test]
async fn runs_at_the_same_time_do_no_harm() {
    let shop = Shop::open().await;
    let (placed, payment) = begun(&shop, 0).await;
    pay(&shop, &payment);
    shop.clock().advance(minutes(5));
    let runs = futures::future::join_all((0..3).map(|_| shop.run_schedule(SWEEP))).await;
    assert!(runs.iter().all(Result::is_ok), "{runs:?}");
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&placed).await["status"], "paid");
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
    assert_eq!(attempt(&shop, &payment).await.ask_at, None);
}

/// Money that came while nobody told is late money, and goes the way of that.
#[tokio::test]
async fn what_is_found_after_the_order_has_ended_is_late() {
    let shop = Shop::open().await;
    let (placed, payment) = begun(&shop, 0).await;
    shop.clock().advance(minutes(5));
    sweep(&shop).await;
    let reply = shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    pay(&shop, &payment);
    shop.clock().advance(minutes(10));
    sweep(&shop).await;
    let id = PaymentId::parse(&payment).unwrap();
    let history = shop.store().payment(&id).await.unwrap();
    assert!(!history.events.is_empty());
    let attempt = history.attempt.unwrap();
    assert_eq!(attempt.ask_at, None::<Timestamp>);
}
