use std::collections::BTreeMap;

use aftercart::model::{
    customer::CustomerId,
    id::{OrderId, PaymentId, VoucherId},
    money::Money,
    order::{OrderPoints, RefundCause},
    payment::{Flow, Method, Provider},
    price::RuleId,
    product::Sku,
    text::Text,
    voucher::Voucher,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::rules::{
    change::tests::{line, money, placed},
    retake,
};

const BUYER: Actor = Actor::Buyer;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_millis(second * 1_000).unwrap()
}

fn happened(who: Actor, what: Deed, second: i64) -> Happening {
    Happening { at: at(second), who, what, why: None }
}

fn payment(number: u32) -> PaymentId {
    PaymentId::derive(&[&number.to_string()])
}

fn noted(number: u32, status: PaymentStatus) -> OrderPayment {
    OrderPayment { payment: payment(number), status, at: at(5), events: 1, paid: false }
}

fn attempt(order: &Order, settles: Money) -> Attempt {
    Attempt {
        id: payment(1),
        order: order.id.clone(),
        customer: order.customer.clone(),
        provider: Provider::Sandbox,
        method: Method::Test,
        flow: Flow::Embedded,
        amount: money(777),
        settles,
        instalments: None,
        payer: None,
        verify: false,
        at: at(1),
        request: String::new(),
        ask_at: None,
        asked: 0,
    }
}

/// An order that ended, for which the money of attempt 1 came.
fn ended(status: OrderStatus, lines: Vec<OrderLine>) -> Order {
    let payments = vec![noted(1, PaymentStatus::Succeeded)];
    Order { status, expires_at: None, payments, ..placed(lines, true) }
}

fn expired() -> Order {
    ended(OrderStatus::Expired, vec![line(0, 3, (0, 0, 0)), line(1, 2, (0, 0, 0))])
}

fn cancelled(who: Actor) -> Order {
    let history = vec![happened(who, Deed::Cancelled, 4)];
    Order { status: OrderStatus::Cancelled, history, ..expired() }
}

fn operator() -> Actor {
    Actor::Operator(Text::new("ops").unwrap())
}

fn verdict(order: &Order, settles: Money, policy: &LatePolicy) -> String {
    match retake::judge(order, &attempt(order, settles), policy) {
        Step::Done => "done".to_owned(),
        Step::Take(note) => format!("take {}", note.events),
        Step::GiveBack(note, due) => {
            assert_eq!((&note.payment, &due.payment), (&payment(1), &payment(1)));
            format!("{} {}", due.cause.as_str(), due.amount.minor())
        }
    }
}

#[test]
fn the_order_and_the_policy_decide_about_late_money() {
    use OrderStatus::{Cancelled, Paid, Placed};
    use PaymentStatus::{ChargebackWon, Disputed, PartlyRefunded, Refunded, Succeeded};
    let paid_by = |number: u32| {
        let mut payments = vec![noted(1, Succeeded), noted(2, Succeeded)];
        payments[number as usize - 1].paid = true;
        Order { status: Paid, paid_at: Some(at(6)), payments, ..expired() }
    };
    let due = |due: RefundDue| Order { refunds_due: vec![due], ..expired() };
    let of = |status| Order { payments: vec![noted(1, status)], ..expired() };
    let id = expired().id;
    let of_units =
        RefundDue { cause: RefundCause::Cancelled, ..RefundDue::late(&id, &payment(1), money(1)) };
    let cases = [
        ("expired", expired(), "take 1"),
        ("by its buyer", cancelled(BUYER), "take 1"),
        ("by an operator", cancelled(operator()), "late 777"),
        ("by a rule", cancelled(Actor::Rule), "late 777"),
        ("nobody said who", Order { history: Vec::new(), ..cancelled(BUYER) }, "late 777"),
        ("won back", of(ChargebackWon), "take 1"),
        ("disputed", of(Disputed), "done"),
        ("back", of(Refunded), "done"),
        ("back in part", of(PartlyRefunded), "late 777"),
        ("of nobody", Order { payments: vec![noted(2, Succeeded)], ..expired() }, "done"),
        ("goes back", due(RefundDue::unaccepted(&id, &payment(1), money(1))), "done"),
        ("goes back late", due(RefundDue::late(&id, &payment(1), money(1))), "done"),
        ("another's back", due(RefundDue::late(&id, &payment(2), money(1))), "take 1"),
        ("units' money", due(of_units), "take 1"),
        ("placed", Order { status: Placed, ..expired() }, "done"),
        ("paid by it", paid_by(1), "done"),
        ("paid by another", paid_by(2), "unaccepted 777"),
        ("paid and off", Order { status: Cancelled, ..paid_by(2) }, "unaccepted 777"),
        ("paid by it and off", Order { status: Cancelled, ..paid_by(1) }, "done"),
    ];
    let policy = LatePolicy::default();
    for (name, order, expected) in &cases {
        assert_eq!(verdict(order, order.total, &policy), *expected, "{name}");
    }
    let less = money(expired().total.minor() - 1);
    assert_eq!(verdict(&expired(), less, &policy), "late 777", "less than the order costs");
    let (accept, refund) = (LateChoice::Accept, LateChoice::Refund);
    for (expired_is, cancelled_is, verdicts) in [
        (accept, refund, ["take 1", "late 777"]),
        (refund, accept, ["late 777", "take 1"]),
        (refund, refund, ["late 777", "late 777"]),
    ] {
        let policy = LatePolicy { expired: expired_is, cancelled: cancelled_is, ..policy.clone() };
        let told = [expired(), cancelled(BUYER)].map(|it| verdict(&it, it.total, &policy));
        assert_eq!(told, verdicts);
    }
}

