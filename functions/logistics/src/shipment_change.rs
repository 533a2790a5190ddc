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
//! The goods of a replacement leave the stock in the same transaction. A label
//! that comes with a return is linked in the same transaction. Where the policy
//! has services, one is chosen as for any shipment.

use std::sync::Arc;

use aftercart::{
    messages::{Message, ParcelChanged, ParcelDelivered, ShipmentOpened, ShipmentStopped},
    model::{
        digest,
        dispatch::{Closed, Direction, Dispatch, Ending, ShipmentLine},
        id::{OrderId, ShipmentId},
        order::MAX_QUANTITY,
        policy::Policy,
        shipment::{History, Parcel, Tracking},
        stock::LocationId,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
    },
    store::{Commit, CommitError, Conflict, Op, Sends, Table, parcels, shipments},
};

use crate::{
    asking, label_attach,
    refusing::{refuse, refuse_to_close},
    replacing::{self, Replacing},
    rules::{
        change::{self, Opening},
        closing, fold,
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
        if let Deed::Split { shipment, .. } | Deed::Void { shipment } = &self.asked.deed {
            let ended = dispatch.shipment(shipment).map_or(Ok(()), closing::unclosed);
            ended.map_err(refuse_to_close)?;
        }
        match &self.asked.deed {
            Deed::Split { shipment, opening } => {
                self.split(dispatch, shipment, opening, trace).await
            }
            Deed::Void { shipment } => self.void(dispatch, shipment).await,
            Deed::Replace { shipment, opening, location } => {
                let replacing = Replacing {
                    app: self.app,
                    policy: self.policy,
                    dispatch,
                    shipment,
                    opening,
                    location: location.as_ref(),
                    room: replacing::MAX_WRITES,
                    now: self.now,
                    trace,
                };
                let (after, commit) = replacing.decide().await?;
                written(&after, &opening.id, commit, 1, None)
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
        let packed = [id, &opening.id];
        asking::choose(self.app, &mut after, &packed, self.policy).await?;
        let tasks = packed.iter().filter_map(|id| after.shipment(id)).filter(|it| it.is_outbound());
        let sends = tasks.fold(Sends::none(), |sends, it| {
            let task = ShipmentOpened::of(&after, it);
            sends.and(Message::ShipmentOpened(task), self.now, trace)
        });
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

    fn take_back(
        &self,
        dispatch: &Dispatch,
        opening: &Opening,
        location: Option<LocationId>,
        label: Option<&Label>,
        trace: Option<&str>,
    ) -> Result<Step, Failure> {
        replacing::known(location.as_ref(), self.policy)?;
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
