//! Parcels: whatever order, number and company their scans come in, they end
//! the same, and cost what they may.

use aftercart::{
    messages::Queue,
    model::{
        dispatch::{Direction, Dispatch, Shipment},
        id::OrderId,
        shipment::{
            Carrier, Doubt, Estimate, History, Journey, MAX_EVENTS, MAX_TOLD, Parcel, ParcelStatus,
            Push as Told, Tracking, TrackingEvent, TrackingNumber, Window,
        },
        text::Text,
        time::{Period, Timestamp, Zone},
    },
    run::metrics::Metric,
    store::{Commit, CommitError, Sends, parcels, shipments},
};
use aftercart_infra::{
    carriers::easypost,
    signing::{self, Callback, Push, Scan},
    world::{Ask, secrets},
};
use futures::future::join_all;

use crate::shop::{ADA, KEY, Shop};

const FOLD: &str = "tracking-fold";

fn tracking(number: &str) -> Tracking {
    let number = TrackingNumber::parse(number).unwrap();
    Tracking { carrier: Carrier::Generic, number }
}

/// A scan, so many hours after the shop's parcels were labelled.
type At = (&'static str, u32);

/// A paid order with so many shipments to the buyer and one back, all labelled
/// some days ago: `OUT1`, `OUT2` and so on, and `BACK`.
struct Sent {
    shop: Shop,
    order: OrderId,
    since: Timestamp,
}

impl Sent {
    async fn new(parcels: u16) -> Self {
        Self::days_ago(10, parcels).await
    }

    async fn days_ago(days: u16, parcels: u16) -> Self {
        let shop = Shop::open().await;
        let placed = shop.place(ADA, "TEA", parcels.into(), KEY).await;
        shop.pay(&placed).await;
        let order = OrderId::parse(&placed.id).unwrap();
        let since = shop.now();
        let sent = Self { shop, order, since };
        let mut dispatch = sent.dispatch().await;
        let first = dispatch.shipments[0].clone();
        for number in 2..=parcels + 1 {
            let (lines, from) = (first.lines.clone(), first.location.clone());
            dispatch.shipments.push(Shipment::new(&sent.order, number, from, lines, since));
        }
        dispatch.shipments.last_mut().unwrap().direction = Direction::Back;
        let mut commit = Commit::new();
        for shipment in &mut dispatch.shipments {
            let number = match shipment.direction {
                Direction::Out => format!("OUT{}", shipment.number),
                Direction::Back => "BACK".to_owned(),
            };
            shipment.tracking = Some(tracking(&number));
            shipment.labelled_at = Some(since);
            commit = commit.with(
                parcels::link(&parcel(&sent.order, shipment, since), &Sends::none()).unwrap(),
            );
        }
        let commit = commit.with(shipments::save(&dispatch, &Sends::none()).unwrap());
        sent.shop.store().commit(commit).await.unwrap();
        sent.shop.clock().advance(Period::of_days(days));
        sent
    }

    /// Another one that is as this one is now.
    fn again(&self) -> Self {
        let shop = Shop(self.shop.fork().unwrap());
        Self { shop, order: self.order.clone(), since: self.since }
    }

    async fn dispatch(&self) -> Dispatch {
        self.shop.store().dispatch(&self.order).await.unwrap().unwrap()
    }

    async fn journeys(&self) -> Vec<Journey> {
        self.dispatch().await.shipments.into_iter().map(|it| it.journey).collect()
    }

    fn pushed(&self, number: &str, scans: &[At]) -> Callback {
        let at = |hours: &u32| self.since.plus(Period::of_seconds(hours * 3_600));
        let scan = |(status, hours): &At| Scan { status, place: "Leeds", at: at(hours) };
        let scans: Vec<Scan<'_>> = scans.iter().map(scan).collect();
        let event = format!("evt-{number}-{}", scans.len());
        let at = self.shop.now();
        let push = Push { event: &event, number, scans: &scans, eta: None, at };
        signing::generic(secrets::CARRIER, &push)
    }
}

fn parcel(order: &OrderId, shipment: &Shipment, labelled_at: Timestamp) -> Parcel {
    Parcel {
        tracking: shipment.tracking.clone().unwrap(),
        order: order.clone(),
        shipment: shipment.id.clone(),
        customer: aftercart::model::customer::CustomerId::member(ADA).unwrap(),
        direction: shipment.direction,
        labelled_at,
        courier: None,
        verification: None,
        window: None,
        ask_at: None,
        asked: 0,
        subscribed: false,
    }
}

/// Every order of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else { return vec![Vec::new()] };
    let mut all = Vec::new();
    for rest in orders(last) {
        for position in 0..=rest.len() {
            let mut order = rest.clone();
            order.insert(position, last);
            all.push(order);
        }
    }
    all
}

