//! The nouns of the shop and their legal moves.
//!
//! Pure: no I/O, no AWS, no clock. The time is always an argument.

pub mod id;

pub mod digest;

pub mod money;

pub mod time;

pub mod customer;

pub mod product;

pub mod order;

pub mod payment;

pub mod shipment;

pub mod points;

pub mod survey;

pub mod policy;

pub mod signature;

pub mod text;
