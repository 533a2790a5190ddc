//! How tickets were seen to, as operators see it.

use aftercart::model::tally::Month;
use aftercart_insight::statistics::Estimate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::report::{Figures, Times};

/// How many parts of one a share is told in.
const SHARE_PARTS: u32 = 10_000;

/// How many parts of one a mean of satisfaction is told in.
const MEAN_PARTS: u32 = 100;

/// How tickets were seen to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketReport {
    /// The first month in which the tickets were opened, such as `2026-09`, in UTC.
    pub from: Month,
    /// The last month.
    pub to: Month,
    /// Of fewer than these there is no number but how many there are.
    pub least: u32,
    /// The lines, by name.
    pub lines: Vec<TicketReportLine>,
}

/// Tickets that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketReportLine {
    /// A desk, topic, priority, cause or month; `all`, if nothing is told apart.
    pub name: String,
    /// How many were opened.
    pub opened: u32,
    /// Until the customer had an answer.
    pub answer: TicketTimes,
    /// Until they were solved for the first time.
    pub solution: TicketTimes,
    /// How many of the solved were opened again.
    pub reopened: u32,
    /// The share of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_share: Option<TicketEstimate>,
    /// How many customers said how satisfied they were afterwards.
    pub judged: u32,
    /// The mean of what they said on the scale of 1 to 5, in hundredths. Left
    /// out, too, if all said the same: of that there is no interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<TicketEstimate>,
    /// The share of those who said 4 or 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfied: Option<TicketEstimate>,
}

/// How long something took, on the clock on the wall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketTimes {
    /// Of how many tickets.
    pub count: u32,
    /// Half of them took no longer, in seconds, to an eighth of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_s: Option<i64>,
    /// Nine in ten of them took no longer, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p90_s: Option<i64>,
    /// The share of those that were in time, by what was promised then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_time: Option<TicketEstimate>,
}

/// A number with its interval of 95 % confidence: a share in parts of ten
/// thousand, a mean in hundredths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TicketEstimate {
    /// What was seen.
    pub value: i64,
    /// The lower end.
    pub low: i64,
    /// The upper end.
    pub high: i64,
}

impl TicketReportLine {
    /// A line of a name.
    #[must_use]
    pub fn of(name: String, figures: &Figures) -> Self {
        let share = |it: Option<Estimate>| it.map(|it| TicketEstimate::of(&it, SHARE_PARTS));
        let times = |it: &Times| TicketTimes {
            count: it.count,
            median_s: it.median_s,
            p90_s: it.p90_s,
            in_time: share(it.in_time),
        };
        Self {
            name,
            opened: figures.opened,
            answer: times(&figures.answered),
            solution: times(&figures.solved),
            reopened: figures.reopened,
            reopened_share: share(figures.reopened_share),
            judged: figures.judged,
            satisfaction: figures.satisfaction.map(|it| TicketEstimate::of(&it, MEAN_PARTS)),
            satisfied: share(figures.satisfied),
        }
    }
}

impl TicketEstimate {
    fn of(estimate: &Estimate, parts: u32) -> Self {
        let (value, low, high) = estimate.parts(parts);
        Self { value, low, high }
    }
}

impl TicketReport {
    /// The lines as CSV (RFC 4180), in the units of the JSON. What is not told
    /// is empty. Names are of `a-z 0-9 - _`, and need no quotes.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = "name,opened,answered,answer_median_s,answer_p90_s,answer_in_time,\
                         answer_in_time_low,answer_in_time_high,solved,solution_median_s,\
                         solution_p90_s,solution_in_time,solution_in_time_low,\
                         solution_in_time_high,reopened,reopened_share,reopened_share_low,\
                         reopened_share_high,judged,satisfaction,satisfaction_low,\
                         satisfaction_high,satisfied,satisfied_low,satisfied_high\r\n"
            .to_owned();
        for line in &self.lines {
            let cells = [
                vec![line.name.clone(), line.opened.to_string()],
                line.answer.cells(),
                line.solution.cells(),
                vec![line.reopened.to_string()],
                cells(line.reopened_share.as_ref()),
                vec![line.judged.to_string()],
                cells(line.satisfaction.as_ref()),
                cells(line.satisfied.as_ref()),
            ];
            table.push_str(&cells.concat().join(","));
            table.push_str("\r\n");
        }
        table
    }
}

impl TicketTimes {
    fn cells(&self) -> Vec<String> {
        let told = |it: Option<i64>| it.map(|it| it.to_string()).unwrap_or_default();
        let mut all = vec![self.count.to_string(), told(self.median_s), told(self.p90_s)];
        all.extend(cells(self.in_time.as_ref()));
        all
    }
}

fn cells(estimate: Option<&TicketEstimate>) -> Vec<String> {
    match estimate {
        Some(it) => [it.value, it.low, it.high].map(|it| it.to_string()).to_vec(),
        None => vec![String::new(); 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_cell_for_each_column() {
        let estimate = Some(TicketEstimate { value: 5_000, low: 4_000, high: 6_000 });
        let few = TicketTimes { count: 3, median_s: None, p90_s: None, in_time: None };
        let many = TicketTimes {
            count: 12,
            median_s: Some(60),
            p90_s: Some(90),
            in_time: estimate.clone(),
        };
        let line = TicketReportLine {
            name: "service".to_owned(),
            opened: 12,
            answer: many,
            solution: few,
            reopened: 1,
            reopened_share: None,
            judged: 11,
            satisfaction: None,
            satisfied: estimate,
        };
        let month: Month = "2026-11".to_owned().try_into().unwrap();
        let report = TicketReport { from: month.clone(), to: month, least: 10, lines: vec![line] };
        let table = report.table();
        let rows: Vec<Vec<&str>> = table.lines().map(|row| row.split(',').collect()).collect();
        assert_eq!((rows.len(), rows[0].len(), rows[1].len()), (2, 25, 25));
        assert_eq!(
            table.lines().nth(1).unwrap(),
            "service,12,12,60,90,5000,4000,6000,3,,,,,,1,,,,11,,,,5000,4000,6000"
        );
    }
}
