//! The words of surveys, in every language of the shop.

use aftercart::model::{
    customer::Language,
    survey::{Kind, Occasion, Question},
};

/// So many questions are answered within a minute: some ten seconds each.
const QUICK: usize = 5;

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
    pub language: &'static str,
    pub page: &'static str,
    pub error_prefix: &'static str,
    pub optional: &'static str,
    pub comment_hint: &'static str,
    pub like: &'static str,
    pub dislike: &'static str,
    pub no_opinion: &'static str,
    pub tapped: &'static str,
    pub submit: &'static str,
    pub once: &'static str,
    pub correct: &'static str,
    pub correct_submit: &'static str,
    pub faulty: &'static str,
    pub missing: &'static str,
    pub choice: &'static str,
    pub too_long: &'static str,
    pub unreadable: &'static str,
    pub your_answer: &'static str,
    pub in_touch: &'static str,
    pub complain: &'static str,
    pub thanks: TitleAndText,
    pub answered: TitleAndText,
    pub too_late: TitleAndText,
    pub closed: TitleAndText,
    pub unknown: TitleAndText,
    pub unreadable_page: TitleAndText,
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

/// What a question asks: in the merchant's words, or else in ours for its kind
/// and the occasion. An invitation asks the first question so.
#[must_use]
pub fn ask(question: &Question, occasion: Occasion, language: Language) -> &str {
    let ours = || match language {
        Language::En => english(&question.kind, occasion),
        Language::Zh => chinese(&question.kind, occasion),
    };
    question.ask.as_ref().map_or_else(ours, |wording| wording.text(language))
}

/// The title of a survey, and why its reader is asked.
#[must_use]
pub const fn title(occasion: Occasion, language: Language) -> TitleAndText {
    match language {
        Language::En => match occasion {
            Occasion::Delivery => ("How did we do?", "Your order has arrived."),
            Occasion::Return => ("How was your return?", "Your return is done."),
            Occasion::Solved => ("Is it solved?", "We have worked on your request."),
            Occasion::Checkout => ("How was ordering?", "Thank you for your order."),
            Occasion::Relationship => ("How are we doing?", "You have shopped with us."),
            Occasion::Tier => ("How do you like our programme?", "You have a new level."),
            Occasion::Product => ("How do you like it?", "You have had your order for a while."),
        },
        Language::Zh => match occasion {
            Occasion::Delivery => ("您对我们满意吗？", "您的订单已送达。"),
            Occasion::Return => ("退货还顺利吗？", "您的退货已处理完成。"),
            Occasion::Solved => ("问题解决了吗？", "我们已经处理了您的问题。"),
            Occasion::Checkout => ("下单还顺利吗？", "感谢您的订购。"),
            Occasion::Relationship => ("您觉得我们怎么样？", "感谢您一直以来的光顾。"),
            Occasion::Tier => ("您喜欢我们的会员计划吗？", "您的会员等级有了变化。"),
            Occasion::Product => ("您喜欢买到的商品吗？", "您的订单已经送达一段时间了。"),
        },
    }
}

/// What the ends of a scale mean: of the lowest and the highest score.
#[must_use]
pub const fn ends(kind: &Kind, language: Language) -> TitleAndText {
    match (language, kind) {
        (Language::En, Kind::Nps) => ("0 = not at all likely", "10 = extremely likely"),
        (Language::En, Kind::Ces) => ("1 = very difficult", "7 = very easy"),
        (Language::En, Kind::Stars) => ("1 = poor", "5 = excellent"),
        (Language::En, _) => ("1 = very dissatisfied", "5 = very satisfied"),
        (Language::Zh, Kind::Nps) => ("0 = 完全不可能", "10 = 非常可能"),
        (Language::Zh, Kind::Ces) => ("1 = 非常困难", "7 = 非常容易"),
        (Language::Zh, Kind::Stars) => ("1 = 很差", "5 = 非常好"),
        (Language::Zh, _) => ("1 = 非常不满意", "5 = 非常满意"),
    }
}

/// That a number of a scale has to be chosen.
#[must_use]
pub fn scale_fault(from: u8, to: u8, language: Language) -> String {
    match language {
        Language::En => format!("Please choose a number from {from} to {to}."),
        Language::Zh => format!("请选择 {from} 到 {to} 之间的一个分数。"),
    }
}

/// How many choices may be taken.
#[must_use]
pub fn at_most(most: u16, language: Language) -> String {
    match language {
        Language::En => format!("Choose up to {most}."),
        Language::Zh => format!("最多可选 {most} 项。"),
    }
}

