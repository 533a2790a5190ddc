//! Payments, whole functions: what is refused, what is repeated, what breaks
//! on the way, and money that comes too late, twice or in another amount.

use aftercart::{
    messages::{Envelope, Message, PaymentReceived, Queue},
    model::{id::PaymentId, signature::standard_webhooks, time::Period},
    run::{metrics::Metric, secrets::Secret},
};
use aftercart_infra::{
    signing::{self, Callback, Payment},
    world::{Ask, Fault, Options, Reply, dead_letters, secrets},
};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key};

fn starting(order: &Placed, provider: &str, key: &str) -> Ask {
    let ask = Ask::post(order.path("/payments"), &json!({ "provider": provider }));
    order.sign_in(ask).keyed(key)
}

async fn started(shop: &Shop, order: &Placed, provider: &str, key: &str) -> Reply {
    let reply = shop.reply(&starting(order, provider, key)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply
}

async fn refused(shop: &Shop, ask: &Ask, status: u16, problem: &str) {
    let reply = shop.reply(ask).await;
    assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{}", reply.body);
}

/// Takes a report and lets everything follow from it.
async fn told(shop: &Shop, report: &Callback) {
    shop.call_back(report).await;
    shop.settle().await.unwrap();
}

fn over(shop: &Shop, payment: &str, event: &str, amount: i64) -> Callback {
    let at = shop.now();
    let report = Payment { event, kind: "succeeded", payment, amount, currency: "GBP", at };
    signing::sandbox(secrets::SANDBOX, &report)
}

/// The statuses of the order and of its payments, and which of them go back.
async fn standing(shop: &Shop, order: &Placed) -> (String, Vec<(String, bool)>) {
    let view = shop.view(order).await;
    let payments = view["payments"].as_array().unwrap().iter();
    let payment = |it: &Value| {
        (it["status"].as_str().unwrap().to_owned(), it["refund_due"].as_bool().unwrap())
    };
    (view["status"].as_str().unwrap().to_owned(), payments.map(payment).collect())
}

fn payment(status: &str, refund_due: bool) -> (String, bool) {
    (status.to_owned(), refund_due)
}

#[tokio::test]
async fn the_same_call_is_the_same_attempt() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 2, KEY).await;
    for provider in ["stripe", "sandbox"] {
        let key = key(provider, 0);
        let first = started(&shop, &order, provider, &key).await;
        assert_eq!(first.json()["amount"], json!({ "amount": 2500, "currency": "GBP" }));
        assert_eq!(first.text("/status"), "pending");
        assert_eq!(first.text("/client_secret").is_empty(), provider == "sandbox");
        assert_eq!(first.text("/next_action/type").is_empty(), provider == "stripe");
        assert!(!first.headers.contains_key("idempotent-replayed"));
        shop.clock().advance(Period::of_seconds(60));
        let again = started(&shop, &order, provider, &key).await;
        assert_eq!(again.body, first.body);
        assert_eq!(again.headers.get("idempotent-replayed").unwrap(), "true");
        let other = if provider == "stripe" { "sandbox" } else { "stripe" };
        refused(&shop, &starting(&order, other, &key), 422, "idempotency-key-reused").await;
    }
    assert_eq!(shop.stripe_intents(), 1);
    assert_eq!(shop.metrics().counted(Metric::PaymentStarted), 2);
}

#[tokio::test]
async fn an_answer_does_not_change_when_the_order_does() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let first = started(&shop, &order, "sandbox", KEY).await;
    told(&shop, &shop.report(&order, &first.text("/id"), "succeeded", "evt_1")).await;
    assert_eq!(started(&shop, &order, "sandbox", KEY).await.body, first.body);
    refused(&shop, &starting(&order, "sandbox", &key("new", 0)), 409, "order-paid").await;
}

