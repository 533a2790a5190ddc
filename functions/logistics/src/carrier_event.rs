//! `POST /carriers/{carrier}/events`: takes what a carrier tells of parcels.
//!
//! The signature is checked over the raw bytes, and the body is read into
//! pushes. Each joins the set of what its parcel was told of, in one write
//! which has a condition: that it tells something new. So the same again, in
//! whatever order its scans come, writes nothing and is acknowledged the same;
//! what all of it amounts to is found out later. The pushes of a call are
//! written side by side: one round trip.
//!
//! - An unknown carrier: 404.
//! - A signature that does not hold: 401, and counted.
//! - A signed body that cannot be read: counted, and kept if the policy keeps
//!   bodies. It is acknowledged, because sending it again would not make it
//!   readable; only the merchant's own carrier is told what is wrong, in a 400.
//! - A scan, or a parcel of several, that cannot be read: counted with each call,
//!   and left out; if none of a call can be, its body is kept by the policy, too.
//! - A code that is not in the carrier's table: kept as `unknown`, and counted
//!   with each call that tells something new.
//!
//! If the policy keeps bodies, the body is written beside the pushes, and again
//! with each repetition, so that it is there when the call is acknowledged.

use std::sync::Arc;

use aftercart::{
    model::{shipment::Carrier, signature::SignatureError},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request},
        metrics::Metric,
        secrets::Secret,
    },
    store::{Op, Table},
};
use futures::future;

use crate::{
    carriers::{self, Malformed, Reading, Signed},
    recording::{Received, by},
};

/// The largest body that is taken: EasyPost sends the whole history of a
/// parcel each time, at some 400 bytes a scan.
pub const BODY_MAX: usize = 256 * 1024;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "carrier-event",
    about: "Takes what a carrier tells of parcels, signed.",
    trigger: Trigger::Http(&[Route::open("POST", "/carriers/{carrier}/events")]),
    needs: &[
        Need::Table(Table::Tracking, &[Op::PutItem, Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Carriers),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(BODY_MAX, app, call, take))
}

async fn take(app: Arc<App>, request: Request) -> Answer {
    let carrier = request.named("carrier", "carrier", |name| Carrier::parse(name).ok_or(()))?;
    let adapter = carriers::of(carrier);
    let (now, body) = (app.now(), request.body());
    let credentials = app.secrets.credentials(Secret::Carriers, carrier.as_str(), now).await?;
    let header = |name: &str| request.header(name);
    let call = Signed { credentials: &credentials, header: &header, body, now };
    adapter.verify(&call).map_err(|error| refused(&app, carrier, error))?;
    let received = Received { app: &app, carrier, body, trace: request.trace(), now };
    match adapter.read(body, now) {
        Ok(reading) => told(&received, &reading).await?,
        Err(malformed) => unreadable(&received, malformed).await?,
    }
    adapter.acknowledge(&call)
}

/// A call whose signature does not hold.
fn refused(app: &App, carrier: Carrier, error: SignatureError) -> Problem {
    app.metrics.count_by(Metric::CarrierRejected, &by(carrier), app.now());
    if error == SignatureError::NoSecret {
        tracing::error!(%carrier, "has no webhook secret; its events are refused");
    }
    Problem::bad_signature(format!("The call is refused: {error}."))
}

/// Writes down what was told that is new, and keeps the body.
async fn told(received: &Received<'_>, reading: &Reading) -> Result<(), Failure> {
    if let Some(why) = reading.ignored {
        tracing::info!(carrier = %received.carrier, why, "ignored");
    }
    let first = reading.told.first().map(|push| &push.tracking.number);
    if first.is_none() && !reading.is_unreadable() {
        return received.record(reading).await.map(drop);
    }
    let (written, kept) = future::join(received.record(reading), received.keep(first)).await;
    written.and(kept)
}

/// A signed body that cannot be read.
async fn unreadable(received: &Received<'_>, malformed: Malformed) -> Result<(), Failure> {
    let (carrier, field) = (received.carrier, malformed.field.as_str());
    tracing::warn!(%carrier, field, "a signed body cannot be read");
    received.app.metrics.count_by(Metric::CarrierUnreadable, &by(carrier), received.now);
    received.keep(None).await?;
    match carrier {
        Carrier::Generic => Err(Problem::invalid(malformed.field, malformed.detail).into()),
        _ => Ok(()),
    }
}
