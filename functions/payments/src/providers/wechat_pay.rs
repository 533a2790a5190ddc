//! WeChat Pay in China, API v3, for a merchant of its own
//! (<https://pay.weixin.qq.com/doc/v3/merchant/4012081606>). Signatures and
//! decryption as in WeChat's library `wechatpay-go`
//! (`core/auth/validators`, `core/notify`, `utils/aes.go`).
//!
//! What the secret holds:
//!
//! | member | what |
//! |---|---|
//! | `webhook_secrets` | WeChat Pay's public keys and platform certificates, as PEM; all are tried, whatever the header `Wechatpay-Serial` says, because both are several while one replaces the other |
//! | `decryption_keys` | the API v3 key, 32 characters; a new one beside the old one while it is changed |
//! | `api_keys` | the private key of the merchant's API certificate, as PEM |
//! | `account.mchid` | the merchant's number |
//! | `account.serial_no` | the serial number of the merchant's API certificate |
//! | `account.appid` | the appid that payments are made under |
//! | `account.appid_mini_program`, `account.appid_app` | that of the mini programme and of the app, where they have their own |
//! | `account.description` | what the buyer reads in WeChat, if not the order's identity |
//! | `account.platform_serial` | which of WeChat's keys is to sign the answers: `PUB_KEY_ID_...` |
//!
//! A callback is signed over its time, its nonce and its body, and its content
//! is encrypted. WeChat repeats one that is not answered with 200 or 204
//! within 5 seconds after 15s, 15s, 30s, 3m, 10m, 20m, 30m, 30m, 30m, 60m, 3h,
//! 3h, 3h, 6h and 6h, each time signed anew; a refusal has to be a status 4xx
//! or 5xx, for the status counts and not the body. Now and then it sends a
//! wrong signature on purpose, which begins with `WECHATPAY/SIGNTEST/`, to see
//! it refused.
//!
//! | event | kind | amount |
//! |---|---|---|
//! | `TRANSACTION.SUCCESS` | by `trade_state`: `SUCCESS`, `REFUND` succeeded; `PAYERROR` failed; `CLOSED` expired; `REVOKED` cancelled; `USERPAYING`, `ACCEPT` processing | `amount.total`: `payer_total` is less where a coupon pays the rest |
//! | `REFUND.SUCCESS` | refunded, the part is `out_refund_no` | `amount.refund` |
//! | `REFUND.ABNORMAL`, `REFUND.CLOSED` | refund failed, with the status | `amount.refund` |
//!
//! `out_trade_no` is the attempt's identity and `out_refund_no` the refund's:
//! both fit WeChat's 32 characters of `[0-9A-Za-z_\-|*]`. A notice of another
//! merchant number or appid, or of an order number that is no attempt's, was
//! not started here. WeChat reports no failures: a buyer tries until the time
//! to pay ends, which only a query tells.

mod api;

mod notice;