/// A parcel's number and what is told of it in one call.
type Call = (&'static str, &'static [At]);

struct Sequence {
    name: &'static str,
    calls: &'static [Call],
    /// What the parcels that were told of come to, by number.
    ends: &'static [(&'static str, ParcelStatus)],
}

use ParcelStatus::{Delivered, InTransit, OutForDelivery, Returned};

/// Sequences as carriers push them: some with all scans again, some without.
const SEQUENCES: &[Sequence] = &[
    Sequence {
        name: "delivered, with late scans",
        calls: &[
            ("OUT1", &[("info_received", 1), ("picked_up", 5), ("in_transit", 20)]),
            ("OUT1", &[("out_for_delivery", 44), ("delivered", 50)]),
            ("OUT1", &[("in_transit", 51), ("exception", 52)]),
            ("OUT1", &[("in_transit", 20), ("in_transit", 30), ("delivered", 50)]),
        ],
        ends: &[("OUT1", Delivered)],
    },
    Sequence {
        name: "an attempt failed, then delivered",
        calls: &[
            ("OUT1", &[("picked_up", 5), ("out_for_delivery", 44)]),
            ("OUT1", &[("attempt_failed", 50)]),
            ("OUT1", &[("attempt_failed", 50), ("out_for_delivery", 68)]),
            ("OUT1", &[("delivered", 75)]),
        ],
        ends: &[("OUT1", Delivered)],
    },
    Sequence {
        name: "returned to its sender",
        calls: &[
            ("OUT1", &[("out_for_delivery", 44), ("attempt_failed", 50)]),
            ("OUT1", &[("returning", 70)]),
            ("OUT1", &[("in_transit", 80), ("out_for_delivery", 90)]),
            ("OUT1", &[("out_for_delivery", 90), ("delivered", 95)]),
        ],
        ends: &[("OUT1", Returned)],
    },
    Sequence {
        name: "recalled after its delivery",
        calls: &[
            ("OUT1", &[("in_transit", 20), ("delivered", 50)]),
            ("OUT1", &[("exception", 60), ("on_hold", 61)]),
            ("OUT1", &[("returning", 70)]),
            ("OUT1", &[("returned", 90)]),
        ],
        ends: &[("OUT1", Returned)],
    },
    Sequence {
        name: "two parcels of an order, and one that comes back",
        calls: &[
            ("OUT1", &[("in_transit", 20), ("delivered", 50)]),
            ("OUT2", &[("in_transit", 21), ("out_for_delivery", 52)]),
            ("BACK", &[("picked_up", 100), ("in_transit", 110)]),
            ("OUT1", &[("in_transit", 55)]),
        ],
        ends: &[("OUT1", Delivered), ("OUT2", OutForDelivery), ("BACK", InTransit)],
    },
];

fn status_of(dispatch: &Dispatch, number: &str) -> ParcelStatus {
    let of = |it: &&Shipment| it.tracking.as_ref() == Some(&tracking(number));
    dispatch.shipments.iter().find(of).unwrap().journey.status
}

