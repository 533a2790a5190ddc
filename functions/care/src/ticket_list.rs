//! `GET /me/tickets`: a page of a member's own tickets, latest first.
//! `GET /operator/tickets`: a page of what a desk sees to, the most urgent first.
//!
//! One query and one batched read. The index of what desks see to holds keys only
//! and may lag a moment behind; a ticket that went elsewhere since is left out.

use std::sync::Arc;

use aftercart::{
    model::{
        id::TicketId,
        ticket::{DeskId, Ticket, TicketStatus},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
    },
    store::{Index, Key, Op, PageToken, Table, tickets},
};

use crate::wire::ticket::{OwnTicket, OwnTicketPage, TicketFile, TicketPage};

/// A page of tickets: some 2 KB each, so that it stays far below what one read
/// and one answer may have.
const PAGE: PageLimits = PageLimits { default: 20, most: 50 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-list",
    about: "Lists a member's tickets, and what a desk sees to by urgency.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/me/tickets"),
        Route::operator("GET", "/operator/tickets"),
    ]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::Query]),
        Need::Index(Table::Tickets, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.is_operators() { list(&app, &request).await } else { list_own(&app, &request).await }
}

async fn list(app: &App, request: &Request) -> Answer {
    request.operator()?;
    let (from, limit) = request.filtered_page(&["desk", "status"], tickets::cursor, PAGE)?;
    let status = match request.query("status") {
        None | Some("open") => TicketStatus::Open,
        Some("waiting") => TicketStatus::Waiting,
        Some("solved") => TicketStatus::Solved,
        Some(_) => {
            let detail = "A ticket is `open`, `waiting` or `solved`.";
            return Err(Problem::invalid("status", detail).into());
        }
    };
    let desk = match request.query("desk") {
        // Also a desk that the policy had once: its tickets are there still.
        Some(desk) => {
            DeskId::parse(desk).map_err(|error| Problem::invalid("desk", format!("{error}.")))?
        }
        None => {
            let policy = app.policy().await?;
            let first = policy.care.desks.first().map(|it| it.id.clone());
            first.ok_or_else(|| Failure::bug("a policy without desks"))?
        }
    };
    let page = app.store.tickets_listed(&desk, status, from.as_ref(), limit).await?;
    let is_here = |it: &Ticket| it.desk == desk && it.status == status;
    let found = read(app, &page.items).await?.into_iter().filter(is_here);
    let tickets = found.map(TicketFile::from).collect();
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &TicketPage { desk, status, tickets, next_cursor })
}

async fn list_own(app: &App, request: &Request) -> Answer {
    let (from, limit) = request.page(tickets::own_cursor, PAGE)?;
    let customer = request.member()?;
    let page = app.store.tickets_of(&customer, from.as_ref(), limit).await?;
    let found = read(app, &page.items).await?;
    let tickets = found.iter().map(OwnTicket::from).collect();
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &OwnTicketPage { tickets, next_cursor })
}

/// The tickets of a page, in its order.
async fn read(app: &App, page: &[TicketId]) -> Result<Vec<Ticket>, Failure> {
    let keys: Vec<Key> = page.iter().map(Key::ticket).collect();
    let found = app.store.read(&keys).await?;
    let mut tickets = Vec::with_capacity(page.len());
    for id in page {
        tickets.extend(found.ticket(id)?);
    }
    Ok(tickets)
}
