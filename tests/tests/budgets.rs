//! What each function costs: round trips and write units, measured. A change
//! of these numbers is a change of the bill, and is made here on purpose.

use std::{fmt::Write as _, fs, path::Path};

use aftercart::model::{policy::Policy, time::Period};
use aftercart_infra::world::{Ask, Caller, Options};
use serde_json::{Value, json};

use crate::{
    harness, scenarios,
    shop::{ADA, Shop, key, order},
};

/// Every scenario, each by a function that starts cold: with its secrets and
/// the policy still to read.
#[tokio::test]
async fn costs_are_the_ones_that_were_agreed() {
    let mut table = String::from("write units, round trips, function: scenario\n");
    for scenario in scenarios::all() {
        let (shop, trigger) = harness::prepared(&scenario).await;
        shop.restart(scenario.function).unwrap();
        harness::call(&shop, scenario.function, &trigger).await;
        let meter = shop.port(scenario.function).unwrap().meter();
        let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
        let (units, trips) = (meter.write_units(), calls.len());
        writeln!(table, "{units:>3} {trips:>3}  {scenario:?} ({})", calls.join(", ")).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("budgets.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let agreed = fs::read_to_string(&path).unwrap_or_default();
    for (found, agreed) in table.lines().zip(agreed.lines()) {
        assert_eq!(found, agreed, "run UPDATE=1 cargo test -p aftercart-tests if it is meant");
    }
    assert_eq!(table.lines().count(), agreed.lines().count());
}

/// A shop with an offer of every way to count, and a member with points.
async fn shop_of_offers() -> Shop {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 1,
    });
    let options = Options { policy: Some(policy.to_string()), ..Options::default() };
    let shop = Shop::open_with(options).await;
    let rule = |id: &str, code: &str, limits: Value| {
        json!({
            "id": id, "title": { "en": id }, "coupon": { "code": code }, "limits": limits,
            "effect": { "percent": { "off": 100 } },
        })
    };
    let rules = json!({ "version": "1", "zone": "UTC", "rules": [
        rule("open", "OPEN", json!({})),
        rule("limited", "LIMITED", json!({ "total": 1_000, "shards": 8 })),
        rule("twice", "TWICE", json!({ "total": 1_000, "per_customer": 500 })),
    ]});
    let reply = shop.reply(&Ask::put("/price-rules", &rules).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.sell("CHEST", 200_000, 2).await;
    let earned = shop.place(ADA, "CHEST", 1, &key("chest", 0)).await;
    shop.deliver(&earned, "AB-0001").await;
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    shop
}

/// What one order of Ada's costs, by a function that is warm: its write units
/// and its calls.
async fn cost_of(shop: &Shop, body: &Value, number: usize) -> (u64, Vec<String>) {
    let ask = Ask::post("/orders", body).by_member(ADA).keyed(&key("cost", number));
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    let meter = shop.port("order-place").unwrap().meter();
    (meter.write_units(), meter.calls.into_iter().map(|call| call.operation).collect())
}

/// An order of a line with an address costs 4 units, two for each of order and
/// stock, and one for each of its two index entries; every further SKU, limit
/// and hold of points costs 2. It takes one read and one transaction, and it
/// costs the same for a member of many orders and a code of many uses.
#[tokio::test]
async fn placing_costs_the_same_whatever_went_before() {
    let shop = shop_of_offers().await;
    let with = |lines: &[(&str, i64)], member: &str, value: Value| {
        let mut body = order(lines);
        body[member] = value;
        body
    };
    let one = &[("TEA", 1)][..];
    let cases = [
        (order(one), 6),
        (order(&[("TEA", 1), ("CUP", 1)]), 8),
        (with(one, "codes", json!(["open"])), 6),
        (with(one, "codes", json!(["limited"])), 8),
        (with(one, "codes", json!(["twice"])), 10),
        (with(one, "points", json!(50)), 8),
    ];
    let mut number = 0;
    for round in 0..2 {
        // Warm, and later with a past.
        for _ in 0..=(round * 12) {
            number += 1;
            cost_of(&shop, &with(one, "codes", json!(["limited"])), number).await;
        }
        for (body, units) in &cases {
            number += 1;
            let (found, calls) = cost_of(&shop, body, number).await;
            assert_eq!(found, *units, "round {round}: {body}");
            assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"], "round {round}: {body}");
        }
    }
    let mut asking = json!({ "lines": order(one)["lines"], "place": { "country": "GB" } });
    for _ in 0..2 {
        asking["codes"] = json!(["limited", "twice"]);
        let reply = shop.reply(&Ask::post("/quotes", &asking).by_member(ADA)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let meter = shop.port("quote-make").unwrap().meter();
    assert_eq!((meter.write_units(), meter.calls.len()), (0, 1));
}
