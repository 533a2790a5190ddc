//! Money that comes after its order has ended: the order has again all that it
//! had, or the money goes back.

use aftercart::{
    messages::{Envelope, Message, OrderPaid, PaymentLate, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId, VoucherId},
        order::{Actor, Deed, OrderStatus},
        policy::Policy,
        price::PriceRules,
        time::Period,
        voucher::Voucher,
    },
    run::metrics::Metric,
    store::{settings, vouchers},
};
use aftercart_infra::world::{Ask, Caller, Fault, Options, dead_letters};
use serde_json::{Value, json};

use crate::{
    channels::{bobs_order, linked, points_pay, undoing},
    giving::grant,
    orders::{cancelling, holding, left, operating, releasing, rich, stored, told},
    payment_cases::listing,
    shop::{ADA, KEY, Placed, Shop, key, order},
};

/// The hold of an unpaid order, with the grace.
const HELD: Period = Period::of_seconds(40 * 60);

/// An attempt to pay, by its number.
async fn started(shop: &Shop, placed: &Placed, number: usize) -> String {
    let ask = Ask::post(placed.path("/payments"), &json!({ "provider": "sandbox" }));
    let reply = shop.reply(&placed.sign_in(ask).keyed(&key("attempt", number))).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    reply.text("/id")
}

/// Ends the orders that nobody paid.
pub(crate) async fn expire(shop: &Shop) {
    shop.clock().advance(HELD);
    shop.run_schedule("order-expire").await.unwrap();
}

/// The money comes, and nobody has looked at what that means for the order.
pub(crate) async fn comes(shop: &Shop, placed: &Placed, payment: &str) {
    let event = format!("evt_{payment}");
    shop.call_back(&shop.report(placed, payment, "succeeded", &event)).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
}

async fn retake(shop: &Shop) {
    assert!(shop.consume(Queue::LatePayments).await.unwrap(), "nothing is late");
    shop.relay().await.unwrap();
}

fn late_messages(shop: &Shop) -> usize {
    shop.queue(Queue::LatePayments.name()).len()
}

fn parked(shop: &Shop) -> Vec<String> {
    let parked = shop.queue(&dead_letters(Queue::LatePayments));
    parked.into_iter().map(|it| it.reason.unwrap_or_default()).collect()
}

/// What is due to go back, by amount and cause.
async fn due(shop: &Shop, placed: &Placed) -> Vec<(i64, &'static str)> {
    let dues = stored(shop, placed).await.refunds_due;
    dues.iter().map(|due| (due.amount.minor(), due.cause.as_str())).collect()
}

async fn status(shop: &Shop, placed: &Placed) -> OrderStatus {
    stored(shop, placed).await.status
}

async fn stock(shop: &Shop) -> [i64; 3] {
    [shop.left("TEA").await, shop.left("CUP").await, shop.left("LAST").await]
}

/// Changes the policy of the shop.
pub(crate) async fn decided(shop: &Shop, change: impl FnOnce(&mut Value)) {
    let document = shop.store().policy_document().await.unwrap();
    let policy = document.map_or_else(Policy::default_document, |text| Policy::parse(&text));
    let mut policy = json!(policy.unwrap());
    change(&mut policy);
    Policy::parse(&policy.to_string()).unwrap();
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
    shop.restart("order-retake").unwrap();
}

#[tokio::test]
async fn an_order_that_ended_goes_on_with_all_that_it_had() {
    for expires in [true, false] {
        let shop = Shop::open().await;
        let placed = rich(&shop).await;
        let payment = started(&shop, &placed, 0).await;
        let (before, taken) = (stored(&shop, &placed).await, left(&shop).await);
        match expires {
            true => expire(&shop).await,
            false => assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200),
        }
        assert_ne!(left(&shop).await, taken);
        let now = shop.now();
        comes(&shop, &placed, &payment).await;
        let paid = shop.metrics().counted(Metric::OrderPaid);
        retake(&shop).await;
        assert_eq!(left(&shop).await, taken);
        let after = stored(&shop, &placed).await;
        assert_eq!((after.status, after.paid_at), (OrderStatus::Paid, Some(now)));
        assert_eq!(after.paid_by().unwrap().as_str(), payment);
        assert_eq!((&after.lines, &after.quotas), (&before.lines, &before.quotas));
        assert_eq!(after.refunds_due, []);
        let last = after.history.last().unwrap();
        assert_eq!((last.what, &last.who, last.at), (Deed::PaidLate, &Actor::Rule, now));
        assert_eq!(shop.metrics().counted(Metric::OrderPaid), paid + 1);
        shop.settle().await.unwrap();
        assert_eq!(told(&shop, "notification.late_payment_settled"), 1);
        assert_eq!(told(&shop, "notification.shipment_opened"), 2, "the first earned the points");
        assert!(!shop.shipment(&placed).await.is_empty());
        shop.check_invariants().await.unwrap();
        // It is an order like any other: it is called off with its money.
        assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
        assert_eq!(due(&shop, &placed).await, [(placed.total, "cancelled")]);
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
        let free = left(&shop).await;
        for table in ["stock", "quotas", "customers"] {
            assert_ne!(free[table], taken[table], "{table}");
        }
        assert_eq!(parked(&shop), [""; 0]);
    }
}

