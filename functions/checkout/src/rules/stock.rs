//! From where do the units of an order come?
//!
//! A level is spread over parts, and each part is taken from on a condition of
//! its own: at least its floor is left. The floors of a location's parts
//! follow from what was read of all of them, so that orders that were planned
//! on different readings, and never saw one another, keep together what one
//! of them alone must keep:
//!
//! * No part goes below its even share of the units that may be sold before
//!   they are there. So a location never goes below all of them.
//! * The units that are kept for others are looked for in the first part, then
//!   in the second, and so on: a part keeps of them what the parts before it do
//!   not hold. An order that takes from a part leaves all of them in this part
//!   and those before it, and no other order that must keep them takes them
//!   from there. Those whom they are kept for may.

use std::cmp::Reverse;

use aftercart::model::{
    digest,
    product::{Product, Sku},
    stock::{Levels, LocationId, StockPart, StockPolicy, StockState, even_split},
    time::Timestamp,
};

use super::access;

/// The most parts that one order takes from. Each is a write of the order's
/// transaction, of which DynamoDB takes 100; the rest is for the order, its
/// quotas, vouchers and points.
pub const MAX_TAKES: usize = 70;

/// How far a buyer may empty a location of a SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Floor {
    /// So many units are kept for others.
    pub kept: u32,
    /// So many units may be sold beyond those that are there.
    pub beyond: u32,
}

/// So many units of a SKU for one line of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub sku: Sku,
    /// How many.
    pub quantity: u32,
    /// How far the buyer may empty a location of it.
    pub floor: Floor,
}

/// From where the units of a line come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinePlan {
    /// The parts that they are taken from; they sum to the line's quantity.
    pub parts: Vec<StockPart>,
    /// Whether any of them are sold before they are there.
    pub preorder: bool,
    /// What must be left in each of the parts, in their order.
    floors: Vec<i64>,
}

/// One write of an order's transaction: units out of a part of a level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    /// What.
    pub sku: Sku,
    /// Where and how many.
    pub part: StockPart,
    /// How many must be left.
    pub floor: i64,
}

/// A line of which there is too little.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    /// Which line, counted from 0.
    pub line: usize,
    /// How many units the buyer may have, after what the lines before take.
    pub available: i64,
}

/// Why an order's units cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unplanned {
    /// Of these lines there is too little.
    Short(Vec<Short>),
    /// They are in so many parts that one transaction cannot take them; fewer
    /// lines or units can be had.
    Scattered,
}

/// Plans from where the units of an order come: from one location if one has
/// all of them, and else each line from the first location that has enough of
/// it, or from several in their order. A line is sold before it is there only
/// if there is too little of it anywhere.
///
/// Inside a location the search begins at a part that follows from `order` and
/// the SKU, so that buyers spread over the parts. One part is taken if one has
/// enough, and else the fewest. A SKU may be in several lines.
///
/// When a take loses, [`Levels::note`] what was found there, and plan again.
///
/// # Errors
/// [`Unplanned`]. Whatever is there and not kept can be had, to the last unit,
/// unless it is scattered over more than [`MAX_TAKES`] parts.
pub fn plan(
    order: &str,
    locations: &[LocationId],
    wanted: &[Wanted],
    levels: &Levels,
) -> Result<Vec<LinePlan>, Unplanned> {
    let there: Vec<Wanted> = wanted.iter().map(Wanted::there).collect();
    let planned = attempt(order, locations, &there, levels).or_else(|short| {
        // Only what is short is sold before it is there, in all of its lines.
        let short: Vec<&Sku> =
            short.iter().filter_map(|it| wanted.get(it.line)).map(|it| &it.sku).collect();
        let lines = wanted.iter().zip(&there);
        let some: Vec<Wanted> = lines
            .map(|(all, there)| if short.contains(&&all.sku) { all } else { there })
            .cloned()
            .collect();
        let mut plans = attempt(order, locations, &some, levels).map_err(Unplanned::Short)?;
        for (plan, wanted) in plans.iter_mut().zip(&some) {
            plan.preorder = wanted.floor.beyond > 0;
        }
        Ok(plans)
    })?;
    let scattered = planned.iter().map(|it| it.parts.len()).sum::<usize>() > MAX_TAKES;
    if scattered { Err(Unplanned::Scattered) } else { Ok(planned) }
}

