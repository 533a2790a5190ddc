//! `POST /callbacks/{provider}`: takes what a provider reports.
//!
//! The signature is checked on the raw bytes before anything is read. Then the
//! event is written once, under the provider's identity of it, with the
//! message that tells of it, and acknowledged: one round trip, one item of
//! less than a kilobyte. A delivery that comes again, today or in a month,
//! meets the first one and is acknowledged the same way.
//!
//! - An unknown provider: 404.
//! - A signature that does not hold: 401, each fault with its own detail. Those
//!   that a provider sends on purpose, to see whether they are refused, are
//!   counted apart.
//! - A signed event of an unknown type, about a payment that was not started
//!   here, or that cannot be read: a case for a person, once, with the body as
//!   it came, and acknowledged. Sending it again would not make it readable.
//! - A signed event of no interest here: acknowledged, counted and not kept.
//!
//! If the policy keeps bodies, the body is written beside its event, and again
//! with each repetition, so that it is there when the event is acknowledged.

use std::{collections::BTreeMap, sync::Arc};

use aftercart::{
    messages::{Message, PaymentReceived},
    model::{
        payment::{CaseReason, PaymentCase, PaymentEvent, Provider},
        signature::SignatureError,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger, deflate,
        http::{self, Answer, Problem, Request},
        metrics::Metric,
        secrets::{Credentials, Secret},
    },
    store::{CommitError, Op, Sends, Table, Write, payments},
};
use futures::{TryFutureExt as _, future};

use crate::{
    providers::{self, Call, PaymentProvider, Report},
    rules::cases::{self, Odd},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-callback",
    about: "Takes a provider's signed report of a payment, once for each event.",
    trigger: Trigger::Http(&[Route::open("POST", "/callbacks/{provider}")]),
    needs: &[
        Need::Table(Table::Payments, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Payments),
    ],
    handle,
};

/// The largest body: Stripe's events of large objects have some 100 KiB.
pub const BODY_MAX: usize = 256 * 1024;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(BODY_MAX, app, call, receive))
}

async fn receive(app: Arc<App>, request: Request) -> Answer {
    let provider =
        request.named("provider", "payment provider", |name| Provider::parse(name).ok_or(()))?;
    let now = app.now();
    let credentials = app.secrets.credentials(Secret::Payments, provider.as_str(), now).await?;
    let code = providers::of(provider);
    let received = Received { app: &app, provider, request: &request, now };
    let writes = received.read(code, &credentials)?;
    let bodies = async {
        let kept = received.bodies(&writes).await?;
        future::try_join_all(kept.into_iter().map(|it| received.keep(it))).await.map(drop)
    };
    let written = future::try_join_all(writes.iter().map(|it| received.write(it)));
    // All of them are ended before a failure is told: a write that was begun
    // is not given up.
    let (written, bodies) = future::join(written, bodies).await;
    written?;
    bodies?;
    code.acknowledge()
}

/// A call whose signature does not hold.
fn refused(app: &App, provider: Provider, error: &SignatureError) -> Problem {
    let probe = *error == SignatureError::Probe;
    let metric = if probe { Metric::CallbackProbed } else { Metric::CallbackRejected };
    app.metrics.count(metric, app.now());
    let why = error.to_string();
    tracing::warn!(provider = provider.as_str(), why, probe, "a callback was rejected");
    Problem::bad_signature(format!("The callback is refused: {error}."))
}

/// What is written of a verified call.
enum Kept {
    Event(PaymentEvent),
    Case(Box<PaymentCase>),
}

/// A call of a provider.
struct Received<'a> {
    app: &'a App,
    provider: Provider,
    request: &'a Request,
    now: Timestamp,
}

impl Received<'_> {
    /// What is written of it, if it is the provider's.
    fn read(
        &self,
        code: &dyn PaymentProvider,
        credentials: &Credentials,
    ) -> Result<Vec<Kept>, Failure> {
        let header = |name: &str| self.request.header(name);
        let (method, path, body) = ("POST", self.request.path(), self.request.body());
        let call = Call { credentials, method, path, header: &header, body, now: self.now };
        code.verify(&call).map_err(|error| refused(self.app, self.provider, &error))?;
        match code.read(&call) {
            Ok(reports) => self.writes(code, reports),
            Err(unreadable) => {
                let what = unreadable.class();
                Ok(vec![self.odd(code, CaseReason::Impossible, None, what)?])
            }
        }
    }

    /// What is written of its reports.
    fn writes(
        &self,
        code: &dyn PaymentProvider,
        reports: Vec<Report>,
    ) -> Result<Vec<Kept>, Failure> {
        let mut writes = Vec::with_capacity(reports.len());
        for report in reports {
            match report {
                Report::Event(event) => writes.push(Kept::Event(event)),
                Report::Nothing { what } => {
                    let provider = self.provider.as_str();
                    tracing::info!(provider, what, "a callback was ignored");
                    self.app.metrics.count(Metric::CallbackIgnored, self.now);
                }
                Report::Unknown { id, what } => {
                    writes.push(self.odd(code, CaseReason::UnknownEvent, Some(&id), &what)?);
                }
                Report::Foreign { id, what } => {
                    writes.push(self.odd(code, CaseReason::Foreign, Some(&id), &what)?);
                }
            }
        }
        Ok(writes)
    }

    fn odd(
        &self,
        code: &dyn PaymentProvider,
        reason: CaseReason,
        id: Option<&str>,
        what: &str,
    ) -> Result<Kept, Failure> {
        let provider = self.provider;
        tracing::warn!(provider = provider.as_str(), reason = reason.as_str(), what, "a case");
        let named = |name: &&str| Some(((*name).to_owned(), self.request.header(name)?.to_owned()));
        let headers: BTreeMap<String, String> = code.headers().iter().filter_map(named).collect();
        let odd = Odd { reason, provider, id, what, body: self.request.body() };
        let case = cases::of_callback(&odd, headers, self.now).map_err(Failure::bug)?;
        Ok(Kept::Case(Box::new(case)))
    }

    /// Writes an event or a case, if it is new.
    async fn write(&self, kept: &Kept) -> Result<(), Failure> {
        let now = self.now;
        let (write, metric) = match kept {
            Kept::Event(event) => {
                let received = PaymentReceived { payment: event.payment.clone() };
                let sends =
                    Sends::one(Message::PaymentReceived(received), now, self.request.trace());
                (payments::record(event, &sends), Metric::CallbackReceived)
            }
            Kept::Case(case) => (payments::case(case), Metric::PaymentCaseOpened),
        };
        match self.app.store.commit(write).await {
            Ok(()) => {
                self.app.metrics.count(metric, now);
                Ok(())
            }
            Err(CommitError::Lost(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The bodies that are kept of events, as the policy says. A case has its own.
    async fn bodies(&self, writes: &[Kept]) -> Result<Vec<Write>, Failure> {
        let events = || {
            writes.iter().filter_map(|kept| match kept {
                Kept::Event(event) => Some(event),
                Kept::Case(_) => None,
            })
        };
        if events().next().is_none() {
            return Ok(Vec::new());
        }
        let Some(keep) = self.app.policy().await?.payments.keep_bodies else {
            return Ok(Vec::new());
        };
        let until = self.now.plus(keep);
        let deflated = deflate::deflated(self.request.body()).map_err(Failure::bug)?;
        Ok(events().map(|event| payments::body(event, deflated.clone(), until)).collect())
    }

    async fn keep(&self, write: Write) -> Result<(), Failure> {
        self.app.store.commit(write).err_into().await
    }
}
