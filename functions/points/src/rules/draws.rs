//! Draws of campaigns: who may draw, and what a draw gives.
//!
//! What is drawn comes from a number that nobody can foresee; what is given of
//! it is bounded by what the member may still get, and by what the campaign
//! still has. So nothing is given that is not in the pool, and all that is in it
//! can be given.

use aftercart::model::{
    draw::{Drawing, Drawn, POOL_PARTS, part_of_pool},
    points::{Account, Authority, Cause, Entry, Ledger, LedgerError, Movement, Tier},
    policy::Policy,
    programme::between::{Campaign, Draw},
    text::Text,
    time::Timestamp,
};

use super::{
    expiry,
    membership::{self, After, Deed},
};

/// Why a member does not draw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It has not begun, is over, or all its points are given.
    #[error("The campaign is not open.")]
    Closed,
    /// It is for others.
    #[error("The campaign is for members of other tiers.")]
    Tier,
    /// As often as one may.
    #[error("You drew {0} times today, which is as often as one may.")]
    Day(u32),
    /// As many points as one may.
    #[error("You drew as many points as one may in this campaign.")]
    Most,
    /// A ledger that cannot take it.
    #[error("the draw cannot be posted: {0}")]
    Ledger(#[from] LedgerError),
}

/// What is true when a member draws.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// In which campaign.
    pub campaign: &'a Campaign,
    /// How many points were given of each part of its pool.
    pub given: &'a [i64],
    /// What the member drew so far.
    pub drawing: &'a Drawing,
    /// The member's tier.
    pub tier: Option<&'a Tier>,
    /// The name of the draw.
    pub reference: &'a Text<80>,
    /// A number that nobody can foresee, evenly spread.
    pub number: u64,
    /// The present moment.
    pub now: Timestamp,
}

/// A draw, and what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The draw.
    pub drawn: Drawn,
    /// What the member drew so far, with it.
    pub drawing: Drawing,
    /// How many points it takes out of which parts of the pool.
    pub taken: Vec<(u8, i64)>,
    /// Its entry and what followed; nothing for a blank.
    pub after: After,
}

/// Draws. The points are put into the ledger, which is changed for nothing else.
///
/// # Errors
/// [`Refusal`]; then nothing was changed.
pub fn decide(facts: Facts<'_>, ledger: &mut Ledger, policy: &Policy) -> Result<Outcome, Refusal> {
    let Facts { campaign, drawing, reference, now, .. } = facts;
    let today = now.date_in(&policy.points.zone);
    let draws = drawing.draws_on(today);
    let mine = i64::from(campaign.per_member).saturating_sub(drawing.points);
    let is_for = |tier: &Tier| facts.tier == Some(tier);
    if !campaign.is_open(now) || free(facts).all(|(_, left)| left == 0) {
        return Err(Refusal::Closed);
    }
    if !campaign.tiers.is_empty() && !campaign.tiers.iter().any(is_for) {
        return Err(Refusal::Tier);
    }
    if draws >= campaign.draws_per_day {
        return Err(Refusal::Day(draws));
    }
    if mine <= 0 {
        return Err(Refusal::Most);
    }
    let wanted = picked(&campaign.draws, facts.number).min(mine);
    let taken = taken(facts, wanted);
    let points = taken.iter().fold(0_i64, |sum, (_, points)| sum.saturating_add(*points));
    let left = campaign.draws_per_day.saturating_sub(draws).saturating_sub(1);
    let customer = ledger.customer.clone();
    let drawn = Drawn {
        reference: reference.clone(),
        customer: customer.clone(),
        campaign: campaign.id.clone(),
        at: now,
        points,
        left,
    };
    let drawing = Drawing {
        on: today,
        draws: draws.saturating_add(1),
        points: drawing.points.saturating_add(points),
        ..drawing.clone()
    };
    let after = if points == 0 { After::default() } else { granted(&drawn, ledger, policy)? };
    Ok(Outcome { drawn, drawing, taken, after })
}

