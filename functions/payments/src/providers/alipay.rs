//! Alipay in China: the open platform's payments, and Huabei, its instalments.
//!
//! | the secret | holds |
//! |---|---|
//! | `webhook_secrets` | Alipay's public keys (bare base 64 or PEM) or its certificates: they check notices and answers |
//! | `api_keys` | the application's private key, PKCS #8 or PKCS #1: the first signs our calls |
//! | `account.app_id` | the application |
//! | `account.seller_id` | the merchant (16 digits from 2088); notices for another one are foreign; not looked at if it is left out |
//! | `account.app_cert_sn`, `account.alipay_root_cert_sn` | serial numbers, if the application signs with certificates |
//! | `account.api_url` | instead of `https://openapi.alipay.com` |
//!
//! | notice | kind | amount | at |
//! |---|---|---|---|
//! | `WAIT_BUYER_PAY` | of no interest | | |
//! | `TRADE_SUCCESS`, `TRADE_FINISHED` | succeeded | `total_amount` | `gmt_payment` |
//! | any with `gmt_refund`, or a `refund_fee` above zero | refunded | `refund_fee`, the total of all refunds so far | `gmt_refund` |
//! | `TRADE_CLOSED` after a payment | refunded | `refund_fee`, or all | `gmt_refund` |
//! | `TRADE_CLOSED` without a payment | expired | `total_amount` | `gmt_close` |
//!
//! A notice is a form, in UTF-8 or GBK as its field `charset` says, and its
//! identity is `notify_id`, the same in each resend. `TRADE_FINISHED` comes
//! when the time for refunds has ended: it names the same payment at the same
//! moment as `TRADE_SUCCESS`, and an attempt succeeds once. A declined try is
//! not reported. Times are China's.
//!
//! Anything but the seven bytes `success` makes Alipay send a notice again:
//! after 4 and 10 minutes, 10 minutes, 1, 2, 6 and 15 hours, 25 hours in all.
//!
//! `out_trade_no` is the attempt and `out_request_no` the refund; both are
//! Alipay's keys of idempotency, for ever. Rules, fields and codes:
//! <https://opendocs.alipay.com/open/270/105902> (notices),
//! <https://opendocs.alipay.com/common/02km9f> (codes), and the pages of each
//! method; details of signing after `AlipaySignature` of Alipay's Java SDK.

mod gateway;
mod notice;

use aftercart::{
    model::{
        money::{Currency, Money},
        payment::{Flow, Method, PaymentEvent, PaymentEventKind, Provider, RefundStatus},
        signature::{SignatureError, body_digest},
        time::{Period, TimeError, Timestamp},
    },
    run::{Failure, http::Response},
};
use serde_json::{Value, json};

use self::gateway::{Fields, Said};
use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, event_identity, reference, word,
};
use crate::wire::{ClientSecret, NextAction};

/// The ways to its cashier, the usual one first.
const FLOWS: &[Flow] = &[Flow::Redirect, Flow::Mobile, Flow::Qr, Flow::App];

/// In how many parts Huabei lends.
const HUABEI_MONTHS: &[u8] = &[3, 6, 12];

/// For how many days Alipay gives back: the agreements of its payment products
/// say twelve months.
const REFUND_DAYS: u16 = 365;

const CAPABILITIES: [Capability; 2] = [
    Capability {
        method: Method::Alipay,
        flows: FLOWS,
        currencies: &["CNY"],
        instalments: &[],
        pay_later: false,
        refund_days: REFUND_DAYS,
        partial_refunds: true,
    },
    Capability {
        method: Method::Huabei,
        flows: FLOWS,
        currencies: &["CNY"],
        instalments: HUABEI_MONTHS,
        pay_later: true,
        refund_days: REFUND_DAYS,
        partial_refunds: true,
    },
];

/// The most that Alipay takes at once, in fen: 100 million yuan.
const MAX_FEN: i64 = 10_000_000_000;

/// For how long after its start an attempt can be paid: half an hour, about as
/// long as a shop keeps goods back for an order that is not paid. It counts
/// from the attempt, so that a repeated start asks for the same trade: Alipay
/// refuses another under the same number.
const PAY_WITHIN: Period = Period::of_seconds(1_800);

