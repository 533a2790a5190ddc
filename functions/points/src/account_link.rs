//! Two accounts of one person become one.
//!
//! `GET /me/link-code` shows a code, and `POST /me/links` takes it in another
//! account: the account that shows it flows from then on into the one in which
//! it is entered, so whoever links two has both. Both are told, and within
//! seven days the member of either takes them apart again with
//! `POST /me/links/{id}/undoing`: a code may have been talked out of somebody.
//!
//! Both ledgers, their entries and the record of the link are one transaction,
//! so a link is there or not, however often the call is made: an account that
//! flows into this one already is answered as the first time.

use std::sync::Arc;

use aftercart::{
    model::{id::LinkId, time::Period},
    run::{
        App, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Problem, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    linking::{self, By},
    wire::channels::{LinkAccount, LinkCodeView, LinkView},
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "account-link",
    about: "Links another account of the same person into this one, and undoes that.",
    trigger: Trigger::Http(&[
        Route::shopper("POST", "/me/links"),
        Route::shopper("GET", "/me/link-code"),
        Route::shopper("POST", "/me/links/{id}/undoing"),
    ]),
    needs: &[
        Need::Table(Table::Points, &[Op::BatchGetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

/// How long a code may be entered: long enough to sign in elsewhere.
const CODE_LIFE: Period = Period::of_seconds(600);

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    if request.is_for("/me/link-code") {
        show(&app, &request).await
    } else if request.is_for("/me/links/{id}/undoing") {
        let by = By::Member(request.member()?);
        let id = request.named("id", "link", LinkId::parse)?;
        Response::json(200, &LinkView::from(&linking::part(&app, &id, by).await?))
    } else {
        link(&app, &request).await
    }
}

async fn show(app: &App, request: &Request) -> Answer {
    let customer = request.member()?;
    let until = app.now().plus(CODE_LIFE);
    let code = app.links().await?.account_code(&customer, until);
    Response::json(200, &LinkCodeView { code, until })
}

async fn link(app: &App, request: &Request) -> Answer {
    let main = request.member()?;
    let LinkAccount { code } = request.json()?;
    let other = app.links().await?.open_account_code(&code, app.now()).map_err(|error| {
        let detail = format!("{error}: let the other account show a new code.");
        Problem::new(422, "link-code-refused", "The code is not taken", detail).at("code")
    })?;
    Response::json(201, &LinkView::from(&linking::join(app, &main, &other, None).await?))
}
