//! Messages to systems of the merchant, whole: who is told what, how it is
//! signed, and what becomes of a message when its receiver misbehaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use aftercart::{
    messages::{AlertRaised, Envelope, Message, Queue, WishMade},
    model::{
        alert::{Act, Alert, AlertKind, Choice, Owner},
        id::{OrderId, ShipmentId},
        policy::Policy,
        time::{Period, Timestamp},
        webhook::EventKind,
    },
    run::{metrics::Metric, outgoing::Https, secrets::Secret},
};
use aftercart_infra::{
    merchant::{Does, Received, SECRET},
    world::{Ask, Caller, Deliveries, Fault, Options},
};
use serde_json::{Value, json};

use crate::{
    orders::{holding, operating, releasing},
    shop::{ADA, KEY, Placed, Shop, key},
    stock::set_policy,
};

const NEW_SECRET: &str = "whsec_YSBuZXcgc2VjcmV0IHRoYXQgaXMgbG9uZyBlbm91Z2g=";

pub(crate) fn endpoint(id: &str, events: &[&str]) -> Value {
    json!({ "id": id, "url": format!("https://{id}.example.com/hooks/{id}"), "events": events })
}

fn of_everything(id: &str) -> Value {
    endpoint(id, &EventKind::ALL.map(EventKind::as_str))
}

fn policy(endpoints: &Value) -> Value {
    let mut policy = json!(Policy::default_document().unwrap());
    policy["webhooks"] = json!({ "endpoints": endpoints });
    policy
}

pub(crate) async fn set_endpoints(shop: &Shop, endpoints: &Value) {
    set_policy(shop, &policy(endpoints)).await;
}

async fn shop_with(endpoints: &Value) -> Shop {
    let options = Options { policy: Some(policy(endpoints).to_string()), ..Options::default() };
    Shop::open_with(options).await
}

pub(crate) fn listing(query: &str) -> Ask {
    Ask::get(format!("/operator/webhooks?{query}")).by(Caller::Operator)
}