/// How far China's clocks are ahead of UTC, all year.
const CHINA_AHEAD: Period = Period::of_seconds(8 * 3_600);

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Alipay;

impl PaymentProvider for Alipay {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, amount: Money) -> Result<(), CallError> {
        yuan(amount).map(drop)
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        notice::verify(&call.credentials.webhook_secrets, call.body)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        notice::read(call.credentials, call.body).map(|report| vec![report])
    }

    fn acknowledge(&self) -> Result<Response, Failure> {
        let (content_type, body) = ("text/plain", "success".to_owned());
        Ok(Response { status: 200, headers: Vec::new(), content_type, body })
    }

    /// The page and the app need no call: what they open is a signed request.
    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        let attempt = asking.attempt;
        if attempt.at.plus(PAY_WITHIN) <= asking.now {
            return Err(CallError::TooOld);
        }
        match attempt.flow {
            Flow::Redirect => page(asking, "alipay.trade.page.pay", "FAST_INSTANT_TRADE_PAY"),
            Flow::Mobile => page(asking, "alipay.trade.wap.pay", "QUICK_WAP_WAY"),
            Flow::App => app(asking),
            Flow::Qr => code(asking, answers),
            Flow::Embedded | Flow::MiniProgram => Err(CallError::Unsupported),
        }
    }

    /// `fund_change` says whether this call moved money; if it did not, an
    /// earlier one may have, and a second call asks.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        match answers {
            [] => Ok(Step::Call(gateway::call(giving.payment, REFUND, &refund_terms(giving)?)?)),
            [answer] => match gateway::read(giving.payment.credentials, REFUND, answer)? {
                Said::Declined(code) => Ok(Step::Done(told(RefundStatus::Failed, Some(&code)))),
                Said::Done(said) if said.fund_change == "Y" => {
                    Ok(Step::Done(told(RefundStatus::Succeeded, None)))
                }
                Said::Done(_) => ask_refund(giving),
            },
            [_, answer, ..] => {
                let back = is_back(giving, answer)?;
                let status = if back { RefundStatus::Succeeded } else { RefundStatus::Sent };
                Ok(Step::Done(told(status, None)))
            }
        }
    }

    /// Alipay knows no refunds under way: one that it has not made is asked
    /// for again, under the same number.
    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        match answers {
            [] => ask_refund(giving),
            [answer, rest @ ..] => {
                if is_back(giving, answer)? {
                    return Ok(Step::Done(told(RefundStatus::Succeeded, None)));
                }
                self.refund(giving, rest)
            }
        }
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        let Some(answer) = answers.first() else {
            let terms = json!({ "out_trade_no": payment.attempt.id });
            return Ok(Step::Call(gateway::call(*payment, QUERY, &terms)?));
        };
        match gateway::read(payment.credentials, QUERY, answer)? {
            // The buyer has not yet come to the cashier.
            Said::Declined(code) if code.ends_with("TRADE_NOT_EXIST") => Ok(Step::Done(Vec::new())),
            Said::Declined(code) => Err(CallError::Refused(word(&code))),
            Said::Done(said) => heard(payment, answer, &said).map(Step::Done),
        }
    }
}

const REFUND: &str = "alipay.trade.refund";
const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";
const QUERY: &str = "alipay.trade.query";
const PRECREATE: &str = "alipay.trade.precreate";

/// What is asked of every way to pay.
fn terms(asking: &Asking<'_>, product: Option<&str>) -> Result<Value, CallError> {
    let attempt = asking.attempt;
    let mut terms = json!({
        "out_trade_no": attempt.id,
        "total_amount": yuan(attempt.amount)?,
        "subject": format!("Order {}", attempt.order),
        "time_expire": china_time(attempt.at.plus(PAY_WITHIN)),
    });
    if let Some(product) = product {
        terms["product_code"] = product.into();
    }
    match (attempt.method, attempt.instalments) {
        (Method::Alipay, None) => {}
        (Method::Huabei, None) => terms["enable_pay_channels"] = "pcredit".into(),
        (Method::Huabei, Some(parts)) if HUABEI_MONTHS.contains(&parts.months) => {
            // What the lender asks is borne by the shop, or by the buyer.
            let borne = if parts.interest_free { "100" } else { "0" };
            let number = parts.months.to_string();
            terms["extend_params"] = json!({ "hb_fq_num": number, "hb_fq_seller_percent": borne });
        }
        _ => return Err(CallError::Unsupported),
    }
    if let Some(ip) = asking.buyer_ip {
        let of_buyer = json!({ "mc_create_trade_ip": ip });
        // An object for the code; a text that holds one for the pages.
        terms["business_params"] =
            if product.is_some() { of_buyer.to_string().into() } else { of_buyer };
    }
    Ok(terms)
}

