//! How messages of a stretch of a stream are put into batches for SQS, and how
//! far the stream may go on.

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{policy::Policy, survey::Occasion},
};

use super::events;

/// The most bytes of one batch, bodies together: SQS refuses a longer one whole.
pub const BATCH_BYTES_MAX: usize = 256 * 1024;

/// A message on its way to one queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outbound<'a> {
    /// Which change of the stretch carries it, counted from 0.
    pub change: usize,
    /// The message.
    pub envelope: &'a Envelope,
}

/// What one call of a queue sends.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// To which queue.
    pub queue: Queue,
    /// At most so many as asked for and [`BATCH_BYTES_MAX`] bytes, in the order
    /// of the stream. A message that is longer by itself is alone, for SQS to
    /// refuse.
    pub messages: Vec<Outbound<'a>>,
    bytes: usize,
}

impl<'a> Batch<'a> {
    fn new(queue: Queue) -> Self {
        Self { queue, messages: Vec::new(), bytes: 0 }
    }

    fn has_room_for(&self, bytes: usize, most: usize) -> bool {
        self.messages.len() < most && self.bytes + bytes <= BATCH_BYTES_MAX
    }

    fn add(&mut self, message: Outbound<'a>, bytes: usize) {
        self.messages.push(message);
        self.bytes += bytes;
    }

    /// The changes that carry the messages at these positions.
    #[must_use]
    pub fn changes_of(&self, positions: &[usize]) -> Vec<usize> {
        let messages = positions.iter().filter_map(|position| self.messages.get(*position));
        messages.map(|message| message.change).collect()
    }
}

/// The batches that bring the messages of these changes to every queue that
/// wants them, at most `most` in one: queue by queue, each in the order of the
/// stream. See [`wants`] for what depends on the policy.
///
/// # Errors
/// When a message cannot be written as JSON, which no message of this build is.
pub fn batches<'a>(
    changes: &[&'a [Envelope]],
    policy: Option<&Policy>,
    most: usize,
) -> Result<Vec<Batch<'a>>, serde_json::Error> {
    let mut batches = Vec::new();
    for queue in Queue::ALL {
        let mut open = Batch::new(queue);
        for (change, envelopes) in changes.iter().enumerate() {
            for envelope in envelopes.iter().filter(|it| wants(queue, &it.message, policy)) {
                let bytes = serde_json::to_string(envelope)?.len();
                if !open.messages.is_empty() && !open.has_room_for(bytes, most) {
                    batches.push(std::mem::replace(&mut open, Batch::new(queue)));
                }
                open.add(Outbound { change, envelope }, bytes);
            }
        }
        if !open.messages.is_empty() {
            batches.push(open);
        }
    }
    Ok(batches)
}

/// Whether a queue wants a message. [`Queue::Webhooks`] wants what some
/// endpoint wants, and [`Queue::Surveys`] an order that was paid and another
/// tier if something is asked then: most shops ask nothing, and orders are
/// many. While the policy is not known, they want everything: their consumers
/// look again.
#[must_use]
pub fn wants(queue: Queue, message: &Message, policy: Option<&Policy>) -> bool {
    let by_policy = |policy: &Policy| match queue {
        Queue::Webhooks => events::kinds(message).iter().any(|kind| policy.webhooks.wants(*kind)),
        _ => policy.surveys.asks_on(occasions(message)),
    };
    let by_policy = |policy| !depends(queue, message) || by_policy(policy);
    message.queues().contains(&queue) && policy.is_none_or(by_policy)
}

/// Whether it depends on the policy if a queue wants a message.
#[must_use]
pub fn depends(queue: Queue, message: &Message) -> bool {
    match queue {
        Queue::Webhooks => true,
        Queue::Surveys => !occasions(message).is_empty(),
        _ => false,
    }
}

/// The occasions without which surveys need not hear of a message.
fn occasions(message: &Message) -> &'static [Occasion] {
    match message {
        Message::OrderPaid(_) => &[Occasion::Checkout, Occasion::Relationship],
        Message::TierChanged(_) => &[Occasion::Tier],
        _ => &[],
    }
}

/// Whether it depends on the policy who wants any of these messages.
#[must_use]
pub fn depend_on_the_policy(changes: &[&[Envelope]]) -> bool {
    changes.iter().flat_map(|envelopes| envelopes.iter()).any(|envelope| {
        let mut queues = envelope.message.queues().iter();
        queues.any(|queue| depends(*queue, &envelope.message))
    })
}

