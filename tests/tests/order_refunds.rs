//! What operators give back of paid orders: once for each thing, never more
//! than was paid, and what follows of it.

use aftercart::{
    messages::{ApologyDue, Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        money::{Currency, Money},
        order::{MAX_REFUNDS_DUE, OrderStatus, RefundDue},
        policy::Policy,
        time::Period,
    },
    run::metrics::Metric,
    store::{Sends, orders},
};
use aftercart_infra::world::{Ask, Caller, Options, Reply, dead_letters};
use serde_json::{Value, json};

use crate::{
    hostile::refused,
    orders::{calling_off, cancelling, operating, stored, told},
    points::{all_balances, place_with_points, points_pay},
    shop::{ADA, KEY, Placed, Shop},
    stock::set_policy,
};

/// A shop whose delivery costs 3.99.
async fn shop() -> Shop {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["delivery"]["methods"][0]["prices"] = json!({ "GBP": [{ "amount": 399 }] });
    Shop::open_with(Options { policy: Some(policy.to_string()), ..Options::default() }).await
}

/// A paid order of three teas: 37.50, and the delivery.
async fn paid(shop: &Shop) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    assert_eq!(placed.total, 4149);
    let payment = shop.pay(&placed).await;
    (placed, payment)
}

fn teas(refunded: u32) -> Value {
    json!({ "lines": [{ "sku": "TEA", "refunded": refunded }], "why": "Arrived broken." })
}

fn delivery() -> Value {
    json!({ "delivery": true, "why": "Came too late." })
}

fn goodwill(amount: i64) -> Value {
    json!({ "goodwill": { "amount": amount, "currency": "GBP" }, "why": "For the trouble." })
}

async fn giving(shop: &Shop, placed: &Placed, body: &Value) -> Ask {
    operating(shop, placed, "/refunds", body).await
}

