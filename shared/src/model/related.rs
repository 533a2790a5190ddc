//! Goods that are bought together.

use super::{order::OrderLine, product::Sku, text::Text};

/// The most goods that are known to go with one: some 3 KB, of which a shop
/// shows a handful.
pub const RELATED_MOST: usize = 50;

/// Of how many lines of an order it is counted that they went together: each
/// is a write of the transaction that counts them. Few orders have more.
pub const RELATED_LINES: usize = 10;

/// A product that went with another, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partner {
    /// Which.
    pub sku: Sku,
    /// Its title when they last went together.
    pub title: Text<80>,
    /// In how many orders; at most too high by the count of the partner whose
    /// place it took.
    pub count: u64,
}

/// What one product is bought together with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Related {
    /// At most [`RELATED_MOST`] partners.
    pub partners: Vec<Partner>,
    /// How often it was written.
    pub version: u64,
}

impl Related {
    /// With one more order, in which these went with it. Counts by the
    /// space-saving algorithm (Metwally, Agrawal, El Abbadi: "Efficient
    /// computation of frequent and top-k elements in data streams", ICDT 2005):
    /// when all places are taken, a newcomer takes that of the smallest count
    /// and goes on from it. So whatever went with the product in more than one
    /// of [`RELATED_MOST`] cases has a place.
    #[must_use]
    pub fn with<'a>(mut self, others: impl Iterator<Item = &'a (Sku, Text<80>)>) -> Self {
        for (sku, title) in others {
            let known = self.partners.iter().position(|partner| partner.sku == *sku);
            let place = known.or_else(|| self.smallest());
            let partner = place.and_then(|place| self.partners.get_mut(place));
            let next = Partner {
                sku: sku.clone(),
                title: title.clone(),
                count: partner.as_ref().map_or(0, |partner| partner.count).saturating_add(1),
            };
            match partner {
                Some(partner) => *partner = next,
                None => self.partners.push(next),
            }
        }
        self
    }

    /// Whose place a newcomer takes, if all are taken: the smallest count, the
    /// last SKU among equals.
    fn smallest(&self) -> Option<usize> {
        if self.partners.len() < RELATED_MOST {
            return None;
        }
        let places = self.partners.iter().enumerate();
        let smallest =
            places.min_by(|(_, a), (_, b)| a.count.cmp(&b.count).then(b.sku.cmp(&a.sku)));
        smallest.map(|(place, _)| place)
    }
}

/// The goods of an order that were chosen together: each SKU once, without
/// gifts, of the first [`RELATED_LINES`] lines that are none. Nothing, if it
/// is but one.
#[must_use]
pub fn together(lines: &[OrderLine]) -> Vec<(Sku, Text<80>)> {
    let mut goods: Vec<(Sku, Text<80>)> = Vec::new();
    for line in lines.iter().filter(|line| line.gift.is_none()).take(RELATED_LINES) {
        if !goods.iter().any(|(sku, _)| *sku == line.sku) {
            goods.push((line.sku.clone(), line.title.clone()));
        }
    }
    if goods.len() < 2 { Vec::new() } else { goods }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn goods(number: usize) -> (Sku, Text<80>) {
        let name = format!("S{number:03}");
        (Sku::parse(&name).unwrap(), Text::new(&name).unwrap())
    }

    fn counts(related: &Related) -> BTreeMap<&str, u64> {
        related.partners.iter().map(|it| (it.sku.as_str(), it.count)).collect()
    }

    #[test]
    fn partners_are_counted_and_the_last_title_is_kept() {
        let (first, second) = (goods(1), goods(2));
        let renamed = (first.0.clone(), Text::new("New").unwrap());
        let related = Related::default().with([first, second].iter()).with([renamed].iter());
        assert_eq!(counts(&related), [("S001", 2), ("S002", 1)].into());
        assert_eq!(related.partners[0].title.as_str(), "New");
    }

    #[test]
    fn a_newcomer_takes_the_smallest_place_and_goes_on_from_its_count() {
        let all: Vec<_> = (0..RELATED_MOST).map(goods).collect();
        let full = Related::default().with(all.iter()).with(all[1..].iter());
        let related = full.with([goods(900)].iter());
        assert_eq!(related.partners.len(), RELATED_MOST);
        let counts = counts(&related);
        assert_eq!((counts.get("S000"), counts.get("S900")), (None, Some(&2)));
        let related = related.clone().with([goods(901)].iter());
        assert!(related.partners.iter().all(|it| it.sku.as_str() != "S900"), "the last SKU goes");
    }

    proptest! {
        /// The bounds of the paper: no count is too low, the sum is that of
        /// what came, and who came more often than one in fifty is there.
        #[test]
        fn who_is_frequent_is_there(stream in prop::collection::vec(0_usize..120, 1..1_500)) {
            let related = stream
                .iter()
                .fold(Related::default(), |related, number| related.with([goods(*number)].iter()));
            prop_assert!(related.partners.len() <= RELATED_MOST);
            let sum: u64 = related.partners.iter().map(|it| it.count).sum();
            prop_assert_eq!(usize::try_from(sum).unwrap(), stream.len());
            let counts = counts(&related);
            for number in 0..120 {
                let times = stream.iter().filter(|it| **it == number).count();
                let name = goods(number).0;
                match counts.get(name.as_str()) {
                    Some(count) => prop_assert!(*count >= u64::try_from(times).unwrap()),
                    None => prop_assert!(times <= stream.len() / RELATED_MOST),
                }
            }
        }
    }
}
