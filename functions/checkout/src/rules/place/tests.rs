use aftercart::model::{
    order::{MAX_LINES, MAX_QUANTITY},
    policy::Policy,
    price::PriceRules,
};
use proptest::prelude::*;
use serde_json::json;

use super::{
    super::quote::{
        self,
        tests::{basket, now, policy, rules, sell, sku},
    },
    *,
};

fn placing(lines: &[(&str, u32)]) -> Placing {
    let address = r#"{"name":"A","line1":"B","city":"C","country":"GB"}"#;
    Placing {
        id: OrderId::derive(&["1"]),
        customer: super::super::quote::tests::member(),
        basket: basket(lines),
        quote: None,
        cart: None,
        device: None,
        card: None,
        billing: None,
        address: serde_json::from_str(address).unwrap(),
        contact: serde_json::from_str(r#"{"email":"a@b.cd"}"#).unwrap(),
        request: "r".to_owned(),
    }
}

fn decided(
    placing: &Placing,
    facts: &Facts,
    (rules, policy): (&PriceRules, &Policy),
) -> Result<Decided, Refusal> {
    let terms = Terms { rules, policy, now: now() };
    let quote = quote::quote(&placing.basket, facts, &terms, placing.id.as_str()).unwrap();
    let standing = Standing::default();
    decide(placing, &quote, &Beside { facts, standing: &standing, terms }).unwrap()
}

fn shop() -> Facts {
    let mut facts = Facts::default();
    sell(&mut facts, "TEA", 1_250, "GBP");
    sell(&mut facts, "CUP", 800, "GBP");
    sell(&mut facts, "GIFT", 0, "GBP");
    facts
}

#[test]
fn an_order_is_what_its_quote_says() {
    let (rules, policy) = (rules(), policy(false));
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    let (placing, facts) = (placing(&[("TEA", 4), ("CUP", 1)]), shop());
    let quote = quote::quote(&placing.basket, &facts, &terms, placing.id.as_str()).unwrap();
    let order = decided(&placing, &facts, (&rules, &policy)).unwrap().order;
    assert_eq!(order.total, quote.total);
    assert_eq!(order.status, OrderStatus::Placed);
    assert_eq!(order.hold_until.to_string(), "2026-11-21T12:30:00.000Z");
    assert_eq!(order.expires_at.unwrap().to_string(), "2026-11-21T12:40:00.000Z");
    // 58.00, less 3.33 for each full 50.00.
    let totals: Vec<i64> = order.lines.iter().map(|line| line.total.minor()).collect();
    assert_eq!(totals, [4_713, 754]);
    let shares: i64 = order.discounts[0].shares.iter().sum();
    assert_eq!(shares, 333);
    let parts = order.lines.iter().flat_map(|line| &line.stock);
    assert_eq!(parts.map(|part| part.quantity).sum::<u32>(), 5);
}

#[test]
fn an_order_of_nothing_to_pay_is_paid_at_once() {
    let (rules, policy) = (rules(), Policy::default_document().unwrap());
    let order = decided(&placing(&[("GIFT", 2)]), &shop(), (&rules, &policy)).unwrap().order;
    assert_eq!((order.status, order.paid_at), (OrderStatus::Paid, Some(now())));
    assert_eq!(order.expires_at, None);
}

#[test]
fn a_buyer_gets_what_he_agreed_to_or_nothing() {
    let (rules, policy) = (rules(), policy(true));
    let terms = (&rules, &policy);
    let full = Terms { rules: &rules, policy: &policy, now: now() };
    let mut wanted = placing(&[("TEA", 1)]);
    wanted.basket.codes = vec![aftercart::model::price::Code::parse("NONE").unwrap()];
    assert_eq!(decided(&wanted, &shop(), terms), Err(Refusal::NotApplied));
    let seen = quote::quote(&wanted.basket, &shop(), &full, "q").unwrap().id();
    wanted.quote = seen;
    assert!(decided(&wanted, &shop(), terms).is_ok());
    let mut dearer = shop();
    sell(&mut dearer, "TEA", 1_251, "GBP");
    assert_eq!(decided(&wanted, &dearer, terms), Err(Refusal::QuoteChanged));
    let mut empty = shop();
    empty.levels.note(&sku("TEA"), &Default::default(), 0, 0);
    wanted.quote = None;
    assert_eq!(decided(&wanted, &empty, terms), Err(Refusal::Obstacles));
}

#[test]
fn risk_rules_refuse_hold_and_challenge() {
    let (rules, mut policy) = (rules(), json!(Policy::default_document().unwrap()));
    for (then, held, challenged) in
        [("review", true, false), ("challenge", false, true), ("refuse", false, false)]
    {
        policy["risk"] = json!({ "rules": [{
            "id": "many", "title": "Many of one", "when": { "units_over": 3 }, "then": then,
        }] });
        let policy = Policy::parse(&policy.to_string()).unwrap();
        let few = decided(&placing(&[("TEA", 3)]), &shop(), (&rules, &policy)).unwrap().order;
        assert_eq!((few.held_at, few.risk), (None, None));
        let many = decided(&placing(&[("TEA", 4)]), &shop(), (&rules, &policy));
        if then == "refuse" {
            assert_eq!(many, Err(Refusal::Risk));
            continue;
        }
        let order = many.unwrap().order;
        assert_eq!(order.held_at.is_some(), held, "{then}");
        let risk = order.risk.unwrap();
        assert_eq!((risk.challenge, risk.rules[0].as_str()), (challenged, "many"));
        assert_eq!(order.history.len(), usize::from(held));
    }
}

#[test]
fn an_order_of_nothing_to_pay_is_verified_by_a_person() {
    let (rules, mut policy) = (rules(), json!(Policy::default_document().unwrap()));
    policy["risk"] = json!({ "rules": [{
        "id": "many", "title": "Many", "when": { "units_over": 3 }, "then": "challenge",
    }] });
    let policy = Policy::parse(&policy.to_string()).unwrap();
    let order = decided(&placing(&[("GIFT", 4)]), &shop(), (&rules, &policy)).unwrap().order;
    assert_eq!((order.status, order.held_at), (OrderStatus::Paid, Some(now())));
}

#[test]
fn offers_for_the_whole_are_known_as_such() {
    let document = json!({ "version": "1", "zone": "UTC", "rules": [
        { "id": "flat", "title": { "en": "F" }, "effect": { "percent": { "off": 100 } } },
        { "id": "member", "title": { "en": "M" }, "effect": { "price_percent": { "off": 100 } } },
        { "id": "spend", "title": { "en": "S" }, "effect": { "spend": {
            "currency": "GBP", "tiers": [{ "at": 1_000, "off": 100 }],
        } } },
        { "id": "from", "title": { "en": "P" }, "effect": { "percent": {
            "off": 100, "minimum": 1_000, "currency": "GBP",
        } } },
    ]});
    let rules = PriceRules::parse(&document.to_string()).unwrap();
    let policy = Policy::default_document().unwrap();
    let order = decided(&placing(&[("TEA", 2)]), &shop(), (&rules, &policy)).unwrap().order;
    let mut tied: Vec<(&str, bool)> =
        order.discounts.iter().map(|it| (it.rule.as_str(), it.tied)).collect();
    tied.sort_unstable();
    assert_eq!(tied, [("flat", false), ("from", true), ("member", false), ("spend", true)]);
}

proptest! {
    /// Whatever is ordered, the order keeps the sums of its quote, and takes
    /// exactly the units of its lines.
    #[test]
    fn an_order_keeps_the_sums(
        cart in prop::collection::vec((0_i64..1_000_000, 1_u32..=MAX_QUANTITY), 1..=MAX_LINES),
    ) {
        let (rules, policy) = (rules(), policy(true));
        let names: Vec<String> = (0..cart.len()).map(|n| format!("S{n}")).collect();
        let mut facts = Facts::default();
        for (name, (price, _)) in names.iter().zip(&cart) {
            sell(&mut facts, name, *price, "JPY");
        }
        let lines: Vec<(&str, u32)> =
            names.iter().zip(&cart).map(|(name, (_, n))| (name.as_str(), *n)).collect();
        let order = decided(&placing(&lines), &facts, (&rules, &policy)).unwrap().order;
        let sum: i64 = cart.iter().map(|(price, n)| price * i64::from(*n)).sum();
        let totals: i64 = order.lines.iter().map(|line| line.total.minor()).sum();
        prop_assert_eq!(totals, sum);
        prop_assert_eq!(order.total.minor(), sum + order.delivery.price.minor());
        for (line, (_, quantity)) in order.lines.iter().zip(&cart) {
            let taken: u32 = line.stock.iter().map(|part| part.quantity).sum();
            prop_assert_eq!(taken, *quantity);
        }
    }
}
