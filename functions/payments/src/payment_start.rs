//! `POST /orders/{id}/payments` and the guests' route: starts an attempt to
//! pay an order.
//!
//! The attempt's identity follows from the order and the `Idempotency-Key`. It
//! is written first, with the amount that is asked, and the provider is called
//! after that, with the attempt's identity as the provider's own idempotency
//! key: whatever breaks on the way, the same call again finds the attempt,
//! calls the provider again and gets the same answer
//! (`Idempotent-Replayed: true`). With another body it is a 422. An attempt
//! that was refused wrote nothing, and its key may be used again.

use std::sync::Arc;

use aftercart::{
    model::{
        order::OrderStatus,
        payment::{Attempt, Provider},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Setting, Trigger,
        http::{self, Answer, Buyer, Problem, Request, Response},
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Conflict, Key, Op, Table, payments},
};
use serde_json::json;

use crate::{
    providers::stripe::intent::{self, Access, IntentError},
    rules::start::{self, Refusal, Starting},
    wire::{ClientSecret, NextAction, StartPayment, StartedPayment},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "payment-start",
    about: "Starts an attempt to pay an order with a provider, once for each Idempotency-Key.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/orders/{id}/payments"),
        Route::open("POST", "/guest/orders/{id}/payments"),
    ]),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Payments, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Payments),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::StripeApiUrl),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, start))
}

async fn start(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let starting = parse(&request, &buyer)?;
    let keys = [Key::order(&buyer.customer, &buyer.order), Key::attempt(&starting.id)];
    let found = app.store.read(&keys).await?;
    let order = found.order(&buyer.customer, &buyer.order)?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    if let Some(attempt) = found.attempt(&starting.id)? {
        return replay(&app, &starting, &attempt).await;
    }
    let (policy, now) = (app.policy().await?, app.now());
    let attempt = start::decide(&starting, &order, &policy, now).map_err(|r| refuse(&r))?;
    can_report(&app, attempt.provider).await?;
    match app.store.commit(payments::start(&attempt)).await {
        Ok(()) => {
            app.metrics.count(Metric::PaymentStarted, now);
            answer(&app, &attempt).await
        }
        Err(CommitError::Lost(conflicts)) => lost(&app, &starting, &conflicts).await,
        Err(error) => Err(error.into()),
    }
}

fn parse(request: &Request, buyer: &Buyer) -> Result<Starting, Problem> {
    let key = request.idempotency_key()?;
    let body: StartPayment = request.json()?;
    Ok(Starting {
        id: start::identity(&buyer.order, key.as_str()),
        provider: body.provider,
        request: start::request_digest(json!(body).to_string().as_bytes()),
    })
}

fn refuse(refusal: &Refusal) -> Problem {
    let detail = refusal.to_string();
    match refusal {
        Refusal::NothingDue => Problem::new(422, "nothing-due", "Nothing is due", detail),
        Refusal::Paid => Problem::new(409, "order-paid", "The order is paid", detail),
        Refusal::Ended(OrderStatus::Cancelled) => {
            Problem::new(409, "order-cancelled", "The order was cancelled", detail)
        }
        Refusal::Ended(_) | Refusal::HoldOver(_) => {
            Problem::new(409, "order-expired", "The time to pay is over", detail)
        }
        Refusal::ProviderOff { .. } => {
            let title = "The shop does not take this";
            Problem::new(422, "provider-not-taken", title, detail).at("provider")
        }
        Refusal::Amount(_) => amount(detail),
    }
}

fn amount(detail: String) -> Problem {
    let title = "The provider cannot take this amount";
    Problem::new(422, "amount-not-taken", title, detail).at("provider")
}

/// A provider whose reports could not be verified is not taken: the buyer's
/// money would never be heard of.
async fn can_report(app: &App, provider: Provider) -> Result<(), Failure> {
    let name = provider.as_str();
    let credentials = app.secrets.credentials(Secret::Payments, name, app.now()).await?;
    if !credentials.webhook_secrets.is_empty() {
        return Ok(());
    }
    tracing::error!(
        provider = name,
        "the secret of payments has no webhook secret of the provider"
    );
    let detail = format!("The shop takes no payments with {provider} at the moment.");
    let title = "The shop does not take this";
    Err(Problem::new(422, "provider-not-taken", title, detail).at("provider").into())
}

/// The same call came at the same moment and was first.
async fn lost(app: &App, starting: &Starting, conflicts: &[Conflict]) -> Answer {
    let found = Conflict::at(conflicts, 0)
        .ok_or_else(|| Failure::retry("the attempt of this key went away"))?;
    replay(app, starting, &payments::attempt_from_item(found)?).await
}

/// Answers a repeated call as the first was answered. The provider is called
/// again: the first call may have ended before it was.
async fn replay(app: &App, starting: &Starting, attempt: &Attempt) -> Answer {
    if attempt.request != starting.request {
        return Err(Problem::key_reused().into());
    }
    Ok(answer(app, attempt).await?.replayed())
}

async fn answer(app: &App, attempt: &Attempt) -> Answer {
    let mut started = StartedPayment::of(attempt);
    match attempt.provider {
        Provider::Stripe => started.client_secret = Some(stripe(app, attempt).await?),
        Provider::Sandbox => {
            let callback = format!("/callbacks/{}", Provider::Sandbox);
            started.next_action = Some(NextAction::Sandbox { callback });
        }
    }
    Response::json(201, &started)
}

async fn stripe(app: &App, attempt: &Attempt) -> Result<ClientSecret, Failure> {
    let now = app.now();
    let name = Provider::Stripe.as_str();
    let credentials = app.secrets.credentials(Secret::Payments, name, now).await?;
    let Some(key) = credentials.api_keys.first() else {
        tracing::error!(provider = name, "the secret of payments has no API key of the provider");
        return Err(does_not_work().into());
    };
    let access = Access { url: app.setting(Setting::StripeApiUrl)?, key };
    let created = intent::create(&*app.outgoing, access, attempt, now).await;
    created.map_err(|error| explain(attempt, &error).into())
}

/// What the buyer is told of a provider's failure; the rest is for the log.
fn explain(attempt: &Attempt, error: &IntentError) -> Problem {
    let payment = attempt.id.as_str();
    match error {
        IntentError::TooOld => {
            let detail = "This payment was started too long ago to be taken up again. Start \
                          another one with a new Idempotency-Key.";
            Problem::new(409, "payment-too-old", "The payment is too old", detail)
        }
        IntentError::Amount(_) => {
            tracing::warn!(payment, %error, "no payment intent");
            amount(Refusal::Amount(attempt.provider).to_string())
        }
        IntentError::Unavailable(_) => {
            tracing::warn!(payment, %error, "no payment intent");
            let detail = "The payment provider does not answer. Repeat the request in a moment, \
                          with the same Idempotency-Key; nothing is charged twice. If it goes on, \
                          start another payment with a new key.";
            Problem::new(503, "provider-unavailable", "The provider does not answer", detail)
        }
        IntentError::Refused(_) | IntentError::Unusable(_) | IntentError::Unwritable(_) => {
            tracing::error!(payment, %error, "no payment intent");
            does_not_work()
        }
    }
}

fn does_not_work() -> Problem {
    let detail = "Payments with this provider do not work for the moment. Nothing was charged; \
                  choose another way to pay, or try later.";
    Problem::new(502, "provider-refused", "The provider does not work", detail)
}
