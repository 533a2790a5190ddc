//! Decisions of checkout: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod place;
