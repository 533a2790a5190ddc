//! What members do with points among themselves and in stores, and what the
//! shop's people may do.

use aftercart::model::{
    price::WHOLE,
    programme::{
        between::{Campaign, Draw},
        contests::Contest,
    },
    time::Timestamp,
};

use crate::rules::wording::number;

use super::{Told, percent};

pub(super) fn gifts(told: &Told<'_>) -> Vec<String> {
    let Some(gifts) = &told.policy.gifts else { return Vec::new() };
    let (least, most) = (number(gifts.least.into()), told.points(gifts.most.into()));
    let (per_day, per_month) =
        (told.count(gifts.per_day, ("gift", "gifts"), "次"), told.points(gifts.per_month.into()));
    let accepted = told.points(gifts.accepted_per_month.into());
    let open = told.period(gifts.open);
    let mut rules = vec![
        told.say(
            format!("You may give {least} to {most} to another member: at most {per_day} a day and {per_month} a month."),
            format!("您可以向其他会员赠送 {least} 至 {most}：每天最多 {per_day}，每月最多 {per_month}。"),
        ),
        told.say(
            format!("The other one has {open} to accept, and accepts at most {accepted} a month. What is not accepted is yours again. The points keep their end."),
            format!("对方须在 {open}内接受，每月最多接受 {accepted}。未被接受的积分退还给您。积分的有效期不变。"),
        ),
    ];
    if gifts.kept_for.seconds() > 0 {
        let period = told.period(gifts.kept_for);
        rules.push(told.say(
            format!("Points that you got as a gift are yours to spend at once, but not to give on for {period}."),
            format!("收到的积分可立即使用，但 {period}内不能转赠。"),
        ));
    }
    if gifts.member_for.seconds() > 0 {
        let period = told.period(gifts.member_for);
        rules.push(told.say(
            format!("You may give when you have been a member for {period}."),
            format!("入会满 {period}后可以赠送。"),
        ));
    }
    rules
}

pub(super) fn contests(told: &Told<'_>, now: Timestamp) -> Vec<String> {
    let open = told.policy.contests.iter().filter(|it| it.until > now);
    open.map(|it| contest(it, told)).collect()
}

fn contest(it: &Contest, told: &Told<'_>) -> String {
    let title = it.title.text(told.language);
    let (from, until) = (told.dates.moment(it.from), told.dates.moment(it.until));
    let mut words = told.say(
        format!("{title}: from {from} until {until}."),
        format!("{title}：{from} 至 {until}。"),
    );
    let named = |kind| {
        let rules = told.policy.earning.actions.iter().filter(move |rule| rule.action == kind);
        rules.map(|rule| rule.title.text(told.language).to_owned())
    };
    let purchases = it.purchases.then(|| told.say("purchases", "购物"));
    let counts: Vec<String> =
        purchases.into_iter().chain(it.actions.iter().copied().flat_map(named)).collect();
    if !counts.is_empty() {
        let counts = told.all_of(&counts);
        words.push_str(&told.say(
            format!(" Points from these count: {counts}."),
            format!("计入的积分：{counts}。"),
        ));
    }
    if let Some(size) = it.team_size {
        words.push_str(&told.say(
            format!(" Teams have up to {} members.", number(size.into())),
            format!("每队最多 {} 人。", number(size.into())),
        ));
    }
    if !it.prizes.is_empty() {
        let prizes: Vec<String> = it.prizes.iter().map(|it| number((*it).into())).collect();
        let prizes = prizes.join(told.say(", ", "、").as_str());
        words.push_str(&told.say(
            format!(" Prizes in points, from the first rank on: {prizes}."),
            format!("奖励积分（从第一名起）：{prizes}。"),
        ));
    }
    words
}

pub(super) fn campaigns(told: &Told<'_>, now: Timestamp) -> Vec<String> {
    let open = told.policy.campaigns.iter().filter(|it| it.until > now);
    open.map(|it| campaign(it, told)).collect()
}

fn campaign(it: &Campaign, told: &Told<'_>) -> String {
    let title = it.title.text(told.language);
    let (from, until) = (told.dates.moment(it.from), told.dates.moment(it.until));
    let tiers = told.bracketed(&told.tiers(&it.tiers).into_iter().collect::<Vec<_>>());
    let (draws, most) = (told.times(it.draws_per_day), told.points(it.per_member.into()));
    let pool = told.points(it.pool.into());
    let chances = chances(it, told);
    told.say(
        format!("{title}: from {from} until {until}{tiers}. You may draw {draws} a day and win up to {most}; there are {pool} for all. A draw gives {chances}."),
        format!("{title}：{from} 至 {until}{tiers}。每天可参与 {draws}，每人最多获得 {most}，总计 {pool}。每次抽取：{chances}。"),
    )
}

/// What a draw gives, each with how likely it is, rounded down.
fn chances(it: &Campaign, told: &Told<'_>) -> String {
    let all = it.draws.iter().fold(0_u64, |sum, draw| sum.saturating_add(draw.weight.into()));
    let chance = |draw: &Draw| {
        let share = u64::from(draw.weight).saturating_mul(WHOLE.into()) / all.max(1);
        let share = match u32::try_from(share).unwrap_or(WHOLE) {
            0 if draw.weight > 0 => told.say("less than 0.01%", "低于0.01%"),
            share => percent(share),
        };
        let what = match draw.points {
            0 => told.say("nothing", "未中奖"),
            points => told.points(points.into()),
        };
        told.say(format!("{what} ({share})"), format!("{what}（{share}）"))
    };
    told.one_of(&it.draws.iter().map(chance).collect::<Vec<_>>())
}

pub(super) fn stores(told: &Told<'_>) -> Vec<String> {
    let (hold, window) =
        (told.period(told.policy.till.hold), told.period(told.policy.return_window));
    vec![told.say(
        format!("In our stores, show your member code: you earn as you do here, and may pay with points. Points of what you buy there wait until {window} after the purchase. What a till holds and does not take is yours again after {hold}."),
        format!("在门店出示会员码，即可同样获得和使用积分。门店购物的积分在购买后 {window}内处于待生效状态。收银台冻结但未使用的积分在 {hold}后恢复可用。"),
    )]
}

pub(super) fn corrections(told: &Told<'_>) -> Vec<String> {
    let of = told.policy.adjustments.clone();
    let (most, a_day) = (told.points(of.alone_up_to.into()), told.points(of.alone_per_day.into()));
    vec![told.say(
        format!(
            "When our team corrects your points, you see it among the movements. A correction of more than {most}, and whatever one person corrects beyond {a_day} a day, needs the consent of a second person."
        ),
        format!(
            "客服调整积分会显示在明细中。超过 {most}的调整，以及同一人当天累计超过 {a_day}的调整，须经第二人同意。"
        ),
    )]
}
