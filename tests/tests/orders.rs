//! The life of an order after it is placed: called off in whole and in part,
//! sent elsewhere, held and let go, and who sees what of it.

use std::{fs, path::Path};

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        dispatch::{Dispatch, shipment_id},
        id::VoucherId,
        order::{Actor, Order, OrderEvent, OrderStatus},
        policy::Policy,
        price::{PriceRules, RuleId},
        text::Text,
        time::Period,
        voucher::Voucher,
    },
    run::{Function, Route, Trigger, metrics::Metric},
    store::{settings, vouchers},
};
use aftercart_checkout::{
    address_change, order_cancel, order_hold, order_inspect, order_note, order_refund,
    rules::{
        change::{self, By, Refusal, Units},
        refund,
    },
    units_cancel,
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::{
    late_payments::decided,
    risk::{COUNTING, set_rules},
    shop::{ADA, KEY, Placed, Shop, key, order},
};

/// How long the stock of an unpaid order is held.
const HELD: Period = Period::of_seconds(40 * 60);

pub(crate) fn cancelling(placed: &Placed) -> Ask {
    placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))
}

pub(crate) fn calling_off(placed: &Placed, lines: &[(&str, u32)]) -> Ask {
    let line = |(sku, cancelled): &(&str, u32)| json!({ "sku": sku, "cancelled": cancelled });
    let lines: Vec<Value> = lines.iter().map(line).collect();
    placed.sign_in(Ask::post(placed.path("/units/cancel"), &json!({ "lines": lines })))
}

pub(crate) fn readdressing(placed: &Placed, changes: &Value) -> Ask {
    let mut address = order(&[("TEA", 1)])["shipping_address"].clone();
    for (name, value) in changes.as_object().unwrap() {
        address[name] = value.clone();
    }
    placed.sign_in(Ask::put(placed.path("/shipping-address"), &address))
}

/// An operator's request about an order.
pub(crate) async fn operating(shop: &Shop, placed: &Placed, rest: &str, body: &Value) -> Ask {
    let path =
        format!("/operator/orders/{}/{}{rest}", stored(shop, placed).await.customer, placed.id);
    let ask = if rest.is_empty() { Ask::get(path) } else { Ask::post(path, body) };
    ask.by(Caller::Operator)
}

pub(crate) async fn holding(shop: &Shop, placed: &Placed) -> Ask {
    operating(shop, placed, "/hold", &json!({ "why": "Looks odd." })).await
}

pub(crate) async fn releasing(shop: &Shop, placed: &Placed) -> Ask {
    operating(shop, placed, "/release", &json!({ "why": "It is fine." })).await
}

/// An order that is paid, and nobody was told yet.
pub(crate) async fn just_paid(shop: &Shop, placed: &Placed) {
    let payment = shop.start_payment(placed, "sandbox").await;
    shop.call_back(&shop.report(placed, &payment, "succeeded", &format!("evt_{payment}"))).await;
    shop.relay().await.unwrap();
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
}

/// A member's order that took all that there is to take: units of two lines
/// and a gift, parts of two limits, a voucher and points.
pub(crate) async fn rich(shop: &Shop) -> Placed {
    able(shop, true).await;
    let placed = ordered(shop).await;
    assert_eq!(stored(shop, &placed).await.lines.len(), 3);
    placed
}

/// The same without the gift, which binds an order together.
async fn untied(shop: &Shop) -> Placed {
    able(shop, false).await;
    ordered(shop).await
}

/// Gives the member points and a voucher, and the shop offers.
async fn able(shop: &Shop, gift: bool) {
    let first = shop.place(ADA, "TEA", 10, &key("earning", 0)).await;
    shop.deliver(&first, "AB-0001").await;
    shop.clock().advance(Period::of_days(15));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100 }, "max_share": 5000, "least_points": 50,
    });
    Policy::parse(&policy.to_string()).unwrap();
    let mut rules = json!({ "version": "1", "zone": "UTC", "rules": [
        { "id": "tenth", "title": { "en": "A tenth off" }, "effect": { "percent": { "off": 1000 } },
          "coupon": { "voucher": true }, "limits": { "total": 10, "per_customer": 5 } },
        { "id": "cup", "title": { "en": "A cup" },
          "effect": { "gift": { "sku": "CUP", "quantity": 1, "from": { "units": 2 } } } },
    ]});
    if !gift {
        rules["rules"].as_array_mut().unwrap().pop();
    }
    PriceRules::parse(&rules.to_string()).unwrap();
    shop.store().commit(settings::put_policy(&policy.to_string())).await.unwrap();
    shop.store().commit(settings::put_price_rules(&rules.to_string())).await.unwrap();
    let customer = CustomerId::member(ADA).unwrap();
    let voucher = Voucher {
        id: VoucherId::derive(&["1"]),
        customer,
        rule: RuleId::parse("tenth").unwrap(),
        granted_at: shop.now(),
        expires_at: None,
        used_by: None,
    };
    shop.store().commit(vouchers::grant(&voucher)).await.unwrap();
}

