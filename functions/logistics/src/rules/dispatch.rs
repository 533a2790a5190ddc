//! How the goods of an order are packed, and with which service they go.
//!
//! A parcel holds what comes from one place. Where no service takes all of it,
//! and the heaviest unit alone would go, it is several parcels, each as heavy as
//! a service takes; where one unit is too heavy for every service, one parcel
//! without a service, and whoever attaches its label sees to it. What is
//! fetched is not sent: it has no service, and is not split by weight.
//!
//! Of the services that go to the address, from the place, by the method, for
//! the buyer, and take the weight, those are left out whose parcels are late
//! too often, unless all are. Of the rest the fastest is taken for a parcel
//! that goes first and the cheapest for any other; if there are several of
//! them, the one that the shop names first.

use std::{cmp::Reverse, collections::BTreeMap};

use aftercart::model::{
    delivery::{Method, MethodId, MethodKind},
    dispatch::{Chosen, Dispatch, MAX_SHIPMENTS, Shipment, ShipmentLine},
    logistics::{LogisticsPolicy, Service},
    money::Money,
    order::{Order, OrderLine},
    performance::{Lane, Performance},
    policy::Policy,
    product::Sku,
    stock::LocationId,
    text::Text,
    time::Timestamp,
};
use aftercart_pricing::delivery::{Place, cost, serves};

/// What the choice of services asks, besides order and policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The weight of one unit; none is known of what is not sold any more.
    pub grams: BTreeMap<Sku, u32>,
    /// The tier of a member.
    pub tier: Option<Text<40>>,
    /// The segments of a member.
    pub segments: Vec<Text<40>>,
    /// How services kept what was promised, by service and place of departure.
    pub seen: BTreeMap<(Text<40>, LocationId), Performance>,
}

/// Whether anything is to be chosen, for which [`Facts`] are asked.
#[must_use]
pub fn asks(order: &Order, policy: &Policy) -> bool {
    let LogisticsPolicy { services, choose, .. } = &policy.logistics;
    let sends = !services.is_empty() && !is_fetched(&order.delivery.method, policy);
    sends || !choose.priority.is_empty()
}

/// Of which deliveries the choice wants to know how they went.
#[must_use]
pub fn lanes(order: &Order, from: &[LocationId], policy: &Policy) -> Vec<Lane> {
    let lane = |service: &Service, from: &LocationId| Lane {
        service: Some(service.id.clone()),
        carrier: Some(service.carrier),
        from: from.clone(),
        to: order.address.country.clone(),
        method: order.delivery.method.clone(),
    };
    let services = &policy.logistics.services;
    let choices = from.iter().flat_map(|from| services.iter().map(move |it| (it, from)));
    let going = choices.filter(|(service, from)| sends(service, order, from, policy));
    going.map(|(service, from)| lane(service, from)).collect()
}

/// The shipments of an order of which none is open: all that it has, by the
/// place that it comes from.
#[must_use]
pub fn open(
    unopened: Dispatch,
    order: &Order,
    policy: &Policy,
    facts: &Facts,
    now: Timestamp,
) -> Dispatch {
    let priority = goes_first(policy, facts);
    let method = method(&order.delivery.method, policy);
    let calendar = method.and_then(|it| policy.delivery.calendars.get(&it.handling.calendar));
    let zone = calendar.map_or_else(|| policy.points.zone.clone(), |it| it.zone.clone());
    let mut dispatch = Dispatch { zone, priority, ..unopened };
    let chooser = Chooser { order, policy, facts, priority };
    let places = places(order);
    for (place, from) in places.iter().enumerate() {
        let others = places.len().saturating_sub(place).saturating_sub(1);
        let room = MAX_SHIPMENTS.saturating_sub(dispatch.shipments.len()).saturating_sub(others);
        for lines in chooser.parcels(from, lines_from(order, from), room) {
            let number = next_number(&dispatch);
            let shipment = Shipment::new(&order.id, number, from.clone(), lines, now);
            let chosen = chooser.choose(from, &shipment.lines);
            dispatch.shipments.push(Shipment { chosen, ..shipment });
        }
    }
    dispatch.look_by(dispatch.leaves_by());
    dispatch
}

