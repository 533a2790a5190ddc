//! The page with the charts of a report: plain HTML and SVG that need no script,
//! for any screen and for paper, in light and dark, in every language of the
//! shop. What the charts show stands beside them as text.

pub mod words;

use std::collections::BTreeSet;

use aftercart::{
    model::{
        customer::Language,
        dates::Dates,
        months,
        survey::{Kind, Question, SurveysPolicy, Touchpoint},
        tally::Month,
        time::{Date, Timestamp, Zone},
    },
    run::{
        Failure,
        http::{Answer, Request, Response},
    },
};
use askama::Template;

use crate::{
    wire::report::{
        Asked, DifferenceView, IntervalView, MeasureName, ReportAgainst, ReportBy,
        SurveyMeasureView, SurveyQuestionReport, SurveyReport, SurveyReportRow, SurveyValueView,
    },
    words as survey_words,
};

use self::words::Words;

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// How often the usual three months are doubled to those that can be chosen.
const DOUBLED: u32 = 3;

/// A page without charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The link opens nothing.
    Unknown,
    /// The link's time is over.
    Expired,
    /// The shop has no surveys.
    Nothing,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without charts.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Expired, Self::Nothing, Self::Unavailable];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Expired => 410,
            Self::Nothing => 200,
            Self::Unavailable => 503,
        }
    }
}

/// What a page knows besides its report.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// In which language it is read.
    pub language: Language,
    /// When.
    pub now: Timestamp,
    /// Whether the address said what is shown.
    pub is_read: bool,
    /// What is shown.
    pub asked: &'a Asked,
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    words: &'static Words,
    other: &'static Words,
    switch: String,
    title: String,
    fault: Option<&'static str>,
    summary: String,
    surveys: Vec<Choice>,
    from: Vec<Choice>,
    to: Vec<Choice>,
    by: Vec<Choice>,
    compare: Vec<Choice>,
    weighted: bool,
    sections: Vec<Section>,
    next: Option<String>,
    notes: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "report_notice.html")]
struct NoticePage {
    words: &'static Words,
    other: &'static Words,
    switch: String,
    title: &'static str,
    text: &'static str,
}

/// Something to choose in the form.
struct Choice {
    value: String,
    title: String,
    chosen: bool,
}

/// A chart with its title.
struct Section {
    title: String,
    lead: String,
    /// The ends and the middle of the scale.
    axis: [String; 3],
    rows: Vec<Plot>,
    bars: Vec<Bar>,
}

/// A row of a chart. Places are percent of the width.
struct Plot {
    name: String,
    count: u64,
    value: String,
    range: String,
    line: Option<(String, String)>,
    dot: Option<String>,
    diamond: Option<String>,
    notes: Vec<String>,
    tone: &'static str,
}

/// How often a value was given.
struct Bar {
    name: String,
    count: u64,
    width: String,
    line: Option<(String, String)>,
    share: String,
}

/// The page of a report.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn page(
    policy: &SurveysPolicy,
    touchpoint: &Touchpoint,
    report: &SurveyReport,
    reading: &Reading<'_>,
) -> Answer {
    let Reading { language, asked, .. } = *reading;
    let words = words::of(language);
    let place = Place { report, reading, words };
    let questions = touchpoint.questions.iter().enumerate();
    let sections = questions.flat_map(|(at, question)| place.question(touchpoint, at, question));
    let SurveyReportRow { sent, answered, silent, .. } = report.all;
    let page = ReportPage {
        words,
        other: words::other(language),
        switch: asked.query(&report.touchpoint),
        title: place.title(touchpoint),
        fault: (!reading.is_read).then_some(words.unread),
        // Everybody's invitations are always counted.
        summary: words::summary(sent.unwrap_or(0), answered, silent.unwrap_or(0), language),
        surveys: surveys(policy, touchpoint, language),
        from: place.months(&report.from),
        to: place.months(&report.to),
        by: place.dimensions(),
        compare: place.comparisons(),
        weighted: asked.is_weighted,
        sections: std::iter::once(place.response()).chain(sections).collect(),
        next: place.next(touchpoint),
        notes: place.notes(),
    };
    Ok(Response::html(200, page.render().map_err(Failure::bug)?))
}

/// The surveys that can be chosen.
fn surveys(policy: &SurveysPolicy, shown: &Touchpoint, language: Language) -> Vec<Choice> {
    let choice = |it: &Touchpoint| Choice {
        value: it.id.to_string(),
        title: survey_name(it, language),
        chosen: it.id == shown.id,
    };
    policy.touchpoints.iter().map(choice).collect()
}

fn survey_name(touchpoint: &Touchpoint, language: Language) -> String {
    format!("{} ({})", words::occasion(touchpoint.on, language), touchpoint.id)
}

