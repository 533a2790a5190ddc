//! The Lambda Runtime API of one function: what AWS runs beside a function's
//! processes, and what they ask for their next invocation.
//!
//! Any number of processes may ask; each has one invocation at a time, as on
//! Lambda. The one that asked last is called first: so few of them are warm,
//! rather than all of them lukewarm.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http::{HeaderValue, Method};
use tokio::sync::{oneshot, watch};

use crate::{
    BenchError,
    failure::trouble,
    http::{self as wire, Call, Reply},
};

/// Where the version of the API that functions speak begins.
const VERSION: &str = "/2018-06-01/runtime/";

/// How long an invocation may take: as template.yaml has it for the API.
const DEADLINE: Duration = Duration::from_secs(29);

/// How an invocation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function answered.
    Answer(Bytes),
    /// It said that it failed.
    Failed(Bytes),
}

/// An invocation that waits for a process, or is with one.
struct Invocation {
    id: u64,
    event: Bytes,
}

#[derive(Default)]
struct State {
    count: u64,
    waiting: VecDeque<Invocation>,
    idle: Vec<oneshot::Sender<Invocation>>,
    running: HashMap<u64, oneshot::Sender<Outcome>>,
}

struct Shared {
    function: String,
    state: Mutex<State>,
    /// How often a process asked for an invocation, and when it last did.
    polls: watch::Sender<(u64, Instant)>,
}

/// The API of one function, for as long as its runtime lives.
#[derive(Clone)]
pub struct RuntimeApi {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl std::fmt::Debug for RuntimeApi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RuntimeApi of {} at {}", self.shared.function, self.address)
    }
}