#[tokio::test]
async fn what_cannot_be_paid_starts_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let body = json!({ "provider": "sandbox" });
    let ask = || Ask::post(order.path("/payments"), &body).keyed(KEY);
    refused(&shop, &ask().by_member("bob"), 404, "not-found").await;
    let wrong = Ask::post("/orders/ord_x/payments", &body).by_member(ADA).keyed(KEY);
    refused(&shop, &wrong, 404, "not-found").await;
    for body in
        [r#"{"provider":"cash"}"#, r#"{"provider":"sandbox","amount":1}"#, "{}", "", "\"sandbox\""]
    {
        refused(&shop, &ask().by_member(ADA).with_body(body), 400, "invalid-request").await;
    }
    refused(&shop, &ask().by_member(ADA).with_body(b"\xff".to_vec()), 400, "invalid-encoding")
        .await;
    refused(&shop, &starting(&order, "sandbox", "short"), 400, "invalid-request").await;

    let cancelled = shop.place(ADA, "CUP", 1, &key("cancelled", 0)).await;
    shop.reply(&cancelled.sign_in(Ask::post(cancelled.path("/cancel"), &json!({})))).await;
    refused(&shop, &starting(&cancelled, "sandbox", KEY), 409, "order-cancelled").await;
    shop.clock().advance(Period::of_seconds(30 * 60));
    refused(&shop, &starting(&order, "sandbox", KEY), 409, "order-expired").await;
    assert_eq!(shop.metrics().counted(Metric::PaymentStarted), 0);
    assert_eq!(shop.state().await.unwrap()["tables"]["payments"], json!([]));
}

#[tokio::test]
async fn a_guest_pays_with_the_pass_of_the_order() {
    let shop = Shop::open().await;
    let order = shop.place_as_guest("TEA", 1, KEY).await;
    let other = shop.place_as_guest("TEA", 1, &key("other", 0)).await;
    let ask = Ask::post(order.path("/payments"), &json!({ "provider": "sandbox" })).keyed(KEY);
    refused(&shop, &ask, 401, "unauthenticated").await;
    let foreign = ask.with("order-token", other.token.clone());
    refused(&shop, &foreign, 404, "not-found").await;
    shop.pay(&order).await;
    assert_eq!(standing(&shop, &order).await.0, "paid");
}

#[tokio::test]
async fn the_policy_says_who_takes_payments() {
    let document = include_str!("../../shared/policy/default.json");
    let policy = document.replace(r#"["stripe", "sandbox"]"#, r#"["stripe"]"#);
    let shop = Shop::open_with(Options { policy: Some(policy), ..Options::default() }).await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    refused(&shop, &starting(&order, "sandbox", KEY), 422, "provider-not-taken").await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_called_again_by_the_same_call() {
    for fault in [Fault::Before, Fault::After, Fault::Throttle] {
        let shop = Shop::open().await;
        let order = shop.place(ADA, "TEA", 1, KEY).await;
        let port = shop.port("payment-start").unwrap();
        started(&shop, &order, "sandbox", &key("warm", 0)).await;
        // Read the order, write the attempt, call Stripe three times.
        for call in 3..=5 {
            port.fail(call, fault);
        }
        refused(&shop, &starting(&order, "stripe", KEY), 503, "provider-unavailable").await;
        let calls = port.meter().calls;
        let stripe = calls.iter().filter(|call| call.operation.contains("payment_intents"));
        assert_eq!((calls.len(), stripe.count()), (5, 3), "{calls:?}");
        let healed = started(&shop, &order, "stripe", KEY).await;
        assert!(!healed.text("/client_secret").is_empty());
        assert_eq!(shop.stripe_intents(), 1);
    }
}

#[tokio::test]
async fn a_shop_without_an_api_key_says_that_the_provider_does_not_work() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    for keys in [json!([]), json!(["wrong"]), json!(["a\nb"])] {
        shop.restart("payment-start").unwrap();
        let stripe = json!({ "webhook_secrets": ["whsec_c2VjcmV0"], "api_keys": keys });
        shop.set_secret(Secret::Payments, json!({ "stripe": stripe }));
        refused(&shop, &starting(&order, "stripe", KEY), 502, "provider-refused").await;
    }
}

#[tokio::test]
async fn a_provider_whose_reports_cannot_be_verified_is_not_taken() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    shop.set_secret(Secret::Payments, json!({ "stripe": { "api_keys": ["sk_test_x"] } }));
    for provider in ["stripe", "sandbox"] {
        refused(&shop, &starting(&order, provider, KEY), 422, "provider-not-taken").await;
    }
    assert_eq!(shop.state().await.unwrap()["tables"]["payments"], json!([]));
}

