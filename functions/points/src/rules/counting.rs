//! What rules with limits gave in the present day and month, and streaks: the
//! counters of a ledger.

use std::collections::BTreeMap;

use aftercart::model::{
    points::{Counter, MAX_COUNTERS},
    text::Text,
    time::Date,
};

/// The counters of a ledger, by their names.
pub type Counters = BTreeMap<Text<40>, Counter>;

/// What a counter counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// What a day gave.
    Day,
    /// What a month gave.
    Month,
    /// Days in a row; it is counted from the last of them.
    Streak,
}

impl Span {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Day => "d:",
            Self::Month => "m:",
            Self::Streak => "s:",
        }
    }

    /// The first day of what is counted on this date.
    fn from(self, date: Date) -> Date {
        let (_, _, day) = date.parts();
        match self {
            Self::Day | Self::Streak => date,
            Self::Month => date.minus_days(u32::from(day.unsigned_abs()).saturating_sub(1)),
        }
    }

    /// Whether a counter says nothing any more on this date.
    fn is_over(self, counter: &Counter, date: Date) -> bool {
        match self {
            Self::Day | Self::Month => counter.from < self.from(date),
            Self::Streak => counter.from.plus_days(1) < date,
        }
    }

    fn of(name: &Text<40>) -> Option<Self> {
        let all = [Self::Day, Self::Month, Self::Streak];
        all.into_iter().find(|span| name.as_str().starts_with(span.prefix()))
    }

    /// The name of a rule's counter. Names of rules are short enough for it.
    fn name(self, rule: &str) -> Option<Text<40>> {
        Text::new(&format!("{}{rule}", self.prefix())).ok()
    }
}

/// How often the rule applied in the period of the date, and what it gave. A
/// date before the period that is counted already belongs to that one: what
/// comes late finds no limit that is fresh again.
#[must_use]
pub fn counted(counters: &Counters, span: Span, rule: &str, date: Date) -> (u32, i64) {
    let counter = span.name(rule).and_then(|name| counters.get(&name));
    let counter = counter.filter(|it| !span.is_over(it, date));
    counter.map_or((0, 0), |it| (it.times, it.points))
}

/// Counts that a rule applied, and gave so many points.
pub fn count(counters: &mut Counters, span: Span, rule: &str, date: Date, points: i64) {
    let (times, sum) = counted(counters, span, rule, date);
    put(counters, span, rule, date, (times.saturating_add(1), sum.saturating_add(points)));
}

/// Which day of a streak the date is for the rule: one more than the day before
/// was, and the first again after the day `last`. None if the date was counted.
#[must_use]
pub fn streak(counters: &Counters, rule: &str, date: Date, last: u16) -> Option<u32> {
    let name = Span::Streak.name(rule)?;
    if counters.get(&name).is_some_and(|it| it.from >= date) {
        return None;
    }
    let (days, _) = counted(counters, Span::Streak, rule, date);
    Some(if days >= u32::from(last) { 1 } else { days.saturating_add(1) })
}

/// Notes which day of a streak the date is.
pub fn note_streak(counters: &mut Counters, rule: &str, date: Date, day: u32) {
    put(counters, Span::Streak, rule, date, (day, 0));
}

fn put(counters: &mut Counters, span: Span, rule: &str, date: Date, now: (u32, i64)) {
    let Some(name) = span.name(rule) else { return };
    if !counters.contains_key(&name) {
        make_room(counters, date);
    }
    let from = counters.get(&name).map_or(span.from(date), |it| it.from.max(span.from(date)));
    counters.insert(name, Counter { from, times: now.0, points: now.1 });
}

/// Takes counters away that say nothing any more. The rules of one policy never
/// need more than there is room for; those of the one before may for a month,
/// and then the oldest gives way.
fn make_room(counters: &mut Counters, date: Date) {
    counters.retain(|name, it| Span::of(name).is_some_and(|span| !span.is_over(it, date)));
    while counters.len() >= MAX_COUNTERS {
        let oldest = counters.iter().min_by_key(|(name, it)| (it.from, *name));
        let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
        counters.remove(&name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    #[test]
    fn each_day_and_month_is_counted_by_itself() {
        let mut counters = Counters::new();
        for (span, day, before) in [
            (Span::Day, "2028-02-28", (0, 0)),
            (Span::Day, "2028-02-28", (1, 10)),
            (Span::Day, "2028-02-29", (0, 0)),
            // It comes late, and finds what the day after has.
            (Span::Day, "2028-02-28", (1, 10)),
            (Span::Month, "2028-02-29", (0, 0)),
            (Span::Month, "2028-02-01", (1, 10)),
            (Span::Month, "2028-03-01", (0, 0)),
            (Span::Day, "2028-03-01", (0, 0)),
        ] {
            let found = counted(&counters, span, "tea", date(day));
            assert_eq!(found, before, "{span:?} {day}");
            count(&mut counters, span, "tea", date(day), 10);
        }
        assert_eq!(counters.len(), 2);
    }

    #[test]
    fn a_streak_is_of_days_in_a_row() {
        let mut counters = Counters::new();
        for (day, of) in [
            ("2027-02-27", Some(1)),
            ("2027-02-28", Some(2)),
            ("2027-02-28", None),
            ("2027-03-01", Some(3)),
            ("2027-03-02", Some(1)),
            ("2027-03-04", Some(1)),
            ("2027-03-05", Some(2)),
        ] {
            let found = streak(&counters, "c", date(day), 3);
            assert_eq!(found, of, "{day}");
            if let Some(found) = found {
                note_streak(&mut counters, "c", date(day), found);
            }
        }
    }

    #[test]
    fn there_are_never_too_many() {
        let mut counters = Counters::new();
        for n in 0..40 {
            let day = date("2027-01-01").plus_days(n / 20);
            count(&mut counters, Span::Month, &format!("r{n}"), day, 1);
            assert!(counters.len() <= MAX_COUNTERS);
        }
        count(&mut counters, Span::Day, "r", date("2027-02-01"), 1);
        assert_eq!(counters.len(), 1, "those of the month before are gone");
    }
}
