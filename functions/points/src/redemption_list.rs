//! `GET /me/redemptions`: a page of what a member took for points, latest
//! first. `GET /operator/redemptions`: a page of what waits for somebody, those
//! first that were taken first.
//!
//! One query and one batched read. What operators get comes from an index that
//! may lag a moment behind; what was seen to since is left out.

use std::sync::Arc;

use aftercart::{
    model::{id::RedemptionId, reward::Redemption},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Request, Response},
    },
    store::{Index, Key, Op, Page, Table, rewards},
};

use crate::wire::reward::{RedemptionFilePage, RedemptionPage};

/// A page of redemptions: some 1 KB each, as many as a batched read takes.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "redemption-list",
    about: "Lists what a member took for points, and what waits for somebody.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/me/redemptions"),
        Route::operator("GET", "/operator/redemptions"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::Query]),
        Need::Index(Table::Points, Index::ByDue),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    if request.is_operators() {
        request.operator()?;
        let (from, limit) = request.page(rewards::waiting_cursor, PAGE)?;
        let page = app.store.redemptions_waiting(from.as_ref(), limit).await?;
        let mut page = read(&app, page).await?;
        page.items.retain(Redemption::waits);
        return Response::json(200, &RedemptionFilePage::of(page));
    }
    let customer = request.member()?;
    let (from, limit) = request.page(rewards::cursor, PAGE)?;
    let page = app.store.redemptions_of(&customer, from.as_ref(), limit).await?;
    Response::json(200, &RedemptionPage::of(read(&app, page).await?))
}

async fn read(app: &App, page: Page<RedemptionId>) -> Result<Page<Redemption>, Failure> {
    let keys: Vec<Key> = page.items.iter().map(Key::redemption).collect();
    let found = app.store.read(&keys).await?;
    let items = page.items.iter().filter_map(|id| found.redemption(id).transpose());
    Ok(Page { items: items.collect::<Result<_, _>>()?, next: page.next })
}
