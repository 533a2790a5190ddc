//! What a complaint becomes: a ticket, linked to what it is about.

use aftercart::{
    messages::{Message, TicketWaits, TicketWhy},
    model::{
        care::CarePolicy,
        customer::{CustomerId, Email, Language},
        dispatch::{Dispatch, Shipment},
        id::{OrderId, ShipmentId, TicketId},
        order::Order,
        text::Text,
        ticket::{
            Counted, DeskId, Links, MAX_MESSAGE, Priority, Source, Ticket, TicketEntry,
            TicketEvent, TicketStatus, Topic, Writer,
        },
        time::Timestamp,
    },
};
use aftercart_insight::reading::{self, Reading};

use super::{clock, priority};

/// What somebody is unhappy about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The identity of its ticket, derived from what it came from.
    pub id: TicketId,
    /// Where it came from.
    pub source: Source,
    /// Whose it is.
    pub customer: CustomerId,
    /// About which order.
    pub order: Option<OrderId>,
    /// About which of its shipments; the one that is most likely, if it is not
    /// said.
    pub shipment: Option<ShipmentId>,
    /// Where answers go, if not to the address of the order.
    pub email: Option<Email>,
    /// In which language, if not in that of the order.
    pub language: Option<Language>,
    /// What it is about, if that was said; what the text is about otherwise.
    pub topic: Option<Topic>,
    /// What it is about if nobody and no word says.
    pub usual: Topic,
    /// How soon somebody sees to it, before alarming words and who it comes from
    /// are looked at.
    pub priority: Priority,
    /// Who sees to it, if that was said.
    pub desk: Option<DeskId>,
    /// What was written, as it was.
    pub text: Option<Text<MAX_MESSAGE>>,
    /// Who wrote it down.
    pub by: Writer,
    /// What tells the call that it came with from others.
    pub request: Option<(Text<40>, Text<40>)>,
}

/// What is known besides.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The order.
    pub order: Option<Order>,
    /// Its shipments.
    pub dispatch: Option<Dispatch>,
    /// The customer's tier.
    pub tier: Option<Text<40>>,
}

/// Why there can be no ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No address to answer to.
    NoEmail,
    /// The order has no such shipment.
    UnknownShipment,
    /// The policy has no such desk.
    UnknownDesk,
}

/// The ticket of a complaint, and its first entry.
///
/// # Errors
/// [`Refusal`].
pub fn open(
    complaint: Complaint,
    facts: &Facts,
    policy: &CarePolicy,
    now: Timestamp,
) -> Result<(Ticket, TicketEntry), Refusal> {
    let read = complaint.text.as_ref().map(|text| read(text, policy));
    let contact = facts.order.as_ref().map(|order| &order.contact);
    let email = complaint.email.clone().or_else(|| contact.map(|it| it.email.clone()));
    let (links, total) = (links(&complaint, facts)?, facts.order.as_ref().map(|it| it.total));
    let topic = complaint.topic.or_else(|| read.as_ref()?.topics.first().copied());
    let topic = topic.unwrap_or(complaint.usual);
    let tier = facts.tier.clone();
    let desk = match complaint.desk {
        Some(desk) => policy.desk(&desk).map(|it| it.id.clone()),
        None => priority::desk(topic, tier.as_ref(), policy),
    };
    let alarms = read.as_ref().map(|it| it.alarms.clone()).unwrap_or_default();
    let priority = priority::priority(complaint.priority, &alarms, (tier.as_ref(), total), policy);
    let (answer_by, solve_by) = clock::deadlines(policy, priority, now);
    let desk = desk.ok_or(Refusal::UnknownDesk)?;
    let mut ticket = Ticket {
        id: complaint.id,
        source: complaint.source,
        customer: complaint.customer,
        email: email.ok_or(Refusal::NoEmail)?,
        language: complaint.language.or(contact.map(|it| it.language)).unwrap_or_default(),
        tier,
        links,
        topic,
        priority,
        alarms,
        desk: desk.clone(),
        assignee: None,
        status: TicketStatus::Open,
        opened_at: now,
        clock_from: now,
        waiting_since: None,
        answer_by,
        solve_by,
        answered_at: None,
        solved_at: None,
        cause: None,
        reopened: 0,
        reminders: 0,
        remedies: Vec::new(),
        satisfaction: None,
        entries: 0,
        due: None,
        counted: Counted { desk, priority, answered: None, solved: None },
        version: 0,
    };
    ticket.due = clock::due(&ticket, policy);
    let mut entry = ticket.entry(now, complaint.by, Some(TicketEvent::Opened));
    entry.text = read.and_then(|it| Text::new(&it.masked).ok());
    entry.request = complaint.request;
    Ok((ticket, entry))
}

/// What a text says, with the words of the policy that alarm, too.
#[must_use]
pub fn read<const MAX: usize>(text: &Text<MAX>, policy: &CarePolicy) -> Reading {
    reading::read(text.as_str(), &policy.alarms)
}

/// What tells a desk that a ticket waits.
#[must_use]
pub fn waits(ticket: &Ticket, why: TicketWhy) -> Message {
    Message::TicketWaits(TicketWaits {
        ticket: ticket.id.clone(),
        why,
        topic: ticket.topic,
        priority: ticket.priority,
        desk: ticket.desk.clone(),
        assignee: ticket.assignee.clone(),
        due: ticket.deadline(),
    })
}

