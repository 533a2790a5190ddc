//! What becomes of a ticket by time alone: somebody is reminded, it goes up, and
//! what waits for a customer who says nothing is closed. One of which something
//! was promised that cannot be done is opened again, and what was promised and is
//! not done after a day is asked for once more.

use aftercart::{
    messages::{Message, TicketNews, TicketSolved, TicketWhy},
    model::{
        care::CarePolicy,
        ticket::{DeskId, Ticket, TicketEntry, TicketEvent, TicketStatus, Took, Writer},
        time::{Period, Timestamp},
    },
};

use super::{changing, clock, opening, priority};

/// How long after it went up, or somebody was told that the time ran out, a
/// ticket that is still late is told of again: every day, until somebody acts.
/// So is one of which something that was asked for is not done.
const AGAIN: Period = Period::of_days(1);

/// A ticket after its time came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// The ticket.
    pub ticket: Ticket,
    /// What is noted of it. That a ticket is still late is noted once.
    pub entry: Option<TicketEntry>,
    /// Who is told.
    pub messages: Vec<Message>,
    /// Whether it is late since now.
    pub overdue: bool,
}

/// What time makes of a ticket; nothing, if its time has not come. A ticket whose
/// desk the policy does not have any more first comes to another one. `link` is the
/// page of the ticket.
#[must_use]
pub fn watch(ticket: &Ticket, policy: &CarePolicy, link: &str, now: Timestamp) -> Option<Watched> {
    ticket.due.filter(|due| *due <= now)?;
    if let Some(desk) = priority::stranded(&ticket.desk, policy) {
        return Some(take_in(ticket, desk, now));
    }
    let is_asked = clock::asked(ticket).next().is_some();
    let acts = clock::acts(ticket, policy).is_some_and(|acts| acts <= now);
    let watched = match ticket.status {
        _ if clock::let_down(ticket).is_some() => go_on(ticket, policy, now),
        // Who was promised something hears of it first.
        TicketStatus::Waiting if acts && !is_asked => close(ticket, link, now),
        TicketStatus::Open if ticket.deadline() <= now => escalate(ticket, policy, now),
        TicketStatus::Open if acts && ticket.reminders == 0 => remind(ticket, now),
        _ => quiet(ticket),
    };
    Some(ask_again(watched, policy, now))
}

/// Gives a ticket to a desk that there is. Whatever its time came for, the next
/// round sees to there.
fn take_in(ticket: &Ticket, desk: DeskId, now: Timestamp) -> Watched {
    let mut ticket = ticket.clone();
    (ticket.desk, ticket.assignee) = (desk.clone(), None);
    let event = TicketEvent::Assigned { desk, assignee: None };
    told(ticket, event, TicketWhy::Assigned, now)
}

/// Asks once more for what is not done in time, and tells the desk; and says when
/// somebody has to look at the ticket next.
fn ask_again(mut watched: Watched, policy: &CarePolicy, now: Timestamp) -> Watched {
    let ticket = &watched.ticket;
    let undone = || clock::asked(ticket).filter(|it| it.at.plus(clock::REMEDY_TIME) <= now);
    let asked: Vec<Message> =
        undone().filter_map(|it| changing::asked(ticket, &it.key, &it.kind)).collect();
    let told = undone().next().map(|_| opening::waits(ticket, TicketWhy::Undone));
    // When somebody is told of a late ticket again is decided already.
    if ticket.reminders < 2 {
        let remedies = clock::asked(ticket).map(|it| it.at.plus(clock::REMEDY_TIME));
        let again = told.as_ref().map(|_| now.plus(AGAIN));
        let times = clock::acts(ticket, policy).into_iter().chain(remedies).chain(again);
        let due = times.filter(|it| *it > now).min();
        watched.ticket.due = due;
    }
    watched.messages.extend(asked.into_iter().chain(told));
    watched
}

/// Opens a ticket again of which something was promised that cannot be done: it
/// is the shop's turn, and the clock runs.
fn go_on(ticket: &Ticket, policy: &CarePolicy, now: Timestamp) -> Watched {
    let mut ticket = ticket.clone();
    if ticket.status == TicketStatus::Solved {
        clock::reopen(&mut ticket, policy, now);
    } else {
        clock::resume(&mut ticket, policy, now);
    }
    told(ticket, TicketEvent::Reopened, TicketWhy::Reopened, now)
}

fn remind(ticket: &Ticket, now: Timestamp) -> Watched {
    let mut ticket = ticket.clone();
    ticket.reminders = 1;
    ticket.due = Some(ticket.deadline());
    told(ticket, TicketEvent::Reminded, TicketWhy::Reminder, now)
}

