//! Complete orders, from the button to the answered survey, in virtual time.

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        dispatch::shipment_id,
        id::OrderId,
        payment::Provider,
        time::{Period, Timestamp},
    },
};
use aftercart_infra::{
    functions, providers,
    signing::{self, Payment, Push, Scan},
    world::{Ask, Caller, Options, PUBLIC_URL, Reply, World, secrets},
};
use serde_json::json;

use crate::{BenchError, failure::Trying as _};

/// A Monday morning in spring, when nothing of calendars is out of the ordinary.
const START: &str = "2026-03-02T09:00:00Z";

/// What is bought.
const SKU: &str = "TEA-1000";

/// What it costs, in pence.
const PRICE: i64 = 3_950;

/// When the carrier scans a parcel, from the moment of the order on, and what it
/// says: six scans, as a parcel within a country has them.
const SCANS: [(u32, &str, &str); 6] = [
    (8, "picked_up", "Leeds"),
    (14, "in_transit", "Leeds"),
    (26, "in_transit", "Tamworth"),
    (43, "in_transit", "London"),
    (47, "out_for_delivery", "London"),
    (50, "delivered", "London"),
];

/// How many hours after the order its label is made.
const LABELLED: u32 = 3;

/// How many hours after the order its buyer answers the survey: on the evening
/// of the day of the invitation.
const ANSWERED: u32 = 50 + 3 * 24 + 10;

/// After so many hours nothing is left to happen: the return window has ended.
const LIFE: u32 = 18 * 24;

/// For so many hours something happens all the time, and schedules run every
/// hour; later they run every so many. In a shop they run every few minutes, and
/// find nothing to do.
const BUSY: u32 = 8 * 24;
const SELDOM: u32 = 6;

/// The schedules that see to orders, and what follows from them.
const SCHEDULES: [&str; 6] = [
    "order-expire",
    "payment-sweep",
    "carrier-poll",
    "shipment-watch",
    "survey-send",
    "points-settle",
];

/// A shop whose members buy.
pub struct Life {
    /// The suite.
    pub world: World,
    rounds: usize,
}

struct Bought {
    order: OrderId,
    number: String,
}

/// How a life is lived.
#[derive(Debug, Clone, Copy)]
pub struct Living {
    /// By how many members, each one order, at the same hours.
    pub members: usize,
    /// The number of the first of them.
    pub first: usize,
}

