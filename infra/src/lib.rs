//! Running the suite on one machine.

pub mod dev;

pub mod signing;

pub mod providers;

pub mod carriers;

pub mod merchant;

pub mod world;

pub mod years;

pub mod replay;

pub mod polling;

pub mod openapi;

use aftercart::run::Function;

/// The domains and their functions.
#[must_use]
pub fn domains() -> [(&'static str, &'static [Function]); 8] {
    [
        ("checkout", aftercart_checkout::FUNCTIONS),
        ("payments", aftercart_payments::FUNCTIONS),
        ("logistics", aftercart_logistics::FUNCTIONS),
        ("points", aftercart_points::FUNCTIONS),
        ("surveys", aftercart_surveys::FUNCTIONS),
        ("contacts", aftercart_contacts::FUNCTIONS),
        ("care", aftercart_care::FUNCTIONS),
        ("relay", aftercart_relay::FUNCTIONS),
    ]
}

/// Every function of the suite.
#[must_use]
pub fn functions() -> Vec<Function> {
    domains().map(|(_, functions)| functions).concat()
}
