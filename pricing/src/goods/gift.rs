//! Goods that come free with the others.

use std::collections::BTreeMap;

use aftercart::model::{
    price::{Effect, GiftEffect, Reach, Rule},
    product::Sku,
};

use super::{Asked, Good, Reason, cart::Cart, promotion::spend, sheet::Sheet};
use super::{limit, scope::Offer};

/// Units of a good that a rule gives away.
#[derive(Debug, Clone)]
pub(super) struct Gift<'a> {
    pub(super) rule: &'a Rule,
    pub(super) good: &'a Good,
    pub(super) quantity: u32,
}

/// Gives what the buyer reached and the stock allows; all units of a gift or none.
pub(super) fn give<'a>(
    cart: &Cart<'a>,
    offers: &[Offer<'a>],
    asked: &Asked<'a>,
    sheet: &mut Sheet<'a>,
) {
    let bought = asked.lines.iter().map(|(good, quantity)| (&good.sku, i64::from(*quantity)));
    let mut taken: BTreeMap<&Sku, i64> = bought.collect();
    for offer in offers {
        let Effect::Gift(gift) = &offer.rule.effect else { continue };
        let given =
            reached(cart, offer.rule, gift).and_then(|()| match limit::left(offer, asked.quotas) {
                (0, reason) => Err(reason),
                _ => Ok(()),
            });
        let given = given.and_then(|()| in_stock(cart, gift, asked, &mut taken));
        match given {
            Ok(good) => {
                let quantity = gift.quantity;
                sheet.gifts.push(Gift { rule: offer.rule, good, quantity });
                sheet.give(offer);
            }
            Err(reason) => sheet.refuse(offer.rule, reason),
        }
    }
}

/// Whether the buyer reached a gift, by what he pays for the matching lines or
/// by their units.
fn reached(cart: &Cart<'_>, rule: &Rule, gift: &GiftEffect) -> Result<(), Reason> {
    let covered = cart.covered(&rule.goods);
    if !covered.contains(&true) {
        return Err(Reason::NotForGoods);
    }
    match gift.from {
        Reach::Spend(from) if from.currency != cart.currency => Err(Reason::OtherCurrency),
        Reach::Spend(from) => {
            let missing = from.at - spend(&cart.amounts(&covered), &covered);
            if missing > 0 { Err(Reason::Minimum { missing }) } else { Ok(()) }
        }
        Reach::Units(from) => {
            let rows = cart.rows.iter().zip(&covered).filter(|(_, covered)| **covered);
            let units: u32 = rows.map(|(row, _)| row.quantity).sum();
            if units < from { Err(Reason::Incomplete) } else { Ok(()) }
        }
    }
}

fn in_stock<'a>(
    cart: &Cart<'_>,
    gift: &'a GiftEffect,
    asked: &Asked<'a>,
    taken: &mut BTreeMap<&'a Sku, i64>,
) -> Result<&'a Good, Reason> {
    let (good, available) = asked.gifts.get(&gift.sku).ok_or(Reason::GiftOut)?;
    if good.list.currency() != cart.currency {
        return Err(Reason::OtherCurrency);
    }
    let taken = taken.entry(&gift.sku).or_insert(0);
    let after = taken.saturating_add(i64::from(gift.quantity));
    if after > *available {
        return Err(Reason::GiftOut);
    }
    *taken = after;
    Ok(good)
}
