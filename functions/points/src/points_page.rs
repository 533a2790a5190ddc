//! `GET /m/{token}`: the page of a member's points: how many there are, when
//! they end, the way to the next tier, what they can get, movements with their
//! reasons, and the rules.
//!
//! The link is its own permission: there is no login, no cookie and no script,
//! and nothing can be done there, so that whoever has the link takes nothing.
//! It opens this page only, and ends. A link that is not ours is a page with
//! 404, one whose time is over a page with 410.

use std::{convert::Infallible, sync::Arc};

use aftercart::{
    model::time::Period,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request},
        links::{LinkError, MemberLink},
        secrets::Secret,
    },
    store::{Index, Op, Table, points},
};
use futures::future::try_join;

use crate::{
    looking,
    pages::{self, MOVEMENTS, Notice, Reading},
    rules::{offers, showing},
};

/// How long a link to the page is good: until the next one comes with the
/// month's news.
pub(crate) const LINK: Period = Period::of_days(40);

/// Where the page is, before the token.
pub(crate) const PATH: &str = "/m/";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-page",
    about: "Shows a member's points to who has the link.",
    trigger: Trigger::Http(&[Route::open("GET", "/m/{token}")]),
    needs: &[
        Need::Table(Table::Points, &[Op::GetItem, Op::Query, Op::BatchGetItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    show(&app, &request).await.or_else(|failure| pages::sorry(failure, &request))
}

async fn show(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    let customer = match open(app, request).await? {
        Ok(link) => link.customer,
        Err(notice) => return pages::notice(notice, language),
    };
    let (policy, now) = (app.policy().await?, app.now());
    // A cursor that is none shows the first page: it came from an address bar.
    let from = request.query("cursor").and_then(points::cursor);
    let rewards = async { Ok::<_, Failure>(app.store.catalogue(now).await?) };
    let looked = looking::look(app, &customer, from.as_ref(), MOVEMENTS);
    let (seen, rewards) = try_join(looked, rewards).await?;
    let catalogue = looking::counted(app, &seen.ledger, rewards).await?;
    let points = &policy.points;
    // The page needs no link to itself.
    let view = showing::view(&seen, None, points, language, String::new());
    let offers = offers::offers(&seen.ledger, &catalogue, points, now, language);
    let reading = Reading { language, now, policy: points };
    pages::points(&seen, &view, &offers, &reading)
}

/// Opens the link in the path. What is wrong with a link is a page, not a failure.
async fn open(app: &App, request: &Request) -> Result<Result<MemberLink, Notice>, Failure> {
    let token = request.named("token", "page", |text| Ok::<_, Infallible>(text.to_owned()))?;
    let link = app.links().await?.open_member_link(&token, app.now());
    Ok(link.map_err(|error| match error {
        LinkError::Expired => Notice::Expired,
        LinkError::Invalid => Notice::Unknown,
    }))
}
