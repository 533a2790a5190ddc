//! `PUT /rewards/{id}`: writes a reward of the catalogue, whole.
//!
//! One query of the catalogue, which has no more rewards than it shows, and one
//! update. What was taken of it stays counted, also by calls at the same moment,
//! so the new number of units holds at once. Safe to repeat. Nobody pays for
//! nothing: the price rule of a coupon has to be there and take vouchers.

use std::sync::Arc;

use aftercart::{
    model::{
        price::PriceRules,
        reward::{MAX_REWARDS, Offered, Reward, RewardId},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{CommitError, Index, Op, Table, rewards},
};

use crate::wire::reward::RewardView;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "reward-put",
    about: "Writes a reward of the catalogue: what it is, for how many points, and how many there are.",
    trigger: Trigger::Http(&[Route::operator("PUT", "/rewards/{id}")]),
    needs: &[
        Need::Table(Table::Points, &[Op::UpdateItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let id = request.named("id", "reward", RewardId::parse)?;
    let reward: Reward = request.json()?;
    reward
        .check()
        .map_err(|(field, reason)| Problem::invalid(field, format!("`{field}` {reason}.")))?;
    let (policy, rules) = app.terms().await?;
    let zone = &policy.points.zone;
    suits(&reward, &rules)?;
    if reward.window.ends(zone).is_none_or(|ends| ends > app.now()) {
        has_room(&app, &id).await?;
    }
    let before = match app.store.change(rewards::put(&id, &reward, zone)?).await {
        Ok(before) => before,
        Err(CommitError::Lost(_)) => None,
        Err(error) => return Err(error.into()),
    };
    let taken = rewards::taken_from_item(before.as_ref())?;
    Response::json(200, &RewardView::of(Offered { id, reward, taken }, app.now(), zone))
}

/// Whether a coupon's rule is there: without it, members would pay for nothing.
fn suits(reward: &Reward, rules: &PriceRules) -> Result<(), Problem> {
    if reward.kind.is_known(rules) {
        return Ok(());
    }
    let detail = "No price rule of this name takes vouchers: write it first, with \
                  `\"coupon\": { \"voucher\": true }`. New rules are seen within a minute.";
    let problem = Problem::new(422, "unknown-price-rule", "No such price rule", detail);
    Err(problem.at("kind.coupon.rule"))
}

/// Whether the catalogue shows the reward, or has room for one more: what is not
/// shown must not be taken.
async fn has_room(app: &App, id: &RewardId) -> Result<(), Failure> {
    if app.store.has_room_for(id, app.now()).await? {
        return Ok(());
    }
    let detail = format!(
        "The catalogue shows {MAX_REWARDS} rewards, and has as many: end one before, by the \
         `until` of its window."
    );
    Err(Problem::new(409, "catalogue-full", "The catalogue is full", detail).into())
}
