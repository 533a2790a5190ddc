//! For every function, situations in which it is called.

use std::{fmt, future::Future, pin::Pin};

use aftercart::{
    messages::Queue,
    model::{payment::Provider, policy::Policy, time::Period},
};
use aftercart_infra::{
    providers,
    signing::{self, Payment, Push, Scan},
    world::{Ask, Caller, secrets},
};
use serde_json::json;

use crate::{
    harness::Trigger,
    orders::operating,
    shop::{ADA, KEY, Placed, Shop, key, order},
    stock::set_policy,
};

type Preparing<'a> = Pin<Box<dyn Future<Output = Trigger> + 'a>>;

/// A situation in which a function is called.
pub(crate) struct Scenario {
    pub(crate) function: &'static str,
    pub(crate) name: &'static str,
    pub(crate) prepare: for<'a> fn(&'a Shop) -> Preparing<'a>,
}

impl fmt::Debug for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.function, self.name)
    }
}

macro_rules! scenarios {
    ($($function:literal, $name:literal => |$shop:ident| $prepare:expr;)*) => {
        pub(crate) fn listed() -> Vec<Scenario> {
            vec![$(Scenario {
                function: $function,
                name: $name,
                prepare: |$shop| Box::pin(async move { $prepare }),
            }),*]
        }
    };
}

mod access;

mod alerts;

mod answering;

mod care;

mod carts;

mod channels;

mod contacts;

mod contests;

mod customers;

mod earning;

mod feedback;

mod giving;

mod inviting;

mod late;

mod orders;

mod paying;

mod payment_cases;

mod performance;

mod polling;

mod quotes;

mod refunds;

mod remedies;

mod rewards;

mod risk;

mod shares;

mod shipments;

mod stock;

mod survey_reports;

mod tickets;

mod tiers;

mod tracking;

mod views;

mod webhooks;

