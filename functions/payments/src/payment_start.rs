//! `POST /orders/{id}/payments` and the guests' route: starts an attempt to
//! pay an order.
//!
//! The attempt's identity follows from the order and the `Idempotency-Key`. It
//! is written first, with the amount that is asked, and the provider is called
//! after that, with the attempt's identity as the provider's own idempotency
//! key: whatever breaks on the way, the same call again finds the attempt,
//! calls the provider again and gets the same answer
//! (`Idempotent-Replayed: true`). With another body it is a 422. Once the order
//! cannot be paid any more it is told so, as any call for it. An attempt
//! that was refused wrote nothing, and its key may be used again. To pay in
//! another way is to start another attempt, with a new key: the order takes
//! the first that succeeds, and the money of the others goes back.
//!
//! A provider that does not answer is not called for a while: the buyer is
//! told at once, with the ways to pay that there are instead. What needs no
//! call, such as the address of a provider's page, is told all the same.

use std::{collections::BTreeSet, sync::Arc};

use aftercart::{
    model::{
        paying::{Breaker, PaymentsPolicy},
        payment::{Attempt, Method, Provider},
        policy::Policy,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Buyer, Problem, Request, Response},
        links::{LinkError, RateQuote},
        metrics::Metric,
        secrets::{Credentials, Secret},
    },
    store::{CommitError, Conflict, Op, Table, payments},
};
use serde_json::{Value, json};

use crate::{
    breakers, calls,
    providers::{self, Asking, CallError, Step},
    rules::{
        breaker,
        methods::{self, Misfit},
        start::{self, Refusal, Starting},
    },
    ways::{self, Known},
    wire::{NextAction, StartPayment, StartedPayment},
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
        Need::Outgoing,
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, start))
}

/// A call and what was read for it.
struct Asked<'a> {
    app: &'a App,
    starting: Starting,
    rate_quote: Option<String>,
    buyer_ip: Option<&'a str>,
    /// Where providers report: the address by which this call came. The
    /// template cannot tell it to a function that the API calls.
    origin: String,
    policy: &'a Policy,
    known: Known,
}

async fn start(app: Arc<App>, request: Request) -> Answer {
    let buyer = request.buyer(&app).await?;
    let (starting, rate_quote) = parse(&request, &buyer)?;
    let policy = app.policy().await?;
    let known = ways::read(&app, &buyer, &policy.payments, Some(&starting.id)).await?;
    let (app, policy, buyer_ip) = (&*app, &*policy, request.source_ip());
    let origin = request.origin()?;
    let asked = Asked { app, starting, rate_quote, buyer_ip, origin, policy, known };
    match &asked.known.attempt {
        Some(attempt) => asked.replay(attempt).await,
        None => asked.begin().await,
    }
}

fn parse(request: &Request, buyer: &Buyer) -> Result<(Starting, Option<String>), Problem> {
    let key = request.idempotency_key()?;
    let body: StartPayment = request.json()?;
    let request = start::request_digest(json!(body).to_string().as_bytes());
    let StartPayment { method, provider, flow, instalments, rate_quote, payer } = body;
    let id = start::identity(&buyer.order, key.as_str());
    Ok((Starting { id, method, provider, flow, instalments, payer, request }, rate_quote))
}

