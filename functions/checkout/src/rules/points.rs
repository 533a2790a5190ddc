//! How many points pay for goods, and how much of them.

use aftercart::model::{
    money::{Currency, Money},
    price::WHOLE,
    programme::spending::OffsetPolicy,
};

/// How many points a member wants to pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointsAsked {
    /// As many as may be used.
    Most,
    /// So many.
    Exactly(i64),
}

/// Points that pay for goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offset {
    /// How many: the fewest that are worth the amount.
    pub points: i64,
    /// What they pay, 1 or more.
    pub amount: Money,
}

/// Why points do not pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OffsetRefusal {
    /// The policy has no offset.
    #[error("Points do not pay for orders in this shop; leave `points` out.")]
    Closed,
    /// The policy has no worth of points in this currency.
    #[error("Points do not pay for orders in {0}; leave `points` out.")]
    Currency(Currency),
    /// More are asked for than the member may spend.
    #[error("You may spend {spendable} points now; use at most so many.")]
    TooFew {
        /// How many there are.
        spendable: i64,
    },
    /// Fewer are asked for than an order may be paid with.
    #[error("Points pay from {least} points on; use at least so many, or none.")]
    BelowLeast {
        /// The fewest.
        least: i64,
    },
    /// More are asked for than may pay for these goods.
    #[error("Points may pay for a part of these goods only; use at most {most} points.")]
    OverShare {
        /// The most, 0 if it is less than the fewest that may be used.
        most: i64,
    },
}

/// The points that pay for goods on which so much is due, of those that the
/// member may spend. So many points are worth their part of what 100 are
/// worth, rounded down; they pay at most the policy's share of what is due,
/// rounded down; and of the points that are worth the same the fewest are
/// used. None are used when none are asked for, or when there are fewer than
/// an order may be paid with and as many as possible are asked for.
///
/// # Errors
/// [`OffsetRefusal`] names what to ask for instead.
pub fn offset(
    policy: Option<&OffsetPolicy>,
    asked: PointsAsked,
    spendable: i64,
    due: Money,
) -> Result<Option<Offset>, OffsetRefusal> {
    let policy = policy.ok_or(OffsetRefusal::Closed)?;
    let currency = due.currency();
    let worth = policy.minor_per_100_points.get(&currency).copied();
    let worth = i64::from(worth.ok_or(OffsetRefusal::Currency(currency))?.max(1));
    let share = i128::from(due.minor().max(0)) * i128::from(policy.max_share) / i128::from(WHOLE);
    // The most points whose worth, rounded down, is not above the share.
    let within = ((share + 1) * 100 - 1) / i128::from(worth);
    let most = i64::try_from(within).unwrap_or(i64::MAX).min(spendable);
    let least = i64::from(policy.least_points).max(fewest_for(1, worth));
    let points = match asked {
        PointsAsked::Most if most < least => return Ok(None),
        PointsAsked::Most => most,
        PointsAsked::Exactly(..=0) => return Ok(None),
        PointsAsked::Exactly(points) if points < least => {
            return Err(OffsetRefusal::BelowLeast { least });
        }
        PointsAsked::Exactly(points) if points > spendable => {
            return Err(OffsetRefusal::TooFew { spendable });
        }
        PointsAsked::Exactly(points) if points > most => {
            return Err(OffsetRefusal::OverShare { most: if most < least { 0 } else { most } });
        }
        PointsAsked::Exactly(points) => points,
    };
    let minor = i64::try_from(i128::from(points) * i128::from(worth) / 100).unwrap_or(i64::MAX);
    // At most the share of an amount that is in range, so in range itself.
    let amount = Money::new(minor, currency).unwrap_or(due);
    Ok(Some(Offset { points: fewest_for(minor, worth), amount }))
}

