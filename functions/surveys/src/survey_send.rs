//! Every five minutes: sends the invitations that are due, reminds of those that
//! nobody answered, puts them off, or suppresses them.
//!
//! The facts of all that is due are read in two batches. Nobody is asked about
//! an order that was called off or refunded whole, whoever heard of that first,
//! while any of its goods is under way, or went back, after all, about a ticket
//! that was opened or solved again, or about a tier that was followed by another
//! one. An invitation is sent in one transaction with the record
//! of contacts, so that nobody is contacted beyond the budget, whoever else
//! contacts them at the same moment; who loses reads the facts of that
//! invitation anew. What was decided about a contact is noted with it.
//!
//! The same transaction counts the invitation, in one item for all columns.
//! Which columns these are is decided by what was counted before, and so kept
//! along for the invitations of one sweep.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aftercart::{
    messages::Message,
    model::{
        answers::{Column, Counts, Sent},
        contact::{Contactee, Purpose, Withheld},
        id::InviteId,
        months,
        policy::Policy,
        survey::{Invite, Occasion, Touchpoint, TouchpointId},
        tally::Month,
        text::Text,
        time::{Period, Timestamp},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Setting, Trigger,
        links::SurveyLink,
        metrics::Metric,
        schedule::{self, Outcome, SWEEP_MAX, Swept},
        secrets::Secret,
    },
    store::{
        Commit, CommitError, Found, Index, Key, Op, Sends, StoreError, Table, answers, contacts,
        surveys,
    },
};

use crate::rules::{
    invitation,
    inviting::{self, Pages},
    sending::{self, Facts, Sending},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-send",
    about: "Sends due survey invitations and reminders within each person's contact budget.",
    trigger: Trigger::Schedule("rate(5 minutes)"),
    needs: &[
        Need::Table(Table::Surveys, &[Op::BatchGetItem, Op::UpdateItem, Op::PutItem]),
        Need::Index(Table::Surveys, Index::ByDue),
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Tickets, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
        Need::Setting(Setting::PublicUrl),
    ],
    handle,
};

/// How often the facts of one invitation are read again when somebody else
/// changed them. What is still contended then is due still.
const ATTEMPTS: u32 = 4;

/// When an invitation is looked at again that cannot be seen to: by then somebody
/// may have mended it.
const TROUBLE: Period = Period::of_seconds(60 * 60);

/// What is counted of the invitations of a touchpoint and month.
type Counted = BTreeMap<(TouchpointId, String), Sent>;

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
    let keys: Vec<Key> = known.flat_map(|invite| about(&invite, &policy, app.now())).collect();
    let beside = app.store.read(&keys).await?;
    let (mut swept, mut counted) = (Swept::default(), Counted::new());
    for id in &due {
        let work = try_to(&app, id, (&invites, &beside), &mut counted, &policy);
        swept.see_to(id.as_str(), work).await;
    }
    Ok(swept)
}