/// Which of the weighted draws a number falls on: its part of all numbers is
/// that of its weight, to within 2^-64 (multiply and shift, which has no bias
/// that a remainder would have).
fn picked(draws: &[Draw], number: u64) -> i64 {
    let all: u128 = draws.iter().map(|draw| u128::from(draw.weight)).sum();
    let mut place = u128::from(number).saturating_mul(all) >> u64::BITS;
    for draw in draws {
        match place.checked_sub(u128::from(draw.weight)) {
            Some(rest) => place = rest,
            None => return i64::from(draw.points),
        }
    }
    0
}

/// How many points are left in each part of the pool.
fn free(facts: Facts<'_>) -> impl Iterator<Item = (u8, i64)> {
    let given = facts.given.iter().copied().chain(std::iter::repeat(0));
    let pool = facts.campaign.pool;
    (0..POOL_PARTS)
        .zip(given)
        .map(move |(part, given)| (part, part_of_pool(pool, part).saturating_sub(given).max(0)))
}

/// Takes points out of the pool, as many as there are. Different draws begin
/// with different parts, so that they do not meet.
fn taken(facts: Facts<'_>, points: i64) -> Vec<(u8, i64)> {
    let mut parts: Vec<(u8, i64)> = free(facts).collect();
    let [first, ..] = facts.number.to_le_bytes();
    parts.rotate_left(usize::from(first % POOL_PARTS));
    let mut missing = points;
    let mut taken = Vec::new();
    for (part, left) in parts {
        let some = left.min(missing);
        if some > 0 {
            missing = missing.saturating_sub(some);
            taken.push((part, some));
        }
    }
    taken
}

