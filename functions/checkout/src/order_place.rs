//! `POST /orders` and `POST /guest/orders`: places an order.
//!
//! The order and its stock are one transaction, after one batched read. The
//! order's identity follows from the buyer and the `Idempotency-Key`, so the
//! same call, in parallel or a year later, is the same order and the same
//! answer (`Idempotent-Replayed: true`); with another body it is a 422. An
//! order that was refused wrote nothing, and its key may be used again.

use std::sync::Arc;

use aftercart::{
    messages::{Message, OrderPaid},
    model::{
        customer::CustomerId,
        order::{Order, OrderStatus},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        links::OrderPass,
        metrics::Metric,
        secrets::Secret,
    },
    store::{Commit, CommitError, Conflict, Key, Op, Sends, Table, orders, stock},
};
use serde_json::json;

use crate::{
    rules::place::{self, Placing, PlacingLine, Refusal},
    wire::{OrderView, PlaceOrder},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-place",
    about: "Places an order and takes its stock, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders"),
        Route::open("POST", "/guest/orders"),
    ]),
    needs: &[
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Stock, &[Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, place))
}

async fn place(app: Arc<App>, request: Request) -> Answer {
    let placing = parse(&request)?;
    let mut keys: Vec<Key> = placing.lines.iter().map(|line| Key::product(&line.sku)).collect();
    keys.push(Key::order(&placing.customer, &placing.id));
    let found = app.store.read(&keys).await?;
    if let Some(order) = found.order(&placing.customer, &placing.id)? {
        return replay(&app, &placing, &order).await;
    }
    let mut products = Vec::with_capacity(placing.lines.len());
    for line in &placing.lines {
        products.push(found.product(&line.sku)?);
    }
    let (policy, now) = (app.policy().await?, app.now());
    let order = place::decide(&placing, &products, &policy, now).map_err(refuse)?;
    match app.store.commit(writes(&order, request.trace())).await {
        Ok(()) => {
            app.metrics.count(Metric::OrderPlaced, now);
            answer(&app, &order).await
        }
        Err(CommitError::Lost(conflicts)) => lost(&app, &placing, &conflicts).await,
        Err(error) => Err(error.into()),
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
    let mut lines = Vec::with_capacity(body.lines.len());
    for (line, asked) in body.lines.into_iter().enumerate() {
        let quantity = place::quantity(line, asked.quantity).map_err(refuse)?;
        lines.push(PlacingLine { sku: asked.sku, quantity });
    }
    place::check_lines(&lines).map_err(refuse)?;
    Ok(Placing {
        id: place::identity(&customer, key.as_str()),
        customer,
        lines,
        address: body.shipping_address,
        contact: body.contact,
        request: place::request_digest(canonical.as_bytes()),
    })
}

fn refuse(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Lines | Refusal::TotalTooLarge => Problem::invalid("lines", detail),
        Refusal::Quantity { line } => Problem::invalid(format!("lines[{line}].quantity"), detail),
        Refusal::Repeated { line, .. } | Refusal::MixedCurrencies { line, .. } => {
            Problem::invalid(format!("lines[{line}].sku"), detail)
        }
        Refusal::UnknownSku { line, sku } => {
            Problem::new(422, "unknown-sku", "The shop does not sell this", detail)
                .at(format!("lines[{line}].sku"))
                .with("sku", sku.as_str().into())
        }
    }
}

/// The order first, then the stock of each line: conflicts come by position.
fn writes(order: &Order, trace: Option<&str>) -> Commit {
    let sends = match order.status {
        OrderStatus::Paid => {
            let paid = OrderPaid { order: order.id.clone(), customer: order.customer.clone() };
            Sends::one(Message::OrderPaid(paid), order.placed_at, trace)
        }
        _ => Sends::none(),
    };
    let takes = order.lines.iter().map(|line| stock::take(&line.sku, line.quantity));
    std::iter::once(orders::place(order, &sends)).chain(takes).collect()
}

async fn lost(app: &App, placing: &Placing, conflicts: &[Conflict]) -> Answer {
    if let Some(earlier) = conflicts.iter().find(|conflict| conflict.position == 0) {
        let item = earlier.found.as_ref();
        let item = item.ok_or_else(|| Failure::retry("the order of this key went away"))?;
        return replay(app, placing, &orders::from_item(item)?).await;
    }
    let mut short = Vec::with_capacity(conflicts.len());
    for conflict in conflicts {
        let line = conflict.position.saturating_sub(1);
        let left = conflict.found.as_ref().map_or(Ok(0), stock::available_from_item)?;
        if let Some(asked) = placing.lines.get(line) {
            short.push(json!({ "line": line, "sku": asked.sku, "available": left.max(0) }));
        }
    }
    let names: Vec<&str> = short.iter().filter_map(|line| line["sku"].as_str()).collect();
    let detail = format!("Not enough in stock of: {}.", names.join(", "));
    let field = conflicts.first().map_or(0, |conflict| conflict.position.saturating_sub(1));
    Err(Problem::new(409, "out-of-stock", "Not enough in stock", detail)
        .at(format!("lines[{field}].quantity"))
        .with("lines", short.into())
        .into())
}

/// Answers a repeated call as the first was answered, whatever has become of
/// the order since.
async fn replay(app: &App, placing: &Placing, order: &Order) -> Answer {
    if order.request != placing.request {
        return Err(Problem::key_reused().into());
    }
    let free = order.total.minor() == 0;
    let as_placed = Order {
        status: if free { OrderStatus::Paid } else { OrderStatus::Placed },
        paid_at: free.then_some(order.placed_at),
        payments: Vec::new(),
        refunds_due: Vec::new(),
        ..order.clone()
    };
    Ok(answer(app, &as_placed).await?.replayed())
}

async fn answer(app: &App, order: &Order) -> Answer {
    let mut view = OrderView::of(order, None);
    if !order.customer.is_member() {
        let pass = OrderPass { order: order.id.clone(), customer: order.customer.clone() };
        let expires = order.placed_at.plus(app.policy().await?.checkout.guest_link);
        view.order_token = Some(app.links().await?.order_pass(&pass, expires));
    }
    Ok(Response::json(201, &view)?.with("location", format!("/orders/{}", order.id)))
}
