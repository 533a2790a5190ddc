//! `GET /operator/webhooks`: a page of the messages to an endpoint.
//! `POST /operator/webhooks/{id}/replay`: sends one again.
//! `POST /operator/webhooks/replays`: sends those again that were given up
//! within a time, some at a time: the same call goes on until none is left.
//!
//! What is sent again is due at once and sent by the schedule, under its
//! identity and with its bytes. A message that waits is left as it is, so each
//! of the two calls may be made twice.

use std::sync::Arc;

use aftercart::{
    model::{
        id::WebhookId,
        webhook::{Delivery, DeliveryStatus, EndpointId},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
    },
    store::{CommitError, Found, Index, Key, Op, PageToken, Table, webhooks},
};

use crate::{
    rules::retry,
    wire::{DeliveryPage, ReplayDead, ReplayedDead, WebhookView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "webhook-list",
    about: "Lists the messages to systems of the merchant, and sends them again.",
    trigger: Trigger::Http(&[
        Route::operator("GET", "/operator/webhooks"),
        Route::operator("POST", "/operator/webhooks/{id}/replay"),
        Route::operator("POST", "/operator/webhooks/replays"),
    ]),
    needs: &[
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Table(Table::Webhooks, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Index(Table::Webhooks, Index::ByDue),
    ],
    handle,
};

/// A page of messages.
const PAGE: PageLimits = PageLimits { default: 20, most: 100 };

/// The most messages that one call sends again: each is a write, and the
/// caller waits.
const REPLAYS_MAX: u16 = 100;

/// How often a message is looked at that changes at the same time.
const TRIES: u32 = 3;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, answer))
}

async fn answer(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    match request.route() {
        "GET /operator/webhooks" => list(&app, &request).await,
        "POST /operator/webhooks/replays" => replay_dead(&app, &request).await,
        _ => replay(&app, &request).await,
    }
}

async fn list(app: &App, request: &Request) -> Answer {
    let (from, limit) = request.filtered_page(&["endpoint", "state"], webhooks::cursor, PAGE)?;
    let named = request.query("endpoint").map(EndpointId::parse).and_then(Result::ok);
    let endpoint = named.ok_or_else(|| {
        Problem::invalid("endpoint", "Name an endpoint, by its `id` in the policy.")
    })?;
    let status = request.query("state").unwrap_or("dead");
    let status = DeliveryStatus::parse(status).ok_or_else(|| {
        let known = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join("`, `");
        Problem::invalid("state", format!("The state must be one of `{known}`."))
    })?;
    let page = app.store.webhooks_listed((status, &endpoint), from.as_ref(), limit).await?;
    let found = read(app, &page.items).await?;
    let mut webhooks = Vec::with_capacity(page.items.len());
    for id in &page.items {
        let delivery = found.webhook(id)?.filter(|it| it.state.status() == status);
        webhooks.extend(delivery.as_ref().map(WebhookView::from));
    }
    let next_cursor = page.next.as_ref().map(PageToken::encode);
    Response::json(200, &DeliveryPage { webhooks, next_cursor })
}

async fn read(app: &App, ids: &[WebhookId]) -> Result<Found, Failure> {
    let keys: Vec<Key> = ids.iter().map(Key::webhook).collect();
    Ok(app.store.read(&keys).await?)
}

/// Refuses an endpoint to which nothing is sent.
async fn must_be_on(app: &App, endpoint: &EndpointId) -> Result<(), Failure> {
    if app.policy().await?.webhooks.enabled(endpoint).is_some() {
        return Ok(());
    }
    let detail = format!("The policy has no endpoint `{endpoint}` that is switched on.");
    Err(Problem::new(409, "endpoint-off", "Nothing is sent to the endpoint", detail).into())
}

async fn replay(app: &App, request: &Request) -> Answer {
    let id = request.named("id", "message", WebhookId::parse)?;
    for _ in 0..TRIES {
        let found = read(app, std::slice::from_ref(&id)).await?;
        let delivery = found.webhook(&id)?.ok_or_else(|| Problem::not_found("message"))?;
        must_be_on(app, &delivery.endpoint).await?;
        if let Some(waiting) = again(app, &delivery).await? {
            return Response::json(200, &WebhookView::from(&waiting));
        }
    }
    Err(Failure::retry(format!("the message {id} kept changing")))
}

/// The delivery as it waits then; none when something else became of it
/// meanwhile.
async fn again(app: &App, delivery: &Delivery) -> Result<Option<Delivery>, Failure> {
    let Some(after) = retry::replayed(delivery, app.now()) else {
        return Ok(Some(delivery.clone()));
    };
    match app.store.commit(webhooks::went(delivery, &after)).await {
        Ok(()) => {
            let (webhook, endpoint) = (after.id.as_str(), after.endpoint.as_str());
            tracing::info!(webhook, endpoint, "is sent again");
            Ok(Some(after))
        }
        Err(CommitError::Lost(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn replay_dead(app: &App, request: &Request) -> Answer {
    let ReplayDead { endpoint, from, to } = request.json()?;
    if to < from {
        return Err(Problem::invalid("to", "`to` must not be before `from`.").into());
    }
    must_be_on(app, &endpoint).await?;
    let partition = (DeliveryStatus::Dead, &endpoint);
    let ids = app.store.webhooks_between(partition, (from, to), REPLAYS_MAX).await?;
    let found = read(app, &ids).await?;
    for id in &ids {
        let dead = found.webhook(id)?.filter(|it| it.state.status() == DeliveryStatus::Dead);
        if let Some(dead) = dead {
            again(app, &dead).await?;
        }
    }
    let more = ids.len() >= usize::from(REPLAYS_MAX);
    Response::json(200, &ReplayedDead { more })
}
