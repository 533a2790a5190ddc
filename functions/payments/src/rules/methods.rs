//! In which ways an order may be paid.
//!
//! The shop's policy lists ways to pay: a method of a provider, with the
//! currencies, countries and amounts that the shop wants it for. An order is
//! offered those, in the policy's order, that the provider can do, too, for
//! its total or for what its total costs in another currency.
//!
//! One of them is recommended, of those whose provider answers at the moment:
//! one that the policy names for the order's country comes before one that it
//! names for the order's currency, that before one that takes the order's own
//! currency without naming it, and that before the others; among equals the
//! first in the policy's order.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    customer::Country,
    exchange::Quoted,
    money::Money,
    order::{Order, OrderStatus},
    paying::{Breaker, MethodPolicy, PaymentsPolicy},
    payment::{Flow, Instalments, Method, Provider},
    time::Timestamp,
};

use super::breaker::{self, Gate};
use crate::providers::{self, Capability};

/// What the shop can do at the moment, whatever the order.
#[derive(Debug, Clone, Copy)]
pub struct Shop<'a> {
    /// What the merchant wants.
    pub policy: &'a PaymentsPolicy,
    /// The providers whose reports can be verified. With others the buyer's
    /// money would never be heard of.
    pub verifiable: &'a BTreeSet<Provider>,
    /// How the calls to providers went of late.
    pub breakers: &'a BTreeMap<Provider, Breaker>,
    /// The present moment.
    pub now: Timestamp,
}

/// Why an order cannot be paid at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    /// The order costs nothing.
    #[error("Nothing is due for this order.")]
    NothingDue,
    /// The order is paid.
    #[error("This order is paid already.")]
    Paid,
    /// The order was cancelled.
    #[error("This order was cancelled; place a new one.")]
    Cancelled,
    /// The order has expired.
    #[error("This order was not paid in time; place a new one.")]
    Expired,
    /// The order waits to expire.
    #[error("The time to pay this order ended at {0}; place a new one.")]
    HoldOver(Timestamp),
}

/// Why an order cannot be paid in a certain way. The later ones are closer to
/// a fit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Misfit {
    /// The shop is not set up for it: a secret or an address is missing, or
    /// the provider has no such method.
    NotSetUp,
    /// Not for orders that go there.
    Country,
    /// Not in this currency.
    Currency,
    /// Not over this amount.
    Amount,
    /// The buyer gets there only in one of these ways.
    Flow(Vec<Flow>),
    /// It can be paid in so many parts only; not in parts, if there are none.
    Instalments(Vec<u8>),
    /// The provider wants to be told who pays.
    Payer,
    /// The provider does not answer; nobody asks it before this moment.
    Shut(Timestamp),
}

/// A way to pay an amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// How the buyer may get there, the usual one first.
    pub flows: Vec<Flow>,
    /// In which parts it may be paid.
    pub instalments: Vec<Instalments>,
    /// Whether a lender pays the shop and the buyer pays later.
    pub pay_later: bool,
}

/// A way to pay an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// With what.
    pub method: Method,
    /// With whom.
    pub provider: Provider,
    /// How the buyer may get there, the usual one first.
    pub flows: Vec<Flow>,
    /// Whether a lender pays the shop and the buyer pays later.
    pub pay_later: bool,
    /// In which parts the total may be paid in its own currency; None if it
    /// cannot be paid in that at all.
    pub own: Option<Vec<Instalments>>,
    /// In which other currencies it may be paid, and in which parts then.
    pub others: Vec<(Quoted, Vec<Instalments>)>,
    /// When its provider is asked again, if it does not answer at the moment.
    pub shut_until: Option<Timestamp>,
    /// Whether it is the one to be shown first.
    pub recommended: bool,
}

/// Whether an order can be paid now.
///
/// # Errors
/// [`Unpayable`].
pub fn payable(order: &Order, now: Timestamp) -> Result<(), Unpayable> {
    if order.total.minor() <= 0 {
        return Err(Unpayable::NothingDue);
    }
    match order.status {
        OrderStatus::Paid => Err(Unpayable::Paid),
        OrderStatus::Cancelled => Err(Unpayable::Cancelled),
        OrderStatus::Expired => Err(Unpayable::Expired),
        OrderStatus::Placed if order.hold_until <= now => {
            Err(Unpayable::HoldOver(order.hold_until))
        }
        OrderStatus::Placed => Ok(()),
    }
}

