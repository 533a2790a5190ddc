//! Situations of routes that none of the others call: those beside the first of
//! a function.

use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    care::{complained, doing, solving},
    shop::{ADA, KEY},
};

use super::{Scenario, http};

scenarios! {
    "payment-view", "a member's paid attempt" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path(&format!("/payments/{payment}")))))
    };
    "payment-view", "all attempts of a guest's order" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path("/payments"))))
    };
    "settings-view", "the policy" => |_shop| {
        http(Ask::get("/policy").by(Caller::Operator))
    };
    "ticket-change", "a note for the shop" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(doing(&ticket, "note", &json!({ "text": "The box was wet." })).keyed(KEY))
    };
    "ticket-change", "another priority" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(doing(&ticket, "priority", &json!({ "priority": "urgent" })))
    };
    "ticket-change", "a ticket that is open again" => |shop| {
        let (_, ticket) = complained(shop).await;
        assert_eq!(shop.reply(&solving(&ticket)).await.status, 200);
        http(doing(&ticket, "reopening", &json!({ "text": "It is still wet." })))
    };
}
