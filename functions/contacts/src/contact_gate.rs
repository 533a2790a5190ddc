//! Queue `contacts`: lets messages out that no purchase needs, within the
//! budget of who reads them, or keeps them until it is day, or withholds them.
//!
//! The record of contacts and the decision are written in one transaction, then
//! the message goes on to the queue `notifications` as it came, with the link
//! by which such messages are stopped, and that it did is noted. A message that
//! comes again finds its decision: one that went on or was withheld is done
//! with; one that was let out, and is not known to have gone on, is decided
//! about anew, and if it goes on, does so under the same identity. One that is
//! older than decisions are kept is parked.

use std::{slice, sync::Arc};

use aftercart::{
    messages::{Envelope, Queue},
    model::{cart::Cart, contact::ContactEntry},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger, batch,
        metrics::Metric, secrets::Secret,
    },
    store::{
        Commit, CommitError, Found, Key, Op, StoreError, Table,
        contacts::{self, ENTRY_LIFE, Noted},
    },
};

use crate::rules::{
    addressing::{self, Due},
    gate::{self, Before, Facts, Step},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contact-gate",
    about: "Lets messages out within the budget of who reads them.",
    trigger: Trigger::Queue(Queue::Contacts),
    needs: &[
        Need::Table(Table::Surveys, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Carts, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Queue(Queue::Notifications),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
    ],
    handle,
};

/// How often a message is decided about again because somebody else contacted
/// who reads it meanwhile. What is still contended then comes again.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, see_to))
}

async fn see_to(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Some(due) = addressing::due(&envelope) else {
        return Err(Failure::poison(format!("{} is no contact", envelope.message.kind())));
    };
    if envelope.at.plus(ENTRY_LIFE) <= app.now() {
        return Err(Failure::poison("it is not known any more whether it was sent"));
    }
    let policy = app.policy().await?;
    for _ in 0..ATTEMPTS {
        let (now, found) = (app.now(), app.store.read(&keys(&due)).await?);
        let noted = found.noted(&due.who, &due.reference)?;
        let facts = facts(&app, &due, &found, noted.as_ref())?;
        let step = gate::decide(&due, &facts, &policy.contact, now);
        let (commit, metric) = match &step {
            Step::Done => return Ok(()),
            step => written(&due, (&facts, noted.as_ref()), step, &envelope)?,
        };
        match app.store.commit(commit).await {
            Ok(()) => {}
            Err(CommitError::Lost(_)) => continue,
            Err(error) => return Err(error.into()),
        }
        if let Some(metric) = metric {
            app.metrics.count_by(metric, &[("Purpose", due.purpose.as_str())], now);
        }
        return match step {
            Step::Admit(_, entry) => send_on(&app, &due, &entry, envelope).await,
            _ => Ok(()),
        };
    }
    Err(Failure::retry(format!("the contacts changed {ATTEMPTS} times while they were read")))
}

fn facts(app: &App, due: &Due, found: &Found, noted: Option<&Noted>) -> Result<Facts, StoreError> {
    let also = due.also.as_ref().map(|also| found.contacts(also)).transpose()?;
    Ok(Facts {
        contacts: found.contacts(&due.who)?,
        refused: also.is_some_and(|it| it.refuses(due.purpose)),
        before: noted.map(before),
        over: is_over(app, due, found)?,
    })
}

/// What is written of a decision, and what is counted then. A contact that was
/// noted as made and is not made after all is taken back.
fn written(
    due: &Due,
    (facts, noted): (&Facts, Option<&Noted>),
    step: &Step,
    envelope: &Envelope,
) -> Result<(Commit, Option<Metric>), StoreError> {
    let let_out = matches!(facts.before, Some(Before::LetOut(_)));
    let known = noted.map(|it| &it.entry).filter(|_| let_out);
    let note =
        |entry| known.map_or_else(|| contacts::note(entry), |it| contacts::instead(it, entry));
    let back = |commit: Commit| match known {
        Some(_) => commit.with(contacts::save(&gate::unmade(due, facts))),
        None => commit,
    };
    Ok(match step {
        Step::Done => (Commit::new(), None),
        Step::Admit(made, entry) => {
            // One that was let out a moment ago is in the record already.
            let known = *made == facts.contacts;
            let save = (!known).then(|| contacts::save(made));
            let commit = save.into_iter().fold(Commit::new(), Commit::with);
            (commit.with(note(entry)), Some(Metric::ContactAdmitted))
        }
        Step::Wait(entry, until) => {
            (back(contacts::wait(known, entry, *until, Some(envelope))?.into()), None)
        }
        Step::Withhold(entry) => (back(note(entry).into()), Some(Metric::ContactWithheld)),
    })
}

fn keys(due: &Due) -> Vec<Key> {
    let own = [Key::contacts(&due.who), Key::contact_entry(&due.who, &due.reference)];
    let also = due.also.as_ref().map(Key::contacts);
    let cart = due.cart.as_ref().map(|(cart, _)| Key::cart(cart));
    own.into_iter().chain(also).chain(cart).collect()
}

fn before(noted: &Noted) -> Before {
    match noted {
        Noted { entry, waits: Some(_), .. } => Before::Waits(entry.at),
        Noted { entry, sent_on: None, .. } if entry.withheld.is_none() => Before::LetOut(entry.at),
        Noted { .. } => Before::Done,
    }
}

/// Whether what the message tells is not so any more: a cart that changed since,
/// or was ordered.
fn is_over(app: &App, due: &Due, found: &Found) -> Result<bool, StoreError> {
    let Some((cart, version)) = &due.cart else { return Ok(false) };
    let cart: Cart = found.cart(cart, app.now())?;
    Ok(cart.version != *version || cart.content.reminder().is_none())
}

/// Sends a message on that was let out by `entry`, and notes that.
async fn send_on(
    app: &App,
    due: &Due,
    entry: &ContactEntry,
    envelope: Envelope,
) -> Result<(), Failure> {
    let shop = app.setting(Setting::PublicUrl)?;
    let link = app.links().await?.unsubscribe(shop, &due.who, due.purpose);
    let message = addressing::with_unsubscribe(envelope.message, link);
    let envelope = Envelope { message, ..envelope };
    let left = app.queues.send(Queue::Notifications, slice::from_ref(&&envelope)).await?;
    if !left.is_empty() {
        return Err(Failure::retry("the queue did not take the message"));
    }
    match app.store.commit(contacts::sent_on(entry, app.now())).await {
        // It came twice at once, and the other one noted it or decides anew.
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
