//! Situations of the functions of late money and of refunds by an operator.

use aftercart::messages::Queue;

use crate::{
    late_payments::{comes, expire},
    orders::rich,
    shop::{ADA, KEY, Placed, Shop},
};

use super::{Scenario, poison, waiting};

scenarios! {
    "order-retake", "an order with all that there is to take" => |shop| {
        let placed = rich(shop).await;
        too_late(shop, &placed).await;
        waiting(shop, Queue::LatePayments)
    };
    "order-retake", "a guest's order whose goods are gone" => |shop| {
        let placed = shop.place_as_guest("LAST", 1, KEY).await;
        too_late(shop, &placed).await;
        shop.place(ADA, "LAST", 1, KEY).await;
        waiting(shop, Queue::LatePayments)
    };
    "order-retake", "no message" => |shop| poison(shop, Queue::LatePayments);
}

/// Money comes for an order that has expired.
async fn too_late(shop: &Shop, placed: &Placed) {
    let payment = shop.start_payment(placed, "sandbox").await;
    expire(shop).await;
    comes(shop, placed, &payment).await;
}
