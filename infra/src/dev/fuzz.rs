//! `cargo dev fuzz`: bytes for every parser that faces the internet, by
//! libFuzzer, which sees which ways through the code they take.
//!
//! cargo-fuzz is installed into `.aftercart/cargo`, and what it builds and
//! finds lies in `.aftercart/fuzz`. It works with the stable compiler: coverage
//! is a matter of code generation, and the sanitizers, which are not stable,
//! look for what safe Rust does not have.

use std::{fs, iter, path::PathBuf, process::Command};

use super::{
    binaries,
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    show::{self, Step},
};

/// The version that is known to work so.
const CARGO_FUZZ: &str = "0.13.2";

/// The longest input: more than any carrier's largest push.
const INPUT_MAX: &str = "-max_len=32768";

/// How long an input may take, in seconds: a function has so many, or fewer.
const TIMEOUT: &str = "-timeout=20";

/// How much memory a fuzzer may use, in MiB: the shop's tables are in it.
const MEMORY: &str = "-rss_limit_mb=4096";

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// The target; all of them, one after the other, if there is none.
    pub(super) target: Option<String>,
    /// For how long each.
    pub(super) seconds: u32,
    /// How many at the same time.
    pub(super) jobs: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { target: None, seconds: 60, jobs: 1 }
    }
}

/// Runs the targets; ends with the first that finds something.
pub(super) fn run(place: &Place, stop: &Stop, options: &Options) -> Result<(), Failure> {
    let known = targets(place)?;
    let wanted = match &options.target {
        None => known,
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => {
            return Err(Failure::new(format!("There is no target `{name}`."))
                .remedy(format!("There are {}.", known.join(", "))));
        }
    };
    let program = installed(place, stop)?;
    for target in wanted {
        show::line(format!("\n{}", show::bold(&target)))?;
        let mut fuzz = command(place, &program, &target, options)?;
        child::hand_over(&mut fuzz, stop).map_err(|failure| found(place, &target, failure))?;
    }
    Ok(())
}

/// The targets, each of which has its file.
fn targets(place: &Place) -> Result<Vec<String>, Failure> {
    let files = fs::read_dir(place.of("fuzz/fuzz_targets")).trying("list the targets")?;
    let names = files.flatten().filter_map(|file| {
        let path = file.path();
        Some(path.file_stem()?.to_string_lossy().into_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// cargo-fuzz in its version, installed if it is not there.
fn installed(place: &Place, stop: &Stop) -> Result<PathBuf, Failure> {
    let folder = place.local("cargo")?;
    let program = folder.join("bin/cargo-fuzz");
    let step = Step::begin("cargo-fuzz", "looking for .aftercart/cargo")?;
    let said = child::run(Command::new(&program).arg("--version"), stop, |_| ());
    if said.is_ok_and(|said| said.out.trim().ends_with(CARGO_FUZZ)) {
        step.done("in .aftercart/cargo")?;
        return Ok(program);
    }
    step.announce("installing into .aftercart/cargo")?;
    let mut cargo = binaries::cargo(place);
    cargo.args(["install", "cargo-fuzz", "--locked", "--force", "--version", CARGO_FUZZ]);
    let said = child::run(cargo.arg("--root").arg(&folder), stop, |_| ())?;
    if !said.ok {
        let what = format!("cargo could not install cargo-fuzz:\n{}", said.last_words(8));
        return Err(Failure::new(what).remedy(
            "It needs a connection to crates.io. Run the command again when there is one.",
        ));
    }
    step.done("installed into .aftercart/cargo")?;
    Ok(program)
}

/// A run of a target. What it finds that is new goes to a folder of its own:
/// the seeds beside it stay as they are.
fn command(
    place: &Place,
    program: &PathBuf,
    target: &str,
    options: &Options,
) -> Result<Command, Failure> {
    let grown = place.local(&format!("fuzz/corpus/{target}"))?;
    fs::create_dir_all(&grown).trying("make the folder of the corpus")?;
    let built = place.local("fuzz/target")?;
    let mut fuzz = Command::new(program);
    fuzz.current_dir(place.of(""));
    // `--no-cfg-fuzzing`: with it, some crates leave out what they do otherwise.
    fuzz.args(["run", "--sanitizer", "none", "--no-cfg-fuzzing", "--codegen-units", "16"]);
    fuzz.arg("--target-dir").arg(built);
    if options.jobs > 1 {
        fuzz.arg("--jobs").arg(options.jobs.to_string());
    }
    fuzz.arg(target).arg(grown).arg(place.of(&format!("fuzz/corpus/{target}")));
    let time = format!("-max_total_time={}", options.seconds);
    fuzz.args(iter::once("--").chain([time.as_str(), INPUT_MAX, TIMEOUT, MEMORY]));
    Ok(fuzz)
}

fn found(place: &Place, target: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Trouble { .. } => {
            let artifacts = place.of(&format!("fuzz/artifacts/{target}"));
            Failure::new(format!(
                "The target {target} ended with a finding, or could not be built."
            ))
            .remedy(format!(
                "An input that was found is in {}; docs/fuzzing.md tells how to look at it.",
                place.shown(&artifacts)
            ))
        }
        other => other,
    }
}
