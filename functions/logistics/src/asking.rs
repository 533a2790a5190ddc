//! What the choice of services asks of the store.

use aftercart::{
    model::{order::Order, performance::Lane, policy::Policy, stock::LocationId, text::Text},
    run::{App, Failure},
    store::Key,
};

use crate::rules::{
    dispatch::{self, Facts},
    performance,
};

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
    let months = performance::months(None, None, app.now()).map_err(Failure::bug)?;
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
