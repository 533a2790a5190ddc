//! What does this cost this buyer, when would it come, and can it be had?
//!
//! One rule for quotes and orders: `POST /quotes` shows the result, and
//! `POST /orders` takes it. The steps, each on what the step before gave:
//! goods at price rules, stock, delivery, price rules about delivery, tax,
//! points.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    cart::CartLine,
    customer::{Country, CustomerId},
    delivery::{MethodId, MethodKind},
    digest,
    id::VoucherId,
    money::{Money, MoneyError},
    policy::Policy,
    price::{Coupon, PriceRules, RuleId},
    product::Sku,
    profile::Profile,
    stock::LocationId,
    text::Text,
    time::Timestamp,
    voucher::Voucher,
};
use aftercart_pricing::{
    delivery::{self, DeliveryOption, NotOffered, Parcel},
    goods::{self, Asked, Good, PriceError, Priced, Reason, Shipping, Wanted},
    tax::{self, Taxable, Taxed},
};

use super::{
    access::{self, AccessRefusal},
    points::{self, Offset, OffsetRefusal},
    stock::{self, LinePlan, Unplanned},
};

mod asked;
mod told;

pub use asked::{Basket, Destination, Facts, Terms};
pub use told::{Chosen, Quote, Unapplied};

/// Why a basket has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A SKU that the shop does not sell.
    #[error("The shop does not sell the SKU {sku}.")]
    UnknownSku {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// The goods have no price together.
    #[error(transparent)]
    Price(#[from] PriceError),
    /// The chosen method cannot be had.
    #[error("{0}")]
    Method(NotOffered),
    /// Nothing goes to the place.
    #[error("The shop delivers nothing of this kind to this address.")]
    NoMethod,
    /// The chosen method has no price in points.
    #[error("This delivery method cannot be paid with points.")]
    NotWithPoints,
    /// An amount beyond what is sold in one order.
    #[error("The total is too large for one order.")]
    TooLarge,
}

impl From<MoneyError> for Refusal {
    fn from(_: MoneyError) -> Self {
        Self::TooLarge
    }
}

/// Who buys, as price rules see it, and the rules of his vouchers.
struct Side<'a> {
    tier: Option<&'a str>,
    segments: &'a [Text<40>],
    first_order: bool,
    vouchers: BTreeMap<RuleId, VoucherId>,
    not_applied: Vec<Unapplied>,
}

impl<'a> Side<'a> {
    fn of(basket: &Basket, facts: &'a Facts, now: Timestamp) -> Self {
        let profile = facts.profile.as_ref();
        let mut side = Self {
            tier: tier(facts),
            segments: profile.map(|it| it.segments.as_slice()).unwrap_or_default(),
            first_order: profile.is_some_and(|it| it.orders == 0),
            vouchers: BTreeMap::new(),
            not_applied: Vec::new(),
        };
        for id in &basket.vouchers {
            side.take_voucher(id, facts.vouchers.get(id), now);
        }
        side
    }

    fn take_voucher(&mut self, id: &VoucherId, voucher: Option<&Voucher>, now: Timestamp) {
        let reason = match voucher {
            None => Reason::Unknown,
            Some(voucher) if voucher.used_by.is_some() => Reason::UsedUp,
            Some(voucher) if !voucher.is_open(now) => Reason::Ended,
            // One use of a rule an order; the other voucher is kept for another.
            Some(voucher) if self.vouchers.contains_key(&voucher.rule) => Reason::TooMany,
            Some(voucher) => {
                self.vouchers.insert(voucher.rule.clone(), id.clone());
                return;
            }
        };
        self.not_applied.push(Unapplied::Voucher { voucher: id.clone(), reason });
    }
}

fn is_voucher(coupon: &Option<Coupon>) -> bool {
    matches!(coupon, Some(Coupon::Voucher(_)))
}

/// What has to be read before a basket can be priced: gifts and limits.
#[must_use]
pub fn candidates(basket: &Basket, terms: &Terms<'_>) -> goods::Candidates {
    let skus: Vec<Sku> = basket.lines.iter().map(|line| line.sku.clone()).collect();
    // Which rules the vouchers are for is not known before they are read.
    let of_vouchers = terms.rules.rules.iter().filter(|rule| is_voucher(&rule.coupon));
    let vouchers: Vec<RuleId> = match basket.vouchers.is_empty() {
        true => Vec::new(),
        false => of_vouchers.map(|rule| rule.id.clone()).collect(),
    };
    let buyer = stranger(basket);
    goods::candidates(terms.rules, &skus, &buyer, &basket.codes, &vouchers, terms.now)
}

/// The buyer, as far as the basket tells.
fn stranger(basket: &Basket) -> goods::Buyer<'_> {
    goods::Buyer {
        customer: &basket.counted_as,
        member: basket.member.is_some(),
        tier: None,
        segments: &[],
        channel: basket.channel.as_ref().map(Text::as_str),
        first_order: false,
    }
}

