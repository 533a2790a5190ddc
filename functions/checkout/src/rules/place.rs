//! May this order be placed, and what is it?

use aftercart::model::{
    customer::{Address, Contact, Country, CustomerId},
    digest,
    id::{CartId, OrderId, QuoteId},
    money::{Money, MoneyError},
    order::{
        Actor, Deed, Happening, Order, OrderDelivery, OrderDiscount, OrderLine, OrderPoints,
        OrderRisk, OrderStatus, QuotaPart,
    },
    price::{Effect, PriceRules, Quota, RuleId},
    risk::{Decision, Standing},
    time::Timestamp,
};

use super::{
    quota::Uses,
    quote::{Basket, Facts, Quote, Terms},
    risk::{self, History, RiskDecision},
    stock::LinePlan,
};

/// An order that somebody wants to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placing {
    /// Derived from the buyer and the idempotency key.
    pub id: OrderId,
    /// Who.
    pub customer: CustomerId,
    /// What, and how.
    pub basket: Basket,
    /// The quote that the buyer agreed to, if one was named.
    pub quote: Option<QuoteId>,
    /// The cart that it comes from.
    pub cart: Option<CartId>,
    /// A digest of the device that it comes from.
    pub device: Option<String>,
    /// A digest of the card that is to pay.
    pub card: Option<String>,
    /// The country of the bill, if it was named.
    pub billing: Option<Country>,
    /// Where to.
    pub address: Address,
    /// How the buyer is reached.
    pub contact: Contact,
    /// A digest of the request.
    pub request: String,
}

/// The identity of the order that a buyer places under a key.
#[must_use]
pub fn identity(customer: &CustomerId, key: &str) -> OrderId {
    OrderId::derive(&[customer.as_str(), key])
}

/// The digest that tells a repeated request from another one.
#[must_use]
pub fn request_digest(canonical_body: &[u8]) -> String {
    digest::short(&[canonical_body])
}

/// Why an order is not placed at a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The buyer named a quote that says something else.
    QuoteChanged,
    /// Something that the buyer asked for does not apply, and he was not told
    /// by a quote.
    NotApplied,
    /// Too few units, or goods that this buyer may not have (yet).
    Obstacles,
    /// Others used what was left while this order was looked at.
    Rushed,
    /// More than one transaction can take: fewer lines can be had.
    TooMuch,
    /// By the risk rules.
    Risk,
}

/// The most writes of the transaction that places an order: what DynamoDB takes.
pub const MAX_WRITES: usize = 100;

/// What an order is placed by, besides its quote.
#[derive(Debug, Clone)]
pub struct Beside<'a> {
    /// What was read for the basket.
    pub facts: &'a Facts,
    /// What is known of buyer, device and address.
    pub standing: &'a Standing,
    /// The documents of the shop, and the time.
    pub terms: Terms<'a>,
}

/// An order that may be placed, and what its transaction takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The order.
    pub order: Order,
    /// What it uses of limits, each from one part.
    pub uses: Vec<(Quota, u8, u32)>,
    /// From where its lines are taken.
    pub plan: Vec<LinePlan>,
}

