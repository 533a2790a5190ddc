//! Orders to decide about.

use aftercart::model::{
    customer::CustomerId,
    delivery::{MethodId, Promise},
    id::OrderId,
    money::{Currency, Money},
    order::{Order, OrderDelivery, OrderStatus},
    time::{Period, Timestamp},
};

pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

pub(crate) fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub(crate) fn money(minor: i64, code: &str) -> Money {
    Money::new(minor, currency(code)).unwrap()
}

/// An order that was placed now, is to be paid within a minute, and goes to Britain.
pub(crate) fn order(status: OrderStatus, total: i64, code: &str) -> Order {
    let free = Money::zero(currency(code));
    Order {
        id: OrderId::derive(&["1"]),
        customer: CustomerId::member("a").unwrap(),
        placed_at: now(),
        status,
        lines: Vec::new(),
        discounts: Vec::new(),
        delivery: OrderDelivery {
            method: MethodId::parse("standard").unwrap(),
            price: free,
            discount: free,
            tax: free,
            points: 0,
            promise: Promise::parse_compact("2026-11-24+2+3").unwrap(),
        },
        tax_included: true,
        points: None,
        quotas: Vec::new(),
        vouchers: Vec::new(),
        cart: None,
        channel: None,
        device: None,
        card: None,
        risk: None,
        held_at: None,
        history: Vec::new(),
        total: money(total, code),
        address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
            .unwrap(),
        contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
        hold_until: now().plus(Period::of_seconds(60)),
        expires_at: None,
        payments: Vec::new(),
        paid_at: None,
        refunds_due: Vec::new(),
        request: "r".to_owned(),
        policy: "p".to_owned(),
    }
}
