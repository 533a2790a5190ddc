//! Opens a ticket, once, whoever complains.

use aftercart::{
    messages::{Message, TicketNews, TicketWhy},
    model::{
        customer::CustomerId,
        ticket::{Source, Ticket, TicketEntry},
        time::{Period, Timestamp},
    },
    run::{App, Failure, http::Problem, metrics::Metric},
    store::{CommitError, Key, Sends, tickets},
};

use crate::{
    link,
    rules::opening::{self, Complaint, Facts, Refusal},
};

/// The most tickets that customers open by app or account within a day, each
/// with a message to an address and to a desk. A parcel in which everything is
/// wrong has fewer.
const A_DAY_MAX: u16 = 20;

/// A complaint that has its ticket.
pub(crate) struct Opened {
    /// The ticket.
    pub(crate) ticket: Ticket,
    /// Whether it is there since now.
    pub(crate) is_new: bool,
}

/// Opens the ticket of a complaint, with its first entry, what is counted of it
/// and the messages, in one transaction: a desk is told, and so is the customer,
/// with the link to the ticket, if it is said where the API is (`origin`). The
/// same complaint again finds its ticket; None if another complaint has that
/// identity. Two round trips, and one more for a call of the customer's.
///
/// # Errors
/// [`Problem::invalid`] for an order that the customer does not have, a shipment
/// that the order does not have, a desk that is not there, or no address to
/// answer to; a problem `too-many-tickets`; [`Failure`]s of the store.
pub(crate) async fn open(
    app: &App,
    complaint: Complaint,
    (origin, trace): (Option<&str>, Option<&str>),
) -> Result<Option<Opened>, Failure> {
    let (policy, now) = (app.policy().await?, app.now());
    let customer = &complaint.customer;
    let mut keys = vec![Key::ticket(&complaint.id)];
    keys.extend(customer.is_member().then(|| Key::profile(customer)));
    if let Some(order) = &complaint.order {
        keys.extend([Key::order(customer, order), Key::dispatch(order)]);
    }
    let found = app.store.read(&keys).await?;
    if found.ticket(&complaint.id)?.is_some() {
        return replayed(app, &complaint).await;
    }
    if complaint.source == Source::Api && is_busy(app, customer, now).await? {
        let detail = format!("{A_DAY_MAX} tickets were opened within a day; write on one of them.");
        return Err(Problem::new(429, "too-many-tickets", "Too many tickets", detail).into());
    }
    let mut facts = Facts::default();
    if customer.is_member() {
        facts.tier = found.profile(customer)?.tier;
    }
    if let Some(order) = &complaint.order {
        facts.order = found.order(customer, order)?;
        facts.dispatch = found.dispatch(order)?;
        if facts.order.is_none() {
            return Err(Problem::invalid("order", "The customer has no such order.").into());
        }
    }
    let opened = opening::open(complaint.clone(), &facts, &policy.care, now);
    let (ticket, entry) = opened.map_err(refused)?;
    let sends = told(app, &ticket, &entry, (origin, trace), now).await?;
    let commit = tickets::open(&ticket, std::slice::from_ref(&entry), &sends);
    match app.store.commit(commit).await {
        Ok(()) => {
            app.metrics.count(Metric::TicketOpened, now);
            tracing::info!(ticket = ticket.id.as_str(), "opened");
            // As whoever reads it finds it.
            Ok(Some(Opened { ticket: Ticket { version: 1, ..ticket }, is_new: true }))
        }
        Err(CommitError::Lost(_)) => replayed(app, &complaint).await,
        Err(error) => Err(error.into()),
    }
}

/// Whether as many tickets as may be were opened for the customer within a day.
/// Calls that come at the same time may go beyond it together.
async fn is_busy(app: &App, customer: &CustomerId, now: Timestamp) -> Result<bool, Failure> {
    let latest = app.store.tickets_of(customer, None, A_DAY_MAX).await?.items;
    let Some(first) = latest.last().filter(|_| latest.len() >= usize::from(A_DAY_MAX)) else {
        return Ok(false);
    };
    let first = app.store.read(&[Key::ticket(first)]).await?.ticket(first)?;
    Ok(first.is_some_and(|it| it.opened_at > now.minus(Period::of_days(1))))
}

/// The ticket that the same complaint opened before; none if it was another.
async fn replayed(app: &App, complaint: &Complaint) -> Result<Option<Opened>, Failure> {
    let found = app.store.ticket_and_entries(&complaint.id).await?;
    let lost = || Failure::bug(format!("the ticket {} lost to nothing", complaint.id));
    let (ticket, entries): (Ticket, Vec<TicketEntry>) = found.ok_or_else(lost)?;
    let is_same = entries.first().is_some_and(|it| it.request == complaint.request);
    Ok(is_same.then_some(Opened { ticket, is_new: false }))
}

/// The desk is told that the ticket waits, and the customer where it is.
async fn told(
    app: &App,
    ticket: &Ticket,
    entry: &TicketEntry,
    (origin, trace): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<Sends, Failure> {
    let sends = Sends::one(opening::waits(ticket, TicketWhy::Opened), now, trace);
    let Some(origin) = origin else { return Ok(sends) };
    let news = TicketNews {
        ticket: ticket.id.clone(),
        entry: entry.number,
        email: ticket.email.clone(),
        language: ticket.language,
        text: None,
        solved: false,
        link: link::to(app, ticket, origin).await?,
    };
    Ok(sends.and(Message::TicketNews(news), now, trace))
}

fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NoEmail => {
            Problem::invalid("email", "Say where answers go, or name one of the orders.")
        }
        Refusal::UnknownShipment => Problem::invalid("shipment", "The order has no such shipment."),
        Refusal::UnknownDesk => Problem::invalid("desk", "The policy has no such desk."),
    }
}
