//! How a survey stands for who opens its link.

use aftercart::model::{
    survey::{Answer, Invite, InviteStatus},
    time::Timestamp,
};

/// How a survey stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It takes an answer.
    Open,
    /// It has its answer.
    Answered(&'a Answer),
    /// It is over, or was never opened to the buyer.
    Closed,
}

/// How an invitation's survey stands now.
#[must_use]
pub fn of(invite: &Invite, now: Timestamp) -> Standing<'_> {
    match &invite.status {
        InviteStatus::Answered(answer) => Standing::Answered(answer),
        InviteStatus::Sent { .. } if now < invite.expires => Standing::Open,
        InviteStatus::Sent { .. } | InviteStatus::Scheduled | InviteStatus::Suppressed { .. } => {
            Standing::Closed
        }
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::survey::Suppression;

    use super::*;
    use crate::rules::sending::tests::{at, invite};

    #[test]
    fn only_what_was_sent_is_open_and_only_until_it_ends() {
        let answer = Answer { score: 9, comment: None, at: at(4) };
        let sent = invite(InviteStatus::Sent { at: at(3) });
        assert_eq!(of(&sent, at(32)), Standing::Open);
        assert_eq!(of(&sent, at(33)), Standing::Closed);
        let answered = invite(InviteStatus::Answered(answer.clone()));
        assert_eq!(of(&answered, at(40)), Standing::Answered(&answer));
        let why = Suppression::ContactBudget;
        for status in [InviteStatus::Scheduled, InviteStatus::Suppressed { at: at(3), why }] {
            assert_eq!(of(&invite(status), at(4)), Standing::Closed);
        }
    }
}
