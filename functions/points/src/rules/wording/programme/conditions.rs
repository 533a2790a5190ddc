//! On what a rule depends, in brackets behind it.

use aftercart::model::{
    dates::weekday,
    programme::{
        earning::{Reach, When},
        matching::Lines,
    },
    text::Text,
};

use crate::rules::wording::{Words, amount, number, title};

use super::Told;

impl Told<'_> {
    /// Conditions in brackets; nothing, if there are none.
    pub(super) fn bracketed(&self, conditions: &[String]) -> String {
        if conditions.is_empty() {
            return String::new();
        }
        let joined = conditions.join(self.say("; ", "；").as_str());
        self.say(format!(" ({joined})"), format!("（{joined}）"))
    }

    /// A list behind its name; nothing, if it is empty.
    fn list(&self, name: Words, of: Vec<String>) -> Option<String> {
        if of.is_empty() {
            return None;
        }
        let (name, comma) = (self.say(name.0, name.1), self.say(", ", "、"));
        let joined = of.join(&comma);
        Some(self.say(format!("{name}: {joined}"), format!("{name}：{joined}")))
    }

    /// The tiers that something is for; nothing, if it is for all.
    pub(super) fn tiers(&self, tiers: &[Text<40>]) -> Option<String> {
        let of = |tier: &Text<40>| title(tier.as_str(), self.policy, self.language);
        self.list(("tiers", "等级"), tiers.iter().map(of).collect())
    }

    /// Which lines of which orders.
    pub(super) fn lines(&self, lines: &Lines) -> Vec<String> {
        let texts = |of: &[Text<40>]| of.iter().map(|it| it.as_str().to_owned()).collect();
        let skus = lines.skus.iter().map(|sku| sku.as_str().to_owned()).collect();
        let lists = [
            self.list(("products", "商品"), skus),
            self.list(("categories", "分类"), texts(&lines.categories)),
            self.list(("brands", "品牌"), texts(&lines.brands)),
            self.tiers(&lines.tiers),
            self.list(("channels", "渠道"), texts(&lines.channels)),
        ];
        lists.into_iter().flatten().collect()
    }

    /// When something holds.
    pub(super) fn when(&self, when: &When) -> Vec<String> {
        let from = when.from.map(|at| self.dates.moment(at));
        let until = when.until.map(|at| self.dates.moment(at));
        let weekdays = when.weekdays.iter().map(|day| weekday(*day, self.language).to_owned());
        let days = when.days.iter().map(|day| number((*day).into())).collect();
        let idle = when.idle_days.map(|days| self.days(days));
        let conditions = [
            from.map(|at| self.say(format!("from {at}"), format!("{at} 起"))),
            until.map(|at| self.say(format!("until {at}"), format!("{at} 止"))),
            self.list(("on", "每逢"), weekdays.collect()),
            self.list(("days of the month", "每月日期"), days),
            when.birthday_month.then(|| self.say("in the month of your birthday", "生日当月")),
            when.anniversary_month
                .then(|| self.say("each year in the month in which you joined", "每年入会当月")),
            idle.map(|days| {
                self.say(
                    format!("if you did nothing for {days}"),
                    format!("已有 {days}没有购物或使用积分"),
                )
            }),
        ];
        conditions.into_iter().flatten().collect()
    }

    /// What has to be reached: all of it.
    pub(super) fn reach(&self, reach: &Reach) -> String {
        let spend: Vec<String> =
            reach.spend.iter().map(|(currency, minor)| amount(*minor, *currency)).collect();
        let points = reach.points.map(|points| {
            let points = self.points(points);
            self.say(format!("{points} earned"), format!("获得 {points}"))
        });
        let spend = (!spend.is_empty()).then(|| {
            let spend = self.one_of(&spend);
            self.say(format!("{spend} spent"), format!("消费满 {spend}"))
        });
        let counted = |count: Option<u32>, nouns: (&str, &str), (done, measure): (&str, &str)| {
            let count = self.count(count?, nouns, measure);
            Some(self.say(count.clone(), format!("{done} {count}")))
        };
        let parts = [
            points,
            spend,
            counted(reach.orders, ("order", "orders"), ("完成", "笔订单")),
            counted(reach.activity, ("activity", "activities"), ("参与", "次互动")),
            counted(
                reach.feedback,
                ("piece of feedback", "pieces of feedback"),
                ("提供", "次反馈"),
            ),
        ];
        self.all_of(&parts.into_iter().flatten().collect::<Vec<_>>())
    }

    /// What has to be reached: one of these.
    pub(super) fn reaches(&self, reaches: &[Reach]) -> String {
        self.one_of(&reaches.iter().map(|reach| self.reach(reach)).collect::<Vec<_>>())
    }
}
