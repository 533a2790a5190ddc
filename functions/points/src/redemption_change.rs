//! `POST /me/redemptions/{id}/cancellation`: calls off a reward that nobody has
//! seen to, or a coupon that was not used. `POST
//! /operator/redemptions/{id}/fulfilment` notes that the member has it, and
//! `POST /operator/redemptions/{id}/return` takes it back.
//!
//! The redemption, its unit of a limited reward, its place among those that a
//! member may have and its voucher are one transaction, so it is undone once,
//! whoever asks at the same time. Its points come back by the message that it
//! carries. The same call again is answered as the first.

use std::sync::Arc;

use aftercart::{
    messages::{Message, RedemptionChanged, RewardStopped},
    model::{
        id::RedemptionId,
        order::Actor,
        reward::{Fulfilled, Redemption, Unchangeable, Undoing},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Conflict, Op, Sends, Table, Write, rewards, vouchers},
};

use crate::wire::reward::{FulfilRedemption, RedemptionFile, RedemptionView, ReturnRedemption};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "redemption-change",
    about: "Notes that a member has a reward, takes it back, or calls it off.",
    trigger: Trigger::Http(&[
        Route::operator("POST", FULFILMENT),
        Route::operator("POST", "/operator/redemptions/{id}/return"),
        Route::shopper("POST", "/me/redemptions/{id}/cancellation"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::GetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::UpdateItem]),
    ],
    handle,
};

const FULFILMENT: &str = "/operator/redemptions/{id}/fulfilment";

/// How often the redemption is read again when it changed meanwhile.
const ATTEMPTS: u32 = 4;

/// What is to become of a redemption.
enum Change {
    Fulfil(Fulfilled),
    /// Undo it, and whether somebody else may have the unit.
    Undo(Undoing, bool),
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, change))
}

async fn change(app: Arc<App>, request: Request) -> Answer {
    let id = request.named("id", "redemption", RedemptionId::parse)?;
    let member = if request.is_operators() { None } else { Some(request.member()?) };
    let change = parse(&request, app.now())?;
    for _ in 0..ATTEMPTS {
        let before = app.store.redemption(&id).await?;
        let before =
            before.filter(|it| member.as_ref().is_none_or(|member| *member == it.customer));
        let before = before.ok_or_else(|| Problem::not_found("redemption"))?;
        let after = decide(&before, &change).map_err(refuse)?;
        if after == before {
            return answer(after, &request);
        }
        match app.store.commit(writes(&before, &after, &change, &request, app.now())).await {
            Ok(()) => return answer(after, &request),
            // The voucher of the same redemption.
            Err(CommitError::Lost(lost)) if lost.iter().all(|it| it.position == 1) => {
                return Err(used(&lost).into());
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the redemption {id} kept changing")))
}

fn parse(request: &Request, at: Timestamp) -> Result<Change, Problem> {
    if !request.is_operators() {
        return Ok(Change::Undo(Undoing { at, by: Actor::Buyer }, true));
    }
    let by = request.operator_name()?;
    if request.is_for(FULFILMENT) {
        let FulfilRedemption { note } = request.json()?;
        return Ok(Change::Fulfil(Fulfilled { at, by, note }));
    }
    let ReturnRedemption { restock } = request.json()?;
    Ok(Change::Undo(Undoing { at, by: Actor::Operator(by) }, restock))
}

fn decide(before: &Redemption, change: &Change) -> Result<Redemption, Unchangeable> {
    let mut after = before.clone();
    match change {
        Change::Fulfil(fulfilled) => after.fulfil(fulfilled.clone())?,
        Change::Undo(undoing, _) => after.undo(undoing.clone())?,
    }
    Ok(after)
}

fn refuse(error: Unchangeable) -> Problem {
    let detail = error.to_string();
    match error {
        Unchangeable::Undone => {
            Problem::new(409, "redemption-undone", "The redemption was undone", detail)
        }
        Unchangeable::Fulfilled => {
            Problem::new(409, "redemption-fulfilled", "The member has it", detail)
        }
        Unchangeable::Coupon => {
            Problem::new(409, "redemption-needs-nobody", "Nobody has to see to it", detail)
        }
    }
}

fn used(lost: &[Conflict]) -> Problem {
    let by = Conflict::at(lost, 1).and_then(|item| vouchers::from_item(item).ok()?.used_by);
    let detail = match by {
        Some(_) => "An order uses the voucher: call that off first, and the voucher is free again.",
        None => "The voucher has ended.",
    };
    Problem::new(409, "voucher-spent", "The voucher is used or has ended", detail)
}

/// The redemption first, then its voucher: conflicts come by position. A
/// redemption that is not posted yet has no voucher, and gets none when it is
/// undone before.
fn writes(
    before: &Redemption,
    after: &Redemption,
    change: &Change,
    request: &Request,
    now: Timestamp,
) -> Commit {
    let mut sends = Sends::none();
    let mut undoing: Vec<Write> = Vec::new();
    if let Change::Undo(_, restock) = change {
        let (id, trace) = (after.id.clone(), request.trace());
        let changed = Message::RedemptionChanged(RedemptionChanged { redemption: id.clone() });
        sends = Sends::one(changed, now, trace);
        if before.waits() {
            let stopped = Message::RewardStopped(RewardStopped { redemption: id });
            sends = sends.and(stopped, now, trace);
        }
        let voucher = after.voucher().filter(|_| before.posted);
        undoing.extend(voucher.map(|voucher| vouchers::end(&after.customer, &voucher, now)));
        undoing
            .extend((after.of_units && *restock).then(|| rewards::give_unit_back(&after.reward)));
        let place = || rewards::count_out(&after.account, &after.reward);
        undoing.extend(after.of_member.then(place));
    }
    std::iter::once(rewards::save(after, &sends)).chain(undoing).collect()
}

fn answer(redemption: Redemption, request: &Request) -> Answer {
    if request.is_operators() {
        return Response::json(200, &RedemptionFile::from(redemption));
    }
    Response::json(200, &RedemptionView::from(redemption))
}
