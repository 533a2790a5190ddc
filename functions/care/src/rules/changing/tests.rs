use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, ShipmentId},
    time::Period,
};
use proptest::prelude::*;

use super::*;
use crate::rules::sample;

const LINK: &str = "https://api.test/c/token";

fn at(minutes: u32) -> Timestamp {
    let opened = Timestamp::parse("2026-11-23T12:00:00Z").unwrap();
    opened.plus(Period::of_seconds(minutes * 60))
}

fn words(text: &str) -> Words {
    Text::new(text).unwrap()
}

fn ticket() -> Ticket {
    let mut ticket = sample::ticket(Priority::Normal, at(0));
    ticket.customer = CustomerId::member("ada").unwrap();
    ticket.links.order = Some(OrderId::derive(&["1"]));
    ticket
}

fn desk(id: &str) -> Option<DeskId> {
    Some(DeskId::parse(id).unwrap())
}

fn late() -> CauseCode {
    CauseCode::parse("late").unwrap()
}

fn remedy(kind: RemedyKind) -> Deed {
    Deed::Remedy { key: Text::new("a-key-of-a-remedy").unwrap(), kind }
}

fn doing(deed: Deed, minutes: u32) -> Doing {
    let by = match deed {
        Deed::Write { .. } | Deed::Confirm => Writer::Customer,
        _ => Writer::Operator(Text::new("eve").unwrap()),
    };
    Doing { deed, by, at: at(minutes), request: None }
}

fn done(ticket: &Ticket, deed: Deed, minutes: u32) -> Result<Option<Changed>, Refusal> {
    done_after(ticket, &[], deed, minutes)
}

/// The same of a ticket that has these entries.
fn done_after(
    ticket: &Ticket,
    entries: &[TicketEntry],
    deed: Deed,
    minutes: u32,
) -> Result<Option<Changed>, Refusal> {
    change(ticket, entries, &doing(deed, minutes), &sample::policy(), LINK)
}

/// The ticket after all of this, a minute each.
fn after(mut ticket: Ticket, deeds: impl IntoIterator<Item = Deed>) -> Ticket {
    for (minute, deed) in (1..).zip(deeds) {
        ticket = done(&ticket, deed, minute).unwrap().unwrap().ticket;
    }
    ticket
}

fn solve() -> Deed {
    Deed::Solve { cause: late(), text: None }
}

fn reply(waits: bool) -> Deed {
    Deed::Reply { text: words("We look into it."), waits }
}

fn kinds(changed: &Changed) -> Vec<&'static str> {
    changed.messages.iter().map(Message::kind).collect()
}

#[test]
fn the_first_answer_is_noted_told_and_counted_once() {
    let first = done(&ticket(), reply(false), 30).unwrap().unwrap();
    assert_eq!(first.ticket.answered_at, Some(at(30)));
    assert_eq!(first.ticket.status, TicketStatus::Open);
    let took = Some(Took { seconds: 1_800, in_time: true });
    assert_eq!(first.ticket.counted.answered, took);
    let [Message::TicketNews(news)] = &first.messages[..] else { panic!() };
    assert_eq!((news.entry, news.solved, news.link.as_str()), (2, false, LINK));
    assert_eq!(news.text, Some(words("We look into it.")));
    assert!(!first.entry.internal);
    let second = done(&first.ticket, reply(true), 40).unwrap().unwrap();
    assert_eq!(
        (second.ticket.status, second.ticket.answered_at),
        (TicketStatus::Waiting, Some(at(30)))
    );
    assert_eq!(second.ticket.counted.answered, took);
    let late = done(&ticket(), reply(false), 61).unwrap().unwrap();
    let took = Some(Took { seconds: 3_660, in_time: false });
    assert_eq!(late.ticket.counted.answered, took);
}

