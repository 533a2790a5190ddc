//! What waits for a person about payments, whole functions: how it comes
//! about, who sees it, and what is done about it, once.

use aftercart::{
    model::{
        customer::CustomerId,
        id::{CaseId, OrderId, PaymentId, RefundId},
        money::{Currency, Money},
        order::{OrderStatus, RefundCause},
        payment::{CaseReason, PaymentCase, Provider, Refund, RefundStatus},
        policy::Policy,
        signature::{hmac_sha256, to_hex},
        text::Text,
        time::Period,
    },
    run::{metrics::Metric, secrets::Secret},
    store::{Key, payments},
};
use aftercart_infra::{
    providers,
    signing::{self, Callback, Payment},
    world::{Ask, Caller, Fault, Reply, secrets},
};
use serde_json::{Value, json};

use crate::{
    orders,
    shop::{ADA, KEY, Placed, Shop},
    stock::set_policy,
};

/// A listing of the open cases.
pub(crate) fn listing(query: &str) -> Ask {
    Ask::get(format!("/operator/payment-cases?{query}")).by(Caller::Operator)
}

/// Does something about a case.
pub(crate) fn resolving(case: &str, action: &str) -> Ask {
    let path = format!("/operator/payment-cases/{case}/resolution");
    Ask::post(path, &json!({ "action": action })).by(Caller::Operator)
}

/// An event of a type that nobody knows.
pub(crate) fn unknown(shop: &Shop, event: &str) -> Ask {
    let body = r#"{"type":"payout.paid"}"#.to_owned();
    Ask::callback(&signing::standard(
        "/callbacks/sandbox",
        secrets::SANDBOX,
        event,
        shop.now(),
        body,
    ))
}

pub(crate) async fn unknown_event(shop: &Shop, event: &str) {
    let reply = shop.reply(&unknown(shop, event)).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"received":true}"#));
}

/// What the sandbox reports of an attempt over so much.
pub(crate) fn over(shop: &Shop, payment: &str, event: &str, amount: i64) -> Callback {
    let at = shop.now();
    let report =
        Payment { event, kind: "succeeded", payment, amount, currency: "GBP", at, part: None };
    providers::of(Provider::Sandbox).callback(&report)
}

/// A report of an attempt that was not started here.
pub(crate) async fn reported_foreign(shop: &Shop) {
    let payment = PaymentId::derive(&["somewhere else"]);
    shop.call_back(&over(shop, payment.as_str(), "evt_foreign", 1250)).await;
    shop.relay().await.unwrap();
}

pub(crate) async fn foreign(shop: &Shop) {
    reported_foreign(shop).await;
    shop.settle().await.unwrap();
}

/// An order over 1250 for which so much came.
pub(crate) async fn reported(shop: &Shop, amount: i64) -> Placed {
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    shop.call_back(&over(shop, &payment, "evt_1", amount)).await;
    while shop.relay().await.unwrap() {}
    order
}

pub(crate) async fn mismatched(shop: &Shop) -> Placed {
    let order = reported(shop, 1249).await;
    shop.settle().await.unwrap();
    order
}

/// A notice whose key was not there yet, and is by now; its case.
pub(crate) async fn readable_by_now(shop: &Shop) -> String {
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let wechat = providers::of(Provider::WechatPay);
    let at = shop.now();
    let report = Payment {
        event: "evt_1",
        kind: "succeeded",
        payment: &payment,
        amount: 1250,
        currency: "CNY",
        at,
        part: None,
    };
    let all = providers::credentials("https://providers.local");
    let mut without = all.clone();
    without["wechat_pay"]["decryption_keys"] = json!(["0123456789abcdef0123456789abcdee"]);
    shop.set_secret(Secret::Payments, without);
    shop.restart("payment-callback").unwrap();
    let reply = shop.reply(&Ask::callback(&wechat.callback(&report))).await;
    assert!((200..300).contains(&reply.status), "{} {}", reply.status, reply.body);
    let case = only_case(shop).await;
    let still = shop.reply(&resolving(&case, "replay")).await;
    assert_eq!((still.status, still.problem().as_str()), (409, "case-still-unread"));
    shop.set_secret(Secret::Payments, all);
    shop.restart("case-resolve").unwrap();
    case
}

