//! Whether an invitation that is due goes out, and whether its reader is
//! reminded of it.

use aftercart::model::{
    answers::{Column, Counts, Sent},
    contact::{self, ContactEntry, ContactPolicy, Contactee, Contacts, Purpose, Verdict, Withheld},
    customer::Country,
    id::InviteId,
    order::{Order, OrderStatus},
    points::Standing,
    policy::Policy,
    survey::{Invite, InviteStatus, Occasion, Suppression, Touchpoint},
    text::Text,
    ticket::{Ticket, TicketStatus},
    time::{Period, Timestamp},
};

use super::invitation;

/// When an invitation is looked at again while goods are under way after all.
pub const LOOK_AGAIN: Period = Period::of_days(1);

/// One of so many answers at least, as is supposed while fewer have: those who
/// were asked last have had no time to.
const ANSWERS_ONE_OF: u64 = 10;

/// What is to be done with an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// Nothing: it was seen to, or its time has not come.
    Settled,
    /// It is not to be sent.
    Suppress(Suppression),
    /// It is to be sent, and this is then the record of contacts.
    Send(Contacts),
    /// Its time is another one, and so perhaps is that at which its survey
    /// closes.
    PutOff {
        /// When it is to be sent.
        due: Timestamp,
        /// When its survey closes.
        expires: Timestamp,
        /// Whether it waits for the morning only.
        night: bool,
    },
    /// Its reader is to be reminded, and this is then the record of contacts.
    Remind(Contacts),
    /// Its reader is to be reminded at another time.
    RemindAt {
        /// When.
        due: Timestamp,
        /// Whether it waits for the morning only.
        night: bool,
    },
    /// Nobody is to be reminded of it.
    LetBe(Withheld),
}

/// What is true when an invitation is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether the buyer kept any of the order that it is about.
    pub is_kept: bool,
    /// When the last of the order's goods arrived; none while any is under way,
    /// or went back.
    pub delivered_at: Option<Timestamp>,
    /// Why there is nothing to ask about any more: see [`moot`].
    pub moot: Option<Suppression>,
    /// How many have answered its touchpoint this month.
    pub answered: u64,
    /// How many were invited at it this month.
    pub sent: Sent,
    /// What was counted of it in the month before.
    pub before: Counts,
    /// Where the order goes that it is about.
    pub country: Option<Country>,
    /// How often its reader was contacted, and what they want.
    pub contacts: Contacts,
    /// Whether another record of the same reader refuses surveys.
    pub refused: bool,
}

/// Why there is nothing to ask about any more, besides goods: the order of a
/// checkout was called off, the ticket is not solved or at another moment, the
/// tier is another one since.
#[must_use]
pub fn moot(
    invite: &Invite,
    touchpoint: &Touchpoint,
    (order, ticket, standing): (Option<&Order>, Option<&Ticket>, Option<&Standing>),
) -> Option<Suppression> {
    let is_of = |cause: Vec<String>| invitation::identity(touchpoint, &cause) == invite.id;
    let (is_moot, why) = match invite.occasion {
        Occasion::Checkout | Occasion::Relationship => {
            (order.is_some_and(|it| it.status != OrderStatus::Paid), Suppression::CalledOff)
        }
        Occasion::Solved => {
            let same = |it: &Ticket| {
                let at = it.solved_at.filter(|_| it.status == TicketStatus::Solved);
                at.is_some_and(|at| is_of(invitation::solved_cause(&it.id, at)))
            };
            (ticket.is_some_and(|it| !same(it)), Suppression::Reopened)
        }
        Occasion::Tier => {
            let same = |it: &Standing| {
                let cause =
                    |since| invitation::tier_cause(&invite.customer, it.tier.as_ref(), since);
                it.since.is_some_and(|since| is_of(cause(since)))
            };
            (standing.is_some_and(|it| !same(it)), Suppression::Superseded)
        }
        Occasion::Delivery | Occasion::Product | Occasion::Return => return None,
    };
    is_moot.then_some(why)
}

/// Decides about an invitation.
///
/// A delivery that was none after all is waited for until the survey would have
/// closed. One that came later than that for which the invitation was scheduled
/// counts instead: the invitation is due a while after it, and open for as long
/// as any. At night it waits for the morning, and is open for as long as any
/// then, too.
///
/// A reminder is a contact like any other. It may use what the caps keep in
/// reserve: its reader has been asked already, so that is what the invitation
/// was worth.
#[must_use]
pub fn decide(invite: &Invite, facts: &Facts, policy: &Policy, now: Timestamp) -> Sending {
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint);
    match invite.status {
        InviteStatus::Scheduled if now >= invite.due => match touchpoint {
            Some(touchpoint) => send(invite, touchpoint, facts, &policy.contact, now),
            None => Sending::Suppress(Suppression::Ended),
        },
        InviteStatus::Sent { at, reminded_at: None } => {
            let due = touchpoint.and_then(|it| Some((it, at.plus(it.reminder?))));
            match due {
                Some((touchpoint, due)) => {
                    remind(invite, (touchpoint, due), facts, &policy.contact, now)
                }
                None => Sending::LetBe(Withheld::Off),
            }
        }
        _ => Sending::Settled,
    }
}

/// When the reader of an invitation that is sent now is to be reminded of it:
/// never, if its survey has closed by then.
#[must_use]
pub fn remind_at(invite: &Invite, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let touchpoint = policy.surveys.touchpoint(&invite.touchpoint)?;
    Some(now.plus(touchpoint.reminder?)).filter(|at| *at < invite.expires)
}

