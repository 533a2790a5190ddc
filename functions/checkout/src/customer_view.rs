//! `GET /customers/{id}`: what the shop knows of a member, with a page of the
//! vouchers.
//!
//! The record and the page are read at the same time, so the answer takes one
//! round trip. A member of whom nothing is known has an empty record: who is a
//! member only the identity provider knows.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table, vouchers},
};
use futures::future::try_join;

use crate::{
    member,
    voucher_list::PAGE,
    wire::customer::{CustomerPage, VoucherPage},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "customer-view",
    about: "Shows what the shop knows of a member, and the member's vouchers.",
    trigger: Trigger::Http(&[Route::operator("GET", "/customers/{id}")]),
    needs: &[Need::Table(Table::Customers, &[Op::GetItem, Op::Query])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let customer = member::in_path(&request)?;
    let (from, limit) = request.page(vouchers::cursor, PAGE)?;
    let page = app.store.vouchers_of(&customer, from.as_ref(), limit);
    let (profile, page) = try_join(app.store.profile(&customer), page).await?;
    let VoucherPage { vouchers, next_cursor } = VoucherPage::of(page, app.now());
    Response::json(200, &CustomerPage { customer: profile.into(), vouchers, next_cursor })
}
