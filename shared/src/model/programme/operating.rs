//! What tills and operators may do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{policy::PolicyError, time::Period};

/// How tills of stores use members' codes and points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TillPolicy {
    /// How long points are held for a till, and how old a code may be for that:
    /// one minute to a day.
    pub hold: Period,
    /// How long after it was shown a code is taken with a purchase, from a till
    /// that was offline: at most 30 days.
    pub offline: Period,
}

impl Default for TillPolicy {
    fn default() -> Self {
        Self { hold: Period::of_seconds(15 * 60), offline: Period::of_days(7) }
    }
}

/// What operators may do to points alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AdjustmentsPolicy {
    /// Up to so many points an operator gives or takes alone; a second one
    /// agrees to more.
    pub alone_up_to: u32,
    /// Up to so many points a day an operator gives and takes alone, of all
    /// members together, so that many small adjustments are no way around that.
    pub alone_per_day: u32,
}

impl Default for AdjustmentsPolicy {
    fn default() -> Self {
        Self { alone_up_to: 1_000, alone_per_day: 20_000 }
    }
}

/// The longest hold of a till: whoever is at one leaves it the same day.
const MAX_HOLD: Period = Period::of_days(1);

/// The longest time for which a till is offline.
const MAX_OFFLINE: Period = Period::of_days(30);

impl TillPolicy {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.hold < Period::of_seconds(60) || self.hold > MAX_HOLD {
            return nonsense("points.till.hold", "must be one minute to a day");
        }
        if self.offline < self.hold || self.offline > MAX_OFFLINE {
            return nonsense("points.till.offline", "must be `hold` to 30 days");
        }
        Ok(())
    }
}

impl AdjustmentsPolicy {
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        if self.alone_per_day < self.alone_up_to {
            let (field, reason) =
                ("points.adjustments.alone_per_day", "must be at least `alone_up_to`");
            return Err(PolicyError::Nonsense { field, reason });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_may_do_alone_in_a_day_what_one_may_at_once() {
        let limits = |alone_up_to, alone_per_day| AdjustmentsPolicy { alone_up_to, alone_per_day };
        assert_eq!(AdjustmentsPolicy::default().check(), Ok(()));
        assert_eq!(limits(0, 0).check(), Ok(()));
        let error = limits(11, 10).check().unwrap_err().to_string();
        assert!(error.contains("points.adjustments.alone_per_day"), "{error}");
    }

    #[test]
    fn a_till_holds_for_a_while_and_is_offline_for_longer() {
        let of = |hold, offline| TillPolicy {
            hold: Period::of_seconds(hold),
            offline: Period::of_seconds(offline),
        };
        assert_eq!(TillPolicy::default().check(), Ok(()));
        for (policy, field) in [
            (of(59, 3_600), "points.till.hold"),
            (of(86_401, 604_800), "points.till.hold"),
            (of(900, 899), "points.till.offline"),
            (of(900, 30 * 86_400 + 1), "points.till.offline"),
        ] {
            let error = policy.check().unwrap_err().to_string();
            assert!(error.contains(field), "{error}");
        }
        assert_eq!(of(60, 60).check(), Ok(()));
        assert_eq!(of(86_400, 30 * 86_400).check(), Ok(()));
    }
}