/// The service of a parcel, if one takes it.
#[must_use]
pub fn choose(
    order: &Order,
    policy: &Policy,
    facts: &Facts,
    from: &LocationId,
    lines: &[ShipmentLine],
) -> Option<Chosen> {
    let priority = goes_first(policy, facts);
    Chooser { order, policy, facts, priority }.choose(from, lines)
}

/// The number of the next shipment of an order.
#[must_use]
pub fn next_number(dispatch: &Dispatch) -> u16 {
    dispatch.shipments.iter().map(|it| it.number).max().unwrap_or(0).saturating_add(1)
}

fn goes_first(policy: &Policy, facts: &Facts) -> bool {
    let tier = facts.tier.as_ref().map(Text::as_str);
    policy.logistics.choose.priority.has(tier, &facts.segments)
}

fn method<'p>(id: &MethodId, policy: &'p Policy) -> Option<&'p Method> {
    policy.delivery.methods.iter().find(|it| it.id == *id)
}

/// Whether buyers fetch their goods by this method.
#[must_use]
pub fn is_fetched(id: &MethodId, policy: &Policy) -> bool {
    method(id, policy).is_some_and(|it| it.kind == MethodKind::Pickup)
}

/// Whether a service takes parcels of the order from a place, whoever's they are.
fn sends(service: &Service, order: &Order, from: &LocationId, policy: &Policy) -> bool {
    let method = &order.delivery.method;
    !is_fetched(method, policy)
        && (service.locations.is_empty() || service.locations.contains(from))
        && (service.methods.is_empty() || service.methods.contains(method))
        && serves(service, &Place::from(&order.address))
}

/// Where the goods come from, in the order of the lines.
#[must_use]
pub fn places(order: &Order) -> Vec<LocationId> {
    let mut places: Vec<LocationId> = Vec::new();
    for part in order.lines.iter().flat_map(|line| &line.stock) {
        if part.quantity > 0 && !places.contains(&part.location) {
            places.push(part.location.clone());
        }
    }
    places
}

/// What the order has from a place, each SKU once: a gift may be of one that
/// was bought, too.
fn lines_from(order: &Order, from: &LocationId) -> Vec<ShipmentLine> {
    let mut lines: Vec<ShipmentLine> = Vec::new();
    for OrderLine { sku, stock, .. } in &order.lines {
        let units = stock.iter().filter(|part| part.location == *from);
        let units = units.fold(0_u32, |sum, part| sum.saturating_add(part.quantity));
        match lines.iter_mut().find(|line| line.sku == *sku) {
            Some(line) => line.quantity = line.quantity.saturating_add(units),
            None if units > 0 => lines.push(ShipmentLine { sku: sku.clone(), quantity: units }),
            None => {}
        }
    }
    lines
}

struct Chooser<'a> {
    order: &'a Order,
    policy: &'a Policy,
    facts: &'a Facts,
    priority: bool,
}

