//! Points, whole functions: what comes twice or late, what is refused, what a
//! posting costs, a ledger that does not agree with its entries, and points
//! that pay for orders.

use aftercart::{
    messages::{Envelope, Message, OrderPaid, PaymentReceived, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        points::{
            Account, Authority, Cause, Earning, Holder, Ledger, LedgerError, Lot, MAX_HOLDS,
            Movement,
        },
        policy::Policy,
        time::Period,
    },
    run::metrics::Metric,
    store::{Commit, CommitError, Sends, points, settings},
};
use aftercart_infra::world::{Ask, Fault, Reply, dead_letters};
use serde_json::{Value, json};

use crate::shop::{ADA, KEY, Placed, Shop, key, order};

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

/// The message that an order of Ada's was paid.
pub(crate) fn order_paid(shop: &Shop, order: &str) -> String {
    let order = OrderId::parse(order).unwrap();
    sealed(shop, Message::OrderPaid(OrderPaid { order, customer: ada() }))
}

/// A delivered order of two teas: 2500 pence, 25 points.
async fn delivered(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, NUMBER).await;
    placed
}

/// Lets points pay for half of the goods, a penny a point, and gives Ada so
/// many that end in a year.
pub(crate) async fn points_pay(shop: &Shop, given: i64) {
    points_pay_up_to(shop, 5_000, given).await;
}

async fn points_pay_up_to(shop: &Shop, max_share: u32, given: i64) {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": max_share, "least_points": 50,
    });
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
    let mut ledger = Ledger::empty(ada());
    let end = shop.now().plus(Period::of_days(365));
    let movement = Movement {
        id: ledger.entry_id("given", "", ""),
        at: shop.now(),
        cause: Cause::Apology(OrderId::derive(&["given"])),
        authority: Authority { rule: "late_payment", policy: "1" },
    };
    let lots = vec![Lot::new(given, shop.now(), end)];
    let entry = ledger.credit(movement, Account::Issued, lots).unwrap();
    let saved = points::save(&ledger, Some(end), &Sends::none());
    let commit: Commit = [points::post(&entry), saved].into_iter().collect();
    shop.store().commit(commit).await.unwrap();
}

/// Ada's order of one line, paid with points as far as `asked`.
pub(crate) async fn place_with_points(
    shop: &Shop,
    sku: &str,
    quantity: i64,
    asked: &Value,
    key: &str,
) -> Placed {
    let mut body = order(&[(sku, quantity)]);
    body["points"] = asked.clone();
    shop.placed(Ask::post("/orders", &body).by_member(ADA).keyed(key), Some(ADA)).await
}

