//! `POST /operator/customers/{id}/points/adjustments`,
//! `GET /operator/points/adjustments` and
//! `POST /operator/points/adjustments/{id}/approval` and `/refusal`: points that
//! operators give and take, with a reason.
//!
//! An adjustment's identity follows from the member and the `Idempotency-Key`.
//! What an operator may decide alone is posted at once; more waits until another
//! one approves it, and is listed meanwhile. The adjustment, its entry and the
//! ledger are one transaction, so it moves points once, however often and by how
//! many people at a time it is decided: the same again is answered as it is,
//! the other decision is refused. Who asked for it may refuse it, not approve it.

use std::sync::Arc;

use aftercart::{
    model::{
        adjustment::{Adjustment, MAX_ADJUSTMENT, Verdict},
        customer::CustomerId,
        id::AdjustmentId,
        points::Ledger,
        policy::Policy,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Index, Key, Op, PageToken, Table, adjustments as stored},
};

use crate::{
    account, posting,
    rules::adjust::{self, Refusal},
    soundness,
    wire::adjustment::{AdjustmentPage, AdjustmentView, AskAdjustment},
};

const APPROVAL: &str = "/operator/points/adjustments/{id}/approval";
const REFUSAL: &str = "/operator/points/adjustments/{id}/refusal";

