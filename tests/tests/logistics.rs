//! Logistics: parcels from the paid order to the door, and all that can go
//! wrong on the way.

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue},
    model::{customer::CustomerId, id::OrderId, time::Period},
    run::{metrics::Metric, secrets::Secret},
};
use aftercart_infra::{
    signing::{self, Callback, Push, Scan},
    world::{Ask, Caller, Fault, Reply, dead_letters, secrets},
};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

const NUMBER: &str = "AB-1234";

/// A paid order, whose shipment is open.
async fn paid(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    placed
}

async fn tracking(shop: &Shop, placed: &Placed) -> Value {
    let reply = shop.reply(&placed.sign_in(Ask::get(placed.path("/tracking")))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

fn labelling(placed: &Placed, shipment: &str, number: &str) -> Ask {
    let path = format!("/orders/{}/shipments/{shipment}/label", placed.id);
    let label = json!({ "carrier": "generic", "tracking_number": number });
    Ask::post(path, &label).by(Caller::Operator)
}

/// A push of the generic carrier with these scans, `hours` from now each.
fn told(shop: &Shop, number: &str, scans: &[(&str, u32)]) -> Callback {
    let now = shop.now();
    let scans: Vec<Scan<'_>> = scans
        .iter()
        .map(|(status, hours)| Scan {
            status,
            place: "Leeds",
            at: now.plus(Period::of_seconds(hours * 3600)),
        })
        .collect();
    let push = Push { event: "evt", number, scans: &scans, eta: None, at: now };
    signing::generic(secrets::CARRIER, &push)
}

fn refused(reply: &Reply) -> (u16, String, String) {
    (reply.status, reply.problem(), reply.text("/field"))
}

fn problem(status: u16, kind: &str, field: &str) -> (u16, String, String) {
    (status, kind.to_owned(), field.to_owned())
}

#[tokio::test]
async fn a_call_that_is_not_the_carriers_writes_nothing() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let good = told(&shop, NUMBER, &[("delivered", 0)]);
    let ask = || Ask::callback(&good);
    let elsewhere = Callback { path: "/carriers/pigeon/events", ..good.clone() };
    let another_carriers = Callback { path: "/carriers/easypost/events", ..good.clone() };
    let oversized = "x".repeat(10 * 1024 * 1024);
    for (what, ask, expected) in [
        (
            "changed",
            ask().with_body(format!("{} ", good.body)),
            problem(401, "invalid-signature", ""),
        ),
        ("unsigned", ask().with("webhook-signature", ""), problem(401, "invalid-signature", "")),
        ("of another call", ask().with("webhook-id", "x"), problem(401, "invalid-signature", "")),
        (
            "signed otherwise",
            Ask::callback(&another_carriers),
            problem(401, "invalid-signature", ""),
        ),
        ("of nobody", Ask::callback(&elsewhere), problem(404, "not-found", "")),
        ("10 MB", ask().with_body(oversized), problem(413, "body-too-large", "")),
    ] {
        assert_eq!(refused(&shop.reply(&ask).await), expected, "{what}");
    }
    shop.clock().advance(Period::of_seconds(301));
    assert_eq!(refused(&shop.reply(&ask()).await).0, 401, "signed too long ago");
    assert_eq!(shop.state().await.unwrap(), before);
    assert_eq!(shop.metrics().counted(Metric::CarrierRejected), 5);
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_names_its_fault() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    let signed = |body: &str| {
        let path = "/carriers/generic/events";
        let call = signing::standard(path, secrets::CARRIER, "evt", shop.now(), body.to_owned());
        Ask::callback(&call)
    };
    let scan = |at: &str| json!({ "at": at, "status": "in_transit" });
    let body = |events: Value| json!({ "tracking_number": NUMBER, "events": events }).to_string();
    let many = vec![scan("2026-11-21T12:00:00Z"); 201];
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
}

#[tokio::test]
async fn a_rolled_secret_and_its_successor_both_work() {
    let shop = Shop::open().await;
    let old = told(&shop, NUMBER, &[("picked_up", 0)]);
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

#[tokio::test]
async fn a_push_costs_one_round_trip_and_two_write_units() {
    let shop = Shop::open().await;
    shop.call_back(&tracker(&shop, "EP00001", 1)).await;
    let push = tracker(&shop, "EP00002", 12);
    shop.call_back(&push).await;
    let meter = shop.port("carrier-event").unwrap().meter();
    assert_eq!(meter.calls.len(), 1, "{:?}", meter.calls);
    assert!(meter.write_units() <= 2, "{} write units", meter.write_units());
    let state = shop.state().await.unwrap();
    let long = tracker(&shop, "EP00003", 30);
    shop.call_back(&long).await;
    let written = shop.state().await.unwrap();
    assert_ne!(written, state);
    shop.call_back(&push).await;
    shop.call_back(&long).await;
    assert_eq!(shop.state().await.unwrap(), written, "told again, and nothing is written");
}

#[tokio::test]
async fn what_is_not_about_a_parcel_of_ours_is_acknowledged_and_not_kept() {
    let shop = Shop::open().await;
    let before = shop.state().await.unwrap();
    for result in [
        json!({ "object": "Batch", "id": "batch_1" }),
        json!({ "object": "Tracker", "tracking_code": "1", "tracking_details": [] }),
    ] {
        let body = json!({ "object": "Event", "description": "created", "result": result });
        let body = body.to_string();
        let mac = aftercart::model::signature::hmac_sha256(
            secrets::EASYPOST.as_bytes(),
            &[body.as_bytes()],
        );
        let mac = aftercart::model::signature::to_hex(&mac);
        let headers = vec![("x-hmac-signature", format!("hmac-sha256-hex={mac}"))];
        let call = Callback { path: "/carriers/easypost/events", headers, body };
        let reply = shop.reply(&Ask::callback(&call)).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "{}"));
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn an_unknown_code_is_shown_as_such_and_counted_once() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    shop.label(&placed, NUMBER).await;
    let push = told(&shop, NUMBER, &[("teleported", 0)]);
    for _ in 0..3 {
        shop.call_back(&push).await;
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.metrics().counted(Metric::UnknownCarrierCode), 1);
    let seen = tracking(&shop, &placed).await;
    assert_eq!(seen["shipments"][0]["status"], "unknown");
    shop.call_back(&told(&shop, NUMBER, &[("info_received", 0), ("teleported", 1)])).await;
    shop.settle().await.unwrap();
    assert_eq!(tracking(&shop, &placed).await["shipments"][0]["status"], "info_received");
}

#[tokio::test]
async fn what_came_before_the_label_is_not_lost() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    shop.call_back(&told(&shop, NUMBER, &[("picked_up", 0), ("delivered", 2)])).await;
    shop.settle().await.unwrap();
    assert_eq!(tracking(&shop, &placed).await["shipments"][0]["status"], "pending");
    shop.clock().advance(Period::of_days(1));
    shop.label(&placed, NUMBER).await;
    shop.settle().await.unwrap();
    let seen = tracking(&shop, &placed).await;
    let parcel = &seen["shipments"][0];
    assert_eq!(parcel["status"], "delivered");
    assert_eq!(parcel["delivered_at"], "2026-11-21T14:00:00.000Z");
    assert_eq!(parcel["carrier"], "generic");
    assert_eq!(parcel["tracking_number"], NUMBER);
    assert_eq!(parcel["stages"][0]["status"], "picked_up");
    assert_eq!(parcel["stages"][0]["place"], "Leeds");
}