impl Asked<'_> {
    async fn begin(&self) -> Answer {
        let quote = self.quote().await?;
        let shop = self.known.shop(&self.policy.payments);
        let decided = start::decide(&self.starting, &self.known.order, quote.as_ref(), &shop);
        let attempt = decided.map_err(|refusal| self.refuse(&refusal))?;
        let breaker = self.enter(&attempt).await?;
        match self.app.store.commit(payments::start(&attempt)).await {
            Ok(()) => {
                self.app.metrics.count(Metric::PaymentStarted, self.known.now);
                self.answer(&attempt, breaker).await
            }
            Err(CommitError::Lost(conflicts)) => self.lost(&conflicts).await,
            Err(error) => Err(error.into()),
        }
    }

    /// What was quoted to the buyer, if it is to be paid at that.
    async fn quote(&self) -> Result<Option<RateQuote>, Failure> {
        let Some(token) = &self.rate_quote else { return Ok(None) };
        let opened = self.app.links().await?.open_rate_quote(token, self.known.now);
        opened.map(Some).map_err(|error| match error {
            LinkError::Expired => {
                let detail = "The time to pay at this rate is over. Read the order's payment \
                              methods again, and show the buyer the new amount.";
                let problem =
                    Problem::new(409, "rate-quote-expired", "The rate has expired", detail);
                problem.at("rate_quote").into()
            }
            LinkError::Invalid => {
                let detail = "This is no rate_quote of the order's payment methods.";
                not_quoted(detail.to_owned()).into()
            }
        })
    }

    /// The same call came at the same moment and was first.
    async fn lost(&self, conflicts: &[Conflict]) -> Answer {
        let found = Conflict::at(conflicts, 0)
            .ok_or_else(|| Failure::retry("the attempt of this key went away"))?;
        self.replay(&payments::attempt_from_item(found)?).await
    }

    /// Answers a repeated call as the first was answered, while the order can
    /// still be paid. The provider is called again: the first call may have ended
    /// before it was.
    async fn replay(&self, attempt: &Attempt) -> Answer {
        if attempt.request != self.starting.request {
            return Err(Problem::key_reused().into());
        }
        let payable = methods::payable(&self.known.order, self.known.now);
        payable.map_err(|why| ways::unpayable(&why))?;
        let breaker = self.enter(attempt).await?;
        Ok(self.answer(attempt, breaker).await?.replayed())
    }

    /// How the calls to the attempt's provider went, if it may be called now;
    /// nothing if it need not be: who does not call it does not find out whether
    /// it answers.
    async fn enter(&self, attempt: &Attempt) -> Result<Option<Breaker>, Failure> {
        if !matches!(self.step(attempt, &[]), Ok(Step::Call(_))) {
            return Ok(None);
        }
        let Attempt { method, provider, .. } = *attempt;
        let entered = breakers::enter(self.app, provider, self.known.breaker(provider)).await?;
        entered.map(Some).map_err(|until| {
            let why = Misfit::Shut(until);
            self.refuse(&Refusal::Misfit { method, provider, why }).into()
        })
    }

    /// What the provider is called with after these answers.
    fn step(
        &self,
        attempt: &Attempt,
        answers: &[providers::Answer],
    ) -> Result<Step<NextAction>, CallError> {
        let (provider, none) = (attempt.provider, Credentials::default());
        let return_url = return_url(&self.policy.payments, attempt);
        let asking = Asking {
            attempt,
            credentials: self.known.senders.get(provider.as_str()).unwrap_or(&none),
            return_url: return_url.as_deref(),
            notify_url: &format!("{}/callbacks/{provider}", self.origin),
            buyer_ip: self.buyer_ip,
            now: self.known.now,
        };
        providers::of(provider).start(&asking, answers)
    }

    async fn answer(&self, attempt: &Attempt, breaker: Option<Breaker>) -> Answer {
        let step = |answers: &[providers::Answer]| self.step(attempt, answers);
        let outcome = calls::make(&*self.app.outgoing, step).await;
        if let Some(breaker) = breaker {
            let heard = breaker::heard(&outcome);
            breakers::note(self.app, attempt.provider, breaker, heard, &attempt.id).await;
        }
        let next = outcome.map_err(|error| self.explain(attempt, &error))?;
        Response::json(201, &StartedPayment::of(attempt, next))
    }

    /// What the buyer is told of a way to pay that is refused.
    fn refuse(&self, refusal: &Refusal) -> Problem {
        if let Refusal::Order(why) = refusal {
            return ways::unpayable(why);
        }
        let instead = self.known.instead(&self.policy.payments);
        let detail = start::told(refusal, &instead);
        let problem = match refusal {
            Refusal::Misfit { provider, why, .. } => self.misfit(*provider, why, detail),
            Refusal::Quote => return not_quoted(detail),
            Refusal::Order(_) | Refusal::Unknown => self.unknown(detail),
        };
        problem.with("methods", listed(&instead))
    }

    fn unknown(&self, detail: String) -> Problem {
        let known: BTreeSet<Provider> =
            self.policy.payments.methods.iter().map(|it| it.provider).collect();
        match self.starting.provider {
            Some(provider) if !known.contains(&provider) => provider_off(detail),
            _ => method_off(detail),
        }
    }

    fn misfit(&self, provider: Provider, why: &Misfit, detail: String) -> Problem {
        let impossible = |kind, field: &str| {
            let title = "The order cannot be paid like this";
            Problem::new(422, kind, title, detail.as_str()).at(field)
        };
        match why {
            Misfit::NotSetUp => {
                let name = provider.as_str();
                tracing::error!(provider = name, "is in the policy and not set up: see its secret");
                provider_off(detail)
            }
            Misfit::Country => method_off(detail),
            Misfit::Currency => impossible("currency-not-taken", "rate_quote"),
            Misfit::Amount => amount(detail),
            Misfit::Flow(_) => impossible("flow-not-taken", "flow"),
            Misfit::Instalments(_) => impossible("instalments-not-offered", "instalments"),
            Misfit::Payer => impossible("payer-missing", "payer"),
            Misfit::Shut(until) => silent(detail).after(seconds_until(*until, self.known.now)),
        }
    }

    /// What the buyer is told of a provider's failure; the rest is for the log.
    fn explain(&self, attempt: &Attempt, error: &CallError) -> Problem {
        let payment = attempt.id.as_str();
        match error {
            CallError::TooOld => {
                let detail = "This payment was started too long ago to be taken up again. Start \
                              another one with a new Idempotency-Key.";
                Problem::new(409, "payment-too-old", "The payment is too old", detail)
            }
            CallError::Paid => {
                let detail = "The provider has the money of this payment. Wait for the outcome: \
                              look at the payment, and start no other.";
                Problem::new(409, "payment-made", "The payment is made", detail)
            }
            CallError::Amount(_) => {
                tracing::warn!(payment, %error, "no payment was begun");
                let Attempt { method, provider, .. } = *attempt;
                self.refuse(&Refusal::Misfit { method, provider, why: Misfit::Amount })
            }
            CallError::Again(_) => {
                tracing::warn!(payment, %error, "no payment was begun");
                let detail = "The payment provider does not answer. Repeat the request in a \
                              moment, with the same Idempotency-Key; nothing is charged twice. If \
                              it goes on, start another payment with a new key.";
                let instead = self.known.instead(&self.policy.payments);
                silent(detail.to_owned()).with("methods", listed(&instead))
            }
            CallError::Refused(_)
            | CallError::Unusable(_)
            | CallError::Unwritable(_)
            | CallError::Unsupported => {
                tracing::error!(payment, %error, "no payment was begun");
                does_not_work()
            }
        }
    }
}

