//! Where goods are, and how much of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::Country,
    id::MovementId,
    policy::PolicyError,
    product::{ProductFacts, Sku},
    text::{Text, is_plain, names},
    time::Timestamp,
};

/// The most parts that a level is spread over. One part takes 1,000 write
/// units a second, which is 500 orders: sixteen take 8,000 orders.
pub const MAX_SHARDS: u8 = 16;

/// The most locations of a shop. An order reads the level of each of its lines
/// at each of them, 100 levels a round trip.
pub const MAX_LOCATIONS: usize = 10;

/// The most units of one movement: a typing error beyond it is refused.
pub const MAX_MOVED: u32 = 1_000_000;

/// The most SKUs whose levels are spread: the policy is one item of at most 400 KB.
pub const MAX_HOT: usize = 500;

/// Where goods are and how much of them is little.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StockPolicy {
    /// Where goods are, 1 to 10, the place that is asked first first.
    pub locations: Vec<Location>,
    /// Over how many parts, 1 to 16, the level of a SKU is spread, at each
    /// location. A part takes some 500 orders a second; one is the default.
    /// After a change, spread the units that are there by a movement.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hot: BTreeMap<Sku, u8>,
    /// At so many units or fewer, a location is low on a SKU whose product
    /// says nothing else.
    pub low_at: u32,
}

/// A place that goods are sent from or picked up at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// Its name in levels and movements.
    pub id: LocationId,
    /// What people read.
    pub title: Text<80>,
    /// The countries that it sends to; all of them if it names none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// Whether it sends nothing: buyers fetch their goods.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pickup_only: bool,
}

impl StockPolicy {
    /// Over how many parts the level of a SKU is spread.
    #[must_use]
    pub fn shards(&self, sku: &Sku) -> u8 {
        self.hot.get(sku).copied().unwrap_or(1).clamp(1, MAX_SHARDS)
    }

    /// The locations that send to a country, in the order they are asked.
    #[must_use]
    pub fn sending_to(&self, country: &Country) -> Vec<LocationId> {
        let sends = |it: &&Location| {
            !it.pickup_only && (it.countries.is_empty() || it.countries.contains(country))
        };
        self.locations.iter().filter(sends).map(|it| it.id.clone()).collect()
    }

    /// The location, if the shop has it: where a buyer fetches goods, they
    /// come from nowhere else.
    #[must_use]
    pub fn location(&self, id: &LocationId) -> Option<&Location> {
        self.locations.iter().find(|it| it.id == *id)
    }

    /// The location of movements that name none: the first.
    #[must_use]
    pub fn first(&self) -> LocationId {
        self.locations.first().map_or_else(LocationId::default, |it| it.id.clone())
    }

    /// At how many units a location is low on a product.
    #[must_use]
    pub fn low_at(&self, facts: &ProductFacts) -> u32 {
        facts.low_at.unwrap_or(self.low_at)
    }

    /// Whether its values make sense.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let malformed = |path: String, reason: &str| {
            Err(PolicyError::Malformed { path, reason: reason.to_owned() })
        };
        if self.locations.is_empty() || self.locations.len() > MAX_LOCATIONS {
            return malformed("stock.locations".to_owned(), "must be 1 to 10");
        }
        for (i, location) in self.locations.iter().enumerate() {
            if self.locations.iter().take(i).any(|earlier| earlier.id == location.id) {
                return malformed(format!("stock.locations[{i}].id"), "is there twice");
            }
            if location.pickup_only && !location.countries.is_empty() {
                let path = format!("stock.locations[{i}].countries");
                return malformed(path, "must be left out: nothing is sent from here");
            }
        }
        if self.hot.len() > MAX_HOT {
            return malformed("stock.hot".to_owned(), "must name at most 500 SKUs");
        }
        match self.hot.iter().find(|(_, shards)| !(1..=MAX_SHARDS).contains(shards)) {
            Some((sku, _)) => malformed(format!("stock.hot.{sku}"), "must be 1 to 16"),
            None => Ok(()),
        }
    }
}

