//! Situations of the functions by which people act on tickets.

use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::care::{
    complained, complaints_of, doing, filled, page_of_ada, remedying, replying, solving, sorry,
};

use super::{Scenario, http};

scenarios! {
    "ticket-change", "a first answer" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(replying(&ticket, 1))
    };
    "ticket-change", "another person" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(doing(&ticket, "assignment", &json!({ "assignee": "eve" })))
    };
    "ticket-change", "a voucher" => |shop| {
        sorry(shop).await;
        let (_, ticket) = complained(shop).await;
        http(remedying(&ticket, &json!({ "kind": "coupon", "rule": "sorry" })))
    };
    "ticket-change", "points" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(remedying(&ticket, &json!({ "kind": "points", "points": 500 })))
    };
    "ticket-change", "a solution" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(solving(&ticket))
    };
    "ticket-page", "a look" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(Ask::get(page_of_ada(shop, &ticket)))
    };
    "ticket-page", "what is not solved" => |shop| {
        let (_, ticket) = complained(shop).await;
        shop.reply(&solving(&ticket)).await;
        http(filled(&page_of_ada(shop, &ticket), "do=write&after=2&text=Not+at+all"))
    };
    "ticket-page", "a yes" => |shop| {
        let (_, ticket) = complained(shop).await;
        http(filled(&page_of_ada(shop, &ticket), "do=confirm&after=1"))
    };
    "complaint-page", "a look" => |shop| {
        let (placed, _) = complained(shop).await;
        http(Ask::get(complaints_of(shop, &placed)))
    };
    "complaint-page", "a complaint" => |shop| {
        let (placed, _) = complained(shop).await;
        http(filled(&complaints_of(shop, &placed), "topic=price&text=Too+dear"))
    };
    "complaint-page", "another word" => |shop| {
        let (placed, _) = complained(shop).await;
        let path = complaints_of(shop, &placed);
        shop.reply(&filled(&path, "topic=price&text=Too+dear")).await;
        http(filled(&path, "topic=price&text=Much+too+dear"))
    };
    "ticket-report", "a ticket that is solved" => |shop| {
        let (_, ticket) = complained(shop).await;
        shop.reply(&solving(&ticket)).await;
        http(Ask::get("/operator/ticket-reports?by=desk").by(Caller::Operator))
    };
}
