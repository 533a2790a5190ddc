//! Alerts about deliveries, whole functions: how they come about, what buyers
//! hear and get of them, who sees to them, and how they end.

use aftercart::{
    messages::{AlertRaised, DeliveryAlert, Envelope, Message, ParcelNews, Queue},
    model::{
        alert::{AlertKind, Choice, Remedy, Wish},
        dispatch::Dispatch,
        id::{AlertId, OrderId},
        shipment::ParcelStatus,
        text::Text,
        time::{Period, Timestamp},
    },
    run::metrics::Metric,
    store::{Sends, alerts as stored},
};
use aftercart_infra::world::{Ask, Caller, Fault, PUBLIC_URL, Reply};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    dispatch::doing,
    late_payments::decided,
    orders::{holding, releasing},
    shop::{ADA, KEY, Placed, Shop, key},
};

pub(crate) const NUMBER: &str = "AB-1234";
pub(crate) const WATCH: &str = "shipment-watch";

/// The policy gives something for a late parcel and for one that comes back.
pub(crate) async fn generous(shop: &Shop) {
    decided(shop, |policy| {
        let alerts = &mut policy["logistics"]["alerts"];
        for kind in ["late", "returned"] {
            alerts[kind]["points"] = 200.into();
            alerts[kind]["voucher"] = json!({ "rule": "sorry", "life": "30d" });
        }
    })
    .await;
    forget(shop);
}

/// Has the functions read the policy again.
fn forget(shop: &Shop) {
    for function in [WATCH, "tracking-fold"] {
        shop.restart(function).unwrap();
    }
}

/// The clock stands at a moment of November or December.
pub(crate) fn come(shop: &Shop, moment: &str) {
    let then = Timestamp::parse(&format!("2026-{moment}:00Z")).unwrap();
    let seconds = then.unix_seconds() - shop.now().unix_seconds();
    shop.clock().advance(Period::of_seconds(u32::try_from(seconds).unwrap()));
}

pub(crate) async fn watch(shop: &Shop) {
    let swept = shop.run_schedule(WATCH).await.unwrap();
    assert_eq!(swept["failed"], 0, "{swept}");
    shop.settle().await.unwrap();
}

pub(crate) async fn scanned(shop: &Shop, status: &str) {
    shop.call_back(&shop.scan(NUMBER, status)).await;
    shop.settle().await.unwrap();
}

/// Pays an order, and hands its parcel to the carrier on the day it is to leave.
pub(crate) async fn left(shop: &Shop, placed: &Placed) {
    shop.pay(placed).await;
    come(shop, "11-24T10:00");
    shop.label(placed, NUMBER).await;
    scanned(shop, "picked_up").await;
}

/// An order of Saturday 21 November, promised for 1 December, that is late.
pub(crate) async fn late(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    left(shop, &placed).await;
    come(shop, "11-30T09:00");
    scanned(shop, "in_transit").await;
    come(shop, "12-02T00:01");
    placed
}

pub(crate) async fn listed(shop: &Shop, query: &str) -> Vec<Value> {
    let ask = Ask::get(format!("/operator/alerts{query}")).by(Caller::Operator);
    let reply = shop.reply(&ask).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["alerts"].as_array().unwrap().clone()
}

