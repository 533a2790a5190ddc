//! `POST /products/{sku}/receipts`: notes goods that came in at the policy's
//! first location. The short form of a movement whose kind is `receipt`.

use std::sync::Arc;

use aftercart::{
    model::{product::Sku, stock::MovementKind},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    moving,
    rules::movement,
    wire::stock::{MoveStock, ReceiptView, ReceiveStock},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stock-receive",
    about: "Notes goods that came in, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::operator("POST", "/products/{sku}/receipts")]),
    needs: &[
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, receive))
}

async fn receive(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let ReceiveStock { quantity: units } = request.json()?;
    let quantity =
        movement::units(units).map_err(|error| Problem::invalid("quantity", error.to_string()))?;
    let body = MoveStock {
        kind: MovementKind::Receipt,
        units: Some(units),
        location: None,
        to: None,
        note: None,
    };
    let moved = moving::record(&app, &request, sku, body).await?;
    let (id, sku, at) = (moved.movement.id, moved.movement.sku, moved.movement.at);
    let answer = Response::json(201, &ReceiptView { id, sku, quantity, at })?;
    Ok(if moved.earlier { answer.replayed() } else { answer })
}
