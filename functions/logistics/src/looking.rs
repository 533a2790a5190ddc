//! Reads what there is to see of an order's parcels, for the JSON and the page.

use std::collections::BTreeMap;

use aftercart::{
    model::{customer::CustomerId, id::OrderId, order::OrderStatus},
    run::{App, Failure},
    store::Key,
};

use crate::rules::overview::{self, Seen};

/// The buyer's order and all that is known of its parcels: two round trips, the
/// second only once something was sent, or went wrong. An order that is not
/// paid has no parcels. None if the buyer has no such order.
///
/// # Errors
/// [`Failure`]: to be tried again.
pub(crate) async fn look(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
) -> Result<Option<Seen>, Failure> {
    let policy = app.policy().await?;
    let (found, dispatch) = app.store.order_and_dispatch(customer, order).await?;
    let Some(order) = found else { return Ok(None) };
    let dispatch = dispatch.filter(|_| order.status == OrderStatus::Paid);
    let mut seen = Seen { order, dispatch, histories: BTreeMap::new(), alerts: Vec::new() };
    let Some(dispatch) = &seen.dispatch else { return Ok(Some(seen)) };
    let labels = dispatch.shipments.iter().filter_map(|it| Some((&it.id, it.tracking.as_ref()?)));
    let labels: Vec<_> = labels.collect();
    let alerts = overview::alerts(dispatch, &policy.logistics);
    let keys: Vec<Key> = (labels.iter().map(|(_, tracking)| Key::parcel(tracking)))
        .chain(alerts.iter().map(Key::alert))
        .collect();
    if keys.is_empty() {
        return Ok(Some(seen));
    }
    let found = app.store.read(&keys).await?;
    for (shipment, tracking) in labels {
        let history = found.history(tracking)?;
        // A number that was used again tells of another buyer's parcel.
        if history.parcel.as_ref().is_some_and(|parcel| parcel.shipment == *shipment) {
            seen.histories.insert(shipment.clone(), history);
        }
    }
    for id in alerts {
        seen.alerts.extend(found.alert(&id)?.filter(|alert| alert.ended.is_none()));
    }
    Ok(Some(seen))
}
