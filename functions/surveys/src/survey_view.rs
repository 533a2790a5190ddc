//! `GET /s/{token}`: the page of a survey.
//!
//! It records nothing: mail scanners open links before people do. The link is
//! its own permission, so there is no login, no cookie and no script.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request},
        links::LinkError,
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    link,
    pages::{self, Form, Notice},
    rules::standing::{self, Standing},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-view",
    about: "Shows the page of a survey to who has its link.",
    trigger: Trigger::Http(&[Route::open("GET", "/s/{token}")]),
    needs: &[Need::Table(Table::Surveys, &[Op::GetItem]), Need::Secret(Secret::Links)],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    show(&app, &request).await.or_else(|failure| pages::sorry(failure, &request))
}

async fn show(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    let link = match link::open(app, request).await? {
        Ok(link) => link,
        Err(LinkError::Expired) => return pages::notice(Notice::Closed, language),
        Err(LinkError::Invalid) => return pages::notice(Notice::Unknown, language),
    };
    let Some(invite) = app.store.invite(&link.invite).await? else {
        return pages::notice(Notice::Unknown, language);
    };
    let language = request.language(Some(invite.language));
    match standing::of(&invite, app.now()) {
        Standing::Open => pages::survey(&Form::default(), language),
        Standing::Answered(_) => pages::notice(Notice::Thanks, language),
        Standing::Closed => pages::notice(Notice::Closed, language),
    }
}
