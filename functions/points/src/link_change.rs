//! Links of accounts, as operators see and change them.
//!
//! `POST /operator/links` links two accounts of one member (a small one only:
//! nobody moves more points alone than an adjustment may),
//! `GET /operator/customers/{id}/links` lists what is linked, and
//! `POST /operator/links/{id}/undoing` takes two apart: what is left of what
//! came goes back, unless it is held. Each is one transaction of both ledgers and the link, and
//! safe to repeat.

use std::sync::Arc;

use aftercart::{
    model::{customer::CustomerId, id::LinkId},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Key, Op, Table},
};

use crate::{
    linking::{self, By},
    wire::channels::{LinkAccounts, LinkFile, LinkList, UndoLink},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "link-change",
    about: "Links two accounts of one person, lists links, and takes accounts apart again.",
    trigger: Trigger::Http(&[
        Route::operator("POST", "/operator/links"),
        Route::operator("GET", "/operator/customers/{id}/links"),
        Route::operator("POST", "/operator/links/{id}/undoing"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    let by = request.operator_name()?;
    if request.is_for("/operator/links") {
        let LinkAccounts { main, other } = request.json()?;
        for (field, account) in [("main", &main), ("other", &other)] {
            if !account.is_member() {
                return Err(Problem::invalid(field, "Name a member: a guest has no points.").into());
            }
        }
        let linked = linking::join(&app, &main, &other, Some(by)).await?;
        return Response::json(201, &LinkFile::from(&linked));
    }
    if request.is_for("/operator/links/{id}/undoing") {
        let id = request.named("id", "link", LinkId::parse)?;
        let UndoLink { why } = request.json()?;
        let undone = linking::part(&app, &id, By::Operator(by, why)).await?;
        return Response::json(200, &LinkFile::from(&undone));
    }
    let customer = request.named("id", "customer", CustomerId::parse)?;
    list(&app, &customer).await
}

/// The links of an account that hold now.
async fn list(app: &App, customer: &CustomerId) -> Answer {
    let own = app.store.read(&[Key::ledger(customer)]).await?.ledger(customer)?;
    let keys: Vec<Key> = own.link.from.iter().map(Key::ledger).collect();
    let found = app.store.read(&keys).await?;
    let mut ids: Vec<LinkId> = own.link.into.into_iter().map(|(_, id)| id).collect();
    for other in &own.link.from {
        ids.extend(found.ledger(other)?.link.into.map(|(_, id)| id));
    }
    let keys: Vec<Key> = ids.iter().map(Key::account_link).collect();
    let found = app.store.read(&keys).await?;
    let mut links = Vec::with_capacity(ids.len());
    for id in &ids {
        links.extend(found.account_link(id)?.as_ref().map(LinkFile::from));
    }
    Response::json(200, &LinkList { links })
}