async fn kinds(shop: &Shop) -> Vec<String> {
    let alerts = listed(shop, "").await;
    alerts.iter().map(|it| it["kind"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn resolving(alert: &str, how: &str) -> Ask {
    let body = json!({ "how": how, "note": "Done." });
    Ask::post(format!("/operator/alerts/{alert}/resolution"), &body).by(Caller::Operator)
}

async fn dispatch(shop: &Shop, placed: &Placed) -> Dispatch {
    shop.store().dispatch(&OrderId::parse(&placed.id).unwrap()).await.unwrap().unwrap()
}

async fn alert(shop: &Shop, id: &AlertId) -> aftercart::model::alert::Alert {
    shop.store().alert(id).await.unwrap().unwrap()
}

/// The points that ADA may spend.
async fn available(shop: &Shop) -> i64 {
    shop.reply(&Ask::get("/me/points").by_member(ADA)).await.json()["balances"]["available"]
        .as_i64()
        .unwrap()
}

async fn vouchers(shop: &Shop) -> usize {
    let reply = shop.reply(&Ask::get("/me/vouchers").by_member(ADA)).await;
    reply.json()["vouchers"].as_array().unwrap().len()
}

fn notices(shop: &Shop) -> impl Iterator<Item = Message> + use<> {
    let told = shop.queue(Queue::Notifications.name());
    told.into_iter().map(|it| Envelope::parse(&it.body).unwrap().message)
}

fn told_alerts(shop: &Shop) -> Vec<DeliveryAlert> {
    let of = |message| match message {
        Message::DeliveryAlert(alert) => Some(alert),
        _ => None,
    };
    notices(shop).filter_map(of).collect()
}

fn told_steps(shop: &Shop) -> Vec<ParcelNews> {
    let of = |message| match message {
        Message::ParcelNews(news) => Some(news),
        _ => None,
    };
    notices(shop).filter_map(of).collect()
}

fn tasks(shop: &Shop) -> Vec<AlertRaised> {
    let of = |message| match message {
        Message::AlertRaised(raised) => Some(raised),
        _ => None,
    };
    notices(shop).filter_map(of).collect()
}

#[tokio::test]
async fn a_late_parcel_is_told_and_made_up_for_once_however_often_it_is_scanned() {
    let shop = Shop::open().await;
    generous(&shop).await;
    let placed = late(&shop).await;
    for _ in 0..3 {
        watch(&shop).await;
        scanned(&shop, "in_transit").await;
        shop.clock().advance(Period::of_seconds(3_600));
    }
    scanned(&shop, "exception").await;
    let [alert] = &listed(&shop, "").await[..] else { panic!("one alert") };
    assert_eq!(
        (&alert["kind"], &alert["points"], &alert["owner"]),
        (&json!("late"), &json!(200), &json!("logistics"))
    );
    let [told] = &told_alerts(&shop)[..] else { panic!("told once") };
    assert_eq!(
        (told.kind, told.points, told.email.as_str()),
        (AlertKind::Late, 200, "ada@example.com")
    );
    assert!(told.link.starts_with(&format!("{PUBLIC_URL}/t/")), "{}", told.link);
    let page = shop.reply(&Ask::get(told.link.strip_prefix(PUBLIC_URL).unwrap())).await;
    assert_eq!(page.status, 200, "the link opens the page");
    assert_eq!((tasks(&shop).len(), available(&shop).await, vouchers(&shop).await), (1, 200, 1));
    // It came back: another mishap of the same order gives nothing more.
    scanned(&shop, "returning").await;
    assert_eq!(kinds(&shop).await, ["returned"]);
    assert_eq!((available(&shop).await, vouchers(&shop).await), (200, 1));
    let late = dispatch(&shop, &placed).await.compensation.unwrap();
    assert_eq!((late.alert, late.points), (AlertKind::Late, 200));
    let counted = |kind| shop.metrics().counted_by(Metric::DeliveryAlertRaised, &[("Kind", kind)]);
    assert_eq!((counted("late"), counted("returned"), counted("at_risk")), (1, 1, 0));
}

#[tokio::test]
async fn whoever_looks_at_the_same_time_raises_one_alert() {
    let shop = Shop::open().await;
    generous(&shop).await;
    late(&shop).await;
    for _ in 0..4 {
        shop.call_back(&shop.scan(NUMBER, "in_transit")).await;
        shop.clock().advance(Period::of_seconds(60));
    }
    while shop.relay().await.unwrap() {}
    let event = shop.queue_event(Queue::Tracking);
    let clock = json!({ "detail-type": "Scheduled Event", "source": "aws.scheduler" });
    let folds = (0..4).map(|_| shop.invoke("tracking-fold", &event));
    let sweeps = (0..4).map(|_| shop.invoke(WATCH, &clock));
    let (folded, swept) = tokio::join!(join_all(folds), join_all(sweeps));
    assert!(folded.iter().any(Result::is_ok) && swept.iter().any(Result::is_ok));
    shop.settle().await.unwrap();
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, ["late"]);
    assert_eq!((told_alerts(&shop).len(), tasks(&shop).len()), (1, 1));
    assert_eq!((available(&shop).await, vouchers(&shop).await), (200, 1));
    assert_eq!(shop.metrics().counted(Metric::DeliveryAlertRaised), 1);
}

#[tokio::test]
async fn guests_are_told_and_get_no_points() {
    let shop = Shop::open().await;
    generous(&shop).await;
    let placed = shop.place_as_guest("TEA", 1, KEY).await;
    left(&shop, &placed).await;
    come(&shop, "12-02T00:01");
    watch(&shop).await;
    let [told] = &told_alerts(&shop)[..] else { panic!("told once") };
    assert_eq!((told.kind, told.points, &told.voucher), (AlertKind::Late, 0, &None));
    assert_eq!(dispatch(&shop, &placed).await.compensation, None);
}

#[tokio::test]
async fn an_order_that_is_stuck_has_an_owner_until_it_goes_on() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    come(&shop, "11-24T23:59");
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, Vec::<String>::new());
    come(&shop, "11-25T00:00");
    watch(&shop).await;
    let [stuck] = &listed(&shop, "?owner=warehouse").await[..] else { panic!("one alert") };
    assert_eq!(
        (&stuck["kind"], &stuck["act"], &stuck["due"]),
        (&json!("not_dispatched"), &json!("dispatch"), &json!("2026-11-25T08:00:00.000Z"))
    );
    assert_eq!(told_alerts(&shop), [], "the buyer can do nothing about it");
    shop.label(&placed, NUMBER).await;
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, Vec::<String>::new());
    let id = AlertId::parse(stuck["id"].as_str().unwrap()).unwrap();
    let ended = alert(&shop, &id).await.ended.unwrap();
    assert_eq!((ended.how, ended.note), (Remedy::CameRight, None));
    // Then the carrier does not come for it.
    come(&shop, "11-27T00:01");
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, ["not_picked_up"]);
    scanned(&shop, "picked_up").await;
    assert_eq!(kinds(&shop).await, Vec::<String>::new());
    // A cancelled order is nobody's concern, also when nothing of it was due.
    let placed = shop.place(ADA, "TEA", 1, &key("order", 1)).await;
    shop.pay(&placed).await;
    come(&shop, "12-15T00:00");
    watch(&shop).await;
    let open = kinds(&shop).await;
    for kind in ["not_dispatched", "late"] {
        assert!(open.contains(&kind.to_owned()), "{open:?}");
    }
    assert_eq!(dispatch(&shop, &placed).await.due, None);
    let reply = shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();
    let stopped = dispatch(&shop, &placed).await;
    watch(&shop).await;
    let id = aftercart::model::alert::Alert::identity(
        &stopped.shipments[0].id,
        AlertKind::NotDispatched,
        None,
    );
    assert_eq!(alert(&shop, &id).await.ended.unwrap().how, Remedy::Dismissed);
    let shipment = &dispatch(&shop, &placed).await.shipments[0];
    assert!(shipment.alerts.values().all(|raised| raised.ended_at.is_some()), "{shipment:?}");
    shop.check_invariants().await.unwrap();
}

