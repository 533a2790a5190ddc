//! `GET /operator/alerts`: a page of the open alerts about deliveries, those
//! first that are to be seen to first.
//!
//! One query of the index and one batched read. The index holds keys only and
//! may lag a moment behind; an alert that ended since is left out, and so is
//! one of another owner or kind, if one is asked for.

use std::sync::Arc;

use aftercart::{
    model::alert::{Alert, AlertKind, Owner},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
    },
    store::{Index, Key, Op, PageToken, Table, alerts},
};
use serde::de::DeserializeOwned;

use crate::wire::alert::{AlertFile, AlertPage};

/// A page of alerts: some 1 KB each, as many as a batched read takes.
const PAGE: PageLimits = PageLimits { default: 50, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "alert-list",
    about: "Lists what somebody is to see to about deliveries.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/alerts")]),
    needs: &[
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Index(Table::Shipments, Index::ByDue),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let (from, limit) = request.filtered_page(&["owner", "kind"], alerts::cursor, PAGE)?;
    let owner: Option<Owner> = filter(&request, "owner")?;
    let kind: Option<AlertKind> = filter(&request, "kind")?;
    let page = app.store.alerts_open(from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(Key::alert).collect();
    let found = app.store.read(&keys).await?;
    let is_wanted = |it: &Alert| {
        it.ended.is_none()
            && owner.is_none_or(|owner| it.owner == owner)
            && kind.is_none_or(|kind| it.kind == kind)
    };
    let mut alerts = Vec::with_capacity(page.items.len());
    for id in &page.items {
        alerts.extend(found.alert(id)?.filter(is_wanted).map(AlertFile::from));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &AlertPage { alerts, next_cursor })
}

/// What is asked for by its name, if anything is.
fn filter<T: DeserializeOwned>(
    request: &Request,
    name: &'static str,
) -> Result<Option<T>, Problem> {
    let read = |text: &str| {
        let unknown = |_| Problem::invalid(name, format!("There is no such {name}."));
        serde_json::from_value(text.into()).map_err(unknown)
    };
    request.query(name).map(read).transpose()
}
