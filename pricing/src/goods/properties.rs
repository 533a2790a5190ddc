//! What holds of every cart under every document: carts of up to six SKUs in
//! currencies of no, two and three decimals, documents of up to seven rules of
//! every kind.

use std::collections::{BTreeMap, BTreeSet};

use aftercart::model::{
    money::{Currency, Money},
    price::{Code, Effect, PriceRules, Rule, Stacking},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Good, Kind, Priced, Wanted,
    cart::part_down,
    example::{Shop, good, rule, sku},
};

const SKUS: [&str; 6] = ["BAG", "CUP", "OOLONG", "POT", "SPOON", "TEA"];

fn effect(currency: &'static str) -> impl Strategy<Value = Value> {
    let amount = || 1_i64..6_000;
    let share = || 1_u32..=10_000;
    let spend = (amount(), amount(), amount(), amount()).prop_map(move |(at, off, more, most)| {
        let (first, second) = (off.min(at), off.min(at) + most);
        let tiers = json!([{"at": at, "off": first}, {"at": second + more + at, "off": second}]);
        json!({"spend": {"currency": currency, "tiers": tiers}})
    });
    let every = (amount(), amount(), 1_u32..5).prop_map(move |(per, off, most)| {
        let every = json!({"per": per, "off": off.min(per), "most_times": most});
        json!({"spend": {"currency": currency, "every": every}})
    });
    let percent = (share(), amount(), amount()).prop_map(move |(off, most, minimum)| {
        json!({"percent": {"off": off, "currency": currency, "most": most, "minimum": minimum}})
    });
    let bundle = (amount(), 1_u32..4, 1_u32..4).prop_map(move |(price, tea, cup)| {
        let items = json!([{"sku": "TEA", "quantity": tea}, {"sku": "CUP", "quantity": cup}]);
        json!({"bundle": {"currency": currency, "price": price, "items": items}})
    });
    let over = move |at: i64| json!({"currency": currency, "at": at});
    let from = move |at: i64| json!({"spend": over(at)});
    prop_oneof![
        (amount(), amount()).prop_map(move |(tea, pot)| {
            json!({"price": {"currency": currency, "units": {"TEA": tea, "POT": pot}}})
        }),
        share().prop_map(|off| json!({"price_percent": {"off": off}})),
        spend,
        every,
        share().prop_map(|off| json!({"percent": {"off": off}})),
        percent,
        amount().prop_map(move |off| json!({"amount": {"currency": currency, "off": off}})),
        bundle,
        (1_u32..4, 1_u32..3, share())
            .prop_map(|(buy, get, off)| json!({"buy_get": {"buy": buy, "get": get, "off": off}})),
        (1_u32..3, amount()).prop_map(move |(quantity, at)| {
            json!({"gift": {"sku": "BAG", "quantity": quantity, "from": from(at)}})
        }),
        amount().prop_map(move |at| json!({"free_shipping": {"over": over(at)}})),
        share().prop_map(|off| json!({"shipping_percent": {"off": off}})),
    ]
}

fn goods() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!({})),
        1 => Just(json!({"categories": ["tea"]})),
        1 => Just(json!({"brands": ["Kiln"], "skus": ["SPOON"]})),
        1 => Just(json!({"except_skus": ["TEA"]})),
    ]
}

fn stacking() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => Just(json!("stackable")),
        1 => Just(json!("exclusive")),
        1 => Just(json!({"best_of": "one"})),
        1 => Just(json!({"best_of": "two"})),
    ]
}