async fn ordered(shop: &Shop) -> Placed {
    let mut body = order(&[("TEA", 3), ("LAST", 1)]);
    body["vouchers"] = json!([VoucherId::derive(&["1"])]);
    body["points"] = json!(100);
    let ask = Ask::post("/orders", &body).by_member(ADA).keyed(&key("rich", 0));
    let placed = shop.placed(ask, Some(ADA)).await;
    let stored = stored(shop, &placed).await;
    assert_eq!((stored.quotas.len(), stored.vouchers.len()), (2, 1));
    assert!(stored.points.is_some());
    placed
}

/// A call and what waits in a queue: the call first, last, and both at once.
pub(crate) async fn raced(shop: &Shop, round: usize, ask: &Ask, queue: Queue) -> Reply {
    match round {
        0 => {
            let reply = shop.reply(ask).await;
            shop.consume(queue).await.unwrap();
            reply
        }
        1 => {
            shop.consume(queue).await.unwrap();
            shop.reply(ask).await
        }
        _ => {
            let (reply, consumed) = futures::join!(shop.reply(ask), shop.consume(queue));
            consumed.unwrap();
            reply
        }
    }
}

pub(crate) async fn stored(shop: &Shop, placed: &Placed) -> Order {
    let orders = shop.store().all_orders().await.unwrap();
    orders.into_iter().find(|order| order.id.as_str() == placed.id).unwrap()
}

async fn parcels(shop: &Shop, placed: &Placed) -> Option<Dispatch> {
    let all = shop.store().all_dispatches().await.unwrap();
    all.into_iter().find(|dispatch| dispatch.order.as_str() == placed.id)
}

fn labelling(order: &Order, number: &str) -> Ask {
    let label = json!({ "carrier": "generic", "tracking_number": number });
    Ask::post(format!("/orders/{}/shipments/{}/label", order.id, shipment_id(&order.id, 1)), &label)
        .by(Caller::Operator)
}

/// What people were told, by kind.
pub(crate) fn told(shop: &Shop, kind: &str) -> usize {
    let told = shop.queue(Queue::Notifications.name());
    let kinds = told.iter().map(|message| Envelope::parse(&message.body).unwrap().message);
    kinds.filter(|message: &Message| message.kind() == kind).count()
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status, reply.problem())
}

fn problem(status: u16, kind: &str) -> (u16, String) {
    (status, kind.to_owned())
}

/// What is left of everything that an order may take. Counters that are zero
/// are as good as none, and every write makes a ledger's version higher.
pub(crate) async fn left(shop: &Shop) -> Value {
    let mut tables = shop.state().await.unwrap()["tables"].clone();
    let tables = tables.as_object_mut().unwrap();
    tables.retain(|name, _| ["stock", "quotas", "customers", "points"].contains(&name.as_str()));
    for items in tables.values_mut() {
        let items = items.as_array_mut().unwrap();
        items.retain(|item| item["u"].as_f64() != Some(0.0));
        for item in items.iter_mut().filter(|item| item["sk"] == "ACCOUNT") {
            item["n"] = Value::Null;
        }
    }
    json!(tables)
}

