//! Refunds, whole functions: once for each due, whatever is delivered twice,
//! fails, or comes at the same time; and what a provider will not do.

use aftercart::{
    messages::{
        Envelope, Message, OrderCancelled, OrderPaid, OrderRefunded, PaymentAuthorised, Queue,
        RefundWanted,
    },
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        payment::{PaymentEventKind, Provider, Refund, RefundStatus},
        time::Period,
    },
    run::{metrics::Metric, secrets::Secret},
    store::payments::PaymentHistory,
};
use aftercart_infra::{
    providers,
    signing::Payment,
    world::{Ask, Fault, dead_letters},
};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    paying::policy,
    payment_cases::{only_case, resolving},
    shop::{ADA, KEY, Placed, Shop, key},
    stock::set_policy,
};

const CALLS: &str = "provider-call";
const SWEEP: &str = "payment-sweep";

/// Everything that is known of an attempt.
async fn history(shop: &Shop, payment: &str) -> PaymentHistory {
    shop.store().payment(&PaymentId::parse(payment).unwrap()).await.unwrap()
}

async fn refunds(shop: &Shop, payment: &str) -> Vec<Refund> {
    history(shop, payment).await.refunds
}

/// How much went back of an attempt, by its events.
async fn back(shop: &Shop, payment: &str) -> Vec<i64> {
    let events = history(shop, payment).await.events.into_iter();
    let back = events.filter(|event| event.kind == PaymentEventKind::Refunded);
    back.map(|event| event.amount.minor()).collect()
}

/// What buyers were told of refunds, in minor units.
fn told(shop: &Shop) -> Vec<i64> {
    let messages = shop.queue(Queue::Notifications.name()).into_iter();
    let told = messages.filter_map(|it| match Envelope::parse(&it.body).unwrap().message {
        Message::RefundMade(made) => Some(made.amount.minor()),
        _ => None,
    });
    told.collect()
}

/// Messages that say to look at an order.
fn wanted(shop: &Shop, placed: &Placed) -> [String; 3] {
    let order = OrderId::parse(&placed.id).unwrap();
    let customer = CustomerId::member(placed.by.unwrap()).unwrap();
    let messages = [
        Message::RefundWanted(RefundWanted { order: order.clone(), customer: customer.clone() }),
        Message::OrderCancelled(OrderCancelled {
            order: order.clone(),
            customer: customer.clone(),
        }),
        Message::OrderRefunded(OrderRefunded { order, customer }),
    ];
    messages.map(|message| json!(Envelope::seal(message, shop.now(), None)).to_string())
}

fn nudge(shop: &Shop, placed: &Placed) {
    wanted(shop, placed).into_iter().for_each(|message| shop.send(Queue::ProviderCalls, message));
}

/// Pays an order with Stripe, which remembers it.
pub(crate) async fn pay_with_stripe(shop: &Shop, placed: &Placed) -> String {
    let payment = shop.start_payment(placed, "stripe").await;
    let event = format!("evt_{payment}");
    let report = Payment {
        event: &event,
        kind: "succeeded",
        payment: &payment,
        amount: placed.total,
        currency: &placed.currency,
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    payment
}

async fn cancel(shop: &Shop, placed: &Placed) {
    let reply = shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// Lets the refund of an order be wanted, and nobody read of it yet.
pub(crate) async fn cancelled(shop: &Shop, provider: &str) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = match provider {
        "stripe" => pay_with_stripe(shop, &placed).await,
        _ => shop.pay(&placed).await,
    };
    unread(shop, &placed).await;
    (placed, payment)
}

/// Calls an order off, and nobody reads of it yet.
pub(crate) async fn unread(shop: &Shop, placed: &Placed) {
    cancel(shop, placed).await;
    shop.relay().await.unwrap();
}

/// A payment with `PayPal` that the buyer agreed to, and nobody read of it yet.
pub(crate) async fn agreed(shop: &Shop) -> (Placed, String) {
    let mut document = policy(&json!([{ "method": "paypal", "provider": "paypal" }]));
    document["payments"]["return_url"] = "https://shop.example/orders/{order}".into();
    set_policy(shop, &document).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&placed, "paypal").await;
    let report = Payment {
        event: "WH-1",
        kind: "authorised",
        payment: &payment,
        amount: placed.total,
        currency: &placed.currency,
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Paypal).callback(&report)).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
    (placed, payment)
}

fn parked(shop: &Shop) -> usize {
    shop.queue(&dead_letters(Queue::ProviderCalls)).len()
}