/// Whether a method of the policy takes an amount of an order that goes to the
/// country, and how.
///
/// # Errors
/// [`Misfit`].
pub fn way(
    shop: &Shop<'_>,
    method: &MethodPolicy,
    amount: Money,
    country: &Country,
) -> Result<Way, Misfit> {
    let code = providers::of(method.provider);
    let known = code.capabilities().iter().find(|it| it.method == method.method);
    let capability = known.filter(|_| shop.verifiable.contains(&method.provider));
    let capability = capability.ok_or(Misfit::NotSetUp)?;
    // A page of the provider's sends the buyer back, so it has to be told where.
    let may = |flow: &Flow| shop.policy.return_url.is_some() || !code.needs_return(*flow);
    let flows: Vec<Flow> = capability.flows.iter().copied().filter(may).collect();
    if flows.is_empty() {
        return Err(Misfit::NotSetUp);
    }
    if !method.countries.is_empty() && !method.countries.contains(country) {
        return Err(Misfit::Country);
    }
    let currency = amount.currency();
    let shops = method.currencies.is_empty() || method.currencies.contains(&currency);
    let providers =
        capability.currencies.is_empty() || capability.currencies.contains(&currency.code());
    if !shops || !providers {
        return Err(Misfit::Currency);
    }
    if !method.fits(amount, country) || code.takes(method.method, amount).is_err() {
        return Err(Misfit::Amount);
    }
    let instalments = instalments(method, capability, amount);
    Ok(Way { flows, instalments, pay_later: capability.pay_later })
}

fn instalments(method: &MethodPolicy, can: &Capability, amount: Money) -> Vec<Instalments> {
    let Some(policy) = &method.instalments else { return Vec::new() };
    let offered = |months: &u8| {
        let interest_free = policy.of(amount, *months)?;
        can.instalments.contains(months).then_some(Instalments { months: *months, interest_free })
    };
    policy.months.iter().filter_map(offered).collect()
}

/// The parts of an amount: the first, which bears what does not divide, and
/// each of the others. What a lender takes from the buyer comes on top.
#[must_use]
pub fn parts(amount: Money, months: u8) -> (Money, Money) {
    let whole = amount.minor();
    let other = whole.checked_div(i64::from(months)).unwrap_or(whole);
    let others = other.saturating_mul(i64::from(months.saturating_sub(1)));
    // A part is no larger than the whole.
    let part = |minor| Money::new(minor, amount.currency()).unwrap_or(amount);
    (part(whole.saturating_sub(others)), part(other))
}

/// When a provider is asked again that does not answer at the moment.
#[must_use]
pub fn shut_until(shop: &Shop<'_>, provider: Provider) -> Option<Timestamp> {
    match breaker::gate(shop.breakers.get(&provider)?, shop.now) {
        Gate::Shut(until) => Some(until),
        Gate::Pass | Gate::Probe(_) => None,
    }
}

