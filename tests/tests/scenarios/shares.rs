//! Situations of offers that friends share.

use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    shares,
    shop::{ADA, Shop},
    stock::set_policy,
};

use super::{Scenario, http};

scenarios! {
    "share-start", "a group" => |shop| {
        set_policy(shop, &shares::policy()).await;
        http(Ask::post("/shares", &json!({ "campaign": "group" })).by_member(ADA))
    };
    "share-join", "the last of a group" => |shop| {
        let share = started(shop).await;
        let joins = format!("/shares/{share}/joins");
        let reply = shop.reply(&Ask::post(joins.clone(), &json!({})).by_member("bob")).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        http(Ask::post(joins, &json!({})).by_member("cid"))
    };
    "share-view", "a group" => |shop| {
        let share = started(shop).await;
        http(Ask::get(format!("/shares/{share}")))
    };
}

async fn started(shop: &Shop) -> String {
    set_policy(shop, &shares::policy()).await;
    let ask = Ask::post("/shares", &json!({ "campaign": "group" })).by_member(ADA);
    shop.reply(&ask).await.text("/id")
}