impl Chooser<'_> {
    /// The parcels of what comes from a place, at most `room` of them.
    fn parcels(
        &self,
        from: &LocationId,
        lines: Vec<ShipmentLine>,
        room: usize,
    ) -> Vec<Vec<ShipmentLine>> {
        let weight = self.weight(&lines);
        let going = self.policy.logistics.services.iter().filter(|it| self.goes(it, from));
        let most = going.map(|it| it.max_grams.map_or(u64::MAX, u64::from)).max();
        match most {
            Some(most) if weight > most => {
                let packed = pack(&lines, &self.facts.grams, most, room);
                packed.unwrap_or_else(|| vec![lines])
            }
            _ => vec![lines],
        }
    }

    fn choose(&self, from: &LocationId, lines: &[ShipmentLine]) -> Option<Chosen> {
        let weight = self.weight(lines);
        let takes = |it: &&Service| it.max_grams.is_none_or(|most| weight <= u64::from(most));
        let services = self.policy.logistics.services.iter();
        let fit: Vec<&Service> = services.filter(|it| self.goes(it, from)).filter(takes).collect();
        let on_time: Vec<&Service> =
            fit.iter().copied().filter(|it| !self.is_late(it, from)).collect();
        let late = fit.len().saturating_sub(on_time.len());
        let rest = if on_time.is_empty() { &fit } else { &on_time };
        let price = |it: &Service| self.price(it, weight);
        let best = match self.priority {
            true => rest.iter().min_by_key(|it| it.days),
            false => rest.iter().min_by_key(|it| {
                let price = price(it).map(Money::minor);
                (price.is_none(), price)
            }),
        }?;
        let why = match (rest.len(), self.priority, price(best)) {
            (1, ..) => "the only one left".to_owned(),
            (count, true, _) => {
                format!("goes first: the fastest of {count}, {} working days", best.days)
            }
            (count, false, Some(amount)) => format!("the cheapest of {count}, {amount}"),
            (count, false, None) => format!("the first of {count}, none has a price"),
        };
        let passed = match (late, on_time.is_empty()) {
            (0, _) => String::new(),
            (_, true) => "; every one is late too often".to_owned(),
            (late, false) => format!("; {late} left out as late too often"),
        };
        let why = Text::new(&format!("{weight} g: {why}{passed}")).ok()?;
        Some(Chosen { service: best.id.clone(), why })
    }

    /// Whether a service takes any parcel of the order from a place.
    fn goes(&self, service: &Service, from: &LocationId) -> bool {
        let Self { order, policy, facts, .. } = self;
        let tier = facts.tier.as_ref().map(Text::as_str);
        sends(service, order, from, policy)
            && (service.only.is_empty() || service.only.has(tier, &facts.segments))
    }

    fn is_late(&self, service: &Service, from: &LocationId) -> bool {
        let choose = &self.policy.logistics.choose;
        let seen = self.facts.seen.get(&(service.id.clone(), from.clone()));
        seen.is_some_and(|seen| {
            let least = u64::from(seen.ended).saturating_mul(u64::from(choose.least_on_time));
            let kept = u64::from(seen.kept).saturating_mul(10_000);
            seen.ended > 0 && seen.ended >= choose.least_seen && kept < least
        })
    }

    /// What the service costs in the currency of the order, if that is known.
    fn price(&self, service: &Service, weight: u64) -> Option<Money> {
        let currency = self.order.total.currency();
        let known = !service.costs.is_empty();
        let amount = cost(&service.costs, currency, weight).filter(|_| known)?;
        Money::new(amount, currency).ok()
    }

    fn weight(&self, lines: &[ShipmentLine]) -> u64 {
        lines.iter().fold(0, |sum, line| {
            let unit = self.facts.grams.get(&line.sku).copied().unwrap_or(0);
            sum.saturating_add(u64::from(unit).saturating_mul(u64::from(line.quantity)))
        })
    }
}