/// The calls in every order: each followed by what comes of it, or all of them
/// at once and then what comes of them; and the first of them again at the end.
#[tokio::test]
async fn calls_in_every_order_are_the_same_parcels() {
    let sent = Sent::new(2).await;
    for sequence in SEQUENCES {
        let mut whole = None;
        for (turn, order) in orders(sequence.calls.len()).into_iter().enumerate() {
            let sent = sent.again();
            let call = |number: &usize| {
                let (number, scans) = sequence.calls[*number];
                sent.pushed(number, scans)
            };
            for number in &order {
                sent.shop.call_back(&call(number)).await;
                if turn % 3 == 0 {
                    sent.shop.settle().await.unwrap();
                }
            }
            sent.shop.settle().await.unwrap();
            let journeys = sent.journeys().await;
            sent.shop.call_back(&call(&order[0])).await;
            assert!(!sent.shop.relay().await.unwrap(), "{}: told again", sequence.name);
            let whole = whole.get_or_insert_with(|| journeys.clone());
            assert_eq!(journeys, *whole, "{}: in the order {order:?}", sequence.name);
            let dispatch = sent.dispatch().await;
            for (number, status) in sequence.ends {
                assert_eq!(status_of(&dispatch, number), *status, "{}", sequence.name);
            }
        }
    }
}

/// All calls at the same time, the folds of all of them at the same time, each
/// twice, and each call once more while they run.
#[tokio::test]
async fn calls_at_the_same_time_are_the_same_parcels() {
    let sent = Sent::new(2).await;
    for sequence in SEQUENCES {
        let calls = |sent: &Sent| -> Vec<Ask> {
            let calls = sequence.calls.iter();
            calls.map(|(number, scans)| Ask::callback(&sent.pushed(number, scans))).collect()
        };
        let alone = sent.again();
        for ask in calls(&alone) {
            assert_eq!(alone.shop.reply(&ask).await.status, 200);
            alone.shop.settle().await.unwrap();
        }
        let sent = sent.again();
        let asks = calls(&sent);
        join_all(asks.iter().map(|ask| sent.shop.reply(ask))).await;
        sent.shop.relay().await.unwrap();
        let event = sent.shop.queue_event(Queue::Tracking);
        let folds = join_all((0..4).map(|_| sent.shop.invoke(FOLD, &event)));
        let again = join_all(asks.iter().map(|ask| sent.shop.reply(ask)));
        let (answers, _) = tokio::join!(folds, again);
        for answer in answers {
            assert_eq!(answer.unwrap()["batchItemFailures"], serde_json::json!([]));
        }
        sent.shop.settle().await.unwrap();
        assert_eq!(sent.journeys().await, alone.journeys().await, "{}", sequence.name);
    }
}

/// A fold that read less must not undo one that read more, however late it is.
#[tokio::test]
async fn whoever_knows_more_is_right() {
    let sent = Sent::new(1).await;
    let shipment = sent.dispatch().await.shipments.remove(0);
    let parcel = parcel(&sent.order, &shipment, sent.since);
    let journey = |told: u32, status| Journey { status, told, ..Journey::pending() };
    let note = |parcel: &Parcel, journey: Journey| {
        let write = shipments::progress(parcel, &journey, &Sends::none()).unwrap();
        let store = sent.shop.store();
        async move { store.change(write).await }
    };
    note(&parcel, journey(2, OutForDelivery)).await.unwrap();
    for late in [journey(1, InTransit), journey(2, InTransit)] {
        let Err(CommitError::Lost(_)) = note(&parcel, late).await else { panic!("it won") };
    }
    let label = Parcel { tracking: tracking("OTHER"), ..parcel.clone() };
    let Err(CommitError::Lost(_)) = note(&label, journey(9, Delivered)).await else {
        panic!("a label that is not on the shipment won")
    };
    assert_eq!(sent.journeys().await[0].status, OutForDelivery);
    // Without its label, the shipment has no journey; and another label begins anew.
    let mut dispatch = sent.dispatch().await;
    dispatch.shipments[0].tracking = None;
    let write = shipments::save(&dispatch, &Sends::none()).unwrap();
    sent.shop.store().commit(write).await.unwrap();
    assert_eq!(sent.journeys().await[0], Journey::pending());
    let Err(CommitError::Lost(_)) = note(&parcel, journey(3, Delivered)).await else {
        panic!("a label that was taken off won")
    };
    let mut dispatch = sent.dispatch().await;
    dispatch.shipments[0].tracking = Some(tracking("OTHER"));
    let write = shipments::save(&dispatch, &Sends::none()).unwrap();
    sent.shop.store().commit(write).await.unwrap();
    note(&label, journey(1, InTransit)).await.unwrap();
    assert_eq!(sent.journeys().await[0].status, InTransit);
}

