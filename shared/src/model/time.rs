//! Moments and periods.

use std::fmt;

use jiff::{SignedDuration, Zoned, civil, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A moment in UTC, to the millisecond. Written as RFC 3339 with three
/// decimals and `Z`, so that the order of the texts is the order of time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timestamp(jiff::Timestamp);

/// Why a text is not a moment or a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339, or a year that has not four digits.
    #[error("must be an RFC 3339 time such as 2026-11-21T12:00:00Z")]
    Timestamp,
    /// Not a whole number and a unit.
    #[error("must be a whole number with one of the units s, m, h or d, such as 30m or 14d")]
    Period,
    /// Not the name of a zone.
    #[error("must be the name of a time zone such as Asia/Shanghai")]
    Zone,
    /// Not a day of the calendar, or a year that has not four digits.
    #[error("must be a date such as 2026-11-21")]
    Date,
    /// Not a month and a day of it.
    #[error("must be a month and a day such as 02-29")]
    YearDay,
    /// Not hours and minutes.
    #[error("must be a time of day such as 14:00")]
    TimeOfDay,
}

impl Timestamp {
    /// When 1970 began, UTC.
    pub const EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The first moment of the year 0, UTC.
    pub const FIRST: Self = Self(jiff::Timestamp::constant(-62_167_219_200, 0));

    /// The second last day of the year 9999, from when on other zones write
    /// the year with five digits.
    pub const LAST: Self = Self(jiff::Timestamp::constant(253_402_207_200, 0));