/// The order that is placed at a quote. An order of which nothing is to be
/// paid is paid as it is placed; one that the risk rules want looked at is
/// held.
///
/// # Errors
/// [`Refusal`], or an amount too large for one order.
pub fn decide(
    placing: &Placing,
    quote: &Quote,
    beside: &Beside<'_>,
) -> Result<Result<Decided, Refusal>, MoneyError> {
    let plan = match agreed(placing, quote) {
        Ok(plan) => plan,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let uses = match chosen_parts(placing, quote, &beside.facts.uses) {
        Ok(uses) => uses,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let verdict = judged(placing, quote, beside);
    if verdict.decision == Decision::Refuse {
        return Ok(Err(Refusal::Risk));
    }
    let taken: usize = plan.iter().map(|it| it.parts.len()).sum();
    // The order itself, and a hold of points.
    if taken.saturating_add(uses.len()).saturating_add(quote.vouchers.len()) > MAX_WRITES - 2 {
        return Ok(Err(Refusal::TooMuch));
    }
    let mut order = order(placing, quote, plan, &uses, &verdict, &beside.terms)?;
    if let Some(points) = &mut order.points {
        points.account.clone_from(&beside.facts.payer);
    }
    Ok(Ok(Decided { order, uses, plan: plan.clone() }))
}

/// What the buyer agreed to is what is there.
fn agreed<'q>(placing: &Placing, quote: &'q Quote) -> Result<&'q Vec<LinePlan>, Refusal> {
    let plan = quote.plan.as_ref().map_err(|_| Refusal::Obstacles)?;
    if !quote.closed.is_empty() {
        return Err(Refusal::Obstacles);
    }
    match &placing.quote {
        Some(named) if Some(named) != quote.id().as_ref() => Err(Refusal::QuoteChanged),
        None if quote.not_applied.iter().any(|it| it.was_asked_for()) => Err(Refusal::NotApplied),
        _ if !quote.is_affordable() => Err(Refusal::NotApplied),
        _ => Ok(plan),
    }
}

fn chosen_parts(
    placing: &Placing,
    quote: &Quote,
    uses: &Uses,
) -> Result<Vec<(Quota, u8, u32)>, Refusal> {
    let choose = |(quota, units): &(Quota, u32)| {
        let shard = uses.choose(quota, *units, placing.id.as_str());
        let shard = shard.ok_or(Refusal::Rushed)?;
        Ok((quota.clone(), shard, *units))
    };
    quote.quotas.iter().map(choose).collect()
}

fn judged(placing: &Placing, quote: &Quote, beside: &Beside<'_>) -> RiskDecision {
    let profile = beside.facts.profile.as_ref();
    let currency = quote.total.currency();
    let largest = profile.and_then(|it| it.largest.get(&currency));
    let history = History {
        paid_orders: profile.map_or(0, |it| it.orders),
        largest: largest.and_then(|minor| Money::new(*minor, currency).ok()),
        since: profile.and_then(|it| it.since),
    };
    let facts = risk::Facts {
        standing: beside.standing,
        history,
        total: quote.total,
        units: placing.basket.lines.iter().map(|line| line.quantity).max().unwrap_or(0),
        billing: placing.billing.as_ref(),
        shipping: &placing.address.country,
    };
    risk::decide(&beside.terms.policy.risk, &facts, beside.terms.now)
}

fn order(
    placing: &Placing,
    quote: &Quote,
    plan: &[LinePlan],
    uses: &[(Quota, u8, u32)],
    verdict: &RiskDecision,
    terms: &Terms<'_>,
) -> Result<Order, MoneyError> {
    let (policy, now) = (terms.policy, terms.now);
    let free = quote.total.minor() == 0;
    let hold_until = now.plus(policy.checkout.hold);
    // Nobody verifies the buyer of an order that nothing is to be paid for.
    let held = verdict.decision == Decision::Review || (free && verdict.verification_required);
    Ok(Order {
        id: placing.id.clone(),
        customer: placing.customer.clone(),
        placed_at: now,
        status: if free { OrderStatus::Paid } else { OrderStatus::Placed },
        lines: order_lines(quote, plan)?,
        discounts: discounts(quote, terms.rules),
        delivery: delivery(quote)?,
        tax_included: quote.tax.as_ref().is_none_or(|tax| tax.included),
        points: points(quote),
        total: quote.total,
        quotas: uses.iter().map(|(quota, shard, units)| part(quota, *shard, *units)).collect(),
        vouchers: quote.vouchers.clone(),
        cart: placing.cart.clone(),
        channel: placing.basket.channel.clone(),
        device: placing.device.clone(),
        card: placing.card.clone(),
        risk: noted(verdict),
        held_at: held.then_some(now),
        history: if held { vec![held_by_rule(now)] } else { Vec::new() },
        address: placing.address.clone(),
        contact: placing.contact.clone(),
        hold_until,
        expires_at: (!free).then(|| hold_until.plus(policy.checkout.grace)),
        payments: Vec::new(),
        paid_at: free.then_some(now),
        refunds_due: Vec::new(),
        request: placing.request.clone(),
        policy: policy.version.to_string(),
    })
}

