//! `POST /orders/{id}/cancel`, `POST /guest/orders/{id}/cancel` and
//! `POST /operator/orders/{customer}/{id}/cancel`: calls off an order.
//!
//! An unpaid order gives back all that it took; of a paid one the money goes
//! back, too, as long as its parcel has no label (409; the remedy is a return).
//! All of it is one transaction, in which its shipments are stopped. A payment
//! that comes at the same moment is the order's if it comes first, and goes
//! back with the order; otherwise it is one that the order cannot take. Safe to
//! repeat: a cancelled order stays cancelled, with the same answer.

use std::sync::Arc;

use aftercart::{
    model::order::Actor,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    changing,
    rules::change::{self, By},
    wire::order::{GiveReason, OrderFile, OrderView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-cancel",
    about: "Calls off an order that is not sent yet, and gives back all that it took.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders/{id}/cancel"),
        Route::open("POST", "/guest/orders/{id}/cancel"),
        Route::operator("POST", "/operator/orders/{customer}/{id}/cancel"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Stock, &[Op::UpdateItem]),
        Need::Table(Table::Quotas, &[Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::UpdateItem]),
        Need::Table(Table::Points, &[Op::UpdateItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, cancel))
}

async fn cancel(app: Arc<App>, request: Request) -> Answer {
    let operators = request.is_operators();
    let (asked, by) = match operators {
        true => changing::operated(&app, &request, |GiveReason { why }| why)?,
        false => (request.buyer(&app).await?, By { who: Actor::Buyer, at: app.now(), why: None }),
    };
    let outcome = changing::call_off(&app, &asked, request.trace(), |order, dispatch| {
        change::cancel(order, dispatch, &by)
    })
    .await?;
    let (order, dispatch) = (&outcome.order, outcome.dispatch.as_ref());
    match operators {
        true => Response::json(200, &OrderFile::of(order, dispatch)),
        false => Response::json(200, &OrderView::of(order, dispatch)),
    }
}
