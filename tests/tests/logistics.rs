//! Logistics: parcels from the paid order to the door, and all that can go
//! wrong on the way.

use aftercart::{
    messages::{Envelope, Message, OrderPaid, Queue},
    model::{customer::CustomerId, id::OrderId, time::Period},
    run::metrics::Metric,
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