    /// Reads RFC 3339; what is finer than a millisecond is cut off.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        text.parse::<jiff::Timestamp>().map_err(|_| TimeError::Timestamp).and_then(Self::checked)
    }

    /// Reads the date of a mail or an HTTP header (RFC 2822), such as
    /// `Tue, 19 Aug 2025 20:37:09 -0000`.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`].
    pub fn parse_rfc2822(text: &str) -> Result<Self, TimeError> {
        let moment = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text);
        moment.map_err(|_| TimeError::Timestamp).and_then(Self::checked)
    }

    /// So many seconds after 1970 began.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] outside the years 0 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_second(seconds)
            .map_err(|_| TimeError::Timestamp)
            .and_then(Self::checked)
    }

    /// So many milliseconds after 1970 began.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] outside the years 0 to 9999.
    pub fn from_unix_millis(millis: i64) -> Result<Self, TimeError> {
        jiff::Timestamp::from_millisecond(millis)
            .map_err(|_| TimeError::Timestamp)
            .and_then(Self::checked)
    }

    fn checked(moment: jiff::Timestamp) -> Result<Self, TimeError> {
        let millis = jiff::Timestamp::from_millisecond(moment.as_millisecond())
            .map_err(|_| TimeError::Timestamp)?;
        let year = millis.to_zoned(TimeZone::UTC).year();
        if (0..=9999).contains(&year) { Ok(Self(millis)) } else { Err(TimeError::Timestamp) }
    }

    /// Whole seconds after 1970 began.
    #[must_use]
    pub fn unix_seconds(self) -> i64 {
        self.0.as_second()
    }

    /// Milliseconds after 1970 began.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The moment a period later, at most the last of the calendar.
    #[must_use]
    pub fn plus(self, period: Period) -> Self {
        let later = self.0.checked_add(SignedDuration::from_secs(period.seconds()));
        later.ok().and_then(|moment| Self::checked(moment).ok()).unwrap_or(Self::LAST)
    }

    /// The moment a period earlier, at least the first of the calendar.
    #[must_use]
    pub fn minus(self, period: Period) -> Self {
        let earlier = self.0.checked_sub(SignedDuration::from_secs(period.seconds()));
        earlier.ok().and_then(|moment| Self::checked(moment).ok()).unwrap_or(Self::FIRST)
    }

    /// The end of the month that comes so many calendar months after this
    /// moment's month, in the zone: the first instant of the month after it.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] when that lies outside the calendar.
    pub fn end_of_month_after(self, months: u16, zone: &Zone) -> Result<Self, TimeError> {
        let here = self.0.to_zoned(zone.0.clone());
        let first = civil::date(here.year(), here.month(), 1);
        let end = first
            .checked_add(jiff::Span::new().months(i32::from(months) + 1))
            .and_then(|date| date.to_zoned(zone.0.clone()))
            .map_err(|_| TimeError::Timestamp)?;
        Self::checked(end.timestamp())
    }

    /// The first instant of this moment's year, in the zone.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] when that lies outside the calendar.
    pub fn start_of_year(self, zone: &Zone) -> Result<Self, TimeError> {
        let (year, _, _) = self.date_in(zone).parts();
        Self::new_year(year, zone)
    }

    /// The end of the year that comes so many years after this moment's year,
    /// in the zone: the first instant of the year after it.
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] when that lies outside the calendar.
    pub fn end_of_year_after(self, years: u16, zone: &Zone) -> Result<Self, TimeError> {
        let (year, _, _) = self.date_in(zone).parts();
        let after = i32::from(year) + i32::from(years) + 1;
        Self::new_year(i16::try_from(after).map_err(|_| TimeError::Timestamp)?, zone)
    }

    fn new_year(year: i16, zone: &Zone) -> Result<Self, TimeError> {
        let day = civil::Date::new(year, 1, 1).map_err(|_| TimeError::Timestamp)?;
        Date(day).at(TimeOfDay::MIDNIGHT, zone)
    }

    /// The date that a calendar on the wall shows at this moment, in the zone.
    #[must_use]
    pub fn date_in(self, zone: &Zone) -> Date {
        Date(self.0.to_zoned(zone.0.clone()).date())
    }

    /// What a clock on the wall shows at this moment, in the zone: its seconds
    /// cut off.
    #[must_use]
    pub fn time_in(self, zone: &Zone) -> TimeOfDay {
        let time = self.0.to_zoned(zone.0.clone()).time();
        TimeOfDay(civil::time(time.hour(), time.minute(), 0, 0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zoned: Zoned = self.0.to_zoned(TimeZone::UTC);
        write!(f, "{}", zoned.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Timestamp> for String {
    fn from(moment: Timestamp) -> Self {
        moment.to_string()
    }
}

/// A length of time in whole seconds, never negative. Written as a number and
/// a unit: `45s`, `30m`, `12h`, `14d`; a day is 24 hours.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Period(u32);

impl Period {
    /// So many seconds.
    #[must_use]
    pub const fn of_seconds(seconds: u32) -> Self {
        Self(seconds)
    }

    /// So many days of 24 hours.
    #[must_use]
    pub const fn of_days(days: u16) -> Self {
        Self(days as u32 * 86_400)
    }

    /// Its length in seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        i64::from(self.0)
    }

    /// Reads `30m` and the like.
    ///
    /// # Errors
    /// [`TimeError::Period`], also for what exceeds 136 years.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let unit = match text.bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => return Err(TimeError::Period),
        };
        let digits = text.get(..text.len() - 1).unwrap_or("");
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(TimeError::Period);
        }
        let count: u32 = digits.parse().map_err(|_| TimeError::Period)?;
        count.checked_mul(unit).map(Self).ok_or(TimeError::Period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.0 {
            0 => (0, "s"),
            n if n % 86_400 == 0 => (n / 86_400, "d"),
            n if n % 3_600 == 0 => (n / 3_600, "h"),
            n if n % 60 == 0 => (n / 60, "m"),
            n => (n, "s"),
        };
        write!(f, "{count}{unit}")
    }
}

impl TryFrom<String> for Period {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

/// A named time zone, such as `Europe/Berlin`, for rules that follow a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of a name in the IANA database.
    ///
    /// # Errors
    /// [`TimeError::Zone`].
    pub fn parse(name: &str) -> Result<Self, TimeError> {
        TimeZone::get(name).map(Self).map_err(|_| TimeError::Zone)
    }

    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }
}

impl TryFrom<String> for Zone {
    type Error = TimeError;
    fn try_from(name: String) -> Result<Self, TimeError> {
        Self::parse(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0.iana_name().unwrap_or("UTC").to_owned()
    }
}

/// A day of the calendar, of the years 0 to 9999. Written `2026-11-21`, so that
/// the order of the texts is the order of time.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Date(civil::Date);

impl Date {
    /// Reads a date of the form `2026-11-21`.
    ///
    /// # Errors
    /// [`TimeError::Date`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        // The length rules out the other forms of ISO 8601.
        let date = text.parse::<civil::Date>().ok().filter(|_| text.len() == "2026-11-21".len());
        date.map(Self).ok_or(TimeError::Date)
    }

