//! What an order earns, and when the clock of its points starts.

use aftercart::model::{
    order::Order,
    points::{Authority, Entry, Ledger, LedgerError},
    policy::{PointsPolicy, Policy},
    shipment::Shipment,
};

/// The name that entries give this rule.
pub const RULE: &str = "line_amount";

/// What is true of an order and its points.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The order.
    pub order: &'a Order,
    /// Its parcel's way, once it is open.
    pub shipment: Option<&'a Shipment>,
    /// The ledger of its buyer.
    pub ledger: &'a Ledger,
    /// Whether the entry that earns its points is known to be written.
    pub earned: bool,
}

/// A change of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// The entry, unless only a clock was set.
    pub entry: Option<Entry>,
    /// The ledger as it is then.
    pub ledger: Ledger,
}

/// Makes the ledger follow from the order and its parcel: a paid order's
/// points are pending, a delivered one's clock runs out when the return window
/// ends, and stands still when the parcel goes back after all. Nothing to post is `None`: the order is not paid, earns no points, or
/// all is posted.
///
/// Points that matured have left `pending`; then only `facts.earned`, or the
/// condition on the entry's identity, keeps them from being earned again.
///
/// # Errors
/// [`LedgerError::TooManyPending`] or [`LedgerError::TooMany`].
pub fn decide(facts: Facts<'_>, policy: &Policy) -> Result<Option<Posting>, LedgerError> {
    let Facts { order, shipment, ledger, earned } = facts;
    let mut ledger = ledger.clone();
    let pending = ledger.pending.iter().any(|lot| lot.order == order.id);
    let points = of_order(order, &policy.points);
    let entry = match order.paid_at {
        Some(paid_at) if !earned && !pending && points > 0 => {
            let authority = Authority { rule: RULE, policy: policy.version.as_str() };
            Some(ledger.earn(&order.id, points, paid_at, authority)?)
        }
        _ => None,
    };
    let clock_set = match shipment.map(|shipment| shipment.journey.delivered_at) {
        Some(Some(at)) => ledger.start_clock(&order.id, at.plus(policy.points.return_window)),
        Some(None) => ledger.stop_clock(&order.id),
        None => false,
    };
    Ok((entry.is_some() || clock_set).then_some(Posting { entry, ledger }))
}

