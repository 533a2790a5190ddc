//! Choosing a way to pay, whole functions: the list of methods, other
//! currencies, parts, what does not fit, providers that do not answer, and
//! where an attempt stands.

use std::collections::BTreeSet;

use aftercart::{
    messages::Queue,
    model::{payment::Provider, policy::Policy, time::Period},
    run::secrets::Secret,
};
use aftercart_infra::{
    providers,
    signing::Payment,
    world::{Ask, Caller, Fault, Reply, dead_letters},
};
use serde_json::{Value, json};

use crate::{
    shop::{ADA, KEY, Placed, Shop, key},
    stock::set_policy,
};

/// The default policy with these ways to pay.
pub(crate) fn policy(methods: &Value) -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["payments"]["methods"] = methods.clone();
    policy["payments"]["return_url"] = "https://shop.example/orders/{order}".into();
    policy
}

/// Rates of this moment: what a pound costs in euros and yen.
pub(crate) async fn set_rates(shop: &Shop) {
    let reply = shop.reply(&Ask::put("/exchange-rates", &rates(shop)).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.clock().advance(Period::of_seconds(61));
}

pub(crate) fn rates(shop: &Shop) -> Value {
    json!({
        "version": "1", "at": shop.now(), "valid": "10m", "margin_bp": 150, "max_age": "1h",
        "rates": { "GBP": { "EUR": "1.1650", "JPY": "203.4" } },
    })
}

fn listing(order: &Placed) -> Ask {
    order.sign_in(Ask::get(order.path("/payment-methods")))
}

/// The ways to pay an order.
pub(crate) async fn methods(shop: &Shop, order: &Placed) -> Vec<Value> {
    let reply = shop.reply(&listing(order)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["methods"].as_array().unwrap().clone()
}

/// Each with whether it is available and recommended.
async fn standing(shop: &Shop, order: &Placed) -> Vec<(String, bool, bool)> {
    let methods = methods(shop, order).await;
    let each = |it: &Value| {
        let flag = |name: &str| it[name].as_bool().unwrap();
        (it["provider"].as_str().unwrap().to_owned(), flag("available"), flag("recommended"))
    };
    methods.iter().map(each).collect()
}

fn way(provider: &str, available: bool, recommended: bool) -> (String, bool, bool) {
    (provider.to_owned(), available, recommended)
}

/// Starts a payment.
pub(crate) fn starting(order: &Placed, body: &Value, key: &str) -> Ask {
    order.sign_in(Ask::post(order.path("/payments"), body)).keyed(key)
}

async fn started(shop: &Shop, order: &Placed, body: &Value, key: &str) -> Reply {
    let reply = shop.reply(&starting(order, body, key)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply
}

/// A refusal, by status, problem and field.
async fn refused(shop: &Shop, ask: &Ask, status: u16, problem: &str, field: &str) -> Reply {
    let reply = shop.reply(ask).await;
    let found = (reply.status, reply.problem(), reply.text("/field"));
    assert_eq!(found, (status, problem.to_owned(), field.to_owned()), "{}", reply.body);
    reply
}

#[tokio::test]
async fn the_ways_to_pay_are_listed_in_one_round_trip() {
    let shop = Shop::open().await;
    let member = shop.place(ADA, "TEA", 2, KEY).await;
    let guest = shop.place_as_guest("TEA", 2, KEY).await;
    for order in [member, guest] {
        let found = standing(&shop, &order).await;
        assert_eq!(found, [way("stripe", true, true), way("sandbox", true, false)]);
        let reply = shop.reply(&listing(&order)).await;
        assert_eq!(reply.json()["amount"], json!({ "amount": 2500, "currency": "GBP" }));
        assert_eq!(reply.json()["methods"][0]["amount"], reply.json()["amount"]);
        assert_eq!(reply.json()["methods"][0]["flows"], json!(["embedded"]));
        let meter = shop.port("payment-methods").unwrap().meter();
        assert_eq!((meter.calls.len(), meter.write_units()), (1, 0), "{meter:?}");
    }
}

#[tokio::test]
async fn an_order_that_cannot_be_paid_has_no_ways() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    refused(&shop, &listing(&order).by_member("bob"), 404, "not-found", "").await;
    let paid = shop.place(ADA, "TEA", 1, &key("paid", 0)).await;
    shop.pay(&paid).await;
    let cancelled = shop.place(ADA, "CUP", 1, &key("cancelled", 0)).await;
    shop.reply(&cancelled.sign_in(Ask::post(cancelled.path("/cancel"), &json!({})))).await;
    shop.sell("GIFT", 0, 1).await;
    let free = shop.place(ADA, "GIFT", 1, &key("free", 0)).await;
    shop.clock().advance(Period::of_seconds(30 * 60));
    for (order, status, problem) in [
        (&paid, 409, "order-paid"),
        (&cancelled, 409, "order-cancelled"),
        (&free, 422, "nothing-due"),
        (&order, 409, "order-expired"),
    ] {
        refused(&shop, &listing(order), status, problem, "").await;
        let ask = starting(order, &json!({}), &key("new", 0));
        refused(&shop, &ask, status, problem, "").await;
    }
}

#[tokio::test]
async fn exchange_rates_are_kept_if_they_make_sense() {
    let shop = Shop::open().await;
    let get = Ask::get("/exchange-rates");
    let none = shop.reply(&get.clone().by(Caller::Operator)).await;
    assert_eq!((none.status, &none.json()["rates"]), (200, &json!({})));
    let put = |rates: &Value| Ask::put("/exchange-rates", rates).by(Caller::Operator);
    let kept = shop.reply(&put(&rates(&shop))).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    assert_eq!(kept.json()["rates"]["GBP"]["EUR"], "1.165");
    shop.clock().advance(Period::of_seconds(61));
    assert_eq!(shop.reply(&get.clone().by(Caller::Operator)).await.body, kept.body);
    assert_eq!(shop.reply(&get.by_member(ADA)).await.status, 403);
    for (pointer, value, field) in [
        ("/at", json!("2027-01-01T00:00:00Z"), "at"),
        ("/valid", json!("0s"), "valid"),
        ("/margin_bp", json!(5_000), "margin_bp"),
        ("/rates/GBP/EUR", json!(1.165), "rates.GBP.EUR"),
        ("/rates/GBP/EUR", json!("-1"), "rates.GBP.EUR"),
        ("/rates/GBP", json!({ "GBP": "1" }), "rates.GBP.GBP"),
    ] {
        let mut wrong = rates(&shop);
        *wrong.pointer_mut(pointer).unwrap() = value;
        refused(&shop, &put(&wrong), 400, "invalid-request", field).await;
    }
}

#[tokio::test]
async fn a_quoted_rate_is_charged_exactly_until_it_ends() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 2, KEY).await;
    let other = shop.place(ADA, "TEA", 2, &key("other", 0)).await;
    assert_eq!(methods(&shop, &order).await[0].get("other_currencies"), None);
    set_rates(&shop).await;
    let methods = methods(&shop, &order).await;
    let quote = &methods[0]["other_currencies"][0];
    // 25.00 GBP at 1.165 with 1.5 % on top is 29.561875 EUR.
    assert_eq!(quote["amount"], json!({ "amount": 2957, "currency": "EUR" }));
    assert_eq!((&quote["rate"], &quote["margin_bp"]), (&json!("1.165"), &json!(150)));
    assert_eq!(methods[0]["other_currencies"][1]["amount"]["amount"], 5162);
    let token = quote["rate_quote"].as_str().unwrap();
    let body = json!({ "provider": "stripe", "rate_quote": token });
    let attempt = started(&shop, &order, &body, KEY).await;
    assert_eq!(attempt.json()["amount"], quote["amount"]);
    assert_eq!(attempt.json()["settles"], json!({ "amount": 2500, "currency": "GBP" }));

    let invalid = "rate-quote-not-valid";
    refused(&shop, &starting(&other, &body, KEY), 422, invalid, "rate_quote").await;
    for token in ["", "x.y", &token[1..], &format!("{token}A")] {
        let body = json!({ "provider": "stripe", "rate_quote": token });
        let ask = starting(&order, &body, &key("altered", 0));
        refused(&shop, &ask, 422, invalid, "rate_quote").await;
    }
    shop.clock().advance(Period::of_seconds(600));
    let late = starting(&order, &body, &key("late", 0));
    refused(&shop, &late, 409, "rate-quote-expired", "rate_quote").await;
    // What was started stays what it is.
    let again = started(&shop, &order, &body, KEY).await;
    assert_eq!(again.body, attempt.body);
    assert_eq!(shop.charges(Provider::Stripe), 1);
}

