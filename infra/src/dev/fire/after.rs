//! When the fire is out: everything is delivered, and then the books are read.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, Instant},
};

use aftercart::{run::Trigger, store::audit::Books};

use super::queues::Queues;
use crate::{
    dev::{
        child::Stop,
        failure::{Failure, Trying},
        page::Page,
        policy,
        running::now,
        show::{self, Step},
        stack::Stack,
    },
    world::{
        Evidence,
        audit::{self, Checked},
    },
};

/// How long it may take until nothing moves.
const PATIENCE: Duration = Duration::from_secs(300);

/// The return window and the delays of surveys of infra/local/policy.json, and
/// more.
const WINDOWS: Duration = Duration::from_secs(12);

/// For how long queues must be empty until nothing more comes of streams: the
/// emulator looks at them several times a second.
const QUIET: Duration = Duration::from_secs(4);

/// Delivers everything, and runs every schedule until nothing is left to do.
pub(super) fn settle(stack: &Stack, queues: &Queues<'_>, stop: &Stop) -> Result<(), Failure> {
    let step = Step::begin("Settling", "delivering what is left")?;
    let begun = Instant::now();
    let mut redriven = 0;
    // What a schedule lets loose may make work for another one.
    for round in 0..3 {
        quiet(queues, stop)?;
        redriven += queues.redrive()?;
        quiet(queues, stop)?;
        stop.pause(if round == 0 { WINDOWS } else { Duration::ZERO })?;
        for function in crate::functions() {
            if matches!(function.trigger, Trigger::Schedule(_)) {
                step.tell(function.name);
                stack.tick(function.name, &now().to_string())?;
            }
        }
    }
    quiet(queues, stop)?;
    let took = show::seconds(begun.elapsed());
    step.done(&format!("in {took}; {redriven} messages more were redriven"))
}

/// Waits until no queue has had anything for a while.
fn quiet(queues: &Queues<'_>, stop: &Stop) -> Result<(), Failure> {
    let (begun, mut since) = (Instant::now(), Instant::now());
    while since.elapsed() < QUIET {
        let waiting = queues.waiting()?;
        if waiting > 0 {
            since = Instant::now();
        }
        if begun.elapsed() > PATIENCE {
            return Err(Failure::new(format!("{waiting} messages are never done with.")));
        }
        stop.pause(Duration::from_millis(250))?;
    }
    Ok(())
}

/// Everything that is kept, compared with itself and with what customers,
/// providers and the merchant's system were told.
pub(super) fn audit(
    stack: &Stack,
    page: &Arc<Page>,
    queues: &Queues<'_>,
    told: &BTreeSet<String>,
) -> Result<(), Failure> {
    let store = policy::store(stack)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let books = runtime.trying("read the tables")?.block_on(Books::read(&store));
    let books = books.trying("read the tables")?;
    let kept: BTreeSet<String> = books.orders.iter().map(|it| it.id.to_string()).collect();
    if let Some(lost) = told.difference(&kept).next() {
        return Err(Failure::new(format!("{lost} was confirmed, and is not there.")));
    }
    if let Some(doubled) = kept.difference(told).next() {
        return Err(Failure::new(format!("{doubled} is there, and nobody was told of it.")));
    }
    let evidence = Evidence {
        told: Some(page.outbox.messages()),
        taken: None,
        providers: Some(page.providers.memory(|memory| memory.clone())),
        webhooks: Some(page.hooks.ids()),
        parked: queues.parked()?,
    };
    if let Some(parked) = evidence.parked.first() {
        return Err(Failure::new(format!(
            "{} messages stay dead letters: {parked:?}",
            evidence.parked.len()
        )));
    }
    let checked = audit::check(&books, &evidence);
    tell(&checked.map_err(|violation| Failure::new(violation.to_string()))?)
}

fn tell(checked: &Checked) -> Result<(), Failure> {
    let Checked { orders, payments, refunds, shipments, parcels, .. } = checked;
    let Checked { entries, ledgers, invites, answers, tickets, webhooks, .. } = checked;
    show::line(format!(
        "Audit        {orders} orders, {payments} payments, {refunds} refunds, {shipments} shipped, \
         {parcels} parcels, {entries} entries of {ledgers} ledgers, {invites} invitations, \
         {answers} answers, {tickets} tickets, {webhooks} webhooks"
    ))
}
