//! What purchases, other deeds and milestones earn.

use aftercart::model::programme::earning::{ActionRule, Caps, Counts, Multiplier, RateRule};

use crate::rules::wording::number;

use super::{Told, percent};

pub(super) fn purchases(told: &Told<'_>) -> Vec<String> {
    let policy = told.policy;
    let (points, each) = (told.points(policy.points.into()), told.each(policy.per_minor));
    let mut rules = vec![
        told.say(
            format!("You earn {points} for each full {each} that you pay in money for an item of an order; parts of it earn nothing, item by item."),
            format!("订单中的每项商品，以现金支付每满 {each} 可得 {points}；不足部分逐项舍去。"),
        ),
        told.say(
            "Gifts, delivery, taxes and what you pay with points earn nothing.",
            "赠品、运费、税费以及积分抵扣的部分不计积分。",
        ),
    ];
    let earning = &policy.earning;
    rules.extend(earning.rates.iter().map(|rule| rate(rule, told)));
    if earning.rates.len() > 1 {
        rules.push(told.say(
            "Where several of these rates fit, the first of them counts.",
            "同时符合多项时，以排在前面的为准。",
        ));
    }
    for excluded in &earning.excluded {
        let lines = told.bracketed(&told.lines(excluded));
        rules.push(
            told.say(
                format!("Some goods earn nothing{lines}."),
                format!("部分商品不计积分{lines}。"),
            ),
        );
    }
    rules.extend(earning.multipliers.iter().map(|rule| multiplier(rule, told)));
    if let Some(most) = earning.most_extra {
        let most = percent(most);
        rules.push(told.say(
            format!("What comes on top adds up, with that of your tier, to at most {most} more."),
            format!("各项加赠（含等级加赠）相加，合计最多 {most}。"),
        ));
    } else if earning.multipliers.len() > 1 {
        rules.push(told.say("What comes on top adds up.", "各项加成相加计算。"));
    }
    rules.extend(caps(&earning.caps, told).map(|caps| {
        told.say(
            format!("Purchases earn {caps}. What is beyond earns nothing."),
            format!("购物积分{caps}，超出部分不计。"),
        )
    }));
    rules
}

fn rate(rule: &RateRule, told: &Told<'_>) -> String {
    let title = rule.title.text(told.language);
    let (points, each) = (told.points(rule.points.into()), told.each(rule.per_minor));
    let conditions = told.lines(&rule.lines).into_iter().chain(caps(&rule.caps, told));
    let lines = told.bracketed(&conditions.collect::<Vec<_>>());
    told.say(
        format!("{title}: {points} for each full {each}{lines}."),
        format!("{title}：每满 {each} 可得 {points}{lines}。"),
    )
}

fn multiplier(rule: &Multiplier, told: &Told<'_>) -> String {
    let title = rule.title.text(told.language);
    let extra = percent(rule.extra);
    let mut conditions = [told.lines(&rule.lines), told.when(&rule.when)].concat();
    conditions.extend(caps(&rule.caps, told));
    let conditions = told.bracketed(&conditions);
    told.say(
        format!("{title}: {extra} more points{conditions}."),
        format!("{title}：积分加赠 {extra}{conditions}。"),
    )
}

/// The most points by period; nothing, if there is no bound.
fn caps(caps: &Caps, told: &Told<'_>) -> Option<String> {
    let of = |most: Option<u32>, each: (&str, &str)| {
        let most = told.points(most?.into());
        Some(told.say(format!("{most} {}", each.0), format!("{}{most}", each.1)))
    };
    let caps = [
        of(caps.order, ("an order", "每笔订单最多 ")),
        of(caps.day, ("a day", "每天最多 ")),
        of(caps.month, ("a month", "每月最多 ")),
    ];
    let caps: Vec<String> = caps.into_iter().flatten().collect();
    if caps.is_empty() {
        return None;
    }
    let caps = told.all_of(&caps);
    Some(told.say(format!("at most {caps}"), caps.clone()))
}

pub(super) fn actions(told: &Told<'_>) -> Vec<String> {
    told.policy.earning.actions.iter().map(|rule| action(rule, told)).collect()
}

fn action(rule: &ActionRule, told: &Told<'_>) -> String {
    let title = rule.title.text(told.language);
    let points = told.points(rule.points.into());
    let often = |times: Option<u32>, each: (&str, &str)| {
        let times = told.times(times?);
        Some(told.say(format!("at most {times} {}", each.0), format!("{}最多 {times}", each.1)))
    };
    let limits = [
        told.tiers(&rule.tiers),
        often(rule.per_day, ("a day", "每天")),
        often(rule.per_month, ("a month", "每月")),
        rule.once.then(|| told.say("once only", "仅限一次")),
    ];
    let conditions = told.when(&rule.when).into_iter().chain(limits.into_iter().flatten());
    let conditions = told.bracketed(&conditions.collect::<Vec<_>>());
    let mut words = told
        .say(format!("{title}: {points}{conditions}."), format!("{title}：{points}{conditions}。"));
    if !rule.streak.is_empty() {
        let row = |(days, more): (&u16, &u32)| {
            let (days, more) = (told.days(*days), number((*more).into()));
            told.say(format!("{more} more for {days}"), format!("连续 {days}加 {more}"))
        };
        let rows = told.all_of(&rule.streak.iter().map(row).collect::<Vec<_>>());
        words.push_str(&told.say(format!(" Days in a row give {rows}."), format!("{rows}。")));
    }
    if rule.counts == Counts::Nothing && !told.policy.tiers.levels.is_empty() {
        words.push_str(&told.say(" It does not count towards your tier.", "不计入等级。"));
    }
    words
}

pub(super) fn milestones(told: &Told<'_>) -> Vec<String> {
    let of = |it: &aftercart::model::programme::earning::Milestone| {
        let (title, reach) = (it.title.text(told.language), told.reach(&it.reach));
        let points = told.points(it.points.into());
        told.say(
            format!("{title}: {points} at once, when you have reached {reach} in all. Once only."),
            format!("{title}：累计{reach}，立即获得 {points}，仅限一次。"),
        )
    };
    told.policy.earning.milestones.iter().map(of).collect()
}