fn page(asking: &Asking<'_>, method: &str, product: &str) -> Result<Step<NextAction>, CallError> {
    let mut terms = terms(asking, Some(product))?;
    if let (Flow::Mobile, Some(back)) = (asking.attempt.flow, asking.return_url) {
        terms["quit_url"] = back.into();
    }
    let back = asking.return_url;
    let url = gateway::signed(asking.credentials, asking.now, method, &terms)
        .also("notify_url", Some(asking.notify_url))
        .also("return_url", back)
        .url()?;
    Ok(Step::Done(NextAction::Redirect { url: ClientSecret(url) }))
}

/// The order as Alipay's libraries for apps take it.
fn app(asking: &Asking<'_>) -> Result<Step<NextAction>, CallError> {
    let terms = terms(asking, Some("QUICK_MSECURITY_PAY"))?;
    let order = gateway::signed(asking.credentials, asking.now, "alipay.trade.app.pay", &terms)
        .also("notify_url", Some(asking.notify_url))
        .text()?;
    let parameters = [("orderStr".to_owned(), order)].into();
    Ok(Step::Done(NextAction::App { parameters }))
}

fn code(asking: &Asking<'_>, answers: &[Answer]) -> Result<Step<NextAction>, CallError> {
    let Some(answer) = answers.first() else {
        let terms = terms(asking, None)?;
        let request = gateway::signed(asking.credentials, asking.now, PRECREATE, &terms)
            .also("notify_url", Some(asking.notify_url))
            .post()?;
        return Ok(Step::Call(request));
    };
    match gateway::read(asking.credentials, PRECREATE, answer)? {
        Said::Done(said) if said.qr_code.is_empty() => {
            Err(CallError::Unusable("there is no `qr_code`".to_owned()))
        }
        Said::Done(said) => Ok(Step::Done(NextAction::Qr { content: ClientSecret(said.qr_code) })),
        Said::Declined(code) => Err(match code.as_str() {
            "ACQ.TOTAL_FEE_EXCEED" | "ACQ.BEYOND_PER_RECEIPT_RESTRICTION" => {
                CallError::Amount(word(&code))
            }
            "ACQ.TRADE_HAS_SUCCESS" => CallError::Paid,
            // The trade is over, or its code was given out and is not told twice.
            "ACQ.TRADE_HAS_CLOSE"
            | "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR"
            | "ACQ.APPLY_PC_MERCHANT_CODE_ERROR" => CallError::TooOld,
            _ => CallError::Refused(word(&code)),
        }),
    }
}

fn refund_terms(giving: &GivingBack<'_>) -> Result<Value, CallError> {
    Ok(json!({
        "out_trade_no": giving.payment.attempt.id,
        "out_request_no": giving.refund.id,
        "refund_amount": yuan(giving.refund.amount)?,
    }))
}

fn ask_refund(giving: &GivingBack<'_>) -> Result<Step<RefundAnswer>, CallError> {
    let terms = json!({
        "out_trade_no": giving.payment.attempt.id,
        "out_request_no": giving.refund.id,
    });
    Ok(Step::Call(gateway::call(giving.payment, REFUND_QUERY, &terms)?))
}

/// Whether the answer says that the refund was made.
fn is_back(giving: &GivingBack<'_>, answer: &Answer) -> Result<bool, CallError> {
    match gateway::read(giving.payment.credentials, REFUND_QUERY, answer)? {
        Said::Done(said) => Ok(said.refund_status == "REFUND_SUCCESS"),
        Said::Declined(_) => Ok(false),
    }
}

/// Alipay gives a refund no number of its own.
fn told(status: RefundStatus, reason: Option<&str>) -> RefundAnswer {
    RefundAnswer { status, reference: None, reason: reason.map(word) }
}

