//! Promotions: what they take off lines, one after the other.

use std::cmp::Reverse;

use aftercart::model::price::{
    AmountEffect, BundleEffect, BundleItem, BuyGetEffect, Effect, PercentEffect, Rule, SpendEffect,
};

use super::{
    PriceError, Reason,
    cart::{Cart, Taken, part},
};

/// What became of a set of promotions: of each, by its number, what it took
/// off or why it did not.
#[derive(Debug, Clone)]
pub(super) struct Outcome<'a> {
    pub(super) cart: Cart<'a>,
    /// What each line costs after unit prices and line promotions: what spend
    /// thresholds are measured on.
    pub(super) basis: Vec<i64>,
    pub(super) results: Vec<(usize, Result<Taken, Reason>)>,
    /// What all of them took off together.
    pub(super) saved: i64,
}

/// Applies promotions of these numbers, which ascend: those of lines first,
/// then those of the order.
pub(super) fn apply<'a>(
    cart: &Cart<'a>,
    promotions: &[&Rule],
    chosen: &[usize],
) -> Result<Outcome<'a>, PriceError> {
    let mut outcome = Outcome {
        cart: cart.clone(),
        basis: Vec::new(),
        results: Vec::with_capacity(chosen.len()),
        saved: 0,
    };
    let rules = || chosen.iter().filter_map(|n| promotions.get(*n).map(|rule| (*n, *rule)));
    for (number, rule) in rules() {
        let result = match &rule.effect {
            Effect::Bundle(bundle) => bundled(&mut outcome.cart, bundle)?,
            Effect::BuyGet(terms) => bought(&mut outcome.cart, rule, terms)?,
            _ => continue,
        };
        outcome.add(number, result);
    }
    outcome.basis = outcome.cart.rows.iter().map(|row| row.amount).collect();
    for (number, rule) in rules() {
        if matches!(rule.effect, Effect::Bundle(_) | Effect::BuyGet(_)) {
            continue;
        }
        let result = of_order(&mut outcome, rule)?;
        outcome.add(number, result);
    }
    Ok(outcome)
}

impl Outcome<'_> {
    fn add(&mut self, number: usize, result: Result<Taken, Reason>) {
        self.saved += result.as_ref().map_or(0, Taken::amount);
        self.results.push((number, result));
    }

    /// What a promotion of this number took off or why it did not, if it was
    /// among the chosen.
    pub(super) fn result(&self, number: usize) -> Option<&Result<Taken, Reason>> {
        self.results.iter().find(|(of, _)| *of == number).map(|(_, result)| result)
    }
}

/// Takes shares off, or says that there is nothing to take.
fn take(cart: &mut Cart<'_>, wanted: &[i64]) -> Result<Result<Taken, Reason>, PriceError> {
    let taken = cart.take(wanted)?;
    Ok(if taken.amount() > 0 { Ok(taken) } else { Err(Reason::NothingLeft) })
}

/// A promotion on what the lines cost together.
fn of_order(outcome: &mut Outcome<'_>, rule: &Rule) -> Result<Result<Taken, Reason>, PriceError> {
    let covered = outcome.cart.covered(&rule.goods);
    if !covered.contains(&true) {
        return Ok(Err(Reason::NotForGoods));
    }
    let currency = match &rule.effect {
        Effect::Spend(terms) => Some(terms.currency),
        Effect::Percent(terms) => terms.currency,
        Effect::Amount(terms) => Some(terms.currency),
        _ => None,
    };
    if currency.is_some_and(|currency| currency != outcome.cart.currency) {
        return Ok(Err(Reason::OtherCurrency));
    }
    let basis: i64 = spend(&outcome.basis, &covered);
    let steps = steps(&rule.effect, basis);
    if !steps.reached {
        return Ok(Err(Reason::Minimum { missing: steps.missing.unwrap_or(0) }));
    }
    let amounts = outcome.cart.amounts(&covered);
    let rest: i64 = amounts.iter().sum();
    let off = match &rule.effect {
        Effect::Spend(terms) => spend_off(terms, basis),
        Effect::Percent(terms) => percent_off(terms, rest),
        Effect::Amount(AmountEffect { off, .. }) => *off,
        _ => 0,
    };
    let wanted = outcome.cart.shared(off.min(rest), &amounts)?;
    take(&mut outcome.cart, &wanted)
}

