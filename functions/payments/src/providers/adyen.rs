//! Adyen: checkout sessions, paid in the page with Adyen's own form.
//!
//! | the secret's | holds |
//! |---|---|
//! | `webhook_secrets` | the HMAC keys of the standard webhook, in hexadecimal, both while one is replaced |
//! | `api_keys` | the API key of the web service user |
//! | `account.merchant_account` | the merchant account |
//! | `account.capture` | `manual` if the merchant account captures by hand; it captures by itself otherwise |
//! | `account.country` | the country whose methods are offered (ISO 3166), which Klarna needs |
//! | `account.api_url` | live: `https://<prefix>-checkout-live.adyenpayments.com/checkout`; nothing in the test environment |
//!
//! In the Customer Area the standard webhook is set up for JSON with an HMAC
//! key, the dispute webhooks with the dispute's reference. Amounts have the
//! decimals of [`amount`].
//!
//! | event | `success` | kind | part |
//! |---|---|---|---|
//! | `AUTHORISATION` | true | succeeded; authorised where captures are by hand | |
//! | `AUTHORISATION` | false | failed, with `reason` | |
//! | `PENDING` | true | processing | |
//! | `CAPTURE` | true | captured; nothing where captures go by themselves | the capture |
//! | `CAPTURE`, `CAPTURE_FAILED` | false, true | capture failed | the capture |
//! | `CANCELLATION`, `TECHNICAL_CANCEL` | true | cancelled | |
//! | `CANCEL_OR_REFUND` | true | by `modification.action` cancelled or refunded | the refund |
//! | `REFUND` | true | refunded | the refund |
//! | `REFUND`; `REFUND_FAILED`, `REFUNDED_REVERSED` | false; true | refund failed | the refund |
//! | `EXPIRE`, `OFFER_CLOSED` | true | expired | |
//! | `REQUEST_FOR_INFORMATION`, `NOTIFICATION_OF_CHARGEBACK`, `CHARGEBACK`, `PREARBITRATION_OPEN`, `PREARBITRATION_DECLINED`, `SCHEME_ARBITRATION` | true | disputed | the dispute |
//! | `CHARGEBACK_REVERSED`, `PREARBITRATION_WON`, `PREARBITRATION_ISSUER_WITHDRAWN`, `SCHEME_ARBITRATION_WON`, `ISSUER_RESPONSE_TIMEFRAME_EXPIRED` | true | dispute won | the dispute |
//! | `SECOND_CHARGEBACK`, `PREARBITRATION_LOST`, `PREARBITRATION_ACCEPTED`, `SCHEME_ARBITRATION_LOST`, `DISPUTE_DEFENSE_PERIOD_ENDED` | true | dispute lost | the dispute |
//!
//! (<https://docs.adyen.com/development-resources/webhooks/webhook-types>,
//! <https://docs.adyen.com/risk-management/disputes-api/dispute-notifications>)
//!
//! What an item is about is told by its `merchantReference`, which is signed:
//! the attempt's identity. That of a modification is the `reference` of the
//! call that made it, or the payment's when that had none; so a refund is
//! asked with `<attempt>.<refund>`, which names both, and a capture with the
//! attempt. A refund made by hand has the attempt's, and its own `pspReference` is its
//! part. Metadata and everything else in `additionalData` is not signed, and
//! nothing is taken from there but which of both a `CANCEL_OR_REFUND` was.
//!
//! An item has no identity of its own: `pspReference`, `eventCode` and
//! `success` tell it from all others, as Adyen says of duplicates.
//!
//! The Checkout API answers no question about the status of a payment:
//! `GET /sessions/{id}` needs the `sessionResult` that only the buyer's page is
//! given, and refunds are told by webhooks alone. These come again for 30 days.

pub mod amount;
mod api;
mod notice;

use aftercart::{
    model::{
        money::Money,
        payment::{Flow, Method, PaymentEvent},
        signature::SignatureError,
    },
    run::{Failure, http::Response},
};

use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, in_currency,
};
use crate::wire::NextAction;

/// What it wants to hear
/// (<https://docs.adyen.com/development-resources/webhooks/handle-webhook-events>).
const ACCEPTED: &str = "[accepted]";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Adyen;

