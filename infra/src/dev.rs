//! `cargo dev`: the whole suite on one machine.
//!
//! It deploys the real template with the real binaries to an AWS emulator on
//! 127.0.0.1, keeps everything that it makes in the ignored folder
//! `.aftercart`, and leaves no process behind. Each verb is a function that
//! ends in a failure with a remedy, or well.

mod api_check;
mod binaries;
mod carrier;
mod catalogue;
mod check;
mod child;
mod demo;
mod emulator;
mod failure;
mod fire;
mod fuzz;
mod hooks;
mod http;
mod lambda;
mod logs;
mod outbox;
mod page;
mod page_check;
mod place;
mod policy;
mod promises;
mod proof;
mod running;
mod security_check;
mod show;
mod stack;
mod tools;
mod up;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::ExitCode,
};

use lexopt::{Arg, Parser, ValueExt};

use self::{
    child::Stop,
    failure::Failure,
    place::Place,
    proof::Proof,
    running::Running,
    show::{bold, red},
    up::Wanted,
};
use crate::{
    polling,
    replay::{Options, ReplayError},
    years,
};

const HELP: &str = "\
Aftercart on this machine: the real template and the real functions, on an AWS
emulator that listens on 127.0.0.1. It needs Rust, a C compiler and Python 3.10
or later; it installs its tools into .aftercart and nothing anywhere else.

Usage: cargo dev <verb> [options]

To see it
  demo                   A day of the shop: one order followed from the basket to
                         the survey, and what may go wrong beside it. Uses the
                         stack that is up, or brings one up and takes it down.
       --stay            Leaves its own stack open until Ctrl-C, to look around.
  up                     Brings the stack up and holds it until Ctrl-C.
       --port N          The emulator's port, 4566 unless given (also of `demo`); the
                         outbox is at N + 20.
       --fresh           Forgets what the stack held the last time.
       --detach          Leaves it running in the background.
  down                   Closes the stack that is up.
  status                 Says whether a stack is up, and where everything is.
  outbox                 Lists what people would have been sent.
  logs [FUNCTION] [-f]   Shows what the functions log; -f goes on as it comes.
  seed                   Puts the catalogue's goods on sale (`up` does that too).
  token [WHO]            Prints a token for the API: of a shopper, `ana` or `ben`,
                         or of the `operator`.

To work on it
  test                   Checks formatting, lints, docs and the template, and runs all
                         tests. With options only the tests, which get them.
  watch                  Serves every function on port 9000 with cargo-lambda, and
                         rebuilds it when its code changes; uses the stack's tables.
  invoke FUNCTION        Calls a watched function once, with tests/events/FUNCTION.json.
       --data-file F     Calls it with the event in F.
  build                  Builds every function for AWS (arm64) and shows the sizes.
  replay FILE            Takes a purchase log through the functions in virtual time.
       --strict          Refuses the file when a line of it is malformed.
  polling                Plays how carriers are asked about parcels, in virtual time,
                         beside a poll every two hours.
       --parcels N       How many parcels, 10000 unless given.
       --seed N          What chance begins with, 1 unless given.
  years                  Plays years of a points programme in virtual time, with every
                         nightly job, and audits every ledger each year.
       --members N       How many members, 1000 unless given.
       --years N         How many years, 10 unless given.
       --seed N          What chance begins with, 1 unless given.
  promises               Proposes times of delivery by what the stack's parcels took.
       --json            Prints it whole, with the policy's member to be put.
  carrier NAME FILE      Shows what a body amounts to that a carrier pushed.
       --answer          It is what the carrier answered when it was asked.
  page-check             Looks at customers' pages in Chromium, in every state: on a phone
                         and a desk, light and dark, by keyboard, without scripts.
       --optional        Is no failure where there is no Chromium.

To prove it
  simulate               The whole suite in a storm, in virtual time: every message late,
                         lost or twice, processes dying, and every invariant checked.
                         `cargo dev simulate --help` has its options.
  fire                   The same on this machine's stack: processes are killed, the
                         emulator is restarted, dead-letter queues are redriven.
       --orders N        How many orders, 200 unless given.
       --seed N          What chance begins with, 1 unless given.
  fuzz [TARGET]          Throws bytes at every parser that faces the internet.
       --seconds N       How long each target, 60 unless given.
       --jobs N          How many processes at the same time, 1 unless given.
  api-check              Tries the API against its description, with schemathesis.
       --examples N      How many requests an operation, 50 unless given.
  security-check         Licences and bans of dependencies, and the template's settings.
  bench                  Speed, races, start, units and dollars, as tables.
                         `cargo dev bench --help` has its options.

