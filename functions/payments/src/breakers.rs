//! The circuit breakers of providers: the writes that their rules ask for.

use aftercart::{
    model::{id::PaymentId, paying::Breaker, payment::Provider, time::Timestamp},
    run::{App, Failure},
    store::{CommitError, Conflict, breakers},
};

use crate::rules::breaker::{self, Gate, Heard};

/// How often the outcome of a call is written when others write at the same
/// moment. One that stays unwritten is one failure that does not count.
const NOTES: u32 = 3;

/// Whether a provider may be called now: how its calls went, to be told to
/// [`note`] after the call, or when it may be called again. It is called by
/// one alone when it did not answer for a while.
///
/// # Errors
/// When the probe cannot be taken, for want of an answer of the store.
pub(crate) async fn enter(
    app: &App,
    provider: Provider,
    known: Breaker,
) -> Result<Result<Breaker, Timestamp>, Failure> {
    let taken = match breaker::gate(&known, app.now()) {
        Gate::Pass => return Ok(Ok(known)),
        Gate::Shut(until) => return Ok(Err(until)),
        Gate::Probe(taken) => taken,
    };
    match app.store.commit(breakers::put(provider, &taken)).await {
        Ok(()) => {
            tracing::info!(provider = provider.as_str(), "is tried again");
            Ok(Ok(taken))
        }
        // Somebody else took it: whatever comes of that, it is not our turn.
        Err(CommitError::Lost(_)) => Ok(Err(taken.open_until.unwrap_or(app.now()))),
        Err(error) => Err(error.into()),
    }
}

/// Writes what a call told of its provider, if that is worth a write. What
/// cannot be written is let go: the buyer has an answer to get.
pub(crate) async fn note(
    app: &App,
    provider: Provider,
    mut known: Breaker,
    heard: Heard,
    attempt: &PaymentId,
) {
    let name = provider.as_str();
    for _ in 0..NOTES {
        let Some(after) = breaker::after(&known, heard, attempt, app.now()) else { return };
        match app.store.commit(breakers::put(provider, &after)).await {
            Ok(()) => {
                match (known.open_until, after.open_until) {
                    (None, Some(until)) => {
                        tracing::error!(provider = name, %until, "does not answer and is not called");
                    }
                    (Some(_), None) => tracing::info!(provider = name, "answers again"),
                    _ => {}
                }
                return;
            }
            Err(CommitError::Lost(conflicts)) => {
                let found = Conflict::at(&conflicts, 0).map(breakers::from);
                let Some(Ok(found)) = found else { return };
                known = found;
            }
            Err(error) => {
                tracing::warn!(provider = name, %error, "how its calls went is not written");
                return;
            }
        }
    }
}