#[tokio::test]
async fn rates_that_are_too_old_are_not_quoted() {
    let shop = Shop::open().await;
    set_rates(&shop).await;
    shop.clock().advance(Period::of_seconds(3_600));
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    assert_eq!(methods(&shop, &order).await[0].get("other_currencies"), None);
}

#[tokio::test]
async fn an_order_is_paid_in_another_currency() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 2, KEY).await;
    set_rates(&shop).await;
    let quote = methods(&shop, &order).await[1]["other_currencies"][0].clone();
    let body = json!({ "provider": "sandbox", "rate_quote": quote["rate_quote"] });
    let payment = started(&shop, &order, &body, KEY).await.text("/id");
    let charged = Placed { total: 2957, currency: "EUR".to_owned(), ..order.clone() };
    shop.call_back(&shop.report(&charged, &payment, "succeeded", "evt_1")).await;
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&order).await["status"], "paid");
}

#[tokio::test]
async fn parts_are_offered_by_amount_and_free_of_interest_from_more_on() {
    let shop = Shop::open().await;
    let parts = json!({
        "months": [3, 6], "least": { "GBP": 2000 }, "interest_free": { "GBP": 2500 },
    });
    let methods_of = json!([{ "method": "test", "provider": "sandbox", "instalments": parts }]);
    set_policy(&shop, &policy(&methods_of)).await;
    let money = |amount: i64| json!({ "amount": amount, "currency": "GBP" });
    let small = shop.place(ADA, "TEA", 1, &key("small", 0)).await;
    assert_eq!(methods(&shop, &small).await[0].get("instalments"), None);
    let asked = json!({ "instalments": 3 });
    let field = "instalments";
    let ask = starting(&small, &asked, KEY);
    let none = refused(&shop, &ask, 422, "instalments-not-offered", field).await;
    assert!(none.text("/detail").contains("cannot be paid in parts"), "{}", none.body);
    let large = shop.place(ADA, "TEA", 2, &key("large", 0)).await;
    let offered = methods(&shop, &large).await[0]["instalments"].clone();
    let expected = json!([
        { "months": 3, "interest_free": true, "first": money(834), "others": money(833) },
        { "months": 6, "interest_free": true, "first": money(420), "others": money(416) },
    ]);
    assert_eq!(offered, expected);
    let begun = started(&shop, &large, &asked, KEY).await;
    let instalments = json!({ "months": 3, "interest_free": true });
    assert_eq!(begun.json()["instalments"], instalments);
    let twelve = starting(&large, &json!({ "instalments": 12 }), &key("twelve", 0));
    let reply = refused(&shop, &twelve, 422, "instalments-not-offered", field).await;
    assert!(reply.text("/detail").contains("3, 6"), "{}", reply.body);
    let middle = shop.place(ADA, "CUP", 3, &key("middle", 0)).await;
    let begun = started(&shop, &middle, &asked, &key("middle", 0)).await;
    assert_eq!(begun.json()["instalments"]["interest_free"], false);
}

