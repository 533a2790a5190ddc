//! Points that a ticket's operator gives: the entry, the ledger, what the
//! operator gave alone, and the ticket's outcome, in one transaction.

use aftercart::{
    messages::RemedyAsked,
    model::{order::Actor, policy::Policy, text::Text, ticket::RemedyKind},
    run::{
        App, Failure,
        http::Problem,
        metrics::Metric,
        remedies::{self, Asked, Carried, Carry},
    },
    store::{Commit, Key, adjustments},
};

use crate::{
    account, posting,
    rules::remedy::{self, Refusal},
    soundness,
};

/// Gives the points that a ticket asks for, once, to the account in which the
/// member's points are.
///
/// # Errors
/// As [`remedies::carry_out`] has them.
pub(crate) async fn give(
    app: &App,
    asked: &RemedyAsked,
    trace: Option<&str>,
    policy: &Policy,
) -> Result<(), Failure> {
    remedies::carry_out(app, asked, trace, &Giving { app, policy }).await
}

struct Giving<'a> {
    app: &'a App,
    policy: &'a Policy,
}

impl Carry for Giving<'_> {
    async fn carry(&self, asked: &Asked) -> Result<Carried, Failure> {
        post(self.app, asked, self.policy).await
    }
}

/// One batched read, two if the member's account flows into another.
async fn post(app: &App, asked: &Asked, policy: &Policy) -> Result<Carried, Failure> {
    let Asked { ticket, remedy } = asked;
    let customer = &ticket.customer;
    let RemedyKind::Points { points } = &remedy.kind else {
        return Err(Failure::poison(format!("the remedy of {} is not points", ticket.id)));
    };
    if !customer.is_member() {
        let detail = "Guests have no account for points. Give money back, or call.";
        return Err(Problem::forbidden(detail).into());
    }
    let operator = match &remedy.by {
        Actor::Operator(name) => Some(name),
        Actor::Buyer | Actor::Rule => None,
    };
    let keys = operator.map(Key::alone).into_iter().chain([Key::ledger(customer)]);
    let found = app.store.read(&keys.collect::<Vec<_>>()).await?;
    let before = account::spent_from(app, found.ledger(customer)?).await?;
    let mut alone = operator.map(|name| found.alone(name)).transpose()?;
    let (mut ledger, now) = (before.clone(), app.now());
    let changed = (&mut ledger, alone.as_mut());
    let after = remedy::post((&ticket.id, &remedy.key), *points, changed, now, policy);
    let after = after.map_err(|refusal| refused(app, refusal))?;
    soundness::check(app, &ledger)?;
    let writes = posting::writes(&before, &ledger, &after.entries, &after.news, policy, now);
    let entry = after.entries.first().and_then(|entry| Text::new(entry.id.as_str()).ok());
    let commit = alone.iter().map(adjustments::save).fold(writes, Commit::with);
    let counts = Some((Metric::PointsAdjusted, i64::from(*points)));
    Ok(Carried { commit, reference: entry, refunds: Vec::new(), counts })
}

fn refused(app: &App, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Nothing | Refusal::TooMany => Problem::forbidden(refusal.to_string()).into(),
        Refusal::Ledger(error) => soundness::refused(app, error),
    }
}
