//! `PUT /policy`, `PUT /price-rules` and `PUT /exchange-rates`: replaces a
//! document of the merchant.
//!
//! The whole document is checked before it is kept, and it holds for every
//! function within a minute. Safe to repeat. Orders that were placed keep what
//! they were placed at.

use std::sync::Arc;

use aftercart::{
    model::{
        exchange::{ExchangeRates, ExchangeRatesError},
        policy::{Policy, PolicyError},
        price::{PriceRules, PriceRulesError, Rule},
        time::{Period, Timestamp},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Key, Op, Table, Write, settings},
};
use serde::Serialize;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "settings-put",
    about: "Replaces the policy, the price rules or the exchange rates, if they make sense.",
    trigger: Trigger::Http(&[
        Route::operator("PUT", "/policy"),
        Route::operator("PUT", "/price-rules"),
        Route::operator("PUT", "/exchange-rates"),
    ]),
    needs: &[Need::Table(Table::Settings, &[Op::BatchGetItem, Op::PutItem])],
    handle,
};

/// How far the clock of whoever tells the rates may be ahead of ours.
const CLOCKS_DIFFER: Period = Period::of_seconds(300);

/// The largest document: it is one item of its table, which takes 400 KB.
const DOCUMENT_MAX: usize = 350 * 1024;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(DOCUMENT_MAX, app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    if request.is_for("/exchange-rates") {
        let rates = exchange_rates(&request, app.now())?;
        return keep(&app, &rates, settings::put_exchange_rates).await;
    }
    match request.is_for("/price-rules") {
        true => {
            let rules = rules(&request)?;
            unsplit(&app, &rules).await?;
            keep(&app, &rules, settings::put_price_rules).await
        }
        false => keep(&app, &policy(&request)?, settings::put_policy).await,
    }
}

async fn keep<T: Serialize>(app: &App, document: &T, write: fn(&str) -> Write) -> Answer {
    let text = serde_json::to_string(document).map_err(Failure::bug)?;
    app.store.commit(write(&text)).await?;
    Response::json(200, document)
}

fn rules(request: &Request) -> Result<PriceRules, Problem> {
    let rules: PriceRules = request.json()?;
    rules.check().map_err(|error| match error {
        PriceRulesError::Malformed { path, reason: why }
        | PriceRulesError::Nonsense { path, remedy: why } => nonsense(&path, &why),
    })?;
    Ok(rules)
}

/// What was used of a limit lies in its parts, so their count stays as it is
/// for as long as the rule has its name.
async fn unsplit(app: &App, rules: &PriceRules) -> Result<(), Failure> {
    let found = app.store.read(&[Key::price_rules()]).await?;
    let Some(document) = found.document(&Key::price_rules())? else { return Ok(()) };
    // A document that this build cannot read is replaced, whatever it says.
    let Ok(held) = PriceRules::parse(&document) else { return Ok(()) };
    let parts = |rule: &Rule| {
        let held = held.rules.iter().find(|it| it.id == rule.id)?;
        let counted = held.limits.total.or(held.limits.per_day).is_some();
        Some(held.limits.shards).filter(|shards| counted && *shards != rule.limits.shards)
    };
    for (number, rule) in rules.rules.iter().enumerate() {
        if let Some(shards) = parts(rule) {
            let why = format!(
                "must stay {shards}: the uses of this rule are counted in so many parts. Give \
                 the offer a new id to count anew"
            );
            return Err(nonsense(&format!("rules[{number}].limits.shards"), &why).into());
        }
    }
    Ok(())
}

fn policy(request: &Request) -> Result<Policy, Problem> {
    let policy: Policy = request.json()?;
    policy.check().map_err(|error| match error {
        PolicyError::Malformed { path, reason } => nonsense(&path, &reason),
        PolicyError::Nonsense { field, reason } => nonsense(field, reason),
    })?;
    Ok(policy)
}

/// Rates of a time to come would not be used until then, which nobody means.
fn exchange_rates(request: &Request, now: Timestamp) -> Result<ExchangeRates, Problem> {
    let rates: ExchangeRates = request.json()?;
    rates.check().map_err(|error| match error {
        ExchangeRatesError::Malformed { path, reason: why }
        | ExchangeRatesError::Nonsense { path, remedy: why } => nonsense(&path, &why),
    })?;
    match rates.at > now.plus(CLOCKS_DIFFER) {
        true => Err(nonsense("at", "must not be in the future")),
        false => Ok(rates),
    }
}

fn nonsense(path: &str, why: &str) -> Problem {
    Problem::invalid(path, format!("{path} {why}."))
}