/// The fewest points that are worth so many minor units, where 100 are worth
/// `worth`: rounded up.
fn fewest_for(minor: i64, worth: i64) -> i64 {
    let points = (i128::from(minor) * 100 + i128::from(worth) - 1) / i128::from(worth);
    i64::try_from(points).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, currency(code)).unwrap()
    }

    fn policy(worth: u32, max_share: u32, least_points: u32) -> OffsetPolicy {
        let minor_per_100_points = BTreeMap::from([(currency("GBP"), worth)]);
        OffsetPolicy { minor_per_100_points, max_share, least_points }
    }

    #[test]
    fn points_pay_within_the_policy() {
        use OffsetRefusal::{BelowLeast, OverShare, TooFew};
        use PointsAsked::{Exactly, Most};
        let paid = |points, amount| Ok(Some((points, amount)));
        for (worth, share, least, asked, spendable, due, expected) in [
            (100, 5_000, 50, Most, 10_000, 8_999, paid(4_499, 4_499)),
            (100, 5_000, 50, Most, 300, 9_000, paid(300, 300)),
            (100, 5_000, 50, Most, 49, 9_000, Ok(None)),
            (100, 5_000, 50, Most, 300, 99, Ok(None)),
            (100, 5_000, 50, Most, -5, 9_000, Ok(None)),
            (100, 5_000, 50, Exactly(0), 300, 9_000, Ok(None)),
            (100, 5_000, 50, Exactly(120), 300, 9_000, paid(120, 120)),
            (100, 5_000, 50, Exactly(49), 300, 9_000, Err(BelowLeast { least: 50 })),
            (100, 5_000, 50, Exactly(301), 300, 9_000, Err(TooFew { spendable: 300 })),
            (100, 5_000, 50, Exactly(121), 300, 240, Err(OverShare { most: 120 })),
            (100, 5_000, 50, Exactly(51), 300, 99, Err(OverShare { most: 0 })),
            (100, 10_000, 0, Most, 300, 99, paid(99, 99)),
            (100, 10_000, 0, Most, 300, 0, Ok(None)),
            // 100 points for one minor unit: parts of a hundred are not used.
            (1, 10_000, 0, Exactly(199), 300, 99, paid(100, 1)),
            (1, 10_000, 0, Exactly(99), 300, 99, Err(BelowLeast { least: 100 })),
            // One point for 2.5: the worth is rounded down.
            (250, 10_000, 0, Exactly(3), 300, 99, paid(3, 7)),
            (250, 10_000, 0, Most, 300, 6, paid(2, 5)),
        ] {
            let policy = policy(worth, share, least);
            let got = offset(Some(&policy), asked, spendable, money(due, "GBP"));
            let got = got.map(|paid| paid.map(|it| (it.points, it.amount.minor())));
            assert_eq!(got, expected, "{asked:?} of {spendable} for {due}");
        }
    }

    #[test]
    fn where_points_do_not_pay_the_refusal_says_so() {
        let asked = PointsAsked::Most;
        let closed = offset(None, asked, 300, money(99, "GBP"));
        assert_eq!(closed, Err(OffsetRefusal::Closed));
        let other = offset(Some(&policy(100, 5_000, 1)), asked, 300, money(99, "JPY"));
        assert_eq!(other, Err(OffsetRefusal::Currency(currency("JPY"))));
    }

    proptest! {
        #[test]
        fn as_many_as_may_be_is_the_best_that_anybody_could_ask_for(
            worth in 1_u32..1_000, share in 1_u32..=10_000, least in 0_u32..200,
            spendable in 0_i64..2_000, due in 0_i64..10_000, asked in 1_i64..2_000,
        ) {
            let policy = policy(worth, share, least);
            let due = money(due, "GBP");
            let of = |asked| offset(Some(&policy), asked, spendable, due);
            let most = of(PointsAsked::Most).unwrap();
            let paid = most.iter().copied().chain(of(PointsAsked::Exactly(asked)).ok().flatten());
            for Offset { points, amount } in paid {
                prop_assert!(points <= spendable);
                prop_assert!(amount.minor() >= 1);
                prop_assert!(amount.minor() * 10_000 <= due.minor() * i64::from(share));
                prop_assert_eq!(amount.minor(), points * i64::from(worth) / 100);
                prop_assert!((points - 1) * i64::from(worth) / 100 < amount.minor(), "the fewest");
            }
            if let Ok(Some(exactly)) = of(PointsAsked::Exactly(asked)) {
                prop_assert!(most.is_some_and(|most| most.amount.minor() >= exactly.amount.minor()));
            }
            if let Err(OffsetRefusal::OverShare { most: named }) = of(PointsAsked::Exactly(asked)) {
                prop_assert!(named == 0 || of(PointsAsked::Exactly(named)).is_ok_and(|it| it.is_some()));
            }
        }

        #[test]
        fn no_number_is_too_large(
            worth in 1_u32..=1_000_000, asked in any::<i64>(), spendable in any::<i64>(),
            due in 0..=aftercart::model::money::MAX_MINOR,
        ) {
            let policy = policy(worth, 10_000, 0);
            for asked in [PointsAsked::Most, PointsAsked::Exactly(asked)] {
                if let Ok(Some(paid)) = offset(Some(&policy), asked, spendable, money(due, "GBP")) {
                    prop_assert!(paid.amount.minor() <= due);
                }
            }
        }
    }
}
