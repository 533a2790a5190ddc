//! What people do about shipments: `POST /orders/{id}/shipments/{shipment}/split`
//! puts units into a parcel of their own, `.../label/void` takes a label off
//! whose parcel was not handed over, `.../replacement` sends goods again,
//! `.../close` ends a shipment of which no scan tells that it ended, and
//! `POST /orders/{id}/returns` opens a shipment of goods that come back.
//!
//! The shipments of an order are one item: it is read, decided on, and written
//! if it is as it was read. A shipment that is opened has its identity from the
//! order and the `Idempotency-Key`, so the same call again is answered with it
//! (`Idempotent-Replayed: true`), and another one with that key is a 422. A
//! label that is off already is off, and a shipment that ended so has: 200.
//! Whoever waits for the order's delivery is told when one of its shipments
//! ends and the rest is there.
//!
//! The goods of a replacement leave the stock in the same transaction, as a
//! movement of the kind `loss` for each SKU, since what was sent before did not
//! reach its buyer: no level is without its reason. A label that comes with a
//! return is linked in the same transaction. Where the policy has services, one
//! is chosen as for any shipment.

use std::sync::Arc;

use aftercart::{
    messages::{Message, ParcelChanged, ParcelDelivered, ShipmentOpened, ShipmentStopped},
    model::{
        digest,
        dispatch::{Closed, Direction, Dispatch, Ending, Shipment, ShipmentLine},
        id::{MovementId, OrderId, ShipmentId},
        order::MAX_QUANTITY,
        policy::Policy,
        product::Sku,
        shipment::{History, Parcel, Tracking},
        stock::{LevelChange, LocationId, Movement, MovementKind},
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Conflict, Op, Sends, Table, Write, parcels, shipments, stock},
};

use crate::{
    asking, label_attach,
    rules::{
        again::{self, Plan, Short},
        change::{self, Opening, Refusal},
        closing, dispatch, fold,
        label::{self, Label},
    },
    wire::shipment::{CloseShipment, ReplaceShipment, ReturnGoods, ShipmentFile, SplitShipment},
};

const SPLIT: &str = "/orders/{id}/shipments/{shipment}/split";
const VOID: &str = "/orders/{id}/shipments/{shipment}/label/void";
const REPLACEMENT: &str = "/orders/{id}/shipments/{shipment}/replacement";
const CLOSE: &str = "/orders/{id}/shipments/{shipment}/close";
const RETURNS: &str = "/orders/{id}/returns";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "shipment-change",
    about: "Splits and ends shipments, voids labels, sends goods again, and takes goods back.",
    trigger: Trigger::Http(&[
        Route::operator("POST", SPLIT),
        Route::operator("POST", VOID),
        Route::operator("POST", REPLACEMENT),
        Route::operator("POST", CLOSE),
        Route::operator("POST", RETURNS),
    ]),
    needs: &[
        Need::Table(Table::Shipments, &[Op::GetItem, Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Tracking, &[Op::GetItem, Op::UpdateItem]),
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Products, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Stock, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the shipments are read again that others change at the same moment.
const ATTEMPTS: u32 = 4;

/// The most writes of one transaction of DynamoDB.
const MAX_WRITES: usize = 100;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, change))
}

