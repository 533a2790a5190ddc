//! The decisions of this domain: pure functions of facts, policy and time.

pub mod clock;

pub mod priority;

pub mod opening;

pub mod answered;

pub mod watching;

pub mod changing;

pub mod remedy;

pub mod form;

pub mod report;

pub mod words;

#[cfg(test)]
pub mod sample;
