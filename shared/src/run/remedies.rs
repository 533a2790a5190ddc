//! Remedies of tickets, carried out by the part of the shop that owns the thing.
//!
//! What is done and what became of it are one transaction: a remedy is carried
//! out once, however often its message comes, and no ticket says that something
//! was done which was not. What the rules of that part refuse, as they refuse it
//! to an operator, ends the remedy with the reason, and those who see to the
//! ticket are told. A ticket that is solved, or waits for its customer, is due
//! at once then: whoever watches over tickets opens it again.

use crate::{
    messages::{Message, RemedyAsked, TicketWaits, TicketWhy},
    model::{
        id::RefundId,
        text::Text,
        ticket::{Outcome, Remedy, Ticket, TicketStatus},
    },
    store::{Commit, CommitError, Key, Sends, tickets},
};

use super::{App, Failure, metrics::Metric};

/// How often everything is read and decided again because others were faster.
/// What is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

/// The most characters of a reason that are kept with a remedy.
const MAX_WHY: usize = 200;

/// How many writes of the transaction that carries a remedy out are the
/// ticket's: the part of the shop has the others.
pub const OWN_WRITES: usize = 1;

/// What a part of the shop does for a ticket.
#[derive(Debug)]
pub struct Carried {
    /// How that is written; nothing, if it was so before. There is room for
    /// the most writes of a transaction less [`OWN_WRITES`].
    pub commit: Commit,
    /// What it made, as the ticket names it.
    pub reference: Option<Text<80>>,
    /// What money goes back by it.
    pub refunds: Vec<RefundId>,
    /// What the operator counts once it is written.
    pub counts: Option<(Metric, i64)>,
}

/// A remedy that was asked for and not decided on yet.
#[derive(Debug)]
pub struct Asked {
    /// Of which ticket, as it was read.
    pub ticket: Ticket,
    /// Which.
    pub remedy: Remedy,
}

/// The part of the shop that carries out remedies of a kind.
pub trait Carry: Sync {
    /// Reads and decides what is written for a remedy. It is called as often as
    /// it takes, so it writes nothing.
    ///
    /// # Errors
    /// A failure of the class refuse ends the remedy, and its detail is the
    /// reason; others are failures of the message.
    fn carry(&self, asked: &Asked) -> impl Future<Output = Result<Carried, Failure>> + Send;
}

/// Carries out a remedy, once: reads the ticket, has `part` decide what is
/// written, and writes it with the outcome; again if somebody else changed any
/// of it in between. One round trip to read the ticket, one to write, and those
/// of `part`. What is decided already is left as it is.
///
/// # Errors
/// Poison for a ticket or a remedy that is not there; failures of `part` and of
/// the store.
pub async fn carry_out(
    app: &App,
    asked: &RemedyAsked,
    trace: Option<&str>,
    part: &impl Carry,
) -> Result<(), Failure> {
    for _ in 0..ATTEMPTS {
        let wanted = read(app, asked).await?;
        if wanted.remedy.outcome != Outcome::Asked {
            return Ok(());
        }
        let (commit, counts) = match part.carry(&wanted).await {
            Ok(carried) => {
                let counts = carried.counts.into_iter().chain([(Metric::RemedyDone, 1)]).collect();
                (done(app, &wanted, carried), counts)
            }
            Err(Failure::Refuse(problem)) => {
                let commit = refused(app, &wanted, problem.detail(), trace)?;
                (commit, vec![(Metric::RemedyRefused, 1)])
            }
            Err(failure) => return Err(failure),
        };
        match app.store.commit(commit).await {
            Ok(()) => {
                counts.into_iter().for_each(|(metric, by)| app.metrics.add(metric, by, app.now()));
                return Ok(());
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("what the remedy of {} changes kept changing", asked.ticket)))
}

async fn read(app: &App, asked: &RemedyAsked) -> Result<Asked, Failure> {
    let RemedyAsked { ticket, remedy } = asked;
    let known = app.store.read(&[Key::ticket(ticket)]).await?.ticket(ticket)?;
    let known = known.and_then(|ticket| {
        let remedy = ticket.remedy(remedy.as_str())?.clone();
        Some(Asked { ticket, remedy })
    });
    known.ok_or_else(|| Failure::poison(format!("there is no ticket {ticket} with that remedy")))
}

fn done(app: &App, asked: &Asked, carried: Carried) -> Commit {
    let Carried { commit, reference, refunds, .. } = carried;
    let outcome = Outcome::Done { at: app.now(), reference };
    let saved = settled(asked, outcome).map(|mut settled| {
        settled.links.refunds.extend(refunds);
        tickets::save(&asked.ticket, &settled, &[], &Sends::none())
    });
    commit.and(saved.unwrap_or_default())
}

/// The end of a remedy that cannot be carried out. Somebody has to see to the
/// ticket, wherever it stands by now: one on which nobody works is due at once.
fn refused(app: &App, asked: &Asked, why: &str, trace: Option<&str>) -> Result<Commit, Failure> {
    let (at, ticket) = (app.now(), &asked.ticket);
    let shortened: String = why.chars().take(MAX_WHY).collect();
    let why = Text::new(&shortened).map_err(Failure::bug)?;
    let waits = TicketWaits {
        ticket: ticket.id.clone(),
        why: TicketWhy::Refused,
        topic: ticket.topic,
        priority: ticket.priority,
        desk: ticket.desk.clone(),
        assignee: ticket.assignee.clone(),
        due: ticket.deadline(),
    };
    let sends = Sends::one(Message::TicketWaits(waits), at, trace);
    let saved = settled(asked, Outcome::Refused { at, why }).map(|mut settled| {
        if settled.status != TicketStatus::Open {
            settled.due = Some(at);
        }
        tickets::save(ticket, &settled, &[], &sends)
    });
    Ok(saved.unwrap_or_default())
}

fn settled(asked: &Asked, outcome: Outcome) -> Option<Ticket> {
    asked.ticket.settle(asked.remedy.key.as_str(), outcome)
}
