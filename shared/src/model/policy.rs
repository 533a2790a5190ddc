//! The policy: every rate, period and limit that a merchant may want to change,
//! in one versioned document. The default is `shared/policy/default.json`; a
//! document that `PUT /policy` keeps replaces it without a deploy.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    cart::CartsPolicy,
    delivery::DeliveryPolicy,
    logistics::LogisticsPolicy,
    money::Currency,
    offers::OffersPolicy,
    paying::PaymentsPolicy,
    price::WHOLE,
    risk::RiskPolicy,
    share::SharesPolicy,
    stock::StockPolicy,
    tax::TaxPolicy,
    text::Text,
    time::{Period, Zone},
    webhook::WebhooksPolicy,
};

/// The default document.
const DEFAULT: &str = include_str!("../../policy/default.json");

/// The whole policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Names this edition in every decision that follows it.
    pub version: Text<40>,
    /// Orders.
    pub checkout: CheckoutPolicy,
    /// Payments.
    pub payments: PaymentsPolicy,
    /// Points.
    pub points: PointsPolicy,
    /// Surveys.
    pub surveys: SurveysPolicy,
    /// Goods.
    pub stock: StockPolicy,
    /// Methods of delivery.
    pub delivery: DeliveryPolicy,
    /// Taxes on sales.
    pub tax: TaxPolicy,
    /// What makes an order suspicious, and what becomes of it then.
    pub risk: RiskPolicy,
    /// Carts.
    pub carts: CartsPolicy,
    /// Offers that friends share.
    #[serde(default)]
    pub shares: SharesPolicy,
    /// What is offered beside a cart.
    #[serde(default)]
    pub offers: OffersPolicy,
    /// How goods are sent and watched.
    #[serde(default)]
    pub logistics: LogisticsPolicy,
    /// Which systems of the merchant are told of what.
    #[serde(default)]
    pub webhooks: WebhooksPolicy,
}

/// How orders are placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutPolicy {
    /// How long a payment of an order may be started.
    pub hold: Period,
    /// How long after that its stock is still held, for payments that were
    /// started in time and take theirs.
    pub grace: Period,
    /// How long a guest's link to the order stays good.
    pub guest_link: Period,
}

/// How points are earned and lost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PointsPolicy {
    /// So many points ...
    pub points: u32,
    /// ... for each full amount of this many minor units that are paid in
    /// money for an order line, whatever its currency; parts of it earn
    /// nothing (rounded down, a line at a time).
    pub per_minor: u32,
    /// From delivery to when the points may be spent: goods may be returned meanwhile.
    pub return_window: Period,
    /// Points last to the end of the month that comes so many months after
    /// they became available.
    pub life_months: u16,
    /// Points that paid for goods which are called off come back with the end
    /// that they had, but last at least to the end of the month that comes so
    /// many months after.
    pub returned_months: u16,
    /// The zone whose calendar says when a month ends.
    pub zone: Zone,
    /// How points pay for orders; they do not, if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<OffsetPolicy>,
}

/// How points pay for orders.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OffsetPolicy {
    /// What 100 points are worth, in minor units, by currency. Orders in
    /// another currency are paid with money only.
    pub minor_per_100_points: BTreeMap<Currency, u32>,
    /// The most that points may pay of what is due for the goods, in basis
    /// points: 1 to 10,000, which is all of it.
    pub max_share: u32,
    /// The fewest points that an order may be paid with.
    pub least_points: u32,
}

/// Who is asked, when and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SurveysPolicy {
    /// From delivery to the invitation.
    pub delay: Period,
    /// How long a survey is open after its invitation is due.
    pub open: Period,
    /// At most so many invitations to one buyer ...
    pub contacts: u32,
    /// ... in this time.
    pub window: Period,
}

/// Why a document is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not JSON, an unknown or missing field, or a value of the wrong form.
    #[error("the policy document is malformed at `{path}`: {reason}")]
    Malformed {
        /// Where in the document.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A value outside what makes sense.
    #[error("the policy's `{field}` {reason}")]
    Nonsense {
        /// Which value.
        field: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The longest hold: stock of unpaid orders is out of sale all that time.
const MAX_HOLD: Period = Period::of_days(30);

/// The longest life of points: ten years.
const MAX_LIFE_MONTHS: u16 = 120;

/// The most that 100 points are worth, in minor units. A typing error beyond
/// it is refused, and products with points stay far from the ends of `i64`.
const MAX_MINOR_PER_100_POINTS: u32 = 1_000_000;

/// The most invitations that one record of contacts keeps.
const MAX_CONTACTS: u32 = 100;

impl Policy {
    /// Reads a policy document.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        let mut json = serde_json::Deserializer::from_str(document);
        let policy: Self = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            PolicyError::Malformed {
                path: error.path().to_string(),
                reason: error.inner().to_string(),
            }
        })?;
        policy.check()?;
        Ok(policy)
    }

    /// The policy that applies until the merchant sets another.
    ///
    /// # Errors
    /// Never in a build whose tests pass: they read the document.
    pub fn default_document() -> Result<Self, PolicyError> {
        Self::parse(DEFAULT)
    }

    /// Whether the document makes sense, beyond its form.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.checkout.hold > MAX_HOLD {
            return nonsense("checkout.hold", "must be at most 30d");
        }
        if self.checkout.grace > MAX_HOLD {
            return nonsense("checkout.grace", "must be at most 30d");
        }
        if self.points.per_minor == 0 {
            return nonsense("points.per_minor", "must be at least 1");
        }
        if !(1..=MAX_LIFE_MONTHS).contains(&self.points.life_months) {
            return nonsense("points.life_months", "must be 1 to 120");
        }
        if self.points.returned_months > MAX_LIFE_MONTHS {
            return nonsense("points.returned_months", "must be at most 120");
        }
        if let Some(offset) = &self.points.offset {
            offset.check()?;
        }
        if self.surveys.contacts > MAX_CONTACTS {
            return nonsense("surveys.contacts", "must be at most 100");
        }
        self.payments.check()?;
        self.stock.check()?;
        self.delivery.check(&self.stock)?;
        self.tax.check()?;
        self.risk.check()?;
        self.carts.check()?;
        self.shares.check()?;
        self.offers.check()?;
        self.logistics.check(&self.stock, &self.delivery)?;
        self.webhooks.check()
    }
}

