use std::collections::BTreeSet;

use aftercart::model::{
    customer::CustomerId,
    id::OrderId,
    text::Text,
    ticket::{CauseCode, MAX_ENTRIES, Priority, Remedy, RemedyKind},
};

use super::*;
use crate::rules::sample;

/// Every state in which a customer sees a ticket.
const STATES: [&str; 10] = [
    "new",
    "late",
    "answered",
    "waiting",
    "solved",
    "confirmed",
    "closed",
    "remedies",
    "full",
    "worst",
];

fn at(minutes: u32) -> Timestamp {
    let opened = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
    opened.plus(aftercart::model::time::Period::of_seconds(minutes * 60))
}

fn in_both<'a>(english: &'a str, chinese: &'a str, language: Language) -> &'a str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

struct Sample {
    ticket: Ticket,
    entries: Vec<TicketEntry>,
}

impl Sample {
    fn of(language: Language) -> Self {
        let mut ticket = sample::ticket(Priority::Normal, at(0));
        ticket.customer = CustomerId::member("ada").unwrap();
        ticket.links.order = Some(OrderId::derive(&["1"]));
        ticket.entries = 0;
        let text = in_both(
            "The parcel came four days late, and the box was wet & torn.",
            "包裹晚到了四天，而且箱子又湿又破。",
            language,
        );
        Self { ticket, entries: Vec::new() }.say(Writer::Customer, Some(TicketEvent::Opened), text)
    }

    fn say(mut self, by: Writer, event: Option<TicketEvent>, text: &str) -> Self {
        let entry = self.ticket.entry(at(u32::from(self.ticket.entries) * 7), by, event);
        self.entries.push(TicketEntry { text: Text::new(text).ok(), ..entry });
        self
    }

    fn answered(mut self, language: Language) -> Self {
        self.ticket.answered_at = Some(at(7));
        let eve = Writer::Operator(Text::new("eve-secret-name").unwrap());
        let text = in_both(
            "I am sorry. I have asked the carrier, and look at what we can do for you.",
            "非常抱歉。我已联系承运商，正在看我们能为您做些什么。",
            language,
        );
        let mut said = self.say(eve.clone(), None, text);
        said = said.say(eve, None, "hidden words");
        if let Some(entry) = said.entries.last_mut() {
            entry.internal = true;
        }
        said
    }

    fn solved(mut self, event: TicketEvent, language: Language) -> Self {
        self.ticket.status = TicketStatus::Solved;
        self.ticket.solved_at = Some(at(20));
        let text = in_both("A new one is on its way to you.", "新的商品已在寄送途中。", language);
        self.say(Writer::Operator(Text::new("eve-secret-name").unwrap()), Some(event), text)
    }

    fn named(name: &str, language: Language) -> Self {
        let solved = TicketEvent::Solved { cause: CauseCode::parse("late").unwrap() };
        let answered = || Self::of(language).answered(language);
        match name {
            "new" | "late" => Self::of(language),
            "waiting" => {
                let mut sample = answered();
                sample.ticket.status = TicketStatus::Waiting;
                sample
            }
            "solved" => answered().solved(solved, language),
            "closed" => answered().solved(TicketEvent::Closed, language),
            "confirmed" => {
                let said = answered().solved(solved, language);
                said.say(Writer::Customer, Some(TicketEvent::Confirmed), "")
            }
            "remedies" => remedied(answered()),
            "full" => {
                let mut sample = answered();
                sample.ticket.entries = MAX_ENTRIES;
                sample
            }
            "worst" => (1..MAX_ENTRIES).fold(remedied(answered()), |sample, _| {
                sample.say(Writer::Customer, None, &"'".repeat(MAX_MESSAGE))
            }),
            _ => answered(),
        }
    }
}

fn remedied(mut sample: Sample) -> Sample {
    let reference = Text::new("ent").ok();
    let refused = Outcome::Refused { at: at(9), why: Text::new("secret reason").unwrap() };
    let kinds = [
        (RemedyKind::Points { points: 500 }, Outcome::Done { at: at(8), reference }),
        (RemedyKind::CallBack { phone: Text::new("020 7946 0000").ok() }, Outcome::Asked),
        (RemedyKind::Refund { lines: Default::default(), delivery: true, goodwill: None }, refused),
    ];
    sample.ticket.remedies = kinds
        .into_iter()
        .map(|(kind, outcome)| Remedy {
            key: Text::new("secret-key-of-a-call").unwrap(),
            kind,
            by: aftercart::model::order::Actor::Rule,
            at: at(8),
            outcome,
        })
        .collect();
    sample
}

fn page(sample: &Sample, reading: &Reading<'_>) -> Response {
    ticket(&sample.ticket, &sample.entries, reading).unwrap()
}

