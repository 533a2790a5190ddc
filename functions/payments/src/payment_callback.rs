//! `POST /callbacks/{provider}`: takes what a provider reports.
//!
//! The signature is checked on the raw bytes before anything is read. Then the
//! event is written once, under the provider's identity of it, with the
//! message that tells of it, and acknowledged: one round trip, one item of
//! less than a kilobyte. A delivery that comes again, today or in a month,
//! meets the first one and is acknowledged the same way.
//!
//! - An unknown provider: 404.
//! - A signature that does not hold: 401, each fault with its own detail.
//! - A signed body that cannot be read: 400. It will never become readable,
//!   but the refusal shows in the provider's own list of failed deliveries,
//!   which is where somebody looks for an event that is missing.
//! - A signed event of no interest here: acknowledged, counted and not kept.

use std::sync::Arc;

use aftercart::{
    messages::{Message, PaymentReceived},
    model::{
        payment::{PaymentEvent, Provider},
        signature::SignatureError,
        time::Timestamp,
    },
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request},
        metrics::Metric,
        secrets::{Credentials, Secret},
    },
    store::{CommitError, Op, Sends, Table, payments},
};
use secrecy::ExposeSecret as _;

use crate::providers::{Call, Callbacks, Report, Unreadable, callbacks};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-callback",
    about: "Takes a provider's signed report of a payment, once for each event.",
    trigger: Trigger::Http(&[Route::open("POST", "/callbacks/{provider}")]),
    needs: &[Need::Table(Table::Payments, &[Op::PutItem]), Need::Secret(Secret::Payments)],
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
    let callbacks = callbacks(provider);
    let report = parse(callbacks, &request, &credentials, now).map_err(|rejection| {
        let why = rejection.class();
        tracing::warn!(provider = provider.as_str(), why, "a callback was rejected");
        app.metrics.count(Metric::CallbackRejected, now);
        rejection.problem()
    })?;
    match report {
        Report::Event(event) => record(&app, &event, now, request.trace()).await?,
        Report::Ignored { what } => {
            tracing::info!(provider = provider.as_str(), what, "a callback was ignored");
            app.metrics.count(Metric::CallbackIgnored, now);
        }
    }
    callbacks.acknowledge()
}

/// Why a callback is not taken.
enum Rejection {
    Unsigned(SignatureError),
    Unreadable(Unreadable),
}

impl Rejection {
    /// For logs: nothing of the body is in it.
    fn class(&self) -> String {
        match self {
            Self::Unsigned(error) => error.to_string(),
            Self::Unreadable(error) => error.class().to_owned(),
        }
    }

    /// For the caller.
    fn problem(&self) -> Problem {
        let sentence = |error: &dyn std::error::Error| format!("The callback is refused: {error}.");
        match self {
            Self::Unsigned(error) => Problem::bad_signature(sentence(error)),
            Self::Unreadable(error) => Problem::invalid("body", sentence(error)),
        }
    }
}

fn parse(
    callbacks: &dyn Callbacks,
    request: &Request,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Report, Rejection> {
    let secrets: Vec<&str> =
        credentials.webhook_secrets.iter().map(|secret| secret.expose_secret()).collect();
    let header = |name: &str| request.header(name);
    let call = Call { secrets: &secrets, header: &header, body: request.body(), now };
    callbacks.verify(&call).map_err(Rejection::Unsigned)?;
    callbacks.read(&call).map_err(Rejection::Unreadable)
}

async fn record(
    app: &App,
    event: &PaymentEvent,
    now: Timestamp,
    trace: Option<&str>,
) -> Result<(), CommitError> {
    let received = PaymentReceived { payment: event.payment.clone() };
    let sends = Sends::one(Message::PaymentReceived(received), now, trace);
    match app.store.commit(payments::record(event, &sends)).await {
        Ok(()) => {
            app.metrics.count(Metric::CallbackReceived, now);
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
