//! Lambda glue: what turns an AWS event into a call of a handler, and its
//! outcome into an answer.
//!
//! A function is a constant of type [`Function`]: its name, what triggers it,
//! what it needs, and its entry. The binary, the template's test, the API
//! description and the test harness all read that one constant.

pub mod batch;
pub mod config;
pub mod deflate;
pub mod failure;
pub mod http;
mod lambda;
pub mod links;
mod log;
pub mod metrics;
pub mod outgoing;
mod panic;
pub mod queues;
pub mod remedies;
mod runtime;
pub mod schedule;
pub mod secrets;
pub mod stream;

pub use config::{ConfigError, Environment, Need, Setting};
pub use failure::Failure;
pub use lambda::start;

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Value, value::RawValue};

use crate::{
    aws::Aws,
    messages::Queue,
    model::{
        exchange::ExchangeRates,
        policy::Policy,
        price::PriceRules,
        time::{Clock, Period, Timestamp},
    },
    store::{Key, Store, Table},
};

use self::{links::Links, metrics::Metrics, outgoing::Outgoing, queues::Queues, secrets::Secrets};

/// How long a document of the merchant is used before it is read again: a
/// change reaches every function within a minute.
const DOCUMENT_AGE_MAX: Period = Period::of_seconds(60);

/// What an entry returns: a future of the answer.
pub type Handling = Pin<Box<dyn Future<Output = Result<Value, Fault>> + Send>>;

/// One Lambda function.
#[derive(Clone, Copy)]
pub struct Function {
    /// Its name, and that of its binary.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What calls it.
    pub trigger: Trigger,
    /// What it may touch; nothing else is configured for it or permitted to it.
    pub needs: &'static [Need],
    /// Its entry: a raw AWS event in, the answer for AWS out.
    pub handle: fn(Arc<App>, Invocation) -> Handling,
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What calls a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// Requests on these routes.
    Http(&'static [Route]),
    /// Messages of this queue.
    Queue(Queue),
    /// Changes of these tables.
    Stream(&'static [Table]),
    /// The clock, in the words of a schedule expression.
    Schedule(&'static str),
}

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `POST` or `PUT`.
    pub method: &'static str,
    /// Such as `/orders/{id}`.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

impl Route {
    /// A route for members, who carry a token.
    #[must_use]
    pub const fn shopper(method: &'static str, path: &'static str) -> Self {
        Self { method, path, access: Access::Shopper }
    }

    /// A route for the merchant's own people and systems.
    #[must_use]
    pub const fn operator(method: &'static str, path: &'static str) -> Self {
        Self { method, path, access: Access::Operator }
    }

    /// A route without a token: signed, or with a signed link.
    #[must_use]
    pub const fn open(method: &'static str, path: &'static str) -> Self {
        Self { method, path, access: Access::Open }
    }
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// A member's token.
    Shopper,
    /// A token with the scope [`http::OPERATOR_SCOPE`].
    Operator,
    /// No token.
    Open,
}

/// One call of a function.
#[derive(Debug)]
pub struct Invocation {
    /// The AWS event, as it came.
    pub payload: Box<RawValue>,
    /// AWS's identity of the call.
    pub request_id: String,
    /// The trace that the call belongs to.
    pub trace: Option<String>,
}

impl Invocation {
    /// A call with this event.
    #[must_use]
    pub fn new(payload: Box<RawValue>, request_id: impl Into<String>) -> Self {
        Self { payload, request_id: request_id.into(), trace: None }
    }
}

/// A call that failed as a whole: Lambda is told so, and its trigger retries.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// What a function runs with.
#[derive(Debug)]
pub struct App {
    /// The tables.
    pub store: Store,
    /// The queues it sends to.
    pub queues: Queues,
    /// The secrets it reads.
    pub secrets: Secrets,
    /// Counters for the operator.
    pub metrics: Metrics,
    /// Calls to providers.
    pub outgoing: Arc<dyn Outgoing>,
    /// Values of the environment that are not tables, queues or secrets.
    pub settings: Vec<(Setting, String)>,
    clock: ClockHandle,
    policy: Kept<Policy>,
    price_rules: Kept<PriceRules>,
    exchange_rates: Kept<ExchangeRates>,
}

/// A document of the merchant, and when it was read.
#[derive(Debug)]
struct Kept<T>(Mutex<Option<(Timestamp, Arc<T>)>>);

impl<T> Kept<T> {
    fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// The document, unless it is too old.
    fn get(&self, now: Timestamp) -> Option<Arc<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fresh = |read_at: &Timestamp| *read_at <= now && now < read_at.plus(DOCUMENT_AGE_MAX);
        known.filter(|(read_at, _)| fresh(read_at)).map(|(_, document)| document)
    }

    fn keep(&self, now: Timestamp, document: T) -> Arc<T> {
        let document = Arc::new(document);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&document)));
        document
    }
}