#[tokio::test]
async fn a_label_is_attached_once() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    let shipment = shop.shipment(&placed).await;
    let first = shop.reply(&labelling(&placed, &shipment, NUMBER)).await;
    assert_eq!(first.status, 200, "{}", first.body);
    assert_eq!(first.text("/labelled_at"), "2026-11-21T12:00:00.000Z");
    shop.clock().advance(Period::of_days(1));
    let state = shop.state().await.unwrap();
    let again = shop.reply(&labelling(&placed, &shipment, "ab-1234")).await;
    assert_eq!((again.status, &again.body), (200, &first.body));
    let other = shop.reply(&labelling(&placed, &shipment, "CD-5678")).await;
    assert_eq!(refused(&other), problem(409, "shipment-labelled", "tracking_number"));
    assert_eq!(other.text("/tracking_number"), NUMBER);
    let second = shop.place(ADA, "CUP", 1, &key("second", 0)).await;
    shop.pay(&second).await;
    let elsewhere = shop.shipment(&second).await;
    let taken = shop.reply(&labelling(&second, &elsewhere, NUMBER)).await;
    assert_eq!(refused(&taken), problem(409, "label-in-use", "tracking_number"));
    assert_eq!((taken.text("/order"), taken.text("/shipment")), (placed.id.clone(), shipment));
    assert_eq!(shop.metrics().counted(Metric::LabelAttached), 1);
    let tracked = &shop.state().await.unwrap()["tables"]["tracking"];
    assert_eq!(tracked, &state["tables"]["tracking"]);
    let free = shop.reply(&labelling(&second, &elsewhere, "CD-5678")).await;
    assert_eq!(free.status, 200, "the refusals attached nothing: {}", free.body);
}

