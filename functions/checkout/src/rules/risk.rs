//! What becomes of an order by the merchant's risk rules.
//!
//! Precedence: who is blocked, then who is trusted, then the rest. Rules that
//! allow go before all others, so a trusted buyer meets no extra step; unless
//! a rule holds that asks for who is blocked: then they do not count. Of the
//! rules that are left the most severe decision counts.
//!
//! More that speaks against an order never makes the decision milder, and the
//! order of the rules makes no difference.

use aftercart::model::{
    customer::Country,
    money::Money,
    risk::{Account, Decision, Listed, RiskConditions, RiskPolicy, RiskRule, Standing, Velocity},
    text::Text,
    time::Timestamp,
};

/// What is decided by.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// What is known of buyer, device, address and card.
    pub standing: &'a Standing,
    /// What the buyer bought before.
    pub history: History,
    /// What is to be paid.
    pub total: Money,
    /// The most units of one SKU.
    pub units: u32,
    /// The country of the bill, if the buyer named one.
    pub billing: Option<&'a Country>,
    /// The country that the order goes to.
    pub shipping: &'a Country,
}

/// What a member bought before; the default is that of a guest, and of a
/// member who bought nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// How many orders the member paid.
    pub paid_orders: u32,
    /// The total of the largest of them.
    pub largest: Option<Money>,
    /// When the first of them was placed.
    pub since: Option<Timestamp>,
}

/// What becomes of the order, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskDecision {
    /// What becomes of it.
    pub decision: Decision,
    /// Whether its payment needs an extra verification of the buyer: a rule
    /// asks for it, though another may ask for more.
    pub verification_required: bool,
    /// The rules that say so, by name. For the operator: a buyer who knew them
    /// would know how to pass.
    pub rules: Vec<Text<40>>,
}

/// Decides. A policy without rules allows everything.
#[must_use]
pub fn decide(policy: &RiskPolicy, facts: &Facts<'_>, now: Timestamp) -> RiskDecision {
    let holding: Vec<&RiskRule> =
        policy.rules.iter().filter(|rule| holds(&rule.when, facts, now)).collect();
    let blocked = holding.iter().any(|rule| !rule.when.blocked.is_empty());
    let allows = |rule: &RiskRule| rule.then == Decision::Allow;
    let allowed = !blocked && holding.iter().any(|rule| allows(rule));
    let deciding: Vec<&RiskRule> =
        holding.into_iter().filter(|rule| allows(rule) == allowed).collect();
    let decision = deciding.iter().map(|rule| rule.then).max().unwrap_or(Decision::Allow);
    let mut rules: Vec<Text<40>> = deciding.iter().map(|rule| rule.id.clone()).collect();
    rules.sort_unstable();
    RiskDecision {
        decision,
        verification_required: deciding.iter().any(|rule| rule.then == Decision::Challenge),
        rules,
    }
}

fn holds(when: &RiskConditions, facts: &Facts<'_>, now: Timestamp) -> bool {
    let listed = &facts.standing.listed;
    let any = |kinds: &std::collections::BTreeSet<_>, wanted: Listed| {
        kinds.is_empty() || kinds.iter().any(|kind| listed.get(kind) == Some(&wanted))
    };
    when.velocity.as_ref().is_none_or(|velocity| is_fast(velocity, facts.standing, now))
        && is_over_amount(&when.amount_over, facts.total)
        && when.times_largest.is_none_or(|times| is_over_history(times, facts))
        && when.new_account.as_ref().is_none_or(|by| !is_established(by, &facts.history, now))
        && (!when.address_mismatch
            || facts.billing.is_some_and(|billing| billing != facts.shipping))
        && when.units_over.is_none_or(|most| facts.units > most)
        && any(&when.blocked, Listed::Blocked)
        && any(&when.trusted, Listed::Trusted)
        && when.known_account.as_ref().is_none_or(|by| is_established(by, &facts.history, now))
}

/// The order that is decided counts, too.
fn is_fast(velocity: &Velocity, standing: &Standing, now: Timestamp) -> bool {
    let since = now.minus(velocity.within);
    let earlier = standing.seen.get(&velocity.of).map(|seen| seen.after(since));
    // Without the kind, such as a device that is not named, there is nothing to count.
    earlier.is_some_and(|earlier| {
        u32::try_from(earlier.saturating_add(1)).unwrap_or(u32::MAX) > velocity.more_than
    })
}

