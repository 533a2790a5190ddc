//! What members read of their points, in every language of the shop.

pub mod page;
pub mod programme;
pub mod reasons;

use aftercart::model::{
    customer::Language,
    money::{Currency, Money},
    points::Cause,
    programme::{PointsPolicy, earning},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Words in English and in Chinese.
pub type Words = (&'static str, &'static str);

/// Picks the words of a language.
#[must_use]
pub const fn spoken(words: Words, language: Language) -> &'static str {
    match language {
        Language::En => words.0,
        Language::Zh => words.1,
    }
}

/// A number with its thousands apart: `12,345`.
#[must_use]
pub fn number(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len().saturating_mul(2));
    if count < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// So many points: `1 point`, `12,345 points`, `12,345 积分`.
#[must_use]
pub fn points(count: i64, language: Language) -> String {
    match language {
        Language::En if count == 1 => "1 point".to_owned(),
        Language::En => format!("{} points", number(count)),
        Language::Zh => format!("{} 积分", number(count)),
    }
}

/// An amount, from a number of minor units that a policy names.
#[must_use]
pub fn amount(minor: i64, currency: Currency) -> String {
    // A policy may name more than money can be; then it is written plainly.
    let written = Money::new(minor, currency).map(|money| money.to_string());
    written.unwrap_or_else(|_| format!("{} {currency}", number(minor)))
}

/// What points pay of an order, or how many are missing to pay with them.
#[must_use]
pub fn pays(minor: i64, missing: i64, currency: Currency, language: Language) -> String {
    let worth = amount(minor, currency);
    match (missing, language) {
        (0, Language::En) => format!("They pay up to {worth} of an order."),
        (0, Language::Zh) => format!("最多可抵扣订单 {worth}。"),
        (missing, Language::En) => {
            let points = points(missing, language);
            format!("With {points} more you can pay with them in {currency}.")
        }
        (missing, Language::Zh) => {
            let points = points(missing, language);
            format!("再有 {points}即可抵扣 {currency} 订单。")
        }
    }
}

/// The kinds of movements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointsMovementKind {
    /// Points were earned by a purchase; they are pending.
    Earned,
    /// Pending points became available.
    Matured,
    /// Points were given for something else that the member did.
    Action,
    /// Points were given for what was reached.
    Milestone,
    /// A campaign gave points.
    Campaign,
    /// A contest gave points.
    Prize,
    /// Points were given as an apology.
    Apology,
    /// Points were given because of something that the member told of.
    MadeGood,
    /// Points paid for a purchase, or a part of it.
    Spent,
    /// Points paid for a reward.
    Redeemed,
    /// Points that had paid for something came back.
    Returned,
    /// What cancelled or refunded goods had earned was taken back.
    TakenBack,
    /// Points went to another member.
    GiftSent,
    /// Points came from another member.
    GiftReceived,
    /// Points last longer.
    Extended,
    /// Points reached the end of their life.
    Expired,
    /// The shop's people gave or took points.
    Adjusted,
    /// Points moved between accounts of the same person.
    Linked,
}

/// How a movement is told.
enum Told<'a> {
    /// In these words.
    As(Words),
    /// By the title of this rule of the policy.
    By(&'a str),
}

