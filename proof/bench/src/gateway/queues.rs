//! SQS, in memory: messages in, batches out to the functions that run here.
//!
//! What is sent to a queue whose function does not run here is taken and
//! forgotten: it is what happens after the part of the path that is measured.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aftercart::messages::Queue;
use http::Request;
use http_body_util::Full;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use crate::{
    http::{self as wire, Call, Caller, Reply},
    runtime_api::RuntimeApi,
};

use super::streams::Failures;

/// The most messages in one batch, as in template.yaml.
const BATCH_MAX: usize = 10;

/// How many batches of a queue are with its function at the same time: as many
/// as AWS's pollers begin with.
const BATCHES_MAX: usize = 5;

/// How long a message stays away that was not finished.
const AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
struct Message {
    id: u64,
    body: String,
    receives: u32,
}

/// All queues.
pub(super) struct Queues {
    store: SocketAddr,
    caller: Caller,
    count: AtomicU64,
    consumed: BTreeMap<&'static str, mpsc::UnboundedSender<Message>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Sending {
    queue_url: String,
    #[serde(default)]
    message_body: Option<String>,
    #[serde(default)]
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: String,
    receipt_handle: String,
    body: &'a str,
    attributes: Attributes,
    message_attributes: BTreeMap<&'a str, &'a str>,
    md5_of_body: &'a str,
    event_source: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
    aws_region: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
    sent_timestamp: String,
    approximate_first_receive_timestamp: String,
    sender_id: &'static str,
}

/// The consumer of a queue.
#[derive(Clone)]
struct Consumer {
    queue: Queue,
    function: RuntimeApi,
    again: mpsc::UnboundedSender<Message>,
    told: broadcast::Sender<Arc<str>>,
}

impl Queues {
    /// Starts the consumers of the queues.
    pub(super) fn start(
        store: SocketAddr,
        consumers: Vec<(Queue, RuntimeApi)>,
        told: broadcast::Sender<Arc<str>>,
    ) -> Arc<Self> {
        let mut consumed = BTreeMap::new();
        for (queue, function) in consumers {
            let (send, sent) = mpsc::unbounded_channel();
            let consumer = Consumer { queue, function, again: send.clone(), told: told.clone() };
            tokio::spawn(consumer.run(sent));
            consumed.insert(queue.name(), send);
        }
        let (caller, count) = (Caller::default(), AtomicU64::new(0));
        Arc::new(Self { store, caller, count, consumed })
    }

    pub(super) async fn answer(self: Arc<Self>, call: Call) -> Reply {
        match call.header("x-amz-target") {
            "AmazonSQS.SendMessage" | "AmazonSQS.SendMessageBatch" => self.send(&call.body),
            _ => self.hand_on(call).await,
        }
    }

    fn send(&self, body: &[u8]) -> Reply {
        let sending: Sending = match serde_json::from_slice(body) {
            Ok(sending) => sending,
            Err(error) => {
                let body =
                    json!({ "__type": "InvalidParameterValue", "message": error.to_string() });
                return wire::json(400, body.to_string());
            }
        };
        let queue = sending.queue_url.rsplit('/').next().unwrap_or_default();
        if let Some(body) = sending.message_body {
            return wire::json(200, self.take(queue, body).to_string());
        }
        let take = |entry: Entry| {
            let mut taken = self.take(queue, entry.message_body);
            taken["Id"] = entry.id.into();
            taken
        };
        let taken: Vec<Value> = sending.entries.into_iter().map(take).collect();
        wire::json(200, json!({ "Successful": taken, "Failed": [] }).to_string())
    }

    fn take(&self, queue: &str, body: String) -> Value {
        let id = self.count.fetch_add(1, Ordering::Relaxed);
        if let Some(consumer) = self.consumed.get(queue) {
            // The consumer lives as long as this.
            let _taken: Result<(), _> = consumer.send(Message { id, body, receives: 0 });
        }
        json!({ "MessageId": identity(id), "MD5OfMessageBody": "" })
    }

    /// The same call, to the store: a function has one address for all of AWS.
    async fn hand_on(&self, call: Call) -> Reply {
        let mut request = Request::builder().method(call.method);
        request = request.uri(format!("http://{}{}", self.store, call.uri));
        for (name, value) in call.headers.iter().filter(|(name, _)| **name != http::header::HOST) {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Full::new(call.body)) else {
            return wire::json(400, "{}");
        };
        match self.caller.call(request).await {
            Ok(answer) => answer.map(Full::new),
            Err(_) => wire::json(503, "{}"),
        }
    }
}

impl Consumer {
    /// Hands batches to the function, several at a time.
    async fn run(self, mut sent: mpsc::UnboundedReceiver<Message>) {
        let places = Arc::new(tokio::sync::Semaphore::new(BATCHES_MAX));
        let mut batch = Vec::new();
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            if sent.recv_many(&mut batch, BATCH_MAX).await == 0 {
                return;
            }
            let (consumer, batch) = (self.clone(), std::mem::take(&mut batch));
            tokio::spawn(async move {
                consumer.hand_over(batch).await;
                drop(place);
            });
        }
    }

    async fn hand_over(&self, mut batch: Vec<Message>) {
        for message in &mut batch {
            message.receives += 1;
        }
        let event = serde_json::to_vec(&self.event(&batch)).unwrap_or_default();
        let failures = Failures::of(self.function.invoke(event).await);
        for message in batch {
            let again = failures.as_ref().is_none_or(|it| it.contains(&identity(message.id)));
            if again {
                let queue = self.again.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(AGAIN).await;
                    let _taken: Result<(), _> = queue.send(message);
                });
            } else {
                // Nobody may be listening.
                let _heard = self.told.send(message.body.into());
            }
        }
    }

    fn event<'a>(&self, batch: &'a [Message]) -> Event<'a> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let record = |message: &'a Message| Record {
            message_id: identity(message.id),
            receipt_handle: identity(message.id),
            body: &message.body,
            attributes: Attributes {
                approximate_receive_count: message.receives.to_string(),
                sent_timestamp: now.as_millis().to_string(),
                approximate_first_receive_timestamp: now.as_millis().to_string(),
                sender_id: "relay",
            },
            message_attributes: BTreeMap::new(),
            md5_of_body: "",
            event_source: "aws:sqs",
            event_source_arn: format!("arn:aws:sqs:eu-west-1:000000000000:{}", self.queue.name()),
            aws_region: "eu-west-1",
        };
        Event { records: batch.iter().map(record).collect() }
    }
}

fn identity(id: u64) -> String {
    format!("00000000-0000-4000-8000-{id:012}")
}
