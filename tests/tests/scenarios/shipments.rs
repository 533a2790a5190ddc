//! Situations of the functions that open and change shipments.

use aftercart::{
    messages::Queue,
    model::{id::ShipmentId, time::Period},
};
use serde_json::{Value, json};

use crate::{
    dispatch::{doing, send_with, services},
    harness::Trigger,
    orders::{holding, just_paid, releasing},
    shop::{ADA, KEY, Placed, Shop},
};

use super::{Scenario, http, waiting};

scenarios! {
    "shipment-open", "an order for which a service is chosen" => |shop| {
        send_with(shop, services()).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        just_paid(shop, &placed).await;
        waiting(shop, Queue::Shipments)
    };
    "shipment-open", "an order that was held before anything was opened" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        just_paid(shop, &placed).await;
        assert_eq!(shop.reply(&holding(shop, &placed).await).await.status, 200);
        shop.settle().await.unwrap();
        assert_eq!(shop.reply(&releasing(shop, &placed).await).await.status, 200);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Shipments)
    };
    "shipment-change", "units in a parcel of their own" => |shop| {
        send_with(shop, services()).await;
        let (placed, shipment) = open(shop, false).await;
        let body = json!({ "lines": [{ "sku": "TEA", "quantity": 1 }] });
        changing(&placed, &format!("/shipments/{shipment}/split"), &body)
    };
    "shipment-change", "a label that is taken off" => |shop| {
        let (placed, shipment) = open(shop, true).await;
        changing(&placed, &format!("/shipments/{shipment}/label/void"), &json!({}))
    };
    "shipment-change", "goods that are sent again" => |shop| {
        send_with(shop, services()).await;
        let (placed, shipment) = open(shop, true).await;
        changing(&placed, &format!("/shipments/{shipment}/replacement"), &json!({}))
    };
    "shipment-change", "goods that are not there to be sent again" => |shop| {
        let placed = shop.place(ADA, "LAST", 1, KEY).await;
        shop.pay(&placed).await;
        shop.label(&placed, "AB-1234").await;
        let shipment = shop.shipment(&placed).await;
        changing(&placed, &format!("/shipments/{shipment}/replacement"), &json!({}))
    };
    "shipment-change", "a parcel that was handed over without a scan" => |shop| {
        let (placed, shipment) = open(shop, true).await;
        let body = json!({ "how": "handed_over" });
        changing(&placed, &format!("/shipments/{shipment}/close"), &body)
    };
    "shipment-change", "goods that come back with a label" => |shop| {
        let (placed, _) = open(shop, true).await;
        shop.clock().advance(Period::of_days(3));
        let body = json!({
            "lines": [{ "sku": "TEA", "quantity": 1 }],
            "label": { "carrier": "generic", "tracking_number": "BA-1234" },
        });
        changing(&placed, "/returns", &body)
    };
}

/// A paid order of three, and its shipment.
async fn open(shop: &Shop, labelled: bool) -> (Placed, ShipmentId) {
    let placed = shop.place(ADA, "TEA", 3, KEY).await;
    shop.pay(&placed).await;
    if labelled {
        shop.label(&placed, "AB-1234").await;
        shop.settle().await.unwrap();
    }
    let shipment = ShipmentId::parse(&shop.shipment(&placed).await).unwrap();
    (placed, shipment)
}

fn changing(placed: &Placed, rest: &str, body: &Value) -> Trigger {
    http(doing(placed, rest, body))
}
