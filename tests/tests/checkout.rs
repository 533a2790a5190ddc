//! Orders: one a key, none without its stock, and every refusal by its name.

use std::collections::BTreeSet;

use aftercart::{messages::Queue, model::time::Period, run::metrics::Metric};
use aftercart_infra::world::{Ask, Caller, Fault, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

/// How long the stock of an unpaid order is held: 30 minutes to begin to pay,
/// and ten more for the provider to tell.
const HELD: Period = Period::of_seconds(40 * 60);

fn placing(lines: &[(&str, i64)]) -> Ask {
    Ask::post("/orders", &order(lines)).by_member(ADA).keyed(KEY)
}

fn replayed(reply: &Reply) -> bool {
    reply.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

async fn orders(shop: &Shop) -> usize {
    shop.store().all_orders().await.unwrap().len()
}

fn cancelling(placed: &Placed) -> Ask {
    placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))
}

#[tokio::test]
async fn the_same_order_is_one_order_now_and_a_day_later() {
    let shop = Shop::open().await;
    let first = shop.reply(&placing(&[("TEA", 2)])).await;
    assert_eq!((first.status, replayed(&first)), (201, false));
    assert_eq!(first.headers["location"], format!("/orders/{}", first.text("/id")));
    let again = shop.reply(&placing(&[("TEA", 2)])).await;
    assert_eq!((again.status, &again.body, replayed(&again)), (201, &first.body, true));

    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    shop.clock().advance(Period::of_days(1));
    let later = shop.reply(&placing(&[("TEA", 2)])).await;
    assert_eq!((later.status, &later.body, replayed(&later)), (201, &first.body, true));
    assert_eq!((orders(&shop).await, shop.left("TEA").await), (1, 98));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn the_same_order_in_parallel_is_one_order() {
    let shop = Shop::open().await;
    let ask = placing(&[("TEA", 2)]);
    let replies = join_all((0..8).map(|_| shop.reply(&ask))).await;
    let bodies: BTreeSet<&str> = replies.iter().map(|reply| reply.body.as_str()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(replies.iter().all(|reply| reply.status == 201));
    assert_eq!(replies.iter().filter(|reply| !replayed(reply)).count(), 1);
    assert_eq!((orders(&shop).await, shop.left("TEA").await), (1, 98));
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let shop = Shop::open().await;
    for (first, other, guest) in
        [(&[("TEA", 2)][..], &[("TEA", 3)][..], false), (&[("CUP", 1)], &[("TEA", 1)], true)]
    {
        let path = if guest { "/guest/orders" } else { "/orders" };
        let ask = |lines| {
            let ask = Ask::post(path, &order(lines)).keyed(KEY);
            if guest { ask } else { ask.by_member(ADA) }
        };
        assert_eq!(shop.reply(&ask(first)).await.status, 201);
        let before = shop.state().await.unwrap();
        let reply = shop.reply(&ask(other)).await;
        assert_eq!((reply.status, reply.problem().as_str()), (422, "idempotency-key-reused"));
        assert_eq!(reply.text("/field"), "Idempotency-Key");
        assert_eq!(shop.state().await.unwrap(), before);
    }
}

#[tokio::test]
async fn the_key_of_one_buyer_is_not_the_key_of_another() {
    let shop = Shop::open().await;
    let ada = shop.place(ADA, "TEA", 1, KEY).await;
    let bob = shop.place("bob", "TEA", 1, KEY).await;
    let guest = shop.place_as_guest("TEA", 1, KEY).await;
    let ids = BTreeSet::from([ada.id, bob.id, guest.id]);
    assert_eq!((ids.len(), orders(&shop).await), (3, 3));
}

#[tokio::test]
async fn of_two_buyers_of_the_last_unit_one_gets_it() {
    for round in 0..4 {
        let shop = Shop::open().await;
        let buyers = ["ada", "bob", "cyd", "dan"];
        let asks: Vec<Ask> = buyers[..=round.max(1)]
            .iter()
            .map(|buyer| {
                Ask::post("/orders", &order(&[("TEA", 1), ("LAST", 1)])).by_member(buyer).keyed(KEY)
            })
            .collect();
        let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
        let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 201);
        assert_eq!((won.len(), lost.len()), (1, asks.len() - 1));
        for reply in lost {
            assert_eq!((reply.status, reply.problem().as_str()), (409, "out-of-stock"));
            assert_eq!(reply.text("/field"), "lines[1].quantity");
            assert_eq!(reply.json()["lines"], json!([short(1, "LAST", 0)]));
        }
        assert_eq!((shop.left("LAST").await, shop.left("TEA").await), (0, 99));
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
    }
}

fn short(line: usize, sku: &str, available: i64) -> Value {
    json!({
        "line": line, "sku": sku, "reason": "out_of_stock", "available": available,
        "detail": format!("{available} left."),
    })
}

#[tokio::test]
async fn every_line_that_is_short_is_named_and_the_key_is_free_again() {
    let shop = Shop::open().await;
    shop.sell("NONE", 100, 0).await;
    let reply = shop.reply(&placing(&[("LAST", 2), ("TEA", 1), ("NONE", 1)])).await;
    assert_eq!(reply.status, 409);
    assert_eq!(reply.json()["lines"], json!([short(0, "LAST", 1), short(2, "NONE", 0)]));
    assert_eq!((orders(&shop).await, shop.left("TEA").await), (0, 100));
    assert_eq!(shop.reply(&placing(&[("LAST", 1)])).await.status, 201);
}

#[tokio::test]
async fn an_order_for_nothing_is_paid_at_once_and_shipped() {
    let shop = Shop::open().await;
    shop.sell("GIFT", 0, 5).await;
    let placed = shop.place(ADA, "GIFT", 1, KEY).await;
    shop.settle().await.unwrap();
    let view = shop.view(&placed).await;
    assert_eq!((&view["status"], &view["paid_at"]), (&json!("paid"), &view["placed_at"]));
    assert_eq!(view["shipments"][0]["status"], "pending");
    shop.check_invariants().await.unwrap();
}

async fn cancelled(shop: &Shop, placed: &Placed) -> (u16, String) {
    let reply = shop.reply(&cancelling(placed)).await;
    let problem = reply.problem();
    (reply.status, if problem.is_empty() { reply.text("/status") } else { problem })
}

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_once() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    assert_eq!(shop.left("TEA").await, 97);
    for _ in 0..3 {
        assert_eq!(cancelled(&shop, &placed).await, (200, "cancelled".to_owned()));
        assert_eq!(shop.left("TEA").await, 100);
    }
    let other = shop.place(ADA, "TEA", 3, &key("other", 1)).await;
    let asks = [cancelling(&other), cancelling(&other)];
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(shop.left("TEA").await, 100);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_unpaid_order_expires_after_its_hold_and_grace_and_not_before() {
    let shop = Shop::open().await;
    let (start, second) = (shop.now(), Period::of_seconds(1));
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    for (moment, done, status, available) in [
        (start.plus(HELD).minus(second), 0, "placed", 97),
        (start.plus(HELD), 1, "expired", 100),
        (start.plus(HELD).plus(second), 0, "expired", 100),
    ] {
        shop.clock().advance_to(moment);
        let swept = shop.run_schedule("order-expire").await.unwrap();
        assert_eq!(swept, json!({ "done": done, "settled": 0, "failed": 0 }));
        assert_eq!(shop.view(&placed).await["status"], status);
        assert_eq!(shop.left("TEA").await, available);
    }
    assert_eq!(shop.metrics().counted(Metric::OrderExpired), 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_payment_and_the_end_of_the_hold_race_to_one_end() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.clock().advance(HELD);
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    shop.relay().await.unwrap();
    let (folded, swept) =
        futures::join!(shop.consume(Queue::Payments), shop.run_schedule("order-expire"));
    folded.unwrap();
    swept.unwrap();
    shop.settle().await.unwrap();
    let view = shop.view(&placed).await;
    let refund = view["payments"][0]["refund_due"] == true;
    assert_eq!(view["status"] == "expired", refund, "{view}");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_order_in_trouble_keeps_no_other_from_expiring() {
    let shop = Shop::open().await;
    shop.place(ADA, "TEA", 1, KEY).await;
    shop.place("bob", "CUP", 1, KEY).await;
    shop.clock().advance(Period::of_days(1));
    // A query a shard, then a read and a write for each order.
    shop.port("order-expire").unwrap().fail(18, Fault::Before);
    let swept = shop.run_schedule("order-expire").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 1 }));
    let swept = shop.run_schedule("order-expire").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 0 }));
    shop.port("order-expire").unwrap().fail_always(Some(Fault::Before));
    shop.run_schedule("order-expire").await.unwrap_err();
}