#[tokio::test]
async fn an_attempt_is_not_taken_up_again_after_a_day() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    started(&shop, &order, "stripe", KEY).await;
    shop.clock().advance(Period::of_days(1));
    refused(&shop, &starting(&order, "stripe", KEY), 409, "payment-too-old").await;
    assert_eq!(shop.stripe_intents(), 1);
}

#[tokio::test]
async fn a_callback_is_one_round_trip_and_one_write_unit() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let port = shop.port("payment-callback").unwrap();
    shop.call_back(&shop.report(&order, &payment, "processing", "evt_1")).await;
    let paid = shop.report(&order, &payment, "succeeded", "evt_2");
    let first = shop.reply(&Ask::callback(&paid)).await;
    let meter = port.meter();
    assert_eq!(meter.calls.len(), 1, "{meter:?}");
    assert_eq!((meter.write_units(), meter.read_units()), (1, 0));
    let again = shop.reply(&Ask::callback(&paid)).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    assert_eq!(shop.metrics().counted(Metric::CallbackReceived), 2);
    shop.settle().await.unwrap();
    assert_eq!(standing(&shop, &order).await, ("paid".to_owned(), vec![payment_ok()]));
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
}

fn payment_ok() -> (String, bool) {
    payment("succeeded", false)
}

#[tokio::test]
async fn a_callback_that_is_not_the_providers_writes_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let before = shop.state().await.unwrap();
    let paid = shop.report(&order, &payment, "succeeded", "evt_1");
    let ask = || Ask::callback(&paid);
    let signed = "invalid-signature";
    refused(&shop, &ask().with("webhook-signature", "v1,AAAA"), 401, signed).await;
    refused(&shop, &ask().with("webhook-id", "evt_2"), 401, signed).await;
    refused(&shop, &ask().with("webhook-timestamp", "soon"), 401, signed).await;
    let altered = paid.body.replace("1250", "1251");
    refused(&shop, &ask().with_body(altered), 401, signed).await;
    refused(&shop, &Ask::post("/callbacks/stripe", &json!({})), 401, signed).await;
    refused(&shop, &ask().with_body(vec![b' '; 10 * 1024 * 1024]), 413, "body-too-large").await;
    refused(&shop, &Ask::post("/callbacks/cash", &json!({})), 404, "not-found").await;
    shop.clock().advance(Period::of_seconds(301));
    refused(&shop, &ask(), 401, signed).await;
    assert_eq!(shop.metrics().counted(Metric::CallbackRejected), 6);
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_signed_body_that_says_nothing_is_told_apart() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let signed = |body: &str| {
        let (secret, at) = (secrets::SANDBOX, shop.now());
        Ask::callback(&signing::standard(
            "/callbacks/sandbox",
            secret,
            "evt_1",
            at,
            body.to_owned(),
        ))
    };
    for body in ["", "garbage", "{}", r#"{"type":"payment.succeeded"}"#] {
        refused(&shop, &signed(body), 400, "invalid-request").await;
    }
    let bytes = b"\xff\xfe".to_vec();
    let mac = standard_webhooks::sign(secrets::SANDBOX, "evt_1", shop.now(), &bytes);
    let binary = signed("").with("webhook-signature", mac).with_body(bytes);
    refused(&shop, &binary, 400, "invalid-request").await;
    assert_eq!(shop.metrics().counted(Metric::CallbackRejected), 5);

    let reply = shop.reply(&signed(r#"{"type":"payout.paid"}"#)).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"received":true}"#));
    assert_eq!(shop.metrics().counted(Metric::CallbackIgnored), 1);
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_secret_is_rolled_without_a_gap() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let both = json!({ "sandbox": { "webhook_secrets": ["whsec_bmV3", secrets::SANDBOX] } });
    shop.set_secret(Secret::Payments, both);
    shop.call_back(&shop.report(&order, &payment, "processing", "evt_1")).await;
    let mut paid = shop.report(&order, &payment, "succeeded", "evt_2");
    let body = paid.body.clone();
    paid.headers.retain(|(name, _)| *name != standard_webhooks::SIGNATURE);
    let mac = standard_webhooks::sign("whsec_bmV3", "evt_2", shop.now(), body.as_bytes());
    paid.headers.push((standard_webhooks::SIGNATURE, format!("v1,AAAA {mac}")));
    told(&shop, &paid).await;
    assert_eq!(standing(&shop, &order).await.0, "paid");
}

#[tokio::test]
async fn folding_a_payment_is_two_round_trips() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    told(&shop, &shop.report(&order, &payment, "succeeded", "evt_1")).await;
    let meter = shop.port("payment-fold").unwrap().meter();
    let operations: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(operations, ["Query", "UpdateItem"]);
    let view = shop.view(&order).await;
    assert_eq!(view["paid_at"], json!(shop.now()));
}

