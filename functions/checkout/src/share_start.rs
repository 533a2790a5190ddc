//! `POST /shares`: starts a member's share of a campaign.
//!
//! Its identity follows from the campaign and the member, so a repeated call
//! has the same share for an answer, as it is now.

use std::sync::Arc;

use aftercart::{
    model::share::ShareRefusal,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{CommitError, Conflict, Op, Table, shares},
};

use crate::wire::share::{ShareView, StartShare};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "share-start",
    about: "Starts a member's share of a campaign, once.",
    trigger: Trigger::Http(&[Route::shopper("POST", "/shares")]),
    needs: &[
        Need::Table(Table::Shares, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, start))
}

async fn start(app: Arc<App>, request: Request) -> Answer {
    let member = request.member()?;
    let StartShare { campaign } = request.json()?;
    let policy = app.policy().await?;
    let campaign = policy.shares.campaign(&campaign).ok_or_else(|| {
        let detail = "The shop has no such campaign.";
        Problem::new(422, "unknown-campaign", "No such campaign", detail).at("campaign")
    })?;
    let share = campaign.start(&member, app.now()).map_err(refuse)?;
    match app.store.commit(shares::save(&share)).await {
        Ok(()) => Response::json(201, &ShareView::of(&share, Some(campaign))),
        Err(CommitError::Lost(conflicts)) => {
            let item = Conflict::at(&conflicts, 0);
            let item = item.ok_or_else(|| Failure::retry("the share of this member went away"))?;
            let share = shares::from_item(item)?;
            Response::json(201, &ShareView::of(&share, Some(campaign)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Why nobody starts or joins, as an answer.
pub(crate) fn refuse(refusal: ShareRefusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        ShareRefusal::Closed | ShareRefusal::Over => {
            Problem::new(409, "share-over", "Not open any more", detail)
        }
        ShareRefusal::Full => Problem::new(409, "share-full", "Full", detail),
        ShareRefusal::Own => Problem::new(409, "share-own", "Your own share", detail),
    }
}
