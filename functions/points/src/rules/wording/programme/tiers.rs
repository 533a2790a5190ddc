//! What tiers ask and give.

use aftercart::model::programme::tiers::{Benefits, Level, QualifyingPeriod, Rescue};

use super::{Told, percent};

pub(super) fn rules(told: &Told<'_>) -> Vec<String> {
    let tiers = &told.policy.tiers;
    if tiers.levels.is_empty() {
        return Vec::new();
    }
    let mut rules: Vec<String> = tiers.levels.iter().map(|level| reached(level, told)).collect();
    rules.push(period(tiers.period, told));
    rules.push(told.say(
        "You reach a tier at once. What you do counts, not what you have: spending points never costs you a tier.",
        "达到条件立即升级。等级只看您的行为，不看积分余额，使用积分不会影响等级。",
    ));
    if let Some(levels) = tiers.fall_at_most {
        let levels = told.count(levels, ("tier", "tiers"), "级");
        rules.push(told.say(
            format!("If you miss it at the end of the period, you fall by {levels} at most."),
            format!("周期结束时未达标，最多下降 {levels}。"),
        ));
    }
    if !tiers.warnings.is_empty() {
        let days = told.days_before(&tiers.warnings);
        rules.push(told.say(
            format!("We warn you {days} before you would lose a tier."),
            format!("等级可能下降前 {days}，我们会提醒您。"),
        ));
    }
    rules.extend(tiers.rescue.as_ref().map(|it| rescue(it, told)));
    rules
}

fn reached(level: &Level, told: &Told<'_>) -> String {
    let (title, reach) = (level.title.text(told.language), told.reaches(&level.reach));
    let mut words =
        told.say(format!("{title}: for {reach}."), format!("{title}：升级条件为{reach}。"));
    if !level.keep.is_empty() {
        let keep = told.reaches(&level.keep);
        words.push_str(
            &told.say(format!(" You keep it with {keep}."), format!("保级条件：{keep}。")),
        );
    }
    let mut benefits = benefits(&level.benefits, told);
    if level.benefits.service_line.is_some() {
        benefits.push(told.say("a service line of its own", "专属客服热线"));
    }
    if !benefits.is_empty() {
        let benefits = benefits.join(told.say("; ", "；").as_str());
        words.push_str(
            &told.say(format!(" It gives you: {benefits}."), format!("权益：{benefits}。")),
        );
    }
    words
}

pub(super) fn benefits(benefits: &Benefits, told: &Told<'_>) -> Vec<String> {
    let (extra, days) = (percent(benefits.extra), told.days(benefits.return_days));
    let own = [
        (benefits.extra > 0).then(|| {
            told.say(format!("{extra} more points on purchases"), format!("购物积分加赠 {extra}"))
        }),
        (benefits.return_days > 0).then(|| {
            told.say(format!("{days} more to return goods"), format!("退货期延长 {days}"))
        }),
    ];
    let words = benefits.words.iter().map(|words| words.text(told.language).to_owned());
    own.into_iter().flatten().chain(words).collect()
}

fn period(period: QualifyingPeriod, told: &Told<'_>) -> String {
    match period {
        QualifyingPeriod::CalendarYear => told.say(
            "What you do within a calendar year counts. You keep a tier to the end of the next year; what you did in that one decides then.",
            "按自然年累计。等级保留至次年年底，届时按该年的累计重新评定。",
        ),
        QualifyingPeriod::Months(months) => {
            let months = told.months(months);
            told.say(
                format!("What you do within {months} counts, from when you joined to the end of a month, then {months} again. You keep a tier to the end of the next period; what you did in that one decides then."),
                format!("自入会起每 {months}为一个周期（至月底为止）累计。等级保留至下一周期结束，届时按该周期的累计重新评定。"),
            )
        }
    }
}

fn rescue(rescue: &Rescue, told: &Told<'_>) -> String {
    let (days, share) = (told.days(rescue.days), percent(rescue.from_share));
    let extra = percent(rescue.extra);
    told.say(
        format!("If you have {share} of what you need {days} before the end, your purchases count {extra} more until then."),
        format!("周期结束前 {days}已完成 {share} 的会员，此后至周期结束购物计入等级的部分增加 {extra}。"),
    )
}