#[tokio::test]
async fn a_late_failure_changes_nothing() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let attempt = shop.start_payment(&order, "sandbox").await;
    told(&shop, &shop.report(&order, &attempt, "failed", "evt_1")).await;
    let failed = vec![payment("failed", false)];
    assert_eq!(standing(&shop, &order).await, ("placed".to_owned(), failed));
    told(&shop, &shop.report(&order, &attempt, "succeeded", "evt_2")).await;
    shop.clock().advance(Period::of_seconds(60));
    let paid = shop.view(&order).await;
    told(&shop, &shop.report(&order, &attempt, "failed", "evt_3")).await;
    assert_eq!(shop.view(&order).await, paid);
    assert_eq!(standing(&shop, &order).await, ("paid".to_owned(), vec![payment_ok()]));
}

#[tokio::test]
async fn money_for_an_order_that_ended_goes_back() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let attempt = shop.start_payment(&order, "sandbox").await;
    shop.reply(&order.sign_in(Ask::post(order.path("/cancel"), &json!({})))).await;
    told(&shop, &shop.report(&order, &attempt, "succeeded", "evt_1")).await;
    told(&shop, &shop.report(&order, &attempt, "succeeded", "evt_2")).await;
    let back = vec![payment("succeeded", true)];
    assert_eq!(standing(&shop, &order).await, ("cancelled".to_owned(), back));
    assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 0);
}

#[tokio::test]
async fn the_alarm_for_money_to_give_back_survives_a_lost_answer() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let attempt = shop.start_payment(&order, "sandbox").await;
    shop.reply(&order.sign_in(Ask::post(order.path("/cancel"), &json!({})))).await;
    // Query, a payment that the order no longer takes, the money noted.
    shop.port("payment-fold").unwrap().fail(3, Fault::After);
    told(&shop, &shop.report(&order, &attempt, "succeeded", "evt_1")).await;
    let back = vec![payment("succeeded", true)];
    assert_eq!(standing(&shop, &order).await, ("cancelled".to_owned(), back));
    assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
}

#[tokio::test]
async fn of_two_payments_one_is_accepted() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    for n in 0..2 {
        let attempt = started(&shop, &order, "sandbox", &key("attempt", n)).await.text("/id");
        shop.call_back(&shop.report(&order, &attempt, "succeeded", "evt_1")).await;
    }
    shop.settle().await.unwrap();
    let (status, mut payments) = standing(&shop, &order).await;
    payments.sort();
    assert_eq!(status, "paid");
    assert_eq!(payments, [payment_ok(), payment("succeeded", true)]);
    assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
    assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
}

#[tokio::test]
async fn another_amount_is_for_a_person() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let attempt = shop.start_payment(&order, "sandbox").await;
    told(&shop, &over(&shop, &attempt, "evt_1", 1249)).await;
    let back = vec![payment("mismatched", true)];
    assert_eq!(standing(&shop, &order).await, ("placed".to_owned(), back));
    assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
}