/// The messages of a listing's first page.
pub(crate) async fn webhooks(shop: &Shop, query: &str) -> Vec<Value> {
    let reply = shop.reply(&listing(query)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["webhooks"].as_array().unwrap().clone()
}

async fn replay(shop: &Shop, webhook: &Value) -> (u16, Value) {
    let path = format!("/operator/webhooks/{}/replay", webhook["id"].as_str().unwrap());
    let reply = shop.reply(&Ask::post(path, &json!({})).by(Caller::Operator)).await;
    (reply.status, reply.json())
}

async fn sweep(shop: &Shop) -> Value {
    shop.run_schedule("webhook-sweep").await.unwrap()
}

async fn paid(shop: &Shop, number: usize) -> Placed {
    let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
    shop.pay(&placed).await;
    placed
}

fn kinds(received: &[Received]) -> Vec<String> {
    received.iter().map(Received::kind).collect()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

#[tokio::test]
async fn every_event_is_told_signed_and_once() {
    let shop = shop_with(&json!([of_everything("erp")])).await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    let shipment = shop.shipment(&placed).await;
    for ask in [holding(&shop, &placed).await, releasing(&shop, &placed).await] {
        assert_eq!(shop.reply(&ask).await.status, 200);
        shop.settle().await.unwrap();
        shop.clock().advance(Period::of_seconds(1));
    }
    shop.label(&placed, "AB-1234").await;
    for status in ["picked_up", "in_transit", "in_transit", "delivered"] {
        shop.clock().advance(Period::of_days(1));
        shop.call_back(&shop.scan("AB-1234", status)).await;
        shop.settle().await.unwrap();
    }
    let order = OrderId::parse(&placed.id).unwrap();
    alert(&shop, &order, &ShipmentId::parse(&shipment).unwrap());
    let body = json!({ "lines": [{ "sku": "TEA", "refunded": 1 }], "why": "Broken." });
    let refund = operating(&shop, &placed, "/refunds", &body).await.keyed(KEY);
    assert!(shop.reply(&refund).await.status < 300);
    shop.settle().await.unwrap();
    let other = paid(&shop, 2).await;
    shop.reply(&other.sign_in(Ask::post(other.path("/cancel"), &json!({})))).await;
    shop.settle().await.unwrap();

    let received = shop.merchant().received();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for one in &received {
        assert!(one.is_signed_with(SECRET), "{one:?}");
        assert_eq!((one.path.as_str(), one.signature.matches("v1,").count()), ("/hooks/erp", 1));
        assert_eq!(one.timestamp, one.at.unix_seconds().to_string());
        assert!(at(one.json()["timestamp"].as_str().unwrap()) <= one.at);
        *count.entry(one.kind()).or_default() += 1;
    }
    let ids: BTreeSet<&str> = received.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids.len(), received.len());
    for (kind, times) in [
        ("order.paid", 2),
        ("order.cancelled", 1),
        ("order.refunded", 1),
        ("shipment.opened", 3),
        ("shipment.stopped", 2),
        ("parcel.delivered", 1),
        ("alert.wish", 1),
    ] {
        assert_eq!(count.get(kind), Some(&times), "{kind}: {count:?}");
    }
    assert!(count["alert.raised"] >= 1 && count["parcel.updated"] >= 3, "{count:?}");
    let updates = received.iter().filter(|it| it.kind() == "parcel.updated").map(Received::json);
    let updates: Vec<Value> = updates.filter(|it| it["data"]["shipment"] == shipment).collect();
    for (number, update) in (1..).zip(&updates) {
        assert_eq!(update["data"]["sequence"], number, "{updates:?}");
    }
    let told: BTreeSet<String> = updates
        .iter()
        .map(|it| {
            let data = &it["data"];
            json!([data["status"], data["reason"], data["eta"], data["delivered_at"]]).to_string()
        })
        .collect();
    assert_eq!(told.len(), updates.len(), "{updates:?}");
    assert_eq!(updates.last().unwrap()["data"]["status"], "delivered");
    assert_eq!(webhooks(&shop, "endpoint=erp&state=done&limit=100").await.len(), received.len());
    let delivered = [("Endpoint", "erp")];
    let counted = shop.metrics().counted_by(Metric::WebhookDelivered, &delivered);
    assert_eq!(usize::try_from(counted).unwrap(), received.len());
}

/// An alert and a wish, as the functions that watch deliveries tell of them.
fn alert(shop: &Shop, order: &OrderId, shipment: &ShipmentId) {
    let raised = AlertRaised {
        alert: Alert::identity(shipment, AlertKind::Customs, None),
        order: order.clone(),
        shipment: shipment.clone(),
        kind: AlertKind::Customs,
        owner: Owner::Logistics,
        act: Act::ClearCustoms,
        due: shop.now(),
    };
    let wish = WishMade {
        alert: raised.alert.clone(),
        order: order.clone(),
        shipment: shipment.clone(),
        choice: Choice::Wait,
        owner: Owner::Service,
    };
    for message in [Message::AlertRaised(raised), Message::WishMade(wish)] {
        let envelope = Envelope::seal(message, shop.now(), None);
        // Twice, as a queue may.
        for _ in 0..2 {
            shop.send(Queue::Webhooks, serde_json::to_string(&envelope).unwrap());
        }
    }
}

/// Whatever the order and number of deliveries: the same events, each once.
#[tokio::test]
async fn the_order_of_deliveries_does_not_matter() {
    let mut stories = BTreeSet::new();
    for seed in 0..12 {
        let shop =
            shop_with(&json!([of_everything("erp"), endpoint("crm", &["order.paid"])])).await;
        shop.set_deliveries(Deliveries::disorderly(seed));
        let secrets = json!({
            "erp": { "webhook_secrets": [SECRET] }, "crm": { "webhook_secrets": [NEW_SECRET] },
        });
        shop.set_secret(Secret::Webhooks, secrets);
        let placed = shop.place(ADA, "TEA", 2, KEY).await;
        shop.pay(&placed).await;
        shop.label(&placed, "AB-1234").await;
        for status in ["picked_up", "out_for_delivery", "attempt_failed", "delivered"] {
            shop.clock().advance(Period::of_seconds(60));
            shop.call_back(&shop.scan("AB-1234", status)).await;
        }
        shop.settle().await.unwrap();
        shop.clock().advance(Period::of_seconds(120));
        sweep(&shop).await;
        let received = shop.merchant().received();
        let by_id: BTreeMap<&str, &Received> =
            received.iter().map(|one| (one.id.as_str(), one)).collect();
        for one in &received {
            assert_eq!(by_id[one.id.as_str()].body, one.body, "{seed}");
            assert!(one.is_signed_with(SECRET) || one.is_signed_with(NEW_SECRET));
        }
        let last = by_id.values().filter(|it| it.kind() == "parcel.updated");
        let last = last.max_by_key(|it| it.json()["data"]["sequence"].as_u64()).unwrap().json();
        assert_eq!(last["data"]["status"], "delivered", "{seed}");
        let facts = by_id
            .values()
            .filter(|it| it.kind() != "parcel.updated" && it.kind() != "alert.raised");
        let facts: BTreeSet<String> =
            facts.map(|it| format!("{} {}", it.path, it.kind())).collect();
        stories.insert(facts);
    }
    assert_eq!(stories.len(), 1, "{stories:?}");
}

#[tokio::test]
async fn secrets_are_rolled() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    let both = [SECRET, NEW_SECRET];
    shop.set_secret(Secret::Webhooks, json!({ "erp": { "webhook_secrets": both } }));
    paid(&shop, 1).await;
    let received = shop.merchant().received();
    assert!(both.iter().all(|secret| received[0].is_signed_with(secret)));
    assert_eq!(received[0].signature.split(' ').count(), 2);
    // Nothing is sent without a signature.
    for secrets in
        [json!([]), json!(["whsec_c2hvcnQ="]), json!(["not a secret of the form at all"])]
    {
        shop.set_secret(Secret::Webhooks, json!({ "erp": { "webhook_secrets": secrets } }));
        shop.clock().advance(Period::of_seconds(301));
        let number = shop.merchant().received().len() + 1;
        shop.restart("webhook-send").unwrap();
        paid(&shop, number * 100 + secrets.to_string().len()).await;
        assert_eq!(shop.merchant().received().len(), 1, "{secrets}");
    }
    let waiting = webhooks(&shop, "endpoint=erp&state=waiting").await;
    assert_eq!(waiting.len(), 3);
    assert!(waiting.iter().all(|it| it["last"] == "no secret to sign with"), "{waiting:?}");
    // However long that takes, they wait untried, and go out when there is one.
    for _ in 0..(5 * 24) {
        shop.clock().advance(Period::of_seconds(60 * 60));
        sweep(&shop).await;
    }
    let still = webhooks(&shop, "endpoint=erp&state=waiting").await;
    assert_eq!(still, waiting);
    assert!(still.iter().all(|it| it["tries"] == 0), "{still:?}");
    shop.set_secret(Secret::Webhooks, json!({ "erp": { "webhook_secrets": [SECRET] } }));
    shop.clock().advance(Period::of_seconds(301));
    sweep(&shop).await;
    assert_eq!(webhooks(&shop, "endpoint=erp&state=done").await.len(), 4);
    assert!(shop.merchant().received()[1..].iter().all(|it| it.is_signed_with(SECRET)));
}

