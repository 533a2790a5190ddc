//! The section of a parcel.

use std::fmt;

use aftercart::model::{
    alert::AlertKind,
    customer::Language,
    dates::Dates,
    dispatch::Direction,
    order::OrderStatus,
    shipment::ParcelStatus,
    time::{Timestamp, Zone},
};

use crate::{
    rules::{
        overview::{self, Seen},
        promise::Standing,
        wording::{self, page as words},
    },
    wire::tracking::{ParcelView, ScanView, StageView, TrackingView},
};

use super::{
    Limits, Reading,
    alerts::{self, AlertPart},
    steps::{self, Step},
};

/// What a section feels like: it has one colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Going,
    Good,
    Care,
    Bad,
    Still,
}

impl fmt::Display for Tone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Going => "going",
            Self::Good => "good",
            Self::Care => "care",
            Self::Bad => "bad",
            Self::Still => "still",
        })
    }
}

/// The section of a parcel.
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) level: u8,
    pub(super) tone: Tone,
    pub(super) name: Option<String>,
    pub(super) headline: String,
    pub(super) next: String,
    pub(super) when: Option<When>,
    pub(super) standing: Option<(&'static str, Tone)>,
    pub(super) sure: Vec<String>,
    pub(super) steps: Vec<Step>,
    pub(super) alerts: Vec<AlertPart>,
    pub(super) way: Vec<Stop>,
    pub(super) trail_name: String,
    pub(super) trail: Vec<Stop>,
    pub(super) trail_rest: Option<String>,
    pub(super) lines: Vec<(u32, String)>,
    pub(super) lines_rest: Option<String>,
    pub(super) label: Option<String>,
}

/// When it comes, or came.
pub(super) struct When {
    pub(super) label: &'static str,
    pub(super) text: String,
    pub(super) datetime: String,
}

/// A step or a scan with its time.
pub(super) struct Stop {
    pub(super) name: String,
    pub(super) time: String,
    pub(super) datetime: String,
    pub(super) place: Option<String>,
    pub(super) doubt: Option<&'static str>,
}

/// The page in which a section stands.
pub(super) struct Place<'a> {
    pub(super) seen: &'a Seen,
    pub(super) view: &'a TrackingView,
    pub(super) dates: &'a Dates<'a>,
    pub(super) reading: &'a Reading<'a>,
    /// How many parcels go to the buyer.
    pub(super) all: usize,
    pub(super) limits: Limits,
}

/// Where the times of a page are: where its promise was made.
pub(super) fn zone(view: &TrackingView) -> Zone {
    view.promise.as_ref().map_or_else(Zone::utc, |promise| promise.zone.clone())
}

/// What an order without parcels feels like.
pub(super) fn order_tone(status: OrderStatus) -> Tone {
    match status {
        OrderStatus::Placed => Tone::Care,
        OrderStatus::Paid => Tone::Going,
        OrderStatus::Cancelled | OrderStatus::Expired => Tone::Still,
    }
}

/// What a parcel feels like on the day of these dates.
pub(super) fn tone(parcel: &ParcelView, dates: &Dates<'_>) -> Tone {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, OnHold, OutForDelivery,
        ReadyForPickup, Returned, Returning, Unknown,
    };
    if parcel.cancelled_at.is_some() {
        return Tone::Still;
    }
    let worst = parcel.alerts.first().map(|alert| alert_tone(alert.kind));
    match parcel.status {
        Delivered if parcel.alerts.is_empty() => Tone::Good,
        _ if worst == Some(Tone::Bad) => Tone::Bad,
        Returned if parcel.direction == Direction::Back => Tone::Good,
        Returning | Returned => Tone::Bad,
        OutForDelivery if overview::out_on(parcel, dates.zone) == Some(dates.today) => Tone::Going,
        _ if worst.is_some() => Tone::Care,
        ReadyForPickup => Tone::Good,
        AttemptFailed | Exception | OnHold | OutForDelivery | Expired | Unknown => Tone::Care,
        Cancelled => Tone::Still,
        _ if matches!(parcel.standing, Some(Standing::Late | Standing::AtRisk)) => Tone::Care,
        _ => Tone::Going,
    }
}

/// What something that is wrong feels like.
pub(super) fn alert_tone(kind: AlertKind) -> Tone {
    match kind {
        AlertKind::Lost | AlertKind::Damaged | AlertKind::Returned | AlertKind::Refused => {
            Tone::Bad
        }
        _ => Tone::Care,
    }
}

