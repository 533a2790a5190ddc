//! Queue orders: does what follows from an order being placed and being paid,
//! and need not be done while its buyer waits.
//!
//! A placed order is counted where the risk rules count, becomes findable by
//! its number and its buyer's e-mail address, and leaves the cart that it came
//! from. A paid one is counted in its member's record and in what is bought
//! together. The messages say only which order to look at; what is true of it
//! now decides, so their order and number do not matter: whatever is there
//! already is not written again.
//!
//! One read of the order and one batched read of the rest. What can be written
//! twice is written by itself, at half the cost of a transaction. A member's
//! record counts an order and knows that it did, in one write; a guest's order,
//! and one that the record has no room for any more, is noted to be counted.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::OrderId,
        order::{Order, OrderStatus},
        policy::Policy,
        product::Sku,
        profile::PaidOrder,
        related,
        risk::Identity,
        text::Text,
        time::Timestamp,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch},
    store::{
        Commit, CommitError, Found, Key, Op, StoreError, Table, customers,
        lookups::{self, Term},
        risk,
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-follow",
    about: "Counts orders and makes them findable, after they were placed and paid.",
    trigger: Trigger::Queue(Queue::Orders),
    needs: &[
        Need::Table(Table::Orders, &[Op::GetItem]),
        Need::Table(Table::Risk, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Lookups, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Carts, &[Op::GetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the facts are read again when other orders of the same buyer or
/// goods were counted meanwhile. What is still contended then comes again with
/// its message.
const ATTEMPTS: u32 = 6;

/// In how many of them goods bought together are counted. In a rush everybody
/// counts the same two SKUs; then the member's record matters more than one
/// order more or less in what goes with what.
const WITH_RELATED: u32 = 2;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, follow))
}

async fn follow(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let (customer, id) = parse(&envelope.message)?;
    let order = app.store.order(customer, id).await?;
    let order = order.ok_or_else(|| Failure::poison(format!("there is no order {id}")))?;
    if let Some(cart) = &order.cart {
        app.store.end_cart(cart, &order, app.now()).await?;
    }
    count(&app, &Following::of(&order, &*app.policy().await?)).await
}

fn parse(message: &Message) -> Result<(&CustomerId, &OrderId), Failure> {
    match message {
        Message::OrderPlaced(placed) => Ok((&placed.customer, &placed.order)),
        Message::OrderPaid(paid) => Ok((&paid.customer, &paid.order)),
        other => Err(Failure::poison(format!("nothing follows from {} here", other.kind()))),
    }
}

/// Reads, decides and writes, until there is nothing left to write.
async fn count(app: &App, following: &Following<'_>) -> Result<(), Failure> {
    for attempt in 0..ATTEMPTS {
        let found = app.store.read(&following.keys()).await?;
        let mut lost = false;
        for commit in following.commits(&found, attempt < WITH_RELATED)? {
            match app.store.commit(commit).await {
                Ok(()) => {}
                Err(CommitError::Lost(_)) => lost = true,
                Err(error) => return Err(error.into()),
            }
        }
        if !lost {
            return Ok(());
        }
    }
    Err(Failure::retry(format!("others counted {ATTEMPTS} times while this was read")))
}

/// An order and what follows from it.
struct Following<'a> {
    order: &'a Order,
    policy: &'a Policy,
    identity: Identity,
    terms: [Term; 2],
    /// When it was paid, and what was bought together; an order that was paid
    /// and called off since counts for nothing.
    paid: Option<(Timestamp, Vec<(Sku, Text<80>)>)>,
}

impl<'a> Following<'a> {
    fn of(order: &'a Order, policy: &'a Policy) -> Self {
        let paid_at = order.paid_at.filter(|_| order.status == OrderStatus::Paid);
        let paid = paid_at.map(|at| (at, related::together(&order.lines)));
        // A guest's single line has nothing to be counted in.
        let paid = paid.filter(|(_, goods)| order.customer.is_member() || !goods.is_empty());
        Self { order, policy, identity: Identity::of(order), terms: Term::of(order), paid }
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys = risk::seen_keys(&self.policy.risk, &self.identity);
        keys.extend(self.terms.iter().map(|term| term.key(self.order)));
        if let Some((_, goods)) = &self.paid {
            keys.push(Key::counted(&self.order.id));
            keys.extend(goods.iter().map(|(sku, _)| Key::related(sku)));
            if self.order.customer.is_member() {
                keys.push(Key::profile(&self.order.customer));
            }
        }
        keys
    }

    /// What is not written yet.
    fn commits(&self, found: &Found, related: bool) -> Result<Vec<Commit>, StoreError> {
        let order = self.order;
        let mut commits: Vec<Commit> = Vec::new();
        for term in self.terms.iter().filter(|term| !found.is_named(term, order)) {
            commits.push(lookups::name(term, order).into());
        }
        for (kind, digest) in self.identity.among(&self.policy.risk.counted()) {
            let seen = found.seen(kind, digest)?.with(&order.id, order.placed_at);
            commits.extend(seen.map(|seen| risk::see(kind, digest, &seen).into()));
        }
        if let Some((paid_at, goods)) = &self.paid
            && !self.is_counted(found)?
        {
            let goods = if related { goods.as_slice() } else { &[] };
            commits.push(self.counting(*paid_at, goods, found)?);
        }
        Ok(commits)
    }

    fn is_counted(&self, found: &Found) -> Result<bool, StoreError> {
        let Order { id, customer, .. } = self.order;
        let noted = found.is_counted(id);
        Ok(noted || (customer.is_member() && found.profile(customer)?.counted.contains_key(id)))
    }

    fn counting(
        &self,
        paid_at: Timestamp,
        goods: &[(Sku, Text<80>)],
        found: &Found,
    ) -> Result<Commit, StoreError> {
        let order = self.order;
        let mut commit = Commit::new();
        if order.customer.is_member() {
            let paid = PaidOrder {
                order: order.id.clone(),
                paid_at,
                placed_at: order.placed_at,
                total: order.total,
                method: order.delivery.method.clone(),
            };
            let profile = found.profile(&order.customer)?;
            commit = commit.with(customers::count_paid(&profile, &paid));
            for (left, at) in profile.leaving(&paid) {
                commit = commit.with(lookups::count_once(&left, at));
            }
        } else {
            commit = commit.with(lookups::count_once(&order.id, paid_at));
        }
        for (sku, _) in goods {
            let others = goods.iter().filter(|(other, _)| other != sku);
            let related = found.related(sku)?.with(others);
            commit = commit.with(lookups::relate(sku, &related));
        }
        Ok(commit)
    }
}
