//! `PUT /customers/{id}`: sets a member's tier and segments.
//!
//! One update, so that an order which is counted at the same moment is not
//! forgotten. Safe to repeat. Orders that were placed keep their prices.

use std::{collections::BTreeSet, sync::Arc};

use aftercart::{
    model::{profile::MAX_SEGMENTS, text::Text},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table, customers},
};

use crate::{
    member,
    wire::customer::{PutCustomer, StandingView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "customer-put",
    about: "Sets a member's tier and segments.",
    trigger: Trigger::Http(&[Route::operator("PUT", "/customers/{id}")]),
    needs: &[Need::Table(Table::Customers, &[Op::UpdateItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let customer = member::in_path(&request)?;
    let PutCustomer { tier, segments } = request.json()?;
    // A set: the order says nothing, and the same name twice no more than once.
    let segments: BTreeSet<Text<40>> = segments.into_iter().collect();
    if segments.len() > MAX_SEGMENTS {
        let detail = format!("A member is in at most {MAX_SEGMENTS} segments.");
        return Err(Problem::invalid("segments", detail).into());
    }
    let segments: Vec<Text<40>> = segments.into_iter().collect();
    app.store.commit(customers::set(&customer, tier.as_ref(), &segments)).await?;
    Response::json(200, &StandingView { id: customer, tier, segments })
}