/// A refund that a provider would not make; its case.
pub(crate) async fn refund_failed(shop: &Shop) -> String {
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.pay(&order).await;
    let amount = Money::new(1250, Currency::parse("GBP").unwrap()).unwrap();
    let refund = Refund {
        id: RefundId::derive(&[&order.id, "1"]),
        payment: PaymentId::parse(&payment).unwrap(),
        order: OrderId::parse(&order.id).unwrap(),
        customer: CustomerId::member(ADA).unwrap(),
        amount,
        status: RefundStatus::Failed,
        again: 0,
        at: shop.now(),
        reference: None,
        reason: Some("account_closed".to_owned()),
        tries: 3,
        next_at: None,
    };
    let case = PaymentCase {
        id: aftercart_payments::rules::cases::refund_failed(&refund),
        reason: CaseReason::RefundFailed,
        provider: Provider::Sandbox,
        payment: Some(refund.payment.clone()),
        amount: Some(amount),
        what: Text::new("the refund was refused").unwrap(),
        at: shop.now(),
        body: None,
        headers: std::collections::BTreeMap::new(),
        resolved: None,
    };
    shop.store().commit(payments::refund(&refund)).await.unwrap();
    shop.store().commit(payments::case(&case)).await.unwrap();
    case.id.to_string()
}

