//! Who is invited to which survey, and when.
//!
//! Something happened, such as a delivery: of each touchpoint of the policy that
//! is for it, whoever belongs to its audience and its sample is invited once.
//! The identity of an invitation follows from the touchpoint and what happened,
//! so it does not matter how often, or in which order, one hears of it.

use aftercart::model::{
    answers::Counted,
    contact::Contactee,
    customer::{Contact, Country, CustomerId},
    digest,
    dispatch::{Dispatch, Shipment},
    id::{InviteId, TicketId},
    order::{Deed, Order, OrderStatus},
    survey::{
        About, Audience, Delivered, Invite, InviteStatus, MAX_PRODUCTS, Occasion, SurveysPolicy,
        Touchpoint,
    },
    text::Text,
    ticket::Ticket,
    time::{Period, Timestamp},
};

/// Shares are of so many.
const WHOLE: u64 = 10_000;

/// Something on which surveys come up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// What it was.
    pub occasion: Occasion,
    /// What tells it from others of its kind.
    pub cause: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub about: About,
    /// The products of it, as a page names them.
    pub products: Vec<Delivered>,
    /// To whom.
    pub customer: CustomerId,
    /// How they are reached.
    pub contact: Contact,
    /// Where they are, as far as an address tells.
    pub country: Option<Country>,
}

/// The invitations to what the policy asks on such an occasion.
#[must_use]
pub fn invites(happening: &Happening, policy: &SurveysPolicy) -> Vec<Invite> {
    let asked = policy.on(happening.occasion).filter(|it| is_for(&it.audience, happening));
    asked.filter_map(|touchpoint| invite(happening, touchpoint)).collect()
}

/// The products that the survey of an invitation names: none, if it does not ask
/// about any.
#[must_use]
pub fn named<'a>(
    happening: &'a Happening,
    invite: &Invite,
    policy: &SurveysPolicy,
) -> &'a [Delivered] {
    let touchpoint = policy.touchpoint(&invite.touchpoint);
    if touchpoint.is_some_and(Touchpoint::names_products) { &happening.products } else { &[] }
}

/// The identity of the one invitation to a touchpoint for a cause.
#[must_use]
pub fn identity(touchpoint: &Touchpoint, cause: &[String]) -> InviteId {
    let parts: Vec<&str> =
        std::iter::once(touchpoint.id.as_str()).chain(cause.iter().map(String::as_str)).collect();
    InviteId::derive(&parts)
}

/// The identities of the invitations to tell about the goods of an order,
/// of which nothing is to be said when none of them was kept.
#[must_use]
pub fn of_goods(order: &Order, policy: &SurveysPolicy) -> Vec<InviteId> {
    let cause = [order.id.as_str().to_owned()];
    let touchpoints = policy.touchpoints.iter().filter(|it| is_about_goods(it.on));
    touchpoints.map(|it| identity(it, &cause)).collect()
}

/// Whether surveys of an occasion ask about goods that the buyer has.
#[must_use]
pub fn is_about_goods(occasion: Occasion) -> bool {
    matches!(occasion, Occasion::Delivery | Occasion::Product)
}

/// Whether its buyer kept any of the goods that were bought: the order was not
/// called off, and the money did not go back for all of them.
#[must_use]
pub fn is_kept(order: &Order) -> bool {
    let mut bought = order.lines.iter().filter(|line| line.gift.is_none());
    order.status == OrderStatus::Paid && bought.any(|line| line.off() < line.quantity)
}

/// That the last parcel of an order arrived, once it has, and what was in them
/// is in use. Nobody is asked about goods that nobody kept.
#[must_use]
pub fn delivered(
    order: &Order,
    dispatch: Option<&Dispatch>,
    tier: Option<&Text<40>>,
) -> Vec<Happening> {
    let Some(at) = dispatch.and_then(Dispatch::delivered_at).filter(|_| is_kept(order)) else {
        return Vec::new();
    };
    let of = |occasion| of_order(order, dispatch, tier, occasion, at);
    vec![of(Occasion::Delivery), of(Occasion::Product)]
}