impl OffsetPolicy {
    fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let fits = |rate: &u32| (1..=MAX_MINOR_PER_100_POINTS).contains(rate);
        if self.minor_per_100_points.is_empty() || !self.minor_per_100_points.values().all(fits) {
            let reason = "must give at least one currency a worth of 1 to 1,000,000";
            return nonsense("points.offset.minor_per_100_points", reason);
        }
        if !(1..=WHOLE).contains(&self.max_share) {
            return nonsense("points.offset.max_share", "must be 1 to 10,000 basis points");
        }
        Ok(())
    }
}

impl PointsPolicy {
    /// The points of one line, for which so many minor units are paid in
    /// money: so many for each full amount, rounded down.
    #[must_use]
    pub fn of_line(&self, paid: i64) -> i64 {
        (paid.max(0) / i64::from(self.per_minor.max(1))).saturating_mul(i64::from(self.points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(currency: &str, worth: u32, max_share: u32) -> serde_json::Value {
        serde_json::json!({
            "minor_per_100_points": { currency: worth },
            "max_share": max_share,
            "least_points": 1,
        })
    }

    fn with(pointer: &str, value: serde_json::Value) -> Result<Policy, PolicyError> {
        let mut document: serde_json::Value = serde_json::from_str(DEFAULT).unwrap();
        *document.pointer_mut(pointer).unwrap() = value;
        Policy::parse(&document.to_string())
    }

    #[test]
    fn the_default_document_is_a_policy() {
        assert!(Policy::default_document().is_ok());
    }

    #[test]
    fn errors_name_the_field() {
        for (pointer, value, path) in [
            ("/checkout/hold", "half an hour".into(), "checkout.hold"),
            ("/checkout/hold", "31d".into(), "checkout.hold"),
            ("/checkout/grace", "31d".into(), "checkout.grace"),
            ("/payments/methods", serde_json::json!([]), "payments.methods"),
            ("/payments/methods/0/provider", "cash".into(), "payments.methods[0].provider"),
            ("/points/per_minor", 0.into(), "points.per_minor"),
            ("/points/per_minor", (-1).into(), "points.per_minor"),
            ("/points/life_months", 121.into(), "points.life_months"),
            ("/points/zone", "Mars".into(), "points.zone"),
            ("/points/returned_months", 121.into(), "points.returned_months"),
            ("/points/offset", offset("GBP", 0, 5_000), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("gbp", 100, 5_000), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("GBP", 1_000_001, 1), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("GBP", 100, 0), "points.offset.max_share"),
            ("/points/offset", offset("GBP", 100, 10_001), "points.offset.max_share"),
            ("/surveys/contacts", 101.into(), "surveys.contacts"),
            ("/stock/locations", serde_json::json!([]), "stock.locations"),
            ("/stock/low_at", (-1).into(), "stock.low_at"),
            ("/delivery/methods", serde_json::json!([]), "delivery.methods"),
            ("/delivery/methods/0/handling/days", 91.into(), "delivery.methods[0].handling.days"),
            ("/tax/prices_include_tax", "yes".into(), "tax.prices_include_tax"),
            ("/carts/keep/guest", "731d".into(), "carts.keep.guest"),
            ("/carts/keep/member", "4h".into(), "carts.keep.member"),
            ("/carts/abandoned_after", "30d".into(), "carts.keep.guest"),
            ("/carts/remind_again_after", "weekly".into(), "carts.remind_again_after"),
        ] {
            let error = with(pointer, value.clone()).unwrap_err().to_string();
            assert!(error.contains(path), "{pointer} = {value}: {error}");
        }
        assert!(Policy::parse("{").is_err());
        assert!(
            Policy::parse(r#"{"version":"1","colour":"red"}"#)
                .unwrap_err()
                .to_string()
                .contains("colour")
        );
    }
}