/// A system that refuses one kind of message gets all others at once.
#[tokio::test]
async fn what_an_endpoint_refuses_keeps_nothing_else_from_it() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid", "parcel.updated"])])).await;
    let picky = Arc::new(Picky::default());
    shop.merchant().over(Arc::clone(&picky) as _);
    let placed = paid(&shop, 1).await;
    shop.label(&placed, "AB-1234").await;
    let statuses = ["picked_up", "in_transit", "out_for_delivery", "attempt_failed", "delivered"];
    for status in statuses {
        shop.clock().advance(Period::of_seconds(60));
        shop.call_back(&shop.scan("AB-1234", status)).await;
        shop.settle().await.unwrap();
    }
    let refused = picky.calls("parcel.updated");
    assert!(refused >= 5, "{refused}");
    paid(&shop, 2).await;
    assert_eq!(picky.calls("order.paid"), 2, "it is told at once");
    // Each is tried again by its own schedule.
    let waiting = webhooks(&shop, "endpoint=erp&state=waiting").await;
    assert_eq!(waiting.len(), refused);
    assert!(waiting.iter().all(|it| it["tries"] == 1 && it["last"] == "answered 400"));
    // One that was in trouble is back when it refuses the message that tells so.
    picky.set_down(true);
    for number in 3..8 {
        paid(&shop, number).await;
    }
    picky.set_down(false);
    paid(&shop, 8).await;
    assert_eq!(picky.calls("order.paid"), 7, "it is left alone");
    shop.clock().advance(Period::of_seconds(60));
    sweep(&shop).await;
    assert_eq!(picky.calls("parcel.updated"), 2 * refused);
    assert_eq!(webhooks(&shop, "endpoint=erp&state=done").await.len(), 8);
}

/// A line to a system that knows one kind of message only, and refuses others.
#[derive(Debug, Default)]
struct Picky(Mutex<(bool, Vec<String>)>);

impl Picky {
    fn calls(&self, kind: &str) -> usize {
        self.0.lock().unwrap().1.iter().filter(|known| *known == kind).count()
    }

    fn set_down(&self, is_down: bool) {
        self.0.lock().unwrap().0 = is_down;
    }
}

