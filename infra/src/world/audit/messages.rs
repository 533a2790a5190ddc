//! Messages: what queues got, what systems of the merchant were told, and what
//! nobody could take.

use std::collections::BTreeSet;

use aftercart::{
    messages::Queue,
    model::{
        policy::Policy,
        webhook::{DeliveryStatus, EventKind},
    },
    store::audit::Books,
};
use aftercart_relay::rules::batching::depends;

use super::{Evidence, Violation, must};

/// Every message that an item carries came to every queue that wants it.
pub(super) fn delivered(books: &Books, evidence: &Evidence) -> Result<usize, Violation> {
    let Some(taken) = &evidence.taken else { return Ok(0) };
    for envelope in &books.sends {
        // Some go only where the policy of that moment wanted them.
        let sure = |queue: &&Queue| !depends(**queue, &envelope.message);
        for queue in envelope.message.queues().iter().filter(sure) {
            let key = (queue.name().to_owned(), envelope.id.as_str().to_owned());
            must(taken.contains(&key), || format!("{} never came to {queue}", envelope.id))?;
        }
    }
    Ok(books.sends.len())
}

/// Every endpoint that wants to know of paid orders has a delivery about each;
/// what it is said to have taken it got, and what it got is written.
pub(super) fn webhooks(
    books: &Books,
    evidence: &Evidence,
    policy: &Policy,
) -> Result<usize, Violation> {
    let wants = |it: &&aftercart::model::webhook::Endpoint| it.wants(EventKind::OrderPaid);
    for endpoint in policy.webhooks.endpoints.iter().filter(wants) {
        for order in books.orders.iter().filter(|it| it.paid_at.is_some()) {
            let about = books.webhooks.iter().filter(|it| {
                it.endpoint == endpoint.id
                    && it.kind == EventKind::OrderPaid
                    && it.order == order.id
            });
            let count = about.count();
            must(count == 1, || {
                format!("{} has {count} messages that {} is paid", endpoint.id, order.id)
            })?;
        }
    }
    let Some(got) = &evidence.webhooks else { return Ok(books.webhooks.len()) };
    let known: BTreeSet<&str> = books.webhooks.iter().map(|it| it.id.as_str()).collect();
    let unknown = got.iter().find(|id| !known.contains(id.as_str()));
    must(unknown.is_none(), || format!("the merchant got {unknown:?}, which nobody wrote"))?;
    for delivery in &books.webhooks {
        let done = delivery.state.status() == DeliveryStatus::Done;
        must(!done || got.contains(delivery.id.as_str()), || {
            format!("{} is said to be taken, and never came", delivery.id)
        })?;
    }
    Ok(books.webhooks.len())
}

/// What lies in a dead-letter queue has its reason: nothing wore out.
pub(super) fn parked(evidence: &Evidence) -> Result<(), Violation> {
    let worn_out = evidence.parked.iter().find(|it| it.reason.is_none());
    must(worn_out.is_none(), || format!("nobody could take {worn_out:?}"))
}
