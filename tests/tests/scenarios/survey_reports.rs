//! Situations of the function that reports what was answered to surveys.

use aftercart_infra::world::{Ask, Caller};

use crate::survey_reports::counted;

use super::{Scenario, http};

scenarios! {
    "survey-report", "by carrier, against the months before" => |shop| {
        counted(shop).await;
        let path = "/operator/survey-reports?touchpoint=delivery&by=carrier&compare=previous";
        http(Ask::get(path).by(Caller::Operator))
    };
    "survey-report", "a table by month, weighted" => |shop| {
        counted(shop).await;
        let path = "/operator/survey-reports?touchpoint=delivery&by=month&weight=tier&format=csv";
        http(Ask::get(path).by(Caller::Operator))
    };
    "survey-report", "the page with the charts" => |shop| {
        counted(shop).await;
        let path = "/operator/survey-reports?touchpoint=delivery&by=carrier";
        let report = shop.reply(&Ask::get(path).by(Caller::Operator)).await;
        let link = report.text("/link");
        let path = link.split_once("/r/").map(|(_, path)| format!("/r/{path}")).unwrap();
        http(Ask::get(path).by(Caller::Anybody))
    };
}
