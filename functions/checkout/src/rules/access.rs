//! Who may buy a product, when, and how much of it.

use aftercart::model::{product::Access, text::Text, time::Timestamp};

use super::stock::Floor;

/// Why a buyer may not buy a product.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// It is sold to members of some tiers only.
    #[error("It is sold only to members of: {}.", names(.tiers))]
    Tiers {
        /// Of which.
        tiers: Vec<Text<40>>,
    },
    /// Its sale has not begun for this buyer.
    #[error("Its sale begins at {from}.")]
    NotYet {
        /// When it begins for this buyer.
        from: Timestamp,
    },
}

fn names(tiers: &[Text<40>]) -> String {
    let names: Vec<&str> = tiers.iter().map(Text::as_str).collect();
    names.join(", ")
}

/// Whether a buyer of this tier may buy the product now.
///
/// # Errors
/// [`AccessRefusal`].
pub fn may_buy(access: &Access, tier: Option<&str>, now: Timestamp) -> Result<(), AccessRefusal> {
    if !access.tiers.is_empty() && !is_of(&access.tiers, tier) {
        return Err(AccessRefusal::Tiers { tiers: access.tiers.clone() });
    }
    let early = access.early.iter().filter(|it| Some(it.tier.as_str()) == tier);
    let begins = access.from.map(|from| early.map(|it| it.from).fold(from, Timestamp::min));
    match begins.filter(|from| now < *from) {
        Some(from) => Err(AccessRefusal::NotYet { from }),
        None => Ok(()),
    }
}

/// What the product's access says of the units that a buyer of this tier may
/// have. Nothing is sold before it is there once the goods should have left.
#[must_use]
pub fn floor(access: &Access, tier: Option<&str>, now: Timestamp) -> Floor {
    let reserve = access.reserve.as_ref().filter(|it| !is_of(&it.tiers, tier));
    let preorder = access.preorder.as_ref().filter(|it| now < it.ships);
    Floor { kept: reserve.map_or(0, |it| it.units), beyond: preorder.map_or(0, |it| it.units) }
}

fn is_of(tiers: &[Text<40>], tier: Option<&str>) -> bool {
    tiers.iter().any(|it| Some(it.as_str()) == tier)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_sale_begins_for_each_tier_when_it_is_said() {
        let access: Access = serde_json::from_value(json!({
            "from": "2026-12-01T10:00:00Z",
            "early": [
                { "tier": "gold", "from": "2026-12-01T08:00:00Z" },
                { "tier": "silver", "from": "2026-12-01T09:00:00Z" },
                { "tier": "silver", "from": "2026-12-02T09:00:00Z" },
            ],
        }))
        .unwrap();
        for (tier, from) in [
            (None, "2026-12-01T10:00:00Z"),
            (Some("bronze"), "2026-12-01T10:00:00Z"),
            (Some("silver"), "2026-12-01T09:00:00Z"),
            (Some("gold"), "2026-12-01T08:00:00Z"),
        ] {
            let from = at(from);
            let before = Timestamp::from_unix_millis(from.unix_millis() - 1).unwrap();
            assert_eq!(may_buy(&access, tier, from), Ok(()), "{tier:?}");
            let refused = Err(AccessRefusal::NotYet { from });
            assert_eq!(may_buy(&access, tier, before), refused, "{tier:?}");
        }
        assert_eq!(may_buy(&Access::default(), None, Timestamp::EPOCH), Ok(()));
    }

    #[test]
    fn what_is_for_some_tiers_is_for_no_other() {
        let access: Access =
            serde_json::from_value(json!({ "tiers": ["gold", "silver"] })).unwrap();
        let now = at("2026-12-01T10:00:00Z");
        for tier in ["gold", "silver"] {
            assert_eq!(may_buy(&access, Some(tier), now), Ok(()));
        }
        for tier in [None, Some("bronze"), Some("Gold")] {
            let refusal = may_buy(&access, tier, now).unwrap_err();
            assert_eq!(refusal.to_string(), "It is sold only to members of: gold, silver.");
        }
    }

    #[test]
    fn a_floor_is_of_the_buyers_tier_and_of_the_time() {
        let access: Access = serde_json::from_value(json!({
            "reserve": { "tiers": ["gold"], "units": 10 },
            "preorder": { "ships": "2026-12-10T00:00:00Z", "units": 5 },
        }))
        .unwrap();
        let (early, late) = (at("2026-12-09T23:59:59Z"), at("2026-12-10T00:00:00Z"));
        for (tier, now, kept, beyond) in
            [(None, early, 10, 5), (Some("gold"), early, 0, 5), (Some("red"), late, 10, 0)]
        {
            assert_eq!(floor(&access, tier, now), Floor { kept, beyond }, "{tier:?}");
        }
        assert_eq!(floor(&Access::default(), None, early), Floor::default());
    }
}