/// What comes back to the shop is no delivery to the buyer.
#[tokio::test]
async fn nobody_waits_for_what_comes_back() {
    let sent = Sent::new(1).await;
    for (number, waiting) in [("BACK", 0), ("OUT1", 1)] {
        sent.shop.call_back(&sent.pushed(number, &[("picked_up", 5), ("delivered", 50)])).await;
        sent.shop.relay().await.unwrap();
        sent.shop.consume(Queue::Tracking).await.unwrap();
        sent.shop.relay().await.unwrap();
        for queue in [Queue::Points, Queue::Surveys] {
            assert_eq!(sent.shop.queue(queue.name()).len(), waiting, "{number} {queue}");
        }
        let delivered = sent.shop.metrics().counted(Metric::ParcelDelivered);
        assert_eq!(delivered, i64::try_from(waiting).unwrap(), "{number}");
    }
    let dispatch = sent.dispatch().await;
    assert_eq!(status_of(&dispatch, "BACK"), Delivered);
    assert_eq!(dispatch.delivered_at(), dispatch.shipments[0].journey.delivered_at);
}

#[tokio::test]
async fn a_delivery_is_counted_when_it_is_new() {
    let sent = Sent::new(1).await;
    for scans in
        [[("in_transit", 10)], [("delivered", 50)], [("in_transit", 60)], [("delivered", 49)]]
    {
        let scans: [At; 1] = scans;
        sent.shop.call_back(&sent.pushed("OUT1", &scans)).await;
        sent.shop.settle().await.unwrap();
    }
    assert_eq!(sent.shop.metrics().counted(Metric::ParcelDelivered), 1);
    // Points and surveys are told that the parcel came an hour earlier.
    let expected = sent.since.plus(Period::of_seconds(49 * 3_600));
    assert_eq!(sent.journeys().await[0].delivered_at, Some(expected));
}

#[tokio::test]
async fn what_came_before_the_label_is_not_lost() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 1, KEY).await;
    shop.pay(&placed).await;
    let order = OrderId::parse(&placed.id).unwrap();
    let sent = Sent { since: shop.now(), shop, order };
    sent.shop.clock().advance(Period::of_days(1));
    let scans: [At; 3] = [("info_received", 1), ("picked_up", 2), ("delivered", 4)];
    sent.shop.call_back(&sent.pushed("AB-1234", &scans)).await;
    sent.shop.settle().await.unwrap();
    assert_eq!(sent.journeys().await[0], Journey::pending(), "nobody knows whose it is");
    sent.shop.label(&placed, "AB-1234").await;
    sent.shop.settle().await.unwrap();
    let journey = sent.journeys().await.remove(0);
    let stages: Vec<_> = journey.stages.iter().map(|it| (it.status, it.at, it.doubt)).collect();
    let (known, label) = (sent.since.plus(Period::of_seconds(3_600)), sent.shop.now());
    assert_eq!(
        stages,
        [
            (ParcelStatus::InfoReceived, known, None),
            (ParcelStatus::PickedUp, label, Some(Doubt::BeforeLabel)),
            (Delivered, label, Some(Doubt::BeforeLabel)),
        ]
    );
}

/// A tracker of EasyPost with so many scans, one an hour.
fn tracker(sent: &Sent, number: &str, scans: u32) -> Callback {
    let at = |hour: u32| sent.since.plus(Period::of_seconds(hour * 3_600));
    let scan = |hour| Scan { status: "in_transit", place: "Milton Keynes", at: at(hour) };
    let scans: Vec<Scan<'_>> = (0..scans).map(scan).collect();
    let eta = Some(at(100));
    let push = Push { event: "evt", number, scans: &scans, eta, at: sent.shop.now() };
    signing::easypost(secrets::EASYPOST, &push)
}

