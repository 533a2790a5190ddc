//! What an operator gives back of a paid order whose goods are not called off.
//!
//! All that is asked is a target: so many units, the delivery, so much goodwill
//! in all. What went back before counts, so asking again changes nothing. No
//! more goes back than was paid, whatever the causes and their sequence.

use aftercart::model::{
    money::Money,
    order::{Deed, Order, OrderLine, OrderStatus, RefundCause},
};

use super::change::{By, Refusal, Units, at_most, due, left, paid_for, roomy, targets};

/// What is to have gone back in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// For how many units of which lines; those that were called off do not count.
    pub lines: Vec<Units>,
    /// For the delivery, all that was paid for it.
    pub delivery: bool,
    /// Beyond goods and delivery.
    pub goodwill: Option<Money>,
}

/// The order with what goes back of it now. Nothing to do when all of it went
/// back before. For units and the delivery goes back what was paid for them, or
/// what is left of it where goodwill went back before; goodwill beyond what is
/// left is refused.
///
/// # Errors
/// [`Refusal`].
pub fn decide(order: &Order, wanted: &Wanted, by: &By) -> Result<Option<Order>, Refusal> {
    match order.status {
        OrderStatus::Paid => {}
        OrderStatus::Placed => return Err(Refusal::NotPaid),
        OrderStatus::Cancelled | OrderStatus::Expired => return Err(Refusal::Ended(order.status)),
    }
    let less = |from: Money, amount| from.minus(amount).map_err(|_| Refusal::Inconsistent);
    let left = left(order)?;
    let (lines, goods) = goods(order, &wanted.lines)?;
    let goods = at_most(goods, left);
    let left = less(left, goods)?;
    let delivery = match wanted.delivery {
        true => at_most(delivery(order)?, left),
        false => Money::zero(left.currency()),
    };
    let left = less(left, delivery)?;
    let goodwill = goodwill(order, wanted.goodwill)?;
    if goodwill.minor() > left.minor() {
        return Err(Refusal::MoreThanPaid(left));
    }
    if lines == order.lines && [delivery, goodwill].iter().all(|amount| amount.minor() == 0) {
        return Ok(None);
    }
    let changed = Order { lines, ..roomy(order, Deed::Refunded, by)? };
    let changed = due(changed, goods, RefundCause::Returned)?;
    let changed = due(changed, delivery, RefundCause::Delivery)?;
    due(changed, goodwill, RefundCause::Goodwill).map(Some)
}

/// The lines with so many units given back, and the money for those that were
/// not before.
fn goods(order: &Order, asked: &[Units]) -> Result<(Vec<OrderLine>, Money), Refusal> {
    let most = |line: &OrderLine| line.quantity.saturating_sub(line.cancelled);
    let targets = targets(order, asked, Deed::Refunded, most)?;
    let mut lines = order.lines.clone();
    let mut back = Money::zero(order.total.currency());
    for line in lines.iter_mut().filter(|line| line.gift.is_none()) {
        let units = targets.get(&line.sku).copied().unwrap_or(0).max(line.refunded);
        let off = line.cancelled.saturating_add(units);
        let more = paid_for(line, off, order.tax_included)?;
        back = back.plus(more).map_err(|_| Refusal::Inconsistent)?;
        line.refunded = units;
    }
    Ok((lines, back))
}

/// What was paid for the delivery, if nothing went back for it: the total, less
/// what was paid for the lines.
fn delivery(order: &Order) -> Result<Money, Refusal> {
    if given(order, RefundCause::Delivery)?.minor() > 0 {
        return Ok(Money::zero(order.total.currency()));
    }
    let mut rest = order.total;
    for line in &order.lines {
        let whole = OrderLine { cancelled: 0, refunded: 0, ..line.clone() };
        let paid = paid_for(&whole, line.quantity, order.tax_included)?;
        rest = rest.minus(paid).map_err(|_| Refusal::Inconsistent)?;
    }
    Ok(rest)
}

/// What is missing of so much goodwill in all.
fn goodwill(order: &Order, all: Option<Money>) -> Result<Money, Refusal> {
    let nothing = Money::zero(order.total.currency());
    let Some(all) = all else { return Ok(nothing) };
    if all.currency() != nothing.currency() {
        return Err(Refusal::OtherCurrency(nothing.currency()));
    }
    let more = all.minus(given(order, RefundCause::Goodwill)?);
    Ok(more.ok().filter(|more| more.minor() > 0).unwrap_or(nothing))
}

