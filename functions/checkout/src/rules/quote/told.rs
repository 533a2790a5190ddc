//! What a basket costs, and what a quote of it says.

use aftercart::model::{
    id::{QuoteId, VoucherId},
    money::{Money, MoneyError},
    price::{Quota, RuleId},
};
use aftercart_pricing::{
    delivery::DeliveryOption,
    goods::{Priced, Reason, ShippingDiscount, Wanted},
    tax::Taxed,
};

use crate::rules::{
    access::AccessRefusal,
    points::{Offset, OffsetRefusal},
    stock::{LinePlan, Unplanned},
};

/// A basket, priced.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote {
    /// The goods at price rules.
    pub goods: Priced,
    /// How it is delivered, if it is known where to.
    pub delivery: Option<Chosen>,
    /// The methods to choose from.
    pub options: Vec<DeliveryOption>,
    /// The taxes, if it is known where to.
    pub tax: Option<Taxed>,
    /// What points pay of the goods.
    pub offset: Option<Offset>,
    /// The share of each line in that.
    pub offset_shares: Vec<Money>,
    /// The vouchers that it uses.
    pub vouchers: Vec<VoucherId>,
    /// What it uses of limits.
    pub quotas: Vec<(Quota, u32)>,
    /// What was asked for and did not apply.
    pub not_applied: Vec<Unapplied>,
    /// Where the units come from, if there are enough and the buyer may have them.
    pub plan: Result<Vec<LinePlan>, Unplanned>,
    /// Lines that this buyer may not have (yet).
    pub closed: Vec<(usize, AccessRefusal)>,
    /// The points that the member may spend.
    pub spendable: i64,
    /// What is to be paid in money.
    pub total: Money,
}

/// The method of delivery that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The method.
    pub option: DeliveryOption,
    /// Its price: nothing, if points pay for it.
    pub price: Money,
    /// What a rule takes off that.
    pub discount: Option<ShippingDiscount>,
    /// The points that pay for it.
    pub points: i64,
}

impl Chosen {
    /// What is to be paid for it, in money.
    ///
    /// # Errors
    /// Never, as no discount exceeds the price.
    pub fn charge(&self) -> Result<Money, MoneyError> {
        match &self.discount {
            None => Ok(self.price),
            Some(discount) => self.price.minus(discount.amount),
        }
    }
}

/// Something that was asked for and did not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unapplied {
    /// A code, a voucher or an offer.
    Offer {
        /// What was asked for.
        asked: Wanted,
        /// The voucher that was named for it.
        voucher: Option<VoucherId>,
        /// The rule, if there is one.
        rule: Option<RuleId>,
        /// Why.
        reason: Reason,
    },
    /// A voucher that is none of this member's, was used, or has ended.
    Voucher {
        /// Which.
        voucher: VoucherId,
        /// Why.
        reason: Reason,
    },
    /// Points.
    Points(OffsetRefusal),
}

impl Unapplied {
    /// Whether the buyer named it: such an order is not placed unless he has
    /// seen a quote without it.
    #[must_use]
    pub fn was_asked_for(&self) -> bool {
        !matches!(self, Self::Offer { asked: Wanted::Rule(_), .. })
    }
}

impl Quote {
    /// Its identity: a digest of everything that its buyer agrees to. None if
    /// nothing can be ordered by it.
    #[must_use]
    pub fn id(&self) -> Option<QuoteId> {
        let chosen = self.delivery.as_ref()?;
        if self.plan.is_err() || !self.closed.is_empty() || !self.is_affordable() {
            return None;
        }
        let number = |number: i64| number.to_string();
        let mut says = vec![
            self.goods.currency.code().to_owned(),
            number(self.total.minor()),
            chosen.option.method.to_string(),
            chosen.option.promise.compact(),
            number(chosen.charge().map_or(0, Money::minor)),
            number(chosen.points),
            number(self.offset.as_ref().map_or(0, |it| it.points)),
        ];
        for (line, tax) in self.goods.lines.iter().zip(self.taxes()) {
            says.push(line.good.sku.to_string());
            says.push(number(line.quantity.into()));
            says.push(number(line.good.list.minor()));
            says.push(number(line.total.minor()));
            says.push(number(tax.minor()));
        }
        let parts: Vec<&str> = says.iter().map(String::as_str).collect();
        Some(QuoteId::derive(&parts))
    }

    /// Whether the member has the points that it uses.
    #[must_use]
    pub fn is_affordable(&self) -> bool {
        self.points() <= self.spendable
    }

    /// The tax of each line.
    pub fn taxes(&self) -> impl Iterator<Item = Money> {
        let nothing = Money::zero(self.goods.currency);
        let taxed = self.tax.as_ref();
        (0..self.goods.lines.len()).map(move |line| {
            taxed.and_then(|tax| tax.lines.get(line)).map_or(nothing, |tax| tax.amount)
        })
    }

    /// The tax of the delivery.
    ///
    /// # Errors
    /// When the sum is too large.
    pub fn delivery_tax(&self) -> Result<Money, MoneyError> {
        let taxes = self.tax.iter().flat_map(|tax| &tax.shipping);
        let nothing = Money::zero(self.goods.currency);
        taxes.map(|tax| tax.amount).try_fold(nothing, Money::plus)
    }

    /// The points that it uses, for goods and delivery.
    #[must_use]
    pub fn points(&self) -> i64 {
        let for_goods = self.offset.as_ref().map_or(0, |it| it.points);
        let for_delivery = self.delivery.as_ref().map_or(0, |it| it.points);
        for_goods.saturating_add(for_delivery)
    }
}
