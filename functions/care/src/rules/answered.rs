//! What the answer to a survey has to do with tickets: a low score or an
//! alarming word opens one, and whoever was asked whether a ticket is solved
//! says how satisfied they are.

use aftercart::{
    messages::{Message, TicketWhy},
    model::{
        care::{CarePolicy, OpenRule},
        id::TicketId,
        survey::{Answer, Given, Invite, Kind, Occasion, Touchpoint},
        text::Text,
        ticket::{
            MAX_ENTRIES, MAX_MESSAGE, Priority, Source, Ticket, TicketEntry, TicketEvent,
            TicketStatus, Topic, Writer,
        },
        time::Timestamp,
    },
};

use super::{
    clock,
    opening::{self, Complaint},
};

/// An answer, and the survey that it answers if the policy has that still.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// The invitation.
    pub invite: &'a Invite,
    /// What was answered.
    pub answer: &'a Answer,
    /// The survey.
    pub touchpoint: Option<&'a Touchpoint>,
}

/// A ticket after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// The ticket.
    pub ticket: Ticket,
    /// What is noted of it.
    pub entry: TicketEntry,
    /// What a desk is told.
    pub message: Option<Message>,
}

/// The identity of the ticket that an answer opens: one an invitation, however
/// often the answer is corrected.
#[must_use]
pub fn identity(invite: &Invite) -> TicketId {
    TicketId::derive(&["answer", invite.id.as_str()])
}

