//! The tracking page: plain HTML that needs no script, for any screen, in light
//! and dark, in every language of the shop. It is at most [`PAGE_BYTES_MAX`]
//! long, however many parcels and scans there are: what does not fit is
//! counted, not shown.

mod alerts;
mod parcels;
mod steps;

use aftercart::{
    model::{customer::Language, dates::Dates, dispatch::Direction, time::Timestamp},
    run::{
        Failure,
        http::{Answer, Problem, Request, Response},
    },
};
use askama::Template;

use crate::{
    rules::{
        form::{Faults, Form},
        overview::Seen,
        wording::page::{self as words, Ui},
    },
    wire::tracking::{ParcelView, TrackingView},
};

use self::parcels::{Part, Tone};

/// The most bytes of a page: it is read on phones, often far from a good net.
pub const PAGE_BYTES_MAX: usize = 30_000;

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// How much of it a page shows.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// So many parcels whole.
    parcels: usize,
    /// Of each so many scans.
    scans: usize,
    /// Of each so many lines.
    lines: usize,
    /// Of each so many alerts.
    alerts: usize,
}

/// From what every usual order fits into to what every order does.
const LIMITS: [Limits; 5] = [
    Limits { parcels: 8, scans: 40, lines: 20, alerts: 3 },
    Limits { parcels: 6, scans: 16, lines: 10, alerts: 3 },
    Limits { parcels: 4, scans: 10, lines: 6, alerts: 2 },
    Limits { parcels: 3, scans: 5, lines: 4, alerts: 1 },
    Limits { parcels: 1, scans: 3, lines: 3, alerts: 1 },
];

/// A page without parcels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The link opens nothing.
    Unknown,
    /// The link's time is over.
    Expired,
    /// There is nothing to choose any more.
    Settled,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without parcels.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Expired, Self::Settled, Self::Unavailable];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Expired => 410,
            Self::Settled => 409,
            Self::Unavailable => 503,
        }
    }
}

/// What a page knows besides what there is to see.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// In which language it is read.
    pub language: Language,
    /// When.
    pub now: Timestamp,
    /// Where the page for complaints about the order is.
    pub complaints: &'a str,
    /// Whether a choice was just made.
    pub thanks: bool,
    /// A form that has faults.
    pub faulty: Option<(&'a Form, &'a Faults)>,
}

#[derive(Template)]
#[template(path = "tracking.html")]
struct TrackingPage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: String,
    order: &'a str,
    thanks: Option<&'static str>,
    fault: Option<&'static str>,
    summary: Option<Summary>,
    parcels: Vec<Part>,
    short: Vec<Short>,
    complaints: &'a str,
    foot: Vec<String>,
}

struct Summary {
    tone: Tone,
    headline: String,
    next: String,
}

/// A parcel of which there is no more than a line.
struct Short {
    name: String,
    text: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: &'a str,
    text: &'a str,
    tone: Tone,
}

/// The page of an order: 200, or 422 when the form has faults.
///
/// # Errors
/// A bug when the page cannot be written, or exceeds [`PAGE_BYTES_MAX`].
pub fn tracking(seen: &Seen, view: &TrackingView, reading: &Reading<'_>) -> Answer {
    let status = if reading.faulty.is_some() { 422 } else { 200 };
    for limits in LIMITS {
        let page = render(seen, view, reading, limits)?;
        if page.len() <= PAGE_BYTES_MAX {
            return Ok(Response::html(status, page));
        }
    }
    Err(Failure::bug("the tracking page does not fit into its bound"))
}

