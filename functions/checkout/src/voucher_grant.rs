//! `POST /customers/{id}/vouchers`: grants a member a voucher for a price rule.
//!
//! The voucher's identity follows from the member and the `Idempotency-Key`,
//! so a repeated call grants nothing twice and has the same answer; with
//! another rule or end it is a 422.

use std::sync::Arc;

use aftercart::{
    model::{id::VoucherId, voucher::Voucher},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{CommitError, Conflict, Op, Table, vouchers},
};

use crate::{
    member,
    wire::customer::{GrantVoucher, VoucherView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "voucher-grant",
    about: "Grants a member a voucher, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[Route::operator("POST", "/customers/{id}/vouchers")]),
    needs: &[Need::Table(Table::Customers, &[Op::PutItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, grant))
}

async fn grant(app: Arc<App>, request: Request) -> Answer {
    let voucher = parse(&app, &request)?;
    match app.store.commit(vouchers::grant(&voucher)).await {
        Ok(()) => answer(voucher),
        Err(CommitError::Lost(conflicts)) => replay(&voucher, &conflicts),
        Err(error) => Err(error.into()),
    }
}

fn parse(app: &App, request: &Request) -> Result<Voucher, Problem> {
    request.operator()?;
    let customer = member::in_path(request)?;
    let key = request.idempotency_key()?;
    let GrantVoucher { rule, expires_at } = request.json()?;
    Ok(Voucher {
        id: VoucherId::derive(&[customer.as_str(), key.as_str()]),
        customer,
        rule,
        granted_at: app.now(),
        expires_at,
        used_by: None,
    })
}

/// Answers a repeated call as the first was answered, whatever has become of
/// the voucher since.
fn replay(asked: &Voucher, conflicts: &[Conflict]) -> Answer {
    let item = Conflict::at(conflicts, 0);
    let item = item.ok_or_else(|| Failure::retry("the voucher of this key went away"))?;
    let granted = vouchers::from_item(item)?;
    if (&granted.rule, granted.expires_at) != (&asked.rule, asked.expires_at) {
        return Err(Problem::key_reused().into());
    }
    Ok(answer(Voucher { used_by: None, ..granted })?.replayed())
}

fn answer(voucher: Voucher) -> Answer {
    let granted_at = voucher.granted_at;
    Response::json(201, &VoucherView::of(voucher, granted_at))
}
