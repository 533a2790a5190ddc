//! Goods to offer beside those of a cart.

use std::collections::BTreeMap;

use aftercart::model::{product::Sku, related::Related, text::Text};

/// Goods that were bought with those of a cart and are not in it, with how
/// often that was: those that went most with all of them together first, by
/// SKU among equals. `related` is what each of the cart's goods is bought with.
#[must_use]
pub fn related(related: &[Related], in_cart: &[Sku]) -> Vec<(Sku, Text<80>, u64)> {
    let mut sums: BTreeMap<&Sku, (&Text<80>, u64)> = BTreeMap::new();
    for partner in related.iter().flat_map(|related| &related.partners) {
        if !in_cart.contains(&partner.sku) {
            let sum = sums.entry(&partner.sku).or_insert((&partner.title, 0));
            sum.1 = sum.1.saturating_add(partner.count);
        }
    }
    let mut ranked: Vec<(Sku, Text<80>, u64)> =
        sums.into_iter().map(|(sku, (title, sum))| (sku.clone(), title.clone(), sum)).collect();
    ranked.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
    ranked
}

#[cfg(test)]
mod tests {
    use aftercart::model::related::Partner;

    use super::*;

    fn sku(name: &str) -> Sku {
        Sku::parse(name).unwrap()
    }

    fn bought_with(partners: &[(&str, u64)]) -> Related {
        let partner = |(name, count): &(&str, u64)| Partner {
            sku: sku(name),
            title: Text::new(name).unwrap(),
            count: *count,
        };
        Related { partners: partners.iter().map(partner).collect(), version: 1 }
    }

    #[test]
    fn what_went_with_all_of_the_cart_comes_first() {
        let tea = bought_with(&[("CUP", 9), ("POT", 4), ("JAM", 5), ("ANT", 5)]);
        let cup = bought_with(&[("TEA", 9), ("POT", 3)]);
        let ranked = related(&[tea, cup], &[sku("TEA"), sku("CUP")]);
        let ranked: Vec<(&str, u64)> = ranked.iter().map(|(it, _, n)| (it.as_str(), *n)).collect();
        assert_eq!(ranked, [("POT", 7), ("ANT", 5), ("JAM", 5)]);
        assert_eq!(related(&[], &[sku("TEA")]), []);
    }
}
