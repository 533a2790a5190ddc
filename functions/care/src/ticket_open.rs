//! `POST /me/tickets`, `POST /guest/orders/{id}/tickets` and
//! `POST /operator/tickets`: complaints of members, of guests by the pass of
//! their order, and of whoever told an operator.
//!
//! A ticket's identity follows from the customer and the `Idempotency-Key`: 201,
//! and the same answer to a repeated call, as the ticket is by then; with another
//! content it is a 422. Round trips: what the complaint is about, how many the
//! customer opened of late, and one transaction with the messages. Answers go to
//! the address of the order, so that nobody has the shop write to others; a
//! member whose complaint is about no order names one, and operators may always.
//! Personal data in the text are masked before it is stored.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        id::{OrderId, TicketId},
        text::Text,
        ticket::{MAX_MESSAGE, Priority, Source, Topic, Writer},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};
use serde::Serialize;

use crate::{
    acting, link, opening,
    rules::opening::Complaint,
    wire::ticket::{OpenTicket, OwnTicket, TakeTicket, TicketFile},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-open",
    about: "Takes complaints of members, guests and operators.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/me/tickets"),
        Route::open("POST", "/guest/orders/{id}/tickets"),
        Route::operator("POST", "/operator/tickets"),
    ]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, open))
}

async fn open(app: Arc<App>, request: Request) -> Answer {
    let by_operator = request.is_operators();
    let complaint =
        if by_operator { by_operators(&request)? } else { by_buyer(&app, &request).await? };
    let origin = request.origin()?;
    let opened = opening::open(&app, complaint, (Some(&origin), request.trace())).await?;
    let opened = opened.ok_or_else(Problem::key_reused)?;
    let answer = if by_operator {
        Response::json(201, &TicketFile::from(opened.ticket))
    } else {
        let link = Some(link::to(&app, &opened.ticket, &origin).await?);
        Response::json(201, &OwnTicket { link, ..OwnTicket::from(&opened.ticket) })
    };
    Ok(if opened.is_new { answer? } else { answer?.replayed() })
}

/// The complaint of a member, or of the guest whose order is in the path.
async fn by_buyer(app: &App, request: &Request) -> Result<Complaint, Failure> {
    let (customer, of) = if request.is_guest() {
        let buyer = request.buyer(app).await?;
        (buyer.customer, Some(buyer.order))
    } else {
        (request.member()?, None)
    };
    let asked: OpenTicket = request.json()?;
    let is_other = |order: &OrderId| of.as_ref().is_some_and(|of| of != order);
    if asked.order.as_ref().is_some_and(is_other) {
        return Err(Problem::invalid("order", "The path names another order.").into());
    }
    let complaint = complaint(request, customer, Source::Api, &asked, asked.text.clone())?;
    let OpenTicket { order, shipment, topic, email, language, .. } = asked;
    let order = of.or(order);
    if order.is_some() && email.is_some() {
        let detail = "Answers go to the address of the order; leave this out.";
        return Err(Problem::invalid("email", detail).into());
    }
    Ok(Complaint { order, shipment, topic, email, language, ..complaint })
}

fn by_operators(request: &Request) -> Result<Complaint, Failure> {
    let by = Writer::Operator(request.operator_name()?);
    let asked: TakeTicket = request.json()?;
    let (customer, text) = (asked.customer.clone(), asked.text.clone());
    let complaint = complaint(request, customer, Source::Operator, &asked, text)?;
    let TakeTicket { order, shipment, topic, email, language, priority, desk, .. } = asked;
    let priority = priority.unwrap_or(complaint.priority);
    Ok(Complaint { order, shipment, topic, email, language, priority, desk, by, ..complaint })
}

/// What all complaints have in common. Those of operators have identities of
/// their own, so that nobody takes the customer's.
fn complaint(
    request: &Request,
    customer: CustomerId,
    source: Source,
    said: &impl Serialize,
    text: Text<MAX_MESSAGE>,
) -> Result<Complaint, Failure> {
    let key = request.idempotency_key()?;
    let by = if source == Source::Operator { "operator" } else { "customer" };
    let said = serde_json::to_string(said).map_err(Failure::bug)?;
    Ok(Complaint {
        id: TicketId::derive(&[by, customer.as_str(), key.as_str()]),
        source,
        customer,
        order: None,
        shipment: None,
        email: None,
        language: None,
        topic: None,
        usual: Topic::Other,
        priority: Priority::Normal,
        desk: None,
        text: Some(text),
        by: Writer::Customer,
        request: acting::request(&[key.as_str()], &said),
    })
}
