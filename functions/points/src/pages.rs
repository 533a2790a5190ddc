//! The page of a member's points: plain HTML that needs no script, for any
//! screen, in light and dark, in every language of the shop. It is at most
//! [`PAGE_BYTES_MAX`] long, however long the rules are: what does not fit is
//! counted, not shown.

mod parts;

use aftercart::{
    model::{customer::Language, dates::Dates, programme::PointsPolicy, time::Timestamp},
    run::{
        Failure,
        http::{Answer, Request, Response},
    },
};
use askama::Template;

use crate::{
    rules::{
        showing::Seen,
        wording::{
            page::{self as words, Ui},
            programme::{self, ProgrammeSection},
        },
    },
    wire::{offers::PointsOffers, view::PointsView},
};

use self::parts::{Bar, MovementPart, RewardPart, TierPart};

/// The most bytes of a page: it is read on phones, often far from a good net.
pub const PAGE_BYTES_MAX: usize = 40_000;

/// How many movements a page shows.
pub(crate) const MOVEMENTS: u16 = 20;

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// How much of it a page shows.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// So many rewards.
    rewards: usize,
    /// Of each movement so many rules that gave points.
    gave: usize,
    /// Of each part of the programme so many rules.
    rules: usize,
}

/// From what every usual programme fits into to what every programme does.
const LIMITS: [Limits; 5] = [
    Limits { rewards: 12, gave: 8, rules: 40 },
    Limits { rewards: 8, gave: 5, rules: 20 },
    Limits { rewards: 6, gave: 3, rules: 8 },
    Limits { rewards: 4, gave: 2, rules: 3 },
    Limits { rewards: 3, gave: 1, rules: 0 },
];

/// A page without points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The link opens nothing.
    Unknown,
    /// The link's time is over.
    Expired,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without points.
    pub const ALL: [Self; 3] = [Self::Unknown, Self::Expired, Self::Unavailable];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Unknown => 404,
            Self::Expired => 410,
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
    /// The programme.
    pub policy: &'a PointsPolicy,
}

#[derive(Template)]
#[template(path = "points.html")]
struct PointsPage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: String,
    worth: Vec<&'a str>,
    others: Vec<(&'static str, String)>,
    bars: Vec<Bar>,
    next_end: Option<String>,
    tier: Option<TierPart>,
    rewards: Vec<RewardPart<'a>>,
    rewards_rest: Option<String>,
    movements: Vec<MovementPart<'a>>,
    earlier: Option<&'a str>,
    sections: Vec<ProgrammeSection>,
    foot: Vec<String>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: &'a str,
    text: &'a str,
}

/// The page of a member's points: 200.
///
/// # Errors
/// A bug when the page cannot be written, or exceeds [`PAGE_BYTES_MAX`].
pub fn points(
    seen: &Seen,
    view: &PointsView,
    offers: &PointsOffers,
    reading: &Reading<'_>,
) -> Answer {
    for limits in LIMITS {
        let page = render(seen, view, offers, reading, limits)?;
        if page.len() <= PAGE_BYTES_MAX {
            return Ok(Response::html(200, page));
        }
    }
    Err(Failure::bug("the page of points does not fit into its bound"))
}

fn render(
    seen: &Seen,
    view: &PointsView,
    offers: &PointsOffers,
    reading: &Reading<'_>,
    limits: Limits,
) -> Result<String, Failure> {
    let Reading { language, now, policy } = *reading;
    let dates = &Dates::new(language, &policy.zone, now);
    let mut rewards = parts::rewards(offers);
    let rest = rewards.len().saturating_sub(limits.rewards);
    rewards.truncate(limits.rewards);
    let page = PointsPage {
        ui: words::of(language),
        other: words::other(language),
        title: words::to_spend(view.balances.spendable, language),
        worth: offers.offset.iter().map(|it| it.what.as_str()).collect(),
        others: parts::others(&view.balances, language),
        bars: parts::bars(&view.lots, now, dates),
        next_end: parts::next_end(&view.lots, now, dates),
        tier: parts::tier(&seen.ledger, policy, now, dates),
        rewards,
        rewards_rest: (rest > 0).then(|| words::and_more(rest, language)),
        movements: view
            .movements
            .iter()
            .map(|it| parts::movement(it, limits.gave, dates))
            .collect(),
        earlier: view.next_cursor.as_deref(),
        sections: sections(reading, dates, limits),
        foot: vec![
            words::times_are(&dates.zone_name(), language),
            words::of(language).private.to_owned(),
        ],
    };
    page.render().map_err(Failure::bug)
}

/// The rules, so many of each part; the others are counted.
fn sections(reading: &Reading<'_>, dates: &Dates<'_>, limits: Limits) -> Vec<ProgrammeSection> {
    let mut sections = programme::sections(reading.policy, dates, reading.now);
    for section in &mut sections {
        let rest = section.rules.len().saturating_sub(limits.rules);
        section.rules.truncate(limits.rules);
        if rest > 0 {
            section.rules.push(words::and_more(rest, reading.language));
        }
    }
    sections
}

/// A page without points.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let ui = words::of(language);
    let (title, text) = match notice {
        Notice::Unknown => ui.unknown,
        Notice::Expired => ui.expired,
        Notice::Unavailable => ui.unavailable,
    };
    let page = NoticePage { ui, other: words::other(language), title, text };
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

#[cfg(test)]
mod tests;
