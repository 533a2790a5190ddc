//! What goods cost: list prices, then the shop's price rules.
//!
//! A rule takes part when the buyer belongs to its audience, its window is
//! open, it is about goods in the cart, its amounts are in the cart's currency,
//! something is left of each of its limits, and the buyer named its coupon if
//! it has one. Rules go by priority, higher first, then by name: this order is
//! meant by "first" below. Nothing depends on the order in which the document
//! lists rules or the cart lists lines: lines are worked on in the order of
//! their SKUs.
//!
//! 1. **Unit prices** (`price`, `price_percent`). A unit gets the lowest price
//!    below its list price that a rule makes of it; of equal prices the first
//!    rule's. They do not add up: each is worked out from the list price. A
//!    rule with limits prices so many units as its limits have left, line
//!    after line; the others get the next lowest price.
//! 2. **Line promotions** (`bundle`, `buy_get`), the first one first. A unit
//!    counts in at most one of them. A bundle draws the dearest units, as often
//!    as that saves something. For `buy_get` the units from the dearest down
//!    are cut into full sets, and the cheapest of each set are reduced: more
//!    units never make the discount smaller.
//! 3. **Order promotions** (`spend`, `percent`, `amount`), the first one first,
//!    each on what the lines still cost. Their thresholds and minimums are
//!    measured on what the matching lines cost after step 2, so one of them
//!    never takes another's threshold away. `percent` is rounded half up.
//! 4. **Gifts**, of what the buyer pays for the matching lines, or of their
//!    units. All units of a gift are there, or it is left out. At most
//!    [`MAX_GIFTS`] rules for gifts are looked at.
//! 5. **Shipping** ([`shipping()`]), of what the buyer pays for the matching
//!    lines: the one rule that takes most off the charge; of equal ones the first.
//!
//! *Stacking* is about the promotions of steps 2 and 3 only. Of a `best_of`
//! group that member applies with which the order costs least, together with
//! the stackable ones and the groups before it; of equal ones the first. Then
//! either the single best `exclusive` promotion applies alone, or all the
//! others do, whichever costs less; if equal, the others.
//!
//! *Sharing.* A discount is shared over its lines by the largest remainder
//! ([`Money::split`]), in proportion to what they still cost (a bundle: to what
//! its units cost). What `buy_get` takes off is taken off the reduced units.
//!
//! *Floors.* No unit price is below the product's floor, and no line's total
//! below the floor times its quantity. What a floor cuts off a share is lost: it
//! is not moved to another line, and told in [`Applied::cut_by_floor`].
//!
//! *The maximum.* `max_discount` bounds the discount of each unit price as a
//! part of its list price, and all discounts of steps 1 to 3 together as a part
//! of the list prices of the lines, both rounded down. A promotion that would
//! exceed it is cut to what is left of it, told in [`Applied::cut_by_maximum`].
//!
//! *Limits.* A promotion, a gift and a rule for shipping count one for an
//! order, a unit price counts units. Limited offers beyond what
//! [`MAX_QUOTAS`] counters cover are left out.

use std::collections::BTreeMap;

use aftercart::model::{
    cart::MAX_CODES,
    money::Money,
    price::{Code, Effect, GoodsFilter, PriceRules, QuotaKey, Rule, RuleId},
    product::{Product, Sku},
    text::Text,
    time::Timestamp,
};

mod scope;

mod limit;

mod cart;

mod unit;

mod promotion;

mod stacking;

mod gift;

mod near;

mod shipping;

mod sheet;

mod priced;

pub mod explain;

use cart::Cart;
use scope::{Known, Offer, Scope};
use sheet::{Sheet, too_large};
use unit::{Lot, UnitOffer, Units};

pub use priced::{
    Applied, Candidates, Kind, Line, Near, Part, PriceError, Priced, Reason, Shipping,
    ShippingDiscount, Skipped, Wanted,
};

/// The most codes, and the most vouchers, of one order: as many codes as its
/// cart holds. Each may be a limit to count, and nobody holds more that go
/// together.
pub const MAX_COUPONS: usize = MAX_CODES;

/// The most gifts of one order: each is a line, and takes stock.
pub const MAX_GIFTS: usize = 8;

/// The most limits that one order counts in. Each is an action of the
/// transaction that places it, of which DynamoDB takes 100; lines and gifts
/// need one each.
pub const MAX_QUOTAS: usize = 32;

/// What a product is to price rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Good {
    /// Its SKU.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// The list price of one unit.
    pub list: Money,
    /// No discount takes a unit below this, in minor units of the list price's
    /// currency; gifts have no floor.
    pub floor: Option<i64>,
    /// The category that rules name.
    pub category: Option<Text<40>>,
    /// The brand that rules name.
    pub brand: Option<Text<40>>,
}

