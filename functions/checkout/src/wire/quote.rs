//! What clients send for a quote, and what a quote says.

use aftercart::model::{
    customer::{Contact, Country},
    delivery::{MethodId, MethodKind, Promise},
    id::{QuoteId, VoucherId},
    is_default,
    money::Money,
    price::RuleId,
    product::Sku,
    stock::LocationId,
    tax::TaxRate,
    text::Text,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LineRequest;

/// The body of `POST /quotes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskQuote {
    /// What is wanted: 1 to 50 lines, each SKU once.
    pub lines: Vec<LineRequest>,
    /// Where the parcels go. Without it the quote has no delivery and no tax,
    /// and no order can name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlaceRequest>,
    /// How the buyer is reached. It decides whose uses the limits of offers
    /// count for a guest; nothing is sent to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// How it is delivered; the recommended method otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryRequest>,
    /// Coupon codes as the buyer typed them, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// Vouchers of the member's account, at most 5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vouchers: Vec<VoucherId>,
    /// Points that pay for goods: a number, or `"max"` for as many as may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<PointsRequest>,
    /// Through which channel it comes, such as `app`; price rules may ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Text<40>>,
}

/// A place, as far as delivery and tax ask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlaceRequest {
    /// Country.
    pub country: Country,
    /// State, province or county.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Text<60>>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Text<16>>,
}

/// How an order is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeliveryRequest {
    /// One of the quote's `delivery_options`.
    pub method: MethodId,
    /// Whether points pay for it, where the method has a price in points.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_points: bool,
}

/// How many points pay for goods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum PointsRequest {
    /// As many as may be used: `"max"`.
    Most(Max),
    /// So many.
    Exactly(u32),
}

/// The word `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Max {
    /// As many as may be.
    #[serde(rename = "max")]
    Max,
}

/// A cart, priced. Of each line, `list` less `discount` is `total`; `list`
/// less `discount` summed over the lines is `subtotal`; `total` is `subtotal`
/// with delivery, and with taxes unless `tax.included`, less what points pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuoteView {
    /// The same for the same result: an order that names it is placed at
    /// exactly this. Missing when no order could be placed by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<QuoteId>,
    /// The lines as asked, then gifts.
    pub lines: Vec<QuoteLine>,
    /// What each price rule takes off: the explanation of every discount.
    pub discounts: Vec<DiscountView>,
    /// What the goods cost, less discounts.
    pub subtotal: Money,
    /// How it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<DeliveryView>,
    /// The methods to choose from.
    pub delivery_options: Vec<DeliveryOptionView>,
    /// The taxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxView>,
    /// What points pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<QuotePointsView>,
    /// What is to be paid in money.
    pub total: Money,
    /// Codes, vouchers and offers that did not apply, or only in part, and why.
    pub not_applied: Vec<NotApplied>,
    /// What keeps an order from being placed: too few units, or goods that
    /// this buyer may not have (yet).
    pub obstacles: Vec<Obstacle>,
    /// Offers that the buyer could still reach.
    pub nearly: Vec<NearlyView>,
    /// Goods that others bought together with these.
    pub related: Vec<RelatedView>,
    /// The edition of the price rules.
    pub price_rules: Text<40>,
    /// The edition of the policy.
    pub policy: Text<40>,
}

/// A line of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuoteLine {
    /// What.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// How many.
    pub quantity: u32,
    /// The list price of one.
    pub unit_price: Money,
    /// The units by their price before promotions, where a rule made it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<PartView>,
    /// The list price of all.
    pub list: Money,
    /// What rules take off.
    pub discount: Money,
    /// What they cost.
    pub total: Money,
    /// The tax in, or on top of, that.
    pub tax: Money,
    /// What points pay of it.
    pub points: Money,
    /// The rule that gives it away, if it is a gift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gift: Option<RuleId>,
}

/// Units of a line at one price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PartView {
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit_price: Money,
    /// The rule that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
}

/// What a price rule takes off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DiscountView {
    /// Which rule.
    pub rule: RuleId,
    /// What the buyer reads.
    pub title: String,
    /// The kind of the rule, such as `spend`.
    pub kind: String,
    /// What it takes off in all.
    pub amount: Money,
    /// What it takes off each line, in minor units, line by line; of a
    /// discount on the delivery, nothing.
    pub shares: Vec<i64>,
    /// What more it would have taken off, but for floors of prices and the
    /// greatest discount of an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<Money>,
}

/// How an order is delivered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryView {
    /// The method.
    pub method: MethodId,
    /// Its price.
    pub price: Money,
    /// What rules take off that.
    pub discount: Money,
    /// The tax in, or on top of, what is left.
    pub tax: Money,
    /// So many points pay for it instead of money.
    #[serde(default, skip_serializing_if = "is_default")]
    pub points: i64,
    /// When it comes: by `until`, nine times of ten.
    pub promise: Promise,
}

/// A method of delivery to choose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryOptionView {
    /// The method.
    pub method: MethodId,
    /// What the buyer reads.
    pub title: String,
    /// Brought or fetched.
    pub kind: MethodKind,
    /// Where goods are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// Its price, before price rules.
    pub price: Money,
    /// With so many points it is paid as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub points: Option<i64>,
    /// When the goods come.
    pub promise: Promise,
    /// Whether it is the one to select beforehand.
    pub recommended: bool,
}

/// The taxes of a quote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaxView {
    /// Whether the prices hold them; they come on top otherwise.
    pub included: bool,
    /// All of them.
    pub total: Money,
    /// By rate.
    pub rates: Vec<TaxRateView>,
}

/// What a tax rate comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaxRateView {
    /// The name of the tax.
    pub title: Text<60>,
    /// The rate.
    pub rate: TaxRate,
    /// The tax.
    pub amount: Money,
}

/// What points pay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuotePointsView {
    /// How many the member has to spend.
    pub spendable: i64,
    /// How many are used, those for the delivery included.
    pub used: i64,
    /// What they take off the goods.
    pub amount: Money,
}

/// Something that did not apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NotApplied {
    /// The code, as it is compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The voucher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<VoucherId>,
    /// The rule, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// Why, for programs: `unknown`, `ended`, `not_yet`, `used_up`, `minimum` and others.
    pub reason: String,
    /// Why, for people.
    pub detail: String,
    /// So much more has to be bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Money>,
}

/// What keeps an order from being placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Obstacle {
    /// In which line, counted from 0.
    pub line: usize,
    /// Which SKU.
    pub sku: Sku,
    /// Why.
    pub reason: ObstacleReason,
    /// For people.
    pub detail: String,
    /// How many units may be had, where that is the obstacle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<i64>,
}

/// Why an order cannot be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObstacleReason {
    /// Too few units are left: `available` says how many.
    OutOfStock,
    /// The sale has not begun for this buyer.
    NotOnSaleYet,
    /// Only members of some tiers may buy it, and the buyer is of none of them.
    NotForYou,
    /// The goods lie in more places than one order can be gathered from.
    Scattered,
}

/// An offer that the buyer could still reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NearlyView {
    /// Which rule.
    pub rule: RuleId,
    /// What the buyer reads.
    pub title: String,
    /// The kind of the rule, such as `free_shipping`.
    pub kind: String,
    /// So much more of matching goods reaches it.
    pub missing: Money,
}

/// Goods that others bought together with these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RelatedView {
    /// What.
    pub sku: Sku,
    /// What the buyer reads.
    pub title: Text<80>,
    /// In how many orders they came together with goods of the cart.
    pub orders: u64,
}
