//! `--sustained`: one process of each function over 100,000 checkouts, and the
//! memory that it holds.
//!
//! A function's process on Lambda lives for hours. One that kept a little of
//! each invocation would grow until Lambda ended it.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    BenchError, Cell, Options, Table,
    checkout::Buyers,
    failure::Trying as _,
    load::Shop,
    path::{CHECKOUT, Path},
    plot,
};

/// How many clients keep the processes busy. One process has one invocation at
/// a time; more clients than this would only wait.
const CLIENTS: usize = 4;

/// How many rows the table has; all samples are in the plot.
const ROWS: usize = 20;

/// The memory of each function's process at a moment.
#[derive(Debug, Clone)]
struct Sample {
    second: u64,
    checkouts: u64,
    /// In the order of [`CHECKOUT`], in kibibytes.
    rss_kib: Vec<u64>,
}

/// Measures.
///
/// # Errors
/// [`BenchError`].
pub fn run(options: &Options) -> Result<Table, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let samples = runtime.trying("start a runtime")?.block_on(measure(options))?;
    let mut columns = vec!["second", "checkouts"];
    columns.extend(CHECKOUT);
    let title = "Memory of one process of each function, in MiB";
    let mut table = Table::new("sustained", title, &columns);
    let every = samples.len().div_ceil(ROWS).max(1);
    let last = samples.len().saturating_sub(1);
    for (at, sample) in samples.iter().enumerate() {
        if at % every == 0 || at == last {
            table.row(sample.cells());
        }
    }
    note_growth(&mut table, &samples);
    if let Some(folder) = &options.plots {
        let path = folder.join("sustained.svg");
        fs::create_dir_all(folder).trying("make the folder of the plots")?;
        fs::write(&path, picture(&samples)).trying(format!("write {}", path.display()))?;
    }
    Ok(table)
}

async fn measure(options: &Options) -> Result<Vec<Sample>, BenchError> {
    let path = Path::open(options, 1).await?;
    let shop = Shop::at(&path).await?;
    let buyers = Buyers::new(&shop, 100, 1_000_000).await?;
    let count = options.amount(100_000, 2_000);
    let ended = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let bought = async {
        let times = buyers.buy_while(CLIENTS, move |number| number < count).await;
        ended.store(true, Ordering::Relaxed);
        times
    };
    let watched = async {
        let mut samples = Vec::new();
        while !ended.load(Ordering::Relaxed) {
            let sample = sample(&path, begun.elapsed().as_secs(), buyers.begun())?;
            options.progress(sample.line());
            samples.push(sample);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        samples.push(sample(&path, begun.elapsed().as_secs(), count)?);
        Ok::<_, BenchError>(samples)
    };
    let (bought, samples) = tokio::join!(bought, watched);
    bought?;
    samples
}

fn sample(path: &Path, second: u64, checkouts: u64) -> Result<Sample, BenchError> {
    let mut rss_kib = Vec::new();
    for (_, processes) in &path.functions {
        for process in processes {
            rss_kib.push(process.usage()?.rss_kib);
        }
    }
    Ok(Sample { second, checkouts, rss_kib })
}

impl Sample {
    fn cells(&self) -> Vec<Cell> {
        let memory = self.rss_kib.iter().map(|kib| Cell::Thousandths(kib * 1_000 / 1_024));
        [Cell::Count(self.second), Cell::Count(self.checkouts)].into_iter().chain(memory).collect()
    }

    fn line(&self) -> String {
        let mib: Vec<String> = self
            .rss_kib
            .iter()
            .map(|kib| format!("{}.{}", kib / 1_024, kib % 1_024 * 10 / 1_024))
            .collect();
        format!("{:>4} s  {:>7} checkouts  {} MiB", self.second, self.checkouts, mib.join(" "))
    }
}

/// Says what was gained between a tenth of the run and its end.
fn note_growth(table: &mut Table, samples: &[Sample]) {
    let (Some(early), Some(late)) = (samples.get(samples.len() / 10), samples.last()) else {
        return;
    };
    for (at, name) in CHECKOUT.iter().enumerate() {
        let of = |sample: &Sample| sample.rss_kib.get(at).copied().unwrap_or_default();
        let (from, to) = (of(early), of(late));
        table.note(format!(
            "{name}: {from} KiB after {} checkouts, {to} KiB after {}.",
            early.checkouts, late.checkouts
        ));
    }
}

fn picture(samples: &[Sample]) -> String {
    let lines = CHECKOUT.iter().enumerate().map(|(at, name)| plot::Line {
        name: (*name).to_owned(),
        points: samples
            .iter()
            .map(|sample| (sample.checkouts, sample.rss_kib.get(at).copied().unwrap_or_default()))
            .collect(),
    });
    plot::Plot {
        title: "Memory of one process of each function",
        across: "checkouts",
        up: "MiB",
        up_unit: 1_024,
        lines: lines.collect(),
    }
    .svg()
}
