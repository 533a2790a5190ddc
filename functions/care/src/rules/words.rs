//! The words of the pages of tickets and complaints.

use aftercart::model::{
    customer::Language,
    ticket::{Outcome, RemedyKind, TicketEvent, Topic, Writer},
};

use super::form::Fault;

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
    pub order: &'static str,
    pub request: &'static str,
    pub error_prefix: &'static str,
    pub faulty: &'static str,
    pub written: &'static str,
    pub confirmed: &'static str,
    pub open: &'static str,
    pub late: &'static str,
    pub answered_next: &'static str,
    pub waiting: (&'static str, &'static str),
    pub solved: (&'static str, &'static str),
    pub happy: (&'static str, &'static str),
    pub remedies: &'static str,
    pub said: &'static str,
    pub is_solved: &'static str,
    pub confirm: &'static str,
    pub or_write: &'static str,
    pub settled_by_itself: &'static str,
    pub write: &'static str,
    pub not_solved: &'static str,
    pub text: &'static str,
    pub hint: &'static str,
    pub send: &'static str,
    pub full: &'static str,
    pub complain: &'static str,
    pub complain_about: &'static str,
    pub topic: &'static str,
    pub choose: &'static str,
    pub what_happened: &'static str,
    pub private: &'static str,
    pub received: (&'static str, &'static str),
    pub unknown: (&'static str, &'static str),
    pub expired: (&'static str, &'static str),
    pub no_room: (&'static str, &'static str),
    pub odd: (&'static str, &'static str),
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

/// What a complaint may be about, in the order in which it is offered.
pub const TOPICS: [Topic; 10] = [
    Topic::Delivery,
    Topic::Packaging,
    Topic::Product,
    Topic::Returns,
    Topic::Payment,
    Topic::Price,
    Topic::Service,
    Topic::Site,
    Topic::Points,
    Topic::Other,
];

/// The code of a topic in forms, reports and requests.
#[must_use]
pub const fn code(topic: Topic) -> &'static str {
    match topic {
        Topic::Delivery => "delivery",
        Topic::Packaging => "packaging",
        Topic::Product => "product",
        Topic::Price => "price",
        Topic::Payment => "payment",
        Topic::Returns => "returns",
        Topic::Service => "service",
        Topic::Site => "site",
        Topic::Points => "points",
        Topic::Other => "other",
    }
}

/// What a topic is called.
#[must_use]
pub const fn topic(topic: Topic, language: Language) -> &'static str {
    let (english, chinese) = match topic {
        Topic::Delivery => ("Delivery", "配送"),
        Topic::Packaging => ("Packaging", "包装"),
        Topic::Product => ("What I bought", "商品"),
        Topic::Price => ("Price", "价格"),
        Topic::Payment => ("Payment or refund", "支付或退款"),
        Topic::Returns => ("Returning goods", "退换货"),
        Topic::Service => ("How I was treated", "客户服务"),
        Topic::Site => ("Website or app", "网站或应用"),
        Topic::Points => ("Points and membership", "积分与会员"),
        Topic::Other => ("Something else", "其他"),
    };
    pick(english, chinese, language)
}

/// What is wrong with a field; `most` is how many characters it takes.
#[must_use]
pub fn fault(fault: Fault, most: usize, language: Language) -> String {
    let (english, chinese) = match fault {
        Fault::Missing => ("Please fill this in.", "请填写此项。"),
        Fault::TooLong => {
            return match language {
                Language::En => {
                    format!("This is longer than {most} characters. Please shorten it.")
                }
                Language::Zh => format!("内容超过 {most} 个字符，请缩短。"),
            };
        }
        Fault::Unreadable => (
            "This has characters that we cannot read. Please write plain text.",
            "内容中有无法识别的字符，请填写普通文字。",
        ),
    };
    pick(english, chinese, language).to_owned()
}

/// What a topic that was not chosen is told.
#[must_use]
pub const fn topic_missing(language: Language) -> &'static str {
    pick("Please choose what it is about.", "请选择问题类型。", language)
}

/// Who wrote an entry.
#[must_use]
pub const fn writer(writer: &Writer, language: Language) -> &'static str {
    match writer {
        Writer::Customer => pick("You", "您", language),
        Writer::Operator(_) => pick("Customer service", "客服", language),
        Writer::Suite => pick("Noted", "记录", language),
    }
}

