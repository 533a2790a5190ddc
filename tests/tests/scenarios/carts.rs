//! Situations of the functions of carts.

use aftercart::model::time::Period;
use aftercart_infra::world::Ask;

use crate::{
    carts::{cart, fill, guest, put, put_line, reminding},
    shop::ADA,
};

use super::{Scenario, http, schedule, told};

scenarios! {
    "cart-view", "a member's, of which one product is gone" => |shop| {
        fill(shop, &put(&cart(&[("TEA", 2), ("GONE", 1)])).by_member(ADA)).await;
        http(Ask::get("/cart").by_member(ADA))
    };
    "cart-view", "a guest's that nobody filled" => |_shop| {
        http(guest(Ask::get("/guest/cart")))
    };
    "cart-put", "a member's, from scratch" => |_shop| {
        http(put(&reminding(&[("TEA", 2), ("CUP", 1)])).by_member(ADA))
    };
    "cart-put", "a guest's, of the version that was seen" => |shop| {
        fill(shop, &guest(Ask::put("/guest/cart", &cart(&[("TEA", 2)])))).await;
        let mut body = cart(&[("CUP", 1)]);
        body["version"] = 1.into();
        http(guest(Ask::put("/guest/cart", &body)))
    };
    "cart-put", "of a version that is no more" => |shop| {
        fill(shop, &put(&cart(&[("TEA", 2)])).by_member(ADA)).await;
        let mut body = cart(&[("CUP", 1)]);
        body["version"] = 0.into();
        http(put(&body).by_member(ADA))
    };
    "cart-line-put", "a guest's line more" => |shop| {
        fill(shop, &guest(Ask::put("/guest/cart", &cart(&[("TEA", 2)])))).await;
        http(guest(put_line("/guest/cart", "CUP", 3)))
    };
    "cart-line-put", "a line that goes" => |shop| {
        fill(shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
        http(put_line("/cart", "TEA", 0).by_member(ADA))
    };
    "cart-merge", "two carts with a line in common" => |shop| {
        fill(shop, &guest(Ask::put("/guest/cart", &reminding(&[("TEA", 2), ("CUP", 1)])))).await;
        fill(shop, &put(&cart(&[("TEA", 1)])).by_member(ADA)).await;
        http(guest(Ask::post("/cart/merge", &serde_json::json!({})).by_member(ADA)))
    };
    "cart-remind", "two carts that nobody came back to" => |shop| {
        fill(shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
        fill(shop, &guest(Ask::put("/guest/cart", &reminding(&[("CUP", 1)])))).await;
        shop.clock().advance(Period::of_seconds(5 * 3_600));
        schedule()
    };
    "relay", "a reminder of a cart" => |shop| {
        fill(shop, &put(&reminding(&[("TEA", 2)])).by_member(ADA)).await;
        shop.clock().advance(Period::of_seconds(5 * 3_600));
        shop.run_schedule("cart-remind").await.unwrap();
        told(shop)
    };
}
