//! `--checkout`: orders from the button to "paid", at 1, 4, 8 and 16 clients.
//!
//! A checkout is what a buyer's page and the payment provider send: the order,
//! the payment, the provider's signed report. It has ended when the order is
//! paid, which is when the function that folds the report has finished; only
//! then does its client begin the next one. In the end every order that was
//! answered is counted again in the tables, and so are the units of stock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use aftercart::model::order::{Order, OrderStatus};

use crate::{
    BenchError, Cell, Options, Table,
    failure::Trying as _,
    load::{Shop, Times, percentile},
    path::{Path, Used},
};

/// How many clients there are at a time. The first is the pace of one buyer,
/// the third what the targets are set for, the last as many as there are
/// processes of each function.
const CLIENTS: [usize; 4] = [1, 4, 8, 16];

/// The processes of each function: none has to wait for one.
const PROCESSES: usize = 16;

/// How many goods there are, and how many units of each at first.
const GOODS: u64 = 100;
const UNITS: u64 = 1_000_000;

/// What others did in the same measurement, on another machine of two cores:
/// complete checkouts per second, in thousandths.
const PEERS: [(&str, u64); 2] = [
    ("Vendure 3.7.3 (its best: mutations batched, 4 clients)", 20_500),
    ("Medusa 2.21.2 (two processes, 8 clients)", 4_700),
];

const COLUMNS: [&str; 13] = [
    "clients",
    "per_s",
    "p50_ms",
    "p99_ms",
    "answer_p50_ms",
    "answer_p99_ms",
    "cpu_ms",
    "store_cpu_ms",
    "gateway_cpu_ms",
    "load_cpu_ms",
    "rss_mib",
    "checkouts",
    "durable",
];

/// What one level of clients came to.
struct Level {
    clients: usize,
    took: Duration,
    times: Vec<Times>,
    before: Used,
    after: Used,
}

/// Measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.trying("start a runtime")?.block_on(measure(options))
}

async fn measure(options: &Options) -> Result<Table, BenchError> {
    let path = Path::open(options, PROCESSES).await?;
    let shop = Shop::at(&path).await?;
    let buyers = Buyers::new(&shop, GOODS, UNITS).await?;
    let lasts = Duration::from_secs(options.amount(15, 2));
    options.progress("Warming up.");
    let mut done = buyers.buy(8, lasts / 3).await?.len();
    let mut table =
        Table::new("checkout", "Complete checkouts: placed with exact stock, and paid", &COLUMNS);
    let mut best = 0;
    for clients in CLIENTS {
        let before = path.used()?;
        let begun = Instant::now();
        let times = buyers.buy(clients, lasts).await?;
        let level = Level { clients, took: begun.elapsed(), times, before, after: path.used()? };
        done += level.times.len();
        best = best.max(level.per_second());
        options.progress(format!("{clients} clients: {} checkouts", level.times.len()));
        table.row(level.cells(options));
    }
    check(&path, done, GOODS * UNITS).await?;
    notes(&mut table, options, best, done);
    for (name, cpu_ms) in path.used_by_function()? {
        let each = per(cpu_ms * 1_000, done);
        table.note(format!("{name}: {}.{:03} ms of CPU a checkout", each / 1_000, each % 1_000));
    }
    Ok(table)
}

/// Buyers who were never seen before, one a checkout.
pub struct Buyers {
    shop: Shop,
    skus: Arc<Vec<String>>,
    count: Arc<AtomicU64>,
}

impl Buyers {
    /// Buyers of so many goods, of which there are so many units each.
    ///
    /// # Errors
    /// When the goods are not put on sale.
    pub async fn new(shop: &Shop, goods: u64, units: u64) -> Result<Self, BenchError> {
        let skus: Vec<String> = (0..goods).map(|number| format!("GOOD-{number}")).collect();
        for sku in &skus {
            shop.stock(sku, units).await?;
        }
        Ok(Self { shop: shop.clone(), skus: Arc::new(skus), count: Arc::default() })
    }

    /// How many checkouts were begun.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// So many clients at a time do one checkout after another for so long.
    ///
    /// # Errors
    /// When one of them goes wrong.
    pub async fn buy(&self, clients: usize, lasts: Duration) -> Result<Vec<Times>, BenchError> {
        let until = Instant::now() + lasts;
        self.buy_while(clients, move |_| Instant::now() < until).await
    }

