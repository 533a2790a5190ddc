//! A circuit breaker for each endpoint: one that does not answer is left
//! alone, for longer with each time it still does not, and costs its merchant
//! a call now and then instead of one a message.
//!
//! | state | calls | becomes |
//! |---|---|---|
//! | closed | go through | open when [`FAILURES_MAX`] calls failed one after the other |
//! | open | none, for a pause | half-open after it |
//! | half-open | one, by the schedule | closed when it is answered; open for twice the pause otherwise |
//!
//! Only the schedule makes the call of the half-open state. It runs one at a
//! time, so nobody has to claim it. An endpoint that works costs no write.
//!
//! An endpoint that refuses a message with 4xx answers: what it does not want,
//! such as a kind of event that it does not know, keeps nothing else from it.

use aftercart::model::{
    time::{Period, Timestamp},
    webhook::Health,
};

use super::retry::Outcome;

/// So many calls fail one after the other before the endpoint is left alone.
pub const FAILURES_MAX: u32 = 5;

/// How long it is left alone first.
pub const PAUSE: Period = Period::of_seconds(60);

/// How long it is left alone at most, so that a day of absence costs some
/// fifty calls, and what waits goes out within half an hour of its return.
pub const PAUSE_MAX: Period = Period::of_seconds(30 * 60);

/// Whether an endpoint may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Pass,
    /// The schedule may, once.
    Probe,
    /// Not now.
    Shut,
}

/// Whether the endpoint may be called now.
#[must_use]
pub fn gate(health: &Health, now: Timestamp) -> Gate {
    match health.open_until {
        None => Gate::Pass,
        Some(until) if now < until => Gate::Shut,
        Some(_) => Gate::Probe,
    }
}

/// What has to be written after a call, if anything. One that refuses or is gone
/// answers, though it takes nothing. What was not sent tells nothing. A failure of a call that was under way when the
/// endpoint was left alone says nothing new.
#[must_use]
pub fn after(health: &Health, outcome: &Outcome, now: Timestamp) -> Option<Health> {
    let version = health.version.saturating_add(1);
    match outcome {
        Outcome::Failed(..) => {}
        Outcome::Unsigned => return None,
        Outcome::Taken | Outcome::Refused(..) | Outcome::Gone => {
            let well = health.failures == 0 && health.open_until.is_none();
            return (!well).then_some(Health { version, ..Health::default() });
        }
    }
    if gate(health, now) == Gate::Shut {
        return None;
    }
    let failures = health.failures.saturating_add(1);
    let open_until = failures.checked_sub(FAILURES_MAX).map(|beyond| now.plus(pause(beyond)));
    Some(Health { version, failures, open_until })
}

/// The pause doubles with every failure beyond those that open the breaker.
fn pause(beyond: u32) -> Period {
    let seconds = PAUSE.seconds().saturating_mul(1_i64 << beyond.min(16)).min(PAUSE_MAX.seconds());
    Period::of_seconds(u32::try_from(seconds).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::retry;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::EPOCH.plus(Period::of_seconds(seconds))
    }

    #[test]
    fn an_endpoint_that_fails_is_left_alone_for_longer_and_longer() {
        let (mut health, mut second, mut pauses) = (Health::default(), 0, Vec::new());
        let failed = retry::failed("answered 500", None);
        for call in 1..=12_u32 {
            assert_ne!(gate(&health, at(second)), Gate::Shut, "{call}");
            health = after(&health, &failed, at(second)).unwrap();
            assert_eq!((health.version, health.failures), (u64::from(call), call));
            let Some(until) = health.open_until else { continue };
            assert_eq!(after(&health, &failed, at(second)), None, "it was under way");
            assert_eq!(gate(&health, until.minus(Period::of_seconds(1))), Gate::Shut);
            assert_eq!(gate(&health, until), Gate::Probe);
            let pause = u32::try_from(until.unix_seconds()).unwrap() - second;
            pauses.push(pause / 60);
            second += pause;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
        let well = after(&health, &Outcome::Taken, at(second)).unwrap();
        assert_eq!(well, Health { version: 13, ..Health::default() });
        assert_eq!(gate(&well, at(second)), Gate::Pass);
    }

    #[test]
    fn an_endpoint_that_works_is_never_written_of() {
        let refused = retry::answered(400, None, at(0));
        for outcome in [Outcome::Taken, Outcome::Gone, Outcome::Unsigned, refused] {
            assert_eq!(after(&Health::default(), &outcome, at(0)), None);
        }
    }

    #[test]
    fn what_is_refused_shows_that_the_endpoint_answers() {
        let failed = Health { version: 4, failures: 4, open_until: None };
        let shut = Health { version: 5, failures: 5, open_until: Some(at(60)) };
        for (status, failures) in
            [(400, 0), (410, 0), (422, 0), (301, 0), (408, 5), (429, 5), (500, 5), (503, 5)]
        {
            let outcome = retry::answered(status, None, at(0));
            let after = after(&failed, &outcome, at(0)).unwrap();
            assert_eq!((after.failures, after.open_until.is_some()), (failures, failures > 0));
        }
        let probed = after(&shut, &retry::answered(400, None, at(60)), at(60)).unwrap();
        assert_eq!(gate(&probed, at(60)), Gate::Pass, "the breaker closes");
        assert_eq!(after(&shut, &Outcome::Unsigned, at(60)), None);
    }
}
