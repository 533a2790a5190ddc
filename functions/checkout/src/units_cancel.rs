//! `POST /orders/{id}/units/cancel` and the guests' route: calls off units of
//! a paid order.
//!
//! The body says how many units of a line are to be off in all, so the call is
//! safe to repeat: units that are off stay off. Their exact share of what was
//! paid for the line goes back; where nothing but gifts is left, the order is
//! called off, and the delivery's price goes back, too. The order, its stock
//! and its shipments, whose packers are told, are one transaction.

use std::sync::Arc;

use aftercart::{
    model::order::{Actor, MAX_LINES},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    changing,
    rules::change::{self, By, Units},
    wire::order::{CancelUnits, OrderView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "units-cancel",
    about: "Calls off units of a paid order that is not sent yet.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders/{id}/units/cancel"),
        Route::open("POST", "/guest/orders/{id}/units/cancel"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Stock, &[Op::UpdateItem]),
        Need::Table(Table::Quotas, &[Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::UpdateItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, cancel))
}

async fn cancel(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let asked = parse(request.json()?)?;
    let by = By { who: Actor::Buyer, at: app.now(), why: None };
    let outcome = changing::call_off(&app, &buyer, request.trace(), |order, dispatch| {
        change::cancel_units(order, dispatch, &asked, &by)
    })
    .await?;
    Response::json(200, &OrderView::of(&outcome.order, outcome.dispatch.as_ref()))
}

fn parse(body: CancelUnits) -> Result<Vec<Units>, Problem> {
    if body.lines.is_empty() || body.lines.len() > MAX_LINES {
        return Err(Problem::invalid("lines", format!("Name 1 to {MAX_LINES} lines.")));
    }
    let lines = body.lines.into_iter().map(|line| (line.sku, line.cancelled));
    Units::distinct(lines).map_err(changing::twice)
}
