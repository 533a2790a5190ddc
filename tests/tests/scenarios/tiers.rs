//! Situations of the functions of tiers.

use aftercart::messages::Queue;
use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    shop::{ADA, KEY},
    stock::set_policy,
    tiers::{granting, kept, levels},
};

use super::{Scenario, http, waiting};

scenarios! {
    "membership-view", "a member who bought" => |shop| {
        set_policy(shop, &levels()).await;
        kept(shop, KEY, "AB-1234").await;
        http(Ask::get("/me/membership").by_member(ADA))
    };
    "tier-grant", "a first tier" => |shop| {
        set_policy(shop, &levels()).await;
        http(granting(&json!({ "tier": "gold", "until": "2026-12-24" })))
    };
    "tier-grant", "one that is taken back" => |shop| {
        set_policy(shop, &levels()).await;
        let given = granting(&json!({ "tier": "gold", "until": "2026-12-24" }));
        assert_eq!(shop.reply(&given).await.status, 200);
        http(granting(&json!({})))
    };
    "points-post", "a tier that is another one" => |shop| {
        set_policy(shop, &levels()).await;
        let given = granting(&json!({ "tier": "gold", "until": "2026-12-24" }));
        assert_eq!(shop.reply(&given).await.status, 200);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
}
