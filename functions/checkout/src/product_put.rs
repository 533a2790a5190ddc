//! `PUT /products/{sku}`: writes a product of the catalogue, whole: what the
//! request leaves out the product has no longer.
//!
//! Safe to repeat. Orders that were placed keep the price that they were
//! placed at.

use std::sync::Arc;

use aftercart::{
    model::product::{Product, Sku},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table, products},
};

use crate::{
    rules::product,
    wire::{ProductView, PutProduct},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "product-put",
    about: "Writes a product of the catalogue.",
    trigger: Trigger::Http(&[Route::operator("PUT", "/products/{sku}")]),
    needs: &[Need::Table(Table::Products, &[Op::PutItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    let product = parse(&request)?;
    app.store.commit(products::put(&product)).await?;
    Response::json(200, &ProductView::from(product))
}

fn parse(request: &Request) -> Result<Product, Problem> {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let PutProduct { title, price, facts, access } = request.json()?;
    let product = Product { sku, title, price, facts, access };
    product::check(&product).map_err(|error| {
        let detail = error.to_string();
        Problem::invalid(error.field, detail)
    })?;
    Ok(product)
}