#[tokio::test]
async fn a_guest_is_told_and_gets_the_order_or_the_money() {
    for there in [true, false] {
        let shop = Shop::open().await;
        decided(&shop, |policy| policy["payments"]["late"]["apology_points"] = json!(50)).await;
        let placed = shop.place_as_guest("LAST", 1, KEY).await;
        let payment = started(&shop, &placed, 0).await;
        expire(&shop).await;
        if !there {
            shop.place(ADA, "LAST", 1, KEY).await;
        }
        comes(&shop, &placed, &payment).await;
        retake(&shop).await;
        let apologies = kinds(&shop, Queue::Points, "apology.due");
        assert_eq!(apologies, 0);
        shop.settle().await.unwrap();
        assert_eq!(told(&shop, "notification.late_payment_settled"), 1);
        let view = shop.view(&placed).await;
        let expected = if there { ("paid", false) } else { ("expired", true) };
        let payment = &view["payments"][0];
        assert_eq!(
            (&view["status"], &payment["refund_due"]),
            (&json!(expected.0), &json!(expected.1))
        );
        assert_eq!(shop.left("LAST").await, 0);
        shop.check_invariants().await.unwrap();
    }
}

/// How many messages of a kind wait in a queue.
fn kinds(shop: &Shop, queue: Queue, kind: &str) -> usize {
    let waiting = shop.queue(queue.name());
    let kinds = waiting.iter().map(|it| Envelope::parse(&it.body).unwrap().message);
    kinds.filter(|it: &Message| it.kind() == kind).count()
}

/// Sets the only price rule of the shop, or that it has none.
async fn ruled(shop: &Shop, total: Option<u32>) {
    let rule = |total: u32| {
        json!({ "id": "tenth", "title": { "en": "A tenth off" },
                "effect": { "percent": { "off": 1000 } },
                "coupon": { "voucher": true }, "limits": { "total": total } })
    };
    let rules: Vec<Value> = total.map(rule).into_iter().collect();
    let rules = json!({ "version": "2", "zone": "UTC", "rules": rules }).to_string();
    PriceRules::parse(&rules).unwrap();
    shop.store().commit(settings::put_price_rules(&rules)).await.unwrap();
    for function in ["order-place", "order-retake"] {
        shop.restart(function).unwrap();
    }
}

/// What keeps an order from being taken up again.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Gone {
    Goods,
    Voucher,
    Points,
    Limit,
    Rule,
    ByOperator,
    Policy,
}

async fn gone(shop: &Shop, placed: &Placed, what: Gone) {
    let other = |changes: Value| {
        let mut body = order(&[("TEA", 1)]);
        for (name, value) in changes.as_object().unwrap() {
            body[name] = value.clone();
        }
        Ask::post("/orders", &body).by_member(ADA).keyed(&key("other", 0))
    };
    let before = stored(shop, placed).await;
    match what {
        Gone::Goods => {
            shop.place("bob", "LAST", 1, KEY).await;
        }
        Gone::Voucher => {
            shop.placed(other(json!({ "vouchers": before.vouchers })), Some(ADA)).await;
        }
        Gone::Points => {
            let points = before.points.unwrap().points;
            shop.placed(other(json!({ "points": points })), Some(ADA)).await;
        }
        Gone::Limit => {
            ruled(shop, Some(1)).await;
            let bob = CustomerId::member("bob").unwrap();
            let voucher = Voucher {
                id: VoucherId::derive(&["2"]),
                customer: bob,
                rule: before.quotas[0].rule.clone(),
                granted_at: shop.now(),
                expires_at: None,
                used_by: None,
            };
            shop.store().commit(vouchers::grant(&voucher)).await.unwrap();
            let mut body = order(&[("TEA", 1)]);
            body["vouchers"] = json!([voucher.id]);
            let ask = Ask::post("/orders", &body).by_member("bob").keyed(KEY);
            shop.placed(ask, Some("bob")).await;
        }
        Gone::Rule => ruled(shop, None).await,
        Gone::ByOperator => {}
        Gone::Policy => {
            decided(shop, |policy| policy["payments"]["late"]["expired"] = json!("refund")).await;
        }
    }
}

