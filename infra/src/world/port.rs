//! A function's way to the outside: every call of AWS or of a provider goes
//! through its port, which permits it, counts it, and may make it fail.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aftercart::run::outgoing::{Answering, Outgoing, OutgoingError, Stranger};
use aws_smithy_runtime_api::{
    client::{
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
        runtime_components::RuntimeComponents,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

use super::{
    CARRIERS, Outside,
    permit::Action,
    queues,
    tables::{self, Cost},
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
}

/// A function's way to the outside.
pub struct Port {
    outside: Arc<Outside>,
    /// What it may do; everything when there is none.
    permitted: Option<BTreeSet<Action>>,
    state: Mutex<State>,
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
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed")]
struct Lost;

struct Answer {
    status: u16,
    body: Value,
}

impl std::fmt::Debug for Port {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Port")
    }
}

impl Port {
    pub(super) fn new(outside: Arc<Outside>, permitted: Option<BTreeSet<Action>>) -> Self {
        Self { outside, permitted, state: Mutex::default() }
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

    /// What the last invocation cost.
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

    /// Counts a call, and tells how it is to fail.
    fn count(&self, operation: &str, actions: Vec<Action>) -> Option<Fault> {
        let mut state = self.state();
        state.used.extend(actions.iter().cloned());
        state.meter.calls.push(Call { operation: operation.to_owned(), actions });
        let number = state.meter.calls.len();
        let planned = state.faults.iter().position(|(call, _)| *call == number);
        planned.map(|position| state.faults.swap_remove(position).1).or(state.always)
    }

    fn charge(&self, cost: Cost) {
        let mut state = self.state();
        state.meter.write_halves += cost.write_halves;
        state.meter.read_halves += cost.read_halves;
        state.write_units += cost.write_halves / 2;
    }

    fn forbidden(&self, actions: &[Action]) -> Option<Answer> {
        let permitted = self.permitted.as_ref()?;
        let action = actions.iter().find(|action| !permitted.contains(action))?;
        self.outside.note_forbidden(action);
        let message = format!("the role does not permit: {action}");
        Some(refusal("AccessDeniedException", &message))
    }

    fn serve(&self, target: &str, body: &[u8]) -> Result<Answer, Lost> {
        let (service, operation) = target.split_once('.').unwrap_or((target, ""));
        match service {
            "DynamoDB_20120810" => self.table(operation, body),
            "AmazonSQS" => self.queue(operation, body),
            "secretsmanager" => self.secret(operation, body),
            _ => Ok(refusal("UnknownOperationException", target)),
        }
    }

    fn table(&self, operation: &str, body: &[u8]) -> Result<Answer, Lost> {
        let malformed = |text: String| Ok(refusal("SerializationException", &text));
        let request = match tables::Request::parse(operation, body) {
            Ok(request) => request,
            Err(text) => return malformed(text),
        };
        let actions = request.actions();
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        let count = actions.len();
        let fault = self.count(operation, actions);
        match (fault, operation) {
            (Some(Fault::Before), _) => return Err(Lost),
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
        let answer = self.applied(request);
        if fault == Some(Fault::After) { Err(Lost) } else { Ok(answer) }
    }

    fn applied(&self, request: tables::Request) -> Answer {
        match self.outside.tables.apply(request) {
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
        let mut answer =
            match tables::Request::parse("BatchGetItem", request.to_string().as_bytes()) {
                Ok(_) if request["RequestItems"] == json!({}) => {
                    Answer { status: 200, body: json!({ "Responses": {} }) }
                }
                Ok(request) => self.applied(request),
                Err(text) => refusal("SerializationException", &text),
            };
        answer.body["UnprocessedKeys"] = unread.into();
        answer
    }

    fn queue(&self, operation: &str, body: &[u8]) -> Result<Answer, Lost> {
        let request: queues::Request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return Ok(refusal("SerializationException", &error.to_string())),
        };
        let actions = vec![request.action()];
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        let fault = self.count(operation, actions);
        let most = match fault {
            Some(Fault::Before) => return Err(Lost),
            Some(Fault::Throttle) => return Ok(refusal("RequestThrottled", "too fast")),
            Some(Fault::Partial) => request.len() / 2,
            _ => usize::MAX,
        };
        let body = self.outside.queues.send(request, most, self.outside.now());
        if fault == Some(Fault::After) { Err(Lost) } else { Ok(Answer { status: 200, body }) }
    }

    fn secret(&self, operation: &str, body: &[u8]) -> Result<Answer, Lost> {
        let request: Value = serde_json::from_slice(body).unwrap_or_default();
        let name = request["SecretId"].as_str().unwrap_or_default();
        let Some(secret) = super::secret_named(name) else {
            return Ok(refusal("ResourceNotFoundException", name));
        };
        let actions = vec![Action::Secret(secret)];
        if let Some(refused) = self.forbidden(&actions) {
            return Ok(refused);
        }
        match self.count(operation, actions) {
            Some(Fault::Before | Fault::After) => Err(Lost),
            Some(Fault::Throttle) => Ok(refusal("ThrottlingException", "too fast")),
            _ => {
                let body = json!({ "ARN": name, "SecretString": self.outside.secret(secret) });
                Ok(Answer { status: 200, body })
            }
        }
    }
}

fn refusal(kind: &str, message: &str) -> Answer {
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

/// The port as the HTTP client of AWS's SDK.
#[derive(Debug, Clone)]
pub(super) struct Connection(pub(super) Arc<Port>);

impl HttpClient for Connection {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connection {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let port = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move {
            // Calls that are made side by side take turns here, as on a network.
            tokio::task::yield_now().await;
            let target = request.headers().get("x-amz-target").unwrap_or_default();
            let body = request.body().bytes().unwrap_or_default();
            let Answer { status, body } =
                port.serve(target, body).map_err(|lost| ConnectorError::io(lost.into()))?;
            let status =
                StatusCode::try_from(status).map_err(|error| ConnectorError::user(error.into()))?;
            Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
        })
    }
}

/// The port as the way to payment providers, carriers and the merchant's system.
#[derive(Debug, Clone)]
pub(super) struct Line(pub(super) Arc<Port>);

impl Outgoing for Line {
    fn call(&self, request: http::Request<bytes::Bytes>) -> Answering {
        let port = Arc::clone(&self.0);
        Box::pin(async move {
            tokio::task::yield_now().await;
            let operation = format!("{} {}", request.method(), request.uri().path());
            let fault = port.count(&operation, Vec::new());
            if fault == Some(Fault::Before) {
                return Err(OutgoingError::Broken(Lost.into()));
            }
            if fault == Some(Fault::Throttle) {
                let busy = http::Response::builder().status(429).body(bytes::Bytes::from("{}"));
                return busy.map_err(|error| OutgoingError::Broken(error.into()));
            }
            let stranger = request.extensions().get::<Stranger>().is_some();
            if let Some(line) = port.outside.merchant.line().filter(|_| stranger) {
                return line.call(request).await;
            }
            let answer = match request.uri().host() {
                _ if stranger => port.outside.merchant.answer(&request, port.outside.now())?,
                Some(CARRIERS) => port.outside.carriers.answer(&request),
                _ => port.outside.stand_ins.answer(&request),
            };
            if fault == Some(Fault::After) { Err(OutgoingError::Timeout) } else { Ok(answer) }
        })
    }
}
