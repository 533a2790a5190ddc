//! What operators get of what was answered.

use aftercart::model::{
    answers::{Column, Dimension, Value},
    months::{self, MonthsError},
    survey::{Kind, Question, QuestionId, Taste, Touchpoint, TouchpointId},
    text::Text,
    time::Timestamp,
};
use aftercart_insight::statistics::{Estimate, LEVEL, Weighted};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rules::reporting::{Measure, Measured, Reported, Row, Tested};

/// In what shares, scores and probabilities are counted: basis points.
const BASIS_POINTS: u32 = 10_000;

/// In what means are counted.
const THOUSANDTHS: u32 = 1_000;

/// By what the rows of a report differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportBy {
    /// By carrier.
    Carrier,
    /// By lane.
    Lane,
    /// By the buyer's tier.
    Tier,
    /// By product.
    Sku,
    /// By month.
    Month,
}

impl ReportBy {
    /// All, with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Carrier, "carrier"),
        (Self::Lane, "lane"),
        (Self::Tier, "tier"),
        (Self::Sku, "sku"),
        (Self::Month, "month"),
    ];

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(by, _)| by)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(by, _)| *by == self).map_or("", |(_, name)| name)
    }

    /// The dimension of the columns; months are none.
    #[must_use]
    pub const fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Carrier => Some(Dimension::Carrier),
            Self::Lane => Some(Dimension::Lane),
            Self::Tier => Some(Dimension::Tier),
            Self::Sku => Some(Dimension::Sku),
            Self::Month => None,
        }
    }
}

/// With what the rows of a report are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportAgainst {
    /// With as many months right before; a month with the one before it.
    Previous,
    /// With all others together.
    Rest,
}

impl ReportAgainst {
    /// Both, with their names.
    pub const ALL: [(Self, &'static str); 2] = [(Self::Previous, "previous"), (Self::Rest, "rest")];

    /// The one of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| *known == name).map(|(it, _)| it)
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Rest => "rest",
        }
    }
}

/// What was answered to a survey in some months. A month is that in which an
/// invitation was sent, so of the latest ones answers may still come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyReport {
    /// Which survey.
    pub touchpoint: TouchpointId,
    /// The first month, such as `2026-09`.
    pub from: Text<7>,
    /// The last one.
    pub to: Text<7>,
    /// By what the rows differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ReportBy>,
    /// With what they are compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<ReportAgainst>,
    /// From how many answers on something is shown of them.
    pub least_answers: u32,
    /// Everybody.
    pub all: SurveyReportRow,
    /// The rows, if the report has a `by`; by name.
    pub rows: Vec<SurveyReportRow>,
    /// Where the next page of rows begins: the `after` to ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The page with this report, for people without a login. Whoever has it
    /// sees all reports of surveys, for a week.
    pub link: String,
}

/// A row of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyReportRow {
    /// `all`, a month, or a column: `carrier#easypost`, `lane#main#GB`,
    /// `tier#gold` (`tier#` for those in none), `sku#TEA`.
    pub name: String,
    /// How many were invited. Not there where that is not counted: of products,
    /// and of carriers, lanes and tiers beyond the first forty of a month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<u64>,
    /// How many answered.
    pub answered: u64,
    /// How many of those who were invited did not; not there without `sent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<u64>,
    /// The share of those who answered, in basis points; none, if fewer than
    /// `least_answers` were invited, and without `sent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<IntervalView>,
    /// By how much that is above the rate of those with whom it is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_difference: Option<DifferenceView>,
    /// What they answered, in the order of the survey.
    pub questions: Vec<SurveyQuestionReport>,
}

/// What was answered to a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyQuestionReport {
    /// Which.
    pub id: QuestionId,
    /// Its kind: `nps`, `csat`, `ces`, `stars`, `single`, `multiple`, `text`, `products`.
    pub kind: String,
    /// How many answered it.
    pub answered: u64,
    /// Whether nothing is shown, because these are too few.
    pub withheld: bool,
    /// What is measured; the first is what the kind is known by.
    pub measures: Vec<SurveyMeasureView>,
    /// How often each value was given, in the order of the question.
    pub values: Vec<SurveyValueView>,
}

