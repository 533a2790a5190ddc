//! The page of a ticket and the page for complaints: plain HTML that needs no
//! script, for any screen, in light and dark, in every language of the shop. A
//! page is at most [`PAGE_BYTES_MAX`] long, however much was written: what does
//! not fit is counted, not shown.

use aftercart::{
    model::{
        customer::Language,
        dates::Dates,
        id::OrderId,
        ticket::{
            MAX_ENTRIES, MAX_MESSAGE, Outcome, Ticket, TicketEntry, TicketEvent, TicketStatus,
            Topic, Writer,
        },
        time::{Timestamp, Zone},
    },
    run::{
        Failure,
        http::{Answer, Problem, Request, Response},
        links::LinkError,
    },
};
use askama::Template;

use crate::rules::{
    form::{ComplaintForm, Fault, Step, TicketForm, UnknownField},
    words::{self, Ui},
};

/// The most bytes of a page: it is read on phones, often far from a good net.
/// Three messages of the longest, each character written as a reference, fit.
pub const PAGE_BYTES_MAX: usize = 50_000;

/// How many messages a page shows, the latest: from what every usual exchange
/// fits into to what every exchange does.
const SHOWN: [usize; 5] = [60, 30, 12, 5, 2];

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// The status of a refused type of body.
const UNSUPPORTED: u16 = 415;

/// A page without a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// A complaint came in.
    Received,
    /// The link opens nothing.
    Unknown,
    /// The link's time is over.
    Expired,
    /// There is no room for more words.
    Full,
    /// What was sent is not what the page sends.
    Odd,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without a ticket.
    pub const ALL: [Self; 6] =
        [Self::Received, Self::Unknown, Self::Expired, Self::Full, Self::Odd, Self::Unavailable];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Received => 200,
            Self::Unknown => 404,
            Self::Expired => 410,
            Self::Full => 409,
            Self::Odd => 400,
            Self::Unavailable => 503,
        }
    }

    /// The page for a link that does not let in.
    #[must_use]
    pub const fn of(error: LinkError) -> Self {
        match error {
            LinkError::Expired => Self::Expired,
            LinkError::Invalid => Self::Unknown,
        }
    }
}

/// What a page knows besides the ticket.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// In which language it is read.
    pub language: Language,
    /// Where its times are.
    pub zone: &'a Zone,
    /// When.
    pub now: Timestamp,
    /// What the customer just did.
    pub done: Option<Step>,
    /// A form with what is wrong with its text.
    pub faulty: Option<(&'a TicketForm, Fault)>,
}

#[derive(Template)]
#[template(path = "ticket.html")]
struct TicketPage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: String,
    thanks: Option<&'static str>,
    fault: Option<String>,
    tone: &'static str,
    topic: &'static str,
    headline: &'static str,
    next: String,
    remedies: Vec<RemedyPart>,
    earlier: Option<String>,
    said: Vec<Said<'a>>,
    asks: bool,
    can_confirm: bool,
    full: bool,
    write: &'static str,
    after: u16,
    most: usize,
    typed: &'a str,
    order: Option<&'a str>,
    id: &'a str,
    times: String,
}

struct RemedyPart {
    tone: &'static str,
    what: String,
    state: &'static str,
}

/// Something that was written, or happened.
struct Said<'a> {
    class: &'static str,
    who: String,
    when: String,
    text: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "complaint.html")]
struct ComplaintPage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: String,
    faulty: bool,
    seen: Option<String>,
    topics: Vec<TopicPart>,
    topic_fault: Option<&'static str>,
    text_fault: Option<String>,
    most: usize,
    typed: &'a str,
    order: &'a str,
}

struct TopicPart {
    code: &'static str,
    name: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    ui: &'static Ui,
    other: &'static Ui,
    title: &'a str,
    text: &'a str,
    tone: &'static str,
}

/// The page of a ticket: 200, or 422 when the form has a fault.
///
/// # Errors
/// A bug when the page cannot be written, or exceeds [`PAGE_BYTES_MAX`].
pub fn ticket(ticket: &Ticket, entries: &[TicketEntry], reading: &Reading<'_>) -> Answer {
    let status = if reading.faulty.is_some() { 422 } else { 200 };
    for shown in SHOWN {
        let page = render(ticket, entries, reading, shown)?;
        if page.len() <= PAGE_BYTES_MAX {
            return Ok(Response::html(status, page));
        }
    }
    Err(Failure::bug("the page of a ticket does not fit into its bound"))
}

