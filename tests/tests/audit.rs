//! The audit notices what it is there for: books of a day of the shop are sound,
//! and each way of breaking them is named.

use aftercart::{
    messages::Queue,
    model::{
        alert::AlertKind,
        dispatch::Raised,
        gift::{End, Ended},
        id::{EntryId, OrderId},
        order::OrderStatus,
        payment::Provider,
        points::{Account, Cause, Posting},
        shipment::ParcelStatus,
        survey::InviteStatus,
        time::Period,
        webhook::{DeliveryState, EventKind},
    },
    store::audit::Books,
};
use aftercart_infra::{
    providers::Memory,
    world::{Ask, Caller, Evidence, Fault, Options, Parked, audit},
};
use serde_json::{Value, json};

use crate::{
    giving::{self, ending, given, grant},
    refunds::pay_with_stripe,
    rewards::{coupon, mug, offer, taken},
    shop::{ADA, KEY, Shop, key, order},
    tickets::{answer, complaining, recommending},
    webhooks::endpoint,
};

/// A shop with gifts, and a system of the merchant that is told of everything.
async fn open() -> Shop {
    let mut policy = giving::policy();
    policy["webhooks"] =
        json!({ "endpoints": [endpoint("erp", &EventKind::ALL.map(EventKind::as_str))] });
    Shop::open_with(Options { policy: Some(policy.to_string()), ..Options::default() }).await
}

/// A bit of everything, delivered: books and evidence.
async fn day() -> (Books, Evidence) {
    let shop = open().await;
    limits(&shop).await;
    delivered_and_answered(&shop).await;
    let refunded = shop.place_as_guest("CUP", 2, &key("refunded", 0)).await;
    pay_with_stripe(&shop, &refunded).await;
    let cancel = refunded.sign_in(Ask::post(refunded.path("/cancel"), &json!({})));
    assert_eq!(shop.reply(&cancel).await.status, 200);
    shop.settle().await.unwrap();
    loyalty(&shop).await;
    let books = Books::read(shop.store()).await.unwrap();
    (books, shop.evidence().unwrap())
}

/// A voucher that Ada gets for points and uses, and an order that uses a limit.
async fn limits(shop: &Shop) {
    grant(shop, ADA, 900).await;
    offer(shop, "five", &coupon()).await;
    offer(shop, "mug", &mug(5)).await;
    shop.clock().advance(Period::of_seconds(61));
    taken(shop, ADA, "five", KEY).await;
    shop.settle().await.unwrap();
    let rules = json!({ "version": "2", "zone": "UTC", "rules": [
        { "id": "five-off", "title": { "en": "Five off" }, "coupon": { "voucher": true },
          "effect": { "amount": { "currency": "GBP", "off": 500 } } },
        { "id": "tea-code", "title": { "en": "Ten per cent off" }, "coupon": { "code": "TEA10" },
          "limits": { "total": 3 }, "effect": { "percent": { "off": 1_000 } } },
    ] });
    let reply = shop.reply(&Ask::put("/price-rules", &rules).by(Caller::Operator)).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    shop.clock().advance(Period::of_seconds(61));
    let vouchers = shop.reply(&Ask::get("/me/vouchers").by_member(ADA)).await.json();
    let with = |name: &str, value: Value| {
        let mut body = order(&[("TEA", 1)]);
        body[name] = json!([value]);
        body
    };
    let bodies =
        [with("vouchers", vouchers["vouchers"][0]["id"].clone()), with("codes", "TEA10".into())];
    for (number, body) in bodies.iter().enumerate() {
        let ask = Ask::post("/orders", body).by_member(ADA).keyed(&key("offer", number));
        let placed = shop.placed(ask, Some(ADA)).await;
        shop.pay(&placed).await;
    }
}

async fn delivered_and_answered(shop: &Shop) {
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(4));
    shop.run_schedule("survey-send").await.unwrap();
    shop.settle().await.unwrap();
    answer(shop, &shop.survey_path(), &recommending(2, Some("It came late."), None)).await;
    let reply = shop.reply(&complaining(&placed, "The parcel came late.")).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    shop.settle().await.unwrap();
}

