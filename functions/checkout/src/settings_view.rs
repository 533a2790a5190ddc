//! `GET /policy`, `GET /price-rules` and `GET /exchange-rates`: the documents
//! that hold, the merchant's or the defaults.

use std::sync::Arc;

use aftercart::{
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
    },
    store::{Op, Table},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "settings-view",
    about: "Shows the policy, the price rules or the exchange rates that hold.",
    trigger: Trigger::Http(&[
        Route::operator("GET", "/policy"),
        Route::operator("GET", "/price-rules"),
        Route::operator("GET", "/exchange-rates"),
    ]),
    needs: &[Need::Table(Table::Settings, &[Op::BatchGetItem])],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, view))
}

async fn view(app: Arc<App>, request: Request) -> Answer {
    request.operator()?;
    if request.is_for("/exchange-rates") {
        let (_, rates) = app.paying_terms().await?;
        return Response::json(200, rates.as_ref());
    }
    let (policy, rules) = app.terms().await?;
    match request.is_for("/price-rules") {
        true => Response::json(200, rules.as_ref()),
        false => Response::json(200, policy.as_ref()),
    }
}