/// What no retry mends is put off, so that it does not take the place of others
/// in every run; it fails all the same.
async fn try_to(
    app: &App,
    id: &InviteId,
    found: (&Found, &Found),
    counted: &mut Counted,
    policy: &Policy,
) -> Result<Outcome, Failure> {
    let outcome = see_to(app, id, found, counted, policy).await;
    if let Err(Failure::Bug(_) | Failure::Poison(_)) = outcome {
        match app.store.commit(surveys::look_again(id, app.now().plus(TROUBLE))).await {
            Ok(()) | Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    outcome
}

/// Sends, puts off or suppresses one invitation, or reminds of it.
async fn see_to(
    app: &App,
    id: &InviteId,
    (invites, beside): (&Found, &Found),
    counted: &mut Counted,
    policy: &Policy,
) -> Result<Outcome, Failure> {
    let Some(mut invite) = invites.invite(id)? else { return Ok(Outcome::Settled) };
    let mut facts = facts(beside, &invite, policy, app.now())?;
    if let Some(sent) = counted.get(&(invite.touchpoint.clone(), months::of(app.now()))) {
        facts.sent = sent.clone();
    }
    for _ in 0..ATTEMPTS {
        let now = app.now();
        let sending = sending::decide(&invite, &facts, policy, now);
        let columns = facts.sent.columns_of(&invite.about);
        let written = written(app, (&invite, &columns), sending, policy, now).await?;
        let Some((commit, metric)) = written else { return Ok(Outcome::Settled) };
        match app.store.commit(commit).await {
            Ok(()) => {
                if metric == Some(Metric::SurveySent) {
                    facts.sent.add(columns);
                    counted.insert((invite.touchpoint, months::of(now)), facts.sent);
                }
                metric.into_iter().for_each(|metric| app.metrics.count(metric, now));
                return Ok(Outcome::Done);
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut keys = about(&invite, policy, now);
        keys.push(Key::invite(id));
        let found = app.store.read(&keys).await?;
        facts = self::facts(&found, &invite, policy, now)?;
        invite = found.invite(id)?.ok_or_else(|| Failure::retry("the invitation went away"))?;
    }
    Err(Failure::retry(format!("the contacts changed {ATTEMPTS} times while they were read")))
}

/// What is read beside an invitation.
fn about(invite: &Invite, policy: &Policy, now: Timestamp) -> Vec<Key> {
    let mut keys = vec![Key::contacts(&reader(invite))];
    keys.extend(also(invite).as_ref().map(Key::contacts));
    if let Some(order) = &invite.about.order {
        keys.extend([Key::order(&invite.customer, order), Key::dispatch(order)]);
    }
    keys.extend(invite.about.ticket.as_ref().map(Key::ticket));
    keys.extend(is_about_a_tier(invite).then(|| Key::ledger(&invite.customer)));
    keys.push(answers::sent_key(&invite.touchpoint, &months::of(now)));
    if let Some((touchpoint, month)) = limited(invite, policy, now) {
        keys.push(Key::answers(&touchpoint.id, &month, &Column::All.to_string()));
        if let Some(last) = month_before(&month) {
            keys.push(answers::sent_key(&touchpoint.id, last.as_str()));
            keys.push(Key::answers(&touchpoint.id, last.as_str(), &Column::All.to_string()));
        }
    }
    keys
}

fn is_about_a_tier(invite: &Invite) -> bool {
    invite.occasion == Occasion::Tier && invite.customer.is_member()
}

fn month_before(month: &str) -> Option<Month> {
    months::before(&[Text::new(month).ok()?]).pop()
}

/// Whoever reads the address of a member, who may have said no as a guest.
fn also(invite: &Invite) -> Option<Contactee> {
    Some(Contactee::address(&invite.email)).filter(|also| *also != reader(invite))
}

fn reader(invite: &Invite) -> Contactee {
    Contactee::of(&invite.customer, &invite.email)
}

/// The touchpoint, if only so many may answer it, and the month.
fn limited<'a>(
    invite: &Invite,
    policy: &'a Policy,
    now: Timestamp,
) -> Option<(&'a Touchpoint, String)> {
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint)?;
    touchpoint.quota?;
    Some((touchpoint, months::of(now)))
}

fn facts(
    found: &Found,
    invite: &Invite,
    policy: &Policy,
    now: Timestamp,
) -> Result<Facts, StoreError> {
    let of = &invite.about;
    let order = of.order.as_ref().map(|order| found.order(&invite.customer, order));
    let order = order.transpose()?.flatten();
    let dispatch = of.order.as_ref().map(|order| found.dispatch(order)).transpose()?.flatten();
    let ticket = of.ticket.as_ref().map(|ticket| found.ticket(ticket)).transpose()?.flatten();
    let ledger = is_about_a_tier(invite).then(|| found.ledger(&invite.customer)).transpose()?;
    let (mut answered, mut before) = (0, Counts::default());
    if let Some((touchpoint, month)) = limited(invite, policy, now) {
        answered = found.answers(&touchpoint.id, &month, &Column::All)?.answered;
        if let Some(last) = month_before(&month) {
            before = found.answers(&touchpoint.id, last.as_str(), &Column::All)?;
        }
    }
    let standing = ledger.as_ref().map(|it| &it.standing);
    let about = (order.as_ref(), ticket.as_ref(), standing);
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint);
    let moot = touchpoint.and_then(|touchpoint| sending::moot(invite, touchpoint, about));
    let also = also(invite).map(|also| found.contacts(&also)).transpose()?;
    Ok(Facts {
        is_kept: order.as_ref().is_some_and(invitation::is_kept),
        delivered_at: dispatch.and_then(|dispatch| dispatch.delivered_at()),
        moot,
        answered,
        before,
        sent: found.sent(&invite.touchpoint, &months::of(now))?,
        country: order.map(|order| order.address.country),
        contacts: found.contacts(&reader(invite))?,
        refused: also.is_some_and(|it| it.refuses(Purpose::Surveys)),
    })
}

/// What is written of a decision, and what is counted then: an invitation that
/// is sent, in these columns.
async fn written(
    app: &App,
    (invite, columns): (&Invite, &BTreeSet<Column>),
    sending: Sending,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<(Commit, Option<Metric>)>, Failure> {
    let id = &invite.id;
    Ok(Some(match sending {
        Sending::Settled => return Ok(None),
        Sending::Suppress(why) => {
            let commit = Commit::from(surveys::suppress(id, now, why));
            let why = Some(sending::withheld(why));
            (commit.and(noted(invite, false, why, now)), Some(Metric::SurveySuppressed))
        }
        Sending::PutOff { due, expires, night } => {
            let commit = Commit::from(surveys::put_off(id, due, expires));
            (commit.and(waits(invite, false, night.then_some(due), now)?), None)
        }
        Sending::Send(made) => {
            let sends = message(app, invite, policy, false, now).await?;
            let remind_at = sending::remind_at(invite, policy, now);
            let commit = Commit::from(surveys::send(id, now, remind_at, &sends))
                .with(contacts::save(&made))
                .with(answers::sent(&invite.touchpoint, columns, now))
                .and(noted(invite, false, None, now));
            (commit, Some(Metric::SurveySent))
        }
        Sending::Remind(made) => {
            let sends = message(app, invite, policy, true, now).await?;
            let commit = Commit::from(surveys::remind(id, now, &sends))
                .with(contacts::save(&made))
                .and(noted(invite, true, None, now));
            (commit, Some(Metric::SurveyReminded))
        }
        Sending::RemindAt { due, night } => {
            let commit = Commit::from(surveys::remind_at(id, Some(due)));
            (commit.and(waits(invite, true, night.then_some(due), now)?), None)
        }
        Sending::LetBe(why) => {
            let commit = Commit::from(surveys::remind_at(id, None));
            (commit.and(noted(invite, true, Some(why), now)), None)
        }
    }))
}

/// The note that a contact waits for the morning, if it does.
fn waits(
    invite: &Invite,
    reminder: bool,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<Commit, StoreError> {
    let entry = sending::entry(&invite.id, reader(invite), reminder, None, now);
    let Some((entry, until)) = entry.zip(until) else { return Ok(Commit::new()) };
    Ok(contacts::wait(None, &entry, until, None)?.into())
}

/// The note of what was decided about a contact: one of the invitation, one of
/// its reminder.
fn noted(invite: &Invite, reminder: bool, withheld: Option<Withheld>, at: Timestamp) -> Commit {
    let entry = sending::entry(&invite.id, reader(invite), reminder, withheld, at);
    entry.iter().map(contacts::note).collect()
}

/// The message that invites, or reminds.
async fn message(
    app: &App,
    invite: &Invite,
    policy: &Policy,
    reminder: bool,
    now: Timestamp,
) -> Result<Sends, Failure> {
    let links = app.links().await?;
    let shop = app.setting(Setting::PublicUrl)?.trim_end_matches('/');
    let link = SurveyLink {
        invite: invite.id.clone(),
        touchpoint: invite.touchpoint.clone(),
        customer: invite.customer.clone(),
    };
    let pages = Pages {
        survey: format!("{shop}/s/{}", links.survey_link(&link, invite.expires)),
        unsubscribe: links.unsubscribe(shop, &reader(invite), Purpose::Surveys),
    };
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint);
    let message = touchpoint.and_then(|it| inviting::message(invite, it, pages, reminder));
    let message = message.ok_or_else(|| {
        Failure::bug(format!("nothing is asked at the touchpoint {}", invite.touchpoint))
    })?;
    Ok(Sends::one(Message::SurveyInvited(message), now, None))
}
