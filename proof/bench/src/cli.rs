//! The options, and what follows from them.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use serde_json::{Map, Value};

use crate::{BenchError, Table, checkout, cost, gateway, growth, races, start, store, sustained};

const HELP: &str = "\
How fast the suite is, and what it costs.

Usage: cargo dev bench [OPTIONS]

  --checkout    orders from the button to \"paid\": per second, latency, CPU, memory
  --races       the last units wanted by many at once, one call sent many times
  --sustained   one process over 100,000 invocations: its memory
  --start       each binary from exec to its first answer; binary and zip sizes
  --cost        units, round trips and dollars of a complete order
  --growth      the same with 10 and 100 times the history; a hot SKU
Without any of these, all of them.

  --quick       a tenth of the work: to see that it runs, not to be quoted
  --store KIND  what a write waits for: `synced` (the disk has it, in a database
                file; the default), `logged` (the disk has it, in a log of requests
                beside tables in memory), `written` (the system has it: survives
                a crash of the process), `memory`
  --binaries F  the folder of the functions' binaries; the default builds them
  --plots F     a folder for the plots (SVG)
  --json        JSON instead of tables: rows by the name of the measurement";

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A tenth of the work.
    pub quick: bool,
    /// JSON instead of text; [`Table`] does both, so only progress is concerned.
    pub json: bool,
    /// The folder of the functions' binaries, if they are built already.
    pub binaries: Option<PathBuf>,
    /// Where plots are put, if they are wanted.
    pub plots: Option<PathBuf>,
    /// What a write of the store waits for.
    pub store: store::Durability,
}

impl Options {
    /// One of two numbers: the one of real measurements, or the quick one.
    #[must_use]
    pub const fn amount(&self, real: u64, quick: u64) -> u64 {
        if self.quick { quick } else { real }
    }

    /// Says how far it is, on standard error, where it disturbs no reader of figures.
    pub fn progress(&self, line: impl std::fmt::Display) {
        // Nobody reads: nothing to be told.
        let _unread: std::io::Result<()> = writeln!(std::io::stderr(), "{line}");
    }
}

type Measure = fn(&Options) -> Result<Table, BenchError>;

/// Every measurement by its option, in the order in which they run.
const MEASUREMENTS: [(&str, Measure); 6] = [
    ("checkout", checkout::run),
    ("races", races::run),
    ("sustained", sustained::run),
    ("start", start::run),
    ("cost", cost::run),
    ("growth", growth::run),
];

/// A part of the path that this program is when another one of it starts it.
enum Part {
    Store(store::Settings),
    Gateway(gateway::Settings),
}

enum Wanted {
    Help,
    Part(Part),
    Measurements(Vec<(&'static str, Measure)>, Options),
}

/// The program.
#[must_use]
pub fn main() -> ExitCode {
    match wanted(lexopt::Parser::from_env()).and_then(carry_out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last resort.
            let _unread: std::io::Result<()> = writeln!(std::io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wanted(mut parser: lexopt::Parser) -> Result<Wanted, BenchError> {
    use lexopt::prelude::{Long, Short, Value};
    let usage = |error: lexopt::Error| BenchError::Usage(error.to_string());
    let (mut chosen, mut options) = (Vec::new(), Options::default());
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Short('h') | Long("help") => return Ok(Wanted::Help),
            Long("quick") => options.quick = true,
            Long("json") => options.json = true,
            Long("store") => {
                let kind = parser.value().map_err(usage)?;
                options.store = kind.to_string_lossy().parse().map_err(BenchError::Usage)?;
            }
            Long("binaries") => options.binaries = Some(parser.value().map_err(usage)?.into()),
            Long("plots") => options.plots = Some(parser.value().map_err(usage)?.into()),
            Long(name) => match MEASUREMENTS.into_iter().find(|(known, _)| *known == name) {
                Some(measurement) => chosen.push(measurement),
                None => return Err(BenchError::Usage(format!("there is no option --{name}"))),
            },
            // Hidden: how a measurement starts the parts of its path.
            Value(part) if part == "store" => {
                let settings = parser.value().map_err(usage)?;
                return Ok(Wanted::Part(Part::Store(read(&settings.to_string_lossy())?)));
            }
            Value(part) if part == "gateway" => {
                let settings = parser.value().map_err(usage)?;
                return Ok(Wanted::Part(Part::Gateway(read(&settings.to_string_lossy())?)));
            }
            other => return Err(usage(other.unexpected())),
        }
    }
    if chosen.is_empty() {
        chosen = MEASUREMENTS.to_vec();
    }
    Ok(Wanted::Measurements(chosen, options))
}

fn read<T: serde::de::DeserializeOwned>(settings: &str) -> Result<T, BenchError> {
    serde_json::from_str(settings).map_err(|error| BenchError::Usage(error.to_string()))
}

fn carry_out(wanted: Wanted) -> Result<(), BenchError> {
    match wanted {
        Wanted::Help => show(HELP),
        Wanted::Part(Part::Store(settings)) => store::serve(&settings),
        Wanted::Part(Part::Gateway(settings)) => gateway::serve(&settings),
        Wanted::Measurements(chosen, options) => measure(&chosen, &options),
    }
}

fn measure(chosen: &[(&'static str, Measure)], options: &Options) -> Result<(), BenchError> {
    let mut all = Map::new();
    for (name, measurement) in chosen {
        let table = measurement(options)?;
        if options.json {
            all.insert((*name).to_owned(), table.json());
        } else {
            show(&table.text())?;
        }
    }
    match (options.json, all.len()) {
        (false, _) => Ok(()),
        // One measurement alone is its rows.
        (true, 1) => show(&all.values().map(Value::to_string).collect::<String>()),
        (true, _) => show(&Value::Object(all).to_string()),
    }
}

fn show(text: &str) -> Result<(), BenchError> {
    use crate::failure::Trying as _;
    writeln!(std::io::stdout(), "{text}").trying("write to standard output")
}