/// Gives a late ticket to the desk above, the first time and each time that it is
/// still late there. Where nobody is above, those who have it are told again.
fn escalate(ticket: &Ticket, policy: &CarePolicy, now: Timestamp) -> Watched {
    let mut late = ticket.clone();
    late.reminders = late.reminders.saturating_add(1).max(2);
    late.due = Some(clock::after(now, AGAIN, policy.hours.as_ref()).min(now.plus(A_WEEK)));
    let above = policy.desk(&ticket.desk).and_then(|desk| desk.escalates_to.clone());
    let overdue = ticket.reminders < 2;
    let watched = match above {
        Some(desk) => {
            (late.desk, late.assignee) = (desk.clone(), None);
            told(late, TicketEvent::Escalated { desk }, TicketWhy::Overdue, now)
        }
        None if overdue => told(late, TicketEvent::Reminded, TicketWhy::Overdue, now),
        None => {
            let messages = vec![opening::waits(&late, TicketWhy::Overdue)];
            Watched { messages, ..quiet(&late) }
        }
    };
    Watched { overdue, ..watched }
}

/// The longest time between two such words, however few the hours of service.
const A_WEEK: Period = Period::of_days(7);

/// Nothing, but that somebody looked.
fn quiet(ticket: &Ticket) -> Watched {
    Watched { ticket: ticket.clone(), entry: None, messages: Vec::new(), overdue: false }
}

fn told(mut ticket: Ticket, event: TicketEvent, why: TicketWhy, now: Timestamp) -> Watched {
    let mut entry = ticket.entry(now, Writer::Suite, Some(event));
    entry.internal = true;
    Watched {
        messages: vec![opening::waits(&ticket, why)],
        entry: Some(entry),
        ticket,
        overdue: false,
    }
}

/// Solves a ticket whose customer says nothing any more. The customer is told,
/// and asked whether it is solved as others are.
fn close(ticket: &Ticket, link: &str, now: Timestamp) -> Watched {
    let mut closed = ticket.clone();
    let waited_since = ticket.waiting_since.unwrap_or(now);
    let seconds = waited_since.unix_seconds().saturating_sub(ticket.opened_at.unix_seconds());
    // The time for which the customer was waited for is not the shop's.
    let took = Took { seconds, in_time: waited_since <= ticket.solve_by };
    closed.counted.solved.get_or_insert(took);
    closed.status = TicketStatus::Solved;
    (closed.solved_at, closed.waiting_since, closed.due) = (Some(now), None, None);
    let entry = closed.entry(now, Writer::Suite, Some(TicketEvent::Closed));
    let news = TicketNews {
        ticket: closed.id.clone(),
        entry: entry.number,
        email: closed.email.clone(),
        language: closed.language,
        text: None,
        solved: true,
        link: link.to_owned(),
    };
    let solved = TicketSolved { ticket: closed.id.clone(), at: now };
    let messages = vec![Message::TicketNews(news), Message::TicketSolved(solved)];
    Watched { ticket: closed, entry: Some(entry), messages, overdue: false }
}