/// What an answer about a trade says happened.
fn heard(
    payment: &Known<'_>,
    answer: &Answer,
    said: &Fields,
) -> Result<Vec<PaymentEvent>, CallError> {
    let unusable = |why: &str| CallError::Unusable(why.to_owned());
    if said.out_trade_no != payment.attempt.id.as_str() {
        return Err(unusable("the answer is about another trade"));
    }
    let (attempt, paid_at) = (payment.attempt, moment(&said.send_pay_date).ok());
    let total = from_yuan(&said.total_amount).ok_or_else(|| unusable("impossible amount"))?;
    let event = |id: &str, kind, at| PaymentEvent {
        id: event_identity(&format!("{}:{id}", said.trade_no)),
        payment: attempt.id.clone(),
        provider: Provider::Alipay,
        kind,
        amount: total,
        at,
        reason: None,
        reference: reference(&said.trade_no),
        part: None,
        body_digest: body_digest(answer.body()),
    };
    let paid = |at| event("paid", PaymentEventKind::Succeeded, at);
    match (said.trade_status.as_str(), paid_at) {
        ("WAIT_BUYER_PAY", _) => Ok(Vec::new()),
        ("TRADE_SUCCESS" | "TRADE_FINISHED", at) => Ok(vec![paid(at.unwrap_or(attempt.at))]),
        // A trade that was paid closes when all of it went back.
        ("TRADE_CLOSED", Some(at)) => {
            Ok(vec![paid(at), event("back", PaymentEventKind::Refunded, at)])
        }
        ("TRADE_CLOSED", None) => {
            let at = attempt.at.plus(PAY_WITHIN);
            Ok(vec![event("closed", PaymentEventKind::Expired, at)])
        }
        (other, _) => Err(unusable(&format!("`trade_status` is `{}`", word(other)))),
    }
}

/// An amount as Alipay writes it: yuan with two decimals.
fn yuan(amount: Money) -> Result<String, CallError> {
    let (minor, currency) = (amount.minor(), amount.currency());
    if currency.code() != "CNY" || !(1..=MAX_FEN).contains(&minor) {
        return Err(CallError::Amount(format!("{amount} is not 0.01 to 100000000.00 CNY")));
    }
    Ok(format!("{}.{:02}", minor / 100, minor % 100))
}

/// An amount that Alipay wrote; none if it is finer than a fen, or less than nothing.
fn from_yuan(text: &str) -> Option<Money> {
    let currency = Currency::parse("CNY").ok()?;
    Money::from_decimal(text, currency).ok().filter(|amount| amount.minor() >= 0)
}

/// A moment as Alipay writes it: `yyyy-MM-dd HH:mm:ss`, with decimals or
/// without, by China's clocks.
fn moment(text: &str) -> Result<Timestamp, TimeError> {
    let (date, time) = text.split_once(' ').ok_or(TimeError::Timestamp)?;
    Timestamp::parse(&format!("{date}T{time}+08:00"))
}