#[test]
fn the_first_answer_after_the_customer_confirmed_is_counted() {
    let confirmed = after(ticket(), [Deed::Confirm]);
    assert_eq!(confirmed.counted.answered, None, "the shop had said nothing");
    let again = done(&confirmed, Deed::Write { text: words("After all.") }, 100).unwrap().unwrap();
    let answered = done(&again.ticket, reply(false), 130).unwrap().unwrap();
    let took = Some(Took { seconds: 7_800, in_time: true });
    assert_eq!(answered.ticket.counted.answered, took);
}

#[test]
fn a_solution_is_an_answer_and_has_the_customer_asked() {
    let solved = done(&ticket(), solve(), 50).unwrap().unwrap();
    assert_eq!((solved.ticket.status, solved.ticket.due), (TicketStatus::Solved, None));
    assert_eq!(solved.ticket.cause, Some(late()));
    let (counted, took) = (&solved.ticket.counted, Some(Took { seconds: 3_000, in_time: true }));
    assert_eq!((counted.answered, counted.solved), (took, took));
    assert_eq!(kinds(&solved), ["ticket.solved", "notification.ticket_news"]);
    assert_eq!(done(&solved.ticket, solve(), 51), Ok(None), "it is so already");
    let no = CauseCode::parse("weather").unwrap();
    let refused = done(&ticket(), Deed::Solve { cause: no.clone(), text: None }, 1);
    assert_eq!(refused, Err(Refusal::UnknownCause(no)));
}

#[test]
fn a_customer_who_writes_on_a_solved_ticket_opens_it_again() {
    let solved = after(ticket(), [solve()]);
    let write = || Deed::Write { text: words("It is still broken.") };
    let again = done(&solved, write(), 100).unwrap().unwrap();
    assert_eq!((again.ticket.status, again.ticket.reopened), (TicketStatus::Open, 1));
    assert_eq!(again.ticket.answer_by, at(160), "an answer is due anew");
    assert_eq!(again.entry.event, Some(TicketEvent::Reopened));
    assert_eq!(kinds(&again), ["notification.ticket_waits"]);
    // What happens a second time is not counted again.
    let twice = done(&again.ticket, solve(), 110).unwrap().unwrap();
    assert_eq!(twice.ticket.counted, solved.counted);
    let thrice = done(&twice.ticket, Deed::Reopen { text: None }, 120).unwrap().unwrap();
    assert_eq!(thrice.ticket.reopened, 2);
    assert!(thrice.entry.internal);
    assert_eq!(done(&thrice.ticket, Deed::Reopen { text: None }, 121), Ok(None));
}

#[test]
fn a_word_of_the_customer_ends_the_wait_and_a_yes_the_ticket() {
    let waiting = after(ticket(), [reply(true)]);
    let written = done(&waiting, Deed::Write { text: words("Blue.") }, 61).unwrap().unwrap();
    assert_eq!((written.ticket.status, written.ticket.waiting_since), (TicketStatus::Open, None));
    assert_eq!(written.ticket.solve_by, at(3 * 1_440 + 60), "it stood still for an hour");
    let [Message::TicketWaits(waits)] = &written.messages[..] else { panic!() };
    assert_eq!((waits.why, waits.due), (TicketWhy::Written, written.ticket.solve_by));
    let yes = done(&written.ticket, Deed::Confirm, 70).unwrap().unwrap();
    assert_eq!((yes.ticket.status, yes.ticket.cause.as_ref()), (TicketStatus::Solved, None));
    assert_eq!(kinds(&yes), ["ticket.solved"]);
    let noted = done(&yes.ticket, Deed::Confirm, 71).unwrap().unwrap();
    assert!(noted.messages.is_empty());
    assert_eq!(noted.ticket.solved_at, yes.ticket.solved_at);
}

