//! The invariants of the design, checked over everything that is kept.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        alert::Alert,
        contact::{Cap, Contactee, Purpose},
        customer::CustomerId,
        dispatch::{Direction, Dispatch, Shipment},
        id::{AlertId, InviteId, OrderId, PaymentId},
        order::{LevelPart, Order, OrderStatus},
        payment::PaymentEventKind,
        points::{Account, Cause, Entry, Holder, Ledger, audit::Rebuilt},
        policy::Policy,
        product::Sku,
        programme::earning::EarningPolicy,
        stock::LocationId,
        survey::{Audience, Invite, InviteStatus, Occasion, SurveysPolicy, Touchpoint},
        time::Timestamp,
    },
    store::{Key, audit::Stock, payments::PaymentHistory},
};
use aftercart_points::rules::{earn::in_money, undo};
use aftercart_relay::rules::batching::depends;
use aftercart_surveys::rules::invitation;

use super::{World, WorldError};

mod remedies;

/// What was checked, and how much of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Checked {
    /// SKUs whose levels are their movements less what living orders took.
    pub skus: usize,
    /// Orders.
    pub orders: usize,
    /// Payments that are accepted by an order or due for a refund.
    pub payments: usize,
    /// Paid orders whose goods are all in their shipments.
    pub shipments: usize,
    /// Alerts about deliveries, open exactly where their shipments say so.
    pub alerts: usize,
    /// Entries that sum to zero.
    pub entries: usize,
    /// Ledgers that equal their entries and lots.
    pub ledgers: usize,
    /// Invitations, one a touchpoint and cause.
    pub invites: usize,
    /// People who were asked within the caps.
    pub contacted: usize,
    /// What was done because of tickets, once each.
    pub remedies: usize,
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
            alerts: self.alerts + other.alerts,
            entries: self.entries + other.entries,
            ledgers: self.ledgers + other.ledgers,
            invites: self.invites + other.invites,
            contacted: self.contacted + other.contacted,
            remedies: self.remedies + other.remedies,
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
        checked.alerts = self.check_alerts().await?;
        (checked.entries, checked.ledgers) = self.check_points(&orders, &policy).await?;
        (checked.invites, checked.contacted) = self.check_surveys(&orders, &policy).await?;
        checked.remedies = self.check_remedies(&orders).await?;
        checked.messages = self.check_messages().await?;
        Ok(checked)
    }

    /// A part of a level is the sum of its movements less what living orders
    /// have of it: dead ones hold nothing. No more is sold than came in, and may
    /// be sold before.
    async fn check_stock(&self, orders: &[Order]) -> Result<usize, Violation> {
        let mut taken: BTreeMap<LevelPart, i64> = BTreeMap::new();
        for (part, units) in orders.iter().flat_map(Order::taken) {
            *taken.entry(part).or_default() += i64::from(units);
        }
        let stock = self.store().all_stock().await?;
        let skus: BTreeSet<&Sku> = stock.keys().map(|(sku, ..)| sku).collect();
        let keys: Vec<Key> = skus.iter().map(|sku| Key::product(sku)).collect();
        let products = self.store().read(&keys).await?;
        let mut sums: BTreeMap<(&Sku, &LocationId), i64> = BTreeMap::new();
        for (part, level) in &stock {
            let taken = taken.remove(part).unwrap_or(0);
            must(level.available == level.moved - taken, || {
                let Stock { moved, available } = level;
                format!("of {part:?} came in {moved}, went {taken}, are left {available}")
            })?;
            *sums.entry((&part.0, &part.1)).or_default() += level.available;
        }
        must(taken.is_empty(), || format!("orders took what never came in: {taken:?}"))?;
        for ((sku, location), units) in sums {
            let product = products.product(sku)?;
            let preorder = product.and_then(|it| it.access.preorder);
            let beyond = preorder.map_or(0, |it| i64::from(it.units));
            must(units >= -beyond, || format!("{units} units of {sku} are left at {location}"))?;
        }
        Ok(skus.len())
    }

    /// Every accepted payment is its order's one charge, or one that the order
    /// could not take; every order that was paid has its charge, unless nothing
    /// was due. No more of an order's price goes back than was paid, and all of
    /// it when the order was called off.
    async fn check_payments(&self, orders: &[Order]) -> Result<usize, Violation> {
        let by_id: BTreeMap<&OrderId, &Order> =
            orders.iter().map(|order| (&order.id, order)).collect();
        let mut charges: BTreeMap<&OrderId, Vec<PaymentId>> = BTreeMap::new();
        let mut checked = 0;
        for PaymentHistory { attempt, events, .. } in self.store().all_payments().await? {
            let succeeded = events.iter().any(|it| it.kind == PaymentEventKind::Succeeded);
            let (Some(attempt), true) = (attempt, succeeded) else { continue };
            let order = by_id.get(&attempt.order).copied();
            let Some(order) = order else {
                return must(false, || format!("{} paid an order that is not there", attempt.id))
                    .map(|()| 0);
            };
            if !order.unaccepted(&attempt.id) {
                charges.entry(&order.id).or_default().push(attempt.id);
            }
            checked += 1;
        }
        for order in orders {
            let accepted = charges.get(&order.id).map_or(0, Vec::len);
            let due = order.paid_at.is_some() && order.total.minor() > 0;
            must(accepted == usize::from(due), || {
                format!("{} is {} and has {accepted} charges", order.id, order.status)
            })?;
            let dues = order.refunds_due.iter().filter(|it| it.cause.is_of_the_price());
            let back: i64 = dues.map(|it| it.amount.minor()).sum();
            let whole = order.status == OrderStatus::Cancelled && order.paid_at.is_some();
            let most = if order.paid_at.is_some() { order.total.minor() } else { 0 };
            must((0..=most).contains(&back) && (!whole || back == most), || {
                format!("of {most} that was paid for {} go {back} back", order.id)
            })?;
        }
        Ok(checked)
    }

    /// A paid order that is not held has its shipments, which go and carry what
    /// it has, from where it was taken; those of one that is held, or was called
    /// off after it was paid, are stopped, and none has a label; no other order
    /// has any. What is sent again is of a shipment that left.
    async fn check_shipments(&self, orders: &[Order]) -> Result<usize, Violation> {
        let dispatches = self.store().all_dispatches().await?;
        let mut of_order: BTreeMap<&OrderId, &Dispatch> =
            dispatches.iter().map(|it| (&it.order, it)).collect();
        let mut sent = 0;
        for order in orders {
            let dispatch = of_order.remove(&order.id);
            let goes = order.status == OrderStatus::Paid && order.held_at.is_none();
            let fits = match dispatch {
                Some(it) => {
                    let stopped = it.stopped_at.is_some();
                    order.paid_at.is_some()
                        && stopped != goes
                        && !(stopped && it.leaving().is_some())
                }
                None => !goes,
            };
            must(fits, || {
                format!("{} is {}, its shipments: {dispatch:?}", order.id, order.status)
            })?;
            let Some(dispatch) = dispatch else { continue };
            check_goods(order, dispatch)?;
            sent += usize::from(goes);
        }
        must(of_order.is_empty(), || format!("shipments without orders: {of_order:?}"))?;
        Ok(sent)
    }

    /// An alert is open when its shipment says so, and no other is.
    async fn check_alerts(&self) -> Result<usize, Violation> {
        let alerts = self.store().all_alerts().await?;
        let open = alerts.iter().filter(|it| it.ended.is_none()).map(|it| it.id.clone());
        let open: BTreeSet<AlertId> = open.collect();
        let mut named = BTreeSet::new();
        for shipment in self.store().all_dispatches().await?.iter().flat_map(|it| &it.shipments) {
            let raised = shipment.alerts.iter().filter(|(_, it)| it.ended_at.is_none());
            named.extend(raised.map(|(kind, it)| Alert::identity(&shipment.id, *kind, it.since)));
        }
        must(named == open, || {
            let torn: Vec<_> = named.symmetric_difference(&open).collect();
            format!(
                "alerts are open, and their shipments say otherwise, or the other way: {torn:?}"
            )
        })?;
        Ok(alerts.len())
    }

    /// Entries sum to zero, ledgers are what their entries amount to, what is
    /// pending is what earnings wait with, unpaid orders hold the points that
    /// are to pay for them and no others do, and every paid order of a member
    /// earned once and spent what it says, but for what was called off. What it
    /// earned is what the base rate gives, if the policy has no rules of earning.
    async fn check_points(
        &self,
        orders: &[Order],
        policy: &Policy,
    ) -> Result<(usize, usize), Violation> {
        let all = self.store().all_points().await?;
        let mut rebuilt: BTreeMap<&CustomerId, Rebuilt> = BTreeMap::new();
        let mut of_orders: BTreeMap<&OrderId, OfOrder<'_>> = BTreeMap::new();
        for entry in &all.entries {
            let sums = rebuilt.entry(&entry.customer).or_default();
            let added = sums.add(entry);
            added.map_err(|error| Violation::Broken(format!("{}: {error}", entry.id)))?;
            let Some(order) = order_of(&entry.cause) else { continue };
            of_orders.entry(order).or_default().add(entry);
        }
        for ledger in &all.ledgers {
            let customer = &ledger.customer;
            let differences = rebuilt.remove(customer).unwrap_or_default().differences(ledger);
            must(differences.is_empty(), || {
                format!("the ledger of {customer} is not its entries: {differences:?}")
            })?;
            let claims = all.claims.iter().filter(|(of, _)| of == customer);
            let waits: i64 = claims.map(|(_, claim)| claim.points).sum();
            must(waits == ledger.balance(Account::Pending), || {
                format!("earnings of {customer} wait with {waits} points")
            })?;
            check_holds(ledger, orders)?;
        }
        must(rebuilt.is_empty(), || "there are entries without a ledger".to_owned())?;
        for order in orders.iter().filter(|it| it.paid_at.is_some() && it.customer.is_member()) {
            of_orders.remove(&order.id).unwrap_or_default().check(order, policy)?;
        }
        Ok((all.entries.len(), all.ledgers.len()))
    }

    /// What was delivered and kept is asked about, if the policy asks everybody,
    /// and nothing else; who was told is who is marked so; and nobody was
    /// contacted more often in any window than a cap has.
    async fn check_surveys(
        &self,
        orders: &[Order],
        policy: &Policy,
    ) -> Result<(usize, usize), Violation> {
        let all = self.store().all_surveys().await?;
        let invites: BTreeMap<&InviteId, &Invite> =
            all.invites.iter().map(|invite| (&invite.id, invite)).collect();
        self.check_asked(orders, &invites, &policy.surveys).await?;
        let mut contacts: BTreeMap<Contactee, Vec<Timestamp>> = BTreeMap::new();
        let mut told: BTreeMap<InviteId, BTreeSet<bool>> = BTreeMap::new();
        for envelope in self.notifications()? {
            let Message::SurveyInvited(body) = envelope.message else { continue };
            let Some(invite) = invites.get(&body.invite) else { continue };
            if told.entry(body.invite).or_default().insert(body.reminder) {
                let who = Contactee::of(&invite.customer, &invite.email);
                contacts.entry(who).or_default().push(envelope.at);
            }
        }
        for (who, moments) in &contacts {
            let crowded = policy.contact.caps.iter().find(|cap| is_beyond(cap, moments));
            must(crowded.is_none(), || format!("{who:?} was contacted beyond {crowded:?}"))?;
        }
        for invite in &all.invites {
            let reminded = match &invite.status {
                InviteStatus::Scheduled | InviteStatus::Suppressed { .. } => None,
                InviteStatus::Sent { reminded_at, .. } => Some(reminded_at.is_some()),
                // That of which somebody was reminded may be answered later.
                InviteStatus::Answered { .. } => Some(false),
            };
            let mails = told.get(&invite.id);
            let first = mails.is_some_and(|it| it.contains(&false));
            let second = mails.is_some_and(|it| it.contains(&true));
            let answered = matches!(invite.status, InviteStatus::Answered { .. });
            let fits =
                first == reminded.is_some() && (answered || second == (reminded == Some(true)));
            must(fits, || {
                format!("{} is {:?}, and its mail is another matter", invite.id, invite.status)
            })?;
        }
        Ok((all.invites.len(), contacts.len()))
    }

    /// Of each touchpoint that asks everybody after a delivery, each order that
    /// came and was kept has its invitation, and none has one that never came.
    async fn check_asked(
        &self,
        orders: &[Order],
        invites: &BTreeMap<&InviteId, &Invite>,
        policy: &SurveysPolicy,
    ) -> Result<(), Violation> {
        let by_id: BTreeMap<&OrderId, &Order> = orders.iter().map(|it| (&it.id, it)).collect();
        let everybody = |it: &&Touchpoint| it.share == 10_000 && it.audience == Audience::default();
        for dispatch in self.store().all_dispatches().await? {
            let Dispatch { order: id, shipments, .. } = &dispatch;
            let came = shipments.iter().any(|it| it.journey.delivered_at.is_some());
            let kept = by_id.get(id).is_some_and(|order| invitation::is_kept(order));
            let due = dispatch.delivered_at().is_some() && kept;
            for touchpoint in policy.on(Occasion::Delivery).filter(everybody) {
                let identity = invitation::identity(touchpoint, &[id.as_str().to_owned()]);
                let invited = invites.contains_key(&identity);
                must(if invited { came } else { !due }, || {
                    format!("{id} is delivered and not asked about, or the other way round")
                })?;
            }
        }
        Ok(())
    }

    /// Every message that an item carries came to every queue that wants it.
    async fn check_messages(&self) -> Result<usize, Violation> {
        let sends = self.store().all_sends().await?;
        for envelope in &sends {
            // Some go only where the policy of that moment wanted them.
            let sure = |queue: &&Queue| !depends(**queue, &envelope.message);
            for queue in envelope.message.queues().iter().filter(sure) {
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

/// Whether a window of a cap holds more contacts to be asked than it has.
fn is_beyond(cap: &Cap, moments: &[Timestamp]) -> bool {
    let holds = cap.purpose.is_none_or(|it| it == Purpose::Surveys);
    let most = usize::try_from(cap.contacts).unwrap_or(usize::MAX);
    let within = |from: Timestamp| {
        moments.iter().filter(|at| **at >= from && **at < from.plus(cap.window)).count()
    };
    holds && moments.iter().any(|from| within(*from) > most)
}

/// What is sent for the first time is what a living order took, unless nothing
/// is opened yet; what is sent again was sent before.
fn check_goods(order: &Order, dispatch: &Dispatch) -> Result<(), Violation> {
    let mut packed: BTreeMap<(&Sku, &LocationId), u32> = BTreeMap::new();
    let first = |it: &&Shipment| it.direction == Direction::Out && it.replaces.is_none();
    for shipment in dispatch.shipments.iter().filter(first) {
        for line in &shipment.lines {
            *packed.entry((&line.sku, &shipment.location)).or_default() += line.quantity;
        }
    }
    let taken = order.taken();
    let mut has: BTreeMap<(&Sku, &LocationId), u32> = BTreeMap::new();
    for ((sku, location, _), units) in &taken {
        *has.entry((sku, location)).or_default() += units;
    }
    let unopened = dispatch.shipments.is_empty() && dispatch.stopped_at.is_some();
    let same = packed == has || !order.is_living() || unopened;
    must(same, || format!("{} has {has:?}, packed is {packed:?}", order.id))?;
    for again in dispatch.shipments.iter().filter(|it| it.replaces.is_some()) {
        let replaced = again.replaces.as_ref().and_then(|id| dispatch.shipment(id));
        must(replaced.is_some_and(|it| it.has_left() && it.cancelled_at.is_some()), || {
            format!("{} replaces what was not sent", again.id)
        })?;
    }
    Ok(())
}

/// The order that earned, spent or undid what an entry moves.
fn order_of(cause: &Cause) -> Option<&OrderId> {
    match cause {
        Cause::OrderPaid(order)
        | Cause::OrderPoints(order)
        | Cause::OrderCancelled(order)
        | Cause::PointsReturned(order) => Some(order),
        _ => None,
    }
}

/// What the entries about an order amount to.
#[derive(Default)]
struct OfOrder<'a> {
    lines: &'a [i64],
    earned: i64,
    spent: i64,
}

impl<'a> OfOrder<'a> {
    fn add(&mut self, entry: &'a Entry) {
        if matches!(entry.cause, Cause::OrderPaid(_)) {
            self.lines = &entry.lines;
        }
        self.earned -= entry.into(Account::Issued) + entry.into(Account::Cancelled);
        self.spent += entry.into(Account::Spent);
    }

    fn check(self, order: &Order, policy: &Policy) -> Result<(), Violation> {
        let Self { lines, earned, spent } = self;
        let (id, rules) = (&order.id, &policy.points);
        let due = lines.iter().sum::<i64>() - undo::taken(order, lines);
        must(earned == due, || format!("{id} earned {earned}, is due {due}"))?;
        let base = order.lines.iter().map(|it| {
            let tax = if order.tax_included { it.tax.minor() } else { 0 };
            rules.of_line(in_money(it.total.minor(), tax, it.points.minor()))
        });
        let base: Vec<i64> = base.collect();
        let plain = rules.earning == EarningPolicy::default() && rules.tiers.levels.is_empty();
        let same = base == lines || (lines.is_empty() && base.iter().all(|it| *it == 0));
        must(same || !plain, || format!("{id} earned {lines:?}, by the base rate {base:?}"))?;
        let due = order.points.as_ref().map_or(0, |it| it.points) - undo::returned(order);
        must(spent == due, || format!("{id} spent {spent} points, not {due}"))
    }
}

/// What a ledger holds for orders is what its unpaid ones want.
fn check_holds(ledger: &Ledger, orders: &[Order]) -> Result<(), Violation> {
    let customer = &ledger.customer;
    let unpaid = |order: &&Order| order.status == OrderStatus::Placed && order.payer() == customer;
    let wanted: BTreeMap<&OrderId, i64> = orders
        .iter()
        .filter(unpaid)
        .filter_map(|order| Some((&order.id, order.points.as_ref()?.points)))
        .collect();
    let held: BTreeMap<&OrderId, i64> = ledger
        .holds
        .iter()
        .filter_map(|(holder, held)| match holder {
            Holder::Order(order) => Some((order, held.points)),
            _ => None,
        })
        .collect();
    must(held == wanted, || format!("{customer} holds {held:?}, and unpaid orders want {wanted:?}"))
}