/// The writes of a plan, each part once, in the order of the lines.
#[must_use]
pub fn takes(wanted: &[Wanted], plans: &[LinePlan]) -> Vec<Take> {
    let mut takes: Vec<Take> = Vec::new();
    for (wanted, plan) in wanted.iter().zip(plans) {
        for (part, floor) in plan.parts.iter().zip(&plan.floors) {
            let same = takes.iter_mut().find(|it| {
                it.sku == wanted.sku
                    && it.part.location == part.location
                    && it.part.shard == part.shard
            });
            let Some(take) = same else {
                let (sku, part) = (wanted.sku.clone(), part.clone());
                takes.push(Take { sku, part, floor: *floor });
                continue;
            };
            // What the first of them leaves is what the second finds.
            let before = take.floor.saturating_sub(i64::from(part.quantity));
            take.floor = before.max(*floor);
            take.part.quantity = take.part.quantity.saturating_add(part.quantity);
        }
    }
    takes
}

/// How many units of a SKU a buyer may have from these locations.
#[must_use]
pub fn available(sku: &Sku, floor: Floor, locations: &[LocationId], levels: &Levels) -> i64 {
    let at = |location| sum(&free(levels.parts(sku, location), floor));
    locations.iter().map(at).fold(0, i64::saturating_add)
}

/// How a product stands at a location, and how many units of it may be sold
/// there to anybody: those in the parts that are sold from, and those that are
/// sold before they are there.
#[must_use]
pub fn standing(
    product: Option<&Product>,
    policy: &StockPolicy,
    parts: &[i64],
    now: Timestamp,
) -> (StockState, i64) {
    let beyond = product.map_or(0, |it| access::floor(&it.access, None, now).beyond);
    let available = sum(parts).saturating_add(beyond.into());
    let low_at = product.map_or(policy.low_at, |it| policy.low_at(&it.facts));
    (StockState::of(available, low_at), available)
}

impl Wanted {
    /// The same, of what is there.
    fn there(&self) -> Self {
        Self { floor: Floor { beyond: 0, ..self.floor }, ..self.clone() }
    }
}

fn attempt(
    order: &str,
    locations: &[LocationId],
    wanted: &[Wanted],
    levels: &Levels,
) -> Result<Vec<LinePlan>, Vec<Short>> {
    for location in locations {
        let mut left = Shelves { order, levels: levels.clone() };
        let all = wanted.iter().map(|it| left.take(it, location, it.quantity)).collect();
        if let Some(plans) = all {
            return Ok(plans);
        }
    }
    let mut left = Shelves { order, levels: levels.clone() };
    let (mut plans, mut short) = (Vec::with_capacity(wanted.len()), Vec::new());
    for (line, it) in wanted.iter().enumerate() {
        match left.take_anywhere(it, locations) {
            Ok(plan) => plans.push(plan),
            Err(available) => short.push(Short { line, available }),
        }
    }
    if short.is_empty() { Ok(plans) } else { Err(short) }
}

/// What is left while an order is planned.
struct Shelves<'a> {
    order: &'a str,
    levels: Levels,
}