Try `cargo dev demo` first.";

/// A verb, with what it was given.
#[derive(Debug, PartialEq, Eq)]
enum Verb {
    Help,
    Demo { port: u16, stay: bool },
    Up { port: u16, fresh: bool, detach: bool, detached: bool },
    Down,
    Status,
    Outbox,
    Logs { function: Option<String>, follow: bool },
    Seed,
    Token { who: String },
    Test { options: Vec<OsString> },
    PageCheck { optional: bool },
    Fire(fire::Options),
    ApiCheck { examples: u32 },
    SecurityCheck,
    Fuzz(fuzz::Options),
    Proof { which: Proof, options: Vec<OsString> },
    Watch,
    Invoke { function: String, data_file: Option<PathBuf> },
    Build,
    Replay { file: PathBuf, strict: bool },
    Polling(polling::Options),
    Years(years::Options),
    Promises { as_json: bool },
    Carrier { carrier: String, file: PathBuf, is_answer: bool },
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = parse(Parser::from_env()).and_then(|verb| run(&verb));
    match outcome {
        Ok(()) | Err(Failure::Unread) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Stopped) => {
            show::complain("Stopped.");
            ExitCode::from(130)
        }
        Err(Failure::Trouble { what, remedy }) => {
            show::complain(format!("\n{} {what}", red("Sorry:")));
            if !remedy.is_empty() {
                show::complain(format!("{} {remedy}", bold("What to do:")));
            }
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Help => show::line(HELP)?,
        // It starts nothing, so Ctrl-C may end it anywhere.
        Verb::Replay { file, strict } if IS_FAST => replay(file, *strict)?,
        Verb::Polling(options) => play_polling(*options)?,
        Verb::Years(options) => play_years(*options)?,
        Verb::Carrier { carrier, file, is_answer } => carrier::run(carrier, file, *is_answer)?,
        other => run_in_project(other)?,
    }
    Ok(())
}

/// Runs a verb that works in the project and may start programs.
fn run_in_project(verb: &Verb) -> Result<(), Failure> {
    let place = Place::find()?;
    let stop = Stop::listen()?;
    match verb {
        Verb::Replay { file, strict } => replay_fast(&place, &stop, file, *strict)?,
        Verb::Help | Verb::Carrier { .. } | Verb::Polling(_) | Verb::Years(_) => {}
        Verb::Demo { port, stay } => demo::run(&place, &stop, *port, *stay)?,
        Verb::Up { port, fresh, detach, detached } => {
            let wanted = Wanted { port: *port, fresh: *fresh, state: "state" };
            if *detach {
                up::detach(&place, &stop, &wanted)?;
            } else {
                up::run(&place, &stop, &wanted, *detached)?;
            }
        }
        Verb::Down => up::down(&place, &stop)?,
        Verb::Status => up::status(&place)?,
        Verb::Outbox => outbox::list(&place)?,
        Verb::Promises { as_json } => promises::run(&place, *as_json)?,
        Verb::Logs { function, follow } => logs::run(&place, &stop, function.as_deref(), *follow)?,
        Verb::Seed => catalogue::fill(&place, &Running::stack(&place)?.1)?,
        Verb::Token { who } => token(&place, who)?,
        Verb::Test { options } => check::run(&place, &stop, options)?,
        Verb::PageCheck { optional } => page_check::run(&place, &stop, *optional)?,
        Verb::Fire(options) => fire::run(&place, &stop, *options)?,
        Verb::ApiCheck { examples } => api_check::run(&place, &stop, *examples)?,
        Verb::SecurityCheck => security_check::run(&place, &stop)?,
        Verb::Fuzz(options) => fuzz::run(&place, &stop, options)?,
        Verb::Proof { which, options } => proof::run(&place, &stop, *which, options)?,
        Verb::Watch => lambda::watch(&place, &stop)?,
        Verb::Invoke { function, data_file } => {
            lambda::invoke(&place, &stop, function, data_file.as_deref())?;
        }
        Verb::Build => lambda::build(&place, &stop)?,
    }
    Ok(())
}

