//! `POST /products/{sku}/movements`: notes goods that came in, are gone, were
//! counted, went to another location, or are to be spread over the parts of
//! their level.

use std::sync::Arc;

use aftercart::{
    model::product::Sku,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    moving,
    wire::stock::{MoveStock, StockMovementView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stock-move",
    about: "Notes a movement of goods, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::operator("POST", "/products/{sku}/movements")]),
    needs: &[
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, record))
}

async fn record(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let body: MoveStock = request.json()?;
    let moved = moving::record(&app, &request, sku, body).await?;
    let answer = Response::json(201, &StockMovementView::from(moved.movement))?;
    Ok(if moved.earlier { answer.replayed() } else { answer })
}
