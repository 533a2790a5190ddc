//! `GET /orders/{id}` and `GET /guest/orders/{id}`: an order as its buyer sees it.
//!
//! One batched read of the order and its shipments. Another buyer's order is
//! not found, because the buyer is part of the key.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{changing, wire::OrderView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-view",
    about: "Shows an order to its buyer.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/orders/{id}"),
        Route::open("GET", "/guest/orders/{id}"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let (order, dispatch) = changing::read(&app, &buyer.customer, &buyer.order).await?;
    Response::json(200, &OrderView::of(&order, dispatch.as_ref()))
}