/// Calls off an order.
pub(crate) async fn called_off(shop: &Shop, placed: &Placed) {
    let ask = Ask::post(placed.path("/cancel"), &json!({}));
    let reply = shop.reply(&placed.sign_in(ask)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

/// Pending, available, held and spendable points, and what is owed.
pub(crate) async fn all_balances(shop: &Shop) -> [i64; 5] {
    let view = view(shop, "").await.json();
    ["pending", "available", "held", "spendable", "debt"]
        .map(|name| view["balances"][name].as_i64().unwrap())
}

/// A ledger of so many orders, ten points each, all due now.
async fn due(shop: &Shop, orders: usize) -> (Ledger, Vec<Earning>) {
    let mut ledger = Ledger::empty(ada());
    let mut earn = |number: usize| {
        let order = OrderId::derive(&[&number.to_string()]);
        let authority = Authority { rule: "line_amount", policy: "1" };
        let mut earning = ledger.earn(&order, &[10], None, shop.now(), authority).unwrap();
        earning.claim.matures_at = Some(shop.now());
        earning
    };
    let earnings: Vec<Earning> = (0..orders).map(&mut earn).collect();
    let saved = points::save(&ledger, None, &Sends::none());
    let commit: Commit = earnings.iter().map(points::post_earning).chain([saved]).collect();
    shop.store().commit(commit).await.unwrap();
    (shop.store().ledger(&ada()).await.unwrap(), earnings)
}

/// When the return window of Ada's one order ends.
async fn matures_at(shop: &Shop) -> Option<aftercart::model::time::Timestamp> {
    let claims = shop.store().all_points().await.unwrap().claims;
    let [(_, claim)] = claims.as_slice() else { panic!("{claims:?}") };
    claim.matures_at
}

#[tokio::test]
async fn points_are_pending_then_available_then_gone() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    assert_eq!(balances(&shop).await, (0, 0));
    shop.deliver(&placed, NUMBER).await;
    assert_eq!(balances(&shop).await, (25, 0));
    shop.clock().advance(Period::of_days(13));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(balances(&shop).await, (25, 0));
    shop.clock().advance(Period::of_days(1));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(balances(&shop).await, (0, 25));
    let seen = view(&shop, "").await.json();
    assert_eq!(seen["lots"], json!([{ "points": 25, "expires_at": "2028-01-01T00:00:00.000Z" }]));
    shop.clock().advance(Period::of_days(400));
    shop.run_schedule("points-settle").await.unwrap();
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
    assert!(matures_at(&shop).await.is_some());
    shop.clock().advance(Period::of_days(1));
    shop.call_back(&shop.scan(NUMBER, "returning")).await;
    shop.settle().await.unwrap();
    assert_eq!(matures_at(&shop).await, None);
    shop.clock().advance(Period::of_days(30));
    shop.run_schedule("points-settle").await.unwrap();
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
    shop.run_schedule("points-settle").await.unwrap();
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
    // The policy and the keys of links are known by the second look.
    view(&shop, "").await;
    view(&shop, "").await;
    assert_eq!(shop.port("points-view").unwrap().meter().calls.len(), 2);
}

/// Entries as a long history leaves them: each gives a point and takes it again.
async fn history(shop: &Shop, entries: u32) {
    let mut ledger = Ledger::empty(ada());
    let lot = Lot::new(1, shop.now(), shop.now().plus(Period::of_days(365)));
    let (mut commit, by) = (Commit::new(), Authority { rule: "base", policy: "1" });
    for number in 0..entries {
        let movement = Movement {
            id: ledger.entry_id("history", &number.to_string(), ""),
            at: shop.now().minus(Period::of_seconds(number)),
            cause: Cause::Apology(OrderId::derive(&[&number.to_string()])),
            authority: by,
        };
        let entry = match number % 2 {
            0 => ledger.credit(movement, Account::Issued, vec![lot.clone()]),
            _ => ledger.debit(movement, 1, Account::Spent),
        };
        commit = commit.with(points::post(&entry.unwrap()));
        if commit.len() == 100 {
            shop.store().commit(std::mem::take(&mut commit)).await.unwrap();
        }
    }
    let saved = points::save(&ledger, None, &Sends::none());
    shop.store().commit(commit.with(saved)).await.unwrap();
}

/// So many entries are a long history here; `AFTERCART_HISTORY` names another
/// number, such as 100,000, which takes minutes to write.
const LONG: u32 = 5_000;

#[tokio::test]
async fn an_earning_and_a_look_cost_the_same_whatever_the_history() {
    let asked = std::env::var("AFTERCART_HISTORY").ok();
    let long = asked.map_or(LONG, |text| text.parse().unwrap());
    let mut costs = Vec::new();
    for entries in [10, long] {
        let shop = Shop::open().await;
        history(&shop, entries).await;
        for number in 0..2 {
            let placed = shop.place(ADA, "TEA", 2, &key("order", number)).await;
            shop.pay(&placed).await;
            view(&shop, "").await;
        }
        assert_eq!(balances(&shop).await.0, 50);
        let post = shop.port("points-post").unwrap().meter();
        let look = shop.port("points-view").unwrap().meter();
        costs.push((post.calls.len(), post.write_units(), look.calls.len()));
    }
    assert!(costs[0].0 <= 2 && costs[0].1 <= 6, "{costs:?}");
    assert_eq!(costs[0], costs[1]);
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
    due(&shop, 45).await;
    // Half way the store is gone: what was committed stays, the rest is due.
    shop.port("points-settle").unwrap().fail(8, Fault::Before);
    shop.run_schedule("points-settle").await.unwrap_err();
    assert_eq!(balances(&shop).await, (250, 200));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(balances(&shop).await, (0, 450));
    assert_eq!(shop.metrics().counted(Metric::PointsMatured), 450);
    let swept = shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(swept, json!({ "done": 0, "settled": 0, "failed": 0 }));
    assert_eq!(shop.store().all_points().await.unwrap().entries.len(), 90);
}

#[tokio::test]
async fn two_runs_at_once_do_the_work_of_one() {
    let shop = Shop::open().await;
    due(&shop, 45).await;
    let (one, other) =
        tokio::join!(shop.run_schedule("points-settle"), shop.run_schedule("points-settle"));
    one.unwrap();
    other.unwrap();
    assert_eq!(balances(&shop).await, (0, 450));
    assert_eq!(shop.metrics().counted(Metric::PointsMatured), 450);
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 0);
}

