//! `POST /shares/{id}/joins`: a member joins a share.
//!
//! One transaction notes the member, counts the join against the campaign's
//! limit for one member, and grants the vouchers that follow. A member joins
//! once: a repeated call changes nothing and shows the share as it is.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        id::{ShareId, VoucherId},
        price::{Quota, QuotaScope},
        share::{Campaign, Share, ShareRefusal},
        voucher::Voucher,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Conflict, Op, Table, quotas, shares, vouchers},
};

use crate::{share_start, wire::share::ShareView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "share-join",
    about: "A member joins a share, once, and what follows is granted.",
    trigger: Trigger::Http(&[Route::shopper("POST", "/shares/{id}/joins")]),
    needs: &[
        Need::Table(Table::Shares, &[Op::GetItem, Op::PutItem]),
        Need::Table(Table::Quotas, &[Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a join is decided again when others joined at the same moment.
/// Of those that meet one gets through, so this many friends may come at once.
const ATTEMPTS: usize = 16;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, join))
}

async fn join(app: Arc<App>, request: Request) -> Answer {
    let member = request.member()?;
    let id = request.named("id", "share", ShareId::parse)?;
    let policy = app.policy().await?;
    let mut share = read(&app, &id).await?;
    let campaign = policy.shares.campaign(&share.campaign);
    let campaign = campaign.ok_or_else(|| share_start::refuse(ShareRefusal::Closed))?;
    let mut had: Vec<VoucherId> = Vec::new();
    for _ in 0..ATTEMPTS {
        let joined = campaign.join(&share, &member, app.now()).map_err(share_start::refuse)?;
        let Some((after, mut granted)) = joined else { return show(&share, campaign) };
        granted.retain(|voucher| !had.contains(&voucher.id));
        match app.store.commit(writes(&app, campaign, &after, &member, &granted)).await {
            Ok(()) => return show(&after, campaign),
            Err(CommitError::Lost(conflicts)) => {
                share = learned(share, &conflicts)?;
                had.extend(granted_before(&granted, &conflicts));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry("others joined, again and again"))
}

async fn read(app: &App, id: &ShareId) -> Result<Share, Failure> {
    let share = app.store.share(id).await?;
    Ok(share.ok_or_else(|| Problem::not_found("share"))?)
}

/// The share first, then the member's joins, then the vouchers.
fn writes(
    app: &App,
    campaign: &Campaign,
    after: &Share,
    member: &CustomerId,
    granted: &[Voucher],
) -> Commit {
    let joins = Quota {
        rule: campaign.id.clone(),
        scope: QuotaScope::Customer(member.to_string()),
        cap: campaign.joins_per_member,
        shards: 1,
    };
    let commit =
        Commit::new().with(shares::save(after)).with(quotas::take(&joins, 0, 1, app.now()));
    granted.iter().fold(commit, |commit, voucher| commit.with(vouchers::grant(voucher)))
}

/// The share as it is, when others were first.
fn learned(share: Share, conflicts: &[Conflict]) -> Result<Share, Failure> {
    if let Some(item) = Conflict::at(conflicts, 0) {
        return Ok(shares::from_item(item)?);
    }
    if conflicts.iter().any(|conflict| conflict.position == 1) {
        let detail = "You have joined as many shares of this campaign as one may.";
        return Err(Problem::new(409, "share-limit", "Joined often enough", detail).into());
    }
    Ok(share)
}

/// Vouchers that are there already, because the campaign's steps were changed
/// since: what was granted once is not granted again.
fn granted_before(granted: &[Voucher], conflicts: &[Conflict]) -> Vec<VoucherId> {
    let place = |conflict: &Conflict| conflict.position.checked_sub(2);
    let there = conflicts.iter().filter_map(|conflict| granted.get(place(conflict)?));
    there.map(|voucher| voucher.id.clone()).collect()
}

fn show(share: &Share, campaign: &Campaign) -> Answer {
    Response::json(200, &ShareView::of(share, Some(campaign)))
}