/// Puts what was drawn into the ledger.
fn granted(drawn: &Drawn, ledger: &mut Ledger, policy: &Policy) -> Result<After, LedgerError> {
    let Drawn { reference, campaign, at, points, .. } = drawn;
    let life = policy.points.expiry.of_grants();
    let lot = expiry::lot(*points, *at, *at, life, &policy.points);
    let authority = Authority { rule: campaign.as_str(), policy: policy.version.as_str() };
    let id = ledger.entry_id("campaign", campaign.as_str(), reference.as_str());
    let (campaign, reference) = (campaign.clone(), reference.clone());
    let movement =
        Movement { id, at: *at, cause: Cause::Campaign { campaign, reference }, authority };
    let entry: Entry = ledger.credit(movement, Account::Issued, vec![lot])?;
    let mut after = membership::after(ledger, &Deed::Granted, *at, policy)?;
    after.entries.insert(0, entry);
    Ok(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::rules::fixtures::{at, member};

    fn campaign(pool: u32, per_member: u32) -> Campaign {
        serde_json::from_value(json!({
            "id": "rain", "title": { "en": "Points rain" }, "from": at(1), "until": at(10),
            "pool": pool, "draws_per_day": 2, "per_member": per_member,
            "draws": [
                { "points": 0, "weight": 1 }, { "points": 5, "weight": 2 },
                { "points": 50, "weight": 1 },
            ],
        }))
        .unwrap()
    }

    fn reference() -> Text<80> {
        Text::new("r").unwrap()
    }

    fn nothing() -> Drawing {
        Drawing::nothing(member(), Text::new("rain").unwrap())
    }

    /// A quarter of all numbers.
    const QUARTER: u64 = 1 << 62;

    #[test]
    fn a_number_falls_on_a_draw_by_its_weight() {
        let draws = campaign(1, 1).draws;
        for (number, points) in [
            (0, 0),
            (QUARTER - 1, 0),
            (QUARTER, 5),
            (3 * QUARTER - 1, 5),
            (3 * QUARTER, 50),
            (u64::MAX, 50),
        ] {
            assert_eq!(picked(&draws, number), points, "{number}");
        }
    }

    #[test]
    fn who_may_draw_and_what_it_gives() {
        let policy = Policy::default_document().unwrap();
        let open = campaign(80, 60);
        let gold: Tier = Text::new("gold").unwrap();
        let tiered = Campaign { tiers: vec![gold.clone()], ..open.clone() };
        let today = at(2).date_in(&policy.points.zone);
        let drawn = |draws, points| Drawing { on: today, draws, points, ..nothing() };
        let full = [10; 8];
        for (campaign, given, drawing, tier, day, expected) in [
            (&open, &full[..0], nothing(), None, 2, Ok(50)),
            (&open, &full[..0], nothing(), None, 0, Err(Refusal::Closed)),
            (&open, &full[..0], nothing(), None, 10, Err(Refusal::Closed)),
            (&open, &full[..], nothing(), None, 2, Err(Refusal::Closed)),
            // All that is left: of the last part only.
            (&open, &full[..7], nothing(), None, 2, Ok(10)),
            (&open, &full[..0], drawn(1, 50), None, 2, Ok(10)),
            (&open, &full[..0], drawn(1, 60), None, 2, Err(Refusal::Most)),
            (&open, &full[..0], drawn(2, 0), None, 2, Err(Refusal::Day(2))),
            (&open, &full[..0], drawn(2, 0), None, 3, Ok(50)),
            (&tiered, &full[..0], nothing(), None, 2, Err(Refusal::Tier)),
            (&tiered, &full[..0], nothing(), Some(&gold), 2, Ok(50)),
        ] {
            let mut ledger = Ledger::empty(member());
            let (reference, now) = (reference(), at(day));
            let facts = Facts {
                campaign,
                given,
                drawing: &drawing,
                tier,
                reference: &reference,
                number: u64::MAX,
                now,
            };
            let outcome = decide(facts, &mut ledger, &policy);
            let points = outcome.map(|it| it.drawn.points);
            assert_eq!(points, expected, "{drawing:?} {day}");
            assert_eq!(ledger.spendable(), expected.unwrap_or(0));
        }
    }

    #[test]
    fn a_blank_writes_no_entry_and_counts() {
        let policy = Policy::default_document().unwrap();
        let (campaign, reference, drawing) = (campaign(80, 60), reference(), nothing());
        let facts = Facts {
            campaign: &campaign,
            given: &[],
            drawing: &drawing,
            tier: None,
            reference: &reference,
            number: 0,
            now: at(2),
        };
        let mut ledger = Ledger::empty(member());
        let outcome = decide(facts, &mut ledger, &policy).unwrap();
        assert_eq!((outcome.drawn.points, outcome.drawn.left, outcome.drawing.draws), (0, 1, 1));
        assert!(outcome.after.entries.is_empty() && outcome.taken.is_empty());
        assert_eq!(ledger, Ledger::empty(member()));
    }

    proptest! {
        /// Whatever is drawn, in whatever order: no part of the pool gives more
        /// than it has, nobody gets more than one may, and the ledgers have
        /// what the pool gave.
        #[test]
        fn no_more_is_given_than_there_is(
            pool in 1_u32..300,
            per_member in 1_u32..80,
            draws in prop::collection::vec((0_usize..5, any::<u64>(), 1_u16..10), 1..60),
        ) {
            let policy = Policy::default_document().unwrap();
            let campaign = campaign(pool, per_member);
            let mut given = vec![0_i64; usize::from(POOL_PARTS)];
            let mut ledgers = vec![Ledger::empty(member()); 5];
            let mut drawings = vec![nothing(); 5];
            for (n, (who, number, day)) in draws.into_iter().enumerate() {
                let reference = Text::new(&n.to_string()).unwrap();
                let facts = Facts {
                    campaign: &campaign,
                    given: &given,
                    drawing: &drawings[who],
                    tier: None,
                    reference: &reference,
                    number,
                    now: at(day),
                };
                let Ok(outcome) = decide(facts, &mut ledgers[who], &policy) else { continue };
                for (part, points) in outcome.taken {
                    given[usize::from(part)] += points;
                }
                drawings[who] = outcome.drawing;
            }
            for (part, given) in (0..).zip(&given) {
                prop_assert!(*given <= part_of_pool(pool, part));
            }
            let got: Vec<i64> = ledgers.iter().map(Ledger::spendable).collect();
            prop_assert_eq!(got.iter().sum::<i64>(), given.iter().sum::<i64>());
            for (ledger, drawing) in ledgers.iter().zip(&drawings) {
                prop_assert_eq!(ledger.spendable(), drawing.points);
                prop_assert!(drawing.points <= i64::from(per_member));
                prop_assert_eq!(ledger.check(), Ok(()));
            }
        }
    }
}
