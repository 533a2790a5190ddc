//! Which failures pass, and how long to wait for that.

use std::time::Duration;

use super::CallError;

/// The longest wait before the second try; it doubles with each. DynamoDB
/// answers within ten milliseconds, so what passes has passed by then.
const WAIT: Duration = Duration::from_millis(25);

/// The same, after a service said that it is called too often.
const WAIT_WHEN_THROTTLED: Duration = Duration::from_millis(100);

/// The longest of all waits.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// What services say to those who call too often. `TransactionInProgress` is
/// an earlier try of the same transaction.
const THROTTLED: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// What services say of faults of their own, by name or by status.
const PASSING: [&str; 10] = [
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "500",
    "502",
    "503",
    "504",
];

/// The longest wait before the next try, if there is to be one. The wait
/// itself is any time up to it, so that callers do not come back together.
pub(super) fn wait(error: &CallError, attempt: u32, attempts: u32) -> Option<Duration> {
    if attempt >= attempts {
        return None;
    }
    let first = match error {
        CallError::Late | CallError::Unanswered(_) => WAIT,
        CallError::Refused { code, .. } if THROTTLED.contains(&code.as_str()) => {
            WAIT_WHEN_THROTTLED
        }
        CallError::Refused { code, .. } if PASSING.contains(&code.as_str()) => WAIT,
        CallError::Refused { .. } | CallError::Request(_) | CallError::Answer(_) => return None,
    };
    let doubled = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
    Some(first.saturating_mul(doubled).min(WAIT_MAX))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn refused(code: &str) -> CallError {
        CallError::Refused { code: code.to_owned(), message: String::new(), body: Bytes::new() }
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        for passing in ["ThrottlingException", "500", "InternalServerError"] {
            assert!(wait(&refused(passing), 1, 3).is_some(), "{passing}");
        }
        for lasting in ["ConditionalCheckFailedException", "ValidationException", "400"] {
            assert!(wait(&refused(lasting), 1, 3).is_none(), "{lasting}");
        }
        assert!(wait(&CallError::Late, 1, 3).is_some());
        assert!(wait(&CallError::Unanswered("closed".into()), 2, 3).is_some());
    }

    #[test]
    fn tries_and_waits_are_bounded() {
        assert!(wait(&CallError::Late, 3, 3).is_none());
        assert!(wait(&CallError::Late, 1, 1).is_none());
        assert_eq!(wait(&refused("Throttling"), 2, 9), Some(WAIT_WHEN_THROTTLED * 2));
        assert_eq!(wait(&CallError::Late, 40, 99), Some(WAIT_MAX));
    }
}