/// The words and the place of the scans as `EasyPost` really has them; with an
/// estimate or without.
fn detailed(call: &Callback, is_expected: bool) -> Callback {
    let mut body: serde_json::Value = serde_json::from_str(&call.body).unwrap();
    let tracker = &mut body["result"];
    for scan in tracker["tracking_details"].as_array_mut().unwrap() {
        scan["status_detail"] = "arrived_at_facility".into();
        scan["tracking_location"]["country"] = "GB".into();
    }
    if !is_expected {
        tracker["est_delivery_date"] = serde_json::Value::Null;
    }
    easypost::sign(secrets::EASYPOST, body.to_string())
}

/// Attaches a label of `EasyPost` with all that a link may have.
async fn attach(sent: &Sent, number: &str) {
    let shipment = sent.dispatch().await.shipments.remove(0);
    let number = TrackingNumber::parse(number).unwrap();
    let day = sent.since.date_in(&Zone::utc());
    let parcel = Parcel {
        tracking: Tracking { carrier: Carrier::Easypost, number },
        courier: Some(Text::new("RoyalMail").unwrap()),
        window: Some(Window { from: day, until: day, zone: Zone::utc() }),
        ask_at: Some(sent.since.plus(Period::of_days(20))),
        subscribed: true,
        ..parcel(&sent.order, &shipment, sent.since)
    };
    let link = parcels::link(&parcel, &Sends::none()).unwrap();
    sent.shop.store().commit(link).await.unwrap();
}

/// A parcel is told of scan by scan, each time with all that were before; the
/// dearest call is the last. A parcel within a country has some ten scans, one
/// round the world some sixty.
#[tokio::test]
async fn a_call_costs_one_round_trip_and_two_write_units() {
    let sent = Sent::new(1).await;
    let shop = &sent.shop;
    // The first call also reads the secret of the carrier.
    shop.call_back(&sent.pushed("OUT2", &[("picked_up", 1)])).await;
    let kinds = [("EP00001", false, TWO_UNITS), ("EP00002", true, TWO_UNITS_EXPECTED)];
    for (number, is_expected, two) in kinds {
        attach(&sent, number).await;
        for scans in 1..=50 {
            shop.call_back(&detailed(&tracker(&sent, number, scans), is_expected)).await;
            let meter = shop.port("carrier-event").unwrap().meter();
            let operations: Vec<&str> =
                meter.calls.iter().map(|call| call.operation.as_str()).collect();
            assert_eq!(operations, ["UpdateItem"]);
            let (units, most) = (meter.write_units(), if scans <= two { 2 } else { 3 });
            assert!(units <= most, "{units} write units after {scans} scans of {number}");
        }
    }
}

/// With so many scans a labelled parcel's write is still two units; with an
/// estimate in every call, with so many.
const TWO_UNITS: u32 = 40;
const TWO_UNITS_EXPECTED: u32 = 31;

/// A write that loses is not free: DynamoDB charges for the item that it met.
#[tokio::test]
async fn what_is_known_costs_what_it_meets() {
    let sent = Sent::new(1).await;
    for (scans, units) in [(1, 1), (60, 2)] {
        for _ in 0..2 {
            sent.shop.call_back(&tracker(&sent, "EP00004", scans)).await;
        }
        assert_eq!(sent.shop.port("carrier-event").unwrap().meter().write_units(), units);
    }
}

#[tokio::test]
async fn thirty_scans_that_are_known_write_nothing() {
    let sent = Sent::new(1).await;
    let shop = &sent.shop;
    let long = tracker(&sent, "EP00003", 30);
    // An estimate is as old as the latest scan that it came with.
    shop.call_back(&tracker(&sent, "EP00003", 29)).await;
    shop.call_back(&long).await;
    shop.settle().await.unwrap();
    let state = shop.state().await.unwrap();
    for push in [&long, &tracker(&sent, "EP00003", 29), &long] {
        shop.clock().advance(Period::of_seconds(1));
        shop.call_back(push).await;
        assert!(!shop.relay().await.unwrap(), "nothing is told");
    }
    let same = shop.state().await.unwrap();
    assert_eq!(same["tables"], state["tables"], "told again, and nothing is written");
    shop.call_back(&tracker(&sent, "EP00003", 31)).await;
    assert_ne!(shop.state().await.unwrap()["tables"], state["tables"]);
}

