//! Every five minutes: reminds of tickets before an answer or a solution is due,
//! has those that are late go up, closes what waits for a customer for long, and
//! opens again what was promised something that cannot be done. A remedy of which
//! nobody heard for a day is asked for again, and its desk is told: whoever carries
//! it out does it once, however often it is asked for.
//!
//! The tickets that are due are read in one batch. What time makes of a ticket is
//! written on the condition that nobody changed it since; who loses looks at it
//! again in the next round, as it is then.

use std::sync::Arc;

use aftercart::{
    model::{id::TicketId, policy::Policy, ticket::TicketStatus},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
        secrets::Secret,
    },
    store::{CommitError, Found, Index, Key, Op, Sends, Table, tickets},
};

use crate::{link, rules::watching};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "ticket-watch",
    about: "Reminds of tickets in time, escalates late ones, and closes what nobody answers.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Tickets, Index::ByDue),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let due = app.store.tickets_due(app.now(), SWEEP_MAX).await?;
    let keys: Vec<Key> = due.iter().map(Key::ticket).collect();
    let found = app.store.read(&keys).await?;
    let mut swept = Swept::default();
    for id in &due {
        swept.see_to(id.as_str(), see_to(&app, id, &found, &policy)).await;
    }
    Ok(swept)
}

async fn see_to(
    app: &App,
    id: &TicketId,
    found: &Found,
    policy: &Policy,
) -> Result<Outcome, Failure> {
    let Some(ticket) = found.ticket(id)? else { return Ok(Outcome::Settled) };
    let now = app.now();
    let link = match ticket.status {
        TicketStatus::Waiting => {
            let shop = app.setting(Setting::PublicUrl)?.trim_end_matches('/');
            link::to(app, &ticket, shop).await?
        }
        _ => String::new(),
    };
    let Some(watched) = watching::watch(&ticket, &policy.care, &link, now) else {
        return Ok(Outcome::Settled);
    };
    let sends = watched
        .messages
        .iter()
        .fold(Sends::none(), |sends, message| sends.and(message.clone(), now, None));
    let commit = tickets::save(&ticket, &watched.ticket, watched.entry.as_slice(), &sends);
    match app.store.commit(commit).await {
        Ok(()) => {
            if watched.overdue {
                app.metrics.count(Metric::TicketOverdue, now);
            }
            if watched.ticket.reopened != ticket.reopened {
                app.metrics.count(Metric::TicketReopened, now);
            }
            if watched.ticket.status != ticket.status
                && watched.ticket.status == TicketStatus::Solved
            {
                app.metrics.count(Metric::TicketSolved, now);
            }
            Ok(Outcome::Done)
        }
        // Somebody acted on it meanwhile.
        Err(CommitError::Lost(_)) => Ok(Outcome::Settled),
        Err(error) => Err(error.into()),
    }
}
