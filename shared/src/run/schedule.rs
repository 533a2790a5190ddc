//! Schedules: bounded sweeps over what is due.

use std::{future::Future, sync::Arc, time::Instant};

use serde::Serialize;
use serde_json::Value;

use super::{App, Failure, Fault, Invocation, failure, metrics::Metric, panic::caught};

/// The most things that one run sees to: at some 25 ms each they fit into the
/// minute that a sweep has. What is left is due still, and the next run begins
/// with the earliest.
pub const SWEEP_MAX: u16 = 1_600;

/// What a sweep did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// How many things were seen to.
    pub done: u32,
    /// How many needed nothing any more.
    pub settled: u32,
    /// How many failed; they are due still.
    pub failed: u32,
}

/// What became of one thing that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was seen to.
    Done,
    /// It needed nothing any more.
    Settled,
}

impl Swept {
    /// The sum with what another part of the sweep did.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            done: self.done.saturating_add(other.done),
            settled: self.settled.saturating_add(other.settled),
            failed: self.failed.saturating_add(other.failed),
        }
    }

    /// Sees to one thing, and counts what became of it. A failure or a panic
    /// is logged and counted, and keeps nothing else from being seen to.
    pub async fn see_to(
        &mut self,
        subject: &str,
        work: impl Future<Output = Result<Outcome, Failure>>,
    ) {
        match caught(work).await {
            Ok(Outcome::Done) => self.done += 1,
            Ok(Outcome::Settled) => self.settled += 1,
            Err(failure) => {
                self.failed += 1;
                tracing::error!(subject, class = failure.class(), error = %failure, "failed");
            }
        }
    }
}

/// Runs a sweep. The event's content does not matter: a schedule only says
/// that it is time.
///
/// # Errors
/// [`Fault`] when the sweep could not even begin, or nothing that was due
/// could be seen to: the function's error alarm then tells.
pub async fn serve<F, Fut>(app: Arc<App>, call: Invocation, sweep: F) -> Result<Value, Fault>
where
    F: FnOnce(Arc<App>) -> Fut,
    Fut: Future<Output = Result<Swept, Failure>>,
{
    let started = Instant::now();
    let swept = caught(sweep(Arc::clone(&app))).await.map_err(|failure| {
        tracing::error!(class = failure.class(), error = %failure, "the sweep failed");
        Fault(failure::chain(&SweepFailed(failure)))
    })?;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let Swept { done, settled, failed } = swept;
    tracing::info!(done, settled, failed, duration_ms, request_id = call.request_id, "swept");
    if failed > 0 {
        app.metrics.add(Metric::SweepFailed, i64::from(failed), app.now());
    }
    if failed > 0 && done == 0 && settled == 0 {
        return Err(Fault(format!("all {failed} things that were due failed")));
    }
    serde_json::to_value(swept).map_err(|error| Fault(error.to_string()))
}

#[derive(Debug, thiserror::Error)]
#[error("the sweep failed: {0}")]
struct SweepFailed(Failure);
