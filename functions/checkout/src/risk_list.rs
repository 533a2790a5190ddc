//! `PUT /risk/entries`: blocks or trusts a member, a device, an address, an
//! e-mail address or a card, or takes that back.
//!
//! Safe to repeat: the last word counts. The value itself is not kept, only
//! the digest under which orders are compared with it.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::{CustomerId, Email},
        risk::{RiskEntry, RiskKind, address_digest},
        time::Timestamp,
    },
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Op, Table, risk},
};

use crate::wire::risk::{PutRiskEntry, RiskEntryView};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "risk-list",
    about: "Blocks or trusts a buyer, a device, an address or a card.",
    trigger: Trigger::Http(&[Route::operator("PUT", "/risk/entries")]),
    needs: &[
        Need::Table(Table::Risk, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let entry = entry(request.json()?, app.now())?;
    let policy = app.policy().await?;
    app.store.commit(risk::list(&entry)).await?;
    let RiskEntry { kind, listed, note, at, .. } = entry;
    let asked_for = policy.risk.looked_up().contains(&kind);
    Response::json(200, &RiskEntryView { kind, listed, note, at, asked_for })
}

fn entry(body: PutRiskEntry, at: Timestamp) -> Result<RiskEntry, Problem> {
    let digest = digest(&body)?;
    let PutRiskEntry { kind, listed, note, .. } = body;
    Ok(RiskEntry { kind, digest, listed, note, at })
}

/// The digest of what is named, in the form that its kind has.
fn digest(body: &PutRiskEntry) -> Result<String, Problem> {
    if body.kind == RiskKind::Address {
        if body.value.is_some() {
            return Err(Problem::invalid("value", "An address is sent as `address`."));
        }
        let missing = || Problem::invalid("address", "Send the address.");
        return body.address.as_ref().map(address_digest).ok_or_else(missing);
    }
    if body.address.is_some() {
        let detail = "Only an entry of kind `address` has an address; send `value`.";
        return Err(Problem::invalid("address", detail));
    }
    let value = body.value.as_ref();
    let value = value.ok_or_else(|| Problem::invalid("value", "Send what is listed."))?.as_str();
    let form = match body.kind {
        RiskKind::Customer => member(value),
        RiskKind::Email => Email::parse(value).map(drop).map_err(|error| error.to_string()),
        RiskKind::Device | RiskKind::Card | RiskKind::Address => Ok(()),
    };
    form.map_err(|fault| Problem::invalid("value", format!("The value {fault}.")))?;
    Ok(body.kind.digest(value))
}

/// A guest is a buyer of one order, so there is nobody to list.
fn member(value: &str) -> Result<(), String> {
    match CustomerId::parse(value) {
        Ok(customer) if customer.is_member() => Ok(()),
        _ => Err("must be a member, such as `cus_ada`; list a guest by e-mail address".to_owned()),
    }
}
