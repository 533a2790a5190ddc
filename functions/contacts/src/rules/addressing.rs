//! Whom a message is for, what for, and until when it is worth to be said.

use aftercart::{
    messages::{Envelope, Message},
    model::{
        contact::{Contactee, Purpose},
        id::CartId,
        text::Text,
        time::Timestamp,
    },
};

/// A contact that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// With whom.
    pub who: Contactee,
    /// Whoever reads the address that it goes to, if that is known of a member:
    /// the same person, who may have refused it as a guest.
    pub also: Option<Contactee>,
    /// For what.
    pub purpose: Purpose,
    /// What tells it from others: the kind and the identity of the message.
    pub reference: Text<80>,
    /// From when on it comes too late.
    pub until: Option<Timestamp>,
    /// The cart that it reminds of, and which version of it.
    pub cart: Option<(CartId, u64)>,
}

/// The contact that a message is; none, if it is not of those that pass the gate.
#[must_use]
pub fn due(envelope: &Envelope) -> Option<Due> {
    let mut also = None;
    let (who, purpose, until, cart) = match &envelope.message {
        Message::CartAbandoned(it) => {
            let address = Contactee::address(&it.email);
            let who = it.customer.as_ref().map_or(address.clone(), Contactee::member);
            also = Some(address).filter(|address| *address != who);
            (who, Purpose::Carts, None, Some((it.cart.clone(), it.version)))
        }
        Message::PointsExpiring(it) => {
            (Contactee::member(&it.customer), Purpose::Programme, Some(it.ends_at), None)
        }
        Message::TierWarning(it) => {
            (Contactee::member(&it.customer), Purpose::Programme, Some(it.until), None)
        }
        Message::TierNews(it) => (Contactee::member(&it.customer), Purpose::Programme, None, None),
        Message::MilestoneReached(it) => {
            (Contactee::member(&it.customer), Purpose::Programme, None, None)
        }
        Message::ContestWon(it) => {
            (Contactee::member(&it.customer), Purpose::Programme, None, None)
        }
        _ => return None,
    };
    let kind = envelope.message.kind().trim_start_matches("notification.");
    let reference = Text::new(&format!("{kind}:{}", envelope.id)).ok()?;
    Some(Due { who, also, purpose, reference, until, cart })
}

/// The message with the link by which such messages are stopped.
#[must_use]
pub fn with_unsubscribe(mut message: Message, link: String) -> Message {
    let place = match &mut message {
        Message::CartAbandoned(it) => &mut it.unsubscribe,
        Message::PointsExpiring(it) => &mut it.unsubscribe,
        Message::TierNews(it) => &mut it.unsubscribe,
        Message::TierWarning(it) => &mut it.unsubscribe,
        Message::MilestoneReached(it) => &mut it.unsubscribe,
        Message::ContestWon(it) => &mut it.unsubscribe,
        _ => return message,
    };
    *place = Some(link);
    message
}

#[cfg(test)]
pub(crate) mod tests {
    use aftercart::{
        messages::{
            CartAbandoned, ContestWon, MilestoneReached, PointsExpiring, Queue, TierChanged,
            TierNews, TierWarning,
        },
        model::{
            customer::{CustomerId, Email, Language},
            product::Sku,
        },
    };

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn ada() -> CustomerId {
        CustomerId::member("ada").unwrap()
    }

    fn gold() -> Text<40> {
        Text::new("gold").unwrap()
    }

    pub(crate) fn cart(customer: Option<CustomerId>) -> Message {
        Message::CartAbandoned(CartAbandoned {
            cart: CartId::derive(&["1"]),
            version: 3,
            customer,
            email: Email::parse("Ada@example.com").unwrap(),
            language: Language::En,
            skus: vec![Sku::parse("TEA").unwrap()],
            unsubscribe: None,
        })
    }

    pub(crate) fn expiring(ends_at: Timestamp) -> Message {
        let unsubscribe = None;
        let it = PointsExpiring { customer: ada(), points: 9, ends_at, days: 7, unsubscribe };
        Message::PointsExpiring(it)
    }

    fn every_kind() -> Vec<Message> {
        let (customer, unsubscribe) = (ada(), None);
        vec![
            cart(Some(ada())),
            expiring(at("2026-12-01T00:00:00Z")),
            Message::TierNews(TierNews {
                customer: customer.clone(),
                before: None,
                tier: Some(gold()),
                unsubscribe: unsubscribe.clone(),
            }),
            Message::TierWarning(TierWarning {
                customer: customer.clone(),
                tier: gold(),
                until: at("2026-12-31T00:00:00Z"),
                days: 30,
                unsubscribe: unsubscribe.clone(),
            }),
            Message::MilestoneReached(MilestoneReached {
                customer: customer.clone(),
                milestone: gold(),
                points: 5,
                unsubscribe: unsubscribe.clone(),
            }),
            Message::ContestWon(ContestWon {
                customer,
                contest: gold(),
                rank: 1,
                points: 5,
                unsubscribe,
            }),
        ]
    }

    pub(crate) fn sealed(message: Message) -> Envelope {
        Envelope::seal(message, at("2026-11-21T12:00:00Z"), None)
    }

    #[test]
    fn what_goes_to_the_gate_passes_it_with_a_link() {
        for message in every_kind() {
            assert_eq!(message.queues(), [Queue::Contacts]);
            let envelope = sealed(message.clone());
            let due = due(&envelope).unwrap();
            assert_eq!(due.who, Contactee::member(&ada()));
            assert!(due.reference.as_str().ends_with(envelope.id.as_str()));
            let linked = with_unsubscribe(message.clone(), "there".to_owned());
            assert_ne!(linked, message);
            assert_eq!(with_unsubscribe(linked.clone(), "there".to_owned()), linked);
        }
    }

    #[test]
    fn a_guest_is_known_by_the_address() {
        let due = due(&sealed(cart(None))).unwrap();
        assert_eq!(due.who, Contactee::address(&Email::parse("ada@example.com").unwrap()));
        assert_eq!((due.purpose, due.until, due.also), (Purpose::Carts, None, None));
        let member = super::due(&sealed(cart(Some(ada())))).unwrap();
        assert_eq!(member.also, Some(due.who), "whose cart is, and whose address");
        assert_eq!(due.cart, Some((CartId::derive(&["1"]), 3)));
    }

    #[test]
    fn nothing_else_passes() {
        let changed = Message::TierChanged(TierChanged { customer: ada() });
        assert_eq!(due(&sealed(changed.clone())), None);
        assert_eq!(with_unsubscribe(changed.clone(), "there".to_owned()), changed);
    }
}