#[tokio::test]
async fn two_labels_at_once_are_one_label_and_one_refusal() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    let shipment = shop.shipment(&placed).await;
    let (one, two) =
        (labelling(&placed, &shipment, "AAAA1"), labelling(&placed, &shipment, "BBBB2"));
    let (one, two) = tokio::join!(shop.reply(&one), shop.reply(&two));
    let mut answers = [one.status, two.status];
    answers.sort_unstable();
    assert_eq!(answers, [200, 409], "{} {}", one.body, two.body);
}

#[tokio::test]
async fn a_label_whose_answer_was_lost_is_answered_as_attached() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    let shipment = shop.shipment(&placed).await;
    let ask = labelling(&placed, &shipment, NUMBER);
    shop.port("label-attach").unwrap().fail(2, Fault::After);
    assert_eq!(shop.reply(&ask).await.status, 503);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    // The read is stale: the write meets what was written meanwhile.
    let same = tokio::join!(shop.reply(&ask), shop.reply(&ask));
    assert_eq!((same.0.body, same.1.body), (reply.body.clone(), reply.body));
}

#[tokio::test]
async fn a_label_needs_an_operator_and_a_shipment() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    let shipment = shop.shipment(&placed).await;
    let ask = labelling(&placed, &shipment, NUMBER);
    assert_eq!(shop.reply(&ask.clone().by_member(ADA)).await.status, 403);
    assert_eq!(shop.reply(&ask.clone().by(Caller::Anybody)).await.status, 401);
    let unpaid = shop.place(ADA, "TEA", 1, &key("unpaid", 0)).await;
    for (order, shipment) in
        [(&unpaid, shipment.as_str()), (&placed, "shp_1"), (&placed, placed.id.as_str())]
    {
        let reply = shop.reply(&labelling(order, shipment, NUMBER)).await;
        assert_eq!(refused(&reply), problem(404, "not-found", ""), "{shipment}");
    }
    for (body, field) in [
        (json!({ "carrier": "pigeon", "tracking_number": NUMBER }), "carrier"),
        (json!({ "carrier": "generic", "tracking_number": "A#B" }), "tracking_number"),
        (json!({ "carrier": "generic", "tracking_number": NUMBER, "weight": 1 }), "weight"),
    ] {
        let reply = shop.reply(&ask.clone().with_body(body.to_string())).await;
        assert_eq!(refused(&reply), problem(400, "invalid-request", field));
    }
}

/// Every order of these.
fn orders<T: Clone>(of: &[T]) -> Vec<Vec<T>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for position in 0..of.len() {
        let mut rest = of.to_vec();
        let first = rest.remove(position);
        all.extend(orders(&rest).into_iter().map(|mut tail| {
            tail.insert(0, first.clone());
            tail
        }));
    }
    all
}

#[tokio::test]
async fn pushes_in_any_order_and_number_give_the_same_parcel() {
    let mut seen = Vec::new();
    let all: [&[(&str, u32)]; 4] = [
        &[("in_transit", 1)],
        &[("in_transit", 1), ("attempt_failed", 4)],
        &[("out_for_delivery", 5), ("delivered", 6)],
        &[("in_transit", 7)],
    ];
    for order in orders(&all) {
        let shop = Shop::open().await;
        let placed = paid(&shop).await;
        shop.label(&placed, NUMBER).await;
        for scans in &order {
            shop.call_back(&told(&shop, NUMBER, scans)).await;
            shop.settle().await.unwrap();
        }
        shop.call_back(&told(&shop, NUMBER, order[0])).await;
        shop.settle().await.unwrap();
        seen.push(tracking(&shop, &placed).await);
    }
    assert_eq!(seen[0]["shipments"][0]["status"], "delivered");
    assert_eq!(seen[0]["shipments"][0]["delivered_at"], "2026-11-21T18:00:00.000Z");
    assert!(seen.iter().all(|tracking| *tracking == seen[0]));
}