#[tokio::test]
async fn an_unpaid_order_gives_back_all_that_it_took_however_it_ends() {
    for expires in [true, false] {
        let shop = Shop::open().await;
        able(&shop, true).await;
        shop.settle().await.unwrap();
        let before = left(&shop).await;
        let placed = ordered(&shop).await;
        let taken = left(&shop).await;
        for table in ["stock", "quotas", "customers", "points"] {
            assert_ne!(taken[table], before[table], "{table}");
        }
        if expires {
            shop.clock().advance(HELD);
            let swept = shop.run_schedule("order-expire").await.unwrap();
            assert_eq!(swept["done"], 1);
        } else {
            assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
            assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
        }
        assert_eq!(left(&shop).await, before);
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_paid_order_is_called_off_with_its_money_before_and_after_its_shipment_opens() {
    for opened in [false, true] {
        let shop = Shop::open().await;
        let placed = rich(&shop).await;
        let total = placed.total;
        just_paid(&shop, &placed).await;
        if opened {
            shop.settle().await.unwrap();
        }
        let reply = shop.reply(&cancelling(&placed)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let view = reply.json();
        assert_eq!((&view["status"], &view["shipments"]), (&json!("cancelled"), &json!([])));
        assert!(view["paid_at"].is_string());
        let refund = &view["refunds_due"][0];
        assert_eq!(
            (&refund["amount"]["amount"], &refund["cause"]),
            (&json!(total), &json!("cancelled"))
        );
        assert_eq!(view["payments"][0]["refund_due"], false, "it was taken");
        assert_eq!(view["history"][2]["what"], "cancelled");
        let again = shop.reply(&cancelling(&placed)).await;
        assert_eq!((again.status, again.json()), (200, view));
        shop.settle().await.unwrap();
        let parcel = parcels(&shop, &placed).await.unwrap();
        assert!(parcel.stopped_at.is_some() && parcel.leaving().is_none());
        assert_eq!(told(&shop, "notification.shipment_stopped"), usize::from(opened));
        let refused_label = shop.reply(&labelling(&stored(&shop, &placed).await, "AB-9999")).await;
        let expected = if opened { (409, "shipment-stopped") } else { (404, "not-found") };
        assert_eq!(refused(&refused_label), problem(expected.0, expected.1));
        assert_eq!((shop.left("LAST").await, shop.left("CUP").await), (1, 100));
        assert_eq!(shop.metrics().counted(Metric::OrderCancelled), 1);
        assert!(shop.metrics().counted(Metric::RefundDue) >= 1);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn an_order_for_nothing_is_called_off_without_a_refund() {
    let shop = Shop::open().await;
    shop.sell("GIFT", 0, 5).await;
    let placed = shop.place(ADA, "GIFT", 2, KEY).await;
    shop.settle().await.unwrap();
    let reply = shop.reply(&cancelling(&placed)).await;
    assert_eq!((reply.status, reply.text("/status")), (200, "cancelled".to_owned()));
    assert_eq!(reply.json()["refunds_due"], Value::Null);
    assert_eq!((shop.left("GIFT").await, shop.metrics().counted(Metric::RefundDue)), (5, 0));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn nothing_of_a_labelled_order_changes() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    shop.label(&placed, "AB-1234").await;
    shop.settle().await.unwrap();
    let why = json!({ "why": "Looks odd." });
    let before = shop.state().await.unwrap();
    for ask in [
        cancelling(&placed),
        operating(&shop, &placed, "/cancel", &why).await,
        calling_off(&placed, &[("TEA", 1)]),
        readdressing(&placed, &json!({ "line1": "2 High Street" })),
        holding(&shop, &placed).await,
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!(refused(&reply), problem(409, "order-leaving"), "{ask:?}");
        assert!(reply.text("/detail").contains("Return it"));
    }
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn of_a_change_and_a_label_at_the_same_moment_one_comes_first() {
    for (change, round) in (0..4).flat_map(|change| [(change, 0), (change, 1), (change, 2)]) {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        shop.pay(&placed).await;
        let stops = change < 2;
        let change = match change {
            0 => cancelling(&placed),
            1 => holding(&shop, &placed).await,
            2 => calling_off(&placed, &[("TEA", 1)]),
            _ => readdressing(&placed, &json!({ "line1": "2 High Street" })),
        };
        let label = labelling(&stored(&shop, &placed).await, "AB-1234");
        let (changed, labelled) = match round {
            0 => (shop.reply(&change).await, shop.reply(&label).await),
            1 => {
                let labelled = shop.reply(&label).await;
                (shop.reply(&change).await, labelled)
            }
            _ => futures::join!(shop.reply(&change), shop.reply(&label)),
        };
        match changed.status {
            200 if stops => assert_eq!(refused(&labelled), problem(409, "shipment-stopped")),
            200 => assert_eq!((labelled.status, round == 1), (200, false)),
            _ => {
                assert_eq!(refused(&changed), problem(409, "order-leaving"));
                assert_eq!(labelled.status, 200);
            }
        }
        shop.settle().await.unwrap();
        let told = told(&shop, "notification.shipment_opened");
        assert_eq!(told, if changed.status == 200 && !stops { 2 } else { 1 });
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn an_order_that_is_held_while_it_is_paid_waits_and_is_found() {
    for round in 0..3 {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        shop.relay().await.unwrap();
        let hold = holding(&shop, &placed).await;
        let held = raced(&shop, round, &hold, Queue::Payments).await;
        assert_eq!(held.status, 200, "{}", held.body);
        shop.settle().await.unwrap();
        let order = stored(&shop, &placed).await;
        assert_eq!((order.status, order.held_at.is_some()), (OrderStatus::Paid, true));
        let search = Ask::get("/operator/orders?held=true").by(Caller::Operator);
        assert_eq!(shop.reply(&search).await.text("/orders/0/id"), placed.id);
        shop.clock().advance(HELD);
        assert_eq!(shop.run_schedule("order-expire").await.unwrap()["done"], 0);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn an_order_whose_goods_cannot_be_given_back_stays_as_it_is() {
    let shop = Shop::open().await;
    let placed = rich(&shop).await;
    let order = stored(&shop, &placed).await;
    // Nothing of the suite does this.
    let release = vouchers::release(&order.customer, &order.vouchers[0], &order.id);
    shop.store().commit(release).await.unwrap();
    let before = shop.state().await.unwrap();
    let reply = shop.reply(&cancelling(&placed)).await;
    assert_eq!(refused(&reply), problem(500, "internal"));
    assert_eq!(shop.state().await.unwrap(), before);
}

#[tokio::test]
async fn an_order_that_stops_while_its_shipment_opens_is_not_sent() {
    for holds in [false, true] {
        for round in 0..3 {
            let shop = Shop::open().await;
            let placed = shop.place(ADA, "TEA", 2, KEY).await;
            just_paid(&shop, &placed).await;
            let stop = if holds { holding(&shop, &placed).await } else { cancelling(&placed) };
            assert_eq!(raced(&shop, round, &stop, Queue::Shipments).await.status, 200);
            shop.settle().await.unwrap();
            assert!(parcels(&shop, &placed).await.unwrap().stopped_at.is_some());
            let opened = told(&shop, "notification.shipment_opened");
            assert_eq!(opened, told(&shop, "notification.shipment_stopped"));
            assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
            shop.check_invariants().await.unwrap();
            // The message comes again, days later.
            let paid = stored(&shop, &placed).await;
            let body = json!({ "order": paid.id, "customer": paid.customer });
            let id = "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa";
            let again =
                json!({ "v": 1, "id": id, "at": shop.now(), "type": "order.paid", "body": body });
            let before = shop.state().await.unwrap();
            shop.send(Queue::Shipments, again.to_string());
            shop.consume(Queue::Shipments).await.unwrap();
            assert_eq!(shop.state().await.unwrap(), before);
        }
    }
}

#[tokio::test]
async fn of_a_cancel_and_a_payment_at_the_same_moment_the_money_goes_back_once() {
    for round in 0..3 {
        let shop = Shop::open().await;
        // Where the shop wants no order to go on that its buyer called off.
        decided(&shop, |policy| policy["payments"]["late"]["cancelled"] = json!("refund")).await;
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        shop.relay().await.unwrap();
        let cancel = cancelling(&placed);
        let reply = raced(&shop, round, &cancel, Queue::Payments).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        // Another report of the same success changes nothing.
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_2")).await;
        shop.settle().await.unwrap();
        let order = stored(&shop, &placed).await;
        assert_eq!((order.status, order.refunds_due.len()), (OrderStatus::Cancelled, 1));
        assert_eq!(order.refunds_due[0].amount.minor(), placed.total);
        assert_eq!(shop.left("TEA").await, 100);
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn units_are_called_off_exactly_and_by_how_many_are_off_in_all() {
    let shop = Shop::open().await;
    let placed = untied(&shop).await;
    let early = shop.reply(&calling_off(&placed, &[("TEA", 1)])).await;
    assert_eq!(refused(&early), problem(409, "order-not-paid"));
    shop.pay(&placed).await;
    let line = stored(&shop, &placed).await.lines[0].clone();
    let paid = line.total.minor() - line.points.minor();
    for (units, off, back) in
        [(1, 1, paid / 3), (1, 1, paid / 3), (0, 1, paid / 3), (2, 2, paid * 2 / 3)]
    {
        let reply = shop.reply(&calling_off(&placed, &[("TEA", units)])).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        let view = reply.json();
        assert_eq!(
            (&view["status"], &view["lines"][0]["cancelled"]),
            (&json!("paid"), &json!(off))
        );
        assert_eq!(view["total"]["amount"], placed.total);
        let refunds = view["refunds_due"].as_array().unwrap();
        let sum: i64 = refunds.iter().map(|due| due["amount"]["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, back);
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
    }
    assert_eq!(shop.left("TEA").await, 89);
    assert_eq!(told(&shop, "notification.shipment_opened"), 4, "packers are told of each change");
    let reply = shop.reply(&calling_off(&placed, &[("TEA", 3), ("LAST", 1)])).await;
    let view = reply.json();
    assert_eq!((&view["status"], &view["shipments"]), (&json!("cancelled"), &json!([])));
    let again = shop.reply(&calling_off(&placed, &[("TEA", 3)])).await;
    assert_eq!((again.status, again.json()), (200, view));
    let order = stored(&shop, &placed).await;
    let sum: i64 = order.refunds_due.iter().map(|due| due.amount.minor()).sum();
    assert_eq!(sum, placed.total, "the delivery's price, too");
    assert_eq!(shop.left("TEA").await, 90);
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

/// A gift from two units on, and one called off: the cup would be free.
#[tokio::test]
async fn an_order_with_an_offer_for_the_whole_is_called_off_whole() {
    let shop = Shop::open().await;
    let placed = rich(&shop).await;
    shop.pay(&placed).await;
    let reply = shop.reply(&calling_off(&placed, &[("TEA", 2)])).await;
    assert_eq!(refused(&reply), problem(409, "order-has-offers"));
    let reply = shop.reply(&calling_off(&placed, &[("TEA", 3), ("LAST", 1)])).await;
    assert_eq!((reply.status, reply.text("/status").as_str()), (200, "cancelled"));
    assert_eq!((shop.left("TEA").await, shop.left("CUP").await), (90, 100));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_called_off_is_named() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 2, KEY).await;
    shop.pay(&placed).await;
    let path = placed.path("/units/cancel");
    let raw = |body: Value| placed.sign_in(Ask::post(path.clone(), &body));
    let many: Vec<Value> =
        (0..51).map(|n| json!({ "sku": format!("S{n}"), "cancelled": 1 })).collect();
    let before = shop.state().await.unwrap();
    for (ask, status, kind, field) in [
        (calling_off(&placed, &[("TEA", 1), ("CUP", 1)]), 422, "unknown-line", "lines[1].sku"),
        (calling_off(&placed, &[("TEA", 3)]), 422, "too-many-units", "lines[0].cancelled"),
        (calling_off(&placed, &[("TEA", 1), ("TEA", 1)]), 400, "invalid-request", "lines[1].sku"),
        (calling_off(&placed, &[]), 400, "invalid-request", "lines"),
        (raw(json!({ "lines": many })), 400, "invalid-request", "lines"),
        (
            raw(json!({ "lines": [{ "sku": "TEA", "cancelled": -1 }] })),
            400,
            "invalid-request",
            "lines[0].cancelled",
        ),
        (
            raw(json!({ "lines": [{ "sku": "TEA", "cancelled": 1, "why": 1 }] })),
            400,
            "invalid-request",
            "lines[0].why",
        ),
    ] {
        let reply = shop.reply(&ask).await;
        let found = (refused(&reply), reply.text("/field"));
        assert_eq!(found, (problem(status, kind), field.to_owned()));
    }
    assert_eq!(shop.state().await.unwrap(), before);
    let late = shop.place(ADA, "TEA", 1, &key("late", 1)).await;
    shop.clock().advance(HELD);
    shop.run_schedule("order-expire").await.unwrap();
    for ask in [cancelling(&late), calling_off(&late, &[("TEA", 1)])] {
        let reply = shop.reply(&ask).await;
        assert_eq!(refused(&reply), problem(409, "order-ended"));
        assert_eq!(reply.text("/order_status"), "expired");
    }
}

#[tokio::test]
async fn an_order_goes_elsewhere_within_its_place_until_it_is_labelled() {
    let shop = Shop::open().await;
    let placed = shop.place_as_guest("TEA", 2, KEY).await;
    let moved = json!({ "line1": "2 High Street", "city": "Leeds" });
    for paid in [false, true] {
        if paid {
            shop.pay(&placed).await;
        }
        for (changes, kind) in [
            (json!({ "country": "FR" }), "address-elsewhere"),
            (json!({ "region": "Kent" }), "address-elsewhere"),
            (json!({ "country": "gb" }), "invalid-request"),
            (json!({ "colour": "red" }), "invalid-request"),
        ] {
            let reply = shop.reply(&readdressing(&placed, &changes)).await;
            assert_eq!(reply.problem(), kind, "{changes}");
        }
        let line1 = format!("{} High Street", 2 + i32::from(paid));
        let ask = readdressing(&placed, &json!({ "line1": line1, "city": moved["city"] }));
        let reply = shop.reply(&ask).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        assert_eq!(reply.text("/shipping_address/line1"), line1);
        assert_eq!(shop.reply(&ask).await.json(), reply.json());
        shop.settle().await.unwrap();
    }
    let order = stored(&shop, &placed).await;
    assert_eq!(order.history.len(), 2);
    assert!(!json!(shop.view(&placed).await["history"]).to_string().contains("Street"));
    assert_eq!(told(&shop, "notification.shipment_opened"), 2, "packers are told again");
    let cancelled = shop.reply(&cancelling(&placed)).await;
    assert_eq!(cancelled.status, 200);
    let reply = shop.reply(&readdressing(&placed, &moved)).await;
    assert_eq!(refused(&reply), problem(409, "order-ended"));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn a_held_order_is_paid_found_and_sent_only_when_it_is_let_go() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let held = shop.reply(&holding(&shop, &placed).await).await;
    assert_eq!(held.status, 200, "{}", held.body);
    assert_eq!(shop.reply(&holding(&shop, &placed).await).await.json(), held.json());
    shop.pay(&placed).await;
    assert_eq!(parcels(&shop, &placed).await, None);
    assert_eq!(told(&shop, "notification.order_held"), 1);
    let search = Ask::get("/operator/orders?held=true").by(Caller::Operator);
    assert_eq!(shop.reply(&search).await.text("/orders/0/id"), placed.id);
    let view = shop.view(&placed).await;
    assert_eq!(view["status"], "paid");
    assert!(!view.to_string().contains("odd") && !view.to_string().contains("held"), "{view}");
    shop.check_invariants().await.unwrap();
    for _ in 0..2 {
        let released = shop.reply(&releasing(&shop, &placed).await).await;
        assert_eq!(released.status, 200, "{}", released.body);
        assert_eq!(released.json()["held_at"], Value::Null);
        shop.settle().await.unwrap();
    }
    assert_eq!(shop.reply(&search).await.json()["orders"], json!([]));
    assert_eq!(told(&shop, "notification.shipment_opened"), 1);
    assert_eq!(shop.metrics().counted(Metric::MessageParked), 0);
    shop.check_invariants().await.unwrap();
    shop.label(&placed, "AB-1234").await;
}

#[tokio::test]
async fn a_hold_stops_an_open_shipment_and_its_release_lets_it_go_on() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    let label = labelling(&stored(&shop, &placed).await, "AB-1234");
    for _ in 0..2 {
        assert_eq!(shop.reply(&holding(&shop, &placed).await).await.status, 200);
        shop.settle().await.unwrap();
        assert_eq!(refused(&shop.reply(&label).await), problem(409, "shipment-stopped"));
        // A buyer may still change a held order; it stays stopped.
        let line1 = format!("{} Low Street", shop.now());
        let ask = readdressing(&placed, &json!({ "line1": line1 }));
        assert_eq!(shop.reply(&ask).await.status, 200);
        shop.check_invariants().await.unwrap();
        assert_eq!(shop.reply(&releasing(&shop, &placed).await).await.status, 200);
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
        shop.clock().advance(Period::of_seconds(60));
    }
    assert_eq!(told(&shop, "notification.shipment_stopped"), 2);
    assert_eq!(told(&shop, "notification.shipment_opened"), 3);
    assert_eq!(shop.reply(&label).await.status, 200);
}

#[tokio::test]
async fn an_order_that_the_risk_rules_want_looked_at_waits_from_its_payment_on() {
    let shop = Shop::open().await;
    set_rules(&shop, COUNTING).await;
    let placed = shop.place(ADA, "TEA", 10, KEY).await;
    shop.settle().await.unwrap();
    let before = told(&shop, "notification.order_held");
    shop.pay(&placed).await;
    assert_eq!(told(&shop, "notification.order_held"), before + 1);
    let file = shop.reply(&operating(&shop, &placed, "", &Value::Null).await).await.json();
    assert_eq!(file["risk_rules"], json!(["dear-stranger"]));
    shop.check_invariants().await.unwrap();
    let why = json!({ "why": "Stolen card." });
    let reply = shop.reply(&operating(&shop, &placed, "/cancel", &why).await).await;
    assert_eq!((reply.status, reply.text("/status")), (200, "cancelled".to_owned()));
    let view = shop.view(&placed).await;
    assert_eq!(view["history"][2]["by_shop"], true);
    assert!(!view.to_string().contains("Stolen"), "{view}");
    let search = Ask::get("/operator/orders?held=true").by(Caller::Operator);
    assert_eq!(shop.reply(&search).await.json()["orders"], json!([]));
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn an_operator_sees_who_did_what_and_why_and_a_buyer_does_not() {
    let shop = Shop::open().await;
    let placed = rich(&shop).await;
    shop.pay(&placed).await;
    let note = operating(&shop, &placed, "/notes", &json!({ "note": "Asks for a wrap." })).await;
    let noted = shop.reply(&note).await;
    assert_eq!((noted.status, shop.reply(&note).await.json()), (200, noted.json()));
    assert_eq!(shop.reply(&holding(&shop, &placed).await).await.status, 200);
    assert_eq!(shop.reply(&releasing(&shop, &placed).await).await.status, 200);
    shop.settle().await.unwrap();
    shop.label(&placed, "AB-1234").await;
    shop.call_back(&shop.scan("AB-1234", "picked_up")).await;
    shop.settle().await.unwrap();
    let file = shop.reply(&operating(&shop, &placed, "", &Value::Null).await).await.json();
    let events = file["timeline"].as_array().unwrap();
    let whats: Vec<&str> = events.iter().map(|it| it["what"].as_str().unwrap()).collect();
    for what in [
        "placed",
        "payment_succeeded",
        "paid",
        "noted",
        "held",
        "released",
        "shipment_opened",
        "shipment_labelled",
        "parcel_picked_up",
    ] {
        assert!(whats.contains(&what), "{what}: {whats:?}");
    }
    let noted = events.iter().find(|it| it["what"] == "noted").unwrap();
    assert_eq!(
        (&noted["who"], &noted["why"]),
        (&json!({ "operator": "system" }), &json!("Asks for a wrap."))
    );
    let discounts = file["discounts"].as_array().unwrap();
    let tenth = discounts.iter().find(|discount| discount["rule"] == "tenth").unwrap();
    let sum: i64 = tenth["shares"].as_array().unwrap().iter().filter_map(Value::as_i64).sum();
    assert_eq!((tenth["amount"]["amount"].as_i64(), sum > 0), (Some(sum), true));
    assert_eq!(file["stock"].as_array().unwrap().len(), 3);
    assert_eq!(file["limits"].as_array().unwrap().len(), 2);
    let view = shop.view(&placed).await;
    for hidden in ["system", "noted", "wrap", "held", "released", "limits", "risk"] {
        assert!(!view.to_string().contains(hidden), "{hidden}: {view}");
    }
}

#[tokio::test]
async fn operators_requests_are_the_operators_and_have_their_form() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    let (why, note) = (json!({ "why": "Odd." }), json!({ "note": "Odd." }));
    let before = shop.state().await.unwrap();
    for (rest, body) in
        [("", &why), ("/cancel", &why), ("/hold", &why), ("/release", &why), ("/notes", &note)]
    {
        let ask = operating(&shop, &placed, rest, body).await;
        for (caller, status) in [(Caller::Anybody, 401), (Caller::Member("ada".into()), 403)] {
            let ask = ask.clone().by(caller);
            assert_eq!(shop.reply(&ask).await.status, status);
            // The function does not trust that the gateway looked.
            let (function, event) = shop.event_of(&ask).unwrap();
            let answer = shop.invoke(function, &event).await.unwrap();
            assert_eq!(answer["statusCode"], status, "{rest}");
        }
        for path in ["cus_bob", "nobody"] {
            let path = format!("/operator/orders/{path}/{}{rest}", placed.id);
            let ask = if rest.is_empty() { Ask::get(path) } else { Ask::post(path, body) };
            assert_eq!(shop.reply(&ask.by(Caller::Operator)).await.status, 404, "{rest}");
        }
        if rest.is_empty() {
            continue;
        }
        let long = json!({ "why": "a".repeat(501), "note": "a".repeat(501) });
        for body in [json!({}), json!({ "why": "" }), json!({ "note": "" }), long] {
            let reply = shop.reply(&operating(&shop, &placed, rest, &body).await).await;
            assert_eq!(refused(&reply), problem(400, "invalid-request"), "{rest} {body}");
        }
    }
    assert_eq!(shop.state().await.unwrap(), before);
    assert_eq!(shop.reply(&cancelling(&placed)).await.status, 200);
    for ask in [holding(&shop, &placed).await, releasing(&shop, &placed).await] {
        assert_eq!(refused(&shop.reply(&ask).await), problem(409, "order-ended"));
    }
    let ask = operating(&shop, &placed, "/notes", &note).await;
    assert_eq!(shop.reply(&ask).await.status, 200, "a note is always possible");
}

/// A state in which an order may be met.
struct Met {
    name: &'static str,
    order: Order,
    dispatch: Option<Dispatch>,
}

/// Something that somebody may do to an order.
type Doing = fn(&Met, &By) -> Result<Option<Order>, Refusal>;

const DOINGS: [(&str, &str, Doing); 7] = [
    ("cancel", "buyer, operator", |met, by| change::cancel(&met.order, met.dispatch.as_ref(), by)),
    ("cancel units", "buyer", |met, by| {
        let sku = met.order.lines[0].sku.clone();
        let asked = [Units { line: 0, sku, units: 1 }];
        change::cancel_units(&met.order, met.dispatch.as_ref(), &asked, by)
    }),
    ("give back money", "operator", |met, by| {
        let lines = vec![Units { line: 0, sku: met.order.lines[0].sku.clone(), units: 1 }];
        refund::decide(&met.order, &refund::Wanted { lines, delivery: false, goodwill: None }, by)
    }),
    ("change address", "buyer", |met, by| {
        let mut address = met.order.address.clone();
        address.line1 = Text::new("2 High Street").unwrap();
        change::readdress(&met.order, met.dispatch.as_ref(), &address, true, by)
    }),
    ("hold", "operator, risk rules when it is placed", |met, by| {
        change::hold(&met.order, met.dispatch.as_ref(), by)
    }),
    ("release", "operator", |met, by| change::release_hold(&met.order, by)),
    ("note", "operator", |met, by| change::note(&met.order, by)),
];

const FUNCTIONS: [Function; 7] = [
    order_cancel::FUNCTION,
    units_cancel::FUNCTION,
    order_refund::FUNCTION,
    address_change::FUNCTION,
    order_hold::FUNCTION,
    order_note::FUNCTION,
    order_inspect::FUNCTION,
];

async fn states() -> Vec<Met> {
    let mut states = Vec::new();
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let now = shop.now();
    let keep = |name, order: Order, dispatch: Option<Dispatch>| Met { name, order, dispatch };
    let unpaid = stored(&shop, &placed).await;
    shop.pay(&placed).await;
    let paid = stored(&shop, &placed).await;
    let open = parcels(&shop, &placed).await;
    shop.label(&placed, "AB-1234").await;
    let labelled = parcels(&shop, &placed).await;
    let with = |order: &Order, status| Order { status, ..order.clone() };
    let held = |order: &Order| Order { held_at: Some(now), ..order.clone() };
    states.push(keep("placed", unpaid.clone(), None));
    states.push(keep("placed, held", held(&unpaid), None));
    states.push(keep("paid", paid.clone(), open.clone()));
    states.push(keep("paid, held", held(&paid), open));
    states.push(keep("paid, labelled", paid.clone(), labelled));
    states.push(keep("cancelled", with(&paid, OrderStatus::Cancelled), None));
    states.push(keep("expired", with(&unpaid, OrderStatus::Expired), None));
    states
}

/// What a move of an order gives back, and what it sends.
fn follows(from: OrderStatus, event: OrderEvent) -> (&'static str, &'static str) {
    match (from, event) {
        (_, OrderEvent::Pay) => {
            ("nothing", "`order.paid`; `notification.order_held` if it is held")
        }
        (OrderStatus::Paid, OrderEvent::Cancel) => (
            "the stock of its living units, limits, vouchers; the money, less what goes back already; \
             its points by `order.cancelled`",
            "`order.cancelled`; `notification.shipment_stopped` if it was to be packed",
        ),
        (_, OrderEvent::Cancel | OrderEvent::Expire) => {
            ("its stock, limits, vouchers and held points", "nothing")
        }
        (_, OrderEvent::Revive) => (
            "nothing: takes all of it again",
            "`order.paid`, `notification.late_payment_settled`; `notification.order_held` if it \
             was held",
        ),
    }
}

fn by_whom(event: OrderEvent) -> &'static str {
    match event {
        OrderEvent::Pay => "the payment provider's report",
        OrderEvent::Cancel => "buyer, operator",
        OrderEvent::Expire => "the clock, a grace after the hold",
        OrderEvent::Revive => "money that came too late, if the order was never paid",
    }
}

fn moves() -> Vec<(OrderStatus, OrderEvent, OrderStatus)> {
    let pairs = OrderStatus::ALL.into_iter().flat_map(|from| OrderEvent::ALL.map(|by| (from, by)));
    pairs.filter_map(|(from, by)| Some((from, by, from.after(by).ok()?))).collect()
}

fn event_name(event: OrderEvent) -> &'static str {
    match event {
        OrderEvent::Pay => "pay",
        OrderEvent::Cancel => "cancel",
        OrderEvent::Expire => "expire",
        OrderEvent::Revive => "revive",
    }
}

async fn page() -> String {
    let mut page = String::from(include_str!("orders/head.md"));
    page.push_str(
        "\n```mermaid\nstateDiagram-v2\n  [*] --> placed\n  [*] --> paid: nothing is due\n",
    );
    for (from, by, to) in moves() {
        page.push_str(&format!("  {from} --> {to}: {}\n", event_name(by)));
    }
    page.push_str("  cancelled --> [*]\n  expired --> [*]\n```\n\n");
    page.push_str("| from | event | to | by | gives back | sends |\n|---|---|---|---|---|---|\n");
    for (from, by, to) in moves() {
        let (back, sends) = follows(from, by);
        let (event, whom) = (event_name(by), by_whom(by));
        page.push_str(&format!("| {from} | {event} | {to} | {whom} | {back} | {sends} |\n"));
    }
    page.push_str(include_str!("orders/middle.md"));
    let states = states().await;
    let names: Vec<&str> = states.iter().map(|met| met.name).collect();
    page.push_str(&format!("\n| what | who | {} |\n", names.join(" | ")));
    page.push_str(&format!("|---|---|{}\n", "---|".repeat(names.len())));
    let by = By { who: Actor::Buyer, at: states[0].order.placed_at, why: None };
    for (what, who, act) in DOINGS {
        let cells: Vec<String> = states
            .iter()
            .map(|met| match act(met, &by) {
                Ok(Some(_)) => "yes".to_owned(),
                Ok(None) => "as it is".to_owned(),
                Err(Refusal::Labelled) => "no: return it".to_owned(),
                Err(Refusal::NotPaid) => "no: cancel it".to_owned(),
                Err(Refusal::Ended(_)) => "no: it has ended".to_owned(),
                Err(other) => panic!("{}: {what}: {other}", met.name),
            })
            .collect();
        page.push_str(&format!("| {what} | {who} | {} |\n", cells.join(" | ")));
    }
    page.push_str(
        "\n\"As it is\": the call is answered with the order as it stands, and changes nothing. \
         Every call may be repeated.\n\n| function | what it does | routes |\n|---|---|---|\n",
    );
    for function in FUNCTIONS {
        let Trigger::Http(routes) = function.trigger else { panic!("{function:?}") };
        let route = |route: &Route| format!("`{} {}`", route.method, route.path);
        let routes: Vec<String> = routes.iter().map(route).collect();
        let row = format!("| {} | {} | {} |\n", function.name, function.about, routes.join(", "));
        page.push_str(&row);
    }
    page.push_str(include_str!("orders/tail.md"));
    page
}

#[tokio::test]
async fn the_page_of_orders_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/orders.md");
    let made = page().await;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == made,
        "docs/orders.md is out of date: run UPDATE=1 cargo test -p aftercart-tests"
    );
}
