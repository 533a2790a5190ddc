//! Situations of the functions that watch shipments, and of those that see to
//! what is wrong with them.

use aftercart::{messages::Queue, model::time::Period};
use aftercart_infra::world::{Ask, Caller};

use crate::{
    alerts::{come, generous, late, left, listed as open, resolving, scanned, watch},
    shop::{ADA, KEY},
};

use super::{Scenario, http, schedule, waiting};

scenarios! {
    "shipment-watch", "a late parcel that is made up for" => |shop| {
        generous(shop).await;
        late(shop).await;
        schedule()
    };
    "shipment-watch", "two orders that nobody packed" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        shop.pay(&placed).await;
        come(shop, "11-25T00:10");
        schedule()
    };
    "shipment-watch", "a delivery that is counted" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        left(shop, &placed).await;
        scanned(shop, "delivered").await;
        shop.clock().advance(Period::of_days(4));
        schedule()
    };
    "tracking-fold", "a parcel that comes back, and is made up for" => |shop| {
        generous(shop).await;
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        left(shop, &placed).await;
        shop.clock().advance(Period::of_days(1));
        shop.call_back(&shop.scan(crate::alerts::NUMBER, "returning")).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Tracking)
    };
    "alert-list", "a late parcel" => |shop| {
        late(shop).await;
        watch(shop).await;
        http(Ask::get("/operator/alerts?kind=late").by(Caller::Operator))
    };
    "alert-resolve", "a late parcel" => |shop| {
        late(shop).await;
        watch(shop).await;
        let alerts = open(shop, "").await;
        http(resolving(alerts[0]["id"].as_str().unwrap(), "carrier_asked"))
    };
}
