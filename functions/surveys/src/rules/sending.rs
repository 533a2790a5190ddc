//! Whether an invitation that is due goes out.

use aftercart::model::{
    policy::SurveysPolicy,
    survey::{Contacts, Invite, Suppression},
    time::{Period, Timestamp},
};

/// When an invitation is looked at again while goods are under way after all.
pub const LOOK_AGAIN: Period = Period::of_days(1);

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
    },
}

/// What is true of an order when the invitation to tell about it is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// Whether its buyer kept any of it.
    pub is_kept: bool,
    /// When the last of its goods arrived; none while any is under way, or went
    /// back.
    pub delivered_at: Option<Timestamp>,
}

/// Decides about an invitation.
///
/// A delivery that was none after all is waited for until the survey would have
/// closed. One that came later than that for which the invitation was scheduled
/// counts instead: the invitation is due a while after it, and open for as long
/// as any.
#[must_use]
pub fn decide(
    invite: &Invite,
    fate: Fate,
    contacts: &Contacts,
    policy: &SurveysPolicy,
    now: Timestamp,
) -> Sending {
    if !invite.status.is_scheduled() || now < invite.due {
        return Sending::Settled;
    }
    if !fate.is_kept {
        return Sending::Suppress(Suppression::NothingKept);
    }
    let later = fate.delivered_at.map(|last| last.plus(policy.delay)).filter(|due| now < *due);
    if let Some(due) = later {
        return Sending::PutOff { due, expires: due.plus(policy.open) };
    }
    if now >= invite.expires {
        return Sending::Suppress(Suppression::TooLate);
    }
    if fate.delivered_at.is_none() {
        let due = now.plus(LOOK_AGAIN).min(invite.expires);
        return Sending::PutOff { due, expires: invite.expires };
    }
    let mut contacts = contacts.clone();
    if contacts.admit(now, policy.contacts, policy.window) {
        Sending::Send(contacts)
    } else {
        Sending::Suppress(Suppression::ContactBudget)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use aftercart::model::{
        customer::{CustomerId, Email, Language},
        id::{InviteId, OrderId},
        policy::Policy,
        survey::{InviteStatus, Touchpoint},
        time::Period,
    };
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn at(day: u16) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
    }

    pub(crate) fn invite(status: InviteStatus) -> Invite {
        Invite {
            id: InviteId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            touchpoint: Touchpoint::Delivery,
            email: Email::parse("a@b.cd").unwrap(),
            language: Language::En,
            due: at(3),
            expires: at(33),
            status,
        }
    }

    /// Delays of three days, surveys of thirty.
    fn policy() -> SurveysPolicy {
        Policy::default_document().unwrap().surveys
    }

    const KEPT: Fate = Fate { is_kept: true, delivered_at: Some(Timestamp::EPOCH) };

    #[test]
    fn an_invitation_goes_out_in_its_time_and_within_the_budget() {
        let scheduled = invite(InviteStatus::Scheduled);
        let nobody = Contacts::none(scheduled.customer.clone());
        let contacted = Contacts { at: vec![at(1)], ..nobody.clone() };
        let decided = |contacts, day| decide(&scheduled, KEPT, contacts, &policy(), at(day));
        assert_eq!(decided(&nobody, 2), Sending::Settled);
        let sent = Contacts { at: vec![at(3)], ..nobody.clone() };
        assert_eq!(decided(&nobody, 3), Sending::Send(sent));
        assert_eq!(decided(&contacted, 3), Sending::Suppress(Suppression::ContactBudget));
        assert_eq!(decided(&nobody, 33), Sending::Suppress(Suppression::TooLate));
        let gone = invite(InviteStatus::Sent { at: at(3) });
        assert_eq!(decide(&gone, KEPT, &nobody, &policy(), at(4)), Sending::Settled);
    }

    #[test]
    fn the_last_delivery_is_the_one_that_is_asked_about() {
        let scheduled = invite(InviteStatus::Scheduled);
        let nobody = Contacts::none(scheduled.customer.clone());
        let put_off =
            |due: u16, expires: u16| Sending::PutOff { due: at(due), expires: at(expires) };
        let sent = |day: u16| Sending::Send(Contacts { at: vec![at(day)], ..nobody.clone() });
        let (none, late) = (Suppression::NothingKept, Suppression::TooLate);
        for (is_kept, delivered, day, decided) in [
            // As scheduled.
            (true, Some(0), 2, Sending::Settled),
            (true, Some(0), 3, sent(3)),
            // Recalled, or replaced by a parcel that is under way.
            (true, None, 2, Sending::Settled),
            (true, None, 3, put_off(4, 33)),
            (true, None, 32, put_off(33, 33)),
            (true, None, 33, Sending::Suppress(late)),
            (false, None, 3, Sending::Suppress(none)),
            // Another parcel came later, or the time was corrected.
            (true, Some(2), 3, put_off(5, 35)),
            (true, Some(2), 5, sent(5)),
            (true, Some(31), 33, put_off(34, 64)),
            (true, Some(1), 33, Sending::Suppress(late)),
            (false, Some(2), 3, Sending::Suppress(none)),
            (false, Some(0), 2, Sending::Settled),
        ] {
            let fate = Fate { is_kept, delivered_at: delivered.map(at) };
            let known = decide(&scheduled, fate, &nobody, &policy(), at(day));
            assert_eq!(known, decided, "{fate:?} on day {day}");
        }
    }

    proptest! {
        #[test]
        fn no_window_holds_more_contacts_than_the_budget(
            days in prop::collection::vec(0_u16..400, 1..60),
            most in 0_u32..4,
            window in 1_u16..120,
        ) {
            let policy = SurveysPolicy {
                contacts: most, window: Period::of_days(window), open: Period::of_days(1_000), ..policy()
            };
            let mut days = days;
            days.sort_unstable();
            let mut contacts = Contacts::none(CustomerId::member("a").unwrap());
            let mut sent: Vec<Timestamp> = Vec::new();
            for day in days {
                let due = Invite { due: at(0), expires: at(1_000), ..invite(InviteStatus::Scheduled) };
                if let Sending::Send(after) = decide(&due, KEPT, &contacts, &policy, at(day)) {
                    contacts = after;
                    sent.push(at(day));
                }
            }
            for start in &sent {
                let end = start.plus(policy.window);
                let within = sent.iter().filter(|at| *at >= start && **at < end).count();
                prop_assert!(within <= usize::try_from(most).unwrap());
            }
        }
    }
}
