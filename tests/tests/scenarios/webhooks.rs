//! Situations of the functions that tell systems of the merchant.

use aftercart::{messages::Queue, model::time::Period};
use aftercart_infra::{
    merchant::Does,
    world::{Ask, Caller},
};
use serde_json::json;

use crate::{
    shop::{ADA, KEY, Shop, key},
    webhooks::{endpoint, listing, set_endpoints, webhooks},
};

use super::{Scenario, http, paid, poison, schedule, told, waiting};

scenarios! {
    "webhook-send", "a paid order" => |shop| {
        told_of(shop, "order.paid").await;
        paid(shop).await;
        waiting(shop, Queue::Webhooks)
    };
    "webhook-send", "a parcel's news" => |shop| {
        told_of(shop, "parcel.updated").await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        shop.label(&placed, "AB-1234").await;
        shop.settle().await.unwrap();
        shop.call_back(&shop.scan("AB-1234", "picked_up")).await;
        shop.relay().await.unwrap();
        shop.consume(Queue::Tracking).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Webhooks)
    };
    "webhook-send", "no message" => |shop| poison(shop, Queue::Webhooks);
    "webhook-sweep", "a message that was not taken" => |shop| {
        told_of(shop, "order.paid").await;
        shop.merchant().does([Does::Answer(500, None)]);
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        shop.clock().advance(Period::of_seconds(60));
        schedule()
    };
    "webhook-list", "what was given up" => |shop| {
        given_up(shop, 2).await;
        http(listing("endpoint=erp&state=dead&limit=1"))
    };
    "webhook-list", "one that is sent again" => |shop| {
        given_up(shop, 1).await;
        let dead = webhooks(shop, "endpoint=erp").await;
        let path = format!("/operator/webhooks/{}/replay", dead[0]["id"].as_str().unwrap());
        http(Ask::post(path, &json!({})).by(Caller::Operator))
    };
    "webhook-list", "all that are sent again" => |shop| {
        given_up(shop, 2).await;
        let (from, to) = ("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z");
        let body = json!({ "endpoint": "erp", "from": from, "to": to });
        http(Ask::post("/operator/webhooks/replays", &body).by(Caller::Operator))
    };
    "relay", "a paid order that an endpoint wants" => |shop| {
        told_of(shop, "order.paid").await;
        super::reported(shop, &["succeeded"]).await;
        shop.consume(Queue::Payments).await.unwrap();
        told(shop)
    };
}

async fn told_of(shop: &Shop, event: &str) {
    set_endpoints(shop, &json!([endpoint("erp", &[event])])).await;
}

/// Orders of which the endpoint does not want to know.
async fn given_up(shop: &Shop, orders: usize) {
    told_of(shop, "order.paid").await;
    shop.merchant().does(vec![Does::Answer(410, None); orders]);
    for number in 0..orders {
        let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        shop.pay(&placed).await;
        shop.clock().advance(Period::of_seconds(1));
    }
}
