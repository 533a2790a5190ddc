//! Every five minutes: sends the invitations that are due, puts them off, or
//! suppresses them.
//!
//! The facts of all that is due are read in two batches. Nobody is asked about
//! an order that was refunded whole, whoever heard of that first, or while any of
//! its goods is under way, or went back, after all. An invitation is sent
//! in one transaction with the record of contacts, so that no buyer is
//! contacted beyond the budget, whoever else contacts them at the same moment;
//! who loses reads the facts of that invitation anew.

use std::sync::Arc;

use aftercart::{
    messages::{Message, SurveyInvited},
    model::{
        id::InviteId,
        policy::SurveysPolicy,
        survey::{Contacts, Invite},
        time::Timestamp,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        links::SurveyLink,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
        secrets::Secret,
    },
    store::{Commit, CommitError, Found, Index, Key, Op, Sends, StoreError, Table, surveys},
};

use crate::rules::{
    invitation,
    sending::{self, Fate, Sending},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-send",
    about: "Sends due survey invitations within each buyer's contact budget.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Surveys, &[Op::BatchGetItem, Op::UpdateItem, Op::PutItem]),
        Need::Index(Table::Surveys, Index::ByDue),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
    ],
    handle,
};

/// How often the facts of one invitation are read again when somebody else
/// changed them. What is still contended then is due still.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let policy = app.policy().await?;
    let due = app.store.invites_due(app.now(), SWEEP_MAX).await?;
    let keys: Vec<Key> = due.iter().map(Key::invite).collect();
    let invites = app.store.read(&keys).await?;
    // An invitation that cannot be read fails by itself, below.
    let known = due.iter().filter_map(|id| invites.invite(id).ok().flatten());
    let keys: Vec<Key> = known.flat_map(|invite| about(&invite)).collect();
    let beside = app.store.read(&keys).await?;
    let mut swept = Swept::default();
    for id in &due {
        let work = see_to(&app, id, (&invites, &beside), &policy.surveys);
        swept.see_to(id.as_str(), work).await;
    }
    Ok(swept)
}

/// Sends, puts off or suppresses one invitation.
async fn see_to(
    app: &App,
    id: &InviteId,
    (invites, beside): (&Found, &Found),
    policy: &SurveysPolicy,
) -> Result<Outcome, Failure> {
    let Some(mut invite) = invites.invite(id)? else { return Ok(Outcome::Settled) };
    let mut contacts = beside.contacts(&invite.customer)?;
    let mut fate = fate(beside, &invite)?;
    for _ in 0..ATTEMPTS {
        let now = app.now();
        let sending = sending::decide(&invite, fate, &contacts, policy, now);
        let (commit, metric) = match &sending {
            Sending::Settled => return Ok(Outcome::Settled),
            Sending::Suppress(why) => {
                (surveys::suppress(id, now, *why).into(), Some(Metric::SurveySuppressed))
            }
            Sending::PutOff { due, expires } => (surveys::put_off(id, *due, *expires).into(), None),
            Sending::Send(contacts) => {
                (writes(app, &invite, contacts, now).await?, Some(Metric::SurveySent))
            }
        };
        match app.store.commit(commit).await {
            Ok(()) => {
                metric.into_iter().for_each(|metric| app.metrics.count(metric, now));
                return Ok(Outcome::Done);
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let keys: Vec<Key> = about(&invite).into_iter().chain([Key::invite(id)]).collect();
        let found = app.store.read(&keys).await?;
        contacts = found.contacts(&invite.customer)?;
        fate = self::fate(&found, &invite)?;
        invite = found.invite(id)?.ok_or_else(|| Failure::retry("the invitation went away"))?;
    }
    Err(Failure::retry(format!("the contacts changed {ATTEMPTS} times while they were read")))
}

/// What is read beside an invitation.
fn about(invite: &Invite) -> [Key; 3] {
    let (customer, order) = (&invite.customer, &invite.order);
    [Key::contacts(customer), Key::order(customer, order), Key::dispatch(order)]
}

fn fate(found: &Found, invite: &Invite) -> Result<Fate, StoreError> {
    let order = found.order(&invite.customer, &invite.order)?;
    let dispatch = found.dispatch(&invite.order)?;
    Ok(Fate {
        is_kept: order.is_some_and(|order| invitation::is_kept(&order)),
        delivered_at: dispatch.and_then(|dispatch| dispatch.delivered_at()),
    })
}

/// The invitation with its message, and the record of contacts.
async fn writes(
    app: &App,
    invite: &Invite,
    contacts: &Contacts,
    now: Timestamp,
) -> Result<Commit, Failure> {
    let link = SurveyLink { invite: invite.id.clone(), customer: invite.customer.clone() };
    let token = app.links().await?.survey_link(&link, invite.expires);
    let shop = app.setting(Setting::PublicUrl)?.trim_end_matches('/');
    let message = Message::SurveyInvited(SurveyInvited {
        invite: invite.id.clone(),
        order: invite.order.clone(),
        email: invite.email.clone(),
        language: invite.language,
        link: format!("{shop}/s/{token}"),
        expires: invite.expires,
    });
    let sends = Sends::one(message, now, None);
    Ok(Commit::new()
        .with(surveys::send(&invite.id, now, &sends))
        .with(surveys::save_contacts(contacts)))
}
