//! `GET /operator/customers/{id}/contacts`: what somebody was contacted for in
//! the last months, what was withheld and why, what waits, and what they chose.
//!
//! A guest has an identity for each order, and a budget by address: the query
//! names an order of the guest's (`order`), whose address it is. Two round trips
//! at once, after one for a guest's order.

use std::sync::Arc;

use aftercart::{
    model::{contact::Contactee, customer::CustomerId, id::OrderId},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::wire::CustomerContacts;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contact-list",
    about: "Tells what somebody was contacted for, and what was withheld and why.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/customers/{id}/contacts")]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem, Op::Query]),
        Need::Table(Table::Orders, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    request.only_query(&["order"])?;
    let customer = request.named("id", "customer", CustomerId::parse)?;
    let who = who(&app, &request, &customer).await?;
    let (contacts, noted) =
        futures::future::try_join(app.store.contacts(&who), app.store.contact_entries(&who))
            .await?;
    Response::json(200, &CustomerContacts::of(customer, &contacts, &noted))
}

async fn who(app: &App, request: &Request, customer: &CustomerId) -> Result<Contactee, Failure> {
    if customer.is_member() {
        return Ok(Contactee::member(customer));
    }
    let order = request.query("order").ok_or_else(|| {
        Problem::invalid("order", "Name an order of the guest: guests are known by its address.")
    })?;
    let unknown = || Problem::not_found("order");
    let order = OrderId::parse(order).map_err(|_| unknown())?;
    let order = app.store.order(customer, &order).await?.ok_or_else(unknown)?;
    Ok(Contactee::of(customer, &order.contact.email))
}
