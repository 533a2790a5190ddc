//! `POST /me/check-ins` and `POST /operator/points/actions`: what members do for
//! points, besides buying.
//!
//! A member checks in once a day of the programme's calendar, and needs no key
//! for it: the day is one. Everything else is reported by systems of the
//! merchant, with a reference that tells one deed of the member from another: a
//! review's or a friend's identity, say. A deed is judged once, so the same call
//! again has the same answer, also when the deed gave nothing.

use std::sync::Arc;

use aftercart::{
    model::programme::{PointsPolicy, earning::ActionKind},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table},
};

use crate::{
    acting::{self, Acted},
    rules::actions::Action,
    wire::earning::{ActionView, ReportAction},
};

const CHECK_INS: &str = "/me/check-ins";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-action",
    about: "Gives points for what members do besides buying, once for each deed.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", CHECK_INS),
        Route::operator("POST", "/operator/points/actions"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    match request.is_for(CHECK_INS) {
        true => check_in(&app, &request).await,
        false => report(&app, &request).await,
    }
}

async fn check_in(app: &App, request: &Request) -> Answer {
    let customer = request.member()?;
    let policy = app.policy().await?;
    let action = Action::check_in(app.now(), &policy.points);
    let action = action.ok_or_else(|| Failure::bug("a date is no reference"))?;
    let Some(acted) = acting::act(app, &customer, &action, &policy).await? else {
        return Err(Problem::not_found("rule for check-ins").into());
    };
    answer(request, acted, &policy.points)
}

async fn report(app: &App, request: &Request) -> Answer {
    request.operator()?;
    let body: ReportAction = request.json()?;
    if !body.customer.is_member() {
        return Err(Problem::invalid("customer", "Only members earn points.").into());
    }
    if body.action == ActionKind::CheckIn {
        let detail = "Members check in themselves, by POST /me/check-ins.";
        return Err(Problem::invalid("action", detail).into());
    }
    let at = body.at.unwrap_or(app.now());
    if at > app.now() {
        return Err(Problem::invalid("at", "It cannot have been done in the future.").into());
    }
    let action = Action { kind: body.action, reference: body.reference, at };
    let policy = app.policy().await?;
    let Some(acted) = acting::act(app, &body.customer, &action, &policy).await? else {
        let detail = "The policy has no rule for this action.";
        return Err(Problem::invalid("action", detail).into());
    };
    answer(request, acted, &policy.points)
}

fn answer(request: &Request, acted: Acted, policy: &PointsPolicy) -> Answer {
    let view = ActionView::of(&acted.judged, policy, request.language(None));
    match acted.before {
        true => Ok(Response::json(201, &view)?.replayed()),
        false => Response::json(201, &view),
    }
}
