//! How goods reach their buyer: the methods of a shop, where and at what price
//! each is offered, and what it promises.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::Country,
    is_default,
    money::Currency,
    price::Title,
    stock::LocationId,
    text::{Text, is_plain, names},
    time::{Date, TimeOfDay, Weekday, Zone},
};

pub(super) mod check;
mod postal;

pub use postal::{PostalCodes, postal_code};

names! {
    /// A method of delivery: 1 to 20 of `a-z 0-9 -`. An order keeps it.
    MethodId(20, is_plain);
    /// Why a text names no method.
    MethodError = "must be the name of a delivery method: 1 to 20 of the characters a-z 0-9 -";
}

/// Whether goods are brought or fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MethodKind {
    /// A carrier brings them to the buyer's address.
    Ship,
    /// The buyer fetches them at the method's location.
    Pickup,
}

/// What a buyer was promised: dates where the method's calendar hangs, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promise {
    /// The last day on which the parcel leaves, or waits at the store.
    pub ship_by: Date,
    /// By this day half of such parcels are there (the 50th percentile).
    pub from: Date,
    /// By this day nine of ten are there (the 90th percentile): what is promised.
    pub until: Date,
}

/// The longest time from one date of a promise to the next, in days. Beyond
/// what [`DeliveryPolicy`] can make of its longest times, whatever the holidays.
const MAX_GAP_DAYS: u32 = 9_999;

impl Promise {
    /// Its short written form, for storage: the first date, then the days from
    /// each date to the next, such as `2026-11-24+2+3`.
    #[must_use]
    pub fn compact(&self) -> String {
        let (transit, slack) =
            (self.ship_by.days_until(self.from), self.from.days_until(self.until));
        format!("{}+{transit}+{slack}", self.ship_by)
    }

    /// Reads the short form.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        let mut parts = text.split('+');
        let ship_by = Date::parse(parts.next()?).ok()?;
        let mut gap = || parts.next()?.parse().ok().filter(|days| *days <= MAX_GAP_DAYS);
        let from = ship_by.plus_days(gap()?);
        let until = from.plus_days(gap()?);
        parts.next().is_none().then_some(Self { ship_by, from, until })
    }
}

/// The methods of a shop and the calendars that they follow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryPolicy {
    /// Working days, by the names that methods use.
    pub calendars: BTreeMap<Text<20>, Calendar>,
    /// In the order in which buyers see them.
    pub methods: Vec<Method>,
}

/// On which days somebody works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Where the dates and the clock are.
    pub zone: Zone,
    /// The days of a week that are worked.
    pub working: Vec<Weekday>,
    /// Days that are not worked all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Date>,
}

impl Calendar {
    /// Whether the date is worked.
    #[must_use]
    pub fn works(&self, date: Date) -> bool {
        self.working.contains(&date.weekday()) && !self.holidays.contains(&date)
    }
}

/// A way for goods to reach their buyer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// Its name in orders; not used again for something else.
    pub id: MethodId,
    /// What buyers read.
    pub title: Title,
    /// Brought or fetched.
    pub kind: MethodKind,
    /// Where goods are fetched, which take its stock. Goods that are brought
    /// come from the locations that send to the address.
    #[serde(default)]
    pub location: LocationId,
    /// Who may choose it; everybody otherwise.
    #[serde(default, skip_serializing_if = "Group::is_empty")]
    pub only: Group,
    /// Who gets it free; whether they may choose it `only` says.
    #[serde(default, skip_serializing_if = "Group::is_empty")]
    pub free: Group,
    /// The heaviest parcel that it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_grams: Option<u32>,
    /// Its price; free in every currency otherwise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: Prices,
    /// Whoever has so many points may pay with them instead of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<u32>,
    /// How long goods take to leave.
    pub handling: Handling,
    /// How long they are under way.
    pub transit: Transit,
    /// Where it is offered, and what differs there: the first that holds the
    /// address counts, and there is no offer where none does.
    pub places: Vec<DeliveryPlace>,
}

