//! What buyers read of their parcels, in every language of the shop: one table
//! for each thing that there are words for.

use aftercart::model::{
    alert::{AlertKind, Choice},
    customer::Language,
    order::OrderStatus,
    shipment::{Doubt, ParcelStatus, Reason},
};

use super::promise::{Certainty, Standing};

pub mod page;

/// English, Chinese.
type Words = (&'static str, &'static str);

fn spoken((english, chinese): Words, language: Language) -> &'static str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
}

/// What happens next with an order whose parcels have nothing to tell yet.
#[must_use]
pub fn of_order(status: OrderStatus, language: Language) -> &'static str {
    let words = match status {
        OrderStatus::Placed => (
            "The order is not paid yet. We send it as soon as it is.",
            "订单尚未付款。付款完成后我们会立即安排发货。",
        ),
        OrderStatus::Paid => {
            ("The order is paid. We are preparing its parcel.", "订单已付款，我们正在为您备货。")
        }
        OrderStatus::Cancelled => {
            ("The order was cancelled. Nothing is sent.", "订单已取消，不会发货。")
        }
        OrderStatus::Expired => (
            "The order was not paid in time and has ended. Nothing is sent.",
            "订单未在规定时间内付款，已自动关闭，不会发货。",
        ),
    };
    spoken(words, language)
}

/// Where an order stands whose parcels have nothing to tell yet, in a few words.
#[must_use]
pub fn order_headline(status: OrderStatus, language: Language) -> &'static str {
    let words = match status {
        OrderStatus::Placed => ("Waiting for payment", "等待付款"),
        OrderStatus::Paid => ("We are preparing your order", "正在为您备货"),
        OrderStatus::Cancelled => ("Order cancelled", "订单已取消"),
        OrderStatus::Expired => ("Order closed", "订单已关闭"),
    };
    spoken(words, language)
}

/// What happens next with a paid order that waits for a person.
#[must_use]
pub fn of_stopped(language: Language) -> &'static str {
    let words = (
        "The order is paid. We are checking it before it leaves.",
        "订单已付款，发货前我们正在核对订单信息。",
    );
    spoken(words, language)
}

/// What happens next with a parcel to the buyer.
#[must_use]
pub fn of_parcel(status: ParcelStatus, language: Language) -> &'static str {
    spoken(parcel(status), language)
}

/// A parcel that has its label and of which the carrier has told nothing: as a
/// headline, and what happens next.
#[must_use]
pub fn labelled(language: Language) -> (&'static str, &'static str) {
    let headline = ("Packed and labelled", "已打包并贴好面单");
    let next = (
        "The parcel is ready for the carrier, which has not reported it yet.",
        "包裹已备妥待发，承运商尚未更新物流信息。",
    );
    (spoken(headline, language), spoken(next, language))
}

/// A parcel that was out for delivery on an earlier day: as a headline, and
/// what is known.
#[must_use]
pub fn was_out(day: &str, language: Language) -> (String, String) {
    let headline = spoken(("Not delivered yet", "尚未送达"), language).to_owned();
    let known = match language {
        Language::En => format!(
            "The parcel was with the courier on {day}. The carrier has not reported since whether \
             it was handed over."
        ),
        Language::Zh => format!("包裹曾于 {day} 派送，承运商尚未反馈投递结果。"),
    };
    (headline, known)
}

/// What happens next with a parcel that a shop no longer sends.
#[must_use]
pub fn of_cancelled(replaced: bool, language: Language) -> &'static str {
    let words = if replaced {
        ("We send the goods in another parcel.", "我们已改用另一个包裹发货。")
    } else {
        ("This parcel is not sent.", "该包裹不再发出。")
    };
    spoken(words, language)
}

