//! `GET /me/points`: a member's balances, lots and movements.
//!
//! The ledger and the page of entries are read at the same time, so the answer
//! takes one round trip, however long the history. They lie in one partition,
//! but at its two ends, so one query cannot read the ledger and the latest
//! entries without all that is between them. A movement that is written in
//! that instant may be in one of the two and not yet in the other.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Request, Response},
    },
    store::{Op, Table, points},
};
use futures::future::try_join;

use crate::wire::PointsView;

/// A page of movements: at most some 20 KB of answer.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-view",
    about: "Shows a member's points: balances, when they end, and their movements.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/me/points")]),
    needs: &[Need::Table(Table::Points, &[Op::GetItem, Op::Query])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    let (from, limit) = request.page(points::cursor, PAGE)?;
    let entries = app.store.entries_of(&customer, from.as_ref(), limit);
    let (ledger, page) = try_join(app.store.ledger(&customer), entries).await?;
    Response::json(200, &PointsView::of(&ledger, &page))
}
