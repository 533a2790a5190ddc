//! Situations of the functions of risk, of following orders and of finding them.

use aftercart::messages::Queue;
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    carts::{cart, fill, put},
    risk::{COUNTING, entry, from_device, ordered, set_rules},
    shop::{ADA, KEY, order},
};

use super::{Scenario, http, poison, waiting};

scenarios! {
    "order-follow", "an order out of a cart, where the rules count" => |shop| {
        set_rules(shop, COUNTING).await;
        fill(shop, &put(&cart(&[("TEA", 2)])).by_member(ADA)).await;
        let mut body = from_device(&order(&[("TEA", 2)]), "phone");
        body["cart"] = true.into();
        ordered(shop, Ask::post("/orders", &body).by_member(ADA).keyed(KEY)).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Orders)
    };
    "order-follow", "a member's paid order of two lines" => |shop| {
        let ask = Ask::post("/orders", &order(&[("TEA", 2), ("CUP", 1)]));
        let placed = ordered(shop, ask.by_member(ADA).keyed(KEY)).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        shop.relay().await.unwrap();
        shop.consume(Queue::Payments).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Orders)
    };
    "order-follow", "no message" => |shop| poison(shop, Queue::Orders);
    "order-search", "by number" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.settle().await.unwrap();
        http(Ask::get(format!("/operator/orders?order={}", placed.id)).by(Caller::Operator))
    };
    "order-search", "by customer" => |shop| {
        shop.place(ADA, "TEA", 1, KEY).await;
        http(Ask::get("/operator/orders?customer=cus_ada").by(Caller::Operator))
    };
    "order-search", "held ones" => |shop| {
        shop.place(ADA, "TEA", 1, KEY).await;
        http(Ask::get("/operator/orders?held=true").by(Caller::Operator))
    };
    "risk-list", "an e-mail address is blocked" => |_shop| {
        http(entry(&json!({ "kind": "email", "value": "eve@example.com", "listed": "blocked" })))
    };
    "risk-list", "a member is trusted no more" => |shop| {
        let trusted = json!({ "kind": "customer", "value": "cus_ada", "listed": "trusted" });
        assert_eq!(shop.reply(&entry(&trusted)).await.status, 200);
        http(entry(&json!({ "kind": "customer", "value": "cus_ada", "listed": null })))
    };
}