#[tokio::test]
async fn an_order_lists_so_many_refunds_and_the_next_is_parked() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let mut attempts = Vec::new();
    for n in 0..12 {
        attempts.push(started(&shop, &order, "sandbox", &key("attempt", n)).await.text("/id"));
    }
    for attempt in &attempts {
        told(&shop, &over(&shop, attempt, "evt_1", 1250)).await;
    }
    let parked = shop.queue(&dead_letters(Queue::Payments));
    assert_eq!(parked.len(), 1);
    let reason = parked[0].reason.clone().unwrap();
    assert!(reason.contains(attempts.last().unwrap().as_str()), "{reason}");
    assert_eq!(shop.metrics().counted(Metric::RefundDue), 10);
}

#[tokio::test]
async fn failures_beyond_what_an_order_lists_are_let_go() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    for n in 0..22 {
        let attempt = started(&shop, &order, "sandbox", &key("attempt", n)).await.text("/id");
        told(&shop, &shop.report(&order, &attempt, "failed", "evt_1")).await;
    }
    assert_eq!(standing(&shop, &order).await.1.len(), 20);
    let first = started(&shop, &order, "sandbox", &key("attempt", 0)).await.text("/id");
    shop.clock().advance(Period::of_seconds(1));
    told(&shop, &shop.report(&order, &first, "cancelled", "evt_2")).await;
    let payments = standing(&shop, &order).await.1;
    assert_eq!(payments.iter().filter(|it| it.0 == "cancelled").count(), 1, "{payments:?}");
    assert_eq!(shop.queue(&dead_letters(Queue::Payments)), Vec::new());
    let attempt = started(&shop, &order, "sandbox", &key("attempt", 22)).await.text("/id");
    told(&shop, &over(&shop, &attempt, "evt_1", 1250)).await;
    assert_eq!(standing(&shop, &order).await.0, "paid");
}

#[tokio::test]
async fn a_payment_that_was_not_started_here_is_parked() {
    let shop = Shop::open().await;
    let foreign = PaymentId::derive(&["somewhere else"]);
    told(&shop, &over(&shop, foreign.as_str(), "evt_1", 1250)).await;
    let parked = shop.queue(&dead_letters(Queue::Payments));
    assert_eq!(parked.len(), 1);
    assert!(parked[0].reason.as_deref().unwrap().contains(foreign.as_str()));
}

#[tokio::test]
async fn the_sandbox_has_no_power_over_an_attempt_with_stripe() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let attempt = shop.start_payment(&order, "stripe").await;
    told(&shop, &shop.report(&order, &attempt, "succeeded", "evt_1")).await;
    assert_eq!(standing(&shop, &order).await, ("placed".to_owned(), Vec::new()));
    let (at, amount) = (shop.now(), order.total);
    let report = |event| Payment {
        event,
        kind: "succeeded",
        payment: &attempt,
        amount,
        currency: "GBP",
        at,
    };
    // Nor does it by taking the identity of Stripe's event first.
    told(&shop, &signing::stripe(secrets::STRIPE, &report("evt_1"))).await;
    assert_eq!(standing(&shop, &order).await, ("paid".to_owned(), vec![payment_ok()]));
}

#[tokio::test]
async fn a_message_of_another_kind_is_parked() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let message = json!({
        "v": 1, "id": "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa", "at": shop.now(), "type": "order.paid",
        "body": { "order": order.id, "customer": "cus_ada" },
    });
    shop.send(Queue::Payments, message.to_string());
    shop.send(Queue::Payments, "not a message");
    let payment = PaymentId::derive(&["nobody's"]);
    let received = Message::PaymentReceived(PaymentReceived { payment });
    let envelope = Envelope::seal(received, shop.now(), None);
    shop.send(Queue::Payments, serde_json::to_string(&envelope).unwrap());
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Payments)).len(), 3);
}