fn parcel(status: ParcelStatus) -> Words {
    match status {
        ParcelStatus::Pending => (
            "We are packing the parcel. You see its way here once the carrier reports it.",
            "我们正在打包您的包裹。承运商更新后，您可以在此查看物流进度。",
        ),
        ParcelStatus::Unknown => (
            "The carrier reported something that we cannot read. Its own page may tell more.",
            "承运商发来了我们暂时无法识别的信息，您可在承运商官网查看详情。",
        ),
        ParcelStatus::InfoReceived => (
            "The carrier knows of the parcel and picks it up next.",
            "承运商已收到包裹信息，即将揽收。",
        ),
        ParcelStatus::PickedUp => {
            ("The carrier has the parcel and brings it on its way.", "承运商已揽收包裹，即将发出。")
        }
        ParcelStatus::InTransit => (
            "The carrier brings it near you; from there a courier takes it to your door.",
            "包裹正发往您附近的站点，随后由快递员派送。",
        ),
        ParcelStatus::OnHold => (
            "The carrier holds the parcel for the moment. It goes on when that is cleared.",
            "包裹暂时被承运商滞留，问题解决后将继续运送。",
        ),
        ParcelStatus::Exception => (
            "Something went wrong on the way. Please contact the shop if it does not move on.",
            "运输途中出现异常，如长时间未更新，请联系商家。",
        ),
        ParcelStatus::OutForDelivery => {
            ("The parcel is with the courier and comes today.", "包裹正在派送，预计今天送达。")
        }
        ParcelStatus::AttemptFailed => (
            "The courier could not hand the parcel over and will try again or leave a notice.",
            "快递员未能成功投递，将再次派送或留下通知。",
        ),
        ParcelStatus::ReadyForPickup => (
            "The parcel waits for you. Please fetch it from the pick-up point.",
            "包裹已到达取件点，请您前往领取。",
        ),
        ParcelStatus::Returning => (
            "The parcel is on its way back to the shop. Please contact the shop about it.",
            "包裹正在退回商家途中，如有疑问请联系商家。",
        ),
        ParcelStatus::Delivered => {
            ("The parcel was delivered. Enjoy it.", "包裹已签收，祝您使用愉快。")
        }
        ParcelStatus::Returned => (
            "The parcel is back with the shop. Please contact the shop about what comes next.",
            "包裹已退回商家，后续事宜请联系商家。",
        ),
        ParcelStatus::Cancelled => (
            "The carrier was told not to carry this parcel. Please contact the shop about it.",
            "该包裹的运送已取消，请联系商家。",
        ),
        ParcelStatus::Expired => (
            "The carrier has stopped reporting this parcel. Please contact the shop about it.",
            "承运商已停止更新该包裹的信息，请联系商家。",
        ),
    }
}

/// What happens next with goods that the buyer sends back.
#[must_use]
pub fn of_return(status: ParcelStatus, language: Language) -> &'static str {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, InTransit, InfoReceived, OnHold,
        OutForDelivery, Pending, PickedUp, ReadyForPickup, Returned, Returning, Unknown,
    };
    let words = match status {
        Pending | InfoReceived => (
            "Please put the return label on the parcel and hand it to the carrier.",
            "请贴好退货面单，并将包裹交给承运商。",
        ),
        PickedUp | InTransit | OutForDelivery | Unknown | ReadyForPickup => (
            "We check the goods when they arrive, and write to you about the refund.",
            "退货送达后我们会验收，并通知您退款进度。",
        ),
        Delivered | Returned => {
            ("We have the goods and are checking them.", "我们已收到退货，正在验收。")
        }
        OnHold | Exception | AttemptFailed | Returning | Expired => (
            "Something holds the parcel up. Please contact the shop if it does not move on.",
            "退货运输遇到问题，如长时间未更新，请联系商家。",
        ),
        Cancelled => (
            "The carrier does not carry this parcel. Please contact the shop about it.",
            "承运商已取消该退货的运送，请联系商家。",
        ),
    };
    spoken(words, language)
}

/// Where a parcel to the buyer is, as a headline.
#[must_use]
pub fn headline(status: ParcelStatus, language: Language) -> &'static str {
    let words = match status {
        ParcelStatus::Pending => ("We are preparing your parcel", "正在为您备货"),
        ParcelStatus::Unknown => ("An update that we cannot read yet", "收到一条待确认的更新"),
        ParcelStatus::InfoReceived => {
            ("Packed and waiting for the carrier", "已打包，等待承运商揽收")
        }
        ParcelStatus::PickedUp => ("The carrier has your parcel", "承运商已揽收包裹"),
        ParcelStatus::InTransit => ("On its way to you", "包裹正在路上"),
        ParcelStatus::OnHold => ("Held for the moment", "包裹暂时滞留"),
        ParcelStatus::Exception => ("Something went wrong on the way", "运输途中出现异常"),
        ParcelStatus::OutForDelivery => ("Out for delivery", "包裹正在派送"),
        ParcelStatus::AttemptFailed => ("The courier could not deliver it", "本次投递未成功"),
        ParcelStatus::ReadyForPickup => ("Ready for you to collect", "包裹已到取件点"),
        ParcelStatus::Returning => ("On its way back to the shop", "包裹正在退回商家"),
        ParcelStatus::Delivered => ("Delivered", "包裹已签收"),
        ParcelStatus::Returned => ("Back with the shop", "包裹已退回商家"),
        ParcelStatus::Cancelled => ("Transport cancelled", "运送已取消"),
        ParcelStatus::Expired => ("The carrier reports nothing more", "承运商不再更新"),
    };
    spoken(words, language)
}