#[tokio::test]
async fn what_is_called_off_goes_back_once() {
    for provider in ["sandbox", "stripe"] {
        let shop = Shop::open().await;
        let (placed, payment) = cancelled(&shop, provider).await;
        shop.settle().await.unwrap();
        for _ in 0..3 {
            nudge(&shop, &placed);
            shop.settle().await.unwrap();
        }
        let refunds = refunds(&shop, &payment).await;
        let [refund] = &*refunds else { panic!("{refunds:?}") };
        assert_eq!(refund.status, RefundStatus::Succeeded);
        assert_eq!((refund.amount.minor(), refund.tries), (2500, 1));
        assert_eq!(refund.next_at, None);
        assert_eq!(back(&shop, &payment).await, [2500]);
        assert_eq!(told(&shop), [2500]);
        assert_eq!(shop.metrics().counted(Metric::RefundMade), 1);
        assert_eq!(parked(&shop), 0);
        if provider == "stripe" {
            let made = shop.stand_ins().memory(|memory| memory.count(Provider::Stripe, "refund"));
            assert_eq!(made, 1);
        }
    }
}

#[tokio::test]
async fn the_providers_own_report_of_it_does_not_count_twice() {
    let shop = Shop::open().await;
    let (placed, payment) = cancelled(&shop, "stripe").await;
    shop.settle().await.unwrap();
    let refund = refunds(&shop, &payment).await.remove(0);
    let report = Payment {
        event: "evt_back",
        kind: "refunded",
        payment: &payment,
        amount: placed.total,
        currency: &placed.currency,
        at: shop.now(),
        part: Some(refund.id.as_str()),
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    nudge(&shop, &placed);
    shop.settle().await.unwrap();
    assert_eq!(told(&shop), [2500]);
    assert_eq!(refunds(&shop, &payment).await.len(), 1);
    let view = shop.view(&placed).await;
    assert_eq!(view["payments"][0]["status"], "refunded", "{view}");
}

#[tokio::test]
async fn deliveries_at_the_same_time_make_one_refund() {
    let shop = Shop::open().await;
    let (placed, payment) = cancelled(&shop, "stripe").await;
    nudge(&shop, &placed);
    let event = shop.queue_event(Queue::ProviderCalls);
    let answers = join_all((0..4).map(|_| shop.invoke(CALLS, &event))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    shop.settle().await.unwrap();
    let made = shop.stand_ins().memory(|memory| memory.count(Provider::Stripe, "refund"));
    assert_eq!((made, told(&shop)), (1, vec![2500]));
    assert_eq!(back(&shop, &payment).await, [2500]);
}

#[tokio::test]
async fn units_go_back_one_by_one() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    let payment = pay_with_stripe(&shop, &placed).await;
    for units in 1..=2 {
        let body = json!({ "lines": [{ "sku": "TEA", "cancelled": units }] });
        let ask = Ask::post(placed.path("/units/cancel"), &body).keyed(&key("units", units));
        let reply = shop.reply(&placed.sign_in(ask)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        shop.settle().await.unwrap();
        nudge(&shop, &placed);
        shop.settle().await.unwrap();
        let back = back(&shop, &payment).await;
        assert_eq!(
            (back.len(), back.iter().sum::<i64>()),
            (units, 1250 * i64::try_from(units).unwrap())
        );
    }
    cancel(&shop, &placed).await;
    shop.settle().await.unwrap();
    assert_eq!(back(&shop, &payment).await.iter().sum::<i64>(), placed.total);
    assert_eq!(told(&shop), [1250, 1250, 1250]);
}

/// The number of the call with which a provider is called.
pub(crate) async fn call_to_the_provider(shop: &Shop) -> usize {
    let fork = shop.fork().unwrap();
    fork.consume(Queue::ProviderCalls).await.unwrap();
    let calls = fork.port(CALLS).unwrap().meter().calls;
    let before = calls.iter().position(|call| call.actions.is_empty());
    before.unwrap_or_else(|| panic!("{calls:?}")) + 1
}

#[tokio::test]
async fn a_provider_that_is_down_is_called_again_by_the_clock() {
    for fault in [Fault::Before, Fault::After] {
        let shop = Shop::open().await;
        let (_, payment) = cancelled(&shop, "stripe").await;
        let first = call_to_the_provider(&shop).await;
        (first..first + 3).for_each(|call| shop.port(CALLS).unwrap().fail(call, fault));
        shop.consume(Queue::ProviderCalls).await.unwrap();
        // The message is done: what waits is the refund.
        assert_eq!(shop.queue(Queue::ProviderCalls.name()).len(), 0);
        let refund = refunds(&shop, &payment).await.remove(0);
        assert_eq!((refund.status, refund.tries), (RefundStatus::Pending, 1));
        assert_eq!(told(&shop), [0; 0]);
        shop.run_schedule(SWEEP).await.unwrap();
        assert_eq!(refunds(&shop, &payment).await, std::slice::from_ref(&refund));

        shop.clock().advance(Period::of_seconds(5 * 60));
        shop.run_schedule(SWEEP).await.unwrap();
        shop.settle().await.unwrap();
        let refund = refunds(&shop, &payment).await.remove(0);
        assert_eq!((refund.status, refund.tries), (RefundStatus::Succeeded, 2));
        assert_eq!(told(&shop), [2500]);
        assert_eq!(back(&shop, &payment).await, [2500]);
        let made = shop.stand_ins().memory(|memory| memory.count(Provider::Stripe, "refund"));
        assert_eq!(made, 1, "{fault:?}");
    }
}

#[tokio::test]
async fn what_a_provider_will_not_do_waits_for_a_person() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = pay_with_stripe(&shop, &placed).await;
    // Somebody gave a part back in the provider's own pages, and it was not told.
    shop.stand_ins().memory(|memory| {
        let mut charge = memory.get(Provider::Stripe, "charge", &payment).cloned().unwrap();
        charge["amount"] = 100.into();
        memory.note(Provider::Stripe, "charge", &payment, charge);
    });
    cancel(&shop, &placed).await;
    shop.settle().await.unwrap();
    let refund = refunds(&shop, &payment).await.remove(0);
    assert_eq!(refund.status, RefundStatus::Failed, "{refund:?}");
    assert_eq!(refund.next_at, None);
    assert_eq!(told(&shop), [0; 0]);
    assert_eq!(shop.metrics().counted(Metric::RefundFailed), 1);
    let cases = shop.store().cases_open(None, 10).await.unwrap().items;
    assert_eq!(cases.len(), 1);
    // It stays one case, and is not called again.
    nudge(&shop, &placed);
    shop.clock().advance(Period::of_days(1));
    shop.run_schedule(SWEEP).await.unwrap();
    shop.settle().await.unwrap();
    assert_eq!(refunds(&shop, &payment).await, [refund]);
    assert_eq!(shop.store().cases_open(None, 10).await.unwrap().items, cases);
    assert_eq!(parked(&shop), 0);
}

/// What Stripe tells of a payment, or of a part of it.
async fn tell(shop: &Shop, payment: &str, kind: &str, part: &str) {
    let event = format!("evt_{kind}_{part}");
    let report = Payment {
        event: &event,
        kind,
        payment,
        amount: 2500,
        currency: "GBP",
        at: shop.now(),
        part: Some(part),
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
}

fn at_stripe(shop: &Shop) -> usize {
    shop.stand_ins().memory(|memory| memory.count(Provider::Stripe, "refund"))
}

/// Has the refund of the only case made again, twice as often as it takes.
async fn begin_again(shop: &Shop) {
    let case = only_case(shop).await;
    for _ in 0..2 {
        let reply = shop.reply(&resolving(&case, "refund")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        shop.settle().await.unwrap();
    }
}

#[tokio::test]
async fn a_refund_that_failed_after_it_was_told_as_made_is_made_again() {
    let shop = Shop::open().await;
    let (placed, payment) = cancelled(&shop, "stripe").await;
    shop.settle().await.unwrap();
    let made = refunds(&shop, &payment).await.remove(0);
    assert_eq!((made.status, at_stripe(&shop)), (RefundStatus::Succeeded, 1));
    shop.clock().advance(Period::of_days(3));
    tell(&shop, &payment, "refund_failed", made.id.as_str()).await;
    let failed = refunds(&shop, &payment).await.remove(0);
    assert_eq!(failed.status, RefundStatus::Failed);
    assert_eq!(failed.reason.as_deref(), Some("expired_or_canceled_card"));
    assert_eq!(shop.metrics().counted(Metric::PaymentCaseOpened), 1);
    assert_eq!(shop.metrics().counted(Metric::RefundFailed), 1);

    shop.stand_ins().memory(|memory| {
        let key = made.id.as_str();
        let mut refund = memory.get(Provider::Stripe, "refund", key).cloned().unwrap();
        refund["amount"] = 0.into();
        memory.note(Provider::Stripe, "refund", key, refund);
    });
    begin_again(&shop).await;
    let again = refunds(&shop, &payment).await.remove(0);
    assert_eq!((again.status, again.again), (RefundStatus::Succeeded, 1));
    assert_eq!((again.id.clone(), at_stripe(&shop)), (made.id, 2));
    assert_eq!(told(&shop), [2500, 2500], "each time that the provider took it");
    assert_eq!(shop.view(&placed).await["payments"][0]["status"], "refunded");
    assert_eq!(parked(&shop), 0);
}

#[tokio::test]
async fn a_refund_that_an_event_told_as_failed_is_made_again() {
    let shop = Shop::open().await;
    let (placed, payment) = cancelled(&shop, "stripe").await;
    let (order, customer) = (OrderId::parse(&placed.id).unwrap(), CustomerId::member(ADA).unwrap());
    let order = shop.store().order(&customer, &order).await.unwrap().unwrap();
    let due = order.refunds_due.first().unwrap().id.clone();
    tell(&shop, &payment, "refund_failed", due.as_str()).await;
    let failed = refunds(&shop, &payment).await.remove(0);
    assert_eq!((failed.status, at_stripe(&shop)), (RefundStatus::Failed, 0));
    begin_again(&shop).await;
    let again = refunds(&shop, &payment).await.remove(0);
    assert_eq!((again.status, again.again), (RefundStatus::Succeeded, 1));
    assert_eq!((at_stripe(&shop), told(&shop)), (1, vec![2500]));
    assert_eq!(back(&shop, &payment).await, [2500]);
}

#[tokio::test]
async fn money_that_is_disputed_waits() {
    for ends in ["dispute_won", "dispute_lost"] {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        let payment = pay_with_stripe(&shop, &placed).await;
        tell(&shop, &payment, "disputed", "dp_1").await;
        cancel(&shop, &placed).await;
        shop.settle().await.unwrap();
        for _ in 0..2 {
            let refund = refunds(&shop, &payment).await.remove(0);
            assert_eq!((refund.status, at_stripe(&shop)), (RefundStatus::Pending, 0));
            shop.clock().advance(Period::of_days(1));
            shop.run_schedule(SWEEP).await.unwrap();
        }
        tell(&shop, &payment, ends, "dp_1").await;
        shop.clock().advance(Period::of_days(1));
        shop.run_schedule(SWEEP).await.unwrap();
        shop.settle().await.unwrap();
        let refund = refunds(&shop, &payment).await.remove(0);
        if ends == "dispute_won" {
            assert_eq!((refund.status, at_stripe(&shop)), (RefundStatus::Succeeded, 1));
            assert_eq!(told(&shop), [2500]);
        } else {
            assert_eq!((refund.status, at_stripe(&shop)), (RefundStatus::Failed, 0));
            assert_eq!(refund.reason.as_deref(), Some("nothing_left"));
        }
    }
}

#[tokio::test]
async fn what_went_back_elsewhere_does_not_go_back_again() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = shop.pay(&placed).await;
    for (amount, event) in [(1000, "evt_a"), (2500, "evt_b")] {
        let report = Payment {
            event,
            kind: "refunded",
            payment: &payment,
            amount,
            currency: "GBP",
            at: shop.now(),
            part: None,
        };
        shop.call_back(&providers::of(Provider::Sandbox).callback(&report)).await;
    }
    shop.settle().await.unwrap();
    cancel(&shop, &placed).await;
    shop.settle().await.unwrap();
    let refund = refunds(&shop, &payment).await.remove(0);
    assert_eq!(refund.status, RefundStatus::Failed);
    assert_eq!(refund.reason.as_deref(), Some("nothing_left"));
    assert_eq!((told(&shop).len(), shop.metrics().counted(Metric::RefundFailed)), (0, 1));
    assert_eq!(shop.metrics().counted(Metric::PaymentCaseOpened), 1);
    let reply = shop.reply(&resolving(&only_case(&shop).await, "refund")).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "nothing-left"));
}

