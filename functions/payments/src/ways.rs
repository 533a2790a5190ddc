//! What starting a payment and listing the ways to pay have in common: what
//! they read, and how they refuse.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aftercart::{
    model::{
        id::PaymentId,
        order::Order,
        paying::{Breaker, PaymentsPolicy},
        payment::{Attempt, Method, Provider},
        time::Timestamp,
    },
    run::{
        App, Failure,
        http::{Buyer, Problem},
        secrets::{Credentials, Secret},
    },
    store::Key,
};

use crate::rules::methods::{self, Shop, Unpayable};

/// An order and what it may be paid by.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) order: Order,
    /// The attempt that was asked for, if there is one.
    pub(crate) attempt: Option<Attempt>,
    pub(crate) breakers: BTreeMap<Provider, Breaker>,
    pub(crate) senders: HashMap<String, Credentials>,
    pub(crate) verifiable: BTreeSet<Provider>,
    pub(crate) now: Timestamp,
}

/// Reads the order, the attempt, and how the calls to the policy's providers
/// went of late, in one round trip.
pub(crate) async fn read(
    app: &App,
    buyer: &Buyer,
    policy: &PaymentsPolicy,
    attempt: Option<&PaymentId>,
) -> Result<Known, Failure> {
    let providers: BTreeSet<Provider> = policy.methods.iter().map(|it| it.provider).collect();
    let mut keys = vec![Key::order(&buyer.customer, &buyer.order)];
    keys.extend(attempt.map(Key::attempt));
    keys.extend(providers.iter().map(|provider| Key::breaker(*provider)));
    let found = app.store.read(&keys).await?;
    let order = found.order(&buyer.customer, &buyer.order)?;
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let mut breakers = BTreeMap::new();
    for provider in &providers {
        breakers.insert(*provider, found.breaker(*provider)?);
    }
    let attempt = attempt.map(|id| found.attempt(id)).transpose()?.flatten();
    let now = app.now();
    let senders = app.secrets.senders(Secret::Payments, now).await?;
    let verifies = |it: &&Provider| {
        senders.get(it.as_str()).is_some_and(|known| !known.webhook_secrets.is_empty())
    };
    let verifiable = providers.iter().filter(verifies).copied().collect();
    Ok(Known { order, attempt, breakers, senders, verifiable, now })
}

impl Known {
    /// What the shop can do at the moment.
    pub(crate) fn shop<'a>(&'a self, policy: &'a PaymentsPolicy) -> Shop<'a> {
        let (verifiable, breakers, now) = (&self.verifiable, &self.breakers, self.now);
        Shop { policy, verifiable, breakers, now }
    }

    /// How the calls to a provider went of late.
    pub(crate) fn breaker(&self, provider: Provider) -> Breaker {
        self.breakers.get(&provider).cloned().unwrap_or_default()
    }

    /// What the order can be paid by at the moment, in its own currency.
    pub(crate) fn instead(&self, policy: &PaymentsPolicy) -> Vec<(Method, Provider)> {
        let offers = methods::offers(&self.shop(policy), &self.order, &[]);
        let open = offers.iter().filter(|it| it.shut_until.is_none());
        open.map(|it| (it.method, it.provider)).collect()
    }
}

/// Refuses an order that cannot be paid.
pub(crate) fn unpayable(why: &Unpayable) -> Problem {
    let detail = why.to_string();
    match why {
        Unpayable::NothingDue => Problem::new(422, "nothing-due", "Nothing is due", detail),
        Unpayable::Paid => Problem::new(409, "order-paid", "The order is paid", detail),
        Unpayable::Cancelled => {
            Problem::new(409, "order-cancelled", "The order was cancelled", detail)
        }
        Unpayable::Expired | Unpayable::HoldOver(_) => {
            Problem::new(409, "order-expired", "The time to pay is over", detail)
        }
    }
}
