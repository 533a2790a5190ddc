//! A product that everybody wants in the same seconds.
//!
//! Buyers come at a steady rate, in virtual time, and each partition key takes
//! [`LIMIT`] write units a second: what is more is throttled, and tried again as
//! the functions do; who is told to come again does so, with the same key. There
//! are fewer units than buyers, so that the last one is sold, too.

use std::time::Duration;

use aftercart::model::policy::Policy;
use aftercart_infra::{
    functions,
    world::{Ask, Caller, Options, World},
};
use futures::{StreamExt as _, stream::FuturesUnordered};
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{BenchError, cost::count, failure::Trying as _};

/// Over how many parts a hot product is spread.
pub const PARTS: u8 = 16;

/// What a partition key takes: 1,000 write units a second, as DynamoDB has it.
pub const LIMIT: u32 = 1_000;

/// How many buyers come in a second.
pub const OFFERED: u64 = 5_000;

/// For how many seconds they come.
const SECONDS: u64 = 4;

/// How many of a hundred buyers there is a unit for.
const UNITS_PER_CENT: u64 = 90;

/// How long who is told to come again waits, in milliseconds.
const AGAIN_MS: u64 = 500;

/// How often somebody comes at most.
const TRIES: usize = 40;

/// What everybody wants.
const SKU: &str = "HOT";

/// Who wants what.
#[derive(Debug, Clone, Copy)]
pub struct Rush {
    parts: u8,
    buyers: u64,
    units: u64,
}

impl Rush {
    /// A rush for a product in so many parts, by one of `share` of the buyers.
    #[must_use]
    pub fn of(parts: u8, share: u64) -> Self {
        let buyers = (OFFERED * SECONDS).checked_div(share).unwrap_or(0);
        // Of one part so few are sold in a second that nobody would wait for it.
        let buyers = if parts == 1 { buyers / 8 } else { buyers };
        Self { parts, buyers, units: buyers * UNITS_PER_CENT / 100 }
    }
}

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sold {
    /// Orders that were accepted in a second, from the first to the last one.
    pub per_second: u64,
    /// How many were.
    pub sold: u64,
    /// How many more than there were units.
    pub oversold: u64,
    /// How many writes were throttled.
    pub throttled: u64,
    /// How long 99 of 100 buyers waited for their answer, in milliseconds.
    pub p99_ms: u64,
}

/// Lets everybody come.
///
/// # Errors
/// [`BenchError::Wrong`] when units are left that somebody wanted, or more were
/// sold than there were.
pub async fn measured(rush: Rush) -> Result<Sold, BenchError> {
    let world = shop(rush).await?;
    fastrand::seed(1);
    world.set_limit(Some(LIMIT));
    let began = Instant::now();
    let mut coming: FuturesUnordered<_> =
        (0..rush.buyers).map(|buyer| come(&world, buyer, began)).collect();
    let (mut waited, mut last) = (Vec::new(), Duration::ZERO);
    let mut sold = 0;
    while let Some(told) = coming.next().await {
        let told = told?;
        waited.push(told.waited);
        if told.accepted {
            sold += 1;
            last = last.max(told.at);
        }
    }
    drop(coming);
    let throttled = world.throttled();
    world.set_limit(None);
    check(&world, rush, sold).await?;
    waited.sort_unstable();
    let place = waited.len() * 99 / 100;
    let p99 = waited.get(place.min(waited.len().saturating_sub(1))).copied().unwrap_or_default();
    let took_us = u64::try_from(last.as_micros()).unwrap_or(u64::MAX).max(1);
    Ok(Sold {
        per_second: sold.saturating_mul(1_000_000).checked_div(took_us).unwrap_or(0),
        sold,
        oversold: sold.saturating_sub(rush.units),
        throttled,
        p99_ms: u64::try_from(p99.as_millis()).unwrap_or(u64::MAX),
    })
}

async fn shop(rush: Rush) -> Result<World, BenchError> {
    let policy = Policy::default_document().trying("read the policy")?;
    let mut policy = json!(policy);
    if rush.parts > 1 {
        policy["stock"]["hot"] = json!({ SKU: rush.parts });
    }
    let options = Options { policy: Some(policy.to_string()), ..Options::default() };
    let world = World::new(&functions(), options).await.trying("make a world")?;
    let price = json!({ "amount": 2_000, "currency": "GBP" });
    let product = json!({ "title": "What everybody wants", "price": price });
    let put = Ask::put(format!("/products/{SKU}"), &product).by(Caller::Operator);
    world.ask(&put).await.trying("put a product")?;
    let receipt = json!({ "quantity": rush.units });
    let receive = Ask::post(format!("/products/{SKU}/receipts"), &receipt).by(Caller::Operator);
    let reply = world.ask(&receive.keyed("the-goods-of-the-rush")).await.trying("receive goods")?;
    match reply.status {
        201 => Ok(world),
        status => {
            Err(BenchError::Wrong(format!("goods were not received, {status}: {}", reply.body)))
        }
    }
}

struct Told {
    accepted: bool,
    at: Duration,
    waited: Duration,
}

async fn come(world: &World, buyer: u64, began: Instant) -> Result<Told, BenchError> {
    let micros = buyer.saturating_mul(1_000_000).checked_div(OFFERED).unwrap_or(0);
    let comes = began + Duration::from_micros(micros);
    sleep_until(comes).await;
    let body = json!({
        "lines": [{ "sku": SKU, "quantity": 1 }],
        "shipping_address": {
            "name": "Ada Example", "line1": "1 High Street", "city": "London",
            "postal_code": "N1 1AA", "country": "GB",
        },
        "contact": { "email": "ada@example.com", "language": "en" },
    });
    let key = format!("the-order-of-buyer-{buyer:06}");
    let ask = Ask::post("/orders", &body).by_member(&format!("buyer-{buyer}")).keyed(&key);
    for _ in 0..TRIES {
        let reply = world.ask(&ask).await.trying("place an order")?;
        let now = Instant::now();
        let told = |accepted| Told {
            accepted,
            at: now.duration_since(began),
            waited: now.duration_since(comes),
        };
        match reply.status {
            201 => return Ok(told(true)),
            409 => return Ok(told(false)),
            503 => sleep(Duration::from_millis(AGAIN_MS)).await,
            status => {
                let text = format!("an order was answered {status}: {}", reply.body);
                return Err(BenchError::Wrong(text));
            }
        }
    }
    Err(BenchError::Wrong(format!("buyer {buyer} was told to come again {TRIES} times")))
}

/// Every unit that somebody wanted is sold, and no other.
async fn check(world: &World, rush: Rush, sold: u64) -> Result<(), BenchError> {
    let store = world.store();
    let stock = store.all_stock().await.trying("read the stock")?;
    let left: i64 = stock.values().map(|level| level.available).sum();
    let orders = count(store.all_orders().await.trying("read the orders")?.len());
    if left != 0 || sold != rush.units || orders != sold {
        let units = rush.units;
        let text = format!(
            "of {units} units {left} are left, {sold} were sold, {orders} orders are there"
        );
        return Err(BenchError::Wrong(text));
    }
    world.settle().await.trying("deliver what the orders say")?;
    let checked = world.check_invariants().await;
    checked.map(drop).map_err(|error| BenchError::Wrong(error.to_string()))
}
