//! Orders as operators find them, and what else follows from an order.

use aftercart::{
    messages::Queue,
    model::{product::Sku, related::Related, time::Period},
    store::Key,
};
use aftercart_infra::world::{Ask, Caller, Fault, Reply};
use serde_json::{Value, json};

use crate::{
    risk::{COUNTING, ordered, set_rules},
    shop::{ADA, KEY, Shop, key, order},
};

async fn found(shop: &Shop, query: &str) -> Reply {
    shop.reply(&Ask::get(format!("/operator/orders{query}")).by(Caller::Operator)).await
}

/// The identities of the orders of a page, and the query of the next.
async fn page(shop: &Shop, query: &str) -> (Vec<String>, Option<String>) {
    let reply = found(shop, query).await;
    assert_eq!(reply.status, 200, "{query}: {}", reply.body);
    let page = reply.json();
    let orders = page["orders"].as_array().unwrap();
    let ids = orders.iter().map(|order| order["id"].as_str().unwrap().to_owned());
    let next = page["next_cursor"].as_str().map(|cursor| format!("{query}&cursor={cursor}"));
    (ids.collect(), next)
}

#[tokio::test]
async fn an_order_is_found_by_its_number_and_its_buyers_address() {
    let shop = Shop::open().await;
    let member = shop.place(ADA, "TEA", 1, KEY).await;
    shop.clock().advance(Period::of_seconds(1));
    let guest = shop.place_as_guest("CUP", 2, KEY).await;
    assert_eq!(page(&shop, "?email=ada@example.com").await.0, [""; 0], "not yet");
    shop.settle().await.unwrap();
    let (by_mail, _) = page(&shop, "?email=ADA@example.com").await;
    assert_eq!(by_mail, [guest.id.clone(), member.id.clone()], "latest first");
    let reply = found(&shop, &format!("?order={}", guest.id)).await.json();
    let order = &reply["orders"][0];
    assert_eq!((&order["id"], &order["status"]), (&json!(guest.id), &json!("placed")));
    assert!(order["customer"].as_str().unwrap().starts_with("gst_"));
    assert_eq!((&order["held_at"], &order["risk"]), (&Value::Null, &Value::Null));
    assert_eq!(page(&shop, "?customer=cus_ada").await.0, [member.id]);
    for nothing in [
        format!("?order=ord_{}", "a".repeat(26)),
        "?email=nobody@example.com".to_owned(),
        "?customer=cus_nobody".to_owned(),
        "?held=true".to_owned(),
    ] {
        assert_eq!(page(&shop, &nothing).await, (vec![], None), "{nothing}");
    }
}

#[tokio::test]
async fn held_orders_are_found_once_they_are_paid_and_in_pages() {
    let shop = Shop::open().await;
    set_rules(&shop, COUNTING).await;
    let mut placed = Vec::new();
    for number in 0..3 {
        let mut body = order(&[("TEA", 9)]);
        body["contact"]["email"] = format!("{number}@example.com").into();
        let ask = Ask::post("/orders", &body).by_member(ADA).keyed(&key("held", number));
        placed.push(ordered(&shop, ask).await);
        shop.clock().advance(Period::of_seconds(1));
    }
    shop.settle().await.unwrap();
    assert_eq!(page(&shop, "?held=true").await.0, [""; 0], "unpaid orders expire by themselves");
    for order in placed.iter().rev() {
        shop.pay(order).await;
    }
    let ids: Vec<String> = placed.iter().map(|order| order.id.clone()).collect();
    let (mut all, mut next) = (Vec::new(), Some("?held=true&limit=2".to_owned()));
    while let Some(query) = next {
        let (some, more) = page(&shop, &query).await;
        all.extend(some);
        next = more;
    }
    assert_eq!(all, ids, "who waits longest comes first");
}

#[tokio::test]
async fn listings_go_on_where_they_stopped() {
    let shop = Shop::open().await;
    for number in 0..5 {
        shop.place(ADA, "TEA", 1, &key("page", number)).await;
        shop.clock().advance(Period::of_seconds(1));
    }
    shop.settle().await.unwrap();
    for filter in ["email=ada@example.com", "customer=cus_ada"] {
        let (whole, _) = page(&shop, &format!("?{filter}")).await;
        assert_eq!(whole.len(), 5);
        let (mut all, mut next) = (Vec::new(), Some(format!("?{filter}&limit=2")));
        while let Some(query) = next {
            let (some, more) = page(&shop, &query).await;
            all.extend(some);
            next = more;
        }
        assert_eq!(all, whole);
    }
}

#[tokio::test]
async fn searches_are_checked() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("", "query"),
        ("?order=ord_1&email=a@b.cd", "query"),
        ("?order=1", "order"),
        ("?email=ada", "email"),
        ("?customer=ada", "customer"),
        ("?held=false", "held"),
        ("?held=true&colour=red", "colour"),
        ("?held=true&limit=101", "limit"),
        ("?held=true&cursor=x", "cursor"),
        ("?customer=cus_ada&cursor=eA", "cursor"),
        ("?email=a@b.cd&cursor=eA", "cursor"),
    ] {
        let reply = found(&shop, query).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{query}");
    }
    for (caller, status) in [(Caller::Anybody, 401), (Caller::Member(ADA.to_owned()), 403)] {
        let reply = shop.reply(&Ask::get("/operator/orders?held=true").by(caller)).await;
        assert_eq!(reply.status, status);
    }
}

