//! The rules of the programme in plain words, made from the policy: whatever
//! the policy says is a sentence here, and nothing else is.

mod conditions;
mod earning;
mod members;
mod tiers;

use aftercart::model::{
    customer::Language,
    dates::Dates,
    money::Currency,
    programme::{
        PointsPolicy,
        expiry::{Extension, Life},
        spending::OffsetPolicy,
        tiers::Level,
    },
    time::{Period, Timestamp},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Words, amount, number, points};

/// The parts of the programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProgrammePart {
    /// What purchases earn.
    Purchases,
    /// What other deeds earn.
    Actions,
    /// What is given at once for what was reached.
    Milestones,
    /// When points may be spent, and what is taken back.
    Waiting,
    /// How long points last.
    Expiry,
    /// How points pay.
    Spending,
    /// Tiers: what they ask and give.
    Tiers,
    /// Gifts between members.
    Gifts,
    /// Contests that run or come.
    Contests,
    /// Campaigns that run or come.
    Campaigns,
    /// Points in stores.
    Stores,
    /// What the shop's people may do to points.
    Corrections,
}

/// A part of the programme in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgrammeSection {
    /// Which part.
    pub part: ProgrammePart,
    /// Its heading.
    pub title: String,
    /// Its rules, a sentence or two each.
    pub rules: Vec<String>,
}

/// The whole programme in words, by parts; parts that the policy does not have
/// are left out.
#[must_use]
pub fn sections(policy: &PointsPolicy, dates: &Dates<'_>, now: Timestamp) -> Vec<ProgrammeSection> {
    let told = &Told { policy, dates, language: dates.language };
    let parts = [
        (ProgrammePart::Purchases, ("Points for purchases", "购物积分"), earning::purchases(told)),
        (ProgrammePart::Actions, ("More ways to earn", "更多获取方式"), earning::actions(told)),
        (ProgrammePart::Milestones, ("Milestones", "里程碑奖励"), earning::milestones(told)),
        (ProgrammePart::Waiting, ("When you may spend them", "积分何时可用"), waiting(told)),
        (ProgrammePart::Expiry, ("How long points last", "积分有效期"), expiry(told)),
        (ProgrammePart::Spending, ("Paying with points", "积分抵扣"), spending(told)),
        (ProgrammePart::Tiers, ("Tiers", "会员等级"), tiers::rules(told)),
        (ProgrammePart::Gifts, ("Giving points", "积分赠送"), members::gifts(told)),
        (ProgrammePart::Contests, ("Contests", "竞赛"), members::contests(told, now)),
        (ProgrammePart::Campaigns, ("Campaigns", "活动"), members::campaigns(told, now)),
        (ProgrammePart::Stores, ("In stores", "门店使用"), members::stores(told)),
        (ProgrammePart::Corrections, ("Corrections", "积分调整"), members::corrections(told)),
    ];
    let section = |(part, title, rules): (_, _, Vec<String>)| ProgrammeSection {
        part,
        title: super::spoken(title, dates.language).to_owned(),
        rules,
    };
    parts.into_iter().map(section).filter(|section| !section.rules.is_empty()).collect()
}

/// What a level gives, a few words each; not its service line, which only its
/// members may know.
#[must_use]
pub fn benefits(level: &Level, policy: &PointsPolicy, dates: &Dates<'_>) -> Vec<String> {
    tiers::benefits(&level.benefits, &Told { policy, dates, language: dates.language })
}

/// Of what is told, and how.
struct Told<'a> {
    policy: &'a PointsPolicy,
    dates: &'a Dates<'a>,
    language: Language,
}

