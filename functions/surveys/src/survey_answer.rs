//! `POST /s/{token}`: records the answer to a survey, or its correction.
//!
//! The page sends a form and is sent on to the thanks; an app sends JSON and
//! gets the answer as it was recorded. The link says which invitation, which
//! survey and until when, so one conditional write, without a read before it,
//! records the first answer and no other. A correction names the revision that
//! it corrects and is taken for a day after the first answer, a few times. The
//! same again is answered as before. An answer carries `survey.answered`; a member's first one
//! also `action.done`, for which points may be given.
//!
//! Nothing here needs protection against forged cross-site requests: no cookie
//! and no other credential that a browser adds by itself is involved, and who
//! has the link may answer.

use std::sync::Arc;

use aftercart::{
    messages::{ActionDone, Message, SurveyAnswered},
    model::{
        customer::Language,
        programme::earning::ActionKind,
        survey::{self, Invite, InviteStatus, MAX_REVISIONS, Touchpoint},
        text::Text,
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Problem, Request, Response},
        links::SurveyLink,
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Op, Sends, Table, surveys},
};

use crate::{
    link,
    pages::{self, Asked, Form, Notice},
    rules::{
        answering::{self, Answers, Faults},
        showing,
        standing::{self, Standing},
    },
    wire::AnswerSurvey,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-answer",
    about: "Records one answer to a survey, or its correction, from who has its link.",
    trigger: Trigger::Http(&[Route::open("POST", "/s/{token}")]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::UpdateItem, Op::GetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// The largest body, in bytes: of a form whose eight fields are full, each character
/// nine bytes in its encoding.
const BODY_MAX: usize = 96 * 1024;

/// What is answered, and which revision it corrects.
struct Given {
    answers: Answers,
    corrects: Option<u32>,
    language: Language,
}

/// An answer that is recorded.
struct Recorded {
    answer: survey::Answer,
    correctable_until: Timestamp,
    /// Whether it was recorded before.
    repeated: bool,
}

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(BODY_MAX, app, call, answer))
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
        Err(notice) => return pages::notice(notice, language),
    };
    let policy = app.policy().await?;
    let Some(touchpoint) = policy.surveys.touchpoint(&link.touchpoint) else {
        return pages::notice(Notice::Closed, language);
    };
    let form = Form::parse(request.body())?;
    let answers = match answering::read(touchpoint, &form.said(touchpoint)) {
        Ok(answers) => answers,
        Err(faults) => return ask_again(app, &link, touchpoint, &form, &faults, language).await,
    };
    let given = Given { answers, corrects: form.corrects, language };
    match record(app, &link, given).await? {
        // A page that was sent on to is not sent again when it is reloaded.
        Ok(_) => {
            let here = format!("?lang={}", pages::code(language));
            Ok(Response::html(303, String::new()).with("location", here))
        }
        Err(notice) => pages::notice(notice, language),
    }
}

/// The page as it was filled in, with what is wrong, if it still takes it.
async fn ask_again(
    app: &App,
    link: &SurveyLink,
    touchpoint: &Touchpoint,
    form: &Form,
    faults: &Faults,
    language: Language,
) -> http::Answer {
    let Some((invite, products)) = link::invited(app, link, touchpoint).await? else {
        return pages::notice(Notice::Unknown, language);
    };
    match standing::of(&invite, app.now()) {
        Standing::Closed => pages::notice(Notice::Closed, language),
        Standing::Answered(..) if form.corrects.is_none() => {
            pages::notice(Notice::Answered, language)
        }
        Standing::Open | Standing::Answered(..) => {
            let asked = Asked { invite: &invite, products: &products, touchpoint, language };
            pages::faulty(&asked, form, faults)
        }
    }
}

async fn from_app(app: &App, request: &Request) -> http::Answer {
    let link = link::open(app, request).await?.map_err(Notice::problem)?;
    let policy = app.policy().await?;
    let touchpoint = policy.surveys.touchpoint(&link.touchpoint);
    let touchpoint = touchpoint.ok_or_else(|| Notice::Closed.problem())?;
    let body: AnswerSurvey = request.json()?;
    let known = |name: &str| touchpoint.questions.iter().any(|it| it.id.as_str() == name);
    if let Some(name) = body.answers.keys().find(|name| !known(name)) {
        let detail = "The survey has no such question.";
        return Err(Problem::invalid(format!("answers.{name}"), detail).into());
    }
    let answers = answering::read(touchpoint, &body.answers).map_err(|faults| {
        // In the order of the page.
        let first = touchpoint.questions.iter().find_map(|it| faults.get_key_value(&it.id));
        let (id, fault) = first.map(|(id, it)| (id.as_str(), it.to_string())).unwrap_or_default();
        Problem::invalid(format!("answers.{id}"), fault)
    })?;
    let given = Given { answers, corrects: body.corrects, language: request.language(None) };
    let recorded = record(app, &link, given).await?.map_err(Notice::problem)?;
    let view = showing::answer(&recorded.answer, recorded.correctable_until, touchpoint);
    let response = Response::json(200, &view)?;
    Ok(if recorded.repeated { response.replayed() } else { response })
}

