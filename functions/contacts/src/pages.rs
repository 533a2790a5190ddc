//! The page on which somebody chooses what to be contacted for: plain HTML that
//! needs no script, for any screen, in light and dark, in every language of the
//! shop.

use aftercart::{
    model::{
        contact::{ContactPolicy, Contacts, Purpose},
        customer::Language,
        dates::Dates,
        time::Timestamp,
    },
    run::{
        Failure,
        http::{Answer, Request, Response},
    },
};
use askama::Template;

use crate::{
    rules::form,
    wire::{ContactPreferences, PurposePreference},
    words::{self, Words},
};

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// A page without choices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The link opens nothing.
    Unknown,
    /// A purpose was stopped, or all of them.
    Stopped(Option<Purpose>),
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Stopped(_) => 200,
            Self::Unknown => 404,
            Self::Unavailable => 503,
        }
    }
}

/// How the page is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// In which language.
    pub language: Language,
    /// For which purpose the link came.
    pub of_link: Option<Purpose>,
    /// Whether something was just chosen.
    pub done: bool,
}

#[derive(Template)]
#[template(path = "choices.html")]
struct ChoicesPage<'a> {
    words: &'static Words,
    other: &'static Words,
    title: &'a str,
    of_link: Option<&'static str>,
    done: bool,
    stop: Option<Stop>,
    purposes: &'a [PurposePreference],
    quiet: Option<String>,
    fields: Fields,
}

/// The names of the form's fields.
struct Fields {
    shown: &'static str,
    want: &'static str,
    stop: &'static str,
    all: &'static str,
}

const FIELDS: Fields =
    Fields { shown: form::SHOWN, want: form::WANT, stop: form::STOP, all: form::ALL };

/// The purpose of the message from which somebody came.
struct Stop {
    purpose: &'static str,
    title: String,
    button: String,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    words: &'static Words,
    other: &'static Words,
    of_link: Option<&'static str>,
    title: &'a str,
    text: &'a str,
}

/// The page of somebody's choices.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn choices(contacts: &Contacts, policy: &ContactPolicy, reading: &Reading) -> Answer {
    let words = words::of(reading.language);
    let view = ContactPreferences::of(contacts, policy, reading.language);
    let is_wanted =
        |purpose: &Purpose| view.purposes.iter().any(|it| it.purpose == *purpose && it.wanted);
    let stop = reading.of_link.filter(is_wanted).map(|purpose| Stop {
        purpose: purpose.as_str(),
        title: words.stop_title(purpose),
        button: words.stop(purpose),
    });
    // Only the name of the zone is asked for, which does not depend on the day.
    let zone = Dates::new(reading.language, &view.zone, Timestamp::EPOCH).zone_name();
    let page = ChoicesPage {
        words,
        other: words.other(),
        title: words.title,
        of_link: reading.of_link.map(Purpose::as_str),
        done: reading.done,
        stop,
        quiet: view.quiet.as_ref().map(|it| words.quiet(it.from, it.until, &zone)),
        purposes: &view.purposes,
        fields: FIELDS,
    };
    Ok(Response::html(200, page.render().map_err(Failure::bug)?))
}

/// A page without choices.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let words = words::of(language);
    let owned = |(title, text): (&str, &str)| (title.to_owned(), text.to_owned());
    let (title, text) = match notice {
        Notice::Unknown => owned(words.unknown),
        Notice::Unavailable => owned(words.unavailable),
        Notice::Stopped(None) => owned(words.stopped_all),
        Notice::Stopped(Some(purpose)) => words.stopped(purpose),
    };
    let page =
        NoticePage { words, other: words.other(), of_link: None, title: &title, text: &text };
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
