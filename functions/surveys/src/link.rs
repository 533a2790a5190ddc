//! The link by which a survey is opened.

use std::convert::Infallible;

use aftercart::run::{
    App, Failure,
    http::Request,
    links::{LinkError, SurveyLink},
};

/// Opens the link in the path. What is wrong with a link is an answer, not a
/// failure.
pub(crate) async fn open(
    app: &App,
    request: &Request,
) -> Result<Result<SurveyLink, LinkError>, Failure> {
    let token = request.named("token", "survey", |text| Ok::<_, Infallible>(text.to_owned()))?;
    Ok(app.links().await?.open_survey_link(&token, app.now()))
}
