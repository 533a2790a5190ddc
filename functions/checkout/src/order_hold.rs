//! `POST /operator/orders/{customer}/{id}/hold` and `.../release`: stops an
//! order until somebody has looked at it, and lets it go on.
//!
//! A held order is paid as any other, and is not sent: its shipment, unless it
//! has a label (409), is stopped in the same transaction and goes on in that of
//! the release, with which `order.paid` is sent again. Safe to repeat: an order
//! that is held, or is not, is answered as it stands.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    changing,
    rules::change,
    wire::order::{GiveReason, OrderFile},
};

const RELEASE: &str = "/operator/orders/{customer}/{id}/release";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-hold",
    about: "Stops an order until somebody has looked at it, or lets it go on.",
    trigger: Trigger::Http(&[
        Route::operator("POST", "/operator/orders/{customer}/{id}/hold"),
        Route::operator("POST", RELEASE),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, hold))
}

async fn hold(app: Arc<App>, request: Request) -> Answer {
    let (asked, by) = changing::operated(&app, &request, |GiveReason { why }| why)?;
    let release = request.is_for(RELEASE);
    let outcome =
        changing::change(&app, &asked, request.trace(), |order, dispatch| match release {
            true => change::release_hold(order, &by),
            false => change::hold(order, dispatch, &by),
        })
        .await?;
    Response::json(200, &OrderFile::of(&outcome.order, outcome.dispatch.as_ref()))
}