/// What a product is bought together with, by count.
async fn related(shop: &Shop, sku: &str) -> Vec<(String, u64)> {
    let sku = Sku::parse(sku).unwrap();
    let found = shop.store().read(&[Key::related(&sku)]).await.unwrap();
    let Related { partners, .. } = found.related(&sku).unwrap();
    let mut counts: Vec<(String, u64)> =
        partners.into_iter().map(|it| (it.sku.to_string(), it.count)).collect();
    counts.sort_unstable();
    counts
}

/// A member's order of these lines that everything is waiting to follow.
async fn paid(shop: &Shop, lines: &[(&str, i64)], number: usize) {
    let ask = Ask::post("/orders", &order(lines)).by_member(ADA).keyed(&key("paid", number));
    let placed = ordered(shop, ask).await;
    shop.pay(&placed).await;
}

#[tokio::test]
async fn goods_of_paid_orders_are_counted_together_once() {
    let shop = Shop::open().await;
    paid(&shop, &[("TEA", 2), ("CUP", 1)], 0).await;
    paid(&shop, &[("TEA", 1), ("LAST", 1), ("CUP", 1)], 1).await;
    paid(&shop, &[("TEA", 1)], 2).await;
    let ask = Ask::post("/orders", &order(&[("TEA", 1), ("CUP", 1)]));
    ordered(&shop, ask.by_member(ADA).keyed(&key("unpaid", 0))).await;
    shop.settle().await.unwrap();
    let count = |sku: &str, count: u64| (sku.to_owned(), count);
    assert_eq!(related(&shop, "TEA").await, [count("CUP", 2), count("LAST", 1)]);
    assert_eq!(related(&shop, "CUP").await, [count("LAST", 1), count("TEA", 2)]);
    let found = shop.store().profile(&format!("cus_{ADA}").try_into().unwrap()).await.unwrap();
    assert_eq!(found.orders, 3);
}

/// Many orders of the same goods and the same member, followed at one time.
#[tokio::test]
async fn orders_that_are_followed_at_once_are_all_counted() {
    let shop = Shop::open().await;
    let orders = 8;
    for number in 0..orders {
        let ask = Ask::post("/orders", &order(&[("TEA", 1), ("CUP", 1)])).by_member(ADA);
        let placed = ordered(&shop, ask.keyed(&key("at-once", number))).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        let event = format!("evt_{number}");
        shop.call_back(&shop.report(&placed, &payment, "succeeded", &event)).await;
    }
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
    let events = events(&shop);
    let calls = events.iter().map(|event| shop.invoke("order-follow", event));
    for answer in futures::future::join_all(calls).await {
        assert!(answer.is_ok());
    }
    // Who met the others too often comes again.
    shop.settle().await.unwrap();
    let orders = u64::try_from(orders).unwrap();
    // In a rush not every order is counted in what goes with what.
    let together = related(&shop, "TEA").await;
    assert!(together.len() == 1 && (1..=orders).contains(&together[0].1), "{together:?}");
    let found = shop.store().profile(&format!("cus_{ADA}").try_into().unwrap()).await.unwrap();
    assert_eq!(u64::from(found.orders), orders);
}

/// The messages in the queue, each as an event of its own.
fn events(shop: &Shop) -> Vec<Value> {
    let event = shop.queue_event(Queue::Orders);
    let records = event["Records"].as_array().unwrap();
    records.iter().map(|record| json!({ "Records": [record] })).collect()
}

#[tokio::test]
async fn the_order_and_the_number_of_messages_make_no_difference() {
    let shop = Shop::open().await;
    set_rules(&shop, COUNTING).await;
    let ask = Ask::post("/orders", &order(&[("TEA", 2), ("CUP", 1)])).by_member(ADA).keyed(KEY);
    let placed = ordered(&shop, ask).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
    let events = events(&shop);
    assert_eq!(events.len(), 2, "order.placed and order.paid");
    let mut states = Vec::new();
    for turns in [&[0, 1][..], &[1, 0], &[0, 1, 0, 1], &[1, 1, 0]] {
        let world = shop.fork().unwrap();
        for turn in turns {
            let answer = world.invoke("order-follow", &events[*turn]).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]));
        }
        states.push(world.state().await.unwrap());
    }
    assert!(states.windows(2).all(|two| two[0] == two[1]));
}

#[tokio::test(start_paused = true)]
async fn who_is_always_late_tries_again_later() {
    let shop = Shop::open().await;
    shop.place(ADA, "TEA", 1, KEY).await;
    shop.relay().await.unwrap();
    let event = shop.queue_event(Queue::Orders);
    let port = shop.port("order-follow").unwrap();
    port.fail_always(Some(Fault::Conflict));
    let answer = shop.invoke("order-follow", &event).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
    port.fail_always(None);
    let answer = shop.invoke("order-follow", &event).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
}

#[tokio::test]
async fn a_message_about_nothing_is_parked() {
    let shop = Shop::open().await;
    let nothing = format!(r#"{{"order":"ord_{}","customer":"cus_ada"}}"#, "a".repeat(26));
    for (kind, body) in [
        ("order.placed", nothing.as_str()),
        ("order.paid", &nothing),
        ("order.cancelled", &nothing),
    ] {
        let envelope = format!(
            r#"{{"v":1,"id":"msg_{}","at":"2026-11-21T12:00:00Z","type":"{kind}","body":{body}}}"#,
            "a".repeat(26)
        );
        shop.send(Queue::Orders, envelope);
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.queue(&aftercart_infra::world::dead_letters(Queue::Orders)).len(), 3);
}