impl Shelves<'_> {
    /// Takes a line, or tells how many units of it there are.
    fn take_anywhere(
        &mut self,
        wanted: &Wanted,
        locations: &[LocationId],
    ) -> Result<LinePlan, i64> {
        let whole = locations.iter().find_map(|it| self.take(wanted, it, wanted.quantity));
        if let Some(plan) = whole {
            return Ok(plan);
        }
        let there = available(&wanted.sku, wanted.floor, locations, &self.levels);
        let (mut plan, mut missing) = (LinePlan::default(), wanted.quantity);
        if there < i64::from(missing) {
            return Err(there);
        }
        for location in locations {
            let here = sum(&free(self.levels.parts(&wanted.sku, location), wanted.floor));
            let here = u32::try_from(here).unwrap_or(u32::MAX).min(missing);
            let taken = (here > 0).then(|| self.take(wanted, location, here)).flatten();
            if let Some(taken) = taken {
                plan.parts.extend(taken.parts);
                plan.floors.extend(taken.floors);
                missing = missing.saturating_sub(here);
            }
        }
        Ok(plan)
    }

    /// Takes so many units at a location, if they are there.
    fn take(&mut self, wanted: &Wanted, location: &LocationId, units: u32) -> Option<LinePlan> {
        let parts = self.levels.parts(&wanted.sku, location);
        let floors = floors(parts, wanted.floor);
        let chosen = choose(&free(parts, wanted.floor), i64::from(units), self.start(wanted))?;
        let mut plan = LinePlan::default();
        for (index, quantity) in chosen {
            let shard = u8::try_from(index).ok()?;
            let part = StockPart {
                location: location.clone(),
                shard,
                quantity: u32::try_from(quantity).ok()?,
            };
            let left = self.levels.parts(&wanted.sku, location).get(index)?;
            let left = left.saturating_sub(quantity);
            self.levels.note(&wanted.sku, location, shard, left);
            plan.parts.push(part);
            plan.floors.push(*floors.get(index)?);
        }
        Some(plan)
    }

    /// Where the search for a line's units begins.
    fn start(&self, wanted: &Wanted) -> usize {
        let hash = digest::full(&[self.order.as_bytes(), wanted.sku.as_str().as_bytes()]);
        let first = hash.get(..4).and_then(|digits| usize::from_str_radix(digits, 16).ok());
        first.unwrap_or_default()
    }
}

/// The parts to take units from, and how many from each: the first from
/// `start` on that has enough, or else the fewest.
pub(super) fn choose(free: &[i64], units: i64, start: usize) -> Option<Vec<(usize, i64)>> {
    let count = free.len().max(1);
    let probed = (0..free.len()).map(|step| start.wrapping_add(step) % count);
    let mut probed: Vec<(usize, i64)> =
        probed.filter_map(|part| Some((part, *free.get(part)?))).collect();
    if let Some((part, _)) = probed.iter().find(|(_, free)| *free >= units) {
        return Some(vec![(*part, units)]);
    }
    probed.sort_by_key(|(_, free)| Reverse(*free));
    let (mut chosen, mut missing) = (Vec::new(), units);
    for (part, free) in probed {
        let here = free.min(missing);
        if here > 0 {
            chosen.push((part, here));
            missing = missing.saturating_sub(here);
        }
    }
    (missing == 0).then_some(chosen)
}

/// How many units may be taken from each part.
fn free(parts: &[i64], floor: Floor) -> Vec<i64> {
    let floors = floors(parts, floor);
    parts.iter().zip(floors).map(|(units, floor)| units.saturating_sub(floor).max(0)).collect()
}

/// How many units must be left in each part: see the module.
fn floors(parts: &[i64], floor: Floor) -> Vec<i64> {
    let count = u8::try_from(parts.len()).unwrap_or(u8::MAX);
    let lowest = even_split(-i64::from(floor.beyond), count);
    let above = |(units, lowest): (&i64, &i64)| units.saturating_sub(*lowest);
    // A part below its lowest was sold further when more could be: that is
    // owed to buyers, and not there for others.
    let owed = parts.iter().zip(&lowest).map(above).map(|it| it.min(0).saturating_neg());
    let mut keep = owed.fold(i64::from(floor.kept), i64::saturating_add);
    let floors = parts.iter().zip(&lowest).map(|(units, lowest)| {
        let floor = lowest.saturating_add(keep);
        keep = keep.saturating_sub(above((units, lowest)).max(0)).max(0);
        floor
    });
    floors.collect()
}

fn sum(units: &[i64]) -> i64 {
    units.iter().fold(0, |sum, it| sum.saturating_add(*it))
}

#[cfg(test)]
mod tests;