/// What is measured of the answers to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureName {
    /// The Net Promoter Score, in basis points from -10,000 to 10,000: a hundred
    /// are a point of the score.
    Nps,
    /// The share of 4 and 5 of five, or of 5 to 7 of seven, in basis points.
    TopBox,
    /// The mean, in thousandths.
    Mean,
}

impl MeasureName {
    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nps => "nps",
            Self::TopBox => "top_box",
            Self::Mean => "mean",
        }
    }

    /// Into how many parts its whole is divided.
    #[must_use]
    pub const fn parts(self) -> u32 {
        match self {
            Self::Nps | Self::TopBox => BASIS_POINTS,
            Self::Mean => THOUSANDTHS,
        }
    }
}

impl From<Measure> for MeasureName {
    fn from(measure: Measure) -> Self {
        match measure {
            Measure::Nps => Self::Nps,
            Measure::TopBox => Self::TopBox,
            Measure::Mean => Self::Mean,
        }
    }
}

/// A measure with its interval of 95 % confidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyMeasureView {
    /// Which, and in what it is counted.
    pub measure: MeasureName,
    /// What was seen.
    pub value: i64,
    /// The interval; none for a mean of answers that are all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<IntervalView>,
    /// The same, each tier with the weight that it has among those who were
    /// invited; of questions that everybody is asked and nobody may skip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weighted: Option<WeightedView>,
    /// By how much it is above that with which it is compared. Of the Net
    /// Promoter Score the estimate that belongs to the interval, which is nearer
    /// to 0 than the difference of the two values where answers are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<DifferenceView>,
}

/// A number with its interval of 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IntervalView {
    /// What was seen, rounded.
    pub value: i64,
    /// The lower end, rounded down.
    pub low: i64,
    /// The upper end, rounded up.
    pub high: i64,
}

/// A weighted number with its interval of 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WeightedView {
    /// The number, rounded.
    pub value: i64,
    /// The lower end, rounded down.
    pub low: i64,
    /// The upper end, rounded up.
    pub high: i64,
    /// How many unweighted answers would be as sure, by Kish.
    pub effective_answers: i64,
}

/// A difference with its interval of 95 % confidence and its test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceView {
    /// The estimate, rounded.
    pub value: i64,
    /// The lower end, rounded down.
    pub low: i64,
    /// The upper end, rounded up.
    pub high: i64,
    /// How likely it is chance, in basis points, held to as many tests as the
    /// report makes of the same by Holm's method; rounded up.
    pub p: i64,
    /// Whether it is more than chance: whether that is less than 5 %.
    pub significant: bool,
}

/// How often a value was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SurveyValueView {
    /// A number, a choice, `like`, `dislike`, or `given` for words.
    pub value: String,
    /// How often.
    pub count: u64,
    /// The share of those who answered, in basis points; of products only in a
    /// product's own row, because elsewhere one buyer judged several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<IntervalView>,
}

/// What a report is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its months, at least one.
    pub months: Vec<Text<7>>,
    /// By what its rows differ.
    pub by: Option<ReportBy>,
    /// With what they are compared.
    pub compare: Option<ReportAgainst>,
    /// Whether tiers are weighted.
    pub is_weighted: bool,
    /// After which row it begins.
    pub after: Option<Column>,
}

/// Why there is no such report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskedError {
    /// The months are none.
    #[error("{0}")]
    Months(MonthsError),
    /// It is no such thing.
    #[error("must be carrier, lane, tier, sku or month")]
    By,
    /// It is no such thing.
    #[error("must be previous, or rest where there is a `by`")]
    Compare,
    /// It is no such thing.
    #[error("must be tier, where the report is of everybody or by month")]
    Weight,
    /// It is no name of a row.
    #[error("must be what the page before gave as `next`")]
    After,
}