/// The units in parcels of at most so many grams, the heaviest units first, each
/// in the first parcel that has room for it; none if one unit is heavier, or
/// they are too many parcels.
fn pack(
    lines: &[ShipmentLine],
    grams: &BTreeMap<Sku, u32>,
    most: u64,
    room: usize,
) -> Option<Vec<Vec<ShipmentLine>>> {
    let unit = |line: &ShipmentLine| u64::from(grams.get(&line.sku).copied().unwrap_or(0));
    let mut heaviest: Vec<&ShipmentLine> = lines.iter().collect();
    heaviest.sort_by_key(|line| Reverse(unit(line)));
    let mut parcels: Vec<(u64, Vec<ShipmentLine>)> = Vec::new();
    for line in heaviest {
        let (unit, mut left) = (unit(line), line.quantity);
        let fits = |free: u64, left: u32| {
            let units = free.checked_div(unit).unwrap_or(u64::MAX);
            u32::try_from(units).unwrap_or(u32::MAX).min(left)
        };
        for (free, packed) in &mut parcels {
            let quantity = fits(*free, left);
            put(packed, line, quantity);
            *free = free.saturating_sub(unit.saturating_mul(u64::from(quantity)));
            left = left.saturating_sub(quantity);
        }
        while left > 0 {
            let quantity = fits(most, left);
            if quantity == 0 || parcels.len() >= room {
                return None;
            }
            let mut packed = Vec::new();
            put(&mut packed, line, quantity);
            let used = unit.saturating_mul(u64::from(quantity));
            parcels.push((most.saturating_sub(used), packed));
            left = left.saturating_sub(quantity);
        }
    }
    Some(parcels.into_iter().map(|(_, packed)| packed).collect())
}

fn put(packed: &mut Vec<ShipmentLine>, line: &ShipmentLine, quantity: u32) {
    if quantity > 0 {
        packed.push(ShipmentLine { sku: line.sku.clone(), quantity });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(units: &[(u32, u32)]) -> (Vec<ShipmentLine>, BTreeMap<Sku, u32>) {
        let sku = |number: usize| Sku::parse(&format!("S{number}")).unwrap();
        let lines = units.iter().enumerate();
        let lines = lines
            .map(|(number, (quantity, _))| ShipmentLine { sku: sku(number), quantity: *quantity });
        let grams = units.iter().enumerate().map(|(number, (_, grams))| (sku(number), *grams));
        (lines.collect(), grams.collect())
    }

    #[test]
    fn the_heaviest_are_packed_first_and_the_light_ones_beside_them() {
        let (lines, grams) = lines(&[(2, 300), (3, 900), (1, 0)]);
        let packed = pack(&lines, &grams, 2_000, 9).unwrap();
        let units: Vec<Vec<(&str, u32)>> = packed
            .iter()
            .map(|parcel| parcel.iter().map(|it| (it.sku.as_str(), it.quantity)).collect())
            .collect();
        assert_eq!(units, [vec![("S1", 2), ("S2", 1)], vec![("S1", 1), ("S0", 2)]]);
        assert_eq!(pack(&lines, &grams, 2_000, 1), None, "no room for two");
        assert_eq!(pack(&lines, &grams, 899, 9), None, "one unit is heavier");
    }

    proptest! {
        #[test]
        fn parcels_hold_all_of_it_and_none_is_too_heavy(
            units in prop::collection::vec((1_u32..30, 0_u32..500), 1..8),
            most in 1_u64..2_000,
            room in 1_usize..20,
        ) {
            let (lines, grams) = lines(&units);
            let heaviest = units.iter().map(|(_, grams)| u64::from(*grams)).max().unwrap();
            let Some(packed) = pack(&lines, &grams, most, room) else {
                let whole: u64 = units.iter().map(|(n, g)| u64::from(*n) * u64::from(*g)).sum();
                // Two parcels are together heavier than one may be, or could be one.
                prop_assert!(heaviest > most || 2 * whole > most * (room as u64));
                return Ok(());
            };
            prop_assert!(packed.len() <= room && heaviest <= most);
            for parcel in &packed {
                let weight: u64 =
                    parcel.iter().map(|it| u64::from(grams[&it.sku]) * u64::from(it.quantity)).sum();
                prop_assert!(weight <= most && !parcel.is_empty());
            }
            for line in &lines {
                let all = packed.iter().flatten().filter(|it| it.sku == line.sku);
                prop_assert_eq!(all.map(|it| it.quantity).sum::<u32>(), line.quantity);
            }
        }
    }
}
