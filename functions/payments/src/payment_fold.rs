//! Queue `payments`: makes an order follow from what was reported of an
//! attempt to pay it.
//!
//! Everything known of the attempt is read in one query and folded. The order
//! is not read: it is taken to stand as it nearly always does, placed over the
//! amount that was asked and not held, or paid by the attempt when something
//! is told of money that was taken, and written under that condition. A write
//! that loses brings the order as it stands, and the next step is decided on
//! that. So a message is two round trips, and any number of messages in any
//! order end in the same order.
//!
//! A refund that failed after it was told as made is nobody's to ask about any
//! more: `refund.wanted`, sent with the note on the order, has it looked at.
//!
//! What a person has to look at becomes a case in the same transaction. A
//! report of an attempt that is not known here is a case, too: retrying would
//! not make it known, and an attempt is written before its provider hears of it.

use std::sync::Arc;

use aftercart::{
    messages::{
        Envelope, Message, OrderHeld, OrderPaid, PaymentAuthorised, PaymentLate, PaymentReceived,
        Queue, RefundWanted,
    },
    model::{
        order::{MAX_REFUNDS_DUE, Order, OrderStatus, RefundDue},
        payment::{Attempt, CaseReason, PaymentCase, PaymentEvent, PaymentStatus},
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{
        Commit, CommitError, Conflict, Op, Sends, Table, Write,
        orders::{self, NotedOn},
        payments,
    },
};

use crate::rules::{
    cases,
    fold::{self, Folded},
    refund,
    settle::{self, Place, Standing, Step},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-fold",
    about: "Folds the events of a payment into its order.",
    trigger: Trigger::Queue(Queue::Payments),
    needs: &[
        Need::Table(Table::Payments, &[Op::Query, Op::PutItem]),
        Need::Table(Table::Orders, &[Op::UpdateItem]),
    ],
    handle,
};

/// How many steps one message may take. An order leaves `placed` once and
/// takes one note and one refund of an attempt, so two writes that lose and
/// two that hold are the most that can be met, one for a case that is known,
/// and one to see that all is done. A person who holds the order at the same
/// moment makes one more lose.
const STEPS: u32 = 7;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::PaymentReceived(PaymentReceived { payment }) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("the queue takes no messages of the kind {kind}")));
    };
    let history = app.store.payment(payment).await?;
    let Some(attempt) = history.attempt else {
        return foreign(&app, &history.events).await;
    };
    let folded = fold::fold(&attempt, &history.events);
    let (status, reason) = (folded.payment.status.as_str(), folded.reason.as_deref());
    tracing::info!(payment = payment.as_str(), status, reason, "folded");
    let settling = Settling {
        app: &app,
        attempt: &attempt,
        folded: &folded,
        undone: history.refunds.iter().any(|it| refund::undone(it, &history.events)),
        trace: envelope.trace.as_deref(),
    };
    settling.settle().await
}

