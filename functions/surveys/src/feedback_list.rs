//! `GET /operator/feedback`: a page of what buyers wrote in surveys in a month,
//! latest first.
//!
//! `month` is one of UTC, such as `2026-11`, by when the answer was first
//! given; the present one if it is left out. `touchpoint`, `sentiment`, `topic`
//! and `alarm`, the kind of an alarming word or `any`, leave out the rest:
//! then a page may have fewer than `limit`, even none, and still go on. A page
//! is one query for each so many as `limit` that are looked at, ten at most.

use std::sync::Arc;

use aftercart::{
    model::{
        feedback::{Feedback, Sentiment},
        months,
        survey::TouchpointId,
        tally::Month,
        text::Text,
        ticket::Topic,
    },
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, PageLimits, Problem, Request, Response},
    },
    store::{Op, PageToken, Table, feedback},
};
use serde::de::{DeserializeOwned, IntoDeserializer, value};

use crate::wire::feedback::{FeedbackFile, FeedbackPage};

/// A page of feedback: up to some 2 KB each.
const PAGE: PageLimits = PageLimits { default: 50, most: 100 };

/// The most queries of a page: a filter that fits little does not read the
/// whole month in one call.
const QUERIES_MAX: u32 = 10;

/// The members of the query besides those of every page.
const FILTERS: [&str; 5] = ["month", "touchpoint", "sentiment", "topic", "alarm"];

/// What stands for every kind of alarming word.
const ANY: &str = "any";

/// See the module.
pub const FUNCTION: Function = Function {
    name: "feedback-list",
    about: "Lists what buyers wrote in surveys, with personal data masked.",
    trigger: Trigger::Http(&[Route::operator("GET", "/operator/feedback")]),
    needs: &[Need::Table(Table::Surveys, &[Op::Query])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, list))
}

async fn list(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let (from, limit) = request.filtered_page(&FILTERS, feedback::cursor, PAGE)?;
    let month = month(&app, &request)?;
    let wanted = Wanted::read(&request)?;
    let (mut from, mut files) = (from, Vec::new());
    for _ in 0..QUERIES_MAX {
        let left = limit.saturating_sub(u16::try_from(files.len()).unwrap_or(limit));
        let page = app.store.feedback_of(&month, from.as_ref(), left).await?;
        let fits = page.items.into_iter().filter(|it| wanted.fits(it));
        files.extend(fits.map(FeedbackFile::from));
        from = page.next;
        if from.is_none() || files.len() >= usize::from(limit) {
            break;
        }
    }
    let next_cursor = from.as_ref().map(PageToken::encode);
    Response::json(200, &FeedbackPage { month, feedback: files, next_cursor })
}

fn month(app: &App, request: &Request) -> Result<Month, Problem> {
    let month = request.query("month");
    let present = months::of(app.now());
    let month = month.unwrap_or(&present);
    let months = months::between(Some(month), Some(month), app.now()).ok();
    let month = months.and_then(|months| months.into_iter().next());
    month.ok_or_else(|| Problem::invalid("month", "The month must be one such as 2026-11."))
}

/// What is asked for.
struct Wanted {
    touchpoint: Option<TouchpointId>,
    sentiment: Option<Sentiment>,
    topic: Option<Topic>,
    alarm: Option<Text<40>>,
}

impl Wanted {
    fn read(request: &Request) -> Result<Self, Problem> {
        Ok(Self {
            touchpoint: filter(request, "touchpoint")?,
            sentiment: filter(request, "sentiment")?,
            topic: filter(request, "topic")?,
            alarm: filter(request, "alarm")?,
        })
    }

    fn fits(&self, feedback: &Feedback) -> bool {
        let alarms = &feedback.alarms;
        let alarmed = |kind: &Text<40>| match kind.as_str() {
            ANY => !alarms.is_empty(),
            _ => alarms.contains(kind),
        };
        !feedback.comments.is_empty()
            && self.touchpoint.as_ref().is_none_or(|it| feedback.touchpoint == *it)
            && self.sentiment.is_none_or(|it| feedback.sentiment == Some(it))
            && self.topic.is_none_or(|it| feedback.topics.contains(&it))
            && self.alarm.as_ref().is_none_or(alarmed)
    }
}

/// What is asked for by its name, if anything is.
fn filter<T: DeserializeOwned>(
    request: &Request,
    name: &'static str,
) -> Result<Option<T>, Problem> {
    let read = |text: &str| {
        let unknown = |_: value::Error| Problem::invalid(name, format!("There is no such {name}."));
        T::deserialize(text.into_deserializer()).map_err(unknown)
    };
    request.query(name).map(read).transpose()
}
