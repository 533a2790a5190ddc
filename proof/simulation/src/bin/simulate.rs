//! `cargo dev simulate`.

use std::{
    io::{self, Write as _},
    ops::Range,
    process::ExitCode,
    thread,
    time::Instant,
};

use aftercart_infra::world::Mutant;
use aftercart_simulation::{
    Outcome, Plan, Progress, SimulationError, Summary, many, run, table, try_mutants,
};
use indicatif::{ProgressBar, ProgressStyle};
use lexopt::{Arg, Parser, ValueExt as _};
use serde_json::{Value, json};

const HELP: &str = "\
The whole suite in a storm, in virtual time.

Usage: cargo dev simulate [options]

  --seed N        What chance begins with, 1 unless given.
  --hours H       For how many hours of virtual time people act, 24 unless given.
  --people P      How many people there are, 40 unless given.
  --seeds A..B    Many short runs instead, of the seeds from A to below B.
  --jobs J        How many run side by side, as many as there are cores unless given.
  --mutant NAME   Breaks the suite on purpose, in this way.
  --mutants       Tries every such way until a short run notices it, and prints a table.
  --most N        With how many seeds each is tried, 400 unless given.
  --short         One short run of the seed, as --seeds runs it.
  --trace         Writes all that happens to stderr.
  --json          Prints what came of it as JSON.
";

/// What is asked for.
#[derive(Debug)]
struct Options {
    plan: Plan,
    short: bool,
    seeds: Option<Range<u64>>,
    jobs: usize,
    mutants: bool,
    most: u64,
    json: bool,
    help: bool,
}

