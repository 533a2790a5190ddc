//! A function's way to the outside: every call of AWS or of a provider goes
//! through its port, which permits it, counts it, and may make it fail.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aftercart::run::Function;
use serde_json::{Value, json};

use super::{
    Mutant, Outside,
    permit::{self, Action},
    queues,
    tables::{self, Cost, Reading, Request},
    weather::Sky,
};

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    Before,
    /// It is applied, and the answer is lost.
    After,
    /// It meets another transaction; reads and queues know no such thing and
    /// answer as always.
    Conflict,
    /// It is throttled.
    Throttle,
    /// Half of a batch is not done; what is no batch is done.
    Partial,
    /// A table refuses it, as it does what no retry mends; nothing else does.
    Refuse,
    /// It never arrives, and the process dies.
    DieBefore,
    /// It is applied, and the process dies.
    DieAfter,
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The operation, such as `PutItem`.
    pub operation: String,
    /// What it did.
    pub actions: Vec<Action>,
}

/// What an invocation, or a function since its world began, cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meter {
    /// The calls, in order; each is a round trip.
    pub calls: Vec<Call>,
    write_halves: u64,
    read_halves: u64,
}

impl Meter {
    /// Write units of DynamoDB.
    #[must_use]
    pub fn write_units(&self) -> u64 {
        self.write_halves.div_ceil(2)
    }

    /// Read units of DynamoDB, rounded up.
    #[must_use]
    pub fn read_units(&self) -> u64 {
        self.read_halves.div_ceil(2)
    }

    /// Halves of read units: a read that may be a moment old costs half of one.
    #[must_use]
    pub fn read_halves(&self) -> u64 {
        self.read_halves
    }
}

/// A function's way to the outside.
pub struct Port {
    pub(super) outside: Arc<Outside>,
    /// Whose it is and what that may do. The port of nobody may do everything,
    /// knows no weather and is never broken.
    owner: Option<Owner>,
    state: Mutex<State>,
}

struct Owner {
    function: &'static str,
    permitted: BTreeSet<Action>,
}

#[derive(Default)]
struct State {
    meter: Meter,
    write_units: u64,
    faults: Vec<(usize, Fault)>,
    always: Option<Fault>,
    used: BTreeSet<Action>,
}

/// A call is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// The caller hears of it.
    #[error("the connection was closed")]
    Lost,
    /// The caller is no more.
    #[error("the process has died")]
    Died,
}

/// What AWS answers.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Fault {
    /// Whether a call that fails so arrives.
    pub(super) fn arriving(fault: Option<Self>) -> Result<(), Broken> {
        match fault {
            Some(Self::Before) => Err(Broken::Lost),
            Some(Self::DieBefore) => Err(Broken::Died),
            _ => Ok(()),
        }
    }

    /// Whether the answer of a call that fails so comes back.
    pub(super) fn answering(fault: Option<Self>) -> Result<(), Broken> {
        match fault {
            Some(Self::After) => Err(Broken::Lost),
            Some(Self::DieAfter) => Err(Broken::Died),
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Port")
    }
}

impl Port {
    pub(super) fn new(outside: Arc<Outside>, function: Option<&Function>) -> Self {
        let owner = function.map(|it| Owner { function: it.name, permitted: permit::declared(it) });
        Self { outside, owner, state: Mutex::default() }
    }

    /// Makes the call of this number, counted from 1 in each invocation, fail
    /// in the next invocation.
    pub fn fail(&self, call: usize, fault: Fault) {
        self.state().faults.push((call, fault));
    }

