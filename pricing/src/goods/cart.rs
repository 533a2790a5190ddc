//! A cart while its price is being worked out.

use aftercart::model::{
    money::{Currency, MAX_MINOR, Money},
    order::{MAX_LINES, MAX_QUANTITY},
    price::{GoodsFilter, WHOLE},
};

use super::{Asked, Good, PriceError};

/// A line while discounts are taken off it. Amounts are minor units.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub(super) good: &'a Good,
    pub(super) quantity: u32,
    /// Its place among the lines as they were asked for.
    pub(super) place: usize,
    /// The list price of one unit.
    pub(super) list: i64,
    /// The price that no discount takes a unit below, at most the list price.
    pub(super) floor: i64,
    /// What the line costs so far.
    pub(super) amount: i64,
    /// Units that no line promotion used yet, as price and count, dearest first.
    pub(super) free: Vec<(i64, u32)>,
}

impl Row<'_> {
    pub(super) fn covered_by(&self, filter: &GoodsFilter) -> bool {
        self.good.covered_by(filter)
    }

    /// What may still be taken off.
    fn room(&self) -> i64 {
        (self.amount - self.floor.saturating_mul(i64::from(self.quantity))).max(0)
    }
}

/// The lines in the order of their SKUs, so that nothing depends on the order
/// in which they were asked for.
#[derive(Debug, Clone)]
pub(super) struct Cart<'a> {
    pub(super) currency: Currency,
    pub(super) rows: Vec<Row<'a>>,
    /// What `max_discount` leaves to be taken off.
    pub(super) budget: i64,
}

/// What was taken off, line by line, and what was not because of limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Taken {
    pub(super) shares: Vec<i64>,
    pub(super) cut_by_floor: i64,
    pub(super) cut_by_maximum: i64,
}

impl Taken {
    pub(super) fn amount(&self) -> i64 {
        self.shares.iter().sum()
    }
}

impl<'a> Cart<'a> {
    /// The cart at list prices.
    pub(super) fn new(asked: &Asked<'a>, max_discount: u32) -> Result<Self, PriceError> {
        if asked.lines.len() > MAX_LINES {
            return Err(PriceError::TooManyLines { most: MAX_LINES });
        }
        let currency = asked.lines.first().ok_or(PriceError::Empty)?.0.list.currency();
        let mut rows = Vec::with_capacity(asked.lines.len());
        let mut total = Money::zero(currency);
        for (line, (good, quantity)) in asked.lines.iter().enumerate() {
            let row = row(line, good, *quantity, currency)?;
            let list = good.list.times(*quantity);
            total = list.and_then(|list| total.plus(list)).map_err(|_| PriceError::TooLarge)?;
            rows.push(row);
        }
        rows.sort_by(|a, b| a.good.sku.cmp(&b.good.sku).then(a.place.cmp(&b.place)));
        if let Some((_, second)) =
            rows.iter().zip(rows.iter().skip(1)).find(|(a, b)| a.good.sku == b.good.sku)
        {
            let (line, sku) = (second.place, second.good.sku.clone());
            return Err(PriceError::Repeated { line, sku });
        }
        let budget = part_down(total.minor(), max_discount);
        Ok(Self { currency, rows, budget })
    }

    /// The lines that a filter covers.
    pub(super) fn covered(&self, filter: &GoodsFilter) -> Vec<bool> {
        self.rows.iter().map(|row| row.covered_by(filter)).collect()
    }

    /// What covered lines cost so far, the others nothing.
    pub(super) fn amounts(&self, covered: &[bool]) -> Vec<i64> {
        let amounts = self.rows.iter().zip(covered);
        amounts.map(|(row, covered)| if *covered { row.amount } else { 0 }).collect()
    }

    /// Shares an amount over the lines by weights; nothing, if there is no weight.
    pub(super) fn shared(&self, amount: i64, weights: &[i64]) -> Result<Vec<i64>, PriceError> {
        if weights.iter().all(|weight| *weight == 0) {
            return Ok(vec![0; weights.len()]);
        }
        let shares = Money::new(amount, self.currency).and_then(|amount| amount.split(weights));
        let shares = shares.map_err(|_| PriceError::TooLarge)?;
        Ok(shares.into_iter().map(Money::minor).collect())
    }

    /// Takes shares off the lines: of each what its floor allows, and of all
    /// together what the maximum allows, shared anew.
    pub(super) fn take(&mut self, wanted: &[i64]) -> Result<Taken, PriceError> {
        let allowed: Vec<i64> =
            self.rows.iter().zip(wanted).map(|(row, share)| row.room().min(*share)).collect();
        let sum: i64 = allowed.iter().sum();
        let shares = if sum > self.budget { self.shared(self.budget, &allowed)? } else { allowed };
        for (row, share) in self.rows.iter_mut().zip(&shares) {
            row.amount -= share;
        }
        let taken: i64 = shares.iter().sum();
        self.budget -= taken;
        let cut_by_floor = wanted.iter().sum::<i64>() - sum;
        Ok(Taken { shares, cut_by_floor, cut_by_maximum: sum - taken })
    }
}

fn row<'a>(
    line: usize,
    good: &'a Good,
    quantity: u32,
    currency: Currency,
) -> Result<Row<'a>, PriceError> {
    let sku = || good.sku.clone();
    if good.list.currency() != currency {
        return Err(PriceError::MixedCurrencies { line, sku: sku() });
    }
    if !(1..=MAX_QUANTITY).contains(&quantity) {
        return Err(PriceError::Quantity { line, most: MAX_QUANTITY });
    }
    let list = good.list.minor();
    let floor = good.floor.unwrap_or(0);
    if list < 0 || floor < 0 {
        return Err(PriceError::Negative { line, sku: sku() });
    }
    let amount = list.saturating_mul(i64::from(quantity)).min(MAX_MINOR);
    let free = vec![(list, quantity)];
    Ok(Row { good, quantity, place: line, list, floor: floor.min(list), amount, free })
}

/// A part of an amount in basis points, rounded half up.
pub(super) fn part(amount: i64, basis_points: u32) -> i64 {
    let whole = i64::from(WHOLE);
    amount.saturating_mul(i64::from(basis_points)).saturating_add(whole / 2) / whole
}

/// A part of an amount in basis points, rounded down.
pub(super) fn part_down(amount: i64, basis_points: u32) -> i64 {
    amount.saturating_mul(i64::from(basis_points)) / i64::from(WHOLE)
}