fn token(place: &Place, who: &str) -> Result<(), Failure> {
    let (_, stack) = Running::stack(place)?;
    if who == "operator" {
        return show::line(stack.operator_token()?);
    }
    let shoppers = &stack.people.shoppers;
    let shopper = shoppers.iter().find(|shopper| shopper.name == who).ok_or_else(|| {
        let names: Vec<&str> = shoppers.iter().map(|shopper| shopper.name.as_str()).collect();
        Failure::new(format!("Nobody here is called {who}."))
            .remedy(format!("There are {} and operator.", names.join(", ")))
    })?;
    show::line(stack.shopper_token(shopper)?)
}

/// Whether this build was made to run long work.
const IS_FAST: bool = !cfg!(debug_assertions);

/// Replays with a build of the profile `fast`, which takes minutes to make the
/// first time and is several times as quick as this one.
fn replay_fast(place: &Place, stop: &Stop, file: &Path, strict: bool) -> Result<(), Failure> {
    let file = file.canonicalize().map_err(|error| {
        Failure::new(format!("{} cannot be read: {error}.", file.display()))
            .remedy("Name a file that exists and can be read.")
    })?;
    show::line("A replay runs an optimised build; the first time, compiling it takes minutes.")?;
    let mut cargo = binaries::cargo(place);
    cargo.args(["run", "--profile", "fast", "--package", "aftercart-infra", "--bin", "dev", "--"]);
    cargo.arg("replay").args(strict.then_some("--strict")).arg("--").arg(file);
    child::hand_over(&mut cargo, stop).map_err(|failure| match failure {
        Failure::Trouble { .. } => Failure::Told,
        other => other,
    })
}

fn replay(file: &Path, strict: bool) -> Result<(), Failure> {
    let options = Options { strict, ..Options::default() };
    let report = crate::replay::run(file, options).map_err(|error| {
        let failure =
            Failure::new(format!("{} was not replayed: {}.", file.display(), causes(&error)));
        match error {
            ReplayError::Malformed(_) => {
                failure.remedy("Mend the lines, or leave `--strict` out to skip them.")
            }
            ReplayError::Unread(_) => failure.remedy("Name a file that exists and can be read."),
            _ => failure,
        }
    })?;
    show::line(report.to_string())?;
    if report.agrees() { Ok(()) } else { Err(Failure::new("The suite and the log do not agree.")) }
}

fn play_polling(options: polling::Options) -> Result<(), Failure> {
    let report = polling::run(options)
        .map_err(|error| Failure::new(format!("Nothing was played: {}.", causes(&error))))?;
    show::line(report.to_string())
}

fn play_years(options: years::Options) -> Result<(), Failure> {
    let report = years::run(options)
        .map_err(|error| Failure::new(format!("The years ended early: {}.", causes(&error))))?;
    show::line(report.to_string())
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let all = std::iter::successors(Some(error), |error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn parse(mut parser: Parser) -> Result<Verb, Failure> {
    let Some(Arg::Value(verb)) = next(&mut parser)? else {
        return Ok(Verb::Help);
    };
    let verb = verb.to_string_lossy().into_owned();
    match verb.as_str() {
        "help" => Ok(Verb::Help),
        "demo" | "up" => parse_up(&mut parser, &verb),
        "logs" => parse_logs(&mut parser),
        "invoke" => parse_invoke(&mut parser),
        "token" => Ok(Verb::Token { who: value(&mut parser)?.unwrap_or_else(|| "ana".to_owned()) }),
        "test" => Ok(Verb::Test { options: rest(&mut parser)? }),
        "replay" => parse_replay(&mut parser),
        "polling" => parse_polling(&mut parser),
        "years" => parse_years(&mut parser),
        "promises" => parse_promises(&mut parser),
        "carrier" => parse_carrier(&mut parser),
        "down" => nothing_more(&mut parser, Verb::Down),
        "status" => nothing_more(&mut parser, Verb::Status),
        "outbox" => nothing_more(&mut parser, Verb::Outbox),
        "seed" => nothing_more(&mut parser, Verb::Seed),
        "page-check" => parse_page_check(&mut parser),
        "fire" => parse_fire(&mut parser),
        "api-check" => parse_api_check(&mut parser),
        "security-check" => nothing_more(&mut parser, Verb::SecurityCheck),
        "simulate" => Ok(Verb::Proof { which: Proof::Simulate, options: rest(&mut parser)? }),
        "fuzz" => parse_fuzz(&mut parser),
        "bench" => Ok(Verb::Proof { which: Proof::Bench, options: rest(&mut parser)? }),
        "watch" => nothing_more(&mut parser, Verb::Watch),
        "build" => nothing_more(&mut parser, Verb::Build),
        other => Err(misused(format!("There is no verb `{other}`."))),
    }
}

fn parse_up(parser: &mut Parser, verb: &str) -> Result<Verb, Failure> {
    let (mut port, mut stay) = (up::PORT, false);
    let (mut fresh, mut detach, mut detached) = (false, false, false);
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("port") => {
                let given = parser.value().map_err(|error| misused(error.to_string()))?;
                let given = given.to_string_lossy();
                port = given.parse().ok().filter(|port| (1024..65_500).contains(port)).ok_or_else(
                    || misused(format!("`{given}` is no port; take one from 1024 to 65499.")),
                )?;
            }
            Arg::Long("stay") if verb == "demo" => stay = true,
            Arg::Long("fresh") if verb == "up" => fresh = true,
            Arg::Long("detach") if verb == "up" => detach = true,
            Arg::Long("detached") if verb == "up" => detached = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Verb::Help),
            other => return Err(unexpected(other)),
        }
    }
    match verb {
        "demo" => Ok(Verb::Demo { port, stay }),
        _ => Ok(Verb::Up { port, fresh, detach, detached }),
    }
}