fn links(complaint: &Complaint, facts: &Facts) -> Result<Links, Refusal> {
    let (order, dispatch) = (facts.order.as_ref(), facts.dispatch.as_ref());
    let named = complaint.shipment.as_ref();
    let found = named.and_then(|id| dispatch?.shipment(id));
    // What an invitation names, nobody can mend.
    let is_mendable = !matches!(complaint.source, Source::Survey { .. });
    if is_mendable && named.is_some() && found.is_none() {
        return Err(Refusal::UnknownShipment);
    }
    let shipment = found.or_else(|| likely(dispatch?));
    Ok(Links {
        order: order.map(|it| it.id.clone()),
        shipment: shipment.map(|it| it.id.clone()),
        parcel: shipment.and_then(|it| it.tracking.clone()),
        payments: order
            .map(|it| it.payments.iter().map(|it| it.payment.clone()).collect())
            .unwrap_or_default(),
        refunds: order
            .map(|it| it.refunds_due.iter().map(|it| it.id.clone()).collect())
            .unwrap_or_default(),
        vouchers: Vec::new(),
    })
}

/// The shipment that somebody most likely means: one that something is wrong
/// with, else the one that arrived last, else the last.
fn likely(dispatch: &Dispatch) -> Option<&Shipment> {
    let wrong = |it: &&Shipment| it.alerts.values().any(|raised| raised.ended_at.is_none());
    let arrived = |it: &&Shipment| it.journey.delivered_at;
    let outbound = || dispatch.outbound();
    outbound().filter(wrong).last().or_else(|| outbound().max_by_key(arrived))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample;

    fn complaint(text: &str) -> Complaint {
        Complaint {
            id: TicketId::derive(&["1"]),
            source: Source::Api,
            customer: CustomerId::guest("a-key-of-a-guest"),
            order: None,
            shipment: None,
            email: Email::parse("ada@example.com").ok(),
            language: None,
            topic: None,
            usual: Topic::Other,
            priority: Priority::Normal,
            desk: None,
            text: Text::new(text).ok(),
            by: Writer::Customer,
            request: None,
        }
    }

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }

    #[test]
    fn what_was_written_says_topic_alarm_and_desk() {
        let policy = sample::policy();
        for (text, topic, priority, alarms, desk) in [
            ("The courier came late again", Topic::Delivery, Priority::Normal, vec![], "parcels"),
            ("快递太晚了", Topic::Delivery, Priority::Normal, vec![], "parcels"),
            ("Hmm", Topic::Other, Priority::Normal, vec![], "service"),
            (
                "Is there a Rückruf of it?",
                Topic::Other,
                Priority::Urgent,
                vec!["recall"],
                "service",
            ),
            (
                "The battery caught fire",
                Topic::Product,
                Priority::Urgent,
                vec!["safety"],
                "service",
            ),
        ] {
            let opened = open(complaint(text), &Facts::default(), &policy, now());
            let (ticket, entry) = opened.unwrap();
            assert_eq!((ticket.topic, ticket.priority), (topic, priority), "{text}");
            assert_eq!(ticket.alarms, alarms.into_iter().map(sample::text).collect::<Vec<_>>());
            assert_eq!(ticket.desk.as_str(), desk, "{text}");
            assert_eq!((ticket.entries, entry.number), (1, 1));
            assert_eq!(ticket.due, clock::due(&ticket, &policy));
        }
    }

    #[test]
    fn what_is_said_goes_before_what_is_read_and_personal_data_are_masked() {
        let policy = sample::policy();
        let said = Complaint {
            topic: Some(Topic::Price),
            desk: DeskId::parse("lead").ok(),
            ..complaint("The courier has my mail ada@example.com")
        };
        let (ticket, entry) = open(said.clone(), &Facts::default(), &policy, now()).unwrap();
        assert_eq!((ticket.topic, ticket.desk.as_str()), (Topic::Price, "lead"));
        assert!(!entry.text.unwrap().as_str().contains("ada@example.com"));
        let unknown = Complaint { desk: DeskId::parse("nobody").ok(), ..said.clone() };
        let refused = open(unknown, &Facts::default(), &policy, now());
        assert_eq!(refused.unwrap_err(), Refusal::UnknownDesk);
        let shipment = Some(ShipmentId::derive(&["of another order"]));
        let elsewhere = Complaint { shipment, ..said.clone() };
        let refused = open(elsewhere.clone(), &Facts::default(), &policy, now());
        assert_eq!(refused.unwrap_err(), Refusal::UnknownShipment);
        let source = Source::Survey {
            invite: aftercart::model::id::InviteId::derive(&["1"]),
            touchpoint: aftercart::model::survey::TouchpointId::parse("delivery").unwrap(),
        };
        let answered = Complaint { source, ..elsewhere };
        let opened = open(answered, &Facts::default(), &policy, now()).unwrap();
        assert_eq!(opened.0.links.shipment, None, "an answer counts all the same");
        let mute = Complaint { email: None, ..said };
        let refused = open(mute, &Facts::default(), &policy, now());
        assert_eq!(refused.unwrap_err(), Refusal::NoEmail);
    }

    #[test]
    fn a_tier_has_its_desk_and_comes_sooner() {
        let facts = Facts { tier: Some(sample::text("gold")), ..Facts::default() };
        let policy = sample::policy();
        let (ticket, _) = open(complaint("Late"), &facts, &policy, now()).unwrap();
        assert_eq!((ticket.priority, ticket.desk.as_str()), (Priority::High, "gold"));
    }
}
