//! `POST /cart/merge`: moves what is in a guest's cart, named by the header
//! `Cart-Token`, into the member's who has signed in.
//!
//! Both carts are written in one transaction, each over the version that was
//! read, so every unit is moved once: repeating the call finds the guest's
//! cart empty and has the same answer. Lines that the member's cart has no
//! room for stay in the guest's, and the answer names them.

use std::sync::Arc;

use aftercart::{
    model::cart::{Cart, CartOwner},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Commit, CommitError, Key, Op, Sends, Table, carts},
};

use crate::{cart_call, rules::cart, wire::cart::MergedCartView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "cart-merge",
    about: "Moves a guest's cart into the member's, once.",
    trigger: Trigger::Http(&[Route::shopper("POST", "/cart/merge")]),
    needs: &[
        Need::Table(Table::Carts, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a merge is decided again because somebody changed one of the
/// carts meanwhile. Both are one person's, who signs in.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, merge))
}

async fn merge(app: Arc<App>, request: Request) -> Answer {
    let member = CartOwner::Member(request.member()?);
    let guest = CartOwner::Guest(cart_call::token(&request)?);
    let (policy, now) = (app.policy().await?, app.now());
    let (member_terms, guest_terms) = (policy.carts.terms(&member), policy.carts.terms(&guest));
    let ids = [member.cart(), guest.cart()];
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&ids.each_ref().map(Key::cart)).await?;
        let [known, guest] = ids.each_ref().map(|id| found.cart(id, now));
        let (member, guest) = (known?.of(&member), guest?);
        let merged = cart::merge((&member, member_terms), (&guest, guest_terms), now);
        let changed = [&merged.member, &merged.guest].into_iter().flatten();
        let writes = changed.map(|cart| carts::save(cart, &Sends::none()));
        match app.store.commit(writes.collect::<Commit>()).await {
            Ok(()) => {
                let member = merged.member.unwrap_or(member);
                return answer(&app, &member, &merged.guest.unwrap_or(guest)).await;
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the carts changed {ATTEMPTS} times while they were merged")))
}

async fn answer(app: &App, member: &Cart, guest: &Cart) -> Answer {
    let not_merged = guest.content.lines.iter().map(|line| line.sku.clone()).collect();
    let cart = cart_call::view(app, member).await?;
    Response::json(200, &MergedCartView { cart, not_merged })
}
