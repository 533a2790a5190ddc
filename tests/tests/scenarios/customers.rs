//! Situations of the functions of members' records and vouchers, and of points
//! that pay for orders.

use aftercart::{messages::Queue, model::time::Period};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    customers::{granted, granting},
    points::{called_off, place_with_points, points_pay},
    shop::{ADA, KEY, key},
};

use super::{Scenario, http, schedule, waiting};

scenarios! {
    "customer-put", "a first record" => |_shop| {
        let record = json!({ "tier": "gold", "segments": ["tea", "new"] });
        http(Ask::put("/customers/cus_ada", &record).by(Caller::Operator))
    };
    "customer-put", "a tier is taken away" => |shop| {
        let ask = Ask::put("/customers/cus_ada", &json!({ "tier": "gold" })).by(Caller::Operator);
        assert_eq!(shop.reply(&ask).await.status, 200);
        http(Ask::put("/customers/cus_ada", &json!({})).by(Caller::Operator))
    };
    "customer-view", "a record and vouchers" => |shop| {
        let ask = Ask::put("/customers/cus_ada", &json!({ "tier": "gold" })).by(Caller::Operator);
        assert_eq!(shop.reply(&ask).await.status, 200);
        for number in 0..3 {
            granted(shop, ADA, &key("voucher", number)).await;
        }
        http(Ask::get("/customers/cus_ada?limit=2").by(Caller::Operator))
    };
    "voucher-grant", "one that ends" => |_shop| {
        http(granting(ADA, &json!({ "rule": "spring", "expires_at": "2027-03-01T00:00:00Z" }), KEY))
    };
    "voucher-grant", "a key used twice" => |shop| {
        granted(shop, ADA, KEY).await;
        http(granting(ADA, &json!({ "rule": "autumn" }), KEY))
    };
    "voucher-list", "a page of two" => |shop| {
        for number in 0..3 {
            granted(shop, ADA, &key("voucher", number)).await;
        }
        http(Ask::get("/me/vouchers?limit=2").by_member(ADA))
    };
    "points-post", "an order that points pay for in part" => |shop| {
        points_pay(shop, 900).await;
        let placed = place_with_points(shop, "TEA", 2, &json!(500), KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        shop.relay().await.unwrap();
        shop.consume(Queue::Payments).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "a paid order that was called off" => |shop| {
        points_pay(shop, 900).await;
        let placed = place_with_points(shop, "TEA", 2, &json!(500), KEY).await;
        shop.pay(&placed).await;
        called_off(shop, &placed).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-settle", "a lot that ends while points of it are held" => |shop| {
        points_pay(shop, 900).await;
        place_with_points(shop, "TEA", 2, &json!(500), KEY).await;
        shop.clock().advance(Period::of_days(450));
        schedule()
    };
}
