//! `GET /orders/{id}/tracking` and `GET /guest/orders/{id}/tracking`: where an
//! order's parcels are, and what happens next.
//!
//! One batched read. Another buyer's order does not exist (404); an order that
//! is not paid has no parcels, and a sentence that says so.

use std::sync::Arc;

use aftercart::{
    model::order::OrderStatus,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    rules::wording,
    wire::{ParcelView, TrackingView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tracking-view",
    about: "Shows where an order's parcels are, and what happens next.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/orders/{id}/tracking"),
        Route::open("GET", "/guest/orders/{id}/tracking"),
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
    let (order, shipment) = app.store.order_and_shipment(&buyer.customer, &buyer.order).await?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let shipment = shipment.filter(|_| order.status == OrderStatus::Paid);
    let language = order.contact.language;
    let next = match &shipment {
        Some(shipment) => wording::of_parcel(shipment.journey.status, language),
        None => wording::of_order(order.status, language),
    };
    let parcels = shipment.iter().map(|shipment| {
        ParcelView::of(shipment, wording::of_parcel(shipment.journey.status, language))
    });
    let answer = TrackingView {
        order: order.id,
        status: order.status,
        next: next.to_owned(),
        shipments: parcels.collect(),
    };
    Response::json(200, &answer)
}
