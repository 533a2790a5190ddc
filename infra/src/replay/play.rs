//! Takes purchases through the suite, a day at a time.

use aftercart::model::{
    dispatch::shipment_id,
    id::OrderId,
    payment::Provider,
    time::{Period, Timestamp},
};
use serde_json::json;

use crate::{
    providers,
    signing::{self, Payment, Push, Scan},
    world::{Ask, Caller, Reply, World, secrets},
};

use super::{
    ReplayError,
    log::{Bundle, Log, Purchase},
};

/// When the day's purchases are made: mid-morning.
const PURCHASES: Period = Period::of_seconds(10 * 3_600);

/// When invitations go out: while it is day all over the United States, where
/// the customers of a log live.
const ASKED: Period = Period::of_seconds(19 * 3_600);

/// From the start of the day on which a parcel is labelled to the carrier's
/// scans of it.
pub(super) const SCANS: [(&str, Period); 3] = [
    ("picked_up", Period::of_seconds(18 * 3_600)),
    ("in_transit", Period::of_seconds((24 + 12) * 3_600)),
    ("delivered", Period::of_seconds((3 * 24 + 12) * 3_600)),
];

/// The schedules, in the order in which they run at the end of a day.
const SCHEDULES: [&str; 2] = ["order-expire", "points-settle"];

/// A scan that a carrier will make.
#[derive(Debug, Clone)]
struct Upcoming {
    at: Timestamp,
    number: String,
    status: &'static str,
}

/// Plays purchases in one world.
pub(super) struct Player<'a> {
    world: &'a World,
    /// In the order of their times.
    upcoming: Vec<Upcoming>,
}

