//! `GET /operator/deliveries`: how promises were kept, by service, lane and
//! method. `GET /operator/promise-proposal`: what should be promised by that.
//!
//! Both read the counters of some months, one query a month: those from `from`
//! to `to`, such as `2026-09`, or the present month and the two before it. A
//! parcel is in the month in which it came to an end, some days later. The
//! proposal is a document that a person may put; nothing is applied here.

use std::sync::Arc;

use aftercart::{
    model::months::{self, MonthsError},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    rules::performance,
    wire::performance::{DeliveryReport, PromiseProposal},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "delivery-report",
    about: "Shows how promises of delivery were kept, and proposes better ones.",
    trigger: Trigger::Http(&[
        Route::operator("GET", "/operator/deliveries"),
        Route::operator("GET", "/operator/promise-proposal"),
    ]),
    needs: &[
        Need::Table(Table::Shipments, &[Op::Query]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, report))
}

async fn report(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    request.only_query(&["from", "to"])?;
    let (from, to) = (request.query("from"), request.query("to"));
    let months = months::between(from, to, app.now()).map_err(refuse)?;
    let mut counted = Vec::new();
    for month in &months {
        counted.extend(app.store.performance(month.as_str()).await?);
    }
    let lanes = performance::together(counted);
    let empty = || Failure::bug("no month was asked for");
    if request.is_for("/operator/promise-proposal") {
        let policy = app.policy().await?;
        let proposal = PromiseProposal::of(&months, &policy.delivery, &lanes);
        return Response::json(200, &proposal.ok_or_else(empty)?);
    }
    let report = DeliveryReport::of(&months, lanes);
    Response::json(200, &report.ok_or_else(empty)?)
}

fn refuse(error: MonthsError) -> Problem {
    let field = error.field();
    Problem::invalid(field, format!("`{field}` {error}."))
}
