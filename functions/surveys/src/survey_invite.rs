//! Queue surveys: schedules the invitation to tell about a delivery, and
//! suppresses it when the order was refunded whole.
//!
//! The messages `parcel.delivered` and `order.refunded` say only which order to
//! look at: one of which its buyer kept something is asked about, and the other
//! is not. The invitation's identity follows from the order and the occasion,
//! so a message may come any number of times. What changes later, such as a
//! refund, a parcel that goes back or another that is sent, is seen when the
//! invitation is due.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    model::{
        customer::CustomerId,
        id::OrderId,
        order::Order,
        survey::{Suppression, Touchpoint},
    },
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{CommitError, Op, Table, surveys},
};

use crate::rules::invitation;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-invite",
    about: "Schedules one survey invitation for each delivered order that was not refunded.",
    trigger: Trigger::Queue(Queue::Surveys),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Surveys, &[Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, invite))
}

async fn invite(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let (customer, order) = parse(&envelope.message)?;
    let (known, dispatch) = app.store.order_and_dispatch(customer, order).await?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    if !invitation::is_kept(&known) {
        return suppress(&app, &known).await;
    }
    let policy = app.policy().await?;
    let Some(invite) = invitation::after_delivery(&known, dispatch.as_ref(), &policy.surveys)
    else {
        return Ok(());
    };
    match app.store.commit(surveys::schedule(&invite)).await {
        Ok(()) => {
            app.metrics.count(Metric::SurveyInvited, app.now());
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn parse(message: &Message) -> Result<(&CustomerId, &OrderId), Failure> {
    match message {
        Message::ParcelDelivered(delivered) => Ok((&delivered.customer, &delivered.order)),
        Message::OrderRefunded(refunded) => Ok((&refunded.customer, &refunded.order)),
        other => Err(Failure::poison(format!("{} is no message about surveys", other.kind()))),
    }
}

/// Nothing to do when there is no invitation, or it is sent or suppressed.
async fn suppress(app: &App, order: &Order) -> Result<(), Failure> {
    let invite = invitation::identity(&order.id, Touchpoint::Delivery);
    let now = app.now();
    match app.store.commit(surveys::suppress(&invite, now, Suppression::NothingKept)).await {
        Ok(()) => {
            app.metrics.count(Metric::SurveySuppressed, now);
            Ok(())
        }
        Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