/// What a standing feels like.
fn standing_tone(standing: Standing) -> Tone {
    match standing {
        Standing::Open | Standing::Kept => Tone::Good,
        Standing::AtRisk | Standing::Late => Tone::Care,
        Standing::Broken => Tone::Still,
    }
}

impl Place<'_> {
    /// The section of a parcel, the so many-th of the page.
    pub(super) fn part(&self, parcel: &ParcelView, number: usize, level: u8) -> Part {
        let (language, limits) = (self.reading.language, self.limits);
        let ui = words::of(language);
        let (when, standing) = self.when(parcel);
        let lines = parcel.lines.iter().take(limits.lines);
        let lines_rest = parcel.lines.len().saturating_sub(limits.lines);
        let trail: Vec<Stop> =
            parcel.trail.iter().take(limits.scans).map(|scan| self.scan(scan)).collect();
        let scans = usize::try_from(parcel.scans).unwrap_or(usize::MAX);
        let trail_rest = scans.saturating_sub(trail.len());
        let more = |rest: usize| (rest > 0).then(|| words::and_more(rest, language));
        let named =
            level > 1 || parcel.direction == Direction::Back || parcel.cancelled_at.is_some();
        Part {
            number,
            level,
            tone: tone(parcel, self.dates),
            name: named.then(|| self.name(parcel)),
            headline: parcel.headline.clone(),
            next: parcel.next.clone(),
            sure: if when.is_some() { self.sure(parcel) } else { Vec::new() },
            when,
            standing: standing.map(|it| (wording::standing(it, language), standing_tone(it))),
            steps: steps::of(parcel, ui),
            alerts: alerts::of(self, parcel),
            way: self.way(parcel),
            trail_name: words::all_scans(parcel.scans, language),
            trail,
            trail_rest: more(trail_rest),
            lines: lines
                .map(|line| {
                    (
                        line.quantity,
                        line.title.as_ref().map_or(line.sku.as_str(), |it| it.as_str()).to_owned(),
                    )
                })
                .collect(),
            lines_rest: more(lines_rest),
            label: label(parcel),
        }
    }

    /// What a parcel is called among others.
    pub(super) fn name(&self, parcel: &ParcelView) -> String {
        let language = self.reading.language;
        if parcel.direction == Direction::Back {
            return words::of(language).your_return.to_owned();
        }
        let out = self.view.shipments.iter().filter(|it| it.direction == Direction::Out);
        let number = out.filter(|it| it.number <= parcel.number).count();
        words::parcel_of(number, self.all.max(number), language)
    }

    /// When it came, or is expected; and how it stands against its promise.
    fn when(&self, parcel: &ParcelView) -> (Option<When>, Option<Standing>) {
        let ui = words::of(self.reading.language);
        if let Some(at) = parcel.delivered_at {
            let (label, text) = (ui.arrived, self.dates.moment(at));
            let when = When { label, text, datetime: at.to_string() };
            return (Some(when), parcel.standing);
        }
        if let Some(expected) = parcel.expected {
            let text = self.dates.span(expected.from, expected.until);
            let datetime = expected.until.to_string();
            return (Some(When { label: ui.expected, text, datetime }), chip(parcel, self.dates));
        }
        let late = parcel.standing.filter(|it| matches!(it, Standing::Late | Standing::AtRisk));
        let when = late.zip(self.view.promise.as_ref()).map(|(_, promise)| When {
            label: ui.promised,
            text: self.dates.day(promise.until),
            datetime: promise.until.to_string(),
        });
        (when, late.and_then(|_| chip(parcel, self.dates)))
    }

    /// How sure that is, and what was promised if it is not kept.
    fn sure(&self, parcel: &ParcelView) -> Vec<String> {
        let language = self.reading.language;
        let Some(expected) = parcel.expected.filter(|_| parcel.delivered_at.is_none()) else {
            return Vec::new();
        };
        let missed = matches!(parcel.standing, Some(Standing::Late | Standing::AtRisk));
        let promise = self.view.promise.as_ref().filter(|_| missed);
        let promised = promise.map(|it| words::promised_by(&self.dates.day(it.until), language));
        let certainty = wording::certainty(expected.certainty, language).to_owned();
        [certainty].into_iter().chain(promised).collect()
    }

    /// What happened so far, latest first.
    fn way(&self, parcel: &ParcelView) -> Vec<Stop> {
        let language = self.reading.language;
        let ui = words::of(language);
        let out = parcel.direction == Direction::Out;
        let mut way: Vec<(Timestamp, Stop)> = Vec::new();
        let mut plain = |at: Option<Timestamp>, name: &str| {
            way.extend(at.map(|at| (at, self.stop(at, name.to_owned()))));
        };
        plain(self.view.paid_at.filter(|_| out), ui.paid);
        plain(parcel.labelled_at, if out { ui.packed } else { ui.registered });
        let told = |stage: &&StageView| {
            let current = stage.status == parcel.status;
            current || !matches!(stage.status, ParcelStatus::Pending | ParcelStatus::Unknown)
        };
        way.extend(
            parcel.stages.iter().filter(told).map(|stage| (stage.at, self.stage(stage, parcel))),
        );
        way.sort_by_key(|(at, _)| *at);
        // A step that was made again is not noted again: it is where the parcel is.
        let again = parcel.stages.last().is_some_and(|last| last.status != parcel.status);
        if let Some(at) = parcel.since.filter(|_| again) {
            way.push((at, self.stop(at, self.step_name(parcel.status, parcel))));
        }
        way.into_iter().rev().map(|(_, stop)| stop).collect()
    }

    fn stage(&self, stage: &StageView, parcel: &ParcelView) -> Stop {
        let language = self.reading.language;
        let why = parcel.reason.filter(|_| stage.status == parcel.status);
        let name = self.step_name(stage.status, parcel);
        let name = match why {
            Some(reason) => {
                format!("{name}{}{}", colon(language), wording::reason(reason, language))
            }
            None => name,
        };
        Stop {
            place: stage.place.as_ref().map(|place| place.as_str().to_owned()),
            doubt: stage.doubt.map(|doubt| wording::doubt(doubt, language)),
            ..self.stop(stage.at, name)
        }
    }

    fn step_name(&self, status: ParcelStatus, parcel: &ParcelView) -> String {
        let language = self.reading.language;
        let arrived = parcel.direction == Direction::Back && status == ParcelStatus::Delivered;
        let name = if arrived {
            words::of(language).return_there
        } else {
            wording::status(status, language)
        };
        name.to_owned()
    }

    fn scan(&self, scan: &ScanView) -> Stop {
        let language = self.reading.language;
        let status = wording::status(scan.status, language);
        let name = match scan.reason {
            Some(reason) => {
                format!("{status}{}{}", colon(language), wording::reason(reason, language))
            }
            None => status.to_owned(),
        };
        let place = scan.place.as_ref().map(|place| place.as_str().to_owned());
        Stop { place, ..self.stop(scan.at, name) }
    }

    fn stop(&self, at: Timestamp, name: String) -> Stop {
        let (time, datetime) = (self.dates.moment(at), at.to_string());
        Stop { name, time, datetime, place: None, doubt: None }
    }
}