/// Where the provider's page sends the buyer back to.
fn return_url(policy: &PaymentsPolicy, attempt: &Attempt) -> Option<String> {
    let url = policy.return_url.as_ref()?;
    Some(url.as_str().replace("{order}", attempt.order.as_str()))
}

/// Whole seconds, rounded up, at least one.
fn seconds_until(until: Timestamp, now: Timestamp) -> u32 {
    let millis = until.unix_millis().saturating_sub(now.unix_millis());
    u32::try_from(millis.saturating_add(999).div_euclid(1_000)).unwrap_or(0).max(1)
}

fn listed(ways: &[(Method, Provider)]) -> Value {
    let way =
        |(method, provider): &(Method, Provider)| json!({ "method": method, "provider": provider });
    ways.iter().map(way).collect()
}

fn not_quoted(detail: String) -> Problem {
    let title = "The rate was not quoted for this";
    Problem::new(422, "rate-quote-not-valid", title, detail).at("rate_quote")
}

fn provider_off(detail: String) -> Problem {
    let title = "The shop does not take this";
    Problem::new(422, "provider-not-taken", title, detail).at("provider")
}

fn method_off(detail: String) -> Problem {
    let title = "The shop does not take this";
    Problem::new(422, "method-not-taken", title, detail).at("method")
}

fn amount(detail: String) -> Problem {
    let title = "This amount cannot be paid like this";
    Problem::new(422, "amount-not-taken", title, detail).at("method")
}

fn silent(detail: String) -> Problem {
    Problem::new(503, "provider-unavailable", "The provider does not answer", detail)
}

fn does_not_work() -> Problem {
    let detail = "Payments with this provider do not work for the moment. Nothing was charged; \
                  choose another way to pay, or try later.";
    Problem::new(502, "provider-refused", "The provider does not work", detail)
}
