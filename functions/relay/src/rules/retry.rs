//! How a message to an endpoint is tried again, and when it is given up.
//!
//! The waits are those of the example schedule of Standard Webhooks (its
//! section "Deliverability and reliability"), each up to a tenth longer at
//! random, so that what failed together does not come back together. What an
//! answer means is after its section "Delivery success and failure".

use aftercart::model::{
    text::Text,
    time::{Period, Timestamp},
    webhook::{Delivery, DeliveryState},
};

/// The waits after each failed try but the last: 75 hours and 35 minutes in all.
pub const WAITS: [Period; 9] = [
    Period::of_seconds(5),
    Period::of_seconds(5 * 60),
    Period::of_seconds(30 * 60),
    Period::of_seconds(2 * 60 * 60),
    Period::of_seconds(5 * 60 * 60),
    Period::of_seconds(10 * 60 * 60),
    Period::of_seconds(14 * 60 * 60),
    Period::of_seconds(20 * 60 * 60),
    Period::of_seconds(24 * 60 * 60),
];

/// How long a message waits for its endpoint, tried or not, before it is given
/// up when its turn comes: somewhat longer than all waits at their longest, which are 83 hours and 9 minutes.
pub const LIFE: Period = Period::of_days(4);

/// The longest wait that an endpoint may ask for with `Retry-After`: the
/// longest of the schedule.
const ASKED_MAX: Period = Period::of_days(1);

/// When a message that could not be signed is due again. While its endpoint has
/// no secret the schedule passes over it, so this costs one write a message.
const UNSIGNED_WAIT: Period = Period::of_seconds(30 * 60);

/// How one try went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Taken,
    /// It was not, for this reason: nothing answered, or the endpoint is in
    /// trouble or has too much to do. It may have said when to come again.
    Failed(Text<80>, Option<Timestamp>),
    /// It was not, for this reason, by an endpoint that answers: what is wrong
    /// is the message, and others may well be taken.
    Refused(Text<80>, Option<Timestamp>),
    /// The endpoint wants nothing of the kind any more.
    Gone,
    /// It was not sent: there is no secret to sign it with.
    Unsigned,
}

/// What an endpoint answered: any status of success takes the message, 410
/// refuses it for good. 5xx, 408 (it waited in vain) and 429 (too many) tell of
/// the endpoint, all others of this message, redirects among them. Of
/// `Retry-After` both forms are read, seconds and a date.
#[must_use]
pub fn answered(status: u16, retry_after: Option<&str>, now: Timestamp) -> Outcome {
    let later = |text: &str| {
        let seconds = text.parse().map(Period::of_seconds).map(|wait| now.plus(wait));
        let at = seconds.ok().or_else(|| Timestamp::parse_rfc2822(text).ok());
        at.map(|at| at.min(now.plus(ASKED_MAX)))
    };
    let (why, again) = (words(&format!("answered {status}")), retry_after.and_then(later));
    match (status, why) {
        (200..=299, _) => Outcome::Taken,
        (408 | 429 | 500.., Some(why)) => Outcome::Failed(why, again),
        (410, _) | (_, None) => Outcome::Gone,
        (_, Some(why)) => Outcome::Refused(why, again),
    }
}

fn words(why: &str) -> Option<Text<80>> {
    Text::new(&why.chars().take(80).collect::<String>()).ok()
}

/// A failure for this reason.
#[must_use]
pub fn failed(why: &str, again_at: Option<Timestamp>) -> Outcome {
    words(why).map_or(Outcome::Gone, |why| Outcome::Failed(why, again_at))
}

