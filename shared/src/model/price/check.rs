//! What a document of price rules must not say, though its form allows it.

use std::collections::BTreeSet;

use super::{
    Audience, BundleEffect, Coupon, Effect, GoodsFilter, Limits, MAX_NAMES, MAX_RULES, MAX_SHARDS,
    MAX_STEPS, PercentEffect, PriceEffect, PriceRules, PriceRulesError, Reach, Rule, Spend,
    SpendEffect, Stacking, WHOLE, Window,
};
use crate::model::{money::MAX_MINOR, order::MAX_QUANTITY};

/// A remedy and where it is needed, below the place that the caller adds.
struct Fault {
    place: String,
    remedy: String,
}

type Checked = Result<(), Fault>;

fn fault(place: &str, remedy: impl Into<String>) -> Checked {
    Err(Fault { place: place.to_owned(), remedy: remedy.into() })
}

fn below(place: &str, checked: Checked) -> Checked {
    checked.map_err(|fault| Fault { place: format!("{place}.{}", fault.place), ..fault })
}

/// Refuses what makes no sense.
pub(super) fn document(rules: &PriceRules) -> Result<(), PriceRulesError> {
    checked(rules)
        .map_err(|Fault { place: path, remedy }| PriceRulesError::Nonsense { path, remedy })
}

fn checked(document: &PriceRules) -> Checked {
    share("max_discount", document.max_discount)?;
    if document.rules.len() > MAX_RULES {
        return fault("rules", format!("must have at most {MAX_RULES} members"));
    }
    let mut ids = BTreeSet::new();
    for (number, rule) in document.rules.iter().enumerate() {
        let place = format!("rules[{number}]");
        if !ids.insert(&rule.id) {
            return fault(&format!("{place}.id"), "must differ from the other rules' ids");
        }
        below(&place, one(rule))?;
    }
    Ok(())
}

fn one(rule: &Rule) -> Checked {
    below("window", window(&rule.window))?;
    below("audience", audience(&rule.audience))?;
    below("goods", goods(&rule.goods))?;
    below("limits", limits(&rule.limits))?;
    if rule.audience.first_order && rule.limits.per_customer != Some(1) {
        let remedy = "must be 1 for an offer on first orders: whoever places several at once \
                      has it once";
        return fault("limits.per_customer", remedy);
    }
    if rule.coupon == Some(Coupon::Voucher(false)) {
        return fault("coupon.voucher", "must be true; leave the coupon out if there is none");
    }
    let promotion = matches!(
        rule.effect,
        Effect::Spend(_)
            | Effect::Percent(_)
            | Effect::Amount(_)
            | Effect::Bundle(_)
            | Effect::BuyGet(_)
    );
    if !promotion && rule.stacking != Stacking::Stackable {
        return fault("stacking", "must be left out: only discounts on promoted goods have it");
    }
    let names_skus = matches!(rule.effect, Effect::Price(_) | Effect::Bundle(_));
    if names_skus && rule.goods != GoodsFilter::default() {
        return fault("goods", "must be left out: the effect names its SKUs");
    }
    below("effect", effect(&rule.effect))
}

fn window(window: &Window) -> Checked {
    window.check().or_else(|(place, remedy)| fault(place, remedy))
}

fn names(place: &str, count: usize) -> Checked {
    if count > MAX_NAMES {
        return fault(place, format!("must have at most {MAX_NAMES} members"));
    }
    Ok(())
}

fn audience(audience: &Audience) -> Checked {
    names("tiers", audience.tiers.len())?;
    names("segments", audience.segments.len())?;
    names("channels", audience.channels.len())
}

fn goods(goods: &GoodsFilter) -> Checked {
    names("skus", goods.skus.len())?;
    names("categories", goods.categories.len())?;
    names("brands", goods.brands.len())?;
    names("except_skus", goods.except_skus.len())?;
    names("except_categories", goods.except_categories.len())
}

fn limits(limits: &Limits) -> Checked {
    if !(1..=MAX_SHARDS).contains(&limits.shards) {
        return fault("shards", format!("must be 1 to {MAX_SHARDS}"));
    }
    let shards = u32::from(limits.shards);
    for (place, limit, least) in [
        ("total", limits.total, shards),
        ("per_day", limits.per_day, shards),
        ("per_customer", limits.per_customer, 1),
        ("per_customer_per_day", limits.per_customer_per_day, 1),
    ] {
        if limit == Some(0) {
            return fault(place, "must be at least 1; leave the limit out if there is none");
        }
        if limit.is_some_and(|limit| limit < least) {
            return fault(place, format!("must be at least {least}, one for each shard"));
        }
    }
    if shards > 1 && limits.total.is_none() && limits.per_day.is_none() {
        return fault("shards", "must be left out: only `total` and `per_day` are split");
    }
    Ok(())
}

