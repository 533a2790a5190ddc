//! A shop with a catalogue and stock, and what people do in it. Every step
//! asserts that it worked; tests that want it not to work ask the world.

use std::ops::Deref;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{payment::Provider, time::Period},
};
use aftercart_infra::{
    functions, providers,
    signing::{self, Callback, Payment, Push, Scan},
    world::{Ask, Caller, Options, PUBLIC_URL, Reply, World, secrets},
};
use serde_json::{Value, json};

/// A member.
pub(crate) const ADA: &str = "ada";
/// A key of a call, as good as a random one.
pub(crate) const KEY: &str = "5e5d4a52-1111-4a8e-9c56-0f6b1f1d2a11";

/// A world with three products in stock.
pub(crate) struct Shop(pub(crate) World);

impl Deref for Shop {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

/// An order and what follows of it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) id: String,
    pub(crate) total: i64,
    pub(crate) currency: String,
    pub(crate) by: Option<&'static str>,
    pub(crate) token: String,
}

impl Placed {
    /// A path of this order, as its buyer reaches it.
    pub(crate) fn path(&self, rest: &str) -> String {
        let guest = if self.by.is_none() { "/guest" } else { "" };
        format!("{guest}/orders/{}{rest}", self.id)
    }

    /// Sends a request as the order's buyer.
    pub(crate) fn sign_in(&self, ask: Ask) -> Ask {
        match self.by {
            Some(member) => ask.by_member(member),
            None => ask.with("order-token", self.token.clone()),
        }
    }
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with(Options::default()).await
    }

    pub(crate) async fn open_with(options: Options) -> Self {
        let shop = Self::empty_with(options).await;
        for (sku, price, units) in [("TEA", 1250, 100), ("CUP", 800, 100), ("LAST", 5000, 1)] {
            shop.sell(sku, price, units).await;
        }
        shop
    }

    /// A shop that sells nothing.
    pub(crate) async fn empty_with(options: Options) -> Self {
        Self(World::new(&functions(), options).await.unwrap())
    }

    pub(crate) async fn sell(&self, sku: &str, price: i64, units: i64) {
        let product = json!({ "title": sku, "price": { "amount": price, "currency": "GBP" } });
        let ask = Ask::put(format!("/products/{sku}"), &product).by(Caller::Operator);
        assert_eq!(self.reply(&ask).await.status, 200);
        if units > 0 {
            let ask = Ask::post(format!("/products/{sku}/receipts"), &json!({ "quantity": units }));
            let reply = self.reply(&ask.by(Caller::Operator).keyed(&key("receipt", 0))).await;
            assert_eq!(reply.status, 201, "{}", reply.body);
        }
    }

    pub(crate) async fn reply(&self, ask: &Ask) -> Reply {
        self.0.ask(ask).await.unwrap()
    }

    /// A member's order of one line.
    pub(crate) async fn place(
        &self,
        member: &'static str,
        sku: &str,
        quantity: i64,
        key: &str,
    ) -> Placed {
        let ask = Ask::post("/orders", &order(&[(sku, quantity)])).by_member(member).keyed(key);
        self.placed(ask, Some(member)).await
    }

    /// A guest's order of one line.
    pub(crate) async fn place_as_guest(&self, sku: &str, quantity: i64, key: &str) -> Placed {
        self.placed(Ask::post("/guest/orders", &order(&[(sku, quantity)])).keyed(key), None).await
    }

    pub(crate) async fn placed(&self, ask: Ask, by: Option<&'static str>) -> Placed {
        let reply = self.reply(&ask).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        Placed {
            id: reply.text("/id"),
            total: reply.json()["total"]["amount"].as_i64().unwrap(),
            currency: reply.text("/total/currency"),
            by,
            token: reply.text("/order_token"),
        }
    }

    /// Starts an attempt to pay; its identity.
    pub(crate) async fn start_payment(&self, order: &Placed, provider: &str) -> String {
        let ask = Ask::post(order.path("/payments"), &json!({ "provider": provider }));
        let reply = self.reply(&order.sign_in(ask).keyed(KEY)).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        reply.text("/id")
    }

    /// What the sandbox reports of an attempt over an order's total.
    pub(crate) fn report(
        &self,
        order: &Placed,
        payment: &str,
        kind: &str,
        event: &str,
    ) -> Callback {
        let report = Payment {
            event,
            kind,
            payment,
            amount: order.total,
            currency: &order.currency,
            at: self.now(),
            part: None,
        };
        providers::of(Provider::Sandbox).callback(&report)
    }

    /// Takes a callback.
    pub(crate) async fn call_back(&self, callback: &Callback) {
        let reply = self.reply(&Ask::callback(callback)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// Pays an order with the sandbox, and lets everything follow from it.
    pub(crate) async fn pay(&self, order: &Placed) -> String {
        let payment = self.start_payment(order, "sandbox").await;
        self.call_back(&self.report(order, &payment, "succeeded", &format!("evt_{payment}"))).await;
        self.settle().await.unwrap();
        payment
    }

    /// The order's shipment.
    pub(crate) async fn shipment(&self, order: &Placed) -> String {
        let reply = self.reply(&order.sign_in(Ask::get(order.path("/tracking")))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.text("/shipments/0/id")
    }

    /// Labels the order's shipment with this number of the generic carrier.
    pub(crate) async fn label(&self, order: &Placed, number: &str) {
        let shipment = self.shipment(order).await;
        let path = format!("/orders/{}/shipments/{shipment}/label", order.id);
        let label = json!({ "carrier": "generic", "tracking_number": number });
        let reply = self.reply(&Ask::post(path, &label).by(Caller::Operator)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// One scan of the generic carrier, told as it happens.
    pub(crate) fn scan(&self, number: &str, status: &str) -> Callback {
        let at = self.now();
        let scans = [Scan { status, place: "Leeds", at }];
        let event = format!("scan-{number}-{status}");
        let push = Push { event: &event, number, scans: &scans, eta: None, at };
        signing::generic(secrets::CARRIER, &push)
    }

    /// Pays, labels and delivers an order, a day for each scan.
    pub(crate) async fn deliver(&self, order: &Placed, number: &str) {
        self.pay(order).await;
        self.label(order, number).await;
        for status in ["picked_up", "in_transit", "delivered"] {
            self.clock().advance(Period::of_days(1));
            self.call_back(&self.scan(number, status)).await;
        }
        self.settle().await.unwrap();
    }

    /// The path of the last survey that somebody was invited to.
    pub(crate) fn survey_path(&self) -> String {
        let told = self.queue(Queue::Notifications.name());
        let mut links = told.iter().filter_map(|message| {
            match Envelope::parse(&message.body).unwrap().message {
                Message::SurveyInvited(invited) => Some(invited.link),
                _ => None,
            }
        });
        links.next_back().unwrap().strip_prefix(PUBLIC_URL).unwrap().to_owned()
    }

    /// How many units of a SKU are left, at all locations.
    pub(crate) async fn left(&self, sku: &str) -> i64 {
        let stock = self.store().all_stock().await.unwrap();
        let of_sku = stock.iter().filter(|((known, ..), _)| known.as_str() == sku);
        of_sku.map(|(_, level)| level.available).sum()
    }

    /// The order as its buyer sees it.
    pub(crate) async fn view(&self, order: &Placed) -> Value {
        let reply = self.reply(&order.sign_in(Ask::get(order.path("")))).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }
}

/// The body of an order of these lines.
pub(crate) fn order(lines: &[(&str, i64)]) -> Value {
    let lines: Vec<Value> =
        lines.iter().map(|(sku, quantity)| json!({ "sku": sku, "quantity": quantity })).collect();
    json!({
        "lines": lines,
        "shipping_address": {
            "name": "Ada Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": "ada@example.com", "language": "en" },
    })
}

/// A key of a call, by what it is for.
pub(crate) fn key(of: &str, number: usize) -> String {
    format!("key-of-a-call-{of}-{number:06}")
}
