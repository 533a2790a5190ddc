//! `--start`: each binary from exec to its first answer, beside a Lambda
//! Runtime API that has an event ready, as at every cold start; how large it is,
//! and how much memory it holds then.
//!
//! Two events are given, each to a process of its own: one that the function
//! answers without calling anybody, and the function's sample of `tests/events`,
//! for which it signs at least one call of AWS. That it does is looked up in the
//! suite in one process, where calls are counted.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use aftercart::run::{Function, Trigger};
use aftercart_infra::{functions, world::World};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

use crate::{
    BenchError, Cell, Options, Table,
    failure::{Trying as _, trouble},
    path::environment,
    process::Process,
    runtime_api::{Outcome, RuntimeApi},
    store,
};

/// How often each binary is started with each event. The 99th percentile is
/// the worst but one of so many.
const STARTS: u64 = 100;

/// The same with `--quick`.
const STARTS_QUICK: u64 = 5;

/// The level at which zips are usually packed: the best there is.
const ZIP_LEVEL: u32 = 9;

/// What an archive adds to the one file in it: headers and the directory.
const ZIP_FRAME: usize = 150;

/// The folder of the samples.
const EVENTS: &str = "tests/events";

/// One start of a process.
struct Start {
    polled: Duration,
    answered: Duration,
    rss_kib: u64,
}

/// What `--start` measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let folder = built(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.trying("start a runtime")?.block_on(all(options, &folder))
}

async fn all(options: &Options, folder: &Path) -> Result<Table, BenchError> {
    let times = options.amount(STARTS, STARTS_QUICK);
    let title = format!("Each function from exec to its first answer, {times} starts each");
    let columns = [
        "function",
        "binary_kib",
        "zip_kib",
        "poll_p50_ms",
        "poll_p99_ms",
        "bare_p50_ms",
        "bare_p99_ms",
        "calls",
        "answer_p50_ms",
        "answer_p99_ms",
        "rss_mib",
    ];
    let mut table = Table::new("start", title, &columns);
    let scratch = std::env::temp_dir().join(format!("aftercart-start-{}", std::process::id()));
    let settings = store::Settings { folder: scratch.clone(), durability: options.store };
    let (_store, told) = Process::part("store", &settings)?;
    let bench =
        Bench { folder, log: scratch.join("start.log"), aws: store::address(&told)?, times };
    let world = World::new(&functions(), aftercart_infra::world::Options::default()).await;
    let world = world.trying("bring up the suite in one process")?;
    for function in functions() {
        let sample = sample(function.name)?;
        let calls = calls(&world, function.name, &sample).await?;
        let row = bench.row(&function, &sample, calls).await?;
        options.progress(format!("start: {}", function.name));
        table.row(row);
    }
    // What is left of it is in the system's folder for such things.
    let _left: std::io::Result<()> = fs::remove_dir_all(&scratch);
    table.note("poll: from exec to the first question for an event, connections open by then.");
    table.note("bare: to an answer without a call. answer: to one with the calls of the sample.");
    table.note(
        "calls: those of the sample, each signed, in the order in which they are waited for.",
    );
    Ok(table)
}

/// How many calls the sample leads to.
async fn calls(world: &World, name: &str, sample: &Value) -> Result<u64, BenchError> {
    let what = || format!("give {name} its sample");
    world.invoke(name, sample).await.trying(what())?;
    let meter = world.port(name).trying(what())?.meter();
    match u64::try_from(meter.calls.len()) {
        Ok(calls) if calls > 0 => Ok(calls),
        _ => Err(trouble(what(), "it calls nobody, so there is nothing to measure")),
    }
}

struct Bench<'a> {
    folder: &'a Path,
    log: PathBuf,
    aws: SocketAddr,
    times: u64,
}

