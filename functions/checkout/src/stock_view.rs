//! `GET /products/{sku}/stock`: how much there is of a product, by location and
//! part. One batched read for each hundred levels that the policy makes room
//! for: one, with up to six locations.

use std::sync::Arc;

use aftercart::{
    model::{
        product::Sku,
        stock::{LocationId, MAX_SHARDS},
    },
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Key, Op, Table, stock},
};

use crate::{
    rules::stock::standing,
    wire::stock::{LocationStockView, StockView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stock-view",
    about: "Shows how much there is of a product, by location.",
    trigger: Trigger::Http(&[Route::operator("GET", "/products/{sku}/stock")]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let policy = app.policy().await?;
    let places: Vec<LocationId> = policy.stock.locations.iter().map(|it| it.id.clone()).collect();
    let parts = [(sku.clone(), MAX_SHARDS)];
    let mut keys = stock::level_keys(&parts, &places);
    keys.push(Key::product(&sku));
    let found = app.store.read(&keys).await?;
    let product = found.product(&sku)?.ok_or_else(|| Problem::not_found("product"))?;
    let levels = found.levels(&parts, &places)?;
    let sold = usize::from(policy.stock.shards(&sku));
    let locations = places.into_iter().map(|location| {
        let parts = levels.parts(&sku, &location);
        let sold_from = parts.get(..sold).unwrap_or(parts);
        let (state, _) = standing(Some(&product), &policy.stock, sold_from, app.now());
        let units = levels.sum(&sku, &location);
        let used = parts.iter().rposition(|it| *it != 0).map_or(0, |last| last.saturating_add(1));
        let parts = parts.iter().take(used.max(sold)).copied().collect();
        LocationStockView { location, state, units, parts }
    });
    let locations: Vec<LocationStockView> = locations.collect();
    let units = locations.iter().map(|it| it.units).fold(0, i64::saturating_add);
    Response::json(200, &StockView { sku, units, locations })
}
