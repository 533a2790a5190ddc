//! Situations of the schedule that asks carriers.

use aftercart::{
    messages::Queue,
    model::{shipment::Carrier, time::Period},
};
use aftercart_infra::{
    carriers::{self, Happened, Known},
    signing::{Push, Scan},
    world::{Ask, Caller},
};
use serde_json::json;

use super::{Scenario, schedule, waiting};
use crate::{
    polling::asking,
    shop::{ADA, KEY, Shop},
    stock::set_policy,
};

scenarios! {
    "carrier-poll", "a new label" => |shop| {
        labelled(shop).await;
        schedule()
    };
    "carrier-poll", "a parcel of which nobody told, and bodies are kept" => |shop| {
        followed(shop).await;
        schedule()
    };
    "carrier-poll", "a parcel that was heard of" => |shop| {
        followed(shop).await;
        let at = shop.now();
        let scans = [Scan { status: "out_for_delivery", place: "Leeds", at }];
        let push = Push { event: "evt_1", number: NUMBER, scans: &scans, eta: None, at };
        shop.call_back(&carriers::of(Carrier::Easypost).push(&push)).await;
        schedule()
    };
    "tracking-fold", "a parcel that is to be asked about sooner" => |shop| {
        labelled(shop).await;
        shop.run_schedule("carrier-poll").await.unwrap();
        let at = shop.now();
        let scans = [Scan { status: "out_for_delivery", place: "Leeds", at }];
        let push = Push { event: "evt_1", number: NUMBER, scans: &scans, eta: None, at };
        shop.call_back(&carriers::of(Carrier::Easypost).push(&push)).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Tracking)
    };
}

const NUMBER: &str = "POLL-1";

/// An order with a label of a carrier that is asked.
async fn labelled(shop: &Shop) {
    let mut policy = asking(&[(Carrier::Generic, 60), (Carrier::Easypost, 60)]);
    policy["logistics"]["keep_payloads"] = json!("30d");
    set_policy(shop, &policy).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let shipment = shop.shipment(&placed).await;
    let path = format!("/orders/{}/shipments/{shipment}/label", placed.id);
    let label = json!({ "carrier": "easypost", "tracking_number": NUMBER });
    let reply = shop.reply(&Ask::post(path, &label).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
}

/// The same, a day later: the carrier knows more than it told.
async fn followed(shop: &Shop) {
    labelled(shop).await;
    shop.run_schedule("carrier-poll").await.unwrap();
    shop.clock().advance(Period::of_days(1));
    let at = shop.now().minus(Period::of_seconds(600));
    let scans = vec![Happened { status: "in_transit".to_owned(), place: "Leeds".to_owned(), at }];
    let known = Known { scans, eta: None, at };
    shop.carriers().memory(|memory| memory.happen(Carrier::Easypost, NUMBER, known));
}