/// A gift that is accepted and one that is open, and a mug.
async fn loyalty(shop: &Shop) {
    let gift = given(shop, 20, &key("gift", 0)).await;
    assert_eq!(shop.reply(&ending(&gift, "acceptance", "bob")).await.status, 200);
    given(shop, 30, &key("gift", 1)).await;
    taken(shop, ADA, "mug", &key("mug", 0)).await;
    shop.settle().await.unwrap();
}

/// A way to break books, and what the audit must say of it.
type Breakage = (&'static str, fn(&mut Books, &mut Evidence), &'static str);

fn paid(books: &mut Books) -> usize {
    books.orders.iter().position(|it| it.status == OrderStatus::Paid).unwrap()
}

const BREAKAGES: &[Breakage] = &[
    (
        "a unit sold twice",
        |books, _| {
            books.stock.values_mut().next().unwrap().available -= 1;
        },
        "came in",
    ),
    (
        "stock of a dead order that is still held",
        |books, _| {
            let place = paid(books);
            books.orders[place].status = OrderStatus::Expired;
        },
        "came in",
    ),
    (
        "more sold than there was",
        |books, _| {
            let place = paid(books);
            let part = books.orders[place].taken().into_keys().next().unwrap();
            let level = books.stock.get_mut(&part).unwrap();
            level.moved -= 1_000;
            level.available -= 1_000;
        },
        "are left at",
    ),
    (
        "an order that is lost",
        |books, _| {
            let place = paid(books);
            books.orders.remove(place);
        },
        "",
    ),
    (
        "an order that is paid without money",
        |books, _| {
            let place = paid(books);
            let payment = books.orders[place].paid_by().unwrap().clone();
            books.payments.remove(&payment);
        },
        "was paid by what was not charged",
    ),
    (
        "two payments that an order took",
        |books, _| {
            let place = paid(books);
            let mut again = books.orders[place].payments[0].clone();
            again.paid = true;
            books.orders[place].payments.push(again);
        },
        "was paid 2 times",
    ),
    (
        "a payment's state that is not what was reported",
        |books, _| {
            let place = paid(books);
            books.orders[place].payments[0].events += 1;
        },
        "the reports say",
    ),
    (
        "money that is due back and does not go",
        |books, _| {
            for history in books.payments.values_mut() {
                history.refunds.clear();
            }
        },
        "is due and does not go back",
    ),
    (
        "a refund that nobody owes",
        |books, _| {
            for order in &mut books.orders {
                order.refunds_due.clear();
                if order.status == OrderStatus::Cancelled {
                    order.status = OrderStatus::Expired;
                }
            }
        },
        "and is not due",
    ),
    (
        "a refund that a provider made twice",
        |_, evidence| {
            evidence.providers.as_mut().unwrap().note(
                Provider::Stripe,
                "refund",
                "again",
                json!({ "amount": 1_600, "status": "succeeded" }),
            );
        },
        "stripe gave back",
    ),
    (
        "a refund that a provider knows nothing of",
        |_, evidence| {
            *evidence.providers.as_mut().unwrap() = Memory::default();
        },
        "stripe gave back",
    ),
    (
        "a paid order without shipments",
        |books, _| {
            books.dispatches.retain(|it| it.stopped_at.is_some());
        },
        "its shipments: None",
    ),
    (
        "a parcel with less than was bought",
        |books, _| {
            let going = books.dispatches.iter_mut().find(|it| it.stopped_at.is_none()).unwrap();
            going.shipments[0].lines[0].quantity += 1;
        },
        "packed is",
    ),
    (
        "a label that another shipment has",
        |books, _| {
            for shipment in books.dispatches.iter_mut().flat_map(|it| &mut it.shipments) {
                shipment.tracking = None;
            }
        },
        "is not the label of",
    ),
    (
        "a parcel that is not where its scans say",
        |books, _| {
            let shipments = books.dispatches.iter_mut().flat_map(|it| &mut it.shipments);
            for shipment in shipments.filter(|it| it.tracking.is_some()) {
                shipment.journey.status = ParcelStatus::InTransit;
            }
        },
        "carriers told",
    ),
    (
        "points out of nothing",
        |books, _| {
            let entry = books.points.entries.iter_mut().find(|it| !it.postings.is_empty()).unwrap();
            entry.postings.push(Posting { account: Account::Available, points: 1 });
        },
        "an invariant does not hold",
    ),
    (
        "a balance that is not its entries",
        |books, _| {
            *books.points.ledgers[0].balances.get_mut(&Account::Issued).unwrap() += 1;
        },
        "is not its entries",
    ),
    (
        "an order that earns twice",
        |books, _| {
            let is_it = |cause: &Cause| matches!(cause, Cause::OrderPaid(_));
            let mut again =
                books.points.entries.iter().find(|it| is_it(&it.cause)).unwrap().clone();
            again.id = EntryId::derive(&["again"]);
            books.points.entries.push(again);
        },
        "again",
    ),
    (
        "points that wait for nothing",
        |books, _| {
            books.points.claims.clear();
        },
        "wait with 0 points",
    ),
    (
        "an order that earned nothing",
        |books, _| {
            let orders = books
                .orders
                .iter_mut()
                .filter(|it| it.paid_at.is_some() && it.customer.is_member());
            for order in orders {
                order.id = OrderId::derive(&["other", order.id.as_str()]);
            }
        },
        "",
    ),
    (
        "a gift that came twice",
        |books, _| {
            let gift = books.gifts.iter_mut().find(|it| it.ended.is_none()).unwrap();
            gift.ended = Some(Ended { at: gift.made_at, how: End::Accepted });
        },
        "moved (0, 0) points",
    ),
    (
        "a gift that is held and over",
        |books, _| {
            let gift = books.gifts.iter_mut().find(|it| it.ended.is_none()).unwrap();
            gift.ended = Some(Ended { at: gift.made_at, how: End::Refused });
        },
        "for gft_",
    ),
    (
        "a reward that cost nothing",
        |books, _| {
            books.redemptions[0].points += 1;
        },
        "were spent",
    ),
    (
        "a reward of which more are taken than counted",
        |books, _| {
            let reward = books.rewards.iter_mut().find(|it| it.taken > 0).unwrap();
            reward.taken = 0;
        },
        "were taken",
    ),
    (
        "a member who has more of a reward than counted",
        |books, _| {
            books.reward_counts.clear();
        },
        "rewards that nobody counted",
    ),
    (
        "a voucher that is used twice",
        |books, _| {
            let used = books.vouchers.values_mut().find(|it| it.used_by.is_some()).unwrap();
            used.used_by = Some(OrderId::derive(&["other"]));
        },
        "which is used by",
    ),
    (
        "a voucher that nobody gave back",
        |books, _| {
            for order in &mut books.orders {
                order.vouchers.clear();
            }
        },
        "which does not use it",
    ),
    (
        "a limit that is used and not counted",
        |books, _| {
            books.quotas.values_mut().for_each(|it| *it += 1);
        },
        "are used",
    ),
    ("a limit that nobody counted", |books, _| books.quotas.clear(), "limits that nobody counted"),
    (
        "an order that nobody is asked about",
        |books, _| books.surveys.invites.clear(),
        "not asked about",
    ),
    (
        "a mail that never went",
        |_, evidence| {
            evidence.told.as_mut().unwrap().clear();
        },
        "its mail is another matter",
    ),
    (
        "somebody who is asked all the time",
        |books, _| {
            let contacts =
                books.surveys.contacts.iter_mut().find(|it| !it.made.is_empty()).unwrap();
            let first = contacts.made[0];
            contacts.made = vec![first; 50];
        },
        "was contacted beyond",
    ),
    (
        "an answer that is counted twice",
        |books, _| {
            let columns = books.answers.values_mut().next().unwrap();
            columns.values_mut().next().unwrap().answered += 1;
        },
        "the answers are",
    ),
    ("an answer that is not counted", |books, _| books.answers.clear(), "the answers are"),
    (
        "an answer that was corrected and counts as it was",
        |books, _| {
            let invite = books.surveys.invites.iter_mut();
            for invite in invite.filter(|it| matches!(it.status, InviteStatus::Answered { .. })) {
                invite.counted.revision = 0;
            }
        },
        "counted is",
    ),
    ("an invitation that is not counted", |books, _| books.sent.clear(), "are counted as invited"),
    (
        "a ticket that is counted twice",
        |books, _| {
            *books.ticket_counts.values_mut().next().unwrap() += 1;
        },
        "counted otherwise",
    ),
    (
        "a ticket without one of its entries",
        |books, _| {
            books.tickets[0].entries += 1;
        },
        "entries, and counts",
    ),
    (
        "an alert that is open nowhere",
        |books, _| {
            let shipment =
                books.dispatches.iter_mut().flat_map(|it| &mut it.shipments).next().unwrap();
            let raised =
                Raised { at: shipment.opened_at, ended_at: None, untold: false, since: None };
            shipment.alerts.insert(AlertKind::Late, raised);
        },
        "their shipments say otherwise",
    ),
    (
        "a message to a system of the merchant that was lost",
        |books, _| {
            books.webhooks.retain(|it| it.kind != EventKind::OrderPaid);
        },
        "has 0 messages that",
    ),
    (
        "a message to the merchant that nobody took",
        |_, evidence| {
            evidence.webhooks.as_mut().unwrap().pop_first();
        },
        "and never came",
    ),
    (
        "a message to the merchant that nobody wrote",
        |books, _| {
            let done = |it: &DeliveryState| matches!(it, DeliveryState::Done(_));
            let place = books
                .webhooks
                .iter()
                .position(|it| done(&it.state) && it.kind != EventKind::OrderPaid);
            books.webhooks.remove(place.unwrap());
        },
        "which nobody wrote",
    ),
    (
        "a message that a queue never got",
        |_, evidence| {
            evidence.taken.as_mut().unwrap().clear();
        },
        "never came to",
    ),
    (
        "a message that wore out",
        |_, evidence| {
            let (queue, body) = ("orders".to_owned(), "{}".to_owned());
            evidence.parked.push(Parked { queue, body, reason: None });
        },
        "nobody could take",
    ),
];

