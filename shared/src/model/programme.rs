//! The points programme as data: how points are earned, how long they last,
//! what tiers ask and give, and what members may do with points among
//! themselves. A part that is left out is not offered.

pub mod between;
pub mod contests;
pub mod earning;
pub mod expiry;
pub mod matching;
pub mod operating;
pub mod spending;
pub mod tiers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    between::{Campaign, GiftsPolicy},
    contests::Contest,
    earning::EarningPolicy,
    expiry::ExpiryPolicy,
    operating::{AdjustmentsPolicy, TillPolicy},
    spending::OffsetPolicy,
    tiers::TiersPolicy,
};
use super::{
    policy::PolicyError,
    price::WHOLE,
    text::Text,
    time::{Period, Zone},
};

/// The most points for a minor unit, with all that multipliers and tiers put on
/// top. An order of [`super::money::MAX_MINOR`] then gives fewer than
/// [`super::points::MAX_POINTS`]: one that gave more could never be posted.
const MAX_PER_MINOR: u128 = 1;

/// How points are earned, kept, spent and lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsPolicy {
    /// So many points ...
    pub points: u32,
    /// ... for each full amount of this many minor units that are paid in
    /// money for an order line without its tax, whatever its currency, if no
    /// rule says otherwise; parts of it earn nothing (rounded down, a line at a
    /// time).
    pub per_minor: u32,
    /// From delivery to when the points may be spent: goods may be returned meanwhile.
    pub return_window: Period,
    /// The zone whose calendar says when a day, a month or a year ends.
    pub zone: Zone,
    /// How long points last.
    pub expiry: ExpiryPolicy,
    /// Rates, multipliers, deeds that earn, milestones and caps.
    #[serde(default)]
    pub earning: EarningPolicy,
    /// How points pay for orders; they do not, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<OffsetPolicy>,
    /// The levels of membership.
    #[serde(default)]
    pub tiers: TiersPolicy,
    /// How members give points to each other; they do not, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gifts: Option<GiftsPolicy>,
    /// Contests of members and teams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contests: Vec<Contest>,
    /// Campaigns that give points: points rain, draws and games.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub campaigns: Vec<Campaign>,
    /// Tills of stores.
    #[serde(default)]
    pub till: TillPolicy,
    /// What operators may do alone.
    #[serde(default)]
    pub adjustments: AdjustmentsPolicy,
}