/// The points of an order: each line's, rounded down, summed.
#[must_use]
pub fn of_order(order: &Order, policy: &PointsPolicy) -> i64 {
    let lines = order.lines.iter().map(|line| policy.of_line(line.total));
    lines.fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{OrderId, ShipmentId},
        money::{Currency, Money},
        order::{OrderLine, OrderStatus},
        points::{Account, Cause},
        product::Sku,
        shipment::Journey,
        text::Text,
        time::{Period, Timestamp},
    };
    use proptest::prelude::*;

    use super::*;

    fn at(day: u16) -> Timestamp {
        Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
    }

    fn member() -> CustomerId {
        CustomerId::member("a").unwrap()
    }

    fn order(totals: &[i64], paid_at: Option<Timestamp>) -> Order {
        let money = |minor| Money::new(minor, Currency::parse("EUR").unwrap()).unwrap();
        let line = |(n, total): (usize, &i64)| OrderLine {
            sku: Sku::parse(&format!("S{n}")).unwrap(),
            title: Text::new("Tea").unwrap(),
            quantity: 1,
            unit_price: money(*total),
            total: money(*total),
        };
        Order {
            id: OrderId::derive(&["1"]),
            customer: member(),
            placed_at: at(0),
            status: if paid_at.is_some() { OrderStatus::Paid } else { OrderStatus::Placed },
            lines: totals.iter().enumerate().map(line).collect(),
            total: money(totals.iter().sum()),
            address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
                .unwrap(),
            contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
            hold_until: at(1),
            expires_at: None,
            payments: Vec::new(),
            paid_at,
            refunds_due: Vec::new(),
            request: "r".to_owned(),
            policy: "1".to_owned(),
        }
    }

    fn shipment(order: &Order, delivered_at: Option<Timestamp>) -> Shipment {
        Shipment {
            id: ShipmentId::derive(&["1"]),
            order: order.id.clone(),
            customer: member(),
            opened_at: at(0),
            tracking: None,
            labelled_at: None,
            journey: Journey { delivered_at, ..Journey::pending() },
        }
    }

    fn policy() -> Policy {
        Policy::default_document().unwrap()
    }

    fn decided(order: &Order, shipment: Option<&Shipment>, ledger: &Ledger) -> Option<Posting> {
        decide(Facts { order, shipment, ledger, earned: false }, &policy()).unwrap()
    }

    #[test]
    fn each_line_is_rounded_down_by_itself() {
        for (totals, points) in
            [(&[1999, 1999][..], 38), (&[99, 99], 0), (&[0], 0), (&[100], 1), (&[12_345], 123)]
        {
            assert_eq!(of_order(&order(totals, None), &policy().points), points, "{totals:?}");
        }
    }

    #[test]
    fn a_paid_order_earns_once_and_an_unpaid_one_nothing() {
        let empty = Ledger::empty(member());
        assert_eq!(decided(&order(&[5_000], None), None, &empty), None);
        assert_eq!(decided(&order(&[99], Some(at(1))), None, &empty), None);
        let paid = order(&[5_000], Some(at(1)));
        let posting = decided(&paid, None, &empty).unwrap();
        let entry = posting.entry.unwrap();
        assert_eq!((entry.at, &entry.cause), (at(1), &Cause::OrderPaid(paid.id.clone())));
        assert_eq!((entry.rule.as_str(), entry.policy), (RULE, policy().version.to_string()));
        assert_eq!(posting.ledger.balance(Account::Pending), 50);
        assert_eq!(posting.ledger.pending[0].matures_at, None);
        assert_eq!(decided(&paid, None, &posting.ledger), None);
    }

    #[test]
    fn the_clock_starts_at_delivery_and_follows_what_becomes_of_it() {
        let paid = order(&[5_000], Some(at(1)));
        let arrived = |day| shipment(&paid, Some(at(day)));
        let both = decided(&paid, Some(&arrived(5)), &Ledger::empty(member())).unwrap();
        assert!(both.entry.is_some());
        assert_eq!(both.ledger.pending[0].matures_at, Some(at(19)));
        assert_eq!(decided(&paid, Some(&arrived(5)), &both.ledger), None);
        let corrected = decided(&paid, Some(&arrived(7)), &both.ledger).unwrap();
        assert_eq!(corrected.entry, None);
        assert_eq!(corrected.ledger.pending[0].matures_at, Some(at(21)));
        let back = decided(&paid, Some(&shipment(&paid, None)), &both.ledger).unwrap();
        assert_eq!((back.entry, back.ledger.pending[0].matures_at), (None, None));
        assert_eq!(decided(&paid, Some(&shipment(&paid, None)), &back.ledger), None);
        assert_eq!(decided(&paid, None, &both.ledger), None);
    }

    #[test]
    fn what_was_earned_and_has_matured_is_left_alone() {
        let paid = order(&[5_000], Some(at(1)));
        let arrived = shipment(&paid, Some(at(5)));
        let empty = Ledger::empty(member());
        let facts = Facts { order: &paid, shipment: Some(&arrived), ledger: &empty, earned: true };
        assert_eq!(decide(facts, &policy()), Ok(None));
    }

    proptest! {
        #[test]
        fn in_any_order_and_number_the_messages_end_in_the_same_ledger(
            totals in prop::collection::vec(0_i64..100_000, 1..5),
            deliveries in prop::collection::vec(0_usize..4, 0..8),
            last in 1_usize..4,
        ) {
            // What may be true when a message is handled: paid, delivered, delivered later, gone back.
            let paid = order(&totals, Some(at(1)));
            let told = |delivered_at| Some(shipment(&paid, delivered_at));
            let states = [None, told(Some(at(5))), told(Some(at(6))), told(None)];
            let mut ledger = Ledger::empty(member());
            for state in deliveries.iter().chain(&[last]) {
                if let Some(posting) = decided(&paid, states[*state].as_ref(), &ledger) {
                    ledger = posting.ledger;
                }
                prop_assert_eq!(ledger.check(), Ok(()));
            }
            let once = decided(&paid, states[last].as_ref(), &Ledger::empty(member()));
            prop_assert_eq!(ledger, once.map_or(Ledger::empty(member()), |posting| posting.ledger));
        }
    }
}
