//! When an offer is open, in the local time of a zone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::time::{Date, TimeOfDay, Timestamp, Weekday, Zone};

/// When an offer is open. Every condition that is given has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Window {
    /// From this local time on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<LocalTime>,
    /// Until just before this local time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<LocalTime>,
    /// Only on these days of the week; on any, if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// Only in these hours of each day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}

/// How an offer's window stands to a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowState {
    /// Open.
    Open,
    /// It begins later.
    NotYet,
    /// It is over.
    Ended,
    /// Between its beginning and its end, but not on this day or at this hour.
    Closed,
}

impl Window {
    /// How the window stands to a moment. `from` and `until` are moments: a
    /// local time that the clock shows twice is the first of the two, and one
    /// that it skips is as much later as the clock jumps (RFC 5545, 3.3.5).
    /// Days and hours follow the clock: hours that it shows twice are open
    /// twice, and hours that it skips are not there that day.
    #[must_use]
    pub fn at(&self, now: Timestamp, zone: &Zone) -> WindowState {
        // A local time beyond the calendar never comes.
        let begins = |local: LocalTime| local.date.at(local.time, zone).ok();
        if self.from.is_some_and(|from| begins(from).is_none_or(|from| now < from)) {
            return WindowState::NotYet;
        }
        if self.ends(zone).is_some_and(|until| now >= until) {
            return WindowState::Ended;
        }
        let day = self.days.is_empty() || self.days.contains(&now.date_in(zone).weekday());
        let time = now.time_in(zone);
        let hour = self
            .hours
            .is_none_or(|hours| hours.from <= time && hours.until.is_none_or(|until| time < until));
        if day && hour { WindowState::Open } else { WindowState::Closed }
    }

    /// When it is over for good; never, if it has no end.
    #[must_use]
    pub fn ends(&self, zone: &Zone) -> Option<Timestamp> {
        // A local time beyond the calendar never comes.
        self.until.and_then(|local| local.date.at(local.time, zone).ok())
    }

    /// Whether it makes sense, beyond its form.
    ///
    /// # Errors
    /// The field and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if self.from.zip(self.until).is_some_and(|(from, until)| until <= from) {
            return Err(("until", "must be after `from`"));
        }
        let repeated = |n: usize| self.days.iter().take(n).any(|day| self.days.get(n) == Some(day));
        if (0..self.days.len()).any(repeated) {
            return Err(("days", "must have each day once"));
        }
        match self.hours {
            Some(hours) if hours.until.is_some_and(|until| until <= hours.from) => {
                Err(("hours.until", "must be after `from`; hours over midnight are two windows"))
            }
            _ => Ok(()),
        }
    }
}

/// Hours of a day, which end on the same day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    /// From this minute on.
    pub from: TimeOfDay,
    /// Until just before this one; until the day's end, if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<TimeOfDay>,
}

/// Why a text is no local time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a local time without an offset, such as 2026-11-11T00:00")]
pub struct LocalTimeError;

/// A date and a time as the clocks of the document's zone show it, to the
/// minute: `2026-11-11T00:00`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct LocalTime {
    date: Date,
    time: TimeOfDay,
}

impl LocalTime {
    /// The local time written as `text`.
    ///
    /// # Errors
    /// When it has not the form of one.
    pub fn parse(text: &str) -> Result<Self, LocalTimeError> {
        let (date, time) = text.split_once('T').ok_or(LocalTimeError)?;
        let date = Date::parse(date).map_err(|_| LocalTimeError)?;
        let time = TimeOfDay::parse(time).map_err(|_| LocalTimeError)?;
        Ok(Self { date, time })
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}T{}", self.date, self.time)
    }
}

impl TryFrom<String> for LocalTime {
    type Error = LocalTimeError;
    fn try_from(text: String) -> Result<Self, LocalTimeError> {
        Self::parse(&text)
    }
}

impl From<LocalTime> for String {
    fn from(local: LocalTime) -> Self {
        local.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(window: &str, zone: &str, now: &str) -> WindowState {
        let window: Window = serde_json::from_str(window).unwrap();
        window.at(Timestamp::parse(now).unwrap(), &Zone::parse(zone).unwrap())
    }

    #[test]
    fn windows_are_half_open_and_local() {
        use WindowState::{Closed, Ended, NotYet, Open};
        let day = r#"{"from":"2026-11-11T00:00","until":"2026-11-12T00:00"}"#;
        let weekend = r#"{"days":["sat","sun"],"hours":{"from":"20:00"}}"#;
        // Berlin skips 02:00 to 03:00 on 29 March and has it twice on 25 October.
        let skipped = r#"{"from":"2026-03-29T02:30"}"#;
        let twice = r#"{"from":"2026-10-25T02:00","until":"2026-10-25T02:30"}"#;
        let hours = r#"{"hours":{"from":"02:00","until":"02:30"}}"#;
        for (window, zone, now, expected) in [
            ("{}", "UTC", "2026-11-10T15:59:59Z", Open),
            (day, "Asia/Shanghai", "2026-11-10T15:59:59.999Z", NotYet),
            (day, "Asia/Shanghai", "2026-11-10T16:00:00Z", Open),
            (day, "Asia/Shanghai", "2026-11-11T15:59:59.999Z", Open),
            (day, "Asia/Shanghai", "2026-11-11T16:00:00Z", Ended),
            (weekend, "UTC", "2026-11-21T19:59:59Z", Closed),
            (weekend, "UTC", "2026-11-21T20:00:00Z", Open),
            (weekend, "UTC", "2026-11-21T23:59:59Z", Open),
            (weekend, "UTC", "2026-11-23T20:00:00Z", Closed),
            (skipped, "Europe/Berlin", "2026-03-29T01:29:59Z", NotYet),
            (skipped, "Europe/Berlin", "2026-03-29T01:30:00Z", Open),
            (twice, "Europe/Berlin", "2026-10-25T00:00:00Z", Open),
            (twice, "Europe/Berlin", "2026-10-25T00:30:00Z", Ended),
            (twice, "Europe/Berlin", "2026-10-25T01:10:00Z", Ended),
            (hours, "Europe/Berlin", "2026-10-25T00:10:00Z", Open),
            (hours, "Europe/Berlin", "2026-10-25T01:10:00Z", Open),
            (hours, "Europe/Berlin", "2026-03-29T01:10:00Z", Closed),
        ] {
            assert_eq!(state(window, zone, now), expected, "{window} {now}");
        }
    }

    #[test]
    fn local_times_read_as_they_are_written() {
        let written = |text: &str| LocalTime::parse(text).map(|local| local.to_string());
        assert_eq!(written("2026-11-11T00:00"), Ok("2026-11-11T00:00".to_owned()));
        for text in ["", "2026-11-11", "2026-11-11T00:00Z", "2026-02-30T00:00", "2026-11-11 00:00"]
        {
            assert_eq!(written(text), Err(LocalTimeError), "{text}");
        }
    }
}
