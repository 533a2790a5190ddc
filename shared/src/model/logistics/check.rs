//! What a logistics policy must not say, though its form allows it.

use super::{
    AlertRule, ChoosePolicy, LogisticsPolicy, PatiencePolicy, PollingPolicy, QuietPolicy, Service,
};
use crate::model::{
    alert::AlertKind,
    delivery::{
        DeliveryPolicy, MethodKind,
        check::{Fault, MAX_DAYS, check_prices, demand},
    },
    policy::PolicyError,
    price::WHOLE,
    shipment::ParcelStatus,
    stock::StockPolicy,
    time::Period,
};

/// The most services: some carriers, each with a few. Each is looked at for
/// each parcel that is opened.
const MAX_SERVICES: usize = 50;

/// The most postal codes of a service: remote areas are told by beginnings.
const MAX_POSTAL_CODES: usize = 300;

/// The most points that are given at a time: a typing error beyond it is refused.
const MAX_POINTS: u32 = 1_000_000;

/// The shortest time in which somebody sees to something, and the shortest
/// patience: orders are looked at every five minutes.
const MIN_WAIT: Period = Period::of_seconds(600);

/// The longest time in which somebody sees to something, and the longest
/// patience. Who waits longer for a parcel has forgotten it.
const MAX_WAIT: Period = Period::of_days(60);

/// After this time nothing is expected of a parcel in any case: its carrier may
/// use its number again, see [`crate::store::parcels::REUSED_AFTER`].
const MAX_GIVE_UP: Period = Period::of_days(120);

/// The longest life of a voucher, and of a link to the tracking page: ten years.
const MAX_LIFE: Period = Period::of_days(3_660);

/// The most calls of a carrier a minute: ten a second, more than carriers
/// allow, and what a run that ends within its minute can wait for.
const MAX_PER_MINUTE: u16 = 600;

impl LogisticsPolicy {
    /// Whether its values make sense: names are known and used once, numbers
    /// and times within bounds. Whether a voucher's price rule exists is not
    /// looked at: price rules are another document, which may be put later.
    ///
    /// # Errors
    /// [`PolicyError::Malformed`] names the field and what is wrong with it.
    pub fn check(&self, stock: &StockPolicy, delivery: &DeliveryPolicy) -> Result<(), PolicyError> {
        self.check_services(stock, delivery)
            .and_then(|()| self.choose.check().map_err(|at| at.within("choose")))
            .and_then(|()| self.check_alerts())
            .and_then(|()| self.patience.check().map_err(|at| at.within("patience")))
            .and_then(|()| self.check_news())
            .and_then(|()| self.polling.check().map_err(|at| at.within("polling")))
            .and_then(|()| self.check_lives())
            .map_err(|at| at.below("logistics"))
    }

    fn check_services(&self, stock: &StockPolicy, delivery: &DeliveryPolicy) -> Result<(), Fault> {
        demand(self.services.len() <= MAX_SERVICES, "services", "must be at most 50")?;
        for (i, service) in self.services.iter().enumerate() {
            let alone = self.services.iter().take(i).all(|other| other.id != service.id);
            demand(alone, "id", "must be the service's alone")
                .and_then(|()| service.check(stock, delivery))
                .map_err(|at| at.within(format_args!("services[{i}]")))?;
        }
        Ok(())
    }

    fn check_alerts(&self) -> Result<(), Fault> {
        for (kind, rule) in &self.alerts {
            let place = AlertKind::as_str(*kind);
            rule.check().map_err(|at| at.within(format_args!("alerts.{place}")))?;
        }
        demand(self.most_points <= MAX_POINTS, "most_points", "must be at most 1,000,000")
    }

    fn check_news(&self) -> Result<(), Fault> {
        for (i, status) in self.tell.iter().enumerate() {
            let at = format!("tell[{i}]");
            demand(!self.tell.iter().take(i).any(|it| it == status), &at, "is there twice")?;
            let is_news = !matches!(status, ParcelStatus::Pending | ParcelStatus::Unknown);
            demand(is_news, &at, "is nothing to tell a buyer")?;
        }
        self.quiet.as_ref().map_or(Ok(()), QuietPolicy::check).map_err(|at| at.within("quiet"))
    }

