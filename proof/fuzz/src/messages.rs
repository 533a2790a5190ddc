//! What lies in queues and in the streams of tables, which everybody may write
//! to who may write to a table, and which older and newer builds wrote.
//!
//! An input names the function in its first line. What follows is the body of a
//! message for the consumer of a queue, and for the relay the messages of an
//! item. What cannot be read is parked at once, with its reason, and nothing
//! else comes back or is lost.

use aftercart::{
    messages::{Envelope, Queue},
    run::Trigger,
    store::Sends,
};
use aftercart_infra::{
    functions,
    world::{World, WorldError, dead_letters},
};
use serde_json::{Value, json};

use crate::{Finding, Seed, Verdict, headed, seed, shop::Shop, story};

/// What the record is called.
const ID: &str = "00000000-0000-4000-8000-000000000001";

/// Hands it over as AWS does, and looks what became of it.
pub(crate) fn check(input: &[u8]) -> Verdict {
    let Some((name, body)) = headed(input) else { return Ok(()) };
    let Some(function) = functions().into_iter().find(|it| it.name == name) else { return Ok(()) };
    let body = String::from_utf8_lossy(body);
    match function.trigger {
        Trigger::Queue(queue) => queued(function.name, queue, &body),
        Trigger::Stream(_) => streamed(function.name, &body),
        Trigger::Http(_) | Trigger::Schedule(_) => Ok(()),
    }
}

fn queued(function: &str, queue: Queue, body: &str) -> Verdict {
    let event = json!({ "Records": [{
        "messageId": ID,
        "receiptHandle": ID,
        "body": body,
        "attributes": { "ApproximateReceiveCount": "1" },
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:eu-west-1:000000000000:{}", queue.name()),
        "awsRegion": "eu-west-1",
    }]});
    let parked = dead_letters(queue);
    let count = |world: &World| world.queue(&parked).len();
    let led = Shop::here()?.run(async |world| {
        let before = count(world);
        let answer = world.invoke(function, &event).await?;
        Ok::<_, WorldError>((answer, count(world) - before, world.queue(&parked)))
    })?;
    let (answer, more, letters) = led.out;
    hold!(led.bugs.is_empty(), "{function} has a bug: {}", led.bugs.join("; "));
    let again = again(&answer)?;
    let Err(unreadable) = Envelope::parse(body) else {
        hold!(more <= 1, "{function} parked a message {more} times");
        hold!(again.is_empty() || more == 0, "{function} parked what comes back");
        return Ok(());
    };
    hold!(
        again.is_empty() && more == 1,
        "{function} did not park what it cannot read: {unreadable}"
    );
    let Some(letter) = letters.last() else { return Ok(()) };
    hold!(letter.body == body, "{function} parked something else");
    hold!(letter.reason.is_some(), "{function} parked without a reason");
    Ok(())
}

fn streamed(function: &str, sends: &str) -> Verdict {
    let event = json!({ "Records": [{
        "eventID": ID,
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-west-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 0,
            "Keys": { "pk": { "S": "TEA-001" }, "sk": { "S": "LEVEL#main" } },
            "NewImage": { "sends": { "S": sends } },
            "SequenceNumber": "1",
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:eu-west-1:000000000000:table/stock/stream/1",
    }]});
    let led = Shop::here()?.run(async |world| world.invoke(function, &event).await)?;
    hold!(led.bugs.is_empty(), "{function} has a bug: {}", led.bugs.join("; "));
    let stays = !again(&led.out)?.is_empty();
    let reads = Sends::parse(sends).is_ok();
    hold!(stays != reads, "{function} takes messages that read: {reads}, to stay: {stays}");
    Ok(())
}

/// What the function wants again.
fn again(answer: &Value) -> Result<Vec<String>, Finding> {
    let failures = answer["batchItemFailures"].as_array();
    let failures = failures.ok_or_else(|| Finding::new(format!("it answers {answer}")))?;
    let known = |failure: &Value| failure["itemIdentifier"].as_str().map(str::to_owned);
    Ok(failures.iter().filter_map(known).collect())
}

/// Every message of the samples for every consumer of its queue.
pub(crate) fn seeds() -> Result<Vec<Seed>, Finding> {
    let known = functions();
    let samples = story::messages()?;
    let mut seeds = Vec::new();
    for (place, (sample, body)) in samples.iter().enumerate() {
        let fits = known.iter().filter(|it| sample.starts_with(it.name));
        let Some(function) = fits.max_by_key(|it| it.name.len()) else { continue };
        seeds.push(seed(format!("{sample}-{place}"), function.name, body));
    }
    for function in &known {
        if let Trigger::Queue(_) = function.trigger {
            seeds.push(seed(format!("{}-none", function.name), function.name, "{}"));
        }
    }
    Ok(seeds)
}