struct Place<'a> {
    report: &'a SurveyReport,
    reading: &'a Reading<'a>,
    words: &'static Words,
}

impl Place<'_> {
    fn language(&self) -> Language {
        self.reading.language
    }

    fn title(&self, touchpoint: &Touchpoint) -> String {
        let (from, to) =
            (self.month(self.report.from.as_str()), self.month(self.report.to.as_str()));
        let months = if from == to { from } else { words::range(&from, &to, self.language()) };
        let title = words::occasion(touchpoint.on, self.language());
        match self.language() {
            Language::En => format!("{title}: {months}"),
            Language::Zh => format!("{title}：{months}"),
        }
    }

    fn month(&self, month: &str) -> String {
        let date = Date::parse(&format!("{month}-01"));
        let (zone, now) = (Zone::utc(), self.reading.now);
        let name = |date| Dates::new(self.language(), &zone, now).month(date);
        date.map_or_else(|_| month.to_owned(), name)
    }

    /// The months that can be chosen, the latest first: those of the last two
    /// years, and what is shown. A field for a month is a text in some browsers.
    fn months(&self, shown: &Month) -> Vec<Choice> {
        let mut known = months::between(None, None, self.reading.now).unwrap_or_default();
        for _ in 0..DOUBLED {
            known = months::before(&known).into_iter().chain(known).collect();
        }
        let known: BTreeSet<Month> = known.into_iter().chain([shown.clone()]).collect();
        let choice = |month: Month| Choice {
            title: self.month(month.as_str()),
            chosen: month == *shown,
            value: month.as_str().to_owned(),
        };
        known.into_iter().rev().map(choice).collect()
    }

    /// What a row is called.
    fn name(&self, row: &SurveyReportRow) -> String {
        match row.name.split_once('#') {
            Some(("tier", "")) => self.words.no_tier.to_owned(),
            Some(("lane", lane)) => lane.replacen('#', " → ", 1),
            Some((_, name)) => name.to_owned(),
            None if row.name == "all" => self.words.everybody.to_owned(),
            None => self.month(&row.name),
        }
    }

    fn dimensions(&self) -> Vec<Choice> {
        let none = Choice {
            value: String::new(),
            title: self.words.nothing.to_owned(),
            chosen: self.report.by.is_none(),
        };
        let choice = |(by, value): (ReportBy, &str)| Choice {
            value: value.to_owned(),
            title: words::by(by, self.language()).to_owned(),
            chosen: self.report.by == Some(by),
        };
        std::iter::once(none).chain(ReportBy::ALL.map(choice)).collect()
    }

    fn comparisons(&self) -> Vec<Choice> {
        let none = Choice {
            value: String::new(),
            title: "–".to_owned(),
            chosen: self.report.compare.is_none(),
        };
        let choice = |(against, value): (ReportAgainst, &str)| Choice {
            value: value.to_owned(),
            title: match against {
                ReportAgainst::Previous => self.words.previous,
                ReportAgainst::Rest => self.words.rest,
            }
            .to_owned(),
            chosen: self.report.compare == Some(against),
        };
        std::iter::once(none).chain(ReportAgainst::ALL.map(choice)).collect()
    }

    fn next(&self, touchpoint: &Touchpoint) -> Option<String> {
        let after = aftercart::model::answers::Column::parse(self.report.next.as_ref()?)?;
        let asked = Asked { after: Some(after), ..self.reading.asked.clone() };
        Some(asked.query(&touchpoint.id))
    }

    /// How the page is to be read, as far as it has something to be read so.
    fn notes(&self) -> Vec<&'static str> {
        let [dots, arrows, diamonds, months] = self.words.reading;
        let mut notes = vec![dots];
        notes.extend(self.report.compare.map(|_| arrows));
        notes.extend(self.reading.asked.is_weighted.then_some(diamonds));
        notes.push(months);
        notes
    }

    fn rows(&self) -> impl Iterator<Item = &SurveyReportRow> {
        std::iter::once(&self.report.all).chain(&self.report.rows)
    }

    fn response(&self) -> Section {
        let scale = Scale { least: 0, most: 10_000, measure: MeasureName::TopBox };
        let plot = |row: &SurveyReportRow| {
            let shown = row.response.map(|it| (it.value, Some(it)));
            let mut plot = self.plot(row, (row.answered, shown), scale);
            if row.sent.is_none() {
                self.words.uncounted.clone_into(&mut plot.range);
            }
            self.compared(plot, row.response_difference.as_ref(), scale)
        };
        Section {
            title: self.words.response.to_owned(),
            lead: self.words.response_lead.to_owned(),
            axis: scale.axis(),
            rows: self.rows().map(plot).collect(),
            bars: Vec::new(),
        }
    }

    /// The charts of a question: one a measure, and the answers of everybody
    /// with the first one.
    fn question(&self, touchpoint: &Touchpoint, at: usize, question: &Question) -> Vec<Section> {
        let Some(everybody) = self.report.all.questions.get(at) else { return Vec::new() };
        let language = self.language();
        let ask = survey_words::ask(question, touchpoint.on, language);
        let bars = self.bars(question, everybody);
        let measures = crate::rules::reporting::Measure::of(&question.kind).iter().enumerate();
        let is_seven = matches!(question.kind, Kind::Ces);
        let mut sections: Vec<Section> = measures
            .map(|(number, measure)| {
                let measure = MeasureName::from(*measure);
                let scale = Scale::of(&question.kind, measure);
                let plot = |row: &SurveyReportRow| self.measured(row, at, number, scale);
                Section {
                    title: ask.to_owned(),
                    lead: words::measure(measure, is_seven, language).to_owned(),
                    axis: scale.axis(),
                    rows: self.rows().map(plot).collect(),
                    bars: Vec::new(),
                }
            })
            .collect();
        match sections.first_mut() {
            Some(first) => first.bars = bars,
            None => sections.push(self.counted(ask, bars, everybody)),
        }
        sections
    }

    /// A question without a scale has no chart but its answers.
    fn counted(&self, ask: &str, bars: Vec<Bar>, everybody: &SurveyQuestionReport) -> Section {
        let lead = if everybody.withheld {
            words::too_few(self.report.least_answers, self.language())
        } else {
            String::new()
        };
        Section { title: ask.to_owned(), lead, axis: Default::default(), rows: Vec::new(), bars }
    }

    fn measured(&self, row: &SurveyReportRow, at: usize, number: usize, scale: Scale) -> Plot {
        let question = row.questions.get(at);
        let view: Option<&SurveyMeasureView> = question.and_then(|it| it.measures.get(number));
        let answered = question.map_or(0, |it| it.answered);
        let shown = view.map(|it| (it.value, it.interval));
        let mut plot = self.plot(row, (answered, shown), scale);
        let Some(view) = view else { return plot };
        if view.interval.is_none() {
            self.words.all_same.clone_into(&mut plot.range);
        }
        if let Some(weighted) = view.weighted {
            plot.diamond = Some(scale.place(weighted.value));
            let text = words::described(
                &IntervalView { value: weighted.value, low: weighted.low, high: weighted.high },
                |value| scale.shown(value),
                self.language(),
            );
            plot.notes.push(words::weighted(&text, weighted.effective_answers, self.language()));
        }
        self.compared(plot, view.difference.as_ref(), scale)
    }

    fn plot(
        &self,
        row: &SurveyReportRow,
        (count, shown): (u64, Option<(i64, Option<IntervalView>)>),
        scale: Scale,
    ) -> Plot {
        let ends = shown.and_then(|(_, interval)| interval);
        let range = |it: IntervalView| {
            words::range(&scale.shown(it.low), &scale.shown(it.high), self.language())
        };
        let too_few = || words::too_few(self.report.least_answers, self.language());
        Plot {
            name: self.name(row),
            count,
            value: shown.map(|(value, _)| scale.shown(value)).unwrap_or_default(),
            range: if shown.is_some() { ends.map(range).unwrap_or_default() } else { too_few() },
            line: ends.map(|it| (scale.place(it.low), scale.place(it.high))),
            dot: shown.map(|(value, _)| scale.place(value)),
            diamond: None,
            notes: Vec::new(),
            tone: "",
        }
    }

    fn compared(&self, mut plot: Plot, difference: Option<&DifferenceView>, scale: Scale) -> Plot {
        let Some(it) = difference else { return plot };
        let value = scale.signed(it.value, self.language());
        let is_above = it.value > 0;
        plot.notes.push(words::difference(&value, is_above, it.significant, self.language()));
        if it.significant {
            plot.tone = if is_above { "up" } else { "down" };
        }
        plot
    }

    fn bars(&self, question: &Question, everybody: &SurveyQuestionReport) -> Vec<Bar> {
        let all: u64 = match question.kind {
            Kind::Products => everybody.values.iter().map(|it| it.count).sum(),
            _ => everybody.answered,
        };
        let bar = |it: &SurveyValueView| {
            let width = it.count.saturating_mul(10_000).checked_div(all).unwrap_or(0);
            let width = i64::try_from(width.min(10_000)).unwrap_or(0);
            Bar {
                name: self.value_name(question, it),
                count: it.count,
                width: percent(width),
                line: it.share.map(|it| (percent(it.low), percent(it.high))),
                share: format!("{} %", tenths(width)),
            }
        };
        everybody.values.iter().map(bar).collect()
    }

    fn value_name(&self, question: &Question, value: &SurveyValueView) -> String {
        let choice = question.kind.choices().iter().find(|it| it.id.as_str() == value.value);
        match value.value.as_str() {
            _ if choice.is_some() => {
                choice.map(|it| it.title.text(self.language()).to_owned()).unwrap_or_default()
            }
            "like" => self.words.like.to_owned(),
            "dislike" => self.words.dislike.to_owned(),
            "given" => self.words.given.to_owned(),
            value => value.to_owned(),
        }
    }
}