/// How many questions there are at most, and how long that takes; a sentence
/// after another one.
#[must_use]
pub fn how_long(questions: usize, language: Language) -> String {
    match (language, questions) {
        (Language::En, 1) => " One question, less than a minute.".to_owned(),
        (Language::En, n @ ..=QUICK) => {
            format!(" {n} short questions at most, less than a minute.")
        }
        (Language::En, n) => format!(" {n} short questions at most, about two minutes."),
        (Language::Zh, 1) => "只有一个问题，不到一分钟即可完成。".to_owned(),
        (Language::Zh, n @ ..=QUICK) => format!("最多 {n} 个简短的问题，不到一分钟即可完成。"),
        (Language::Zh, n) => format!("最多 {n} 个简短的问题，大约两分钟。"),
    }
}

/// The points for an answer: those that were added, or the most that may be.
#[must_use]
pub fn points(points: i64, granted: bool, language: Language) -> String {
    match (language, granted) {
        (Language::En, true) => format!("{points} points were added to your account."),
        (Language::En, false) => format!(
            "Your answer earns up to {points} points. They will be in your account in a few minutes."
        ),
        (Language::Zh, true) => format!("{points} 积分已存入您的账户。"),
        (Language::Zh, false) => {
            format!("您的回答最多可获得 {points} 积分，几分钟内即可到账。")
        }
    }
}

const fn english(kind: &Kind, occasion: Occasion) -> &'static str {
    match (kind, occasion) {
        (Kind::Nps, _) => "How likely are you to recommend our shop to a friend or colleague?",
        (Kind::Csat, Occasion::Delivery) => "How satisfied are you with the delivery?",
        (Kind::Csat, Occasion::Return) => "How satisfied are you with how we handled your return?",
        (Kind::Csat, Occasion::Solved) => "How satisfied are you with how we helped you?",
        (Kind::Csat, Occasion::Checkout) => "How satisfied are you with ordering in our shop?",
        (Kind::Csat, Occasion::Relationship) => "How satisfied are you with our shop?",
        (Kind::Csat, Occasion::Tier) => "How satisfied are you with our membership programme?",
        (Kind::Csat, Occasion::Product) => "How satisfied are you with what you bought?",
        (Kind::Ces, Occasion::Delivery) => "How easy was it to receive your order?",
        (Kind::Ces, Occasion::Return) => "How easy was it to return your goods?",
        (Kind::Ces, Occasion::Solved) => "How easy was it to get your problem solved?",
        (Kind::Ces, Occasion::Checkout) => "How easy was it to place your order?",
        (Kind::Ces, Occasion::Relationship) => "How easy is it to shop with us?",
        (Kind::Ces, Occasion::Tier) => "How easy is it to use your benefits?",
        (Kind::Ces, Occasion::Product) => "How easy was it to start using what you bought?",
        (Kind::Stars, Occasion::Delivery) => "How many stars do you give the delivery?",
        (Kind::Stars, Occasion::Return) => "How many stars do you give our handling of the return?",
        (Kind::Stars, Occasion::Solved) => "How many stars do you give our service?",
        (Kind::Stars, Occasion::Checkout) => "How many stars do you give our checkout?",
        (Kind::Stars, Occasion::Relationship) => "How many stars do you give our shop?",
        (Kind::Stars, Occasion::Tier) => "How many stars do you give our membership programme?",
        (Kind::Stars, Occasion::Product) => "How many stars do you give what you bought?",
        (Kind::Single { .. }, _) => "Which of these fits best?",
        (Kind::Multiple { .. }, _) => "Which of these fit?",
        (Kind::Text, _) => "What is the main reason for your answer?",
        (Kind::Products, _) => "Which products do you like, and which not?",
    }
}

const fn chinese(kind: &Kind, occasion: Occasion) -> &'static str {
    match (kind, occasion) {
        (Kind::Nps, _) => "您有多大可能向朋友或同事推荐我们的商店？",
        (Kind::Csat, Occasion::Delivery) => "您对这次配送满意吗？",
        (Kind::Csat, Occasion::Return) => "您对我们的退货处理满意吗？",
        (Kind::Csat, Occasion::Solved) => "您对我们的处理结果满意吗？",
        (Kind::Csat, Occasion::Checkout) => "您对在本店下单的过程满意吗？",
        (Kind::Csat, Occasion::Relationship) => "您对我们的商店满意吗？",
        (Kind::Csat, Occasion::Tier) => "您对我们的会员计划满意吗？",
        (Kind::Csat, Occasion::Product) => "您对购买的商品满意吗？",
        (Kind::Ces, Occasion::Delivery) => "收到这份订单的过程容易吗？",
        (Kind::Ces, Occasion::Return) => "退货的过程容易吗？",
        (Kind::Ces, Occasion::Solved) => "解决问题的过程容易吗？",
        (Kind::Ces, Occasion::Checkout) => "下单的过程容易吗？",
        (Kind::Ces, Occasion::Relationship) => "在我们这里购物容易吗？",
        (Kind::Ces, Occasion::Tier) => "使用会员权益容易吗？",
        (Kind::Ces, Occasion::Product) => "开始使用购买的商品容易吗？",
        (Kind::Stars, Occasion::Delivery) => "您给这次配送打几颗星？",
        (Kind::Stars, Occasion::Return) => "您给我们的退货处理打几颗星？",
        (Kind::Stars, Occasion::Solved) => "您给我们的服务打几颗星？",
        (Kind::Stars, Occasion::Checkout) => "您给下单的过程打几颗星？",
        (Kind::Stars, Occasion::Relationship) => "您给我们的商店打几颗星？",
        (Kind::Stars, Occasion::Tier) => "您给我们的会员计划打几颗星？",
        (Kind::Stars, Occasion::Product) => "您给购买的商品打几颗星？",
        (Kind::Single { .. }, _) => "以下哪一项最符合？",
        (Kind::Multiple { .. }, _) => "以下哪些符合？",
        (Kind::Text, _) => "您这样回答的主要原因是什么？",
        (Kind::Products, _) => "您喜欢哪些商品，不喜欢哪些？",
    }
}

