//! Every kind of rule, table by table. Amounts are cents of the catalogue in
//! `example.rs`: TEA 1000, OOLONG 2500, CUP 800, POT 4000 with a floor of 3600,
//! SPOON 333, BAG 500.

use aftercart::model::{
    money::{Currency, MAX_MINOR, Money},
    price::{Limits, Quota, QuotaScope},
    time::{Date, Timestamp},
};

use super::{
    MAX_QUOTAS, PriceError, Priced, Reason, Skipped, Wanted,
    example::{Shop, good, rule, sku, text},
};

/// A rule's document: its name, its effect and whatever else it says.
fn json(id: &str, effect: &str, rest: &str) -> String {
    let comma = if rest.is_empty() { "" } else { "," };
    format!(r#"{{"id":"{id}","title":{{"en":"{id}"}},"effect":{effect}{comma}{rest}}}"#)
}

/// What each rule took off each line.
fn shares(priced: &Priced) -> Vec<(&str, Vec<i64>)> {
    priced.applied.iter().map(|rule| (rule.rule.as_str(), rule.shares.clone())).collect()
}

fn skipped(priced: &Priced) -> Vec<Reason> {
    priced.skipped.iter().map(|skipped| skipped.reason.clone()).collect()
}

fn limited(shop: &Shop) -> bool {
    shop.rules.rules.iter().any(|rule| rule.limits != Limits::default())
}

fn today() -> Date {
    Date::parse("2026-11-11").unwrap()
}

#[test]
fn one_rule_takes_off_what_its_effect_says() {
    let eur = r#""currency":"EUR""#;
    for (effect, rest, cart, expected) in [
        // Unit prices.
        (
            format!(r#"{{"price":{{{eur},"units":{{"TEA":900}}}}}}"#),
            "",
            &[("TEA", 3), ("CUP", 1)][..],
            &[300, 0][..],
        ),
        (format!(r#"{{"price":{{{eur},"units":{{"TEA":1100}}}}}}"#), "", &[("TEA", 3)], &[]),
        (format!(r#"{{"price":{{{eur},"units":{{"POT":3000}}}}}}"#), "", &[("POT", 2)], &[800]),
        (r#"{"price":{"currency":"USD","units":{"TEA":900}}}"#.to_owned(), "", &[("TEA", 3)], &[]),
        (r#"{"price_percent":{"off":1500}}"#.to_owned(), "", &[("SPOON", 2)], &[100]),
        (
            r#"{"price_percent":{"off":1000}}"#.to_owned(),
            r#""goods":{"categories":["tea"]}"#,
            &[("TEA", 1), ("CUP", 1)],
            &[100, 0],
        ),
        // Spend thresholds.
        (
            format!(
                r#"{{"spend":{{{eur},"tiers":[{{"at":2000,"off":200}},{{"at":4000,"off":500}}]}}}}"#
            ),
            "",
            &[("TEA", 1)],
            &[],
        ),
        (
            format!(
                r#"{{"spend":{{{eur},"tiers":[{{"at":2000,"off":200}},{{"at":4000,"off":500}}]}}}}"#
            ),
            "",
            &[("TEA", 2)],
            &[200],
        ),
        (
            format!(
                r#"{{"spend":{{{eur},"tiers":[{{"at":2000,"off":200}},{{"at":4000,"off":500}}]}}}}"#
            ),
            "",
            &[("TEA", 2), ("OOLONG", 1)],
            &[222, 278],
        ),
        (
            format!(r#"{{"spend":{{{eur},"every":{{"per":1000,"off":100}}}}}}"#),
            "",
            &[("TEA", 3), ("CUP", 1)],
            &[237, 63],
        ),
        (
            format!(r#"{{"spend":{{{eur},"every":{{"per":1000,"off":100,"most_times":2}}}}}}"#),
            "",
            &[("TEA", 3)],
            &[200],
        ),
        (
            format!(r#"{{"spend":{{{eur},"every":{{"per":1000,"off":100}}}}}}"#),
            r#""goods":{"except_skus":["TEA"]}"#,
            &[("TEA", 3), ("CUP", 2)],
            &[0, 100],
        ),
        // Percentages and amounts.
        (r#"{"percent":{"off":1000}}"#.to_owned(), "", &[("SPOON", 1), ("CUP", 1)], &[33, 80]),
        (
            format!(r#"{{"percent":{{"off":5000,{eur},"most":700}}}}"#),
            "",
            &[("TEA", 1), ("CUP", 1)],
            &[389, 311],
        ),
        (
            format!(r#"{{"percent":{{"off":5000,{eur},"minimum":1801}}}}"#),
            "",
            &[("TEA", 1), ("CUP", 1)],
            &[],
        ),
        (
            format!(r#"{{"amount":{{{eur},"off":500}}}}"#),
            r#""goods":{"brands":["Kiln"],"skus":["TEA"]}"#,
            &[("TEA", 1), ("OOLONG", 1), ("CUP", 1)],
            &[278, 0, 222],
        ),
        (
            format!(r#"{{"amount":{{{eur},"off":5000}}}}"#),
            "",
            &[("TEA", 1), ("CUP", 1)],
            &[1000, 800],
        ),
        // The floor of POT leaves 400 of each unit; what it cuts off goes nowhere.
        (r#"{"percent":{"off":5000}}"#.to_owned(), "", &[("POT", 2), ("TEA", 1)], &[800, 500]),
        // Bundles.
        (
            format!(
                r#"{{"bundle":{{{eur},"price":1500,"items":[{{"sku":"TEA","quantity":1}},{{"sku":"CUP","quantity":1}}]}}}}"#
            ),
            "",
            &[("TEA", 3), ("CUP", 2)],
            &[333, 267],
        ),
        (
            format!(
                r#"{{"bundle":{{{eur},"price":1500,"items":[{{"sku":"TEA","quantity":1}},{{"sku":"CUP","quantity":3}}]}}}}"#
            ),
            "",
            &[("TEA", 3), ("CUP", 2)],
            &[],
        ),
        (
            format!(
                r#"{{"bundle":{{{eur},"price":1800,"items":[{{"sku":"TEA","quantity":1}},{{"sku":"CUP","quantity":1}}]}}}}"#
            ),
            "",
            &[("TEA", 3), ("CUP", 2)],
            &[],
        ),
        // Sets of three, from the dearest down: POT's floor holds a free OOLONG not.
        (
            r#"{"buy_get":{"buy":2,"get":1}}"#.to_owned(),
            "",
            &[("TEA", 2), ("OOLONG", 1), ("CUP", 3)],
            &[1000, 0, 800],
        ),
        (
            r#"{"buy_get":{"buy":1,"get":1,"off":5000}}"#.to_owned(),
            r#""goods":{"categories":["tea"]}"#,
            &[("TEA", 3), ("CUP", 2)],
            &[500, 0],
        ),
        (r#"{"buy_get":{"buy":3,"get":1}}"#.to_owned(), "", &[("TEA", 3)], &[]),
        (r#"{"buy_get":{"buy":1,"get":1}}"#.to_owned(), "", &[("POT", 2)], &[800]),
    ] {
        let priced = Shop::new(&json("r", &effect, rest), cart).price();
        let expected: Vec<(&str, Vec<i64>)> =
            if expected.is_empty() { Vec::new() } else { vec![("r", expected.to_vec())] };
        assert_eq!(shares(&priced), expected, "{effect} {rest} {cart:?}");
    }
}

#[test]
fn a_rule_is_for_its_audience_and_its_time() {
    let percent = r#"{"percent":{"off":1000}}"#;
    let shop = |rest: &str| Shop::new(&json("r", percent, rest), &[("TEA", 1)]);
    let gold = |rest: &str| shop(rest).tier("gold");
    let with = |rest: &str, change: fn(&mut Shop)| {
        let mut shop = shop(rest);
        change(&mut shop);
        shop
    };
    for (shop, applies) in [
        (shop(""), true),
        (shop(r#""audience":{"members_only":true}"#), false),
        (gold(r#""audience":{"members_only":true}"#), true),
        (gold(r#""audience":{"tiers":["silver","gold"]}"#), true),
        (gold(r#""audience":{"tiers":["silver"]}"#), false),
        (
            gold(r#""audience":{"tiers":["gold"],"first_order":true},"limits":{"per_customer":1}"#),
            false,
        ),
        (
            with(r#""audience":{"segments":["new"]}"#, |shop| shop.segments = vec![text("new")]),
            true,
        ),
        (shop(r#""audience":{"segments":["new"]}"#), false),
        (with(r#""audience":{"channels":["app"]}"#, |shop| shop.channel = Some("app")), true),
        (with(r#""audience":{"channels":["app"]}"#, |shop| shop.channel = Some("web")), false),
        (
            with(r#""audience":{"first_order":true},"limits":{"per_customer":1}"#, |shop| {
                shop.first_order = true;
            }),
            true,
        ),
        (shop(r#""window":{"from":"2026-11-11T12:00"}"#), true),
        (shop(r#""window":{"from":"2026-11-11T12:01"}"#), false),
        (shop(r#""window":{"until":"2026-11-11T12:00"}"#), false),
        (shop(r#""window":{"days":["wed"]}"#), true),
        (shop(r#""window":{"days":["thu"]}"#), false),
    ] {
        let priced = shop.price();
        assert_eq!(!priced.applied.is_empty(), applies, "{:?}", shop.rules.rules);
        assert_eq!(priced.skipped, [], "nobody asked for it by name");
    }
}

#[test]
fn coupons_that_do_not_apply_say_why() {
    let coupon = r#""coupon":{"code":"TEA10"}"#;
    let percent = r#"{"percent":{"off":1000}}"#;
    let of = |effect: &str, rest: &str| {
        Shop::new(&json("r", effect, &format!("{coupon}{rest}")), &[("TEA", 1)]).code(" tea10 ")
    };
    let shop = |rest: &str| of(percent, rest);
    let total = r#","limits":{"total":9,"per_day":3,"per_customer":2,"per_customer_per_day":1}"#;
    for (shop, reason) in [
        (shop(""), None),
        (shop("").code("OTHER"), Some(Reason::Unknown)),
        (shop(r#","audience":{"members_only":true}"#), Some(Reason::NotForBuyer)),
        (shop(r#","window":{"until":"2026-11-11T00:00"}"#), Some(Reason::Ended)),
        (shop(r#","window":{"from":"2026-11-12T00:00"}"#), Some(Reason::NotYet)),
        (shop(r#","window":{"days":["sun"]}"#), Some(Reason::Closed)),
        (shop(r#","goods":{"skus":["CUP"]}"#), Some(Reason::NotForGoods)),
        (shop(r#","goods":{"brands":["Kiln"]}"#), Some(Reason::NotForGoods)),
        (of(r#"{"amount":{"currency":"USD","off":1}}"#, ""), Some(Reason::OtherCurrency)),
        (
            of(r#"{"amount":{"currency":"EUR","off":1,"minimum":1500}}"#, ""),
            Some(Reason::Minimum { missing: 500 }),
        ),
        (of(r#"{"buy_get":{"buy":1,"get":1}}"#, ""), Some(Reason::Incomplete)),
        (of(r#"{"price":{"currency":"EUR","units":{"TEA":1000}}}"#, ""), Some(Reason::NothingLeft)),
        (shop(total), None),
        (shop(total).left("r", QuotaScope::Total, 0), Some(Reason::UsedUp)),
        (shop(total).left("r", QuotaScope::Day(today()), 0), Some(Reason::UsedUpToday)),
        (
            shop(total).left("r", QuotaScope::Customer("cus_1".to_owned()), 0),
            Some(Reason::CustomerLimit),
        ),
        (
            shop(total).left("r", QuotaScope::CustomerDay("cus_1".to_owned(), today()), 0),
            Some(Reason::CustomerLimitToday),
        ),
    ] {
        let priced = shop.price();
        assert_eq!(skipped(&priced), reason.into_iter().collect::<Vec<_>>(), "{shop:?}");
        assert_eq!(priced.quotas.is_empty(), priced.applied.is_empty() || !limited(&shop));
    }
    let unasked = Shop::new(&json("r", percent, coupon), &[("TEA", 1)]).price();
    assert_eq!((shares(&unasked), skipped(&unasked)), (vec![], vec![]));
}

#[test]
fn a_voucher_is_named_by_its_rule() {
    let rules = json("gift-10", r#"{"percent":{"off":1000}}"#, r#""coupon":{"voucher":true}"#);
    let shop = Shop::new(&rules, &[("TEA", 1)]);
    assert_eq!(shares(&shop.price()), []);
    assert_eq!(shares(&shop.clone().voucher("gift-10").price()), [("gift-10", vec![100])]);
    let unknown = shop.voucher("gift-11").price();
    let asked = Wanted::Voucher(rule("gift-11"));
    assert_eq!(unknown.skipped, [Skipped { asked, rule: None, reason: Reason::Unknown }]);
}

#[test]
fn of_rules_with_one_code_the_one_that_comes_farthest_says_why() {
    let rules = [
        json(
            "gold",
            r#"{"percent":{"off":2000}}"#,
            r#""coupon":{"code":"TEA10"},"audience":{"tiers":["gold"]}"#,
        ),
        json(
            "all",
            r#"{"amount":{"currency":"EUR","off":1,"minimum":2000}}"#,
            r#""coupon":{"code":"TEA10"}"#,
        ),
    ]
    .join(",");
    let shop = Shop::new(&rules, &[("TEA", 1)]).code("TEA10");
    let reason = Reason::Minimum { missing: 1000 };
    let asked = Wanted::Code(shop.codes[0].clone());
    assert_eq!(shop.price().skipped, [Skipped { asked, rule: Some(rule("all")), reason }]);
    let gold = shop.tier("gold").price();
    assert_eq!((shares(&gold), skipped(&gold)), (vec![("gold", vec![200])], vec![]));
}

#[test]
fn a_limited_price_is_for_so_many_units() {
    let rules = [
        json(
            "flash",
            r#"{"price":{"currency":"EUR","units":{"TEA":500,"CUP":500}}}"#,
            r#""limits":{"total":100,"per_customer":3}"#,
        ),
        json("member", r#"{"price_percent":{"off":1000}}"#, ""),
    ]
    .join(",");
    let shop = Shop::new(&rules, &[("TEA", 2), ("CUP", 2)]);
    let priced = shop.price();
    // Lines go by SKU: CUP first.
    assert_eq!(shares(&priced), [("flash", vec![500, 600]), ("member", vec![100, 0])]);
    assert_eq!(skipped(&priced), [Reason::Units { priced: 3, of: 4 }]);
    let parts: Vec<(u32, i64)> =
        priced.lines[0].parts.iter().map(|part| (part.quantity, part.unit.minor())).collect();
    assert_eq!(parts, [(1, 500), (1, 900)]);
    let units: Vec<u32> = priced.quotas.iter().map(|(_, units)| *units).collect();
    assert_eq!(units, [3, 3]);
    let out = shop.left("flash", QuotaScope::Total, 0).price();
    assert_eq!(shares(&out), [("member", vec![200, 160])]);
    assert_eq!((skipped(&out), out.quotas), (vec![Reason::UsedUp], vec![]));
}

#[test]
fn one_order_gets_one_shard_of_a_limit() {
    let limits = r#""limits":{"total":10,"shards":4}"#;
    let rules = json("r", r#"{"price_percent":{"off":1000}}"#, limits);
    let shop = Shop::new(&rules, &[("TEA", 9)]);
    assert_eq!(shop.price().quotas[0].1, 3);
    assert_eq!(shop.left("r", QuotaScope::Total, 7).price().quotas[0].1, 3);
}

#[test]
fn the_lowest_unit_price_wins() {
    let price = |id: &str, minor: i64, rest: &str| {
        json(id, &format!(r#"{{"price":{{"currency":"EUR","units":{{"TEA":{minor}}}}}}}"#), rest)
    };
    for (rules, winner, off) in [
        ([price("a", 900, ""), price("b", 800, "")], "b", 200),
        ([price("a", 800, ""), price("b", 800, "")], "a", 200),
        ([price("a", 800, ""), price("b", 800, r#""priority":1"#)], "b", 200),
        ([price("a", 700, r#""audience":{"members_only":true}"#), price("b", 800, "")], "b", 200),
    ] {
        let priced = Shop::new(&rules.join(","), &[("TEA", 1)]).price();
        assert_eq!(shares(&priced), [(winner, vec![off])]);
    }
}

#[test]
fn promotions_come_after_unit_prices_and_lines_before_the_order() {
    let rules = [
        json("order", r#"{"percent":{"off":1000}}"#, r#""priority":9"#),
        json("lines", r#"{"buy_get":{"buy":1,"get":1}}"#, ""),
        json("units", r#"{"price":{"currency":"EUR","units":{"TEA":900}}}"#, ""),
        json("spend", r#"{"spend":{"currency":"EUR","tiers":[{"at":900,"off":100}]}}"#, ""),
    ]
    .join(",");
    let priced = Shop::new(&rules, &[("TEA", 2)]).price();
    // The threshold is measured on 900, though the percentage leaves 810.
    let expected =
        [("units", vec![200]), ("lines", vec![900]), ("order", vec![90]), ("spend", vec![100])];
    assert_eq!(shares(&priced), expected);
    assert_eq!(priced.total.minor(), 710);
}

#[test]
fn a_unit_is_in_one_line_promotion() {
    let bundle = |rest: &str| {
        json(
            "pair",
            r#"{"bundle":{"currency":"EUR","price":1500,"items":[{"sku":"TEA","quantity":2}]}}"#,
            rest,
        )
    };
    let free = json("free", r#"{"buy_get":{"buy":1,"get":1}}"#, "");
    for (priority, expected) in
        [(r#""priority":1"#, vec![("pair", vec![1000])]), ("", vec![("free", vec![2000])])]
    {
        let rules = [bundle(priority), free.clone()].join(",");
        assert_eq!(shares(&Shop::new(&rules, &[("TEA", 4)]).price()), expected);
    }
    let rules = [bundle(r#""priority":1"#), free].join(",");
    let three = Shop::new(&rules, &[("TEA", 3), ("CUP", 1)]).price();
    assert_eq!(shares(&three), [("pair", vec![500, 0]), ("free", vec![0, 800])]);
}

#[test]
fn stacking_chooses_what_is_best_for_the_buyer() {
    let amount = |id: &str, off: i64, stacking: &str| {
        let effect = format!(r#"{{"amount":{{"currency":"EUR","off":{off}}}}}"#);
        json(id, &effect, &format!(r#""stacking":{stacking}"#))
    };
    let (stack, alone) = (r#""stackable""#, r#""exclusive""#);
    let (one, two) = (r#"{"best_of":"one"}"#, r#"{"best_of":"two"}"#);
    for (rules, expected) in [
        (vec![amount("a", 10, stack), amount("b", 20, stack)], &["a", "b"][..]),
        (vec![amount("a", 10, one), amount("b", 20, one)], &["b"]),
        (vec![amount("a", 20, one), amount("b", 20, one)], &["a"]),
        (vec![amount("a", 10, one), amount("b", 20, one), amount("c", 1, two)], &["b", "c"]),
        (vec![amount("a", 10, stack), amount("b", 20, alone)], &["b"]),
        (vec![amount("a", 10, stack), amount("b", 20, alone), amount("c", 11, stack)], &["a", "c"]),
        (vec![amount("a", 20, stack), amount("b", 20, alone)], &["a"]),
        (vec![amount("a", 20, alone), amount("b", 20, alone)], &["a"]),
    ] {
        let priced = Shop::new(&rules.join(","), &[("TEA", 1)]).price();
        let applied: Vec<&str> = priced.applied.iter().map(|rule| rule.rule.as_str()).collect();
        assert_eq!(applied, expected, "{rules:?}");
    }
    let coupon = json(
        "code",
        r#"{"amount":{"currency":"EUR","off":5}}"#,
        r#""stacking":"exclusive","coupon":{"code":"FIVE"}"#,
    );
    let rules = [amount("a", 10, stack), coupon].join(",");
    let priced = Shop::new(&rules, &[("TEA", 1)]).code("five").price();
    assert_eq!(skipped(&priced), [Reason::AnotherBetter]);
}

#[test]
fn all_discounts_stay_below_the_maximum() {
    let rules = [
        json("unit", r#"{"price":{"currency":"EUR","units":{"TEA":100}}}"#, ""),
        json("a", r#"{"percent":{"off":1000}}"#, ""),
        json("b", r#"{"percent":{"off":5000}}"#, ""),
    ]
    .join(",");
    let mut shop = Shop::new(&rules, &[("TEA", 1), ("CUP", 1)]);
    shop.rules.max_discount = 3_000;
    let priced = shop.price();
    assert_eq!(priced.discount.minor(), 540);
    assert_eq!(shares(&priced), [("unit", vec![300, 0]), ("a", vec![70, 80]), ("b", vec![42, 48])]);
    let cut: Vec<i64> = priced.applied.iter().map(|rule| rule.cut_by_maximum.minor()).collect();
    assert_eq!(cut, [600, 0, 585]);
}

#[test]
fn what_a_floor_cuts_off_is_told() {
    let rules = json("r", r#"{"percent":{"off":2000}}"#, "");
    let applied = Shop::new(&rules, &[("POT", 1), ("TEA", 1)]).price().applied.remove(0);
    assert_eq!((applied.amount.minor(), applied.cut_by_floor.minor()), (600, 400));
}

#[test]
fn gifts_come_while_there_are_some() {
    let by_spend = |rest: &str| {
        json(
            "bag",
            r#"{"gift":{"sku":"BAG","quantity":1,"from":{"spend":{"currency":"EUR","at":2000}}}}"#,
            rest,
        )
    };
    let by_units = json("two", r#"{"gift":{"sku":"BAG","quantity":2,"from":{"units":3}}}"#, "");
    let shop = |cart| Shop::new(&by_spend(""), cart).gift("BAG", 1);
    let priced = shop(&[("TEA", 2)]).price();
    assert_eq!(shares(&priced), [("bag", vec![0, 500])]);
    let line = &priced.lines[1];
    assert_eq!((line.list.minor(), line.total.minor()), (500, 0));
    assert_eq!(line.gift, Some(rule("bag")));
    assert_eq!(
        (priced.list.minor(), priced.discount.minor(), priced.total.minor()),
        (2500, 500, 2000)
    );
    for (shop, reason) in [
        (shop(&[("TEA", 1)]), None),
        // The one bag that there is, is bought.
        (shop(&[("TEA", 2), ("BAG", 1)]), Some(Reason::GiftOut)),
        (Shop::new(&by_spend(""), &[("TEA", 2)]), Some(Reason::GiftOut)),
        (Shop::new(&by_spend(""), &[("TEA", 2)]).gift("BAG", 0), Some(Reason::GiftOut)),
        (
            Shop::new(&by_spend(r#""limits":{"total":1}"#), &[("TEA", 2)]).gift("BAG", 1).left(
                "bag",
                QuotaScope::Total,
                0,
            ),
            Some(Reason::UsedUp),
        ),
        (Shop::new(&by_units, &[("TEA", 2)]).gift("BAG", 5), None),
        (Shop::new(&by_units, &[("TEA", 3)]).gift("BAG", 1), Some(Reason::GiftOut)),
    ] {
        let priced = shop.price();
        assert_eq!(shares(&priced), []);
        assert_eq!(skipped(&priced), reason.into_iter().collect::<Vec<_>>());
    }
    let both = Shop::new(&[by_spend(""), by_units].join(","), &[("TEA", 3)]).gift("BAG", 2).price();
    assert_eq!(shares(&both), [("bag", vec![0, 500])]);
}

#[test]
fn the_best_rule_for_shipping_applies() {
    let rules = [
        json(
            "free",
            r#"{"free_shipping":{"over":{"currency":"EUR","at":2000},"methods":["post"]}}"#,
            "",
        ),
        json("half", r#"{"shipping_percent":{"off":5000}}"#, r#""limits":{"total":1}"#),
        json("code", r#"{"free_shipping":{}}"#, r#""coupon":{"code":"SHIP"}"#),
    ]
    .join(",");
    let shop = |cart| Shop::new(&rules, cart);
    let none = QuotaScope::Total;
    for (shop, method, charge, expected, reasons) in [
        (shop(&[("TEA", 2)]), "post", 499, Some(("free", 499)), vec![]),
        (shop(&[("TEA", 2)]), "express", 499, Some(("half", 250)), vec![]),
        (shop(&[("TEA", 1)]), "post", 499, Some(("half", 250)), vec![]),
        (shop(&[("TEA", 1)]).code("ship"), "post", 499, Some(("code", 499)), vec![]),
        (shop(&[("TEA", 2)]).code("ship"), "post", 499, Some(("code", 499)), vec![]),
        (shop(&[("TEA", 2)]).code("ship"), "post", 0, None, vec![Reason::NothingLeft]),
        (shop(&[("TEA", 1)]).left("half", none, 0), "post", 499, None, vec![]),
    ] {
        let shipping = shop.shipping(method, charge);
        let applied = shipping.applied.as_ref();
        let told = applied.map(|rule| (rule.rule.as_str(), rule.amount.minor()));
        assert_eq!(told, expected, "{method} {charge}");
        let counted = usize::from(told.is_some_and(|(rule, _)| rule == "half"));
        assert_eq!(shipping.quotas.len(), counted);
        let told: Vec<Reason> =
            shipping.skipped.into_iter().map(|skipped| skipped.reason).collect();
        assert_eq!(told, reasons);
        assert_eq!(skipped(&shop.price()), [], "the delivery tells");
    }
}

#[test]
fn thresholds_that_are_near_are_told() {
    let rules = [
        json(
            "spend",
            r#"{"spend":{"currency":"EUR","tiers":[{"at":1000,"off":100},{"at":3000,"off":500}]}}"#,
            "",
        ),
        json(
            "every",
            r#"{"spend":{"currency":"EUR","every":{"per":700,"off":1,"most_times":2}}}"#,
            "",
        ),
        json(
            "ware",
            r#"{"amount":{"currency":"EUR","off":1,"minimum":9000}}"#,
            r#""goods":{"categories":["ware"]}"#,
        ),
        json("ship", r#"{"free_shipping":{"over":{"currency":"EUR","at":2000}}}"#, ""),
        json(
            "bag",
            r#"{"gift":{"sku":"BAG","quantity":1,"from":{"spend":{"currency":"EUR","at":5000}}}}"#,
            "",
        ),
        json("dollar", r#"{"free_shipping":{"over":{"currency":"USD","at":2000}}}"#, ""),
    ]
    .join(",");
    let near = |cart: &[(&str, u32)]| -> Vec<(String, i64)> {
        let near = Shop::new(&rules, cart).price().near.into_iter();
        near.map(|near| (near.rule.to_string(), near.missing.minor())).collect()
    };
    let told = |of: &[(&str, i64)]| -> Vec<(String, i64)> {
        of.iter().map(|(rule, missing)| ((*rule).to_owned(), *missing)).collect()
    };
    let one = [("every", 400), ("spend", 2000), ("bag", 4101), ("ship", 1101)];
    assert_eq!(near(&[("TEA", 1)]), told(&one));
    let two = [("spend", 1200), ("ware", 8200), ("bag", 3302), ("ship", 302)];
    assert_eq!(near(&[("TEA", 1), ("CUP", 1)]), told(&two));
}

#[test]
fn carts_that_cannot_be_priced_are_refused() {
    let rules = json("r", r#"{"percent":{"off":1000}}"#, "");
    let with = |change: &dyn Fn(&mut Shop)| {
        let mut shop = Shop::new(&rules, &[("TEA", 1), ("CUP", 1)]);
        change(&mut shop);
        shop.try_price().map(|priced| priced.total.minor())
    };
    let price = |minor: i64| Money::new(minor, Currency::parse("EUR").unwrap()).unwrap();
    let code = Shop::new("", &[]).code("ABC").codes.remove(0);
    assert_eq!(with(&|_| {}), Ok(1620));
    assert_eq!(with(&|shop| shop.lines.clear()), Err(PriceError::Empty));
    let many = |shop: &mut Shop| shop.lines = vec![(good("TEA", "EUR"), 1); 10_000];
    assert_eq!(with(&many), Err(PriceError::TooManyLines { most: 50 }));
    for quantity in [0, 1_000, u32::MAX] {
        let refused = with(&|shop| shop.lines[1].1 = quantity);
        assert_eq!(refused, Err(PriceError::Quantity { line: 1, most: 999 }));
    }
    let repeated = with(&|shop| shop.lines.push((good("TEA", "EUR"), 1)));
    assert_eq!(repeated, Err(PriceError::Repeated { line: 2, sku: sku("TEA") }));
    let mixed = with(&|shop| shop.lines[1].0 = good("CUP", "USD"));
    assert_eq!(mixed, Err(PriceError::MixedCurrencies { line: 1, sku: sku("CUP") }));
    let negative = with(&|shop| shop.lines[0].0.list = price(-1));
    assert_eq!(negative, Err(PriceError::Negative { line: 0, sku: sku("TEA") }));
    assert_eq!(with(&|shop| shop.lines[0].0.list = price(MAX_MINOR)), Err(PriceError::TooLarge));
    let codes = with(&|shop| shop.codes = vec![code.clone(); 6]);
    assert_eq!(codes, Err(PriceError::TooManyCoupons { most: 5 }));
    let shop = Shop::new(&rules, &[("TEA", 1)]);
    let charge = Money::zero(Currency::parse("USD").unwrap());
    let refused =
        shop.ask(|rules, asked| super::shipping(rules, asked, &shop.price(), "post", charge));
    assert_eq!(refused, Err(PriceError::ShippingPrice));
}

#[test]
fn a_price_that_was_changed_is_not_explained() {
    let rules = json("r", r#"{"percent":{"off":1000}}"#, "");
    let priced = Shop::new(&rules, &[("TEA", 1), ("CUP", 1)]).price();
    let changes: [fn(&mut Priced); 6] = [
        |priced| priced.applied[0].shares[1] += 1,
        |priced| priced.applied[0].shares.truncate(1),
        |priced| priced.applied.clear(),
        |priced| priced.lines[0].quantity = 2,
        |priced| priced.total = priced.list,
        |priced| priced.lines[1].total = priced.lines[1].list,
    ];
    for change in changes {
        let mut changed = priced.clone();
        change(&mut changed);
        assert!(priced.is_explained() && !changed.is_explained());
    }
}

#[test]
fn candidates_are_the_rules_that_could_apply() {
    let limits = r#""limits":{"total":10,"per_customer_per_day":1,"shards":5}"#;
    let percent = r#"{"percent":{"off":1000}}"#;
    let gift = r#"{"gift":{"sku":"BAG","quantity":1,"from":{"units":1}}}"#;
    let flash = r#"{"price":{"currency":"EUR","units":{"CUP":1}}}"#;
    let rules = [
        json("open", percent, limits),
        json("coupon", percent, &format!(r#""coupon":{{"code":"ABC"}},{limits}"#)),
        json("later", percent, &format!(r#""window":{{"from":"2027-01-01T00:00"}},{limits}"#)),
        json("flash", flash, limits),
        json("cups", percent, &format!(r#""goods":{{"skus":["CUP"]}},{limits}"#)),
        json("bag", gift, ""),
        json("gold", gift, r#""audience":{"tiers":["gold"]}"#),
    ]
    .join(",");
    let quota = |of: &str| {
        let customer = QuotaScope::CustomerDay("cus_1".to_owned(), today());
        [
            Quota { rule: rule(of), scope: QuotaScope::Total, cap: 10, shards: 5 },
            Quota { rule: rule(of), scope: customer, cap: 1, shards: 1 },
        ]
    };
    let plain = Shop::new(&rules, &[("TEA", 1)]);
    assert_eq!(plain.candidates().gifts, [sku("BAG")]);
    assert_eq!(plain.candidates().quotas, quota("open"));
    let coupon = plain.code("abc").candidates();
    assert_eq!(coupon.quotas, [quota("coupon"), quota("open")].concat());
    let many: Vec<String> = (0..40).map(|n| json(&format!("r{n:02}"), percent, limits)).collect();
    let many = Shop::new(&many.join(","), &[("TEA", 1)]);
    assert_eq!(many.candidates().quotas.len(), MAX_QUOTAS);
    assert!(many.price().quotas.len() <= MAX_QUOTAS);
}

#[test]
fn a_day_is_one_of_the_document_s_zone() {
    let rules = json("r", r#"{"percent":{"off":1000}}"#, r#""limits":{"per_day":1}"#);
    let mut shop = Shop::new(&rules, &[("TEA", 1)]);
    for (now, day) in
        [("2026-11-11T15:59:59Z", "2026-11-11"), ("2026-11-11T16:00:00Z", "2026-11-12")]
    {
        shop.now = Timestamp::parse(now).unwrap();
        let scope = QuotaScope::Day(Date::parse(day).unwrap());
        assert_eq!(shop.candidates().quotas[0].scope, scope);
    }
}
