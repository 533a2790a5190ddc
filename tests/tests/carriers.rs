//! What carriers send: whose it is, what is taken of it, what that costs, and
//! what is kept of the bodies.

use aftercart::{
    model::{
        customer::CustomerId,
        dispatch::{Direction, shipment_id},
        id::OrderId,
        policy::Policy,
        shipment::{Carrier, Parcel, Tracking, TrackingNumber},
        text::Text,
        time::Period,
    },
    run::{metrics::Metric, secrets::Secret},
    store::{Sends, parcels},
};
use aftercart_infra::{
    carriers::{self, easypost, kuaidi100},
    signing::{self, Callback, Push, Scan},
    world::{Ask, Fault, Reply, secrets},
};
use aftercart_logistics::carrier_event::BODY_MAX;
use serde_json::{Value, json};

use crate::{
    shop::{ADA, Shop},
    stock::set_policy,
};

const NUMBER: &str = "AB-1234";

/// A push of the generic carrier with one scan of now.
fn told(shop: &Shop, number: &str, status: &str) -> Callback {
    let at = shop.now();
    let scans = [Scan { status, place: "Leeds", at }];
    signing::generic(secrets::CARRIER, &Push { event: "evt", number, scans: &scans, eta: None, at })
}

/// A tracker of EasyPost with so many scans, one an hour.
fn tracker(shop: &Shop, number: &str, scans: u32) -> Callback {
    let scans: Vec<Scan<'_>> = (0..scans)
        .map(|hour| Scan {
            status: "in_transit",
            place: "Milton Keynes",
            at: shop.now().minus(Period::of_seconds((scans - hour) * 3600)),
        })
        .collect();
    let push = Push { event: "evt", number, scans: &scans, eta: Some(shop.now()), at: shop.now() };
    signing::easypost(secrets::EASYPOST, &push)
}

/// How many scans and estimates are known of a parcel.
async fn known(shop: &Shop, carrier: Carrier, number: &str) -> u32 {
    let number = TrackingNumber::parse(number).unwrap();
    shop.store().parcel(&Tracking { carrier, number }).await.unwrap().told()
}

fn refused(reply: &Reply) -> (u16, String, String) {
    (reply.status, reply.problem(), reply.text("/field"))
}

fn problem(status: u16, kind: &str, field: &str) -> (u16, String, String) {
    (status, kind.to_owned(), field.to_owned())
}

/// Has bodies kept for 30 days.
async fn keep_payloads(shop: &Shop) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["logistics"]["keep_payloads"] = "30d".into();
    set_policy(shop, &policy).await;
    shop.restart("carrier-event").unwrap();
}

async fn bodies(shop: &Shop) -> usize {
    let kept = shop.state().await.unwrap()["tables"]["tracking"].to_string();
    kept.matches("\"BODY\"").count()
}

#[tokio::test]
async fn a_call_that_is_not_the_carriers_writes_nothing() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let good = told(&shop, NUMBER, "delivered");
    let ask = || Ask::callback(&good);
    let elsewhere = Callback { path: "/carriers/pigeon/events", ..good.clone() };
    let another_carriers = Callback { path: "/carriers/easypost/events", ..good.clone() };
    let unsigned = problem(401, "invalid-signature", "");
    for (what, ask, expected) in [
        ("changed", ask().with_body(format!("{} ", good.body)), unsigned.clone()),
        ("unsigned", ask().with("webhook-signature", ""), unsigned.clone()),
        ("of another call", ask().with("webhook-id", "x"), unsigned.clone()),
        ("signed otherwise", Ask::callback(&another_carriers), unsigned),
        ("of nobody", Ask::callback(&elsewhere), problem(404, "not-found", "")),
        ("huge", ask().with_body("x".repeat(BODY_MAX + 1)), problem(413, "body-too-large", "")),
    ] {
        assert_eq!(refused(&shop.reply(&ask).await), expected, "{what}");
    }
    shop.clock().advance(Period::of_seconds(301));
    assert_eq!(refused(&shop.reply(&ask()).await).0, 401, "signed too long ago");
    assert_eq!(shop.state().await.unwrap(), before);
    let rejected = |by: &[_]| shop.metrics().counted_by(Metric::CarrierRejected, by);
    assert_eq!((rejected(&[]), rejected(&[("Carrier", "easypost")])), (5, 1));
}

