//! Situations of points that members, campaigns and operators give.

use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    giving::{adjusting, drawing, ending, given, giving, grant, operated, policy},
    shop::{ADA, KEY, Shop},
    stock::set_policy,
};

use super::{Scenario, http};

scenarios! {
    "points-gift", "a gift" => |shop| {
        prepared(shop).await;
        http(giving("bob", 100, KEY))
    };
    "points-gift", "a gift that is accepted" => |shop| {
        prepared(shop).await;
        http(ending(&given(shop, 100, KEY).await, "acceptance", "bob"))
    };
    "points-gift", "a gift that is refused" => |shop| {
        prepared(shop).await;
        http(ending(&given(shop, 100, KEY).await, "refusal", "bob"))
    };
    "points-gift", "the gifts of a member" => |shop| {
        prepared(shop).await;
        given(shop, 100, KEY).await;
        http(Ask::get("/me/gifts").by_member("bob"))
    };
    "campaign-draw", "points rain" => |shop| {
        set_policy(shop, &policy()).await;
        http(drawing("rain", ADA, KEY))
    };
    "points-adjust", "points are given alone" => |shop| {
        set_policy(shop, &policy()).await;
        http(adjusting(ADA, 100, KEY))
    };
    "points-adjust", "more than one gives alone" => |shop| {
        set_policy(shop, &policy()).await;
        http(adjusting(ADA, 5_000, KEY))
    };
    "points-adjust", "another one approves it" => |shop| {
        let id = waiting(shop).await;
        let path = format!("/operator/points/adjustments/{id}/approval");
        http(Ask::post(path, &json!({})).by(Caller::Operator))
    };
    "points-adjust", "another one refuses it" => |shop| {
        let id = waiting(shop).await;
        let path = format!("/operator/points/adjustments/{id}/refusal");
        http(Ask::post(path, &json!({})).by(Caller::Operator))
    };
    "points-adjust", "what waits" => |shop| {
        waiting(shop).await;
        http(Ask::get("/operator/points/adjustments").by(Caller::Operator))
    };
}

/// Ada has points that may be given.
async fn prepared(shop: &Shop) {
    set_policy(shop, &policy()).await;
    grant(shop, ADA, 500).await;
}

/// An adjustment that somebody asked for.
async fn waiting(shop: &Shop) -> String {
    set_policy(shop, &policy()).await;
    let reply = operated(shop, "ann", &adjusting(ADA, 5_000, KEY)).await;
    assert_eq!(reply.text("/state"), "waiting", "{}", reply.body);
    reply.text("/id")
}