/// What covered lines cost together.
pub(super) fn spend(costs: &[i64], covered: &[bool]) -> i64 {
    costs.iter().zip(covered).filter(|(_, covered)| **covered).map(|(cost, _)| cost).sum()
}

/// How a spend stands to an offer's thresholds.
pub(super) struct Steps {
    /// Whether the first one is reached.
    pub(super) reached: bool,
    /// What is missing to the next one, if there is one.
    pub(super) missing: Option<i64>,
}

/// How a spend stands to the thresholds of an effect.
pub(super) fn steps(effect: &Effect, spend: i64) -> Steps {
    let at = |threshold: Option<i64>| Steps {
        reached: threshold.is_none_or(|at| spend >= at),
        missing: threshold.filter(|at| spend < *at).map(|at| at - spend),
    };
    match effect {
        Effect::Spend(SpendEffect { every: Some(every), .. }) => {
            let times = spend / every.per.max(1);
            let more = every.most_times.is_none_or(|most| times < i64::from(most));
            let next = times.saturating_add(1).saturating_mul(every.per);
            Steps { reached: times > 0, missing: more.then_some(next - spend) }
        }
        Effect::Spend(terms) => {
            let next = terms.tiers.iter().find(|tier| spend < tier.at);
            let reached = terms.tiers.first().is_some_and(|tier| spend >= tier.at);
            Steps { reached, missing: next.map(|tier| tier.at - spend) }
        }
        Effect::Percent(terms) => at(terms.minimum),
        Effect::Amount(terms) => at(terms.minimum),
        Effect::FreeShipping(terms) => at(terms.over.map(|over| over.at)),
        Effect::ShippingPercent(terms) => at(terms.over.map(|over| over.at)),
        _ => at(None),
    }
}

fn spend_off(terms: &SpendEffect, spend: i64) -> i64 {
    if let Some(every) = terms.every {
        let times = spend / every.per.max(1);
        let times = every.most_times.map_or(times, |most| times.min(i64::from(most)));
        return times.saturating_mul(every.off);
    }
    terms.tiers.iter().rfind(|tier| spend >= tier.at).map_or(0, |tier| tier.off)
}

fn percent_off(terms: &PercentEffect, rest: i64) -> i64 {
    let off = part(rest, terms.off);
    terms.most.map_or(off, |most| off.min(most))
}

/// Units of a line that no line promotion used yet, as price and count, dearest first.
type Free = Vec<(i64, u32)>;

/// Goods that cost less together: dearest units first, as long as it saves.
fn bundled(
    cart: &mut Cart<'_>,
    bundle: &BundleEffect,
) -> Result<Result<Taken, Reason>, PriceError> {
    if bundle.currency != cart.currency {
        return Ok(Err(Reason::OtherCurrency));
    }
    let mut free: Vec<Free> = cart.rows.iter().map(|row| row.free.clone()).collect();
    let mut weights = vec![0_i64; cart.rows.len()];
    let mut off = 0_i64;
    let reason = loop {
        let Some(heads) = heads(cart, bundle, &free) else { break Reason::Incomplete };
        let cost: i64 = heads.iter().map(|head| head.cost).sum();
        if cost <= bundle.price {
            break Reason::NothingLeft;
        }
        let times = heads.iter().map(|head| head.times).min().unwrap_or(1);
        off += (cost - bundle.price).saturating_mul(i64::from(times));
        for Head { line, units, cost, .. } in heads {
            if let (Some(weight), Some(free)) = (weights.get_mut(line), free.get_mut(line)) {
                *weight += cost.saturating_mul(i64::from(times));
                draw(free, units.saturating_mul(times));
            }
        }
    };
    if off == 0 {
        return Ok(Err(reason));
    }
    let wanted = cart.shared(off, &weights)?;
    take_of_units(cart, &wanted, free)
}

