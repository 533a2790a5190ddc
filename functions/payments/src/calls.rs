//! Calls to providers: bounded in time and tries. A provider's code says what
//! to call; here it is carried, and carried again when that is safe.
//!
//! What makes it safe is not here: every call that moves money carries the
//! provider's own idempotency key, or its code looks first. So a call whose
//! answer was lost, was a fault of the provider's, or makes no sense in the
//! middle of a body may have been done, and is repeated all the same.

use std::time::Duration;

use aftercart::run::outgoing::Outgoing;
use tokio::time::Instant;

use crate::providers::{Answer, CallError, Step};

/// How often one call is tried: each may take the whole time-out of an outgoing
/// call, and the buyer waits.
const TRIES: u32 = 3;

/// The longest wait before the second try, in milliseconds; it doubles with
/// each. Stripe answers 409 while the same call is still under way, which
/// takes it about this long.
const WAIT_MS_MIN: u64 = 200;

/// When no try is begun any more, of all calls together: API Gateway gives a
/// request 30 s, and a try may take five.
const PATIENCE: Duration = Duration::from_secs(20);

/// The most calls that one thing takes: to sign in, to look whether it was
/// done, to do it, and to ask how it went. A provider's code that goes on for
/// longer would do so for ever.
const CALLS_MAX: usize = 8;

/// Makes the calls that `next` asks for, until it has what it wants. It is
/// given the answers so far; a call that brings none, or one that says to try
/// again, is repeated. The waits are random between a half and the whole of
/// their length, so that callers who failed together do not return together.
///
/// # Errors
/// [`CallError`]; [`CallError::Again`] when the tries or the time are used up.
/// What was asked may have been done: it is safe to begin again.
pub async fn make<T>(
    outgoing: &dyn Outgoing,
    next: impl Fn(&[Answer]) -> Result<Step<T>, CallError>,
) -> Result<T, CallError> {
    let (started, mut answers, mut tried) = (Instant::now(), Vec::new(), 0);
    // A call that was answered and asked again is still the same call.
    let mut furthest = 0;
    loop {
        let failed = match next(&answers) {
            Ok(Step::Done(result)) => return Ok(result),
            Ok(Step::Call(_)) if answers.len() >= CALLS_MAX => {
                let why = format!("{CALLS_MAX} answers did not say what came out");
                return Err(CallError::Unusable(why));
            }
            Ok(Step::Call(request)) => {
                if answers.len() > furthest {
                    (furthest, tried) = (answers.len(), 0);
                }
                if started.elapsed() > PATIENCE {
                    return Err(CallError::Again("the provider takes too long".to_owned()));
                }
                match outgoing.call(request).await {
                    Ok(answer) => {
                        answers.push(answer);
                        continue;
                    }
                    Err(error) => error.to_string(),
                }
            }
            Err(CallError::Again(why)) => {
                answers.pop();
                why
            }
            Err(error) => return Err(error),
        };
        tried += 1;
        let longest = WAIT_MS_MIN << tried;
        let wait = Duration::from_millis(fastrand::u64(longest / 2..=longest));
        if tried >= TRIES || started.elapsed() + wait > PATIENCE {
            return Err(CallError::Again(failed));
        }
        tokio::time::sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    };

    use aftercart::run::outgoing::{Answering, OutgoingError, TIMEOUT};
    use bytes::Bytes;
    use http::{Request, Response};

    use super::*;

    /// A line on which each call takes its time and ends as it is told.
    #[derive(Debug)]
    struct Line {
        tells: Mutex<Vec<(Duration, Option<u16>)>>,
        calls: AtomicUsize,
    }

    impl Line {
        fn new(tells: &[(Duration, Option<u16>)]) -> Self {
            let tells = tells.iter().rev().copied().collect();
            Self { tells: Mutex::new(tells), calls: AtomicUsize::new(0) }
        }

        fn calls(&self) -> usize {
            self.calls.load(Ordering::SeqCst)
        }
    }

    impl Outgoing for Line {
        fn call(&self, _: Request<Bytes>) -> Answering {
            self.calls.fetch_add(1, Ordering::SeqCst);
            let told = self.tells.lock().unwrap_or_else(PoisonError::into_inner).pop();
            Box::pin(async move {
                let (takes, status) = told.unwrap_or_default();
                tokio::time::sleep(takes).await;
                let status = status.ok_or(OutgoingError::Timeout)?;
                Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
            })
        }
    }

    /// Wants so many good answers.
    fn wanting(wanted: usize) -> impl Fn(&[Answer]) -> Result<Step<usize>, CallError> {
        move |answers| match answers.last() {
            Some(last) if last.status() == 500 => Err(CallError::Again("500".to_owned())),
            Some(last) if last.status() == 400 => Err(CallError::Refused("400".to_owned())),
            _ if answers.len() == wanted => Ok(Step::Done(answers.len())),
            _ => Ok(Step::Call(Request::new(Bytes::new()))),
        }
    }

    const AT_ONCE: Duration = Duration::ZERO;
    const LOST: (Duration, Option<u16>) = (TIMEOUT, None);

    fn told(status: u16) -> (Duration, Option<u16>) {
        (AT_ONCE, Some(status))
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_has_its_tries() {
        let again = || Err(CallError::Again("500".to_owned()));
        let late = || {
            let why = "the provider did not answer in time".to_owned();
            Err(CallError::Again(why))
        };
        for (tells, wanted, outcome, calls) in [
            (vec![], 0, Ok(0), 0),
            (vec![told(200)], 1, Ok(1), 1),
            (vec![told(500), LOST, told(200)], 1, Ok(1), 3),
            (vec![told(500), told(500), told(500)], 1, again(), 3),
            (vec![LOST, LOST, LOST], 1, late(), 3),
            (vec![told(400)], 1, Err(CallError::Refused("400".to_owned())), 1),
            // Two bad answers to the first call, and two to the second.
            (vec![told(500), told(500), told(200), told(500), told(500), told(200)], 2, Ok(2), 6),
            (vec![told(200), told(500), told(500), told(500)], 2, again(), 4),
        ] {
            let line = Line::new(&tells);
            assert_eq!(make(&line, wanting(wanted)).await, outcome, "{tells:?}");
            assert_eq!(line.calls(), calls, "{tells:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_of_all_calls_together_is_bounded() {
        let slow = (Duration::from_millis(4_900), Some(200));
        for tells in [vec![LOST, slow, LOST, slow, LOST, slow], vec![slow; 20], vec![LOST; 20]] {
            let (started, line) = (Instant::now(), Line::new(&tells));
            let outcome = make(&line, wanting(CALLS_MAX)).await;
            let took = started.elapsed();
            assert!(took < PATIENCE + TIMEOUT, "{took:?}: {outcome:?}");
            assert!(matches!(outcome, Err(CallError::Again(_))), "{outcome:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_never_has_enough_comes_to_an_end() {
        let line = Line::new(&[told(200); 20]);
        let outcome = make(&line, wanting(usize::MAX)).await;
        assert!(matches!(outcome, Err(CallError::Unusable(_))), "{outcome:?}");
        assert_eq!(line.calls(), CALLS_MAX);
    }
}
