//! How long points last.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{
    policy::PolicyError,
    time::{Period, TimeOfDay, Timestamp, Zone},
};

/// The most months, and the most years twelve times, that points last: what
/// lasts longer than ten years is a typing error.
const MAX_MONTHS: u16 = 120;

/// The most days that points last, for the same reason.
const MAX_DAYS: u16 = 3_660;

/// The most notices of one end. What was told is kept in the ledger, and
/// nobody reads a fifth.
const MAX_NOTICES: usize = 4;

/// The longest time before an end of which members are told: a year.
const MAX_NOTICE: u16 = 365;

/// The longest grace. What ended half a year ago is still owed to members so
/// long, and still counted as a liability.
const MAX_GRACE: Period = Period::of_days(183);

/// How long points last, and how members learn of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpiryPolicy {
    /// Points of purchases, from when they become available.
    pub purchases: Life,
    /// Points of deeds, milestones, campaigns and apologies; as those of
    /// purchases, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Life>,
    /// Points that paid for goods which are called off come back with the end
    /// that they had. If that has passed by then, they last to the end of the
    /// month that comes so many months after.
    pub returned_months: u16,
    /// So many days before points end, at nine in the morning, the member is told.
    #[serde(default = "notices")]
    pub notices: Vec<u16>,
    /// So long after their end points may still be spent, which is not told in
    /// advance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace: Option<Period>,
    /// Lots last longer when the member does something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<Extension>,
}

/// How long a lot lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// So many days, to the end of the day.
    Days(u16),
    /// To the end of the month that comes so many months later.
    EndOfMonthAfter(u16),
    /// To the end of the year that comes so many years later; 0 is the year
    /// in which they were granted.
    EndOfYearAfter(u16),
    /// To the end of the month that comes so many months after the last
    /// activity: buying, spending or a deed that earns.
    MonthsAfterActivity(u16),
}

/// How activity lets other lots last longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// Lots that end within so many days of an activity ...
    pub ending_within_days: u16,
    /// ... last to the end of the month that comes so many months after it.
    pub months: u16,
    /// But no lot is extended beyond the end of the month that comes so many
    /// months after it was granted.
    pub most_months: u16,
}

fn notices() -> Vec<u16> {
    vec![30, 7]
}

impl Life {
    /// When points end that are granted at this moment, or last from an
    /// activity at it: the first instant after their last day, by the zone's
    /// calendar, at most the end of all calendars.
    #[must_use]
    pub fn end(self, from: Timestamp, zone: &Zone) -> Timestamp {
        let end = match self {
            Self::Days(days) => {
                let last = from.date_in(zone).plus_days(u32::from(days));
                last.plus_days(1).at(TimeOfDay::MIDNIGHT, zone)
            }
            Self::EndOfMonthAfter(months) | Self::MonthsAfterActivity(months) => {
                from.end_of_month_after(months, zone)
            }
            Self::EndOfYearAfter(years) => from.end_of_year_after(years, zone),
        };
        end.unwrap_or(Timestamp::LAST)
    }

    /// Whether it is counted from the last activity.
    #[must_use]
    pub const fn rolls(self) -> bool {
        matches!(self, Self::MonthsAfterActivity(_))
    }

    fn makes_sense(self) -> bool {
        match self {
            Self::Days(days) => (1..=MAX_DAYS).contains(&days),
            Self::EndOfMonthAfter(months) | Self::MonthsAfterActivity(months) => {
                months <= MAX_MONTHS
            }
            Self::EndOfYearAfter(years) => years <= MAX_MONTHS / 12,
        }
    }
}

impl ExpiryPolicy {
    /// How long points last that are not of a purchase.
    #[must_use]
    pub fn of_grants(&self) -> Life {
        self.grants.unwrap_or(self.purchases)
    }