/// A moment as Alipay reads it.
fn china_time(at: Timestamp) -> String {
    at.plus(CHINA_AHEAD)
        .to_string()
        .chars()
        .take(19)
        .map(|c| if c == 'T' { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use aftercart::{
        model::{
            customer::CustomerId,
            id::{OrderId, PaymentId},
            payment::{Attempt, Instalments},
        },
        run::secrets::Credentials,
    };
    use proptest::prelude::*;

    use super::*;

    fn cny(minor: i64) -> Money {
        Money::new(minor, Currency::parse("CNY").unwrap()).unwrap()
    }

    fn attempt(method: Method, flow: Flow, instalments: Option<Instalments>) -> Attempt {
        Attempt {
            id: PaymentId::derive(&["1"]),
            order: OrderId::derive(&["1"]),
            customer: CustomerId::member("a").unwrap(),
            provider: Provider::Alipay,
            method,
            flow,
            amount: cny(1234),
            settles: cny(1234),
            instalments,
            payer: None,
            verify: false,
            at: Timestamp::EPOCH,
            request: String::new(),
            ask_at: None,
            asked: 0,
        }
    }

    fn asked(attempt: &Attempt, product: Option<&str>) -> Result<Value, CallError> {
        let credentials = Credentials::default();
        let asking = Asking {
            attempt,
            credentials: &credentials,
            return_url: Some("https://shop.example/paid"),
            notify_url: "https://shop.example/callbacks/alipay",
            buyer_ip: Some("192.0.2.1"),
            now: attempt.at,
        };
        terms(&asking, product)
    }

    #[test]
    fn the_terms_are_those_of_the_attempt() {
        let attempt = attempt(Method::Alipay, Flow::Qr, None);
        let expected = json!({
            "out_trade_no": attempt.id,
            "total_amount": "12.34",
            "subject": format!("Order {}", attempt.order),
            "time_expire": "1970-01-01 08:30:00",
            "business_params": { "mc_create_trade_ip": "192.0.2.1" },
        });
        assert_eq!(asked(&attempt, None), Ok(expected));
        let page = asked(&attempt, Some("FAST_INSTANT_TRADE_PAY")).unwrap();
        assert_eq!(page["product_code"], "FAST_INSTANT_TRADE_PAY");
        assert_eq!(page["business_params"], r#"{"mc_create_trade_ip":"192.0.2.1"}"#);
    }

    #[test]
    fn huabei_lends_in_its_parts() {
        let parts = |months, interest_free| {
            let parts = Some(Instalments { months, interest_free });
            asked(&attempt(Method::Huabei, Flow::Qr, parts), None)
        };
        for (months, interest_free, percent) in
            [(3, false, "0"), (6, true, "100"), (12, true, "100")]
        {
            let expected =
                json!({ "hb_fq_num": months.to_string(), "hb_fq_seller_percent": percent });
            assert_eq!(parts(months, interest_free).unwrap()["extend_params"], expected);
        }
        assert_eq!(parts(4, true), Err(CallError::Unsupported));
        let at_once = asked(&attempt(Method::Huabei, Flow::Qr, None), None).unwrap();
        assert_eq!(at_once["enable_pay_channels"], "pcredit");
        let parts = Some(Instalments { months: 3, interest_free: true });
        let alipay = asked(&attempt(Method::Alipay, Flow::Qr, parts), None);
        assert_eq!(alipay, Err(CallError::Unsupported));
    }

    #[test]
    fn only_yuan_within_the_limit_are_taken() {
        for (minor, code, taken) in [
            (1, "CNY", true),
            (MAX_FEN, "CNY", true),
            (MAX_FEN + 1, "CNY", false),
            (0, "CNY", false),
            (-1, "CNY", false),
            (100, "HKD", false),
        ] {
            let amount = Money::new(minor, Currency::parse(code).unwrap()).unwrap();
            let took = Alipay.takes(Method::Alipay, amount);
            assert_eq!(took.is_ok(), taken, "{amount}");
            assert!(matches!(took, Ok(()) | Err(CallError::Amount(_))));
        }
    }

    #[test]
    fn it_is_acknowledged_with_seven_bytes() {
        let answer = Alipay.acknowledge().unwrap();
        assert_eq!((answer.status, answer.content_type), (200, "text/plain"));
        assert_eq!(answer.body.as_bytes(), b"success");
    }

    #[test]
    fn times_are_chinas() {
        let at = moment("2026-11-22 04:05:06").unwrap();
        assert_eq!(at.to_string(), "2026-11-21T20:05:06.000Z");
        assert_eq!(china_time(at), "2026-11-22 04:05:06");
        assert_eq!(moment("2026-11-22 04:05:06.659").unwrap().unix_millis() % 1000, 659);
        for text in ["", "2026-11-22", "2026-11-22T04:05:06Z", "2026-11-22 04:05:06Z", "22.11.26 x"]
        {
            assert!(moment(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn amounts_come_back_as_they_went(minor in 1..=MAX_FEN) {
            prop_assert_eq!(from_yuan(&yuan(cny(minor)).unwrap()), Some(cny(minor)));
        }

        #[test]
        fn no_text_is_half_an_amount(text in "[-+0-9.,e ]{0,12}") {
            if let Some(amount) = from_yuan(&text) {
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let fen = format!("{whole}{:0<2}", fraction.trim_end_matches('0'));
                prop_assert_eq!(amount.minor(), fen.parse::<i64>().unwrap());
            }
        }
    }
}