names! {
    /// A place that goods are sent from or picked up at: 1 to 20 of `a-z 0-9 -`.
    LocationId(20, is_plain);
    /// Why a text names no location.
    LocationError = "must be the name of a location: 1 to 20 of the characters a-z 0-9 -";
}

/// The location of a shop that has one.
const MAIN: &str = "main";

/// `main`, the location of a shop that has one.
impl Default for LocationId {
    fn default() -> Self {
        Self(MAIN.to_owned())
    }
}

/// How the goods of a SKU stand at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StockState {
    /// More than the low mark.
    In,
    /// At the low mark or below.
    Low,
    /// None that may be sold.
    Out,
}

impl StockState {
    /// How goods stand of which so many may be sold.
    #[must_use]
    pub fn of(available: i64, low_at: u32) -> Self {
        match available {
            ..=0 => Self::Out,
            few if few <= i64::from(low_at) => Self::Low,
            _ => Self::In,
        }
    }
}

/// What was last told of how the goods of a SKU stand at a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StockWatch {
    /// How they stood.
    pub state: StockState,
    /// How often it was told; the next telling must have seen this one.
    pub version: u32,
}

/// What was read of levels: the units of each part, by SKU and location.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Levels(BTreeMap<Sku, BTreeMap<LocationId, Vec<i64>>>);

impl Levels {
    /// Notes the units of a part, in place of what was known of it. Parts
    /// before it of which nothing is known have none.
    pub fn note(&mut self, sku: &Sku, location: &LocationId, shard: u8, units: i64) {
        let parts = self.0.entry(sku.clone()).or_default().entry(location.clone()).or_default();
        let shard = usize::from(shard);
        if parts.len() <= shard {
            parts.resize(shard.saturating_add(1), 0);
        }
        if let Some(part) = parts.get_mut(shard) {
            *part = units;
        }
    }

    /// The units of each part of a SKU at a location; no parts if nothing was
    /// read of it.
    #[must_use]
    pub fn parts(&self, sku: &Sku, location: &LocationId) -> &[i64] {
        let of_sku = self.0.get(sku);
        of_sku.and_then(|it| it.get(location)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The units of a SKU at a location.
    #[must_use]
    pub fn sum(&self, sku: &Sku, location: &LocationId) -> i64 {
        self.parts(sku, location).iter().fold(0, |sum, units| sum.saturating_add(*units))
    }
}

/// A number of units split evenly over parts; what does not divide goes one
/// each to the first. Sums to `units`, unless there are no parts.
#[must_use]
pub fn even_split(units: i64, parts: u8) -> Vec<i64> {
    let count = i64::from(parts.max(1));
    let (each, rest) = (units.div_euclid(count), units.rem_euclid(count));
    (0..i64::from(parts)).map(|part| each.saturating_add(i64::from(part < rest))).collect()
}

/// Units of a SKU that are taken from one part of a location's level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StockPart {
    /// Where.
    pub location: LocationId,
    /// Which part of the level, 0 to [`MAX_SHARDS`] less one.
    pub shard: u8,
    /// How many.
    pub quantity: u32,
}

/// Why goods moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// Goods came in.
    Receipt,
    /// A count found more or fewer than the level said.
    Correction,
    /// Goods were lost or spoiled.
    Loss,
    /// Goods went from one location to another.
    Transfer,
    /// The units of a location were spread evenly over the parts of its level.
    Spread,
}

/// Units that come into, or go out of, one part of a location's level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// Where.
    pub location: LocationId,
    /// Which part of the level.
    pub shard: u8,
    /// How many: positive in, negative out.
    pub units: i64,
}