fn told(cause: &Cause) -> (PointsMovementKind, Told<'_>) {
    use PointsMovementKind as Kind;
    let (kind, english, chinese) = match cause {
        Cause::Action { rule, .. } => return (Kind::Action, Told::By(rule.as_str())),
        Cause::Milestone(rule) => return (Kind::Milestone, Told::By(rule.as_str())),
        Cause::Campaign { campaign, .. } => return (Kind::Campaign, Told::By(campaign.as_str())),
        Cause::Prize(contest) => return (Kind::Prize, Told::By(contest.as_str())),
        Cause::OrderPaid(_) => (Kind::Earned, "Earned with a purchase", "购物获得"),
        Cause::OrderPoints(_) => (Kind::Spent, "Paid for an order", "订单抵扣"),
        Cause::TillSpent(_) => (Kind::Spent, "Paid in a store", "门店抵扣"),
        Cause::Redeemed(_) => (Kind::Redeemed, "Reward taken", "兑换奖励"),
        Cause::OrderCancelled(_) => {
            let english = "Taken back: goods were cancelled or refunded";
            (Kind::TakenBack, english, "商品取消或退款，收回所得积分")
        }
        Cause::PointsReturned(_) => {
            let english = "Back: they had paid for cancelled or refunded goods";
            (Kind::Returned, english, "商品取消或退款，退还抵扣积分")
        }
        Cause::TillReturned(_) => {
            let english = "Back: they had paid for goods that were returned in a store";
            (Kind::Returned, english, "门店退货，退还抵扣积分")
        }
        Cause::RedemptionReturned(_) => (
            Kind::Returned,
            "Back: the reward was called off or given back",
            "奖励取消或退回，退还积分",
        ),
        Cause::Apology(_) => {
            let english = "Sorry: the goods were gone when the order was paid";
            (Kind::Apology, english, "付款时商品已售罄，致歉补偿")
        }
        Cause::DeliveryApology(_) => {
            (Kind::Apology, "Sorry: the delivery was not as promised", "配送未达承诺，致歉补偿")
        }
        Cause::MadeGood(_) => {
            (Kind::MadeGood, "Sorry: to make good what you told us of", "就您反馈的问题，致歉补偿")
        }
        Cause::ReturnWindowEnded(_) => {
            (Kind::Matured, "Yours to spend: the return window ended", "退货期结束，积分可用")
        }
        Cause::LotExpired(_) => (Kind::Expired, "Ended: not spent in time", "到期未使用，已失效"),
        Cause::Extended(_) => {
            (Kind::Extended, "They last longer, because you were active", "因您近期活跃，积分延期")
        }
        Cause::GiftSent(_) => (Kind::GiftSent, "Given to another member", "赠送给其他会员"),
        Cause::GiftReceived(_) => {
            (Kind::GiftReceived, "Given by another member", "收到其他会员赠送")
        }
        Cause::Adjusted(_) => (Kind::Adjusted, "Corrected by our team", "客服调整"),
        Cause::Linked(_) => (Kind::Linked, "Moved between your linked accounts", "关联账户间转移"),
    };
    (kind, Told::As((english, chinese)))
}

/// What kind of movement has this cause.
#[must_use]
pub fn kind(cause: &Cause) -> PointsMovementKind {
    told(cause).0
}

/// Why points moved, in a few words.
#[must_use]
pub fn movement(cause: &Cause, policy: &PointsPolicy, language: Language) -> String {
    match told(cause).1 {
        Told::As(words) => spoken(words, language).to_owned(),
        Told::By(rule) => title(rule, policy, language),
    }
}

/// What members read of a rule: its title in the policy, or its name once the
/// policy does not have it any more.
#[must_use]
pub fn title(rule: &str, policy: &PointsPolicy, language: Language) -> String {
    let of = &policy.earning;
    let rates = of.rates.iter().map(|it| (it.id.as_str(), &it.title));
    let multipliers = of.multipliers.iter().map(|it| (it.id.as_str(), &it.title));
    let actions = of.actions.iter().map(|it| (it.id.as_str(), &it.title));
    let milestones = of.milestones.iter().map(|it| (it.id.as_str(), &it.title));
    let campaigns = policy.campaigns.iter().map(|it| (it.id.as_str(), &it.title));
    let contests = policy.contests.iter().map(|it| (it.id.as_str(), &it.title));
    let levels = policy.tiers.levels.iter().map(|it| (it.id.as_str(), &it.title));
    let mut all = rates
        .chain(multipliers)
        .chain(actions)
        .chain(milestones)
        .chain(campaigns)
        .chain(contests)
        .chain(levels);
    match rule {
        earning::BASE => return spoken(("Base rate", "基础积分"), language).to_owned(),
        earning::CAP => return spoken(("Over the limit", "超出上限"), language).to_owned(),
        _ => {}
    }
    let found = all.find(|(id, _)| *id == rule);
    found.map_or_else(|| rule.to_owned(), |(_, title)| title.text(language).to_owned())
}
