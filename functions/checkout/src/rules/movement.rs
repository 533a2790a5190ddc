//! Which parts of which levels does a movement of goods change?

use aftercart::model::{
    product::Sku,
    stock::{LevelChange, Levels, LocationId, MAX_MOVED, even_split},
};

use super::stock::choose;

/// A movement that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moving {
    /// Goods come in.
    In {
        /// Where.
        at: LocationId,
        /// How many.
        units: u32,
    },
    /// Goods are gone.
    Out {
        /// From where.
        at: LocationId,
        /// How many.
        units: u32,
    },
    /// Goods go to another location.
    Transfer {
        /// From where.
        from: LocationId,
        /// Where to.
        to: LocationId,
        /// How many.
        units: u32,
    },
    /// The units of a location are spread evenly over the parts of its level.
    Spread {
        /// Where.
        at: LocationId,
    },
}

/// A change of a part, and how many units it must leave there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shift {
    /// The change.
    pub change: LevelChange,
    /// How many units must be left, of a change that takes some.
    pub floor: i64,
}

/// There are not so many units as are to go out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("There are {available} units at {at}, {units} cannot go out.")]
pub struct TooFew {
    /// Where.
    pub at: LocationId,
    /// How many there are.
    pub available: i64,
    /// How many were to go.
    pub units: u32,
}

/// A number of units that nobody moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("The units must be 1 to {MAX_MOVED}.")]
pub struct UnitsError;

/// The units of a movement.
///
/// # Errors
/// [`UnitsError`].
pub fn units(asked: i64) -> Result<u32, UnitsError> {
    u32::try_from(asked).ok().filter(|it| (1..=MAX_MOVED).contains(it)).ok_or(UnitsError)
}

impl Moving {
    /// Where goods go out, if they do: all parts of that level must be read.
    #[must_use]
    pub fn from(&self) -> Option<&LocationId> {
        match self {
            Self::In { .. } => None,
            Self::Out { at, .. } | Self::Transfer { from: at, .. } | Self::Spread { at } => {
                Some(at)
            }
        }
    }

    /// Where goods come in, if they do.
    #[must_use]
    pub fn into(&self) -> Option<&LocationId> {
        match self {
            Self::In { at, .. } | Self::Transfer { to: at, .. } => Some(at),
            Self::Out { .. } | Self::Spread { .. } => None,
        }
    }

    /// The changes that it makes, each part once; none that changes nothing.
    /// What comes in is spread evenly over the parts, its remainder from the
    /// part `start` on.
    ///
    /// # Errors
    /// [`TooFew`].
    pub fn shifts(
        &self,
        sku: &Sku,
        shards: u8,
        start: u8,
        levels: &Levels,
    ) -> Result<Vec<Shift>, TooFew> {
        Ok(match self {
            Self::In { at, units } => coming(at, *units, shards, start),
            Self::Out { at, units } => going(sku, at, *units, levels)?,
            Self::Transfer { from, to, units } => {
                let mut shifts = going(sku, from, *units, levels)?;
                shifts.extend(coming(to, *units, shards, start));
                shifts
            }
            Self::Spread { at } => spreading(at, shards, levels.parts(sku, at)),
        })
    }
}

fn coming(at: &LocationId, units: u32, shards: u8, start: u8) -> Vec<Shift> {
    let count = shards.max(1);
    let shares = (0..count).zip(even_split(units.into(), count));
    let shift = |(step, units): (u8, i64)| {
        let shard = start.checked_rem(count)?.checked_add(step)?.checked_rem(count)?;
        shift(at, shard, units, 0)
    };
    shares.filter_map(shift).collect()
}

fn going(sku: &Sku, at: &LocationId, units: u32, levels: &Levels) -> Result<Vec<Shift>, TooFew> {
    let available = levels.sum(sku, at).max(0);
    let there: Vec<i64> = levels.parts(sku, at).iter().map(|it| (*it).max(0)).collect();
    let chosen = choose(&there, units.into(), 0).filter(|_| available >= i64::from(units));
    let chosen = chosen.ok_or_else(|| TooFew { at: at.clone(), available, units })?;
    let shift = |(part, units): (usize, i64)| {
        shift(at, u8::try_from(part).ok()?, units.saturating_neg(), 0)
    };
    Ok(chosen.into_iter().filter_map(shift).collect())
}

/// Parts that the policy no longer counts give all that they have.
fn spreading(at: &LocationId, shards: u8, parts: &[i64]) -> Vec<Shift> {
    let all = parts.iter().fold(0, |sum: i64, it| sum.saturating_add(*it));
    let even = even_split(all, shards.max(1)).into_iter().chain(std::iter::repeat(0));
    let both = (0..).zip(parts).zip(even);
    let shift = |((shard, units), even): ((u8, &i64), i64)| {
        shift(at, shard, even.saturating_sub(*units), even.min(0))
    };
    both.filter_map(shift).collect()
}

