//! The words of the page of charts, in every language of the shop.

use aftercart::model::{customer::Language, survey::Occasion};

use crate::wire::report::{IntervalView, MeasureName, ReportBy};

/// The words of one language.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts below say what they are")]
pub struct Words {
    pub code: &'static str,
    pub tag: &'static str,
    pub name: &'static str,
    pub language: &'static str,
    pub page: &'static str,
    pub survey: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub by: &'static str,
    pub nothing: &'static str,
    pub compare: &'static str,
    pub previous: &'static str,
    pub rest: &'static str,
    pub weight: &'static str,
    pub weight_hint: &'static str,
    pub show: &'static str,
    pub unread: &'static str,
    pub everybody: &'static str,
    pub no_tier: &'static str,
    pub row: &'static str,
    pub count: &'static str,
    pub value: &'static str,
    pub chart: &'static str,
    pub response: &'static str,
    pub response_lead: &'static str,
    pub uncounted: &'static str,
    pub answers: &'static str,
    pub all_same: &'static str,
    pub like: &'static str,
    pub dislike: &'static str,
    pub given: &'static str,
    pub next: &'static str,
    pub reading: [&'static str; 4],
    pub unknown: (&'static str, &'static str),
    pub expired: (&'static str, &'static str),
    pub none: (&'static str, &'static str),
    pub unavailable: (&'static str, &'static str),
}

/// The words of a language.
#[must_use]
pub const fn of(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    }
}

/// The words of the language that a page offers besides its own.
#[must_use]
pub const fn other(language: Language) -> &'static Words {
    match language {
        Language::En => &CHINESE,
        Language::Zh => &ENGLISH,
    }
}

const ENGLISH: Words = Words {
    code: "en",
    tag: "en",
    name: "English",
    language: "Language",
    page: "Survey report",
    survey: "Survey",
    from: "From",
    to: "To",
    by: "By",
    nothing: "Everybody only",
    compare: "Compare with",
    previous: "The time before",
    rest: "All others",
    weight: "Weight the tiers",
    weight_hint: "Only for everybody, or by month.",
    show: "Show",
    unread: "Something in this address could not be read. The usual report is shown.",
    everybody: "Everybody",
    no_tier: "No tier",
    row: "Group",
    count: "Answers",
    value: "Value",
    chart: "Interval",
    response: "Who answered",
    response_lead: "The share of the invitations that were answered.",
    uncounted: "invitations are not counted here",
    answers: "All answers",
    all_same: "all the same, no interval",
    like: "Like",
    dislike: "Do not like",
    given: "Wrote something",
    next: "More rows",
    reading: [
        "A dot is what was seen. With 95 % confidence, chance alone puts the true value within its \
         line. The line knows nothing of those who did not answer.",
        "Arrows mark what differs by more than chance from what it is compared with, held to as \
         many comparisons as there are on this page.",
        "A diamond is the value with each tier weighted as among those who were invited.",
        "A month is that in which the invitation was sent: of the latest ones, answers may still come.",
    ],
    unknown: ("This page does not exist", "The link may be incomplete. Ask for a new one."),
    expired: ("This link has ended", "Ask for a new link to the report."),
    none: ("There are no surveys", "Reports appear here once the shop has a survey."),
    unavailable: ("The report is not available", "Please try again in a moment."),
};

const CHINESE: Words = Words {
    code: "zh",
    tag: "zh-Hans",
    name: "中文",
    language: "语言",
    page: "调查报告",
    survey: "调查",
    from: "从",
    to: "到",
    by: "分组",
    nothing: "仅全体",
    compare: "对比",
    previous: "上一时段",
    rest: "其余各组",
    weight: "按会员等级加权",
    weight_hint: "仅适用于全体或按月分组。",
    show: "查看",
    unread: "链接中的部分内容无法识别，已显示默认报告。",
    everybody: "全体",
    no_tier: "无等级",
    row: "分组",
    count: "回答数",
    value: "数值",
    chart: "区间",
    response: "回复情况",
    response_lead: "已发出的邀请中得到回答的比例。",
    uncounted: "此组未统计邀请数",
    answers: "全部回答",
    all_same: "回答全部相同，无区间",
    like: "喜欢",
    dislike: "不喜欢",
    given: "写了评论",
    next: "更多分组",
    reading: [
        "圆点是观察值。在 95% 的置信水平下，仅由偶然因素造成的偏差不会超出横线的范围；横线不反映未回答者的意见。",
        "箭头表示与对比对象的差异超出偶然范围，已按本页的比较次数校正。",
        "菱形是按受邀者中各等级占比加权后的数值。",
        "月份指邀请发出的月份，最近几个月可能还会收到回答。",
    ],
    unknown: ("页面不存在", "链接可能不完整，请重新索取。"),
    expired: ("链接已失效", "请重新索取报告链接。"),
    none: ("还没有调查", "店铺设置调查后，报告会显示在这里。"),
    unavailable: ("暂时无法显示报告", "请稍后再试。"),
};