#[test]
fn late_money_goes_back_once_whatever_it_is_called() {
    let id = OrderId::derive(&["1"]);
    let late = RefundDue::late(&id, &payment(1), money(1));
    assert_eq!(late.id, RefundDue::unaccepted(&id, &payment(1), money(1)).id);
    assert_eq!(late.cause, RefundCause::Late);
}

fn policy(locations: &[&str]) -> Policy {
    let mut policy = json!(Policy::default_document().unwrap());
    let locations = locations.iter().map(|id| json!({ "id": id, "title": id }));
    policy["stock"]["locations"] = locations.collect();
    Policy::parse(&policy.to_string()).unwrap()
}

fn rules(limits: Option<Value>) -> PriceRules {
    let rule = limits.map(|limits| {
        json!({ "id": "tenth", "title": { "en": "A tenth" }, "limits": limits,
                "effect": { "percent": { "off": 1000 } } })
    });
    let rules: Vec<Value> = rule.into_iter().collect();
    PriceRules::parse(&json!({ "version": "1", "zone": "UTC", "rules": rules }).to_string())
        .unwrap()
}

fn limited(scope: &str, shard: u8) -> Order {
    let rule = RuleId::parse("tenth").unwrap();
    Order {
        quotas: vec![QuotaPart { rule, scope: scope.to_owned(), shard, units: 2 }],
        ..expired()
    }
}

#[test]
fn a_limit_is_that_of_the_rules_of_today() {
    let all = json!({ "total": 40, "per_day": 30, "per_customer": 20, "per_customer_per_day": 10,
                      "shards": 4 });
    for (scope, limits, expected) in [
        ("TOTAL", Some(&all), Ok((40, 4))),
        ("DAY#2026-11-11", Some(&all), Ok((30, 4))),
        ("CUS#cus_ada", Some(&all), Ok((20, 1))),
        ("CUSDAY#cus_ada#2026-11-11", Some(&all), Ok((10, 1))),
        ("TOTAL", Some(&json!({ "per_customer": 3 })), Ok((u32::MAX, 1))),
        ("TOTAL", None, Err(Gone::Limit)),
        ("WEEK#7", Some(&all), Err(Gone::Limit)),
    ] {
        let order = limited(scope, 0);
        let limits = retake::limits(&order, &rules(limits.cloned()));
        let limits = limits.map(|limits| {
            assert_eq!(limits[0].scope.to_string(), scope);
            (limits[0].cap, limits[0].shards)
        });
        assert_eq!(limits, expected, "{scope}");
    }
}

/// So many units of S0 and S1 in the parts of a location.
fn facts(stock: &[(&str, [&[i64]; 2])]) -> Facts {
    let mut facts = Facts::default();
    for (location, parts) in stock {
        let location = LocationId::parse(location).unwrap();
        for (sku, parts) in ["S0", "S1"].into_iter().zip(parts) {
            for (shard, units) in (0..).zip(*parts) {
                facts.levels.note(&Sku::parse(sku).unwrap(), &location, shard, *units);
            }
        }
    }
    facts
}

