//! The working sheet of a price: what was taken off, what was refused, and how
//! both are told.

use aftercart::model::{
    money::{Money, MoneyError},
    price::{Coupon, Effect, Quota, Rule},
};

use super::{
    Applied, Asked, Kind, Line, Near, Part, PriceError, Priced, Reason, Skipped, Wanted,
    cart::{Cart, Taken},
    gift::Gift,
    scope::Offer,
    unit::Lot,
};

/// What became of a rule that the order called upon.
pub(super) struct Verdict<'a> {
    rule: &'a Rule,
    applied: bool,
    /// Why it did not apply, or not to all. Nothing of a rule that is left to
    /// the delivery.
    reason: Option<Reason>,
}

/// A discount that was given.
struct Entry<'a> {
    rule: &'a Rule,
    /// Line by line; nothing of a gift.
    taken: Option<Taken>,
}

/// The sheet.
#[derive(Default)]
pub(super) struct Sheet<'a> {
    entries: Vec<Entry<'a>>,
    verdicts: Vec<Verdict<'a>>,
    pub(super) gifts: Vec<Gift<'a>>,
    pub(super) near: Vec<Near>,
    pub(super) quotas: Vec<(Quota, u32)>,
}

impl<'a> Sheet<'a> {
    /// Notes that a rule does not apply.
    pub(super) fn refuse(&mut self, rule: &'a Rule, reason: Reason) {
        self.verdicts.push(Verdict { rule, applied: false, reason: Some(reason) });
    }

    /// Notes that a rule is left to the delivery.
    pub(super) fn leave(&mut self, rule: &'a Rule) {
        self.verdicts.push(Verdict { rule, applied: false, reason: None });
    }

    /// Notes what a rule took off, how many units that is of its limits, and
    /// why it is not more if it could have been.
    pub(super) fn enter(
        &mut self,
        offer: &Offer<'a>,
        taken: Taken,
        units: u32,
        reason: Option<Reason>,
    ) {
        self.entries.push(Entry { rule: offer.rule, taken: Some(taken) });
        self.count(offer, units, reason);
    }

    /// Notes that the gift that was put on the sheet last is given.
    pub(super) fn give(&mut self, offer: &Offer<'a>) {
        self.entries.push(Entry { rule: offer.rule, taken: None });
        self.count(offer, 1, None);
    }

    /// Counts so many units of a rule that applies.
    pub(super) fn count(&mut self, offer: &Offer<'a>, units: u32, reason: Option<Reason>) {
        self.verdicts.push(Verdict { rule: offer.rule, applied: true, reason });
        self.quotas.extend(offer.quotas.iter().map(|quota| (quota.clone(), units)));
    }

