//! `POST /orders/{id}/cancel` and `POST /guest/orders/{id}/cancel`: calls off
//! an order that is not paid.
//!
//! The order's end and the return of its stock are one transaction. Safe to
//! repeat: a cancelled order stays cancelled, with the same answer.

use std::sync::Arc;

use aftercart::{
    model::order::{IllegalMove, Order, OrderEvent, OrderStatus},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Op, Table, orders},
};

use crate::{ending, wire::OrderView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-cancel",
    about: "Calls off an unpaid order and returns its stock.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders/{id}/cancel"),
        Route::open("POST", "/guest/orders/{id}/cancel"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Stock, &[Op::UpdateItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, cancel))
}

async fn cancel(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let order = app.store.order(&buyer.customer, &buyer.order).await?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    if order.status == OrderStatus::Cancelled {
        return answer(&order);
    }
    let status = order.status.after(OrderEvent::Cancel).map_err(refuse)?;
    match app.store.commit(ending::writes(&order, status)).await {
        Ok(()) => {
            app.metrics.count(Metric::OrderCancelled, app.now());
            answer(&Order { status, ..order })
        }
        Err(CommitError::Lost(conflicts)) => {
            // The order moved since it was read, or this is our own write met again.
            let found = conflicts.iter().find(|conflict| conflict.position == 0);
            let found = found.and_then(|conflict| conflict.found.as_ref());
            let found = found.ok_or_else(|| Failure::bug("stock to return to is missing"))?;
            let now = orders::from_item(found)?;
            match now.status {
                OrderStatus::Cancelled => answer(&now),
                status => Err(refuse(IllegalMove { status, event: OrderEvent::Cancel }).into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn answer(order: &Order) -> Answer {
    Response::json(200, &OrderView::of(order, None))
}

fn refuse(illegal: IllegalMove) -> Problem {
    let detail = match illegal.status {
        OrderStatus::Paid => "The order is paid. Please contact the shop.",
        OrderStatus::Expired => "The order has expired; nothing is held or owed for it.",
        OrderStatus::Cancelled | OrderStatus::Placed => "The order cannot be cancelled.",
    };
    Problem::new(409, "order-not-cancellable", "The order cannot be cancelled", detail)
        .with("status", illegal.status.as_str().into())
}
