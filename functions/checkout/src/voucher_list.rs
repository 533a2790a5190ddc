//! `GET /me/vouchers`: a page of the member's vouchers.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Request, Response},
    },
    store::{Op, Table, vouchers},
};

use crate::wire::customer::VoucherPage;

/// A page of vouchers: at most some 20 KB of answer.
pub(crate) const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "voucher-list",
    about: "Lists a member's vouchers, a page at a time.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/me/vouchers")]),
    needs: &[Need::Table(Table::Customers, &[Op::Query])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    let (from, limit) = request.page(vouchers::cursor, PAGE)?;
    let page = app.store.vouchers_of(&customer, from.as_ref(), limit).await?;
    Response::json(200, &VoucherPage::of(page, app.now()))
}
