//! `GET /me/membership`: a member's tier, how it is kept and how the next one
//! is reached, in the language of the request.
//!
//! What it says holds now, whether or not anybody looked at the ledger of late:
//! one round trip, two for an account that flows into another.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::{account, rules::standing};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "membership-view",
    about: "Shows a member's tier, how it is kept, and how the next one is reached.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/me/membership")]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    request.only_query(&["lang"])?;
    let policy = app.policy().await?;
    let ledger = account::ledger(&app, &customer).await?;
    let language = request.language(None);
    Response::json(200, &standing::view(&ledger, &policy.points, language, app.now()))
}
