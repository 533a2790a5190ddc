//! Why an order is not placed, as its buyer is told.

use aftercart::{
    model::money::MoneyError,
    run::{Failure, http::Problem},
};
use serde_json::json;

use crate::{
    asking,
    quoted::{self, Shown},
    rules::{
        place::{Placing, Refusal},
        quote::{self, Facts, Quote, Terms},
        stock::Unplanned,
    },
};

/// The field that names where the goods go.
pub(crate) const PLACE: &str = "shipping_address";

/// An amount beyond what is sold in one order.
pub(crate) fn too_large(_: MoneyError) -> Problem {
    asking::refuse(&quote::Refusal::TooLarge, PLACE)
}

/// Why an order is not placed, with the basket as it is now.
pub(crate) fn refuse(
    refusal: &Refusal,
    placing: &Placing,
    quote: &Quote,
    facts: &Facts,
    terms: Terms<'_>,
) -> Result<Problem, Failure> {
    let shown = Shown {
        basket: &placing.basket,
        facts,
        terms,
        language: placing.contact.language,
        related: Vec::new(),
    };
    let problem = match refusal {
        Refusal::QuoteChanged => {
            let detail = "The price, the delivery or what is there has changed since the quote. \
                          `quote` has it as it is now: order again with its id.";
            Problem::new(409, "quote-changed", "The quote has changed", detail).at("quote")
        }
        Refusal::NotApplied => {
            let detail = "Something that was asked for does not apply: see `quote.not_applied`. \
                          Leave it out, or order with the id of this quote.";
            let problem = Problem::new(409, "offer-not-applied", "An offer does not apply", detail);
            match quoted::first_asked(quote, &placing.basket) {
                Some(field) => problem.at(field),
                None => problem,
            }
        }
        Refusal::Obstacles => obstacles(quote),
        Refusal::Rushed => return Err(Failure::retry("others used up what was left")),
        Refusal::TooMuch => return Ok(too_much()),
        // A buyer who knew why would know how to pass.
        Refusal::Risk => {
            let detail = "The order cannot be taken online. Please contact the shop.";
            return Ok(Problem::new(403, "order-refused", "The order cannot be taken", detail));
        }
    };
    let view = quoted::view(quote, &shown).map_err(too_large)?;
    Ok(problem.with("quote", json!(view)))
}

fn obstacles(quote: &Quote) -> Problem {
    let obstacles = quoted::obstacles(quote);
    let names: Vec<&str> = obstacles.iter().map(|it| it.sku.as_str()).collect();
    let names = names.join(", ");
    let line = obstacles.first().map_or(0, |it| it.line);
    let problem = match (&quote.plan, quote.closed.is_empty()) {
        (Err(Unplanned::Scattered), _) => return too_much(),
        (_, true) => {
            let detail = format!("Not enough in stock of: {names}.");
            Problem::new(409, "out-of-stock", "Not enough in stock", detail)
                .at(format!("lines[{line}].quantity"))
        }
        (_, false) => {
            let detail = format!("Not for this buyer, or not yet: {names}. See `lines`.");
            Problem::new(409, "not-for-sale", "Not for sale to this buyer now", detail)
                .at(format!("lines[{line}].sku"))
        }
    };
    problem.with("lines", json!(obstacles))
}

fn too_much() -> Problem {
    let detail = "The goods lie in more places than one order can be gathered from; order fewer \
                  lines at once.";
    Problem::new(422, "order-too-large", "Too large for one order", detail).at("lines")
}
