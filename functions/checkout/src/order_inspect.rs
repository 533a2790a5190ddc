//! `GET /operator/orders/{customer}/{id}`: an order with all that the shop
//! knows of it: who did what and why, what risk rules said, what each price
//! rule took off each line, and what the order took of stock and limits.
//!
//! One batched read of the order and its shipments.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::{changing, wire::order::OrderFile};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-inspect",
    about: "Shows an operator everything about an order.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/orders/{customer}/{id}")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, inspect))
}

async fn inspect(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let asked = request.operated()?;
    let (order, dispatch) = changing::read(&app, &asked.customer, &asked.order).await?;
    Response::json(200, &OrderFile::of(&order, dispatch.as_ref()))
}
