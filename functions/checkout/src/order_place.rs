//! `POST /orders` and `POST /guest/orders`: places an order.
//!
//! One batched read, then one transaction: the order, the stock of its lines,
//! what it uses of the limits of price rules, its vouchers and the hold of its
//! points. The order's identity follows from the buyer and the
//! `Idempotency-Key`, so the same call, in parallel or a year later, is the
//! same order and the same answer (`Idempotent-Replayed: true`); with another
//! body it is a 422. An order that was refused wrote nothing, and its key may
//! be used again.
//!
//! A buyer who names a quote gets exactly what it said, or 409 with the quote
//! as it is now. Without one the shop's prices of the moment apply, as long as
//! every code, voucher and point that was asked for does.
//!
//! When others were faster, the order is decided again on what the transaction
//! found, until it is placed or there is a rule to tell the buyer.

use std::sync::Arc;

use aftercart::{
    model::{
        cart::CartOwner,
        customer::CustomerId,
        order::{Order, OrderLine, OrderStatus},
        policy::Policy,
        risk::{Identity, RiskKind, Standing},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        links::OrderPass,
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Conflict, Key, Op, StoreError, Table, orders, risk},
};
use serde_json::json;

use crate::{
    asking::{self, Asking},
    cart_call,
    facts::{self, Reading},
    refusing,
    rules::{
        place::{self, Beside, Decided, Placing},
        quote::{self, Destination, Facts, Quote, Terms},
    },
    taking,
    wire::{OrderView, PlaceOrder},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-place",
    about: "Places an order and all that it takes, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders"),
        Route::open("POST", "/guest/orders"),
    ]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Quotas, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Risk, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::BatchGetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// How often an order is decided on what its transaction found. Each time at
/// least one part of a level or limit, a voucher or a balance turned out to be
/// less than was read; more than this in a row is a rush in which the buyer's
/// client had better wait a moment.
const DECISIONS: usize = 12;

/// Before which decision everything is read again: who lost twice was
/// overtaken in more places than those that the transaction told of.
const READ_AGAIN: usize = 3;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, place))
}

