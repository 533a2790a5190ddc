//! Alipay+ by Antom: the wallets of several countries, by one-time payments at
//! Antom's cashier.
//!
//! | the secret | holds |
//! |---|---|
//! | `webhook_secrets` | Antom's public keys (bare base 64 or PEM): they check notices and answers |
//! | `api_keys` | the merchant's private key: the first signs our calls |
//! | `account.client_id` | the client; one of Antom's sandbox begins with `SANDBOX_`, and has addresses of its own |
//! | `account.payment_method_type` | the wallet, by Antom's name; `ALIPAY_CN` if it is left out |
//! | `account.key_version` | the version of the private key; 1 if it is left out |
//! | `account.settlement_currency` | in which currency Antom settles, where the contract has several |
//! | `account.api_url` | instead of `https://open-sea-global.alipay.com` |
//!
//! Antom's `pay` takes one wallet, and its own page that lists several is
//! another product, so the wallet is the merchant's choice in the secret.
//! Cards are not taken: other providers do, and their payments are only set
//! aside when Antom says `PAYMENT_RESULT`.
//!
//! | notice | kind | amount | part |
//! |---|---|---|---|
//! | `PAYMENT_RESULT` `S` | succeeded | `paymentAmount` | |
//! | `PAYMENT_RESULT` `F` | expired (`ORDER_IS_CLOSED`), cancelled (`ORDER_IS_CANCELED`), or failed with the code | `paymentAmount`; without one it is of no interest, and asking tells | |
//! | `PAYMENT_PENDING` | processing | `paymentAmount` | |
//! | `CAPTURE_RESULT` | captured, capture failed | `captureAmount` | `captureRequestId` |
//! | `REFUND_RESULT` | refunded, refund failed | `refundAmount` | the refund |
//! | `DISPUTE_CREATED` | disputed | `disputeAmount` | `disputeId` |
//! | `DISPUTE_JUDGED` | won (`ACCEPT_BY_CUSTOMER`), lost (`ACCEPT_BY_MERCHANT`) | `disputeJudgedAmount`, or `disputeAmount` | `disputeId` |
//! | `DISPUTE_CANCELLED`, `RDR_RESOLVED` | won, lost | `disputeAmount` | `disputeId` |
//! | `DEFENSE_SUPPLIED`, `DEFENSE_DUE_ALERT`, a judged document | of no interest | | |
//!
//! A notice has no identity of its own: what it is about, its type and its
//! outcome tell it from all others, and are the same in each resend. A notice
//! of a refund does not name the payment, so `refundRequestId` is the payment
//! and the refund in one: `pay_..._rfd_...`, 61 of at most 64 characters.
//!
//! Antom signs the time of a notice, and says nothing of how old it may be;
//! it is not looked at, because a notice that is played again is a delivery
//! like any other. Antom sends a notice up to eight times in 24 hours until it
//! is acknowledged: at once, after 2, 10 and 10 minutes, 1, 2, 6 and 15 hours.
//!
//! `paymentRequestId` is the attempt. Amounts are whole minor units of
//! ISO 4217, as text. A payment that is not made in a quarter of an hour is
//! closed by Antom. Rules, fields and codes: <https://docs.antom.com/ac/ams/api>;
//! signing after `SignatureTool` of Antom's `global-open-sdk-java`.

mod api;
mod notice;

use aftercart::{
    model::{
        id::{PaymentId, RefundId},
        money::{Currency, Money},
        payment::{Flow, Method, PaymentEvent, PaymentEventKind, Provider, RefundStatus},
        signature::{SignatureError, body_digest},
    },
    run::{Failure, http::Response, secrets::Credentials},
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::api::{Endpoint, Fields, Said};
use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, account, event_identity, reference, word,
};
use crate::wire::{ClientSecret, NextAction};

/// What it can do. The wallets give back for 90 days to a year after the
/// payment; Antom refuses what comes too late.
const CAPABILITIES: [Capability; 1] = [Capability {
    method: Method::AlipayPlus,
    flows: &[Flow::Redirect, Flow::Mobile, Flow::Qr],
    // <https://docs.antom.com/ac/ref/cc>, each with the minor unit of ISO 4217.
    currencies: &[
        "AUD", "BDT", "BRL", "CAD", "CLP", "CNY", "EUR", "GBP", "HKD", "IDR", "JPY", "KRW", "MXN",
        "MYR", "NZD", "PEN", "PHP", "PKR", "PLN", "SGD", "THB", "TWD", "USD", "VND",
    ],
    instalments: &[],
    pay_later: false,
    refund_days: 365,
    partial_refunds: true,
}];

