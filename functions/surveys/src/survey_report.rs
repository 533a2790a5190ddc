//! `GET /operator/survey-reports`: what was answered to a survey, with intervals
//! and tests. `GET /r/{token}`: the same as charts, for who has the link.
//!
//! Both read counters: those of everybody, and how many were invited in every
//! column, in one round trip, those of the columns of a report in one query a
//! month. Nothing is computed of single answers, and
//! nothing that is shown names anybody. `format=csv`, or an `Accept` that wants
//! `text/csv`, gives a table for spreadsheets.
//!
//! The link is its own permission: there is no login, no cookie and no script,
//! and nothing can be done there. It opens this page only, and ends. A link that
//! is not ours is a page with 404, one whose time is over a page with 410.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use aftercart::{
    model::{
        answers::{Column, Counts, Dimension, Sent},
        months,
        survey::{SurveysPolicy, Touchpoint, TouchpointId},
        tally::Month,
        time::Period,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        links::{LinkError, ReportLink},
        secrets::Secret,
    },
    store::{Op, Table, answers::Columns},
};

use crate::{
    report_pages::{self, Notice, Reading},
    rules::reporting::{self, Line},
    wire::report::{Asked, AskedError, ReportAgainst, ReportBy, SurveyReport},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-report",
    about: "Reports what was answered to surveys, with its uncertainty.",
    trigger: Trigger::Http(&[
        Route::open("GET", "/r/{token}"),
        Route::operator("GET", "/operator/survey-reports"),
    ]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::BatchGetItem, Op::Query]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// How long a link to the charts is good: for the week's meeting.
const LINK: Period = Period::of_days(7);

/// The most rows of a report: what it is compared with is read by keys, a
/// hundred a round trip.
const ROWS_MAX: u16 = 100;

/// The most rows of a table, and of how many bytes it may be: of a thousand rows
/// a year is read by then in some seconds, and an answer of a function has six
/// megabytes, as JSON. Who has more reads pages.
const TABLE_ROWS_MAX: usize = 1_000;
const TABLE_BYTES_MAX: usize = 4_000_000;

/// The most rows of a page: more nobody compares by eye.
const CHART_ROWS_MAX: u16 = 30;

/// The most tiers that are weighted; no programme has more.
const TIERS_MAX: u16 = 100;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.is_for("/operator/survey-reports") {
        return answer(&app, &request).await;
    }
    show(&app, &request).await.or_else(|failure| report_pages::sorry(failure, &request))
}

async fn answer(app: &App, request: &Request) -> Answer {
    request.operator()?;
    request.only_query(&[
        "touchpoint",
        "from",
        "to",
        "by",
        "compare",
        "weight",
        "after",
        "format",
    ])?;
    let is_table = wants_table(request)?;
    let policy = app.policy().await?;
    let missing = || Problem::invalid("touchpoint", "Name a touchpoint of the policy.");
    let name = request.query("touchpoint").and_then(|text| TouchpointId::parse(text).ok());
    let touchpoint = name.and_then(|name| policy.surveys.touchpoint(&name)).ok_or_else(missing)?;
    let asked = Asked::read(|name| request.query(name), app.now()).map_err(refuse)?;
    let token = app.links().await?.report_link(ReportLink, app.now().plus(LINK));
    let link = format!("{}/r/{token}?{}", request.origin()?, asked.query(&touchpoint.id));
    let extent = if is_table { Extent::Whole } else { Extent::Page(ROWS_MAX) };
    let report = report(app, &policy.surveys, (touchpoint, &asked), extent, link).await?;
    if is_table {
        return table(&report);
    }
    Response::json(200, &report)
}

fn table(report: &SurveyReport) -> Answer {
    let body = report.table();
    if body.len() > TABLE_BYTES_MAX {
        return Err(too_long().into());
    }
    let (headers, content_type) = (Vec::new(), "text/csv; charset=utf-8");
    Ok(Response { status: 200, headers, content_type, body })
}

/// A table that ends before its rows do would be summed up by somebody.
fn too_long() -> Problem {
    Problem::invalid(
        "format",
        "The table has too many rows. Ask for fewer months, or read it as JSON page by page.",
    )
}

fn wants_table(request: &Request) -> Result<bool, Problem> {
    match request.query("format") {
        None => {
            let accept = request.header("accept").unwrap_or_default();
            Ok(accept.split([',', ';']).any(|it| it.trim().eq_ignore_ascii_case("text/csv")))
        }
        Some("json") => Ok(false),
        Some("csv") => Ok(true),
        Some(_) => Err(Problem::invalid("format", "The format is `json` or `csv`.")),
    }
}

fn refuse(error: AskedError) -> Problem {
    let field = error.field();
    Problem::invalid(field, format!("`{field}` {error}."))
}

