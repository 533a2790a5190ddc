//! `POST /quotes` and `POST /guest/quotes`: prices a basket.
//!
//! One batched read and no write: ask as often as the cart changes. An order
//! that names the quote's `id` is placed at exactly what the quote says, or
//! not at all.

use std::sync::Arc;

use aftercart::{
    model::customer::Contact,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Key, Op, Table},
};

use crate::{
    asking::{self, Asking},
    facts,
    quoted::{self, Shown},
    rules::{
        offers,
        quote::{self, Basket, Terms},
    },
    wire::quote::AskQuote,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "quote-make",
    about: "Prices a basket: discounts, delivery, tax, points, and what could not be had.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/quotes"),
        Route::open("POST", "/guest/quotes"),
    ]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem]),
        Need::Table(Table::Quotas, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Table(Table::Lookups, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, make))
}

async fn make(app: Arc<App>, request: Request) -> Answer {
    let (basket, contact) = parse(&request)?;
    let (policy, rules) = app.terms().await?;
    let terms = Terms { rules: &rules, policy: &policy, now: app.now() };
    let reading = facts::reading(&basket, &terms);
    let mut keys = reading.keys.clone();
    if policy.offers.related.is_some() {
        keys.extend(basket.lines.iter().map(|line| Key::related(&line.sku)));
    }
    let found = app.store.read(&keys).await?;
    let facts = reading.facts(&app.store, &basket, &found).await?;
    let quote = quote::quote(&basket, &facts, &terms, &basket.counted_as)
        .map_err(|refusal| asking::refuse(&refusal, "place"))?;
    let mut related = Vec::new();
    if policy.offers.related.is_some() {
        for line in &basket.lines {
            related.push(found.related(&line.sku)?);
        }
    }
    let shown = Shown {
        basket: &basket,
        facts: &facts,
        terms,
        language: contact.map(|contact| contact.language).unwrap_or_default(),
        related: offers::related(&related, &skus(&basket)),
    };
    Response::json(200, &quoted::view(&quote, &shown).map_err(Failure::bug)?)
}

fn skus(basket: &Basket) -> Vec<aftercart::model::product::Sku> {
    basket.lines.iter().map(|line| line.sku.clone()).collect()
}

fn parse(request: &Request) -> Result<(Basket, Option<Contact>), Problem> {
    let member = match request.is_guest() {
        true => None,
        false => Some(request.member()?),
    };
    let body: AskQuote = request.json()?;
    let asking = Asking {
        member,
        lines: body.lines,
        destination: body.place.map(asking::destination),
        delivery: body.delivery,
        codes: body.codes,
        vouchers: body.vouchers,
        points: body.points,
        channel: body.channel,
    };
    Ok((asking.basket(body.contact.as_ref())?, body.contact))
}
