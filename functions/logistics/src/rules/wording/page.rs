//! The words of the tracking page besides those of parcels.

use aftercart::model::customer::Language;

use crate::rules::form::{Fault, Field};

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
    pub error_prefix: &'static str,
    pub faulty: &'static str,
    pub thanks: &'static str,
    pub expected: &'static str,
    pub promised: &'static str,
    pub arrived: &'static str,
    pub steps: &'static str,
    pub way: &'static str,
    pub paid: &'static str,
    pub packed: &'static str,
    pub packing: &'static str,
    pub under_way: &'static str,
    pub out: &'static str,
    pub ready: &'static str,
    pub attempted: &'static str,
    pub there: &'static str,
    pub collected: &'static str,
    pub going_back: &'static str,
    pub with_shop: &'static str,
    pub registered: &'static str,
    pub return_there: &'static str,
    pub your_return: &'static str,
    pub more_parcels: &'static str,
    pub each_below: &'static str,
    pub contents: &'static str,
    pub tracking_number: &'static str,
    pub ask: &'static str,
    pub remedy: &'static str,
    pub seen_to: &'static str,
    pub another_choice: &'static str,
    pub optional: &'static str,
    pub complain: &'static str,
    pub private: &'static str,
    pub unknown: (&'static str, &'static str),
    pub expired: (&'static str, &'static str),
    pub settled: (&'static str, &'static str),
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

/// What a field is called.
#[must_use]
pub const fn field(field: Field, language: Language) -> &'static str {
    let (english, chinese) = match field {
        Field::Line1 => ("Street and number", "街道和门牌号"),
        Field::Line2 => ("Flat, building, care of", "楼栋、单元、代收人"),
        Field::City => ("Town or city", "城市"),
        Field::Region => ("State, province or county", "省份或州"),
        Field::PostalCode => ("Postal code", "邮政编码"),
        Field::Phone => ("Telephone, for the courier", "联系电话（供快递员使用）"),
        Field::Day => ("Day", "日期"),
        Field::Note => ("Anything that we should know?", "还有什么需要告诉我们的吗？"),
    };
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// What is wrong with a field.
#[must_use]
pub fn fault(fault: Fault, field: Field, language: Language) -> String {
    let most = field.most();
    match (fault, language) {
        (Fault::Missing, Language::En) => "Please fill this in.".to_owned(),
        (Fault::Missing, Language::Zh) => "请填写此项。".to_owned(),
        (Fault::TooLong, Language::En) => {
            format!("This was longer than {most} characters and was cut. Please look at it again.")
        }
        (Fault::TooLong, Language::Zh) => {
            format!("内容超过 {most} 个字符，已截断，请检查。")
        }
        (Fault::Unreadable, Language::En) => {
            "This has characters that we cannot read. Please write plain text.".to_owned()
        }
        (Fault::Unreadable, Language::Zh) => "内容中有无法识别的字符，请填写普通文字。".to_owned(),
        (Fault::Day, Language::En) => {
            "Please choose a day from tomorrow on, within two weeks.".to_owned()
        }
        (Fault::Day, Language::Zh) => "请选择从明天起两周内的日期。".to_owned(),
    }
}

/// How many of an order's parcels are there.
#[must_use]
pub fn parcels_there(there: usize, all: usize, language: Language) -> String {
    match (there, language) {
        (0, Language::En) => format!("Your order comes in {all} parcels"),
        (0, Language::Zh) => format!("您的订单分为 {all} 个包裹"),
        (there, Language::En) if there == all => format!("All {all} parcels are delivered"),
        (there, Language::Zh) if there == all => format!("全部 {all} 个包裹均已签收"),
        (_, Language::En) => format!("{there} of {all} parcels delivered"),
        (_, Language::Zh) => format!("{all} 个包裹中已签收 {there} 个"),
    }
}

/// One of several parcels.
#[must_use]
pub fn parcel_of(number: usize, all: usize, language: Language) -> String {
    match language {
        Language::En => format!("Parcel {number} of {all}"),
        Language::Zh => format!("包裹 {number}/{all}"),
    }
}

