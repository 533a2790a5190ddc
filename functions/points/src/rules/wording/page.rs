//! The words of the page of a member's points.

use aftercart::model::customer::Language;

use super::points;

/// The words of one language.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts below say what they are")]
pub struct Ui {
    /// Its code in links.
    pub code: &'static str,
    /// Its tag in HTML (BCP 47).
    pub tag: &'static str,
    /// Its own name.
    pub name: &'static str,
    pub language: &'static str,
    pub page: &'static str,
    pub waiting: &'static str,
    pub held: &'static str,
    pub owed: &'static str,
    pub ends: &'static str,
    pub ending: &'static str,
    pub later: &'static str,
    pub benefits: &'static str,
    pub rewards: &'static str,
    pub movements: &'static str,
    pub nothing_yet: &'static str,
    pub earlier: &'static str,
    pub rules: &'static str,
    pub private: &'static str,
    pub unknown: (&'static str, &'static str),
    pub expired: (&'static str, &'static str),
    pub unavailable: (&'static str, &'static str),
}

/// The words of a language.
#[must_use]
pub const fn of(language: Language) -> &'static Ui {
    match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    }
}

/// The words of the language that a page offers besides its own.
#[must_use]
pub const fn other(language: Language) -> &'static Ui {
    match language {
        Language::En => &CHINESE,
        Language::Zh => &ENGLISH,
    }
}

/// How many points there are to spend.
#[must_use]
pub fn to_spend(count: i64, language: Language) -> String {
    let points = points(count, language);
    match language {
        Language::En => format!("{points} to spend"),
        Language::Zh => format!("可用 {points}"),
    }
}

/// Which points end first.
#[must_use]
pub fn next_end(count: i64, day: &str, language: Language) -> String {
    let points = points(count, language);
    match language {
        Language::En => format!("Next: {points}, to be spent by the end of {day}."),
        Language::Zh => format!("最近到期：{points}，请在 {day}结束前使用。"),
    }
}

/// How many points are missing for something.
#[must_use]
pub fn missing(count: i64, language: Language) -> String {
    let points = points(count, language);
    match language {
        Language::En => format!("{points} to go"),
        Language::Zh => format!("还差 {points}"),
    }
}

/// Which tier the member has.
#[must_use]
pub fn your_tier(tier: Option<&str>, language: Language) -> String {
    match (tier, language) {
        (Some(tier), Language::En) => format!("Your tier: {tier}"),
        (Some(tier), Language::Zh) => format!("会员等级：{tier}"),
        (None, Language::En) => "Your way to the first tier".to_owned(),
        (None, Language::Zh) => "您的升级进度".to_owned(),
    }
}

/// What is missing for the next tier.
#[must_use]
pub fn to_reach(missing: &str, tier: &str, language: Language) -> String {
    match language {
        Language::En => format!("To reach {tier}: {missing}."),
        Language::Zh => format!("升级至{tier}：{missing}。"),
    }
}

/// What is missing to keep a tier.
#[must_use]
pub fn to_keep(missing: &str, tier: &str, language: Language) -> String {
    match language {
        Language::En => format!("To keep {tier}: {missing}."),
        Language::Zh => format!("保持{tier}：{missing}。"),
    }
}

/// The offer that helps to keep a tier.
#[must_use]
pub fn rescue(extra: &str, until: &str, language: Language) -> String {
    match language {
        Language::En => format!("To help you, your purchases count {extra} more until {until}."),
        Language::Zh => format!("为帮助您保级，{until}前购物计入等级的部分增加 {extra}。"),
    }
}

/// The line of the customer service.
#[must_use]
pub fn service(line: &str, language: Language) -> String {
    match language {
        Language::En => format!("Your service line: {line}"),
        Language::Zh => format!("专属客服热线：{line}"),
    }
}

/// What of a list is not shown.
#[must_use]
pub fn and_more(more: usize, language: Language) -> String {
    match language {
        Language::En => format!("and {more} more"),
        Language::Zh => format!("以及另外 {more} 项"),
    }
}

/// What a rule gave.
#[must_use]
pub fn gave(title: &str, points: &str, language: Language) -> String {
    match language {
        Language::En => format!("{title}: {points}"),
        Language::Zh => format!("{title}：{points}"),
    }
}

/// How many of the points of a purchase wait, and until when, if that is known.
#[must_use]
pub fn waits(count: i64, until: Option<&str>, language: Language) -> String {
    let points = points(count, language);
    match (until, language) {
        (Some(until), Language::En) => format!("{points} yours to spend on {until}"),
        (Some(until), Language::Zh) => format!("{points}于 {until}可用"),
        (None, Language::En) => {
            format!("{points} yours to spend when the return window after delivery has ended")
        }
        (None, Language::Zh) => format!("{points}于签收后退货期结束时可用"),
    }
}

/// How many of the points of a movement repaid what was owed.
#[must_use]
pub fn repaid(count: i64, language: Language) -> String {
    let points = points(count, language);
    match language {
        Language::En => format!("{points} repaid what you owed"),
        Language::Zh => format!("{points}用于抵还待抵扣积分"),
    }
}

/// How many of the points of a movement are owed.
#[must_use]
pub fn owes(count: i64, language: Language) -> String {
    let points = points(count, language);
    match language {
        Language::En => format!("{points} are owed: they were spent already"),
        Language::Zh => format!("{points}已被使用，记为待抵扣积分"),
    }
}

/// Where days end.
#[must_use]
pub fn times_are(zone: &str, language: Language) -> String {
    match language {
        Language::En => format!("All times are {zone}."),
        Language::Zh => format!("所有时间均为{zone}。"),
    }
}

static ENGLISH: Ui = Ui {
    code: "en",
    tag: "en",
    name: "English",
    language: "Language",
    page: "Your points",
    waiting: "Waiting",
    held: "Held",
    owed: "Owed",
    ends: "When they end",
    ending: "About to end",
    later: "Later",
    benefits: "What it gives you",
    rewards: "What you can get",
    movements: "Movements",
    nothing_yet: "Nothing yet. Your points appear here as soon as an order is paid.",
    earlier: "Earlier movements",
    rules: "The rules",
    private: "Whoever has this link sees this page. It gives no access to your account.",
    unknown: (
        "This link does not work",
        "Please copy the whole link, or open your points in the shop to get a new one.",
    ),
    expired: ("This link has expired", "Open your points in the shop to get a new one."),
    unavailable: (
        "We cannot show this right now",
        "Something on our side does not work for the moment. Please try again in a minute.",
    ),
};

static CHINESE: Ui = Ui {
    code: "zh",
    tag: "zh-Hans",
    name: "中文",
    language: "语言",
    page: "我的积分",
    waiting: "待生效",
    held: "冻结中",
    owed: "待抵扣积分",
    ends: "到期时间",
    ending: "即将到期",
    later: "更晚",
    benefits: "您的权益",
    rewards: "可兑换",
    movements: "积分明细",
    nothing_yet: "暂无明细。订单付款后，积分会显示在这里。",
    earlier: "更早的明细",
    rules: "积分规则",
    private: "拥有此链接的人可以查看本页，但无法访问您的账户。",
    unknown: ("此链接无法打开", "请复制完整链接，或在商店中打开您的积分以获取新链接。"),
    expired: ("此链接已过期", "请在商店中打开您的积分以获取新链接。"),
    unavailable: ("暂时无法显示", "我们的系统暂时出现问题，请稍后再试。"),
};
