//! `GET /c/{token}` and `POST /c/{token}`: the customer's page of a ticket: what
//! was said and done, a word back, and whether it is solved.
//!
//! The link is its own permission: there is no login, no cookie and no script, so
//! nothing here needs protection against forged cross-site requests. It opens
//! this page only, and ends. Looking records nothing: mail scanners open links
//! before people do. After a form the browser is sent on, so that a page that is
//! reloaded sends nothing again; a form that is sent twice all the same is known
//! by what it says and by how much the page showed. A link that is not ours or
//! another's is a page with 404, one whose time is over a page with 410, and what
//! the page does not send so a page with 400.

use std::sync::Arc;

use aftercart::{
    model::ticket::Writer,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request},
        links::TicketLink,
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    acting::{self, Acted, Call},
    link,
    pages::{self, Notice, Reading},
    rules::{
        changing::{Deed, Doing},
        form::{self, Fault, Step, TicketForm},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-page",
    about: "Shows a customer a ticket, and takes what the customer says.",
    trigger: Trigger::Http(&[Route::open("GET", "/c/{token}"), Route::open("POST", "/c/{token}")]),
    needs: &[
        Need::Table(Table::Tickets, &[Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    let answer = match request.method() {
        "POST" => say(&app, &request).await,
        _ => show(&app, &request).await,
    };
    answer.or_else(|failure| pages::sorry(failure, &request))
}

async fn show(app: &App, request: &Request) -> Answer {
    let link = match open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return pages::notice(notice, request.language(None)),
    };
    page(app, request, &link, None).await
}

async fn page(
    app: &App,
    request: &Request,
    link: &TicketLink,
    faulty: Option<(&TicketForm, Fault)>,
) -> Answer {
    let policy = app.policy().await?;
    let found = app.store.ticket_and_entries(&link.ticket).await?;
    let found = found.filter(|(ticket, _)| ticket.customer == link.customer);
    let Some((ticket, entries)) = found else {
        return pages::notice(Notice::Unknown, request.language(None));
    };
    let done = match request.query("done") {
        Some("write") => Some(Step::Write),
        Some("confirm") => Some(Step::Confirm),
        _ => None,
    };
    let reading = Reading {
        language: request.language(Some(ticket.language)),
        zone: &policy.contact.zone,
        now: app.now(),
        done,
        faulty,
    };
    pages::ticket(&ticket, &entries, &reading)
}

async fn say(app: &App, request: &Request) -> Answer {
    let link = match open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return pages::notice(notice, request.language(None)),
    };
    let form = pages::form(request, TicketForm::of)?;
    let deed = match form.step {
        Step::Confirm => Deed::Confirm,
        Step::Write => match form::message(&form.text) {
            Ok(text) => Deed::Write { text },
            Err(fault) => return page(app, request, &link, Some((&form, fault))).await,
        },
    };
    let said = format!("{:?} {}", form.step, form.text);
    let known_by = acting::request(&["page", &form.after.to_string(), &said], &said);
    let doing = Doing { deed, by: Writer::Customer, at: app.now(), request: known_by };
    let origin = request.origin()?;
    let call = Call { of: Some(&link.customer), origin: &origin, trace: request.trace() };
    match acting::act(app, &link.ticket, &doing, call).await? {
        Acted::Done(_) | Acted::Known(_) => {
            let done = if form.step == Step::Write { "write" } else { "confirm" };
            Ok(pages::sent_on(request, done))
        }
        // There is no room for more words.
        Acted::Refused(_) => pages::notice(Notice::Full, request.language(None)),
        Acted::Unknown => pages::notice(Notice::Unknown, request.language(None)),
    }
}

/// Opens the link in the path. What is wrong with a link is a page, not a failure.
async fn open(app: &App, request: &Request) -> Result<Result<TicketLink, Notice>, Failure> {
    let token = link::token(request)?;
    Ok(app.links().await?.open_ticket_link(&token, app.now()).map_err(Notice::of))
}
