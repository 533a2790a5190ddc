//! The invariants of the design, checked over everything that is kept.
//!
//! An audit compares [`Books`], what the tables hold, with itself and with
//! [`Evidence`], what is known outside of them. It is pure, so it runs over the
//! tables of a world and over those of any other stack, and tests can break
//! books to see that it notices.

mod care;
mod goods;
mod messages;
mod money;
mod offers;
mod points;
mod surveys;

use std::collections::BTreeSet;

use aftercart::{
    messages::{Envelope, Queue},
    model::policy::Policy,
    store::{StoreError, audit::Books},
};

use crate::providers::Memory;

use super::{World, queues};

/// What is known outside of the tables. What is not known is not compared.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// What people were to be told, each message once or more often.
    pub told: Option<Vec<Envelope>>,
    /// Which messages queues ever took: the queue's name and the message's identity.
    pub taken: Option<BTreeSet<(String, String)>>,
    /// What payment providers were asked.
    pub providers: Option<Memory>,
    /// The identities of the webhooks that the merchant's system got.
    pub webhooks: Option<BTreeSet<String>>,
    /// What lies in dead-letter queues.
    pub parked: Vec<Parked>,
}

/// A message in a dead-letter queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// Which queue.
    pub queue: String,
    /// The message.
    pub body: String,
    /// The reason that a function parked it with; none, if it wore out.
    pub reason: Option<String>,
}

/// What was checked, and how much of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// SKUs whose levels are their movements less what living orders took.
    pub skus: usize,
    /// Orders.
    pub orders: usize,
    /// Payments that are accepted by an order or due for a refund.
    pub payments: usize,
    /// Refunds, each of money that its order lists as due, and asked for once.
    pub refunds: usize,
    /// Vouchers and counters of limits that are what living orders use.
    pub offers: usize,
    /// Paid orders whose goods are all in their shipments.
    pub shipments: usize,
    /// Parcels that are where their carriers' scans say.
    pub parcels: usize,
    /// Alerts about deliveries, open exactly where their shipments say so.
    pub alerts: usize,
    /// Entries that sum to zero.
    pub entries: usize,
    /// Ledgers that equal their entries and lots.
    pub ledgers: usize,
    /// Gifts whose points moved once, or not at all.
    pub gifts: usize,
    /// Rewards that were taken and are counted and paid for once.
    pub redemptions: usize,
    /// Invitations, one a touchpoint and cause.
    pub invites: usize,
    /// Answers that are counted once, as they are now.
    pub answers: usize,
    /// People who were asked within the caps.
    pub contacted: usize,
    /// Tickets that are counted once, as they are now.
    pub tickets: usize,
    /// What was done because of tickets, once each.
    pub remedies: usize,
    /// Messages to systems of the merchant.
    pub webhooks: usize,
    /// Messages that every queue got which wants them.
    pub messages: usize,
}

impl Checked {
    /// The sum over several worlds.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            skus: self.skus + other.skus,
            orders: self.orders + other.orders,
            payments: self.payments + other.payments,
            refunds: self.refunds + other.refunds,
            offers: self.offers + other.offers,
            shipments: self.shipments + other.shipments,
            parcels: self.parcels + other.parcels,
            alerts: self.alerts + other.alerts,
            entries: self.entries + other.entries,
            ledgers: self.ledgers + other.ledgers,
            gifts: self.gifts + other.gifts,
            redemptions: self.redemptions + other.redemptions,
            invites: self.invites + other.invites,
            answers: self.answers + other.answers,
            contacted: self.contacted + other.contacted,
            tickets: self.tickets + other.tickets,
            remedies: self.remedies + other.remedies,
            webhooks: self.webhooks + other.webhooks,
            messages: self.messages + other.messages,
        }
    }
}

/// An invariant that does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Violation {
    /// What is wrong with what.
    #[error("an invariant does not hold: {0}")]
    Broken(String),
    /// It could not be looked at.
    #[error(transparent)]
    Unread(#[from] StoreError),
}

/// Refuses what does not hold.
fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::Broken(otherwise())) }
}

