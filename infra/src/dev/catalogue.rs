//! The goods of the local shop, put there as an operator would.

use std::fs;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    failure::{Failure, Trying},
    http::Answer,
    place::Place,
    show::Step,
    stack::Stack,
};

const FILE: &str = "infra/local/catalogue.json";

/// One line of the catalogue.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Good {
    /// Its number in the shop.
    pub(super) sku: String,
    /// What it is.
    pub(super) title: String,
    /// What one costs.
    pub(super) price: Value,
    /// How many there are at first.
    pub(super) stock: u32,
}

/// Puts the catalogue's goods on sale and takes their first delivery in. Safe
/// to repeat: a delivery that was taken in is not taken in again.
pub(super) fn fill(place: &Place, stack: &Stack) -> Result<(), Failure> {
    let step = Step::begin("Catalogue", "putting goods on sale")?;
    let text = fs::read_to_string(place.of(FILE)).trying(format_args!("read {FILE}"))?;
    let goods: Vec<Good> = serde_json::from_str(&text).trying(format_args!("understand {FILE}"))?;
    let token = stack.operator_token()?;
    for good in &goods {
        step.tell(&good.title);
        put(stack, &token, good)?;
        receive(stack, &token, &good.sku, good.stock, "first-delivery")?;
    }
    let pieces: u32 = goods.iter().map(|good| good.stock).sum();
    step.done(&format!("{} goods, {pieces} pieces taken in", goods.len()))
}

/// Puts a good on sale.
pub(super) fn put(stack: &Stack, token: &str, good: &Good) -> Result<(), Failure> {
    let body = json!({ "title": good.title, "price": good.price }).to_string();
    let answer = stack.call("PUT", &format!("/products/{}", good.sku), token, &[], &body)?;
    accepted(&answer, &format!("{} was not put on sale", good.sku))
}

/// Takes a delivery in; `note` names it.
pub(super) fn receive(
    stack: &Stack,
    token: &str,
    sku: &str,
    quantity: u32,
    note: &str,
) -> Result<(), Failure> {
    let body = json!({ "quantity": quantity }).to_string();
    let key = format!("{note}-{sku}");
    let path = format!("/products/{sku}/receipts");
    let answer = stack.call("POST", &path, token, &[("idempotency-key", &key)], &body)?;
    accepted(&answer, &format!("{quantity} pieces of {sku} were not taken in"))
}

fn accepted(answer: &Answer, otherwise: &str) -> Result<(), Failure> {
    match answer.status {
        200..=299 => Ok(()),
        status => Err(Failure::new(format!("{otherwise}: HTTP {status} {}", answer.body))
            .remedy("`cargo dev logs product-put` and `cargo dev logs stock-receive` tell more.")),
    }
}
