//! Decisions of surveys: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod invitation;

pub mod sending;

pub mod inviting;

pub mod standing;

pub mod answering;

pub mod thanking;

pub mod counting;

pub mod feedback;

pub mod reporting;

pub mod showing;

#[cfg(test)]
pub(crate) mod fixtures;