fn render(
    ticket: &Ticket,
    entries: &[TicketEntry],
    reading: &Reading<'_>,
    shown: usize,
) -> Result<String, Failure> {
    let Reading { language, zone, now, done, faulty } = *reading;
    let ui = words::of(language);
    let dates = Dates::new(language, zone, now);
    let mut said: Vec<Said<'_>> =
        entries.iter().filter(|it| !it.internal).filter_map(|it| self::said(it, &dates)).collect();
    let hidden = said.len().saturating_sub(shown);
    said.drain(..hidden);
    let is_solved = ticket.status == TicketStatus::Solved;
    let asks = is_solved && !is_confirmed(entries);
    let (tone, (headline, next)) = standing(ticket, entries, &dates, now);
    let prefix = if faulty.is_some() { ui.error_prefix } else { "" };
    let page = TicketPage {
        ui,
        other: words::other(language),
        title: format!("{prefix}{headline}"),
        thanks: done.filter(|_| faulty.is_none()).map(|done| match done {
            Step::Write => ui.written,
            Step::Confirm => ui.confirmed,
        }),
        fault: faulty.map(|(_, fault)| words::fault(fault, MAX_MESSAGE, language)),
        tone,
        topic: words::topic(ticket.topic, language),
        headline,
        next,
        remedies: remedies(ticket, language),
        earlier: (hidden > 0).then(|| words::earlier(hidden, language)),
        said,
        asks,
        can_confirm: !is_solved,
        full: ticket.entries >= MAX_ENTRIES,
        write: if asks { ui.not_solved } else { ui.write },
        after: ticket.entries,
        most: MAX_MESSAGE,
        typed: faulty.map_or("", |(form, _)| &form.text),
        order: ticket.links.order.as_ref().map(OrderId::as_str),
        id: ticket.id.as_str(),
        times: words::times_are(&dates.zone_name(), language),
    };
    page.render().map_err(Failure::bug)
}

/// The tone of the page, what it says first, and what comes next.
fn standing(
    ticket: &Ticket,
    entries: &[TicketEntry],
    dates: &Dates<'_>,
    now: Timestamp,
) -> (&'static str, (&'static str, String)) {
    let ui = words::of(dates.language);
    let fixed = |(headline, next): (&'static str, &str)| (headline, next.to_owned());
    match ticket.status {
        TicketStatus::Open if ticket.answered_at.is_some() => {
            ("going", (ui.open, ui.answered_next.to_owned()))
        }
        TicketStatus::Open if ticket.answer_by < now => ("care", (ui.open, ui.late.to_owned())),
        TicketStatus::Open => {
            let by = words::answer_by(&dates.moment(ticket.answer_by), dates.language);
            ("going", (ui.open, by))
        }
        TicketStatus::Waiting => ("care", fixed(ui.waiting)),
        TicketStatus::Solved if is_confirmed(entries) => ("good", fixed(ui.happy)),
        TicketStatus::Solved => ("good", fixed(ui.solved)),
    }
}

/// Whether the customer said that it is solved since it last was.
fn is_confirmed(entries: &[TicketEntry]) -> bool {
    let mut events = entries.iter().rev().filter_map(|it| it.event.as_ref());
    let last = events.find(|event| {
        matches!(
            event,
            TicketEvent::Solved { .. }
                | TicketEvent::Closed
                | TicketEvent::Reopened
                | TicketEvent::Confirmed
        )
    });
    matches!(last, Some(TicketEvent::Confirmed))
}

fn remedies(ticket: &Ticket, language: Language) -> Vec<RemedyPart> {
    let part = |remedy: &aftercart::model::ticket::Remedy| RemedyPart {
        tone: match remedy.outcome {
            Outcome::Asked => "going",
            Outcome::Done { .. } => "good",
            Outcome::Refused { .. } => "care",
        },
        what: words::remedy(&remedy.kind, language),
        state: words::outcome(&remedy.outcome, language),
    };
    ticket.remedies.iter().map(part).collect()
}

/// An entry as the customer reads it; none for what the page shows elsewhere.
fn said<'a>(entry: &'a TicketEntry, dates: &Dates<'_>) -> Option<Said<'a>> {
    let language = dates.language;
    let (when, text) = (dates.moment(entry.at), entry.text.as_ref().map(|it| it.as_str()));
    let is_message = matches!(entry.event, None | Some(TicketEvent::Opened)) && text.is_some();
    if is_message {
        let class = if entry.by == Writer::Customer { "mine" } else { "shop" };
        return Some(Said {
            class,
            who: words::writer(&entry.by, language).to_owned(),
            when,
            text,
        });
    }
    let who = words::event(entry.event.as_ref()?, language)?;
    Some(Said { class: "event", who, when, text })
}

/// What is wrong with the topic of a complaint, and with its words.
pub type Faults = (Option<Fault>, Option<Fault>);

/// The page for a complaint about an order, with what was filled in: 200, or 422
/// when that has faults.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn complaint(
    order: &OrderId,
    language: Language,
    form: &ComplaintForm,
    faults: Faults,
) -> Answer {
    let ui = words::of(language);
    let (topic_fault, text_fault) = faults;
    let part = |topic: Topic| {
        let (code, name) = (words::code(topic), words::topic(topic, language));
        TopicPart { code, name, chosen: code == form.topic }
    };
    let faulty = faults != Faults::default();
    let prefix = if faulty { ui.error_prefix } else { "" };
    let page = ComplaintPage {
        ui,
        other: words::other(language),
        title: format!("{prefix}{}", ui.complain),
        faulty,
        seen: form.seen.map(|it| it.to_string()),
        topics: words::TOPICS.into_iter().map(part).collect(),
        topic_fault: topic_fault.map(|_| words::topic_missing(language)),
        text_fault: text_fault.map(|it| words::fault(it, MAX_MESSAGE, language)),
        most: MAX_MESSAGE,
        typed: &form.text,
        order: order.as_str(),
    };
    let status = if faulty { 422 } else { 200 };
    Ok(Response::html(status, page.render().map_err(Failure::bug)?))
}

