//! Decisions of logistics: pure functions of what was asked and what is true.

pub mod dispatch;

pub mod label;

pub mod change;

pub mod closing;

pub mod again;

pub mod fold;

pub mod wording;

pub mod overview;

pub mod form;

pub mod polling;

pub mod promise;

pub mod alerts;

pub mod follow;

pub mod performance;

#[cfg(test)]
mod sample;
