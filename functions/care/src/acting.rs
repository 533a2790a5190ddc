//! Does something about a ticket, once, whoever does it.

use std::sync::Arc;

use aftercart::{
    model::{
        customer::CustomerId,
        digest,
        id::TicketId,
        policy::Policy,
        price::PriceRules,
        text::Text,
        ticket::{RemedyKind, Ticket, TicketStatus},
    },
    run::{App, Failure, metrics::Metric},
    store::{Commit, CommitError, Sends, tickets, vouchers},
};

use crate::{
    link,
    rules::{
        changing::{self, Changed, Deed, Doing, Refusal},
        remedy,
    },
};

/// How often the ticket is read again when somebody changed it meanwhile.
const TRIES: u32 = 6;

/// Where something is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Whose ticket it has to be, where that is not everybody's.
    pub(crate) of: Option<&'a CustomerId>,
    /// Where the API is.
    pub(crate) origin: &'a str,
    /// The trace of the call.
    pub(crate) trace: Option<&'a str>,
}

/// What became of it.
pub(crate) enum Acted {
    /// It is done.
    Done(Box<Ticket>),
    /// It was done before, or was so already: the ticket as it is.
    Known(Box<Ticket>),
    /// It cannot be done.
    Refused(Refusal),
    /// There is no such ticket.
    Unknown,
}

/// Does something about a ticket: the ticket, what is noted of it, what is
/// counted, a voucher and the messages are one transaction, which loses when
/// the ticket has changed since it was read; then it is decided again. Safe to
/// repeat: what adds something is known by its request, and the rest by the
/// ticket.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn act(
    app: &App,
    id: &TicketId,
    doing: &Doing,
    call: Call<'_>,
) -> Result<Acted, Failure> {
    let (policy, rules) = terms(app, &doing.deed).await?;
    for _ in 0..TRIES {
        let found = app.store.ticket_and_entries(id).await?;
        let found = found.filter(|(ticket, _)| call.of.is_none_or(|of| ticket.customer == *of));
        let Some((ticket, entries)) = found else { return Ok(Acted::Unknown) };
        match doing.request.as_ref().map(|request| changing::known(&entries, request)) {
            Some(Ok(Some(_))) => return Ok(Acted::Known(Box::new(ticket))),
            Some(Err(refusal)) => return Ok(Acted::Refused(refusal)),
            Some(Ok(None)) | None => {}
        }
        let void = rules.as_ref().and_then(|it| remedy::void(&doing.deed, it, doing.at));
        if let Some(refusal) = void {
            return Ok(Acted::Refused(refusal));
        }
        let link = link::to(app, &ticket, call.origin).await?;
        let changed = match changing::change(&ticket, &entries, doing, &policy.care, &link) {
            Ok(Some(changed)) => changed,
            Ok(None) => return Ok(Acted::Known(Box::new(ticket))),
            Err(refusal) => return Ok(Acted::Refused(refusal)),
        };
        match app.store.commit(commit(&ticket, &changed, call.trace)).await {
            Ok(()) => {
                count(app, &doing.deed, &ticket, &changed);
                let version = ticket.version.saturating_add(1);
                return Ok(Acted::Done(Box::new(Ticket { version, ..changed.ticket })));
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ticket {id} kept changing")))
}

/// The policy, and the price rules where a voucher of one is given.
async fn terms(app: &App, deed: &Deed) -> Result<(Arc<Policy>, Option<Arc<PriceRules>>), Failure> {
    match deed {
        Deed::Remedy { kind: RemedyKind::Coupon { .. }, .. } => {
            app.terms().await.map(|(policy, rules)| (policy, Some(rules)))
        }
        _ => Ok((app.policy().await?, None)),
    }
}

fn commit(read: &Ticket, changed: &Changed, trace: Option<&str>) -> Commit {
    let at = changed.entry.at;
    let sends = changed
        .messages
        .iter()
        .fold(Sends::none(), |sends, message| sends.and(message.clone(), at, trace));
    let entries = std::slice::from_ref(&changed.entry);
    let commit = tickets::save(read, &changed.ticket, entries, &sends);
    changed.voucher.iter().map(vouchers::grant).fold(commit, Commit::with)
}

/// Counts for the operator what happened to the ticket.
fn count(app: &App, deed: &Deed, before: &Ticket, changed: &Changed) {
    let (now, after) = (app.now(), &changed.ticket);
    let mut metrics = Vec::new();
    if before.answered_at.is_none() && after.answered_at.is_some() {
        metrics.push(Metric::TicketAnswered);
    }
    if before.status != after.status && after.status == TicketStatus::Solved {
        metrics.push(Metric::TicketSolved);
    }
    if before.reopened != after.reopened {
        metrics.push(Metric::TicketReopened);
    }
    let is_call = matches!(deed, Deed::Note { called: Some(_), .. });
    if is_call || changed.voucher.is_some() {
        metrics.push(Metric::RemedyDone);
    }
    for metric in metrics {
        app.metrics.count(metric, now);
    }
    tracing::info!(ticket = after.id.as_str(), entry = changed.entry.number, "changed");
}

/// What tells a call from others: its key, and what it said.
pub(crate) fn request(key: &[&str], said: &str) -> Option<(Text<40>, Text<40>)> {
    let key: Vec<&[u8]> = key.iter().map(|it| it.as_bytes()).collect();
    let digested = |parts: &[&[u8]]| Text::new(&digest::short(parts)).ok();
    Some((digested(&key)?, digested(&[said.as_bytes()])?))
}
