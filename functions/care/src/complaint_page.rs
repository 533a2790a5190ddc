//! `GET /complaints/{token}` and `POST /complaints/{token}`: a complaint about an
//! order, by the link to its parcels, or the one that a survey shows.
//!
//! The link is its own permission: there is no login, no cookie and no script.
//! Who has it may complain, and reads nothing of a ticket: what is said goes to
//! the address of the order, with the link to the ticket's page. An order has
//! one such ticket a topic, and what comes later is written on it, so nobody
//! fills a desk by one link. A form that is sent twice is known by what it says
//! and by when its page was opened: the same words from a page that was opened
//! anew are another complaint. What there is no room for any more is not taken,
//! and the page says so. A link that is not ours is a page with 404, one whose
//! time is over a page with 410.

use std::sync::Arc;

use aftercart::{
    model::{
        id::TicketId,
        ticket::{Priority, Source, Writer},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request},
        links::ComplaintLink,
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    acting::{self, Acted, Call},
    link, opening,
    pages::{self, Faults, Notice},
    rules::{
        changing::{Deed, Doing},
        form::ComplaintForm,
        opening::Complaint,
        words,
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "complaint-page",
    about: "Takes a complaint of who has the link to an order's parcels.",
    trigger: Trigger::Http(&[
        Route::open("GET", "/complaints/{token}"),
        Route::open("POST", "/complaints/{token}"),
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
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    let answer = match request.method() {
        "POST" => complain(&app, &request).await,
        _ => ask(&app, &request).await,
    };
    answer.or_else(|failure| pages::sorry(failure, &request))
}

async fn ask(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    match open(app, request).await? {
        Ok(_) if request.query("done").is_some() => pages::notice(Notice::Received, language),
        Ok(link) => {
            let form = ComplaintForm { seen: Some(app.now()), ..ComplaintForm::default() };
            pages::complaint(&link.order, language, &form, Faults::default())
        }
        Err(notice) => pages::notice(notice, language),
    }
}

async fn complain(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    let link = match open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return pages::notice(notice, language),
    };
    let form = pages::form(request, ComplaintForm::of)?;
    let (topic, text) = match form.read() {
        Ok(read) => read,
        Err(faults) => return pages::complaint(&link.order, language, &form, faults),
    };
    let id = TicketId::derive(&["page", link.order.as_str(), words::code(topic)]);
    let seen = form.seen.map(|it| it.to_string()).unwrap_or_default();
    let known_by = acting::request(&["page", &seen, text.as_str()], text.as_str());
    let origin = request.origin()?;
    if app.store.ticket_and_entries(&id).await?.is_none() {
        let complaint = Complaint {
            id: id.clone(),
            source: Source::Page,
            customer: link.customer.clone(),
            order: Some(link.order),
            shipment: None,
            email: None,
            language: Some(language),
            topic: Some(topic),
            usual: topic,
            priority: Priority::Normal,
            desk: None,
            text: Some(text.clone()),
            by: Writer::Customer,
            request: known_by.clone(),
        };
        let opened = opening::open(app, complaint, (Some(&origin), request.trace())).await?;
        if opened.is_some() {
            return Ok(pages::sent_on(request, "1"));
        }
        // Another complaint opened the ticket this instant.
    }
    let deed = Deed::Write { text };
    let doing = Doing { deed, by: Writer::Customer, at: app.now(), request: known_by };
    let call = Call { of: Some(&link.customer), origin: &origin, trace: request.trace() };
    match acting::act(app, &id, &doing, call).await? {
        Acted::Done(_) | Acted::Known(_) => Ok(pages::sent_on(request, "1")),
        Acted::Refused(_) => pages::notice(Notice::Full, language),
        Acted::Unknown => pages::notice(Notice::Unknown, language),
    }
}

/// Opens the link in the path. What is wrong with a link is a page, not a failure.
async fn open(app: &App, request: &Request) -> Result<Result<ComplaintLink, Notice>, Failure> {
    let token = link::token(request)?;
    Ok(app.links().await?.open_complaint_link(&token, app.now()).map_err(Notice::of))
}
