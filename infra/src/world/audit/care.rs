//! Tickets, and what was done for customers because of them.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    model::{
        id::{OrderId, TicketId},
        order::Order,
        points::{Account, Cause, Entry},
        ticket::{Outcome, Remedy, RemedyKind, Source, Ticket},
    },
    store::audit::Books,
};

use super::{Violation, must};

/// A ticket is one a cause, has the entries that it counts, and is counted once
/// in each of its columns, as it is now.
pub(super) fn tickets(books: &Books) -> Result<usize, Violation> {
    let mut causes = BTreeMap::new();
    for ticket in &books.tickets {
        if matches!(ticket.source, Source::Survey { .. }) {
            let other = causes.insert(format!("{:?}", ticket.source), &ticket.id);
            must(other.is_none(), || {
                format!("{} and {other:?} are about {:?}", ticket.id, ticket.source)
            })?;
        }
        let entries = books.ticket_entries.get(ticket.id.as_str()).copied().unwrap_or(0);
        must(entries == usize::from(ticket.entries), || {
            format!("{} has {entries} entries, and counts {}", ticket.id, ticket.entries)
        })?;
    }
    let expected = books.counted_tickets();
    must(expected == books.ticket_counts, || {
        let all: BTreeSet<_> = expected.keys().chain(books.ticket_counts.keys()).collect();
        let mut wrong =
            all.into_iter().filter(|it| expected.get(it) != books.ticket_counts.get(it));
        let first = wrong.next();
        let counted = first.and_then(|it| books.ticket_counts.get(it));
        format!("tickets are counted otherwise than they are: {first:?} is {counted:?}")
    })?;
    Ok(books.tickets.len())
}

/// Whatever a ticket asked for is decided, but for calls; what it says was
/// done is there, once, and nothing was given that no ticket says.
pub(super) fn remedies(books: &Books) -> Result<usize, Violation> {
    let mut entries: BTreeMap<&TicketId, Vec<&Entry>> = BTreeMap::new();
    for entry in &books.points.entries {
        if let Cause::MadeGood(ticket) = &entry.cause {
            entries.entry(ticket).or_default().push(entry);
        }
    }
    let mut checked = 0;
    for ticket in &books.tickets {
        let mut given = entries.remove(&ticket.id).unwrap_or_default();
        for remedy in &ticket.remedies {
            let done = is_done(books, ticket, remedy, &mut given);
            must(done, || format!("{} says, and it is not so: {remedy:?}", ticket.id))?;
            checked += 1;
        }
        must(given.is_empty(), || format!("{} does not say what it gave: {given:?}", ticket.id))?;
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
fn is_done(books: &Books, ticket: &Ticket, remedy: &Remedy, given: &mut Vec<&Entry>) -> bool {
    let reference = match &remedy.outcome {
        Outcome::Asked => return matches!(remedy.kind, RemedyKind::CallBack { .. }),
        Outcome::Refused { .. } => return true,
        Outcome::Done { reference, .. } => reference.as_ref().map(|it| it.as_str()),
    };
    let order: Option<&OrderId> = ticket.links.order.as_ref();
    match &remedy.kind {
        RemedyKind::CallBack { .. } => true,
        RemedyKind::Points { points } => {
            let is_it = |it: &&Entry| Some(it.id.as_str()) == reference;
            let entry = given.iter().position(is_it).map(|at| given.remove(at));
            entry.is_some_and(|it| it.into(Account::Issued) == -i64::from(*points))
        }
        RemedyKind::Coupon { rule, .. } => {
            let of = ticket.links.vouchers.iter().find(|it| Some(it.as_str()) == reference);
            let key = of.map(|id| (ticket.customer.clone(), id.clone()));
            let voucher = key.and_then(|key| books.vouchers.get(&key));
            voucher.is_some_and(|it| it.rule == *rule)
        }
        RemedyKind::Refund { .. } => {
            let order: Option<&Order> = order.and_then(|order| books.order(order));
            let mut dues = order.into_iter().flat_map(|it| &it.refunds_due);
            let linked = ticket.links.refunds.iter().any(|it| Some(it.as_str()) == reference);
            linked && dues.any(|due| Some(due.id.as_str()) == reference)
        }
        RemedyKind::Reship { shipment } => {
            let of_order = books.dispatches.iter().filter(|it| Some(&it.order) == order);
            let mut again = of_order.flat_map(|it| &it.shipments);
            again.any(|it| {
                Some(it.id.as_str()) == reference && it.replaces.as_ref() == Some(shipment)
            })
        }
    }
}
