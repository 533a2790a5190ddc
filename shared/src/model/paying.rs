//! How orders may be paid: the merchant's choice of providers and methods, and
//! what becomes of money that does not fit.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    customer::Country,
    id::PaymentId,
    is_default,
    money::{Currency, Money},
    payment::{Method, Provider},
    policy::PolicyError,
    text::Text,
    time::{Period, Timestamp},
};

/// The most ways to pay that a shop offers; buyers are shown all that fit.
const MAX_METHODS: usize = 40;

/// The most parts that a lender takes.
const MAX_MONTHS: u8 = 36;

/// The most points of an apology. A typing error beyond it is refused.
const MAX_APOLOGY: u32 = 1_000_000;

/// The longest that raw bodies are kept: ten years, the longest that tax laws ask.
const MAX_BODIES: Period = Period::of_days(3_660);

/// How orders are paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentsPolicy {
    /// The ways to pay, the shop's favourite first. A method may be there with
    /// several providers: another one is offered when the first does not answer.
    pub methods: Vec<MethodPolicy>,
    /// Where a provider's page sends the buyer back to: an `https` address, in
    /// which `{order}` stands for the order's identity. Providers with pages
    /// of their own are offered only if it is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<Text<300>>,
    /// What becomes of money that comes after its order has ended.
    #[serde(default)]
    pub late: LatePolicy,
    /// For how long the raw bodies of callbacks are kept, compressed; not at
    /// all if it is left out. Their digests are always kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_bodies: Option<Period>,
}

/// A way to pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MethodPolicy {
    /// With what.
    pub method: Method,
    /// Who takes it.
    pub provider: Provider,
    /// In which currencies; all that the provider takes if it is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub currencies: Vec<Currency>,
    /// For orders that go to which countries; to all if it is empty.
    #[serde(default, skip_serializing_if = "is_default")]
    pub countries: Vec<Country>,
    /// From how much on, in minor units, by currency.
    #[serde(default, skip_serializing_if = "is_default")]
    pub least: BTreeMap<Currency, i64>,
    /// Up to how much, in minor units, by currency.
    #[serde(default, skip_serializing_if = "is_default")]
    pub most: BTreeMap<Currency, i64>,
    /// In which parts; only at once if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instalments: Option<InstalmentsPolicy>,
}

/// In which parts an order may be paid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstalmentsPolicy {
    /// In so many monthly parts: 2 to 36.
    pub months: Vec<u8>,
    /// From how much on, in minor units, by currency; not at all in others.
    pub least: BTreeMap<Currency, i64>,
    /// From how much on the shop pays what it costs, in minor units, by currency.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interest_free: BTreeMap<Currency, i64>,
}

/// What becomes of money that comes after its order has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LatePolicy {
    /// For an order that was not paid in time.
    pub expired: LateChoice,
    /// For an order that its buyer called off. One that an operator called off
    /// is never taken up again.
    pub cancelled: LateChoice,
    /// So many points a member gets when the money goes back.
    pub apology_points: u32,
}

impl Default for LatePolicy {
    fn default() -> Self {
        Self { expired: LateChoice::Accept, cancelled: LateChoice::Accept, apology_points: 0 }
    }
}

/// What becomes of an order for which money comes too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LateChoice {
    /// It goes on, if all that it took can be had again; the money goes back otherwise.
    Accept,
    /// The money goes back.
    Refund,
}

/// How the calls to a provider went of late, as all instances of the functions
/// together saw it. Nothing is written while they go well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Which writing of it this is, from 1; 0 when there is none.
    pub version: u64,
    /// When calls failed: the last failure of each attempt.
    pub failures: Vec<(PaymentId, Timestamp)>,
    /// Nobody calls before this moment, and then one call tries whether the
    /// provider answers again. None while everybody may call.
    pub open_until: Option<Timestamp>,
}

impl PaymentsPolicy {
    /// Whether the document makes sense, beyond its form.
    ///
    /// # Errors
    /// [`PolicyError`] names the field and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        if self.methods.is_empty() || self.methods.len() > MAX_METHODS {
            return nonsense("payments.methods", "must name 1 to 40 ways to pay");
        }
        let twice = |(place, it): (usize, &MethodPolicy)| {
            let same =
                |other: &MethodPolicy| other.method == it.method && other.provider == it.provider;
            self.methods.iter().take(place).any(same)
        };
        if self.methods.iter().enumerate().any(twice) {
            return nonsense("payments.methods", "must name a method of a provider once");
        }
        self.methods.iter().try_for_each(MethodPolicy::check)?;
        if self.return_url.as_ref().is_some_and(|url| !url.as_str().starts_with("https://")) {
            return nonsense("payments.return_url", "must begin with https://");
        }
        if self.late.apology_points > MAX_APOLOGY {
            return nonsense("payments.late.apology_points", "must be at most 1,000,000");
        }
        if self.keep_bodies.is_some_and(|keep| keep > MAX_BODIES) {
            return nonsense("payments.keep_bodies", "must be at most 3660d");
        }
        Ok(())
    }
}

impl MethodPolicy {
    /// A method of a provider, wherever the provider takes it.
    #[must_use]
    pub fn plain(method: Method, provider: Provider) -> Self {
        Self {
            method,
            provider,
            currencies: Vec::new(),
            countries: Vec::new(),
            least: BTreeMap::new(),
            most: BTreeMap::new(),
            instalments: None,
        }
    }

    /// Whether the shop offers it for this amount of an order that goes there.
    #[must_use]
    pub fn fits(&self, amount: Money, country: &Country) -> bool {
        let currency = amount.currency();
        (self.currencies.is_empty() || self.currencies.contains(&currency))
            && (self.countries.is_empty() || self.countries.contains(country))
            && self.least.get(&currency).is_none_or(|least| amount.minor() >= *least)
            && self.most.get(&currency).is_none_or(|most| amount.minor() <= *most)
    }

    fn check(&self) -> Result<(), PolicyError> {
        let nonsense = |field, reason| Err(PolicyError::Nonsense { field, reason });
        let positive = |amounts: &BTreeMap<Currency, i64>| amounts.values().all(|it| *it > 0);
        if !positive(&self.least) || !positive(&self.most) {
            return nonsense("payments.methods.least", "and `most` must be more than nothing");
        }
        let Some(instalments) = &self.instalments else { return Ok(()) };
        if !instalments.months.iter().all(|months| (2..=MAX_MONTHS).contains(months)) {
            return nonsense("payments.methods.instalments.months", "must be 2 to 36");
        }
        if !positive(&instalments.least) || !positive(&instalments.interest_free) {
            let field = "payments.methods.instalments.least";
            return nonsense(field, "and `interest_free` must be more than nothing");
        }
        Ok(())
    }
}

impl InstalmentsPolicy {
    /// Whether an amount may be paid in so many parts, and whether the shop
    /// pays what it costs.
    #[must_use]
    pub fn of(&self, amount: Money, months: u8) -> Option<bool> {
        let from = |amounts: &BTreeMap<Currency, i64>| {
            amounts.get(&amount.currency()).is_some_and(|least| amount.minor() >= *least)
        };
        let may = self.months.contains(&months) && from(&self.least);
        may.then(|| from(&self.interest_free))
    }
}