#[tokio::test]
async fn every_misfit_names_its_field_and_what_there_is_instead() {
    let shop = Shop::open().await;
    let euros = json!({ "method": "ideal", "provider": "adyen" });
    let only = |field: &str, value: Value| {
        let mut method = json!({ "method": "test", "provider": "sandbox" });
        method[field] = value;
        json!([{ "method": "card", "provider": "stripe" }, method, euros])
    };
    let sandbox = json!({ "provider": "sandbox" });
    let usual = only("countries", json!(["GB"]));
    for (number, (methods, body, problem, field)) in [
        (only("countries", json!(["FR"])), sandbox.clone(), "method-not-taken", "method"),
        (only("currencies", json!(["EUR"])), sandbox.clone(), "currency-not-taken", "rate_quote"),
        (only("least", json!({ "GBP": 1251 })), sandbox.clone(), "amount-not-taken", "method"),
        (only("most", json!({ "GBP": 1249 })), sandbox.clone(), "amount-not-taken", "method"),
        (usual.clone(), json!({ "provider": "paypal" }), "provider-not-taken", "provider"),
        (usual.clone(), json!({ "method": "huabei" }), "method-not-taken", "method"),
        (
            usual.clone(),
            json!({ "provider": "sandbox", "method": "card" }),
            "method-not-taken",
            "method",
        ),
        (usual.clone(), json!({ "provider": "sandbox", "flow": "qr" }), "flow-not-taken", "flow"),
        (
            usual,
            json!({ "provider": "stripe", "instalments": 3 }),
            "instalments-not-offered",
            "instalments",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        set_policy(&shop, &policy(&methods)).await;
        let order = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        let reply = refused(&shop, &starting(&order, &body, KEY), 422, problem, field).await;
        let card = json!({ "method": "card", "provider": "stripe" });
        let instead = reply.json()["methods"].as_array().cloned().unwrap();
        assert!(instead.contains(&card), "{}", reply.body);
        assert!(reply.text("/detail").contains("card with stripe"), "{}", reply.body);
    }
    assert_eq!(shop.state().await.unwrap()["tables"]["payments"], json!([]));
}

#[tokio::test]
async fn a_provider_that_is_not_set_up_is_not_offered() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    shop.set_secret(Secret::Payments, json!({ "stripe": { "api_keys": ["sk_test_x"] } }));
    assert_eq!(standing(&shop, &order).await, []);
    for body in [json!({}), json!({ "provider": "stripe" }), json!({ "method": "test" })] {
        let ask = starting(&order, &body, KEY);
        refused(&shop, &ask, 422, "provider-not-taken", "provider").await;
    }
}

