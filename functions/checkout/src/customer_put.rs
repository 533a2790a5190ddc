//! `PUT /customers/{id}`: sets a member's tier, segments and birthday.
//!
//! One update, so that an order which is counted at the same moment is not
//! forgotten. Safe to repeat. Orders that were placed keep their prices. While
//! the policy has levels of membership, the points programme says who has which
//! tier: then none is taken here, and the record keeps the one that it has.

use std::{collections::BTreeSet, sync::Arc};

use aftercart::{
    model::{profile::MAX_SEGMENTS, text::Text},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
    },
    store::{
        Op, Table,
        customers::{self, TierByHand},
    },
};

use crate::{
    member,
    wire::customer::{PutCustomer, StandingView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "customer-put",
    about: "Sets a member's tier, segments and birthday.",
    trigger: Trigger::Http(&[Route::operator("PUT", "/customers/{id}")]),
    needs: &[
        Need::Table(Table::Customers, &[Op::UpdateItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, put))
}

async fn put(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    let customer = member::in_path(&request)?;
    let PutCustomer { tier, segments, birthday } = request.json()?;
    // A set: the order says nothing, and the same name twice no more than once.
    let segments: BTreeSet<Text<40>> = segments.into_iter().collect();
    if segments.len() > MAX_SEGMENTS {
        let detail = format!("A member is in at most {MAX_SEGMENTS} segments.");
        return Err(Problem::invalid("segments", detail).into());
    }
    let segments: Vec<Text<40>> = segments.into_iter().collect();
    let by_hand = match (app.policy().await?.points.tiers.levels.is_empty(), &tier) {
        (true, tier) => TierByHand::Set(tier.as_ref()),
        (false, None) => TierByHand::Kept,
        (false, Some(_)) => {
            let detail = "Tiers follow from the points programme: leave the tier out, \
                or give one with POST /operator/customers/{id}/tier.";
            let problem = Problem::new(409, "tier-earned", "The tier is earned", detail);
            return Err(problem.at("tier").into());
        }
    };
    app.store.commit(customers::set(&customer, by_hand, &segments, birthday)).await?;
    Response::json(200, &StandingView { id: customer, tier, segments, birthday })
}