#[tokio::test]
async fn a_torn_ledger_is_not_written_to() {
    let shop = Shop::open().await;
    let (mut torn, _) = due(&shop, 2).await;
    torn.balances.insert(Account::Expired, 1);
    shop.store().commit(points::save(&torn, None, &Sends::none())).await.unwrap();
    let before = shop.state().await.unwrap();
    shop.run_schedule("points-settle").await.unwrap_err();
    assert_eq!(shop.state().await.unwrap(), before);
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 1);
}

#[tokio::test]
async fn an_entry_that_the_ledger_knows_nothing_of_stops_it() {
    let shop = Shop::open().await;
    let (mut ledger, mut earnings) = due(&shop, 1).await;
    let by = Authority { rule: "return_window", policy: "1" };
    let lot = |points, age| Lot::new(points, age, age.plus(Period::of_days(365)));
    let entry = ledger.mature(&mut earnings[0].claim, shop.now(), by, lot).unwrap().unwrap();
    shop.store().commit(points::post(&entry)).await.unwrap();
    shop.run_schedule("points-settle").await.unwrap_err();
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 1);
    let kept = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(kept.balance(Account::Pending), 10);
}

#[tokio::test]
async fn a_ledger_that_has_nothing_to_do_any_more_is_put_off() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let ledger = shop.store().ledger(&ada()).await.unwrap();
    let now = points::save(&ledger, Some(shop.now()), &Sends::none());
    shop.store().commit(now).await.unwrap();
    for settled in [1, 0] {
        let swept = shop.run_schedule("points-settle").await.unwrap();
        assert_eq!(swept, json!({ "done": 0, "settled": settled, "failed": 0 }));
    }
    let after = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(Ledger { version: ledger.version, ..after }, ledger);
}

#[tokio::test]
async fn movements_come_in_pages_and_only_to_their_member() {
    let shop = Shop::open().await;
    due(&shop, 5).await;
    shop.run_schedule("points-settle").await.unwrap();
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = view(&shop, &query).await.json();
        let movements = page["movements"].as_array().unwrap();
        assert!(movements.len() <= 2);
        seen.extend(movements.iter().map(|it| it["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=2&cursor={cursor}");
    }
    assert_eq!(seen.len(), 10);
    seen.dedup();
    assert_eq!(seen.len(), 10);
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

#[tokio::test]
async fn points_are_held_then_spent_with_the_order() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    assert_eq!(placed.total, 2000);
    assert_eq!(all_balances(&shop).await, [0, 900, 500, 400, 0]);
    assert_eq!(shop.store().all_points().await.unwrap().entries.len(), 1, "a hold is no entry");
    shop.pay(&placed).await;
    // 2000 pence are paid in money.
    assert_eq!(all_balances(&shop).await, [20, 400, 0, 400, 0]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_order_that_points_pay_whole_is_paid_at_once() {
    let shop = Shop::open().await;
    points_pay_up_to(&shop, 10_000, 900).await;
    let placed = place_with_points(&shop, "CUP", 1, &json!("max"), KEY).await;
    assert_eq!(placed.total, 0);
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 100, 0, 100, 0]);
    called_off(&shop, &placed).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 900, 0, 900, 0]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_hold_adds_two_units_to_the_transaction() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let mut units = Vec::new();
    for (number, asked) in [(0, Value::Null), (1, json!(500))] {
        place_with_points(&shop, "TEA", 2, &asked, &key("order", number)).await;
        units.push(shop.port("order-place").unwrap().meter().write_units());
    }
    assert_eq!(units[1] - units[0], 2, "{units:?}");
}

