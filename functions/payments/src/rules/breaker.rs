//! A circuit breaker for each provider: when calls fail one after the other,
//! buyers are told at once to pay otherwise, and the provider is left alone.
//!
//! | state | calls | becomes |
//! |---|---|---|
//! | closed | go through | open when [`FAILURES_MAX`] attempts failed within [`WINDOW`] |
//! | open | none, for a [`PAUSE`] | half-open after it |
//! | half-open | one, the probe | closed when the provider answers it; open for another pause otherwise |
//!
//! The state is shared by all instances. Who takes the probe writes first that
//! the breaker stays open for another pause, on the condition that nobody
//! wrote since: so one is let through, and should it never come back, the next
//! follows after the pause. A provider that works costs no write.
//!
//! What fails is an attempt, whose call was tried several times: a client that
//! repeats one bad call counts once.

use aftercart::model::{
    id::PaymentId,
    paying::Breaker,
    time::{Period, Timestamp},
};

use crate::providers::CallError;

/// So many attempts fail before the breaker opens. Each is the failure of
/// several tries, so a provider that answers most calls does not get there.
pub const FAILURES_MAX: usize = 5;

/// Failures count together that happen within this time.
pub const WINDOW: Period = Period::of_seconds(60);

/// How long nobody calls. As long as the calls of one attempt may take, so
/// that a probe is over before the next.
pub const PAUSE: Period = Period::of_seconds(30);

/// Whether a provider may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// It may.
    Pass,
    /// It may, by the one who writes this before.
    Probe(Breaker),
    /// Not before this moment.
    Shut(Timestamp),
}

/// What a call told of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It answered, though perhaps not what was hoped for.
    Answer,
    /// It did not answer, or nothing that makes sense.
    Silence,
    /// It was not called.
    Nothing,
}

/// What the outcome of calls tells of their provider: there was one, at least.
#[must_use]
pub fn heard<T>(outcome: &Result<T, CallError>) -> Heard {
    match outcome {
        Ok(_) | Err(CallError::Amount(_) | CallError::Refused(_) | CallError::Paid) => {
            Heard::Answer
        }
        Err(CallError::Again(_) | CallError::Unusable(_)) => Heard::Silence,
        Err(CallError::TooOld | CallError::Unwritable(_) | CallError::Unsupported) => {
            Heard::Nothing
        }
    }
}

/// Whether the provider may be called now.
#[must_use]
pub fn gate(breaker: &Breaker, now: Timestamp) -> Gate {
    match breaker.open_until {
        None => Gate::Pass,
        Some(until) if now < until => Gate::Shut(until),
        Some(_) => Gate::Probe(Breaker {
            version: breaker.version.saturating_add(1),
            failures: breaker.failures.clone(),
            open_until: Some(now.plus(PAUSE)),
        }),
    }
}

