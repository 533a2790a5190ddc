//! Queue points: posts the points that paid orders earn and spend, starts the
//! clock of what they earn at delivery, and undoes what is called off.
//!
//! The messages `order.paid`, `order.cancelled`, `order.refunded` and
//! `parcel.delivered` say only which order to look at; what is true of it now
//! decides, so their order and number do not matter. An earning is one batched
//! read and one transaction of two writes: the entry, whose identity keeps an
//! order from earning twice, and the ledger, whose version keeps two writers
//! apart. The entry itself is not read first when an order was paid, because it
//! is there only when a message comes again: its condition tells. The spending
//! of points that were held is one write more. For the other messages the
//! order's entries and the record of what was undone are read, too; that
//! record's condition keeps a difference from being moved twice. `apology.due`
//! gives points for money that came too late and for a bad delivery, each once
//! for an order; `action.done` those for something that a member did, each once
//! for a deed; `remedy.points_asked` those that a ticket asks for, with the
//! outcome in the ticket.

use std::sync::Arc;

use aftercart::{
    messages::{ActionDone, Envelope, Message},
    model::{
        customer::CustomerId,
        id::OrderId,
        order::Order,
        points::{Apology, Earning, Entry, Holder, Ledger},
        policy::Policy,
        time::Timestamp,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Conflict, Key, Op, StoreError, Table, Write, points},
};

use crate::{
    acting, linking, posting, redeeming, remedying,
    rules::{
        actions::Action,
        apology,
        orders::{self, Facts, Posted, Posting},
        undo,
    },
    scoring, soundness, tiering,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "points-post",
    about: "Posts the points that orders earn and spend, undoes what is called off, and makes good.",
    trigger: Trigger::Queue(aftercart::messages::Queue::Points),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::Query, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

/// How often the facts are read again when somebody else changed the ledger.
/// What is still contended then comes again with its message.
const ATTEMPTS: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, post))
}

async fn post(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    if let Message::RedemptionChanged(changed) = &envelope.message {
        let policy = app.policy().await?;
        return redeeming::follow(&app, &changed.redemption, &policy).await;
    }
    if let Message::ActionDone(done) = &envelope.message {
        return act(&app, done, envelope.at).await;
    }
    if let Message::PointsAsked(asked) = &envelope.message {
        let policy = app.policy().await?;
        return remedying::give(&app, asked, envelope.trace.as_deref(), &policy).await;
    }
    if let Message::PointsBegun(begun) = &envelope.message {
        return scoring::register(&app, &begun.customer).await;
    }
    if let Message::PointsFlowing(flowing) = &envelope.message {
        let policy = app.policy().await?;
        return linking::flow(&app, &flowing.customer, &policy).await;
    }
    if let Message::TierChanged(changed) = &envelope.message {
        let policy = app.policy().await?;
        return tiering::follow(&app, &changed.customer, &policy).await;
    }
    if let Message::PointsEarned(earned) = &envelope.message {
        let policy = app.policy().await?;
        return scoring::score(&app, &earned.customer, &policy).await;
    }
    let (customer, order) = parse(&envelope.message)?;
    if !customer.is_member() {
        return Ok(());
    }
    let policy = app.policy().await?;
    match &envelope.message {
        Message::ApologyDue(_) => apologise(&app, customer, order, &policy).await,
        // That nothing of it is written is likely, and soon known.
        Message::OrderPaid(_) => follow(&app, customer, order, true, &policy).await,
        _ => follow(&app, customer, order, false, &policy).await,
    }
}

/// Gives the points for a deed that was done at this moment, once.
async fn act(app: &App, done: &ActionDone, at: Timestamp) -> Result<(), Failure> {
    if !done.customer.is_member() {
        return Ok(());
    }
    let policy = app.policy().await?;
    let action = Action { kind: done.action, reference: done.reference.clone(), at };
    acting::act(app, &done.customer, &action, &policy).await.map(drop)
}

fn parse(message: &Message) -> Result<(&CustomerId, &OrderId), Failure> {
    match message {
        Message::OrderPaid(paid) => Ok((&paid.customer, &paid.order)),
        Message::OrderCancelled(cancelled) => Ok((&cancelled.customer, &cancelled.order)),
        Message::OrderRefunded(refunded) => Ok((&refunded.customer, &refunded.order)),
        Message::ApologyDue(due) => Ok((&due.customer, &due.order)),
        Message::ParcelDelivered(delivered) => Ok((&delivered.customer, &delivered.order)),
        other => Err(Failure::poison(format!("{} is no message about points", other.kind()))),
    }
}

/// Makes the points of an order follow from it, in its buyer's ledger and, if
/// another account's points pay for it, in that one's. `unposted`: nothing of
/// it is likely to be written.
async fn follow(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    unposted: bool,
    policy: &Policy,
) -> Result<(), Failure> {
    let payer = follow_in(app, customer, (customer, order), unposted, policy).await?;
    match payer {
        Some(payer) => follow_in(app, &payer, (customer, order), unposted, policy).await.map(drop),
        None => Ok(()),
    }
}