impl aftercart::run::outgoing::Outgoing for Picky {
    fn call(&self, request: http::Request<bytes::Bytes>) -> aftercart::run::outgoing::Answering {
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        let kind = body["type"].as_str().unwrap().to_owned();
        let mut state = self.0.lock().unwrap();
        let status = match (state.0, kind.as_str()) {
            (true, _) => 503,
            (_, "order.paid") => 200,
            _ => 400,
        };
        state.1.push(kind);
        let answer = http::Response::builder().status(status).body(bytes::Bytes::new()).unwrap();
        Box::pin(async move { Ok(answer) })
    }
}

/// Ten tries over three days, each with the same bytes, and then it is given up.
#[tokio::test]
async fn a_message_that_nobody_takes_is_given_up() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    shop.merchant().always(Some(Does::Answer(500, None)));
    let began = shop.now();
    paid(&shop, 1).await;
    let mut tried = 1;
    while let [waits] = webhooks(&shop, "endpoint=erp&state=waiting").await.as_slice() {
        assert_eq!(
            (waits["tries"].as_u64(), &waits["last"]),
            (Some(tried), &json!("answered 500"))
        );
        let next = at(waits["next_at"].as_str().unwrap());
        shop.clock().advance_to(next.minus(Period::of_seconds(1)).max(shop.now()));
        sweep(&shop).await;
        assert_eq!(u64::try_from(shop.merchant().received().len()).unwrap(), tried, "too early");
        // The endpoint is left alone for half an hour at most.
        shop.clock().advance_to(next);
        for _ in 0..31 {
            sweep(&shop).await;
            shop.clock().advance(Period::of_seconds(60));
            if shop.merchant().received().len() > usize::try_from(tried).unwrap() {
                break;
            }
        }
        tried += 1;
        assert_eq!(u64::try_from(shop.merchant().received().len()).unwrap(), tried);
    }
    let received = shop.merchant().received();
    assert_eq!(received.len(), 10);
    for one in &received {
        assert_eq!((&one.id, &one.body), (&received[0].id, &received[0].body));
        assert!(one.is_signed_with(SECRET));
    }
    let times: BTreeSet<&str> = received.iter().map(|one| one.timestamp.as_str()).collect();
    assert_eq!(times.len(), 10, "each try is signed anew");
    let hours = (received[9].at.unix_seconds() - began.unix_seconds()) / 3600;
    assert!((75..=88).contains(&hours), "{hours}");
    let dead = webhooks(&shop, "endpoint=erp").await;
    assert_eq!((dead.len(), &dead[0]["state"], &dead[0]["tries"]), (1, &json!("dead"), &json!(10)));
    let by = [("Endpoint", "erp")];
    assert_eq!(shop.metrics().counted_by(Metric::WebhookDead, &by), 1);
    assert_eq!(shop.metrics().counted_by(Metric::WebhookFailed, &by), 9);
    shop.clock().advance(Period::of_days(1));
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 10);
}

#[tokio::test]
async fn what_was_given_up_is_sent_again() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    shop.merchant().does(vec![Does::Answer(410, None); 3]);
    for number in 0..3 {
        paid(&shop, number).await;
        shop.clock().advance(Period::of_seconds(3600));
    }
    assert_eq!(shop.metrics().counted_by(Metric::WebhookDead, &[("Endpoint", "erp")]), 3);
    let dead = webhooks(&shop, "endpoint=erp&state=dead").await;
    assert_eq!(dead.len(), 3);
    assert!(dead.iter().all(|it| it["last"] == "answered 410" && it["tries"] == 1));
    // One, and the same call again while it waits.
    let (first, second) = (replay(&shop, &dead[0]).await, replay(&shop, &dead[0]).await);
    assert_eq!((first.0, &first), (200, &second));
    assert_eq!((&first.1["state"], &first.1["tries"]), (&json!("waiting"), &json!(0)));
    sweep(&shop).await;
    let received = shop.merchant().received();
    assert_eq!(received.len(), 4);
    assert_eq!(received[3].id, dead[0]["id"].as_str().unwrap());
    assert_eq!(received[3].body, received[0].body);
    // What was taken may be sent again, too.
    assert_eq!(replay(&shop, &dead[0]).await.0, 200);
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 5);
    // All that were given up within a time.
    let again = async |from: &str, to: &str| {
        let body = json!({ "endpoint": "erp", "from": from, "to": to });
        let ask = Ask::post("/operator/webhooks/replays", &body).by(Caller::Operator);
        let reply = shop.reply(&ask).await;
        (reply.status, reply.json())
    };
    let (yesterday, tomorrow) = ("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z");
    let ended = dead[1]["ended_at"].as_str().unwrap();
    assert_eq!(again(yesterday, "2026-11-20T01:00:00Z").await, (200, json!({ "more": false })));
    assert_eq!(webhooks(&shop, "endpoint=erp").await.len(), 2);
    assert_eq!(again(ended, ended).await, (200, json!({ "more": false })));
    assert_eq!(webhooks(&shop, "endpoint=erp").await.len(), 1);
    assert_eq!(again(yesterday, tomorrow).await, (200, json!({ "more": false })));
    sweep(&shop).await;
    assert_eq!(webhooks(&shop, "endpoint=erp").await.len(), 0);
    assert_eq!(webhooks(&shop, "endpoint=erp&state=done").await.len(), 3);
    assert_eq!(again(tomorrow, yesterday).await.0, 400);
}

