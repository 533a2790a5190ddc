//! What operators do about a ticket: `POST /operator/tickets/{id}/assignment`
//! gives it to a desk or a person, `.../reply` writes to the customer,
//! `.../note` writes down what the customer does not read, `.../priority` has
//! it seen to sooner or later, `.../remedies` does something for the customer,
//! `.../solution` says that it is solved and why it came to it, and
//! `.../reopening` opens it again.
//!
//! What adds something needs an `Idempotency-Key`: the same call again is
//! answered with the ticket (`Idempotent-Replayed: true`), another one with that
//! key is a 422. The rest sets how the ticket is: the same again is so already.
//! Ticket, entry, counters, a voucher and messages are one transaction.
//!
//! A refund, goods that are sent again and points are asked of the part of the
//! shop that has them, and a call of people; the ticket says what became of it.
//! A voucher is given here, of a price rule that takes it and is in force, and
//! the customer is told.

use std::sync::Arc;

use aftercart::{
    model::{id::TicketId, text::Text, ticket::Writer},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    acting::{self, Acted, Call},
    rules::{
        changing::{Deed, Doing, Refusal},
        remedy,
    },
    wire::{
        change::{
            AssignTicket, NoteTicket, PrioritiseTicket, RemedyTicket, ReopenTicket, ReplyTicket,
            SolveTicket,
        },
        ticket::TicketFile,
    },
};

const ASSIGNMENT: &str = "/operator/tickets/{id}/assignment";
const REPLY: &str = "/operator/tickets/{id}/reply";
const NOTE: &str = "/operator/tickets/{id}/note";
const PRIORITY: &str = "/operator/tickets/{id}/priority";
const REMEDIES: &str = "/operator/tickets/{id}/remedies";
const SOLUTION: &str = "/operator/tickets/{id}/solution";
const REOPENING: &str = "/operator/tickets/{id}/reopening";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-change",
    about: "Gives tickets to people, answers customers, does something for them, and solves.",
    trigger: Trigger::Http(&[
        Route::operator("POST", ASSIGNMENT),
        Route::operator("POST", REPLY),
        Route::operator("POST", NOTE),
        Route::operator("POST", PRIORITY),
        Route::operator("POST", REMEDIES),
        Route::operator("POST", SOLUTION),
        Route::operator("POST", REOPENING),
    ]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem, Op::BatchGetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, change))
}

async fn change(app: Arc<App>, request: Request) -> Answer {
    let by = Writer::Operator(request.operator_name()?);
    let id = request.named("id", "ticket", TicketId::parse)?;
    let Asked { deed, request: known_by } = parse(&request)?;
    let adds = known_by.is_some();
    let doing = Doing { deed, by, at: app.now(), request: known_by };
    let origin = request.origin()?;
    let call = Call { of: None, origin: &origin, trace: request.trace() };
    let (ticket, is_known) = match acting::act(&app, &id, &doing, call).await? {
        Acted::Done(ticket) => (ticket, false),
        Acted::Known(ticket) => (ticket, true),
        Acted::Refused(refusal) => return Err(refuse(&refusal).into()),
        Acted::Unknown => return Err(Problem::not_found("ticket").into()),
    };
    let answer = Response::json(if adds { 201 } else { 200 }, &TicketFile::from(*ticket))?;
    Ok(if adds && is_known { answer.replayed() } else { answer })
}

/// What is asked for, and what tells the call from others.
struct Asked {
    deed: Deed,
    request: Option<(Text<40>, Text<40>)>,
}

fn parse(request: &Request) -> Result<Asked, Failure> {
    let once = |deed| Ok(Asked { deed, request: None });
    if request.is_for(ASSIGNMENT) {
        let AssignTicket { desk, assignee } = request.json()?;
        once(Deed::Assign { desk, assignee })
    } else if request.is_for(PRIORITY) {
        let PrioritiseTicket { priority } = request.json()?;
        once(Deed::Prioritise { priority })
    } else if request.is_for(SOLUTION) {
        let SolveTicket { cause, text } = request.json()?;
        once(Deed::Solve { cause, text })
    } else if request.is_for(REOPENING) {
        let ReopenTicket { text } = request.json()?;
        once(Deed::Reopen { text })
    } else if request.is_for(REPLY) {
        keyed(request, "reply", |ReplyTicket { text, waits }, _| Deed::Reply { text, waits })
    } else if request.is_for(NOTE) {
        keyed(request, "note", |NoteTicket { text, called }, _| Deed::Note { text, called })
    } else {
        let deed = |RemedyTicket { remedy: kind }, key| Deed::Remedy { key, kind };
        let asked = keyed(request, "remedy", deed)?;
        let checked = match &asked.deed {
            Deed::Remedy { kind, .. } => remedy::check(kind),
            _ => Ok(()),
        };
        checked.map_err(|(place, why)| Problem::invalid(place, why))?;
        Ok(asked)
    }
}

/// A call that adds something: known by its key, and what it says however that
/// is written.
fn keyed<T: DeserializeOwned + Serialize>(
    request: &Request,
    what: &str,
    deed: impl FnOnce(T, Text<128>) -> Deed,
) -> Result<Asked, Failure> {
    let key = request.idempotency_key()?;
    let body: T = request.json()?;
    let said = serde_json::to_string(&body).map_err(Failure::bug)?;
    let request = acting::request(&["call", key.as_str()], &format!("{what} {said}"));
    let key = Text::new(key.as_str()).map_err(Failure::bug)?;
    Ok(Asked { deed: deed(body, key), request })
}

fn refuse(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    match refusal {
        Refusal::Solved => not_now("ticket-solved", "The ticket is solved"),
        Refusal::Open => not_now("ticket-open", "The ticket is open"),
        Refusal::Full => not_now("ticket-full", "The ticket is full"),
        Refusal::TooMany => not_now("too-many-remedies", "There are too many remedies"),
        Refusal::NoCall => not_now("no-call", "There is no call to make"),
        Refusal::MembersOnly => not_now("members-only", "Guests cannot have that"),
        Refusal::NoOrder => not_now("no-order", "The ticket is about no order"),
        Refusal::UnknownDesk(_) => {
            Problem::new(422, "unknown-desk", "There is no such desk", detail).at("desk")
        }
        Refusal::UnknownCause(_) => {
            Problem::new(422, "unknown-cause", "There is no such cause", detail).at("cause")
        }
        Refusal::Nothing => {
            Problem::new(422, "empty-remedy", "The remedy is nothing", detail).at("remedy")
        }
        Refusal::NoVoucher(_) => {
            let title = "No such price rule";
            Problem::new(422, "unknown-price-rule", title, detail).at("remedy.rule")
        }
        Refusal::KeyReused => Problem::key_reused(),
    }
}