/// Five attempts with Stripe that get no answer.
async fn silence(shop: &Shop, order: &Placed) {
    let port = shop.port("payment-start").unwrap();
    started(shop, order, &json!({ "provider": "sandbox" }), &key("warm", 0)).await;
    for number in 0..5 {
        // Read, write the attempt, and call three times.
        for call in 3..=5 {
            port.fail(call, Fault::Before);
        }
        let ask = starting(order, &json!({ "provider": "stripe" }), &key("silent", number));
        let reply = refused(shop, &ask, 503, "provider-unavailable", "").await;
        assert_eq!(reply.headers["retry-after"], "1");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_answer_is_left_alone() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    silence(&shop, &order).await;
    let stripe = json!({ "provider": "stripe" });
    let before = shop.state().await.unwrap();
    let reply =
        refused(&shop, &starting(&order, &stripe, KEY), 503, "provider-unavailable", "").await;
    assert_eq!(reply.headers["retry-after"], "30");
    let test = json!({ "method": "test", "provider": "sandbox" });
    assert_eq!(reply.json()["methods"], json!([test]));
    assert!(reply.text("/detail").contains("test with sandbox"), "{}", reply.body);
    assert_eq!(shop.port("payment-start").unwrap().meter().calls.len(), 1, "at once");
    assert_eq!(shop.state().await.unwrap(), before, "and nothing is written");
    // An attempt that was begun before waits as well.
    let begun = starting(&order, &stripe, &key("silent", 0));
    refused(&shop, &begun, 503, "provider-unavailable", "").await;

    let found = standing(&shop, &order).await;
    assert_eq!(found, [way("stripe", false, false), way("sandbox", true, true)]);
    let at = methods(&shop, &order).await[0]["available_at"].clone();
    assert_eq!(at, json!(shop.now().plus(Period::of_seconds(30))));
    // Who names no provider gets one that answers.
    let any = started(&shop, &order, &json!({}), &key("any", 0)).await;
    assert_eq!(any.text("/provider"), "sandbox");
    assert_eq!(shop.charges(Provider::Stripe), 0);
}

#[tokio::test(start_paused = true)]
async fn one_buyer_finds_out_whether_a_provider_answers_again() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    silence(&shop, &order).await;
    shop.clock().advance(Period::of_seconds(30));
    let found = standing(&shop, &order).await;
    assert_eq!(found, [way("stripe", true, true), way("sandbox", true, false)]);
    let asks: Vec<Ask> = (0..6)
        .map(|n| starting(&order, &json!({ "provider": "stripe" }), &key("again", n)))
        .collect();
    let replies = futures::future::join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let through: Vec<&Reply> = replies.iter().filter(|it| it.status == 201).collect();
    assert_eq!(through.len(), 1, "{replies:?}");
    let others = replies.iter().filter(|it| it.status != 201);
    let others: BTreeSet<(u16, String)> = others.map(|it| (it.status, it.problem())).collect();
    assert_eq!(others, BTreeSet::from([(503, "provider-unavailable".to_owned())]));
    assert_eq!(shop.charges(Provider::Stripe), 1);
    // It answered: everybody is let through.
    for ask in &asks {
        assert_eq!(shop.reply(ask).await.status, 201);
    }
    assert_eq!(shop.charges(Provider::Stripe), 6);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_fails_shuts_for_another_pause() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    silence(&shop, &order).await;
    shop.clock().advance(Period::of_seconds(30));
    let ask = starting(&order, &json!({ "provider": "stripe" }), KEY);
    // Read, take the probe, write the attempt, and call three times.
    for call in 4..=6 {
        shop.port("payment-start").unwrap().fail(call, Fault::After);
    }
    refused(&shop, &ask, 503, "provider-unavailable", "").await;
    let reply = refused(&shop, &ask, 503, "provider-unavailable", "").await;
    assert_eq!(reply.headers["retry-after"], "30");
    shop.clock().advance(Period::of_seconds(30));
    assert_eq!(shop.reply(&ask).await.status, 201);
    assert_eq!(shop.charges(Provider::Stripe), 1);
}

