//! Points for members whose money came too late, when the goods were gone.

use aftercart::model::{
    order::{Order, RefundCause},
    points::{Authority, Entry, Ledger, LedgerError},
    policy::Policy,
    time::Timestamp,
};

use super::settle;

/// The name that entries of apologies give this rule.
pub const RULE: &str = "late_payment";

/// The entry that apologises for an order, and the ledger with it. None when
/// the policy gives no points, or no money that came too late goes back.
///
/// The entry is dated when the order should have been paid, which is the same
/// however often and for however many payments it is asked: its identity and
/// its place among the entries keep it from being given twice.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn decide(
    order: &Order,
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> Result<Option<(Entry, Ledger)>, LedgerError> {
    let points = i64::from(policy.payments.late.apology_points);
    let late = order.refunds_due.iter().any(|due| due.cause == RefundCause::Late);
    if points == 0 || !late {
        return Ok(None);
    }
    let mut ledger = ledger.clone();
    let expires_at = settle::expiry(order.hold_until, now, &policy.points);
    let authority = Authority { rule: RULE, policy: policy.version.as_str() };
    let entry = ledger.apologise(&order.id, points, expires_at, order.hold_until, authority)?;
    Ok(Some((entry, ledger)))
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        id::PaymentId,
        order::RefundDue,
        points::{Account, Cause},
    };

    use super::*;
    use crate::rules::fixtures::{at, money, order};

    #[test]
    fn money_that_came_too_late_is_apologised_for_by_policy() {
        let mut policy = Policy::default_document().unwrap();
        policy.payments.late.apology_points = 50;
        let mut order = order(&[10_000], None);
        let empty = Ledger::empty(order.customer.clone());
        assert_eq!(decide(&order, &empty, &policy, at(1)), Ok(None));
        let due = RefundDue::unaccepted(&order.id, &PaymentId::derive(&["1"]), money(10_000));
        order.refunds_due = vec![due.clone()];
        assert_eq!(decide(&order, &empty, &policy, at(1)), Ok(None), "paid twice is no reason");
        order.refunds_due = vec![RefundDue { cause: RefundCause::Late, ..due }];
        let (entry, ledger) = decide(&order, &empty, &policy, at(1)).unwrap().unwrap();
        assert_eq!(entry.id, Ledger::apology(&order.customer, &order.id));
        assert_eq!(entry.cause, Cause::Apology(order.id.clone()));
        assert_eq!((ledger.balance(Account::Available), ledger.spendable()), (50, 50));
        assert_eq!(ledger.check(), Ok(()));
        policy.payments.late.apology_points = 0;
        assert_eq!(decide(&order, &empty, &policy, at(1)), Ok(None));
    }
}
