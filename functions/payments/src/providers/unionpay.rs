//! UnionPay online payment (gateway and app), version 5.1.0, for a merchant
//! that is connected itself (<https://open.unionpay.com>). Rules of signing,
//! certificates and answers as in UnionPay's library `acpsdk` (`AcpService`,
//! `CertUtil`, `SDKUtil`) and its demonstrations.
//!
//! What the secret holds:
//!
//! | member | what |
//! |---|---|
//! | `webhook_secrets` | UnionPay's root and middle certificates (`acp_prod_root.cer`, `acp_prod_middle.cer`), as PEM; those to come beside those of today |
//! | `api_keys` | the merchant's private key, as PEM, taken from its `.pfx` |
//! | `account.mer_id` | the merchant's number, 15 digits |
//! | `account.cert_id` | the serial number of the merchant's certificate, decimal |
//! | `account.certificate_name` | only for UnionPay's test environment, whose certificate has another name: `00040000:SIGN` |
//!
//! A notice is a form. Its fields, without `signature` and those without a
//! value, sorted and joined as `k=v&...`, are hashed with SHA-256; the hash, in
//! small hexadecimal letters, is signed with RSA-SHA256 by the certificate in
//! the field `signPubKeyCert`. That certificate has to be in its time, to
//! follow from the root by the middle certificate, and to be UnionPay's by its
//! common name. No time is signed, so an old notice is as good as a new one:
//! its identity makes it the same event. UnionPay repeats a notice that is not
//! answered with 200 several times within some hours, by no published
//! schedule; the query is there for those that never come. Payments that fail
//! it mostly does not report.
//!
//! | `txnType` | kind, if `respCode` is 00 or A6 | else | attempt | part |
//! |---|---|---|---|---|
//! | 01 payment | succeeded | failed | `orderId` | |
//! | 04 refund, 31 cancellation | refunded | refund failed | `reqReserved` | the refund of `orderId` |
//!
//! `orderId` has 8 to 40 letters and digits, so it is an identity without its
//! prefix; `reqReserved`, which comes back as it was sent, names the attempt
//! of a refund in full. `txnAmt` is in fen. A transaction of UnionPay is known
//! by `orderId` and `txnTime` together, so `txnTime` is when the attempt, or
//! the refund, was noted. An event's identity is `queryId`, `txnType` and
//! `respCode`: notices have none, and a query tells the same ones.
//!
//! There are no instalments here: who pays for them is agreed between the
//! merchant and each bank, and told in `instalTransInfo` of that bank's form.

mod api;

mod certificate;

mod fields;

use aftercart::{
    model::{
        id::{PaymentId, RefundId},
        money::{Currency, Money},
        payment::{Flow, Method, PaymentEvent, PaymentEventKind, Provider},
        signature::{SignatureError, body_digest},
        time::Timestamp,
    },
    run::{Failure, http::Response, secrets::Credentials},
};

use self::fields::Fields;
use super::{
    Answer, Asking, Call, CallError, Capability, GivingBack, Known, PaymentProvider, RefundAnswer,
    Report, Step, Unreadable, event_identity, reference, word,
};
use crate::wire::NextAction;

/// What it can do. UnionPay gives back what was paid within 11 months.
const CAPABILITIES: [Capability; 1] = [Capability {
    method: Method::Unionpay,
    flows: &[Flow::Redirect, Flow::Mobile, Flow::App],
    currencies: &["CNY"],
    instalments: &[],
    pay_later: false,
    refund_days: 330,
    partial_refunds: true,
}];

/// See the module.
#[derive(Debug, Clone, Copy)]
pub struct Unionpay;

impl PaymentProvider for Unionpay {
    fn capabilities(&self) -> &'static [Capability] {
        &CAPABILITIES
    }

    fn takes(&self, _: Method, amount: Money) -> Result<(), CallError> {
        api::fen(amount).map(drop)
    }

    /// The names of fields stand for those of headers in what it refuses.
    fn verify(&self, call: &Call<'_>) -> Result<(), SignatureError> {
        fields::check(&Fields::of_form(call.body), call.credentials, call.now)
    }

    fn read(&self, call: &Call<'_>) -> Result<Vec<Report>, Unreadable> {
        let fields = Fields::of_form(call.body);
        report(&fields, call.credentials, call.now, call.body).map(|report| vec![report])
    }

    fn acknowledge(&self) -> Result<Response, Failure> {
        let (content_type, body) = ("text/plain; charset=utf-8", "ok".to_owned());
        Ok(Response { status: 200, headers: Vec::new(), content_type, body })
    }

    /// On a page nothing is called: the buyer's browser brings UnionPay a
    /// signed form.
    fn start(
        &self,
        asking: &Asking<'_>,
        answers: &[Answer],
    ) -> Result<Step<NextAction>, CallError> {
        match (asking.attempt.flow, answers.last()) {
            (Flow::Redirect | Flow::Mobile, _) => api::page(asking).map(Step::Done),
            (Flow::App, None) => api::app(asking).map(Step::Call),
            (Flow::App, Some(answer)) => api::began(asking, answer).map(Step::Done),
            _ => Err(CallError::Unsupported),
        }
    }

    /// A refund names the payment by UnionPay's own identity of it: if no
    /// event told that, it is asked for first.
    fn refund(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        let known = &giving.payment;
        match (known.reference, answers) {
            (Some(paid), []) => api::refund(giving, paid).map(Step::Call),
            (None, []) => api::query_payment(known).map(Step::Call),
            (None, [found]) => {
                let paid = api::query_id(known, found)?;
                api::refund(giving, &paid).map(Step::Call)
            }
            (Some(_) | None, [.., answer]) => api::refunded(giving, answer).map(Step::Done),
        }
    }

    fn refund_status(
        &self,
        giving: &GivingBack<'_>,
        answers: &[Answer],
    ) -> Result<Step<RefundAnswer>, CallError> {
        match answers.last() {
            None => api::query_refund(giving).map(Step::Call),
            Some(answer) => api::refund_stands(giving, answer).map(Step::Done),
        }
    }

    fn query(
        &self,
        payment: &Known<'_>,
        answers: &[Answer],
    ) -> Result<Step<Vec<PaymentEvent>>, CallError> {
        match answers.last() {
            None => api::query_payment(payment).map(Step::Call),
            Some(answer) => api::queried(payment, answer).map(Step::Done),
        }
    }
}