async fn change(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let asked = parse(&request, app.now())?;
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let dispatch = app.store.dispatch(&asked.order).await?;
        let dispatch = dispatch.ok_or_else(|| Problem::not_found("order"))?;
        let changing = Changing { app: &app, policy: &policy, asked: &asked, now: app.now() };
        let step = match changing.decide(&dispatch, request.trace()).await? {
            Step::Write(step) => *step,
            Step::Done(view) => return answer(&asked, &view, true),
        };
        let label = step.label;
        match app.store.commit(step.commit).await {
            Ok(()) => {
                app.metrics.add(Metric::ShipmentOpened, step.opened, changing.now);
                return answer(&asked, &step.view, false);
            }
            Err(CommitError::Lost(lost)) => elsewhere(label.as_ref(), &lost)?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the shipments of {} kept changing", asked.order)))
}

/// Refuses a label that is on another parcel. Whatever else was lost is found
/// by reading again.
fn elsewhere(label: Option<&Tracking>, lost: &[Conflict]) -> Result<(), Failure> {
    match label {
        Some(tracking) if lost.iter().all(|it| it.position > 0) => {
            Err(label_attach::in_use(tracking, lost)?)
        }
        _ => Ok(()),
    }
}

/// What is asked, and what a repeated call is known by.
struct Asked {
    order: OrderId,
    deed: Deed,
}

enum Deed {
    Split {
        shipment: ShipmentId,
        opening: Opening,
    },
    Void {
        shipment: ShipmentId,
    },
    /// Without lines all that the shipment carries.
    Replace {
        shipment: ShipmentId,
        opening: Opening,
        location: Option<LocationId>,
    },
    Close {
        shipment: ShipmentId,
        closed: Closed,
    },
    Return {
        opening: Opening,
        location: Option<LocationId>,
        label: Option<Label>,
    },
}

fn parse(request: &Request, now: Timestamp) -> Result<Asked, Problem> {
    let order = request.named("id", "order", OrderId::parse)?;
    let shipment = || request.named("shipment", "shipment", ShipmentId::parse);
    let opening = |lines: &[ShipmentLine], path: &str, body: String| {
        let key = request.idempotency_key()?;
        check(lines)?;
        let id = ShipmentId::derive(&[order.as_str(), "key", key.as_str()]);
        let request = digest::short(&[path.as_bytes(), body.as_bytes()]);
        Ok::<_, Problem>(Opening { id, request, lines: lines.to_vec() })
    };
    let deed = if request.is_for(VOID) {
        Deed::Void { shipment: shipment()? }
    } else if request.is_for(CLOSE) {
        let CloseShipment { how, note } = request.json()?;
        let closed = Closed { at: now, how, by: request.operator_name()?, note };
        Deed::Close { shipment: shipment()?, closed }
    } else if request.is_for(SPLIT) {
        let (body, shipment) = (request.json::<SplitShipment>()?, shipment()?);
        let path = format!("{shipment} split");
        let opening = opening(&body.lines, &path, canonical(&body)?)?;
        Deed::Split { shipment, opening }
    } else if request.is_for(REPLACEMENT) {
        let (body, shipment) = (request.json::<ReplaceShipment>()?, shipment()?);
        let path = format!("{shipment} replacement");
        let opening = opening(body.lines.as_deref().unwrap_or_default(), &path, canonical(&body)?)?;
        Deed::Replace { shipment, opening, location: body.location }
    } else {
        let body = request.json::<ReturnGoods>()?;
        let opening = opening(&body.lines, "returns", canonical(&body)?)?;
        Deed::Return { opening, location: body.location, label: body.label.map(Label::from) }
    };
    match &deed {
        Deed::Split { opening, .. } | Deed::Return { opening, .. } if opening.lines.is_empty() => {
            Err(Problem::invalid("lines", "Name at least one line."))
        }
        _ => Ok(Asked { order, deed }),
    }
}

/// What a body says, however it is written.
fn canonical(body: &impl serde::Serialize) -> Result<String, Problem> {
    serde_json::to_string(body).map_err(|error| Problem::invalid("body", error.to_string()))
}

fn check(lines: &[ShipmentLine]) -> Result<(), Problem> {
    for (line, asked) in lines.iter().enumerate() {
        if !(1..=MAX_QUANTITY).contains(&asked.quantity) {
            let detail = format!("The quantity must be 1 to {MAX_QUANTITY}.");
            return Err(Problem::invalid(format!("lines[{line}].quantity"), detail));
        }
        if lines.iter().take(line).any(|earlier| earlier.sku == asked.sku) {
            let detail = "The SKU is in two lines of the request; name it once.";
            return Err(Problem::invalid(format!("lines[{line}].sku"), detail));
        }
    }
    Ok(())
}

/// What is to be written, or that nothing is.
enum Step {
    Done(Box<ShipmentFile>),
    Write(Box<Written>),
}

struct Written {
    commit: Commit,
    view: ShipmentFile,
    /// So many shipments are opened.
    opened: i64,
    /// The label that a parcel is linked to.
    label: Option<Tracking>,
}

struct Changing<'a> {
    app: &'a App,
    policy: &'a Policy,
    asked: &'a Asked,
    now: Timestamp,
}

