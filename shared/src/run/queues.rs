//! Sending to queues.

use serde::{Deserialize, Serialize};

use crate::{
    aws::Client,
    messages::{Envelope, Queue},
};

use super::Failure;

/// The most messages that SQS takes in one call.
pub const BATCH_MAX: usize = 10;

/// The longest reason that is written on a parked message.
const REASON_MAX: usize = 200;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch<'a> {
    queue_url: &'a str,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    id: String,
    message_body: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct SentBatch {
    successful: Vec<Taken>,
    failed: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    code: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage<'a> {
    queue_url: &'a str,
    message_body: &'a str,
    message_attributes: Attributes,
}

#[derive(Serialize)]
struct Attributes {
    reason: Attribute,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    data_type: &'static str,
    string_value: String,
}

#[derive(Deserialize)]
struct Sent {}

/// The queues that a function sends to.
#[derive(Debug)]
pub struct Queues {
    client: Client,
    urls: Vec<(Queue, String)>,
    parking: Option<String>,
}

impl Queues {
    pub(super) fn new(client: Client, urls: Vec<(Queue, String)>, parking: Option<String>) -> Self {
        Self { client, urls, parking }
    }

    /// Sends messages to a queue, at most [`BATCH_MAX`]; the positions of
    /// those that were not taken come back.
    ///
    /// # Errors
    /// [`Failure::Retry`] when nothing is known of any of them.
    pub async fn send(&self, queue: Queue, messages: &[&Envelope]) -> Result<Vec<usize>, Failure> {
        let url = self.urls.iter().find(|(known, _)| *known == queue).map(|(_, url)| url);
        let url = url.ok_or_else(|| Failure::bug(format!("the queue {queue} is not declared")))?;
        let mut entries = Vec::with_capacity(messages.len());
        for (position, message) in messages.iter().enumerate() {
            let body = serde_json::to_string(message).map_err(Failure::bug)?;
            entries.push(Entry { id: position.to_string(), message_body: body });
        }
        let request = SendMessageBatch { queue_url: url, entries };
        let answer: Result<SentBatch, _> = self.client.call("SendMessageBatch", &request).await;
        let answer = answer.map_err(Failure::retry)?;
        for failed in &answer.failed {
            tracing::warn!(queue = queue.name(), code = failed.code, "a message was not taken");
        }
        let taken: Vec<usize> =
            answer.successful.iter().filter_map(|taken| taken.id.parse().ok()).collect();
        Ok((0..messages.len()).filter(|position| !taken.contains(position)).collect())
    }

    /// Parks a message that no retry can mend in the consumer's dead-letter
    /// queue, with the reason as its attribute `reason`.
    ///
    /// # Errors
    /// [`Failure::Retry`] when it was not taken; the message then comes back.
    pub(super) async fn park(&self, body: &str, reason: &str) -> Result<(), Failure> {
        let url = self.parking.as_ref().ok_or_else(|| Failure::bug("no parking is configured"))?;
        let reason: String = reason.chars().take(REASON_MAX).collect();
        let reason = Attribute { data_type: "String", string_value: reason };
        let request = SendMessage {
            queue_url: url,
            message_body: body,
            message_attributes: Attributes { reason },
        };
        let sent: Result<Sent, _> = self.client.call("SendMessage", &request).await;
        sent.map(drop).map_err(Failure::retry)
    }
}