impl Life {
    /// A shop with something to sell.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn begin() -> Result<Self, BenchError> {
        let start = Timestamp::parse(START).trying("read the time")?;
        let options = Options { start, ..Options::default() };
        let world = World::new(&functions(), options).await.trying("make a world")?;
        let life = Self { world, rounds: 0 };
        life.sell(SKU, 100_000).await?;
        Ok(life)
    }

    /// Puts something on sale.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn sell(&self, sku: &str, units: u32) -> Result<(), BenchError> {
        let price = json!({ "amount": PRICE, "currency": "GBP" });
        let product = json!({ "title": "A kilo of tea", "price": price });
        let put = Ask::put(format!("/products/{sku}"), &product).by(Caller::Operator);
        self.expect(&put, 200).await?;
        let receive = Ask::post(format!("/products/{sku}/receipts"), &json!({ "quantity": units }));
        let key = format!("goods-received-{sku}");
        self.expect(&receive.by(Caller::Operator).keyed(&key), 201).await.map(drop)
    }

    /// Lets each of these members buy once, and all that follows happen, until
    /// nothing does.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn live(&mut self, living: Living) -> Result<(), BenchError> {
        self.rounds += 1;
        let began = self.world.now();
        let mut bought = Vec::new();
        for number in living.first..living.first.saturating_add(living.members) {
            bought.push(self.buy(&format!("member-{number}")).await?);
        }
        self.settle().await?;
        for hour in 1..=LIFE {
            self.world.clock().advance_to(began.plus(hours(hour)));
            if hour == LABELLED {
                self.label(&bought).await?;
            }
            for (at, status, place) in SCANS.iter().filter(|(at, ..)| *at == hour) {
                self.scan(&bought, (*at, status, place)).await?;
            }
            if hour == ANSWERED {
                self.answer(living.members).await?;
            }
            self.settle().await?;
            if hour <= BUSY || hour.is_multiple_of(SELDOM) {
                self.sweep().await?;
            }
        }
        Ok(())
    }

    /// Lets a member buy once, and get it the day after: what leaves a history.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn live_shortly(&mut self, member: &str) -> Result<(), BenchError> {
        self.rounds += 1;
        let bought = [self.buy(member).await?];
        self.settle().await?;
        self.label(&bought).await?;
        self.world.clock().advance(hours(24));
        self.scan(&bought, (24, "delivered", "London")).await?;
        self.settle().await?;
        self.sweep().await
    }

    /// Lets days pass in which nothing happens.
    pub fn rest(&self, days: u16) {
        self.world.clock().advance(Period::of_days(days));
    }

    /// An order of a member under this key.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn place(&self, member: &str, key: &str) -> Result<Reply, BenchError> {
        let body = json!({
            "lines": [{ "sku": SKU, "quantity": 1 }],
            "shipping_address": {
                "name": "Ada Example", "line1": "1 High Street", "city": "London",
                "postal_code": "N1 1AA", "country": "GB",
            },
            "contact": { "email": format!("{member}@example.com"), "language": "en" },
        });
        self.expect(&Ask::post("/orders", &body).by_member(member).keyed(key), 201).await
    }

    async fn buy(&self, member: &str) -> Result<Bought, BenchError> {
        let placed = self.place(member, &format!("the-order-of-round-{}", self.rounds)).await?;
        let order = OrderId::parse(&placed.text("/id")).trying("read an order's identity")?;
        let total = placed.json()["total"]["amount"].as_i64().unwrap_or(PRICE);
        let start = Ask::post(format!("/orders/{order}/payments"), &json!({ "method": "card" }));
        let start = start.by_member(member).keyed("the-first-attempt");
        let payment = self.expect(&start, 201).await?.text("/id");
        let report = Payment {
            event: &format!("evt_{payment}"),
            kind: "succeeded",
            payment: &payment,
            amount: total,
            currency: "GBP",
            at: self.world.now(),
            part: None,
        };
        let callback = Ask::callback(&providers::of(Provider::Stripe).callback(&report));
        self.expect(&callback, 200).await?;
        let number = format!("{}-{}", member.to_uppercase(), self.rounds);
        Ok(Bought { order, number })
    }

    async fn label(&self, bought: &[Bought]) -> Result<(), BenchError> {
        for Bought { order, number, .. } in bought {
            let label = json!({ "carrier": "generic", "tracking_number": number });
            let path = format!("/orders/{order}/shipments/{}/label", shipment_id(order, 1));
            self.expect(&Ask::post(path, &label).by(Caller::Operator), 200).await?;
        }
        Ok(())
    }

    async fn scan(
        &self,
        bought: &[Bought],
        (hour, status, place): (u32, &str, &str),
    ) -> Result<(), BenchError> {
        let at = self.world.now();
        for Bought { number, .. } in bought {
            let scans = [Scan { status, place, at }];
            let event = format!("{number}-{hour}");
            let push = Push { event: &event, number, scans: &scans, eta: None, at };
            self.expect(&Ask::callback(&signing::generic(secrets::CARRIER, &push)), 200).await?;
        }
        Ok(())
    }

    /// Those who were invited last answer: a number, and what they like.
    async fn answer(&self, members: usize) -> Result<(), BenchError> {
        let told = self.world.queue(Queue::Notifications.name());
        let links =
            told.iter().filter_map(|message| match Envelope::parse(&message.body).ok()?.message {
                Message::SurveyInvited(invited) => Some(invited.link),
                _ => None,
            });
        let links: Vec<String> = links.collect();
        let invited = links.len().checked_sub(members);
        let invited = invited.and_then(|from| links.get(from..)).unwrap_or_default();
        if invited.len() != members {
            return Err(BenchError::Wrong(format!("{} of {members} were asked", invited.len())));
        }
        for link in invited {
            let path = link.strip_prefix(PUBLIC_URL).unwrap_or(link);
            let answers = json!({ "answers": { "recommend": 9 } });
            self.expect(&Ask::post(path, &answers), 200).await?;
        }
        Ok(())
    }

    /// Runs the schedules that see to orders, once.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn sweep(&self) -> Result<(), BenchError> {
        for schedule in SCHEDULES {
            self.world.run_schedule(schedule).await.trying(format!("run {schedule}"))?;
            self.settle().await?;
        }
        Ok(())
    }

    /// Lets everything follow that follows now.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn settle(&self) -> Result<(), BenchError> {
        self.world.settle().await.trying("deliver all messages")
    }

    async fn expect(&self, ask: &Ask, status: u16) -> Result<Reply, BenchError> {
        let reply = self.world.ask(ask).await.trying("call a function")?;
        if reply.status == status {
            return Ok(reply);
        }
        Err(BenchError::Wrong(format!("an answer was {}: {}", reply.status, reply.body)))
    }

    /// That nothing went wrong on the way.
    ///
    /// # Errors
    /// [`BenchError::Wrong`].
    pub async fn check(&self) -> Result<(), BenchError> {
        let checked = self.world.check_invariants().await;
        checked.map(drop).map_err(|error| BenchError::Wrong(error.to_string()))
    }
}

fn hours(hours: u32) -> Period {
    Period::of_seconds(hours * 3_600)
}