#[test]
fn what_a_customer_writes_is_masked_and_an_alarm_in_it_makes_it_urgent() {
    let write = |text| done(&ticket(), Deed::Write { text: words(text) }, 5).unwrap().unwrap();
    let masked = write("Mail me: bob@example.com");
    assert_eq!(masked.entry.text, Some(words("Mail me: [mail]")));
    assert_eq!(masked.ticket.priority, Priority::Normal);
    let alarmed = write("I was injured, and there is a 召回");
    assert_eq!((alarmed.ticket.priority, alarmed.ticket.answer_by), (Priority::Urgent, at(20)));
    assert!(alarmed.ticket.alarms.contains(&sample::text("recall")));
    let [Message::TicketWaits(waits)] = &alarmed.messages[..] else { panic!() };
    assert_eq!(waits.priority, Priority::Urgent);
}

#[test]
fn a_ticket_goes_to_a_desk_that_there_is() {
    let eve = || Some(Text::new("eve").unwrap());
    let given = done(&ticket(), Deed::Assign { desk: None, assignee: eve() }, 1).unwrap().unwrap();
    assert_eq!((given.ticket.desk.as_str(), given.ticket.assignee.clone()), ("parcels", eve()));
    assert!(given.entry.internal);
    assert_eq!(kinds(&given), ["notification.ticket_waits"]);
    let same = Deed::Assign { desk: desk("parcels"), assignee: eve() };
    assert_eq!(done(&given.ticket, same, 2), Ok(None));
    let moved = Deed::Assign { desk: desk("lead"), assignee: None };
    let moved = done(&given.ticket, moved, 2).unwrap().unwrap().ticket;
    assert_eq!((moved.desk.as_str(), moved.assignee), ("lead", None));
    let nowhere = Deed::Assign { desk: desk("moon"), assignee: None };
    let refusal = Refusal::UnknownDesk(DeskId::parse("moon").unwrap());
    assert_eq!(done(&given.ticket, nowhere, 2), Err(refusal));
}

#[test]
fn what_is_more_urgent_is_due_sooner_and_its_desk_is_told() {
    let urgent = Deed::Prioritise { priority: Priority::Urgent };
    let raised = done(&ticket(), urgent.clone(), 5).unwrap().unwrap();
    assert_eq!((raised.ticket.answer_by, raised.ticket.solve_by), (at(20), at(1_445)));
    let [Message::TicketWaits(waits)] = &raised.messages[..] else { panic!() };
    assert_eq!((waits.why, waits.due), (TicketWhy::Raised, at(20)));
    assert_eq!(done(&raised.ticket, urgent, 6), Ok(None));
    let low = Deed::Prioritise { priority: Priority::Low };
    let lowered = done(&raised.ticket, low, 6).unwrap().unwrap();
    assert!(lowered.messages.is_empty());
    assert_eq!(lowered.ticket.answer_by, at(240), "since the clock runs");
}

#[test]
fn a_priority_neither_clears_what_was_missed_nor_has_the_clock_begin_anew() {
    let low = || Deed::Prioritise { priority: Priority::Low };
    let in_time = done(&ticket(), low(), 30).unwrap().unwrap().ticket;
    assert_eq!((in_time.answer_by, in_time.due), (at(240), Some(at(180))));
    let late = Ticket { reminders: 2, due: Some(at(1_500)), ..ticket() };
    let lowered = done(&late, low(), 61).unwrap().unwrap().ticket;
    assert_eq!((lowered.priority, lowered.answer_by), (Priority::Low, at(60)));
    assert_eq!((lowered.reminders, lowered.due), (2, Some(at(1_500))), "it is told of as before");
    let high = Deed::Prioritise { priority: Priority::High };
    let raised = done(&ticket(), high, 30).unwrap().unwrap().ticket;
    assert_eq!(raised.answer_by, at(60), "no later than it was");
}

