//! Queue surveys: schedules the invitation to tell about a delivery.
//!
//! The message `parcel.delivered` says only which order to look at. The
//! invitation's identity follows from the order and the occasion, so the
//! message may come any number of times; a later correction of the delivery's
//! time does not move an invitation that is scheduled.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Message, Queue},
    run::{App, Failure, Function, Handling, Invocation, Need, Trigger, batch, metrics::Metric},
    store::{CommitError, Op, Table, surveys},
};

use crate::rules::invitation;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "survey-invite",
    about: "Schedules one survey invitation for each delivered order.",
    trigger: Trigger::Queue(Queue::Surveys),
    needs: &[
        Need::Table(Table::Orders, &[Op::BatchGetItem]),
        Need::Table(Table::Shipments, &[Op::BatchGetItem]),
        Need::Table(Table::Surveys, &[Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(batch::serve(app, call, invite))
}

async fn invite(app: Arc<App>, envelope: Envelope) -> Result<(), Failure> {
    let Message::ParcelDelivered(delivered) = &envelope.message else {
        let kind = envelope.message.kind();
        return Err(Failure::poison(format!("{kind} is no message about surveys")));
    };
    let (customer, order) = (&delivered.customer, &delivered.order);
    let (known, shipment) = app.store.order_and_shipment(customer, order).await?;
    let known = known.ok_or_else(|| Failure::poison(format!("there is no order {order}")))?;
    let policy = app.policy().await?;
    let Some(invite) = invitation::after_delivery(&known, shipment.as_ref(), &policy.surveys)
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