/// Keeps a report of an attempt that was not started here for a person.
async fn foreign(app: &App, events: &[PaymentEvent]) -> Result<(), Failure> {
    let Some(event) = events.iter().max_by_key(|event| (event.at, &event.id)) else {
        return Ok(());
    };
    let case = cases::of_unknown_attempt(event, app.now()).map_err(Failure::bug)?;
    match app.store.commit(payments::case(&case)).await {
        Ok(()) => {
            app.metrics.count(Metric::PaymentCaseOpened, app.now());
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// One attempt whose order is made to follow.
struct Settling<'a> {
    app: &'a App,
    attempt: &'a Attempt,
    folded: &'a Folded,
    /// Whether a refund failed of which that is not known yet.
    undone: bool,
    trace: Option<&'a str>,
}

impl Settling<'_> {
    async fn settle(&self) -> Result<(), Failure> {
        let mut order = Standing::expected(self.folded);
        for _ in 0..STEPS {
            let step = settle::decide(self.folded, &order);
            let Some(note) = self.write(&step) else { return Ok(()) };
            let cases = self.cases(&step)?;
            match self.commit(note, &cases).await {
                Ok(before) => {
                    let known = order.noted.as_ref().map(|noted| noted.status);
                    let paid = order.paid_by_it.then_some(PaymentStatus::Succeeded);
                    self.count(&step, before.or(known).or(paid), cases.len());
                    order = order.after(&step, self.folded);
                }
                Err(CommitError::Lost(conflicts)) => {
                    order = self.found(order, &step, &conflicts)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::retry(format!("the order {} kept changing", self.attempt.order)))
    }

    /// Writes a note, or the first of the cases, together with the cases. Gives
    /// how the attempt stood by the order's word before, if that is told.
    async fn commit(
        &self,
        note: Option<Write>,
        cases: &[PaymentCase],
    ) -> Result<Option<PaymentStatus>, CommitError> {
        let Some(note) = note else {
            let commit = cases.iter().map(payments::case).fold(Commit::new(), Commit::with);
            return self.app.store.commit(commit).await.map(|()| None);
        };
        if !cases.is_empty() {
            let commit = Commit::new().with(note);
            let commit = cases.iter().map(payments::case).fold(commit, Commit::with);
            return self.app.store.commit(commit).await.map(|()| None);
        }
        let before = self.app.store.change(note).await?;
        let before = before.as_ref().map(orders::from_item).transpose()?;
        Ok(before.and_then(|order| noted(&order, self.attempt)))
    }

    /// What a step writes: the order, or nothing but cases. None when all is done.
    #[expect(clippy::option_option, reason = "a case can be all there is to write")]
    fn write(&self, step: &Step) -> Option<Option<Write>> {
        let (attempt, folded) = (self.attempt, self.folded);
        let (order, note) = ((&attempt.customer, &attempt.order), &folded.payment);
        match step {
            Step::Done => None,
            Step::Case(_) => Some(None),
            Step::Pay(held_at) => {
                let paid_at = folded.received_at.unwrap_or(note.at);
                let sends = self.paid(held_at.is_some());
                Some(Some(orders::pay(order, attempt.settles, note, paid_at, *held_at, &sends)))
            }
            Step::Note(place, _) => {
                let (on, sends) = match place {
                    Place::Placed => (NotedOn::Unpaid(OrderStatus::Placed), self.agreed()),
                    Place::PaidByIt => (NotedOn::PaidByIt, self.failed()),
                    Place::Anywhere => (NotedOn::Any, self.failed()),
                };
                Some(Some(orders::note_payment(order, note, on, &sends)))
            }
            Step::Late(ended) => {
                let late = PaymentLate {
                    order: attempt.order.clone(),
                    customer: attempt.customer.clone(),
                    payment: attempt.id.clone(),
                };
                let sends = self.one(Message::PaymentLate(late));
                Some(Some(orders::note_payment(order, note, NotedOn::Unpaid(*ended), &sends)))
            }
            Step::Refund(amount) => {
                let due = RefundDue::unaccepted(&attempt.order, &attempt.id, *amount);
                let sends = self.wanted();
                Some(Some(orders::refund(order, Some(note), &due, MAX_REFUNDS_DUE, &sends)))
            }
        }
    }

    fn one(&self, message: Message) -> Sends {
        Sends::one(message, self.app.now(), self.trace)
    }

    fn wanted(&self) -> Sends {
        let (order, customer) = (self.attempt.order.clone(), self.attempt.customer.clone());
        self.one(Message::RefundWanted(RefundWanted { order, customer }))
    }

    /// What is sent with a note on an order of which money may have gone back.
    fn failed(&self) -> Sends {
        if self.undone { self.wanted() } else { Sends::none() }
    }

    /// What is sent with an order that is paid. From then on one that is held
    /// waits for a person, who has to hear of it.
    fn paid(&self, held: bool) -> Sends {
        let (order, customer) = (&self.attempt.order, &self.attempt.customer);
        let paid = OrderPaid { order: order.clone(), customer: customer.clone() };
        let sends = self.one(Message::OrderPaid(paid));
        if !held {
            return sends;
        }
        let waits = OrderHeld { order: order.clone(), customer: customer.clone() };
        sends.and(Message::OrderHeld(waits), self.app.now(), self.trace)
    }

    /// What is sent with a note on an order that waits to be paid: that its
    /// buyer agreed, so that the money may be taken.
    fn agreed(&self) -> Sends {
        if self.folded.payment.status != PaymentStatus::Authorised {
            return self.failed();
        }
        self.one(Message::PaymentAuthorised(PaymentAuthorised {
            order: self.attempt.order.clone(),
            customer: self.attempt.customer.clone(),
            payment: self.attempt.id.clone(),
        }))
    }

    fn cases(&self, step: &Step) -> Result<Vec<PaymentCase>, Failure> {
        let reasons: &[CaseReason] = match step {
            Step::Note(_, reasons) => reasons,
            Step::Case(reason) => std::slice::from_ref(reason),
            _ => &[],
        };
        let now = self.app.now();
        let case = |it: &CaseReason| cases::of_attempt(*it, self.attempt, self.folded, now);
        reasons.iter().map(case).collect::<Result<_, _>>().map_err(Failure::bug)
    }

    /// The order as the write that lost found it, or with the cases that were known.
    fn found(
        &self,
        mut order: Standing,
        step: &Step,
        conflicts: &[Conflict],
    ) -> Result<Standing, Failure> {
        let reasons: Vec<CaseReason> = match step {
            Step::Note(_, reasons) => reasons.clone(),
            Step::Case(reason) => vec![*reason],
            _ => Vec::new(),
        };
        let first = usize::from(!matches!(step, Step::Case(_)));
        let known = reasons.iter().enumerate().filter(|(place, _)| {
            conflicts.iter().any(|conflict| conflict.position == first + place)
        });
        order.cases.extend(known.map(|(_, reason)| *reason));
        if first == 0 || conflicts.iter().all(|conflict| conflict.position > 0) {
            return Ok(order);
        }
        let attempt = self.attempt;
        let item = Conflict::at(conflicts, 0).ok_or_else(|| {
            Failure::poison(format!("the order {} of {} does not exist", attempt.order, attempt.id))
        })?;
        Ok(Standing { cases: order.cases, ..Standing::of(&orders::from_item(item)?, attempt) })
    }

    fn count(&self, step: &Step, before: Option<PaymentStatus>, cases: usize) {
        let (metrics, now) = (&self.app.metrics, self.app.now());
        match step {
            Step::Pay(_) => metrics.count(Metric::OrderPaid, now),
            Step::Refund(_) => metrics.count(Metric::RefundDue, now),
            _ => {}
        }
        for _ in 0..cases {
            metrics.count(Metric::PaymentCaseOpened, now);
        }
        let dimensions = [
            ("Provider", self.attempt.provider.as_str()),
            ("Method", self.attempt.method.as_str()),
        ];
        if matches!(step, Step::Note(_, reasons) if reasons.contains(&CaseReason::Disputed)) {
            metrics.count_by(Metric::PaymentDisputed, &dimensions, now);
        }
        let status = self.folded.payment.status;
        let new = |is: fn(PaymentStatus) -> bool| is(status) && !before.is_some_and(is);
        if matches!(step, Step::Case(_)) {
            return;
        }
        if new(settle::is_success) {
            metrics.count_by(Metric::PaymentSucceeded, &dimensions, now);
        } else if new(settle::is_failure) {
            metrics.count_by(Metric::PaymentFailed, &dimensions, now);
        }
    }
}

fn noted(order: &Order, attempt: &Attempt) -> Option<PaymentStatus> {
    order.payments.iter().find(|noted| noted.payment == attempt.id).map(|noted| noted.status)
}
