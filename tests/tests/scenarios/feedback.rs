//! Situations of the functions that see to what buyers write in surveys.

use aftercart::messages::Queue;

use crate::feedback::{LATE, invite, listing, rewarded, rewarding, written};

use super::{Scenario, http, poison, waiting};

scenarios! {
    "feedback-fold", "a first answer with words" => |shop| {
        written(shop, LATE).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Feedback)
    };
    "feedback-fold", "an answer without words" => |shop| {
        written(shop, "").await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Feedback)
    };
    "feedback-fold", "no message" => |shop| poison(shop, Queue::Feedback);
    "feedback-list", "a complaint" => |shop| {
        written(shop, LATE).await;
        shop.settle().await.unwrap();
        http(listing("?sentiment=negative&topic=delivery"))
    };
    "feedback-reward", "a complaint" => |shop| {
        rewarding(shop).await;
        written(shop, LATE).await;
        shop.settle().await.unwrap();
        http(rewarded(&invite(shop).await.id))
    };
}
