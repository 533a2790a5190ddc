//! From where do goods come that are sent again?
//!
//! All of them from one place, the first that has them: one parcel replaces one
//! parcel. The buyer has waited, so units that are kept for some are taken, too.

use std::cmp::Reverse;

use aftercart::model::{
    dispatch::ShipmentLine,
    product::Sku,
    stock::{LevelChange, Levels, LocationId},
};

/// There is too little of something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There are {available} of {sku} at {at}, and no other place has all of it.")]
pub struct Short {
    /// Of what.
    pub sku: Sku,
    /// At the place that was asked first.
    pub at: LocationId,
    /// How many there are.
    pub available: i64,
}

/// What goes out of the levels of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Which place.
    pub from: LocationId,
    /// The changes of each SKU's level, each part once.
    pub changes: Vec<(Sku, Vec<LevelChange>)>,
}

/// What goes out of the first of the places that has all of it.
///
/// # Errors
/// [`Short`] of what the first of them has too little of.
pub fn plan(
    lines: &[ShipmentLine],
    places: &[LocationId],
    levels: &Levels,
) -> Result<Plan, Option<Short>> {
    let mut short = None;
    for from in places {
        match out_of(lines, from, levels) {
            Ok(changes) => return Ok(Plan { from: from.clone(), changes }),
            Err(first) => short = short.or(Some(first)),
        }
    }
    Err(short)
}

fn out_of(
    lines: &[ShipmentLine],
    from: &LocationId,
    levels: &Levels,
) -> Result<Vec<(Sku, Vec<LevelChange>)>, Short> {
    let going = |line: &ShipmentLine| {
        let (sku, at) = (line.sku.clone(), from.clone());
        let available = levels.sum(&sku, from);
        let changes = take(levels.parts(&sku, from), line.quantity, from);
        match changes {
            Some(changes) => Ok((sku, changes)),
            None => Err(Short { sku, at, available }),
        }
    };
    lines.iter().map(going).collect()
}

/// The units out of the parts of a level, the fullest first, so that few are
/// taken from; none if there are too few.
fn take(parts: &[i64], quantity: u32, from: &LocationId) -> Option<Vec<LevelChange>> {
    let mut fullest: Vec<(u8, i64)> = (0_u8..).zip(parts.iter().copied()).collect();
    fullest.sort_by_key(|(_, units)| Reverse(*units));
    let mut left = i64::from(quantity);
    let mut changes = Vec::new();
    for (shard, units) in fullest {
        let taken = left.min(units.max(0));
        if taken > 0 {
            changes.push(LevelChange {
                location: from.clone(),
                shard,
                units: taken.saturating_neg(),
            });
        }
        left = left.saturating_sub(taken);
    }
    (left == 0).then_some(changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(name: &str) -> LocationId {
        LocationId::parse(name).unwrap()
    }

    fn sku(number: usize) -> Sku {
        Sku::parse(&format!("S{number}")).unwrap()
    }

    fn lines(quantities: &[u32]) -> Vec<ShipmentLine> {
        let lines = quantities.iter().enumerate();
        lines
            .map(|(number, quantity)| ShipmentLine { sku: sku(number), quantity: *quantity })
            .collect()
    }

    fn levels(of: &[(&str, usize, &[i64])]) -> Levels {
        let mut levels = Levels::default();
        for (at, number, parts) in of {
            for (shard, units) in (0..).zip(*parts) {
                levels.note(&sku(*number), &place(at), shard, *units);
            }
        }
        levels
    }

    #[test]
    fn the_first_place_that_has_all_of_it_sends_it() {
        let places = [place("near"), place("far")];
        let there =
            levels(&[("near", 0, &[1, 4]), ("near", 1, &[0]), ("far", 0, &[9]), ("far", 1, &[2])]);
        let near = plan(&lines(&[5]), &places, &there).unwrap();
        let units: Vec<(u8, i64)> =
            near.changes[0].1.iter().map(|it| (it.shard, it.units)).collect();
        assert_eq!((near.from, units), (place("near"), vec![(1, -4), (0, -1)]));
        assert_eq!(plan(&lines(&[5, 2]), &places, &there).unwrap().from, place("far"));
        let short = Short { sku: sku(1), at: place("near"), available: 0 };
        assert_eq!(plan(&lines(&[5, 3]), &places, &there), Err(Some(short)));
        assert_eq!(plan(&lines(&[1]), &[], &there), Err(None));
    }

    proptest! {
        #[test]
        fn what_goes_out_is_what_was_asked_and_was_there(
            parts in prop::collection::vec(-5_i64..20, 0..16),
            quantity in 1_u32..60,
        ) {
            let at = place("near");
            let there: i64 = parts.iter().map(|units| (*units).max(0)).sum();
            let taken = take(&parts, quantity, &at);
            prop_assert_eq!(taken.is_some(), there >= i64::from(quantity));
            for change in taken.iter().flatten() {
                prop_assert!(change.units < 0);
                prop_assert!(parts[usize::from(change.shard)] + change.units >= 0);
            }
            let out: i64 = taken.iter().flatten().map(|change| change.units).sum();
            prop_assert!(taken.is_none() || out == -i64::from(quantity));
        }
    }
}
