//! Decisions of surveys: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod invitation;

pub mod sending;

pub mod standing;

pub mod answering;
