//! The clock of a ticket: by when the customer has an answer and a solution.
//!
//! Targets count the hours of service only, if the policy has any, from when the
//! ticket was opened, or opened again. While it waits for the customer the clock
//! stands still. What is due next is a reminder a quarter of the
//! target before a deadline, then the deadline itself. A remedy that was asked for
//! has a time of its own, whatever the ticket waits for.

use aftercart::model::{
    care::{CarePolicy, ServiceHours},
    ticket::{Outcome, Priority, Remedy, Ticket, TicketStatus},
    time::{Date, Period, Timestamp},
};

/// How many days ahead the hours of service are counted. What would take longer
/// ends then; a policy's targets are at most 90 days.
const MOST_DAYS: usize = 3_660;

/// Which part of a target is left when somebody is reminded: the reminder about
/// an answer within the hour comes a quarter of an hour before.
const LAST_PART: u32 = 4;

/// How long a remedy may take until somebody asks what became of it: what is
/// carried out by itself takes seconds, also when it comes again for hours, and
/// a call is made within a day.
pub const REMEDY_TIME: Period = Period::of_days(1);

/// The moment at which so much time of service has gone by. Never before the
/// first moment of service that follows.
#[must_use]
pub fn after(from: Timestamp, period: Period, hours: Option<&ServiceHours>) -> Timestamp {
    let Some(hours) = hours else {
        return from.plus(period);
    };
    let mut left = period.seconds().saturating_mul(1_000);
    let mut date = from.date_in(&hours.calendar.zone);
    for _ in 0..MOST_DAYS {
        if let Some((opens, closes)) = open_on(date, hours) {
            let start = opens.max(from).unix_millis();
            let open = closes.unix_millis().saturating_sub(start).max(0);
            if open > 0 && left <= open {
                return Timestamp::from_unix_millis(start.saturating_add(left)).unwrap_or(closes);
            }
            left -= open;
        }
        date = date.plus_days(1);
    }
    date.at(hours.from, &hours.calendar.zone).unwrap_or(Timestamp::LAST)
}

/// How much time of service there is between two moments, in whole seconds.
#[must_use]
pub fn between(from: Timestamp, to: Timestamp, hours: Option<&ServiceHours>) -> Period {
    let millis = match hours {
        None => to.unix_millis().saturating_sub(from.unix_millis()),
        Some(hours) => {
            let first = from.date_in(&hours.calendar.zone);
            let last = to.date_in(&hours.calendar.zone);
            let dates = std::iter::successors(Some(first), |date| Some(date.plus_days(1)));
            let spans = dates.take_while(|date| *date <= last).take(MOST_DAYS);
            let open = spans.filter_map(|date| open_on(date, hours)).map(|(opens, closes)| {
                let (opens, closes) = (opens.max(from), closes.min(to));
                closes.unix_millis().saturating_sub(opens.unix_millis()).max(0)
            });
            open.fold(0, i64::saturating_add)
        }
    };
    Period::of_seconds(u32::try_from((millis / 1_000).max(0)).unwrap_or(u32::MAX))
}

/// From when until when there is service on a date, if there is.
fn open_on(date: Date, hours: &ServiceHours) -> Option<(Timestamp, Timestamp)> {
    let at = |time| date.at(time, &hours.calendar.zone).ok();
    hours.calendar.works(date).then_some(())?;
    Some((at(hours.from)?, at(hours.until)?))
}

/// By when a ticket of a priority has to be answered and solved whose time
/// begins now.
#[must_use]
pub fn deadlines(
    policy: &CarePolicy,
    priority: Priority,
    now: Timestamp,
) -> (Timestamp, Timestamp) {
    let (target, hours) = (policy.target(priority), policy.hours.as_ref());
    (after(now, target.answer, hours), after(now, target.solve, hours))
}

/// When somebody has to look at a ticket next, if nothing happens. Call it after
/// each change that moves a deadline or the status, with the reminders at 0; what
/// is due after the deadline was missed, the watch decides.
#[must_use]
pub fn due(ticket: &Ticket, policy: &CarePolicy) -> Option<Timestamp> {
    let remedies = asked(ticket).map(|it| it.at.plus(REMEDY_TIME));
    acts(ticket, policy).into_iter().chain(remedies).min()
}

/// The remedies that were asked for and of which nobody knows what became.
pub fn asked(ticket: &Ticket) -> impl Iterator<Item = &Remedy> {
    ticket.remedies.iter().filter(|it| it.outcome == Outcome::Asked)
}

/// When something that was asked for turned out to be impossible since the ticket
/// was solved, or began to wait for its customer, if something did.
#[must_use]
pub fn let_down(ticket: &Ticket) -> Option<Timestamp> {
    let since = match ticket.status {
        TicketStatus::Solved => ticket.solved_at?,
        TicketStatus::Waiting => ticket.waiting_since?,
        TicketStatus::Open => return None,
    };
    let refused = ticket.remedies.iter().filter_map(|it| match it.outcome {
        Outcome::Refused { at, .. } => Some(at),
        Outcome::Asked | Outcome::Done { .. } => None,
    });
    refused.filter(|at| *at >= since).min()
}

