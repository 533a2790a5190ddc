//! The relay, whole: what it does when queues take some, or nothing, or when a
//! change cannot be read.

use std::collections::BTreeSet;

use aftercart::messages::{Envelope, Queue};
use aftercart_infra::world::{Fault, Message};
use serde_json::{Value, json};

use crate::shop::{ADA, Shop, key};

/// A shop in which so many gifts were ordered; each order tells of itself to
/// two queues, and nobody was told yet.
async fn with_gifts(orders: usize) -> Shop {
    let shop = Shop::open().await;
    shop.sell("GIFT", 0, 100).await;
    for number in 0..orders {
        shop.place(ADA, "GIFT", 1, &key("gift", number)).await;
    }
    shop
}

async fn relayed(shop: &Shop, event: &Value) -> Value {
    shop.invoke("relay", event).await.unwrap()["batchItemFailures"].clone()
}

fn place_of(event: &Value, record: usize) -> Value {
    json!([{ "itemIdentifier": event["Records"][record]["dynamodb"]["SequenceNumber"] }])
}

/// The identities of the messages in a queue, and how many came twice.
fn told(shop: &Shop, queue: Queue) -> (BTreeSet<String>, usize) {
    let messages: Vec<Message> = shop.queue(queue.name());
    let ids = messages.iter().map(|it| Envelope::parse(&it.body).unwrap().id.to_string());
    let ids: BTreeSet<String> = ids.collect();
    let twice = messages.len() - ids.len();
    (ids, twice)
}

#[tokio::test]
async fn messages_go_out_in_batches_of_ten() {
    let shop = with_gifts(25).await;
    let event = shop.stream_event();
    assert_eq!(relayed(&shop, &event).await, json!([]));
    // That they are placed and that they are paid goes to the orders, 50
    // messages; that they are paid goes to two more queues, and would go to
    // systems of the merchant if the policy had any.
    assert_eq!(shop.port("relay").unwrap().meter().calls.len(), 1 + 5 + 3 + 3);
    for queue in [Queue::Shipments, Queue::Points] {
        let (ids, twice) = told(&shop, queue);
        assert_eq!((ids.len(), twice), (25, 0), "{queue}");
    }
}

#[tokio::test]
async fn a_change_comes_again_until_all_of_its_messages_are_taken() {
    let shop = with_gifts(4).await;
    let event = shop.stream_event();
    // The first call reads the policy, the second takes half of the messages
    // for the shipments.
    shop.port("relay").unwrap().fail(2, Fault::Partial);
    assert_eq!(relayed(&shop, &event).await, place_of(&event, 2));
    assert_eq!(told(&shop, Queue::Shipments).0.len(), 2);
    assert_eq!(told(&shop, Queue::Points).0.len(), 4);
    let rest = json!({ "Records": event["Records"].as_array().unwrap()[2..] });
    assert_eq!(relayed(&shop, &rest).await, json!([]));
    assert_eq!(told(&shop, Queue::Shipments).0.len(), 4);
    assert_eq!(told(&shop, Queue::Points), (told(&shop, Queue::Shipments).0, 2));
}

#[tokio::test]
async fn a_queue_in_trouble_keeps_no_other_waiting() {
    for fault in [Fault::Before, Fault::After, Fault::Throttle] {
        let shop = with_gifts(3).await;
        let event = shop.stream_event();
        shop.port("relay").unwrap().fail(2, fault);
        assert_eq!(relayed(&shop, &event).await, place_of(&event, 0), "{fault:?}");
        assert_eq!(told(&shop, Queue::Points).0.len(), 3, "{fault:?}");
        shop.settle().await.unwrap();
        shop.check_invariants().await.unwrap();
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_read_holds_back_only_what_follows_it() {
    let shop = with_gifts(3).await;
    let mut event = shop.stream_event();
    event["Records"][1]["dynamodb"]["NewImage"]["sends"]["S"] = "not a list".into();
    assert_eq!(relayed(&shop, &event).await, place_of(&event, 1));
    assert_eq!(told(&shop, Queue::Points).0.len(), 1);
    assert!(shop.invoke("relay", &json!({ "records": [] })).await.is_err());
}