/// All ways to pay an order, in the policy's order, with its total in other
/// currencies as quoted.
#[must_use]
pub fn offers(shop: &Shop<'_>, order: &Order, quotes: &[Quoted]) -> Vec<Offer> {
    let country = &order.address.country;
    let offer = |method: &MethodPolicy| {
        let own = way(shop, method, order.total, country).ok();
        let other = |quote: &Quoted| {
            let way = way(shop, method, quote.charge, country).ok()?;
            Some((*quote, way))
        };
        let others: Vec<(Quoted, Way)> = quotes.iter().filter_map(other).collect();
        let any = own.as_ref().or(others.first().map(|(_, way)| way))?;
        let (flows, pay_later) = (any.flows.clone(), any.pay_later);
        let (country, currency) =
            (!method.countries.is_empty(), method.currencies.contains(&order.total.currency()));
        let rank = (country, currency && own.is_some(), own.is_some());
        let offer = Offer {
            method: method.method,
            provider: method.provider,
            flows,
            pay_later,
            own: own.map(|way| way.instalments),
            others: others.into_iter().map(|(quote, way)| (quote, way.instalments)).collect(),
            shut_until: shut_until(shop, method.provider),
            recommended: false,
        };
        Some((rank, offer))
    };
    let mut ranked: Vec<_> = shop.policy.methods.iter().filter_map(offer).collect();
    let best = ranked.iter().filter(|(_, it)| it.shut_until.is_none()).map(|(rank, _)| *rank).max();
    let open = |(rank, it): &&mut (_, Offer)| Some(*rank) == best && it.shut_until.is_none();
    if let Some((_, first)) = ranked.iter_mut().find(open) {
        first.recommended = true;
    }
    ranked.into_iter().map(|(_, offer)| offer).collect()
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        exchange::Rate, paying::InstalmentsPolicy, policy::Policy, time::Period,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fixtures::{currency, money, now, order};

    /// A way of the policy: for which countries and currencies.
    fn plain(method: Method, provider: Provider, only: &str, codes: &[&str]) -> MethodPolicy {
        let countries = only.split_whitespace();
        MethodPolicy {
            countries: countries.map(|it| it.to_owned().try_into().unwrap()).collect(),
            currencies: codes.iter().map(|code| currency(code)).collect(),
            ..MethodPolicy::plain(method, provider)
        }
    }

    fn policy(methods: Vec<MethodPolicy>) -> PaymentsPolicy {
        PaymentsPolicy { methods, ..Policy::default_document().unwrap().payments }
    }

    fn shut(seconds: u32) -> Breaker {
        let open_until = Some(now().plus(Period::of_seconds(seconds)));
        Breaker { open_until, ..Breaker::default() }
    }

    /// The offers for 25.00 GBP to Britain, with euros quoted.
    fn offered(policy: &PaymentsPolicy, silent: &[Provider]) -> Vec<Offer> {
        let verifiable = BTreeSet::from([Provider::Stripe, Provider::Sandbox]);
        let breakers = silent.iter().map(|provider| (*provider, shut(9))).collect();
        let shop = Shop { policy, verifiable: &verifiable, breakers: &breakers, now: now() };
        let quote = Quoted {
            charge: money(2_913, "EUR"),
            rate: Rate::parse("1.165").unwrap(),
            rate_at: now(),
            margin_bp: 0,
            until: now().plus(Period::of_seconds(60)),
        };
        offers(&shop, &order(OrderStatus::Placed, 2_500, "GBP"), &[quote])
    }

    const CARD: (Method, Provider) = (Method::Card, Provider::Stripe);
    const TEST: (Method, Provider) = (Method::Test, Provider::Sandbox);

    #[test]
    fn one_way_is_recommended() {
        let way = |(method, provider): (Method, Provider), only, codes: &[&str]| {
            plain(method, provider, only, codes)
        };
        for (what, methods, silent, recommended) in [
            ("the first", [way(CARD, "", &[]), way(TEST, "", &[])], &[][..], Some(CARD)),
            ("that answers", [way(CARD, "", &[]), way(TEST, "", &[])], &[CARD.1], Some(TEST)),
            ("none", [way(CARD, "", &[]), way(TEST, "", &[])], &[CARD.1, TEST.1], None),
            ("the country", [way(CARD, "", &["GBP"]), way(TEST, "GB", &[])], &[], Some(TEST)),
            ("the currency", [way(CARD, "", &[]), way(TEST, "", &["GBP"])], &[], Some(TEST)),
            ("its currency", [way(CARD, "", &["EUR"]), way(TEST, "", &[])], &[], Some(TEST)),
            ("the first of equals", [way(CARD, "GB", &[]), way(TEST, "GB", &[])], &[], Some(CARD)),
            ("silence", [way(CARD, "GB", &["GBP"]), way(TEST, "", &[])], &[CARD.1], Some(TEST)),
        ] {
            let offers = offered(&policy(methods.to_vec()), silent);
            let found: Vec<_> = offers
                .iter()
                .filter(|it| it.recommended)
                .map(|it| (it.method, it.provider))
                .collect();
            assert_eq!(found, Vec::from_iter(recommended), "{what}");
            for offer in offers {
                assert_eq!(offer.shut_until.is_some(), silent.contains(&offer.provider), "{what}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_not_offered() {
        let limits = |least, most| MethodPolicy {
            least: BTreeMap::from([(currency("GBP"), least), (currency("EUR"), 1)]),
            most: BTreeMap::from([(currency("GBP"), most), (currency("EUR"), 2)]),
            ..plain(TEST.0, TEST.1, "", &[])
        };
        for (method, fits) in [
            (plain(TEST.0, TEST.1, "", &[]), true),
            (plain(TEST.0, TEST.1, "FR", &[]), false),
            (plain(TEST.0, TEST.1, "FR GB", &["GBP"]), true),
            (plain(TEST.0, TEST.1, "", &["USD"]), false),
            (limits(2_500, 2_500), true),
            (limits(2_501, 9_999), false),
            (limits(1, 2_499), false),
            // The provider has no such method, or no secret.
            (plain(Method::Ideal, TEST.1, "", &[]), false),
            (plain(Method::Card, Provider::Adyen, "", &[]), false),
        ] {
            let offers = offered(&policy(vec![method.clone()]), &[]);
            assert_eq!(!offers.is_empty(), fits, "{method:?}");
        }
    }

    #[test]
    fn an_order_may_be_paid_in_a_quoted_currency_alone() {
        let offers = offered(&policy(vec![plain(CARD.0, CARD.1, "", &["EUR"])]), &[]);
        assert_eq!(offers.len(), 1);
        assert_eq!(offers[0].own, None);
        assert_eq!(offers[0].others[0].0.charge, money(2_913, "EUR"));
        let both = offered(&policy(vec![plain(CARD.0, CARD.1, "", &[])]), &[]);
        assert_eq!((both[0].own.clone(), both[0].others.len()), (Some(Vec::new()), 1));
    }

    #[test]
    fn parts_are_offered_that_policy_and_provider_have() {
        let amounts = |minor| BTreeMap::from([(currency("GBP"), minor)]);
        let method = MethodPolicy {
            instalments: Some(InstalmentsPolicy {
                months: vec![2, 12, 3],
                least: amounts(2_500),
                interest_free: amounts(2_501),
            }),
            ..plain(TEST.0, TEST.1, "", &[])
        };
        let offers = offered(&policy(vec![method]), &[]);
        let part = |months| Instalments { months, interest_free: false };
        assert_eq!(offers[0].own, Some(vec![part(12), part(3)]));
        assert_eq!(offers[0].others[0].1, Vec::new(), "no parts in a currency without a limit");
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_amount(minor in 0..=999_999_999_999_i64, months in 2..=36_u8) {
            let (first, others) = parts(money(minor, "EUR"), months);
            let sum = first.minor() + others.minor() * i64::from(months - 1);
            prop_assert_eq!(sum, minor);
            let gap = first.minor() - others.minor();
            prop_assert!((0..i64::from(months)).contains(&gap));
        }
    }
}
