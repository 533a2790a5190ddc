//! `POST /operator/feedback/{invite}/reward`: calls what a member wrote
//! valuable, for which the points programme may give points.
//!
//! Once: the call again, by whomever, and one after the policy's own rule, are
//! answered with what is so already. How much it earns is an action rule's of
//! the programme, of the deed `valuable_feedback`; the deed's identity is the
//! invitation's, so it is judged once. The body is empty.

use std::sync::Arc;

use aftercart::{
    model::{
        feedback::{Feedback, Valued},
        id::InviteId,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{CommitError, Op, Sends, Table, feedback},
};

use crate::{rules::feedback as reading, wire::feedback::FeedbackFile};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "feedback-reward",
    about: "Calls what a member wrote in a survey valuable, which may earn points, once.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/feedback/{invite}/reward")]),
    needs: &[Need::Table(Table::Surveys, &[Op::GetItem, Op::PutItem])],
    handle,
};

/// How often the feedback is read again when it was corrected meanwhile.
const TRIES: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, reward))
}

async fn reward(app: Arc<App>, request: Request) -> Answer {
    let by = request.operator_name()?;
    let invite = request.named("invite", "feedback", InviteId::parse)?;
    for _ in 0..TRIES {
        let known = known(&app, &invite).await?;
        if known.valued.is_some() {
            return Response::json(200, &FeedbackFile::from(known));
        }
        if !known.customer.is_member() {
            let detail = "A guest has no account that points could go to; thank them by e-mail.";
            let title = "A guest earns no points";
            return Err(Problem::new(409, "guest-earns-nothing", title, detail).into());
        }
        let now = app.now();
        let valued = Some(Valued { at: now, by: Some(by.clone()) });
        let feedback = Feedback { valued, ..known.clone() };
        let deed = reading::deed(&feedback, Some(&known));
        let sends = deed.map_or_else(Sends::none, |deed| Sends::one(deed, now, None));
        match app.store.commit(feedback::save(&feedback, &sends)).await {
            Ok(()) => {
                tracing::info!(invite = invite.as_str(), "valued");
                return Response::json(200, &FeedbackFile::from(feedback));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the feedback {invite} kept changing")))
}

/// The feedback of an invitation, of which words are left.
async fn known(app: &App, invite: &InviteId) -> Result<Feedback, Failure> {
    let missing = || Failure::from(Problem::not_found("feedback"));
    let answered = app.store.invite(invite).await?;
    let answered = answered.as_ref().and_then(|it| it.status.answer()).ok_or_else(missing)?;
    let known = app.store.feedback(invite, answered.at).await?;
    known.filter(|it| !it.comments.is_empty() || it.valued.is_some()).ok_or_else(missing)
}