async fn place(app: Arc<App>, request: Request) -> Answer {
    let placing = parse(&request)?;
    let (policy, rules) = app.terms().await?;
    let terms = Terms { rules: &rules, policy: &policy, now: app.now() };
    let identity = identity(&placing);
    let reading = facts::reading(&placing.basket, &terms);
    let keys = keys(&reading, &placing, &terms, &identity);
    let mut found = app.store.read(&keys).await?;
    if let Some(order) = found.order(&placing.customer, &placing.id)? {
        return replay(&app, &policy, &placing, &order).await;
    }
    let mut facts = reading.facts(&app.store, &placing.basket, &found).await?;
    for decision in 1..=DECISIONS {
        if decision == READ_AGAIN {
            found = app.store.read(&keys).await?;
            facts = reading.facts(&app.store, &placing.basket, &found).await?;
        }
        let standing = found.standing(&policy.risk, &identity)?;
        let (quote, decided) = match decide(&placing, &facts, &standing, terms) {
            Ok(decided) => decided,
            Err(refusal) => return refused(&app, &policy, &placing, refusal).await,
        };
        let takings = taking::takings(&decided, &quote, &facts, terms.now);
        let writes = taking::writes(&decided.order, &takings, request.trace());
        match app.store.commit(writes).await {
            Ok(()) => {
                app.metrics.count(Metric::OrderPlaced, terms.now);
                return answer(&app, &policy, &decided.order).await;
            }
            Err(CommitError::Lost(conflicts)) => match earlier(&conflicts)? {
                Some(order) => return replay(&app, &policy, &placing, &order).await,
                None => taking::learn(&mut facts, &takings, &conflicts)?,
            },
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry("others were faster, again and again"))
}

/// Before a buyer is refused: the same call may have come at the same moment,
/// and have taken what is missing now.
async fn refused(app: &App, policy: &Policy, placing: &Placing, refusal: Failure) -> Answer {
    let found = app.store.read(&[Key::order(&placing.customer, &placing.id)]).await?;
    match found.order(&placing.customer, &placing.id)? {
        Some(order) => replay(app, policy, placing, &order).await,
        None => Err(refusal),
    }
}

fn parse(request: &Request) -> Result<Placing, Problem> {
    let key = request.idempotency_key()?;
    let customer = match request.is_guest() {
        true => CustomerId::guest(key.as_str()),
        false => request.member()?,
    };
    let body: PlaceOrder = request.json()?;
    let canonical = json!(body).to_string();
    let member = customer.is_member().then(|| customer.clone());
    let cart = if body.cart { Some(cart(request, member.as_ref())?.cart()) } else { None };
    let address = &body.shipping_address;
    let destination = Destination {
        country: address.country.clone(),
        region: address.region.clone(),
        postal_code: address.postal_code.clone(),
    };
    let asking = Asking {
        member,
        lines: body.lines,
        destination: Some(destination),
        delivery: body.delivery,
        codes: body.codes,
        vouchers: body.vouchers,
        points: body.points,
        channel: body.channel,
    };
    Ok(Placing {
        id: place::identity(&customer, key.as_str()),
        customer,
        basket: asking.basket(Some(&body.contact))?,
        quote: body.quote,
        cart,
        device: body.device.map(|device| RiskKind::Device.digest(device.as_str())),
        card: body.card.map(|card| RiskKind::Card.digest(card.as_str())),
        billing: body.billing_country,
        address: body.shipping_address,
        contact: body.contact,
        request: place::request_digest(canonical.as_bytes()),
    })
}

fn cart(request: &Request, member: Option<&CustomerId>) -> Result<CartOwner, Problem> {
    match member {
        Some(member) => Ok(CartOwner::Member(member.clone())),
        None => cart_call::token(request).map(CartOwner::Guest),
    }
}

fn identity(placing: &Placing) -> Identity {
    let (device, card) = (placing.device.as_deref(), placing.card.as_deref());
    Identity::new(&placing.customer, &placing.contact, &placing.address, device, card)
}

fn keys(reading: &Reading, placing: &Placing, terms: &Terms<'_>, identity: &Identity) -> Vec<Key> {
    let mut keys = reading.keys.clone();
    keys.push(Key::order(&placing.customer, &placing.id));
    keys.extend(risk::keys(&terms.policy.risk, identity));
    keys
}

/// The quote and the order, or the answer to a buyer who cannot have it.
fn decide(
    placing: &Placing,
    facts: &Facts,
    standing: &Standing,
    terms: Terms<'_>,
) -> Result<(Quote, Decided), Failure> {
    let quote = quote::quote(&placing.basket, facts, &terms, placing.id.as_str())
        .map_err(|refusal| asking::refuse(&refusal, refusing::PLACE))?;
    let beside = Beside { facts, standing, terms };
    match place::decide(placing, &quote, &beside).map_err(refusing::too_large)? {
        Ok(decided) => Ok((quote, decided)),
        Err(refusal) => Err(refusing::refuse(&refusal, placing, &quote, facts, terms)?.into()),
    }
}

/// The order that was placed under this key before, if that is what was found.
fn earlier(conflicts: &[Conflict]) -> Result<Option<Order>, StoreError> {
    Conflict::at(conflicts, 0).map(orders::from_item).transpose()
}

/// Answers a repeated call as the first was answered, whatever has become of
/// the order since.
async fn replay(app: &App, policy: &Policy, placing: &Placing, order: &Order) -> Answer {
    if order.request != placing.request {
        return Err(Problem::key_reused().into());
    }
    let free = order.total.minor() == 0;
    let line = |line: &OrderLine| OrderLine { cancelled: 0, refunded: 0, ..line.clone() };
    let as_placed = Order {
        status: if free { OrderStatus::Paid } else { OrderStatus::Placed },
        paid_at: free.then_some(order.placed_at),
        lines: order.lines.iter().map(line).collect(),
        address: placing.address.clone(),
        payments: Vec::new(),
        refunds_due: Vec::new(),
        history: Vec::new(),
        held_at: None,
        ..order.clone()
    };
    Ok(answer(app, policy, &as_placed).await?.replayed())
}

async fn answer(app: &App, policy: &Policy, order: &Order) -> Answer {
    let mut view = OrderView::of(order, None);
    if !order.customer.is_member() {
        let pass = OrderPass { order: order.id.clone(), customer: order.customer.clone() };
        let expires = order.placed_at.plus(policy.checkout.guest_link);
        view.order_token = Some(app.links().await?.order_pass(&pass, expires));
    }
    let guest = if order.customer.is_member() { "" } else { "/guest" };
    Ok(Response::json(201, &view)?.with("location", format!("{guest}/orders/{}", order.id)))
}