    /// The same, as long as this holds of how many were begun before.
    ///
    /// # Errors
    /// When one of them goes wrong.
    pub async fn buy_while(
        &self,
        clients: usize,
        goes_on: impl Fn(u64) -> bool + Clone + Send + 'static,
    ) -> Result<Vec<Times>, BenchError> {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..clients {
            let (shop, skus) = (self.shop.clone(), Arc::clone(&self.skus));
            let (count, goes_on) = (Arc::clone(&self.count), goes_on.clone());
            tasks.spawn(async move {
                let mut times = Vec::new();
                loop {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    if !goes_on(number) {
                        return Ok::<_, BenchError>(times);
                    }
                    let sku = fastrand::choice(skus.iter()).map_or("", String::as_str);
                    times.push(shop.checkout(&format!("buyer-{number}"), sku).await?);
                }
            });
        }
        let mut all = Vec::new();
        while let Some(times) = tasks.join_next().await {
            all.extend(times.trying("run a client")??);
        }
        Ok(all)
    }
}

impl Level {
    /// Checkouts per second, in thousandths.
    fn per_second(&self) -> u64 {
        let micros = u64::try_from(self.took.as_micros()).unwrap_or(u64::MAX).max(1);
        let count = u64::try_from(self.times.len()).unwrap_or(u64::MAX);
        count.saturating_mul(1_000_000_000) / micros
    }

    fn cells(&self, options: &Options) -> Vec<Cell> {
        let mut whole: Vec<Duration> = self.times.iter().map(|times| times.whole).collect();
        let mut answers: Vec<Duration> = self.times.iter().flat_map(|it| it.answers).collect();
        whole.sort_unstable();
        answers.sort_unstable();
        let count = self.times.len();
        let cpu = |used: fn(&Used) -> u64| {
            Cell::Thousandths(per((used(&self.after) - used(&self.before)) * 1_000, count))
        };
        vec![
            Cell::Count(u64::try_from(self.clients).unwrap_or_default()),
            Cell::Thousandths(self.per_second()),
            Cell::Thousandths(percentile(&whole, 500)),
            Cell::Thousandths(percentile(&whole, 990)),
            Cell::Thousandths(percentile(&answers, 500)),
            Cell::Thousandths(percentile(&answers, 990)),
            cpu(|used| used.functions_ms),
            cpu(|used| used.store_ms),
            cpu(|used| used.gateway_ms),
            cpu(|used| used.load_ms),
            Cell::Thousandths(self.after.peak_kib * 1_000 / 1_024),
            Cell::Count(u64::try_from(count).unwrap_or_default()),
            Cell::Yes(options.store.is_durable()),
        ]
    }
}

fn per(sum: u64, count: usize) -> u64 {
    sum / u64::try_from(count).unwrap_or(u64::MAX).max(1)
}

/// Every order that was told to be paid is paid, and no unit is missing or
/// left over.
async fn check(path: &Path, done: usize, units: u64) -> Result<(), BenchError> {
    let tables = path.tables()?;
    let orders = tables.all_orders().await.trying("read the orders")?;
    let paid = orders.iter().filter(|order| order.status == OrderStatus::Paid).count();
    if (paid, orders.len()) != (done, done) {
        let text = format!("{done} checkouts ended, {paid} of {} orders are paid", orders.len());
        return Err(BenchError::Wrong(text));
    }
    let stock = tables.all_stock().await.trying("read the stock")?;
    let left: i64 = stock.values().map(|stock| stock.available).sum();
    let sold: i64 = orders.iter().map(units_of).sum();
    if u64::try_from(left + sold) != Ok(units) {
        return Err(BenchError::Wrong(format!("{left} units are left and {sold} sold of {units}")));
    }
    Ok(())
}

/// How many units an order has.
#[must_use]
pub fn units_of(order: &Order) -> i64 {
    order.lines.iter().map(|line| i64::from(line.quantity)).sum()
}

fn notes(table: &mut Table, options: &Options, best: u64, done: usize) {
    table.note("p50_ms, p99_ms: from the first request until the order is paid. answer_*: one HTTP answer.");
    table.note("cpu_ms: of all functions' processes, per checkout; the store, the gateway and the clients beside it.");
    table.note(format!(
        "The store: {}. {PROCESSES} processes of each function.",
        options.store.told()
    ));
    table.note(format!("Counted again in the tables: {done} orders, each paid once; stock exact."));
    for (peer, per_second) in PEERS {
        let ratio = best * 10 / per_second;
        table.note(format!(
            "{}.{} times {peer}: {}.{}/s, measured with Postgres on another machine of 2 cores.",
            ratio / 10,
            ratio % 10,
            per_second / 1_000,
            per_second % 1_000 / 100,
        ));
    }
}
