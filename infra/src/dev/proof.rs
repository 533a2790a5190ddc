//! Work that proves something and is long: each is a program of its own, built
//! with the profile `fast`, which takes minutes the first time and is several
//! times as quick as a build for development.

use std::ffi::OsString;

use super::{
    binaries,
    child::{self, Stop},
    failure::Failure,
    place::Place,
    show,
};

/// A program that proves something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The suite in a storm.
    Simulate,
    /// Speed and cost.
    Bench,
}

impl Proof {
    /// Its package and its binary.
    const fn program(self) -> (&'static str, &'static str) {
        match self {
            Self::Simulate => ("aftercart-simulation", "simulate"),
            Self::Bench => ("aftercart-bench", "bench"),
        }
    }
}

/// Runs it with these options.
pub(super) fn run(
    place: &Place,
    stop: &Stop,
    which: Proof,
    options: &[OsString],
) -> Result<(), Failure> {
    let (package, binary) = which.program();
    show::line("This runs an optimised build; the first time, compiling it takes minutes.")?;
    let mut cargo = binaries::cargo(place);
    cargo.args(["run", "--profile", "fast", "--package", package, "--bin", binary, "--"]);
    cargo.args(options);
    child::hand_over(&mut cargo, stop).map_err(|failure| match failure {
        Failure::Trouble { .. } => Failure::Told,
        other => other,
    })
}
