//! How tickets were seen to: what was counted, with how sure one can be of it.
//!
//! A ticket is in the month in which it was opened, whatever happens to it
//! later, so a share is one of the same tickets. Of fewer than the policy wants,
//! a report says how many there are and nothing else. The formulas are those of
//! `aftercart_insight::statistics`.

use std::collections::BTreeMap;

use aftercart::model::{
    tally::Month,
    ticket::{Spread, TicketCounts},
};
use aftercart_insight::statistics::{Estimate, Sample, Share};

/// The scale of satisfaction.
const SCALE: (i16, i16) = (1, 5);

/// From which score on somebody is satisfied: the two best of five.
const SATISFIED: u8 = 4;

/// By what the lines of a report differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Nothing: one line.
    Nothing,
    /// Who sees to them.
    Desk,
    /// What they are about.
    Topic,
    /// How soon they are seen to.
    Priority,
    /// Why it came to them.
    Cause,
    /// When they were opened.
    Month,
}

impl By {
    /// What is asked for by its name; nothing by none.
    #[must_use]
    pub fn parse(name: Option<&str>) -> Option<Self> {
        match name {
            None => Some(Self::Nothing),
            Some("desk") => Some(Self::Desk),
            Some("topic") => Some(Self::Topic),
            Some("priority") => Some(Self::Priority),
            Some("cause") => Some(Self::Cause),
            Some("month") => Some(Self::Month),
            Some(_) => None,
        }
    }

    /// The name of the line in which a column is, if it is in one.
    fn line(self, month: &Month, column: &str) -> Option<String> {
        let of = |kind: &str| column.strip_prefix(kind).map(str::to_owned);
        match self {
            Self::Nothing => (column == "all").then(|| column.to_owned()),
            Self::Month => (column == "all").then(|| month.as_str().to_owned()),
            Self::Desk => of("desk#"),
            Self::Topic => of("topic#"),
            Self::Priority => of("priority#"),
            Self::Cause => of("cause#"),
        }
    }
}

/// What was counted in some months, by line.
#[must_use]
pub fn lines(
    months: impl IntoIterator<Item = (Month, BTreeMap<String, TicketCounts>)>,
    by: By,
) -> BTreeMap<String, TicketCounts> {
    let mut lines: BTreeMap<String, TicketCounts> = BTreeMap::new();
    for (month, columns) in months {
        for (column, counts) in columns {
            if let Some(line) = by.line(&month, &column) {
                add(lines.entry(line).or_default(), counts);
            }
        }
    }
    // A cause that was corrected in all of its tickets has none any more.
    lines.retain(|_, counts| counts.opened > 0);
    lines
}