/// The scale of a chart, in what its measure is counted.
#[derive(Clone, Copy)]
struct Scale {
    least: i64,
    most: i64,
    measure: MeasureName,
}

impl Scale {
    fn of(kind: &Kind, measure: MeasureName) -> Self {
        let (least, most) = match measure {
            MeasureName::Nps => (-10_000, 10_000),
            MeasureName::TopBox => (0, 10_000),
            MeasureName::Mean => {
                let (least, most) = kind.scale().unwrap_or((0, 1));
                (i64::from(least).saturating_mul(1_000), i64::from(most).saturating_mul(1_000))
            }
        };
        Self { least, most, measure }
    }

    /// Where a value is, in percent of the width.
    fn place(self, value: i64) -> String {
        let width = self.most.saturating_sub(self.least).max(1);
        let from = value.clamp(self.least, self.most).saturating_sub(self.least);
        percent(from.saturating_mul(10_000) / width)
    }

    /// A value as people read it.
    fn shown(self, value: i64) -> String {
        match self.measure {
            MeasureName::Nps => hundredth_rounded(value),
            MeasureName::TopBox => format!("{} %", tenths(value)),
            MeasureName::Mean => thousandth_rounded(value),
        }
    }

    /// A difference as people read it: that of shares is in points of percent.
    fn signed(self, value: i64, language: Language) -> String {
        let sign = if value > 0 { "+" } else { "" };
        match self.measure {
            MeasureName::TopBox => format!("{sign}{}", words::points(&tenths(value), language)),
            _ => format!("{sign}{}", self.shown(value)),
        }
    }