/// The list of scans.
#[must_use]
pub fn all_scans(scans: u32, language: Language) -> String {
    match language {
        Language::En => format!("Tracking history ({scans})"),
        Language::Zh => format!("物流轨迹（{scans} 条）"),
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

/// What was given for an alert.
#[must_use]
pub fn points_given(points: u32, language: Language) -> String {
    match language {
        Language::En => format!("We have given you {points} points for this."),
        Language::Zh => format!("我们已为此向您赠送 {points} 积分。"),
    }
}

/// That a voucher was given for an alert.
#[must_use]
pub const fn voucher_given(language: Language) -> &'static str {
    match language {
        Language::En => "We have put a voucher into your account for this.",
        Language::Zh => "我们已为此向您的账户发放一张优惠券。",
    }
}

/// By when somebody sees to an alert.
#[must_use]
pub fn seen_to_by(moment: &str, language: Language) -> String {
    match language {
        Language::En => format!("Our team sees to it by {moment}."),
        Language::Zh => format!("我们的团队会在 {moment} 前处理。"),
    }
}

/// What the buyer chose.
#[must_use]
pub fn chosen(choice: &str, moment: &str, language: Language) -> String {
    match language {
        Language::En => format!("You chose: {choice} ({moment}). We have it, and see to it."),
        Language::Zh => format!("您的选择：{choice}（{moment}）。我们已收到，正在处理。"),
    }
}

/// By when it was promised.
#[must_use]
pub fn promised_by(day: &str, language: Language) -> String {
    match language {
        Language::En => format!("Promised by {day}."),
        Language::Zh => format!("承诺送达日期：{day}。"),
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

/// Where the parcels go.
#[must_use]
pub fn going_to(city: &str, country: &str, language: Language) -> String {
    match language {
        Language::En => format!("Going to {city}, {country}."),
        Language::Zh => format!("送往 {city}，{country}。"),
    }
}

static ENGLISH: Ui = Ui {
    code: "en",
    tag: "en",
    name: "English",
    language: "Language",
    page: "Order tracking",
    order: "Order",
    error_prefix: "Error: ",
    faulty: "Your choice was not sent yet. Please look at what is marked below.",
    thanks: "Thank you. We have your choice, and write to you when it is done.",
    expected: "Expected",
    promised: "Promised by",
    arrived: "Arrived",
    steps: "How far the parcel is",
    way: "The steps so far, latest first",
    paid: "Order paid",
    packed: "Packed",
    packing: "Being packed",
    under_way: "On its way",
    out: "Out for delivery",
    ready: "Ready to collect",
    attempted: "Attempt failed",
    there: "Delivered",
    collected: "Collected",
    going_back: "Going back",
    with_shop: "With the shop",
    registered: "Registered",
    return_there: "Arrived",
    your_return: "Your return",
    more_parcels: "More parcels",
    each_below: "See below where each of them is.",
    contents: "In this parcel",
    tracking_number: "Tracking number",
    ask: "What shall we do for you?",
    remedy: "How we make up for it",
    seen_to: "We are seeing to it",
    another_choice: "You may still choose something else.",
    optional: "(optional)",
    complain: "Something is wrong? Tell us.",
    private: "Whoever has this link can see this page, so please keep it to yourself.",
    unknown: (
        "This link does not work",
        "It may have been cut off. Please open it from our message again, or copy the whole link \
         into the address bar.",
    ),
    expired: (
        "This link has expired",
        "Tracking links end some time after the order. Sign in to the shop to see your order, or \
         ask us for a new link.",
    ),
    settled: (
        "This is settled already",
        "Something has changed meanwhile, and there is nothing left to choose. Open the page \
         again to see where your parcel is.",
    ),
    unavailable: (
        "One moment, please",
        "Something does not work here right now. Please try again in a few minutes; your parcel \
         goes on all the same.",
    ),
};

static CHINESE: Ui = Ui {
    code: "zh",
    tag: "zh-Hans",
    name: "中文",
    language: "语言",
    page: "物流查询",
    order: "订单",
    error_prefix: "有误：",
    faulty: "您的选择尚未提交，请检查下面标出的内容。",
    thanks: "感谢您！我们已收到您的选择，处理完成后会通知您。",
    expected: "预计送达",
    promised: "承诺送达",
    arrived: "送达时间",
    steps: "包裹进度",
    way: "已完成的步骤，最新的在前",
    paid: "订单已付款",
    packed: "已打包",
    packing: "打包中",
    under_way: "运输中",
    out: "派送中",
    ready: "待取件",
    attempted: "投递未成功",
    there: "已签收",
    collected: "已取件",
    going_back: "退回途中",
    with_shop: "已退回",
    registered: "已登记",
    return_there: "已送达",
    your_return: "您的退货",
    more_parcels: "其他包裹",
    each_below: "每个包裹的进度如下。",
    contents: "包裹内容",
    tracking_number: "运单号",
    ask: "您希望我们如何处理？",
    remedy: "我们的补偿",
    seen_to: "我们正在跟进",
    another_choice: "您仍可更改选择。",
    optional: "（选填）",
    complain: "遇到问题？请告诉我们",
    private: "持有此链接的人都能查看本页，请勿转发给他人。",
    unknown: (
        "此链接无法打开",
        "链接可能不完整。请从我们的消息中重新打开，或将完整的链接复制到浏览器的地址栏中。",
    ),
    expired: (
        "此链接已过期",
        "物流查询链接在一段时间后会失效。请登录商店查看订单，或联系我们获取新的链接。",
    ),
    settled: (
        "此事已处理完毕",
        "情况已有变化，目前没有需要选择的事项。请重新打开页面查看包裹进度。",
    ),
    unavailable: ("请稍候", "页面暂时无法打开，请过几分钟再试。您的包裹不受影响。"),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_faults_have_words_in_both_languages() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for of in Field::ALL {
            assert!(!han(field(of, Language::En)) && han(field(of, Language::Zh)), "{of:?}");
            for wrong in [Fault::Missing, Fault::TooLong, Fault::Unreadable, Fault::Day] {
                assert!(!han(&fault(wrong, of, Language::En)), "{wrong:?}");
                assert!(han(&fault(wrong, of, Language::Zh)), "{wrong:?}");
            }
        }
    }
}
