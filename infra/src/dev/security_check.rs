//! `cargo dev security-check`: dependencies and the template's settings.
//!
//! Three tools look, each by the rules of a file of the project: cargo-deny by
//! `deny.toml`, cfn-lint by its own, checkov by `infra/local/checkov.yaml`, which
//! has the reason of each exception. All of them are run, whatever the first says.

use std::process::Command;

use super::{
    binaries,
    child::{self, Stop},
    failure::{Failure, Trying},
    place::Place,
    show::{self, Step},
    tools::Tools,
};

/// Where cargo puts what it installs for this verb.
const CARGO_ROOT: &str = "cargo";

/// The release of cargo-deny whose configuration `deny.toml` is.
const CARGO_DENY: &str = "0.20.2";

/// What cargo-deny checks without a database from the network.
const OFFLINE: &[&str] = &["bans", "licenses", "sources"];

/// Runs the tools.
pub(super) fn run(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let checks: [(&str, Check); 4] = [
        ("Dependencies: bans, licences, sources", dependencies),
        ("Dependencies: known weaknesses", advisories),
        ("Template: cfn-lint", lint),
        ("Template: checkov", settings),
    ];
    let mut failed = Vec::new();
    for (name, check) in checks {
        show::line(format!("\n{}", show::bold(name)))?;
        match check(place, stop) {
            Ok(()) => {}
            Err(failure @ (Failure::Stopped | Failure::Unread)) => return Err(failure),
            Err(failure) => {
                if let Failure::Trouble { what, remedy } = failure {
                    show::line(format!("{what} {remedy}"))?;
                }
                failed.push(name);
            }
        }
    }
    if failed.is_empty() {
        return show::line(format!("\n{}", show::green("Nothing was found.")));
    }
    Err(Failure::new(format!("These found something: {}.", failed.join("; ")))
        .remedy("Mend what they say above, or add the exception to their file with its reason."))
}

type Check = fn(&Place, &Stop) -> Result<(), Failure>;

fn dependencies(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let mut deny = deny(place, stop)?;
    child::hand_over(deny.args(["--offline", "check"]).args(OFFLINE), stop)
}

/// Looks dependencies up in the database of the Rust project, which has to be
/// fetched. Where it cannot be, that is said, and is no finding.
fn advisories(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let mut fetch = deny(place, stop)?;
    let fetched = child::run(fetch.args(["fetch", "db"]), stop, |_| ())?;
    if !fetched.ok {
        return show::line(
            "Not checked: https://github.com/rustsec/advisory-db cannot be reached from here.",
        );
    }
    let mut deny = deny(place, stop)?;
    child::hand_over(deny.args(["check", "--disable-fetch", "advisories"]), stop)
}

/// cargo-deny, which is installed if it is missing.
fn deny(place: &Place, stop: &Stop) -> Result<Command, Failure> {
    let root = place.local(CARGO_ROOT)?;
    let program = root.join("bin/cargo-deny");
    if !is_of(&program, CARGO_DENY, stop)? {
        let step = Step::begin("cargo-deny", "compiling, which takes minutes")?;
        let mut cargo = binaries::cargo(place);
        cargo.args(["install", "cargo-deny", "--locked", "--force", "--version", CARGO_DENY]);
        let said = child::run(cargo.arg("--root").arg(&root), stop, |_| ())?;
        if !said.ok {
            let what = format!("cargo-deny could not be installed:\n{}", said.last_words(8));
            return Err(Failure::new(what).remedy("It needs a connection to crates.io."));
        }
        step.done("installed into .aftercart/cargo")?;
    }
    let mut command = Command::new(program);
    command.current_dir(place.of(""));
    Ok(command)
}

/// Whether a program is there and of this version.
fn is_of(program: &std::path::Path, version: &str, stop: &Stop) -> Result<bool, Failure> {
    if !program.exists() {
        return Ok(false);
    }
    let said = child::run(Command::new(program).arg("--version"), stop, |_| ())?;
    Ok(said.out.split_whitespace().any(|word| word == version))
}

fn lint(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let tools = Tools::of_lint(place, stop)?;
    child::hand_over(tools.command("cfn-lint").arg(place.of("template.yaml")), stop)
}

/// Expands the template as CloudFormation does, and has its settings looked at.
fn settings(place: &Place, stop: &Stop) -> Result<(), Failure> {
    let expanded = place.local("template.json")?;
    let mut python = Tools::of_stack(place, stop)?.command("python");
    python.arg("-B").arg(place.of("infra/local/expand.py"));
    let said = child::run(python.arg(place.of("template.yaml")).arg(&expanded), stop, |_| ())?;
    if !said.ok {
        return Err(Failure::new(format!("It cannot be expanded: {}", said.last_words(8))));
    }
    let tools = Tools::of_security_check(place, stop)?;
    let step = Step::begin("checkov", "looking at the expanded template, which takes a minute")?;
    let mut checkov = tools.command("checkov");
    checkov.arg("--config-file").arg(place.of("infra/local/checkov.yaml"));
    let said = child::run(checkov.arg("--file").arg(&expanded), stop, |_| ())?;
    std::fs::remove_file(&expanded).trying("remove the expanded template")?;
    if said.ok {
        return step.done("every setting is as it should be, or has its reason");
    }
    drop(step);
    Err(Failure::new(said.out.trim().to_owned()))
}