    fn axis(self) -> [String; 3] {
        let middle = i64::midpoint(self.least, self.most);
        [self.least, middle, self.most].map(|value| match self.measure {
            MeasureName::Nps => (value / 100).to_string(),
            MeasureName::TopBox => format!("{} %", value / 100),
            MeasureName::Mean => (value / 1_000).to_string(),
        })
    }
}

/// Basis points as a length of CSS and SVG.
fn percent(value: i64) -> String {
    format!("{}.{:02}%", value / 100, value % 100)
}

/// Basis points in percent, with one decimal.
fn tenths(value: i64) -> String {
    let tenths = rounded(value, 10);
    let sign = if tenths < 0 { "-" } else { "" };
    format!("{sign}{}.{}", tenths.unsigned_abs() / 10, tenths.unsigned_abs() % 10)
}

/// Basis points as points of a score.
fn hundredth_rounded(value: i64) -> String {
    rounded(value, 100).to_string()
}

/// Thousandths with two decimals.
fn thousandth_rounded(value: i64) -> String {
    let hundredths = rounded(value, 10);
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.unsigned_abs() / 100, hundredths.unsigned_abs() % 100)
}

/// In a coarser unit, halves away from zero.
fn rounded(value: i64, unit: i64) -> i64 {
    let half = value.signum().saturating_mul(unit / 2);
    value.saturating_add(half) / unit
}

/// A page without charts.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let words = words::of(language);
    let (title, text) = match notice {
        Notice::Unknown => words.unknown,
        Notice::Expired => words.expired,
        Notice::Nothing => words.none,
        Notice::Unavailable => words.unavailable,
    };
    let other = words::other(language);
    let page = NoticePage { words, other, switch: String::new(), title, text };
    Ok(Response::html(notice.status(), page.render().map_err(Failure::bug)?))
}

/// Answers a failure with a page of its status, because a person reads it.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn sorry(failure: Failure, request: &Request) -> Answer {
    let page = notice(Notice::Unavailable, request.language(None))?;
    if let Failure::Refuse(problem) = failure {
        tracing::info!(problem = problem.kind(), "refused");
        return Ok(Response { status: problem.status(), ..page });
    }
    if let Failure::Retry(_) = failure {
        tracing::warn!(class = failure.class(), error = %failure, "failed");
        return Ok(page.with("retry-after", RETRY_AFTER_S));
    }
    tracing::error!(class = failure.class(), error = %failure, "failed");
    Ok(Response { status: 500, ..page })
}

#[cfg(test)]
mod tests;
