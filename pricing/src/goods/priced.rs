//! What a cart costs, and why.

use std::fmt;

use aftercart::model::{
    money::{Currency, Money},
    price::{Code, Coupon, Quota, RuleId, Title},
    product::Sku,
    text::Text,
    time::Timestamp,
};

use super::Good;

/// A priced cart. Of every line and of the whole, list price less discount is
/// the total, and the discount is the sum of the shares in `applied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// The version of the price rules.
    pub version: Text<40>,
    /// When it was priced.
    pub at: Timestamp,
    /// Of every amount.
    pub currency: Currency,
    /// The lines in the order in which they were asked for, then gifts.
    pub lines: Vec<Line>,
    /// The list prices of all lines, gifts included.
    pub list: Money,
    /// What all rules take off, gifts included.
    pub discount: Money,
    /// What the buyer pays for the goods.
    pub total: Money,
    /// What each rule took off, in the order in which they were applied.
    pub applied: Vec<Applied>,
    /// What was asked for and did not apply, and what applied only in part.
    pub skipped: Vec<Skipped>,
    /// Thresholds of rules that the buyer could still reach.
    pub near: Vec<Near>,
    /// What placing the order takes of limits, at most
    /// [`super::MAX_QUOTAS`]; never more than was left.
    pub quotas: Vec<(Quota, u32)>,
}

/// A priced line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What, and its list price and floor.
    pub good: Good,
    /// How many units.
    pub quantity: u32,
    /// The units by their unit price before promotions, cheapest first. Their
    /// quantities sum to the line's.
    pub parts: Vec<Part>,
    /// The list price of all units.
    pub list: Money,
    /// What all rules take off.
    pub discount: Money,
    /// What the buyer pays.
    pub total: Money,
    /// The rule that gives it away, if it is a gift.
    pub gift: Option<RuleId>,
}

/// Units of a line that have the same price before promotions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// How many.
    pub quantity: u32,
    /// The price of one.
    pub unit: Money,
    /// The rule that made it, if it is not the list price.
    pub rule: Option<RuleId>,
}

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Fixed unit prices.
    Price,
    /// A part off the unit price.
    PricePercent,
    /// Goods that cost less together.
    Bundle,
    /// Buy some, get some cheaper.
    BuyGet,
    /// So much off from such a spend on.
    Spend,
    /// A part off.
    Percent,
    /// An amount off.
    Amount,
    /// Goods that come free.
    Gift,
    /// No charge for delivery.
    FreeShipping,
    /// A part off the charge for delivery.
    ShippingPercent,
}

impl Kind {
    /// Its name in the document.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::PricePercent => "price_percent",
            Self::Bundle => "bundle",
            Self::BuyGet => "buy_get",
            Self::Spend => "spend",
            Self::Percent => "percent",
            Self::Amount => "amount",
            Self::Gift => "gift",
            Self::FreeShipping => "free_shipping",
            Self::ShippingPercent => "shipping_percent",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A rule that took something off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub rule: RuleId,
    /// What the buyer reads.
    pub title: Title,
    /// What the rule does.
    pub kind: Kind,
    /// The code or voucher that it took.
    pub coupon: Option<Coupon>,
    /// What it took off each line, in minor units; as many as there are lines.
    pub shares: Vec<i64>,
    /// The sum of the shares.
    pub amount: Money,
    /// What more it would have taken off, but for the floors of products.
    pub cut_by_floor: Money,
    /// What more it would have taken off, but for the document's `max_discount`.
    pub cut_by_maximum: Money,
}

/// A rule, code or voucher that did not apply, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// What was asked for.
    pub asked: Wanted,
    /// The rule that came closest to it, if there is one.
    pub rule: Option<RuleId>,
    /// Why it did not apply.
    pub reason: Reason,
}

/// What did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A code that the buyer typed.
    Code(Code),
    /// A voucher that he named, by its rule.
    Voucher(RuleId),
    /// A rule that needs nothing of him.
    Rule(RuleId),
}

/// Why something did not apply, in the order in which it is found out: of
/// several rules with one code, the reason of the one that came farthest is told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// There is no such code or voucher.
    Unknown,
    /// It is not for this buyer, channel or order.
    NotForBuyer,
    /// It is over.
    Ended,
    /// It begins later.
    NotYet,
    /// It is closed on this day or at this hour.
    Closed,
    /// It is about goods that are not in the cart.
    NotForGoods,
    /// Its amounts are of another currency.
    OtherCurrency,
    /// The order has as many limited offers, or gifts, as one order takes.
    TooMany,
    /// All of it is used up.
    UsedUp,
    /// All of it is used up for today.
    UsedUpToday,
    /// The buyer has had as much of it as one may.
    CustomerLimit,
    /// The buyer has had as much of it as one may in a day.
    CustomerLimitToday,
    /// So much more has to be bought, in minor units of the order's currency.
    Minimum {
        /// Minor units.
        missing: i64,
    },
    /// The cart holds too few units for a full set.
    Incomplete,
    /// So many units got the price, of so many in the cart: the limit allows no more.
    Units {
        /// With the price.
        priced: u32,
        /// In the cart.
        of: u32,
    },
    /// Too few units of the gift are left.
    GiftOut,
    /// Another offer, with which it does not go, is better.
    AnotherBetter,
    /// Nothing is left to take off: floors, the maximum or other offers.
    NothingLeft,
    /// It is not for this method of delivery.
    OtherMethod,
}

