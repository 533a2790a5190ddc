//! Carts, whole functions: filled, changed at once, merged, ordered, expired,
//! and their owners reminded once.

use aftercart::{
    messages::{CartAbandoned, Envelope, Message, Queue},
    model::{cart::CartOwner, customer::CustomerId, id::CartId, order::Order, time::Period},
    run::metrics::Metric,
};
use aftercart_infra::world::{Ask, Fault, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    hostile::{Refusal, refused},
    shop::{ADA, KEY, Shop, key, order},
};

const TOKEN: &str = "3c0f6c2e-8d0b-4d5e-9b62-6f2a0f7d41c8";

/// How long after its last change a cart is abandoned.
const ABANDONED: Period = Period::of_seconds(4 * 3_600);

/// The body of a cart of these lines.
pub(crate) fn cart(lines: &[(&str, i64)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
    json!({ "lines": lines })
}

/// The body of a cart whose owner wants to be reminded of it.
pub(crate) fn reminding(lines: &[(&str, i64)]) -> Value {
    let mut body = cart(lines);
    body["codes"] = json!(["ten-off"]);
    body["contact"] = json!({ "email": "ada@example.com", "language": "zh" });
    body["remind"] = true.into();
    body
}

pub(crate) fn put(body: &Value) -> Ask {
    Ask::put("/cart", body)
}

pub(crate) fn put_line(cart: &str, sku: &str, quantity: i64) -> Ask {
    Ask::put(format!("{cart}/lines/{sku}"), &json!({ "quantity": quantity }))
}

/// As the guest who has the token.
pub(crate) fn guest(ask: Ask) -> Ask {
    ask.with("cart-token", TOKEN)
}

/// Changes a cart, and the change must work.
pub(crate) async fn fill(shop: &Shop, ask: &Ask) -> Value {
    let reply = shop.reply(ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn merge() -> Ask {
    guest(Ask::post("/cart/merge", &json!({})).by_member(ADA))
}

fn guests(body: &Value) -> Ask {
    guest(Ask::put("/guest/cart", body))
}

async fn mine(shop: &Shop) -> Value {
    fill(shop, &Ask::get("/cart").by_member(ADA)).await
}

async fn the_guests(shop: &Shop) -> Value {
    fill(shop, &guest(Ask::get("/guest/cart"))).await
}

/// SKUs and quantities of a cart as it was shown.
fn lines(cart: &Value) -> Vec<(String, i64)> {
    let lines = cart["lines"].as_array().unwrap().iter();
    let line = |line: &Value| {
        (line["sku"].as_str().unwrap().to_owned(), line["quantity"].as_i64().unwrap())
    };
    lines.map(line).collect()
}

fn of(lines: &[(&str, i64)]) -> Vec<(String, i64)> {
    lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect()
}

fn members() -> CartId {
    CartOwner::Member(CustomerId::member(ADA).unwrap()).cart()
}

/// Runs the reminders; how many were sent.
async fn remind(shop: &Shop) -> i64 {
    let before = shop.metrics().counted(Metric::CartReminded);
    shop.run_schedule("cart-remind").await.unwrap();
    shop.settle().await.unwrap();
    shop.metrics().counted(Metric::CartReminded) - before
}

fn told(shop: &Shop) -> Vec<CartAbandoned> {
    let told = shop.queue(Queue::Notifications.name());
    let body = |body: &str| match Envelope::parse(body).unwrap().message {
        Message::CartAbandoned(abandoned) => Some(abandoned),
        _ => None,
    };
    told.iter().filter_map(|message| body(&message.body)).collect()
}

#[tokio::test]
async fn a_cart_is_there_from_the_start_and_shows_products_as_they_are() {
    let shop = Shop::open().await;
    let empty = json!({ "version": 0, "lines": [], "codes": [], "remind": false });
    assert_eq!((mine(&shop).await, the_guests(&shop).await), (empty.clone(), empty.clone()));
    let filled = fill(&shop, &put(&reminding(&[("TEA", 2), ("NEW", 1)])).by_member(ADA)).await;
    let tea = json!({ "sku": "TEA", "quantity": 2, "gone": false, "title": "TEA",
        "unit_price": { "amount": 1250, "currency": "GBP" } });
    assert_eq!(filled["lines"][0], tea);
    assert_eq!(filled["lines"][1], json!({ "sku": "NEW", "quantity": 1, "gone": true }));
    assert_eq!(filled["codes"], json!(["TEN-OFF"]));
    assert_eq!((&filled["version"], mine(&shop).await), (&json!(1), filled.clone()));
    shop.sell("TEA", 1_300, 0).await;
    shop.sell("NEW", 100, 0).await;
    let shown = mine(&shop).await;
    assert_eq!(shown["lines"][0]["unit_price"]["amount"], 1_300);
    assert_eq!(shown["lines"][1]["gone"], false);
    // Nobody else finds it.
    assert_eq!(the_guests(&shop).await, empty);
    assert_eq!(fill(&shop, &Ask::get("/cart").by_member("eve")).await, empty);
    let other = Ask::get("/guest/cart").with("cart-token", format!("{TOKEN}0"));
    assert_eq!(fill(&shop, &other).await, empty);
}

#[tokio::test]
async fn lines_are_set_and_taken_out_and_the_rest_stays() {
    let shop = Shop::open().await;
    fill(&shop, &guests(&reminding(&[("TEA", 2)]))).await;
    for (sku, quantity, expected) in [
        ("CUP", 3, &[("TEA", 2), ("CUP", 3)][..]),
        ("TEA", 9, &[("TEA", 9), ("CUP", 3)]),
        ("TEA", 0, &[("CUP", 3)]),
        ("TEA", 0, &[("CUP", 3)]),
    ] {
        let shown = fill(&shop, &guest(put_line("/guest/cart", sku, quantity))).await;
        assert_eq!(lines(&shown), of(expected));
        assert_eq!((&shown["codes"], &shown["remind"]), (&json!(["TEN-OFF"]), &json!(true)));
    }
    assert_eq!(the_guests(&shop).await["version"], 4);
}

#[tokio::test]
async fn what_is_so_already_is_not_written() {
    let shop = Shop::open().await;
    let body = reminding(&[("TEA", 2)]);
    let first = fill(&shop, &put(&body).by_member(ADA)).await;
    let before = shop.state().await.unwrap();
    shop.clock().advance(Period::of_seconds(60));
    let mut old = body.clone();
    old["version"] = 0.into();
    for ask in [put(&body), put(&old), put_line("/cart", "TEA", 2), put_line("/cart", "CUP", 0)] {
        assert_eq!(fill(&shop, &ask.by_member(ADA)).await, first);
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn a_version_that_was_not_seen_is_kept_and_shown() {
    let shop = Shop::open().await;
    fill(&shop, &put(&cart(&[("TEA", 1)])).by_member(ADA)).await;
    fill(&shop, &put_line("/cart", "CUP", 1).by_member(ADA)).await;
    let mut body = cart(&[("LAST", 1)]);
    body["version"] = 1.into();
    let before = shop.state().await.unwrap();
    let reply = shop.reply(&put(&body).by_member(ADA)).await;
    assert_eq!((reply.status, reply.problem().as_str()), (409, "cart-changed"));
    assert_eq!(
        (reply.text("/field").as_str(), &reply.json()["cart"]),
        ("version", &mine(&shop).await)
    );
    assert_eq!(shop.state().await.unwrap(), before);
    body["version"] = reply.json()["cart"]["version"].clone();
    let shown = fill(&shop, &put(&body).by_member(ADA)).await;
    assert_eq!((lines(&shown), &shown["version"]), (of(&[("LAST", 1)]), &json!(3)));
}

#[tokio::test]
async fn of_two_who_saw_the_same_version_one_comes_through() {
    let shop = Shop::open().await;
    fill(&shop, &put(&cart(&[("TEA", 1)])).by_member(ADA)).await;
    let asks: Vec<Ask> = (2..10)
        .map(|quantity| {
            let mut body = cart(&[("TEA", quantity)]);
            body["version"] = 1.into();
            put(&body).by_member(ADA)
        })
        .collect();
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    assert_eq!((count(200), count(409)), (1, 7));
    assert_eq!(mine(&shop).await["version"], 2);
}

#[tokio::test]
async fn many_tabs_at_once_lose_nothing() {
    let shop = Shop::open().await;
    for tabs in [8, 40] {
        let skus: Vec<String> = (0..tabs).map(|number| format!("S{tabs}-{number}")).collect();
        let asks: Vec<Ask> =
            skus.iter().map(|sku| guest(put_line("/guest/cart", sku, 1))).collect();
        let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
        let busy: Vec<&Reply> = replies.iter().filter(|reply| reply.status != 200).collect();
        assert!(busy.is_empty() || tabs > 8, "{busy:?}");
        assert!(busy.iter().all(|it| it.status == 503 && it.headers.contains_key("retry-after")));
        let shown = lines(&the_guests(&shop).await);
        for (sku, reply) in skus.iter().zip(&replies) {
            let there = shown.iter().any(|(known, _)| known == sku);
            assert_eq!(there, reply.status == 200, "{sku}");
        }
    }
}

#[tokio::test]
async fn a_cart_that_has_expired_is_empty_and_can_be_filled() {
    let shop = Shop::open().await;
    let body = reminding(&[("TEA", 1)]);
    fill(&shop, &guests(&body)).await;
    fill(&shop, &put(&cart(&[("CUP", 1)])).by_member(ADA)).await;
    let almost = Period::of_seconds(30 * 86_400 - 1);
    shop.clock().advance(almost);
    assert_eq!(lines(&the_guests(&shop).await), of(&[("TEA", 1)]));
    shop.clock().advance(Period::of_seconds(1));
    let expired = the_guests(&shop).await;
    let empty = json!({ "version": 1, "lines": [], "codes": [], "remind": false });
    assert_eq!(expired, empty);
    // It is no reminder's and no merge's any more.
    assert_eq!(remind(&shop).await, 0);
    assert_eq!(lines(&fill(&shop, &merge()).await["cart"]), of(&[("CUP", 1)]));
    let shown = fill(&shop, &guest(put_line("/guest/cart", "CUP", 2))).await;
    assert_eq!((lines(&shown), &shown["codes"]), (of(&[("CUP", 2)]), &json!([])));
    shop.clock().advance(Period::of_days(150));
    assert_eq!(lines(&mine(&shop).await), of(&[]));
}

#[tokio::test]
async fn a_merge_moves_every_unit_once() {
    let shop = Shop::open().await;
    fill(&shop, &guests(&reminding(&[("TEA", 2), ("CUP", 600)]))).await;
    fill(&shop, &put(&cart(&[("CUP", 600), ("LAST", 1)])).by_member(ADA)).await;
    let first = fill(&shop, &merge()).await;
    assert_eq!(lines(&first["cart"]), of(&[("CUP", 999), ("LAST", 1), ("TEA", 2)]));
    let taken = (&first["cart"]["codes"], &first["cart"]["remind"], &first["not_merged"]);
    assert_eq!(taken, (&json!(["TEN-OFF"]), &json!(true), &json!([])));
    let left = the_guests(&shop).await;
    assert_eq!((lines(&left), &left["codes"], left.get("contact")), (of(&[]), &json!([]), None));
    assert_eq!(fill(&shop, &merge()).await, first);

    fill(&shop, &guest(put_line("/guest/cart", "TEA", 1))).await;
    let asks = [merge(), merge(), merge()];
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    assert_eq!(lines(&mine(&shop).await).last(), of(&[("TEA", 3)]).first());
}

#[tokio::test]
async fn a_merge_beside_changes_of_both_carts_loses_nothing() {
    let shop = Shop::open().await;
    fill(&shop, &guests(&cart(&[("TEA", 1)]))).await;
    let asks = [
        merge(),
        guest(put_line("/guest/cart", "CUP", 1)),
        put_line("/cart", "LAST", 1).by_member(ADA),
    ];
    let replies = join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    assert!(replies.iter().all(|reply| reply.status == 200), "{replies:?}");
    let mut all = lines(&fill(&shop, &merge()).await["cart"]);
    all.sort();
    assert_eq!(all, of(&[("CUP", 1), ("LAST", 1), ("TEA", 1)]));
}

#[tokio::test]
async fn what_a_merge_has_no_room_for_stays_where_it_is() {
    let shop = Shop::open().await;
    let skus: Vec<String> = (0..49).map(|number| format!("S{number}")).collect();
    let full: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    fill(&shop, &put(&cart(&full)).by_member(ADA)).await;
    fill(&shop, &guests(&cart(&[("TEA", 1), ("CUP", 2), ("S0", 1)]))).await;
    let first = fill(&shop, &merge()).await;
    assert_eq!(first["not_merged"], json!(["CUP"]));
    assert_eq!((lines(&first["cart"]).len(), lines(&first["cart"])[0].1), (50, 2));
    assert_eq!(lines(&the_guests(&shop).await), of(&[("CUP", 2)]));
    assert_eq!(fill(&shop, &merge()).await, first);
}

#[tokio::test]
async fn an_abandoned_cart_is_told_of_once_a_filling() {
    let shop = Shop::open().await;
    let start = shop.now();
    let hours = |count: u32| start.plus(Period::of_seconds(count * 3_600));
    fill(&shop, &put(&reminding(&[("TEA", 2), ("CUP", 1)])).by_member(ADA)).await;
    for (hour, quantity, sent) in [
        (3, Some(3), 0),
        // Four hours after the last change, and no more.
        (6, None, 0),
        (7, None, 1),
        (8, None, 0),
        // Changed after the reminder: not again before seven days.
        (9, Some(4), 0),
        (24, None, 0),
        (7 + 7 * 24, None, 1),
        (8 + 7 * 24, None, 0),
        // Long after the reminder.
        (400, Some(5), 0),
        (403, None, 0),
        (404, None, 1),
        // Emptied: nothing to be told of.
        (800, Some(6), 0),
        (801, Some(0), 0),
        (802, None, 0),
    ] {
        shop.clock().advance_to(hours(hour));
        match quantity {
            Some(0) => drop(fill(&shop, &put(&reminding(&[])).by_member(ADA)).await),
            Some(units) => drop(fill(&shop, &put_line("/cart", "TEA", units).by_member(ADA)).await),
            None => {}
        }
        assert_eq!(remind(&shop).await, sent, "at hour {hour}");
    }
    let told = told(&shop);
    let first = json!({
        "cart": members(), "version": 3, "customer": "cus_ada", "email": "ada@example.com",
        "language": "zh", "skus": ["TEA", "CUP"], "unsubscribe": told[0].unsubscribe,
    });
    assert_eq!((told.len(), json!(told[0])), (3, first));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn nobody_is_reminded_who_did_not_agree() {
    let shop = Shop::open().await;
    let mut silent = reminding(&[("TEA", 1)]);
    silent["remind"] = false.into();
    fill(&shop, &put(&silent).by_member(ADA)).await;
    fill(&shop, &guests(&cart(&[("TEA", 1)]))).await;
    shop.clock().advance(Period::of_days(1));
    let swept = shop.run_schedule("cart-remind").await.unwrap();
    assert_eq!(swept, json!({ "done": 0, "settled": 0, "failed": 0 }));
}

#[tokio::test]
async fn sweeps_at_once_remind_once_and_a_change_beside_them_is_kept() {
    let shop = Shop::open().await;
    fill(&shop, &put(&reminding(&[("TEA", 1)])).by_member(ADA)).await;
    shop.clock().advance(ABANDONED);
    let change = put_line("/cart", "TEA", 2).by_member(ADA);
    let (one, other, changed) = tokio::join!(
        shop.run_schedule("cart-remind"),
        shop.run_schedule("cart-remind"),
        shop.reply(&change)
    );
    one.unwrap();
    other.unwrap();
    assert_eq!((changed.status, lines(&mine(&shop).await)), (200, of(&[("TEA", 2)])));
    // Whoever was first: not twice within seven days; and nobody hears of it
    // who came back before it went out.
    shop.clock().advance(Period::of_days(6));
    remind(&shop).await;
    let told = told(&shop).len();
    assert_eq!((shop.metrics().counted(Metric::CartReminded), told.min(1)), (1, told));
}

#[tokio::test]
async fn one_cart_in_trouble_keeps_no_other_waiting() {
    let shop = Shop::open().await;
    fill(&shop, &put(&reminding(&[("TEA", 1)])).by_member(ADA)).await;
    fill(&shop, &guests(&reminding(&[("TEA", 1)]))).await;
    shop.clock().advance(ABANDONED);
    // Four shards, the carts: then the first write.
    shop.port("cart-remind").unwrap().fail(6, Fault::Before);
    let swept = shop.run_schedule("cart-remind").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 1 }));
    let swept = shop.run_schedule("cart-remind").await.unwrap();
    assert_eq!(swept, json!({ "done": 1, "settled": 0, "failed": 0 }));
}

/// An order that comes from the member's cart, before anything follows from it.
async fn ordered(shop: &Shop, lines: &[(&str, i64)]) -> Order {
    let mut body = order(lines);
    body["cart"] = true.into();
    let reply = shop.reply(&Ask::post("/orders", &body).by_member(ADA).keyed(KEY)).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    shop.store().all_orders().await.unwrap().remove(0)
}

#[tokio::test]
async fn an_order_takes_out_what_was_ordered_however_often_it_is_told() {
    let shop = Shop::open().await;
    fill(&shop, &put(&reminding(&[("TEA", 2), ("CUP", 1)])).by_member(ADA)).await;
    let order = ordered(&shop, &[("TEA", 2)]).await;
    let end = async || shop.store().end_cart(&members(), &order, shop.now()).await.unwrap();
    tokio::join!(end(), end(), end());
    assert_eq!(lines(&mine(&shop).await), of(&[("CUP", 1)]));
    shop.clock().advance(ABANDONED);
    assert_eq!(remind(&shop).await, 0);
    // Added later stays, also when the order is told once more.
    fill(&shop, &put_line("/cart", "TEA", 1).by_member(ADA)).await;
    end().await;
    assert_eq!(lines(&mine(&shop).await), of(&[("CUP", 1), ("TEA", 1)]));
    shop.clock().advance(ABANDONED);
    assert_eq!(remind(&shop).await, 1);
}

#[tokio::test]
async fn an_order_of_the_whole_cart_empties_it_for_good() {
    let shop = Shop::open().await;
    fill(&shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
    let order = ordered(&shop, &[("TEA", 2)]).await;
    shop.settle().await.unwrap();
    let empty = json!({ "version": 2, "lines": [], "codes": [], "remind": false });
    assert_eq!(mine(&shop).await, empty);
    shop.clock().advance(ABANDONED);
    assert_eq!(remind(&shop).await, 0);
    // The same goods once more are another purchase.
    let again = fill(&shop, &put(&cart(&[("TEA", 2)])).by_member(ADA)).await;
    shop.store().end_cart(&members(), &order, shop.now()).await.unwrap();
    assert_eq!(mine(&shop).await, again);
}

#[tokio::test]
async fn a_guests_order_ends_the_guests_cart_and_an_order_without_one_none() {
    let shop = Shop::open().await;
    fill(&shop, &guests(&cart(&[("TEA", 2)]))).await;
    for (from_cart, left) in [(false, &[("TEA", 2)][..]), (true, &[])] {
        let mut body = order(&[("TEA", 2)]);
        body["cart"] = from_cart.into();
        let ask = Ask::post("/guest/orders", &body).keyed(&key("guest", from_cart.into()));
        let reply = shop.reply(&guest(ask)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        shop.settle().await.unwrap();
        assert_eq!(lines(&the_guests(&shop).await), of(left));
    }
}

/// A cart whose body was changed at a place.
fn changed(name: &str, value: Value) -> Ask {
    let mut body = reminding(&[("TEA", 1), ("CUP", 1)]);
    match body.pointer_mut(name) {
        Some(place) => *place = value,
        None => body[name.trim_start_matches('/')] = value,
    }
    put(&body).by_member(ADA)
}

#[tokio::test]
async fn carts_that_cannot_be() {
    let shop = Shop::open().await;
    let invalid = |field| (400, "invalid-request", field);
    let many = |count: usize| {
        let skus: Vec<String> = (0..count).map(|number| format!("S{number}")).collect();
        cart(&skus.iter().map(|sku| (sku.as_str(), 1)).collect::<Vec<_>>())["lines"].take()
    };
    let line = |quantity: Value| {
        Ask::put("/cart/lines/TEA", &json!({ "quantity": quantity })).by_member(ADA)
    };
    let cases: Vec<(&str, Ask, Refusal)> = vec![
        ("10,000 lines", changed("/lines", many(10_000)), (413, "body-too-large", "")),
        ("2,000 lines", changed("/lines", many(2_000)), invalid("lines")),
        ("51 lines", changed("/lines", many(51)), invalid("lines")),
        ("a SKU twice", changed("/lines/1/sku", json!("TEA")), invalid("lines[1].sku")),
        ("a SKU that is none", changed("/lines/1/sku", json!("a b")), invalid("lines[1].sku")),
        ("no units", changed("/lines/0/quantity", json!(0)), invalid("lines[0].quantity")),
        ("minus one", changed("/lines/0/quantity", json!(-1)), invalid("lines[0].quantity")),
        ("a thousand", changed("/lines/1/quantity", json!(1_000)), invalid("lines[1].quantity")),
        (
            "more than any number",
            changed("/lines/1/quantity", json!(u64::MAX)),
            invalid("lines[1].quantity"),
        ),
        ("half a unit", changed("/lines/0/quantity", json!(0.5)), invalid("lines[0].quantity")),
        (
            "a price",
            changed("/lines/0", json!({ "sku": "A", "quantity": 1, "price": 1 })),
            invalid("lines[0].price"),
        ),
        (
            "six codes",
            changed("/codes", json!(["A001", "A002", "A003", "A004", "A005", "A006"])),
            invalid("codes"),
        ),
        (
            "a code twice",
            changed("/codes", json!(["ten-off", "ＴＥＮ-ＯＦＦ"])),
            invalid("codes[1]"),
        ),
        ("a Cyrillic code", changed("/codes", json!(["ТЕN-OFF"])), invalid("codes[0]")),
        ("a code of control", changed("/codes", json!(["TEN\u{0}OFF"])), invalid("codes[0]")),
        ("an endless code", changed("/codes", json!(["X".repeat(10_000)])), invalid("codes[0]")),
        ("no mail address", changed("/contact/email", json!("ada")), invalid("contact.email")),
        ("a reminder to nobody", changed("/contact", Value::Null), invalid("contact")),
        ("a version below none", changed("/version", json!(-1)), invalid("version")),
        ("an unknown field", changed("/coupon", json!("FREE")), invalid("coupon")),
        ("no lines", put(&json!({})).by_member(ADA), invalid("body")),
        ("a thousand in a line", line(json!(1_000)), invalid("quantity")),
        ("minus one in a line", line(json!(-1)), invalid("quantity")),
        ("a word in a line", line(json!("1")), invalid("quantity")),
        (
            "an unknown field of a line",
            Ask::put("/cart/lines/TEA", &json!({ "quantity": 1, "price": 1 })).by_member(ADA),
            invalid("price"),
        ),
        ("no SKU", put_line("/cart", "a%20b", 1).by_member(ADA), (404, "not-found", "")),
    ];
    for (name, ask, expected) in cases {
        refused(&shop, name, &ask, expected).await;
    }
}

#[tokio::test]
async fn a_cart_takes_no_line_more_than_it_holds() {
    let shop = Shop::open().await;
    let skus: Vec<String> = (0..50).map(|number| format!("S{number}")).collect();
    let full: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    fill(&shop, &put(&cart(&full)).by_member(ADA)).await;
    let ask = put_line("/cart", "TEA", 1).by_member(ADA);
    refused(&shop, "a line more", &ask, (409, "cart-full", "sku")).await;
    fill(&shop, &put_line("/cart", "S49", 0).by_member(ADA)).await;
    assert_eq!(lines(&fill(&shop, &ask).await).len(), 50);
}

#[tokio::test]
async fn a_guests_cart_wants_its_key_and_a_members_the_member() {
    let shop = Shop::open().await;
    let keyless = [
        Ask::get("/guest/cart"),
        Ask::put("/guest/cart", &cart(&[])),
        put_line("/guest/cart", "TEA", 1),
        Ask::post("/cart/merge", &json!({})).by_member(ADA),
    ];
    let no_key = (400, "invalid-request", "Cart-Token");
    for ask in keyless {
        refused(&shop, "no key", &ask, no_key).await;
        for key in ["short", "a key of words and blanks", "schlüssel-von-jemand", &"k".repeat(129)]
        {
            refused(&shop, key, &ask.clone().with("cart-token", key), no_key).await;
        }
    }
    for ask in [
        Ask::get("/cart"),
        put(&cart(&[])),
        put_line("/cart", "TEA", 1),
        guest(Ask::post("/cart/merge", &json!({}))),
    ] {
        refused(&shop, "nobody", &ask, (401, "unauthenticated", "")).await;
    }
}
