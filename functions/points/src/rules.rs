//! Decisions of points: pure functions of what is true, the policy and the
//! time.

pub mod orders;

pub mod earn;

pub mod calendar;

pub mod counting;

pub mod actions;

pub mod undo;

pub mod apology;

pub mod redemptions;

pub mod settle;

pub mod expiry;

pub mod membership;

pub mod tiers;

pub mod path;

pub mod standing;

pub mod agenda;

pub mod news;

pub mod gifts;

pub mod draws;

pub mod adjust;

pub mod remedy;

pub mod showing;

pub mod offers;

pub mod wording;

pub mod code;

pub mod link;

pub mod till;

pub mod contests;

pub mod pseudonym;

#[cfg(test)]
pub(crate) mod fixtures;
