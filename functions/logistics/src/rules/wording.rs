//! What happens next, in plain words: one table, by status.

use aftercart::model::{customer::Language, order::OrderStatus, shipment::ParcelStatus};

/// English, Chinese.
type Words = (&'static str, &'static str);

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

/// What happens next with a parcel.
#[must_use]
pub fn of_parcel(status: ParcelStatus, language: Language) -> &'static str {
    spoken(parcel(status), language)
}

fn spoken((english, chinese): Words, language: Language) -> &'static str {
    match language {
        Language::En => english,
        Language::Zh => chinese,
    }
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
        ParcelStatus::InTransit => ("The parcel is on its way to you.", "包裹正在运往您的途中。"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_in_its_language() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for status in OrderStatus::ALL {
            assert!(!han(of_order(status, Language::En)), "{status}");
            assert!(han(of_order(status, Language::Zh)), "{status}");
        }
        for status in [ParcelStatus::Pending, ParcelStatus::Delivered, ParcelStatus::Expired] {
            assert!(!han(of_parcel(status, Language::En)), "{status:?}");
            assert!(han(of_parcel(status, Language::Zh)), "{status:?}");
        }
    }
}
