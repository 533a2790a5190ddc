//! `GET /me/points`: a member's balances, what ends when, and movements with
//! their reasons, in the language of the request; and the link to a page that
//! shows the same.
//!
//! `kind` lists only movements of one kind. They are looked for on the page
//! that is read, so that it costs the same whatever the history.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
        links::MemberLink,
        secrets::Secret,
    },
    store::{Op, Table, points},
};
use serde::{
    Deserialize as _,
    de::value::{self, StrDeserializer},
};

use crate::{
    looking,
    points_page::{LINK, PATH},
    rules::{showing, wording::PointsMovementKind},
};

/// A page of movements: at most some 50 KB of answer.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// A page on which movements of one kind are looked for.
const SEARCHED: PageLimits = PageLimits { default: 100, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-view",
    about: "Shows a member's points: balances, when they end, and their movements.",
    trigger: Trigger::Http(&[Route::shopper("GET", "/me/points")]),
    needs: &[
        Need::Table(Table::Points, &[Op::GetItem, Op::Query, Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let customer = request.member()?;
    let only = request.query("kind").map(kind).transpose()?;
    let limits = if only.is_some() { SEARCHED } else { PAGE };
    let (from, limit) = request.filtered_page(&["kind", "lang"], points::cursor, limits)?;
    let policy = app.policy().await?;
    let seen = looking::look(&app, &customer, from.as_ref(), limit).await?;
    let token = app.links().await?.member_link(&MemberLink { customer }, app.now().plus(LINK));
    let page = format!("{}{PATH}{token}", request.origin()?);
    let language = request.language(None);
    Response::json(200, &showing::view(&seen, only, &policy.points, language, page))
}

fn kind(text: &str) -> Result<PointsMovementKind, Problem> {
    // The error names the kinds that there are.
    PointsMovementKind::deserialize(StrDeserializer::<value::Error>::new(text))
        .map_err(|error| Problem::invalid("kind", format!("The kind is not one: {error}.")))
}