    /// The date so many days later, at most the last of the calendar.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(SignedDuration::from_hours(i64::from(days) * 24)))
    }

    /// The date so many days earlier, at least the first of the calendar.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        let earlier = self.0.saturating_sub(SignedDuration::from_hours(i64::from(days) * 24));
        Self(earlier.max(civil::date(0, 1, 1)))
    }

    /// How many days come after this date up to the other; negative when that is earlier.
    #[must_use]
    pub fn days_until(self, other: Self) -> i32 {
        // The calendar has fewer than four million days.
        i32::try_from(self.0.duration_until(other.0).as_hours() / 24).unwrap_or(i32::MAX)
    }

    /// Its year, month and day of the month, both counted from 1.
    #[must_use]
    pub fn parts(self) -> (i16, i8, i8) {
        (self.0.year(), self.0.month(), self.0.day())
    }

    /// Its day of the week.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        match self.0.weekday() {
            civil::Weekday::Monday => Weekday::Mon,
            civil::Weekday::Tuesday => Weekday::Tue,
            civil::Weekday::Wednesday => Weekday::Wed,
            civil::Weekday::Thursday => Weekday::Thu,
            civil::Weekday::Friday => Weekday::Fri,
            civil::Weekday::Saturday => Weekday::Sat,
            civil::Weekday::Sunday => Weekday::Sun,
        }
    }

    /// The moment at which a clock in the zone comes to this time of the date.
    /// The first of two where clocks go back over it; where they go forward
    /// over it, as long after the jump as it is after the jump's begin
    /// (RFC 5545, section 3.3.5).
    ///
    /// # Errors
    /// [`TimeError::Timestamp`] when that lies outside the calendar in UTC.
    pub fn at(self, time: TimeOfDay, zone: &Zone) -> Result<Timestamp, TimeError> {
        let moment = self.0.to_datetime(time.0).to_zoned(zone.0.clone());
        moment
            .map_err(|_| TimeError::Timestamp)
            .and_then(|moment| Timestamp::checked(moment.timestamp()))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl TryFrom<String> for Date {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// A day of every year, such as a birthday. Written `02-29`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct YearDay {
    month: i8,
    day: i8,
}

impl YearDay {
    /// Reads month and day, `01-01` to `12-31`; the 29th of February is one.
    ///
    /// # Errors
    /// [`TimeError::YearDay`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        // A leap year has every day that any year has.
        let (_, month, day) =
            Date::parse(&format!("2000-{text}")).map_err(|_| TimeError::YearDay)?.parts();
        Ok(Self { month, day })
    }

    /// Its month, counted from 1.
    #[must_use]
    pub fn month(self) -> i8 {
        self.month
    }
}

impl fmt::Display for YearDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

impl TryFrom<String> for YearDay {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<YearDay> for String {
    fn from(day: YearDay) -> Self {
        day.to_string()
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// What a clock on the wall shows, to the minute. Written `14:00`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct TimeOfDay(civil::Time);

impl TimeOfDay {
    /// Nine o'clock, from when on people may be written to.
    pub const MORNING: Self = Self(civil::time(9, 0, 0, 0));

    /// When a day begins.
    pub const MIDNIGHT: Self = Self(civil::Time::midnight());

    /// Reads hours and minutes, `00:00` to `23:59`.
    ///
    /// # Errors
    /// [`TimeError::TimeOfDay`].
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let two = |digits: &str| {
            let fits = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse().ok().filter(|_| fits)
        };
        let (hour, minute) = text.split_once(':').ok_or(TimeError::TimeOfDay)?;
        let (hour, minute) = two(hour).zip(two(minute)).ok_or(TimeError::TimeOfDay)?;
        civil::Time::new(hour, minute, 0, 0).map(Self).map_err(|_| TimeError::TimeOfDay)
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = TimeError;
    fn try_from(text: String) -> Result<Self, TimeError> {
        Self::parse(&text)
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

/// Tells the time. The one source of it; rules get the time as an argument.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_written_in_one_way() {
        for (text, written) in [
            ("2026-11-21T12:00:00Z", "2026-11-21T12:00:00.000Z"),
            ("2026-11-21T13:00:00.123456+01:00", "2026-11-21T12:00:00.123Z"),
        ] {
            assert_eq!(
                Timestamp::parse(text).map(|moment| moment.to_string()),
                Ok(written.to_owned())
            );
        }
        for text in ["2026-11-21", "2026-11-21T12:00:00", "yesterday", ""] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::Timestamp), "{text}");
        }
    }

    #[test]
    fn dates_of_headers_are_read() {
        for text in ["Tue, 19 Aug 2025 20:37:09 -0000", "19 Aug 2025 22:37:09 +0200"] {
            let moment = Timestamp::parse_rfc2822(text).map(|moment| moment.to_string());
            assert_eq!(moment, Ok("2025-08-19T20:37:09.000Z".to_owned()), "{text}");
        }
        for text in ["2025-08-19T20:37:09Z", "Mon, 19 Aug 2025 20:37:09 -0000", ""] {
            assert_eq!(Timestamp::parse_rfc2822(text), Err(TimeError::Timestamp), "{text}");
        }
    }

