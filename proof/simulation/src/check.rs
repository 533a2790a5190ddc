//! Whether what people were told is so, and where the money is.

use std::collections::BTreeMap;

use aftercart::{
    messages::Queue,
    model::{
        order::{Order, OrderStatus},
        payment::Provider,
        survey::{Invite, InviteStatus},
    },
};
use aftercart_infra::world::{Violation, World, WorldError, dead_letters, dead_letters_of};

use crate::book::{Book, OrderNote, PaymentNote};

/// What is wrong, if anything is.
pub(crate) type Found = Result<(), String>;

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Found {
    if holds { Ok(()) } else { Err(otherwise()) }
}

/// What has to be so at any moment, and is quickly looked at.
pub(crate) async fn always(world: &World, book: &Book) -> Result<Found, WorldError> {
    if let Some(lie) = book.lies.first() {
        return Ok(Err(lie.clone()));
    }
    match world.check_always().await {
        Ok(_) => {}
        Err(Violation::Broken(what)) => return Ok(Err(what)),
        Err(Violation::Unread(error)) => return Err(error.into()),
    }
    let forbidden = world.forbidden();
    Ok(must(forbidden.is_empty(), || format!("functions did what they may not: {forbidden:?}")))
}

/// What has to be so when everything is done.
pub(crate) async fn finally(world: &World, book: &Book) -> Result<Found, WorldError> {
    let orders = world.store().all_orders().await?;
    let orders: BTreeMap<&str, &Order> = orders.iter().map(|it| (it.id.as_str(), it)).collect();
    let surveys = world.store().all_surveys().await?;
    let invites: BTreeMap<&str, &Invite> =
        surveys.invites.iter().map(|it| (it.id.as_str(), it)).collect();
    Ok(told(book, &orders)
        .and_then(|()| answered(book, &invites))
        .and_then(|()| money(world, book, &orders))
        .and_then(|()| parked(world)))
}

/// An order that somebody was told of is there, as it was told.
fn told(book: &Book, orders: &BTreeMap<&str, &Order>) -> Found {
    for (position, note) in book.orders.iter().enumerate() {
        let OrderNote { id, total, .. } = note;
        let Some(order) = orders.get(id.as_str()) else {
            return Err(format!("{id} was placed, and is not there"));
        };
        let same = order.total.minor() == *total || note.smaller;
        must(same, || format!("{id} was placed over {total}, and is over {}", order.total))?;
        must(order.paid_at.is_some() || !note.seen_paid, || format!("{id} was paid, and is not"))?;
        let money_came = book.payments.iter().any(|it| it.order == position && it.taken);
        let off = order.status == OrderStatus::Cancelled || money_came;
        must(off || !note.called_off, || format!("{id} was called off, and is {}", order.status))?;
    }
    let keys = book.orders.len();
    must(orders.len() >= keys, || format!("{keys} orders were placed, {} are there", orders.len()))
}

/// Somebody who was thanked for an answer gave one.
fn answered(book: &Book, invites: &BTreeMap<&str, &Invite>) -> Found {
    for note in book.surveys.iter().filter(|it| it.thanked > 0) {
        let invite = invites.get(note.invite.as_str());
        let kept = invite.is_some_and(|it| matches!(it.status, InviteStatus::Answered { .. }));
        must(kept, || format!("an answer to {} was taken, and is not there", note.invite))?;
    }
    Ok(())
}

/// Money that a provider has is an order's, or goes back; money that it does
/// not have is nobody's; and what went back is what was due, once.
fn money(world: &World, book: &Book, orders: &BTreeMap<&str, &Order>) -> Found {
    for note in book.payments.iter().filter(|it| !it.odd) {
        let PaymentNote { id, provider, .. } = note;
        let order = book.orders.get(note.order).and_then(|it| orders.get(it.id.as_str()));
        let Some(order) = order else { continue };
        let provider = Provider::parse(provider);
        let taken = match provider {
            Some(Provider::Sandbox) | None => note.taken,
            Some(provider) => world.stand_ins().memory(|memory| {
                memory.get(provider, "charge", id).is_some_and(|it| it["status"] == "paid")
            }),
        };
        let accepted = order.paid_by().is_some_and(|by| by.as_str() == id);
        let due: Vec<i64> = order
            .refunds_due
            .iter()
            .filter(|it| it.payment.as_str() == id)
            .map(|it| it.amount.minor())
            .collect();
        must(!taken || accepted || !due.is_empty(), || {
            format!(
                "{id} was paid for {}, which is {} and knows nothing of it",
                order.id, order.status
            )
        })?;
        must(taken || (!accepted && due.is_empty()), || {
            format!("{id} was never paid, and {} says otherwise", order.id)
        })?;
        if provider == Some(Provider::Stripe) {
            let back = world.stand_ins().memory(|it| it.given_back(Provider::Stripe, id));
            let due: i64 = due.iter().sum();
            must(back == due, || format!("of {id} went {back} back, and {due} is due"))?;
        }
    }
    Ok(())
}

/// Nothing lies in a dead-letter queue.
fn parked(world: &World) -> Found {
    let queues = Queue::ALL.into_iter().map(dead_letters);
    let readers = ["relay", "stock-watch"].into_iter().map(dead_letters_of);
    for name in queues.chain(readers) {
        if let Some(message) = world.queue(&name).first() {
            let reason = message.reason.as_deref().unwrap_or("tried too often");
            return Err(format!("{name} holds {} ({reason})", message.body));
        }
    }
    Ok(())
}
