//! Points that operators give and take: who decides, and what moves.
//!
//! Up to a limit, for one adjustment and for a day, an operator decides alone.
//! For more another one has to agree: nobody approves what is the own wish.

use aftercart::model::{
    adjustment::{Adjustment, Alone, Decided, Verdict},
    points::{Account, Authority, Cause, Ledger, LedgerError, Movement},
    policy::Policy,
    text::Text,
    time::Timestamp,
};

use super::{
    expiry,
    membership::{self, After, Deed},
};

/// The name that entries of adjustments give this rule.
pub const RULE: &str = "adjustment";

/// Why an adjustment is not decided so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// By the one who asked for it.
    #[error("You asked for this yourself; another operator has to approve it.")]
    Own,
    /// Somebody decided otherwise.
    #[error("It was decided otherwise before: read it again.")]
    Decided,
    /// More is taken than may be spent.
    #[error("The member has {0} points that may be taken.")]
    TooFew(i64),
    /// A ledger that cannot take it.
    #[error("the adjustment cannot be posted: {0}")]
    Ledger(#[from] LedgerError),
}

/// Notes that an operator decides alone, if that is possible: the adjustment is
/// decided then, and counted.
pub fn alone(adjustment: &mut Adjustment, alone: &mut Alone, policy: &Policy) {
    let at = adjustment.asked_at;
    if count(alone, adjustment.points.saturating_abs(), at, policy) {
        let by = adjustment.asked_by.clone();
        adjustment.decided = Some(Decided { at, by, verdict: Verdict::Approved });
    }
}

/// Counts points that an operator gives or takes at this moment; tells whether
/// they are so few that nobody else has to agree. Else nothing is counted.
pub fn count(alone: &mut Alone, points: i64, at: Timestamp, policy: &Policy) -> bool {
    let limits = &policy.points.adjustments;
    let today = at.date_in(&policy.points.zone);
    let before = if alone.on == today { alone.points } else { 0 };
    let sum = before.saturating_add(points);
    if points > i64::from(limits.alone_up_to) || sum > i64::from(limits.alone_per_day) {
        return false;
    }
    (alone.on, alone.points) = (today, sum);
    true
}

/// What an operator decides about what another one asked for. None if it was
/// decided so before. The one who asked for it may refuse it, too, which takes
/// it back.
///
/// # Errors
/// [`Refusal::Own`], [`Refusal::Decided`].
pub fn decide(
    adjustment: &Adjustment,
    verdict: Verdict,
    by: &Text<128>,
    now: Timestamp,
) -> Result<Option<Decided>, Refusal> {
    match &adjustment.decided {
        Some(before) if before.verdict == verdict => Ok(None),
        Some(_) => Err(Refusal::Decided),
        None if verdict == Verdict::Approved && adjustment.asked_by == *by => Err(Refusal::Own),
        None => Ok(Some(Decided { at: now, by: by.clone(), verdict })),
    }
}

/// Moves the points of an approved adjustment: given ones as [`grant`] has it;
/// taken ones come out of the lots that end first, and are never more than may
/// be spent.
///
/// # Errors
/// [`Refusal::TooFew`], [`Refusal::Ledger`]; then nothing was changed.
pub fn post(
    adjustment: &Adjustment,
    at: Timestamp,
    ledger: &mut Ledger,
    policy: &Policy,
) -> Result<After, Refusal> {
    let authority = Authority { rule: RULE, policy: policy.version.as_str() };
    let id = ledger.entry_id("adjusted", adjustment.id.as_str(), "");
    let cause = Cause::Adjusted(adjustment.id.clone());
    let movement = Movement { id, at, cause, authority };
    if adjustment.points < 0 {
        let (points, spendable) = (adjustment.points.saturating_neg(), ledger.spendable());
        if points > spendable {
            return Err(Refusal::TooFew(spendable));
        }
        let entry = ledger.debit(movement, points, Account::Cancelled)?;
        return Ok(After { entries: vec![entry], news: Vec::new() });
    }
    Ok(grant(movement, adjustment.points, ledger, policy)?)
}