impl Changing<'_> {
    async fn decide(&self, dispatch: &Dispatch, trace: Option<&str>) -> Result<Step, Failure> {
        match &self.asked.deed {
            Deed::Split { opening, .. }
            | Deed::Replace { opening, .. }
            | Deed::Return { opening, .. } => {
                if let Some(known) = change::opened(dispatch, opening).map_err(refuse)? {
                    return Ok(Step::Done(Box::new(ShipmentFile::of(dispatch, known))));
                }
            }
            Deed::Void { .. } | Deed::Close { .. } => {}
        }
        if let Deed::Split { shipment, .. }
        | Deed::Void { shipment }
        | Deed::Replace { shipment, .. } = &self.asked.deed
        {
            let ended = dispatch.shipment(shipment).map_or(Ok(()), closing::unclosed);
            ended.map_err(refuse_to_close)?;
        }
        match &self.asked.deed {
            Deed::Split { shipment, opening } => {
                self.split(dispatch, shipment, opening, trace).await
            }
            Deed::Void { shipment } => self.void(dispatch, shipment).await,
            Deed::Replace { shipment, opening, location } => {
                self.replace(dispatch, shipment, opening, location.as_ref(), trace).await
            }
            Deed::Close { shipment, closed } => self.close(dispatch, shipment, closed, trace).await,
            Deed::Return { opening, location, label } => {
                self.take_back(dispatch, opening, location.clone(), label.as_ref(), trace)
            }
        }
    }

    async fn split(
        &self,
        dispatch: &Dispatch,
        id: &ShipmentId,
        opening: &Opening,
        trace: Option<&str>,
    ) -> Result<Step, Failure> {
        let mut after = change::split(dispatch, id, opening, self.now).map_err(refuse)?;
        self.choose(&mut after, &[id, &opening.id]).await?;
        let packed = [id, &opening.id];
        let tasks = packed.iter().filter_map(|id| after.shipment(id)).filter(|it| it.is_outbound());
        let sends = tasks.fold(Sends::none(), |sends, it| self.task(sends, &after, it, trace));
        let commit = Commit::new().with(shipments::save(&after, &sends)?);
        written(&after, &opening.id, commit, 1, None)
    }

    async fn void(&self, dispatch: &Dispatch, id: &ShipmentId) -> Result<Step, Failure> {
        let history = self.told(dispatch, id).await?;
        let heard = history.parcel.as_ref().map(|_| fold::journey(&history));
        let Some(after) = change::void(dispatch, id, heard.as_ref(), self.now).map_err(refuse)?
        else {
            return done(dispatch, id);
        };
        let commit = Commit::new().with(shipments::save(&after, &Sends::none())?);
        written(&after, id, off(commit, &history), 0, None)
    }

    /// What was told of the parcel of a shipment that has a label: what came in
    /// a moment ago may not be in the shipment yet.
    async fn told(&self, dispatch: &Dispatch, id: &ShipmentId) -> Result<History, Failure> {
        let label = dispatch.shipment(id).and_then(|shipment| shipment.tracking.clone());
        let mut history = match &label {
            Some(tracking) => self.app.store.parcel(tracking).await?,
            None => History::default(),
        };
        history.parcel = history.parcel.filter(|parcel| parcel.shipment == *id);
        Ok(history)
    }

    async fn close(
        &self,
        dispatch: &Dispatch,
        id: &ShipmentId,
        closed: &Closed,
        trace: Option<&str>,
    ) -> Result<Step, Failure> {
        let history = self.told(dispatch, id).await?;
        let heard = history.parcel.as_ref().map(|_| fold::journey(&history));
        let ended = closing::close(dispatch, id, closed, heard.as_ref());
        let Some(after) = ended.map_err(refuse_to_close)? else { return done(dispatch, id) };
        let sends = self.ended(&after, id, closed.how, trace);
        let commit = Commit::new().with(shipments::save(&after, &sends)?);
        let is_off = closed.how == Ending::CalledOff;
        let commit = if is_off { off(commit, &history) } else { commit };
        written(&after, id, commit, 0, None)
    }

    /// Who is told that a shipment to the buyer ended: the packers that it is
    /// not sent, systems of the merchant that it is there, and who waits for the
    /// delivery of the order that nothing else of it is under way.
    fn ended(&self, after: &Dispatch, id: &ShipmentId, how: Ending, trace: Option<&str>) -> Sends {
        if after.shipment(id).is_none_or(|it| it.direction == Direction::Back) {
            return Sends::none();
        }
        let (order, shipment) = (after.order.clone(), id.clone());
        let customer = after.customer.clone();
        let message = match how {
            Ending::CalledOff => {
                let (order, shipment) = (order.clone(), shipment.clone());
                Some(Message::ShipmentStopped(ShipmentStopped { order, shipment }))
            }
            Ending::HandedOver => Some(Message::ParcelChanged(ParcelChanged {
                order: order.clone(),
                shipment: shipment.clone(),
                customer: customer.clone(),
            })),
            Ending::Lost => None,
        };
        let there = after
            .delivered_at()
            .map(|_| Message::ParcelDelivered(ParcelDelivered { order, shipment, customer }));
        let messages = message.into_iter().chain(there);
        messages.fold(Sends::none(), |sends, message| sends.and(message, self.now, trace))
    }

    async fn replace(
        &self,
        dispatch: &Dispatch,
        id: &ShipmentId,
        opening: &Opening,
        location: Option<&LocationId>,
        trace: Option<&str>,
    ) -> Result<Step, Failure> {
        let replaced = change::replaceable(dispatch, id).map_err(refuse)?;
        self.known(location)?;
        let mut opening = opening.clone();
        if opening.lines.is_empty() {
            opening.lines.clone_from(&replaced.lines);
        }
        let places = self.places(dispatch, replaced, location);
        let from = replaced.location.clone();
        let mut after = change::replace(dispatch, id, &opening, from, self.now).map_err(refuse)?;
        let plan = self.plan(&opening.lines, &places).await?;
        if let Some(new) = after.shipment_mut(&opening.id) {
            new.location.clone_from(&plan.from);
        }
        self.choose(&mut after, &[&opening.id]).await?;
        let new = after.shipment(&opening.id).into_iter();
        let sends = new.fold(Sends::none(), |sends, it| self.task(sends, &after, it, trace));
        let sends = self.undelivered(sends, dispatch, id, trace);
        let save = shipments::save(&after, &sends)?;
        let commit: Commit = std::iter::once(save).chain(self.moved(&opening, &plan)).collect();
        if commit.len() > MAX_WRITES {
            let detail =
                "The goods lie in more places than one call can take from; name fewer lines.";
            return Err(Problem::new(422, "order-too-large", "Too much at once", detail).into());
        }
        written(&after, &opening.id, commit, 1, None)
    }

    /// Refuses a place that the policy does not know.
    fn known(&self, location: Option<&LocationId>) -> Result<(), Problem> {
        let stock = &self.policy.stock;
        match location.filter(|location| stock.location(location).is_none()) {
            None => Ok(()),
            Some(location) => {
                let detail = format!(
                    "The policy has no location {location}; name one of its `stock.locations`, or none."
                );
                let title = "There is no such location";
                Err(Problem::new(422, "unknown-location", title, detail).at("location"))
            }
        }
    }

    /// Where goods may come from that are sent again: what is fetched at a
    /// place from nowhere else.
    fn places(
        &self,
        dispatch: &Dispatch,
        replaced: &Shipment,
        location: Option<&LocationId>,
    ) -> Vec<LocationId> {
        if let Some(location) = location {
            return vec![location.clone()];
        }
        let mut places = vec![replaced.location.clone()];
        if !dispatch::is_fetched(&dispatch.method, self.policy) {
            let others = self.policy.stock.sending_to(&dispatch.country).into_iter();
            places.extend(others.filter(|it| *it != replaced.location));
        }
        places
    }

    /// Whoever counts on goods that were all there looks again: they are awaited anew.
    fn undelivered(
        &self,
        sends: Sends,
        before: &Dispatch,
        id: &ShipmentId,
        trace: Option<&str>,
    ) -> Sends {
        if before.delivered_at().is_none() {
            return sends;
        }
        let (order, customer) = (before.order.clone(), before.customer.clone());
        let delivered = ParcelDelivered { order, shipment: id.clone(), customer };
        sends.and(Message::ParcelDelivered(delivered), self.now, trace)
    }

    async fn plan(&self, lines: &[ShipmentLine], places: &[LocationId]) -> Result<Plan, Failure> {
        let stock = &self.policy.stock;
        let parts: Vec<_> =
            lines.iter().map(|it| (it.sku.clone(), stock.shards(&it.sku))).collect();
        let found = self.app.store.read(&stock::level_keys(&parts, places)).await?;
        let levels = found.levels(&parts, places)?;
        again::plan(lines, places, &levels).map_err(|short| match short {
            Some(short) => too_few(&short).into(),
            None => Failure::bug("a shipment has no place"),
        })
    }

    /// The movements of what goes out, each with its changes.
    fn moved(&self, opening: &Opening, plan: &Plan) -> Vec<Write> {
        let Opening { id, request, .. } = opening;
        let note = Text::new(&format!("Sent again with the shipment {id}.")).ok();
        let moved = |(sku, changes): &(Sku, Vec<LevelChange>)| {
            let movement = Movement {
                id: MovementId::derive(&[id.as_str(), sku.as_str()]),
                sku: sku.clone(),
                kind: MovementKind::Loss,
                changes: changes.clone(),
                note: note.clone(),
                at: self.now,
                request: request.clone(),
            };
            let out = changes.iter().map(|change| stock::change(sku, change, 0));
            std::iter::once(stock::note(&movement)).chain(out).collect::<Vec<Write>>()
        };
        plan.changes.iter().flat_map(moved).collect()
    }

    fn take_back(
        &self,
        dispatch: &Dispatch,
        opening: &Opening,
        location: Option<LocationId>,
        label: Option<&Label>,
        trace: Option<&str>,
    ) -> Result<Step, Failure> {
        self.known(location.as_ref())?;
        let back = change::come_back(dispatch, opening, location, self.now);
        let mut after = back.map_err(refuse)?;
        let (id, logistics) = (&opening.id, &self.policy.logistics);
        let parcel: Option<Parcel> =
            label.and_then(|label| label::attach(&mut after, id, label, logistics, self.now));
        let commit = Commit::new().with(shipments::save(&after, &Sends::none())?);
        let link = |parcel: &Parcel| parcels::link(parcel, &label_attach::received(parcel, trace));
        let link = parcel.as_ref().map(link).transpose()?;
        let commit = link.into_iter().fold(commit, Commit::with);
        written(&after, id, commit, 1, parcel.map(|it| it.tracking))
    }

    /// Chooses the services of what is packed for the buyer.
    async fn choose(&self, after: &mut Dispatch, packed: &[&ShipmentId]) -> Result<(), Failure> {
        if self.policy.logistics.services.is_empty() {
            return Ok(());
        }
        let order = self.app.store.order(&after.customer, &after.order).await?;
        let order = order.ok_or_else(|| Failure::bug("shipments without an order"))?;
        let out = after.shipments.iter().filter(|it| packed.contains(&&it.id));
        let places: Vec<LocationId> = out.map(|it| it.location.clone()).collect();
        let facts = asking::facts(self.app, &order, &places, self.policy).await?;
        for id in packed {
            let Some(shipment) = after.shipment_mut(id).filter(|it| it.direction == Direction::Out)
            else {
                continue;
            };
            let (from, lines) = (shipment.location.clone(), &shipment.lines);
            shipment.chosen = dispatch::choose(&order, self.policy, &facts, &from, lines);
        }
        Ok(())
    }

    fn task(
        &self,
        sends: Sends,
        after: &Dispatch,
        shipment: &Shipment,
        trace: Option<&str>,
    ) -> Sends {
        let task = ShipmentOpened::of(after, shipment);
        sends.and(Message::ShipmentOpened(task), self.now, trace)
    }
}

