use aftercart::model::{
    customer::Country,
    delivery::MethodId,
    money::Currency,
    price::Code,
    product::{Access, Product, ProductFacts},
};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::rules::points::PointsAsked;

pub(crate) fn now() -> Timestamp {
    Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
}

pub(crate) fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

pub(crate) fn member() -> CustomerId {
    CustomerId::member("ada").unwrap()
}

/// A product of which there is much.
pub(crate) fn sell(facts: &mut Facts, name: &str, price: i64, currency: &str) {
    let product = Product {
        sku: sku(name),
        title: Text::new(name).unwrap(),
        price: Money::new(price, Currency::parse(currency).unwrap()).unwrap(),
        facts: ProductFacts { grams: 500, ..ProductFacts::default() },
        access: Access::default(),
    };
    facts.levels.note(&product.sku, &LocationId::default(), 0, 100_000);
    facts.products.insert(product.sku.clone(), product);
}

pub(crate) fn basket(lines: &[(&str, u32)]) -> Basket {
    let line = |(name, quantity): &(&str, u32)| CartLine { sku: sku(name), quantity: *quantity };
    Basket {
        member: Some(member()),
        counted_as: member().to_string(),
        lines: lines.iter().map(line).collect(),
        destination: Some(Destination {
            country: Country::try_from("GB".to_owned()).unwrap(),
            region: None,
            postal_code: None,
        }),
        method: None,
        delivery_with_points: false,
        codes: Vec::new(),
        vouchers: Vec::new(),
        points: None,
        channel: None,
    }
}

/// A policy with charged delivery, tax and points in three currencies.
pub(crate) fn policy(prices_include_tax: bool) -> Policy {
    let mut policy = json!(Policy::default_document().unwrap());
    let step =
        |amount: i64| json!([{ "up_to": 5_000, "amount": amount }, { "amount": 2 * amount }]);
    policy["delivery"]["methods"][0]["prices"] =
        json!({ "GBP": step(490), "JPY": step(500), "KWD": step(1_250) });
    policy["delivery"]["methods"][0]["points"] = json!(40);
    policy["tax"] = json!({
        "prices_include_tax": prices_include_tax,
        "rules": [{ "countries": ["GB"], "rate": "20", "title": "VAT" }],
        "shipping": "as_goods",
    });
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 100, "JPY": 100, "KWD": 1_000 },
        "max_share": 5_000, "least_points": 1,
    });
    Policy::parse(&policy.to_string()).unwrap()
}

pub(crate) fn rules() -> PriceRules {
    let document = json!({
        "version": "1", "zone": "UTC",
        "rules": [
            {
                "id": "every-five", "title": { "en": "Off" }, "limits": { "total": 3 },
                "effect": { "spend": {
                    "currency": "GBP", "every": { "per": 5_000, "off": 333, "most_times": 4 },
                } },
            },
            {
                "id": "ten", "title": { "en": "Ten" }, "coupon": { "code": "TEN" },
                "effect": { "percent": { "off": 1_000 } },
            },
            {
                "id": "purse", "title": { "en": "Purse" }, "coupon": { "voucher": true },
                "effect": { "amount": { "currency": "GBP", "off": 250 } },
            },
            {
                "id": "ship", "title": { "en": "Ship" },
                "effect": { "free_shipping": { "over": { "currency": "GBP", "at": 9_000 } } },
            },
        ],
    });
    PriceRules::parse(&document.to_string()).unwrap()
}

fn voucher(id: &str, rule: &str, used_by: Option<&str>, expires: Option<&str>) -> Voucher {
    Voucher {
        id: VoucherId::derive(&[id]),
        customer: member(),
        rule: RuleId::parse(rule).unwrap(),
        granted_at: now(),
        expires_at: expires.map(|at| Timestamp::parse(at).unwrap()),
        used_by: used_by.map(|order| aftercart::model::id::OrderId::derive(&[order])),
    }
}