/// The locations that the goods may come from.
#[must_use]
pub fn locations(basket: &Basket, policy: &Policy) -> Vec<LocationId> {
    sources(basket.method.as_ref(), basket.destination.as_ref().map(|it| &it.country), policy)
}

/// The locations that goods come from by a method to a country, as far as
/// these are known.
pub(super) fn sources(
    method: Option<&MethodId>,
    country: Option<&Country>,
    policy: &Policy,
) -> Vec<LocationId> {
    let method = policy.delivery.methods.iter().find(|it| Some(&it.id) == method);
    match (method, country) {
        (Some(method), _) if method.kind == MethodKind::Pickup => vec![method.location.clone()],
        (_, Some(country)) => policy.stock.sending_to(country),
        (_, None) => vec![policy.stock.first()],
    }
}

/// Prices a basket. `order` is the order's identity, or any text for a quote:
/// where units are taken from follows from it, and nothing that a buyer sees.
///
/// # Errors
/// [`Refusal`].
pub fn quote(
    basket: &Basket,
    facts: &Facts,
    terms: &Terms<'_>,
    order: &str,
) -> Result<Quote, Refusal> {
    let mut side = Side::of(basket, facts, terms.now);
    let locations = locations(basket, terms.policy);
    let lines = lines(basket, facts)?;
    let rules: Vec<RuleId> = side.vouchers.keys().cloned().collect();
    let (gifts, left) = (gifts(facts, &locations, &side, terms), facts.uses.left(&facts.quotas));
    let asked = Asked {
        lines: &lines,
        codes: &basket.codes,
        vouchers: &rules,
        buyer: goods::Buyer {
            tier: side.tier,
            segments: side.segments,
            first_order: side.first_order,
            ..stranger(basket)
        },
        gifts: &gifts,
        quotas: &left,
        now: terms.now,
    };
    let goods = goods::price(terms.rules, &asked)?;
    let wanted = wanted(&goods, facts, terms.now);
    let plan = stock::plan(order, &locations, &wanted, &facts.levels);
    let parcel = parcel(&goods, facts, &plan);
    let options = options(basket, &side, &parcel, terms);
    let chosen = choose(basket, facts, &side, &parcel, &options, terms)?;
    let (delivery, shipping) = charge(chosen, terms.rules, &asked, &goods)?;
    let tax = taxes(basket, facts, &goods, delivery.as_ref(), terms.policy)?;
    let offset = offset(basket, facts, &goods, delivery.as_ref(), terms.policy, &mut side);
    let offset_shares = shares(&goods, offset.as_ref())?;
    let total = total(&goods, delivery.as_ref(), tax.as_ref(), offset.as_ref())?;
    Ok(Quote {
        closed: closed(basket, facts, &side, terms.now),
        vouchers: vouchers(&side, &goods, delivery.as_ref()),
        quotas: goods.quotas.iter().chain(&shipping.quotas).cloned().collect(),
        not_applied: not_applied(side, &goods, shipping),
        goods,
        delivery,
        options,
        tax,
        offset,
        offset_shares,
        plan,
        spendable: facts.spendable,
        total,
    })
}

fn lines(basket: &Basket, facts: &Facts) -> Result<Vec<(Good, u32)>, Refusal> {
    let line = |(line, asked): (usize, &CartLine)| {
        let product = facts.products.get(&asked.sku);
        let product =
            product.ok_or_else(|| Refusal::UnknownSku { line, sku: asked.sku.clone() })?;
        Ok((Good::from(product), asked.quantity))
    };
    basket.lines.iter().enumerate().map(line).collect()
}

fn gifts(
    facts: &Facts,
    locations: &[LocationId],
    side: &Side<'_>,
    terms: &Terms<'_>,
) -> BTreeMap<Sku, (Good, i64)> {
    let gift = |sku: &Sku| {
        let product = facts.products.get(sku)?;
        let floor = access::floor(&product.access, side.tier, terms.now);
        let available = stock::available(sku, floor, locations, &facts.levels);
        Some((sku.clone(), (Good::from(product), available)))
    };
    facts.gifts.iter().filter_map(gift).collect()
}

fn wanted(goods: &Priced, facts: &Facts, now: Timestamp) -> Vec<stock::Wanted> {
    let wanted = |line: &goods::Line| stock::Wanted {
        sku: line.good.sku.clone(),
        quantity: line.quantity,
        floor: floor(&line.good.sku, facts, now),
    };
    goods.lines.iter().map(wanted).collect()
}