fn parse_logs(parser: &mut Parser) -> Result<Verb, Failure> {
    let (mut function, mut follow) = (None, false);
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Short('f') | Arg::Long("follow") => follow = true,
            Arg::Value(name) if function.is_none() => {
                function = Some(name.string().map_err(|error| misused(error.to_string()))?);
            }
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Logs { function, follow })
}

fn parse_invoke(parser: &mut Parser) -> Result<Verb, Failure> {
    let (mut function, mut data_file) = (None, None);
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("data-file") => {
                let file = parser.value().map_err(|error| misused(error.to_string()))?;
                data_file = Some(PathBuf::from(file));
            }
            Arg::Value(name) if function.is_none() => {
                function = Some(name.string().map_err(|error| misused(error.to_string()))?);
            }
            other => return Err(unexpected(other)),
        }
    }
    let function = function.ok_or_else(|| misused("Say which function to invoke."))?;
    Ok(Verb::Invoke { function, data_file })
}

fn parse_promises(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut as_json = false;
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("json") => as_json = true,
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Promises { as_json })
}

fn parse_page_check(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut optional = false;
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("optional") => optional = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Verb::Help),
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::PageCheck { optional })
}

fn parse_fire(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut options = fire::Options::default();
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("orders") => options.orders = number(parser)?,
            Arg::Long("seed") => options.seed = number(parser)?,
            Arg::Short('h') | Arg::Long("help") => return Ok(Verb::Help),
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Fire(options))
}

fn parse_api_check(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut examples = api_check::EXAMPLES;
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("examples") => examples = number(parser)?,
            Arg::Short('h') | Arg::Long("help") => return Ok(Verb::Help),
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::ApiCheck { examples })
}

fn parse_fuzz(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut options = fuzz::Options::default();
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("seconds") => options.seconds = number(parser)?,
            Arg::Long("jobs") => options.jobs = number(parser)?,
            Arg::Value(target) if options.target.is_none() => {
                options.target = Some(target.to_string_lossy().into_owned());
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(Verb::Help),
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Fuzz(options))
}

fn parse_replay(parser: &mut Parser) -> Result<Verb, Failure> {
    let (mut file, mut strict) = (None, false);
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("strict") => strict = true,
            Arg::Value(path) if file.is_none() => file = Some(PathBuf::from(path)),
            other => return Err(unexpected(other)),
        }
    }
    let file = file.ok_or_else(|| misused("Say which file to replay."))?;
    Ok(Verb::Replay { file, strict })
}

fn parse_carrier(parser: &mut Parser) -> Result<Verb, Failure> {
    let (mut given, mut is_answer) = (Vec::new(), false);
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("answer") => is_answer = true,
            Arg::Value(text) => given.push(text),
            other => return Err(unexpected(other)),
        }
    }
    let [carrier, file] = <[OsString; 2]>::try_from(given)
        .map_err(|_| misused("Say which carrier, and which file its sample is in."))?;
    let carrier = carrier.to_string_lossy().into_owned();
    Ok(Verb::Carrier { carrier, file: file.into(), is_answer })
}

fn parse_polling(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut options = polling::Options::default();
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("parcels") => options.parcels = number(parser)?,
            Arg::Long("seed") => options.seed = number(parser)?,
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Polling(options))
}

