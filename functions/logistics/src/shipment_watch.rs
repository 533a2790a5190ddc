//! Every five minutes: looks at the orders whose shipments are to be looked at:
//! what no carrier tells, because nothing happens, follows from the time.
//!
//! The shipments of all that is due are read in batches; what follows from each
//! is decided and written by itself, see [`crate::rules::follow`].

use std::sync::Arc;

use aftercart::{
    model::id::OrderId,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
        secrets::Secret,
    },
    store::{Found, Index, Key, Op, Table},
};

use crate::following;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "shipment-watch",
    about: "Raises alerts about parcels of which nothing is heard, and tells buyers.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::UpdateItem, Op::PutItem]),
        Need::Index(Table::Shipments, Index::ByDue),
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Customers, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let due = app.store.dispatches_due(app.now(), SWEEP_MAX).await?;
    let keys: Vec<Key> = due.iter().map(Key::dispatch).collect();
    let found = app.store.read(&keys).await?;
    let mut swept = Swept::default();
    for order in &due {
        swept.see_to(order.as_str(), see_to(&app, order, &found)).await;
    }
    Ok(swept)
}

async fn see_to(app: &App, order: &OrderId, found: &Found) -> Result<Outcome, Failure> {
    match found.dispatch(order)? {
        Some(dispatch) => following::follow(app, dispatch, None).await,
        None => Ok(Outcome::Settled),
    }
}
