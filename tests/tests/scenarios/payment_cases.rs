//! Situations of the functions of cases that wait for a person.

use crate::{
    payment_cases::{foreign, listing, mismatched, only_case, resolving, unknown_event},
    shop::{ADA, KEY},
};

use super::{Scenario, http};

scenarios! {
    "case-list", "a page of them" => |shop| {
        unknown_event(shop, "evt_1").await;
        foreign(shop).await;
        http(listing("limit=1"))
    };
    "case-resolve", "an unknown event that is dismissed" => |shop| {
        unknown_event(shop, "evt_1").await;
        http(resolving(&only_case(shop).await, "dismiss"))
    };
    "case-resolve", "another amount that is accepted" => |shop| {
        mismatched(shop).await;
        http(resolving(&only_case(shop).await, "accept"))
    };
    "case-resolve", "another amount that goes back" => |shop| {
        mismatched(shop).await;
        http(resolving(&only_case(shop).await, "refund"))
    };
    "case-resolve", "an event that can be read by now" => |shop| {
        let case = crate::payment_cases::readable_by_now(shop).await;
        http(resolving(&case, "replay"))
    };
    "case-resolve", "a refund that is tried again" => |shop| {
        let case = crate::payment_cases::refund_failed(shop).await;
        http(resolving(&case, "refund"))
    };
    "payment-fold", "another amount" => |shop| {
        crate::payment_cases::reported(shop, 1249).await;
        super::waiting(shop, aftercart::messages::Queue::Payments)
    };
    "payment-fold", "an attempt that is not known" => |shop| {
        crate::payment_cases::reported_foreign(shop).await;
        super::waiting(shop, aftercart::messages::Queue::Payments)
    };
    "payment-callback", "an event of an unknown type" => |shop| {
        http(crate::payment_cases::unknown(shop, "evt_1"))
    };
    "payment-callback", "whose body is kept" => |shop| {
        let mut policy = serde_json::json!(aftercart::model::policy::Policy::default_document().unwrap());
        policy["payments"]["keep_bodies"] = "30d".into();
        crate::stock::set_policy(shop, &policy).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        let report = shop.report(&placed, &payment, "succeeded", "evt_1");
        http(aftercart_infra::world::Ask::callback(&report))
    };
}