#[tokio::test]
async fn an_order_that_cannot_have_all_again_gives_the_money_back() {
    use Gone::{ByOperator, Goods, Limit, Points, Policy, Rule, Voucher};
    for what in [Goods, Voucher, Points, Limit, Rule, ByOperator, Policy] {
        let shop = Shop::open().await;
        let placed = rich(&shop).await;
        let payment = started(&shop, &placed, 0).await;
        if what == ByOperator {
            let body = json!({ "why": "Stolen card." });
            let ask = operating(&shop, &placed, "/cancel", &body).await;
            assert_eq!(shop.reply(&ask).await.status, 200);
        } else {
            expire(&shop).await;
        }
        gone(&shop, &placed, what).await;
        decided(&shop, |policy| policy["payments"]["late"]["apology_points"] = json!(50)).await;
        let (before, free) = (stored(&shop, &placed).await, left(&shop).await);
        comes(&shop, &placed, &payment).await;
        retake(&shop).await;
        assert_eq!(left(&shop).await, free, "{what:?}");
        assert_eq!(due(&shop, &placed).await, [(placed.total, "late")], "{what:?}");
        let after = stored(&shop, &placed).await;
        assert_eq!((after.status, after.paid_at), (before.status, None), "{what:?}");
        assert_eq!((after.lines, after.history), (before.lines, before.history));
        assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
        assert_eq!(kinds(&shop, Queue::Points, "apology.due"), 1, "{what:?}");
        assert_eq!(kinds(&shop, Queue::ProviderCalls, "refund.wanted"), 1, "{what:?}");
        shop.settle().await.unwrap();
        assert_eq!(told(&shop, "notification.late_payment_settled"), 1);
        assert_eq!(told(&shop, "notification.refund_made"), 1, "{what:?}");
        assert_eq!(due(&shop, &placed).await, [(placed.total, "late")]);
        shop.check_invariants().await.unwrap();
        assert_eq!(parked(&shop), [""; 0]);
    }
}

