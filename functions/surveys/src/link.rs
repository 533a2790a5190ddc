//! The link by which a survey is opened, and the one that it leads on by.

use std::convert::Infallible;

use aftercart::{
    model::{
        survey::{Delivered, Invite, Occasion, Touchpoint},
        time::Period,
    },
    run::{
        App, Failure,
        http::Request,
        links::{ComplaintLink, LinkError, SurveyLink},
    },
};

use crate::pages::Notice;

/// How long a link to complain is good: the page that shows it makes another one
/// each time.
const COMPLAINT_LASTS: Period = Period::of_days(1);

/// Where somebody complains about the order that a survey is about, from the
/// survey's page. None where there is no order, or a ticket about it, which has
/// a page of its own.
///
/// # Errors
/// [`Failure`] when the keys cannot be read.
pub(crate) async fn complaints(app: &App, invite: &Invite) -> Result<Option<String>, Failure> {
    let about_order = invite.about.order.clone().filter(|_| invite.occasion != Occasion::Solved);
    let Some(order) = about_order else { return Ok(None) };
    let link = ComplaintLink { order, customer: invite.customer.clone() };
    let token = app.links().await?.complaint_link(&link, app.now().plus(COMPLAINT_LASTS));
    Ok(Some(format!("../complaints/{token}")))
}

/// Opens the link in the path. What is wrong with a link is an answer, not a
/// failure.
pub(crate) async fn open(
    app: &App,
    request: &Request,
) -> Result<Result<SurveyLink, Notice>, Failure> {
    let token = request.named("token", "survey", |text| Ok::<_, Infallible>(text.to_owned()))?;
    let link = app.links().await?.open_survey_link(&token, app.now());
    Ok(link.map_err(|error| match error {
        LinkError::Expired => Notice::Closed,
        LinkError::Invalid => Notice::Unknown,
    }))
}

/// The invitation of a link, and the products that its survey names.
///
/// # Errors
/// [`Failure`] when they cannot be read.
pub(crate) async fn invited(
    app: &App,
    link: &SurveyLink,
    touchpoint: &Touchpoint,
) -> Result<Option<(Invite, Vec<Delivered>)>, Failure> {
    let invite = app.store.invite(&link.invite);
    if !touchpoint.names_products() {
        return Ok(invite.await?.map(|invite| (invite, Vec::new())));
    }
    let (invite, products) = futures::try_join!(invite, app.store.invite_products(&link.invite))?;
    Ok(invite.map(|invite| (invite, products)))
}
