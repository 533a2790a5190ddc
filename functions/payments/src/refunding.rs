//! Refunds with their providers: called, asked about, and what they said written.
//!
//! A refund is written before its provider hears of it, and called under its
//! own identity, which its provider takes as the key of the call: a call whose
//! answer was lost is made again, and gives the same refund. What came of it is
//! written under the condition that nobody else wrote of it since it was read;
//! who loses has nothing left to do.

use aftercart::{
    messages::{Message, PaymentReceived, RefundMade},
    model::{
        digest,
        money::Money,
        payment::{
            Attempt, CaseReason, PaymentCase, PaymentEvent, PaymentEventKind, Refund, RefundStatus,
        },
        text::Text,
        time::Timestamp,
    },
    run::{App, Failure, Setting, metrics::Metric, secrets::Secret},
    store::{Commit, CommitError, Sends, Write, payments},
};

use crate::{
    asking::{self, Reached},
    providers::{self, CallError, GivingBack, Known, RefundAnswer},
    rules::{
        cases,
        fold::{self, Folded},
        refund as rules,
    },
};

/// Calls the provider of a refund that is pending, or asks about one that was
/// sent, unless a callback has told how it ended or the payment is disputed;
/// writes what came. Safe to repeat.
///
/// # Errors
/// When what came cannot be written: it is safe to begin again.
pub(crate) async fn go_on(
    app: &App,
    attempt: &Attempt,
    events: &[PaymentEvent],
    refund: &Refund,
    trace: Option<&str>,
) -> Result<Reached, Failure> {
    let folded = fold::fold(attempt, events);
    let known = rules::told(refund, events).or_else(|| rules::disputed(refund, &folded));
    let said = match known {
        Some(known) => Ok(known),
        None => call(app, attempt, &folded, refund).await?,
    };
    let reached = asking::reached(&said);
    if let Err(error) = &said {
        let (refund, provider) = (refund.id.as_str(), attempt.provider.as_str());
        tracing::warn!(refund, provider, %error, "a refund was not made");
    }
    let now = app.now();
    let after = rules::after(refund, said.as_ref(), now);
    write(app, attempt, events, refund, &after, trace).await?;
    Ok(reached)
}

async fn call(
    app: &App,
    attempt: &Attempt,
    folded: &Folded,
    refund: &Refund,
) -> Result<Result<RefundAnswer, CallError>, Failure> {
    let (provider, now) = (attempt.provider, app.now());
    let credentials = app.secrets.credentials(Secret::Payments, provider.as_str(), now).await?;
    let notify_url = format!("{}/callbacks/{provider}", app.setting(Setting::PublicUrl)?);
    let reference = folded.reference.as_deref();
    let payment = Known { attempt, reference, credentials: &credentials, now };
    let keyed = Refund { id: refund.key(), ..refund.clone() };
    let giving = GivingBack { refund: &keyed, payment, notify_url: &notify_url };
    let code = providers::of(provider);
    let said = asking::call(app, |answers| match refund.status {
        RefundStatus::Sent => code.refund_status(&giving, answers),
        _ => code.refund(&giving, answers),
    });
    Ok(said.await)
}

