//! `--cost`: what a complete order costs, computed from what its functions do.
//!
//! Members of the in-process shop each buy one thing, pay by card, get it with six
//! scans of a carrier, and answer a survey about it; what they earned becomes
//! theirs. Every invocation is counted at its port: units as DynamoDB charges
//! them for items of that size, calls, requests. It is the second order of each
//! member, by functions that are warm. A schedule counts when it did something.
//!
//! The same is played for one order by itself, where every message is a batch of
//! its own, and for [`AT_ONCE`] orders at the same hours, where streams and
//! queues hand over batches.

pub mod life;
pub mod prices;

use std::collections::BTreeMap;

use aftercart::run::{Function, Trigger};
use aftercart_infra::{functions, world::Invoked};

use crate::{BenchError, Cell, Options, Table, failure::Trying as _};

use self::life::{Life, Living};

/// So many orders at the same hours fill batches of queues, which have ten.
pub const AT_ONCE: usize = 20;

/// What the functions of orders did, together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Invocations.
    pub invocations: u64,
    /// Calls of AWS and of payment providers.
    pub round_trips: u64,
    /// Write units.
    pub writes: u64,
    /// Halves of read units.
    pub read_halves: u64,
    /// Calls of the HTTP API.
    pub api: u64,
    /// Requests to queues: sends, and a receive and a delete for each batch.
    pub queue: u64,
    /// Time that Lambda bills, in thousandths of a millisecond.
    pub microseconds: u64,
}

impl Sum {
    /// Adds an invocation of a function.
    fn add(&mut self, function: &Function, invoked: &Invoked) {
        let calls = &invoked.meter.calls;
        let (mut took, mut sends) = (prices::OWN_MICROSECONDS, 0);
        for call in calls {
            took += prices::microseconds(&call.operation);
            sends += u64::from(call.operation.starts_with("SendMessage"));
        }
        let (api, received) = match function.trigger {
            Trigger::Http(_) => (1, 0),
            Trigger::Queue(_) => (0, 2),
            _ => (0, 0),
        };
        self.plus(&Self {
            invocations: 1,
            round_trips: count(calls.len()),
            writes: invoked.meter.write_units(),
            read_halves: invoked.meter.read_halves(),
            api,
            queue: sends + received,
            microseconds: took,
        });
    }

    fn plus(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.round_trips += other.round_trips;
        self.writes += other.writes;
        self.read_halves += other.read_halves;
        self.api += other.api;
        self.queue += other.queue;
        self.microseconds += other.microseconds;
    }

    /// Each kind of thing that is paid for, and what it costs, in pico-dollars.
    #[must_use]
    pub fn pico_dollars(&self) -> [(&'static str, u64); 6] {
        [
            (prices::WRITE.of, self.writes * prices::WRITE.pico_dollars),
            (prices::READ.of, self.read_halves * prices::READ.pico_dollars / 2),
            (prices::API.of, self.api * prices::API.pico_dollars),
            (prices::QUEUE.of, self.queue * prices::QUEUE.pico_dollars),
            (prices::INVOCATION.of, self.invocations * prices::INVOCATION.pico_dollars),
            (prices::MILLISECOND.of, self.microseconds * prices::MILLISECOND.pico_dollars / 1_000),
        ]
    }

    fn dollars(&self) -> u64 {
        self.pico_dollars().iter().map(|(_, amount)| amount).sum()
    }
}

/// What orders cost, by function.
pub type Costs = BTreeMap<&'static str, Sum>;

/// All of it together.
#[must_use]
pub fn total(costs: &Costs) -> Sum {
    costs.values().fold(Sum::default(), |mut sum, it| {
        sum.plus(it);
        sum
    })
}

/// Adds invocations up by function. What a schedule only looked for is no
/// order's.
#[must_use]
pub fn summed(invoked: &[Invoked]) -> Costs {
    let known: BTreeMap<&str, Function> =
        functions().into_iter().map(|function| (function.name, function)).collect();
    let mut costs = Costs::new();
    for it in invoked {
        let Some(function) = known.get(it.function) else { continue };
        let reads = ["GetItem", "BatchGetItem", "Query", "GetSecretValue"];
        let acts = it.meter.calls.iter().any(|call| !reads.contains(&call.operation.as_str()));
        if acts || !matches!(function.trigger, Trigger::Schedule(_)) {
            costs.entry(it.function).or_default().add(function, it);
        }
    }
    costs
}

/// What complete orders of some members cost, after each had one.
///
/// # Errors
/// [`BenchError`].
pub async fn measured(members: usize) -> Result<Costs, BenchError> {
    let mut life = Life::begin().await?;
    let living = Living { members, first: 0 };
    life.live(living).await?;
    // A quarter later nobody has been asked too often.
    life.rest(100);
    drop(life.world.take_costs());
    life.live(living).await?;
    let costs = summed(&life.world.take_costs());
    life.check().await?;
    Ok(costs)
}

/// What `--cost` measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.trying("start a runtime")?;
    let title = format!("What a complete order costs, at prices of {}", prices::WHERE_AND_WHEN);
    let columns = [
        "orders_at_once",
        "function",
        "invocations",
        "round_trips",
        "write_units",
        "read_units",
        "api_calls",
        "sqs_requests",
        "lambda_ms",
        "usd_per_million",
    ];
    let mut table = Table::new("cost", title, &columns);
    for members in [1, AT_ONCE] {
        options.progress(format!("cost: {members} complete orders"));
        let costs = runtime.block_on(measured(members))?;
        show(&mut table, &costs, count(members));
    }
    for price in prices::ALL {
        let (whole, rest) = (price.pico_dollars / 1_000_000, price.pico_dollars % 1_000_000);
        table.note(format!("${whole}.{rest:06} a million: {}, {}", price.of, price.source));
    }
    table.note("What every operation costs, one by one: tests/budgets.txt.");
    Ok(table)
}

fn show(table: &mut Table, costs: &Costs, orders: u64) {
    let sum = total(costs);
    for (function, cost) in costs.iter().chain([(&"total", &sum)]) {
        let each = |amount: u64| Cell::Thousandths(amount * 1_000 / orders);
        table.row(vec![
            Cell::Count(orders),
            Cell::text(*function),
            each(cost.invocations),
            each(cost.round_trips),
            each(cost.writes),
            Cell::Thousandths(cost.read_halves * 500 / orders),
            each(cost.api),
            each(cost.queue),
            Cell::Thousandths(cost.microseconds / orders),
            Cell::Thousandths(cost.dollars() / 1_000 / orders),
        ]);
    }
    let kinds = sum.pico_dollars().map(|(of, pico)| {
        let cents = pico / 10_000 / orders;
        format!("{} ${}.{:02}", of, cents / 100, cents % 100)
    });
    table.note(format!("A million orders, {orders} at once: {}.", kinds.join(", ")));
}

/// A count of things in memory.
#[must_use]
pub fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