/// Every page in every language, by name.
fn every_page() -> Vec<(String, Response)> {
    let zone = Zone::parse("Europe/London").unwrap();
    let mut pages = Vec::new();
    for language in Language::ALL {
        let code = language.code();
        let mut add =
            |name: &str, page: Response| pages.push((format!("care-{name}-{code}"), page));
        let now = at(30);
        let reading = Reading { language, zone: &zone, now, done: None, faulty: None };
        for name in STATES {
            let now = if name == "late" { at(90) } else { now };
            add(name, page(&Sample::named(name, language), &Reading { now, ..reading }));
        }
        let answered = Sample::named("answered", language);
        let solved = Sample::named("confirmed", language);
        add("written", page(&answered, &Reading { done: Some(Step::Write), ..reading }));
        add("said-yes", page(&solved, &Reading { done: Some(Step::Confirm), ..reading }));
        let form = TicketForm { step: Step::Write, after: 3, text: "<b>x".repeat(501) };
        let faulty = Some((&form, Fault::TooLong));
        add("faulty", page(&answered, &Reading { faulty, ..reading }));
        let order = OrderId::derive(&["1"]);
        let blank = ComplaintForm { seen: Some(now), ..ComplaintForm::default() };
        let mut complain = |name: &str, form: &ComplaintForm, faults: Faults| {
            add(name, complaint(&order, language, form, faults).unwrap());
        };
        complain("complaint", &blank, (None, None));
        let form = ComplaintForm { topic: "delivery".to_owned(), ..blank.clone() };
        complain("complaint-faulty", &form, (None, Some(Fault::Missing)));
        complain("complaint-empty", &blank, (Some(Fault::Missing), Some(Fault::Missing)));
        for kind in Notice::ALL {
            add(&format!("notice-{kind:?}").to_lowercase(), notice(kind, language).unwrap());
        }
    }
    pages
}

#[test]
fn every_page_is_small_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser; `cargo dev
    // page-check` does.
    let folder = std::env::var("PAGES_DIR").ok();
    for (name, page) in every_page() {
        let body = &page.body;
        assert!(body.len() <= PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        let tag = if name.ends_with("zh") { "zh-Hans" } else { "en" };
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        for foreign in
            ["<script", "src=", "url(", "@import", "http:", "https:", "<link", "javascript", "<b>x"]
        {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        // What is the shop's own, and what only the customer's account shows.
        for private in
            ["secret", "hidden words", "eve-", "ada@example.com", "7946", "cus_", "late</"]
        {
            assert!(!body.contains(private), "{name} has {private}");
        }
        if let Some(folder) = &folder {
            std::fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn every_page_has_one_first_heading_and_every_field_a_label() {
    for (name, page) in every_page() {
        let body = &page.body;
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert_eq!(body.matches("<main>").count(), 1, "{name}");
        let named = |attribute: &str| -> Vec<String> {
            let values = body.split(attribute).skip(1);
            values.filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
        };
        let ids = named(" id=\"");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for attribute in [" for=\"", " aria-labelledby=\"", " aria-describedby=\""] {
            for target in named(attribute) {
                assert!(unique.contains(&target), "{name}: {target}");
            }
        }
        for id in named("<textarea id=\"").iter().chain(&named("<select id=\"")) {
            assert!(body.contains(&format!("<label for=\"{id}\">")), "{name}: {id}");
        }
    }
}

#[test]
fn a_page_offers_what_makes_sense_and_no_more() {
    let zone = Zone::utc();
    let (language, now) = (Language::En, at(30));
    let reading = Reading { language, zone: &zone, now, done: None, faulty: None };
    for (name, has, lacks) in [
        ("new", "You hear from us by Mon 23 Nov, 13:00.", "Is it solved?"),
        ("answered", "It is solved, thank you", "You hear from us by"),
        ("waiting", "We have a question for you", "Is it solved?"),
        ("solved", "Yes, it is solved", "It is solved, thank you"),
        ("closed", "Yes, it is solved", "It is solved, thank you"),
        ("confirmed", "This is solved", "Is it solved?"),
        ("remedies", "did not work, we see to it", "Is it solved?"),
        ("full", "too many messages", "<textarea"),
        ("worst", "earlier messages are not shown", "<textarea"),
    ] {
        let body = page(&Sample::named(name, language), &reading).body;
        assert!(body.contains(has), "{name} lacks {has}");
        assert!(!body.contains(lacks), "{name} has {lacks}");
    }
    let form = ComplaintForm { seen: Some(now), ..ComplaintForm::default() };
    let seen = format!("name=\"seen\" value=\"{now}\"");
    for (faults, status) in [((None, None), 200), ((None, Some(Fault::TooLong)), 422)] {
        let page = complaint(&OrderId::derive(&["1"]), language, &form, faults).unwrap();
        assert!(page.status == status && page.body.contains(&seen), "{}", page.body);
    }
    let late = page(&Sample::of(language), &Reading { now: at(61), ..reading });
    assert!(late.body.contains("You should have heard from us by now."));
}