/// Where goods are that the buyer sends back, as a headline.
#[must_use]
pub fn return_headline(status: ParcelStatus, language: Language) -> &'static str {
    use ParcelStatus::{
        AttemptFailed, Cancelled, Delivered, Exception, Expired, InTransit, InfoReceived, OnHold,
        OutForDelivery, Pending, PickedUp, ReadyForPickup, Returned, Returning, Unknown,
    };
    let words = match status {
        Pending | InfoReceived => ("Your return is ready to be sent", "退货已登记，待寄出"),
        Unknown => return headline(status, language),
        PickedUp | InTransit | OutForDelivery | ReadyForPickup => {
            ("Your return is on its way", "退货正在路上")
        }
        Delivered | Returned => ("Your return has arrived", "退货已送达商家"),
        OnHold | Exception | AttemptFailed | Returning | Expired => {
            ("Something holds your return up", "退货运输出现异常")
        }
        Cancelled => ("Return transport cancelled", "退货运送已取消"),
    };
    spoken(words, language)
}

/// A parcel that is no longer sent, as a headline.
#[must_use]
pub fn cancelled_headline(replaced: bool, language: Language) -> &'static str {
    let words = if replaced {
        ("Replaced by another parcel", "已由其他包裹替代")
    } else {
        ("Parcel cancelled", "包裹已取消")
    };
    spoken(words, language)
}

/// A step or a scan, in a few words.
#[must_use]
pub fn status(status: ParcelStatus, language: Language) -> &'static str {
    let words = match status {
        ParcelStatus::Pending => ("Being prepared", "备货中"),
        ParcelStatus::Unknown => ("Unclear update", "状态待确认"),
        ParcelStatus::InfoReceived => ("Announced to the carrier", "待承运商揽收"),
        ParcelStatus::PickedUp => ("Picked up by the carrier", "承运商已揽收"),
        ParcelStatus::InTransit => ("On its way", "运输中"),
        ParcelStatus::OnHold => ("On hold", "暂时滞留"),
        ParcelStatus::Exception => ("Problem on the way", "运输异常"),
        ParcelStatus::OutForDelivery => ("Out for delivery", "派送中"),
        ParcelStatus::AttemptFailed => ("Delivery attempt failed", "投递未成功"),
        ParcelStatus::ReadyForPickup => ("Ready to be collected", "待取件"),
        ParcelStatus::Returning => ("On its way back", "退回途中"),
        ParcelStatus::Delivered => ("Delivered", "已签收"),
        ParcelStatus::Returned => ("Back with the shop", "已退回商家"),
        ParcelStatus::Cancelled => ("Transport cancelled", "运送已取消"),
        ParcelStatus::Expired => ("No more updates", "不再更新"),
    };
    spoken(words, language)
}

/// Why something is wrong, in a few words.
#[must_use]
pub fn reason(reason: Reason, language: Language) -> &'static str {
    let words = match reason {
        Reason::CarrierDamaged => ("The parcel was damaged", "包裹破损"),
        Reason::CarrierLost => ("The parcel was lost", "包裹丢失"),
        Reason::CarrierDelayed => ("The carrier is behind schedule", "承运商运输延误"),
        Reason::AddressIncorrect => ("The address could not be found", "收货地址有误"),
        Reason::ConsigneeRefused => ("The parcel was refused", "收件人拒收"),
        Reason::ConsigneeAbsent => ("Nobody was there to take it", "无人签收"),
        Reason::ConsigneeRescheduled => ("Another day was agreed", "已改约派送时间"),
        Reason::CustomsHold => ("Customs are looking at it", "海关查验中"),
        Reason::CustomsDocuments => ("Customs need documents", "海关需补充资料"),
        Reason::CustomsDuties => ("Customs duties are to be paid", "需缴纳关税"),
        Reason::Weather => ("Bad weather", "天气原因"),
        Reason::Security => ("A security check", "安全检查"),
        Reason::RetailerError => ("A mistake of the shop", "商家原因"),
        Reason::Other => ("Another reason", "其他原因"),
    };
    spoken(words, language)
}

