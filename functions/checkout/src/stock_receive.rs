//! `POST /products/{sku}/receipts`: notes goods that came in.
//!
//! The receipt and the level are one transaction; the receipt's identity
//! follows from the SKU and the `Idempotency-Key`, so a repeated call brings
//! nothing in twice and has the same answer.

use std::sync::Arc;

use aftercart::{
    model::{
        id::ReceiptId,
        product::{MAX_RECEIPT, Receipt, Sku},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Conflict, Op, Table, stock},
};

use crate::wire::{ReceiptView, ReceiveStock};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stock-receive",
    about: "Notes goods that came in, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::operator("POST", "/products/{sku}/receipts")]),
    needs: &[Need::Table(Table::Stock, &[Op::PutItem, Op::UpdateItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, receive))
}

async fn receive(app: Arc<App>, request: Request) -> Answer {
    let receipt = parse(&app, &request)?;
    let commit = Commit::new().with(stock::receive(&receipt)).with(stock::add(&receipt));
    match app.store.commit(commit).await {
        Ok(()) => answer(receipt),
        Err(CommitError::Lost(conflicts)) => replay(receipt, &conflicts),
        Err(error) => Err(error.into()),
    }
}

fn parse(app: &App, request: &Request) -> Result<Receipt, Problem> {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let key = request.idempotency_key()?;
    let body: ReceiveStock = request.json()?;
    let fits = u32::try_from(body.quantity).ok().filter(|n| (1..=MAX_RECEIPT).contains(n));
    let quantity = fits.ok_or_else(|| {
        Problem::invalid("quantity", format!("The quantity must be 1 to {MAX_RECEIPT}."))
    })?;
    let id = ReceiptId::derive(&[sku.as_str(), key.as_str()]);
    Ok(Receipt { id, sku, quantity, at: app.now() })
}

fn replay(receipt: Receipt, conflicts: &[Conflict]) -> Answer {
    let item = conflicts.iter().find_map(|conflict| conflict.found.as_ref());
    let item = item.ok_or_else(|| Failure::retry("the receipt of this key went away"))?;
    let (quantity, at) = stock::receipt_from_item(item)?;
    if quantity != receipt.quantity {
        return Err(Problem::key_reused().into());
    }
    Ok(answer(Receipt { at, ..receipt })?.replayed())
}

fn answer(receipt: Receipt) -> Answer {
    let Receipt { id, sku, quantity, at } = receipt;
    Response::json(201, &ReceiptView { id, sku, quantity, at })
}
