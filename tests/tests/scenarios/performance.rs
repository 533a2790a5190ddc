//! Situations of the function that shows how promises were kept.

use aftercart_infra::world::{Ask, Caller};

use crate::performance::count;

use super::{Scenario, http};

scenarios! {
    "delivery-report", "two months" => |shop| {
        count(shop, "2026-10", "post", &[Some(2), None], true).await;
        count(shop, "2026-11", "post", &[Some(3)], false).await;
        http(Ask::get("/operator/deliveries?from=2026-10&to=2026-11").by(Caller::Operator))
    };
    "delivery-report", "what should be promised" => |shop| {
        count(shop, "2026-11", "post", &[Some(2); 30], true).await;
        http(Ask::get("/operator/promise-proposal").by(Caller::Operator))
    };
}
