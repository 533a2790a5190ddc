//! Links to the pages of this domain.

use std::convert::Infallible;

use aftercart::{
    model::{ticket::Ticket, time::Period},
    run::{App, Failure, http::Request, links::TicketLink},
};

/// Where the page of a ticket is, before the token.
const TICKET: &str = "/c/";

/// How long a link to the page of a ticket is good: from the last message about
/// it. A customer who comes later writes from the order or the account.
const LASTS: Period = Period::of_days(90);

/// The page of a ticket: a signed link, good without a login. `origin` is where
/// the API is.
///
/// # Errors
/// [`Failure`] when the keys cannot be read.
pub(crate) async fn to(app: &App, ticket: &Ticket, origin: &str) -> Result<String, Failure> {
    let link = TicketLink { ticket: ticket.id.clone(), customer: ticket.customer.clone() };
    let token = app.links().await?.ticket_link(&link, app.now().plus(LASTS));
    Ok(format!("{origin}{TICKET}{token}"))
}

/// The token in the path.
///
/// # Errors
/// None; the type is that of every part of a path.
pub(crate) fn token(request: &Request) -> Result<String, Failure> {
    Ok(request.named("token", "page", |text| Ok::<_, Infallible>(text.to_owned()))?)
}
