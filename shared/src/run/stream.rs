//! Streams of tables: which items changed, and the messages that they carry.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use crate::{messages::Envelope, store::Sends};

use super::{App, Failure, Fault, Invocation, panic::caught};

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Records")]
    records: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
struct Change {
    #[serde(rename = "SequenceNumber")]
    sequence_number: String,
    #[serde(rename = "Keys", default)]
    keys: BTreeMap<String, Text>,
    #[serde(rename = "NewImage", default)]
    new_image: Image,
}

#[derive(Default, Deserialize)]
struct Image {
    #[serde(default)]
    sends: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    s: String,
}

/// A change of an item and the messages that it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its place in the stream.
    pub sequence_number: String,
    /// The attributes of the item's key.
    pub keys: BTreeMap<String, String>,
    /// Its messages.
    pub messages: Vec<Envelope>,
}

/// Hands the changes of a batch to the handler, in order, all that can be read
/// up to the first that cannot. The handler answers how many of them, from the
/// first on, are done with; the stream goes on behind these.
///
/// # Errors
/// [`Fault`] when the event is no batch of a stream, or a change has no
/// identity: Lambda then halves the batch until that change is alone.
pub async fn serve<F, Fut>(app: Arc<App>, call: Invocation, handler: F) -> Result<Value, Fault>
where
    F: FnOnce(Arc<App>, Vec<Changed>) -> Fut,
    Fut: Future<Output = Result<usize, Failure>>,
{
    let event: Event = serde_json::from_str(call.payload.get())
        .map_err(|error| Fault(format!("the event is no batch of a stream: {error}")))?;
    let mut changes = Vec::with_capacity(event.records.len());
    let mut unread = None;
    for record in &event.records {
        let record: Record = serde_json::from_str(record.get())
            .map_err(|error| Fault(format!("a change of the batch has no identity: {error}")))?;
        let Change { sequence_number, keys, new_image } = record.dynamodb;
        let keys = keys.into_iter().map(|(name, value)| (name, value.s)).collect();
        let messages = new_image.sends.map_or_else(|| Ok(Vec::new()), |text| Sends::parse(&text.s));
        match messages {
            Ok(messages) => changes.push(Changed { sequence_number, keys, messages }),
            Err(error) => {
                tracing::error!(sequence_number, %error, "the messages of a change cannot be read");
                unread = Some(sequence_number);
                break;
            }
        }
    }
    let numbers: Vec<String> =
        changes.iter().map(|change| change.sequence_number.clone()).collect();
    let done = caught(handler(app, changes)).await.unwrap_or_else(|failure| {
        tracing::error!(class = failure.class(), error = %failure, "failed");
        0
    });
    let again = numbers.get(done).cloned().or(unread);
    let again: Vec<Value> =
        again.into_iter().map(|number| json!({ "itemIdentifier": number })).collect();
    Ok(json!({ "batchItemFailures": again }))
}
