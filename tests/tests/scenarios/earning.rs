//! Situations of what members earn.

use aftercart::messages::Queue;
use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    earning::{answered, check_in, estimating, policy, reporting},
    shop::ADA,
    stock::set_policy,
};

use super::{Scenario, http, waiting};

scenarios! {
    "points-action", "a check-in" => |shop| {
        set_policy(shop, &policy()).await;
        http(check_in(ADA))
    };
    "points-action", "a first review" => |shop| {
        set_policy(shop, &policy()).await;
        http(reporting(&json!({ "customer": "cus_ada", "action": "review", "reference": "r-1" })))
    };
    "points-estimate", "a member's cart" => |shop| {
        set_policy(shop, &policy()).await;
        http(estimating(&json!({ "lines": [{ "sku": "TEA", "quantity": 2 }] })).by_member(ADA))
    };
    "points-estimate", "a stranger's cart" => |_shop| {
        http(Ask::post("/guest/points/estimate", &json!({ "lines": [{ "sku": "TEA", "quantity": 2 }] })))
    };
    "points-post", "an answered survey" => |shop| {
        set_policy(shop, &policy()).await;
        answered(shop).await;
        waiting(shop, Queue::Points)
    };
}
