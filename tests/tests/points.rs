//! Points, whole functions: what comes twice or late, what is refused, what a
//! posting costs, and a ledger that does not agree with its entries.

use aftercart::{
    messages::{Envelope, Message, OrderPaid, PaymentReceived, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        points::{Account, Authority, Ledger},
        time::Period,
    },
    run::metrics::Metric,
    store::{Commit, points},
};
use aftercart_infra::world::{Ask, Fault, Reply, dead_letters};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key};

const NUMBER: &str = "AB-1234";

async fn view(shop: &Shop, query: &str) -> Reply {
    shop.reply(&Ask::get(format!("/me/points{query}")).by_member(ADA)).await
}

async fn balances(shop: &Shop) -> (i64, i64) {
    let view = view(shop, "").await.json();
    let of = |name: &str| view["balances"][name].as_i64().unwrap();
    (of("pending"), of("available"))
}

fn ada() -> CustomerId {
    CustomerId::member(ADA).unwrap()
}

fn sealed(shop: &Shop, message: Message) -> String {
    json!(Envelope::seal(message, shop.now(), None)).to_string()
}

fn order_paid(shop: &Shop, order: &str) -> String {
    let order = OrderId::parse(order).unwrap();
    sealed(shop, Message::OrderPaid(OrderPaid { order, customer: ada() }))
}

/// A delivered order of two teas: 2500 pence, 25 points.
async fn delivered(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, NUMBER).await;
    placed
}

/// A ledger of so many orders, ten points each, all due now.
fn due(shop: &Shop, orders: usize) -> Ledger {
    let mut ledger = Ledger::empty(ada());
    for number in 0..orders {
        let order = OrderId::derive(&[&number.to_string()]);
        let authority = Authority { rule: "line_amount", policy: "1" };
        ledger.earn(&order, 10, shop.now(), authority).unwrap();
        ledger.start_clock(&order, shop.now());
    }
    ledger
}