static ENGLISH: Words = Words {
    code: "en",
    tag: "en",
    name: "English",
    language: "Language",
    page: "Your opinion",
    error_prefix: "Error: ",
    optional: "(optional)",
    comment_hint: "Up to 1,000 characters. Please leave out card numbers, passwords and the like.",
    like: "Like",
    dislike: "Dislike",
    no_opinion: "Neither",
    tapped: "We have filled in what you chose in the message. It is not sent yet: please press the \
             button below.",
    submit: "Send my answer",
    once: "You can still change your answer for a day.",
    correct: "Look at my answer, or change it",
    correct_submit: "Change my answer",
    faulty: "Your answer was not sent yet. Please look at what is marked below.",
    missing: "Please answer this question.",
    choice: "Please choose from what is offered.",
    too_long: "The text is too long. Please shorten it to 1,000 characters.",
    unreadable: "The text has characters that we cannot read. Please write plain text.",
    your_answer: "Your answer",
    complain: "Something else is wrong with the order",
    in_touch: "We are sorry that it was not good. Somebody of our team looks at your answer and \
               will be in touch with you.",
    thanks: ("Thank you!", "We have your answer. It helps us to do better."),
    answered: (
        "You have answered already",
        "Your answer is recorded. Nothing was changed by what you have just sent.",
    ),
    too_late: (
        "The answer can no longer be changed",
        "An answer can be changed for a day, a few times. Yours is recorded as it was. Thank you!",
    ),
    closed: (
        "This survey is closed",
        "It no longer takes answers. Thank you for wanting to tell us!",
    ),
    unknown: (
        "This link does not work",
        "It may have been cut off. Please open it from the message again, or copy the whole link \
         into the address bar.",
    ),
    unreadable_page: (
        "This could not be read",
        "Nothing was recorded. Please open the survey again, from here or from the message.",
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
    language: "语言",
    page: "您的意见",
    error_prefix: "有误：",
    optional: "（选填）",
    comment_hint: "最多 1000 个字符。请勿填写银行卡号、密码等私密信息。",
    like: "喜欢",
    dislike: "不喜欢",
    no_opinion: "不评价",
    tapped: "我们已填入您在消息中选择的答案，但尚未提交。请点击下方的按钮提交。",
    submit: "提交回答",
    once: "提交后一天之内可以修改您的回答。",
    correct: "查看或修改我的回答",
    correct_submit: "修改回答",
    faulty: "您的回答尚未提交，请检查下面标出的内容。",
    missing: "请回答这个问题。",
    choice: "请从所列选项中选择。",
    too_long: "内容过长，请缩短到 1000 个字符以内。",
    unreadable: "内容中有无法识别的字符，请填写普通文字。",
    your_answer: "您的回答",
    complain: "订单还有其他问题",
    in_touch: "很抱歉没能让您满意。我们的同事会查看您的回答，并与您联系。",
    thanks: ("感谢您的反馈！", "我们已收到您的回答，这将帮助我们做得更好。"),
    answered: ("您已经回答过了", "您之前的回答已经保存，刚才提交的内容未作任何更改。"),
    too_late: ("回答已无法修改", "回答只能在一天之内修改几次。您之前的回答保持不变，感谢您！"),
    closed: ("本次调查已结束", "此调查不再接受回答。感谢您愿意告诉我们您的想法！"),
    unknown: (
        "此链接无法打开",
        "链接可能不完整。请从消息中重新打开，或将完整的链接复制到浏览器的地址栏中。",
    ),
    unreadable_page: (
        "无法读取提交的内容",
        "刚才提交的内容没有保存。请从这里或消息中重新打开问卷。",
    ),
    unavailable: ("请稍候", "页面暂时无法打开，请过几分钟再试。同一份回答不会被重复记录。"),
};