/// A scan without news is one read and one write. With news the order is read
/// for whom to tell, and what was told is noted.
#[tokio::test]
async fn a_fold_costs_two_round_trips_and_four_with_news() {
    let sent = Sent::days_ago(1, 1).await;
    let shop = &sent.shop;
    let quiet = ["GetItem", "UpdateItem"];
    let news = ["GetItem", "GetItem", "GetItem", "UpdateItem"];
    // The first call reads the policy besides.
    let scans: [(&str, &[&str]); 15] = std::array::from_fn(|hour| match hour {
        0 => ("info_received", &quiet[..]),
        1 => ("picked_up", &news[..]),
        14 => ("out_for_delivery", &news[..]),
        _ => ("in_transit", &quiet[..]),
    });
    let told: Vec<At> = scans.iter().map(|(status, _)| *status).zip(1..).collect();
    for (end, (status, wanted)) in scans.iter().enumerate() {
        shop.call_back(&sent.pushed("OUT1", &told[..=end])).await;
        shop.settle().await.unwrap();
        let meter = shop.port(FOLD).unwrap().meter();
        let operations = meter.calls.iter().map(|call| call.operation.as_str());
        // The first news also reads the secret of links, which is kept.
        let operations: Vec<&str> = operations.filter(|it| *it != "GetSecretValue").collect();
        println!("{status}: {operations:?}, {} write units", meter.write_units());
        if end > 0 {
            assert_eq!(operations, *wanted, "{status}, scan {end}");
        }
        // The other half of a split order lies in the same item.
        let most = if operations.len() > quiet.len() { 6 } else { 3 };
        assert!(meter.write_units() <= most, "{} write units", meter.write_units());
    }
}

/// A label is taken off only if nothing was told since that was decided; what
/// its carrier has nonetheless is counted.
#[tokio::test]
async fn a_label_is_not_taken_off_behind_a_scan() {
    let sent = Sent::new(1).await;
    let shipment = sent.dispatch().await.shipments.remove(0);
    let parcel = parcel(&sent.order, &shipment, sent.since);
    let off = |told| {
        let (store, write) = (sent.shop.store(), parcels::unlink(&parcel, told));
        async move { store.commit(write).await }
    };
    sent.shop.call_back(&sent.pushed("OUT1", &[("info_received", 1)])).await;
    let Err(CommitError::Lost(_)) = off(0).await else { panic!("it won behind a scan") };
    off(1).await.unwrap();
    sent.shop.settle().await.unwrap();
    let history = sent.shop.store().parcel(&parcel.tracking).await.unwrap();
    assert_eq!((history.parcel, history.taken_off), (None, Some(parcel.clone())));
    for (status, counted) in [("cancelled", 0), ("picked_up", 1)] {
        sent.shop.call_back(&sent.pushed("OUT1", &[(status, 5)])).await;
        sent.shop.settle().await.unwrap();
        let moved = sent.shop.metrics().counted(Metric::VoidedParcelMoved);
        assert_eq!(moved, counted, "{status}");
    }
}

fn events(count: usize, from: Timestamp) -> Vec<TrackingEvent> {
    let event = |hour: usize| TrackingEvent {
        at: from.plus(Period::of_seconds(u32::try_from(hour).unwrap() * 3_600)),
        status: InTransit,
        reason: None,
        code: Text::new("a code of the carrier that is long").unwrap(),
        place: Some(Text::new("包裹已到达【上海转运中心】").unwrap()),
        told_at: None,
        zone_assumed: true,
    };
    (0..count).map(event).collect()
}

