use std::{collections::BTreeSet, fs};

use aftercart::model::{
    customer::CustomerId,
    id::{EntryId, GiftId, OrderId},
    money::{Currency, Money},
    points::{
        Account, Authority, Cause, Claim, Entry, Held, Holder, Ledger, Lot, MAX_LOTS, Posting,
    },
    policy::Policy,
    reward::{Offered, RewardId},
    text::Text,
    time::Period,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::rules::{
    offers::{self, Catalogue},
    showing,
    wording::programme::samples,
};

use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(&format!("{text}:00Z")).unwrap()
}

fn now() -> Timestamp {
    at("2026-11-24T10:00")
}

/// What a page is made of.
#[derive(Clone)]
struct Sample {
    policy: PointsPolicy,
    seen: Seen,
    catalogue: Catalogue,
}

const BY: Authority<'_> = Authority { rule: "base", policy: "1" };

fn order(number: u32) -> OrderId {
    OrderId::derive(&[&number.to_string()])
}

fn entry(number: u32, cause: Cause, moves: &[(Account, i64)]) -> (Entry, Option<Claim>) {
    let posting =
        |(account, points): &(Account, i64)| Posting { account: *account, points: *points };
    let entry = Entry {
        id: EntryId::derive(&[&number.to_string()]),
        customer: member(),
        at: at("2026-11-20T08:30"),
        cause,
        rule: BY.rule.to_owned(),
        policy: BY.policy.to_owned(),
        postings: moves.iter().map(posting).collect(),
        lines: Vec::new(),
        gave: Vec::new(),
        lots: Vec::new(),
    };
    (entry, None)
}

fn member() -> CustomerId {
    CustomerId::member("quillfeather@example.com").unwrap()
}

fn earned(number: u32, matures_at: Option<Timestamp>) -> (Entry, Option<Claim>) {
    let moves = [(Account::Issued, -45), (Account::Pending, 45)];
    let (mut entry, _) = entry(number, Cause::OrderPaid(order(number)), &moves);
    entry.gave = vec![
        ("base".to_owned(), 10),
        ("tea".to_owned(), 30),
        ("double".to_owned(), 10),
        ("cap".to_owned(), -5),
    ];
    let spend = Money::new(4_000, Currency::parse("GBP").unwrap()).ok();
    let claim = Claim { order: order(number), points: 45, spend, matures_at, granted_at: None };
    (entry, Some(claim))
}

/// A movement of every kind.
fn movements() -> Vec<(Entry, Option<Claim>)> {
    let text = |text: &str| Text::new(text).unwrap();
    let action =
        Cause::Action { rule: text("check-in"), reference: Text::new("2026-11-20").unwrap() };
    let campaign = Cause::Campaign { campaign: text("rain"), reference: Text::new("1").unwrap() };
    let given = [(Account::Issued, -20), (Account::Available, 20)];
    let spent = [(Account::Available, -1_200), (Account::Spent, 1_200)];
    let taken = [(Account::Available, -10), (Account::Debt, -5), (Account::Cancelled, 15)];
    let repaid = [(Account::Pending, -45), (Account::Debt, 5), (Account::Available, 40)];
    vec![
        earned(1, None),
        earned(2, Some(at("2026-12-04T12:00"))),
        entry(3, Cause::OrderPoints(order(3)), &spent),
        entry(4, Cause::OrderCancelled(order(4)), &taken),
        entry(5, Cause::ReturnWindowEnded(order(5)), &repaid),
        entry(6, action, &given),
        entry(7, Cause::Milestone(text("ten")), &given),
        entry(8, campaign, &given),
        entry(
            9,
            Cause::GiftSent(GiftId::derive(&["1"])),
            &[(Account::Available, -30), (Account::Gifted, 30)],
        ),
        entry(
            10,
            Cause::LotExpired(at("2026-11-01T00:00")),
            &[(Account::Available, -7), (Account::Expired, 7)],
        ),
        entry(11, Cause::Milestone(text("gone")), &given),
        entry(12, Cause::Extended(now()), &[(Account::Available, -7), (Account::Available, 7)]),
    ]
}