/// What is odd about the time of a step.
#[must_use]
pub fn doubt(doubt: Doubt, language: Language) -> &'static str {
    let words = match doubt {
        Doubt::Ahead => (
            "The carrier's clock was ahead; this is when it told us.",
            "承运商的时间有误，此处为收到信息的时间。",
        ),
        Doubt::BeforeLabel => (
            "The carrier's time was too early; this is when the label was made.",
            "承运商的时间过早，此处为面单生成时间。",
        ),
        Doubt::Zone => (
            "The carrier did not name its time zone; the time may be off.",
            "承运商未注明时区，时间可能有偏差。",
        ),
    };
    spoken(words, language)
}

/// What is wrong with a delivery: as a headline, and what is done about it.
#[must_use]
pub fn alert(kind: AlertKind, language: Language) -> (&'static str, &'static str) {
    let (headline, text) = alerted(kind);
    (spoken(headline, language), spoken(text, language))
}

/// The same of something with this reason: what customs want to be paid may be
/// the buyer's to pay.
#[must_use]
pub fn alert_for(
    kind: AlertKind,
    reason: Option<Reason>,
    language: Language,
) -> (&'static str, &'static str) {
    let (headline, text) = alert(kind, language);
    if (kind, reason) != (AlertKind::Customs, Some(Reason::CustomsDuties)) {
        return (headline, text);
    }
    let duties = (
        "Duties or taxes are due before customs let it go on, and you may have to pay them. We write to you about it.",
        "包裹需缴清关税或税费后才能放行，该费用可能需由您支付，我们会与您联系。",
    );
    (headline, spoken(duties, language))
}

fn alerted(kind: AlertKind) -> (Words, Words) {
    match kind {
        AlertKind::NotDispatched => (
            ("Your parcel leaves later than planned", "发货时间晚于预期"),
            (
                "It should be with the carrier by now. Our warehouse is seeing to it.",
                "包裹本应已发出，仓库正在加急处理。",
            ),
        ),
        AlertKind::NotPickedUp => (
            ("The carrier has not picked it up yet", "承运商尚未揽收"),
            (
                "Your parcel is packed and labelled. We are seeing to it that it leaves.",
                "包裹已打包完毕，我们正在催促承运商揽收。",
            ),
        ),
        AlertKind::AtRisk => (
            ("Your parcel may be late", "包裹可能延迟送达"),
            (
                "It may not arrive by the day that we promised. We are watching it.",
                "包裹可能无法在承诺日期前送达，我们正在密切关注。",
            ),
        ),
        AlertKind::Late => (
            ("Your parcel is late", "包裹已延迟"),
            (
                "It should be with you by now, and we are sorry that it is not. We are asking the carrier where it is.",
                "包裹未能在承诺日期前送达，非常抱歉。我们正在向承运商核实情况。",
            ),
        ),
        AlertKind::Silent => (
            ("No news from the carrier", "物流信息长时间未更新"),
            (
                "The carrier has reported nothing for some days. We are asking it where your parcel is.",
                "承运商已有数日未更新物流信息，我们正在核实包裹的位置。",
            ),
        ),
        AlertKind::AttemptFailed => (
            ("The courier could not deliver it", "本次投递未成功"),
            (
                "The carrier usually tries again on the next working day.",
                "承运商通常会在下一个工作日再次派送。",
            ),
        ),
        AlertKind::AddressProblem => (
            ("The carrier cannot find the address", "收货地址有误"),
            ("Your parcel waits until the address is right.", "地址更正后，包裹将继续运送。"),
        ),
        AlertKind::Refused => (
            ("The parcel was refused", "包裹被拒收"),
            (
                "Somebody at the address did not accept it. We will write to you about it.",
                "收货地址处有人拒收了包裹，我们会与您联系。",
            ),
        ),
        AlertKind::Damaged => (
            ("Your parcel was damaged", "包裹已破损"),
            (
                "The carrier reports that it was damaged on the way. We are sorry, and put it right.",
                "承运商报告包裹在运输途中破损，非常抱歉，我们会妥善处理。",
            ),
        ),
        AlertKind::Lost => (
            ("Your parcel was lost", "包裹已丢失"),
            (
                "The carrier cannot find it any more. We are sorry, and put it right.",
                "承运商已无法找到该包裹，非常抱歉，我们会妥善处理。",
            ),
        ),
        AlertKind::Returned => (
            ("Your parcel goes back to the shop", "包裹正在退回商家"),
            (
                "It could not be delivered. We will see to what comes next.",
                "包裹未能送达，我们会跟进后续处理。",
            ),
        ),
        AlertKind::Customs => (
            ("Customs hold your parcel", "包裹被海关暂扣，待处理"),
            (
                "We give customs what they need, and write to you if something is needed from you.",
                "我们正在配合海关办理手续，如需您提供资料会与您联系。",
            ),
        ),
        AlertKind::NotFetched => (
            ("Your parcel is waiting for you", "包裹正等您领取"),
            (
                "Please collect it soon: parcels that nobody collects go back.",
                "请尽快领取，逾期未取的包裹将被退回。",
            ),
        ),
    }
}

