//! Situations of contests, of the tally with its report, and of audits.

use aftercart::{messages::Queue, model::time::Period};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    contests::{earn, found, set_contests, team_of},
    shop::{ADA, KEY, key},
};

use super::{Scenario, http, paid, schedule, waiting};

scenarios! {
    "points-post", "the first points of a member" => |shop| {
        paid(shop).await;
        shop.consume(Queue::Points).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "something earned in a contest of members" => |shop| {
        set_contests(shop).await;
        paid(shop).await;
        shop.consume(Queue::Points).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "points-post", "something earned for a team" => |shop| {
        set_contests(shop).await;
        found(shop, ADA).await;
        shop.clock().advance(Period::of_seconds(1));
        paid(shop).await;
        shop.consume(Queue::Points).await.unwrap();
        shop.relay().await.unwrap();
        waiting(shop, Queue::Points)
    };
    "team-change", "a team is founded" => |shop| {
        set_contests(shop).await;
        let body = json!({ "contest": "relay", "name": "Foxes" });
        http(Ask::post("/me/teams", &body).by_member(ADA))
    };
    "team-change", "a team is joined" => |shop| {
        set_contests(shop).await;
        found(shop, "bob").await;
        let team = team_of(shop, "bob").await;
        http(Ask::post(format!("/me/teams/{team}/members"), &json!({})).by_member(ADA))
    };
    "team-change", "a team is left" => |shop| {
        set_contests(shop).await;
        found(shop, ADA).await;
        let team = team_of(shop, ADA).await;
        http(Ask::delete(format!("/me/teams/{team}/members/me")).by_member(ADA))
    };
    "team-change", "a name is chosen" => |shop| {
        set_contests(shop).await;
        let body = json!({ "name": "Ada" });
        http(Ask::put("/me/contests/sprint/name", &body).by_member(ADA))
    };
    "contest-view", "a rank among the first" => |shop| {
        set_contests(shop).await;
        earn(shop, ADA, 1, &key("earned", 0)).await;
        earn(shop, "bob", 2, &key("earned", 1)).await;
        http(Ask::get("/contests/sprint").by_member(ADA))
    };
    "contest-view", "a rank behind the first" => |shop| {
        set_contests(shop).await;
        earn(shop, ADA, 1, &key("earned", 0)).await;
        earn(shop, "bob", 2, &key("earned", 1)).await;
        http(Ask::get("/contests/sprint?limit=1").by_member(ADA))
    };
    "contest-view", "a team" => |shop| {
        set_contests(shop).await;
        found(shop, ADA).await;
        let team = team_of(shop, ADA).await;
        http(Ask::get(format!("/me/teams/{team}/members")).by_member(ADA))
    };
    "contest-end", "two members won" => |shop| {
        set_contests(shop).await;
        earn(shop, ADA, 1, &key("earned", 0)).await;
        earn(shop, "bob", 2, &key("earned", 1)).await;
        shop.clock().advance(Period::of_days(31));
        schedule()
    };
    "points-tally", "two ledgers" => |shop| {
        earn(shop, ADA, 1, &key("earned", 0)).await;
        earn(shop, "bob", 2, &key("earned", 1)).await;
        schedule()
    };
    "points-report", "the latest" => |shop| {
        earn(shop, ADA, 1, KEY).await;
        shop.run_schedule("points-tally").await.unwrap();
        http(Ask::get("/operator/points/liability").by(Caller::Operator))
    };
    "points-report", "a day as a table" => |shop| {
        earn(shop, ADA, 1, KEY).await;
        shop.run_schedule("points-tally").await.unwrap();
        let path = "/operator/points/liability?date=2026-11-21&format=csv";
        http(Ask::get(path).by(Caller::Operator))
    };
    "points-audit", "some entries" => |shop| {
        earn(shop, ADA, 1, KEY).await;
        let path = format!("/operator/customers/cus_{ADA}/points/audit");
        http(Ask::get(path).by(Caller::Operator))
    };
}
