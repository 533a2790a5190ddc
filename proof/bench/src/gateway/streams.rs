//! Streams: the changes of the store, to the relay.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{
    http::Caller,
    runtime_api::{Outcome, RuntimeApi},
    store::CHANGES,
};

/// How long the reader waits after a failure, as one of AWS waits longer and longer.
const AGAIN: Duration = Duration::from_millis(50);

/// A change, as the store tells it.
#[derive(Deserialize)]
struct Change {
    sequence: u64,
    table: String,
    item: Box<RawValue>,
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    #[serde(rename = "eventID")]
    event_id: String,
    event_name: &'a str,
    event_version: &'a str,
    event_source: &'a str,
    aws_region: &'a str,
    dynamodb: Image<'a>,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Image<'a> {
    approximate_creation_date_time: u64,
    keys: BTreeMap<&'a str, &'a RawValue>,
    new_image: &'a RawValue,
    sequence_number: String,
    stream_view_type: &'a str,
}

#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    pk: &'a RawValue,
    #[serde(borrow)]
    sk: &'a RawValue,
}

/// What a batch wants again, by its own names.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failures {
    #[serde(default)]
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Failures {
    /// What an answer says; nothing of a batch that failed as a whole.
    pub(super) fn of(outcome: Result<Outcome, crate::BenchError>) -> Option<Vec<String>> {
        let Ok(Outcome::Answer(answer)) = outcome else { return None };
        let failures: Self = serde_json::from_slice(&answer).unwrap_or_default();
        Some(failures.batch_item_failures.into_iter().map(|it| it.item_identifier).collect())
    }
}

/// Takes changes from the store, for ever, and hands those of each table to
/// the relay, in order. The tables' streams do not wait for one another.
pub(super) async fn pump(store: SocketAddr, relay: RuntimeApi) {
    let caller = Caller::default();
    let mut streams = BTreeMap::new();
    loop {
        let Ok(answer) = caller.post(store, CHANGES, &[], "{}").await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        let changes: Vec<Change> = serde_json::from_slice(answer.body()).unwrap_or_default();
        for change in changes {
            let stream = streams.entry(change.table.clone()).or_insert_with(|| {
                let (tell, told) = tokio::sync::mpsc::unbounded_channel();
                tokio::spawn(read(told, relay.clone()));
                tell
            });
            // Its reader lives as long as this.
            let _read: Result<(), _> = stream.send(change);
        }
    }
}

/// The most changes of a stream in one batch, as in template.yaml.
const BATCH_MAX: usize = 100;

/// Reads one stream: a batch at a time, and what was not done once more.
async fn read(mut told: tokio::sync::mpsc::UnboundedReceiver<Change>, relay: RuntimeApi) {
    let mut batch = Vec::new();
    while told.recv_many(&mut batch, BATCH_MAX).await > 0 {
        while !batch.is_empty() {
            let event = serde_json::to_vec(&event(&batch)).unwrap_or_default();
            match Failures::of(relay.invoke(event).await) {
                Some(failures) if failures.is_empty() => batch.clear(),
                Some(failures) => {
                    let first = failures.first().cloned().unwrap_or_default();
                    let done = batch.iter().position(|it| sequence(it) == first);
                    batch.drain(..done.unwrap_or(0));
                    tokio::time::sleep(AGAIN).await;
                }
                None => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

fn sequence(change: &Change) -> String {
    format!("{:021}", change.sequence)
}

fn event(batch: &[Change]) -> Event<'_> {
    Event { records: batch.iter().filter_map(record).collect() }
}

/// A change as a stream tells it; nothing of an item without keys, which there
/// is none of.
fn record(change: &Change) -> Option<Record<'_>> {
    let Keys { pk, sk } = serde_json::from_str(change.item.get()).ok()?;
    let table = &change.table;
    Some(Record {
        event_id: sequence(change),
        event_name: "MODIFY",
        event_version: "1.1",
        event_source: "aws:dynamodb",
        aws_region: "eu-west-1",
        dynamodb: Image {
            approximate_creation_date_time: 0,
            keys: BTreeMap::from([("pk", pk), ("sk", sk)]),
            new_image: &change.item,
            sequence_number: sequence(change),
            stream_view_type: "NEW_IMAGE",
        },
        event_source_arn: format!("arn:aws:dynamodb:eu-west-1:000000000000:table/{table}/stream/1"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_becomes_a_record_with_its_image_as_it_is() {
        let item = r#"{"pk":{"S":"a"},"sends":{"S":"[]"},"sk":{"S":"b"}}"#;
        let item = RawValue::from_string(item.to_owned()).unwrap();
        let batch = [Change { sequence: 7, table: "orders".to_owned(), item }];
        let event = serde_json::to_value(event(&batch)).unwrap();
        assert_eq!(event["Records"][0]["dynamodb"]["Keys"]["sk"]["S"], "b");
        assert_eq!(event["Records"][0]["dynamodb"]["NewImage"]["sends"]["S"], "[]");
        assert_eq!(event["Records"][0]["dynamodb"]["SequenceNumber"], format!("{:021}", 7));
    }
}
