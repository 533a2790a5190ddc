//! Situations of the functions that open tickets, show and watch them.

use aftercart::{
    messages::Queue,
    model::{ticket::TicketStatus, time::Period},
};
use aftercart_infra::world::{Ask, Caller};
use serde_json::json;

use crate::{
    answering::invited,
    shop::{ADA, KEY},
    tickets::{answer, change, complained, complaining, recommending, solved},
};

use super::{Scenario, http, poison, schedule, waiting};

scenarios! {
    "ticket-follow", "a low score" => |shop| {
        let path = invited(shop).await;
        answer(shop, &path, &recommending(2, Some("It came late"), None)).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Care)
    };
    "ticket-follow", "a good score" => |shop| {
        let path = invited(shop).await;
        answer(shop, &path, &recommending(10, None, None)).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Care)
    };
    "ticket-follow", "a correction of a low score" => |shop| {
        let path = invited(shop).await;
        answer(shop, &path, &recommending(2, Some("It came late"), None)).await;
        shop.settle().await.unwrap();
        answer(shop, &path, &recommending(1, Some("And broken"), Some(1))).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Care)
    };
    "ticket-follow", "a customer who is not satisfied" => |shop| {
        let (_, path) = solved(shop).await;
        answer(shop, &path, &json!({ "answers": { "satisfied": 1 } })).await;
        shop.relay().await.unwrap();
        waiting(shop, Queue::Care)
    };
    "ticket-follow", "no message" => |shop| poison(shop, Queue::Care);
    "ticket-open", "a member's complaint" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        http(complaining(&placed, "The parcel is late."))
    };
    "ticket-open", "the same complaint again" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let ask = complaining(&placed, "The parcel is late.");
        shop.reply(&ask).await;
        http(ask)
    };
    "ticket-open", "a guest's complaint" => |shop| {
        let placed = shop.place_as_guest("TEA", 1, KEY).await;
        let ask = Ask::post(placed.path("/tickets"), &json!({ "text": "A cup is missing." }));
        http(placed.sign_in(ask).keyed(KEY))
    };
    "ticket-open", "what an operator heard" => |_shop| {
        let body = json!({
            "customer": "cus_ada", "email": "ada@example.com", "text": "Called about points.",
        });
        http(Ask::post("/operator/tickets", &body).by(Caller::Operator).keyed(KEY))
    };
    "ticket-list", "what a desk sees to" => |shop| {
        complained(shop).await;
        http(Ask::get("/operator/tickets").by(Caller::Operator))
    };
    "ticket-list", "a member's own" => |shop| {
        complained(shop).await;
        http(Ask::get("/me/tickets").by_member(ADA))
    };
    "ticket-view", "a ticket with its order" => |shop| {
        let id = complained(shop).await;
        http(Ask::get(format!("/operator/tickets/{id}")).by(Caller::Operator))
    };
    "ticket-view", "a ticket with its answer" => |shop| {
        let path = invited(shop).await;
        answer(shop, &path, &recommending(2, None, None)).await;
        shop.settle().await.unwrap();
        let listed = shop.reply(&Ask::get("/operator/tickets").by(Caller::Operator)).await;
        let id = listed.text("/tickets/0/id");
        http(Ask::get(format!("/operator/tickets/{id}")).by(Caller::Operator))
    };
    "ticket-view", "a member's own" => |shop| {
        let id = complained(shop).await;
        http(Ask::get(format!("/me/tickets/{id}")).by_member(ADA))
    };
    "ticket-watch", "one that is to be reminded of" => |shop| {
        complained(shop).await;
        shop.clock().advance(Period::of_seconds(50 * 60));
        schedule()
    };
    "ticket-watch", "one that is late" => |shop| {
        complained(shop).await;
        shop.clock().advance(Period::of_days(1));
        schedule()
    };
    "ticket-watch", "one that waits for long" => |shop| {
        let (id, now) = (complained(shop).await, shop.now());
        change(shop, &id, |ticket| {
            ticket.status = TicketStatus::Waiting;
            ticket.answered_at = Some(now);
            ticket.waiting_since = Some(now);
            ticket.due = Some(now.plus(Period::of_days(7)));
        })
        .await;
        shop.clock().advance(Period::of_days(8));
        schedule()
    };
}
