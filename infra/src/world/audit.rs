//! The invariants of the design, checked over everything that is kept.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        order::{Order, OrderStatus},
        payment::PaymentEventKind,
        points::{Account, Ledger, apply},
        policy::Policy,
        product::Sku,
        survey::InviteStatus,
        time::Timestamp,
    },
    store::payments::PaymentHistory,
};

use super::{World, WorldError};

/// What was checked, and how much of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// SKUs whose level is their receipts less what living orders took.
    pub skus: usize,
    /// Orders.
    pub orders: usize,
    /// Payments that are accepted by an order or due for a refund.
    pub payments: usize,
    /// Paid orders that have their shipment.
    pub shipments: usize,
    /// Entries that sum to zero.
    pub entries: usize,
    /// Ledgers that equal their entries and lots.
    pub ledgers: usize,
    /// Invitations, one an order and touchpoint.
    pub invites: usize,
    /// Customers who were contacted within the budget.
    pub contacted: usize,
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
            shipments: self.shipments + other.shipments,
            entries: self.entries + other.entries,
            ledgers: self.ledgers + other.ledgers,
            invites: self.invites + other.invites,
            contacted: self.contacted + other.contacted,
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
    Unread(#[from] WorldError),
}

impl From<aftercart::store::StoreError> for Violation {
    fn from(error: aftercart::store::StoreError) -> Self {
        Self::Unread(error.into())
    }
}

/// Refuses what does not hold.
fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation::Broken(otherwise())) }
}

impl World {
    /// Checks every invariant. Everything must be delivered before: see
    /// [`World::settle`].
    ///
    /// # Errors
    /// [`Violation`] names the first that does not hold.
    pub async fn check_invariants(&self) -> Result<Checked, Violation> {
        let document = self.store().policy_document().await?;
        let policy = document.map_or_else(Policy::default_document, |text| Policy::parse(&text));
        let policy = policy.map_err(|error| Violation::Broken(error.to_string()))?;
        let orders = self.store().all_orders().await?;
        let mut checked = Checked { orders: orders.len(), ..Checked::default() };
        checked.skus = self.check_stock(&orders).await?;
        checked.payments = self.check_payments(&orders).await?;
        checked.shipments = self.check_shipments(&orders).await?;
        (checked.entries, checked.ledgers) = self.check_points(&orders, &policy).await?;
        (checked.invites, checked.contacted) = self.check_surveys(&policy).await?;
        checked.messages = self.check_messages().await?;
        Ok(checked)
    }

    /// No more is sold than came in, and a level is what came in less what
    /// living orders took: dead ones hold nothing.
    async fn check_stock(&self, orders: &[Order]) -> Result<usize, Violation> {
        let mut taken: BTreeMap<&Sku, i64> = BTreeMap::new();
        let living =
            |order: &&Order| matches!(order.status, OrderStatus::Placed | OrderStatus::Paid);
        for line in orders.iter().filter(living).flat_map(|order| &order.lines) {
            *taken.entry(&line.sku).or_default() += i64::from(line.quantity);
        }
        let stock = self.store().all_stock().await?;
        for (sku, level) in &stock {
            let taken = taken.remove(sku).unwrap_or(0);
            must(level.available >= 0 && level.available == level.received - taken, || {
                format!(
                    "of {sku} came in {}, went {taken}, are left {}",
                    level.received, level.available
                )
            })?;
        }
        must(taken.is_empty(), || format!("orders took what never came in: {taken:?}"))?;
        Ok(stock.len())
    }

    /// Every accepted payment is its order's one charge, or due for a refund;
    /// every paid order has its charge, unless nothing was due.
    async fn check_payments(&self, orders: &[Order]) -> Result<usize, Violation> {
        let by_id: BTreeMap<&OrderId, &Order> =
            orders.iter().map(|order| (&order.id, order)).collect();
        let mut charges: BTreeMap<&OrderId, Vec<PaymentId>> = BTreeMap::new();
        let mut checked = 0;
        for PaymentHistory { attempt, events } in self.store().all_payments().await? {
            let succeeded = events.iter().any(|it| it.kind == PaymentEventKind::Succeeded);
            let (Some(attempt), true) = (attempt, succeeded) else { continue };
            let order = by_id.get(&attempt.order).copied();
            let Some(order) = order else {
                return must(false, || format!("{} paid an order that is not there", attempt.id))
                    .map(|()| 0);
            };
            let refund = order.refunds_due.iter().any(|due| due.payment == attempt.id);
            if !refund {
                charges.entry(&order.id).or_default().push(attempt.id);
            }
            checked += 1;
        }
        for order in orders {
            let accepted = charges.get(&order.id).map_or(0, Vec::len);
            let due = order.status == OrderStatus::Paid && order.total.minor() > 0;
            must(accepted == usize::from(due), || {
                format!("{} is {} and has {accepted} charges", order.id, order.status)
            })?;
        }
        Ok(checked)
    }

