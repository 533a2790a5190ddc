//! `GET /me/tickets/{id}`: a member's own ticket with what was written and done,
//! without what is only for the shop, and the link to its page.
//! `GET /operator/tickets/{id}`: a ticket with all that is known of it.
//!
//! One query; for operators also one batched read of the order, the shipments and
//! the answer that it is about, as they are now.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        id::TicketId,
        ticket::{Source, Ticket, TicketEntry},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Key, Op, Table},
};

use crate::{
    link,
    wire::ticket::{
        AnswerBrief, EntryFile, OrderBrief, OwnEntry, OwnTicket, ShipmentBrief, TicketDossier,
        TicketFile,
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-view",
    about: "Shows a ticket with what was said, and to operators all that it is about.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/me/tickets/{id}"),
        Route::operator("GET", "/operator/tickets/{id}"),
    ]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::Query]),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Surveys, &[Op::BatchGetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.is_operators() { show(&app, &request).await } else { show_own(&app, &request).await }
}

async fn show(app: &App, request: &Request) -> Answer {
    request.operator()?;
    let (ticket, entries) = one(app, request, None).await?;
    let (customer, links) = (&ticket.customer, &ticket.links);
    let invite = match &ticket.source {
        Source::Survey { invite, .. } => Some(invite),
        _ => None,
    };
    let order = links.order.as_ref();
    let of_order = order.map(|order| [Key::order(customer, order), Key::dispatch(order)]);
    let keys = of_order.into_iter().flatten().chain(invite.map(Key::invite));
    let found = app.store.read(&keys.collect::<Vec<_>>()).await?;
    let mut dossier = TicketDossier {
        ticket: TicketFile::from(ticket.clone()),
        entries: entries.into_iter().map(EntryFile::from).collect(),
        order: None,
        shipments: Vec::new(),
        answer: None,
    };
    if let Some(order) = order {
        dossier.order = found.order(customer, order)?.as_ref().map(OrderBrief::from);
        let dispatch = found.dispatch(order)?;
        let shipments = dispatch.iter().flat_map(|it| &it.shipments);
        dossier.shipments = shipments.map(ShipmentBrief::from).collect();
    }
    if let Some(invite) = invite {
        dossier.answer = found.invite(invite)?.as_ref().and_then(AnswerBrief::of);
    }
    Response::json(200, &dossier)
}

async fn show_own(app: &App, request: &Request) -> Answer {
    let (ticket, entries) = one(app, request, Some(&request.member()?)).await?;
    let link = Some(link::to(app, &ticket, &request.origin()?).await?);
    let entries = entries.into_iter().filter_map(OwnEntry::of).collect();
    Response::json(200, &OwnTicket { link, entries, ..OwnTicket::from(&ticket) })
}

/// The ticket in the path, if it is this customer's.
async fn one(
    app: &App,
    request: &Request,
    of: Option<&CustomerId>,
) -> Result<(Ticket, Vec<TicketEntry>), Failure> {
    let id = request.named("id", "ticket", TicketId::parse)?;
    let found = app.store.ticket_and_entries(&id).await?;
    let found = found.filter(|(ticket, _)| of.is_none_or(|of| ticket.customer == *of));
    Ok(found.ok_or_else(|| Problem::not_found("ticket"))?)
}