async fn operate(shop: &Shop, ask: &Ask, status: u16) -> Reply {
    let reply = shop.reply(ask).await;
    assert_eq!(reply.status, status, "{}", reply.body);
    shop.settle().await.unwrap();
    reply
}

#[tokio::test]
async fn what_is_stuck_again_is_another_alert() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    come(&shop, "11-24T00:00");
    let shipment = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let void = doing(&placed, &format!("/shipments/{shipment}/label/void"), &json!({}));
    let mut seen = Vec::new();
    // What is done, and what is wrong when nothing else is done for days.
    for (does, kind) in [
        ("nothing", "not_dispatched"),
        ("hold", "not_dispatched"),
        ("label", "not_picked_up"),
        ("void", "not_dispatched"),
        ("label", "not_picked_up"),
    ] {
        match does {
            "hold" => {
                operate(&shop, &holding(&shop, &placed).await, 200).await;
                operate(&shop, &releasing(&shop, &placed).await, 200).await;
            }
            "label" => shop.label(&placed, &format!("AB-100{}", seen.len())).await,
            "void" => drop(operate(&shop, &void, 200).await),
            _ => {}
        }
        watch(&shop).await;
        for stuck in ["not_dispatched", "not_picked_up"] {
            assert_eq!(listed(&shop, &format!("?kind={stuck}")).await.len(), 0, "{does}");
        }
        for _ in 0..3 {
            shop.clock().advance(Period::of_days(1));
            watch(&shop).await;
        }
        let open = listed(&shop, &format!("?kind={kind}")).await;
        let [open] = &open[..] else { panic!("one {kind} after {does}: {open:?}") };
        let id = open["id"].as_str().unwrap().to_owned();
        assert!(!seen.contains(&id), "another alert");
        seen.push(id);
    }
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn goods_that_are_sent_again_are_awaited_anew() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.deliver(&placed, NUMBER).await;
    let matures = async || {
        let claims = shop.store().all_points().await.unwrap().claims;
        claims[0].1.matures_at
    };
    assert!(matures().await.is_some());
    let shipment = dispatch(&shop, &placed).await.shipments[0].id.clone();
    let again = doing(&placed, &format!("/shipments/{shipment}/replacement"), &json!({}));
    operate(&shop, &again, 201).await;
    assert_eq!(matures().await, None);
    shop.check_invariants().await.unwrap();
}