impl<'a> Player<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        Self { world, upcoming: Vec::new() }
    }

    /// Puts on sale, and into stock, what the log says was bought.
    pub(super) async fn stock(&self, log: &Log) -> Result<(), ReplayError> {
        for (bundle, count) in log.bundles() {
            let sku = sku(bundle);
            let title = format!("{} disc(s)", bundle.units);
            let price = json!({ "amount": bundle.cents, "currency": "USD" });
            let product = json!({ "title": title, "price": price });
            let put = Ask::put(format!("/products/{sku}"), &product).by(Caller::Operator);
            self.expect(&put, 200, 0).await?;
            let receipt = json!({ "quantity": count });
            let receive = Ask::post(format!("/products/{sku}/receipts"), &receipt);
            let key = format!("receipt-of-goods-{sku}");
            self.expect(&receive.by(Caller::Operator).keyed(&key), 201, 0).await?;
        }
        Ok(())
    }

    /// Plays one day: the scans that fall on it, the invitations that are due,
    /// its purchases, and the schedules at its end.
    pub(super) async fn day(
        &mut self,
        day: Timestamp,
        purchases: &[Purchase],
        mut played: impl FnMut(usize),
    ) -> Result<(), ReplayError> {
        self.scans_until(day.plus(PURCHASES)).await?;
        self.world.clock().advance_to(day.plus(PURCHASES));
        let mut orders = Vec::with_capacity(purchases.len());
        for purchase in purchases {
            orders.push((purchase, self.buy(purchase).await?));
            played(1);
        }
        self.world.settle().await?;
        for (purchase, order) in &orders {
            self.label(purchase, order, day).await?;
        }
        self.world.settle().await?;
        // Nobody is asked at night, when the other schedules run.
        self.scans_until(day.plus(ASKED)).await?;
        self.world.clock().advance_to(day.plus(ASKED));
        self.sweep("survey-send").await?;
        let end = day.plus(Period::of_days(1));
        self.scans_until(end).await?;
        self.world.clock().advance_to(end);
        for schedule in SCHEDULES {
            self.sweep(schedule).await?;
        }
        Ok(self.world.settle().await?)
    }

    async fn buy(&self, purchase: &Purchase) -> Result<OrderId, ReplayError> {
        let Purchase { line, customer, bundle, .. } = purchase;
        let body = json!({
            "lines": [{ "sku": sku(*bundle), "quantity": 1 }],
            "shipping_address": {
                "name": format!("Customer {customer}"), "line1": "1 Main Street",
                "city": "Fort Washington", "region": "PA", "postal_code": "19034", "country": "US",
            },
            "contact": { "email": format!("{customer}@example.com"), "language": "en" },
        });
        let key = format!("purchase-in-line-{line}");
        let place = Ask::post("/orders", &body).by_member(customer).keyed(&key);
        let placed = self.expect(&place, 201, *line).await?;
        let order = OrderId::parse(&placed.text("/id"))
            .map_err(|_| ReplayError::refused(*line, &placed))?;
        if bundle.cents > 0 {
            self.pay(purchase, &order).await?;
        }
        Ok(order)
    }

    async fn pay(&self, purchase: &Purchase, order: &OrderId) -> Result<(), ReplayError> {
        let start =
            Ask::post(format!("/orders/{order}/payments"), &json!({ "provider": "sandbox" }))
                .by_member(&purchase.customer)
                .keyed("the-first-attempt");
        let payment = self.expect(&start, 201, purchase.line).await?.text("/id");
        let report = Payment {
            event: &format!("evt_{payment}"),
            kind: "succeeded",
            payment: &payment,
            amount: purchase.bundle.cents,
            currency: "USD",
            at: self.world.now(),
            part: None,
        };
        let callback = Ask::callback(&providers::of(Provider::Sandbox).callback(&report));
        self.expect(&callback, 200, purchase.line).await.map(drop)
    }

    /// Labels the parcel of an order; its scans will follow.
    async fn label(
        &mut self,
        purchase: &Purchase,
        order: &OrderId,
        day: Timestamp,
    ) -> Result<(), ReplayError> {
        let shipment = shipment_id(order, 1);
        let number = format!("LINE-{}", purchase.line);
        let label = json!({ "carrier": "generic", "tracking_number": number });
        let path = format!("/orders/{order}/shipments/{shipment}/label");
        let ask = Ask::post(path, &label).by(Caller::Operator);
        self.expect(&ask, 200, purchase.line).await?;
        let scan =
            |(status, after)| Upcoming { at: day.plus(after), number: number.clone(), status };
        self.upcoming.extend(SCANS.map(scan));
        self.upcoming.sort_by_key(|scan| scan.at);
        Ok(())
    }

    /// The carrier tells of every scan that it makes before a moment.
    async fn scans_until(&mut self, moment: Timestamp) -> Result<(), ReplayError> {
        let later = self.upcoming.partition_point(|scan| scan.at < moment);
        for scan in self.upcoming.drain(..later) {
            self.world.clock().advance_to(scan.at);
            let Upcoming { at, number, status } = &scan;
            let scans = [Scan { status, place: "Philadelphia", at: *at }];
            let event = format!("{number}-{status}");
            let push = Push { event: &event, number, scans: &scans, eta: None, at: *at };
            let callback = Ask::callback(&signing::generic(secrets::CARRIER, &push));
            expect(self.world, &callback, 200, 0).await?;
        }
        Ok(self.world.settle().await?)
    }

    /// Runs a schedule until it finds nothing to do.
    async fn sweep(&self, schedule: &str) -> Result<(), ReplayError> {
        loop {
            let swept = self.world.run_schedule(schedule).await?;
            let failed = swept["failed"].as_u64().unwrap_or(0);
            if failed > 0 {
                return Err(ReplayError::Sweep { schedule: schedule.to_owned(), failed });
            }
            if swept["done"].as_u64().unwrap_or(0) == 0 {
                return Ok(());
            }
        }
    }

    async fn expect(&self, ask: &Ask, status: u16, line: usize) -> Result<Reply, ReplayError> {
        expect(self.world, ask, status, line).await
    }
}

async fn expect(world: &World, ask: &Ask, status: u16, line: usize) -> Result<Reply, ReplayError> {
    let reply = world.ask(ask).await?;
    if reply.status == status { Ok(reply) } else { Err(ReplayError::refused(line, &reply)) }
}

fn sku(bundle: Bundle) -> String {
    format!("DISCS-{}-{}", bundle.units, bundle.cents)
}
