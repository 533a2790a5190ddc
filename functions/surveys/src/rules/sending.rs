//! Whether an invitation that is due goes out.

use aftercart::model::{
    policy::SurveysPolicy,
    survey::{Contacts, Invite, Suppression},
    time::Timestamp,
};

/// What is to be done with an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// Nothing: it was seen to, or its time has not come.
    Settled,
    /// It is not to be sent.
    Suppress(Suppression),
    /// It is to be sent, and this is then the record of contacts.
    Send(Contacts),
}

/// Decides about an invitation to tell about an order of which its buyer kept
/// something, or nothing.
#[must_use]
pub fn decide(
    invite: &Invite,
    is_kept: bool,
    contacts: &Contacts,
    policy: &SurveysPolicy,
    now: Timestamp,
) -> Sending {
    if !invite.status.is_scheduled() || now < invite.due {
        return Sending::Settled;
    }
    if !is_kept {
        return Sending::Suppress(Suppression::NothingKept);
    }
    if now >= invite.expires {
        return Sending::Suppress(Suppression::TooLate);
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

    fn policy() -> SurveysPolicy {
        Policy::default_document().unwrap().surveys
    }

    #[test]
    fn an_invitation_goes_out_in_its_time_and_within_the_budget() {
        let scheduled = invite(InviteStatus::Scheduled);
        let nobody = Contacts::none(scheduled.customer.clone());
        let contacted = Contacts { at: vec![at(1)], ..nobody.clone() };
        let decided = |contacts, day| decide(&scheduled, true, contacts, &policy(), at(day));
        assert_eq!(decided(&nobody, 2), Sending::Settled);
        let sent = Contacts { at: vec![at(3)], ..nobody.clone() };
        assert_eq!(decided(&nobody, 3), Sending::Send(sent));
        assert_eq!(decided(&contacted, 3), Sending::Suppress(Suppression::ContactBudget));
        assert_eq!(decided(&nobody, 33), Sending::Suppress(Suppression::TooLate));
        let returned = decide(&scheduled, false, &nobody, &policy(), at(3));
        assert_eq!(returned, Sending::Suppress(Suppression::NothingKept));
        assert_eq!(decide(&scheduled, false, &nobody, &policy(), at(2)), Sending::Settled);
        let gone = invite(InviteStatus::Sent { at: at(3) });
        assert_eq!(decide(&gone, false, &nobody, &policy(), at(4)), Sending::Settled);
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
                if let Sending::Send(after) = decide(&due, true, &contacts, &policy, at(day)) {
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