#[tokio::test]
async fn a_delivery_is_counted_when_it_is_new() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    shop.label(&placed, NUMBER).await;
    for scans in [[("in_transit", 1)], [("delivered", 3)], [("in_transit", 5)], [("delivered", 2)]]
    {
        shop.call_back(&told(&shop, NUMBER, &scans)).await;
        shop.settle().await.unwrap();
    }
    assert_eq!(shop.metrics().counted(Metric::ParcelDelivered), 1);
    // Points and surveys are told that the parcel came an hour earlier.
    let parcel = &tracking(&shop, &placed).await["shipments"][0];
    assert_eq!(parcel["delivered_at"], "2026-11-21T14:00:00.000Z");
}

#[tokio::test]
async fn a_fold_costs_two_round_trips() {
    let shop = Shop::open().await;
    let placed = paid(&shop).await;
    shop.label(&placed, NUMBER).await;
    shop.call_back(&told(&shop, NUMBER, &[("in_transit", 1)])).await;
    shop.settle().await.unwrap();
    let meter = shop.port("tracking-fold").unwrap().meter();
    let operations: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert!(operations.chunks(2).all(|pair| pair == ["Query", "UpdateItem"]), "{operations:?}");
}

#[tokio::test]
async fn a_buyer_is_told_what_happens_next() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let seen = tracking(&shop, &placed).await;
    assert_eq!((&seen["status"], &seen["shipments"]), (&json!("placed"), &json!([])));
    assert_eq!(seen["next"], "The order is not paid yet. We send it as soon as it is.");
    shop.pay(&placed).await;
    let seen = tracking(&shop, &placed).await;
    assert_eq!(seen["shipments"][0]["status"], "pending");
    assert_eq!(seen["next"], seen["shipments"][0]["next"]);
    let ask = Ask::get(placed.path("/tracking"));
    let foreign = shop.reply(&ask.clone().by_member("eve")).await;
    assert_eq!(refused(&foreign), problem(404, "not-found", ""));
    let mut body = order(&[("TEA", 1)]);
    body["contact"]["language"] = "zh".into();
    let guest = shop.reply(&Ask::post("/guest/orders", &body).keyed(KEY)).await;
    let path = format!("/guest/orders/{}/tracking", guest.text("/id"));
    let pass = guest.text("/order_token");
    let seen = shop.reply(&Ask::get(&path).with("order-token", pass.clone())).await;
    assert_eq!(seen.text("/next"), "订单尚未付款。付款完成后我们会立即安排发货。");
    assert_eq!(shop.reply(&Ask::get(&path)).await.status, 401);
    let other = placed.id.clone();
    let path = format!("/guest/orders/{other}/tracking");
    assert_eq!(shop.reply(&Ask::get(path).with("order-token", pass)).await.status, 404);
}

#[tokio::test]
async fn an_order_that_is_not_paid_has_no_shipment_opened() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let paid = |order: &str| {
        let customer = CustomerId::member(ADA).unwrap();
        let body = OrderPaid { order: OrderId::parse(order).unwrap(), customer };
        let envelope = Envelope::seal(Message::OrderPaid(body), shop.now(), None);
        serde_json::to_string(&envelope).unwrap()
    };
    let missing = OrderId::derive(&["nowhere"]).to_string();
    for order in [placed.id.as_str(), missing.as_str()] {
        shop.send(Queue::Shipments, paid(order));
    }
    shop.settle().await.unwrap();
    let parked = shop.queue(&dead_letters(Queue::Shipments));
    assert_eq!(parked.len(), 2, "{parked:?}");
    assert_eq!(shop.metrics().counted(Metric::ShipmentOpened), 0);
}
