//! Every five minutes: what waited until it is day is decided about again.
//!
//! Each message goes back to the gate's queue as it came. The gate writes over
//! what waits; until then it is put off, so that a queue that is full does not
//! get the same again with every run.

use std::{slice, sync::Arc};

use aftercart::{
    messages::Queue,
    model::{contact::Contactee, text::Text, time::Period},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
    },
    store::{
        CommitError, Found, Index, Key, Op, Table,
        contacts::{self, Noted},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contact-release",
    about: "Takes up in the morning what nobody was told at night.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Surveys, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Index(Table::Surveys, Index::ByDue),
        Need::Queue(Queue::Contacts),
    ],
    handle,
};

/// After how long something is sent to the gate again that waits still: longer
/// than the gate takes for a night's messages, and short for who is waiting.
const AGAIN: Period = Period::of_seconds(15 * 60);

/// When something is looked at again that cannot be seen to: by then somebody
/// may have mended it.
const TROUBLE: Period = Period::of_seconds(60 * 60);

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let due = app.store.contacts_waiting(app.now(), SWEEP_MAX).await?;
    let keys: Vec<Key> = due.iter().map(|(who, it)| Key::contact_entry(who, it)).collect();
    let found = app.store.read(&keys).await?;
    let mut swept = Swept::default();
    for (who, reference) in &due {
        let work = see_to(&app, (who, reference), &found);
        swept.see_to(reference.as_str(), work).await;
    }
    Ok(swept)
}

/// What no retry mends is put off, so that it does not take the place of others
/// in every run; it fails all the same.
async fn see_to(
    app: &App,
    due: (&Contactee, &Text<80>),
    found: &Found,
) -> Result<Outcome, Failure> {
    let outcome = take_up(app, due, found).await;
    if let Err(Failure::Bug(_) | Failure::Poison(_)) = outcome {
        let later = contacts::look_again(due.0, due.1, app.now().plus(TROUBLE));
        match app.store.commit(later).await {
            Ok(()) | Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    outcome
}

/// The index lags, so the decision itself says whether it waits.
async fn take_up(
    app: &App,
    (who, reference): (&Contactee, &Text<80>),
    found: &Found,
) -> Result<Outcome, Failure> {
    let now = app.now();
    let (entry, until, envelope) = match found.noted(who, reference)? {
        Some(Noted { entry, waits: Some(until), message: Some(envelope), .. }) if until <= now => {
            (entry, until, envelope)
        }
        _ => return Ok(Outcome::Settled),
    };
    let left = app.queues.send(Queue::Contacts, slice::from_ref(&&envelope)).await?;
    if !left.is_empty() {
        return Err(Failure::retry("the queue did not take the message"));
    }
    match app.store.commit(contacts::put_off(&entry, until, now.plus(AGAIN))).await {
        // The gate was faster.
        Ok(()) | Err(CommitError::Lost(_)) => Ok(Outcome::Done),
        Err(error) => Err(error.into()),
    }
}
