//! Situations in which somebody is invited, or reminded.

use aftercart::{messages::Queue, model::time::Period};
use serde_json::json;

use crate::{
    shop::{ADA, KEY, Shop},
    stock::set_policy,
    surveys::{asking, solved},
    tiers::{granting, levels},
};

use super::{Scenario, invited, schedule, waiting};

scenarios! {
    "survey-invite", "a paid order" => |shop| {
        set_policy(shop, &asking("checkout", &json!({}))).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        shop.relay().await.unwrap();
        shop.consume(Queue::Payments).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Surveys)
    };
    "survey-invite", "another tier" => |shop| {
        let mut policy = levels();
        policy["surveys"] = asking("tier", &json!({}))["surveys"].clone();
        set_policy(shop, &policy).await;
        shop.place(ADA, "TEA", 1, KEY).await;
        shop.settle().await.unwrap();
        let given = granting(&json!({ "tier": "gold", "until": "2026-12-24" }));
        assert_eq!(shop.reply(&given).await.status, 200);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Surveys)
    };
    "survey-invite", "a ticket that was solved" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        solved(shop, &placed).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Surveys)
    };
    "survey-send", "one about a ticket" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        solved(shop, &placed).await;
        shop.settle().await.unwrap();
        shop.clock().advance(Period::of_days(2));
        schedule()
    };
    "survey-send", "one about a tier" => |shop| {
        let mut tiers = levels();
        tiers["surveys"] = asking("tier", &json!({}))["surveys"].clone();
        set_policy(shop, &tiers).await;
        shop.place(ADA, "TEA", 1, KEY).await;
        shop.settle().await.unwrap();
        let given = granting(&json!({ "tier": "gold", "until": "2026-12-24" }));
        assert_eq!(shop.reply(&given).await.status, 200);
        shop.settle().await.unwrap();
        shop.clock().advance(Period::of_days(2));
        schedule()
    };
    "survey-send", "a reminder" => |shop| {
        invited(shop).await;
        shop.clock().advance(Period::of_days(5));
        schedule()
    };
    "survey-send", "one at night" => |shop| {
        night(shop).await;
        schedule()
    };
}

/// An invitation that comes due when it is night where its reader is.
async fn night(shop: &Shop) {
    let mut policy = asking("checkout", &json!({}));
    policy["contact"]["quiet"] = json!({ "from": "00:00", "until": "23:59" });
    set_policy(shop, &policy).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(4));
}
