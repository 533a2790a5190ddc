//! Which rules could apply, by what is known without the products.

use std::cmp::Reverse;

use aftercart::model::{
    price::{
        Audience, Code, Coupon, Effect, PriceRules, Quota, QuotaScope, Rule, RuleId, WindowState,
    },
    product::Sku,
    text::Text,
    time::{Timestamp, Zone},
};

use super::{Buyer, Candidates, MAX_GIFTS, MAX_QUOTAS, Reason};

/// What is known of an order before its products are read.
pub(super) struct Known<'a> {
    pub(super) skus: Vec<&'a Sku>,
    pub(super) buyer: &'a Buyer<'a>,
    pub(super) codes: &'a [Code],
    pub(super) vouchers: &'a [RuleId],
    /// Whether the buyer's tier, segments and history are known yet; offers
    /// that ask for them count as possible until they are.
    pub(super) profile: bool,
    pub(super) now: Timestamp,
}

/// A rule that could apply.
#[derive(Debug, Clone)]
pub(super) struct Offer<'r> {
    pub(super) rule: &'r Rule,
    /// Where it counts.
    pub(super) quotas: Vec<Quota>,
}

/// The rules that the order calls upon, by priority and then by name: those
/// that need no coupon, and those whose coupon the buyer named.
pub(super) struct Scope<'r> {
    /// Those that could apply.
    pub(super) offers: Vec<Offer<'r>>,
    /// Those that cannot, and why.
    pub(super) out: Vec<(&'r Rule, Reason)>,
}

/// Sorts out the rules.
pub(super) fn scope<'r>(rules: &'r PriceRules, known: &Known<'_>) -> Scope<'r> {
    let mut scope = Scope { offers: Vec::new(), out: Vec::new() };
    let mut sorted: Vec<&Rule> = rules.rules.iter().filter(|rule| called(rule, known)).collect();
    sorted.sort_by_key(|rule| (Reverse(rule.priority), &rule.id));
    let (mut gifts, mut counted) = (0, 0);
    for rule in sorted {
        if let Some(reason) = refused(rule, known, &rules.zone) {
            scope.out.push((rule, reason));
            continue;
        }
        let quotas = quotas(rule, known, &rules.zone);
        let gift = usize::from(matches!(rule.effect, Effect::Gift(_)));
        if gifts + gift > MAX_GIFTS || counted + quotas.len() > MAX_QUOTAS {
            scope.out.push((rule, Reason::TooMany));
            continue;
        }
        gifts += gift;
        counted += quotas.len();
        scope.offers.push(Offer { rule, quotas });
    }
    scope
}

impl Scope<'_> {
    /// What has to be read for them.
    pub(super) fn candidates(&self) -> Candidates {
        let mut gifts: Vec<Sku> = Vec::new();
        for offer in &self.offers {
            match &offer.rule.effect {
                Effect::Gift(gift) if !gifts.contains(&gift.sku) => gifts.push(gift.sku.clone()),
                _ => {}
            }
        }
        let quotas = self.offers.iter().flat_map(|offer| offer.quotas.iter().cloned());
        Candidates { gifts, quotas: quotas.collect() }
    }
}

/// Whether the rule needs no coupon or the buyer named it.
fn called(rule: &Rule, known: &Known<'_>) -> bool {
    match &rule.coupon {
        None => true,
        Some(Coupon::Code(code)) => known.codes.contains(code),
        Some(Coupon::Voucher(_)) => known.vouchers.contains(&rule.id),
    }
}

fn refused(rule: &Rule, known: &Known<'_>, zone: &Zone) -> Option<Reason> {
    if !belongs(&rule.audience, known) {
        return Some(Reason::NotForBuyer);
    }
    match rule.window.at(known.now, zone) {
        WindowState::Open => {}
        WindowState::NotYet => return Some(Reason::NotYet),
        WindowState::Ended => return Some(Reason::Ended),
        WindowState::Closed => return Some(Reason::Closed),
    }
    let there = |sku: &Sku| known.skus.contains(&sku);
    match &rule.effect {
        Effect::Price(price) if !price.units.keys().any(there) => Some(Reason::NotForGoods),
        Effect::Bundle(bundle) if !bundle.items.iter().all(|item| there(&item.sku)) => {
            Some(Reason::NotForGoods)
        }
        _ if !known.skus.iter().any(|sku| rule.goods.may_cover(sku)) => Some(Reason::NotForGoods),
        _ => None,
    }
}

fn belongs(audience: &Audience, known: &Known<'_>) -> bool {
    let buyer = known.buyer;
    let among = |list: &[Text<40>], name: &str| list.iter().any(|entry| entry.as_str() == name);
    let (tiers, segments, channels) = (&audience.tiers, &audience.segments, &audience.channels);
    (!audience.members_only || buyer.member)
        && (channels.is_empty() || buyer.channel.is_some_and(|name| among(channels, name)))
        && (!known.profile
            || (!audience.first_order || buyer.first_order)
                && (tiers.is_empty()
                    || buyer.member && buyer.tier.is_some_and(|tier| among(tiers, tier)))
                && (segments.is_empty()
                    || buyer.segments.iter().any(|name| segments.contains(name))))
}

fn quotas(rule: &Rule, known: &Known<'_>, zone: &Zone) -> Vec<Quota> {
    let (limits, today) = (&rule.limits, known.now.date_in(zone));
    let customer = || known.buyer.customer.to_owned();
    [
        (limits.total, QuotaScope::Total, limits.shards),
        (limits.per_day, QuotaScope::Day(today), limits.shards),
        (limits.per_customer, QuotaScope::Customer(customer()), 1),
        (limits.per_customer_per_day, QuotaScope::CustomerDay(customer(), today), 1),
    ]
    .into_iter()
    .filter_map(|(cap, scope, shards)| {
        cap.map(|cap| Quota { rule: rule.id.clone(), scope, cap, shards })
    })
    .collect()
}