/// Every scenario.
pub(crate) fn all() -> Vec<Scenario> {
    [
        listed(),
        access::listed(),
        alerts::listed(),
        answering::listed(),
        care::listed(),
        carts::listed(),
        channels::listed(),
        contacts::listed(),
        contests::listed(),
        customers::listed(),
        earning::listed(),
        feedback::listed(),
        giving::listed(),
        inviting::listed(),
        late::listed(),
        orders::listed(),
        paying::listed(),
        payment_cases::listed(),
        performance::listed(),
        polling::listed(),
        quotes::listed(),
        refunds::listed(),
        remedies::listed(),
        rewards::listed(),
        risk::listed(),
        shares::listed(),
        shipments::listed(),
        stock::listed(),
        survey_reports::listed(),
        tickets::listed(),
        tiers::listed(),
        tracking::listed(),
        views::listed(),
        webhooks::listed(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

scenarios! {
    "order-place", "a member's two lines" => |_shop| {
        http(Ask::post("/orders", &order(&[("TEA", 2), ("CUP", 1)])).by_member(ADA).keyed(KEY))
    };
    "order-place", "a guest's line" => |_shop| {
        http(Ask::post("/guest/orders", &order(&[("TEA", 2)])).keyed(KEY))
    };
    "order-place", "a gift, paid at once" => |shop| {
        shop.sell("GIFT", 0, 5).await;
        http(Ask::post("/orders", &order(&[("GIFT", 1)])).by_member(ADA).keyed(KEY))
    };
    "order-place", "more than there is" => |_shop| {
        http(Ask::post("/orders", &order(&[("LAST", 2)])).by_member(ADA).keyed(KEY))
    };
    "order-view", "a member's paid order" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path(""))))
    };
    "order-view", "a guest's order" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        http(placed.sign_in(Ask::get(placed.path(""))))
    };
    "order-list", "three orders in pages of two" => |shop| {
        for number in 0..3 {
            shop.place(ADA, "TEA", 1, &key("order", number)).await;
        }
        http(Ask::get("/orders?limit=2").by_member(ADA))
    };
    "order-cancel", "a member's order" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        http(placed.sign_in(Ask::post(placed.path("/cancel"), &json!({}))))
    };
    "order-cancel", "a guest's order" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        http(placed.sign_in(Ask::post(placed.path("/cancel"), &json!({}))))
    };
    "order-expire", "two unpaid orders" => |shop| {
        shop.place(ADA, "TEA", 1, KEY).await;
        shop.place_as_guest("CUP", 1, KEY).await;
        shop.clock().advance(Period::of_seconds(2401));
        schedule()
    };
    "product-put", "a new product" => |_shop| {
        let product = json!({ "title": "Pot", "price": { "amount": 6400, "currency": "GBP" } });
        http(Ask::put("/products/POT", &product).by(Caller::Operator))
    };
    "stock-receive", "ten more" => |_shop| {
        let receipt = json!({ "quantity": 10 });
        http(Ask::post("/products/TEA/receipts", &receipt).by(Caller::Operator).keyed(KEY))
    };
    "payment-start", "with the sandbox" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        http(start(&placed, "sandbox"))
    };
    "payment-start", "a guest's, with Stripe" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        http(start(&placed, "stripe"))
    };
    "payment-callback", "the sandbox's" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        http(Ask::callback(&shop.report(&placed, &payment, "succeeded", "evt_1")))
    };
    "payment-callback", "Stripe's" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "stripe").await;
        let report = Payment {
            event: "evt_1", kind: "succeeded", payment: &payment,
            amount: placed.total, currency: "GBP", at: shop.now(),
            part: None,
        };
        http(Ask::callback(&providers::of(Provider::Stripe).callback(&report)))
    };
    "payment-fold", "a success" => |shop| {
        reported(shop, &["succeeded"]).await;
        waiting(shop, Queue::Payments)
    };
    "payment-fold", "a failure" => |shop| {
        reported(shop, &["failed"]).await;
        waiting(shop, Queue::Payments)
    };
    "payment-fold", "money for a cancelled order" => |shop| {
        let placed = reported(shop, &["succeeded"]).await;
        shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
        waiting(shop, Queue::Payments)
    };
    "payment-fold", "no message" => |shop| poison(shop, Queue::Payments);
    "shipment-open", "a paid order" => |shop| {
        paid(shop).await;
        waiting(shop, Queue::Shipments)
    };
    "shipment-open", "no message" => |shop| poison(shop, Queue::Shipments);
    "label-attach", "a first label" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        let shipment = shop.shipment(&placed).await;
        let path = format!("/orders/{}/shipments/{shipment}/label", placed.id);
        let label = json!({ "carrier": "generic", "tracking_number": "AB-1234" });
        http(Ask::post(path, &label).by(Caller::Operator))
    };
    "carrier-event", "the generic carrier's" => |shop| {
        http(Ask::callback(&shop.scan("AB-1234", "picked_up")))
    };
    "carrier-event", "EasyPost's" => |shop| {
        let scans = [Scan { status: "in_transit", place: "Leeds", at: shop.now() }];
        let push =
            Push { event: "evt_1", number: "EP12345", scans: &scans, eta: None, at: shop.now() };
        http(Ask::callback(&signing::easypost(secrets::EASYPOST, &push)))
    };
    "carrier-event", "a push whose body is kept" => |shop| {
        let mut policy = json!(Policy::default_document().unwrap());
        policy["logistics"]["keep_payloads"] = "30d".into();
        set_policy(shop, &policy).await;
        http(Ask::callback(&shop.scan("AB-1234", "picked_up")))
    };
    "tracking-fold", "a delivery" => |shop| {
        delivered(shop).await;
        waiting(shop, Queue::Tracking)
    };
    "tracking-fold", "no message" => |shop| poison(shop, Queue::Tracking);
    "tracking-view", "a member's" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(placed.sign_in(Ask::get(placed.path("/tracking"))))
    };
    "tracking-view", "a guest's" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        http(placed.sign_in(Ask::get(placed.path("/tracking"))))
    };
    "points-post", "a paid order" => |shop| {
        paid(shop).await;
        waiting(shop, Queue::Points)
    };
    "points-post", "a delivered parcel" => |shop| {
        delivered(shop).await;
        shop.consume(Queue::Tracking).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "no message" => |shop| poison(shop, Queue::Points);
    "points-settle", "a return window that ended" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.deliver(&placed, "AB-1234").await;
        shop.clock().advance(Period::of_days(15));
        schedule()
    };
    "points-settle", "a life that ended" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.deliver(&placed, "AB-1234").await;
        shop.clock().advance(Period::of_days(450));
        schedule()
    };
    "points-view", "some points" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(Ask::get("/me/points").by_member(ADA))
    };
    "survey-invite", "a delivered parcel" => |shop| {
        delivered(shop).await;
        shop.consume(Queue::Tracking).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Surveys)
    };
    "survey-invite", "an order that was refunded whole" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.deliver(&placed, "AB-1234").await;
        let body = json!({ "lines": [{ "sku": "TEA", "refunded": 1 }], "why": "Came back." });
        let refund = operating(shop, &placed, "/refunds", &body).await.keyed(KEY);
        assert!(shop.reply(&refund).await.status < 300);
        shop.relay().await.unwrap();
        waiting(shop, Queue::Surveys)
    };
    "survey-invite", "no message" => |shop| poison(shop, Queue::Surveys);
    "survey-send", "one that is due" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.deliver(&placed, "AB-1234").await;
        shop.clock().advance(Period::of_days(4));
        schedule()
    };
    "survey-send", "one beyond the budget" => |shop| {
        invited(shop).await;
        let placed = shop.place(ADA, "TEA", 1, &key("order", 1)).await;
        shop.deliver(&placed, "AB-5678").await;
        shop.clock().advance(Period::of_days(4));
        schedule()
    };
    "relay", "a report of a payment" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "sandbox").await;
        shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
        told(shop)
    };
    "relay", "a paid order, for two queues" => |shop| {
        reported(shop, &["succeeded"]).await;
        shop.consume(Queue::Payments).await.unwrap();
        told(shop)
    };
    "relay", "money that came too late" => |shop| {
        let placed = reported(shop, &["succeeded"]).await;
        shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
        shop.consume(Queue::Payments).await.unwrap();
        told(shop)
    };
    "relay", "an opened shipment" => |shop| {
        paid(shop).await;
        shop.consume(Queue::Shipments).await.unwrap();
        told(shop)
    };
    "relay", "twelve scans" => |shop| {
        for number in 0..12 {
            shop.call_back(&shop.scan(&format!("AB-{number:04}"), "picked_up")).await;
        }
        told(shop)
    };
    "relay", "a delivered parcel, for two queues" => |shop| {
        delivered(shop).await;
        shop.consume(Queue::Tracking).await.unwrap();
        told(shop)
    };
}