/// A page without a ticket.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let ui = words::of(language);
    let (title, text) = match notice {
        Notice::Received => ui.received,
        Notice::Unknown => ui.unknown,
        Notice::Expired => ui.expired,
        Notice::Full => ui.no_room,
        Notice::Odd => ui.odd,
        Notice::Unavailable => ui.unavailable,
    };
    let tone = if notice == Notice::Received { "good" } else { "still" };
    let page = NoticePage { ui, other: words::other(language), title, text, tone };
    Ok(Response::html(notice.status(), page.render().map_err(Failure::bug)?))
}

/// Answers a failure with a page, because a person reads it, and a refusal with
/// its status. Only a body of a type that no page sends stays the problem that
/// it is: a program sent it.
///
/// # Errors
/// The refusal of such a body.
pub fn sorry(failure: Failure, request: &Request) -> Answer {
    let language = request.language(None);
    if let Failure::Refuse(problem) = &failure {
        let status = problem.status();
        if status == UNSUPPORTED {
            return Err(failure);
        }
        tracing::info!(problem = problem.kind(), "refused");
        return Ok(Response { status, ..notice(Notice::Odd, language)? });
    }
    let page = notice(Notice::Unavailable, language)?;
    if let Failure::Retry(_) = failure {
        tracing::warn!(class = failure.class(), error = %failure, "failed");
        return Ok(page.with("retry-after", RETRY_AFTER_S));
    }
    tracing::error!(class = failure.class(), error = %failure, "failed");
    Ok(Response { status: 500, ..page })
}

/// Sends the browser on to the page: what was sent is not sent again when that is
/// reloaded.
#[must_use]
pub fn sent_on(request: &Request, done: &str) -> Response {
    let language: Language = request.language(None);
    let here = format!("?lang={}&done={done}", language.code());
    Response::html(303, String::new()).with("location", here)
}

/// The fields that a page sent, read by `read`.
///
/// # Errors
/// 415 for a body of another type; [`Problem::invalid`] names a field that the
/// page does not send so.
pub fn form<T>(
    request: &Request,
    read: impl FnOnce(Vec<(String, String)>) -> Result<T, UnknownField>,
) -> Result<T, Problem> {
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        let detail = "Send application/x-www-form-urlencoded.";
        let title = "The body is of another type";
        let problem = Problem::new(UNSUPPORTED, "unsupported-media-type", title, detail);
        return Err(problem.at("Content-Type"));
    }
    read(form_urlencoded::parse(request.body()).into_owned().collect()).map_err(|unknown| {
        let detail = "The page does not send this field so; open it again and send it from there.";
        Problem::invalid(unknown.0, detail)
    })
}

#[cfg(test)]
mod tests;