/// What went back, or is to go back, for a cause.
fn given(order: &Order, cause: RefundCause) -> Result<Money, Refusal> {
    let of_cause = order.refunds_due.iter().filter(|due| due.cause == cause);
    let nothing = Money::zero(order.total.currency());
    let sum = of_cause.map(|due| due.amount).try_fold(nothing, Money::plus);
    sum.map_err(|_| Refusal::Inconsistent)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aftercart::model::{
        money::Currency,
        order::{Actor, MAX_HISTORY},
        price::RuleId,
        text::Text,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::change::{
        cancel, cancel_units,
        tests::{by, dispatch, line, lines, money, off, paid, placed, refunds, sku, two_lines},
    };

    fn eve() -> By {
        by(Actor::Operator(Text::new("eve").unwrap()))
    }

    fn units(units: &[(usize, u32)]) -> Wanted {
        Wanted { lines: off(units), delivery: false, goodwill: None }
    }

    fn goodwill(amount: i64) -> Wanted {
        Wanted { goodwill: Some(money(amount)), ..units(&[]) }
    }

    fn given_back(order: &Order, wanted: &Wanted) -> Order {
        let after = decide(order, wanted, &eve()).unwrap().unwrap();
        assert_eq!(decide(&after, wanted, &eve()), Ok(None), "all of it is asked for in all");
        after
    }

    #[test]
    fn each_cause_goes_back_once() {
        // 290 and 180 were paid for the lines, and 399 for the delivery.
        let order = paid(two_lines(), true);
        let delivery = Wanted { delivery: true, ..units(&[]) };
        let all = Wanted { lines: off(&[(0, 2)]), ..Wanted { delivery: true, ..goodwill(50) } };
        for (wanted, back) in [
            (units(&[(0, 1)]), vec![(RefundCause::Returned, 96)]),
            (units(&[(1, 2)]), vec![(RefundCause::Returned, 180)]),
            (delivery, vec![(RefundCause::Delivery, 399)]),
            (goodwill(869), vec![(RefundCause::Goodwill, 869)]),
            (
                all,
                vec![
                    (RefundCause::Returned, 193),
                    (RefundCause::Delivery, 399),
                    (RefundCause::Goodwill, 50),
                ],
            ),
        ] {
            let after = given_back(&order, &wanted);
            let dues = after.refunds_due.iter();
            let dues: Vec<_> = dues.map(|due| (due.cause, due.amount.minor())).collect();
            assert_eq!(dues, back);
            assert_eq!((after.history.len(), after.history[0].what), (1, Deed::Refunded));
            assert_eq!(after.taken(), order.taken(), "the goods are not called off");
        }
        let on_top = given_back(&paid(two_lines(), false), &units(&[(0, 3)]));
        assert_eq!(refunds(&on_top), 338);
        assert_eq!(decide(&order, &units(&[(0, 0)]), &eve()), Ok(None));
    }

    #[test]
    fn more_is_refused() {
        let order = paid(two_lines(), true);
        let some = cancel_units(&order, None, &off(&[(0, 1)]), &eve()).unwrap().unwrap();
        let euros = Money::new(1, Currency::parse("EUR").unwrap()).unwrap();
        let euros = Wanted { goodwill: Some(euros), ..units(&[]) };
        let has = |has| Refusal::TooMany { line: 0, sku: sku(0), has, deed: Deed::Refunded };
        let unknown = Refusal::UnknownLine { line: 0, sku: sku(7) };
        let with = |status| Order { status, ..order.clone() };
        for (order, wanted, refusal) in [
            (&placed(two_lines(), true), units(&[(0, 1)]), Refusal::NotPaid),
            (&with(OrderStatus::Cancelled), goodwill(1), Refusal::Ended(OrderStatus::Cancelled)),
            (&with(OrderStatus::Expired), goodwill(1), Refusal::Ended(OrderStatus::Expired)),
            (&order, units(&[(0, 4)]), has(3)),
            (&some, units(&[(0, 3)]), has(2)),
            (&order, units(&[(7, 1)]), unknown),
            (&order, euros, Refusal::OtherCurrency(money(0).currency())),
            (&order, goodwill(870), Refusal::MoreThanPaid(money(869))),
            (&some, goodwill(870), Refusal::MoreThanPaid(money(773))),
            (
                &order,
                Wanted { lines: off(&[(1, 2)]), ..goodwill(690) },
                Refusal::MoreThanPaid(money(689)),
            ),
        ] {
            assert_eq!(decide(order, &wanted, &eve()), Err(refusal));
        }
        let rule = RuleId::parse("gift").unwrap();
        let gift = paid(vec![OrderLine { gift: Some(rule), ..line(0, 1, (100, 0, 0)) }], true);
        let unknown = Refusal::UnknownLine { line: 0, sku: sku(0) };
        assert_eq!(decide(&gift, &units(&[(0, 1)]), &eve()), Err(unknown));
    }

    #[test]
    fn a_full_history_takes_what_it_has_already() {
        let mut order = given_back(&paid(two_lines(), true), &units(&[(0, 1)]));
        let happening = order.history[0].clone();
        order.history.resize(MAX_HISTORY, happening);
        assert_eq!(decide(&order, &units(&[(0, 1)]), &eve()), Ok(None));
        assert_eq!(decide(&order, &units(&[(0, 2)]), &eve()), Err(Refusal::TooOften));
    }

    #[test]
    fn an_order_that_was_given_back_is_called_off_until_it_leaves() {
        let order = paid(two_lines(), true);
        for wanted in
            [units(&[(0, 1)]), goodwill(869), Wanted { delivery: true, ..units(&[(0, 3), (1, 2)]) }]
        {
            let after = given_back(&order, &wanted);
            let ended = cancel(&after, None, &eve()).unwrap().unwrap();
            assert_eq!((ended.status, refunds(&ended)), (OrderStatus::Cancelled, 869));
            assert!(ended.taken().is_empty());
            let labelled = dispatch(&after, true);
            assert_eq!(cancel(&after, Some(&labelled), &eve()), Err(Refusal::Labelled));
        }
        // What is left to call off is less, and nothing of it is paid back twice.
        let some = given_back(&order, &units(&[(0, 2)]));
        let (by, rest) = (eve(), off(&[(0, 1), (1, 2)]));
        let ended = cancel_units(&some, None, &rest, &by).unwrap().unwrap();
        assert_eq!((ended.status, refunds(&ended)), (OrderStatus::Cancelled, 869));
    }

    proptest! {
        #[test]
        fn no_sequence_gives_back_more_than_was_paid_and_all_of_it_is_exact(
            lines in lines(),
            tax_included: bool,
            steps in prop::collection::vec((0_usize..6, 0_u32..20, 0_i64..3_000, 0_u8..4), 0..30),
        ) {
            let mut order = paid(lines, tax_included);
            let mut goodwill_given = false;
            for (of, number, amount, what) in steps {
                let asked = [(of, number)];
                let after = match what {
                    0 => cancel_units(&order, None, &off(&asked), &eve()),
                    1 => decide(&order, &units(&asked), &eve()),
                    2 => decide(&order, &Wanted { delivery: true, ..units(&asked) }, &eve()),
                    _ => decide(&order, &goodwill(amount), &eve()),
                };
                let Ok(Some(after)) = after else { continue };
                goodwill_given |= what == 3;
                prop_assert!(refunds(&after) >= refunds(&order), "money never comes back");
                prop_assert!(refunds(&after) <= after.total.minor());
                prop_assert!(after.lines.iter().all(|line| line.off() <= line.quantity));
                if after.status == OrderStatus::Paid && !goodwill_given {
                    let delivered = given(&after, RefundCause::Delivery).unwrap().minor();
                    let shares = after.lines.iter().map(|line| {
                        let on_top = if tax_included { 0 } else { line.tax.minor() };
                        line.share(line.total.minor() + on_top - line.points.minor(), line.off())
                    });
                    prop_assert_eq!(refunds(&after), shares.sum::<i64>() + delivered);
                }
                order = after;
            }
            let rest = order.lines.iter().enumerate();
            let rest: Vec<_> = rest.map(|(at, line)| (at, line.quantity - line.cancelled)).collect();
            let all = Wanted { delivery: true, ..units(&rest) };
            let whole = match order.status {
                OrderStatus::Paid => decide(&order, &all, &eve()).unwrap().unwrap_or(order.clone()),
                _ => order.clone(),
            };
            let ended = cancel(&order, None, &eve()).unwrap().unwrap_or(order);
            for order in [whole, ended] {
                prop_assert_eq!(refunds(&order), order.total.minor());
                let ids: BTreeSet<_> = order.refunds_due.iter().map(|due| &due.id).collect();
                prop_assert_eq!(ids.len(), order.refunds_due.len());
            }
        }
    }
}
