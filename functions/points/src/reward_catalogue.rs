//! `GET /rewards`: what members may take for points, for everybody.
//!
//! One query of the index and one batched read. The index may lag a moment
//! behind a reward that was just written. Rewards that have ended are not in it.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Index, Op, Table},
};

use crate::wire::reward::{RewardCatalogue, RewardView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "reward-catalogue",
    about: "Lists what members may take for points.",
    trigger: Trigger::Http(&[Route::open("GET", "/rewards")]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.only_query(&[])?;
    let (policy, now) = (app.policy().await?, app.now());
    let offered = app.store.catalogue(now).await?;
    let rewards = offered.into_iter().map(|it| RewardView::of(it, now, &policy.points.zone));
    Response::json(200, &RewardCatalogue { rewards: rewards.collect() })
}