/// More than one call sends again: the same call goes on.
#[tokio::test]
async fn many_are_sent_again_some_at_a_time() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    shop.sell("GIFT", 0, 200).await;
    shop.merchant().always(Some(Does::Answer(410, None)));
    for number in 0..120 {
        shop.place(ADA, "GIFT", 1, &key("gift", number)).await;
    }
    shop.settle().await.unwrap();
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let reply = shop.reply(&listing(&format!("endpoint=erp&limit=50{cursor}"))).await.json();
        pages.push(reply["webhooks"].as_array().unwrap().len());
        let Some(next) = reply["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(pages.iter().sum::<usize>(), 120, "{pages:?}");
    let body = json!({
        "endpoint": "erp", "from": "2026-11-20T00:00:00Z", "to": "2026-11-23T00:00:00Z",
    });
    let ask = Ask::post("/operator/webhooks/replays", &body).by(Caller::Operator);
    for more in [true, false, false] {
        let reply = shop.reply(&ask).await;
        assert_eq!((reply.status, reply.json()), (200, json!({ "more": more })));
    }
    shop.merchant().always(None);
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 240);
    assert_eq!(webhooks(&shop, "endpoint=erp&state=done&limit=100").await.len(), 100);
}

/// An endpoint that is down costs few calls, delays nobody, and gets all that
/// waited when it is back.
#[tokio::test]
async fn a_dead_endpoint_costs_few_calls_and_delays_nobody() {
    let shop =
        shop_with(&json!([endpoint("erp", &["order.paid"]), endpoint("crm", &["order.paid"])]))
            .await;
    let secret = json!({ "webhook_secrets": [SECRET] });
    shop.set_secret(Secret::Webhooks, json!({ "erp": secret, "crm": secret }));
    shop.sell("GIFT", 0, 200).await;
    let down = Arc::new(Down::new("/hooks/crm"));
    shop.merchant().over(Arc::clone(&down) as _);
    for number in 0..60 {
        shop.place(ADA, "GIFT", 1, &key("gift", number)).await;
        shop.settle().await.unwrap();
    }
    assert_eq!(down.calls("/hooks/erp"), 60);
    assert_eq!(down.calls("/hooks/crm"), 5, "the breaker opens");
    for _ in 0..60 {
        shop.clock().advance(Period::of_seconds(60));
        sweep(&shop).await;
    }
    let calls = down.calls("/hooks/crm");
    assert!((8..=12).contains(&calls), "{calls} calls in an hour");
    assert_eq!(down.calls("/hooks/erp"), 60);
    down.back();
    for _ in 0..31 {
        shop.clock().advance(Period::of_seconds(60));
        sweep(&shop).await;
    }
    assert_eq!(webhooks(&shop, "endpoint=crm&state=done&limit=100").await.len(), 60);
    assert_eq!(down.calls("/hooks/crm"), down.taken("/hooks/crm") + calls + down.failed_since());
}

/// What waits while its endpoint stays silent for days is given up, though it
/// was never called for all of it.
#[tokio::test]
async fn what_waits_too_long_is_given_up_without_a_call() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    shop.merchant().always(Some(Does::Absent));
    for number in 0..8 {
        paid(&shop, number).await;
    }
    // Four days, and the longest wait that began before them.
    for _ in 0..(6 * 24) {
        shop.clock().advance(Period::of_seconds(60 * 60));
        sweep(&shop).await;
    }
    assert_eq!(webhooks(&shop, "endpoint=erp&state=waiting").await.len(), 0);
    assert_eq!(webhooks(&shop, "endpoint=erp&state=dead&limit=100").await.len(), 8);
    assert_eq!(shop.metrics().counted_by(Metric::WebhookDead, &[("Endpoint", "erp")]), 8);
}

/// A line to two systems, one of which is down.
#[derive(Debug)]
struct Down {
    path: &'static str,
    state: Mutex<Line>,
}

#[derive(Debug)]
struct Line {
    is_down: bool,
    /// By path, and whether they were taken.
    calls: Vec<(String, bool)>,
    /// How many calls had failed when it came back.
    failed_before: usize,
}