/// Why it ends badly.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}; `--help` has the options")]
    Usage(String),
    #[error(transparent)]
    Options(#[from] lexopt::Error),
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    #[error("nobody reads what is printed")]
    Unread(#[from] io::Error),
}

fn main() -> ExitCode {
    match options().and_then(|options| work(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            // Nobody is told when that fails too.
            writeln!(io::stderr().lock(), "{failure}").ok();
            ExitCode::FAILURE
        }
    }
}

fn options() -> Result<Options, Failure> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let plan = Plan { seed: 1, hours: 24, people: 40, mutant: None, shown: false };
    let mut options = Options {
        plan,
        short: false,
        seeds: None,
        jobs: cores,
        mutants: false,
        most: 400,
        json: false,
        help: false,
    };
    let mut parser = Parser::from_env();
    while let Some(option) = parser.next()? {
        match option {
            Arg::Long("seed") => options.plan.seed = parser.value()?.parse()?,
            Arg::Long("hours") => options.plan.hours = parser.value()?.parse()?,
            Arg::Long("people") => options.plan.people = parser.value()?.parse()?,
            Arg::Long("seeds") => options.seeds = Some(range(&parser.value()?.string()?)?),
            Arg::Long("jobs") => options.jobs = parser.value()?.parse()?,
            Arg::Long("mutant") => {
                options.plan.mutant = Some(mutant(&parser.value()?.string()?)?);
            }
            Arg::Long("mutants") => options.mutants = true,
            Arg::Long("most") => options.most = parser.value()?.parse()?,
            Arg::Long("short") => options.short = true,
            Arg::Long("trace") => options.plan.shown = true,
            Arg::Long("json") => options.json = true,
            Arg::Long("help") | Arg::Short('h') => options.help = true,
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(options)
}

fn range(text: &str) -> Result<Range<u64>, Failure> {
    let wrong = || Failure::Usage(format!("`{text}` is no range of seeds such as 0..1000"));
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    Ok(from.parse().map_err(|_| wrong())?..to.parse().map_err(|_| wrong())?)
}

fn mutant(name: &str) -> Result<&'static Mutant, Failure> {
    let found = Mutant::all().iter().find(|it| it.name == name);
    found.ok_or_else(|| Failure::Usage(format!("there is no mutant {name}")))
}

/// Does what is asked for; whether all went well.
fn work(options: &Options) -> Result<bool, Failure> {
    if options.help {
        print(HELP)?;
        return Ok(true);
    }
    if options.mutants {
        return mutants(options);
    }
    match &options.seeds {
        Some(seeds) => storm(options, seeds.clone()),
        None => one(options),
    }
}

fn one(options: &Options) -> Result<bool, Failure> {
    let Plan { seed, shown, mutant, .. } = options.plan;
    let plan = match options.short {
        true => Plan { shown, mutant, ..Plan::short(seed) },
        false => options.plan,
    };
    let bar = bar(u64::from(plan.hours) * 60, "{bar:30} {pos}/{len} minutes, {elapsed} {msg}");
    let outcome = run(&plan, &mut |progress| {
        let Progress { minutes, orders, errands } = progress;
        bar.set_position(u64::from(minutes));
        bar.set_message(format!("{orders} orders, {errands} errands"));
    })?;
    bar.finish_and_clear();
    if options.json {
        print(format!("{:#}\n", as_json(&outcome)))?;
    } else {
        let Outcome { seed, digest, errands, orders, .. } = &outcome;
        print(format!("seed {seed}: {orders} orders, {errands} errands, trace {digest:016x}\n"))?;
        if plan.shown {
            answers(outcome.answers.iter().map(|(key, times)| (*key, u64::from(*times))))?;
        }
        complain(&plan, options.short, &outcome)?;
    }
    Ok(outcome.broken.is_none())
}

/// What does not hold, and how it is seen again.
fn complain(plan: &Plan, short: bool, outcome: &Outcome) -> Result<(), Failure> {
    let Some(broken) = &outcome.broken else { return Ok(()) };
    let mut again = format!("cargo dev simulate --seed {}", outcome.seed);
    match short {
        true => again.push_str(" --short"),
        false => again.push_str(&format!(" --hours {} --people {}", plan.hours, plan.people)),
    }
    if let Some(mutant) = plan.mutant {
        again.push_str(&format!(" --mutant {}", mutant.name));
    }
    print(format!("seed {}: {broken}\n  see it again: {again}\n", outcome.seed))
}

fn storm(options: &Options, seeds: Range<u64>) -> Result<bool, Failure> {
    let count = seeds.end.saturating_sub(seeds.start);
    let bar = bar(count, "{bar:30} {pos}/{len} seeds, {elapsed}, {eta} left {msg}");
    let begun = Instant::now();
    let mutant = options.plan.mutant;
    let summary = many(
        seeds.clone(),
        options.jobs,
        |seed| Plan { mutant, ..Plan::short(seed) },
        |so_far| {
            bar.set_position(so_far.runs);
            bar.set_message(format!("{} broken", so_far.broken.len()));
        },
    )?;
    bar.finish_and_clear();
    let Summary { runs, errands, orders, digest, broken, .. } = &summary;
    if options.json {
        let broken: Vec<Value> = broken.iter().map(as_json).collect();
        let seconds = begun.elapsed().as_secs();
        print(format!(
            "{:#}\n",
            json!({ "seeds": runs, "errands": errands, "orders": orders, "seconds": seconds,
                    "trace": format!("{digest:016x}"), "broken": broken })
        ))?;
    } else {
        let seconds = begun.elapsed().as_secs();
        print(format!(
            "{runs} seeds in {seconds} s: {orders} orders, {errands} errands, {} broken, trace {digest:016x}\n",
            broken.len()
        ))?;
        if options.plan.shown {
            answers(summary.answers.iter().map(|(key, times)| (*key, *times)))?;
        }
        for outcome in broken {
            complain(&Plan { mutant, ..Plan::short(outcome.seed) }, true, outcome)?;
        }
    }
    Ok(broken.is_empty())
}

fn answers(answers: impl Iterator<Item = ((&'static str, u16), u64)>) -> Result<(), Failure> {
    for ((name, status), times) in answers {
        print(format!("  {name:<16}{status:>5}{times:>10}\n"))?;
    }
    Ok(())
}

fn mutants(options: &Options) -> Result<bool, Failure> {
    let count = u64::try_from(Mutant::all().len()).unwrap_or_default();
    let bar = bar(count, "{bar:30} {pos}/{len} mutants, {elapsed} {msg}");
    let trials = try_mutants(options.jobs, options.most, |trial| {
        bar.inc(1);
        bar.set_message(trial.mutant.name);
    })?;
    bar.finish_and_clear();
    print(table(&trials))?;
    Ok(trials.iter().all(|it| it.caught.is_some()))
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

fn as_json(outcome: &Outcome) -> Value {
    let Outcome { seed, digest, errands, orders, broken, .. } = outcome;
    json!({ "seed": seed, "trace": format!("{digest:016x}"), "errands": errands,
            "orders": orders, "broken": broken })
}

fn print(text: impl AsRef<str>) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref().as_bytes())?;
    Ok(out.flush()?)
}
