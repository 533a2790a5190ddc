//! The suite in a storm: people, providers and carriers act in virtual time
//! while everything between them goes wrong by dice.
//!
//! A run begins with a seed, which draws a shop, its policy and its people. For
//! some hours of virtual time they order, pay, cancel, complain, answer, give
//! and take points, side by side, and repeat what was not answered, as clients
//! do; providers and carriers tell what happened late, twice, in any order and
//! against each other; schedules run, sometimes twice at once; calls of AWS
//! fail, are applied and not answered, meet each other, see the past; processes
//! die; messages come twice, in any order, and again days later. Then it is
//! calm: everything is delivered and done, and everything has to be as it
//! should: the invariants of the design, what people were told, the money that
//! providers have. `docs/simulation.md` has the whole of it.
//!
//! The same seed gives the same run, whatever the machine.

mod acts;
mod book;
mod check;
mod dice;
mod errand;
mod learn;
mod mutants;
mod run;
mod seeds;
mod shop;
mod trace;

pub use mutants::{Trial, table, try_mutant, try_mutants};
pub use run::{Outcome, Plan, Progress, SimulationError, run};
pub use seeds::{Summary, many};