#[test]
fn while_it_waits_the_clock_stands_for_priorities_alarms_and_solutions() {
    let waiting = || after(ticket(), [reply(true)]);
    let solve_by = at(61 + 1_440);
    // An hour after the clock stopped, which was a minute after it began.
    let injured = Deed::Write { text: words("I was injured.") };
    let alarmed = done(&waiting(), injured, 61).unwrap().unwrap().ticket;
    assert_eq!((alarmed.priority, alarmed.solve_by), (Priority::Urgent, solve_by));
    assert_eq!(alarmed.status, TicketStatus::Open);
    let urgent = Deed::Prioritise { priority: Priority::Urgent };
    let raised = done(&waiting(), urgent, 31).unwrap().unwrap().ticket;
    assert_eq!((raised.status, raised.due), (TicketStatus::Waiting, waiting().due));
    let on = done(&raised, Deed::Write { text: words("Well?") }, 61).unwrap().unwrap().ticket;
    assert_eq!(on.solve_by, solve_by);
    // Five days later, of which the shop took a minute.
    for deed in [Deed::Confirm, solve()] {
        let solved = done(&waiting(), deed, 5 * 1_440).unwrap().unwrap().ticket;
        assert!(solved.counted.solved.unwrap().in_time);
        assert_eq!(solved.waiting_since, None);
    }
}

#[test]
fn a_solved_ticket_is_explained_without_a_word_to_its_customer() {
    let confirmed = after(ticket(), [Deed::Confirm]);
    let explained = done(&confirmed, solve(), 9).unwrap().unwrap();
    let event = TicketEvent::Explained { cause: late() };
    assert_eq!(explained.entry.event, Some(event));
    assert!(explained.entry.internal && explained.messages.is_empty());
    let solved = Ticket { cause: Some(late()), entries: 3, ..confirmed };
    assert_eq!(explained.ticket, solved, "nothing else is different");
    assert_eq!(done(&solved, solve(), 10), Ok(None));
    let wrong = Ticket { cause: CauseCode::parse("weather").ok(), ..solved };
    assert_eq!(done(&wrong, solve(), 10).unwrap().unwrap().ticket.cause, Some(late()));
}

#[test]
fn words_that_nobody_would_read_are_refused_and_the_same_again_is_known() {
    let said = |text: &str| Deed::Solve { cause: late(), text: Some(words(text)) };
    let why = |text: &str| Deed::Reopen { text: Some(words(text)) };
    let solved = done(&ticket(), said("A new one comes."), 5).unwrap().unwrap();
    let entries = [solved.entry];
    let again = |deed| done_after(&solved.ticket, &entries, deed, 6);
    assert_eq!(again(said("A new one comes.")), Ok(None));
    assert_eq!(again(said("No, another one.")), Err(Refusal::Solved));
    let opened = done(&solved.ticket, why("It came back."), 7).unwrap().unwrap();
    let [solution] = entries;
    let entries = [solution, opened.entry];
    let again = |deed| done_after(&opened.ticket, &entries, deed, 8);
    assert_eq!(again(why("It came back.")), Ok(None));
    assert_eq!(again(why("She called.")), Err(Refusal::Open));
    assert_eq!(again(Deed::Reopen { text: None }), Ok(None));
    assert!(again(said("A new one comes.")).unwrap().is_some(), "it is solved once more");
}

#[test]
fn a_ticket_of_a_desk_that_is_gone_is_acted_on_at_the_first_one() {
    let gone = Ticket { desk: DeskId::parse("returns").unwrap(), ..ticket() };
    let eve = Text::new("eve").ok();
    let given = Deed::Assign { desk: None, assignee: eve.clone() };
    let given = done(&gone, given, 1).unwrap().unwrap().ticket;
    assert_eq!((given.desk.as_str(), given.assignee), ("service", eve));
    let written = done(&gone, Deed::Write { text: words("Well?") }, 1).unwrap().unwrap();
    let [Message::TicketWaits(waits)] = &written.messages[..] else { panic!() };
    assert_eq!(waits.desk.as_str(), "service");
}

