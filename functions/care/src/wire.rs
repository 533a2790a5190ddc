//! What clients send and get.

pub mod ticket;

pub mod change;

pub mod report;