fn shift(at: &LocationId, shard: u8, units: i64, floor: i64) -> Option<Shift> {
    let change = LevelChange { location: at.clone(), shard, units };
    (units != 0).then_some(Shift { change, floor })
}

#[cfg(test)]
mod tests {
    use aftercart::model::stock::MAX_SHARDS;
    use proptest::prelude::*;

    use super::*;

    fn at(name: &str) -> LocationId {
        LocationId::parse(name).unwrap()
    }

    fn tea() -> Sku {
        Sku::parse("TEA").unwrap()
    }

    fn levels(location: &str, parts: &[i64]) -> Levels {
        let mut levels = Levels::default();
        for shard in 0..MAX_SHARDS {
            let units = parts.get(usize::from(shard)).copied().unwrap_or_default();
            levels.note(&tea(), &at(location), shard, units);
        }
        levels
    }

    /// The changes in words: `a/0 +3, a/1 -2`.
    fn told(shifts: &[Shift]) -> String {
        let words = shifts.iter().map(|Shift { change, .. }| {
            format!("{}/{} {:+}", change.location, change.shard, change.units)
        });
        words.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn movements_change_parts() {
        let (a, b) = (at("a"), at("b"));
        let out = |units| Moving::Out { at: a.clone(), units };
        let moved = |units| Moving::Transfer { from: a.clone(), to: b.clone(), units };
        let spread = || Moving::Spread { at: a.clone() };
        for (moving, shards, start, parts, changes) in [
            (Moving::In { at: a.clone(), units: 7 }, 1, 0, &[][..], "a/0 +7"),
            (Moving::In { at: a.clone(), units: 7 }, 3, 0, &[], "a/0 +3, a/1 +2, a/2 +2"),
            (Moving::In { at: a.clone(), units: 2 }, 3, 5, &[], "a/2 +1, a/0 +1"),
            (out(4), 2, 0, &[5, 5], "a/0 -4"),
            (out(7), 2, 0, &[5, 6], "a/1 -6, a/0 -1"),
            (out(7), 1, 0, &[5, 6], "a/1 -6, a/0 -1"),
            (out(3), 2, 0, &[-3, 6], "a/1 -3"),
            (moved(7), 2, 1, &[5, 6], "a/1 -6, a/0 -1, b/1 +4, b/0 +3"),
            (spread(), 2, 0, &[6, 5, 0], ""),
            (spread(), 2, 0, &[0, 6, 5], "a/0 +6, a/1 -1, a/2 -5"),
            (spread(), 4, 0, &[9], "a/0 -6, a/1 +2, a/2 +2, a/3 +2"),
            (spread(), 2, 0, &[-9, 4], "a/0 +7, a/1 -7"),
        ] {
            let shifts = moving.shifts(&tea(), shards, start, &levels("a", parts)).unwrap();
            assert_eq!(told(&shifts), changes, "{moving:?}");
        }
        for (units, parts, available) in [(12, &[5, 6][..], 11), (4, &[-3, 6], 3), (1, &[-3], 0)] {
            let few = TooFew { at: a.clone(), available, units };
            for moving in [out(units), moved(units)] {
                assert_eq!(moving.shifts(&tea(), 2, 0, &levels("a", parts)), Err(few.clone()));
            }
        }
    }

    #[test]
    fn units_are_one_to_a_million() {
        assert_eq!((units(1), units(1_000_000)), (Ok(1), Ok(1_000_000)));
        for asked in [0, -1, 1_000_001, i64::MIN, i64::MAX] {
            assert_eq!(units(asked), Err(UnitsError));
        }
    }

    proptest! {
        /// Spreading moves nothing in or out, evens the parts, and has nothing
        /// to do once it is done; its conditions hold on what it read.
        #[test]
        fn spreading_evens(parts in prop::collection::vec(-20..40_i64, 1..=16), shards in 1..=16_u8) {
            let moving = Moving::Spread { at: at("a") };
            let mut now = levels("a", &parts);
            let shifts = moving.shifts(&tea(), shards, 0, &now).unwrap();
            prop_assert_eq!(shifts.iter().map(|it| it.change.units).sum::<i64>(), 0);
            for Shift { change, floor } in shifts {
                let there = now.parts(&tea(), &at("a"))[usize::from(change.shard)];
                prop_assert!(change.units > 0 || there + change.units >= floor);
                now.note(&tea(), &at("a"), change.shard, there + change.units);
            }
            let (used, left) = now.parts(&tea(), &at("a")).split_at(shards.into());
            let (least, most) = (used.iter().min().unwrap(), used.iter().max().unwrap());
            prop_assert!(most - least <= 1 && left.iter().all(|it| *it == 0), "{now:?}");
            prop_assert_eq!(moving.shifts(&tea(), shards, 0, &now), Ok(Vec::new()));
        }
    }
}
