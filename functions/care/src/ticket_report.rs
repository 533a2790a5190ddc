//! `GET /operator/ticket-reports`: how tickets were seen to: how long it took to
//! answer and to solve them, how many of that in time, how many were opened
//! again, and how satisfied customers were afterwards, each with its interval.
//!
//! `from` and `to` name the months in which the tickets were opened; they are
//! the present one and the two before it, if nothing is said. `by` tells apart
//! by `desk`, `topic`, `priority`, `cause` or `month`. One query a month reads
//! what was counted, however many tickets there are. `format=csv` gives it as a
//! table.

use std::sync::Arc;

use aftercart::{
    model::months,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    rules::report::{self, By},
    wire::report::{TicketReport, TicketReportLine},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-report",
    about: "Shows how soon tickets are answered and solved, and how that is liked.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/ticket-reports")]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::Query]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, report))
}

async fn report(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    request.only_query(&["from", "to", "by", "format"])?;
    let by = By::parse(request.query("by")).ok_or_else(|| {
        Problem::invalid("by", "`by` is `desk`, `topic`, `priority`, `cause` or `month`.")
    })?;
    let is_table = match request.query("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::invalid("format", "The format is `json` or `csv`.").into()),
    };
    let asked = months::between(request.query("from"), request.query("to"), app.now());
    let asked = asked.map_err(|error| {
        let field = error.field();
        Problem::invalid(field, format!("`{field}` {error}."))
    })?;
    let policy = app.policy().await?;
    let mut counted = Vec::with_capacity(asked.len());
    for month in &asked {
        counted.push((month.clone(), app.store.ticket_counts(month.as_str()).await?));
    }
    let least = policy.surveys.least_answers();
    let lines = report::lines(counted, by).into_iter();
    let lines = lines.map(|(name, it)| TicketReportLine::of(name, &report::figures(&it, least)));
    let none = || Failure::bug("no month was asked for");
    let (from, to) = asked.first().zip(asked.last()).ok_or_else(none)?;
    let report = TicketReport { from: from.clone(), to: to.clone(), least, lines: lines.collect() };
    if is_table {
        return Ok(Response {
            status: 200,
            headers: Vec::new(),
            content_type: "text/csv; charset=utf-8",
            body: report.table(),
        });
    }
    Response::json(200, &report)
}
