//! What providers are asked about attempts, and what they say of it recorded
//! like their callbacks: each event once, with `payment.received`.

use aftercart::{
    messages::{Message, PaymentReceived},
    model::payment::{Attempt, PaymentEvent},
    run::{App, Failure, metrics::Metric, secrets::Secret},
    store::{CommitError, Sends, payments},
};

use crate::{
    calls,
    providers::{self, Answer, CallError, Known, Step},
    rules::fold,
};

/// Whether a provider could be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It said something.
    Yes,
    /// It did not answer, or says to try again.
    Silent,
    /// We could not ask, or do not understand the answer: somebody has to mend that.
    Broken,
}

/// What a call tells of its provider.
pub(crate) fn reached<T>(said: &Result<T, CallError>) -> Reached {
    match said {
        Err(CallError::Again(_)) => Reached::Silent,
        Err(CallError::Unusable(_) | CallError::Unwritable(_)) => Reached::Broken,
        _ => Reached::Yes,
    }
}

/// Makes the calls that `next` asks for.
pub(crate) async fn call<T>(
    app: &App,
    next: impl Fn(&[Answer]) -> Result<Step<T>, CallError>,
) -> Result<T, CallError> {
    calls::make(&*app.outgoing, next).await
}

/// What is asked of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// How the payment stands.
    Query,
    /// To take the money to which the buyer agreed.
    Capture,
}

/// Asks the provider of an attempt, and gives the events that it told.
///
/// # Errors
/// When the secret cannot be read.
pub(crate) async fn ask(
    app: &App,
    attempt: &Attempt,
    events: &[PaymentEvent],
    question: Question,
) -> Result<Result<Vec<PaymentEvent>, CallError>, Failure> {
    let (provider, now) = (attempt.provider, app.now());
    let credentials = app.secrets.credentials(Secret::Payments, provider.as_str(), now).await?;
    let reference = fold::fold(attempt, events).reference;
    let known = Known { attempt, reference: reference.as_deref(), credentials: &credentials, now };
    let code = providers::of(provider);
    let said = call(app, |answers| match question {
        Question::Query => code.query(&known, answers),
        Question::Capture => code.capture(&known, answers),
    })
    .await;
    if let Err(error) = &said
        && *error != CallError::Unsupported
    {
        let (payment, provider) = (attempt.id.as_str(), provider.as_str());
        tracing::warn!(payment, provider, %error, ?question, "the provider was asked in vain");
    }
    Ok(said)
}

/// Writes what a provider told, each event once.
///
/// # Errors
/// When it cannot be written.
pub(crate) async fn record(
    app: &App,
    told: &[PaymentEvent],
    trace: Option<&str>,
) -> Result<(), Failure> {
    let now = app.now();
    for event in told {
        let received = PaymentReceived { payment: event.payment.clone() };
        let sends = Sends::one(Message::PaymentReceived(received), now, trace);
        match app.store.commit(payments::record(event, &sends)).await {
            Ok(()) => app.metrics.count(Metric::PaymentAsked, now),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
