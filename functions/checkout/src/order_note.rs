//! `POST /operator/orders/{customer}/{id}/notes`: leaves a note on an order,
//! whatever its status; buyers do not see it.
//!
//! Safe to repeat: the same note of the same person is kept once.

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
    wire::order::{LeaveNote, OrderFile},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-note",
    about: "Leaves a note on an order, for operators.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/orders/{customer}/{id}/notes")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, note))
}

async fn note(app: Arc<App>, request: Request) -> Answer {
    let (asked, by) = changing::operated(&app, &request, |LeaveNote { note }| note)?;
    let outcome =
        changing::change(&app, &asked, request.trace(), |order, _| change::note(order, &by))
            .await?;
    Response::json(200, &OrderFile::of(&outcome.order, outcome.dispatch.as_ref()))
}