fn add(sum: &mut TicketCounts, counts: TicketCounts) {
    let plus = |sum: &mut u32, count: u32| *sum = sum.saturating_add(count);
    let spread = |sum: &mut Spread, counts: Spread| {
        plus(&mut sum.in_time, counts.in_time);
        for (class, count) in counts.classes {
            plus(sum.classes.entry(class).or_default(), count);
        }
    };
    plus(&mut sum.opened, counts.opened);
    plus(&mut sum.reopened, counts.reopened);
    spread(&mut sum.answered, counts.answered);
    spread(&mut sum.solved, counts.solved);
    for (score, count) in counts.scores {
        plus(sum.scores.entry(score).or_default(), count);
    }
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub struct Figures {
    /// How many were opened.
    pub opened: u32,
    /// How long it took until the customer had an answer.
    pub answered: Times,
    /// How long it took until they were solved for the first time.
    pub solved: Times,
    /// How many were opened again.
    pub reopened: u32,
    /// The share of the solved that were; none of too few.
    pub reopened_share: Option<Estimate>,
    /// How many said how satisfied they were afterwards.
    pub judged: u32,
    /// How satisfied on the scale of 1 to 5; none of too few, or if all said the
    /// same.
    pub satisfaction: Option<Estimate>,
    /// The share of those who said 4 or 5; none of too few.
    pub satisfied: Option<Estimate>,
}

/// How long something took.
#[derive(Debug, Clone, PartialEq)]
pub struct Times {
    /// How many.
    pub count: u32,
    /// What half of them did not exceed, in seconds, to an eighth; none of too few.
    pub median_s: Option<i64>,
    /// What nine in ten did not exceed; none of too few.
    pub p90_s: Option<i64>,
    /// The share of those that came in time; none of too few.
    pub in_time: Option<Estimate>,
}

/// What is shown of counts, where there are so many at least.
#[must_use]
pub fn figures(counts: &TicketCounts, least: u32) -> Figures {
    let share = |part: u32, of: u32| {
        let share = Share { part: part.into(), of: of.into() };
        share.estimate().filter(|_| of >= least)
    };
    let times = |spread: &Spread| {
        let count = spread.count();
        let enough = |percent| spread.percentile(percent).filter(|_| count >= least);
        let in_time = share(spread.in_time, count);
        Times { count, median_s: enough(50), p90_s: enough(90), in_time }
    };
    let scores = counts.scores.iter().map(|(score, count)| (i16::from(*score), u64::from(*count)));
    let judged = counts.scores.values().fold(0_u32, |sum, count| sum.saturating_add(*count));
    let best = counts.scores.range(SATISFIED..).fold(0, |sum: u32, (_, n)| sum.saturating_add(*n));
    let sample = Sample::of(scores).filter(|_| judged >= least);
    let solved = times(&counts.solved);
    Figures {
        opened: counts.opened,
        answered: times(&counts.answered),
        reopened: counts.reopened,
        reopened_share: share(counts.reopened, solved.count),
        solved,
        judged,
        satisfaction: sample.and_then(|it| it.estimate(SCALE)),
        satisfied: share(best, judged),
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::text::Text;
    use proptest::prelude::*;

    use super::*;

    fn spread(lengths: &[i64], in_time: u32) -> Spread {
        let mut spread = Spread { in_time, ..Spread::default() };
        for length in lengths {
            *spread.classes.entry(Spread::class(*length)).or_default() += 1;
        }
        spread
    }

    fn counts(scores: &[(u8, u32)]) -> TicketCounts {
        TicketCounts {
            opened: 20,
            answered: spread(&[60, 120, 240, 480, 960, 1_920, 3_840, 7_680, 15_360, 30_720], 7),
            solved: spread(&[86_400; 20], 20),
            reopened: 1,
            scores: scores.iter().copied().collect(),
        }
    }

    fn month(
        name: &str,
        columns: &[(&str, TicketCounts)],
    ) -> (Month, BTreeMap<String, TicketCounts>) {
        let columns = columns.iter().map(|(name, it)| ((*name).to_owned(), it.clone()));
        (Text::new(name).unwrap(), columns.collect())
    }

    #[test]
    fn lines_are_the_columns_of_all_months() {
        let columns = [
            ("all", counts(&[(5, 1)])),
            ("desk#service", counts(&[])),
            ("topic#delivery", counts(&[])),
            ("cause#late", counts(&[])),
            ("priority#high", counts(&[])),
        ];
        let corrected = ("cause#lost", TicketCounts::default());
        let months = || {
            let last = [columns[0].clone(), columns[1].clone(), corrected.clone()];
            [month("2026-10", &columns), month("2026-11", &last)]
        };
        for (by, expected) in [
            (By::Nothing, "all 40"),
            (By::Month, "2026-10 20, 2026-11 20"),
            (By::Desk, "service 40"),
            (By::Topic, "delivery 20"),
            (By::Cause, "late 20"),
            (By::Priority, "high 20"),
        ] {
            let lines = lines(months(), by);
            let told: Vec<String> =
                lines.iter().map(|(name, it)| format!("{name} {}", it.opened)).collect();
            assert_eq!(told.join(", "), expected, "{by:?}");
        }
        let all = lines(months(), By::Nothing).remove("all").unwrap();
        assert_eq!((all.answered.count(), all.answered.in_time, all.scores[&5]), (20, 14, 2));
        assert_eq!((By::parse(None), By::parse(Some("weather"))), (Some(By::Nothing), None));
    }

    #[test]
    fn a_line_says_how_long_it_took_and_how_sure_that_is() {
        let line = figures(&counts(&[(5, 6), (4, 2), (3, 1), (1, 1)]), 10);
        // The longest of the class of 960 seconds, and of 15,360.
        assert_eq!((line.answered.median_s, line.answered.p90_s), (Some(1_023), Some(16_383)));
        // Newcombe's method 3 of 7 in 10, 1 in 20, 8 in 10.
        let parts = |it: Option<Estimate>| it.unwrap().parts(1_000);
        assert_eq!(parts(line.answered.in_time), (700, 396, 893));
        assert_eq!(parts(line.reopened_share), (50, 8, 237));
        assert_eq!(parts(line.satisfied), (800, 490, 944));
        // A mean of 4.2 with s = 1.317, t of 9 degrees of freedom: 2.262.
        let (mean, low, high) = line.satisfaction.unwrap().parts(100);
        assert_eq!((mean, low, high), (420, 325, 500));
    }

    #[test]
    fn of_too_few_there_is_no_number() {
        let line = figures(&counts(&[(5, 9)]), 11);
        assert_eq!((line.answered.count, line.answered.median_s), (10, None));
        assert_eq!((line.answered.in_time, line.answered.p90_s), (None, None));
        assert_eq!((line.judged, line.satisfied, line.satisfaction), (9, None, None));
        assert!(line.solved.median_s.is_some());
        let none = figures(&TicketCounts::default(), 0);
        assert_eq!((none.opened, none.reopened_share, none.solved.median_s), (0, None, None));
    }

    proptest! {
        #[test]
        fn a_share_lies_in_its_interval_and_a_percentile_among_what_was_seen(
            lengths in proptest::collection::vec(0_i64..10_000_000, 1..60),
            late in 0_u32..60,
        ) {
            let count = u32::try_from(lengths.len()).unwrap();
            let answered = spread(&lengths, count.saturating_sub(late));
            let line = figures(&TicketCounts { answered, ..TicketCounts::default() }, 1);
            let share = line.answered.in_time.unwrap();
            prop_assert!(share.low <= share.value && share.value <= share.high);
            let mut sorted = lengths;
            sorted.sort_unstable();
            for (percent, told) in [(50, line.answered.median_s), (90, line.answered.p90_s)] {
                let rank = (sorted.len() * percent).div_ceil(100) - 1;
                let (seen, told) = (sorted[rank], told.unwrap());
                prop_assert!(seen <= told && told <= seen + seen / 8, "{} {}", seen, told);
            }
        }
    }
}
