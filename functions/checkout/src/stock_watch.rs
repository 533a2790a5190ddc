//! Changed levels: tells when a product runs low at a location, runs out, or
//! is back.
//!
//! A change only says where to look. What is told follows from the levels as
//! they are now and from what was told last, so changes may come in any order
//! and any number of times; what two calls find at once, one of them tells.

use std::{collections::BTreeSet, sync::Arc};

use aftercart::{
    messages::{Message, StockChanged},
    model::{
        product::Sku,
        stock::{LocationId, StockState},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        stream::{self, Changed},
    },
    store::{Key, Op, Sends, Table, stock},
};

use crate::rules::stock::standing;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "stock-watch",
    about: "Tells when a product runs low at a location, runs out, or is back.",
    trigger: Trigger::Stream(&[Table::Stock]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(stream::serve(app, call, watch))
}

/// How many changes, from the first on, are seen to. Of many changes of a
/// level in one batch the first is enough: it is looked at after all of them.
async fn watch(app: Arc<App>, changes: Vec<Changed>) -> Result<usize, Failure> {
    let mut seen = BTreeSet::new();
    for (done, change) in changes.iter().enumerate() {
        let Some(level) = stock::level_of(&change.keys) else { continue };
        if seen.contains(&level) {
            continue;
        }
        if let Err(failure) = look(&app, &level.0, &level.1).await {
            let (sku, location) = (level.0.as_str(), level.1.as_str());
            tracing::error!(sku, location, class = failure.class(), error = %failure, "not told");
            return Ok(done);
        }
        seen.insert(level);
    }
    Ok(changes.len())
}

/// A first level that is not low is noted without telling anybody. Losing to
/// another call is a failure: the change comes again, and by then it is told.
async fn look(app: &App, sku: &Sku, location: &LocationId) -> Result<(), Failure> {
    let policy = app.policy().await?;
    let (parts, places) = ([(sku.clone(), policy.stock.shards(sku))], [location.clone()]);
    let mut keys = stock::level_keys(&parts, &places);
    keys.extend([Key::product(sku), Key::stock_watch(sku, location)]);
    let found = app.store.read(&keys).await?;
    let (product, before) = (found.product(sku)?, found.stock_watch(sku, location)?);
    let (levels, now) = (found.levels(&parts, &places)?, app.now());
    let parts = levels.parts(sku, location);
    let (state, available) = standing(product.as_ref(), &policy.stock, parts, now);
    let sends = match before.map(|it| it.state) {
        Some(told) if told == state => return Ok(()),
        None if state == StockState::In => Sends::none(),
        _ => {
            let (sku, location) = (sku.clone(), location.clone());
            let changed = StockChanged { sku, location, state, available };
            Sends::one(Message::StockChanged(changed), now, None)
        }
    };
    Ok(app.store.commit(stock::tell(sku, location, before, state, &sends)).await?)
}