fn is_over_amount(amounts: &[Money], total: Money) -> bool {
    let limit = amounts.iter().find(|amount| amount.currency() == total.currency());
    amounts.is_empty() || limit.is_some_and(|limit| total.minor() > limit.minor())
}

fn is_over_history(times: u32, facts: &Facts<'_>) -> bool {
    let largest = facts.history.largest.filter(|it| it.currency() == facts.total.currency());
    largest.is_some_and(|largest| {
        i128::from(facts.total.minor()) > i128::from(largest.minor()) * i128::from(times)
    })
}

fn is_established(by: &Account, history: &History, now: Timestamp) -> bool {
    let known = history.since.is_some_and(|since| since.plus(by.known_for) <= now);
    known && history.paid_orders >= by.paid_orders
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aftercart::model::{
        id::OrderId,
        risk::{RiskKind, Seen},
        time::Period,
    };
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::parse("2026-11-21T12:00:00Z").unwrap()
    }

    fn ago(period: &str) -> Timestamp {
        now().minus(Period::parse(period).unwrap())
    }

    fn gbp(amount: i64) -> Money {
        serde_json::from_value(json!({ "amount": amount, "currency": "GBP" })).unwrap()
    }

    fn country(code: &str) -> Country {
        code.to_owned().try_into().unwrap()
    }

    fn policy(rules: &[(&str, Value, &str)]) -> RiskPolicy {
        let rule = |(id, when, then): &(&str, Value, &str)| json!({ "id": id, "title": id, "when": when, "then": then });
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let policy: RiskPolicy = serde_json::from_value(json!({ "rules": rules })).unwrap();
        policy.check().unwrap();
        policy
    }

    /// A kind that was seen in orders of these times.
    fn seen(kind: RiskKind, times: &[&str]) -> Standing {
        let order = |(n, time): (usize, &&str)| (OrderId::derive(&[&n.to_string()]), ago(time));
        let seen = Seen { orders: times.iter().enumerate().map(order).collect(), version: 1 };
        Standing { seen: [(kind, seen)].into(), ..Standing::default() }
    }

    fn listed(entries: &[(RiskKind, Listed)]) -> Standing {
        Standing { listed: entries.iter().copied().collect(), ..Standing::default() }
    }

    /// A plain order of a regular.
    fn plain<'a>(standing: &'a Standing, shipping: &'a Country) -> Facts<'a> {
        Facts {
            standing,
            history: History { paid_orders: 3, largest: Some(gbp(5_000)), since: Some(ago("90d")) },
            total: gbp(10_000),
            units: 2,
            billing: None,
            shipping,
        }
    }

    #[test]
    fn every_condition_has_its_border() {
        let nothing = Standing::default();
        let device = seen(RiskKind::Device, &["1m", "59m", "60m", "2h"]);
        let blocked = listed(&[(RiskKind::Email, Listed::Blocked)]);
        let guest = History::default();
        let facts = |change: &dyn Fn(&mut Facts<'static>)| -> Facts<'static> {
            // Leaked: a table of facts that borrow.
            let mut facts = plain(Box::leak(Box::default()), Box::leak(Box::new(country("GB"))));
            change(&mut facts);
            facts
        };
        let with = |standing: &Standing| {
            let standing: &'static Standing = Box::leak(Box::new(standing.clone()));
            facts(&|facts| facts.standing = standing)
        };
        let velocity = |n: u32, within: &str| json!({ "velocity": { "of": "device", "more_than": n, "within": within } });
        let over = |amount: i64, code: &str| json!({ "amount_over": [{ "amount": amount, "currency": code }] });
        let account = |orders: u32, known: &str| json!({ "new_account": { "paid_orders": orders, "known_for": known } });
        for (when, facts, expected) in [
            (velocity(2, "1h"), with(&device), true),
            (velocity(3, "1h"), with(&device), false),
            (velocity(4, "3h"), with(&device), true),
            (velocity(1, "1h"), with(&nothing), false),
            (over(9_999, "GBP"), with(&nothing), true),
            (over(10_000, "GBP"), with(&nothing), false),
            (over(1, "EUR"), with(&nothing), false),
            (json!({ "times_largest": 1 }), with(&nothing), true),
            (json!({ "times_largest": 2 }), with(&nothing), false),
            (json!({ "times_largest": 1 }), facts(&|facts| facts.history = guest), false),
            (account(3, "90d"), with(&nothing), false),
            (account(4, "0s"), with(&nothing), true),
            (account(0, "91d"), with(&nothing), true),
            (account(1, "0s"), facts(&|facts| facts.history = guest), true),
            (json!({ "address_mismatch": true }), with(&nothing), false),
            (
                json!({ "address_mismatch": true }),
                facts(&|facts| facts.billing = Some(Box::leak(Box::new(country("FR"))))),
                true,
            ),
            (
                json!({ "address_mismatch": true }),
                facts(&|facts| facts.billing = Some(Box::leak(Box::new(country("GB"))))),
                false,
            ),
            (json!({ "units_over": 1 }), with(&nothing), true),
            (json!({ "units_over": 2 }), with(&nothing), false),
            (json!({ "blocked": ["email"] }), with(&blocked), true),
            (json!({ "blocked": ["customer", "email"] }), with(&blocked), true),
            (json!({ "blocked": ["customer"] }), with(&blocked), false),
            (json!({ "blocked": ["email"], "units_over": 2 }), with(&blocked), false),
        ] {
            let policy = policy(&[("it", when.clone(), "review")]);
            let decided = decide(&policy, &facts, now());
            assert_eq!(decided.decision == Decision::Review, expected, "{when}: {facts:?}");
            assert_eq!(decided.rules.len(), usize::from(expected));
        }
    }

    #[test]
    fn blocked_goes_before_trusted_and_trusted_before_the_rest() {
        let rules = policy(&[
            ("blocked", json!({ "blocked": ["email", "customer"] }), "refuse"),
            ("trusted", json!({ "trusted": ["customer"] }), "allow"),
            ("regular", json!({ "known_account": { "paid_orders": 10 } }), "allow"),
            ("many", json!({ "units_over": 1 }), "review"),
            ("dear", json!({ "amount_over": [{ "amount": 1, "currency": "GBP" }] }), "challenge"),
        ]);
        let gb = country("GB");
        let trusted = (RiskKind::Customer, Listed::Trusted);
        for (entries, paid_orders, decision, verify, names) in [
            (&[][..], 3, Decision::Review, true, &["dear", "many"][..]),
            (&[trusted], 3, Decision::Allow, false, &["trusted"]),
            (&[trusted], 10, Decision::Allow, false, &["regular", "trusted"]),
            (
                &[trusted, (RiskKind::Email, Listed::Blocked)],
                10,
                Decision::Refuse,
                true,
                &["blocked", "dear", "many"],
            ),
        ] {
            let standing = listed(entries);
            let mut facts = plain(&standing, &gb);
            facts.history.paid_orders = paid_orders;
            let decided = decide(&rules, &facts, now());
            assert_eq!((decided.decision, decided.verification_required), (decision, verify));
            let decided: Vec<&str> = decided.rules.iter().map(Text::as_str).collect();
            assert_eq!(decided, names);
        }
    }

    #[test]
    fn no_rules_allow_everything() {
        let standing = listed(&[(RiskKind::Email, Listed::Blocked)]);
        let gb = country("GB");
        let decided = decide(&RiskPolicy::default(), &plain(&standing, &gb), now());
        assert_eq!((decided.decision, decided.rules), (Decision::Allow, vec![]));
    }

    fn kind() -> impl Strategy<Value = RiskKind> {
        prop::sample::select(RiskKind::ALL.to_vec())
    }

    fn against() -> impl Strategy<Value = (Value, &'static str)> {
        let then = prop::sample::select(vec!["challenge", "review", "refuse"]);
        let one = prop_oneof![
            (kind(), 1_u32..6, 1_u32..24).prop_map(|(of, more_than, hours)| {
                json!({ "velocity": { "of": of, "more_than": more_than, "within": format!("{hours}h") } })
            }),
            (0_i64..200).prop_map(|amount| {
                json!({ "amount_over": [{ "amount": amount, "currency": "GBP" }] })
            }),
            (1_u32..4).prop_map(|times| json!({ "times_largest": times })),
            (1_u32..5).prop_map(|n| json!({ "new_account": { "paid_orders": n } })),
            (1_u32..90).prop_map(|n| json!({ "new_account": { "known_for": format!("{n}d") } })),
            Just(json!({ "address_mismatch": true })),
            (0_u32..9).prop_map(|units| json!({ "units_over": units })),
            kind().prop_map(|kind| json!({ "blocked": [kind] })),
        ];
        let whens = prop::collection::vec(one, 1..3).prop_map(|parts| {
            let members = parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten();
            Value::Object(members.collect())
        });
        (whens, then)
    }

    fn allowing() -> impl Strategy<Value = (Value, &'static str)> {
        let when = prop_oneof![
            Just(json!({ "trusted": ["customer"] })),
            (1_u32..6).prop_map(|n| json!({ "known_account": { "paid_orders": n } })),
        ];
        (when, Just("allow"))
    }

    fn policies() -> impl Strategy<Value = RiskPolicy> {
        prop::collection::vec(prop_oneof![4 => against(), 1 => allowing()], 0..8).prop_map(
            |rules| {
                let names: Vec<String> = (0..rules.len()).map(|n| format!("r{n}")).collect();
                let rules: Vec<(&str, Value, &str)> = names
                    .iter()
                    .zip(rules)
                    .map(|(name, (when, then))| (name.as_str(), when, then))
                    .collect();
                policy(&rules)
            },
        )
    }

    /// Facts with all that can speak against an order in numbers.
    #[derive(Debug, Clone)]
    struct Against {
        seen: BTreeMap<RiskKind, Vec<u32>>,
        blocked: Vec<RiskKind>,
        trusted: Vec<RiskKind>,
        total: i64,
        units: u32,
        paid_orders: u32,
        known_days: u16,
        abroad: bool,
    }

    fn people() -> impl Strategy<Value = Against> {
        let seen =
            prop::collection::btree_map(kind(), prop::collection::vec(0_u32..100_000, 0..6), 0..4);
        let kinds = || prop::collection::vec(kind(), 0..2);
        (seen, kinds(), kinds(), 0_i64..300, 1_u32..10, 0_u32..8, 0_u16..100, any::<bool>())
            .prop_map(|(seen, blocked, trusted, total, units, paid_orders, known_days, abroad)| {
                Against { seen, blocked, trusted, total, units, paid_orders, known_days, abroad }
            })
    }

    /// The same facts with some that speak more against it.
    fn worse(one: &Against, other: &Against) -> Against {
        let mut seen = one.seen.clone();
        for (kind, ages) in &other.seen {
            seen.entry(*kind).or_default().extend(ages);
        }
        Against {
            seen,
            blocked: [one.blocked.clone(), other.blocked.clone()].concat(),
            trusted: one.trusted.iter().filter(|it| other.trusted.contains(it)).copied().collect(),
            total: one.total.max(other.total),
            units: one.units.max(other.units),
            paid_orders: one.paid_orders.min(other.paid_orders),
            known_days: one.known_days.min(other.known_days),
            abroad: one.abroad || other.abroad,
        }
    }

    fn decided(policy: &RiskPolicy, who: &Against) -> RiskDecision {
        let order = |(n, age): (usize, &u32)| {
            (OrderId::derive(&[&n.to_string()]), now().minus(Period::of_seconds(*age)))
        };
        let seen = who.seen.iter().map(|(kind, ages)| {
            (*kind, Seen { orders: ages.iter().enumerate().map(order).collect(), version: 1 })
        });
        let trusted = who.trusted.iter().map(|kind| (*kind, Listed::Trusted));
        let blocked = who.blocked.iter().map(|kind| (*kind, Listed::Blocked));
        let standing = Standing { seen: seen.collect(), listed: trusted.chain(blocked).collect() };
        let (gb, fr) = (country("GB"), country("FR"));
        let facts = Facts {
            standing: &standing,
            history: History {
                paid_orders: who.paid_orders,
                largest: Some(gbp(60)),
                since: Some(now().minus(Period::of_days(who.known_days))),
            },
            total: gbp(who.total),
            units: who.units,
            billing: who.abroad.then_some(&fr),
            shipping: &gb,
        };
        decide(policy, &facts, now())
    }

    proptest! {
        #[test]
        fn more_against_an_order_never_makes_it_milder(
            policy in policies(), one in people(), other in people(),
        ) {
            let (first, second) = (decided(&policy, &one), decided(&policy, &worse(&one, &other)));
            prop_assert!(first.decision <= second.decision, "{first:?} {second:?}");
        }

        #[test]
        fn the_order_of_rules_makes_no_difference(
            policy in policies(), who in people(), turn in 0_usize..8,
        ) {
            let mut turned = policy.clone();
            turned.rules.rotate_left(turn % policy.rules.len().max(1));
            prop_assert_eq!(decided(&policy, &who), decided(&turned, &who));
            turned.rules.reverse();
            prop_assert_eq!(decided(&policy, &who), decided(&turned, &who));
        }
    }
}
