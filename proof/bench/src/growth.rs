//! `--growth`: whether what went before makes an order dearer.
//!
//! A member buys once more, after 1, 10 and 100 orders that were delivered, each
//! of which left its lots and entries; the catalogue and everything that the
//! tables hold grow along. What that order costs from the button to the answered
//! survey is compared: within a tenth it is the same. See [`history`].
//!
//! A product that everybody wants in the same seconds is spread over parts. See
//! [`hot`].

pub mod history;
pub mod hot;

use crate::{BenchError, Cell, Options, Table, failure::Trying as _};

/// How many times the history of the first row each row has.
const TIMES: [u64; 3] = [1, 10, 100];

/// By how much an order may be dearer with a history: a tenth.
const FLAT_PER_MILLE: u64 = 100;

/// What `--growth` measures.
///
/// # Errors
/// [`BenchError`]; [`BenchError::Wrong`] when an order costs more with more
/// history, or something was sold that was not there.
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let title = "What an order costs after 1, 10 and 100 times the history, and a hot product";
    let columns = [
        "case",
        "times",
        "write_units",
        "read_units",
        "round_trips",
        "usd_per_million",
        "place_ms",
        "accepted_per_s",
        "sold",
        "oversold",
        "throttled",
        "p99_ms",
    ];
    let mut table = Table::new("growth", title, &columns);
    let mut first = None;
    for times in TIMES {
        options.progress(format!("growth: a history of {times}"));
        let grown = runtime(false)?.block_on(history::measured(times))?;
        let first = *first.get_or_insert(grown);
        let most = |amount: u64| amount + amount * FLAT_PER_MILLE / 1_000;
        for (what, before, now) in [
            ("write units", first.writes, grown.writes),
            ("round trips", first.round_trips, grown.round_trips),
            ("dollars", first.pico_dollars, grown.pico_dollars),
        ] {
            if now > most(before) {
                let text =
                    format!("{what} grow with the history: {before}, at {times} times {now}");
                return Err(BenchError::Wrong(text));
            }
        }
        table.row(vec![
            Cell::text("history, catalogue, lots"),
            Cell::Count(times),
            Cell::Count(grown.writes),
            Cell::Thousandths(grown.read_halves * 500),
            Cell::Count(grown.round_trips),
            Cell::Thousandths(grown.pico_dollars / 1_000),
            Cell::Thousandths(grown.place_us),
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
        ]);
    }
    for parts in [1, hot::PARTS] {
        options.progress(format!("growth: a hot product in {parts} parts"));
        let rush = hot::Rush::of(parts, options.amount(1, 4));
        let sold = runtime(true)?.block_on(hot::measured(rush))?;
        table.row(vec![
            Cell::text(format!("hot product in {parts} parts")),
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Nothing,
            Cell::Count(sold.per_second),
            Cell::Count(sold.sold),
            Cell::Count(sold.oversold),
            Cell::Count(sold.throttled),
            Cell::Count(sold.p99_ms),
        ]);
    }
    table.note(format!(
        "Hot: {} buyers a second, each partition key of a table or index takes {} write units a second; virtual time.",
        hot::OFFERED, hot::LIMIT,
    ));
    Ok(table)
}

fn runtime(paused: bool) -> Result<tokio::runtime::Runtime, BenchError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(paused).build();
    runtime.trying("start a runtime")
}
