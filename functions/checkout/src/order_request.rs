//! Queue `order-requests`: changes orders because somebody asked for it
//! elsewhere.
//!
//! `remedy.refund_asked` gives back money that a ticket asks for, as
//! [`crate::order_refund`] does: it says what is to have gone back in all. The
//! order and the outcome in the ticket are one transaction, so it goes back
//! once. What the order refuses, and what brings no money back (it went back
//! before, or nothing was paid for it), ends the remedy with the reason.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        id::RefundId,
        order::Order,
        text::Text,
        ticket::{RemedyKind, Ticket},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger, batch,
        http::{Buyer, Problem},
        metrics::Metric,
        remedies::{self, Asked, Carried, Carry},
    },
    store::{Op, Table},
};

use crate::{
    changing::{self, Prepared},
    order_refund,
    rules::{
        change::{By, Units},
        refund::{self, Wanted},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "order-request",
    about: "Gives back money of orders that tickets ask for.",
    trigger: Trigger::Queue(Queue::OrderRequests),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem, Op::UpdateItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Tickets, &[Op::BatchGetItem, Op::PutItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, take))
}

async fn take(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let trace = envelope.trace.as_deref();
    let Message::RefundAsked(asked) = &envelope.message else {
        return Err(Failure::poison("only remedy.refund_asked is for this queue"));
    };
    remedies::carry_out(&app, asked, trace, &GivingBack { app: &app, trace }).await
}

struct GivingBack<'a> {
    app: &'a App,
    trace: Option<&'a str>,
}

impl Carry for GivingBack<'_> {
    async fn carry(&self, asked: &Asked) -> Result<Carried, Failure> {
        give_back(self.app, asked, self.trace).await
    }
}

/// One round trip.
async fn give_back(app: &App, asked: &Asked, trace: Option<&str>) -> Result<Carried, Failure> {
    let Asked { ticket, remedy } = asked;
    let wanted = order_refund::checked(parse(ticket, &remedy.kind)?)?;
    let order = ticket.links.order.clone().ok_or_else(|| Problem::not_found("order"))?;
    let asked = Buyer { customer: ticket.customer.clone(), order };
    let why = Text::new(&format!("The ticket {}.", ticket.id)).ok();
    let by = By { who: remedy.by.clone(), at: app.now(), why };
    let decide = |order: &Order, _: Option<&_>| refund::decide(order, &wanted, &by);
    let Prepared { outcome, commit, .. } = changing::prepare(app, &asked, trace, decide).await?;
    let (before, after) = (&outcome.before.refunds_due, &outcome.order.refunds_due);
    let refunds = after.iter().filter(|due| !before.contains(due)).map(|due| due.id.clone());
    let refunds: Vec<RefundId> = refunds.collect();
    if refunds.is_empty() {
        // Units for which nothing is left would only be marked as given back.
        let detail = "No money is left to go back for this: all of it went back before, or \
                      nothing was paid for it. Say what is to have gone back in all.";
        return Err(Problem::invalid("remedy", detail).into());
    }
    let reference = refunds.first().and_then(|id| Text::new(id.as_str()).ok());
    Ok(Carried { commit, reference, refunds, counts: Some((Metric::RefundDue, 1)) })
}

fn parse(ticket: &Ticket, kind: &RemedyKind) -> Result<Wanted, Failure> {
    let RemedyKind::Refund { lines, delivery, goodwill } = kind else {
        return Err(Failure::poison(format!("the remedy of {} is no refund", ticket.id)));
    };
    let lines = lines.iter().map(|(sku, units)| (sku.clone(), *units));
    let lines = Units::distinct(lines).map_err(changing::twice)?;
    Ok(Wanted { lines, delivery: *delivery, goodwill: *goodwill })
}
