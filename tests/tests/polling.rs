//! The schedule that asks carriers about parcels of which nobody told.

use aftercart::{
    model::{
        customer::CustomerId,
        dispatch::{Direction, shipment_id},
        id::OrderId,
        policy::Policy,
        shipment::{Carrier, Parcel, Tracking, TrackingNumber, Window},
        text::Text,
        time::{Period, Timestamp, Zone},
    },
    run::{metrics::Metric, secrets::Secret},
    store::{Sends, parcels},
};
use aftercart_infra::{
    carriers::{self, Happened, Known},
    world::{Ask, Caller, Fault},
};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::{
    shop::{ADA, KEY, Shop},
    stock::set_policy,
};

const POLL: &str = "carrier-poll";

/// The default policy with these carriers asked, so often a minute each.
pub(crate) fn asking(per_minute: &[(Carrier, u16)]) -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    for (carrier, calls) in per_minute {
        policy["logistics"]["polling"]["carriers"][carrier.as_str()] =
            json!({ "per_minute": calls });
    }
    policy
}

/// A shop whose policy has these carriers asked.
async fn shop(per_minute: &[(Carrier, u16)]) -> Shop {
    let shop = Shop::open().await;
    set_policy(&shop, &asking(per_minute)).await;
    shop
}

/// A parcel whose carrier reports of it, that is promised for later, and due now.
fn due(shop: &Shop, carrier: Carrier, number: &str) -> Parcel {
    let order = OrderId::derive(&[number]);
    let today = shop.now().date_in(&Zone::utc());
    let (from, until) = (today.plus_days(20), today.plus_days(22));
    let window = Window { from, until, zone: Zone::utc() };
    Parcel {
        tracking: Tracking { carrier, number: TrackingNumber::parse(number).unwrap() },
        shipment: shipment_id(&order, 1),
        order,
        customer: CustomerId::member(ADA).unwrap(),
        direction: Direction::Out,
        labelled_at: shop.now().minus(hours(24)),
        courier: Some(Text::new("shunfeng").unwrap()),
        verification: None,
        window: Some(window),
        ask_at: Some(shop.now()),
        asked: 0,
        subscribed: true,
    }
}

async fn link(shop: &Shop, parcel: &Parcel) {
    shop.store().commit(parcels::link(parcel, &Sends::none()).unwrap()).await.unwrap();
}

/// So many of them, those first that wait longest.
async fn many(shop: &Shop, carrier: Carrier, count: u32) -> Vec<Parcel> {
    let mut all = Vec::new();
    for number in 0..count {
        let parcel = due(shop, carrier, &format!("{carrier}-{number:02}"));
        let ask_at = Some(shop.now().minus(Period::of_seconds(count - number)));
        let parcel = Parcel { ask_at, ..parcel };
        link(shop, &parcel).await;
        all.push(parcel);
    }
    all
}

fn hours(hours: u32) -> Period {
    Period::of_seconds(hours * 3_600)
}

async fn parcel(shop: &Shop, tracking: &Tracking) -> Parcel {
    shop.store().parcel(tracking).await.unwrap().parcel.unwrap()
}

async fn ask_at(shop: &Shop, parcel: &Parcel) -> Option<Timestamp> {
    self::parcel(shop, &parcel.tracking).await.ask_at
}

/// What a run did: `done`, `settled`, `failed`.
async fn poll(shop: &Shop) -> (u64, u64, u64) {
    let swept = shop.run_schedule(POLL).await.unwrap();
    let of = |name: &str| swept[name].as_u64().unwrap();
    (of("done"), of("settled"), of("failed"))
}

/// How many calls carriers had in the last run.
fn calls(shop: &Shop) -> usize {
    let calls = shop.port(POLL).unwrap().meter().calls;
    calls.iter().filter(|call| call.operation.contains(" /")).count()
}

fn happen(shop: &Shop, carrier: Carrier, number: &str, status: &str) {
    let at = shop.now().minus(Period::of_seconds(600));
    let scans = vec![Happened { status: status.to_owned(), place: "Leeds".to_owned(), at }];
    let known = Known { scans, eta: None, at };
    shop.carriers().memory(|memory| memory.happen(carrier, number, known));
}

