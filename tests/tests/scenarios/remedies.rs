//! Situations of the functions that do something because of a ticket.

use aftercart::messages::Queue;

use crate::{
    dispatch::{send_with, services},
    remedies::{asked, points, refund, reship},
    shop::{ADA, KEY, Placed, Shop},
};

use super::{Scenario, poison, told, waiting};

scenarios! {
    "order-request", "money for units, and for the trouble" => |shop| {
        let placed = sent(shop, "TEA", 2).await;
        asked(shop, &placed, &[refund(1, 100)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::OrderRequests)
    };
    "order-request", "more than was paid" => |shop| {
        let placed = sent(shop, "TEA", 1).await;
        asked(shop, &placed, &[refund(0, 100_000)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::OrderRequests)
    };
    "order-request", "no message" => |shop| poison(shop, Queue::OrderRequests);
    "relay", "money that a ticket gives back" => |shop| {
        let placed = sent(shop, "TEA", 2).await;
        asked(shop, &placed, &[refund(1, 100)]).await;
        told(shop)
    };
    "shipment-open", "goods that a ticket has sent again" => |shop| {
        send_with(shop, services()).await;
        let placed = sent(shop, "TEA", 1).await;
        asked(shop, &placed, &[reship(&placed)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Shipments)
    };
    "shipment-open", "goods that are not there for a ticket" => |shop| {
        let placed = sent(shop, "LAST", 1).await;
        asked(shop, &placed, &[reship(&placed)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Shipments)
    };
    "points-post", "points that a ticket gives" => |shop| {
        let placed = sent(shop, "TEA", 1).await;
        asked(shop, &placed, &[points(200)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "more points than one gives alone" => |shop| {
        let placed = sent(shop, "TEA", 1).await;
        asked(shop, &placed, &[points(1_001)]).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
}

/// A paid order whose parcel has its label.
async fn sent(shop: &Shop, sku: &str, quantity: i64) -> Placed {
    let placed = shop.place(ADA, sku, quantity, KEY).await;
    shop.pay(&placed).await;
    shop.label(&placed, "AB-1234").await;
    shop.settle().await.unwrap();
    placed
}