impl From<&Product> for Good {
    fn from(product: &Product) -> Self {
        Self {
            sku: product.sku.clone(),
            title: product.title.clone(),
            list: product.price,
            floor: product.facts.floor,
            category: product.facts.category.clone(),
            brand: product.facts.brand.clone(),
        }
    }
}

impl Good {
    fn covered_by(&self, filter: &GoodsFilter) -> bool {
        let category = self.category.as_ref().map(Text::as_str);
        filter.covers(&self.sku, category, self.brand.as_ref().map(Text::as_str))
    }
}

/// What is known of the buyer.
#[derive(Debug, Clone, Copy)]
pub struct Buyer<'a> {
    /// Whose uses limits by customer count.
    pub customer: &'a str,
    /// Whether he has an account.
    pub member: bool,
    /// The tier of his membership.
    pub tier: Option<&'a str>,
    /// The segments that he is in.
    pub segments: &'a [Text<40>],
    /// The channel by which the order comes.
    pub channel: Option<&'a str>,
    /// Whether he never ordered before.
    pub first_order: bool,
}

/// A cart to price, and what was read for it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Goods and how many units of each; every SKU once.
    pub lines: &'a [(Good, u32)],
    /// Codes that the buyer typed, at most [`MAX_COUPONS`]; the same one twice counts once.
    pub codes: &'a [Code],
    /// Vouchers of his account that he named, by the rule that they are for,
    /// at most [`MAX_COUPONS`].
    pub vouchers: &'a [RuleId],
    /// Who buys.
    pub buyer: Buyer<'a>,
    /// The gifts of [`Candidates`] that there are, with the units available.
    /// What the lines take of the same SKU is subtracted here.
    pub gifts: &'a BTreeMap<Sku, (Good, i64)>,
    /// What is left of the quotas of [`Candidates`]: so much as one order can
    /// get, of a split one the most that any of its shards has left. One that
    /// is not there has not been used.
    pub quotas: &'a BTreeMap<QuotaKey, u32>,
    /// When.
    pub now: Timestamp,
}

/// What must be read before pricing: gifts and limits of the rules that could
/// apply, by what is known without the products and without the buyer's tier,
/// segments and history, which are not looked at.
#[must_use]
pub fn candidates(
    rules: &PriceRules,
    skus: &[Sku],
    buyer: &Buyer<'_>,
    codes: &[Code],
    vouchers: &[RuleId],
    now: Timestamp,
) -> Candidates {
    let skus = skus.iter().collect();
    scope::scope(rules, &Known { skus, buyer, codes, vouchers, profile: false, now }).candidates()
}

/// Prices a cart. The same question has the same answer, in whatever order its
/// lines and the document's rules are listed.
///
/// # Errors
/// [`PriceError`], of a cart that no rules could price.
pub fn price(rules: &PriceRules, asked: &Asked<'_>) -> Result<Priced, PriceError> {
    let scope = scope_of(rules, asked)?;
    let mut cart = Cart::new(asked, rules.max_discount)?;
    let mut sheet = Sheet::default();
    let Offers { units, promotions, gifts, shipping } = Offers::of(&scope, &mut sheet);
    let lots = price_units(&mut cart, &units, asked, rules.max_discount, &mut sheet);
    let cart = promote(&cart, &promotions, asked, &mut sheet)?;
    gift::give(&cart, &gifts, asked, &mut sheet);
    let paid: Vec<i64> = cart.rows.iter().map(|row| row.amount).collect();
    for offer in gifts.iter().chain(&shipping) {
        if limit::left(offer, asked.quotas).0 > 0 {
            sheet.near.extend(near::near(&cart, &paid, offer.rule, false));
        }
    }
    let lines = sheet.lines(&cart, &lots, &units).map_err(too_large)?;
    let applied = sheet.applied(&cart, &lines).map_err(too_large)?;
    let skipped = sheet.skipped(asked);
    let zero = Money::zero(cart.currency);
    let mut priced = Priced {
        version: rules.version.clone(),
        at: asked.now,
        currency: cart.currency,
        lines,
        list: zero,
        discount: zero,
        total: zero,
        applied,
        skipped,
        near: sheet.near,
        quotas: sheet.quotas,
    };
    let sums = explain::recompute(&priced).map_err(too_large)?;
    for (line, sum) in priced.lines.iter_mut().zip(sums.lines) {
        (line.discount, line.total) = (sum.discount, sum.total);
    }
    let whole = sums.whole;
    (priced.list, priced.discount, priced.total) = (whole.list, whole.discount, whole.total);
    Ok(priced)
}

