//! Every minute: ends the orders that were not paid while their stock was held.
//!
//! The order's end and the return of all that it took are one transaction,
//! which happens once however often the sweep runs.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        id::OrderId,
        order::{OrderEvent, OrderStatus},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
    },
    store::{CommitError, Index, Op, Table},
};

use crate::changing;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-expire",
    about: "Ends unpaid orders whose hold is over and returns all that they took.",
    trigger: Trigger::Schedule("rate(1 minute)"),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem, Op::UpdateItem]),
        Need::Index(Table::Orders, Index::ByDue),
        Need::Table(Table::Stock, &[Op::UpdateItem]),
        Need::Table(Table::Quotas, &[Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::UpdateItem]),
        Need::Table(Table::Points, &[Op::UpdateItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let mut swept = Swept::default();
    for (customer, order) in app.store.orders_due(app.now(), SWEEP_MAX).await? {
        swept.see_to(order.as_str(), expire(&app, &customer, &order)).await;
    }
    Ok(swept)
}

/// The index lags, so the order itself says whether it is due.
async fn expire(app: &App, customer: &CustomerId, order: &OrderId) -> Result<Outcome, Failure> {
    let Some(order) = app.store.order(customer, order).await? else { return Ok(Outcome::Settled) };
    let now = app.now();
    let Ok(OrderStatus::Expired) = order.status.after(OrderEvent::Expire) else {
        return Ok(Outcome::Settled);
    };
    if order.expires_at.is_none_or(|end| now < end) {
        return Ok(Outcome::Settled);
    }
    match app.store.commit(changing::expiry(&order, now)?).await {
        Ok(()) => {
            app.metrics.count(Metric::OrderExpired, now);
            Ok(Outcome::Done)
        }
        // It was paid or cancelled in the meantime; or changed otherwise, and
        // then it is due in the next sweep.
        Err(CommitError::Lost(conflicts)) if conflicts.iter().any(|lost| lost.position == 0) => {
            Ok(Outcome::Settled)
        }
        Err(error) => Err(error.into()),
    }
}