#[tokio::test]
async fn a_broken_secret_does_not_lose_a_refund() {
    // None, and one that was rolled.
    for keys in [json!([]), json!(["of_yesterday"])] {
        a_secret_is_mended(keys).await;
    }
}

async fn a_secret_is_mended(keys: Value) {
    let shop = Shop::open().await;
    let (_, payment) = cancelled(&shop, "stripe").await;
    let good = providers::credentials("https://providers.local");
    let mut bad = good.clone();
    bad["stripe"]["api_keys"] = keys;
    shop.set_secret(Secret::Payments, bad);
    shop.restart(CALLS).unwrap();
    shop.consume(Queue::ProviderCalls).await.unwrap();
    let refund = refunds(&shop, &payment).await.remove(0);
    assert_eq!((refund.status, refund.tries), (RefundStatus::Pending, 1));
    shop.clock().advance(Period::of_seconds(5 * 60));
    // The schedule tells that it cannot work, and waits longer.
    shop.run_schedule(SWEEP).await.unwrap_err();
    assert_eq!(shop.metrics().counted(Metric::SweepFailed), 1);
    shop.set_secret(Secret::Payments, good);
    shop.clock().advance(Period::of_seconds(10 * 60));
    shop.run_schedule(SWEEP).await.unwrap();
    assert_eq!(refunds(&shop, &payment).await.remove(0).status, RefundStatus::Succeeded);
}