/// Gives points that the member did nothing for: they last as long as the
/// policy says of grants, and repay a debt first.
///
/// # Errors
/// [`LedgerError`]; then nothing was changed.
pub fn grant(
    movement: Movement<'_>,
    points: i64,
    ledger: &mut Ledger,
    policy: &Policy,
) -> Result<After, LedgerError> {
    let (at, life) = (movement.at, policy.points.expiry.of_grants());
    let lot = expiry::lot(points, at, at, life, &policy.points);
    let entry = ledger.credit(movement, Account::Issued, vec![lot])?;
    let mut after = membership::after(ledger, &Deed::Granted, at, policy)?;
    after.entries.insert(0, entry);
    Ok(after)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{id::AdjustmentId, points::Lot};

    use super::*;
    use crate::rules::fixtures::{at, member};

    fn name(name: &str) -> Text<128> {
        Text::new(name).unwrap()
    }

    fn asked(points: i64) -> Adjustment {
        Adjustment {
            id: AdjustmentId::derive(&["1"]),
            customer: member(),
            points,
            reason: Text::new("A parcel was wet.").unwrap(),
            asked_at: at(1),
            asked_by: name("ann"),
            decided: None,
        }
    }

    fn policy() -> Policy {
        let mut policy = Policy::default_document().unwrap();
        policy.points.adjustments.alone_up_to = 100;
        policy.points.adjustments.alone_per_day = 250;
        policy
    }

    #[test]
    fn an_operator_decides_so_much_alone() {
        let policy = policy();
        let on = at(1).date_in(&policy.points.zone);
        let yesterday = at(0).date_in(&policy.points.zone);
        for (points, before, expected) in [
            (100, (on, 0), Some(100)),
            (-100, (on, 0), Some(100)),
            (101, (on, 0), None),
            (-101, (on, 0), None),
            (i64::MIN, (on, 0), None),
            (100, (on, 150), Some(250)),
            (-100, (on, 151), None),
            (100, (yesterday, 250), Some(100)),
        ] {
            let (mut adjustment, (on, sum)) = (asked(points), before);
            let mut record = Alone { on, points: sum, ..Alone::nothing(name("ann")) };
            alone(&mut adjustment, &mut record, &policy);
            let decided = adjustment.decided.map(|it| (it.by, it.verdict));
            let by_herself = expected.map(|_| (name("ann"), Verdict::Approved));
            assert_eq!(decided, by_herself, "{points}");
            assert_eq!(record.points, expected.unwrap_or(sum), "{points}");
        }
    }

    #[test]
    fn nobody_approves_the_own_wish_and_the_first_decision_counts() {
        let decided = |adjustment: &Adjustment, verdict, by: &str| {
            decide(adjustment, verdict, &name(by), at(2)).map(|it| it.map(|it| it.by))
        };
        let waiting = asked(500);
        let by_bea = |verdict| Adjustment {
            decided: Some(Decided { at: at(1), by: name("bea"), verdict }),
            ..asked(500)
        };
        let (approved, refused) = (by_bea(Verdict::Approved), by_bea(Verdict::Refused));
        for (adjustment, verdict, by, expected) in [
            (&waiting, Verdict::Approved, "ann", Err(Refusal::Own)),
            (&waiting, Verdict::Approved, "bea", Ok(Some(name("bea")))),
            (&waiting, Verdict::Refused, "ann", Ok(Some(name("ann")))),
            (&approved, Verdict::Approved, "ann", Ok(None)),
            (&approved, Verdict::Refused, "bea", Err(Refusal::Decided)),
            (&refused, Verdict::Refused, "cid", Ok(None)),
            (&refused, Verdict::Approved, "cid", Err(Refusal::Decided)),
        ] {
            assert_eq!(decided(adjustment, verdict, by), expected, "{verdict:?} {by}");
        }
    }

    #[test]
    fn points_are_given_as_grants_and_taken_as_far_as_they_are_there() {
        let policy = policy();
        let mut ledger = Ledger::empty(member());
        let given = post(&asked(80), at(2), &mut ledger, &policy).unwrap();
        assert_eq!(given.entries[0].cause, Cause::Adjusted(AdjustmentId::derive(&["1"])));
        let lot = |lot: &Lot| (lot.points, lot.granted_at);
        assert_eq!(ledger.lots.iter().map(lot).collect::<Vec<_>>(), [(80, at(2))]);
        let refused = post(&asked(-81), at(3), &mut ledger, &policy);
        assert_eq!((refused, ledger.spendable()), (Err(Refusal::TooFew(80)), 80));
        post(&asked(-30), at(3), &mut ledger, &policy).unwrap();
        assert_eq!((ledger.spendable(), ledger.balance(Account::Cancelled)), (50, 30));
        assert_eq!(ledger.check(), Ok(()));
    }
}
