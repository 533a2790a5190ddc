//! What the programme owes, as the tally of a day says, and audits of ledgers.

use aftercart::{
    model::{
        customer::CustomerId,
        id::OrderId,
        points::{Account, Authority, Ledger},
        policy::Policy,
        tally::Tally,
        time::{Period, Zone},
    },
    run::metrics::Metric,
    store::{Commit, Sends, points, tallies},
};
use aftercart_infra::world::{Ask, Caller, Reply};
use serde_json::{Value, json};

use crate::{
    contests::earn,
    hostile::refused,
    shop::{ADA, KEY, Shop, key},
    stock::set_policy,
};

const LIABILITY: &str = "/operator/points/liability";

async fn asked(shop: &Shop, path: &str) -> Reply {
    shop.reply(&Ask::get(path).by(Caller::Operator)).await
}

async fn shown(shop: &Shop, path: &str) -> Value {
    let reply = asked(shop, path).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.body);
    reply.json()
}

fn audit_of(member: &str) -> String {
    format!("/operator/customers/cus_{member}/points/audit")
}

async fn tally(shop: &Shop) {
    let swept = shop.run_schedule("points-tally").await.unwrap();
    assert_eq!(swept["failed"], 0, "{swept}");
}

fn member(name: &str) -> CustomerId {
    CustomerId::member(name).unwrap()
}