struct ClockHandle(Arc<dyn Clock>);

impl fmt::Debug for ClockHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// The world outside a function: how it reaches AWS, and what time it is there.
#[derive(Clone)]
pub struct Platform {
    /// How AWS is reached.
    pub aws: Aws,
    /// Calls to providers.
    pub outgoing: Arc<dyn Outgoing>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where counters go.
    pub metrics: Metrics,
}

/// The merchant's document, or else the default.
fn policy(document: Option<String>) -> Result<Policy, Failure> {
    document
        .map_or_else(Policy::default_document, |text| Policy::parse(&text))
        .map_err(Failure::retry)
}

impl App {
    /// Prepares a function from its environment.
    ///
    /// # Errors
    /// [`ConfigError`] names every variable that is missing.
    pub fn new(
        function: &Function,
        environment: &Environment<'_>,
        platform: &Platform,
    ) -> Result<Self, ConfigError> {
        let config = config::read(function, environment)?;
        Ok(Self {
            store: Store::new(platform.aws.dynamodb(), config.tables),
            queues: Queues::new(platform.aws.sqs(), config.queues, config.parking),
            secrets: Secrets::new(platform.aws.secrets(), config.secrets),
            metrics: platform.metrics.clone(),
            outgoing: Arc::clone(&platform.outgoing),
            settings: config.settings,
            clock: ClockHandle(Arc::clone(&platform.clock)),
            policy: Kept::nothing(),
            price_rules: Kept::nothing(),
            exchange_rates: Kept::nothing(),
        })
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.0.now()
    }

    /// A value of the environment that the function needs.
    ///
    /// # Errors
    /// A bug when the function did not say that it needs it.
    pub fn setting(&self, setting: Setting) -> Result<&str, Failure> {
        let found = self.settings.iter().find(|(known, _)| *known == setting);
        found
            .map(|(_, value)| value.as_str())
            .ok_or_else(|| Failure::bug(format!("the setting {setting:?} is not declared")))
    }

    /// The policy: the merchant's document, or else the default. It is read at
    /// most once a minute.
    ///
    /// # Errors
    /// When the table cannot be read, or the document is no policy: deciding
    /// by another policy than the merchant's would be worse than waiting.
    pub async fn policy(&self) -> Result<Arc<Policy>, Failure> {
        if let Some(policy) = self.policy.get(self.now()) {
            return Ok(policy);
        }
        let policy = policy(self.store.policy_document().await?)?;
        Ok(self.policy.keep(self.now(), policy))
    }

    /// The policy, as [`App::policy`] has it, and the price rules: the
    /// merchant's document, or else none. Both are read in one round trip, at
    /// most once a minute.
    ///
    /// # Errors
    /// When the table cannot be read, or a document is not valid.
    pub async fn terms(&self) -> Result<(Arc<Policy>, Arc<PriceRules>), Failure> {
        let now = self.now();
        if let (Some(policy), Some(rules)) = (self.policy.get(now), self.price_rules.get(now)) {
            return Ok((policy, rules));
        }
        let found = self.store.read(&[Key::policy(), Key::price_rules()]).await?;
        let policy = policy(found.document(&Key::policy())?)?;
        let rules = found.document(&Key::price_rules())?;
        let rules =
            rules.map_or_else(PriceRules::default_document, |text| PriceRules::parse(&text));
        let rules = rules.map_err(Failure::retry)?;
        Ok((self.policy.keep(now, policy), self.price_rules.keep(now, rules)))
    }

    /// The policy, as [`App::policy`] has it, and the exchange rates: the
    /// merchant's document, or else none. Both are read in one round trip, at
    /// most once a minute.
    ///
    /// # Errors
    /// When the table cannot be read, or a document is not valid.
    pub async fn paying_terms(&self) -> Result<(Arc<Policy>, Arc<ExchangeRates>), Failure> {
        let now = self.now();
        if let (Some(policy), Some(rates)) = (self.policy.get(now), self.exchange_rates.get(now)) {
            return Ok((policy, rates));
        }
        let found = self.store.read(&[Key::policy(), Key::exchange_rates()]).await?;
        let policy = policy(found.document(&Key::policy())?)?;
        let rates = found.document(&Key::exchange_rates())?;
        let rates =
            rates.map_or_else(ExchangeRates::default_document, |text| ExchangeRates::parse(&text));
        let rates = rates.map_err(Failure::retry)?;
        Ok((self.policy.keep(now, policy), self.exchange_rates.keep(now, rates)))
    }

    /// The signer of links and passes.
    ///
    /// # Errors
    /// When the secret cannot be read.
    pub async fn links(&self) -> Result<Links, Failure> {
        let keys = self.secrets.links(self.now()).await?;
        Ok(Links::new(keys))
    }
}
