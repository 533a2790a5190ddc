//! What clients send and get.

pub mod view;

pub mod earning;

pub mod gift;

pub mod draw;

pub mod adjustment;

pub mod offers;

pub mod membership;

pub mod channels;

pub mod reward;

pub mod contests;

pub mod reports;