    #[test]
    fn sums_stay_within_the_calendar() {
        let long = Period::of_seconds(u32::MAX);
        assert_eq!(Timestamp::LAST.plus(long), Timestamp::LAST);
        assert_eq!(Timestamp::FIRST.minus(long), Timestamp::FIRST);
        assert_eq!(Timestamp::FIRST.to_string(), "0000-01-01T00:00:00.000Z");
        assert_eq!(Timestamp::LAST.to_string(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn a_period_reads_as_it_is_written() {
        for text in ["0s", "45s", "30m", "36h", "14d"] {
            assert_eq!(Period::parse(text).map(|period| period.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "d", "1", "-1d", "1w", "1.5h", "99999999999d", "４d"] {
            assert_eq!(Period::parse(text), Err(TimeError::Period), "{text}");
        }
    }

    #[test]
    fn months_end_by_the_calendar_of_the_zone() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        let start = Timestamp::parse("2027-01-31T15:59:59Z").unwrap();
        assert_eq!(
            start.end_of_month_after(1, &zone).unwrap().to_string(),
            "2027-02-28T16:00:00.000Z"
        );
        let hour_later = start.plus(Period::of_seconds(3600));
        assert_eq!(
            hour_later.end_of_month_after(1, &zone).unwrap().to_string(),
            "2027-03-31T16:00:00.000Z"
        );
    }

    #[test]
    fn dates_and_times_of_day_have_one_form() {
        for text in ["2026-11-21", "0000-01-01", "9999-12-31", "2028-02-29"] {
            assert_eq!(Date::parse(text).map(|date| date.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "20261121", "2026-11-31", "2026-1-1", "2026-11-21T12:00", "2027-02-29"] {
            assert_eq!(Date::parse(text), Err(TimeError::Date), "{text}");
        }
        for text in ["01-01", "02-29", "12-31"] {
            assert_eq!(YearDay::parse(text).map(|day| day.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "02-30", "13-01", "00-01", "1-1", "2000-01-01", "01-01T", "+1-01"] {
            assert_eq!(YearDay::parse(text), Err(TimeError::YearDay), "{text}");
        }
        for text in ["00:00", "14:05", "23:59"] {
            assert_eq!(TimeOfDay::parse(text).map(|time| time.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "14", "24:00", "14:60", "1:00", "14:00:00", "+1:00", "-1:00"] {
            assert_eq!(TimeOfDay::parse(text), Err(TimeError::TimeOfDay), "{text}");
        }
    }

    #[test]
    fn days_are_counted_on_the_calendar() {
        let date = |text| Date::parse(text).unwrap();
        let start = date("2026-12-30");
        assert_eq!(start.plus_days(3), date("2027-01-02"));
        assert_eq!(start.days_until(date("2027-01-02")), 3);
        assert_eq!(date("2027-01-02").days_until(start), -3);
        assert_eq!(start.weekday(), Weekday::Wed);
        assert_eq!(start.plus_days(u32::MAX), date("9999-12-31"));
        assert_eq!(date("2028-03-01").minus_days(1), date("2028-02-29"));
        assert_eq!(start.minus_days(u32::MAX), date("0000-01-01"));
        assert_eq!(date("0000-01-01").days_until(date("9999-12-31")), 3_652_424);
        let shanghai = Zone::parse("Asia/Shanghai").unwrap();
        let moment = Timestamp::parse("2026-12-30T16:00:00Z").unwrap();
        assert_eq!(moment.date_in(&shanghai), date("2026-12-31"));
    }

    #[test]
    fn a_time_of_day_that_comes_twice_or_not_at_all_has_one_moment() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        for (date, time, moment) in [
            ("2026-11-21", "14:00", "2026-11-21T13:00:00.000Z"),
            // Clocks go back from 03:00 to 02:00, and forward from 02:00 to 03:00.
            ("2026-10-25", "02:30", "2026-10-25T00:30:00.000Z"),
            ("2026-03-29", "02:30", "2026-03-29T01:30:00.000Z"),
        ] {
            let (date, time) = (Date::parse(date).unwrap(), TimeOfDay::parse(time).unwrap());
            assert_eq!(date.at(time, &berlin).unwrap().to_string(), moment);
        }
        let end = Date::parse("9999-12-31").unwrap();
        let time = TimeOfDay::parse("12:00").unwrap();
        assert!(end.at(time, &Zone::parse("America/Los_Angeles").unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn texts_sort_as_moments(a in 0_i64..200_000_000_000_000, b in 0_i64..200_000_000_000_000) {
            let (a, b) = (Timestamp::from_unix_millis(a).unwrap(), Timestamp::from_unix_millis(b).unwrap());
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
            prop_assert_eq!(Timestamp::parse(&a.to_string()), Ok(a));
        }
    }
}
