//! What becomes of an order's points when it is called off after it was paid,
//! or units of it, or when money goes back for units that the buyer has.
//!
//! How much is undone is a function of the order as it stands. Units that are
//! called off or given back stay so, so it only grows; what was undone before is
//! kept beside the entries, and the difference is moved. Whatever the steps in
//! which units go, and however many of them one look at the order sees, the
//! differences sum to the same.

use aftercart::model::{
    order::{Order, OrderLine, OrderStatus},
    points::{Lot, LotPart},
};

/// For how many units of a line the money went back: they were called off, or
/// an operator gave it back.
fn units(order: &Order, line: &OrderLine) -> u32 {
    match order.status {
        OrderStatus::Cancelled => line.quantity,
        _ => line.off().min(line.quantity),
    }
}

/// Whether an order was paid, and it or units of it were called off or given
/// back since.
#[must_use]
pub fn applies(order: &Order) -> bool {
    order.paid_at.is_some() && order.lines.iter().any(|line| units(order, line) > 0)
}

/// How many of the points that an order earned, line by line, are to be taken
/// back in all: of each line the share of the units that are off.
#[must_use]
pub fn taken(order: &Order, earned: &[i64]) -> i64 {
    let lines = order.lines.iter().zip(earned);
    lines.map(|(line, points)| line.share(*points, units(order, line))).sum()
}

/// How many of the points that paid for an order are to come back in all: in
/// proportion to what they paid for the units that are off, rounded down. Those
/// that paid for the delivery come back with the last unit that was bought:
/// gifts are not given back.
#[must_use]
pub fn returned(order: &Order) -> i64 {
    let Some(points) = &order.points else { return 0 };
    let mut bought = order.lines.iter().filter(|line| line.gift.is_none());
    if bought.all(|line| units(order, line) == line.quantity) {
        return points.points;
    }
    let goods = points.points.saturating_sub(order.delivery.points);
    let lines = order.lines.iter();
    let off: i64 = lines.map(|line| line.share(line.points.minor(), units(order, line))).sum();
    let exact = i128::from(goods) * i128::from(off);
    let back = exact.checked_div(i128::from(points.amount.minor())).unwrap_or(0);
    i64::try_from(back).unwrap_or(goods)
}

/// What is paid in money for the units of an order that are not off, in minor
/// units: of each line the difference of its whole and the share of those that
/// are off.
#[must_use]
pub fn paid(order: &Order) -> i64 {
    let of = |line: &OrderLine| {
        let whole = line.total.minor().saturating_sub(line.points.minor()).max(0);
        whole.saturating_sub(line.share(whole, units(order, line)))
    };
    order.lines.iter().map(of).fold(0, i64::saturating_add)
}

/// The lots that come back when of the points that were taken in these parts
/// of lots `before` came back earlier and `now` are to be back: those that end
/// last come back first. `as_lot` says with which end.
#[must_use]
pub fn returning(
    taken: &[LotPart],
    before: i64,
    now: i64,
    as_lot: impl Fn(&LotPart) -> Lot,
) -> Vec<Lot> {
    let (mut skipped, mut wanted) = (before, now.saturating_sub(before));
    let mut back: Vec<Lot> = Vec::new();
    for part in taken.iter().rev() {
        let took = part.points.saturating_neg().max(0);
        let points = took.saturating_sub(skipped).clamp(0, wanted.max(0));
        skipped = skipped.saturating_sub(took).max(0);
        wanted -= points;
        if points > 0 {
            back.push(Lot { points, ..as_lot(part) });
        }
    }
    back.reverse();
    back
}

#[cfg(test)]
mod tests {
    use aftercart::model::{order::OrderPoints, points::total, price::RuleId};
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fixtures::{at, money, order};

    /// A paid order of lines of quantity, share of what points pay and called
    /// off units, with so many points, some of them for the delivery.
    fn called_off(lines: &[(u32, i64, u32)], points: i64, delivery: i64) -> Order {
        let mut order = order(&vec![10_000; lines.len()], Some(at(1)));
        for (line, (quantity, share, cancelled)) in order.lines.iter_mut().zip(lines) {
            (line.quantity, line.points, line.cancelled) = (*quantity, money(*share), *cancelled);
        }
        let amount = money(lines.iter().map(|(_, share, _)| share).sum());
        order.points = (points > 0).then_some(OrderPoints { points, amount, account: None });
        order.delivery.points = delivery;
        order
    }