/// The wallet, if the secret names none.
const USUAL_WALLET: &str = "ALIPAY_CN";

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct AlipayPlus;

impl PaymentProvider for AlipayPlus {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, amount: Money) -> Result<(), CallError> {
        taken(amount, USUAL_WALLET).map(drop)
    }

    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        notice::verify(call)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        notice::read(call).map(|report| vec![report])
    }

    fn headers(&self) -> &'static [&'static str] {
        &[api::CLIENT_ID, api::REQUEST_TIME]
    }

    fn acknowledge(&self) -> Result<Response, Failure> {
        let result =
            json!({ "resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success" });
        Response::json(200, &json!({ "result": result }))
    }

    /// Antom takes no payment without an address to come back to.
    fn needs_return(&self, _: Flow) -> bool {
        true
    }

    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        let Some(answer) = answers.first() else {
            let request = api::call(asking.credentials, asking.now, Endpoint::Pay, &terms(asking)?);
            return request.map(Step::Call);
        };
        match api::read(asking.credentials, Endpoint::Pay, answer)? {
            Said::UnderWay(said) => next(asking.attempt.flow, *said).map(Step::Done),
            Said::Done(_) => Err(CallError::Paid),
            Said::Declined(code) => Err(match code.as_str() {
                "ORDER_IS_CLOSED" | "ORDER_IS_CANCELED" => CallError::TooOld,
                "CURRENCY_NOT_SUPPORT" | "PAYMENT_AMOUNT_EXCEED_LIMIT" => {
                    CallError::Amount(word(&code))
                }
                _ => CallError::Refused(word(&code)),
            }),
        }
    }

    /// A refund names the payment by Antom's identity of it: if no event told
    /// that, it is asked for first.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let payment = giving.payment;
        let (payment_id, answers) = match (payment.reference, answers) {
            (Some(known), answers) => (known.to_owned(), answers),
            (None, []) => return ask(&payment),
            (None, [answer, rest @ ..]) => {
                match api::read(payment.credentials, Endpoint::InquiryPayment, answer)? {
                    Said::Done(said) if !said.payment_id.is_empty() => (said.payment_id, rest),
                    Said::Declined(code) => {
                        return Ok(Step::Done(told(RefundStatus::Failed, "", Some(&code))));
                    }
                    _ => return Err(CallError::Unusable("there is no `paymentId`".to_owned())),
                }
            }
        };
        let Some(answer) = answers.first() else {
            let terms = json!({
                "paymentId": payment_id,
                "refundRequestId": refund_name(giving),
                "refundAmount": amount(giving.refund.amount),
                "refundNotifyUrl": giving.notify_url,
            });
            let request = api::call(payment.credentials, payment.now, Endpoint::Refund, &terms);
            return request.map(Step::Call);
        };
        let answer = match api::read(payment.credentials, Endpoint::Refund, answer)? {
            Said::Done(said) => told(RefundStatus::Succeeded, &said.refund_id, None),
            Said::UnderWay(said) => told(RefundStatus::Sent, &said.refund_id, None),
            Said::Declined(code) => told(RefundStatus::Failed, "", Some(&code)),
        };
        Ok(Step::Done(answer))
    }

    /// What Antom does not know is asked for again, under the same name.
    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let payment = giving.payment;
        let [answer, rest @ ..] = answers else {
            let terms = json!({ "refundRequestId": refund_name(giving) });
            let endpoint = Endpoint::InquiryRefund;
            return api::call(payment.credentials, payment.now, endpoint, &terms).map(Step::Call);
        };
        let said = match api::read(payment.credentials, Endpoint::InquiryRefund, answer)? {
            Said::Done(said) => said,
            Said::UnderWay(_) => return Err(CallError::Again("the answer is open".to_owned())),
            Said::Declined(code) if code.ends_with("_NOT_EXIST") => {
                return self.refund(giving, rest);
            }
            Said::Declined(code) => return Err(CallError::Refused(word(&code))),
        };
        let answer = match said.refund_status.as_str() {
            "SUCCESS" => told(RefundStatus::Succeeded, &said.refund_id, None),
            "FAIL" => told(RefundStatus::Failed, &said.refund_id, Some(&said.result.result_code)),
            "PROCESSING" => told(RefundStatus::Sent, &said.refund_id, None),
            other => {
                return Err(CallError::Unusable(format!("`refundStatus` is `{}`", word(other))));
            }
        };
        Ok(Step::Done(answer))
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        let Some(answer) = answers.first() else { return ask(payment) };
        match api::read(payment.credentials, Endpoint::InquiryPayment, answer)? {
            Said::Done(said) => heard(payment, answer, &said).map(Step::Done),
            Said::UnderWay(_) => Err(CallError::Again("the answer is open".to_owned())),
            // It was never begun.
            Said::Declined(code) if code == "ORDER_NOT_EXIST" => Ok(Step::Done(Vec::new())),
            Said::Declined(code) => Err(CallError::Refused(word(&code))),
        }
    }
}

