//! `POST /points/estimate` and `POST /guest/points/estimate`: what a cart would
//! earn, and by which rules; with a token, for the member who asks.
//!
//! One batched read and no write: ask as often as the cart changes. The goods
//! cost what the price rules make of them without codes and vouchers, as if no
//! limited offer were used up; so the order earns what is said here, or more,
//! unless points pay for some of it.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId, money::Money, order::MAX_LINES, points::Ledger, policy::Policy,
        price::PriceRules, product::Product, profile::Profile, text::Text,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Found, Key, Op, Table},
};
use aftercart_pricing::{
    delivery::Place,
    goods::{self, Asked, Buyer, Good, Priced},
    tax::{self, Taxable},
};

use crate::{
    rules::{
        calendar::Member,
        earn::{self, Bought, Purchase},
    },
    wire::earning::{AskEstimate, EarningRuleView, EstimateView, EstimatedLineView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-estimate",
    about: "Tells what a cart would earn, by which rules, and why not by others.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/points/estimate"),
        Route::open("POST", "/guest/points/estimate"),
    ]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, estimate))
}

async fn estimate(app: Arc<App>, request: Request) -> Answer {
    let member = (!request.is_guest()).then(|| request.member()).transpose()?;
    let asked: AskEstimate = request.json()?;
    if asked.lines.len() > MAX_LINES {
        let detail = format!("There may be at most {MAX_LINES} lines.");
        return Err(Problem::invalid("lines", detail).into());
    }
    let (policy, rules) = app.terms().await?;
    let mut keys: Vec<Key> = asked.lines.iter().map(|line| Key::product(&line.sku)).collect();
    keys.extend(member.iter().flat_map(|it| [Key::ledger(it), Key::profile(it)]));
    let found = app.store.read(&keys).await?;
    let (ledger, profile) = who(&found, member.as_ref())?;
    let products = products(&found, &asked)?;
    let terms = Terms { policy: &policy, rules: &rules, app: &app };
    let priced = price(&asked, &products, profile.as_ref(), &terms)?;
    let purchase = purchase(&asked, &priced, &products, &terms)?;
    let buyer = match (&ledger, &profile) {
        (Some(ledger), Some(profile)) => Member::of(ledger, profile, &policy.points),
        _ => Member::default(),
    };
    let counters = ledger.map(|it| it.counters).unwrap_or_default();
    let earned = earn::earned(&purchase, &buyer, &counters, &policy.points);
    let language = request.language(None);
    let rule = |told| EarningRuleView::of(told, &policy.points, language);
    let view = EstimateView {
        points: earned.points(),
        lines: EstimatedLineView::all(&priced.lines, &earned, language),
        rules: earned.told.iter().map(rule).collect(),
        policy: policy.version.to_string(),
    };
    Response::json(200, &view)
}

struct Terms<'a> {
    policy: &'a Policy,
    rules: &'a PriceRules,
    app: &'a App,
}

/// The ledger and the record of who asks with a token.
fn who(
    found: &Found,
    member: Option<&CustomerId>,
) -> Result<(Option<Ledger>, Option<Profile>), Failure> {
    let ledger = member.map(|member| found.ledger(member)).transpose()?;
    Ok((ledger, member.map(|member| found.profile(member)).transpose()?))
}

fn products(found: &Found, asked: &AskEstimate) -> Result<Vec<Product>, Failure> {
    let mut products = Vec::with_capacity(asked.lines.len());
    for (number, line) in asked.lines.iter().enumerate() {
        let unknown = || {
            let detail = format!("The shop does not sell the SKU {}.", line.sku);
            Problem::invalid(format!("lines[{number}].sku"), detail)
        };
        products.push(found.product(&line.sku)?.ok_or_else(unknown)?);
    }
    Ok(products)
}

fn price(
    asked: &AskEstimate,
    products: &[Product],
    profile: Option<&Profile>,
    terms: &Terms<'_>,
) -> Result<Priced, Problem> {
    let units = asked.lines.iter().map(|line| line.quantity);
    let lines: Vec<(Good, u32)> = products.iter().map(Good::from).zip(units).collect();
    let tier = profile.and_then(|it| it.tier.as_ref());
    let asked = Asked {
        lines: &lines,
        codes: &[],
        vouchers: &[],
        buyer: Buyer {
            customer: profile.map_or("", |it| it.customer.as_str()),
            member: profile.is_some(),
            tier: tier.map(Text::as_str),
            segments: profile.map(|it| it.segments.as_slice()).unwrap_or_default(),
            channel: asked.channel.as_ref().map(Text::as_str),
            first_order: profile.is_some_and(|it| it.orders == 0),
        },
        gifts: &std::collections::BTreeMap::new(),
        quotas: &std::collections::BTreeMap::new(),
        now: terms.app.now(),
    };
    goods::price(terms.rules, &asked)
        .map_err(|error| Problem::invalid("lines", format!("These goods have no price: {error}.")))
}

/// The cart, as rules of earning see it.
fn purchase(
    asked: &AskEstimate,
    priced: &Priced,
    products: &[Product],
    terms: &Terms<'_>,
) -> Result<Purchase, Failure> {
    let goods: Vec<Taxable<'_>> = products
        .iter()
        .zip(&priced.lines)
        .map(|(product, line)| Taxable {
            class: product.facts.tax_class.as_ref().map(Text::as_str),
            amount: line.total,
        })
        .collect();
    let place = asked.country.as_ref();
    let place = place.map(|country| Place { country, region: None, postal_code: None });
    let none = Money::zero(priced.currency);
    let taxed = place.map(|place| tax::tax(&terms.policy.tax, &place, &goods, none)).transpose();
    let taxed = taxed.map_err(Failure::bug)?.filter(|taxed| taxed.included);
    let tax = |number: usize| {
        let tax = taxed.as_ref().and_then(|it| it.lines.get(number));
        tax.map_or(0, |tax| tax.amount.minor())
    };
    let bought = |(number, line): (usize, &goods::Line)| Bought {
        sku: line.good.sku.clone(),
        category: line.good.category.clone(),
        brand: line.good.brand.clone(),
        gift: line.gift.is_some(),
        paid: earn::in_money(line.total.minor(), tax(number), 0),
    };
    Ok(Purchase {
        at: terms.app.now(),
        channel: asked.channel.clone(),
        lines: priced.lines.iter().enumerate().map(bought).collect(),
    })
}
