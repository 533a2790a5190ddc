//! Which promotions apply together.

use aftercart::model::price::{Rule, Stacking};

use super::{
    PriceError,
    cart::Cart,
    promotion::{self, Outcome},
};

/// The promotions that apply, by their declared stacking.
pub(super) fn best<'a>(cart: &Cart<'a>, promotions: &[&Rule]) -> Result<Outcome<'a>, PriceError> {
    let mut best = together(cart, promotions)?;
    // A later one has to save more, so ties go to the others and to the earlier.
    for number in numbers(promotions, |stacking| *stacking == Stacking::Exclusive) {
        let alone = promotion::apply(cart, promotions, &[number])?;
        if alone.saved > best.saved {
            best = alone;
        }
    }
    Ok(best)
}

/// All promotions but the exclusive ones: those that stack, and of each group
/// the one with which all that are chosen so far save most. Groups choose in
/// the order of their first members; one whose members save nothing more
/// chooses none.
fn together<'a>(cart: &Cart<'a>, promotions: &[&Rule]) -> Result<Outcome<'a>, PriceError> {
    let mut chosen = numbers(promotions, |stacking| *stacking == Stacking::Stackable);
    let mut best = promotion::apply(cart, promotions, &chosen)?;
    let mut groups: Vec<&Stacking> = Vec::new();
    for rule in promotions {
        if matches!(rule.stacking, Stacking::BestOf(_)) && !groups.contains(&&rule.stacking) {
            groups.push(&rule.stacking);
        }
    }
    for group in groups {
        let before = chosen.clone();
        for member in numbers(promotions, |stacking| stacking == group) {
            let mut with = before.clone();
            with.push(member);
            with.sort_unstable();
            let outcome = promotion::apply(cart, promotions, &with)?;
            if outcome.saved > best.saved {
                (best, chosen) = (outcome, with);
            }
        }
    }
    Ok(best)
}

fn numbers(promotions: &[&Rule], of: impl Fn(&Stacking) -> bool) -> Vec<usize> {
    let matching = promotions.iter().enumerate().filter(|(_, rule)| of(&rule.stacking));
    matching.map(|(number, _)| number).collect()
}
