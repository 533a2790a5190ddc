//! Recomputing a price from its explanation.

use aftercart::model::money::{Money, MoneyError};

use super::Priced;

/// What amounts come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// List prices.
    pub list: Money,
    /// What rules take off.
    pub discount: Money,
    /// What is left.
    pub total: Money,
}

/// What a priced cart comes to, recomputed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums {
    /// Of each line.
    pub lines: Vec<Sum>,
    /// Of all lines.
    pub whole: Sum,
}

/// Works out what a priced cart comes to from the lines' list prices and
/// quantities and the applied rules' shares, and from nothing else.
///
/// # Errors
/// When an amount is out of bounds, or a rule has another number of shares
/// than there are lines: then it is not what [`super::price`] gave.
pub fn recompute(priced: &Priced) -> Result<Sums, MoneyError> {
    let zero = Money::zero(priced.currency);
    let mut lines = Vec::with_capacity(priced.lines.len());
    let mut whole = Sum { list: zero, discount: zero, total: zero };
    if priced.applied.iter().any(|applied| applied.shares.len() != priced.lines.len()) {
        return Err(MoneyError::Weights);
    }
    for (number, line) in priced.lines.iter().enumerate() {
        let list = line.good.list.times(line.quantity)?;
        let shares = priced.applied.iter().filter_map(|applied| applied.shares.get(number));
        let discount: i64 = shares.fold(0, |sum, share| sum.saturating_add(*share));
        let discount = Money::new(discount, priced.currency)?;
        let total = list.minus(discount)?;
        whole = Sum {
            list: whole.list.plus(list)?,
            discount: whole.discount.plus(discount)?,
            total: whole.total.plus(total)?,
        };
        lines.push(Sum { list, discount, total });
    }
    Ok(Sums { lines, whole })
}

impl Priced {
    /// Whether the price is the one that its explanation gives.
    #[must_use]
    pub fn is_explained(&self) -> bool {
        let of = |list, discount, total| Sum { list, discount, total };
        let lines = self.lines.iter().map(|line| of(line.list, line.discount, line.total));
        let whole = of(self.list, self.discount, self.total);
        recompute(self) == Ok(Sums { lines: lines.collect(), whole })
    }
}