async fn show(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    let token = request.named("token", "page", |text| Ok::<_, Infallible>(text.to_owned()))?;
    match app.links().await?.open_report_link(&token, app.now()) {
        Ok(ReportLink) => {}
        Err(LinkError::Expired) => return report_pages::notice(Notice::Expired, language),
        Err(LinkError::Invalid) => return report_pages::notice(Notice::Unknown, language),
    }
    let policy = app.policy().await?;
    let named = request.query("touchpoint").and_then(|text| TouchpointId::parse(text).ok());
    let named = named.and_then(|name| policy.surveys.touchpoint(&name));
    let Some(touchpoint) = named.or(policy.surveys.touchpoints.first()) else {
        return report_pages::notice(Notice::Nothing, language);
    };
    // What an address bar or a form says wrong is not asked for: the page says
    // what it shows.
    let asked = Asked::read(|name| request.query(name), app.now());
    let is_read = asked.is_ok();
    let asked = asked.or_else(|_| Asked::read(|_| None, app.now())).map_err(refuse)?;
    let (of, link) = ((touchpoint, &asked), String::new());
    let extent = Extent::Page(CHART_ROWS_MAX);
    let report = report(app, &policy.surveys, of, extent, link).await?;
    let reading = Reading { language, now: app.now(), is_read, asked: &asked };
    report_pages::page(&policy.surveys, touchpoint, &report, &reading)
}

/// How many of its rows a report has.
#[derive(Clone, Copy)]
enum Extent {
    /// A page of so many.
    Page(u16),
    /// All that there are.
    Whole,
}

async fn report(
    app: &App,
    policy: &SurveysPolicy,
    (touchpoint, asked): (&Touchpoint, &Asked),
    extent: Extent,
    link: String,
) -> Result<SurveyReport, Failure> {
    let least = u64::from(policy.least_answers());
    let seen = Seen::of(app, &touchpoint.id, asked).await?;
    let all = reporting::rows(touchpoint, &[seen.everybody(asked)], least);
    let (lines, next) = match asked.by {
        None => (Vec::new(), None),
        Some(ReportBy::Month) => (seen.by_month(asked), None),
        Some(by) => match by.dimension() {
            Some(dimension) => {
                let of = (&touchpoint.id, asked);
                match extent {
                    Extent::Page(most) => columns(app, of, dimension, &seen, most).await?,
                    Extent::Whole => (whole(app, of, dimension, &seen).await?, None),
                }
            }
            None => (Vec::new(), None),
        },
    };
    let rows = reporting::rows(touchpoint, &lines, least);
    let report =
        SurveyReport::of(touchpoint, asked, policy.least_answers(), (&all, &rows), (next, link));
    report.ok_or_else(|| Failure::bug("no month was asked for"))
}

/// What was counted of everybody, month by month.
struct Seen {
    months: Vec<Counts>,
    /// As many months before, if they are compared.
    before: Vec<Counts>,
    /// By tier in each month, if they are weighted.
    tiers: Vec<BTreeMap<String, Counts>>,
    /// How many were invited in each month.
    sent: Vec<Sent>,
}

/// Some columns of a month by their names, and whether there may be more.
type Page = (Vec<(String, Counts)>, bool);

/// The columns in which somebody answered, and those in which somebody was
/// invited and nobody did.
fn pages(found: Columns, sent: &Sent, dimension: Dimension, after: Option<&Column>) -> [Page; 2] {
    let named = |(column, counts): (Column, Counts)| (column.to_string(), counts);
    let answered = found.columns.iter().map(|(column, _)| column).collect::<BTreeSet<_>>();
    let silent = sent.by(dimension, after).filter(|(column, _)| !answered.contains(column));
    let silent = silent.map(named).collect();
    let with = |(column, counts): (Column, Counts)| {
        let counts = sent.with(&column, counts);
        named((column, counts))
    };
    [(found.columns.into_iter().map(with).collect(), found.more), (silent, false)]
}

fn sum<'a>(counts: impl IntoIterator<Item = &'a Counts>) -> Counts {
    counts.into_iter().fold(Counts::default(), Counts::and)
}

impl Seen {
    async fn of(app: &App, touchpoint: &TouchpointId, asked: &Asked) -> Result<Self, Failure> {
        let mut asked_for = asked.months.clone();
        if asked.compare == Some(ReportAgainst::Previous) {
            asked_for = months::before(&asked.months).into_iter().chain(asked_for).collect();
        }
        let found = app.store.answers(touchpoint, &asked_for, &[Column::All]).await?;
        let of = |month: &Month| found.answers(touchpoint, month.as_str(), &Column::All);
        let mut before = asked_for.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        let months = before.split_off(before.len().saturating_sub(asked.months.len()));
        let sent = asked.months.iter().map(|month| found.sent(touchpoint, month.as_str()));
        let sent = sent.collect::<Result<Vec<_>, _>>()?;
        let mut tiers = Vec::new();
        for (month, sent) in asked.months.iter().zip(&sent).filter(|_| asked.is_weighted) {
            let found = app.store.answers_by(touchpoint, month, Dimension::Tier, None, TIERS_MAX);
            let pages = pages(found.await?, sent, Dimension::Tier, None);
            tiers.push(pages.into_iter().flat_map(|(columns, _)| columns).collect());
        }
        Ok(Self { months, before, tiers, sent })
    }

