//! The words of the page on which somebody chooses what to be contacted for.

use aftercart::model::{contact::Purpose, customer::Language, time::TimeOfDay};

/// The words of one language.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts below say what they are")]
pub struct Words {
    pub language: Language,
    /// Its tag in HTML (BCP 47).
    pub tag: &'static str,
    /// Its own name.
    pub name: &'static str,
    pub switch: &'static str,
    pub page: &'static str,
    pub title: &'static str,
    pub intro: &'static str,
    pub saved: &'static str,
    pub save: &'static str,
    pub stop_all: &'static str,
    pub always: &'static str,
    pub unknown: (&'static str, &'static str),
    pub unavailable: (&'static str, &'static str),
    pub stopped_all: (&'static str, &'static str),
}

/// The words of a language.
#[must_use]
pub const fn of(language: Language) -> &'static Words {
    match language {
        Language::En => &ENGLISH,
        Language::Zh => &CHINESE,
    }
}

impl Words {
    /// The words of the language that a page offers besides its own.
    #[must_use]
    pub const fn other(&self) -> &'static Self {
        match self.language {
            Language::En => &CHINESE,
            Language::Zh => &ENGLISH,
        }
    }

    /// What a purpose is called, and what it is.
    #[must_use]
    pub const fn purpose(&self, purpose: Purpose) -> (&'static str, &'static str) {
        match (purpose, self.language) {
            (Purpose::Surveys, Language::En) => {
                ("Surveys", "Now and then a short question about how it went.")
            }
            (Purpose::Surveys, Language::Zh) => ("问卷", "偶尔请您用一分钟谈谈购物体验。"),
            (Purpose::Carts, Language::En) => {
                ("Cart reminders", "A reminder of what you left in your cart.")
            }
            (Purpose::Carts, Language::Zh) => ("购物车提醒", "提醒您购物车中还有未下单的商品。"),
            (Purpose::Programme, Language::En) => {
                ("Points and tiers", "Points that end soon, a new tier, something you won.")
            }
            (Purpose::Programme, Language::Zh) => {
                ("积分与等级", "积分即将到期、等级变化和获奖通知。")
            }
            (Purpose::Marketing, Language::En) => {
                ("Offers and news", "What is new in the shop, and what is on offer.")
            }
            (Purpose::Marketing, Language::Zh) => ("优惠与新品", "新品上架和促销活动。"),
        }
    }

    /// Whether somebody wants to go on with what a message was of.
    #[must_use]
    pub fn stop_title(&self, purpose: Purpose) -> String {
        let (title, _) = self.purpose(purpose);
        match self.language {
            Language::En => format!("No more “{title}”?"),
            Language::Zh => format!("不再接收“{title}”？"),
        }
    }

    /// The button that stops a purpose.
    #[must_use]
    pub fn stop(&self, purpose: Purpose) -> String {
        let (title, _) = self.purpose(purpose);
        match self.language {
            Language::En => format!("Stop “{title}”"),
            Language::Zh => format!("停止“{title}”"),
        }
    }

    /// What is said once a purpose is stopped with one click.
    #[must_use]
    pub fn stopped(&self, purpose: Purpose) -> (String, String) {
        let (title, _) = self.purpose(purpose);
        match self.language {
            Language::En => (
                format!("“{title}” has stopped"),
                "You get no more of these. The link in any of our messages lets you change that."
                    .to_owned(),
            ),
            Language::Zh => (
                format!("已停止“{title}”"),
                "您不会再收到此类消息。如需更改，请打开我们任意一封邮件中的链接。".to_owned(),
            ),
        }
    }

    /// When nobody is written to.
    #[must_use]
    pub fn quiet(&self, from: TimeOfDay, until: TimeOfDay, zone: &str) -> String {
        match self.language {
            Language::En => format!("We do not write between {from} and {until} ({zone})."),
            Language::Zh => format!("我们不会在 {from} 至 {until}（{zone}）之间打扰您。"),
        }
    }
}

static ENGLISH: Words = Words {
    language: Language::En,
    tag: "en",
    name: "English",
    switch: "Language",
    page: "Messages from us",
    title: "What may we write to you about?",
    intro: "Tick what you want, then save. You can come back and change it at any time.",
    saved: "Saved. This is how it is from now on.",
    save: "Save",
    stop_all: "Stop all of these",
    always: "We always write about your orders, parcels, refunds and questions to us.",
    unknown: (
        "This link opens nothing",
        "Please open the link in one of our messages once more, and make sure that it is whole.",
    ),
    unavailable: (
        "Something does not work here",
        "Nothing was changed. Please try again in a few minutes.",
    ),
    stopped_all: (
        "All of this has stopped",
        "We still write about your orders, parcels, refunds and questions to us. The link in any \
         of our messages lets you change that.",
    ),
};

static CHINESE: Words = Words {
    language: Language::Zh,
    tag: "zh-Hans",
    name: "中文",
    switch: "语言",
    page: "消息设置",
    title: "您希望收到哪些消息？",
    intro: "勾选想要接收的消息，然后保存。您可以随时回来更改。",
    saved: "已保存，即刻生效。",
    save: "保存",
    stop_all: "全部停止",
    always: "有关订单、包裹、退款和客服回复的通知始终会发送给您。",
    unknown: ("链接无效", "请重新打开邮件中的链接，并确认链接完整。"),
    unavailable: ("暂时无法使用", "没有做任何更改，请过几分钟再试。"),
    stopped_all: (
        "已全部停止",
        "有关订单、包裹、退款和客服回复的通知仍会发送。如需更改，请打开我们任意一封邮件中的链接。",
    ),
};
