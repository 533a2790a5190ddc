//! `GET /s/{token}`: a survey, as a page or, to an app that accepts JSON, as
//! data: what is asked, and what was answered.
//!
//! It records nothing, also where the link names an answer (`?a=9`), which is
//! only filled in: mail scanners open links before people do. The link is its
//! own permission, so there is no login, no cookie and no script. What was
//! answered is shown with thanks, with the points that were given for it, can be
//! corrected for a while, and leads to the page for complaints about the order.

use std::sync::Arc;

use aftercart::{
    model::{
        points::Judged,
        policy::Policy,
        programme::earning::ActionKind,
        survey::{self, Invite},
        text::Text,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        secrets::Secret,
    },
    store::{Key, Op, Table},
};

use crate::{
    link,
    pages::{self, Asked, Notice},
    rules::{
        showing::{self, Answered},
        standing::{self, Standing},
        thanking,
    },
    wire::SurveyPoints,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-view",
    about: "Shows a survey to who has its link, with the answer if there is one.",
    trigger: Trigger::Http(&[Route::open("GET", "/s/{token}")]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    let shown = show(&app, &request).await;
    if wants_json(&request) { shown } else { shown.or_else(|it| pages::sorry(it, &request)) }
}

/// Whether an app asks. Browsers accept anything, but name pages.
fn wants_json(request: &Request) -> bool {
    let accepts = request.header("accept").unwrap_or_default().to_ascii_lowercase();
    accepts.contains("application/json") && !accepts.contains("text/html")
}

fn refuse(notice: Notice, request: &Request, invite: Option<&Invite>) -> Answer {
    if wants_json(request) {
        return Err(notice.problem().into());
    }
    pages::notice(notice, request.language(invite.map(|it| it.language)))
}

async fn show(app: &App, request: &Request) -> Answer {
    let link = match link::open(app, request).await? {
        Ok(link) => link,
        Err(notice) => return refuse(notice, request, None),
    };
    let (policy, now) = (app.policy().await?, app.now());
    let Some(touchpoint) = policy.surveys.touchpoint(&link.touchpoint) else {
        return refuse(Notice::Closed, request, None);
    };
    let Some((invite, products)) = link::invited(app, &link, touchpoint).await? else {
        return refuse(Notice::Unknown, request, None);
    };
    let standing = standing::of(&invite, now);
    if standing == Standing::Closed {
        return refuse(Notice::Closed, request, Some(&invite));
    }
    let language = request.language(Some(invite.language));
    let asked = Asked { invite: &invite, products: &products, touchpoint, language };
    let answered = match standing {
        Standing::Answered(answer, correctable_until) => {
            let points = points(app, &invite, answer, &policy).await?;
            let follow_up =
                thanking::is_followed_up(answer, touchpoint, invite.occasion, &policy.care);
            Some(Answered { answer, correctable_until, points, follow_up })
        }
        Standing::Open | Standing::Closed => None,
    };
    if wants_json(request) {
        let view = showing::view(&invite, &products, touchpoint, answered, language);
        return Response::json(200, &view);
    }
    match &answered {
        Some(answered) => {
            let complaints = link::complaints(app, &invite).await?;
            pages::thanks(&asked, answered, complaints.as_deref(), now)
        }
        None => pages::survey(&asked, request.query("a")),
    }
}

/// What the answer brought, or may bring; members only have points.
async fn points(
    app: &App,
    invite: &Invite,
    answer: &survey::Answer,
    policy: &Policy,
) -> Result<Option<SurveyPoints>, Failure> {
    let (customer, policy) = (&invite.customer, &policy.points);
    if !customer.is_member() || thanking::most(policy, answer.at) == 0 {
        return Ok(None);
    }
    let reference = Text::new(invite.id.as_str()).map_err(Failure::bug)?;
    let deed = Judged::id(customer, ActionKind::SurveyAnswer, &reference);
    let judged = app.store.read(&[Key::deed(customer, &deed)]).await?.deed(customer, &deed)?;
    Ok(thanking::points(policy, answer.at, judged.as_ref(), app.now()))
}