    /// When a lot that ends then is taken away: at the end of the grace.
    #[must_use]
    pub fn gone_at(&self, end: Timestamp) -> Timestamp {
        self.grace.map_or(end, |grace| end.plus(grace))
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let life = "must be 1 to 3,660 days, or at most 120 months or 10 years";
        if !self.purchases.makes_sense() {
            return nonsense("points.expiry.purchases", life);
        }
        let grants = self.of_grants();
        if !grants.makes_sense() {
            return nonsense("points.expiry.grants", life);
        }
        // A lot knows that it rolls, not of which kind it is.
        if grants.rolls() && self.purchases.rolls() && grants != self.purchases {
            let reason = "must last as long after activity as points of purchases";
            return nonsense("points.expiry.grants", reason);
        }
        if self.returned_months > MAX_MONTHS {
            return nonsense("points.expiry.returned_months", "must be at most 120");
        }
        let fits = |days: &u16| (1..=MAX_NOTICE).contains(days);
        if self.notices.len() > MAX_NOTICES || !self.notices.iter().all(fits) {
            return nonsense("points.expiry.notices", "must be at most 4, each of 1 to 365 days");
        }
        if self.grace.is_some_and(|grace| grace > MAX_GRACE) {
            return nonsense("points.expiry.grace", "must be at most 183d");
        }
        let odd = |it: &Extension| {
            it.ending_within_days > MAX_DAYS || it.months.max(it.most_months) > MAX_MONTHS
        };
        if self.extension.as_ref().is_some_and(odd) {
            let reason = "must be at most 3,660 days and 120 months";
            return nonsense("points.expiry.extension", reason);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn every_life_ends_by_the_calendar_of_the_zone() {
        use Life::{Days, EndOfMonthAfter, EndOfYearAfter, MonthsAfterActivity};
        for (life, zone, from, end) in [
            (Days(1), "UTC", "2028-02-28T12:00:00Z", "2028-03-01T00:00:00Z"),
            (Days(1), "UTC", "2027-02-27T12:00:00Z", "2027-03-01T00:00:00Z"),
            (Days(1), "UTC", "2028-02-27T12:00:00Z", "2028-02-29T00:00:00Z"),
            (Days(365), "UTC", "2028-02-29T12:00:00Z", "2029-03-01T00:00:00Z"),
            // Days of 23 and of 25 hours, where clocks are changed.
            (Days(1), "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T22:00:00Z"),
            (Days(1), "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T23:00:00Z"),
            // A day that begins at one in the morning.
            (Days(1), "Africa/Cairo", "2026-04-22T12:00:00Z", "2026-04-23T22:00:00Z"),
            (EndOfMonthAfter(0), "UTC", "2028-02-29T23:59:59Z", "2028-03-01T00:00:00Z"),
            (EndOfMonthAfter(1), "UTC", "2026-01-31T12:00:00Z", "2026-03-01T00:00:00Z"),
            (EndOfMonthAfter(12), "UTC", "2027-02-28T12:00:00Z", "2028-03-01T00:00:00Z"),
            (MonthsAfterActivity(2), "UTC", "2026-12-31T12:00:00Z", "2027-03-01T00:00:00Z"),
            // The same instant is of another month, and of another year.
            (EndOfMonthAfter(1), "Asia/Shanghai", "2026-01-31T15:59:59Z", "2026-02-28T16:00:00Z"),
            (EndOfMonthAfter(1), "Asia/Shanghai", "2026-01-31T16:00:00Z", "2026-03-31T16:00:00Z"),
            (EndOfYearAfter(0), "Asia/Shanghai", "2026-12-31T15:59:59Z", "2026-12-31T16:00:00Z"),
            (EndOfYearAfter(0), "Asia/Shanghai", "2026-12-31T16:00:00Z", "2027-12-31T16:00:00Z"),
            (EndOfYearAfter(2), "America/New_York", "2026-07-01T12:00:00Z", "2029-01-01T05:00:00Z"),
            (EndOfYearAfter(10), "UTC", "9995-07-01T12:00:00Z", "9999-12-30T22:00:00Z"),
        ] {
            let zone = Zone::parse(zone).unwrap();
            assert_eq!(life.end(at(from), &zone), at(end), "{life:?} from {from}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let sound = ExpiryPolicy {
            purchases: Life::EndOfMonthAfter(12),
            grants: None,
            returned_months: 1,
            notices: notices(),
            grace: Some(Period::of_days(14)),
            extension: Some(Extension { ending_within_days: 60, months: 3, most_months: 24 }),
        };
        assert_eq!(sound.check(), Ok(()));
        let extension = Extension { ending_within_days: 60, months: 121, most_months: 24 };
        let roll = Life::MonthsAfterActivity;
        for (field, odd) in [
            ("purchases", ExpiryPolicy { purchases: Life::Days(0), ..sound.clone() }),
            ("purchases", ExpiryPolicy { purchases: Life::EndOfYearAfter(11), ..sound.clone() }),
            ("grants", ExpiryPolicy { grants: Some(roll(121)), ..sound.clone() }),
            ("grants", ExpiryPolicy { purchases: roll(6), grants: Some(roll(7)), ..sound.clone() }),
            ("returned_months", ExpiryPolicy { returned_months: 121, ..sound.clone() }),
            ("notices", ExpiryPolicy { notices: vec![0], ..sound.clone() }),
            ("notices", ExpiryPolicy { notices: vec![1; 5], ..sound.clone() }),
            ("grace", ExpiryPolicy { grace: Some(Period::of_days(184)), ..sound.clone() }),
            ("extension", ExpiryPolicy { extension: Some(extension), ..sound.clone() }),
        ] {
            let error = odd.check().unwrap_err().to_string();
            assert!(error.contains(&format!("points.expiry.{field}")), "{error}");
        }
    }
}
