//! `PUT /cart` and `PUT /guest/cart`: fills a cart anew.
//!
//! The request is all that is in the cart from then on. A client that names
//! the version that it saw changes no other: 409 with the cart as it is. Safe
//! to repeat: a cart that is as it was asked is not written again. Products
//! are not looked at before: they come and go while the cart is kept, and the
//! answer marks those that are gone.

use std::sync::Arc;

use aftercart::{
    model::cart::{Cart, CartContent, CartOwner},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, StoreError, Table},
};
use serde_json::json;

use crate::{
    asking, cart_call,
    rules::{cart, lines},
    wire::cart::PutCart,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cart-put",
    about: "Fills a cart anew, unless it changed since the client saw it.",
    trigger: Trigger::Http(&[Route::shopper("PUT", "/cart"), Route::open("PUT", "/guest/cart")]),
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

/// Why a cart is not filled.
enum NotPut {
    /// It has another version than the client saw.
    Changed(Box<Cart>),
    Failed(StoreError),
}

impl From<StoreError> for NotPut {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    let (owner, content, seen) = parse(&request)?;
    let (policy, now) = (app.policy().await?, app.now());
    let terms = policy.carts.terms(&owner);
    let rule = |cart: &Cart| {
        let changed = cart::replace(cart, &content, seen, terms, now);
        changed
            .map(|changed| changed.map(|cart| cart.of(&owner)))
            .map_err(|cart::Changed| NotPut::Changed(Box::new(cart.clone())))
    };
    match app.store.change_cart(&owner.cart(), now, rule).await {
        Ok(cart) => Response::json(200, &cart_call::view(&app, &cart).await?),
        Err(NotPut::Changed(cart)) => Err(changed(&app, &cart).await?.into()),
        Err(NotPut::Failed(error)) => Err(error.into()),
    }
}

fn parse(request: &Request) -> Result<(CartOwner, CartContent, Option<u64>), Problem> {
    let owner = cart_call::owner(request)?;
    let body: PutCart = request.json()?;
    let asked = body.lines.into_iter().map(|line| (line.sku, line.quantity)).collect();
    let lines = lines::lines(asked).map_err(|refusal| asking::malformed(&refusal))?;
    let PutCart { codes, contact, remind, version, .. } = body;
    let content = CartContent { lines, codes, contact, remind };
    cart::check(&content).map_err(|refusal| cart_call::refuse(&refusal))?;
    Ok((owner, content, version))
}

async fn changed(app: &App, cart: &Cart) -> Result<Problem, Failure> {
    let detail = "The cart was changed meanwhile. Look at it as it is, and send it again.";
    let problem = Problem::new(409, "cart-changed", "The cart was changed", detail).at("version");
    Ok(problem.with("cart", json!(cart_call::view(app, cart).await?)))
}
