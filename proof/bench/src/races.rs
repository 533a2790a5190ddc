//! `--races`: many who want the same at the same moment.
//!
//! A round has three races. Forty buyers order one of the last five units, all
//! at once. Then one buyer's call for an order is sent twenty times at once,
//! and then the provider's report that it is paid. Nothing may be sold that is
//! not there, nothing may exist twice, nothing that was confirmed may be
//! missing, and no unit may be left over while somebody was refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aftercart::model::order::{Order, OrderStatus};
use tokio::task::JoinSet;

use crate::{
    BenchError, Cell, Options, Table,
    checkout::units_of,
    failure::{Trying as _, trouble},
    load::{Shop, callback, expect, text, total},
    path::Path,
};

/// How many want one of how many units.
const BUYERS: usize = 40;
const UNITS: u64 = 5;

/// How often one call is sent.
const TIMES: usize = 20;

/// How many processes each function has.
const PROCESSES: [usize; 3] = [1, 2, 8];

/// How long a payment may take to be applied.
const PATIENCE: Duration = Duration::from_secs(30);

const COLUMNS: [&str; 7] =
    ["processes", "rounds", "calls", "oversold", "doubled", "lost", "durable"];

/// What went wrong, and how much was done.
#[derive(Debug, Default)]
struct Tally {
    calls: u64,
    oversold: u64,
    doubled: u64,
    lost: u64,
}

/// What the calls of one round were answered.
struct Round {
    number: u64,
    /// The orders of those who got one of the last units.
    last_units: Vec<String>,
    /// The orders that one call made, which ought to be one.
    repeated: BTreeSet<String>,
}

/// Measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.trying("start a runtime")?;
    let title = format!(
        "Races: {UNITS} units left and {BUYERS} buyers; one order sent {TIMES} times; its payment reported {TIMES} times"
    );
    let mut table = Table::new("races", title, &COLUMNS);
    let rounds = options.amount(1_000, 20);
    for processes in PROCESSES {
        let tally = runtime.block_on(races(options, processes, rounds))?;
        options.progress(format!("{processes} processes of each function: {tally:?}"));
        table.row(vec![
            Cell::Count(u64::try_from(processes).unwrap_or_default()),
            Cell::Count(rounds),
            Cell::Count(tally.calls),
            Cell::Count(tally.oversold),
            Cell::Count(tally.doubled),
            Cell::Count(tally.lost),
            Cell::Yes(options.store.is_durable()),
        ]);
    }
    table.note("oversold: units confirmed that were not there. doubled: orders or payments made twice by one call.");
    table.note("lost: confirmed and not in the tables, not paid, or units left over while somebody was refused.");
    Ok(table)
}

async fn races(options: &Options, processes: usize, rounds: u64) -> Result<Tally, BenchError> {
    let path = Path::open(options, processes).await?;
    let shop = Shop::at(&path).await?;
    let mut tally = Tally::default();
    let mut played = Vec::new();
    for number in 0..rounds {
        played.push(round(&shop, number, &mut tally).await?);
    }
    let orders = path.tables()?.all_orders().await.trying("read the orders")?;
    let stock = path.tables()?.all_stock().await.trying("read the stock")?;
    let mut by_sku: BTreeMap<String, Vec<&Order>> = BTreeMap::new();
    for order in &orders {
        for line in &order.lines {
            by_sku.entry(line.sku.to_string()).or_default().push(order);
        }
    }
    let mut left: BTreeMap<String, i64> = BTreeMap::new();
    for ((sku, ..), stock) in &stock {
        *left.entry(sku.to_string()).or_default() += stock.available;
    }
    for round in &played {
        judge(round, &by_sku, &left, &mut tally);
    }
    Ok(tally)
}

fn scarce(round: u64) -> String {
    format!("LAST-{round}")
}

fn plenty(round: u64) -> String {
    format!("PLENTY-{round}")
}

