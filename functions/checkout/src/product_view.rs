//! `GET /products/{sku}`: a product of the catalogue as it is written, to its
//! operators: who replaces it whole has to see it whole. One read.

use std::sync::Arc;

use aftercart::{
    model::product::Sku,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Key, Op, Table},
};

use crate::wire::ProductView;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "product-view",
    about: "Shows a product of the catalogue with all that was written of it.",
    trigger: Trigger::Http(&[Route::operator("GET", "/products/{sku}")]),
    needs: &[Need::Table(Table::Products, &[Op::BatchGetItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let found = app.store.read(&[Key::product(&sku)]).await?;
    let product = found.product(&sku)?.ok_or_else(|| Problem::not_found("product"))?;
    Response::json(200, &ProductView::from(product))
}
