//! Quotes, and orders that are placed by them.

use aftercart::run::metrics::Metric;
use aftercart_infra::world::{Ask, Caller, Options, Reply};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Shop, key, order};

/// A policy with express delivery, a store, tax, points and related goods.
fn policy() -> Value {
    let mut policy: Value =
        serde_json::from_str(include_str!("../../shared/policy/default.json")).unwrap();
    let standard = policy["delivery"]["methods"][0].clone();
    let mut express = standard.clone();
    express["id"] = json!("express");
    express["prices"] = json!({ "GBP": [{ "amount": 900 }] });
    express["points"] = json!(300);
    express["transit"] = json!({ "p50": 1, "p90": 2 });
    let mut courier = express.clone();
    courier["id"] = json!("courier");
    courier["points"] = Value::Null;
    policy["delivery"]["methods"] = json!([standard, express, courier]);
    policy["tax"] = json!({
        "prices_include_tax": true,
        "rules": [{ "countries": ["GB"], "rate": "20", "title": "VAT" }],
        "shipping": "as_goods",
    });
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 50,
    });
    policy["offers"] = json!({ "nearly": { "GBP": 2_000 } });
    policy
}

fn rules() -> Value {
    json!({
        "version": "november",
        "zone": "Europe/London",
        "rules": [
            {
                "id": "tea-code", "title": { "en": "Ten per cent off", "zh": "九折" },
                "coupon": { "code": "TEA10" }, "limits": { "total": 1 },
                "effect": { "percent": { "off": 1_000 } },
            },
            {
                "id": "ship-free", "title": { "en": "Free delivery" },
                "effect": { "free_shipping": { "over": { "currency": "GBP", "at": 4_000 } } },
            },
            {
                "id": "cup-gift", "title": { "en": "A cup" },
                "effect": { "gift": {
                    "sku": "LAST", "quantity": 1,
                    "from": { "spend": { "currency": "GBP", "at": 10_000 } },
                } },
            },
        ],
    })
}

