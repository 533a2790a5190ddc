//! Decisions of payments: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod start;

pub mod fold;

pub mod settle;

pub mod stripe_amount;
