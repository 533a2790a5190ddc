//! How orders leave: in parcels by place and weight, with chosen services,
//! changed by people before and after they left.

use std::collections::BTreeMap;

use aftercart::{
    messages::{ApologyDue, Envelope, Message, Queue, ShipmentOpened},
    model::{
        alert::AlertKind,
        customer::CustomerId,
        dispatch::{Compensation, Direction, Dispatch, MAX_SHIPMENTS, Shipment, ShipmentLine},
        id::ShipmentId,
        logistics::LogisticsPolicy,
        order::{Actor, Order},
        points::Account,
        product::Sku,
        shipment::{Carrier, Tracking, TrackingNumber},
        stock::LocationId,
        text::Text,
        time::{Period, Timestamp},
    },
    store::{Sends, shipments},
};
use aftercart_checkout::rules::{
    change::{self as ordered, By, Units},
    parcels,
};
use aftercart_infra::world::{Ask, Caller, Reply};
use aftercart_logistics::rules::{
    change::{self, Opening},
    label::{self, Label},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    late_payments::decided,
    orders::{calling_off, cancelling, just_paid, raced, readdressing, stored, told},
    performance::count,
    shop::{ADA, KEY, Placed, Shop, key, order},
};

/// A shop with two places that send, of whose first TEA has three.
pub(crate) async fn two_places(services: Value) -> Shop {
    let shop = Shop::empty_with(aftercart_infra::world::Options::default()).await;
    send_with(&shop, services).await;
    for (sku, grams, main, north) in [("TEA", 900, 3, 9), ("CUP", 300, 9, 9)] {
        let price = json!({ "amount": 1250, "currency": "GBP" });
        let product = json!({ "title": sku, "price": price, "facts": { "grams": grams } });
        let put = Ask::put(format!("/products/{sku}"), &product).by(Caller::Operator);
        assert_eq!(shop.reply(&put).await.status, 200);
        for (number, (location, units)) in
            [("main", main), ("north", north)].into_iter().enumerate()
        {
            let body = json!({ "kind": "receipt", "units": units, "location": location });
            let ask = Ask::post(format!("/products/{sku}/movements"), &body);
            let reply = shop.reply(&ask.by(Caller::Operator).keyed(&key("stock", number))).await;
            assert_eq!(reply.status, 201, "{}", reply.body);
        }
    }
    shop
}

/// Sends from two places, with these services.
pub(crate) async fn send_with(shop: &Shop, services: Value) {
    decided(shop, |policy| {
        policy["stock"]["locations"] =
            json!([{ "id": "main", "title": "Main" }, { "id": "north", "title": "North" }]);
        policy["logistics"]["services"] = services;
    })
    .await;
}

/// A service up to 2 kg, and one that takes half of it and costs less.
pub(crate) fn services() -> Value {
    let costs = |amount| json!({ "GBP": [{ "amount": amount }] });
    json!([
        { "id": "post", "carrier": "generic", "courier": "royal", "max_grams": 2000,
          "costs": costs(400), "days": 3 },
        { "id": "bike", "carrier": "generic", "max_grams": 1000, "costs": costs(300), "days": 1 },
    ])
}

pub(crate) async fn paid(shop: &Shop, lines: &[(&str, i64)]) -> Placed {
    let ask = Ask::post("/orders", &order(lines)).by_member(ADA).keyed(KEY);
    let placed = shop.placed(ask, Some(ADA)).await;
    shop.pay(&placed).await;
    placed
}

async fn dispatch(shop: &Shop, placed: &Placed) -> Dispatch {
    let all = shop.store().all_dispatches().await.unwrap();
    all.into_iter().find(|it| it.order.as_str() == placed.id).unwrap()
}

fn carried(shipment: &Shipment) -> (String, Vec<(String, u32)>) {
    let lines = shipment.lines.iter().map(|it| (it.sku.to_string(), it.quantity));
    (shipment.location.to_string(), lines.collect())
}

async fn all_carried(shop: &Shop, placed: &Placed) -> Vec<(String, Vec<(String, u32)>)> {
    dispatch(shop, placed).await.shipments.iter().map(carried).collect()
}

fn load(location: &str, lines: &[(&str, u32)]) -> (String, Vec<(String, u32)>) {
    (location.to_owned(), lines.iter().map(|(sku, units)| ((*sku).to_owned(), *units)).collect())
}

/// The tasks that the packers were given.
fn tasks(shop: &Shop) -> Vec<ShipmentOpened> {
    let told = shop.queue(Queue::Notifications.name());
    let read = told.iter().filter_map(|it| match Envelope::parse(&it.body).unwrap().message {
        Message::ShipmentOpened(task) => Some(task),
        _ => None,
    });
    read.collect()
}

