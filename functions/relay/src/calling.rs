//! One call of an endpoint, signed, and the writing down of how it went.

use aftercart::{
    model::{
        id::WebhookId,
        signature::standard_webhooks,
        time::Timestamp,
        webhook::{Delivery, DeliveryState, Endpoint, EndpointId, Health},
    },
    run::{
        App, Failure,
        metrics::Metric,
        outgoing::{OutgoingError, Stranger},
        secrets::Secret,
    },
    store::{CommitError, Conflict, webhooks},
};
use bytes::Bytes;
use data_encoding::BASE64;
use http::{Request, header};
use secrecy::{ExposeSecret as _, SecretString};

use crate::rules::{
    health,
    retry::{self, Outcome},
};

/// The fewest bytes of a key: what Standard Webhooks asks for.
const KEY_MIN: usize = 24;

/// How often the health of an endpoint is written when others write at the
/// same moment. What stays unwritten is one call that does not count.
const NOTES: u32 = 3;

/// Calls an endpoint with a message, once.
///
/// # Errors
/// When the secrets cannot be read: nothing was called.
pub(crate) async fn call(
    app: &App,
    endpoint: &Endpoint,
    delivery: &Delivery,
) -> Result<Outcome, Failure> {
    let now = app.now();
    let Some(signature) = signature(app, &endpoint.id, delivery, now).await? else {
        return Ok(Outcome::Unsigned);
    };
    let request = Request::post(endpoint.url.as_str())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("Aftercart/", env!("CARGO_PKG_VERSION")))
        .header(standard_webhooks::ID, delivery.id.as_str())
        .header(standard_webhooks::TIMESTAMP, now.unix_seconds())
        .header(standard_webhooks::SIGNATURE, signature)
        .extension(Stranger)
        .body(Bytes::from(delivery.body.clone()));
    let answer = app.outgoing.call(request.map_err(Failure::bug)?).await;
    Ok(match answer {
        Ok(answer) => {
            let again = answer.headers().get(header::RETRY_AFTER);
            let again = again.and_then(|value| value.to_str().ok());
            retry::answered(answer.status().as_u16(), again, app.now())
        }
        Err(OutgoingError::Timeout) => retry::failed("no answer in time", None),
        Err(OutgoingError::Broken(_)) => retry::failed("no connection, or one that broke", None),
        Err(error @ OutgoingError::Forbidden) => retry::failed(&error.to_string(), None),
    })
}

/// What every secret of an endpoint signs the message with; none if there is
/// no secret of the right form, because nothing is sent without.
async fn signature(
    app: &App,
    endpoint: &EndpointId,
    delivery: &Delivery,
    now: Timestamp,
) -> Result<Option<String>, Failure> {
    let (id, body) = (delivery.id.as_str(), delivery.body.as_bytes());
    let keys = keys(app, endpoint, now).await?;
    let sign = |key: &SecretString| standard_webhooks::sign(key.expose_secret(), id, now, body);
    let signed: Vec<String> = keys.iter().map(sign).collect();
    Ok((!signed.is_empty()).then(|| signed.join(" ")))
}

/// The secrets of an endpoint that have the right form. It is an error in the
/// log if there are none.
async fn keys(
    app: &App,
    endpoint: &EndpointId,
    now: Timestamp,
) -> Result<Vec<SecretString>, Failure> {
    let known = app.secrets.credentials(Secret::Webhooks, endpoint.as_str(), now).await?;
    let mut keys = known.webhook_secrets;
    keys.retain(|secret| {
        let key = secret.expose_secret().strip_prefix("whsec_");
        let key = key.and_then(|it| BASE64.decode(it.as_bytes()).ok());
        key.is_some_and(|key| key.len() >= KEY_MIN)
    });
    if keys.is_empty() {
        tracing::error!(endpoint = endpoint.as_str(), "has no secret of the form whsec_...");
    }
    Ok(keys)
}

/// Whether messages to an endpoint can be signed: nothing is sent otherwise.
///
/// # Errors
/// When the secrets cannot be read.
pub(crate) async fn can_sign(app: &App, endpoint: &EndpointId) -> Result<bool, Failure> {
    Ok(!keys(app, endpoint, app.now()).await?.is_empty())
}

/// Writes down how a call went, for the message. Somebody else's word, of the
/// same call made twice, stands.
///
/// # Errors
/// When it cannot be written: the message waits still.
pub(crate) async fn note(app: &App, before: &Delivery, outcome: &Outcome) -> Result<(), Failure> {
    let after = retry::after(before, outcome, fastrand::u32(0..=100), app.now());
    write(app, before, &after).await
}

/// Writes down what becomes of a delivery, and counts it.
///
/// # Errors
/// When it cannot be written: the delivery is what it was.
pub(crate) async fn write(app: &App, before: &Delivery, after: &Delivery) -> Result<(), Failure> {
    match app.store.commit(webhooks::went(before, after)).await {
        Ok(()) => {}
        Err(CommitError::Lost(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    let (webhook, endpoint, now) = (after.id.as_str(), after.endpoint.as_str(), app.now());
    let why = after.last.as_ref().map(ToString::to_string).unwrap_or_default();
    let metric = match after.state {
        DeliveryState::Done(_) => Metric::WebhookDelivered,
        DeliveryState::Waiting(_) => Metric::WebhookFailed,
        DeliveryState::Dead(_) => Metric::WebhookDead,
    };
    app.metrics.count_by(metric, &[("Endpoint", endpoint)], now);
    match after.state {
        DeliveryState::Done(_) => tracing::info!(webhook, endpoint, "taken"),
        DeliveryState::Waiting(again) => {
            tracing::warn!(webhook, endpoint, why, tries = after.tries, %again, "not taken");
        }
        DeliveryState::Dead(_) => tracing::error!(webhook, endpoint, why, "given up"),
    }
    Ok(())
}

/// Writes what a call told of its endpoint, if that is worth a write, and gives
/// what is known of it then. It is written before what became of the message:
/// a call of which nothing is written is made again, and tells again.
///
/// # Errors
/// When it cannot be written.
pub(crate) async fn note_health(
    app: &App,
    endpoint: &EndpointId,
    mut known: Health,
    outcome: &Outcome,
) -> Result<Health, Failure> {
    let name = endpoint.as_str();
    for _ in 0..NOTES {
        let Some(after) = health::after(&known, outcome, app.now()) else { break };
        match app.store.commit(webhooks::put_health(endpoint, &after)).await {
            Ok(()) => {
                if let Some(until) = after.open_until {
                    tracing::error!(endpoint = name, %until, "does not answer and is left alone");
                }
                return Ok(after);
            }
            Err(CommitError::Lost(conflicts)) => {
                let found = Conflict::at(&conflicts, 0).map(webhooks::health_from_item);
                known = found.transpose()?.unwrap_or_default();
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(known)
}

/// A new delivery, which is tried from this moment on.
pub(crate) fn new(
    event: &crate::rules::events::Event,
    endpoint: &EndpointId,
    now: Timestamp,
    first: Timestamp,
) -> Delivery {
    let id: WebhookId = event.message_to(endpoint);
    Delivery {
        id,
        endpoint: endpoint.clone(),
        kind: event.kind,
        order: event.order.clone(),
        body: event.body.clone(),
        at: now,
        tries: 0,
        last: None,
        state: DeliveryState::Waiting(first),
    }
}