#[tokio::test]
async fn what_says_nothing_that_can_be_done_is_parked_or_passes() {
    let shop = Shop::open().await;
    // An order on which nothing is due.
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    nudge(&shop, &placed);
    shop.settle().await.unwrap();
    assert_eq!(parked(&shop), 0);
    // An order that is not there, one kind that is not taken, and no message.
    let missing = Placed { id: OrderId::derive(&["x"]).to_string(), ..placed.clone() };
    let [message, ..] = wanted(&shop, &missing);
    shop.send(Queue::ProviderCalls, message);
    let paid = OrderPaid {
        order: OrderId::parse(&placed.id).unwrap(),
        customer: CustomerId::member(ADA).unwrap(),
    };
    let other = Envelope::seal(Message::OrderPaid(paid), shop.now(), None);
    shop.send(Queue::ProviderCalls, json!(other).to_string());
    shop.send(Queue::ProviderCalls, "{}");
    shop.settle().await.unwrap();
    assert_eq!(parked(&shop), 3);
}

#[tokio::test]
async fn an_agreed_payment_is_left_to_a_provider_that_takes_the_money_itself() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.call_back(&shop.report(&placed, &payment, "authorised", "evt_1")).await;
    shop.settle().await.unwrap();
    let agreed = PaymentAuthorised {
        order: OrderId::parse(&placed.id).unwrap(),
        customer: CustomerId::member(ADA).unwrap(),
        payment: PaymentId::parse(&payment).unwrap(),
    };
    let message = Message::PaymentAuthorised(agreed.clone());
    shop.send(Queue::ProviderCalls, json!(Envelope::seal(message, shop.now(), None)).to_string());
    shop.settle().await.unwrap();
    assert_eq!(parked(&shop), 0);
    assert_eq!(history(&shop, &payment).await.events.len(), 1);
    let nobody = PaymentAuthorised { payment: PaymentId::derive(&["x"]), ..agreed };
    let message = Message::PaymentAuthorised(nobody);
    shop.send(Queue::ProviderCalls, json!(Envelope::seal(message, shop.now(), None)).to_string());
    shop.settle().await.unwrap();
    assert_eq!(parked(&shop), 1);
}