/// What follows from an answer: it is counted and read, and what a member did by
/// the first one may earn points; guests earn nothing by it.
fn sends(link: &SurveyLink, is_first: bool, now: Timestamp) -> Sends {
    let answered = Message::SurveyAnswered(SurveyAnswered { invite: link.invite.clone() });
    let sends = Sends::one(answered, now, None);
    let deed = || {
        let reference = Text::new(link.invite.as_str()).ok()?;
        let (customer, action) = (link.customer.clone(), ActionKind::SurveyAnswer);
        Some(Message::ActionDone(ActionDone { customer, action, reference }))
    };
    let deed = if is_first && link.customer.is_member() { deed() } else { None };
    match deed {
        Some(deed) => sends.and(deed, now, None),
        None => sends,
    }
}

async fn record(
    app: &App,
    link: &SurveyLink,
    given: Given,
) -> Result<Result<Recorded, Notice>, Failure> {
    let now = app.now();
    let Given { answers, corrects, language } = given;
    let revision = corrects.unwrap_or(0).saturating_add(1);
    if revision > MAX_REVISIONS {
        return Ok(Err(Notice::TooLate));
    }
    let answer = survey::Answer { given: answers, at: now, revision, language };
    let sends = sends(link, corrects.is_none(), now);
    let (write, metric) = match corrects {
        None => (surveys::answer(&link.invite, &answer, &sends)?, Metric::SurveyAnswered),
        Some(_) => (surveys::correct(&link.invite, &answer, now, &sends)?, Metric::SurveyCorrected),
    };
    match app.store.change(write).await {
        Ok(before) => {
            app.metrics.count(metric, now);
            let before = before.as_ref().map(surveys::invite_from_item).transpose()?;
            Ok(Ok(recorded(answer, before.as_ref())))
        }
        Err(CommitError::Lost(lost)) => {
            let found = lost.into_iter().find_map(|conflict| conflict.found);
            let found = found.as_ref().map(surveys::invite_from_item).transpose()?;
            judge(&answer, corrects, found.as_ref(), now)
        }
        Err(error) => Err(error.into()),
    }
}

/// The answer, as it stands in the invitation that was so before: when the first
/// was given stays.
fn recorded(mut answer: survey::Answer, before: Option<&Invite>) -> Recorded {
    if let Some(InviteStatus::Answered { answer: first, .. }) = before.map(|it| &it.status) {
        answer.at = first.at;
    }
    if let Some(before) = before {
        answer.given = before.about.named(&answer.given);
    }
    let expires = before.map_or(answer.at, |it| it.expires);
    let correctable_until = standing::correctable_until(&answer, expires);
    Recorded { answer, correctable_until, repeated: false }
}

/// What it means that the write lost to what was found.
fn judge(
    answer: &survey::Answer,
    corrects: Option<u32>,
    found: Option<&Invite>,
    now: Timestamp,
) -> Result<Result<Recorded, Notice>, Failure> {
    let Some(invite) = found else { return Ok(Err(Notice::Unknown)) };
    match standing::of(invite, now) {
        Standing::Answered(known, correctable_until) => {
            let is_same = known.revision == answer.revision && known.given == answer.given;
            if is_same {
                let given = invite.about.named(&known.given);
                let answer = survey::Answer { given, ..known.clone() };
                return Ok(Ok(Recorded { answer, correctable_until, repeated: true }));
            }
            let names_it = corrects == Some(known.revision);
            Ok(Err(if names_it { Notice::TooLate } else { Notice::Answered }))
        }
        Standing::Closed => Ok(Err(Notice::Closed)),
        Standing::Open if corrects.is_some() => {
            let detail = "There is no answer yet. Leave `corrects` out.";
            Err(Problem::new(409, "nothing-to-correct", "Nothing to correct", detail).into())
        }
        Standing::Open => Err(Failure::retry("the survey was opened this instant")),
    }
}
