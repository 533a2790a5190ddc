//! Situations of the functions of rewards, and of what follows for points.

use aftercart::messages::Queue;
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    rewards::{coupon, give, mug, offer, operating, service, take, taken, taking, upgrade},
    shop::{ADA, KEY, key},
};

use super::{Scenario, http, told, waiting};

scenarios! {
    "reward-put", "a new reward" => |_shop| {
        http(Ask::put("/rewards/mug", &mug(40)).by(Caller::Operator))
    };
    "reward-put", "more units of one that is taken" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        taken(shop, ADA, "mug", KEY).await;
        http(Ask::put("/rewards/mug", &mug(2)).by(Caller::Operator))
    };
    "reward-catalogue", "two rewards" => |shop| {
        offer(shop, "mug", &mug(40)).await;
        offer(shop, "five-off", &coupon()).await;
        http(Ask::get("/rewards"))
    };
    "reward-redeem", "goods of which there are few" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        http(taking(ADA, "mug", KEY))
    };
    "reward-redeem", "goods of which none is left" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(0)).await;
        http(taking(ADA, "mug", KEY))
    };
    "reward-redeem", "the faster delivery of an order" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "upgrade", &upgrade()).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        let body = json!({ "reward": "upgrade", "order": placed.id });
        http(Ask::post("/me/redemptions", &body).by_member(ADA).keyed(KEY))
    };
    "redemption-list", "a member's, in pages of two" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "service", &service()).await;
        for number in 0..3 {
            taken(shop, ADA, "service", &key("service", number)).await;
        }
        http(Ask::get("/me/redemptions?limit=2").by_member(ADA))
    };
    "redemption-list", "what waits for somebody" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "service", &service()).await;
        taken(shop, ADA, "service", KEY).await;
        http(Ask::get("/operator/redemptions").by(Caller::Operator))
    };
    "redemption-change", "a coupon is called off" => |shop| {
        let id = couponed(shop).await;
        shop.settle().await.unwrap();
        http(Ask::post(format!("/me/redemptions/{id}/cancellation"), &json!({})).by_member(ADA))
    };
    "redemption-change", "goods are called off at once" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        let id = taken(shop, ADA, "mug", KEY).await;
        http(Ask::post(format!("/me/redemptions/{id}/cancellation"), &json!({})).by_member(ADA))
    };
    "redemption-change", "goods are sent" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        let id = taken(shop, ADA, "mug", KEY).await;
        http(operating(&id, "fulfilment", &json!({ "note": "Parcel AB-1234" })))
    };
    "redemption-change", "goods come back" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        let id = taken(shop, ADA, "mug", KEY).await;
        shop.settle().await.unwrap();
        http(operating(&id, "return", &json!({ "restock": true })))
    };
    "points-post", "a coupon that was taken" => |shop| {
        couponed(shop).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "a reward that was called off before its points were spent" => |shop| {
        let id = couponed(shop).await;
        let path = format!("/me/redemptions/{id}/cancellation");
        assert_eq!(shop.reply(&Ask::post(path, &json!({})).by_member(ADA)).await.status, 200);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "goods that came back" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        offer(shop, "mug", &mug(1)).await;
        let id = taken(shop, ADA, "mug", KEY).await;
        shop.settle().await.unwrap();
        let back = operating(&id, "return", &json!({ "restock": false }));
        assert_eq!(shop.reply(&back).await.status, 200);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "relay", "a reward that was taken, for two queues" => |shop| {
        give(shop, ADA, &[(100, 400)]).await;
        shop.settle().await.unwrap();
        offer(shop, "mug", &mug(1)).await;
        taken(shop, ADA, "mug", KEY).await;
        told(shop)
    };
}

/// Ada takes a coupon; the redemption.
async fn couponed(shop: &crate::shop::Shop) -> String {
    give(shop, ADA, &[(100, 400)]).await;
    offer(shop, "five-off", &coupon()).await;
    let reply = take(shop, ADA, "five-off", KEY).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/id")
}
