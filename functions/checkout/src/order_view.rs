//! `GET /orders/{id}` and `GET /guest/orders/{id}`: an order as its buyer sees it.
//!
//! One batched read of the order and its shipment. Another buyer's order is
//! not found, because the buyer is part of the key.

use std::sync::Arc;

use aftercart::{
    model::order::first_shipment,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Key, Op, Table},
};

use crate::wire::OrderView;

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
    let shipment = first_shipment(&buyer.order);
    let keys = [Key::order(&buyer.customer, &buyer.order), Key::shipment(&buyer.order, &shipment)];
    let found = app.store.read(&keys).await?;
    let order = found.order(&buyer.customer, &buyer.order)?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let shipment = found.shipment(&buyer.order, &shipment)?;
    Response::json(200, &OrderView::of(&order, shipment.as_ref()))
}