/// What happened to a ticket, as its customer reads it; nothing for what the
/// page shows elsewhere, or is the shop's own.
#[must_use]
pub fn event(event: &TicketEvent, language: Language) -> Option<String> {
    let (english, chinese) = match event {
        TicketEvent::Opened => ("Taken down", "已受理"),
        TicketEvent::Solved { .. } => ("Marked as solved", "已标记为解决"),
        TicketEvent::Closed => ("Closed, because we heard no more", "长时间未收到回复，已关闭"),
        TicketEvent::Reopened => ("Opened again", "已重新打开"),
        TicketEvent::Confirmed => ("You told us that it is solved", "您已确认问题解决"),
        TicketEvent::Judged { score } => {
            return Some(match language {
                Language::En => format!("You rated how we solved it: {score} of 5"),
                Language::Zh => format!("您对处理结果的评分：{score}/5"),
            });
        }
        TicketEvent::Remedied { .. }
        | TicketEvent::Assigned { .. }
        | TicketEvent::Prioritised { .. }
        | TicketEvent::Reminded
        | TicketEvent::Escalated { .. }
        | TicketEvent::Explained { .. } => return None,
    };
    Some(pick(english, chinese, language).to_owned())
}

/// What is done for a customer.
#[must_use]
pub fn remedy(kind: &RemedyKind, language: Language) -> String {
    let (english, chinese) = match kind {
        RemedyKind::Points { points } => {
            return match language {
                Language::En => format!("{points} points for you"),
                Language::Zh => format!("赠送您 {points} 积分"),
            };
        }
        RemedyKind::Coupon { .. } => ("A voucher for you", "赠送您一张优惠券"),
        RemedyKind::Refund { .. } => ("Money back", "退款"),
        RemedyKind::Reship { .. } => ("Your goods once more", "补发商品"),
        RemedyKind::CallBack { .. } => ("We call you", "我们会致电给您"),
    };
    pick(english, chinese, language).to_owned()
}

/// What became of a remedy.
#[must_use]
pub const fn outcome(outcome: &Outcome, language: Language) -> &'static str {
    match outcome {
        Outcome::Asked => pick("under way", "处理中", language),
        Outcome::Done { .. } => pick("done", "已完成", language),
        Outcome::Refused { .. } => {
            pick("did not work, we see to it", "未能完成，我们正在跟进", language)
        }
    }
}

/// By when a customer hears from the shop.
#[must_use]
pub fn answer_by(moment: &str, language: Language) -> String {
    match language {
        Language::En => format!("You hear from us by {moment}."),
        Language::Zh => format!("我们会在 {moment} 前回复您。"),
    }
}

/// That earlier entries are not shown.
#[must_use]
pub fn earlier(count: usize, language: Language) -> String {
    match language {
        Language::En => format!("{count} earlier messages are not shown."),
        Language::Zh => format!("更早的 {count} 条消息未显示。"),
    }
}

/// Where times are.
#[must_use]
pub fn times_are(zone: &str, language: Language) -> String {
    match language {
        Language::En => format!("All times are {zone}."),
        Language::Zh => format!("所有时间均为{zone}。"),
    }
}

const fn pick(english: &'static str, chinese: &'static str, language: Language) -> &'static str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

static ENGLISH: Ui = Ui {
    code: "en",
    tag: "en",
    name: "English",
    language: "Language",
    page: "Customer service",
    order: "Order",
    request: "Request",
    error_prefix: "Error: ",
    faulty: "Nothing was sent yet. Please look at what is marked below.",
    written: "Thank you. We have your message.",
    confirmed: "Thank you for telling us. We are glad that it is solved.",
    open: "We are seeing to it",
    late: "You should have heard from us by now. We are sorry, and see to it first.",
    answered_next: "We have written to you, and go on until it is solved.",
    waiting: ("We have a question for you", "Please read what we wrote, and answer below."),
    solved: (
        "We think that this is solved",
        "Please tell us whether it is. If not, we go on at once.",
    ),
    happy: ("This is solved", "You told us so. If something comes up again, write to us here."),
    remedies: "What we do for you",
    said: "What was said",
    is_solved: "Is it solved?",
    confirm: "Yes, it is solved",
    or_write: "If it is not, tell us below what is missing.",
    settled_by_itself: "It is solved, thank you",
    write: "Write to us",
    not_solved: "Not solved yet?",
    text: "Your message",
    hint: "Please leave out card numbers and passwords.",
    send: "Send",
    full: "There are too many messages here to go on in writing. Please call us, and name the \
           request below.",
    complain: "Tell us what went wrong",
    complain_about: "A person reads it, and answers to the e-mail address of your order.",
    topic: "What is it about?",
    choose: "Please choose",
    what_happened: "What happened?",
    private: "Whoever has this link can see this page, so please keep it to yourself.",
    received: (
        "Thank you. We have it.",
        "A person sees to it now, and writes to the e-mail address of your order.",
    ),
    unknown: (
        "This link does not work",
        "It may have been cut off. Please open it from our message again, or copy the whole link \
         into the address bar.",
    ),
    expired: (
        "This link has expired",
        "Such links end after some time. Sign in to the shop to write to us, or answer our last \
         message.",
    ),
    no_room: (
        "Please call us",
        "There are too many messages about this to go on in writing, so what you just wrote was \
         not sent. Please name your order when you call.",
    ),
    odd: (
        "This did not work",
        "What your browser sent could not be read, and nothing was sent to us. Please open the \
         page from our message again, and send it from there.",
    ),
    unavailable: (
        "One moment, please",
        "Something does not work here right now. Nothing was sent; please try again in a few \
         minutes.",
    ),
};

