//! Surveys and contacts.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    messages::Message,
    model::{
        answers::{self, Column, Counts, Mark},
        contact::{Cap, Contactee, Purpose},
        dispatch::Dispatch,
        id::{InviteId, OrderId},
        order::Order,
        policy::Policy,
        survey::{Audience, Invite, InviteStatus, Occasion, SurveysPolicy, Touchpoint},
        time::Timestamp,
    },
    store::audit::{AnswersKey, Books},
};
use aftercart_surveys::rules::invitation;

use super::{Evidence, Violation, must};

/// What was delivered and kept is asked about, if the policy asks everybody,
/// and nothing else; who was told is who is marked so.
pub(super) fn invites(
    books: &Books,
    evidence: &Evidence,
    policy: &Policy,
) -> Result<usize, Violation> {
    let invites: BTreeMap<&InviteId, &Invite> =
        books.surveys.invites.iter().map(|invite| (&invite.id, invite)).collect();
    check_asked(books, &invites, &policy.surveys)?;
    let Some(told) = mails(evidence) else { return Ok(invites.len()) };
    for invite in invites.values() {
        let reminded = match &invite.status {
            InviteStatus::Scheduled | InviteStatus::Suppressed { .. } => None,
            InviteStatus::Sent { reminded_at, .. } => Some(reminded_at.is_some()),
            // That of which somebody was reminded may be answered later.
            InviteStatus::Answered { .. } => Some(false),
        };
        let first = told.contains_key(&(&invite.id, false));
        let second = told.contains_key(&(&invite.id, true));
        let answered = matches!(invite.status, InviteStatus::Answered { .. });
        let fits = first == reminded.is_some() && (answered || second == (reminded == Some(true)));
        must(fits, || {
            format!("{} is {:?}, and its mail is another matter", invite.id, invite.status)
        })?;
    }
    Ok(invites.len())
}

/// Of each touchpoint that asks everybody after a delivery, each order that
/// came and was kept has its invitation, and none has one that never came.
fn check_asked(
    books: &Books,
    invites: &BTreeMap<&InviteId, &Invite>,
    policy: &SurveysPolicy,
) -> Result<(), Violation> {
    let by_id: BTreeMap<&OrderId, &Order> = books.orders.iter().map(|it| (&it.id, it)).collect();
    let everybody = |it: &&Touchpoint| it.share == 10_000 && it.audience == Audience::default();
    for dispatch in &books.dispatches {
        let Dispatch { order: id, shipments, .. } = dispatch;
        let came = shipments.iter().any(|it| it.journey.delivered_at.is_some());
        let kept = by_id.get(id).is_some_and(|order| invitation::is_kept(order));
        let due = dispatch.delivered_at().is_some() && kept;
        for touchpoint in policy.on(Occasion::Delivery).filter(everybody) {
            let identity = invitation::identity(touchpoint, &[id.as_str().to_owned()]);
            let invited = invites.contains_key(&identity);
            must(if invited { came } else { !due }, || {
                format!("{id} is delivered and not asked about, or the other way round")
            })?;
        }
    }
    Ok(())
}

/// The mails that ask somebody, each once: whether it is a reminder, and when
/// it was first told.
fn mails(evidence: &Evidence) -> Option<BTreeMap<(&InviteId, bool), Timestamp>> {
    let mut mails = BTreeMap::new();
    for envelope in evidence.told.as_ref()? {
        if let Message::SurveyInvited(body) = &envelope.message {
            mails.entry((&body.invite, body.reminder)).or_insert(envelope.at);
        }
    }
    Some(mails)
}