/// What is asked of the cashier.
fn terms(asking: &Asking<'_>) -> Result<Value, CallError> {
    let (attempt, names) = (asking.attempt, &asking.credentials.account);
    let unwritable = |why: &str| CallError::Unwritable(why.to_owned());
    let wallet = names.get("payment_method_type").map_or(USUAL_WALLET, String::as_str);
    if wallet == "CARD" {
        return Err(unwritable("`payment_method_type` is no wallet"));
    }
    let back = asking.return_url.ok_or_else(|| unwritable("there is no `return_url`"))?;
    let paid = taken(attempt.amount, wallet)?;
    let mut env = match attempt.flow {
        Flow::Redirect | Flow::Qr => json!({ "terminalType": "WEB" }),
        // A page for telephones must name a system. The page that Antom gives
        // looks at the telephone itself.
        Flow::Mobile => json!({ "terminalType": "WAP", "osType": "ANDROID" }),
        Flow::Embedded | Flow::App | Flow::MiniProgram => return Err(CallError::Unsupported),
    };
    if let Some(ip) = asking.buyer_ip {
        env["clientIp"] = ip.into();
    }
    let mut terms = json!({
        "productCode": "CASHIER_PAYMENT",
        "paymentRequestId": attempt.id,
        "paymentAmount": paid,
        "order": {
            "referenceOrderId": attempt.order,
            "orderDescription": format!("Order {}", attempt.order),
            "orderAmount": paid,
        },
        "paymentMethod": { "paymentMethodType": wallet },
        "paymentRedirectUrl": back,
        "paymentNotifyUrl": asking.notify_url,
        "env": env,
    });
    if let Some(currency) = names.get("settlement_currency") {
        terms["settlementStrategy"] = json!({ "settlementCurrency": currency });
    }
    Ok(terms)
}

/// Where the buyer goes. A code is asked for as text; where Antom has only
/// pictures of it, its page shows them.
fn next(flow: Flow, said: Fields) -> Result<NextAction, CallError> {
    let code = said.order_code_form.code_details.into_iter().find(|it| it.display_type == "TEXT");
    if let (Flow::Qr, Some(code)) = (flow, code) {
        return Ok(NextAction::Qr { content: ClientSecret(code.code_value) });
    }
    let offered = [said.normal_url, said.applink_url, said.scheme_url];
    let url = offered.into_iter().find(|url| !url.is_empty());
    let url = url.ok_or_else(|| CallError::Unusable("there is no address".to_owned()))?;
    Ok(NextAction::Redirect { url: ClientSecret(url) })
}

fn ask<T>(payment: &Known<'_>) -> Result<Step<T>, CallError> {
    let terms = json!({ "paymentRequestId": payment.attempt.id });
    let endpoint = Endpoint::InquiryPayment;
    api::call(payment.credentials, payment.now, endpoint, &terms).map(Step::Call)
}