#[test]
fn somebody_looks_after_a_remedy_wherever_the_ticket_stands() {
    let points = || remedy(RemedyKind::Points { points: 5 });
    for (ticket, due) in [
        (ticket(), at(45)),
        (after(ticket(), [reply(false)]), at(9 + 1_440)),
        (after(ticket(), [reply(true)]), at(9 + 1_440)),
        (after(ticket(), [solve()]), at(9 + 1_440)),
    ] {
        let asked = done(&ticket, points(), 9).unwrap().unwrap().ticket;
        assert_eq!(asked.due, Some(due), "{:?}", ticket.status);
    }
    let promised = after(ticket(), [points(), solve()]);
    assert_eq!(promised.due, Some(at(1 + 1_440)), "a solution does not do what was promised");
}

#[test]
fn a_remedy_is_asked_of_who_has_the_thing() {
    let goodwill = serde_json::from_value(serde_json::json!({ "amount": 500, "currency": "GBP" }));
    for (kind, message) in [
        (RemedyKind::Points { points: 500 }, "remedy.points_asked"),
        (
            RemedyKind::Refund {
                lines: Default::default(),
                delivery: false,
                goodwill: Some(goodwill.unwrap()),
            },
            "remedy.refund_asked",
        ),
        (RemedyKind::Reship { shipment: ShipmentId::derive(&["1"]) }, "remedy.reship_asked"),
        (RemedyKind::CallBack { phone: None }, "notification.call_wanted"),
    ] {
        let asked = done(&ticket(), remedy(kind.clone()), 9).unwrap().unwrap();
        assert_eq!(kinds(&asked), [message]);
        let made = asked.ticket.remedies.last().unwrap();
        assert_eq!((&made.kind, &made.outcome), (&kind, &Outcome::Asked));
        assert!(asked.voucher.is_none());
    }
    let coupon = RemedyKind::Coupon {
        rule: RuleId::parse("sorry").unwrap(),
        lasts: Some(Period::of_days(30)),
    };
    let given = done(&ticket(), remedy(coupon), 9).unwrap().unwrap();
    let voucher = given.voucher.clone().unwrap();
    assert_eq!(voucher.expires_at, Some(at(9).plus(Period::of_days(30))));
    assert_eq!(given.ticket.links.vouchers, std::slice::from_ref(&voucher.id));
    let reference = Text::new(voucher.id.as_str()).ok();
    assert_eq!(given.ticket.remedies[0].outcome, Outcome::Done { at: at(9), reference });
    assert_eq!(kinds(&given), ["notification.ticket_news"], "it is there, and the customer told");
}

#[test]
fn a_remedy_that_cannot_be_is_refused() {
    let guest = Ticket { customer: CustomerId::guest("k"), ..ticket() };
    let about_nothing = Ticket { links: Default::default(), ..ticket() };
    let full = after(
        ticket(),
        (0..MAX_REMEDIES).map(|number| Deed::Remedy {
            key: Text::new(&format!("a-key-of-a-remedy-{number}")).unwrap(),
            kind: RemedyKind::CallBack { phone: None },
        }),
    );
    let points = RemedyKind::Points { points: 5 };
    let nothing =
        || RemedyKind::Refund { lines: Default::default(), delivery: false, goodwill: None };
    let delivery = RemedyKind::Refund { lines: Default::default(), delivery: true, goodwill: None };
    for (ticket, kind, refusal) in [
        (&guest, points.clone(), Refusal::MembersOnly),
        (&ticket(), RemedyKind::Points { points: 0 }, Refusal::Nothing),
        (&ticket(), nothing(), Refusal::Nothing),
        (&about_nothing, delivery, Refusal::NoOrder),
        (&about_nothing, RemedyKind::CallBack { phone: None }, Refusal::NoOrder),
        (&full, points, Refusal::TooMany),
    ] {
        assert_eq!(done(ticket, remedy(kind.clone()), 1), Err(refusal), "{kind:?}");
    }
}