/// Nobody was contacted more often in any window than a cap has, by the mails
/// that ask them and by the record of their contacts.
pub(super) fn contacts(
    books: &Books,
    evidence: &Evidence,
    policy: &Policy,
) -> Result<usize, Violation> {
    let by_id: BTreeMap<&InviteId, &Invite> =
        books.surveys.invites.iter().map(|invite| (&invite.id, invite)).collect();
    let mut asked: BTreeMap<Contactee, Vec<(Timestamp, Purpose)>> = BTreeMap::new();
    for ((invite, _), at) in mails(evidence).unwrap_or_default() {
        let Some(invite) = by_id.get(invite) else { continue };
        let who = Contactee::of(&invite.customer, &invite.email);
        asked.entry(who).or_default().push((at, Purpose::Surveys));
    }
    let kept = books.surveys.contacts.iter().map(|it| (&it.who, &it.made));
    for (who, made) in asked.iter().chain(kept) {
        let crowded = policy.contact.caps.iter().find(|cap| is_beyond(cap, made));
        must(crowded.is_none(), || format!("{who:?} was contacted beyond {crowded:?}"))?;
    }
    Ok(asked.len())
}

/// Whether a window of a cap holds more contacts than it has.
fn is_beyond(cap: &Cap, made: &[(Timestamp, Purpose)]) -> bool {
    let most = usize::try_from(cap.contacts).unwrap_or(usize::MAX);
    let holds = |of: &Purpose| cap.purpose.is_none_or(|it| it == *of);
    let moments: Vec<Timestamp> =
        made.iter().filter(|(_, of)| holds(of)).map(|(at, _)| *at).collect();
    let within = |from: Timestamp| {
        moments.iter().filter(|at| **at >= from && **at < from.plus(cap.window)).count()
    };
    moments.iter().any(|from| within(*from) > most)
}

/// Every answer is counted as it is now, and the counters are the sums of what
/// is counted of answers; everybody who was asked is counted once.
pub(super) fn answers(books: &Books) -> Result<usize, Violation> {
    let mut expected: BTreeMap<AnswersKey, BTreeMap<Column, Counts>> = BTreeMap::new();
    let mut sent: BTreeMap<AnswersKey, u64> = BTreeMap::new();
    let mut checked = 0;
    for invite in &books.surveys.invites {
        let Some(month) = answers::month_of(invite) else { continue };
        let key = (invite.touchpoint.clone(), month);
        *sent.entry(key.clone()).or_default() += 1;
        let InviteStatus::Answered { answer, .. } = &invite.status else { continue };
        let marks: BTreeSet<Mark> = Mark::of(&invite.about.named(&answer.given));
        let same = invite.counted.revision == answer.revision && invite.counted.marks == marks;
        must(same, || {
            format!("{} is answered with {marks:?}, counted is {:?}", invite.id, invite.counted)
        })?;
        let columns = expected.entry(key).or_default();
        for column in Column::of(&invite.about) {
            let counts = columns.entry(column.clone()).or_default();
            counts.answered += 1;
            for mark in marks.iter().filter(|mark| mark.is_in(&column)) {
                let values = counts.values.entry(mark.question.clone()).or_default();
                *values.entry(mark.value.clone()).or_default() += 1;
            }
        }
        checked += 1;
    }
    let kept: BTreeMap<_, _> =
        books.answers.iter().map(|(key, it)| (key.clone(), without_zeros(it))).collect();
    for (key, columns) in &expected {
        let known = kept.get(key);
        must(known == Some(columns), || {
            format!("of {key:?} is counted {known:?}, the answers are {columns:?}")
        })?;
    }
    let beyond = kept.iter().find(|(key, it)| !it.is_empty() && !expected.contains_key(*key));
    must(beyond.is_none(), || format!("nobody gave the answers of {beyond:?}"))?;
    for (key, invited) in &sent {
        let counted = books.sent.get(key).map(|it| it.with(&Column::All, Counts::default()).sent);
        must(counted == Some(*invited), || {
            format!("of {key:?} {counted:?} are counted as invited, {invited} were")
        })?;
    }
    Ok(checked)
}

/// Counters that came back to nothing are none.
fn without_zeros(columns: &BTreeMap<Column, Counts>) -> BTreeMap<Column, Counts> {
    let mut columns = columns.clone();
    for counts in columns.values_mut() {
        for values in counts.values.values_mut() {
            values.retain(|_, count| *count != 0);
        }
        counts.values.retain(|_, values| !values.is_empty());
    }
    columns.retain(|_, counts| counts.answered != 0 || !counts.values.is_empty());
    columns
}
