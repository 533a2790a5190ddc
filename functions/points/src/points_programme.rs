//! `GET /points/programme`: the rules of the programme in plain words, made
//! from the policy; and `GET /me/points/offers`: what a member can get for
//! points now, and how many are missing for what is not yet within reach.
//!
//! The rules take no round trip while the policy is known. What a member can
//! get takes one of the ledger and the list of rewards at the same time, then
//! one of the rewards, and one for how many the member has of those that are
//! limited.

use std::sync::Arc;

use aftercart::{
    model::dates::Dates,
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Index, Op, Table},
};

use crate::{
    looking,
    rules::{offers, wording::programme},
    wire::offers::ProgrammeView,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-programme",
    about: "Tells the rules of the points in plain words, and what a member can get for points.",
    trigger: Trigger::Http(&[
        Route::open("GET", "/points/programme"),
        Route::shopper("GET", "/me/points/offers"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    request.only_query(&["lang"])?;
    match request.is_for("/points/programme") {
        true => rules(&app, &request).await,
        false => can_get(&app, &request).await,
    }
}

async fn rules(app: &App, request: &Request) -> Answer {
    let (policy, now, language) = (app.policy().await?, app.now(), request.language(None));
    let points = &policy.points;
    let dates = Dates::new(language, &points.zone, now);
    let view = ProgrammeView {
        policy: policy.version.as_str().to_owned(),
        language,
        zone: points.zone.clone(),
        sections: programme::sections(points, &dates, now),
    };
    Response::json(200, &view)
}

async fn can_get(app: &App, request: &Request) -> Answer {
    let customer = request.member()?;
    let (policy, now) = (app.policy().await?, app.now());
    let (ledger, catalogue) = looking::shop(app, &customer, now).await?;
    let language = request.language(None);
    let view = offers::offers(&ledger, &catalogue, &policy.points, now, language);
    Response::json(200, &view)
}
