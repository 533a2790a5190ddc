//! What tests of the rules are about.

use aftercart::model::{
    care::CarePolicy,
    customer::{CustomerId, Email, Language},
    id::TicketId,
    text::Text,
    ticket::{Counted, DeskId, Links, Priority, Source, Ticket, TicketStatus, Topic},
    time::Timestamp,
};

use super::clock;

/// A short text.
pub fn text(text: &str) -> Text<40> {
    Text::new(text).unwrap()
}

/// Three desks, with somebody above two of them; members of a tier and dear
/// orders come sooner.
pub fn policy() -> CarePolicy {
    serde_json::from_value(serde_json::json!({
        "desks": [
            { "id": "service", "escalates_to": "lead" },
            { "id": "parcels", "topics": ["delivery", "packaging"], "escalates_to": "lead" },
            { "id": "gold", "tiers": ["gold"] },
            { "id": "lead" },
        ],
        "targets": {
            "urgent": { "answer": "15m", "solve": "1d" },
            "high": { "answer": "1h", "solve": "2d" },
            "normal": { "answer": "1h", "solve": "3d" },
            "low": { "answer": "4h", "solve": "7d" },
        },
        "opens": [
            { "on": ["delivery"], "at_most": 6, "priority": "normal" },
            { "on": ["delivery"], "at_most": 2, "priority": "high" },
            { "on": ["solved"], "at_most": 2, "priority": "high" },
        ],
        "raise": { "tiers": ["gold"], "totals": { "EUR": 20_000 } },
        "alarms": { "recall": ["rückruf", "召回"] },
        "causes": [{ "id": "late", "title": { "en": "Too late", "zh": "太晚" } }],
    }))
    .unwrap()
}

/// A ticket of a guest that was just opened.
pub fn ticket(priority: Priority, now: Timestamp) -> Ticket {
    let (answer_by, solve_by) = clock::deadlines(&policy(), priority, now);
    let desk = DeskId::parse("parcels").unwrap();
    Ticket {
        id: TicketId::derive(&["sample"]),
        source: Source::Api,
        customer: CustomerId::guest("a-key-of-a-guest"),
        email: Email::parse("ada@example.com").unwrap(),
        language: Language::En,
        tier: None,
        links: Links::default(),
        topic: Topic::Delivery,
        priority,
        alarms: Vec::new(),
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
        entries: 1,
        due: Some(answer_by),
        counted: Counted { desk, priority, answered: None, solved: None },
        version: 1,
    }
}