/// How far the buyer may empty a location of a SKU.
pub(super) fn floor(sku: &Sku, facts: &Facts, now: Timestamp) -> stock::Floor {
    let product = facts.products.get(sku);
    product.map(|it| access::floor(&it.access, tier(facts), now)).unwrap_or_default()
}

/// The writes that take an order's stock, by the lines of its quote.
#[must_use]
pub fn takes(quote: &Quote, plan: &[LinePlan], facts: &Facts, now: Timestamp) -> Vec<stock::Take> {
    stock::takes(&wanted(&quote.goods, facts, now), plan)
}

/// The tier of the member.
fn tier(facts: &Facts) -> Option<&str> {
    facts.profile.as_ref().and_then(|it| it.tier.as_ref()).map(Text::as_str)
}

fn parcel(goods: &Priced, facts: &Facts, plan: &Result<Vec<LinePlan>, Unplanned>) -> Parcel {
    let mut parcel = Parcel { grams: 0, goods: goods.total, ready_at: None };
    for (number, line) in goods.lines.iter().enumerate() {
        let Some(product) = facts.products.get(&line.good.sku) else { continue };
        let grams = u64::from(product.facts.grams).saturating_mul(u64::from(line.quantity));
        parcel.grams = parcel.grams.saturating_add(grams);
        let early = plan.as_ref().ok().and_then(|plan| plan.get(number));
        let ships =
            product.access.preorder.as_ref().filter(|_| early.is_some_and(|it| it.preorder));
        parcel.ready_at = parcel.ready_at.max(ships.map(|it| it.ships));
    }
    parcel
}

fn buyer<'a>(side: &Side<'a>) -> delivery::Buyer<'a> {
    delivery::Buyer { tier: side.tier, segments: side.segments }
}

fn options(
    basket: &Basket,
    side: &Side<'_>,
    parcel: &Parcel,
    terms: &Terms<'_>,
) -> Vec<DeliveryOption> {
    let Some(destination) = &basket.destination else { return Vec::new() };
    let place = destination.place();
    delivery::options(&terms.policy.delivery, &place, parcel, &buyer(side), terms.now)
}

fn choose(
    basket: &Basket,
    facts: &Facts,
    side: &Side<'_>,
    parcel: &Parcel,
    options: &[DeliveryOption],
    terms: &Terms<'_>,
) -> Result<Option<Chosen>, Refusal> {
    let Some(destination) = &basket.destination else { return Ok(None) };
    let option = match &basket.method {
        Some(method) => {
            let (policy, place) = (&terms.policy.delivery, destination.place());
            delivery::option(policy, method, &place, parcel, &buyer(side), terms.now)
                .map_err(Refusal::Method)?
        }
        None => recommended(options, facts.profile.as_ref()).cloned().ok_or(Refusal::NoMethod)?,
    };
    let points = match (basket.delivery_with_points, option.points) {
        (true, Some(points)) => points,
        (true, None) if option.price.minor() > 0 => return Err(Refusal::NotWithPoints),
        _ => 0,
    };
    Ok(Some(Chosen { price: option.price, option, discount: None, points }))
}

/// The method that is taken when none is named. It brings the goods: what is
/// fetched comes from the store that the buyer names, and from its stock.
#[must_use]
pub fn recommended<'o>(
    options: &'o [DeliveryOption],
    profile: Option<&Profile>,
) -> Option<&'o DeliveryOption> {
    let last = profile.and_then(|it| it.last_method.as_ref());
    let bring = |option: &&DeliveryOption| option.kind == MethodKind::Ship;
    let brought: Vec<DeliveryOption> = options.iter().filter(bring).cloned().collect();
    let best = delivery::recommended(&brought, last)?;
    options.iter().find(|option| option.method == best.method)
}

fn charge(
    chosen: Option<Chosen>,
    rules: &PriceRules,
    asked: &Asked<'_>,
    goods: &Priced,
) -> Result<(Option<Chosen>, Shipping), Refusal> {
    let Some(chosen) = chosen else {
        return Ok((None, Shipping { applied: None, skipped: Vec::new(), quotas: Vec::new() }));
    };
    let method = chosen.option.method.clone();
    let method = method.as_str();
    let shipping = goods::shipping(rules, asked, goods, method, chosen.price)?;
    let offered = Chosen { discount: shipping.applied.clone(), ..chosen };
    if offered.points == 0 || offered.charge()?.minor() == 0 {
        return Ok((Some(Chosen { points: 0, ..offered }), shipping));
    }
    // Points pay all of it, so no offer about it is used up.
    let price = Money::zero(offered.price.currency());
    let shipping = goods::shipping(rules, asked, goods, method, price)?;
    Ok((Some(Chosen { price, discount: None, ..offered }), shipping))
}

