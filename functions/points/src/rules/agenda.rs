//! When something of a ledger is to be done next.

use aftercart::model::{
    points::{Holder, Ledger},
    policy::Policy,
    time::{Period, Timestamp},
};

use super::membership;

/// How often a linked account is looked at in which points are held for an
/// order: what an order that is not paid gives up is free without a message.
/// Such an order waits for minutes, and what flows an hour later than it might
/// is missed by nobody.
const FREED_EVERY: Period = Period::of_seconds(3_600);

/// The earliest moment, as things stand at `now`, at which time changes a
/// ledger: a hold ends, a lot does or is told of, the tier is looked at. None
/// if time alone changes nothing. What return windows ask lies in the items of
/// the earnings.
#[must_use]
pub fn due(ledger: &Ledger, policy: &Policy, now: Timestamp) -> Option<Timestamp> {
    let holds = ledger.holds.values().filter_map(|held| held.until);
    let for_order = |holder: &Holder| matches!(holder, Holder::Order(_));
    let frees = ledger.link.into.is_some() && ledger.holds.keys().any(for_order);
    let frees = frees.then(|| now.plus(FREED_EVERY));
    holds.chain(membership::due(ledger, policy, now)).chain(frees).min()
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{HoldId, LinkId, OrderId, RedemptionId},
        points::Lot,
    };

    use super::*;
    use crate::rules::fixtures::{at, granted, member};

    #[test]
    fn what_is_held_in_a_linked_account_stands_in_nobodys_way() {
        let policy = Policy::default_document().unwrap();
        let main = CustomerId::member("main").unwrap();
        let order = Holder::Order(OrderId::derive(&["1"]));
        let soon = at(1).plus(FREED_EVERY);
        for (holder, until, linked, expected) in [
            (Holder::Till(HoldId::derive(&["1"])), Some(at(2)), true, Some(at(2))),
            (Holder::Redemption(RedemptionId::derive(&["1"])), None, true, None),
            (order.clone(), None, true, Some(soon)),
            (order, None, false, None),
        ] {
            let mut ledger = Ledger::empty(member());
            granted(&mut ledger, Lot::new(10, at(0), at(300)));
            let without = due(&ledger, &policy, at(1));
            ledger.hold(holder, 4, until).unwrap();
            ledger.link.into = linked.then(|| (main.clone(), LinkId::derive(&["1"])));
            let expected = expected.into_iter().chain(without).min();
            assert_eq!(due(&ledger, &policy, at(1)), expected, "{until:?} {linked}");
        }
    }
}
