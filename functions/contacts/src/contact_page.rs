//! `GET /u/{token}` and `POST /u/{token}`: the page on which somebody chooses
//! what to be contacted for, and the target of RFC 8058's one click.
//!
//! The link is its own permission: there is no login, no cookie and no script.
//! It opens this page only, and does not end, so that whoever finds an old
//! message can still say no. Looking changes nothing: mail scanners open links
//! before people do. A POST of the page sends the browser on to the page; any
//! other POST is a mail program's one click, is for the purpose that the link
//! names (`for`, all of them otherwise), and is answered in place, because such
//! programs follow nothing. The same once more writes nothing. A link that is
//! not ours is a page with 404.

use std::{convert::Infallible, sync::Arc};

use aftercart::{
    model::contact::{Contactee, Purpose},
    run::{
        App, Failure, Function, Handling, Invocation, Need, Route, Trigger,
        http::{self, Answer, Request, Response},
        secrets::Secret,
    },
    store::{Op, Table},
};

use crate::{
    choosing,
    pages::{self, Notice, Reading},
    rules::form,
};

/// See the module.
pub const FUNCTION: Function = Function {
    name: "contact-page",
    about: "Shows somebody what they are contacted for, and takes what they choose.",
    trigger: Trigger::Http(&[Route::open("GET", "/u/{token}"), Route::open("POST", "/u/{token}")]),
    needs: &[
        Need::Table(Table::Surveys, &[Op::GetItem, Op::PutItem]),
        Need::Table(Table::Settings, &[Op::GetItem]),
        Need::Secret(Secret::Links),
    ],
    handle,
};

fn handle(app: Arc<App>, call: Invocation) -> Handling {
    Box::pin(http::serve(app, call, serve))
}

async fn serve(app: Arc<App>, request: Request) -> Answer {
    answer(&app, &request).await.or_else(|failure| pages::sorry(failure, &request))
}

async fn answer(app: &App, request: &Request) -> Answer {
    let language = request.language(None);
    let Some(who) = open(app, request).await? else {
        return pages::notice(Notice::Unknown, language);
    };
    let of_link = request.query("for").and_then(Purpose::named);
    if request.method() == "POST" {
        let chosen = form::chosen(request.body(), of_link);
        choosing::choose(app, &who, &chosen.choices, None).await?;
        if chosen.on_the_page {
            // A page that was sent on to is not sent again when it is reloaded.
            let here = format!("?lang={}&done=1", language.code());
            return Ok(Response::html(303, String::new()).with("location", here));
        }
        return pages::notice(Notice::Stopped(of_link), language);
    }
    let (contacts, policy) = (app.store.contacts(&who).await?, app.policy().await?);
    let done = request.query("done").is_some();
    pages::choices(&contacts, &policy.contact, &Reading { language, of_link, done })
}

/// Who the link in the path is for. What is wrong with a link is a page, not a failure.
async fn open(app: &App, request: &Request) -> Result<Option<Contactee>, Failure> {
    let token = request.named("token", "page", |text| Ok::<_, Infallible>(text.to_owned()))?;
    let link = app.links().await?.open_contact_link(&token, app.now());
    Ok(link.ok().map(|link| link.who))
}
