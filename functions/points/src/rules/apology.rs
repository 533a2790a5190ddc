//! Points for members whose money came too late, when the goods were gone, and
//! for those whose delivery went wrong.

use aftercart::model::{
    dispatch::Dispatch,
    order::{Order, RefundCause},
    points::{Account, Apology, Authority, Cause, Entry, Ledger, LedgerError, Movement},
    policy::Policy,
    time::Timestamp,
};

use super::expiry;

/// The name that entries of apologies give this rule.
pub const RULE: &str = "late_payment";

/// The name that entries of apologies for a delivery give this rule.
pub const DELIVERY_RULE: &str = "delivery";

/// The points that apologise for an order, if they are due.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its shipments, once they are open.
    pub dispatch: Option<&'a Dispatch>,
    /// The ledger of its buyer.
    pub ledger: &'a Ledger,
    /// The present moment.
    pub now: Timestamp,
}

/// The entry that apologises for something about an order, and the ledger with
/// it. None when nothing is due.
///
/// For money that came too late the policy says how many points; for a
/// delivery, what its shipments note as given. The entry is dated when the
/// order should have been paid, and when the delivery was made up for, which is
/// the same however often it is asked: its identity and its place among the
/// entries keep it from being given twice.
///
/// # Errors
/// [`LedgerError::TooMany`].
pub fn decide(
    of: Apology,
    facts: Facts<'_>,
    policy: &Policy,
) -> Result<Option<(Entry, Ledger)>, LedgerError> {
    let Facts { order, dispatch, ledger, now } = facts;
    let (at, points, rule) = match of {
        Apology::LatePayment => {
            let late = order.refunds_due.iter().any(|due| due.cause == RefundCause::Late);
            let points = if late { policy.payments.late.apology_points } else { 0 };
            (order.hold_until, points, RULE)
        }
        Apology::Delivery => match dispatch.and_then(|it| it.compensation.as_ref()) {
            Some(given) => (given.at, given.points, DELIVERY_RULE),
            None => return Ok(None),
        },
    };
    if points == 0 {
        return Ok(None);
    }
    let mut ledger = ledger.clone();
    let cause = match of {
        Apology::LatePayment => Cause::Apology(order.id.clone()),
        Apology::Delivery => Cause::DeliveryApology(order.id.clone()),
    };
    let authority = Authority { rule, policy: policy.version.as_str() };
    let id = Ledger::apology(&order.customer, &order.id, of);
    let life = policy.points.expiry.grants.unwrap_or(policy.points.expiry.purchases);
    let lot = expiry::lot(i64::from(points), at, now, life, &policy.points);
    let movement = Movement { id, at, cause, authority };
    let entry = ledger.credit(movement, Account::Issued, vec![lot])?;
    Ok(Some((entry, ledger)))
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        alert::AlertKind,
        dispatch::{Compensation, shipment_id},
        id::PaymentId,
        order::RefundDue,
        points::{Account, Cause},
    };

    use super::*;
    use crate::rules::fixtures::{at, money, order};

    fn decided(
        of: Apology,
        order: &Order,
        dispatch: Option<&Dispatch>,
        policy: &Policy,
    ) -> Option<(Entry, Ledger)> {
        let ledger = &Ledger::empty(order.customer.clone());
        decide(of, Facts { order, dispatch, ledger, now: at(1) }, policy).unwrap()
    }

    #[test]
    fn money_that_came_too_late_is_apologised_for_by_policy() {
        let mut policy = Policy::default_document().unwrap();
        policy.payments.late.apology_points = 50;
        let late =
            |order: &Order, policy: &Policy| decided(Apology::LatePayment, order, None, policy);
        let mut order = order(&[10_000], None);
        assert_eq!(late(&order, &policy), None);
        let due = RefundDue::unaccepted(&order.id, &PaymentId::derive(&["1"]), money(10_000));
        order.refunds_due = vec![due.clone()];
        assert_eq!(late(&order, &policy), None, "paid twice is no reason");
        order.refunds_due = vec![RefundDue { cause: RefundCause::Late, ..due }];
        let (entry, ledger) = late(&order, &policy).unwrap();
        assert_eq!(entry.id, Ledger::apology(&order.customer, &order.id, Apology::LatePayment));
        assert_eq!(entry.cause, Cause::Apology(order.id.clone()));
        assert_eq!((ledger.balance(Account::Available), ledger.spendable()), (50, 50));
        assert_eq!(ledger.check(), Ok(()));
        policy.payments.late.apology_points = 0;
        assert_eq!(late(&order, &policy), None);
    }

    #[test]
    fn a_bad_delivery_is_apologised_for_as_its_shipments_say() {
        let policy = Policy::default_document().unwrap();
        let order = order(&[10_000], Some(at(1)));
        let mut dispatch = Dispatch::unopened(&order, at(1));
        let made_up =
            |dispatch: &Dispatch| decided(Apology::Delivery, &order, Some(dispatch), &policy);
        assert_eq!(
            (made_up(&dispatch), decided(Apology::Delivery, &order, None, &policy)),
            (None, None)
        );
        let given = Compensation {
            at: at(2),
            alert: AlertKind::Late,
            shipment: shipment_id(&order.id, 1),
            points: 200,
            voucher: None,
        };
        dispatch.compensation = Some(given.clone());
        let (entry, ledger) = made_up(&dispatch).unwrap();
        assert_eq!(entry.id, Ledger::apology(&order.customer, &order.id, Apology::Delivery));
        assert_eq!((entry.cause, entry.at), (Cause::DeliveryApology(order.id.clone()), at(2)));
        assert_eq!(ledger.balance(Account::Available), 200);
        dispatch.compensation = Some(Compensation { points: 0, ..given });
        assert_eq!(made_up(&dispatch), None, "a voucher only");
    }
}
