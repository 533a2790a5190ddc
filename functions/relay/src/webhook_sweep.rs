//! Every minute: sends again what endpoints of the merchant did not take.
//!
//! Endpoints are seen to side by side, each with its own share of the run, so
//! that none waits for another, whatever it does. One that does not answer is
//! left alone for a while that grows, then called with one message: if it takes
//! it, the others follow at once. What waits while an endpoint stays silent for
//! days is given up without a call. What waits for a secret to be signed with
//! waits on, untried and unread, and the log says so once a run.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aftercart::{
    model::{
        time::Timestamp,
        webhook::{Delivery, DeliveryState, DeliveryStatus, Endpoint, Health},
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Trigger,
        schedule::{self, Outcome as Seen, Swept},
        secrets::Secret,
    },
    store::{Index, Key, Op, Table},
};
use futures::future::join_all;

use crate::{
    calling,
    rules::{
        health::{self, Gate},
        retry::{self, LIFE},
    },
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "webhook-sweep",
    about: "Sends messages again that systems of the merchant did not take.",
    trigger: Trigger::Schedule("rate(1 minute)"),
    needs: &[
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Table(Table::Webhooks, &[Op::BatchGetItem, Op::PutItem, Op::UpdateItem]),
        Need::Index(Table::Webhooks, Index::ByDue),
        Need::Secret(Secret::Webhooks),
        Need::Outgoing,
    ],
    handle,
};

/// The most messages to one endpoint that one run sees to: at a tenth of a
/// second a call, four side by side, ten seconds' work.
const EACH_MAX: u16 = 400;

/// How many messages one endpoint gets side by side.
const ROW: usize = 4;

/// When nothing new is begun in a run: a row whose endpoint is silent takes 15
/// seconds more, and the next run comes after a minute.
const BEGIN_WITHIN: Duration = Duration::from_secs(35);

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(schedule::serve(app, call, sweep))
}

async fn sweep(app: Arc<App>) -> Result<Swept, Failure> {
    let (started, policy) = (Instant::now(), app.policy().await?);
    let endpoints = policy.webhooks.endpoints.iter().filter(|it| it.enabled);
    let endpoints: Vec<&Endpoint> = endpoints.collect();
    if endpoints.is_empty() {
        return Ok(Swept::default());
    }
    let keys: Vec<Key> = endpoints.iter().map(|it| Key::webhook_health(&it.id)).collect();
    let found = app.store.read(&keys).await?;
    let lanes = endpoints.iter().map(|endpoint| async {
        let mut swept = Swept::default();
        match found.webhook_health(&endpoint.id) {
            Ok(health) => run(&app, endpoint, health, started, &mut swept).await,
            Err(error) => failed(&mut swept, endpoint, error.into()).await,
        }
        swept
    });
    let swept = join_all(lanes).await;
    Ok(swept.into_iter().fold(Swept::default(), Swept::plus))
}

async fn failed(swept: &mut Swept, endpoint: &Endpoint, failure: Failure) {
    swept.see_to(endpoint.id.as_str(), async { Err(failure) }).await;
}

/// Sees to what is due of one endpoint.
async fn run(
    app: &App,
    endpoint: &Endpoint,
    mut health: Health,
    started: Instant,
    swept: &mut Swept,
) {
    match calling::can_sign(app, &endpoint.id).await {
        Ok(true) => {}
        Ok(false) => return,
        Err(failure) => return failed(swept, endpoint, failure).await,
    }
    let mut gate = health::gate(&health, app.now());
    if gate == Gate::Probe {
        health = send(app, endpoint, health, (1, started), swept).await;
        gate = health::gate(&health, app.now());
    }
    match gate {
        Gate::Pass => {
            send(app, endpoint, health, (EACH_MAX, started), swept).await;
        }
        // A probe that found nothing to send.
        Gate::Probe => {}
        Gate::Shut => bury(app, endpoint, swept).await,
    }
}

/// Sends what is due, a row at a time, until the endpoint takes nothing any
/// more or the time is over. How its calls went then.
async fn send(
    app: &App,
    endpoint: &Endpoint,
    mut health: Health,
    (most, started): (u16, Instant),
    swept: &mut Swept,
) -> Health {
    let due = match due(app, endpoint, app.now(), most).await {
        Ok(due) => due,
        Err(failure) => {
            failed(swept, endpoint, failure).await;
            return health;
        }
    };
    for row in due.chunks(ROW) {
        if started.elapsed() > BEGIN_WITHIN {
            tracing::warn!(endpoint = endpoint.id.as_str(), "the rest is put off");
            break;
        }
        let calls = row.iter().map(|delivery| calling::call(app, endpoint, delivery));
        for (delivery, outcome) in row.iter().zip(join_all(calls).await) {
            let work = async {
                let outcome = outcome?;
                health = calling::note_health(app, &endpoint.id, health, &outcome).await?;
                calling::note(app, delivery, &outcome).await.map(|()| Seen::Done)
            };
            swept.see_to(delivery.id.as_str(), work).await;
        }
        if health.open_until.is_some() {
            break;
        }
    }
    health
}

/// Gives up what has waited as long as any message does. Nothing waits longer
/// than [`LIFE`] after it was last due, so what was due that long ago is old.
async fn bury(app: &App, endpoint: &Endpoint, swept: &mut Swept) {
    let old = match due(app, endpoint, app.now().minus(LIFE), EACH_MAX).await {
        Ok(old) => old,
        Err(failure) => return failed(swept, endpoint, failure).await,
    };
    for delivery in old {
        let work = async {
            let after = retry::given_up(&delivery, app.now());
            calling::write(app, &delivery, &after).await.map(|()| Seen::Done)
        };
        swept.see_to(delivery.id.as_str(), work).await;
    }
}

/// What was due by a moment. The index lags, so the deliveries themselves say
/// what is.
async fn due(
    app: &App,
    endpoint: &Endpoint,
    by: Timestamp,
    most: u16,
) -> Result<Vec<Delivery>, Failure> {
    let partition = (DeliveryStatus::Waiting, &endpoint.id);
    let ids = app.store.webhooks_between(partition, (Timestamp::EPOCH, by), most).await?;
    let keys: Vec<Key> = ids.iter().map(Key::webhook).collect();
    let found = app.store.read(&keys).await?;
    let mut due = Vec::with_capacity(ids.len());
    for id in &ids {
        let delivery = found.webhook(id)?;
        let waits = |it: &Delivery| matches!(it.state, DeliveryState::Waiting(at) if at <= by);
        due.extend(delivery.filter(waits));
    }
    Ok(due)
}