impl Reason {
    /// Its name for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        self.texts().0
    }

    fn texts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => ("unknown", "There is no such coupon."),
            Self::NotForBuyer => ("not_for_buyer", "It is not for this buyer or order."),
            Self::Ended => ("ended", "It is over."),
            Self::NotYet => ("not_yet", "It has not begun."),
            Self::Closed => ("closed", "It is not open at this time."),
            Self::NotForGoods => ("not_for_goods", "It is not for these goods."),
            Self::OtherCurrency => ("other_currency", "It is not in the order's currency."),
            Self::TooMany => ("too_many", "The order has too many other limited offers."),
            Self::UsedUp => ("used_up", "It is used up."),
            Self::UsedUpToday => ("used_up_today", "It is used up for today."),
            Self::CustomerLimit => ("customer_limit", "The buyer had it as often as one may."),
            Self::CustomerLimitToday => {
                ("customer_limit_today", "The buyer had it today as often as one may.")
            }
            Self::Minimum { .. } => ("minimum", "More has to be bought for it."),
            Self::Incomplete => ("incomplete", "It takes more units than there are."),
            Self::Units { .. } => ("units", "Only some units have the price: no more are left."),
            Self::GiftOut => ("gift_out", "The gift is out of stock."),
            Self::AnotherBetter => {
                ("another_better", "Another offer, with which it does not go, is better.")
            }
            Self::NothingLeft => ("nothing_left", "There is nothing that it could take off."),
            Self::OtherMethod => ("other_method", "It is not for this method of delivery."),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.texts().1)
    }
}

/// A threshold that is not reached yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Near {
    /// Of which rule.
    pub rule: RuleId,
    /// What the buyer reads.
    pub title: Title,
    /// What the rule does.
    pub kind: Kind,
    /// So much more of matching goods reaches it.
    pub missing: Money,
}

/// What rules take off the charge for delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shipping {
    /// The one rule that applies, if any.
    pub applied: Option<ShippingDiscount>,
    /// Codes and vouchers for delivery that did not apply.
    pub skipped: Vec<Skipped>,
    /// What placing the order takes of limits, beside [`Priced::quotas`].
    pub quotas: Vec<(Quota, u32)>,
}

/// A rule that took something off the charge for delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShippingDiscount {
    /// Which.
    pub rule: RuleId,
    /// What the buyer reads.
    pub title: Title,
    /// What the rule does.
    pub kind: Kind,
    /// The code or voucher that it took.
    pub coupon: Option<Coupon>,
    /// So much, above zero and at most the charge.
    pub amount: Money,
}

/// What has to be read before a cart can be priced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// Gifts, as products and with their stock; at most [`super::MAX_GIFTS`].
    pub gifts: Vec<Sku>,
    /// Counters; at most [`super::MAX_QUOTAS`].
    pub quotas: Vec<Quota>,
}

/// Why a cart has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Nothing to price.
    #[error("a cart has at least one line")]
    Empty,
    /// More lines than an order has.
    #[error("a cart has at most {most} lines")]
    TooManyLines {
        /// How many it may have.
        most: usize,
    },
    /// No units, or more than an order has.
    #[error("the quantity is not 1 to {most}")]
    Quantity {
        /// Of which line, counted from 0.
        line: usize,
        /// How many it may be.
        most: u32,
    },
    /// The same SKU twice.
    #[error("the SKU {sku} is in two lines")]
    Repeated {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// Prices in two currencies.
    #[error("the SKU {sku} is sold in another currency than the first line")]
    MixedCurrencies {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// A list price or floor below zero.
    #[error("the SKU {sku} has a price below zero")]
    Negative {
        /// In which line, counted from 0.
        line: usize,
        /// Which SKU.
        sku: Sku,
    },
    /// An amount beyond what is sold in one order.
    #[error("the total is too large for one order")]
    TooLarge,
    /// More codes, or more vouchers, than one order takes.
    #[error("an order takes at most {most} codes and {most} vouchers")]
    TooManyCoupons {
        /// How many it takes of each.
        most: usize,
    },
    /// A charge for delivery in another currency than the goods', or below zero.
    #[error("the charge for delivery is below zero or not in the currency of the goods")]
    ShippingPrice,
}