fn parse_years(parser: &mut Parser) -> Result<Verb, Failure> {
    let mut options = years::Options::default();
    while let Some(arg) = next(parser)? {
        match arg {
            Arg::Long("members") => options.members = number(parser)?,
            Arg::Long("years") => options.years = number(parser)?,
            Arg::Long("seed") => options.seed = number(parser)?,
            other => return Err(unexpected(other)),
        }
    }
    Ok(Verb::Years(options))
}

fn number<T: std::str::FromStr>(parser: &mut Parser) -> Result<T, Failure> {
    let given = parser.value().map_err(|error| misused(error.to_string()))?;
    let given = given.to_string_lossy();
    given.parse().map_err(|_| misused(format!("`{given}` is no number that fits.")))
}

fn next(parser: &mut Parser) -> Result<Option<Arg<'_>>, Failure> {
    parser.next().map_err(|error| misused(error.to_string()))
}

fn value(parser: &mut Parser) -> Result<Option<String>, Failure> {
    match next(parser)? {
        None => Ok(None),
        Some(Arg::Value(value)) => Ok(Some(value.to_string_lossy().into_owned())),
        Some(other) => Err(unexpected(other)),
    }
}

fn rest(parser: &mut Parser) -> Result<Vec<OsString>, Failure> {
    Ok(parser.raw_args().map_err(|error| misused(error.to_string()))?.collect())
}

fn nothing_more(parser: &mut Parser, verb: Verb) -> Result<Verb, Failure> {
    match next(parser)? {
        None => Ok(verb),
        Some(Arg::Short('h') | Arg::Long("help")) => Ok(Verb::Help),
        Some(other) => Err(unexpected(other)),
    }
}

fn unexpected(arg: Arg<'_>) -> Failure {
    misused(arg.unexpected().to_string())
}

fn misused(what: impl Into<String>) -> Failure {
    Failure::new(what).remedy("`cargo dev` lists the verbs and their options.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Verb, Failure> {
        parse(Parser::from_args(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_understood() {
        for (line, verb) in [
            ("", Verb::Help),
            ("--help", Verb::Help),
            ("up --help", Verb::Help),
            ("down -h", Verb::Help),
            ("page-check", Verb::PageCheck { optional: false }),
            ("page-check --optional", Verb::PageCheck { optional: true }),
            ("demo --port 4600", Verb::Demo { port: 4600, stay: false }),
            ("up --fresh", Verb::Up { port: 4566, fresh: true, detach: false, detached: false }),
            ("logs -f relay", Verb::Logs { function: Some("relay".to_owned()), follow: true }),
            ("token", Verb::Token { who: "ana".to_owned() }),
            ("promises --json", Verb::Promises { as_json: true }),
            (
                "polling --parcels 50 --seed 2",
                Verb::Polling(polling::Options { parcels: 50, seed: 2, progress: true }),
            ),
            (
                "fuzz tokens --seconds 9",
                Verb::Fuzz(fuzz::Options {
                    target: Some("tokens".to_owned()),
                    seconds: 9,
                    jobs: 1,
                }),
            ),
            (
                "years --members 5 --years 2 --seed 3",
                Verb::Years(years::Options { members: 5, years: 2, seed: 3, progress: true }),
            ),
            (
                "carrier --answer easypost a.json",
                Verb::Carrier {
                    carrier: "easypost".to_owned(),
                    file: "a.json".into(),
                    is_answer: true,
                },
            ),
            (
                "test --package x -- --nocapture",
                Verb::Test {
                    options: ["--package", "x", "--", "--nocapture"].map(OsString::from).into(),
                },
            ),
            (
                "invoke relay --data-file e.json",
                Verb::Invoke { function: "relay".to_owned(), data_file: Some("e.json".into()) },
            ),
        ] {
            assert_eq!(parsed(line).unwrap(), verb, "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_with_a_remedy() {
        for line in [
            "fly",
            "up --port",
            "up --port 80",
            "up --sideways",
            "logs a b",
            "carrier easypost",
            "invoke",
            "polling --parcels few",
            "years --for ever",
            "promises 2026",
            "demo --fresh",
        ] {
            let Err(Failure::Trouble { what, remedy }) = parsed(line) else {
                panic!("{line} was understood");
            };
            assert!(!what.is_empty() && remedy.contains("cargo dev"), "{line}: {what}");
        }
    }
}
