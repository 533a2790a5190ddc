//! The policy: every rate, period and limit that a merchant may want to change,
//! in one versioned document. The default is `shared/policy/default.json`; a
//! document that `PUT /policy` keeps replaces it without a deploy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    care::CarePolicy, cart::CartsPolicy, contact::ContactPolicy, delivery::DeliveryPolicy,
    logistics::LogisticsPolicy, offers::OffersPolicy, paying::PaymentsPolicy,
    programme::PointsPolicy, risk::RiskPolicy, share::SharesPolicy, stock::StockPolicy,
    survey::SurveysPolicy, tax::TaxPolicy, text::Text, time::Period, webhook::WebhooksPolicy,
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
    /// Who may be contacted, how often and when.
    pub contact: ContactPolicy,
    /// How complaints and low scores are seen to.
    pub care: CarePolicy,
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
        json.end().map_err(|error| PolicyError::Malformed {
            path: ".".to_owned(),
            reason: error.to_string(),
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
        self.points.check()?;
        self.surveys.check()?;
        self.contact.check()?;
        self.care.check()?;
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
        let life = serde_json::json!({ "end_of_month_after": 121 });
        for (pointer, value, path) in [
            ("/checkout/hold", "half an hour".into(), "checkout.hold"),
            ("/checkout/hold", "31d".into(), "checkout.hold"),
            ("/checkout/grace", "31d".into(), "checkout.grace"),
            ("/payments/methods", serde_json::json!([]), "payments.methods"),
            ("/payments/methods/0/provider", "cash".into(), "payments.methods[0].provider"),
            ("/points/per_minor", 0.into(), "points.per_minor"),
            ("/points/per_minor", (-1).into(), "points.per_minor"),
            ("/points/expiry/purchases", life, "points.expiry.purchases"),
            ("/points/expiry/returned_months", 121.into(), "points.expiry.returned_months"),
            ("/points/zone", "Mars".into(), "points.zone"),
            ("/points/offset", offset("GBP", 0, 5_000), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("gbp", 100, 5_000), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("GBP", 1_000_001, 1), "points.offset.minor_per_100_points"),
            ("/points/offset", offset("GBP", 100, 0), "points.offset.max_share"),
            ("/points/offset", offset("GBP", 100, 10_001), "points.offset.max_share"),
            ("/contact/caps/0/contacts", 0.into(), "contact.caps[0].contacts"),
            ("/contact/caps/0/contacts", 51.into(), "contact.caps[0].contacts"),
            ("/contact/caps/0/window", "0d".into(), "contact.caps[0].window"),
            ("/contact/caps/1/window", "367d".into(), "contact.caps[1].window"),
            ("/contact/caps/1/reserve", 4.into(), "contact.caps[1].reserve"),
            ("/contact/caps/0/purpose", "programme".into(), "contact.caps[0].purpose"),
            ("/contact/caps/0/purpose", "spam".into(), "contact.caps[0].purpose"),
            ("/contact/quiet/until", "21:00".into(), "contact.quiet.until"),
            ("/contact/zone", "Mars".into(), "contact.zone"),
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
