//! The stack's queues: how much is in them, and how dead letters go back.

use aftercart::run::{Trigger, config::PARKING_VARIABLE};
use serde_json::{Value, json};

use crate::{
    dev::{failure::Failure, http::text, stack::Stack},
    world::Parked,
};

/// How long a message that was received and not finished stays away: not two
/// minutes as on AWS, so that five receives fit into the play. It is shorter
/// than functions may take, so some messages come twice, too.
const VISIBILITY_SECONDS: u32 = 3;

/// The most that SQS gives at once.
const BATCH: u32 = 10;

/// The queues that functions consume, with their dead-letter queues.
pub(super) struct Queues<'a> {
    stack: &'a Stack,
    consumed: Vec<Consumed>,
}

struct Consumed {
    name: String,
    url: String,
    parking: String,
}

impl<'a> Queues<'a> {
    /// Those of a stack.
    pub(super) fn of(stack: &'a Stack) -> Result<Self, Failure> {
        let mut consumed = Vec::new();
        for function in crate::functions() {
            let Trigger::Queue(queue) = function.trigger else { continue };
            let deployed = stack.function(function.name)?;
            let parking = deployed.environment.get(PARKING_VARIABLE).ok_or_else(|| {
                Failure::new(format!("{} knows no dead-letter queue.", function.name))
            })?;
            consumed.push(Consumed {
                name: queue.name().to_owned(),
                url: stack.variable(queue.variable())?.to_owned(),
                parking: parking.clone(),
            });
        }
        Ok(Self { stack, consumed })
    }

    /// Has messages that were not finished come back soon.
    pub(super) fn hurry(&self) -> Result<(), Failure> {
        let visibility = VISIBILITY_SECONDS.to_string();
        for queue in &self.consumed {
            let attributes = json!({ "VisibilityTimeout": visibility });
            let body = json!({ "QueueUrl": queue.url, "Attributes": attributes });
            self.call("SetQueueAttributes", &body)?;
        }
        Ok(())
    }

    /// How many messages wait in queues, or are at a consumer.
    pub(super) fn waiting(&self) -> Result<u64, Failure> {
        self.consumed.iter().map(|queue| self.depth(&queue.url)).sum()
    }

    /// Sends all dead letters to their queues again; how many.
    pub(super) fn redrive(&self) -> Result<usize, Failure> {
        let mut moved = 0;
        for queue in &self.consumed {
            for message in self.take_all(&queue.parking)? {
                let body = text(&message, "/Body");
                self.call("SendMessage", &json!({ "QueueUrl": queue.url, "MessageBody": body }))?;
                self.delete(&queue.parking, &message)?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    /// The dead letters, which stay.
    pub(super) fn parked(&self) -> Result<Vec<Parked>, Failure> {
        let mut parked = Vec::new();
        for queue in &self.consumed {
            for message in self.take_all(&queue.parking)? {
                let reason = text(&message, "/MessageAttributes/reason/StringValue");
                parked.push(Parked {
                    queue: queue.name.clone(),
                    body: text(&message, "/Body"),
                    reason: Some(reason).filter(|it| !it.is_empty()),
                });
            }
        }
        Ok(parked)
    }

    /// Receives until nothing comes.
    fn take_all(&self, url: &str) -> Result<Vec<Value>, Failure> {
        let mut all = Vec::new();
        loop {
            let wanted = json!({
                "QueueUrl": url, "MaxNumberOfMessages": BATCH,
                "MessageAttributeNames": ["All"], "VisibilityTimeout": 30,
            });
            let received = self.call("ReceiveMessage", &wanted)?;
            match received.get("Messages").and_then(Value::as_array) {
                Some(messages) if !messages.is_empty() => all.extend(messages.iter().cloned()),
                _ => return Ok(all),
            }
        }
    }

    fn delete(&self, url: &str, message: &Value) -> Result<(), Failure> {
        let handle = text(message, "/ReceiptHandle");
        self.call("DeleteMessage", &json!({ "QueueUrl": url, "ReceiptHandle": handle })).map(drop)
    }

    fn depth(&self, url: &str) -> Result<u64, Failure> {
        let names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"];
        let wanted = json!({ "QueueUrl": url, "AttributeNames": names });
        let answer = self.call("GetQueueAttributes", &wanted)?;
        let count = |name: &str| {
            let count = text(&answer, &format!("/Attributes/{name}"));
            count.parse::<u64>().map_err(|_| Failure::new(format!("{url} does not say {name}.")))
        };
        names.iter().map(|name| count(name)).sum()
    }

    fn call(&self, operation: &str, body: &Value) -> Result<Value, Failure> {
        let answer = self.stack.aws("sqs", &format!("AmazonSQS.{operation}"), body)?;
        match answer.status {
            200 => Ok(answer.json()),
            status => Err(Failure::new(format!("{operation}: HTTP {status} {}", answer.body))),
        }
    }
}
