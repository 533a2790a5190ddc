//! Situations of the functions that decide about contacts.

use aftercart::{messages::Queue, model::contact::Purpose};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    contacts::{abandoned, at_night, choosing, clicking, forms, page_of, reminded},
    shop::{ADA, KEY, Shop},
};

use super::{Scenario, Trigger, http, poison, schedule, waiting};

/// The gate is about to see a reminder of Ada's cart.
async fn at_the_gate(shop: &Shop) -> Trigger {
    shop.run_schedule("cart-remind").await.unwrap();
    shop.relay().await.unwrap();
    waiting(shop, Queue::Contacts)
}

scenarios! {
    "contact-gate", "a reminder of a member's cart" => |shop| {
        abandoned(shop).await;
        at_the_gate(shop).await
    };
    "contact-gate", "a reminder at night" => |shop| {
        at_night(shop).await;
        at_the_gate(shop).await
    };
    "contact-gate", "a reminder that nobody wants" => |shop| {
        abandoned(shop).await;
        let reply = shop.reply(&choosing(&json!({ "carts": false }))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        at_the_gate(shop).await
    };
    "contact-gate", "no message" => |shop| poison(shop, Queue::Contacts);
    "contact-release", "a reminder that waited for the morning" => |shop| {
        at_night(shop).await;
        shop.run_schedule("cart-remind").await.unwrap();
        shop.settle().await.unwrap();
        shop.clock().advance_to("2026-11-22T08:00:00Z".to_owned().try_into().unwrap());
        schedule()
    };
    "contact-page", "a link of a reminder" => |shop| {
        reminded(shop).await;
        http(Ask::get(page_of(shop)))
    };
    "contact-page", "one click" => |shop| {
        reminded(shop).await;
        http(clicking(shop))
    };
    "contact-page", "choices on the page" => |shop| {
        reminded(shop).await;
        let form = forms(&Purpose::ALL, &[Purpose::Programme, Purpose::Marketing]);
        http(clicking(shop).with_body(form))
    };
    "contact-preferences", "a member's" => |shop| {
        reminded(shop).await;
        http(Ask::get("/me/contact-preferences").by_member(ADA))
    };
    "contact-preferences", "a choice" => |_shop| {
        http(choosing(&json!({ "marketing": true, "surveys": false })))
    };
    "contact-list", "a member who was contacted" => |shop| {
        reminded(shop).await;
        http(Ask::get("/operator/customers/cus_ada/contacts").by(Caller::Operator))
    };
    "contact-list", "a guest, by an order" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        let guest = aftercart::model::customer::CustomerId::guest(KEY);
        let path = format!("/operator/customers/{guest}/contacts?order={}", placed.id);
        http(Ask::get(path).by(Caller::Operator))
    };
}
