use aftercart::model::{policy::Policy, time::Zone};
use serde_json::{Value, json};

use super::{samples::whole, *};

fn now() -> Timestamp {
    Timestamp::parse("2026-11-24T10:00:00Z").unwrap()
}

fn told(policy: &Value, language: Language) -> Vec<ProgrammeSection> {
    let policy: PointsPolicy = serde_json::from_value(policy.clone()).unwrap();
    let dates = Dates::new(language, &policy.zone, now());
    sections(&policy, &dates, now())
}

fn rules(policy: &Value, language: Language) -> String {
    let rules = told(policy, language).into_iter().flat_map(|section| section.rules);
    rules.collect::<Vec<_>>().join("\n")
}

/// Every value of the document, changed by itself, with where it is.
fn changed(of: &Value, place: &str, put: &dyn Fn(Value) -> Value, into: &mut Vec<(String, Value)>) {
    match of {
        Value::Object(members) => {
            for (name, member) in members {
                let with = |value| {
                    let mut all = of.clone();
                    all[name] = value;
                    put(all)
                };
                changed(member, &format!("{place}/{name}"), &with, into);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let with = |value| {
                    let mut all = of.clone();
                    all[at] = value;
                    put(all)
                };
                changed(item, &format!("{place}/{at}"), &with, into);
            }
        }
        Value::Number(number) => {
            into.push((place.to_owned(), put((number.as_i64().unwrap() + 1).into())));
        }
        Value::Bool(is) => into.push((place.to_owned(), put((!is).into()))),
        Value::String(text) => {
            for other in ["2026-12-24T00:00:00Z", "11d", "wed", "share", "feedback", "UTC", "other"]
            {
                if other != text {
                    into.push((place.to_owned(), put(other.into())));
                }
            }
        }
        Value::Null => {}
    }
}

/// What is not told: names, and kinds of deeds, which nobody reads who has the
/// title; how long a till may have been offline, which concerns no member;
/// secrets; the service line, which only its members may know.
const UNTOLD: [&str; 5] = ["/id", "/action", "/till/offline", "/salt", "/service_line"];

#[test]
fn whatever_the_policy_says_is_told_in_both_languages() {
    let whole = whole();
    let mut changes = Vec::new();
    changed(&whole, "", &|value| value, &mut changes);
    let mut looked = std::collections::BTreeSet::new();
    for (place, changed) in &changes {
        // A text of another form is no policy.
        let Ok(policy) = serde_json::from_value::<PointsPolicy>(changed.clone()) else { continue };
        if UNTOLD.iter().any(|untold| place.ends_with(untold)) {
            continue;
        }
        looked.insert(place.clone());
        let dates = |language| Dates::new(language, &policy.zone, now());
        for language in Language::ALL {
            // A title is told in one language only.
            let other = if language == Language::En { "/zh" } else { "/en" };
            let same = sections(&policy, &dates(language), now()) == told(&whole, language);
            assert_eq!(same, place.ends_with(other), "{place}: {changed}");
        }
    }
    assert!(looked.len() > 100, "{looked:?}");
    for place in ["/per_minor", "/tiers/rescue/extra", "/gifts/kept_for", "/earning/actions/1/once"]
    {
        assert!(looked.contains(place), "{place} of {looked:?}");
    }
}

#[test]
fn every_part_is_told_in_its_language() {
    for language in Language::ALL {
        let sections = told(&whole(), language);
        assert_eq!(sections.len(), 12);
        for section in &sections {
            for text in section.rules.iter().chain([&section.title]) {
                let han = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert_eq!(han, language == Language::Zh, "{text}");
                assert!(
                    !text.contains("  ") && !text.contains("()") && !text.contains("（）"),
                    "{text}"
                );
            }
            for rule in &section.rules {
                let end = if language == Language::En { '.' } else { '。' };
                assert!(rule.ends_with(end), "{rule}");
                let odd = [",", ";", "?", "!", "("];
                let numbers = rule.replace(|c: char| c.is_ascii_digit(), "0").replace("0,0", "00");
                let odd = odd.iter().any(|mark| numbers.contains(mark));
                assert!(language == Language::En || !odd, "{rule}");
            }
        }
    }
}

