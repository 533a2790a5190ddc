//! How a survey stands for who opens its link.

use aftercart::model::{
    survey::{Answer, CORRECTABLE, Invite, InviteStatus, MAX_REVISIONS},
    time::Timestamp,
};

/// How a survey stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It takes an answer.
    Open,
    /// It has its answer, which can be corrected until then.
    Answered(&'a Answer, Timestamp),
    /// It is over, or was never opened to the buyer.
    Closed,
}

/// How an invitation's survey stands now.
#[must_use]
pub fn of(invite: &Invite, now: Timestamp) -> Standing<'_> {
    match &invite.status {
        InviteStatus::Answered { answer, .. } => {
            Standing::Answered(answer, correctable_until(answer, invite.expires))
        }
        InviteStatus::Sent { .. } if now < invite.expires => Standing::Open,
        InviteStatus::Sent { .. } | InviteStatus::Scheduled | InviteStatus::Suppressed { .. } => {
            Standing::Closed
        }
    }
}

/// Until when an answer can be corrected: for [`CORRECTABLE`] from when it was
/// first given, while its survey is open. The last of [`MAX_REVISIONS`] cannot be
/// from the first.
#[must_use]
pub fn correctable_until(answer: &Answer, expires: Timestamp) -> Timestamp {
    let is_last = answer.revision >= MAX_REVISIONS;
    if is_last { answer.at } else { answer.at.plus(CORRECTABLE).min(expires) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::model::{customer::Language, survey::Suppression, time::Period};

    use super::*;
    use crate::rules::fixtures::{day, invited};

    #[test]
    fn only_what_was_sent_is_open_and_only_until_it_ends() {
        let sent = invited(InviteStatus::Sent { at: day(3), reminded_at: None });
        assert_eq!(of(&sent, day(32)), Standing::Open);
        assert_eq!(of(&sent, day(33)), Standing::Closed);
        let why = Suppression::ContactBudget;
        for status in [InviteStatus::Scheduled, InviteStatus::Suppressed { at: day(3), why }] {
            assert_eq!(of(&invited(status), day(4)), Standing::Closed);
        }
    }

    #[test]
    fn an_answer_is_corrected_for_a_day_while_the_survey_is_open() {
        let hours = |hours: u32| Period::of_seconds(hours * 3_600);
        for (revision, at, until) in [
            (1, day(4), day(5)),
            (1, day(32), day(33)),
            (1, day(32).plus(hours(6)), day(33)),
            (MAX_REVISIONS - 1, day(4), day(5)),
            (MAX_REVISIONS, day(4), day(4)),
        ] {
            let language = Language::En;
            let answer = Answer { given: BTreeMap::new(), at, revision, language };
            let status = InviteStatus::Answered { sent_at: day(3), answer: answer.clone() };
            assert_eq!(of(&invited(status), day(40)), Standing::Answered(&answer, until));
        }
    }
}
