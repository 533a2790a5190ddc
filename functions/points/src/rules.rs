//! Decisions of points: pure functions of what is true, the policy and the
//! time.

pub mod apology;

pub mod earn;

pub mod undo;

pub mod settle;

#[cfg(test)]
pub(crate) mod fixtures;