/// Makes one ledger follow from an order. Whose points pay for it, if not its
/// buyer's.
async fn follow_in(
    app: &App,
    account: &CustomerId,
    order: (&CustomerId, &OrderId),
    unposted: bool,
    policy: &Policy,
) -> Result<Option<CustomerId>, Failure> {
    let mut unposted = unposted;
    for _ in 0..ATTEMPTS {
        let (payer, decided) = decide(app, account, order, unposted, policy).await?;
        let Some(decided) = decided else { return Ok(payer) };
        let (commit, earning) = decided.writes(app, policy)?;
        match app.store.commit(commit).await {
            Ok(()) => {
                if earning {
                    count(app, &decided.posting);
                }
                return Ok(payer);
            }
            Err(CommitError::Lost(_)) => unposted = false,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}

/// What was decided of an order, and of what.
struct Decided {
    ledger: Ledger,
    posted: Posted,
    posting: Posting,
}

/// Loads the facts, in one round trip (two when something may be posted), and
/// decides.
async fn decide(
    app: &App,
    account: &CustomerId,
    (customer, order): (&CustomerId, &OrderId),
    unposted: bool,
    policy: &Policy,
) -> Result<(Option<CustomerId>, Option<Decided>), Failure> {
    let keys = [
        Key::order(customer, order),
        Key::dispatch(order),
        Key::ledger(account),
        Key::profile(customer),
    ];
    let found = app.store.read(&keys).await?;
    let known = found.order(customer, order)?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let (dispatch, profile) = (found.dispatch(order)?, found.profile(customer)?);
    let (ledger, posted) = match unposted && !undo::applies(&known) {
        true => (found.ledger(account)?, Posted::nothing(account, &known)),
        false => posted(app, account, &known).await?,
    };
    let facts = Facts {
        order: &known,
        dispatch: dispatch.as_ref(),
        ledger: &ledger,
        profile: &profile,
        posted: &posted,
        now: app.now(),
    };
    let posting = orders::decide(facts, policy).map_err(|error| soundness::refused(app, error))?;
    let payer = Some(known.payer()).filter(|payer| *payer != customer).cloned();
    Ok((payer, posting.map(|posting| Decided { ledger, posted, posting })))
}

/// A ledger, and what is written of an order in it.
async fn posted(
    app: &App,
    customer: &CustomerId,
    order: &Order,
) -> Result<(Ledger, Posted), Failure> {
    let id = &order.id;
    let paid_at = order.paid_at.unwrap_or(order.placed_at);
    let spending = Ledger::spending(customer, &Holder::Order(id.clone()));
    let keys = [
        Key::entry(customer, paid_at, &Ledger::earning(customer, id)),
        Key::entry(customer, paid_at, &spending),
        Key::undone(customer, id),
        Key::ledger(customer),
    ];
    let found = app.store.read(&keys).await?;
    let [earning, spending, ..] = keys;
    let posted = Posted {
        earned: found.earning(&earning)?,
        spent: found.entry(&spending)?,
        undone: found.undone(customer, id)?,
    };
    Ok((found.ledger(customer)?, posted))
}

impl Decided {
    /// What is written, and whether an earning is among it.
    fn writes(&self, app: &App, policy: &Policy) -> Result<(Commit, bool), Failure> {
        let Self { ledger, posted, posting } = self;
        soundness::check(app, &posting.ledger)?;
        let earning = earning(posted.earned.as_ref(), posting.earned.as_ref())?;
        let undone = (posting.undone != posted.undone)
            .then(|| points::undo(&posted.undone, &posting.undone));
        let Posting { ledger: now, entries, news, .. } = posting;
        let rest = posting::writes(ledger, now, entries, news, policy, app.now());
        let earned = posted.earned.is_none() && earning.is_some();
        Ok((earning.into_iter().chain(undone).collect::<Commit>().and(rest), earned))
    }
}

/// The write of an earning that is new or changed.
fn earning(before: Option<&Earning>, now: Option<&Earning>) -> Result<Option<Write>, StoreError> {
    match (before, now) {
        (None, Some(now)) => Ok(Some(points::post_earning(now))),
        (Some(before), Some(now)) if before != now => {
            points::save_claim(&now.entry, &before.claim, &now.claim).map(Some)
        }
        _ => Ok(None),
    }
}

fn count(app: &App, posting: &Posting) {
    let earned = posting.earned.as_ref().map_or(0, |it| it.entry.moved());
    app.metrics.add(Metric::PointsPosted, earned, app.now());
}

/// Gives the points of every apology that is due for an order, each once.
async fn apologise(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    policy: &Policy,
) -> Result<(), Failure> {
    for of in [Apology::LatePayment, Apology::Delivery] {
        apologise_for(app, of, (customer, order), policy).await?;
    }
    Ok(())
}

/// One apology: in one batched read, and one transaction of the entry and the
/// ledger.
async fn apologise_for(
    app: &App,
    of: Apology,
    (customer, order): (&CustomerId, &OrderId),
    policy: &Policy,
) -> Result<(), Failure> {
    let keys = [Key::order(customer, order), Key::dispatch(order), Key::ledger(customer)];
    for _ in 0..ATTEMPTS {
        let found = app.store.read(&keys).await?;
        let known = found.order(customer, order)?;
        let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
        let (dispatch, before) = (found.dispatch(order)?, found.ledger(customer)?);
        let facts = apology::Facts {
            order: &known,
            dispatch: dispatch.as_ref(),
            ledger: &before,
            now: app.now(),
        };
        let decided = apology::decide(of, facts, policy).map_err(Failure::poison)?;
        let Some((entry, ledger)) = decided else { return Ok(()) };
        soundness::check(app, &ledger)?;
        let entries: [Entry; 1] = [entry];
        let commit = posting::writes(&before, &ledger, &entries, &[], policy, app.now());
        match app.store.commit(commit).await {
            Ok(()) => return Ok(()),
            // The entry is there.
            Err(CommitError::Lost(lost)) if Conflict::at(&lost, 0).is_some() => return Ok(()),
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the ledger changed {ATTEMPTS} times while it was read")))
}