fn reward(id: &str, points: i64) -> Offered {
    let reward = json!({
        "title": { "en": format!("Reward {id}"), "zh": format!("奖励 {id}") }, "kind": "service", "points": points,
    });
    Offered {
        id: RewardId::parse(id).unwrap(),
        reward: serde_json::from_value(reward).unwrap(),
        taken: 0,
    }
}

impl Sample {
    /// A member who did nothing yet, in a shop that sets nothing.
    fn bare() -> Self {
        let policy = Policy::default_document().unwrap().points;
        let (others, movements) = (Vec::new(), Vec::new());
        let ledger = Ledger::empty(member());
        let seen = Seen { ledger, others, movements, next_cursor: None };
        Self { policy, seen, catalogue: Catalogue::default() }
    }

    /// A member with some of everything, in a shop with every part.
    fn rich() -> Self {
        let mut sample = Self::bare();
        sample.policy = serde_json::from_value(samples::whole()).unwrap();
        let ledger = &mut sample.seen.ledger;
        let ends = [
            ("2026-11-30T16:00", 40),
            ("2026-12-31T16:00", 250),
            ("2027-01-31T16:00", 960),
            ("2027-10-31T16:00", 12),
        ];
        let lot = |(end, points): &(&str, i64)| Lot::new(*points, at("2026-01-05T10:00"), at(end));
        ledger.lots = ends.iter().map(lot).collect();
        ledger.balances =
            [(Account::Available, 1_262), (Account::Pending, 90), (Account::Issued, -1_352)].into();
        let held = Held { points: 100, until: None };
        ledger.holds = [(Holder::Order(order(9)), held)].into();
        let standing = &mut ledger.standing;
        let silver = Some(Text::new("silver").unwrap());
        (standing.tier, standing.earned) = (silver.clone(), silver);
        standing.period_from = Some(at("2026-04-01T00:00"));
        standing.period_until = Some(at("2027-03-31T16:00"));
        standing.qualifying.points = 1_680;
        sample.seen.movements = movements();
        sample.catalogue.rewards = vec![
            reward("sample-box", 400),
            reward("service", 1_100),
            reward("upgrade", 1_200),
            reward("trip", 90_000),
        ];
        sample
    }

    /// A member who is about to lose a tier, has points whose time is over and
    /// owes some.
    fn worried() -> Self {
        let mut sample = Self::rich();
        let ledger = &mut sample.seen.ledger;
        let gold = Some(Text::new("gold").unwrap());
        (ledger.standing.tier, ledger.standing.earned) = (gold.clone(), gold);
        ledger.standing.period_until = Some(at("2026-12-31T16:00"));
        (ledger.standing.warned, ledger.standing.rescue_until) =
            (Some(60), Some(at("2026-12-31T16:00")));
        ledger.standing.qualifying.points = 1_200;
        ledger.lots = vec![Lot::new(30, at("2025-01-05T10:00"), at("2026-10-31T16:00"))];
        ledger.holds.clear();
        ledger.balances =
            [(Account::Available, 30), (Account::Debt, -250), (Account::Issued, 220)].into();
        sample
    }