/// What an answer about a payment says happened.
fn heard(
    payment: &Known<'_>,
    answer: &Answer,
    said: &Fields,
) -> Result<Vec<PaymentEvent>, CallError> {
    let unusable = |why: &str| CallError::Unusable(why.to_owned());
    let attempt = payment.attempt;
    if said.payment_request_id != attempt.id.as_str() {
        return Err(unusable("the answer is about another payment"));
    }
    let (what, outcome) = match said.payment_status.as_str() {
        "PROCESSING" => return Ok(Vec::new()),
        "PENDING" => (PENDING, "S"),
        "SUCCESS" => (RESULT, "S"),
        "FAIL" | "CANCELLED" => (RESULT, "F"),
        other => return Err(unusable(&format!("`paymentStatus` is `{}`", word(other)))),
    };
    let kind = match said.payment_status.as_str() {
        "CANCELLED" => PaymentEventKind::Cancelled,
        _ => outcome_kind(what, outcome, &said.payment_result_code)
            .ok_or_else(|| unusable("an outcome that is none"))?,
    };
    let paid = said.payment_amount.as_ref().map_or(Ok(attempt.amount), Amount::money);
    let code = Some(said.payment_result_code.as_str()).filter(|_| outcome == "F");
    Ok(vec![PaymentEvent {
        id: event_identity(&format!("{}:{what}:{outcome}", attempt.id)),
        payment: attempt.id.clone(),
        provider: Provider::AlipayPlus,
        kind,
        amount: paid.map_err(|why| CallError::Unusable(why.to_string()))?,
        at: notice::moment(&said.payment_time).unwrap_or(payment.now),
        reason: code.filter(|code| !code.is_empty()).map(word),
        reference: reference(&said.payment_id),
        part: None,
        body_digest: body_digest(answer.body()),
    }])
}

/// The notice of a payment's outcome.
const RESULT: &str = "PAYMENT_RESULT";
/// The notice that the buyer is done and the wallet is not.
const PENDING: &str = "PAYMENT_PENDING";

/// What a notice of a payment says, by its type, status and code.
fn outcome_kind(what: &str, status: &str, code: &str) -> Option<PaymentEventKind> {
    match (what, status, code) {
        (PENDING, ..) | (RESULT, "U", _) => Some(PaymentEventKind::Processing),
        (RESULT, "S", _) => Some(PaymentEventKind::Succeeded),
        (RESULT, "F", "ORDER_IS_CLOSED") => Some(PaymentEventKind::Expired),
        (RESULT, "F", "ORDER_IS_CANCELED") => Some(PaymentEventKind::Cancelled),
        (RESULT, "F", _) => Some(PaymentEventKind::Failed),
        _ => None,
    }
}

fn told(status: RefundStatus, id: &str, reason: Option<&str>) -> RefundAnswer {
    let reason = reason.filter(|code| !code.is_empty()).map(word);
    RefundAnswer { status, reference: reference(id), reason }
}

/// What a refund is called at Antom: it says which payment's it is.
fn refund_name(giving: &GivingBack<'_>) -> String {
    format!("{}_{}", giving.payment.attempt.id, giving.refund.id)
}

/// What [`refund_name`] says.
fn refund_of(name: &str) -> Option<(PaymentId, RefundId)> {
    let place = name.find(&format!("_{}", RefundId::PREFIX))?;
    let (payment, refund) = name.split_at(place);
    let refund = RefundId::parse(refund.strip_prefix('_')?).ok()?;
    Some((PaymentId::parse(payment).ok()?, refund))
}

/// An amount as Antom writes it.
#[derive(Debug, Deserialize)]
struct Amount {
    currency: String,
    value: String,
}

impl Amount {
    fn money(&self) -> Result<Money, Unreadable> {
        let impossible = || {
            let (value, currency) = (word(&self.value), word(&self.currency));
            Unreadable::Value(format!("`{value}` `{currency}` is no amount"))
        };
        let digits = !self.value.is_empty() && self.value.bytes().all(|b| b.is_ascii_digit());
        let minor = self.value.parse().ok().filter(|_| digits).ok_or_else(impossible)?;
        let currency = Currency::parse(&self.currency).map_err(|_| impossible())?;
        Money::new(minor, currency).map_err(|_| impossible())
    }
}

fn amount(amount: Money) -> Value {
    json!({ "currency": amount.currency().code(), "value": amount.minor().to_string() })
}

/// An amount, as Antom writes it, if it takes it: of a currency in its table,
/// and in the steps of the wallet (notes of <https://docs.antom.com/ac/ref/cc>;
/// rupiah are paid whole).
fn taken(asked: Money, wallet: &str) -> Result<Value, CallError> {
    let code = asked.currency().code();
    let step = match (wallet, code) {
        (_, "IDR") | ("JKOPAY", "TWD") => 100,
        ("OCTOPUS", "HKD") => 10,
        _ => 1,
    };
    let known = CAPABILITIES.iter().any(|it| it.currencies.contains(&code));
    if !known || asked.minor() <= 0 || asked.minor() % step != 0 {
        return Err(CallError::Amount(format!("{asked}")));
    }
    Ok(amount(asked))
}

