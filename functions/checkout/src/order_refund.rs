//! `POST /operator/orders/{customer}/{id}/refunds`: gives back money of a paid
//! order whose goods are not called off: they came back, or something went wrong.
//!
//! The body says what is to have gone back in all: for how many units of which
//! lines, for the delivery, and beyond that as goodwill. So the call is safe to
//! repeat: what went back is not given back again. Of units goes back the exact
//! share of what was paid for their line, also where an offer was given for the
//! order as a whole: discounts stay as they were shared, and it is the operator
//! who decides that. Points that paid for the units, or that they earned, follow
//! by the message; points that paid for the delivery come back with the last
//! unit. No more goes back than was paid, whatever else went back of it. Goods
//! that are not sent yet are called off instead, so that they are not sent and
//! can be sold.

use std::sync::Arc;

use aftercart::{
    model::order::MAX_LINES,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Op, Table},
};

use crate::{
    changing,
    rules::{
        change::Units,
        refund::{self, Wanted},
    },
    wire::order::{GiveBack, OrderFile},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-refund",
    about: "Gives back money of a paid order, by unit, for the delivery or as goodwill.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/orders/{customer}/{id}/refunds")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, give_back))
}

async fn give_back(app: Arc<App>, request: Request) -> Answer {
    let (asked, by) = changing::operated(&app, &request, |body: GiveBack| body.why)?;
    let wanted = parse(request.json()?)?;
    let outcome = changing::change(&app, &asked, request.trace(), |order, _| {
        refund::decide(order, &wanted, &by)
    })
    .await?;
    if outcome.order.refunds_due.len() > outcome.before.refunds_due.len() {
        app.metrics.count(Metric::RefundDue, app.now());
    }
    Response::json(200, &OrderFile::of(&outcome.order, outcome.dispatch.as_ref()))
}

fn parse(body: GiveBack) -> Result<Wanted, Problem> {
    let lines = body.lines.into_iter().map(|line| (line.sku, line.refunded));
    let lines = Units::distinct(lines).map_err(changing::twice)?;
    checked(Wanted { lines, delivery: body.delivery, goodwill: body.goodwill })
}

/// Refuses what is too much of a request, or asks for nothing.
///
/// # Errors
/// 400.
pub(crate) fn checked(wanted: Wanted) -> Result<Wanted, Problem> {
    if wanted.lines.len() > MAX_LINES {
        return Err(Problem::invalid("lines", format!("Name at most {MAX_LINES} lines.")));
    }
    if wanted.lines.is_empty() && !wanted.delivery && wanted.goodwill.is_none() {
        let detail = "Say what goes back: `lines`, `delivery` or `goodwill`.";
        return Err(Problem::invalid("lines", detail));
    }
    if wanted.goodwill.is_some_and(|amount| amount.minor() <= 0) {
        return Err(Problem::invalid("goodwill.amount", "Must be more than nothing."));
    }
    Ok(wanted)
}
