//! Which methods of delivery a buyer may choose, what each costs and promises.

use aftercart::model::{
    customer::{Address, Country},
    delivery::{
        DeliveryPlace, DeliveryPolicy, Method, MethodId, MethodKind, PostalCodes, Prices, Promise,
        postal_code,
    },
    logistics::Service,
    money::{Currency, Money},
    price::Title,
    stock::LocationId,
    text::Text,
    time::Timestamp,
};

mod promise;

/// Where goods go, as far as rules ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The country.
    pub country: &'a Country,
    /// State, province or county.
    pub region: Option<&'a str>,
    /// The postal code as the buyer writes it.
    pub postal_code: Option<&'a str>,
}

impl<'a> From<&'a Address> for Place<'a> {
    fn from(address: &'a Address) -> Self {
        Self {
            country: &address.country,
            region: address.region.as_ref().map(|region| region.as_str()),
            postal_code: address.postal_code.as_ref().map(|code| code.as_str()),
        }
    }
}

impl Place<'_> {
    /// Whether it is in one of the countries, and in one of their regions; a
    /// list that is empty holds everything.
    pub(crate) fn is_in(&self, countries: &[Country], regions: &[Text<60>]) -> bool {
        let region = self.region.map(folded);
        let same = |name: &Text<60>| Some(folded(name.as_str())) == region;
        (countries.is_empty() || countries.contains(self.country))
            && (regions.is_empty() || regions.iter().any(same))
    }

    /// Whether it is in all that is listed; a list that is empty holds everything.
    fn is_within(
        &self,
        countries: &[Country],
        regions: &[Text<60>],
        codes: &[PostalCodes],
    ) -> bool {
        let code = self.postal_code.map(|code| postal_code(self.country, code));
        let listed = code.is_some_and(|code| codes.iter().any(|it| it.has(self.country, &code)));
        self.is_in(countries, regions) && (codes.is_empty() || listed)
    }

    /// Whether both are in the same region of the same country, or both in no
    /// region of it, as rules compare regions: however their letters are cased.
    #[must_use]
    pub fn shares_region(&self, other: &Place<'_>) -> bool {
        self.country == other.country && self.region.map(folded) == other.region.map(folded)
    }
}

fn folded(region: &str) -> String {
    region.trim().to_lowercase()
}

/// What is delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    /// Its weight.
    pub grams: u64,
    /// The price of the goods, in whose currency the delivery is priced.
    pub goods: Money,
    /// When the last of its goods is there, if some are sold before.
    pub ready_at: Option<Timestamp>,
}

/// Who chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Buyer<'a> {
    /// The tier of a member.
    pub tier: Option<&'a str>,
    /// The segments that the buyer is in.
    pub segments: &'a [Text<40>],
}

/// A method that a buyer may choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOption {
    /// The method.
    pub method: MethodId,
    /// What the buyer reads.
    pub title: Title,
    /// Brought or fetched.
    pub kind: MethodKind,
    /// The place whose stock it takes.
    pub location: LocationId,
    /// Its price, before price rules about delivery.
    pub price: Money,
    /// With so many points it is paid as well as with the price.
    pub points: Option<i64>,
    /// When the goods come.
    pub promise: Promise,
}

/// Why a method is not offered. The texts are for the buyer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOffered {
    /// The shop has no such method (any more).
    #[error("the shop has no such delivery method")]
    Unknown,
    /// Another tier's or segment's.
    #[error("this delivery method is not offered to you")]
    Buyer,
    /// No place of the method holds the address.
    #[error("this delivery method does not go to the address")]
    Place,
    /// Too heavy for it.
    #[error("the parcel is too heavy for this delivery method")]
    Weight,
    /// It has no price in the currency.
    #[error("this delivery method has no price in the currency of the goods")]
    Currency,
}

/// The methods that a buyer may choose, in the order of the policy.
#[must_use]
pub fn options(
    policy: &DeliveryPolicy,
    place: &Place<'_>,
    parcel: &Parcel,
    buyer: &Buyer<'_>,
    now: Timestamp,
) -> Vec<DeliveryOption> {
    let ids = policy.methods.iter().map(|method| &method.id);
    ids.filter_map(|id| option(policy, id, place, parcel, buyer, now).ok()).collect()
}

