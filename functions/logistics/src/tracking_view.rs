//! `GET /orders/{id}/tracking` and `GET /guest/orders/{id}/tracking`: where an
//! order's parcels are, when they are expected, what is wrong and what happens
//! next, in the order's language; and the link to a page that shows the same.
//!
//! Two batched reads. Another buyer's order does not exist (404); an order that
//! is not paid has no parcels, and a sentence that says so.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        links::TrackingLink,
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{looking, rules::overview};

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
        Need::Table(Table::Tracking, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let (customer, order) = (buyer.customer, buyer.order);
    let seen = looking::look(&app, &customer, &order).await?;
    let seen = seen.ok_or_else(|| Problem::not_found("order"))?;
    let (now, language) = (app.now(), seen.order.contact.language);
    let expires = now.plus(app.policy().await?.logistics.link);
    let token = app.links().await?.tracking_link(&TrackingLink { order, customer }, expires);
    let page = format!("{}/t/{token}", request.origin()?);
    Response::json(200, &overview::view(&seen, language, page, now))
}