    /// As much of everything as there can be, as long as it can be.
    fn worst() -> Self {
        let mut sample = Self::rich();
        let mut policy = samples::whole();
        let long = json!({ "en": "\u{10000}".repeat(80), "zh": "\u{10000}".repeat(80) });
        let mut grow = |place: &str, ids: usize| {
            let list = policy.pointer_mut(place).unwrap().as_array_mut().unwrap();
            let one = list[0].clone();
            *list = (0..ids)
                .map(|n| {
                    let mut it: Value = one.clone();
                    it["title"] = long.clone();
                    it["id"] = format!("r{n}").into();
                    it
                })
                .collect();
        };
        for (place, most) in [
            ("/earning/rates", 50),
            ("/earning/multipliers", 50),
            ("/earning/actions", 50),
            ("/earning/milestones", 50),
            ("/campaigns", 50),
            ("/contests", 20),
            ("/tiers/levels", 10),
        ] {
            grow(place, most);
        }
        policy["tiers"]["levels"][0]["benefits"]["words"] = Value::Array(vec![long; 20]);
        sample.policy = serde_json::from_value(policy).unwrap();
        let standing = &mut sample.seen.ledger.standing;
        let level = Some(Text::new("r0").unwrap());
        (standing.tier, standing.earned) = (level.clone(), level);
        let lot = |n: usize| {
            Lot::new(
                1_000_000_000,
                at("2026-01-05T10:00"),
                now().plus(Period::of_days(31 * u16::try_from(n).unwrap() + 9)),
            )
        };
        sample.seen.ledger.lots = (0..MAX_LOTS).map(lot).collect();
        let available = sample.seen.ledger.lots.iter().map(|lot| lot.points).sum();
        sample.seen.ledger.balances.insert(Account::Available, available);
        sample.seen.movements = (0..u32::from(MOVEMENTS))
            .map(|n| {
                let (mut entry, claim) = earned(n, Some(now()));
                entry.gave = (0..50).map(|n| (format!("r{n}"), 1_000)).collect();
                (entry, claim)
            })
            .collect();
        sample.catalogue.rewards =
            (0..100).map(|n| reward(&format!("reward-{n}"), 1_000_000_000 + n)).collect();
        sample
    }

    fn page(&self, language: Language) -> Response {
        let Self { policy, seen, catalogue } = self;
        let view = showing::view(seen, None, policy, language, String::new());
        let offers = offers::offers(&seen.ledger, catalogue, policy, now(), language);
        points(seen, &view, &offers, &Reading { language, now: now(), policy }).unwrap()
    }
}

/// Every page in every language, by name.
fn every_page() -> Vec<(String, Response)> {
    let mut pages = Vec::new();
    for language in Language::ALL {
        let code = language.code();
        for (name, sample) in [
            ("bare", Sample::bare()),
            ("rich", Sample::rich()),
            ("worried", Sample::worried()),
            ("worst", Sample::worst()),
        ] {
            pages.push((format!("points-{name}-{code}"), sample.page(language)));
        }
        for kind in Notice::ALL {
            let name = format!("points-notice-{kind:?}-{code}").to_lowercase();
            pages.push((name, notice(kind, language).unwrap()));
        }
    }
    pages
}

#[test]
fn every_page_is_small_whole_and_loads_nothing() {
    // Set this to a folder to look at the pages in a browser; `cargo dev
    // page-check` does.
    let folder = std::env::var("PAGES_DIR").ok();
    for (name, page) in every_page() {
        let body = &page.body;
        assert!(body.len() <= PAGE_BYTES_MAX, "{name}: {} bytes", body.len());
        assert!(body.starts_with("<!DOCTYPE html>") && body.trim_end().ends_with("</html>"));
        let tag = if name.ends_with("zh") { "zh-Hans" } else { "en" };
        assert!(body.contains(&format!("<html lang=\"{tag}\">")), "{name}");
        for foreign in
            ["<script", "src=", "url(", "@import", "http:", "https:", "<link", "javascript"]
        {
            assert!(!body.contains(foreign), "{name} has {foreign}");
        }
        // Who has the link learns nothing of the person, nor of the orders.
        for private in ["quillfeather", "cus_", "ord_", "gft_"] {
            assert!(!body.contains(private), "{name} has {private}");
        }
        if let Some(folder) = &folder {
            fs::write(format!("{folder}/{name}.html"), body).unwrap();
        }
    }
}

#[test]
fn every_page_has_one_first_heading_and_whole_references() {
    for (name, page) in every_page() {
        let body = &page.body;
        assert_eq!(body.matches("<h1").count(), 1, "{name}");
        assert_eq!(body.matches("<main>").count(), 1, "{name}");
        let ids: Vec<&str> =
            body.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unique: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), unique.len(), "{name}: {ids:?}");
        for target in
            body.split(" aria-labelledby=\"").skip(1).filter_map(|rest| rest.split('"').next())
        {
            assert!(unique.contains(target), "{name}: {target}");
        }
    }
}