fn share(place: &str, basis_points: u32) -> Checked {
    if !(1..=WHOLE).contains(&basis_points) {
        return fault(place, "must be 1 to 10000 basis points");
    }
    Ok(())
}

fn amount(place: &str, minor: i64) -> Checked {
    if !(1..=MAX_MINOR).contains(&minor) {
        return fault(place, format!("must be 1 to {MAX_MINOR} minor units"));
    }
    Ok(())
}

fn maybe(place: &str, minor: Option<i64>) -> Checked {
    minor.map_or(Ok(()), |minor| amount(place, minor))
}

fn count(place: &str, count: u32) -> Checked {
    if !(1..=MAX_QUANTITY).contains(&count) {
        return fault(place, format!("must be 1 to {MAX_QUANTITY}"));
    }
    Ok(())
}

fn effect(effect: &Effect) -> Checked {
    match effect {
        Effect::Price(terms) => below("price", price(terms)),
        Effect::PricePercent(terms) => share("price_percent.off", terms.off),
        Effect::Spend(terms) => below("spend", spend(terms)),
        Effect::Percent(terms) => below("percent", percent(terms)),
        Effect::Amount(terms) => {
            amount("amount.off", terms.off)?;
            maybe("amount.minimum", terms.minimum)
        }
        Effect::Bundle(terms) => below("bundle", bundle(terms)),
        Effect::BuyGet(terms) => {
            count("buy_get.buy", terms.buy)?;
            count("buy_get.get", terms.get)?;
            share("buy_get.off", terms.off)
        }
        Effect::Gift(gift) => {
            count("gift.quantity", gift.quantity)?;
            match gift.from {
                Reach::Spend(spend) => amount("gift.from.spend.at", spend.at),
                Reach::Units(0) => fault("gift.from.units", "must be at least 1"),
                Reach::Units(_) => Ok(()),
            }
        }
        Effect::FreeShipping(terms) => {
            below("free_shipping", over(terms.over, terms.methods.len()))
        }
        Effect::ShippingPercent(terms) => {
            share("shipping_percent.off", terms.off)?;
            below("shipping_percent", over(terms.over, terms.methods.len()))
        }
    }
}

fn price(terms: &PriceEffect) -> Checked {
    if terms.units.is_empty() {
        return fault("units", "must name at least one SKU");
    }
    names("units", terms.units.len())?;
    let mut units = terms.units.iter();
    units.try_for_each(|(sku, minor)| amount(&format!("units.{sku}"), *minor))
}

fn percent(terms: &PercentEffect) -> Checked {
    share("off", terms.off)?;
    maybe("most", terms.most)?;
    maybe("minimum", terms.minimum)?;
    let amounts = terms.most.is_some() || terms.minimum.is_some();
    match (amounts, terms.currency) {
        (true, None) => fault("currency", "must name the amounts' currency"),
        (false, Some(_)) => fault("currency", "must be left out: no amount has it"),
        _ => Ok(()),
    }
}

fn bundle(terms: &BundleEffect) -> Checked {
    amount("price", terms.price)?;
    if terms.items.is_empty() || terms.items.len() > MAX_STEPS {
        return fault("items", format!("must have 1 to {MAX_STEPS} members"));
    }
    for (number, item) in terms.items.iter().enumerate() {
        count(&format!("items[{number}].quantity"), item.quantity)?;
        if terms.items.iter().take(number).any(|earlier| earlier.sku == item.sku) {
            return fault(&format!("items[{number}].sku"), "must be another SKU than before");
        }
    }
    Ok(())
}

fn over(over: Option<Spend>, methods: usize) -> Checked {
    names("methods", methods)?;
    over.map_or(Ok(()), |over| amount("over.at", over.at))
}

fn spend(terms: &SpendEffect) -> Checked {
    if terms.tiers.is_empty() == terms.every.is_none() {
        return fault("tiers", "must have members, or `every` must be there, and not both");
    }
    if terms.tiers.len() > MAX_STEPS {
        return fault("tiers", format!("must have at most {MAX_STEPS} members"));
    }
    let (mut last_at, mut last_off) = (0, 0);
    for (number, tier) in terms.tiers.iter().enumerate() {
        let place = format!("tiers[{number}]");
        below(&place, amount("at", tier.at).and(amount("off", tier.off)))?;
        if tier.at <= last_at || tier.off <= last_off {
            return fault(&place, "must be a higher spend with more off than the tier before");
        }
        if tier.off > tier.at {
            return fault(&format!("{place}.off"), "must be at most `at`");
        }
        (last_at, last_off) = (tier.at, tier.off);
    }
    let Some(every) = terms.every else { return Ok(()) };
    below("every", amount("per", every.per).and(amount("off", every.off)))?;
    if every.off > every.per {
        return fault("every.off", "must be at most `per`");
    }
    if every.most_times == Some(0) {
        return fault("every.most_times", "must be at least 1; leave it out if there is no end");
    }
    Ok(())
}