/// What an order could not take goes back without anybody asking.
#[tokio::test]
async fn a_second_payment_goes_back_by_itself() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let second = shop.start_payment(&placed, "stripe").await;
    let ask = Ask::post(placed.path("/payments"), &json!({ "provider": "sandbox" }));
    let reply = shop.reply(&placed.sign_in(ask).keyed(&key("first", 1))).await;
    let first = reply.text("/id");
    shop.call_back(&shop.report(&placed, &first, "succeeded", "evt_1")).await;
    shop.settle().await.unwrap();
    let report = Payment {
        event: "evt_2",
        kind: "succeeded",
        payment: &second,
        amount: placed.total,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    assert_eq!(back(&shop, &second).await, [2500]);
    assert_eq!(back(&shop, &first).await, [0; 0]);
    assert_eq!(shop.view(&placed).await["status"], "paid");
}

#[tokio::test]
async fn the_money_of_an_agreed_payment_is_taken_once() {
    let shop = Shop::open().await;
    let (placed, payment) = agreed(&shop).await;
    let event = shop.queue_event(Queue::ProviderCalls);
    let answers = join_all((0..3).map(|_| shop.invoke(CALLS, &event))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&placed).await["status"], "paid");
    let taken = history(&shop, &payment).await.events.into_iter();
    let taken = taken.filter(|event| {
        [PaymentEventKind::Captured, PaymentEventKind::Succeeded].contains(&event.kind)
    });
    assert_eq!(taken.count(), 1);
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
}

#[tokio::test]
async fn an_agreed_payment_of_an_order_that_has_ended_is_not_taken() {
    let shop = Shop::open().await;
    let (placed, payment) = agreed(&shop).await;
    cancel(&shop, &placed).await;
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_seconds(5 * 60));
    shop.run_schedule(SWEEP).await.unwrap();
    shop.settle().await.unwrap();
    let mut events = history(&shop, &payment).await.events.into_iter();
    assert!(events.all(|event| event.kind == PaymentEventKind::Authorised));
    assert_eq!(shop.view(&placed).await["status"], "cancelled");
}
