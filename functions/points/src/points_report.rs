//! `GET /operator/points/liability`: what the programme owes its members, when
//! it ends, what it is worth in money, and what became of what was given.
//!
//! It is read from the tally of a day, the latest that is complete unless
//! `date` says otherwise. `format=csv` gives the months in which points end as
//! a table for spreadsheets.

use std::sync::Arc;

use aftercart::{
    model::{tally::Tally, time::Date},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::wire::reports::LiabilityView;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-report",
    about: "Reports what the points programme owes, by the month in which it ends.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/points/liability")]),
    needs: &[
        Need::Table(Table::Points, &[Op::GetItem, Op::Query]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, report))
}

async fn report(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    request.only_query(&["date", "format"])?;
    let table = match request.query("format") {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Problem::invalid("format", "The format is `json` or `csv`.").into()),
    };
    let date = request.query("date").map(|text| {
        Date::parse(text).map_err(|error| Problem::invalid("date", format!("The date {error}.")))
    });
    let tally = match date.transpose()? {
        Some(date) => app.store.tally(date).await?.filter(Tally::is_complete),
        None => app.store.latest_tally().await?,
    };
    let tally: Tally = tally.ok_or_else(|| Problem::not_found("tally"))?;
    let policy = app.policy().await?;
    let report = LiabilityView::of(&tally, policy.points.offset.as_ref());
    if table {
        return Ok(Response {
            status: 200,
            headers: Vec::new(),
            content_type: "text/csv; charset=utf-8",
            body: report.table(),
        });
    }
    Response::json(200, &report)
}