fn a_rule(currency: &'static str) -> impl Strategy<Value = Value> {
    let coupon = prop_oneof![
        4 => Just(None),
        1 => Just(Some(json!({"code": "ABC"}))),
        1 => Just(Some(json!({"voucher": true}))),
    ];
    let limits = prop_oneof![
        3 => Just(json!({})),
        1 => (1_u32..20, 1_u8..4).prop_map(|(total, shards)| {
            json!({"total": total + 3, "shards": shards})
        }),
        1 => (1_u32..9, 1_u32..9).prop_map(|(day, mine)| {
            json!({"per_day": day, "per_customer_per_day": mine})
        }),
    ];
    (effect(currency), goods(), stacking(), coupon, limits, -1..2_i32).prop_map(
        |(effect, goods, stacking, coupon, limits, priority)| {
            let names_skus = effect.get("price").or(effect.get("bundle")).is_some();
            let promotion = ["spend", "percent", "amount", "bundle", "buy_get"];
            let stacks = promotion.iter().any(|kind| effect.get(kind).is_some());
            json!({
                "id": "r",
                "title": {"en": "A rule"},
                "effect": effect,
                "goods": if names_skus { json!({}) } else { goods },
                "stacking": if stacks { stacking } else { json!("stackable") },
                "coupon": coupon,
                "limits": limits,
                "priority": priority,
            })
        },
    )
}

fn document(rules: &[Value], max_discount: u32) -> PriceRules {
    let mut rules = rules.to_vec();
    for (number, rule) in rules.iter_mut().enumerate() {
        rule["id"] = json!(format!("r{number}"));
    }
    let document = json!({
        "version": "1", "zone": "UTC", "max_discount": max_discount, "rules": rules,
    });
    PriceRules::parse(&document.to_string()).unwrap()
}

fn a_cart(currency: &'static str) -> impl Strategy<Value = Vec<(Good, u32)>> {
    let line = (0_i64..5_000, prop::option::of(0_i64..4_000), 1_u32..9);
    let lines = prop::collection::vec(prop::option::weighted(0.6, line), SKUS.len());
    let lines = lines.prop_map(move |lines| {
        let lines = SKUS.iter().zip(lines).filter_map(|(sku, line)| {
            let (list, floor, quantity) = line?;
            let mut good = good(sku, currency);
            good.list = Money::new(list, good.list.currency()).unwrap();
            good.floor = floor;
            Some((good, quantity))
        });
        lines.collect::<Vec<_>>()
    });
    lines.prop_filter("a line", |lines| !lines.is_empty())
}

