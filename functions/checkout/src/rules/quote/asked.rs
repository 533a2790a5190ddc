//! What somebody wants, what was read for it, and by what it is decided.

use std::collections::BTreeMap;

use aftercart::model::{
    cart::CartLine,
    customer::{Country, CustomerId},
    delivery::MethodId,
    id::VoucherId,
    policy::Policy,
    price::{Code, PriceRules, Quota},
    product::{Product, Sku},
    profile::Profile,
    stock::Levels,
    text::Text,
    time::Timestamp,
    voucher::Voucher,
};
use aftercart_pricing::delivery::Place;

use crate::rules::{points::PointsAsked, quota::Uses};

/// Where goods go, as far as delivery and tax ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// State, province or county.
    pub region: Option<Text<60>>,
    /// Postal code.
    pub postal_code: Option<Text<16>>,
}

impl Destination {
    pub(super) fn place(&self) -> Place<'_> {
        Place {
            country: &self.country,
            region: self.region.as_ref().map(Text::as_str),
            postal_code: self.postal_code.as_ref().map(Text::as_str),
        }
    }
}

/// What somebody wants to have, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basket {
    /// The member, if it is one.
    pub member: Option<CustomerId>,
    /// Whose uses the limits of price rules count.
    pub counted_as: String,
    /// Each SKU once.
    pub lines: Vec<CartLine>,
    /// Where to; without it there is no delivery and no tax.
    pub destination: Option<Destination>,
    /// The method, if one is chosen.
    pub method: Option<MethodId>,
    /// Whether points pay for the delivery.
    pub delivery_with_points: bool,
    /// Codes that were typed.
    pub codes: Vec<Code>,
    /// Vouchers that were named.
    pub vouchers: Vec<VoucherId>,
    /// Points that pay for goods.
    pub points: Option<PointsAsked>,
    /// The channel.
    pub channel: Option<Text<40>>,
}

/// What was read for a basket.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The products of its lines, and those that rules may give.
    pub products: BTreeMap<Sku, Product>,
    /// Which of them rules may give.
    pub gifts: Vec<Sku>,
    /// How much there is of them.
    pub levels: Levels,
    /// The limits that rules may use.
    pub quotas: Vec<Quota>,
    /// How much of these is used.
    pub uses: Uses,
    /// What is known of the member.
    pub profile: Option<Profile>,
    /// The vouchers that were named and are his.
    pub vouchers: BTreeMap<VoucherId, Voucher>,
    /// The points that the member may spend.
    pub spendable: i64,
    /// Whose points these are, if the buyer's account is linked into another one.
    pub payer: Option<CustomerId>,
}

/// The documents of the shop, and the time.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The price rules.
    pub rules: &'a PriceRules,
    /// The policy.
    pub policy: &'a Policy,
    /// When.
    pub now: Timestamp,
}
