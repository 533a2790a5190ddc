//! `GET /orders`: a page of the member's orders, latest first.
//!
//! One query of the index and one batched read. The index holds keys only, so
//! an order's changes cost it nothing; it may lag a moment behind an order
//! that was just placed.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Request, Response},
    },
    store::{Index, Key, Op, PageToken, Table, orders},
};

use crate::wire::{OrderPage, OrderSummary};

/// A page of orders: at most what one batched read takes.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-list",
    about: "Lists a member's orders, latest first, a page at a time.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/orders")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Index(Table::Orders, Index::ByTime),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    let (from, limit) = request.page(orders::cursor, PAGE)?;
    let page = app.store.orders_of(&customer, from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(|order| Key::order(&customer, order)).collect();
    let found = app.store.read(&keys).await?;
    let mut summaries = Vec::with_capacity(page.items.len());
    for order in &page.items {
        summaries.extend(found.order(&customer, order)?.as_ref().map(OrderSummary::from));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &OrderPage { orders: summaries, next_cursor })
}
