//! Orders travel the whole suite, also when everything is delivered late, in
//! any order and more than once.

use aftercart::{
    messages::Queue,
    model::time::{Period, Timestamp},
};
use aftercart_infra::{
    signing::{self, Callback, Push, Scan},
    world::{Ask, Checked, Deliveries, Fault, Options, secrets},
};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key};

async fn points(shop: &Shop, member: &str) -> Value {
    let reply = shop.reply(&Ask::get("/me/points").by_member(member)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()
}

async fn tracking(shop: &Shop, placed: &Placed) -> Value {
    shop.reply(&placed.sign_in(Ask::get(placed.path("/tracking")))).await.json()
}

async fn later(shop: &Shop, days: u16, schedule: &str) {
    shop.clock().advance(Period::of_days(days));
    shop.run_schedule(schedule).await.unwrap();
    shop.settle().await.unwrap();
}

#[tokio::test]
async fn a_members_order_from_the_button_to_the_survey() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    assert_eq!(shop.view(&placed).await["status"], "placed");

    shop.pay(&placed).await;
    let view = shop.view(&placed).await;
    assert_eq!(
        (&view["status"], &view["payments"][0]["status"]),
        (&json!("paid"), &json!("succeeded"))
    );
    assert_eq!(points(&shop, ADA).await["balances"]["pending"], 25);

    shop.label(&placed, "AB-1234").await;
    for status in ["picked_up", "in_transit", "delivered"] {
        shop.clock().advance(Period::of_days(1));
        shop.call_back(&shop.scan("AB-1234", status)).await;
        shop.settle().await.unwrap();
        assert_eq!(tracking(&shop, &placed).await["shipments"][0]["status"], status);
    }
    let parcel = &tracking(&shop, &placed).await["shipments"][0];
    assert_eq!(parcel["delivered_at"], shop.now().to_string());
    assert_eq!(parcel["stages"].as_array().unwrap().len(), 3);

    later(&shop, 3, "survey-send").await;
    let survey = shop.survey_path();
    assert_eq!(shop.reply(&Ask::get(survey.clone())).await.status, 200);
    let form = Ask::post(survey, &json!({}))
        .with("content-type", "application/x-www-form-urlencoded")
        .with_body("recommend=9&comment=Good+tea");
    assert_eq!(shop.reply(&form).await.status, 303);

    later(&shop, 11, "points-settle").await;
    assert_eq!(points(&shop, ADA).await["balances"]["available"], 25);
    later(&shop, 430, "points-settle").await;
    let balance = &points(&shop, ADA).await["balances"];
    assert_eq!((&balance["available"], &balance["pending"]), (&json!(0), &json!(0)));
    let checked = shop.check_invariants().await.unwrap();
    assert_eq!((checked.orders, checked.entries, checked.contacted), (1, 3, 1));
}

#[tokio::test]
async fn a_guests_order_earns_nothing_and_is_asked_about_all_the_same() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("CUP", 1, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    assert_eq!(shop.view(&placed).await["shipments"][0]["status"], "delivered");
    later(&shop, 3, "survey-send").await;
    assert_eq!(shop.reply(&Ask::get(shop.survey_path())).await.status, 200);
    let checked = shop.check_invariants().await.unwrap();
    assert_eq!((checked.ledgers, checked.contacted), (0, 1));
}

/// Three buyers; a payment that fails first, one that succeeds twice, a parcel
/// that is told of backwards. Gives what every buyer sees in the end.
async fn day_of_the_shop(deliveries: Deliveries) -> (Vec<Value>, Checked) {
    let shop = Shop::open_with(Options { deliveries, ..Options::default() }).await;
    let orders = [
        shop.place(ADA, "TEA", 2, &key("a", 1)).await,
        shop.place("bob", "CUP", 3, &key("b", 1)).await,
        shop.place_as_guest("LAST", 1, &key("c", 1)).await,
        shop.place(ADA, "CUP", 1, &key("d", 1)).await,
    ];
    let mut reports = Vec::new();
    for placed in &orders {
        let payment = shop.start_payment(placed, "sandbox").await;
        for kind in ["failed", "processing", "succeeded", "succeeded"] {
            reports.push(shop.report(placed, &payment, kind, &format!("evt_{kind}")));
        }
    }
    tell(&shop, reports, 5).await;
    shop.clock().advance(Period::of_days(4));
    let mut pushes = Vec::new();
    for (number, placed) in orders.iter().enumerate() {
        let number = format!("AB-1234{number}");
        shop.label(placed, &number).await;
        for (status, day) in
            [("delivered", 3), ("in_transit", 2), ("picked_up", 1), ("in_transit", 2)]
        {
            pushes.push(scan_at(&shop, &number, status, day));
        }
    }
    tell(&shop, pushes, 3).await;
    later(&shop, 2, "survey-send").await;
    let mut seen = Vec::new();
    for placed in &orders {
        seen.push(shop.view(placed).await);
        seen.push(tracking(&shop, placed).await);
    }
    seen.extend([points(&shop, ADA).await, points(&shop, "bob").await]);
    (seen, shop.check_invariants().await.unwrap())
}

/// Sends calls, some of them before the ones before them were delivered.
async fn tell(shop: &Shop, calls: Vec<Callback>, every: usize) {
    for (number, call) in calls.iter().enumerate() {
        shop.call_back(call).await;
        if number % every == 0 {
            shop.settle().await.unwrap();
        }
    }
    shop.settle().await.unwrap();
}

/// A scan of so many days after 20 November, told today.
fn scan_at(shop: &Shop, number: &str, status: &str, day: u32) -> Callback {
    let at = Timestamp::parse(&format!("2026-11-2{day}T18:00:00Z")).unwrap();
    let scans = [Scan { status, place: "Leeds", at }];
    let event = format!("{number}-{status}");
    let push = Push { event: &event, number, scans: &scans, eta: None, at: shop.now() };
    signing::generic(secrets::CARRIER, &push)
}

#[tokio::test]
async fn the_order_and_number_of_deliveries_do_not_matter() {
    let (expected, checked) = day_of_the_shop(Deliveries::Orderly).await;
    assert_eq!((checked.payments, checked.shipments), (4, 4));
    for seed in 0..8 {
        let (seen, checked_too) = day_of_the_shop(Deliveries::disorderly(seed)).await;
        assert_eq!(seen, expected, "seed {seed}");
        assert_eq!(checked_too, checked, "seed {seed}");
    }
}

/// Consumers fail here and there, also after their writes were applied; what
/// failed comes back, and in the end nothing is missing and nothing is double.
#[tokio::test]
async fn faults_on_the_way_change_nothing_in_the_end() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    for (function, call) in
        [("relay", 1), ("payment-fold", 3), ("shipment-open", 2), ("points-post", 3)]
    {
        shop.port(function).unwrap().fail(call, Fault::After);
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.view(&placed).await["status"], "paid");
    assert_eq!(points(&shop, ADA).await["balances"]["pending"], 25);
    assert_eq!(shop.check_invariants().await.unwrap().shipments, 1);
}

#[tokio::test(start_paused = true)]
async fn what_never_works_ends_in_the_dead_letter_queue_and_can_be_sent_again() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.port("shipment-open").unwrap().fail_always(Some(Fault::Before));
    shop.pay(&placed).await;
    let parked = shop.queue("shipments-dlq");
    assert_eq!((parked.len(), parked[0].receives), (1, 5));
    shop.check_invariants().await.unwrap_err();
    shop.port("shipment-open").unwrap().fail_always(None);
    shop.clock().advance(Period::of_days(10));
    shop.send(Queue::Shipments, parked[0].body.clone());
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}