#[cfg(test)]
mod tests {
    use aftercart::{
        messages::TicketWaits,
        model::{
            order::Actor,
            text::Text,
            ticket::{Outcome, Priority, Remedy, RemedyKind},
        },
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::sample;

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    fn new() -> (Ticket, Timestamp) {
        let now = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
        let mut ticket = sample::ticket(Priority::Normal, now);
        ticket.due = clock::due(&ticket, &sample::policy());
        (ticket, now)
    }

    fn why(watched: &Watched) -> Option<(TicketWhy, &str)> {
        watched.messages.iter().find_map(|message| match message {
            Message::TicketWaits(TicketWaits { why, desk, .. }) => Some((*why, desk.as_str())),
            _ => None,
        })
    }

    #[test]
    fn a_ticket_is_told_of_goes_up_and_is_told_of_every_day() {
        let (mut ticket, now) = new();
        let policy = sample::policy();
        ticket.assignee = Some(Text::new("ada").unwrap());
        assert_eq!(watch(&ticket, &policy, "", now.plus(period("44m"))), None);
        for (after, told, desk, event, overdue) in [
            ("45m", TicketWhy::Reminder, "parcels", Some(TicketEvent::Reminded), false),
            (
                "1h",
                TicketWhy::Overdue,
                "lead",
                Some(TicketEvent::Escalated { desk: policy.desks[3].id.clone() }),
                true,
            ),
            ("25h", TicketWhy::Overdue, "lead", None, false),
            ("49h", TicketWhy::Overdue, "lead", None, false),
        ] {
            let at = now.plus(period(after));
            assert_eq!(ticket.due, Some(at), "{after}");
            let watched = watch(&ticket, &policy, "", at).unwrap();
            assert_eq!(why(&watched), Some((told, desk)), "{after}");
            assert_eq!(watched.entry.as_ref().and_then(|it| it.event.clone()), event, "{after}");
            assert_eq!(watched.overdue, overdue, "{after}");
            ticket = watched.ticket;
        }
        assert_eq!(ticket.assignee, None, "nobody at the new desk has it yet");
        let solved = Ticket { status: TicketStatus::Solved, due: None, ..ticket };
        assert_eq!(watch(&solved, &policy, "", now.plus(period("9d"))), None);
    }

    #[test]
    fn a_ticket_of_a_desk_that_is_gone_comes_to_the_first_one_and_is_late_there() {
        let (ticket, now) = new();
        let policy = sample::policy();
        let gone = Ticket { desk: DeskId::parse("returns").unwrap(), ..ticket };
        let moved = watch(&gone, &policy, "", now.plus(period("2h"))).unwrap();
        assert_eq!(why(&moved), Some((TicketWhy::Assigned, "service")));
        let event = TicketEvent::Assigned { desk: policy.desks[0].id.clone(), assignee: None };
        assert_eq!(moved.entry.and_then(|it| it.event), Some(event));
        let late = watch(&moved.ticket, &policy, "", now.plus(period("2h"))).unwrap();
        assert_eq!(why(&late), Some((TicketWhy::Overdue, "lead")));
    }

    fn remedy(at: Timestamp) -> Remedy {
        Remedy {
            key: Text::new("a-key-of-a-remedy").unwrap(),
            kind: RemedyKind::Points { points: 5 },
            by: Actor::Rule,
            at,
            outcome: Outcome::Asked,
        }
    }

    fn kinds(watched: &Watched) -> Vec<&'static str> {
        watched.messages.iter().map(Message::kind).collect()
    }

    #[test]
    fn what_is_not_done_in_a_day_is_asked_for_again_each_day_wherever_the_ticket_stands() {
        let (ticket, now) = new();
        let policy = sample::policy();
        let open = Ticket { answered_at: Some(now), remedies: vec![remedy(now)], ..ticket };
        let solved = Ticket { status: TicketStatus::Solved, solved_at: Some(now), ..open.clone() };
        for mut ticket in [open, solved] {
            let status = ticket.status;
            ticket.due = clock::due(&ticket, &policy);
            for after in ["1d", "2d"] {
                let at = now.plus(period(after));
                assert_eq!(ticket.due, Some(at), "{after}");
                let watched = watch(&ticket, &policy, "", at).unwrap();
                assert_eq!(
                    kinds(&watched),
                    ["remedy.points_asked", "notification.ticket_waits"],
                    "{status:?} {after}"
                );
                assert_eq!(why(&watched), Some((TicketWhy::Undone, "parcels")));
                assert_eq!((watched.ticket.status, &watched.entry), (status, &None));
                ticket = watched.ticket;
            }
            // Once it is done nobody looks at it any more because of it.
            let done = Outcome::Done { at: now, reference: None };
            let done = ticket.settle("a-key-of-a-remedy", done).unwrap();
            let after = watch(&done, &policy, "", now.plus(period("3d"))).unwrap();
            assert!(!kinds(&after).contains(&"remedy.points_asked"));
            assert_eq!(after.ticket.due.is_none(), status == TicketStatus::Solved);
        }
    }

    #[test]
    fn nothing_is_closed_by_time_while_something_was_promised() {
        let (mut ticket, now) = new();
        let policy = sample::policy();
        (ticket.answered_at, ticket.remedies) = (Some(now), vec![remedy(now)]);
        clock::wait(&mut ticket, &policy, now);
        for day in 1..=8 {
            let at = now.plus(Period::of_days(day));
            assert_eq!(ticket.due, Some(at), "{day}");
            ticket = watch(&ticket, &policy, "", at).unwrap().ticket;
            assert_eq!(ticket.status, TicketStatus::Waiting, "{day}");
        }
        let done = Outcome::Done { at: now, reference: None };
        let done = ticket.settle("a-key-of-a-remedy", done).unwrap();
        let closed = watch(&done, &policy, "", now.plus(period("9d"))).unwrap();
        assert_eq!((closed.ticket.status, closed.ticket.due), (TicketStatus::Solved, None));
    }

