//! May this attempt to pay be started, and what is it?

use aftercart::model::{
    digest,
    id::{OrderId, PaymentId},
    order::{Order, OrderStatus},
    payment::{Attempt, Provider},
    policy::Policy,
    time::Timestamp,
};

use super::stripe_amount;

/// An attempt that somebody wants to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Starting {
    /// Derived from the order and the idempotency key.
    pub id: PaymentId,
    /// With whom.
    pub provider: Provider,
    /// A digest of the request.
    pub request: String,
}

/// Why an attempt is not started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The order costs nothing.
    #[error("Nothing is due for this order.")]
    NothingDue,
    /// The order is paid.
    #[error("This order is paid already.")]
    Paid,
    /// The order was cancelled or has expired.
    #[error("This order {}; place a new one.", ending(.0))]
    Ended(OrderStatus),
    /// The order waits to expire.
    #[error("The time to pay this order ended at {0}; place a new one.")]
    HoldOver(Timestamp),
    /// The merchant does not take payments with this provider.
    #[error("The shop takes no payments with {provider}; it takes: {}.", names(.enabled))]
    ProviderOff {
        /// With whom the buyer wants to pay.
        provider: Provider,
        /// With whom the buyer may.
        enabled: Vec<Provider>,
    },
    /// The provider cannot take this amount.
    #[error("This amount cannot be paid with {0}; choose another way to pay.")]
    Amount(Provider),
}

fn ending(status: &OrderStatus) -> &'static str {
    if *status == OrderStatus::Cancelled { "was cancelled" } else { "was not paid in time" }
}

fn names(providers: &[Provider]) -> String {
    providers.iter().map(|provider| provider.as_str()).collect::<Vec<_>>().join(", ")
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

/// The attempt that is started: over the whole total of the order.
///
/// # Errors
/// [`Refusal`].
pub fn decide(
    starting: &Starting,
    order: &Order,
    policy: &Policy,
    now: Timestamp,
) -> Result<Attempt, Refusal> {
    if order.total.minor() <= 0 {
        return Err(Refusal::NothingDue);
    }
    match order.status {
        OrderStatus::Paid => return Err(Refusal::Paid),
        OrderStatus::Cancelled | OrderStatus::Expired => return Err(Refusal::Ended(order.status)),
        OrderStatus::Placed if order.hold_until <= now => {
            return Err(Refusal::HoldOver(order.hold_until));
        }
        OrderStatus::Placed => {}
    }
    let enabled = &policy.payments.providers;
    if !enabled.contains(&starting.provider) {
        let (provider, enabled) = (starting.provider, enabled.clone());
        return Err(Refusal::ProviderOff { provider, enabled });
    }
    let takes = match starting.provider {
        Provider::Stripe => stripe_amount::to_stripe(order.total).is_ok(),
        Provider::Sandbox => true,
    };
    if !takes {
        return Err(Refusal::Amount(starting.provider));
    }
    Ok(Attempt {
        id: starting.id.clone(),
        order: order.id.clone(),
        customer: order.customer.clone(),
        provider: starting.provider,
        amount: order.total,
        verify: order.risk.as_ref().is_some_and(|risk| risk.challenge),
        at: now,
        request: starting.request.clone(),
    })
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        delivery::{MethodId, Promise},
        money::{Currency, Money},
        order::OrderDelivery,
        time::Period,
    };

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn starting(provider: Provider) -> Starting {
        let id = identity(&OrderId::derive(&["1"]), "key");
        Starting { id, provider, request: "r".to_owned() }
    }

    fn order(status: OrderStatus, total: i64, currency: &str) -> Order {
        let free = Money::zero(Currency::parse(currency).unwrap());
        Order {
            id: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            placed_at: now(),
            status,
            lines: Vec::new(),
            discounts: Vec::new(),
            delivery: OrderDelivery {
                method: MethodId::parse("standard").unwrap(),
                price: free,
                discount: free,
                tax: free,
                points: 0,
                promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
            },
            tax_included: true,
            points: None,
            quotas: Vec::new(),
            vouchers: Vec::new(),
            cart: None,
            channel: None,
            device: None,
            card: None,
            risk: None,
            held_at: None,
            history: Vec::new(),
            total: Money::new(total, Currency::parse(currency).unwrap()).unwrap(),
            address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
                .unwrap(),
            contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
            hold_until: now().plus(Period::of_seconds(60)),
            expires_at: None,
            payments: Vec::new(),
            paid_at: None,
            refunds_due: Vec::new(),
            request: "r".to_owned(),
            policy: "p".to_owned(),
        }
    }

    fn decided(order: &Order, provider: Provider, at: Timestamp) -> Result<Attempt, Refusal> {
        decide(&starting(provider), order, &Policy::default_document().unwrap(), at)
    }

    #[test]
    fn an_attempt_is_over_the_whole_total() {
        let order = order(OrderStatus::Placed, 2500, "GBP");
        let attempt = decided(&order, Provider::Stripe, now()).unwrap();
        assert_eq!((attempt.amount, attempt.order), (order.total, order.id));
        assert_eq!(attempt.at, now());
    }

    #[test]
    fn an_order_that_cannot_be_paid_starts_nothing() {
        let late = now().plus(Period::of_seconds(60));
        for (status, total, at, refusal) in [
            (OrderStatus::Paid, 0, now(), Refusal::NothingDue),
            (OrderStatus::Paid, 1, now(), Refusal::Paid),
            (OrderStatus::Cancelled, 1, now(), Refusal::Ended(OrderStatus::Cancelled)),
            (OrderStatus::Expired, 1, now(), Refusal::Ended(OrderStatus::Expired)),
            (OrderStatus::Placed, 1, late, Refusal::HoldOver(late)),
        ] {
            let order = order(status, total, "EUR");
            assert_eq!(decided(&order, Provider::Sandbox, at), Err(refusal));
        }
    }

    #[test]
    fn a_provider_takes_what_it_can_and_the_policy_says() {
        let fine = order(OrderStatus::Placed, 1_255, "KWD");
        assert_eq!(decided(&fine, Provider::Stripe, now()), Err(Refusal::Amount(Provider::Stripe)));
        assert!(decided(&fine, Provider::Sandbox, now()).is_ok());
        let mut policy = Policy::default_document().unwrap();
        policy.payments.providers = vec![Provider::Stripe];
        let refusal = decide(&starting(Provider::Sandbox), &fine, &policy, now()).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "The shop takes no payments with sandbox; it takes: stripe."
        );
    }
}