impl Bench<'_> {
    async fn row(
        &self,
        function: &Function,
        sample: &Value,
        calls: u64,
    ) -> Result<Vec<Cell>, BenchError> {
        let binary = fs::read(self.binary(function)).trying("read a binary")?;
        let called = self.starts(function, &sample.to_string()).await?;
        let bare = match bare(function.trigger) {
            Some(event) => Some(self.starts(function, event).await?),
            None => None,
        };
        let (p50, p99) = percentiles(&called, |start| start.answered);
        let none = (Cell::Nothing, Cell::Nothing);
        let (bare_p50, bare_p99) =
            bare.map_or(none, |starts| percentiles(&starts, |start| start.answered));
        let (polled_p50, polled_p99) = percentiles(&called, |start| start.polled);
        let rss = called.iter().map(|start| start.rss_kib).max().unwrap_or(0);
        Ok(vec![
            Cell::text(function.name),
            kibibytes(binary.len()),
            kibibytes(zipped(&binary)?),
            polled_p50,
            polled_p99,
            bare_p50,
            bare_p99,
            Cell::Count(calls),
            p50,
            p99,
            Cell::Thousandths(rss * 1_000 / 1_024),
        ])
    }

    fn binary(&self, function: &Function) -> PathBuf {
        self.folder.join(function.name)
    }

    async fn starts(&self, function: &Function, event: &str) -> Result<Vec<Start>, BenchError> {
        let mut starts = Vec::new();
        for _ in 0..self.times {
            starts.push(self.start(function, event).await?);
        }
        Ok(starts)
    }

    /// Starts the binary beside an API in which an event waits.
    async fn start(&self, function: &Function, event: &str) -> Result<Start, BenchError> {
        let api = RuntimeApi::open(function.name).await?;
        let environment: BTreeMap<String, String> = environment(function, api.address(), self.aws);
        let asking = tokio::spawn({
            let (api, event) = (api.clone(), event.to_owned());
            async move { api.invoke(event).await.map(|outcome| (Instant::now(), outcome)) }
        });
        tokio::task::yield_now().await;
        let began = Instant::now();
        let process = Process::binary(&self.binary(function), &environment, &self.log)?;
        let polled = api.polled(1).await?;
        let asked = asking.await.trying("wait for an answer")?;
        let (answered, outcome) = asked?;
        if let Outcome::Failed(why) = outcome {
            let why = String::from_utf8_lossy(&why).into_owned();
            return Err(trouble(format!("start {}", function.name), why));
        }
        let rss_kib = process.usage()?.peak_kib;
        Ok(Start {
            polled: polled.saturating_duration_since(began),
            answered: answered.saturating_duration_since(began),
            rss_kib,
        })
    }
}

/// An event that a function answers without calling anybody. A schedule has
/// none: it always looks what is due.
const fn bare(trigger: Trigger) -> Option<&'static str> {
    match trigger {
        Trigger::Http(_) => Some("{}"),
        Trigger::Queue(_) | Trigger::Stream(_) => Some(r#"{"Records":[]}"#),
        Trigger::Schedule(_) => None,
    }
}

fn sample(name: &str) -> Result<Value, BenchError> {
    let file = root().join(EVENTS).join(format!("{name}.json"));
    let text = fs::read_to_string(&file).trying(format!("read {}", file.display()))?;
    serde_json::from_str(&text).trying(format!("read {}", file.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder of all binaries: the one that was named, or the one of those
/// that this builds with the profile that is deployed.
fn built(options: &Options) -> Result<PathBuf, BenchError> {
    if let Some(folder) = &options.binaries {
        return Ok(folder.clone());
    }
    options.progress("Building every function as it is deployed; the first time takes a while.");
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = Command::new(program);
    // The workspace's default members are the functions.
    cargo.current_dir(root()).args(["build", "--release", "--quiet", "--bins"]);
    if !cargo.status().trying("run cargo")?.success() {
        return Err(trouble("build the functions", "cargo failed"));
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    Ok(target.join("release"))
}

/// The size of the archive that Lambda is given.
fn zipped(binary: &[u8]) -> Result<usize, BenchError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(ZIP_LEVEL));
    let packed = encoder.write_all(binary).and_then(|()| encoder.finish());
    packed.map(|packed| packed.len() + ZIP_FRAME).trying("pack a binary")
}

fn kibibytes(bytes: usize) -> Cell {
    Cell::Count(u64::try_from(bytes.div_ceil(1_024)).unwrap_or(u64::MAX))
}

/// The middle one, and the one that a hundredth of them exceeds.
fn percentiles(starts: &[Start], of: impl Fn(&Start) -> Duration) -> (Cell, Cell) {
    let mut times: Vec<Duration> = starts.iter().map(of).collect();
    times.sort_unstable();
    let at = |per_cent: usize| {
        let place = (times.len() * per_cent).div_ceil(100).saturating_sub(1);
        let micros = times.get(place).map_or(0, Duration::as_micros);
        Cell::Thousandths(u64::try_from(micros).unwrap_or(u64::MAX))
    };
    (at(50), at(99))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_99th_of_a_hundred_is_the_worst_but_one() {
        let start =
            |ms| Start { polled: Duration::ZERO, answered: Duration::from_millis(ms), rss_kib: 0 };
        let starts: Vec<Start> = (1..=100).rev().map(start).collect();
        let (p50, p99) = percentiles(&starts, |start| start.answered);
        assert_eq!((p50, p99), (Cell::Thousandths(50_000), Cell::Thousandths(99_000)));
    }

    #[test]
    fn every_function_has_a_sample() {
        for function in functions() {
            assert!(sample(function.name).is_ok(), "{}", function.name);
        }
    }
}