async fn round(shop: &Shop, number: u64, tally: &mut Tally) -> Result<Round, BenchError> {
    shop.stock(&scarce(number), UNITS).await?;
    shop.stock(&plenty(number), UNITS).await?;
    let buyers = (0..BUYERS).map(|buyer| (format!("r{number}-b{buyer}"), scarce(number)));
    let last_units = at_once(shop, buyers).await?;
    tally.calls += u64::try_from(BUYERS + 2 * TIMES + 1).unwrap_or_default();
    let one = (0..TIMES).map(|_| (format!("r{number}-twice"), plenty(number)));
    let answers = at_once(shop, one).await?;
    let mut repeated = BTreeSet::new();
    let mut amount = 0;
    for answer in answers.iter().flatten() {
        repeated.insert(text(answer, "id")?);
        amount = total(answer)?;
    }
    let order = repeated.first().ok_or_else(|| trouble("order", "no call was taken"))?;
    let payment = shop.start(&format!("r{number}-twice"), order).await?;
    report(shop, &payment, amount).await?;
    let taken = last_units.iter().flatten().map(|answer| text(answer, "id"));
    Ok(Round { number, last_units: taken.collect::<Result<_, _>>()?, repeated })
}

/// Sends orders, all at once: the answer to each, nothing of one that was
/// refused for want of stock.
async fn at_once(
    shop: &Shop,
    orders: impl Iterator<Item = (String, String)>,
) -> Result<Vec<Option<serde_json::Value>>, BenchError> {
    let mut calls = JoinSet::new();
    for (buyer, sku) in orders {
        let shop = shop.clone();
        calls.spawn(async move {
            let mut answer = shop.order(&buyer, &sku).await?;
            // "Come again in a moment": what a client does, with the same key.
            while answer.status() == 503 {
                tokio::time::sleep(Duration::from_millis(fastrand::u64(5..50))).await;
                answer = shop.order(&buyer, &sku).await?;
            }
            match answer.status().as_u16() {
                409 => Ok(None),
                200 => expect(&answer, 200).map(Some),
                _ => expect(&answer, 201).map(Some),
            }
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = calls.join_next().await {
        answers.push(answer.trying("run a client")??);
    }
    Ok(answers)
}

/// The provider reports the same many times at once.
async fn report(shop: &Shop, payment: &str, amount: i64) -> Result<(), BenchError> {
    let callback = callback(payment, amount)?;
    let applied = shop.applied(payment);
    let mut calls = JoinSet::new();
    for _ in 0..TIMES {
        let (shop, callback) = (shop.clone(), callback.clone());
        calls.spawn(async move { shop.report(&callback).await });
    }
    while let Some(taken) = calls.join_next().await {
        taken.trying("run a client")??;
    }
    let applied = tokio::time::timeout(PATIENCE, applied).await;
    applied.trying("wait until an order is paid")?.trying("hear of the gateway").map(drop)
}

/// Compares what was answered with what is in the tables.
fn judge(
    round: &Round,
    by_sku: &BTreeMap<String, Vec<&Order>>,
    left: &BTreeMap<String, i64>,
    tally: &mut Tally,
) {
    let (scarce, plenty) = (scarce(round.number), plenty(round.number));
    let none = Vec::new();
    let of = |sku: &String| by_sku.get(sku).unwrap_or(&none);
    let left = |sku: &String| left.get(sku).copied().unwrap_or_default();
    let units = i64::try_from(UNITS).unwrap_or(i64::MAX);

    let sold: i64 = of(&scarce).iter().map(|order| units_of(order)).sum();
    let confirmed = round.last_units.len();
    let stored: BTreeSet<String> = of(&scarce).iter().map(|order| order.id.to_string()).collect();
    let told: BTreeSet<String> = round.last_units.iter().cloned().collect();
    tally.oversold += above(sold.max(i64::try_from(confirmed).unwrap_or(i64::MAX)), units);
    tally.oversold += above(-left(&scarce), 0);
    tally.doubled += count(confirmed.saturating_sub(told.len()));
    tally.lost += count(told.difference(&stored).count());
    // Units that nobody has, though somebody was refused.
    tally.lost += above(units - sold, 0)
        + above(sold + left(&scarce), units)
        + above(units, sold + left(&scarce));

    let twice = of(&plenty);
    tally.doubled += count(twice.len().max(round.repeated.len()).saturating_sub(1));
    tally.doubled +=
        twice.iter().map(|order| count(order.payments.len().saturating_sub(1))).sum::<u64>();
    tally.lost += count(1_usize.saturating_sub(twice.len()));
    let unpaid = |order: &&&Order| order.status != OrderStatus::Paid;
    tally.lost += count(twice.iter().filter(unpaid).count());
    tally.lost += above(units, 1 + left(&plenty)) + above(1 + left(&plenty), units);
}

fn above(value: i64, limit: i64) -> u64 {
    u64::try_from(value.saturating_sub(limit)).unwrap_or(0)
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
