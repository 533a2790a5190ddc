//! `POST /operator/customers/{id}/tier`: gives a member a tier for some time,
//! or takes it back.
//!
//! The member has it, or the better one that was earned; what was earned and
//! what is counted stay as they are. Safe to repeat: the same again changes
//! nothing. What else knows the tier follows by `tier.changed`.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        points::Tier,
        programme::PointsPolicy,
        time::{Date, TimeOfDay, Timestamp},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{CommitError, Op, Table},
};

use crate::{
    account, posting,
    rules::{membership, standing},
    wire::membership::GrantTier,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "tier-grant",
    about: "Gives a member a tier for some time, or takes it back.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/customers/{id}/tier")]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the ledger is read again when it changed meanwhile.
const ATTEMPTS: u32 = 4;

/// The longest time for which a tier is given: three years. What is for ever is
/// a mistake that nobody finds.
const MAX_DAYS: i32 = 3 * 366;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, grant))
}

async fn grant(app: Arc<App>, request: Request) -> Answer {
    let operator = request.operator_name()?;
    let customer = request.named("id", "member", |text| {
        CustomerId::parse(text).ok().filter(CustomerId::is_member).ok_or(())
    })?;
    let asked: GrantTier = request.json()?;
    let policy = app.policy().await?;
    let now = app.now();
    let granted = granted(asked, &policy.points, now)?;
    for _ in 0..ATTEMPTS {
        let before = account::ledger(&app, &customer).await?;
        let mut ledger = before.clone();
        let news = membership::grant_tier(&mut ledger, granted.clone(), now, &policy);
        let commit = posting::writes(&before, &ledger, &[], &news, &policy, now);
        match app.store.commit(commit).await {
            Ok(()) => {
                tracing::info!(operator = operator.as_str(), "tier given");
                return Response::json(200, &standing::granted(&ledger, &policy.points.zone));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

/// The tier and when it ends; none if it is taken back.
fn granted(
    asked: GrantTier,
    policy: &PointsPolicy,
    now: Timestamp,
) -> Result<Option<(Tier, Timestamp)>, Problem> {
    let (tier, until) = match (asked.tier, asked.until) {
        (None, None) => return Ok(None),
        (Some(tier), Some(until)) => (tier, until),
        (Some(_), None) => return Err(Problem::invalid("until", "Name the last day.")),
        (None, Some(_)) => return Err(Problem::invalid("tier", "Name the tier.")),
    };
    if policy.tiers.level(Some(&tier)).is_none() {
        return Err(Problem::invalid("tier", "Name one of the levels of the policy."));
    }
    let days = now.date_in(&policy.zone).days_until(until);
    if !(0..=MAX_DAYS).contains(&days) {
        let detail = "Name a last day from today on, within three years.";
        return Err(Problem::invalid("until", detail));
    }
    Ok(Some((tier, end_of(until, policy))))
}

/// The first instant after a day.
fn end_of(day: Date, policy: &PointsPolicy) -> Timestamp {
    day.plus_days(1).at(TimeOfDay::MIDNIGHT, &policy.zone).unwrap_or(Timestamp::LAST)
}
