//! What a delivery policy must not say, though its form allows it.

use std::{collections::BTreeMap, fmt};

use super::{
    Calendar, DeliveryPlace, DeliveryPolicy, Method, MethodKind, PriceStep, Prices, Transit,
};
use crate::model::{money::MAX_MINOR, policy::PolicyError, stock::StockPolicy, text::Text};

/// The most methods: what a buyer can compare, with room for tiers and places.
const MAX_METHODS: usize = 20;

/// The most places of a method: every country once, and some remote areas.
const MAX_PLACES: usize = 300;

/// The most holidays of a calendar: twenty years of twenty.
const MAX_HOLIDAYS: usize = 400;

/// The longest handling, and the longest time under way, in working days.
/// Goods that take longer are sold as pre-orders.
pub(in crate::model) const MAX_DAYS: u16 = 90;

impl DeliveryPolicy {
    /// Whether the document makes sense: its names are known and used once,
    /// its numbers within bounds, its prices ascending.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub fn check(&self, stock: &StockPolicy) -> Result<(), PolicyError> {
        for (name, calendar) in &self.calendars {
            calendar.check().map_err(|at| at.below(format_args!("delivery.calendars.{name}")))?;
        }
        let count = "must be 1 to 20";
        demand((1..=MAX_METHODS).contains(&self.methods.len()), "", count)
            .map_err(|at| at.below("delivery.methods"))?;
        for (i, method) in self.methods.iter().enumerate() {
            let known = self.methods.iter().take(i).all(|other| other.id != method.id);
            demand(known, "id", "must be the method's alone")
                .and_then(|()| method.check(&self.calendars, stock))
                .map_err(|at| at.below(format_args!("delivery.methods[{i}]")))?;
        }
        Ok(())
    }
}

/// What is wrong, and where below the part that was looked at.
pub(in crate::model) struct Fault {
    at: String,
    reason: &'static str,
}

impl Fault {
    pub(in crate::model) fn within(self, part: impl fmt::Display) -> Self {
        let dot = if self.at.is_empty() || self.at.starts_with('[') { "" } else { "." };
        Self { at: format!("{part}{dot}{}", self.at), ..self }
    }

    pub(in crate::model) fn below(self, part: impl fmt::Display) -> PolicyError {
        let Self { at, reason } = self.within(part);
        PolicyError::Malformed { path: at, reason: reason.to_owned() }
    }
}

pub(in crate::model) fn demand(
    holds: bool,
    at: impl fmt::Display,
    reason: &'static str,
) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault { at: at.to_string(), reason }) }
}

type Calendars = BTreeMap<Text<20>, Calendar>;

impl Calendar {
    fn check(&self) -> Result<(), Fault> {
        demand(!self.working.is_empty(), "working", "must have a day")?;
        demand(self.holidays.len() <= MAX_HOLIDAYS, "holidays", "must be at most 400")
    }
}

impl Method {
    fn check(&self, calendars: &Calendars, stock: &StockPolicy) -> Result<(), Fault> {
        let store = self.kind == MethodKind::Ship || stock.location(&self.location).is_some();
        demand(store, "location", "must be one of the stock's locations")?;
        let known = calendars.contains_key(&self.handling.calendar);
        demand(known, "handling.calendar", "must be one of the calendars")?;
        demand(self.handling.days <= MAX_DAYS, "handling.days", "must be at most 90")?;
        self.transit.check(calendars).map_err(|at| at.within("transit"))?;
        check_prices(&self.prices).map_err(|at| at.within("prices"))?;
        demand(self.points != Some(0), "points", "must be at least 1")?;
        let priced =
            |place: &DeliveryPlace| !place.prices.is_empty() || !place.surcharge.is_empty();
        let has_price = !self.prices.is_empty() || self.places.iter().any(priced);
        demand(self.points.is_none() || has_price, "points", "take the place of a price")?;
        demand((1..=MAX_PLACES).contains(&self.places.len()), "places", "must be 1 to 300")?;
        for (i, place) in self.places.iter().enumerate() {
            place.check(calendars).map_err(|at| at.within(format_args!("places[{i}]")))?;
        }
        Ok(())
    }
}

impl Transit {
    fn check(&self, calendars: &Calendars) -> Result<(), Fault> {
        let known = self.calendar.as_ref().is_none_or(|name| calendars.contains_key(name));
        demand(known, "calendar", "must be one of the calendars")?;
        demand(self.p90 <= MAX_DAYS, "p90", "must be at most 90")?;
        demand(self.p50 <= self.p90, "p50", "must be at most p90")
    }
}

impl DeliveryPlace {
    fn check(&self, calendars: &Calendars) -> Result<(), Fault> {
        let parts = self.regions.is_empty() && self.postal_codes.is_empty();
        demand(
            parts || !self.countries.is_empty(),
            "countries",
            "must be there: regions and postal codes are a country's",
        )?;
        for (i, codes) in self.postal_codes.iter().enumerate() {
            demand(
                codes.in_order(),
                format_args!("postal_codes[{i}]"),
                "must be a beginning, or go from the lower to the higher of two of the same length",
            )?;
        }
        check_prices(&self.prices).map_err(|at| at.within("prices"))?;
        for (currency, amount) in &self.surcharge {
            let fits = (0..=MAX_MINOR).contains(amount);
            demand(fits, format_args!("surcharge.{currency}"), "must be 0 to 999999999999")?;
        }
        if let Some(transit) = &self.transit {
            transit.check(calendars).map_err(|at| at.within("transit"))?;
        }
        demand(self.extra_days <= MAX_DAYS, "extra_days", "must be at most 90")
    }
}