/// The client, which every signature names.
fn client(credentials: &Credentials) -> Result<&str, CallError> {
    account(credentials, "client_id")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::parse(code).unwrap()).unwrap()
    }

    #[test]
    fn amounts_are_minor_units_in_the_wallets_steps() {
        for (minor, code, wallet, written) in [
            (1234, "CNY", "ALIPAY_CN", Some("1234")),
            (1234, "JPY", "PAYPAY", Some("1234")),
            (1234, "KRW", "KAKAOPAY", Some("1234")),
            (1_000_000, "IDR", "DANA", Some("1000000")),
            (1_000_050, "IDR", "DANA", None),
            (1250, "TWD", "ALIPAY_CN", Some("1250")),
            (1250, "TWD", "JKOPAY", None),
            (1200, "TWD", "JKOPAY", Some("1200")),
            (1255, "HKD", "OCTOPUS", None),
            (1255, "HKD", "ALIPAY_HK", Some("1255")),
            (1000, "KWD", "ALIPAY_CN", None),
            (0, "CNY", "ALIPAY_CN", None),
            (-1, "CNY", "ALIPAY_CN", None),
        ] {
            let taken = taken(money(minor, code), wallet).ok();
            let expected = written.map(|value| json!({ "currency": code, "value": value }));
            assert_eq!(taken, expected, "{minor} {code} {wallet}");
        }
    }

    #[test]
    fn every_currency_has_the_decimals_of_antoms_table() {
        for code in CAPABILITIES.iter().flat_map(|it| it.currencies) {
            let whole = ["CLP", "JPY", "KRW", "VND"].contains(code);
            let decimals = Currency::parse(code).unwrap().exponent();
            assert_eq!(decimals, if whole { 0 } else { 2 }, "{code}");
        }
    }

    #[test]
    fn it_is_acknowledged_in_its_words() {
        let answer = AlipayPlus.acknowledge().unwrap();
        let said: Value = serde_json::from_str(&answer.body).unwrap();
        let result =
            json!({ "resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success" });
        assert_eq!((answer.status, said), (200, json!({ "result": result })));
    }

    #[test]
    fn a_refund_is_named_after_its_payment() {
        let (payment, refund) = (PaymentId::derive(&["1"]), RefundId::derive(&["1"]));
        let name = format!("{payment}_{refund}");
        assert_eq!(name.len(), 61);
        assert_eq!(refund_of(&name), Some((payment.clone(), refund)));
        for name in ["", "_rfd_", "pay_", payment.as_str(), "支付_rfd_"] {
            assert_eq!(refund_of(name), None, "{name}");
        }
    }

    #[test]
    fn a_code_is_shown_as_text_or_on_antoms_page() {
        let fields = |form: Value| -> Fields {
            serde_json::from_value(json!({
                "normalUrl": "https://n", "schemeUrl": "alipays://s", "orderCodeForm": form,
            }))
            .unwrap()
        };
        let picture = json!({ "codeDetails": [{ "displayType": "BIGIMAGE", "codeValue": "b" }] });
        let text = json!({ "codeDetails": [{ "displayType": "TEXT", "codeValue": "t" }] });
        let page = NextAction::Redirect { url: ClientSecret("https://n".to_owned()) };
        let code = NextAction::Qr { content: ClientSecret("t".to_owned()) };
        assert_eq!(next(Flow::Qr, fields(text.clone())), Ok(code));
        assert_eq!(next(Flow::Qr, fields(picture)), Ok(page.clone()));
        assert_eq!(next(Flow::Redirect, fields(text)), Ok(page));
        assert!(matches!(next(Flow::Mobile, Fields::default()), Err(CallError::Unusable(_))));
    }

    proptest! {
        #[test]
        fn amounts_come_back_as_they_went(
            minor in 1..=999_999_999_i64, code in prop::sample::select(CAPABILITIES[0].currencies)
        ) {
            let asked = money(minor, code);
            let written: Amount = serde_json::from_value(amount(asked)).unwrap();
            prop_assert_eq!(written.money(), Ok(asked));
        }
    }
}