async fn given(shop: &Shop, placed: &Placed, body: &Value) -> Value {
    let reply = shop.reply(&giving(shop, placed, body).await).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

/// What goes back, by amount and cause, the least first.
async fn dues(shop: &Shop, placed: &Placed) -> Vec<(i64, &'static str)> {
    let dues = stored(shop, placed).await.refunds_due;
    let mut dues: Vec<_> =
        dues.iter().map(|due| (due.amount.minor(), due.cause.as_str())).collect();
    dues.sort_unstable();
    dues
}

/// How the order's payment stands, as its buyer sees it.
async fn payment_status(shop: &Shop, placed: &Placed, payment: &str) -> String {
    let ask = Ask::get(placed.path(&format!("/payments/{payment}")));
    let reply = shop.reply(&placed.sign_in(ask)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.text("/status")
}

#[tokio::test]
async fn units_delivery_and_goodwill_go_back_once_each_to_the_buyer() {
    let shop = shop().await;
    let (placed, payment) = paid(&shop).await;
    for (body, amount, status) in [
        (teas(1), 1250, "partly_refunded"),
        (goodwill(100), 100, "partly_refunded"),
        (delivery(), 399, "partly_refunded"),
        (goodwill(150), 50, "partly_refunded"),
        // The rest, less the goodwill.
        (teas(3), 2350, "refunded"),
    ] {
        let first = given(&shop, &placed, &body).await;
        assert_eq!(given(&shop, &placed, &body).await, first, "asked again");
        let made = told(&shop, "notification.refund_made");
        shop.settle().await.unwrap();
        assert_eq!(told(&shop, "notification.refund_made"), made + 1);
        assert!(dues(&shop, &placed).await.iter().any(|(due, _)| *due == amount), "{body}");
        assert_eq!(payment_status(&shop, &placed, &payment).await, status);
    }
    let all = [(50, "goodwill"), (100, "goodwill"), (399, "delivery")];
    let all: Vec<_> = all.into_iter().chain([(1250, "returned"), (2350, "returned")]).collect();
    assert_eq!(dues(&shop, &placed).await, all);
    let view = shop.view(&placed).await;
    assert_eq!((&view["status"], &view["lines"][0]["refunded"]), (&json!("paid"), &json!(3)));
    let what = view["history"].as_array().unwrap().iter();
    let back = what.filter(|it| it["what"] == "refunded" && it["by_shop"] == true).count();
    assert_eq!((back, view.to_string().contains("trouble")), (5, false), "{view}");
    let file = shop.reply(&operating(&shop, &placed, "", &Value::Null).await).await.json();
    let why = file["timeline"].as_array().unwrap().iter().filter(|it| it["what"] == "refunded");
    assert_eq!(why.filter(|it| it["why"].is_string()).count(), 5, "{file}");
    assert!(shop.metrics().counted(Metric::RefundDue) >= 5);
    // The goods were not called off.
    assert_eq!((shop.left("TEA").await, told(&shop, "notification.shipment_stopped")), (97, 0));
    shop.check_invariants().await.unwrap();
    // But they can be until they leave, and nothing is left to give back.
    assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
    shop.settle().await.unwrap();
    assert_eq!((dues(&shop, &placed).await, shop.left("TEA").await), (all, 100));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn all_at_once_is_one_happening() {
    let shop = shop().await;
    let (placed, payment) = paid(&shop).await;
    shop.label(&placed, "AB-0001").await;
    let mut body = teas(2);
    (body["delivery"], body["goodwill"]) = (json!(true), goodwill(10)["goodwill"].clone());
    let ask = giving(&shop, &placed, &body).await;
    let replies = futures::future::join_all((0..4).map(|_| shop.reply(&ask))).await;
    let done = |reply: &Reply| [200, 503].contains(&reply.status);
    assert!(replies.iter().all(done) && replies.iter().any(|reply| reply.status == 200));
    shop.settle().await.unwrap();
    let all = [(10, "goodwill"), (399, "delivery"), (2500, "returned")];
    assert_eq!(dues(&shop, &placed).await, all);
    assert_eq!(stored(&shop, &placed).await.history.len(), 1);
    assert_eq!(told(&shop, "notification.refund_made"), 3);
    assert_eq!(payment_status(&shop, &placed, &payment).await, "partly_refunded");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn units_that_were_called_off_are_not_given_back_again() {
    let shop = shop().await;
    let (placed, _) = paid(&shop).await;
    given(&shop, &placed, &teas(1)).await;
    assert_eq!(shop.reply(&calling_off(&placed, &[("TEA", 1)])).await.status, 200);
    let too_many = calling_off(&placed, &[("TEA", 3)]);
    refused(&shop, "all", &too_many, (422, "too-many-units", "lines[0].cancelled")).await;
    let too_many = giving(&shop, &placed, &teas(3)).await;
    refused(&shop, "all", &too_many, (422, "too-many-units", "lines[0].refunded")).await;
    // The last unit is called off: so is the order, and the rest goes back.
    assert_eq!(shop.reply(&calling_off(&placed, &[("TEA", 2)])).await.status, 200);
    let order = stored(&shop, &placed).await;
    let back: i64 = order.refunds_due.iter().map(|due| due.amount.minor()).sum();
    assert_eq!((order.status, back), (OrderStatus::Cancelled, placed.total));
    let ended = giving(&shop, &placed, &teas(1)).await;
    refused(&shop, "ended", &ended, (409, "order-ended", "")).await;
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_given_back() {
    let shop = shop().await;
    let (placed, _) = paid(&shop).await;
    let line = |sku: &str, refunded: Value| json!({ "sku": sku, "refunded": refunded });
    let lines = |lines: Vec<Value>| json!({ "lines": lines, "why": "Broken." });
    let goodwill_of = |amount: Value, currency: &str| json!({ "goodwill": { "amount": amount, "currency": currency }, "why": "Sorry." });
    let invalid = |field| (400, "invalid-request", field);
    let many = (0..51).map(|number| line(&format!("S{number}"), json!(1))).collect();
    let mut with_goods = teas(3);
    with_goods["goodwill"] = goodwill(400)["goodwill"].clone();
    for (name, body, expected) in [
        ("nothing", json!({ "why": "Sorry." }), invalid("lines")),
        ("no reason", json!({ "delivery": true }), invalid("body")),
        ("something else", json!({ "points": 5, "why": "Sorry." }), invalid("points")),
        ("too many lines", lines(many), invalid("lines")),
        ("a SKU that is none", lines(vec![line("a b", json!(1))]), invalid("lines[0].sku")),
        ("minus one", lines(vec![line("TEA", json!(-1))]), invalid("lines[0].refunded")),
        ("a SKU twice", lines(vec![line("TEA", json!(1)); 2]), invalid("lines[1].sku")),
        ("no goodwill", goodwill(0), invalid("goodwill.amount")),
        ("less than none", goodwill(-1), invalid("goodwill.amount")),
        ("no currency", goodwill_of(json!(1), "X"), invalid("goodwill.currency")),
        (
            "another currency",
            goodwill_of(json!(1), "EUR"),
            (422, "other-currency", "goodwill.currency"),
        ),
        ("more than was paid", goodwill(4150), (422, "more-than-paid", "goodwill.amount")),
        ("more than is left", with_goods, (422, "more-than-paid", "goodwill.amount")),
        (
            "what was not ordered",
            lines(vec![line("TEA", json!(1)), line("CUP", json!(1))]),
            (422, "unknown-line", "lines[1].sku"),
        ),
        ("too many units", teas(4), (422, "too-many-units", "lines[0].refunded")),
    ] {
        refused(&shop, name, &giving(&shop, &placed, &body).await, expected).await;
    }
    let reply = shop.reply(&giving(&shop, &placed, &goodwill(4150)).await).await;
    assert_eq!(reply.json()["left"], json!({ "amount": 4149, "currency": "GBP" }));
    let ask = giving(&shop, &placed, &delivery()).await.by_member(ADA);
    refused(&shop, "a member", &ask, (403, "forbidden", "")).await;
    let customer = stored(&shop, &placed).await.customer;
    let path = format!("/operator/orders/{customer}/{}/refunds", OrderId::derive(&["x"]));
    let ask = Ask::post(path, &delivery()).by(Caller::Operator);
    refused(&shop, "no order", &ask, (404, "not-found", "")).await;
}

#[tokio::test]
async fn only_what_was_paid_goes_back() {
    let shop = shop().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let ask = giving(&shop, &placed, &teas(1)).await;
    refused(&shop, "not paid", &ask, (409, "order-not-paid", "")).await;
    shop.clock().advance(Period::of_seconds(40 * 60));
    shop.run_schedule("order-expire").await.unwrap();
    refused(&shop, "expired", &ask, (409, "order-ended", "")).await;
}

#[tokio::test]
async fn points_follow_the_units() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    shop.pay(&placed).await;
    assert_eq!(all_balances(&shop).await, [20, 400, 0, 400, 0]);
    given(&shop, &placed, &goodwill(100)).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [20, 400, 0, 400, 0], "no unit came back");
    for (units, balances) in [(1, [10, 650, 0, 650, 0]), (2, [0, 900, 0, 900, 0])] {
        given(&shop, &placed, &teas(units)).await;
        shop.settle().await.unwrap();
        given(&shop, &placed, &teas(units)).await;
        shop.settle().await.unwrap();
        assert_eq!(all_balances(&shop).await, balances);
    }
    let order = stored(&shop, &placed).await;
    let back: i64 = order.refunds_due.iter().map(|due| due.amount.minor()).sum();
    assert_eq!(back, placed.total, "units after goodwill bring what is left");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_apology_is_given_once() {
    let shop = Shop::open().await;
    let mut policy = json!(Policy::default_document().unwrap());
    policy["payments"]["late"]["apology_points"] = json!(50);
    set_policy(&shop, &policy).await;
    let customer = CustomerId::member(ADA).unwrap();
    let apologise = |order: &str| {
        let order = OrderId::parse(order).unwrap();
        let due = ApologyDue { order, customer: customer.clone() };
        let envelope = Envelope::seal(Message::ApologyDue(due), shop.now(), None);
        shop.send(Queue::Points, json!(envelope).to_string());
    };
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    apologise(&placed.id);
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0; 5], "nothing came too late");
    let order = OrderId::parse(&placed.id).unwrap();
    let amount = Money::new(placed.total, Currency::parse("GBP").unwrap()).unwrap();
    let due = RefundDue::late(&order, &PaymentId::derive(&["late"]), amount);
    let late = orders::refund((&customer, &order), None, &due, MAX_REFUNDS_DUE, &Sends::none());
    shop.store().commit(late).await.unwrap();
    for _ in 0..2 {
        apologise(&placed.id);
        apologise(&placed.id);
        shop.settle().await.unwrap();
        assert_eq!(all_balances(&shop).await, [0, 50, 0, 50, 0]);
    }
    let entries = shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json();
    assert_eq!(entries["movements"].as_array().unwrap().len(), 1, "{entries}");
    apologise(OrderId::derive(&["x"]).as_str());
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Points)).len(), 1, "there is no such order");
    // A guest has no points.
    let guest = shop.place_as_guest("TEA", 1, KEY).await;
    let customer = stored(&shop, &guest).await.customer;
    let due = ApologyDue { order: OrderId::parse(&guest.id).unwrap(), customer };
    let envelope = Envelope::seal(Message::ApologyDue(due), shop.now(), None);
    shop.send(Queue::Points, json!(envelope).to_string());
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&dead_letters(Queue::Points)).len(), 1);
}