/// Weights and prices go up together: a heavier parcel is never cheaper.
pub(in crate::model) fn check_prices(prices: &Prices) -> Result<(), Fault> {
    for (currency, steps) in prices {
        demand(!steps.is_empty(), currency, "must have a step")?;
        let mut before: Option<&PriceStep> = None;
        for (i, step) in steps.iter().enumerate() {
            let at = format_args!("{currency}[{i}]").to_string();
            let fits = (0..=MAX_MINOR).contains(&step.amount);
            demand(fits, format_args!("{at}.amount"), "must be 0 to 999999999999")?;
            let heavier = before.is_none_or(|before| match (before.up_to, step.up_to) {
                (Some(before), Some(weight)) => before < weight,
                (before, _) => before.is_some(),
            });
            demand(heavier, format_args!("{at}.up_to"), "must be heavier than the step before")?;
            let dearer = before.is_none_or(|before| before.amount <= step.amount);
            demand(dearer, format_args!("{at}.amount"), "must not be less than the step before")?;
            before = Some(step);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy() -> Value {
        json!({
            "calendars": { "week": { "zone": "UTC", "working": ["mon"], "holidays": ["2026-12-28"] } },
            "methods": [{
                "id": "express", "title": { "en": "Express" }, "kind": "pickup", "location": "main",
                "prices": { "GBP": [{ "up_to": 1000, "amount": 500 }, { "amount": 900 }] },
                "points": 300,
                "handling": { "calendar": "week", "cut_off": "14:00", "days": 1 },
                "transit": { "p50": 1, "p90": 2 },
                "places": [{
                    "countries": ["GB"], "regions": ["Kent"],
                    "postal_codes": [{ "prefix": "CT" }, { "from": "ME1", "to": "ME9" }],
                    "surcharge": { "GBP": 0 }
                }]
            }]
        })
    }

    fn check(document: &Value) -> Result<(), String> {
        let policy: DeliveryPolicy = serde_json::from_value(document.clone()).unwrap();
        assert_eq!(serde_json::to_value(&policy).unwrap()["calendars"], document["calendars"]);
        let stock = json!({ "locations": [{ "id": "main", "title": "Main" }], "low_at": 1 });
        policy.check(&serde_json::from_value(stock).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(check(&policy()), Ok(()));
        let mut twice = policy();
        let method = twice["methods"][0].clone();
        twice["methods"].as_array_mut().unwrap().push(method);
        assert!(check(&twice).unwrap_err().contains("delivery.methods[1].id"));
        let holidays: Vec<Value> = vec!["2026-12-28".into(); 401];
        for (pointer, value, path) in [
            ("/calendars/week/working", json!([]), "delivery.calendars.week.working"),
            ("/calendars/week/holidays", holidays.into(), "delivery.calendars.week.holidays"),
            ("/methods", json!([]), "delivery.methods"),
            ("/methods/0/handling/calendar", json!("moon"), "methods[0].handling.calendar"),
            ("/methods/0/location", json!("moon"), "methods[0].location"),
            ("/methods/0/handling/days", json!(91), "methods[0].handling.days"),
            ("/methods/0/transit/p50", json!(3), "methods[0].transit.p50"),
            ("/methods/0/transit/p90", json!(91), "methods[0].transit.p90"),
            (
                "/methods/0/transit",
                json!({ "calendar": "moon", "p50": 1, "p90": 1 }),
                "methods[0].transit.calendar",
            ),
            ("/methods/0/points", json!(0), "methods[0].points"),
            ("/methods/0/places", json!([]), "methods[0].places"),
            ("/methods/0/places/0/countries", json!([]), "methods[0].places[0].countries"),
            ("/methods/0/places/0/postal_codes/0/prefix", json!("-"), "places[0].postal_codes[0]"),
            ("/methods/0/places/0/postal_codes/1/to", json!("ME"), "places[0].postal_codes[1]"),
            ("/methods/0/places/0/postal_codes/1/to", json!("ME0"), "places[0].postal_codes[1]"),
            ("/methods/0/places/0/surcharge/GBP", json!(-1), "places[0].surcharge.GBP"),
            ("/methods/0/prices/GBP", json!([]), "methods[0].prices.GBP"),
            ("/methods/0/prices/GBP/0/amount", json!(-1), "prices.GBP[0].amount"),
            ("/methods/0/prices/GBP/1/amount", json!(499), "prices.GBP[1].amount"),
            ("/methods/0/prices/GBP/0", json!({ "amount": 1 }), "prices.GBP[1].up_to"),
            (
                "/methods/0/prices/GBP/1",
                json!({ "up_to": 1000, "amount": 900 }),
                "prices.GBP[1].up_to",
            ),
        ] {
            let mut document = policy();
            *document.pointer_mut(pointer).unwrap() = value;
            let error = check(&document).unwrap_err();
            assert!(error.contains(path), "{pointer}: {error}");
        }
        for (member, value, path) in [
            ("prices", json!({ "GBP": [{ "amount": -1 }] }), "places[0].prices.GBP[0].amount"),
            ("transit", json!({ "p50": 2, "p90": 1 }), "places[0].transit.p50"),
            ("extra_days", json!(91), "places[0].extra_days"),
        ] {
            let mut document = policy();
            document["methods"][0]["places"][0][member] = value;
            let error = check(&document).unwrap_err();
            assert!(error.contains(path), "{member}: {error}");
        }
        let mut free = policy();
        free["methods"][0]["prices"] = json!({});
        assert_eq!(check(&free), Ok(()), "the surcharge is a price");
        free["methods"][0]["places"] = json!([{}]);
        assert!(check(&free).unwrap_err().contains("methods[0].points"));
    }
}
