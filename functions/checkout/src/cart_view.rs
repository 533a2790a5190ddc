//! `GET /cart` and `GET /guest/cart`: what is in a cart.
//!
//! Two reads: the cart, then the products of its lines, so that titles and
//! prices are those of the moment. The prices are list prices; what the cart
//! costs with discounts, delivery and taxes is the answer of `POST /quotes`.
//! Everybody has a cart: one that was never filled, or has expired, is empty.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::cart_call;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cart-view",
    about: "Shows a cart with the products as they are now.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/cart"), Route::open("GET", "/guest/cart")]),
    needs: &[
        Need::Table(Table::Carts, &[Op::GetItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let owner = cart_call::owner(&request)?;
    let cart = app.store.cart(&owner.cart(), app.now()).await?;
    Response::json(200, &cart_call::view(&app, &cart).await?)
}
