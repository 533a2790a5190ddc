//! All mutants, by what they break.

mod goods;
mod messages;
mod money;
mod orders;
mod people;
mod points;

use std::sync::LazyLock;

use aftercart::store::Table::{Orders, Points, Stock};

use super::{Defect, Mutant, Spot};

const LEVEL: Spot = Spot::of(Stock).sort("LEVEL#");
const ORDER: Spot = Spot::of(Orders).sort("ord_");
const LEDGER: Spot = Spot::of(Points).sort("ACCOUNT");

/// Whoever ends an order that was not paid, or calls one off.
const ENDERS: &[&str] = &["order-expire", "order-cancel", "units-cancel", "order-hold"];

pub(super) static ALL: LazyLock<Vec<Mutant>> = LazyLock::new(|| {
    [orders::ALL, money::ALL, goods::ALL, points::ALL, people::ALL, messages::ALL].concat()
});

const fn mutant(
    name: &'static str,
    defect: Defect,
    about: &'static str,
    breaks: &'static str,
) -> Mutant {
    Mutant { name, about, breaks, defect }
}
