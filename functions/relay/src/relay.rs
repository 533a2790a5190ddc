//! Forwards the messages of changed items to their queues.
//!
//! Every batch is tried, whatever became of those before it, so that one queue
//! in trouble keeps no other waiting. A change of which any message was not
//! taken comes again with all that follow it; what was taken is then sent
//! twice, which receivers do not notice.
//!
//! The queue of webhooks gets what the endpoints of the policy want, and that of
//! surveys what its touchpoints ask about. The policy is looked at once a minute
//! at most, and only when there is something that depends on it; if it cannot
//! be read, the queues get all of that.

use std::sync::Arc;

use aftercart::{
    messages::{Envelope, Queue},
    model::policy::Policy,
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        queues::BATCH_MAX,
        stream::{self, Changed},
    },
    store::{Op, Table},
};

use crate::rules::batching::{self, Batch};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "relay",
    about: "Forwards the messages of committed writes from the tables' streams to the queues.",
    trigger: Trigger::Stream(&[
        Table::Stock,
        Table::Orders,
        Table::Payments,
        Table::Shipments,
        Table::Tracking,
        Table::Points,
        Table::Surveys,
        Table::Carts,
        Table::Tickets,
    ]),
    needs: &[
        Need::Queue(Queue::Payments),
        Need::Queue(Queue::Shipments),
        Need::Queue(Queue::Tracking),
        Need::Queue(Queue::Points),
        Need::Queue(Queue::Surveys),
        Need::Queue(Queue::Feedback),
        Need::Queue(Queue::Care),
        Need::Queue(Queue::Contacts),
        Need::Queue(Queue::OrderRequests),
        Need::Queue(Queue::Orders),
        Need::Queue(Queue::ProviderCalls),
        Need::Queue(Queue::LatePayments),
        Need::Queue(Queue::Webhooks),
        Need::Queue(Queue::Notifications),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(stream::serve(app, call, forward))
}

/// How many changes, from the first on, have had all of their messages taken.
async fn forward(app: Arc<App>, changes: Vec<Changed>) -> Result<usize, Failure> {
    let messages: Vec<&[Envelope]> =
        changes.iter().map(|change| change.messages.as_slice()).collect();
    let known = if batching::depend_on_the_policy(&messages) { policy(&app).await } else { None };
    let mut failed = Vec::new();
    for batch in batching::batches(&messages, known.as_deref(), BATCH_MAX).map_err(Failure::bug)? {
        failed.extend(send(&app, &batch).await);
    }
    let done = batching::done(changes.len(), &failed);
    tracing::info!(changes = changes.len(), done, "relayed");
    Ok(done)
}

async fn policy(app: &App) -> Option<Arc<Policy>> {
    match app.policy().await {
        Ok(policy) => Some(policy),
        Err(error) => {
            tracing::warn!(%error, "what endpoints and surveys want is not known");
            None
        }
    }
}

/// The changes whose messages of this batch were not taken.
async fn send(app: &App, batch: &Batch<'_>) -> Vec<usize> {
    let envelopes: Vec<&Envelope> = batch.messages.iter().map(|message| message.envelope).collect();
    match app.queues.send(batch.queue, &envelopes).await {
        Ok(refused) => batch.changes_of(&refused),
        Err(failure) => {
            let (queue, class) = (batch.queue.name(), failure.class());
            tracing::error!(queue, class, error = %failure, "a batch was not taken");
            batch.messages.iter().map(|message| message.change).collect()
        }
    }
}
