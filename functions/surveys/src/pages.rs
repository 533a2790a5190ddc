//! The pages of a survey: plain HTML that needs no script, for any screen, in
//! light and dark, in every language of the shop.

mod form;
mod parts;

pub use form::Form;

use aftercart::{
    model::{
        customer::Language,
        survey::{Delivered, Invite, Touchpoint},
        time::Timestamp,
    },
    run::{
        Failure,
        http::{Answer, Problem, Request, Response},
    },
};
use askama::Template;

use crate::{
    rules::{answering::Faults, showing::Answered},
    words::{self, Words},
};

use self::parts::{Body, QuestionPart};

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// A page without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// Another answer was recorded before.
    Answered,
    /// The time to correct the answer is over, or it was corrected too often.
    TooLate,
    /// The survey is over.
    Closed,
    /// The link opens nothing.
    Unknown,
    /// What was sent is nothing that a page of ours sends.
    Unreadable,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without a question.
    pub const ALL: [Self; 6] = [
        Self::Answered,
        Self::TooLate,
        Self::Closed,
        Self::Unknown,
        Self::Unreadable,
        Self::Unavailable,
    ];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Answered | Self::TooLate => 409,
            Self::Closed => 410,
            Self::Unknown => 404,
            Self::Unreadable => 400,
            Self::Unavailable => 503,
        }
    }

    /// The same, to an app.
    #[must_use]
    pub fn problem(self) -> Problem {
        match self {
            Self::Answered => {
                let detail = "Another answer is recorded. Get the survey, and name the revision \
                              that you correct.";
                Problem::new(409, "already-answered", "Already answered", detail)
            }
            Self::TooLate => {
                let detail = "An answer can be corrected for a day, nine times. It stays as it \
                              was.";
                Problem::new(409, "correction-too-late", "Too late to correct", detail)
            }
            Self::Closed => {
                let detail = "The survey takes no answers.";
                Problem::new(410, "survey-closed", "The survey is closed", detail)
            }
            Self::Unknown => Problem::not_found("survey"),
            Self::Unreadable => Problem::invalid("body", "The body is no answer to a survey."),
            Self::Unavailable => Problem::unavailable(),
        }
    }
}

/// Who is asked what, and in which language it is read.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The invitation.
    pub invite: &'a Invite,
    /// The products that it names.
    pub products: &'a [Delivered],
    /// What is asked.
    pub touchpoint: &'a Touchpoint,
    /// The language of the page.
    pub language: Language,
}

/// The form, as both pages with questions have it.
struct FormPart<'a> {
    questions: Vec<QuestionPart<'a>>,
    corrects: Option<u32>,
    submit: &'static str,
}

#[derive(Template)]
#[template(path = "survey.html")]
struct SurveyPage<'a> {
    words: &'static Words,
    title: String,
    heading: &'a str,
    intro: String,
    switch: Option<Switch>,
    branching: String,
    faulty: bool,
    tapped: bool,
    form: FormPart<'a>,
}

#[derive(Template)]
#[template(path = "thanks.html")]
struct ThanksPage<'a> {
    words: &'static Words,
    title: &'a str,
    text: &'a str,
    switch: Option<Switch>,
    branching: String,
    points: Option<String>,
    follow_up: bool,
    form: Option<FormPart<'a>>,
    complaints: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    words: &'static Words,
    title: &'a str,
    text: &'a str,
    switch: Option<Switch>,
    back: bool,
}

/// The way to the page in the other language.
struct Switch {
    to: &'static Words,
    /// What was tapped, to be filled in there, too.
    tapped: Option<String>,
}

fn switch(language: Language) -> Option<Switch> {
    Some(Switch { to: words::other(language), tapped: None })
}

/// The page with the questions, with nothing filled in, or with what was tapped
/// in the invitation: 200. Nothing is answered by looking at it.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn survey(asked: &Asked<'_>, tapped: Option<&str>) -> Answer {
    let filled = tapped.and_then(|value| Form::tapped(asked.touchpoint, value));
    let first = asked.touchpoint.questions.first();
    let tapped = filled.as_ref().zip(first).map(|(form, first)| form.text(first.id.as_str()));
    ask(asked, &filled.unwrap_or_default(), &Faults::new(), tapped)
}