    fn everybody(&self, asked: &Asked) -> Line {
        let mut tiers: BTreeMap<&String, Counts> = BTreeMap::new();
        for (tier, counts) in self.tiers.iter().flatten() {
            let known = tiers.entry(tier).or_default();
            *known = std::mem::take(known).and(counts);
        }
        Line {
            name: Column::All.to_string(),
            counts: sum(&self.months),
            against: (asked.compare == Some(ReportAgainst::Previous)).then(|| sum(&self.before)),
            tiers: asked.is_weighted.then(|| tiers.into_values().collect()),
            is_product: false,
        }
    }

    fn by_month(&self, asked: &Asked) -> Vec<Line> {
        let whole = sum(&self.months);
        let none = Counts::default();
        let earlier = std::iter::once(self.before.last().unwrap_or(&none)).chain(&self.months);
        let months = asked.months.iter().zip(&self.months).zip(earlier).enumerate();
        let line = |(place, ((month, counts), earlier)): (usize, ((&Month, &Counts), &Counts))| {
            let tiers = self.tiers.get(place);
            Line {
                name: month.as_str().to_owned(),
                counts: counts.clone(),
                against: asked.compare.map(|compare| match compare {
                    ReportAgainst::Previous => earlier.clone(),
                    ReportAgainst::Rest => whole.clone().without(counts),
                }),
                tiers: tiers.map(|tiers| tiers.values().cloned().collect()),
                is_product: false,
            }
        };
        months.map(line).collect()
    }
}

/// The lines of all of a dimension's columns.
async fn whole(
    app: &App,
    (touchpoint, asked): (&TouchpointId, &Asked),
    dimension: Dimension,
    seen: &Seen,
) -> Result<Vec<Line>, Failure> {
    let mut asked = asked.clone();
    let mut lines = Vec::new();
    loop {
        let (more, next) = columns(app, (touchpoint, &asked), dimension, seen, ROWS_MAX).await?;
        lines.extend(more);
        if lines.len() > TABLE_ROWS_MAX {
            return Err(too_long().into());
        }
        let Some(next) = next else { return Ok(lines) };
        let no_column = || Failure::bug("a page ends with no column");
        asked.after = Some(Column::parse(&next).ok_or_else(no_column)?);
    }
}

/// The lines of a dimension's columns, and after which one the next page begins.
async fn columns(
    app: &App,
    (touchpoint, asked): (&TouchpointId, &Asked),
    dimension: Dimension,
    seen: &Seen,
    most: u16,
) -> Result<(Vec<Line>, Option<String>), Failure> {
    let mut found = Vec::new();
    for (month, sent) in asked.months.iter().zip(&seen.sent) {
        let after = asked.after.as_ref();
        let of = app.store.answers_by(touchpoint, month, dimension, after, most).await?;
        found.extend(pages(of, sent, dimension, after));
    }
    let (columns, next) = reporting::together(found, most.into());
    let mut before = BTreeMap::new();
    if asked.compare == Some(ReportAgainst::Previous) {
        before = earlier(app, (touchpoint, asked), columns.keys()).await?;
    }
    let whole = sum(&seen.months);
    let line = |(name, counts): (String, Counts)| Line {
        against: asked.compare.map(|compare| match compare {
            ReportAgainst::Previous => before.get(&name).cloned().unwrap_or_default(),
            ReportAgainst::Rest => whole.clone().without(&counts),
        }),
        name,
        counts,
        tiers: None,
        is_product: dimension == Dimension::Sku,
    };
    Ok((columns.into_iter().map(line).collect(), next))
}

/// What was counted in columns in as many months before.
async fn earlier(
    app: &App,
    (touchpoint, asked): (&TouchpointId, &Asked),
    names: impl Iterator<Item = &String>,
) -> Result<BTreeMap<String, Counts>, Failure> {
    let months = months::before(&asked.months);
    let columns: Vec<Column> = names.filter_map(|name| Column::parse(name)).collect();
    let found = app.store.answers(touchpoint, &months, &columns).await?;
    let mut before: BTreeMap<String, Counts> = BTreeMap::new();
    let each = columns.iter().flat_map(|it| months.iter().map(move |month| (it, month.as_str())));
    for (column, month) in each {
        let known = before.entry(column.to_string()).or_default();
        *known = std::mem::take(known).and(&found.answers(touchpoint, month, column)?);
    }
    Ok(before)
}
