//! Why a rule or a line earns nothing, or less, in words for members.

use aftercart::model::{customer::Language, points::Why};

use super::spoken;
use crate::rules::earn::Left;

/// Why a rule gave nothing, or less than it would.
#[must_use]
pub const fn of_rule(why: Why, language: Language) -> &'static str {
    let words = match why {
        Why::NoLine => {
            ("It is about other goods, members or channels.", "不适用于这些商品、会员或渠道。")
        }
        Why::NoRate => (
            "These goods have another rate, or earn nothing.",
            "这些商品适用其他积分比例，或不获得积分。",
        ),
        Why::NotYet => ("It has not begun yet.", "活动尚未开始。"),
        Why::Over => ("It has ended.", "活动已结束。"),
        Why::OtherDay => ("It holds on other days.", "仅在其他日期有效。"),
        Why::NoBirthday => ("It holds in the month of your birthday.", "仅在您的生日月有效。"),
        Why::NoAnniversary => {
            ("It holds in the month in which you joined, in later years.", "仅在入会周年月有效。")
        }
        Why::NotIdle => {
            ("It is for members who have been away for a while.", "仅限一段时间未活跃的会员。")
        }
        Why::OtherTier => ("It is for other membership levels.", "仅限其他会员等级。"),
        Why::MostExtra => ("No more comes on top of the rate.", "额外积分已达上限。"),
        Why::Capped => (
            "The most points of the period or the order is reached.",
            "已达到订单或周期的积分上限。",
        ),
        Why::DayLimit => ("It gives no more today.", "今日次数已用完。"),
        Why::MonthLimit => ("It gives no more this month.", "本月次数已用完。"),
        Why::Once => ("It gives points once, and you have them.", "仅限一次，您已获得。"),
    };
    spoken(words, language)
}

/// Why a line earns nothing.
#[must_use]
pub const fn of_line(left: Left, language: Language) -> &'static str {
    let words = match left {
        Left::Gift => ("Gifts earn no points.", "赠品不获得积分。"),
        Left::Excluded => ("These goods earn no points.", "该商品不参与积分。"),
        Left::TooLittle => (
            "Less is paid for it in money than a point asks for.",
            "以现金支付的金额不足以获得积分。",
        ),
    };
    spoken(words, language)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_its_own_words() {
        for language in Language::ALL {
            let words: BTreeSet<&str> =
                Why::ALL.iter().map(|why| of_rule(*why, language)).collect();
            assert_eq!(words.len(), Why::ALL.len());
        }
    }
}