/// Checks every invariant. Everything must be delivered before, and every
/// schedule must have run.
///
/// # Errors
/// [`Violation::Broken`] names the first that does not hold.
pub fn check(books: &Books, evidence: &Evidence) -> Result<Checked, Violation> {
    let policy = policy(books)?;
    let mut checked = check_always(books)?;
    money::settled(books)?;
    checked.refunds = money::refunds(books, evidence)?;
    checked.shipments = goods::shipments(books)?;
    checked.parcels = goods::parcels(books)?;
    checked.alerts = goods::alerts(books)?;
    points::of_orders(books, &policy)?;
    checked.gifts = points::gifts(books)?;
    checked.redemptions = points::redemptions(books)?;
    checked.offers = offers::used(books)?;
    checked.invites = surveys::invites(books, evidence, &policy)?;
    checked.contacted = surveys::contacts(books, evidence, &policy)?;
    checked.answers = surveys::answers(books)?;
    checked.tickets = care::tickets(books)?;
    checked.remedies = care::remedies(books)?;
    checked.webhooks = messages::webhooks(books, evidence, &policy)?;
    checked.messages = messages::delivered(books, evidence)?;
    messages::parked(evidence)?;
    Ok(checked)
}

/// Checks what holds at any moment, also while messages are under way: stock,
/// charges, refunds, entries and ledgers. [`Books::read_little`] is enough.
///
/// # Errors
/// [`Violation::Broken`] names the first that does not hold.
pub fn check_always(books: &Books) -> Result<Checked, Violation> {
    let skus = goods::stock(books)?;
    let payments = money::charges(books)?;
    let (entries, ledgers) = points::ledgers(books)?;
    let orders = books.orders.len();
    Ok(Checked { skus, orders, payments, entries, ledgers, ..Checked::default() })
}

fn policy(books: &Books) -> Result<Policy, Violation> {
    let policy = match &books.policy {
        Some(document) => Policy::parse(document),
        None => Policy::default_document(),
    };
    policy.map_err(|error| Violation::Broken(error.to_string()))
}

impl World {
    /// Checks every invariant. Everything must be delivered before: see
    /// [`World::settle`].
    ///
    /// # Errors
    /// [`Violation`] names the first that does not hold.
    pub async fn check_invariants(&self) -> Result<Checked, Violation> {
        check(&Books::read(self.store()).await?, &self.evidence()?)
    }

    /// Checks what holds at any moment, also while messages are under way.
    ///
    /// # Errors
    /// [`Violation`] names the first that does not hold.
    pub async fn check_always(&self) -> Result<Checked, Violation> {
        check_always(&Books::read_little(self.store()).await?)
    }

    /// What is known outside of this world's tables. Dead letters are left to
    /// [`World::dead_letters`]: a test may want some.
    ///
    /// # Errors
    /// [`Violation::Broken`] when somebody is told what is no message.
    pub fn evidence(&self) -> Result<Evidence, Violation> {
        let messages = self.queue(Queue::Notifications.name());
        let told = messages.iter().map(|message| Envelope::parse(&message.body));
        let told = told.collect::<Result<_, _>>();
        let webhooks = self.merchant().received().into_iter().map(|it| it.id);
        Ok(Evidence {
            told: Some(told.map_err(|error| Violation::Broken(error.to_string()))?),
            taken: Some(self.outside.queues.taken()),
            providers: Some(self.stand_ins().memory(|memory| memory.clone())),
            webhooks: Some(webhooks.collect()),
            parked: Vec::new(),
        })
    }

    /// What lies in the dead-letter queues.
    #[must_use]
    pub fn dead_letters(&self) -> Vec<Parked> {
        let of_queues = Queue::ALL.into_iter().map(queues::dead_letters);
        let of_readers = super::tables::READERS.iter().map(|(reader, _)| *reader);
        let names = of_queues.chain(of_readers.map(queues::dead_letters_of));
        let parked = |name: String| {
            let messages = self.queue(&name).into_iter();
            let parked = move |it: super::Message| Parked {
                queue: name.clone(),
                body: it.body,
                reason: it.reason,
            };
            messages.map(parked).collect::<Vec<_>>()
        };
        names.flat_map(parked).collect()
    }
}
