//! May this attempt to pay be started, and what is it?

use std::fmt::Write as _;

use aftercart::{
    model::{
        digest,
        id::{OrderId, PaymentId},
        money::Money,
        order::Order,
        paying::MethodPolicy,
        payment::{Attempt, Flow, Instalments, Method, Provider},
        text::Text,
        time::{Period, Timestamp},
    },
    run::links::RateQuote,
};

use super::methods::{self, Misfit, Shop, Unpayable, Way};
use crate::providers;

/// How long after its start a provider is asked how an attempt stands, if it
/// reported nothing: most buyers are done by then, and most reports come
/// within seconds.
pub const ASK_AFTER: Period = Period::of_seconds(300);

/// An attempt that somebody wants to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starting {
    /// Derived from the order and the idempotency key.
    pub id: PaymentId,
    /// With what; whatever fits first, if it is left out.
    pub method: Option<Method>,
    /// With whom; whoever fits first, if it is left out.
    pub provider: Option<Provider>,
    /// How the buyer gets there; the usual way, if it is left out.
    pub flow: Option<Flow>,
    /// In how many parts.
    pub instalments: Option<u8>,
    /// Who pays.
    pub payer: Option<Text<128>>,
    /// A digest of the request.
    pub request: String,
}

/// Why an attempt is not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The order cannot be paid at all.
    Order(Unpayable),
    /// The rate was quoted for another order, or for another amount than is due.
    Quote,
    /// The shop offers no such way to pay, to anybody.
    Unknown,
    /// It offers it, and not for this.
    Misfit {
        /// With what it would be paid.
        method: Method,
        /// With whom.
        provider: Provider,
        /// Why not.
        why: Misfit,
    },
}

/// The identity of the attempt that is started for an order under a key.
#[must_use]
pub fn identity(order: &OrderId, key: &str) -> PaymentId {
    PaymentId::derive(&[order.as_str(), key])
}

/// The digest that tells a repeated request from another one.
#[must_use]
pub fn request_digest(canonical_body: &[u8]) -> String {
    digest::short(&[canonical_body])
}

/// The attempt that is started, over the whole total of the order or over what
/// was quoted for it: in the first way of the policy that fits what is asked.
///
/// # Errors
/// [`Refusal`]: that of the way which comes closest to a fit, if none does.
pub fn decide(
    starting: &Starting,
    order: &Order,
    quote: Option<&RateQuote>,
    shop: &Shop<'_>,
) -> Result<Attempt, Refusal> {
    methods::payable(order, shop.now).map_err(Refusal::Order)?;
    let amount = match quote {
        Some(quote) if quote.order != order.id || quote.settles != order.total => {
            return Err(Refusal::Quote);
        }
        Some(quote) => quote.charge,
        None => order.total,
    };
    let mut closest: Option<Refusal> = None;
    for method in asked_for(starting, shop) {
        match chosen(starting, order, shop, method, amount) {
            Ok(choice) => return Ok(attempt(starting, order, (method, choice), amount, shop.now)),
            Err(why) => {
                let (method, provider) = (method.method, method.provider);
                closest = Some(closer(closest, Refusal::Misfit { method, provider, why }));
            }
        }
    }
    Err(closest.unwrap_or(Refusal::Unknown))
}

/// The ways of the policy that have the method and provider asked for.
fn asked_for<'a>(
    starting: &Starting,
    shop: &Shop<'a>,
) -> impl Iterator<Item = &'a MethodPolicy> + use<'a> {
    let (method, provider) = (starting.method, starting.provider);
    shop.policy.methods.iter().filter(move |it| {
        method.is_none_or(|method| method == it.method)
            && provider.is_none_or(|provider| provider == it.provider)
    })
}

/// The one of two refusals that is closer to a fit, the first of equals.
fn closer(known: Option<Refusal>, new: Refusal) -> Refusal {
    match (known, &new) {
        (Some(Refusal::Misfit { method, provider, why }), Refusal::Misfit { why: other, .. })
            if why >= *other =>
        {
            Refusal::Misfit { method, provider, why }
        }
        _ => new,
    }
}

/// How the buyer gets there, and in which parts it is paid.
type Choice = (Flow, Option<Instalments>);

fn chosen(
    starting: &Starting,
    order: &Order,
    shop: &Shop<'_>,
    method: &MethodPolicy,
    amount: Money,
) -> Result<Choice, Misfit> {
    let way = methods::way(shop, method, amount, &order.address.country)?;
    let flow = flow(starting, &way)?;
    let instalments = match starting.instalments {
        None => None,
        Some(months) => Some(parts(months, &way)?),
    };
    if flow == Flow::MiniProgram && starting.payer.is_none() {
        return Err(Misfit::Payer);
    }
    match methods::shut_until(shop, method.provider) {
        Some(until) => Err(Misfit::Shut(until)),
        None => Ok((flow, instalments)),
    }
}