impl AskedError {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Months(error) => error.field(),
            Self::By => "by",
            Self::Compare => "compare",
            Self::Weight => "weight",
            Self::After => "after",
        }
    }
}

impl Asked {
    /// Reads what is asked for, of a query.
    ///
    /// # Errors
    /// [`AskedError`].
    pub fn read<'q>(
        query: impl Fn(&str) -> Option<&'q str>,
        now: Timestamp,
    ) -> Result<Self, AskedError> {
        // A form sends what is left out as an empty text.
        let named = |name| query(name).filter(|text| !text.is_empty());
        let months =
            months::between(named("from"), named("to"), now).map_err(AskedError::Months)?;
        let by = |text| ReportBy::parse(text).ok_or(AskedError::By);
        let by = named("by").map(by).transpose()?;
        let compare = |text| match ReportAgainst::parse(text) {
            Some(ReportAgainst::Rest) if by.is_none() => Err(AskedError::Compare),
            known => known.ok_or(AskedError::Compare),
        };
        let compare = named("compare").map(compare).transpose()?;
        let is_weighted = match (named("weight"), by) {
            (None, _) => false,
            (Some("tier"), None | Some(ReportBy::Month)) => true,
            (Some(_), _) => return Err(AskedError::Weight),
        };
        let dimension = by.and_then(ReportBy::dimension);
        let after = |text: &str| {
            let column = Column::parse(text).filter(|it| dimension == it.dimension());
            column.filter(|_| dimension.is_some()).ok_or(AskedError::After)
        };
        let after = named("after").map(after).transpose()?;
        Ok(Self { months, by, compare, is_weighted, after })
    }

    /// The query that asks for it.
    #[must_use]
    pub fn query(&self, touchpoint: &TouchpointId) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("touchpoint", touchpoint.as_str());
        for (name, month) in [("from", self.months.first()), ("to", self.months.last())] {
            month.map(|month| query.append_pair(name, month.as_str()));
        }
        self.by.map(|by| query.append_pair("by", by.name()));
        self.compare.map(|compare| query.append_pair("compare", compare.name()));
        self.is_weighted.then(|| query.append_pair("weight", "tier"));
        self.after.as_ref().map(|after| query.append_pair("after", &after.to_string()));
        query.finish()
    }
}

impl SurveyReport {
    /// The report of these rows.
    #[must_use]
    pub fn of(
        touchpoint: &Touchpoint,
        asked: &Asked,
        least_answers: u32,
        (all, rows): (&[Row], &[Row]),
        (next, link): (Option<String>, String),
    ) -> Option<Self> {
        let view = |row: &Row| SurveyReportRow::of(touchpoint, row);
        Some(Self {
            touchpoint: touchpoint.id.clone(),
            from: asked.months.first()?.clone(),
            to: asked.months.last()?.clone(),
            by: asked.by,
            compare: asked.compare,
            least_answers,
            all: all.first().map(view)?,
            rows: rows.iter().map(view).collect(),
            next,
            link,
        })
    }

