//! `GET /operator/payment-cases`: a page of what waits for a person about
//! payments, the oldest first.
//!
//! One query of the index and one batched read. The index holds keys only and
//! may lag a moment behind; a case that was resolved since is left out.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Request, Response},
    },
    store::{Index, Key, Op, PageToken, Table, payments},
};

use crate::wire::case::{CaseFile, CasePage};

/// A page of cases. One with the body of an event may be large, and a batched
/// read brings at most 16 MB: more than these at their largest.
const PAGE: PageLimits = PageLimits { default: 20, most: 50 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "case-list",
    about: "Lists what waits for a person about payments.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/payment-cases")]),
    needs: &[
        Need::Table(Table::Payments, &[Op::BatchGetItem]),
        Need::Index(Table::Payments, Index::ByDue),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let (from, limit) = request.page(payments::case_cursor, PAGE)?;
    let page = app.store.cases_open(from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(Key::case).collect();
    let found = app.store.read(&keys).await?;
    let mut cases = Vec::with_capacity(page.items.len());
    for id in &page.items {
        let case = found.case(id)?.filter(|case| case.resolved.is_none());
        cases.extend(case.as_ref().map(CaseFile::from));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &CasePage { cases, next_cursor })
}