fn flow(starting: &Starting, way: &Way) -> Result<Flow, Misfit> {
    let wanted = starting.flow.or(way.flows.first().copied());
    let flow = wanted.filter(|flow| way.flows.contains(flow));
    flow.ok_or_else(|| Misfit::Flow(way.flows.clone()))
}

fn parts(months: u8, way: &Way) -> Result<Instalments, Misfit> {
    let found = way.instalments.iter().find(|it| it.months == months).copied();
    let all = || way.instalments.iter().map(|it| it.months).collect();
    found.ok_or_else(|| Misfit::Instalments(all()))
}

fn attempt(
    starting: &Starting,
    order: &Order,
    (method, (flow, instalments)): (&MethodPolicy, Choice),
    amount: Money,
    now: Timestamp,
) -> Attempt {
    let asks = providers::of(method.provider).answers_queries();
    Attempt {
        id: starting.id.clone(),
        order: order.id.clone(),
        customer: order.customer.clone(),
        provider: method.provider,
        method: method.method,
        flow,
        amount,
        settles: order.total,
        instalments,
        payer: starting.payer.clone(),
        verify: order.risk.as_ref().is_some_and(|risk| risk.challenge),
        at: now,
        request: starting.request.clone(),
        ask_at: asks.then(|| now.plus(ASK_AFTER)),
        asked: 0,
    }
}

/// What the buyer is told of a refused way, with the ways that there are
/// instead.
#[must_use]
pub fn told(refusal: &Refusal, instead: &[(Method, Provider)]) -> String {
    let mut text = match refusal {
        Refusal::Order(why) => return why.to_string(),
        Refusal::Quote => {
            return "This rate was quoted for another order, or the order's total is another one \
                    now. Read the order's payment methods again."
                .to_owned();
        }
        Refusal::Unknown => "The shop takes no such payments.".to_owned(),
        Refusal::Misfit { method, provider, why } => misfit(*method, *provider, why),
    };
    let names: Vec<String> =
        instead.iter().map(|(method, provider)| format!("{method} with {provider}")).collect();
    // Writing to a text cannot fail.
    match names.as_slice() {
        [] => text.push_str(" There is no other way to pay this order at the moment."),
        names => write!(text, " The order can be paid by: {}.", names.join(", ")).unwrap_or(()),
    }
    text
}