#[tokio::test]
async fn an_order_that_ends_unpaid_leaves_no_trace() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let before = shop.store().ledger(&ada()).await.unwrap();
    let cancelled = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    place_with_points(&shop, "TEA", 1, &json!("max"), &key("order", 1)).await;
    assert_eq!(all_balances(&shop).await, [0, 900, 900, 0, 0]);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    called_off(&shop, &cancelled).await;
    shop.clock().advance(Period::of_seconds(2401));
    shop.run_schedule("order-expire").await.unwrap();
    let after = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(Ledger { version: before.version, ..after }, before);
    assert_eq!(shop.store().all_points().await.unwrap().entries.len(), 1);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_called_off_order_gives_back_what_it_spent_and_loses_what_it_earned() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let placed = place_with_points(&shop, "TEA", 3, &json!(700), KEY).await;
    shop.pay(&placed).await;
    assert_eq!(all_balances(&shop).await, [30, 200, 0, 200, 0]);
    let off = json!({ "lines": [{ "sku": "TEA", "cancelled": 1 }] });
    let ask = placed.sign_in(Ask::post(placed.path("/units/cancel"), &off));
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [20, 433, 0, 433, 0]);
    shop.check_invariants().await.unwrap();
    called_off(&shop, &placed).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 900, 0, 900, 0]);
    let told = order_paid(&shop, &placed.id);
    let before = shop.state().await.unwrap()["tables"]["points"].clone();
    for _ in 0..3 {
        shop.send(Queue::Points, &told);
    }
    shop.settle().await.unwrap();
    assert_eq!(shop.state().await.unwrap()["tables"]["points"], before);
    let kinds = view(&shop, "").await.json();
    let kinds = kinds["movements"].as_array().unwrap().iter().map(|it| it["kind"].clone());
    let mut kinds: Vec<_> = kinds.map(|kind| kind.as_str().unwrap().to_owned()).collect();
    kinds.sort();
    let expected =
        ["apology", "earned", "returned", "returned", "spent", "taken_back", "taken_back"];
    assert_eq!(kinds, expected);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_order_called_off_before_its_points_were_posted_ends_the_same() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    called_off(&shop, &placed).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 900, 0, 900, 0]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_hold_is_one_update_that_meets_postings() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let id = |number: usize| Holder::Order(OrderId::derive(&[&number.to_string()]));
    let read = shop.store().ledger(&ada()).await.unwrap();
    let lost = async |write| {
        let result = shop.store().commit(write).await;
        let Err(CommitError::Lost(conflicts)) = result else { panic!("{result:?}") };
        let found = conflicts[0].found.as_ref();
        found.map(|item| points::ledger_from_item(item).unwrap().spendable())
    };
    let hold = |order: usize, points| points::hold(&ada(), &id(order), points);
    let release = |order: usize, points| points::release(&ada(), &id(order), points);
    assert_eq!(lost(hold(1, 901)).await, Some(900));
    shop.store().commit(hold(1, 600)).await.unwrap();
    assert_eq!(lost(hold(2, 301)).await, Some(300));
    assert_eq!(lost(hold(1, 1)).await, Some(300), "one hold an order");
    assert_eq!(lost(release(2, 600)).await, Some(300));
    assert_eq!(lost(release(1, 599)).await, Some(300), "not so many");
    // A posting that was decided without the hold loses.
    lost(points::save(&read, None, &Sends::none())).await;
    shop.store().commit(release(1, 600)).await.unwrap();
    assert_eq!(lost(release(1, 600)).await, Some(900));
    for order in 0..MAX_HOLDS {
        shop.store().commit(hold(order, 1)).await.unwrap();
    }
    lost(hold(MAX_HOLDS, 1)).await;
    // The rule in the model says the same as the condition.
    let mut full = shop.store().ledger(&ada()).await.unwrap();
    assert_eq!(full.hold(id(MAX_HOLDS), 1, None), Err(LedgerError::TooFew));
    let nobody = CustomerId::member("eve").unwrap();
    assert_eq!(lost(points::hold(&nobody, &id(1), 1)).await, None);
}

#[tokio::test]
async fn held_points_of_a_lot_that_ends_are_still_spent() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    shop.clock().advance(Period::of_days(364));
    let placed = place_with_points(&shop, "TEA", 2, &json!(500), KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.clock().advance(Period::of_days(1));
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 500, 500, 0, 0]);
    let swept = shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(swept, json!({ "done": 0, "settled": 0, "failed": 0 }));
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    shop.settle().await.unwrap();
    assert_eq!(all_balances(&shop).await[1..], [0, 0, 0, 0]);
    // Called off, they come back and last a while.
    called_off(&shop, &placed).await;
    shop.settle().await.unwrap();
    shop.run_schedule("points-settle").await.unwrap();
    assert_eq!(all_balances(&shop).await, [0, 500, 0, 500, 0]);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn many_at_once_never_hold_more_than_there_is() {
    let shop = Shop::open().await;
    points_pay(&shop, 900).await;
    let tries = (0..12).map(|number| {
        let mut body = order(&[("CUP", 1)]);
        body["points"] = json!(200);
        Ask::post("/orders", &body).by_member(ADA).keyed(&key("order", number))
    });
    let asks: Vec<Ask> = tries.collect();
    let replies = futures::future::join_all(asks.iter().map(|ask| shop.reply(ask))).await;
    let placed = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(placed, 4);
    assert!(replies.iter().all(|reply| [201, 409].contains(&reply.status)));
    assert_eq!(all_balances(&shop).await, [0, 900, 800, 100, 0]);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}
