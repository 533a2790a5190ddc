//! What was done for customers because of tickets.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        id::{OrderId, TicketId},
        order::Order,
        points::{Account, Cause, Entry},
        ticket::{Outcome, Remedy, RemedyKind, Ticket},
    },
    store::Key,
};

use crate::world::World;

use super::{Violation, must};

impl World {
    /// Whatever a ticket asked for is decided, but for calls; what it says was
    /// done is there, once, and nothing was given that no ticket says.
    pub(super) async fn check_remedies(&self, orders: &[Order]) -> Result<usize, Violation> {
        let (tickets, points) =
            (self.store().all_tickets().await?, self.store().all_points().await?);
        let mut entries: BTreeMap<&TicketId, Vec<&Entry>> = BTreeMap::new();
        for entry in &points.entries {
            if let Cause::MadeGood(ticket) = &entry.cause {
                entries.entry(ticket).or_default().push(entry);
            }
        }
        let orders: BTreeMap<&OrderId, &Order> = orders.iter().map(|it| (&it.id, it)).collect();
        let mut checked = 0;
        for ticket in &tickets {
            let mut given = entries.remove(&ticket.id).unwrap_or_default();
            for remedy in &ticket.remedies {
                let done = self.is_done(ticket, remedy, &orders, &mut given).await?;
                must(done, || format!("{} says, and it is not so: {remedy:?}", ticket.id))?;
                checked += 1;
            }
            must(given.is_empty(), || {
                format!("{} does not say what it gave: {given:?}", ticket.id)
            })?;
            let refunds: BTreeSet<_> = ticket.links.refunds.iter().collect();
            must(refunds.len() == ticket.links.refunds.len(), || {
                format!("{} gives money back twice: {refunds:?}", ticket.id)
            })?;
        }
        must(entries.is_empty(), || format!("points were given for no ticket: {entries:?}"))?;
        Ok(checked)
    }

    /// Whether a remedy is what its outcome says. An entry that it is known by is
    /// taken out of those that were `given`.
    async fn is_done(
        &self,
        ticket: &Ticket,
        remedy: &Remedy,
        orders: &BTreeMap<&OrderId, &Order>,
        given: &mut Vec<&Entry>,
    ) -> Result<bool, Violation> {
        let reference = match &remedy.outcome {
            Outcome::Asked => return Ok(matches!(remedy.kind, RemedyKind::CallBack { .. })),
            Outcome::Refused { .. } => return Ok(true),
            Outcome::Done { reference, .. } => reference.as_ref().map(|it| it.as_str()),
        };
        let order = ticket.links.order.as_ref();
        match &remedy.kind {
            RemedyKind::CallBack { .. } => Ok(true),
            RemedyKind::Points { points } => {
                let is_it = |it: &&Entry| Some(it.id.as_str()) == reference;
                let entry = given.iter().position(is_it).map(|at| given.remove(at));
                Ok(entry.is_some_and(|it| it.into(Account::Issued) == -i64::from(*points)))
            }
            RemedyKind::Coupon { rule, .. } => {
                let of = ticket.links.vouchers.iter().find(|it| Some(it.as_str()) == reference);
                let Some(id) = of else { return Ok(false) };
                let found = self.store().read(&[Key::voucher(&ticket.customer, id)]).await?;
                Ok(found.voucher(&ticket.customer, id)?.is_some_and(|it| it.rule == *rule))
            }
            RemedyKind::Refund { .. } => {
                let order = order.and_then(|order| orders.get(order));
                let mut dues = order.into_iter().flat_map(|it| &it.refunds_due);
                let linked = ticket.links.refunds.iter().any(|it| Some(it.as_str()) == reference);
                Ok(linked && dues.any(|due| Some(due.id.as_str()) == reference))
            }
            RemedyKind::Reship { shipment } => {
                let Some(order) = order else { return Ok(false) };
                let dispatch = self.store().dispatch(order).await?;
                let again = dispatch.iter().flat_map(|it| &it.shipments);
                let mut again = again.filter(|it| Some(it.id.as_str()) == reference);
                Ok(again.any(|it| it.replaces.as_ref() == Some(shipment)))
            }
        }
    }
}
