//! `PUT /orders/{id}/shipping-address` and the guests' route: sends an order
//! somewhere else, as long as its parcel has no label.
//!
//! Price, tax and promise of the delivery stay, so the new address must be of
//! the same country and region, and of the same place of the order's delivery
//! method by the policy, and no risk rule may ask about addresses; otherwise
//! it is a 409. The packers of an open shipment
//! are told. Safe to repeat: an order that goes there already is answered so.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::Address,
        order::{Actor, Order},
        policy::Policy,
        risk::RiskKind,
    },
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};
use aftercart_pricing::delivery;

use crate::{
    changing,
    rules::change::{self, By},
    wire::order::OrderView,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "address-change",
    about: "Changes where an order goes that is not sent yet.",
    trigger: Trigger::Http(&[
        Route::shopper("PUT", "/orders/{id}/shipping-address"),
        Route::open("PUT", "/guest/orders/{id}/shipping-address"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, readdress))
}

async fn readdress(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let address: Address = request.json()?;
    let policy = app.policy().await?;
    let by = By { who: Actor::Buyer, at: app.now(), why: None };
    let outcome = changing::change(&app, &buyer, request.trace(), |order, dispatch| {
        // Rules about addresses judged the one that the order was placed with.
        let judged = policy.risk.asks_about(RiskKind::Address);
        let same = same_place(order, &address, &policy) && !judged;
        change::readdress(order, dispatch, &address, same, &by)
    })
    .await?;
    Response::json(200, &OrderView::of(&outcome.order, outcome.dispatch.as_ref()))
}

/// Whether the order's delivery costs and promises the same at both addresses.
fn same_place(order: &Order, address: &Address, policy: &Policy) -> bool {
    let (old, new) = ((&order.address).into(), address.into());
    delivery::is_same(&policy.delivery, &order.delivery.method, &old, &new)
}