/// What the fields of a notice say.
fn report(
    fields: &Fields,
    credentials: &Credentials,
    now: Timestamp,
    body: &[u8],
) -> Result<Report, Unreadable> {
    let (kind, code) = (fields.get("txnType"), fields.get("respCode"));
    let what = format!("txnType {}", word(kind));
    let number = [fields.get("queryId"), fields.get("orderId")].into_iter().find(|n| !n.is_empty());
    let number =
        number.ok_or_else(|| Unreadable::Form("there is no `queryId`, no `orderId`".to_owned()))?;
    let id = event_identity(&format!("{number}-{kind}-{code}"));
    if !matches!(kind, "01" | "04" | "31") {
        return Ok(Report::Unknown { id, what });
    }
    let payment = match kind {
        "01" => payment_of(fields.get("orderId")),
        _ => PaymentId::parse(fields.get("reqReserved")).ok(),
    };
    let ours = credentials.account.get("mer_id").is_some_and(|it| it == fields.get("merId"));
    match payment.filter(|_| ours) {
        None => Ok(Report::Foreign { id, what }),
        Some(payment) => event(fields, id, payment, code, now, body).map(Report::Event),
    }
}

/// The event of a transaction that is ours, by its response code: that of the
/// notice, or of the transaction that a query asked about.
fn event(
    fields: &Fields,
    id: String,
    payment: PaymentId,
    code: &str,
    now: Timestamp,
    body: &[u8],
) -> Result<PaymentEvent, Unreadable> {
    let is_payment = fields.get("txnType") == "01" || fields.get("txnType") == "00";
    let kind = match (is_payment, is_success(code)) {
        (true, true) => PaymentEventKind::Succeeded,
        (true, false) => PaymentEventKind::Failed,
        (false, true) => PaymentEventKind::Refunded,
        (false, false) => PaymentEventKind::RefundFailed,
    };
    let of_ours = || refund_of(fields.get("orderId")).map(|refund| refund.to_string());
    let (told, part) = match is_payment {
        true => (fields.get("queryId"), None),
        false => {
            let other = || reference(fields.get("queryId"));
            let part = of_ours().or_else(other);
            let unnamed = || Unreadable::Form("the refund has no number".to_owned());
            (fields.get("origQryId"), Some(part.ok_or_else(unnamed)?))
        }
    };
    Ok(PaymentEvent {
        id,
        payment,
        provider: Provider::Unionpay,
        kind,
        amount: money(fields)?,
        at: fields.happened(now)?,
        reason: (!is_success(code)).then(|| word(code)),
        reference: reference(told),
        part,
        body_digest: body_digest(body),
    })
}

/// 00 is a success, and so is A6: the money moved, although something about
/// the transaction is not as it should be.
fn is_success(code: &str) -> bool {
    matches!(code, "00" | "A6")
}

/// The amount of a transaction, in fen; UnionPay leaves the currency away
/// where it can only be the merchant's.
fn money(fields: &Fields) -> Result<Money, Unreadable> {
    if !matches!(fields.get("currencyCode"), "156" | "") {
        return Err(Unreadable::Value("`currencyCode` is not 156".to_owned()));
    }
    let text = fields.get("txnAmt");
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fen = text.parse::<i64>().ok().filter(|_| digits);
    let fen = fen.ok_or_else(|| Unreadable::Value("`txnAmt` is no amount".to_owned()))?;
    Currency::parse("CNY")
        .and_then(|currency| Money::new(fen, currency))
        .map_err(|error| Unreadable::Value(error.to_string()))
}

/// The number of an attempt or a refund at UnionPay, which takes no `_`.
fn number(id: &str) -> &str {
    id.split_once('_').map_or(id, |(_, rest)| rest)
}

fn payment_of(number: &str) -> Option<PaymentId> {
    PaymentId::parse(&format!("{}{number}", PaymentId::PREFIX)).ok()
}

fn refund_of(number: &str) -> Option<RefundId> {
    RefundId::parse(&format!("{}{number}", RefundId::PREFIX)).ok()
}

#[cfg(test)]
mod tests;