fn misfit(method: Method, provider: Provider, why: &Misfit) -> String {
    match why {
        Misfit::NotSetUp => {
            format!("The shop takes no payments by {method} with {provider} at the moment.")
        }
        Misfit::Country => {
            format!("Orders that go to this country cannot be paid by {method} with {provider}.")
        }
        Misfit::Currency => format!(
            "The order's currency cannot be paid by {method} with {provider}; to pay in another \
             one, send a rate_quote of the order's payment methods."
        ),
        Misfit::Amount => {
            format!("This amount cannot be paid by {method} with {provider}.")
        }
        Misfit::Flow(flows) => {
            let flows: Vec<&str> = flows.iter().map(|flow| flow.as_str()).collect();
            format!("With {provider}, {method} goes by: {}.", flows.join(", "))
        }
        Misfit::Instalments(months) if months.is_empty() => {
            format!("By {method} with {provider} this amount cannot be paid in parts.")
        }
        Misfit::Instalments(months) => {
            let months: Vec<String> = months.iter().map(u8::to_string).collect();
            let months = months.join(", ");
            format!("By {method} with {provider} it can be paid in so many parts: {months}.")
        }
        Misfit::Payer => format!("For a mini programme {provider} wants to be told who pays."),
        Misfit::Shut(until) => format!(
            "The payment provider {provider} does not answer; it is tried again at {until}. \
             Nothing was charged."
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use aftercart::model::{
        exchange::Rate,
        order::OrderStatus,
        paying::{Breaker, InstalmentsPolicy, PaymentsPolicy},
        policy::Policy,
    };

    use super::*;
    use crate::rules::fixtures::{currency, money, now, order};

    fn starting(method: Option<Method>, provider: Option<Provider>) -> Starting {
        Starting {
            id: identity(&OrderId::derive(&["1"]), "key"),
            method,
            provider,
            flow: None,
            instalments: None,
            payer: None,
            request: "r".to_owned(),
        }
    }

    fn with(provider: Provider) -> Starting {
        starting(None, Some(provider))
    }

    /// A shop whose sandbox takes parts, in pounds.
    fn policy() -> PaymentsPolicy {
        let mut policy = Policy::default_document().unwrap().payments;
        policy.methods = vec![
            MethodPolicy::plain(Method::Card, Provider::Stripe),
            MethodPolicy {
                instalments: Some(InstalmentsPolicy {
                    months: vec![3, 6, 36],
                    least: BTreeMap::from([(currency("GBP"), 1_000)]),
                    interest_free: BTreeMap::from([(currency("GBP"), 2_000)]),
                }),
                countries: vec!["GB".to_owned().try_into().unwrap()],
                currencies: vec![currency("GBP"), currency("KWD")],
                ..MethodPolicy::plain(Method::Test, Provider::Sandbox)
            },
        ];
        policy
    }

    struct Facts {
        policy: PaymentsPolicy,
        verifiable: BTreeSet<Provider>,
        breakers: BTreeMap<Provider, Breaker>,
        now: Timestamp,
    }

    impl Facts {
        fn usual() -> Self {
            let verifiable = BTreeSet::from([Provider::Stripe, Provider::Sandbox]);
            Self { policy: policy(), verifiable, breakers: BTreeMap::new(), now: now() }
        }

        fn decide(&self, starting: &Starting, order: &Order) -> Result<Attempt, Refusal> {
            self.at(starting, order, None)
        }

        fn at(
            &self,
            starting: &Starting,
            order: &Order,
            quote: Option<&RateQuote>,
        ) -> Result<Attempt, Refusal> {
            let Self { policy, verifiable, breakers, now } = self;
            let shop = Shop { policy, verifiable, breakers, now: *now };
            decide(starting, order, quote, &shop)
        }

        /// Why it does not fit.
        fn misfit(&self, starting: &Starting, order: &Order) -> Misfit {
            match self.decide(starting, order) {
                Err(Refusal::Misfit { why, .. }) => why,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_attempt_is_over_the_whole_total_in_the_first_way_that_fits() {
        let facts = Facts::usual();
        let order = order(OrderStatus::Placed, 2_500, "GBP");
        let attempt = facts.decide(&starting(None, None), &order).unwrap();
        assert_eq!((attempt.amount, attempt.settles), (order.total, order.total));
        assert_eq!((attempt.method, attempt.provider), (Method::Card, Provider::Stripe));
        assert_eq!((attempt.flow, attempt.instalments), (Flow::Embedded, None));
        assert_eq!((attempt.order, attempt.at), (order.id.clone(), now()));
        let play = facts.decide(&with(Provider::Sandbox), &order).unwrap();
        assert_eq!((play.method, play.provider), (Method::Test, Provider::Sandbox));
        assert_eq!(play.ask_at, None, "the sandbox answers no queries");
        for asked in [starting(Some(Method::Test), None), with(Provider::Sandbox)] {
            assert_eq!(facts.decide(&asked, &order).unwrap(), play);
        }
    }

    #[test]
    fn a_provider_that_answers_is_asked_after_five_minutes() {
        let order = order(OrderStatus::Placed, 2_500, "GBP");
        let attempt = Facts::usual().decide(&with(Provider::Stripe), &order).unwrap();
        assert_eq!((attempt.ask_at, attempt.asked), (Some(now().plus(ASK_AFTER)), 0));
    }

    #[test]
    fn an_order_that_cannot_be_paid_starts_nothing() {
        let late = now().plus(Period::of_seconds(60));
        for (status, total, at, why) in [
            (OrderStatus::Paid, 0, now(), Unpayable::NothingDue),
            (OrderStatus::Paid, 1, now(), Unpayable::Paid),
            (OrderStatus::Cancelled, 1, now(), Unpayable::Cancelled),
            (OrderStatus::Expired, 1, now(), Unpayable::Expired),
            (OrderStatus::Placed, 1, late, Unpayable::HoldOver(late)),
        ] {
            let facts = Facts { now: at, ..Facts::usual() };
            let refusal = facts.decide(&with(Provider::Sandbox), &order(status, total, "EUR"));
            assert_eq!(refusal, Err(Refusal::Order(why)));
        }
    }

    #[test]
    fn every_misfit_is_told_apart() {
        let facts = Facts::usual();
        let pounds = order(OrderStatus::Placed, 2_500, "GBP");
        for unknown in [
            with(Provider::Adyen),
            starting(Some(Method::Huabei), None),
            starting(Some(Method::Card), Some(Provider::Sandbox)),
        ] {
            assert_eq!(facts.decide(&unknown, &pounds), Err(Refusal::Unknown));
        }
        let sandbox = || with(Provider::Sandbox);
        let unset = Facts { verifiable: BTreeSet::new(), ..Facts::usual() };
        assert_eq!(unset.misfit(&starting(None, None), &pounds), Misfit::NotSetUp);
        let mut abroad = pounds.clone();
        abroad.address.country = "FR".to_owned().try_into().unwrap();
        assert_eq!(facts.misfit(&sandbox(), &abroad), Misfit::Country);
        let yen = order(OrderStatus::Placed, 2_500, "JPY");
        assert_eq!(facts.misfit(&sandbox(), &yen), Misfit::Currency);
        let dinars = order(OrderStatus::Placed, 1_255, "KWD");
        assert_eq!(facts.misfit(&with(Provider::Stripe), &dinars), Misfit::Amount);
        let qr = Starting { flow: Some(Flow::Qr), ..sandbox() };
        assert_eq!(facts.misfit(&qr, &pounds), Misfit::Flow(vec![Flow::Embedded]));
        let parts = |months| Starting { instalments: Some(months), ..sandbox() };
        assert_eq!(facts.misfit(&parts(12), &pounds), Misfit::Instalments(vec![3, 6]));
        let little = order(OrderStatus::Placed, 999, "GBP");
        assert_eq!(facts.misfit(&parts(3), &little), Misfit::Instalments(vec![]));
        let until = now().plus(Period::of_seconds(9));
        let open = Breaker { open_until: Some(until), ..Breaker::default() };
        let breakers = BTreeMap::from([(Provider::Sandbox, open)]);
        let shut = Facts { breakers, ..Facts::usual() };
        assert_eq!(shut.misfit(&sandbox(), &pounds), Misfit::Shut(until));
    }

    #[test]
    fn another_way_of_the_policy_is_taken_when_the_first_does_not_fit_or_answer() {
        let until = now().plus(Period::of_seconds(9));
        let open = Breaker { open_until: Some(until), ..Breaker::default() };
        let breakers = BTreeMap::from([(Provider::Stripe, open)]);
        let shut = Facts { breakers, ..Facts::usual() };
        let pounds = order(OrderStatus::Placed, 2_500, "GBP");
        let any = starting(None, None);
        assert_eq!(shut.decide(&any, &pounds).unwrap().provider, Provider::Sandbox);
        let dinars = order(OrderStatus::Placed, 1_255, "KWD");
        let provider = Facts::usual().decide(&any, &dinars).unwrap().provider;
        assert_eq!(provider, Provider::Sandbox);
        // Neither fits: the one that only does not answer is closer.
        let parts = Starting { instalments: Some(12), ..any };
        let refusal = Facts::usual().decide(&parts, &pounds).unwrap_err();
        let why = Misfit::Instalments(vec![]);
        let (method, provider) = (Method::Card, Provider::Stripe);
        assert!(refusal != Refusal::Misfit { method, provider, why }, "{refusal:?}");
    }

    #[test]
    fn parts_are_free_of_interest_from_the_policys_amount_on() {
        let facts = Facts::usual();
        for (total, interest_free) in [(1_999, false), (2_000, true)] {
            let order = order(OrderStatus::Placed, total, "GBP");
            let asked = Starting { instalments: Some(3), ..with(Provider::Sandbox) };
            let attempt = facts.decide(&asked, &order).unwrap();
            assert_eq!(attempt.instalments, Some(Instalments { months: 3, interest_free }));
        }
    }

    #[test]
    fn a_quote_is_charged_exactly_and_for_its_order_only() {
        let facts = Facts::usual();
        let order = order(OrderStatus::Placed, 2_500, "GBP");
        let quote = RateQuote {
            order: order.id.clone(),
            settles: order.total,
            charge: money(2_957, "EUR"),
            rate: Rate::parse("1.165").unwrap(),
        };
        let asked = with(Provider::Stripe);
        let attempt = facts.at(&asked, &order, Some(&quote)).unwrap();
        assert_eq!((attempt.amount, attempt.settles), (quote.charge, order.total));
        for wrong in [
            RateQuote { order: OrderId::derive(&["2"]), ..quote.clone() },
            RateQuote { settles: money(2_499, "GBP"), ..quote.clone() },
            RateQuote { settles: money(2_500, "EUR"), ..quote.clone() },
        ] {
            assert_eq!(facts.at(&asked, &order, Some(&wrong)), Err(Refusal::Quote));
        }
        let elsewhere = facts.at(&with(Provider::Sandbox), &order, Some(&quote));
        assert!(matches!(elsewhere, Err(Refusal::Misfit { why: Misfit::Currency, .. })));
    }

    #[test]
    fn what_is_refused_names_what_there_is_instead() {
        let why = Misfit::Instalments(vec![3, 6]);
        let (method, provider) = (Method::Test, Provider::Sandbox);
        let refusal = Refusal::Misfit { method, provider, why };
        assert_eq!(
            told(&refusal, &[(Method::Card, Provider::Stripe)]),
            "By test with sandbox it can be paid in so many parts: 3, 6. The order can be paid by: \
             card with stripe."
        );
        assert_eq!(
            told(&Refusal::Unknown, &[]),
            "The shop takes no such payments. There is no other way to pay this order at the \
             moment."
        );
    }
}
