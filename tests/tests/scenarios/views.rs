//! Situations of what members see of their points.

use aftercart_infra::world::Ask;

use crate::{
    point_views::{link_accounts, page, programme},
    rewards::{coupon, give, mug, offer},
    shop::{ADA, KEY},
};

use super::{Scenario, http};

scenarios! {
    "points-view", "an account into which another one flows" => |shop| {
        link_accounts(shop).await;
        http(Ask::get("/me/points").by_member(ADA))
    };
    "points-view", "movements of one kind, in Chinese" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(Ask::get("/me/points?kind=earned&lang=zh").by_member(ADA))
    };
    "points-programme", "the rules" => |shop| {
        programme(shop).await;
        http(Ask::get("/points/programme"))
    };
    "points-programme", "what a member can get" => |shop| {
        give(shop, ADA, &[(150, 400)]).await;
        offer(shop, "mug", &mug(3)).await;
        offer(shop, "five-off", &coupon()).await;
        http(Ask::get("/me/points/offers").by_member(ADA))
    };
    "points-page", "a member's points" => |shop| {
        programme(shop).await;
        link_accounts(shop).await;
        offer(shop, "mug", &mug(3)).await;
        http(Ask::get(page(shop, ADA).await))
    };
}
