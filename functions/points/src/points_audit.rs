//! `GET /operator/customers/{id}/points/audit`: makes a member's ledger again
//! from nothing but its entries, and compares.
//!
//! A call reads a bounded number of entries, earliest first. If there are more,
//! it gives a cursor that carries what they amount to so far, and the next call
//! goes on. When all are read, they are compared with the ledger. A difference
//! that is there while others write tells nothing: then the answer says that
//! the ledger changed, and the audit is begun again.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        points::{Entry, audit::Rebuilt},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Op, Table, points},
};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::wire::reports::{AuditState, PointsAuditView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-audit",
    about: "Makes a member's ledger of points again from its entries and compares.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/customers/{id}/points/audit")]),
    needs: &[Need::Table(Table::Points, &[Op::GetItem, Op::Query])],
    handle,
};

/// How many entries are read at a time, some 400 KB.
const PAGE: u16 = 1_000;

/// The most pages of one call: at some 100 ms each they take half a second, and
/// few members ever have so many entries.
const PAGES_MAX: u32 = 5;

/// The most entries that contradict themselves of which the answer tells.
const ODD_MAX: usize = 20;

/// How far an audit came: what a cursor carries.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    /// The version of the ledger before the first entry was read.
    version: u64,
    /// After which entry it goes on.
    after: Option<String>,
    /// What the entries amount to.
    rebuilt: AuditState,
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, audit))
}

async fn audit(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    request.only_query(&["cursor"])?;
    let customer = request.named("id", "customer", CustomerId::parse)?;
    let mut progress = match request.query("cursor") {
        Some(text) => read_cursor(text)?,
        None => Progress {
            version: app.store.ledger(&customer).await?.version,
            after: None,
            rebuilt: AuditState::default(),
        },
    };
    let mut rebuilt = progress.rebuilt.rebuilt();
    for _ in 0..PAGES_MAX {
        let after = progress.after.as_deref().and_then(points::cursor);
        let ever = (Timestamp::FIRST, Timestamp::LAST);
        let page = app.store.entries_between(&customer, ever, after.as_ref(), PAGE).await?;
        page.items.iter().for_each(|entry| add(&mut rebuilt, &mut progress.rebuilt, entry));
        progress.after = page.next.map(|next| next.encode());
        if progress.after.is_none() {
            return compare(&app, &customer, &progress, &rebuilt).await;
        }
    }
    progress.rebuilt.keep(&rebuilt);
    let cursor = serde_json::to_vec(&progress).map_err(Failure::bug)?;
    let cursor = BASE64URL_NOPAD.encode(&cursor);
    Response::json(200, &PointsAuditView::incomplete(&customer, &rebuilt, cursor))
}

fn read_cursor(text: &str) -> Result<Progress, Problem> {
    let detail = "The cursor is not one that an audit gave; leave it out to start over.";
    let invalid = || Problem::invalid("cursor", detail);
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| invalid())?;
    let progress: Progress = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
    let goes_on = progress.after.as_deref().is_some_and(|after| points::cursor(after).is_some());
    if goes_on { Ok(progress) } else { Err(invalid()) }
}

/// Adds an entry, or notes that it contradicts itself.
fn add(rebuilt: &mut Rebuilt, state: &mut AuditState, entry: &Entry) {
    if rebuilt.add(entry).is_err() && state.odd.len() < ODD_MAX {
        state.odd.push(entry.id.clone());
    }
}

async fn compare(
    app: &App,
    customer: &CustomerId,
    progress: &Progress,
    rebuilt: &Rebuilt,
) -> Answer {
    let ledger = app.store.ledger(customer).await?;
    if rebuilt.entries == 0 && ledger.version == 0 && progress.rebuilt.odd.is_empty() {
        return Err(Problem::not_found("ledger").into());
    }
    let differences = rebuilt.differences(&ledger);
    let same = differences.is_empty() && progress.rebuilt.odd.is_empty();
    if !same && ledger.version != progress.version {
        return Response::json(200, &PointsAuditView::changed(customer, rebuilt));
    }
    if !same {
        app.metrics.count(Metric::LedgerMismatch, app.now());
        tracing::error!(customer = customer.as_str(), "a ledger is not what its entries say");
    }
    let odd = &progress.rebuilt.odd;
    Response::json(200, &PointsAuditView::compared(customer, rebuilt, odd, &differences))
}