impl Down {
    fn new(path: &'static str) -> Self {
        let line = Line { is_down: true, calls: Vec::new(), failed_before: 0 };
        Self { path, state: Mutex::new(line) }
    }

    fn calls(&self, path: &str) -> usize {
        self.state.lock().unwrap().calls.iter().filter(|(known, _)| known == path).count()
    }

    fn taken(&self, path: &str) -> usize {
        let calls = &self.state.lock().unwrap().calls;
        calls.iter().filter(|(known, taken)| known == path && *taken).count()
    }

    /// How many calls failed since it is back.
    fn failed_since(&self) -> usize {
        let state = self.state.lock().unwrap();
        let failed =
            state.calls.iter().filter(|(known, taken)| known == self.path && !taken).count();
        failed - state.failed_before
    }

    fn back(&self) {
        let failed = self.calls(self.path);
        let mut state = self.state.lock().unwrap();
        (state.is_down, state.failed_before) = (false, failed);
    }
}

impl aftercart::run::outgoing::Outgoing for Down {
    fn call(&self, request: http::Request<bytes::Bytes>) -> aftercart::run::outgoing::Answering {
        let path = request.uri().path().to_owned();
        let mut state = self.state.lock().unwrap();
        let taken = !(state.is_down && path == self.path);
        state.calls.push((path, taken));
        let status = if taken { 200 } else { 503 };
        let answer = http::Response::builder().status(status).body(bytes::Bytes::new()).unwrap();
        Box::pin(async move { Ok(answer) })
    }
}

/// How a system misbehaves on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Well,
    /// Reads, and never answers.
    Silent,
    /// Answers a byte at a time, too slowly.
    Slow,
    Fault,
    /// Ends the connection before it reads.
    Drop,
    /// Takes the message, and ends the connection.
    DropAfter,
    /// Takes it, with an answer of a gigabyte.
    Huge,
    /// Takes it, and promises more than it sends.
    Half,
    /// Sends the caller on.
    Redirect,
    /// Is not HTTP at all.
    Garbage,
    Gone,
    /// Answers twice.
    Twice,
}

/// Longer than these tests wait.
const TOO_LONG: Duration = Duration::from_millis(900);

/// A system that has these manners, one a connection, and what it was sent.
fn listen(manners: Vec<Manner>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (address, told) = (base.clone(), Arc::clone(&heard));
    thread::spawn(move || {
        let mut manners = manners.into_iter();
        for stream in listener.incoming() {
            let manner = manners.next().unwrap_or(Manner::Well);
            let (address, told) = (address.clone(), Arc::clone(&told));
            thread::spawn(move || serve(manner, stream.unwrap(), &address, &told));
        }
    });
    (base, heard)
}

fn serve(
    manner: Manner,
    mut stream: TcpStream,
    base: &str,
    heard: &Mutex<Vec<String>>,
) -> Option<()> {
    if manner == Manner::Drop {
        return None;
    }
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while !bytes.ends_with(b"}}") {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&buffer[..read]);
    }
    heard.lock().unwrap().push(String::from_utf8(bytes).unwrap());
    let head =
        |status: &str, more: &str| format!("HTTP/1.1 {status}\r\n{more}connection: close\r\n\r\n");
    let well = head("200 OK", "content-length: 2\r\n") + "ok";
    let answer = match manner {
        Manner::Well => well,
        Manner::Silent => {
            thread::sleep(TOO_LONG);
            return None;
        }
        Manner::Slow => {
            for byte in well.bytes() {
                stream.write_all(&[byte]).ok()?;
                thread::sleep(Duration::from_millis(50));
            }
            return None;
        }
        Manner::Fault => head("500 Oh", "content-length: 0\r\n"),
        Manner::Drop | Manner::DropAfter => return None,
        Manner::Huge => {
            stream.write_all(head("200 OK", "content-length: 1000000000\r\n").as_bytes()).ok()?;
            loop {
                stream.write_all(&[b' '; 65_536]).ok()?;
            }
        }
        Manner::Half => head("200 OK", "content-length: 1000\r\n") + "half",
        Manner::Redirect => {
            head("307 Go", &format!("location: {base}/elsewhere\r\ncontent-length: 0\r\n"))
        }
        Manner::Garbage => "SSH-2.0-OpenSSH_9.9\r\n".to_owned(),
        Manner::Gone => head("410 Gone", "content-length: 0\r\n"),
        Manner::Twice => well.repeat(2),
    };
    stream.write_all(answer.as_bytes()).ok()
}

