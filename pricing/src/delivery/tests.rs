//! Examples and properties of delivery options, and their page.

use std::fmt::Write as _;

use aftercart::model::{
    customer::Language,
    policy::Policy,
    stock::StockPolicy,
    time::{Date, Zone},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The locations of a shop that has one.
pub(super) fn stock() -> StockPolicy {
    Policy::default_document().unwrap().stock
}

/// The policy of the local stack, whose methods the page shows.
fn local() -> DeliveryPolicy {
    Policy::parse(include_str!("../../../infra/local/policy.json")).unwrap().delivery
}

fn money(amount: i64, code: &str) -> Money {
    Money::new(amount, Currency::parse(code).unwrap()).unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// What one example asks; the rest is as [`usual`].
#[derive(Clone)]
struct Asked {
    country: &'static str,
    region: Option<&'static str>,
    postal_code: Option<&'static str>,
    grams: u64,
    currency: &'static str,
    ready_at: Option<&'static str>,
    tier: Option<&'static str>,
    now: &'static str,
}

fn usual() -> Asked {
    Asked {
        country: "GB",
        region: None,
        postal_code: Some("CT1 2EH"),
        grams: 800,
        currency: "GBP",
        ready_at: None,
        tier: None,
        now: MONDAY,
    }
}

const MONDAY: &str = "2026-11-23T10:00:00Z";

impl Asked {
    fn with<T>(&self, f: impl FnOnce(&Place<'_>, &Parcel, &Buyer<'_>, Timestamp) -> T) -> T {
        let country = Country::try_from(self.country.to_owned()).unwrap();
        let (region, postal_code) = (self.region, self.postal_code);
        let place = Place { country: &country, region, postal_code };
        let parcel = Parcel {
            grams: self.grams,
            goods: money(1_000, self.currency),
            ready_at: self.ready_at.map(moment),
        };
        let buyer = Buyer { tier: self.tier, segments: &[] };
        f(&place, &parcel, &buyer, moment(self.now))
    }

    fn option(&self, policy: &DeliveryPolicy, method: &str) -> Result<DeliveryOption, NotOffered> {
        let method = MethodId::parse(method).unwrap();
        self.with(|place, parcel, buyer, now| option(policy, &method, place, parcel, buyer, now))
    }

    fn options(&self, policy: &DeliveryPolicy) -> Vec<DeliveryOption> {
        self.with(|place, parcel, buyer, now| options(policy, place, parcel, buyer, now))
    }
}

#[test]
fn a_shop_without_configuration_delivers_everywhere_in_any_currency() {
    let policy = Policy::default_document().unwrap().delivery;
    for (country, postal_code, currency) in [
        ("GB", None, "GBP"),
        ("CN", Some("100000"), "CNY"),
        ("JP", Some("905-0001"), "JPY"),
        ("KW", None, "KWD"),
    ] {
        let asked = Asked { country, postal_code, currency, grams: u64::MAX, ..usual() };
        let [option] = &asked.options(&policy)[..] else { panic!("{country}") };
        assert_eq!(option.method.as_str(), "standard");
        assert_eq!((option.price, option.points), (money(0, currency), None));
        assert_eq!(option.location, LocationId::default());
        assert_eq!(option.title.text(Language::Zh), "标准配送");
        assert_eq!(option.promise.compact(), "2026-11-24+3+4");
        assert_eq!(recommended(std::slice::from_ref(option), None), Some(option));
    }
}

#[test]
fn who_may_not_choose_a_method_is_told_why() {
    let mut policy = local();
    policy.methods[1].only =
        serde_json::from_value(json!({ "tiers": ["silver", "gold"] })).unwrap();
    let silver = Asked { tier: Some("silver"), ..usual() };
    assert!(silver.option(&policy, "express").is_ok());
    for (asked, method, why) in [
        (silver.clone(), "drone", NotOffered::Unknown),
        (usual(), "express", NotOffered::Buyer),
        (Asked { tier: Some("bronze"), ..usual() }, "express", NotOffered::Buyer),
        (Asked { country: "FR", ..silver.clone() }, "express", NotOffered::Place),
        (Asked { country: "FR", ..usual() }, "pickup", NotOffered::Place),
        (Asked { grams: 20_001, ..silver.clone() }, "express", NotOffered::Weight),
        (Asked { grams: 20_001, tier: Some("gold"), ..usual() }, "express", NotOffered::Weight),
        (Asked { currency: "EUR", ..silver.clone() }, "express", NotOffered::Currency),
    ] {
        assert_eq!(asked.option(&policy, method), Err(why), "{method}");
        let found = asked.options(&policy);
        assert!(found.iter().all(|option| option.method.as_str() != method));
    }
    policy.methods[1].max_grams = None;
    let heavy = Asked { grams: 20_001, ..silver };
    assert_eq!(heavy.option(&policy, "express"), Err(NotOffered::Weight), "no step takes it");
}

#[test]
fn the_first_place_that_holds_the_address_counts() {
    let mut policy = local();
    let method = &mut policy.methods[0];
    method.places = serde_json::from_value(json!([
        { "countries": ["GB", "IE"], "regions": ["Kent"], "surcharge": { "GBP": 1 } },
        { "countries": ["GB"], "postal_codes": [{ "prefix": "CT" }], "surcharge": { "GBP": 2 } },
        { "countries": ["GB"], "surcharge": { "GBP": 3 }, "prices": { "GBP": [{ "amount": 10 }] } },
        { "surcharge": { "GBP": 4, "EUR": 5 } }
    ]))
    .unwrap();
    policy.check(&stock()).unwrap();
    let at = |country, region, postal_code| Asked { country, region, postal_code, ..usual() };
    for (asked, price) in [
        (at("GB", Some(" KENT "), Some("CT1 2EH")), Ok(1)),
        (at("IE", Some("kent"), None), Ok(1)),
        (at("GB", Some("Kent and Sussex"), Some("ct12eh")), Ok(2)),
        (at("GB", None, Some("ME1 1AA")), Ok(13)),
        (at("GB", None, None), Ok(13)),
        (at("FR", Some("Kent"), Some("CT1")), Ok(4)),
        (Asked { currency: "EUR", ..at("FR", None, None) }, Ok(5)),
        (Asked { currency: "USD", ..at("FR", None, None) }, Err(NotOffered::Currency)),
    ] {
        let found = asked.option(&policy, "standard").map(|option| option.price.minor());
        assert_eq!(found, price, "{} {:?}", asked.country, asked.region);
    }
}

#[test]
fn goods_that_are_not_there_yet_leave_when_they_are() {
    for (ready_at, ship_by) in [
        ("2026-11-22T00:00:00Z", "2026-11-24"),
        ("2026-12-01T10:00:00Z", "2026-12-02"),
        ("2026-12-01T15:00:00Z", "2026-12-03"),
    ] {
        let asked = Asked { ready_at: Some(ready_at), ..usual() };
        let option = asked.option(&local(), "standard").unwrap();
        assert_eq!(option.promise.ship_by.to_string(), ship_by, "{ready_at}");
    }
}

fn offered(method: &str, kind: MethodKind, price: i64, promise: &str) -> DeliveryOption {
    DeliveryOption {
        method: MethodId::parse(method).unwrap(),
        title: local().methods[0].title.clone(),
        kind,
        location: LocationId::default(),
        price: money(price, "GBP"),
        points: None,
        promise: Promise::parse_compact(promise).unwrap(),
    }
}

#[test]
fn the_cheapest_of_the_accustomed_kind_that_arrives_first_is_recommended() {
    use MethodKind::{Pickup, Ship};
    let slow = || offered("slow", Ship, 0, "2026-11-24+2+1");
    let same = || offered("same", Ship, 0, "2026-11-24+2+1");
    let even = || offered("even", Ship, 0, "2026-11-24+1+2");
    let fast = || offered("fast", Ship, 500, "2026-11-23+1+0");
    let free = || offered("fast", Ship, 0, "2026-11-23+1+0");
    let store = || offered("store", Pickup, 0, "2026-11-23+0+0");
    for (options, last, expected) in [
        (vec![], None, None),
        (vec![slow(), fast(), store()], None, Some("slow")),
        (vec![slow(), fast(), store()], Some("fast"), Some("slow")),
        (vec![slow(), fast(), store()], Some("store"), Some("store")),
        (vec![slow(), fast(), store()], Some("gone"), Some("slow")),
        (vec![slow(), free(), store()], Some("slow"), Some("fast")),
        (vec![slow(), same()], None, Some("slow")),
        (vec![slow(), same()], Some("same"), Some("same")),
        (vec![slow(), even()], Some("slow"), Some("even")),
        (vec![fast(), store()], None, Some("fast")),
        (vec![store()], None, Some("store")),
    ] {
        let last = last.map(|last| MethodId::parse(last).unwrap());
        let found = recommended(&options, last.as_ref());
        assert_eq!(found.map(|option| option.method.as_str()), expected, "{last:?}");
    }
}

proptest! {
    #[test]
    fn a_heavier_parcel_is_never_cheaper(
        steps in prop::collection::vec((1_u32..5_000, 0_i64..5_000), 1..6),
        open: bool,
        surcharge in 0_i64..5_000,
        grams in (0_u64..30_000, 0_u64..30_000),
    ) {
        let (mut weight, mut amount) = (0, 0);
        let mut prices: Vec<Value> = Vec::new();
        for (grams, minor) in steps {
            (weight, amount) = (weight + grams, amount + minor);
            prices.push(json!({ "up_to": weight, "amount": amount }));
        }
        if open { prices.last_mut().unwrap().as_object_mut().unwrap().remove("up_to"); }
        let mut policy = local();
        policy.methods[0].prices = serde_json::from_value(json!({ "GBP": prices })).unwrap();
        policy.methods[0].places = serde_json::from_value(json!([{ "surcharge": { "GBP": surcharge } }])).unwrap();
        prop_assert_eq!(policy.check(&stock()), Ok(()));
        let price = |grams| Asked { grams, ..usual() }.option(&policy, "standard").map(|option| option.price.minor());
        match (price(grams.0.min(grams.1)), price(grams.0.max(grams.1))) {
            (Ok(lighter), Ok(heavier)) => prop_assert!(surcharge <= lighter && lighter <= heavier),
            (found, Err(why)) => prop_assert!(why == NotOffered::Weight && !open && (found.is_ok() || found == Err(why))),
            (Err(_), Ok(_)) => prop_assert!(false, "only the heavier parcel is taken"),
        }
    }

    #[test]
    fn options_are_those_that_one_by_one_are_offered(
        country in prop::sample::select(vec!["GB", "FR", "CN"]),
        postal_code in prop::sample::select(vec![None, Some("HS1 2AA"), Some("KW1 5AA"), Some("75001")]),
        grams in prop_oneof![0_u64..25_000, any::<u64>()],
        currency in prop::sample::select(vec!["GBP", "EUR", "JPY"]),
        tier in prop::sample::select(vec![None, Some("gold"), Some("silver")]),
        last in prop::sample::select(vec!["standard", "express", "pickup", "gone"]),
    ) {
        let policy = local();
        let asked = Asked { country, postal_code, grams, currency, tier, ..usual() };
        let found = asked.options(&policy);
        prop_assert_eq!(&found, &asked.options(&policy));
        let one = |method: &Method| asked.option(&policy, method.id.as_str()).ok();
        prop_assert_eq!(&found, &policy.methods.iter().filter_map(one).collect::<Vec<_>>());
        let last = MethodId::parse(last).unwrap();
        let best = recommended(&found, Some(&last));
        prop_assert_eq!(best.is_some(), !found.is_empty());
        for option in &found {
            prop_assert_eq!(option.price.currency().code(), currency);
            prop_assert!(option.price.minor() >= 0);
            prop_assert!(option.points.is_none() || option.price.minor() > 0);
            let best = best.unwrap();
            prop_assert!(option.kind != best.kind || best.price.minor() <= option.price.minor());
        }
    }
}

#[test]
fn the_page_shows_what_the_code_does() {
    crate::page::agrees("delivery.md", &page());
}

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (title, text, table) in [
        ("When goods come", WHEN, when as fn(&mut String)),
        ("Where, and for how much", WHERE, places),
        ("For whom", WHOM, buyers),
        ("Which one is recommended", RECOMMENDED, recommendations),
    ] {
        write!(page, "\n## {title}\n\n{text}\n\n").unwrap();
        table(&mut page);
    }
    page
}

fn row<const N: usize>(page: &mut String, cells: [&str; N]) {
    writeln!(page, "| {} |", cells.join(" | ")).unwrap();
}

fn head<const N: usize>(page: &mut String, cells: [&str; N]) {
    row(page, cells);
    writeln!(page, "|{}", "---|".repeat(N)).unwrap();
}

fn day(date: Date) -> String {
    format!("{:?} {date}", date.weekday())
}

fn window(promise: &Promise) -> String {
    if promise.from == promise.until {
        return day(promise.until);
    }
    format!("{} to {}", day(promise.from), day(promise.until))
}

fn when(page: &mut String) {
    let at = |now| Asked { now, ..usual() };
    let remote = Asked { postal_code: Some("HS1 2AA"), ..usual() };
    let abroad = Asked { country: "FR", postal_code: None, ..usual() };
    let awaited = Asked { ready_at: Some("2026-12-07T09:00:00Z"), ..usual() };
    head(page, ["ordered", "method", "what is special", "leaves by", "promised"]);
    for (asked, method, why) in [
        (usual(), "standard", "before the cut-off at 14:00"),
        (at("2026-11-23T13:59:59Z"), "standard", "just before it"),
        (at("2026-11-23T14:00:00Z"), "standard", "at the cut-off: the order counts as Tuesday's"),
        (at("2027-06-07T13:00:00Z"), "standard", "14:00 by the clock in London, in summer"),
        (
            at("2026-11-28T09:00:00Z"),
            "standard",
            "a Saturday, which the warehouse does not work but the carrier does",
        ),
        (at("2026-12-23T15:00:00Z"), "standard", "after the cut-off, before Christmas"),
        (usual(), "express", "handled on the same day"),
        (at("2026-11-27T16:00:00Z"), "express", "after Friday's cut-off at 16:00"),
        (usual(), "pickup", "the store works every day"),
        (at("2026-11-29T17:30:00Z"), "pickup", "after Sunday's cut-off at 17:00"),
        (remote, "standard", "a remote place: two more days"),
        (abroad, "standard", "abroad: its own times"),
        (awaited, "standard", "pre-ordered goods that are there on 7 December at 09:00"),
    ] {
        let promise = asked.option(&local(), method).unwrap().promise;
        let ordered = format!("{} {}", day(moment(asked.now).date_in(&london())), &asked.now[11..]);
        row(page, [&ordered, method, why, &day(promise.ship_by), &window(&promise)]);
    }
}

fn london() -> Zone {
    Zone::parse("Europe/London").unwrap()
}

fn offer(asked: &Asked, method: &str) -> String {
    match asked.option(&local(), method) {
        Err(why) => why.to_string(),
        Ok(DeliveryOption { price, points: Some(points), .. }) => {
            format!("{price}, or {points} points")
        }
        Ok(option) if option.price.minor() == 0 => "free".to_owned(),
        Ok(option) => option.price.to_string(),
    }
}

fn places(page: &mut String) {
    let to = |country, postal_code| Asked { country, postal_code: Some(postal_code), ..usual() };
    let heavy = |grams| Asked { grams, ..usual() };
    let euro = Asked { currency: "EUR", ..usual() };
    head(page, ["to", "grams", "currency", "`standard`", "`express`", "`pickup`"]);
    for asked in [
        usual(),
        heavy(2_000),
        heavy(2_001),
        heavy(20_001),
        to("GB", "HS1 2AA"),
        to("GB", "KW15 1AA"),
        to("GB", "KW1 5AA"),
        to("FR", "75001"),
        euro,
    ] {
        let place = format!("{} {}", asked.country, asked.postal_code.unwrap());
        let offers = ["standard", "express", "pickup"].map(|method| offer(&asked, method));
        let [standard, express, pickup] = &offers;
        row(page, [&place, &asked.grams.to_string(), asked.currency, standard, express, pickup]);
    }
}

fn buyers(page: &mut String) {
    let mut policy = local();
    policy.methods[1].only =
        serde_json::from_value(json!({ "tiers": ["silver", "gold"] })).unwrap();
    head(
        page,
        [
            "tier",
            "`express` of the local stack",
            "the same, with `\"only\": { \"tiers\": [\"silver\", \"gold\"] }`",
        ],
    );
    for tier in [None, Some("silver"), Some("gold")] {
        let asked = Asked { tier, ..usual() };
        let only = match asked.option(&policy, "express") {
            Ok(_) => "offered".to_owned(),
            Err(why) => why.to_string(),
        };
        row(page, [tier.unwrap_or("none"), &offer(&asked, "express"), &only]);
    }
}

fn recommendations(page: &mut String) {
    head(page, ["to", "tier", "last method", "offered", "recommended"]);
    for (country, tier, last) in [
        ("GB", None, None),
        ("GB", None, Some("express")),
        ("GB", None, Some("pickup")),
        ("GB", Some("gold"), None),
        ("GB", Some("gold"), Some("standard")),
        ("FR", None, Some("pickup")),
    ] {
        let found = Asked { country, tier, postal_code: None, ..usual() }.options(&local());
        let id = last.map(|last| MethodId::parse(last).unwrap());
        let best = recommended(&found, id.as_ref()).map_or("", |best| best.method.as_str());
        let names: Vec<&str> = found.iter().map(|option| option.method.as_str()).collect();
        row(
            page,
            [country, tier.unwrap_or("none"), last.unwrap_or("none"), &names.join(", "), best],
        );
    }
}

const INTRODUCTION: &str = "# Delivery

How goods reach their buyer is data: the member `delivery` of the policy, with named calendars and the methods that follow them, in the order in which buyers see them. The default policy has one method, `standard`: everywhere, free, handled in one working day, under way for three to five.

Every table on this page is made by a test (`pricing/src/delivery/tests.rs`) from the policy of the local stack, `infra/local/policy.json`. Addresses are `GB CT1 2EH`, parcels weigh 800 g and orders come on Monday 2026-11-23 at 10:00:00Z unless the table says otherwise.
";

const WHEN: &str = "A promise has three dates where the handling calendar's zone is: the last day on which the parcel leaves, and the days by which half (P50) and nine tenths (P90) of such parcels are there. The last is what is promised.

Day 0 is the first working day whose cut-off has not passed; an order at the cut-off is late. The parcel leaves so many working days later as handling takes, on day 0 itself if it takes none. Then the carrier's working days count: P50 and P90 are so many of them after the day of leaving, with the extra days of the place on top. For zero of them, the parcel is there on the day of leaving, or on the carrier's next working day. Goods that are not there yet count as ordered when they are.

The cut-off is a moment. Where clocks go back over it, it is the first time that they show it; where they go forward over it, it is as long after the jump as it is after the jump's begin. So who orders later is never promised anything earlier.";

const WHERE: &str = "The first of a method's places that holds the address counts; where none does, the method is not offered. A place may name countries, regions (compared with what the buyer wrote, however the letters are cased) and postal codes by their beginning or by a range of beginnings. Spaces, hyphens and the case of letters in postal codes do not count, except that the two parts of a British code stay apart: `KW15` in Orkney is not `KW1 5AA` in Wick. A remote area is a place with a surcharge and extra days, before the place that holds the rest of the country.

The price is the first step that takes the weight, and the place's surcharge on top. A method without prices is free in every currency; one with prices has none in a currency that it does not name. Weights and prices of the steps go up, so a heavier parcel is never cheaper. A method with `points` may be paid with so many points instead of its whole price.";

const WHOM: &str = "`only` says who may choose a method, `free` who gets it free, surcharge included. Both name tiers of members and segments of buyers: every list that is given has to hold, and one member of it is enough. A method that costs nothing is not sold for points.";

const RECOMMENDED: &str = "The accustomed kind first: that of the buyer's last method if it is offered, otherwise shipping. Of these options the cheapest; of the cheapest the one that arrives first, by the last day of its promise, then by the first; of these the buyer's last method, then the first of the policy. Nobody is led to a dearer option than needed, or sent to the store who did not go there before. A tier counts through what it gets free.";