    #[test]
    fn nobody_is_above_the_last_desk() {
        let (ticket, now) = new();
        let policy = sample::policy();
        let ticket = Ticket { desk: policy.desks[3].id.clone(), ..ticket };
        let watched = watch(&ticket, &policy, "", now.plus(period("2h"))).unwrap();
        assert_eq!(why(&watched), Some((TicketWhy::Overdue, "lead")), "the reminder came too late");
        assert_eq!(watched.entry.and_then(|it| it.event), Some(TicketEvent::Reminded));
        assert!(watched.overdue);
    }

    #[test]
    fn a_ticket_goes_on_when_what_was_promised_cannot_be_done() {
        let (mut waiting, now) = new();
        let policy = sample::policy();
        let (before, then) = (now.plus(period("1d")), now.plus(period("2d")));
        let refused = |at| Remedy {
            outcome: Outcome::Refused { at, why: Text::new("No.").unwrap() },
            ..remedy(now)
        };
        waiting.answered_at = Some(now);
        clock::wait(&mut waiting, &policy, before);
        (waiting.due, waiting.remedies) = (Some(then), vec![refused(then)]);
        let solved = Ticket {
            status: TicketStatus::Solved,
            solved_at: Some(before),
            waiting_since: None,
            ..waiting.clone()
        };
        for (ticket, due) in [(waiting, "4d"), (solved, "5d")] {
            assert_eq!(watch(&ticket, &policy, "", before), None, "its time has not come");
            assert_eq!(clock::due(&ticket, &policy), Some(then), "whatever is done meanwhile");
            let again = watch(&ticket, &policy, "", then).unwrap();
            assert_eq!(again.ticket.status, TicketStatus::Open);
            assert_eq!(again.ticket.solve_by, now.plus(period(due)));
            assert_eq!(why(&again), Some((TicketWhy::Reopened, "parcels")));
            let entry = again.entry.unwrap();
            assert!(entry.internal && entry.event == Some(TicketEvent::Reopened));
            // One that was refused before says nothing of a later solution.
            let settled = Ticket { remedies: vec![refused(now)], due: Some(then), ..ticket };
            let watched = watch(&settled, &policy, "", then).unwrap();
            assert_eq!((watched.ticket.status, watched.messages.len()), (settled.status, 0));
        }
    }

    #[test]
    fn what_waits_for_long_is_closed_and_counted_as_solved_when_the_shop_was_done() {
        let (mut ticket, now) = new();
        let policy = sample::policy();
        ticket.answered_at = Some(now);
        clock::wait(&mut ticket, &policy, now.plus(period("2d")));
        assert_eq!(watch(&ticket, &policy, "", now.plus(period("8d"))), None);
        let closed = watch(&ticket, &policy, "https://x/c/1", now.plus(period("9d"))).unwrap();
        assert_eq!(closed.ticket.status, TicketStatus::Solved);
        let took = Some(Took { seconds: 2 * 86_400, in_time: true });
        assert_eq!(closed.ticket.counted.solved, took);
        assert_eq!((closed.ticket.due, closed.messages.len()), (None, 2));
        clock::wait(&mut ticket, &policy, now.plus(period("3d")));
        ticket.counted.solved = took;
        let again = watch(&ticket, &policy, "", now.plus(period("10d"))).unwrap();
        assert_eq!(again.ticket.counted.solved, took, "the first time only");
    }

    proptest! {
        #[test]
        fn whatever_is_late_always_has_a_next_time(
            waits in proptest::collection::vec(0_u32..400_000, 1..30),
            closing in any::<bool>(),
            promised in any::<bool>(),
        ) {
            let (mut ticket, mut now) = new();
            let policy = sample::policy();
            if closing {
                clock::wait(&mut ticket, &policy, now);
            }
            if promised {
                ticket.remedies = vec![remedy(now)];
            }
            for wait in waits {
                now = now.plus(Period::of_seconds(wait));
                let before = ticket.clone();
                if let Some(watched) = watch(&ticket, &policy, "", now) {
                    prop_assert!(watched.ticket.due.is_none_or(|due| due > before.due.unwrap_or(now)));
                    prop_assert_eq!(watched.ticket.due.is_none(), watched.ticket.status == TicketStatus::Solved);
                    prop_assert_eq!(
                        watched.ticket.entries - before.entries,
                        u16::from(watched.entry.is_some())
                    );
                    ticket = watched.ticket;
                } else {
                    prop_assert!(ticket.status == TicketStatus::Solved || ticket.due > Some(now));
                }
            }
            prop_assert!(ticket.entries <= 4, "an opening, a reminder, an escalation, and no more");
        }
    }
}