/// What a buyer may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChoiceWords {
    /// What it is called.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// What the button says.
    pub submit: &'static str,
}

/// The words of a choice.
#[must_use]
pub fn choice(choice: Choice, language: Language) -> ChoiceWords {
    let (name, about, submit): (Words, Words, Words) = match choice {
        Choice::Wait => (
            ("Wait a little longer", "再等等"),
            (
                "We keep watching the parcel, and write to you when there is news.",
                "我们会继续跟踪包裹，有进展时通知您。",
            ),
            ("I will wait", "我再等等"),
        ),
        Choice::Reship => (
            ("Send it again", "重新发货"),
            (
                "You get the same goods again and pay nothing for it. If they are sold out, we write to you.",
                "免费为您重新发送相同的商品。如已售罄，我们会与您联系。",
            ),
            ("Send it again", "重新发货"),
        ),
        Choice::Refund => (
            ("Refund me", "退款"),
            ("Your money goes back the way it came.", "款项将按原支付方式退回。"),
            ("Ask for the refund", "申请退款"),
        ),
        Choice::Address => (
            ("Correct the address", "更正地址"),
            (
                "We pass the address on to the carrier. It cannot go to another country.",
                "我们会将新地址转告承运商，无法更改国家或地区。",
            ),
            ("Send the address", "提交地址"),
        ),
        Choice::Date => (
            ("Choose another day", "改约日期"),
            (
                "We ask the carrier to come on that day. Carriers cannot always keep it.",
                "我们会请承运商在该日派送，但无法保证一定能够安排。",
            ),
            ("Ask for that day", "申请改约"),
        ),
    };
    let say = |words| spoken(words, language);
    ChoiceWords { name: say(name), about: say(about), submit: say(submit) }
}

/// How a parcel stands against its promise.
#[must_use]
pub fn standing(standing: Standing, language: Language) -> &'static str {
    let words = match standing {
        Standing::Open => ("On time", "准时"),
        Standing::AtRisk => ("May be late", "可能延迟"),
        Standing::Late => ("Late", "已延迟"),
        Standing::Kept => ("As promised", "按时送达"),
        Standing::Broken => ("Later than promised", "晚于承诺"),
    };
    spoken(words, language)
}