/// What has to be written after a call of an attempt, if anything.
#[must_use]
pub fn after(
    breaker: &Breaker,
    heard: Heard,
    attempt: &PaymentId,
    now: Timestamp,
) -> Option<Breaker> {
    let version = breaker.version.saturating_add(1);
    match (heard, breaker.open_until) {
        (Heard::Answer, Some(_)) => Some(Breaker { version, ..Breaker::default() }),
        (Heard::Silence, None) => {
            let counts = |it: &&(PaymentId, Timestamp)| it.0 != *attempt && now < it.1.plus(WINDOW);
            let mut failures: Vec<_> = breaker.failures.iter().filter(counts).cloned().collect();
            failures.push((attempt.clone(), now));
            let open_until = (failures.len() >= FAILURES_MAX).then(|| now.plus(PAUSE));
            Some(Breaker { version, failures, open_until })
        }
        // It stays open anyway: whoever took the probe wrote that before.
        (Heard::Silence, Some(_)) | (Heard::Answer, None) | (Heard::Nothing, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::EPOCH.plus(Period::of_seconds(seconds))
    }

    fn attempt(n: u32) -> PaymentId {
        PaymentId::derive(&[&n.to_string()])
    }

    /// One instance that reads, is let through or not, calls, and writes.
    /// Whether it called.
    fn call(breaker: &mut Breaker, answers: bool, number: u32, now: Timestamp) -> bool {
        match gate(breaker, now) {
            Gate::Shut(_) => return false,
            Gate::Probe(taken) => *breaker = taken,
            Gate::Pass => {}
        }
        let heard = if answers { Heard::Answer } else { Heard::Silence };
        if let Some(written) = after(breaker, heard, &attempt(number), now) {
            assert_eq!(written.version, breaker.version + 1);
            *breaker = written;
        }
        true
    }

    #[test]
    fn a_provider_that_fails_is_left_alone_and_tried_again() {
        let mut breaker = Breaker::default();
        // At which second, whether the provider answers, whether it is called.
        for (number, (second, answers, called)) in (0_u32..).zip([
            (0, true, true),
            (1, false, true),
            (2, false, true),
            (3, true, true),
            (4, false, true),
            (5, false, true),
            (6, false, true),
            (6, false, false),
            (35, false, false),
            // Half-open: the probe fails, and the next comes a pause later.
            (36, false, true),
            (37, true, false),
            (65, true, false),
            (66, true, true),
            // Closed, and nothing is remembered.
            (67, false, true),
            (68, false, true),
            (69, false, true),
            (70, false, true),
            (70, true, true),
        ]) {
            assert_eq!(call(&mut breaker, answers, number, at(second)), called, "{second}");
        }
        assert_eq!(breaker.open_until, None);
    }

    #[test]
    fn a_provider_that_works_is_never_written_of() {
        let mut breaker = Breaker::default();
        (0..100).for_each(|n| assert!(call(&mut breaker, true, n, at(n))));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn one_attempt_counts_once_however_often_it_fails() {
        let mut breaker = Breaker::default();
        (0..50).for_each(|second| assert!(call(&mut breaker, false, 1, at(second))));
        assert_eq!(breaker.failures, [(attempt(1), at(49))]);
    }

    #[test]
    fn a_probe_that_never_comes_back_is_followed_by_another() {
        let open = Breaker { version: 7, failures: Vec::new(), open_until: Some(at(10)) };
        let Gate::Probe(taken) = gate(&open, at(10)) else { panic!() };
        assert_eq!((taken.version, taken.open_until), (8, Some(at(40))));
        assert_eq!(gate(&taken, at(39)), Gate::Shut(at(40)));
        assert!(matches!(gate(&taken, at(40)), Gate::Probe(_)));
    }

    #[test]
    fn what_a_call_tells_of_its_provider() {
        let text = String::new;
        for (outcome, told) in [
            (Ok(()), Heard::Answer),
            (Err(CallError::Refused(text())), Heard::Answer),
            (Err(CallError::Amount(text())), Heard::Answer),
            (Err(CallError::Again(text())), Heard::Silence),
            (Err(CallError::Unusable(text())), Heard::Silence),
            (Err(CallError::Paid), Heard::Answer),
            (Err(CallError::TooOld), Heard::Nothing),
            (Err(CallError::Unwritable(text())), Heard::Nothing),
            (Err(CallError::Unsupported), Heard::Nothing),
        ] {
            assert_eq!(heard(&outcome), told, "{outcome:?}");
        }
    }

    proptest! {
        /// Whatever happens: it opens exactly when enough attempts failed
        /// within the window, lets one through in a pause after that, and
        /// closes with the first answer.
        #[test]
        fn it_opens_and_closes_as_it_says(
            calls in prop::collection::vec((0..40_u32, any::<bool>(), 0..12_u32), 1..80),
        ) {
            let mut breaker = Breaker::default();
            let (mut second, mut failed) = (0, Vec::<(u32, u32)>::new());
            let mut shut_until: Option<u32> = None;
            for (wait, answers, number) in calls {
                second += wait;
                let called = call(&mut breaker, answers, number, at(second));
                prop_assert_eq!(called, shut_until.is_none_or(|until| second >= until));
                match (called, answers) {
                    (false, _) => {}
                    (true, true) if shut_until.is_some() => {
                        shut_until = None;
                        failed.clear();
                    }
                    (true, true) => {}
                    (true, false) if shut_until.is_some() => shut_until = Some(second + 30),
                    (true, false) => {
                        failed.retain(|(other, at)| *other != number && second < at + 60);
                        failed.push((number, second));
                        shut_until = (failed.len() >= FAILURES_MAX).then_some(second + 30);
                    }
                }
                prop_assert_eq!(breaker.open_until, shut_until.map(at));
                prop_assert!(breaker.failures.len() <= FAILURES_MAX);
            }
        }

        /// Any number of instances that read the same state: the writes of all
        /// probes have one version, so the store lets one of them win.
        #[test]
        fn probes_exclude_one_another(version in 0..1_000_u64, late in prop::collection::vec(0..100_u32, 1..9)) {
            let open = Breaker { version, failures: Vec::new(), open_until: Some(at(1)) };
            for seconds in late {
                let Gate::Probe(taken) = gate(&open, at(1 + seconds)) else { panic!() };
                prop_assert_eq!(taken.version, version + 1);
            }
        }
    }
}
