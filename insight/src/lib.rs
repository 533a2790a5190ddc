//! What answers say: statistics with their uncertainty, and what a short text
//! is about. Pure: no I/O, no clock.

pub mod statistics;

pub mod reading;