fn retaken(order: &Order, facts: &Facts, policy: &Policy) -> Result<Retaken, Gone> {
    let rules = PriceRules::default_document().unwrap();
    let terms = Terms { rules: &rules, policy, now: at(9) };
    retake::retake(order, &order.payments[0], facts, &terms)
}

#[test]
fn an_order_that_ended_has_again_what_it_had() {
    let order = cancelled(BUYER);
    let there = facts(&[("main", [&[9], &[9]])]);
    let Retaken { order: paid, takes, uses } = retaken(&order, &there, &policy(&["main"])).unwrap();
    assert_eq!((takes.len(), uses.len()), (2, 0));
    assert_eq!((paid.status, paid.paid_at), (OrderStatus::Paid, Some(at(9))));
    assert_eq!(paid.paid_by(), Some(&payment(1)));
    assert_eq!(paid.history.len(), 2);
    assert_eq!(paid.history[1], happened(Actor::Rule, Deed::PaidLate, 9));
    assert_eq!(paid.held_at, None);
    let same = Order {
        status: order.status,
        lines: order.lines.clone(),
        payments: order.payments.clone(),
        history: order.history.clone(),
        paid_at: None,
        ..paid
    };
    assert_eq!(same, order);
}

#[test]
fn an_order_waits_again_for_a_person_if_it_did() {
    let there = facts(&[("main", [&[9], &[9]])]);
    let (held, released) = (Deed::Held, Deed::Released);
    for (deeds, since) in [
        (vec![], None),
        (vec![held], Some(at(0))),
        (vec![held, released], None),
        (vec![held, released, held, Deed::Noted], Some(at(2))),
    ] {
        let history = (0..).zip(deeds).map(|(second, what)| happened(operator(), what, second));
        let order = Order { history: history.collect(), ..expired() };
        let paid = retaken(&order, &there, &policy(&["main"])).unwrap().order;
        assert_eq!(paid.held_at, since);
    }
}

#[test]
fn goods_come_from_wherever_they_are_now() {
    for (stock, expected) in [
        (vec![("main", [&[3][..], &[2][..]])], Ok("S0 main/0 3, S1 main/0 2")),
        (vec![("main", [&[3], &[1]])], Err(Gone::Goods)),
        (vec![("main", [&[3], &[0]]), ("east", [&[9], &[9]])], Ok("S0 east/0 3, S1 east/0 2")),
        (vec![("main", [&[3], &[0]]), ("east", [&[0], &[9]])], Ok("S0 main/0 3, S1 east/0 2")),
        (vec![("main", [&[0, 2, 1], &[2]])], Ok("S0 main/1 2, S0 main/2 1, S1 main/0 2")),
    ] {
        let retaken = retaken(&expired(), &facts(&stock), &policy(&["main", "east"]));
        let told = retaken.map(|it| {
            let part = |take: &Take| {
                let part = &take.part;
                format!("{} {}/{} {}", take.sku, part.location, part.shard, part.quantity)
            };
            it.takes.iter().map(part).collect::<Vec<_>>().join(", ")
        });
        assert_eq!(told, expected.map(str::to_owned), "{stock:?}");
    }
}