async fn shop() -> Shop {
    let options = Options { policy: Some(policy().to_string()), ..Options::default() };
    let shop = Shop::open_with(options).await;
    let reply = shop.reply(&Ask::put("/price-rules", &rules()).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop
}

/// What a quote asks for these lines.
fn asking(lines: &[(&str, i64)]) -> Value {
    json!({
        "lines": order(lines)["lines"],
        "place": { "country": "GB", "postal_code": "N1 1AA" },
    })
}

async fn quoted(shop: &Shop, body: &Value) -> Value {
    let reply = shop.reply(&Ask::post("/quotes", body).by_member(ADA)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn place(shop: &Shop, body: &Value, number: usize) -> Reply {
    shop.reply(&Ask::post("/orders", body).by_member(ADA).keyed(&key("quoted", number))).await
}

fn kind(reply: &Reply) -> String {
    reply.text("/type").rsplit(':').next().unwrap().to_owned()
}

fn sum(lines: &Value, member: &str) -> i64 {
    lines.as_array().unwrap().iter().map(|line| line[member]["amount"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn an_order_is_placed_at_what_its_quote_says() {
    let shop = shop().await;
    let mut body = asking(&[("TEA", 2), ("CUP", 1)]);
    body["codes"] = json!([" tea10 "]);
    body["delivery"] = json!({ "method": "express" });
    let quote = quoted(&shop, &body).await;
    // 2 x 12.50 + 8.00 = 33.00, less ten per cent, with express for 9.00.
    assert_eq!(quote["subtotal"]["amount"], 2_970);
    assert_eq!(quote["delivery"]["price"]["amount"], 900);
    assert_eq!(quote["total"]["amount"], 3_870);
    let discount = &quote["discounts"][0];
    assert_eq!((&discount["rule"], &discount["shares"]), (&json!("tea-code"), &json!([250, 80])));
    assert_eq!(sum(&quote["lines"], "list") - sum(&quote["lines"], "discount"), 2_970);
    // A sixth of each price is tax.
    assert_eq!(quote["tax"]["total"]["amount"], 375 + 120 + 150);
    assert_eq!(quote["nearly"][0]["missing"]["amount"], 1_030);

    let mut wanted = order(&[("TEA", 2), ("CUP", 1)]);
    wanted["codes"] = json!(["TEA10"]);
    wanted["delivery"] = json!({ "method": "express" });
    wanted["quote"] = quote["id"].clone();
    let reply = place(&shop, &wanted, 0).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["total"], quote["total"]);
    // The code was for one order.
    let reply = place(&shop, &wanted, 1).await;
    assert_eq!((reply.status, kind(&reply).as_str()), (409, "quote-changed"), "{}", reply.body);
    let now = &reply.json()["quote"];
    assert_eq!(now["not_applied"][0]["reason"], "used_up");
    assert_eq!(now["total"]["amount"], 4_200);
    // Whoever has seen that may have it at that.
    wanted["quote"] = now["id"].clone();
    let reply = place(&shop, &wanted, 2).await;
    assert_eq!((reply.status, reply.json()["total"]["amount"].as_i64()), (201, Some(4_200)));
    // Nobody gets it without a word.
    wanted["quote"] = Value::Null;
    let reply = place(&shop, &wanted, 3).await;
    assert_eq!((reply.status, kind(&reply).as_str()), (409, "offer-not-applied"));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_quote_changes_with_prices_and_goods_and_with_nothing_else() {
    let shop = shop().await;
    let body = asking(&[("TEA", 1), ("LAST", 1)]);
    let first = quoted(&shop, &body).await;
    assert_eq!(quoted(&shop, &body).await["id"], first["id"]);
    shop.sell("TEA", 1_300, 0).await;
    let second = quoted(&shop, &body).await;
    assert_ne!(second["id"], first["id"]);
    let mut wanted = order(&[("TEA", 1), ("LAST", 1)]);
    wanted["quote"] = first["id"].clone();
    let reply = place(&shop, &wanted, 0).await;
    assert_eq!((reply.status, kind(&reply).as_str()), (409, "quote-changed"));
    assert_eq!(reply.json()["quote"]["id"], second["id"]);
    // Somebody else takes the last one.
    shop.place("bob", "LAST", 1, KEY).await;
    wanted["quote"] = second["id"].clone();
    let reply = place(&shop, &wanted, 0).await;
    assert_eq!((reply.status, kind(&reply).as_str()), (409, "out-of-stock"));
    assert_eq!(reply.json()["lines"][0]["sku"], "LAST");
    let third = quoted(&shop, &body).await;
    assert_eq!(third["id"], Value::Null);
    assert_eq!(third["obstacles"][0]["reason"], "out_of_stock");
    assert_eq!(shop.metrics().counted(Metric::OrderPlaced), 1);
}

#[tokio::test]
async fn gifts_come_as_long_as_there_are_any() {
    let shop = shop().await;
    let quote = quoted(&shop, &asking(&[("TEA", 8)])).await;
    let gift = &quote["lines"][1];
    assert_eq!((&gift["sku"], &gift["total"]["amount"]), (&json!("LAST"), &json!(0)));
    assert_eq!(gift["gift"], "cup-gift");
    let wanted = order(&[("TEA", 8)]);
    let reply = place(&shop, &wanted, 0).await;
    assert_eq!(reply.json()["lines"][1]["gift"], "cup-gift", "{}", reply.body);
    let second = quoted(&shop, &asking(&[("TEA", 8)])).await;
    assert_eq!(second["lines"].as_array().unwrap().len(), 1);
    assert_eq!(second["not_applied"][0]["reason"], "gift_out");
    // The goods are there, so the order is placed, without what was never asked for.
    assert_eq!(place(&shop, &wanted, 1).await.status, 201);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_quote_without_a_place_has_no_delivery_and_orders_nothing() {
    let shop = shop().await;
    let quote = quoted(&shop, &json!({ "lines": order(&[("TEA", 1)])["lines"] })).await;
    assert_eq!((&quote["id"], &quote["delivery"]), (&Value::Null, &Value::Null));
    assert_eq!(quote["total"]["amount"], 1_250);
}

#[tokio::test]
async fn guests_quote_without_an_account() {
    let shop = shop().await;
    let reply = shop.reply(&Ask::post("/guest/quotes", &asking(&[("TEA", 1)]))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    for (field, value) in [
        ("points", json!("max")),
        ("vouchers", json!(["vch_aaaaaaaaaaaaaaaaaaaaaaaaaa"])),
        ("delivery", json!({ "method": "express", "with_points": true })),
    ] {
        let mut body = asking(&[("TEA", 1)]);
        body[field] = value;
        let reply = shop.reply(&Ask::post("/guest/quotes", &body)).await;
        assert_eq!(reply.status, 400, "{field}: {}", reply.body);
        assert!(reply.text("/field").starts_with(field), "{}", reply.body);
    }
}

#[tokio::test]
async fn hostile_carts_are_refused_and_named() {
    let shop = shop().await;
    shop.sell("GOLD", 999_999_999_999, 10).await;
    let yen = json!({ "title": "Yen", "price": { "amount": 500, "currency": "JPY" } });
    shop.reply(&Ask::put("/products/YEN", &yen).by(Caller::Operator)).await;
    let many: Vec<Value> =
        (0..1_500).map(|n| json!({ "sku": format!("S{n}"), "quantity": 1 })).collect();
    let line = |sku: &str, quantity: Value| json!([{ "sku": sku, "quantity": quantity }]);
    for (member, value, status, field) in [
        ("lines", json!(many), 400, "lines"),
        ("lines", json!([]), 400, "lines"),
        ("lines", line("TEA", json!(0)), 400, "lines[0].quantity"),
        ("lines", line("TEA", json!(-1)), 400, "lines[0].quantity"),
        ("lines", line("TEA", json!(1_000)), 400, "lines[0].quantity"),
        ("lines", line("TEA", json!(9_223_372_036_854_775_807_i64)), 400, "lines[0].quantity"),
        ("lines", line("TEA", json!(1e30)), 400, "lines[0].quantity"),
        ("lines", line("TEA", json!("2")), 400, "lines[0].quantity"),
        ("lines", line("茶", json!(1)), 400, "lines[0].sku"),
        ("lines", line("NONE", json!(1)), 422, "lines[0].sku"),
        ("lines", line("GOLD", json!(2)), 400, "lines"),
        ("lines", order(&[("TEA", 1), ("TEA", 2)])["lines"].clone(), 400, "lines[1].sku"),
        ("lines", order(&[("TEA", 1), ("YEN", 1)])["lines"].clone(), 400, "lines[1].sku"),
        ("codes", json!(["ＴＥＡ１０", "ТЕА10"]), 400, "codes[1]"),
        ("codes", json!(["A"]), 400, "codes[0]"),
        ("codes", json!(vec!["TEA10"; 6]), 400, "codes"),
        ("vouchers", json!(["ord_aaaaaaaaaaaaaaaaaaaaaaaaaa"]), 400, "vouchers[0]"),
        ("vouchers", json!(vec!["vch_aaaaaaaaaaaaaaaaaaaaaaaaaa"; 2]), 400, "vouchers[1]"),
        ("points", json!(-1), 400, "points"),
        ("points", json!("all"), 400, "points"),
        ("delivery", json!({ "method": "teleport" }), 422, "delivery.method"),
        (
            "delivery",
            json!({ "method": "courier", "with_points": true }),
            422,
            "delivery.with_points",
        ),
        ("price", json!(1), 400, "price"),
        ("place", json!({ "country": "Atlantis" }), 400, "place.country"),
    ] {
        let mut body = asking(&[("TEA", 1)]);
        body[member] = value.clone();
        let reply = shop.reply(&Ask::post("/quotes", &body).by_member(ADA)).await;
        assert_eq!(reply.status, status, "{member} {value}: {}", reply.body);
        assert_eq!(reply.text("/field"), field, "{member} {value}: {}", reply.body);
    }
    // Ten thousand lines are more than a body may hold.
    let many: Vec<Value> =
        (0..10_000).map(|n| json!({ "sku": format!("S{n}"), "quantity": 1 })).collect();
    let reply = shop.reply(&Ask::post("/quotes", &json!({ "lines": many })).by_member(ADA)).await;
    assert_eq!(reply.status, 413);
}

#[tokio::test]
async fn vouchers_of_others_are_unknown() {
    let shop = shop().await;
    let mut with_voucher = rules();
    with_voucher["rules"].as_array_mut().unwrap().push(json!({
        "id": "welcome", "title": { "en": "Welcome" }, "coupon": { "voucher": true },
        "effect": { "amount": { "currency": "GBP", "off": 300 } },
    }));
    shop.reply(&Ask::put("/price-rules", &with_voucher).by(Caller::Operator)).await;
    shop.clock().advance(aftercart::model::time::Period::of_seconds(61));
    let grant = Ask::post("/customers/cus_bob/vouchers", &json!({ "rule": "welcome" }));
    let granted = shop.reply(&grant.by(Caller::Operator).keyed(KEY)).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    let mut body = asking(&[("TEA", 1)]);
    body["vouchers"] = json!([granted.text("/id")]);
    let mine = quoted(&shop, &body).await;
    assert_eq!(mine["not_applied"][0]["reason"], "unknown");
    let bobs = shop.reply(&Ask::post("/quotes", &body).by_member("bob")).await.json();
    assert_eq!(bobs["total"]["amount"], 950);
    // Bob spends it once; a cancelled order gives it back.
    let mut wanted = order(&[("TEA", 1)]);
    wanted["vouchers"] = body["vouchers"].clone();
    let spend = |number| {
        let ask = Ask::post("/orders", &wanted).by_member("bob").keyed(&key("bob", number));
        async { shop.reply(&{ ask }).await }
    };
    let first = spend(0).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let second = spend(1).await;
    assert_eq!((second.status, kind(&second).as_str()), (409, "offer-not-applied"));
    let cancel = format!("/orders/{}/cancel", first.text("/id"));
    assert_eq!(shop.reply(&Ask::post(cancel, &json!({})).by_member("bob")).await.status, 200);
    assert_eq!(spend(2).await.status, 201);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn points_pay_for_goods_and_for_delivery() {
    let shop = shop().await;
    // Tax earns nothing: 1,200.00 are 1,000.00 without it.
    shop.sell("CHEST", 120_000, 1).await;
    let earned = shop.place(ADA, "CHEST", 1, KEY).await;
    shop.deliver(&earned, "AB-0001").await;
    shop.clock().advance(aftercart::model::time::Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    let mut body = asking(&[("TEA", 2)]);
    body["delivery"] = json!({ "method": "express", "with_points": true });
    body["points"] = json!("max");
    let quote = quoted(&shop, &body).await;
    // 1,000 points, 300 of them for the delivery; half of the goods' 25.00 may
    // be paid with points, of which 100 are worth 1.00: 700 for 7.00.
    let shown = json!({
        "spendable": 1_000, "used": 1_000, "amount": { "amount": 700, "currency": "GBP" },
    });
    assert_eq!(quote["points"], shown);
    assert_eq!(quote["total"]["amount"], 1_800);
    let mut wanted = order(&[("TEA", 2)]);
    wanted["delivery"] = body["delivery"].clone();
    wanted["points"] = body["points"].clone();
    wanted["quote"] = quote["id"].clone();
    let reply = place(&shop, &wanted, 0).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!(reply.json()["total"]["amount"], 1_800);
    // All points are held now.
    wanted["quote"] = Value::Null;
    wanted["points"] = json!(100);
    let second = place(&shop, &wanted, 1).await;
    assert_eq!(
        (second.status, kind(&second).as_str()),
        (409, "offer-not-applied"),
        "{}",
        second.body
    );
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn price_rules_are_checked_before_they_hold() {
    let shop = shop().await;
    let mut odd = rules();
    odd["rules"][0]["effect"]["percent"]["off"] = json!(10_001);
    let reply = shop.reply(&Ask::put("/price-rules", &odd).by(Caller::Operator)).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(reply.text("/field"), "rules[0].effect.percent.off", "{}", reply.body);
    let held = shop.reply(&Ask::get("/price-rules").by(Caller::Operator)).await;
    assert_eq!(held.json()["version"], "november");
    let reply = shop.reply(&Ask::put("/price-rules", &rules()).by_member(ADA)).await;
    assert_eq!(reply.status, 403);
}

#[tokio::test]
async fn the_parts_of_a_limit_stay_for_as_long_as_its_rule() {
    let shop = shop().await;
    let mut split = rules();
    split["rules"][0]["limits"] = json!({ "total": 8, "shards": 4 });
    let put = |document: Value| Ask::put("/price-rules", &document).by(Caller::Operator);
    let reply = shop.reply(&put(split.clone())).await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    assert_eq!(reply.text("/field"), "rules[0].limits.shards");
    split["rules"][0]["id"] = json!("tea-code-anew");
    assert_eq!(shop.reply(&put(split)).await.status, 200);
}

#[tokio::test]
async fn the_policy_is_checked_and_shown() {
    let shop = shop().await;
    let mut document = policy();
    document["version"] = json!("second");
    let put = |document: &Value| Ask::put("/policy", document).by(Caller::Operator);
    assert_eq!(shop.reply(&put(&document)).await.status, 200);
    document["checkout"]["hold"] = json!("31d");
    let reply = shop.reply(&put(&document)).await;
    assert_eq!((reply.status, reply.text("/field").as_str()), (400, "checkout.hold"));
    document["checkout"]["hold"] = json!("soon");
    let reply = shop.reply(&put(&document)).await;
    assert_eq!((reply.status, reply.text("/field").as_str()), (400, "checkout.hold"));
    let shown = shop.reply(&Ask::get("/policy").by(Caller::Operator)).await;
    assert_eq!(shown.json()["version"], "second");
}

/// Each of the same calls at the same moment has the one order for an answer,
/// though it takes the last unit, a voucher's worth of a limit and points.
#[tokio::test]
async fn the_same_order_of_the_last_unit_in_parallel_is_one_order() {
    let shop = shop().await;
    let mut body = order(&[("LAST", 1)]);
    body["codes"] = json!(["TEA10"]);
    let ask = Ask::post("/orders", &body).by_member(ADA).keyed(KEY);
    for _ in 0..3 {
        let replies = futures::future::join_all((0..8).map(|_| shop.reply(&ask))).await;
        for reply in &replies {
            assert_eq!(reply.status, 201, "{}", reply.body);
            assert_eq!(reply.text("/id"), replies[0].text("/id"));
        }
    }
}
