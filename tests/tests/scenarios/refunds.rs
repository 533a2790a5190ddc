//! Situations of the functions of refunds, reconciliation and statements.

use aftercart::{
    messages::Queue,
    model::{payment::Provider, time::Period},
};
use aftercart_infra::{
    providers::{self, stripe::intent_id},
    signing::Payment,
    world::{Ask, Caller, Fault},
};
use serde_json::json;

use crate::{
    refunds::{agreed, call_to_the_provider, cancelled, unread},
    shop::{ADA, KEY, Placed, Shop, key},
};

use super::{Scenario, http, poison, schedule, told, waiting};

scenarios! {
    "provider-call", "a called-off order, with Stripe" => |shop| {
        cancelled(shop, "stripe").await;
        waiting(shop, Queue::ProviderCalls)
    };
    "provider-call", "a called-off order, with play money" => |shop| {
        cancelled(shop, "sandbox").await;
        waiting(shop, Queue::ProviderCalls)
    };
    "provider-call", "money that went back elsewhere" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.pay(&placed).await;
        shop.call_back(&shop.report(&placed, &payment, "refunded", "evt_back")).await;
        shop.settle().await.unwrap();
        unread(shop, &placed).await;
        waiting(shop, Queue::ProviderCalls)
    };
    "provider-call", "an agreed payment, with PayPal" => |shop| {
        agreed(shop).await;
        waiting(shop, Queue::ProviderCalls)
    };
    "provider-call", "no message" => |shop| poison(shop, Queue::ProviderCalls);
    "relay", "a called-off order, for the providers" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        shop.pay(&placed).await;
        shop.reply(&placed.sign_in(Ask::post(placed.path("/cancel"), &json!({})))).await;
        told(shop)
    };
    "payment-sweep", "a payment of which nobody told, and one that was told" => |shop| {
        let placed = shop.place(ADA, "TEA", 1, KEY).await;
        let payment = shop.start_payment(&placed, "stripe").await;
        shop.stand_ins().memory(|memory| {
            let mut charge = memory.get(Provider::Stripe, "charge", &payment).cloned().unwrap();
            charge["status"] = "paid".into();
            memory.note(Provider::Stripe, "charge", &payment, charge);
        });
        taken(shop, 1).await;
        shop.clock().advance(Period::of_seconds(5 * 60));
        schedule()
    };
    "payment-sweep", "a refund whose provider was down" => |shop| {
        cancelled(shop, "stripe").await;
        let first = call_to_the_provider(shop).await;
        let port = shop.port("provider-call").unwrap();
        (first..first + 3).for_each(|call| port.fail(call, Fault::Before));
        shop.consume(Queue::ProviderCalls).await.unwrap();
        shop.clock().advance(Period::of_seconds(5 * 60));
        schedule()
    };
    "payment-sweep", "an agreed payment whose message was lost" => |shop| {
        agreed(shop).await;
        shop.clock().advance(Period::of_seconds(5 * 60));
        schedule()
    };
    "settlement-import", "rows that agree, differ and are not ours" => |shop| {
        let (_, matched) = taken(shop, 1).await;
        let (_, differs) = taken(shop, 2).await;
        taken(shop, 3).await;
        shop.clock().advance(Period::of_seconds(5 * 60));
        shop.run_schedule("payment-sweep").await.unwrap();
        shop.settle().await.unwrap();
        let row = |txn: &str, gross: &str, intent: &str| {
            format!("{txn},2026-11-21 12:00:00,charge,{gross},0.45,gbp,{intent}\n")
        };
        let body = [
            "balance_transaction_id,created,reporting_category,gross,fee,currency,payment_intent_id\n",
            &row("txn_1", "12.50", &intent_id(&matched)),
            &row("txn_2", "12.00", &intent_id(&differs)),
            &row("txn_3", "12.50", "pi_elsewhere"),
        ];
        let ask = Ask::post("/operator/settlements/stripe", &json!({})).by(Caller::Operator);
        http(ask.with("content-type", "text/csv").with_body(body.concat()))
    };
}

/// An order that Stripe took the money of.
async fn taken(shop: &Shop, number: usize) -> (Placed, String) {
    let placed = shop.place(ADA, "TEA", 1, &key("order", number)).await;
    let payment = shop.start_payment(&placed, "stripe").await;
    let event = format!("evt_{payment}");
    let report = Payment {
        event: &event,
        kind: "succeeded",
        payment: &payment,
        amount: placed.total,
        currency: "GBP",
        at: shop.now(),
        part: None,
    };
    shop.call_back(&providers::of(Provider::Stripe).callback(&report)).await;
    shop.settle().await.unwrap();
    (placed, payment)
}
