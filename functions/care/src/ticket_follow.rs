//! Queue care: opens a ticket for an answer that complains, and hears what
//! customers say of solved ones.
//!
//! The message `survey.answered` says only which invitation to look at. The
//! ticket's identity follows from it, so an answer opens one ticket, however
//! often it is told of or corrected; what is heard is noted with the revision of
//! the answer, once each. Whoever was asked whether a ticket is solved is heard
//! on that ticket; a correction of the answer that opened one is noted there.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        care::CarePolicy,
        id::TicketId,
        survey::{Answer, Invite, InviteStatus, Occasion},
        text::Text,
        ticket::{Ticket, TicketEntry},
        time::Timestamp,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Op, Sends, Table, tickets},
};

use crate::{
    acting, opening,
    rules::answered::{self, Answered, Heard},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-follow",
    about: "Opens tickets for answers that complain, and hears whether tickets are solved.",
    trigger: Trigger::Queue(Queue::Care),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem]),
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often a ticket is read again that somebody else changed meanwhile. What
/// is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, follow))
}

async fn follow(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::SurveyAnswered(told) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("{kind} is no message about tickets")));
    };
    let (policy, invite) = (app.policy().await?, app.store.invite(&told.invite).await?);
    let unknown = || Failure::poison(format!("there is no invitation {}", told.invite));
    let invite = invite.ok_or_else(unknown)?;
    let InviteStatus::Answered { answer, .. } = &invite.status else { return Ok(()) };
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint);
    let answered = Answered { invite: &invite, answer, touchpoint };
    let heard = Hearing { answered, request: request(&invite, answer)?, care: &policy.care };
    let trace = envelope.trace.as_deref();
    match (&invite.about.ticket, invite.occasion) {
        (Some(ticket), Occasion::Solved) => {
            let known = heard.hear(&app, ticket, Word::Judgement, trace).await?;
            known.ok_or_else(|| Failure::poison(format!("there is no ticket {ticket}")))
        }
        _ => heard.complain(&app, trace).await,
    }
}

/// What tells an answer from its corrections.
fn request(invite: &Invite, answer: &Answer) -> Result<(Text<40>, Text<40>), Failure> {
    let said = serde_json::to_string(&answer.given).map_err(Failure::bug)?;
    let revision = answer.revision.to_string();
    let request = acting::request(&["answer", invite.id.as_str(), &revision], &said);
    request.ok_or_else(|| Failure::bug("a digest is no text"))
}

/// An answer that is heard.
struct Hearing<'a> {
    answered: Answered<'a>,
    request: (Text<40>, Text<40>),
    care: &'a CarePolicy,
}

/// What an answer is to a ticket that is there.
#[derive(Clone, Copy)]
enum Word {
    /// How its customer finds the solution.
    Judgement,
    /// What was corrected of the answer that opened it.
    Correction,
}

impl Hearing<'_> {
    /// Opens the ticket of an answer that complains, or notes on it how the
    /// answer was corrected.
    async fn complain(&self, app: &App, trace: Option<&str>) -> Result<(), Failure> {
        let ticket = answered::identity(self.answered.invite);
        if self.answered.answer.revision > 1
            && self.hear(app, &ticket, Word::Correction, trace).await?.is_some()
        {
            return Ok(());
        }
        match self.answered.complaint(Some(self.request.clone()), self.care) {
            Some(complaint) => {
                let opened = opening::open(app, complaint, (None, trace)).await?;
                opened.map(drop).ok_or_else(|| Failure::retry("the answer was corrected meanwhile"))
            }
            None => Ok(()),
        }
    }

    /// Notes on a ticket what was answered, unless it is noted. None if there is
    /// no such ticket.
    async fn hear(
        &self,
        app: &App,
        id: &TicketId,
        word: Word,
        trace: Option<&str>,
    ) -> Result<Option<()>, Failure> {
        for _ in 0..ATTEMPTS {
            let Some((ticket, entries)) = app.store.ticket_and_entries(id).await? else {
                return Ok(None);
            };
            let is_this = |it: &TicketEntry| it.request.as_ref() == Some(&self.request);
            if entries.iter().any(is_this) {
                return Ok(Some(()));
            }
            let now = app.now();
            let (answered, request) = (&self.answered, Some(self.request.clone()));
            let heard = match word {
                Word::Judgement => answered.judge(&ticket, request, self.care, now),
                Word::Correction => answered.correct(&ticket, request, self.care, now),
            };
            let Some(heard) = heard else { return Ok(Some(())) };
            match app.store.commit(commit(&ticket, &heard, now, trace)).await {
                Ok(()) => {
                    if heard.ticket.reopened > ticket.reopened {
                        app.metrics.count(Metric::TicketReopened, now);
                    }
                    return Ok(Some(()));
                }
                Err(CommitError::Lost(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::retry(format!("the ticket {id} kept changing")))
    }
}

fn commit(read: &Ticket, heard: &Heard, now: Timestamp, trace: Option<&str>) -> Commit {
    let sends = heard
        .message
        .iter()
        .fold(Sends::none(), |sends, message| sends.and(message.clone(), now, trace));
    tickets::save(read, &heard.ticket, std::slice::from_ref(&heard.entry), &sends)
}