#[tokio::test]
async fn a_parcel_is_followed_from_its_label_to_the_door_without_a_push() {
    let shop = shop(&[(Carrier::Easypost, 60)]).await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let shipment = shop.shipment(&placed).await;
    let number = "EZ1000000001";
    let label = json!({ "carrier": "easypost", "tracking_number": number });
    let path = format!("/orders/{}/shipments/{shipment}/label", placed.id);
    let attach = Ask::post(path, &label);
    let reply = shop.reply(&attach.by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.settle().await.unwrap();

    // The carrier is told of it once, and asked tomorrow.
    assert_eq!(poll(&shop).await, (1, 0, 0));
    assert!(shop.carriers().memory(|memory| memory.follows(Carrier::Easypost, number)));
    assert_eq!(poll(&shop).await, (0, 0, 0));
    let tracking =
        Tracking { carrier: Carrier::Easypost, number: TrackingNumber::parse(number).unwrap() };
    let subscribed = parcel(&shop, &tracking).await;
    assert!(subscribed.subscribed && subscribed.ask_at > Some(shop.now()));

    for status in ["in_transit", "out_for_delivery", "delivered"] {
        shop.clock().advance(Period::of_days(1));
        happen(&shop, Carrier::Easypost, number, status);
        assert_eq!(poll(&shop).await, (1, 0, 0), "{status}");
        shop.settle().await.unwrap();
        let reply = shop.reply(&placed.sign_in(Ask::get(placed.path("/tracking")))).await;
        assert_eq!(reply.text("/shipments/0/status"), status);
    }
    // It is at its end.
    assert_eq!(parcel(&shop, &tracking).await.ask_at, None);
    shop.clock().advance(Period::of_days(1));
    assert_eq!(poll(&shop).await, (0, 0, 0));
}

#[tokio::test]
async fn what_was_heard_costs_no_call() {
    let shop = shop(&[(Carrier::Generic, 60)]).await;
    let parcel = due(&shop, Carrier::Generic, "HEARD-1");
    link(&shop, &parcel).await;
    shop.call_back(&shop.scan("HEARD-1", "out_for_delivery")).await;
    shop.clock().advance(Period::of_seconds(600));
    assert_eq!((poll(&shop).await, calls(&shop)), ((0, 1, 0), 0));
    assert_eq!(ask_at(&shop, &parcel).await, Some(shop.now().plus(Period::of_seconds(3_000))));
    shop.clock().advance(Period::of_seconds(3_000));
    assert_eq!((poll(&shop).await, calls(&shop)), ((1, 0, 0), 1));
}

/// What is silent for too long leaves it, and what is of a carrier that the
/// policy does not name.
#[tokio::test]
async fn what_is_over_leaves_the_index() {
    let shop = shop(&[(Carrier::Generic, 60)]).await;
    let silent = due(&shop, Carrier::Generic, "SILENT-1");
    let silent = Parcel { labelled_at: shop.now().minus(Period::of_days(46)), ..silent };
    let elsewhere = due(&shop, Carrier::Kdniao, "ELSEWHERE-1");
    for parcel in [&silent, &elsewhere] {
        link(&shop, parcel).await;
    }
    assert_eq!((poll(&shop).await, calls(&shop)), ((0, 2, 0), 0));
    assert_eq!(ask_at(&shop, &silent).await, None);
    assert_eq!(ask_at(&shop, &elsewhere).await, None);
    assert_eq!(poll(&shop).await, (0, 0, 0));
}

/// What became of six parcels, of which a row of four is asked about first.
#[derive(Debug)]
struct Became {
    swept: (u64, u64, u64),
    calls: usize,
    failures: i64,
    /// For how many minutes the first and the last of them wait.
    waits: (i64, i64),
}

#[tokio::test(start_paused = true)]
async fn what_a_carrier_does_not_take_is_put_off() {
    // As any parcel of which nothing was told yet.
    let as_ever = 20 * 60;
    let went = |swept, calls, failures, waits| Became { swept, calls, failures, waits };
    for (what, status, became) in [
        ("does not know them", Some(404), went((6, 0, 0), 6, 0, (as_ever, as_ever))),
        ("is down", Some(500), went((4, 2, 0), 8, 4, (as_ever, 10))),
        ("talks nonsense", Some(200), went((4, 2, 0), 8, 4, (as_ever, 10))),
        ("throttles", Some(429), went((4, 2, 0), 4, 4, (5, 5))),
        ("refuses our account", Some(403), went((0, 2, 4), 4, 4, (60, 60))),
        ("has no address", None, went((0, 2, 4), 0, 4, (60, 60))),
    ] {
        let shop = shop(&[(Carrier::Generic, 60)]).await;
        let parcels = many(&shop, Carrier::Generic, 6).await;
        match status {
            Some(_) => shop.carriers().memory(|memory| memory.refuse(Carrier::Generic, status)),
            None => shop.set_secret(Secret::Carriers, json!({ "generic": {} })),
        }
        assert_eq!((poll(&shop).await, calls(&shop)), (became.swept, became.calls), "{what}");
        let (first, last) = (ask_at(&shop, &parcels[0]).await, ask_at(&shop, &parcels[5]).await);
        let minutes =
            |at: Option<Timestamp>| (at.unwrap().unix_seconds() - shop.now().unix_seconds()) / 60;
        assert_eq!((minutes(first), minutes(last)), became.waits, "{what}");
        let by = [("Carrier", "generic")];
        let counted = shop.metrics().counted_by(Metric::CarrierAskFailed, &by);
        assert_eq!(counted, became.failures, "{what}");
    }
}

/// A parcel that lacks what its carrier wants to know is asked about less and
/// less, without a call, and stops nobody.
#[tokio::test]
async fn a_parcel_that_cannot_be_asked_about_stops_nobody() {
    let shop = shop(&[(Carrier::Kuaidi100, 60)]).await;
    let lacking = Parcel { courier: None, ..due(&shop, Carrier::Kuaidi100, "LACKING-1") };
    let whole = due(&shop, Carrier::Kuaidi100, "WHOLE-1");
    for parcel in [&lacking, &whole] {
        link(&shop, parcel).await;
    }
    assert_eq!((poll(&shop).await, calls(&shop)), ((2, 0, 0), 1));
    assert!(ask_at(&shop, &lacking).await > Some(shop.now()));
    assert_eq!(shop.metrics().counted(Metric::CarrierAskFailed), 0);
}

/// Kuaidi100 blocks a number that is asked about again within half an hour.
#[tokio::test(start_paused = true)]
async fn a_number_that_must_be_left_alone_is_asked_about_once() {
    for (status, least) in [(500, 30), (429, 30), (403, 60)] {
        let shop = shop(&[(Carrier::Kuaidi100, 60)]).await;
        let parcel = due(&shop, Carrier::Kuaidi100, "ALONE-1");
        link(&shop, &parcel).await;
        shop.carriers().memory(|memory| memory.refuse(Carrier::Kuaidi100, Some(status)));
        shop.run_schedule(POLL).await.ok();
        assert_eq!(calls(&shop), 1, "{status}");
        let wait = ask_at(&shop, &parcel).await;
        assert!(
            wait >= Some(shop.now().plus(Period::of_seconds(60 * least))),
            "{status}: {wait:?}"
        );
    }
}

/// Who bought pushes and no queries has new labels registered all the same.
#[tokio::test(start_paused = true)]
async fn who_may_not_ask_subscribes_still() {
    let shop = shop(&[(Carrier::Kuaidi100, 60)]).await;
    let mut account = carriers::credentials("https://carriers.local")["kuaidi100"].clone();
    account["account"].as_object_mut().unwrap().remove("customer");
    shop.set_secret(Secret::Carriers, json!({ "kuaidi100": account }));
    let asked = many(&shop, Carrier::Kuaidi100, 5).await;
    let new = Parcel { subscribed: false, ..due(&shop, Carrier::Kuaidi100, "NEW-0001") };
    link(&shop, &new).await;
    assert_eq!((poll(&shop).await, calls(&shop)), ((1, 1, 4), 1));
    assert!(parcel(&shop, &new.tracking).await.subscribed);
    for parcel in &asked {
        assert_eq!(ask_at(&shop, parcel).await, Some(shop.now().plus(hours(1))));
    }
}

/// Of two runs at once one asks.
#[tokio::test]
async fn two_runs_at_once_ask_once() {
    let shop = shop(&[(Carrier::Generic, 60)]).await;
    let parcels = many(&shop, Carrier::Generic, 4).await;
    let (one, other) = tokio::join!(poll(&shop), poll(&shop));
    assert_eq!(one.0 + other.0, 4, "{one:?} {other:?}");
    let by = [("Carrier", "generic")];
    assert_eq!(shop.metrics().counted_by(Metric::CarrierAsked, &by), 4);
    for parcel in &parcels {
        assert!(ask_at(&shop, parcel).await > Some(shop.now().plus(hours(1))));
    }
}

/// A carrier that fails for a moment is called once more.
#[tokio::test(start_paused = true)]
async fn a_call_in_vain_is_made_once_more() {
    for fault in [Fault::Before, Fault::After] {
        let shop = shop(&[(Carrier::Generic, 60)]).await;
        link(&shop, &due(&shop, Carrier::Generic, "AGAIN-1")).await;
        happen(&shop, Carrier::Generic, "AGAIN-1", "in_transit");
        let clean = Shop(shop.fork().unwrap());
        poll(&clean).await;
        let made = clean.port(POLL).unwrap().meter().calls;
        let call = made.iter().position(|call| call.operation.contains(" /")).unwrap() + 1;
        shop.port(POLL).unwrap().fail(call, fault);
        assert_eq!((poll(&shop).await, calls(&shop)), ((1, 0, 0), 2), "{fault:?}");
        assert_eq!(shop.metrics().counted(Metric::CarrierAskFailed), 0);
    }
}

/// No more calls than the policy allows, spread over the run, repeated ones
/// included; who waits longest comes first.
#[tokio::test(start_paused = true)]
async fn a_carrier_is_called_so_often_a_minute_at_most() {
    let shop = shop(&[(Carrier::Generic, 10)]).await;
    let parcels = many(&shop, Carrier::Generic, 25).await;
    let started = Instant::now();
    assert_eq!((poll(&shop).await.0, calls(&shop)), (10, 10));
    let took = started.elapsed();
    assert!(took >= Duration::from_secs(32) && took < Duration::from_secs(50), "{took:?}");
    for (number, parcel) in parcels.iter().enumerate() {
        let asked = ask_at(&shop, parcel).await > Some(shop.now());
        assert_eq!(asked, number < 10, "{number}");
    }
    for made in [10, 5, 0] {
        poll(&shop).await;
        assert_eq!(calls(&shop), made);
    }
}

/// The outage of one carrier delays nobody else's parcels.
#[tokio::test(start_paused = true)]
async fn an_outage_delays_nobody_else() {
    let shop = shop(&[(Carrier::Easypost, 600), (Carrier::Generic, 600)]).await;
    let silent = many(&shop, Carrier::Easypost, 40).await;
    let others = many(&shop, Carrier::Generic, 10).await;
    shop.carriers().memory(|memory| memory.refuse(Carrier::Easypost, Some(503)));
    poll(&shop).await;
    for parcel in &others {
        assert!(ask_at(&shop, parcel).await > Some(shop.now()));
    }
    // A row, twice.
    assert_eq!(calls(&shop), 8 + 10);
    let waits = ask_at(&shop, &silent[39]).await;
    assert_eq!(waits, Some(shop.now().plus(Period::of_seconds(600))));
}

#[tokio::test]
async fn a_carrier_without_an_account_waits_and_the_others_go_on() {
    let shop = shop(&[(Carrier::Easypost, 60), (Carrier::Generic, 60)]).await;
    let all = carriers::credentials("https://carriers.local");
    shop.set_secret(Secret::Carriers, json!({ "generic": all["generic"] }));
    let (asked, lacking) =
        (due(&shop, Carrier::Generic, "OWN-1"), due(&shop, Carrier::Easypost, "OWN-2"));
    for parcel in [&asked, &lacking] {
        link(&shop, parcel).await;
    }
    assert_eq!(poll(&shop).await, (1, 0, 1));
    assert_eq!(ask_at(&shop, &lacking).await, Some(shop.now().plus(hours(1))));
}
