//! When a provider is asked how a payment stands, and when that is over.

use aftercart::model::{
    payment::{Attempt, PaymentStatus, Provider},
    time::{Period, Timestamp},
};

use super::fold::Folded;

/// How long to wait before the next time something is asked, by how often it
/// was: a callback that was lost is made up for while the buyer still looks at
/// the page, and an attempt that nobody will ever pay costs some thirty calls.
/// The last of them goes on.
const WAITS: [Period; 7] = [
    Period::of_seconds(5 * 60),
    Period::of_seconds(10 * 60),
    Period::of_seconds(30 * 60),
    Period::of_seconds(60 * 60),
    Period::of_seconds(2 * 60 * 60),
    Period::of_seconds(6 * 60 * 60),
    Period::of_seconds(12 * 60 * 60),
];

/// When something is asked next that was asked so often.
#[must_use]
pub fn next_at(asked: u32, now: Timestamp) -> Timestamp {
    let [.., last] = WAITS;
    let position = usize::try_from(asked).unwrap_or(usize::MAX);
    now.plus(WAITS.get(position).copied().unwrap_or(last))
}

/// For how long after its start money may still come by an attempt, so long
/// that asking for it is worth a call twice a day.
///
/// - Alipay closes a trade that nobody paid after 15 days unless it is told
///   another time (`timeout_express`, of `alipay.trade.page.pay`).
/// - WeChat Pay takes no `time_expire` beyond 7 days.
/// - `PayPal` holds an authorisation for 29 days.
/// - Adyen repeats a callback for up to 30 days.
/// - Stripe's intents never expire, but the buyer's page with the client's
///   secret does not outlive its order, and the methods that take their time
///   (iDEAL, Klarna) end within days. The same holds for the pages of Alipay+
///   and `UnionPay`: a week is ample for all of them.
#[must_use]
pub fn horizon(provider: Provider) -> Period {
    match provider {
        Provider::Alipay => Period::of_days(15),
        Provider::Paypal => Period::of_days(29),
        Provider::Adyen => Period::of_days(30),
        Provider::Stripe
        | Provider::AlipayPlus
        | Provider::WechatPay
        | Provider::Unionpay
        | Provider::Sandbox => Period::of_days(7),
    }
}

/// What is to be done about an attempt that may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// Its provider is to be asked.
    Ask,
    /// The money came at this moment: nothing is to be asked any more.
    Paid(Timestamp),
    /// No money came, and none will.
    Over,
}

/// What is to be done about an attempt whose events fold so.
#[must_use]
pub fn decide(attempt: &Attempt, folded: &Folded, now: Timestamp) -> Open {
    let late = attempt.at.plus(horizon(attempt.provider)) <= now;
    if !late && is_open(folded.payment.status) {
        return Open::Ask;
    }
    folded.received_at.map_or(Open::Over, Open::Paid)
}

/// Whether the state of an attempt may still change for another reason than
/// that money goes back. A try that was declined may be made again.
fn is_open(status: PaymentStatus) -> bool {
    match status {
        PaymentStatus::Pending
        | PaymentStatus::Processing
        | PaymentStatus::Authorised
        | PaymentStatus::Failed
        | PaymentStatus::PartlyCaptured => true,
        PaymentStatus::Expired
        | PaymentStatus::Cancelled
        | PaymentStatus::Succeeded
        | PaymentStatus::Mismatched
        | PaymentStatus::PartlyRefunded
        | PaymentStatus::Refunded
        | PaymentStatus::Disputed
        | PaymentStatus::ChargebackWon
        | PaymentStatus::ChargebackLost => false,
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::{
        customer::CustomerId,
        id::{OrderId, PaymentId},
        money::{Currency, Money},
        payment::{Flow, Method, PaymentEvent, PaymentEventKind},
    };
    use proptest::prelude::*;

    use super::*;
    use crate::rules::fold::fold;

    fn money() -> Money {
        Money::new(2_500, Currency::parse("GBP").unwrap()).unwrap()
    }

    fn attempt(provider: Provider) -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider,
            method: Method::Card,
            flow: Flow::Embedded,
            amount: money(),
            settles: money(),
            instalments: None,
            payer: None,
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
            ask_at: None,
            asked: 0,
        }
    }

    fn event(kind: PaymentEventKind, seconds: i64) -> PaymentEvent {
        PaymentEvent {
            id: format!("evt_{seconds}"),
            payment: PaymentId::derive(&["1"]),
            provider: Provider::Stripe,
            kind,
            amount: money(),
            at: Timestamp::from_unix_seconds(seconds).unwrap(),
            reason: None,
            reference: None,
            part: None,
            body_digest: String::new(),
        }
    }

    fn open(events: &[PaymentEvent], now: i64) -> Open {
        let attempt = attempt(Provider::Stripe);
        let now = Timestamp::from_unix_seconds(now).unwrap();
        decide(&attempt, &fold(&attempt, events), now)
    }

    #[test]
    fn what_is_open_is_asked_until_nothing_can_come() {
        use PaymentEventKind::{Cancelled, Failed, Processing, Succeeded};
        let week = horizon(Provider::Stripe).seconds();
        let paid = Open::Paid(Timestamp::from_unix_seconds(10).unwrap());
        for (kinds, before, after) in [
            (&[][..], Open::Ask, Open::Over),
            (&[Processing], Open::Ask, Open::Over),
            (&[Failed], Open::Ask, Open::Over),
            (&[Cancelled], Open::Over, Open::Over),
            (&[Succeeded], paid, paid),
            (&[Succeeded, Failed], paid, paid),
        ] {
            let events: Vec<_> = (1..).zip(kinds).map(|(n, kind)| event(*kind, n * 10)).collect();
            assert_eq!(open(&events, week - 1), before, "{kinds:?}");
            assert_eq!(open(&events, week), after, "{kinds:?}");
        }
    }

    proptest! {
        #[test]
        fn waits_grow_and_every_horizon_is_reached(
            provider in prop::sample::select(Provider::ALL.to_vec()),
        ) {
            let end = Timestamp::EPOCH.plus(horizon(provider));
            let (mut now, mut asked, mut last) = (Timestamp::EPOCH, 0_u32, 0);
            while now < end {
                let next = next_at(asked, now);
                let waited = next.unix_seconds() - now.unix_seconds();
                prop_assert!(waited >= last && waited <= 12 * 60 * 60);
                (now, last, asked) = (next, waited, asked + 1);
            }
            prop_assert!(asked <= 70, "{asked}");
        }
    }
}
