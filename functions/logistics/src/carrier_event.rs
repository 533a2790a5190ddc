//! `POST /carriers/{carrier}/events`: takes what a carrier tells of a parcel.
//!
//! The signature is checked over the raw bytes, the body is read into a push,
//! and the push is written with one conditional write, under a name that
//! follows from its content. So the same push again, in whatever order its
//! scans come, writes nothing and is acknowledged the same; what the pushes of
//! a parcel amount to is found out later, from all of them.
//!
//! A code that is not in the carrier's table is kept as `unknown`, and counted
//! when it is first told.

use std::sync::Arc;

use aftercart::{
    messages::{Message, TrackingReceived},
    model::{
        shipment::{Carrier, Push},
        signature::SignatureError,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        metrics::Metric,
        secrets::Secret,
    },
    store::{CommitError, Op, Sends, Table, parcels},
};
use secrecy::ExposeSecret as _;

use crate::{
    carriers::{self, Adapter, Reading, Signed},
    wire::Acknowledged,
};

/// The largest body that is taken: EasyPost sends the whole history of a
/// parcel each time, at some 400 bytes a scan.
const BODY_MAX: usize = 256 * 1024;

/// See the module.
pub const FUNCTION: Function = Function {
    name: "carrier-event",
    about: "Takes what a carrier tells of a parcel, signed.",
    trigger: Trigger::Http(&[Route::open("POST", "/carriers/{carrier}/events")]),
    needs: &[Need::Table(Table::Tracking, &[Op::PutItem]), Need::Secret(Secret::Carriers)],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve_up_to(BODY_MAX, app, call, take))
}

async fn take(app: Arc<App>, request: Request) -> Answer {
    let parse = |name: &str| Carrier::parse(name).ok_or(());
    let carrier = request.named("carrier", "carrier", parse)?;
    let adapter = carriers::of(carrier);
    verify(&app, adapter, carrier, &request).await?;
    let read = adapter.read(request.body(), app.now()).map_err(|malformed| {
        app.metrics.count(Metric::CarrierRejected, app.now());
        Problem::invalid(malformed.field, malformed.detail)
    });
    match read? {
        Reading::Told { push, unknown_codes, unreadable } => {
            if unreadable > 0 {
                tracing::warn!(%carrier, unreadable, "scans without a time or a code were left out");
            }
            record(&app, &push, unknown_codes, request.trace()).await?;
        }
        Reading::Ignored(why) => tracing::info!(%carrier, why, "ignored"),
    }
    Response::json(200, &Acknowledged {})
}

async fn verify(
    app: &App,
    adapter: &dyn Adapter,
    carrier: Carrier,
    request: &Request,
) -> Result<(), Failure> {
    let now = app.now();
    let credentials = app.secrets.credentials(Secret::Carriers, carrier.as_str(), now).await?;
    let secrets: Vec<&str> =
        credentials.webhook_secrets.iter().map(|secret| secret.expose_secret()).collect();
    let signed = Signed { header: &|name| request.header(name), body: request.body() };
    adapter.verify(&signed, &secrets, now).map_err(|error| {
        app.metrics.count(Metric::CarrierRejected, now);
        if error == SignatureError::NoSecret {
            tracing::error!(%carrier, "has no webhook secret; its events are refused");
        }
        Problem::bad_signature(format!("{}.", sentence(&error.to_string()))).into()
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

async fn record(
    app: &App,
    push: &Push,
    unknown_codes: u32,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let now = app.now();
    let received = TrackingReceived { tracking: push.tracking.clone() };
    let sends = Sends::one(Message::TrackingReceived(received), now, trace);
    match app.store.commit(parcels::record(push, &sends)).await {
        Ok(()) if unknown_codes > 0 => {
            app.metrics.add(Metric::UnknownCarrierCode, i64::from(unknown_codes), now);
            Ok(())
        }
        // A push that is there was told before.
        Ok(()) | Err(CommitError::Lost(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