fn part(quota: &Quota, shard: u8, units: u32) -> QuotaPart {
    QuotaPart { rule: quota.rule.clone(), scope: quota.scope.to_string(), shard, units }
}

fn noted(verdict: &RiskDecision) -> Option<OrderRisk> {
    let rules = verdict.rules.clone();
    (!rules.is_empty()).then_some(OrderRisk { challenge: verdict.verification_required, rules })
}

fn held_by_rule(now: Timestamp) -> Happening {
    Happening { at: now, who: Actor::Rule, what: Deed::Held, why: None }
}

fn order_lines(quote: &Quote, plan: &[LinePlan]) -> Result<Vec<OrderLine>, MoneyError> {
    let priced = quote.goods.lines.iter().zip(quote.taxes()).zip(&quote.offset_shares);
    let line = |(((line, tax), points), plan): (((_, Money), &Money), &LinePlan)| {
        let line: &aftercart_pricing::goods::Line = line;
        OrderLine {
            sku: line.good.sku.clone(),
            title: line.good.title.clone(),
            category: line.good.category.clone(),
            brand: line.good.brand.clone(),
            quantity: line.quantity,
            unit_price: line.good.list,
            discount: line.discount,
            total: line.total,
            tax,
            points: *points,
            gift: line.gift.clone(),
            cancelled: 0,
            refunded: 0,
            stock: plan.parts.clone(),
        }
    };
    Ok(priced.zip(plan).map(line).collect())
}

fn discounts(quote: &Quote, rules: &PriceRules) -> Vec<OrderDiscount> {
    let of_goods = quote.goods.applied.iter().map(|applied| OrderDiscount {
        rule: applied.rule.clone(),
        shares: applied.shares.clone(),
        shipping: 0,
        tied: is_tied(rules, &applied.rule),
    });
    let of_delivery = quote.delivery.iter().filter_map(|it| it.discount.as_ref());
    let of_delivery = of_delivery.map(|discount| OrderDiscount {
        rule: discount.rule.clone(),
        shares: Vec::new(),
        shipping: discount.amount.minor(),
        tied: is_tied(rules, &discount.rule),
    });
    of_goods.chain(of_delivery).collect()
}

/// Whether an offer is given for more than each unit by itself.
fn is_tied(rules: &PriceRules, rule: &RuleId) -> bool {
    let rule = rules.rules.iter().find(|it| it.id == *rule);
    match rule.map(|rule| &rule.effect) {
        Some(Effect::Price(_) | Effect::PricePercent(_)) => false,
        Some(Effect::Percent(percent)) => percent.minimum.is_some(),
        Some(Effect::FreeShipping(free)) => free.over.is_some(),
        _ => true,
    }
}

fn delivery(quote: &Quote) -> Result<OrderDelivery, MoneyError> {
    // A quote whose place is known, as an order's is, has a method.
    let chosen = quote.delivery.as_ref().ok_or(MoneyError::Mixed)?;
    let nothing = Money::zero(quote.total.currency());
    Ok(OrderDelivery {
        method: chosen.option.method.clone(),
        price: chosen.price,
        discount: chosen.discount.as_ref().map_or(nothing, |it| it.amount),
        tax: quote.delivery_tax()?,
        points: chosen.points,
        promise: chosen.option.promise,
    })
}

fn points(quote: &Quote) -> Option<OrderPoints> {
    let nothing = Money::zero(quote.total.currency());
    let amount = quote.offset.as_ref().map_or(nothing, |it| it.amount);
    let points = quote.points();
    (points > 0).then_some(OrderPoints { points, amount, account: None })
}

#[cfg(test)]
mod tests;
