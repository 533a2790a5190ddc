//! `GET /me/contact-preferences`: what a member is contacted for, besides
//! purchases, and when not; and `PUT /me/contact-preferences`: what the member
//! chooses of it.
//!
//! A purpose that the body does not name stays as it is, and so does the zone.
//! The same once more writes nothing.

use std::sync::Arc;

use aftercart::{
    model::contact::Contactee,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    choosing,
    wire::{ContactPreferences, PutContactPreferences},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contact-preferences",
    about: "Shows what a member is contacted for, and takes what the member chooses.",
    trigger: Trigger::Http(&[
        Route::shopper("GET", "/me/contact-preferences"),
        Route::shopper("PUT", "/me/contact-preferences"),
    ]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    let who = Contactee::member(&request.member()?);
    request.only_query(&["lang"])?;
    let contacts = match request.method() {
        "PUT" => {
            let body: PutContactPreferences = request.json()?;
            choosing::choose(&app, &who, &body.purposes.into(), body.zone.as_ref()).await?
        }
        _ => app.store.contacts(&who).await?,
    };
    let policy = app.policy().await?;
    let language = request.language(None);
    Response::json(200, &ContactPreferences::of(&contacts, &policy.contact, language))
}
