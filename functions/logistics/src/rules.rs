//! Decisions of logistics: pure functions of what was asked and what is true.

pub mod label;

pub mod fold;

pub mod wording;