#[tokio::test]
async fn points_of_an_account_that_was_taken_apart_pay_no_more() {
    let shop = Shop::open().await;
    points_pay(&shop).await;
    grant(&shop, ADA, 500).await;
    let link = linked(&shop).await;
    let placed = bobs_order(&shop).await;
    let payment = started(&shop, &placed, 0).await;
    expire(&shop).await;
    assert_eq!(shop.reply(&undoing(&link)).await.status, 200);
    comes(&shop, &placed, &payment).await;
    retake(&shop).await;
    assert_eq!(due(&shop, &placed).await, [(placed.total, "late")]);
    let ada = shop.store().ledger(&CustomerId::member(ADA).unwrap()).await.unwrap();
    assert_eq!((ada.spendable(), ada.held()), (500, 0));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn units_are_taken_from_wherever_they_are_now() {
    let document = include_str!("../../shared/policy/default.json");
    let mut policy: Value = serde_json::from_str(document).unwrap();
    policy["stock"]["locations"] =
        json!([{ "id": "main", "title": "Main" }, { "id": "east", "title": "East" }]);
    let options = Options { policy: Some(policy.to_string()), ..Options::default() };
    let shop = Shop::open_with(options).await;
    let placed = shop.place(ADA, "LAST", 1, KEY).await;
    let payment = started(&shop, &placed, 0).await;
    expire(&shop).await;
    let transfer = json!({ "kind": "transfer", "units": 1, "location": "main", "to": "east" });
    let ask = Ask::post("/products/LAST/movements", &transfer).by(Caller::Operator);
    let reply = shop.reply(&ask.keyed(&key("transfer", 0))).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    comes(&shop, &placed, &payment).await;
    retake(&shop).await;
    let after = stored(&shop, &placed).await;
    assert_eq!(after.status, OrderStatus::Paid);
    let part = &after.lines[0].stock[0];
    assert_eq!((part.location.as_str(), part.quantity), ("east", 1));
    assert_eq!(shop.left("LAST").await, 0);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    // They go back to where they were taken from.
    assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
    assert_eq!(shop.left("LAST").await, 1);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_order_that_waited_for_a_person_waits_again() {
    for released in [false, true] {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        let payment = started(&shop, &placed, 0).await;
        let since = shop.now();
        let hold = holding(&shop, &placed).await;
        assert_eq!(shop.reply(&hold).await.status, 200);
        if released {
            let release = releasing(&shop, &placed).await;
            assert_eq!(shop.reply(&release).await.status, 200);
        }
        expire(&shop).await;
        assert_eq!(stored(&shop, &placed).await.held_at, None);
        comes(&shop, &placed, &payment).await;
        retake(&shop).await;
        shop.settle().await.unwrap();
        let after = stored(&shop, &placed).await;
        assert_eq!(
            (after.status, after.held_at),
            (OrderStatus::Paid, (!released).then_some(since))
        );
        assert_eq!(told(&shop, "notification.order_held"), usize::from(!released));
        assert_eq!(told(&shop, "notification.shipment_opened"), usize::from(released));
        let held = shop.store().orders_held(None, 10).await.unwrap().items;
        assert_eq!(held.len(), usize::from(!released));
        if !released {
            let release = releasing(&shop, &placed).await;
            assert_eq!(shop.reply(&release).await.status, 200);
            shop.settle().await.unwrap();
            assert_eq!(told(&shop, "notification.shipment_opened"), 1);
        }
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_message_that_comes_again_changes_nothing() {
    for there in [true, false] {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "LAST", 1, KEY).await;
        let payment = started(&shop, &placed, 0).await;
        expire(&shop).await;
        if !there {
            shop.place("bob", "LAST", 1, KEY).await;
        }
        comes(&shop, &placed, &payment).await;
        let event = shop.queue_event(Queue::LatePayments);
        let both = futures::join!(
            shop.invoke("order-retake", &event),
            shop.invoke("order-retake", &event)
        );
        for answer in [both.0, both.1] {
            assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
        }
        let once = stored(&shop, &placed).await;
        retake(&shop).await;
        shop.settle().await.unwrap();
        assert_eq!(
            shop.invoke("order-retake", &event).await.unwrap()["batchItemFailures"],
            json!([])
        );
        let again = stored(&shop, &placed).await;
        assert_eq!((again.status, &again.history), (once.status, &once.history));
        assert_eq!(again.refunds_due, once.refunds_due);
        assert_eq!(shop.left("LAST").await, 0);
        let counted = |metric| shop.metrics().counted(metric);
        let expected = if there { (1, 0) } else { (0, 1) };
        assert_eq!((counted(Metric::OrderPaid), counted(Metric::RefundDue)), expected);
        assert_eq!(told(&shop, "notification.late_payment_settled"), 1);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn of_two_late_payments_one_is_taken_and_the_other_goes_back() {
    for at_once in [false, true] {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "LAST", 1, KEY).await;
        let first = started(&shop, &placed, 0).await;
        let second = started(&shop, &placed, 1).await;
        expire(&shop).await;
        comes(&shop, &placed, &first).await;
        if at_once {
            let one = shop.queue_event(Queue::LatePayments);
            comes(&shop, &placed, &second).await;
            let mut other = shop.queue_event(Queue::LatePayments);
            other["Records"].as_array_mut().unwrap().remove(0);
            let both = futures::join!(
                shop.invoke("order-retake", &one),
                shop.invoke("order-retake", &other)
            );
            for answer in [both.0, both.1] {
                assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
            }
        } else {
            comes(&shop, &placed, &second).await;
            assert_eq!(late_messages(&shop), 2);
        }
        shop.settle().await.unwrap();
        let after = stored(&shop, &placed).await;
        assert_eq!(after.status, OrderStatus::Paid);
        assert_eq!(due(&shop, &placed).await, [(placed.total, "unaccepted")]);
        assert_ne!(after.paid_by(), Some(&after.refunds_due[0].payment));
        assert_eq!(shop.metrics().counted(Metric::OrderPaid), 1);
        assert_eq!(shop.metrics().counted(Metric::RefundDue), 1);
        assert_eq!(told(&shop, "notification.late_payment_settled"), 1);
        assert_eq!(told(&shop, "notification.refund_made"), 1);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn the_last_unit_goes_to_one_buyer() {
    for round in 0..3 {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "LAST", 1, KEY).await;
        let payment = started(&shop, &placed, 0).await;
        expire(&shop).await;
        comes(&shop, &placed, &payment).await;
        let buying = Ask::post("/orders", &order(&[("LAST", 1)])).by_member("bob").keyed(KEY);
        let reply = match round {
            0 => {
                let reply = shop.reply(&buying).await;
                retake(&shop).await;
                reply
            }
            1 => {
                retake(&shop).await;
                shop.reply(&buying).await
            }
            _ => futures::join!(shop.reply(&buying), retake(&shop)).0,
        };
        let sold = usize::from(reply.status == 201);
        let taken = usize::from(status(&shop, &placed).await == OrderStatus::Paid);
        assert_eq!(sold + taken, 1, "round {round}: {}", reply.body);
        assert_eq!(due(&shop, &placed).await.len(), sold);
        assert_eq!(shop.left("LAST").await, 0);
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn of_two_orders_that_ended_one_gets_the_last_unit() {
    let shop = Shop::open().await;
    let mut late = Vec::new();
    for number in 0..2 {
        let placed = shop.place(ADA, "LAST", 1, &key("late", number)).await;
        let payment = started(&shop, &placed, number).await;
        expire(&shop).await;
        late.push((placed, payment));
    }
    for (placed, payment) in &late {
        comes(&shop, placed, payment).await;
    }
    let event = |number: usize| {
        let mut event = shop.queue_event(Queue::LatePayments);
        let record = event["Records"][number].clone();
        event["Records"] = json!([record]);
        event
    };
    let (one, other) = (event(0), event(1));
    let both =
        futures::join!(shop.invoke("order-retake", &one), shop.invoke("order-retake", &other));
    for answer in [both.0, both.1] {
        assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
    }
    shop.settle().await.unwrap();
    let mut statuses = Vec::new();
    for (placed, _) in &late {
        statuses.push(status(&shop, placed).await.as_str());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, ["expired", "paid"]);
    assert_eq!(shop.left("LAST").await, 0);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn whatever_breaks_on_the_way_it_happens_once() {
    for fault in [Fault::Before, Fault::After, Fault::Throttle, Fault::Conflict] {
        for call in 1..=5 {
            let shop = Shop::open().await;
            let placed = rich(&shop).await;
            let payment = started(&shop, &placed, 0).await;
            let taken = stock(&shop).await;
            expire(&shop).await;
            comes(&shop, &placed, &payment).await;
            shop.port("order-retake").unwrap().fail(call, fault);
            shop.settle().await.unwrap();
            let after = stored(&shop, &placed).await;
            assert_eq!(after.status, OrderStatus::Paid, "{fault:?} {call}");
            assert_eq!(after.refunds_due, []);
            assert_eq!(stock(&shop).await, taken);
            assert_eq!(told(&shop, "notification.late_payment_settled"), 1, "{fault:?} {call}");
            assert_eq!(parked(&shop), [""; 0]);
            shop.check_invariants().await.unwrap();
        }
    }
}

#[tokio::test]
async fn more_refunds_than_an_order_lists_wait_for_a_person() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let mut attempts = Vec::new();
    for number in 0..12 {
        attempts.push(started(&shop, &placed, number).await);
    }
    expire(&shop).await;
    for attempt in &attempts {
        comes(&shop, &placed, attempt).await;
    }
    while late_messages(&shop) > 0 {
        retake(&shop).await;
    }
    assert_eq!(status(&shop, &placed).await, OrderStatus::Paid);
    assert_eq!(due(&shop, &placed).await.len(), 10);
    let parked = parked(&shop);
    assert_eq!(parked.len(), 1);
    assert!(parked[0].contains(placed.id.as_str()), "{parked:?}");
}

#[tokio::test]
async fn late_money_for_an_order_that_lists_no_more_refunds_is_a_case() {
    let shop = Shop::open().await;
    decided(&shop, |policy| policy["payments"]["late"]["expired"] = json!("refund")).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let mut attempts = Vec::new();
    for number in 0..11 {
        attempts.push(started(&shop, &placed, number).await);
    }
    expire(&shop).await;
    for attempt in &attempts {
        comes(&shop, &placed, attempt).await;
        while late_messages(&shop) > 0 {
            retake(&shop).await;
        }
    }
    assert_eq!(due(&shop, &placed).await.len(), 10);
    assert_eq!(parked(&shop), [""; 0]);
    let page = shop.reply(&listing("limit=50")).await.json();
    assert_eq!(page["cases"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["cases"][0]["reason"], "too_many_refunds");
    assert_eq!(page["cases"][0]["payment"].as_str(), attempts.last().map(String::as_str));
}

#[tokio::test]
async fn what_is_left_of_late_money_goes_back() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = started(&shop, &placed, 0).await;
    expire(&shop).await;
    comes(&shop, &placed, &payment).await;
    shop.clock().advance(Period::of_seconds(60));
    let part = Placed { total: 250, ..placed.clone() };
    shop.call_back(&shop.report(&part, &payment, "refunded", "evt_back")).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    retake(&shop).await;
    assert_eq!(status(&shop, &placed).await, OrderStatus::Expired);
    assert_eq!(due(&shop, &placed).await, [(1250, "late")]);
    shop.settle().await.unwrap();
    let id = PaymentId::parse(&payment).unwrap();
    let refunds = shop.store().payment(&id).await.unwrap().refunds;
    assert_eq!(refunds.iter().map(|it| it.amount.minor()).collect::<Vec<_>>(), [1000]);
}

#[tokio::test]
async fn money_that_went_back_meanwhile_pays_nothing() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = started(&shop, &placed, 0).await;
    expire(&shop).await;
    comes(&shop, &placed, &payment).await;
    shop.clock().advance(Period::of_seconds(60));
    shop.call_back(&shop.report(&placed, &payment, "refunded", "evt_back")).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    let before = stored(&shop, &placed).await;
    retake(&shop).await;
    assert_eq!(stored(&shop, &placed).await, before);
    assert_eq!((before.status, before.refunds_due), (OrderStatus::Expired, Vec::new()));
}

#[tokio::test]
async fn what_is_about_nothing_is_parked() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let other = shop.place(ADA, "TEA", 1, &key("other", 0)).await;
    let payment = started(&shop, &other, 0).await;
    let customer = CustomerId::member(ADA).unwrap();
    let order = OrderId::parse(&placed.id).unwrap();
    let late = |order: &OrderId, payment: &str| {
        let (order, customer) = (order.clone(), customer.clone());
        let payment = PaymentId::parse(payment).unwrap();
        Message::PaymentLate(PaymentLate { order, customer, payment })
    };
    let nobodys = PaymentId::derive(&["nobody's"]);
    let paid = OrderPaid { order: order.clone(), customer: customer.clone() };
    for message in [
        late(&order, nobodys.as_str()),
        late(&order, &payment),
        late(&OrderId::derive(&["nobody's"]), &payment),
        Message::OrderPaid(paid),
    ] {
        let envelope = Envelope::seal(message, shop.now(), None);
        shop.send(Queue::LatePayments, serde_json::to_string(&envelope).unwrap());
    }
    shop.send(Queue::LatePayments, "not a message");
    shop.consume(Queue::LatePayments).await.unwrap();
    assert_eq!(parked(&shop).len(), 5);
    assert_eq!(status(&shop, &placed).await, OrderStatus::Placed);
}

#[tokio::test]
async fn an_order_that_waits_to_be_paid_is_left_alone() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let payment = started(&shop, &placed, 0).await;
    let before = stored(&shop, &placed).await;
    let late = Message::PaymentLate(PaymentLate {
        order: before.id.clone(),
        customer: before.customer.clone(),
        payment: PaymentId::parse(&payment).unwrap(),
    });
    let envelope = Envelope::seal(late, shop.now(), None);
    shop.send(Queue::LatePayments, serde_json::to_string(&envelope).unwrap());
    retake(&shop).await;
    assert_eq!(stored(&shop, &placed).await, before);
    assert_eq!(parked(&shop), [""; 0]);
}
