//! What AWS does between functions: streams to their readers, queues to their
//! consumers, schedules.

use std::collections::BTreeSet;

use aftercart::{messages::Queue, model::time::Clock as _, run::Trigger, store::Table};
use serde_json::{Value, json};

use super::{
    World, WorldError,
    queues::{self, Message},
    tables::{Change, READERS},
};

mod side_by_side;

/// The most records of a stream and of a queue in one batch, as in template.yaml.
const CHANGES_MAX: usize = 100;
const MESSAGES_MAX: usize = 10;

/// How often a change is tried before it goes to its reader's dead-letter queue.
const TRIES_MAX: u32 = 10;

/// How many rounds of deliveries are enough for anything that ends.
const ROUNDS_MAX: usize = 100_000;

/// How deliveries go.
#[derive(Debug, Clone, Default)]
pub enum Deliveries {
    /// In order, each once.
    #[default]
    Orderly,
    /// Messages come late, in any order and up to three times, changes in
    /// batches of any size and up to twice, as the seed has it.
    Disorderly(fastrand::Rng),
}

impl Deliveries {
    /// Disorder that is the same for the same seed.
    #[must_use]
    pub fn disorderly(seed: u64) -> Self {
        Self::Disorderly(fastrand::Rng::with_seed(seed))
    }

    /// The first of the items, at most so many; in disorder fewer.
    fn batch(&mut self, waiting: usize, most: usize) -> usize {
        match self {
            Self::Orderly => waiting.min(most),
            Self::Disorderly(rng) => rng.usize(1..=most).min(waiting),
        }
    }

    fn again(&mut self) -> bool {
        match self {
            Self::Orderly => false,
            Self::Disorderly(rng) => rng.u8(0..4) == 0,
        }
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        if let Self::Disorderly(rng) = self {
            rng.shuffle(items);
        }
    }
}

impl World {
    /// Runs the readers of streams and the consumers of all queues until nothing
    /// is left to deliver. For messages that failed and stay away, time goes on.
    ///
    /// # Errors
    /// [`WorldError::Restless`] when it does not come to an end.
    pub async fn settle(&self) -> Result<(), WorldError> {
        let consumed: Vec<Queue> =
            Queue::ALL.into_iter().filter(|queue| self.consumer(*queue).is_some()).collect();
        let names: Vec<&str> = consumed.iter().map(|queue| queue.name()).collect();
        for _ in 0..ROUNDS_MAX {
            let mut moved = false;
            for (reader, _) in READERS {
                moved |= self.read_streams(reader).await?;
            }
            for queue in &consumed {
                moved |= self.consume(*queue).await?;
            }
            if moved {
                continue;
            }
            match self.outside.queues.next_visible(&names) {
                Some(moment) => self.clock().advance_to(moment),
                None => return Ok(()),
            }
        }
        Err(WorldError::Restless)
    }

    /// Hands the changes of every stream to the relay, one batch a stream.
    /// Whether there were any.
    ///
    /// # Errors
    /// [`WorldError`] when there is no relay.
    pub async fn relay(&self) -> Result<bool, WorldError> {
        self.read_streams("relay").await
    }

    /// Hands the changes of every stream to one of their readers, one batch a
    /// stream. Whether there were any.
    ///
    /// # Errors
    /// [`WorldError`] when there is no such reader.
    pub async fn read_streams(&self, reader: &'static str) -> Result<bool, WorldError> {
        let mut moved = false;
        for table in Table::ALL.into_iter().filter(|table| table.sends()) {
            let for_reader = |it: &Change| it.table == table && it.reader == reader;
            let (mut batch, mut rest): (Vec<Change>, Vec<Change>) =
                self.outside.tables.take_changes().into_iter().partition(for_reader);
            let size = self.deliveries().batch(batch.len(), CHANGES_MAX);
            rest.splice(0..0, batch.split_off(size));
            self.outside.tables.put_back(rest);
            if !batch.is_empty() {
                moved = true;
                let twice = self.deliveries().again();
                self.hand_over(reader, batch, twice).await?;
            }
        }
        Ok(moved)
    }

    /// Hands a batch of changes to their reader, `twice` if the mapping lost its
    /// checkpoint.
    async fn hand_over(
        &self,
        name: &str,
        batch: Vec<Change>,
        twice: bool,
    ) -> Result<(), WorldError> {
        let event = stream_event(&batch);
        if twice {
            drop(self.invoke(name, &event).await);
        }
        let outcome = self.invoke(name, &event).await;
        let passes = self.outside.sky.mutant().is_some_and(|mutant| mutant.passes(name));
        let done = match outcome {
            _ if passes => batch.len(),
            Ok(answer) => match failures(&answer).first() {
                None => batch.len(),
                Some(first) => {
                    let at = batch.iter().position(|change| sequence(change) == *first);
                    at.unwrap_or(0)
                }
            },
            Err(WorldError::Fault { .. } | WorldError::Died(_)) => 0,
            Err(error) => return Err(error),
        };
        let mut left: Vec<Change> = batch.into_iter().skip(done).collect();
        if self.worn_out(&left) {
            let change = left.remove(0);
            let text = json!({ "sequence": sequence(&change), "item": change.image }).to_string();
            let parked = queues::dead_letters_of(name);
            self.outside.queues.put(&parked, text.clone(), None, self.clock().now());
            self.outside.tables.give_up(change, text);
        }
        self.outside.tables.put_back(left);
        Ok(())
    }

