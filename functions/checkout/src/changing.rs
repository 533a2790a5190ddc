//! How orders change after they were placed: the order, its shipments and
//! everything that it gives back are one transaction.
//!
//! The order is written on the condition that it is as it was read, so what it
//! took is given back exactly once. Its shipments follow in the same
//! transaction, written on the condition that they are as they were read. They
//! are stopped when nothing must be sent; where none is opened yet, the item
//! that holds them is put without any: whoever opens them at the same moment
//! comes first and is seen, or loses and looks at the order again.
//!
//! An order takes at most [`MAX_WRITES`] less two things: parts of stock, parts
//! of limits, vouchers. Ending it gives them back beside the order and either
//! its shipments or, if it was not paid, its hold of points.
//!
//! [`MAX_WRITES`]: crate::rules::place::MAX_WRITES

use aftercart::{
    messages::{Message, OrderCancelled, OrderPaid, OrderRefunded},
    model::{
        customer::CustomerId,
        dispatch::Dispatch,
        id::OrderId,
        logistics::Service,
        order::{Actor, Deed, Order, OrderStatus, RefundCause},
        points::Holder,
        stock::StockPart,
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure,
        http::{Buyer, Problem, Request},
        metrics::Metric,
    },
    store::{
        Commit, CommitError, Sends, StoreError, Write, orders, points, quotas, shipments, stock,
        vouchers,
    },
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::rules::{
    change::{By, Refusal},
    parcels,
};

/// How often an order is read again that others change at the same moment.
const ATTEMPTS: u32 = 4;

/// An order that was to be changed.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// As it was before.
    pub(crate) before: Order,
    /// As it is now: the same when there was nothing to do.
    pub(crate) order: Order,
    /// Its shipments, as they are now.
    pub(crate) dispatch: Option<Dispatch>,
}

