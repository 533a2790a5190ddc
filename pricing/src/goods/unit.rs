//! Unit prices: the lowest of those that apply, within limits.

use std::collections::BTreeMap;

use aftercart::model::{
    money::Currency,
    price::{Effect, QuotaKey},
};

use super::{
    Reason,
    cart::{Cart, Row, Taken, part, part_down},
    limit,
    scope::Offer,
};

/// Units of a line at one price, and the number of the rule that made it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lot {
    pub(super) quantity: u32,
    pub(super) unit: i64,
    pub(super) rule: Option<usize>,
}

/// What a rule did.
#[derive(Debug, Clone)]
pub(super) struct UnitOffer {
    pub(super) taken: Taken,
    /// So many units got its price.
    pub(super) units: u32,
    /// Why there were not more, if there could have been.
    pub(super) reason: Option<Reason>,
}

/// What all of them did: each rule by its number, and each line's units,
/// cheapest first.
pub(super) struct Units {
    pub(super) offers: Vec<UnitOffer>,
    pub(super) lots: Vec<Vec<Lot>>,
}

/// What a rule would make of a unit's price.
struct Bid {
    rule: usize,
    unit: i64,
    cut_by_floor: i64,
    cut_by_maximum: i64,
}

/// How a rule stands while lines are priced.
struct Standing {
    /// Units that it may still price.
    left: u32,
    /// The limit that says so.
    limit: Reason,
    /// Units that it would have priced without that limit.
    lacking: u32,
    /// Why it priced nothing, if that was not the limit.
    best: Reason,
}

/// Gives each unit of each line the lowest price that a rule with something
/// left makes of it; lines in the order of their SKUs, rules of the same price
/// in theirs.
pub(super) fn units(
    cart: &mut Cart<'_>,
    offers: &[Offer<'_>],
    quotas: &BTreeMap<QuotaKey, u32>,
    max_discount: u32,
) -> Units {
    let none = Taken { shares: vec![0; cart.rows.len()], cut_by_floor: 0, cut_by_maximum: 0 };
    let blank = UnitOffer { taken: none, units: 0, reason: None };
    let mut done = Units { offers: vec![blank; offers.len()], lots: Vec::new() };
    let mut standings: Vec<Standing> = offers
        .iter()
        .map(|offer| {
            let (left, limit) = limit::left(offer, quotas);
            Standing { left, limit, lacking: 0, best: Reason::NotForGoods }
        })
        .collect();
    for (number, row) in cart.rows.iter_mut().enumerate() {
        let bids = bids(row, offers, &mut standings, max_discount, cart.currency);
        done.lots.push(sell(row, number, &bids, &mut standings, &mut done.offers));
        cart.budget -= row.list.saturating_mul(i64::from(row.quantity)) - row.amount;
    }
    for (offer, standing) in done.offers.iter_mut().zip(standings) {
        offer.reason = match (offer.units, standing.lacking) {
            (0, 0) => Some(standing.best),
            (0, _) => Some(standing.limit),
            (_, 0) => None,
            (priced, lacking) => Some(Reason::Units { priced, of: priced.saturating_add(lacking) }),
        };
    }
    done
}

/// The prices below list price that rules make of a line's unit, lowest first.
fn bids(
    row: &Row<'_>,
    offers: &[Offer<'_>],
    standings: &mut [Standing],
    max_discount: u32,
    currency: Currency,
) -> Vec<Bid> {
    let lowest = row.list - part_down(row.list, max_discount);
    let mut bids = Vec::new();
    for (rule, (offer, standing)) in offers.iter().zip(standings).enumerate() {
        let reason = match wanted(row, offer, currency) {
            Ok(wanted) => {
                let above_floor = wanted.max(row.floor);
                let unit = above_floor.max(lowest);
                let (cut_by_floor, cut_by_maximum) = (above_floor - wanted, unit - above_floor);
                if unit < row.list {
                    bids.push(Bid { rule, unit, cut_by_floor, cut_by_maximum });
                    Reason::AnotherBetter
                } else {
                    Reason::NothingLeft
                }
            }
            Err(reason) => reason,
        };
        standing.best = reason.max(standing.best.clone());
    }
    bids.sort_by_key(|bid| bid.unit);
    bids
}

/// The price that a rule wants of a line's unit.
fn wanted(row: &Row<'_>, offer: &Offer<'_>, currency: Currency) -> Result<i64, Reason> {
    match &offer.rule.effect {
        Effect::Price(price) => {
            let unit = price.units.get(&row.good.sku).ok_or(Reason::NotForGoods)?;
            if price.currency == currency { Ok(*unit) } else { Err(Reason::OtherCurrency) }
        }
        Effect::PricePercent(percent) if row.covered_by(&offer.rule.goods) => {
            Ok(row.list - part(row.list, percent.off))
        }
        _ => Err(Reason::NotForGoods),
    }
}

/// Sells the units of a line to the lowest bids that have something left.
fn sell(
    row: &mut Row<'_>,
    number: usize,
    bids: &[Bid],
    standings: &mut [Standing],
    offers: &mut [UnitOffer],
) -> Vec<Lot> {
    let mut lots = Vec::new();
    let mut rest = row.quantity;
    for bid in bids {
        let (Some(standing), Some(offer)) = (standings.get_mut(bid.rule), offers.get_mut(bid.rule))
        else {
            continue;
        };
        let quantity = rest.min(standing.left);
        standing.left -= quantity;
        standing.lacking = standing.lacking.saturating_add(rest - quantity);
        rest -= quantity;
        if quantity == 0 {
            continue;
        }
        let times = |minor: i64| minor.saturating_mul(i64::from(quantity));
        if let Some(share) = offer.taken.shares.get_mut(number) {
            *share += times(row.list - bid.unit);
        }
        offer.taken.cut_by_floor += times(bid.cut_by_floor);
        offer.taken.cut_by_maximum += times(bid.cut_by_maximum);
        offer.units = offer.units.saturating_add(quantity);
        lots.push(Lot { quantity, unit: bid.unit, rule: Some(bid.rule) });
    }
    if rest > 0 {
        lots.push(Lot { quantity: rest, unit: row.list, rule: None });
    }
    let cost = |lot: &Lot| lot.unit.saturating_mul(i64::from(lot.quantity));
    row.amount = lots.iter().map(cost).sum();
    row.free = lots.iter().rev().map(|lot| (lot.unit, lot.quantity)).collect();
    lots
}