#[tokio::test]
async fn orders_are_listed_latest_first_in_pages() {
    let shop = Shop::open().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(shop.place(ADA, "TEA", 1, &key("order", number)).await.id);
        shop.clock().advance(Period::of_seconds(60));
    }
    shop.place("bob", "TEA", 1, KEY).await;
    ids.reverse();
    let (mut listed, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let reply = shop.reply(&Ask::get(format!("/orders?limit=2{cursor}")).by_member(ADA)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let page = reply.json();
        let orders = page["orders"].as_array().unwrap();
        listed.extend(orders.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!((listed, pages), (ids, 3));
    let nobody = shop.reply(&Ask::get("/orders").by_member("eve")).await;
    assert_eq!(nobody.json(), json!({ "orders": [] }));
}

#[tokio::test]
async fn what_lists_do_not_understand_is_refused() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=%2B", "cursor"),
        ("sort=up", "sort"),
    ] {
        let reply = shop.reply(&Ask::get(format!("/orders?{query}")).by_member(ADA)).await;
        let found = (reply.status, reply.problem(), reply.text("/field"));
        assert_eq!(found, (400, "invalid-request".to_owned(), field.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_guests_pass_opens_one_order_for_its_time() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    let other = shop.place_as_guest("TEA", 1, &key("other", 1)).await;
    assert_eq!(shop.view(&placed).await["id"], placed.id);
    let path = placed.path("");
    for (ask, status, problem) in [
        (Ask::get(path.clone()), 401, "unauthenticated"),
        (Ask::get(path.clone()).with("order-token", "x.y"), 401, "unauthenticated"),
        (Ask::get(path.clone()).with("order-token", other.token.clone()), 404, "not-found"),
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem().as_str()), (status, problem), "{ask:?}");
    }
    shop.clock().advance(Period::of_days(90));
    let reply = shop.reply(&placed.sign_in(Ask::get(path))).await;
    assert_eq!((reply.status, reply.text("/field").as_str()), (401, "Order-Token"));
}

#[tokio::test]
async fn products_and_receipts_are_the_operators() {
    let shop = Shop::open().await;
    let product = json!({ "title": "Pot", "price": { "amount": 1, "currency": "GBP" } });
    let receipt = json!({ "quantity": 1 });
    let asks = [
        Ask::put("/products/POT", &product),
        Ask::get("/products/TEA"),
        Ask::post("/products/POT/receipts", &receipt),
    ];
    let before = shop.state().await.unwrap();
    for ask in asks {
        for (caller, status) in [(Caller::Anybody, 401), (Caller::Member("ada".into()), 403)] {
            let ask = ask.clone().keyed(KEY).by(caller);
            assert_eq!(shop.reply(&ask).await.status, status);
            // The function does not trust that the gateway looked.
            let (function, event) = shop.event_of(&ask).unwrap();
            let answer = shop.invoke(function, &event).await.unwrap();
            assert_eq!(answer["statusCode"], status);
        }
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_product_is_shown_as_it_was_written() {
    let shop = Shop::open().await;
    let product = json!({
        "title": "Pot",
        "price": { "amount": 6_400, "currency": "GBP" },
        "facts": { "category": "pots", "grams": 900, "floor": 5_000 },
        "access": { "tiers": ["gold"], "reserve": { "tiers": ["gold"], "units": 2 } },
    });
    let put = Ask::put("/products/POT", &product).by(Caller::Operator);
    let view = |sku: &str| Ask::get(format!("/products/{sku}")).by(Caller::Operator);
    let written = shop.reply(&put).await;
    let shown = shop.reply(&view("POT")).await;
    assert_eq!((shown.status, &shown.body), (200, &written.body));
    for (name, value) in product.as_object().unwrap() {
        assert_eq!(shown.json()[name], *value);
    }
    assert_eq!(shop.reply(&view("NONE")).await.problem(), "not-found");
    assert_eq!(shop.reply(&view("no sku")).await.problem(), "not-found");
}

#[tokio::test]
async fn a_receipt_comes_in_once() {
    let shop = Shop::open().await;
    let receive = |quantity: i64, key: &str| {
        let receipt = json!({ "quantity": quantity });
        Ask::post("/products/TEA/receipts", &receipt).by(Caller::Operator).keyed(key)
    };
    let first = shop.reply(&receive(5, KEY)).await;
    shop.clock().advance(Period::of_days(1));
    let again = shop.reply(&receive(5, KEY)).await;
    assert_eq!((again.status, &again.body, replayed(&again)), (201, &first.body, true));
    let other = shop.reply(&receive(6, KEY)).await;
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency-key-reused"));
    assert_eq!(shop.left("TEA").await, 105);
    for quantity in [0, -1, 1_000_001, i64::MAX] {
        let reply = shop.reply(&receive(quantity, &key("other", 1))).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, "quantity"));
    }
}

#[tokio::test]
async fn a_price_is_the_shops_at_the_moment_of_the_order() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.sell("TEA", 9_999, 0).await;
    assert_eq!((placed.total, &shop.view(&placed).await["total"]["amount"]), (2500, &json!(2500)));
    let dearer = shop.place(ADA, "TEA", 2, &key("other", 1)).await;
    assert_eq!(dearer.total, 19_998);
    let lower = json!({ "title": "Tea", "price": { "amount": -1, "currency": "GBP" } });
    let reply = shop.reply(&Ask::put("/products/TEA", &lower).by(Caller::Operator)).await;
    assert_eq!((reply.status, reply.text("/field").as_str()), (400, "price.amount"));
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_that_may_be_repeated() {
    let shop = Shop::open().await;
    shop.port("order-place").unwrap().fail_always(Some(Fault::Throttle));
    let ask = placing(&[("TEA", 1)]);
    let reply = shop.reply(&ask).await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "unavailable"));
    assert_eq!(reply.headers["retry-after"], "1");
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    let told: Value = reply.json();
    assert!(!told.to_string().contains("Provisioned"), "nothing internal leaks: {told}");
    shop.port("order-place").unwrap().fail_always(None);
    assert_eq!(shop.reply(&ask).await.status, 201);
}