/// DynamoDB's sets of texts: joined by their members, looked into by equality,
/// measured by their number.
#[tokio::test]
async fn what_is_told_is_a_set() {
    let shop = Shop::open().await;
    let told = |events: &[TrackingEvent], eta: Option<u32>| {
        let estimate = eta.map(|hours| Estimate {
            told_at: shop.now(),
            eta: shop.now().plus(Period::of_seconds(hours * 3_600)),
        });
        let events = events.to_vec();
        let push = Told { tracking: tracking("SET1"), events, estimate };
        let store = shop.store();
        async move { store.commit(parcels::record(&push, &Sends::none())).await.is_ok() }
    };
    let all = events(MAX_EVENTS, shop.now());
    assert!(told(&all[2..5], None).await, "new");
    assert!(!told(&all[2..5], None).await, "known");
    assert!(!told(&all[3..4], None).await, "some of what is known");
    assert!(told(&all[4..6], None).await, "one of two is new");
    assert!(told(&all[2..6], Some(5)).await, "an estimate is new");
    assert!(!told(&all[2..6], Some(5)).await, "and known");
    // The beginning of a member is not a member.
    let shorter = TrackingEvent { place: None, ..all[2].clone() };
    assert!(told(std::slice::from_ref(&shorter), None).await);
    assert!(told(&all, Some(6)).await, "the longest push is within DynamoDB's limits");
    assert!(!told(&all, Some(6)).await);
    let History { parcel, events, estimates, .. } =
        shop.store().parcel(&tracking("SET1")).await.unwrap();
    assert_eq!((parcel, estimates.len()), (None, 2));
    assert_eq!(events, all.into_iter().chain([shorter]).collect());
}

#[tokio::test]
async fn no_more_is_kept_of_a_parcel_than_any_has() {
    let shop = Shop::open().await;
    let all = events(MAX_TOLD + MAX_EVENTS, shop.now());
    for events in all.chunks(MAX_EVENTS) {
        let push = Told { tracking: tracking("SET2"), events: events.to_vec(), estimate: None };
        let taken = shop.store().commit(parcels::record(&push, &Sends::none())).await.is_ok();
        let known = shop.store().parcel(&tracking("SET2")).await.unwrap().told();
        assert!(taken || usize::try_from(known).unwrap() >= MAX_TOLD, "{known} are known");
    }
    let known = shop.store().parcel(&tracking("SET2")).await.unwrap().told();
    assert!(
        (MAX_TOLD..MAX_TOLD + MAX_EVENTS).contains(&usize::try_from(known).unwrap()),
        "{known}"
    );
}

/// Nothing that matters is lost of a parcel that is full: estimates make room
/// for scans, and these for the end of the way; what is left out is counted.
#[tokio::test]
async fn a_full_parcel_still_arrives() {
    let sent = Sent::new(1).await;
    let label = tracking("OUT1");
    let record = |events: Vec<TrackingEvent>| {
        let push = Told { tracking: label.clone(), events, estimate: None };
        let store = sent.shop.store();
        async move { store.commit(parcels::record(&push, &Sends::none())).await.unwrap() }
    };
    let all = events(MAX_TOLD, sent.since.plus(Period::of_days(1)));
    let counted = || {
        let by = [("Carrier", "generic")];
        sent.shop.metrics().counted_by(Metric::CarrierUnreadable, &by)
    };
    let estimated = async |status| {
        let at = sent.since.plus(Period::of_days(9));
        let scans = [Scan { status, place: "Leeds", at }];
        let (number, eta, at) = ("OUT1", Some(at), sent.shop.now());
        let push = Push { event: "evt", number, scans: &scans, eta, at };
        sent.shop.call_back(&signing::generic(secrets::CARRIER, &push)).await;
        sent.shop.settle().await.unwrap();
        let history = sent.shop.store().parcel(&label).await.unwrap();
        let is_told = history.events.iter().any(|it| it.status.as_str() == status);
        (is_told, history.estimates.len())
    };
    let (half, rest) = all.split_at(MAX_TOLD / 2);
    for events in half.chunks(MAX_EVENTS) {
        record(events.to_vec()).await;
    }
    assert_eq!(estimated("on_hold").await, (true, 0), "the scan, not the estimate");
    assert_eq!(counted(), 1);
    for events in rest.chunks(MAX_EVENTS) {
        record(events.to_vec()).await;
    }
    assert_eq!(estimated("out_for_delivery").await, (false, 0));
    assert_eq!(counted(), 2);
    assert_eq!(estimated("delivered").await, (true, 0), "the end is not lost");
    assert_eq!(status_of(&sent.dispatch().await, "OUT1"), Delivered);
    assert_eq!(counted(), 3, "the estimate was left out");
    assert_eq!(estimated("delivered").await, (true, 0));
}
