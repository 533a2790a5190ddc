//! Situations of quotes and price rules.

use aftercart::model::{policy::Policy, time::Period};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    shop::{ADA, KEY, Shop, key, order},
    stock::set_policy,
};

use super::{Scenario, http};

scenarios! {
    "quote-make", "a member's two lines" => |_shop| {
        http(Ask::post("/quotes", &asking(&[("TEA", 2), ("CUP", 1)])).by_member(ADA))
    };
    "quote-make", "with a limited code, points and related goods" => |shop| {
        limited(shop).await;
        let mut policy = json!(Policy::default_document().unwrap());
        policy["offers"] = json!({
            "related": { "above": { "GBP": 0 }, "most": 3, "at_least": 1 },
        });
        set_policy(shop, &policy).await;
        let mut body = asking(&[("TEA", 1)]);
        body["codes"] = json!(["TEA10"]);
        body["points"] = json!("max");
        http(Ask::post("/quotes", &body).by_member(ADA))
    };
    "quote-make", "a guest's, of more than there is" => |_shop| {
        http(Ask::post("/guest/quotes", &asking(&[("LAST", 2)])))
    };
    "order-place", "with a limited code" => |shop| {
        limited(shop).await;
        let mut body = order(&[("TEA", 1)]);
        body["codes"] = json!(["TEA10"]);
        http(Ask::post("/orders", &body).by_member(ADA).keyed(KEY))
    };
    "order-place", "with a voucher, points and risk rules" => |shop| {
        let voucher = everything(shop).await;
        let mut body = order(&[("TEA", 4)]);
        body["vouchers"] = json!([voucher]);
        body["points"] = json!(100);
        http(Ask::post("/orders", &body).by_member(ADA).keyed(KEY))
    };
    "settings-put", "a policy" => |_shop| {
        let policy = json!(Policy::default_document().unwrap());
        http(Ask::put("/policy", &policy).by(Caller::Operator))
    };
    "settings-put", "price rules" => |_shop| {
        http(Ask::put("/price-rules", &rules()).by(Caller::Operator))
    };
    "settings-view", "price rules" => |shop| {
        limited(shop).await;
        http(Ask::get("/price-rules").by(Caller::Operator))
    };
}

fn asking(lines: &[(&str, i64)]) -> serde_json::Value {
    json!({ "lines": order(lines)["lines"], "place": { "country": "GB" } })
}

fn rules() -> serde_json::Value {
    json!({
        "version": "1", "zone": "UTC",
        "rules": [{
            "id": "tea-ten", "title": { "en": "Ten per cent off" },
            "coupon": { "code": "TEA10" }, "limits": { "total": 10, "shards": 2 },
            "effect": { "percent": { "off": 1_000 } },
        }],
    })
}

async fn limited(shop: &Shop) {
    let reply = shop.reply(&Ask::put("/price-rules", &rules()).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// A member with a voucher and points, in a shop with risk rules; the voucher.
async fn everything(shop: &Shop) -> String {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5_000, "least_points": 1,
    });
    policy["risk"] = json!({ "rules": [{
        "id": "busy", "title": "Many orders of a member",
        "when": { "velocity": { "of": "customer", "more_than": 5, "within": "1h" } },
        "then": "review",
    }] });
    set_policy(shop, &policy).await;
    let rules = json!({
        "version": "1", "zone": "UTC",
        "rules": [{
            "id": "welcome", "title": { "en": "Welcome" }, "coupon": { "voucher": true },
            "effect": { "amount": { "currency": "GBP", "off": 300 } },
        }],
    });
    let reply = shop.reply(&Ask::put("/price-rules", &rules).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let earned = shop.place(ADA, "TEA", 20, &key("earned", 0)).await;
    shop.deliver(&earned, "AB-0001").await;
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    let grant = Ask::post("/customers/cus_ada/vouchers", &json!({ "rule": "welcome" }));
    let granted = shop.reply(&grant.by(Caller::Operator).keyed(KEY)).await;
    assert_eq!(granted.status, 201, "{}", granted.body);
    granted.text("/id")
}