#[test]
fn a_voucher_is_used_when_it_is_open_and_only_one_of_a_rule() {
    let (policy, rules) = (policy(true), rules());
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    let mut facts = Facts::default();
    sell(&mut facts, "TEA", 1_000, "GBP");
    for (id, used_by, expires) in [
        ("good", None, Some("2026-11-21T12:00:01Z")),
        ("second", None, None),
        ("used", Some("1"), None),
        ("old", None, Some("2026-11-21T12:00:00Z")),
    ] {
        let voucher = voucher(id, "purse", used_by, expires);
        facts.vouchers.insert(voucher.id.clone(), voucher);
    }
    let mut basket = basket(&[("TEA", 1)]);
    for id in ["used", "old", "other", "good", "second"] {
        basket.vouchers.push(VoucherId::derive(&[id]));
    }
    let quote = quote(&basket, &facts, &terms, "q").unwrap();
    assert_eq!(quote.vouchers, [VoucherId::derive(&["good"])]);
    assert_eq!(quote.goods.total.minor(), 750);
    let reasons: Vec<(&VoucherId, &Reason)> = quote
        .not_applied
        .iter()
        .filter_map(|it| match it {
            Unapplied::Voucher { voucher, reason } => Some((voucher, reason)),
            _ => None,
        })
        .collect();
    let id = |id: &str| VoucherId::derive(&[id]);
    let expected = [
        (&id("used"), &Reason::UsedUp),
        (&id("old"), &Reason::Ended),
        (&id("other"), &Reason::Unknown),
        (&id("second"), &Reason::TooMany),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn what_cannot_be_had_is_refused_and_named() {
    let (policy, rules) = (policy(true), rules());
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    let mut facts = Facts::default();
    sell(&mut facts, "TEA", 1_000, "GBP");
    sell(&mut facts, "YEN", 1_000, "JPY");
    sell(&mut facts, "EURO", 1_000, "EUR");
    let express = MethodId::parse("express").unwrap();
    let with = |change: fn(&mut Basket)| {
        let mut basket = basket(&[("TEA", 1)]);
        change(&mut basket);
        basket
    };
    for (basket, refusal) in [
        (basket(&[("TEA", 1), ("NONE", 1)]), Refusal::UnknownSku { line: 1, sku: sku("NONE") }),
        (
            basket(&[("TEA", 1), ("YEN", 1)]),
            Refusal::Price(PriceError::MixedCurrencies { line: 1, sku: sku("YEN") }),
        ),
        (
            Basket { method: Some(express), ..basket(&[("TEA", 1)]) },
            Refusal::Method(NotOffered::Unknown),
        ),
        (basket(&[("EURO", 1)]), Refusal::NoMethod),
        (
            with(|basket| {
                basket.lines[0].sku = sku("EURO");
                basket.method = Some(MethodId::parse("standard").unwrap());
            }),
            Refusal::Method(NotOffered::Currency),
        ),
    ] {
        assert_eq!(quote(&basket, &facts, &terms, "q"), Err(refusal));
    }
}

#[test]
fn points_that_nobody_has_pay_for_no_delivery() {
    let (policy, rules) = (policy(true), rules());
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    for (spendable, affordable) in [(40, true), (39, false), (0, false)] {
        let mut facts = Facts { spendable, ..Facts::default() };
        sell(&mut facts, "TEA", 1_000, "GBP");
        let basket = Basket { delivery_with_points: true, ..basket(&[("TEA", 1)]) };
        let quote = quote(&basket, &facts, &terms, "q").unwrap();
        assert_eq!(quote.is_affordable(), affordable);
        assert_eq!(quote.id().is_some(), affordable);
        assert_eq!(quote.not_applied.is_empty(), affordable);
    }
}

#[test]
fn a_delivery_that_an_offer_pays_takes_no_points() {
    let (policy, rules) = (policy(true), rules());
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    let mut facts = Facts { spendable: 40, ..Facts::default() };
    sell(&mut facts, "TEA", 10_000, "GBP");
    let basket = Basket { delivery_with_points: true, ..basket(&[("TEA", 1)]) };
    let quote = quote(&basket, &facts, &terms, "q").unwrap();
    let chosen = quote.delivery.as_ref().unwrap();
    assert_eq!((chosen.points, chosen.charge().unwrap().minor()), (0, 0));
    assert_eq!(chosen.discount.as_ref().unwrap().rule.as_str(), "ship");
}

/// What is fetched comes from a store's stock, so a store has to be named,
/// whatever the buyer did the last time.
#[test]
fn nobody_is_sent_to_a_store_unasked() {
    let mut document = json!(Policy::default_document().unwrap());
    let mut store = document["delivery"]["methods"][0].clone();
    store["id"] = json!("fetch");
    store["kind"] = json!("pickup");
    store["location"] = json!("corner");
    document["delivery"]["methods"].as_array_mut().unwrap().push(store);
    document["stock"]["locations"].as_array_mut().unwrap().push(json!({
        "id": "corner", "title": "Corner shop", "pickup_only": true,
    }));
    let policy = Policy::parse(&document.to_string()).unwrap();
    let rules = rules();
    let terms = Terms { rules: &rules, policy: &policy, now: now() };
    let mut facts = Facts::default();
    sell(&mut facts, "TEA", 1_000, "GBP");
    let fetch = MethodId::parse("fetch").unwrap();
    let mut profile = Profile::empty(member());
    profile.last_method = Some(fetch.clone());
    facts.profile = Some(profile);
    let brought = quote(&basket(&[("TEA", 1)]), &facts, &terms, "q").unwrap();
    assert_eq!(brought.delivery.unwrap().option.method.as_str(), "standard");
    assert_eq!(brought.plan.unwrap()[0].parts[0].location.as_str(), "main");
    // The store has none.
    let named = Basket { method: Some(fetch), ..basket(&[("TEA", 1)]) };
    assert!(quote(&named, &facts, &terms, "q").unwrap().plan.is_err());
}

#[test]
fn guests_are_counted_by_their_address() {
    let same = counted_as(None, Some("Ada@Example.com"));
    assert_eq!(same, counted_as(None, Some("ada@example.com")));
    assert_ne!(same, counted_as(None, Some("bob@example.com")));
    assert_eq!(counted_as(Some(&member()), Some("ada@example.com")), "cus_ada");
}

proptest! {
    /// What a quote says adds up, in every currency, with taxes in the prices
    /// and on top; and the same asked again has the same identity.
    #[test]
    fn a_quote_adds_up(
        cart in prop::collection::vec((0_i64..20_000, 1_u32..20), 1..6),
        currency in prop::sample::select(vec!["GBP", "JPY", "KWD"]),
        (included, typed, named, with_points) in any::<(bool, bool, bool, bool)>(),
        points in prop::option::of(0_i64..5_000),
    ) {
        let (policy, rules) = (policy(included), rules());
        let terms = Terms { rules: &rules, policy: &policy, now: now() };
        let names: Vec<String> = (0..cart.len()).map(|n| format!("S{n}")).collect();
        let mut facts = Facts { spendable: 3_000, ..Facts::default() };
        for (name, (price, _)) in names.iter().zip(&cart) {
            sell(&mut facts, name, *price, currency);
        }
        let lines: Vec<(&str, u32)> =
            names.iter().zip(&cart).map(|(name, (_, quantity))| (name.as_str(), *quantity)).collect();
        let mut basket = basket(&lines);
        basket.codes = if typed { vec![Code::parse("TEN").unwrap()] } else { Vec::new() };
        if named {
            let voucher = voucher("v", "purse", None, None);
            basket.vouchers.push(voucher.id.clone());
            facts.vouchers.insert(voucher.id.clone(), voucher);
        }
        basket.points = points.map(PointsAsked::Exactly);
        basket.delivery_with_points = with_points;
        let candidates = candidates(&basket, &terms);
        facts.quotas = candidates.quotas;
        let priced = quote(&basket, &facts, &terms, "q").unwrap();

        let minor = |money: Money| money.minor();
        let lines = &priced.goods.lines;
        let chosen = priced.delivery.as_ref().unwrap();
        let charge = minor(chosen.charge().unwrap());
        let taxes: i64 = priced.taxes().map(minor).sum::<i64>() + minor(priced.delivery_tax().unwrap());
        let offset = priced.offset.as_ref().map_or(0, |it| minor(it.amount));
        for line in lines {
            prop_assert_eq!(minor(line.list) - minor(line.discount), minor(line.total));
        }
        let goods: i64 = lines.iter().map(|line| minor(line.total)).sum();
        let on_top = if included { 0 } else { taxes };
        prop_assert_eq!(minor(priced.total), goods + charge + on_top - offset);
        prop_assert_eq!(priced.offset_shares.iter().map(|it| minor(*it)).sum::<i64>(), offset);
        for (share, line) in priced.offset_shares.iter().zip(lines) {
            prop_assert!(minor(*share) <= minor(line.total));
        }
        prop_assert!(charge >= 0 && offset * 2 <= goods);
        prop_assert!(priced.is_affordable());
        prop_assert!(priced.goods.is_explained());
        prop_assert_eq!(chosen.points > 0, with_points && chosen.discount.is_none());
        let again = quote(&basket, &facts, &terms, "another").unwrap();
        prop_assert_eq!(again.id(), priced.id());
        prop_assert!(priced.id().is_some());
    }
}