/// A shop in which the buyer named every coupon, and what is left of limits.
fn a_shop(
    rules: impl Fn(&'static str) -> BoxedStrategy<Vec<Value>>,
) -> impl Strategy<Value = Shop> {
    let maximum = prop_oneof![2 => Just(10_000_u32), 1 => 1_u32..10_000];
    let left = prop::collection::vec(prop::option::of(0_u32..9), 40);
    prop::sample::select(vec!["JPY", "EUR", "KWD"]).prop_flat_map(move |currency| {
        (a_cart(currency), rules(currency), maximum.clone(), left.clone(), 0_i64..20).prop_map(
            move |(lines, rules, maximum, left, bags)| {
                let mut shop = Shop::new("", &[]).code("ABC");
                (shop.lines, shop.rules) = (lines, document(&rules, maximum));
                let vouchers = (0..5).map(|number| rule(&format!("r{number}")));
                shop.vouchers = vouchers.collect();
                shop.gifts.insert(sku("BAG"), (good("BAG", currency), bags));
                let quotas = shop.candidates().quotas.into_iter().zip(left);
                let quotas = quotas.filter_map(|(quota, left)| Some((quota.key(), left?)));
                shop.quotas = quotas.collect::<BTreeMap<_, _>>();
                shop
            },
        )
    })
}

fn shop() -> impl Strategy<Value = Shop> {
    a_shop(|currency| prop::collection::vec(a_rule(currency), 0..8).boxed())
}

/// The price without what depends on the order of lines: lines by SKU with the
/// rules' shares of each.
fn by_sku(priced: &Priced) -> impl PartialEq + std::fmt::Debug + use<> {
    let shares = |number: usize| -> Vec<i64> {
        priced.applied.iter().map(|applied| applied.shares[number]).collect()
    };
    let lines = priced.lines.iter().enumerate();
    let mut lines: Vec<_> =
        lines.map(|(number, line)| (line.good.sku.clone(), line.clone(), shares(number))).collect();
    lines.sort_by(|a, b| (&a.0, &a.1.gift).cmp(&(&b.0, &b.1.gift)));
    let rules: Vec<_> = priced.applied.iter().map(|applied| applied.rule.clone()).collect();
    let told = (priced.skipped.clone(), priced.near.clone(), priced.quotas.clone());
    (lines, rules, priced.list, priced.discount, priced.total, told)
}

fn is_unit_price(kind: Kind) -> bool {
    matches!(kind, Kind::Price | Kind::PricePercent)
}

/// What each rule takes off bought goods.
fn given(priced: &Priced) -> BTreeMap<String, i64> {
    let applied = priced.applied.iter().filter(|applied| applied.kind != Kind::Gift);
    applied.map(|applied| (applied.rule.to_string(), applied.amount.minor())).collect()
}

/// The shop with one unit more of a SKU, in a line of its own if there is none.
fn with_one_more(shop: &Shop, of: &str, list: i64) -> Shop {
    let mut more = shop.clone();
    if let Some(line) = more.lines.iter_mut().find(|(good, _)| good.sku.as_str() == of) {
        line.1 += 1;
    } else {
        let mut good = good(of, shop.lines[0].0.list.currency().code());
        (good.list, good.floor) = (Money::new(list, good.list.currency()).unwrap(), None);
        more.lines.push((good, 1));
    }
    more
}

fn without_gifts(priced: &Priced) -> i64 {
    priced.lines.iter().map(|line| line.total.minor()).sum()
}

/// The total under some of the rules, with nothing said about stacking.
fn total_under(shop: &Shop, keep: impl Fn(&Rule) -> bool) -> i64 {
    let mut some = shop.clone();
    some.rules.rules.retain(|rule| keep(rule));
    for rule in &mut some.rules.rules {
        rule.stacking = Stacking::Stackable;
    }
    some.price().total.minor()
}

proptest! {
    #[test]
    fn every_amount_sums(shop in shop()) {
        let priced = shop.price();
        let zero = Money::zero(priced.currency);
        let mut whole = (0, 0, 0);
        for (number, line) in priced.lines.iter().enumerate() {
            let (list, discount, total) = (line.list.minor(), line.discount.minor(), line.total.minor());
            prop_assert_eq!(list, line.good.list.minor() * i64::from(line.quantity));
            prop_assert_eq!(list - discount, total);
            let shares = |unit: bool| -> i64 {
                let rules = priced.applied.iter().filter(|rule| is_unit_price(rule.kind) || !unit);
                rules.map(|rule| rule.shares[number]).sum()
            };
            prop_assert_eq!(shares(false), discount);
            prop_assert_eq!(line.parts.iter().map(|part| part.quantity).sum::<u32>(), line.quantity);
            let parts: i64 = line.parts.iter().map(|part| part.unit.minor() * i64::from(part.quantity)).sum();
            prop_assert_eq!(parts, if line.gift.is_some() { 0 } else { list - shares(true) });
            whole = (whole.0 + list, whole.1 + discount, whole.2 + total);
        }
        prop_assert_eq!(whole, (priced.list.minor(), priced.discount.minor(), priced.total.minor()));
        for applied in &priced.applied {
            prop_assert!(applied.shares.iter().all(|share| *share >= 0));
            prop_assert_eq!(applied.shares.iter().sum::<i64>(), applied.amount.minor());
            prop_assert!(applied.amount.minor() > 0 || applied.kind == Kind::Gift);
            prop_assert!(applied.cut_by_floor.minor() >= 0 && applied.cut_by_maximum.minor() >= 0);
        }
        prop_assert!(priced.is_explained());
        prop_assert!(priced.total.minor() >= zero.minor());
    }

    #[test]
    fn floors_and_the_maximum_hold(shop in shop()) {
        let priced = shop.price();
        let (mut list, mut discount) = (0, 0);
        for line in &priced.lines {
            if line.gift.is_some() {
                prop_assert_eq!(line.total.minor(), 0);
                continue;
            }
            let floor = line.good.floor.unwrap_or(0).min(line.good.list.minor());
            prop_assert!(line.total.minor() >= floor * i64::from(line.quantity));
            prop_assert!(line.parts.iter().all(|part| part.unit.minor() >= floor));
            list += line.list.minor();
            discount += line.discount.minor();
        }
        prop_assert!(discount <= part_down(list, shop.rules.max_discount));
    }

    #[test]
    fn the_order_of_rules_and_lines_means_nothing(
        (shop, rules, lines) in shop().prop_flat_map(|shop| {
            let (rules, lines) = (shop.rules.rules.clone(), shop.lines.clone());
            (Just(shop), Just(rules).prop_shuffle(), Just(lines).prop_shuffle())
        }),
    ) {
        let mut other = shop.clone();
        (other.rules.rules, other.lines) = (rules, lines);
        prop_assert_eq!(by_sku(&shop.price()), by_sku(&other.price()));
        let mut asked: Vec<_> = other.lines.iter().map(|(good, _)| good.sku.clone()).collect();
        asked.extend(other.price().lines.iter().filter(|line| line.gift.is_some()).map(|line| line.good.sku.clone()));
        prop_assert_eq!(other.price().lines.iter().map(|line| line.good.sku.clone()).collect::<Vec<_>>(), asked);
        let (one, two) = (shop.candidates(), other.candidates());
        prop_assert_eq!(one, two);
    }

    #[test]
    fn no_more_is_asked_of_a_limit_than_is_left(shop in shop(), charge in 0_i64..2_000) {
        let read = shop.candidates().quotas;
        let priced = shop.price();
        let shipping = shop.shipping("post", charge);
        let mut asked = BTreeSet::new();
        for (quota, units) in priced.quotas.iter().chain(&shipping.quotas) {
            prop_assert!(read.contains(quota));
            prop_assert!(asked.insert(quota.key()));
            prop_assert!(*units >= 1 && *units <= quota.cap_of_shard(0));
            prop_assert!(shop.quotas.get(&quota.key()).is_none_or(|left| units <= left));
        }
        // Of a rule that applied, every limit is counted.
        let applied: BTreeSet<_> = priced.applied.iter().map(|applied| &applied.rule)
            .chain(shipping.applied.iter().map(|applied| &applied.rule)).collect();
        let due = read.iter().filter(|quota| applied.contains(&quota.rule)).count();
        prop_assert_eq!(due, asked.len());
        if let Some(applied) = shipping.applied {
            prop_assert!(applied.amount.minor() > 0 && applied.amount.minor() <= charge);
        }
    }

    #[test]
    fn every_coupon_is_taken_or_told(shop in shop()) {
        let (priced, shipping) = (shop.price(), shop.shipping("post", 100));
        let coupons = priced.applied.iter().map(|applied| (&applied.rule, &applied.coupon))
            .chain(shipping.applied.iter().map(|applied| (&applied.rule, &applied.coupon)));
        let coupons: Vec<_> = coupons.collect();
        let told: Vec<&Wanted> =
            priced.skipped.iter().chain(&shipping.skipped).map(|skipped| &skipped.asked).collect();
        let code = Code::parse("ABC").unwrap();
        let taken = coupons.iter().any(|(_, coupon)| {
            matches!(coupon, Some(aftercart::model::price::Coupon::Code(_)))
        });
        let wanted = Wanted::Code(code);
        prop_assert_eq!(told.iter().filter(|told| ***told == wanted).count(), usize::from(!taken));
        for voucher in &shop.vouchers {
            let taken = coupons.iter().any(|(rule, coupon)| {
                *rule == voucher && matches!(coupon, Some(aftercart::model::price::Coupon::Voucher(_)))
            });
            let wanted = Wanted::Voucher(voucher.clone());
            prop_assert_eq!(told.iter().filter(|told| ***told == wanted).count(), usize::from(!taken));
        }
    }

    /// With one group, the buyer pays the least of: the stackable promotions
    /// with one member of the group or none, and each exclusive one alone.
    #[test]
    fn stacking_is_the_buyer_s_best(shop in shop()) {
        let mut shop = shop;
        let group = |rule: &Rule| matches!(rule.stacking, Stacking::BestOf(_));
        // Gifts have no price, but their list price counts in the sums.
        shop.rules.rules.retain(|rule| !matches!(rule.effect, Effect::Gift(_)));
        for rule in &mut shop.rules.rules {
            if let Stacking::BestOf(name) = &mut rule.stacking {
                *name = aftercart::model::text::Text::new("one").unwrap();
            }
        }
        let unit = |rule: &Rule| matches!(rule.effect, Effect::Price(_) | Effect::PricePercent(_));
        let exclusive = |rule: &Rule| rule.stacking == Stacking::Exclusive;
        let mut totals = vec![total_under(&shop, |rule| !exclusive(rule) && !group(rule))];
        for chosen in &shop.rules.rules {
            if group(chosen) {
                let with = |rule: &Rule| rule.id == chosen.id || !exclusive(rule) && !group(rule);
                totals.push(total_under(&shop, with));
            } else if exclusive(chosen) {
                totals.push(total_under(&shop, |rule| rule.id == chosen.id || unit(rule)));
            }
        }
        prop_assert_eq!(Some(&shop.price().total.minor()), totals.iter().min());
    }

    /// Under a unit price, a plain percentage or sets of which one unit is
    /// reduced, without floors, limits and a maximum, one unit more never makes
    /// the cart cheaper.
    #[test]
    fn more_goods_never_cost_less_without_thresholds(
        shop in a_shop(|currency| {
            let effect = prop_oneof![
                (1_i64..6_000, 1_i64..6_000).prop_map(move |(tea, pot)| {
                    json!({"price": {"currency": currency, "units": {"TEA": tea, "POT": pot}}})
                }),
                (1_u32..=10_000).prop_map(|off| json!({"price_percent": {"off": off}})),
                (1_u32..=10_000).prop_map(|off| json!({"percent": {"off": off}})),
                (1_u32..4, 1_u32..=10_000).prop_map(|(buy, off)| {
                    json!({"buy_get": {"buy": buy, "get": 1, "off": off}})
                }),
            ];
            effect.prop_map(|effect| {
                vec![json!({"id": "r", "title": {"en": "A rule"}, "effect": effect})]
            }).boxed()
        }),
        more in prop::sample::select(SKUS.to_vec()),
        list in 0_i64..5_000,
    ) {
        let mut shop = shop;
        shop.rules.max_discount = 10_000;
        for (good, _) in &mut shop.lines {
            good.floor = None;
        }
        let more = with_one_more(&shop, more, list);
        prop_assert!(more.price().total.minor() >= shop.price().total.minor());
    }

    /// Under any rules, one unit more lowers what is paid by no more than what
    /// rules give beyond what they gave before: not by what they no longer
    /// give, which makes it dearer, and not by anything that no rule names.
    #[test]
    fn more_goods_cost_less_only_by_what_rules_newly_give(
        shop in shop(),
        more in prop::sample::select(SKUS.to_vec()),
        list in 0_i64..5_000,
    ) {
        let more = with_one_more(&shop, more, list);
        let (before, after) = (shop.price(), more.price());
        let (gave, gives) = (given(&before), given(&after));
        let newly: i64 = gives
            .iter()
            .map(|(rule, gives)| (gives - gave.get(rule).copied().unwrap_or(0)).max(0))
            .sum();
        prop_assert!(without_gifts(&after) >= without_gifts(&before) - newly);
    }

    #[test]
    fn the_same_numbers_are_shared_alike_in_every_currency(shop in shop()) {
        let amounts = |code: &str| {
            let currency = Currency::parse(code).unwrap();
            let from = shop.lines[0].0.list.currency().code();
            let mut shop = shop.clone();
            let rules = serde_json::to_string(&shop.rules).unwrap();
            shop.rules = PriceRules::parse(&rules.replace(&format!("\"{from}\""), &format!("\"{code}\""))).unwrap();
            for (good, _) in &mut shop.lines {
                good.list = Money::new(good.list.minor(), currency).unwrap();
            }
            for (good, _) in shop.gifts.values_mut() {
                good.list = Money::new(good.list.minor(), currency).unwrap();
            }
            let priced = shop.price();
            let shares: Vec<Vec<i64>> = priced.applied.into_iter().map(|applied| applied.shares).collect();
            (priced.total.minor(), shares)
        };
        prop_assert_eq!(amounts("JPY"), amounts("EUR"));
        prop_assert_eq!(amounts("JPY"), amounts("KWD"));
    }
}