/// When time alone makes something of a ticket: somebody is reminded, it is late,
/// or it is closed, or opened again at once when it was let down. Otherwise never,
/// if it is solved.
#[must_use]
pub fn acts(ticket: &Ticket, policy: &CarePolicy) -> Option<Timestamp> {
    match ticket.status {
        TicketStatus::Solved => let_down(ticket),
        TicketStatus::Waiting => {
            let since = ticket.waiting_since.unwrap_or(ticket.opened_at);
            let_down(ticket).or(Some(since.plus(policy.closes_after)))
        }
        TicketStatus::Open if ticket.reminders == 0 => {
            let target = policy.target(ticket.priority);
            let whole = if ticket.answered_at.is_none() { target.answer } else { target.solve };
            let last = u32::try_from(whole.seconds()).unwrap_or(u32::MAX) / LAST_PART;
            Some(ticket.deadline().minus(Period::of_seconds(last)))
        }
        TicketStatus::Open => Some(ticket.deadline()),
    }
}

/// Stops the clock: the customer is to say something, and the ticket is closed
/// when nothing comes. A ticket that waits already waits from now.
pub fn wait(ticket: &mut Ticket, policy: &CarePolicy, now: Timestamp) {
    resume(ticket, policy, now);
    ticket.status = TicketStatus::Waiting;
    ticket.waiting_since = Some(now);
    ticket.due = due(ticket, policy);
}

/// Has the clock go on after the customer said something: what was left of the
/// time of service to solve it is left still. Of a ticket that does not wait,
/// only the reminders begin anew.
pub fn resume(ticket: &mut Ticket, policy: &CarePolicy, now: Timestamp) {
    let hours = policy.hours.as_ref();
    if let Some(since) = ticket.waiting_since.take() {
        let waited = between(since, now, hours);
        ticket.clock_from = after(ticket.clock_from, waited, hours);
        ticket.answer_by = after(ticket.answer_by, waited, hours);
        ticket.solve_by = after(ticket.solve_by, waited, hours);
    }
    ticket.status = TicketStatus::Open;
    ticket.reminders = 0;
    ticket.due = due(ticket, policy);
}

/// Has a ticket seen to sooner or later; gives whether that is sooner. What is made
/// more urgent is due no later than it was, and its target begins now: nobody is
/// late by it at once. What is made less urgent has the longer target from when its
/// clock began. A deadline that was missed stays missed, and the reminders go on.
/// While the ticket waits, its clock stands where it stopped.
pub fn prioritise(
    ticket: &mut Ticket,
    policy: &CarePolicy,
    priority: Priority,
    now: Timestamp,
) -> bool {
    let now = ticket.waiting_since.unwrap_or(now);
    let (before, is_sooner) = (ticket.deadline(), priority < ticket.priority);
    let from = if is_sooner { now } else { ticket.clock_from };
    let (answer, solve) = deadlines(policy, priority, from);
    let pick = |old: Timestamp, new: Timestamp| match is_sooner {
        true => old.min(new),
        false if old <= now => old,
        false => old.max(new),
    };
    ticket.priority = priority;
    ticket.answer_by = pick(ticket.answer_by, answer);
    ticket.solve_by = pick(ticket.solve_by, solve);
    if ticket.deadline() != before {
        ticket.reminders = 0;
        ticket.due = due(ticket, policy);
    }
    is_sooner
}

