//! Calendar months by their names, such as `2026-11`: those that a report is about.

use super::{
    tally::Month,
    text::Text,
    time::{Date, Timestamp},
};

/// The most months of one report: each is a round trip.
const MOST_MONTHS: i32 = 12;

/// So many months are asked about if nothing else is said.
const USUAL_MONTHS: i32 = 3;

/// Why months cannot be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MonthsError {
    /// The first is none.
    #[error("must be a month such as 2026-09")]
    From,
    /// The last is none.
    #[error("must be a month such as 2026-11")]
    To,
    /// The last is before the first, or there are too many.
    #[error("must be the month of `from`, or one of the eleven after it")]
    Span,
}

impl MonthsError {
    /// The field of the question that is wrong.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To | Self::Span => "to",
        }
    }
}

/// The month in which a moment is, in UTC.
#[must_use]
pub fn of(at: Timestamp) -> String {
    // RFC 3339 with a year of four digits begins with it.
    at.to_string().chars().take(7).collect()
}

/// The months of a question, the earliest first, at least one: to the present
/// one if no last one is named, and from two before the last one if no first
/// one is.
///
/// # Errors
/// [`MonthsError`].
pub fn between(
    from: Option<&str>,
    to: Option<&str>,
    now: Timestamp,
) -> Result<Vec<Month>, MonthsError> {
    let present = of(now);
    let to = number(to.unwrap_or(&present)).ok_or(MonthsError::To)?;
    let first = match from {
        Some(from) => number(from).ok_or(MonthsError::From)?,
        None => to.saturating_sub(USUAL_MONTHS - 1),
    };
    let count = to.saturating_sub(first).saturating_add(1);
    if !(1..=MOST_MONTHS).contains(&count) {
        return Err(MonthsError::Span);
    }
    (first..=to).map(|number| named(number).ok_or(MonthsError::From)).collect()
}

/// As many months, right before these; fewer, where the calendar begins.
#[must_use]
pub fn before(months: &[Month]) -> Vec<Month> {
    let Some(first) = months.first().and_then(|first| number(first.as_str())) else {
        return Vec::new();
    };
    let count = i32::try_from(months.len()).unwrap_or(0);
    (first.saturating_sub(count)..first).filter_map(named).collect()
}

/// The number of a month since the year 0.
fn number(text: &str) -> Option<i32> {
    let (year, month, _) = Date::parse(&format!("{text}-01")).ok()?.parts();
    i32::from(year).checked_mul(12)?.checked_add(i32::from(month))?.checked_sub(1)
}

fn named(number: i32) -> Option<Month> {
    let (year, month) = (number.div_euclid(12), number.rem_euclid(12).checked_add(1)?);
    let is_written = (0..=9_999).contains(&year);
    is_written.then(|| Text::new(&format!("{year:04}-{month:02}")).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(months: &[Month]) -> String {
        months.iter().map(Month::as_str).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn months_are_named_or_the_last_three() {
        let now = Timestamp::parse("2026-01-15T00:00:00Z").unwrap();
        let asked = |from, to| {
            let months = between(from, to, now)?;
            Ok(joined(&months))
        };
        for (from, to, expected) in [
            (None, None, Ok("2025-11 2025-12 2026-01")),
            (Some("2025-12"), None, Ok("2025-12 2026-01")),
            (None, Some("2025-01"), Ok("2024-11 2024-12 2025-01")),
            (Some("2026-09"), Some("2026-09"), Ok("2026-09")),
            (Some("2026-9"), None, Err(MonthsError::From)),
            (Some("2026-09-01"), None, Err(MonthsError::From)),
            (None, Some("2026-13"), Err(MonthsError::To)),
            (None, Some(""), Err(MonthsError::To)),
            (Some("2026-02"), None, Err(MonthsError::Span)),
            (Some("2025-01"), Some("2026-01"), Err(MonthsError::Span)),
            (Some("0000-01"), Some("0000-02"), Ok("0000-01 0000-02")),
        ] {
            assert_eq!(asked(from, to), expected.map(str::to_owned), "{from:?} {to:?}");
        }
        let year = asked(Some("2025-02"), Some("2026-01")).unwrap();
        assert_eq!(year.split(' ').count(), 12);
    }

    #[test]
    fn as_many_months_come_before() {
        let months = |from, to| between(Some(from), Some(to), Timestamp::EPOCH).unwrap();
        assert_eq!(joined(&before(&months("2026-01", "2026-03"))), "2025-10 2025-11 2025-12");
        assert_eq!(joined(&before(&months("0000-02", "0000-04"))), "0000-01");
        assert_eq!(before(&[]), []);
        assert_eq!(of(Timestamp::parse("2026-11-30T23:59:59Z").unwrap()), "2026-11");
    }
}