/// A page of adjustments: at most some 2 KB each, as many as a batched read takes.
const PAGE: PageLimits = PageLimits { default: 50, most: 100 };

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-adjust",
    about: "Operators give and take points, with a reason, and two of them above a limit.",
    trigger: Trigger::Http(&[
        Route::operator("POST", "/operator/customers/{id}/points/adjustments"),
        Route::operator("GET", "/operator/points/adjustments"),
        Route::operator("POST", APPROVAL),
        Route::operator("POST", REFUSAL),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Points, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often an adjustment is decided again when the ledger changed meanwhile.
/// One of those rounds may be needed to find the account in which the points are.
const ATTEMPTS: u32 = 6;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.method() == "GET" {
        list(&app, &request).await
    } else if request.is_for(APPROVAL) {
        decide(&app, &request, Verdict::Approved).await
    } else if request.is_for(REFUSAL) {
        decide(&app, &request, Verdict::Refused).await
    } else {
        ask(&app, &request).await
    }
}

async fn ask(app: &App, request: &Request) -> Answer {
    let asked = parse(request, app.now())?;
    let policy = app.policy().await?;
    let mut account = asked.customer.clone();
    for _ in 0..ATTEMPTS {
        let keys = [Key::adjustment(&asked.id), Key::ledger(&account), Key::alone(&asked.asked_by)];
        let found = app.store.read(&keys).await?;
        if let Some(known) = found.adjustment(&asked.id)? {
            return replay(&asked, known);
        }
        let before = found.ledger(&account)?;
        if let Some((main, _)) = &before.link.into {
            account = main.clone();
            continue;
        }
        let (mut adjustment, mut alone) = (asked.clone(), found.alone(&asked.asked_by)?);
        adjust::alone(&mut adjustment, &mut alone, &policy);
        let commit = Commit::new().with(stored::put(&adjustment));
        let commit = match &adjustment.decided {
            None => commit,
            Some(decided) => commit.with(stored::save(&alone)).and(posted(
                app,
                &adjustment,
                decided.at,
                &before,
                &policy,
            )?),
        };
        match app.store.commit(commit).await {
            Ok(()) => {
                noted(app, &adjustment);
                return Response::json(201, &AdjustmentView::from(adjustment));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(changing())
}

fn parse(request: &Request, now: Timestamp) -> Result<Adjustment, Problem> {
    let asked_by = request.operator_name()?;
    let customer = request.named("id", "member", |text| {
        CustomerId::parse(text).ok().filter(CustomerId::is_member).ok_or(())
    })?;
    let key = request.idempotency_key()?;
    let AskAdjustment { points, reason } = request.json()?;
    if points == 0 || points.unsigned_abs() > MAX_ADJUSTMENT.unsigned_abs() {
        let detail = format!("Give or take 1 to {MAX_ADJUSTMENT} points.");
        return Err(Problem::invalid("points", detail));
    }
    let id = AdjustmentId::derive(&[customer.as_str(), key.as_str()]);
    Ok(Adjustment { id, customer, points, reason, asked_at: now, asked_by, decided: None })
}

/// Answers a repeated call as the first was answered, whatever another operator
/// has decided since.
fn replay(asked: &Adjustment, known: Adjustment) -> Answer {
    if (asked.points, &asked.reason) != (known.points, &known.reason) {
        return Err(Problem::key_reused().into());
    }
    let by = known.asked_by.clone();
    let decided = known.decided.filter(|it| it.verdict == Verdict::Approved && it.by == by);
    Ok(Response::json(201, &AdjustmentView::from(Adjustment { decided, ..known }))?.replayed())
}

async fn list(app: &App, request: &Request) -> Answer {
    request.operator()?;
    let (from, limit) = request.page(stored::cursor, PAGE)?;
    let page = app.store.adjustments_waiting(from.as_ref(), limit).await?;
    let keys: Vec<Key> = page.items.iter().map(Key::adjustment).collect();
    let found = app.store.read(&keys).await?;
    let mut adjustments = Vec::with_capacity(page.items.len());
    for id in &page.items {
        // The index may lag a moment behind what was decided.
        let waiting = found.adjustment(id)?.filter(|it| it.decided.is_none());
        adjustments.extend(waiting.map(AdjustmentView::from));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &AdjustmentPage { adjustments, next_cursor })
}

async fn decide(app: &App, request: &Request, verdict: Verdict) -> Answer {
    let by = request.operator_name()?;
    let id = request.named("id", "adjustment", AdjustmentId::parse)?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let adjustment = app.store.read(&[Key::adjustment(&id)]).await?.adjustment(&id)?;
        let adjustment = adjustment.ok_or_else(|| Problem::not_found("adjustment"))?;
        let decided = adjust::decide(&adjustment, verdict, &by, app.now()).map_err(refused(app))?;
        let Some(decided) = decided else {
            return Response::json(200, &AdjustmentView::from(adjustment));
        };
        let commit = Commit::new().with(stored::decide(&id, &decided)?);
        let commit = match verdict {
            Verdict::Refused => commit,
            Verdict::Approved => {
                let before = account::ledger(app, &adjustment.customer).await?;
                commit.and(posted(app, &adjustment, decided.at, &before, &policy)?)
            }
        };
        match app.store.commit(commit).await {
            Ok(()) => {
                let adjustment = Adjustment { decided: Some(decided), ..adjustment };
                noted(app, &adjustment);
                return Response::json(200, &AdjustmentView::from(adjustment));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(changing())
}

/// The writes that move the points of an approved adjustment.
fn posted(
    app: &App,
    adjustment: &Adjustment,
    at: Timestamp,
    before: &Ledger,
    policy: &Policy,
) -> Result<Commit, Failure> {
    let mut ledger = before.clone();
    let after = adjust::post(adjustment, at, &mut ledger, policy).map_err(refused(app))?;
    soundness::check(app, &ledger)?;
    Ok(posting::writes(before, &ledger, &after.entries, &after.news, policy, at))
}

/// Leaves a trace of who did it.
fn noted(app: &App, adjustment: &Adjustment) {
    let state = adjustment.decided.as_ref().map(|decided| decided.verdict);
    tracing::info!(adjustment = adjustment.id.as_str(), ?state, "adjusted");
    if state == Some(Verdict::Approved) {
        let points = adjustment.points.saturating_abs();
        app.metrics.add(Metric::PointsAdjusted, points, app.now());
    }
}

fn changing() -> Failure {
    Failure::retry(format!("a ledger changed {ATTEMPTS} times while it was read"))
}

/// Why an adjustment is not decided so, as an answer.
fn refused(app: &App) -> impl Fn(Refusal) -> Failure {
    |refusal| {
        let detail = refusal.to_string();
        let problem = match refusal {
            Refusal::Ledger(error) => return soundness::mismatch(app, error.to_string()),
            Refusal::Own => Problem::new(403, "own-adjustment", "Your own wish", detail),
            Refusal::Decided => Problem::new(409, "adjustment-decided", "Decided", detail),
            Refusal::TooFew(spendable) => {
                Problem::new(409, "too-few-points", "Too few points", detail)
                    .at("points")
                    .with("spendable", spendable.into())
            }
        };
        problem.into()
    }
}