#[tokio::test]
async fn a_rolled_secret_and_its_successor_both_work() {
    let shop = Shop::open().await;
    let old = told(&shop, NUMBER, "picked_up");
    let both = json!({ "generic": { "webhook_secrets": ["whsec_bmV3", secrets::CARRIER] } });
    shop.set_secret(Secret::Carriers, both);
    shop.call_back(&old).await;
    shop.set_secret(Secret::Carriers, json!({ "generic": { "webhook_secrets": ["whsec_bmV3"] } }));
    shop.restart("carrier-event").unwrap();
    assert_eq!(shop.reply(&Ask::callback(&old)).await.status, 401);
    shop.set_secret(Secret::Carriers, json!({}));
    shop.restart("carrier-event").unwrap();
    assert_eq!(shop.reply(&Ask::callback(&old)).await.status, 401);
}

#[tokio::test]
async fn every_carrier_is_acknowledged_and_what_is_told_again_writes_nothing() {
    let shop = Shop::open().await;
    for (carrier, status) in [
        (Carrier::Easypost, "delivered"),
        (Carrier::Aftership, "Delivered_003"),
        (Carrier::Kuaidi100, "3"),
        (Carrier::Kdniao, "3"),
        (Carrier::Generic, "delivered"),
    ] {
        let at = shop.now();
        let scans = [Scan { status, place: "Leeds", at }];
        let push = Push { event: "evt", number: "SF12345678", scans: &scans, eta: None, at };
        let call = Ask::callback(&carriers::of(carrier).push(&push));
        let first = shop.reply(&call).await;
        assert_eq!(first.status, 200, "{carrier}: {}", first.body);
        assert_eq!(known(&shop, carrier, "SF12345678").await, 1, "{carrier}");
        let state = shop.state().await.unwrap();
        assert_eq!(shop.reply(&call).await.status, 200, "{carrier}");
        assert_eq!(shop.state().await.unwrap(), state, "{carrier}");
    }
}

#[tokio::test]
async fn a_push_costs_one_round_trip_and_two_write_units() {
    let shop = Shop::open().await;
    shop.call_back(&tracker(&shop, "EP00001", 1)).await;
    shop.call_back(&tracker(&shop, "EP00002", 1)).await;
    let port = shop.port("carrier-event").unwrap();
    let one_scan = port.meter();
    let calls: Vec<&str> = one_scan.calls.iter().map(|call| call.operation.as_str()).collect();
    // The policy was read beside the first.
    assert_eq!(calls, ["UpdateItem"]);
    assert!(one_scan.write_units() <= 2, "{} write units", one_scan.write_units());

    let long = tracker(&shop, "EP00003", 30);
    shop.call_back(&long).await;
    let written = shop.state().await.unwrap();
    shop.call_back(&long).await;
    // DynamoDB charges for the item on which a condition did not hold.
    assert!(port.meter().write_units() <= 2, "{} write units", port.meter().write_units());
    assert_eq!(shop.state().await.unwrap(), written);
}

#[tokio::test]
async fn the_pushes_of_a_long_list_are_written_side_by_side() {
    let shop = Shop::open().await;
    shop.call_back(&tracker(&shop, "EP00001", 1)).await;
    let port = shop.port("carrier-event").unwrap();
    shop.call_back(&tracker(&shop, "EP00002", 200)).await;
    assert_eq!(port.meter().calls.len(), 3);
    assert_eq!(known(&shop, Carrier::Easypost, "EP00002").await, 201, "with the estimate");
    // One of three is lost; the others are written, and the repetition brings it.
    let long = tracker(&shop, "EP00003", 200);
    port.fail(2, Fault::Before);
    assert_eq!(shop.reply(&Ask::callback(&long)).await.status, 503);
    assert!((100..201).contains(&known(&shop, Carrier::Easypost, "EP00003").await));
    shop.call_back(&long).await;
    assert_eq!(known(&shop, Carrier::Easypost, "EP00003").await, 201);
}