async fn cases(shop: &Shop) -> Vec<Value> {
    let reply = shop.reply(&listing("limit=50")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["cases"].as_array().unwrap().clone()
}

async fn case_of(shop: &Shop, case: &str) -> PaymentCase {
    let case = CaseId::parse(case).unwrap();
    let found = shop.store().read(&[Key::case(&case)]).await.unwrap();
    found.case(&case).unwrap().unwrap()
}

/// The only open case.
pub(crate) async fn only_case(shop: &Shop) -> String {
    let cases = cases(shop).await;
    assert_eq!(cases.len(), 1, "{cases:?}");
    cases[0]["id"].as_str().unwrap().to_owned()
}

async fn resolved(shop: &Shop, case: &str, action: &str) -> Reply {
    let reply = shop.reply(&resolving(case, action)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.text("/resolved/action"), action);
    reply
}

async fn refused(shop: &Shop, ask: &Ask, status: u16, problem: &str) {
    let reply = shop.reply(ask).await;
    assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{}", reply.body);
}

#[tokio::test]
async fn cases_are_listed_oldest_first_a_page_at_a_time() {
    let shop = Shop::open().await;
    for n in 0..3 {
        unknown_event(&shop, &format!("evt_{n}")).await;
        unknown_event(&shop, &format!("evt_{n}")).await;
        shop.clock().advance(Period::of_seconds(1));
    }
    let mut found = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = shop.reply(&listing(&query)).await.json();
        let meter = shop.port("case-list").unwrap().meter();
        assert!(meter.calls.len() <= 2, "{meter:?}");
        found.extend(page["cases"].as_array().unwrap().iter().map(|it| it["at"].to_string()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(found.len(), 3, "one a case, however often its event came");
    assert!(found.is_sorted());
    assert_eq!(shop.metrics().counted(Metric::PaymentCaseOpened), 3);

    let member = shop.reply(&Ask::get("/operator/payment-cases").by_member(ADA)).await;
    assert_eq!(member.status, 403);
    refused(&shop, &listing("limit=0"), 400, "invalid-request").await;
    refused(&shop, &listing("cursor=x"), 400, "invalid-request").await;
    refused(&shop, &listing("all=true"), 400, "invalid-request").await;
}

#[tokio::test]
async fn what_does_not_fit_a_case_is_refused() {
    let shop = Shop::open().await;
    unknown_event(&shop, "evt_1").await;
    let case = only_case(&shop).await;
    let nobodys = CaseId::derive(&["nobody's"]);
    refused(&shop, &resolving("cas_x", "dismiss"), 404, "not-found").await;
    refused(&shop, &resolving(nobodys.as_str(), "dismiss"), 404, "not-found").await;
    refused(&shop, &resolving(&case, "eat"), 400, "invalid-request").await;
    for action in ["accept", "refund"] {
        refused(&shop, &resolving(&case, action), 409, "case-takes-another").await;
    }
    refused(&shop, &resolving(&case, "replay"), 409, "case-still-unread").await;
    let path = format!("/operator/payment-cases/{case}/resolution");
    let member = Ask::post(&path, &json!({ "action": "dismiss" })).by_member(ADA);
    assert_eq!(shop.reply(&member).await.status, 403);
    let more = Ask::post(&path, &json!({ "action": "dismiss", "why": "x" })).by(Caller::Operator);
    refused(&shop, &more, 400, "invalid-request").await;
    assert_eq!(only_case(&shop).await, case);
}

#[tokio::test]
async fn the_same_action_again_is_answered_the_same_and_another_is_refused() {
    let shop = Shop::open().await;
    unknown_event(&shop, "evt_1").await;
    let case = only_case(&shop).await;
    let first = resolved(&shop, &case, "dismiss").await;
    assert!(!first.text("/resolved/by").is_empty());
    shop.clock().advance(Period::of_seconds(60));
    assert_eq!(resolved(&shop, &case, "dismiss").await.body, first.body);
    refused(&shop, &resolving(&case, "replay"), 409, "case-resolved").await;
    assert_eq!(cases(&shop).await, Vec::<Value>::new());
    unknown_event(&shop, "evt_1").await;
    assert_eq!(cases(&shop).await, Vec::<Value>::new(), "it stays resolved");
}

#[tokio::test]
async fn a_signed_body_that_says_nothing_is_kept_and_acknowledged() {
    let shop = Shop::open().await;
    let signed = |body: &str| {
        let (secret, at) = (secrets::SANDBOX, shop.now());
        Ask::callback(&signing::standard("/callbacks/sandbox", secret, "e", at, body.to_owned()))
    };
    for body in ["", "garbage", "{}", r#"{"type":"payment.succeeded"}"#] {
        for _ in 0..2 {
            let reply = shop.reply(&signed(body)).await;
            assert_eq!((reply.status, reply.body.as_str()), (200, r#"{"received":true}"#));
        }
    }
    let cases = cases(&shop).await;
    assert_eq!(cases.len(), 4);
    for case in cases {
        assert_eq!(case["reason"], "impossible");
        assert_eq!(case["actions"], json!(["replay", "dismiss"]));
        let case = case["id"].as_str().unwrap();
        refused(&shop, &resolving(case, "replay"), 409, "case-still-unread").await;
    }
    assert_eq!(shop.metrics().counted(Metric::CallbackRejected), 0);
}

#[tokio::test]
async fn a_body_comes_through_a_case_unharmed() {
    let shop = Shop::open().await;
    let payment = PaymentId::derive(&["1"]);
    let case = readable_by_now(&shop).await;
    assert!(case_of(&shop, &case).await.body.is_some());
    for _ in 0..2 {
        resolved(&shop, &case, "replay").await;
    }
    shop.settle().await.unwrap();
    // It may name a person, and is of no use any more.
    let after = case_of(&shop, &case).await;
    assert_eq!((after.body, after.headers.len()), (None, 0));
    // The attempt is the sandbox's: the notice is recorded, and has no power.
    let history = shop.state().await.unwrap()["tables"]["payments"].to_string();
    assert!(history.contains("wechat_pay"), "{payment} {history}");
    assert_eq!(cases(&shop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_attempt_that_is_not_known_is_a_case_until_it_is_known() {
    let shop = Shop::open().await;
    foreign(&shop).await;
    let found = cases(&shop).await;
    assert_eq!((&found[0]["reason"], found.len()), (&json!("foreign"), 1));
    let case = only_case(&shop).await;
    refused(&shop, &resolving(&case, "replay"), 409, "case-still-unread").await;
    resolved(&shop, &case, "dismiss").await;
    foreign(&shop).await;
    assert_eq!(cases(&shop).await, Vec::<Value>::new());
    assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
}

#[tokio::test]
async fn another_amount_is_held_and_accepted_by_a_person_once() {
    let shop = Shop::open().await;
    let order = mismatched(&shop).await;
    let view = shop.view(&order).await;
    assert_eq!(
        (&view["status"], &view["payments"][0]["status"]),
        (&json!("placed"), &json!("mismatched"))
    );
    assert_eq!(view["payments"][0]["refund_due"], json!(false));
    let found = cases(&shop).await;
    assert_eq!(found[0]["reason"], "amount_differs");
    assert_eq!(found[0]["amount"], json!({ "amount": 1249, "currency": "GBP" }));
    let case = only_case(&shop).await;
    for fault in [Fault::Before, Fault::After, Fault::Throttle] {
        shop.port("case-resolve").unwrap().fail(4, fault);
        drop(shop.reply(&resolving(&case, "accept")).await);
    }
    resolved(&shop, &case, "accept").await;
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&order).await["status"], "paid");
    refused(&shop, &resolving(&case, "refund"), 409, "case-resolved").await;
    // What its provider tells later is noted, and pays nothing twice.
    let payment = shop.view(&order).await["payments"][0]["id"].as_str().map(str::to_owned);
    if let Some(payment) = payment {
        shop.call_back(&over(&shop, &payment, "evt_2", 1249)).await;
        shop.settle().await.unwrap();
    }
    assert_eq!(shop.view(&order).await["status"], "paid");
    assert_eq!(cases(&shop).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_came_beyond_what_was_asked_goes_back_when_it_is_accepted() {
    for (came, due) in [(1251, vec![1]), (1249, Vec::new())] {
        let shop = Shop::open().await;
        let order = reported(&shop, came).await;
        shop.settle().await.unwrap();
        let case = only_case(&shop).await;
        shop.port("case-resolve").unwrap().fail(4, Fault::After);
        drop(shop.reply(&resolving(&case, "accept")).await);
        resolved(&shop, &case, "accept").await;
        shop.settle().await.unwrap();
        let order = orders::stored(&shop, &order).await;
        assert_eq!(order.status, OrderStatus::Paid);
        let dues: Vec<i64> = order.refunds_due.iter().map(|it| it.amount.minor()).collect();
        assert_eq!(dues, due);
        let payment = order.paid_by().unwrap();
        assert!(!order.unaccepted(payment));
        let refunds = shop.store().payment(payment).await.unwrap().refunds;
        assert_eq!(refunds.iter().map(|it| it.amount.minor()).collect::<Vec<_>>(), due);
    }
}

#[tokio::test]
async fn money_of_which_a_part_went_back_before_it_paid_is_for_a_person() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let part = Placed { total: 250, ..order.clone() };
    shop.call_back(&shop.report(&part, &payment, "refunded", "evt_back")).await;
    shop.settle().await.unwrap();
    shop.call_back(&over(&shop, &payment, "evt_1", 1250)).await;
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&order).await["status"], "placed");
    let found = cases(&shop).await;
    assert_eq!((found.len(), &found[0]["reason"]), (1, &json!("amount_differs")));
    resolved(&shop, &only_case(&shop).await, "accept").await;
    shop.settle().await.unwrap();
    let order = orders::stored(&shop, &order).await;
    assert_eq!((order.status, order.refunds_due), (OrderStatus::Paid, Vec::new()));
}

/// A dispute at Stripe has nothing of ours: the intent that it names does.
#[tokio::test]
async fn a_dispute_is_about_the_payment_that_its_provider_names() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "stripe").await;
    let told = |event: &'static str, kind: &'static str| {
        let at = shop.now();
        let (amount, currency, payment) = (1250, "GBP", payment.as_str());
        let report = Payment { event, kind, payment, amount, currency, at, part: Some("du_1") };
        providers::of(Provider::Stripe).callback(&report)
    };
    let paid = told("evt_1", "succeeded");
    let intent = serde_json::from_str::<Value>(&paid.body).unwrap()["data"]["object"]["id"].clone();
    shop.call_back(&paid).await;
    shop.settle().await.unwrap();
    let named = told("evt_2", "disputed");
    let body = named.body.replace(&format!(r#""payment":"{payment}""#), "");
    assert_ne!(body, named.body);
    let seconds = shop.now().unix_seconds().to_string();
    let signed = [seconds.as_bytes(), b".", body.as_bytes()];
    let mac = to_hex(&hmac_sha256(providers::stripe::SECRET.as_bytes(), &signed));
    let headers = vec![("stripe-signature", format!("t={seconds},v1={mac}"))];
    shop.call_back(&Callback { headers, body, ..named }).await;
    let case = only_case(&shop).await;
    refused(&shop, &resolving(&case, "replay"), 409, "case-still-unread").await;
    let known = PaymentId::parse(&payment).unwrap();
    let reference = payments::reference(Provider::Stripe, intent.as_str().unwrap(), &known);
    shop.store().commit(reference).await.unwrap();
    resolved(&shop, &case, "replay").await;
    shop.settle().await.unwrap();
    let found = cases(&shop).await;
    assert_eq!((found.len(), &found[0]["reason"]), (1, &json!("disputed")));
    assert_eq!(shop.view(&order).await["payments"][0]["status"], "disputed");
}

/// A body that nobody could read, with one event twice.
#[tokio::test]
async fn an_event_that_a_body_has_twice_is_recorded_once() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let all = providers::credentials("https://providers.local");
    let mut without = all.clone();
    without["adyen"]["account"]["merchant_account"] = json!("OtherECOM");
    shop.set_secret(Secret::Payments, without);
    shop.restart("payment-callback").unwrap();
    let report = Payment {
        event: "evt_1",
        kind: "succeeded",
        payment: &payment,
        amount: 1250,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    let key = providers::adyen::HMAC_KEY;
    shop.call_back(&providers::adyen::signed(key, &[&report, &report])).await;
    let case = only_case(&shop).await;
    shop.set_secret(Secret::Payments, all);
    shop.restart("case-resolve").unwrap();
    resolved(&shop, &case, "replay").await;
    shop.settle().await.unwrap();
    // The attempt is the sandbox's: the notice is recorded, and has no power.
    let payment = PaymentId::parse(&payment).unwrap();
    assert_eq!(shop.store().payment(&payment).await.unwrap().events.len(), 1);
}

#[tokio::test]
async fn another_amount_goes_back_when_a_person_says_so() {
    for ended in [false, true] {
        let shop = Shop::open().await;
        let order = mismatched(&shop).await;
        let case = only_case(&shop).await;
        if ended {
            shop.reply(&order.sign_in(Ask::post(order.path("/cancel"), &json!({})))).await;
            refused(&shop, &resolving(&case, "accept"), 409, "case-too-late").await;
        }
        resolved(&shop, &case, "refund").await;
        resolved(&shop, &case, "refund").await;
        shop.settle().await.unwrap();
        let stored = orders::stored(&shop, &order).await;
        assert_eq!(stored.refunds_due.len(), 1);
        assert_eq!(stored.refunds_due[0].cause, RefundCause::Unaccepted);
        assert_eq!(stored.refunds_due[0].amount.minor(), 1249);
        assert!(stored.paid_at.is_none());
    }
}

#[tokio::test]
async fn of_two_people_one_decides() {
    let shop = Shop::open().await;
    let order = mismatched(&shop).await;
    let case = only_case(&shop).await;
    let (accept, refund) = (resolving(&case, "accept"), resolving(&case, "refund"));
    let (one, other) = tokio::join!(shop.reply(&accept), shop.reply(&refund));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    shop.settle().await.unwrap();
    let paid = shop.view(&order).await["status"] == "paid";
    assert_eq!(paid, one.status == 200);
}

#[tokio::test]
async fn a_refund_that_failed_is_tried_again_once() {
    let shop = Shop::open().await;
    let case = refund_failed(&shop).await;
    resolved(&shop, &case, "refund").await;
    let state = shop.state().await.unwrap()["tables"]["payments"].to_string();
    assert!(state.contains("pending"), "{state}");
    resolved(&shop, &case, "refund").await;
    shop.settle().await.unwrap();
    refused(&shop, &resolving(&case, "dismiss"), 409, "case-resolved").await;
}

#[tokio::test]
async fn a_refund_of_money_that_is_gone_is_not_tried_again() {
    let shop = Shop::open().await;
    let case = refund_failed(&shop).await;
    let state = shop.state().await.unwrap()["tables"]["payments"].to_string();
    let place = state.find("pay_").unwrap();
    let payment = state.get(place..place + 30).unwrap();
    let report = Payment {
        event: "evt_gone",
        kind: "refunded",
        payment,
        amount: 1,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Sandbox).callback(&report)).await;
    shop.settle().await.unwrap();
    refused(&shop, &resolving(&case, "refund"), 409, "nothing-left").await;
    assert_eq!(only_case(&shop).await, case);
}

#[tokio::test]
async fn a_dispute_is_a_case_and_each_new_one_another() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.pay(&order).await;
    let told = async |event: &str, kind: &str, part: &str| {
        shop.clock().advance(Period::of_seconds(1));
        let report = Payment {
            event,
            kind,
            payment: &payment,
            amount: 1250,
            currency: "GBP",
            at: shop.now(),
            part: Some(part),
        };
        shop.call_back(&providers::of(Provider::Sandbox).callback(&report)).await;
        shop.settle().await.unwrap();
    };
    let status = async || shop.view(&order).await["payments"][0]["status"].clone();
    told("evt_2", "disputed", "d1").await;
    assert_eq!((status().await, cases(&shop).await.len()), (json!("disputed"), 1));
    told("evt_3", "dispute_won", "d1").await;
    assert_eq!((status().await, cases(&shop).await.len()), (json!("chargeback_won"), 1));
    told("evt_4", "disputed", "d2").await;
    assert_eq!((status().await, cases(&shop).await.len()), (json!("disputed"), 2));
    told("evt_5", "dispute_lost", "d2").await;
    assert_eq!((status().await, cases(&shop).await.len()), (json!("chargeback_lost"), 2));
    assert_eq!(shop.view(&order).await["status"], "paid");
    assert_eq!(shop.metrics().counted(Metric::PaymentDisputed), 2);
    assert_eq!(shop.metrics().counted(Metric::PaymentSucceeded), 1);
}

#[tokio::test]
async fn bodies_are_kept_if_the_policy_says_so_and_no_failure_loses_one() {
    let shop = Shop::open().await;
    let order = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = shop.start_payment(&order, "sandbox").await;
    let plain = shop.report(&order, &payment, "processing", "evt_1");
    shop.call_back(&plain).await;
    shop.call_back(&plain).await;
    let without = shop.port("payment-callback").unwrap().meter().write_units();
    let mut policy = json!(Policy::default_document().unwrap());
    policy["payments"]["keep_bodies"] = "30d".into();
    set_policy(&shop, &policy).await;
    let port = shop.port("payment-callback").unwrap();
    // The policy and the event at once; then the body.
    port.fail(3, Fault::Before);
    let paid = shop.report(&order, &payment, "succeeded", "evt_2");
    assert_eq!(shop.reply(&Ask::callback(&paid)).await.status, 503);
    let kept = async || shop.state().await.unwrap()["tables"]["payments"].to_string();
    assert!(!kept().await.contains("BODY#"));
    shop.call_back(&paid).await;
    assert!(kept().await.contains("BODY#"), "the repetition brings it");
    let failed = shop.report(&order, &payment, "failed", "evt_3");
    shop.call_back(&failed).await;
    let with = port.meter();
    // What is known costs the unit of a lost condition, and no body.
    assert_eq!((without, with.write_units(), with.calls.len()), (1, 2, 2), "{with:?}");
}
