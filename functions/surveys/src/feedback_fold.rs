//! Queue feedback: counts an answer, and reads what was written in it.
//!
//! The message says only which invitation to look at; its answer as it stands
//! decides. What is counted of it is noted in the transaction that counts, on
//! the condition that nothing else was counted since, so an answer counts once
//! and a correction as its difference, however often and in whatever order
//! messages come. What was written goes into the same transaction, personal
//! data masked, with its language, its sentiment, its topics and its alarming
//! words; if the policy calls it valuable, with the deed that earns.
//!
//! A first answer is one read and one transaction; a correction is one read
//! more, of what was written before.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{feedback::Feedback, id::InviteId, policy::Policy, survey::Invite},
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Op, Sends, Table, answers, feedback},
};

use crate::rules::{
    counting::{self, Counting},
    feedback as reading,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "feedback-fold",
    about: "Counts the answers to surveys, and reads what was written in them.",
    trigger: Trigger::Queue(Queue::Feedback),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the answer is read again when it was corrected, or its feedback
/// called valuable, meanwhile. What still changes comes again with its message.
const TRIES: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, fold))
}

async fn fold(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::SurveyAnswered(answered) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("{kind} is no message about feedback")));
    };
    let policy = app.policy().await?;
    for _ in 0..TRIES {
        let invite = known(&app, &answered.invite).await?;
        let Some(counting) = counting::decide(&invite) else { return Ok(()) };
        let (feedback, sends) = read(&app, &envelope, &invite, &policy).await?;
        match app.store.commit(commit(&invite, &counting, feedback.as_ref(), &sends)).await {
            Ok(()) => {
                tell(&app, feedback.as_ref());
                return Ok(());
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the answer {} kept changing", answered.invite)))
}

async fn known(app: &App, invite: &InviteId) -> Result<Invite, Failure> {
    let known = app.store.invite(invite).await?;
    known.ok_or_else(|| Failure::poison(format!("there is no invitation {invite}")))
}

/// What was written, and what it earns.
async fn read(
    app: &App,
    envelope: &Envelope,
    invite: &Invite,
    policy: &Policy,
) -> Result<(Option<Feedback>, Sends), Failure> {
    let before = match (invite.counted.revision, invite.status.answer()) {
        // The first count writes the first feedback.
        (0, _) | (_, None) => None,
        (_, Some(answer)) => app.store.feedback(&invite.id, answer.at).await?,
    };
    let now = app.now();
    let feedback = reading::decide(invite, before.as_ref(), policy, now);
    let deed = feedback.as_ref().and_then(|it| reading::deed(it, before.as_ref()));
    let trace = envelope.trace.as_deref();
    let sends = deed.map_or_else(Sends::none, |deed| Sends::one(deed, now, trace));
    Ok((feedback, sends))
}

fn commit(
    invite: &Invite,
    counting: &Counting,
    feedback: Option<&Feedback>,
    sends: &Sends,
) -> Commit {
    let Counting { month, counted, differences } = counting;
    let commit = answers::count(invite, month, counted, differences);
    match feedback {
        Some(feedback) => commit.with(feedback::save(feedback, sends)),
        None => commit,
    }
}

fn tell(app: &App, feedback: Option<&Feedback>) {
    let Some(feedback) = feedback else { return };
    tracing::info!(invite = feedback.invite.as_str(), alarms = feedback.alarms.len(), "read");
    if !feedback.alarms.is_empty() {
        app.metrics.count(Metric::FeedbackAlarmed, app.now());
    }
}
