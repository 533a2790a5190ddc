//! `POST /operator/payment-cases/{id}/resolution`: what a person does about
//! something that waits.
//!
//! What follows is written in one transaction with the resolution, so it
//! happens once, however often the call is made, and by how many people at a
//! time: the same action again is answered the same, another one is refused.
//!
//! - `replay` reads the event again with the code and the secrets of today, and
//!   records what it says. What still cannot be read is refused with the
//!   reason. A report of an attempt that is known by now is folded, also if it
//!   names the attempt only by the provider's identity of it, as a dispute does.
//! - `accept` makes a placed order paid by what came, although it is not what
//!   was asked. What is more than that goes back; what is less the shop bears.
//! - `refund` lists what came and did not go back as due to go back, or has a
//!   provider called again that would not make a refund.
//! - `dismiss` only says that nothing is left to do.

use std::{collections::BTreeSet, sync::Arc};

use aftercart::{
    messages::{Message, OrderHeld, OrderPaid, PaymentReceived, RefundWanted},
    model::{
        id::{CaseId, PaymentId},
        order::{MAX_REFUNDS_BY_HAND, Order, OrderStatus, RefundDue},
        payment::{
            Attempt, CaseAction, CaseReason, PaymentCase, PaymentEvent, Refund, RefundStatus,
        },
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger, deflate,
        http::{self, Answer, Problem, Request, Response},
        secrets::{Credentials, Secret},
    },
    store::{
        Commit, CommitError, Key, Op, Sends, Table, Write, orders,
        payments::{self, PaymentHistory},
    },
};

use crate::{
    payment_callback::BODY_MAX,
    providers::{self, Call, Report, Unreadable},
    rules::{
        cases,
        fold::{self, Folded},
        refund,
    },
    wire::case::{CaseFile, ResolveCase},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "case-resolve",
    about: "Does what a person decided about something that waits about payments.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/payment-cases/{id}/resolution")]),
    needs: &[
        Need::Table(Table::Payments, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Orders, &[Op::GetItem, Op::UpdateItem]),
        Need::Secret(Secret::Payments),
    ],
    handle,
};

/// How often a resolution is decided: it loses to a provider's report, to a
/// buyer or to another person, each of whom does something once.
const TRIES: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, resolve))
}

async fn resolve(app: Arc<App>, request: Request) -> Answer {
    let by = request.operator_name()?;
    let id = request.named("id", "case", CaseId::parse)?;
    let ResolveCase { action } = request.json()?;
    for _ in 0..TRIES {
        let found = app.store.read(&[Key::case(&id)]).await?;
        let case = found.case(&id)?.ok_or_else(|| Problem::not_found("case"))?;
        if let Some(resolved) = &case.resolved {
            if resolved.how == action {
                return Response::json(200, &CaseFile::from(&case));
            }
            let detail = format!("Somebody chose `{}` before.", resolved.how);
            return Err(Problem::new(409, "case-resolved", "The case is resolved", detail).into());
        }
        let actions = cases::actions(&case);
        if !actions.contains(&action) {
            let names: Vec<&str> = actions.iter().map(|it| it.as_str()).collect();
            let detail = format!("This case takes: {}.", names.join(", "));
            return Err(Problem::new(
                409,
                "case-takes-another",
                "That does not fit the case",
                detail,
            )
            .into());
        }
        let resolving =
            Resolving { app: &app, case: &case, by: &by, now: app.now(), trace: request.trace() };
        if let Some(resolved) = resolving.resolve(action).await? {
            tracing::info!(case = id.as_str(), action = action.as_str(), "resolved");
            return Response::json(200, &CaseFile::from(&resolved));
        }
    }
    Err(Failure::retry(format!("the case {id} kept changing")))
}

/// A case about which something is done.
struct Resolving<'a> {
    app: &'a App,
    case: &'a PaymentCase,
    by: &'a Text<128>,
    now: Timestamp,
    trace: Option<&'a str>,
}

/// The payment of a case, as it stands, and its order.
struct About {
    attempt: Attempt,
    folded: Folded,
    events: Vec<PaymentEvent>,
    refunds: Vec<Refund>,
    order: Order,
}

/// What is written with a resolution, and sent with it.
type Effect = (Vec<Write>, Sends);