impl Answered<'_> {
    /// What was written, of all questions together.
    #[must_use]
    pub fn text(&self) -> Option<Text<MAX_MESSAGE>> {
        let texts = self.answer.given.values().filter_map(|given| match given {
            Given::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let all: String = texts.collect::<Vec<_>>().join(" / ").chars().take(MAX_MESSAGE).collect();
        Text::new(&all).ok()
    }

    /// The score of the first question, with the best of its scale.
    fn score(&self) -> Option<(u8, u8)> {
        let first = self.touchpoint?.questions.first()?;
        match (first.kind.scale()?, self.answer.given.get(&first.id)?) {
            ((_, best), Given::Score(score)) => Some((*score, best)),
            _ => None,
        }
    }

    /// How satisfied the customer is, where the first question asks for that on
    /// the scale of 1 to 5.
    fn satisfaction(&self) -> Option<u8> {
        let first = self.touchpoint?.questions.first()?;
        let fits = matches!(first.kind, Kind::Csat | Kind::Stars);
        self.score().filter(|_| fits).map(|(score, _)| score)
    }

    /// How soon somebody is to see to the answer: the most urgent of the rules
    /// that take it. None if nobody has to.
    fn urgency(&self, policy: &CarePolicy) -> Option<Priority> {
        let (score, best) = self.score()?;
        let takes = |it: &&OpenRule| it.is_on(self.invite.occasion) && it.takes(score, best);
        policy.opens.iter().filter(takes).map(|it| it.priority).min()
    }

    /// The complaint in an answer, if it is one: by its score, or by a word that
    /// alarms. `request` tells this answer from its corrections.
    #[must_use]
    pub fn complaint(
        &self,
        request: Option<(Text<40>, Text<40>)>,
        policy: &CarePolicy,
    ) -> Option<Complaint> {
        let text = self.text();
        let alarms = text.as_ref().is_some_and(|it| !opening::read(it, policy).alarms.is_empty());
        let urgency = self.urgency(policy).or(alarms.then_some(Priority::Urgent))?;
        let Invite { customer, about, .. } = self.invite.clone();
        Some(Complaint {
            id: identity(self.invite),
            source: Source::Survey {
                invite: self.invite.id.clone(),
                touchpoint: self.invite.touchpoint.clone(),
            },
            customer,
            order: about.order,
            shipment: about.shipment,
            email: Some(self.invite.email.clone()),
            language: Some(self.answer.language),
            topic: None,
            usual: usual(self.invite.occasion),
            priority: urgency,
            desk: None,
            text,
            by: Writer::Customer,
            request,
        })
    }

    /// The ticket that was solved, after its customer said whether it was: the
    /// word is noted, and whoever is not satisfied, or alarms, has it open again.
    /// Where the ticket is not solved, or not any more, the desk is told. Only of
    /// an answer that was not heard before; none if there is nothing to note.
    #[must_use]
    pub fn judge(
        &self,
        ticket: &Ticket,
        request: Option<(Text<40>, Text<40>)>,
        policy: &CarePolicy,
        now: Timestamp,
    ) -> Option<Heard> {
        let score = self.satisfaction();
        let judged = Ticket { satisfaction: score.or(ticket.satisfaction), ..ticket.clone() };
        // Who answered before it was solved again judges another solution.
        let is_of_this = ticket.solved_at.is_some_and(|at| self.answer.at >= at);
        let is_solved = ticket.status == TicketStatus::Solved;
        let low = self.urgency(policy).filter(|_| !is_solved || is_of_this);
        let mut heard = self.hear(judged, low, policy, now);
        heard.entry.event = score.map(|score| TicketEvent::Judged { score });
        heard.entry.request = request;
        heard.unless_idle(ticket)
    }

    /// The ticket that the answer opened, after it was corrected: what is written
    /// now is noted, and a word that alarms makes the ticket urgent and opens a
    /// solved one again. Only of a correction that was not heard before; none if
    /// there is nothing to note.
    #[must_use]
    pub fn correct(
        &self,
        ticket: &Ticket,
        request: Option<(Text<40>, Text<40>)>,
        policy: &CarePolicy,
        now: Timestamp,
    ) -> Option<Heard> {
        // What was wrong before it was solved does not open it again.
        let is_solved = ticket.status == TicketStatus::Solved;
        let low = self.urgency(policy).filter(|_| !is_solved);
        let mut heard = self.hear(ticket.clone(), low, policy, now);
        heard.entry.request = request;
        heard.unless_idle(ticket)
    }

    /// Takes what was written into a ticket: the text with personal data masked,
    /// new words that alarm, and `low`, how soon somebody is to see to the score.
    /// A solved ticket opens again by an alarm or a low score; any other that
    /// waits for its customer goes on by it and by words.
    fn hear(
        &self,
        mut ticket: Ticket,
        low: Option<Priority>,
        policy: &CarePolicy,
        now: Timestamp,
    ) -> Heard {
        let read = self.text().map(|text| opening::read(&text, policy));
        let is_new = |it: &Text<40>| !ticket.alarms.contains(it);
        let alarms = read.iter().flat_map(|it| it.alarms.clone()).filter(is_new);
        let alarms: Vec<Text<40>> = alarms.collect();
        let alarmed = (!alarms.is_empty()).then_some(Priority::Urgent);
        ticket.alarms.extend(alarms);
        let text = read.and_then(|it| Text::new(&it.masked).ok());
        let why = if ticket.status == TicketStatus::Solved {
            alarmed.into_iter().chain(low).min().map(|urgency| {
                ticket.priority = ticket.priority.min(urgency);
                clock::reopen(&mut ticket, policy, now);
                TicketWhy::Reopened
            })
        } else if text.is_some() || low.is_some() {
            if ticket.status == TicketStatus::Waiting {
                clock::resume(&mut ticket, policy, now);
            }
            if let Some(urgency) = alarmed.filter(|it| *it < ticket.priority) {
                clock::prioritise(&mut ticket, policy, urgency, now);
            }
            Some(TicketWhy::Written)
        } else {
            None
        };
        let entry = TicketEntry { text, ..ticket.entry(now, Writer::Customer, None) };
        let message = why.map(|why| opening::waits(&ticket, why));
        Heard { ticket, entry, message }
    }
}

impl Heard {
    /// None if it says nothing, or nothing but words where there are too many:
    /// the answer has them still.
    fn unless_idle(self, read: &Ticket) -> Option<Self> {
        let Self { ticket, entry, message } = &self;
        let says = entry.text.is_some() || entry.event.is_some() || message.is_some();
        let changes = Ticket { entries: read.entries, ..ticket.clone() } != *read;
        let has_room = read.entries < MAX_ENTRIES;
        (changes || (says && has_room)).then_some(self)
    }
}

/// What an answer is about whose words do not say.
const fn usual(occasion: Occasion) -> Topic {
    match occasion {
        Occasion::Delivery => Topic::Delivery,
        Occasion::Return => Topic::Returns,
        Occasion::Solved => Topic::Service,
        Occasion::Checkout => Topic::Site,
        Occasion::Tier => Topic::Points,
        Occasion::Product => Topic::Product,
        Occasion::Relationship => Topic::Other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::model::{
        customer::{CustomerId, Email, Language},
        id::InviteId,
        survey::{About, InviteStatus, QuestionId, TouchpointId},
    };
    use serde_json::json;

    use super::*;
    use crate::rules::sample;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn touchpoint(on: &str, kind: &str) -> Touchpoint {
        serde_json::from_value(json!({
            "id": "t", "on": on, "delay": "1d", "open": "14d",
            "questions": [{ "id": "score", "kind": kind }, { "id": "comment", "kind": "text" }],
        }))
        .unwrap()
    }

    fn answer(score: u8, comment: Option<&str>) -> Answer {
        let named = |name: &str| QuestionId::parse(name).unwrap();
        let text = comment.map(|it| (named("comment"), Given::Text(Text::new(it).unwrap())));
        Answer {
            given: [(named("score"), Given::Score(score))].into_iter().chain(text).collect(),
            at: at("2026-11-22T12:00:00Z"),
            revision: 1,
            language: Language::En,
        }
    }

    fn why(heard: &Heard) -> Option<TicketWhy> {
        match &heard.message {
            Some(Message::TicketWaits(waits)) => Some(waits.why),
            _ => None,
        }
    }

    fn invite(occasion: Occasion) -> Invite {
        Invite {
            id: InviteId::derive(&["1"]),
            touchpoint: TouchpointId::parse("t").unwrap(),
            occasion,
            about: About::default(),
            customer: CustomerId::guest("a-key-of-a-guest"),
            email: Email::parse("ada@example.com").unwrap(),
            language: Language::En,
            country: None,
            due: at("2026-11-20T12:00:00Z"),
            expires: at("2026-12-20T12:00:00Z"),
            status: InviteStatus::Scheduled,
            counted: Default::default(),
        }
    }

    #[test]
    fn a_low_score_or_an_alarming_word_is_a_complaint() {
        use Priority::{High, Normal, Urgent};
        let policy = sample::policy();
        for (on, kind, score, comment, expected) in [
            ("delivery", "nps", 7, None, None),
            ("delivery", "nps", 6, None, Some(Normal)),
            ("delivery", "nps", 2, None, Some(High)),
            // The rule for 6 of 10 says nothing of five stars.
            ("delivery", "stars", 3, None, None),
            ("delivery", "stars", 2, None, Some(High)),
            ("product", "nps", 0, None, None),
            ("product", "nps", 10, Some("It caught fire"), Some(Urgent)),
            ("product", "nps", 0, Some("Meh"), None),
        ] {
            let touchpoint = touchpoint(on, kind);
            let (invite, answer) = (invite(touchpoint.on), answer(score, comment));
            let of = Answered { invite: &invite, answer: &answer, touchpoint: Some(&touchpoint) };
            let complaint = of.complaint(None, &policy);
            assert_eq!(
                complaint.map(|it| it.priority),
                expected,
                "{on} {kind} {score} {comment:?}"
            );
            let gone = Answered { touchpoint: None, ..of };
            let alarms = expected == Some(Urgent);
            assert_eq!(gone.complaint(None, &policy).is_some(), alarms, "of a survey that is gone");
        }
    }

    #[test]
    fn who_is_not_satisfied_has_the_ticket_open_again() {
        let (policy, now) = (sample::policy(), at("2026-11-22T13:00:00Z"));
        let solved_at = at("2026-11-21T12:00:00Z");
        let solved = Ticket {
            status: TicketStatus::Solved,
            solved_at: Some(solved_at),
            due: None,
            ..sample::ticket(Priority::Normal, at("2026-11-20T12:00:00Z"))
        };
        let touchpoint = touchpoint("solved", "csat");
        let invite = invite(Occasion::Solved);
        let judge = |ticket: &Ticket, answer: &Answer| {
            let of = Answered { invite: &invite, answer, touchpoint: Some(&touchpoint) };
            of.judge(ticket, None, &policy, now).unwrap()
        };
        let glad = judge(&solved, &answer(5, None));
        assert_eq!((glad.ticket.status, glad.ticket.satisfaction), (TicketStatus::Solved, Some(5)));
        assert_eq!((glad.message, glad.ticket.due), (None, None));
        let angry = judge(&glad.ticket, &answer(1, Some("Nobody called me")));
        assert_eq!(
            (angry.ticket.status, angry.ticket.priority),
            (TicketStatus::Open, Priority::High)
        );
        assert_eq!((angry.ticket.satisfaction, angry.ticket.reopened), (Some(1), 1));
        assert!(angry.message.is_some() && angry.ticket.due.is_some());
        assert_eq!(angry.entry.text.unwrap().as_str(), "Nobody called me");
        let still = judge(&angry.ticket, &answer(2, None));
        assert_eq!((still.ticket.reopened, why(&still)), (1, Some(TicketWhy::Written)));
        let better = judge(&angry.ticket, &answer(4, None));
        assert_eq!((better.ticket.satisfaction, better.message), (Some(4), None));
        let later = Ticket { solved_at: Some(at("2026-11-22T12:30:00Z")), ..solved.clone() };
        assert_eq!(judge(&later, &answer(1, None)).ticket.status, TicketStatus::Solved);
        let hurt = judge(&solved, &answer(5, Some("It burned my hand")));
        assert_eq!(
            (hurt.ticket.status, hurt.ticket.priority),
            (TicketStatus::Open, Priority::Urgent)
        );
    }

    #[test]
    fn a_judgement_of_a_ticket_that_is_not_solved_reaches_its_desk() {
        let (policy, now) = (sample::policy(), at("2026-11-22T13:00:00Z"));
        let (touchpoint, invite) = (touchpoint("solved", "csat"), invite(Occasion::Solved));
        let open = sample::ticket(Priority::Normal, at("2026-11-22T12:30:00Z"));
        let mut waiting = open.clone();
        clock::wait(&mut waiting, &policy, at("2026-11-22T12:40:00Z"));
        for (score, text, urgent, told) in [
            (5, None, false, false),
            (5, Some("Fine now"), false, true),
            (1, None, false, true),
            (5, Some("It burned my hand"), true, true),
        ] {
            for ticket in [&open, &waiting] {
                let answer = answer(score, text);
                let of =
                    Answered { invite: &invite, answer: &answer, touchpoint: Some(&touchpoint) };
                let heard = of.judge(ticket, None, &policy, now).unwrap();
                let case = format!("{score} {text:?} {:?}", ticket.status);
                let expected = told.then_some(TicketWhy::Written);
                assert_eq!(
                    (why(&heard), heard.ticket.satisfaction),
                    (expected, Some(score)),
                    "{case}"
                );
                assert_eq!(heard.ticket.priority == Priority::Urgent, urgent, "{case}");
                let waits = ticket.status == TicketStatus::Waiting && !told;
                assert_eq!(heard.ticket.status == TicketStatus::Waiting, waits, "{case}");
                if urgent {
                    assert_eq!(heard.ticket.deadline(), at("2026-11-22T13:15:00Z"), "{case}");
                    assert!(heard.ticket.due < Some(heard.ticket.deadline()), "{case}");
                }
            }
        }
    }

    #[test]
    fn words_on_a_full_ticket_are_left_with_the_answer_but_alarms_are_not() {
        let (policy, now) = (sample::policy(), at("2026-11-22T12:10:00Z"));
        let open = sample::ticket(Priority::Normal, at("2026-11-22T12:00:00Z"));
        let full = Ticket { entries: MAX_ENTRIES, ..open.clone() };
        let (touchpoint, invite) = (touchpoint("delivery", "nps"), invite(Occasion::Delivery));
        let correct = |ticket: &Ticket, score: u8, text: Option<&str>| {
            let answer = answer(score, text);
            let of = Answered { invite: &invite, answer: &answer, touchpoint: Some(&touchpoint) };
            of.correct(ticket, None, &policy, now)
        };
        assert_eq!(correct(&full, 2, Some("Late, that is all")), None);
        let hurt = correct(&full, 2, Some("It burned my hand")).unwrap();
        assert_eq!(hurt.ticket.priority, Priority::Urgent);
        assert_eq!(correct(&open, 10, None), None, "there is nothing to note");
        assert!(correct(&open, 2, None).is_some());
    }

    #[test]
    fn a_correction_is_noted_and_may_make_it_urgent() {
        let (policy, now) = (sample::policy(), at("2026-11-22T12:10:00Z"));
        let ticket = sample::ticket(Priority::Normal, at("2026-11-22T12:00:00Z"));
        let (touchpoint, invite) = (touchpoint("delivery", "nps"), invite(Occasion::Delivery));
        let correct = |ticket: &Ticket, text: &str| {
            let answer = answer(2, Some(text));
            let of = Answered { invite: &invite, answer: &answer, touchpoint: Some(&touchpoint) };
            of.correct(ticket, None, &policy, now).unwrap()
        };
        let calm = correct(&ticket, "Late, that is all");
        assert_eq!((calm.ticket.priority, calm.entry.number), (Priority::Normal, 2));
        assert_eq!(calm.ticket.deadline(), ticket.deadline());
        let hurt = correct(&ticket, "It burned my hand");
        assert_eq!(hurt.ticket.priority, Priority::Urgent);
        assert_eq!(hurt.ticket.deadline(), at("2026-11-22T12:25:00Z"));
        assert!(hurt.message.is_some());
        let waiting = Ticket { status: TicketStatus::Waiting, ..ticket.clone() };
        let heard = correct(&waiting, "Late, that is all").ticket;
        assert_eq!(heard.status, TicketStatus::Open, "the customer said something");
        let solved = Ticket { status: TicketStatus::Solved, due: None, ..ticket };
        let calm = correct(&solved, "Late, that is all");
        assert_eq!((calm.ticket.status, calm.message), (TicketStatus::Solved, None));
        let hurt = correct(&solved, "It burned my hand");
        assert_eq!(
            (hurt.ticket.status, hurt.ticket.priority, why(&hurt)),
            (TicketStatus::Open, Priority::Urgent, Some(TicketWhy::Reopened))
        );
        assert_eq!(hurt.ticket.deadline(), at("2026-11-22T12:25:00Z"));
        let given = BTreeMap::new();
        let of = Answered {
            invite: &invite,
            answer: &Answer { given, ..answer(1, None) },
            touchpoint: None,
        };
        assert_eq!(of.text(), None);
    }
}