#[test]
fn an_order_goes_on_whole_or_not_at_all() {
    let policy = policy(&["main"]);
    let there = facts(&[("main", [&[9], &[9]])]);
    let voucher = |used_by: Option<&str>, ends: Option<i64>| Voucher {
        id: VoucherId::derive(&["1"]),
        customer: CustomerId::member("ada").unwrap(),
        rule: RuleId::parse("tenth").unwrap(),
        granted_at: at(0),
        expires_at: ends.map(at),
        used_by: used_by.map(|id| OrderId::derive(&[id])),
    };
    let with_voucher = Order { vouchers: vec![VoucherId::derive(&["1"])], ..expired() };
    for (voucher, expected) in [
        (Some(voucher(None, None)), None),
        // It was open when the order was placed.
        (Some(voucher(None, Some(1))), None),
        (Some(voucher(Some("2"), None)), Some(Gone::Voucher)),
        (None, Some(Gone::Voucher)),
    ] {
        let vouchers: BTreeMap<_, _> = voucher.into_iter().map(|it| (it.id.clone(), it)).collect();
        let facts = Facts { vouchers, ..there.clone() };
        assert_eq!(retaken(&with_voucher, &facts, &policy).err(), expected);
    }
    let points = Some(OrderPoints { points: 40, amount: money(40), account: None });
    let with_points = Order { points, ..expired() };
    for (spendable, expected) in [(40, None), (39, Some(Gone::Points))] {
        let facts = Facts { spendable, ..there.clone() };
        assert_eq!(retaken(&with_points, &facts, &policy).err(), expected);
    }
    let with_limit = limited("TOTAL", 1);
    let quota = Quota {
        rule: RuleId::parse("tenth").unwrap(),
        scope: QuotaScope::Total,
        cap: 8,
        shards: 2,
    };
    for (used, expected) in [
        (vec![2, 3], Ok(0)),
        (vec![3, 2], Ok(1)),
        // Two are left, and not in one part.
        (vec![3, 3], Err(Gone::Limit)),
    ] {
        let mut facts = Facts { quotas: vec![quota.clone()], ..there.clone() };
        facts.uses.note(&quota, used);
        let retaken = retaken(&with_limit, &facts, &policy);
        let shard = retaken.map(|it| {
            assert_eq!((it.uses[0].1, it.uses[0].2), (it.order.quotas[0].shard, 2));
            it.order.quotas[0].shard
        });
        assert_eq!(shard, expected);
    }
}

#[test]
fn an_order_that_no_transaction_takes_goes_back() {
    let vouchers: Vec<VoucherId> =
        (0..97).map(|it| VoucherId::derive(&[&it.to_string()])).collect();
    let order = Order { vouchers, ..expired() };
    let mut there = facts(&[("main", [&[9], &[9]])]);
    for id in &order.vouchers {
        let voucher = Voucher {
            id: id.clone(),
            customer: order.customer.clone(),
            rule: RuleId::parse("tenth").unwrap(),
            granted_at: at(0),
            expires_at: None,
            used_by: None,
        };
        there.vouchers.insert(id.clone(), voucher);
    }
    assert_eq!(retaken(&order, &there, &policy(&["main"])).err(), Some(Gone::TooMuch));
}

/// The units of each SKU in the lines of an order.
fn units(order: &Order) -> BTreeMap<Sku, u32> {
    let mut units = BTreeMap::new();
    for line in &order.lines {
        *units.entry(line.sku.clone()).or_insert(0) += line.living();
    }
    units
}

proptest! {
    /// An order takes exactly what it had, out of what is there, and notes
    /// where; it goes back only if something is not there.
    #[test]
    fn a_retake_takes_exactly_what_the_order_had(
        lines in prop::collection::vec((0..2_usize, 1..9_u32), 1..5),
        main in prop::array::uniform2(prop::collection::vec(0..9_i64, 1..4)),
        east in prop::array::uniform2(prop::collection::vec(0..9_i64, 1..4)),
    ) {
        let lines = lines.iter().map(|(sku, units)| line(*sku, *units, (0, 0, 0)));
        let order = ended(OrderStatus::Expired, lines.collect());
        let there = facts(&[
            ("main", [&main[0], &main[1]]),
            ("east", [&east[0], &east[1]]),
        ]);
        let free = |sku: usize| {
            main[sku].iter().chain(&east[sku]).sum::<i64>()
        };
        match retaken(&order, &there, &policy(&["main", "east"])) {
            Ok(Retaken { order: paid, takes, .. }) => {
                prop_assert_eq!(units(&paid), units(&order));
                let mut taken = BTreeMap::new();
                for Take { sku, part, floor } in takes {
                    let parts = there.levels.parts(&sku, &part.location);
                    let left = parts[usize::from(part.shard)] - i64::from(part.quantity);
                    prop_assert!(left >= floor && left >= 0);
                    let level = (sku, part.location, part.shard);
                    prop_assert!(taken.insert(level, part.quantity).is_none());
                }
                prop_assert_eq!(&taken, &paid.taken());
                for line in &paid.lines {
                    let parts = line.stock.iter().map(|it| it.quantity).sum::<u32>();
                    prop_assert_eq!(parts, line.living());
                }
            }
            Err(gone) => {
                prop_assert_eq!(gone, Gone::Goods);
                let short = |(sku, units): (&Sku, &u32)| {
                    free(usize::from(sku.as_str() == "S1")) < i64::from(*units)
                };
                prop_assert!(units(&order).iter().any(short));
            }
        }
    }
}
