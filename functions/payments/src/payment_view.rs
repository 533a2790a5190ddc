//! `GET /orders/{id}/payments/{payment}` and `GET /orders/{id}/payments`, and
//! the guests' routes: where an attempt to pay stands, and which there are.
//!
//! An attempt is read with all that is known of it, and its order beside it:
//! two calls at the same time. Its state is folded anew, so it never lags
//! behind the reports. The list is what the order knows: attempts of which
//! something was heard. Another buyer's order or attempt is not found.

use std::sync::Arc;

use aftercart::{
    model::{id::PaymentId, order::Order},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Buyer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Key, Op, Table},
};
use futures::future::try_join;

use crate::{
    rules::fold,
    wire::attempt::{AttemptList, AttemptView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-view",
    about: "Shows where the attempts to pay an order stand.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/orders/{id}/payments/{payment}"),
        Route::open("GET", "/guest/orders/{id}/payments/{payment}"),
        Route::shopper("GET", "/orders/{id}/payments"),
        Route::open("GET", "/guest/orders/{id}/payments"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Payments, &[Op::Query]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let all = ["/orders/{id}/payments", "/guest/orders/{id}/payments"];
    if all.into_iter().any(|path| request.is_for(path)) {
        return Response::json(200, &AttemptList::of(&order(&app, &buyer).await?, app.now()));
    }
    let payment = request.named("payment", "payment", PaymentId::parse)?;
    let history = async { app.store.payment(&payment).await.map_err(Failure::from) };
    let (order, history) = try_join(order(&app, &buyer), history).await?;
    let ours = history.attempt.as_ref().filter(|it| it.order == order.id);
    let attempt = ours.ok_or_else(|| Problem::not_found("payment"))?;
    let folded = fold::fold(attempt, &history.events);
    Response::json(200, &AttemptView::of(attempt, &history, folded, &order, app.now()))
}

async fn order(app: &App, buyer: &Buyer) -> Result<Order, Failure> {
    let found = app.store.read(&[Key::order(&buyer.customer, &buyer.order)]).await?;
    let order = found.order(&buyer.customer, &buyer.order)?;
    Ok(order.ok_or_else(|| Problem::not_found("order"))?)
}