/// The default policy with a hold of days.
fn patient(methods: &Value) -> Value {
    let mut policy = policy(methods);
    policy["checkout"]["hold"] = "3d".into();
    policy
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_too_old_takes_no_probe() {
    let shop = Shop::open().await;
    let methods = json!(Policy::default_document().unwrap().payments.methods);
    set_policy(&shop, &patient(&methods)).await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    silence(&shop, &order).await;
    shop.clock().advance(Period::of_days(1));
    let stripe = json!({ "provider": "stripe" });
    let old = starting(&order, &stripe, &key("silent", 0));
    for _ in 0..2 {
        refused(&shop, &old, 409, "payment-too-old", "").await;
    }
    started(&shop, &order, &stripe, KEY).await;
}

#[tokio::test]
async fn what_is_paid_at_the_provider_is_waited_for() {
    let shop = Shop::open().await;
    let antom = json!({ "method": "alipay_plus", "provider": "alipay_plus" });
    set_policy(&shop, &policy(&json!([antom]))).await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = started(&shop, &order, &antom, KEY).await.text("/id");
    shop.stand_ins().memory(|memory| {
        let mut charge = memory.get(Provider::AlipayPlus, "charge", &payment).cloned().unwrap();
        charge["status"] = "paid".into();
        memory.note(Provider::AlipayPlus, "charge", &payment, charge);
    });
    refused(&shop, &starting(&order, &antom, KEY), 409, "payment-made", "").await;
}

#[tokio::test]
async fn money_that_only_we_can_take_is_not_given_up() {
    let shop = Shop::open().await;
    let adyen = json!({ "method": "card", "provider": "adyen" });
    set_policy(&shop, &policy(&json!([adyen]))).await;
    let mut secret = providers::of(Provider::Adyen).credentials("https://providers.local/adyen");
    secret["account"]["capture"] = "manual".into();
    shop.set_secret(Secret::Payments, json!({ "adyen": secret }));
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = started(&shop, &order, &adyen, KEY).await.text("/id");
    let report = Payment {
        event: "evt_1",
        kind: "authorised",
        payment: &payment,
        amount: order.total,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Adyen).callback(&report)).await;
    // The key that calls are made with is rolled, and not in the secret before
    // the second time: who is not taken then would be parked once more.
    let keys = secret["api_keys"].take();
    for keys in [json!(["wrong"]), keys] {
        secret["api_keys"] = keys;
        shop.set_secret(Secret::Payments, json!({ "adyen": secret }));
        shop.restart("provider-call").unwrap();
        shop.settle().await.unwrap();
        let parked = shop.queue(&dead_letters(Queue::ProviderCalls));
        assert_eq!(parked.len(), 1, "{parked:?}");
        shop.send(Queue::ProviderCalls, parked[0].body.clone());
    }
}