#[tokio::test]
async fn what_is_owed_is_told_by_the_month_in_which_it_ends() {
    let shop = Shop::open().await;
    let mut policy = json!(Policy::default_document().unwrap());
    policy["points"]["offset"] = json!({
        "minor_per_100_points": { "GBP": 99, "JPY": 150 }, "max_share": 10_000, "least_points": 1,
    });
    set_policy(&shop, &policy).await;
    tally(&shop).await;
    let empty = shown(&shop, LIABILITY).await;
    assert_eq!((&empty["ledgers"], &empty["ends"]), (&json!(0), &json!([])));
    assert_eq!(empty["programme"].get("expired_share"), None);
    for (number, (name, units)) in [(ADA, 2), ("bob", 4), ("cid", 1)].into_iter().enumerate() {
        let placed = shop.place(name, "TEA", units, &key("earn", number)).await;
        shop.deliver(&placed, &format!("AB-000{number}")).await;
    }
    let day = shown(&shop, LIABILITY).await["date"].as_str().unwrap().to_owned();
    assert_eq!(shown(&shop, LIABILITY).await["ledgers"], 0, "the tally of the day is made once");
    // The return windows end, all of them in December.
    shop.clock().advance(Period::of_days(20));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    earn(&shop, ADA, 1, &key("earn", 9)).await;
    tally(&shop).await;
    let report = shown(&shop, LIABILITY).await;
    let money = |gbp: i64, jpy: i64| json!([{ "amount": gbp, "currency": "GBP" }, { "amount": jpy, "currency": "JPY" }]);
    assert_eq!(
        report["outstanding"],
        json!({ "available": 87, "held": 0, "pending": 12, "debt": 0, "worth": money(99, 149) })
    );
    let ends = json!([{ "month": "2027-12", "points": 87, "worth": money(87, 131) }]);
    assert_eq!(report["ends"], ends, "rounded up");
    let table = asked(&shop, &format!("{LIABILITY}?format=csv")).await;
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(table.body, "month,points,worth_gbp,worth_jpy\r\n2027-12,87,87,131\r\n");
    assert_eq!((&report["ledgers"], &report["unsound"]), (&json!(3), &json!(0)));
    assert_eq!(report["programme"]["issued"], 99);
    assert_eq!(
        (&report["programme"]["redeemed_share"], &report["programme"]["expired_share"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(shown(&shop, &format!("{LIABILITY}?date={day}")).await["ledgers"], 0);
    // All of it runs out.
    shop.clock().advance(Period::of_days(800));
    for _ in 0..2 {
        shop.run_schedule("points-settle").await.unwrap();
    }
    shop.settle().await.unwrap();
    tally(&shop).await;
    let report = shown(&shop, LIABILITY).await;
    assert_eq!(report["programme"]["expired"], 87);
    assert_eq!(report["programme"]["expired_share"], 8_787);
    let cohort = &report["cohorts"][0];
    assert_eq!((&cohort["members"], &cohort["expired"]), (&json!(3), &json!(87)));
    shop.check_invariants().await.unwrap();
}

/// Every ledger is counted once, though a run reads some at a time and members
/// move points meanwhile.
#[tokio::test]
async fn every_ledger_is_counted_once() {
    let shop = Shop::open().await;
    let names: Vec<CustomerId> = (0..230).map(|number| member(&format!("m{number}"))).collect();
    for customer in &names {
        let mut ledger = Ledger::empty(customer.clone());
        let by = Authority { rule: "r", policy: "1" };
        let earned =
            ledger.earn(&OrderId::derive(&[customer.as_str()]), &[7], None, shop.now(), by);
        let commit = Commit::new().with(points::post_earning(&earned.unwrap())).with(points::save(
            &ledger,
            None,
            &Sends::none(),
        ));
        shop.store().commit(commit).await.unwrap();
        let begun = tallies::register(customer, shop.now());
        shop.store().commit(begun).await.unwrap();
    }
    tally(&shop).await;
    let report = shown(&shop, LIABILITY).await;
    assert_eq!(
        (&report["ledgers"], &report["outstanding"]["pending"]),
        (&json!(230), &json!(1_610))
    );
    let version = shop.store().tally(shop.now().date_in(&Zone::utc())).await;
    assert_eq!(version.unwrap().unwrap().version, 1);
}

/// One that is not complete at midnight is completed before another is begun,
/// and how old the latest complete one is can be watched.
#[tokio::test]
async fn a_tally_is_completed_before_another_is_begun() {
    let shop = Shop::open().await;
    earn(&shop, ADA, 1, KEY).await;
    let today = || shop.now().date_in(&Zone::utc()).to_string();
    let begun = Tally::begin(shop.now().date_in(&Zone::utc()), shop.now());
    shop.store().commit(tallies::save(&begun)).await.unwrap();
    let day = today();
    shop.clock().advance(Period::of_days(1));
    for (date, age) in [(day, 86_400), (today(), 86_400), (today(), 0)] {
        let before = shop.metrics().counted(Metric::TallyAge);
        tally(&shop).await;
        assert_eq!(shop.metrics().counted(Metric::TallyAge) - before, age);
        let report = shown(&shop, LIABILITY).await;
        assert_eq!((&report["date"], &report["ledgers"]), (&json!(date), &json!(1)));
    }
}

#[tokio::test]
async fn an_audit_tells_a_ledger_that_is_not_what_its_entries_say() {
    let shop = Shop::open().await;
    let placed = shop.place(ADA, "TEA", 2, KEY).await;
    shop.deliver(&placed, "AB-1234").await;
    shop.clock().advance(Period::of_days(20));
    shop.run_schedule("points-settle").await.unwrap();
    shop.settle().await.unwrap();
    let same = shown(&shop, &audit_of(ADA)).await;
    assert_eq!((&same["result"], &same["entries"]), (&json!("same"), &json!(2)));
    assert_eq!(same["balances"]["available"], 25);
    // Somebody writes a ledger by hand.
    let mut ledger = shop.store().ledger(&member(ADA)).await.unwrap();
    for (account, points) in [(Account::Available, 5), (Account::Issued, -5)] {
        *ledger.balances.entry(account).or_default() += points;
    }
    ledger.lots[0].points += 5;
    shop.store().commit(points::save(&ledger, None, &Sends::none())).await.unwrap();
    let different = shown(&shop, &audit_of(ADA)).await;
    assert_eq!(different["result"], "different");
    let kinds: Vec<&str> = different["differences"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["what"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["balance", "balance", "lot"]);
    assert_eq!(shop.metrics().counted(Metric::LedgerMismatch), 1);
}

/// A history that is longer than a call reads is audited in several.
#[tokio::test]
async fn a_long_history_is_audited_in_parts() {
    let shop = Shop::open().await;
    let by = Authority { rule: "r", policy: "1" };
    let mut ledger = Ledger::empty(member(ADA));
    for hundred in 0..51_u32 {
        let mut commit = Commit::new();
        for number in hundred * 100..(hundred + 1) * 100 {
            let at = shop.now().plus(Period::of_seconds(number));
            let order = OrderId::derive(&[&number.to_string()]);
            let earned = ledger.earn(&order, &[1], None, at, by).unwrap();
            commit = commit.with(points::post_earning(&earned));
        }
        shop.store().commit(commit).await.unwrap();
    }
    shop.store().commit(points::save(&ledger, None, &Sends::none())).await.unwrap();
    let first = shown(&shop, &audit_of(ADA)).await;
    assert_eq!((&first["result"], &first["entries"]), (&json!("incomplete"), &json!(5_000)));
    let path = format!("{}?cursor={}", audit_of(ADA), first["next_cursor"].as_str().unwrap());
    let last = shown(&shop, &path).await;
    assert_eq!((&last["result"], &last["entries"]), (&json!("same"), &json!(5_100)));
    // Something moves between the calls.
    ledger.version += 1;
    let earned = ledger.earn(&OrderId::derive(&["late"]), &[1], None, shop.now(), by);
    let commit = Commit::new().with(points::post_earning(&earned.unwrap())).with(points::save(
        &ledger,
        None,
        &Sends::none(),
    ));
    shop.store().commit(commit).await.unwrap();
    assert_eq!(shown(&shop, &path).await["result"], "changed");
}

#[tokio::test]
async fn what_cannot_be_reported_is_said() {
    let shop = Shop::open().await;
    let operator = |path: &str| Ask::get(path).by(Caller::Operator);
    let audit = audit_of(ADA);
    for (name, ask, expected) in [
        ("no tally", operator(LIABILITY), (404, "not-found", "")),
        ("no date", operator(&format!("{LIABILITY}?date=May")), (400, "invalid-request", "date")),
        (
            "no tally of a day",
            operator(&format!("{LIABILITY}?date=2020-01-01")),
            (404, "not-found", ""),
        ),
        (
            "another format",
            operator(&format!("{LIABILITY}?format=xls")),
            (400, "invalid-request", "format"),
        ),
        (
            "an unknown query",
            operator(&format!("{LIABILITY}?month=1")),
            (400, "invalid-request", "month"),
        ),
        ("a member", Ask::get(LIABILITY).by_member(ADA), (403, "forbidden", "")),
        ("no ledger", operator(&audit), (404, "not-found", "")),
        ("no customer", operator("/operator/customers/ada/points/audit"), (404, "not-found", "")),
        (
            "no cursor of ours",
            operator(&format!("{audit}?cursor=e30")),
            (400, "invalid-request", "cursor"),
        ),
        ("a member's audit", Ask::get(audit.clone()).by_member(ADA), (403, "forbidden", "")),
    ] {
        refused(&shop, name, &ask, expected).await;
    }
}
