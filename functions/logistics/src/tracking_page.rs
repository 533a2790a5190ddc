//! `GET /t/{token}` and `POST /t/{token}`: the tracking page, and the choice of
//! a buyer about something that is wrong.
//!
//! The link is its own permission: there is no login, no cookie and no script,
//! so nothing here needs protection against forged cross-site requests. It
//! opens this page only, and ends. Looking records nothing: mail scanners open
//! links before people do. A choice is noted with its alert, while that is open
//! and offers it, and the browser is sent on to the page; the same again is
//! noted already. A link that is not ours or another's is a page with 404, one
//! whose time is over a page with 410.

use std::{convert::Infallible, sync::Arc};

use aftercart::{
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        links::{LinkError, TrackingLink},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    looking,
    pages::{self, Notice, Reading},
    rules::{
        form::{Faults, Form, Known},
        overview::{self, Seen},
    },
    wishing::{self, Wished},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tracking-page",
    about: "Shows an order's parcels to who has the link, and takes what they choose.",
    trigger: Trigger::Http(&[Route::open("GET", "/t/{token}"), Route::open("POST", "/t/{token}")]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem, Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Tracking, &[Op::BatchGetItem]),
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
        "POST" => choose(&app, &request).await,
        _ => show(&app, &request).await,
    };
    answer.or_else(|failure| pages::sorry(failure, &request))
}

async fn show(app: &App, request: &Request) -> Answer {
    let link = match open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return pages::notice(notice, request.language(None)),
    };
    match looking::look(app, &link.customer, &link.order).await? {
        Some(seen) => page(app, request, &seen, None),
        None => pages::notice(Notice::Unknown, request.language(None)),
    }
}

async fn choose(app: &App, request: &Request) -> Answer {
    let link = match open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return pages::notice(notice, request.language(None)),
    };
    let form = form(request)?;
    let Some(seen) = looking::look(app, &link.customer, &link.order).await? else {
        return pages::notice(Notice::Unknown, request.language(None));
    };
    let language = request.language(Some(seen.order.contact.language));
    let Some(dispatch) = &seen.dispatch else {
        return pages::notice(Notice::Settled, language);
    };
    let address = &seen.order.address;
    let (name, country) = (&address.name, &address.country);
    let known = Known { name, country, zone: &dispatch.zone, now: app.now() };
    let wish = match form.read(&known) {
        Ok(wish) => wish,
        Err(faults) => return page(app, request, &seen, Some((&form, &faults))),
    };
    let about = (&seen.order.id, &form.alert);
    match wishing::wish(app, about, &wish, request.trace()).await? {
        // A page that was sent on to is not sent again when it is reloaded.
        Wished::Noted => {
            let here = format!("?lang={}&done=1", language.code());
            Ok(Response::html(303, String::new()).with("location", here))
        }
        Wished::Unknown | Wished::Ended | Wished::NotOffered | Wished::AddressMissing => {
            pages::notice(Notice::Settled, language)
        }
    }
}

/// Opens the link in the path. What is wrong with a link is a page, not a failure.
async fn open(app: &App, request: &Request) -> Result<Result<TrackingLink, Notice>, Failure> {
    let link = app.links().await?.open_tracking_link(&token(request)?, app.now());
    Ok(link.map_err(|error| match error {
        LinkError::Expired => Notice::Expired,
        LinkError::Invalid => Notice::Unknown,
    }))
}

fn token(request: &Request) -> Result<String, Problem> {
    request.named("token", "page", |text| Ok::<_, Infallible>(text.to_owned()))
}

fn form(request: &Request) -> Result<Form, Problem> {
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let detail = "Send application/x-www-form-urlencoded.";
        let title = "The body is of another type";
        let problem = Problem::new(415, "unsupported-media-type", title, detail);
        return Err(problem.at("Content-Type"));
    }
    pages::form(request.body())
}

fn page(app: &App, request: &Request, seen: &Seen, faulty: Option<(&Form, &Faults)>) -> Answer {
    let language = request.language(Some(seen.order.contact.language));
    let (now, thanks) = (app.now(), request.query("done").is_some());
    // The page needs no link to itself.
    let view = overview::view(seen, language, String::new(), now);
    // The link to the parcels opens that page, too.
    let complaints = format!("../complaints/{}?lang={}", token(request)?, language.code());
    let complaints = complaints.as_str();
    pages::tracking(seen, &view, &Reading { language, now, complaints, thanks, faulty })
}