fn http(ask: Ask) -> Trigger {
    Trigger::Http(Box::new(ask))
}

fn schedule() -> Trigger {
    Trigger::Event(json!({ "detail-type": "Scheduled Event", "source": "aws.scheduler" }))
}

/// The event that a queue's consumer would be called with now.
fn waiting(shop: &Shop, queue: Queue) -> Trigger {
    let event = shop.queue_event(queue);
    assert_ne!(event["Records"], json!([]), "nothing waits in {queue}");
    Trigger::Event(event)
}

/// The event that the relay would be called with now.
fn told(shop: &Shop) -> Trigger {
    let event = shop.stream_event();
    assert_ne!(event["Records"], json!([]), "no change waits");
    Trigger::Event(event)
}

fn poison(shop: &Shop, queue: Queue) -> Trigger {
    shop.send(queue, r#"{"v":1}"#);
    waiting(shop, queue)
}

fn start(placed: &Placed, provider: &str) -> Ask {
    let ask = Ask::post(placed.path("/payments"), &json!({ "provider": provider }));
    placed.sign_in(ask).keyed(KEY)
}

/// An order whose provider reported, and nobody read it yet.
async fn reported(shop: &Shop, kinds: &[&str]) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    for kind in kinds {
        shop.call_back(&shop.report(&placed, &payment, kind, &format!("evt_{kind}"))).await;
    }
    shop.relay().await.unwrap();
    placed
}

/// An order that is paid, and nobody was told yet.
async fn paid(shop: &Shop) -> Placed {
    let placed = reported(shop, &["succeeded"]).await;
    shop.consume(Queue::Payments).await.unwrap();
    shop.relay().await.unwrap();
    placed
}

/// An order whose carrier told of the delivery, and nobody read it yet.
async fn delivered(shop: &Shop) -> Placed {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.pay(&placed).await;
    shop.label(&placed, "AB-1234").await;
    shop.call_back(&shop.scan("AB-1234", "picked_up")).await;
    shop.settle().await.unwrap();
    shop.clock().advance(Period::of_days(2));
    shop.call_back(&shop.scan("AB-1234", "delivered")).await;
    shop.relay().await.unwrap();
    placed
}

/// The path of a survey that was sent.
async fn invited(shop: &Shop) -> String {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    shop.survey_path()
}