    #[test]
    fn what_is_undone_follows_from_the_units_that_are_called_off() {
        for (lines, points, delivery, taken_back, back) in [
            (&[(3, 300, 0), (1, 100, 0)][..], 400, 0, 0, 0),
            (&[(3, 300, 1), (1, 100, 0)], 400, 0, 33, 100),
            (&[(3, 300, 2), (1, 100, 0)], 400, 0, 66, 200),
            (&[(3, 300, 3), (1, 100, 0)], 400, 0, 100, 300),
            (&[(3, 300, 3), (1, 100, 1)], 400, 0, 110, 400),
            (&[(3, 300, 3), (1, 100, 0)], 450, 50, 100, 300),
            (&[(3, 300, 3), (1, 100, 1)], 450, 50, 110, 450),
            (&[(3, 0, 3), (1, 0, 0)], 50, 50, 100, 0),
            (&[(3, 0, 3), (1, 0, 1)], 50, 50, 110, 50),
            (&[(3, 0, 3), (1, 0, 1)], 0, 0, 110, 0),
        ] {
            let order = called_off(lines, points, delivery);
            assert_eq!(taken(&order, &[100, 10]), taken_back, "{lines:?}");
            assert_eq!(returned(&order), back, "{lines:?} {points}");
        }
        let mut whole = called_off(&[(3, 300, 1), (1, 100, 0)], 450, 50);
        whole.status = OrderStatus::Cancelled;
        assert_eq!((taken(&whole, &[100, 10]), returned(&whole)), (110, 450));
    }

    #[test]
    fn units_that_are_given_back_count_as_those_that_are_called_off() {
        let mut order = called_off(&[(3, 300, 1), (1, 0, 0)], 350, 50);
        order.lines[1].gift = RuleId::parse("gift").ok();
        order.lines[0].refunded = 1;
        assert_eq!((taken(&order, &[100, 0]), returned(&order)), (66, 200));
        order.lines[0].refunded = 2;
        assert_eq!((taken(&order, &[100, 0]), returned(&order)), (100, 350), "the gift is kept");
    }

    #[test]
    fn only_a_paid_order_has_something_to_undo() {
        let mut order = called_off(&[(3, 0, 0)], 0, 0);
        assert!(!applies(&order));
        order.status = OrderStatus::Cancelled;
        assert!(applies(&order));
        order.paid_at = None;
        assert!(!applies(&order));
    }

    #[test]
    fn what_ends_last_comes_back_first() {
        let part = |day, points| Lot::new(points, at(0), at(day)).part(-points);
        let taken = [part(10, 100), part(40, 50), part(90, 20)];
        let keep = |part: &LotPart| Lot::new(0, part.granted_at, part.expires_at);
        for (before, now, back) in [
            (0, 0, vec![]),
            (0, 20, vec![(90, 20)]),
            (20, 60, vec![(40, 40)]),
            (10, 170, vec![(10, 100), (40, 50), (90, 10)]),
            (170, 170, vec![]),
            (60, 20, vec![]),
        ] {
            let lots: Vec<Lot> =
                back.iter().map(|(day, points)| Lot::new(*points, at(0), at(*day))).collect();
            assert_eq!(returning(&taken, before, now, keep), lots, "{before} {now}");
        }
    }

    proptest! {
        #[test]
        fn any_sequence_of_steps_sums_to_the_whole(
            lines in prop::collection::vec((1_u32..50, 0_i64..5_000, 0_i64..1_000), 1..6),
            steps in prop::collection::vec((0_usize..6, 1_u32..20, any::<bool>()), 0..30),
            delivery in 0_i64..500,
            goods in 0_i64..5_000,
        ) {
            let paid: Vec<_> = lines.iter().map(|(quantity, share, _)| (*quantity, *share, 0)).collect();
            let earned: Vec<i64> = lines.iter().map(|(_, _, earned)| *earned).collect();
            let mut order = called_off(&paid, goods + delivery, delivery);
            let part = |day, points: i64| Lot::new(points, at(0), at(day)).part(-points);
            let whole = goods + delivery;
            let lots: Vec<LotPart> =
                (0_u16..7).map(|day| part(day, whole / 7)).chain([part(9, whole % 7)]).collect();
            let keep = |part: &LotPart| Lot::new(0, part.granted_at, part.expires_at);
            let (mut took, mut back, mut came) = (0, 0, 0);
            let step = |order: &mut Order, line: usize, units: u32, refunded: bool| {
                if let Some(line) = order.lines.get_mut(line) {
                    let units = units.min(line.quantity - line.off());
                    *if refunded { &mut line.refunded } else { &mut line.cancelled } += units;
                }
            };
            let rest = (0..6).map(|line| (line, 50, delivery % 2 == 0));
            for (line, units, refunded) in steps.into_iter().chain(rest) {
                step(&mut order, line, units, refunded);
                let (takes, gives) = (taken(&order, &earned), returned(&order));
                prop_assert!(takes >= took && gives >= back, "it only grows");
                came += total(&returning(&lots, back, gives, keep));
                (took, back) = (takes, gives);
                prop_assert_eq!(came, back);
            }
            prop_assert_eq!(took, earned.iter().sum::<i64>());
            prop_assert_eq!(back, goods + delivery);
        }
    }
}