    async fn check_shipments(&self, orders: &[Order]) -> Result<usize, Violation> {
        let shipments = self.store().all_shipments().await?;
        let shipped: BTreeSet<&OrderId> = shipments.iter().map(|it| &it.order).collect();
        let paid = orders.iter().filter(|order| order.status == OrderStatus::Paid);
        let paid: BTreeSet<&OrderId> = paid.map(|order| &order.id).collect();
        must(shipments.len() == shipped.len(), || "an order has two shipments".to_owned())?;
        must(shipped == paid, || {
            let odd: Vec<_> = shipped.symmetric_difference(&paid).collect();
            format!("paid orders and shipped orders differ: {odd:?}")
        })?;
        Ok(shipments.len())
    }

    /// Entries sum to zero, ledgers equal their entries and lots, and every
    /// paid order of a member earned what the policy gives, once.
    async fn check_points(
        &self,
        orders: &[Order],
        policy: &Policy,
    ) -> Result<(usize, usize), Violation> {
        let all = self.store().all_points().await?;
        let mut balances: BTreeMap<&CustomerId, BTreeMap<Account, i64>> = BTreeMap::new();
        let mut earned = BTreeMap::new();
        for entry in &all.entries {
            let balances = balances.entry(&entry.customer).or_default();
            apply(balances, &entry.postings)
                .map_err(|error| Violation::Broken(format!("{}: {error}", entry.id)))?;
            let issued = entry.postings.iter().filter(|it| it.account == Account::Issued);
            earned.insert(entry.id.clone(), issued.map(|it| -it.points).sum::<i64>());
        }
        for ledger in &all.ledgers {
            must(ledger.check().is_ok(), || format!("the ledger of {} is torn", ledger.customer))?;
            let mut entries = balances.remove(&ledger.customer).unwrap_or_default();
            entries.retain(|_, points| *points != 0);
            let mut kept = ledger.balances.clone();
            kept.retain(|_, points| *points != 0);
            must(entries == kept, || {
                format!("the ledger of {} is not its entries", ledger.customer)
            })?;
        }
        must(balances.is_empty(), || "there are entries without a ledger".to_owned())?;
        for order in orders.iter().filter(|it| it.status == OrderStatus::Paid) {
            let lines = order.lines.iter().map(|line| policy.points.of_line(line.total));
            let due = if order.customer.is_member() { lines.sum() } else { 0 };
            let entry = Ledger::earning(&order.customer, &order.id);
            let earned = earned.get(&entry).copied().unwrap_or(0);
            must(earned == due, || format!("{} earned {earned}, is due {due}", order.id))?;
        }
        Ok((all.entries.len(), all.ledgers.len()))
    }

    /// One invitation an order and touchpoint, and never more contacts in any
    /// window than the budget has.
    async fn check_surveys(&self, policy: &Policy) -> Result<(usize, usize), Violation> {
        let all = self.store().all_surveys().await?;
        let mut asked = BTreeSet::new();
        let mut invites = BTreeMap::new();
        for invite in &all.invites {
            must(asked.insert(&invite.order), || format!("{} is asked about twice", invite.order))?;
            invites.insert(invite.id.clone(), invite);
        }
        for shipment in self.store().all_shipments().await? {
            let invited = asked.contains(&shipment.order);
            must(invited == shipment.journey.delivered_at.is_some(), || {
                format!("{} is delivered and not asked about, or the other way round", shipment.id)
            })?;
        }
        let mut contacts: BTreeMap<&CustomerId, BTreeSet<Timestamp>> = BTreeMap::new();
        let mut sent = BTreeSet::new();
        for envelope in self.notifications()? {
            let Message::SurveyInvited(body) = envelope.message else { continue };
            let Some(invite) = invites.get(&body.invite) else { continue };
            contacts.entry(&invite.customer).or_default().insert(envelope.at);
            sent.insert(body.invite);
        }
        let most = usize::try_from(policy.surveys.contacts).unwrap_or(usize::MAX);
        for (customer, moments) in &contacts {
            let crowded = moments
                .iter()
                .any(|from| moments.range(*from..from.plus(policy.surveys.window)).count() > most);
            must(!crowded, || format!("{customer} was contacted beyond the budget"))?;
        }
        for invite in &all.invites {
            let told =
                matches!(invite.status, InviteStatus::Sent { .. } | InviteStatus::Answered(_));
            must(told == sent.contains(&invite.id), || {
                format!("{} is {:?}, and its mail is another matter", invite.id, invite.status)
            })?;
        }
        Ok((all.invites.len(), contacts.len()))
    }

    /// Every message that an item carries came to every queue that wants it.
    async fn check_messages(&self) -> Result<usize, Violation> {
        let sends = self.store().all_sends().await?;
        for envelope in &sends {
            for queue in envelope.message.queues() {
                must(self.outside.queues.took(*queue, envelope.id.as_str()), || {
                    format!("{} never came to {queue}", envelope.id)
                })?;
            }
        }
        Ok(sends.len())
    }

    /// What people were to be told, as far as it was not fetched yet.
    fn notifications(&self) -> Result<Vec<Envelope>, Violation> {
        let messages = self.queue(Queue::Notifications.name());
        let read = messages.iter().map(|message| Envelope::parse(&message.body));
        read.collect::<Result<_, _>>().map_err(|error| Violation::Broken(error.to_string()))
    }
}