/// Opens a solved ticket again: the customer has an answer and a solution as if
/// it were new.
pub fn reopen(ticket: &mut Ticket, policy: &CarePolicy, now: Timestamp) {
    ticket.reopened = ticket.reopened.saturating_add(1);
    ticket.answered_at = None;
    ticket.waiting_since = None;
    ticket.clock_from = now;
    (ticket.answer_by, ticket.solve_by) = deadlines(policy, ticket.priority, now);
    resume(ticket, policy, now);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::sample;

    fn hours() -> ServiceHours {
        serde_json::from_value(serde_json::json!({
            "calendar": {
                "zone": "Europe/Berlin",
                "working": ["mon", "tue", "wed", "thu", "fri"],
                "holidays": ["2026-12-25"],
            },
            "from": "09:00",
            "until": "17:00",
        }))
        .unwrap()
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    #[test]
    fn only_hours_of_service_count() {
        for (from, target, by) in [
            // A Monday in winter: Berlin is an hour ahead of UTC.
            ("2026-11-23T09:00:00Z", "1h", "2026-11-23T10:00:00.000Z"),
            ("2026-11-23T03:00:00Z", "1h", "2026-11-23T09:00:00.000Z"),
            ("2026-11-23T15:30:00Z", "1h", "2026-11-24T08:30:00.000Z"),
            ("2026-11-23T15:00:00Z", "1h", "2026-11-23T16:00:00.000Z"),
            // A Friday: the rest is counted on Monday.
            ("2026-11-27T15:30:00Z", "8h", "2026-11-30T15:30:00.000Z"),
            ("2026-11-28T12:00:00Z", "0s", "2026-11-30T08:00:00.000Z"),
            // A holiday, and a weekend after it.
            ("2026-12-24T15:00:00Z", "2h", "2026-12-28T09:00:00.000Z"),
            // The clocks go forward on 29 March 2026.
            ("2026-03-27T15:00:00Z", "2h", "2026-03-30T08:00:00.000Z"),
        ] {
            let by_then = after(at(from), period(target), Some(&hours())).to_string();
            assert_eq!(by_then, by, "{from} + {target}");
        }
        assert_eq!(
            after(at("2026-11-28T12:00:00Z"), period("1h"), None),
            at("2026-11-28T13:00:00Z")
        );
        let never = ServiceHours { until: hours().from, ..hours() };
        assert!(
            after(at("2026-11-28T12:00:00Z"), period("1h"), Some(&never))
                > at("2036-01-01T00:00:00Z")
        );
    }

    #[test]
    fn reminders_come_before_deadlines_and_waiting_stops_the_clock() {
        let (policy, now) = (sample::policy(), at("2026-11-23T12:00:00Z"));
        let mut ticket = sample::ticket(Priority::Normal, now);
        assert_eq!(ticket.answer_by, now.plus(period("1h")));
        assert_eq!(due(&ticket, &policy), Some(now.plus(period("45m"))));
        ticket.reminders = 1;
        assert_eq!(due(&ticket, &policy), Some(now.plus(period("1h"))));
        let answered = now.plus(period("30m"));
        (ticket.answered_at, ticket.reminders) = (Some(answered), 0);
        assert_eq!(due(&ticket, &policy), Some(now.plus(period("54h"))));
        wait(&mut ticket, &policy, answered);
        assert_eq!(ticket.due, Some(answered.plus(period("7d"))));
        let asked_again = answered.plus(period("1d"));
        wait(&mut ticket, &policy, asked_again);
        assert_eq!(ticket.due, Some(asked_again.plus(period("7d"))));
        resume(&mut ticket, &policy, asked_again.plus(period("1d")));
        assert_eq!((ticket.status, ticket.waiting_since), (TicketStatus::Open, None));
        assert_eq!(ticket.solve_by, now.plus(period("5d")), "two days later");
        (ticket.status, ticket.solved_at) = (TicketStatus::Solved, Some(now));
        assert_eq!(due(&ticket, &policy), None);
        let again = now.plus(period("5d"));
        reopen(&mut ticket, &policy, again);
        assert_eq!((ticket.status, ticket.answered_at), (TicketStatus::Open, None));
        assert_eq!(ticket.deadline(), again.plus(period("1h")));
        assert_eq!(ticket.solve_by, again.plus(period("3d")));
        assert_eq!((ticket.clock_from, ticket.reopened), (again, 1));
    }

    proptest! {
        #[test]
        fn time_of_service_adds_up(
            start in 1_767_225_600_i64..1_798_761_600,
            first in 0_u32..2_000_000,
            second in 1_u32..2_000_000,
            serves in any::<bool>(),
        ) {
            let hours = serves.then(hours);
            let hours = hours.as_ref();
            let from = Timestamp::from_unix_seconds(start).unwrap();
            let [one, two, both] =
                [first, second, first + second].map(Period::of_seconds);
            let then = after(from, one, hours);
            prop_assert!(then >= from);
            prop_assert_eq!(after(then, two, hours), after(from, both, hours));
            prop_assert_eq!(between(from, then, hours), one);
            prop_assert!(between(from, then.minus(Period::of_seconds(1)), hours) <= one);
        }

        #[test]
        fn waiting_takes_nothing_from_the_time_to_solve(
            start in 1_767_225_600_i64..1_798_761_600,
            steps in proptest::collection::vec((0_u32..400_000, 0_u32..900_000), 0..5),
            serves in any::<bool>(),
        ) {
            let policy = CarePolicy { hours: serves.then(hours), ..sample::policy() };
            let hours = policy.hours.as_ref();
            let mut now = Timestamp::from_unix_seconds(start).unwrap();
            let mut ticket = sample::ticket(Priority::Normal, now);
            ticket.solve_by = deadlines(&policy, Priority::Normal, now).1;
            let mut worked = 0;
            for (works, waits) in steps {
                let then = now.plus(Period::of_seconds(works));
                worked += between(now, then, hours).seconds();
                wait(&mut ticket, &policy, then);
                now = then.plus(Period::of_seconds(waits));
                resume(&mut ticket, &policy, now);
            }
            let left = policy.target(Priority::Normal).solve.seconds() - worked;
            if left > 0 {
                let counted = between(now, ticket.solve_by, hours).seconds();
                // Each span is rounded down to a whole second.
                prop_assert!((left - 10..=left + 10).contains(&counted), "{} {}", left, counted);
            }
        }
    }
}