/// Over real HTTP: what becomes of a message that meets each manner, first once
/// and then, by the schedule, a system that behaves.
#[tokio::test]
async fn systems_that_misbehave_get_their_message_in_the_end() {
    use Manner::{
        Drop, DropAfter, Fault, Garbage, Gone, Half, Huge, Redirect, Silent, Slow, Twice, Well,
    };
    let no_answer = Some("no answer in time");
    let broken = Some("no connection, or one that broke");
    for (manner, last, sent) in [
        (Well, None, 1),
        (Twice, None, 1),
        (Huge, None, 1),
        (Half, None, 1),
        (Silent, no_answer, 2),
        (Slow, no_answer, 2),
        (Fault, Some("answered 500"), 2),
        (Redirect, Some("answered 307"), 2),
        (Drop, broken, 1),
        (DropAfter, broken, 2),
        (Garbage, broken, 2),
        (Gone, Some("answered 410"), 1),
    ] {
        // A connection that ends without an answer is tried once more by the
        // client itself if it was used before, which none here was.
        let (base, heard) = listen(vec![manner]);
        let mut erp = endpoint("erp", &["order.paid"]);
        erp["url"] = format!("{base}/hooks/erp").into();
        let shop = shop_with(&json!([erp])).await;
        let https = Https::new().unwrap().in_development().within(Duration::from_millis(400));
        shop.merchant().over(Arc::new(https));
        paid(&shop, 1).await;
        let state = match (manner, last) {
            (Gone, _) => "dead",
            (_, Some(_)) => "waiting",
            (_, None) => "done",
        };
        let found = webhooks(&shop, &format!("endpoint=erp&state={state}")).await;
        assert_eq!(found.len(), 1, "{manner:?}");
        assert_eq!(found[0]["last"].as_str(), last, "{manner:?}");
        shop.clock().advance(Period::of_seconds(60));
        sweep(&shop).await;
        let done = webhooks(&shop, "endpoint=erp&state=done").await;
        assert_eq!(done.len(), usize::from(manner != Gone), "{manner:?}");
        let heard = heard.lock().unwrap().clone();
        assert_eq!(heard.len(), sent, "{manner:?}: {heard:?}");
        let body = |text: &String| text.split("\r\n\r\n").nth(1).unwrap().to_owned();
        assert!(heard.iter().all(|text| text.starts_with("POST /hooks/erp ")), "{manner:?}");
        assert!(heard.iter().all(|text| body(text) == found[0]["body"].as_str().unwrap()));
    }
}

/// On AWS nothing is sent to the machine itself.
#[tokio::test]
async fn a_loopback_address_is_for_development() {
    let (base, heard) = listen(Vec::new());
    let mut erp = endpoint("erp", &["order.paid"]);
    erp["url"] = format!("{base}/hooks/erp").into();
    let shop = shop_with(&json!([erp])).await;
    shop.merchant().over(Arc::new(Https::new().unwrap()));
    paid(&shop, 1).await;
    let waiting = webhooks(&shop, "endpoint=erp&state=waiting").await;
    assert_eq!(waiting[0]["last"], "it is not an address on the Internet");
    assert!(heard.lock().unwrap().is_empty());
}

/// A message whose answer was lost comes again, and is known by its identity;
/// `Retry-After` is waited.
#[tokio::test]
async fn a_lost_answer_and_a_busy_system() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    shop.merchant().does([Does::Lose, Does::Answer(503, Some("3600"))]);
    paid(&shop, 1).await;
    shop.clock().advance(Period::of_seconds(60));
    sweep(&shop).await;
    let again = shop.now().plus(Period::of_seconds(3600)).to_string();
    assert_eq!(webhooks(&shop, "endpoint=erp&state=waiting").await[0]["next_at"], again);
    shop.clock().advance(Period::of_seconds(3599));
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 2);
    shop.clock().advance(Period::of_seconds(1));
    sweep(&shop).await;
    let received = shop.merchant().received();
    assert_eq!(kinds(&received), ["order.paid"; 3]);
    assert!(received.iter().all(|one| one.id == received[0].id && one.body == received[0].body));
}

