//! Running the suite on one machine.

pub mod dev;

pub mod signing;

pub mod providers;

pub mod carriers;

pub mod merchant;

pub mod world;

pub mod replay;

pub mod polling;

pub mod openapi;

use aftercart::run::Function;

/// Every function of the suite.
#[must_use]
pub fn functions() -> Vec<Function> {
    let domains = [
        aftercart_checkout::FUNCTIONS,
        aftercart_payments::FUNCTIONS,
        aftercart_logistics::FUNCTIONS,
        aftercart_points::FUNCTIONS,
        aftercart_surveys::FUNCTIONS,
        aftercart_relay::FUNCTIONS,
    ];
    domains.concat()
}
