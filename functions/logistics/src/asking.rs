//! What the choice of services asks of the store.

use aftercart::{
    model::{
        dispatch::{Direction, Dispatch},
        id::ShipmentId,
        months,
        order::Order,
        performance::Lane,
        policy::Policy,
        stock::LocationId,
        text::Text,
    },
    run::{App, Failure},
    store::Key,
};

use crate::rules::dispatch::{self, Facts};

/// What is true of an order's goods, its buyer and the services that may carry
/// them from these places, in one round trip; in none if the policy leaves
/// nothing to choose.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn facts(
    app: &App,
    order: &Order,
    places: &[LocationId],
    policy: &Policy,
) -> Result<Facts, Failure> {
    if !dispatch::asks(order, policy) {
        return Ok(Facts::default());
    }
    let lanes = dispatch::lanes(order, places, policy);
    // The last one, too: this one is young on its first days.
    let months = months::between(None, None, app.now()).map_err(Failure::bug)?;
    let months = months.iter().rev().take(2).map(Text::as_str);
    let asked: Vec<(&str, &Lane)> =
        months.flat_map(|month| lanes.iter().map(move |lane| (month, lane))).collect();
    let mut keys: Vec<Key> = order.lines.iter().map(|line| Key::product(&line.sku)).collect();
    keys.extend(order.customer.is_member().then(|| Key::profile(&order.customer)));
    keys.extend(asked.iter().map(|(month, lane)| Key::performance(month, lane)));
    let found = app.store.read(&keys).await?;
    let mut facts = Facts::default();
    for line in &order.lines {
        if let Some(product) = found.product(&line.sku)? {
            facts.grams.insert(line.sku.clone(), product.facts.grams);
        }
    }
    if order.customer.is_member() {
        let profile = found.profile(&order.customer)?;
        (facts.tier, facts.segments) = (profile.tier, profile.segments);
    }
    for (month, lane) in asked {
        let Lane { service: Some(service), from, .. } = lane else { continue };
        let seen = facts.seen.entry((service.clone(), from.clone())).or_default();
        let counted = found.performance(month, lane)?;
        seen.ended = seen.ended.saturating_add(counted.ended);
        seen.kept = seen.kept.saturating_add(counted.kept);
    }
    Ok(facts)
}

/// Chooses the services of those of an order's shipments that are packed anew
/// for the buyer, if the policy has any: two round trips then, in all at most.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn choose(
    app: &App,
    after: &mut Dispatch,
    packed: &[&ShipmentId],
    policy: &Policy,
) -> Result<(), Failure> {
    if policy.logistics.services.is_empty() {
        return Ok(());
    }
    let order = app.store.order(&after.customer, &after.order).await?;
    let order = order.ok_or_else(|| Failure::bug("shipments without an order"))?;
    let out = after.shipments.iter().filter(|it| packed.contains(&&it.id));
    let places: Vec<LocationId> = out.map(|it| it.location.clone()).collect();
    let facts = facts(app, &order, &places, policy).await?;
    for id in packed {
        let Some(shipment) = after.shipment_mut(id).filter(|it| it.direction == Direction::Out)
        else {
            continue;
        };
        let (from, lines) = (shipment.location.clone(), &shipment.lines);
        shipment.chosen = dispatch::choose(&order, policy, &facts, &from, lines);
    }
    Ok(())
}
