//! The documents that `docs/checkout.md`, `docs/risk.md` and `docs/shares.md` give to copy are
//! read here as the functions read them, and the tables of reasons compared
//! with the code.

use std::{collections::BTreeSet, fs, path::Path};

use aftercart::model::{
    cart,
    order::{MAX_HISTORY, MAX_LINES, MAX_QUANTITY},
    points,
    policy::Policy,
    price::{self, PriceRules},
    product::{Product, Sku},
    profile, risk,
    share::SharesPolicy,
    stock,
};
use aftercart_pricing::goods::{MAX_COUPONS, MAX_GIFTS, MAX_QUOTAS, Reason};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    rules::{product, stock::MAX_TAKES},
    wire::{
        PlaceOrder, PutProduct,
        customer::{GrantVoucher, PutCustomer},
        quote::{AskQuote, ObstacleReason},
        risk::PutRiskEntry,
        stock::MoveStock,
    },
};

fn page(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    fs::read_to_string(path).unwrap()
}

/// The documents of a page: blocks of JSON, and what its calls of curl send.
fn documents(page: &str) -> Vec<Value> {
    let blocks = page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let calls = page.split(" -d '").skip(1).map(|rest| rest.split('\'').next().unwrap());
    let read = |text: &str| serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    blocks.chain(calls).map(read).collect()
}

fn read<T: DeserializeOwned>(document: &Value) -> Result<T, String> {
    serde_json::from_value(document.clone()).map_err(|error| error.to_string())
}

/// What a document is, if it is good.
fn kind(document: &Value) -> Result<&'static str, String> {
    let members: BTreeSet<&str> =
        document.as_object().unwrap().keys().map(String::as_str).collect();
    let has = |names: &[&str]| names.iter().all(|name| members.contains(name));
    if has(&["version", "rules"]) {
        PriceRules::parse(&document.to_string()).map_err(|error| error.to_string())?;
        return Ok("price rules");
    }
    if has(&["lines", "shipping_address"]) {
        return read::<PlaceOrder>(document).map(|_| "order");
    }
    if has(&["lines"]) {
        return read::<AskQuote>(document).map(|_| "quote");
    }
    if has(&["title", "price"]) {
        let PutProduct { title, price, facts, access } = read(document)?;
        let sku = Sku::parse("LAUNCH").unwrap();
        let product = Product { sku, title, price, facts, access };
        return product::check(&product).map(|()| "product").map_err(|error| error.to_string());
    }
    if has(&["rule"]) {
        return read::<GrantVoucher>(document).map(|_| "voucher");
    }
    if has(&["tier"]) {
        return read::<PutCustomer>(document).map(|_| "customer");
    }
    if has(&["kind", "listed"]) {
        return read::<PutRiskEntry>(document).map(|_| "risk entry");
    }
    if has(&["kind"]) {
        return read::<MoveStock>(document).map(|_| "movement");
    }
    let mut policy = json!(Policy::default_document().unwrap());
    for (member, value) in document.as_object().unwrap() {
        policy[member] = value.clone();
    }
    Policy::parse(&policy.to_string()).map(|_| "policy").map_err(|error| error.to_string())
}

#[test]
fn the_campaigns_of_the_page_of_shares_are_good() {
    let campaigns = documents(&page("shares.md"));
    assert_eq!(campaigns.len(), 4);
    let policy: SharesPolicy = read(&json!({ "campaigns": campaigns })).unwrap();
    assert_eq!(policy.check(), Ok(()));
}

#[test]
fn every_document_of_the_pages_is_taken() {
    let mut kinds = BTreeSet::new();
    for name in ["checkout.md", "risk.md"] {
        for document in documents(&page(name)) {
            kinds.insert(kind(&document).unwrap_or_else(|e| panic!("{name}: {e}\n{document:#}")));
        }
    }
    let expected = [
        "customer",
        "movement",
        "order",
        "policy",
        "price rules",
        "product",
        "quote",
        "risk entry",
        "voucher",
    ];
    assert_eq!(kinds, expected.into());
}