#[tokio::test]
async fn what_is_not_about_a_parcel_of_ours_is_acknowledged_and_not_kept() {
    let shop = Shop::open().await;
    keep_payloads(&shop).await;
    let before = shop.state().await.unwrap();
    for result in [
        json!({ "object": "Batch", "id": "batch_1" }),
        json!({ "object": "Tracker", "tracking_code": "1", "tracking_details": [] }),
    ] {
        let body = json!({ "object": "Event", "description": "created", "result": result });
        let call = easypost::sign(secrets::EASYPOST, body.to_string());
        let reply = shop.reply(&Ask::callback(&call)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn an_unknown_code_is_counted_by_its_carrier_when_it_is_new() {
    let shop = Shop::open().await;
    let (teleported, moved) = (told(&shop, NUMBER, "teleported"), told(&shop, NUMBER, "moved"));
    for call in [&teleported, &teleported, &moved, &moved] {
        shop.call_back(call).await;
    }
    let counted = |by: &[_]| shop.metrics().counted_by(Metric::UnknownCarrierCode, by);
    assert_eq!((counted(&[]), counted(&[("Carrier", "generic")])), (2, 2));
    assert_eq!(counted(&[("Carrier", "easypost")]), 0);
    assert_eq!(known(&shop, Carrier::Generic, NUMBER).await, 2, "they are kept as they came");
}

#[tokio::test]
async fn the_merchants_own_carrier_is_told_what_is_wrong() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let signed = |body: &str| {
        let path = "/carriers/generic/events";
        let call = signing::standard(path, secrets::CARRIER, "evt", shop.now(), body.to_owned());
        Ask::callback(&call)
    };
    let scan = |at: &str| json!({ "at": at, "status": "in_transit" });
    let body = |events: Value| json!({ "tracking_number": NUMBER, "events": events }).to_string();
    let many = vec![scan("2026-11-21T12:00:00Z"); 1_001];
    for (body, field) in [
        ("not json".to_owned(), "body"),
        ("{}".to_owned(), "body"),
        (body(json!([])), "events"),
        (body(json!(many)), "events"),
        (body(json!([scan("2026-11-21T12:00:00")])), "events[0].at"),
        (body(json!([scan("2026-11-23T12:00:00Z")])), "events[0].at"),
        (
            body(json!([{ "at": "2026-11-21T12:00:00Z", "status": "held", "id": 1 }])),
            "events[0].id",
        ),
    ] {
        let reply = shop.reply(&signed(&body)).await;
        assert_eq!(refused(&reply), problem(400, "invalid-request", field), "{body}");
    }
    assert_eq!(shop.state().await.unwrap(), before);
    let unreadable =
        shop.metrics().counted_by(Metric::CarrierUnreadable, &[("Carrier", "generic")]);
    assert_eq!(unreadable, 7);
    assert_eq!(shop.metrics().counted(Metric::CarrierRejected), 0);
}

#[tokio::test]
async fn a_body_of_others_that_cannot_be_read_is_acknowledged_counted_and_kept_by_policy() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let odd = easypost::sign(
        secrets::EASYPOST,
        json!({ "result": { "object": "Tracker", "tracking_code": 7 } }).to_string(),
    );
    shop.call_back(&odd).await;
    assert_eq!(shop.state().await.unwrap(), before, "the policy keeps nothing");
    keep_payloads(&shop).await;
    let port = shop.port("carrier-event").unwrap();
    port.fail(2, Fault::Before);
    assert_eq!(shop.reply(&Ask::callback(&odd)).await.status, 503, "it shall come again");
    assert_eq!(bodies(&shop).await, 0);
    shop.call_back(&odd).await;
    shop.call_back(&odd).await;
    assert_eq!(bodies(&shop).await, 1, "the same body is one item");
    let by = [("Carrier", "easypost")];
    assert_eq!(shop.metrics().counted_by(Metric::CarrierUnreadable, &by), 4);
}

#[tokio::test]
async fn bodies_are_kept_beside_the_pushes_and_their_units_are_their_own() {
    let shop = Shop::open().await;
    shop.call_back(&tracker(&shop, "EP00001", 1)).await;
    shop.call_back(&tracker(&shop, "EP00002", 1)).await;
    let port = shop.port("carrier-event").unwrap();
    let without = port.meter().write_units();
    assert_eq!(bodies(&shop).await, 0);
    keep_payloads(&shop).await;
    // The policy and the push at once; then the body.
    port.fail(3, Fault::Before);
    let pushed = tracker(&shop, "EP00003", 1);
    assert_eq!(shop.reply(&Ask::callback(&pushed)).await.status, 503);
    assert_eq!((known(&shop, Carrier::Easypost, "EP00003").await, bodies(&shop).await), (2, 0));
    shop.call_back(&pushed).await;
    assert_eq!(bodies(&shop).await, 1, "the repetition brings it");
    shop.call_back(&tracker(&shop, "EP00004", 1)).await;
    let with = port.meter();
    assert_eq!((with.write_units(), with.calls.len()), (without + 1, 2), "{with:?}");
    // A push of 80 scans has 20 kB, and one kilobyte when it is made small.
    shop.call_back(&tracker(&shop, "EP00005", 80)).await;
    let (state, long) = (shop.state().await.unwrap(), tracker(&shop, "EP00005", 80));
    shop.call_back(&long).await;
    // The body's, and those for the parcel of which nothing is new.
    assert!(port.meter().write_units() <= 4, "{} write units", port.meter().write_units());
    assert_eq!(shop.state().await.unwrap(), state, "the same body again is the same item");
}

/// The carrier gave its times another name: that is not taken for silence.
#[tokio::test]
async fn scans_that_cannot_be_read_are_counted_and_kept_by_policy_if_all_are() {
    let shop = Shop::open().await;
    keep_payloads(&shop).await;
    let with = |scans: Value| {
        let tracker = json!({
            "object": "Tracker", "tracking_code": "EP00001", "tracking_details": scans,
        });
        easypost::sign(secrets::EASYPOST, json!({ "result": tracker }).to_string())
    };
    let known = json!({ "status": "in_transit", "datetime": shop.now() });
    let odd = json!({ "status": "in_transit", "occurred_at": shop.now() });
    let counted = || {
        let by = [("Carrier", "easypost")];
        shop.metrics().counted_by(Metric::CarrierUnreadable, &by)
    };
    for (scans, unreadable, kept) in [
        (json!([]), 0, 0),
        (json!([odd, odd]), 1, 1),
        (json!([known]), 1, 2),
        // What is known writes nothing, and is counted all the same.
        (json!([known, odd]), 2, 3),
        (json!([known, odd]), 3, 3),
    ] {
        shop.call_back(&with(scans.clone())).await;
        assert_eq!((counted(), bodies(&shop).await), (unreadable, kept), "{scans}");
    }
}

#[tokio::test]
async fn a_watch_that_has_ended_is_begun_again_with_the_right_courier() {
    let shop = Shop::open().await;
    let (order, number) = (OrderId::derive(&["a test"]), "YT1234567890");
    let number = TrackingNumber::parse(number).unwrap();
    let tracking = Tracking { carrier: Carrier::Kuaidi100, number };
    let parcel = Parcel {
        tracking: tracking.clone(),
        shipment: shipment_id(&order, 1),
        order,
        customer: CustomerId::member(ADA).unwrap(),
        direction: Direction::Out,
        labelled_at: shop.now(),
        courier: Text::new("yuantong").ok(),
        verification: None,
        window: None,
        ask_at: Some(shop.now()),
        asked: 0,
        subscribed: true,
    };
    let said = |status: &str, courier: &str| {
        let result = json!({ "nu": "YT1234567890", "state": "0", "data": [] });
        let push = json!({ "status": status, "comNew": courier, "lastResult": result });
        kuaidi100::sign(kuaidi100::SALT, &push.to_string())
    };
    let before = shop.state().await.unwrap();
    shop.call_back(&said("abort", "ems")).await;
    assert_eq!(shop.state().await.unwrap(), before, "nobody attached such a label");
    shop.store().commit(parcels::link(&parcel, &Sends::none()).unwrap()).await.unwrap();
    for (status, courier, expected) in [
        ("polling", "", (true, "yuantong")),
        ("polling", "ems", (true, "ems")),
        ("abort", "", (false, "ems")),
        ("abort", "", (false, "ems")),
    ] {
        shop.call_back(&said(status, courier)).await;
        let kept = shop.store().parcel(&tracking).await.unwrap().parcel.unwrap();
        let courier = kept.courier.as_ref().map_or("", Text::as_str);
        assert_eq!((kept.subscribed, courier), expected, "{status}");
        assert_eq!(kept.ask_at, parcel.ask_at);
    }
    // Who read the parcel before that does not undo it.
    let stale = parcels::ask(&parcel, &Parcel { asked: 1, ..parcel.clone() }).unwrap();
    assert!(shop.store().commit(stale).await.is_err());
}

/// Whatever is done to a signed body: an answer, and nothing about another parcel.
#[tokio::test]
async fn damaged_bodies_do_no_harm() {
    let shop = Shop::open().await;
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..200_u32 {
        let number = format!("EP{round:05}");
        let body = tracker(&shop, &number, 3).body;
        let (head, tail) = body.split_at(body.floor_char_boundary(random.usize(..body.len())));
        let letter = random.char(..);
        let body = if random.bool() { head.to_owned() } else { format!("{head}{letter}{tail}") };
        let reply = shop.reply(&Ask::callback(&easypost::sign(secrets::EASYPOST, body))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }
    let tables = shop.state().await.unwrap()["tables"].clone();
    let parcels = tables["tracking"].as_array().unwrap().len();
    assert!(parcels <= 200, "{parcels} of 200");
    assert!(tables["shipments"].as_array().unwrap().is_empty());
}
