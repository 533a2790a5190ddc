//! Decisions of payments: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod start;

pub mod methods;

pub mod breaker;

pub mod fold;

pub mod settle;

pub mod cases;

pub mod stripe_amount;

pub mod refund;

pub mod reconcile;

pub mod statement;

#[cfg(test)]
mod fixtures;