#[test]
fn a_page_shows_what_there_is() {
    let rich = Sample::rich().page(Language::En).body;
    for words in [
        "<h1>1,162 points to spend</h1>",
        "They pay up to 11.62 GBP of an order.",
        "<dt>Waiting</dt><dd><b>90 points</b></dd>",
        "<dt>Held</dt><dd><b>100 points</b></dd>",
        "<span>Jan 2027</span><span class=\"track\" aria-hidden=\"true\"><i style=\"width:100%\"></i></span><b>960</b>",
        "<i style=\"width:4%\"></i></span><b>40</b>",
        "Next: 40 points, to be spent by the end of Mon 30 Nov.",
        "Your tier: Silver",
        "<i style=\"width:84%\"></i>",
        "To reach Gold: 320 more points by Wed 31 Mar 2027.",
        "10% more points on purchases",
        "<b>Reward service</b></div><span class=\"sum good\">1,100 points</span>",
        "<b>Reward upgrade</b><span>38 points to go</span>",
        "<b>Earned with a purchase</b><span><time datetime=\"2026-11-20T08:30:00.000Z\">Fri 20 Nov, 16:30</time></span><span>Base rate: +10</span><span>Tea: +30</span><span>Double points: +10</span><span>Over the limit: \u{2212}5</span>",
        "45 points yours to spend when the return window after delivery has ended",
        "45 points yours to spend on Fri 4 Dec",
        "<span class=\"sum\">\u{2212}1,200</span>",
        "5 points are owed: they were spent already",
        "5 points repaid what you owed",
        "<b>Check-in</b>",
        "<b>gone</b>",
        "Check-in: 1 point (at most 1 time a day).",
        "All times are Shanghai time.",
    ] {
        assert!(rich.contains(words), "{words} is not in {rich}");
    }
    let worried = Sample::worried().page(Language::En).body;
    for words in [
        "<dt>Owed</dt><dd><b>250 points</b></dd>",
        "<li class=\"care\"><span>About to end</span>",
        "<p class=\"care-note\">To keep Gold: 300 more points by Thu 31 Dec.</p>",
        "your purchases count 50% more until Thu 31 Dec.",
        "Your service line: +44 20 0000",
        "With 20 points more you can pay with them in GBP.",
    ] {
        assert!(worried.contains(words), "{words} is not in {worried}");
    }
    assert!(!worried.contains("Next:"), "its end is over");
    let bare = Sample::bare().page(Language::En).body;
    assert!(bare.contains("<h1>0 points to spend</h1>") && bare.contains("Nothing yet."));
    assert!(!bare.contains("id=\"tier\"") && !bare.contains("id=\"ends\""));
}

#[test]
fn what_does_not_fit_is_counted() {
    let worst = Sample::worst().page(Language::En).body;
    for words in ["and 97 more", "and 50 more", "Later</span>"] {
        assert!(worst.contains(words), "{words} is not in {worst}");
    }
}

#[test]
fn the_colours_are_those_of_the_tracking_page() {
    // Whose contrast is tested, for the same pairs of what lies on what.
    let palette = |page: &str| {
        let (_, rest) = page.split_once(":root {").unwrap();
        rest.split_once("* {").unwrap().0.to_owned()
    };
    let theirs = concat!(env!("CARGO_MANIFEST_DIR"), "/../logistics/templates/base.html");
    let ours = notice(Notice::Unknown, Language::En).unwrap().body;
    assert_eq!(palette(&ours), palette(&fs::read_to_string(theirs).unwrap()));
}

proptest! {
    #[test]
    fn nothing_that_others_write_becomes_markup(title in "\\PC{1,60}") {
        let rendered = |title: &str| {
            let mut sample = Sample::rich();
            if let Ok(title) = Text::new(title) {
                sample.policy.earning.actions[0].title.en = title.clone();
                sample.policy.tiers.levels[0].title.en = title.clone();
                sample.catalogue.rewards[0].reward.title.en = title;
            }
            sample.page(Language::En).body
        };
        let odd = rendered(&format!("x<script>\"'&{title}"));
        prop_assert_eq!(odd.matches('<').count(), rendered("x").matches('<').count());
        prop_assert!(!odd.contains("<script"));
    }
}