/// Why a contact was not made of which an invitation was suppressed.
#[must_use]
pub fn withheld(why: Suppression) -> Withheld {
    match why {
        Suppression::ContactBudget => Withheld::Cap,
        Suppression::NoConsent => Withheld::NoConsent,
        Suppression::TooLate => Withheld::TooLate,
        Suppression::Quota => Withheld::Quota,
        Suppression::Off | Suppression::Ended => Withheld::Off,
        Suppression::NothingKept
        | Suppression::Reopened
        | Suppression::CalledOff
        | Suppression::Superseded => Withheld::Moot,
    }
}

/// What is noted about the contact of an invitation, or of its reminder; none if
/// the identity does not fit, which each does.
#[must_use]
pub fn entry(
    invite: &InviteId,
    who: Contactee,
    reminder: bool,
    withheld: Option<Withheld>,
    at: Timestamp,
) -> Option<ContactEntry> {
    let reference = if reminder { format!("{invite}#reminder") } else { invite.to_string() };
    let reference = Text::new(&reference).ok()?;
    Some(ContactEntry { who, reference, purpose: Purpose::Surveys, at, withheld })
}

fn send(
    invite: &Invite,
    touchpoint: &Touchpoint,
    facts: &Facts,
    policy: &ContactPolicy,
    now: Timestamp,
) -> Sending {
    let until = |due: Timestamp, night| {
        let expires = due.plus(touchpoint.open);
        Sending::PutOff { due, expires, night }
    };
    if invitation::is_about_goods(invite.occasion) {
        if !facts.is_kept {
            return Sending::Suppress(Suppression::NothingKept);
        }
        let later = facts.delivered_at.map(|last| last.plus(touchpoint.delay));
        if let Some(due) = later.filter(|due| now < *due) {
            return until(due, false);
        }
    }
    if let Some(why) = facts.moot {
        return Sending::Suppress(why);
    }
    if now >= invite.expires {
        return Sending::Suppress(Suppression::TooLate);
    }
    if invitation::is_about_goods(invite.occasion) && facts.delivered_at.is_none() {
        let due = now.plus(LOOK_AGAIN).min(invite.expires);
        return Sending::PutOff { due, expires: invite.expires, night: false };
    }
    if is_full(touchpoint, facts) {
        return Sending::Suppress(Suppression::Quota);
    }
    match verdict(invite, facts, touchpoint.urgent, policy, now) {
        Verdict::Admit(contacts) => Sending::Send(contacts),
        Verdict::Wait(due) => until(due, true),
        Verdict::Withhold(why) => Sending::Suppress(match why {
            Withheld::Cap => Suppression::ContactBudget,
            Withheld::NoConsent => Suppression::NoConsent,
            Withheld::Off | Withheld::Moot => Suppression::Off,
            Withheld::Quota => Suppression::Quota,
            Withheld::TooLate => Suppression::TooLate,
        }),
    }
}

fn remind(
    invite: &Invite,
    (touchpoint, due): (&Touchpoint, Timestamp),
    facts: &Facts,
    policy: &ContactPolicy,
    now: Timestamp,
) -> Sending {
    let goods = invitation::is_about_goods(invite.occasion);
    let moot = goods && !(facts.is_kept && facts.delivered_at.is_some());
    if moot || facts.moot.is_some() {
        return Sending::LetBe(Withheld::Moot);
    }
    if touchpoint.quota.is_some_and(|quota| facts.answered >= u64::from(quota)) {
        return Sending::LetBe(Withheld::Quota);
    }
    if due.max(now) >= invite.expires {
        return Sending::LetBe(Withheld::TooLate);
    }
    if now < due {
        return Sending::RemindAt { due, night: false };
    }
    match verdict(invite, facts, true, policy, now) {
        Verdict::Admit(contacts) => Sending::Remind(contacts),
        Verdict::Wait(due) if due < invite.expires => Sending::RemindAt { due, night: true },
        Verdict::Wait(_) => Sending::LetBe(Withheld::TooLate),
        Verdict::Withhold(why) => Sending::LetBe(why),
    }
}

/// Whether so many were asked this month that the quota is answered, if of them
/// as many answer as of those of this month and the one before together.
fn is_full(touchpoint: &Touchpoint, facts: &Facts) -> bool {
    let Some(quota) = touchpoint.quota else { return false };
    let sent = facts.sent.with(&Column::All, Counts::default()).sent;
    let asked = u128::from(sent.saturating_add(facts.before.sent));
    let answered = u128::from(facts.answered.saturating_add(facts.before.answered));
    let share = u128::from(sent).saturating_mul(answered).checked_div(asked).unwrap_or(0);
    let least = sent.checked_div(ANSWERS_ONE_OF).unwrap_or(0).max(facts.answered);
    share.max(u128::from(least)) >= u128::from(quota)
}

fn verdict(
    invite: &Invite,
    facts: &Facts,
    urgent: bool,
    policy: &ContactPolicy,
    now: Timestamp,
) -> Verdict {
    let country = invite.country.as_ref().or(facts.country.as_ref());
    contact::decide(&facts.contacts, Purpose::Surveys, urgent, country, policy, now)
        .unless(facts.refused)
}

#[cfg(test)]
mod tests;
