//! The whole suite in one process: every function's real entry, called with
//! raw AWS events, over real AWS clients whose connection ends in memory.
//!
//! DynamoDB is an embedded database that honours conditions, transactions and
//! indexes; SQS, Secrets Manager, payment providers and carriers are small
//! stand-ins. Each function has its own port to them, which permits only what
//! the function declared, counts round trips and units, and fails the calls that
//! it is told to fail. Time stands still until it is moved.

pub mod audit;
mod clock;
mod connection;
mod costs;
mod deliver;
mod gateway;
mod limit;
mod mutants;
mod permit;
mod port;
mod process;
mod queues;
mod tables;
mod weather;

pub use audit::{Checked, Evidence, Parked, Violation};
pub use clock::ManualClock;
pub use costs::Invoked;
pub use deliver::Deliveries;
pub use gateway::{Ask, Caller, Gateway, Reply};
pub use mutants::Mutant;
pub use permit::{Action, declared};
pub use port::{Call, Fault, Meter, Port};
pub use queues::{Message, dead_letters, dead_letters_of};
pub use weather::Weather;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aftercart::{
    aws::Aws,
    messages::Queue,
    model::{
        payment::Provider,
        time::{Clock, Timestamp},
    },
    run::{
        self, App, ConfigError, Function, Invocation, Platform, metrics::Metrics, secrets::Secret,
    },
    store::{CommitError, Store, StoreError, Table, settings},
};
use serde_json::{Value, json, value::RawValue};

use crate::{
    carriers,
    merchant::{self, Merchant},
    providers::{self, StandIns},
};

use self::{
    connection::{Connection, Line},
    costs::Costs,
    limit::Limit,
    process::{Life, Process, Seat},
    queues::Queues,
    tables::Tables,
    weather::Sky,
};

/// The secrets of a world, which its senders sign with.
pub mod secrets {
    pub use crate::{
        carriers::{
            aftership::SECRET as AFTERSHIP, easypost::SECRET as EASYPOST,
            generic::SECRET as CARRIER,
        },
        providers::{sandbox::SECRET as SANDBOX, stripe::SECRET as STRIPE},
    };

    /// Our own links.
    pub const LINKS: &str = "a-key-of-links-with-32-characters-or-more";
}

/// Where this world's carriers are.
const CARRIERS: &str = "carriers.local";

/// Where this world's customers reach the API.
pub const PUBLIC_URL: &str = "https://shop.example";

/// What a world does not do.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// There is no such function.
    #[error("there is no {0}")]
    NoFunction(String),
    /// A function cannot start.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The tables cannot be made.
    #[error("the tables cannot be made: {0}")]
    Tables(String),
    /// The store failed outside of any function.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A write failed outside of any function.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// An event is no JSON.
    #[error("the event is no JSON")]
    Event(#[from] serde_json::Error),
    /// An invocation failed as a whole.
    #[error("{function} failed: {text}")]
    Fault {
        /// Which function.
        function: &'static str,
        /// What it said.
        text: String,
    },
    /// A process died in an invocation, which is told nobody.
    #[error("a process of {0} died")]
    Died(&'static str),
    /// Deliveries go on and on.
    #[error("the deliveries do not come to an end")]
    Restless,
}

/// How a world is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// What time it is at first.
    pub start: Timestamp,
    /// How often AWS's SDK tries a call; 1 in tests that count calls.
    pub sdk_attempts: u32,
    /// A policy document in place of the default.
    pub policy: Option<String>,
    /// How deliveries go.
    pub deliveries: Deliveries,
    /// Keeps items in plain maps in place of the embedded database, which is
    /// quicker. In bad [`Weather`] every world does: only such tables know the past.
    pub quick: bool,
}

impl Default for Options {
    fn default() -> Self {
        let start = Timestamp::parse("2026-11-21T12:00:00Z").unwrap_or(Timestamp::EPOCH);
        Self { start, sdk_attempts: 1, policy: None, deliveries: Deliveries::Orderly, quick: false }
    }
}

