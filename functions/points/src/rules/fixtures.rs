//! Orders and moments that the tests of several rules begin with.

use aftercart::model::{
    customer::CustomerId,
    delivery::{MethodId, Promise},
    id::OrderId,
    money::{Currency, Money},
    order::{Order, OrderDelivery, OrderLine, OrderStatus},
    points::{Account, Authority, Cause, Entry, Ledger, Lot, Movement},
    product::Sku,
    profile::Profile,
    text::Text,
    time::{Date, Period, Timestamp},
};

pub(crate) fn at(day: u16) -> Timestamp {
    Timestamp::parse("2026-01-01T00:00:00Z").unwrap().plus(Period::of_days(day))
}

pub(crate) fn member() -> CustomerId {
    CustomerId::member("a").unwrap()
}

/// A member of whom nothing is known.
pub(crate) fn nobody() -> Profile {
    Profile::empty(member())
}

pub(crate) fn money(minor: i64) -> Money {
    Money::new(minor, Currency::parse("EUR").unwrap()).unwrap()
}

/// An order with lines of these totals, one unit each.
pub(crate) fn order(totals: &[i64], paid_at: Option<Timestamp>) -> Order {
    let line = |(n, total): (usize, &i64)| OrderLine {
        sku: Sku::parse(&format!("S{n}")).unwrap(),
        title: Text::new("Tea").unwrap(),
        category: None,
        brand: None,
        quantity: 1,
        unit_price: money(*total),
        discount: money(0),
        total: money(*total),
        tax: money(0),
        points: money(0),
        gift: None,
        cancelled: 0,
        refunded: 0,
        stock: Vec::new(),
    };
    let day = Date::parse("2026-01-03").unwrap();
    Order {
        id: OrderId::derive(&["1"]),
        customer: member(),
        placed_at: at(0),
        status: if paid_at.is_some() { OrderStatus::Paid } else { OrderStatus::Placed },
        lines: totals.iter().enumerate().map(line).collect(),
        discounts: Vec::new(),
        delivery: OrderDelivery {
            method: MethodId::parse("standard").unwrap(),
            price: money(0),
            discount: money(0),
            tax: money(0),
            points: 0,
            promise: Promise { ship_by: day, from: day, until: day },
        },
        tax_included: true,
        points: None,
        total: money(totals.iter().sum()),
        quotas: Vec::new(),
        vouchers: Vec::new(),
        cart: None,
        channel: None,
        device: None,
        card: None,
        risk: None,
        held_at: None,
        history: Vec::new(),
        address: serde_json::from_str(r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#)
            .unwrap(),
        contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
        hold_until: at(1),
        expires_at: None,
        payments: Vec::new(),
        paid_at,
        refunds_due: Vec::new(),
        request: "r".to_owned(),
        policy: "1".to_owned(),
    }
}

/// Gives a lot.
pub(crate) fn granted(ledger: &mut Ledger, lot: Lot) -> Entry {
    let which = format!("{} {}", lot.granted_at, lot.expires_at);
    let movement = Movement {
        id: ledger.entry_id("milestone", &which, &ledger.balance(Account::Issued).to_string()),
        at: lot.granted_at,
        cause: Cause::Milestone(Text::new("test").unwrap()),
        authority: Authority { rule: "test", policy: "1" },
    };
    ledger.credit(movement, Account::Issued, vec![lot]).unwrap()
}