async fn look(shop: &Shop, order: &Placed, payment: &str) -> Value {
    let path = order.path(&format!("/payments/{payment}"));
    let reply = shop.reply(&order.sign_in(Ask::get(path))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let meter = shop.port("payment-view").unwrap().meter();
    let reads = meter.calls.iter().filter(|call| call.operation != "GetSecretValue");
    assert_eq!(reads.count(), 2, "{meter:?}");
    reply.json()
}

#[tokio::test]
async fn an_attempt_is_looked_at_at_any_time() {
    let shop = Shop::open().await;
    for order in [shop.place(ADA, "TEA", 1, KEY).await, shop.place_as_guest("TEA", 1, KEY).await] {
        let payment = shop.start_payment(&order, "sandbox").await;
        let fresh = look(&shop, &order, &payment).await;
        assert_eq!((&fresh["status"], &fresh["events"]), (&json!("pending"), &json!([])));
        assert_eq!(fresh["can_try_again"], true);
        let list = order.sign_in(Ask::get(order.path("/payments")));
        let none = shop.reply(&list).await;
        assert_eq!(none.json(), json!({ "payments": [], "can_try_again": true }));
        shop.call_back(&shop.report(&order, &payment, "failed", "evt_1")).await;
        shop.clock().advance(Period::of_seconds(1));
        let declined = look(&shop, &order, &payment).await;
        assert_eq!(declined["status"], "failed", "before the fold has run");
        shop.call_back(&shop.report(&order, &payment, "succeeded", "evt_2")).await;
        shop.settle().await.unwrap();
        let paid = look(&shop, &order, &payment).await;
        assert_eq!(paid["status"], "succeeded");
        assert_eq!(paid["received"], json!({ "amount": 1250, "currency": "GBP" }));
        assert_eq!(paid["can_try_again"], false);
        let kinds: Vec<&Value> =
            paid["events"].as_array().unwrap().iter().map(|it| &it["kind"]).collect();
        assert_eq!(kinds, ["failed", "succeeded"]);
        let known = shop.reply(&list).await.json();
        assert_eq!(known["payments"][0]["id"], payment.as_str());
        assert_eq!(known["payments"][0]["status"], "succeeded");
        let meter = shop.port("payment-view").unwrap().meter();
        assert_eq!(meter.calls.len(), 1, "{meter:?}");
    }
}

#[tokio::test]
async fn what_goes_back_of_an_attempt_is_shown() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.pay(&order).await;
    shop.reply(&order.sign_in(Ask::post(order.path("/cancel"), &json!({})))).await;
    let refund = |view: &Value| {
        let refund = &view["refunds"][0];
        (refund["amount"]["amount"].clone(), refund["cause"].clone(), refund["status"].clone())
    };
    let due = look(&shop, &order, &payment).await;
    assert_eq!(refund(&due), (json!(1250), json!("cancelled"), json!("pending")));
    shop.settle().await.unwrap();
    let back = look(&shop, &order, &payment).await;
    assert_eq!(refund(&back), (json!(1250), json!("cancelled"), json!("succeeded")));
}

#[tokio::test]
async fn anothers_attempt_does_not_exist() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let other = shop.place(ADA, "CUP", 1, &key("other", 0)).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let path = order.path(&format!("/payments/{payment}"));
    refused(&shop, &Ask::get(path.clone()).by_member("bob"), 404, "not-found", "").await;
    assert_eq!(shop.reply(&Ask::get(path)).await.status, 401);
    for path in [
        other.path(&format!("/payments/{payment}")),
        order.path("/payments/pay_x"),
        order.path("/payments/pay_aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        "/orders/ord_x/payments".to_owned(),
    ] {
        refused(&shop, &Ask::get(path).by_member(ADA), 404, "not-found", "").await;
    }
}
