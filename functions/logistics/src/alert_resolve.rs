//! `POST /operator/alerts/{id}/resolution`: says how somebody saw to an alert.
//!
//! The alert and its shipment are one transaction, so an alert ends once,
//! however often the call is made, and by how many people at a time: the same
//! end again is answered as the first, another one is refused. What the alert
//! kept from being raised is looked at again.

use std::sync::Arc;

use aftercart::{
    model::{
        alert::{Alert, Ended},
        dispatch::Dispatch,
        id::AlertId,
        order::Actor,
    },
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{Commit, CommitError, Op, Sends, Table, alerts, shipments},
};

use crate::wire::alert::{AlertFile, ResolveAlert};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "alert-resolve",
    about: "Notes how somebody saw to something about a delivery.",
    trigger: Trigger::Http(&[Route::operator("POST", "/operator/alerts/{id}/resolution")]),
    needs: &[Need::Table(Table::Shipments, &[Op::GetItem, Op::UpdateItem])],
    handle,
};

/// How often the alert is read again when somebody changed it, or the
/// shipments, meanwhile.
const TRIES: u32 = 4;

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, resolve))
}

async fn resolve(app: Arc<App>, request: Request) -> Answer {
    let by = Actor::Operator(request.operator_name()?);
    let id = request.named("id", "alert", AlertId::parse)?;
    let ResolveAlert { how, note } = request.json()?;
    for _ in 0..TRIES {
        let alert = app.store.alert(&id).await?.ok_or_else(|| Problem::not_found("alert"))?;
        if let Some(ended) = &alert.ended {
            if ended.how == how {
                return Response::json(200, &AlertFile::from(alert));
            }
            let detail = "It ended in another way: read it again.";
            return Err(Problem::new(409, "alert-ended", "The alert has ended", detail).into());
        }
        let ended = Ended { at: app.now(), by: by.clone(), how, note: note.clone() };
        let shipments = app.store.dispatch(&alert.order).await?;
        let shipments = shipments.and_then(|shipments| without(shipments, &alert, &ended));
        let shipments = shipments.ok_or_else(|| Failure::bug("an alert that no shipment has"))?;
        let commit = Commit::new()
            .with(alerts::end(&id, &ended, &Sends::none())?)
            .with(shipments::save(&shipments, &Sends::none())?);
        match app.store.commit(commit).await {
            Ok(()) => {
                tracing::info!(alert = id.as_str(), kind = alert.kind.as_str(), "resolved");
                return Response::json(
                    200,
                    &AlertFile::from(Alert { ended: Some(ended), ..alert }),
                );
            }
            Err(CommitError::Lost(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::retry(format!("the alert {id} kept changing")))
}

/// The shipments when the alert has ended, to be looked at again at once.
fn without(mut shipments: Dispatch, alert: &Alert, ended: &Ended) -> Option<Dispatch> {
    let raised = shipments.shipment_mut(&alert.shipment)?.alerts.get_mut(&alert.kind)?;
    (raised.ended_at, raised.untold) = (Some(ended.at), false);
    shipments.look_by(ended.at);
    Some(shipments)
}
