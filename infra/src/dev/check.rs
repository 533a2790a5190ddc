//! `cargo dev test`: all that must hold before a change is done.

use std::ffi::OsString;

use super::{
    binaries,
    child::{self, Stop},
    failure::Failure,
    place::Place,
    show,
    tools::Tools,
};

/// The tests themselves, last, so that theirs is the last word.
const TESTS: &[&str] = &["test", "--workspace", "--lib", "--test", "suite"];

/// A check: what it is called, cargo's arguments, and what helps when it fails.
struct Check {
    name: &'static str,
    cargo: &'static [&'static str],
    remedy: &'static str,
}

const CHECKS: &[Check] = &[
    Check {
        name: "Formatting",
        cargo: &["fmt", "--all", "--check"],
        remedy: "Run `cargo fmt --all`.",
    },
    Check {
        name: "Lints",
        cargo: &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        remedy: "Mend what clippy says above.",
    },
    Check {
        name: "Docs",
        cargo: &["doc", "--workspace", "--no-deps", "--lib"],
        remedy: "Mend what rustdoc says above.",
    },
];

/// Runs everything, or, with options, only the tests, which get the options.
pub(super) fn run(place: &Place, stop: &Stop, options: &[OsString]) -> Result<(), Failure> {
    if options.is_empty() {
        for check in CHECKS {
            show::line(format!("\n{}: cargo {}", show::bold(check.name), check.cargo.join(" ")))?;
            let mut cargo = binaries::cargo(place);
            cargo.args(check.cargo).env("RUSTDOCFLAGS", "-D warnings");
            child::hand_over(&mut cargo, stop).map_err(|failure| failure.remedy(check.remedy))?;
        }
        template(place, stop)?;
    }
    show::line(format!("\n{}: cargo {}", show::bold("Tests"), TESTS.join(" ")))?;
    let mut cargo = binaries::cargo(place);
    cargo.args(TESTS).args(options);
    child::hand_over(&mut cargo, stop).map_err(|failure| match failure {
        Failure::Trouble { .. } => Failure::Told,
        other => other,
    })
}

fn template(place: &Place, stop: &Stop) -> Result<(), Failure> {
    show::line(format!("\n{}: cfn-lint template.yaml", show::bold("Template")))?;
    let tools = Tools::of_lint(place, stop)?;
    let mut lint = tools.command("cfn-lint");
    lint.arg(place.of("template.yaml"));
    child::hand_over(&mut lint, stop)
        .map_err(|failure| failure.remedy("Mend what cfn-lint says above."))
}