#[tokio::test]
async fn points_are_pending_then_available_then_gone() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    assert_eq!(balances(&shop).await, (0, 0));
    shop.deliver(&placed, NUMBER).await;
    assert_eq!(balances(&shop).await, (25, 0));
    shop.clock().advance(Period::of_days(13));
    shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(balances(&shop).await, (25, 0));
    shop.clock().advance(Period::of_days(1));
    shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(balances(&shop).await, (0, 25));
    let seen = view(&shop, "").await.json();
    assert_eq!(seen["lots"], json!([{ "points": 25, "expires_at": "2028-01-01T00:00:00.000Z" }]));
    shop.clock().advance(Period::of_days(400));
    shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(balances(&shop).await, (0, 0));
    let kinds = view(&shop, "").await.json();
    let kinds = kinds["movements"].as_array().unwrap().iter().map(|it| it["kind"].clone());
    assert_eq!(kinds.collect::<Vec<_>>(), ["expired", "matured", "earned"]);
    let counted = [Metric::PointsPosted, Metric::PointsMatured, Metric::PointsExpired];
    assert_eq!(counted.map(|metric| shop.metrics().counted(metric)), [25, 25, 25]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn points_of_a_parcel_that_goes_back_stay_pending() {
    let shop = Shop::open().await;
    delivered(&shop).await;
    let clock = |view: Value| view["pending_lots"][0].get("matures_at").is_some();
    assert!(clock(view(&shop, "").await.json()));
    shop.clock().advance(Period::of_days(1));
    shop.call_back(&shop.scan(NUMBER, "returning")).await;
    shop.settle().await.unwrap();
    assert!(!clock(view(&shop, "").await.json()));
    shop.clock().advance(Period::of_days(30));
    shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(balances(&shop).await, (25, 0));
}

#[tokio::test]
async fn an_order_earns_once_even_when_it_is_told_of_after_its_points_matured() {
    let shop = Shop::open().await;
    let placed = delivered(&shop).await;
    let told: Vec<String> = vec![order_paid(&shop, &placed.id); 3];
    for text in &told {
        shop.send(Queue::Points, text);
    }
    shop.settle().await.unwrap();
    assert_eq!(balances(&shop).await, (25, 0));
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-mature").await.unwrap();
    let before = shop.state().await.unwrap()["tables"]["points"].clone();
    for text in &told {
        shop.send(Queue::Points, text);
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"]["points"], before);
    assert_eq!(shop.queue(&dead_letters(Queue::Points)), []);
    assert_eq!(shop.metrics().counted(Metric::PointsPosted), 25);
}

#[tokio::test]
async fn an_earning_costs_two_round_trips_and_four_units() {
    let shop = Shop::open().await;
    for number in 0..2 {
        let placed = shop.place(ADA, "TEA", 2, &key("order", number)).await;
        shop.pay(&placed).await;
    }
    let meter = shop.port("points-post").unwrap().meter();
    let calls: Vec<&str> = meter.calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(calls, ["BatchGetItem", "TransactWriteItems"]);
    assert_eq!(meter.write_units(), 4);
    view(&shop, "").await;
    assert_eq!(shop.port("points-view").unwrap().meter().calls.len(), 2);
}

#[tokio::test]
async fn two_orders_at_once_earn_both() {
    let shop = Shop::open().await;
    shop.sell("BOOK", 900, 10).await;
    let mut events = Vec::new();
    for number in 0..2 {
        let placed = shop.place(ADA, "BOOK", 1, &key("order", number)).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", &format!("evt_{number}")))
            .await;
        shop.relay().await.unwrap();
        shop.consume(Queue::Payments).await.unwrap();
        shop.relay().await.unwrap();
        let records = shop.queue_event(Queue::Points)["Records"].as_array().unwrap().clone();
        events.push(json!({ "Records": [records[number]] }));
    }
    let (one, other) = tokio::join!(
        shop.invoke("points-post", &events[0]),
        shop.invoke("points-post", &events[1])
    );
    for answer in [one, other] {
        assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
    }
    assert_eq!(balances(&shop).await, (18, 0));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn guests_and_free_orders_earn_nothing() {
    let shop = Shop::open().await;
    shop.sell("GIFT", 0, 5).await;
    shop.place(ADA, "GIFT", 1, KEY).await;
    let guest = shop.place_as_guest("TEA", 2, KEY).await;
    shop.deliver(&guest, NUMBER).await;
    assert_eq!(shop.store().all_points().await.unwrap().ledgers, []);
    assert_eq!(shop.metrics().counted(Metric::PointsPosted), 0);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_no_retry_can_mend_is_parked() {
    let shop = Shop::open().await;
    let payment = PaymentId::derive(&["1"]);
    let other = sealed(&shop, Message::PaymentReceived(PaymentReceived { payment }));
    let unknown = order_paid(&shop, OrderId::derive(&["nowhere"]).as_str());
    for text in [&other, &unknown] {
        shop.send(Queue::Points, text);
    }
    shop.settle().await.unwrap();
    let parked = shop.queue(&dead_letters(Queue::Points));
    let reasons: Vec<&str> = parked.iter().filter_map(|it| it.reason.as_deref()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("payment.received is no message about points"), "{reasons:?}");
    assert!(reasons[1].contains("there is no order ord_"), "{reasons:?}");
}

#[tokio::test]
async fn many_orders_mature_in_one_run_some_at_a_time() {
    let shop = Shop::open().await;
    shop.store().commit(points::save(&due(&shop, 45))).await.unwrap();
    // Half way the store is gone: what was committed stays, the rest is due.
    shop.port("points-mature").unwrap().fail(8, Fault::Before);
    shop.run_schedule("points-mature").await.unwrap_err();
    assert_eq!(balances(&shop).await, (250, 200));
    shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(balances(&shop).await, (0, 450));
    assert_eq!(shop.metrics().counted(Metric::PointsMatured), 450);
    let swept = shop.run_schedule("points-mature").await.unwrap();
    assert_eq!(swept, json!({ "done": 0, "settled": 0, "failed": 0 }));
    assert_eq!(shop.store().all_points().await.unwrap().entries.len(), 45);
}

#[tokio::test]
async fn two_runs_at_once_do_the_work_of_one() {
    let shop = Shop::open().await;
    shop.store().commit(points::save(&due(&shop, 45))).await.unwrap();
    let (one, other) =
        tokio::join!(shop.run_schedule("points-mature"), shop.run_schedule("points-mature"));
    one.unwrap();
    other.unwrap();
    assert_eq!(balances(&shop).await, (0, 450));
    assert_eq!(shop.metrics().counted(Metric::PointsMatured), 450);
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 0);
}

#[tokio::test]
async fn a_torn_ledger_is_not_written_to() {
    let shop = Shop::open().await;
    let mut torn = due(&shop, 2);
    torn.pending[1].points = 11;
    shop.store().commit(points::save(&torn)).await.unwrap();
    let before = shop.state().await.unwrap();
    shop.run_schedule("points-mature").await.unwrap_err();
    assert_eq!(shop.state().await.unwrap(), before);
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 1);
}

#[tokio::test]
async fn an_entry_that_the_ledger_knows_nothing_of_stops_it() {
    let shop = Shop::open().await;
    let ledger = due(&shop, 1);
    let authority = Authority { rule: "return_window", policy: "1" };
    let entry = ledger.clone().mature_one(shop.now(), authority, |at| at).unwrap().unwrap();
    let commit: Commit = [points::save(&ledger), points::post(&entry)].into_iter().collect();
    shop.store().commit(commit).await.unwrap();
    shop.run_schedule("points-mature").await.unwrap_err();
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 1);
    let kept = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(kept.balance(Account::Pending), 10);
}

#[tokio::test]
async fn movements_come_in_pages_and_only_to_their_member() {
    let shop = Shop::open().await;
    shop.store().commit(points::save(&due(&shop, 5))).await.unwrap();
    shop.run_schedule("points-mature").await.unwrap();
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = view(&shop, &query).await.json();
        let movements = page["movements"].as_array().unwrap();
        assert!(movements.len() <= 2);
        seen.extend(movements.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 5);
    seen.dedup();
    assert_eq!(seen.len(), 5);
    let other = shop.reply(&Ask::get(format!("/me/points{query}")).by_member("eve")).await.json();
    assert_eq!((&other["movements"], &other["lots"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused() {
    let shop = Shop::open().await;
    for (query, field) in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=-1", "limit"),
        ("?limit=ten", "limit"),
        ("?cursor=%00", "cursor"),
        ("?page=2", "page"),
    ] {
        let reply = view(&shop, query).await;
        assert_eq!((reply.status, reply.text("/field").as_str()), (400, field), "{query}");
        assert!(shop.port("points-view").unwrap().meter().calls.is_empty());
    }
    let reply = shop.reply(&Ask::get("/me/points")).await;
    assert_eq!(reply.status, 401);
    let reply: Value = view(&shop, "?limit=100").await.json();
    assert_eq!(reply["movements"], json!([]));
}