    fn check_lives(&self) -> Result<(), Fault> {
        let kept = self.keep_payloads.is_none_or(|keep| keep <= MAX_LIFE);
        demand(kept, "keep_payloads", "must be at most 3660d")?;
        let fits = (Period::of_days(1)..=MAX_LIFE).contains(&self.link);
        demand(fits, "link", "must be 1d to 3660d")
    }
}

impl Service {
    fn check(&self, stock: &StockPolicy, delivery: &DeliveryPolicy) -> Result<(), Fault> {
        for (i, location) in self.locations.iter().enumerate() {
            let sends = stock.location(location).is_some_and(|it| !it.pickup_only);
            let reason = "must be one of the stock's locations that send";
            demand(sends, format_args!("locations[{i}]"), reason)?;
        }
        for (i, method) in self.methods.iter().enumerate() {
            let mut methods = delivery.methods.iter();
            let ships = methods.any(|it| it.id == *method && it.kind == MethodKind::Ship);
            demand(ships, format_args!("methods[{i}]"), "must be one of the methods that ship")?;
        }
        self.check_places()?;
        demand(self.max_grams != Some(0), "max_grams", "must be at least 1")?;
        check_prices(&self.costs).map_err(|at| at.within("costs"))?;
        demand(self.days <= MAX_DAYS, "days", "must be at most 90")
    }

    fn check_places(&self) -> Result<(), Fault> {
        let parts = self.regions.is_empty() && self.postal_codes.is_empty();
        let reason = "must be there: regions and postal codes are a country's";
        demand(parts || !self.countries.is_empty(), "countries", reason)?;
        let few = self.postal_codes.len() <= MAX_POSTAL_CODES;
        demand(few, "postal_codes", "must be at most 300")?;
        for (i, codes) in self.postal_codes.iter().enumerate() {
            let reason =
                "must be a beginning, or go from the lower to the higher of two of the same length";
            demand(codes.in_order(), format_args!("postal_codes[{i}]"), reason)?;
        }
        Ok(())
    }
}

impl ChoosePolicy {
    fn check(&self) -> Result<(), Fault> {
        demand(self.least_on_time <= WHOLE, "least_on_time", "must be at most 10,000 basis points")
    }
}

impl AlertRule {
    fn check(&self) -> Result<(), Fault> {
        let fits = (MIN_WAIT..=MAX_WAIT).contains(&self.within);
        demand(fits, "within", "must be 10m to 60d")?;
        demand(self.points <= MAX_POINTS, "points", "must be at most 1,000,000")?;
        let life = self.voucher.as_ref().map(|it| it.life);
        let fits = life.is_none_or(|life| (Period::of_days(1)..=MAX_LIFE).contains(&life));
        demand(fits, "voucher.life", "must be 1d to 3660d")?;
        for (i, choice) in self.choices.iter().enumerate() {
            let alone = !self.choices.iter().take(i).any(|it| it == choice);
            demand(alone, format_args!("choices[{i}]"), "is there twice")?;
        }
        Ok(())
    }
}

impl PatiencePolicy {
    fn check(&self) -> Result<(), Fault> {
        let Self { pick_up, silence, fetch, give_up } = *self;
        for (at, period) in [("pick_up", pick_up), ("silence", silence), ("fetch", fetch)] {
            demand((MIN_WAIT..=MAX_WAIT).contains(&period), at, "must be 10m to 60d")?;
        }
        demand(give_up <= MAX_GIVE_UP, "give_up", "must be at most 120d")?;
        demand(give_up > silence.max(fetch), "give_up", "must be longer than silence and fetch")
    }
}

impl QuietPolicy {
    fn check(&self) -> Result<(), Fault> {
        demand(self.from != self.until, "until", "must be another time than from")
    }
}

