//! Decisions of checkout: pure functions of what was asked, what is true, the
//! policy and the time.

pub mod lines;

pub mod place;

pub mod change;

pub mod retake;

pub mod quote;

pub mod parcels;

pub mod refund;

pub mod quota;

pub mod points;

pub mod access;

pub mod stock;

pub mod movement;

pub mod product;

pub mod risk;

pub mod offers;

pub mod cart;