async fn write(
    app: &App,
    attempt: &Attempt,
    events: &[PaymentEvent],
    before: &Refund,
    after: &Refund,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let now = app.now();
    let commit = match after.status {
        RefundStatus::Succeeded => made(attempt, events, before, after, now, trace),
        RefundStatus::Failed => Commit::new()
            .with(payments::refund_went(before, after, &Sends::none()))
            .with(payments::case(&failed(attempt, after, now)?)),
        RefundStatus::Pending | RefundStatus::Sent => {
            payments::refund_went(before, after, &Sends::none()).into()
        }
    };
    match app.store.commit(commit).await {
        Ok(()) => {
            count(app, after);
            let (refund, status) = (after.id.as_str(), after.status.as_str());
            tracing::info!(refund, status, "a refund went on");
            Ok(())
        }
        // Somebody else wrote of it at the same time, under the same identity.
        Err(CommitError::Lost(lost)) if lost.iter().any(|lost| lost.position == 0) => {
            match after.status {
                // It may have been written as made.
                RefundStatus::Failed => Err(Failure::retry("a refund that failed changed")),
                _ => Ok(()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Counts how a refund ended, and the case of one that failed.
pub(crate) fn count(app: &App, refund: &Refund) {
    match refund.status {
        RefundStatus::Succeeded => app.metrics.count(Metric::RefundMade, app.now()),
        RefundStatus::Failed => {
            app.metrics.count(Metric::RefundFailed, app.now());
            app.metrics.count(Metric::PaymentCaseOpened, app.now());
        }
        RefundStatus::Pending | RefundStatus::Sent => {}
    }
}

/// The refund, that the buyer is told of it, and the event that the payment's
/// state follows from, unless the provider told of it in its own.
fn made(
    attempt: &Attempt,
    events: &[PaymentEvent],
    before: &Refund,
    after: &Refund,
    now: Timestamp,
    trace: Option<&str>,
) -> Commit {
    let told = RefundMade {
        order: after.order.clone(),
        customer: after.customer.clone(),
        refund: after.id.clone(),
        amount: after.amount,
    };
    let sends = Sends::one(Message::RefundMade(told), now, trace);
    let write = payments::refund_made(before, after, attempt.provider, now, &sends);
    let known = rules::told(after, events);
    match known {
        Some(known) if known.status == RefundStatus::Succeeded => write.into(),
        _ => Commit::new().with(write).with(event(attempt, after, now, trace)),
    }
}

/// The event that a refund was made. Its part is the refund's key, which
/// providers that report it name, too: it counts once.
fn event(attempt: &Attempt, refund: &Refund, now: Timestamp, trace: Option<&str>) -> Write {
    let key = refund.key();
    let id = format!("{key}#{}", refund.tries);
    let event = PaymentEvent {
        payment: attempt.id.clone(),
        provider: attempt.provider,
        kind: PaymentEventKind::Refunded,
        amount: refund.amount,
        at: now,
        reason: None,
        reference: None,
        part: Some(key.to_string()),
        body_digest: digest::full(&[id.as_bytes()]),
        id,
    };
    let received = PaymentReceived { payment: attempt.id.clone() };
    payments::record(&event, &Sends::one(Message::PaymentReceived(received), now, trace))
}

/// The case of a refund that its provider will not make. One that fails again,
/// after a person had it made again, is another case.
///
/// # Errors
/// A bug when the case cannot be written in words.
pub(crate) fn failed(
    attempt: &Attempt,
    refund: &Refund,
    now: Timestamp,
) -> Result<PaymentCase, Failure> {
    let reason = refund.reason.as_deref().unwrap_or("no reason given");
    let what = format!("the refund {} of {} failed: {reason}", refund.id, refund.amount);
    case(attempt, refund, what, now)
}

/// The case of a refund of which there is less than should go back.
///
/// # Errors
/// A bug when the case cannot be written in words.
pub(crate) fn short(
    attempt: &Attempt,
    refund: &Refund,
    wanted: Money,
    now: Timestamp,
) -> Result<PaymentCase, Failure> {
    let what = format!(
        "of {wanted} that should go back as {} only {} is left of the payment",
        refund.id, refund.amount
    );
    case(attempt, refund, what, now)
}

fn case(
    attempt: &Attempt,
    refund: &Refund,
    what: String,
    now: Timestamp,
) -> Result<PaymentCase, Failure> {
    Ok(PaymentCase {
        id: cases::refund_failed(refund),
        reason: CaseReason::RefundFailed,
        provider: attempt.provider,
        payment: Some(attempt.id.clone()),
        amount: Some(refund.amount),
        what: Text::new(&what).map_err(Failure::bug)?,
        at: now,
        body: None,
        headers: std::collections::BTreeMap::new(),
        resolved: None,
    })
}
