//! The tax in, or on top of, what is sold.

use aftercart::model::{
    money::{Money, MoneyError},
    tax::{ShippingTax, TaxPolicy, TaxRate, TaxRule},
    text::Text,
};

use crate::delivery::Place;

/// Something that is taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taxable<'a> {
    /// The class of the product.
    pub class: Option<&'a str>,
    /// Its price after all discounts, as the shop states prices: with the tax or without.
    pub amount: Money,
}

/// The tax of a sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taxed {
    /// Whether the amounts below are part of the prices, or come on top.
    pub included: bool,
    /// The tax of each part, in the order of the parts.
    pub lines: Vec<Tax>,
    /// The tax of the delivery: one amount for each rate of the goods if it is
    /// taxed as they are, none if it is exempt or costs nothing.
    pub shipping: Vec<Tax>,
    /// The sum of the lines and the delivery.
    pub total: Money,
}

/// An amount of tax and what it follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tax {
    /// The rate; zero where no rule applies.
    pub rate: TaxRate,
    /// The title of the rule, if one applies.
    pub title: Option<Text<60>>,
    /// The price that it is of.
    pub of: Money,
    /// How much.
    pub amount: Money,
}

/// The tax of goods that go to a place, and of their delivery.
///
/// Each line is rounded by itself, half a unit away from zero, and the total
/// is the sum of the lines. European law leaves the level and the method of
/// rounding to its member states, which allow it by line or by total (Court of
/// Justice, C-484/06 Ahold, 10 July 2008; C-302/07 J D Wetherspoon, 5 March
/// 2009). By line is taken here because a line's refund then gives back
/// exactly the line's tax.
///
/// # Errors
/// When the amounts are of several currencies or their sum is too large.
pub fn tax(
    policy: &TaxPolicy,
    place: &Place<'_>,
    goods: &[Taxable<'_>],
    shipping: Money,
) -> Result<Taxed, MoneyError> {
    let mut parts = Vec::with_capacity(goods.len());
    for good in goods {
        parts.push(Part { rule: rule_of(policy, place, good.class), amount: good.amount });
    }
    let delivery = delivery(policy, place, &parts, shipping)?;
    let included = policy.prices_include_tax;
    let lines = taxes(&parts, included)?;
    let shipping_taxes = taxes(&delivery, included)?;
    let mut total = Money::zero(shipping.currency());
    for tax in lines.iter().chain(&shipping_taxes) {
        total = total.plus(tax.amount)?;
    }
    Ok(Taxed { included, lines, shipping: shipping_taxes, total })
}

/// An amount and the rule that taxes it, if one does.
#[derive(Clone, Copy)]
struct Part<'a> {
    rule: Option<&'a TaxRule>,
    amount: Money,
}

/// The most specific rule: one that names regions before one that names only
/// countries before one that names neither; among those, one that names the
/// class before one that names none; among those, the first.
fn rule_of<'p>(
    policy: &'p TaxPolicy,
    place: &Place<'_>,
    class: Option<&str>,
) -> Option<&'p TaxRule> {
    let applies = |rule: &&TaxRule| {
        let of_class = rule.class.as_ref().is_none_or(|name| Some(name.as_str()) == class);
        of_class && place.is_in(&rule.countries, &rule.regions)
    };
    let general = |rule: &&TaxRule| {
        (rule.regions.is_empty(), rule.countries.is_empty(), rule.class.is_none())
    };
    policy.rules.iter().filter(applies).min_by_key(general)
}

/// The parts of the price of delivery.
fn delivery<'p>(
    policy: &'p TaxPolicy,
    place: &Place<'_>,
    goods: &[Part<'p>],
    shipping: Money,
) -> Result<Vec<Part<'p>>, MoneyError> {
    let whole = |class| vec![Part { rule: rule_of(policy, place, class), amount: shipping }];
    let mut parts = match &policy.shipping {
        ShippingTax::Exempt => Vec::new(),
        ShippingTax::Class(class) => whole(Some(class.as_str())),
        ShippingTax::AsGoods if goods.iter().all(|good| good.amount.minor() <= 0) => whole(None),
        ShippingTax::AsGoods => as_goods(goods, shipping)?,
    };
    parts.retain(|part| part.amount.minor() != 0);
    Ok(parts)
}

/// The price of delivery shared over the rules of the goods, in proportion to
/// their prices; a price below zero counts as none.
fn as_goods<'p>(goods: &[Part<'p>], shipping: Money) -> Result<Vec<Part<'p>>, MoneyError> {
    let mut rules: Vec<Option<&TaxRule>> = Vec::new();
    let mut weights: Vec<i64> = Vec::new();
    for good in goods {
        let amount = good.amount.minor().max(0);
        match rules.iter().zip(&mut weights).find(|(rule, _)| **rule == good.rule) {
            Some((_, weight)) => *weight = weight.saturating_add(amount),
            None => {
                rules.push(good.rule);
                weights.push(amount);
            }
        }
    }
    let shares = shipping.split(&weights)?;
    Ok(rules.into_iter().zip(shares).map(|(rule, amount)| Part { rule, amount }).collect())
}

fn taxes(parts: &[Part<'_>], included: bool) -> Result<Vec<Tax>, MoneyError> {
    let one = |part: &Part<'_>| {
        let rate = part.rule.map(|rule| rule.rate).unwrap_or_default();
        let title = part.rule.map(|rule| rule.title.clone());
        Ok(Tax { rate, title, of: part.amount, amount: amount(part.amount, rate, included)? })
    };
    parts.iter().map(one).collect()
}

/// The tax in a price that includes it: price x rate / (100 % + rate); or on
/// top of one that does not: price x rate. Rounded half away from zero, so
/// that what is given back is taxed as what was paid.
fn amount(price: Money, rate: TaxRate, included: bool) -> Result<Money, MoneyError> {
    let rate = i128::from(rate.thousandths());
    let whole = i128::from(TaxRate::WHOLE) + if included { rate } else { 0 };
    let doubled = i128::from(price.minor().unsigned_abs()) * rate * 2;
    let rounded = (doubled + whole) / (whole * 2);
    let rounded = i64::try_from(rounded).map_err(|_| MoneyError::Overflow)?;
    Money::new(price.minor().signum() * rounded, price.currency())
}

#[cfg(test)]
mod tests;
