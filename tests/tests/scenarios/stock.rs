//! Situations of the functions of stock.

use aftercart_infra::world::{Ask, Caller};
use serde_json::{Value, json};

use crate::{
    harness::Trigger,
    shop::{ADA, KEY, Shop},
    stock::{moving, with_places},
};

use super::{Scenario, http};

scenarios! {
    "product-view", "a product of the shop" => |_shop| {
        http(Ask::get("/products/TEA").by(Caller::Operator))
    };
    "stock-move", "ten are lost" => |_shop| {
        http(moving("TEA", &json!({ "kind": "loss", "units": 10, "note": "Wet" }), KEY))
    };
    "stock-move", "more are lost than there are" => |_shop| {
        http(moving("LAST", &json!({ "kind": "loss", "units": 2 }), KEY))
    };
    "stock-move", "a transfer between spread levels" => |shop| {
        with_places(shop).await;
        let transfer = json!({ "kind": "transfer", "to": "north", "units": 7 });
        http(moving("TEA", &transfer, KEY))
    };
    "stock-move", "a spread" => |shop| {
        with_places(shop).await;
        http(moving("TEA", &json!({ "kind": "spread" }), KEY))
    };
    "stock-view", "a product at two places" => |shop| {
        with_places(shop).await;
        http(Ask::get("/products/TEA/stock").by(Caller::Operator))
    };
    "stock-watch", "first levels, one of them low" => |shop| changed(shop);
    "stock-watch", "a level that ran out" => |shop| {
        shop.settle().await.unwrap();
        shop.place(ADA, "LAST", 1, KEY).await;
        changed(shop)
    };
    "stock-watch", "a level that stands as it was told" => |shop| {
        shop.settle().await.unwrap();
        shop.place(ADA, "TEA", 1, KEY).await;
        changed(shop)
    };
}

/// The event that stock-watch would be called with now.
fn changed(shop: &Shop) -> Trigger {
    let event: Value = shop.stream_event_of("stock-watch");
    assert_ne!(event["Records"], json!([]), "no level changed");
    Trigger::Event(event)
}