/// The suite and everything around it.
pub struct World {
    outside: Arc<Outside>,
    seats: Vec<Seat>,
    auditor: Arc<Port>,
    store: Store,
    deliveries: Mutex<Deliveries>,
    tries: Mutex<BTreeMap<u64, u32>>,
    costs: Costs,
    sdk_attempts: u32,
}

/// What is outside of the functions.
struct Outside {
    tables: Tables,
    queues: Queues,
    stand_ins: StandIns,
    carriers: carriers::StandIns,
    merchant: Merchant,
    clock: Arc<ManualClock>,
    metrics: Metrics,
    secrets: Mutex<BTreeMap<&'static str, Value>>,
    forbidden: Mutex<BTreeSet<Action>>,
    limit: Limit,
    sky: Sky,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World at {}", self.now())
    }
}

impl World {
    /// A world with these functions and nothing in its tables.
    ///
    /// # Errors
    /// [`WorldError`].
    pub async fn new(functions: &[Function], options: Options) -> Result<Self, WorldError> {
        let outside = Outside {
            tables: Tables::create(options.quick).map_err(tables_failed)?,
            queues: Queues::default(),
            stand_ins: StandIns::default(),
            carriers: carriers::StandIns::default(),
            merchant: Merchant::default(),
            clock: Arc::new(ManualClock::at(options.start)),
            metrics: Metrics::memory(),
            secrets: Mutex::new(default_secrets()),
            forbidden: Mutex::default(),
            limit: Limit::default(),
            sky: Sky::default(),
        };
        let world = Self::around(outside, functions, options.sdk_attempts);
        *world.deliveries() = options.deliveries;
        if let Some(document) = &options.policy {
            world.store.commit(settings::put_policy(document)).await?;
        }
        Ok(world)
    }

    /// Another world that begins as this one is: its functions start cold, its
    /// deliveries are orderly, its weather is calm, its counters begin anew.
    ///
    /// # Errors
    /// [`WorldError::Tables`].
    pub fn fork(&self) -> Result<Self, WorldError> {
        self.forked(false)
    }

    /// The same, with quick tables.
    ///
    /// # Errors
    /// [`WorldError::Tables`].
    pub fn fork_quick(&self) -> Result<Self, WorldError> {
        self.forked(true)
    }

    fn forked(&self, quick: bool) -> Result<Self, WorldError> {
        let outside = Outside {
            tables: self.outside.tables.copy(quick).map_err(tables_failed)?,
            queues: self.outside.queues.copy(),
            stand_ins: self.outside.stand_ins.copy(),
            carriers: self.outside.carriers.copy(),
            merchant: self.outside.merchant.copy(),
            clock: Arc::new(ManualClock::at(self.now())),
            metrics: Metrics::memory(),
            secrets: Mutex::new(self.outside.secrets().clone()),
            forbidden: Mutex::default(),
            limit: Limit::default(),
            sky: Sky::default(),
        };
        let functions: Vec<Function> = self.functions().copied().collect();
        Ok(Self::around(outside, &functions, self.sdk_attempts))
    }

    fn around(outside: Outside, functions: &[Function], sdk_attempts: u32) -> Self {
        let outside = Arc::new(outside);
        let auditor = Arc::new(Port::new(Arc::clone(&outside), None));
        let names = Table::ALL.into_iter().map(|table| (table, tables::deployed(table)));
        let life = Life::new(Arc::clone(&auditor));
        let store = Store::new(aws(&life, sdk_attempts).dynamodb(), names.collect());
        let seat = |function: &Function| {
            let port = Port::new(Arc::clone(&outside), Some(function));
            Seat::new(*function, Arc::new(port))
        };
        Self {
            seats: functions.iter().map(seat).collect(),
            outside,
            auditor,
            store,
            deliveries: Mutex::default(),
            tries: Mutex::default(),
            costs: Costs::default(),
            sdk_attempts,
        }
    }