/// What becomes of a delivery that was tried. `luck`, 0 to 100, says how much
/// of the random part of the wait is waited.
#[must_use]
pub fn after(delivery: &Delivery, outcome: &Outcome, luck: u32, now: Timestamp) -> Delivery {
    let tries = delivery.tries.saturating_add(1);
    match outcome {
        Outcome::Taken => {
            Delivery { tries: 0, last: None, state: DeliveryState::Done(now), ..delivery.clone() }
        }
        Outcome::Failed(why, again_at) | Outcome::Refused(why, again_at) => {
            let again = next_at(tries, luck, now).filter(|_| !is_old(delivery, now));
            let state = again.map_or(DeliveryState::Dead(now), |at| {
                DeliveryState::Waiting(again_at.map_or(at, |asked| asked.max(at)))
            });
            Delivery { tries, last: Some(why.clone()), state, ..delivery.clone() }
        }
        Outcome::Gone => Delivery {
            tries,
            last: Text::new("answered 410").ok(),
            state: DeliveryState::Dead(now),
            ..delivery.clone()
        },
        Outcome::Unsigned => Delivery {
            last: Text::new("no secret to sign with").ok(),
            state: DeliveryState::Waiting(now.plus(UNSIGNED_WAIT)),
            ..delivery.clone()
        },
    }
}

/// When something is tried again that failed so often; not again after the
/// last time.
#[must_use]
pub fn next_at(tries: u32, luck: u32, now: Timestamp) -> Option<Timestamp> {
    let position = usize::try_from(tries.checked_sub(1)?).ok()?;
    let wait = u32::try_from(WAITS.get(position)?.seconds()).unwrap_or(u32::MAX);
    let random = u64::from(wait).saturating_mul(u64::from(luck.min(100))) / 1_000;
    let random = u32::try_from(random).unwrap_or(u32::MAX);
    Some(now.plus(Period::of_seconds(wait.saturating_add(random))))
}

/// Whether a delivery has waited as long as any does.
#[must_use]
pub fn is_old(delivery: &Delivery, now: Timestamp) -> bool {
    delivery.at.plus(LIFE) <= now
}

/// A delivery that is given up without another try, because its endpoint did
/// not answer anybody for so long.
#[must_use]
pub fn given_up(delivery: &Delivery, now: Timestamp) -> Delivery {
    let last = Text::new("the endpoint did not answer for days").ok();
    let last = delivery.last.clone().or(last);
    Delivery { last, state: DeliveryState::Dead(now), ..delivery.clone() }
}