/// The standing that is shown of a parcel that is not there: none of one of
/// which nobody knows where it is; and one that was brought once, or out on an
/// earlier day, and not handed over is not called on time, although its promise
/// may be kept by that.
fn chip(parcel: &ParcelView, dates: &Dates<'_>) -> Option<Standing> {
    use ParcelStatus::{AttemptFailed, Expired, ReadyForPickup, Unknown};
    let brought = || {
        let mut stages = parcel.stages.iter();
        stages.any(|it| matches!(it.status, AttemptFailed | ReadyForPickup))
    };
    let was_out = || overview::out_on(parcel, dates.zone).is_some_and(|day| day != dates.today);
    let is_open = |it: &Standing| *it == Standing::Open;
    (parcel.standing)
        .filter(|_| !matches!(parcel.status, Unknown | Expired))
        .filter(|it| !(is_open(it) && (brought() || was_out())))
}

/// What stands between a step and why.
fn colon(language: Language) -> &'static str {
    match language {
        Language::En => ": ",
        Language::Zh => "：",
    }
}

fn label(parcel: &ParcelView) -> Option<String> {
    let number = parcel.tracking_number.as_ref()?;
    Some(match &parcel.courier {
        Some(courier) => format!("{courier} {number}"),
        None => number.to_string(),
    })
}
