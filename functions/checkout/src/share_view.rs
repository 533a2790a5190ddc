//! `GET /shares/{id}`: shows a share to whoever knows its identity. It names nobody.

use std::sync::Arc;

use aftercart::{
    model::id::ShareId,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::wire::share::ShareView;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "share-view",
    about: "Shows a share to whoever knows its identity.",
    trigger: Trigger::Http(&[Route::open("GET", "/shares/{id}")]),
    needs: &[
        Need::Table(Table::Shares, &[Op::GetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let id = request.named("id", "share", ShareId::parse)?;
    let share = app.store.share(&id).await?;
    let share = share.ok_or_else(|| Problem::not_found("share"))?;
    let policy = app.policy().await?;
    Response::json(200, &ShareView::of(&share, policy.shares.campaign(&share.campaign)))
}
