//! May a product be sold as it is written?

use aftercart::model::{
    product::{Access, MAX_ACCESS, MAX_GRAMS, Product},
    stock::MAX_MOVED,
};

/// What is wrong with a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}.")]
pub struct ProductError {
    /// Which field.
    pub field: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Checks what its parts do not check by themselves.
///
/// # Errors
/// [`ProductError`] names the first field that makes no sense.
pub fn check(product: &Product) -> Result<(), ProductError> {
    let (price, facts) = (product.price.minor(), &product.facts);
    demand(price >= 0, "price.amount", "must be 0 or more")?;
    let floor = facts.floor.is_none_or(|floor| (0..=price).contains(&floor));
    demand(floor, "facts.floor", "must be 0 to the price")?;
    demand(facts.grams <= MAX_GRAMS, "facts.grams", "must be at most 10,000,000")?;
    check_access(&product.access)
}

fn check_access(access: &Access) -> Result<(), ProductError> {
    let listed = |count: usize| count <= MAX_ACCESS;
    demand(listed(access.tiers.len()), "access.tiers", "must be at most 20")?;
    demand(listed(access.early.len()), "access.early", "must be at most 20")?;
    for (i, early) in access.early.iter().enumerate() {
        let field = |name| format!("access.early[{i}].{name}");
        let twice = access.early.iter().take(i).any(|before| before.tier == early.tier);
        demand(!twice, field("tier"), "is there twice")?;
        let earlier = access.from.is_some_and(|from| early.from < from);
        demand(earlier, field("from"), "must be before access.from")?;
    }
    let units = |units| (1..=MAX_MOVED).contains(&units);
    if let Some(reserve) = &access.reserve {
        let some = !reserve.tiers.is_empty() && listed(reserve.tiers.len());
        demand(some, "access.reserve.tiers", "must be 1 to 20")?;
        demand(units(reserve.units), "access.reserve.units", "must be 1 to 1,000,000")?;
    }
    let preorder = access.preorder.as_ref().is_none_or(|it| units(it.units));
    demand(preorder, "access.preorder.units", "must be 1 to 1,000,000")
}

fn demand(holds: bool, field: impl Into<String>, reason: &'static str) -> Result<(), ProductError> {
    if holds { Ok(()) } else { Err(ProductError { field: field.into(), reason }) }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        money::{Currency, Money},
        product::Sku,
        text::Text,
    };
    use serde_json::{Value, json};

    use super::*;

    fn product(price: i64, facts: Value, access: Value) -> Product {
        Product {
            sku: Sku::parse("TEA").unwrap(),
            title: Text::new("Tea").unwrap(),
            price: Money::new(price, Currency::parse("GBP").unwrap()).unwrap(),
            facts: serde_json::from_value(facts).unwrap(),
            access: serde_json::from_value(access).unwrap(),
        }
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let many: Vec<String> = (0..=MAX_ACCESS).map(|n| format!("t{n}")).collect();
        let early = |tier: &str, from: &str| json!({ "tier": tier, "from": from });
        let (before, from) = ("2026-12-01T09:59:59.999Z", "2026-12-01T10:00:00Z");
        let twice = json!([early("a", before), early("b", before), early("a", before)]);
        let first = json!([early("a", before), early("b", from)]);
        let crowd: Vec<Value> = many.iter().map(|tier| early(tier, before)).collect();
        let kept =
            |tiers: Value, units: u32| json!({ "reserve": { "tiers": tiers, "units": units } });
        let later = |units: u32| json!({ "preorder": { "ships": from, "units": units } });
        for (price, facts, access, field) in [
            (-1, json!({}), json!({}), "price.amount"),
            (100, json!({ "floor": 101 }), json!({}), "facts.floor"),
            (100, json!({ "floor": -1 }), json!({}), "facts.floor"),
            (100, json!({ "grams": 10_000_001 }), json!({}), "facts.grams"),
            (100, json!({}), json!({ "tiers": many }), "access.tiers"),
            (100, json!({}), json!({ "from": from, "early": crowd }), "access.early"),
            (100, json!({}), json!({ "from": from, "early": twice }), "access.early[2].tier"),
            (100, json!({}), json!({ "from": from, "early": first }), "access.early[1].from"),
            (100, json!({}), json!({ "early": first }), "access.early[0].from"),
            (100, json!({}), kept(json!([]), 1), "access.reserve.tiers"),
            (100, json!({}), kept(json!(many), 1), "access.reserve.tiers"),
            (100, json!({}), kept(json!(["a"]), 0), "access.reserve.units"),
            (100, json!({}), later(0), "access.preorder.units"),
            (100, json!({}), later(1_000_001), "access.preorder.units"),
        ] {
            let error = check(&product(price, facts, access)).unwrap_err();
            assert_eq!(error.field, field);
        }
        for (price, facts, access) in [
            (0, json!({ "floor": 0, "grams": 10_000_000 }), json!({ "tiers": many[1..] })),
            (100, json!({ "floor": 100 }), json!({ "from": from, "early": crowd[1..] })),
            (100, json!({}), kept(json!(["a"]), 1_000_000)),
            (100, json!({}), later(1)),
        ] {
            assert_eq!(check(&product(price, facts, access)), Ok(()));
        }
    }
}