/// What the rules take off the charge for delivering a priced cart by a method:
/// of all rules that apply, the one that takes most. `asked` is what the cart
/// was priced with.
///
/// # Errors
/// [`PriceError::ShippingPrice`].
pub fn shipping(
    rules: &PriceRules,
    asked: &Asked<'_>,
    priced: &Priced,
    method: &str,
    charge: Money,
) -> Result<Shipping, PriceError> {
    if charge.currency() != priced.currency || charge.minor() < 0 {
        return Err(PriceError::ShippingPrice);
    }
    shipping::best(&scope_of(rules, asked)?, asked, priced, method, charge)
}

fn scope_of<'a>(rules: &'a PriceRules, asked: &Asked<'a>) -> Result<Scope<'a>, PriceError> {
    if asked.codes.len() > MAX_COUPONS || asked.vouchers.len() > MAX_COUPONS {
        return Err(PriceError::TooManyCoupons { most: MAX_COUPONS });
    }
    let skus = asked.lines.iter().map(|(good, _)| &good.sku).collect();
    let (buyer, codes, vouchers) = (&asked.buyer, asked.codes, asked.vouchers);
    Ok(scope::scope(rules, &Known { skus, buyer, codes, vouchers, profile: true, now: asked.now }))
}

/// The offers of an order by the step in which they come.
struct Offers<'a> {
    units: Vec<Offer<'a>>,
    promotions: Vec<Offer<'a>>,
    gifts: Vec<Offer<'a>>,
    shipping: Vec<Offer<'a>>,
}

impl<'a> Offers<'a> {
    fn of(scope: &Scope<'a>, sheet: &mut Sheet<'a>) -> Self {
        for (rule, reason) in &scope.out {
            sheet.refuse(rule, reason.clone());
        }
        let mut offers = Self {
            units: Vec::new(),
            promotions: Vec::new(),
            gifts: Vec::new(),
            shipping: Vec::new(),
        };
        for offer in &scope.offers {
            let step = match &offer.rule.effect {
                Effect::Price(_) | Effect::PricePercent(_) => &mut offers.units,
                Effect::Gift(_) => &mut offers.gifts,
                Effect::FreeShipping(_) | Effect::ShippingPercent(_) => {
                    sheet.leave(offer.rule);
                    &mut offers.shipping
                }
                _ => &mut offers.promotions,
            };
            step.push(offer.clone());
        }
        offers
    }
}

/// The first step: unit prices.
fn price_units<'a>(
    cart: &mut Cart<'a>,
    offers: &[Offer<'a>],
    asked: &Asked<'a>,
    max_discount: u32,
    sheet: &mut Sheet<'a>,
) -> Vec<Vec<Lot>> {
    let Units { offers: done, lots } = unit::units(cart, offers, asked.quotas, max_discount);
    for (offer, UnitOffer { taken, units, reason }) in offers.iter().zip(done) {
        match reason {
            Some(reason) if units == 0 => sheet.refuse(offer.rule, reason),
            reason => sheet.enter(offer, taken, units, reason),
        }
    }
    lots
}

/// The second and third step: promotions of lines, then of the order.
fn promote<'a>(
    cart: &Cart<'a>,
    offers: &[Offer<'a>],
    asked: &Asked<'a>,
    sheet: &mut Sheet<'a>,
) -> Result<Cart<'a>, PriceError> {
    let mut open: Vec<&Offer<'a>> = Vec::with_capacity(offers.len());
    for offer in offers {
        let about = cart.covered(&offer.rule.goods).contains(&true);
        match limit::left(offer, asked.quotas) {
            _ if !about => sheet.refuse(offer.rule, Reason::NotForGoods),
            (0, reason) => sheet.refuse(offer.rule, reason),
            _ => open.push(offer),
        }
    }
    let promotions: Vec<&Rule> = open.iter().map(|offer| offer.rule).collect();
    let outcome = stacking::best(cart, &promotions)?;
    for (number, offer) in open.iter().enumerate() {
        let applied = matches!(outcome.result(number), Some(Ok(_)));
        sheet.near.extend(near::near(cart, &outcome.basis, offer.rule, applied));
        if outcome.result(number).is_none() {
            let alone = promotion::apply(cart, &promotions, &[number])?;
            let reason = alone.result(number).and_then(|result| result.clone().err());
            sheet.refuse(offer.rule, reason.unwrap_or(Reason::AnotherBetter));
        }
    }
    for (number, result) in outcome.results {
        let Some(offer) = open.get(number) else { continue };
        match result {
            Ok(taken) => sheet.enter(offer, taken, 1, None),
            Err(reason) => sheet.refuse(offer.rule, reason),
        }
    }
    Ok(outcome.cart)
}

#[cfg(test)]
mod example;

#[cfg(test)]
mod tests;

#[cfg(test)]
mod properties;

#[cfg(test)]
mod pages;