use aftercart::{
    model::{
        id::PaymentId,
        money::Money,
        payment::{Flow, Method, PaymentEvent},
        signature::{SignatureError, fresh},
        time::Timestamp,
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use data_encoding::BASE64;
use http::Method as Verb;

use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, account, rsa,
};
use crate::wire::NextAction;

/// When it was signed, in seconds.
pub const TIMESTAMP: &str = "wechatpay-timestamp";
/// A word that makes the signed text unique.
pub const NONCE: &str = "wechatpay-nonce";
/// The signature, base 64.
pub const SIGNATURE: &str = "wechatpay-signature";
/// Which of WeChat's keys signed.
pub const SERIAL: &str = "wechatpay-serial";

/// What WeChat's probes begin with, in the signature or the serial number.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// The only currency.
const CURRENCIES: &[&str] = &["CNY"];

/// What it can do. WeChat gives back for a year.
const CAPABILITIES: [Capability; 1] = [Capability {
    method: Method::WechatPay,
    flows: &[Flow::Qr, Flow::Mobile, Flow::MiniProgram, Flow::App],
    currencies: CURRENCIES,
    instalments: &[],
    pay_later: false,
    refund_days: 365,
    partial_refunds: true,
}];

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct WechatPay;

impl PaymentProvider for WechatPay {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, amount: Money) -> Result<(), CallError> {
        api::fen(amount).map(drop)
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        let serial = (call.header)(SERIAL).unwrap_or_default();
        let signature = (call.header)(SIGNATURE).unwrap_or_default();
        if serial.starts_with(PROBE) || signature.starts_with(PROBE) {
            return Err(SignatureError::Probe);
        }
        signed(call.credentials, call.header, call.body, call.now)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        notice::read(call.credentials, call.body).map(|report| vec![report])
    }

    /// 204: WeChat asks for 200 or 204 and for no body.
    fn acknowledge(&self) -> Result<Response, Failure> {
        let (content_type, body) = ("application/json", String::new());
        Ok(Response { status: 204, headers: Vec::new(), content_type, body })
    }

    /// A page on a telephone goes back to where it was called from by itself.
    fn needs_return(&self, _: Flow) -> bool {
        false
    }

    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        match answers.last() {
            None => api::prepay(asking).map(Step::Call),
            Some(answer) => api::next_action(asking, answer).map(Step::Done),
        }
    }

    /// The same `out_refund_no` is the same refund, however often it is asked
    /// for.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        match answers.last() {
            None => api::refund(giving).map(Step::Call),
            Some(answer) => api::refunded(giving, answer).map(Step::Done),
        }
    }

    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let (known, id) = (&giving.payment, &giving.refund.id);
        let path = format!("/v3/refund/domestic/refunds/{id}");
        match answers.last() {
            None => {
                let call = api::call(known.credentials, Verb::GET, &path, "", known.now);
                call.map(Step::Call)
            }
            Some(answer) => api::refunded(giving, answer).map(Step::Done),
        }
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        let (credentials, id) = (payment.credentials, &payment.attempt.id);
        match answers.last() {
            None => {
                let mchid = account(credentials, "mchid")?;
                let path = format!("/v3/pay/transactions/out-trade-no/{id}?mchid={mchid}");
                api::call(credentials, Verb::GET, &path, "", payment.now).map(Step::Call)
            }
            Some(answer) => api::queried(payment, answer).map(Step::Done),
        }
    }
}

/// RSA-SHA256 over the time, the nonce and the body, each with a line's end,
/// by any of WeChat's keys, at most five minutes ago. Callbacks and answers
/// are signed alike.
fn signed<'a>(
    credentials: &Credentials,
    header: &(dyn Fn(&str) -> Option<&'a str> + 'a),
    body: &[u8],
    now: Timestamp,
) -> Result<(), SignatureError> {
    let required = |name: &'static str| header(name).ok_or(SignatureError::MissingHeader(name));
    let (seconds, nonce) = (required(TIMESTAMP)?, required(NONCE)?);
    let signature = BASE64
        .decode(required(SIGNATURE)?.as_bytes())
        .map_err(|_| SignatureError::MalformedHeader(SIGNATURE))?;
    let signed_at: i64 = seconds.parse().map_err(|_| SignatureError::MalformedHeader(TIMESTAMP))?;
    if credentials.webhook_secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let message = [seconds.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    if !rsa::any_verifies(&credentials.webhook_secrets, &message, &signature) {
        return Err(SignatureError::Mismatch);
    }
    fresh(signed_at, now)
}

/// The attempt of an order number, if it is one of this merchant's and of an
/// appid of ours.
fn ours(
    credentials: &Credentials,
    mchid: &str,
    appid: Option<&str>,
    number: &str,
) -> Option<PaymentId> {
    let named = |name: &str| credentials.account.get(name).map(String::as_str);
    let appids = ["appid", "appid_mini_program", "appid_app"].map(named);
    let merchant = named("mchid") == Some(mchid);
    let known = appid.is_none_or(|appid| appids.contains(&Some(appid)));
    PaymentId::parse(number).ok().filter(|_| merchant && known)
}

#[cfg(test)]
mod tests;