    /// Counts the tries of the first change that is left.
    fn worn_out(&self, left: &[Change]) -> bool {
        let Some(first) = left.first() else { return false };
        let mut tries = self.tries();
        let tries = tries.entry(first.sequence).or_default();
        *tries += 1;
        *tries >= TRIES_MAX
    }

    /// Hands one batch of a queue to its consumer. Whether there was any.
    ///
    /// # Errors
    /// [`WorldError`] when the queue has no consumer.
    pub async fn consume(&self, queue: Queue) -> Result<bool, WorldError> {
        let function = self
            .consumer(queue)
            .ok_or_else(|| WorldError::NoFunction(format!("a consumer of {queue}")))?;
        let size = self.deliveries().batch(MESSAGES_MAX, MESSAGES_MAX);
        let now = self.clock().now();
        let batch = {
            let mut deliveries = self.deliveries();
            self.outside.queues.receive(queue.name(), size, now, |waiting| {
                deliveries.shuffle(waiting);
            })
        };
        if batch.is_empty() {
            return Ok(false);
        }
        self.hand_messages(queue, function, batch, false).await?;
        Ok(true)
    }

    /// Hands a batch of messages to their consumer. Side by side with others it
    /// happens that a message is delivered again that is done.
    async fn hand_messages(
        &self,
        queue: Queue,
        function: &str,
        batch: Vec<Message>,
        side_by_side: bool,
    ) -> Result<(), WorldError> {
        let again = match self.invoke(function, &queue_event(queue, &batch)).await {
            Ok(answer) => failures(&answer),
            Err(WorldError::Fault { .. } | WorldError::Died(_)) => {
                batch.iter().map(|it| it.id.clone()).collect()
            }
            Err(error) => return Err(error),
        };
        let careless = self.outside.sky.mutant().is_some_and(|mutant| mutant.is_careless(queue));
        let (mut done, mut once_more) = (BTreeSet::new(), BTreeSet::new());
        let is_done = |message: &Message| careless || !again.contains(&message.id);
        for message in batch.into_iter().filter(is_done) {
            let repeated = message.receives <= 2 && self.again(side_by_side);
            if repeated { &mut once_more } else { &mut done }.insert(message.id);
        }
        self.outside.queues.finish(queue.name(), &done);
        self.outside.queues.show(queue.name(), &once_more, self.clock().now());
        self.outside.queues.park_worn_out(queue.name(), &queues::dead_letters(queue));
        Ok(())
    }

    /// The event that the consumer of a queue would get now; nothing is
    /// received by that.
    #[must_use]
    pub fn queue_event(&self, queue: Queue) -> Value {
        let mut waiting = self.queue(queue.name());
        waiting.truncate(MESSAGES_MAX);
        queue_event(queue, &waiting)
    }

    /// The event that the relay would get now; nothing is taken by that.
    #[must_use]
    pub fn stream_event(&self) -> Value {
        self.stream_event_of("relay")
    }

    /// The event that a reader of streams would get now; nothing is taken by
    /// that.
    #[must_use]
    pub fn stream_event_of(&self, reader: &str) -> Value {
        let mut waiting = self.outside.tables.waiting();
        waiting.retain(|change| change.reader == reader);
        waiting.truncate(CHANGES_MAX);
        stream_event(&waiting)
    }

    /// Runs a function that a schedule calls, once.
    ///
    /// # Errors
    /// [`WorldError`].
    pub async fn run_schedule(&self, name: &str) -> Result<Value, WorldError> {
        let now = self.clock().now().to_string();
        let event = json!({
            "version": "0",
            "id": "00000000-0000-4000-8000-000000000000",
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": "000000000000",
            "time": now,
            "region": "eu-west-1",
            "resources": [],
            "detail": "{}",
        });
        self.invoke(name, &event).await
    }

    fn consumer(&self, queue: Queue) -> Option<&'static str> {
        self.functions().find(|it| it.trigger == Trigger::Queue(queue)).map(|it| it.name)
    }
}

/// What a batch wants again, by its own names.
fn failures(answer: &Value) -> Vec<String> {
    let items = answer["batchItemFailures"].as_array().into_iter().flatten();
    items.filter_map(|item| item["itemIdentifier"].as_str().map(str::to_owned)).collect()
}

fn sequence(change: &Change) -> String {
    format!("{:021}", change.sequence)
}

fn stream_event(batch: &[Change]) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|change| {
            let arn = format!(
                "arn:aws:dynamodb:eu-west-1:000000000000:table/{}/stream/1",
                change.table.name()
            );
            json!({
                "eventID": sequence(change),
                "eventName": "MODIFY",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 0,
                    "Keys": { "pk": change.image["pk"], "sk": change.image["sk"] },
                    "NewImage": change.image,
                    "SequenceNumber": sequence(change),
                    "StreamViewType": "NEW_IMAGE",
                },
                "eventSourceARN": arn,
            })
        })
        .collect();
    json!({ "Records": records })
}

/// The event of a batch of a queue.
fn queue_event(queue: Queue, batch: &[Message]) -> Value {
    let records: Vec<Value> = batch
        .iter()
        .map(|message| {
            json!({
                "messageId": message.id,
                "receiptHandle": message.id,
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": message.receives.to_string(),
                    "SentTimestamp": message.sent_at.unix_millis().to_string(),
                    "SenderId": "relay",
                    "ApproximateFirstReceiveTimestamp": message.sent_at.unix_millis().to_string(),
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:eu-west-1:000000000000:{queue}"),
                "awsRegion": "eu-west-1",
            })
        })
        .collect();
    json!({ "Records": records })
}