impl RuntimeApi {
    /// Opens it on a free port.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn open(function: &str) -> Result<Self, BenchError> {
        let (listener, address) = wire::listen().await?;
        let (polls, _) = watch::channel((0, Instant::now()));
        let function = function.to_owned();
        let shared = Arc::new(Shared { function, state: Mutex::default(), polls });
        let served = Arc::clone(&shared);
        tokio::spawn(wire::serve(listener, move |call| Arc::clone(&served).answer(call)));
        Ok(Self { shared, address })
    }

    /// What a process gets as `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until processes have asked at least so often in all, and tells
    /// when the last of them did.
    ///
    /// # Errors
    /// When the API has ended.
    pub async fn polled(&self, times: u64) -> Result<Instant, BenchError> {
        let mut polls = self.shared.polls.subscribe();
        let seen = polls.wait_for(|(count, _)| *count >= times).await;
        seen.map(|seen| seen.1).map_err(|error| trouble("wait for a function", error))
    }

    /// How often processes have asked for an invocation.
    #[must_use]
    pub fn polls(&self) -> u64 {
        self.shared.polls.borrow().0
    }

    /// Calls the function once, and waits for what it says.
    ///
    /// # Errors
    /// When no process answers within the deadline.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Result<Outcome, BenchError> {
        let answered = self.shared.enqueue(event.into());
        let name = &self.shared.function;
        match tokio::time::timeout(DEADLINE, answered).await {
            Ok(Ok(outcome)) => Ok(outcome),
            Ok(Err(_)) => Err(trouble(format!("call {name}"), "the invocation was given up")),
            Err(_) => Err(trouble(format!("call {name}"), "no process answered in time")),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, event: Bytes) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        let mut state = self.state();
        state.count += 1;
        let id = state.count;
        state.running.insert(id, answer);
        let mut invocation = Invocation { id, event };
        while let Some(idle) = state.idle.pop() {
            match idle.send(invocation) {
                Ok(()) => return answered,
                // That process is gone.
                Err(back) => invocation = back,
            }
        }
        state.waiting.push_back(invocation);
        answered
    }

    async fn answer(self: Arc<Self>, call: Call) -> Reply {
        let Some(path) = call.uri.path().strip_prefix(VERSION) else {
            return wire::json(404, "{}");
        };
        let parts: Vec<&str> = path.split('/').collect();
        match (&call.method, parts.as_slice()) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["invocation", id, "response"]) => {
                self.finish(id, Outcome::Answer(call.body))
            }
            (&Method::POST, ["invocation", id, "error"]) => {
                self.finish(id, Outcome::Failed(call.body))
            }
            (&Method::POST, ["init", "error"]) => wire::json(202, r#"{"status":"OK"}"#),
            _ => wire::json(404, "{}"),
        }
    }

    async fn next(&self) -> Reply {
        let waits = {
            let mut state = self.state();
            match state.waiting.pop_front() {
                Some(invocation) => Ok(invocation),
                None => {
                    let (give, given) = oneshot::channel();
                    state.idle.push(give);
                    Err(given)
                }
            }
        };
        self.polls.send_modify(|(count, at)| (*count, *at) = (*count + 1, Instant::now()));
        let invocation = match waits {
            Ok(invocation) => Some(invocation),
            Err(given) => given.await.ok(),
        };
        invocation.map_or_else(|| wire::json(500, "{}"), |it| self.handed(it))
    }

    fn handed(&self, Invocation { id, event }: Invocation) -> Reply {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let deadline = now.saturating_add(DEADLINE).as_millis().to_string();
        let arn = format!("arn:aws:lambda:eu-west-1:000000000000:function:{}", self.function);
        let mut reply = wire::json(200, event);
        let headers = [
            ("lambda-runtime-aws-request-id", identity(id)),
            ("lambda-runtime-deadline-ms", deadline),
            ("lambda-runtime-invoked-function-arn", arn),
            ("lambda-runtime-trace-id", format!("Root=1-00000000-{id:024x};Sampled=0")),
        ];
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                reply.headers_mut().insert(name, value);
            }
        }
        reply
    }

    fn finish(&self, id: &str, outcome: Outcome) -> Reply {
        let known = number(id).and_then(|id| self.state().running.remove(&id));
        // Who asked may have given up; the process is told the same.
        match known.map(|asked| asked.send(outcome)) {
            Some(_) => wire::json(202, r#"{"status":"OK"}"#),
            None => wire::json(400, r#"{"errorType":"InvalidRequestID"}"#),
        }
    }
}

/// An invocation's identity, in the form that Lambda's have.
fn identity(id: u64) -> String {
    format!("00000000-0000-4000-8000-{id:012}")
}

fn number(identity: &str) -> Option<u64> {
    identity.rsplit('-').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
    }

    /// One invocation, as a function's process has it.
    async fn process(api: &RuntimeApi, kind: &str) {
        let caller = wire::Caller::default();
        let base = format!("http://{}{VERSION}invocation", api.address());
        let next = http::Request::get(format!("{base}/next"));
        let next = caller.call(next.body(Full::default()).unwrap()).await.unwrap();
        let id = next.headers()["lambda-runtime-aws-request-id"].to_str().unwrap();
        let path = format!("{VERSION}invocation/{id}/{kind}");
        let told = caller.post(api.address(), &path, &[], next.body().clone()).await.unwrap();
        assert_eq!(told.status(), 202);
    }

    #[test]
    fn an_invocation_goes_out_and_its_answer_comes_back() {
        runtime().block_on(async {
            let api = RuntimeApi::open("echo").await.unwrap();
            let (outcome, ()) = tokio::join!(api.invoke("1"), process(&api, "response"));
            assert_eq!(outcome.unwrap(), Outcome::Answer("1".into()));
            let (outcome, ()) = tokio::join!(api.invoke("2"), process(&api, "error"));
            assert_eq!(outcome.unwrap(), Outcome::Failed("2".into()));
            api.polled(2).await.unwrap();
            assert_eq!(api.polls(), 2);
        });
    }

    #[test]
    fn one_that_waits_is_taken_by_who_comes_later() {
        runtime().block_on(async {
            let api = RuntimeApi::open("echo").await.unwrap();
            let asked = tokio::spawn({
                let api = api.clone();
                async move { api.invoke("late").await }
            });
            tokio::task::yield_now().await;
            process(&api, "response").await;
            assert_eq!(asked.await.unwrap().unwrap(), Outcome::Answer("late".into()));
        });
    }
}