/// Takes the label off its parcel, if no more was told of that.
fn off(commit: Commit, history: &History) -> Commit {
    let unlink = history.parcel.as_ref().map(|it| parcels::unlink(it, history.told()));
    unlink.into_iter().fold(commit, Commit::with)
}

/// Nothing is to be written.
fn done(dispatch: &Dispatch, id: &ShipmentId) -> Result<Step, Failure> {
    let shipment = dispatch.shipment(id).ok_or_else(|| Problem::not_found("shipment"))?;
    Ok(Step::Done(Box::new(ShipmentFile::of(dispatch, shipment))))
}

fn written(
    after: &Dispatch,
    id: &ShipmentId,
    commit: Commit,
    opened: i64,
    label: Option<Tracking>,
) -> Result<Step, Failure> {
    let shipment = after.shipment(id).ok_or_else(|| Problem::not_found("shipment"))?;
    let view = ShipmentFile::of(after, shipment);
    Ok(Step::Write(Box::new(Written { commit, view, opened, label })))
}

fn answer(asked: &Asked, view: &ShipmentFile, known: bool) -> Answer {
    match &asked.deed {
        Deed::Void { .. } | Deed::Close { .. } => Response::json(200, view),
        _ => {
            let answer = Response::json(201, view)?;
            Ok(if known { answer.replayed() } else { answer })
        }
    }
}

