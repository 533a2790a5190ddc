//! Situations of the functions of starting and looking at payments.

use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    paying::{methods, policy, rates, set_rates, starting},
    shop::{ADA, KEY},
    stock::set_policy,
};

use super::{Scenario, http};

scenarios! {
    "payment-methods", "a member's order" => |shop| {
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        http(placed.sign_in(Ask::get(placed.path("/payment-methods"))))
    };
    "payment-methods", "a guest's order, with other currencies and parts" => |shop| {
        let parts = json!({ "months": [3], "least": { "GBP": 1 } });
        let ways = json!([{ "method": "test", "provider": "sandbox", "instalments": parts }]);
        set_policy(shop, &policy(&ways)).await;
        set_rates(shop).await;
        let placed = shop.place_as_guest("TEA", 2, KEY).await;
        http(placed.sign_in(Ask::get(placed.path("/payment-methods"))))
    };
    "payment-start", "in another currency" => |shop| {
        set_rates(shop).await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        let ways = methods(shop, &placed).await;
        let quote = &ways[0]["other_currencies"][0]["rate_quote"];
        let body = json!({ "provider": "stripe", "rate_quote": quote });
        http(starting(&placed, &body, KEY))
    };
    "payment-start", "in parts, and only the method named" => |shop| {
        let parts = json!({ "months": [3], "least": { "GBP": 1 } });
        let ways = json!([{ "method": "test", "provider": "sandbox", "instalments": parts }]);
        set_policy(shop, &policy(&ways)).await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        http(starting(&placed, &json!({ "method": "test", "instalments": 3 }), KEY))
    };
    "payment-view", "a guest's paid attempt" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        let payment = shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path(&format!("/payments/{payment}")))))
    };
    "payment-view", "all attempts of a member's order" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path("/payments"))))
    };
    "settings-put", "exchange rates" => |shop| {
        http(Ask::put("/exchange-rates", &rates(shop)).by(Caller::Operator))
    };
    "settings-view", "exchange rates" => |shop| {
        set_rates(shop).await;
        http(Ask::get("/exchange-rates").by(Caller::Operator))
    };
}