#[tokio::test]
async fn in_quiet_hours_nobody_is_told_until_they_end() {
    let shop = Shop::open().await;
    decided(&shop, |policy| {
        policy["logistics"]["quiet"] = json!({ "from": "21:00", "until": "08:00" });
    })
    .await;
    forget(&shop);
    late(&shop).await;
    watch(&shop).await;
    assert_eq!((kinds(&shop).await.len(), told_alerts(&shop).len()), (1, 0));
    come(&shop, "12-02T07:00");
    watch(&shop).await;
    scanned(&shop, "out_for_delivery").await;
    assert_eq!(told_steps(&shop).len(), 1, "of the pickup only");
    come(&shop, "12-02T08:00");
    watch(&shop).await;
    assert_eq!(told_alerts(&shop).len(), 1);
    let steps: Vec<ParcelStatus> = told_steps(&shop).iter().map(|it| it.status).collect();
    assert_eq!(steps, [ParcelStatus::PickedUp, ParcelStatus::OutForDelivery]);
}

#[tokio::test]
async fn news_are_told_once_and_what_came_right_ends() {
    let shop = Shop::open().await;
    late(&shop).await;
    watch(&shop).await;
    for status in ["out_for_delivery", "delivered", "delivered"] {
        shop.clock().advance(Period::of_seconds(3_600));
        scanned(&shop, status).await;
        watch(&shop).await;
    }
    assert_eq!(kinds(&shop).await, Vec::<String>::new());
    let steps: Vec<(ParcelStatus, bool)> =
        told_steps(&shop).iter().map(|it| (it.status, it.expected.is_some())).collect();
    let expected = [
        (ParcelStatus::PickedUp, true),
        (ParcelStatus::OutForDelivery, true),
        (ParcelStatus::Delivered, false),
    ];
    assert_eq!(steps, expected);
    // Some days later it is counted, once.
    let missed = || shop.metrics().counted(Metric::PromiseMissed);
    assert_eq!(missed(), 0);
    for _ in 0..3 {
        shop.clock().advance(Period::of_days(4));
        watch(&shop).await;
    }
    assert_eq!((missed(), shop.metrics().counted(Metric::PromiseKept)), (1, 0));
    let months = shop.store().performance("2026-12").await.unwrap();
    assert_eq!(months.iter().map(|(_, it)| (it.ended, it.kept)).collect::<Vec<_>>(), [(1, 0)]);
}

