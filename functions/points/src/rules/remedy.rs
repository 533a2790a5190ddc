//! Points that make good what a member was unhappy about.
//!
//! Whoever sees to a ticket gives them, so they count with what that operator
//! gives alone otherwise: a ticket is no way around the word of a second one.

use aftercart::model::{
    adjustment::Alone,
    id::TicketId,
    points::{Authority, Cause, Ledger, LedgerError, Movement},
    policy::Policy,
    text::Text,
    time::Timestamp,
};

use super::{adjust, membership::After};

/// The name that entries of remedies give this rule.
pub const RULE: &str = "remedy";

/// Why the points are not given. The texts are for those who see to the ticket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No points at all.
    #[error("Give at least one point.")]
    Nothing,
    /// So many that another one has to agree.
    #[error(
        "This is more than one operator gives alone, at once or in a day. \
         Ask for an adjustment of the points; another operator approves it."
    )]
    TooMany,
    /// A ledger that cannot take them.
    #[error("the points cannot be posted: {0}")]
    Ledger(#[from] LedgerError),
}

/// Gives the points of a ticket's remedy, by its key, at this moment, and counts them with what the
/// operator who asked for them gave `alone`, if it was one. They last as long as
/// the policy says of grants.
///
/// # Errors
/// [`Refusal`]; then nothing was changed.
pub fn post(
    (ticket, remedy): (&TicketId, &Text<128>),
    points: u32,
    (ledger, alone): (&mut Ledger, Option<&mut Alone>),
    now: Timestamp,
    policy: &Policy,
) -> Result<After, Refusal> {
    let points = i64::from(points);
    if points == 0 {
        return Err(Refusal::Nothing);
    }
    if alone.is_some_and(|alone| !adjust::count(alone, points, now, policy)) {
        return Err(Refusal::TooMany);
    }
    let movement = Movement {
        id: ledger.entry_id(RULE, ticket.as_str(), remedy.as_str()),
        at: now,
        cause: Cause::MadeGood(ticket.clone()),
        authority: Authority { rule: RULE, policy: policy.version.as_str() },
    };
    Ok(adjust::grant(movement, points, ledger, policy)?)
}

#[cfg(test)]
mod tests {
    use aftercart::model::points::Account;
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fixtures::{at, member};

    fn ticket() -> TicketId {
        TicketId::derive(&["1"])
    }

    fn key(number: usize) -> Text<128> {
        Text::new(&format!("key-{number}")).unwrap()
    }

    fn ann() -> Text<128> {
        Text::new("ann").unwrap()
    }

    fn policy() -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.adjustments.alone_up_to = 100;
        policy.points.adjustments.alone_per_day = 250;
        policy
    }

    #[test]
    fn points_are_given_as_grants_and_name_their_ticket() {
        let (ticket, policy) = (ticket(), policy());
        let (mut ledger, mut alone) = (Ledger::empty(member()), Alone::nothing(ann()));
        let mut given = |key, points, by: bool| {
            let changed = (&mut ledger, by.then_some(&mut alone));
            post((&ticket, &self::key(key)), points, changed, at(1), &policy)
        };
        assert_eq!(given(1, 0, true), Err(Refusal::Nothing));
        assert_eq!(given(1, 101, true), Err(Refusal::TooMany));
        let first = given(1, 100, true).unwrap();
        assert_eq!(first.entries[0].cause, Cause::MadeGood(ticket.clone()));
        let second = given(2, 100, true).unwrap();
        assert_ne!(first.entries[0].id, second.entries[0].id);
        assert_eq!(given(3, 51, true), Err(Refusal::TooMany), "of a day");
        given(4, 101, false).unwrap();
        assert_eq!((alone.points, ledger.balance(Account::Available)), (200, 301));
        assert_eq!(ledger.check(), Ok(()));
    }

    proptest! {
        #[test]
        fn no_operator_gives_more_a_day_than_alone(
            remedies in prop::collection::vec((0_u16..4, 0_u32..150), 0..40),
        ) {
            let (ticket, policy) = (ticket(), policy());
            let (mut ledger, mut alone) = (Ledger::empty(member()), Alone::nothing(ann()));
            let mut remedies = remedies;
            remedies.sort_unstable_by_key(|(day, _)| *day);
            let mut of_day = std::collections::BTreeMap::<u16, i64>::new();
            for (key, (day, points)) in remedies.into_iter().enumerate() {
                let before = ledger.clone();
                let changed = (&mut ledger, Some(&mut alone));
                match post((&ticket, &self::key(key)), points, changed, at(day), &policy) {
                    Ok(_) => *of_day.entry(day).or_default() += i64::from(points),
                    Err(_) => prop_assert_eq!(&before, &ledger),
                }
            }
            let limits = &policy.points.adjustments;
            prop_assert!(of_day.values().all(|sum| *sum <= i64::from(limits.alone_per_day)));
            prop_assert_eq!(ledger.balance(Account::Available), of_day.values().sum::<i64>());
            prop_assert_eq!(ledger.check(), Ok(()));
        }
    }
}