/// The page with the questions, as they were answered, and what is wrong: 422.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn faulty(asked: &Asked<'_>, form: &Form, faults: &Faults) -> Answer {
    ask(asked, form, faults, None)
}

fn ask(asked: &Asked<'_>, form: &Form, faults: &Faults, tapped: Option<String>) -> Answer {
    let words = words::of(asked.language);
    let (heading, why) = words::title(asked.invite.occasion, asked.language);
    let faulty = !faults.is_empty();
    let form = form_part(asked, form, faults);
    let page = SurveyPage {
        words,
        title: format!("{}{heading}", if faulty { words.error_prefix } else { "" }),
        heading,
        intro: format!("{why}{}", words::how_long(form.questions.len(), asked.language)),
        tapped: tapped.is_some(),
        // Another language is another request, in which what was typed is lost.
        switch: (!faulty).then(|| Switch { to: words::other(asked.language), tapped }),
        branching: parts::branching(asked.touchpoint),
        faulty,
        form,
    };
    let status = if faulty { 422 } else { 200 };
    Ok(Response::html(status, page.render().map_err(Failure::bug)?))
}

fn form_part<'a>(asked: &Asked<'a>, form: &Form, faults: &Faults) -> FormPart<'a> {
    let words = words::of(asked.language);
    let corrects = form.corrects;
    FormPart {
        questions: parts::questions(asked, form, faults),
        corrects,
        submit: if corrects.is_some() { words.correct_submit } else { words.submit },
    }
}

/// The thanks, with the answer while it can be corrected, and the way to
/// `complaints` about the order, if there is one: 200.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn thanks(
    asked: &Asked<'_>,
    answered: &Answered<'_>,
    complaints: Option<&str>,
    now: Timestamp,
) -> Answer {
    let words = words::of(asked.language);
    let (title, text) = words.thanks;
    let form = Form::answered(answered.answer);
    let corrects = now < answered.correctable_until;
    let page = ThanksPage {
        words,
        title,
        text,
        switch: switch(asked.language),
        branching: parts::branching(asked.touchpoint),
        points: answered.points.map(|it| words::points(it.points, it.granted, asked.language)),
        follow_up: answered.follow_up,
        form: corrects.then(|| form_part(asked, &form, &Faults::new())),
        complaints,
    };
    Ok(Response::html(200, page.render().map_err(Failure::bug)?))
}

/// A page without a question.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let words = words::of(language);
    let (title, text) = match notice {
        Notice::Answered => words.answered,
        Notice::TooLate => words.too_late,
        Notice::Closed => words.closed,
        Notice::Unknown => words.unknown,
        Notice::Unreadable => words.unreadable_page,
        Notice::Unavailable => words.unavailable,
    };
    let back = matches!(notice, Notice::Answered | Notice::Unreadable);
    let page = NoticePage { words, title, text, switch: switch(language), back };
    Ok(Response::html(notice.status(), page.render().map_err(Failure::bug)?))
}

/// Answers a failure with a page of its status, because a person reads it.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn sorry(failure: Failure, request: &Request) -> Answer {
    if let Failure::Refuse(problem) = failure {
        tracing::info!(problem = problem.kind(), "refused");
        let page = notice(Notice::Unreadable, request.language(None))?;
        return Ok(Response { status: problem.status(), ..page });
    }
    let page = notice(Notice::Unavailable, request.language(None))?;
    if let Failure::Retry(_) = failure {
        tracing::warn!(class = failure.class(), error = %failure, "failed");
        return Ok(page.with("retry-after", RETRY_AFTER_S));
    }
    tracing::error!(class = failure.class(), error = %failure, "failed");
    Ok(Response { status: 500, ..page })
}

/// The code of a language in links.
#[must_use]
pub const fn code(language: Language) -> &'static str {
    words::of(language).code
}

#[cfg(test)]
mod tests;