    /// Makes every call fail that can fail so, or none.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.state().always = fault;
    }

    /// What the last invocation cost; with several side by side, what they cost
    /// since the last of them began.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.state().meter.clone()
    }

    /// The write units of all invocations.
    #[must_use]
    pub fn write_units(&self) -> u64 {
        self.state().write_units
    }

    /// What was ever done through this port.
    #[must_use]
    pub fn used(&self) -> BTreeSet<Action> {
        self.state().used.clone()
    }

    /// Starts to count anew, as every invocation does.
    pub fn forget(&self) {
        self.state().meter = Meter::default();
    }

    /// Ends an invocation: faults that it did not reach are forgotten.
    pub(super) fn end(&self) {
        self.state().faults.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The function whose port it is, and how the suite is broken, if it is.
    pub(super) fn broken(&self) -> Option<(&'static str, &'static Mutant)> {
        let owner = self.owner.as_ref()?;
        self.outside.sky.mutant().map(|mutant| (owner.function, mutant))
    }

    /// How many turns of the executor a call waits before it arrives.
    pub(super) fn turns(&self) -> u16 {
        if self.owner.is_some() { self.outside.sky.turns() } else { 1 }
    }

    /// Counts a call, and tells how it is to fail.
    pub(super) fn count(&self, operation: &str, actions: Vec<Action>) -> Option<Fault> {
        let mut state = self.state();
        state.used.extend(actions.iter().cloned());
        state.meter.calls.push(Call { operation: operation.to_owned(), actions });
        let number = state.meter.calls.len();
        let planned = state.faults.iter().position(|(call, _)| *call == number);
        let planned = planned.map(|position| state.faults.swap_remove(position).1);
        planned.or(state.always).or_else(|| {
            let weather = self.owner.as_ref().map(|_| &self.outside.sky);
            weather.and_then(Sky::fault)
        })
    }

    fn charge(&self, cost: Cost) {
        let mut state = self.state();
        state.meter.write_halves += cost.write_halves;
        state.meter.read_halves += cost.read_halves;
        state.write_units += cost.write_halves / 2;
    }

    fn forbidden(&self, actions: &[Action]) -> Option<Answer> {
        let owner = self.owner.as_ref()?;
        let action = actions.iter().find(|action| !owner.permitted.contains(action))?;
        self.outside.note_forbidden(action);
        let message = format!("the role does not permit: {action}");
        Some(refusal("AccessDeniedException", &message))
    }

    pub(super) fn serve(&self, target: &str, body: &[u8]) -> Result<Answer, Broken> {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        match service {
            "DynamoDB_20120810" => self.table(operation, body),
            "AmazonSQS" => self.queue(operation, body),
            "secretsmanager" => self.secret(operation, body),
            _ => Ok(refusal("UnknownOperationException", target)),
        }
    }

    fn table(&self, operation: &str, body: &[u8]) -> Result<Answer, Broken> {
        let malformed = |text: String| Ok(refusal("SerializationException", &text));
        let request = match Request::parse(operation, body) {
            Ok(request) => request,
            Err(text) => return malformed(text),
        };
        let actions = request.actions();
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        let count = actions.len();
        let fault = self.count(operation, actions);
        if let Some(body) = self.outside.limit.refuse(&request) {
            return Ok(Answer { status: 400, body });
        }
        Fault::arriving(fault)?;
        match (fault, operation) {
            (Some(Fault::Throttle), _) => {
                return Ok(refusal("ProvisionedThroughputExceededException", "too fast"));
            }
            (Some(Fault::Refuse), _) => return Ok(refusal("ValidationException", "refused")),
            (Some(Fault::Conflict), "TransactWriteItems") => return Ok(conflict(count)),
            (Some(Fault::Conflict), "PutItem" | "UpdateItem") => {
                return Ok(refusal("TransactionConflictException", "in another transaction"));
            }
            (Some(Fault::Partial), "BatchGetItem") => return Ok(self.half_a_batch(body)),
            _ => {}
        }
        let answer = match self.broken() {
            Some((function, mutant)) => mutant.applied(self, function, request)?,
            None => self.applied(request),
        };
        Fault::answering(fault).map(|()| answer)
    }

    /// Applies a request, and counts what it costs.
    pub(super) fn applied(&self, request: Request) -> Answer {
        let unseen = self.owner.as_ref().and_then(|_| self.outside.sky.stale());
        self.applied_so(request, Reading { now: self.outside.now(), unseen })
    }

    /// Applies a request whose reads see this.
    pub(super) fn applied_so(&self, request: Request, reading: Reading) -> Answer {
        match self.outside.tables.apply(request, reading) {
            Ok((body, cost)) => {
                self.charge(cost);
                Answer { status: 200, body }
            }
            Err(error) => {
                self.charge(tables::lost(&error));
                let body = serde_json::from_str(&error.to_json()).unwrap_or_default();
                Answer { status: error.status_code(), body }
            }
        }
    }

    /// Reads the first half of the keys of each table, rounded down, and
    /// leaves the others unread.
    fn half_a_batch(&self, body: &[u8]) -> Answer {
        let mut request: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut unread = serde_json::Map::new();
        let tables = request["RequestItems"].as_object_mut().into_iter().flatten();
        for (name, wanted) in tables {
            let Some(keys) = wanted["Keys"].as_array_mut() else { continue };
            let rest = keys.split_off(keys.len() / 2);
            let consistent = wanted["ConsistentRead"].clone();
            unread.insert(name.clone(), json!({ "Keys": rest, "ConsistentRead": consistent }));
        }
        if let Some(tables) = request["RequestItems"].as_object_mut() {
            tables.retain(|_, wanted| wanted["Keys"] != json!([]));
        }
        let mut answer = match Request::parse("BatchGetItem", request.to_string().as_bytes()) {
            Ok(_) if request["RequestItems"] == json!({}) => {
                Answer { status: 200, body: json!({ "Responses": {} }) }
            }
            Ok(request) => self.applied(request),
            Err(text) => refusal("SerializationException", &text),
        };
        answer.body["UnprocessedKeys"] = unread.into();
        answer
    }

    fn queue(&self, operation: &str, body: &[u8]) -> Result<Answer, Broken> {
        let request: queues::Request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return Ok(refusal("SerializationException", &error.to_string())),
        };
        let action = request.action();
        let actions = vec![action.clone()];
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        let fault = self.count(operation, actions);
        Fault::arriving(fault)?;
        let most = match fault {
            Some(Fault::Throttle) => return Ok(refusal("RequestThrottled", "too fast")),
            Some(Fault::Partial) => request.len() / 2,
            _ => usize::MAX,
        };
        let (now, queues) = (self.outside.now(), &self.outside.queues);
        let body = match self.broken().and_then(|(by, mutant)| mutant.unsent(by, &action)) {
            Some(kept) => queues.pretend(request, kept, now),
            None => queues.send(request, most, now),
        };
        Fault::answering(fault).map(|()| Answer { status: 200, body })
    }

    fn secret(&self, operation: &str, body: &[u8]) -> Result<Answer, Broken> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = request["SecretId"].as_str().unwrap_or_default();
        let Some(secret) = super::secret_named(name) else {
            return Ok(refusal("ResourceNotFoundException", name));
        };
        let actions = vec![Action::Secret(secret)];
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        let fault = self.count(operation, actions);
        Fault::arriving(fault)?;
        Fault::answering(fault)?;
        if fault == Some(Fault::Throttle) {
            return Ok(refusal("ThrottlingException", "too fast"));
        }
        let body = json!({ "ARN": name, "SecretString": self.outside.secret(secret) });
        Ok(Answer { status: 200, body })
    }
}

/// What AWS answers to a call that it refuses.
pub(super) fn refusal(kind: &str, message: &str) -> Answer {
    Answer { status: 400, body: json!({ "__type": kind, "message": message }) }
}

/// A transaction that met another one at its first item.
fn conflict(items: usize) -> Answer {
    let reason = |position| match position {
        0 => json!({ "Code": "TransactionConflict", "Message": "in another transaction" }),
        _ => json!({ "Code": "None" }),
    };
    let reasons: Vec<Value> = (0..items).map(reason).collect();
    let kind = "TransactionCanceledException";
    let body = json!({ "__type": kind, "message": "cancelled", "CancellationReasons": reasons });
    Answer { status: 400, body }
}
