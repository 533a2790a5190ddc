//! The decisions of this domain: pure functions of what is known.

pub mod batching;

pub mod events;

pub mod retry;

pub mod health;
