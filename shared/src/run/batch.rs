//! Batches of a queue: each record by itself.
//!
//! A record is parsed inside the loop, a panic is caught inside the loop, and
//! what fails is reported by its identity, so no record harms its neighbours.
//! Poison is parked at once, with its reason.

use std::{future::Future, sync::Arc, time::Instant};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::messages::{Envelope, UnreadableMessage};

use super::{App, Failure, Fault, Invocation, metrics::Metric, panic::caught};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    #[serde(default)]
    body: String,
}

/// Hands each message to the handler, one after the other; answers which have
/// to come again.
///
/// # Errors
/// [`Fault`] when the event is no batch, or a record has no identity: then the
/// whole batch has to come again, because nothing less can be asked for.
pub async fn serve<F, Fut>(app: Arc<App>, call: Invocation, handler: F) -> Result<Value, Fault>
where
    F: Fn(Arc<App>, Envelope) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let event: Event = serde_json::from_str(call.payload.get())
        .map_err(|error| Fault(format!("the event is no batch of a queue: {error}")))?;
    let mut again = Vec::new();
    for record in event.records {
        let record: Record = serde_json::from_str(record.get())
            .map_err(|error| Fault(format!("a record of the batch has no identity: {error}")))?;
        if !take(&app, &record, &handler).await {
            again.push(json!({ "itemIdentifier": record.message_id }));
        }
    }
    Ok(json!({ "batchItemFailures": again }))
}

/// Whether the record is done with.
async fn take<F, Fut>(app: &Arc<App>, record: &Record, handler: &F) -> bool
where
    F: Fn(Arc<App>, Envelope) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let started = Instant::now();
    let (outcome, kind, subject, trace) = match Envelope::parse(&record.body) {
        Ok(envelope) => {
            let (kind, subject) = (envelope.message.kind(), envelope.message.subject());
            let trace = envelope.trace.clone();
            (caught(handler(Arc::clone(app), envelope)).await, kind, subject, trace)
        }
        Err(error) => (Err(unreadable(error)), "unreadable", String::new(), None),
    };
    let Err(failure) = outcome else {
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(message = kind, subject, trace, duration_ms, "done");
        return true;
    };
    tracing::error!(
        message = kind,
        subject,
        trace,
        class = failure.class(),
        error = %failure,
        message_id = record.message_id,
        "failed"
    );
    match failure {
        Failure::Poison(_) | Failure::Refuse(_) => park(app, record, &failure).await,
        Failure::Retry(_) | Failure::Bug(_) => false,
    }
}

fn unreadable(error: UnreadableMessage) -> Failure {
    Failure::poison(error)
}

async fn park(app: &App, record: &Record, failure: &Failure) -> bool {
    match app.queues.park(&record.body, &failure.to_string()).await {
        Ok(()) => {
            app.metrics.count(Metric::MessageParked, app.now());
            true
        }
        Err(error) => {
            tracing::error!(error = %error, message_id = record.message_id, "was not parked");
            false
        }
    }
}