/// Some buyers. Every list that is given has to hold; one member of it is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Members of one of these tiers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Text<40>>,
    /// Buyers in one of these segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Text<40>>,
}

impl Group {
    /// Whether it names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tiers.is_empty() && self.segments.is_empty()
    }

    /// Whether it has a buyer of this tier and these segments.
    #[must_use]
    pub fn has(&self, tier: Option<&str>, segments: &[Text<40>]) -> bool {
        let in_tier = |name: &Text<40>| Some(name.as_str()) == tier;
        !self.is_empty()
            && (self.tiers.is_empty() || self.tiers.iter().any(in_tier))
            && (self.segments.is_empty()
                || self.segments.iter().any(|name| segments.contains(name)))
    }
}

/// Prices by currency and weight. A currency that is missing has no price.
pub type Prices = BTreeMap<Currency, Vec<PriceStep>>;

/// A price of parcels up to a weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceStep {
    /// Up to so many grams, these included; every weight otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u32>,
    /// Minor units.
    pub amount: i64,
}

/// How long goods take to leave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Handling {
    /// Who works when.
    pub calendar: Text<20>,
    /// Orders from this time of a working day on count as the next one's.
    pub cut_off: TimeOfDay,
    /// So many working days later they leave; 0 is on the same day.
    pub days: u16,
}

/// How long parcels are under way, in working days of the carrier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Transit {
    /// On which days the carrier delivers; on those of the handling otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Text<20>>,
    /// In which half of the parcels arrive.
    pub p50: u16,
    /// In which nine of ten arrive.
    pub p90: u16,
}

/// Where a method is offered, and what differs there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryPlace {
    /// In these countries; everywhere otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// In these regions of them, however their letters are cased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Text<60>>,
    /// Where the postal code is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postal_codes: Vec<PostalCodes>,
    /// The price here, instead of the method's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub prices: Prices,
    /// Minor units by currency that come on top.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub surcharge: BTreeMap<Currency, i64>,
    /// The time under way here, instead of the method's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transit: Option<Transit>,
    /// Working days that come on top of the time under way.
    #[serde(default, skip_serializing_if = "is_default")]
    pub extra_days: u16,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_group_asks_for_one_of_each_list_that_it_has() {
        let group = |value| serde_json::from_value::<Group>(value).unwrap();
        let segments = [Text::new("nurses").unwrap()];
        let gold = group(json!({ "tiers": ["gold", "black"] }));
        let both = group(json!({ "tiers": ["gold"], "segments": ["nurses"] }));
        assert!(gold.has(Some("gold"), &[]) && gold.has(Some("black"), &segments));
        assert!(!gold.has(None, &segments) && !gold.has(Some("silver"), &[]));
        assert!(both.has(Some("gold"), &segments));
        assert!(!both.has(Some("gold"), &[]) && !both.has(None, &segments));
        assert!(!Group::default().has(Some("gold"), &segments));
    }

    #[test]
    fn methods_have_short_names() {
        assert!(MethodId::parse("pick-up-2").is_ok());
        for text in ["", "Express", "a b", "a-method-with-a-long-name"] {
            assert_eq!(MethodId::parse(text), Err(MethodError), "{text}");
        }
    }

    #[test]
    fn a_promise_is_stored_short() {
        for text in [
            "",
            "2026-11-24",
            "2026-11-24+1",
            "2026-11-24+1+2+3",
            "2026-11-24+1+-2",
            "24+1+2",
            "2026-11-24+1+10000",
        ] {
            assert_eq!(Promise::parse_compact(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_promise_reads_back(day in 0_u32..3_000_000, transit in 0_u32..=MAX_GAP_DAYS, slack in 0_u32..=MAX_GAP_DAYS) {
            let ship_by = Date::parse("0000-01-01").unwrap().plus_days(day);
            let from = ship_by.plus_days(transit);
            let promise = Promise { ship_by, from, until: from.plus_days(slack) };
            prop_assert_eq!(Promise::parse_compact(&promise.compact()), Some(promise));
        }
    }
}