#[test]
fn a_call_is_done_when_somebody_notes_it() {
    let key = Text::new("a-key-of-a-remedy").unwrap();
    let asked = after(ticket(), [remedy(RemedyKind::CallBack { phone: None })]);
    let note = |called: Option<Text<128>>| Deed::Note { text: words("Called her."), called };
    let called = done(&asked, note(Some(key.clone())), 7).unwrap().unwrap();
    assert_eq!(called.ticket.remedies[0].outcome, Outcome::Done { at: at(7), reference: None });
    assert!(called.entry.internal && called.messages.is_empty());
    for ticket in [&called.ticket, &ticket()] {
        assert_eq!(done(ticket, note(Some(key.clone())), 8), Err(Refusal::NoCall));
    }
}

#[test]
fn a_call_is_known_by_its_key_and_what_it_said() {
    let request = |key: &str, said: &str| (Text::new(key).unwrap(), Text::new(said).unwrap());
    let doing = Doing { request: Some(request("a", "1")), ..doing(reply(false), 1) };
    let changed = change(&ticket(), &[], &doing, &sample::policy(), LINK).unwrap().unwrap();
    let entries = [changed.entry];
    assert_eq!(known(&entries, &request("a", "1")), Ok(Some(&entries[0])));
    assert_eq!(known(&entries, &request("b", "1")), Ok(None));
    assert_eq!(known(&entries, &request("a", "2")), Err(Refusal::KeyReused));
}

#[test]
fn a_full_ticket_takes_no_words_and_can_be_solved() {
    let full = Ticket { entries: MAX_ENTRIES, ..ticket() };
    for deed in [
        reply(false),
        Deed::Write { text: words("Hello?") },
        Deed::Assign { desk: desk("lead"), assignee: None },
        Deed::Prioritise { priority: Priority::High },
    ] {
        assert_eq!(done(&full, deed, 1), Err(Refusal::Full));
    }
    assert!(done(&full, solve(), 1).unwrap().is_some());
    let solved = Ticket { status: TicketStatus::Solved, ..full };
    for deed in [reply(true), Deed::Assign { desk: desk("lead"), assignee: None }] {
        let refused = done(&Ticket { entries: 3, ..solved.clone() }, deed, 1);
        assert_eq!(refused, Err(Refusal::Solved));
    }
    assert_eq!(done(&solved, Deed::Confirm, 1), Err(Refusal::Full));
}

fn deeds() -> impl Strategy<Value = Deed> {
    prop_oneof![
        any::<bool>().prop_map(reply),
        Just(Deed::Note { text: words("Looked."), called: None }),
        Just(Deed::Prioritise { priority: Priority::High }),
        Just(Deed::Prioritise { priority: Priority::Low }),
        Just(Deed::Assign { desk: desk("lead"), assignee: None }),
        Just(remedy(RemedyKind::Points { points: 5 })),
        Just(solve()),
        Just(Deed::Reopen { text: None }),
        Just(Deed::Write { text: words("Well?") }),
        Just(Deed::Confirm),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_a_ticket_stays_whole(
        deeds in proptest::collection::vec((deeds(), 0_u32..2_000), 0..25),
    ) {
        let (mut ticket, mut minute) = (ticket(), 0);
        for (deed, wait) in deeds {
            minute += wait;
            let Ok(Some(changed)) = done(&ticket, deed, minute) else { continue };
            prop_assert_eq!(changed.entry.number, ticket.entries + 1);
            prop_assert_eq!(changed.ticket.entries, changed.entry.number);
            let is_over = changed.ticket.status == TicketStatus::Solved
                && clock::asked(&changed.ticket).next().is_none();
            prop_assert_eq!(changed.ticket.due.is_none(), is_over);
            let told = changed.messages.iter().any(|it| matches!(it, Message::TicketNews(_)));
            prop_assert!(!told || !changed.entry.internal, "what is told can be read");
            // Each is counted once, and no more are opened again than were solved.
            let (before, counted) = (&ticket.counted, &changed.ticket.counted);
            prop_assert!(before.answered.is_none() || before.answered == counted.answered);
            prop_assert!(before.solved.is_none() || before.solved == counted.solved);
            prop_assert!(changed.ticket.reopened == 0 || counted.solved.is_some());
            ticket = changed.ticket;
        }
    }
}