fn render(
    seen: &Seen,
    view: &TrackingView,
    reading: &Reading<'_>,
    limits: Limits,
) -> Result<String, Failure> {
    let Reading { language, now, .. } = *reading;
    let ui = words::of(language);
    let zone = parcels::zone(view);
    let dates = Dates::new(language, &zone, now);
    let mut shown: Vec<&ParcelView> = shown(view);
    let all = shown.iter().filter(|it| it.direction == Direction::Out).count();
    let summary = summary(view, &shown, &dates);
    let rest = shown.split_off(shown.len().min(limits.parcels));
    let place = parcels::Place { seen, view, dates: &dates, reading, all, limits };
    let level = if summary.is_some() { 2 } else { 1 };
    let parcels: Vec<Part> = shown
        .iter()
        .enumerate()
        .map(|(at, it)| place.part(it, at.saturating_add(1), level))
        .collect();
    let short = rest.iter().map(|it| Short { name: place.name(it), text: it.headline.clone() });
    let headline = summary.as_ref().map_or(view.headline.as_str(), |it| it.headline.as_str());
    let prefix = if reading.faulty.is_some() { ui.error_prefix } else { "" };
    let chose = view.shipments.iter().flat_map(|it| &it.alerts).any(|it| it.chosen.is_some());
    let page = TrackingPage {
        ui,
        other: words::other(language),
        title: format!("{prefix}{headline}"),
        order: view.order.as_str(),
        thanks: (reading.thanks && chose).then_some(ui.thanks),
        fault: reading.faulty.is_some().then_some(ui.faulty),
        short: short.collect(),
        summary,
        parcels,
        complaints: reading.complaints,
        foot: vec![
            words::going_to(view.city.as_str(), view.country.as_str(), language),
            words::times_are(&dates.zone_name(), language),
            ui.private.to_owned(),
        ],
    };
    page.render().map_err(Failure::bug)
}

/// The parcels that a page shows: those that are not there yet first, and of
/// those that were called off only the ones that had left, or that are all there is.
fn shown(view: &TrackingView) -> Vec<&ParcelView> {
    let live = view.shipments.iter().any(|it| it.cancelled_at.is_none());
    let mut shown: Vec<&ParcelView> = (view.shipments.iter())
        .filter(|it| it.cancelled_at.is_none() || !live || it.tracking_number.is_some())
        .collect();
    shown.sort_by_key(|it| (it.cancelled_at.is_some(), it.status.is_final()));
    shown
}

/// What the whole order is, where one parcel's section does not say it.
fn summary(view: &TrackingView, shown: &[&ParcelView], dates: &Dates<'_>) -> Option<Summary> {
    let language = dates.language;
    let out: Vec<_> = shown.iter().filter(|it| it.direction == Direction::Out).collect();
    let there = out.iter().filter(|it| it.delivered_at.is_some()).count();
    match shown {
        [] => Some(Summary {
            tone: parcels::order_tone(view.status),
            headline: view.headline.clone(),
            next: view.next.clone(),
        }),
        [_] => None,
        _ if out.len() < 2 => Some(Summary {
            tone: out.first().map_or(Tone::Going, |it| parcels::tone(it, dates)),
            headline: view.headline.clone(),
            next: words::of(language).each_below.to_owned(),
        }),
        _ => Some(Summary {
            tone: if there == out.len() { Tone::Good } else { Tone::Going },
            headline: words::parcels_there(there, out.len(), language),
            next: words::of(language).each_below.to_owned(),
        }),
    }
}

/// A page without parcels.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let ui = words::of(language);
    let (title, text) = match notice {
        Notice::Unknown => ui.unknown,
        Notice::Expired => ui.expired,
        Notice::Settled => ui.settled,
        Notice::Unavailable => ui.unavailable,
    };
    let other = words::other(language);
    let page = NoticePage { ui, other, title, text, tone: Tone::Still };
    Ok(Response::html(notice.status(), page.render().map_err(Failure::bug)?))
}

/// Answers a failure of ours with a page, because a person reads it. What the
/// caller did wrong stays the problem that it is.
///
/// # Errors
/// The failure, when the caller is to blame.
pub fn sorry(failure: Failure, request: &Request) -> Answer {
    if let Failure::Refuse(_) = failure {
        return Err(failure);
    }
    let page = notice(Notice::Unavailable, request.language(None))?;
    if let Failure::Retry(_) = failure {
        tracing::warn!(class = failure.class(), error = %failure, "failed");
        return Ok(page.with("retry-after", RETRY_AFTER_S));
    }
    tracing::error!(class = failure.class(), error = %failure, "failed");
    Ok(Response { status: 500, ..page })
}

/// Reads the body that the page sends.
///
/// # Errors
/// [`Problem::invalid`] names a field that the page does not have, that is
/// there twice, or that the page fills in itself: the page does not send that.
pub fn form(body: &[u8]) -> Result<Form, Problem> {
    alerts::form(body)
}

#[cfg(test)]
mod tests;