/// How many of so many changes, from the first on, are done with: those before
/// the first that failed.
#[must_use]
pub fn done(changes: usize, failed: &[usize]) -> usize {
    failed.iter().copied().min().unwrap_or(changes).min(changes)
}

#[cfg(test)]
mod tests {
    use aftercart::{
        messages::{OrderPaid, PaymentReceived, SurveyInvited, TierChanged},
        model::{
            customer::{CustomerId, Email, Language},
            id::{InviteId, OrderId, PaymentId},
            survey::{Channel, TouchpointId},
            text::Text,
            time::Timestamp,
        },
    };
    use proptest::prelude::*;

    use super::*;

    const MOST: usize = 10;

    fn at() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn paid(n: usize) -> Envelope {
        let order = OrderId::derive(&[&n.to_string()]);
        let customer = CustomerId::member("a").unwrap();
        Envelope::seal(Message::OrderPaid(OrderPaid { order, customer }), at(), None)
    }

    fn received(n: usize) -> Envelope {
        let payment = PaymentId::derive(&[&n.to_string()]);
        Envelope::seal(Message::PaymentReceived(PaymentReceived { payment }), at(), None)
    }

    fn invited(n: usize, link_bytes: usize) -> Envelope {
        let message = Message::SurveyInvited(SurveyInvited {
            invite: InviteId::derive(&[&n.to_string()]),
            touchpoint: TouchpointId::parse("delivery").unwrap(),
            customer: CustomerId::guest("k"),
            order: None,
            channel: Channel::Email,
            email: Email::parse("ada@example.com").unwrap(),
            language: Language::En,
            question: Text::new("Good?").unwrap(),
            taps: Vec::new(),
            link: "x".repeat(link_bytes),
            unsubscribe: String::new(),
            expires: at(),
            reminder: false,
        });
        Envelope::seal(message, at(), None)
    }

    /// No endpoints, and nothing that is asked of who pays.
    fn nobody() -> Policy {
        Policy::default_document().unwrap()
    }

    fn slices(changes: &[Vec<Envelope>]) -> Vec<&[Envelope]> {
        changes.iter().map(Vec::as_slice).collect()
    }

    #[test]
    fn each_queue_gets_what_it_wants_in_the_order_of_the_stream() {
        let changes = [vec![paid(1)], vec![], vec![received(2), paid(3)]];
        let slices = slices(&changes);
        let batches = batches(&slices, Some(&nobody()), MOST).unwrap();
        let summary: Vec<(Queue, Vec<usize>)> = batches
            .iter()
            .map(|batch| (batch.queue, batch.messages.iter().map(|m| m.change).collect()))
            .collect();
        assert_eq!(
            summary,
            [
                (Queue::Payments, vec![2]),
                (Queue::Shipments, vec![0, 2]),
                (Queue::Points, vec![0, 2]),
                (Queue::Orders, vec![0, 2])
            ]
        );
    }