impl PointsPolicy {
    /// Whether it makes sense, beyond its form.
    ///
    /// # Errors
    /// [`PolicyError::Nonsense`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        if self.per_minor == 0 {
            let (field, reason) = ("points.per_minor", "must be at least 1");
            return Err(PolicyError::Nonsense { field, reason });
        }
        self.expiry.check()?;
        self.earning.check()?;
        self.tiers.check()?;
        if self.tiers.levels.iter().any(|level| self.earning.gives_by(level.id.as_str())) {
            let reason = "must not be base, cap or the id of a rate or a multiplier";
            return Err(PolicyError::Nonsense { field: "points.tiers.levels.id", reason });
        }
        self.check_rates()?;
        self.offset.iter().try_for_each(OffsetPolicy::check)?;
        self.gifts.iter().try_for_each(GiftsPolicy::check)?;
        contests::check(&self.contests)?;
        between::check(&self.campaigns)?;
        self.till.check()?;
        self.adjustments.check()
    }

    fn check_rates(&self) -> Result<(), PolicyError> {
        let whole = u128::from(WHOLE);
        let multipliers = self.earning.multipliers.iter().map(|it| u128::from(it.extra));
        let level = self.tiers.levels.iter().map(|it| u128::from(it.benefits.extra)).max();
        let extra = multipliers.chain(level).sum::<u128>();
        let extra = self.earning.most_extra.map_or(extra, |most| extra.min(most.into()));
        let fits = |points: u32, per_minor: u32| {
            u128::from(points) * (whole + extra) <= MAX_PER_MINOR * u128::from(per_minor) * whole
        };
        let reason = "must be at most one point for a minor unit, with what multipliers and \
            tiers put on top";
        let nonsense = |field| Err(PolicyError::Nonsense { field, reason });
        if !fits(self.points, self.per_minor) {
            return nonsense("points.points");
        }
        if !self.earning.rates.iter().all(|rate| fits(rate.points, rate.per_minor)) {
            return nonsense("points.earning.rates.points");
        }
        Ok(())
    }

    /// The contest of this name.
    #[must_use]
    pub fn contest(&self, id: &Text<40>) -> Option<&Contest> {
        self.contests.iter().find(|contest| contest.id == *id)
    }

    /// The points of one line, for which so many minor units are paid in
    /// money, by the base rate: so many for each full amount, rounded down.
    #[must_use]
    pub fn of_line(&self, paid: i64) -> i64 {
        Self::at_rate(paid, self.points, self.per_minor)
    }

    /// The points of one line by a rate: so many for each full amount of this
    /// many minor units that are paid, rounded down.
    #[must_use]
    pub fn at_rate(paid: i64, points: u32, per_minor: u32) -> i64 {
        (paid.max(0) / i64::from(per_minor.max(1))).saturating_mul(i64::from(points))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::{money::MAX_MINOR, points::MAX_POINTS};

    /// The default programme with a rate, a multiplier and a level, changed.
    fn policy(changed: &[(&str, Value)]) -> PointsPolicy {
        let document: Value =
            serde_json::from_str(include_str!("../../policy/default.json")).unwrap();
        let mut points = document["points"].clone();
        let title = json!({ "en": "T" });
        points["earning"] = json!({
            "rates": [{ "id": "tea", "title": title, "lines": {}, "points": 3, "per_minor": 100 }],
            "multipliers": [{ "id": "tuesday", "title": title, "extra": 10_000 }],
        });
        points["tiers"] = json!({ "levels": [{
            "id": "gold", "title": title, "reach": [{ "orders": 1 }], "benefits": { "extra": 5_000 },
        }]});
        for (pointer, value) in changed {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            points.pointer_mut(parent).unwrap()[name] = value.clone();
        }
        serde_json::from_value(points).unwrap()
    }

    #[test]
    fn parts_that_do_not_go_together_are_named() {
        let rate = |points: u32| ("/earning/rates/0/points", json!(points));
        let base = |points: u32| ("/points", json!(points));
        let level = |id: &str| ("/tiers/levels/0/id", json!(id));
        let most = |extra: u32| ("/earning/most_extra", json!(extra));
        for (changed, field) in [
            (vec![], None),
            (vec![level("tea")], Some("points.tiers.levels.id")),
            (vec![level("tuesday")], Some("points.tiers.levels.id")),
            (vec![level("base")], Some("points.tiers.levels.id")),
            (vec![level("cap")], Some("points.tiers.levels.id")),
            // Two and a half times the rate, with the multiplier and the level.
            (vec![base(40)], None),
            (vec![base(41)], Some("points.points")),
            (vec![base(4_000_000_000), ("/per_minor", json!(1))], Some("points.points")),
            (vec![rate(40)], None),
            (vec![rate(41)], Some("points.earning.rates.points")),
            (vec![rate(50), base(50), most(10_000)], None),
            (vec![rate(50), most(10_001)], Some("points.earning.rates.points")),
        ] {
            let found = policy(&changed).check();
            let found = found.map_err(|error| match error {
                PolicyError::Nonsense { field, .. } => field,
                other => panic!("{other}"),
            });
            assert_eq!(found.err(), field, "{changed:?}");
        }
    }

    #[test]
    fn the_largest_order_is_less_than_a_ledger_takes() {
        let most = u32::try_from(MAX_PER_MINOR).unwrap();
        assert!(PointsPolicy::at_rate(MAX_MINOR, most, 1) < MAX_POINTS);
    }
}