/// How sure it is when a parcel comes.
#[must_use]
pub fn certainty(certainty: Certainty, language: Language) -> &'static str {
    let words = match certainty {
        Certainty::Carrier => ("The carrier expects it then.", "预计日期由承运商提供。"),
        Certainty::Promise => (
            "That is our promise. The carrier has not named a day yet.",
            "这是我们承诺的时间，承运商尚未给出预计日期。",
        ),
        Certainty::Statistics => (
            "An estimate: nine of ten such parcels are there by then.",
            "根据同类包裹估算：九成会在此前送达。",
        ),
    };
    spoken(words, language)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    type Say<'a> = &'a dyn Fn(Language) -> &'static str;

    fn han(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    /// Words are there, in their language, and end as sentences do or do not.
    fn check(what: &str, sentence: bool, say: Say<'_>) {
        let (english, chinese) = (say(Language::En), say(Language::Zh));
        assert!(!english.is_empty() && !han(english), "{what}: {english}");
        assert!(han(chinese), "{what}: {chinese}");
        assert_eq!(english.ends_with('.'), sentence, "{what}: {english}");
        assert_eq!(chinese.ends_with('。'), sentence, "{what}: {chinese}");
        assert!(!chinese.contains([',', ';', '?', '!']), "{what}: {chinese}");
    }

    #[test]
    fn every_sentence_is_in_its_language() {
        for of in OrderStatus::ALL {
            check(of.as_str(), true, &|language| of_order(of, language));
            check(of.as_str(), false, &|language| order_headline(of, language));
        }
        check("stopped", true, &of_stopped);
        check("labelled", false, &|language| labelled(language).0);
        check("labelled", true, &|language| labelled(language).1);
        for replaced in [false, true] {
            check("cancelled", true, &|language| of_cancelled(replaced, language));
            check("cancelled", false, &|language| cancelled_headline(replaced, language));
        }
        for of in ParcelStatus::ALL {
            check(of.as_str(), true, &|language| of_parcel(of, language));
            check(of.as_str(), true, &|language| of_return(of, language));
            check(of.as_str(), false, &|language| headline(of, language));
            check(of.as_str(), false, &|language| return_headline(of, language));
            check(of.as_str(), false, &|language| status(of, language));
        }
        for of in Reason::ALL {
            check(of.as_str(), false, &|language| reason(of, language));
        }
        for of in [Doubt::Ahead, Doubt::BeforeLabel, Doubt::Zone] {
            check(&format!("{of:?}"), true, &|language| doubt(of, language));
        }
        for of in AlertKind::ALL {
            check(of.as_str(), false, &|language| alert(of, language).0);
            check(of.as_str(), true, &|language| alert(of, language).1);
        }
        for of in CHOICES {
            check(&format!("{of:?}"), false, &|language| choice(of, language).name);
            check(&format!("{of:?}"), true, &|language| choice(of, language).about);
            check(&format!("{of:?}"), false, &|language| choice(of, language).submit);
        }
        use Standing::{AtRisk, Broken, Kept, Late, Open};
        for of in [Open, AtRisk, Late, Kept, Broken] {
            check(&format!("{of:?}"), false, &|language| standing(of, language));
        }
        for of in [Certainty::Carrier, Certainty::Promise, Certainty::Statistics] {
            check(&format!("{of:?}"), true, &|language| certainty(of, language));
        }
    }

    #[test]
    fn customs_hold_a_parcel_and_may_want_money_from_its_buyer() {
        let words = |reason, language| alert_for(AlertKind::Customs, Some(reason), language);
        for reason in [Reason::CustomsHold, Reason::CustomsDocuments, Reason::CustomsDuties] {
            let (english, chinese) = (words(reason, Language::En), words(reason, Language::Zh));
            assert!(english.0.contains("hold") && chinese.0.contains("暂扣"), "{reason:?}");
            let duties = reason == Reason::CustomsDuties;
            assert_eq!(english.1.contains("you may have to pay"), duties, "{}", english.1);
            assert_eq!(chinese.1.contains("可能需由您支付"), duties, "{}", chinese.1);
            assert_eq!(english.1.contains("We give"), !duties);
            assert_eq!(chinese.1.contains("我们正在"), !duties);
        }
    }

    #[test]
    fn a_day_with_the_courier_is_named() {
        for language in Language::ALL {
            let (headline, known) = was_out("DAY", language);
            assert!(known.contains("DAY") && !headline.is_empty());
            assert_eq!(han(&known), language == Language::Zh);
        }
    }

    const CHOICES: [Choice; 5] =
        [Choice::Wait, Choice::Reship, Choice::Refund, Choice::Address, Choice::Date];

    #[test]
    fn no_two_statuses_read_alike() {
        for language in Language::ALL {
            let words: BTreeSet<_> =
                ParcelStatus::ALL.iter().map(|of| status(*of, language)).collect();
            assert_eq!(words.len(), ParcelStatus::ALL.len());
        }
    }
}