impl PollingPolicy {
    fn check(&self) -> Result<(), Fault> {
        for (carrier, limit) in &self.carriers {
            let fits = (1..=MAX_PER_MINUTE).contains(&limit.per_minute);
            let at = format_args!("carriers.{carrier}.per_minute").to_string();
            demand(fits, at, "must be 1 to 600")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::policy::Policy;

    fn logistics() -> Value {
        json!({
            "services": [{
                "id": "post", "carrier": "easypost", "courier": "usps",
                "locations": ["main"], "methods": ["standard"],
                "countries": ["GB"], "regions": ["Kent"],
                "postal_codes": [{ "prefix": "CT" }, { "from": "ME1", "to": "ME9" }],
                "max_grams": 2000,
                "costs": { "GBP": [{ "up_to": 1000, "amount": 300 }, { "amount": 500 }] },
                "days": 3,
            }],
            "choose": { "least_on_time": 9000, "least_seen": 30 },
            "alerts": {
                "late": {
                    "tell": true, "points": 200, "voucher": { "rule": "sorry", "life": "30d" },
                    "choices": ["wait", "refund"], "owner": "logistics", "act": "ask_carrier",
                    "within": "24h",
                },
            },
            "patience": { "pick_up": "2d", "silence": "5d", "fetch": "4d", "give_up": "45d" },
            "most_points": 500,
            "tell": ["picked_up", "delivered"],
            "quiet": { "from": "22:00", "until": "08:00", "zone": "Europe/London" },
            "polling": { "carriers": { "kuaidi100": { "per_minute": 60 } } },
            "keep_payloads": "30d",
            "link": "90d",
        })
    }

    fn check(document: Value) -> Result<(), String> {
        let policy: LogisticsPolicy = serde_json::from_value(document).unwrap();
        let whole = Policy::default_document().unwrap();
        policy.check(&whole.stock, &whole.delivery).map_err(|error| error.to_string())
    }

    #[test]
    fn nonsense_is_named() {
        assert_eq!(check(logistics()), Ok(()));
        assert_eq!(check(json!({})), Ok(()), "the default makes sense");
        let many = |of: &str, count: usize| {
            let document = logistics();
            let one = document.pointer(of).and_then(|all| all.get(0)).cloned().unwrap();
            Value::from(vec![one; count])
        };
        for (pointer, value, path) in [
            ("/services", many("/services", 2), "services[1].id"),
            ("/services", many("/services", 51), "services"),
            ("/services/0/locations/0", json!("moon"), "services[0].locations[0]"),
            ("/services/0/methods/0", json!("drone"), "services[0].methods[0]"),
            ("/services/0/countries", json!([]), "services[0].countries"),
            ("/services/0/postal_codes/1/to", json!("ME"), "services[0].postal_codes[1]"),
            (
                "/services/0/postal_codes",
                many("/services/0/postal_codes", 301),
                "services[0].postal_codes",
            ),
            ("/services/0/max_grams", json!(0), "services[0].max_grams"),
            ("/services/0/costs/GBP", json!([]), "services[0].costs.GBP"),
            ("/services/0/costs/GBP/1/amount", json!(299), "services[0].costs.GBP[1].amount"),
            ("/services/0/days", json!(91), "services[0].days"),
            ("/choose/least_on_time", json!(10_001), "choose.least_on_time"),
            ("/alerts/late/within", json!("9m"), "alerts.late.within"),
            ("/alerts/late/within", json!("61d"), "alerts.late.within"),
            ("/alerts/late/points", json!(1_000_001), "alerts.late.points"),
            ("/alerts/late/voucher/life", json!("0s"), "alerts.late.voucher.life"),
            ("/alerts/late/voucher/life", json!("3661d"), "alerts.late.voucher.life"),
            ("/alerts/late/choices", json!(["wait", "wait"]), "alerts.late.choices[1]"),
            ("/patience/pick_up", json!("0s"), "patience.pick_up"),
            ("/patience/silence", json!("61d"), "patience.silence"),
            ("/patience/fetch", json!("9m"), "patience.fetch"),
            ("/patience/give_up", json!("5d"), "patience.give_up"),
            ("/patience/give_up", json!("121d"), "patience.give_up"),
            ("/most_points", json!(1_000_001), "most_points"),
            ("/tell", json!(["delivered", "delivered"]), "tell[1]"),
            ("/tell", json!(["unknown"]), "tell[0]"),
            ("/quiet/until", json!("22:00"), "quiet.until"),
            (
                "/polling/carriers/kuaidi100/per_minute",
                json!(0),
                "polling.carriers.kuaidi100.per_minute",
            ),
            (
                "/polling/carriers/kuaidi100/per_minute",
                json!(601),
                "polling.carriers.kuaidi100.per_minute",
            ),
            ("/keep_payloads", json!("3661d"), "keep_payloads"),
            ("/link", json!("23h"), "link"),
        ] {
            let mut document = logistics();
            *document.pointer_mut(pointer).unwrap() = value;
            let error = check(document).unwrap_err();
            assert!(error.contains(&format!("`logistics.{path}`")), "{pointer}: {error}");
        }
    }
}
