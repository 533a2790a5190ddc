//! Decisions about contacts: pure functions of a message and what is true.

pub mod addressing;

pub mod gate;

pub mod form;
