//! The words of the pages, in every language of the shop.

use aftercart::model::customer::Language;

/// A title and what it means.
pub type TitleAndText = (&'static str, &'static str);

/// The words of one language.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts below say what they are")]
pub struct Words {
    /// Its code in links.
    pub code: &'static str,
    /// Its tag in HTML (BCP 47).
    pub tag: &'static str,
    /// Its own name.
    pub name: &'static str,
    pub error_prefix: &'static str,
    pub title: &'static str,
    pub intro: &'static str,
    pub question: &'static str,
    pub lowest: &'static str,
    pub highest: &'static str,
    pub comment: &'static str,
    pub comment_hint: &'static str,
    pub submit: &'static str,
    pub once: &'static str,
    pub faulty: &'static str,
    pub score_fault: &'static str,
    pub comment_too_long: &'static str,
    pub comment_unreadable: &'static str,
    pub thanks: TitleAndText,
    pub answered: TitleAndText,
    pub closed: TitleAndText,
    pub unknown: TitleAndText,
    pub unavailable: TitleAndText,
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

static ENGLISH: Words = Words {
    code: "en",
    tag: "en",
    name: "English",
    error_prefix: "Error: ",
    title: "How did we do?",
    intro: "Your order has arrived. We have one question; it takes less than a minute.",
    question: "How likely are you to recommend our shop to a friend or colleague?",
    lowest: "0 = not at all likely",
    highest: "10 = extremely likely",
    comment: "What is the main reason for your score? (optional)",
    comment_hint: "Up to 1,000 characters. Please leave out card numbers, passwords and the like.",
    submit: "Send my answer",
    once: "You can answer once; your answer cannot be changed afterwards.",
    faulty: "Your answer was not sent yet. Please look at what is marked below.",
    score_fault: "Please choose a number from 0 to 10.",
    comment_too_long: "The comment is too long. Please shorten it to 1,000 characters.",
    comment_unreadable: "The comment has characters that we cannot read. Please write plain text.",
    thanks: (
        "Thank you!",
        "We have your answer. It helps us to do better. You can close this page now.",
    ),
    answered: (
        "You have answered already",
        "Each invitation takes one answer, and yours is recorded. Thank you! \
         Nothing was changed.",
    ),
    closed: (
        "This survey is closed",
        "It no longer takes answers. Thank you for wanting to tell us!",
    ),
    unknown: (
        "This link does not work",
        "It may have been cut off. Please open it from the e-mail again, or copy the whole link \
         into the address bar.",
    ),
    unavailable: (
        "One moment, please",
        "Something does not work here right now. Please try again in a few minutes; an answer is \
         never recorded twice.",
    ),
};

static CHINESE: Words = Words {
    code: "zh",
    tag: "zh-Hans",
    name: "中文",
    error_prefix: "有误：",
    title: "您对我们满意吗？",
    intro: "您的订单已送达。我们只有一个问题，不到一分钟即可完成。",
    question: "您有多大可能向朋友或同事推荐我们的商店？",
    lowest: "0 = 完全不可能",
    highest: "10 = 非常可能",
    comment: "您打出这个分数的主要原因是什么？（选填）",
    comment_hint: "最多 1000 个字符。请勿填写银行卡号、密码等私密信息。",
    submit: "提交回答",
    once: "每份邀请只能回答一次，提交后无法修改。",
    faulty: "您的回答尚未提交，请检查下面标出的内容。",
    score_fault: "请选择 0 到 10 之间的一个分数。",
    comment_too_long: "内容过长，请缩短到 1000 个字符以内。",
    comment_unreadable: "内容中有无法识别的字符，请填写普通文字。",
    thanks: ("感谢您的反馈！", "我们已收到您的回答，这将帮助我们做得更好。您现在可以关闭此页面。"),
    answered: (
        "您已经回答过了",
        "每份邀请只能回答一次，您之前的回答已经保存，未作任何更改。感谢您！",
    ),
    closed: ("本次调查已结束", "此调查不再接受回答。感谢您愿意告诉我们您的想法！"),
    unknown: (
        "此链接无法打开",
        "链接可能不完整。请从邮件中重新打开，或将完整的链接复制到浏览器的地址栏中。",
    ),
    unavailable: ("请稍候", "页面暂时无法打开，请过几分钟再试。同一份回答不会被重复记录。"),
};
