//! Bugs that were reported of other systems' points, by their numbers, and that
//! none of them can happen here.

use aftercart::{messages::Queue, model::points::Account, model::time::Period};
use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    points::{all_balances, called_off, order_paid, place_with_points, points_pay},
    shop::{ADA, KEY, Shop, key},
};

/// odoo/odoo 257854: goods are bought for the points and given back for the
/// money, the points stay, and that again and again.
#[tokio::test]
async fn who_gives_goods_back_keeps_no_points() {
    let shop = Shop::open().await;
    for number in 0..3 {
        let placed = shop.place(ADA, "TEA", 2, &key("again", number)).await;
        shop.pay(&placed).await;
        assert_eq!(all_balances(&shop).await, [25, 0, 0, 0, 0]);
        called_off(&shop, &placed).await;
        shop.settle().await.unwrap();
        assert_eq!(all_balances(&shop).await, [0; 5]);
    }
    shop.check_invariants().await.unwrap();
}

/// odoo/odoo 212922: goods that were paid with points are given back, and the
/// points are taken a second time.
#[tokio::test]
async fn points_that_paid_for_goods_come_back_and_are_not_taken_again() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let before = shop.store().all_points().await.unwrap().ledgers[0].lots.clone();
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    shop.pay(&placed).await;
    called_off(&shop, &placed).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 900, 0, 900, 0]);
    assert_eq!(shop.store().all_points().await.unwrap().ledgers[0].lots, before, "their ends, too");
}

/// FreeOpenSourcePOS/FloCafe 62: of lots that end on several days only the next
/// end is shown, what ended is never taken away, and the switch does nothing.
/// FreeOpenSourcePOS/FloCafe 78: what was spent is not of any lot, so that a lot
/// that ends takes the points with it that were spent of it long before.
#[tokio::test]
async fn a_lot_that_ends_takes_only_what_is_left_of_it() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 420, 0, 420, 0]);
    let seen = shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json();
    let lots = seen["lots"].as_array().unwrap().iter().map(|lot| lot["points"].clone());
    assert_eq!(lots.collect::<Vec<_>>(), [400, 20], "each with its end");
    // The first lot ends, of which 500 were spent: 400 go, and no more.
    shop.clock().advance(Period::of_days(351));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 20, 0, 20, 0]);
    let ledger = shop.store().all_points().await.unwrap().ledgers.remove(0);
    assert_eq!(ledger.balance(Account::Expired), 400);
    shop.check_invariants().await.unwrap();
}

/// FreeOpenSourcePOS/FloCafe 720: units that were taken off an order earn
/// points nevertheless.
#[tokio::test]
async fn what_was_taken_off_an_order_earns_nothing() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    shop.pay(&placed).await;
    assert_eq!(all_balances(&shop).await[0], 37);
    let off = json!({ "lines": [{ "sku": "TEA", "cancelled": 2 }] });
    let ask = placed.sign_in(Ask::post(placed.path("/units/cancel"), &off));
    assert_eq!(shop.reply(&ask).await.status, 200);
    shop.settle().await.unwrap();
    // Of 37 the share of two units of three is 24.
    assert_eq!(all_balances(&shop).await[0], 13);
    shop.check_invariants().await.unwrap();
}

/// Of the report about airline-booking only its subject was found: a booking
/// that is ingested twice earns twice. AnthropicBots/compressor 1476 describes
/// the same of `ORDER_CREATED`: as often as it is delivered, points are given.
#[tokio::test]
async fn an_order_that_is_told_of_again_earns_nothing_more() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    for round in 0..3 {
        for _ in 0..3 {
            shop.send(Queue::Points, order_paid(&shop, &placed.id));
        }
        shop.settle().await.unwrap();
        assert_eq!(all_balances(&shop).await, [25, 0, 0, 0, 0], "{round}");
        shop.clock().advance(Period::of_days(1));
    }
    shop.check_invariants().await.unwrap();
}
