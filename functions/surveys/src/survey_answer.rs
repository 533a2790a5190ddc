//! `POST /s/{token}`: records the answer to a survey.
//!
//! The page sends a form and is sent on to the thanks; an app sends JSON and
//! gets the answer as it was recorded. The link says which invitation and
//! until when, so one conditional write, without a read before it, records the
//! first answer and no other. The same answer again is answered as the first. A
//! member's answer carries `action.done`, for which points may be given.
//!
//! Nothing here needs protection against forged cross-site requests: no cookie
//! and no other credential that a browser adds by itself is involved, and who
//! has the link may answer.

use std::sync::Arc;

use aftercart::{
    messages::{ActionDone, Message},
    model::{
        programme::earning::ActionKind,
        survey::{self, MAX_COMMENT},
        text::Text,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Problem, Request, Response},
        links::{LinkError, SurveyLink},
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Op, Sends, Table, surveys},
};

use crate::{
    link,
    pages::{self, Notice},
    rules::{
        answering,
        standing::{self, Standing},
    },
    wire::{AnswerSurvey, AnswerView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-answer",
    about: "Records one answer to a survey from who has its link.",
    trigger: Trigger::Http(&[Route::open("POST", "/s/{token}")]),
    needs: &[Need::Table(Table::Surveys, &[Op::UpdateItem]), Need::Secret(Secret::Links)],
    handle,
};

/// What became of an answer.
enum Recorded {
    /// It was recorded now.
    First(survey::Answer),
    /// The very same was recorded before.
    Repeated(survey::Answer),
    /// Another was recorded before.
    Other,
    /// The survey is over.
    Closed,
    /// There is no such survey.
    Unknown,
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, answer))
}

async fn answer(app: Arc<App>, request: Request) -> http::Answer {
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    match media_type.to_ascii_lowercase().as_str() {
        "application/json" => from_app(&app, &request).await,
        "application/x-www-form-urlencoded" => {
            from_page(&app, &request).await.or_else(|failure| pages::sorry(failure, &request))
        }
        _ => {
            let detail = "Send application/json or application/x-www-form-urlencoded.";
            let title = "The body is of another type";
            let problem = Problem::new(415, "unsupported-media-type", title, detail);
            Err(problem.at("Content-Type").into())
        }
    }
}

async fn from_page(app: &App, request: &Request) -> http::Answer {
    let language = request.language(None);
    let link = match link::open(app, request).await? {
        Ok(link) => link,
        Err(LinkError::Expired) => return pages::notice(Notice::Closed, language),
        Err(LinkError::Invalid) => return pages::notice(Notice::Unknown, language),
    };
    let form = pages::form(request.body())?;
    let (score, comment) = match form.read() {
        Ok(read) => read,
        Err(faults) => return pages::survey(&form.with(faults), language),
    };
    match record(app, &link, score, comment).await? {
        // A page that was sent on to is not sent again when it is reloaded.
        Recorded::First(_) | Recorded::Repeated(_) => {
            let here = format!("?lang={}", pages::code(language));
            Ok(Response::html(303, String::new()).with("location", here))
        }
        Recorded::Other => pages::notice(Notice::Answered, language),
        Recorded::Closed => pages::notice(Notice::Closed, language),
        Recorded::Unknown => pages::notice(Notice::Unknown, language),
    }
}

async fn from_app(app: &App, request: &Request) -> http::Answer {
    let link = link::open(app, request).await?.map_err(|error| match error {
        LinkError::Expired => closed(),
        LinkError::Invalid => Problem::not_found("survey"),
    })?;
    let body: AnswerSurvey = request.json()?;
    let score = answering::score(body.score)
        .map_err(|fault| Problem::invalid("score", fault.to_string()))?;
    let comment = answering::comment(&body.comment.unwrap_or_default())
        .map_err(|fault| Problem::invalid("comment", fault.to_string()))?;
    match record(app, &link, score, comment).await? {
        Recorded::First(answer) => Response::json(200, &AnswerView::from(&answer)),
        Recorded::Repeated(answer) => {
            Ok(Response::json(200, &AnswerView::from(&answer))?.replayed())
        }
        Recorded::Other => {
            let detail = "The survey was answered before; the first answer counts.";
            Err(Problem::new(409, "already-answered", "Already answered", detail).into())
        }
        Recorded::Closed => Err(closed().into()),
        Recorded::Unknown => Err(Problem::not_found("survey").into()),
    }
}

fn closed() -> Problem {
    Problem::new(410, "survey-closed", "The survey is closed", "The survey takes no answers.")
}

/// What a member did by answering; guests earn nothing by it.
fn deed(link: &SurveyLink) -> Option<Message> {
    let reference = Text::new(link.invite.as_str()).ok()?;
    let (customer, action) = (link.customer.clone(), ActionKind::SurveyAnswer);
    let deed = Message::ActionDone(ActionDone { customer, action, reference });
    link.customer.is_member().then_some(deed)
}

async fn record(
    app: &App,
    link: &SurveyLink,
    score: u8,
    comment: Option<Text<MAX_COMMENT>>,
) -> Result<Recorded, Failure> {
    let now = app.now();
    let answer = survey::Answer { score, comment, at: now };
    let sends = deed(link).map_or(Sends::none(), |deed| Sends::one(deed, now, None));
    let lost = match app.store.commit(surveys::answer(&link.invite, &answer, &sends)?).await {
        Ok(()) => {
            app.metrics.count(Metric::SurveyAnswered, now);
            return Ok(Recorded::First(answer));
        }
        Err(CommitError::Lost(lost)) => lost,
        Err(error) => return Err(error.into()),
    };
    let Some(item) = lost.into_iter().find_map(|conflict| conflict.found) else {
        return Ok(Recorded::Unknown);
    };
    let invite = surveys::invite_from_item(&item)?;
    match standing::of(&invite, now) {
        Standing::Answered(first) if first.score == score && first.comment == answer.comment => {
            Ok(Recorded::Repeated(first.clone()))
        }
        Standing::Answered(_) => Ok(Recorded::Other),
        Standing::Closed => Ok(Recorded::Closed),
        Standing::Open => Err(Failure::retry("the survey was opened this instant")),
    }
}