/// What nobody wants costs one read of the policy a minute, and an endpoint
/// that is switched off keeps what waits.
#[tokio::test]
async fn only_what_an_endpoint_wants_is_sent() {
    let waiting = |shop: &Shop| shop.queue(Queue::Webhooks.name()).len();
    let shop = Shop::open().await;
    shop.sell("GIFT", 0, 20).await;
    shop.place(ADA, "GIFT", 1, KEY).await;
    shop.relay().await.unwrap();
    assert_eq!(waiting(&shop), 0);
    let reads = |shop: &Shop| {
        let calls = shop.port("relay").unwrap().meter().calls;
        calls.iter().filter(|call| call.operation == "GetItem").count()
    };
    assert_eq!(reads(&shop), 1);
    shop.place(ADA, "GIFT", 1, &key("gift", 1)).await;
    shop.relay().await.unwrap();
    assert_eq!((waiting(&shop), reads(&shop)), (0, 0));
    // While the policy cannot be read, the queue gets what somebody may want.
    shop.restart("relay").unwrap();
    shop.port("relay").unwrap().fail(1, Fault::Before);
    shop.place(ADA, "GIFT", 1, &key("gift", 2)).await;
    shop.relay().await.unwrap();
    assert_eq!(waiting(&shop), 1);
    shop.settle().await.unwrap();
    assert!(shop.merchant().received().is_empty());
    // One that wants something else; one that is off; one that wants it.
    let mut off = endpoint("erp", &["order.paid"]);
    off["enabled"] = false.into();
    for (number, (endpoints, told)) in (3..).zip([
        (json!([endpoint("erp", &["order.cancelled"])]), 0),
        (json!([off]), 0),
        (json!([endpoint("erp", &["order.paid"])]), 1),
    ]) {
        set_endpoints(&shop, &endpoints).await;
        shop.place(ADA, "GIFT", 1, &key("gift", number)).await;
        shop.settle().await.unwrap();
        assert_eq!(shop.merchant().received().len(), told, "{endpoints}");
    }
    // What waits for an endpoint that is switched off waits until it is on.
    shop.merchant().does([Does::Answer(500, None)]);
    shop.place(ADA, "GIFT", 1, &key("gift", 9)).await;
    shop.settle().await.unwrap();
    set_endpoints(&shop, &json!([off])).await;
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 2);
    let dead = webhooks(&shop, "endpoint=erp&state=waiting").await;
    let (status, problem) = replay(&shop, &dead[0]).await;
    assert_eq!((status, &problem["type"]), (409, &json!("urn:aftercart:problem:endpoint-off")));
    set_endpoints(&shop, &json!([endpoint("erp", &["order.paid"])])).await;
    sweep(&shop).await;
    assert_eq!(shop.merchant().received().len(), 3);
}

#[tokio::test]
async fn requests_are_refused_with_what_is_wrong() {
    let shop = shop_with(&json!([endpoint("erp", &["order.paid"])])).await;
    let post = |path: &str, body: Value| Ask::post(path, &body).by(Caller::Operator);
    let replays = "/operator/webhooks/replays";
    let unknown = "/operator/webhooks/whm_aaaaaaaaaaaaaaaaaaaaaaaaaa/replay";
    let time =
        json!({ "endpoint": "crm", "from": "2026-11-21T00:00:00Z", "to": "2026-11-22T00:00:00Z" });
    for (ask, status, field) in [
        (listing("state=dead"), 400, "endpoint"),
        (listing("endpoint=ERP"), 400, "endpoint"),
        (listing("endpoint=erp&state=lost"), 400, "state"),
        (listing("endpoint=erp&limit=0"), 400, "limit"),
        (listing("endpoint=erp&cursor=x"), 400, "cursor"),
        (listing("endpoint=erp&colour=red"), 400, "colour"),
        (post(replays, json!({ "endpoint": "erp" })), 400, "from"),
        (post(replays, json!({ "endpoint": "E!" })), 400, "endpoint"),
        (post(replays, time), 409, ""),
        (post(unknown, json!({})), 404, ""),
        (post("/operator/webhooks/evt_1/replay", json!({})), 404, ""),
    ] {
        let reply = shop.reply(&ask).await;
        let named = reply.json()["field"].as_str().unwrap_or_default().to_owned();
        assert_eq!((reply.status, named.is_empty()), (status, field.is_empty()), "{}", reply.body);
        assert!(reply.body.contains(field), "{field}: {}", reply.body);
    }
    for ask in [listing("endpoint=erp").by_member(ADA), listing("endpoint=erp").by(Caller::Anybody)]
    {
        assert!([401, 403].contains(&shop.reply(&ask).await.status));
    }
    for url in ["https://169.254.169.254/", "http://erp.example.com/", "https://erp"] {
        let mut bad = endpoint("erp", &["order.paid"]);
        bad["url"] = url.into();
        let reply =
            shop.reply(&Ask::put("/policy", &policy(&json!([bad]))).by(Caller::Operator)).await;
        assert_eq!(reply.status, 400, "{url}");
        assert!(reply.body.contains("webhooks.endpoints[0].url"), "{}", reply.body);
    }
}