/// That money went back for goods of an order, the last time that it did. What
/// no parcel brought, because it was called off or lost, cannot come back.
#[must_use]
pub fn returned(
    order: &Order,
    dispatch: Option<&Dispatch>,
    tier: Option<&Text<40>>,
) -> Option<Happening> {
    let mut deeds = order.history.iter().rev();
    let last = deeds.find(|it| it.what == Deed::Refunded)?;
    let came = |it: &Shipment| it.journey.delivered_at.is_some();
    let had = dispatch.is_some_and(|it| it.shipments.iter().any(came));
    let back = had && order.lines.iter().any(|line| line.refunded > 0);
    back.then(|| of_order(order, dispatch, tier, Occasion::Return, last.at))
}

/// That an order was paid, and so that somebody buys.
#[must_use]
pub fn paid(order: &Order, tier: Option<&Text<40>>) -> Vec<Happening> {
    let Some(at) = order.paid_at.filter(|_| order.status == OrderStatus::Paid) else {
        return Vec::new();
    };
    let checkout = of_order(order, None, tier, Occasion::Checkout, at);
    let who = Contactee::of(&order.customer, &order.contact.email).as_str().to_owned();
    let buyer =
        Happening { occasion: Occasion::Relationship, cause: vec![who], ..checkout.clone() };
    vec![checkout, buyer]
}

/// That a member has this tier, or none, since then; the last order tells how
/// the member is reached.
#[must_use]
pub fn tiered(tier: Option<&Text<40>>, since: Timestamp, last: &Order) -> Happening {
    Happening {
        cause: tier_cause(&last.customer, tier, since),
        about: About { tier: tier.cloned(), ..About::default() },
        products: Vec::new(),
        ..of_order(last, None, tier, Occasion::Tier, since)
    }
}

/// What tells a tier of a member from others that the member had or has.
#[must_use]
pub fn tier_cause(customer: &CustomerId, tier: Option<&Text<40>>, since: Timestamp) -> Vec<String> {
    let name = tier.map_or("", Text::as_str).to_owned();
    vec![customer.as_str().to_owned(), name, since.to_string()]
}

/// What tells a solution of a ticket from others.
#[must_use]
pub fn solved_cause(ticket: &TicketId, at: Timestamp) -> Vec<String> {
    vec![ticket.as_str().to_owned(), at.to_string()]
}

/// That a ticket was solved then.
#[must_use]
pub fn solved(ticket: &Ticket, at: Timestamp) -> Happening {
    let links = &ticket.links;
    let about = About {
        order: links.order.clone(),
        shipment: links.shipment.clone(),
        ticket: Some(ticket.id.clone()),
        carrier: links.parcel.as_ref().map(|it| it.carrier),
        tier: ticket.tier.clone(),
        ..About::default()
    };
    Happening {
        occasion: Occasion::Solved,
        cause: solved_cause(&ticket.id, at),
        at,
        about,
        products: Vec::new(),
        customer: ticket.customer.clone(),
        contact: Contact { email: ticket.email.clone(), language: ticket.language },
        country: None,
    }
}

