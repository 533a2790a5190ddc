//! Thresholds that a buyer could still reach.

use aftercart::model::{
    money::{Currency, Money},
    price::{Effect, Reach, Rule},
};

use super::{
    Near,
    cart::Cart,
    promotion::{Steps, spend, steps},
    sheet::kind,
};

/// What is missing to the next threshold of a rule, if the cart has goods that
/// it is about. `costs` is what its thresholds are measured on; `applied`,
/// whether it took something off: a rule that could and did not has lost to a
/// better one, and more goods are no advice.
pub(super) fn near(cart: &Cart<'_>, costs: &[i64], rule: &Rule, applied: bool) -> Option<Near> {
    let covered = cart.covered(&rule.goods);
    if !covered.contains(&true) || currency(&rule.effect) != Some(cart.currency) {
        return None;
    }
    let spent = spend(costs, &covered);
    let Steps { reached, missing } = match &rule.effect {
        Effect::Gift(gift) => match gift.from {
            Reach::Spend(from) => {
                let missing = (from.at > spent).then(|| from.at - spent);
                Steps { reached: missing.is_none(), missing }
            }
            Reach::Units(_) => return None,
        },
        effect => steps(effect, spent),
    };
    let missing = missing.filter(|_| applied || !reached)?;
    let missing = Money::new(missing, cart.currency).ok()?;
    let (kind, title) = (kind(&rule.effect), rule.title.clone());
    Some(Near { rule: rule.id.clone(), title, kind, missing })
}

/// The currency of an effect's thresholds.
fn currency(effect: &Effect) -> Option<Currency> {
    match effect {
        Effect::Spend(terms) => Some(terms.currency),
        Effect::Percent(terms) => terms.currency,
        Effect::Amount(terms) => Some(terms.currency),
        Effect::FreeShipping(terms) => terms.over.map(|over| over.currency),
        Effect::ShippingPercent(terms) => terms.over.map(|over| over.currency),
        Effect::Gift(gift) => match gift.from {
            Reach::Spend(from) => Some(from.currency),
            Reach::Units(_) => None,
        },
        Effect::Price(_) | Effect::PricePercent(_) | Effect::Bundle(_) | Effect::BuyGet(_) => None,
    }
}