    /// The lines as they were asked for, then gifts; without discounts.
    pub(super) fn lines(
        &self,
        cart: &Cart<'a>,
        lots: &[Vec<Lot>],
        units: &[Offer<'a>],
    ) -> Result<Vec<Line>, MoneyError> {
        let mut lines: Vec<(usize, Line)> = Vec::with_capacity(cart.rows.len());
        for (row, lots) in cart.rows.iter().zip(lots) {
            let part = |lot: &Lot| -> Result<Part, MoneyError> {
                let rule = lot.rule.and_then(|rule| units.get(rule));
                let rule = rule.map(|offer| offer.rule.id.clone());
                let unit = Money::new(lot.unit, cart.currency)?;
                Ok(Part { quantity: lot.quantity, unit, rule })
            };
            let parts = lots.iter().map(part).collect::<Result<Vec<Part>, MoneyError>>()?;
            let list = row.good.list.times(row.quantity)?;
            let (good, quantity) = (row.good.clone(), row.quantity);
            let (discount, gift) = (Money::zero(cart.currency), None);
            let line = Line { good, quantity, parts, list, discount, total: list, gift };
            lines.push((row.place, line));
        }
        lines.sort_by_key(|(place, _)| *place);
        let mut lines: Vec<Line> = lines.into_iter().map(|(_, line)| line).collect();
        for Gift { rule, good, quantity } in &self.gifts {
            let list = good.list.times(*quantity)?;
            let zero = Money::zero(cart.currency);
            let gift = Some(rule.id.clone());
            let part = Part { quantity: *quantity, unit: zero, rule: gift.clone() };
            let (good, quantity, parts) = ((*good).clone(), *quantity, vec![part]);
            lines.push(Line { good, quantity, parts, list, discount: zero, total: list, gift });
        }
        Ok(lines)
    }

    /// What each rule took off lines.
    pub(super) fn applied(
        &self,
        cart: &Cart<'a>,
        lines: &[Line],
    ) -> Result<Vec<Applied>, MoneyError> {
        let money = |minor: i64| Money::new(minor, cart.currency);
        let mut applied = Vec::with_capacity(self.entries.len());
        for Entry { rule, taken } in &self.entries {
            let mut shares = vec![0_i64; lines.len()];
            let (mut cut_by_floor, mut cut_by_maximum) = (0, 0);
            if let Some(taken) = taken {
                (cut_by_floor, cut_by_maximum) = (taken.cut_by_floor, taken.cut_by_maximum);
                for (row, taken) in cart.rows.iter().zip(&taken.shares) {
                    if let Some(share) = shares.get_mut(row.place) {
                        *share = *taken;
                    }
                }
            } else {
                for (share, line) in shares.iter_mut().zip(lines) {
                    *share =
                        if line.gift.as_ref() == Some(&rule.id) { line.list.minor() } else { 0 };
                }
            }
            applied.push(Applied {
                rule: rule.id.clone(),
                title: rule.title.clone(),
                kind: kind(&rule.effect),
                coupon: rule.coupon.clone(),
                amount: money(shares.iter().sum())?,
                shares,
                cut_by_floor: money(cut_by_floor)?,
                cut_by_maximum: money(cut_by_maximum)?,
            });
        }
        Ok(applied)
    }

    /// What did not apply, or not to all: codes and vouchers as the buyer named
    /// them, then rules that need none.
    pub(super) fn skipped(&self, asked: &Asked<'_>) -> Vec<Skipped> {
        let mut skipped = self.unmet_coupons(asked);
        for Verdict { rule, applied, reason } in &self.verdicts {
            let plain = rule.coupon.is_none() || *applied;
            if let Some(reason) = reason.as_ref().filter(|reason| plain && worth_telling(reason)) {
                let (asked, rule) = (Wanted::Rule(rule.id.clone()), Some(rule.id.clone()));
                skipped.push(Skipped { asked, rule, reason: reason.clone() });
            }
        }
        skipped
    }

    /// Coupons for the delivery that did not apply. Those of which nothing is
    /// on the sheet are the goods' business, and so are those that took
    /// something off them.
    pub(super) fn unmet_at_delivery(&self, asked: &Asked<'_>, priced: &Priced) -> Vec<Skipped> {
        let mut unmet = self.unmet_coupons(asked);
        unmet.retain(|Skipped { asked, rule, .. }| {
            let taken = |applied: &Applied| match (&applied.coupon, asked) {
                (Some(Coupon::Code(taken)), Wanted::Code(asked)) => taken == asked,
                _ => false,
            };
            rule.is_some() && !priced.applied.iter().any(taken)
        });
        unmet
    }

    /// The coupons of which no rule applied, as the buyer named them.
    fn unmet_coupons(&self, asked: &Asked<'_>) -> Vec<Skipped> {
        let mut unmet = Vec::new();
        for (number, code) in asked.codes.iter().enumerate() {
            if !asked.codes.iter().take(number).any(|earlier| earlier == code) {
                let coupon = Coupon::Code(code.clone());
                let of = |rule: &Rule| rule.coupon.as_ref() == Some(&coupon);
                unmet.extend(self.unmet(Wanted::Code(code.clone()), of));
            }
        }
        for (number, voucher) in asked.vouchers.iter().enumerate() {
            if !asked.vouchers.iter().take(number).any(|earlier| earlier == voucher) {
                let of = |rule: &Rule| {
                    matches!(rule.coupon, Some(Coupon::Voucher(_))) && rule.id == *voucher
                };
                unmet.extend(self.unmet(Wanted::Voucher(voucher.clone()), of));
            }
        }
        unmet
    }

    /// Why none of the rules of a coupon applied, by the one that came
    /// farthest; nothing if one did, or may at the delivery.
    fn unmet(&self, asked: Wanted, of: impl Fn(&Rule) -> bool) -> Option<Skipped> {
        let mut farthest: Option<(&Rule, &Reason)> = None;
        for Verdict { rule, applied, reason } in self.verdicts.iter().filter(|v| of(v.rule)) {
            let reason = reason.as_ref().filter(|_| !applied)?;
            if farthest.is_none_or(|(_, so_far)| reason > so_far) {
                farthest = Some((rule, reason));
            }
        }
        let rule = farthest.map(|(rule, _)| rule.id.clone());
        let reason = farthest.map_or(Reason::Unknown, |(_, reason)| reason.clone());
        Some(Skipped { asked, rule, reason })
    }
}

/// Whether a reason is told of a rule that nobody asked for by name.
fn worth_telling(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::Units { .. }
            | Reason::UsedUp
            | Reason::UsedUpToday
            | Reason::CustomerLimit
            | Reason::CustomerLimitToday
            | Reason::GiftOut
            | Reason::NothingLeft
    )
}

/// What an effect is called.
pub(super) fn kind(effect: &Effect) -> Kind {
    match effect {
        Effect::Price(_) => Kind::Price,
        Effect::PricePercent(_) => Kind::PricePercent,
        Effect::Spend(_) => Kind::Spend,
        Effect::Percent(_) => Kind::Percent,
        Effect::Amount(_) => Kind::Amount,
        Effect::Bundle(_) => Kind::Bundle,
        Effect::BuyGet(_) => Kind::BuyGet,
        Effect::Gift(_) => Kind::Gift,
        Effect::FreeShipping(_) => Kind::FreeShipping,
        Effect::ShippingPercent(_) => Kind::ShippingPercent,
    }
}

/// Amounts beyond what is sold in one order.
pub(super) fn too_large(_: MoneyError) -> PriceError {
    PriceError::TooLarge
}