fn of_order(
    order: &Order,
    dispatch: Option<&Dispatch>,
    tier: Option<&Text<40>>,
    occasion: Occasion,
    at: Timestamp,
) -> Happening {
    let came = |shipment: &&Shipment| shipment.journey.delivered_at.is_some();
    let last = dispatch.into_iter().flat_map(Dispatch::outbound).filter(came);
    let last = last.max_by_key(|it| it.journey.delivered_at);
    let bought = order.lines.iter().filter(|line| line.gift.is_none() && line.quantity > 0);
    let named = bought.filter_map(|line| Delivered::named(&line.sku, line.title.as_str()));
    let products: Vec<Delivered> = named.take(MAX_PRODUCTS).collect();
    let about = About {
        order: Some(order.id.clone()),
        shipment: last.map(|it| it.id.clone()),
        ticket: None,
        carrier: last.and_then(|it| Some(it.tracking.as_ref()?.carrier)),
        lane: last.map(|it| (it.location.clone(), order.address.country.clone())),
        tier: tier.cloned(),
        products: products.iter().map(|it| it.sku.clone()).collect(),
    };
    Happening {
        occasion,
        cause: vec![order.id.as_str().to_owned()],
        at,
        about,
        products,
        customer: order.customer.clone(),
        contact: order.contact.clone(),
        country: Some(order.address.country.clone()),
    }
}

fn is_for(audience: &Audience, happening: &Happening) -> bool {
    let tier = &happening.about.tier;
    let country = &happening.country;
    let Audience { members, tiers, countries, languages } = audience;
    (!members || happening.customer.is_member())
        && (tiers.is_empty() || tier.as_ref().is_some_and(|it| tiers.contains(it)))
        && (countries.is_empty() || country.as_ref().is_some_and(|it| countries.contains(it)))
        && (languages.is_empty() || languages.contains(&happening.contact.language))
}

/// The invitation, if it is in the sample.
fn invite(happening: &Happening, touchpoint: &Touchpoint) -> Option<Invite> {
    let mut cause = happening.cause.clone();
    let mut due = happening.at.plus(touchpoint.delay);
    if let Some(every) = touchpoint.every {
        let (number, moment) = turn(touchpoint, &cause, every, due)?;
        cause.push(number.to_string());
        due = moment;
    }
    let id = identity(touchpoint, &cause);
    let asked = spread(&["sample", id.as_str()], WHOLE) < u64::from(touchpoint.share);
    asked.then(|| Invite {
        id,
        touchpoint: touchpoint.id.clone(),
        occasion: happening.occasion,
        about: happening.about.clone(),
        customer: happening.customer.clone(),
        email: happening.contact.email.clone(),
        language: happening.contact.language,
        country: happening.country.clone(),
        due,
        expires: due.plus(touchpoint.open),
        status: InviteStatus::Scheduled,
        counted: Counted::default(),
    })
}

/// The first of somebody's moments that is not before `earliest`, and its
/// number. Each has one in every `every`, of which nobody else's are likely to
/// be the same, so nobody is asked twice in that time, not all are asked at
/// once, and nobody's next moment has to be kept.
fn turn(
    touchpoint: &Touchpoint,
    who: &[String],
    every: Period,
    earliest: Timestamp,
) -> Option<(i64, Timestamp)> {
    let length = u64::try_from(every.seconds()).ok().filter(|it| *it > 0)?;
    let parts: Vec<&str> = ["turn", touchpoint.id.as_str()]
        .into_iter()
        .chain(who.iter().map(String::as_str))
        .collect();
    let offset = i64::try_from(spread(&parts, length)).ok()?;
    let length = i64::try_from(length).ok()?;
    let since = earliest.unix_seconds().checked_sub(offset)?;
    let whole = since.checked_div_euclid(length)?;
    let number =
        if since.checked_rem_euclid(length)? == 0 { whole } else { whole.checked_add(1)? };
    let moment = number.checked_mul(length)?.checked_add(offset)?;
    Some((number, Timestamp::from_unix_seconds(moment).ok()?))
}

/// A number below `below` that follows from the parts, each as likely as any.
fn spread(parts: &[&str], below: u64) -> u64 {
    let parts: Vec<&[u8]> = parts.iter().map(|it| it.as_bytes()).collect();
    let hash = digest::full(&parts);
    // 60 bits: `below` is so small beside it that no number is favoured.
    let number = hash.get(..15).and_then(|it| u64::from_str_radix(it, 16).ok()).unwrap_or(0);
    number.checked_rem(below).unwrap_or(0)
}

#[cfg(test)]
mod tests;
