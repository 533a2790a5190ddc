//! Situations of the tracking page.

use aftercart_infra::world::Ask;

use crate::{
    alerts::{late, left, scanned, watch},
    shop::{ADA, KEY},
    tracking::{choosing, page},
};

use super::{Scenario, http};

scenarios! {
    "tracking-page", "a parcel on its way" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        left(shop, &placed).await;
        scanned(shop, "in_transit").await;
        http(Ask::get(page(shop, &placed).await))
    };
    "tracking-page", "a buyer who is patient" => |shop| {
        let placed = late(shop).await;
        watch(shop).await;
        http(choosing(shop, &placed, "choice=wait").await)
    };
    "tracking-view", "a late parcel" => |shop| {
        let placed = late(shop).await;
        watch(shop).await;
        http(placed.sign_in(Ask::get(placed.path("/tracking"))))
    };
}