/// What an operator does to a shipment of the order, or to the order.
pub(crate) fn doing(placed: &Placed, rest: &str, body: &Value) -> Ask {
    let path = format!("/orders/{}{rest}", placed.id);
    Ask::post(path, body).by(Caller::Operator).keyed(KEY)
}

async fn label(shop: &Shop, placed: &Placed, shipment: &ShipmentId, number: &str) -> Reply {
    let body = json!({ "carrier": "generic", "tracking_number": number });
    shop.reply(&doing(placed, &format!("/shipments/{shipment}/label"), &body)).await
}

async fn labelled(shop: &Shop, placed: &Placed, shipment: &ShipmentId, number: &str) {
    let reply = label(shop, placed, shipment, number).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
}

async fn scanned(shop: &Shop, number: &str, status: &str) {
    shop.clock().advance(Period::of_days(1));
    shop.call_back(&shop.scan(number, status)).await;
    shop.settle().await.unwrap();
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

fn problem(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

#[tokio::test]
async fn what_comes_from_two_places_is_two_parcels_and_there_with_the_last() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 10), ("CUP", 1)]).await;
    let expected = [load("main", &[("TEA", 3), ("CUP", 1)]), load("north", &[("TEA", 7)])];
    assert_eq!(all_carried(&shop, &placed).await, expected);
    let tasks = tasks(&shop);
    assert_eq!(tasks.len(), 2);
    assert_eq!((tasks[1].location.as_str(), tasks[1].lines[0].quantity), ("north", 7));
    assert_eq!((tasks[0].service.as_ref(), tasks[0].priority), (None, false));
    let parcels = dispatch(&shop, &placed).await;
    assert_eq!(parcels.due, Some(parcels.leaves_by()), "somebody looks whether they left");
    let (first, second) = (&parcels.shipments[0].id, &parcels.shipments[1].id);
    labelled(&shop, &placed, first, "AB-1111").await;
    for ask in [cancelling(&placed), calling_off(&placed, &[("CUP", 1)])] {
        assert_eq!(refused(&shop.reply(&ask).await), problem(409, "order-leaving"));
    }
    labelled(&shop, &placed, second, "AB-2222").await;
    let view = shop.view(&placed).await;
    assert_eq!(view["shipments"][1]["lines"], json!([{ "sku": "TEA", "quantity": 7 }]));
    assert_eq!(view["shipments"][1]["tracking_number"], "AB-2222");
    scanned(&shop, "AB-1111", "delivered").await;
    let of = CustomerId::member(ADA).unwrap();
    let matures = || async {
        let claims = shop.store().all_points().await.unwrap().claims;
        claims.iter().find(|(customer, _)| *customer == of).unwrap().1.matures_at
    };
    let surveys = || async { shop.store().all_surveys().await.unwrap().invites.len() };
    assert_eq!((matures().await, surveys().await), (None, 0), "one is on its way");
    scanned(&shop, "AB-2222", "delivered").await;
    assert_eq!(matures().await, Some(shop.now().plus(Period::of_days(14))));
    assert_eq!(surveys().await, 1);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_heavy_order_is_several_parcels_each_with_its_service() {
    let shop = two_places(services()).await;
    let placed = paid(&shop, &[("TEA", 3), ("CUP", 1)]).await;
    let expected = [load("main", &[("TEA", 2)]), load("main", &[("TEA", 1), ("CUP", 1)])];
    assert_eq!(all_carried(&shop, &placed).await, expected);
    let chosen: Vec<(String, String)> = tasks(&shop)
        .iter()
        .map(|task| (task.lines[0].sku.to_string(), task.service.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(chosen, [("TEA".into(), "post".into()), ("TEA".into(), "post".into())]);
    let ask = crate::orders::operating(&shop, &placed, "", &json!({})).await;
    let file = shop.reply(&ask).await.json();
    assert_eq!(file["packing"][1]["why"], "1200 g: the only one left");
    // The courier of the service is the parcel's.
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    labelled(&shop, &placed, &id, "AB-1111").await;
    let number = TrackingNumber::parse("AB-1111").unwrap();
    let tracking = Tracking { carrier: Carrier::Generic, number };
    let parcel = shop.store().parcel(&tracking).await.unwrap().parcel.unwrap();
    assert_eq!(parcel.courier, Some(Text::new("royal").unwrap()));
    assert!(parcel.window.is_some());
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_service_that_is_late_too_often_is_passed_over() {
    for (kept, service, why) in [
        (true, "bike", "300 g: the cheapest of 2, 3.00 GBP"),
        (false, "post", "300 g: the only one left; 1 left out as late too often"),
    ] {
        let shop = two_places(services()).await;
        for (month, kept) in [("2026-10", kept), ("2026-11", kept), ("2026-09", !kept)] {
            count(&shop, month, "bike", &[Some(2); 30], kept).await;
        }
        let placed = paid(&shop, &[("CUP", 1)]).await;
        let shipment = dispatch(&shop, &placed).await.shipments[0].clone();
        let chosen = shipment.chosen.unwrap();
        assert_eq!((chosen.service.as_str(), chosen.why.as_str()), (service, why));
    }
}

#[tokio::test]
async fn packers_hear_of_units_that_are_called_off_where_they_were_taken() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 10), ("CUP", 1)]).await;
    let reply = shop.reply(&calling_off(&placed, &[("TEA", 5)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    assert_eq!(all_carried(&shop, &placed).await[1], load("north", &[("TEA", 2)]));
    assert_eq!(tasks(&shop).last().unwrap().lines[0].quantity, 2);
    assert_eq!(tasks(&shop).len(), 3, "nothing changed at the other place");
    let reply = shop.reply(&calling_off(&placed, &[("TEA", 7)])).await;
    assert_eq!(reply.json()["shipments"].as_array().unwrap().len(), 1, "{}", reply.body);
    shop.settle().await.unwrap();
    assert_eq!(told(&shop, "notification.shipment_stopped"), 1);
    let parcels = dispatch(&shop, &placed).await;
    assert!(parcels.shipments[1].cancelled_at.is_some() && parcels.stopped_at.is_none());
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_is_opened_is_what_the_order_has_then() {
    for round in 0..3 {
        for change in [
            |placed: &Placed| calling_off(placed, &[("TEA", 2)]),
            |placed: &Placed| readdressing(placed, &json!({ "line1": "2 High Street" })),
        ] {
            let shop = two_places(json!([])).await;
            let ask = Ask::post("/orders", &order(&[("TEA", 5)])).by_member(ADA).keyed(KEY);
            let placed = shop.placed(ask, Some(ADA)).await;
            just_paid(&shop, &placed).await;
            let reply = raced(&shop, round, &change(&placed), Queue::Shipments).await;
            assert_eq!(reply.status, 200, "{}", reply.body);
            shop.settle().await.unwrap();
            assert!(!dispatch(&shop, &placed).await.shipments.is_empty(), "round {round}");
            shop.check_invariants().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_service_that_does_not_go_to_the_new_address_is_chosen_by_hand() {
    let mut offered = services();
    offered[1]["countries"] = json!(["GB"]);
    offered[1]["postal_codes"] = json!([{ "prefix": "N1 " }]);
    let shop = two_places(offered).await;
    let placed = paid(&shop, &[("CUP", 1)]).await;
    assert_eq!(tasks(&shop)[0].service, Some(Text::new("bike").unwrap()));
    for (code, service) in [("N1 2AA", Some("bike")), ("N2 1AA", None)] {
        let moved = readdressing(&placed, &json!({ "postal_code": code }));
        assert_eq!(shop.reply(&moved).await.status, 200);
        shop.settle().await.unwrap();
        let task = tasks(&shop).pop().unwrap();
        assert_eq!(task.service.as_ref().map(Text::as_str), service);
    }
}

#[tokio::test]
async fn units_go_in_a_parcel_of_their_own_once() {
    let shop = two_places(services()).await;
    let placed = paid(&shop, &[("CUP", 4)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let split = format!("/shipments/{id}/split");
    let body = |units: u32| json!({ "lines": [{ "sku": "CUP", "quantity": units }] });
    let reply = shop.reply(&doing(&placed, &split, &body(3))).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    assert_eq!((reply.text("/service"), reply.text("/location")), ("bike".into(), "main".into()));
    shop.settle().await.unwrap();
    let again = shop.reply(&doing(&placed, &split, &body(3))).await;
    assert_eq!((again.status, &again.body), (201, &reply.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let carried = [load("main", &[("CUP", 1)]), load("main", &[("CUP", 3)])];
    assert_eq!(all_carried(&shop, &placed).await, carried);
    assert_eq!(tasks(&shop).len(), 3, "the packers hear of both parts");
    let other = |body: Value| doing(&placed, &split, &body).keyed(&key("split", 1));
    let two = json!([{ "sku": "CUP", "quantity": 1 }, { "sku": "CUP", "quantity": 1 }]);
    for (ask, expected) in [
        (doing(&placed, &split, &body(2)), problem(422, "idempotency-key-reused")),
        (other(body(1)), problem(422, "whole-shipment")),
        (other(body(2)), problem(422, "too-many-units")),
        (
            other(json!({ "lines": [{ "sku": "TEA", "quantity": 1 }] })),
            problem(422, "unknown-line"),
        ),
        (other(json!({ "lines": two })), problem(400, "invalid-request")),
        (other(body(0)), problem(400, "invalid-request")),
        (other(json!({ "lines": [] })), problem(400, "invalid-request")),
        (doing(&placed, "/shipments/shp_1/split", &body(1)), problem(404, "not-found")),
    ] {
        assert_eq!(refused(&shop.reply(&ask).await), expected, "{ask:?}");
    }
    assert_eq!(shop.reply(&other(body(1)).by_member(ADA)).await.status, 403);
    assert_eq!(shop.reply(&other(body(1)).by(Caller::Anybody)).await.status, 401);
    labelled(&shop, &placed, &id, "AB-1111").await;
    assert_eq!(refused(&shop.reply(&other(body(1))).await), problem(409, "shipment-labelled"));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_order_has_so_many_shipments() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 12), ("CUP", 18)]).await;
    let at_first = dispatch(&shop, &placed).await.shipments.len();
    let (mut opened, mut full) = (at_first, Vec::new());
    'all: for place in 0..at_first {
        let shipment = dispatch(&shop, &placed).await.shipments[place].clone();
        let lines = shipment.lines.iter().flat_map(|line| vec![&line.sku; line.quantity as usize]);
        let units: Vec<&Sku> = lines.collect();
        for (number, sku) in units.iter().enumerate().skip(1) {
            let body = json!({ "lines": [{ "sku": sku, "quantity": 1 }] });
            let ask = doing(&placed, &format!("/shipments/{}/split", shipment.id), &body);
            let reply = shop.reply(&ask.keyed(&key("split", place * 100 + number))).await;
            if reply.status != 201 {
                full.push(refused(&reply));
                break 'all;
            }
            opened += 1;
        }
    }
    assert_eq!((opened, full), (MAX_SHIPMENTS, vec![problem(409, "too-many-shipments")]));
    assert_eq!(dispatch(&shop, &placed).await.shipments.len(), MAX_SHIPMENTS);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_label_is_taken_off_before_the_carrier_has_the_parcel() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("CUP", 4)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let void = doing(&placed, &format!("/shipments/{id}/label/void"), &json!({}));
    assert_eq!(shop.reply(&void).await.status, 200, "it has none");
    labelled(&shop, &placed, &id, "AB-1111").await;
    scanned(&shop, "AB-1111", "info_received").await;
    assert_eq!(refused(&shop.reply(&cancelling(&placed)).await), problem(409, "order-leaving"));
    let off = shop.reply(&void).await;
    assert_eq!((off.status, off.text("/status")), (200, "pending".into()), "{}", off.body);
    assert_eq!(shop.reply(&void).await.body, off.body);
    shop.settle().await.unwrap();
    // What the old number's carrier tells is not this parcel's any more.
    scanned(&shop, "AB-1111", "picked_up").await;
    assert_eq!(shop.view(&placed).await["shipments"][0]["status"], "pending");
    let reply = shop.reply(&calling_off(&placed, &[("CUP", 1)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    labelled(&shop, &placed, &id, "AB-2222").await;
    scanned(&shop, "AB-2222", "picked_up").await;
    assert_eq!(shop.view(&placed).await["shipments"][0]["status"], "picked_up");
    assert_eq!(refused(&shop.reply(&void).await), problem(409, "shipment-left"));
    let unknown = doing(&placed, "/shipments/shp_1/label/void", &json!({}));
    assert_eq!(refused(&shop.reply(&unknown).await), problem(404, "not-found"));
    // The number is free for another order.
    let ask = Ask::post("/orders", &order(&[("CUP", 1)])).by_member(ADA).keyed(&key("order", 2));
    let second = shop.placed(ask, Some(ADA)).await;
    shop.pay(&second).await;
    let other = dispatch(&shop, &second).await.shipments[0].id.clone();
    labelled(&shop, &second, &other, "AB-1111").await;
    let taken = label(&shop, &second, &other, "AB-2222").await;
    assert_eq!(refused(&taken), problem(409, "shipment-labelled"));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_scan_that_nobody_read_yet_keeps_the_label_on() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("CUP", 4)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    labelled(&shop, &placed, &id, "AB-1111").await;
    shop.call_back(&shop.scan("AB-1111", "picked_up")).await;
    let void = doing(&placed, &format!("/shipments/{id}/label/void"), &json!({}));
    assert_eq!(refused(&shop.reply(&void).await), problem(409, "shipment-left"));
}

#[tokio::test]
async fn a_number_is_used_again_after_some_months() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("CUP", 1)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    labelled(&shop, &placed, &id, "AB-1111").await;
    let ask = Ask::post("/orders", &order(&[("CUP", 1)])).by_member(ADA).keyed(&key("order", 2));
    let second = shop.placed(ask, Some(ADA)).await;
    shop.pay(&second).await;
    let other = dispatch(&shop, &second).await.shipments[0].id.clone();
    let taken = label(&shop, &second, &other, "AB-1111").await;
    assert_eq!(refused(&taken), problem(409, "label-in-use"));
    shop.clock().advance(Period::of_days(121));
    labelled(&shop, &second, &other, "AB-1111").await;
}

#[tokio::test]
async fn goods_are_sent_again_from_the_stock() {
    let shop = two_places(services()).await;
    let placed = paid(&shop, &[("TEA", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let path = format!("/shipments/{id}/replacement");
    assert_eq!(
        refused(&shop.reply(&doing(&placed, &path, &json!({}))).await),
        problem(409, "shipment-not-sent")
    );
    labelled(&shop, &placed, &id, "AB-1111").await;
    let before = shop.left("TEA").await;
    let scarce = json!({ "location": "main" });
    let none = shop.reply(&doing(&placed, &path, &scarce)).await;
    assert_eq!(refused(&none), problem(409, "too-few-units"));
    assert_eq!((none.text("/sku"), none.json()["available"].clone()), ("TEA".into(), json!(1)));
    let made = shop.reply(&doing(&placed, &path, &json!({}))).await;
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!((made.text("/location"), made.text("/replaces")), ("north".into(), id.to_string()));
    assert_eq!(shop.left("TEA").await, before - 2);
    let again = shop.reply(&doing(&placed, &path, &json!({}))).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    assert_eq!(shop.left("TEA").await, before - 2, "once");
    let twice = doing(&placed, &path, &json!({})).keyed(&key("again", 1));
    assert_eq!(refused(&shop.reply(&twice).await), problem(409, "shipment-replaced"));
    let void = doing(&placed, &format!("/shipments/{id}/label/void"), &json!({}));
    assert_eq!(refused(&shop.reply(&void).await), problem(409, "shipment-replaced"));
    assert_eq!(
        refused(&shop.reply(&cancelling(&placed)).await),
        problem(409, "order-leaving"),
        "what left has left"
    );
    shop.settle().await.unwrap();
    assert_eq!(tasks(&shop).pop().unwrap().location.as_str(), "north");
    let parcels = dispatch(&shop, &placed).await;
    let new = parcels.shipments[1].id.clone();
    assert!(parcels.shipments[0].cancelled_at.is_some());
    labelled(&shop, &placed, &new, "AB-2222").await;
    scanned(&shop, "AB-2222", "delivered").await;
    assert!(dispatch(&shop, &placed).await.delivered_at().is_some(), "the first is not waited for");
    let view = shop.view(&placed).await;
    assert!(view["shipments"][0]["replaced_at"].is_string());
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn some_of_the_goods_are_sent_again() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 2), ("CUP", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    labelled(&shop, &placed, &id, "AB-1111").await;
    let path = format!("/shipments/{id}/replacement");
    for (lines, expected) in [
        (json!([{ "sku": "CUP", "quantity": 3 }]), problem(422, "too-many-units")),
        (json!([{ "sku": "POT", "quantity": 1 }]), problem(422, "unknown-line")),
    ] {
        let reply = shop.reply(&doing(&placed, &path, &json!({ "lines": lines }))).await;
        assert_eq!(refused(&reply), expected);
    }
    let one = json!({ "lines": [{ "sku": "CUP", "quantity": 1 }], "location": "north" });
    let made = shop.reply(&doing(&placed, &path, &one)).await;
    assert_eq!((made.status, made.text("/location")), (201, "north".into()), "{}", made.body);
    shop.settle().await.unwrap();
    assert_eq!(all_carried(&shop, &placed).await[1], load("north", &[("CUP", 1)]));
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn goods_come_back_in_a_parcel_of_their_own() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 2), ("CUP", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let one = json!({ "lines": [{ "sku": "CUP", "quantity": 1 }] });
    assert_eq!(
        refused(&shop.reply(&doing(&placed, "/returns", &one)).await),
        problem(422, "unknown-line"),
        "nothing was sent yet"
    );
    labelled(&shop, &placed, &id, "AB-1111").await;
    scanned(&shop, "AB-1111", "delivered").await;
    let mut with_label = one.clone();
    with_label["label"] = json!({ "carrier": "generic", "tracking_number": "AB-1111" });
    let taken = shop.reply(&doing(&placed, "/returns", &with_label)).await;
    assert_eq!(refused(&taken), problem(409, "label-in-use"));
    with_label["label"]["tracking_number"] = json!("BA-1111");
    let back = shop.reply(&doing(&placed, "/returns", &with_label)).await;
    assert_eq!((back.status, back.text("/direction")), (201, "back".into()), "{}", back.body);
    assert_eq!(
        (back.text("/tracking_number"), back.text("/location")),
        ("BA-1111".into(), "main".into())
    );
    let again = shop.reply(&doing(&placed, "/returns", &with_label)).await;
    assert_eq!((again.status, &again.body), (201, &back.body));
    let other = |body: &Value, number| doing(&placed, "/returns", body).keyed(&key("back", number));
    let two = json!({ "lines": [{ "sku": "CUP", "quantity": 2 }] });
    assert_eq!(refused(&shop.reply(&other(&two, 1)).await), problem(422, "too-many-units"));
    let later = shop.reply(&other(&one, 2)).await;
    assert_eq!(later.status, 201, "{}", later.body);
    let later = ShipmentId::parse(&later.text("/id")).unwrap();
    labelled(&shop, &placed, &later, "BA-2222").await;
    let arrived = dispatch(&shop, &placed).await.delivered_at();
    scanned(&shop, "BA-1111", "delivered").await;
    let parcels = dispatch(&shop, &placed).await;
    assert_eq!(parcels.delivered_at(), arrived, "what comes back is no delivery");
    assert!(parcels.shipments[1].journey.delivered_at.is_some());
    let replaced = doing(&placed, &format!("/shipments/{later}/replacement"), &json!({}))
        .keyed(&key("back", 3));
    assert_eq!(refused(&shop.reply(&replaced).await), problem(404, "not-found"));
    shop.check_invariants().await.unwrap();
}

/// What is done about a shipment that no scan ends.
async fn closed(shop: &Shop, placed: &Placed, shipment: &ShipmentId, how: &str) -> Reply {
    let path = format!("/shipments/{shipment}/close");
    let reply = shop.reply(&doing(placed, &path, &json!({ "how": how }))).await;
    shop.settle().await.unwrap();
    reply
}

async fn clock_runs(shop: &Shop) -> bool {
    let of = CustomerId::member(ADA).unwrap();
    let claims = shop.store().all_points().await.unwrap().claims;
    claims.iter().find(|(customer, _)| *customer == of).unwrap().1.matures_at.is_some()
}

#[tokio::test]
async fn what_will_not_arrive_is_not_waited_for() {
    for (how, labels) in [("lost", true), ("called_off", false), ("handed_over", false)] {
        let shop = two_places(json!([])).await;
        let placed = paid(&shop, &[("TEA", 10)]).await;
        let parcels = dispatch(&shop, &placed).await;
        let (first, second) = (&parcels.shipments[0].id, &parcels.shipments[1].id);
        labelled(&shop, &placed, first, "AB-1111").await;
        if labels {
            labelled(&shop, &placed, second, "AB-2222").await;
            scanned(&shop, "AB-2222", "in_transit").await;
        }
        scanned(&shop, "AB-1111", "delivered").await;
        // The warehouse is late, and an alert is open.
        shop.clock().advance(Period::of_days(9));
        shop.run_schedule("shipment-watch").await.unwrap();
        shop.settle().await.unwrap();
        let open = |parcels: &Dispatch| {
            parcels.shipments[1].alerts.values().any(|it| it.ended_at.is_none())
        };
        assert!(open(&dispatch(&shop, &placed).await), "{how}");
        assert!(
            !clock_runs(&shop).await
                && shop.store().all_surveys().await.unwrap().invites.is_empty()
        );
        let reply = closed(&shop, &placed, second, how).await;
        assert_eq!(reply.status, 200, "{how}: {}", reply.body);
        assert_eq!(reply.json()["closed"]["how"], how);
        assert!(clock_runs(&shop).await, "{how}");
        assert_eq!(shop.store().all_surveys().await.unwrap().invites.len(), 1, "{how}");
        assert_eq!(told(&shop, "notification.shipment_stopped"), usize::from(how == "called_off"));
        shop.run_schedule("shipment-watch").await.unwrap();
        shop.settle().await.unwrap();
        assert!(!open(&dispatch(&shop, &placed).await), "{how}");
        let again = closed(&shop, &placed, second, how).await;
        assert_eq!((again.status, &again.body), (200, &reply.body));
        let other = if how == "lost" { "handed_over" } else { "lost" };
        let refusal = closed(&shop, &placed, second, other).await;
        assert_eq!(refused(&refusal), problem(409, "shipment-closed"));
        let late = label(&shop, &placed, second, "AB-3333").await;
        assert_eq!(late.status, 409, "{}", late.body);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_shipment_ends_otherwise_only_as_its_state_allows() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 2), ("CUP", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let none = ShipmentId::parse("shp_aaaaaaaaaaaaaaaaaaaaaaaaaa").unwrap();
    assert_eq!(refused(&closed(&shop, &placed, &none, "lost").await), problem(404, "not-found"));
    let odd = closed(&shop, &placed, &id, "eaten").await;
    assert_eq!(odd.status, 400, "{}", odd.body);
    let ask = doing(&placed, &format!("/shipments/{id}/close"), &json!({ "how": "lost" }));
    assert_eq!(shop.reply(&ask.clone().by_member(ADA)).await.status, 403);
    assert_eq!(refused(&shop.reply(&ask).await), problem(409, "shipment-not-sent"));
    labelled(&shop, &placed, &id, "AB-1111").await;
    let off = closed(&shop, &placed, &id, "called_off").await;
    assert_eq!(refused(&off), problem(409, "shipment-labelled"));
    shop.call_back(&shop.scan("AB-1111", "delivered")).await;
    let unread = closed(&shop, &placed, &id, "lost").await;
    assert_eq!(refused(&unread), problem(409, "shipment-delivered"));
    // A return that was opened by mistake gives its units and its label back.
    let body = |location: &str| {
        json!({
            "lines": [{ "sku": "CUP", "quantity": 2 }], "location": location,
            "label": { "carrier": "generic", "tracking_number": "BA-1111" },
        })
    };
    let nowhere = shop.reply(&doing(&placed, "/returns", &body("moon"))).await;
    assert_eq!(refused(&nowhere), problem(422, "unknown-location"));
    assert_eq!(nowhere.text("/field"), "location");
    for round in 0..2 {
        let ask = doing(&placed, "/returns", &body("north")).keyed(&key("back", round));
        let back = shop.reply(&ask).await;
        assert_eq!(back.status, 201, "{}", back.body);
        let back = ShipmentId::parse(&back.text("/id")).unwrap();
        let ended = closed(&shop, &placed, &back, "called_off").await;
        assert_eq!(ended.status, 200, "{}", ended.body);
    }
    assert_eq!(told(&shop, "notification.shipment_stopped"), 0, "nobody packs a return");
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn goods_without_a_label_are_handed_over_and_may_come_back() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("CUP", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    assert_eq!(closed(&shop, &placed, &id, "handed_over").await.status, 200);
    assert_eq!(dispatch(&shop, &placed).await.delivered_at(), Some(shop.now()));
    let view = shop.view(&placed).await;
    assert_eq!(view["shipments"][0]["delivered_at"], shop.now().to_string());
    for ask in [cancelling(&placed), calling_off(&placed, &[("CUP", 1)])] {
        assert_eq!(refused(&shop.reply(&ask).await), problem(409, "order-leaving"));
    }
    let body = json!({ "lines": [{ "sku": "CUP", "quantity": 1 }] });
    let split = doing(&placed, &format!("/shipments/{id}/split"), &body);
    assert_eq!(refused(&shop.reply(&split).await), problem(409, "shipment-closed"));
    let back = shop.reply(&doing(&placed, "/returns", &body)).await;
    assert_eq!(back.status, 201, "{}", back.body);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn units_of_what_is_not_sent_may_be_called_off() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 2), ("CUP", 2)]).await;
    let id = dispatch(&shop, &placed).await.shipments[0].id.clone();
    assert_eq!(closed(&shop, &placed, &id, "called_off").await.status, 200);
    let reply = shop.reply(&calling_off(&placed, &[("CUP", 2)])).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    assert_eq!(all_carried(&shop, &placed).await, [load("main", &[("TEA", 2)])]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_bad_delivery_is_made_up_for_once() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 2)]).await;
    let mut parcels = dispatch(&shop, &placed).await;
    parcels.compensation = Some(Compensation {
        at: shop.now(),
        alert: AlertKind::Late,
        shipment: parcels.shipments[0].id.clone(),
        points: 120,
        voucher: None,
    });
    let due = ApologyDue { order: parcels.order.clone(), customer: parcels.customer.clone() };
    let sends = Sends::one(Message::ApologyDue(due), shop.now(), None);
    shop.store().commit(shipments::save(&parcels, &sends).unwrap()).await.unwrap();
    let body = json!({ "order": parcels.order, "customer": parcels.customer });
    let id = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    let again = json!({ "v": 1, "id": id, "at": shop.now(), "type": "apology.due", "body": body });
    shop.settle().await.unwrap();
    shop.send(Queue::Points, again.to_string());
    shop.settle().await.unwrap();
    let ledgers = shop.store().all_points().await.unwrap().ledgers;
    let ledger = ledgers.iter().find(|it| it.customer == parcels.customer).unwrap();
    assert_eq!(ledger.balance(Account::Available), 120);
    shop.check_invariants().await.unwrap();
}

/// Something that people do, with what it is done to as numbers.
#[derive(Debug, Clone)]
enum Step {
    Split(usize, usize, u32),
    Label(usize),
    Void(usize),
    CallOff(usize, u32),
    Replace(usize, usize, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_usize..8, 0_usize..2, 1_u32..5)
            .prop_map(|(of, line, units)| Step::Split(of, line, units)),
        (0_usize..8).prop_map(Step::Label),
        (0_usize..8).prop_map(Step::Void),
        (0_usize..2, 0_u32..12).prop_map(|(line, units)| Step::CallOff(line, units)),
        (0_usize..8, 0_usize..2, 1_u32..5)
            .prop_map(|(of, line, units)| Step::Replace(of, line, units)),
    ];
    prop::collection::vec(step, 0..25)
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_unix_seconds(1_800_000_000 + i64::try_from(second).unwrap()).unwrap()
}

/// What is done to the shipments and, where units are called off, the order.
fn done(
    order: &Order,
    parcels: &Dispatch,
    number: usize,
    step: &Step,
) -> Option<(Order, Dispatch)> {
    let now = at(number);
    let pick = |of: usize| parcels.shipments.get(of % parcels.shipments.len());
    let opening = |shipment: &Shipment, line: usize, units| {
        let sku = shipment.lines.get(line % shipment.lines.len().max(1))?.sku.clone();
        let id = ShipmentId::derive(&[order.id.as_str(), "key", &number.to_string()]);
        let lines = vec![ShipmentLine { sku, quantity: units }];
        Some(Opening { id, request: "r".to_owned(), lines })
    };
    let after = match step {
        Step::Split(of, line, units) => {
            let shipment = pick(*of)?;
            change::split(parcels, &shipment.id, &opening(shipment, *line, *units)?, now).ok()?
        }
        Step::Label(of) => {
            let shipment = pick(*of)?;
            let tracking = TrackingNumber::parse(&format!("AB-{number:04}")).unwrap();
            let tracking = Tracking { carrier: Carrier::Generic, number: tracking };
            let label = Label { tracking, courier: None, verification: None };
            let labelling =
                label::Labelling { order: order.id.clone(), shipment: shipment.id.clone(), label };
            let policy = LogisticsPolicy::default();
            match label::decide(&labelling, Some(parcels), &policy, now).ok()? {
                label::Decision::Attach(made) => made.0,
                label::Decision::Attached(_) => return None,
            }
        }
        Step::Void(of) => change::void(parcels, &pick(*of)?.id, None, now).ok()??,
        Step::CallOff(line, units) => {
            let sku = order.lines[*line].sku.clone();
            let asked = [Units { line: 0, sku, units: *units }];
            let by = By { who: Actor::Buyer, at: now, why: None };
            let after = ordered::cancel_units(order, Some(parcels), &asked, &by).ok()??;
            let (dispatch, _) = parcels::follow(order, &after, parcels, &[], now)?;
            return Some((after, dispatch));
        }
        Step::Replace(of, line, units) => {
            let shipment = pick(*of)?;
            let opening = opening(shipment, *line, *units)?;
            let from = LocationId::parse("north").unwrap();
            change::replace(parcels, &shipment.id, &opening, from, now).ok()?
        }
    };
    Some((order.clone(), after))
}

type Goods = BTreeMap<(Sku, LocationId), u32>;

/// What is sent for the first time, whether or not it was sent again since.
fn sent_first(parcels: &Dispatch) -> Goods {
    let mut goods = Goods::new();
    let first = |it: &&Shipment| it.direction == Direction::Out && it.replaces.is_none();
    for shipment in parcels.shipments.iter().filter(first) {
        for line in &shipment.lines {
            *goods.entry((line.sku.clone(), shipment.location.clone())).or_default() +=
                line.quantity;
        }
    }
    goods
}

fn units(lines: &[ShipmentLine], sku: &Sku) -> u32 {
    lines.iter().filter(|it| it.sku == *sku).map(|it| it.quantity).sum()
}

#[tokio::test]
async fn whatever_people_do_the_parcels_hold_what_the_order_has() {
    let shop = two_places(json!([])).await;
    let placed = paid(&shop, &[("TEA", 10), ("CUP", 4)]).await;
    let (order, parcels) = (stored(&shop, &placed).await, dispatch(&shop, &placed).await);
    proptest!(|(steps in steps())| {
        let (mut order, mut parcels) = (order.clone(), parcels.clone());
        for (number, step) in steps.iter().enumerate() {
            let Some(after) = done(&order, &parcels, number, step) else { continue };
            (order, parcels) = after;
            let mut has = Goods::new();
            for ((sku, location, _), units) in order.taken() {
                *has.entry((sku, location)).or_default() += units;
            }
            if order.is_living() {
                prop_assert_eq!(&sent_first(&parcels), &has, "{:?}", step);
            } else {
                prop_assert!(parcels.stopped_at.is_some() && parcels.leaving().is_none());
            }
            let mut ids: Vec<_> = parcels.shipments.iter().map(|it| (&it.id, it.number)).collect();
            ids.dedup();
            prop_assert_eq!(ids.len(), parcels.shipments.len());
            prop_assert!(parcels.outbound().all(|it| !it.lines.is_empty()));
            for replaced in &parcels.shipments {
                let again = parcels.shipments.iter();
                let again = again.filter(|it| it.replaces.as_ref() == Some(&replaced.id));
                let again: Vec<&ShipmentLine> = again.flat_map(|it| &it.lines).collect();
                for line in &again {
                    let all: u32 = again.iter().filter(|it| it.sku == line.sku).map(|it| it.quantity).sum();
                    prop_assert!(all <= units(&replaced.lines, &line.sku), "{:?}", step);
                }
            }
        }
    });
}