fn too_few(short: &Short) -> Problem {
    Problem::new(409, "too-few-units", "There are not so many units", short.to_string())
        .with("sku", short.sku.as_str().into())
        .with("available", short.available.into())
}

fn refuse(refusal: Refusal) -> Problem {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    match refusal {
        Refusal::Unknown => Problem::not_found("shipment"),
        Refusal::Stopped => not_now("shipment-stopped", "The shipment is stopped"),
        Refusal::Replaced => not_now("shipment-replaced", "Another shipment is sent instead"),
        Refusal::Labelled(Tracking { carrier, number }) => {
            not_now("shipment-labelled", "The shipment has a label")
                .with("carrier", carrier.as_str().into())
                .with("tracking_number", number.as_str().into())
        }
        Refusal::NotSent => not_now("shipment-not-sent", "The shipment did not leave"),
        Refusal::Left => not_now("shipment-left", "The carrier has the parcel"),
        Refusal::Full => not_now("too-many-shipments", "The order has as many shipments as may be"),
        Refusal::UnknownLine { line, sku } => {
            Problem::new(422, "unknown-line", "There is no such line", detail)
                .at(format!("lines[{line}].sku"))
                .with("sku", sku.as_str().into())
        }
        Refusal::TooMany { line, has, .. } => {
            Problem::new(422, "too-many-units", "There are fewer units", detail)
                .at(format!("lines[{line}].quantity"))
                .with("has", has.into())
        }
        Refusal::Whole => {
            Problem::new(422, "whole-shipment", "Nothing would be left", detail).at("lines")
        }
        Refusal::KeyReused => Problem::key_reused(),
    }
}

fn refuse_to_close(refusal: closing::Refusal) -> Problem {
    let detail = refusal.to_string();
    let not_now = |kind, title| Problem::new(409, kind, title, detail.clone());
    match refusal {
        closing::Refusal::Closed(how) => {
            not_now("shipment-closed", "The shipment has ended").with("how", how.as_str().into())
        }
        closing::Refusal::Delivered => not_now("shipment-delivered", "The parcel was delivered"),
        // What keeps a shipment from being changed otherwise, too.
        closing::Refusal::Unknown => refuse(Refusal::Unknown),
        closing::Refusal::Stopped => refuse(Refusal::Stopped),
        closing::Refusal::Replaced => refuse(Refusal::Replaced),
        closing::Refusal::Labelled(tracking) => refuse(Refusal::Labelled(tracking)),
        closing::Refusal::NotSent => not_now("shipment-not-sent", "The shipment did not leave"),
        closing::Refusal::Left => refuse(Refusal::Left),
    }
}