/// What is measured.
#[must_use]
pub const fn measure(
    measure: MeasureName,
    kind_is_seven: bool,
    language: Language,
) -> &'static str {
    match (measure, kind_is_seven, language) {
        (MeasureName::Nps, _, Language::En) => "Net Promoter Score",
        (MeasureName::Nps, _, Language::Zh) => "净推荐值（NPS）",
        (MeasureName::TopBox, true, Language::En) => "Share of 5, 6 and 7",
        (MeasureName::TopBox, true, Language::Zh) => "选择 5、6、7 的比例",
        (MeasureName::TopBox, false, Language::En) => "Share of 4 and 5",
        (MeasureName::TopBox, false, Language::Zh) => "选择 4、5 的比例",
        (MeasureName::Mean, _, Language::En) => "Mean",
        (MeasureName::Mean, _, Language::Zh) => "平均分",
    }
}

/// After what a survey is.
#[must_use]
pub const fn occasion(occasion: Occasion, language: Language) -> &'static str {
    match (occasion, language) {
        (Occasion::Delivery, Language::En) => "After delivery",
        (Occasion::Delivery, Language::Zh) => "送达之后",
        (Occasion::Return, Language::En) => "After a return",
        (Occasion::Return, Language::Zh) => "退货之后",
        (Occasion::Solved, Language::En) => "After a solved ticket",
        (Occasion::Solved, Language::Zh) => "问题解决之后",
        (Occasion::Checkout, Language::En) => "After checkout",
        (Occasion::Checkout, Language::Zh) => "下单之后",
        (Occasion::Relationship, Language::En) => "From time to time",
        (Occasion::Relationship, Language::Zh) => "定期调查",
        (Occasion::Tier, Language::En) => "After a change of tier",
        (Occasion::Tier, Language::Zh) => "等级变更之后",
        (Occasion::Product, Language::En) => "After use of a product",
        (Occasion::Product, Language::Zh) => "商品使用之后",
    }
}

/// A difference of two percentages.
#[must_use]
pub fn points(value: &str, language: Language) -> String {
    match language {
        Language::En => format!("{value} points"),
        Language::Zh => format!("{value} 个百分点"),
    }
}

/// By what rows differ.
#[must_use]
pub const fn by(by: ReportBy, language: Language) -> &'static str {
    match (by, language) {
        (ReportBy::Carrier, Language::En) => "Carrier",
        (ReportBy::Carrier, Language::Zh) => "承运商",
        (ReportBy::Lane, Language::En) => "Lane",
        (ReportBy::Lane, Language::Zh) => "线路",
        (ReportBy::Tier, Language::En) => "Tier",
        (ReportBy::Tier, Language::Zh) => "会员等级",
        (ReportBy::Sku, Language::En) => "Product",
        (ReportBy::Sku, Language::Zh) => "商品",
        (ReportBy::Month, Language::En) => "Month",
        (ReportBy::Month, Language::Zh) => "月份",
    }
}

/// Who was asked, who answered, and what that leaves unknown.
#[must_use]
pub fn summary(sent: u64, answered: u64, silent: u64, language: Language) -> String {
    match language {
        Language::En => format!(
            "{sent} invited, {answered} answered, {silent} did not: what those think is unknown."
        ),
        Language::Zh => {
            format!("共邀请 {sent} 人，{answered} 人回答，{silent} 人未回答，其看法不得而知。")
        }
    }
}

/// That a number is not shown.
#[must_use]
pub fn too_few(least: u32, language: Language) -> String {
    match language {
        Language::En => format!("too few, shown from {least}"),
        Language::Zh => format!("回答过少，满 {least} 个才显示"),
    }
}

/// What an interval is, in words.
#[must_use]
pub fn range(low: &str, high: &str, language: Language) -> String {
    match language {
        Language::En => format!("{low} to {high}"),
        Language::Zh => format!("{low} 至 {high}"),
    }
}

/// By how much something is above what it is compared with, and whether that is
/// more than chance.
#[must_use]
pub fn difference(value: &str, is_above: bool, is_significant: bool, language: Language) -> String {
    match (is_significant, is_above, language) {
        (true, true, Language::En) => format!("▲ {value}, more than chance"),
        (true, false, Language::En) => format!("▼ {value}, more than chance"),
        (true, true, Language::Zh) => format!("▲ {value}，超出偶然"),
        (true, false, Language::Zh) => format!("▼ {value}，超出偶然"),
        (false, _, Language::En) => format!("{value}, may be chance"),
        (false, _, Language::Zh) => format!("{value}，可能是偶然"),
    }
}

/// A weighted value.
#[must_use]
pub fn weighted(value: &str, effective: i64, language: Language) -> String {
    match language {
        Language::En => format!("weighted {value}, as sure as {effective} answers"),
        Language::Zh => format!("加权后 {value}，相当于 {effective} 个回答"),
    }
}

/// What a row of a chart says, for who does not see it.
#[must_use]
pub fn described(
    interval: &IntervalView,
    show: impl Fn(i64) -> String,
    language: Language,
) -> String {
    let IntervalView { value, low, high } = *interval;
    format!("{} ({})", show(value), range(&show(low), &show(high), language))
}