/// Goods that moved. A level is the sum of its movements less what living
/// orders took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Derived from the SKU and the key of the call.
    pub id: MovementId,
    /// What moved.
    pub sku: Sku,
    /// Why.
    pub kind: MovementKind,
    /// Which levels it changes, each part once.
    pub changes: Vec<LevelChange>,
    /// What the operator noted.
    pub note: Option<Text<200>>,
    /// When it was recorded.
    pub at: Timestamp,
    /// A digest of the request: the same key with another request is refused.
    pub request: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn policy(changed: &str, value: Value) -> StockPolicy {
        let mut policy = json!({
            "locations": [
                { "id": "main", "title": "Main", "countries": ["GB", "IE"], "pickup_only": false },
                { "id": "corner", "title": "Corner shop", "pickup_only": true },
                { "id": "north", "title": "North" },
            ],
            "hot": { "TEA": 16 },
            "low_at": 5,
        });
        *policy.pointer_mut(changed).unwrap() = value;
        serde_json::from_value(policy).unwrap()
    }

    #[test]
    fn goods_are_sent_from_where_the_country_is_served() {
        let policy = policy("/low_at", 5.into());
        assert_eq!(policy.check(), Ok(()));
        let sending = |country: &str| {
            let country = Country::try_from(country.to_owned()).unwrap();
            policy.sending_to(&country).iter().map(LocationId::to_string).collect::<Vec<_>>()
        };
        assert_eq!(sending("IE"), ["main", "north"]);
        assert_eq!(sending("CN"), ["north"]);
        assert!(policy.location(&LocationId::parse("corner").unwrap()).is_some());
        assert!(policy.location(&LocationId::parse("south").unwrap()).is_none());
        assert_eq!(policy.first(), LocationId::default());
        let shards = ["TEA", "CUP"].map(|sku| policy.shards(&Sku::parse(sku).unwrap()));
        assert_eq!(shards, [16, 1]);
        let marked = ProductFacts { low_at: Some(9), ..ProductFacts::default() };
        assert_eq!((policy.low_at(&marked), policy.low_at(&ProductFacts::default())), (9, 5));
    }

    #[test]
    fn a_policy_that_makes_no_sense_is_refused_by_field() {
        let place = |n: usize| json!({ "id": format!("p{n}"), "title": "P" });
        let many: Vec<Value> = (0..=MAX_LOCATIONS).map(place).collect();
        let hot: BTreeMap<String, u8> = (0..=MAX_HOT).map(|n| (format!("S{n}"), 2)).collect();
        for (changed, value, field) in [
            ("/locations", json!([]), "stock.locations"),
            ("/locations", json!(many), "stock.locations"),
            ("/locations/2/id", json!("main"), "stock.locations[2].id"),
            ("/locations/0/pickup_only", json!(true), "stock.locations[0].countries"),
            ("/hot", json!(hot), "stock.hot"),
            ("/hot/TEA", json!(0), "stock.hot.TEA"),
            ("/hot/TEA", json!(17), "stock.hot.TEA"),
        ] {
            let Err(PolicyError::Malformed { path, .. }) = policy(changed, value).check() else {
                panic!("{changed} is taken");
            };
            assert_eq!(path, field);
        }
    }

    #[test]
    fn stock_is_low_at_its_mark_and_out_at_nothing() {
        use StockState::{In, Low, Out};
        for (available, low_at, state) in
            [(6, 5, In), (5, 5, Low), (1, 5, Low), (0, 5, Out), (-3, 5, Out), (1, 0, In)]
        {
            assert_eq!(StockState::of(available, low_at), state);
        }
    }

    proptest! {
        #[test]
        fn an_even_split_sums_and_is_even(units in -1_000_000_i64..1_000_000, parts in 1..=16_u8) {
            let split = even_split(units, parts);
            prop_assert_eq!(split.len(), usize::from(parts));
            prop_assert_eq!(split.iter().sum::<i64>(), units);
            prop_assert!(split.is_sorted_by(|a, b| a >= b) && split[0] - split[split.len() - 1] <= 1);
        }
    }
}
