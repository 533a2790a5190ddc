//! Situations of answering surveys.

use aftercart_infra::world::Ask;
use serde_json::json;

use crate::{
    answering::{filled, invited},
    earning::policy,
    stock::set_policy,
};

use super::{Scenario, http, told};

scenarios! {
    "survey-view", "an invitation" => |shop| {
        let path = invited(shop).await;
        http(Ask::get(format!("{path}?a=9")))
    };
    "survey-view", "an answer that earned points" => |shop| {
        set_policy(shop, &policy()).await;
        let path = invited(shop).await;
        shop.reply(&filled(&path, "recommend=9")).await;
        shop.settle().await.unwrap();
        http(Ask::get(path))
    };
    "survey-answer", "a good score" => |shop| {
        let path = invited(shop).await;
        http(filled(&path, "recommend=9&products.TEA=like&comment=Good"))
    };
    "relay", "an answer to a survey, for two queues" => |shop| {
        let path = invited(shop).await;
        shop.reply(&filled(&path, "recommend=9")).await;
        told(shop)
    };
    "survey-answer", "a form with faults" => |shop| {
        let path = invited(shop).await;
        http(filled(&path, "comment=Good"))
    };
    "survey-answer", "a correction by an app" => |shop| {
        let path = invited(shop).await;
        shop.reply(&filled(&path, "recommend=9")).await;
        shop.relay().await.unwrap();
        http(Ask::post(path, &json!({ "answers": { "recommend": 3 }, "corrects": 1 })))
    };
}