impl Told<'_> {
    fn say(&self, english: impl Into<String>, chinese: impl Into<String>) -> String {
        match self.language {
            Language::En => english.into(),
            Language::Zh => chinese.into(),
        }
    }

    fn points(&self, count: i64) -> String {
        points(count, self.language)
    }

    /// So many of something: one or more of it in English, its measure in Chinese.
    fn count(&self, count: impl Into<i64>, (one, many): (&str, &str), chinese: &str) -> String {
        let count = count.into();
        let noun = if count == 1 { one } else { many };
        self.say(format!("{} {noun}", number(count)), format!("{} {chinese}", number(count)))
    }

    fn days(&self, days: impl Into<i64>) -> String {
        self.count(days, ("day", "days"), "天")
    }

    fn months(&self, months: u16) -> String {
        self.count(months, ("month", "months"), "个月")
    }

    fn times(&self, times: u32) -> String {
        self.count(times, ("time", "times"), "次")
    }

    /// A length of time in the largest unit that it is whole in.
    fn period(&self, period: Period) -> String {
        match period.seconds() {
            seconds if seconds % 86_400 == 0 => self.days(seconds / 86_400),
            seconds if seconds % 3_600 == 0 => {
                self.count(seconds / 3_600, ("hour", "hours"), "小时")
            }
            seconds if seconds % 60 == 0 => self.count(seconds / 60, ("minute", "minutes"), "分钟"),
            seconds => self.count(seconds, ("second", "seconds"), "秒"),
        }
    }

    /// `a, b and c`, `a、b和c`.
    fn all_of(&self, parts: &[String]) -> String {
        self.joined(parts, (" and ", "和"))
    }

    /// `a, b or c`, `a、b或c`.
    fn one_of(&self, parts: &[String]) -> String {
        self.joined(parts, (" or ", "或"))
    }

    fn joined(&self, parts: &[String], last: Words) -> String {
        let comma = super::spoken((", ", "、"), self.language);
        let [first @ .., end] = parts else { return String::new() };
        if first.is_empty() {
            return end.clone();
        }
        let (first, last) = (first.join(comma), super::spoken(last, self.language));
        // Chinese stands apart from numbers and from letters of other scripts.
        let apart = |edge: Option<char>| match edge {
            Some(edge) if edge.is_ascii_alphanumeric() && self.language == Language::Zh => " ",
            _ => "",
        };
        let (before, after) = (apart(first.chars().next_back()), apart(end.chars().next()));
        format!("{first}{before}{last}{after}{end}")
    }

    /// Days before something: `30 and 7 days`, `30 天和 7 天`.
    fn days_before(&self, days: &[u16]) -> String {
        let mut days = days.to_vec();
        days.sort_unstable_by(|one, other| other.cmp(one));
        match self.language {
            Language::En => {
                let last = if days == [1] { "day" } else { "days" };
                let days: Vec<String> = days.iter().map(u16::to_string).collect();
                format!("{} {last}", self.all_of(&days))
            }
            Language::Zh => {
                let days: Vec<String> = days.iter().map(|days| format!("{days} 天")).collect();
                self.all_of(&days)
            }
        }
    }

    /// An amount of a number of minor units, in the currencies that the
    /// programme knows; of no other is known how it is written.
    fn each(&self, minor: u32) -> String {
        let offset = self.policy.offset.iter().flat_map(|it| it.minor_per_100_points.keys());
        let known: Vec<String> = offset.map(|currency| amount(minor.into(), *currency)).collect();
        match known.as_slice() {
            [] => self.count(minor, ("smallest unit", "smallest units"), "个最小货币单位"),
            known => self.one_of(known),
        }
    }
}

/// Basis points as a percentage: `50%`, `12.5%`.
#[must_use]
pub fn percent(basis_points: u32) -> String {
    let (whole, rest) = (basis_points / 100, basis_points % 100);
    match rest {
        0 => format!("{}%", number(whole.into())),
        rest if rest % 10 == 0 => format!("{}.{}%", number(whole.into()), rest / 10),
        rest => format!("{}.{rest:02}%", number(whole.into())),
    }
}

fn waiting(told: &Told<'_>) -> Vec<String> {
    let window = told.period(told.policy.return_window);
    let months = told.policy.expiry.returned_months;
    let least = match months {
        0 => told.say("the end of that month", "当月月底"),
        months => told.say(
            format!("the end of the month {} later", told.months(months)),
            format!(" {months} 个月后的月底"),
        ),
    };
    vec![
        told.say(
            format!("The points of an order wait until {window} after its delivery, because you may return goods meanwhile. Then they are yours to spend."),
            format!("订单积分在签收后 {window}内处于待生效状态，因为期间您可以退货；之后即可使用。"),
        ),
        told.say(
            "When goods are cancelled or refunded, exactly the points that they earned are taken back: from those that wait first, then from the same points if they are still there. What you have spent already is owed, and repaid by what you earn next.",
            "商品取消或退款时，仅收回该商品所得的积分：先从待生效积分中扣除，再从该笔积分的余额中扣除；已使用的部分记为待抵扣积分，由之后获得的积分抵扣。",
        ),
        told.say(
            format!("Points that had paid for such goods come back with the end that they had; if that has passed by then, they last to {least}."),
            format!("为这些商品支付的积分按原有效期退还；若届时已过期，则可用至{least}。"),
        ),
    ]
}

