//! Goods that are sent again because a ticket asks for it: as an operator has
//! them sent again, with the ticket's outcome in the same transaction.

use aftercart::{
    messages::RemedyAsked,
    model::{digest, id::ShipmentId, policy::Policy, text::Text, ticket::RemedyKind},
    run::{
        App, Failure,
        http::Problem,
        metrics::Metric,
        remedies::{self, Asked, Carried, Carry},
    },
    store::{Commit, Key},
};

use crate::{
    refusing::refuse,
    replacing::{MAX_WRITES, Replacing},
    rules::change::{self, Opening},
};

/// Sends the goods of a shipment again that a ticket names, all of them, once.
///
/// # Errors
/// As [`remedies::carry_out`] has them.
pub(crate) async fn reship(
    app: &App,
    asked: &RemedyAsked,
    trace: Option<&str>,
) -> Result<(), Failure> {
    let policy = app.policy().await?;
    remedies::carry_out(app, asked, trace, &Reshipping { app, policy: &policy, trace }).await
}

struct Reshipping<'a> {
    app: &'a App,
    policy: &'a Policy,
    trace: Option<&'a str>,
}

impl Carry for Reshipping<'_> {
    async fn carry(&self, asked: &Asked) -> Result<Carried, Failure> {
        send(self.app, asked, self.policy, self.trace).await
    }
}

/// One round trip for the shipments, and those of [`Replacing::decide`].
async fn send(
    app: &App,
    asked: &Asked,
    policy: &Policy,
    trace: Option<&str>,
) -> Result<Carried, Failure> {
    let Asked { ticket, remedy } = asked;
    let RemedyKind::Reship { shipment } = &remedy.kind else {
        return Err(Failure::poison(format!("the remedy of {} sends nothing again", ticket.id)));
    };
    let order = ticket.links.order.as_ref().ok_or_else(|| Problem::not_found("order"))?;
    let found = app.store.read(&[Key::dispatch(order)]).await?;
    let dispatch = found.dispatch(order)?.filter(|it| it.customer == ticket.customer);
    let dispatch = dispatch.ok_or_else(|| Problem::not_found("shipment"))?;
    let id =
        ShipmentId::derive(&[order.as_str(), "remedy", ticket.id.as_str(), remedy.key.as_str()]);
    let request = digest::short(&[shipment.as_str().as_bytes()]);
    let opening = Opening { id, request, lines: Vec::new() };
    let reference = Text::new(opening.id.as_str()).ok();
    let (commit, counts) = match change::opened(&dispatch, &opening).map_err(refuse)? {
        Some(_) => (Commit::new(), None),
        None => {
            let replacing = Replacing {
                app,
                policy,
                dispatch: &dispatch,
                shipment,
                opening: &opening,
                location: None,
                room: MAX_WRITES - remedies::OWN_WRITES,
                now: app.now(),
                trace,
            };
            (replacing.decide().await?.1, Some((Metric::ShipmentOpened, 1)))
        }
    };
    Ok(Carried { commit, reference, refunds: Vec::new(), counts })
}