fn taxes(
    basket: &Basket,
    facts: &Facts,
    goods: &Priced,
    delivery: Option<&Chosen>,
    policy: &Policy,
) -> Result<Option<Taxed>, Refusal> {
    let (Some(destination), Some(chosen)) = (&basket.destination, delivery) else {
        return Ok(None);
    };
    let class = |sku: &Sku| {
        let product = facts.products.get(sku);
        product.and_then(|it| it.facts.tax_class.as_ref()).map(Text::as_str)
    };
    let parts: Vec<Taxable<'_>> = goods
        .lines
        .iter()
        .map(|line| Taxable { class: class(&line.good.sku), amount: line.total })
        .collect();
    let taxed = tax::tax(&policy.tax, &destination.place(), &parts, chosen.charge()?)?;
    Ok(Some(taxed))
}

/// Points pay; they are no discount, so taxes are of the price before them.
fn offset(
    basket: &Basket,
    facts: &Facts,
    goods: &Priced,
    delivery: Option<&Chosen>,
    policy: &Policy,
    side: &mut Side<'_>,
) -> Option<Offset> {
    let for_delivery = delivery.map_or(0, |chosen| chosen.points);
    let spendable = facts.spendable.saturating_sub(for_delivery);
    if spendable < 0 {
        let refusal = OffsetRefusal::TooFew { spendable: facts.spendable };
        side.not_applied.push(Unapplied::Points(refusal));
    }
    let asked = basket.points?;
    match points::offset(policy.points.offset.as_ref(), asked, spendable.max(0), goods.total) {
        Ok(offset) => offset,
        Err(refusal) => {
            side.not_applied.push(Unapplied::Points(refusal));
            None
        }
    }
}

fn shares(goods: &Priced, offset: Option<&Offset>) -> Result<Vec<Money>, Refusal> {
    let nothing = vec![Money::zero(goods.currency); goods.lines.len()];
    let Some(offset) = offset.filter(|it| it.amount.minor() > 0) else { return Ok(nothing) };
    let weights: Vec<i64> = goods.lines.iter().map(|line| line.total.minor()).collect();
    Ok(offset.amount.split(&weights)?)
}

fn total(
    goods: &Priced,
    delivery: Option<&Chosen>,
    tax: Option<&Taxed>,
    offset: Option<&Offset>,
) -> Result<Money, Refusal> {
    let mut total = goods.total;
    if let Some(chosen) = delivery {
        total = total.plus(chosen.charge()?)?;
    }
    if let Some(tax) = tax.filter(|tax| !tax.included) {
        total = total.plus(tax.total)?;
    }
    if let Some(offset) = offset {
        total = total.minus(offset.amount)?;
    }
    Ok(total)
}

fn closed(
    basket: &Basket,
    facts: &Facts,
    side: &Side<'_>,
    now: Timestamp,
) -> Vec<(usize, AccessRefusal)> {
    let refusal = |(line, asked): (usize, &CartLine)| {
        let product = facts.products.get(&asked.sku)?;
        access::may_buy(&product.access, side.tier, now).err().map(|refusal| (line, refusal))
    };
    basket.lines.iter().enumerate().filter_map(refusal).collect()
}

fn vouchers(side: &Side<'_>, goods: &Priced, delivery: Option<&Chosen>) -> Vec<VoucherId> {
    let of_goods = goods.applied.iter().filter(|it| is_voucher(&it.coupon)).map(|it| &it.rule);
    let of_delivery = delivery
        .and_then(|chosen| chosen.discount.as_ref())
        .filter(|it| is_voucher(&it.coupon))
        .map(|it| &it.rule);
    let rules: BTreeSet<&RuleId> = of_goods.chain(of_delivery).collect();
    rules.into_iter().filter_map(|rule| side.vouchers.get(rule)).cloned().collect()
}

fn not_applied(side: Side<'_>, goods: &Priced, shipping: Shipping) -> Vec<Unapplied> {
    let vouchers = side.vouchers;
    let offer = |skipped: goods::Skipped| {
        let voucher = match &skipped.asked {
            Wanted::Voucher(rule) => vouchers.get(rule).cloned(),
            _ => None,
        };
        let goods::Skipped { asked, rule, reason } = skipped;
        Unapplied::Offer { asked, voucher, rule, reason }
    };
    let skipped = goods.skipped.iter().cloned().chain(shipping.skipped);
    side.not_applied.into_iter().chain(skipped.map(offer)).collect()
}

/// Whose uses the limits of price rules count: a member's by account, a
/// guest's by e-mail address, as far as it is known.
#[must_use]
pub fn counted_as(member: Option<&CustomerId>, email: Option<&str>) -> String {
    match (member, email) {
        (Some(member), _) => member.to_string(),
        (None, Some(email)) => {
            format!("gst-{}", digest::short(&[b"limit", email.to_lowercase().as_bytes()]))
        }
        (None, None) => "gst".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests;