impl Resolving<'_> {
    /// The case as it is resolved; None when something changed meanwhile.
    async fn resolve(&self, action: CaseAction) -> Result<Option<PaymentCase>, Failure> {
        let (writes, sends) = match action {
            CaseAction::Replay => self.replay().await?,
            CaseAction::Accept => self.accept().await?,
            CaseAction::Refund if self.case.reason == CaseReason::RefundFailed => {
                self.try_again().await?
            }
            CaseAction::Refund => self.give_back().await?,
            CaseAction::Dismiss => (Vec::new(), Sends::none()),
        };
        let (resolved, forget_at) = cases::resolved(action, self.by.clone(), self.now);
        let case = payments::resolve(&self.case.id, &resolved, forget_at, &sends);
        let commit = writes.into_iter().fold(Commit::new().with(case), Commit::with);
        match self.app.store.commit(commit).await {
            Ok(()) => Ok(Some(PaymentCase { resolved: Some(resolved), ..self.case.clone() })),
            Err(CommitError::Lost(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Records what the event says today, each report once, and has its
    /// payments folded.
    async fn replay(&self) -> Result<Effect, Failure> {
        let Some(deflated) = &self.case.body else {
            let about = self.about().await?;
            return Ok((Vec::new(), self.received([about.attempt.id])));
        };
        let events = self.read_again(deflated).await?;
        let payments: BTreeSet<PaymentId> = events.iter().map(|it| it.payment.clone()).collect();
        let mut known = BTreeSet::new();
        for payment in &payments {
            let history = self.app.store.payment(payment).await?;
            known.extend(history.events.into_iter().map(|it| (it.payment, it.provider, it.id)));
        }
        let new = events
            .iter()
            .filter(|it| known.insert((it.payment.clone(), it.provider, it.id.clone())));
        let writes = new.map(|event| payments::record(event, &Sends::none())).collect();
        Ok((writes, self.received(payments)))
    }

    /// What the event says, by the code and the secrets of today.
    async fn read_again(&self, deflated: &[u8]) -> Result<Vec<PaymentEvent>, Failure> {
        let provider = self.case.provider;
        let body = deflate::inflated(deflated, BODY_MAX).map_err(Failure::bug)?;
        let secrets = &self.app.secrets;
        let credentials =
            secrets.credentials(Secret::Payments, provider.as_str(), self.now).await?;
        let reports = self.reports(&credentials, &body).await?;
        let mut events = Vec::with_capacity(reports.len());
        for report in reports {
            match report {
                Report::Event(event) => events.push(event),
                Report::Nothing { .. } => {}
                Report::Unknown { what, .. } => {
                    return Err(unread(&format!("the type {what} is still unknown")));
                }
                Report::Foreign { what, .. } => {
                    return Err(unread(&format!("{what} is about a payment started elsewhere")));
                }
            }
        }
        Ok(events)
    }

    /// What a body says. If that is about a payment of which only the provider's
    /// identity is told, the attempt may be known by that.
    async fn reports(
        &self,
        credentials: &Credentials,
        body: &[u8],
    ) -> Result<Vec<Report>, Failure> {
        let provider = self.case.provider;
        let code = providers::of(provider);
        let reports = self.read(credentials, body, |call| code.read(call))?;
        if !reports.iter().any(|it| matches!(it, Report::Foreign { .. })) {
            return Ok(reports);
        }
        let reference = self.read(credentials, body, |call| code.payment_of(call))?;
        let Some(reference) = reference else { return Ok(reports) };
        let found = self.app.store.read(&[Key::payment_reference(provider, &reference)]).await?;
        match found.payment_by_reference(provider, &reference)? {
            Some(payment) => self.read(credentials, body, |call| code.read_of(call, &payment)),
            None => Ok(reports),
        }
    }

    fn read<T>(
        &self,
        credentials: &Credentials,
        body: &[u8],
        read: impl FnOnce(&Call<'_>) -> Result<T, Unreadable>,
    ) -> Result<T, Failure> {
        let path = format!("/callbacks/{}", self.case.provider);
        let header = |name: &str| self.case.headers.get(name).map(String::as_str);
        let (method, path, header, now) = ("POST", path.as_str(), &header, self.now);
        let call = Call { credentials, method, path, header, body, now };
        read(&call).map_err(|unreadable| unread(unreadable.class()))
    }

    /// Pays the order with what came. What is more than was asked goes back.
    async fn accept(&self) -> Result<Effect, Failure> {
        let About { attempt, folded, order, .. } = self.about().await?;
        if order.paid_by() == Some(&attempt.id) {
            return Ok((Vec::new(), Sends::none()));
        }
        if order.status != OrderStatus::Placed {
            let detail = format!("The order is {}: give the money back.", order.status);
            return Err(Problem::new(
                409,
                "case-too-late",
                "The order cannot be paid any more",
                detail,
            )
            .into());
        }
        let (Some(money), false) = (folded.at_hand(), order.unaccepted(&attempt.id)) else {
            return Err(nothing_left());
        };
        // Money in another currency is taken as it is.
        let surplus = money.minus(attempt.amount).ok().filter(|it| it.minor() > 0);
        let surplus = surplus.map(|it| RefundDue::surplus(&order.id, &attempt.id, it));
        let (id, customer) = (order.id.clone(), order.customer.clone());
        let paid = OrderPaid { order: id.clone(), customer: customer.clone() };
        let mut sends = self.one(Message::OrderPaid(paid));
        if order.held_at.is_some() {
            let held = OrderHeld { order: id, customer };
            sends = sends.and(Message::OrderHeld(held), self.now, self.trace);
        }
        if surplus.is_some() {
            let (order, customer) = (order.id.clone(), order.customer.clone());
            let wanted = RefundWanted { order, customer };
            sends = sends.and(Message::RefundWanted(wanted), self.now, self.trace);
        }
        let pay = orders::accept(&order, &folded.payment, surplus.as_ref(), self.now, &sends);
        Ok((vec![pay], Sends::none()))
    }

    /// Lists what came and is here still as due to go back.
    async fn give_back(&self) -> Result<Effect, Failure> {
        let About { attempt, folded, order, .. } = self.about().await?;
        if order.unaccepted(&attempt.id) {
            return Ok((Vec::new(), Sends::none()));
        }
        if order.paid_by() == Some(&attempt.id) {
            let detail = "The order is paid with this money: call the order off, or units of it.";
            return Err(Problem::new(409, "case-too-late", "The money is taken", detail).into());
        }
        let money = folded.at_hand().ok_or_else(nothing_left)?;
        if order.refunds_due.len() >= MAX_REFUNDS_BY_HAND {
            let detail = "The order lists no more refunds: make this one at the provider.";
            return Err(Problem::new(409, "too-many-refunds", "Too many refunds", detail).into());
        }
        let due = RefundDue::unaccepted(&order.id, &attempt.id, money);
        let sends = self.wanted(&order);
        let refund = orders::refund_as_read(&order, &due, MAX_REFUNDS_BY_HAND, &sends);
        Ok((vec![refund], Sends::none()))
    }

    /// Has the provider called again for the refund that the case is about, if
    /// there is still so much to give back.
    async fn try_again(&self) -> Result<Effect, Failure> {
        let about = self.about().await?;
        let failed = about.refunds.iter().find(|refund| {
            refund.status == RefundStatus::Failed && cases::refund_failed(refund) == self.case.id
        });
        let before = failed.ok_or_else(nothing_left)?;
        let facts = (&about.folded, about.events.as_slice());
        let after = refund::again(&about.attempt, facts, &about.refunds, before, self.now);
        let after = after.ok_or_else(nothing_left)?;
        let sends = self.wanted(&about.order);
        Ok((vec![payments::refund_went(before, &after, &sends)], Sends::none()))
    }

    /// What the case is about, if that is known by now.
    async fn about(&self) -> Result<About, Failure> {
        let unknown = || unread("the payment is still not known here");
        let payment = self.case.payment.as_ref().ok_or_else(unknown)?;
        let PaymentHistory { attempt, events, refunds } = self.app.store.payment(payment).await?;
        let attempt = attempt.ok_or_else(unknown)?;
        let folded = fold::fold(&attempt, &events);
        let order = self.app.store.order(&attempt.customer, &attempt.order).await?;
        let order = order.ok_or_else(unknown)?;
        Ok(About { attempt, folded, events, refunds, order })
    }

    fn received(&self, payments: impl IntoIterator<Item = PaymentId>) -> Sends {
        payments.into_iter().fold(Sends::none(), |sends, payment| {
            let received = Message::PaymentReceived(PaymentReceived { payment });
            sends.and(received, self.now, self.trace)
        })
    }

    fn wanted(&self, order: &Order) -> Sends {
        let (order, customer) = (order.id.clone(), order.customer.clone());
        self.one(Message::RefundWanted(RefundWanted { order, customer }))
    }

    fn one(&self, message: Message) -> Sends {
        Sends::one(message, self.now, self.trace)
    }
}

fn unread(why: &str) -> Failure {
    let detail = format!("The event says nothing yet: {why}.");
    Problem::new(409, "case-still-unread", "The event still cannot be read", detail).into()
}

fn nothing_left() -> Failure {
    let detail = "Nothing of this payment is left that could go back or pay the order.";
    Problem::new(409, "nothing-left", "Nothing is left of the payment", detail).into()
}