    /// The report as a table for spreadsheets (RFC 4180): a line for each row
    /// and measure, and for each row and value. Scores are in points, shares and
    /// probabilities in percent.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = String::from(
            "touchpoint,from,to,row,sent,answered,silent,response,response_low,response_high,\
             response_difference,response_difference_low,response_difference_high,response_p,\
             response_significant,question,kind,question_answered,withheld,measure,value,low,high,\
             weighted,weighted_low,weighted_high,effective_answers,\
             difference,difference_low,difference_high,p,significant\r\n",
        );
        for row in std::iter::once(&self.all).chain(&self.rows) {
            for question in &row.questions {
                for fields in question.lines() {
                    let before = self.before(row, question);
                    table.push_str(&before);
                    table.push_str(&fields);
                    table.push_str("\r\n");
                }
            }
        }
        table
    }

    fn before(&self, row: &SurveyReportRow, question: &SurveyQuestionReport) -> String {
        let Self { touchpoint, from, to, .. } = self;
        let SurveyReportRow { answered, .. } = row;
        let count = |count: Option<u64>| count.map(|it| it.to_string()).unwrap_or_default();
        let (sent, silent) = (count(row.sent), count(row.silent));
        let compared = difference(row.response_difference, BASIS_POINTS);
        let SurveyQuestionReport { id, kind, answered: of_question, withheld, .. } = question;
        let (name, response) = (quoted(&row.name), interval(row.response, BASIS_POINTS));
        format!(
            "{touchpoint},{from},{to},{name},{sent},{answered},{silent},{response},{compared},\
             {id},{kind},{of_question},{withheld},"
        )
    }
}