    /// The functions.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.seats.iter().map(|seat| &seat.function)
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.outside.clock
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.outside.now()
    }

    /// The tables, with every permission; for looking, not for functions.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The way of [`World::store`] to the tables, to make its calls fail.
    #[must_use]
    pub fn store_port(&self) -> &Port {
        &self.auditor
    }

    /// The counters of all functions.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.outside.metrics
    }

    /// The stand-ins for payment providers.
    #[must_use]
    pub fn stand_ins(&self) -> &StandIns {
        &self.outside.stand_ins
    }

    /// The system of the merchant that webhooks are sent to.
    #[must_use]
    pub fn merchant(&self) -> &Merchant {
        &self.outside.merchant
    }

    /// The stand-ins for carriers.
    #[must_use]
    pub fn carriers(&self) -> &carriers::StandIns {
        &self.outside.carriers
    }

    /// How many payments a provider's stand-in was asked for.
    #[must_use]
    pub fn charges(&self, provider: Provider) -> usize {
        self.stand_ins().memory(|memory| memory.count(provider, "charge"))
    }

    /// The messages of a queue by its name.
    #[must_use]
    pub fn queue(&self, name: &str) -> Vec<Message> {
        self.outside.queues.messages(name)
    }

    /// Puts a message into a queue, as somebody outside would.
    pub fn send(&self, queue: Queue, body: impl Into<String>) {
        self.outside.queues.put(queue.name(), body.into(), None, self.now());
    }

    /// What functions tried and had not declared.
    #[must_use]
    pub fn forbidden(&self) -> BTreeSet<Action> {
        self.outside.forbidden.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces a secret; functions notice when theirs is too old.
    pub fn set_secret(&self, secret: Secret, value: Value) {
        self.outside.secrets().insert(secret.variable(), value);
    }

    /// Changes how deliveries go from now on.
    pub fn set_deliveries(&self, deliveries: Deliveries) {
        *self.deliveries() = deliveries;
    }

    /// A function's way to the outside.
    ///
    /// # Errors
    /// [`WorldError::NoFunction`].
    pub fn port(&self, function: &str) -> Result<&Port, WorldError> {
        Ok(&self.seat(function)?.port)
    }

    /// The write units of `DynamoDB` that all functions used.
    #[must_use]
    pub fn write_units(&self) -> u64 {
        self.seats.iter().map(|seat| seat.port.write_units()).sum()
    }

    /// Ends the processes of a function that wait for a call: the next starts cold.
    ///
    /// # Errors
    /// [`WorldError::NoFunction`].
    pub fn restart(&self, function: &str) -> Result<(), WorldError> {
        self.seat(function)?.end();
        Ok(())
    }

    /// Calls a function with an event.
    ///
    /// # Errors
    /// [`WorldError::Fault`] when the call failed as a whole, [`WorldError::Died`]
    /// when its process died of it.
    pub async fn invoke(&self, function: &str, event: &Value) -> Result<Value, WorldError> {
        let seat = self.seat(function)?;
        let name = seat.function.name;
        let process = self.process(seat)?;
        seat.port.forget();
        let payload = RawValue::from_string(event.to_string())?;
        let mut call = Invocation::new(payload, "request");
        call.trace = Some("Root=1-6a81b2c0-5f2a9d3c4b1e6f7081920a3b;Sampled=1".to_owned());
        let handled = (seat.function.handle)(Arc::clone(&process.app), call);
        let outcome = tokio::select! {
            biased;
            () = process.life.ended() => None,
            outcome = handled => Some(outcome),
        };
        seat.port.end();
        self.costs.note(name, || seat.port.meter());
        let outcome = outcome.ok_or(WorldError::Died(name))?;
        seat.put_back(process);
        outcome.map_err(|fault| WorldError::Fault { function: name, text: fault.0 })
    }

    /// Everything that is kept: items by table and key, messages by queue
    /// without repetitions, and the changes that no stream has told yet.
    ///
    /// # Errors
    /// [`WorldError::Store`].
    pub async fn state(&self) -> Result<Value, WorldError> {
        let mut tables = serde_json::Map::new();
        for table in Table::ALL {
            tables.insert(table.name().to_owned(), self.store.dump(table).await?.into());
        }
        let queues: BTreeMap<String, BTreeSet<String>> = self
            .outside
            .queues
            .all()
            .into_iter()
            .map(|(name, messages)| (name, messages.into_iter().map(|it| it.body).collect()))
            .collect();
        let changes: BTreeSet<String> =
            self.outside.tables.waiting().iter().map(|it| it.image.to_string()).collect();
        Ok(json!({ "tables": tables, "queues": queues, "changes": changes }))
    }

    /// A process for an invocation: one that waits, or a new one.
    fn process(&self, seat: &Seat) -> Result<Process, WorldError> {
        if let Some(process) = seat.take() {
            return Ok(process);
        }
        let life = Life::new(Arc::clone(&seat.port));
        let platform = Platform {
            aws: aws(&life, self.sdk_attempts),
            outgoing: Arc::new(Line(Arc::clone(&life))),
            clock: Arc::clone(&self.outside.clock) as Arc<dyn Clock>,
            metrics: self.outside.metrics.clone(),
        };
        let environment = environment(&seat.function);
        let value = |name: &str| environment.get(name).cloned();
        let app = Arc::new(App::new(&seat.function, &value, &platform)?);
        Ok(Process { app, life })
    }

    fn seat(&self, function: &str) -> Result<&Seat, WorldError> {
        let seat = self.seats.iter().find(|seat| seat.function.name == function);
        seat.ok_or_else(|| WorldError::NoFunction(format!("function {function}")))
    }

    fn deliveries(&self) -> MutexGuard<'_, Deliveries> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tries(&self) -> MutexGuard<'_, BTreeMap<u64, u32>> {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn secret(&self, secret: Secret) -> String {
        self.secrets().get(secret.variable()).map(Value::to_string).unwrap_or_default()
    }

    fn secrets(&self) -> MutexGuard<'_, BTreeMap<&'static str, Value>> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_forbidden(&self, action: &Action) {
        let mut forbidden = self.forbidden.lock().unwrap_or_else(PoisonError::into_inner);
        forbidden.insert(action.clone());
    }
}

fn tables_failed(error: dynoxide::DynoxideError) -> WorldError {
    WorldError::Tables(error.to_string())
}

fn aws(life: &Arc<Life>, attempts: u32) -> Aws {
    let connection = Arc::new(Connection(Arc::clone(life)));
    Aws { attempts, ..Aws::emulator("eu-west-1", "http://aws.local", connection) }
}

/// The environment of a function: what template.yaml gives it.
fn environment(function: &Function) -> BTreeMap<&'static str, String> {
    let mut variables = BTreeMap::new();
    for table in Table::ALL {
        variables.insert(table.variable(), tables::deployed(table));
    }
    for queue in Queue::ALL {
        variables.insert(queue.variable(), queues::url(queue.name()));
    }
    for secret in Secret::ALL {
        variables.insert(secret.variable(), arn(secret));
    }
    variables.insert(run::Setting::PublicUrl.variable(), PUBLIC_URL.to_owned());
    if let run::Trigger::Queue(queue) = function.trigger {
        let url = queues::url(&dead_letters(queue));
        variables.insert(run::config::PARKING_VARIABLE, url);
    }
    let needed = run::config::variables(function);
    variables.retain(|name, _| needed.contains(name));
    variables
}

fn arn(secret: Secret) -> String {
    format!("arn:aws:secretsmanager:eu-west-1:000000000000:secret:{}", secret.variable())
}

fn secret_named(name: &str) -> Option<Secret> {
    Secret::ALL.into_iter().find(|secret| arn(*secret) == name)
}

fn default_secrets() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        (Secret::Payments.variable(), providers::credentials("https://providers.local")),
        (Secret::Carriers.variable(), carriers::credentials(&format!("https://{CARRIERS}"))),
        (Secret::Links.variable(), json!({ "current": secrets::LINKS })),
        (Secret::Webhooks.variable(), json!({ "erp": { "webhook_secrets": [merchant::SECRET] } })),
    ])
}