fn expiry(told: &Told<'_>) -> Vec<String> {
    let expiry = &told.policy.expiry;
    let mut rules = Vec::new();
    let purchases = life(expiry.purchases, told);
    match expiry.grants.filter(|grants| *grants != expiry.purchases) {
        None => rules.push(
            told.say(format!("Points last {purchases}."), format!("积分有效期：{purchases}。")),
        ),
        Some(grants) => {
            let grants = life(grants, told);
            rules.push(told.say(
                format!("Points of purchases last {purchases}; all others last {grants}."),
                format!("购物积分有效期：{purchases}；其他积分有效期：{grants}。"),
            ));
        }
    }
    rules.push(told.say(
        "The points that end first are spent first; of those that end together, the oldest.",
        "先到期的积分先使用；同时到期的，先获得的先使用。",
    ));
    if !expiry.notices.is_empty() {
        let days = told.days_before(&expiry.notices);
        rules.push(told.say(
            format!("We tell you {days} before points end."),
            format!("积分到期前 {days}，我们会提醒您。"),
        ));
    }
    rules.extend(expiry.extension.as_ref().map(|it| extension(it, told)));
    let zone = told.dates.zone_name();
    rules.push(told.say(
        format!("Days, months and years end at midnight, {zone}."),
        format!("日、月、年均以{zone}零点为界。"),
    ));
    rules
}

fn life(life: Life, told: &Told<'_>) -> String {
    match life {
        Life::Days(days) => {
            let days = told.days(days);
            told.say(format!("{days}, to the end of the day"), format!("{days}，至当日结束"))
        }
        Life::EndOfMonthAfter(0) => told.say("to the end of the month", "至当月月底"),
        Life::EndOfMonthAfter(months) => told.say(
            format!("to the end of the month {} later", told.months(months)),
            format!("至 {months} 个月后的月底"),
        ),
        Life::EndOfYearAfter(0) => told.say("to the end of the year", "至当年年底"),
        Life::EndOfYearAfter(1) => told.say("to the end of the next year", "至次年年底"),
        Life::EndOfYearAfter(years) => told.say(
            format!("to the end of the year {years} years later"),
            format!("至 {years} 年后的年底"),
        ),
        Life::MonthsAfterActivity(months) => told.say(
            format!(
                "to the end of the month {} after you last bought, spent points or earned some",
                told.months(months)
            ),
            format!("至最近一次购物、使用或获得积分后 {months} 个月的月底"),
        ),
    }
}

fn extension(it: &Extension, told: &Told<'_>) -> String {
    let Extension { ending_within_days, months, most_months } = *it;
    let (within, longer) = (told.days(ending_within_days), told.months(months));
    let most = told.months(most_months);
    told.say(
        format!("Points that end within {within} of something that you do last to the end of the month {longer} after it, but no longer than {most} after you got them."),
        format!("您购物、使用积分或完成可得积分的任务时，{within}内到期的积分延长至此后 {longer}的月底，但自获得起最长不超过 {most}。"),
    )
}

fn spending(told: &Told<'_>) -> Vec<String> {
    let Some(offset) = &told.policy.offset else { return Vec::new() };
    let OffsetPolicy { minor_per_100_points, max_share, least_points } = offset;
    let worth = |(currency, minor): (&Currency, &u32)| amount((*minor).into(), *currency);
    let worth: Vec<String> = minor_per_100_points.iter().map(worth).collect();
    let worth = told.one_of(&worth);
    let mut rules = vec![told.say(
        format!("100 points pay {worth} of an order."),
        format!("每 100 积分可抵扣 {worth}。"),
    )];
    let share = percent(*max_share);
    rules.push(told.say(
        format!("They pay at most {share} of what is due for its goods."),
        format!("最多可抵扣商品应付金额的 {share}。"),
    ));
    if *least_points > 1 {
        let least = told.points((*least_points).into());
        rules.push(
            told.say(format!("You may use them from {least} on."), format!("满 {least}起可用。")),
        );
    }
    rules.push(told.say(
        "While an order is not paid, its points are held for it; if it is never paid, they are yours again at once.",
        "订单未付款期间，所用积分暂时冻结；如最终未付款，积分立即恢复可用。",
    ));
    rules
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