/// Reads an order and its shipments, decides, and writes what was decided, until
/// nobody else changed them in between.
///
/// # Errors
/// 404, what `decide` refuses, and failures.
pub(crate) async fn change(
    app: &App,
    asked: &Buyer,
    trace: Option<&str>,
    decide: impl Fn(&Order, Option<&Dispatch>) -> Result<Option<Order>, Refusal>,
) -> Result<Outcome, Failure> {
    for _ in 0..ATTEMPTS {
        let Prepared { outcome, own, commit } = prepare(app, asked, trace, &decide).await?;
        if commit.is_empty() {
            return Ok(outcome);
        }
        match app.store.commit(commit).await {
            Ok(()) => return Ok(outcome),
            Err(CommitError::Lost(lost)) if lost.iter().all(|it| it.position >= own) => {
                let order = &asked.order;
                return Err(Failure::bug(format!("what {order} took cannot be given back")));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the order {} kept changing", asked.order)))
}

/// A change of an order, before it is written.
pub(crate) struct Prepared {
    /// What comes of it.
    pub(crate) outcome: Outcome,
    /// So many of the writes are of the order and its shipments, which others
    /// may change; they come first.
    own: usize,
    /// How it is written; nothing when there is nothing to do.
    pub(crate) commit: Commit,
}

/// Reads an order and its shipments, and decides, in one round trip.
///
/// # Errors
/// 404, what `decide` refuses, and failures.
pub(crate) async fn prepare(
    app: &App,
    asked: &Buyer,
    trace: Option<&str>,
    decide: impl Fn(&Order, Option<&Dispatch>) -> Result<Option<Order>, Refusal>,
) -> Result<Prepared, Failure> {
    let (before, dispatch) = read(app, &asked.customer, &asked.order).await?;
    let Some(order) = decide(&before, dispatch.as_ref()).map_err(refuse)? else {
        let outcome = Outcome { order: before.clone(), before, dispatch };
        return Ok(Prepared { outcome, own: 0, commit: Commit::new() });
    };
    let services = match before.address == order.address {
        true => Vec::new(),
        false => app.policy().await?.logistics.services.clone(),
    };
    let change = Changed { before: &before, after: &order, now: app.now(), trace };
    let (dispatch, parcel) = change.parcels(dispatch, &services)?;
    let own = 1 + parcel.iter().count();
    let commit = change.commit(parcel)?;
    Ok(Prepared { outcome: Outcome { before, order, dispatch }, own, commit })
}

/// Calls off an order, or units of it, as `decide` says; rings for a person
/// when money goes back. Not only when that is noted: a call that ends between
/// the note and the alarm comes again, finds the note, and rings.
///
/// # Errors
/// As [`change`] has them.
pub(crate) async fn call_off(
    app: &App,
    asked: &Buyer,
    trace: Option<&str>,
    decide: impl Fn(&Order, Option<&Dispatch>) -> Result<Option<Order>, Refusal>,
) -> Result<Outcome, Failure> {
    let outcome = change(app, asked, trace, decide).await?;
    if outcome.order.status != outcome.before.status {
        app.metrics.count(Metric::OrderCancelled, app.now());
    }
    if outcome.order.refunds_due.iter().any(|due| due.cause == RefundCause::Cancelled) {
        app.metrics.count(Metric::RefundDue, app.now());
    }
    Ok(outcome)
}

/// The order that an operator asks for, and who changes it, when and why: that
/// is in the body.
///
/// # Errors
/// 401, 404, and what is wrong with the body.
pub(crate) fn operated<B: DeserializeOwned>(
    app: &App,
    request: &Request,
    why: impl FnOnce(B) -> Text<500>,
) -> Result<(Buyer, By), Problem> {
    let who = Actor::Operator(request.operator_name()?);
    let asked = request.operated()?;
    Ok((asked, By { who, at: app.now(), why: Some(why(request.json()?)) }))
}

/// A SKU that a request names twice, by the place of its line.
pub(crate) fn twice(line: usize) -> Problem {
    let detail = "The SKU is in two lines of the request; name it once.";
    Problem::invalid(format!("lines[{line}].sku"), detail)
}

/// An order and its shipments.
///
/// # Errors
/// 404, and failures.
pub(crate) async fn read(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
) -> Result<(Order, Option<Dispatch>), Failure> {
    let (order, dispatch) = app.store.order_and_dispatch(customer, order).await?;
    Ok((order.ok_or_else(|| Problem::not_found("order"))?, dispatch))
}

/// The order's end unpaid, and the return of all that it took, the order first.
///
/// # Errors
/// When the order cannot be stored.
pub(crate) fn expiry(before: &Order, now: Timestamp) -> Result<Commit, StoreError> {
    let status = OrderStatus::Expired;
    let after = Order { status, held_at: None, expires_at: None, ..before.clone() };
    Changed { before, after: &after, now, trace: None }.commit(None)
}

/// A change of an order.
struct Changed<'a> {
    before: &'a Order,
    after: &'a Order,
    now: Timestamp,
    trace: Option<&'a str>,
}

impl Changed<'_> {
    /// The order first, then its shipments, then what it gives back.
    fn commit(&self, parcels: Option<Write>) -> Result<Commit, StoreError> {
        let Self { before, after, now, trace } = *self;
        let order = orders::change(before, after, &sends(before, after, now, trace))?;
        Ok(std::iter::once(order).chain(parcels).chain(given_back(before, after)).collect())
    }

    /// What becomes of the shipments of a paid order whose parcels change, and
    /// how that is written.
    fn parcels(
        &self,
        dispatch: Option<Dispatch>,
        services: &[Service],
    ) -> Result<(Option<Dispatch>, Option<Write>), StoreError> {
        let Self { before, after, now, trace } = *self;
        let packed = |order: &Order| {
            let lines = order.lines.iter().map(|line| (line.sku.clone(), line.stock.clone()));
            let lines: Vec<_> = lines.collect();
            (order.status, order.held_at.is_some(), lines, order.address.clone())
        };
        if after.paid_at.is_none() || packed(before) == packed(after) {
            return Ok((dispatch, None));
        }
        let Some(known) = dispatch else {
            if parcels::waits(before) && !parcels::waits(after) {
                // Nobody opens those of an order that waits; now somebody will.
                return Ok((None, None));
            }
            let stopped_at = parcels::waits(after).then_some(now);
            let unopened = Dispatch { stopped_at, ..Dispatch::unopened(after, now) };
            let write = shipments::open(&unopened, &Sends::none());
            return Ok((Some(unopened), Some(write)));
        };
        let Some((known, told)) = parcels::follow(before, after, &known, services, now) else {
            // Nobody can let them go on or label them but by another change of the order.
            return Ok((Some(known), None));
        };
        let told = told.into_iter();
        let sends = told.fold(Sends::none(), |sends, message| sends.and(message, now, trace));
        let write = shipments::save(&known, &sends)?;
        Ok((Some(known), Some(write)))
    }
}

/// What the order has no longer. Points that paid for it come back by the
/// message that it was called off.
fn given_back(before: &Order, after: &Order) -> Vec<Write> {
    let kept = after.taken();
    let mut writes = Vec::new();
    for ((sku, location, shard), units) in before.taken() {
        let level = (sku, location, shard);
        let quantity = units.saturating_sub(kept.get(&level).copied().unwrap_or(0));
        let (sku, location, shard) = level;
        if quantity > 0 {
            writes.push(stock::give_back(&sku, &StockPart { location, shard, quantity }));
        }
    }
    if after.is_living() {
        return writes;
    }
    writes.extend(before.quotas.iter().map(quotas::release));
    let voucher = |id| vouchers::release(&before.customer, id, &before.id);
    writes.extend(before.vouchers.iter().map(voucher));
    let (holder, payer) = (Holder::Order(before.id.clone()), before.payer());
    let held = before.points.as_ref().filter(|_| before.paid_at.is_none());
    writes.extend(held.map(|held| points::release(payer, &holder, held.points)));
    writes
}

/// What is told of a paid order that changed.
fn sends(before: &Order, after: &Order, now: Timestamp, trace: Option<&str>) -> Sends {
    let (order, customer) = (after.id.clone(), after.customer.clone());
    let off = |order: &Order| -> Vec<u32> { order.lines.iter().map(|it| it.cancelled).collect() };
    let given = |order: &Order| -> (Vec<u32>, usize) {
        (order.lines.iter().map(|it| it.refunded).collect(), order.refunds_due.len())
    };
    if after.paid_at.is_none() {
        Sends::none()
    } else if after.status != before.status || off(after) != off(before) {
        Sends::one(Message::OrderCancelled(OrderCancelled { order, customer }), now, trace)
    } else if given(after) != given(before) {
        Sends::one(Message::OrderRefunded(OrderRefunded { order, customer }), now, trace)
    } else if before.held_at.is_some() && after.held_at.is_none() {
        Sends::one(Message::OrderPaid(OrderPaid { order, customer }), now, trace)
    } else {
        Sends::none()
    }
}

/// A refusal, as buyers and operators get it.
fn refuse(refusal: Refusal) -> Failure {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    let problem = match &refusal {
        Refusal::Ended(status) => not_now("order-ended", "The order has ended")
            .with("order_status", status.as_str().into()),
        Refusal::Labelled => not_now("order-leaving", "The parcel of the order leaves"),
        Refusal::NotPaid => not_now("order-not-paid", "The order is not paid"),
        Refusal::Elsewhere => {
            not_now("address-elsewhere", "The delivery is for another place").at("country")
        }
        Refusal::Offers => not_now("order-has-offers", "An offer binds the order together"),
        Refusal::OtherCurrency(_) => {
            Problem::new(422, "other-currency", "Another currency", detail.clone())
                .at("goodwill.currency")
        }
        Refusal::MoreThanPaid(left) => {
            Problem::new(422, "more-than-paid", "More than was paid", detail.clone())
                .at("goodwill.amount")
                .with("left", json!(left))
        }
        Refusal::TooOften => not_now("changed-too-often", "The order takes no more changes"),
        Refusal::UnknownLine { line, sku } => {
            Problem::new(422, "unknown-line", "The order has no such line", detail.clone())
                .at(format!("lines[{line}].sku"))
                .with("sku", sku.as_str().into())
        }
        Refusal::TooMany { line, has, deed, .. } => {
            let field = if *deed == Deed::Refunded { "refunded" } else { "cancelled" };
            Problem::new(422, "too-many-units", "The order has fewer units", detail.clone())
                .at(format!("lines[{line}].{field}"))
                .with("has", (*has).into())
        }
        Refusal::Inconsistent => return Failure::bug(refusal),
    };
    problem.into()
}