/// A delivery that somebody has sent again: as if it were new. One that waits
/// stays as it is.
#[must_use]
pub fn replayed(delivery: &Delivery, now: Timestamp) -> Option<Delivery> {
    let again = Delivery {
        at: now,
        tries: 0,
        last: None,
        state: DeliveryState::Waiting(now),
        ..delivery.clone()
    };
    (!matches!(delivery.state, DeliveryState::Waiting(_))).then_some(again)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        id::{OrderId, WebhookId},
        webhook::{EndpointId, EventKind},
    };
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn delivery() -> Delivery {
        Delivery {
            id: WebhookId::derive(&["1"]),
            endpoint: EndpointId::parse("erp").unwrap(),
            kind: EventKind::OrderPaid,
            order: OrderId::derive(&["1"]),
            body: "{}".to_owned(),
            at: now(),
            tries: 0,
            last: None,
            state: DeliveryState::Waiting(now()),
        }
    }

    #[test]
    fn what_an_answer_means() {
        let again_at = |again: Option<&str>| again.map(|at| Timestamp::parse(at).unwrap());
        let failed = |why: &str, again: Option<&str>| {
            Outcome::Failed(Text::new(why).unwrap(), again_at(again))
        };
        let refused = |why: &str, again: Option<&str>| {
            Outcome::Refused(Text::new(why).unwrap(), again_at(again))
        };
        for (status, again, outcome) in [
            (200, None, Outcome::Taken),
            (204, Some("60"), Outcome::Taken),
            (299, None, Outcome::Taken),
            (301, None, refused("answered 301", None)),
            (400, None, refused("answered 400", None)),
            (404, Some("60"), refused("answered 404", Some("2026-11-21T12:01:00Z"))),
            (408, None, failed("answered 408", None)),
            (410, Some("60"), Outcome::Gone),
            (429, Some("60"), failed("answered 429", Some("2026-11-21T12:01:00Z"))),
            (503, Some("x"), failed("answered 503", None)),
            (503, Some("-5"), failed("answered 503", None)),
            (503, Some("99999999"), failed("answered 503", Some("2026-11-22T12:00:00Z"))),
            (
                503,
                Some("Sat, 21 Nov 2026 13:00:00 GMT"),
                failed("answered 503", Some("2026-11-21T13:00:00Z")),
            ),
        ] {
            assert_eq!(answered(status, again, now()), outcome, "{status} {again:?}");
        }
    }

    /// The moments of the specification's table, without jitter.
    #[test]
    fn a_message_is_tried_ten_times() {
        let (mut delivery, mut at, mut tried) = (delivery(), now(), Vec::new());
        let outcome = failed("answered 500", None);
        while let DeliveryState::Waiting(next) = delivery.state {
            at = next;
            tried.push(at.unix_seconds() - now().unix_seconds());
            delivery = after(&delivery, &outcome, 0, at);
        }
        let clock = |h: i64, m: i64, s: i64| h * 3600 + m * 60 + s;
        assert_eq!(
            tried,
            [
                clock(0, 0, 0),
                clock(0, 0, 5),
                clock(0, 5, 5),
                clock(0, 35, 5),
                clock(2, 35, 5),
                clock(7, 35, 5),
                clock(17, 35, 5),
                clock(31, 35, 5),
                clock(51, 35, 5),
                clock(75, 35, 5),
            ]
        );
        assert_eq!((delivery.state, delivery.tries), (DeliveryState::Dead(at), 10));
        assert!(!is_old(&delivery, now().plus(Period::of_seconds(83 * 3600 + 9 * 60))));
    }

    #[test]
    fn what_becomes_of_a_delivery() {
        let tried = Delivery { tries: 2, last: Text::new("answered 500").ok(), ..delivery() };
        let taken = after(&tried, &Outcome::Taken, 0, now());
        assert_eq!((taken.state, taken.tries, taken.last), (DeliveryState::Done(now()), 0, None));
        assert_eq!(after(&tried, &Outcome::Gone, 0, now()).state, DeliveryState::Dead(now()));
        // A long wait that was asked for is waited, a short one is not shorter than ours.
        for (asked, waited) in [(1, 30 * 60), (3600, 3600)] {
            let outcome = failed("answered 503", Some(now().plus(Period::of_seconds(asked))));
            let state = DeliveryState::Waiting(now().plus(Period::of_seconds(waited)));
            assert_eq!(after(&tried, &outcome, 0, now()).state, state, "{asked}");
        }
        // Without a secret it was not tried, however late it is.
        let late = now().plus(LIFE);
        let unsigned = after(&tried, &Outcome::Unsigned, 0, late);
        let due = late.plus(Period::of_seconds(30 * 60));
        assert_eq!((unsigned.state, unsigned.tries), (DeliveryState::Waiting(due), 2));
        let outcome = failed("answered 500", None);
        assert_eq!(after(&tried, &outcome, 0, late).state, DeliveryState::Dead(late));
        assert_eq!(given_up(&tried, late).last, tried.last);
        assert_eq!(replayed(&tried, late), None);
        let again = replayed(&given_up(&tried, late), late).unwrap();
        assert_eq!((again.state, again.tries), (DeliveryState::Waiting(late), 0));
        assert_eq!((&again.id, &again.body), (&tried.id, &tried.body));
    }

    proptest! {
        #[test]
        fn jitter_is_at_most_a_tenth(tries in 1..=9_u32, luck in 0..=200_u32) {
            let wait = WAITS[usize::try_from(tries - 1).unwrap()].seconds();
            let next = next_at(tries, luck, now()).unwrap().unix_seconds() - now().unix_seconds();
            prop_assert!((wait..=wait + wait / 10).contains(&next));
        }

        /// However an endpoint answers, a delivery comes to an end within its
        /// life and one more wait, after ten tries at most.
        #[test]
        fn every_delivery_ends(answers in prop::collection::vec((100..600_u16, 0..200_000_u32), 12), luck in 0..=100_u32) {
            let (mut delivery, mut tries) = (delivery(), 0);
            for (status, again) in answers {
                let DeliveryState::Waiting(at) = delivery.state else { break };
                let outcome = answered(status, Some(&again.to_string()), at);
                delivery = after(&delivery, &outcome, luck, at);
                tries += 1;
            }
            prop_assert!(!matches!(delivery.state, DeliveryState::Waiting(_)));
            prop_assert!(tries <= 10);
            prop_assert!(delivery.state.at() <= now().plus(LIFE).plus(Period::of_days(2)));
        }
    }
}
