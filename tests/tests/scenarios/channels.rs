//! Situations of tills and linked accounts.

use aftercart::{messages::Queue, model::time::Period};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    channels::{
        bobs_order, code_of, coming_back, held, holding, linked, linking, points_pay, receipt,
        till, undoing,
    },
    giving::grant,
    shop::{ADA, KEY},
};

use super::{Scenario, http, waiting};

scenarios! {
    "member-code", "a first code" => |_shop| {
        http(Ask::get("/me/code").by_member(ADA))
    };
    "till", "who is it" => |shop| {
        grant(shop, ADA, 100).await;
        http(till("members", &json!({ "code": code_of(shop, ADA).await })))
    };
    "till", "points are held" => |shop| {
        grant(shop, ADA, 100).await;
        http(holding(shop, 60, KEY).await)
    };
    "till", "held points are spent in part" => |shop| {
        grant(shop, ADA, 100).await;
        let hold = held(shop, 60).await;
        http(till("captures", &json!({ "hold": hold, "points": 40 })))
    };
    "till", "a hold is given up" => |shop| {
        grant(shop, ADA, 100).await;
        let hold = held(shop, 60).await;
        http(till("voids", &json!({ "hold": hold })))
    };
    "till", "a receipt" => |shop| {
        http(till("purchases", &receipt(shop, None).await))
    };
    "till", "goods come back that points paid for" => |shop| {
        grant(shop, ADA, 100).await;
        let hold = held(shop, 60).await;
        let capture = till("captures", &json!({ "hold": hold }));
        assert_eq!(shop.reply(&capture).await.status, 200);
        let body = receipt(shop, Some(&hold)).await;
        assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
        http(till("returns", &coming_back("b-1", 1)))
    };
    "account-link", "another account flows into this one" => |shop| {
        grant(shop, "bob", 100).await;
        http(linking(shop).await)
    };
    "account-link", "a code is shown" => |_shop| {
        http(Ask::get("/me/link-code").by_member(ADA))
    };
    "account-link", "a member takes two apart" => |shop| {
        grant(shop, "bob", 100).await;
        let path = format!("/me/links/{}/undoing", linked(shop).await);
        http(Ask::post(path, &json!({})).by_member("bob"))
    };
    "link-change", "an operator links two" => |shop| {
        grant(shop, "bob", 100).await;
        let body = json!({ "main": "cus_ada", "other": "cus_bob" });
        http(Ask::post("/operator/links", &body).by(Caller::Operator))
    };
    "link-change", "what is linked" => |shop| {
        linked(shop).await;
        http(Ask::get("/operator/customers/cus_ada/links").by(Caller::Operator))
    };
    "link-change", "two are taken apart" => |shop| {
        grant(shop, "bob", 100).await;
        http(undoing(&linked(shop).await))
    };
    "points-post", "an order of a linked account" => |shop| {
        points_pay(shop).await;
        grant(shop, ADA, 500).await;
        linked(shop).await;
        let order = bobs_order(shop).await;
        let payment = shop.start_payment(&order, "sandbox").await;
        shop.call_back(&shop.report(&order, &payment, "succeeded", "evt_1")).await;
        while shop.relay().await.unwrap() {}
        shop.consume(Queue::Payments).await.unwrap();
        while shop.relay().await.unwrap() {}
        waiting(shop, Queue::Points)
    };
    "points-post", "what a linked account owes" => |shop| {
        let body = receipt(shop, None).await;
        assert_eq!(shop.reply(&till("purchases", &body)).await.status, 201);
        shop.clock().advance(Period::of_days(15));
        shop.run_schedule("points-settle").await.unwrap();
        let body = json!({ "main": "cus_bob", "other": "cus_ada" });
        let link = Ask::post("/operator/links", &body).by(Caller::Operator);
        assert_eq!(shop.reply(&link).await.status, 201);
        assert_eq!(shop.reply(&till("returns", &coming_back("b-1", 1))).await.status, 200);
        while shop.relay().await.unwrap() {}
        waiting(shop, Queue::Points)
    };
}