    #[test]
    fn endpoints_are_told_what_they_want() {
        let endpoint = |events: &str, enabled: bool| -> Policy {
            let text = format!(
                r#"{{"endpoints":[{{"id":"a","url":"https://a.example","events":[{events}],"enabled":{enabled}}}]}}"#
            );
            Policy { webhooks: serde_json::from_str(&text).unwrap(), ..nobody() }
        };
        let (paid, received) = (vec![paid(1)], vec![received(2)]);
        for (policy, told) in [
            (Some(nobody()), false),
            (Some(endpoint(r#""order.paid""#, true)), true),
            (Some(endpoint(r#""order.paid""#, false)), false),
            (Some(endpoint(r#""order.cancelled","parcel.updated""#, true)), false),
            (None, true),
        ] {
            let slices = [paid.as_slice(), received.as_slice()];
            let batches = batches(&slices, policy.as_ref(), MOST).unwrap();
            let of_webhooks = batches.iter().filter(|batch| batch.queue == Queue::Webhooks);
            assert_eq!(of_webhooks.count(), usize::from(told), "{policy:?}");
        }
        assert!(depend_on_the_policy(&[&received, &paid]));
        assert!(!depend_on_the_policy(&[&received, &[]]));
    }

    #[test]
    fn surveys_hear_of_orders_and_tiers_if_something_is_asked_then() {
        let asking = |occasion: Occasion| {
            let mut policy = nobody();
            policy.surveys.touchpoints[0].on = occasion;
            Some(policy)
        };
        let customer = CustomerId::member("a").unwrap();
        let tier = Message::TierChanged(TierChanged { customer });
        let tier = vec![Envelope::seal(tier, at(), None)];
        let paid = vec![paid(1)];
        for (policy, heard) in [
            (asking(Occasion::Delivery), [false, false]),
            (asking(Occasion::Checkout), [true, false]),
            (asking(Occasion::Relationship), [true, false]),
            (asking(Occasion::Tier), [false, true]),
            (None, [true, true]),
        ] {
            let hears =
                |changes: &[Envelope]| wants(Queue::Surveys, &changes[0].message, policy.as_ref());
            assert_eq!([hears(&paid), hears(&tier)], heard, "{policy:?}");
        }
        assert!(depend_on_the_policy(&[&tier]));
    }

    #[test]
    fn a_batch_is_bounded_by_bytes_and_a_giant_is_alone() {
        let sizes = [100_000, 100_000, 100_000, 300_000, 10];
        let changes: Vec<Vec<Envelope>> =
            sizes.iter().enumerate().map(|(n, size)| vec![invited(n, *size)]).collect();
        let slices = slices(&changes);
        let batches = batches(&slices, Some(&nobody()), MOST).unwrap();
        let members: Vec<Vec<usize>> = batches
            .iter()
            .map(|batch| batch.messages.iter().map(|message| message.change).collect())
            .collect();
        assert_eq!(members, [vec![0, 1], vec![2], vec![3], vec![4]]);
    }

    #[test]
    fn the_stream_goes_on_behind_what_was_taken_whole() {
        let changes: Vec<Vec<Envelope>> = (0..12).map(|n| vec![paid(n), received(n)]).collect();
        let slices = slices(&changes);
        let batches = batches(&slices, Some(&nobody()), MOST).unwrap();
        let second = batches.iter().find(|batch| batch.messages[0].change == 10).unwrap();
        assert_eq!(second.changes_of(&[1]), [11]);
        assert_eq!(second.changes_of(&[7]), [0_usize; 0]);
        assert_eq!(done(12, &second.changes_of(&[1])), 11);
        assert_eq!(done(12, &[11, 4, 7]), 4);
        assert_eq!(done(12, &[]), 12);
        assert_eq!(done(0, &[]), 0);
    }

    proptest! {
        #[test]
        fn every_message_is_in_one_batch_of_each_queue_that_wants_it(
            shape in prop::collection::vec(prop::collection::vec((0_u8..3, 0_usize..60_000), 0..4), 0..20)
        ) {
            let mut n = 0;
            let changes: Vec<Vec<Envelope>> = shape.iter().map(|change| change.iter().map(|(kind, size)| {
                n += 1;
                match kind { 0 => paid(n), 1 => received(n), _ => invited(n, *size) }
            }).collect()).collect();
            let slices = slices(&changes);
            let batches = batches(&slices, Some(&nobody()), MOST).unwrap();
            for batch in &batches {
                let bodies = batch.messages.iter().map(|m| serde_json::to_string(m.envelope).unwrap().len());
                prop_assert!((1..=MOST).contains(&batch.messages.len()));
                prop_assert!(bodies.sum::<usize>() <= BATCH_BYTES_MAX);
            }
            let depends = |queue: &Queue| matches!(queue, Queue::Webhooks | Queue::Surveys);
            for queue in Queue::ALL.into_iter().filter(|queue| !depends(queue)) {
                let sent: Vec<_> = batches.iter().filter(|batch| batch.queue == queue)
                    .flat_map(|batch| batch.messages.iter().map(|m| (m.change, m.envelope.id.clone()))).collect();
                let wanted: Vec<_> = changes.iter().enumerate().flat_map(|(change, envelopes)| {
                    envelopes.iter().filter(|envelope| envelope.message.queues().contains(&queue))
                        .map(move |envelope| (change, envelope.id.clone()))
                }).collect();
                prop_assert_eq!(sent, wanted);
            }
        }
    }
}