#[tokio::test]
async fn every_way_of_breaking_the_books_is_noticed() {
    let (books, evidence) = day().await;
    let checked = audit::check(&books, &evidence).unwrap();
    assert_eq!((checked.refunds, checked.gifts, checked.redemptions), (1, 2, 2));
    assert!(checked.webhooks > 0 && checked.offers > 1 && checked.tickets > 0);
    let mut missed = Vec::new();
    for (what, breaks, says) in BREAKAGES {
        let (mut books, mut evidence) = (books.clone(), evidence.clone());
        breaks(&mut books, &mut evidence);
        let found = audit::check(&books, &evidence).err().map(|it| it.to_string());
        if !found.as_ref().is_some_and(|it| it.contains(says)) {
            missed.push(format!("{what}: {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

/// What holds at any moment is checked while messages are under way, too.
#[tokio::test]
async fn what_always_holds_is_seen_before_anything_is_delivered() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    let payment = shop.start_payment(&placed, "sandbox").await;
    shop.call_back(&shop.report(&placed, &payment, "succeeded", "evt_1")).await;
    assert_eq!(shop.check_always().await.unwrap().orders, 1);
    shop.check_invariants().await.unwrap_err();
    shop.settle().await.unwrap();
    shop.check_invariants().await.unwrap();
    let mut books = Books::read_little(shop.store()).await.unwrap();
    books.stock.values_mut().for_each(|it| it.available += 1);
    audit::check_always(&books).unwrap_err();
}

/// What wore out is seen in the dead-letter queues, and what a function parked
/// has its reason.
#[tokio::test(start_paused = true)]
async fn dead_letters_are_told_apart() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.send(Queue::Orders, "no message");
    shop.settle().await.unwrap();
    let of = |shop: &Shop| Evidence { parked: shop.dead_letters(), ..Evidence::default() };
    let books = Books::read(shop.store()).await.unwrap();
    assert_eq!(shop.dead_letters().len(), 1);
    audit::check(&books, &of(&shop)).unwrap();
    shop.port("shipment-open").unwrap().fail_always(Some(Fault::Before));
    shop.pay(&placed).await;
    assert_eq!(shop.dead_letters().iter().filter(|it| it.reason.is_none()).count(), 1);
    let violation = audit::check(&books, &of(&shop)).unwrap_err().to_string();
    assert!(violation.contains("nobody could take"), "{violation}");
}
