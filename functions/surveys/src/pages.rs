//! The pages of a survey: plain HTML that needs no script, for any screen, in
//! light and dark, in every language of the shop.

use aftercart::{
    model::{customer::Language, survey::MAX_COMMENT, text::Text},
    run::{
        Failure,
        http::{Answer, Problem, Request, Response},
    },
};
use askama::Template;

use crate::{
    rules::answering::{self, CommentFault, SCORE_MAX},
    words::{self, Words},
};

/// How long a browser is asked to wait before it tries again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// A page without a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// The answer is recorded.
    Thanks,
    /// Another answer was recorded before.
    Answered,
    /// The survey is over.
    Closed,
    /// The link opens nothing.
    Unknown,
    /// Something here does not work for the moment.
    Unavailable,
}

impl Notice {
    /// Every page without a question.
    pub const ALL: [Self; 5] =
        [Self::Thanks, Self::Answered, Self::Closed, Self::Unknown, Self::Unavailable];

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Thanks => 200,
            Self::Answered => 409,
            Self::Closed => 410,
            Self::Unknown => 404,
            Self::Unavailable => 503,
        }
    }
}

/// What is wrong with a form.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Whether the score is missing or is none.
    pub score: bool,
    /// What is wrong with the comment.
    pub comment: Option<CommentFault>,
}

/// The form as it was filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    score: Option<String>,
    comment: Option<String>,
    faults: Faults,
}

/// A score and perhaps a comment.
pub type Filled = (u8, Option<Text<MAX_COMMENT>>);

/// Reads the body that the page sends.
///
/// # Errors
/// [`Problem::invalid`] names a field that the page does not have, or that is
/// there twice: the page does not send that.
pub fn form(body: &[u8]) -> Result<Form, Problem> {
    let mut form = Form::default();
    for (name, value) in form_urlencoded::parse(body) {
        let field = match &*name {
            "score" => &mut form.score,
            "comment" => &mut form.comment,
            _ => {
                let detail = "The form has the fields `score` and `comment`.";
                return Err(Problem::invalid(name, detail));
            }
        };
        if field.replace(value.into_owned()).is_some() {
            return Err(Problem::invalid(name, "The field is there twice."));
        }
    }
    Ok(form)
}

impl Form {
    /// What was filled in.
    ///
    /// # Errors
    /// [`Faults`] tells what is wrong with each field.
    pub fn read(&self) -> Result<Filled, Faults> {
        let score = self.score.as_ref().and_then(|text| text.parse().ok());
        let score = score.and_then(|asked| answering::score(asked).ok());
        let comment = answering::comment(self.comment.as_deref().unwrap_or_default());
        match (score, comment) {
            (Some(score), Ok(comment)) => Ok((score, comment)),
            (score, comment) => Err(Faults { score: score.is_none(), comment: comment.err() }),
        }
    }

    /// The form with what is wrong with it.
    #[must_use]
    pub fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }
}

#[derive(Template)]
#[template(path = "survey.html")]
struct SurveyPage<'a> {
    words: &'static Words,
    title: &'a str,
    switch: Option<&'static Words>,
    scores: Vec<Choice>,
    comment: &'a str,
    score_fault: Option<&'static str>,
    comment_fault: Option<&'static str>,
    comment_max: usize,
}

struct Choice {
    score: u8,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    words: &'static Words,
    title: &'a str,
    switch: Option<&'static Words>,
    text: &'a str,
}

/// The page with the question: 200, or 422 when what was filled in has faults.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn survey(form: &Form, language: Language) -> Answer {
    let words = words::of(language);
    let Faults { score, comment } = form.faults;
    let faulty = form.faults != Faults::default();
    let title = if faulty {
        format!("{}{}", words.error_prefix, words.title)
    } else {
        words.title.to_owned()
    };
    let page = SurveyPage {
        words,
        title: &title,
        // Another language is another request, in which what was typed is lost.
        switch: (!faulty).then(|| words::other(language)),
        scores: (0..=SCORE_MAX)
            .map(|n| Choice { score: n, chosen: form.score.as_deref() == Some(&n.to_string()) })
            .collect(),
        comment: form.comment.as_deref().unwrap_or_default(),
        score_fault: score.then_some(words.score_fault),
        comment_fault: comment.map(|fault| match fault {
            CommentFault::TooLong => words.comment_too_long,
            CommentFault::Unreadable => words.comment_unreadable,
        }),
        comment_max: MAX_COMMENT,
    };
    let status = if faulty { 422 } else { 200 };
    Ok(Response::html(status, page.render().map_err(Failure::bug)?))
}

/// A page without a question.
///
/// # Errors
/// A bug when the page cannot be written.
pub fn notice(notice: Notice, language: Language) -> Answer {
    let words = words::of(language);
    let (title, text) = match notice {
        Notice::Thanks => words.thanks,
        Notice::Answered => words.answered,
        Notice::Closed => words.closed,
        Notice::Unknown => words.unknown,
        Notice::Unavailable => words.unavailable,
    };
    let page = NoticePage { words, title, switch: Some(words::other(language)), text };
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

/// The code of a language in links.
#[must_use]
pub const fn code(language: Language) -> &'static str {
    words::of(language).code
}

#[cfg(test)]
mod tests;
