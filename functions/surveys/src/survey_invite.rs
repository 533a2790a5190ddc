//! Queue surveys: schedules the invitations to tell about what happened, and
//! suppresses those about goods of which nothing was kept.
//!
//! The messages say only which order, member or ticket to look at; what is true
//! of it then decides. Who is asked about it at all follows from the touchpoints
//! of the policy: audience, sample. An invitation's identity follows from its
//! touchpoint and its cause, so a message may come any number of times, and is
//! put if nobody put it. What changes later, such as a refund, a parcel that
//! goes back, a ticket that is opened again, is seen when the invitation is due.
//!
//! A decision is one batch of reads and one write an invitation. For another
//! tier it is one more: a member is reached as the last order says.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        contact::Contactee,
        customer::CustomerId,
        dispatch::Dispatch,
        id::{OrderId, TicketId},
        order::Order,
        policy::Policy,
        survey::{Occasion, Suppression},
        text::Text,
        ticket::TicketStatus,
        time::Timestamp,
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{Commit, CommitError, Index, Key, Op, Table, contacts, surveys},
};

use crate::rules::{
    invitation::{self, Happening},
    sending,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-invite",
    about: "Schedules survey invitations, one a touchpoint and cause.",
    trigger: Trigger::Queue(Queue::Surveys),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::GetItem]),
        Need::Index(Table::Orders, Index::ByTime),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Customers, &[Op::BatchGetItem]),
        Need::Table(Table::Points, &[Op::GetItem]),
        Need::Table(Table::Tickets, &[Op::GetItem]),
        Need::Table(Table::Surveys, &[Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, invite))
}

async fn invite(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let policy = app.policy().await?;
    match &envelope.message {
        Message::OrderPaid(paid) => {
            let asked = [Occasion::Checkout, Occasion::Relationship];
            if !policy.surveys.asks_on(&asked) {
                return Ok(());
            }
            let known = known(&app, &paid.customer, &paid.order).await?;
            schedule(&app, &invitation::paid(&known.order, known.tier.as_ref()), &policy).await
        }
        Message::ParcelDelivered(it) => of_goods(&app, &it.customer, &it.order, &policy).await,
        Message::OrderRefunded(it) => of_goods(&app, &it.customer, &it.order, &policy).await,
        Message::TierChanged(it) => of_tier(&app, &it.customer, &policy).await,
        Message::TicketSolved(it) => of_ticket(&app, &it.ticket, it.at, &policy).await,
        other => Err(Failure::poison(format!("{} is no message about surveys", other.kind()))),
    }
}

/// What is known of an order.
struct Known {
    order: Order,
    dispatch: Option<Dispatch>,
    /// The buyer's tier.
    tier: Option<Text<40>>,
}

async fn known(app: &App, customer: &CustomerId, order: &OrderId) -> Result<Known, Failure> {
    let mut keys = vec![Key::order(customer, order), Key::dispatch(order)];
    keys.extend(customer.is_member().then(|| Key::profile(customer)));
    let found = app.store.read(&keys).await?;
    let known = found.order(customer, order)?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let tier = if customer.is_member() { found.profile(customer)?.tier } else { None };
    Ok(Known { order: known, dispatch: found.dispatch(order)?, tier })
}

/// What arrived, and what went back.
async fn of_goods(
    app: &App,
    customer: &CustomerId,
    order: &OrderId,
    policy: &Policy,
) -> Result<(), Failure> {
    let Known { order, dispatch, tier } = known(app, customer, order).await?;
    let (dispatch, tier) = (dispatch.as_ref(), tier.as_ref());
    if !invitation::is_kept(&order) {
        suppress(app, &order, policy).await?;
    }
    let mut happened = invitation::delivered(&order, dispatch, tier);
    happened.extend(invitation::returned(&order, dispatch, tier));
    schedule(app, &happened, policy).await
}

/// A member whose tier is another one. Nothing is asked of who never ordered:
/// it is not known how they are reached.
async fn of_tier(app: &App, customer: &CustomerId, policy: &Policy) -> Result<(), Failure> {
    if !policy.surveys.asks_on(&[Occasion::Tier]) {
        return Ok(());
    }
    let (ledger, orders) =
        futures::try_join!(app.store.ledger(customer), app.store.orders_of(customer, None, 1))?;
    let (Some(since), Some(last)) = (ledger.standing.since, orders.items.first()) else {
        return Ok(());
    };
    let Some(last) = app.store.order(customer, last).await? else { return Ok(()) };
    let tier = ledger.standing.tier.as_ref();
    schedule(app, &[invitation::tiered(tier, since, &last)], policy).await
}

/// A ticket that was solved, unless it was opened again since.
async fn of_ticket(
    app: &App,
    ticket: &TicketId,
    at: Timestamp,
    policy: &Policy,
) -> Result<(), Failure> {
    if !policy.surveys.asks_on(&[Occasion::Solved]) {
        return Ok(());
    }
    let known = app.store.ticket(ticket).await?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no ticket {ticket}")))?;
    if known.status != TicketStatus::Solved || known.solved_at != Some(at) {
        return Ok(());
    }
    schedule(app, &[invitation::solved(&known, at)], policy).await
}

async fn schedule(app: &App, happened: &[Happening], policy: &Policy) -> Result<(), Failure> {
    for happening in happened {
        for invite in invitation::invites(happening, &policy.surveys) {
            let products = invitation::named(happening, &invite, &policy.surveys);
            write(app, surveys::schedule(&invite, products), Metric::SurveyInvited).await?;
        }
    }
    Ok(())
}

/// Nothing to do when there is no invitation, or it is sent or suppressed.
async fn suppress(app: &App, order: &Order, policy: &Policy) -> Result<(), Failure> {
    for invite in invitation::of_goods(order, &policy.surveys) {
        let (now, why) = (app.now(), Suppression::NothingKept);
        let who = Contactee::of(&order.customer, &order.contact.email);
        let entry = sending::entry(&invite, who, false, Some(sending::withheld(why)), now);
        let commit = Commit::from(surveys::suppress(&invite, now, why));
        let commit = entry.iter().map(contacts::note).fold(commit, Commit::with);
        write(app, commit, Metric::SurveySuppressed).await?;
    }
    Ok(())
}

async fn write(app: &App, write: impl Into<Commit>, metric: Metric) -> Result<(), Failure> {
    match app.store.commit(write).await {
        Ok(()) => {
            app.metrics.count(metric, app.now());
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