/// The dearest free units of a line that go into a bundle.
struct Head {
    line: usize,
    units: u32,
    /// What they cost ...
    cost: i64,
    /// ... and how often in a row just as much.
    times: u32,
}

/// The dearest free units of every item of a bundle, or nothing if there are
/// too few.
fn heads(cart: &Cart<'_>, bundle: &BundleEffect, free: &[Free]) -> Option<Vec<Head>> {
    let head = |item: &BundleItem| -> Option<Head> {
        let line = cart.rows.iter().position(|row| row.good.sku == item.sku)?;
        let lots = free.get(line)?;
        let mut wanted = item.quantity;
        let mut cost = 0_i64;
        for (price, count) in lots {
            let drawn = wanted.min(*count);
            wanted -= drawn;
            cost += price.saturating_mul(i64::from(drawn));
        }
        let alike = lots.first().map_or(0, |(_, count)| count / item.quantity.max(1));
        let head = Head { line, units: item.quantity, cost, times: alike.max(1) };
        (wanted == 0).then_some(head)
    };
    bundle.items.iter().map(head).collect()
}

/// Draws so many of the dearest units.
fn draw(free: &mut Free, mut units: u32) {
    for (_, count) in free.iter_mut() {
        let drawn = units.min(*count);
        *count -= drawn;
        units -= drawn;
    }
    free.retain(|(_, count)| *count > 0);
}

/// Takes shares off and, if that takes anything, leaves only these units free.
fn take_of_units(
    cart: &mut Cart<'_>,
    wanted: &[i64],
    free: Vec<Free>,
) -> Result<Result<Taken, Reason>, PriceError> {
    let result = take(cart, wanted)?;
    if result.is_ok() {
        for (row, free) in cart.rows.iter_mut().zip(free) {
            row.free = free;
        }
    }
    Ok(result)
}

/// Buy some, get some cheaper: the units from the dearest down are cut into
/// full sets, and the cheapest of each set are reduced.
fn bought(
    cart: &mut Cart<'_>,
    rule: &Rule,
    terms: &BuyGetEffect,
) -> Result<Result<Taken, Reason>, PriceError> {
    let covered = cart.covered(&rule.goods);
    if !covered.contains(&true) {
        return Ok(Err(Reason::NotForGoods));
    }
    let (buy, get) = (u64::from(terms.buy), u64::from(terms.get));
    let set = buy.saturating_add(get).max(1);
    let groups = dearest_first(cart, &covered);
    let units: u64 = groups.iter().map(|(_, _, count)| u64::from(*count)).sum();
    let used = units / set * set;
    if used == 0 {
        return Ok(Err(Reason::Incomplete));
    }
    // How many of so many units from the dearest down are reduced.
    let reduced = |units: u64| units / set * get + (units % set).saturating_sub(buy);
    let mut wanted = vec![0_i64; cart.rows.len()];
    let mut free: Vec<Free> = cart.rows.iter().map(|row| row.free.clone()).collect();
    let mut before = 0_u64;
    for (price, line, count) in groups {
        let after = before.saturating_add(u64::from(count));
        let (from, until) = (before.min(used), after.min(used));
        let times = i64::try_from(reduced(until) - reduced(from)).unwrap_or(0);
        if let (Some(share), Some(free)) = (wanted.get_mut(line), free.get_mut(line)) {
            *share += part(price, terms.off).saturating_mul(times);
            // Groups of a line come dearest first, as its free units do.
            draw(free, u32::try_from(until - from).unwrap_or(count));
        }
        before = after;
    }
    take_of_units(cart, &wanted, free)
}

/// The free units of covered lines as price, line and count, dearest first; of
/// one price in the order of the lines.
fn dearest_first(cart: &Cart<'_>, covered: &[bool]) -> Vec<(i64, usize, u32)> {
    let mut groups: Vec<(i64, usize, u32)> = Vec::new();
    for (line, (row, covered)) in cart.rows.iter().zip(covered).enumerate() {
        let free = row.free.iter().filter(|_| *covered);
        groups.extend(free.map(|(price, count)| (*price, line, *count)));
    }
    groups.sort_by_key(|(price, line, _)| (Reverse(*price), *line));
    groups
}
