//! `PUT /cart/lines/{sku}` and `PUT /guest/cart/lines/{sku}`: sets how many
//! units of a SKU are in a cart.
//!
//! Two tabs that change a cart at the same moment both come through: the
//! write is conditional on the version, and who loses decides again. Safe to
//! repeat: a quantity that is there already is not written again.

use std::sync::Arc;

use aftercart::{
    model::{
        cart::{Cart, CartLine, CartOwner},
        product::Sku,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::{cart_call, rules::cart, wire::cart::PutCartLine};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cart-line-put",
    about: "Sets how many units of a SKU are in a cart.",
    trigger: Trigger::Http(&[
        Route::shopper("PUT", "/cart/lines/{sku}"),
        Route::open("PUT", "/guest/cart/lines/{sku}"),
    ]),
    needs: &[
        Need::Table(Table::Carts, &[Op::GetItem, Op::PutItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    let (owner, line) = parse(&request)?;
    let (policy, now) = (app.policy().await?, app.now());
    let terms = policy.carts.terms(&owner);
    let rule = |cart: &Cart| -> Result<Option<Cart>, Failure> {
        let changed = cart::put_line(cart, &line, terms, now);
        let changed = changed.map_err(|refusal| cart_call::refuse(&refusal))?;
        Ok(changed.map(|cart| cart.of(&owner)))
    };
    let cart = app.store.change_cart(&owner.cart(), now, rule).await?;
    Response::json(200, &cart_call::view(&app, &cart).await?)
}

fn parse(request: &Request) -> Result<(CartOwner, CartLine), Problem> {
    let owner = cart_call::owner(request)?;
    let sku = request.named("sku", "product", Sku::parse)?;
    let body: PutCartLine = request.json()?;
    let quantity = cart::quantity(body.quantity).map_err(|refusal| cart_call::refuse(&refusal))?;
    Ok((owner, CartLine { sku, quantity }))
}