/// One method, as [`options`] has it.
///
/// # Errors
/// [`NotOffered`] says why the buyer may not choose it.
pub fn option(
    policy: &DeliveryPolicy,
    method: &MethodId,
    place: &Place<'_>,
    parcel: &Parcel,
    buyer: &Buyer<'_>,
    now: Timestamp,
) -> Result<DeliveryOption, NotOffered> {
    let mut methods = policy.methods.iter();
    let method = methods.find(|known| known.id == *method).ok_or(NotOffered::Unknown)?;
    if !method.only.is_empty() && !method.only.has(buyer.tier, buyer.segments) {
        return Err(NotOffered::Buyer);
    }
    let holds = |there: &&DeliveryPlace| is_there(place, there);
    let there = method.places.iter().find(holds).ok_or(NotOffered::Place)?;
    let price = price(method, there, parcel, buyer)?;
    let start = parcel.ready_at.map_or(now, |ready| ready.max(now));
    let promise = promise::promise(policy, method, there, start).ok_or(NotOffered::Unknown)?;
    Ok(DeliveryOption {
        method: method.id.clone(),
        title: method.title.clone(),
        kind: method.kind,
        location: method.location.clone(),
        price,
        points: method.points.map(i64::from).filter(|_| price.minor() > 0),
        promise,
    })
}

/// Whether a method is offered at two places alike: at the same price, with the
/// same promise. One that the policy has no more is not.
#[must_use]
pub fn is_same(
    policy: &DeliveryPolicy,
    method: &MethodId,
    one: &Place<'_>,
    other: &Place<'_>,
) -> bool {
    let at = |place: &Place<'_>| {
        let method = policy.methods.iter().find(|known| known.id == *method)?;
        method.places.iter().position(|there| is_there(place, there))
    };
    at(one).is_some() && at(one) == at(other)
}

fn is_there(place: &Place<'_>, there: &DeliveryPlace) -> bool {
    place.is_within(&there.countries, &there.regions, &there.postal_codes)
}

/// Whether a carrier's service goes to a place.
#[must_use]
pub fn serves(service: &Service, place: &Place<'_>) -> bool {
    place.is_within(&service.countries, &service.regions, &service.postal_codes)
}

/// What a parcel of this weight costs in a currency; nothing is known of one
/// without a price.
#[must_use]
pub fn cost(prices: &Prices, currency: Currency, grams: u64) -> Option<i64> {
    step(prices, currency, grams).ok()
}

fn price(
    method: &Method,
    there: &DeliveryPlace,
    parcel: &Parcel,
    buyer: &Buyer<'_>,
) -> Result<Money, NotOffered> {
    let currency = parcel.goods.currency();
    if method.max_grams.is_some_and(|most| parcel.grams > u64::from(most)) {
        return Err(NotOffered::Weight);
    }
    let prices = if there.prices.is_empty() { &method.prices } else { &there.prices };
    let step = step(prices, currency, parcel.grams)?;
    let surcharge =
        if there.surcharge.is_empty() { Some(&0) } else { there.surcharge.get(&currency) };
    let surcharge = surcharge.ok_or(NotOffered::Currency)?;
    if method.free.has(buyer.tier, buyer.segments) {
        return Ok(Money::zero(currency));
    }
    let amount = step.checked_add(*surcharge).ok_or(NotOffered::Currency)?;
    Money::new(amount, currency).map_err(|_| NotOffered::Currency)
}

/// The amount of the first step that takes the weight.
fn step(prices: &Prices, currency: Currency, grams: u64) -> Result<i64, NotOffered> {
    if prices.is_empty() {
        return Ok(0);
    }
    let steps = prices.get(&currency).ok_or(NotOffered::Currency)?;
    let step = steps.iter().find(|step| step.up_to.is_none_or(|most| grams <= u64::from(most)));
    step.map(|step| step.amount).ok_or(NotOffered::Weight)
}

/// The option to select beforehand: of those of the accustomed kind (that of
/// the buyer's last method if it is offered, otherwise shipping; of all if
/// there is none) the cheapest; of the cheapest the one that arrives first, by
/// the last day of its promise, then by the first; of these the buyer's last
/// method, then the first of the policy.
///
/// A buyer is never led to a dearer option than needed, and is not sent to the
/// store unless that is the habit. A tier counts through what it gets free.
#[must_use]
pub fn recommended<'o>(
    options: &'o [DeliveryOption],
    last: Option<&MethodId>,
) -> Option<&'o DeliveryOption> {
    let is_last = |option: &DeliveryOption| Some(&option.method) == last;
    let habit = options.iter().find(|option| is_last(option));
    let kind = habit.map_or(MethodKind::Ship, |option| option.kind);
    let any = !options.iter().any(|option| option.kind == kind);
    options.iter().filter(|option| any || option.kind == kind).min_by_key(|option| {
        let Promise { until, from, .. } = option.promise;
        (option.price.minor(), until, from, !is_last(option))
    })
}

#[cfg(test)]
mod tests;
