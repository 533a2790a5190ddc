//! Situations of what people do to orders after they were placed.

use aftercart::model::time::Period;
use serde_json::{Value, json};

use crate::{
    orders::{
        calling_off, cancelling, holding, just_paid, operating, readdressing, releasing, rich,
    },
    shop::{ADA, KEY, Placed, Shop},
};

use super::{Scenario, http, schedule};

scenarios! {
    "order-cancel", "an unpaid order with all that there is to take" => |shop| {
        http(cancelling(&rich(shop).await))
    };
    "order-cancel", "a paid order without a shipment" => |shop| {
        http(cancelling(&paid(shop).await))
    };
    "order-cancel", "a paid order with a shipment" => |shop| {
        http(cancelling(&sent(shop).await))
    };
    "order-cancel", "an operator's" => |shop| {
        let placed = sent(shop).await;
        http(operating(shop, &placed, "/cancel", &json!({ "why": "Stolen card." })).await)
    };
    "order-expire", "an order with all that there is to take" => |shop| {
        rich(shop).await;
        shop.clock().advance(Period::of_seconds(2401));
        schedule()
    };
    "units-cancel", "a unit before the shipment opens" => |shop| {
        http(calling_off(&paid(shop).await, &[("TEA", 1)]))
    };
    "units-cancel", "a unit of an order with a shipment" => |shop| {
        http(calling_off(&sent(shop).await, &[("TEA", 1)]))
    };
    "units-cancel", "all units of a guest's order" => |shop| {
        let placed = shop.place_as_guest("TEA", 2, KEY).await;
        shop.pay(&placed).await;
        http(calling_off(&placed, &[("TEA", 2)]))
    };
    "units-cancel", "all units of an order with all that there is to take" => |shop| {
        let placed = rich(shop).await;
        shop.pay(&placed).await;
        http(calling_off(&placed, &[("TEA", 3), ("LAST", 1)]))
    };
    "order-refund", "a unit, the delivery and some more" => |shop| {
        let placed = sent(shop).await;
        let body = json!({
            "lines": [{ "sku": "TEA", "refunded": 1 }], "delivery": true,
            "goodwill": { "amount": 100, "currency": "GBP" }, "why": "Arrived broken.",
        });
        http(operating(shop, &placed, "/refunds", &body).await)
    };
    "address-change", "an unpaid guest's" => |shop| {
        let placed = shop.place_as_guest("TEA", 2, KEY).await;
        http(readdressing(&placed, &json!({ "line1": "2 High Street" })))
    };
    "address-change", "before the shipment opens" => |shop| {
        http(readdressing(&paid(shop).await, &json!({ "line1": "2 High Street" })))
    };
    "address-change", "of an order with a shipment" => |shop| {
        http(readdressing(&sent(shop).await, &json!({ "line1": "2 High Street" })))
    };
    "order-hold", "a hold before the shipment opens" => |shop| {
        let placed = paid(shop).await;
        http(holding(shop, &placed).await)
    };
    "order-hold", "a hold of an order with a shipment" => |shop| {
        let placed = sent(shop).await;
        http(holding(shop, &placed).await)
    };
    "order-hold", "a release" => |shop| {
        let placed = sent(shop).await;
        let hold = holding(shop, &placed).await;
        assert_eq!(shop.reply(&hold).await.status, 200);
        http(releasing(shop, &placed).await)
    };
    "order-note", "a note" => |shop| {
        let placed = sent(shop).await;
        http(operating(shop, &placed, "/notes", &json!({ "note": "Asks for a wrap." })).await)
    };
    "order-inspect", "an order with all that there is" => |shop| {
        let placed = rich(shop).await;
        shop.pay(&placed).await;
        http(operating(shop, &placed, "", &Value::Null).await)
    };
}

/// An order that is paid, and nobody was told yet.
async fn paid(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    just_paid(shop, &placed).await;
    placed
}

/// An order whose shipment is open.
async fn sent(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    placed
}