/// The rows of the table under a sentence.
fn rows<'a>(page: &'a str, sentence: &str) -> Vec<&'a str> {
    let (_, rest) = page.split_once(sentence).unwrap();
    let table = rest.lines().skip_while(|line| !line.starts_with('|')).skip(2);
    table.take_while(|line| line.starts_with('|')).collect()
}

/// Every reason; a new one does not compile before it is here.
fn reasons() -> Vec<Reason> {
    let next = |reason: &Reason| {
        Some(match reason {
            Reason::Unknown => Reason::NotForBuyer,
            Reason::NotForBuyer => Reason::Ended,
            Reason::Ended => Reason::NotYet,
            Reason::NotYet => Reason::Closed,
            Reason::Closed => Reason::NotForGoods,
            Reason::NotForGoods => Reason::OtherCurrency,
            Reason::OtherCurrency => Reason::TooMany,
            Reason::TooMany => Reason::UsedUp,
            Reason::UsedUp => Reason::UsedUpToday,
            Reason::UsedUpToday => Reason::CustomerLimit,
            Reason::CustomerLimit => Reason::CustomerLimitToday,
            Reason::CustomerLimitToday => Reason::Minimum { missing: 1 },
            Reason::Minimum { .. } => Reason::Incomplete,
            Reason::Incomplete => Reason::Units { priced: 1, of: 2 },
            Reason::Units { .. } => Reason::GiftOut,
            Reason::GiftOut => Reason::AnotherBetter,
            Reason::AnotherBetter => Reason::NothingLeft,
            Reason::NothingLeft => Reason::OtherMethod,
            Reason::OtherMethod => return None,
        })
    };
    std::iter::successors(Some(Reason::Unknown), next).collect()
}

#[test]
fn every_reason_is_told() {
    let page = page("checkout.md");
    let mut told: Vec<String> =
        reasons().iter().map(|it| format!("| `{}` | {it} |", it.as_str())).collect();
    told.push("| `points` | The points do not apply; `detail` says why. |".to_owned());
    assert_eq!(rows(&page, "`reason` in `not_applied`"), told);
    let next = |reason: &ObstacleReason| {
        Some(match reason {
            ObstacleReason::OutOfStock => ObstacleReason::NotOnSaleYet,
            ObstacleReason::NotOnSaleYet => ObstacleReason::NotForYou,
            ObstacleReason::NotForYou => ObstacleReason::Scattered,
            ObstacleReason::Scattered => return None,
        })
    };
    let obstacles = std::iter::successors(Some(ObstacleReason::OutOfStock), next);
    let obstacles: Vec<Value> = obstacles.map(|reason| json!(reason)).collect();
    let told = rows(&page, "And of `obstacles`:");
    let told: Vec<&str> = told.iter().map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(json!(told), json!(obstacles));
}

#[test]
fn limits_are_told_as_they_are() {
    let page = page("checkout.md");
    let rows = rows(&page, "## Limits");
    for (what, most) in [
        ("lines of an order, of a cart", MAX_LINES.to_string()),
        ("units of a line", MAX_QUANTITY.to_string()),
        ("parts of the stock that one order takes from", MAX_TAKES.to_string()),
        ("codes, vouchers of an order", format!("{MAX_COUPONS} each")),
        ("gifts of an order", MAX_GIFTS.to_string()),
        ("limits that one order counts in", MAX_QUOTAS.to_string()),
        ("orders of a member that hold points at once", points::MAX_HOLDS.to_string()),
        ("lines of an order's history", MAX_HISTORY.to_string()),
        ("codes of a cart", cart::MAX_CODES.to_string()),
        ("segments of a member", profile::MAX_SEGMENTS.to_string()),
        ("locations of a shop", stock::MAX_LOCATIONS.to_string()),
        ("hot SKUs", stock::MAX_HOT.to_string()),
        ("parts of a level, of a limit", format!("{}, {}", stock::MAX_SHARDS, price::MAX_SHARDS)),
        ("price rules of a document", price::MAX_RULES.to_string()),
        ("orders that velocity counts", format!("{} in 24 hours", risk::SEEN_MOST)),
    ] {
        let row = format!("| {what} | {most} |");
        assert!(rows.iter().any(|told| told.starts_with(&row)), "docs/checkout.md: {row}");
    }
}