static CHINESE: Ui = Ui {
    code: "zh",
    tag: "zh-Hans",
    name: "中文",
    language: "语言",
    page: "客户服务",
    order: "订单",
    request: "工单",
    error_prefix: "有误：",
    faulty: "内容尚未提交，请检查下面标出的地方。",
    written: "感谢您，我们已收到您的留言。",
    confirmed: "感谢您的反馈，很高兴问题已经解决。",
    open: "我们正在处理",
    late: "我们本应已经回复您，非常抱歉，我们会优先处理。",
    answered_next: "我们已回复您，并会持续跟进直至问题解决。",
    waiting: ("我们需要向您确认一些信息", "请查看我们的留言，并在下方回复。"),
    solved: ("我们认为问题已解决", "请告诉我们是否真的解决了。如果没有，我们会马上继续处理。"),
    happy: ("问题已解决", "感谢您的确认。如有其他问题，可随时在此留言。"),
    remedies: "我们为您做的",
    said: "沟通记录",
    is_solved: "问题解决了吗？",
    confirm: "是的，已经解决",
    or_write: "如果还没有，请在下方告诉我们还缺什么。",
    settled_by_itself: "问题已解决，谢谢",
    write: "给我们留言",
    not_solved: "还没有解决？",
    text: "留言内容",
    hint: "请不要填写银行卡号和密码。",
    send: "提交",
    full: "此处留言已达上限，请致电我们，并告知下方的工单编号。",
    complain: "请告诉我们遇到了什么问题",
    complain_about: "我们会有专人阅读，并回复到您下单时使用的邮箱。",
    topic: "问题类型",
    choose: "请选择",
    what_happened: "发生了什么？",
    private: "持有此链接的人都能查看本页，请勿转发给他人。",
    received: ("感谢您，我们已收到。", "专人正在处理，并会回复到您下单时使用的邮箱。"),
    unknown: (
        "此链接无法打开",
        "链接可能不完整。请从我们的消息中重新打开，或将完整的链接复制到浏览器的地址栏中。",
    ),
    expired: (
        "此链接已过期",
        "链接在一段时间后会失效。请登录商店给我们留言，或回复我们最近的消息。",
    ),
    no_room: (
        "请致电我们",
        "有关此问题的留言已达上限，您刚才填写的内容没有提交。致电时请告知您的订单编号。",
    ),
    odd: (
        "提交未成功",
        "无法读取浏览器发送的内容，没有提交任何信息。请从我们的消息中重新打开页面后再提交。",
    ),
    unavailable: ("请稍候", "页面暂时无法使用，内容尚未提交，请过几分钟再试。"),
};

#[cfg(test)]
mod tests {
    use aftercart::model::{text::Text, ticket::CauseCode};

    use super::*;

    #[test]
    fn everything_has_words_in_both_languages_and_topics_their_codes() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let both = |of: &dyn Fn(Language) -> String| {
            assert!(!han(&of(Language::En)) && han(&of(Language::Zh)), "{}", of(Language::En));
        };
        for about in TOPICS {
            both(&|language| topic(about, language).to_owned());
            assert_eq!(serde_json::to_value(about).unwrap(), code(about));
        }
        for wrong in [Fault::Missing, Fault::TooLong, Fault::Unreadable] {
            both(&|language| fault(wrong, 2_000, language));
        }
        for by in [Writer::Customer, Writer::Operator(Text::new("a").unwrap()), Writer::Suite] {
            both(&|language| writer(&by, language).to_owned());
        }
        for of in [
            TicketEvent::Opened,
            TicketEvent::Solved { cause: CauseCode::parse("other").unwrap() },
            TicketEvent::Closed,
            TicketEvent::Reopened,
            TicketEvent::Confirmed,
            TicketEvent::Judged { score: 4 },
        ] {
            both(&|language| event(&of, language).unwrap());
        }
        both(&|language| remedy(&RemedyKind::CallBack { phone: None }, language));
        both(&|language| outcome(&Outcome::Asked, language).to_owned());
    }
}
