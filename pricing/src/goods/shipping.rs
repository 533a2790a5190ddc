//! What rules take off the charge for delivery.

use std::cmp::Reverse;

use aftercart::model::{
    delivery::MethodId,
    money::Money,
    price::{Effect, Rule, Spend, WHOLE},
};

use super::{
    Asked, PriceError, Priced, Reason, Shipping, ShippingDiscount,
    cart::part,
    limit,
    scope::{Offer, Scope},
    sheet::{Sheet, kind, too_large},
};

/// The terms of an effect on the charge: the part that is off, the spend from
/// which on, and the methods.
struct Terms<'r> {
    off: u32,
    over: Option<Spend>,
    methods: &'r [MethodId],
}

/// Whether an effect is on the charge for delivery.
pub(super) fn is_shipping(effect: &Effect) -> bool {
    terms(effect).is_some()
}

fn terms(effect: &Effect) -> Option<Terms<'_>> {
    match effect {
        Effect::FreeShipping(terms) => {
            Some(Terms { off: WHOLE, over: terms.over, methods: &terms.methods })
        }
        Effect::ShippingPercent(terms) => {
            Some(Terms { off: terms.off, over: terms.over, methods: &terms.methods })
        }
        _ => None,
    }
}

/// The one rule that takes most off the charge; among equals the first.
pub(super) fn best(
    scope: &Scope<'_>,
    asked: &Asked<'_>,
    priced: &Priced,
    method: &str,
    charge: Money,
) -> Result<Shipping, PriceError> {
    let mut sheet = Sheet::default();
    let offers: Vec<_> = scope.offers.iter().filter(|o| is_shipping(&o.rule.effect)).collect();
    let result = |offer: &&Offer<'_>| {
        let off = off(offer.rule, priced, method, charge)?;
        match limit::left(offer, asked.quotas) {
            (0, reason) => Err(reason),
            _ => Ok(off),
        }
    };
    let results: Vec<Result<i64, Reason>> = offers.iter().map(result).collect();
    let given = results.iter().enumerate().filter_map(|(n, off)| Some((*off.as_ref().ok()?, n)));
    let best = given.max_by_key(|(off, number)| (*off, Reverse(*number)));
    let mut shipping = Shipping { applied: None, skipped: Vec::new(), quotas: Vec::new() };
    for (number, (offer, result)) in offers.iter().zip(results).enumerate() {
        match result {
            Ok(off) if best.is_some_and(|(_, best)| best == number) => {
                shipping.applied = Some(ShippingDiscount {
                    rule: offer.rule.id.clone(),
                    title: offer.rule.title.clone(),
                    kind: kind(&offer.rule.effect),
                    coupon: offer.rule.coupon.clone(),
                    amount: Money::new(off, charge.currency()).map_err(too_large)?,
                });
                sheet.count(offer, 1, None);
            }
            Ok(_) => sheet.refuse(offer.rule, Reason::AnotherBetter),
            Err(reason) => sheet.refuse(offer.rule, reason),
        }
    }
    shipping.skipped = sheet.unmet_at_delivery(asked, priced);
    shipping.quotas = sheet.quotas;
    Ok(shipping)
}

/// What a rule takes off the charge, measured on what the buyer pays for the
/// goods that it is about.
fn off(rule: &Rule, priced: &Priced, method: &str, charge: Money) -> Result<i64, Reason> {
    let Some(Terms { off, over, methods }) = terms(&rule.effect) else {
        return Err(Reason::NotForGoods);
    };
    let bought = priced.lines.iter().filter(|line| line.gift.is_none());
    let covered: Vec<i64> = bought
        .filter(|line| line.good.covered_by(&rule.goods))
        .map(|line| line.total.minor())
        .collect();
    if covered.is_empty() {
        return Err(Reason::NotForGoods);
    }
    if over.is_some_and(|over| over.currency != priced.currency) {
        return Err(Reason::OtherCurrency);
    }
    let missing = over.map_or(0, |over| over.at) - covered.iter().sum::<i64>();
    if missing > 0 && over.is_some() {
        return Err(Reason::Minimum { missing });
    }
    if !methods.is_empty() && !methods.iter().any(|name| name.as_str() == method) {
        return Err(Reason::OtherMethod);
    }
    match part(charge.minor(), off) {
        0 => Err(Reason::NothingLeft),
        off => Ok(off),
    }
}