/// A method that is paid in Adyen's form, in the page.
const fn embedded(
    method: Method,
    currencies: &'static [&'static str],
    instalments: &'static [u8],
    refund_days: u16,
) -> Capability {
    Capability {
        method,
        flows: &[Flow::Embedded],
        currencies,
        instalments,
        pay_later: matches!(method, Method::Klarna),
        refund_days,
        partial_refunds: true,
    }
}

/// The currencies in which Adyen takes Chinese wallets
/// (<https://docs.adyen.com/payment-methods/alipay>, `wechat-pay`).
const CHINESE: &[&str] = &["AUD", "CAD", "CNY", "EUR", "GBP", "HKD", "JPY", "NZD", "SGD", "USD"];

/// What it can do. Instalments of cards are for [`api::INSTALMENT_CURRENCIES`].
const CAPABILITIES: [Capability; 6] = [
    embedded(Method::Card, &[], &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 365),
    embedded(
        Method::Klarna,
        &[
            "AUD", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "NOK", "NZD", "PLN", "RON", "SEK",
            "USD",
        ],
        &[],
        180,
    ),
    embedded(Method::Ideal, &["EUR"], &[], 365),
    embedded(Method::Alipay, CHINESE, &[], 90),
    embedded(Method::WechatPay, CHINESE, &[], 365),
    embedded(Method::Unionpay, &[], &[], 365),
];

impl PaymentProvider for Adyen {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    /// Sessions have to name it, wherever the form is shown.
    fn needs_return(&self, _: Flow) -> bool {
        true
    }

    fn takes(&self, method: Method, amount: Money) -> Result<(), CallError> {
        in_currency("Adyen", &CAPABILITIES, method, amount)?;
        let taken = amount::to_adyen(amount).map(drop);
        taken.map_err(|error| CallError::Amount(error.to_string()))
    }

    /// Each item is signed for itself, over eight of its values
    /// (<https://docs.adyen.com/development-resources/webhooks/verify-hmac-signatures>):
    /// HMAC-SHA256 with a key in hexadecimal, the result in base 64. No time is
    /// signed, and nothing is escaped. One item that is not signed is enough
    /// to refuse the call.
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        notice::verify(call)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        notice::read(call)
    }

    fn acknowledge(&self) -> Result<Response, Failure> {
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            content_type: "text/plain",
            body: ACCEPTED.to_owned(),
        })
    }

    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        api::start(asking, answers)
    }

    fn answers_queries(&self) -> bool {
        false
    }

    fn capture(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        api::capture(payment, answers)
    }

    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        api::refund(giving, answers)
    }

    fn refund_status(
        &self,
        _: &GivingBack<'_>,
        _: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        Err(CallError::Unsupported)
    }

    fn query(&self, _: &Known<'_>, _: &[Answer]) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        Err(CallError::Unsupported)
    }
}

#[cfg(test)]
mod tests {
    use aftercart::model::money::Currency;

    use super::*;

    #[test]
    fn each_method_has_its_currencies() {
        let money = |code: &str| Money::new(2500, Currency::parse(code).unwrap()).unwrap();
        for (method, code, taken) in [
            (Method::Card, "GBP", true),
            (Method::Card, "KWD", true),
            (Method::Card, "CLF", false),
            (Method::Unionpay, "CNY", true),
            (Method::Klarna, "SEK", true),
            (Method::Klarna, "JPY", false),
            (Method::Ideal, "GBP", false),
            (Method::Alipay, "CNY", true),
            (Method::WechatPay, "BRL", false),
        ] {
            assert_eq!(Adyen.takes(method, money(code)).is_ok(), taken, "{method} {code}");
        }
        assert_eq!(Adyen.takes(Method::Paypal, money("GBP")), Err(CallError::Unsupported));
    }

    #[test]
    fn the_acknowledgement_is_adyens_byte_for_byte() {
        let answer = Adyen.acknowledge().unwrap();
        assert_eq!((answer.status, answer.body.as_bytes()), (200, &b"[accepted]"[..]));
    }
}