#[test]
fn rules_read_as_people_say_them() {
    let (english, chinese) = (rules(&whole(), Language::En), rules(&whole(), Language::Zh));
    for words in [
        "You earn 1 point for each full 1.00 GBP or 100 JPY that you pay in money",
        "Tea: 3 points for each full 2.00 GBP or 200 JPY (categories: tea, herbs; at most 300 points a month).",
        "(products: MUG-1; brands: Clay; tiers: Gold; channels: store).",
        "Double points: 100% more points (from Sat 21 Nov, 00:00; until Tue 1 Dec, 00:00; on: Mon, Tue; days of the month: 8, 18).",
        "Birthday: 25.5% more points (in the month of your birthday; each year in the month in which you joined; if you did nothing for 60 days).",
        "with that of your tier, to at most 200% more.",
        "Purchases earn at most 500 points an order, 800 points a day and 2,000 points a month.",
        "Check-in: 1 point (at most 1 time a day). Days in a row give 10 more for 7 days and 50 more for 30 days.",
        "Complete profile: 20 points (tiers: Silver; at most 4 times a month; once only).",
        "when you have reached 1,000 points earned, 10 orders, 5 activities and 1 piece of feedback in all.",
        "The points of an order wait until 14 days after its delivery",
        "if that has passed by then, they last to the end of the month 2 months later.",
        "Points of purchases last to the end of the month 12 months later; all others last 90 days, to the end of the day.",
        "We tell you 30 and 7 days before points end.",
        "midnight, Shanghai time.",
        "100 points pay 1.00 GBP or 180 JPY of an order.",
        "at most 50% of what is due",
        "You may use them from 50 points on.",
        "Silver: for 500 points earned or 400.00 GBP spent. It gives you: 10% more points on purchases; Free samples.",
        "You keep it with 1,500 points earned. It gives you: 25% more points on purchases; 16 days more to return goods; a service line of its own.",
        "you fall by 1 tier at most.",
        "We warn you 60, 30 and 7 days before",
        "If you have 60% of what you need 30 days before the end, your purchases count 50% more until then.",
        "You may give 10 to 500 points to another member: at most 3 gifts a day and 1,000 points a month.",
        "Points from these count: purchases and Check-in. Teams have up to 5 members. Prizes in points, from the first rank on: 300, 200.",
        "A draw gives 5 points (75%) or nothing (25%).",
        "Points of what you buy there wait until 14 days after the purchase.",
        "yours again after 15 minutes.",
        "A correction of more than 1,000 points",
    ] {
        assert!(english.contains(words), "{words} is not in {english}");
    }
    for words in [
        "每满 1.00 GBP 或 100 JPY 可得 1 积分",
        "茶叶：每满 2.00 GBP 或 200 JPY 可得 3 积分（分类：tea、herbs；每月最多 300 积分）。",
        "购物积分每笔订单最多 500 积分、每天最多 800 积分和每月最多 2,000 积分，超出部分不计。",
        "积分到期前 30 天和 7 天，我们会提醒您。",
        "金卡：升级条件为获得 2,000 积分或消费满 1500.00 GBP。保级条件：获得 1,500 积分。",
        "十单：累计获得 1,000 积分、完成 10 笔订单、参与 5 次互动和提供 1 次反馈，立即获得 100 积分",
        "每 100 积分可抵扣 1.00 GBP 或 180 JPY。",
        "连续 7 天加 10 和连续 30 天加 50。",
        "5 积分（75%）或未中奖（25%）",
        "记为待抵扣积分",
        "没有购物或使用积分",
    ] {
        assert!(chinese.contains(words), "{words} is not in {chinese}");
    }
}

#[test]
fn a_shop_that_sets_nothing_tells_what_holds_anyway() {
    let policy = json!(Policy::default_document().unwrap())["points"].clone();
    let parts: Vec<_> = told(&policy, Language::En).into_iter().map(|it| it.part).collect();
    use ProgrammePart::{Corrections, Expiry, Purchases, Stores, Waiting};
    assert_eq!(parts, [Purchases, Waiting, Expiry, Stores, Corrections]);
    assert!(rules(&policy, Language::En).contains("for each full 100 smallest units"));
}

#[test]
fn contests_and_campaigns_that_are_over_are_not_told() {
    let policy: PointsPolicy = serde_json::from_value(whole()).unwrap();
    let later = Timestamp::parse("2027-01-01T00:00:00Z").unwrap();
    let zone = Zone::utc();
    let sections = sections(&policy, &Dates::new(Language::En, &zone, later), later);
    let parts: Vec<_> = sections.iter().map(|it| it.part).collect();
    assert!(
        !parts.contains(&ProgrammePart::Contests) && !parts.contains(&ProgrammePart::Campaigns)
    );
    assert_eq!(parts.len(), 10);
}

#[test]
fn a_rare_prize_is_not_told_as_none() {
    let mut policy = whole();
    policy["campaigns"][0]["draws"] =
        json!([{ "points": 5, "weight": 1 }, { "points": 0, "weight": 99_999 }]);
    for (language, words) in [
        (Language::En, "5 points (less than 0.01%) or nothing (99.99%)"),
        (Language::Zh, "5 积分（低于0.01%）或未中奖（99.99%）"),
    ] {
        assert!(rules(&policy, language).contains(words), "{words}");
    }
}

#[test]
fn percentages_are_exact() {
    for (points, text) in [(10_000, "100%"), (5, "0.05%"), (2_550, "25.5%"), (1_234_500, "12,345%")]
    {
        assert_eq!(percent(points), text);
    }
}