#[tokio::test]
async fn an_alert_ends_once_and_by_somebody_with_a_name() {
    let shop = Shop::open().await;
    late(&shop).await;
    watch(&shop).await;
    let [open] = &listed(&shop, "").await[..] else { panic!("one alert") };
    let id = open["id"].as_str().unwrap();
    for fault in [Fault::Before, Fault::After, Fault::Throttle] {
        shop.port("alert-resolve").unwrap().fail(3, fault);
        drop(shop.reply(&resolving(id, "carrier_asked")).await);
    }
    let first = shop.reply(&resolving(id, "carrier_asked")).await;
    assert_eq!((first.status, first.text("/ended/how")), (200, "carrier_asked".to_owned()));
    assert!(!first.text("/ended/by").is_empty());
    shop.clock().advance(Period::of_seconds(60));
    assert_eq!(shop.reply(&resolving(id, "carrier_asked")).await.body, first.body);
    let by_member = resolving(id, "carrier_asked").by_member(ADA);
    assert_eq!(shop.reply(&by_member).await.status, 403);
    let nobodys = AlertId::derive(&["nobody's"]);
    for (ask, status, problem) in [
        (resolving(id, "refunded"), 409, "alert-ended"),
        (resolving(nobodys.as_str(), "refunded"), 404, "not-found"),
        (resolving("alt_x", "refunded"), 404, "not-found"),
        (resolving(id, "eaten"), 400, "invalid-request"),
    ] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem()), (status, problem.to_owned()));
    }
}

#[tokio::test]
async fn what_an_alert_kept_back_is_raised_when_it_has_ended() {
    let shop = Shop::open().await;
    let placed = late(&shop).await;
    watch(&shop).await;
    come(&shop, "12-06T09:00");
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, ["late"], "somebody asks the carrier already");
    let id = listed(&shop, "").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.reply(&resolving(&id, "carrier_asked")).await.status, 200);
    watch(&shop).await;
    assert_eq!(kinds(&shop).await, ["silent"]);
    assert_eq!(dispatch(&shop, &placed).await.shipments[0].alerts.len(), 2);
}

#[tokio::test]
async fn alerts_are_listed_a_page_at_a_time_those_first_that_are_due_first() {
    let shop = Shop::open().await;
    for number in 0..3 {
        let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
        shop.pay(&placed).await;
        shop.clock().advance(Period::of_seconds(60));
    }
    come(&shop, "11-25T00:10");
    watch(&shop).await;
    let late = late_parcel(&shop).await;
    let mut found = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let ask = Ask::get(format!("/operator/alerts?{query}")).by(Caller::Operator);
        let page = shop.reply(&ask).await.json();
        let meter = shop.port("alert-list").unwrap().meter();
        assert!(meter.calls.len() <= 2, "{meter:?}");
        let alerts = page["alerts"].as_array().unwrap();
        found.extend(alerts.iter().map(|it| it["due"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => query = format!("limit=2&cursor={cursor}"),
            None => break,
        }
    }
    assert!(found.len() >= 4 && found.is_sorted(), "{found:?}");
    let of = async |query: &str| listed(&shop, query).await.len();
    assert_eq!(of("?kind=not_dispatched").await, 3);
    assert_eq!(of("?owner=warehouse&kind=late").await, 0);
    assert_eq!(of("?owner=logistics&kind=attempt_failed").await, 1);
    for query in ["owner=moon", "kind=odd", "limit=0", "cursor=x", "all=true"] {
        let ask = Ask::get(format!("/operator/alerts?{query}")).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.problem()), (400, "invalid-request".to_owned()), "{query}");
    }
    assert_eq!(shop.reply(&Ask::get("/operator/alerts").by_member(ADA)).await.status, 403);
    // What the buyer wishes is shown with it.
    let wish = Wish {
        at: shop.now(),
        choice: Choice::Date,
        address: None,
        note: Some(Text::new("On Friday.").unwrap()),
    };
    shop.store().commit(stored::wish(&late, &wish, &Sends::none()).unwrap()).await.unwrap();
    let wished = &listed(&shop, "?kind=attempt_failed").await[0]["wish"];
    assert_eq!((&wished["choice"], &wished["note"]), (&json!("date"), &json!("On Friday.")));
}

/// A parcel whose delivery was tried in vain; the alert about it.
async fn late_parcel(shop: &Shop) -> AlertId {
    let placed = shop.place(ADA, "TEA", 1, &key("order", 9)).await;
    shop.pay(&placed).await;
    shop.label(&placed, NUMBER).await;
    scanned(shop, "attempt_failed").await;
    let shipment = dispatch(shop, &placed).await.shipments[0].id.clone();
    aftercart::model::alert::Alert::identity(&shipment, AlertKind::AttemptFailed, None)
}