/// A text as a field of a table. Spreadsheets take what begins so for a formula.
fn quoted(text: &str) -> String {
    let text =
        if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// A number in parts of so many to one, as a decimal: shares and scores in
/// hundredths, means in ones.
#[must_use]
pub fn decimal(value: i64, parts: u32) -> String {
    let (unit, digits) = if parts == BASIS_POINTS { (100, 2) } else { (1_000, 3) };
    let (whole, rest) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{rest:0digits$}")
}

fn interval(view: Option<IntervalView>, parts: u32) -> String {
    let Some(IntervalView { value, low, high }) = view else { return ",,".to_owned() };
    [value, low, high].map(|it| decimal(it, parts)).join(",")
}

fn difference(view: Option<DifferenceView>, parts: u32) -> String {
    let Some(it) = view else { return ",".repeat(4) };
    let [value, low, high] = [it.value, it.low, it.high].map(|it| decimal(it, parts));
    format!("{value},{low},{high},{},{}", decimal(it.p, BASIS_POINTS), it.significant)
}

impl SurveyQuestionReport {
    /// What stands in the lines of this question, after what all have.
    fn lines(&self) -> Vec<String> {
        if self.withheld {
            return vec![",".repeat(12)];
        }
        let measures = self.measures.iter().map(SurveyMeasureView::line);
        measures.chain(self.values.iter().map(SurveyValueView::line)).collect()
    }

    fn of(question: &Question, reported: &Reported) -> Self {
        let shown = reported.shown.as_ref();
        let values = shown.map(|it| it.values.as_slice()).unwrap_or_default();
        let measures = shown.map(|it| it.measures.as_slice()).unwrap_or_default();
        Self {
            id: question.id.clone(),
            kind: kind(&question.kind).to_owned(),
            answered: reported.answered,
            withheld: shown.is_none(),
            measures: measures.iter().map(SurveyMeasureView::of).collect(),
            values: values
                .iter()
                .map(|(value, count, share)| SurveyValueView {
                    value: value_name(value),
                    count: *count,
                    share: share.as_ref().map(|it| IntervalView::of(it, BASIS_POINTS)),
                })
                .collect(),
        }
    }
}

impl SurveyMeasureView {
    fn of(measured: &Measured) -> Self {
        let measure = MeasureName::from(measured.measure);
        let parts = measure.parts();
        let only = Estimate { value: measured.value, low: measured.value, high: measured.value };
        Self {
            measure,
            value: only.parts(parts).0,
            interval: measured.interval.as_ref().map(|it| IntervalView::of(it, parts)),
            weighted: measured.weighted.as_ref().map(|it| WeightedView::of(it, parts)),
            difference: measured.difference.as_ref().map(|it| DifferenceView::of(it, parts)),
        }
    }

    fn line(&self) -> String {
        let parts = self.measure.parts();
        let value = decimal(self.value, parts);
        let ends = self
            .interval
            .map_or(",".to_owned(), |it| [it.low, it.high].map(|it| decimal(it, parts)).join(","));
        let weighted = self.weighted.map_or(",,,".to_owned(), |it| {
            let [value, low, high] = [it.value, it.low, it.high].map(|it| decimal(it, parts));
            format!("{value},{low},{high},{}", it.effective_answers)
        });
        let difference = difference(self.difference, parts);
        format!("{},{value},{ends},{weighted},{difference}", self.measure.name())
    }
}

impl SurveyValueView {
    fn line(&self) -> String {
        let (value, rest) = (quoted(&self.value), ",".repeat(9));
        match self.share {
            None => format!("count:{value},{},,{rest}", self.count),
            share => format!("share:{value},{}{rest}", interval(share, BASIS_POINTS)),
        }
    }
}

impl SurveyReportRow {
    fn of(touchpoint: &Touchpoint, row: &Row) -> Self {
        let questions = touchpoint.questions.iter().zip(&row.questions);
        Self {
            name: row.name.clone(),
            sent: row.sent,
            answered: row.answered,
            silent: row.sent.map(|sent| sent.saturating_sub(row.answered)),
            response: row.response.as_ref().map(|it| IntervalView::of(it, BASIS_POINTS)),
            response_difference: row
                .difference
                .as_ref()
                .map(|it| DifferenceView::of(it, BASIS_POINTS)),
            questions: questions
                .map(|(question, reported)| SurveyQuestionReport::of(question, reported))
                .collect(),
        }
    }
}

impl IntervalView {
    fn of(estimate: &Estimate, parts: u32) -> Self {
        let (value, low, high) = estimate.parts(parts);
        Self { value, low, high }
    }
}

impl WeightedView {
    fn of(weighted: &Weighted, parts: u32) -> Self {
        let IntervalView { value, low, high } = IntervalView::of(&weighted.estimate, parts);
        let effective = weighted.effective;
        let effective = Estimate { value: effective, low: effective, high: effective };
        Self { value, low, high, effective_answers: effective.parts(1).0 }
    }
}

impl DifferenceView {
    fn of(tested: &Tested, parts: u32) -> Self {
        let Tested { difference: it, adjusted } = *tested;
        let (value, low, high) =
            Estimate { value: it.value, low: it.low, high: it.high }.parts(parts);
        let (_, _, p) =
            Estimate { value: adjusted, low: adjusted, high: adjusted }.parts(BASIS_POINTS);
        // Nothing is certain: less than a basis point is shown as one.
        Self { value, low, high, p: p.max(1), significant: adjusted < LEVEL }
    }
}

/// The name of a kind of question.
#[must_use]
pub const fn kind(kind: &Kind) -> &'static str {
    match kind {
        Kind::Nps => "nps",
        Kind::Csat => "csat",
        Kind::Ces => "ces",
        Kind::Stars => "stars",
        Kind::Single { .. } => "single",
        Kind::Multiple { .. } => "multiple",
        Kind::Text => "text",
        Kind::Products => "products",
    }
}

fn value_name(value: &Value) -> String {
    match value {
        Value::Given => "given".to_owned(),
        Value::Score(score) => score.to_string(),
        Value::Choice(choice) => choice.to_string(),
        Value::Taste(Taste::Like) => "like".to_owned(),
        Value::Taste(Taste::Dislike) => "dislike".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_written_for_spreadsheets() {
        for (value, parts, text) in [
            (0, BASIS_POINTS, "0.00"),
            (-5, BASIS_POINTS, "-0.05"),
            (-3_333, BASIS_POINTS, "-33.33"),
            (10_000, BASIS_POINTS, "100.00"),
            (4_250, THOUSANDTHS, "4.250"),
        ] {
            assert_eq!(decimal(value, parts), text);
        }
        for (text, field) in [
            ("tier#gold", "tier#gold"),
            ("tier#a,b", "\"tier#a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("=1+1", "'=1+1"),
        ] {
            assert_eq!(quoted(text), field);
        }
    }
}
